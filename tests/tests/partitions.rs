//! The same records in every partition: what a sample gives in one, it gives in all, under the same policy.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::path::PathBuf;

use handsoff_core::{Finding, Policy};
use handsoff_tests::{replay, root};

/// ARN's partition, suffix of services, the global Region, and another one.
const PARTITIONS: [[&str; 4]; 5] = [
    ["aws-cn", "amazonaws.com.cn", "cn-north-1", "cn-northwest-1"],
    // Not all services have their names with the partition's suffix.
    ["aws-cn", "amazonaws.com", "cn-north-1", "cn-northwest-1"],
    ["aws-us-gov", "amazonaws.com", "us-gov-west-1", "us-gov-east-1"],
    ["aws-eusc", "amazonaws.eu", "eusc-de-east-1", "eusc-de-east-1"],
    ["aws-iso", "c2s.ic.gov", "us-iso-east-1", "us-iso-west-1"],
];

fn policy() -> Policy {
    let text = std::fs::read_to_string(root().join("events/handsoff.toml")).unwrap();
    Policy::parse("events/handsoff.toml", &text).unwrap()
}

fn samples() -> Vec<PathBuf> {
    let mut samples: Vec<PathBuf> =
        std::fs::read_dir(root().join("events")).unwrap().map(|entry| entry.unwrap().path()).collect();
    samples.retain(|path| path.extension().is_some_and(|it| it != "toml"));
    samples.sort();
    samples
}

/// The record of a commercial account as another partition would have it.
fn moved(text: &str, [id, suffix, global, other]: [&str; 4]) -> String {
    let mut text = text.replace("arn:aws:", &format!("arn:{id}:")).replace("amazonaws.com", suffix);
    for (from, to) in
        [("us-east-1", global), ("us-east-2", other), ("eu-central-1", other), ("eu-north-1", other)]
    {
        text = text.replace(from, to);
    }
    text
}

/// What a finding says, with all the names that differ from partition to partition.
fn verdict(finding: &Finding) -> String {
    let Finding { event_id, code, severity, action, access, principal, mfa, via, resources, .. } = finding;
    format!("{event_id} {code} {severity:?} {action} {access} {principal:?} {mfa:?} {via} {resources:?}")
}

fn verdicts(path: &PathBuf) -> Vec<String> {
    let outcome = replay(std::slice::from_ref(path), &policy(), 1);
    assert!(
        outcome.problems.is_empty() && outcome.counts.distinct > 0,
        "{} {:?}",
        path.display(),
        outcome.problems
    );
    let mut verdicts: Vec<String> = outcome.findings.iter().map(verdict).collect();
    // They are about an entry of the policy, which is the same everywhere.
    verdicts.extend(outcome.verdicts.iter().map(|verdict| verdict.code.to_string()));
    verdicts.sort();
    verdicts
}

#[test]
fn a_sample_gives_the_same_in_every_partition() {
    let folder = std::env::temp_dir().join(format!("handsoff-partitions-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut compared = 0;
    for sample in samples() {
        let text = std::fs::read_to_string(&sample).unwrap();
        // What services send themselves is no record, and is named by the same hosts everywhere.
        let is_service_event = |text: &str| {
            text.contains("State Change\"")
                || text.contains("State-change")
                || text.contains("Status Change\"")
        };
        if is_service_event(&text) {
            continue;
        }
        let expected = verdicts(&sample);
        for partition in PARTITIONS {
            let there = folder.join(sample.file_name().unwrap());
            std::fs::write(&there, moved(&text, partition)).unwrap();
            let expected: Vec<String> = expected.iter().map(|verdict| moved(verdict, partition)).collect();
            assert_eq!(verdicts(&there), expected, "{sample:?} in {partition:?}");
            compared += expected.len();
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(compared > 100, "only {compared} findings were compared");
}

/// One policy for all: what acts in another account is somebody else in every partition.
#[test]
fn a_role_of_the_same_name_in_another_account_is_nobody() {
    let sample = root().join("events/nothing.deploy-role.json");
    let text = std::fs::read_to_string(&sample).unwrap();
    assert!(verdicts(&sample).is_empty());
    let folder = std::env::temp_dir().join(format!("handsoff-elsewhere-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for partition in PARTITIONS {
        let there = folder.join("elsewhere.json");
        let own = r#""recipientAccountId": "111122223333""#;
        assert!(text.contains(own));
        let elsewhere = text.replace("111122223333", "999999999999");
        let elsewhere = elsewhere.replace(r#""recipientAccountId": "999999999999""#, own);
        std::fs::write(&there, moved(&elsewhere, partition)).unwrap();
        assert_eq!(verdicts(&there).len(), 1, "{partition:?}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
