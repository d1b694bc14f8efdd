//! What stops the identity of a finding.

use super::*;
use handsoff_cloudtrail::{Entry, Record};

use crate::code::samples;
use crate::{Call, Policy, Trace};

fn stop(arn: &str, severity: Severity) -> Option<Stop> {
    let json = r#"{"eventSource":"ec2.amazonaws.com","eventName":"RunInstances"}"#;
    let Ok((Entry::Record(record), _)) = Record::read(json) else { panic!("a record") };
    let call = Call::classify(record, &Policy::built_in(), &mut Trace::off());
    let mut finding = Finding::new(&call, samples::CHANGE, severity, String::new());
    finding.account = "111122223333".into();
    finding.principal.arn = arn.into();
    Stop::of(&finding)
}

#[test]
fn a_session_is_stopped_by_its_role_and_a_user_by_a_policy() {
    let role = stop("arn:aws:iam::111122223333:role/app/orders", Severity::High).unwrap();
    assert!(role.command.starts_with("aws iam put-role-policy --role-name orders --policy-name "));
    assert!(
        role.command
            .contains(r#"\"DateLessThan\":{\"aws:TokenIssueTime\":\"$(date -u +%Y-%m-%dT%H:%M:%SZ)\"}"#)
    );
    let user = stop("arn:aws:iam::111122223333:user/mallory", Severity::Critical).unwrap();
    assert!(user.command.starts_with("aws iam put-user-policy --user-name mallory --policy-name DenyAll "));
}

#[test]
fn there_is_none_where_none_would_help_or_a_name_would_mean_more() {
    for arn in [
        "arn:aws:iam::111122223333:root",
        "arn:aws:iam::999988887777:role/deploy",
        "arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX",
        "arn:aws:iam::111122223333:role/AWSReservedSSO_Admin_0123456789abcdef",
        "arn:aws:iam::111122223333:role/$(reboot)",
        "arn:aws:iam::111122223333:role/a;b",
        "arn:aws:iam::111122223333:role/--profile",
        "arn:aws:iam::111122223333:role/a b",
        "",
    ] {
        assert_eq!(stop(arn, Severity::Critical), None, "{arn}");
    }
    assert_eq!(stop("arn:aws:iam::111122223333:role/x", Severity::Medium), None, "nobody is woken");
}

#[test]
fn the_page_has_the_same_commands() {
    // Where the AWS CLI's models are asked about them.
    let page = include_str!("../../../../../docs/respond.md");
    for arn in ["role/app/orders", "user/mallory"] {
        let command = stop(&format!("arn:aws:iam::111122223333:{arn}"), Severity::High).unwrap().command;
        assert!(page.lines().any(|line| line == command), "{command}");
    }
}
