use handsoff_cloudtrail::{Entry, Record};
use serde_json::Value;

use super::*;
use crate::code::samples;
use crate::{Call, Policy, Trace};

fn finding(code: Code) -> Finding {
    let json = r#"{"eventID":"e","eventTime":"2026-03-14T02:00:00Z","eventSource":"ec2.amazonaws.com","awsRegion":"eu-west-1",
        "eventName":"RunInstances","errorCode":"Client.Wrong","sourceIPAddress":"192.0.2.1","userAgent":"aws-cli/2",
        "userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::1:user/a","accountId":"1","userName":"a"},
        "requestParameters":{"instanceId":"i-1"}}"#;
    let (Entry::Record(record), _) = Record::read(json).unwrap() else { panic!("a record") };
    let call = Call::classify(record, &Policy::built_in(), &mut Trace::off());
    Finding::new(&call, code, Severity::High, "r".into())
}

/// One of each code.
fn each() -> impl Iterator<Item = Reported> {
    Code::all().iter().map(|code| {
        if code.is_about_session() {
            SessionVerdict::on(&finding(samples::OPENED), "root", *code, Severity::High, "r".into()).into()
        } else {
            finding(*code).into()
        }
    })
}

#[test]
fn what_is_stored_comes_back_as_what_it_was() {
    for reported in each() {
        let it = reported.as_ref();
        let hidden = Hidden { key: it.key(), time: it.time(), known: it.known(), ties: it.ties().clone() };
        let back: Reported = serde_json::from_str(&serde_json::to_string(&reported).unwrap()).unwrap();
        assert_eq!(back.with(hidden), reported, "{}", it.code());
    }
}

#[test]
fn a_verdict_on_a_session_is_written_as_a_finding_without_what_only_a_call_has() {
    let fields = |reported: &Reported| match serde_json::to_value(reported).unwrap() {
        Value::Object(fields) => fields,
        other => panic!("{other}"),
    };
    let call = Reported::from(finding(samples::OPENED));
    for verdict in each().filter(|it| it.call().is_none()) {
        let (own, all) = (fields(&verdict), fields(&call));
        assert!(own.keys().eq(all.keys()), "{own:?}");
        for (name, value) in &own {
            let expected = match name.as_str() {
                "event_id" | "action" | "access" => "".into(),
                "class" | "error" => Value::Null,
                "resources" => ["root"].into_iter().collect(),
                "code" => verdict.as_ref().code().as_str().into(),
                "next" => verdict.as_ref().code().next_step().into(),
                _ => all[name].clone(),
            };
            assert_eq!(*value, expected, "{name}");
        }
    }
}

#[test]
fn a_code_says_which_of_both_it_is() {
    let first = finding(samples::OPENED);
    for code in Code::all() {
        let is_call = !code.is_about_session();
        let verdict = SessionVerdict::on(&first, "root", *code, Severity::High, "r".into());
        for reported in [Reported::from(finding(*code)), Reported::from(verdict)] {
            assert_eq!((reported.as_ref().code(), reported.call().is_some()), (*code, is_call));
        }
    }
}
