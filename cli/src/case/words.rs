//! The words that several outputs have in common.

use handsoff_case::facts::KnownBy;
use handsoff_case::observation::{Did, Ended};
use handsoff_case::session::{Approval, Ticket};
use handsoff_case::{Grant, Manifest, Observation, Seen};
use handsoff_cloudtrail::{Time, TimeDelta};

use super::harmless::shown;
pub(super) use crate::output::{length, time};

/// How long calls went on after the window: whole minutes, as its violation tells it.
pub(super) fn overdue(over: TimeDelta) -> String {
    let rest = TimeDelta::seconds(59);
    length(TimeDelta::minutes(over.checked_add(&rest).unwrap_or(over).num_minutes()))
}

/// The approval in one word, for tables and programs.
pub(super) fn verdict(manifest: &Manifest) -> &'static str {
    match (&manifest.approval, manifest.approval_required) {
        (Approval::Approved { .. }, _) => "approved",
        (Approval::SelfApproved { .. }, _) => "self-approved",
        (Approval::Missing { .. }, true) => "missing",
        (Approval::Missing { .. }, false) => "not-asked",
    }
}

/// The approval's verdict in words.
pub(super) fn approval(manifest: &Manifest) -> String {
    match (&manifest.approval, manifest.approval_required) {
        (Approval::Approved { grant }, _) => format!("approved by {}", shown(&grant.approver)),
        (Approval::SelfApproved { grant }, _) => {
            format!("approved by {}, who requested or used it: does not count", shown(&grant.approver))
        }
        (Approval::Missing { nearest: Some((_, why)) }, true) => {
            format!("MISSING: the nearest grant does not count: {}", shown(why))
        }
        (Approval::Missing { nearest: None }, true) => "MISSING: there was no grant".into(),
        (Approval::Missing { nearest: Some((_, why)) }, false) => {
            format!("none, and none is required; the nearest grant does not count: {}", shown(why))
        }
        (Approval::Missing { nearest: None }, false) => "none, and the policy requires none".into(),
    }
}

/// The grant that counts, or the nearest one.
pub(super) fn grant(manifest: &Manifest) -> Option<&Grant> {
    match &manifest.approval {
        Approval::Approved { grant } | Approval::SelfApproved { grant } => Some(grant),
        Approval::Missing { nearest } => nearest.as_ref().map(|(grant, _)| grant),
    }
}

/// The person, and how they are known.
pub(super) fn person(manifest: &Manifest) -> (String, Option<KnownBy>) {
    match &manifest.person {
        Some(person) => (shown(&person.name), Some(person.known_by)),
        None => ("unknown: the records don't say".into(), None),
    }
}

/// The ticket and where it was found.
pub(super) fn ticket(ticket: Option<&Ticket>) -> String {
    ticket.map_or_else(|| "none".to_owned(), |it| format!("{} (in {})", shown(&it.id), shown(&it.from)))
}

/// How long the window of a grant or session is, as text between two times.
pub(super) fn span(from: Option<Time>, until: Option<Time>) -> String {
    match (from, until) {
        (Some(from), Some(until)) if until >= from => {
            format!("{} to {} ({})", time(Some(from)), time(Some(until)), length(until - from))
        }
        _ => format!("{} to {}", time(from), time(until)),
    }
}

/// When a session ended, by what, and how long after its beginning.
pub(super) fn end(manifest: &Manifest) -> String {
    let Some(end) = &manifest.end else { return "not known".into() };
    let after = manifest.started.filter(|started| *started < end.at).map(|started| end.at - started);
    let after = after.map(|after| format!(", {} after it began", length(after))).unwrap_or_default();
    format!("{}{after}: {}", time(Some(end.at)), end.by.meaning())
}

/// How a call ended, with its error code.
pub(super) fn result(call: &Observation) -> String {
    let error = call.error.as_deref().map(shown).unwrap_or_default();
    let word = match call.ended {
        Ended::Succeeded => "",
        Ended::Denied => "denied",
        Ended::Failed => "failed",
    };
    match (word, error.as_str()) {
        (word, "") => word.into(),
        ("", error) => error.into(),
        (word, error) => format!("{word}: {error}"),
    }
}

/// What a call did, in a word.
pub(super) fn did(did: Did) -> &'static str {
    match did {
        Did::Write => "write",
        Did::Read => "read",
        Did::SignIn => "sign-in",
    }
}

/// Where calls were learned from.
pub(super) fn source(seen: Seen) -> &'static str {
    match seen {
        Seen::EventBridge => "EventBridge, as they happened",
        Seen::LookupEvents => "LookupEvents, after the end",
        Seen::Logs => "saved logs",
    }
}

/// The name that people know an identity by: the permission set, or what stands at the ARN's end.
pub(super) fn identity(identity: &str) -> String {
    let name = identity.rsplit(['/', ':']).next().unwrap_or(identity);
    shown(handsoff_cloudtrail::permission_set_of(name).unwrap_or(name))
}
