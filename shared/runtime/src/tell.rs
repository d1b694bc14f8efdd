//! Remembering findings, and telling what they make due.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt};
use handsoff_cloudtrail::Time;
use handsoff_core::alert::{About, Alert, Cause, Milestone, Note, Reach, closes_aloud};
use handsoff_core::incident::Incident;
use handsoff_core::policy::Alerts;
use handsoff_core::story::Story;
use handsoff_core::{Reported, Severity};

use super::advance::{Found, advance};
use super::claim::{claim, resend};
use super::document::Held;
use super::episode::{Episode, Look, Pending};
use super::error::RuntimeError;
use super::look::look_is_due;
use super::marks::{self, incident, keep};
use super::ports::World;
use super::puts::AT_ONCE;
use super::report::Report;
use super::telling::{Notes, Telling};
use super::{digest, history, story};

/// How many findings of a period are looked at when it is first reported. The sweep looks at more.
const LOOK_AT: usize = 200;

/// Remembers findings, and tells what they make due.
///
/// # Errors
/// When something could not be remembered or sent; to do it all again is safe.
pub async fn keep_and_tell(
    world: &impl World,
    telling: Telling<'_, impl Notes>,
    findings: &[Reported],
    report: &mut Report,
) -> Result<(), RuntimeError> {
    // Before the findings: a function that reads one reads that its period had it.
    digest::list(world, telling.policy, findings).await?;
    history::keep(world, telling.policy, findings).await?;
    story::keep(world, findings).await?;
    keep(world, findings, report).await?;
    let mut episodes: BTreeMap<Episode, Vec<Reported>> = BTreeMap::new();
    for finding in findings {
        episodes.entry(Episode::of(finding, telling.policy)).or_default().push(finding.clone());
    }
    // A batch may have those of hundreds of principals.
    let told = episodes.into_iter().map(|(episode, findings)| async move {
        let mut own = Report::default();
        (tell(world, telling, &episode, &findings, &mut own).await, own)
    });
    let mut told = stream::iter(told).buffer_unordered(AT_ONCE);
    let mut failed = Ok(());
    while let Some((told, own)) = told.next().await {
        failed = failed.and(told);
        report.merge(&own);
    }
    failed
}

/// Tells what findings of one episode make due. They have been remembered before.
///
/// # Errors
/// When something could not be remembered or sent; to do it all again is safe.
pub async fn tell(
    world: &impl World,
    telling: Telling<'_, impl Notes>,
    episode: &Episode,
    findings: &[Reported],
    report: &mut Report,
) -> Result<(), RuntimeError> {
    let (policy, lease) = (telling.policy, telling.lease);
    let mut own = Reach::new(&episode.incident);
    for finding in findings {
        finding.as_ref().count_in(&mut own);
    }
    let own = own.milestones(policy);
    if own.is_empty() {
        // They count where others have made it worth telling.
        return look_is_due(world, episode).await;
    }
    let state = Held::of(world, episode).await?.state;
    if own.is_subset(&state.alerted) && !state.alerted.contains(&Milestone::Closed) {
        // Counts beyond these findings are the sweep's business: it would cost a read of all of them here.
        if state.look != Look::Due {
            look_is_due(world, episode).await?;
        }
        let late = |pending: &Pending| pending.since + lease.0 <= world.now();
        if state.pending.iter().any(late) {
            resend(world, episode, lease, report).await?;
        }
        return Ok(());
    }
    if is_repeated(world, policy, findings).await? {
        return look_is_due(world, episode).await;
    }
    let bounds = episode.bounds(policy);
    let mut known = marks::findings(world, episode.range(&bounds, LOOK_AT)).await?;
    let all = known.len() < LOOK_AT;
    // Beyond the limit these may be missing. An event in both is one.
    known.extend(findings.iter().cloned());
    let part = history::news(world, policy, incident(&episode.incident, known)).await?;
    let found = Found { incident: &part, reach: &part.reach() };
    advance(world, telling, episode, found, report).await?;
    if all { Ok(()) } else { look_is_due(world, episode).await }
}

/// Whether nothing is left to alert without those findings that are repeated.
async fn is_repeated(
    world: &impl World,
    policy: &Alerts,
    findings: &[Reported],
) -> Result<bool, RuntimeError> {
    let Some(first) = findings.first() else { return Ok(true) };
    let new =
        history::news(world, policy, incident(first.as_ref().incident(), findings.iter().cloned())).await?;
    Ok(new.reach().milestones(policy).is_empty())
}

/// What the last message of an incident says.
#[derive(Debug)]
pub struct Closing<'c> {
    /// What was found, or the first of it.
    pub incident: &'c Incident,
    /// What the policy says of messages.
    pub policy: &'c Alerts,
    /// The episode since which it was.
    pub since: &'c Episode,
    /// How many findings there are.
    pub findings: usize,
    /// The highest severity of them.
    pub severity: Severity,
    /// What is known beyond the findings.
    pub notes: Vec<Note>,
    /// When it is over, by the time of events.
    pub at: Time,
}

impl Episode {
    /// Tells that it is over; or, with nothing to say, only remembers it: the incident goes on in the next one,
    /// or nothing is left of it, or a summary has reported it.
    ///
    /// # Errors
    /// As [`tell`].
    pub async fn close(
        &self,
        world: &impl World,
        closing: Option<Closing<'_>>,
        report: &mut Report,
    ) -> Result<(), RuntimeError> {
        let closed = || BTreeSet::from([Milestone::Closed]);
        let is_sent = |closing: &Closing<'_>| {
            let Closing { incident, findings, severity, .. } = closing;
            let reach = incident.reach();
            let all_said = reach.findings() == *findings && reach.is_all_alerted();
            incident.count() > 0 && closes_aloud(&self.incident, *severity, all_said)
        };
        let Some(closing) = closing.filter(is_sent) else {
            let mut held = Held::of(world, self).await?;
            return held.change(world, |state| state.alerted.insert(Milestone::Closed)).await.map(drop);
        };
        let shown = closing.incident.lead();
        let Story { notes: story, thread } = story::of(world, closing.incident, shown).await;
        let notes = [&*story, &closing.notes].concat();
        claim(world, self, None, report, |state| {
            let Closing { incident, policy, since, findings, severity, at, .. } = closing;
            let lead = incident.lead().filter(|_| !state.alerted.contains(&Milestone::Closed))?;
            let (period, since, named) = (self.period, since.period, &state.named);
            let (notes, thread) = (&*notes, &*thread);
            let about =
                About { incident, policy, period, lead, severity, findings, since, named, notes, thread };
            Some((Alert::new(&about, Cause::Closed, closed(), Some(at)), lead.cloned()))
        })
        .await
    }
}
