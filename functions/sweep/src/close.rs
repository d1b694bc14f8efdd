//! The end of an incident's period.

use handsoff_cloudtrail::Time;
use handsoff_core::Severity;
use handsoff_core::alert::{Milestone, Note, Period, goes_on};
use handsoff_core::policy::Alerts;
use handsoff_runtime::{Closing, Episode, Held, Range, Report, RuntimeError, State, World, page};

use crate::context::Sweep;

/// How many findings are read at once: a last message says what the first so many are.
const PAGE: usize = 1_000;

/// How many pages are looked at for what goes on.
const PAGES: usize = 10;

/// An incident goes on for at most so many periods: a session lasts twelve hours, and a day ends.
const PERIODS: usize = 48;

/// Closes an episode, with a message about all of its periods unless it goes on in the next one.
pub(crate) async fn close<W: World>(
    sweep: &Sweep<'_, W>,
    held: &Held<'_, Episode>,
    report: &mut Report,
) -> Result<(), RuntimeError> {
    let (world, alerts, state) = (sweep.world, &sweep.policy.alerts, &held.state);
    let episode = held.document;
    // What is still to be sent or looked at comes before the end.
    if !state.pending.is_empty() || state.part.is_some() || state.alerted.contains(&Milestone::Closed) {
        return Ok(());
    }
    let end = episode.period.end(alerts);
    let goes_on = match end {
        // A summary has reported it: it has no last message either.
        _ if state.folded.is_some() => true,
        Some(end) => went_on(world, alerts, &episode.incident, episode.period, end).await?,
        None => false,
    };
    if goes_on {
        return episode.close(world, None, report).await;
    }
    let (since, told) = chain(world, alerts, episode, state).await?;
    let bounds = (since.bounds(alerts).0, episode.bounds(alerts).1);
    let (found, more) = page(world, alerts, episode.range(&bounds, PAGE)).await?;
    let (mut findings, mut severity, mut notes) = (found.count(), found.severity(), Vec::new());
    if more.is_some() {
        findings = findings.max(told.findings);
        severity = severity.max(told.severity);
        let counted = format!(
            "these are the first {}; the table has all, partition {}",
            found.count(),
            episode.incident
        );
        notes.push(Note::new("at least", counted));
    }
    let at = end.map_or(sweep.now, |end| end + alerts.quiet);
    let closing = Closing { incident: &found, policy: alerts, since: &since, findings, severity, notes, at };
    episode.close(world, Some(closing), report).await
}

/// What was reported of an incident in its periods: at least that there is.
struct Told {
    findings: usize,
    severity: Severity,
}

impl Told {
    fn add(&mut self, state: &State) {
        let mut most = 0;
        for milestone in &state.alerted {
            match milestone {
                Milestone::Count(count) => most = most.max(*count),
                Milestone::Severity(severity) => self.severity = self.severity.max(*severity),
                _ => {}
            }
        }
        self.findings += most;
    }
}

/// The first of the periods in which an incident has gone on until this one, and what was reported in them.
async fn chain(
    world: &impl World,
    alerts: &Alerts,
    episode: &Episode,
    state: &State,
) -> Result<(Episode, Told), RuntimeError> {
    let mut told = Told { findings: 0, severity: Severity::Info };
    told.add(state);
    let mut first = episode.clone();
    for _ in 0..PERIODS {
        let before = Episode { period: first.period.before(alerts), ..first.clone() };
        let Some(start) = first.period.start() else { break };
        let Some(state) = State::of(world, &before).await? else { break };
        if !went_on(world, alerts, &episode.incident, before.period, start).await? {
            break;
        }
        told.add(&state);
        first = before;
    }
    Ok((first, told))
}

/// Whether an incident went on after a period that ends at this time.
async fn went_on(
    world: &impl World,
    policy: &Alerts,
    incident: &str,
    period: Period,
    end: Time,
) -> Result<bool, RuntimeError> {
    let (mut from, to) = (format!("mark#{end}"), format!("mark#{}#~", end + policy.quiet));
    for _ in 0..PAGES {
        let range = Range { partition: incident, from: &from, to: &to, most: PAGE, backwards: false };
        let (behind, more) = page(world, policy, range).await?;
        let times = behind.worst().filter(|finding| finding.severity >= policy.min_severity);
        if goes_on(period, times.filter_map(|finding| finding.time), policy) {
            return Ok(true);
        }
        let Some(more) = more else { break };
        from = more;
    }
    Ok(false)
}
