//! Each message tells what was known at its time: the records up to then give the same message.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::missing_panics_doc,
    reason = "a test may panic"
)]

use std::collections::{BTreeMap, BTreeSet};

use handsoff::input::find;
use handsoff::replay::{self, Options};
use handsoff_cloudtrail::Time;
use handsoff_core::Policy;
use handsoff_core::alert::{Alert, Cause, Milestone};
use handsoff_tests::{busy_policy, corpus, deliveries, root};
use proptest::prelude::*;
use serde_json::Value;

/// A record, or a grant's event, by its time.
type Delivered = (Option<Time>, String);

fn delivered(text: String) -> Delivered {
    let value: Value = serde_json::from_str(&text).unwrap();
    let time = value["eventTime"].as_str().or_else(|| value["time"].as_str());
    (time.and_then(Time::parse), text)
}

/// What a replay of these would have sent.
fn sent<'t>(texts: impl IntoIterator<Item = &'t str>, policy: &Policy) -> Vec<Alert> {
    let folder = tempfile::tempdir().unwrap();
    let lines: Vec<&str> = texts.into_iter().collect();
    std::fs::write(folder.path().join("a.jsonl"), lines.join("\n")).unwrap();
    let options = Options { keep_cases: true, ..Options::default() };
    let sources = find(&[folder.path().to_owned()]).sources;
    replay::judge(&sources, policy, options, 1, &|_| {}).0.finish(policy).alerts(policy)
}

/// The times in a line of a message.
fn times(line: &str) -> impl Iterator<Item = Time> {
    let places = 0..line.len().saturating_sub("2026-03-14T02:00:00Z".len() - 1);
    places.filter_map(|at| line.get(at..at + 20)).filter_map(Time::parse)
}

/// A record that says nothing but that the logs go on.
fn nothing(at: Time) -> String {
    format!(
        r#"{{"eventID":"nothing","eventTime":"{at}","eventSource":"kms.amazonaws.com","eventName":"Decrypt","#
    ) + r#""readOnly":true,"userIdentity":{"type":"AWSService","invokedBy":"kms.amazonaws.com"}}"#
}

/// Compares a message with those that the records up to its time give. Whether it is the very same as one of them.
fn holds(alert: &Alert, all: &[Delivered], policy: &Policy) -> bool {
    let at = alert.at.unwrap();
    for line in alert.text.lines() {
        // What was planned then may lie ahead.
        if !(line.starts_with("until ") || line.starts_with("approved ")) {
            assert!(times(line).all(|time| time <= at), "sent at {at}: {line}\n{}", alert.text);
        }
    }
    // Logs that go on until then: what ended by then is over.
    let nothing = nothing(at);
    let by_then = all.iter().filter(|(time, _)| *time <= Some(at)).map(|(_, text)| text.as_str());
    let told = sent(by_then.chain([nothing.as_str()]), policy);
    let of_incident = || told.iter().filter(|other| other.incident == alert.incident && other.at <= alert.at);
    if of_incident().any(|other| other == alert) {
        return true;
    }
    // No more than was known, if not all of it.
    assert!(of_incident().any(|other| other.findings >= alert.findings), "{alert:#?}\n{told:#?}");
    assert!(of_incident().any(|other| other.severity >= alert.severity), "{alert:#?}\n{told:#?}");
    let tells: BTreeSet<Milestone> = of_incident().flat_map(|other| other.tells.clone()).collect();
    assert!(alert.tells.is_subset(&tells), "{alert:#?}\n{told:#?}");
    false
}

/// Says how many messages of each cause are the very same, and how many say less than was known: a verdict that a later
/// call makes another (a spike that becomes probing, a session whose later calls are overdue themselves) is reported as
/// that alone.
fn all_hold(texts: Vec<String>, policy: &Policy) -> (BTreeMap<&'static str, usize>, usize) {
    let mut all: Vec<Delivered> = texts.into_iter().map(delivered).collect();
    let last = all.iter().filter_map(|(time, _)| *time).max().unwrap();
    all.push(delivered(nothing(last + handsoff_cloudtrail::TimeDelta::days(1))));
    let (mut same, mut less) = (BTreeMap::new(), 0);
    for alert in sent(all.iter().map(|(_, text)| text.as_str()), policy) {
        if alert.at.is_none() {
            continue;
        }
        if holds(&alert, &all, policy) {
            *same.entry(alert.cause.as_str()).or_insert(0) += 1;
        } else {
            less += 1;
        }
    }
    (same, less)
}

#[test]
fn the_samples_messages_say_what_was_known_by_then() {
    let text = std::fs::read_to_string(root().join("events/handsoff.toml")).unwrap();
    let policy = Policy::parse("handsoff.toml", &text).unwrap();
    let (same, less) = all_hold(deliveries(&[root().join("events")]), &policy);
    println!("{same:?}, and {less} say less");
    for cause in [Cause::Opened, Cause::Worse, Cause::Closed] {
        assert!(same[cause.as_str()] > 5, "{same:?}");
    }
    assert_eq!(less, 0);
}

#[test]
#[cfg_attr(not(corpus), ignore = "needs the corpus of real records")]
fn the_corpus_messages_say_what_was_known_by_then() {
    let mut records = deliveries(&[corpus().join("traildiscover")]);
    records.truncate(150);
    let (same, less) = all_hold(records, &busy_policy());
    println!("{same:?}, and {less} say less");
    assert!(same.values().sum::<usize>() > 20, "{same:?}");
    assert_eq!(less, 0);
}

/// A call of somebody at a second of a night, refused or not.
fn record((number, second, who, what): (usize, i64, usize, usize)) -> String {
    let time = Time::from_timestamp(1_773_446_400 + second);
    let (source, name, error) = [
        ("ec2", "RunInstances", None),
        ("ec2", "StopInstances", None),
        ("iam", "CreateAccessKey", None),
        ("cloudtrail", "StopLogging", None),
        ("s3", "PutObject", Some("AccessDenied")),
        ("iam", "ListUsers", Some("AccessDenied")),
        ("ec2", "DescribeInstances", None),
    ][what];
    let account = "111122223333";
    let arn = |name: &str| format!("arn:aws:iam::{account}:{name}");
    let identity = match who {
        0 => {
            serde_json::json!({"type": "IAMUser", "arn": arn("user/a"), "userName": "a", "accountId": account})
        }
        1 => serde_json::json!({"type": "Root", "arn": arn("root"), "accountId": account,
            "sessionContext": {"attributes": {"creationDate": "2026-03-14T00:00:00Z", "mfaAuthenticated": "false"}}}),
        _ => serde_json::json!({"type": "AssumedRole", "accountId": account,
            "arn": format!("arn:aws:sts::{account}:assumed-role/eg-vault/noor-{}", 90 + second % 2),
            "sessionContext": {"sessionIssuer": {"arn": arn("role/eg-vault"), "userName": "eg-vault"},
            "attributes": {"creationDate": "2026-03-14T00:00:00Z", "mfaAuthenticated": (second % 2 == 0).to_string()}}}),
    };
    let mut record = serde_json::json!({"eventVersion": "1.11", "eventID": number.to_string(), "eventTime": time.to_string(),
        "eventSource": format!("{source}.amazonaws.com"), "eventName": name, "awsRegion": "eu-central-1",
        "readOnly": name.starts_with("Describe"), "recipientAccountId": account, "userIdentity": identity});
    if let Some(error) = error {
        record["errorCode"] = error.into();
    }
    record.to_string()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn messages_of_any_night_say_what_was_known_by_then(
        calls in prop::collection::vec((0i64..30_000, 0usize..3, 0usize..7), 20..90),
        bursts in prop::collection::vec((0i64..30_000, 0usize..3, 4usize..6), 0..3),
    ) {
        let text = std::fs::read_to_string(root().join("events/handsoff.toml")).unwrap();
        let policy = Policy::parse("handsoff.toml", &text).unwrap();
        let burst = |(second, who, what): &(i64, usize, usize)| {
            let (second, who, what) = (*second, *who, *what);
            (0..25).map(move |n| (second + n, who, what))
        };
        let all = calls.iter().copied().chain(bursts.iter().flat_map(burst));
        let records = all.enumerate().map(|(number, (second, who, what))| record((number, second, who, what)));
        let (same, less) = all_hold(records.collect(), &policy);
        let same: usize = same.values().sum();
        prop_assert!(same > less && same > 1, "{} the same, {} say less", same, less);
    }
}
