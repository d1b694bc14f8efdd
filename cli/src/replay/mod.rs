//! `handsoff replay`: the detectors over saved logs.

mod cases;
mod distinct;
mod findings;
mod moments;
pub(crate) mod progress;
mod sessions;
pub(crate) mod spool;
mod tally;

use std::collections::HashSet;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use handsoff_watch::{Policy, Skim};

use crate::args::{Format, Replay};
use crate::input::{self, Problem, Reader, Source, Stages};
use crate::outcome::Outcome;
use crate::{Exit, load, output};

pub use findings::Findings;
pub use sessions::Case;
pub use tally::{Options, Tally};

/// Runs the command.
///
/// # Errors
/// Only when the output can't be written.
pub fn run(args: &Replay, out: &mut dyn Write) -> io::Result<Exit> {
    let policy = match load::policy(&args.policy) {
        Ok(policy) => policy,
        Err(problems) => {
            let _ = io::stderr().write_all(problems.as_bytes());
            return Ok(Exit::Wrong);
        }
    };
    if matches!((args.since, args.until), (Some(since), Some(until)) if since >= until) {
        output::error("--since is not before --until: nothing lies between them");
        return Ok(Exit::Wrong);
    }
    let mut found = input::find(&args.paths);
    let by_line = args.format != Format::Text && !args.alerts;
    let options = Options {
        since: args.since,
        until: args.until,
        keep_findings: by_line,
        count_incidents: by_line,
        keep_cases: args.cases.is_some() || args.alerts,
        time_stages: args.timings,
    };
    let bar = progress::Bar::new(&found.sources);
    let threads = args.threads.map_or_else(cores, std::num::NonZeroUsize::get);
    let (mut tally, stages) = judge(&found.sources, &policy, options, threads, &|bytes| bar.add(bytes));
    bar.finish();
    if args.timings {
        tell_timings(stages, tally.decide);
    }
    tally.add_problems(std::mem::take(&mut found.problems));
    let outcome = tally.finish(&policy);
    output::problems(&outcome.problems);
    if args.verbose {
        output::left_out(&found.left_out);
    }
    let files = output::Files::new(&found);
    let mut kept = true;
    if let Some(below) = &args.cases {
        kept = write_cases(below, &outcome);
    }
    if outcome.counts.read == 0 {
        output::nothing_read();
    }
    let incomplete = outcome.counts.read == 0 || outcome.counts.unreadable + outcome.counts.odd > 0;
    let exit = if !kept || incomplete {
        Exit::Wrong
    } else if args.fail_on.is_some_and(|severity| outcome.worst >= Some(severity)) {
        Exit::Found
    } else {
        Exit::Fine
    };
    print(args, &policy, &outcome, &files, out).map(|()| exit)
}

/// Writes the cases. Tells what went wrong, and whether nothing did.
fn write_cases(below: &std::path::Path, outcome: &Outcome) -> bool {
    let mut err = io::stderr().lock();
    // Closed standard error is no reason to fail.
    match cases::write(below, &outcome.cases) {
        Ok(others) => {
            let count = output::count_of(outcome.cases.len() as u64, "case");
            let _ = writeln!(err, "{count} in {}", below.display());
            for other in &others {
                let _ = writeln!(err, "error: {other} is there already, with another case: left as it is");
            }
            others.is_empty()
        }
        Err(error) => {
            let _ = writeln!(err, "error: can't write the cases to {}: {error}", below.display());
            false
        }
    }
}

fn print(
    args: &Replay,
    policy: &Policy,
    outcome: &Outcome,
    files: &output::Files,
    out: &mut dyn Write,
) -> io::Result<()> {
    match (args.alerts, args.format) {
        (true, format) => output::alerts(outcome, policy, format, args.min_severity, out)?,
        (false, Format::Text) => output::text(outcome, args.min_severity, out)?,
        (false, Format::Jsonl) => output::jsonl(outcome.findings.iter(), args.min_severity, out)?,
        (false, Format::Csv) => output::csv(outcome.findings.iter(), args.min_severity, out)?,
    }
    if args.format == Format::Text {
        output::summary(outcome, files, out)?;
    } else {
        // Closed standard error is no reason to fail.
        let _ = output::summary(outcome, files, &mut io::stderr().lock());
    }
    out.flush()
}

/// Judges all records of the sources. The same whatever the number of threads.
///
/// Where some are copies of others, or were corrected, all are read once more, without those: only then it is known
/// which.
pub fn judge(
    sources: &[Source],
    policy: &Policy,
    options: Options,
    threads: usize,
    progress: &(dyn Fn(u64) + Sync),
) -> (Tally, Stages) {
    let pass = Pass { sources, policy, options, threads };
    let mut all = pass.run(&Arc::default(), progress);
    let left_out = all.0.superseded();
    if !left_out.is_empty() {
        all = pass.run(&Arc::new(left_out), progress);
    }
    all.0.follow(sources, policy, progress);
    all
}

/// One reading of all sources.
struct Pass<'s> {
    sources: &'s [Source],
    policy: &'s Policy,
    options: Options,
    threads: usize,
}

impl Pass<'_> {
    fn run(&self, left_out: &Arc<HashSet<u64>>, progress: &(dyn Fn(u64) + Sync)) -> (Tally, Stages) {
        let Self { sources, policy, options, .. } = *self;
        let next = AtomicUsize::new(0);
        let work = || {
            let mut tally = Tally::new(options).without(left_out);
            let mut reader = Reader::default();
            let mut skim = Skim::new(policy);
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(source) = sources.get(index) else { break };
                reader.read(source, &mut tally.source(index, source, policy, &mut skim), &progress);
            }
            (tally, reader.stages)
        };
        let threads = self.threads.min(sources.len()).max(1);
        let parts: Vec<(Tally, Stages)> = thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            let mut parts = vec![work()];
            // INVARIANT: a worker doesn't panic; were it to, its records would be missing, and that must be seen.
            parts.extend(
                others
                    .into_iter()
                    .map(|other| other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))),
            );
            parts
        });
        let mut all = (Tally::new(options).without(left_out), Stages::default());
        for (tally, stages) in parts {
            all.0.merge(tally);
            all.1.inflate += stages.inflate;
            all.1.records += stages.records;
        }
        all
    }
}

/// One thread a core.
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}

fn tell_timings(stages: Stages, decide: std::time::Duration) {
    let read = stages.records.saturating_sub(decide);
    let timings = serde_json::json!({ "timings": {
        "inflate_s": stages.inflate.as_secs_f64(),
        "read_s": read.as_secs_f64(),
        "decide_s": decide.as_secs_f64(),
    }});
    let _ = writeln!(io::stderr(), "{timings}");
}

/// The problems of files that could not even be opened count like all others.
impl Tally {
    pub(crate) fn add_problems(&mut self, problems: Vec<Problem>) {
        for problem in problems {
            self.problem(problem);
        }
    }
}
