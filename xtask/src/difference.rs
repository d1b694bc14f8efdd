//! How a committed file differs from what its parts make.

/// Where a committed file differs first from what its parts make.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{file}:{line}: not what its parts make; run `cargo xtask {command}`\n  committed: {committed}\n  made:      {made}"
)]
pub struct Difference {
    pub(crate) file: &'static str,
    /// Its line, from 1.
    pub line: usize,
    pub(crate) command: &'static str,
    pub(crate) committed: String,
    pub(crate) made: String,
}
