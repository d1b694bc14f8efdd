//! What alerts of an incident are scheduled by: its findings and verdicts in short.

use std::sync::Arc;

use handsoff_cloudtrail::Time;

use super::Incident;
use crate::alert::{Reach, Topic};
use crate::finding::{Finding, Key};
use crate::session_verdict::SessionVerdict;
use crate::severity::Severity;

/// What an incident remembers of each of its findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark {
    pub(super) known: Option<Time>,
    pub(super) time: Option<Time>,
    pub(super) key: Key,
    pub(super) severity: Severity,
    pub(super) topic: Topic,
}

impl Mark {
    pub(super) fn of(finding: &Finding) -> Self {
        let Finding { known, time, key, severity, .. } = *finding;
        Self { known, time, key, severity, topic: finding.topic() }
    }
}

/// A finding or a verdict of an incident.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Entry<'i> {
    Call(&'i Mark),
    Session(&'i Arc<SessionVerdict>),
}

impl Entry<'_> {
    /// When it could be known.
    pub(crate) fn known(self) -> Option<Time> {
        match self {
            Self::Call(mark) => mark.known,
            Self::Session(verdict) => verdict.known,
        }
    }

    /// When it happened.
    pub(crate) fn time(self) -> Option<Time> {
        match self {
            Self::Call(mark) => mark.time,
            Self::Session(verdict) => verdict.time,
        }
    }

    /// How urgent it is.
    pub(crate) fn severity(self) -> Severity {
        match self {
            Self::Call(mark) => mark.severity,
            Self::Session(verdict) => verdict.severity,
        }
    }

    /// Adds it to what alerts depend on.
    pub(crate) fn count_in(self, reach: &mut Reach) {
        match self {
            Self::Call(mark) => reach.add(mark.topic, mark.severity),
            Self::Session(verdict) => reach.add_verdict(verdict.code, verdict.severity),
        }
    }

    fn order(self) -> Mark {
        match self {
            Self::Call(mark) => *mark,
            Self::Session(verdict) => {
                let SessionVerdict { known, time, key, severity, code, .. } = **verdict;
                Mark { known, time, key, severity, topic: code.into() }
            }
        }
    }
}

impl Incident {
    /// All, in the order in which they could be known.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let mut verdicts: Vec<Entry<'_>> = self.verdicts.values().map(Entry::Session).collect();
        verdicts.sort_by_key(|verdict| verdict.order());
        let mut verdicts = verdicts.into_iter().peekable();
        let mut calls = self.marks.keys().map(Entry::Call).peekable();
        std::iter::from_fn(move || {
            let is_verdict = match (verdicts.peek(), calls.peek()) {
                (Some(verdict), Some(call)) => verdict.order() < call.order(),
                (verdict, _) => verdict.is_some(),
            };
            if is_verdict { verdicts.next() } else { calls.next() }
        })
    }
}
