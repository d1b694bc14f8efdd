//! Deploy sessions whose beginning no record has shown: CloudTrail is asked for it, and what it doesn't have either is reported.

use std::collections::BTreeSet;

use handsoff_cloudtrail::partition::Partition;
use handsoff_cloudtrail::{Entry, Record, Time, TimeDelta};
use handsoff_core::origins::Beginning;
use handsoff_core::{Call, Engine, Reported, Trace, Verdict, session_id};
use handsoff_drift::unproven;
use handsoff_runtime::{
    Ask, Held, LogLine, Lookup, Open, PROOF, Proof, ProvenSessions, Report, RuntimeError, Unproven,
    UnprovenSession, Unsettled, World, keep_and_tell, prove, unsettled,
};

use crate::context::{Sweep, is_region};

/// After so long a question that failed is asked again.
const AGAIN: TimeDelta = TimeDelta::minutes(5);

/// After so long without an answer the session is reported all the same.
const GIVEN_UP: TimeDelta = TimeDelta::hours(6);

/// So many pages are read of a Region. Who assumes a role a thousand times in a minute, to hide one of them or to keep the sweep
/// busy, is reported for it.
const PAGES: usize = 5;

/// Clocks differ: a session's credentials are of the second of the call that issued them only on the same machine.
const AROUND: TimeDelta = TimeDelta::minutes(1);

/// Settles the sessions that are due, one after the other, for CloudTrail answers twice a second.
pub(crate) async fn go_through<W: World + Lookup>(
    sweep: &Sweep<'_, W>,
    open: &[Open],
    until: Time,
    report: &mut Report,
) -> Vec<RuntimeError> {
    let now = sweep.world.now().max(sweep.now);
    let due = |open: &&Open| open.sort == PROOF && open.due.is_none_or(|due| due.at <= now);
    let mut due: Vec<&Open> = open.iter().filter(due).collect();
    due.sort_by_key(|open| open.due.map(|due| due.at));
    let mut failures = Vec::new();
    for Open { partition, .. } in due {
        if sweep.world.now() > until {
            break;
        }
        match UnprovenSession::parse(partition) {
            Some(session) => failures.extend(settle(sweep, session, report).await.err()),
            None => failures
                .push(RuntimeError::stored("reading unproven sessions", format!("`{partition}` is none"))),
        }
    }
    failures
}

/// Settles a session: by what was seen of its beginning since, by what CloudTrail has of it, or by reporting it.
async fn settle<W: World + Lookup>(
    sweep: &Sweep<'_, W>,
    session: UnprovenSession,
    report: &mut Report,
) -> Result<(), RuntimeError> {
    let world = sweep.world;
    let mut held = Held::of(world, &session).await?;
    let Some(due) = held.state.due else { return Ok(()) };
    if let Some(Unsettled { first, refuted }) = unsettled(world, session.0).await? {
        let found = match beginning(sweep, session.0, &held.state).await {
            Ok(found) => found,
            Err(failure) if due < first.time.map_or(due, |time| time + GIVEN_UP) => {
                held.change(world, |state| {
                    state.due = Some(world.now() + AGAIN);
                    true
                })
                .await?;
                return Err(failure);
            }
            Err(failure) => {
                world.log(failure.into());
                None
            }
        };
        // Also where it was seen before: a sweep may have been killed before it reported that.
        let reported = match found {
            Some(record) => began(sweep, &record).await?,
            None if refuted => Vec::new(),
            None => unproven(first, sweep.policy).map(Reported::from).into_iter().collect(),
        };
        keep_and_tell(world, sweep.telling(&()), &reported, report).await?;
    }
    held.change(world, |state| state.due.take().is_some()).await.map(drop)
}

/// The record of the call that issued a session, by CloudTrail's own memory.
async fn beginning<W: World + Lookup>(
    sweep: &Sweep<'_, W>,
    session: u64,
    unproven: &Unproven,
) -> Result<Option<String>, RuntimeError> {
    let Some(created) = unproven.created else { return Ok(None) };
    let global = Partition::of_region(&unproven.region).global;
    let own = [unproven.region.as_str(), global];
    let regions = own.into_iter().chain(sweep.settings.lookup_regions.iter().map(String::as_str));
    let regions: BTreeSet<&str> = regions.filter(|region| is_region(region)).collect();
    for region in regions {
        let ask = Ask {
            region: region.to_owned(),
            attribute: "ResourceName",
            value: unproven.role.clone(),
            from: (created - AROUND).max(Time::EPOCH),
            to: created + AROUND,
        };
        let mut page = None;
        for _ in 0..PAGES {
            let (events, next) = sweep.world.lookup(&ask, page).await?;
            if let Some(found) = events.into_iter().find(|event| issued(sweep, event) == Some(session)) {
                return Ok(Some(found));
            }
            page = next;
            if page.is_none() {
                break;
            }
        }
    }
    Ok(None)
}

/// The session that the call of an event issued.
fn issued<W: World>(sweep: &Sweep<'_, W>, event: &str) -> Option<u64> {
    let Ok((Entry::Record(record), _)) = Record::read(event) else {
        sweep.world.log(LogLine::new("CloudTrail LookupEvents", "an event that is no record"));
        return None;
    };
    session_id::issued_by(&record)
}

/// What there is to report by a record that no rule has brought: the misuse that it shows, with what was done in the session.
async fn began<W: World>(sweep: &Sweep<'_, W>, event: &str) -> Result<Vec<Reported>, RuntimeError> {
    let Ok((Entry::Record(record), _)) = Record::read(event) else { return Ok(Vec::new()) };
    let engine = Engine::new(sweep.settings.detectors, sweep.policy);
    let call = Call::classify(record, sweep.policy, &mut Trace::off());
    let proof =
        Beginning::of(&call, sweep.policy).map(|beginning| Proof::of_issue(&call, beginning, || None));
    let mut found =
        prove(sweep.world, proof, &ProvenSessions::default(), sweep.policy.proof.patience).await?;
    if let Verdict::Finding(finding) = engine.judge(&call, &mut Trace::off()) {
        found.push(Reported::from(*finding));
    }
    Ok(found)
}
