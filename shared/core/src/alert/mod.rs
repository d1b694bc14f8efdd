//! What is sent about an incident, and when.

mod digest;
mod milestone;
mod note;
mod schedule;
mod stop;
mod summary;
mod words;

use std::collections::BTreeSet;

use handsoff_cloudtrail::Time;
use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::incident::Incident;
use crate::policy::Alerts;
use crate::reported::ReportedRef;
use crate::severity::Severity;

pub use digest::{Digest, digests};
pub use milestone::{COUNTS, Milestone, NameError, Period, Reach, Topic};
pub use note::Note;
pub use schedule::{Known, closes_aloud, goes_on, schedule};
pub use summary::{Listed, Summary};
pub use words::{LONGEST_SUBJECT, cut, link, subject, who};

/// Why an alert is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Cause {
    /// The period's first finding that is severe enough to be sent.
    Opened,
    /// A finding more severe than all before; in a break-glass session also a violation, and an escalation.
    Worse,
    /// The 10th, 100th, 1,000th, 10,000th finding.
    More,
    /// Nothing was added for a while.
    Closed,
    /// Incidents of a storm, which are not alerted one by one. Only deployed: a replay tells each.
    Summary,
    /// What woke nobody, once a day.
    Digest,
}

impl Cause {
    /// Why a message is sent that tells these milestones, when those were reported before.
    pub fn of(tells: &BTreeSet<Milestone>, told: &BTreeSet<Milestone>) -> Self {
        let severity = |set: &BTreeSet<Milestone>| {
            let is = |it: &Milestone| {
                matches!(it, Milestone::Severity(_) | Milestone::Opened | Milestone::Topic(..))
            };
            set.iter().any(is)
        };
        match (tells.contains(&Milestone::Closed), severity(tells), severity(told)) {
            (true, ..) => Self::Closed,
            (_, true, false) => Self::Opened,
            (_, true, true) => Self::Worse,
            (_, false, _) => Self::More,
        }
    }

    /// The name in every output.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// One message about an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// When it is sent, by the time of events; `None` when the records don't say.
    pub time: Option<String>,
    /// Why it is sent.
    pub cause: Cause,
    /// The incident.
    pub incident: String,
    /// The period of the incident, by its start.
    pub period: String,
    /// What it tells, each for the only time.
    pub tells: BTreeSet<Milestone>,
    /// The incident's severity at that time.
    pub severity: Severity,
    /// How many findings it had at that time, in its period; at the end, since it was opened.
    pub findings: usize,
    /// One line, less than 100 ASCII characters: SNS takes no more as the subject of a mail.
    pub subject: String,
    /// The whole message.
    pub text: String,
    /// The policy's name for the account.
    #[serde(default)]
    pub account_name: Option<String>,
    /// CloudTrail's ID of the event that it shows; empty when the record has none.
    #[serde(default)]
    pub event_id: String,
    /// When that happened, UTC; `None` when the record doesn't say.
    #[serde(default)]
    pub event_time: Option<String>,
    /// What its caller calls its program.
    #[serde(default)]
    pub user_agent: String,
    /// Where the console shows it.
    #[serde(default)]
    pub link: Option<String>,
    /// What else it names for the first time: of the incident's calls one of each action, the worst first.
    #[serde(default)]
    pub also: Vec<Also>,
    /// What the alerts of a story's incidents have in common; empty of a digest and a summary.
    #[serde(default)]
    pub thread: String,
    /// The time as a number, for sorting.
    #[serde(skip)]
    pub at: Option<Time>,
}

/// A call that a message names beside the one that it shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Also {
    /// What was called.
    pub action: String,
    /// CloudTrail's ID of the event; empty when the record has none.
    pub event_id: String,
    /// When it happened, UTC; `None` when the record doesn't say.
    pub event_time: Option<String>,
    /// How urgent it is.
    pub severity: Severity,
}

impl Also {
    fn of(finding: &Finding) -> Self {
        let Finding { action, event_id, event_time, severity, .. } = finding;
        Self {
            action: action.clone(),
            event_id: event_id.clone(),
            event_time: event_time.clone(),
            severity: *severity,
        }
    }
}

/// How many calls a message names beside the one that it shows.
const ALSO: usize = 8;

/// What an alert is about.
#[derive(Debug)]
pub struct About<'i> {
    /// The incident as far as it is known when the message is due: no finding that came later.
    pub incident: &'i Incident,
    /// What the policy says of messages.
    pub policy: &'i Alerts,
    /// The period.
    pub period: Period,
    /// What to tell.
    pub lead: ReportedRef<'i>,
    /// The worst so far.
    pub severity: Severity,
    /// How many findings so far.
    pub findings: usize,
    /// Since when these are counted.
    pub since: Period,
    /// The actions that messages have named before.
    pub named: &'i BTreeSet<String>,
    /// What is known beyond the findings.
    pub notes: &'i [Note],
    /// What its alerts have in common with those of its story's other incidents.
    pub thread: &'i str,
}

impl Alert {
    /// Words a message.
    pub fn new(about: &About<'_>, cause: Cause, tells: BTreeSet<Milestone>, at: Option<Time>) -> Self {
        let (lead, shown) = (about.lead, words::shown(about));
        let name = about.policy.account_name(lead.account());
        let others = about.incident.unnamed(about.named).into_iter().filter(|it| it.action != lead.action());
        let others: Vec<&Finding> =
            if cause == Cause::Closed { Vec::new() } else { others.take(ALSO).collect() };
        Self {
            time: at.map(|time| time.to_string()),
            cause,
            incident: about.incident.id.clone(),
            period: about.period.to_string(),
            tells,
            severity: about.severity,
            findings: about.findings,
            subject: words::subject(cause, about.severity, lead, name),
            text: words::text(about, cause, &others),
            account_name: name.map(str::to_owned),
            event_id: shown.event_id().to_owned(),
            event_time: shown.event_time().map(str::to_owned),
            user_agent: shown.user_agent().to_owned(),
            link: shown.call().and_then(link),
            also: others.into_iter().map(Also::of).collect(),
            thread: about.thread.to_owned(),
            at,
        }
    }

    /// The actions that it names, where it leads with this.
    pub fn names<'a>(&'a self, lead: ReportedRef<'a>) -> impl Iterator<Item = &'a str> {
        let also = self.also.iter().map(|also| also.action.as_str());
        also.chain([lead.action()]).filter(|action| !action.is_empty())
    }
}
