//! What a function writes to its log and goes on: nobody above it handles what went wrong.

use std::fmt::{self, Display};

use super::error::RuntimeError;

/// A line of the log. Its two fields are those that the log's queries and metric filters look for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// What was done.
    pub what: &'static str,
    /// What was wrong with it.
    pub why: String,
}

impl LogLine {
    /// A line of what is no error of anything that was called.
    pub fn new(what: &'static str, why: impl Display) -> Self {
        Self { what, why: why.to_string() }
    }
}

/// Of an error that stays without consequences.
impl From<RuntimeError> for LogLine {
    fn from(failure: RuntimeError) -> Self {
        Self { what: failure.what(), why: failure.why().into_owned() }
    }
}

impl Display for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.why)
    }
}
