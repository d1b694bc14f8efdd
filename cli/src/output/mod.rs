//! What is printed.

mod alerts;
mod columns;
mod lines;
mod mistakes;
mod summary;
mod text;
mod unread;

use std::io::{self, Write};
use std::path::PathBuf;

pub use alerts::alerts;
pub(crate) use columns::{cut, cut_line, padded, table};
pub(crate) use lines::harmless;
pub use lines::{csv, jsonl};
pub(crate) use mistakes::mistakes;
pub use summary::{Files, summary};
pub use text::text;
pub(crate) use text::{in_steps, line};
pub use unread::WhileRead;

use handsoff_cloudtrail::{Time, TimeDelta};

use crate::input::LeftOut;
use crate::problems::Problems;

/// Prints to standard error what could not be read, or was odd. Where that is closed nobody wants to know: the
/// exit status still tells.
pub fn problems(problems: &Problems) {
    let mut out = io::BufWriter::new(io::stderr().lock());
    for line in problems.lines() {
        let _ = writeln!(out, "{line}");
    }
}

/// Names on standard error what was left out of folders, and why.
pub(crate) fn left_out(files: &[(PathBuf, LeftOut)]) {
    let mut out = io::BufWriter::new(io::stderr().lock());
    for (file, why) in files {
        let name = handsoff_core::show::clean(&file.display().to_string(), 500);
        let _ = writeln!(out, "left out: {name}: {why}");
    }
}

/// Tells standard error that nothing was read, which is not to be taken for nothing to report.
pub(crate) fn nothing_read() {
    error("no record was read: the result says nothing about what happened");
}

/// Tells standard error what went wrong. Where that is closed nobody wants to know: the exit status still tells.
pub(crate) fn error(what: &str) {
    let _ = writeln!(io::stderr(), "error: {what}");
}

/// `2026-03-14 02:00:00`.
pub(crate) fn time(time: Option<Time>) -> String {
    time.map_or_else(|| "no time".to_owned(), |time| time.format("%Y-%m-%d %H:%M:%S"))
}

/// `2 h 5 min`, `40 s`.
pub(crate) fn length(length: TimeDelta) -> String {
    let (days, hours, minutes) = (length.num_days(), length.num_hours() % 24, length.num_minutes() % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{} s", length.num_seconds()),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, 0) => format!("{hours} h"),
        (0, ..) => format!("{hours} h {minutes} min"),
        (_, 0, _) => format!("{days} d"),
        _ => format!("{days} d {hours} h"),
    }
}
