//! Which files to read, and in which order.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::Problem;

/// Where records come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Standard input.
    Stdin,
    /// A file, and its size in bytes.
    File(PathBuf, u64),
}

impl Source {
    /// The name that problems give it.
    pub fn name(&self) -> String {
        match self {
            Self::Stdin => "standard input".into(),
            Self::File(path, _) => path.display().to_string(),
        }
    }

    /// Its size in bytes, 0 if unknown.
    pub fn size(&self) -> u64 {
        match self {
            Self::Stdin => 0,
            Self::File(_, size) => *size,
        }
    }
}

/// What was found at the paths of the command line.
#[derive(Debug, Default)]
pub struct Found {
    /// The files to read, folders in the order of their names.
    pub sources: Vec<Source>,
    /// Files in folders that don't begin like logs, and what isn't a plain file.
    pub others: usize,
    /// What could not be opened.
    pub problems: Vec<Problem>,
}

/// Finds the files. A file that is named is read whatever it is; in folders what is called as logs are (`.json`,
/// `.jsonl`, these with `.gz`), and what begins as logs do, whatever it is called.
pub fn find(paths: &[PathBuf]) -> Found {
    let mut found = Found::default();
    for path in paths {
        if path.as_os_str() == "-" {
            found.sources.push(Source::Stdin);
            continue;
        }
        for entry in WalkDir::new(path).follow_links(true).sort_by_file_name() {
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) if entry.depth() > 0 && !(entry.file_type().is_file() && is_log(entry.path())) => {
                    found.others += 1;
                }
                Ok(entry) => {
                    let size = entry.metadata().map_or(0, |metadata| metadata.len());
                    found.sources.push(Source::File(entry.into_path(), size));
                }
                Err(error) => {
                    let file = error.path().unwrap_or(path).display().to_string();
                    let message = match error.io_error() {
                        Some(error) => format!("can't be read: {error}"),
                        None => "a link that leads back to its own folder".into(),
                    };
                    let source = found.sources.len();
                    found.problems.push(Problem { source, file, position: None, message, lost: true });
                }
            }
        }
    }
    found
}

fn is_log(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    [".json", ".jsonl", ".ndjson"].iter().any(|end| name.ends_with(end)) || begins_as_log(path)
}

/// Whether a file begins as logs do: with JSON, as UTF-8 or UTF-16, with the time that CloudWatch Logs writes before
/// it, or with any of that in gzip. Firehose and export tasks give their files no ending. One that can't be opened is
/// read, to be named.
fn begins_as_log(path: &Path) -> bool {
    const START: u64 = 4096;
    let Ok(mut file) = File::open(path) else { return true };
    let mut start = Vec::new();
    if file.by_ref().take(START).read_to_end(&mut start).is_err() {
        return true;
    }
    if start.starts_with(super::open::GZIP) {
        let mut inflated = Vec::new();
        // Of a beginning only the beginning can be inflated: it ends in an error.
        let _ = flate2::bufread::GzDecoder::new(start.as_slice()).take(START).read_to_end(&mut inflated);
        start = inflated;
    }
    let start: Vec<u8> = start.into_iter().filter(|byte| *byte != 0).collect();
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&start);
    let start = start.strip_prefix(b"\xff\xfe").or(start.strip_prefix(b"\xfe\xff")).unwrap_or(start);
    let start = String::from_utf8_lossy(start.trim_ascii_start());
    let behind = |text: &str, next: &[char]| text.trim_start().starts_with(next);
    let json = match (start.get(..1), start.get(1..)) {
        (Some("{"), Some(rest)) => behind(rest, &['"', '}']),
        (Some("["), Some(rest)) => behind(rest, &['{', '"', ']']),
        (Some("\""), Some(rest)) => behind(rest, &['{', '[']),
        _ => false,
    };
    // Whatever a program wrote before it on its line.
    json || start.contains("eventVersion") || matches!(super::flat::time_before(&start), Ok(Some(_)))
}
