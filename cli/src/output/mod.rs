//! What is printed.

mod alerts;
mod lines;
mod summary;
mod text;
mod unread;

use std::io::{self, Write};

pub use alerts::alerts;
pub(crate) use lines::harmless;
pub use lines::{csv, jsonl};
pub use summary::{Files, summary};
pub use text::text;
pub(crate) use text::{cut, line};
pub use unread::WhileRead;

use crate::problems::Problems;

/// Prints to standard error what could not be read, or was odd. Where that is closed nobody wants to know: the
/// exit status still tells.
pub fn problems(problems: &Problems) {
    let mut out = io::BufWriter::new(io::stderr().lock());
    for line in problems.lines() {
        let _ = writeln!(out, "{line}");
    }
}

/// Tells standard error what went wrong. Where that is closed nobody wants to know: the exit status still tells.
pub(crate) fn error(what: &str) {
    let _ = writeln!(io::stderr(), "error: {what}");
}

/// A number with commas: 1,234,567.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 record`, `2 records`.
pub(crate) fn count_of(number: u64, what: &str) -> String {
    format!("{} {what}{}", thousands(number), if number == 1 { "" } else { "s" })
}
