//! A report as one page of HTML ([`crate::html`]).

use std::collections::BTreeMap;
use std::io::{self, Write};

use handsoff_cloudtrail::Time;
use handsoff_core::Severity;
use handsoff_core::alert::Alert;
use handsoff_core::show::clean;
use maud::{Markup, html};

use super::chart::{self, Bar};
use super::compare::{Comparison, Difference, Side};
use super::file::GENERATOR;
use super::gather::{Gathered, is_digest};
use super::tables::{self, level};
use crate::html::{begin, beyond, end, nothing, section, tile};
use crate::numbers::{count_of, thousands};
use crate::output::time;

const STYLE: &str = include_str!("style.css");

/// At most so many bars: beyond it each is of several days.
const BARS: i64 = 62;

/// So many groups of a comparison are listed on each side.
const GROUPS: usize = 40;

/// Writes the page, a part after the other.
pub(super) fn write(
    gathered: &Gathered<'_>,
    policy: &str,
    comparison: Option<&Comparison>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut put = |markup: Markup| out.write_all(markup.0.as_bytes());
    let about = gathered.period.map(|(from, until)| format!(", {} to {}", from.date(), until.date()));
    let title = format!("handsoff report{}", about.unwrap_or_default());
    put(begin(&title, Some(GENERATOR), STYLE))?;
    put(head(gathered, &clean(policy, 256)))?;
    put(days(gathered))?;
    put(tables::stories(gathered))?;
    put(html! { div.columns { (tables::kinds(gathered)) (tables::callers(gathered)) } })?;
    put(tables::timeline(gathered))?;
    put(tables::rules(gathered))?;
    if let Some(comparison) = comparison {
        put(compared(comparison))?;
    }
    put(end("saved CloudTrail logs"))
}

fn head(gathered: &Gathered<'_>, policy: &str) -> Markup {
    let counts = &gathered.outcome.counts;
    let found: u64 = counts.findings.values().flat_map(BTreeMap::values).sum();
    let judged = counts.read - counts.out_of_range;
    let digests = gathered.alerts.len() as u64 - gathered.messages();
    let of = |severity| gathered.rows().filter(|row| row.severity == severity).count() as u64;
    html! {
        header {
            p.eyebrow { "Replay of CloudTrail logs" }
            h1 { "What was found, and what would have been sent" }
            p.lead {
                (count_of(judged, "record"))
                @if let Some((from, until)) = gathered.period {
                    " from " b { (time(Some(from))) } " to " b { (time(Some(until))) }
                }
                ", judged by " code { (policy) } "."
            }
            p.chips {
                @if judged == 0 { span.chip.bad { "No record in this period: the result says nothing about what happened" } }
                @if counts.unreadable > 0 { span.chip.bad { (count_of(counts.unreadable, "thing")) " could not be read: something may be missing here" } }
                @if counts.odd > 0 { span.chip.warn { (count_of(counts.odd, "odd record")) ", judged anyway" } }
                @if counts.out_of_range > 0 { span.chip.note { (count_of(counts.out_of_range, "record")) " left out by --since or --until" } }
            }
        }
        ul.tiles {
            (tile(gathered.messages(), "messages", "messages"))
            @if digests > 0 { (tile(digests, "digests", "digest")) }
            (tile(gathered.outcome.incidents.len() as u64, "incidents", ""))
            (tile(of(Severity::Critical), "critical incidents", "critical"))
            (tile(of(Severity::High), "high incidents", "high"))
            (tile(found, "findings", ""))
            (tile(judged, "records", ""))
        }
    }
}

/// Messages by day, and by cause.
fn days(gathered: &Gathered<'_>) -> Markup {
    if gathered.alerts.is_empty() {
        let text = "No message would have been sent in this period.";
        return section("Messages a day", "", &nothing(text));
    }
    let (bars, long) = bars(gathered);
    let timeless = gathered.alerts.iter().filter(|alert| alert.at.is_none()).count() as u64;
    let digests = gathered.alerts.iter().any(is_digest);
    let body = html! {
        @if !bars.is_empty() {
            figure {
                (chart::columns(&bars, "message", "Messages a day, by severity"))
                figcaption {
                    (tables::legend())
                    @if long > 1 { p.note { "Each bar is of " (long) " days." } }
                }
            }
        }
        @if timeless > 0 { p.note { "Not in the picture: " (count_of(timeless, "message")) " without a time." } }
        (causes(&gathered.alerts))
    };
    let note = if digests { "Digests are counted separately, and are in no bar." } else { "" };
    section("Messages a day", note, &body)
}

/// The bars, and of how many days each is.
fn bars(gathered: &Gathered<'_>) -> (Vec<Bar>, i64) {
    let day = Time::day;
    let sent = || gathered.alerts.iter().filter(|alert| !is_digest(alert));
    let times =
        sent().filter_map(|alert| alert.at).chain(gathered.period.into_iter().flat_map(|(a, b)| [a, b]));
    let Some((first, last)) = times
        .map(|time| (day(time), day(time)))
        .reduce(|(first, last), (from, until)| (first.min(from), last.max(until)))
    else {
        return (Vec::new(), 1);
    };
    let long = (last - first + BARS) / BARS;
    let mut counts: BTreeMap<i64, BTreeMap<Severity, u64>> = BTreeMap::new();
    for alert in sent() {
        if let Some(at) = alert.at {
            let bar = (day(at) - first) / long;
            *counts.entry(bar).or_default().entry(alert.severity).or_default() += 1;
        }
    }
    let bar = |index: i64| {
        let parts =
            counts.get(&index).into_iter().flatten().map(|(severity, number)| (level(*severity), *number));
        Bar { name: Time::of_day(first + index * long).date(), parts: parts.collect() }
    };
    ((0..=(last - first) / long).map(bar).collect(), long)
}

/// How many messages there are of each cause and severity.
fn causes(alerts: &[Alert]) -> Markup {
    let mut causes: BTreeMap<&str, BTreeMap<Severity, u64>> = BTreeMap::new();
    for alert in alerts {
        *causes.entry(alert.cause.as_str()).or_default().entry(alert.severity).or_default() += 1;
    }
    // Digests, which are no messages about an incident, are the last.
    let mut causes: Vec<_> = causes.into_iter().collect();
    causes.sort_by_key(|(cause, by)| (*cause == "digest", std::cmp::Reverse(by.values().sum::<u64>())));
    let is_there = |severity: &&Severity| causes.iter().any(|(_, by)| by.contains_key(severity));
    let severities: Vec<&Severity> = Severity::ALL.iter().rev().filter(is_there).collect();
    html! {
        div.scroll { table.causes {
            thead { tr {
                th { "Cause" } th.n { "All" }
                @for severity in &severities { th.n { (severity.as_str()) } }
            } }
            tbody {
                @for (cause, by) in &causes {
                    tr {
                        td { (cause) }
                        td.n { b { (thousands(by.values().sum())) } }
                        @for severity in &severities { td.n { (tables::number(by.get(severity))) } }
                    }
                }
            }
        } }
    }
}

/// What the second policy adds and loses.
fn compared(comparison: &Comparison) -> Markup {
    let Comparison { names: [first, second], min, messages, findings, .. } = comparison;
    let body = html! {
        p.versus { "First: " code { (clean(first, 256)) } br; "Second: " code { (clean(second, 256)) } }
        div.scroll { table.totals {
            thead { tr { th {} th.n { "First" } th.n { "Second" } th.n { "Only first" } th.n { "Only second" } } }
            tbody {
                @for (name, Difference { all, only, .. }) in [("Messages", messages), ("Findings", findings)] {
                    tr {
                        td { (name) }
                        @for number in [all.first, all.second, only.first, only.second] { td.n { (thousands(number)) } }
                    }
                }
            }
        } }
        @if comparison.is_same() { (nothing("No difference: both policies send the same messages and find the same.")) }
        @for side in Side::ALL.iter().copied() {
            (groups(messages, side, "Messages"))
            (groups(findings, side, "Findings"))
        }
    };
    let note =
        if *min > Severity::Info { format!("What is below {min} is left out.") } else { String::new() };
    section("Compared with another policy", &note, &body)
}

fn groups(difference: &Difference, side: Side, what: &str) -> Markup {
    let groups = difference.by(side);
    if groups.is_empty() {
        return html! {};
    }
    html! {
        h3 { (what) " only with the " (side.as_str()) " policy: " (thousands(difference.only.get(side))) }
        table.stack.difference {
            thead { tr { th.n { (what) } th.level { "Severity" } th.code { "Code" } th { "Principal" } } }
            tbody {
                @for (group, count) in groups.iter().take(GROUPS) {
                    tr {
                        td.n { (thousands(*count)) }
                        td.level { (tables::severity(group.severity)) }
                        td.code { code { (group.rule.as_ref().map_or("digest", |rule| rule.code.as_str())) } }
                        td.who { @if let Some(rule) = &group.rule { code { (rule.principal) } } }
                    }
                }
            }
        }
        (beyond(groups.len().saturating_sub(GROUPS), "rows"))
    }
}
