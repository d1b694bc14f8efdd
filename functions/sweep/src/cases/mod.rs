//! Break-glass sessions: what is wrong with them as a whole, their end, and the sealing of their case files.

mod drills;
mod lookup;
mod reviews;
mod seal;

use handsoff_case::live::{SessionNotes, session};
use handsoff_cloudtrail::Time;
use handsoff_core::alert::Milestone;
use handsoff_runtime::{
    Episode, Going, Lookup, Range, Report, RuntimeError, State, World, keep_and_tell, marks, seal_session,
};

pub(crate) use drills::{drills, exercised};
pub(crate) use reviews::{Refresh, reviews};

use crate::context::Sweep;

/// Tells what is wrong with a session. Says how it goes on, and when it is to be looked at again if nothing comes.
pub(crate) async fn check<W: World + Lookup>(
    sweep: &Sweep<'_, W>,
    episode: &Episode,
    state: &State,
    report: &mut Report,
) -> Result<(Going, Time), RuntimeError> {
    let Sweep { world, policy, now, .. } = *sweep;
    let (case, clock) = (&episode.incident, world.now());
    let Some(session) = session(world, case, policy).await? else { return Ok((Going::None, clock)) };
    let closes = session.closes();
    let over = closes.is_some_and(|closes| now >= closes);
    // A grant may still be on its way.
    let patient = state.since + policy.cases.patience;
    if over || now >= patient {
        let first = Range { partition: case, from: "mark#", to: "mark#~", most: 50, backwards: false };
        if let Some(first) = marks(world, first).await?.first() {
            let findings =
                session.violated(first, |code| state.alerted.contains(&Milestone::Topic(code.into(), 1)));
            let notes = SessionNotes(policy);
            keep_and_tell(world, sweep.telling(&notes), &findings, report).await?;
        }
    }
    if let (Some(entry), Some(started)) = (session.entry(), session.started())
        && entry.drill_every.is_some()
    {
        exercised(world, entry, started).await?;
    }
    if over && !state.alerted.contains(&Milestone::Closed) {
        return Ok((Going::Over, clock));
    }
    // A grant may come at any time, and its end is the session's.
    let events = [Some(patient), closes, Some(clock + sweep.pause)];
    let next = events.into_iter().flatten().filter(|at| *at > clock).min();
    Ok((Going::On, next.unwrap_or(clock + sweep.pause)))
}

/// Seals the case of a session that is over, or goes on with it.
pub(crate) async fn seal<W: World + Lookup>(
    sweep: &Sweep<'_, W>,
    episode: &Episode,
    report: &mut Report,
) -> Result<(), RuntimeError> {
    seal_session(sweep.world, episode).await?;
    seal::seal(sweep, episode, report).await
}

#[cfg(test)]
mod tests;
