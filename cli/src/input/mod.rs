//! Saved logs: finding files, opening them, and cutting them into records.
//!
//! Nothing is skipped silently: whatever can't be read is a [`Problem`] with its file and position.

mod document;
mod files;
mod flat;
mod kind;
mod open;
mod source;

use std::fmt;

use handsoff_case::grant::GRANT;
use handsoff_case::review::REVIEW;
use handsoff_cloudtrail::json::Raw;
use handsoff_ledger::accept::ACCEPTANCE;

pub use files::{Found, LeftOut, find};
pub use open::{Reader, Stages};
pub use source::Source;

/// Something that could not be read, or was not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file's place in the order of all files.
    pub source: usize,
    /// The file's name.
    pub file: String,
    /// Byte, line and column in the file's text; `None` for the file as a whole.
    pub position: Option<Position>,
    /// What is wrong.
    pub message: String,
    /// Whether a record was lost. Otherwise it was judged all the same.
    pub lost: bool,
}

/// A place in a file's text (after inflating).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Bytes before it.
    pub offset: u64,
    /// The line, from 1.
    pub line: u64,
    /// The column in bytes, from 1.
    pub column: u64,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = handsoff_core::show::clean(&self.file, 500);
        match self.position {
            Some(Position { line, column, .. }) => write!(f, "{file}:{line}:{column}: {}", self.message),
            None => write!(f, "{file}: {}", self.message),
        }
    }
}

/// Where a record stands: asked for only when there is something to say about it.
pub struct Place<'a> {
    locate: &'a dyn Fn() -> Position,
}

impl<'a> Place<'a> {
    /// A place that is found by calling `locate`.
    pub fn new(locate: &'a dyn Fn() -> Position) -> Self {
        Self { locate }
    }

    /// Its position.
    pub fn position(&self) -> Position {
        (self.locate)()
    }
}

/// Takes what is found in a file.
pub trait Sink {
    /// A record.
    fn record(&mut self, record: &handsoff_cloudtrail::Record<'_>, place: &Place<'_>);
    /// An object that is no record and holds none. Whether it is something that is known all the same: grants, reviews
    /// and acceptances stand among saved events.
    fn other(&mut self, object: Raw<'_>, _place: &Place<'_>) -> bool {
        let kind = object.get("detail-type").and_then(Raw::text);
        kind.is_some_and(|kind| [GRANT, REVIEW, ACCEPTANCE].contains(&&*kind)) || is_services_own(object)
    }
    /// An object that is known to hold no records: a digest, or AWS Config's.
    fn known(&mut self) {}
    /// An answer of CloudTrail's that has more pages, which aren't here.
    fn incomplete(&mut self, _place: &Place<'_>) {}
    /// Something that could not be read. `position` is `None` for the file as a whole.
    fn problem(&mut self, position: Option<Position>, message: String);
    /// The source can't be read, or isn't what it was when it was first read. Who reads it again must say so too; what is
    /// broken in its text was reported by the first reading.
    fn failed(&mut self, position: Option<Position>, message: String) {
        self.problem(position, message);
    }
}

/// Whether an object is an event that a service sends to EventBridge itself, such as that a build has ended: no record, and
/// nothing that is lost.
pub(crate) fn is_services_own(object: Raw<'_>) -> bool {
    let text = |key| object.get(key).and_then(Raw::text).unwrap_or_default();
    let kind = text("detail-type");
    text("source").starts_with("aws.") && !kind.is_empty() && !kind.ends_with(" via CloudTrail")
}
