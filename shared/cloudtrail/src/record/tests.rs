//! Each quirk of real records has a test named for it.

use super::*;
use crate::json::Why;

fn record(json: &str) -> Record<'_> {
    match Record::read(json).unwrap() {
        (Entry::Record(record), end) if end == json.len() => record,
        other => panic!("not one record: {other:?}"),
    }
}

fn texts(json: &str) -> Vec<String> {
    let mut found = Vec::new();
    let (raw, _) = Raw::at(json, 0).unwrap();
    Record::unwrap(raw, &mut |record| found.push(record.event_name.text().unwrap().into_owned()));
    found
}

#[test]
fn unknown_fields_and_a_newer_version_are_fine() {
    let record = record(r#"{"eventVersion":"2.34","eventName":"X","brandNew":{"a":[1]},"eventID":"e"}"#);
    assert_eq!(record.event_version.text().as_deref(), Some("2.34"));
}

#[test]
fn every_field_may_be_absent() {
    let record = record(r#"{"eventName":"X"}"#);
    assert!(record.user_agent.is_absent() && record.read_only.flag().is_none() && !record.failed());
    assert_eq!(record.assumed_role_arn(), None);
    assert_eq!(record.mfa_used(), None);
}

#[test]
fn types_drift() {
    for odd in
        ["{}", "\"\"", "null", "[]", "1", "true", "\"HIDDEN_DUE_TO_SECURITY_REASONS\"", "[[{}]]", "-1.5e9"]
    {
        let json = format!(
            r#"{{"eventName":"X","eventTime":{odd},"userIdentity":{odd},"requestParameters":{odd},"responseElements":{odd},
            "resources":{odd},"additionalEventData":{odd},"readOnly":{odd},"errorCode":{odd},"sourceIPAddress":{odd}}}"#
        );
        let record = record(&json);
        record.assumed_role_arn();
        record.mfa_used();
        crate::resources::of(&record, 8);
        crate::Identity::read(record.user_identity);
    }
}

#[test]
fn read_only_may_be_a_string() {
    assert_eq!(record(r#"{"eventName":"X","readOnly":"true"}"#).read_only.flag(), Some(true));
    assert_eq!(record(r#"{"eventName":"X","readOnly":"False"}"#).read_only.flag(), Some(false));
}

#[test]
fn a_nested_read_only_is_the_callers_own() {
    let json =
        r#"{"eventName":"X","requestParameters":{"readOnly":true,"x":"\"readOnly\":true"},"readOnly":false}"#;
    assert_eq!(record(json).read_only.flag(), Some(false));
    let json = r#"{"eventName":"X","requestParameters":{"a":"}\\\",\"readOnly\":true"}}"#;
    assert_eq!(record(json).read_only.flag(), None);
}

#[test]
fn an_empty_error_code_is_no_error() {
    assert!(!record(r#"{"eventName":"X","errorCode":"","errorMessage":null}"#).failed());
    assert!(record(r#"{"eventName":"X","errorCode":"AccessDenied"}"#).failed());
}

#[test]
fn a_failed_sign_in_has_no_error_code() {
    let json = r#"{"eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","errorMessage":"Failed authentication","responseElements":{"ConsoleLogin":"Failure"}}"#;
    assert!(record(json).failed());
    assert!(
        !record(r#"{"eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","responseElements":{"ConsoleLogin":"Success"}}"#).failed()
    );
    assert!(record(r#"{"eventSource":"signin.amazonaws.com","eventName":"SwitchRole","responseElements":{"SwitchRole":"Failure"}}"#).failed());
}

#[test]
fn mfa_is_written_in_two_cases() {
    let used = |word: &str| {
        let from = "signin.amazonaws.com";
        record(&format!(r#"{{"eventSource":"{from}","additionalEventData":{{"MFAUsed":"{word}"}}}}"#))
            .mfa_used()
    };
    assert_eq!(
        [used("Yes"), used("YES"), used("No"), used("NO"), used("?")],
        [Some(true), Some(true), Some(false), Some(false), None]
    );
}

#[test]
fn a_record_of_256_kb_and_one_nested_deep() {
    let json = format!(
        r#"{{"eventName":"X","requestParameters":{{"a":"{}"}},"readOnly":true}}"#,
        "\\\"".repeat(128 << 10)
    );
    assert_eq!(record(&json).read_only.flag(), Some(true));
    let deep = |levels: usize| {
        let (open, close) = ("[{\"a\":".repeat(levels / 2), "}]".repeat(levels / 2));
        format!(r#"{{"requestParameters":{open}1{close},"eventName":"X"}}"#)
    };
    // The record is a level itself.
    assert_eq!(record(&deep(126)).event_name.text().as_deref(), Some("X"));
    assert_eq!(Record::read(&deep(128)).unwrap_err().why, Why::TooDeep);
    assert_eq!(Record::read(&deep(100_000)).unwrap_err().why, Why::TooDeep);
}

#[test]
fn the_role_asked_for_stands_in_the_request_or_in_the_resources() {
    let arn = "arn:aws:iam::111122223333:role/emergency";
    let request = format!(r#"{{"eventName":"AssumeRole","requestParameters":{{"roleArn":"{arn}"}}}}"#);
    let resource = format!(r#"{{"eventName":"AssumeRole","resources":[{{"ARN":"{arn}"}}]}}"#);
    assert_eq!(record(&request).assumed_role_arn().as_deref(), Some(arn));
    assert_eq!(record(&resource).assumed_role_arn().as_deref(), Some(arn));
}

#[test]
fn a_denied_call_names_its_resource_only_in_the_message() {
    let message = |text: &str| {
        let json = serde_json::json!({"eventName": "X", "errorCode": "AccessDenied", "errorMessage": text, "requestParameters": null});
        record(&json.to_string()).denied_resource()
    };
    let who =
        "User: arn:aws:sts::1:assumed-role/app/s is not authorized to perform: sts:AssumeRole on resource: ";
    let role = "arn:aws:iam::1:role/emergency";
    assert_eq!(message(&format!("{who}{role}")).as_deref(), Some(role));
    assert_eq!(
        message(&format!("{who}{role} because no identity-based policy allows the action")).as_deref(),
        Some(role)
    );
    assert_eq!(
        message(&format!("{who}{role} with an explicit deny in a service control policy")).as_deref(),
        Some(role)
    );
    assert_eq!(message("Access Denied"), None);
    assert_eq!(message("on resource: arn:aws:iam::1:role/x is not authorized to perform: y"), None);
}

#[test]
fn a_denial_is_recognised_by_awss_sentence_at_its_place_only() {
    let denied = |text: &str| {
        let json = serde_json::json!({"eventName": "X", "errorCode": "Whatever", "errorMessage": text});
        record(&json.to_string()).is_denied_by_sentence()
    };
    let sentence = "User: arn:aws:iam::1:user/ana is not authorized to perform: dms:CreateEndpoint";
    let because = "because no identity-based policy allows the dms:CreateEndpoint action";
    assert!(denied(sentence) && denied(&format!("{sentence} {because}")));
    assert!(denied(&format!("{sentence} on resource: arn:aws:x:::y with an explicit deny")));
    assert!(denied("User: anonymous is not authorized to perform: es:ESHttpGet"));
    assert!(denied(&format!("You are not authorized to perform this operation. {sentence}")));
    // A resource's name may hold the very words.
    for text in [
        "Role x is not authorized to perform: y can't be found",
        "The role with name is not authorized to perform: iam:PassRole cannot be found.",
        &format!("Value '{sentence}' at 'name' failed to satisfy constraint"),
        &format!("Stack {sentence} does not exist"),
        "User: ana with name is not authorized to perform: iam:GetUser cannot be found.",
        "User: arn:aws:iam::1:user/ana is not authorized to perform: ",
        "User: ana is not authorized to perform: iam:GetUser",
        "",
    ] {
        assert!(!denied(text), "{text}");
    }
}

#[test]
fn only_sign_in_records_tell_a_sign_in_and_its_second_factor() {
    let json = |source: &str| {
        format!(
            r#"{{"eventSource":"{source}","eventName":"PutItem","responseElements":{{"ConsoleLogin":"Failure","SwitchRole":"Failure"}},
            "additionalEventData":{{"MFAUsed":"Yes"}}}}"#
        )
    };
    for (source, is) in [
        ("signin.amazonaws.com", true),
        ("signin.amazonaws.com.cn", true),
        ("dynamodb.amazonaws.com", false),
        ("signin.example.com", false),
        ("", false),
    ] {
        let json = json(source);
        let record = record(&json);
        assert_eq!((record.failed(), record.mfa_used()), (is, is.then_some(true)), "{source}");
    }
}

#[test]
fn a_container_stops_in_front_of_its_records() {
    let json = r#"{"meta":{"Records":[1]},"Records": [{"eventName":"X"}]}"#;
    let Ok((Entry::Records(at), _)) = Record::read(json) else { panic!("a container") };
    assert!(json[at..].starts_with("[{"));
}

#[test]
fn a_cut_record_is_not_a_record() {
    let json = r#"{"eventName":"X","userIdentity":{"type":"Root"}}"#;
    for cut in 1..json.len() {
        assert!(Record::read(&json[..cut]).is_err(), "{}", &json[..cut]);
    }
}

#[test]
fn wrappers_are_opened() {
    let record = r#"{"eventName":"X","eventID":"e"}"#;
    let quoted = serde_json::to_string(record).unwrap();
    for wrapper in [
        format!(
            r#"{{"version":"0","detail-type":"AWS API Call via CloudTrail","resources":[],"detail":{record}}}"#
        ),
        format!(r#"{{"repo":"r","envelope":{{"detail":{record}}}}}"#),
        format!(r#"{{"Events":[{{"EventId":"e","CloudTrailEvent":{quoted}}}]}}"#),
        format!(r#"{{"messageId":"m","body":{quoted}}}"#),
    ] {
        assert_eq!(texts(&wrapper), ["X"], "{wrapper}");
    }
    assert_eq!(
        texts(r#"{"detail-type":"EC2 Instance State-change Notification","detail":{"state":"running"}}"#)
            .len(),
        0
    );
    let bomb = format!("{}1{}", r#"{"a":"#.repeat(100), "}".repeat(100));
    assert_eq!(texts(&bomb).len(), 0);
}

#[test]
fn a_step_of_a_sign_in_fails_by_its_answer_and_only_there() {
    let read = |source: &str, answer: &str| {
        let json = format!(r#"{{"eventName":"X","eventSource":"{source}","responseElements":{answer}}}"#);
        let (Entry::Record(record), _) = Record::read(&json).unwrap() else { panic!("a record") };
        record.failed()
    };
    for step in ["PasswordRecoveryRequested", "PasswordUpdated", "CheckMfa", "ConsoleLogin", "SwitchRole"] {
        assert!(read("signin.amazonaws.com", &format!(r#"{{"{step}":"Failure"}}"#)), "{step}");
        assert!(read("signin.amazonaws.com.cn", &format!(r#"{{"{step}":"failure"}}"#)), "{step}");
        assert!(!read("signin.amazonaws.com", &format!(r#"{{"{step}":"Success"}}"#)), "{step}");
    }
    assert!(!read("ec2.amazonaws.com", r#"{"ConsoleLogin":"Failure"}"#), "another service's word");
}

#[test]
fn what_another_record_tells() {
    let read = |kind: &str, rest: &str| {
        let json = format!(
            r#"{{"eventSource":"s3.amazonaws.com","eventType":"{kind}","recipientAccountId":"1"{rest}}}"#
        );
        let (Entry::Record(record), _) = Record::read(&json).unwrap() else { panic!("a record") };
        (record.is_sum(), record.is_told_elsewhere())
    };
    assert_eq!(read("AwsAggregatedEvent", ""), (true, true));
    let own = r#","userIdentity":{"accountId":"1"}"#;
    assert_eq!(read("AwsVpceEvents", own), (false, true));
    assert_eq!(read("AwsApiCall", own), (false, false));
    // These have no other record in this account.
    assert_eq!(read("AwsVpceEvents", r#","userIdentity":{"accountId":"2"}"#), (false, false));
    assert_eq!(read("AwsVpceEvents", ""), (false, false));
    assert_eq!(read("AwsVpceEvents", &format!(r#"{own},"errorCode":"VpceAccessDenied""#)), (false, false));
}
