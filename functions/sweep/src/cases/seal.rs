//! Sealing the case of a session that is over.

use handsoff_case::facts::Facts;
use handsoff_case::live::{Calls, Case, SessionNotes, grants, prefix, reconcile};
use handsoff_case::manifest::{Lookup as Looked, MANIFEST, Manifest, sha256};
use handsoff_case::seal::{File, Sealer};
use handsoff_case::session::Session;
use handsoff_core::alert::Milestone;
use handsoff_core::{Policy, Reported};
use handsoff_runtime::{
    Ending, Episode, Held, LogLine, Lookup, Metric, Range, Report, RuntimeError, State, World, end_session,
    keep, keep_and_tell, marks, reopen,
};

use super::lookup::{asks, look_up};
use crate::context::Sweep;

/// How many of a session's findings are looked at for its last message.
const LOOK_AT: usize = 10_000;

/// Completes, seals and closes a case. What is still to be asked of CloudTrail is left for the next sweep.
pub(super) async fn seal<W: World + Lookup>(
    sweep: &Sweep<'_, W>,
    episode: &Episode,
    report: &mut Report,
) -> Result<(), RuntimeError> {
    let Sweep { world, policy, settings, now, .. } = *sweep;
    let case = &episode.incident;
    // First: a call that CloudTrail tells, too, is known to have come by the feed only if the memory says so.
    let lacked = reconcile(world, case).await?;
    if lacked > 0 {
        let why = format!("{lacked} calls of {case} were in the archive and not in the table: restored");
        world.log(LogLine::new("the memory", why));
    }
    let before = whole(world, case, policy).await?;
    let questions = |session: &Session<'_>| {
        let outlived = session.facts.outlived().map(|at| at + policy.alerts.quiet);
        // As far as the session may have gone on unseen, and no further than now.
        let to = session.closes().max(outlived.map(|outlived| outlived.min(now)))?;
        Some(asks(&session.facts, &settings.lookup_regions, to))
    };
    let Some(asked) = questions(&before) else { return Ok(()) };
    let Some(looked) = look_up(sweep, case, &before.facts, &asked).await? else { return Ok(()) };
    // What CloudTrail reported may reach further than what was known.
    let session = whole(world, case, policy).await?;
    if questions(&session).is_some_and(|more| more != asked) {
        return Ok(());
    }
    if session.closes().is_some_and(|closes| now < closes) {
        return reopen(world, episode).await;
    }
    let (manifest, text) = write(world, &session, looked).await?;
    close(sweep, episode, &session, (&manifest, &text), report).await
}

/// The session with all of its calls.
async fn whole<'p>(world: &impl World, case: &str, policy: &'p Policy) -> Result<Session<'p>, RuntimeError> {
    let (mut facts, mut calls) = (Facts::default(), Calls::of(case));
    while let Some(call) = calls.next(world).await? {
        facts.merge(call.facts);
    }
    let grants = grants(world, &facts).await?;
    Ok(Session::new(case, facts, grants, policy))
}

fn unwritten(error: serde_json::Error) -> RuntimeError {
    RuntimeError::stored("writing a case as JSON", error)
}

/// Writes the case into the archive: first the manifest is made, whose digest names the folder, so that what a sweep
/// left behind that was stopped half-way is either the same or elsewhere. Holds no more than a file's lines.
async fn write(
    world: &impl World,
    session: &Session<'_>,
    looked: Looked,
) -> Result<(Manifest, String), RuntimeError> {
    let mut sealer = Sealer::new(&session.id);
    let mut calls = Calls::of(&session.id);
    while let Some(call) = calls.next(world).await? {
        sealer.add(&call.call).map_err(unwritten)?;
    }
    let (manifest, _) = sealer.finish(session, Some(looked));
    let text = manifest.text().map_err(unwritten)?;
    let digest: String = sha256(text.as_bytes()).chars().take(16).collect();
    let folder = format!("{}sealed-{digest}/", prefix(&session.id));
    let store = async |file: File| world.store(&format!("{folder}{}", file.name), &file.text).await;

    let mut sealer = Sealer::new(&session.id);
    let mut calls = Calls::of(&session.id);
    while let Some(call) = calls.next(world).await? {
        if let Some(file) = sealer.add(&call.call).map_err(unwritten)? {
            store(file).await?;
        }
    }
    let (again, last) = sealer.finish(session, manifest.lookup.clone());
    if let Some(file) = last {
        store(file).await?;
    }
    if again != manifest {
        return Err(RuntimeError::stored("sealing a case", "a call came between: the next sweep seals it"));
    }
    store(File { name: MANIFEST.into(), text: text.clone() }).await?;
    // What stood there before stays: it has to be this.
    if world.load(&format!("{folder}{MANIFEST}")).await? != text {
        return Err(RuntimeError::stored("sealing a case", format!("{folder} has other content")));
    }
    Ok((manifest, text))
}

/// Remembers what was sealed, and says so.
async fn close<W: World>(
    sweep: &Sweep<'_, W>,
    episode: &Episode,
    session: &Session<'_>,
    (manifest, text): (&Manifest, &str),
    report: &mut Report,
) -> Result<(), RuntimeError> {
    let Sweep { world, policy, now, .. } = *sweep;
    let case = &episode.incident;
    let digest = sha256(text.as_bytes());
    let document = Case { id: case, review_within: policy.cases.review_within };
    let mut held = Held::of(world, &document).await?;
    let sealed = &mut held.state;
    if sealed.digest != digest {
        // Of the same case who is late with its review stays late.
        (sealed.at, sealed.told, sealed.review) = (now, false, None);
    }
    let outlived = session.facts.outlived().map(|at| at + policy.alerts.quiet);
    sealed.digest.clone_from(&digest);
    sealed.suspects = session.suspects();
    sealed.look_again = outlived.filter(|outlived| *outlived > now);
    let told = sealed.told;
    if !held.write(world).await? {
        // Another sweep is at it.
        return Ok(());
    }
    let range = Range { partition: case, from: "mark#", to: "mark#~", most: LOOK_AT, backwards: false };
    let known = marks(world, range).await?;
    let Some(first) = known.first() else {
        return Err(RuntimeError::stored("closing a session", format!("no finding of {case} is stored")));
    };
    // What only all of its calls together show.
    let state = State::of(world, episode).await?.unwrap_or_default();
    let late = session.violated(first, |code| state.alerted.contains(&Milestone::Topic(code.into(), 1)));
    let notes = SessionNotes(policy);
    keep_and_tell(world, sweep.telling(&notes), &late, report).await?;
    let closed = session.closed(first).map(Reported::from);
    keep(world, closed.as_slice(), report).await?;
    let findings = marks(world, range).await?;
    let ending = Ending {
        policy: &policy.alerts,
        findings: &findings,
        calls: usize::try_from(manifest.summary.calls.all).unwrap_or(usize::MAX),
        notes: session.closing(manifest, &digest),
        told,
        at: session.closes().unwrap_or(now),
    };
    if end_session(world, episode, &ending, report).await? && !told {
        report.count(Metric::CasesSealed);
        crate::context::add(report, Metric::CaseCallsMissed, missed(manifest));
        let mut held = Held::of(world, &document).await?;
        if held.state.digest == digest {
            held.state.told = true;
            // If somebody else was faster, its end is alerted once more if it is sealed once more: better than never.
            held.write(world).await?;
        }
    }
    Ok(())
}

/// Calls that came by `LookupEvents` alone.
fn missed(manifest: &Manifest) -> usize {
    usize::try_from(manifest.summary.sources.only_lookup.count).unwrap_or(usize::MAX)
}
