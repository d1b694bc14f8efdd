//! One message about an incident.

use std::collections::BTreeSet;

use handsoff_cloudtrail::Time;
use serde::{Deserialize, Serialize};

use super::about::About;
use super::cause::Cause;
use super::words;
use crate::finding::Finding;
use crate::milestone::Milestone;
use crate::reported::ReportedRef;
use crate::severity::Severity;

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
            link: shown.call().and_then(words::link),
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
