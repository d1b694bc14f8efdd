use crate::Trace;
use handsoff_cloudtrail::{Entry, Record};

use super::*;

const SCANNER: &str =
    r#"{"type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/scanner/scan","accountId":"1"}"#;
const DENIED: &str = r#","errorCode":"AccessDenied""#;

fn policy(more: &str) -> Policy {
    let text = format!(
        r#"[[exception]]
identity = "arn:aws:iam::*:role/scanner"
owner = "sec@example.com"
reason = "nightly scan"
until = 2026-03-31
{more}"#
    );
    Policy::parse("p", &text).unwrap()
}

fn covered(policy: &Policy, identity: &str, action: &str, rest: &str) -> bool {
    let (service, name) = action.split_once(':').unwrap();
    let json = format!(
        r#"{{"eventTime":"2026-03-01T09:00:00Z","eventSource":"{service}.amazonaws.com","eventName":"{name}",
        "recipientAccountId":"1","userIdentity":{identity}{rest}}}"#
    );
    let Ok((Entry::Record(record), _)) = Record::read(&json) else { panic!("no record: {json}") };
    let call = Call::classify(record, policy, &mut Trace::off());
    covering(&call, policy, &mut Trace::off()).is_some()
}

#[test]
fn a_scanners_denied_reads_are_covered_and_nothing_that_it_does() {
    let scanner = policy("denials = true");
    assert!(covered(&scanner, SCANNER, "ec2:DescribeInstances", DENIED));
    assert!(covered(&scanner, SCANNER, "kms:ListKeys", DENIED));
    for (action, rest, why) in [
        ("ec2:RunInstances", "", "a change that succeeded"),
        ("ec2:RunInstances", DENIED, "a change is no scanner's"),
        ("iam:CreateUser", DENIED, "an identity"),
        ("sts:AssumeRole", DENIED, "another session's credentials"),
        ("ec2:GetPasswordData", DENIED, "a way in, though it is named like a read"),
        ("ec2:DescribeInstances", r#","errorCode":"AccessDenied","eventTime":"x""#, "no time"),
    ] {
        assert!(!covered(&scanner, SCANNER, action, rest), "{why}");
    }
    assert!(!covered(&scanner, &SCANNER.replace("/scanner/", "/other/"), "ec2:DescribeInstances", DENIED));
    // One for changes covers no denied call, as ever.
    let changes = policy("actions = [\"ec2:*\"]");
    assert!(covered(&changes, SCANNER, "ec2:RunInstances", ""));
    assert!(!covered(&changes, SCANNER, "ec2:RunInstances", DENIED));
}

#[test]
fn what_actions_name_is_covered_but_for_root_attacks_and_what_is_protected() {
    let named = policy("denials = true\nactions = [\"iam:*\", \"lambda:*\", \"cloudtrail:*\", \"sqs:*\"]");
    let on =
        |name: &str| format!(r#"{DENIED},"requestParameters":{{"roleName":"{name}","queueName":"{name}"}}"#);
    assert!(covered(&named, SCANNER, "iam:CreateUser", DENIED));
    assert!(covered(&named, SCANNER, "iam:UpdateRole", &on("orders")));
    assert!(!covered(&named, SCANNER, "iam:UpdateRoleDescription", &on("handsoff-drift")), "protected");
    assert!(
        covered(&named, SCANNER, "sqs:GetQueueAttributes", &on("handsoff-drift")),
        "a read changes nothing"
    );
    let sentence = format!(
        r#"{DENIED},"errorMessage":"User: arn:aws:sts::1:assumed-role/scanner/scan is not authorized to perform: iam:TagRole on resource: role handsoff-drift because no identity-based policy allows the iam:TagRole action""#
    );
    assert!(!covered(&named, SCANNER, "iam:TagRole", &sentence), "protected, by AWS's sentence");
    assert!(!covered(&named, SCANNER, "cloudtrail:StopLogging", DENIED), "an attack");
    let root = "[[exception]]\nidentity = \"arn:aws:iam::*:root\"\ndenials = true";
    let told: Vec<String> = Policy::parse("p", root).unwrap_err().iter().map(ToString::to_string).collect();
    assert!(
        told.iter().any(|why| why.contains("root is always a break-glass identity")),
        "it names root: {told:?}"
    );
}

#[test]
fn an_emergency_identity_is_never_covered() {
    let both = policy("denials = true\n[[break_glass]]\nidentity = \"arn:aws:iam::*:role/scanner\"");
    assert!(!covered(&both, SCANNER, "ec2:DescribeInstances", DENIED));
    let taking = policy(
        "denials = true\nactions = [\"sts:AssumeRole\"]\n[[break_glass]]\nidentity = \"arn:aws:iam::*:role/glass\"",
    );
    let role =
        |name: &str| format!(r#"{DENIED},"requestParameters":{{"roleArn":"arn:aws:iam::1:role/{name}"}}"#);
    assert!(covered(&taking, SCANNER, "sts:AssumeRole", &role("reader")));
    assert!(!covered(&taking, SCANNER, "sts:AssumeRole", &role("glass")));
}

#[test]
fn each_exception_is_reported_with_its_count_owner_reason_and_end() {
    let policy = policy("denials = true");
    let at = |now: &str, calls: u64| {
        let calls = BTreeMap::from([("p:1 [[exception]]".to_owned(), calls)]);
        lines(&policy, &calls, Time::parse(now).unwrap()).remove(0)
    };
    let tail = "owner sec@example.com: nightly scan";
    for (now, calls, told) in [
        ("2026-03-16T23:59:59Z", 31, "31 denied calls; until 2026-03-31"),
        ("2026-03-17T00:00:00Z", 1, "1 denied call; ends in 14 days, 2026-03-31"),
        ("2026-03-30T12:00:00Z", 2, "2 denied calls; ends tomorrow, 2026-03-31"),
        ("2026-03-31T23:59:59Z", 0, "matched nothing; ends today, 2026-03-31"),
        ("2026-04-01T00:00:00Z", 0, "matched nothing; expired since 2026-03-31"),
    ] {
        assert_eq!(at(now, calls), format!("p:1 [[exception]]: {told}; {tail}"));
    }
    assert_eq!(
        lines(&policy, &BTreeMap::new(), Time::from_timestamp(0))[0],
        format!("p:1 [[exception]]: matched nothing; until 2026-03-31; {tail}")
    );
}

#[test]
fn what_ends_soon_or_is_over_is_announced_with_what_to_do() {
    let told = |now: &str| ending(&policy("denials = true"), Time::parse(now).unwrap());
    assert!(told("2026-03-16T23:59:59Z").is_empty());
    let line = "p:1 [[exception]]";
    let owner = "owner sec@example.com";
    assert_eq!(
        told("2026-03-25T00:00:00Z"),
        [format!("{line}: ends in 6 days, 2026-03-31; {owner}: agree on a new end date, or let it end")]
    );
    assert_eq!(
        told("2026-04-01T00:00:00Z"),
        [format!("{line}: expired since 2026-03-31; {owner}: remove it, or agree on a new end date")]
    );
}
