//! A mistake in a policy, and what was meant by it.

use std::ops::Range;

use strsim::damerau_levenshtein;

use crate::show::clean;

/// A mistake in a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError {
    /// The name of the file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong, in bytes of the policy's text.
    pub span: Range<usize>,
    /// What is wrong and what to write instead.
    pub message: String,
    /// What is written almost like it, and was probably meant.
    pub suggestion: Option<String>,
}

impl PolicyError {
    /// A mistake at a place of a policy's text.
    pub(super) fn new(file: &str, text: &str, span: Range<usize>, message: &str) -> Self {
        let (line, column) = position(text, span.start);
        // A policy may come from somebody's pull request: what it says must not reach a terminal as it is.
        let (file, message) = (clean(file, 256), clean(message, 400));
        Self { file, line, column, span, message, suggestion: None }
    }

    /// What the command says beneath the place.
    pub fn hint(&self) -> Option<String> {
        self.suggestion.as_ref().map(|meant| format!("did you mean `{meant}`?"))
    }
}

/// In one line, for logs.
impl std::fmt::Display for PolicyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)?;
        self.hint().map_or(Ok(()), |hint| write!(f, "; {hint}"))
    }
}

impl std::error::Error for PolicyError {}

/// Line and column of a byte, both from 1.
pub(super) fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
    (before.matches('\n').count() + 1, column)
}

/// In a name that is shorter, two letters are more than a slip.
const SHORT: usize = 6;

/// The nearest that a slip of the fingers may have come from, if any is: of equals the first.
pub fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let name = name.to_ascii_lowercase();
    let slips = if name.len() < SHORT { 1 } else { 2 };
    let slip = |other: &str| damerau_levenshtein(&name, &other.to_ascii_lowercase());
    known
        .into_iter()
        .map(|other| (slip(other), other))
        .filter(|(slip, _)| *slip <= slips)
        .min_by_key(|(slip, _)| *slip)
        .map(|(_, other)| other)
}
