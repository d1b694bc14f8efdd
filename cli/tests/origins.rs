//! Who a session is by another record of the same logs: the same whatever their order, files and threads.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::process::Command;

use serde_json::{Value, json};

const KEY: &str = "ASIA0123456789ABCDEF";

fn record(id: &str, time: &str, what: (&str, &str), identity: &Value, more: &Value) -> Value {
    let mut record = json!({"eventVersion": "1.11", "eventTime": time, "awsRegion": "eu-central-1",
        "eventSource": what.0, "eventName": what.1, "eventType": "AwsApiCall", "eventID": id,
        "recipientAccountId": "111122223333", "sourceIPAddress": "198.51.100.7", "userIdentity": identity});
    record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    record
}

/// A function's role, which Lambda took on and a person too, under the same session name.
fn logs() -> Vec<Value> {
    let session = |key: &str| {
        json!({"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/orders/orders",
            "accountId": "111122223333", "accessKeyId": key, "sessionContext": {
            "sessionIssuer": {"arn": "arn:aws:iam::111122223333:role/service-role/orders"},
            "attributes": {"creationDate": "2026-03-14T09:00:00Z"}}})
    };
    let taken = |key: &str| {
        json!({"requestParameters": {"roleArn": "arn:aws:iam::111122223333:role/service-role/orders",
            "roleSessionName": "orders"}, "responseElements": {"credentials": {"accessKeyId": key}}, "readOnly": true})
    };
    let lambda = json!({"type": "AWSService", "invokedBy": "lambda.amazonaws.com"});
    let person = json!({"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ana",
        "accountId": "111122223333", "userName": "ana"});
    let (sts, ec2) = ("sts.amazonaws.com", "ec2.amazonaws.com");
    let other = "ASIAFEDCBA9876543210";
    vec![
        record("took-1", "2026-03-14T09:00:00Z", (sts, "AssumeRole"), &lambda, &taken(KEY)),
        record("took-2", "2026-03-14T09:00:00Z", (sts, "AssumeRole"), &person, &taken(other)),
        record("code", "2026-03-14T10:00:00Z", (ec2, "CreateNetworkInterface"), &session(KEY), &json!({})),
        record("ana", "2026-03-14T10:00:01Z", (ec2, "CreateNetworkInterface"), &session(other), &json!({})),
    ]
}

fn handsoff(args: &[&str], path: &std::path::Path) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_handsoff")).args(args).arg(path).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_session_that_lambda_took_on_is_codes_and_a_persons_of_the_same_name_is_not() {
    for (backwards, since) in [(false, "2026-03-14T00:00:00Z"), (true, "2026-03-14T09:30:00Z")] {
        let folder = tempfile::tempdir().unwrap();
        for (place, record) in logs().iter().enumerate() {
            let place = if backwards { 9 - place } else { place };
            let path = folder.path().join(format!("{place}.jsonl"));
            std::fs::write(path, format!("{record}\n{record}\n")).unwrap();
        }
        // It may have begun before what is asked for.
        let text = handsoff(&["replay", "--format", "jsonl", "--since", since], folder.path());
        let findings: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let brief: Vec<[&str; 4]> = findings
            .iter()
            .map(|it| [&it["event_id"], &it["code"], &it["severity"], &it["principal"]["kind"]])
            .map(|parts| parts.map(|part| part.as_str().unwrap()))
            .collect();
        let wanted =
            [["code", "workload-write", "low", "workload"], ["ana", "drift-write", "medium", "unknown"]];
        assert_eq!(brief, wanted, "backwards: {backwards}");
    }
}

#[test]
fn explain_says_which_record_showed_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.jsonl");
    let text: Vec<String> = logs().iter().rev().map(Value::to_string).collect();
    std::fs::write(&path, text.join("\n")).unwrap();
    let code = handsoff(&["explain", "--event-id", "code"], &path);
    assert!(code.contains("origin  ") && code.contains("low workload-write"), "{code}");
    let ana = handsoff(&["explain", "--event-id", "ana"], &path);
    assert!(!ana.contains("another record shows") && ana.contains("medium drift-write"), "{ana}");
    let words = ana.split_whitespace().collect::<Vec<&str>>().join(" ");
    assert!(
        words.contains("origin ana (IAM user) assumed role orders as orders, from 198.51.100.7"),
        "{ana}"
    );
}
