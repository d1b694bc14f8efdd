//! A subscription of the topic for alerts that is gone: an attack on detection that CloudTrail may not record.

use handsoff_cloudtrail::Time;
use handsoff_core::alert::Period;
use handsoff_core::finding::Who;
use handsoff_core::show::clean;
use handsoff_core::{Finding, Key, Kind, Policy, Severity, group};
use handsoff_runtime::Subscription;

use crate::codes;

/// The finding on a subscription that is gone. The incident is the topic's, of this period: CloudTrail names nobody.
pub fn lost_subscription(lost: &Subscription, policy: &Policy, now: Time) -> Finding {
    let mut arn = lost.arn.split(':').skip(3);
    let (region, account) = (arn.next().unwrap_or_default(), arn.next().unwrap_or_default());
    let period = Period::of("drift-", Some(now), &policy.alerts).to_string();
    let digest = group::digest(&["subscription", &lost.arn, &period]);
    let code = codes::TRAIL_TAMPERED;
    Finding {
        code,
        severity: Severity::High,
        incident: format!("drift-{}", group::digest(&["topic", account, region, &period])),
        event_id: String::new(),
        // The time by which it is known: the same for all sweeps of the period, so that it is reported once.
        event_time: Some(period.clone()),
        account: clean(account, 32),
        region: clean(region, 32),
        action: "sns:Unsubscribe".into(),
        access: "write".into(),
        class: None,
        error: None,
        principal: Who { kind: Kind::Unknown, arn: String::new(), name: "unknown".into(), human: None },
        via: "not recorded".into(),
        source_ip: "unknown".into(),
        user_agent: String::new(),
        mfa: None,
        resources: vec![clean(&lost.arn, 256)],
        reason: format!(
            "A subscription ({}) of the topic for alerts is gone. Unsubscribing by the link in an email \
             leaves no record; an API call to unsubscribe is reported as a finding of its own.",
            clean(&lost.protocol, 16)
        ),
        next: code.next_step().into(),
        key: Key::named(&digest),
        time: Time::parse(&period),
        known: Time::parse(&period),
        ties: handsoff_core::story::Ties::default(),
    }
}
