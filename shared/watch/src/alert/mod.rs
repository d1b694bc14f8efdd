//! What is sent about an incident, and when.

mod milestone;
mod schedule;
mod summary;

use std::collections::BTreeSet;

use handsoff_trail::Time;
use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::incident::Incident;
use crate::severity::Severity;

pub use milestone::{COUNTS, Milestone, Period, Reach};
pub use schedule::{Known, goes_on, schedule};
pub use summary::{Listed, Summary};

/// Why an alert is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The period's first finding that is severe enough to be sent.
    Opened,
    /// A finding more severe than all before; in a break-glass session also a violation, and an escalation.
    Worse,
    /// The 10th, 100th, 1,000th, 10,000th finding.
    More,
    /// Nothing was added for a while.
    Closed,
    /// Incidents of a storm, which are not alerted by themselves. Only deployed: a replay tells each.
    Summary,
}

impl Cause {
    /// Why a message is sent that tells these milestones, when those were told before.
    pub fn of(tells: &BTreeSet<Milestone>, told: &BTreeSet<Milestone>) -> Self {
        let severity = |set: &BTreeSet<Milestone>| {
            let is = |it: &Milestone| {
                matches!(it, Milestone::Severity(_) | Milestone::Opened | Milestone::Code(..))
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

    /// The name that stands in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Worse => "worse",
            Self::More => "more",
            Self::Closed => "closed",
            Self::Summary => "summary",
        }
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
    /// The time as a number, for sorting.
    #[serde(skip)]
    pub at: Option<Time>,
}

/// What an alert is about.
#[derive(Debug)]
pub struct About<'i> {
    /// The incident, or what is known of it.
    pub incident: &'i Incident,
    /// The period.
    pub period: Period,
    /// The finding to tell.
    pub lead: &'i Finding,
    /// The worst so far.
    pub severity: Severity,
    /// How many findings so far.
    pub findings: usize,
    /// Since when these are counted.
    pub since: Period,
    /// What is known beyond the findings.
    pub notes: &'i [Note],
}

/// A line of a message: a name of at most eight characters, and what there is to say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Note {
    /// The line's name.
    pub name: String,
    /// What it says, harmless to show.
    pub text: String,
}

impl Note {
    /// A line.
    pub fn new(name: &str, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }
}

impl Alert {
    /// Words a message.
    pub fn new(about: &About<'_>, cause: Cause, tells: BTreeSet<Milestone>, at: Option<Time>) -> Self {
        Self {
            time: at.map(|time| time.to_string()),
            cause,
            incident: about.incident.id.clone(),
            period: about.period.to_string(),
            tells,
            severity: about.severity,
            findings: about.findings,
            subject: subject(cause, about.severity, about.lead),
            text: text(about, cause),
            at,
        }
    }
}

/// One line that SNS takes as a subject.
pub(crate) fn subject(cause: Cause, severity: Severity, lead: &Finding) -> String {
    let mark = match cause {
        Cause::Opened => String::new(),
        other => format!(" ({})", other.as_str()),
    };
    let begin = format!("[{}]{mark} {}: ", severity.as_str().to_uppercase(), lead.code.title());
    let end = format!(" in {}", ascii(&lead.account));
    // What a caller chose is cut, never the account: half a number is another's, or nobody's.
    let room = LONGEST_SUBJECT.saturating_sub(begin.len() + end.len());
    let what = ascii(&format!("{}, {}", lead.principal.name, lead.action));
    let what = match what.char_indices().nth(room) {
        None => what,
        Some(_) => what.chars().take(room.saturating_sub(3)).chain("...".chars()).collect(),
    };
    format!("{begin}{what}{end}").chars().take(LONGEST_SUBJECT).collect()
}

/// SNS takes a subject of less than 100 characters.
const LONGEST_SUBJECT: usize = 99;

/// Printable ASCII: SNS takes nothing else in a subject.
fn ascii(text: &str) -> String {
    text.chars().map(|char| if char == ' ' || char.is_ascii_graphic() { char } else { '?' }).collect()
}

fn text(about: &About<'_>, cause: Cause) -> String {
    let About { incident, lead, findings: count, since, notes, .. } = about;
    let mut lines = vec![lead.code.title().to_owned(), String::new()];
    let mut line = |name: &str, value: &str| lines.push(format!("{name:<9}{value}"));
    line("who", &who(lead));
    let error = lead.error.as_ref().map(|error| format!(", refused with {error}")).unwrap_or_default();
    line("did", &format!("{} ({}){error}", lead.action, lead.access));
    if !lead.resources.is_empty() {
        line("to", &lead.resources.join(", "));
    }
    line("when", lead.event_time.as_deref().unwrap_or("the record doesn't say"));
    line("where", &format!("account {}, {}", lead.account, lead.region));
    line("from", &format!("{} via {}", lead.source_ip, lead.via));
    line("why", &lead.reason);
    for note in *notes {
        line(&note.name, &note.text);
    }
    let so_far = if *count == 1 { "1 finding".to_owned() } else { format!("{count} findings") };
    let since = since.start().map(|since| format!(" since {}", since.format("%H:%M"))).unwrap_or_default();
    line("so far", &format!("{so_far}{since}, incident {}", incident.id));
    if cause == Cause::Closed {
        let actions: Vec<String> =
            incident.actions().iter().take(8).map(|(action, count)| format!("{action} x{count}")).collect();
        line("in all", &actions.join(", "));
    }
    line("next", &lead.next);
    lines.join("\n")
}

/// Who acted, and the human behind it where that is somebody else by name.
pub fn who(finding: &Finding) -> String {
    let who = &finding.principal;
    let human = match &who.human {
        // Hidden only where the name is, or ends in, the very same: a session's name is its caller's to choose.
        Some(human)
            if who.name.split_once(" (").map_or(&*who.name, |(user, _)| user).rsplit('/').next()
                != Some(human) =>
        {
            format!(", behind it {human}")
        }
        _ => String::new(),
    };
    let arn = if who.arn.is_empty() { String::new() } else { format!(", {}", who.arn) };
    format!("{} ({}{arn}){human}", who.name, who.kind)
}
