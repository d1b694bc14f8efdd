//! What was read, and what came of it.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};

use crate::input::{Found, LeftOut};
use crate::numbers::{count_of, thousands};
use crate::outcome::Outcome;

/// How many files there were.
#[derive(Clone, Debug)]
pub struct Files {
    /// Files that were read.
    pub read: usize,
    /// What is in the same folders and wasn't read.
    pub left_out: BTreeMap<LeftOut, u64>,
}

impl Files {
    /// What was found.
    pub fn new(found: &Found) -> Self {
        let mut left_out = BTreeMap::new();
        for (_, why) in &found.left_out {
            *left_out.entry(*why).or_default() += 1;
        }
        Self { read: found.sources.len(), left_out }
    }
}

impl fmt::Display for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&count_of(self.read as u64, "file"))?;
        let others: u64 = self.left_out.values().sum();
        if others == 0 {
            return Ok(());
        }
        let each: Vec<String> =
            self.left_out.iter().map(|(why, number)| format!("{} {why}", thousands(*number))).collect();
        write!(f, " ({} in the same folders not read: {})", count_of(others, "file"), each.join(", "))
    }
}

/// Prints the summary.
///
/// # Errors
/// When it can't be written.
pub fn summary(outcome: &Outcome, files: &Files, out: &mut dyn Write) -> io::Result<()> {
    let counts = &outcome.counts;
    let repeated = counts.read - counts.out_of_range - counts.distinct.min(counts.read - counts.out_of_range);
    writeln!(out, "{} read from {files}", count_of(counts.read, "record"))?;
    let mut row = |number: u64, what: &str, meaning: &str| {
        writeln!(out, "  {:>10}  {what:<22} {meaning}", thousands(number))
    };
    row(counts.distinct, "distinct", "")?;
    row(repeated, "repeated", "delivered more than once, judged once")?;
    row(counts.unreadable, "unreadable", if counts.unreadable == 0 { "" } else { "see standard error" })?;
    if counts.odd > 0 {
        row(counts.odd, "odd", "judged, although something is missing: see standard error")?;
    }
    if counts.known > 0 {
        row(counts.known, "without records", "digests, and files of AWS Config")?;
    }
    if counts.out_of_range > 0 {
        row(counts.out_of_range, "left out", "outside of --since and --until")?;
    }
    let nothing: u64 = counts.nothing.values().sum();
    writeln!(out, "{} with nothing to report", count_of(nothing, "record"))?;
    let mut row = |number: u64, what: &str, meaning: &str| {
        writeln!(out, "  {:>10}  {what:<22} {meaning}", thousands(number))
    };
    for (why, number) in &counts.nothing {
        row(*number, why.as_str(), why.meaning())?;
    }
    let found: u64 = counts.findings.values().flat_map(|by| by.values()).sum();
    let incidents = count_of(outcome.incidents.len() as u64, "incident");
    writeln!(out, "{} in {incidents}", count_of(found, "finding"))?;
    let mut row = |number: u64, what: &str, meaning: &str| {
        writeln!(out, "  {:>10}  {what:<22} {meaning}", thousands(number))
    };
    for (code, by_severity) in &counts.findings {
        let each: Vec<String> = by_severity
            .iter()
            .rev()
            .map(|(severity, number)| format!("{} {severity}", thousands(*number)))
            .collect();
        row(by_severity.values().sum(), code.as_str(), &each.join(", "))?;
    }
    if !outcome.exceptions.is_empty() {
        writeln!(out, "{} in the policy", count_of(outcome.exceptions.len() as u64, "exception"))?;
    }
    for exception in &outcome.exceptions {
        let options = textwrap::Options::new(100)
            .word_splitter(textwrap::WordSplitter::NoHyphenation)
            .initial_indent("  ")
            .subsequent_indent("      ");
        for line in textwrap::wrap(exception, options) {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}
