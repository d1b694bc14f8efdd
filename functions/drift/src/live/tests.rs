use handsoff_cloudtrail::{Entry, Time};
use handsoff_core::Policy;
use handsoff_functions::engine;
use handsoff_runtime::{Answer, Delivery, Envelope, EnvelopeError, handle};
use handsoff_testing::block_on;
use handsoff_testing::in_memory::InMemory;

use super::*;

const CANARY: &str = r#"{"eventID":"1","eventTime":"2026-03-14T02:00:00Z","eventSource":"dynamodb.amazonaws.com",
    "eventName":"TagResource","awsRegion":"eu-central-1","recipientAccountId":"111122223333","readOnly":false,
    "userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/handsoff-sweep/handsoff-sweep",
        "sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111122223333:role/handsoff-sweep"}}},
    "requestParameters":{"resourceArn":"arn:aws:dynamodb:eu-central-1:111122223333:table/handsoff",
        "tags":[{"key":"handsoff-canary","value":"sings"}]},"responseElements":null,
    "resources":[{"accountId":"111122223333","type":"AWS::DynamoDB::Table",
        "ARN":"arn:aws:dynamodb:eu-central-1:111122223333:table/handsoff"}]}"#;

/// What it asks for, and what it touched.
const PARAMETERS: &str = r#"{"resourceArn":"arn:aws:dynamodb:eu-central-1:111122223333:table/handsoff",
        "tags":[{"key":"handsoff-canary","value":"sings"}]}"#;
const RESOURCES: &str = r#"[{"accountId":"111122223333","type":"AWS::DynamoDB::Table",
        "ARN":"arn:aws:dynamodb:eu-central-1:111122223333:table/handsoff"}]"#;

fn canary() -> Canary {
    Canary {
        role: "arn:aws:iam::111122223333:role/handsoff-sweep".into(),
        table: "arn:aws:dynamodb:eu-central-1:111122223333:table/handsoff".into(),
    }
}

fn is_canary(json: &str, canary: Canary) -> bool {
    let policy = Policy::built_in();
    let (Entry::Record(record), _) = Record::read(json).unwrap() else { panic!("a record: {json}") };
    match DriftFunction::new(handsoff_functions::engine(&policy), Lease::default(), canary).judge(&record) {
        Some(Work::Canary) => true,
        Some(Work::Finding(..) | Work::Seen(..)) => false,
        None => panic!("neither canary nor finding: {json}"),
    }
}

#[test]
fn the_canary_is_that_one_call_and_nothing_else() {
    assert!(is_canary(CANARY, canary()));
    for (this, that) in [
        ("role/handsoff-sweep", "role/handsoff-drift"),
        ("role/handsoff-sweep", "role/x/handsoff-sweep"),
        ("iam::111122223333:role", "iam::444455556666:role"),
        ("table/handsoff", "table/orders"),
        (
            r#""resourceArn":"arn:aws:dynamodb:eu-central-1:111122223333:table/handsoff""#,
            r#""ResourceARN":"x""#,
        ),
        (r#""ARN":"arn:aws:dynamodb:eu-central-1:111122223333:table/handsoff""#, r#""arn":"x""#),
        ("TagResource", "UntagResource"),
        ("dynamodb.amazonaws.com", "sns.amazonaws.com"),
        (r#""handsoff-canary","#, r#""owner","#),
        (r#"sings"}]"#, r#"sings"},{"key":"owner","value":"me"}]"#),
        (r#""tags":["#, r#""tags":[{"key":"owner"},"#),
    ] {
        assert!(CANARY.contains(this), "{this}");
        assert!(!is_canary(&CANARY.replace(this, that), canary()), "{that}");
    }
    assert!(!is_canary(CANARY, Canary::default()), "without settings nothing is a canary");
    assert!(!is_canary(
        &CANARY.replace(r#""arn":"arn:aws:iam::111122223333:role/handsoff-sweep""#, ""),
        Canary::default()
    ));
}

#[test]
fn a_canary_that_failed_is_none() {
    let (policy, failed) = (Policy::built_in(), r#""readOnly":false,"errorCode":"ResourceInUseException""#);
    let json = CANARY.replace(r#""readOnly":false"#, failed);
    assert!(json.contains("errorCode"));
    let (Entry::Record(record), _) = Record::read(&json).unwrap() else { panic!("a record") };
    assert!(
        DriftFunction::new(handsoff_functions::engine(&policy), Lease::default(), canary())
            .judge(&record)
            .is_none()
    );
}

fn written(parameters: &str, resources: &str) -> String {
    assert!(CANARY.contains(PARAMETERS) && CANARY.contains(RESOURCES));
    CANARY.replace(PARAMETERS, parameters).replace(RESOURCES, resources)
}

/// How CloudTrail writes the call's parameters isn't documented.
#[test]
fn the_canary_is_known_however_its_parameters_are_written() {
    let hidden = r#""HIDDEN_DUE_TO_SECURITY_REASONS""#;
    let cased =
        PARAMETERS.replace("resourceArn", "ResourceArn").replace("tags", "Tags").replace("key", "Key");
    let tag_key = PARAMETERS.replace(r#""key""#, r#""tagKey""#).replace(r#""value""#, r#""tagValue""#);
    let unnamed = format!(r#"{{"resourceArn":{hidden},"tags":[{{"key":{hidden},"value":{hidden}}}]}}"#);
    for (parameters, resources) in [
        (PARAMETERS, RESOURCES),
        (PARAMETERS, "null"),
        (&*cased, "null"),
        (&*tag_key, "[]"),
        (&*unnamed, RESOURCES),
        (&*unnamed, "null"),
        (&*format!(r#"{{"parameters":{hidden}}}"#), "null"),
        (&*format!(r#"{{"tags":{hidden}}}"#), "null"),
        (r#"{"tags":[{"Key":"handsoff-canary"}]}"#, RESOURCES),
        (r#"{"tagCount":1}"#, RESOURCES),
        (hidden, "null"),
        ("null", RESOURCES),
        ("null", "null"),
        ("{}", "null"),
        (r#""""#, "null"),
    ] {
        let json = written(parameters, resources);
        assert!(is_canary(&json, canary()), "{json}");
    }
    let (owner, orders) =
        (PARAMETERS.replace("handsoff-canary", "owner"), RESOURCES.replace("handsoff", "orders"));
    for (parameters, resources) in [
        (&*owner, RESOURCES),
        (&*owner.replace("key", "Key").replace("tags", "TAGS"), RESOURCES),
        (&*owner.replace(r#""key""#, r#""TagKey""#), "null"),
        (PARAMETERS, &*orders),
        ("null", &*orders),
        (&*unnamed, &*orders),
        (&*cased.replace("table/handsoff", "table/orders"), "null"),
        (r#"{"tableName":"orders","tags":[]}"#, "null"),
        (r#"{"resourceArn":{"arn":"orders"}}"#, "null"),
        ("[]", "null"),
    ] {
        let json = written(parameters, resources);
        assert!(!is_canary(&json, canary()), "{json}");
    }
}

fn delivery<'d>(detail: Result<&'d str, &'d EnvelopeError>) -> Delivery<'d> {
    Delivery { payload: "as it came", detail, envelope: Envelope::default() }
}

fn handled(details: &[Result<&str, &EnvelopeError>]) -> (Vec<Answer>, InMemory) {
    let (policy, world) = (Policy::built_in(), InMemory::default());
    world.time.set(Time::parse("2026-03-14T02:00:42Z").unwrap().timestamp());
    let deliveries: Vec<_> = details.iter().map(|detail| delivery(*detail)).collect();
    let drift = DriftFunction::new(engine(&policy), Lease::default(), canary());
    let answers = block_on(handle(&world, &drift, &deliveries));
    (answers, world)
}

#[test]
fn the_canarys_round_trip_is_reported_and_nobody_is_woken() {
    let (answers, world) = handled(&[Ok(CANARY)]);
    assert_eq!(answers, [Answer::Done]);
    assert!(world.sent.borrow().is_empty() && world.observations.borrow().is_empty());
    let sum = |metric| world.report.borrow().sum(metric);
    // A metric that is sent all the time is billed all the time: one is enough.
    assert_eq!((sum(Metric::CanaryRoundTrip), sum(Metric::Lag("handsoff-drift"))), (42.0, 0.0));
}

#[test]
fn what_cannot_be_read_is_rejected_with_its_reason_and_the_rest_is_judged() {
    let deep = format!(r#"{{"eventName":"x","a":{}1{}}}"#, "[".repeat(5000), "]".repeat(5000));
    let junk = "x".repeat(256 * 1024);
    let stopped = CANARY.replace("TagResource", "DeleteTable");
    let details = [
        Err(&EnvelopeError::List { bytes: 2 }),
        Ok("[]"),
        Ok("42"),
        Ok("\"text\""),
        Ok("null"),
        Ok("{}"),
        Ok(r#"{"Records":[]}"#),
        Ok(r#"{"eventName":"x""#),
        Ok(r#"{"eventName":"x"} {"eventName":"y"}"#),
        Ok(&junk),
        Ok(&stopped),
        Ok(r#"{"eventID":7,"eventName":[],"userIdentity":"root","eventTime":{}}"#),
        // Walked level by level it would take seconds of each function.
        Ok(&deep),
    ];
    let (answers, world) = handled(&details);
    assert!(answers.iter().all(|answer| *answer == Answer::Done));
    let dead = world.dead.borrow();
    assert_eq!(dead.len(), 11, "{dead:?}");
    assert!(dead.iter().any(|(_, reason)| reason.contains("nested more than 127 levels deep")), "{dead:?}");
    assert!(dead.iter().all(|(payload, reason)| payload == "as it came" && !reason.is_empty()));
    assert!((world.report.borrow().sum(Metric::UnreadablePayloads("handsoff-drift")) - 11.0).abs() < 0.1);
    // The attack is reported, and what is odd is judged all the same: a change by nobody knows whom.
    let sent = world.sent.borrow();
    let codes: Vec<&str> = sent.iter().map(|message| message.attributes["code"].as_str()).collect();
    assert_eq!(codes, ["drift-write", "trail-tampered"], "{sent:?}");
}

/// A deploy role's change, a deletion that an exception tolerates, and a change by hand.
const SECURITY_GROUP: &str = r#"{"eventID":"2","eventTime":"2026-03-14T02:00:00Z","eventSource":"ec2.amazonaws.com",
    "eventName":"AuthorizeSecurityGroupIngress","awsRegion":"eu-central-1","recipientAccountId":"111122223333",
    "readOnly":false,"userIdentity":{"type":"AssumedRole","accountId":"111122223333","accessKeyId":"ASIAEXAMPLE",
        "arn":"arn:aws:sts::111122223333:assumed-role/deploy/ci",
        "sessionContext":{"sessionIssuer":{"type":"Role","arn":"arn:aws:iam::111122223333:role/deploy"}}},
    "requestParameters":{"groupId":"sg-1"}}"#;

#[test]
fn what_a_deploy_role_changes_is_remembered_and_not_reported() {
    let policy = Policy::parse("p", "[[deploy]]\nidentity = \"arn:aws:iam::*:role/deploy\"\n").unwrap();
    let (world, drift) = (
        InMemory::default(),
        DriftFunction::new(handsoff_functions::engine(&policy), Lease::default(), Canary::default()),
    );
    let by_hand = SECURITY_GROUP.replace("role/deploy", "role/x").replace("/deploy/ci", "/x/ana");
    let read = SECURITY_GROUP.replace("AuthorizeSecurityGroupIngress", "DescribeSecurityGroups");
    let unknown = SECURITY_GROUP.replace("groupId", "groupName");
    for (json, told, kept) in [(SECURITY_GROUP, 0, 1), (&by_hand, 1, 2), (&read, 1, 2), (&unknown, 1, 2)] {
        let deliveries = [delivery(Ok(json))];
        let mut future = std::pin::pin!(handle(&world, &drift, &deliveries));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let answers = loop {
            if let std::task::Poll::Ready(answers) = future.as_mut().poll(&mut context) {
                break answers;
            }
        };
        assert_eq!(answers, [Answer::Done]);
        let ledger =
            world.observations.borrow().keys().filter(|(partition, _)| partition == PARTITION).count();
        assert_eq!((world.sent.borrow().len(), ledger), (told, kept), "{json}");
    }
    // A metric costs more than what is remembered: none is sent for it.
    assert_eq!(world.sends.get(), 1);
}
