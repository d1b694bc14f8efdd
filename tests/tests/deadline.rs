//! A batch against the invocation's end, with calls that take their time: what is finished is done with, what isn't comes
//! again, and only what was on its way may come twice.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use handsoff_functions::engine;
use std::collections::BTreeSet;
use std::time::Duration;

use handsoff_cloudtrail::Time;
use handsoff_core::Policy;
use handsoff_deny_spike::live::DenySpikeFunction;
use handsoff_runtime::{Answer, Delivery, Lease, Metric, handle};
use handsoff_testing::fault_injection::{Fault, FaultInjection, deliver, delivery, on_their_way, run, told};
use handsoff_testing::in_memory::InMemory;
use handsoff_testing::records::{record, user};
use handsoff_testing::timers::Timers;
use handsoff_tests::root;
use saphyr::{LoadableYamlNode, Yaml};

/// What a call of AWS takes.
const CALL: Duration = Duration::from_millis(5);

/// As `template.yaml` has it.
const TIMEOUT: Duration = Duration::from_mins(1);

/// As many as a batch holds.
const PRINCIPALS: usize = 500;

/// Enough to keep all places busy.
const FEW: usize = 60;

/// The denied call of a principal, from an address of its own: from six different actions on it is probing.
fn denied(principal: usize, action: usize) -> String {
    let record = record(&format!("iam:Get{action}"), user(&format!("u{principal}")));
    let record = record.id(format!("{principal}-{action}")).at(format!("2026-03-14T02:00:{action:02}Z"));
    let record = record.from(&format!("10.0.{}.{}", principal / 250, principal % 250), "u");
    record.with(r#","errorCode":"AccessDenied""#).to_string()
}

/// Each incident is alerted by itself, however many there are in a minute.
fn policy() -> Policy {
    Policy::parse("handsoff.toml", "[alerts]\nburst = 10000\n").unwrap()
}

/// A world in which so many principals are one denied call away from an alert, and these calls.
fn at_the_edge(policy: &Policy, principals: usize) -> (InMemory, Vec<String>) {
    let world = InMemory::default();
    world.time.set(Time::parse("2026-03-14T02:01:00Z").unwrap().timestamp());
    let before: Vec<String> = (0..principals).flat_map(|who| (0..5).map(move |n| denied(who, n))).collect();
    let plain: Vec<&str> = before.iter().map(String::as_str).collect();
    let faulty = FaultInjection::new(&world);
    assert_eq!(
        run(&faulty, deliver(&faulty, &DenySpikeFunction::new(engine(policy), Lease::default()), &plain)),
        Some(1)
    );
    assert!(world.sent.borrow().is_empty());
    (world, (0..principals).map(|who| denied(who, 5)).collect())
}

/// What came of a batch: its answers, `None` if the function was killed before it gave any, and what it took.
struct Handled {
    answers: Option<Vec<Answer>>,
    took: Duration,
    logged: usize,
}

impl Handled {
    fn again(&self) -> usize {
        let answers = self.answers.as_ref().unwrap();
        answers.iter().filter(|answer| matches!(answer, Answer::Again(_))).count()
    }
}

/// Handles a batch in an invocation that lasts so long, with a fault.
fn batch(
    world: &InMemory,
    policy: &Policy,
    lasts: Duration,
    fault: Option<(usize, usize, Fault)>,
    records: &[String],
) -> Handled {
    let timers = Timers::new(lasts, CALL);
    let faulty = FaultInjection { timers: Some(&timers), fault, ..FaultInjection::new(world) };
    let deliveries: Vec<Delivery<'_>> = records.iter().map(|record| delivery(record)).collect();
    let function = DenySpikeFunction::new(engine(policy), Lease::default());
    let answers = timers.run(handle(&faulty, &function, &deliveries));
    let logged = faulty.logged.borrow().len();
    Handled { answers, took: timers.now(), logged }
}

/// Everybody is alerted about, and these twice.
fn twice(world: &InMemory, principals: usize) -> BTreeSet<String> {
    let told = told(world);
    let incidents: BTreeSet<&str> = told.keys().map(|key| key.split(' ').next().unwrap()).collect();
    assert_eq!(incidents.len(), principals, "no alert is lost");
    assert!(told.values().all(|times| *times <= 2), "{told:?}");
    told.iter().filter(|(_, times)| **times > 1).map(|(key, _)| key.clone()).collect()
}

/// Delivers what has to come again, when the alerts that were claimed count as not sent.
fn deliver_again(world: &InMemory, policy: &Policy, records: &[String]) {
    world.time.set(world.time.get() + 400);
    let handled = batch(world, policy, TIMEOUT, None, records);
    assert_eq!(handled.again(), 0);
}

#[test]
fn five_hundred_principals_that_begin_to_alert_at_once_take_seconds() {
    let policy = policy();
    let (world, records) = at_the_edge(&policy, PRINCIPALS);
    let handled = batch(&world, &policy, TIMEOUT, None, &records);
    println!("{PRINCIPALS} principals with {CALL:?} a call: {:?}", handled.took);
    assert_eq!(handled.again(), 0);
    assert_eq!(twice(&world, PRINCIPALS), BTreeSet::new());
    assert!(handled.took < Duration::from_secs(9), "{:?}", handled.took);
}

#[test]
fn what_is_finished_before_the_deadline_is_done_with_and_the_rest_comes_again() {
    let policy = policy();
    let (world, records) = at_the_edge(&policy, PRINCIPALS);
    let lasts = Duration::from_secs(7);
    let handled = batch(&world, &policy, lasts, None, &records);
    let again = handled.again();
    assert!(handled.took + Duration::from_secs(1) < lasts, "{:?}", handled.took);
    assert!(again > PRINCIPALS / 10 && again < PRINCIPALS - PRINCIPALS / 10, "{again} of {PRINCIPALS}");
    // Nothing was begun that couldn't be finished: who is answered for is alerted about, and nobody else.
    assert_eq!(world.sent.borrow().len(), PRINCIPALS - again);
    assert_eq!(on_their_way(&world), BTreeSet::new());
    let number = |number: f64| format!("{number}");
    let sum = |metric| number(world.report.borrow().sum(metric));
    assert_eq!(sum(Metric::AlertsSent), (PRINCIPALS - again).to_string(), "the metrics of what is finished");
    assert_eq!(sum(Metric::Returned("handsoff-deny-spike")), again.to_string());
    let answers = handled.answers.unwrap();
    let left: Vec<String> = records
        .iter()
        .zip(answers)
        .filter(|(_, answer)| matches!(answer, Answer::Again(_)))
        .map(|(record, _)| record.clone())
        .collect();
    deliver_again(&world, &policy, &left);
    assert_eq!(twice(&world, PRINCIPALS), BTreeSet::new(), "nobody hears anything twice");
}

/// Lambda kills it, without a word, at several moments.
#[test]
fn what_is_killed_comes_twice_only_if_it_was_on_its_way() {
    let policy = policy();
    let prepared = at_the_edge(&policy, FEW);
    let calls = {
        let (world, records) = prepared.clone();
        let faulty = FaultInjection::new(&world);
        let plain: Vec<&str> = records.iter().map(String::as_str).collect();
        run(&faulty, deliver(&faulty, &DenySpikeFunction::new(engine(&policy), Lease::default()), &plain))
            .unwrap();
        faulty.calls.take()
    };
    let first = calls.iter().position(|name| *name == "publish").unwrap();
    let mut most = 0;
    for call in (first..first + 150).step_by(7) {
        let (world, records) = prepared.clone();
        let killed = Some((call, call, Fault::KilledAfter));
        assert!(batch(&world, &policy, TIMEOUT, killed, &records).answers.is_none());
        let on_their_way = on_their_way(&world);
        deliver_again(&world, &policy, &records);
        let twice = twice(&world, FEW);
        assert!(twice.is_subset(&on_their_way), "call {call}: {twice:?} of {on_their_way:?}");
        let alerts: BTreeSet<&str> = twice.iter().map(|key| key.split(' ').next().unwrap()).collect();
        // However many units run, one alert is sent at a time.
        assert!(alerts.len() <= 1, "call {call}: {alerts:?}");
        most = most.max(alerts.len());
    }
    assert!(most > 0, "none was on its way");
}

#[test]
fn a_unit_that_hangs_takes_no_other_with_it() {
    let policy = policy();
    let prepared = at_the_edge(&policy, FEW);
    // None of these is one of a turn to send, for which the others wait.
    for call in [0, 1, 40, 610] {
        let (world, records) = prepared.clone();
        let hangs = Some((call, call, Fault::Hangs));
        let handled = batch(&world, &policy, TIMEOUT, hangs, &records);
        assert_eq!(handled.again(), 1, "call {call}");
        assert!(handled.took < TIMEOUT, "call {call}: {:?}", handled.took);
        assert!(world.report.borrow().sum(Metric::AlertsSent) > 58.0, "call {call}");
        let on_their_way = on_their_way(&world);
        deliver_again(&world, &policy, &records);
        assert!(twice(&world, FEW).is_subset(&on_their_way), "call {call}");
    }
}

#[test]
fn metrics_that_hang_keep_no_answer_back() {
    let policy = policy();
    let (world, records) = at_the_edge(&policy, FEW);
    let metrics = {
        let world = world.clone();
        let faulty = FaultInjection::new(&world);
        let plain: Vec<&str> = records.iter().map(String::as_str).collect();
        run(&faulty, deliver(&faulty, &DenySpikeFunction::new(engine(&policy), Lease::default()), &plain))
            .unwrap();
        faulty.calls.take().iter().position(|name| *name == "metrics").unwrap()
    };
    let handled = batch(&world, &policy, TIMEOUT, Some((metrics, metrics, Fault::Hangs)), &records);
    assert_eq!((handled.again(), handled.logged), (0, 1));
    assert!(handled.took < TIMEOUT, "{:?}", handled.took);
    assert_eq!(twice(&world, FEW), BTreeSet::new());
}

/// A function that is killed must not meet its own messages, nor an alert be taken for lost that is on its way.
#[test]
fn the_template_gives_queues_and_leases_the_time_that_functions_take() {
    let text = std::fs::read_to_string(root().join("template.yaml")).unwrap();
    let template = Yaml::load_from_str(&text).unwrap().remove(0);
    let number = |yaml: &Yaml<'_>| yaml.as_integer().unwrap();
    let common = &template["Globals"]["Function"];
    let usual = number(&common["Timeout"]);
    assert_eq!(u64::try_from(usual).unwrap(), TIMEOUT.as_secs());
    let resources = &template["Resources"];
    let mut longest = usual;
    let all = resources.as_mapping().unwrap().keys().filter_map(Yaml::as_str);
    let all: Vec<&str> = all.filter_map(|id| id.strip_suffix("Function")).collect();
    assert!(all.len() > handsoff_functions::detectors().len(), "the detectors', and the sweep: {all:?}");
    for name in all {
        let function = &resources[&*format!("{name}Function")]["Properties"];
        let timeout = function.as_mapping_get("Timeout").map_or(usual, number);
        longest = longest.max(timeout);
        if name != "Sweep" {
            let source = &function["Events"]["Queue"]["Properties"];
            let window = source.as_mapping_get("MaximumBatchingWindowInSeconds").map_or(0, number);
            let hidden = number(&resources[&*format!("{name}Queue")]["Properties"]["VisibilityTimeout"]);
            assert!(hidden >= 6 * timeout + window, "{name}: {hidden} s for {timeout} s and {window} s");
        }
    }
    let lease = &common["Environment"]["Variables"]["HANDSOFF_RESEND_SECONDS"];
    let lease: i64 = lease.as_str().unwrap().parse().unwrap();
    assert!(
        lease > longest && Lease::default().0.num_seconds() > longest,
        "{lease} s, {:?}, {longest} s",
        Lease::default()
    );
}
