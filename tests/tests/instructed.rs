//! What services do with a role after somebody told them to: more than a workload's ordinary change, in the functions as in a
//! replay, whichever record comes first.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may panic"
)]

use std::collections::BTreeMap;

use handsoff_cloudtrail::Time;
use handsoff_core::{Policy, Severity};
use handsoff_drift::live::{Canary, DriftFunction};
use handsoff_functions::engine;
use handsoff_runtime::Mark;
use handsoff_testing::fault_injection::{FaultInjection, LEASE, deliver, run};
use handsoff_testing::in_memory::InMemory;
use handsoff_tests::replay_records;
use handsoff_tests::sessions::{Session, record, session};
use proptest::prelude::*;

const JON: Session = ("AWSReservedSSO_Dev_0123456789abcdef", "jon@example.com", "ASIAJON");
const PIPELINE: Session = ("deploy", "run-7", "ASIAD");

fn policy() -> Policy {
    Policy::parse("handsoff.toml", "[[deploy]]\nidentity = \"arn:aws:iam::*:role/deploy\"\n").unwrap()
}

/// What a role does that a service has: nobody's name is in it.
fn acts(second: u32, role: &'static str, name: &'static str, by: &str) -> String {
    let who = session((role, name, "ASIAX"));
    let who = match by {
        // EC2 gave the credentials to the instance.
        "" => who.replace(r#""sessionContext":{"#, r#""sessionContext":{"ec2RoleDelivery":"2.0","#),
        // A service uses its role without keys of anyone.
        by => who.replace(r#""accessKeyId":"ASIAX""#, &format!(r#""invokedBy":"{by}.amazonaws.com""#)),
    };
    record(second, &who, "ec2:AuthorizeSecurityGroupIngress", r#""requestParameters":{"groupId":"sg-1"},"#)
}

fn launches(second: u32, who: Session, instance: &str) -> String {
    let rest = format!(
        r#""requestParameters":{{"iamInstanceProfile":{{"name":"ops"}}}},
        "responseElements":{{"instancesSet":{{"items":[{{"instanceId":"{instance}"}}]}}}},"#
    );
    record(second, &session(who), "ec2:RunInstances", &rest)
}

fn schedules(second: u32, asked: &str) -> String {
    let rest = format!(r#""requestParameters":{asked},"#);
    record(second, &session(JON), "scheduler:CreateSchedule", &rest)
}

/// What is done, and for whom it is.
fn records() -> Vec<String> {
    vec![
        acts(9, "ops", "i-0a", ""),
        launches(10, JON, "i-0a"),
        acts(11, "ops", "i-0a", ""),
        acts(12, "ops", "i-0b", ""),
        launches(13, PIPELINE, "i-0b"),
        acts(14, "ops", "i-0b", ""),
        schedules(20, r#"{"target":{"roleArn":"arn:aws:iam::111122223333:role/nightly"}}"#),
        acts(21, "nightly", "a", "scheduler"),
        acts(22, "other", "a", "scheduler"),
        record(30, &session(JON), "states:StartExecution", ""),
        acts(31, "machine", "a", "states"),
        acts(32, "machine", "a", "lambda"),
    ]
}

/// The seconds of a workload's changes that are more than ordinary.
const FOR_SOMEBODY: [&str; 3] = ["11", "21", "31"];

type Found = BTreeMap<String, Severity>;

/// Of two findings on one call the more severe one counts.
fn worst(sorts: impl Iterator<Item = String>) -> Found {
    let mut found = Found::new();
    for sort in sorts {
        let parts: Vec<&str> = sort.split('#').collect();
        let ["mark", time, _, "workload-write", severity] = parts[..] else { continue };
        let severity = severity.parse().unwrap();
        let known = found.entry(time[17..19].to_owned()).or_insert(severity);
        *known = severity.max(*known);
    }
    found
}

fn live(records: &[String], at_once: usize) -> (Found, String) {
    let (policy, world) = (policy(), InMemory::default());
    world.time.set(Time::parse("2026-03-10T02:01:00Z").unwrap().timestamp());
    let drift = DriftFunction::new(engine(&policy), LEASE, Canary::default());
    let plain: Vec<&str> = records.iter().map(String::as_str).collect();
    for batch in plain.chunks(at_once) {
        let faulty = FaultInjection::new(&world);
        run(&faulty, deliver(&faulty, &drift, batch)).unwrap();
    }
    let found = worst(world.observations.borrow().keys().map(|(_, sort)| sort.clone()));
    let messages: Vec<String> = world.sent.borrow().iter().map(|message| message.email.clone()).collect();
    (found, messages.join("\n").split_whitespace().collect::<Vec<_>>().join(" "))
}

fn replayed(records: &[String]) -> Found {
    worst(replay_records(records, &policy()).findings.iter().map(Mark::sort))
}

fn expected() -> Found {
    let all = ["09", "11", "12", "14", "21", "22", "31", "32"];
    let severity =
        |second: &&str| if FOR_SOMEBODY.contains(second) { Severity::Medium } else { Severity::Low };
    all.iter().map(|second| ((*second).to_owned(), severity(second))).collect()
}

#[test]
fn what_a_service_does_for_somebody_is_more_than_a_workloads_change() {
    assert_eq!(replayed(&records()), expected());
    let (found, messages) = live(&records(), 1);
    assert_eq!(found, expected());
    let reason = "`jon@example.com (Dev)` let the service act within the day before (ec2:RunInstances at \
                  2026-03-10T02:00:10Z)";
    assert!(messages.contains(reason), "{messages}");
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
