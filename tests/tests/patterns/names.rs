//! A policy's names as lists of event patterns, compared with the detectors' rules and EventBridge's limits.

use handsoff_core::Policy;
use handsoff_core::policy::{Glob, IdentityPattern};
use handsoff_core::rules::{Lists, Names, complexity, refused, uncovered};
use handsoff_functions::detectors;
use proptest::prelude::*;

use crate::names;

fn policy(break_glass: &[&str], deploy: &[&str]) -> Policy {
    let entry = |list: &str, identity: &&str| format!("[[{list}]]\nidentity = '{identity}'\n");
    let glass = break_glass.iter().map(|identity| entry("break_glass", identity));
    let text: String = glass.chain(deploy.iter().map(|identity| entry("deploy", identity))).collect();
    Policy::parse("p", &text).unwrap()
}

/// `names | name prefixes | wildcards`, and `any` if any role's assumption is let through.
fn shown(lists: &Lists) -> String {
    let Lists { names, name_prefixes, wildcards, any_role } = lists;
    let any = if *any_role { " any" } else { "" };
    format!("{} | {} | {}{any}", names.join(","), name_prefixes.join(","), wildcards.join(","))
}

fn glass(identities: &[&str]) -> String {
    shown(&names(&policy(identities, &[])).break_glass)
}

fn deploy(identities: &[&str]) -> String {
    shown(&names(&policy(&[], identities)).deploy)
}

/// Twenty identities of this form, with their number for `N`.
fn twenty(form: &str) -> Vec<String> {
    (10..30).map(|number| form.replace('N', &number.to_string())).collect()
}

fn texts(identities: &[String]) -> Vec<&str> {
    identities.iter().map(String::as_str).collect()
}

#[test]
fn a_name_that_is_written_out_stands_without_its_path() {
    assert_eq!(glass(&["arn:aws:iam::*:role/break-glass"]), "break-glass |  | ");
    assert_eq!(glass(&["arn:aws:iam::111122223333:role/ops/eu/break-glass"]), "break-glass |  | ");
    assert_eq!(deploy(&["arn:aws:iam::*:role/**/deploy"]), "deploy |  | ");
}

#[test]
fn users_stand_by_how_their_names_begin_and_roles_as_wildcards() {
    assert_eq!(glass(&["arn:aws:iam::*:user/eg-*"]), " | eg- | ");
    assert_eq!(glass(&["arn:aws:iam::*:role/eg-*"]), " |  | eg-*");
    assert_eq!(deploy(&["arn:aws:iam::*:role/ci/deploy-*"]), " |  | ci/deploy-*");
}

#[test]
fn a_name_that_begins_anyhow_keeps_its_path() {
    assert_eq!(glass(&["arn:aws:iam::*:user/emergency/*"]), " |  | emergency/*", "not everybody");
    assert_eq!(glass(&["arn:aws:iam::*:role/app/**"]), " |  | app/*");
    assert_eq!(glass(&["arn:aws:iam::*:user/x**"]), " |  | x*", "may be a path");
    assert_eq!(glass(&["arn:aws:iam::*:role/**glass"]), " |  | *glass");
}

#[test]
fn a_permission_set_is_its_role_whatever_the_suffix() {
    assert_eq!(glass(&["permission-set/EmergencyAdmin"]), " | AWSReservedSSO_EmergencyAdmin_ | ");
    assert_eq!(glass(&["permission-set/Emergency*"]), " | AWSReservedSSO_Emergency | ");
    assert_eq!(deploy(&["permission-set/Deployer"]), " |  | AWSReservedSSO_Deployer_*");
}

#[test]
fn what_another_item_covers_is_left_out() {
    let identities = ["arn:aws:iam::*:role/eg-1", "arn:aws:iam::*:role/eg-*", "arn:aws:iam::*:role/x/eg-*"];
    assert_eq!(glass(&identities), " |  | eg-*");
    assert_eq!(glass(&["arn:aws:iam::*:user/eg-*", "arn:aws:iam::*:user/e*"]), " | e | ");
    assert_eq!(glass(&[identities[0], identities[0]]), "eg-1 |  | ");
}

#[test]
fn no_character_breaks_out_of_a_list_or_a_pattern() {
    let odd = [r#"arn:aws:iam::*:role/a,b"c\d"#, "permission-set/Ü**x", "arn:aws:iam::*:user/a **b"];
    assert_eq!(glass(&odd), " | AWSReservedSSO_ | a*b,a*b*c*d");
}

#[test]
fn an_empty_policy_has_no_names_and_misses_nothing() {
    assert_eq!(names(&Policy::built_in()), Names::default());
    assert!(uncovered(&Policy::built_in(), &Names::default()).is_empty());
}

// ---- What EventBridge takes ----------------------------------------------------------------------------------

/// Every form that the policy knows, with an `N` in it.
const FORMS: [&str; 15] = [
    "arn:aws:iam::*:role/role-of-the-team-N",
    "arn:aws:iam::*:role/a-role-with-a-name-as-long-as-IAM-lets-a-name-of-a-role-become-N",
    "arn:aws:iam::*:user/user-N",
    "arn:aws:iam::444455556666:role/ops/eu/role-N",
    "arn:aws:iam::*:role/**/role-N",
    "arn:aws:iam::*:role/deploy-N-*",
    "arn:aws:iam::*:role/cdk-N-cfn-exec-role-*",
    "arn:aws:iam::*:role/team-N/**",
    "arn:aws:iam::*:user/eg-N-*",
    "arn:aws:iam::*:user/team-N/*",
    "arn:aws:iam::*:role/*-admin-N",
    "arn:aws:iam::*:role/*break*N*glass*",
    "permission-set/EmergencyAdminOfTeamN",
    "permission-set/Emergency*N*",
    "permission-set/APermissionSetMayHaveANameOfN",
];

#[test]
fn twenty_identities_of_every_form_are_taken() {
    let mixed: Vec<String> =
        FORMS.iter().cycle().zip(10..30).map(|(form, n)| form.replace('N', &n.to_string())).collect();
    let mut sets: Vec<Vec<String>> = FORMS.iter().map(|form| twenty(form)).collect();
    sets.push(mixed);
    for identities in sets {
        let policy = policy(&texts(&identities), &texts(&identities));
        let names = names(&policy);
        assert_eq!(refused(&handsoff_functions::rules(), &names), Vec::<String>::new(), "{identities:?}");
        assert!(uncovered(&policy, &names).is_empty(), "{identities:?}");
        for rule in detectors().iter().flat_map(|detector| detector.about().rules) {
            let pattern = rule.filled(&names, "aws", "111122223333");
            assert!(complexity::complexity(&pattern).unwrap() <= complexity::MOST, "{pattern}");
        }
    }
}

#[test]
fn many_star_names_stand_by_how_they_begin() {
    let roles = twenty("arn:aws:iam::*:role/deploy-N-*");
    let lists = names(&policy(&[], &texts(&roles))).deploy;
    assert_eq!((lists.name_prefixes.len(), lists.any_role, lists.wildcards.len()), (20, true, 0));
    assert_eq!(lists.coarse(), Some("who assumes any role, services too"));
    // Nobody assumes a user, and permission sets come by a rule for all.
    for form in ["arn:aws:iam::*:user/eg-N-*", "permission-set/EmergencyN"] {
        let lists = names(&policy(&texts(&twenty(form)), &[])).break_glass;
        assert_eq!((lists.name_prefixes.len(), lists.coarse()), (20, None), "{form}");
    }
}

#[test]
fn what_cannot_be_named_at_all_lets_all_through() {
    let lists = names(&policy(&texts(&twenty("arn:aws:iam::*:user/team-N/*")), &[])).break_glass;
    assert_eq!(shown(&lists), " |  | *");
    assert_eq!(lists.coarse(), Some("all calls of all roles and users, reads too"));
}

#[test]
fn a_list_that_is_not_taken_is_reported_with_the_rule_and_the_limit() {
    detectors();
    let wildcards: Vec<String> = (0..4).map(|name| format!("team-{name}/*")).collect();
    let names = Names { deploy: Lists { wildcards, ..Lists::default() }, ..Names::default() };
    let told = refused(&handsoff_functions::rules(), &names);
    assert_eq!(told.len(), 3, "{told:?}");
    assert_eq!(
        told[0],
        "DeploySessionsRule has an event pattern of complexity 13, and EventBridge accepts 10"
    );
    let long = vec!["x".repeat(64); 30];
    let names = Names { break_glass: Lists { names: long, ..Lists::default() }, ..Names::default() };
    assert!(
        refused(&handsoff_functions::rules(), &names)[0]
            .starts_with("BreakGlassSessionsRule has an event pattern of 2"),
        "{:?}",
        refused(&handsoff_functions::rules(), &names)
    );
}

// ---- What lists leave out ------------------------------------------------------------------------------------

/// Lists as they are shown.
fn lists(shown: &str) -> Lists {
    let mut fields = shown.split('|').map(str::trim);
    let mut field = || fields.next().unwrap_or_default();
    let (names, prefixes, wildcards, any) = (field(), field(), field(), field());
    let parameters = format!(
        "BreakGlassNames={names};BreakGlassNamePrefixes={prefixes};BreakGlassWildcards={wildcards};\
         BreakGlassAnyAssumed={any}"
    );
    Names::parse(&parameters).break_glass
}

fn reported(policy: &Policy, break_glass: &str, deploy: &str) -> Vec<String> {
    let names = Names { break_glass: lists(break_glass), deploy: lists(deploy) };
    uncovered(policy, &names).iter().map(ToString::to_string).collect()
}

#[test]
fn parameters_are_read_as_they_are_written() {
    let names = names(&policy(&["arn:aws:iam::*:role/b", "permission-set/X"], &["arn:aws:iam::*:role/d-*"]));
    let written: Vec<String> =
        names.parameters().iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(Names::parse(&written.join(";")), names);
    insta::assert_snapshot!(written.join("\n"), @r"
    BreakGlassNames=b
    BreakGlassNamePrefixes=AWSReservedSSO_X_
    BreakGlassWildcards=/
    BreakGlassAnyAssumed=no
    DeployRoleNames=/
    DeployRoleNamePrefixes=/
    DeployRoleWildcards=d-*
    DeployRoleAnyAssumed=no
    ");
}

#[test]
fn entries_that_no_list_covers_are_reported_by_their_lines() {
    let policy = policy(
        &["arn:aws:iam::*:role/break-glass", "permission-set/EmergencyAdmin"],
        &["arn:aws:iam::*:role/ci/deploy-*"],
    );
    let lines = ["p:1 [[break_glass]]", "p:3 [[break_glass]]", "p:5 [[deploy]]"];
    let none = Vec::<String>::new();
    assert_eq!(reported(&policy, "", ""), lines);
    assert_eq!(reported(&policy, "break-glass | AWSReservedSSO_EmergencyAdmin_", "|| deploy-*"), none);
    assert_eq!(reported(&policy, "break-glass", "|| ci/deploy-*"), lines[1..2]);
    assert_eq!(reported(&policy, "|| break-*, AWSReservedSSO_*", "deploy-eu || other/deploy-*"), lines[2..]);
    assert_eq!(reported(&policy, "|| *", "|| *"), none);
    // Who assumes a role has to be let through, too.
    assert_eq!(reported(&policy, "| break-, AWSReservedSSO_ || yes", "| deploy- || yes"), none);
    assert_eq!(reported(&policy, "| break-, AWSReservedSSO_", "| deploy-"), [lines[0], lines[2]]);
}

#[test]
fn a_name_of_part_of_what_an_entry_means_does_not_cover_it() {
    let policy = policy(&["arn:aws:iam::*:user/eg-*"], &[]);
    for list in [
        "eg-1",
        "eg-*",
        "| eg-1",
        "| g-",
        "| EG-",
        "| eg-*",
        "|| eg-*-x",
        "|| g-*",
        "|| EG-*",
        "|| eg-**",
        "|| eg-\\*",
    ] {
        assert_eq!(reported(&policy, list, ""), ["p:1 [[break_glass]]"], "{list}");
    }
    for list in ["| eg-", "| e", "|| eg-*", "|| e*", "|| *-*", "|| *"] {
        assert_eq!(reported(&policy, list, ""), Vec::<String>::new(), "{list}");
    }
}

#[test]
fn a_denial_code_that_the_rule_keeps_out_is_reported() {
    let policy = Policy::parse("p", "\n[denials]\ncodes = ['AccessDenied', 'NoSuchBucket']").unwrap();
    assert_eq!(reported(&policy, "", ""), ["p:2 [denials]"]);
    let policy = Policy::parse("p", "[denials]\ncodes = ['Client.AuthFailure', 'Mine']").unwrap();
    assert!(reported(&policy, "", "").is_empty());
}

/// Patterns and ARNs of few letters, so that they meet.
fn resource(part: &'static str) -> impl Strategy<Value = String> {
    (prop_oneof![Just("role"), Just("user")], prop::collection::vec(part, 1..4))
        .prop_map(|(kind, parts)| format!("{kind}/{}", parts.join("/")))
}

/// Whether the patterns of sessions and users let through a role or user, and that of its assumption a role.
fn lets_through(lists: &Lists, resource: &str) -> bool {
    let arn = format!("arn:aws:iam::111122223333:{resource}");
    let name = resource.rsplit('/').next().unwrap();
    let named = lists.names.iter().any(|name| arn.ends_with(&format!("/{name}")))
        || lists.wildcards.iter().any(|wildcard| Glob::new(&format!("*/{wildcard}")).matches(&arn));
    let acts = named || lists.name_prefixes.iter().any(|prefix| name.starts_with(prefix.as_str()));
    acts && (named || lists.any_role || resource.starts_with("user/"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_policys_own_lists_cover_it(all in prop::collection::vec(resource("[ab*]{1,3}"), 1..9)) {
        let arns: Vec<String> = all.iter().map(|resource| format!("arn:aws:iam::*:{resource}")).collect();
        let good: Vec<&str> = arns.iter().map(String::as_str).filter(|arn| IdentityPattern::parse(arn).is_ok()).collect();
        let policy = policy(&good, &good);
        prop_assert!(uncovered(&policy, &names(&policy)).is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// What a policy's entry matches, all lists let through that are said to cover the entry.
    #[test]
    fn what_is_covered_is_let_through(
        written in resource("[ab*]{1,3}"),
        found in resource("[ab]{1,3}"),
        (named, prefixes, wildcards) in ("[ab]{1,3}", "[ab]{1,2}", "[ab*/]{1,5}"),
        (any, own) in (any::<bool>(), any::<bool>()),
    ) {
        let arn = format!("arn:aws:iam::*:{written}");
        let Ok(identity) = IdentityPattern::parse(&arn) else { return Ok(()) };
        if !identity.matches(&format!("arn:aws:iam::111122223333:{found}"), None) {
            return Ok(());
        }
        let policy = policy(&[&arn], &[]);
        let lists = if own {
            names(&policy).break_glass
        } else {
            lists(&format!("{named} | {prefixes} | {wildcards} | {}", if any { "yes" } else { "no" }))
        };
        let covered = uncovered(&policy, &Names { break_glass: lists.clone(), ..Names::default() }).is_empty();
        prop_assert!(!covered || lets_through(&lists, &found), "{} {} {:?}", written, found, lists);
        prop_assert!(!own || covered);
    }
}
