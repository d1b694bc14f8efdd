//! One message, worded for each kind of subscriber.

use std::collections::BTreeMap;
use std::net::IpAddr;

use handsoff_cloudtrail::Time;
use serde_json::{Value, json};

use handsoff_core::alert::{Alert, Cause, LONGEST_SUBJECT, cut};
use handsoff_core::finding::{Finding, Who};
use handsoff_core::{Client, Kind, Reported, ReportedRef, SessionVerdict, Severity};

/// What SNS takes: a message with its subject and its attributes, in bytes.
pub const LONGEST: usize = 262_144;

/// What one publish carries. Everything in it that a caller may have chosen is shortened and harmless for its
/// place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The subject of a mail: one line, less than 100 printable ASCII characters, the first of them no space.
    pub subject: String,
    /// The text for people.
    pub email: String,
    /// JSON for Slack and Teams: Amazon Q Developer's schema of custom notifications.
    pub chat: String,
    /// JSON for programs: an OCSF Detection Finding.
    pub json: String,
    /// What subscribers filter by.
    pub attributes: BTreeMap<&'static str, String>,
}

impl Message {
    /// The message of an alert about what it leads with. What would be too long for SNS is shortened, then reduced.
    pub fn new<'r>(alert: &Alert, lead: impl Into<ReportedRef<'r>>) -> Self {
        let lead = lead.into();
        let whole = Self::worded(alert, lead);
        if whole.size() <= LONGEST {
            return whole;
        }
        let shorter = Alert { text: short(&alert.text, 2000), ..alert.clone() };
        let shorter = Self::worded(&shorter, brief(lead).as_ref());
        if shorter.size() <= LONGEST { shorter } else { Self::reduced(alert, lead) }
    }

    /// The same without anything that a caller may have chosen: for what SNS refuses to take, whatever it is that it
    /// refuses.
    pub fn reduced<'r>(alert: &Alert, lead: impl Into<ReportedRef<'r>>) -> Self {
        let lead = bare(lead.into());
        let lead = lead.as_ref();
        let mut text = vec![lead.code().title().to_owned(), String::new()];
        let mut line = |name: &str, value: &str| text.push(format!("{name:<9}{value}"));
        line("severity", alert.severity.as_str());
        line("code", lead.code().as_str());
        line("account", lead.account());
        line("region", lead.region());
        line("incident", &alert.incident);
        line("why", lead.reason());
        if !lead.event_id().is_empty() {
            line("look at", &format!("CloudTrail's event history, event {}", lead.event_id()));
        }
        if let Some(link) = &alert.link {
            line("link", link);
        }
        line("or at", &format!("the table of handsoff, partition {}", alert.incident));
        line("next", lead.next());
        let severity = alert.severity.as_str().to_uppercase();
        let subject = format!("{} [{severity}] {}, {}", lead.account(), lead.code(), alert.incident);
        let bare = Alert {
            subject: cut(subject.trim_start(), LONGEST_SUBJECT),
            text: text.join("\n"),
            event_id: lead.event_id().to_owned(),
            user_agent: String::new(),
            also: Vec::new(),
            ..alert.clone()
        };
        Self::worded(&bare, lead)
    }

    /// What is published: a text for each protocol, in the JSON of `MessageStructure: json`.
    pub fn structure(&self) -> String {
        let Self { subject, email, chat, json, .. } = self;
        json!({
            "default": email, "email": email, "email-json": json, "sms": subject, "https": chat, "http": json,
            "sqs": json, "lambda": json, "firehose": json,
        })
        .to_string()
    }

    /// How long it is, as SNS counts: its text in JSON, its subject, and its attributes with their names and types.
    pub fn size(&self) -> usize {
        let attributes =
            self.attributes.iter().map(|(name, value)| name.len() + "String".len() + value.len());
        self.structure().len() + self.subject.len() + attributes.sum::<usize>()
    }

    fn worded(alert: &Alert, lead: ReportedRef<'_>) -> Self {
        let attributes = [
            ("severity", alert.severity.as_str()),
            ("code", lead.code().as_str()),
            ("cause", alert.cause.as_str()),
            ("account", lead.account()),
            ("region", lead.region()),
            ("incident", &alert.incident),
        ];
        Self {
            subject: alert.subject.clone(),
            email: mail(alert),
            chat: chat(alert, lead).to_string(),
            json: ocsf(alert, lead).to_string(),
            // SNS refuses an empty value.
            attributes: attributes
                .into_iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| (name, value.to_owned()))
                .collect(),
        }
    }
}

/// The same with few resources, and short names of them.
fn brief(lead: ReportedRef<'_>) -> Reported {
    match lead {
        ReportedRef::Call(finding) => {
            let resources = finding.resources.iter().take(2).map(|resource| short(resource, 256)).collect();
            Finding { resources, ..finding.clone() }.into()
        }
        ReportedRef::Session(verdict) => {
            SessionVerdict { identity: short(&verdict.identity, 256), ..verdict.clone() }.into()
        }
    }
}

/// The same with nothing in it that a caller may have chosen.
fn bare(lead: ReportedRef<'_>) -> Reported {
    let (account, region) = (plain(lead.account(), 32), plain(lead.region(), 32));
    let principal = nobody(lead.principal().kind);
    let reason = "SNS didn't accept this alert as it was: this is a shortened version.".to_owned();
    let next = lead.code().next_step().into();
    match lead {
        ReportedRef::Call(finding) => Finding {
            event_id: plain(&finding.event_id, 64),
            account,
            region,
            action: plain(&finding.action, 64),
            error: finding.error.as_ref().map(|error| plain(error, 64)),
            principal,
            via: String::new(),
            source_ip: String::new(),
            user_agent: String::new(),
            resources: Vec::new(),
            reason,
            next,
            ..finding.clone()
        }
        .into(),
        ReportedRef::Session(verdict) => SessionVerdict {
            account,
            region,
            principal,
            client: Client { mfa: verdict.client.mfa, ..Client::default() },
            identity: String::new(),
            reason,
            next,
            ..verdict.clone()
        }
        .into(),
    }
}

/// Somebody of this kind, without a name.
fn nobody(kind: Kind) -> Who {
    Who { kind, arn: String::new(), name: "unknown".into(), human: None }
}

/// Letters, digits and what stands in IDs; all else is `?`.
fn plain(text: &str, longest: usize) -> String {
    let harmless = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | ':' | '.');
    text.chars().take(longest).map(|char| if harmless(char) { char } else { '?' }).collect()
}

/// Mail programs make links of what looks like one, and a caller can choose what stands there.
fn unlinked(text: &str) -> String {
    text.replace("://", "[:]//")
}

/// The text without links, but for the one to the console, which is made of an event ID and a Region of the right form.
fn mail(alert: &Alert) -> String {
    let lines = alert.text.lines().map(|line| match own_link(alert, line) {
        Some(_) => line.to_owned(),
        None => unlinked(line),
    });
    lines.collect::<Vec<String>>().join("\n")
}

/// The console's link, if this is its line. No value has line breaks, so that none can begin a line.
fn own_link<'a>(alert: &'a Alert, line: &str) -> Option<&'a str> {
    let own = alert.link.as_deref()?;
    (named(line) == ("link", own)).then_some(own)
}

/// A line's name, and what it says.
fn named(line: &str) -> (&str, &str) {
    let (name, value) = line.split_at_checked(9).unwrap_or((line, ""));
    (name.trim_end(), value)
}

/// "Custom notifications using Amazon Q Developer in chat applications": the schema and its limits.
fn chat(alert: &Alert, lead: ReportedRef<'_>) -> Value {
    // What to do next stands below, in a field of its own.
    let lines = alert.text.lines().skip(2).filter(|line| named(line).0 != "next");
    let description: Vec<String> = lines
        .map(|line| match own_link(alert, line) {
            Some(link) => format!("*link* {link}"),
            None => code_line(line),
        })
        .collect();
    json!({
        "version": "1.0",
        "source": "custom",
        "id": format!("{}/{}/{}", alert.incident, alert.period, alert.cause.as_str()),
        "content": {
            "textType": "client-markdown",
            "title": short(&markdown(&alert.subject), 250),
            "description": short(&description.join("\n"), 8000),
            "nextSteps": [short(&markdown(lead.next()), 350)],
            "keywords": [alert.severity.as_str(), lead.code().as_str(), alert.incident],
        },
        "metadata": {
            "threadId": if alert.thread.is_empty() { &alert.incident } else { &alert.thread },
            "summary": short(&markdown(&alert.subject), 250),
            "eventType": lead.code().as_str(),
            "additionalContext": { "severity": alert.severity.as_str(), "cause": alert.cause.as_str() },
        },
    })
}

/// `name     value` as a line with the value as code, in which no markup, link or mention works.
fn code_line(line: &str) -> String {
    let (name, value) = named(line);
    format!("*{name}* `{}`", escaped(value).replace('`', "'"))
}

/// Slack's control characters as entities, and those of markdown without their power.
fn markdown(text: &str) -> String {
    let plain = escaped(text).replace(['*', '_', '~', '`', '[', ']', '|'], " ");
    plain.split_whitespace().collect::<Vec<&str>>().join(" ")
}

fn escaped(text: &str) -> String {
    unlinked(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn short(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        None => text.to_owned(),
        Some(_) => text.chars().take(longest - 1).chain(['…']).collect(),
    }
}

/// Open Cybersecurity Schema Framework 1.3.0, class Detection Finding (2004) with the profile `cloud`. What it has no
/// field for stands below `unmapped.handsoff`.
fn ocsf(alert: &Alert, lead: ReportedRef<'_>) -> Value {
    let activity = match alert.cause {
        Cause::Opened | Cause::Summary | Cause::Digest => 1,
        Cause::Worse | Cause::More => 2,
        Cause::Closed => 3,
    };
    let severity = match alert.severity {
        Severity::Info => 1,
        Severity::Low => 2,
        Severity::Medium => 3,
        Severity::High => 4,
        Severity::Critical => 5,
    };
    let resources: Vec<Value> = lead.resources().iter().map(|name| json!({ "name": name })).collect();
    // The schema demands a time, and a record may have none.
    let told = alert.at.or_else(|| alert.time.as_deref().and_then(Time::parse));
    let time = lead.time().or(told).map_or(0, |time| time.timestamp() * 1000);
    let mut event = json!({
        "class_uid": 2004,
        "class_name": "Detection Finding",
        "category_uid": 2,
        "category_name": "Findings",
        "activity_id": activity,
        "type_uid": 200_400 + activity,
        "severity_id": severity,
        "severity": alert.severity.as_str(),
        "time": time,
        "message": alert.subject,
        "count": alert.findings,
        "metadata": {
            "version": "1.3.0",
            "profiles": ["cloud"],
            "product": { "name": "handsoff", "vendor_name": "handsoff", "version": env!("CARGO_PKG_VERSION") },
            "event_code": lead.code().as_str(),
        },
        "finding_info": {
            "uid": alert.incident,
            "title": lead.code().title(),
            "desc": lead.reason(),
            "types": [lead.code().as_str()],
        },
        "cloud": { "provider": "AWS", "region": lead.region(), "account": { "uid": lead.account() } },
        "evidences": [evidence(lead)],
        "resources": resources,
        "remediation": { "desc": lead.next() },
        "unmapped": { "handsoff": { "alert": alert, "finding": lead } },
    });
    let Some(call) = lead.call() else { return event };
    if !call.event_id.is_empty()
        && let Some(metadata) = event.get_mut("metadata").and_then(Value::as_object_mut)
    {
        metadata.insert("uid".into(), call.event_id.as_str().into());
    }
    if !call.action.is_empty()
        && let Some(event) = event.as_object_mut()
    {
        event.insert("api".into(), api(call));
    }
    event
}

fn api(call: &Finding) -> Value {
    let (service, operation) = call.action.split_once(':').unwrap_or(("", &call.action));
    let service = json!({ "name": service });
    match &call.error {
        Some(error) => json!({ "operation": operation, "service": service, "response": { "error": error } }),
        None => json!({ "operation": operation, "service": service }),
    }
}

/// Who called, and from where: an address, or the name of the service that passed the call on.
fn evidence(lead: ReportedRef<'_>) -> Value {
    let (who, source_ip) = (lead.principal(), lead.source_ip());
    let actor = json!({ "user": { "uid": who.arn, "name": who.name } });
    // A drill that is due comes from nowhere.
    if source_ip.is_empty() && lead.call().is_none() {
        return json!({ "actor": actor });
    }
    let from = if source_ip.parse::<IpAddr>().is_ok() { "ip" } else { "svc_name" };
    json!({ "actor": actor, "src_endpoint": { from: source_ip } })
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod schema;
