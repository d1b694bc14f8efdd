//! `handsoff explain`: the whole way of each record to its verdict.

use std::collections::HashMap;
use std::io::{self, Write};

use handsoff_cloudtrail::Record;
use handsoff_core::detector::{Related, Undecided};
use handsoff_core::origins::Origins;
use handsoff_core::story::{self, Index, Issued, Ties};
use handsoff_core::{Call, Disposition, Engine, Finding, Key, Step, Trace, Verdict, show::clean};

use crate::args::Explain;
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
    /// What the detectors keep of it, beside its verdict.
    related: Vec<Related>,
}

/// Runs the command.
///
/// # Errors
/// Only when the output can't be written.
pub fn run(args: &Explain, out: &mut dyn Write) -> io::Result<Exit> {
    let policy = match load::policy(&args.policy) {
        Ok(policy) => policy,
        Err(why) => {
            output::error(&why.to_string());
            return Ok(Exit::Failure);
        }
    };
    let engine = handsoff_functions::engine(&policy);
    let found = input::find(std::slice::from_ref(&args.file));
    let mut problems = Problems::default();
    for problem in found.problems {
        problems.add(problem);
    }
    let (mut matched, mut read) = (false, 0);
    for (index, source) in found.sources.iter().enumerate() {
        let sink = Explaining::of(source, &engine);
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
        for explained in resolve(sink.explained, &engine) {
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
    engine: &'p Engine<'p>,
    /// What other records of the source say of where sessions come from.
    known: Noting<'p>,
    /// What was explained.
    pub explained: Vec<Explained>,
    /// What could not be read.
    pub problems: Vec<(Option<Position>, String)>,
}

impl<'p> Explaining<'p> {
    /// Reads a source: once for what its records say of each other's sessions, and once more to explain them.
    pub fn of(source: &Source, engine: &'p Engine<'p>) -> Self {
        let mut first = Noting::of(engine);
        Reader::default().read(source, &mut first, &|_| {});
        first.code = first.code.conclude();
        let mut all = Self { engine, known: first, explained: Vec::new(), problems: Vec::new() };
        Reader::default().read(source, &mut all, &|_| {});
        all
    }
}

impl Sink for Explaining<'_> {
    fn record(&mut self, record: &Record<'_>, place: &Place<'_>) {
        let mut trace = Trace::on();
        let text = |raw: handsoff_cloudtrail::json::Raw<'_>| {
            raw.text().map_or("-".to_owned(), |text| clean(&text, 64))
        };
        let headline =
            format!("{}  {} {}", text(record.event_time), text(record.event_source), text(record.event_name));
        let event_id = text(record.event_id);
        let call = self.engine.classify(*record, &self.known.code, &mut trace);
        let verdict = self.engine.judge(&call, &mut trace);
        let stories = Index::default().with(&self.known.issued);
        let ties = Ties::of(&call);
        if let Some(origin) = stories.origin(&ties, call.time) {
            trace.step("origin", || origin.text);
        }
        if let Some(tool) = stories.tool(&ties) {
            trace.step("tool", || tool.text);
        }
        self.explained.push(Explained {
            position: place.position(),
            event_id,
            key: Key::of(record),
            headline,
            steps: trace.steps(),
            verdict,
            related: self.engine.relates(&call).collect(),
        });
    }

    fn problem(&mut self, position: Option<Position>, message: String) {
        self.problems.push((position, message));
    }
}

/// Notes where sessions come from.
struct Noting<'p> {
    engine: &'p Engine<'p>,
    /// Those that AWS gave to code, and those that show the misuse of a deploy role.
    code: Origins,
    /// Who issued the others.
    issued: story::Origins,
}

impl<'p> Noting<'p> {
    fn of(engine: &'p Engine<'p>) -> Self {
        Self { engine, code: Origins::default(), issued: story::Origins::default() }
    }
}

impl Sink for Noting<'_> {
    fn record(&mut self, record: &Record<'_>, _: &Place<'_>) {
        self.code.note(record, self.engine.policy);
        let call = Call::classify(*record, self.engine.policy, &mut Trace::off());
        self.code.note_call(&call);
        if self.engine.judge(&call, &mut Trace::off()).disposition() == Some(Disposition::Expected) {
            self.code.note_expected(record);
        }
        for (session, issued) in Issued::by(record) {
            self.issued.add(session, issued);
        }
    }

    // Told by the second reading.
    fn problem(&mut self, _: Option<Position>, _: String) {}
}

/// Decides the calls that depend on each other.
pub fn resolve(mut explained: Vec<Explained>, engine: &Engine<'_>) -> Vec<Explained> {
    let undecided = |one: &Explained| match &one.verdict {
        Verdict::Undecided(undecided) => Some((**undecided).clone()),
        _ => None,
    };
    let all: Vec<Undecided> = explained.iter().filter_map(undecided).collect();
    let related: Vec<Related> = explained.iter().flat_map(|one| one.related.clone()).collect();
    let mut settled = engine.settle(all, &related);
    // A call may be one of its principal's and one of its address's: the gravest is shown.
    settled.sort_by_key(|finding| finding.severity);
    let found: HashMap<Key, Finding> = settled.into_iter().map(|finding| (finding.key, finding)).collect();
    for one in &mut explained {
        let Verdict::Undecided(undecided) = &one.verdict else { continue };
        let (verdict, found) = match found.get(&one.key) {
            Some(finding) => (Verdict::from(finding.clone()), finding.reason.clone()),
            None => (Verdict::Nothing(undecided.otherwise), engine.why_not_reported(undecided)),
        };
        one.steps.push(Step { what: "window", found });
        one.verdict = verdict;
    }
    for finding in engine.join(&related) {
        let own = |one: &&mut Explained| one.related.iter().any(|it| it.finding.event_id == finding.event_id);
        for one in explained.iter_mut().filter(own) {
            let found = format!("{}: {}", finding.code, finding.reason);
            one.steps.push(Step { what: "together", found });
            // What the call is by itself stays, where that is something.
            if one.verdict.finding().is_none() {
                one.verdict = finding.clone().into();
            }
        }
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
        Verdict::Finding(finding) => {
            wrapped(out, "verdict", &format!("{} {}: {}", finding.severity, finding.code, finding.reason))?;
            wrapped(out, "incident", &finding.incident)?;
        }
        Verdict::Undecided(_) => wrapped(out, "verdict", "denied")?,
        other => {
            let nothing = other.disposition().unwrap_or(Disposition::Unclaimed);
            wrapped(out, "verdict", &format!("nothing to report ({nothing}): {}", nothing.meaning()))?;
        }
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
