//! Denied calls as the function sees them: a few at a time, with the rest remembered.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;

use futures_util::stream::{self, StreamExt};
use handsoff_cloudtrail::{Record, Time, TimeDelta};
use handsoff_core::detector::Undecided;
use handsoff_core::{Engine, Finding, Key, Policy, Reported, Verdict, group};
use handsoff_runtime::excepted::{self, Excepted};
use handsoff_runtime::stored;
use handsoff_runtime::{
    AT_ONCE, Classifier, Function, Lease, LogLine, Mark, Metric, Range, Report, RuntimeError, Telling, World,
    keep_and_tell,
};

use crate::{DenySpike, Seen, Spike, spikes_of};

/// From so many denied calls of a principal around a batch on, only those whose action is new are remembered. A
/// storm costs no more than this, and no action is lost in it.
const CROWD: usize = 1000;

/// How many are looked at: more than can be remembered, though several functions may pass the limit together.
const LOOK_AT: usize = 4000;

const READ: &str = "reading a stored denied call";

/// What comes of a denied call.
#[derive(Debug)]
pub enum Work {
    /// It counts.
    Denied(Box<Undecided>),
    /// An exception covers it.
    Excepted(Excepted),
}

/// The deny-spike function.
#[derive(Debug)]
pub struct DenySpikeFunction<'p> {
    classifier: Classifier<'p>,
    lease: Lease,
}

impl<'p> DenySpikeFunction<'p> {
    /// The function with these detectors.
    pub fn new(engine: Engine<'p>, lease: Lease) -> Self {
        Self { classifier: Classifier::new(engine), lease }
    }
}

impl Function for DenySpikeFunction<'_> {
    type Work = Work;
    type EventError = Infallible;

    fn name(&self) -> &'static str {
        "handsoff-deny-spike"
    }

    fn judge(&self, record: &Record<'_>) -> Option<Work> {
        match self.classifier.judge(record, &DenySpike)? {
            (call, Verdict::Excepted(place)) => {
                Excepted::by(&call, self.classifier.policy(), place).map(Work::Excepted)
            }
            (_, Verdict::Undecided(denial)) => Some(Work::Denied(denial)),
            _ => None,
        }
    }

    fn unit(&self, work: &Work) -> String {
        match work {
            Work::Denied(denial) => denial.group.clone(),
            Work::Excepted(_) => "excepted".to_owned(),
        }
    }

    async fn carry_out(
        &self,
        world: &impl World,
        work: Vec<Work>,
        report: &mut Report,
    ) -> Result<(), RuntimeError> {
        let (mut denied, mut covered) = (Vec::new(), Vec::new());
        for work in work {
            match work {
                Work::Denied(denial) => denied.push(*denial),
                Work::Excepted(call) => covered.push(call),
            }
        }
        excepted::keep(world, covered).await;
        let findings = found(world, self.classifier.policy(), denied, report).await?;
        let findings: Vec<Reported> = findings.into_iter().map(Reported::from).collect();
        let telling = Telling { policy: &self.classifier.policy().alerts, lease: self.lease, notes: &() };
        keep_and_tell(world, telling, &findings, report).await
    }
}

/// What denied calls of one principal turn into findings: themselves, and calls that were remembered before.
///
/// They are remembered first and judged together with their neighbours after, so of several functions that see
/// parts of a spike the last one to look sees all of it. Neighbours are read as far as a verdict needs them, which is
/// a tenth of what is kept: a storm must not ask more of a partition of `DynamoDB` than it gives.
async fn found(
    world: &impl World,
    policy: &Policy,
    mut own: Vec<Undecided>,
    report: &mut Report,
) -> Result<Vec<Finding>, RuntimeError> {
    let denied = own.len();
    // Without a time a call lies in no window.
    own.retain(|denial| denial.finding.time.is_some());
    let times = || own.iter().filter_map(|denial| denial.finding.time);
    let (Some(group), Some(first), Some(last)) =
        (own.first().map(|denial| denial.group.clone()), times().min(), times().max())
    else {
        count(report, denied);
        return Ok(Vec::new());
    };
    let (window, stored) = (policy.denials.window, Stored::of(&group));
    let before = stored.around(world, (first, last), window, CROWD).await?;
    if before.len() >= CROWD {
        let known: HashSet<&str> = before.iter().map(|call| call.action.as_str()).collect();
        own.retain(|denial| !known.contains(denial.finding.action.as_str()));
    }
    count(report, denied - own.len());
    if own.is_empty() {
        return Ok(Vec::new());
    }
    stored.keep(world, &own, report).await?;
    // Verdicts on what is within a window of these may change, and hang on what is within a window of that.
    let mut all = stored.around(world, (first, last), window * 2, LOOK_AT).await?;
    let mut whole: HashMap<Key, Finding> =
        own.iter().map(|denial| (denial.key(), denial.finding.clone())).collect();
    all.retain(|call| !whole.contains_key(&call.key));
    // Whoever brought the others has reported what they were without these.
    let others = spikes_of(all.clone(), &policy.denials);
    let near = |call: &Seen| call.time.is_some_and(|time| (first - window..=last + window).contains(&time));
    all.extend(own.iter().map(Seen::of));
    let near: HashMap<Key, String> =
        all.iter().filter(|call| near(call)).map(|call| (call.key, sort(call.time, call.key))).collect();
    let mut spikes = spikes_of(all, &policy.denials);
    let verdict = |spike: &Spike| spike.verdict(&policy.denials);
    spikes
        .retain(|key, spike| near.contains_key(key) && others.get(key).map(verdict) != Some(verdict(spike)));
    let brief: Vec<&String> =
        spikes.keys().filter(|key| !whole.contains_key(key)).filter_map(|key| near.get(key)).collect();
    stored.read_whole(world, &brief, &mut whole).await?;
    let mut findings = Vec::new();
    for (key, spike) in &spikes {
        match whole.remove(key) {
            Some(finding) => findings.push(spike.told(finding, &policy.denials)),
            None => world.log(LogLine::new(READ, "only a summary of a call is stored")),
        }
    }
    findings.sort_by_key(Finding::order);
    Ok(findings)
}

fn count(report: &mut Report, calls: usize) {
    for _ in 0..calls {
        report.count(Metric::DeniedCalls);
    }
}

/// Where the denied calls of a principal are kept: as far as a verdict needs them, and whole.
struct Stored {
    brief: String,
    whole: String,
}

impl Stored {
    fn of(group: &str) -> Self {
        let digest = group::digest(&["denied", group]);
        Self { brief: format!("denied#{digest}"), whole: format!("denied-whole#{digest}") }
    }

    /// Remembers denied calls. Whole first: whoever finds one in brief finds it whole.
    async fn keep(
        &self,
        world: &impl World,
        denials: &[Undecided],
        report: &mut Report,
    ) -> Result<(), RuntimeError> {
        let puts = denials.iter().map(|denial| async move {
            let sort = sort(denial.finding.time, denial.key());
            world.put(&self.whole, &sort, &stored::text(&Mark::new(&denial.finding))?).await?;
            world.put(&self.brief, &sort, &stored::text(&Seen::of(denial))?).await
        });
        let puts: Vec<_> = stream::iter(puts).buffer_unordered(AT_ONCE).collect().await;
        for put in puts {
            count(report, usize::from(put?));
        }
        Ok(())
    }

    /// The denied calls from so long before the first time to so long after the last, in brief, the latest if there
    /// are too many.
    async fn around(
        &self,
        world: &impl World,
        (first, last): (Time, Time),
        reach: TimeDelta,
        most: usize,
    ) -> Result<Vec<Seen>, RuntimeError> {
        let (from, to) = ((first - reach).to_string(), format!("{}#~", last + reach));
        let range = Range { partition: &self.brief, from: &from, to: &to, most, backwards: true };
        let texts = world.range(range).await?;
        // One that can't be read must not hide the others.
        Ok(texts.iter().filter_map(|text| stored::read(world, READ, text, &[])).collect())
    }

    /// Reads calls whole, by their sort keys, to those that are known whole.
    async fn read_whole(
        &self,
        world: &impl World,
        sorts: &[&String],
        whole: &mut HashMap<Key, Finding>,
    ) -> Result<(), RuntimeError> {
        let (Some(from), Some(to)) = (sorts.iter().min(), sorts.iter().max()) else { return Ok(()) };
        let range = Range { partition: &self.whole, from, to, most: LOOK_AT, backwards: true };
        for text in world.range(range).await? {
            if let Some(finding) = Mark::read(world, &text).and_then(Reported::into_call) {
                whole.insert(finding.key, finding);
            }
        }
        Ok(())
    }
}

fn sort(time: Option<Time>, key: Key) -> String {
    let time = time.map(|time| time.to_string()).unwrap_or_default();
    format!("{time}#{:016x}", key.0)
}
