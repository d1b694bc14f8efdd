//! What is remembered of an incident's period.

use std::collections::BTreeSet;

use handsoff_trail::Time;
use serde::{Deserialize, Serialize};

use crate::alert::{Alert, Milestone, Period, Reach};
use crate::code::Code;
use crate::finding::{Finding, Key};
use crate::group;
use crate::policy::Alerts;
use crate::severity::Severity;

use super::due::{Due, Task, Waiting};
use super::ports::{Failure, Range};
use super::summary;

/// A period of an incident: what is told together, and what is claimed together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Episode {
    /// The incident.
    pub incident: String,
    /// The period.
    pub period: Period,
}

impl Episode {
    /// The one that a finding belongs to.
    pub fn of(finding: &Finding, policy: &Alerts) -> Self {
        Self {
            incident: finding.incident.clone(),
            period: Period::of(&finding.incident, finding.time, policy),
        }
    }

    /// The sort key of its state.
    pub fn sort(&self) -> String {
        format!("state#{}", self.period)
    }

    /// The episode of a state, by its keys.
    pub fn parse(partition: &str, sort: &str) -> Option<Self> {
        let period = sort.strip_prefix("state#")?;
        Some(Self { incident: partition.to_owned(), period: period.parse().ok()? })
    }

    /// The sort keys between which its observations lie.
    pub fn bounds(&self, policy: &Alerts) -> (String, String) {
        match (self.period, self.period.end(policy)) {
            (Period::From(start), Some(end)) => (format!("mark#{start}"), format!("mark#{end}")),
            (Period::Session, _) => ("mark#".to_owned(), "mark#~".to_owned()),
            _ => ("mark#no-time".to_owned(), "mark#no-time~".to_owned()),
        }
    }

    /// Its observations, or those between other bounds.
    pub fn range<'a>(&'a self, bounds: &'a (String, String), most: usize) -> Range<'a> {
        Range { partition: &self.incident, from: &bounds.0, to: &bounds.1, most, backwards: false }
    }
}

impl std::fmt::Display for Episode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.incident, self.period)
    }
}

/// What was told of an episode, and what is to be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// When it was first written, by the function's clock.
    pub since: i64,
    /// What was claimed to be told.
    pub told: BTreeSet<Milestone>,
    /// Alerts that nothing shows to have been sent.
    pub pending: Vec<Pending>,
    /// Whether the sweep has to look at its findings.
    #[serde(default)]
    pub look: Look,
    /// How many seconds after a session's first record its opening was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_after: Option<i64>,
    /// From when on the sweep has something to do with it, in seconds since 1970.
    #[serde(default)]
    pub next: i64,
    /// What the sweep found it to be: a session that goes on, or that is to be sealed; or none, whatever its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub going: Option<Going>,
    /// How far a look has come that takes more than one sweep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
    /// What of it was told in summaries, and not by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folded: Option<Folded>,
}

/// How a session goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Going {
    /// It isn't over.
    On,
    /// It is over: its case is sealed, or soon will be.
    Over,
    /// It is no session: somebody only tried to begin one.
    None,
}

/// How far a look at an episode's findings has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The next sort key to look at.
    pub from: String,
    /// What there is to tell of those before it.
    pub reach: Reach,
    /// The worst of those before it.
    pub worst: Option<Mark>,
}

/// What of an episode was told in summaries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folded {
    /// The highest severity that was.
    pub severity: Severity,
    /// The codes that were.
    pub codes: BTreeSet<Code>,
}

/// Whether the sweep has to look at an episode's findings: to read all of them every minute would cost more than all
/// else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Look {
    /// A finding came since it last looked, or may have.
    #[default]
    Due,
    /// It is looking.
    Looking,
    /// It has seen all.
    Done,
}

/// An alert that was claimed and not struck off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Who is sending it.
    pub by: String,
    /// Since when, by the sender's clock.
    pub since: i64,
    /// The alert.
    pub alert: Alert,
    /// The finding that it tells.
    pub lead: Finding,
}

impl State {
    /// Whether the sweep still has something to do with it.
    pub fn is_open(&self) -> bool {
        !self.pending.is_empty() || !self.told.contains(&Milestone::Closed)
    }

    /// What the list of open documents says of it: nothing when it isn't open.
    pub fn due(&self, episode: &Episode) -> Option<Due> {
        let task = match self.going {
            _ if summary::is_summary(&episode.incident) => Task::Summary,
            Some(Going::On) => Task::Session,
            Some(Going::Over) => Task::Seal,
            // Until the sweep knows better.
            None if group::is_glass(&episode.incident) => Task::Session,
            _ => Task::Incident,
        };
        let since = self.pending.iter().map(|pending| pending.since).min();
        let severity = self.pending.iter().map(|pending| pending.alert.severity).max();
        let waiting = since.zip(severity);
        let waiting = waiting.map(|(since, severity)| Waiting { count: self.pending.len(), since, severity });
        self.is_open().then_some(Due { task, at: self.next, waiting })
    }

    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        serde_json::from_str(text).map_err(|error| Failure::new("reading a stored state", error))
    }
}

/// A finding as it is stored: with what its JSON doesn't show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    key: u64,
    known: Option<i64>,
    finding: Finding,
}

impl Mark {
    /// What is stored of a finding.
    pub fn new(finding: &Finding) -> Self {
        let known = finding.known.map(|known| known.0);
        Self { key: finding.key.0, known, finding: finding.clone() }
    }

    /// Where it is stored: two findings meet only if they are the same verdict on the same event.
    pub fn sort(finding: &Finding) -> String {
        let time = finding.time.map_or_else(|| "no-time".to_owned(), |time| time.to_string());
        format!("mark#{time}#{:016x}#{}#{}", finding.key.0, finding.code, finding.severity)
    }

    /// The finding.
    pub fn finding(self) -> Finding {
        let time = self.finding.event_time.as_deref().and_then(Time::parse);
        Finding { key: Key(self.key), time, known: self.known.map(Time), ..self.finding }
    }
}
