//! What would have been sent, and when.

use std::io::{self, Write};

use handsoff_core::{Policy, Severity};

use crate::args::Format;
use crate::numbers::count_of;
use crate::outcome::Outcome;

/// Prints all alerts by time.
///
/// # Errors
/// When they can't be written.
pub fn alerts(
    outcome: &Outcome,
    policy: &Policy,
    format: Format,
    min: Severity,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut alerts = outcome.alerts(policy);
    alerts.retain(|alert| alert.severity >= min);
    // Stable: alerts of one incident at the same second stay in their order.
    alerts.sort_by(|a, b| (a.at, &a.incident).cmp(&(b.at, &b.incident)));
    match format {
        Format::Jsonl => {
            for alert in &alerts {
                serde_json::to_writer(&mut *out, alert)?;
                out.write_all(b"\n")?;
            }
        }
        Format::Csv => {
            let mut writer = csv::Writer::from_writer(out);
            writer.write_record([
                "time",
                "cause",
                "incident",
                "severity",
                "findings",
                "subject",
                "period",
                "tells",
                "account_name",
                "event_id",
                "event_time",
                "user_agent",
                "link",
            ])?;
            for alert in &alerts {
                let findings = alert.findings.to_string();
                let time = alert.time.as_deref().unwrap_or_default();
                let subject = super::lines::harmless(&alert.subject);
                let tells: Vec<String> = alert.tells.iter().map(ToString::to_string).collect();
                writer.write_record([
                    time,
                    alert.cause.as_str(),
                    &alert.incident,
                    alert.severity.as_str(),
                    &findings,
                    &subject,
                    &alert.period,
                    &tells.join(" "),
                    &super::lines::harmless(alert.account_name.as_deref().unwrap_or_default()),
                    &super::lines::harmless(&alert.event_id),
                    alert.event_time.as_deref().unwrap_or_default(),
                    &super::lines::harmless(&alert.user_agent),
                    alert.link.as_deref().unwrap_or_default(),
                ])?;
            }
            writer.flush()?;
        }
        Format::Text => {
            for alert in &alerts {
                writeln!(
                    out,
                    "{}  {}",
                    alert.time.as_deref().unwrap_or("(no time)           "),
                    alert.subject
                )?;
                for line in alert.text.lines().skip(2) {
                    writeln!(out, "    {line}")?;
                }
                writeln!(out)?;
            }
            writeln!(out, "{} would have been sent.\n", count_of(alerts.len() as u64, "alert"))?;
        }
    }
    Ok(())
}
