//! A case's folder on a disk.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use handsoff_case::manifest::MANIFEST;
use handsoff_case::review::{self, Review, ReviewError};
use handsoff_case::verify::{Folder, FolderError};

use super::harmless::place;

/// No file of a case is larger: a thousand lines of the longest calls.
const LONGEST: u64 = 256 << 20;

/// Why a folder has no case.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoCaseError {
    /// It can't be read.
    #[error("no case here: {place} {why}")]
    Unreadable {
        /// The folder.
        place: String,
        /// Why.
        why: FolderError,
    },
    /// It has nothing of a case in it.
    #[error(
        "no case here: {0} has neither {MANIFEST} nor lines of calls; `handsoff case list {0}` names the cases below"
    )]
    Nothing(String),
}

/// Why a review counts for nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadReviewError {
    /// It can't be read.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// It is none, or none of the case.
    #[error(transparent)]
    Review(#[from] ReviewError),
}

/// A folder on a disk.
#[derive(Clone, Debug)]
pub(super) struct Disk(pub(super) PathBuf);

impl Folder for Disk {
    fn names(&self) -> Result<BTreeSet<String>, FolderError> {
        let entries = fs::read_dir(&self.0).map_err(FolderError::Unreadable)?;
        entries
            .map(|entry| match entry {
                Ok(entry) => Ok(entry.file_name().to_string_lossy().into_owned()),
                Err(error) => Err(FolderError::Unreadable(error)),
            })
            .collect()
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, FolderError> {
        read(&self.0.join(name))
    }
}

impl Disk {
    /// Whether anything of a case is in the folder: where nothing is, nothing was altered.
    ///
    /// # Errors
    /// When nothing is, or it can't be read.
    pub(super) fn has_case(&self) -> Result<(), NoCaseError> {
        let place = || place(&self.0);
        let names = self.names().map_err(|why| NoCaseError::Unreadable { place: place(), why })?;
        if names.iter().any(|name| name == MANIFEST || name == review::FILE || name.starts_with("calls-")) {
            return Ok(());
        }
        Err(NoCaseError::Nothing(place()))
    }

    /// Reviews of the case that lie beside the folder: `cases/CASE/reviews/*.json` beside `cases/CASE/sealed-…`, as the
    /// deployed functions store them. With each its name, and what is wrong if it can't be read.
    pub(super) fn reviews(&self) -> Vec<(String, Result<Review, ReadReviewError>)> {
        // `.` and `sealed-…/` have no name or parent until they are made whole.
        let Ok(whole) = fs::canonicalize(&self.0) else { return Vec::new() };
        let sealed = whole.file_name().is_some_and(|name| name.to_string_lossy().starts_with("sealed-"));
        let Some(folder) = whole.parent().filter(|_| sealed).map(|parent| parent.join("reviews")) else {
            return Vec::new();
        };
        let Ok(entries) = fs::read_dir(&folder) else { return Vec::new() };
        let mut names: Vec<String> =
            entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.retain(|name| Path::new(name).extension().is_some_and(|it| it.eq_ignore_ascii_case("json")));
        names.sort();
        let text = |name: &str| read(&folder.join(name)).map(|it| String::from_utf8_lossy(&it).into_owned());
        names
            .into_iter()
            .map(|name| {
                let review = text(&name).map_err(ReadReviewError::from);
                let review = review.and_then(|text| Ok(Review::read(&text)?));
                (format!("reviews/{name}"), review)
            })
            .collect()
    }

    /// The path of the folder's own review.
    pub(super) fn review(&self) -> PathBuf {
        self.0.join(review::FILE)
    }
}

/// Reads a plain file. A pipe or a device would hang, or never end.
fn read(path: &Path) -> Result<Vec<u8>, FolderError> {
    let wrong = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => FolderError::Missing,
        _ => FolderError::Unreadable(error),
    };
    let about = fs::metadata(path).map_err(wrong)?;
    if !about.is_file() {
        return Err(FolderError::NotPlain);
    }
    let mut bytes = Vec::new();
    File::open(path).map_err(wrong)?.take(LONGEST + 1).read_to_end(&mut bytes).map_err(wrong)?;
    if bytes.len() as u64 > LONGEST {
        return Err(FolderError::TooLarge);
    }
    Ok(bytes)
}
