//! What is new of an episode: the sweep reads an episode's findings only when one came since it last did, and of many
//! only some at a time.
//!
//! Whoever remembers a finding says afterwards that a look is due; the sweep says that it is looking before it reads, and
//! that it is done only if that is still written. So either the sweep reads the finding, or another look is due. A
//! sweep that fails on the way leaves a look that isn't done.

use handsoff_cloudtrail::Time;
use handsoff_core::alert::Reach;
use handsoff_core::incident::Incident;
use handsoff_core::policy::Alerts;

use super::advance::{Found, advance};
use super::document::Held;
use super::episode::{Episode, Look, Mark, Part};
use super::error::RuntimeError;
use super::marks::page;
use super::ports::{Range, World};
use super::report::Report;
use super::telling::{Notes, Telling};

/// How many findings of an episode are looked at by one sweep: an incident with many doesn't keep the others waiting.
const SLICE: usize = 1_000;

/// How many are looked at in all: as many as the last count that is alerted.
const LOOK_AT: usize = 10_000;

/// Says that findings were remembered of an episode. Where nothing is reported of it yet there is nothing to say: the first
/// function to report it looks at all that is there, and a look is due after that.
///
/// # Errors
/// When it can't be written; to do it again is safe.
pub async fn look_is_due(world: &impl World, episode: &Episode) -> Result<(), RuntimeError> {
    let (mut held, now) = (Held::of(world, episode).await?, world.now());
    if !held.exists() {
        return Ok(());
    }
    let due = held.change(world, |state| {
        let before = std::mem::replace(&mut state.look, Look::Due);
        if before != Look::Due && state.part.is_none() {
            state.next = now;
        }
        before != Look::Due
    });
    due.await.map(drop)
}

/// Looks at an episode's findings, if a look is due: at all of them, or at as many as a sweep has time for. When it is
/// done nothing is to be done before `next`.
///
/// # Errors
/// When something can't be read, written or sent; to do it again is safe.
pub async fn look(
    world: &impl World,
    telling: Telling<'_, impl Notes>,
    held: &mut Held<'_, Episode>,
    next: Time,
    report: &mut Report,
) -> Result<(), RuntimeError> {
    if held.state.part.is_none() {
        held.change(world, |state| {
            let due = state.look == Look::Due;
            if due {
                state.look = Look::Looking;
            }
            due
        })
        .await?;
        if held.state.look == Look::Done {
            return Ok(());
        }
    }
    let slice = Slice::read(world, telling.policy, held).await?;
    if !slice.reach.milestones(telling.policy).is_subset(&held.state.alerted) {
        let found = Found { incident: &slice.incident, reach: &slice.reach };
        advance(world, telling, held.document, found, report).await?;
    }
    let (part, now) = (slice.part, world.now());
    held.change(world, |state| {
        state.part.clone_from(&part);
        match (&part, state.look) {
            // What came meanwhile may lie before what is looked at next: after the last part it begins anew.
            (Some(_), look) => {
                state.next = now;
                state.look = if look == Look::Done { Look::Looking } else { look };
            }
            (None, Look::Due) => state.next = now,
            (None, _) => (state.look, state.next) = (Look::Done, next),
        }
        true
    })
    .await
    .map(drop)
}

/// Findings of an episode, behind those that were looked at before.
struct Slice {
    /// These, and the worst of those before.
    incident: Incident,
    /// The milestones of all so far.
    reach: Reach,
    /// Where to go on.
    part: Option<Part>,
}

impl Slice {
    async fn read(
        world: &impl World,
        policy: &Alerts,
        held: &Held<'_, Episode>,
    ) -> Result<Self, RuntimeError> {
        let episode: &Episode = held.document;
        let (first, to) = episode.bounds(policy);
        let before = held.state.part.as_ref();
        let from = before.map_or(first, |part| part.from.clone());
        let range =
            Range { partition: &episode.incident, from: &from, to: &to, most: SLICE, backwards: false };
        let (mut incident, behind) = page(world, policy, range).await?;
        let mut reach = incident.reach();
        if let Some(part) = before {
            reach.merge(&part.reach);
            incident.extend(part.worst.clone().map(Mark::reported));
        }
        let behind = behind.filter(|_| reach.findings() < LOOK_AT);
        let worst = || incident.lead().map(Mark::new);
        let part = behind.map(|from| Part { from, reach: reach.clone(), worst: worst() });
        Ok(Self { incident, reach, part })
    }
}
