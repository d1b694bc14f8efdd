//! The round of a sweep: through what is due, the most urgent first, as far as the time goes.
//!
//! The list of open documents says of each what there is to do and from when on; what isn't due isn't read. Whatever
//! was looked at is due later than what wasn't, so there is no place from which a round begins, and none that it never
//! gets to: not when the time isn't enough for all, not when some of it fails each time.

use std::hash::{DefaultHasher, Hash, Hasher};

use futures_util::stream::{self, StreamExt};
use handsoff_case::live::{CASE, SessionNotes};
use handsoff_cloudtrail::{Time, TimeDelta};
use handsoff_core::alert::Period;
use handsoff_runtime::{
    AT_ONCE, Due, Episode, Going, Held, Look, Lookup, Metric, Open, PROOF, Report, RuntimeError, Task, World,
    look, resend, summarise,
};

use crate::context::{Sweep, add};
use crate::{cases, close, proof};

/// After so long nothing further is begun, so that the sweep ends in time to say what it did.
const ENOUGH: TimeDelta = TimeDelta::seconds(40);

/// What is left of it for sealing cases, when there are any to seal: CloudTrail answers slowly.
const FOR_SEALING: TimeDelta = TimeDelta::seconds(10);

/// An episode that is open.
struct Item {
    episode: Episode,
    due: Option<Due>,
}

/// What came of looking at an episode.
struct Visit<'i> {
    item: &'i Item,
    report: Report,
    /// How many of its alerts were waiting to be sent.
    waiting: usize,
    done: Result<Going, RuntimeError>,
}

/// Sends, looks at, closes and seals what is due.
pub(crate) async fn go_through<W: World + Lookup>(
    sweep: &Sweep<'_, W>,
    open: &[Open],
    report: &mut Report,
) -> Vec<RuntimeError> {
    let (items, failures) = items(open);
    let (now, lease) = (sweep.world.now().max(sweep.now), sweep.settings.lease);
    let mut due: Vec<&Item> =
        items.iter().filter(|item| item.due.is_none_or(|due| due.is_due(now, lease))).collect();
    due.sort_by_cached_key(|item| {
        // What the list says nothing of is in another order each time.
        let mut chance = DefaultHasher::new();
        (now, item.episode.to_string()).hash(&mut chance);
        let due = item.due.unwrap_or(Due { task: Task::Incident, at: Time::EPOCH, waiting: None });
        (due.order(now, lease), chance.finish())
    });
    let (seals, others): (Vec<&Item>, Vec<&Item>) = due
        .into_iter()
        .partition(|item| item.due.is_some_and(|due| due.task == Task::Seal && !due.is_late(now, lease)));
    let begun = sweep.world.now();
    let until = begun + ENOUGH - if seals.is_empty() { TimeDelta::zero() } else { FOR_SEALING };
    let mut done = Done { report, count: Count::of(&items), failures };
    let in_time = others.iter().take_while(|_| sweep.world.now() <= until);
    let mut visits = stream::iter(in_time.map(|item| visit(sweep, item))).buffer_unordered(AT_ONCE);
    let (mut visited, mut over) = (0, Vec::new());
    while let Some(visit) = visits.next().await {
        visited += 1;
        over.extend(done.add(visit));
    }
    drop(visits);
    let left = others.len() - visited;
    let unsealed = seal(sweep, (&seals, &over), begun + ENOUGH, &mut done).await;
    done.failures.extend(proof::go_through(sweep, open, begun + ENOUGH, done.report).await);
    let Done { report, count, mut failures } = done;
    add(report, Metric::AlertsPending, count.waiting);
    add(report, Metric::SessionsOpen, count.sessions);
    if left + unsealed > 0 {
        let why = format!(
            "there is more to do than fits into a minute: {left} incidents and {unsealed} cases are left to \
             the next sweep"
        );
        failures.push(RuntimeError::Unfinished { what: "the sweep", why });
    }
    failures
}

/// The episodes on the list, and what on it is none.
fn items(open: &[Open]) -> (Vec<Item>, Vec<RuntimeError>) {
    let (mut items, mut failures) = (Vec::new(), Vec::new());
    for Open { partition, sort, due } in open.iter().filter(|open| open.sort != CASE && open.sort != PROOF) {
        match Episode::parse(partition, sort) {
            Some(episode) => items.push(Item { episode, due: *due }),
            None => {
                failures.push(RuntimeError::stored("reading the open episodes", format!("`{sort}` is none")));
            }
        }
    }
    (items, failures)
}

/// What the list says of all that is open, corrected by what was looked at.
struct Count {
    waiting: usize,
    sessions: usize,
}

impl Count {
    fn of(items: &[Item]) -> Self {
        let listed = || items.iter().filter_map(|item| item.due);
        let waiting = listed().filter_map(|due| due.waiting).map(|waiting| waiting.count).sum();
        Self { waiting, sessions: listed().filter(|due| due.task == Task::Session).count() }
    }

    fn add(&mut self, visit: &Visit<'_>) {
        let listed = visit.item.due;
        if listed.is_none() {
            self.waiting += visit.waiting;
        }
        let Ok(going) = &visit.done else { return };
        match (listed.is_some_and(|due| due.task == Task::Session), *going == Going::On) {
            (true, false) => self.sessions -= 1,
            (false, true) => self.sessions += 1,
            _ => {}
        }
    }
}

/// What a round has done so far.
struct Done<'r> {
    report: &'r mut Report,
    count: Count,
    failures: Vec<RuntimeError>,
}

impl Done<'_> {
    /// Adds what came of looking at an episode. Gives that of a session that is over, whose case is to be sealed.
    fn add<'i>(&mut self, visit: Visit<'i>) -> Option<&'i Episode> {
        self.report.merge(&visit.report);
        self.count.add(&visit);
        match visit.done {
            Ok(Going::Over) => Some(&visit.item.episode),
            Ok(_) => None,
            Err(failure) => {
                self.failures.push(failure);
                None
            }
        }
    }
}

/// Seals cases, one after the other, and at least one of them: of those that wait for it the one that has waited longest.
/// Says how many are left.
async fn seal<W: World + Lookup>(
    sweep: &Sweep<'_, W>,
    (seals, over): (&[&Item], &[&Episode]),
    until: Time,
    done: &mut Done<'_>,
) -> usize {
    let mut begun = 0;
    let in_time = |begun: usize| begun == 0 || sweep.world.now() <= until;
    for item in seals {
        if !in_time(begun) {
            break;
        }
        begun += 1;
        if let Some(over) = done.add(visit(sweep, item).await) {
            done.failures.extend(seal_one(sweep, over, done.report).await.err());
        }
    }
    for episode in over {
        if !in_time(begun) {
            break;
        }
        begun += 1;
        done.failures.extend(seal_one(sweep, episode, done.report).await.err());
    }
    seals.len() + over.len() - begun
}

async fn seal_one<W: World + Lookup>(
    sweep: &Sweep<'_, W>,
    episode: &Episode,
    report: &mut Report,
) -> Result<(), RuntimeError> {
    let sealed = cases::seal(sweep, episode, report).await;
    if sealed.is_err() {
        postpone(sweep.world, episode).await;
    }
    sealed
}

async fn visit<'i, W: World + Lookup>(sweep: &Sweep<'_, W>, item: &'i Item) -> Visit<'i> {
    let (mut report, mut waiting) = (Report::default(), 0);
    let done = go_on(sweep, &item.episode, &mut report, &mut waiting).await;
    if done.is_err() {
        postpone(sweep.world, &item.episode).await;
    }
    Visit { item, report, waiting, done }
}

/// What failed is tried again, behind all that is waiting: else it would be the first of each sweep, and its retries, and
/// keep the others from ever being looked at.
async fn postpone(world: &impl World, episode: &Episode) {
    let now = world.now();
    let postponed = async {
        let mut held = Held::of(world, episode).await?;
        let exists = held.exists();
        let later = held.change(world, |state| {
            let early = exists && state.next < now;
            if early {
                state.next = now;
            }
            early
        });
        later.await
    };
    // Where this fails too, nothing is different.
    if let Err(failure) = postponed.await {
        world.log(failure.into());
    }
}

/// Sends, looks at and closes what is due of one episode.
async fn go_on<W: World + Lookup>(
    sweep: &Sweep<'_, W>,
    episode: &Episode,
    report: &mut Report,
    waiting: &mut usize,
) -> Result<Going, RuntimeError> {
    let (world, alerts) = (sweep.world, &sweep.policy.alerts);
    let mut held = Held::of(world, episode).await?;
    *waiting = held.state.pending.len();
    if !held.exists() {
        return Ok(Going::None);
    }
    // What was claimed comes first, whatever else can't be read.
    if !held.state.pending.is_empty() {
        resend(world, episode, sweep.settings.lease, report).await?;
        held = Held::of(world, episode).await?;
    }
    if held.is_summary() {
        return summarise(world, sweep.telling(&()), &mut held, report).await.map(|()| Going::None);
    }
    if episode.period == Period::Session {
        let going = of_session(sweep, &mut held, report).await?;
        if going != Going::None {
            return Ok(going);
        }
    }
    // A period without a time is over when nothing was added to it for as long as one lasts.
    let over = match episode.period.end(alerts) {
        Some(end) => end + alerts.quiet,
        None => held.state.since + alerts.period + alerts.quiet,
    };
    if held.state.look != Look::Done || held.state.part.is_some() {
        look(world, sweep.telling(&()), &mut held, over, report).await?;
    }
    if sweep.now >= over {
        return close::close(sweep, &held, report).await.map(|()| Going::None);
    }
    held.change(world, |state| {
        let early = state.look == Look::Done && state.part.is_none() && state.next < over;
        if early {
            state.next = over;
        }
        early
    })
    .await
    .map(|_| Going::None)
}

/// Looks at a session's findings, and whether it is in order.
async fn of_session<W: World + Lookup>(
    sweep: &Sweep<'_, W>,
    held: &mut Held<'_, Episode>,
    report: &mut Report,
) -> Result<Going, RuntimeError> {
    let world = sweep.world;
    if held.state.look != Look::Done || held.state.part.is_some() {
        let notes = SessionNotes(sweep.policy);
        let next = held.state.next;
        look(world, sweep.telling(&notes), held, next, report).await?;
    }
    let (going, next) = cases::check(sweep, held.document, &held.state, report).await?;
    held.change(world, |state| {
        let before = (state.going, state.next);
        state.going = Some(going);
        if going != Going::None && state.look == Look::Done && state.part.is_none() {
            state.next = next;
        }
        before != (state.going, state.next)
    })
    .await?;
    Ok(going)
}
