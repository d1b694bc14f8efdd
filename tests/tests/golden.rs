//! What is reported of millions of generated records, and of all samples, is what it was before the code was last moved about.
//!
//! The tables in `tests/golden` have, for each kind of verdict, how many there are, a digest of what they say, and one of their
//! wording. A change that is meant to change neither leaves them as they are; another writes them anew, and the difference
//! shows what it does:
//!
//! ```console
//! cargo test --release -p handsoff-tests --test golden -- --include-ignored       # holds all of them
//! HANDSOFF_GOLDEN=write cargo test --release -p handsoff-tests --test golden -- --include-ignored
//! ```

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use handsoff_break_glass::live::remembered;
use handsoff_case::Seen;
use handsoff_core::Trace;
use handsoff_core::{Verdict, group};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use handsoff::input::find;
use handsoff::outcome::Outcome;
use handsoff::replay::{self, Options};
use handsoff_cloudtrail::{Entry, Record};
use handsoff_core::origins::Origins;
use handsoff_core::{Code, Key, Policy, ReportedRef};
use handsoff_tests::{generated, root};
use serde::Serialize;
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

/// How many, and sums of digests: neither order nor the number of threads matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Row {
    count: u64,
    what: u64,
    words: u64,
}

#[derive(Debug, Default)]
struct Table(BTreeMap<String, Row>);

impl Table {
    fn add(&mut self, name: String, what: &str, words: &str) {
        let row = self.0.entry(name).or_default();
        row.count += 1;
        row.what = row.what.wrapping_add(xxh3_64(what.as_bytes()));
        row.words = row.words.wrapping_add(xxh3_64(words.as_bytes()));
    }

    /// Adds something that says `words` in its fields of these names.
    fn add_of(&mut self, name: String, of: &impl Serialize, fields: &[&str]) {
        let mut value = serde_json::to_value(of).unwrap();
        let words: Vec<Value> =
            fields.iter().filter_map(|field| value.as_object_mut().unwrap().remove(*field)).collect();
        self.add(name, &value.to_string(), &serde_json::to_string(&words).unwrap());
    }

    fn finding<'r>(&mut self, name: &str, reported: impl Into<ReportedRef<'r>>) {
        let reported = reported.into();
        let name = format!("{name} {} {}", reported.code(), reported.severity());
        self.add_of(name, &reported, &["reason", "next"]);
    }

    /// Holds the table against the one that was kept under this name, or keeps it.
    fn hold(&self, name: &str) {
        let mut text = String::from("# verdict count what wording\n");
        for (name, Row { count, what, words }) in &self.0 {
            writeln!(text, "{name}\t{count}\t{what:016x}\t{words:016x}").unwrap();
        }
        let file = root().join("tests/golden").join(name);
        if writes() {
            std::fs::write(&file, &text).unwrap();
        }
        let kept = std::fs::read_to_string(&file).unwrap();
        let lines = |text: &str| -> Vec<String> { text.lines().map(str::to_owned).collect() };
        let (now, kept) = (lines(&text), lines(&kept));
        let changed: Vec<String> = kept
            .iter()
            .filter(|line| !now.contains(line))
            .map(|line| format!("- {line}"))
            .chain(now.iter().filter(|line| !kept.contains(line)).map(|line| format!("+ {line}")))
            .collect();
        assert!(changed.is_empty(), "tests/golden/{name}:\n{}", changed.join("\n"));
    }
}

fn judge(table: &mut Table, name: &str, policy: &Policy, json: &str) {
    let Ok((Entry::Record(record), _)) = Record::read(json) else { panic!("no record: {json}") };
    let key = format!("{:016x}", Key::of(&record).0);
    let engine = handsoff_functions::engine(policy);
    let call = engine.classify(record, &Origins::default(), &mut Trace::off());
    match engine.judge(&call, &mut Trace::off()) {
        Verdict::Nothing(nothing) => table.add(format!("{name} nothing {nothing}"), &key, ""),
        Verdict::Excepted(place) => table.add(format!("{name} excepted {place}"), &key, ""),
        Verdict::Finding(finding) => {
            table.finding(name, &*finding);
            if !group::is_glass(&finding.incident) {
                return;
            }
            for (case, call) in remembered(&call, &finding, policy, Seen::Logs) {
                table.add(format!("{name} remembered"), &serde_json::to_string(&(case, call)).unwrap(), "");
            }
        }
        Verdict::Undecided(denial) => {
            table.finding(name, &denial.finding);
            table.add(format!("{name} group browsing:{}", denial.browsing), &denial.group, "");
        }
    }
}

fn verdicts(seeds: std::ops::Range<u64>) -> Table {
    let (mut table, policies) = (Table::default(), generated::policies());
    for seed in seeds {
        generated::each_record(RECORDS, seed, &mut |json| {
            for (name, policy) in ["built-in", "small", "busy"].into_iter().zip(&policies) {
                judge(&mut table, name, policy, json);
            }
        });
    }
    table
}

/// Of each seed; each is judged as it is and changed, under three policies.
const RECORDS: u64 = 20_000;

#[test]
fn verdicts_on_generated_records_are_what_they_were() {
    verdicts(100..101).hold("verdicts.txt");
}

#[test]
#[ignore = "two million verdicts: with --release, where verdicts or what they rest on were moved"]
fn verdicts_on_millions_of_generated_records_are_what_they_were() {
    verdicts(100..118).hold("verdicts-all.txt");
}

/// What a replay finds: findings, incidents, alerts, cases.
fn replayed(table: &mut Table, name: &str, files: &[PathBuf], policy: &Policy) {
    let options =
        Options { keep_findings: true, keep_cases: true, keep_digest_notes: true, ..Options::default() };
    let outcome: Outcome = replay::judge(&find(files).sources, policy, options, 2, &|_| {}).0.finish(policy);
    for finding in outcome.findings.iter() {
        table.finding(&format!("{name} finding"), &finding.unwrap());
    }
    for incident in &outcome.incidents {
        let said = format!("{} {} {}", incident.id, incident.severity(), incident.count());
        table.add(format!("{name} incident"), &said, "");
    }
    for alert in outcome.alerts(policy) {
        table.add_of(
            format!("{name} alert {} {}", alert.cause.as_str(), alert.severity),
            &alert,
            &["subject", "text"],
        );
    }
    for case in &outcome.cases {
        for file in &case.files {
            table.add(format!("{name} case {}", file.name), &format!("{} {}", case.id, file.text), "");
        }
    }
    table.add(format!("{name} counts"), &format!("{:?}", outcome.counts), "");
}

/// The samples, but for those of codes that the table doesn't have: a detector that is new has no before. They are in it
/// once it is written anew.
fn known_samples() -> Vec<PathBuf> {
    handsoff_functions::detectors();
    let kept = std::fs::read_to_string(root().join("tests/golden/logs.txt")).unwrap();
    let is_new = |code: &Code| !writes() && !kept.contains(&format!("\nsamples finding {code} "));
    let new: Vec<String> =
        Code::all().iter().filter(|code| is_new(code)).map(|code| format!("{code}.")).collect();
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(root().join("events")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| {
        let name = file.file_name().unwrap().to_str().unwrap();
        name != "handsoff.toml" && !new.iter().any(|code| name.starts_with(code))
    });
    files.sort();
    files
}

fn writes() -> bool {
    std::env::var("HANDSOFF_GOLDEN").is_ok_and(|it| it == "write")
}

#[test]
fn what_logs_lead_to_is_what_it_was() {
    let mut table = Table::default();
    let policy = std::fs::read_to_string(root().join("events/handsoff.toml")).unwrap();
    let samples = Policy::parse("handsoff.toml", &policy).unwrap();
    replayed(&mut table, "samples", &known_samples(), &samples);
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("generated.jsonl");
    let mut text = String::new();
    generated::each_record(20_000, 200, &mut |json| {
        text.push_str(json);
        text.push('\n');
    });
    std::fs::write(&log, text).unwrap();
    for (name, policy) in ["built-in", "small", "busy"].into_iter().zip(&generated::policies()) {
        replayed(&mut table, name, std::slice::from_ref(&log), policy);
    }
    table.hold("logs.txt");
}
