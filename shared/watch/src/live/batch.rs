//! A batch of deliveries: each is judged, done with, rejected, or to be delivered again.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use handsoff_trail::{Entry, Record, Time};

use super::ports::{Failure, World};
use super::report::{Metric, Report};
use crate::call::Call;
use crate::policy::Policy;
use crate::skim::Skim;

/// What was delivered: the payload as it came, and the record's text in it.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    /// The payload, for the dead letters.
    pub payload: &'a str,
    /// The event's `detail`, or why there is none.
    pub detail: Result<&'a str, &'a str>,
    /// What else the event says.
    pub envelope: Envelope<'a>,
}

/// What `EventBridge` says of an event.
#[derive(Clone, Copy, Debug, Default)]
pub struct Envelope<'a> {
    /// Its `detail-type`.
    pub kind: &'a str,
    /// The account that sent it: `EventBridge` writes it.
    pub account: &'a str,
    /// When it was sent, as text: what the sender says.
    pub time: &'a str,
    /// When it came to the queue, in milliseconds since 1970, as text; empty for an event that came by itself.
    pub arrived: &'a str,
    /// Who put it into the queue, as SQS writes it; empty for an event that came by itself.
    pub sender: &'a str,
}

/// What is to be said of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is done with.
    Done,
    /// It is to be delivered again.
    Again(Failure),
}

/// Classifies records, but for those that lead to nothing at a glance.
#[derive(Debug)]
pub struct Classifier<'p> {
    /// The policy.
    pub policy: &'p Policy,
    skim: RefCell<Skim<'p>>,
}

impl<'p> Classifier<'p> {
    /// With nothing known yet.
    pub fn new(policy: &'p Policy) -> Self {
        Self { policy, skim: Skim::new(policy).into() }
    }

    /// The call of a record, unless it has no owner and that can be seen at once.
    pub fn call<'r>(&self, record: &Record<'r>) -> Option<Call<'r>> {
        if self.skim.try_borrow_mut().is_ok_and(|mut skim| skim.nothing(record).is_some()) {
            return None;
        }
        Some(Call::classify(*record, self.policy, &mut ()))
    }
}

/// What a function does with records.
pub trait Detector {
    /// What comes of a record that leads to something.
    type Work;

    /// The function's name, for metrics.
    fn name(&self) -> &'static str;

    /// What comes of a record. Nothing of it waits for the world.
    fn judge(&self, record: &Record<'_>) -> Option<Self::Work>;

    /// What comes of an event that is none of CloudTrail's: nothing, if it isn't for this function.
    ///
    /// # Errors
    /// Why it can't be read.
    fn other(&self, _envelope: Envelope<'_>, _detail: &str) -> Option<Result<Self::Work, String>> {
        None
    }

    /// The metric of the time from a record's event to its verdict.
    fn timed(&self, _work: &Self::Work) -> Metric {
        Metric::Lag(self.name())
    }

    /// What is done together, and fails together: the episode of a finding, the principal of a denied call.
    fn unit(&self, work: &Self::Work) -> String;

    /// Remembers and tells.
    ///
    /// # Errors
    /// When it could not be done; to do it again is safe.
    #[expect(async_fn_in_trait, reason = "functions run on one thread")]
    async fn carry_out(
        &self,
        world: &impl World,
        work: Vec<Self::Work>,
        report: &mut Report,
    ) -> Result<(), Failure>;
}

/// Handles a batch. The answers are in the order of the deliveries.
pub async fn handle<D: Detector>(
    world: &impl World,
    detector: &D,
    deliveries: &[Delivery<'_>],
) -> Vec<Answer> {
    let mut report = Report::default();
    let mut answers = vec![Answer::Done; deliveries.len()];
    let mut units: BTreeMap<String, (BTreeSet<usize>, Vec<D::Work>)> = BTreeMap::new();
    for ((index, delivery), answer) in deliveries.iter().enumerate().zip(&mut answers) {
        let other = delivery.detail.ok().and_then(|detail| detector.other(delivery.envelope, detail));
        let read = match other {
            Some(Ok(work)) => {
                let (indices, works) = units.entry(detector.unit(&work)).or_default();
                indices.insert(index);
                works.push(work);
                continue;
            }
            Some(Err(reason)) => Err(reason),
            None => delivery.detail.map_err(str::to_owned).and_then(record),
        };
        match read {
            Ok(record) => {
                let Some(work) = detector.judge(&record) else { continue };
                if let Some(Time(at)) = record.event_time.text().and_then(|text| Time::parse(&text)) {
                    // Clocks differ: an event from the future has no lag.
                    #[expect(
                        clippy::cast_precision_loss,
                        reason = "seconds within the life of this program"
                    )]
                    report.add(detector.timed(&work), (world.now().0 - at).max(0) as f64);
                }
                let (indices, works) = units.entry(detector.unit(&work)).or_default();
                indices.insert(index);
                works.push(work);
            }
            Err(reason) => {
                report.count(Metric::UnreadablePayloads(detector.name()));
                if let Err(failure) = world.reject(delivery.payload, &reason).await {
                    *answer = Answer::Again(failure);
                }
            }
        }
    }
    // One after the other: were several alerts on their way when the function is killed, several would come twice.
    for (indices, work) in units.into_values() {
        if let Err(failure) = detector.carry_out(world, work, &mut report).await {
            for index in indices {
                if let Some(answer) = answers.get_mut(index) {
                    *answer = Answer::Again(failure.clone());
                }
            }
        }
    }
    for _ in answers.iter().filter(|answer| matches!(answer, Answer::Again(_))) {
        report.count(Metric::Returned(detector.name()));
    }
    if !report.is_empty() {
        // Metrics never hold up or undo an alert: what could not be counted is counted nowhere.
        if let Err(failure) = world.send(&report).await {
            world.complain(&failure);
        }
    }
    answers
}

/// The record in an event's detail.
fn record(detail: &str) -> Result<Record<'_>, String> {
    match Record::read(detail) {
        Ok((Entry::Record(record), end)) if detail.get(end..).is_some_and(|rest| rest.trim().is_empty()) => {
            Ok(record)
        }
        Ok((Entry::Record(_), end)) => Err(format!("`detail` goes on behind its record, at byte {end}")),
        Ok(_) => Err("`detail` has none of the fields of a CloudTrail record".to_owned()),
        Err(error) => Err(format!("`detail` is no JSON object: {} at byte {}", error.why, error.at)),
    }
}
