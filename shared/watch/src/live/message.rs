//! One message, worded for each kind of subscriber.

use std::collections::BTreeMap;
use std::net::IpAddr;

use handsoff_trail::Time;
use serde_json::{Value, json};

use crate::alert::{Alert, Cause};
use crate::finding::Finding;
use crate::severity::Severity;

/// What one publish carries. Everything in it that a caller may have chosen is shortened and harmless for its
/// place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The subject of a mail: one line, less than 100 printable ASCII characters.
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
    /// The message of an alert about its lead finding.
    pub fn new(alert: &Alert, lead: &Finding) -> Self {
        let attributes = [
            ("severity", alert.severity.as_str()),
            ("code", lead.code.as_str()),
            ("cause", alert.cause.as_str()),
            ("account", &lead.account),
            ("region", &lead.region),
            ("incident", &alert.incident),
        ];
        Self {
            subject: alert.subject.clone(),
            email: unlinked(&alert.text),
            chat: chat(alert, lead).to_string(),
            json: program(alert, lead),
            // SNS refuses an empty value.
            attributes: attributes
                .into_iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| (name, value.to_owned()))
                .collect(),
        }
    }
}

/// SNS takes 256 KB in all, and this stands in it once for each kind of program.
const LONGEST_JSON: usize = 24_000;

/// The JSON for programs; of a finding that is too long without what it says twice.
fn program(alert: &Alert, lead: &Finding) -> String {
    let whole = ocsf(alert, lead).to_string();
    if whole.len() <= LONGEST_JSON {
        return whole;
    }
    let alert = Alert { text: short(&alert.text, 2000), ..alert.clone() };
    let resources = lead.resources.iter().take(2).map(|resource| short(resource, 256)).collect();
    ocsf(&alert, &Finding { resources, ..lead.clone() }).to_string()
}

/// Mail programs make links of what looks like one, and a caller can choose what stands there.
fn unlinked(text: &str) -> String {
    text.replace("://", "[:]//")
}

/// "Custom notifications using Amazon Q Developer in chat applications": the schema and its limits.
fn chat(alert: &Alert, lead: &Finding) -> Value {
    let description: Vec<String> = alert.text.lines().skip(2).map(code_line).collect();
    json!({
        "version": "1.0",
        "source": "custom",
        "id": format!("{}/{}/{}", alert.incident, alert.period, alert.cause.as_str()),
        "content": {
            "textType": "client-markdown",
            "title": short(&markdown(&alert.subject), 250),
            "description": short(&description.join("\n"), 8000),
            "nextSteps": [short(&markdown(&lead.next), 350)],
            "keywords": [alert.severity.as_str(), lead.code.as_str(), alert.incident],
        },
        "metadata": {
            "threadId": alert.incident,
            "summary": short(&markdown(&alert.subject), 250),
            "eventType": lead.code.as_str(),
            "additionalContext": { "severity": alert.severity.as_str(), "cause": alert.cause.as_str() },
        },
    })
}

/// `name     value` as a line with the value as code, in which no markup, link or mention works.
fn code_line(line: &str) -> String {
    let (name, value) = line.split_at_checked(9).unwrap_or((line, ""));
    format!("*{}* `{}`", name.trim_end(), escaped(value).replace('`', "'"))
}

/// Slack's control characters as entities, and those of markdown without their power.
fn markdown(text: &str) -> String {
    escaped(text).replace(['*', '_', '~', '`', '[', ']', '|'], " ")
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
fn ocsf(alert: &Alert, lead: &Finding) -> Value {
    let activity = match alert.cause {
        Cause::Opened => 1,
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
    let resources: Vec<Value> = lead.resources.iter().map(|name| json!({ "name": name })).collect();
    // The schema demands a time, and a record may have none.
    let told = alert.at.or_else(|| alert.time.as_deref().and_then(Time::parse));
    let time = lead.time.or(told).map_or(0, |time| time.0 * 1000);
    json!({
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
            "event_code": lead.code.as_str(),
            "uid": lead.event_id,
        },
        "finding_info": {
            "uid": alert.incident,
            "title": lead.code.title(),
            "desc": lead.reason,
            "types": [lead.code.as_str()],
        },
        "cloud": { "provider": "AWS", "region": lead.region, "account": { "uid": lead.account } },
        "api": api(lead),
        "evidences": [evidence(lead)],
        "resources": resources,
        "remediation": { "desc": lead.next },
        "unmapped": { "handsoff": { "alert": alert, "finding": lead } },
    })
}

fn api(lead: &Finding) -> Value {
    let (service, operation) = lead.action.split_once(':').unwrap_or(("", &lead.action));
    let service = json!({ "name": service });
    match &lead.error {
        Some(error) => json!({ "operation": operation, "service": service, "response": { "error": error } }),
        None => json!({ "operation": operation, "service": service }),
    }
}

/// Who called, and from where: an address, or the name of the service that passed the call on.
fn evidence(lead: &Finding) -> Value {
    let from = if lead.source_ip.parse::<IpAddr>().is_ok() { "ip" } else { "svc_name" };
    json!({
        "actor": { "user": { "uid": lead.principal.arn, "name": lead.principal.name } },
        "src_endpoint": { from: lead.source_ip },
    })
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod schema;
