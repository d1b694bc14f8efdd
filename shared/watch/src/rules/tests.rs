use super::*;
use proptest::prelude::*;

fn policy(break_glass: &[&str], deploy: &[&str]) -> Policy {
    let entry = |list: &str, identity: &&str| format!("[[{list}]]\nidentity = '{identity}'\n");
    let glass = break_glass.iter().map(|identity| entry("break_glass", identity));
    let text: String = glass.chain(deploy.iter().map(|identity| entry("deploy", identity))).collect();
    Policy::parse("p", &text).unwrap()
}

fn told(policy: &Policy, break_glass: &[&str], deploy: &[&str]) -> Vec<String> {
    uncovered(policy, break_glass, deploy).iter().map(ToString::to_string).collect()
}

fn glass_names(identities: &[&str]) -> Vec<String> {
    names(&policy(identities, &[])).break_glass
}

#[test]
fn a_name_that_is_written_out_stands_without_its_path() {
    assert_eq!(glass_names(&["arn:aws:iam::*:role/break-glass"]), ["break-glass"]);
    assert_eq!(glass_names(&["arn:aws:iam::111122223333:role/ops/eu/break-glass"]), ["break-glass"]);
    assert_eq!(glass_names(&["arn:aws:iam::*:role/**/break-glass"]), ["break-glass"]);
}

#[test]
fn a_name_with_a_star_keeps_its_path() {
    assert_eq!(glass_names(&["arn:aws:iam::*:user/eg-*"]), ["eg-*"]);
    assert_eq!(glass_names(&["arn:aws:iam::*:user/emergency/*"]), ["emergency/*"], "not everybody");
    assert_eq!(glass_names(&["arn:aws:iam::*:role/app/**"]), ["app/*"]);
    assert_eq!(glass_names(&["arn:aws:iam::*:role/**glass"]), ["*glass"]);
}

#[test]
fn a_permission_set_is_its_role_whatever_the_suffix() {
    assert_eq!(glass_names(&["permission-set/EmergencyAdmin"]), ["AWSReservedSSO_EmergencyAdmin_*"]);
    assert_eq!(glass_names(&["permission-set/Emergency*"]), ["AWSReservedSSO_Emergency*_*"]);
}

#[test]
fn what_another_name_covers_is_left_out() {
    let identities = ["arn:aws:iam::*:role/eg-1", "arn:aws:iam::*:user/eg-*", "arn:aws:iam::*:user/x/eg-*"];
    assert_eq!(glass_names(&identities), ["eg-*"]);
    assert_eq!(glass_names(&[identities[0], identities[0]]), ["eg-1"]);
}

#[test]
fn no_character_breaks_out_of_a_list_or_a_pattern() {
    let odd = [r#"arn:aws:iam::*:role/a,b"c\d"#, "permission-set/Ü**x", "arn:aws:iam::*:user/a **b"];
    assert_eq!(glass_names(&odd), ["AWSReservedSSO_*x_*", "a*b", "a*b*c*d"]);
}

#[test]
fn an_empty_policy_has_no_names_and_misses_nothing() {
    assert_eq!(names(&Policy::built_in()), Names::default());
    assert!(uncovered(&Policy::built_in(), &[], &[]).is_empty());
}

#[test]
fn entries_that_no_name_covers_are_told_by_their_lines() {
    let policy = policy(
        &["arn:aws:iam::*:role/break-glass", "permission-set/EmergencyAdmin"],
        &["arn:aws:iam::*:role/ci/deploy-*"],
    );
    let lines = ["p:1 [[break_glass]]", "p:3 [[break_glass]]", "p:5 [[deploy]]"];
    assert_eq!(told(&policy, &[], &[]), lines);
    assert_eq!(
        told(&policy, &["break-glass", "AWSReservedSSO_EmergencyAdmin_*"], &["deploy-*"]),
        Vec::<String>::new()
    );
    assert_eq!(told(&policy, &["break-glass"], &["ci/deploy-*"]), lines[1..2]);
    assert_eq!(told(&policy, &["break-*", "AWSReservedSSO_*"], &["deploy-eu", "other/deploy-*"]), lines[2..]);
    assert_eq!(told(&policy, &["*"], &["*"]), Vec::<String>::new());
}

#[test]
fn a_name_of_part_of_what_an_entry_means_does_not_cover_it() {
    let policy = policy(&["arn:aws:iam::*:user/eg-*"], &[]);
    for name in ["eg-1", "eg-*-x", "g-*", "EG-*", "", "eg-**", "eg-\\*", "eg-* "] {
        assert_eq!(told(&policy, &[name], &[]), ["p:1 [[break_glass]]"], "{name}");
    }
    for name in ["eg-*", "e*", "*-*", "*"] {
        assert_eq!(told(&policy, &[name], &[]), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn a_denial_code_that_the_rule_keeps_out_is_told() {
    let policy = Policy::parse("p", "\n[denials]\ncodes = ['AccessDenied', 'NoSuchBucket']").unwrap();
    assert_eq!(told(&policy, &[], &[]), ["p:2 [denials]"]);
    let policy = Policy::parse("p", "[denials]\ncodes = ['Client.AuthFailure', 'Mine']").unwrap();
    assert!(uncovered(&policy, &[], &[]).is_empty());
}

#[test]
fn lengths_count_every_name_three_times() {
    let mut names = Names { break_glass: vec!["ab".into()], deploy: vec!["a".into(), "bc".into()] };
    let (break_glass, deploy) = BARE_PATTERNS;
    assert_eq!(names.pattern_lengths(), (break_glass + 6, deploy + 3 * (3 + 18)));
    names.break_glass.clear();
    assert_eq!(names.pattern_lengths().0, break_glass);
}

/// Patterns and ARNs of few letters, so that they meet.
fn resource(part: &'static str) -> impl Strategy<Value = String> {
    (prop_oneof![Just("role"), Just("user")], prop::collection::vec(part, 1..4))
        .prop_map(|(kind, parts)| format!("{kind}/{}", parts.join("/")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn a_policys_own_names_cover_it(written in resource("[ab*]{1,3}"), other in resource("[ab*]{1,3}")) {
        let arn = |resource: &str| format!("arn:aws:iam::*:{resource}");
        if ![&written, &other].iter().all(|one| IdentityPattern::parse(&arn(one)).is_ok()) {
            return Ok(());
        }
        let policy = policy(&[&arn(&written)], &[&arn(&written), &arn(&other)]);
        let Names { break_glass, deploy } = names(&policy);
        let (break_glass, deploy): (Vec<&str>, Vec<&str>) =
            (break_glass.iter().map(String::as_str).collect(), deploy.iter().map(String::as_str).collect());
        prop_assert!(uncovered(&policy, &break_glass, &deploy).is_empty());
    }

    /// What a policy's entry matches, every list of names matches that is said to cover the entry.
    #[test]
    fn what_is_covered_is_let_through(written in resource("[ab*]{1,3}"), found in resource("[ab]{1,3}"), name in "[ab*/]{1,5}") {
        let Ok(identity) = IdentityPattern::parse(&format!("arn:aws:iam::*:{written}")) else { return Ok(()) };
        let arn = format!("arn:aws:iam::111122223333:{found}");
        if identity.matches(&arn, None) {
            for name in [name, safe(&end(&identity))] {
                let through = Glob::new(&format!("*/{name}")).matches(&arn);
                prop_assert!(through || !is_covered(&identity, &[&name]), "{} {} {}", written, found, name);
            }
        }
    }
}
