//! Stories: an alert on an identity says who made it, in the functions as in a replay, whichever record comes first.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use handsoff_functions::engine;
use std::collections::BTreeSet;

use handsoff_cloudtrail::Time;
use handsoff_core::Policy;
use handsoff_core::alert::Cause;
use handsoff_deny_spike::live::DenySpikeFunction;
use handsoff_drift::live::{Canary, DriftFunction};
use handsoff_testing::fault_injection::{FaultInjection, LEASE, deliver, run};
use handsoff_testing::in_memory::InMemory;
use handsoff_tests::replay;

const KEY: &str = "AKIAMADEBYTHEINTRUDER";

/// A record: minute and second, who, the action, and what else it has.
fn record(time: &str, who: &str, action: &str, rest: &str) -> String {
    let (service, name) = action.split_once(':').unwrap();
    let identity = match who {
        "svc-backup" => format!(
            r#""type":"IAMUser","principalId":"AIDAEXAMPLE","arn":"arn:aws:iam::111122223333:user/svc-backup",
            "accountId":"111122223333","accessKeyId":"{KEY}","userName":"svc-backup""#
        ),
        _ => format!(
            r#""type":"AssumedRole","principalId":"AROAEXAMPLE:i-0dead0dead0dead00",
            "arn":"arn:aws:sts::111122223333:assumed-role/{who}/i-0dead0dead0dead00","accountId":"111122223333",
            "accessKeyId":"ASIAEXAMPLE","sessionContext":{{"sessionIssuer":{{"type":"Role","arn":"arn:aws:iam::111122223333:role/{who}",
            "accountId":"111122223333","userName":"{who}"}},"attributes":{{"creationDate":"2026-03-10T00:00:00Z",
            "mfaAuthenticated":"false"}},"ec2RoleDelivery":"2.0"}}"#
        ),
    };
    let id = time.replace(':', "");
    format!(
        r#"{{"eventVersion":"1.11","userIdentity":{{{identity}}},"eventTime":"2026-03-10T02:{time}Z","eventSource":"{service}.amazonaws.com",
        "eventName":"{name}","awsRegion":"eu-central-1","sourceIPAddress":"10.0.0.9","userAgent":"Boto3/1.35",{rest}
        "eventID":"00000000-{id}-4000-8000-000000000000","readOnly":false,"eventType":"AwsApiCall","managementEvent":true,
        "recipientAccountId":"111122223333","eventCategory":"Management"}}"#
    )
    .replace('\n', " ")
}

/// An instance's role is denied six actions, makes a user with a key, and that user makes a role.
fn intrusion() -> Vec<String> {
    let denied = [
        "s3:GetBucketPolicy",
        "ecr:GetRepositoryPolicy",
        "sqs:GetQueueAttributes",
        "kms:GetKeyPolicy",
        "macie2:GetMacieSession",
        "backup:ListBackupVaults",
        "lambda:GetPolicy",
    ];
    let mut records: Vec<String> = denied
        .iter()
        .enumerate()
        .map(|(n, action)| {
            record(&format!("00:{n:02}"), "app-orders", action, r#""errorCode":"AccessDenied","#)
        })
        .collect();
    let user = r#""requestParameters":{"userName":"svc-backup"},"#;
    records.push(record("02:00", "app-orders", "iam:CreateUser", user));
    let key = format!(
        r#"{user}"responseElements":{{"accessKey":{{"userName":"svc-backup","status":"Active","accessKeyId":"{KEY}"}}}},"#
    );
    records.push(record("02:30", "app-orders", "iam:CreateAccessKey", &key));
    let role = r#""requestParameters":{"roleName":"hidden"},"#;
    records.push(record("07:00", "svc-backup", "iam:CreateRole", role));
    records
}

/// Subject, story and thread of each message, of which the functions get the records one by one in this order.
fn live(records: &[String]) -> Vec<(String, String, String)> {
    let policy = Policy::parse("handsoff.toml", "").unwrap();
    let world = InMemory::default();
    world.time.set(Time::parse("2026-03-10T02:20:00Z").unwrap().timestamp());
    for record in records {
        let faulty = FaultInjection::new(&world);
        run(
            &faulty,
            deliver(&faulty, &DriftFunction::new(engine(&policy), LEASE, Canary::default()), &[record]),
        )
        .unwrap();
        run(&faulty, deliver(&faulty, &DenySpikeFunction::new(engine(&policy), LEASE), &[record])).unwrap();
    }
    let sent = world.sent.borrow();
    let told = sent.iter().map(|message| {
        assert!(!format!("{message:?}").contains(KEY), "an access key is shown");
        let chat: serde_json::Value = serde_json::from_str(&message.chat).unwrap();
        let thread = chat["metadata"]["threadId"].as_str().unwrap().to_owned();
        (message.subject.clone(), story(&message.email), thread)
    });
    told.collect()
}

fn story(text: &str) -> String {
    let lines = text.lines().filter_map(|line| line.strip_prefix("story    "));
    lines.collect::<Vec<&str>>().join("\n")
}

fn of<'t>(told: &'t [(String, String, String)], what: &str) -> &'t str {
    let (_, story, _) = told.iter().find(|(subject, ..)| subject.contains(what)).unwrap();
    story
}

#[test]
fn an_alert_says_who_made_the_identity_and_what_that_one_was_denied() {
    let told = live(&intrusion());
    let threads: BTreeSet<&str> = told.iter().map(|(.., thread)| &**thread).collect();
    assert_eq!(threads.len(), 1, "one thread: {told:#?}");
    let maker = of(&told, "iam:CreateUser");
    assert!(maker.contains("app-orders/i-0dead0dead0dead00 was denied 7 actions (deny-"), "{told:#?}");
    let made = of(&told, "iam:CreateRole");
    assert!(
        made.contains("user svc-backup was created at 2026-03-10T02:02:30Z, 5 min before, by app-orders"),
        "{made}"
    );
    assert!(made.contains("who was denied 7 actions (deny-"), "{made}");
}

#[test]
fn the_later_of_two_records_tells_the_story_whichever_it_is() {
    let mut records = intrusion();
    let used = records.pop().unwrap();
    records.insert(0, used);
    let told = live(&records);
    assert_eq!(of(&told, "iam:CreateRole"), "", "nothing was known of its maker");
    assert!(
        of(&told, "iam:CreateUser").contains("user svc-backup, created here, is used in drift-"),
        "{told:#?}"
    );
}

/// The same, but the denied calls come after the user and its key were made.
fn denied_afterwards() -> Vec<String> {
    let mut records = intrusion();
    records[..9].rotate_left(7);
    records.iter().map(|record| record.replace("T02:00:", "T02:06:")).collect()
}

#[test]
fn the_alert_on_denied_calls_says_what_succeeded_on_their_day() {
    let told = live(&denied_afterwards());
    assert_eq!(of(&told, "iam:CreateUser"), "", "nothing was denied yet");
    let denied = of(&told, "Probing");
    assert!(
        denied.starts_with("calls succeeded on this day in drift-")
            && denied.ends_with("(high: iam:CreateUser and 1 more action)"),
        "{told:#?}"
    );
    let told = live(&intrusion());
    assert!(!of(&told, "Probing").contains("succeeded"), "nothing had: {told:#?}");
}

#[test]
fn a_replay_tells_the_story_that_the_functions_tell() {
    for records in [intrusion(), denied_afterwards()] {
        as_the_functions(&records);
    }
}

fn as_the_functions(records: &[String]) {
    let policy = Policy::parse("handsoff.toml", "").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("intrusion.jsonl");
    std::fs::write(&file, records.join("\n")).unwrap();
    let mut alerts = replay(&[file], &policy, 1).alerts(&policy);
    alerts.retain(|alert| !matches!(alert.cause, Cause::Digest | Cause::Closed));
    let replayed: BTreeSet<(String, String, String)> = alerts
        .iter()
        .map(|alert| (alert.subject.clone(), story(&alert.text), alert.thread.clone()))
        .collect();
    assert!(replayed.len() > 2, "{replayed:#?}");
    assert_eq!(replayed, live(records).into_iter().collect());
}
