//! Why something could not be done.

use std::borrow::Cow;
use std::fmt::Display;

/// Why something could not be done. To do it again is safe, and may succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {}", self.what(), self.why())]
pub enum RuntimeError {
    /// A call to the outside failed, after all its retries.
    Call {
        /// What was called.
        what: &'static str,
        /// What it said.
        why: String,
    },
    /// What is stored, or is to be, isn't there or isn't as it has to be.
    Stored {
        /// What it was needed for.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The function lacks something that it is set up with.
    Unset {
        /// What it is needed for.
        what: &'static str,
        /// What is missing.
        why: String,
    },
    /// Other writers of a document were faster each time.
    Contended {
        /// What was to be changed.
        what: &'static str,
    },
    /// The invocation ends before it was done.
    Late {
        /// What was done.
        what: &'static str,
    },
    /// There was no time for all of it.
    Unfinished {
        /// What was done.
        what: &'static str,
        /// What is left.
        why: String,
    },
}

impl RuntimeError {
    /// Of a call that failed.
    pub fn call(what: &'static str, why: impl Display) -> Self {
        Self::Call { what, why: why.to_string() }
    }

    /// Of something stored.
    pub fn stored(what: &'static str, why: impl Display) -> Self {
        Self::Stored { what, why: why.to_string() }
    }

    /// What could not be done.
    pub fn what(&self) -> &'static str {
        match self {
            Self::Call { what, .. }
            | Self::Stored { what, .. }
            | Self::Unset { what, .. }
            | Self::Contended { what }
            | Self::Late { what }
            | Self::Unfinished { what, .. } => what,
        }
    }

    /// Why.
    pub fn why(&self) -> Cow<'_, str> {
        match self {
            Self::Call { why, .. }
            | Self::Stored { why, .. }
            | Self::Unset { why, .. }
            | Self::Unfinished { why, .. } => why.into(),
            Self::Contended { .. } => "twelve conflicts with other writers".into(),
            Self::Late { .. } => "its time limit was reached".into(),
        }
    }
}
