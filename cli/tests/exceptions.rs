//! Exceptions, in the replay of a scanner's night: what they cover, and what is said of them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::path::Path;
use std::process::Command;

use serde_json::json;

const POLICY: &str = r#"[[exception]]
identity = "arn:aws:iam::*:role/scanner"
denials = true
owner = "sec@example.com"
reason = "nightly scan"
until = 2026-03-20

[[exception]]
identity = "arn:aws:iam::*:role/nobody"
actions = ["glue:StartJobRun"]
owner = "data@example.com"
reason = "by hand"
until = 2026-12-31
"#;

/// Denied calls of a role, each twice: ten different ones within as many seconds.
fn denied(role: &str, name: &str) -> String {
    let lines = (0..10).map(|n| {
        let record = json!({"eventVersion": "1.11", "eventTime": format!("2026-03-14T02:00:{n:02}Z"),
            "awsRegion": "eu-central-1", "eventSource": "ec2.amazonaws.com", "eventName": format!("{name}Thing{n}"),
            "eventType": "AwsApiCall", "eventID": format!("{role}-{name}-{n}"), "errorCode": "AccessDenied",
            "recipientAccountId": "111122223333", "sourceIPAddress": "198.51.100.7", "userIdentity": {
            "type": "AssumedRole", "arn": format!("arn:aws:sts::111122223333:assumed-role/{role}/scan"),
            "accountId": "111122223333"}});
        format!("{record}\n{record}\n")
    });
    lines.collect()
}

fn handsoff(folder: &Path, args: &[&str]) -> (String, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_handsoff")).current_dir(folder).args(args).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr))
}

fn folder(policy: &str, logs: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("handsoff.toml"), policy).unwrap();
    std::fs::write(folder.path().join("logs.jsonl"), logs).unwrap();
    folder
}

#[test]
fn a_scanners_denied_reads_are_excepted_and_counted_once() {
    let logs = denied("scanner", "Describe");
    let without = folder("", &logs);
    let (findings, _) = handsoff(without.path(), &["replay", "logs.jsonl", "--format", "jsonl"]);
    assert_eq!(findings.matches("deny-probing").count(), 10, "{findings}");
    let with = folder(POLICY, &logs);
    let (findings, summary) = handsoff(with.path(), &["replay", "logs.jsonl", "--format", "jsonl"]);
    assert_eq!(findings, "");
    let words: Vec<&str> = summary.split_whitespace().collect();
    let told = words.join(" ");
    let wanted = "2 exceptions in the policy handsoff.toml:1 [[exception]]: 10 denied calls; ends in 6 days, 2026-03-20; \
                  owner sec@example.com: nightly scan handsoff.toml:8 [[exception]]: matched nothing; until 2026-12-31; \
                  owner data@example.com: by hand";
    assert!(told.ends_with(wanted), "{summary}");
}

#[test]
fn who_steals_a_scanners_credentials_is_not_hidden_by_its_exception() {
    let folder = folder(POLICY, &(denied("scanner", "Describe") + &denied("scanner", "Create")));
    let (findings, _) = handsoff(folder.path(), &["replay", "logs.jsonl", "--format", "jsonl"]);
    assert_eq!(findings.matches("deny-probing").count(), 10, "{findings}");
    assert_eq!(findings.matches("ec2:CreateThing").count(), 10, "{findings}");
}

#[test]
fn explain_names_the_exception_of_a_denied_call() {
    let folder = folder(POLICY, &denied("scanner", "Describe"));
    let (text, _) = handsoff(folder.path(), &["explain", "logs.jsonl", "--event-id", "scanner-Describe-3"]);
    assert!(text.contains("handsoff.toml:1 [[exception]], owner sec@example.com: nightly scan"), "{text}");
    assert!(text.contains("nothing to report (excepted)"), "{text}");
}

#[test]
fn policy_check_says_what_is_over_too_broad_and_idle() {
    let policy = POLICY.replace("glue:StartJobRun", "iam:*").replace("2026-12-31", "2020-01-31");
    let logs = denied("scanner", "Create");
    let (told, _) = handsoff(folder(&policy, &logs).path(), &["policy", "check", "--logs", "logs.jsonl"]);
    let over = "handsoff.toml:8 [[exception]]: expired since 2020-01-31; owner data@example.com: remove it, or agree";
    assert!(told.contains(over), "{told}");
    let broad = "handsoff.toml:8 [[exception]]: `iam:*` of `actions` covers severe changes, such as `iam:";
    assert!(told.contains(broad), "{told}");
    // Its identity is in the logs, and not one call that it covers.
    assert!(told.contains("handsoff.toml:1 [[exception]]: covers no call in these logs"), "{told}");
    assert!(!told.contains("handsoff.toml:8 [[exception]]: covers no call"), "said already: {told}");
    let named = folder(&POLICY.replace("glue:StartJobRun", "iam:CreateUser"), "");
    let (told, _) = handsoff(named.path(), &["policy", "check"]);
    assert!(!told.contains("covers severe changes"), "who names it means it: {told}");
}
