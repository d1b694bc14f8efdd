//! Why something couldn't be made.

use std::path::PathBuf;

use crate::difference::Difference;

/// Why something couldn't be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder that can't be read or written.
    #[error("{}: {why}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
    /// A mistake in a part, with its file and, where known, its line.
    #[error("{place}: {what}")]
    Part {
        /// The file, relative to the product's root, and the line.
        place: String,
        /// What is wrong.
        what: String,
    },
    /// A committed file isn't what its parts make.
    #[error(transparent)]
    Stale(#[from] Difference),
    /// Codes that have a section and no sample.
    #[error("no sample in events/ for {0}")]
    NoSample(String),
}

impl Error {
    pub(crate) fn part(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self::Part { place: place.into(), what: what.into() }
    }
}

impl From<minijinja::Error> for Error {
    fn from(error: minijinja::Error) -> Self {
        // The file that includes another says only that; the one that was included knows.
        let mut cause = &error;
        while let Some(inner) = std::error::Error::source(cause).and_then(|it| it.downcast_ref()) {
            cause = inner;
        }
        let line = cause.line().map(|line| format!(":{line}")).unwrap_or_default();
        let what = cause.detail().map_or_else(|| cause.kind().to_string(), str::to_owned);
        Self::part(format!("{}{line}", cause.name().unwrap_or("a template")), what)
    }
}
