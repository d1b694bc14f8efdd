//! The ledger of saved logs, and of what a deployed stack remembers.

use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::{Record, Time};
use handsoff_core::origins::Origins;
use handsoff_core::show::clean;
use handsoff_core::{Disposition, Engine, FastPath, Policy, Trace, Verdict};
use handsoff_ledger::accept::{ACCEPTANCE, AcceptanceError};
use handsoff_ledger::{Accepted, Ledger, Observation};
use serde::Deserialize;
use serde_json::Value;

use super::observe;
use crate::input::{self, Place, Position, Problem, Reader, Sink, Source};
use crate::problems::Problems;

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// The ledger.
    pub(super) ledger: Ledger,
    /// The time of the last record.
    pub(super) last: Option<Time>,
    /// How many records, or items of the stack, there were.
    pub(super) read: u64,
    /// What could not be read, or doesn't count.
    pub(super) problems: Problems,
}

impl Reading {
    fn merge(&mut self, other: Self) {
        self.ledger.merge(other.ledger);
        self.last = self.last.max(other.last);
        self.read += other.read;
        self.problems.merge(other.problems);
    }
}

/// Reads files and folders of logs.
pub(super) fn logs(sources: &[Source], policy: &Policy) -> Reading {
    let next = AtomicUsize::new(0);
    let engine = handsoff_functions::engine(policy);
    let work = || {
        let (mut all, mut fast_path, mut reader) =
            (Reading::default(), engine.fast_path(), Reader::default());
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(source) = sources.get(index) else { break };
            let mut sink = Noting {
                all: &mut all,
                fast_path: &mut fast_path,
                engine: &engine,
                index,
                file: source.name(),
            };
            reader.read(source, &mut sink, &|_| {});
        }
        all
    };
    let threads = thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads.min(sources.len())).map(|_| scope.spawn(work)).collect();
        let mut all = work();
        for other in others {
            // INVARIANT: a worker doesn't panic; were it to, its records would be missing, and that must be seen.
            all.merge(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        all
    })
}

/// Notes what the records of one source say of resources.
struct Noting<'n, 'p> {
    all: &'n mut Reading,
    fast_path: &'n mut FastPath<'p>,
    engine: &'n Engine<'p>,
    index: usize,
    file: String,
}

impl Sink for Noting<'_, '_> {
    fn record(&mut self, record: &Record<'_>, _: &Place<'_>) {
        self.all.read += 1;
        self.time(record);
        let known = self.fast_path.disposition(record);
        // What a deploy role changes is no finding, and ends what was changed by hand.
        if !matches!(known, None | Some(Disposition::Expected)) {
            return;
        }
        let call = self.engine.classify(*record, &Origins::default(), &mut Trace::off());
        let verdict = match known {
            Some(known) => Verdict::Nothing(known),
            None => self.engine.judge(&call, &mut Trace::off()),
        };
        observe::call(&call, &verdict, self.engine.policy, &mut self.all.ledger);
    }

    fn other(&mut self, object: Raw<'_>, place: &Place<'_>) -> bool {
        if let Some(read) = observe::acceptance(object, &mut self.all.ledger) {
            if let Err(why) = read {
                self.problem(Some(place.position()), why.to_string());
            }
            return true;
        }
        let kind = object.get("detail-type").and_then(Raw::text);
        kind.is_some_and(|kind| {
            [handsoff_case::grant::GRANT, handsoff_case::review::REVIEW].contains(&&*kind)
        }) || input::is_services_own(object)
    }

    fn problem(&mut self, position: Option<Position>, message: String) {
        let (source, file) = (self.index, self.file.clone());
        self.all.problems.add(Problem { source, file, position, message, lost: true });
    }
}

impl Noting<'_, '_> {
    fn time(&mut self, record: &Record<'_>) {
        let time = record.event_time.text().and_then(|text| Time::parse(&text));
        self.all.last = self.all.last.max(time);
    }
}

/// Reads what `aws dynamodb query` printed of a deployed stack's ledger: one answer, or several behind each other.
pub(super) fn items(file: &Path, now: Time) -> Reading {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        items: Vec<Value>,
        last_evaluated_key: Option<Value>,
        next_token: Option<Value>,
    }
    let mut all = Reading::default();
    let text = match text_of(file) {
        Ok(text) => text,
        Err(why) => return all.with(file, why.to_string()),
    };
    for answer in serde_json::Deserializer::from_str(&text).into_iter::<Answer>() {
        let answer = match answer {
            Ok(answer) => answer,
            Err(why) => {
                let why = clean(&why.to_string(), 256);
                return all.with(file, format!("no answer of `aws dynamodb query`: {why}"));
            }
        };
        if answer.last_evaluated_key.is_some() || answer.next_token.is_some() {
            // Nothing is wrong with what is here. Closed standard error is no reason to fail.
            let _ = writeln!(
                io::stderr(),
                "{}: the answer is incomplete: run the query without --max-items and --no-paginate",
                clean(&file.display().to_string(), 500)
            );
        }
        for (index, item) in answer.items.iter().enumerate() {
            all.read += 1;
            // DynamoDB deletes what has expired days late.
            let expires =
                item.pointer("/expires/N").and_then(Value::as_str).and_then(|it| it.parse::<i64>().ok());
            if expires.is_some_and(|expires| expires <= now.timestamp()) {
                continue;
            }
            let text = item.pointer("/text/S").and_then(Value::as_str).unwrap_or_default();
            match observation(text) {
                Ok(observation) => all.ledger.add(observation),
                Err(why) => {
                    let why = clean(&why.to_string(), 256);
                    all = all.with(file, format!("item {} is not an item of the ledger: {why}", index + 1));
                }
            }
        }
    }
    all
}

/// An item's text. Others may write the table, too, so it isn't trusted to be harmless.
fn observation(text: &str) -> serde_json::Result<Observation> {
    let mut value = serde_json::from_str(text)?;
    harmless(&mut value);
    serde_json::from_value(value)
}

fn harmless(value: &mut Value) {
    match value {
        Value::String(text) => *text = clean(text, 1024),
        Value::Array(all) => all.iter_mut().for_each(harmless),
        Value::Object(fields) => fields.values_mut().for_each(harmless),
        _ => {}
    }
}

impl Reading {
    fn with(mut self, file: &Path, message: String) -> Self {
        let file = file.display().to_string();
        self.problems.add(Problem { source: 0, file, position: None, message, lost: true });
        self
    }

    /// Adds the acceptances of a file: what `handsoff drift accept` printed, as often as it was appended.
    pub(super) fn accepted(mut self, file: &Path) -> Self {
        let text = match text_of(file) {
            Ok(text) => text,
            Err(why) => return self.with(file, why.to_string()),
        };
        let mut found = 0;
        for value in serde_json::Deserializer::from_str(&text).into_iter::<Value>() {
            let entries = match value {
                Ok(Value::Array(entries)) => entries,
                Ok(one) => vec![one],
                Err(why) => return self.with(file, format!("no JSON: {}", clean(&why.to_string(), 256))),
            };
            for entry in entries {
                found += 1;
                match entry_of(&entry) {
                    Ok(observation) => self.ledger.add(observation),
                    Err(why) => self = self.with(file, format!("entry {found}: {why}")),
                }
            }
        }
        if found == 0 { self.with(file, "it contains no acceptance".into()) } else { self }
    }
}

/// Why a file, or an entry of it, can't be read.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error("can't be read: {0}")]
    File(#[source] io::Error),
    #[error("no acceptance: its `DetailType` has to be {ACCEPTANCE}")]
    DetailType,
    #[error(transparent)]
    Acceptance(#[from] AcceptanceError),
}

/// An entry for `aws events put-events`.
fn entry_of(entry: &Value) -> Result<Observation, ReadError> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str);
    if text("DetailType") != Some(ACCEPTANCE) {
        return Err(ReadError::DetailType);
    }
    Ok(Accepted::read(text("Detail").unwrap_or_default(), "", None)?)
}

fn text_of(file: &Path) -> Result<String, ReadError> {
    let mut text = String::new();
    let read = if file == Path::new("-") {
        io::stdin().lock().read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|mut file| file.read_to_string(&mut text))
    };
    read.map(|_| text).map_err(ReadError::File)
}

/// The sources of paths, and what is wrong with them.
pub(super) fn find(paths: &[std::path::PathBuf], policy: &Policy) -> Reading {
    let mut found = input::find(paths);
    let mut all = logs(&found.sources, policy);
    for problem in std::mem::take(&mut found.problems) {
        all.problems.add(problem);
    }
    all
}
