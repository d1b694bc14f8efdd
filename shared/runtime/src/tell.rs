//! Remembering findings, and telling what they make due.

use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};

use futures_util::stream::{self, StreamExt};
use handsoff_cloudtrail::{Time, TimeDelta};

use super::budget::take;
use super::digest;
use super::document::{Change, Held, TRIES, contended, update};
use super::episode::{Episode, Look, Mark, Pending, State};
use super::error::Failure;
use super::history;
use super::look::look_is_due;
use super::message::Message;
use super::ports::{Published, Range, World};
use super::report::{Metric, Report};
use super::summary::{Way, codes, fold};
use super::{stored, story};
use handsoff_core::Code;
use handsoff_core::Severity;
use handsoff_core::alert::{About, Alert, Cause, Milestone, Note, Reach, closes_aloud};
use handsoff_core::finding::Key;
use handsoff_core::incident::Incident;
use handsoff_core::policy::Alerts;
use handsoff_core::story::Story;
use handsoff_core::{Reported, ReportedRef};

/// How many findings of a period are looked at when it is first reported. The sweep looks at more.
const LOOK_AT: usize = 200;

/// How many calls are on their way at once.
pub const AT_ONCE: usize = 16;

/// After how long a claimed alert counts as not sent. Longer than any function may run, the sweep too.
#[derive(Clone, Copy, Debug)]
pub struct Lease(pub TimeDelta);

impl Default for Lease {
    fn default() -> Self {
        Self(TimeDelta::seconds(150))
    }
}

/// What is known of an incident beyond its findings, for its messages.
pub trait Notes {
    /// The lines to show.
    ///
    /// # Errors
    /// When they can't be read.
    #[expect(async_fn_in_trait, reason = "functions run on one thread")]
    async fn notes(&self, world: &impl World, episode: &Episode) -> Result<Vec<Note>, Failure>;
}

/// Nothing beyond the findings.
impl Notes for () {
    async fn notes(&self, _: &impl World, _: &Episode) -> Result<Vec<Note>, Failure> {
        Ok(Vec::new())
    }
}

/// What telling depends on.
#[derive(Debug)]
pub struct Telling<'t, N> {
    /// What is sent, and when.
    pub policy: &'t Alerts,
    /// After how long a claimed alert counts as not sent.
    pub lease: Lease,
    /// What is known beyond the findings.
    pub notes: &'t N,
}

impl<N> Clone for Telling<'_, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N> Copy for Telling<'_, N> {}

/// Remembers findings. Counts in the report those that are new.
///
/// # Errors
/// The first failure; what was written stays, and may be written again.
pub async fn keep(world: &impl World, findings: &[Reported], report: &mut Report) -> Result<(), Failure> {
    let puts = findings.iter().map(Reported::as_ref).map(|finding| async move {
        let text = stored::text(&Mark::new(finding))?;
        Ok::<_, Failure>((finding, world.put(finding.incident(), &Mark::sort(finding), &text).await?))
    });
    let mut puts = stream::iter(puts).buffer_unordered(AT_ONCE);
    let mut failed = None;
    while let Some(put) = puts.next().await {
        match put {
            Ok((finding, true)) => report.finding(finding),
            Ok((_, false)) => {}
            Err(failure) => failed = Some(failure),
        }
    }
    failed.map_or(Ok(()), Err)
}

/// The findings of an incident between two sort keys, as an incident of its own.
///
/// # Errors
/// When they can't be read.
pub async fn marks(world: &impl World, range: Range<'_>) -> Result<Incident, Failure> {
    Ok(incident(range.partition, stored(world, range).await?))
}

/// As many findings of an incident as a range holds at most, none of their events in part and without those that are
/// repeated, and the sort key at which the next ones begin; `None` where there are no more.
///
/// # Errors
/// When they can't be read.
pub async fn page(
    world: &impl World,
    policy: &Alerts,
    range: Range<'_>,
) -> Result<(Incident, Option<String>), Failure> {
    let texts = world.range(range).await?;
    let full = texts.len() >= range.most;
    let mut findings = readable(world, &texts);
    let event = |it: &Reported| (it.as_ref().time(), it.as_ref().key());
    if full && let Some(last) = findings.last().map(event) {
        // The last event may have more findings than these.
        let whole = findings.iter().filter(|it| event(it) != last).count();
        findings.truncate(if whole == 0 { findings.len() } else { whole });
    }
    let behind = findings.last().filter(|_| full).map(|last| Mark::sort(last) + "\0");
    Ok((history::news(world, policy, incident(range.partition, findings)).await?, behind))
}

async fn stored(world: &impl World, range: Range<'_>) -> Result<Vec<Reported>, Failure> {
    let texts = world.range(range).await?;
    Ok(readable(world, &texts))
}

/// One that can't be read must not hide the others.
fn readable(world: &impl World, texts: &[String]) -> Vec<Reported> {
    texts.iter().filter_map(|text| Mark::read(world, text)).collect()
}

/// One finding for each event: a denied call may have been kept twice, the second time with what came after it.
pub(super) fn incident(id: &str, findings: impl IntoIterator<Item = Reported>) -> Incident {
    let mut events: BTreeMap<Key, Reported> = BTreeMap::new();
    let rank = |it: ReportedRef<'_>| (it.severity(), it.code().row().says_more, it.reason().len());
    for finding in findings {
        match events.entry(finding.as_ref().key()) {
            Entry::Vacant(place) => drop(place.insert(finding)),
            Entry::Occupied(mut place) => {
                let known = place.get();
                let first = known.as_ref().known().min(finding.as_ref().known());
                if (rank(known.as_ref()), known) < (rank(finding.as_ref()), &finding) {
                    place.insert(finding);
                }
                place.get_mut().set_known(first);
            }
        }
    }
    let mut incident = Incident::new(id.to_owned());
    incident.extend(events.into_values());
    incident
}

/// Remembers findings, and tells what they make due.
///
/// # Errors
/// When something could not be remembered or sent; to do it all again is safe.
pub async fn keep_and_tell(
    world: &impl World,
    telling: Telling<'_, impl Notes>,
    findings: &[Reported],
    report: &mut Report,
) -> Result<(), Failure> {
    // Before the findings: a function that reads one reads that its period had it.
    digest::list(world, telling.policy, findings).await?;
    history::keep(world, telling.policy, findings).await?;
    story::keep(world, findings).await?;
    keep(world, findings, report).await?;
    let mut episodes: BTreeMap<Episode, Vec<Reported>> = BTreeMap::new();
    for finding in findings {
        episodes.entry(Episode::of(finding, telling.policy)).or_default().push(finding.clone());
    }
    let mut failed = Ok(());
    for (episode, findings) in episodes {
        let told = tell(world, telling, &episode, &findings, report).await;
        failed = failed.and(told);
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
) -> Result<(), Failure> {
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
    let mut known = stored(world, episode.range(&bounds, LOOK_AT)).await?;
    let all = known.len() < LOOK_AT;
    // Beyond the limit these may be missing. An event in both is one.
    known.extend(findings.iter().cloned());
    let part = history::news(world, policy, incident(&episode.incident, known)).await?;
    let found = Found { incident: &part, reach: &part.reach() };
    advance(world, telling, episode, found, report).await?;
    if all { Ok(()) } else { look_is_due(world, episode).await }
}

/// Whether nothing is left to alert without those findings that are repeated.
async fn is_repeated(world: &impl World, policy: &Alerts, findings: &[Reported]) -> Result<bool, Failure> {
    let Some(first) = findings.first() else { return Ok(true) };
    let new =
        history::news(world, policy, incident(first.as_ref().incident(), findings.iter().cloned())).await?;
    Ok(new.reach().milestones(policy).is_empty())
}

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
/// As [`tell`].
pub async fn advance(
    world: &impl World,
    telling: Telling<'_, impl Notes>,
    episode: &Episode,
    found: Found<'_>,
    report: &mut Report,
) -> Result<(), Failure> {
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
    ) -> Result<(), Failure> {
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

/// Claims the alert that `due` makes of what was reported so far, sends it, and strikes it off. With a budget, and none of
/// it left for this minute, a summary reports it.
pub(super) async fn claim<W: World>(
    world: &W,
    episode: &Episode,
    burst: Option<usize>,
    report: &mut Report,
    due: impl Fn(&State) -> Option<(Alert, Reported)>,
) -> Result<(), Failure> {
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
) -> Result<bool, Failure> {
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

/// Sends what was claimed longer ago than the lease, by whoever.
///
/// # Errors
/// As [`tell`].
pub async fn resend(
    world: &impl World,
    episode: &Episode,
    lease: Lease,
    report: &mut Report,
) -> Result<(), Failure> {
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
) -> Result<(), Failure> {
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
async fn publish(world: &impl World, pending: &Pending, report: &mut Report) -> Result<(), Failure> {
    let (alert, lead) = (&pending.alert, pending.lead.as_ref());
    let Published::Refused(why) = world.publish(&Message::new(alert, lead)).await? else { return Ok(()) };
    world.log(why.into());
    report.count(Metric::AlertsReduced);
    match world.publish(&Message::reduced(alert, lead)).await? {
        Published::Taken => Ok(()),
        Published::Refused(why) => Err(why),
    }
}

#[cfg(test)]
mod tests;
