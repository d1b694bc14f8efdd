//! `handsoff explain`: the whole way of each record to its verdict.

use std::collections::HashMap;
use std::io::{self, Write};

use handsoff_cloudtrail::Record;
use handsoff_core::origins::Origins;
use handsoff_core::{Disposition, Finding, Key, Policy, Step, show::clean};
use handsoff_deny_spike::Denial;

use crate::args::Explain;
use crate::engine::{self, Verdict};
use crate::input::{self, Place, Position, Reader, Sink, Source};
use crate::problems::Problems;
use crate::{Exit, load, output};

/// One record's way to its verdict.
#[derive(Clone, Debug)]
pub struct Explained {
    /// Where it stands.
    pub position: Position,
    /// CloudTrail's ID of the event.
    pub event_id: String,
    /// What makes deliveries of the same event one.
    pub key: Key,
    /// The headline: time, action, principal.
    pub headline: String,
    /// The steps.
    pub steps: Vec<Step>,
    /// What came of it. Denied calls are decided by their neighbours in the same file.
    pub verdict: Verdict,
}

/// Runs the command.
///
/// # Errors
/// Only when the output can't be written.
pub fn run(args: &Explain, out: &mut dyn Write) -> io::Result<Exit> {
    let policy = match load::policy(&args.policy) {
        Ok(policy) => policy,
        Err(problems) => {
            let _ = io::stderr().write_all(problems.as_bytes());
            return Ok(Exit::Failure);
        }
    };
    let found = input::find(std::slice::from_ref(&args.file));
    let mut problems = Problems::default();
    for problem in found.problems {
        problems.add(problem);
    }
    let (mut matched, mut read) = (false, 0);
    for (index, source) in found.sources.iter().enumerate() {
        let sink = Explaining::of(source, &policy);
        for (position, message) in sink.problems {
            problems.add(input::Problem {
                source: index,
                file: source.name(),
                position,
                message,
                lost: true,
            });
        }
        read += sink.explained.len();
        for explained in resolve(sink.explained, &policy) {
            if args.event_id.as_ref().is_none_or(|id| *id == explained.event_id) {
                matched = true;
                print(&explained, out)?;
            }
        }
    }
    output::problems(&problems);
    output::left_out(&found.left_out);
    if read == 0 {
        output::nothing_read();
        return Ok(Exit::Failure);
    }
    if let (Some(id), false) = (&args.event_id, matched) {
        output::error(&format!("no record has the event ID `{}`", clean(id, 64)));
        return Ok(Exit::Failure);
    }
    Ok(if problems.is_empty() { Exit::Success } else { Exit::Failure })
}

/// Explains all records of a source.
pub struct Explaining<'p> {
    /// The policy that holds.
    pub policy: &'p Policy,
    /// What other records of the source say of where sessions come from.
    origins: Origins,
    /// What was explained.
    pub explained: Vec<Explained>,
    /// What could not be read.
    pub problems: Vec<(Option<Position>, String)>,
}

impl<'p> Explaining<'p> {
    /// Reads a source: once for what its records say of each other's sessions, and once more to explain them.
    pub fn of(source: &Source, policy: &'p Policy) -> Self {
        let mut first = Noting::default();
        Reader::default().read(source, &mut first, &|_| {});
        let mut all = Self { policy, origins: first.0, explained: Vec::new(), problems: Vec::new() };
        Reader::default().read(source, &mut all, &|_| {});
        all
    }
}

impl Sink for Explaining<'_> {
    fn record(&mut self, record: &Record<'_>, place: &Place<'_>) {
        let mut steps = Vec::new();
        let text = |raw: handsoff_cloudtrail::json::Raw<'_>| {
            raw.text().map_or("-".to_owned(), |text| clean(&text, 64))
        };
        let headline =
            format!("{}  {} {}", text(record.event_time), text(record.event_source), text(record.event_name));
        let event_id = text(record.event_id);
        let verdict = engine::judge(*record, self.policy, &self.origins, &mut steps);
        self.explained.push(Explained {
            position: place.position(),
            event_id,
            key: Key::of(record),
            headline,
            steps,
            verdict,
        });
    }

    fn problem(&mut self, position: Option<Position>, message: String) {
        self.problems.push((position, message));
    }
}

/// Notes where sessions come from.
#[derive(Default)]
struct Noting(Origins);

impl Sink for Noting {
    fn record(&mut self, record: &Record<'_>, _: &Place<'_>) {
        self.0.note(record);
    }

    // Told by the second reading.
    fn problem(&mut self, _: Option<Position>, _: String) {}
}

/// Decides the denied calls, which depend on each other.
pub fn resolve(mut explained: Vec<Explained>, policy: &Policy) -> Vec<Explained> {
    let denials: Vec<Denial> = explained
        .iter()
        .filter_map(|one| match &one.verdict {
            Verdict::Denied(denial) => Some((**denial).clone()),
            _ => None,
        })
        .collect();
    let spikes: HashMap<Key, Finding> = handsoff_deny_spike::judge(denials, &policy.denials)
        .into_iter()
        .map(|finding| (finding.key, finding))
        .collect();
    for one in &mut explained {
        if !matches!(one.verdict, Verdict::Denied(_)) {
            continue;
        }
        let (verdict, found) = match spikes.get(&one.key) {
            Some(finding) => (Verdict::Finding(Box::new(finding.clone())), finding.reason.clone()),
            None => (
                Verdict::Nothing(Disposition::Denied),
                format!(
                    "fewer than {} denied calls, and fewer than {} different actions, of this principal within {} s ({})",
                    policy.denials.count, policy.denials.actions, policy.denials.window, policy.denials.line
                ),
            ),
        };
        one.steps.push(Step { what: "window", found });
        one.verdict = verdict;
    }
    explained
}

fn print(explained: &Explained, out: &mut dyn Write) -> io::Result<()> {
    let Position { line, column, .. } = explained.position;
    writeln!(out, "{}\n  event {}, at {line}:{column}", explained.headline, explained.event_id)?;
    for step in &explained.steps {
        wrapped(out, step.what, &step.found)?;
    }
    match &explained.verdict {
        Verdict::Finding(finding) | Verdict::Glass(finding, _) => {
            wrapped(out, "verdict", &format!("{} {}: {}", finding.severity, finding.code, finding.reason))?;
            wrapped(out, "incident", &finding.incident)?;
        }
        Verdict::Excepted(_) | Verdict::Nothing(_) => {
            let nothing = match explained.verdict {
                Verdict::Nothing(nothing) => nothing,
                _ => Disposition::Excepted,
            };
            wrapped(out, "verdict", &format!("nothing to report ({nothing}): {}", nothing.meaning()))?;
        }
        Verdict::Denied(_) => wrapped(out, "verdict", "denied")?,
    }
    writeln!(out)
}

fn wrapped(out: &mut dyn Write, name: &str, value: &str) -> io::Result<()> {
    let first = format!("    {name:<30}");
    let options = textwrap::Options::new(114)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .initial_indent(&first)
        .subsequent_indent("                                  ");
    for line in textwrap::wrap(value, options) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}
