//! The calls of a case: what was changed, refused and signed in to, the reads summed up, and all of them. Alike ones that
//! follow each other are one row.

use std::collections::HashSet;
use std::io;

use handsoff_case::Observation;
use handsoff_core::Severity;
use maud::{Markup, html};

use super::super::fold::{self, Kind, Row, fold};
use super::super::harmless::shown;
use super::super::words;
use crate::html::{beyond, nothing, section, wide};
use crate::numbers::{count_of, thousands};

/// How many rows a table has: one of fifty thousand takes a browser seconds at every turn of its width, and what isn't
/// in sight of many small ones isn't laid out at all.
const ROWS: usize = 250;

/// How many actions of reads are listed.
const READS: usize = 50;

/// What a reviewer looks for: all but plain reads, which are summed up behind it.
pub(super) fn changes(calls: &[Observation]) -> Markup {
    let (rows, more) = fold::noteworthy(calls, ROWS);
    let body = html! {
        @if rows.is_empty() { (nothing("None: the session changed nothing.")) }
        @else { (table(&rows, "changes", &mut HashSet::new())) }
        (beyond(more, "rows, none of them more urgent: see all calls"))
    };
    section("Changes, denied calls and sign-ins", SAID_ONCE, &body)
}

const SAID_ONCE: &str = "A remark is shown with the first call that it applies to.";

/// The plain reads, by action.
pub(super) fn reads(calls: &[Observation]) -> Markup {
    let reads = fold::reads(calls);
    let body = html! {
        @if reads.is_empty() { (nothing("None.")) }
        @else {
            (wide(&html! {
                table.reads {
                    thead { tr { th.number { "Calls" } th { "Action" } th { "Result" } th.time { "First, last" } } }
                    tbody {
                        @for group in reads.iter().take(READS) {
                            tr {
                                td.number { (thousands(group.count as u64)) }
                                td {
                                    code { (shown(&group.call.action)) }
                                    @if group.call.chained { " " span.flag { "assumed role" } }
                                }
                                td { @let result = words::result(group.call); @if result.is_empty() { "succeeded" } @else { (result) } }
                                td.time {
                                    (words::time(group.call.time))
                                    @if group.last != group.call.time { br; (words::time(group.last)) }
                                }
                            }
                        }
                    }
                }
            }))
            (beyond(reads.len().saturating_sub(READS), "actions: see all calls"))
        }
    };
    section("Reads, by action", "Each of them is in the list of all calls, at the end.", &body)
}

/// Writes the section of all calls, a table at a time.
///
/// # Errors
/// When it can't be written.
pub(super) fn write(calls: &[Observation], put: &mut impl FnMut(Markup) -> io::Result<()>) -> io::Result<()> {
    let rows = fold(calls.iter().enumerate().map(|(index, call)| (index + 1, call)));
    let mut said = HashSet::new();
    put(html! {
        section.calls {
            h2 { "All calls" }
            p.note {
                (count_of(calls.len() as u64, "call")) " in " (count_of(rows.len() as u64, "row")) ". Calls that follow each other and "
                "are alike in all but their time and event ID are one row, which names the first one's event. "
                "The numbers are those of the lines in the case file. " (SAID_ONCE)
            }
            @if !rows.is_empty() { (table(rows.get(..ROWS).unwrap_or(&rows), "all", &mut said)) }
        }
    })?;
    for rows in rows.chunks(ROWS).skip(1) {
        put(html! { section.calls.more { (table(rows, "all", &mut said)) } })?;
    }
    Ok(())
}

/// `class` is one of this page's own. `said` are the sentences that stand on it already.
fn table<'c>(rows: &[Row<'c>], class: &'static str, said: &mut HashSet<&'c str>) -> Markup {
    wide(&html! {
        table.rows.(class) {
            thead { tr { th.n { "No." } th.time { "Time" } th.what { "Call" } th.to { "Touched" } th.by { "By, from" } } }
            tbody { @for row in rows { (one(row, said.insert(&row.call.reason))) } }
        }
    })
}

/// `first`: nothing before it has the same said of it.
fn one(row: &Row<'_>, first: bool) -> Markup {
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
                @if let Some(agent) = &call.agent { " " span.flag { "agent: " (shown(agent)) } }
                @if call.chained { " " span.flag { "assumed role" } }
                @if call.severity >= Severity::High { " " span.flag { (call.severity.as_str()) } }
                @if is_verdict(call) { " " span.soft { (call.code.as_str()) } }
                @if first && (is_verdict(call) || call.severity >= Severity::High) { p.soft { (shown(&call.reason)) } }
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

/// Whether the code is more than that this is a call of the session.
fn is_verdict(call: &Observation) -> bool {
    !call.code.row().is_routine
}

/// The last one's time, without the day when it is the first one's.
fn last(row: &Row<'_>) -> String {
    match (row.call.time, row.last) {
        (Some(first), Some(last)) if first.date() == last.date() => last.format("%H:%M:%S"),
        (_, last) => words::time(last),
    }
}
