//! What principals did before, as it is remembered: [`handsoff_core::earlier`].

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use handsoff_cloudtrail::{Time, TimeDelta};
use serde::{Deserialize, Serialize};

use super::error::RuntimeError;
use super::ports::{Range, World};
use super::puts::{AT_ONCE, Item, put_all};
use super::stored;
use handsoff_core::Reported;
use handsoff_core::earlier::{Brief, Earlier, Subject};
use handsoff_core::group;
use handsoff_core::incident::Incident;
use handsoff_core::policy::Alerts;

/// So much of an incident is looked up; the rest counts as new.
const ASKED: usize = 200;

/// What was found of a subject in a period.
#[derive(Serialize, Deserialize)]
struct Found {
    what: String,
}

fn partition(subject: &str) -> String {
    format!("found#{subject}")
}

/// Of what was found only a digest: an action's name is the record's to choose.
fn sort(what: &str, period: Time) -> String {
    format!("{}#{}", group::digest(&[what]), period)
}

/// Remembers what the periods of these findings had.
pub(super) async fn keep(
    world: &impl World,
    policy: &Alerts,
    findings: &[Reported],
) -> Result<(), RuntimeError> {
    let found = findings.iter().filter_map(Reported::call).filter_map(|finding| {
        let subject = Subject::of(finding)?;
        let (_, what) = Brief::of(finding, &subject).remembered()?;
        let period = Earlier::period(policy.period, finding.time?);
        Some((subject.name, what, period))
    });
    // Of many denied calls each action once.
    let found: BTreeSet<_> = found.collect();
    let items = found.into_iter().map(|(subject, what, period)| {
        let sort = sort(&what, period);
        Ok((partition(&subject), sort, stored::text(&Found { what })?))
    });
    put_all(world, items.collect::<Result<Vec<Item>, RuntimeError>>()?).await
}

/// What earlier periods had of an incident's findings. Asks for each thing once.
pub(super) async fn of(
    world: &impl World,
    policy: &Alerts,
    incident: &Incident,
) -> Result<Earlier, RuntimeError> {
    let mut earlier = Earlier::new(policy.period);
    let found = incident.briefs().filter_map(|finding| {
        let (subject, what) = finding.remembered()?;
        Some((subject, what, Earlier::period(policy.period, finding.time?)))
    });
    let asked: BTreeSet<(&Subject, String, Time)> = found.collect();
    let answers = asked.into_iter().take(ASKED).map(|(subject, what, period)| async move {
        let (partition, memory) = (&partition(&subject.name), subject.memory());
        let (from, to) =
            (sort(&what, (period - memory).max(Time::EPOCH)), sort(&what, period - TimeDelta::seconds(1)));
        let range = Range { partition, from: &from, to: &to, most: 1, backwards: true };
        Ok::<_, RuntimeError>((subject, what, period, !world.range(range).await?.is_empty()))
    });
    let answers: Vec<_> = stream::iter(answers).buffered(AT_ONCE).try_collect().await?;
    for (subject, what, period, _) in answers.into_iter().filter(|(.., had)| *had) {
        earlier.add(&subject.name, what.into(), period - policy.period);
    }
    Ok(earlier)
}

/// An incident without the findings that are repeated.
pub(super) async fn news(
    world: &impl World,
    policy: &Alerts,
    incident: Incident,
) -> Result<Incident, RuntimeError> {
    let earlier = of(world, policy, &incident).await?;
    Ok(incident.news(&earlier).into_owned())
}
