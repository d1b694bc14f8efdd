//! What can go wrong while logs are generated or read.

use std::io;
use std::path::{Path, PathBuf};

/// A failure, with what was tried and where.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or directory could not be read or written.
    #[error("could not {doing} `{}`: {source}", path.display())]
    Io {
        /// What was tried, as in "could not `read`".
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The output directory holds logs already; mixing two runs would spoil both.
    #[error("`{}` already holds logs: choose another directory or remove it", .0.display())]
    NotEmpty(PathBuf),
    /// There is nothing to read.
    #[error("no `.json.gz` files under `{}`", .0.display())]
    NoFiles(PathBuf),
    /// A log file could not be inflated.
    #[error("could not inflate `{}`: {why}", path.display())]
    Inflate {
        /// The log file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A log file does not hold what a log file holds.
    #[error("could not parse `{}`: {why}", path.display())]
    Parse {
        /// The log file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The emulator can't serve.
    #[error("could not listen on loopback: {source}")]
    Network {
        /// What the system said.
        source: io::Error,
    },
    /// A function did not do what it has to.
    #[error("the function {why}")]
    Function {
        /// What it did.
        why: String,
    },
    /// A result could not be written.
    #[error("could not write the result: {0}")]
    Result(#[from] serde_json::Error),
    /// A file could not be compressed.
    #[error("could not compress `{}`: {why}", path.display())]
    Compress {
        /// The log file.
        path: PathBuf,
        /// What the compressor said.
        why: String,
    },
}

impl Error {
    /// An I/O failure at `path` while `doing` something with it.
    pub(crate) fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { doing, path: path.to_owned(), source }
    }
}
