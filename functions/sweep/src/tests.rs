use handsoff_runtime::{ConditionalWrite, Due, Episode, Lease, Memory, State, Subscription};
use handsoff_testing::block_on;
use handsoff_testing::in_memory::InMemory;

use super::*;

fn settings() -> Settings {
    stack(vec![Line::new("handsoff.toml:1"), Line::new("handsoff.toml:2")])
}

fn stack(out_of_step: Vec<Line>) -> Settings {
    Settings {
        detectors: handsoff_functions::detectors(),
        account: "111122223333".into(),
        canary_every: TimeDelta::minutes(5),
        out_of_step,
        lease: Lease(TimeDelta::seconds(90)),
        lookup_regions: vec![],
    }
}

fn swept(world: &InMemory, now: &str) {
    swept_in(world, &settings(), now);
}

fn swept_in(world: &InMemory, settings: &Settings, now: &str) {
    let now = Time::parse(now).unwrap();
    world.time.set(now.timestamp() + 1);
    let policy = Policy::built_in();
    block_on(sweep(world, &policy, settings, now)).unwrap();
}

#[test]
fn the_canary_is_written_at_every_fifth_minute() {
    let world = InMemory::default();
    for minute in 0..12 {
        swept(&world, &format!("2026-03-14T02:{minute:02}:30Z"));
    }
    let written: Vec<String> = world.touched.borrow().iter().map(|time| time.format("%M")).collect();
    assert_eq!(written, ["00", "05", "10"]);
    assert!((world.report.borrow().sum(Metric::RulesOutOfStep) - 6.0).abs() < 0.1);
}

/// A metric is billed for the hours in which it gets a value, and a call of `PutMetricData` by itself.
#[test]
fn when_nothing_happens_only_the_subscribers_are_counted_and_only_with_the_canary() {
    for (subscribed, count) in [(vec![], 0.0), (vec![subscription("a"), subscription("b")], 2.0)] {
        let world = InMemory::default();
        world.subscribed.borrow_mut().extend(subscribed);
        for minute in 0..11 {
            swept_in(&world, &stack(vec![]), &format!("2026-03-14T02:{minute:02}:30Z"));
        }
        assert_eq!(world.sends.get(), 3, "at 0, 5 and 10");
        let report = world.report.borrow();
        let stats: Vec<_> = report.stats().map(|(metric, stat)| (metric, stat.count, stat.max)).collect();
        assert_eq!(stats, [(Metric::Subscribers, 3.0, count)]);
    }
}

fn subscription(name: &str) -> Subscription {
    Subscription {
        arn: format!("arn:aws:sns:eu-central-1:111122223333:handsoff:{name}"),
        protocol: "email".into(),
    }
}

#[test]
fn a_subscription_that_is_gone_is_reported_once() {
    let world = InMemory::default();
    world.subscribed.borrow_mut().extend([subscription("a"), subscription("b")]);
    swept(&world, "2026-03-14T02:00:00Z");
    assert!(world.sent.borrow().is_empty(), "the first time everything is new");
    world.subscribed.borrow_mut().insert(subscription("c"));
    swept(&world, "2026-03-14T02:05:00Z");
    assert!(world.sent.borrow().is_empty(), "one that came is no loss");
    world.subscribed.borrow_mut().remove(&subscription("a"));
    swept(&world, "2026-03-14T02:10:00Z");
    swept(&world, "2026-03-14T02:15:00Z");
    let sent = world.sent.borrow();
    assert_eq!(sent.len(), 1, "{sent:?}");
    let mail = &sent[0].email;
    assert!(mail.contains("handsoff:a") && mail.contains("111122223333, eu-central-1"), "{mail}");
    assert!((world.report.borrow().sum(Metric::SubscriptionsLost) - 1.0).abs() < 0.1);
}

/// What can't be read stops neither an alert that waits nor other episodes.
#[test]
fn what_cannot_be_read_stops_nothing_else() {
    let world = InMemory::default();
    world.subscribed.borrow_mut().insert(subscription("a"));
    swept(&world, "2026-03-14T00:00:00Z");
    world.subscribed.borrow_mut().clear();
    swept(&world, "2026-03-14T00:05:00Z");
    // As if it had been claimed, and the function killed: with a finding beside it that can't be read.
    let (key, (version, text, _)) = world
        .documents
        .borrow()
        .iter()
        .find(|(key, _)| key.1.starts_with("state#"))
        .map(|(k, v)| (k.clone(), v.clone()))
        .unwrap();
    let mut state: State = serde_json::from_str(&text).unwrap();
    let message = world.sent.borrow_mut().pop().unwrap();
    let json: serde_json::Value = serde_json::from_str(&message.json).unwrap();
    let own = &json["unmapped"]["handsoff"];
    state.pending.push(handsoff_runtime::Pending {
        by: "gone".into(),
        since: Time::EPOCH,
        alert: serde_json::from_value(own["alert"].clone()).unwrap(),
        lead: serde_json::from_value(own["finding"].clone()).unwrap(),
    });
    let text = serde_json::to_string(&state).unwrap();
    let write = |(partition, sort), seen, text, due| {
        world.swap(ConditionalWrite { partition, sort, seen, text, due })
    };
    let due = state.due(&Episode::parse(&key.0, &key.1).unwrap());
    assert!(block_on(write((&key.0, &key.1), Some(version), &text, due)).unwrap());
    let due = due.map(|due| Due { waiting: None, ..due });
    block_on(world.put(&key.0, "mark#2026-03-14T00:00:00Z#x", "no JSON")).unwrap();
    block_on(write(("drift-0", "state#2026-03-14T00:00:00Z"), None, "no JSON", due)).unwrap();
    block_on(write(("drift-1", "no state"), None, "{}", due)).unwrap();
    let policy = Policy::built_in();
    let time = Time::parse("2026-03-14T00:06:00Z").unwrap();
    world.time.set(time.timestamp() + 1);
    let failures = block_on(sweep(&world, &policy, &settings(), time)).unwrap_err();
    assert_eq!(failures.len(), 1, "the one that has no name is told: {failures:?}");
    assert_eq!(world.sent.borrow().len(), 1);
    assert!((world.report.borrow().sum(Metric::AlertsPending) - 1.0).abs() < 0.1);
}
