//! Cuts text into records, whatever shape it has: `{"Records":[…]}`, an array, one record a line, a single
//! record, EventBridge envelopes and other wrappers, and any of these one behind the other.

use std::cell::Cell;
use std::sync::LazyLock;

use handsoff_trail::json::{Malformed, Raw, Why};
use handsoff_trail::{Entry, Record};
use memchr::memmem;

use super::{Place, Position, Sink, flat};

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
    /// Something unreadable was told, and no record was found since: what lies between belongs to it.
    seeking: bool,
    /// Bytes and lines before the piece at hand, and where its first line starts.
    offset: u64,
    lines: u64,
    line_start: u64,
    /// The last position that was asked for in the piece at hand: (byte, lines before it, start of its line).
    /// Positions are asked for in their order, and each counts on from the last.
    cursor: Cell<(usize, u64, u64)>,
    /// The next place in the piece at hand, behind the value at hand, that looks like a record's start.
    next_start: usize,
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
    /// Right here.
    Here,
}

/// After so many values without an end the rest of a text is given up.
const MOST_ENDLESS: u32 = 200;

impl Document {
    pub(super) fn new() -> Self {
        Self {
            state: State::Top,
            lost: None,
            seeking: false,
            offset: 0,
            lines: 0,
            line_start: 0,
            cursor: Cell::new((0, 0, 0)),
            next_start: 0,
            endless: 0,
        }
    }

    /// Handles the records of a piece of text and says how many of its bytes are done with. The rest is to
    /// be fed again, with more behind it, unless this is the `last` piece.
    pub(super) fn feed(&mut self, bytes: &[u8], last: bool, sink: &mut impl Sink) -> usize {
        self.cursor.set((0, self.lines, self.line_start));
        self.next_start = 0;
        let mut text = Text::of(bytes);
        let mut at = 0;
        while at < bytes.len() {
            if let Some(lost) = self.lost {
                let Some(next) = go_on(bytes, at, lost, self.state) else {
                    // Keep what may be the first bytes of a place to go on from.
                    at = if last { bytes.len() } else { at.max(bytes.len().saturating_sub(LOOK_BACK)) };
                    break;
                };
                self.lost = None;
                at = next;
            }
            let (valid, broken) = text.from(at);
            let Some(stop) = self.read(bytes, &mut at, valid, sink) else {
                let Some(broken) = broken else { break };
                self.unreadable(bytes, broken, "not UTF-8 text", sink);
                self.lost = Some(Lost::Record);
                at = broken + 1;
                continue;
            };
            match (stop.error.why == Why::Ends, broken) {
                (true, Some(broken)) => {
                    self.unreadable(
                        bytes,
                        broken,
                        "not UTF-8 text: the record around it can't be read",
                        sink,
                    );
                    self.lost = Some(Lost::Record);
                    at = broken + 1;
                    continue;
                }
                (true, None) if !last => break,
                (true, None) => {
                    self.endless += 1;
                    self.unreadable(bytes, at, "the text ends inside a value that starts here", sink);
                }
                // Lines that aren't JSON are named one by one.
                (false, _) if matches!(stop.lost, Lost::Line) && !self.seeking => {
                    self.tell(bytes, stop.error.at, &format!("not JSON: {}", stop.error.why), sink);
                }
                (false, _) => {
                    let message = format!("not JSON: {}", stop.error.why);
                    self.unreadable(bytes, stop.error.at, &message, sink);
                }
            }
            self.lost = Some(stop.lost);
            at += 1;
            if self.endless > MOST_ENDLESS {
                self.seeking = false;
                self.unreadable(
                    bytes,
                    at,
                    "too many values without an end: the rest of the file isn't read",
                    sink,
                );
                at = bytes.len();
            }
        }
        let at = at.min(bytes.len());
        if last {
            if self.state != State::Top {
                let message = "the file ends inside a list of records: it may be cut off";
                self.unreadable(bytes, bytes.len(), message, sink);
            }
        } else {
            self.pass(bytes, at);
        }
        at
    }

    /// Gives up the value at the start of the text, which is longer than any record. Its first byte is then
    /// done with.
    pub(super) fn give_up(&mut self, bytes: &[u8], sink: &mut impl Sink) -> usize {
        self.cursor.set((0, self.lines, self.line_start));
        let message = format!("a value of more than {} MiB is no CloudTrail record", bytes.len() >> 20);
        self.unreadable(bytes, 0, &message, sink);
        self.lost = Some(Lost::Record);
        self.endless += 1;
        let first = bytes.len().min(1);
        self.pass(bytes, first);
        first
    }

    /// The position of a byte of the piece at hand.
    pub(super) fn position(&self, bytes: &[u8], at: usize) -> Position {
        let at = at.min(bytes.len());
        let (mut from, mut lines, mut line_start) = self.cursor.get();
        if at < from {
            (from, lines, line_start) = (0, self.lines, self.line_start);
        }
        let between = bytes.get(from..at).unwrap_or_default();
        lines += memchr::memchr_iter(b'\n', between).count() as u64;
        if let Some(newline) = memchr::memrchr(b'\n', between) {
            line_start = self.offset + (from + newline) as u64 + 1;
        }
        self.cursor.set((at, lines, line_start));
        let offset = self.offset + at as u64;
        Position { offset, line: lines + 1, column: offset - line_start + 1 }
    }

    /// Leaves the first bytes of the piece at hand behind.
    fn pass(&mut self, bytes: &[u8], count: usize) {
        self.position(bytes, count);
        let (_, lines, line_start) = self.cursor.get();
        (self.lines, self.line_start) = (lines, line_start);
        self.offset += count as u64;
        self.cursor.set((0, lines, line_start));
    }

    /// Tells what can't be read; once until a record is found, because one broken bracket makes many of what
    /// follows unreadable.
    fn unreadable(&mut self, bytes: &[u8], at: usize, message: &str, sink: &mut impl Sink) {
        if !self.seeking {
            self.tell(bytes, at, message, sink);
        }
        self.seeking = true;
    }

    fn tell(&self, bytes: &[u8], at: usize, message: &str, sink: &mut impl Sink) {
        sink.problem(Some(self.position(bytes, at)), message.to_owned());
    }

    /// Reads values from byte `at` on, which is left behind the last whole one. `None`: up to the end.
    fn read(&mut self, bytes: &[u8], at: &mut usize, text: &str, sink: &mut impl Sink) -> Option<Stop> {
        let base = *at;
        let mut here = 0;
        loop {
            let rest = text.as_bytes().get(here..).unwrap_or_default();
            let blank = rest.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
            here += blank.unwrap_or(rest.len());
            *at = base + here;
            blank?;
            let rest = text.get(here..).unwrap_or_default();
            let step = match self.state {
                State::Tail => self.tail(bytes, base + here, rest, sink),
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
    fn value(&mut self, bytes: &[u8], at: usize, rest: &str, sink: &mut impl Sink) -> Step {
        let in_array = matches!(self.state, State::Array { .. });
        match rest.as_bytes().first() {
            Some(b'{') => self.object(bytes, at, rest, sink),
            Some(b'[') if !in_array => {
                self.state = State::Array { in_object: false };
                Ok(1)
            }
            Some(b'"') => self.text(bytes, at, rest, sink),
            // Between the values of a text there may be commas too: arrays that were cut by lines.
            Some(b',') => Ok(1),
            Some(b']') if in_array => {
                self.state =
                    if self.state == (State::Array { in_object: true }) { State::Tail } else { State::Top };
                Ok(1)
            }
            // Behind something unreadable the end of its container may be left over.
            Some(b']' | b'}') if self.seeking || !in_array => {
                if !self.seeking {
                    self.unreadable(bytes, at, "a bracket that closes nothing", sink);
                }
                self.state = State::Top;
                Ok(1)
            }
            Some(b'0'..=b'9') if !in_array && !self.seeking => match flat::time_before(rest) {
                Ok(Some(length)) => Ok(length),
                Ok(None) => Err((Malformed { at: 0, why: Why::NoValue }, Lost::Line)),
                Err(()) => Err((Malformed { at: rest.len(), why: Why::Ends }, Lost::Line)),
            },
            // A byte order mark.
            Some(0xEF) if rest.starts_with('\u{feff}') => Ok(3),
            _ if in_array => {
                let (_, used) = Raw::at(rest, 0).map_err(|error| (error, Lost::Record))?;
                if !self.seeking {
                    self.tell(bytes, at, "no CloudTrail record: not even an object", sink);
                }
                Ok(used)
            }
            _ => Err((Malformed { at: 0, why: Why::NoValue }, Lost::Line)),
        }
    }

    /// Handles a text that is JSON itself: a record that a program wrote as one.
    fn text(&mut self, bytes: &[u8], at: usize, rest: &str, sink: &mut impl Sink) -> Step {
        let (raw, used) = Raw::at(rest, 0).map_err(|error| (error, Lost::Line))?;
        let text = raw.text().unwrap_or_default();
        let locate = || self.position(bytes, at);
        let place = Place::new(&locate);
        let found = if let Ok((Entry::Record(record), _)) = Record::read(text.trim()) {
            give(&record, &place, sink);
            true
        } else {
            // Any other is as if it stood in a wrapper.
            let wrapper = format!("{{\"text\":{}}}", raw.as_str());
            text.contains('{')
                && Raw::at(&wrapper, 0).is_ok_and(|(wrapper, _)| self.within(bytes, at, wrapper, sink))
        };
        if found {
            self.seeking = false;
        } else if !self.seeking {
            self.tell(bytes, at, "no CloudTrail record: not even an object", sink);
        }
        Ok(used)
    }

    fn object(&mut self, bytes: &[u8], at: usize, rest: &str, sink: &mut impl Sink) -> Step {
        let (entry, used) = Record::read(rest).map_err(|error| (error, Lost::Record))?;
        let raw = match entry {
            Entry::Records(start) => {
                if rest.get(..start).is_some_and(goes_on_before) {
                    let locate = || self.position(bytes, at);
                    sink.incomplete(&Place::new(&locate));
                }
                self.seeking = false;
                self.state = State::Array { in_object: true };
                return Ok(start + 1);
            }
            Entry::Record(record) => {
                self.check_swallowed(bytes, at, used, record.text)?;
                self.seeking = false;
                let locate = || self.position(bytes, at);
                give(&record, &Place::new(&locate), sink);
                return Ok(used);
            }
            Entry::Other(raw) => raw,
        };
        let respelled = flat::respelled(raw);
        let locate = || self.position(bytes, at);
        let place = Place::new(&locate);
        if let Some(Ok((Entry::Record(record), _))) = respelled.as_deref().map(Record::read) {
            sink.record(&record, &place);
            self.seeking = false;
            return Ok(used);
        }
        if flat::is_known(raw) {
            sink.known();
            self.seeking = false;
            return Ok(used);
        }
        if goes_on(raw) {
            sink.incomplete(&place);
        }
        if sink.other(raw, &place) {
            self.seeking = false;
            return Ok(used);
        }
        let found = self.within(bytes, at, raw, sink);
        if found {
            self.seeking = false;
        } else if self.seeking {
            // A part of what can't be read: go on looking.
            return Err((Malformed { at: 0, why: Why::NoValue }, Lost::Record));
        } else {
            self.tell(bytes, at, "no CloudTrail record: the object has none of a record's fields", sink);
        }
        Ok(used)
    }

    /// What is nested in a record is checked for balance only, so a missing bracket could make it swallow the
    /// records behind it. Where another record seems to start inside of one, its grammar is checked.
    fn check_swallowed(
        &mut self,
        bytes: &[u8],
        at: usize,
        used: usize,
        text: &str,
    ) -> Result<(), (Malformed, Lost)> {
        if self.next_start <= at {
            let rest = bytes.get(at + 1..).unwrap_or_default();
            self.next_start = START.find(rest).map_or(usize::MAX, |found| at + 1 + found);
        }
        if self.next_start < at + used && serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
            return Err((Malformed { at: 0, why: Why::NoComma }, Lost::Record));
        }
        Ok(())
    }

    /// Handles the records inside a wrapper, and tells of those that can't be read.
    fn within(&mut self, bytes: &[u8], at: usize, raw: Raw<'_>, sink: &mut impl Sink) -> bool {
        let count = |text: &str| memmem::find_iter(text.as_bytes(), b"eventVersion").count();
        let mut unread = count(raw.as_str());
        let locate = || self.position(bytes, at);
        let place = Place::new(&locate);
        let found = Record::unwrap(raw, &mut |record| {
            unread = unread.saturating_sub(count(record.text));
            give(&record, &place, sink);
        });
        if unread > 0 && (found || !self.seeking) {
            self.tell(
                bytes,
                at,
                &format!("{unread} in this wrapper look like records and can't be read"),
                sink,
            );
        }
        found || unread > 0
    }

    /// Steps over a member behind the records of a container, or its end.
    fn tail(&mut self, bytes: &[u8], at: usize, rest: &str, sink: &mut impl Sink) -> Step {
        if rest.starts_with('}') {
            self.state = State::Top;
            return Ok(1);
        }
        // A comma, a key, a colon, a value: as if the object started here.
        let Some(member) = rest.strip_prefix(',') else {
            self.state = State::Top;
            return Err((Malformed { at: 0, why: Why::NoComma }, Lost::Here));
        };
        let member_at = rest.len() - member.trim_start().len();
        let lost = |error: Malformed| (Malformed { at: member_at + error.at, ..error }, Lost::Record);
        let (key, key_end) = Raw::at(member.trim_start(), 0).map_err(lost)?;
        let behind_key = rest.get(member_at + key_end..).unwrap_or_default().trim_start();
        let colon_at = rest.len() - behind_key.len();
        if behind_key.is_empty() {
            return Err((Malformed { at: rest.len(), why: Why::Ends }, Lost::Record));
        }
        let Some(value) = behind_key.strip_prefix(':') else {
            return Err((Malformed { at: colon_at, why: Why::NoColon }, Lost::Record));
        };
        let value_at = rest.len() - value.trim_start().len();
        let value = value.trim_start();
        // A container may have more than one array of records.
        if value.starts_with('[') {
            self.state = State::Array { in_object: true };
            return Ok(value_at + 1);
        }
        let (raw, used) = Raw::at(value, 0)
            .map_err(|error| (Malformed { at: value_at + error.at, ..error }, Lost::Record))?;
        if is_token(key) && raw.has_text() {
            let locate = || self.position(bytes, at);
            sink.incomplete(&Place::new(&locate));
        }
        if raw.is_object() {
            match Record::read(raw.as_str()) {
                Ok((Entry::Record(record), _)) => {
                    let locate = || self.position(bytes, at);
                    sink.record(&record, &Place::new(&locate));
                }
                _ => {
                    self.within(bytes, at, raw, sink);
                }
            }
        }
        Ok(value_at + used)
    }
}

/// Hands a record on, as CloudTrail writes it.
fn give(record: &Record<'_>, place: &Place<'_>, sink: &mut impl Sink) {
    match flat::unfolded(record).as_deref().map(Record::read) {
        Some(Ok((Entry::Record(record), _))) => sink.record(&record, place),
        _ => sink.record(record, place),
    }
}

/// The member of an answer that says that more pages follow.
fn is_token(key: Raw<'_>) -> bool {
    key.text().is_some_and(|key| key.eq_ignore_ascii_case("nextToken"))
}

fn goes_on(answer: Raw<'_>) -> bool {
    ["NextToken", "nextToken"].iter().any(|key| answer.get(key).is_some_and(Raw::has_text))
}

/// The same of an answer's beginning, before its list of events.
fn goes_on_before(start: &str) -> bool {
    let behind =
        |key: &str| start.split_once(key).and_then(|(_, behind)| behind.trim_start().strip_prefix(':'));
    let token = behind("\"NextToken\"").or_else(|| behind("\"nextToken\""));
    token.is_some_and(|token| token.trim_start().starts_with('"') && !token.trim_start().starts_with("\"\""))
}

/// How many bytes a value took, or why it isn't one and where to go on.
type Step = Result<usize, (Malformed, Lost)>;

struct Stop {
    error: Malformed,
    lost: Lost,
}

/// How nearly every record starts. Building a searcher for it costs as much as one search.
static START: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new("{\"eventVersion\""));
/// What is kept of a piece in which there is no place to go on from.
const LOOK_BACK: usize = 256;

/// Where to go on behind something unreadable.
fn go_on(bytes: &[u8], at: usize, lost: Lost, state: State) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let line = match lost {
        // One byte was stepped over.
        Lost::Here => return at.checked_sub(1),
        Lost::Line => memchr::memchr(b'\n', rest).map(|newline| newline + 1),
        Lost::Record => memmem::find(rest, b"\n{").map(|newline| newline + 1),
    };
    let record = memmem::find_iter(rest, b"\"eventVersion\"").find_map(|key| before(rest, key, b'{'));
    // The next element of an array, or the next of an array inside of it: that is then told apart.
    let element = match state {
        State::Top => None,
        _ => memchr::memchr_iter(b'{', rest)
            .find(|brace| before(rest, *brace, b',').and_then(|comma| before(rest, comma, b'}')).is_some()),
    };
    [line, record, element].into_iter().flatten().min().map(|found| at + found)
}

/// The place of a byte that stands before another but for white space.
fn before(bytes: &[u8], at: usize, wanted: u8) -> Option<usize> {
    let before = bytes.get(..at)?;
    let place = before.iter().rposition(|byte| !byte.is_ascii_whitespace())?;
    (before.get(place) == Some(&wanted)).then_some(place)
}

/// Bytes as text, up to what isn't UTF-8.
struct Text<'b> {
    bytes: &'b [u8],
    /// All of it is known to be text.
    valid: bool,
}

impl<'b> Text<'b> {
    fn of(bytes: &'b [u8]) -> Self {
        Self { bytes, valid: simdutf8::basic::from_utf8(bytes).is_ok() }
    }

    /// The text from `at` up to the first byte that isn't UTF-8, and where that byte is. A character that is
    /// cut by the end of the bytes isn't broken: more may follow.
    fn from(&mut self, at: usize) -> (&'b str, Option<usize>) {
        let rest = self.bytes.get(at..).unwrap_or_default();
        if self.valid
            && let Ok(text) = simdutf8::basic::from_utf8(rest)
        {
            return (text, None);
        }
        // Stops at the first broken byte, so that many of them don't mean to read the rest many times.
        match std::str::from_utf8(rest) {
            Ok(text) => (text, None),
            Err(error) => {
                let valid = rest.get(..error.valid_up_to()).unwrap_or_default();
                let broken = error.error_len().map(|_| at + error.valid_up_to());
                (std::str::from_utf8(valid).unwrap_or_default(), broken)
            }
        }
    }
}

#[cfg(test)]
mod tests;
