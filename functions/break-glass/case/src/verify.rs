//! Verifying a copy of a case, without network: order, hashes, manifest, digest; and the first difference by name.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use handsoff_core::show::clean;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::manifest::{FORMAT, MANIFEST, Manifest, sha256};
use crate::observation::Observation;
use crate::review::{self, Review};
use crate::seal::{line, link, name, start};
use crate::summary::Summing;

mod error;

pub use error::{AlteredError, DigestError, FolderError};

/// A copy of a case: a folder, or what stands for one.
pub trait Folder {
    /// The names of the files in it.
    ///
    /// # Errors
    /// Why it can't be read.
    fn names(&self) -> Result<BTreeSet<String>, FolderError>;

    /// What is in a file.
    ///
    /// # Errors
    /// Why it can't be read.
    fn read(&self, name: &str) -> Result<Vec<u8>, FolderError>;
}

/// The first difference between a copy and what was sealed.
#[derive(Debug)]
pub struct Difference {
    /// The file.
    pub file: String,
    /// The line, from 1, where it is one's.
    pub line: Option<u64>,
    /// What is different.
    pub what: AlteredError,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.what),
            None => write!(f, "{}: {}", self.file, self.what),
        }
    }
}

impl std::error::Error for Difference {}

/// The digest that a closing alert carried, in whatever form it was copied from there: with `sha256` before it or
/// without, in either case, with blanks around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest(String);

impl Digest {
    /// The digits, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(written: &str) -> Result<Self, DigestError> {
        const NAME: &str = "sha256";
        let text = written.trim();
        let digits = match text.split_at_checked(NAME.len()) {
            Some((name, rest)) if name.eq_ignore_ascii_case(NAME) => {
                rest.trim_start_matches(|char: char| char.is_whitespace() || matches!(char, ':' | '='))
            }
            _ => text,
        };
        if digits.is_empty() {
            return Err(DigestError::Missing);
        }
        if let Some(other) = digits.chars().find(|char| !char.is_ascii_hexdigit()) {
            return Err(DigestError::Digit(other));
        }
        if digits.len() != 64 {
            return Err(DigestError::Length(digits.len()));
        }
        Ok(Self(digits.to_ascii_lowercase()))
    }
}

/// A copy that is unaltered in itself.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Its manifest.
    pub manifest: Manifest,
    /// The manifest's SHA-256: to be compared with the one in the closing alert.
    pub digest: String,
    /// Its review, if it has one.
    pub review: Option<Review>,
}

/// Verifies a copy. `digest` is the one that the closing alert reported, if it is at hand. `each` gets all observations.
///
/// # Errors
/// The first difference.
pub fn verify(
    folder: &impl Folder,
    digest: Option<&Digest>,
    mut each: impl FnMut(Observation),
) -> Result<Verified, Difference> {
    let (manifest, found) = manifest(folder)?;
    let whole = |what| Difference { file: MANIFEST.into(), line: None, what };
    if let Some(told) = digest
        && told.as_str() != found
    {
        return Err(whole(AlteredError::Digest { found, told: told.as_str().to_owned() }));
    }
    for (index, segment) in manifest.segments.iter().enumerate() {
        let expected = name(index + 1);
        if segment.file != expected {
            return Err(whole(AlteredError::Segment { listed: segment.file.clone(), expected }));
        }
    }
    let mut reading =
        Reading { chain: start(&manifest.case), n: 0, summing: Summing::default(), each: &mut each };
    for segment in &manifest.segments {
        reading.segment(folder, &segment.file, segment.lines, &segment.sha256)?;
    }
    if reading.chain != manifest.head {
        return Err(whole(AlteredError::Head));
    }
    if reading.summing.finish() != manifest.summary {
        return Err(whole(AlteredError::Summary));
    }
    let listed: BTreeSet<&str> = manifest.segments.iter().map(|segment| &*segment.file).collect();
    let names =
        folder.names().map_err(|why| Difference { file: ".".into(), line: None, what: why.into() })?;
    let more = names.iter().find(|name| name.starts_with("calls-") && !listed.contains(&***name));
    if let Some(more) = more {
        let file = clean(more, 64);
        return Err(Difference { file, line: None, what: AlteredError::Unlisted });
    }
    let review = if names.contains(review::FILE) { Some(reviewed(folder, &manifest, &found)?) } else { None };
    Ok(Verified { manifest, digest: found, review })
}

/// A folder's manifest and its digest. Nothing else is verified.
///
/// # Errors
/// When there is none, or handsoff didn't write it so.
pub fn manifest(folder: &impl Folder) -> Result<(Manifest, String), Difference> {
    let whole = |what| Difference { file: MANIFEST.into(), line: None, what };
    let bytes = folder.read(MANIFEST).map_err(|why| whole(why.into()))?;
    let manifest: Manifest =
        serde_json::from_slice(&bytes).map_err(|error| whole(AlteredError::NoManifest(error)))?;
    if manifest.format != FORMAT {
        return Err(whole(AlteredError::Format(manifest.format)));
    }
    if manifest.text().map(String::into_bytes).ok().as_ref() != Some(&bytes) {
        return Err(whole(AlteredError::Form));
    }
    Ok((manifest, sha256(&bytes)))
}

fn reviewed(folder: &impl Folder, manifest: &Manifest, digest: &str) -> Result<Review, Difference> {
    let wrong = |what| Difference { file: review::FILE.into(), line: None, what };
    let bytes = folder.read(review::FILE).map_err(|why| wrong(why.into()))?;
    let review = Review::read(&String::from_utf8_lossy(&bytes)).map_err(|why| wrong(why.into()))?;
    review.of(manifest, digest).map_err(|why| wrong(why.into()))?;
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
        let at = |line, what| Difference { file: file.to_owned(), line, what };
        let bytes = folder.read(file).map_err(|why| at(None, why.into()))?;
        let text = std::str::from_utf8(&bytes).map_err(|error| {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = before.split(|byte| *byte == b'\n').count() as u64;
            at(Some(line), AlteredError::NoText)
        })?;
        let mut count = 0;
        for written in text.lines() {
            count += 1;
            if count > lines {
                return Err(at(Some(count), AlteredError::LineAdded { lines }));
            }
            self.line(written).map_err(|what| at(Some(count), what))?;
        }
        if count < lines {
            return Err(at(Some(count + 1), AlteredError::LinesMissing { lines, count }));
        }
        if sha256(&bytes) != sha {
            return Err(at(None, AlteredError::Bytes));
        }
        Ok(())
    }

    fn line(&mut self, written: &str) -> Result<(), AlteredError> {
        let Ok(Line { n, chain, call }) = serde_json::from_str(written) else {
            return Err(AlteredError::NoLine);
        };
        let expected = self.n + 1;
        if n > expected {
            return Err(AlteredError::CallRemoved { n, expected });
        }
        if n < expected {
            return Err(AlteredError::CallAdded { n, expected });
        }
        let link = link(&self.chain, call.get());
        if link != chain {
            return Err(AlteredError::Chain(n));
        }
        if line(n, chain, call.get()) != written {
            return Err(AlteredError::CallForm(n));
        }
        let observation: Observation =
            serde_json::from_str(call.get()).map_err(|_| AlteredError::Fields(n))?;
        // Stored observations may have fields that this version doesn't know; those of a case may not.
        if serde_json::to_string(&observation).ok().as_deref() != Some(call.get()) {
            return Err(AlteredError::Fields(n));
        }
        self.summing.add(&observation);
        (self.each)(observation);
        (self.chain, self.n) = (link, n);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_as_it_is_pasted() {
        let plain = "0123456789abcdef".repeat(4);
        for written in [
            plain.clone(),
            plain.to_uppercase(),
            format!("  {plain}\n"),
            format!("sha256 {plain}"),
            format!("sha256:{plain}"),
            format!("SHA256: {plain}"),
            format!("sha256={plain}"),
            format!("\tsha256   {} ", plain.to_uppercase()),
        ] {
            assert_eq!(written.parse(), Ok(Digest(plain.clone())), "{written:?}");
        }
    }

    #[test]
    fn what_is_no_digest_says_why() {
        let plain = "0123456789abcdef".repeat(4);
        for (written, why) in [
            (String::new(), "the digits are missing"),
            ("sha256".into(), "in quotes with the word"),
            (plain.replacen('0', "", 1), "it has 63 digits"),
            (format!("{plain}0"), "it has 65 digits"),
            (plain.replacen('0', "O", 1), "`O` is no hexadecimal digit"),
            (format!("sha512:{plain}"), "`s` is no hexadecimal digit"),
            (plain.replacen('0', "\u{202e}", 1), "is no hexadecimal digit"),
            ("glass-5f0c1d2e3a4b".into(), "`g` is no hexadecimal digit"),
        ] {
            let error = written.parse::<Digest>().unwrap_err().to_string();
            assert!(error.contains(why) && !error.contains('\u{202e}'), "{written:?}: {error}");
        }
    }
}
