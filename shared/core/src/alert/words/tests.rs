use crate::code::samples;
use crate::story::Ties;
use proptest::prelude::*;

use super::*;
use crate::finding::{Key, Who};
use crate::principal::Kind;
use crate::{Reported, SessionVerdict};

fn finding(account: &str, name: &str, action: &str) -> Finding {
    Finding {
        code: samples::CHANGE,
        severity: Severity::High,
        incident: "drift-1".into(),
        event_id: "18385b4b-659b-4a85-a734-3de08ddd96b8".into(),
        event_time: Some("2026-03-14T02:00:00Z".into()),
        account: account.into(),
        region: "eu-central-1".into(),
        action: action.into(),
        access: "write".into(),
        class: None,
        error: None,
        principal: Who { kind: Kind::Human, arn: String::new(), name: name.into(), human: None },
        via: "cli".into(),
        source_ip: "192.0.2.1".into(),
        user_agent: "aws-cli/2".into(),
        mfa: None,
        resources: Vec::new(),
        reason: "r".into(),
        next: "n".into(),
        key: Key(1),
        time: None,
        known: None,
        ties: Ties::default(),
    }
}

#[test]
fn a_subject_begins_with_the_account_and_its_name() {
    let finding = finding("111122223333", "bob", "ec2:RunInstances");
    assert_eq!(
        subject(Cause::Worse, Severity::High, (&finding).into(), Some("prod-payments")),
        "111122223333 prod-payments [HIGH] (worse) Production changed by hand: bob, ec2:RunInstances"
    );
    let nowhere = Finding { account: String::new(), ..finding };
    assert_eq!(
        subject(Cause::Opened, Severity::High, (&nowhere).into(), None),
        "[HIGH] Production changed by hand: bob, ec2:RunInstances"
    );
}

#[test]
fn what_is_too_long_is_cut_between_words() {
    assert_eq!(cut("web-frontend/i-0e5b83a1c96f2d704, ec2:Run", 24), "web-frontend/i-...");
    assert_eq!(cut("dana.voss@example.com", 24), "dana.voss@example.com");
    assert_eq!(cut(&"x".repeat(50), 10), "xxxxxxx...");
    assert_eq!(cut("ab1234567890", 9), "ab...");
    assert_eq!(cut("1234567890", 9), "...");
}

/// The numbers in a text, whole.
fn numbers(text: &str) -> Vec<&str> {
    text.split(|char: char| !char.is_ascii_digit()).filter(|run| !run.is_empty()).collect()
}

proptest! {
    #[test]
    fn no_subject_is_too_long_or_ends_in_half_a_number(
        account in prop_oneof![Just("111122223333".to_owned()), "[0-9a-z <]{0,32}"],
        team_name in proptest::option::of("[a-z0-9-]{1,24}"),
        name in prop_oneof!["[a-z./@_-]{0,40}[0-9]{0,60}", "[a-z]{1,8}/i-[0-9a-f]{17}", "\\PC{0,128}"],
        action in prop_oneof!["[a-z0-9]{1,20}:[A-Z][A-Za-z0-9]{0,100}", "\\PC{0,128}"],
        code in proptest::sample::select(&samples::ALL[..]),
        cause in proptest::sample::select(&[Cause::Opened, Cause::Worse, Cause::More, Cause::Closed][..]),
        severity in proptest::sample::select(Severity::ALL),
    ) {
        let finding = finding(&account, &name, &action);
        let reported: Reported = if code.is_about_session() {
            SessionVerdict::on(&finding, "i", code, severity, String::new()).into()
        } else {
            Finding { code, ..finding }.into()
        };
        let subject = subject(cause, severity, reported.as_ref(), team_name.as_deref());
        prop_assert!((1..=99).contains(&subject.len()) && subject.is_ascii(), "{}", subject);
        prop_assert!(subject.starts_with(|char: char| char.is_ascii_graphic()), "{}", subject);
        prop_assert!(subject.starts_with(&ascii(account.trim())), "{}", subject);
        let whole = format!("{account} {} {} {name}, {action}", team_name.unwrap_or_default(), code.title());
        let known = numbers(&whole);
        for number in numbers(&subject) {
            prop_assert!(known.contains(&number), "{} of {}", number, subject);
        }
        prop_assert!(!subject.contains(char::is_control));
    }
}

#[test]
fn the_console_shows_an_event_where_its_id_and_region_have_the_right_form() {
    let link_of = |region: &str, event_id: &str| {
        let finding = finding("1", "a", "b:C");
        link(&Finding { region: region.into(), event_id: event_id.into(), ..finding })
    };
    let id = "18385b4b-659b-4a85-a734-3de08ddd96b8";
    for (region, host) in [
        ("eu-central-1", "eu-central-1.console.aws.amazon.com"),
        ("us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com"),
        ("cn-north-1", "cn-north-1.console.amazonaws.cn"),
        ("eusc-de-east-1", "eusc-de-east-1.console.amazonaws-eusc.eu"),
    ] {
        let link = format!("https://{host}/cloudtrailv2/home?region={region}#/events/{id}");
        assert_eq!(link_of(region, id), Some(link));
    }
    for region in ["", "us-iso-east-1", "evil.example/#", "eu-central-1.evil.example", "eu-central-1@x"] {
        assert_eq!(link_of(region, id), None, "{region}");
    }
    for id in ["", "1", "18385b4b-659b-4a85-a734-3de08ddd96b", "18385b4b-659b-4a85-a734-3de08ddd96bx"] {
        assert_eq!(link_of("eu-central-1", id), None, "{id}");
    }
    assert_eq!(link_of("eu-central-1", &format!("{id}-1")), None);
}
