//! The end of a break-glass session, which has a case file to be sealed.
//!
//! A call may come while its case is being sealed, or after. So the sweep first writes that it seals, then reads, and
//! says that it is closed only if that is still written; and whoever remembers a call looks afterwards whether it is
//! written, and strikes it out. Either the sweep reads the call, or it sees that it was too early.

use std::collections::BTreeSet;

use super::claim::send;
use super::document::{Change, Held, update};
use super::episode::{Episode, Pending, State};
use super::error::RuntimeError;
use super::fold::fold;
use super::ports::World;
use super::report::Report;
use super::story;
use handsoff_cloudtrail::Time;
use handsoff_core::alert::{About, Alert, Cause, Milestone, Note};
use handsoff_core::incident::Incident;
use handsoff_core::policy::Alerts;
use handsoff_core::{ReportedRef, Story};

/// Writes that a session's case is being sealed. To write it again changes nothing.
///
/// # Errors
/// When it can't be written.
pub async fn seal_session(world: &impl World, episode: &Episode) -> Result<(), RuntimeError> {
    let mut held = Held::of(world, episode).await?;
    held.change(world, |state| state.alerted.insert(Milestone::Sealing)).await.map(drop)
}

/// Opens a session again that is being sealed, or is closed: a call of it came.
///
/// # Errors
/// When it can't be written.
pub async fn reopen(world: &impl World, episode: &Episode) -> Result<(), RuntimeError> {
    let (mut held, now) = (Held::of(world, episode).await?, world.now());
    held.change(world, |state| {
        let sealing = state.alerted.remove(&Milestone::Sealing);
        let closed = state.alerted.remove(&Milestone::Closed);
        if sealing || closed {
            state.next = now;
        }
        sealing || closed
    })
    .await
    .map(drop)
}

/// What the last message of a session says.
#[derive(Debug)]
pub struct Ending<'e> {
    /// What is sent, and what accounts are called.
    pub policy: &'e Alerts,
    /// The session's findings, or the first of them.
    pub findings: &'e Incident,
    /// How many calls it has.
    pub calls: usize,
    /// What is known beyond the findings.
    pub notes: Vec<Note>,
    /// The same case was reported before: nothing is sent.
    pub told: bool,
    /// When it is over, by the time of events.
    pub at: Time,
}

impl Ending<'_> {
    fn tells() -> BTreeSet<Milestone> {
        BTreeSet::from([Milestone::Closed])
    }

    fn lead(&self) -> Option<ReportedRef<'_>> {
        self.findings.lead_for(&Self::tells(), self.findings.severity()).or_else(|| self.findings.lead())
    }

    /// The session's last alert.
    async fn alert(
        &self,
        world: &impl World,
        episode: &Episode,
        state: &State,
        lead: ReportedRef<'_>,
    ) -> Alert {
        let Story { notes: story, thread } = story::of(world, self.findings, Some(lead)).await;
        let mut notes = [&*story, &self.notes].concat();
        if let Some(after) = state.opened_after {
            notes.push(Note::new(
                "alerted",
                format!("{} seconds after its first record", after.num_seconds()),
            ));
        }
        let (incident, period) = (self.findings, episode.period);
        let about = About {
            incident,
            policy: self.policy,
            period,
            lead,
            severity: incident.severity(),
            findings: incident.count().max(self.calls),
            since: period,
            named: &BTreeSet::new(),
            notes: &notes,
            thread: &thread,
        };
        Alert::new(&about, Cause::Closed, Self::tells(), Some(self.at))
    }
}

/// Says that a session is over, if its case is still being sealed. Tells whether it is over now.
///
/// # Errors
/// When it can't be written or sent; to do it again is safe.
pub async fn end_session(
    world: &impl World,
    episode: &Episode,
    ending: &Ending<'_>,
    report: &mut Report,
) -> Result<bool, RuntimeError> {
    let by = world.name();
    let ended = update(world, episode, async |held| {
        let state = &mut held.state;
        // A write that was answered too late may have been ours.
        if let Some(own) = state.pending.iter().find(|pending| pending.by == by) {
            return Ok(Change::Leave((true, Some(own.clone()))));
        }
        if !state.alerted.remove(&Milestone::Sealing) {
            return Ok(Change::Leave((state.alerted.contains(&Milestone::Closed), None)));
        }
        state.alerted.insert(Milestone::Closed);
        let lead = ending.lead().filter(|_| !ending.told);
        let Some(lead) = lead else { return Ok(Change::Write((true, None))) };
        let alert = ending.alert(world, episode, state, lead).await;
        if state.folded.is_some() {
            // The digest leaves the account all the same: with the others' of this minute.
            fold(world, &alert, lead, report).await?;
            return Ok(Change::Write((true, None)));
        }
        let pending = Pending { by: by.clone(), since: world.now(), alert, lead: lead.cloned() };
        state.pending.push(pending.clone());
        Ok(Change::Write((true, Some(pending))))
    });
    let (over, pending) = ended.await?;
    if let Some(pending) = pending {
        send(world, episode, &pending, report).await?;
    }
    Ok(over)
}
