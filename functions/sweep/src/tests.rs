use std::pin::pin;
use std::task::{Context, Poll, Waker};

use handsoff_watch::live::pretend::Pretend;
use handsoff_watch::live::{Memory, Subscription};

use super::*;

fn settings() -> Settings {
    let out_of_step = vec![Line::new("handsoff.toml:1"), Line::new("handsoff.toml:2")];
    Settings { canary_minutes: 5, out_of_step, lease: Lease(90) }
}

fn swept(world: &Pretend, now: &str) {
    let now = Time::parse(now).unwrap();
    world.time.set(now.0 + 1);
    let (policy, settings) = (Policy::built_in(), settings());
    let mut sweep = pin!(sweep(world, &policy, &settings, now));
    loop {
        if let Poll::Ready(done) = sweep.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return done.unwrap();
        }
    }
}

#[test]
fn the_canary_is_written_at_every_fifth_minute() {
    let world = Pretend::default();
    for minute in 0..12 {
        swept(&world, &format!("2026-03-14T02:{minute:02}:30Z"));
    }
    let written: Vec<String> = world.touched.borrow().iter().map(|time| time.format("%M")).collect();
    assert_eq!(written, ["00", "05", "10"]);
    assert!((world.report.borrow().sum(Metric::RulesOutOfStep) - 6.0).abs() < 0.1);
}

fn subscription(name: &str) -> Subscription {
    Subscription {
        arn: format!("arn:aws:sns:eu-central-1:111122223333:handsoff:{name}"),
        protocol: "email".into(),
    }
}

#[test]
fn a_subscription_that_is_gone_is_told_once() {
    let world = Pretend::default();
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

#[test]
fn a_state_that_cannot_be_read_stops_nothing_else() {
    let world = Pretend::default();
    let mut put = pin!(async {
        world.swap("drift-1", "state#2026-03-14T00:00:00Z", None, "no JSON", true).await.unwrap();
        world.put("drift-1", "mark#2026-03-14T00:00:00Z#x", "no JSON").await.unwrap();
    });
    assert!(put.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
    let (policy, settings, now) =
        (Policy::built_in(), settings(), Time::parse("2026-03-14T02:00:00Z").unwrap());
    let mut sweep = pin!(sweep(&world, &policy, &settings, now));
    let Poll::Ready(Err(failures)) = sweep.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("it has to fail")
    };
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert_eq!(world.touched.borrow().len(), 1);
}
