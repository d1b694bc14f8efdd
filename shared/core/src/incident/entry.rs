//! What alerts of an incident are scheduled by: its findings and verdicts in short.

use std::sync::Arc;

use handsoff_cloudtrail::Time;

use crate::finding::{Finding, Key};
use crate::milestone::{Reach, Topic};
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

    /// The order in which they could be known.
    pub(super) fn order(self) -> Mark {
        match self {
            Self::Call(mark) => *mark,
            Self::Session(verdict) => {
                let SessionVerdict { known, time, key, severity, code, .. } = **verdict;
                Mark { known, time, key, severity, topic: code.into() }
            }
        }
    }
}
