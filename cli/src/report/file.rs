//! The file of a report: written beside its place and put there when it is whole.

use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::path::Path;

use tempfile::Builder;

/// What made the page, as it says itself: by this it is known for one that may be replaced.
pub(super) const GENERATOR: &str = "handsoff replay --report";

/// So far into a file is looked for it.
const HEAD: u64 = 1024;

/// Whether the file may be written: it isn't there, or is a report of an earlier run.
///
/// # Errors
/// Why not.
pub(crate) fn may_be_written(file: &Path) -> io::Result<()> {
    if is_there(file)? {
        return Ok(());
    }
    // So that nobody waits for a replay whose report has no place.
    let folder = folder(file);
    if folder.is_dir() { Ok(()) } else { Err(io::Error::other(format!("{} is no folder", folder.display()))) }
}

/// Whether there is a report of an earlier run.
fn is_there(file: &Path) -> io::Result<bool> {
    let refused = |why: &str| Err(io::Error::other(why));
    match fs::symlink_metadata(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
        Ok(found) if found.is_dir() => return refused("it is a folder: name a file"),
        Ok(found) if !found.is_file() => {
            return refused("it is no plain file, and is left as it is: name another");
        }
        Ok(_) => {}
    }
    let mut head = Vec::new();
    File::open(file)?.take(HEAD).read_to_end(&mut head)?;
    let head = String::from_utf8_lossy(&head);
    let ours = head.starts_with("<!DOCTYPE html>")
        && head.contains(&format!("<meta name=\"generator\" content=\"{GENERATOR}\">"));
    if ours {
        Ok(true)
    } else {
        refused(
            "it is there already and is no report of handsoff, so it is left as it is: name another, or remove it",
        )
    }
}

fn folder(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// Writes a file by `write`. Who reads it sees the whole old one, or the whole new one.
pub(super) fn write(file: &Path, write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    // Once more: a replay takes time.
    let replaces = is_there(file)?;
    let mut builder = Builder::new();
    builder.prefix(".writing-");
    readable(&mut builder);
    let mut part = builder.tempfile_in(folder(file))?;
    let mut out = BufWriter::with_capacity(1 << 16, part.as_file_mut());
    write(&mut out)?;
    out.flush()?;
    drop(out);
    part.as_file().sync_all()?;
    let put = if replaces { part.persist(file) } else { part.persist_noclobber(file) };
    put.map(drop).map_err(|error| error.error)
}

/// A temporary file is its owner's alone: a report is as open as other files, as far as the umask lets it.
#[cfg(unix)]
fn readable(builder: &mut Builder<'_, '_>) {
    use std::os::unix::fs::PermissionsExt;
    builder.permissions(fs::Permissions::from_mode(0o666));
}

#[cfg(not(unix))]
fn readable(_: &mut Builder<'_, '_>) {}
