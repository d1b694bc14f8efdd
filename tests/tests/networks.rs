//! Where long-lived keys are used from: the functions report what a replay reports, in whatever order the records of a day come.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::BTreeMap;

use handsoff_core::Policy;
use handsoff_testing::in_memory::InMemory;
use handsoff_testing::records::{record, user};
use handsoff_tests::{drift, replay_records};
use proptest::prelude::*;

fn policy() -> Policy {
    Policy::parse("handsoff.toml", "[[deploy]]\nidentity = \"arn:aws:iam::*:user/ci\"\n").unwrap()
}

fn used(day: u32, n: u32, (name, action): (&str, &str), address: &str) -> String {
    let identity = user(name).replacen('{', &format!(r#"{{"accessKeyId":"AKIA{name}","#), 1);
    let time = format!("2026-03-{day:02}T09:{n:02}:00Z");
    let asked = format!(r#","requestParameters":{{"name":"{n}"}}"#);
    record(action, identity)
        .id(format!("{day}-{n}-{name}-{address}"))
        .at(time)
        .from(address, "x")
        .with(&asked)
        .to_string()
}

const CI: (&str, &str) = ("ci", "ecs:TagResource");
const OFFICE: &str = "203.0.113.7";

/// The pipeline's key, which somebody else uses on the third day, and a person's, which has moved.
fn days() -> Vec<Vec<String>> {
    let day = |day: u32| (0..6).map(|n| used(day, n, CI, OFFICE)).collect::<Vec<_>>();
    let (mut second, mut third) = (day(2), day(3));
    second.push(used(2, 10, ("jon", "ecs:TagResource"), OFFICE));
    third.extend((20..24).map(|n| used(3, n, CI, "198.51.100.9")));
    third.push(used(3, 30, ("ci", "iam:CreateAccessKey"), "198.51.100.9"));
    let mut fourth = day(4);
    fourth.push(used(4, 10, ("jon", "ecs:TagResource"), "192.0.2.9"));
    fourth.push(used(4, 11, CI, "198.51.100.9"));
    vec![day(1), second, third, fourth]
}

/// Incidents with findings on where keys were used from, one for each. Their own call is the first that came.
type Found = BTreeMap<String, usize>;

fn live(days: &[Vec<String>], at_once: usize, functions: usize) -> (Found, usize) {
    let (policy, world) = (policy(), InMemory::default());
    let processes: Vec<_> = (0..functions).map(|_| drift::function(&policy)).collect();
    for (n, day) in days.iter().enumerate() {
        drift::set(&world, &format!("2026-03-{:02}T10:00:00Z", n + 1));
        for (n, batch) in day.chunks(at_once).enumerate() {
            drift::bring(&world, &processes[n % functions], batch);
        }
    }
    let keys = world.observations.borrow();
    let keys = keys.keys().filter(|(_, sort)| sort.starts_with("mark#") && sort.contains("long-lived-key"));
    let written =
        world.observations.borrow().keys().filter(|(partition, _)| partition.starts_with("key-use#")).count();
    (counted(keys.map(|(incident, _)| incident.clone())), written)
}

fn counted(incidents: impl Iterator<Item = String>) -> Found {
    let mut found = Found::new();
    incidents.for_each(|incident| *found.entry(incident).or_default() += 1);
    found
}

fn replayed(records: &[Vec<String>]) -> Found {
    let findings = replay_records(&records.concat(), &policy()).findings;
    let of_keys = findings.iter().filter(|finding| finding.reason.contains("was used from"));
    counted(of_keys.map(|finding| finding.incident.clone()))
}

#[test]
fn a_new_network_is_found_once() {
    let found = replayed(&days());
    assert_eq!(found.len(), 2, "the pipeline's and the person's: {found:?}");
    // Two networks of the pipeline's key on four days, and two days of the person's.
    assert_eq!(live(&days(), 4, 1), (found, 8));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn neither_order_nor_repeats_make_a_difference(
        days in days().into_iter().map(|day| Just([day.clone(), day].concat()).prop_shuffle()).collect::<Vec<_>>(),
        at_once in 1..8_usize,
        functions in 1..4_usize,
    ) {
        prop_assert_eq!(live(&days, at_once, functions), (replayed(&days), 8));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    /// Of days that come in the wrong order more may be reported, for what was reported can't be taken back; and nothing less.
    #[test]
    fn nothing_is_missed_whatever_comes_late(
        order in Just(days().concat()).prop_shuffle(),
        at_once in 1..8_usize,
        functions in 1..4_usize,
    ) {
        let (found, _) = live(std::slice::from_ref(&order), at_once, functions);
        for (incident, _) in replayed(&[order]) {
            prop_assert!(found.contains_key(&incident), "{incident} {found:?}");
        }
    }
}
