//! The function of a detector that needs none of its own: findings are stored and alerted, and what an exception covers
//! is remembered.

use std::convert::Infallible;

use handsoff_cloudtrail::Record;
use handsoff_core::{Detector, Engine, Finding, Reported, Verdict};
use handsoff_runtime::excepted::{self, Excepted};
use handsoff_runtime::{
    Classifier, Episode, Function, Lease, Report, RuntimeError, Telling, World, keep_and_tell,
};

/// The function of one detector. A detector that leaves calls undecided needs its own, for whether these become findings
/// depends on calls of other batches.
#[derive(Debug)]
pub struct DetectorFunction<'p> {
    name: &'static str,
    detector: &'static dyn Detector,
    classifier: Classifier<'p>,
    lease: Lease,
}

/// What comes of a record.
#[derive(Debug)]
pub enum Work {
    /// There is something to report.
    Finding(Box<Finding>),
    /// An exception covers it.
    Excepted(Excepted),
}

impl<'p> DetectorFunction<'p> {
    /// The function of this one of the engine's detectors. Once in a process: its name is never freed.
    pub fn new(engine: Engine<'p>, detector: &'static dyn Detector, lease: Lease) -> Self {
        // As the template calls it.
        let name = format!("handsoff-{}", detector.name()).leak();
        Self { name, detector, classifier: Classifier::new(engine), lease }
    }
}

impl Function for DetectorFunction<'_> {
    type Work = Work;
    type EventError = Infallible;

    fn name(&self) -> &'static str {
        self.name
    }

    fn judge(&self, record: &Record<'_>) -> Option<Work> {
        match self.classifier.judge(record, self.detector)? {
            (_, Verdict::Finding(finding)) => Some(Work::Finding(finding)),
            (call, Verdict::Excepted(place)) => {
                Excepted::by(&call, self.classifier.policy(), place).map(Work::Excepted)
            }
            _ => None,
        }
    }

    fn unit(&self, work: &Work) -> String {
        match work {
            Work::Finding(finding) => Episode::of(&**finding, &self.classifier.policy().alerts).to_string(),
            Work::Excepted(_) => "excepted".to_owned(),
        }
    }

    async fn carry_out(
        &self,
        world: &impl World,
        work: Vec<Work>,
        report: &mut Report,
    ) -> Result<(), RuntimeError> {
        let (mut findings, mut covered) = (Vec::new(), Vec::new());
        for work in work {
            match work {
                Work::Finding(finding) => findings.push(Reported::from(*finding)),
                Work::Excepted(call) => covered.push(call),
            }
        }
        excepted::keep(world, covered).await;
        let telling = Telling { policy: &self.classifier.policy().alerts, lease: self.lease, notes: &() };
        keep_and_tell(world, telling, &findings, report).await
    }
}
