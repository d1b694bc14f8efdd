//! What there is to tell about an incident, as a set that can only grow.
//!
//! A message that was sent can't be taken back, and records come in any order, more than once, to several
//! functions at a time. So what is told hangs on rules that further records never make untrue: "a finding of
//! this severity is in this period", "there are ten". A rule such as "nothing came for half an hour before it"
//! is not of that kind: a late record would make it untrue after the message has gone out.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use handsoff_trail::Time;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::policy::Alerts;
use crate::severity::Severity;

/// A stretch of event time, of the length that the policy sets, counted from 1970-01-01 00:00 UTC: an incident is
/// told anew in each. `None` is that of records without a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period(pub Option<Time>);

impl Period {
    /// The period that a time lies in, by its start.
    pub fn of(time: Option<Time>, policy: &Alerts) -> Self {
        Self(time.map(|Time(at)| Time(at - at.rem_euclid(policy.period))))
    }

    /// The first second after it.
    pub fn end(self, policy: &Alerts) -> Option<Time> {
        self.0.map(|start| Time(start.0 + policy.period))
    }

    /// The one before it.
    #[must_use]
    pub fn before(self, policy: &Alerts) -> Self {
        Self(self.0.map(|start| Time(start.0 - policy.period)))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(start) => start.fmt(f),
            None => f.write_str("no-time"),
        }
    }
}

/// One thing to tell about an incident's period. Each is told once, alone or together with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Milestone {
    /// It has a finding of this severity or above.
    Severity(Severity),
    /// It has so many findings.
    Count(usize),
    /// It is over.
    Closed,
}

/// The counts that are told: beyond the last one nobody learns anything by another message.
pub const COUNTS: [usize; 4] = [10, 100, 1_000, 10_000];

impl Milestone {
    /// The milestones of a period with so many findings, the worst of this severity. More findings never take
    /// one away.
    pub fn reached(findings: usize, worst: Option<Severity>, policy: &Alerts) -> BTreeSet<Self> {
        let Some(worst) = worst.filter(|worst| *worst >= policy.min_severity) else { return BTreeSet::new() };
        let severities =
            Severity::ALL.into_iter().filter(|level| (policy.min_severity..=worst).contains(level));
        let counts = COUNTS.into_iter().filter(|count| *count <= findings);
        severities.map(Self::Severity).chain(counts.map(Self::Count)).collect()
    }
}

impl fmt::Display for Milestone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Severity(severity) => write!(f, "severity:{severity}"),
            Self::Count(count) => write!(f, "count:{count}"),
            Self::Closed => f.write_str("closed"),
        }
    }
}

impl FromStr for Milestone {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no milestone");
        match text.split_once(':') {
            None if text == "closed" => Ok(Self::Closed),
            Some(("severity", severity)) => severity.parse().map(Self::Severity).map_err(|_| wrong()),
            Some(("count", count)) => count.parse().map(Self::Count).map_err(|_| wrong()),
            _ => Err(wrong()),
        }
    }
}

impl Serialize for Milestone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Milestone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
