//! Sweep: every minute sends again what stayed pending, tells what grew, closes what is over, and checks that
//! handsoff still sees and is still heard.
//!
//! It has no findings of its own but one: `trail-tampered` when a subscription of the topic is gone, which
//! CloudTrail doesn't record where somebody followed the link in a mail.

mod cases;
mod hearing;

use cases::Going;
use handsoff_case::live::{CASE, SessionNotes};
use handsoff_trail::Time;
use handsoff_watch::Policy;
use handsoff_watch::alert::{Milestone, Period, goes_on};
use handsoff_watch::live::{
    Canary, Episode, Failure, Lease, Look, Lookup, Metric, Range, Report, State, Subscriptions, Telling,
    World, advance, begin_look, end_look, marks, resend,
};
use handsoff_watch::policy::{Alerts, Line};

/// By how many episodes the start of a sweep moves on each minute.
const STRIDE: usize = 997;

/// How many findings of an incident are looked at: as many as the last count that is told.
const LOOK_AT: usize = 10_000;

/// After so many seconds no further episode is begun, so that the sweep ends in time to say what it did.
const ENOUGH: i64 = 40;

/// An incident goes on for at most so many periods: a session lasts twelve hours, and a day ends.
const PERIODS: usize = 48;

/// How the sweep is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The account that it runs in: messages about what no record tells name it.
    pub account: String,
    /// Every so many minutes the canary is written, and the subscriptions are compared.
    pub canary_minutes: i64,
    /// Entries of the policy that the rules' event patterns don't let through.
    pub out_of_step: Vec<Line>,
    /// After how long an alert counts as not sent.
    pub lease: Lease,
    /// Regions in which CloudTrail is asked for a session's calls, beside those that it is known to have called and
    /// its partition's global one.
    pub lookup_regions: Vec<String>,
}

/// One sweep, at a time by the schedule: a retry of the same sweep has the same.
///
/// # Errors
/// All failures. What failed is tried again by the next sweep; nothing that failed stops the rest.
pub async fn sweep(
    world: &(impl World + Canary + Subscriptions + Lookup),
    policy: &Policy,
    settings: &Settings,
    now: Time,
) -> Result<(), Vec<Failure>> {
    let mut report = Report::default();
    let mut failures = Vec::new();
    // First of all: a canary that isn't written must not be missing because of something else.
    let minute = now.0.div_euclid(60);
    let due = minute.rem_euclid(settings.canary_minutes.max(1)) == 0;
    if due {
        failures.extend(world.touch().await.err());
    }
    if due {
        let out_of_step = &settings.out_of_step;
        add(&mut report, Metric::RulesOutOfStep, out_of_step.len());
        for line in out_of_step {
            world.complain(&left_out(line));
        }
        let heard = hearing::compare(world, policy, settings.lease, now, &mut report).await;
        failures.extend(heard.err());
    }
    // Once a day, in the first of its minutes that is due: what isn't written expires.
    let refresh = due && minute.rem_euclid(1440) < settings.canary_minutes.max(1);
    if due {
        let drills = cases::drills(world, policy, settings, now, refresh, &mut report).await;
        failures.extend(drills.err());
    }
    match world.open().await {
        Ok(open) if due => {
            let reviews = cases::reviews(world, policy, &open, now, refresh, &mut report).await;
            failures.extend(reviews.err());
            failures.extend(go_through_all(world, policy, settings, &open, now, &mut report).await);
        }
        Ok(open) => failures.extend(go_through_all(world, policy, settings, &open, now, &mut report).await),
        Err(failure) => failures.push(failure),
    }
    if !report.is_empty() {
        failures.extend(world.send(&report).await.err());
    }
    if failures.is_empty() { Ok(()) } else { Err(failures) }
}

/// Adds what there is of something. Nothing isn't added: a metric is billed for each hour in which it gets a value, and
/// to the alarms no value is as good as zero.
fn add(report: &mut Report, metric: Metric, count: usize) {
    if count > 0 {
        add_also_zero(report, metric, count);
    }
}

/// Adds a number of which zero is what matters.
fn add_also_zero(report: &mut Report, metric: Metric, count: usize) {
    #[expect(clippy::cast_precision_loss, reason = "counts of what one sweep has seen")]
    report.add(metric, count as f64);
}

fn left_out(line: &Line) -> Failure {
    let parameters = "the parameters that begin with BreakGlass and DeployRole";
    let help = "`handsoff policy parameters` prints the right ones";
    Failure::new("the rules of the stack", format!("{parameters} leave out {line}; {help}"))
}

/// Tells and closes what is due of all episodes that are open, as far as the time goes.
async fn go_through_all(
    world: &(impl World + Lookup),
    policy: &Policy,
    settings: &Settings,
    open: &[(String, String)],
    now: Time,
    report: &mut Report,
) -> Vec<Failure> {
    let mut failures = Vec::new();
    let mut episodes = Vec::new();
    for (partition, sort) in open.iter().filter(|(_, sort)| sort != CASE) {
        match Episode::parse(partition, sort) {
            Some(episode) => episodes.push(episode),
            None => failures.push(Failure::new("reading the open episodes", format!("`{sort}` is none"))),
        }
    }
    // Each sweep starts elsewhere: where there are more than one minute's worth, all get their turn.
    let start = usize::try_from(now.0.div_euclid(60)).unwrap_or_default() * STRIDE % episodes.len().max(1);
    let (behind, first) = episodes.split_at(start.min(episodes.len()));
    let until = world.now().0 + ENOUGH;
    let (mut waiting, mut sessions) = (0, 0);
    for episode in first.iter().chain(behind) {
        if world.now().0 > until {
            failures.push(Failure::new("the sweep", "there is more to do than a minute holds"));
            break;
        }
        let (pending, done) = go_through(world, policy, settings, episode, now, report).await;
        waiting += pending;
        match done {
            Ok(Going::On) => sessions += 1,
            Ok(_) => {}
            Err(failure) => failures.push(failure),
        }
    }
    add(report, Metric::AlertsPending, waiting);
    add(report, Metric::SessionsOpen, sessions);
    failures
}

/// Tells and closes what is due of one episode. Says how many of its alerts were pending when it came, and whether
/// it is a session that goes on.
async fn go_through(
    world: &(impl World + Lookup),
    policy: &Policy,
    settings: &Settings,
    episode: &Episode,
    now: Time,
    report: &mut Report,
) -> (usize, Result<Going, Failure>) {
    match State::of(world, episode).await {
        Ok(None) => (0, Ok(Going::None)),
        Ok(Some(state)) => {
            let done = go_on(world, policy, settings, episode, &state, now, report).await;
            (state.pending.len(), done)
        }
        Err(failure) => (0, Err(failure)),
    }
}

async fn go_on(
    world: &(impl World + Lookup),
    policy: &Policy,
    settings: &Settings,
    episode: &Episode,
    state: &State,
    now: Time,
    report: &mut Report,
) -> Result<Going, Failure> {
    // What was claimed comes first, whatever else can't be read.
    if !state.pending.is_empty() {
        resend(world, episode, settings.lease, report).await?;
    }
    let alerts = &policy.alerts;
    if state.look != Look::Done && begin_look(world, episode).await? {
        let part = marks(world, episode.range(&episode.bounds(alerts), LOOK_AT)).await?;
        if part.count() > 0 {
            let notes = SessionNotes(policy);
            let telling = Telling { policy: alerts, lease: settings.lease, notes: &notes };
            advance(world, telling, episode, &part, report).await?;
        }
        end_look(world, episode).await?;
    }
    if episode.period == Period::Session {
        let going = cases::go_on(world, policy, settings, episode, state, now, report).await?;
        if going != Going::None {
            return Ok(going);
        }
    }
    // A period without a time is over when nothing was added to it for as long as one lasts.
    let over = match episode.period.end(alerts) {
        Some(end) => now.0 >= end.0 + alerts.quiet,
        None => now.0 >= state.since + alerts.period + alerts.quiet,
    };
    if !over {
        return Ok(Going::None);
    }
    // What is still to be sent comes before the end.
    let state = State::of(world, episode).await?.filter(|state| state.pending.is_empty());
    if state.is_some_and(|state| !state.told.contains(&Milestone::Closed)) {
        close(world, alerts, episode, now, report).await?;
    }
    Ok(Going::None)
}

async fn close(
    world: &impl World,
    policy: &Alerts,
    episode: &Episode,
    now: Time,
    report: &mut Report,
) -> Result<(), Failure> {
    if let Some(end) = episode.period.end(policy)
        && went_on(world, policy, &episode.incident, episode.period, end).await?
    {
        return episode.close(world, policy, None, now, report).await;
    }
    let mut first = episode.clone();
    for _ in 0..PERIODS {
        let before = Episode { period: first.period.before(policy), ..first.clone() };
        let Some(start) = first.period.start() else { break };
        if State::of(world, &before).await?.is_none()
            || !went_on(world, policy, &episode.incident, before.period, start).await?
        {
            break;
        }
        first = before;
    }
    let bounds = (first.bounds(policy).0, episode.bounds(policy).1);
    let found = marks(world, episode.range(&bounds, LOOK_AT)).await?;
    let at = episode.period.end(policy).map_or(now, |end| Time(end.0 + policy.quiet));
    episode.close(world, policy, Some((&found, &first)), at, report).await
}

/// Whether an incident went on after a period that ends at this time.
async fn went_on(
    world: &impl World,
    policy: &Alerts,
    incident: &str,
    period: Period,
    end: Time,
) -> Result<bool, Failure> {
    let (from, to) = (format!("mark#{end}"), format!("mark#{}#~", Time(end.0 + policy.quiet)));
    let range = Range { partition: incident, from: &from, to: &to, most: LOOK_AT, backwards: false };
    let behind = marks(world, range).await?;
    let times = behind.worst().filter(|finding| finding.severity >= policy.min_severity);
    Ok(goes_on(period, times.filter_map(|finding| finding.time), policy))
}

#[cfg(test)]
mod tests;
