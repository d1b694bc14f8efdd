//! The sections that sum the calls up: services, resources, denials, ways into machines, where they came from.

use std::collections::{BTreeMap, BTreeSet};

use handsoff_case::Observation;
use handsoff_case::observation::{Did, Ended};
use maud::{Markup, html};

use super::super::fold::{Kind, fold, group};
use super::super::harmless::shown;
use super::super::words;
use super::facts::names;
use crate::html::{beyond, nothing, section, wide};
use crate::numbers::thousands;

/// How many rows a table of sums has.
const ROWS: usize = 100;

/// How many actions of a service are named.
const ACTIONS: usize = 12;

/// How wide a bar may be.
const BAR: usize = 300;

#[derive(Default)]
struct Service<'c> {
    kinds: BTreeMap<Kind, usize>,
    actions: BTreeMap<&'c str, usize>,
    all: usize,
}

/// Calls by service, as bars, with their actions.
pub(super) fn services(calls: &[Observation]) -> Markup {
    let mut services: BTreeMap<&str, Service<'_>> = BTreeMap::new();
    for call in calls {
        let (service, name) = call.action.split_once(':').unwrap_or(("", &call.action));
        let sum = services.entry(service).or_default();
        sum.all += 1;
        *sum.kinds.entry(Kind::of(call)).or_default() += 1;
        *sum.actions.entry(name).or_default() += 1;
    }
    let mut services: Vec<(&str, Service<'_>)> = services.into_iter().collect();
    services.sort_by_key(|(_, sum)| std::cmp::Reverse(sum.all));
    let most = services.first().map_or(1, |(_, sum)| sum.all);
    let body = html! {
        @if services.is_empty() { (nothing("No calls.")) }
        @else {
            (wide(&html! {
                table.services {
                    thead { tr { th.service { "Service" } th.number { "Calls" } th.bar { "By kind" } th { "Actions" } } }
                    tbody {
                        @for (service, sum) in services.iter().take(ROWS) {
                            tr {
                                td.service { code { (shown(service)) } }
                                td.number { (thousands(sum.all as u64)) }
                                td.bar { (bar(sum, most)) }
                                td { (actions(sum)) }
                            }
                        }
                    }
                }
            }))
            (beyond(services.len().saturating_sub(ROWS), "services"))
        }
    };
    section("Actions by service", "", &body)
}

/// A bar of parts. Each kind that is there is seen, however few calls it has.
fn bar(sum: &Service<'_>, most: usize) -> Markup {
    let mut at = 0;
    let mut parts = Vec::new();
    for (kind, number) in &sum.kinds {
        let width = (number * BAR / most.max(1)).max(2);
        parts.push((kind.name(), at, width, *number));
        at += width;
    }
    html! {
        svg.bar viewBox="0 0 316 12" preserveAspectRatio="none" aria-hidden="true" {
            @for (name, x, width, number) in parts {
                rect.(name) x=(x) y="0" width=(width) height="12" { title { (name) ": " (thousands(number as u64)) } }
            }
        }
    }
}

fn actions(sum: &Service<'_>) -> Markup {
    let mut actions: Vec<(&str, usize)> = sum.actions.iter().map(|(name, number)| (*name, *number)).collect();
    actions.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
    let more = actions.len().saturating_sub(ACTIONS);
    html! {
        @for (index, (name, number)) in actions.into_iter().take(ACTIONS).enumerate() {
            @if index > 0 { ", " }
            span.action { code { (shown(name)) } @if number > 1 { span.soft { " ×" (thousands(number as u64)) } } }
        }
        @if more > 0 { ", and " (thousands(more as u64)) " more" }
    }
}

#[derive(Default)]
struct Touched<'c> {
    writes: usize,
    all: usize,
    denied: usize,
    actions: BTreeSet<&'c str>,
}

/// What was touched, the most changed first.
pub(super) fn resources(calls: &[Observation]) -> Markup {
    let mut touched: BTreeMap<&str, Touched<'_>> = BTreeMap::new();
    for call in calls {
        for name in call.resources.iter().chain(&call.made).collect::<BTreeSet<_>>() {
            let sum = touched.entry(name).or_default();
            sum.all += 1;
            sum.denied += usize::from(call.ended == Ended::Denied);
            sum.writes += usize::from(call.did == Did::Write && call.ended == Ended::Succeeded);
            sum.actions.insert(&call.action);
        }
    }
    let mut touched: Vec<(&str, Touched<'_>)> = touched.into_iter().collect();
    touched.sort_by_key(|(_, sum)| std::cmp::Reverse((sum.writes, sum.all)));
    let body = html! {
        @if touched.is_empty() { (nothing("No call names any.")) }
        @else {
            (wide(&html! {
                table.resources {
                    thead { tr { th { "Resource" } th.number { "Calls" } th.number { "Writes" } th.number { "Denied" } th { "By" } } }
                    tbody {
                        @for (name, sum) in touched.iter().take(ROWS) {
                            tr {
                                td { code { (shown(name)) } }
                                td.number { (thousands(sum.all as u64)) }
                                td.number { @if sum.writes > 0 { b { (thousands(sum.writes as u64)) } } @else { "-" } }
                                td.number { @if sum.denied > 0 { (thousands(sum.denied as u64)) } @else { "-" } }
                                td {
                                    @for (index, action) in sum.actions.iter().take(4).enumerate() {
                                        @if index > 0 { ", " }
                                        code { (shown(action)) }
                                    }
                                    @if sum.actions.len() > 4 { ", and " (sum.actions.len() - 4) " more" }
                                }
                            }
                        }
                    }
                }
            }))
            (beyond(touched.len().saturating_sub(ROWS), "resources: see all calls"))
        }
    };
    section("Resources touched", "The most often changed first.", &body)
}

/// What was denied.
pub(super) fn denials(calls: &[Observation]) -> Markup {
    let denied = calls.iter().filter(|call| call.ended == Ended::Denied);
    let denied = group(denied, |call| (&call.action, &call.error, &call.resources));
    let body = html! {
        @if denied.is_empty() { (nothing("None.")) }
        @else {
            (wide(&html! {
                table.denials {
                    thead { tr { th.time { "First, last" } th.number { "Calls" } th.action { "Action" } th { "Error" } th { "Resources" } } }
                    tbody {
                        @for group in denied.iter().take(ROWS) {
                            tr {
                                td.time {
                                    (words::time(group.call.time))
                                    @if group.last != group.call.time { br; (words::time(group.last)) }
                                }
                                td.number { (thousands(group.count as u64)) }
                                td.action { code { (shown(&group.call.action)) } }
                                td { (group.call.error.as_deref().map(shown).unwrap_or_default()) }
                                td { (names(&group.call.resources)) }
                            }
                        }
                    }
                }
            }))
            (beyond(denied.len().saturating_sub(ROWS), "denied actions: see all calls"))
        }
    };
    section("Denials", "", &body)
}

/// Ways into machines.
pub(super) fn interactive(calls: &[Observation]) -> Markup {
    let inside = fold(calls.iter().enumerate().filter(|(_, call)| call.interactive));
    let body = html! {
        @if inside.is_empty() { (nothing("None.")) }
        @else {
            (wide(&html! {
                table.inside {
                    thead { tr { th.time { "Time" } th.number { "Calls" } th.action { "Action" } th { "Result" } th { "Into" } } }
                    tbody {
                        @for row in inside.iter().take(ROWS) {
                            tr {
                                td.time { (words::time(row.call.time)) }
                                td.number { (thousands(row.count as u64)) }
                                td.action { code { (shown(&row.call.action)) } }
                                td { @let result = words::result(row.call); @if result.is_empty() { "succeeded" } @else { (result) } }
                                td { (names(&row.call.resources)) }
                            }
                        }
                    }
                }
            }))
            (beyond(inside.len().saturating_sub(ROWS), "of them: see all calls"))
        }
    };
    section("Interactive access", "CloudTrail doesn't record what is typed on a machine.", &body)
}

/// Where the calls came from.
pub(super) fn origins(calls: &[Observation]) -> Markup {
    let origins = group(calls, |call| (&call.source_ip, &call.via, &call.user_agent));
    let body = html! {
        @if origins.is_empty() { (nothing("No calls.")) }
        @else {
            (wide(&html! {
                table.origins {
                    thead { tr { th { "Address" } th { "Via" } th { "Program, by its user agent" } th.number { "Calls" } th.time { "First, last" } } }
                    tbody {
                        @for group in origins.iter().take(ROWS) {
                            tr {
                                td { code { (shown(&group.call.source_ip)) } }
                                td { (shown(&group.call.via)) }
                                td { code { (shown(&group.call.user_agent)) } }
                                td.number { (thousands(group.count as u64)) }
                                td.time {
                                    (words::time(group.call.time))
                                    @if group.last != group.call.time { br; (words::time(group.last)) }
                                }
                            }
                        }
                    }
                }
            }))
            (beyond(origins.len().saturating_sub(ROWS), "origins"))
        }
    };
    section("Where the calls came from", "", &body)
}
