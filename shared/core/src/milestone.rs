//! What there is to tell about an incident, as a set that can only grow.
//!
//! A message that was sent can't be taken back, and records come in any order, more than once, to several
//! functions at a time. So what is reported depends on rules that further records never make untrue: "a finding of
//! this severity is in this period", "there are ten". A rule such as "nothing came for half an hour before it"
//! is not of that kind: a late record would make it untrue after the message has gone out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use handsoff_cloudtrail::{Class, ClassError, Time, TimeDelta};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::code::{AlertRule, Code};
use crate::group;
use crate::policy::Alerts;
use crate::severity::Severity;

/// What of an incident is reported together, and then reported anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Period {
    /// All of it: a break-glass session has an end of its own.
    Session,
    /// What its records give no time for.
    NoTime,
    /// A stretch of event time from this second on, of the length that the policy sets, counted from 1970-01-01
    /// 00:00 UTC.
    From(Time),
}

impl Period {
    /// The period that a time lies in, of an incident.
    pub fn of(incident: &str, time: Option<Time>, policy: &Alerts) -> Self {
        Self::of_length(incident, time, policy.period)
    }

    /// The same for periods of this length.
    pub(crate) fn of_length(incident: &str, time: Option<Time>, length: TimeDelta) -> Self {
        match time {
            _ if group::is_glass(incident) => Self::Session,
            None => Self::NoTime,
            Some(time) => Self::From(time.floor(length)),
        }
    }

    /// The first second of it.
    pub fn start(self) -> Option<Time> {
        if let Self::From(start) = self { Some(start) } else { None }
    }

    /// The first second after it.
    pub fn end(self, policy: &Alerts) -> Option<Time> {
        self.start().map(|start| start + policy.period)
    }

    /// The one before it.
    #[must_use]
    pub fn before(self, policy: &Alerts) -> Self {
        self.start().map_or(self, |start| Self::From(start - policy.period))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::From(start) => start.fmt(f),
            Self::NoTime => f.write_str("no-time"),
            Self::Session => f.write_str("session"),
        }
    }
}

/// Why a stored name can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// No period is stored under it.
    #[error("`{0}` is no period")]
    Period(String),
    /// It names no milestone.
    #[error("`{0}` is no milestone")]
    Milestone(String),
    /// It begins with what no finding's code is.
    #[error("`{0}` is no code")]
    Code(String),
    /// It ends with what is no class.
    #[error(transparent)]
    Class(#[from] ClassError),
}

impl FromStr for Period {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match text {
            "session" => Ok(Self::Session),
            "no-time" => Ok(Self::NoTime),
            time => Time::parse(time).map(Self::From).ok_or_else(|| NameError::Period(text.to_owned())),
        }
    }
}

/// One thing to tell about an incident's period. Each is reported once, alone or together with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Milestone {
    /// A break-glass session has begun.
    Opened,
    /// It has a finding of this severity or above.
    Severity(Severity),
    /// It has so many findings.
    Count(usize),
    /// It has so many findings of this topic.
    Topic(Topic, usize),
    /// A summary has so many incidents.
    Folded(usize),
    /// A day's digest is sent.
    Digest,
    /// Its case file is being sealed: reported to nobody, and taken back when a call comes late.
    Sealing,
    /// It is over.
    Closed,
}

/// What findings are counted by: their code, and the class of the change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Topic {
    /// The code.
    pub code: Code,
    /// The class; `None` for what is ordinary.
    pub class: Option<Class>,
}

impl Topic {
    /// Whether each of the first findings is worth an alert, however severe others are that were alerted before.
    fn is_grave(self) -> bool {
        self.class.is_some_and(Class::is_grave) || self.code.is_grave()
    }
}

impl From<Code> for Topic {
    fn from(code: Code) -> Self {
        Self { code, class: None }
    }
}

/// The counts that are alerted of all findings: beyond the last one nobody learns anything by another message.
pub const COUNTS: [usize; 3] = [100, 1_000, 10_000];

/// The counts of a grave topic that are alerted.
const GRAVE: [usize; 5] = [1, 3, 10, 100, 1_000];

/// The same for emergency identities, and for attacks on logging.
const GRAVEST: [usize; 6] = [1, 2, 3, 10, 100, 1_000];

/// What milestones depend on: numbers that only grow with further findings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    glass: bool,
    findings: usize,
    worst: Option<Severity>,
    /// How many of each topic and severity; ordinary changes are in `findings` alone.
    #[serde(default)]
    topics: BTreeMap<Topic, BTreeMap<Severity, usize>>,
}

impl Reach {
    /// Of an incident without findings.
    pub fn new(incident: &str) -> Self {
        Self { glass: group::is_glass(incident), ..Self::default() }
    }

    /// With one finding more.
    pub fn add(&mut self, topic: Topic, severity: Severity) {
        self.findings += 1;
        self.note(topic, severity);
    }

    /// With one verdict on a session as a whole more.
    pub fn add_verdict(&mut self, code: Code, severity: Severity) {
        self.note(code.into(), severity);
    }

    fn note(&mut self, topic: Topic, severity: Severity) {
        self.worst = self.worst.max(Some(severity));
        if topic.is_grave() || topic.code.row().alerts == AlertRule::Once {
            *self.topics.entry(topic).or_default().entry(severity).or_default() += 1;
        }
    }

    /// With the findings of another part of the same incident.
    pub fn merge(&mut self, other: &Self) {
        self.findings += other.findings;
        self.worst = self.worst.max(other.worst);
        for (topic, counts) in &other.topics {
            let own = self.topics.entry(*topic).or_default();
            for (severity, count) in counts {
                *own.entry(*severity).or_default() += count;
            }
        }
    }

    /// How many findings there are, verdicts on a session as a whole left out.
    pub fn findings(&self) -> usize {
        self.findings
    }

    /// The highest severity.
    pub fn worst(&self) -> Option<Severity> {
        self.worst
    }

    /// Whether each finding has an alert of its own, so that nothing is left to sum up: one of each count of a grave topic,
    /// and one for what is ordinary.
    pub fn is_all_alerted(&self) -> bool {
        let (mut grave, mut alerted) = (0, 0);
        for (topic, counts) in &self.topics {
            let found: usize = counts.values().sum();
            grave += found;
            alerted += steps(*topic, self.glass).iter().filter(|count| **count <= found.min(3)).count();
        }
        self.findings <= alerted + usize::from(self.findings > grave)
    }

    /// What there is to alert. More findings never take anything away.
    ///
    /// Of a break-glass session its opening, its violations and its grave changes are alerted whatever the policy's least
    /// severity.
    pub fn milestones(&self, policy: &Alerts) -> BTreeSet<Milestone> {
        let mut reached = BTreeSet::new();
        if let Some(worst) = self.worst.filter(|worst| self.glass || *worst >= policy.min_severity) {
            let levels = policy.min_severity..=worst;
            let levels = Severity::ALL.iter().copied().filter(|level| levels.contains(level));
            reached.extend(levels.map(Milestone::Severity));
            let counts = COUNTS.into_iter().filter(|count| *count <= self.findings);
            reached.extend(counts.map(Milestone::Count));
        }
        if self.glass && self.worst.is_some() {
            reached.insert(Milestone::Opened);
        }
        for (topic, counts) in &self.topics {
            let severe =
                counts.iter().filter(|(severity, _)| self.glass || **severity >= policy.min_severity);
            let found: usize = severe.map(|(_, count)| count).sum();
            let steps = steps(*topic, self.glass).iter().filter(|count| **count <= found);
            reached.extend(steps.map(|count| Milestone::Topic(*topic, *count)));
        }
        reached
    }
}

/// The counts of a topic that are alerted.
fn steps(topic: Topic, glass: bool) -> &'static [usize] {
    match topic.code.row().alerts {
        AlertRule::Once => &[1],
        AlertRule::Gravest => &GRAVEST,
        _ if glass => &GRAVEST,
        _ => &GRAVE,
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.class {
            None => write!(f, "{}", self.code),
            Some(class) => write!(f, "{}/{class}", self.code),
        }
    }
}

impl FromStr for Topic {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (code, class) = text.split_once('/').map_or((text, None), |(code, class)| (code, Some(class)));
        let code = code.parse().map_err(|_| NameError::Code(code.to_owned()))?;
        Ok(Self { code, class: class.map(str::parse).transpose()? })
    }
}

impl Serialize for Topic {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Topic {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Milestone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Severity(severity) => write!(f, "severity:{severity}"),
            Self::Opened => f.write_str("opened"),
            Self::Count(count) => write!(f, "count:{count}"),
            Self::Topic(topic, count) => write!(f, "{topic}:{count}"),
            Self::Folded(count) => write!(f, "folded:{count}"),
            Self::Digest => f.write_str("digest"),
            Self::Sealing => f.write_str("sealing"),
            Self::Closed => f.write_str("closed"),
        }
    }
}

impl FromStr for Milestone {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let wrong = || NameError::Milestone(text.to_owned());
        match text.split_once(':') {
            None if text == "closed" => Ok(Self::Closed),
            None if text == "opened" => Ok(Self::Opened),
            None if text == "digest" => Ok(Self::Digest),
            None if text == "sealing" => Ok(Self::Sealing),
            Some(("severity", severity)) => severity.parse().map(Self::Severity).map_err(|_| wrong()),
            Some(("folded", count)) => count.parse().map(Self::Folded).map_err(|_| wrong()),
            Some(("count", count)) => count.parse().map(Self::Count).map_err(|_| wrong()),
            Some((topic, count)) => {
                let topic = topic.parse().map_err(|_: NameError| wrong())?;
                count.parse().map(|count| Self::Topic(topic, count)).map_err(|_| wrong())
            }
            None => Err(wrong()),
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

/// When the digest ends that has a finding of an incident; `None` for what is in none: emergency identities have messages of
/// their own.
pub fn digest_end(incident: &str, time: Option<Time>, policy: &Alerts) -> Option<Time> {
    if group::is_glass(incident) { None } else { policy.digest.after(time?) }
}

#[cfg(test)]
mod tests;
