//! Drills: a door that was never opened may not open at night.

use handsoff_cloudtrail::Time;
use handsoff_core::finding::Who;
use handsoff_core::policy::BreakGlass;
use handsoff_core::show::clean;
use handsoff_core::story::Ties;
use handsoff_core::{Client, Key, Kind, SessionVerdict, Severity, group};

/// That an emergency identity wasn't used since a time, and should have been by now. One incident for each time that
/// it becomes due. `account` is the one to look in, where the policy doesn't write it out; empty if nothing tells.
pub fn due(entry: &BreakGlass, account: &str, last: Time, now: Time) -> Option<SessionVerdict> {
    let every = entry.drill_every?;
    let at = last + every;
    if now < at {
        return None;
    }
    let (code, identity, time) = (crate::codes::GLASS_DRILL_DUE, entry.identity.as_str(), at.to_string());
    let digest = group::digest(&["drill", identity, &time]);
    let days = every.num_days();
    Some(SessionVerdict {
        code,
        severity: Severity::Medium,
        incident: format!("glass-{digest}"),
        when: Some(time),
        account: clean(entry.identity.account().unwrap_or(account), 32),
        region: String::new(),
        principal: Who {
            kind: Kind::BreakGlass,
            arn: clean(identity, 256),
            name: clean(identity.rsplit('/').next().unwrap_or(identity), 128),
            human: None,
        },
        client: Client::default(),
        identity: clean(identity, 256),
        reason: format!(
            "{} requires a drill every {days} days; its identity was last used, or first monitored, at \
             {last}.",
            entry.line
        ),
        next: code.next_step().into(),
        key: Key::named(&digest),
        time: Some(at),
        known: Some(at),
        ties: Ties::default(),
    })
}
