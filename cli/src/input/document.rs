//! Cuts text into records, whatever shape it has: `{"Records":[…]}`, an array, one record a line, a single
//! record, EventBridge envelopes and other wrappers, and any of these one behind the other.

use handsoff_trail::json::{Malformed, Raw, Why};
use handsoff_trail::{Entry, Record};
use memchr::memmem;

use super::{Place, Position, Sink};

/// Where in the shape of the text we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Between values.
    Top,
    /// In an array of records; whether an object is around it.
    Array { in_object: bool },
    /// Behind the records of a `{"Records":[…]}`, before the object's end.
    Tail,
}

/// One text, fed in pieces.
#[derive(Debug)]
pub(super) struct Document {
    state: State,
    /// Set after something unreadable: skip up to where a record may start.
    lost: Option<Lost>,
    /// Bytes and lines before the piece at hand, and where its first line starts.
    offset: u64,
    lines: u64,
    line_start: u64,
    /// How often a value had no end. Looking for one costs the whole rest of the text.
    endless: u32,
}

/// What a place to go on from looks like.
#[derive(Clone, Copy, Debug)]
enum Lost {
    /// The next line.
    Line,
    /// The next thing that looks like the start of a record.
    Record,
}

/// After so many values without an end the rest of a text is given up.
const MOST_ENDLESS: u32 = 200;

impl Document {
    pub(super) fn new() -> Self {
        Self { state: State::Top, lost: None, offset: 0, lines: 0, line_start: 0, endless: 0 }
    }

    /// Handles the records of a piece of text and says how many of its bytes are done with. The rest is to
    /// be fed again, with more behind it, unless this is the `last` piece.
    pub(super) fn feed(&mut self, bytes: &[u8], last: bool, sink: &mut impl Sink) -> usize {
        let mut at = 0;
        while at < bytes.len() {
            if let Some(lost) = self.lost {
                let Some(next) = go_on(bytes, at, lost) else {
                    // Keep what may be the first bytes of a place to go on from.
                    at = if last { bytes.len() } else { at.max(bytes.len().saturating_sub(START.len())) };
                    break;
                };
                self.lost = None;
                at = next;
            }
            let (text, broken) = text_of(bytes, at);
            let stop = self.read(bytes, &mut at, text, sink);
            let Some(stop) = stop else {
                if let Some(broken) = broken {
                    self.tell(bytes, broken, "not UTF-8 text", sink);
                    self.lost = Some(Lost::Record);
                    at = broken + 1;
                    continue;
                }
                break;
            };
            let ends = stop.error.why == Why::Ends;
            match (ends, broken) {
                (true, Some(broken)) => {
                    self.tell(bytes, broken, "not UTF-8 text: the record around it can't be read", sink);
                    self.lost = Some(Lost::Record);
                    at = broken + 1;
                }
                (true, None) if !last => break,
                _ => {
                    if ends {
                        self.endless += 1;
                        self.tell(bytes, at, "the text ends inside a value that starts here", sink);
                    } else {
                        let message = format!("not JSON: {}", stop.error.why);
                        self.tell(bytes, stop.error.at, &message, sink);
                    }
                    self.lost = Some(stop.lost);
                    at += 1;
                    if self.endless > MOST_ENDLESS {
                        self.tell(
                            bytes,
                            at,
                            "too many values without an end: the rest of the file isn't read",
                            sink,
                        );
                        at = bytes.len();
                    }
                }
            }
        }
        let at = at.min(bytes.len());
        if !last {
            self.pass(bytes.get(..at).unwrap_or_default());
        }
        at
    }

    /// Gives up the value at the start of the text, which is longer than any record. Its first byte is then
    /// done with.
    pub(super) fn give_up(&mut self, bytes: &[u8], sink: &mut impl Sink) -> usize {
        let message = format!("a value of more than {} MiB is no CloudTrail record", bytes.len() >> 20);
        self.tell(bytes, 0, &message, sink);
        self.lost = Some(Lost::Record);
        let first = bytes.get(..1).unwrap_or_default();
        self.pass(first);
        first.len()
    }

    /// The position of a byte of the piece at hand.
    pub(super) fn position(&self, bytes: &[u8], at: usize) -> Position {
        let before = bytes.get(..at).unwrap_or(bytes);
        let offset = self.offset + before.len() as u64;
        let line_start = memchr::memrchr(b'\n', before)
            .map_or(self.line_start, |newline| self.offset + newline as u64 + 1);
        let line = self.lines + memchr::memchr_iter(b'\n', before).count() as u64 + 1;
        Position { offset, line, column: offset - line_start + 1 }
    }

    fn pass(&mut self, bytes: &[u8]) {
        self.lines += memchr::memchr_iter(b'\n', bytes).count() as u64;
        if let Some(newline) = memchr::memrchr(b'\n', bytes) {
            self.line_start = self.offset + newline as u64 + 1;
        }
        self.offset += bytes.len() as u64;
    }

    fn tell(&self, bytes: &[u8], at: usize, message: &str, sink: &mut impl Sink) {
        sink.problem(Some(self.position(bytes, at)), message.to_owned());
    }

    /// Reads values from byte `at` on, which is left behind the last whole one. `None`: up to the end.
    fn read(&mut self, bytes: &[u8], at: &mut usize, text: &str, sink: &mut impl Sink) -> Option<Stop> {
        let base = *at;
        let mut here = 0;
        loop {
            *at = base + here;
            let rest = text.as_bytes().get(here..).unwrap_or_default();
            let Some(blank) = rest.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
            else {
                *at = base + text.len();
                return None;
            };
            here += blank;
            *at = base + here;
            let rest = text.get(here..).unwrap_or_default();
            let step = match self.state {
                State::Tail => self.tail(rest),
                _ => self.value(bytes, base + here, rest, sink),
            };
            match step {
                Ok(used) => here += used,
                Err((error, lost)) => {
                    return Some(Stop { error: Malformed { at: base + here + error.at, ..error }, lost });
                }
            }
        }
    }

    /// Handles one value or punctuation mark between values; `rest` starts with neither white space nor nothing.
    fn value(
        &mut self,
        bytes: &[u8],
        at: usize,
        rest: &str,
        sink: &mut impl Sink,
    ) -> Result<usize, (Malformed, Lost)> {
        let in_array = matches!(self.state, State::Array { .. });
        match rest.as_bytes().first() {
            Some(b'{') => {
                let (entry, used) = Record::read(rest).map_err(|error| (error, Lost::Record))?;
                let locate = || self.position(bytes, at);
                let place = Place::new(&locate);
                match entry {
                    Entry::Record(record) => sink.record(&record, &place),
                    Entry::Records(start) => {
                        self.state = State::Array { in_object: true };
                        return Ok(start + 1);
                    }
                    Entry::Other(raw) => {
                        if !Record::unwrap(raw, &mut |record| sink.record(&record, &place)) {
                            self.tell(
                                bytes,
                                at,
                                "no CloudTrail record: the object has none of a record's fields",
                                sink,
                            );
                        }
                    }
                }
                Ok(used)
            }
            Some(b'[') if !in_array => {
                self.state = State::Array { in_object: false };
                Ok(1)
            }
            // Between the values of a text there may be commas too: arrays that were cut by lines.
            Some(b',') => Ok(1),
            Some(b']') => {
                self.state = match self.state {
                    State::Array { in_object: true } => State::Tail,
                    _ => State::Top,
                };
                Ok(1)
            }
            // Behind something unreadable the end of its container may be left over.
            Some(b'}') => {
                self.state = State::Top;
                Ok(1)
            }
            // A byte order mark.
            Some(0xEF) if rest.starts_with('\u{feff}') => Ok(3),
            _ if in_array => match Raw::at(rest, 0) {
                Ok((_, used)) => {
                    self.tell(bytes, at, "no CloudTrail record: not even an object", sink);
                    Ok(used)
                }
                Err(error) => Err((error, Lost::Record)),
            },
            _ => Err((Malformed { at: 0, why: Why::NoValue }, Lost::Line)),
        }
    }

    /// Steps over a member behind the records of a container, or its end.
    fn tail(&mut self, rest: &str) -> Result<usize, (Malformed, Lost)> {
        let lost = |error| (error, Lost::Record);
        match rest.as_bytes().first() {
            Some(b'}') => {
                self.state = State::Top;
                Ok(1)
            }
            Some(b',' | b':') => Ok(1),
            // A container may have more than one array of records.
            Some(b'[') => {
                self.state = State::Array { in_object: true };
                Ok(1)
            }
            Some(_) => Raw::at(rest, 0).map(|(_, used)| used).map_err(lost),
            None => Err(lost(Malformed { at: 0, why: Why::Ends })),
        }
    }
}

struct Stop {
    error: Malformed,
    lost: Lost,
}

const START: &[u8] = b"{\"eventVersion\"";

/// Where to go on behind something unreadable.
fn go_on(bytes: &[u8], at: usize, lost: Lost) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let line = match lost {
        Lost::Line => memchr::memchr(b'\n', rest).map(|newline| newline + 1),
        Lost::Record => memmem::find(rest, b"\n{").map(|newline| newline + 1),
    };
    let record = memmem::find(rest, START);
    match (line, record) {
        (Some(line), Some(record)) => Some(at + line.min(record)),
        (line, record) => line.or(record).map(|found| at + found),
    }
}

/// The text from `at` up to the first byte that isn't UTF-8, and where that byte is. A character that is cut
/// by the end of the bytes isn't broken: more may follow.
fn text_of(bytes: &[u8], at: usize) -> (&str, Option<usize>) {
    let rest = bytes.get(at..).unwrap_or_default();
    if let Ok(text) = simdutf8::basic::from_utf8(rest) {
        return (text, None);
    }
    match std::str::from_utf8(rest) {
        Ok(text) => (text, None),
        Err(error) => {
            let valid = rest.get(..error.valid_up_to()).unwrap_or_default();
            let broken = error.error_len().map(|_| at + error.valid_up_to());
            (std::str::from_utf8(valid).unwrap_or_default(), broken)
        }
    }
}

#[cfg(test)]
mod tests;
