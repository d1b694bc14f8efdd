//! What is sent about an incident, and when.

use handsoff_trail::Time;
use serde::Serialize;

use crate::finding::Finding;
use crate::incident::{Incident, Mark};
use crate::policy::Alerts;
use crate::severity::Severity;

/// Why an alert is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The first finding that is severe enough to be sent.
    Opened,
    /// A finding more severe than all before.
    Worse,
    /// The 10th, 100th, 1,000th … finding.
    More,
    /// Nothing was added for a while.
    Closed,
}

impl Cause {
    /// The name that stands in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Worse => "worse",
            Self::More => "more",
            Self::Closed => "closed",
        }
    }
}

/// One message about an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Alert {
    /// When it is sent, by the time of events; `None` when the records don't say.
    pub time: Option<String>,
    /// Why it is sent.
    pub cause: Cause,
    /// The incident.
    pub incident: String,
    /// The incident's severity at that time.
    pub severity: Severity,
    /// How many findings it had at that time.
    pub findings: usize,
    /// One line, at most 100 ASCII characters: SNS takes no more as the subject of a mail.
    pub subject: String,
    /// The whole message.
    pub text: String,
    /// The time as a number, for sorting.
    #[serde(skip)]
    pub at: Option<Time>,
}

/// All alerts of an incident, in their order.
///
/// One when it reaches the severity that is sent, one at each rise in severity and at the 10th, 100th,
/// 1,000th … finding, and one when nothing was added for a while. What comes after that opens it anew.
pub fn schedule(incident: &Incident, policy: &Alerts) -> Vec<Alert> {
    let mut alerts = Vec::new();
    let mut run: Option<Run> = None;
    let marks: Vec<&Mark> = incident.marks.keys().collect();
    // What becomes known at the same second is told at once.
    for known in marks.chunk_by(|a, b| a.known == b.known) {
        let at = known.first().and_then(|mark| mark.known);
        if let Some(over) = run.as_ref().filter(|run| run.is_over(at, policy)) {
            alerts.extend(over.close(incident, policy));
            run = None;
        }
        let run = run.get_or_insert_with(Run::default);
        if let Some(cause) = run.add(known, at, policy) {
            alerts.push(run.alert(incident, cause, at));
        }
    }
    alerts.extend(run.and_then(|run| run.close(incident, policy)));
    alerts
}

/// Findings of an incident with no longer pause between them.
#[derive(Default)]
struct Run {
    count: usize,
    severity: Option<Severity>,
    sent: bool,
    first: Option<Time>,
    last: Option<Time>,
}

impl Run {
    fn is_over(&self, next: Option<Time>, policy: &Alerts) -> bool {
        matches!((self.last, next), (Some(last), Some(next)) if next.0 - last.0 > policy.quiet)
    }

    fn add(&mut self, known: &[&Mark], at: Option<Time>, policy: &Alerts) -> Option<Cause> {
        let before = self.count;
        self.count += known.len();
        self.first = self.first.or(at);
        self.last = at.or(self.last);
        let worst = known.iter().map(|mark| mark.severity).max();
        let rose = self.severity < worst;
        self.severity = self.severity.max(worst);
        if self.severity < Some(policy.min_severity) {
            return None;
        }
        let cause = match (self.sent, rose) {
            (false, _) => Cause::Opened,
            (true, true) => Cause::Worse,
            (true, false) if (before + 1..=self.count).any(|count| count >= 10 && is_power_of_ten(count)) => {
                Cause::More
            }
            _ => return None,
        };
        self.sent = true;
        Some(cause)
    }

    fn close(&self, incident: &Incident, policy: &Alerts) -> Option<Alert> {
        let at = self.last.map(|last| Time(last.0 + policy.quiet));
        self.sent.then(|| self.alert(incident, Cause::Closed, at))
    }

    fn alert(&self, incident: &Incident, cause: Cause, at: Option<Time>) -> Alert {
        let severity = self.severity.unwrap_or(Severity::Info);
        let lead = incident.lead_of(severity, self.first, self.last).or_else(|| incident.lead());
        Alert {
            time: at.map(|time| time.to_string()),
            cause,
            incident: incident.id.clone(),
            severity,
            findings: self.count,
            subject: lead.map(|lead| subject(cause, severity, lead)).unwrap_or_default(),
            text: lead.map(|lead| text(incident, cause, self.count, lead)).unwrap_or_default(),
            at,
        }
    }
}

fn is_power_of_ten(mut number: usize) -> bool {
    while number.is_multiple_of(10) && number > 0 {
        number /= 10;
    }
    number == 1
}

fn subject(cause: Cause, severity: Severity, lead: &Finding) -> String {
    let mark = match cause {
        Cause::Opened => String::new(),
        other => format!(" ({})", other.as_str()),
    };
    let subject = format!(
        "[{}]{mark} {}: {}, {} in {}",
        severity.as_str().to_uppercase(),
        lead.code.title(),
        lead.principal.name,
        lead.action,
        lead.account
    );
    subject
        .chars()
        .map(|char| if char == ' ' || char.is_ascii_graphic() { char } else { '?' })
        .take(100)
        .collect()
}

fn text(incident: &Incident, cause: Cause, count: usize, lead: &Finding) -> String {
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
    let so_far = if count == 1 { "1 finding".to_owned() } else { format!("{count} findings") };
    line("so far", &format!("{so_far}, incident {}", incident.id));
    if cause == Cause::Closed {
        let actions: Vec<String> =
            incident.actions().iter().take(8).map(|(action, count)| format!("{action} x{count}")).collect();
        line("in all", &actions.join(", "));
    }
    line("next", lead.next);
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
