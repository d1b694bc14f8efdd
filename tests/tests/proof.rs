//! Deploy sessions that began otherwise than they may: what is done in them is misuse, in the functions as in a replay,
//! whichever record comes first.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may panic"
)]

use std::collections::BTreeSet;

use handsoff_core::Policy;
use handsoff_runtime::Mark;
use handsoff_tests::sessions::{Session, assumes, record, session};
use handsoff_tests::{drift, replay_records};
use proptest::prelude::*;

const POLICY: &str = r#"
[[deploy]]
identity = "arn:aws:iam::*:role/deploy"
assumed_by = ["arn:aws:iam::111122223333:role/ci"]
[[deploy]]
identity = "arn:aws:iam::*:role/deploy-app"
assumed_by = ["arn:aws:iam::111122223333:role/deploy"]
[[break_glass]]
identity = "arn:aws:iam::*:role/emergency"
"#;

const JON: Session = ("AWSReservedSSO_Dev_0123456789abcdef", "jon@example.com", "ASIAJON");
const OPS: Session = ("ops", "x", "ASIAOPS");
const EMERGENCY: Session = ("emergency", "ana", "ASIAEMERGENCY");
const CODEBUILD: &str = r#"{"type":"AWSService","invokedBy":"codebuild.amazonaws.com"}"#;

/// The sessions of the pipeline's roles, by the end of their keys.
fn pipeline(role: &'static str, key: &'static str) -> Session {
    (role, "run-7", key)
}

fn changes(second: u32, who: Session) -> String {
    record(
        second,
        &session(who),
        "ec2:AuthorizeSecurityGroupIngress",
        r#""requestParameters":{"groupId":"sg-1"},"#,
    )
}

/// A run of the pipeline, of which each session ends in the same letter.
fn run_of(
    first: u32,
    [ci, deploy, app]: [&'static str; 3],
    began: impl Fn(u32, Session) -> Vec<String>,
) -> Vec<String> {
    let [ci, deploy, app] =
        [("ci", ci), ("deploy", deploy), ("deploy-app", app)].map(|(role, key)| pipeline(role, key));
    let mut all = began(first, ci);
    all.extend([
        assumes(first + 5, &session(ci), deploy),
        changes(first + 6, deploy),
        assumes(first + 7, &session(deploy), app),
        changes(first + 8, app),
        // What another detector would report.
        record(
            first + 9,
            &session(app),
            "codecommit:OverridePullRequestApprovalRules",
            r#""requestParameters":{"pullRequestId":"1","overrideStatus":"OVERRIDE"},"#,
        ),
    ]);
    all
}

/// A run as it should be; one that a person began through two roles; and a deploy session of an emergency session.
fn records() -> Vec<String> {
    let mut all = run_of(10, ["ASIAC1", "ASIAD1", "ASIAA1"], |at, ci| vec![assumes(at, CODEBUILD, ci)]);
    all.extend(run_of(20, ["ASIAC2", "ASIAD2", "ASIAA2"], |at, ci| {
        vec![assumes(at, &session(JON), OPS), assumes(at + 1, &session(OPS), ci)]
    }));
    all.extend([
        assumes(40, &session(EMERGENCY), pipeline("deploy", "ASIAD3")),
        changes(41, pipeline("deploy", "ASIAD3")),
    ]);
    all
}

fn policy() -> Policy {
    Policy::parse("handsoff.toml", POLICY).unwrap()
}

/// The seconds of the events that are misuse of a deploy role, with the severity.
type Misused = BTreeSet<(String, String)>;

fn misused(sorts: impl Iterator<Item = String>) -> Misused {
    sorts
        .filter_map(|sort| {
            let parts: Vec<&str> = sort.split('#').collect();
            let [_, time, _, "deploy-role-misused", severity] = parts[..] else { return None };
            Some((time[17..19].to_owned(), severity.to_owned()))
        })
        .collect()
}

fn live(records: &[String], at_once: usize) -> (Misused, Vec<String>) {
    live_by(&policy(), records, at_once)
}

fn live_by(policy: &Policy, records: &[String], at_once: usize) -> (Misused, Vec<String>) {
    let (world, process) = (drift::world_at("2026-03-10T02:01:00Z"), drift::function(policy));
    for batch in records.chunks(at_once) {
        drift::bring(&world, &process, batch);
    }
    let found = misused(world.observations.borrow().keys().map(|(_, sort)| sort.clone()));
    let reasons = world.sent.borrow().iter().map(|message| message.email.clone()).collect();
    (found, reasons)
}

fn replayed(records: &[String]) -> Misused {
    replayed_by(&policy(), records)
}

fn replayed_by(policy: &Policy, records: &[String]) -> Misused {
    misused(replay_records(records, policy).findings.iter().map(Mark::sort))
}

fn expected() -> Misused {
    // The pipeline's sessions that a person is behind: how they began, and what was changed in them. That the emergency
    // session assumed the role is break-glass's to report.
    [
        ("25", "high"),
        ("26", "critical"),
        ("27", "high"),
        ("28", "critical"),
        ("29", "critical"),
        ("41", "critical"),
    ]
    .into_iter()
    .map(|(second, severity)| (second.to_owned(), severity.to_owned()))
    .collect()
}

#[test]
fn what_a_session_does_that_a_person_is_behind_is_misuse() {
    assert_eq!(replayed(&records()), expected());
    let (found, messages) = live(&records(), 1);
    assert_eq!(found, expected());
    let reason = "a person is behind it: `jon@example.com (Dev)` assumed the role that assumed it.";
    let all = messages.join("\n").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(all.contains(reason), "{all}");
}

#[test]
fn without_the_record_of_its_beginning_a_session_is_the_pipelines() {
    let of_the_run: Vec<String> = records().into_iter().skip(8).take(5).collect();
    assert_eq!((replayed(&of_the_run), live(&of_the_run, 1).0), (Misused::new(), Misused::new()));
}

#[test]
fn each_change_of_a_deploy_session_is_remembered_once() {
    let (policy, world) = (policy(), drift::world_at("2026-03-10T02:01:00Z"));
    let all: Vec<String> = (0..10).map(|second| changes(second, pipeline("deploy", "ASIAD1"))).collect();
    drift::bring(&world, &drift::function(&policy), &all);
    let used = world.observations.borrow().keys().filter(|(_, sort)| sort.starts_with("used#")).count();
    assert_eq!(used, 10);
}

/// The same where the entry lists nobody: a role's session that assumes the deploy role may be the runner's, and isn't where a
/// person is behind it.
#[test]
fn a_person_behind_a_session_shows_without_any_list() {
    let bare = Policy::parse("p", "[[deploy]]\nidentity = \"arn:aws:iam::*:role/deploy\"\n").unwrap();
    let ci = pipeline("ci", "ASIAC2");
    let deploy = pipeline("deploy", "ASIAD2");
    let run = |began: Vec<String>| {
        let mut all = began;
        all.extend([assumes(25, &session(ci), deploy), changes(26, deploy)]);
        all
    };
    let of = |pairs: &[(&str, &str)]| -> Misused {
        pairs.iter().map(|(second, severity)| ((*second).to_owned(), (*severity).to_owned())).collect()
    };
    let by_person = run(vec![assumes(20, &session(JON), ci)]);
    let by_runner = run(vec![assumes(20, CODEBUILD, ci)]);
    // Account access manager gives roles to people.
    let through = r#"{"type":"AWSService","invokedBy":"account-access.amazonaws.com"}"#;
    let through_service = run(vec![assumes(20, through, ci)]);
    let at_once = vec![assumes(25, through, deploy), changes(26, deploy)];
    let misused = of(&[("25", "high"), ("26", "critical")]);
    for (records, expected) in [
        (by_person, misused.clone()),
        (by_runner, of(&[("25", "medium")])),
        (through_service, misused.clone()),
        (at_once, misused),
    ] {
        assert_eq!(replayed_by(&bare, &records), expected);
        assert_eq!(live_by(&bare, &records, 1).0, expected);
    }
}

/// A session whose beginning lacks a tag that its entry requires: the call that assumed the role, and each change since.
#[test]
fn a_session_without_its_entrys_tags_is_misuse() {
    let (ci, deploy) = (pipeline("ci", "ASIAC1"), pipeline("deploy", "ASIAD1"));
    let tagged = |team: &str| {
        let tags = format!(r#""tags":[{{"key":"team","value":"{team}"}}],"roleSessionName""#);
        assumes(25, &session(ci), deploy).replacen(r#""roleSessionName""#, &tags, 1)
    };
    for lists in ["assumed_by = [\"arn:aws:iam::111122223333:role/ci\"]", ""] {
        let text = format!(
            "[[deploy]]\nidentity = \"arn:aws:iam::*:role/deploy\"\n{lists}\nsession_tags = {{ team = \"payments\" }}\n"
        );
        let policy = Policy::parse("p", &text).unwrap();
        let began = [tagged("payments"), tagged("ops"), assumes(25, &session(ci), deploy)];
        for (began, refuted) in began.into_iter().zip([false, true, true]) {
            let mut expected = Misused::new();
            if refuted {
                expected.extend([("25", "high"), ("26", "critical")].map(|(at, it)| (at.into(), it.into())));
            } else if lists.is_empty() {
                expected.insert(("25".into(), "medium".into()));
            }
            for records in [vec![began.clone(), changes(26, deploy)], vec![changes(26, deploy), began]] {
                assert_eq!(live_by(&policy, &records, 1).0, expected, "{records:#?}");
                assert_eq!(replayed_by(&policy, &records), expected);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn the_order_of_records_makes_no_difference(
        order in Just(records()).prop_shuffle(),
        at_once in 1..8_usize,
    ) {
        prop_assert_eq!(replayed(&order), expected());
        prop_assert_eq!(live(&order, at_once).0, expected());
    }
}
