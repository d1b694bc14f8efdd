//! Sweep: every minute sends again what stayed pending, tells what grew, closes what is over, and checks that
//! handsoff still sees and is still heard.
//!
//! It has no findings of its own: that a subscription of the topic is gone, which CloudTrail doesn't record where somebody
//! followed the link in a mail, it reports as drift does an attack.

mod cases;
mod close;
mod context;
mod hearing;
mod proof;
mod round;

use cases::Refresh;
pub use context::Settings;
use context::{Sweep, add};
use handsoff_cloudtrail::{Time, TimeDelta};
use handsoff_core::Policy;
use handsoff_core::alert::Note;
use handsoff_core::policy::{Line, exceptions};
use handsoff_runtime::excepted;
use handsoff_runtime::{
    Canary, LogLine, Lookup, Metric, Open, Report, RuntimeError, Subscriptions, Task, World, digest,
};

/// One sweep, at a time by the schedule: a retry of the same sweep has the same.
///
/// # Errors
/// All failures. What failed is tried again by the next sweep; nothing that failed stops the rest.
pub async fn sweep(
    world: &(impl World + Canary + Subscriptions + Lookup),
    policy: &Policy,
    settings: &Settings,
    now: Time,
) -> Result<(), Vec<RuntimeError>> {
    let mut sweep = Sweep { world, policy, settings, now, pause: PAUSE };
    let mut report = Report::default();
    let mut failures = Vec::new();
    // First of all: a canary that isn't written must not be missing because of something else.
    let every = settings.canary_every.max(MINUTE);
    let due = now.floor(every) == now.floor(MINUTE);
    if due {
        failures.extend(world.touch().await.err());
    }
    if due {
        let out_of_step = &settings.out_of_step;
        add(&mut report, Metric::RulesOutOfStep, out_of_step.len());
        for line in out_of_step {
            world.log(left_out(line));
        }
        let heard = hearing::compare(&sweep, &mut report).await;
        failures.extend(heard.err());
    }
    if due {
        // What isn't written expires.
        let refresh = is_first_of_day(now, every);
        let drills = cases::drills(&sweep, refresh, &mut report).await;
        failures.extend(drills.err());
    }
    match world.open().await {
        Ok(open) => {
            sweep.pause = pause(&open);
            failures.extend(round::go_through(&sweep, &open, &mut report).await);
            if due {
                let refresh = Refresh::of(now, every);
                let (counted, reviews) = cases::reviews(&sweep, &open, refresh).await;
                report.merge(&counted);
                failures.extend(reviews.err());
            }
        }
        Err(failure) => failures.push(failure),
    }
    if due {
        let notes = async |until| notes(world, policy, until).await;
        failures.extend(digest(world, sweep.telling(&()), now, notes, &mut report).await.err());
    }
    // Once a day, and last: nobody waits for it. What isn't written anew expires.
    if due && is_first_of_day(now, every) {
        failures.extend(handsoff_ledger::live::count(world, &policy.cases, now, &mut report).await.err());
    }
    if !report.is_empty() {
        failures.extend(world.send(&report).await.err());
    }
    if failures.is_empty() { Ok(()) } else { Err(failures) }
}

/// What a digest says beside the findings: of exceptions, and of what was changed by hand and is open.
async fn notes(world: &impl World, policy: &Policy, until: Time) -> Vec<Note> {
    // A digest without it is better than none; so it is with the ledger's lines.
    let minutes = excepted::minutes(world, policy, until).await.unwrap_or_else(|failure| {
        world.log(failure.into());
        Vec::new()
    });
    let mut notes = exceptions::notes(policy, &minutes, until);
    match handsoff_ledger::live::recall(world).await {
        Ok(ledger) => notes.extend(handsoff_ledger::notes(&ledger, &policy.cases, until)),
        Err(failure) => world.log(failure.into()),
    }
    notes
}

const MINUTE: TimeDelta = TimeDelta::minutes(1);

/// Whether a time that is due is the first such of its day.
fn is_first_of_day(now: Time, every: TimeDelta) -> bool {
    now - now.floor(TimeDelta::days(1)) < every
}

/// After how long a session is looked at again, though nothing came.
const PAUSE: TimeDelta = MINUTE;

/// With more sessions than this going on, each is looked at less often.
const MANY_SESSIONS: usize = 100;

fn pause(open: &[Open]) -> TimeDelta {
    let session = |open: &&Open| open.due.is_some_and(|due| due.task == Task::Session);
    if open.iter().filter(session).count() > MANY_SESSIONS { PAUSE * 5 } else { PAUSE }
}

fn left_out(line: &Line) -> LogLine {
    let parameters = "the parameters that begin with BreakGlass and DeployRole";
    let help = "`handsoff policy parameters` prints the right ones";
    LogLine::new("the rules of the stack", format!("{parameters} leave out {line}; {help}"))
}

#[cfg(test)]
mod tests;
