//! One click is one line: what the console makes of a click, and a stack of the call that began it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::process::Command;

use serde_json::{Value, json};

/// A call of a person's session: second of the hour, service, name, from where. What a stack does comes by CloudFormation.
fn call(second: u32, service: &str, name: &str, by: Option<&str>) -> Value {
    let from = by.unwrap_or("198.51.100.7");
    let agent = by.unwrap_or("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15");
    let mut record = json!({"eventVersion": "1.11", "eventTime": format!("2026-03-14T02:{:02}:{:02}Z", second / 60, second % 60),
        "awsRegion": "eu-central-1", "eventSource": format!("{service}.amazonaws.com"), "eventName": name,
        "eventType": "AwsApiCall", "eventID": format!("{second}-{name}"), "recipientAccountId": "111122223333",
        "sourceIPAddress": from, "userAgent": agent, "userIdentity": {
        "type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/Operator/dana@example.com",
        "accountId": "111122223333", "sessionContext": {"sessionIssuer": {"type": "Role",
        "arn": "arn:aws:iam::111122223333:role/Operator", "userName": "Operator"},
        "attributes": {"creationDate": "2026-03-14T01:55:00Z", "mfaAuthenticated": "true"}}}});
    match by {
        Some(service) => record["userIdentity"]["invokedBy"] = service.into(),
        None => record["sessionCredentialFromConsole"] = "true".into(),
    }
    record
}

#[test]
fn a_click_and_a_stack_are_a_line_each_and_programs_get_each_call() {
    let stack = Some("cloudformation.amazonaws.com");
    let records = [
        call(10, "ec2", "CreateSecurityGroup", None),
        call(11, "ec2", "CreateTags", None),
        call(11, "ec2", "RunInstances", None),
        call(300, "cloudformation", "CreateStack", None),
        call(310, "ec2", "CreateVpc", stack),
        call(340, "ec2", "CreateSubnet", stack),
        call(341, "ec2", "CreateSubnet", stack),
        call(400, "iam", "CreateRole", stack),
    ];
    let folder = tempfile::tempdir().unwrap();
    let lines: Vec<String> = records.iter().map(Value::to_string).collect();
    std::fs::write(folder.path().join("logs.jsonl"), lines.join("\n")).unwrap();
    let handsoff = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_handsoff"));
        let output =
            command.current_dir(folder.path()).arg("replay").arg("logs.jsonl").args(args).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let text = handsoff(&[]);
    assert!(text.contains("8 findings in 2 steps"), "{text}");
    let own: Vec<&str> = text.lines().filter(|line| line.contains("  02:")).collect();
    assert_eq!(own.len(), 2, "{text}");
    assert!(own[1].contains("cloudformation:CreateStack"), "{text}");
    let rest =
        "4 calls by cloudformation.amazonaws.com: iam:CreateRole (high), ec2:CreateSubnet x2, ec2:CreateVpc";
    assert!(text.split_whitespace().collect::<Vec<_>>().join(" ").contains(rest), "{text}");
    assert_eq!(handsoff(&["--format", "jsonl"]).lines().count(), records.len());
    let alerts = handsoff(&["--alerts", "--format", "jsonl"]);
    let also: Vec<Value> = alerts
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .flat_map(|alert| alert["also"].as_array().unwrap().clone())
        .collect();
    assert!(also.iter().all(|also| also["action"].is_string()), "{alerts}");
}
