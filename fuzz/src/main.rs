//! `cargo run -p handsoff-fuzz -- [--seconds N] [--seed N] [TARGET…]`: changes samples and hands them to the targets, so
//! many seconds in all. Ends with status 1 at the first that doesn't hold, and leaves it in `target/fuzz-TARGET.bin`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a tool for developers: a wrong option ends it")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use handsoff_fuzz::mutate::mutated;
use handsoff_fuzz::{TARGETS, Target, seeds};

fn main() -> ExitCode {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let (mut seconds, mut seed, mut chosen) = (60, now, Vec::new());
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut number =
            || args.next().and_then(|it| it.parse().ok()).unwrap_or_else(|| panic!("{arg} takes a number"));
        match &*arg {
            "--seconds" => seconds = number(),
            "--seed" => seed = number(),
            name => chosen.push(
                *TARGETS
                    .iter()
                    .find(|(known, _)| *known == name)
                    .unwrap_or_else(|| panic!("no target `{name}`")),
            ),
        }
    }
    if chosen.is_empty() {
        chosen.extend(TARGETS);
    }
    let each = Duration::from_secs(seconds) / u32::try_from(chosen.len()).unwrap();
    for (name, target) in chosen {
        if !run(name, target, each, seed) {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn run(name: &str, target: Target, time: Duration, seed: u64) -> bool {
    let seeds = seeds::of(name);
    let (mut dice, until) = (fastrand::Rng::with_seed(seed), Instant::now() + time);
    let (mut tried, mut understood) = (0_u64, 0_u64);
    while Instant::now() < until {
        let data = mutated(&seeds, &mut dice);
        let Ok(found) = catch_unwind(AssertUnwindSafe(|| target(&data))) else {
            let file = format!("target/fuzz-{name}.bin");
            std::fs::write(&file, &data).unwrap();
            println!("{name}: doesn't hold for {file} ({} bytes, seed {seed})", data.len());
            return false;
        };
        understood += u64::from(found > 0);
        tried += 1;
    }
    println!(
        "{name}: {tried} inputs, {understood} of them understood, from {} samples, seed {seed}",
        seeds.len()
    );
    // Where nothing is understood, nothing was tried.
    understood > 0
}
