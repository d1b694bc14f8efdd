//! The digest of a day, sent by the sweep: [`handsoff_core::alert::Digest`].
//!
//! Whoever remembers a finding puts its incident on the list of the digest that has it, before the finding: the list is a
//! set, and nothing on it is missing. The digest is an episode of its own and is claimed as every alert is.

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt};
use handsoff_cloudtrail::{Time, TimeDelta};
use serde::{Deserialize, Serialize};

use super::claim::claim;
use super::document::Held;
use super::episode::Episode;
use super::error::RuntimeError;
use super::history;
use super::marks::marks;
use super::ports::{Range, World};
use super::puts::AT_ONCE;
use super::report::Report;
use super::stored;
use super::telling::Telling;
use handsoff_core::Reported;
use handsoff_core::alert::{Digest, Milestone, Note, Period, digest_end};
use handsoff_core::incident::Incident;
use handsoff_core::policy::Alerts;

/// So many incidents of a digest are read. Where there are more the digest says so.
const INCIDENTS: usize = 1_000;

/// So many findings of each.
const FINDINGS: usize = 1_000;

/// So many findings in all: a flood of them must not keep a sweep from its end.
const ALL: usize = 20_000;

/// After a digest is due it is looked for so long: after that nobody reads it as the day's any more.
const LATE: TimeDelta = TimeDelta::hours(6);

/// An incident on a digest's list.
#[derive(Serialize, Deserialize)]
struct Listed {
    incident: String,
}

/// Puts the incidents of findings on the lists of their digests.
pub(super) async fn list(
    world: &impl World,
    policy: &Alerts,
    findings: &[Reported],
) -> Result<(), RuntimeError> {
    let listed = findings.iter().filter_map(Reported::call).filter_map(|finding| {
        Some((digest_end(&finding.incident, finding.time, policy)?, &*finding.incident))
    });
    let listed: BTreeSet<(Time, &str)> = listed.collect();
    for (until, incident) in listed {
        let text = stored::text(&Listed { incident: incident.to_owned() })?;
        world.put(&Digest::id(until), &format!("incident#{incident}"), &text).await?;
    }
    Ok(())
}

/// Sends the last digest that is due, unless it was sent or has nothing to say. `notes` is asked, with the digest's end, for
/// what there is to say beside the findings.
///
/// # Errors
/// When something can't be read, written or sent; to do it again is safe.
pub async fn digest<N>(
    world: &impl World,
    telling: Telling<'_, N>,
    now: Time,
    notes: impl AsyncFnOnce(Time) -> Vec<Note>,
    report: &mut Report,
) -> Result<(), RuntimeError> {
    let policy = telling.policy;
    let Some(until) = policy.digest.until(now - policy.quiet) else { return Ok(()) };
    if now - policy.quiet - until > LATE {
        return Ok(());
    }
    let episode = Episode { incident: Digest::id(until), period: Period::NoTime };
    if Held::of(world, &episode).await?.state.alerted.contains(&Milestone::Digest) {
        return Ok(());
    }
    let mut digest = Digest::new(policy, until);
    let (from, to) = ("incident#", "incident#~");
    let list = Range { partition: &episode.incident, from, to, most: INCIDENTS, backwards: false };
    let texts = world.range(list).await?;
    let mut whole = texts.len() < INCIDENTS;
    let listed = texts.iter().filter_map(|text| stored::read(world, "reading a digest's list", text, &[]));
    let reads = listed.map(|listed: Listed| part(world, policy, until, listed.incident));
    let mut reads = stream::iter(reads).buffered(AT_ONCE);
    let mut findings = 0;
    while let Some(read) = reads.next().await {
        let (incident, earlier) = read?;
        digest.add(&incident, &incident, &earlier);
        findings += incident.count();
        if findings >= ALL {
            whole = false;
            break;
        }
    }
    drop(reads);
    if digest.is_empty() {
        return Ok(());
    }
    digest.notes = notes(until).await;
    if !whole {
        let why = format!(
            "there was more than a digest reads; the table has everything, partition {}",
            episode.incident
        );
        digest.notes.push(Note::new("more", why));
    }
    claim(world, &episode, None, report, |state| {
        let (alert, lead) = digest.alert().filter(|_| !state.alerted.contains(&Milestone::Digest))?;
        Some((alert, lead.into()))
    })
    .await
}

/// As much of an incident as a digest has of it, and what earlier days had.
async fn part(
    world: &impl World,
    policy: &Alerts,
    until: Time,
    incident: String,
) -> Result<(Incident, handsoff_core::earlier::Earlier), RuntimeError> {
    // No digest is of more than a week.
    let (from, to) = (format!("mark#{}", until - TimeDelta::days(8)), format!("mark#{until}"));
    let range = Range { partition: &incident, from: &from, to: &to, most: FINDINGS, backwards: false };
    let whole = marks(world, range).await?;
    let parts = whole.by_digest(policy);
    let part = parts.into_iter().find(|(end, _)| *end == until).map(|(_, part)| part);
    let part = part.unwrap_or_else(|| Incident::new(incident));
    let earlier = history::of(world, policy, &part).await?;
    Ok((part, earlier))
}
