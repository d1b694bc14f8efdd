//! A batch of deliveries: each is judged, done with, rejected, or to be delivered again.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::error::Error;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use futures_util::stream::{self, StreamExt};
use handsoff_cloudtrail::json::Malformed;
use handsoff_cloudtrail::{Entry, Record, Time};

use super::error::RuntimeError;
use super::log::LogLine;
use super::ports::{Clock, World};
use super::report::{Metric, Report};
use handsoff_core::{Call, Detector, Disposition, Engine, FastPath, Policy, Trace, Verdict};

/// How many units are dealt with at once. They send one after the other ([`super::turn`]): a function that is killed has one
/// alert on its way at most, which comes twice.
const UNITS: usize = 8;

/// So long before the end of the invocation no unit is begun any more. The others are far away from it: one takes a
/// tenth of a second.
const BEGIN: Duration = Duration::from_secs(5);

/// So long before the end those that aren't finished are left as they are: what they have claimed the sweep sends.
const CUT: Duration = Duration::from_secs(3);

/// So long before the end nobody waits for the metrics any more.
const ANSWER: Duration = Duration::from_secs(1);

/// What was delivered: the payload as it came, and the record's text in it.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    /// The payload, for the dead letters.
    pub payload: &'a str,
    /// The event's `detail`, or why there is none.
    pub detail: Result<&'a str, &'a EnvelopeError>,
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

/// Why a payload is no event of `EventBridge`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// A list of values would do for an object, too.
    #[error("no event of EventBridge: it is a list (the payload has {bytes} bytes)")]
    List {
        /// How long the payload is.
        bytes: usize,
    },
    /// It isn't in the form of one.
    #[error("no event of EventBridge: {what} (the payload has {bytes} bytes)")]
    Form {
        /// What is wrong, without the payload's values.
        what: String,
        /// How long the payload is.
        bytes: usize,
    },
}

/// Why a delivery is a dead letter.
#[derive(Debug, thiserror::Error)]
enum DeadLetterError<E: Error + 'static> {
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    #[error(transparent)]
    Record(#[from] RecordError),
    /// What a function says of an event that is none of CloudTrail's.
    #[error(transparent)]
    Event(E),
}

/// Why an event's detail is no record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum RecordError {
    #[error("`detail` continues after its record, at byte {0}")]
    Behind(usize),
    #[error("`detail` has none of the fields of a CloudTrail record")]
    NoRecord,
    #[error("`detail` is no JSON object: {} at byte {}", .0.why, .0.at)]
    NoObject(Malformed),
}

/// What is to be said of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is done with.
    Done,
    /// It is to be delivered again.
    Again(RuntimeError),
}

/// Classifies records, but for those that lead to nothing at a glance.
#[derive(Debug)]
pub struct Classifier<'p> {
    /// The detectors.
    pub engine: Engine<'p>,
    fast_path: RefCell<FastPath<'p>>,
}

impl<'p> Classifier<'p> {
    /// With nothing known yet.
    pub fn new(engine: Engine<'p>) -> Self {
        Self { fast_path: engine.fast_path().into(), engine }
    }

    /// The policy that holds.
    pub fn policy(&self) -> &'p Policy {
        self.engine.policy
    }

    /// Why there is nothing to report on a record, where that can be seen at once.
    pub fn disposition(&self, record: &Record<'_>) -> Option<Disposition> {
        self.fast_path.try_borrow_mut().ok()?.disposition(record)
    }

    /// What a detector says of a record, and its call, if it is the detector's.
    pub fn judge<'r>(&self, record: &Record<'r>, detector: &dyn Detector) -> Option<(Call<'r>, Verdict)> {
        if self.disposition(record).is_some() {
            return None;
        }
        let call = Call::classify(*record, self.policy(), &mut Trace::off());
        let own = self.engine.owner(&call, &mut Trace::off()).is(detector.name());
        own.then(|| {
            let verdict = detector.judge(&call, self.policy(), &mut Trace::off());
            (call, verdict)
        })
    }
}

/// What a deployed function does with records.
pub trait Function {
    /// What comes of a record that leads to something.
    type Work;

    /// Why an event that is none of CloudTrail's can't be read; `Infallible` for a function that takes none.
    type EventError: Error + 'static;

    /// The function's name, for metrics.
    fn name(&self) -> &'static str;

    /// What comes of a record. Nothing of it waits for the world.
    fn judge(&self, record: &Record<'_>) -> Option<Self::Work>;

    /// What comes of an event that is none of CloudTrail's: nothing, if it isn't for this function.
    ///
    /// # Errors
    /// Why it can't be read.
    fn other(&self, _envelope: Envelope<'_>, _detail: &str) -> Option<Result<Self::Work, Self::EventError>> {
        None
    }

    /// The metric of the time from a record's event to its verdict; `None` for what nobody waits for.
    fn timed(&self, _work: &Self::Work) -> Option<Metric> {
        Some(Metric::Lag(self.name()))
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
    ) -> Result<(), RuntimeError>;
}

/// What is done as a whole, and the deliveries that it answers.
struct Unit<F: Function> {
    deliveries: Vec<usize>,
    task: Task<F>,
}

enum Task<F: Function> {
    /// To remember and tell.
    CarryOut(Vec<F::Work>),
    /// To put among the dead letters, and why.
    Reject(DeadLetterError<F::EventError>),
}

/// Handles a batch. The answers are in the order of the deliveries.
///
/// It ends before the invocation does: what there was no time for is to be delivered again, and what is finished is
/// done with.
pub async fn handle<F: Function>(
    world: &impl World,
    function: &F,
    deliveries: &[Delivery<'_>],
) -> Vec<Answer> {
    let mut report = Report::default();
    let mut answers = vec![Answer::Done; deliveries.len()];
    let units = units(world, function, deliveries, &mut report);
    for index in units.iter().flat_map(|unit| &unit.deliveries) {
        set(&mut answers, *index, &Err(late()));
    }
    // Of a unit that is left half-way, too: what it has counted has happened.
    let mut reports = vec![Report::default(); units.len()];
    let begun = units.into_iter().zip(&mut reports);
    let begun = begun.map(|(unit, report)| deal_with(world, function, deliveries, unit, report));
    let mut done = stream::iter(begun).buffer_unordered(UNITS);
    let all = async {
        while let Some((indices, done)) = done.next().await {
            for index in indices {
                set(&mut answers, index, &done);
            }
        }
    };
    leaving(world, CUT, all).await;
    drop(done);
    for of_unit in &reports {
        report.merge(of_unit);
    }
    for _ in answers.iter().filter(|answer| matches!(answer, Answer::Again(_))) {
        report.count(Metric::Returned(function.name()));
    }
    if !report.is_empty() {
        // Metrics never hold up or undo an alert: what could not be counted is counted nowhere.
        let sent = leaving(world, ANSWER, world.send(&report)).await;
        match sent {
            Some(Ok(())) => {}
            Some(Err(failure)) => world.log(failure.into()),
            None => world.log(LogLine::new("the metrics", "the time limit was reached")),
        }
    }
    answers
}

/// Judges the deliveries. Nothing of it waits for the world.
fn units<F: Function>(
    world: &impl World,
    function: &F,
    deliveries: &[Delivery<'_>],
    report: &mut Report,
) -> Vec<Unit<F>> {
    let mut units: BTreeMap<String, (Vec<usize>, Vec<F::Work>)> = BTreeMap::new();
    let mut rejected = Vec::new();
    for (index, delivery) in deliveries.iter().enumerate() {
        let (work, time) = match judged(function, delivery) {
            Ok(Some(judged)) => judged,
            Ok(None) => continue,
            Err(reason) => {
                report.count(Metric::UnreadablePayloads(function.name()));
                rejected.push(Unit { deliveries: vec![index], task: Task::Reject(reason) });
                continue;
            }
        };
        if let (Some(at), Some(timed)) = (time, function.timed(&work)) {
            // Clocks differ: an event from the future has no lag.
            #[expect(clippy::cast_precision_loss, reason = "seconds within the life of this program")]
            report.add(timed, (world.now() - at).num_seconds().max(0) as f64);
        }
        let (indices, works) = units.entry(function.unit(&work)).or_default();
        indices.push(index);
        works.push(work);
    }
    let units = units.into_values().map(|(deliveries, work)| Unit { deliveries, task: Task::CarryOut(work) });
    // Alerts before dead letters.
    units.chain(rejected).collect()
}

/// Does what a unit asks for, unless it is too late to begin. Gives the deliveries that it answers.
async fn deal_with<F: Function>(
    world: &impl World,
    function: &F,
    deliveries: &[Delivery<'_>],
    unit: Unit<F>,
    report: &mut Report,
) -> (Vec<usize>, Result<(), RuntimeError>) {
    let payload = unit.deliveries.first().and_then(|index| deliveries.get(*index)).map(|it| it.payload);
    let done = match unit.task {
        _ if world.left() <= BEGIN => Err(late()),
        Task::CarryOut(work) => function.carry_out(world, work, report).await,
        Task::Reject(reason) => world.reject(payload.unwrap_or_default(), &reason.to_string()).await,
    };
    (unit.deliveries, done)
}

fn set(answers: &mut [Answer], index: usize, done: &Result<(), RuntimeError>) {
    if let Some(answer) = answers.get_mut(index) {
        *answer = done.clone().map_or_else(Answer::Again, |()| Answer::Done);
    }
}

fn late() -> RuntimeError {
    RuntimeError::Late { what: "the function" }
}

/// Works, but leaves so much of the invocation's time; `None` if that wasn't enough.
async fn leaving<T>(world: &impl Clock, rest: Duration, work: impl Future<Output = T>) -> Option<T> {
    let time = world.wait(world.left().saturating_sub(rest));
    match select(pin!(work), pin!(time)).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(_) => None,
    }
}

/// What comes of a delivery, and when its record happened.
type Judged<W> = (W, Option<Time>);

/// What comes of a delivery, if anything; or why it can't be read.
fn judged<F: Function>(
    function: &F,
    delivery: &Delivery<'_>,
) -> Result<Option<Judged<F::Work>>, DeadLetterError<F::EventError>> {
    let detail = delivery.detail.map_err(EnvelopeError::clone)?;
    if let Some(other) = function.other(delivery.envelope, detail) {
        return other.map(|work| Some((work, None))).map_err(DeadLetterError::Event);
    }
    let record = record(detail)?;
    let time = || record.event_time.text().and_then(|text| Time::parse(&text));
    Ok(function.judge(&record).map(|work| (work, time())))
}

/// The record in an event's detail.
fn record(detail: &str) -> Result<Record<'_>, RecordError> {
    match Record::read(detail) {
        Ok((Entry::Record(record), end)) if detail.get(end..).is_some_and(|rest| rest.trim().is_empty()) => {
            Ok(record)
        }
        Ok((Entry::Record(_), end)) => Err(RecordError::Behind(end)),
        Ok(_) => Err(RecordError::NoRecord),
        Err(error) => Err(RecordError::NoObject(error)),
    }
}
