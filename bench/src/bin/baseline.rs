//! The yardstick: how fast log files can be inflated, and inflated and parsed, on this machine.

use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use clap::{Parser, ValueEnum};
use handsoff_bench::error::Error;
use handsoff_bench::listing::log_files;
use handsoff_bench::yardstick::{Mode, measure};
use serde_json::{Value, json};

/// Read all `.json.gz` files under a directory and say how long it took, as one JSON line.
#[derive(Debug, Parser)]
#[command(name = "handsoff-baseline", version)]
struct Args {
    /// How much to do with each file
    #[arg(long, value_enum)]
    mode: ModeArg,
    /// Where the log files are
    dir: PathBuf,
    /// How many files to read at a time [default: one a core]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ModeArg {
    /// Inflate it
    Inflate,
    /// Inflate it, check its UTF-8 and parse its records
    Parse,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<Value, Error> {
    let mode = match args.mode {
        ModeArg::Inflate => Mode::Inflate,
        ModeArg::Parse => Mode::Parse,
    };
    let threads = args.threads.or_else(|| thread::available_parallelism().ok().map(Into::into)).unwrap_or(1);
    let start = Instant::now();
    let files = log_files(&args.dir)?;
    let tally = measure(&files, mode, threads)?;
    let seconds = start.elapsed().as_secs_f64();
    // Inflating alone does not see records.
    let parsed = |count: u64| (mode == Mode::Parse).then_some(count);
    Ok(json!({
        "mode": mode,
        "threads": threads,
        "files": files.len(),
        "records": parsed(tally.records),
        "not_read_only": parsed(tally.writes),
        "raw_bytes": tally.raw,
        "wall_s": rounded(seconds, 1_000.0),
        "records_per_s": parsed(tally.records).map(|count| rounded(per(count, seconds), 1.0)),
        "mb_per_s": rounded(per(tally.raw, seconds) / 1e6, 10.0),
    }))
}

#[expect(clippy::cast_precision_loss, reason = "a rate is read by people, and 2⁵³ is far away")]
fn per(count: u64, seconds: f64) -> f64 {
    count as f64 / seconds.max(f64::EPSILON)
}

fn rounded(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts
}
