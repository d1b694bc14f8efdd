//! Deploy sessions whose beginning no record shows: CloudTrail is asked for it, and what it doesn't have either is reported; the
//! same as a replay of all records reports.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may panic"
)]

use handsoff_cloudtrail::{Time, TimeDelta};
use handsoff_core::{Finding, Policy, Reported};
use handsoff_drift::codes::{DEPLOY_ROLE_MISUSED, DEPLOY_UNPROVEN};
use handsoff_drift::live::{Canary, DriftFunction};
use handsoff_functions::engine;
use handsoff_runtime::Mark;
use handsoff_sweep::sweep;
use handsoff_testing::fault_injection::{Fault, FaultInjection, LEASE, deliver, run};
use handsoff_testing::in_memory::InMemory;
use handsoff_tests::sessions::{Session, assumes, record, session};
use handsoff_tests::{replay_records, settings};
use proptest::prelude::*;

const POLICY: &str = r#"
[[deploy]]
identity = "arn:aws:iam::*:role/deploy"
assumed_by = ["service:codebuild.amazonaws.com", "arn:aws:iam::111122223333:role/ci"]
[proof]
patience = "20m"
"#;

const CODEBUILD: &str = r#"{"type":"AWSService","invokedBy":"codebuild.amazonaws.com"}"#;
const LAMBDA: &str = r#"{"type":"AWSService","invokedBy":"lambda.amazonaws.com"}"#;
const DEPLOY: Session = ("deploy", "run-7", "ASIADEPLOY");
const EARLIER: Session = ("deploy", "run-6", "ASIAEARLIER");

fn policy() -> Policy {
    Policy::parse("handsoff.toml", POLICY).unwrap()
}

/// A call in a session whose credentials were issued in the second before its first change.
fn changes(second: u32, (role, name, key): Session) -> String {
    let dated = r#""sessionContext":{"attributes":{"creationDate":"2026-03-10T02:00:05Z","mfaAuthenticated":"false"},"#;
    let who = session((role, name, key)).replace(r#""sessionContext":{"#, dated);
    let group = format!(r#""requestParameters":{{"groupId":"sg-{second}"}},"#);
    record(second, &who, "ec2:AuthorizeSecurityGroupIngress", &group)
}

/// The beginning of an earlier session, so that the log is one that shows how the role's begin, and three changes of a session.
fn of_a_session() -> Vec<String> {
    let mut all = vec![assumes(0, CODEBUILD, EARLIER)];
    all.extend((6..9).map(|second| changes(second, DEPLOY)));
    all
}

/// Whether the record of its beginning comes, is CloudTrail's alone, or isn't anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Beginning {
    Comes,
    IsInTheHistory,
    IsMissing,
}

/// What is found of a session: code, severity and second, and the finding that leads the messages.
type Found = Vec<(String, String, String)>;

fn sorted(findings: impl Iterator<Item = Finding>) -> Found {
    let ours = |it: &Finding| [DEPLOY_ROLE_MISUSED, DEPLOY_UNPROVEN].contains(&it.code);
    let row = |it: Finding| {
        (it.event_time.clone().unwrap(), it.code.to_string(), format!("{} {}", it.severity, it.reason))
    };
    let mut found: Found = findings.filter(ours).map(row).collect();
    found.sort();
    found
}

fn stored(world: &InMemory) -> Found {
    let faulty = FaultInjection::new(world);
    let marks = world.observations.borrow();
    let marks = marks.iter().filter(|((_, sort), _)| sort.starts_with("mark#"));
    sorted(marks.filter_map(|(_, text)| Mark::read(&faulty, text)).filter_map(Reported::into_call))
}

fn replayed(records: &[String]) -> Found {
    sorted(replay_records(records, &policy()).findings.into_iter())
}

/// The functions with these records, in batches.
fn delivered(records: &[String], at_once: usize) -> InMemory {
    let (policy, world) = (policy(), InMemory::default());
    world.time.set(Time::parse("2026-03-10T02:01:00Z").unwrap().timestamp());
    let drift = DriftFunction::new(engine(&policy), LEASE, Canary::default());
    let plain: Vec<&str> = records.iter().map(String::as_str).collect();
    for batch in plain.chunks(at_once) {
        let faulty = FaultInjection::new(&world);
        run(&faulty, deliver(&faulty, &drift, batch)).unwrap();
    }
    world
}

/// A sweep so many minutes after the records came.
fn sweeps(faulty: &FaultInjection<'_>, minutes: i64) -> Option<bool> {
    let now = Time::parse("2026-03-10T02:01:00Z").unwrap() + TimeDelta::minutes(minutes);
    faulty.world.time.set(now.timestamp());
    run(faulty, sweep(faulty, &policy(), &settings(), now)).map(|done| done.is_ok())
}

/// What the functions find and what a replay does.
fn both(by: &str, beginning: Beginning, order: &[String], at_once: usize) -> (Found, Found) {
    let began = assumes(5, by, DEPLOY);
    let (mut records, mut all) = (order.to_vec(), order.to_vec());
    if beginning == Beginning::Comes {
        records.insert(records.len() / 2, began.clone());
    }
    if beginning != Beginning::IsMissing {
        all.push(began.clone());
    }
    let world = delivered(&records, at_once);
    if beginning == Beginning::IsInTheHistory {
        world.trail.borrow_mut().push(began);
    }
    for minutes in [5, 21, 60] {
        assert_eq!(sweeps(&FaultInjection::new(&world), minutes), Some(true));
    }
    (stored(&world), replayed(&all))
}

#[test]
fn a_session_whose_beginning_no_record_shows_is_reported_once() {
    let (found, replayed) = both(CODEBUILD, Beginning::IsMissing, &of_a_session(), 1);
    assert_eq!(found, replayed);
    let [(at, code, said)] = &found[..] else { panic!("{found:?}") };
    assert_eq!((&**at, &**code), ("2026-03-10T02:00:06Z", "deploy-unproven"));
    let why = "medium No record shows who assumed the deploy role of handsoff.toml:2";
    assert!(said.starts_with(why), "{said}");
}

#[test]
fn what_cloudtrail_remembers_proves_or_refutes_it() {
    for beginning in [Beginning::Comes, Beginning::IsInTheHistory] {
        let (found, replayed) = both(CODEBUILD, beginning, &of_a_session(), 1);
        assert_eq!((found, replayed), (vec![], vec![]), "{beginning:?}");
        let (found, replayed) = both(LAMBDA, beginning, &of_a_session(), 1);
        let misuse: Vec<(&str, &str)> = found.iter().map(|(at, code, _)| (&at[17..19], &**code)).collect();
        let expected = ["05", "06", "07", "08"].map(|second| (second, "deploy-role-misused"));
        assert_eq!(misuse, expected, "{beginning:?}");
        assert_eq!(found, replayed, "{beginning:?}");
    }
}

#[test]
fn a_log_without_any_beginning_proves_nothing() {
    assert_eq!(replayed(&of_a_session()[1..]), vec![]);
}

#[test]
fn an_entry_may_say_that_its_sessions_begin_unseen() {
    let lines = ["assumed_by = []\nunproven = true", "humans = true"];
    for line in lines {
        let text = format!("[[deploy]]\nidentity = \"arn:aws:iam::*:role/deploy\"\n{line}\n");
        let policy = Policy::parse("p", &text).unwrap();
        let world = InMemory::default();
        let drift = DriftFunction::new(engine(&policy), LEASE, Canary::default());
        let faulty = FaultInjection::new(&world);
        let record = changes(6, DEPLOY);
        run(&faulty, deliver(&faulty, &drift, &[record.as_str()])).unwrap();
        assert!(world.documents.borrow().keys().all(|(_, sort)| sort != "proof"), "{line}");
    }
}

#[test]
fn what_a_service_does_on_with_the_callers_rights_is_no_session() {
    let forwarded = changes(6, DEPLOY)
        .replace(r#""accessKeyId""#, r#""invokedBy":"cloudformation.amazonaws.com","accessKeyId""#);
    let world = delivered(std::slice::from_ref(&forwarded), 1);
    assert!(world.documents.borrow().keys().all(|(_, sort)| sort != "proof"));
    assert_eq!(replayed(&[assumes(0, CODEBUILD, EARLIER), forwarded]), vec![]);
}

#[test]
fn a_sweep_that_fails_at_any_step_is_made_up_for() {
    let records = of_a_session();
    let began = assumes(5, LAMBDA, DEPLOY);
    for history in [vec![], vec![began]] {
        let prepared = delivered(&records, 2);
        prepared.trail.borrow_mut().extend(history.clone());
        let usual = prepared.clone();
        let faulty = FaultInjection::new(&usual);
        sweeps(&faulty, 21);
        let steps = faulty.calls.take();
        assert!(steps.iter().any(|name| name.contains("lookup")), "{steps:?}");
        let expected = stored(&usual);
        assert!(!expected.is_empty());
        for (step, name) in steps.iter().enumerate() {
            for fault in Fault::ALL {
                let world = prepared.clone();
                sweeps(&FaultInjection::with(&world, step, fault), 21);
                for minutes in [24, 27, 40] {
                    sweeps(&FaultInjection::new(&world), minutes);
                }
                let context = format!("{fault:?} at call {step}, {name}");
                assert_eq!(stored(&world), expected, "{context}");
                let proofs = world.documents.borrow();
                let mut proofs = proofs.iter().filter(|((_, sort), _)| sort == "proof");
                assert!(proofs.all(|(_, (.., due))| due.is_none()), "{context}");
            }
        }
    }
}

/// Who assumes the role again and again keeps no sweep busy, and hides nothing.
#[test]
fn a_flood_of_beginnings_is_read_in_part_and_the_session_reported() {
    let world = delivered(&of_a_session(), 1);
    let others = (0..2_000).map(|n| {
        assumes(30, LAMBDA, ("deploy", "x", "ASIAOTHER")).replace("-0000000000", &format!("-{n:010}"))
    });
    world.trail.borrow_mut().extend(others);
    world.trail.borrow_mut().push(assumes(5, CODEBUILD, DEPLOY));
    let faulty = FaultInjection::new(&world);
    assert_eq!(sweeps(&faulty, 21), Some(true));
    let asked = faulty.calls.take().iter().filter(|name| name.contains("lookup")).count();
    assert!((5..=10).contains(&asked), "{asked}");
    let codes: Vec<String> = stored(&world).into_iter().map(|(_, code, _)| code).collect();
    assert_eq!(codes, ["deploy-unproven"]);
}

/// `Must hold`: proof costs at most one read of memory a deploy session.
#[test]
fn a_proven_session_costs_one_read_and_nothing_of_it_is_stored() {
    let (policy, world) = (policy(), InMemory::default());
    world.time.set(Time::parse("2026-03-10T02:01:00Z").unwrap().timestamp());
    let began = assumes(5, CODEBUILD, DEPLOY);
    let faulty = FaultInjection::new(&world);
    let first = DriftFunction::new(engine(&policy), LEASE, Canary::default());
    run(&faulty, deliver(&faulty, &first, &[began.as_str()])).unwrap();
    // Another process, which has to read what the first one has seen; and it again.
    for (function, reads) in [(DriftFunction::new(engine(&policy), LEASE, Canary::default()), 1), (first, 0)]
    {
        let before = world.observations.borrow().len();
        let mut asked = Vec::new();
        for batch in 0..5 {
            let faulty = FaultInjection::new(&world);
            let records: Vec<String> = (0..10).map(|n| changes(6 + batch * 10 + n, DEPLOY)).collect();
            let plain: Vec<&str> = records.iter().map(String::as_str).collect();
            run(&faulty, deliver(&faulty, &function, &plain)).unwrap();
            asked.extend(faulty.calls.take());
        }
        assert_eq!(asked.iter().filter(|name| name.contains("range")).count(), reads, "{asked:?}");
        let of_sessions = world.observations.borrow();
        let of_sessions = of_sessions.keys().filter(|(partition, _)| partition.starts_with("session#"));
        assert_eq!(of_sessions.count(), 1, "its beginning");
        assert!(world.observations.borrow().len() >= before);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn the_order_of_records_makes_no_difference(
        order in Just(of_a_session()).prop_shuffle(),
        by in prop::sample::select(vec![CODEBUILD, LAMBDA]),
        beginning in prop::sample::select(vec![Beginning::Comes, Beginning::IsInTheHistory, Beginning::IsMissing]),
        at_once in 1..5_usize,
    ) {
        let (found, replayed) = both(by, beginning, &order, at_once);
        prop_assert_eq!(found, replayed);
    }
}
