//! What is known from earlier nights, and the digest: the functions say what a replay says.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "a test may panic")]

use handsoff_cloudtrail::Time;
use handsoff_core::Policy;
use handsoff_core::alert::{Alert, Cause};
use handsoff_deny_spike::live::DenySpikeFunction;
use handsoff_drift::live::{Canary, DriftFunction};
use handsoff_functions::engine;
use handsoff_sweep::sweep;
use handsoff_testing::fault_injection::{FaultInjection, LEASE, deliver, run};
use handsoff_testing::in_memory::InMemory;
use handsoff_tests::replay;
use handsoff_tests::settings;

/// A record of a session of a role, at a time of a day of March 2026.
fn record(day: u32, time: &str, who: &str, action: &str, denied: bool) -> String {
    let (service, name) = action.split_once(':').unwrap();
    let (role, session) = who.split_once('/').unwrap();
    let id = format!(
        "{day:08}-{}-4000-8000-{:012x}",
        &time.replace(':', "")[..4],
        hash(&format!("{time}{action}{who}"))
    );
    let error = if denied {
        format!(
            r#""errorCode":"AccessDenied","errorMessage":"User: x is not authorized to perform: {action}","#
        )
    } else {
        String::new()
    };
    let delivery = if role == "scanner" { "" } else { r#","ec2RoleDelivery":"2.0""# };
    let (arn, issuer) = (
        format!("arn:aws:sts::111122223333:assumed-role/{role}/{session}"),
        format!("arn:aws:iam::111122223333:role/{role}"),
    );
    format!(
        r#"{{"eventVersion":"1.11","userIdentity":{{"type":"AssumedRole","principalId":"AROAEXAMPLE{role}:{session}","arn":"{arn}",
        "accountId":"111122223333","accessKeyId":"ASIAEXAMPLE","sessionContext":{{"sessionIssuer":{{"type":"Role","arn":"{issuer}",
        "accountId":"111122223333","userName":"{role}"}},"attributes":{{"creationDate":"2026-03-{day:02}T00:00:00Z",
        "mfaAuthenticated":"false"}}{delivery}}}}},"eventTime":"2026-03-{day:02}T{time}Z","eventSource":"{service}.amazonaws.com",
        "eventName":"{name}","awsRegion":"eu-central-1","sourceIPAddress":"10.0.0.9","userAgent":"Boto3/1.35",{error}
        "requestParameters":{{"roleName":"x"}},"responseElements":null,"eventID":"{id}","readOnly":{denied},
        "eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}}"#
    )
}

fn hash(text: &str) -> u64 {
    text.bytes().fold(7_u64, |hash, byte| (hash * 31 + u64::from(byte)) & 0xffff_ffff_ffff)
}

const DENIED: [&str; 7] = [
    "s3:GetBucketPolicy",
    "ecr:GetRepositoryPolicy",
    "sqs:GetQueueAttributes",
    "kms:GetKeyPolicy",
    "macie2:GetMacieSession",
    "backup:ListBackupVaults",
    "lambda:GetPolicy",
];

/// Four nights of a scanner, on the last of which something else is denied too; and of a role that attaches a policy each
/// night from the second on, and makes a user in the last.
fn nights() -> Vec<Vec<String>> {
    (10..14)
        .map(|day| {
            let mut records: Vec<String> = DENIED
                .iter()
                .enumerate()
                .map(|(step, action)| {
                    record(day, &format!("02:00:{:02}", step * 5), "scanner/scan", action, true)
                })
                .collect();
            if day > 10 {
                records.push(record(
                    day,
                    "03:00:00",
                    "backup/i-0123456789abcdef0",
                    "iam:AttachRolePolicy",
                    false,
                ));
            }
            if day == 13 {
                records.push(record(day, "02:01:00", "scanner/scan", "secretsmanager:ListSecrets", true));
                records.push(record(day, "03:00:10", "backup/i-0123456789abcdef0", "iam:CreateUser", false));
            }
            records
        })
        .collect()
}

fn policy() -> Policy {
    Policy::parse("handsoff.toml", "").unwrap()
}

/// What a replay would have sent.
fn replayed(policy: &Policy) -> Vec<Alert> {
    alerts_of(&nights().concat(), policy)
}

fn alerts_of(records: &[String], policy: &Policy) -> Vec<Alert> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("nights.jsonl");
    let lines = records.iter().map(|record| record.replace('\n', " ")).collect::<Vec<_>>();
    std::fs::write(&file, lines.join("\n")).unwrap();
    let mut alerts = replay(&[file], policy, 1).alerts(policy);
    alerts.sort_by_key(|alert| (alert.at, alert.incident.clone()));
    alerts
}

#[test]
fn what_earlier_nights_had_is_no_news_and_what_is_new_is() {
    let policy = policy();
    let alerts = replayed(&policy);
    let told: Vec<(&str, bool, bool)> = alerts
        .iter()
        .filter(|alert| alert.cause != Cause::Digest)
        .map(|alert| {
            let day = alert.time.as_deref().unwrap().get(8..10).unwrap();
            (day, alert.subject.contains("iam:"), alert.subject.contains("CreateUser"))
        })
        .collect();
    // The scanner's first night; the role's first policy; then the action that the scanner wasn't denied before, and the
    // user.
    assert_eq!(
        told,
        [("10", false, false), ("11", true, false), ("13", false, false), ("13", true, true)],
        "{alerts:#?}"
    );
    let new = alerts.iter().find(|alert| alert.subject.contains("ListSecrets")).unwrap();
    assert_eq!(new.findings, 1, "what is known isn't counted: {}", new.text);
}

#[test]
fn the_digest_has_what_is_known_and_says_what_is_new() {
    let policy = policy();
    let digests: Vec<Alert> =
        replayed(&policy).into_iter().filter(|alert| alert.cause == Cause::Digest).collect();
    let days: Vec<&str> = digests.iter().map(|digest| digest.time.as_deref().unwrap()).collect();
    assert_eq!(days, ["10", "11", "12", "13"].map(|day| format!("2026-03-{day}T07:30:00Z")));
    let line = |day: usize, name: &str| {
        let lines: Vec<&str> = digests[day].text.lines().filter(|line| line.starts_with(name)).collect();
        lines.join("|")
    };
    assert!(line(0, "denied").contains("alerted") && !line(1, "denied").contains("alerted"), "{digests:#?}");
    assert!(line(1, "workload").contains("new: iam:AttachRolePolicy x1"), "{}", digests[1].text);
    assert!(line(2, "workload").contains(": iam:AttachRolePolicy x1"), "{}", digests[2].text);
    assert!(
        line(3, "workload").contains("new: iam:CreateUser x1, iam:AttachRolePolicy x1"),
        "{}",
        digests[3].text
    );
    assert!(
        digests[1].subject.contains("[DIGEST] 2026-03-11: 1 workload, 1 denied"),
        "{}",
        digests[1].subject
    );
}

#[test]
fn the_functions_say_the_same_and_each_digest_once() {
    let policy = policy();
    let world = InMemory::default();
    for (night, records) in nights().iter().enumerate() {
        let start = Time::parse(&format!("2026-03-{:02}T03:05:00Z", 10 + night)).unwrap();
        world.time.set(start.timestamp());
        let faulty = FaultInjection::new(&world);
        let plain: Vec<&str> = records.iter().map(String::as_str).collect();
        for batch in plain.chunks(3) {
            run(
                &faulty,
                deliver(&faulty, &DriftFunction::new(engine(&policy), LEASE, Canary::default()), batch),
            )
            .unwrap();
            run(&faulty, deliver(&faulty, &DenySpikeFunction::new(engine(&policy), LEASE), batch)).unwrap();
        }
        // Some of the sweeps until the next night: the digest is due at half past seven.
        for minutes in [5, 120, 265, 270, 600, 1200] {
            let now = Time::from_timestamp(start.timestamp() + minutes * 60 - (start.timestamp() % 300));
            world.time.set(now.timestamp());
            run(&faulty, sweep(&faulty, &policy, &settings(), now)).unwrap().unwrap();
        }
    }
    let of = |cause: &str, subject: &str| (cause.to_owned(), subject.to_owned());
    let mut sent: Vec<_> = world
        .sent
        .borrow()
        .iter()
        .map(|message| of(&message.attributes["cause"], &message.subject))
        .collect();
    let mut expected: Vec<_> =
        replayed(&policy).iter().map(|alert| of(alert.cause.as_str(), &alert.subject)).collect();
    sent.sort();
    expected.sort();
    assert_eq!(sent, expected);
}

#[test]
fn a_digest_of_more_than_it_reads_says_so() {
    let (policy, world) = (policy(), InMemory::default());
    let start = Time::parse("2026-03-10T05:00:00Z").unwrap();
    world.time.set(start.timestamp());
    let faulty = FaultInjection::new(&world);
    let records: Vec<String> = (0..1_000)
        .map(|n| record(10, "04:00:00", &format!("app-{n}/i-0123456789abcdef0"), "ec2:CreateTags", false))
        .collect();
    let deliver_some = |records: &[String]| {
        let plain: Vec<&str> = records.iter().map(String::as_str).collect();
        run(
            &faulty,
            deliver(&faulty, &DriftFunction::new(engine(&policy), LEASE, Canary::default()), &plain),
        )
        .unwrap();
    };
    deliver_some(&records[..999]);
    let due = Time::parse("2026-03-10T07:30:00Z").unwrap();
    let digest = |world: &InMemory| {
        world.time.set(due.timestamp());
        let faulty = FaultInjection::new(world);
        run(&faulty, sweep(&faulty, &policy, &settings(), due)).unwrap().unwrap();
        let sent = world.sent.borrow();
        sent.iter().find(|message| message.attributes["cause"] == "digest").unwrap().email.clone()
    };
    let whole = digest(&world.clone());
    assert!(whole.contains("979 others") && !whole.contains("\nmore "), "{whole}");
    deliver_some(&records[999..]);
    let cut = digest(&world);
    assert!(cut.contains("\nmore     there was more than a digest reads"), "{cut}");
}

#[test]
fn the_digest_says_which_exceptions_were_used_and_what_is_open_in_a_replay_too() {
    let text = r#"
[[exception]]
identity = "arn:aws:iam::*:role/scanner"
denials = true
owner = "security"
reason = "the nightly scan"
until = 2026-12-01
[[exception]]
identity = "arn:aws:iam::*:role/app-*"
actions = ["ec2:CreateTags"]
owner = "platform"
reason = "tags"
until = 2026-12-01
[[exception]]
identity = "arn:aws:iam::*:role/nobody"
actions = ["ec2:CreateTags"]
owner = "platform"
reason = "unused"
until = 2026-12-01
"#;
    let policy = Policy::parse("handsoff.toml", text).unwrap();
    let world = InMemory::default();
    world.time.set(Time::parse("2026-03-10T03:05:00Z").unwrap().timestamp());
    let mut records: Vec<String> = (0..)
        .zip(DENIED)
        .map(|(n, action)| record(10, &format!("02:0{}:09", n % 2), "scanner/scan", action, true))
        .collect();
    records.push(record(10, "02:00:00", "app-1/i-0123456789abcdef0", "ec2:CreateTags", false));
    records.push(record(10, "02:01:00", "other/i-0123456789abcdef0", "ec2:CreateTags", false));
    records.push(record(10, "03:00:00", "scanner/jon", "iam:AttachRolePolicy", false));
    let plain: Vec<&str> = records.iter().chain(&records[2..5]).map(String::as_str).collect();
    let faulty = FaultInjection::new(&world);
    run(&faulty, deliver(&faulty, &DriftFunction::new(engine(&policy), LEASE, Canary::default()), &plain))
        .unwrap();
    run(&faulty, deliver(&faulty, &DenySpikeFunction::new(engine(&policy), LEASE), &plain)).unwrap();
    let due = Time::parse("2026-03-10T07:30:00Z").unwrap();
    world.time.set(due.timestamp());
    run(&faulty, sweep(&faulty, &policy, &settings(), due)).unwrap().unwrap();
    let sent = world.sent.borrow();
    let digest = sent.iter().find(|message| message.attributes["cause"] == "digest").unwrap();
    let lines: Vec<&str> = digest.email.lines().filter_map(|line| line.strip_prefix("excepted ")).collect();
    assert_eq!(lines.len(), 2, "{}", digest.email);
    assert!(
        lines[0].contains("denied calls in 2 minutes;") && lines[0].contains("owner security"),
        "{lines:?}"
    );
    assert!(
        lines[1].contains("changes in 1 minute;") && lines[1].contains("owner platform: tags"),
        "{lines:?}"
    );
    assert!(digest.email.contains("\nopen     4 h iam::111122223333:role/x, by scanner"), "{}", digest.email);
    // Logs are read when more has happened: a digest doesn't know.
    records.push(record(10, "07:10:00", "scanner/jon", "iam:DeleteRole", false));
    records.push(record(10, "07:10:00", "app-1/i-0123456789abcdef0", "ec2:CreateTags", false));
    let alerts = alerts_of(&records, &policy);
    let replayed = alerts.iter().find(|alert| alert.cause == Cause::Digest).unwrap();
    assert_eq!(digest.email, replayed.text);
}
