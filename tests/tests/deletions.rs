//! How much a deploy role deletes: the functions count what a replay counts, whichever record comes first and however often.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::BTreeSet;

use handsoff_core::Policy;
use handsoff_runtime::Mark;
use handsoff_tests::sessions::{record, session};
use handsoff_tests::{drift, replay_records};
use proptest::prelude::*;

fn policy() -> Policy {
    let text = "[[deploy]]\nidentity = \"arn:aws:iam::*:role/deploy\"\ndeletions = 4\n";
    Policy::parse("handsoff.toml", text).unwrap()
}

fn deletes(second: u32, run: &'static str, action: &str, name: &str) -> String {
    let rest = format!(r#""requestParameters":{{"tableName":"{name}"}},"#);
    record(second, &session(("deploy", run, "ASIAD")), action, &rest)
}

/// So many tables that two runs delete, some twice, and fewer queues.
fn records(tables: u32) -> Vec<String> {
    let name = |n: u32| format!("t{n}");
    let mut all: Vec<String> = (0..tables)
        .map(|n| deletes(10 + n, ["run-1", "run-2"][n as usize % 2], "dynamodb:DeleteTable", &name(n)))
        .collect();
    all.extend((0..3).map(|n| deletes(30 + n, "run-1", "dynamodb:DeleteTable", "t1")));
    all.extend((0..4).map(|n| deletes(40 + n, "run-1", "sqs:DeleteQueue", &name(n))));
    all
}

/// Findings and their incidents: of what is deleted nothing else is reported.
type Found = BTreeSet<(String, String)>;

fn live(records: &[String], at_once: usize) -> (Found, usize) {
    let (policy, world) = (policy(), drift::world_at("2026-03-10T02:01:00Z"));
    let process = drift::function(&policy);
    for batch in records.chunks(at_once) {
        drift::bring(&world, &process, batch);
    }
    let keys = world.observations.borrow().keys().filter(|key| key.1.starts_with("mark#")).cloned().collect();
    (keys, world.sent.borrow().len())
}

fn replayed(records: &[String]) -> Found {
    let findings = replay_records(records, &policy()).findings;
    findings.iter().map(|finding| (finding.incident.clone(), Mark::sort(finding))).collect()
}

#[test]
fn one_too_many_is_one_message() {
    assert_eq!((replayed(&records(4)).len(), live(&records(4), 3)), (0, (Found::new(), 0)));
    let found = replayed(&records(5));
    assert_eq!(found.len(), 1);
    assert!(found.first().unwrap().1.contains("deploy-out-of-bounds"), "{found:?}");
    assert_eq!(live(&records(5), 3), (found, 1));
    assert_eq!(live(&records(20), 1).1, 1, "and no more than one");
}

/// Objects that a person deletes, one a second.
fn objects() -> Vec<String> {
    let who = session(("AWSReservedSSO_Dev_0123456789abcdef", "jon@example.com", "ASIAJON"));
    let object = |second: u32| {
        let rest = format!(r#""requestParameters":{{"bucketName":"b","key":"k{second}"}},"#);
        let data = record(second, &who, "s3:DeleteObject", &rest);
        data.replace(r#""managementEvent":true"#, r#""managementEvent":false"#)
    };
    (0..60).map(object).collect()
}

#[test]
fn what_a_person_deletes_is_one_message_beside_the_digest() {
    let found = replayed(&objects());
    assert_eq!(found.iter().filter(|(_, sort)| sort.contains("mass-deletion")).count(), 1, "{found:?}");
    assert_eq!((found.len(), live(&objects(), 7)), (61, (found, 1)));
    assert_eq!(live(&objects()[..50], 7).1, 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn neither_do_they_of_a_persons(
        order in Just([objects(), objects()].concat()).prop_shuffle(),
        at_once in 1..30_usize,
    ) {
        prop_assert_eq!(live(&order, at_once), (replayed(&order), 1));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn neither_order_nor_repeats_make_a_difference(
        order in Just([records(6), records(6)].concat()).prop_shuffle(),
        at_once in 1..8_usize,
    ) {
        let found = replayed(&order);
        prop_assert_eq!(found.len(), 1);
        prop_assert_eq!(live(&order, at_once), (found, 1));
    }
}
