use handsoff_core::Policy;
use handsoff_core::policy::IdentityPattern;
use handsoff_core::rules::{self, Names};

/// A text is a policy, or has mistakes with their places; what a policy's names are is the same once they have been
/// written as parameters of the stack and read back; and a pattern is the one that it is shown as.
pub fn policy(data: &[u8]) -> usize {
    let Ok(text) = std::str::from_utf8(data) else { return 0 };
    let policy = match Policy::parse("p", text) {
        Ok(policy) => policy,
        Err(errors) => {
            assert!(!errors.is_empty(), "no policy, and no mistake");
            for error in &errors {
                let shown = error.to_string();
                assert!(shown.starts_with("p:") && !shown.chars().any(char::is_control), "{shown:?}");
            }
            return 0;
        }
    };
    handsoff_functions::detectors();
    let names = rules::names(&handsoff_functions::rules(), &policy);
    let list: Vec<String> =
        names.parameters().iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(Names::parse(&list.join(";")).parameters(), names.parameters(), "{list:?}");
    let identities =
        policy.deploy.iter().map(|it| &it.identity).chain(policy.break_glass.iter().map(|it| &it.identity));
    for identity in identities {
        let again = IdentityPattern::parse_argument(identity.as_str());
        let again = again.unwrap_or_else(|why| panic!("`{}`: {why}", identity.as_str()));
        assert_eq!(again.as_str(), identity.as_str());
    }
    1 + policy.deploy.len() + policy.break_glass.len()
}
