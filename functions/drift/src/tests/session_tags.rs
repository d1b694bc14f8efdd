//! Session tags that a deploy role's sessions have to have.

use super::*;

const CI: &str = "assumed_by = [\"arn:aws:iam::111122223333:role/ci\", \"oidc:repo:acme/infra:ref:refs/heads/main\", \"saml:Build\"]";
const TAGS: &str = "session_tags = { team = \"payments\", repo = [\"orders\", \"infra-*\"] }";

/// What is said of the call with which somebody assumes the role of an entry with these lines.
fn assumes(lines: &str, identity: &str, action: &str, rest: &str) -> Result<(Severity, String), String> {
    let policy = format!("[[deploy]]\nidentity = \"arn:aws:iam::*:role/deploy\"\n{lines}\n");
    let rest = format!(
        r#","readOnly":true,"requestParameters":{{"roleArn":"arn:aws:iam::111122223333:role/deploy","roleSessionName":"run"{rest}}},
        "responseElements":{{"credentials":{{"accessKeyId":"ASIA9"}}}}"#
    );
    let found = verdict_by(&policy, identity, action, &rest)?;
    assert_eq!(found.code, codes::DEPLOY_ROLE_MISUSED);
    Ok((found.severity, found.reason))
}

fn ways() -> [(&'static str, String, &'static str); 3] {
    let web = r#"{"type":"WebIdentityUser","userName":"repo:acme/infra:ref:refs/heads/main",
        "identityProvider":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}"#;
    let saml = r#"{"type":"SAMLUser","principalId":"x=:runner","userName":"runner","identityProvider":"x="}"#;
    let by_saml = r#","principalArn":"arn:aws:iam::111122223333:saml-provider/Build""#;
    [
        ("sts:AssumeRole", role("ci", "job"), ""),
        ("sts:AssumeRoleWithWebIdentity", web.to_owned(), ""),
        ("sts:AssumeRoleWithSAML", saml.to_owned(), by_saml),
    ]
}

#[test]
fn a_session_without_the_tags_of_its_entry_is_misuse_however_it_began() {
    let lines = format!("{CI}\n{TAGS}");
    for (action, identity, more) in ways() {
        let says = |tags: &str| assumes(&lines, &identity, action, &format!("{more}{tags}"));
        let tags = |team: &str, repo: &str| match action {
            "sts:AssumeRole" => format!(
                r#","tags":[{{"key":"Team","value":"{team}"}},{{"key":"repo","value":"{repo}"}}],"transitiveTagKeys":["repo"]"#
            ),
            _ => format!(r#","principalTags":{{"Team":"{team}","repo":"{repo}"}}"#),
        };
        assert_eq!(says(&tags("payments", "infra-7")), Err("read".to_owned()), "{action}");
        let (severity, why) = says(&tags("ops", "orders")).unwrap();
        assert_eq!(severity, Severity::High);
        assert!(
            why.ends_with("but `session_tags` doesn't list the value `ops` of its session's tag `team`."),
            "{why}"
        );
        let (_, why) = says("").unwrap();
        assert!(
            why.ends_with("but its session lacks the tag `repo`, which `session_tags` requires."),
            "{why}"
        );
        assert_eq!(
            assumes(CI, &identity, action, more),
            Err("read".to_owned()),
            "without the key any will do"
        );
    }
}

/// Where the entry lists nobody, an unknown role's session may be the runner: not with other tags.
#[test]
fn a_session_with_other_tags_isnt_the_runners() {
    let by = role("somebody", "job");
    let (severity, _) = assumes("", &by, "sts:AssumeRole", "").unwrap();
    assert_eq!(severity, Severity::Medium);
    let (severity, why) = assumes(TAGS, &by, "sts:AssumeRole", "").unwrap();
    assert_eq!(severity, Severity::High, "{why}");
    let right = r#","tags":[{"key":"team","value":"payments"},{"key":"repo","value":"orders"}]"#;
    let (severity, why) = assumes(TAGS, &by, "sts:AssumeRole", right).unwrap();
    assert_eq!(severity, Severity::Medium, "a tag lists nobody: {why}");
}

#[test]
fn a_tag_lets_nobody_in_and_what_a_value_holds_is_made_harmless() {
    let right = r#","tags":[{"key":"team","value":"payments"},{"key":"repo","value":"orders"}]"#;
    let lines = format!("{CI}\n{TAGS}");
    let (_, why) = assumes(&lines, ALICE, "sts:AssumeRole", right).unwrap();
    assert!(why.contains("`assumed_by` doesn't list"), "{why}");
    let odd = format!(r#","tags":[{{"key":"team","value":"\u001b[2Jx{}"}}]"#, "y".repeat(200));
    let (_, why) = assumes(&lines, &role("ci", "job"), "sts:AssumeRole", &odd).unwrap();
    assert!(!why.contains('\u{1b}') && why.len() < 300, "{why}");
}
