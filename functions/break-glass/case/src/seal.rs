//! Sealing: observations as lines, each chained to all before it, in files of a thousand.
//!
//! A line is `{"n":1,"chain":"…","call":{…}}`. `chain` is the SHA-256 of the chain value before it and of the text of
//! `call`; before the first line stands that of the format's name and the case's. Whoever changes, removes, adds or
//! swaps a line has to write all behind it anew, and the manifest; and then its digest is another than the one that
//! the closing alert carried out of the account.

use handsoff_core::show::clean;
use sha2::{Digest, Sha256};

use crate::manifest::{FORMAT, Lookup, Manifest, Segment, sha256};
use crate::observation::Observation;
use crate::session::Session;
use crate::summary::Summing;

/// How many lines a file has.
pub const LINES: u64 = 1_000;

/// A file of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// The chain value before the first line.
pub(crate) fn start(case: &str) -> String {
    sha256(format!("{FORMAT} {case}").as_bytes())
}

/// The chain value of a line.
pub(crate) fn link(before: &str, call: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(before.as_bytes());
    hash.update(call.as_bytes());
    hex::encode(hash.finalize())
}

/// A line without its end.
pub(crate) fn line(n: u64, chain: &str, call: &str) -> String {
    format!(r#"{{"n":{n},"chain":"{chain}","call":{call}}}"#)
}

/// The name of a file of lines, from 1.
pub(crate) fn name(number: usize) -> String {
    format!("calls-{number:06}.jsonl")
}

/// Writes a case, one observation after the other. Holds one file's lines at a time.
#[derive(Clone, Debug)]
pub struct Sealer {
    chain: String,
    n: u64,
    lines: u64,
    text: String,
    segments: Vec<Segment>,
    summing: Summing,
}

impl Sealer {
    /// Of a case without lines.
    pub fn new(case: &str) -> Self {
        Self {
            chain: start(case),
            n: 0,
            lines: 0,
            text: String::new(),
            segments: Vec::new(),
            summing: Summing::default(),
        }
    }

    /// Adds an observation, which comes behind all before it. Gives the file that is full now.
    ///
    /// # Errors
    /// Never, for what this crate makes.
    pub fn add(&mut self, observation: &Observation) -> Result<Option<File>, serde_json::Error> {
        let call = serde_json::to_string(observation)?;
        self.summing.add(observation);
        self.n += 1;
        self.chain = link(&self.chain, &call);
        self.text.push_str(&line(self.n, &self.chain, &call));
        self.text.push('\n');
        self.lines += 1;
        Ok((self.lines == LINES).then(|| self.cut()))
    }

    fn cut(&mut self) -> File {
        let text = std::mem::take(&mut self.text);
        let file = name(self.segments.len() + 1);
        self.segments.push(Segment {
            file: file.clone(),
            lines: std::mem::take(&mut self.lines),
            sha256: sha256(text.as_bytes()),
        });
        File { name: file, text }
    }

    /// The manifest, and the last file if it isn't empty.
    pub fn finish(mut self, session: &Session<'_>, lookup: Option<Lookup>) -> (Manifest, Option<File>) {
        let last = (self.lines > 0).then(|| self.cut());
        let Self { chain, segments, summing, .. } = self;
        (Manifest::new(session, summing.finish(), lookup, segments, chain), last)
    }
}

/// A whole case at once: its files, the manifest last.
///
/// # Errors
/// Never, for what this crate makes.
pub fn seal(
    session: &Session<'_>,
    observations: impl IntoIterator<Item = Observation>,
    lookup: Option<Lookup>,
) -> Result<(Vec<File>, Manifest), serde_json::Error> {
    let mut sealer = Sealer::new(&session.id);
    let mut files = Vec::new();
    for observation in observations {
        files.extend(sealer.add(&observation)?);
    }
    let (manifest, last) = sealer.finish(session, lookup);
    files.extend(last);
    files.push(File { name: crate::manifest::MANIFEST.into(), text: manifest.text()? });
    Ok((files, manifest))
}

/// The name of a case's folder: its incident, which handsoff made, held to what a file may be called.
pub fn folder(case: &str) -> String {
    let harmless = |char: char| if char.is_ascii_alphanumeric() || char == '-' { char } else { '_' };
    clean(case, 64).chars().map(harmless).collect()
}
