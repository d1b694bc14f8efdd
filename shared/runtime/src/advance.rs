//! What an episode's findings make due is claimed and sent.

use std::collections::BTreeSet;

use handsoff_core::alert::{About, Alert, Cause, Milestone, Reach};
use handsoff_core::incident::Incident;
use handsoff_core::story::Story;
use handsoff_core::{ReportedRef, Severity};

use super::claim::{claim, resend};
use super::document::Held;
use super::episode::{Episode, State};
use super::error::RuntimeError;
use super::ports::World;
use super::report::Report;
use super::story;
use super::telling::{Notes, Telling};

/// What was found of an episode.
#[derive(Clone, Copy, Debug)]
pub struct Found<'f> {
    /// Findings, or the last of them and the worst.
    pub incident: &'f Incident,
    /// The milestones of all of them.
    pub reach: &'f Reach,
}

impl<'f> Found<'f> {
    /// What there is to tell beside what was alerted, how urgent it is, and the finding that the message shows.
    fn due(
        &self,
        reached: &BTreeSet<Milestone>,
        alerted: &BTreeSet<Milestone>,
    ) -> Option<(BTreeSet<Milestone>, Severity, ReportedRef<'f>)> {
        let tells: BTreeSet<Milestone> = reached.difference(alerted).copied().collect();
        let severity = self.reach.worst()?;
        let lead = self.incident.lead_for(&tells, severity).or_else(|| self.incident.lead());
        lead.filter(|_| !tells.is_empty()).map(|lead| (tells, severity, lead))
    }
}

/// Claims and sends what is due of an episode with these findings, and sends again what was claimed too long ago.
///
/// # Errors
/// When something could not be read, written or sent; to do it again is safe.
pub async fn advance(
    world: &impl World,
    telling: Telling<'_, impl Notes>,
    episode: &Episode,
    found: Found<'_>,
    report: &mut Report,
) -> Result<(), RuntimeError> {
    let reached = found.reach.milestones(telling.policy);
    let known = Held::of(world, episode).await?.state.alerted;
    if !reached.is_subset(&known) {
        // An alert without them is better than none.
        let notes = telling.notes.notes(world, episode).await.unwrap_or_else(|failure| {
            world.log(failure.into());
            Vec::new()
        });
        let shown = found.due(&reached, &known).map(|(_, _, lead)| lead).or_else(|| found.incident.lead());
        let Story { notes: story, thread } = story::of(world, found.incident, shown).await;
        let notes = [story, notes].concat();
        claim(world, episode, Some(telling.policy.burst), report, |state| {
            let State { alerted, named, .. } = state;
            let (tells, severity, lead) = found.due(&reached, alerted)?;
            let (incident, period, findings) = (found.incident, episode.period, found.reach.findings());
            let (policy, since, notes, thread) = (telling.policy, period, &*notes, &*thread);
            let about =
                About { incident, policy, period, lead, severity, findings, since, named, notes, thread };
            Some((Alert::new(&about, Cause::of(&tells, alerted), tells, Some(world.now())), lead.cloned()))
        })
        .await?;
    }
    resend(world, episode, telling.lease, report).await
}
