//! An alert is claimed, sent, and struck off: a function that is killed in between leaves a claim, which is sent again.

use std::collections::BTreeMap;

use handsoff_cloudtrail::TimeDelta;
use handsoff_core::alert::{Alert, Milestone};
use handsoff_core::{Code, Reported, ReportedRef, Severity};

use super::budget::take;
use super::document::{Change, TRIES, contended, update};
use super::due::Lease;
use super::episode::{Episode, Pending, State};
use super::error::RuntimeError;
use super::fold::{Way, codes, fold};
use super::message::Message;
use super::ports::{Published, World};
use super::report::{Metric, Report};

/// Claims the alert that `due` makes of what was reported so far, sends it, and strikes it off. With a budget, and none of
/// it left for this minute, a summary reports it.
pub(super) async fn claim<W: World>(
    world: &W,
    episode: &Episode,
    burst: Option<usize>,
    report: &mut Report,
    due: impl Fn(&State) -> Option<(Alert, Reported)>,
) -> Result<(), RuntimeError> {
    let by = world.name();
    let mut taken = BTreeMap::new();
    let claimed = update(world, episode, async |held| {
        let exists = held.exists();
        let state = &mut held.state;
        // A write that was answered too late may have been ours.
        if let Some(own) = state.pending.iter().find(|pending| pending.by == by) {
            return Ok(Change::Leave(Some(own.clone())));
        }
        let Some((alert, lead)) = due(state) else { return Ok(Change::Leave(None)) };
        let since = world.now();
        if !exists {
            (state.since, state.next) = (since, since);
        }
        let mut way = Way::of(state, &alert, lead.as_ref());
        state.alerted.extend(alert.tells.iter().copied());
        if let (Way::InBudget, Some(burst)) = (way, burst)
            && !is_within(world, burst, &alert, lead.as_ref(), &mut taken).await?
        {
            fold(world, &alert, lead.as_ref(), report).await?;
            state.fold(&alert, lead.as_ref());
            way = Way::Untold;
        }
        if way == Way::Untold {
            return Ok(Change::Write(None));
        }
        state.folded = None;
        state.named.extend(alert.names(lead.as_ref()).map(str::to_owned));
        let pending = Pending { by: by.clone(), since, alert, lead };
        state.pending.push(pending.clone());
        Ok(Change::Write(Some(pending)))
    });
    match claimed.await? {
        Some(pending) => send(world, episode, &pending, report).await,
        None => Ok(()),
    }
}

/// Whether a budget of this minute has room for an alert: that of its finding's code, or of another that it tells. What
/// is rare isn't folded for coming together with what many have. What was `taken` for it before isn't taken again.
async fn is_within(
    world: &impl World,
    burst: usize,
    alert: &Alert,
    lead: ReportedRef<'_>,
    taken: &mut BTreeMap<(Code, Severity), bool>,
) -> Result<bool, RuntimeError> {
    for code in codes(alert, lead) {
        let budget = (code, alert.severity);
        let had = match taken.get(&budget) {
            Some(had) => *had,
            None => take(world, burst, code, alert.severity).await?,
        };
        taken.insert(budget, had);
        if had {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Sends what was claimed longer ago than the lease, by any function.
///
/// # Errors
/// When something could not be written or sent; to do it again is safe.
pub async fn resend(
    world: &impl World,
    episode: &Episode,
    lease: Lease,
    report: &mut Report,
) -> Result<(), RuntimeError> {
    // Each of them once, and no more than so many at a time.
    for _ in 0..TRIES {
        let claimed = update(world, episode, async |held| {
            let (by, now) = (world.name(), world.now());
            let late = |pending: &&mut Pending| pending.since + lease.0 <= now;
            let Some(old) = held.state.pending.iter_mut().find(late) else { return Ok(Change::Leave(None)) };
            // The first to write this sends it.
            (old.by, old.since) = (by, now);
            Ok(Change::Write(Some(old.clone())))
        });
        let Some(old) = claimed.await? else { return Ok(()) };
        report.count(Metric::AlertsResent);
        send(world, episode, &old, report).await?;
    }
    Err(contended::<Episode>())
}

pub(super) async fn send(
    world: &impl World,
    episode: &Episode,
    pending: &Pending,
    report: &mut Report,
) -> Result<(), RuntimeError> {
    let _turn = world.turns().turn().await;
    publish(world, pending, report).await.inspect_err(|_| report.count(Metric::AlertsFailed))?;
    report.count(Metric::AlertsSent);
    let opened = pending.alert.tells.contains(&Milestone::Opened);
    let since = pending.lead.as_ref().time().filter(|_| opened);
    let after = since.map(|at| (world.now() - at).max(TimeDelta::zero()));
    if let Some(after) = after {
        #[expect(clippy::cast_precision_loss, reason = "seconds within the life of this program")]
        report.add(Metric::OpeningSeconds, after.num_seconds() as f64);
    }
    let sent = update(world, episode, async |held| {
        let state = &mut held.state;
        let before = state.pending.len();
        state.pending.retain(|other| other.by != pending.by || other.alert.tells != pending.alert.tells);
        state.opened_after = state.opened_after.or(after);
        Ok(if state.pending.len() == before { Change::Leave(()) } else { Change::Write(()) })
    });
    sent.await
}

/// Publishes an alert; if it is refused as it is, in a form that can't be refused.
async fn publish(world: &impl World, pending: &Pending, report: &mut Report) -> Result<(), RuntimeError> {
    let (alert, lead) = (&pending.alert, pending.lead.as_ref());
    let Published::Refused(why) = world.publish(&Message::new(alert, lead)).await? else { return Ok(()) };
    world.log(why.into());
    report.count(Metric::AlertsReduced);
    match world.publish(&Message::reduced(alert, lead)).await? {
        Published::Taken => Ok(()),
        Published::Refused(why) => Err(why),
    }
}
