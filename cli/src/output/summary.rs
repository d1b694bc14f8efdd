//! What was read, and what came of it.

use std::io::{self, Write};

use super::{count_of, thousands};
use crate::outcome::Outcome;

/// How many files there were.
#[derive(Clone, Copy, Debug)]
pub struct Files {
    /// Files that were read.
    pub read: usize,
    /// Files in the folders that are no logs.
    pub others: usize,
}

/// Prints the summary.
///
/// # Errors
/// When it can't be written.
pub fn summary(outcome: &Outcome, files: Files, out: &mut dyn Write) -> io::Result<()> {
    let counts = &outcome.counts;
    let repeated = counts.read - counts.out_of_range - counts.distinct.min(counts.read - counts.out_of_range);
    let others = match files.others {
        0 => String::new(),
        others => {
            format!(" ({} in the same folders not read: no logs)", count_of(others as u64, "file"))
        }
    };
    writeln!(
        out,
        "{} read from {}{others}",
        count_of(counts.read, "record"),
        count_of(files.read as u64, "file")
    )?;
    let mut row = |number: u64, what: &str, meaning: &str| {
        writeln!(out, "  {:>12}  {what:<20} {meaning}", thousands(number))
    };
    row(counts.distinct, "distinct", "")?;
    row(repeated, "repeated", "delivered more than once, judged once")?;
    row(counts.unreadable, "unreadable", if counts.unreadable == 0 { "" } else { "see standard error" })?;
    if counts.odd > 0 {
        row(counts.odd, "odd", "judged, though something is missing: see standard error")?;
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
        writeln!(out, "  {:>12}  {what:<20} {meaning}", thousands(number))
    };
    for (why, number) in &counts.nothing {
        row(*number, why.as_str(), why.meaning())?;
    }
    let found: u64 = counts.findings.values().flat_map(|by| by.values()).sum();
    let incidents = count_of(outcome.incidents.len() as u64, "incident");
    writeln!(out, "{} in {incidents}", count_of(found, "finding"))?;
    let mut row = |number: u64, what: &str, meaning: &str| {
        writeln!(out, "  {:>12}  {what:<20} {meaning}", thousands(number))
    };
    for (code, by_severity) in &counts.findings {
        let each: Vec<String> = by_severity
            .iter()
            .rev()
            .map(|(severity, number)| format!("{} {severity}", thousands(*number)))
            .collect();
        row(by_severity.values().sum(), code.as_str(), &each.join(", "))?;
    }
    Ok(())
}
