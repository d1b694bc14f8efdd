//! What is skimmed is what would be judged, on generated records.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::format_push_string,
    reason = "a test may panic"
)]

use std::collections::BTreeMap;
use std::io::Write;

use handsoff::engine::{self, Verdict};
use handsoff_cloudtrail::{Entry, Record};
use handsoff_core::origins::Origins;
use handsoff_core::{Nothing, Policy, Skim};
use handsoff_tests::generated;

/// How many records the benchmark's generator makes; each is tried as it is and changed, under each policy.
const RECORDS: u64 = 175_000;

/// Judges a record that was skimmed: it must lead to nothing, for the same reason.
fn compare(skim: &mut Skim<'_>, policy: &Policy, json: &str, seen: &mut BTreeMap<Option<Nothing>, u64>) {
    let Ok((Entry::Record(record), _)) = Record::read(json) else { panic!("no record: {json}") };
    let nothing = skim.nothing(&record);
    *seen.entry(nothing).or_default() += 1;
    if let Some(nothing) = nothing {
        match engine::judge(record, policy, &Origins::default(), &mut ()) {
            Verdict::Nothing(judged) => assert_eq!(judged, nothing, "{json}"),
            other => panic!("skimmed as {nothing}, but {other:?}: {json}"),
        }
    }
}

#[test]
fn what_is_skimmed_of_generated_records_is_what_would_be_judged() {
    let policies = generated::policies();
    let mut skims: Vec<Skim<'_>> = policies.iter().map(Skim::new).collect();
    let mut seen: Vec<BTreeMap<Option<Nothing>, u64>> = vec![BTreeMap::new(); policies.len()];
    generated::each_record(RECORDS, 1, &mut |json| {
        for ((policy, skim), seen) in policies.iter().zip(&mut skims).zip(&mut seen) {
            compare(skim, policy, json, seen);
        }
    });
    let all: u64 = seen.iter().flat_map(BTreeMap::values).sum();
    // Not by `println!`, which the test runner keeps to itself.
    let _ = writeln!(std::io::stderr(), "{all} records compared: {seen:?}");
    assert!(all > 1_000_000, "{all}");
    // So few of one would say little.
    let count = |policy: usize, nothing| seen[policy].get(&nothing).copied().unwrap_or_default();
    for policy in 0..policies.len() {
        for nothing in [Some(Nothing::Read), Some(Nothing::Service), None] {
            assert!(count(policy, nothing) > 5_000, "{nothing:?} under policy {policy}: {seen:?}");
        }
    }
    assert!(count(1, Some(Nothing::Expected)) > 5_000, "{seen:?}");
}
