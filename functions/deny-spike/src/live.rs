//! Denied calls as the function sees them: a few at a time, with the rest remembered.

use std::collections::{BTreeMap, HashSet};

use futures_util::stream::{self, StreamExt};
use handsoff_trail::{Record, Time};
use handsoff_watch::live::{
    AT_ONCE, Classifier, Detector, Failure, Lease, Mark, Metric, Range, Report, Telling, World, keep_and_tell,
};
use handsoff_watch::{Code, Finding, Key, Owner, Policy, Severity, group};
use serde::{Deserialize, Serialize};

use crate::{Denial, judge};

/// From so many denied calls of a principal around a batch on, only those whose action is new are remembered. A
/// storm costs no more than this, and no action is lost in it.
const CROWD: usize = 1000;

/// How many are looked at: more than can be remembered, though several functions may pass the limit together.
const LOOK_AT: usize = 4000;

/// The deny-spike function.
#[derive(Debug)]
pub struct DenySpike<'p> {
    classifier: Classifier<'p>,
    lease: Lease,
}

impl<'p> DenySpike<'p> {
    /// The function under a policy.
    pub fn new(policy: &'p Policy, lease: Lease) -> Self {
        Self { classifier: Classifier::new(policy), lease }
    }
}

impl Detector for DenySpike<'_> {
    type Work = Denial;

    fn name(&self) -> &'static str {
        "handsoff-deny-spike"
    }

    fn judge(&self, record: &Record<'_>) -> Option<Denial> {
        let call = self.classifier.call(record)?;
        (call.owner(self.classifier.policy) == Owner::DenySpike).then(|| Denial::of(&call, &mut ()))
    }

    fn unit(&self, work: &Denial) -> String {
        work.group.clone()
    }

    async fn carry_out(
        &self,
        world: &impl World,
        work: Vec<Denial>,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let findings = found(world, self.classifier.policy, work, report).await?;
        let telling = Telling { policy: &self.classifier.policy.alerts, lease: self.lease, notes: &() };
        keep_and_tell(world, telling, &findings, report).await
    }
}

/// What denied calls of one principal turn into findings: themselves, and calls that were remembered before.
///
/// They are remembered first and judged together with their neighbours after, so of several functions that see
/// parts of a spike the last one to look sees all of it.
async fn found(
    world: &impl World,
    policy: &Policy,
    mut own: Vec<Denial>,
    report: &mut Report,
) -> Result<Vec<Finding>, Failure> {
    let denied = own.len();
    // Without a time a call lies in no window.
    own.retain(|denial| denial.finding.time.is_some());
    let times = || own.iter().filter_map(|denial| denial.finding.time);
    let (Some(partition), Some(first), Some(last)) =
        (own.first().map(|denial| partition(&denial.group)), times().min(), times().max())
    else {
        count(report, denied);
        return Ok(Vec::new());
    };
    let window = policy.denials.window;
    let before = around(world, &partition, first, last, window).await?;
    if before.len() >= CROWD {
        let known: HashSet<&str> = before.iter().map(|denial| denial.finding.action.as_str()).collect();
        own.retain(|denial| !known.contains(denial.finding.action.as_str()));
    }
    count(report, denied - own.len());
    keep(world, &partition, &own, report).await?;
    // Verdicts on what is within a window of these may change, and hang on what is within a window of that.
    let mut all = around(world, &partition, first, last, 2 * window).await?;
    let mine: HashSet<Key> = own.iter().map(Denial::key).collect();
    all.retain(|denial| !mine.contains(&denial.key()));
    let verdict = |finding: &Finding| (finding.key, (finding.code, finding.severity));
    let others: BTreeMap<Key, (Code, Severity)> =
        judge(all.clone(), &policy.denials).iter().map(verdict).collect();
    // Whoever brought the others has told what they were without these.
    all.extend(own);
    let mut findings = judge(all, &policy.denials);
    let near =
        |time: Option<Time>| time.is_some_and(|time| (first.0 - window..=last.0 + window).contains(&time.0));
    findings.retain(|finding| near(finding.time) && others.get(&finding.key) != Some(&verdict(finding).1));
    Ok(findings)
}

fn count(report: &mut Report, calls: usize) {
    for _ in 0..calls {
        report.count(Metric::DeniedCalls);
    }
}

#[derive(Serialize, Deserialize)]
struct Stored {
    group: String,
    browsing: bool,
    mark: Mark,
}

fn partition(group: &str) -> String {
    format!("denied#{}", group::digest(&["denied", group]))
}

async fn keep(
    world: &impl World,
    partition: &str,
    denials: &[Denial],
    report: &mut Report,
) -> Result<(), Failure> {
    let puts = denials.iter().map(|denial| async move {
        let Denial { group, finding, browsing } = denial;
        let stored = Stored { group: group.clone(), browsing: *browsing, mark: Mark::new(finding) };
        let text = serde_json::to_string(&stored)
            .map_err(|error| Failure::new("writing a denied call as JSON", error))?;
        let time = finding.time.map(|time| time.to_string()).unwrap_or_default();
        world.put(partition, &format!("{time}#{:016x}", finding.key.0), &text).await
    });
    let puts: Vec<_> = stream::iter(puts).buffer_unordered(AT_ONCE).collect().await;
    for put in puts {
        count(report, usize::from(put?));
    }
    Ok(())
}

/// The denied calls from so long before the first time to so long after the last, the latest if there are too many.
async fn around(
    world: &impl World,
    partition: &str,
    first: Time,
    last: Time,
    reach: i64,
) -> Result<Vec<Denial>, Failure> {
    let (from, to) = (Time(first.0 - reach).to_string(), format!("{}#~", Time(last.0 + reach)));
    let range = Range { partition, from: &from, to: &to, most: LOOK_AT, backwards: true };
    let mut denials = Vec::new();
    for text in world.range(range).await? {
        match serde_json::from_str(&text) {
            Ok(Stored { group, browsing, mark }) => {
                denials.push(Denial { group, finding: mark.finding(), browsing });
            }
            // One that can't be read must not hide the others.
            Err(error) => world.complain(&Failure::new("reading a stored denied call", error)),
        }
    }
    Ok(denials)
}
