//! Break-glass sessions: what is wrong with them as a whole, their end, and the sealing of their case files.

mod drills;
mod lookup;
mod reviews;
mod seal;

use handsoff_case::live::{SessionNotes, session};
use handsoff_trail::Time;
use handsoff_watch::Policy;
use handsoff_watch::alert::Milestone;
use handsoff_watch::live::{
    Episode, Failure, Lookup, Range, Report, State, Telling, World, keep_and_tell, marks, seal_session,
};

pub(crate) use drills::{drills, exercised};
pub(crate) use reviews::reviews;

use crate::Settings;

/// How a session goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Going {
    /// It isn't over.
    On,
    /// Its case is sealed, or soon will be.
    Over,
    /// It is no session: somebody only tried to begin one.
    None,
}

/// Tells what is wrong with a session, and seals its case when it is over.
pub(crate) async fn go_on(
    world: &(impl World + Lookup),
    policy: &Policy,
    settings: &Settings,
    episode: &Episode,
    state: &State,
    now: Time,
    report: &mut Report,
) -> Result<Going, Failure> {
    let case = &episode.incident;
    let Some(session) = session(world, case, policy).await? else { return Ok(Going::None) };
    let over = session.closes().is_some_and(|closes| now >= closes);
    // A grant may still be on its way.
    if over || now.0 >= state.since + policy.cases.patience {
        let first = Range { partition: case, from: "mark#", to: "mark#~", most: 50, backwards: false };
        if let Some(first) = marks(world, first).await?.first() {
            let findings = session.findings(first, |code| state.told.contains(&Milestone::Code(code, 1)));
            let notes = SessionNotes(policy);
            let telling = Telling { policy: &policy.alerts, lease: settings.lease, notes: &notes };
            keep_and_tell(world, telling, &findings, report).await?;
        }
    }
    if let (Some(entry), Some(started)) = (session.entry(), session.started())
        && entry.drill_every.is_some()
    {
        exercised(world, entry, started).await?;
    }
    if !over || state.told.contains(&Milestone::Closed) {
        return Ok(Going::On);
    }
    seal_session(world, episode).await?;
    seal::seal(world, policy, settings, episode, now, report).await.map(|()| Going::Over)
}

#[cfg(test)]
mod tests;
