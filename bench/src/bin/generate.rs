//! Writes CloudTrail log files to measure with.

use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;

use clap::Parser;
use handsoff_bench::generate::{Summary, generate};

/// Write CloudTrail log files, in the layout they have in S3. The same seed gives the same files.
#[derive(Debug, Parser)]
#[command(name = "handsoff-generate", version)]
struct Args {
    /// How many records to write
    #[arg(long, value_name = "N")]
    records: u64,
    /// Where to put `AWSLogs/`
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// What the records follow from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many files to write at a time [default: one a core]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

fn main() -> ExitCode {
    let Args { records, out, seed, threads } = Args::parse();
    let threads = threads.or_else(|| thread::available_parallelism().ok().map(Into::into)).unwrap_or(1);
    match generate(records, seed, &out, threads) {
        Ok(Summary { records, files, raw, gzip }) => {
            let (raw, gzip) = (megabytes(raw), megabytes(gzip));
            println!("{records} records, {files} files, {raw} MB raw, {gzip} MB gzip");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Megabytes of a million bytes, with one decimal.
fn megabytes(bytes: u64) -> String {
    let tenths = (bytes + 50_000) / 100_000;
    format!("{}.{}", tenths / 10, tenths % 10)
}
