use handsoff_cloudtrail::{Entry, Record};
use handsoff_core::origins::Origins;
use handsoff_core::{Policy, Trace, Verdict};

use crate::codes;

/// What is said of a call with these fields.
fn verdict(fields: &str) -> Verdict {
    let text = format!(
        r#"{{"eventID":"e","eventTime":"2026-03-14T02:00:00Z","eventSource":"route53domains.amazonaws.com",
        "recipientAccountId":"111122223333","userIdentity":{{"type":"IAMUser",
        "arn":"arn:aws:iam::111122223333:user/ann","userName":"ann"}},{fields}}}"#
    );
    let Ok((Entry::Record(record), _)) = Record::read(&text) else { panic!("no record: {text}") };
    let policy = Policy::built_in();
    let engine = handsoff_functions::engine(&policy);
    let call = engine.classify(record, &Origins::default(), &mut Trace::off());
    engine.judge(&call, &mut Trace::off())
}

#[test]
fn a_domain_that_is_given_away_is_told() {
    let verdict = verdict(r#""eventName":"TransferDomainToAnotherAwsAccount""#);
    assert_eq!(verdict.finding().unwrap().code, codes::DOMAIN_TRANSFERRED);
}

#[test]
fn what_failed_and_other_changes_are_no_transfer() {
    for fields in [
        r#""eventName":"TransferDomainToAnotherAwsAccount","errorCode":"InvalidInput""#,
        r#""eventName":"RenewDomain""#,
    ] {
        let verdict = verdict(fields);
        assert!(verdict.finding().is_none_or(|it| it.code != codes::DOMAIN_TRANSFERRED), "{fields}");
    }
}
