//! The drift function over records, in a world in memory.

use handsoff_cloudtrail::Time;
use handsoff_core::Policy;
use handsoff_drift::live::{Canary, DriftFunction};
use handsoff_functions::engine;
use handsoff_testing::fault_injection::{FaultInjection, LEASE, deliver, run};
use handsoff_testing::in_memory::InMemory;

/// A process of the function.
pub fn function(policy: &Policy) -> DriftFunction<'_> {
    DriftFunction::new(engine(policy), LEASE, Canary::default())
}

/// An empty world at this time.
pub fn world_at(time: &str) -> InMemory {
    let world = InMemory::default();
    set(&world, time);
    world
}

/// Sets a world's clock.
pub fn set(world: &InMemory, time: &str) {
    world.time.set(Time::parse(time).unwrap().timestamp());
}

/// Brings a process of the function a batch. Returns the names of the calls that it made.
pub fn bring(world: &InMemory, function: &DriftFunction<'_>, records: &[String]) -> Vec<&'static str> {
    let faulty = FaultInjection::new(world);
    let plain: Vec<&str> = records.iter().map(String::as_str).collect();
    run(&faulty, deliver(&faulty, function, &plain)).unwrap();
    faulty.calls.take()
}
