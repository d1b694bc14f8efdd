//! `handsoff replay`: the detectors over saved logs.

mod cases;
pub(crate) mod digest_notes;
mod distinct;
mod each;
pub(crate) mod findings;
mod issuers;
mod moments;
pub(crate) mod progress;
mod service_events;
pub(crate) mod sessions;
pub(crate) mod spool;
mod tally;
mod times;

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use handsoff_core::{Engine, FastPath, Policy};

use crate::args::{Format, PolicyArgs, Replay};
use crate::input::{self, Problem, Reader, Source, Stages};
use crate::load::LoadError;
use crate::numbers::count_of;
use crate::outcome::Outcome;
use crate::report::compare::{By, Comparison};
use crate::{Exit, load, output, report};

use each::Each;

use tally::Learned;
pub use tally::{Options, Tally};

/// Runs the command.
///
/// # Errors
/// Only when the output can't be written.
pub fn run(args: &Replay, out: &mut dyn Write) -> io::Result<Exit> {
    let (policy, other) = match policies(args) {
        Ok(policies) => policies,
        Err(why) => {
            output::error(&why.to_string());
            return Ok(Exit::Failure);
        }
    };
    if let Err(why) = possible(args) {
        output::error(&why.to_string());
        return Ok(Exit::Failure);
    }
    let policies: Vec<&Policy> = [&policy].into_iter().chain(&other).collect();
    let mut found = input::find(&args.paths);
    let bar = progress::Bar::new(&found.sources);
    let threads = args.threads.map_or_else(cores, std::num::NonZeroUsize::get);
    let (mut tallies, stages) =
        judge_by(&policies, &found.sources, options(args), threads, &|bytes| bar.add(bytes));
    bar.finish();
    let compared = other.as_ref().and_then(|other| Some(tallies.pop()?.finish(other)));
    let mut tally = tallies.pop().unwrap_or_default();
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
    let mut kept = args.cases.as_ref().is_none_or(|below| write_cases(below, &outcome));
    if outcome.counts.read == 0 {
        output::nothing_read();
    }
    let first = By { name: &load::name(args.policy.policy.as_deref()), policy: &policy, outcome: &outcome };
    let comparison = match (&args.compare, &other, &compared) {
        (Some(file), Some(policy), Some(outcome)) => {
            let second = By { name: &load::name(Some(file)), policy, outcome };
            Some(Comparison::of(first, second, args.min_severity)?)
        }
        _ => None,
    };
    if let Some(file) = &args.report
        && let Err(source) = report::write(file, first, (args.since, args.until), comparison.as_ref())
    {
        output::error(&ReplayError::report(file, source).to_string());
        kept = false;
    }
    let incomplete = outcome.counts.read == 0 || outcome.counts.unreadable + outcome.counts.odd > 0;
    let exit = if !kept || incomplete {
        Exit::Failure
    } else if args.fail_on.is_some_and(|severity| outcome.worst >= Some(severity)) {
        Exit::Found
    } else {
        Exit::Success
    };
    match &comparison {
        Some(comparison) => report::compare::print(comparison, args.format, args.alerts, out)?,
        None => print(args, &policy, &outcome, out)?,
    }
    if args.format == Format::Text {
        output::summary(&outcome, &files, out)?;
    } else {
        // Closed standard error is no reason to fail.
        let _ = output::summary(&outcome, &files, &mut io::stderr().lock());
    }
    out.flush().map(|()| exit)
}

/// The policy that holds, and the one that it is compared with.
fn policies(args: &Replay) -> Result<(Policy, Option<Policy>), LoadError> {
    let policy = load::policy(&args.policy)?;
    let other = args.compare.as_ref().map(|file| {
        let own = &args.policy;
        let (deploy_role, break_glass) = (own.deploy_role.clone(), own.break_glass.clone());
        load::policy(&PolicyArgs { policy: Some(file.clone()), deploy_role, break_glass })
    });
    Ok((policy, other.transpose()?))
}

fn options(args: &Replay) -> Options {
    // A report and a comparison ask for all: whole findings, and what would have been sent.
    let all = args.report.is_some() || args.compare.is_some();
    let by_line = args.format != Format::Text && !args.alerts;
    Options {
        since: args.since,
        until: args.until,
        keep_findings: by_line || all,
        count_incidents: by_line && !all,
        keep_cases: args.cases.is_some() || args.alerts || all,
        keep_digest_notes: args.alerts,
        time_stages: args.timings,
    }
}

/// Why a replay can't do what its options say.
#[derive(Debug, thiserror::Error)]
enum ReplayError {
    #[error("--since is not before --until: the period is empty")]
    NoPeriod,
    #[error("--compare has no CSV: use --format jsonl")]
    NoCsv,
    #[error("{file}: the report can't be written: {source}")]
    Report { file: String, source: io::Error },
}

impl ReplayError {
    fn report(file: &std::path::Path, source: io::Error) -> Self {
        Self::Report { file: handsoff_core::show::clean(&file.display().to_string(), 500), source }
    }
}

/// Whether the options can be followed, before anything is read.
fn possible(args: &Replay) -> Result<(), ReplayError> {
    if matches!((args.since, args.until), (Some(since), Some(until)) if since >= until) {
        return Err(ReplayError::NoPeriod);
    }
    if args.compare.is_some() && args.format == Format::Csv {
        return Err(ReplayError::NoCsv);
    }
    match &args.report {
        Some(file) => report::may_be_written(file).map_err(|source| ReplayError::report(file, source)),
        None => Ok(()),
    }
}

/// Writes the cases. Tells what went wrong, and whether nothing did.
fn write_cases(below: &std::path::Path, outcome: &Outcome) -> bool {
    let mut err = io::stderr().lock();
    // Closed standard error is no reason to fail.
    match cases::write(below, &outcome.cases) {
        Ok(others) => {
            let count = count_of(outcome.cases.len() as u64, "case");
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

fn print(args: &Replay, policy: &Policy, outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    match (args.alerts, args.format) {
        (true, format) => output::alerts(outcome, policy, format, args.min_severity, out),
        (false, Format::Text) => output::text(outcome, args.min_severity, out),
        (false, Format::Jsonl) => output::jsonl(outcome.findings.iter(), args.min_severity, out),
        (false, Format::Csv) => output::csv(outcome.findings.iter(), args.min_severity, out),
    }
}

/// Judges all records of the sources. The same whatever the number of threads.
///
/// Where some are copies of others, or were corrected, all are read once more, without those: only then it is known
/// which. So they are where one record shows that AWS gave the session of another's unknown caller to code.
pub fn judge(
    sources: &[Source],
    policy: &Policy,
    options: Options,
    threads: usize,
    progress: &(dyn Fn(u64) + Sync),
) -> (Tally, Stages) {
    let (mut tallies, stages) = judge_by(&[policy], sources, options, threads, progress);
    (tallies.pop().unwrap_or_default(), stages)
}

/// The same by each of several policies, in one reading.
pub fn judge_by(
    policies: &[&Policy],
    sources: &[Source],
    options: Options,
    threads: usize,
    progress: &(dyn Fn(u64) + Sync),
) -> (Vec<Tally>, Stages) {
    let engines: Vec<Engine<'_>> = policies.iter().map(|policy| handsoff_functions::engine(policy)).collect();
    let pass = Pass { sources, engines: &engines, options, threads };
    let mut all = pass.run(&vec![Arc::default(); policies.len()], progress);
    let learned: Vec<Option<Learned>> = all.0.iter().map(Tally::learned).collect();
    if learned.iter().any(Option::is_some) {
        let learned: Vec<_> =
            learned.into_iter().map(|learned| Arc::new(learned.unwrap_or_default())).collect();
        all = pass.run(&learned, progress);
    }
    for (tally, engine) in all.0.iter_mut().zip(&engines) {
        tally.follow(sources, engine, progress);
    }
    all
}

/// One reading of all sources.
struct Pass<'s> {
    sources: &'s [Source],
    engines: &'s [Engine<'s>],
    options: Options,
    threads: usize,
}

impl Pass<'_> {
    fn run(&self, learned: &[Arc<Learned>], progress: &(dyn Fn(u64) + Sync)) -> (Vec<Tally>, Stages) {
        let Self { sources, engines, options, .. } = *self;
        let next = AtomicUsize::new(0);
        let tallies = || learned.iter().map(|learned| Tally::new(options).knowing(learned)).collect();
        let work = || {
            let mut tallies: Vec<Tally> = tallies();
            let mut reader = Reader::default();
            let known = engines.iter().zip(learned);
            let mut fast_paths: Vec<FastPath<'_>> =
                known.map(|(engine, learned)| engine.fast_path().knowing(&learned.origins)).collect();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(source) = sources.get(index) else { break };
                let each = tallies.iter_mut().zip(engines).zip(&mut fast_paths);
                let sinks =
                    each.map(|((tally, engine), fast_path)| tally.source((index, source), engine, fast_path));
                reader.read(source, &mut Each(sinks.collect::<Vec<_>>()), &progress);
            }
            (tallies, reader.stages)
        };
        let threads = self.threads.min(sources.len()).max(1);
        let parts: Vec<(Vec<Tally>, Stages)> = thread::scope(|scope| {
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
        let mut all: (Vec<Tally>, Stages) = (tallies(), Stages::default());
        for (tallies, stages) in parts {
            for (own, tally) in all.0.iter_mut().zip(tallies) {
                own.merge(tally);
            }
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
