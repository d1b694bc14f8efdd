//! A case's folder on a disk.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use handsoff_case::manifest::MANIFEST;
use handsoff_case::review::{self, Review};
use handsoff_case::verify::Folder;

use super::place;

/// No file of a case is larger: a thousand lines of the longest calls.
const LONGEST: u64 = 256 << 20;

/// A folder on a disk.
#[derive(Clone, Debug)]
pub(super) struct Disk(pub(super) PathBuf);

impl Folder for Disk {
    fn names(&self) -> Result<BTreeSet<String>, String> {
        let entries = fs::read_dir(&self.0).map_err(|error| format!("can't be read: {error}"))?;
        entries
            .map(|entry| match entry {
                Ok(entry) => Ok(entry.file_name().to_string_lossy().into_owned()),
                Err(error) => Err(format!("can't be read: {error}")),
            })
            .collect()
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, String> {
        read(&self.0.join(name))
    }
}

impl Disk {
    /// Whether anything of a case is in the folder: where nothing is, nothing was altered.
    ///
    /// # Errors
    /// What to say of it.
    pub(super) fn has_case(&self) -> Result<(), String> {
        let names = self.names().map_err(|why| format!("no case here: {} {why}", place(&self.0)))?;
        if names.iter().any(|name| name == MANIFEST || name == review::FILE || name.starts_with("calls-")) {
            return Ok(());
        }
        Err(format!(
            "no case here: {0} has neither {MANIFEST} nor lines of calls; `handsoff case list {0}` names the cases below",
            place(&self.0)
        ))
    }

    /// Reviews of the case that lie beside the folder: `cases/CASE/reviews/*.json` beside `cases/CASE/sealed-…`, as the
    /// deployed functions store them. With each its name, and what is wrong if it can't be read.
    pub(super) fn reviews(&self) -> Vec<(String, Result<Review, String>)> {
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
                let review = text(&name).and_then(|text| Review::read(&text));
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
fn read(path: &Path) -> Result<Vec<u8>, String> {
    let wrong = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => "missing".to_owned(),
        _ => format!("can't be read: {error}"),
    };
    let about = fs::metadata(path).map_err(wrong)?;
    if !about.is_file() {
        return Err("is no plain file".into());
    }
    let mut bytes = Vec::new();
    File::open(path).map_err(wrong)?.take(LONGEST + 1).read_to_end(&mut bytes).map_err(wrong)?;
    if bytes.len() as u64 > LONGEST {
        return Err("is larger than any file of a case".into());
    }
    Ok(bytes)
}
