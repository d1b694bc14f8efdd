//! Verifying a copy of a case, without network: order, hashes, manifest, digest; and the first difference by name.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::manifest::{FORMAT, MANIFEST, Manifest, sha256};
use crate::observation::Observation;
use crate::review::{self, Review};
use crate::seal::{line, link, name, start};
use crate::summary::Summing;

/// A copy of a case: a folder, or what stands for one.
pub trait Folder {
    /// The names of the files in it.
    ///
    /// # Errors
    /// Why it can't be read.
    fn names(&self) -> Result<BTreeSet<String>, String>;

    /// What is in a file.
    ///
    /// # Errors
    /// Why it can't be read.
    fn read(&self, name: &str) -> Result<Vec<u8>, String>;
}

/// The first difference between a copy and what was sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The file.
    pub file: String,
    /// The line, from 1, where it is one's.
    pub line: Option<u64>,
    /// What is different.
    pub what: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.what),
            None => write!(f, "{}: {}", self.file, self.what),
        }
    }
}

/// A copy that is unaltered in itself.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Its manifest.
    pub manifest: Manifest,
    /// The manifest's SHA-256: to be held against the one in the closing alert.
    pub digest: String,
    /// Its review, if it has one.
    pub review: Option<Review>,
}

/// Verifies a copy. `digest` is the one that the closing alert told, if it is at hand. `each` gets all observations.
///
/// # Errors
/// The first difference.
pub fn verify(
    folder: &impl Folder,
    digest: Option<&str>,
    mut each: impl FnMut(Observation),
) -> Result<Verified, Difference> {
    let (manifest, found) = manifest(folder)?;
    let whole = |what: String| Difference { file: MANIFEST.into(), line: None, what };
    if let Some(told) = digest
        && !told.trim().eq_ignore_ascii_case(&found)
    {
        return Err(whole(format!("its digest is {found}, and {} was told", told.trim())));
    }
    for (index, segment) in manifest.segments.iter().enumerate() {
        let expected = name(index + 1);
        if segment.file != expected {
            let listed = handsoff_watch::show::clean(&segment.file, 64);
            return Err(whole(format!("it lists {listed}, where {expected} belongs")));
        }
    }
    let mut reading =
        Reading { chain: start(&manifest.case), n: 0, summing: Summing::default(), each: &mut each };
    for segment in &manifest.segments {
        reading.segment(folder, &segment.file, segment.lines, &segment.sha256)?;
    }
    if reading.chain != manifest.head {
        return Err(whole("its `head` is not the chain value of the last line".into()));
    }
    if reading.summing.finish() != manifest.summary {
        return Err(whole("its `summary` is not that of the lines".into()));
    }
    let listed: BTreeSet<&str> = manifest.segments.iter().map(|segment| &*segment.file).collect();
    let names = folder.names().map_err(|why| Difference { file: ".".into(), line: None, what: why })?;
    let more = names.iter().find(|name| name.starts_with("calls-") && !listed.contains(&***name));
    if let Some(more) = more {
        let file = handsoff_watch::show::clean(more, 64);
        return Err(Difference { file, line: None, what: "added: the manifest doesn't list it".into() });
    }
    let review = if names.contains(review::FILE) { Some(reviewed(folder, &manifest, &found)?) } else { None };
    Ok(Verified { manifest, digest: found, review })
}

/// A folder's manifest and its digest. Nothing else is verified.
///
/// # Errors
/// When there is none, or handsoff didn't write it so.
pub fn manifest(folder: &impl Folder) -> Result<(Manifest, String), Difference> {
    let whole = |what: String| Difference { file: MANIFEST.into(), line: None, what };
    let bytes = folder.read(MANIFEST).map_err(whole)?;
    let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|error| {
        whole(format!("no manifest of a case: {}", handsoff_watch::show::clean(&error.to_string(), 256)))
    })?;
    if manifest.format != FORMAT {
        let format = handsoff_watch::show::clean(&manifest.format, 64);
        return Err(whole(format!("its format is `{format}`, and this program knows {FORMAT}")));
    }
    if manifest.text().map(String::into_bytes).ok().as_ref() != Some(&bytes) {
        return Err(whole("changed: it isn't written the way it was sealed".into()));
    }
    Ok((manifest, sha256(&bytes)))
}

fn reviewed(folder: &impl Folder, manifest: &Manifest, digest: &str) -> Result<Review, Difference> {
    let wrong = |what: String| Difference { file: review::FILE.into(), line: None, what };
    let bytes = folder.read(review::FILE).map_err(wrong)?;
    let review = Review::read(&String::from_utf8_lossy(&bytes)).map_err(wrong)?;
    review.of(manifest, digest).map_err(wrong)?;
    Ok(review)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'l> {
    n: u64,
    chain: &'l str,
    #[serde(borrow)]
    call: &'l RawValue,
}

struct Reading<'e> {
    chain: String,
    n: u64,
    summing: Summing,
    each: &'e mut dyn FnMut(Observation),
}

impl Reading<'_> {
    fn segment(&mut self, folder: &impl Folder, file: &str, lines: u64, sha: &str) -> Result<(), Difference> {
        let at = |line, what: String| Difference { file: file.to_owned(), line, what };
        let bytes = folder.read(file).map_err(|why| at(None, why))?;
        let text = std::str::from_utf8(&bytes).map_err(|error| {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = before.split(|byte| *byte == b'\n').count() as u64;
            at(Some(line), "changed: it is no text".into())
        })?;
        let mut count = 0;
        for written in text.lines() {
            count += 1;
            if count > lines {
                return Err(at(Some(count), format!("added: the manifest says {lines} lines")));
            }
            self.line(written).map_err(|what| at(Some(count), what))?;
        }
        if count < lines {
            return Err(at(
                Some(count + 1),
                format!("missing: the manifest says {lines} lines, here are {count}"),
            ));
        }
        if sha256(&bytes) != sha {
            return Err(at(
                None,
                "its lines are all there, and yet it isn't the file that was sealed".into(),
            ));
        }
        Ok(())
    }

    fn line(&mut self, written: &str) -> Result<(), String> {
        let Ok(Line { n, chain, call }) = serde_json::from_str(written) else {
            return Err("changed: it is no line of a case".into());
        };
        let expected = self.n + 1;
        if n > expected {
            return Err(format!("call {n} stands where call {expected} belongs: removed, or swapped"));
        }
        if n < expected {
            return Err(format!("call {n} stands where call {expected} belongs: added, or swapped"));
        }
        let link = link(&self.chain, call.get());
        if link != chain {
            return Err(format!("call {n} was changed: the chain breaks here"));
        }
        if line(n, chain, call.get()) != written {
            return Err(format!("call {n} was changed: it isn't written the way it was sealed"));
        }
        let not_one = || format!("call {n} was changed: it has not the fields of one");
        let observation: Observation = serde_json::from_str(call.get()).map_err(|_| not_one())?;
        // Stored observations may have fields that this version doesn't know; those of a case may not.
        if serde_json::to_string(&observation).ok().as_deref() != Some(call.get()) {
            return Err(not_one());
        }
        self.summing.add(&observation);
        (self.each)(observation);
        (self.chain, self.n) = (link, n);
        Ok(())
    }
}
