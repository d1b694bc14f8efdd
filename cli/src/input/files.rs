//! Which files to read, and in which order.

use std::fmt;
use std::fs::FileType;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::kind::{self, Kind};
use super::{Problem, Source};

/// What was found at the paths of the command line.
#[derive(Debug, Default)]
pub struct Found {
    /// The files to read, folders in the order of their names.
    pub sources: Vec<Source>,
    /// What is in folders and isn't read.
    pub left_out: Vec<(PathBuf, LeftOut)>,
    /// What could not be opened.
    pub problems: Vec<Problem>,
}

/// Why something in a folder isn't read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// It doesn't begin as logs do.
    NoLog,
    /// A zip archive, or another.
    Archive,
    /// A pipe, a socket or a device.
    NoFile,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoLog => "not a log",
            Self::Archive => "an archive",
            Self::NoFile => "not a plain file",
        })
    }
}

/// Finds the files. What is named is read whatever it is called, a pipe too; in folders plain files that are called as logs
/// are (`.json`, `.jsonl`, these with `.gz`), and what begins as logs do, whatever it is called.
pub fn find(paths: &[PathBuf]) -> Found {
    let mut found = Found::default();
    for path in paths {
        if path.as_os_str() == "-" {
            found.sources.push(Source::stdin());
            continue;
        }
        for entry in WalkDir::new(path).follow_links(true).sort_by_file_name() {
            match entry {
                Ok(entry) => found.add(entry),
                Err(error) => {
                    let file = error.path().unwrap_or(path);
                    let message = match error.io_error() {
                        Some(error) => format!("can't be read: {error}"),
                        None => "a link that leads back to its own folder".into(),
                    };
                    found.problem(file, message);
                }
            }
        }
    }
    found
}

impl Found {
    fn add(&mut self, entry: DirEntry) {
        let kind = entry.file_type();
        if kind.is_dir() {
            return;
        }
        let named = entry.depth() == 0;
        let left_out = match (kind.is_file(), named) {
            (true, true) => None,
            (true, false) => left_out(entry.path()),
            (false, false) => Some(LeftOut::NoFile),
            (false, true) => return self.add_special(entry.into_path(), kind),
        };
        if let Some(why) = left_out {
            self.left_out.push((entry.into_path(), why));
            return;
        }
        let size = entry.metadata().map_or(0, |metadata| metadata.len());
        self.sources.push(Source::file(entry.into_path(), size));
    }

    /// Adds something that is named and neither file nor folder.
    fn add_special(&mut self, path: PathBuf, kind: FileType) {
        let is_stdin =
            ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"].iter().any(|name| path == Path::new(name));
        if is_pipe(kind) {
            self.sources.push(Source::pipe(path));
        } else if is_stdin {
            self.sources.push(Source::stdin());
        } else {
            self.problem(&path, "a device or a socket: name a file, a folder or a pipe".into());
        }
    }

    fn problem(&mut self, file: &Path, message: String) {
        let (source, file) = (self.sources.len(), file.display().to_string());
        self.problems.push(Problem { source, file, position: None, message, lost: true });
    }
}

#[cfg(unix)]
fn is_pipe(kind: FileType) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&kind)
}

#[cfg(not(unix))]
fn is_pipe(_: FileType) -> bool {
    false
}

/// Why a plain file of a folder isn't read; `None`: it is.
fn left_out(path: &Path) -> Option<LeftOut> {
    let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    if [".json", ".jsonl", ".ndjson"].iter().any(|end| name.ends_with(end)) {
        return None;
    }
    match kind::of(path) {
        Kind::Log => None,
        Kind::Archive => Some(LeftOut::Archive),
        Kind::Other => Some(LeftOut::NoLog),
    }
}
