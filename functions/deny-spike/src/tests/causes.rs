//! The metric of denied calls, by their causes.

use handsoff_runtime::{Metric, Report};
use handsoff_testing::in_memory::InMemory;

use super::*;

fn call(n: i64, with: &str) -> Undecided {
    let time = Time::from_timestamp(1_772_000_000 + n);
    let json = record("s3:PutObject", user("a")).id(n).at(time).with(with).to_string();
    let policy = Policy::built_in();
    classified(&json, &policy, |_, call| undecided(call, &policy))
}

fn said(end: &str) -> String {
    format!(
        r#"{DENIED},"errorMessage":"User: arn:aws:iam::111122223333:user/a is not authorized to perform: s3:PutObject{end}""#
    )
}

/// What was counted of calls that come in batches of a size, and all again.
fn counted(calls: &[Undecided], batch: usize) -> Report {
    let (world, policy) = (InMemory::default(), Policy::built_in());
    let mut report = Report::default();
    for own in calls.chunks(batch).chain(calls.chunks(batch)) {
        let found = live::found(&world, &policy, own.to_vec(), &mut report);
        futures_util::FutureExt::now_or_never(found).unwrap().unwrap();
    }
    report
}

#[test]
fn each_denied_call_counts_once_by_its_cause_and_what_failed_otherwise_nowhere() {
    let calls = [
        call(1, &said(" with an explicit deny in a service control policy")),
        call(2, &said(" because no identity-based policy allows the s3:PutObject action")),
        call(3, &said(" with an explicit deny in a service control policy")),
        call(4, DENIED),
        call(5, r#","errorCode":"ExpiredToken""#),
        call(6, r#","errorCode":"Client.DryRunOperation""#),
    ];
    let mut groups: std::collections::BTreeMap<&str, Vec<Undecided>> = std::collections::BTreeMap::new();
    for one in &calls {
        groups.entry(&one.group).or_default().push(one.clone());
    }
    let mut all = Report::default();
    for own in groups.values() {
        all.merge(&counted(own, 2));
    }
    let sums: Vec<(Metric, f64)> = all.stats().map(|(metric, stat)| (metric, stat.sum)).collect();
    let expected = [
        (cause::PolicyType::Identity.as_str(), 1.0),
        (cause::NOT_AUTHENTICATED, 1.0),
        (cause::PolicyType::ServiceControl.as_str(), 2.0),
        (cause::UNKNOWN, 1.0),
    ];
    assert_eq!(sums, expected.map(|(cause, sum)| (Metric::DeniedCalls(cause), sum)));
    assert!(all.stats().all(|(metric, _)| metric.is_sent_as_a_whole()));
}

/// A storm's calls are counted, though not all are remembered.
#[test]
fn a_storm_is_counted_whole() {
    let calls: Vec<Undecided> = (0..1100).map(|n| call(n / 100, DENIED)).collect();
    let calls: Vec<Undecided> = (0..)
        .zip(calls)
        .map(|(key, mut one)| {
            one.finding.key = handsoff_core::Key(key);
            one
        })
        .collect();
    let (world, policy) = (InMemory::default(), Policy::built_in());
    let mut report = Report::default();
    for own in calls.chunks(50) {
        let found = live::found(&world, &policy, own.to_vec(), &mut report);
        futures_util::FutureExt::now_or_never(found).unwrap().unwrap();
    }
    assert!((report.sum(Metric::DeniedCalls(cause::UNKNOWN)) - 1100.0).abs() < 0.1);
}

#[test]
fn the_page_of_metrics_has_all_causes_and_they_are_ten() {
    let page = include_str!("../../../../docs/metrics.md").replace('\n', " ");
    let names: std::collections::BTreeSet<&str> = cause::names().collect();
    assert_eq!(names.len(), 10);
    for name in names {
        assert!(page.contains(&format!("`{name}`")), "{name}");
    }
}
