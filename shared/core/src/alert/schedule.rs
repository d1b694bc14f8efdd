//! The alerts of an incident whose findings are all known.

use std::collections::{BTreeMap, BTreeSet};

use handsoff_cloudtrail::Time;

use super::about::About;
use super::cause::Cause;
use super::message::Alert;
use crate::group;
use crate::incident::{Entry, Incident};
use crate::milestone::{Milestone, Period, Reach};
use crate::note::Note;
use crate::policy::Alerts;
use crate::reported::ReportedRef;
use crate::severity::Severity;
use crate::story::Story;

/// What is known of an incident beyond its findings.
#[derive(Clone, Copy)]
pub struct Known<'k> {
    /// For each message, by its time, the findings by then, and the one that it shows: its story.
    pub story: &'k dyn Fn(&Incident, ReportedRef<'_>, Option<Time>) -> Story,
    /// For each message, by its time: what was known then.
    pub notes: &'k dyn Fn(Option<Time>) -> Vec<Note>,
    /// For the last one.
    pub closing: &'k [Note],
    /// When the last one is due.
    pub closes: Option<Time>,
}

impl Default for Known<'_> {
    fn default() -> Self {
        Self { story: &|_, _, _| Story::default(), notes: &|_| Vec::new(), closing: &[], closes: None }
    }
}

/// All alerts of an incident, in their order. Each tells what was known at its time, and nothing that came later.
///
/// In each [`Period`] one when it reaches the severity that is sent, one at each rise in severity and at the
/// 10th, 100th … finding; and one when nothing came for a while after a period's end. A break-glass session is one
/// period, and tells its opening, its violations and its escalations too.
pub fn schedule(incident: &Incident, policy: &Alerts, known: &Known<'_>) -> Vec<Alert> {
    let mut periods: BTreeMap<Period, Vec<Entry<'_>>> = BTreeMap::new();
    for entry in incident.entries() {
        periods.entry(Period::of(&incident.id, entry.time(), policy)).or_default().push(entry);
    }
    // An incident in a period that nothing is reported about is not opened, and not closed.
    periods.retain(|_, entries| !reach(incident, entries).milestones(policy).is_empty());
    let schedule = Schedule { incident, policy, known };
    let mut alerts = Vec::new();
    let mut opened = None;
    for (period, entries) in &periods {
        let opened_at = *opened.get_or_insert(*period);
        alerts.extend(schedule.within(*period, entries));
        let next = period.end(policy).and_then(|end| periods.get(&Period::From(end)));
        let times = next.into_iter().flatten().filter(|entry| entry.severity() >= policy.min_severity);
        if !goes_on(*period, times.filter_map(|entry| entry.time()), policy) {
            let chain: Vec<Entry<'_>> =
                periods.range(opened_at..=*period).flat_map(|(_, entries)| entries).copied().collect();
            let reach = reach(incident, &chain);
            if closes_aloud(&incident.id, reach.worst().unwrap_or(Severity::Info), reach.is_all_alerted()) {
                alerts.extend(schedule.closing(*period, opened_at, &chain));
            }
            opened = None;
        }
    }
    // Stable: what one second brings stays in its order.
    alerts.sort_by_key(|alert| alert.at);
    alerts
}

/// Whether the end of an incident is a message of its own: of a break-glass session, and of what is high or worse unless
/// each finding had its alert. Of all else the digest says what it was.
pub fn closes_aloud(incident: &str, severity: Severity, all_said: bool) -> bool {
    group::is_glass(incident) || severity >= Severity::High && !all_said && !group::is_denials(incident)
}

fn reach(incident: &Incident, entries: &[Entry<'_>]) -> Reach {
    let mut reach = Reach::new(&incident.id);
    for entry in entries {
        entry.count_in(&mut reach);
    }
    reach
}

/// Whether an incident went on after a period: it had findings that are sent, at these times, before it had been
/// quiet for long enough.
pub fn goes_on(period: Period, mut times: impl Iterator<Item = Time>, policy: &Alerts) -> bool {
    let Some(end) = period.end(policy) else { return false };
    times.any(|time| time >= end && time <= end + policy.quiet)
}

/// What the alerts of an incident depend on.
struct Schedule<'s> {
    incident: &'s Incident,
    policy: &'s Alerts,
    known: &'s Known<'s>,
}

impl Schedule<'_> {
    /// The alerts of one period, by the time at which its findings could be known.
    fn within(&self, period: Period, entries: &[Entry<'_>]) -> Vec<Alert> {
        let Self { incident, policy, known } = *self;
        let (mut reach, mut told, mut seen) = (Reach::new(&incident.id), BTreeSet::new(), 0);
        let mut named = BTreeSet::new();
        let mut alerts = Vec::new();
        // What becomes known at the same second is reported at once.
        for new in entries.chunk_by(|a, b| a.known() == b.known()) {
            for entry in new {
                entry.count_in(&mut reach);
            }
            seen += new.len();
            let tells: BTreeSet<Milestone> = reach.milestones(policy).difference(&told).copied().collect();
            if tells.is_empty() {
                continue;
            }
            let at = new.first().and_then(|entry| entry.known());
            let (severity, findings) = (reach.worst().unwrap_or(Severity::Info), reach.findings());
            let part = incident.part(entries.iter().take(seen).copied());
            let Some(lead) = part.lead_for(&tells, severity).or_else(|| earlier(incident, severity)) else {
                continue;
            };
            let Story { notes: story, thread } = (known.story)(&part, lead, at);
            let notes = [story, (known.notes)(at)].concat();
            let (incident, since, notes, thread) = (&part, period, &*notes, &*thread);
            let about = About {
                incident,
                policy,
                period,
                lead,
                severity,
                findings,
                since,
                named: &named,
                notes,
                thread,
            };
            let cause = Cause::of(&tells, &told);
            told.extend(tells.iter().copied());
            let alert = Alert::new(&about, cause, tells, at);
            named.extend(alert.names(lead).map(str::to_owned));
            alerts.push(alert);
        }
        alerts
    }

    /// The last alert, with the findings of all periods since it was opened.
    fn closing(&self, period: Period, since: Period, entries: &[Entry<'_>]) -> Option<Alert> {
        let Self { incident, policy, known } = *self;
        let tells = BTreeSet::from([Milestone::Closed]);
        let part = incident.part(entries.iter().copied());
        let severity = part.severity();
        let lead = part.lead_for(&tells, severity).or_else(|| earlier(incident, severity))?;
        let last = entries.iter().filter_map(|entry| entry.time()).max();
        let quiet = match period {
            Period::Session => known.closes.or_else(|| Some(last? + policy.quiet)),
            _ => period.end(policy).map(|end| end + policy.quiet),
        };
        // A window of denied calls may be longer than what counts as quiet.
        let at = quiet.max(entries.iter().filter_map(|entry| entry.known()).max());
        let Story { notes: story, thread } = (known.story)(&part, lead, at);
        let notes = [&*story, &(known.notes)(at), known.closing].concat();
        let (incident, findings) = (&part, part.count());
        let (notes, named, thread) = (&*notes, &BTreeSet::new(), &*thread);
        let about = About { incident, policy, period, lead, severity, findings, since, named, notes, thread };
        Some(Alert::new(&about, Cause::Closed, tells, at))
    }
}

/// What a message tells whose own finding isn't kept: the incident's first of that severity, which came before.
fn earlier(incident: &Incident, severity: Severity) -> Option<ReportedRef<'_>> {
    incident.lead_of(severity).or_else(|| incident.lead())
}
