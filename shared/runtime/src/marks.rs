//! Findings as they are remembered: each under a key of its own, and read as incidents.

use std::collections::btree_map::{BTreeMap, Entry};

use futures_util::stream::{self, StreamExt};
use handsoff_core::finding::Key;
use handsoff_core::incident::Incident;
use handsoff_core::policy::Alerts;
use handsoff_core::{Reported, ReportedRef};

use super::episode::Mark;
use super::error::RuntimeError;
use super::history;
use super::ports::{Range, World};
use super::puts::AT_ONCE;
use super::report::Report;
use super::stored;

/// Remembers findings. Counts in the report those that are new.
///
/// # Errors
/// The first failure; what was written stays, and may be written again.
pub async fn keep(
    world: &impl World,
    findings: &[Reported],
    report: &mut Report,
) -> Result<(), RuntimeError> {
    let puts = findings.iter().map(Reported::as_ref).map(|finding| async move {
        let text = stored::text(&Mark::new(finding))?;
        Ok::<_, RuntimeError>((finding, world.put(finding.incident(), &Mark::sort(finding), &text).await?))
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
pub async fn marks(world: &impl World, range: Range<'_>) -> Result<Incident, RuntimeError> {
    Ok(incident(range.partition, findings(world, range).await?))
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
) -> Result<(Incident, Option<String>), RuntimeError> {
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

/// The findings between two sort keys, one by one.
pub(super) async fn findings(world: &impl World, range: Range<'_>) -> Result<Vec<Reported>, RuntimeError> {
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

#[cfg(test)]
mod tests;
