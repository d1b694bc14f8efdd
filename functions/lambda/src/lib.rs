//! The registry of the detectors: one line each. What runs detectors, here or on a laptop, gets them here.

mod live;

pub use live::DetectorFunction;

use handsoff_break_glass::BreakGlass;
use handsoff_core::rules::Rule;
use handsoff_core::{Detectors, Engine, Policy, code};
use handsoff_deny_spike::DenySpike;
use handsoff_drift::Drift;
use handsoff_pipeline::Pipeline;

/// All detectors. Of two claims of one priority the earlier has the call.
const DETECTORS: Detectors = &[
    &BreakGlass, //
    &Drift,
    &Pipeline,
    &DenySpike,
];

/// All detectors, after their codes have been made known.
pub fn detectors() -> Detectors {
    code::register(DETECTORS.iter().flat_map(|detector| detector.about().codes).copied());
    DETECTORS
}

/// All detectors under a policy.
pub fn engine(policy: &Policy) -> Engine<'_> {
    Engine::new(detectors(), policy)
}

/// The EventBridge rules of all detectors, for CloudTrail's events.
pub fn rules() -> Vec<Rule> {
    DETECTORS.iter().flat_map(|detector| detector.about().rules).copied().collect()
}
