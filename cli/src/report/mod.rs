//! `handsoff replay --report` and `--compare`: what was found and what would have been sent as one page, and what a
//! second policy would change.

mod chart;
pub(crate) mod compare;
mod file;
mod gather;
mod offer;
mod page;
mod rule;
mod story;
mod tables;

use std::io;
use std::path::Path;

use handsoff_cloudtrail::Time;

use self::compare::{By, Comparison};
use self::gather::Gathered;

pub(crate) use file::may_be_written;

/// Writes the page: whole or not at all.
///
/// # Errors
/// When findings can't be read back, or the page can't be written.
pub(crate) fn write(
    file: &Path,
    by: By<'_>,
    asked: (Option<Time>, Option<Time>),
    comparison: Option<&Comparison>,
) -> io::Result<()> {
    let gathered = Gathered::of(by.outcome, by.policy, asked)?;
    file::write(file, &mut |out| page::write(&gathered, by.name, comparison, out))
}
