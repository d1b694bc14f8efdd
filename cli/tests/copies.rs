//! Several records of one call, as CloudTrail writes them: reported once, whatever their order and files.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may panic"
)]

use std::process::Command;

use serde_json::{Value, json};

fn record(id: &str, identity: &Value, more: &Value) -> Value {
    let mut record = json!({"eventVersion": "1.11", "eventTime": "2026-03-14T10:00:00Z", "awsRegion": "eu-central-1",
        "eventSource": "ec2.amazonaws.com", "eventName": "RunInstances", "eventType": "AwsApiCall", "eventID": id,
        "recipientAccountId": "111122223333", "sourceIPAddress": "198.51.100.7", "userIdentity": identity});
    record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    record
}

fn user(name: &str, account: &str) -> Value {
    json!({"type": "IAMUser", "arn": format!("arn:aws:iam::{account}:user/{name}"), "accountId": account,
        "userName": name})
}

/// The findings on records, each in a file of its own and all of them twice, in both orders: always the same.
fn reported(records: &[Value], args: &[&str]) -> Vec<Value> {
    let mut all: Vec<Vec<Value>> = Vec::new();
    for backwards in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        for (place, record) in records.iter().enumerate() {
            let place = if backwards { records.len() - place } else { place };
            std::fs::write(folder.path().join(format!("{place}.jsonl")), format!("{record}\n{record}\n"))
                .unwrap();
        }
        let output = Command::new(env!("CARGO_BIN_EXE_handsoff"))
            .args(["replay", "--format", "jsonl"])
            .arg(folder.path())
            .args(args)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        all.push(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect());
    }
    assert_eq!(all[0], all[1]);
    all.remove(0)
}

fn brief(findings: &[Value]) -> Vec<[&str; 5]> {
    let part = |finding: &'_ Value| {
        [
            &finding["code"],
            &finding["severity"],
            &finding["account"],
            &finding["principal"]["name"],
            &finding["event_id"],
        ]
        .map(|value| value.as_str().unwrap().to_owned())
    };
    findings.iter().map(|finding| part(finding).map(|text| &*text.leak())).collect()
}

#[test]
fn a_corrected_record_is_reported_instead_of_its_original() {
    let correction = |reason: &str| json!({"addendum": {"reason": reason, "updatedFields": "userIdentity", "originalEventID": "a"}});
    let original = record("a", &user("ana", "111122223333"), &json!({}));
    for who in ["ana", "bob"] {
        let corrected = record("b", &user(who, "111122223333"), &correction("UPDATED_DATA"));
        let findings = reported(&[original.clone(), corrected], &[]);
        assert_eq!(brief(&findings), [["drift-write", "medium", "111122223333", who, "b"]]);
    }
    // What turns out to be a read was no change.
    let read = record("b", &user("ana", "111122223333"), &correction("UPDATED_DATA"));
    let mut read = read;
    read["readOnly"] = json!(true);
    read["userIdentity"]["invokedBy"] = json!("autoscaling.amazonaws.com");
    read["userIdentity"]["type"] = json!("AWSService");
    assert_eq!(reported(&[original.clone(), read], &[]).len(), 0);
    // A correction of another record, or a late one, leaves it alone.
    let other = record("c", &user("bob", "111122223333"), &json!({"addendum": {"reason": "DELIVERY_DELAY"}}));
    assert_eq!(reported(&[original, other], &[]).len(), 2);
}

#[test]
fn a_call_into_another_account_is_reported_once_and_names_the_account_whose_door_it_was() {
    let role = "arn:aws:iam::111122223333:role/break-glass";
    let copy = |id: &str, account: &str, identity: &Value| {
        record(
            id,
            identity,
            &json!({"eventSource": "sts.amazonaws.com", "eventName": "AssumeRole", "recipientAccountId": account,
                "sharedEventID": "s", "requestParameters": {"roleArn": role, "roleSessionName": "ana"},
                "resources": [{"ARN": role, "accountId": "111122223333", "type": "AWS::IAM::Role"}]}),
        )
    };
    let callers = copy("a", "444455556666", &user("ana", "444455556666"));
    let owners = copy("b", "111122223333", &json!({"type": "AWSAccount", "accountId": "444455556666"}));
    let glass = ["--break-glass", role];
    let findings = reported(&[callers.clone(), owners.clone()], &glass);
    let opened: Vec<_> = brief(&findings).into_iter().filter(|it| it[0] == "glass-opened").collect();
    assert_eq!(opened, [["glass-opened", "high", "111122223333", "ana", "a"]]);
    // Each account's own function sees one of them, and names the same account.
    for (one, id) in [(callers, "a"), (owners, "b")] {
        let findings = reported(&[one], &glass);
        let opened: Vec<_> = brief(&findings).into_iter().filter(|it| it[0] == "glass-opened").collect();
        assert_eq!((opened.len(), opened[0][2], opened[0][4]), (1, "111122223333", id));
    }
}

#[test]
fn a_change_of_another_accounts_resource_is_reported_once() {
    let key = json!([{"ARN": "arn:aws:kms:eu-central-1:111122223333:key/k", "accountId": "111122223333"}]);
    let copy = |id: &str, account: &str, identity: &Value| {
        record(
            id,
            identity,
            &json!({"eventSource": "kms.amazonaws.com", "eventName": "ScheduleKeyDeletion", "sharedEventID": "s",
                "recipientAccountId": account, "resources": key}),
        )
    };
    let callers = copy("a", "444455556666", &user("ana", "444455556666"));
    let owners = copy("b", "111122223333", &json!({"type": "AWSAccount", "accountId": "444455556666"}));
    let findings = reported(&[callers, owners.clone()], &[]);
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(brief(&findings)[0][2..], ["111122223333", "ana", "a"]);
    // Two calls are two, though they were made in the same second.
    let mut other = owners.clone();
    (other["eventID"], other["sharedEventID"]) = (json!("c"), json!("t"));
    assert_eq!(reported(&[owners, other], &[]).len(), 2);
}

#[test]
fn a_copy_for_an_endpoints_owner_is_not_reported_and_what_the_endpoint_denied_is() {
    let ana = user("ana", "111122223333");
    let copy = |id: &str, more: &Value| {
        let mut copy = record(id, &ana, more);
        (copy["eventType"], copy["eventCategory"]) = (json!("AwsVpceEvents"), json!("NetworkActivity"));
        copy
    };
    let (call, seen) = (record("a", &ana, &json!({})), copy("b", &json!({"vpcEndpointId": "vpce-0a"})));
    assert_eq!(brief(&reported(&[call, seen], &[])), [["drift-write", "medium", "111122223333", "ana", "a"]]);
    let denied: Vec<Value> = (0..6)
        .map(|n| {
            copy(
                &format!("d{n}"),
                &json!({"errorCode": "VpceAccessDenied", "eventName": format!("Describe{n}")}),
            )
        })
        .collect();
    assert_eq!(reported(&denied, &[]).len(), 6);
}
