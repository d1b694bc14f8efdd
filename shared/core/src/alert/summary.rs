//! The message that names the incidents of a storm.

use std::collections::BTreeSet;

use handsoff_cloudtrail::Time;

use super::cause::Cause;
use super::message::Alert;
use super::words::{LONGEST_SUBJECT, account_of, ascii, cut, evidence, link, who};
use crate::code::Code;
use crate::milestone::{Milestone, Period};
use crate::policy::Alerts;
use crate::reported::ReportedRef;
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
    /// What the policy says of messages.
    pub policy: &'s Alerts,
    /// What its incidents have in common.
    pub code: Code,
    /// Its minute.
    pub period: Period,
    /// How many incidents it has.
    pub count: usize,
    /// How many are counted at most.
    pub counted: usize,
    /// The most severe of them, the worst first.
    pub listed: &'s [Listed],
    /// What to tell: one of the worst.
    pub lead: ReportedRef<'s>,
}

impl Alert {
    /// Words the summary of a storm.
    pub fn summary(about: &Summary<'_>, tells: BTreeSet<Milestone>, at: Time) -> Self {
        let severity = about.listed.first().map_or(about.lead.severity(), |worst| worst.severity);
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
            account_name: about.account_name().map(str::to_owned),
            event_id: about.lead.event_id().to_owned(),
            event_time: about.lead.event_time().map(str::to_owned),
            user_agent: about.lead.user_agent().to_owned(),
            link: about.lead.call().and_then(link),
            also: Vec::new(),
            thread: String::new(),
            at: Some(at),
        }
    }
}

impl Summary<'_> {
    fn account_name(&self) -> Option<&str> {
        self.policy.account_name(self.lead.account())
    }

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
    let (account, severity) = (account_of(lead, about.account_name()), severity.as_str().to_uppercase());
    let begin = format!("{account} [{severity}] (summary) {}: {}: ", about.many(), about.code.title());
    let what = ascii(&format!("{}, {}", lead.principal().name, lead.action()));
    cut(&format!("{}{what}", begin.trim_start()), LONGEST_SUBJECT)
}

fn text(about: &Summary<'_>) -> String {
    let Summary { incident, period, listed, lead, .. } = about;
    let mut lines = vec![format!("{}: {}", about.code.title(), about.many()), String::new()];
    let mut line = |name: &str, value: &str| lines.push(format!("{name:<9}{value}"));
    line(
        "summary",
        &format!(
            "{} of {} in the minute of {period}, which are not alerted one by one",
            about.many(),
            about.code
        ),
    );
    line("worst", &format!("{}, {} ({})", who(*lead), lead.action(), lead.access()));
    let resources = lead.resources();
    if !resources.is_empty() {
        line("to", &resources.join(", "));
    }
    line("when", lead.event_time().unwrap_or("the record doesn't say"));
    for (name, value) in evidence(*lead, about.account_name()) {
        line(name, &value);
    }
    line("why", lead.reason());
    for Listed { incident, severity, line: about } in *listed {
        line("incident", &format!("{incident} {severity}: {about}"));
    }
    let more = about.count.saturating_sub(listed.len());
    if more > 0 {
        line("more", &format!("{more} others, none more severe"));
    }
    line("list all", &list(incident, *period));
    line("next", lead.next());
    lines.join("\n")
}

/// The command that lists the incidents of a summary.
fn list(incident: &str, period: Period) -> String {
    format!(
        "aws dynamodb query --table-name handsoff --key-condition-expression 'pk = :pk AND begins_with(sk, :sk)' \
         --expression-attribute-values '{{\":pk\":{{\"S\":\"{incident}\"}},\":sk\":{{\"S\":\"brief#{period}\"}}}}'"
    )
}
