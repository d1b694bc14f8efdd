//! Findings.

use handsoff_cloudtrail::Time;
use handsoff_core::finding::{Finding, Key, Who};
use handsoff_core::story::Ties;
use handsoff_core::{Code, Kind, Severity};

use crate::records::ACCOUNT;

/// When the first of them was.
pub const START: i64 = 1_772_000_000;

/// A finding of an event of its own: the `n`th, in the `n`th second.
pub fn finding(code: Code, n: u64, severity: Severity) -> Finding {
    let time = Time::from_timestamp(START + i64::try_from(n).unwrap());
    Finding {
        code,
        severity,
        incident: "drift-1".into(),
        event_id: n.to_string(),
        event_time: Some(time.to_string()),
        account: ACCOUNT.into(),
        region: "eu-central-1".into(),
        action: "ec2:RunInstances".into(),
        access: "write".into(),
        class: None,
        error: None,
        principal: Who { kind: Kind::Human, arn: String::new(), name: "bob".into(), human: None },
        via: "cli".into(),
        source_ip: "192.0.2.1".into(),
        user_agent: "aws-cli/2".into(),
        mfa: None,
        resources: Vec::new(),
        reason: "r".into(),
        next: "n".into(),
        key: Key(n),
        time: Some(time),
        known: Some(time),
        ties: Ties::default(),
    }
}
