use handsoff_core::story::Ties;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::super::in_memory::InMemory;
use super::*;
use handsoff_cloudtrail::TimeDelta;
use handsoff_core::Kind;
use handsoff_core::alert::{COUNTS, Period};
use handsoff_core::finding::Who;

const START: i64 = 1_772_000_000;

const LEASE: Lease = Lease(90);

const POLICY: Alerts = Alerts {
    min_severity: Severity::Medium,
    period: TimeDelta::days(1),
    quiet: TimeDelta::minutes(30),
    burst: 10,
    accounts: BTreeMap::new(),
    digest: handsoff_core::policy::DigestHours::DEFAULT,
};

/// One of an event of its own: the `n`th, in the `n`th second.
fn finding(n: u64, severity: Severity) -> Finding {
    let time = Time::from_timestamp(START + i64::try_from(n).unwrap());
    Finding {
        code: Code::DriftWrite,
        severity,
        incident: "drift-1".into(),
        event_id: n.to_string(),
        event_time: Some(time.to_string()),
        account: "111122223333".into(),
        region: "eu-central-1".into(),
        action: "ec2:RunInstances".into(),
        access: "write".into(),
        class: None,
        error: None,
        principal: Who { kind: Kind::Human, arn: String::new(), name: "bob".into(), human: None },
        via: "cli".into(),
        source_ip: "192.0.2.1".into(),
        user_agent: "aws-cli/2".into(),
        mfa: None,
        resources: Vec::new(),
        reason: "r".into(),
        next: "n".into(),
        key: Key(n),
        time: Some(time),
        known: Some(time),
        ties: Ties::default(),
    }
}

fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("the pretended world never waits"),
    }
}

fn world() -> InMemory {
    let world = InMemory::default();
    world.time.set(START + 100);
    world
}

/// Remembers findings and alerts what they make due, as a function does.
fn bring(world: &InMemory, findings: &[Finding]) -> Result<Report, Failure> {
    let (telling, mut report) = (Telling { policy: &POLICY, lease: LEASE, notes: &() }, Report::default());
    now(keep_and_tell(world, telling, findings, &mut report)).map(|()| report)
}

fn episode() -> Episode {
    Episode::of(&finding(0, Severity::Medium), &POLICY)
}

/// The state of the episode of these tests.
fn remembered(world: &InMemory) -> super::super::State {
    now(state(world, &episode())).unwrap().1
}

/// As the sweep leaves it when it has looked at all findings.
fn looked_at(world: &InMemory) {
    let episode = episode();
    let mut held = now(Held::of(world, &episode)).unwrap();
    let changed = held.change(world, |state| {
        state.look = Look::Done;
        true
    });
    assert!(now(changed).unwrap());
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
    world.time.set(claimed + LEASE.0 - 1);
    let before = world.read_units.get();
    is(&bring(&world, &findings).unwrap(), Metric::AlertsResent, 0.0);
    assert_eq!((world.sent.borrow().len(), world.read_units.get() - before), (0, 1));
    world.time.set(claimed + LEASE.0);
    is(&bring(&world, &findings).unwrap(), Metric::AlertsResent, 1.0);
    assert_eq!((world.sent.borrow().len(), remembered(&world).pending.len()), (1, 0));
}

#[test]
fn what_another_function_is_sending_is_left_to_it_until_its_lease_is_over() {
    for (seconds, sent) in [(LEASE.0 - 1, 1), (LEASE.0, 2)] {
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
    let report = bring(&world, &[glass(58, Code::GlassOpened, Severity::High)]).unwrap();
    is(&report, Metric::OpeningSeconds, 42.0);
    let report = bring(&world, &[glass(60, Code::GlassEscalation, Severity::Critical)]).unwrap();
    assert_eq!(world.sent.borrow().len(), 2);
    is(&report, Metric::OpeningSeconds, 0.0);
    let session = Episode { incident: "glass-1".into(), period: Period::Session };
    assert_eq!(now(state(&world, &session)).unwrap().1.opened_after, Some(42));
}

#[test]
fn a_page_ends_between_events_unless_one_event_fills_it() {
    let world = world();
    let spike = |n, severity| Finding { code: Code::DenySpike, ..finding(n, severity) };
    let all = [
        finding(1, Severity::Medium),
        spike(2, Severity::High),
        spike(2, Severity::Medium),
        finding(3, Severity::Medium),
    ];
    now(keep(&world, &all, &mut Report::default())).unwrap();
    let (episode, bounds) = (episode(), episode().bounds(&POLICY));
    let from = |from: &str, most| {
        let range = Range { partition: &episode.incident, from, to: &bounds.1, most, backwards: false };
        let (incident, behind) = now(page(&world, &POLICY, range)).unwrap();
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
fn of_two_findings_on_one_event_the_worse_counts_from_when_the_first_was_known() {
    let spike = Finding { code: Code::DenySpike, ..finding(1, Severity::Medium) };
    let later = Some(Time::from_timestamp(START + 50));
    for better in [
        Finding { severity: Severity::High, known: later, ..spike.clone() },
        Finding { code: Code::DenyProbing, known: later, ..spike.clone() },
        Finding { reason: "a longer one".into(), known: later, ..spike.clone() },
    ] {
        let wanted = Finding { known: spike.known, ..better.clone() };
        for both in [[spike.clone(), better.clone()], [better.clone(), spike.clone()]] {
            let incident = incident("drift-1", both);
            assert_eq!((incident.count(), incident.lead()), (1, Some(&wanted)));
        }
    }
    // Probing is the worse of the two whatever they are called and however long their reasons are.
    let probing = Finding { code: Code::DenyProbing, ..spike.clone() };
    let wordy = Finding { reason: "a longer one".into(), ..spike };
    for both in [[wordy.clone(), probing.clone()], [probing.clone(), wordy]] {
        assert_eq!(incident("drift-1", both).lead(), Some(&probing));
    }
}

#[test]
fn what_is_told_already_leaves_the_sweep_a_look_and_what_is_worse_doesnt() {
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
    let most = u64::try_from(LOOK_AT).unwrap();
    for (findings, look) in [(most - 1, Look::Done), (most, Look::Due), (most + 1, Look::Due)] {
        let world = world();
        bring(&world, &[finding(1, Severity::Medium)]).unwrap();
        looked_at(&world);
        let others: Vec<Finding> = (2..findings).map(|n| finding(n, Severity::Low)).collect();
        now(keep(&world, &others, &mut Report::default())).unwrap();
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
    now(episode().close(&world, None, &mut Report::default())).unwrap();
    looked_at(&world);
    bring(&world, &[finding(last, Severity::Medium)]).unwrap();
    assert!(remembered(&world).told.contains(&Milestone::Count(count)));
    assert_eq!(world.sent.borrow().len(), 2);
}

#[test]
fn an_episode_is_closed_with_one_message_or_with_none_if_nothing_is_left_of_it() {
    for (findings, sent) in [(vec![], 0), (vec![finding(1, Severity::High), finding(2, Severity::High)], 1)] {
        let (world, episode) = (world(), episode());
        let incident = incident("drift-1", findings);
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
            now(episode.close(&world, Some(closing), &mut Report::default())).unwrap();
            assert_eq!(world.sent.borrow().len(), sent);
            assert!(remembered(&world).told.contains(&Milestone::Closed));
        }
    }
}

/// Whoever took an alert over strikes it off: the first sender may have been slow, and not gone.
#[test]
fn a_sender_strikes_off_its_own_alert_alone() {
    let world = world();
    world.longest.set(Some(0));
    bring(&world, &[finding(1, Severity::Medium)]).unwrap_err();
    bring(&world, &[finding(2, Severity::High)]).unwrap_err();
    world.longest.set(None);
    let [first, second] = remembered(&world).pending.try_into().unwrap();
    let other = Pending { by: "who took it over".into(), ..first.clone() };
    now(send(&world, &episode(), &other, &mut Report::default())).unwrap();
    assert_eq!(remembered(&world).pending, [first.clone(), second.clone()]);
    now(send(&world, &episode(), &first, &mut Report::default())).unwrap();
    assert_eq!(remembered(&world).pending, [second]);
}
