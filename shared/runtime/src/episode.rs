//! What is remembered of an incident's period.

use std::collections::BTreeSet;

use handsoff_cloudtrail::{Time, TimeDelta, seconds};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use handsoff_core::Code;
use handsoff_core::Severity;
use handsoff_core::alert::{Alert, Milestone, Period, Reach};
use handsoff_core::finding::Key;
use handsoff_core::group;
use handsoff_core::policy::Alerts;
use handsoff_core::story::Ties;
use handsoff_core::{Hidden, Reported, ReportedRef};

use super::document::{Document, Held};
use super::due::{Due, Task, Waiting};
use super::error::RuntimeError;
use super::log::LogLine;
use super::ports::{Clock, Range, World};
use super::stored::{self, Growing, Was};

/// How the partition of a storm's summary begins; behind it stands the code.
pub(super) const SUMMARY: &str = "summary-";

/// A period of an incident: what is reported together, and what is claimed together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Episode {
    /// The incident.
    pub incident: String,
    /// The period.
    pub period: Period,
}

impl Episode {
    /// The one that a finding or verdict belongs to.
    pub fn of<'r>(reported: impl Into<ReportedRef<'r>>, policy: &Alerts) -> Self {
        let reported = reported.into();
        let period = Period::of(reported.incident(), reported.time(), policy);
        Self { incident: reported.incident().to_owned(), period }
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

    /// Whether it is a storm's summary, and no incident.
    fn is_summary(&self) -> bool {
        self.incident.starts_with(SUMMARY)
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

impl Document for Episode {
    type State = State;

    const CHANGE: &'static str = "claiming an alert";

    fn keys(&self) -> (String, String) {
        (self.incident.clone(), self.sort())
    }

    fn parse(&self, clock: &impl Clock, text: &str) -> Result<State, RuntimeError> {
        Ok(State::parse(clock, text))
    }

    fn text(&self, state: &State) -> Result<String, RuntimeError> {
        state.text()
    }

    fn due(&self, state: &State) -> Option<Due> {
        state.due(self)
    }
}

impl Held<'_, Episode> {
    /// Whether it is a storm's summary, and no incident.
    pub fn is_summary(&self) -> bool {
        self.document.is_summary()
    }
}

/// What was reported of an episode, and what is to be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// When it was first written, by the function's clock.
    #[serde(with = "seconds")]
    pub since: Time,
    /// Which milestones were alerted. The stored name is older than this one.
    #[serde(rename = "told")]
    pub alerted: BTreeSet<Milestone>,
    /// The actions that its messages have named.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub named: BTreeSet<String>,
    /// Alerts that nothing shows to have been sent.
    pub pending: Vec<Pending>,
    /// Whether the sweep has to look at its findings.
    #[serde(default)]
    pub look: Look,
    /// How long after a session's first record its opening was reported.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "seconds")]
    pub opened_after: Option<TimeDelta>,
    /// From when on the sweep has something to do with it.
    #[serde(default, with = "seconds")]
    pub next: Time,
    /// What the sweep found it to be: a session that goes on, or that is to be sealed; or none, whatever its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub going: Option<Going>,
    /// How far a look has come that takes more than one sweep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
    /// What of it was reported in summaries, and not by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folded: Option<Folded>,
    /// What was read.
    #[serde(skip)]
    was: Was,
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
    /// The milestones of those before it.
    pub reach: Reach,
    /// The worst of those before it.
    pub worst: Option<Mark>,
}

/// What of an episode was reported in summaries.
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

/// An alert that was claimed and not marked as sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Who is sending it.
    pub by: String,
    /// Since when, by the sender's clock.
    #[serde(with = "seconds")]
    pub since: Time,
    /// The alert.
    pub alert: Alert,
    /// What it tells.
    pub lead: Reported,
}

impl State {
    /// The state of an episode, as it is remembered.
    ///
    /// # Errors
    /// When it can't be read.
    pub async fn of(world: &impl World, episode: &Episode) -> Result<Option<Self>, RuntimeError> {
        let held = Held::of(world, episode).await?;
        Ok(held.exists().then_some(held.state))
    }

    /// Whether the sweep still has something to do with it.
    pub fn is_open(&self) -> bool {
        !self.pending.is_empty() || !self.alerted.contains(&Milestone::Closed)
    }

    /// What the list of open documents says of it: nothing when it isn't open.
    pub fn due(&self, episode: &Episode) -> Option<Due> {
        let task = match self.going {
            _ if episode.is_summary() => Task::Summary,
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

    /// Reads a state as far as it is understood. Logs what isn't: better alerted again than never.
    pub(super) fn parse(clock: &impl Clock, text: &str) -> Self {
        let read = serde_json::from_str(text).unwrap_or_else(|error| {
            clock.log(LogLine::new("reading a stored state", error));
            serde_json::from_str(text).map(|whole| Self::understood(&whole)).unwrap_or_default()
        });
        Self { was: Was::of(text), ..read }
    }

    /// What this version understands of a state.
    fn understood(whole: &Value) -> Self {
        let look = Growing { field: "look", knows: stored::known::<Look>, stand_in: |_| "due" };
        let mut whole = stored::understood(whole.clone(), &[look]);
        if let Some(Value::Array(pending)) = whole.get_mut("pending") {
            for waiting in pending {
                *waiting = filled(blank(), waiting);
            }
        }
        serde_json::from_value(whole).unwrap_or_default()
    }

    /// Its text, with what another version has stored in it.
    pub(super) fn text(&self) -> Result<String, RuntimeError> {
        self.was.text(self, Self::understood)
    }
}

/// What is sent for a pending alert of which this version understands nothing: that there is one.
fn blank() -> Value {
    let text = "Another version of handsoff has stored an alert in a form that this version doesn't understand. Look at \
                the records of this time, and at the item in the table: its keys are the incident and the period.";
    json!({"by": "", "since": 0,
        "alert": {"time": null, "cause": "worse", "incident": "unknown", "period": "no-time", "tells": [],
            "severity": "high", "findings": 1, "subject": "[HIGH] An alert that can't be read", "text": text},
        "lead": {"code": "drift-write", "severity": "high", "incident": "unknown", "event_id": "", "event_time": null,
            "account": "", "region": "", "action": "unknown", "access": "unknown", "error": null,
            "principal": {"kind": "unknown", "arn": "", "name": "unknown", "human": null}, "via": "unknown",
            "source_ip": "unknown", "user_agent": "", "mfa": null, "resources": [], "reason": text,
            "next": "Find out what the alert was about, and why two versions of handsoff differ."}})
}

/// A value with those fields of another that are of its kind.
fn filled(blank: Value, from: &Value) -> Value {
    match (blank, from) {
        (Value::Object(blank), Value::Object(from)) => {
            let field = |(key, blank)| match from.get(&key) {
                Some(value) => (key, filled(blank, value)),
                None => (key, blank),
            };
            blank.into_iter().map(field).collect()
        }
        // Where there may be nothing, there may be a text or a truth, and that is read as it stands.
        (Value::Null, Value::String(_) | Value::Bool(_)) => from.clone(),
        (blank, from) if std::mem::discriminant(&blank) == std::mem::discriminant(from) => from.clone(),
        (blank, _) => blank,
    }
}

/// A finding or verdict as it is stored: with what its JSON doesn't show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    key: u64,
    #[serde(default, with = "seconds")]
    known: Option<Time>,
    #[serde(default, skip_serializing_if = "Ties::is_empty")]
    ties: Ties,
    finding: Reported,
}

impl Mark {
    /// What is stored of it.
    pub fn new<'r>(reported: impl Into<ReportedRef<'r>>) -> Self {
        let reported = reported.into();
        Self {
            key: reported.key().0,
            known: reported.known(),
            ties: reported.ties().clone(),
            finding: reported.cloned(),
        }
    }

    /// Where it is stored: two findings meet only if they are the same verdict on the same event.
    pub fn sort<'r>(reported: impl Into<ReportedRef<'r>>) -> String {
        let reported = reported.into();
        let time = reported.time().map_or_else(|| "no-time".to_owned(), |time| time.to_string());
        format!("mark#{time}#{:016x}#{}#{}", reported.key().0, reported.code(), reported.severity())
    }

    /// Reads one as far as it is understood. Logs what isn't.
    pub fn read(clock: &impl Clock, text: &str) -> Option<Reported> {
        stored::read(clock, "reading a stored finding", text, &[]).map(Self::reported)
    }

    /// What was stored.
    pub fn reported(self) -> Reported {
        let time = self.finding.as_ref().event_time().and_then(Time::parse);
        self.finding.with(Hidden { key: Key(self.key), time, known: self.known, ties: self.ties })
    }
}
