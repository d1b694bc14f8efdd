//! All calls of a case. Alike ones that follow each other are one row.

use std::io;

use handsoff_case::Observation;
use handsoff_watch::{Code, Severity};
use maud::{Markup, html};

use super::super::fold::{Kind, Row, fold};
use super::super::{shown, words};
use crate::output::{count_of, thousands};

/// How many rows a table has: one of fifty thousand takes a browser seconds at every turn of its width, and what isn't
/// in sight of many small ones isn't laid out at all.
const ROWS: usize = 250;

/// Writes the section, a table at a time.
///
/// # Errors
/// When it can't be written.
pub(super) fn write(calls: &[Observation], put: &mut impl FnMut(Markup) -> io::Result<()>) -> io::Result<()> {
    let rows = fold(calls.iter().enumerate().map(|(index, call)| (index + 1, call)));
    put(html! {
        section.calls {
            h2 { "All calls" }
            p.note {
                (count_of(calls.len() as u64, "call")) " in " (count_of(rows.len() as u64, "row")) ". Calls that follow each other and "
                "are alike in all but their time and event ID are one row, which names the first one's event. "
                "The numbers are those of the lines in the case file."
            }
            @if !rows.is_empty() { (table(rows.get(..ROWS).unwrap_or(&rows))) }
        }
    })?;
    for rows in rows.chunks(ROWS).skip(1) {
        put(html! { section.calls.more { (table(rows)) } })?;
    }
    Ok(())
}

fn table(rows: &[Row<'_>]) -> Markup {
    html! {
        table.all {
            thead { tr { th.n { "No." } th.time { "Time" } th.what { "Call" } th.to { "Touched" } th.by { "By, from" } } }
            tbody { @for row in rows { (one(row)) } }
        }
    }
}

fn one(row: &Row<'_>) -> Markup {
    let call = row.call;
    let kind = Kind::of(call).name();
    let result = words::result(call);
    html! {
        tr {
            td.n { (thousands(row.from as u64)) @if row.count > 1 { "–" wbr; (thousands(row.to as u64)) } }
            td.time {
                (words::time(call.time))
                @if row.count > 1 { br; "to " (last(row)) br; b { "×" (thousands(row.count as u64)) } }
            }
            td.what {
                span.kind.(kind) { (kind) } " " code { (shown(&call.action)) }
                @if !result.is_empty() { " " span.result { (result) } }
                @if call.interactive { " " span.flag { "interactive" } }
                @if call.chained { " " span.flag { "role taken on" } }
                @if call.severity >= Severity::High { " " span.flag { (call.severity.as_str()) } }
                @if says_more(call) { p.soft { (shown(&call.reason)) } }
            }
            td.to {
                @for name in &call.resources { code.name { (shown(name)) } }
                @if !call.made.is_empty() { span.soft { "made" } @for name in &call.made { code.name { (shown(name)) } } }
            }
            td.by {
                (shown(&call.by)) br;
                span.soft { (shown(&call.via)) ", " (shown(&call.source_ip)) ", " (shown(&call.region)) } br;
                code.id { (shown(&call.event_id)) }
            }
        }
    }
}

/// Whether the reason is more than that this is a call of the session.
fn says_more(call: &Observation) -> bool {
    !matches!(call.code, Code::GlassActivity | Code::RootActivity) || call.severity >= Severity::High
}

/// The last one's time, without the day when it is the first one's.
fn last(row: &Row<'_>) -> String {
    match (row.call.time, row.last) {
        (Some(first), Some(last)) if first.date() == last.date() => last.format("%H:%M:%S"),
        (_, last) => words::time(last),
    }
}
