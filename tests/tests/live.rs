//! The functions in a world with faults: whatever comes in between, nothing is lost, and each alert is sent once.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may panic"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use handsoff_break_glass::live::BreakGlassFunction;
use handsoff_case::live::CASE;
use handsoff_cloudtrail::Time;
use handsoff_core::Policy;
use handsoff_core::alert::Cause;
use handsoff_deny_spike::live::DenySpikeFunction;
use handsoff_drift::live::{Canary, DriftFunction};
use handsoff_functions::{DetectorFunction, detectors, engine};
use handsoff_pipeline::live::PipelineFunction;
use handsoff_runtime::{Function, Message, Metric};
use handsoff_sweep::sweep;
use handsoff_testing::fault_injection::{
    Fault, FaultInjection, LEASE, deliver, on_their_way, run, run_together, told,
};
use handsoff_testing::in_memory::InMemory;
use handsoff_testing::records::{self, user};
use handsoff_tests::settings;
use handsoff_tests::{busy_policy, corpus, deliveries, replay, root};
use proptest::prelude::*;

/// A drill is due some time after the last event: these tests know no time in between.
fn events_policy() -> Policy {
    let text = std::fs::read_to_string(root().join("events/handsoff.toml")).unwrap();
    let mut policy = Policy::parse("handsoff.toml", &text).unwrap();
    for entry in &mut policy.break_glass {
        entry.drill_every = None;
    }
    policy
}

/// What a replay of the same records would have reported, which is what the functions have to tell.
fn expected(paths: &[PathBuf], policy: &Policy) -> BTreeMap<String, usize> {
    let mut expected = BTreeMap::new();
    let alerts = replay(paths, policy, 1).alerts(policy);
    // These sweeps run years after the events, when no digest is due any more: tests/repeated.rs has them.
    for alert in alerts.into_iter().filter(|alert| alert.cause != Cause::Digest) {
        for milestone in alert.tells {
            *expected.entry(format!("{} {} {milestone}", alert.incident, alert.period)).or_insert(0) += 1;
        }
    }
    expected
}

/// A time after all events of all tests, and after all of their periods.
/// A minute in which everything is due.
const LATER: Time = Time::from_timestamp(1_899_999_900);

/// Sweeps until nothing is open any more.
fn sweep_up(world: &InMemory, policy: &Policy) {
    // Cases stay open until they are reviewed.
    let over =
        || world.documents.borrow().iter().all(|((_, sort), (.., open))| open.is_none() || sort == CASE);
    for hour in 0..8 {
        if hour > 0 && over() {
            return;
        }
        world.time.set(LATER.timestamp() + hour * 3600 + 1);
        let faulty = FaultInjection::new(world);
        run(
            &faulty,
            sweep(&faulty, policy, &settings(), Time::from_timestamp(LATER.timestamp() + hour * 3600)),
        )
        .unwrap()
        .unwrap();
    }
    assert!(over(), "something stays open");
}

fn all(faulty: &FaultInjection<'_>, policy: &Policy, records: &[&str]) {
    run(faulty, deliver(faulty, &DriftFunction::new(engine(policy), LEASE, Canary::default()), records))
        .unwrap();
    run(faulty, deliver(faulty, &BreakGlassFunction::new(engine(policy), LEASE), records)).unwrap();
    run(faulty, deliver(faulty, &DenySpikeFunction::new(engine(policy), LEASE), records)).unwrap();
    run(faulty, deliver(faulty, &PipelineFunction::new(engine(policy), LEASE), records)).unwrap();
    for other in others(policy) {
        run(faulty, deliver(faulty, &other, records)).unwrap();
    }
}

/// The functions of the detectors that have none of their own.
fn others(policy: &Policy) -> Vec<DetectorFunction<'_>> {
    let own = ["drift", "break-glass", "deny-spike", "pipeline"];
    let others = detectors().iter().filter(|detector| !own.contains(&detector.name()));
    others.map(|detector| DetectorFunction::new(engine(policy), *detector, LEASE)).collect()
}

#[test]
fn the_functions_tell_what_a_replay_tells() {
    tell_what_a_replay_tells(root().join("events"), &events_policy());
}

#[test]
#[cfg_attr(not(corpus), ignore = "needs the corpus of real records")]
fn the_functions_tell_what_a_replay_tells_of_real_records() {
    for name in ["traildiscover", "suzaku-test-json", "invictus-ir/records.jsonl"] {
        tell_what_a_replay_tells(corpus().join(name), &busy_policy());
    }
}

fn tell_what_a_replay_tells(path: PathBuf, policy: &Policy) {
    let paths = [path];
    let records = deliveries(&paths);
    let plain: Vec<&str> = records.iter().map(String::as_str).collect();
    let world = InMemory::default();
    let faulty = FaultInjection::new(&world);
    for batch in plain.chunks(10) {
        all(&faulty, policy, batch);
    }
    sweep_up(&world, policy);
    let expected = expected(&paths, policy);
    assert!(!expected.is_empty(), "{paths:?}");
    assert_eq!(told(&world), expected, "{paths:?}");
}

fn dice(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed | 1;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % below
    }
}

/// The manifests of all sessions, when each of their records comes once and in its place.
static SEALED: std::sync::OnceLock<BTreeMap<String, String>> = std::sync::OnceLock::new();

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    /// Each event one to five times, in random order and batches, by three environments of each function at a
    /// time, with a random one of them going on at each call.
    #[test]
    fn order_repeats_and_company_make_no_difference(seed in any::<u64>()) {
        let (paths, policy) = ([root().join("events")], events_policy());
        let records = deliveries(&paths);
        let mut dice = dice(seed);
        let mut shuffled: Vec<&str> =
            records.iter().flat_map(|record| vec![record.as_str(); 1 + dice(5)]).collect();
        for index in (1..shuffled.len()).rev() {
            shuffled.swap(index, dice(index + 1));
        }
        let sealed = SEALED.get_or_init(|| {
            let world = InMemory::default();
            let plain: Vec<&str> = records.iter().map(String::as_str).collect();
            all(&FaultInjection::new(&world), &policy, &plain);
            sweep_up(&world, &policy);
            manifests(&world)
        });
        let world = InMemory::default();
        let others = others(&policy);
        let count = 4 + others.len();
        let roughs: Vec<FaultInjection<'_>> = (0..3 * count).map(|_| FaultInjection::new(&world)).collect();
        let drift = DriftFunction::new(engine(&policy), LEASE, Canary::default());
        let (glass, deny) = (BreakGlassFunction::new(engine(&policy), LEASE), DenySpikeFunction::new(engine(&policy), LEASE));
        let pipeline = PipelineFunction::new(engine(&policy), LEASE);
        // Each function has its own delivery of every event; three environments share it.
        let mut shares: Vec<Vec<Vec<&str>>> = vec![vec![]; 3 * count];
        for function in 0..count {
            let mut rest = shuffled.as_slice();
            while !rest.is_empty() {
                let (batch, behind) = rest.split_at((1 + dice(12)).min(rest.len()));
                shares[function * 3 + dice(3)].push(batch.to_vec());
                rest = behind;
            }
        }
        let mut functions: Vec<std::pin::Pin<Box<dyn Future<Output = ()> + '_>>> = Vec::new();
        for ((index, share), faulty) in shares.iter().enumerate().zip(&roughs) {
            let (drift, glass, deny, pipeline, others) = (&drift, &glass, &deny, &pipeline, &others);
            functions.push(Box::pin(async move {
                for batch in share {
                    match index / 3 {
                        0 => deliver(faulty, drift, batch).await,
                        1 => deliver(faulty, glass, batch).await,
                        2 => deliver(faulty, deny, batch).await,
                        3 => deliver(faulty, pipeline, batch).await,
                        other => deliver(faulty, &others[other - 4], batch).await,
                    };
                }
            }));
        }
        run_together(functions, &mut dice);
        sweep_up(&world, &policy);
        prop_assert_eq!(told(&world), expected(&paths, &policy));
        // Byte by byte.
        prop_assert!(sealed.len() > 10);
        prop_assert_eq!(&manifests(&world), sealed);
    }
}

/// Every fault at every call of a batch: then the batch is delivered again, and swept up behind.
fn at_every_step<F: Function>(
    function: &F,
    policy: &Policy,
    records: &[&str],
    expected: &BTreeMap<String, usize>,
) {
    let steps = {
        let world = InMemory::default();
        let faulty = FaultInjection::new(&world);
        run(&faulty, deliver(&faulty, function, records)).unwrap();
        assert_eq!(on_their_way(&world), BTreeSet::new(), "nothing is on its way at the end");
        faulty.calls.take()
    };
    assert!(steps.contains(&"publish") && steps.len() > 5, "{steps:?}");
    let mut seen = 0;
    for (step, name) in steps.iter().enumerate() {
        for fault in Fault::ALL {
            let world = InMemory::default();
            let faulty = FaultInjection::with(&world, step, fault);
            run(&faulty, deliver(&faulty, function, records));
            let on_their_way = on_their_way(&world);
            // One message is one alert, of one episode. A call that fails concerns one of them.
            let alerts = episodes(&on_their_way).len();
            assert!(alerts <= 1, "{fault:?} at call {step}, {name}: {on_their_way:?}");
            seen = seen.max(alerts);
            // What was not answered is delivered again, once it is visible again.
            world.time.set(world.time.get() + 360);
            let faulty = FaultInjection::new(&world);
            run(&faulty, deliver(&faulty, function, records)).unwrap();
            sweep_up(&world, policy);
            let told = told(&world);
            let context = format!("{fault:?} at call {step}, {name}, of {}", function.name());
            assert_eq!(told.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{context}");
            // Only what was on its way may come twice.
            let twice: BTreeSet<String> =
                told.iter().filter(|(_, times)| **times > 1).map(|(key, _)| key.clone()).collect();
            assert!(told.values().all(|times| *times <= 2), "{context}: {told:?}");
            assert!(twice.is_subset(&on_their_way), "{context}: {twice:?} of {on_their_way:?}");
        }
    }
    assert!(seen > 0, "nothing was ever on its way");
}

/// The episodes of milestones.
fn episodes(milestones: &BTreeSet<String>) -> BTreeSet<&str> {
    milestones.iter().map(|key| key.rsplit_once(' ').unwrap().0).collect()
}

/// The samples whose names start so.
fn samples(prefixes: &[&str]) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(root().join("events"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            prefixes.iter().any(|prefix| name.starts_with(prefix))
        })
        .collect();
    paths.sort();
    paths
}

/// The manifests in the archive, each by its folder.
fn manifests(world: &InMemory) -> BTreeMap<String, String> {
    let files = world.files.borrow();
    files
        .iter()
        .filter(|(name, _)| name.ends_with("/manifest.json"))
        .map(|(a, b)| (a.clone(), b.clone()))
        .collect()
}

#[test]
fn a_fault_at_any_step_of_the_drift_function_loses_nothing() {
    let policy = events_policy();
    let paths = samples(&["drift-write", "trail-tampered.stop", "console-sign-in", "login-without-mfa"]);
    let owned = deliveries(&paths);
    let plain: Vec<&str> = owned.iter().map(String::as_str).collect();
    let function = DriftFunction::new(engine(&policy), LEASE, Canary::default());
    at_every_step(&function, &policy, &plain, &expected(&paths, &policy));
}

#[test]
fn a_fault_at_any_step_of_the_break_glass_function_loses_nothing() {
    let policy = events_policy();
    let paths =
        samples(&["glass-closed", "glass-escalation", "glass-no-ticket", "glass-sign-in", "root-activity.w"]);
    let owned = deliveries(&paths);
    let plain: Vec<&str> = owned.iter().map(String::as_str).collect();
    let function = BreakGlassFunction::new(engine(&policy), LEASE);
    at_every_step(&function, &policy, &plain, &expected(&paths, &policy));
}

#[test]
fn a_fault_at_any_step_of_the_deny_spike_function_loses_nothing() {
    let policy = events_policy();
    // Those of one principal, and many of a guardrail.
    let paths = samples(&["deny-probing", "deny-wall"]);
    let owned = deliveries(&paths);
    let plain: Vec<&str> = owned.iter().map(String::as_str).collect();
    let function = DenySpikeFunction::new(engine(&policy), LEASE);
    at_every_step(&function, &policy, &plain, &expected(&paths, &policy));
}

#[test]
fn a_fault_at_any_step_of_the_pipeline_function_loses_nothing() {
    let policy = events_policy();
    let paths = samples(&["self-approval", "pipeline-changed.c", "direct-push.g", "approval-overridden.t"]);
    let owned = deliveries(&paths);
    let plain: Vec<&str> = owned.iter().map(String::as_str).collect();
    at_every_step(
        &PipelineFunction::new(engine(&policy), LEASE),
        &policy,
        &plain,
        &expected(&paths, &policy),
    );
}

#[test]
fn a_fault_at_any_step_of_the_sweep_loses_nothing() {
    let few =
        ["drift-write", "trail-tampered.stop", "deny-", "glass-closed", "glass-unapproved", "glass-sign-in"];
    let (paths, policy) = (samples(&few), events_policy());
    let owned = deliveries(&paths);
    let plain: Vec<&str> = owned.iter().map(String::as_str).collect();
    let expected = expected(&paths, &policy);
    // Alerts that were claimed and never sent, and everything to be closed.
    let prepared = || {
        let world = InMemory::default();
        world.time.set(LATER.timestamp() - 10_000);
        for batch in plain.chunks(8) {
            for call in (8..64).step_by(4) {
                let faulty = FaultInjection::with(&world, call, Fault::KilledBefore);
                run(
                    &faulty,
                    deliver(&faulty, &DriftFunction::new(engine(&policy), LEASE, Canary::default()), batch),
                );
            }
        }
        let faulty = FaultInjection::new(&world);
        all(&faulty, &policy, &plain);
        world
    };
    let (now, prepared) = (LATER, prepared());
    // What was on its way when the functions were killed comes twice in any case.
    let (steps, usual) = {
        let world = prepared.clone();
        world.time.set(now.timestamp());
        let faulty = FaultInjection::new(&world);
        run(&faulty, sweep(&faulty, &policy, &settings(), now)).unwrap().unwrap();
        assert!(world.report.borrow().sum(Metric::AlertsResent) > 0.0, "nothing was sent again");
        sweep_up(&world, &policy);
        assert_eq!(manifests(&world).len(), 3);
        (faulty.calls.take(), (told(&world), manifests(&world)))
    };
    let (usual, sealed) = usual;
    for (step, name) in steps.iter().enumerate() {
        for fault in Fault::ALL {
            let world = prepared.clone();
            world.time.set(now.timestamp());
            let faulty = FaultInjection::with(&world, step, fault);
            run(&faulty, sweep(&faulty, &policy, &settings(), now));
            world.time.set(now.timestamp() + 120);
            sweep_up(&world, &policy);
            let told = told(&world);
            let context = format!("{fault:?} at call {step}, {name}, of the sweep");
            assert_eq!(manifests(&world), sealed, "{context}");
            assert_eq!(told.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{context}");
            let more = |(key, times): &(&String, &usize)| **times > usual[*key];
            let episodes: std::collections::BTreeSet<&str> =
                told.iter().filter(more).map(|(key, _)| key.rsplit_once(' ').unwrap().0).collect();
            assert!(episodes.len() <= 1, "{context}: {episodes:?}");
            assert!(told.iter().all(|(key, times)| *times <= usual[key] + 1), "{context}: {told:?}");
        }
    }
}

#[test]
fn what_sns_refuses_for_its_form_is_reported_in_a_reduced_one() {
    let (paths, policy) = (samples(&["drift-write", "trail-tampered", "glass-opened"]), events_policy());
    let owned = deliveries(&paths);
    let plain: Vec<&str> = owned.iter().map(String::as_str).collect();
    let told_by = |longest: Option<usize>| {
        let world = InMemory::default();
        world.longest.set(longest);
        all(&FaultInjection::new(&world), &policy, &plain);
        let open = world.documents.borrow().values().any(|(_, text, _)| text.contains("\"by\""));
        assert!(!open, "nothing stays pending");
        world
    };
    let usual = told_by(None);
    let shortest = usual.sent.borrow().iter().map(Message::size).min().unwrap();
    assert!(usual.sent.borrow().len() > 3 && usual.report.borrow().sum(Metric::AlertsReduced) == 0.0);
    let refused = told_by(Some(shortest - 1));
    assert_eq!(told(&refused), told(&usual));
    let (sent, report) = (refused.sent.borrow(), refused.report.borrow());
    assert!(sent.iter().all(|message| message.size() < shortest));
    assert!((report.sum(Metric::AlertsReduced) - report.sum(Metric::AlertsSent)).abs() < 0.1);
    assert!(report.sum(Metric::AlertsFailed) == 0.0 && report.sum(Metric::AlertsSent) > 3.0);
}

/// Denied calls of one principal: `(second, action)`.
fn denied(calls: &[(i64, String)]) -> Vec<String> {
    let record = |(number, (second, action)): (usize, &(i64, String))| {
        let time = Time::from_timestamp(1_772_000_000 + second);
        let record = records::record(&format!("iam:{action}"), user("app")).id(number).at(time);
        record.with(r#","errorCode":"AccessDenied""#).to_string()
    };
    calls.iter().enumerate().map(record).collect()
}

#[test]
fn a_storm_of_denied_calls_hides_no_probing_and_stays_bounded() {
    let policy = Policy::built_in();
    for (batch, storm) in [(10, 1500), (500, 6000)] {
        let mut calls: Vec<(i64, String)> =
            (0..storm).map(|n| (n * 120 / storm, "ListUsers".to_owned())).collect();
        calls.extend((0..12).map(|n| (130 + n, format!("Get{n}"))));
        calls.extend((0..storm).map(|n| (150 + n * 100 / storm, "ListUsers".to_owned())));
        let records = denied(&calls);
        let plain: Vec<&str> = records.iter().map(String::as_str).collect();
        let world = InMemory::default();
        for part in plain.chunks(batch) {
            let faulty = FaultInjection::new(&world);
            run(&faulty, deliver(&faulty, &DenySpikeFunction::new(engine(&policy), LEASE), part)).unwrap();
        }
        let told = told(&world);
        assert!(told.keys().any(|key| key.ends_with("severity:high")), "{told:?}");
        assert!(world.sent.borrow().len() <= 4, "{told:?}");
        let kept = world.observations.borrow().len();
        assert!(kept < 6 * 1000, "{kept} observations of {} calls", calls.len());
    }
}

#[test]
fn a_trickle_of_denied_calls_costs_a_few_reads() {
    let policy = Policy::built_in();
    let calls: Vec<(i64, String)> = (0..400).map(|n| (n * 240, "ListUsers".to_owned())).collect();
    let records = denied(&calls);
    let world = InMemory::default();
    for record in &records {
        let faulty = FaultInjection::new(&world);
        run(&faulty, deliver(&faulty, &DenySpikeFunction::new(engine(&policy), LEASE), &[record])).unwrap();
        // What is near it before and after it is kept whole and in brief; what else was tried on its day; whose other calls
        // came from its address; and the metrics.
        assert!(faulty.calls.borrow().len() <= 10, "{:?}", faulty.calls);
    }
}

/// What one partition of `DynamoDB` gives a second.
const PARTITION: usize = 3_000;

#[test]
fn a_storm_of_denied_calls_asks_no_more_of_a_partition_than_it_gives() {
    let policy = Policy::built_in();
    // What five thousand calls a second make in ten batches, by a principal that does other things too.
    let actions = |n: i64| if n % 40 == 0 { format!("Get{}", n % 2_000) } else { "ListUsers".to_owned() };
    let calls: Vec<(i64, String)> = (0..25_000).map(|n| (n / 5_000, actions(n))).collect();
    let records = denied(&calls);
    let plain: Vec<&str> = records.iter().map(String::as_str).collect();
    let world = InMemory::default();
    for (second, batches) in plain.chunks(5_000).enumerate() {
        let before = world.read_units.get();
        for batch in batches.chunks(500) {
            run(
                &FaultInjection::new(&world),
                deliver(&FaultInjection::new(&world), &DenySpikeFunction::new(engine(&policy), LEASE), batch),
            )
            .unwrap();
        }
        let units = world.read_units.get() - before;
        println!("second {second}: {units} read units");
        assert!(units > 0 && units < PARTITION, "{units} read units in second {second}");
    }
    assert!(told(&world).keys().any(|key| key.ends_with("severity:high")));
}

#[test]
fn a_sweep_reads_the_findings_of_an_incident_only_when_one_came() {
    let policy = Policy::built_in();
    let record = |user: usize, n: usize| {
        let time = format!("2030-03-17T17:{:02}:{:02}Z", n / 60, n % 60);
        let by = records::user(&format!("u{user}"));
        records::record("ec2:StopInstances", by).id(format!("{user}-{n}")).at(time).to_string()
    };
    let world = InMemory::default();
    let start = Time::parse("2030-03-17T17:10:00Z").unwrap().timestamp();
    let bring = |user: usize, numbers: std::ops::Range<usize>| {
        let records: Vec<String> = numbers.map(|n| record(user, n)).collect();
        let plain: Vec<&str> = records.iter().map(String::as_str).collect();
        for batch in plain.chunks(10) {
            let faulty = FaultInjection::new(&world);
            run(
                &faulty,
                deliver(&faulty, &DriftFunction::new(engine(&policy), LEASE, Canary::default()), batch),
            )
            .unwrap();
        }
    };
    let minute = |minute: i64| {
        let now = Time::from_timestamp(start + 60 * minute);
        world.time.set(now.timestamp());
        let (before, faulty) = (world.read_units.get(), FaultInjection::new(&world));
        run(&faulty, sweep(&faulty, &policy, &settings(), now)).unwrap().unwrap();
        world.read_units.get() - before
    };
    world.time.set(start);
    (0..20).for_each(|user| bring(user, 0..95));
    let first = minute(1);
    // Nothing new: the list of what is open is read, and nothing else.
    let quiet: Vec<usize> = (2..5).map(minute).collect();
    println!("20 incidents of 95 findings: {first} read units, then {quiet:?}");
    assert!(first > 300 && quiet.iter().all(|units| *units < 5), "{first} {quiet:?}");
    // The hundredth finding of one of them is reported all the same.
    let sent = world.sent.borrow().len();
    bring(7, 95..100);
    minute(6);
    assert_eq!(world.sent.borrow().len(), sent + 1);
    assert!(told(&world).keys().any(|key| key.ends_with("count:100")), "{:?}", told(&world));
}
