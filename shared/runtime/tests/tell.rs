//! What a function reports of findings, when, and once.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::pin::pin;
use std::task::{Context, Waker};

use handsoff_cloudtrail::{Time, TimeDelta};
use handsoff_core::Reported;
use handsoff_core::Severity;
use handsoff_core::alert::{COUNTS, Milestone, Period};
use handsoff_core::finding::Finding;
use handsoff_core::incident::Incident;
use handsoff_core::policy::{Alerts, DigestHours};
use handsoff_runtime::{
    Closing, Episode, Held, Look, Mark, Metric, Range, Report, RuntimeError, State, Telling, keep,
    keep_and_tell, page, resend,
};
use handsoff_testing::block_on;
use handsoff_testing::fault_injection::{FaultInjection, LEASE};
use handsoff_testing::finding::START;
use handsoff_testing::in_memory::InMemory;

/// A change by hand.
fn finding(n: u64, severity: Severity) -> Finding {
    // Codes are read by name.
    handsoff_functions::detectors();
    handsoff_testing::finding::finding(handsoff_drift::codes::DRIFT_WRITE, n, severity)
}

/// How many findings of a period a function looks at.
const LOOK_AT: u64 = 200;

const POLICY: Alerts = Alerts {
    min_severity: Severity::Medium,
    period: TimeDelta::days(1),
    quiet: TimeDelta::minutes(30),
    burst: 10,
    accounts: BTreeMap::new(),
    digest: DigestHours::DEFAULT,
};

fn world() -> InMemory {
    let world = InMemory::default();
    world.time.set(START + 100);
    world
}

fn reported(findings: &[Finding]) -> Vec<Reported> {
    findings.iter().cloned().map(Reported::from).collect()
}

/// Remembers findings and alerts what they make due, as a function does.
fn bring(world: &InMemory, findings: &[Finding]) -> Result<Report, RuntimeError> {
    let (telling, mut report) = (Telling { policy: &POLICY, lease: LEASE, notes: &() }, Report::default());
    block_on(keep_and_tell(world, telling, &reported(findings), &mut report)).map(|()| report)
}

fn episode() -> Episode {
    Episode::of(&finding(0, Severity::Medium), &POLICY)
}

/// The state of the episode of these tests.
fn remembered(world: &InMemory) -> State {
    block_on(Held::of(world, &episode())).unwrap().state
}

/// As the sweep leaves it when it has looked at all findings.
fn looked_at(world: &InMemory) {
    let episode = episode();
    let mut held = block_on(Held::of(world, &episode)).unwrap();
    let changed = held.change(world, |state| {
        state.look = Look::Done;
        true
    });
    assert!(block_on(changed).unwrap());
}

fn is(report: &Report, metric: Metric, sum: f64) {
    assert!((report.sum(metric) - sum).abs() < 0.1, "{metric:?}: {}", report.sum(metric));
}

#[test]
fn the_next_function_sends_again_what_stayed_pending_for_the_lease_and_reads_nothing_more_before() {
    let (world, findings) = (world(), [finding(1, Severity::Medium)]);
    world.longest.set(Some(0));
    bring(&world, &findings).unwrap_err();
    world.longest.set(None);
    let claimed = remembered(&world).pending.first().unwrap().since;
    world.time.set((claimed + LEASE.0).timestamp() - 1);
    let before = world.read_units.get();
    is(&bring(&world, &findings).unwrap(), Metric::AlertsResent, 0.0);
    assert_eq!((world.sent.borrow().len(), world.read_units.get() - before), (0, 1));
    world.time.set((claimed + LEASE.0).timestamp());
    is(&bring(&world, &findings).unwrap(), Metric::AlertsResent, 1.0);
    assert_eq!((world.sent.borrow().len(), remembered(&world).pending.len()), (1, 0));
}

#[test]
fn what_another_function_is_sending_is_left_to_it_until_its_lease_is_over() {
    for (seconds, sent) in [(LEASE.0.num_seconds() - 1, 1), (LEASE.0.num_seconds(), 2)] {
        let world = world();
        world.longest.set(Some(0));
        bring(&world, &[finding(1, Severity::Medium)]).unwrap_err();
        world.longest.set(None);
        world.time.set(world.time.get() + seconds);
        bring(&world, &[finding(2, Severity::High)]).unwrap();
        assert_eq!((world.sent.borrow().len(), remembered(&world).pending.len()), (sent, 2 - sent));
    }
}

#[test]
fn how_long_a_sessions_opening_took_is_counted_once() {
    let world = world();
    let glass = |n, code, severity| Finding { code, incident: "glass-1".into(), ..finding(n, severity) };
    let report = bring(&world, &[glass(58, handsoff_case::codes::GLASS_OPENED, Severity::High)]).unwrap();
    is(&report, Metric::OpeningSeconds, 42.0);
    let report =
        bring(&world, &[glass(60, handsoff_case::codes::GLASS_ESCALATION, Severity::Critical)]).unwrap();
    assert_eq!(world.sent.borrow().len(), 2);
    is(&report, Metric::OpeningSeconds, 0.0);
    let session = Episode { incident: "glass-1".into(), period: Period::Session };
    assert_eq!(
        block_on(Held::of(&world, &session)).unwrap().state.opened_after,
        Some(TimeDelta::seconds(42))
    );
}

#[test]
fn a_page_ends_between_events_unless_one_event_fills_it() {
    let world = world();
    let spike =
        |n, severity| Finding { code: handsoff_deny_spike::codes::DENY_SPIKE, ..finding(n, severity) };
    let all = [
        finding(1, Severity::Medium),
        spike(2, Severity::High),
        spike(2, Severity::Medium),
        finding(3, Severity::Medium),
    ];
    block_on(keep(&world, &reported(&all), &mut Report::default())).unwrap();
    let (episode, bounds) = (episode(), episode().bounds(&POLICY));
    let from = |from: &str, most| {
        let range = Range { partition: &episode.incident, from, to: &bounds.1, most, backwards: false };
        let (incident, behind) = block_on(page(&world, &POLICY, range)).unwrap();
        let seconds: Vec<i64> = incident.worst().map(|it| it.time.unwrap().timestamp() - START).collect();
        (incident.count(), seconds, behind)
    };
    let mut rest = vec![bounds.0.clone()];
    let mut counts = Vec::new();
    while let Some(next) = rest.pop() {
        let (count, _, behind) = from(&next, 2);
        counts.push(count);
        rest.extend(behind);
        assert!(counts.len() < 10, "{counts:?}");
    }
    // The first alone: the second may have had more than fits behind it. Then both of the second.
    assert_eq!(counts, [1, 1, 1]);
    assert_eq!(
        from(&bounds.0, 4).2,
        Some(Mark::sort(&all[2]) + "\0"),
        "a full one ends before its last event"
    );
    assert_eq!((from(&bounds.0, 5).0, from(&bounds.0, 5).2), (3, None));
}

#[test]
fn what_is_reported_already_leaves_the_sweep_a_look_and_what_is_worse_doesnt() {
    for (severity, look, sent) in [(Severity::Medium, Look::Due, 1), (Severity::High, Look::Done, 2)] {
        let world = world();
        bring(&world, &[finding(1, Severity::Medium)]).unwrap();
        looked_at(&world);
        bring(&world, &[finding(2, severity)]).unwrap();
        assert_eq!((remembered(&world).look, world.sent.borrow().len()), (look, sent), "{severity}");
    }
}

#[test]
fn a_function_leaves_the_sweep_a_look_where_there_may_be_more_than_it_has_read() {
    let most = LOOK_AT;
    for (findings, look) in [(most - 1, Look::Done), (most, Look::Due), (most + 1, Look::Due)] {
        let world = world();
        bring(&world, &[finding(1, Severity::Medium)]).unwrap();
        looked_at(&world);
        let others: Vec<Finding> = (2..findings).map(|n| finding(n, Severity::Low)).collect();
        block_on(keep(&world, &reported(&others), &mut Report::default())).unwrap();
        bring(&world, &[finding(findings, Severity::High)]).unwrap();
        assert_eq!((remembered(&world).look, world.sent.borrow().len()), (look, 2), "{findings}");
    }
}

#[test]
fn what_comes_after_the_end_is_looked_at_at_once() {
    let world = world();
    let [count, ..] = COUNTS;
    let last = u64::try_from(count).unwrap();
    let findings: Vec<Finding> = (1..last).map(|n| finding(n, Severity::Medium)).collect();
    bring(&world, &findings).unwrap();
    block_on(episode().close(&world, None, &mut Report::default())).unwrap();
    looked_at(&world);
    bring(&world, &[finding(last, Severity::Medium)]).unwrap();
    assert!(remembered(&world).alerted.contains(&Milestone::Count(count)));
    assert_eq!(world.sent.borrow().len(), 2);
}

#[test]
fn an_episode_is_closed_with_one_message_or_with_none_if_nothing_is_left_of_it() {
    for (findings, sent) in [(vec![], 0), (vec![finding(1, Severity::High), finding(2, Severity::High)], 1)] {
        let (world, episode) = (world(), episode());
        let mut incident = Incident::new("drift-1".into());
        incident.extend(findings);
        for _ in 0..2 {
            let closing = Closing {
                incident: &incident,
                policy: &POLICY,
                since: &episode,
                findings: incident.count(),
                severity: Severity::High,
                notes: Vec::new(),
                at: Time::from_timestamp(START),
            };
            block_on(episode.close(&world, Some(closing), &mut Report::default())).unwrap();
            assert_eq!(world.sent.borrow().len(), sent);
            assert!(remembered(&world).alerted.contains(&Milestone::Closed));
        }
    }
}

/// A sender that took an alert over marks it as sent: the first sender may have been slow, and not gone.
#[test]
fn a_sender_strikes_off_its_own_alert_alone() {
    let (world, episode) = (world(), episode());
    world.longest.set(Some(0));
    bring(&world, &[finding(1, Severity::Medium)]).unwrap_err();
    bring(&world, &[finding(2, Severity::High)]).unwrap_err();
    world.longest.set(None);
    world.time.set(world.time.get() + LEASE.0.num_seconds());
    let (slow, other) = (FaultInjection::new(&world), FaultInjection::new(&world));
    let (mut reports, mut context) =
        ([Report::default(), Report::default()], Context::from_waker(Waker::noop()));
    let [report, others] = &mut reports;
    let mut sends = pin!(resend(&slow, &episode, LEASE, report));
    while world.sent.borrow().is_empty() {
        assert!(sends.as_mut().poll(&mut context).is_pending());
    }
    // It has sent the first, and is slow to say so.
    world.time.set(world.time.get() + LEASE.0.num_seconds());
    let pending = || -> Vec<String> { remembered(&world).pending.into_iter().map(|it| it.by).collect() };
    let before = pending();
    let mut takes = pin!(resend(&other, &episode, LEASE, others));
    while pending() == before {
        assert!(takes.as_mut().poll(&mut context).is_pending());
    }
    let taken_over = pending()[0].clone();
    assert_eq!(block_on(sends), Ok(()));
    assert_eq!(pending(), [taken_over], "it has sent the second, too, and left the first to the other");
    assert_eq!(block_on(takes), Ok(()));
    assert_eq!((pending().len(), world.sent.borrow().len()), (0, 3));
}
