//! Each target over its samples as they are, and over some that are changed; the same ones each time.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use handsoff_fuzz::mutate::mutated;
use handsoff_fuzz::{TARGETS, seeds};

const CHANGED: usize = 300;

#[test]
fn all_targets_hold_for_the_samples_and_for_changed_ones() {
    for (name, target) in TARGETS {
        let seeds = seeds::of(name);
        let understood = seeds.iter().filter(|data| target(data) > 0).count();
        assert!(understood >= 3, "{name}: of {} samples {understood} were understood", seeds.len());
        let mut dice = fastrand::Rng::with_seed(1);
        let changed = (0..CHANGED).filter(|_| target(&mutated(&seeds, &mut dice)) > 0).count();
        println!("{name}: {understood} of {} samples, {changed} of {CHANGED} changed ones", seeds.len());
        assert!(changed * 20 > CHANGED, "{name}: of {CHANGED} changed samples {changed} were understood");
    }
}
