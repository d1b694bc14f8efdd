//! A line of a message.

use serde::{Deserialize, Serialize};

/// A line of a message: a name of at most eight characters, and what there is to say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Note {
    /// The line's name.
    pub name: String,
    /// What it says, harmless to show.
    pub text: String,
}

impl Note {
    /// A line.
    pub fn new(name: &str, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }
}
