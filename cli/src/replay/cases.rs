//! Writing the case files of a replay: a folder a case.

use std::fs;
use std::io;
use std::path::Path;

use handsoff_case::seal::folder;

use super::sessions::Case;

/// Writes the cases below a folder. Gives the names of those that were there already with other contents: they are
/// left as they are.
///
/// # Errors
/// When something can't be written.
pub(super) fn write(below: &Path, cases: &[Case]) -> io::Result<Vec<String>> {
    fs::create_dir_all(below)?;
    let mut others = Vec::new();
    for case in cases.iter().filter(|case| !case.files.is_empty()) {
        let name = folder(&case.id);
        let at = below.join(&name);
        if at.exists() {
            let same = |file: &handsoff_case::seal::File| {
                fs::read(at.join(&file.name)).is_ok_and(|bytes| bytes == file.text.as_bytes())
            };
            if !case.files.iter().all(same) {
                others.push(at.display().to_string());
            }
            continue;
        }
        // Whole or not at all.
        let part = tempfile::Builder::new().prefix(".writing-").tempdir_in(below)?;
        for file in &case.files {
            fs::write(part.path().join(&file.name), &file.text)?;
        }
        fs::rename(part.keep(), &at)?;
        readable(&at)?;
    }
    Ok(others)
}

/// A temporary folder is its owner's alone: a case is as open as other files.
#[cfg(unix)]
fn readable(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn readable(_: &Path) -> io::Result<()> {
    Ok(())
}
