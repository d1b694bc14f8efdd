//! Drills: a door that was never opened may not open at night.

use handsoff_cloudtrail::Time;
use handsoff_core::finding::Who;
use handsoff_core::policy::BreakGlass;
use handsoff_core::show::clean;
use handsoff_core::{Finding, Key, Kind, Severity, group};

/// That an emergency identity wasn't used since a time, and should have been by now. One incident for each time that
/// it becomes due. `account` is the one to look in, where the policy doesn't write it out; empty if nothing tells.
pub fn due(entry: &BreakGlass, account: &str, last: Time, now: Time) -> Option<Finding> {
    let every = entry.drill_every?;
    let at = last + every;
    if now < at {
        return None;
    }
    let (code, identity, time) = (crate::codes::GLASS_DRILL_DUE, entry.identity.as_str(), at.to_string());
    let digest = group::digest(&["drill", identity, &time]);
    let days = every.num_days();
    Some(Finding {
        code,
        severity: Severity::Medium,
        incident: format!("glass-{digest}"),
        event_id: String::new(),
        event_time: Some(time),
        account: clean(entry.identity.account().unwrap_or(account), 32),
        region: String::new(),
        action: String::new(),
        access: "".into(),
        class: None,
        error: None,
        principal: Who {
            kind: Kind::BreakGlass,
            arn: clean(identity, 256),
            name: clean(identity.rsplit('/').next().unwrap_or(identity), 128),
            human: None,
        },
        via: String::new(),
        source_ip: String::new(),
        user_agent: String::new(),
        mfa: None,
        resources: vec![clean(identity, 256)],
        reason: format!(
            "{} requires a drill every {days} days; its identity was last used, or first monitored, at \
             {last}.",
            entry.line
        ),
        next: code.next_step().into(),
        key: Key(u64::from_str_radix(&digest, 16).unwrap_or_default()),
        time: Some(at),
        known: Some(at),
        ties: handsoff_core::story::Ties::default(),
    })
}
