//! The alerts of an incident whose findings are all known.

use std::collections::{BTreeMap, BTreeSet};

use handsoff_trail::Time;

use super::{About, Alert, Cause, Milestone, Period};
use crate::incident::{Incident, Mark};
use crate::policy::Alerts;
use crate::severity::Severity;

/// All alerts of an incident, in their order.
///
/// In each [`Period`] one when it reaches the severity that is sent, one at each rise in severity and at the
/// 10th, 100th … finding; and one when nothing came for a while after a period's end.
pub fn schedule(incident: &Incident, policy: &Alerts) -> Vec<Alert> {
    let mut periods: BTreeMap<Period, Vec<&Mark>> = BTreeMap::new();
    for mark in incident.marks.keys() {
        periods.entry(Period::of(mark.time, policy)).or_default().push(mark);
    }
    // An incident in a period that nothing is told about is not opened, and not closed.
    periods.retain(|_, marks| marks.iter().any(|mark| mark.severity >= policy.min_severity));
    let mut alerts = Vec::new();
    let mut opened = None;
    for (period, marks) in &periods {
        let opened_at = *opened.get_or_insert(*period);
        alerts.extend(within(incident, *period, marks, policy));
        let next = period.end(policy).and_then(|end| periods.get(&Period(Some(end))));
        let times = next.into_iter().flatten().filter(|mark| mark.severity >= policy.min_severity);
        if !goes_on(*period, times.filter_map(|mark| mark.time), policy) {
            let chain: Vec<&Mark> =
                periods.range(opened_at..=*period).flat_map(|(_, marks)| marks).copied().collect();
            alerts.extend(closing(incident, *period, opened_at, &chain, policy));
            opened = None;
        }
    }
    // Stable: what one second brings stays in its order.
    alerts.sort_by_key(|alert| alert.at);
    alerts
}

/// Whether an incident went on after a period: it had findings that are sent, at these times, before it had been
/// quiet for long enough.
pub fn goes_on(period: Period, mut times: impl Iterator<Item = Time>, policy: &Alerts) -> bool {
    let Some(end) = period.end(policy) else { return false };
    times.any(|time| time >= end && time.0 <= end.0 + policy.quiet)
}

/// The alerts of one period, by the time at which its findings could be known.
fn within(incident: &Incident, period: Period, marks: &[&Mark], policy: &Alerts) -> Vec<Alert> {
    let (mut findings, mut severity, mut told) = (0, None, BTreeSet::new());
    let mut alerts = Vec::new();
    // What becomes known at the same second is told at once.
    for known in marks.chunk_by(|a, b| a.known == b.known) {
        findings += known.len();
        severity = severity.max(known.iter().map(|mark| mark.severity).max());
        let tells: BTreeSet<Milestone> =
            Milestone::reached(findings, severity, policy).difference(&told).copied().collect();
        if tells.is_empty() {
            continue;
        }
        let at = known.first().and_then(|mark| mark.known);
        let severity = severity.unwrap_or(Severity::Info);
        let lead = incident
            .lead_of(severity, |it| Period::of(it.time, policy) == period && it.known <= at)
            .or_else(|| incident.lead());
        let Some(lead) = lead else { continue };
        let about = About { incident, period, lead, severity, findings, since: period };
        let cause = Cause::of(&tells, &told);
        told.extend(tells.iter().copied());
        alerts.push(Alert::new(&about, cause, tells, at));
    }
    alerts
}

/// The last alert, with the findings of all periods since it was opened.
fn closing(
    incident: &Incident,
    period: Period,
    since: Period,
    marks: &[&Mark],
    policy: &Alerts,
) -> Option<Alert> {
    let severity = marks.iter().map(|mark| mark.severity).max()?;
    let within = |time: Option<Time>| (since..=period).contains(&Period::of(time, policy));
    let lead = incident.lead_of(severity, |finding| within(finding.time)).or_else(|| incident.lead())?;
    let about = About { incident, period, lead, severity, findings: marks.len(), since };
    let at = period.end(policy).map(|end| Time(end.0 + policy.quiet));
    Some(Alert::new(&about, Cause::Closed, BTreeSet::from([Milestone::Closed]), at))
}
