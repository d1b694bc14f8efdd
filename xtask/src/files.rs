//! Files and folders.

use std::path::Path;

use crate::error::Error;

/// What a file says.
pub(crate) fn read(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|why| Error::File { path: path.to_owned(), why })
}

/// The names of what is in a folder, sorted.
pub(crate) fn names(folder: &Path) -> Result<Vec<String>, Error> {
    let failed = |why| Error::File { path: folder.to_owned(), why };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        names.push(entry.map_err(failed)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}
