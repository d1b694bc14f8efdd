//! The drift ledger of a deployed stack in a world with faults: it holds what `handsoff drift list` makes of the same records.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may panic"
)]

use handsoff_core::Trace;
use handsoff_functions::engine;
use std::pin::Pin;

use handsoff_break_glass::live::BreakGlassFunction;
use handsoff_cloudtrail::{Entry, Record, Time};
use handsoff_core::{Call, Policy};
use handsoff_drift::live::{Canary, DriftFunction};
use handsoff_ledger::{Accepted, Item, Ledger, Terms, live, of};
use handsoff_runtime::{Function, Metric};
use handsoff_sweep::sweep;
use handsoff_testing::fault_injection::{Fault, FaultInjection, LEASE, deliver, run, run_together, told};
use handsoff_testing::in_memory::InMemory;
use handsoff_tests::settings;
use proptest::prelude::*;
use serde_json::{Value, json};

const GROUP: &str = "ec2:eu-central-1:111122223333:security-group/sg-";

fn policy() -> Policy {
    let text = "[[deploy]]\nidentity = \"arn:aws:iam::*:role/deploy\"\n[cases]\napprovals_from = [\"999999999999\"]\n";
    Policy::parse("p", text).unwrap()
}

/// A call `minute` minutes after ten.
fn call(minute: u32, who: &str, action: &str, parameters: &Value) -> String {
    let (service, name) = action.split_once(':').unwrap();
    let identity = match who {
        "deploy" => json!({"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/deploy/ci",
            "accountId": "111122223333", "accessKeyId": "ASIAEXAMPLE", "sessionContext": {"sessionIssuer": {
            "type": "Role", "arn": "arn:aws:iam::111122223333:role/deploy"}}}),
        "root" => {
            json!({"type": "Root", "arn": "arn:aws:iam::111122223333:root", "accountId": "111122223333",
            "accessKeyId": "AKIAEXAMPLE"})
        }
        who => {
            json!({"type": "IAMUser", "arn": format!("arn:aws:iam::111122223333:user/{who}"), "userName": who,
            "accountId": "111122223333", "accessKeyId": "AKIAEXAMPLE"})
        }
    };
    json!({"eventVersion": "1.11", "eventID": format!("{minute}-{who}"), "eventTime": format!("2026-03-14T10:{minute:02}:00Z"),
        "eventSource": format!("{service}.amazonaws.com"), "eventName": name, "awsRegion": "eu-central-1",
        "recipientAccountId": "111122223333", "readOnly": false, "eventType": "AwsApiCall", "userIdentity": identity,
        "requestParameters": parameters, "responseElements": null})
    .to_string()
}

fn acceptance(minute: u32, from: &str, group: u32, owner: &str) -> String {
    let time = format!("2026-03-14T10:{minute:02}:00Z");
    json!({"detail-type": "Drift Acceptance", "source": "handsoff", "account": from, "time": time,
        "detail": {"resource": format!("{GROUP}{group}"), "owner": owner, "reason": "agreed", "time": time}})
    .to_string()
}

/// Something of each kind: open, overwritten, reverted, gone, accepted, and what is accepted by those who may not.
fn events() -> Vec<String> {
    let group = |id: u32| json!({"groupId": format!("sg-{id}")});
    let (open, revert) = ("ec2:AuthorizeSecurityGroupIngress", "REVERT_DRIFT");
    vec![
        call(1, "ana", open, &group(1)),
        call(2, "ana", open, &group(2)),
        call(3, "root", open, &group(3)),
        call(4, "ben", open, &group(4)),
        call(5, "ben", open, &group(5)),
        call(6, "ben", open, &group(6)),
        call(7, "ben", "cloudformation:UpdateStack", &json!({"stackName": "shop"})),
        call(10, "deploy", open, &group(2)),
        call(11, "deploy", "ec2:DeleteSecurityGroup", &group(3)),
        call(
            12,
            "deploy",
            "cloudformation:CreateChangeSet",
            &json!({"stackName": "shop", "changeSetName": "back", "deploymentMode": revert}),
        ),
        call(
            13,
            "deploy",
            "cloudformation:ExecuteChangeSet",
            &json!({"stackName": "shop", "changeSetName": "back"}),
        ),
        acceptance(20, "999999999999", 4, "carol"),
        acceptance(20, "999999999999", 5, "ben"),
        acceptance(20, "111122223333", 6, "carol"),
        call(30, "ana", open, &group(2)),
    ]
}

const EXPECTED: [&str; 7] = [
    "ec2:eu-central-1:111122223333:security-group/sg-1 open",
    "ec2:eu-central-1:111122223333:security-group/sg-5 open",
    "ec2:eu-central-1:111122223333:security-group/sg-6 open",
    "ec2:eu-central-1:111122223333:security-group/sg-2 open",
    "ec2:eu-central-1:111122223333:security-group/sg-3 gone",
    "ec2:eu-central-1:111122223333:security-group/sg-4 accepted",
    "cloudformation:eu-central-1:111122223333:stack/shop reverted",
];

fn states(items: &[Item]) -> Vec<String> {
    items.iter().map(|item| format!("{} {}", item.resource, item.state.as_str())).collect()
}

/// What a replay of the records makes of them.
fn replayed(events: &[String], policy: &Policy) -> Vec<Item> {
    let mut ledger = Ledger::default();
    for event in events {
        let value: Value = serde_json::from_str(event).unwrap();
        if value["detail-type"].is_string() {
            let (from, came) =
                (value["account"].as_str().unwrap(), value["time"].as_str().and_then(Time::parse));
            ledger.add(Accepted::read(&value["detail"].to_string(), from, came).unwrap());
            continue;
        }
        let Ok((Entry::Record(record), _)) = Record::read(event) else { panic!("a record") };
        let call = Call::classify(record, policy, &mut Trace::off());
        let verdict = engine(policy).judge(&call, &mut Trace::off());
        of(&call, policy, &verdict).observations.into_iter().for_each(|one| ledger.add(one));
    }
    items(&ledger, policy)
}

fn items(ledger: &Ledger, policy: &Policy) -> Vec<Item> {
    ledger.items(&Terms { now: NOW, cases: &policy.cases })
}

/// Midnight of the day after, when the sweep looks at the ledger.
const NOW: Time = Time::from_timestamp(1_773_532_800);

fn remembered(world: &InMemory, policy: &Policy) -> Vec<Item> {
    let faulty = FaultInjection::new(world);
    items(&run(&faulty, live::recall(&faulty)).unwrap().unwrap(), policy)
}

fn both(faulty: &FaultInjection<'_>, policy: &Policy, events: &[&str]) {
    run(faulty, deliver(faulty, &DriftFunction::new(engine(policy), LEASE, Canary::default()), events));
    run(faulty, deliver(faulty, &BreakGlassFunction::new(engine(policy), LEASE), events));
}

fn plain(events: &[String]) -> Vec<&str> {
    events.iter().map(String::as_str).collect()
}

#[test]
fn a_stack_remembers_what_a_replay_makes_of_the_records() {
    let (policy, events, world) = (policy(), events(), InMemory::default());
    assert_eq!(states(&replayed(&events, &policy)), EXPECTED);
    both(&FaultInjection::new(&world), &policy, &plain(&events));
    let items = remembered(&world, &policy);
    // What was sent from another account than those that approve is a dead letter, and not in the ledger.
    assert_eq!(world.dead.borrow().len(), 1, "{:?}", world.dead.borrow());
    assert!(world.dead.borrow()[0].1.contains("`approvals_from`"));
    assert_eq!(states(&items), EXPECTED);
    assert!(items[1].refused.iter().any(|why| why.contains("another person")), "{:?}", items[1]);
    // Once a day the sweep counts them.
    world.time.set(NOW.timestamp());
    let before = world.observations.borrow().len();
    let faulty = FaultInjection::new(&world);
    run(&faulty, sweep(&faulty, &policy, &settings(), NOW)).unwrap().unwrap();
    let open = |world: &InMemory| world.report.borrow().sum(Metric::DriftItemsOpen("day"));
    assert!((open(&world) - 4.0).abs() < 0.1, "{}", open(&world));
    assert!(world.observations.borrow().len() >= before);
    let noon = Time::from_timestamp(NOW.timestamp() + 43_200);
    world.time.set(noon.timestamp());
    run(&faulty, sweep(&faulty, &policy, &settings(), noon)).unwrap().unwrap();
    assert!((open(&world) - 4.0).abs() < 0.1, "each metric is billed by the hour: not again on that day");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    /// Each event one to four times, in random order and batches, by three environments of each function at a time.
    #[test]
    fn order_repeats_and_company_make_no_difference_to_the_ledger(seed in any::<u64>()) {
        let (policy, events) = (policy(), events());
        let mut state = seed | 1;
        let mut dice = move |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state >> 33).unwrap() % below
        };
        let mut shuffled: Vec<&str> = events.iter().flat_map(|event| vec![event.as_str(); 1 + dice(4)]).collect();
        for index in (1..shuffled.len()).rev() {
            shuffled.swap(index, dice(index + 1));
        }
        let mut shares: Vec<Vec<Vec<&str>>> = vec![vec![]; 6];
        for function in 0..2 {
            let mut rest = shuffled.as_slice();
            while !rest.is_empty() {
                let (batch, behind) = rest.split_at((1 + dice(9)).min(rest.len()));
                shares[function * 3 + dice(3)].push(batch.to_vec());
                rest = behind;
            }
        }
        let world = InMemory::default();
        let roughs: Vec<FaultInjection<'_>> = (0..6).map(|_| FaultInjection::new(&world)).collect();
        let (drift, glass) = (DriftFunction::new(engine(&policy), LEASE, Canary::default()), BreakGlassFunction::new(engine(&policy), LEASE));
        let mut functions: Vec<Pin<Box<dyn Future<Output = ()> + '_>>> = Vec::new();
        for ((index, share), faulty) in shares.iter().enumerate().zip(&roughs) {
            let (drift, glass) = (&drift, &glass);
            functions.push(Box::pin(async move {
                for batch in share {
                    if index < 3 { deliver(faulty, drift, batch).await } else { deliver(faulty, glass, batch).await };
                }
            }));
        }
        run_together(functions, &mut dice);
        prop_assert_eq!(states(&remembered(&world, &policy)), EXPECTED);
        // Each is remembered once, however often it came.
        let once = InMemory::default();
        both(&FaultInjection::new(&once), &policy, &plain(&events));
        let kept = |world: &InMemory| {
            let all = world.observations.borrow();
            all.iter().filter(|((partition, _), _)| partition == live::PARTITION)
                .map(|(key, text)| (key.clone(), text.clone())).collect::<Vec<_>>()
        };
        prop_assert_eq!(kept(&world), kept(&once));
    }
}

/// Every fault at every call: then the batch is delivered again.
fn at_every_step<F: Function>(function: &F, policy: &Policy, events: &[&str], usual: &[Item]) -> usize {
    let (steps, told_once) = {
        let world = InMemory::default();
        let faulty = FaultInjection::new(&world);
        run(&faulty, deliver(&faulty, function, events)).unwrap();
        (faulty.calls.take(), told(&world))
    };
    for (step, name) in steps.iter().enumerate() {
        for fault in Fault::ALL {
            let world = InMemory::default();
            let faulty = FaultInjection::with(&world, step, fault);
            // What failed is answered so, and comes again by itself; after a function that was killed all does.
            if run(&faulty, deliver(&faulty, function, events)).is_none() {
                world.time.set(world.time.get() + 360);
                let faulty = FaultInjection::new(&world);
                run(&faulty, deliver(&faulty, function, events)).unwrap();
            }
            let context = format!("{fault:?} at call {step}, {name}, of {}", function.name());
            assert_eq!(states(&remembered(&world, policy)), states(usual), "{context}");
            // What is remembered for the ledger makes no alert come twice, or not at all; what was claimed the sweep sends.
            assert!(told(&world).keys().all(|key| told_once.contains_key(key)), "{context}");
        }
    }
    steps.len()
}

#[test]
fn a_fault_at_any_step_loses_nothing_of_the_ledger() {
    let (policy, events) = (policy(), events());
    let events = plain(&events);
    let (drift, glass) = (
        DriftFunction::new(engine(&policy), LEASE, Canary::default()),
        BreakGlassFunction::new(engine(&policy), LEASE),
    );
    let usual = |detector: &dyn Fn(&FaultInjection<'_>)| {
        let world = InMemory::default();
        detector(&FaultInjection::new(&world));
        remembered(&world, &policy)
    };
    let of_drift = usual(&|faulty| {
        run(faulty, deliver(faulty, &drift, &events));
    });
    let of_glass = usual(&|faulty| {
        run(faulty, deliver(faulty, &glass, &events));
    });
    assert!(of_drift.len() == 6 && of_glass.len() == 1, "{} {}", of_drift.len(), of_glass.len());
    let steps = at_every_step(&drift, &policy, &events, &of_drift)
        + at_every_step(&glass, &policy, &events, &of_glass);
    assert!(steps > 30, "{steps}");
}

#[test]
fn a_fault_at_any_step_of_the_daily_count_changes_nothing() {
    let (policy, events, world) = (policy(), events(), InMemory::default());
    both(&FaultInjection::new(&world), &policy, &plain(&events));
    world.time.set(NOW.timestamp());
    let counting = |faulty: &FaultInjection<'_>| {
        let mut report = handsoff_runtime::Report::default();
        run(faulty, live::count(faulty, &policy.cases, NOW, &mut report));
    };
    let faulty = FaultInjection::new(&world);
    counting(&faulty);
    let steps = faulty.calls.take();
    assert!(steps.len() > 5, "{steps:?}");
    for (step, name) in steps.iter().enumerate() {
        for fault in Fault::ALL {
            let world = world.clone();
            counting(&FaultInjection::with(&world, step, fault));
            assert_eq!(states(&remembered(&world, &policy)), EXPECTED, "{fault:?} at call {step}, {name}");
        }
    }
}
