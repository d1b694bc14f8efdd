//! What the fast path says is what would be judged, on generated records.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::format_push_string,
    reason = "a test may panic"
)]

use handsoff_core::Trace;
use std::collections::BTreeMap;
use std::io::Write;

use handsoff_cloudtrail::{Entry, Record};
use handsoff_core::origins::Origins;
use handsoff_core::{Disposition, Engine, FastPath, Verdict};
use handsoff_tests::generated;

/// How many records the benchmark's generator makes; each is tried as it is and changed, under each policy.
const RECORDS: u64 = 175_000;

/// Judges a record that the fast path knows: it must lead to nothing, for the same reason.
fn compare(
    fast_path: &mut FastPath<'_>,
    engine: &Engine<'_>,
    json: &str,
    seen: &mut BTreeMap<Option<Disposition>, u64>,
) {
    let Ok((Entry::Record(record), _)) = Record::read(json) else { panic!("no record: {json}") };
    let nothing = fast_path.disposition(&record);
    *seen.entry(nothing).or_default() += 1;
    if let Some(nothing) = nothing {
        let call = engine.classify(record, &Origins::default(), &mut Trace::off());
        match engine.judge(&call, &mut Trace::off()) {
            Verdict::Nothing(judged) => assert_eq!(judged, nothing, "{json}"),
            other => panic!("by the fast path {nothing}, but {other:?}: {json}"),
        }
    }
}

#[test]
fn what_the_fast_path_says_of_generated_records_is_what_would_be_judged() {
    let policies = generated::policies();
    let engines: Vec<Engine<'_>> = policies.iter().map(handsoff_functions::engine).collect();
    let mut fast_paths: Vec<FastPath<'_>> = engines.iter().map(Engine::fast_path).collect();
    let mut seen: Vec<BTreeMap<Option<Disposition>, u64>> = vec![BTreeMap::new(); policies.len()];
    generated::each_record(RECORDS, 1, &mut |json| {
        for ((engine, fast_path), seen) in engines.iter().zip(&mut fast_paths).zip(&mut seen) {
            compare(fast_path, engine, json, seen);
        }
    });
    let all: u64 = seen.iter().flat_map(BTreeMap::values).sum();
    // Not by `println!`, which the test runner keeps to itself.
    let _ = writeln!(std::io::stderr(), "{all} records compared: {seen:?}");
    assert!(all > 1_000_000, "{all}");
    // So few of one would say little.
    let count = |policy: usize, nothing| seen[policy].get(&nothing).copied().unwrap_or_default();
    for policy in 0..policies.len() {
        for nothing in [Some(Disposition::Read), Some(Disposition::Service), None] {
            assert!(count(policy, nothing) > 5_000, "{nothing:?} under policy {policy}: {seen:?}");
        }
    }
    assert!(count(1, Some(Disposition::Expected)) > 5_000, "{seen:?}");
}
