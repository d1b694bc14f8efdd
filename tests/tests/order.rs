//! Order and repeats make no difference: the same findings, incidents and alerts.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::missing_panics_doc,
    clippy::format_push_string,
    clippy::format_collect,
    reason = "a test may panic"
)]

use std::path::PathBuf;

use handsoff::input::{Place, Position, Sink, Source};
use handsoff::replay::{Options, Tally};
use handsoff_cloudtrail::{Entry, Record};
use handsoff_core::{Policy, ReportedRef};
use handsoff_tests::{busy_policy, corpus, each_record, root};
use proptest::prelude::*;

/// All that is reported of some records, in the order given.
fn reported(records: &[&str], policy: &Policy, threads: usize) -> String {
    let source = Source::stdin();
    let mut all = Tally::new(Options { keep_findings: true, keep_cases: true, ..Options::default() });
    for part in 0..threads {
        let mut tally = Tally::new(Options { keep_findings: true, keep_cases: true, ..Options::default() });
        let engine = handsoff_functions::engine(policy);
        let mut fast_path = engine.fast_path();
        let mut sink = tally.source((0, &source), &engine, &mut fast_path);
        let locate = || Position { offset: 0, line: 1, column: 1 };
        for text in records.iter().skip(part).step_by(threads) {
            let Ok((Entry::Record(record), _)) = Record::read(text) else { panic!("not a record: {text}") };
            sink.record(&record, &Place::new(&locate));
        }
        all.merge(tally);
    }
    let outcome = all.finish(policy);
    let mut told = String::new();
    for finding in outcome.findings.iter() {
        told += &serde_json::to_string(&finding.unwrap()).unwrap();
        told.push('\n');
    }
    for incident in &outcome.incidents {
        let lead = incident.lead().map(ReportedRef::event_id);
        told += &format!(
            "{} {} {:?} {:?} {:?}\n",
            incident.id,
            incident.count(),
            incident.severity(),
            incident.times(),
            lead
        );
        told += &format!("{:?} {:?}\n", incident.counts(), incident.actions());
    }
    for alert in outcome.alerts(policy) {
        told += &serde_json::to_string(&alert).unwrap();
        told.push('\n');
    }
    // Manifests among them, byte by byte.
    for file in outcome.cases.iter().flat_map(|case| &case.files) {
        told += &file.text;
    }
    told +=
        &format!("{:?} {:?} {}\n", outcome.counts.nothing, outcome.counts.findings, outcome.counts.distinct);
    told
}

/// Each record one to five times, in random order.
fn order_makes_no_difference(paths: &[PathBuf], seed: u64, threads: usize) {
    let mut records = Vec::new();
    each_record(paths, &mut |record| records.push(record.text.to_owned()));
    assert!(!records.is_empty(), "{paths:?}");
    let text = std::fs::read_to_string(root().join("events/handsoff.toml")).unwrap();
    for policy in [busy_policy(), Policy::parse("events/handsoff.toml", &text).unwrap()] {
        let plain: Vec<&str> = records.iter().map(String::as_str).collect();
        let once = reported(&plain, &policy, 1);
        let mut state = seed | 1;
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state >> 33).unwrap()
        };
        let mut shuffled: Vec<&str> =
            plain.iter().flat_map(|record| vec![*record; 1 + random() % 5]).collect();
        for index in (1..shuffled.len()).rev() {
            shuffled.swap(index, random() % (index + 1));
        }
        assert_eq!(reported(&shuffled, &policy, threads), once);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn shuffles_and_repeats_make_no_difference(seed in any::<u64>(), threads in 1usize..4) {
        order_makes_no_difference(&[root().join("events")], seed, threads);
    }

    #[test]
    #[cfg_attr(not(corpus), ignore = "needs the corpus of real records")]
    fn shuffles_and_repeats_of_real_records_make_no_difference(seed in any::<u64>(), threads in 1usize..4) {
        let sets = ["flaws-cloud-umccr", "suzaku-test-json", "traildiscover"];
        order_makes_no_difference(&sets.map(|set| corpus().join(set)), seed, threads);
    }
}

#[test]
fn the_reader_is_the_same_on_every_thread() {
    let folder = root().join("events");
    let policy = Policy::built_in();
    let one = handsoff_tests::replay(std::slice::from_ref(&folder), &policy, 1);
    let four = handsoff_tests::replay(std::slice::from_ref(&folder), &policy, 4);
    assert_eq!((&one.findings, &one.verdicts), (&four.findings, &four.verdicts));
    assert_eq!(one.counts, four.counts);
}
