//! What is new of an episode: the sweep reads an episode's findings only when one came since it last did.
//!
//! Whoever remembers a finding says afterwards that a look is due; the sweep says that it is looking before it reads, and
//! that it is done only if that is still written. So either the sweep reads the finding, or another look is due. A
//! sweep that fails on the way leaves a look that isn't done.

use super::episode::{Episode, Look};
use super::ports::{Failure, World};
use super::tell::{TRIES, contended, state, write};

/// Says that findings were remembered of an episode. Where nothing is told of it yet there is nothing to say: whoever
/// tells it first looks at all that is there, and a look is due after that.
///
/// # Errors
/// When it can't be written; to do it again is safe.
pub async fn look_is_due(world: &impl World, episode: &Episode) -> Result<(), Failure> {
    set(world, episode, |look| (look != Look::Due).then_some(Look::Due)).await.map(drop)
}

/// Begins a look, if one is due. Tells whether it is.
///
/// # Errors
/// When it can't be written.
pub async fn begin_look(world: &impl World, episode: &Episode) -> Result<bool, Failure> {
    let before = set(world, episode, |look| (look == Look::Due).then_some(Look::Looking)).await?;
    Ok(before.is_some_and(|look| look != Look::Done))
}

/// Says that a look is done, if nothing came meanwhile.
///
/// # Errors
/// When it can't be written: it is looked at again.
pub async fn end_look(world: &impl World, episode: &Episode) -> Result<(), Failure> {
    set(world, episode, |look| (look == Look::Looking).then_some(Look::Done)).await.map(drop)
}

/// Writes another value, if there is to be one. What it was before; `None` where nothing is told of the episode.
async fn set(
    world: &impl World,
    episode: &Episode,
    to: impl Fn(Look) -> Option<Look>,
) -> Result<Option<Look>, Failure> {
    for _ in 0..TRIES {
        let (version, mut state) = state(world, episode).await?;
        let before = state.look;
        let Some(next) = version.and_then(|_| to(before)) else { return Ok(version.map(|_| before)) };
        state.look = next;
        if write(world, episode, version, &state).await? {
            return Ok(Some(before));
        }
    }
    Err(contended())
}
