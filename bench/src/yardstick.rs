//! The least that any reader of log files does: inflate them, or inflate and parse them.

use std::borrow::Cow;
use std::fmt;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::inflate::Inflater;

/// How much is done with each file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Inflate it.
    Inflate,
    /// Inflate it, check its UTF-8 and parse its records, borrowed and typed.
    Parse,
}

/// What was read.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Bytes of JSON.
    pub raw: u64,
    /// Records, if parsed.
    pub records: u64,
    /// Those of them that are not read-only, if parsed.
    pub writes: u64,
}

/// Reads `files` with `threads` threads.
pub fn measure(files: &[PathBuf], mode: Mode, threads: usize) -> Result<Tally, Error> {
    let next = AtomicUsize::new(0);
    let outcome = Mutex::new(Ok(Tally::default()));
    thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                let done = read_share(files, mode, &next);
                if done.is_err() {
                    next.store(files.len(), Ordering::Relaxed);
                }
                // INVARIANT: nothing panics while the lock is held.
                if let Ok(mut outcome) = outcome.lock() {
                    *outcome = add(std::mem::replace(&mut *outcome, Ok(Tally::default())), done);
                }
            });
        }
    });
    outcome.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn add(one: Result<Tally, Error>, other: Result<Tally, Error>) -> Result<Tally, Error> {
    let (one, other) = (one?, other?);
    Ok(Tally {
        raw: one.raw + other.raw,
        records: one.records + other.records,
        writes: one.writes + other.writes,
    })
}

fn read_share(files: &[PathBuf], mode: Mode, next: &AtomicUsize) -> Result<Tally, Error> {
    let mut inflater = Inflater::default();
    let mut tally = Tally::default();
    while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
        let raw = inflater.read(path)?;
        tally.raw += raw.len() as u64;
        match mode {
            Mode::Inflate => {
                black_box(raw);
            }
            Mode::Parse => parse(raw, path, &mut tally)?,
        }
    }
    Ok(tally)
}

fn parse(raw: &[u8], path: &Path, tally: &mut Tally) -> Result<(), Error> {
    let failed = |why: String| Error::Parse { path: path.to_owned(), why };
    let text = simdutf8::basic::from_utf8(raw).map_err(|error| failed(error.to_string()))?;
    let mut json = serde_json::Deserializer::from_str(text);
    json.deserialize_map(Log { tally }).and_then(|()| json.end()).map_err(|error| failed(error.to_string()))
}

/// A string that is borrowed where it can be. `Option<Cow<str>>` by itself never borrows.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The fields that a verdict needs; the rest is skipped.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "the yardstick parses the fields, it does not use them")]
struct Record<'a> {
    #[serde(borrow)]
    event_time: Option<Text<'a>>,
    #[serde(borrow)]
    event_source: Option<Text<'a>>,
    #[serde(borrow)]
    event_name: Option<Text<'a>>,
    #[serde(borrow)]
    aws_region: Option<Text<'a>>,
    #[serde(borrow, rename = "sourceIPAddress")]
    source_ip_address: Option<Text<'a>>,
    #[serde(borrow)]
    user_agent: Option<Text<'a>>,
    #[serde(borrow)]
    error_code: Option<Text<'a>>,
    read_only: Option<bool>,
    #[serde(borrow, rename = "eventID")]
    event_id: Option<Text<'a>>,
    #[serde(borrow)]
    recipient_account_id: Option<Text<'a>>,
    #[serde(borrow)]
    user_identity: Option<Identity<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "the yardstick parses the fields, it does not use them")]
struct Identity<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    arn: Option<Text<'a>>,
    #[serde(borrow)]
    account_id: Option<Text<'a>>,
    #[serde(borrow)]
    access_key_id: Option<Text<'a>>,
    #[serde(borrow)]
    user_name: Option<Text<'a>>,
    #[serde(borrow)]
    invoked_by: Option<Text<'a>>,
    #[serde(borrow)]
    session_context: Option<Session<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "the yardstick parses the fields, it does not use them")]
struct Session<'a> {
    #[serde(borrow)]
    session_issuer: Option<Issuer<'a>>,
    #[serde(borrow)]
    attributes: Option<Attributes<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "the yardstick parses the fields, it does not use them")]
struct Issuer<'a> {
    #[serde(borrow)]
    arn: Option<Text<'a>>,
    #[serde(borrow)]
    user_name: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "the yardstick parses the fields, it does not use them")]
struct Attributes<'a> {
    #[serde(borrow)]
    creation_date: Option<Text<'a>>,
    #[serde(borrow)]
    mfa_authenticated: Option<Text<'a>>,
}

/// `{"Records":[…]}`, counted while it streams by.
struct Log<'t> {
    tally: &'t mut Tally,
}

impl<'de> Visitor<'de> for Log<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a CloudTrail log file")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Text<'de>>()? {
            if key.0 == "Records" {
                map.next_value_seed(Records { tally: &mut *self.tally })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

struct Records<'t> {
    tally: &'t mut Tally,
}

impl<'de> DeserializeSeed<'de> for Records<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Records<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(record) = seq.next_element::<Record<'de>>()? {
            self.tally.records += 1;
            self.tally.writes += u64::from(black_box(&record).read_only != Some(true));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Tally, Text, parse};

    fn tally(json: &str) -> Result<Tally, String> {
        let mut tally = Tally::default();
        parse(json.as_bytes(), Path::new("a.json.gz"), &mut tally).map_err(|error| error.to_string())?;
        Ok(tally)
    }

    #[test]
    fn counts_what_is_not_read_only() {
        let json = r#"{"x":[1],"Records":[
            {"eventName":"A","readOnly":true},
            {"eventName":"B","readOnly":false,"requestParameters":{"readOnly":true}},
            {"eventName":"C","userIdentity":{"type":"Root","sessionContext":{"sessionIssuer":{}}}}
        ]}"#;
        let Tally { records, writes, .. } = tally(json).unwrap();
        assert_eq!((records, writes), (3, 2));
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        let error = tally(r#"{"Records":[{"eventName":"A"}"#).unwrap_err();
        assert!(error.starts_with("could not parse `a.json.gz`: EOF"), "{error}");
    }

    #[test]
    fn strings_are_borrowed() {
        let text: Option<Text<'_>> = serde_json::from_str(r#""plain""#).unwrap();
        assert!(matches!(text.unwrap().0, std::borrow::Cow::Borrowed("plain")));
    }
}
