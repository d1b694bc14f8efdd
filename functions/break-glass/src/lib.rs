//! Break-glass: whatever an emergency identity does, and whoever takes one on or tries to.
//!
//! Codes on calls: `glass-opened`, `glass-activity`, `glass-escalation`, `glass-overdue`, `glass-sign-in-failed`,
//! `root-activity`; and drift's `trail-tampered` when an emergency identity attacks logging, told in the session's
//! incident. Codes on sessions, which follow from all of their calls ([`handsoff_case::Session`]):
//! `glass-unapproved`, `glass-self-approved`, `glass-not-on-roster`, `glass-no-ticket`, `glass-no-mfa`,
//! `glass-closed`; and on identities that nobody has tried for too long `glass-drill-due`.

pub mod live;

use handsoff_cloudtrail::{AccessLevel, Class, Effect, Time};
use handsoff_core::policy::Policy;
use handsoff_core::{Call, Code, Finding, Outcome, Severity, Target, Trace};

/// Judges a call that belongs to break-glass ([`handsoff_core::Owner::BreakGlass`]). Every such call is a
/// finding: no policy excepts an emergency identity.
pub fn judge(call: &Call<'_>, policy: &Policy, trace: &mut impl Trace) -> Finding {
    if call.takes_break_glass() {
        trace.step("rule glass-opened", || "the call asks for an emergency identity".into());
        return taken(call, policy);
    }
    if let Some(attack) = call.attack {
        trace.step("rule trail-tampered", || format!("it {}", attack.what));
        let (severity, how) = match call.outcome {
            Outcome::Succeeded if attack.grave => (Severity::Critical, ""),
            Outcome::Succeeded => (Severity::High, ""),
            _ => (Severity::High, " It failed, and somebody tried."),
        };
        let reason = format!("An emergency identity's call {}.{how}", attack.what);
        return Finding::new(call, Code::TrailTampered, severity, reason);
    }
    trace.step("rule trail-tampered", || "no attack on logging or detection".into());
    if call.principal.is_root() {
        trace.step("rule root-activity", || "root acted".into());
        return root(call);
    }
    if call.effect == Effect::SignsIn {
        trace.step("rule glass-opened", || "an emergency identity signed in".into());
        return signed_in(call, policy);
    }
    let overdue = overdue(call, policy);
    if let Some((severity, what)) = escalation(call) {
        trace.step("rule glass-escalation", || format!("it {what}"));
        let late = match &overdue {
            Some((_, minutes)) => format!(" It came {minutes} minutes after the session's allowed time."),
            None => String::new(),
        };
        let line = line(policy, call.principal.entry);
        let reason = format!("An emergency identity ({line}) {what}.{late}");
        return Finding::new(call, Code::GlassEscalation, severity, reason);
    }
    trace.step("rule glass-escalation", || "no permissions changed, no identity or key made or taken".into());
    if let Some((line, minutes)) = overdue {
        trace.step("rule glass-overdue", || format!("{minutes} minutes after the window of {line}"));
        let reason =
            format!("{line} allows a session `max_session`; this call came {minutes} minutes after that.");
        return Finding::new(call, Code::GlassOverdue, Severity::High, reason);
    }
    trace.step("rule glass-overdue", || "within the session's allowed time, or its start isn't told".into());
    activity(call, policy)
}

/// Somebody asks for an emergency identity.
fn taken(call: &Call<'_>, policy: &Policy) -> Finding {
    let (root, line) = match call.target {
        Some(Target::BreakGlass(entry)) => (false, line(policy, Some(entry))),
        _ => (true, "AssumeRoot".to_owned()),
    };
    if call.outcome == Outcome::Succeeded {
        let severity = if root { Severity::Critical } else { Severity::High };
        let reason = format!("The call takes on an emergency identity ({line}): a session begins.");
        return Finding::new(call, Code::GlassOpened, severity, reason);
    }
    let reason = format!("The call asked for an emergency identity ({line}), and was refused.");
    Finding::new(call, Code::GlassSignInFailed, Severity::High, reason)
}

fn root(call: &Call<'_>) -> Finding {
    let failed = call.outcome != Outcome::Succeeded;
    if failed && call.effect == Effect::SignsIn {
        let reason = "Somebody tried to sign in as root, and failed.".to_owned();
        return Finding::new(call, Code::GlassSignInFailed, Severity::High, reason);
    }
    if call.action.service == "signin" && &*call.action.name == "PasswordRecoveryRequested" {
        let how = if failed { ", and it wasn't granted" } else { "" };
        let reason = format!(
            "Somebody asked to recover root's password{how}. Whoever knows its mail address can ask."
        );
        return Finding::new(call, Code::RootActivity, Severity::High, reason);
    }
    let (severity, what) = match call.effect {
        Effect::SignsIn => (Severity::Critical, "signed in"),
        Effect::Changes if !failed => (Severity::Critical, "changed something"),
        Effect::Changes => (Severity::High, "tried to change something"),
        Effect::Reads => (Severity::High, "looked at something"),
        Effect::SignInPlumbing => (Severity::Medium, "took a step of a sign-in"),
    };
    let reason = format!("The root user {what}. Nothing day to day needs root; no policy can except it.");
    Finding::new(call, Code::RootActivity, severity, reason)
}

fn signed_in(call: &Call<'_>, policy: &Policy) -> Finding {
    let line = line(policy, call.principal.entry);
    if call.outcome == Outcome::Succeeded {
        let mfa = match call.mfa() {
            Some(true) => "with a second factor",
            Some(false) => "without a second factor",
            None => "where the record can't prove a second factor",
        };
        let reason = format!("An emergency identity ({line}) signed in to the console, {mfa}.");
        return Finding::new(call, Code::GlassOpened, Severity::High, reason);
    }
    let reason = format!("Somebody tried to sign in as an emergency identity ({line}), and failed.");
    Finding::new(call, Code::GlassSignInFailed, Severity::High, reason)
}

/// Whether the call gives the session, or somebody after it, more than it had: how urgent that is, and what it did.
fn escalation(call: &Call<'_>) -> Option<(Severity, &'static str)> {
    if call.outcome != Outcome::Succeeded {
        return None;
    }
    match call.class()? {
        Class::Identity => Some((Severity::High, "made an identity, or a key or password of one")),
        Class::Permissions if call.effect == Effect::Changes => Some((Severity::High, "changed permissions")),
        Class::Credentials => Some((Severity::Medium, "took further credentials")),
        Class::Guardrail => Some((Severity::High, "changed what keeps others in bounds")),
        Class::Sharing => Some((Severity::High, "let others than the account's own use a resource")),
        Class::Detection
        | Class::Permissions
        | Class::WayIn
        | Class::Commands
        | Class::Destruction
        | Class::Network => None,
    }
}

fn activity(call: &Call<'_>, policy: &Policy) -> Finding {
    let (severity, what) = match (&call.outcome, call.effect, call.access()) {
        (Outcome::Denied(_), _, _) => (Severity::Medium, "was denied a call"),
        (Outcome::Succeeded, Effect::Changes, AccessLevel::Tagging) => (Severity::Low, "changed tags"),
        (Outcome::Succeeded, ..) if call.class() == Some(Class::WayIn) => {
            (Severity::High, "opened a way into a machine, where CloudTrail doesn't see what is typed")
        }
        (Outcome::Succeeded, ..) if call.class() == Some(Class::Destruction) => {
            (Severity::High, "destroyed data, or what it could be restored with")
        }
        (Outcome::Succeeded, Effect::Changes, _) => (Severity::Medium, "changed something"),
        (Outcome::Succeeded, _, _) => (Severity::Info, "looked at something"),
        (_, Effect::Changes, _) => (Severity::Low, "tried to change something"),
        _ => (Severity::Info, "tried a call"),
    };
    let reason = format!("An emergency identity ({}) {what}.", line(policy, call.principal.entry));
    Finding::new(call, Code::GlassActivity, severity, reason)
}

/// By how many minutes a call came after the session's allowed time, and the line that allows it.
fn overdue(call: &Call<'_>, policy: &Policy) -> Option<(String, i64)> {
    let entry = policy.break_glass.get(call.principal.entry?)?;
    let start = Time::parse(call.principal.identity.creation_date.as_deref()?)?;
    let over = (call.time? - (start + entry.max_session)).num_seconds();
    // Rounded up: one second over is not on time.
    (over > 0).then(|| (entry.line.to_string(), (over + 59) / 60))
}

fn line(policy: &Policy, entry: Option<usize>) -> String {
    entry
        .and_then(|entry| policy.break_glass.get(entry))
        .map(|entry| entry.line.to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
