//! Break-glass: whatever an emergency identity does, and all attempts to assume one.
//!
//! Codes on calls: `glass-opened`, `glass-activity`, `glass-escalation`, `glass-overdue`, `glass-sign-in-failed`,
//! `root-activity`; and drift's `trail-tampered` when an emergency identity attacks logging, reported in the session's
//! incident. Codes on sessions, which follow from all of their calls ([`handsoff_case::Session`]):
//! `glass-unapproved`, `glass-self-approved`, `glass-not-on-roster`, `glass-no-ticket`, `glass-no-mfa`,
//! `glass-closed`; and on identities that nobody has tried for too long `glass-drill-due`.

pub mod live;

use handsoff_case::codes;
use handsoff_cloudtrail::{AccessLevel, Class, Effect, Time, TimeDelta};
use handsoff_core::detector::{About, Claim, IdentityFacts, Priority, RecordFacts, Watch};
use handsoff_core::policy::Policy;
use handsoff_core::rules::{Rule, Whose};
use handsoff_core::{Call, Detector, Disposition, Finding, Kind, Outcome, Severity, Target, Trace, Verdict};

/// The detector.
#[derive(Debug)]
pub struct BreakGlass;

const CLAIMS: [Claim; 1] = [Claim { priority: Priority::Identity, covers: is_by_or_for_emergency_identity }];

/// As in part.yaml.
const RULES: [Rule; 4] = [
    Rule { id: "BreakGlassRule", whose: Whose::None, pattern: include_str!("../patterns/break-glass.json") },
    Rule {
        id: "BreakGlassSessionsRule",
        whose: Whose::BreakGlass,
        pattern: include_str!("../patterns/break-glass-sessions.json"),
    },
    Rule {
        id: "BreakGlassUsersRule",
        whose: Whose::BreakGlass,
        pattern: include_str!("../patterns/break-glass-users.json"),
    },
    Rule {
        id: "BreakGlassAssumedRule",
        whose: Whose::BreakGlass,
        pattern: include_str!("../patterns/break-glass-assumed.json"),
    },
];

const ABOUT: About = About { name: "break-glass", codes: &codes::ALL, claims: &CLAIMS, rules: &RULES };

impl Detector for BreakGlass {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    /// Every call is a finding, once there is a session: no policy excepts an emergency identity.
    fn judge(&self, call: &Call<'_>, policy: &Policy, trace: &mut Trace) -> Verdict {
        // A step before there is a session says nothing yet; of root every step is reported.
        let step = call.effect == Effect::SignInPlumbing && !call.principal.is_root();
        if step && call.principal.identity.creation_date.is_none() && !call.grants_sign_in() {
            return Verdict::Nothing(Disposition::SignInStep);
        }
        judge(call, policy, trace).into()
    }

    fn watches_identity(&self, who: &IdentityFacts<'_>, _: &Policy) -> Watch {
        if who.principal.kind == Kind::BreakGlass { Watch::Always } else { Watch::No }
    }

    fn watches(&self, facts: &RecordFacts<'_>) -> bool {
        matches!(facts.target, Some(Target::Root | Target::BreakGlass(_)))
    }
}

fn is_by_or_for_emergency_identity(call: &Call<'_>, _: &Policy, trace: &mut Trace) -> bool {
    let glass = call.principal.kind == Kind::BreakGlass || call.takes_break_glass();
    trace.step("by or for an emergency id?", || if glass { "yes" } else { "no" }.into());
    glass
}

fn judge(call: &Call<'_>, policy: &Policy, trace: &mut Trace) -> Finding {
    if call.takes_break_glass() {
        trace.step("rule glass-opened", || "the call assumes an emergency identity".into());
        return taken(call, policy);
    }
    if let Some(attack) = call.attack {
        trace.step("rule trail-tampered", || format!("it {}", attack.what));
        let (severity, how) = match call.outcome {
            Outcome::Succeeded if attack.grave || call.principal.is_root() => (Severity::Critical, ""),
            Outcome::Succeeded => (Severity::High, ""),
            _ => (Severity::High, " It failed; the attempt is reported."),
        };
        let reason = format!("An emergency identity's call {}.{how}", attack.what);
        return handsoff_drift::attack(call, severity, reason);
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
    if call.grants_sign_in() {
        trace.step("rule glass-opened", || "an emergency identity signed in for the command line".into());
        let line = line(policy, call.principal.entry);
        let reason =
            format!("An emergency identity ({line}) signed in for the command line, with `aws login`.");
        return Finding::new(call, codes::GLASS_OPENED, Severity::High, reason);
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
        return Finding::new(call, codes::GLASS_ESCALATION, severity, reason);
    }
    trace.step("rule glass-escalation", || {
        "no permissions changed, no identity or credential created or obtained".into()
    });
    if let Some((line, minutes)) = overdue {
        trace.step("rule glass-overdue", || format!("{minutes} minutes after the window of {line}"));
        let reason = format!(
            "{line} limits a session to `max_session`; this call came {minutes} minutes after that limit."
        );
        return Finding::new(call, codes::GLASS_OVERDUE, Severity::High, reason);
    }
    trace.step("rule glass-overdue", || "within the session's allowed time, or its start isn't known".into());
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
        let reason = format!("The call assumed an emergency identity ({line}): a session begins.");
        return Finding::new(call, codes::GLASS_OPENED, severity, reason);
    }
    let reason = format!("The call tried to assume an emergency identity ({line}), and failed.");
    Finding::new(call, codes::GLASS_SIGN_IN_FAILED, Severity::High, reason)
}

fn root(call: &Call<'_>) -> Finding {
    let failed = call.outcome != Outcome::Succeeded;
    if failed && call.effect == Effect::SignsIn {
        let reason = "A sign-in as root failed.".to_owned();
        return Finding::new(call, codes::GLASS_SIGN_IN_FAILED, Severity::High, reason);
    }
    if call.action.service == "signin" && &*call.action.name == "PasswordRecoveryRequested" {
        let how = if failed { ", and the request failed" } else { "" };
        let reason = format!(
            "Somebody requested a recovery of root's password{how}. Anyone who knows its email address can \
             do that."
        );
        return Finding::new(call, codes::ROOT_ACTIVITY, Severity::High, reason);
    }
    let (severity, what) = match call.effect {
        Effect::SignsIn => (Severity::Critical, "signed in"),
        Effect::Changes if !failed => (Severity::Critical, "changed something"),
        Effect::Changes => (Severity::High, "tried to change something"),
        Effect::Reads => (Severity::High, "made a call that changes nothing"),
        Effect::SignInPlumbing => (Severity::Medium, "made a step of a sign-in"),
    };
    let reason = format!("The root user {what}. No daily task needs root; no policy can except it.");
    Finding::new(call, codes::ROOT_ACTIVITY, severity, reason)
}

fn signed_in(call: &Call<'_>, policy: &Policy) -> Finding {
    let line = line(policy, call.principal.entry);
    if call.outcome == Outcome::Succeeded {
        let mfa = match call.mfa() {
            Some(true) => "with MFA",
            Some(false) => "without MFA",
            None => "and the record can't prove whether MFA was used",
        };
        let reason = format!("An emergency identity ({line}) signed in to the console, {mfa}.");
        return Finding::new(call, codes::GLASS_OPENED, Severity::High, reason);
    }
    let reason = format!("A sign-in as an emergency identity ({line}) failed.");
    Finding::new(call, codes::GLASS_SIGN_IN_FAILED, Severity::High, reason)
}

/// Whether the call gives the session, or somebody after it, more than it had: how urgent that is, and what it did.
fn escalation(call: &Call<'_>) -> Option<(Severity, &'static str)> {
    if call.outcome != Outcome::Succeeded {
        return None;
    }
    if let Some(Target::Deploy(_)) = call.target {
        let what =
            "assumed a deploy role: what that changes from now on is a person's doing, not the pipeline's";
        return Some((Severity::High, what));
    }
    match call.class()? {
        Class::Identity => Some((Severity::High, "created an identity, or a key or password of one")),
        Class::Permissions if call.effect == Effect::Changes => Some((Severity::High, "changed permissions")),
        Class::Credentials => Some((Severity::Medium, "obtained further credentials")),
        Class::Guardrail => Some((Severity::High, "changed a guardrail")),
        Class::Sharing => Some((Severity::High, "let principals outside the account use a resource")),
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
        (Outcome::Succeeded, ..) if call.class() == Some(Class::WayIn) => (
            Severity::High,
            "opened interactive access to a machine, where CloudTrail doesn't record what is typed",
        ),
        (Outcome::Succeeded, ..) if call.class() == Some(Class::Destruction) => {
            (Severity::High, "destroyed data, or what is needed to restore it")
        }
        (Outcome::Succeeded, Effect::Changes, _) => (Severity::Medium, "changed something"),
        (Outcome::Succeeded, _, _) => (Severity::Info, "made a call that changes nothing"),
        (_, Effect::Changes, _) => (Severity::Low, "tried to change something"),
        _ => (Severity::Info, "tried a call"),
    };
    let reason = format!("An emergency identity ({}) {what}.", line(policy, call.principal.entry));
    Finding::new(call, codes::GLASS_ACTIVITY, severity, reason)
}

/// By how many minutes a call came after the session's allowed time, and the line that allows it.
fn overdue(call: &Call<'_>, policy: &Policy) -> Option<(String, i64)> {
    let entry = policy.break_glass.get(call.principal.entry?)?;
    let start = Time::parse(call.principal.identity.creation_date.as_deref()?)?;
    let over = call.time? - (start + entry.max_session);
    // Rounded up: one second over is not on time.
    (over > TimeDelta::zero())
        .then(|| (entry.line.to_string(), (over + TimeDelta::seconds(59)).num_minutes()))
}

fn line(policy: &Policy, entry: Option<usize>) -> String {
    entry
        .and_then(|entry| policy.break_glass.get(entry))
        .map(|entry| entry.line.to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
