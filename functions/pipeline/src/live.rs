//! The pipeline function: findings are remembered and reported, what was changed by hand is kept for the drift ledger, and
//! what only shows something together is remembered, and looked at with its group.

use std::convert::Infallible;

use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::{Record, TimeDelta};
use handsoff_core::detector::{Related, ServiceEvent};
use handsoff_core::{Call, Detector, Engine, Finding, Reported, Trace, Verdict};
use handsoff_ledger::Observation;
use handsoff_ledger::live::remember;
use handsoff_runtime::excepted::{self, Excepted};
use handsoff_runtime::{
    Around, Classifier, Envelope, Episode, Function, Group, Lease, Metric, Report, RuntimeError, Telling,
    World, keep_and_tell, related,
};

use crate::Pipeline;

/// So many calls of a group are looked at, the latest.
const LOOK_AT: usize = 4000;

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
        let related = Pipeline.relates(&call, policy).pop().map(Box::new);
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
        let (mut findings, mut seen, mut covered, mut own) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for Work { finding, observations, excepted, related: one } in work {
            findings.extend(finding.map(|finding| Reported::from(*finding)));
            seen.extend(observations);
            covered.extend(excepted);
            own.extend(one.map(|one| *one));
        }
        let joined = self.joined(world, own).await;
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
    /// What calls show together with those that were remembered before.
    async fn joined(&self, world: &impl World, own: Vec<Related>) -> Result<Vec<Finding>, RuntimeError> {
        let around = Around { reach: crate::self_approval::REACH, most: LOOK_AT, last: true };
        let mut findings = Vec::new();
        for Group { first, calls } in related(world, own, around).await? {
            // Those before these were reported by who brought them. An hour's finding has the time of its start.
            let first = first.floor(TimeDelta::hours(1));
            let since = |finding: &Finding| finding.time >= Some(first);
            findings.extend(Pipeline.join(calls, self.classifier.policy()).into_iter().filter(since));
        }
        Ok(findings)
    }
}
