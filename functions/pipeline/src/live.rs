//! The pipeline function: findings are remembered and reported, what was changed by hand is kept for the drift ledger, and
//! what only shows something together is remembered, and looked at with its group.

use std::collections::BTreeMap;
use std::convert::Infallible;

use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::{Record, Time, TimeDelta};
use handsoff_core::detector::{Related, ServiceEvent};
use handsoff_core::{Call, Detector, Engine, Finding, Reported, Trace, Verdict, group};
use handsoff_ledger::Observation;
use handsoff_ledger::live::remember;
use handsoff_runtime::excepted::{self, Excepted};
use handsoff_runtime::stored;
use handsoff_runtime::{
    Classifier, Envelope, Episode, Function, Lease, Mark, Metric, Range, Report, RuntimeError, Telling,
    World, keep_and_tell,
};
use serde::{Deserialize, Serialize};

use crate::Pipeline;

/// So many calls of a group are looked at, the latest.
const LOOK_AT: usize = 4000;

const READ: &str = "reading a stored call of a pipeline";

/// The pipeline function.
#[derive(Debug)]
pub struct PipelineFunction<'p> {
    classifier: Classifier<'p>,
    lease: Lease,
}

/// What comes of a record.
#[derive(Debug)]
pub struct Work {
    /// There is something to report.
    finding: Option<Box<Finding>>,
    /// What it says of resources.
    observations: Vec<Observation>,
    /// An exception covers it.
    excepted: Option<Excepted>,
    /// What is looked at together with others.
    related: Option<Box<Related>>,
}

impl<'p> PipelineFunction<'p> {
    /// The function with these detectors.
    pub fn new(engine: Engine<'p>, lease: Lease) -> Self {
        Self { classifier: Classifier::new(engine), lease }
    }
}

impl Function for PipelineFunction<'_> {
    type Work = Work;
    type EventError = Infallible;

    fn name(&self) -> &'static str {
        "handsoff-pipeline"
    }

    fn judge(&self, record: &Record<'_>) -> Option<Work> {
        if self.classifier.disposition(record).is_some() {
            return None;
        }
        let policy = self.classifier.policy();
        let call = Call::classify(*record, policy, &mut Trace::off());
        let related = Pipeline.relates(&call, policy).map(Box::new);
        let own = self.classifier.engine.owner(&call, &mut Trace::off()).is(Pipeline.name());
        let verdict = own.then(|| Pipeline.judge(&call, policy, &mut Trace::off()));
        let observations = verdict.as_ref().map(|it| handsoff_ledger::of(&call, policy, it).observations);
        let observations = observations.unwrap_or_default();
        let (finding, excepted) = match verdict {
            Some(Verdict::Finding(finding)) => (Some(finding), None),
            Some(Verdict::Excepted(place)) => (None, Excepted::by(&call, policy, place)),
            _ => (None, None),
        };
        let none = finding.is_none() && observations.is_empty() && excepted.is_none() && related.is_none();
        (!none).then_some(Work { finding, observations, excepted, related })
    }

    /// Only AWS's own reach the function, by their source: `part.yaml`.
    fn other(&self, envelope: Envelope<'_>, detail: &str) -> Option<Result<Work, Infallible>> {
        let (detail, _) = Raw::at(detail, 0).ok()?;
        let Envelope { kind, account, time, .. } = envelope;
        let event = ServiceEvent { kind, account, time, detail };
        let related = Some(Box::new(Pipeline.relates_event(&event, self.classifier.policy())?));
        Some(Ok(Work { finding: None, observations: Vec::new(), excepted: None, related }))
    }

    fn timed(&self, work: &Work) -> Option<Metric> {
        work.finding.as_ref().map(|_| Metric::Lag(self.name()))
    }

    fn unit(&self, work: &Work) -> String {
        match work {
            Work { related: Some(related), .. } => format!("related {}", related.group),
            Work { finding: Some(finding), .. } => {
                Episode::of(&**finding, &self.classifier.policy().alerts).to_string()
            }
            _ => "excepted".to_owned(),
        }
    }

    async fn carry_out(
        &self,
        world: &impl World,
        work: Vec<Work>,
        report: &mut Report,
    ) -> Result<(), RuntimeError> {
        let (mut findings, mut seen, mut covered, mut related) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for Work { finding, observations, excepted, related: one } in work {
            findings.extend(finding.map(|finding| Reported::from(*finding)));
            seen.extend(observations);
            covered.extend(excepted);
            related.extend(one.map(|one| *one));
        }
        let joined = self.joined(world, related).await;
        if let Ok(more) = &joined {
            findings.extend(more.iter().cloned().map(Reported::from));
        }
        let telling = Telling { policy: &self.classifier.policy().alerts, lease: self.lease, notes: &() };
        // Alerts come first, and what fails of either is no reason to leave the other out.
        let told = keep_and_tell(world, telling, &findings, report).await;
        let remembered = remember(world, &seen).await;
        excepted::keep(world, covered).await;
        told.and(remembered).and(joined.map(drop))
    }
}

impl PipelineFunction<'_> {
    /// What calls show together with those that were remembered before. They are remembered first and looked at after, so
    /// that of several functions that see parts of a group the last one sees all of it.
    async fn joined(&self, world: &impl World, related: Vec<Related>) -> Result<Vec<Finding>, RuntimeError> {
        let mut groups: BTreeMap<String, Vec<Related>> = BTreeMap::new();
        // Without a time a call is before and behind nothing.
        for one in related.into_iter().filter(|one| one.finding.time.is_some()) {
            groups.entry(one.group.clone()).or_default().push(one);
        }
        let mut findings = Vec::new();
        for (group, own) in groups {
            for one in &own {
                world.put(&partition(&group), &sort(one), &stored::text(&Stored::of(one))?).await?;
            }
            let times = || own.iter().filter_map(|one| one.finding.time);
            let (Some(first), Some(last)) = (times().min(), times().max()) else { continue };
            let mut all = around(world, &group, (first, last)).await?;
            // One's own may be beyond what is looked at.
            all.extend(own);
            // Those before these were reported by who brought them. An hour's finding has the time of its start.
            let first = first.floor(TimeDelta::hours(1));
            let since = |finding: &Finding| finding.time >= Some(first);
            findings.extend(Pipeline.join(all, self.classifier.policy()).into_iter().filter(since));
        }
        Ok(findings)
    }
}

/// A call as it is stored: what it does in its group, who made it, and the finding that it becomes.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    role: String,
    who: String,
    mark: Mark,
}

impl Stored {
    fn of(related: &Related) -> Self {
        let Related { role, who, finding, .. } = related;
        Self { role: role.clone(), who: who.clone(), mark: Mark::new(finding) }
    }

    fn related(self, group: &str) -> Option<Related> {
        let finding = self.mark.reported().into_call()?;
        Some(Related { group: group.to_owned(), role: self.role, who: self.who, finding })
    }
}

/// By a digest: a group has names that callers chose.
fn partition(group: &str) -> String {
    format!("related#{}", group::digest(&["related", group]))
}

fn sort(related: &Related) -> String {
    let time = related.finding.time.map(|time| time.to_string()).unwrap_or_default();
    format!("{time}#{:016x}", related.finding.key.0)
}

/// The calls of a group that may have to do with those between two times.
async fn around(
    world: &impl World,
    group: &str,
    (first, last): (Time, Time),
) -> Result<Vec<Related>, RuntimeError> {
    let reach: TimeDelta = crate::self_approval::REACH;
    let (from, to) = ((first - reach).to_string(), format!("{}#~", last + reach));
    let range = Range { partition: &partition(group), from: &from, to: &to, most: LOOK_AT, backwards: true };
    let texts = world.range(range).await?;
    // One that can't be read must not hide the others.
    let read = |text: &String| stored::read::<Stored>(world, READ, text, &[])?.related(group);
    Ok(texts.iter().filter_map(read).collect())
}
