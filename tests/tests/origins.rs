//! Origins: an alert on a session says who was issued it, in the functions as in a replay, whichever record comes first.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::BTreeMap;

use handsoff_cloudtrail::Time;
use handsoff_core::Policy;
use handsoff_core::alert::Cause;
use handsoff_drift::live::{Canary, DriftFunction};
use handsoff_functions::engine;
use handsoff_testing::fault_injection::{Fault, FaultInjection, LEASE, deliver, run};
use handsoff_testing::in_memory::InMemory;
use handsoff_tests::replay_records;
use handsoff_tests::sessions::{Session, assumes, record, session};
use proptest::prelude::*;

const ADMIN: Session = ("AdminRole", "alice@example.com", "ASIAADMIN");
const OPS: Session = ("ops", "x", "ASIAOPS");
const JON: Session = ("AWSReservedSSO_Dev_0123456789abcdef", "jon@example.com", "ASIAJON");

/// A user of Identity Center assumes a role, and with it another one under a colleague's name, and makes a role; a second
/// session of the same role, which has that name, too, stops logging.
fn records() -> Vec<String> {
    let mallory = r#"{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/mallory","accountId":"111122223333",
        "userName":"mallory","accessKeyId":"AKIAMALLORY"}"#;
    let other = (ADMIN.0, ADMIN.1, "ASIAOTHER");
    let made = r#""requestParameters":{"roleName":"hidden"},"#;
    vec![
        assumes(1, &session(JON), OPS),
        assumes(2, &session(OPS), ADMIN),
        assumes(3, mallory, other),
        record(4, &session(ADMIN), "iam:CreateRole", made),
        record(5, &session(other), "cloudtrail:StopLogging", r#""requestParameters":{"name":"trail"},"#),
    ]
}

const BY_JON: &str = "jon@example.com (permission set Dev) assumed role ops, which assumed role AdminRole as \
                      alice@example.com, from 203.0.113.5 at 2026-03-10T02:00:01Z";
const BY_MALLORY: &str = "mallory (IAM user) assumed role AdminRole as alice@example.com, from 203.0.113.5 at \
                          2026-03-10T02:00:03Z";

fn policy() -> Policy {
    Policy::parse("handsoff.toml", "").unwrap()
}

/// The origin that the message of each subject tells.
type Told = BTreeMap<String, String>;

fn origin(text: &str) -> String {
    let lines = text.lines().filter_map(|line| line.strip_prefix("origin   "));
    lines.collect::<Vec<&str>>().join("\n")
}

fn drift(policy: &Policy) -> DriftFunction<'_> {
    DriftFunction::new(engine(policy), LEASE, Canary::default())
}

fn world() -> InMemory {
    let world = InMemory::default();
    world.time.set(Time::parse("2026-03-10T02:01:00Z").unwrap().timestamp());
    world
}

/// What the functions tell, of which each gets so many records at once.
fn live(records: &[String], at_once: usize) -> Told {
    let (policy, world) = (policy(), world());
    let plain: Vec<&str> = records.iter().map(String::as_str).collect();
    for batch in plain.chunks(at_once) {
        let faulty = FaultInjection::new(&world);
        run(&faulty, deliver(&faulty, &drift(&policy), batch)).unwrap();
    }
    let sent = world.sent.borrow();
    let told = sent.iter().map(|message| {
        let all = format!("{message:?}");
        assert!(["ASIA", "AKIA"].iter().all(|key| !all.contains(key)), "an access key is shown: {all}");
        (message.subject.clone(), origin(&message.email))
    });
    told.collect()
}

fn replayed(records: &[String]) -> Told {
    let mut alerts = replay_records(records, &policy()).alerts(&policy());
    alerts.retain(|alert| !matches!(alert.cause, Cause::Digest | Cause::Closed));
    alerts.iter().map(|alert| (alert.subject.clone(), origin(&alert.text))).collect()
}

#[test]
fn each_alert_names_the_origin_of_the_session_that_it_shows() {
    let told = replayed(&records());
    for (action, expected) in [("CreateRole", BY_JON), ("StopLogging", BY_MALLORY)] {
        let of = told.iter().find(|(subject, _)| subject.contains(action));
        assert_eq!(of.map(|(_, origin)| origin.as_str()), Some(expected), "{action}: {told:#?}");
    }
    assert_eq!(live(&records(), 1), told);
    let together: Vec<String> = live(&records(), 6).into_values().collect();
    assert!(
        !together.is_empty() && together.iter().all(|it| it == BY_JON || it == BY_MALLORY),
        "{together:#?}"
    );
}

#[test]
fn without_the_record_of_its_issue_a_name_is_said_to_be_chosen() {
    let all = records();
    for told in [replayed(&all[3..]), live(&all[3..], 1)] {
        for origin in told.values() {
            assert_eq!(origin, "not known: alice@example.com is only the session name, chosen by the caller");
        }
        assert_eq!(told.len(), 2, "{told:#?}");
    }
}

#[test]
fn an_item_is_kept_of_each_session_that_was_issued_and_none_of_a_services() {
    let (policy, world) = (policy(), world());
    let service = r#"{"type":"AWSService","invokedBy":"lambda.amazonaws.com"}"#;
    let records =
        [assumes(1, &session(JON), OPS), assumes(2, service, ADMIN), assumes(1, &session(JON), OPS)];
    let plain: Vec<&str> = records.iter().map(String::as_str).collect();
    let faulty = FaultInjection::new(&world);
    run(&faulty, deliver(&faulty, &drift(&policy), &plain)).unwrap();
    let kept = world.observations.borrow().keys().filter(|(_, sort)| sort.starts_with("issued#")).count();
    assert_eq!((kept, world.observations.borrow().len()), (1, 1));
}

#[test]
fn what_cannot_be_written_is_delivered_again() {
    let (policy, world) = (policy(), world());
    let records = records();
    let faulty = FaultInjection::with(&world, 0, Fault::FailsBefore);
    let tries = run(&faulty, deliver(&faulty, &drift(&policy), &[&records[0]])).unwrap();
    assert_eq!((tries, world.observations.borrow().len()), (2, 1));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whichever_record_comes_first_a_replay_tells_the_same(order in Just(records()).prop_shuffle()) {
        prop_assert_eq!(replayed(&order), replayed(&records()));
    }

    #[test]
    fn whichever_record_of_issue_comes_first_the_functions_tell_the_same(order in Just(records()[..3].to_vec()).prop_shuffle()) {
        let all = [order, records()[3..].to_vec()].concat();
        prop_assert_eq!(live(&all, 1), replayed(&records()));
    }
}

/// Each is issued credentials in another way than a role, and changes something with them.
fn other_ways() -> Vec<String> {
    let user = |name: &str, key: &str| {
        format!(
            r#"{{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/{name}","accountId":"111122223333","userName":"{name}","accessKeyId":"{key}"}}"#
        )
    };
    let context = |who: String, context: &str| {
        who.replace(r#""accessKeyId""#, &format!(r#""sessionContext":{{{context}}},"accessKeyId""#))
    };
    let root = r#"{"type":"Root","arn":"arn:aws:iam::111122223333:root","accountId":"111122223333"}"#;
    let for_user = |name: &str, more: &str| format!(r#""requestParameters":{{"userName":"{name}"}},{more}"#);
    let key = |name: &str, key: &str| {
        format!(r#""responseElements":{{"accessKey":{{"userName":"{name}","accessKeyId":"{key}"}}}},"#)
    };
    let sign_in = "arn:aws:signin:us-east-1:111122223333:session/0a1b";
    let console =
        r#""attributes":{"creationDate":"2026-03-10T01:00:00Z","sessionCredentialFromConsole":"true"}"#;
    let people = r#"{"type":"AWSService","invokedBy":"account-access.amazonaws.com"}"#;
    let of = |name: &str| for_user(name, "").replace("userName", "name");
    vec![
        record(1, &session(JON), "iam:CreateAccessKey", &for_user("mallory", &key("mallory", "AKIAM"))),
        record(2, &session(JON), "iam:CreateLoginProfile", &for_user("eve", "")),
        record(3, root, "iam:CreateAccessKey", &for_user("rob", &key("rob", "AKIAR"))),
        record(
            4,
            &user("kim", "ASIAWEB"),
            "signin:CreateOAuth2Token",
            &format!(r#""additionalEventData":{{"signInSessionArn":"{sign_in}"}},"#),
        ),
        assumes(5, people, OPS),
        record(6, &user("mallory", "AKIAM"), "s3:DeleteBucket", &of("by-key")),
        record(7, &context(user("eve", "ASIAE"), console), "s3:DeleteBucketPolicy", &of("by-password")),
        record(8, &user("rob", "AKIAR"), "s3:PutBucketAcl", &of("by-roots-key")),
        record(
            9,
            &context(user("kim", "ASIACLI"), &format!(r#""signInSessionArn":"{sign_in}""#)),
            "s3:PutBucketPolicy",
            &of("by-sign-in"),
        ),
        record(10, &session(OPS), "s3:PutPublicAccessBlock", &of("by-account-access")),
    ]
}

#[test]
fn each_way_to_credentials_is_an_origin_in_the_functions_as_in_a_replay() {
    let records = other_ways();
    let mut told = replayed(&records);
    // The break-glass function's.
    told.retain(|subject, _| !subject.contains("Root user"));
    for (action, expected) in [
        ("DeleteBucket", "jon@example.com (permission set Dev) created an access key of user mallory, from"),
        ("DeleteBucketPolicy", "jon@example.com (permission set Dev) set the password of user eve, from"),
        ("PutBucketAcl", "root of account 111122223333 created an access key of user rob, from"),
        ("PutBucketPolicy", "kim (IAM user) signed in for the command line (aws login), from"),
        ("PutPublicAccessBlock", "a person through account-access.amazonaws.com assumed role ops as x, from"),
    ] {
        let of = told.iter().find(|(subject, _)| subject.ends_with(&format!(":{action}")));
        let origin = of.map(|(_, origin)| origin.replace(" of account 111122223333 as", " as"));
        assert!(origin.is_some_and(|it| it.starts_with(expected)), "{action}: {told:#?}");
    }
    assert_eq!(live(&records, 1), told);
}

const MCP: &str = "aws-mcp.amazonaws.com";

/// The calls that two people's agents made through AWS's MCP server, and their tool calls.
fn through_agents() -> Vec<String> {
    let kim = r#"{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/kim","accountId":"111122223333","userName":"kim","accessKeyId":"AKIAK"}"#;
    let call = |second: u32, who: &str, action: &str, request: &str| {
        let who = who.replacen(r#""accessKeyId""#, &format!(r#""invokedBy":"{MCP}","accessKeyId""#), 1);
        let made = record(second, &who, action, &format!(r#""requestID":"{request}","#));
        made.replace(r#""203.0.113.5""#, &format!(r#""{MCP}""#)).replace("aws-cli/2.15", MCP)
    };
    let tool = |second: u32, who: &str, requests: &str, agent: &str| {
        let rest = format!(
            r#""requestParameters":{{"params":{{"name":"aws___call_aws"}}}},"additionalEventData":{{"downstreamRequests":[{requests}]}},"#
        );
        let made = record(second, who, "aws-mcp:CallReadWriteTool", &rest);
        made.replace("AwsApiCall", "AwsMcpEvent").replace("aws-cli/2.15", agent)
    };
    let requests =
        r#"{"apiName":"s3:DeleteBucket","requestId":"r-1","awsRegion":"eu-central-1"},{"requestId":"r-2"}"#;
    vec![
        tool(1, &session(JON), requests, "claude-code/2.1 (cli)"),
        tool(2, kim, r#"{"requestId":"r-3"}"#, "cursor-vscode/1.0"),
        call(3, &session(JON), "s3:DeleteBucket", "r-1"),
        call(4, kim, "s3:PutBucketPolicy", "r-3"),
    ]
}

/// What the message of each action says about the agent's tool.
fn tools(texts: impl IntoIterator<Item = (String, String)>) -> Told {
    let of = |text: &str| {
        text.lines().find_map(|line| line.strip_prefix("tool     ")).unwrap_or_default().to_owned()
    };
    texts.into_iter().map(|(subject, text)| (subject, of(&text))).collect()
}

fn replayed_tools(records: &[String]) -> Told {
    let mut alerts = replay_records(records, &policy()).alerts(&policy());
    alerts.retain(|alert| !matches!(alert.cause, Cause::Digest | Cause::Closed));
    tools(alerts.into_iter().map(|alert| (alert.subject, alert.text)))
}

fn live_tools(records: &[String]) -> Told {
    let (policy, world) = (policy(), world());
    for one in records {
        let faulty = FaultInjection::new(&world);
        run(&faulty, deliver(&faulty, &drift(&policy), &[one])).unwrap();
    }
    let sent = world.sent.borrow();
    tools(sent.iter().map(|message| (message.subject.clone(), message.email.clone())))
}

#[test]
fn an_alert_names_the_agent_and_the_address_behind_a_call_of_the_mcp_server() {
    let records = through_agents();
    let told = replayed_tools(&records);
    for (action, expected) in [
        (
            "DeleteBucket",
            "jon@example.com (permission set Dev) through claude-code/2.1 (cli) (as it says), tool aws___call_aws, from 203.0.113.5 at",
        ),
        (
            "PutBucketPolicy",
            "kim (IAM user) through cursor-vscode/1.0 (as it says), tool aws___call_aws, from 203.0.113.5 at",
        ),
    ] {
        let of = told.iter().find(|(subject, _)| subject.ends_with(&format!(":{action}")));
        assert!(of.is_some_and(|(_, tool)| tool.starts_with(expected)), "{action}: {told:#?}");
    }
    assert_eq!(live_tools(&records), told);
    // What comes after the alert is in no alert that was sent, and what was made by nobody's tool names none.
    let alone = live_tools(&records[2..]);
    assert!(alone.len() == 2 && alone.values().all(String::is_empty), "{alone:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whichever_tool_call_comes_first_the_alerts_are_the_same(order in Just(through_agents()).prop_shuffle(), first in any::<bool>()) {
        prop_assert_eq!(replayed_tools(&order), replayed_tools(&through_agents()));
        let calls = through_agents()[2..].to_vec();
        let mut tools = through_agents()[..2].to_vec();
        if first {
            tools.reverse();
        }
        prop_assert_eq!(live_tools(&[tools.clone(), tools, calls].concat()), replayed_tools(&order));
    }
}
