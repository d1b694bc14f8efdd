//! The log files under a directory.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// All `.json.gz` files under `dir`, in order of their paths.
pub fn log_files(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    let mut pending = vec![dir.to_owned()];
    while let Some(dir) = pending.pop() {
        let entries = fs::read_dir(&dir).map_err(|error| Error::io("list", &dir, error))?;
        for entry in entries {
            let entry = entry.map_err(|error| Error::io("list", &dir, error))?;
            let path = entry.path();
            let kind = entry.file_type().map_err(|error| Error::io("look at", &path, error))?;
            if kind.is_dir() {
                pending.push(path);
            } else if path.to_string_lossy().ends_with(".json.gz") {
                files.push(path);
            }
        }
    }
    if files.is_empty() {
        return Err(Error::NoFiles(dir.to_owned()));
    }
    files.sort();
    Ok(files)
}
