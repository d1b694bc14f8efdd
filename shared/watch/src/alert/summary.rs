//! The message that names the incidents of a storm.

use std::collections::BTreeSet;

use handsoff_trail::Time;

use super::{Alert, Cause, LONGEST_SUBJECT, Milestone, Period, ascii, who};
use crate::code::Code;
use crate::finding::Finding;
use crate::severity::Severity;

/// An incident that a summary names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The incident.
    pub incident: String,
    /// How severe it is.
    pub severity: Severity,
    /// Who did what where, harmless to show.
    pub line: String,
}

/// What a summary is about.
#[derive(Debug)]
pub struct Summary<'s> {
    /// The summary's own name: where its incidents are listed.
    pub incident: &'s str,
    /// What its incidents have in common.
    pub code: Code,
    /// Its minute.
    pub period: Period,
    /// How many incidents it has.
    pub count: usize,
    /// How many are counted at most.
    pub counted: usize,
    /// The gravest of them, the worst first.
    pub listed: &'s [Listed],
    /// The finding to tell: one of the worst.
    pub lead: &'s Finding,
}

impl Alert {
    /// Words the summary of a storm.
    pub fn summary(about: &Summary<'_>, tells: BTreeSet<Milestone>, at: Time) -> Self {
        let severity = about.listed.first().map_or(about.lead.severity, |worst| worst.severity);
        Self {
            time: Some(at.to_string()),
            cause: Cause::Summary,
            incident: about.incident.to_owned(),
            period: about.period.to_string(),
            tells,
            severity,
            findings: about.count,
            subject: subject(about, severity),
            text: text(about),
            at: Some(at),
        }
    }
}

impl Summary<'_> {
    fn many(&self) -> String {
        match self.count {
            1 => "1 incident".to_owned(),
            count if count >= self.counted => format!("at least {count} incidents"),
            count => format!("{count} incidents"),
        }
    }
}

fn subject(about: &Summary<'_>, severity: Severity) -> String {
    let lead = about.lead;
    let title = about.code.title();
    let begin = format!("[{}] {} (summary) {title}: ", severity.as_str().to_uppercase(), about.many());
    let end = format!(" in {}", ascii(&lead.account));
    let room = LONGEST_SUBJECT.saturating_sub(begin.len() + end.len());
    // What a caller chose is cut, and never the account.
    let what = ascii(&format!("{}, {}", lead.principal.name, lead.action));
    let what = if what.chars().count() <= room {
        what
    } else {
        what.chars().take(room.saturating_sub(3)).chain("...".chars()).collect()
    };
    format!("{begin}{what}{end}").chars().take(LONGEST_SUBJECT).collect()
}

fn text(about: &Summary<'_>) -> String {
    let Summary { incident, period, listed, lead, .. } = about;
    let mut lines = vec![format!("{}: {}", about.code.title(), about.many()), String::new()];
    let mut line = |name: &str, value: &str| lines.push(format!("{name:<9}{value}"));
    line(
        "summary",
        &format!(
            "{} of {} in the minute of {period}, which are not alerted by themselves",
            about.many(),
            about.code
        ),
    );
    line("worst", &format!("{}, {} ({})", who(lead), lead.action, lead.access));
    if !lead.resources.is_empty() {
        line("to", &lead.resources.join(", "));
    }
    line("when", lead.event_time.as_deref().unwrap_or("the record doesn't say"));
    line("where", &format!("account {}, {}", lead.account, lead.region));
    line("from", &format!("{} via {}", lead.source_ip, lead.via));
    line("why", &lead.reason);
    for Listed { incident, severity, line: about } in *listed {
        line("incident", &format!("{incident} {severity}: {about}"));
    }
    let more = about.count.saturating_sub(listed.len());
    if more > 0 {
        line("more", &format!("{more} others, no graver than these"));
    }
    line("list all", &list(incident, *period));
    line("next", &lead.next);
    lines.join("\n")
}

/// The command that lists the incidents of a summary.
fn list(incident: &str, period: Period) -> String {
    format!(
        "aws dynamodb query --table-name handsoff --key-condition-expression 'pk = :pk AND begins_with(sk, :sk)' \
         --expression-attribute-values '{{\":pk\":{{\"S\":\"{incident}\"}},\":sk\":{{\"S\":\"brief#{period}\"}}}}'"
    )
}
