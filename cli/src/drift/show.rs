//! The list, for people and for machines.

use std::io::{self, Write};

use handsoff_cloudtrail::Time;
use handsoff_ledger::{Cause, Item, Row, State, age, rows};
use serde::Serialize;

use crate::case::event;
use crate::output::{cut_line, harmless, padded};

/// How many of a row's resources the table names.
const NAMED: usize = 10;

/// Prints a table: a line for each row, and its resources below.
pub(super) fn table(items: Vec<Item>, now: Time, out: &mut dyn Write) -> io::Result<()> {
    if items.is_empty() {
        return Ok(());
    }
    writeln!(out, "{:<11}  {:>6}  {:<16}  {:<24}  WHAT", "STATE", "AGE", "SINCE (UTC)", "BY")?;
    for row in rows(items) {
        line(&row, now, out)?;
        for item in row.items.iter().take(NAMED) {
            // Whole, for it is copied from here.
            writeln!(out, "  {}", item.resource)?;
            for why in &item.refused {
                writeln!(out, "    not accepted: {why}")?;
            }
            if let State::Accepted { by, .. } = &item.state {
                let until = by.until.map(|until| format!(", until {}", until.date())).unwrap_or_default();
                writeln!(out, "    {}{until}: {}", by.owner, by.reason)?;
            }
        }
        if row.items.len() > NAMED {
            writeln!(out, "  and {} more: --format jsonl", row.items.len() - NAMED)?;
        }
    }
    writeln!(out)
}

fn line(row: &Row, now: Time, out: &mut dyn Write) -> io::Result<()> {
    let since = row.since().unwrap_or(now);
    let by: Vec<&str> = row.by().into_iter().collect();
    let who = match by.as_slice() {
        [] => "-".to_owned(),
        [one] => (*one).to_owned(),
        [one, others @ ..] => format!("{one} +{}", others.len()),
    };
    let actions: Vec<String> = row
        .actions()
        .into_iter()
        .map(|(action, count)| if count == 1 { action.to_owned() } else { format!("{action} x{count}") })
        .collect();
    let stack = match &row.cause {
        Cause::Stack(stack) => format!("stack {}: ", stack.name),
        Cause::Session(_) => String::new(),
    };
    let text = format!(
        "{:<11}  {:>6}  {:<16}  {}  {stack}{}",
        row.state(),
        age(since, now),
        since.format("%Y-%m-%d %H:%M"),
        padded(&who, 24),
        actions.join(", ")
    );
    writeln!(out, "{}", cut_line(&text))
}

/// A resource, as a line of the list. The fields are described in `docs/output.md`.
#[derive(Debug, Serialize)]
struct Listed<'i> {
    resource: String,
    state: &'static str,
    since: Time,
    last: Time,
    changes: usize,
    actions: Vec<&'i str>,
    by: Vec<&'i str>,
    incidents: Vec<&'i str>,
    cause: String,
    account: &'i str,
    region: &'i str,
    closed: Option<Time>,
    closed_by: Option<&'i str>,
    reason: Option<&'i str>,
    until: Option<Time>,
    refused: Vec<&'i str>,
}

impl<'i> Listed<'i> {
    fn of(item: &'i Item) -> Self {
        let texts =
            |texts: &'i std::collections::BTreeSet<String>| texts.iter().map(String::as_str).collect();
        let closed = item.state.closed();
        let accepted = match &item.state {
            State::Accepted { by, .. } => Some(by),
            _ => None,
        };
        Self {
            resource: item.resource.to_string(),
            state: item.state.as_str(),
            since: item.since,
            last: item.last,
            changes: item.changes,
            actions: item.actions.keys().map(String::as_str).collect(),
            by: texts(&item.by),
            incidents: texts(&item.incidents),
            cause: match &item.cause {
                Cause::Stack(stack) => stack.to_string(),
                Cause::Session(incident) => incident.clone(),
            },
            account: &item.resource.account,
            region: &item.resource.region,
            closed: closed.map(|(at, _)| at),
            closed_by: closed.map(|(_, by)| by),
            reason: accepted.map(|by| by.reason.as_str()),
            until: accepted.and_then(|by| by.until),
            refused: texts(&item.refused),
        }
    }
}

/// Prints a resource a line, as JSON.
pub(super) fn jsonl(items: &[Item], out: &mut dyn Write) -> io::Result<()> {
    for item in items {
        event::json(&Listed::of(item), out)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// The columns of the CSV output, in the order of the JSON output.
const COLUMNS: [&str; 16] = [
    "resource",
    "state",
    "since",
    "last",
    "changes",
    "actions",
    "by",
    "incidents",
    "cause",
    "account",
    "region",
    "closed",
    "closed_by",
    "reason",
    "until",
    "refused",
];

/// Prints a resource a line, safe to open in a spreadsheet.
pub(super) fn csv(items: &[Item], out: &mut dyn Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(COLUMNS)?;
    for item in items {
        let one = Listed::of(item);
        let time = |time: Option<Time>| time.map(|time| time.to_string()).unwrap_or_default();
        let row = [
            one.resource.clone(),
            one.state.to_owned(),
            one.since.to_string(),
            one.last.to_string(),
            one.changes.to_string(),
            one.actions.join(" "),
            one.by.join("; "),
            one.incidents.join(" "),
            one.cause.clone(),
            one.account.to_owned(),
            one.region.to_owned(),
            time(one.closed),
            one.closed_by.unwrap_or_default().to_owned(),
            one.reason.unwrap_or_default().to_owned(),
            time(one.until),
            one.refused.join("; "),
        ];
        writer.write_record(row.map(|cell| harmless(&cell)))?;
    }
    writer.flush()
}
