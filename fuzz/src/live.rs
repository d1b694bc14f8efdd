use futures_util::FutureExt;
use handsoff_break_glass::live::BreakGlassFunction;
use handsoff_cloudtrail::TimeDelta;
use handsoff_cloudtrail::json::Raw;
use handsoff_core::Policy;
use handsoff_deny_spike::live::DenySpikeFunction;
use handsoff_drift::live::{Canary, DriftFunction};
use handsoff_functions::engine;
use handsoff_pipeline::live::PipelineFunction;
use handsoff_runtime::{Answer, Delivery, Envelope, Function, Lease, handle};
use handsoff_testing::in_memory::InMemory;

/// A batch of events, one a line, is done with whatever is in it, each that can't be read is a dead letter of every
/// function; and delivered again, backwards and one by one, it leads to the same memory.
pub fn live(data: &[u8]) -> usize {
    let text = String::from_utf8_lossy(data);
    // A queue hands over ten.
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).take(10).collect();
    let policy = crate::sample_policy();
    let (once, again) = (InMemory::default(), InMemory::default());
    for world in [&once, &again] {
        world.time.set(1_773_500_000);
    }
    all(&once, &policy, &lines);
    let dead = once.dead.borrow().len();
    assert_eq!(dead % 4, 0, "a dead letter of one function is one of all");
    for line in lines.iter().rev().chain(&lines) {
        all(&again, &policy, &[line]);
    }
    let (known, more) = (once.observations.borrow(), again.observations.borrow());
    // Who reports what a day's earlier calls become depends on who comes when; and so does which call from a key's new network is
    // taken for its first.
    let is_claim = |(partition, sort): &(String, String)| {
        (partition.starts_with("denied-day#") && sort.starts_with("told#"))
            || partition.starts_with("key-first#")
            || sort.contains("#long-lived-key#")
    };
    for (key, text) in known.iter().filter(|(key, _)| !is_claim(key)) {
        assert_eq!(more.get(key), Some(text), "the order makes a difference");
    }
    // A severe denied call that comes by itself is reported as that before the others show that it is one of many; and what a
    // deploy session does is stored until its beginning has come.
    let early = |(partition, sort): &(String, String)| {
        let denied = sort.contains("#denied-attack#") || partition.starts_with("found#");
        denied
            || is_claim(&(partition.clone(), sort.clone()))
            || (partition.starts_with("session#") && sort.starts_with("used#"))
    };
    for key in more.keys().filter(|key| !known.contains_key(*key)) {
        assert!(early(key), "the order makes a difference: {key:?}");
    }
    drop((known, more));
    once.observations.into_inner().len()
}

fn all(world: &InMemory, policy: &Policy, lines: &[&str]) {
    let lease = Lease(TimeDelta::seconds(90));
    deliver(world, &DriftFunction::new(engine(policy), lease, Canary::default()), lines);
    deliver(world, &BreakGlassFunction::new(engine(policy), lease), lines);
    deliver(world, &DenySpikeFunction::new(engine(policy), lease), lines);
    deliver(world, &PipelineFunction::new(engine(policy), lease), lines);
}

fn deliver<F: Function>(world: &InMemory, function: &F, lines: &[&str]) {
    let deliveries: Vec<Delivery<'_>> = lines
        .iter()
        .map(|line| {
            let detail = Raw::at(line, 0).ok().and_then(|(event, _)| event.get("detail"));
            let detail = detail.map_or(*line, |detail| detail.as_str());
            Delivery { payload: line, detail: Ok(detail), envelope: Envelope::default() }
        })
        .collect();
    let answers = handle(world, function, &deliveries).now_or_never().unwrap();
    assert!(answers.iter().all(|answer| *answer == Answer::Done), "{answers:?}");
}
