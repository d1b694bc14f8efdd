//! Cuts text into records, whatever shape it has: `{"Records":[…]}`, an array, one record a line, a single
//! record, EventBridge envelopes and other wrappers, and any of these one behind the other.
//!
//! A text is fed in pieces, and any pieces give the same: nothing is decided before the bytes are there that it depends on.
//! Where a value isn't whole yet all waits for more.

mod here;
mod seek;
mod text;
mod value;

use std::cell::Cell;
use std::sync::LazyLock;

use handsoff_cloudtrail::json::{Malformed, Why};
use memchr::memmem;

use self::here::Here;
use self::seek::{Lost, Seek};
use self::text::{Ending, Text};
use super::{Position, Sink, flat};

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

/// What is read at most, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Of a value that is none of a list: CloudTrail's own limit for a record is 256 KB, or 1 MB where it adds tags.
    value: usize,
    /// Between a record and the next. A device, or a program that never ends, is given up so.
    barren: u64,
    /// What is unreadable and longer than that may have been many records: its length is reported.
    loss: u64,
}

const LIMITS: Limits = Limits { value: 64 << 20, barren: 512 << 20, loss: 16 << 10 };

/// One text, fed in pieces.
#[derive(Debug)]
pub(super) struct Document {
    limits: Limits,
    state: State,
    /// Set after something unreadable: looks for where a record may start.
    lost: Option<Seek>,
    /// Something unreadable was reported, and no record was found since: what lies between belongs to it. And where it starts.
    seeking: bool,
    lost_at: u64,
    /// The rest isn't read.
    given_up: bool,
    /// Bytes and lines before the piece at hand, and where its first line starts.
    offset: u64,
    lines: u64,
    line_start: u64,
    /// The last position that was asked for in the piece at hand: (byte, lines before it, start of its line).
    /// Positions are asked for in their order, and each counts on from the last.
    cursor: Cell<(usize, u64, u64)>,
    /// The next place in the piece at hand, behind the value at hand, that looks like a record's start.
    next_start: usize,
    /// Up to here the text has to come before it is worth looking at again: twice of what was there when the value at hand
    /// had no end yet. So a long value is not looked at anew with each piece.
    awaited: u64,
    /// Where the last record was found.
    found_at: u64,
    /// How many bytes were looked at; what was looked at again counts again.
    looked: Cell<u64>,
}

/// Why reading stopped at a value, and where to go on.
struct Stop {
    error: Malformed,
    lost: Lost,
    /// What is behind the text that the value may reach into.
    ending: Ending,
}

/// How nearly every record starts. Building a searcher for it costs as much as one search.
static START: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new("{\"eventVersion\""));

impl Document {
    pub(super) fn new() -> Self {
        Self::within_limits(LIMITS)
    }

    fn within_limits(limits: Limits) -> Self {
        Self {
            limits,
            state: State::Top,
            lost: None,
            seeking: false,
            lost_at: 0,
            given_up: false,
            offset: 0,
            lines: 0,
            line_start: 0,
            cursor: Cell::new((0, 0, 0)),
            next_start: 0,
            awaited: 0,
            found_at: 0,
            looked: Cell::new(0),
        }
    }

    /// Whether the rest of the text isn't read, whatever it is.
    pub(super) fn has_given_up(&self) -> bool {
        self.given_up
    }

    /// No more comes, though the text is not at its end: what there is is looked at now.
    pub(super) fn hurry(&mut self) {
        self.awaited = 0;
    }

    /// Handles the records of a piece of text and says how many of its bytes are done with. The rest is to
    /// be fed again, with more behind it, unless this is the `last` piece.
    pub(super) fn feed(&mut self, bytes: &[u8], last: bool, sink: &mut impl Sink) -> usize {
        if self.given_up {
            return bytes.len();
        }
        if !last && self.offset + (bytes.len() as u64) < self.awaited {
            return 0;
        }
        self.cursor.set((0, self.lines, self.line_start));
        self.next_start = 0;
        self.look(bytes.len());
        let mut text = Text::of(bytes, last);
        let mut at = 0;
        while at < bytes.len() && !self.is_barren(at, sink) {
            if let Some(seek) = &mut self.lost {
                let from = at;
                let found = seek.next(bytes, &mut at, last, self.state != State::Top);
                self.look(at - from);
                let Some(found) = found else { break };
                at = found;
                self.lost = None;
            }
            let (valid, ending) = text.from(at);
            match (self.read(bytes, &mut at, (valid, ending), sink), ending) {
                _ if self.given_up || self.is_barren(at, sink) => break,
                (Some(stop), _) if stop.error.why == Why::Ends && stop.ending == Ending::More => {
                    self.wait(bytes.len() - at, at);
                    break;
                }
                (Some(stop), _) => {
                    let go_on = self.failed(bytes, at, &stop, sink);
                    at += go_on;
                }
                (None, Ending::Broken(broken)) => {
                    self.unreadable(bytes, (broken, broken), "not UTF-8 text", sink);
                    self.lost = Some(Seek::new(false));
                    at = broken + 1;
                }
                (None, _) => break,
            }
        }
        if self.given_up {
            return bytes.len();
        }
        if last {
            self.finish(bytes, sink);
            return bytes.len();
        }
        self.pass(bytes, at);
        at
    }

    /// Waits until there is twice as much of the value at `at`, or more than a value may have.
    fn wait(&mut self, there: usize, at: usize) {
        let enough = (2 * there).min(self.limits.value + 1);
        self.awaited = self.offset + (at + enough) as u64;
    }

    /// Tells why a value can't be read, and says how many bytes to step over before going on.
    fn failed(&mut self, bytes: &[u8], at: usize, stop: &Stop, sink: &mut impl Sink) -> usize {
        let Stop { error, lost, ending } = stop;
        match (error.why, *ending) {
            (Why::Ends, Ending::Broken(broken)) => {
                let message = "not UTF-8 text: the record around it can't be read";
                self.unreadable(bytes, (at, broken), message, sink);
            }
            (Why::Ends, Ending::TooLong) => {
                let message =
                    format!("a value of more than {} MiB is no CloudTrail record", self.limits.value >> 20);
                self.unreadable(bytes, (at, at), &message, sink);
            }
            (Why::Ends, _) => {
                self.unreadable(bytes, (at, at), "the text ends inside a value that starts here", sink);
            }
            (Why::TooDeep, _) => {
                self.unreadable(bytes, (at, at), &format!("{}: no CloudTrail record is", error.why), sink);
            }
            // Lines that aren't JSON are named one by one.
            (why, _) if *lost == Lost::Line && !self.seeking => {
                self.tell(bytes, (at, error.at), &format!("not JSON: {why}"), sink);
            }
            (why, _) => self.unreadable(bytes, (at, error.at), &format!("not JSON: {why}"), sink),
        }
        self.lost = match lost {
            Lost::Here => return 0,
            Lost::Line => Some(Seek::new(true)),
            Lost::Record => Some(Seek::new(false)),
        };
        1
    }

    /// Reads values from byte `at` on, which is left behind the last whole one. `None`: up to the end.
    fn read(
        &mut self,
        bytes: &[u8],
        at: &mut usize,
        (text, ending): (&str, Ending),
        sink: &mut impl Sink,
    ) -> Option<Stop> {
        let base = *at;
        let mut here = 0;
        loop {
            let rest = text.as_bytes().get(here..).unwrap_or_default();
            let blank = rest.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
            here += blank.unwrap_or(rest.len());
            *at = base + here;
            blank?;
            if self.is_barren(base + here, sink) {
                return None;
            }
            let mut rest = text.get(here..).unwrap_or_default();
            let mut ending = ending;
            if rest.len() > self.limits.value {
                rest = rest.get(..rest.floor_char_boundary(self.limits.value)).unwrap_or_default();
                ending = Ending::TooLong;
            }
            match self.step(Here { bytes, at: base + here, rest, ending }, sink) {
                Ok(used) => {
                    self.look(used);
                    here += used;
                }
                Err((error, lost)) => {
                    self.look(error.at);
                    let error = Malformed { at: base + here + error.at, ..error };
                    return Some(Stop { error, lost, ending });
                }
            }
        }
    }

    /// Whether no record was found for so long that the rest isn't read. Says so.
    fn is_barren(&mut self, at: usize, sink: &mut impl Sink) -> bool {
        if self.offset + at as u64 - self.found_at <= self.limits.barren {
            return false;
        }
        let message = format!(
            "no known format in {} MiB, from byte {} on: the rest isn't read",
            self.limits.barren >> 20,
            self.found_at
        );
        sink.problem(None, message);
        self.given_up = true;
        true
    }

    /// The text is at its end.
    fn finish(&mut self, bytes: &[u8], sink: &mut impl Sink) {
        if self.is_barren(bytes.len(), sink) {
            return;
        }
        self.end_of_lost(bytes, bytes.len(), sink);
        if self.state != State::Top {
            let message = "the file ends inside a list of records: it may be cut off";
            self.unreadable(bytes, (bytes.len(), bytes.len()), message, sink);
        }
    }

    /// Notes that something known stands here.
    fn found(&mut self, here: Here<'_>, sink: &mut impl Sink) {
        self.end_of_lost(here.bytes, here.at, sink);
        self.seeking = false;
        self.found_at = self.offset + here.at as u64;
    }

    /// What is unreadable ends here: where it is longer than a record, it says how long it was.
    fn end_of_lost(&mut self, bytes: &[u8], at: usize, sink: &mut impl Sink) {
        let length = self.offset + at as u64 - self.lost_at;
        if self.seeking && length > self.limits.loss {
            self.tell(bytes, (at, at), &format!("the {length} bytes before this can't be read"), sink);
        }
    }

    /// Counts bytes that are looked at.
    fn look(&self, bytes: usize) {
        self.looked.set(self.looked.get() + bytes as u64);
    }

    /// The position of a byte of the piece at hand.
    pub(super) fn position(&self, bytes: &[u8], at: usize) -> Position {
        let (at, lines, line_start) = self.count(bytes, at);
        self.cursor.set((at, lines, line_start));
        let offset = self.offset + at as u64;
        Position { offset, line: lines + 1, column: offset - line_start + 1 }
    }

    /// A byte of the piece at hand, the lines before it, and where its line starts.
    fn count(&self, bytes: &[u8], at: usize) -> (usize, u64, u64) {
        let at = at.min(bytes.len());
        let (mut from, mut lines, mut line_start) = self.cursor.get();
        if at < from {
            (from, lines, line_start) = (0, self.lines, self.line_start);
        }
        let between = bytes.get(from..at).unwrap_or_default();
        self.look(between.len());
        lines += memchr::memchr_iter(b'\n', between).count() as u64;
        if let Some(newline) = memchr::memrchr(b'\n', between) {
            line_start = self.offset + (from + newline) as u64 + 1;
        }
        (at, lines, line_start)
    }

    /// Leaves the first bytes of the piece at hand behind.
    fn pass(&mut self, bytes: &[u8], count: usize) {
        (_, self.lines, self.line_start) = self.count(bytes, count);
        self.offset += count as u64;
        self.cursor.set((0, self.lines, self.line_start));
    }

    /// Tells what can't be read; once until a record is found, because one broken bracket makes many of what
    /// follows unreadable.
    fn unreadable(&mut self, bytes: &[u8], spot: (usize, usize), message: &str, sink: &mut impl Sink) {
        if !self.seeking {
            self.lost_at = self.offset + spot.0 as u64;
            self.tell(bytes, spot, message, sink);
        }
        self.seeking = true;
    }

    /// Reports a byte of the value that starts at `start`. The next report may be of an earlier byte: positions are counted
    /// on from the value's start.
    fn tell(&self, bytes: &[u8], (start, at): (usize, usize), message: &str, sink: &mut impl Sink) {
        self.position(bytes, start);
        let cursor = self.cursor.get();
        sink.problem(Some(self.position(bytes, at)), message.to_owned());
        self.cursor.set(cursor);
    }
}

#[cfg(test)]
mod tests;
