//! The lists of a report: stories and incidents, kinds, callers, the timeline, the noisiest rules.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use handsoff_cloudtrail::Time;
use handsoff_core::Severity;
use maud::{Markup, html};

use super::chart::{self, Bar};
use super::gather::{BINS, Gathered, Lane, Noise, kinds as by_kind};
use super::offer;
use super::rule::Caller;
use super::story::Row;
use crate::html::{beyond, nothing, section};
use crate::numbers::{count_of, thousands};
use crate::output::{in_steps, length, time};

/// So many incidents are listed, and stories are listed whole.
const INCIDENTS: usize = 150;
/// So many callers are listed.
const CALLERS: usize = 15;
/// So many lanes has the timeline.
const LANES: usize = 24;
/// So many actions of an incident are named.
const ACTIONS: usize = 5;

/// The class of a severity: one of the page's own.
pub(super) fn level(severity: Severity) -> &'static str {
    severity.as_str()
}

/// A severity as a mark.
pub(super) fn severity(severity: Severity) -> Markup {
    html! { span.severity.(level(severity)) { (severity.as_str()) } }
}

/// A number, or a dash for none.
pub(super) fn number(number: Option<&u64>) -> Markup {
    html! { @match number { Some(number) => (thousands(*number)), None => span.soft { "–" } } }
}

/// What the colours mean.
pub(super) fn legend() -> Markup {
    html! {
        ul.legend {
            @for severity in Severity::ALL.iter().rev() { li { span.key.(level(*severity)) {} (severity.as_str()) } }
        }
    }
}

/// The incidents, those of a story together.
pub(super) fn stories(gathered: &Gathered<'_>) -> Markup {
    let mut listed = 0;
    let shown = gathered.stories.iter().take_while(|story| {
        let room = listed < INCIDENTS;
        listed += if room { story.len() } else { 0 };
        room
    });
    let shown: Vec<_> = shown.collect();
    let all = gathered.rows().count();
    let body = html! {
        @if shown.is_empty() { (nothing("No incident in this period.")) }
        @else {
            table.stack.incidents {
                thead { tr { th.level { "Severity" } th.when { "When" } th.who { "Who" } th { "What" } th.n { "Messages" } } }
                @for story in &shown { (one(story)) }
            }
            (beyond(all - listed, "incidents, none of them more severe"))
        }
    };
    let note = "A row is an incident, the most severe first. A story connects incidents by a user or role \
                that one of them created and another used.";
    section("Stories and incidents", note, &body)
}

fn one(story: &[Row<'_>]) -> Markup {
    let messages: u64 = story.iter().map(|row| row.messages).sum();
    html! {
        tbody.story[story.len() > 1] {
            @if story.len() > 1 {
                tr.title { td colspan="5" {
                    b { "Story of " (count_of(story.len() as u64, "incident")) } ", " (count_of(messages, "message"))
                } }
            }
            @for row in story { (incident(row)) }
        }
    }
}

fn incident(row: &Row<'_>) -> Markup {
    let steps = row.incident.steps();
    let actions = row.incident.actions_by_steps(&steps);
    let more = actions.len().saturating_sub(ACTIONS);
    let who = row.lead.principal();
    html! {
        tr {
            td.level { (severity(row.severity)) }
            td.when { (when(row.times)) }
            td.who {
                b { (who.name) } " " span.soft { (who.kind.as_str()) }
                @if let Some(human) = who.human.as_ref().filter(|human| !who.name.contains(*human)) { br; span.soft { "used by: " (human) } }
                @if let Some(made) = &row.made { br; span.soft { (made) " was created in this story" } }
            }
            td.what {
                (row.lead.code().title()) " " span.soft { (count_of(row.incident.count() as u64, "finding")) (in_steps(&steps)) } br;
                @for (index, (action, count)) in actions.iter().take(ACTIONS).enumerate() {
                    @if index > 0 { ", " }
                    code { (action) } @if *count > 1 { span.soft { " ×" (thousands(*count as u64)) } }
                }
                @if more > 0 { ", and " (count_of(more as u64, "more action")) }
                br; code.id { (row.incident.id) }
            }
            td.n { (number(Some(&row.messages).filter(|messages| **messages > 0))) }
        }
    }
}

fn when(times: Option<(Time, Time)>) -> Markup {
    html! {
        @match times {
            None => "no time",
            Some((first, last)) => {
                (time(Some(first)))
                @if last > first { br; span.soft { "for " (length(last - first)) } }
            }
        }
    }
}

fn parts(by: &BTreeMap<Severity, u64>) -> Vec<(&'static str, u64)> {
    by.iter().rev().map(|(severity, number)| (level(*severity), *number)).collect()
}

/// Incidents by kind.
pub(super) fn kinds(gathered: &Gathered<'_>) -> Markup {
    let kinds = by_kind(gathered);
    let most = kinds.first().map_or(1, |(_, by)| by.values().sum());
    let body = html! {
        @if kinds.is_empty() { (nothing("None.")) }
        @else {
            ul.bars {
                @for (code, by) in &kinds {
                    li {
                        span.name { (code.title()) " " code.soft { (code.as_str()) } }
                        b.n { (thousands(by.values().sum())) }
                        (chart::row(&Bar { name: code.title().to_owned(), parts: parts(by) }, most, "incident"))
                    }
                }
            }
        }
    };
    section("Incidents by kind", "", &body)
}

/// Incidents by person or role.
pub(super) fn callers(gathered: &Gathered<'_>) -> Markup {
    let mut by: BTreeMap<Caller, BTreeMap<Severity, u64>> = BTreeMap::new();
    for row in gathered.rows() {
        *by.entry(Caller::of(row.lead)).or_default().entry(row.severity).or_default() += 1;
    }
    let sum = |by: &BTreeMap<Severity, u64>| by.values().sum::<u64>();
    let mut callers: Vec<_> = by.into_iter().collect();
    callers.sort_by(|(a, these), (b, those)| (sum(those), a).cmp(&(sum(these), b)));
    let most = callers.first().map_or(1, |(_, by)| sum(by));
    let body = html! {
        @if callers.is_empty() { (nothing("None.")) }
        @else {
            ul.bars {
                @for (caller, by) in callers.iter().take(CALLERS) {
                    li {
                        span.name { (caller.name) " " span.soft { (caller.kind.as_str()) } }
                        b.n { (thousands(sum(by))) }
                        (chart::row(&Bar { name: caller.name.clone(), parts: parts(by) }, most, "incident"))
                    }
                }
            }
            (beyond(callers.len().saturating_sub(CALLERS), "people and roles"))
        }
    };
    section("Incidents by person and role", "", &body)
}

/// A lane for each person and role, over time.
pub(super) fn timeline(gathered: &Gathered<'_>) -> Markup {
    let mut lanes: Vec<(&Caller, &Lane)> =
        gathered.lanes.iter().filter(|(_, lane)| !lane.bins.is_empty()).collect();
    lanes.sort_by_key(|(caller, lane)| (Reverse((lane.worst, lane.messages, lane.findings)), *caller));
    let more = lanes.len().saturating_sub(LANES);
    let body = match gathered.scale.filter(|_| !lanes.is_empty()) {
        None => nothing("No finding has a time."),
        Some(scale) => html! {
            figure.timeline {
                @for (caller, lane) in lanes.into_iter().take(LANES) {
                    @let marks: Vec<_> = lane.bins.iter().map(|(bin, (count, worst))| (*bin, *count, *worst)).collect();
                    div.lane {
                        p.name { (caller.name) " " span.soft { (caller.kind.as_str()) ", " (count_of(lane.findings, "finding")) } }
                        (chart::lane(scale, BINS, &marks))
                    }
                }
                div.lane.axis { p.name {} (chart::axis(scale)) }
                figcaption {
                    (legend())
                    p.note { "Each mark is " (length(scale.width(BINS))) " in which there were findings, in the colour of the worst." }
                }
            }
            (beyond(more, "people and roles, none with more severe findings"))
        },
    };
    section("Timeline", "By person and role, the most severe first.", &body)
}

/// The noisiest rules, and what an entry would hide of each.
pub(super) fn rules(gathered: &Gathered<'_>) -> Markup {
    let all = gathered.messages();
    let body = html! {
        @if gathered.rules.is_empty() { (nothing("No finding in this period.")) }
        @else {
            ol.rules { @for noise in &gathered.rules { li { (rule(noise, all)) } } }
            (beyond(gathered.more_rules, "pairs of a code and a principal, none with more messages"))
        }
    };
    let note = "A code and who made its findings, by messages. A message counts for what its incident is \
                named by. Entries are offered for ordinary changes only, never for root, emergency \
                identities, attacks on logging, misuse of a deploy role, denied calls or severe changes: \
                add one only if the change is agreed.";
    section("The noisiest rules", note, &body)
}

fn rule(noise: &Noise, all: u64) -> Markup {
    let Noise { rule, findings, messages, offer } = noise;
    // In thousandths, rounded.
    let share = (messages * 1000 + all / 2) / all.max(1);
    html! {
        p.rule {
            code { (rule.code.as_str()) } " by " b { (rule.name()) } " " span.soft { (rule.kind.as_str()) } br;
            (count_of(*messages, "message")) " (" (share / 10) "." (share % 10) " %), " (count_of(*findings, "finding"))
        }
        p.soft { code { (rule.principal) } }
        @match offer {
            None => p.soft { "No entry is offered: " (offer::none(rule)) "." },
            Some(offer) => {
                p { "This " (offer.kind) " entry would hide " b { (count_of(offer.messages, "message")) " and " (count_of(offer.findings, "finding")) } ":" }
                pre { (offer.entry) }
            }
        }
    }
}
