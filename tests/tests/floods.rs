//! Floods of denied calls, through the real functions, with the time that calls take: few messages, what each call reads and
//! writes, when the queue is empty, and what else happens in the same minute is alerted in time.
//!
//! Time is simulated: SQS hands out batches as `template.yaml` has it, to as many functions at once, and each call of AWS takes
//! ten milliseconds.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may panic"
)]

use std::cell::{Cell, RefCell};

use futures_util::future::{join, join_all};
use handsoff_cloudtrail::{Time, TimeDelta};
use handsoff_core::Policy;
use handsoff_deny_spike::live::DenySpikeFunction;
use handsoff_drift::live::{Canary, DriftFunction};
use handsoff_functions::engine;
use handsoff_runtime::{Answer, Delivery, Envelope, Function, Message, handle};
use handsoff_sweep::sweep;
use handsoff_testing::fault_injection::LEASE;
use handsoff_testing::in_memory::InMemory;
use handsoff_testing::records::{record, user};
use handsoff_testing::slow::{Hours, Slow};
use handsoff_tests::settings;

/// A minute in which no canary is due.
const START: &str = "2026-03-14T02:01:00Z";

/// What a call of AWS takes, in milliseconds.
const LATENCY: i64 = 10;

/// `BatchSize` and `MaximumBatchingWindowInSeconds` of the function's queue, and `MaxConcurrency`: `template.yaml`.
const BATCH: usize = 500;
const WINDOW: i64 = 20_000;
const FUNCTIONS: usize = 5;

/// When something else happens, in milliseconds after the flood's first call.
const AMID: i64 = 30_000;

struct Flood {
    world: InMemory,
    hours: Hours,
    sent: RefCell<Vec<(i64, Message)>>,
    policy: Policy,
}

/// What a flood has cost.
#[derive(Debug)]
struct Cost {
    messages: usize,
    reads: usize,
    writes: usize,
    /// In milliseconds after the last call: when all was done.
    drained: i64,
    /// How long the longest batch took, in milliseconds.
    longest: i64,
}

fn start() -> Time {
    Time::parse(START).unwrap()
}

fn denied(number: usize, who: &str, action: &str, from: &str, millisecond: i64) -> (i64, String) {
    let time = Time::from_timestamp(start().timestamp() + millisecond / 1000);
    let error = r#","requestParameters":{"userName":"root-admin"},"errorCode":"AccessDenied","errorMessage":"User is not authorized to perform this""#;
    let record = record(action, user(who)).id(format!("{who}-{number}")).at(time).from(from, "x");
    (millisecond, record.with(error).to_string())
}

/// So many calls in a minute, each by one of so many principals, from one address or from many.
fn flood(calls: usize, principals: usize, one_address: bool) -> Vec<(i64, String)> {
    let one = |number: usize| {
        let who = number % principals;
        let from = if one_address {
            "203.0.113.9".to_owned()
        } else {
            format!("198.51.{}.{}", who / 200, who % 200)
        };
        let at = i64::try_from(number * 60_000 / calls).unwrap();
        denied(number, &format!("user-{who:05}"), &format!("iam:List{}", number % 40), &from, at)
    };
    (0..calls).map(one).collect()
}

async fn deliver<F: Function>(view: &Slow<'_>, function: &F, records: &[String]) {
    let one = |record| Delivery { payload: record, detail: Ok(record), envelope: Envelope::default() };
    let deliveries: Vec<Delivery<'_>> = records.iter().map(|record| one(record.as_str())).collect();
    let answers = handle(view, function, &deliveries).await;
    assert!(answers.iter().all(|answer| *answer == Answer::Done), "{answers:?}");
}

/// The batches of a queue, and when each is handed out at the earliest, in milliseconds.
fn batches(calls: &[(i64, String)]) -> Vec<(i64, Vec<String>)> {
    let mut batches: Vec<(i64, i64, Vec<String>)> = Vec::new();
    for (at, record) in calls {
        match batches.last_mut() {
            Some((first, last, batch)) if batch.len() < BATCH && at - *first < WINDOW => {
                *last = *at;
                batch.push(record.clone());
            }
            _ => batches.push((*at, *at, vec![record.clone()])),
        }
    }
    let ready = |(first, last, batch): (i64, i64, Vec<String>)| {
        let at = if batch.len() == BATCH { last } else { first + WINDOW };
        (at, batch)
    };
    batches.into_iter().map(ready).collect()
}

impl Flood {
    fn new() -> Self {
        let hours = Hours::from(start());
        Self { world: InMemory::default(), hours, sent: RefCell::default(), policy: Policy::built_in() }
    }

    fn view(&self) -> Slow<'_> {
        Slow::new(&self.world, &self.hours, LATENCY, &self.sent)
    }

    /// Hands the calls to the functions as they come, while `amid` happens and the sweep runs.
    fn run(&self, calls: &[(i64, String)], amid: &[String]) -> Cost {
        let begun = start().timestamp() * 1000;
        let (deny, drift) = (
            DenySpikeFunction::new(engine(&self.policy), LEASE),
            DriftFunction::new(engine(&self.policy), LEASE, Canary::default()),
        );
        let queue = RefCell::new(batches(calls).into_iter());
        let (done, longest) = (Cell::new(0), Cell::new(0));
        let functions = (0..FUNCTIONS).map(|_| {
            let (view, deny, queue, done, longest) = (self.view(), &deny, &queue, &done, &longest);
            async move {
                loop {
                    let next = queue.borrow_mut().next();
                    let Some((ready, batch)) = next else { break };
                    self.hours.until(begun + ready).await;
                    let before = self.hours.now();
                    deliver(&view, deny, &batch).await;
                    longest.set(longest.get().max(self.hours.now() - before));
                    done.set(self.hours.now() - begun);
                }
            }
        });
        let view = self.view();
        let other = async {
            self.hours.until(begun + AMID).await;
            deliver(&view, &drift, amid).await;
        };
        let view = self.view();
        let sweeps = async {
            for minute in 1..=10 {
                let due = start() + TimeDelta::minutes(minute);
                self.hours.until(due.timestamp() * 1000).await;
                Box::pin(sweep(&view, &self.policy, &settings(), due)).await.unwrap();
            }
        };
        self.hours.run(&self.world, join(join(join_all(functions), other), sweeps));
        Cost {
            messages: self.sent.borrow().len(),
            reads: self.world.read_units.get(),
            writes: self.world.write_units.get(),
            drained: done.get() - calls.last().unwrap().0,
            longest: longest.get(),
        }
    }

    /// After how many milliseconds the first message named somebody.
    fn named_after(&self, who: &str, happened: i64) -> Option<i64> {
        let sent = self.sent.borrow();
        let first = sent.iter().find(|(_, message)| message.email.contains(who));
        first.map(|(at, _)| at - start().timestamp() * 1000 - happened)
    }
}

fn amid() -> Vec<String> {
    let at = start() + TimeDelta::milliseconds(AMID);
    vec![record("cloudtrail:StopLogging", user("mallory")).id("amid").at(at).to_string()]
}

/// US dollars of a million read and write units and 64 KB of SQS (us-east-1, on demand): `docs/deploy.md`.
fn dollars_an_hour(cost: &Cost) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of a test")]
    let (reads, writes) = (cost.reads as f64, cost.writes as f64);
    60.0 * (reads * 0.125 + writes * 0.625) / 1e6
}

#[test]
fn a_flood_of_denied_calls_has_few_messages_and_keeps_nobody_waiting() {
    for (calls, principals, one_address, messages) in
        [(5_000, 1, true, 6), (5_000, 1_000, true, 30), (5_000, 1_000, false, 30), (25_000, 5_000, true, 30)]
    {
        let flood_ = Flood::new();
        let mut all = flood(calls, principals, one_address);
        // A grave denied call of somebody else's waits in the same queue.
        let grave = denied(0, "wilhelmina", "iam:CreateAccessKey", "192.0.2.7", AMID);
        let place = all.partition_point(|(at, _)| *at < AMID);
        all.insert(place, grave);
        let cost = flood_.run(&all, &amid());
        let (trail, denied) = (flood_.named_after("mallory", AMID), flood_.named_after("wilhelmina", AMID));
        #[expect(clippy::cast_precision_loss, reason = "counts of a test")]
        let each = |units: usize| units as f64 / calls as f64;
        println!(
            "{calls} calls of {principals} principals, one address: {one_address}: {} messages, {:.1} write and {:.1} read units \
             a call, ${:.2} an hour of it, queue empty after {} ms, longest batch {} ms, the trail's alert after {trail:?} ms, \
             the grave denied call's after {denied:?} ms",
            cost.messages,
            each(cost.writes),
            each(cost.reads),
            dollars_an_hour(&cost),
            cost.drained,
            cost.longest,
        );
        assert!(cost.messages <= messages, "{cost:?}");
        assert!(trail.unwrap() < 60_000 && denied.unwrap() < 60_000, "{trail:?} {denied:?}");
        assert!(cost.drained < 60_000 && cost.longest < 60_000, "{cost:?}");
        assert!(each(cost.writes) < 8.0 && each(cost.reads) < 30.0, "{cost:?}");
    }
}
