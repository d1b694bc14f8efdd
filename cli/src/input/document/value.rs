//! What stands at one place of a text: a record, a list of records, a wrapper, or something else.

use handsoff_cloudtrail::json::{Malformed, Raw, Why};
use handsoff_cloudtrail::{Entry, Record};
use memchr::memmem;

use super::here::{Here, Step};
use super::seek::Lost;
use super::text::Ending;
use super::{Document, START, Sink, State, flat};
use crate::input::Place;

/// The value at the start of a text, and where it ends. A number has no end of its own: what is behind it makes it.
fn value_at(text: &str, ending: Ending) -> Result<(Raw<'_>, usize), Malformed> {
    let (raw, used) = Raw::at(text, 0)?;
    let is_number = raw.as_str().starts_with(|char: char| char == '-' || char.is_ascii_digit());
    if is_number && used == text.len() && ending != Ending::Last {
        return Err(Malformed { at: used, why: Why::Ends });
    }
    Ok((raw, used))
}

impl Document {
    /// Handles one value or punctuation mark; the text starts with neither white space nor nothing.
    pub(super) fn step(&mut self, here: Here<'_>, sink: &mut impl Sink) -> Step {
        if self.state == State::Tail {
            return self.tail(here, sink);
        }
        let in_array = matches!(self.state, State::Array { .. });
        let no_value = (Malformed { at: 0, why: Why::NoValue }, Lost::Line);
        match here.rest.as_bytes().first() {
            Some(b'{') => self.object(here, sink),
            Some(b'[') if !in_array => {
                self.state = State::Array { in_object: false };
                Ok(1)
            }
            Some(b'"') => self.text(here, sink),
            // Between the values of a text there may be commas too: arrays that were cut by lines.
            Some(b',') => Ok(1),
            Some(b']') if in_array => {
                let in_object = self.state == (State::Array { in_object: true });
                self.state = if in_object { State::Tail } else { State::Top };
                Ok(1)
            }
            // Behind something unreadable the end of its container may be left over.
            Some(b']' | b'}') if self.seeking || !in_array => {
                self.unreadable(
                    here.bytes,
                    (here.at, here.at),
                    "a closing bracket without an opening one",
                    sink,
                );
                self.state = State::Top;
                Ok(1)
            }
            Some(b'0'..=b'9') if !in_array && !self.seeking => match flat::time_before(here.rest) {
                Ok(Some(length)) => Ok(length),
                Err(()) if here.ending != Ending::Last => {
                    Err((Malformed { at: here.rest.len(), why: Why::Ends }, Lost::Line))
                }
                _ => Err(no_value),
            },
            // A byte order mark.
            Some(0xEF) if here.rest.starts_with('\u{feff}') => Ok('\u{feff}'.len_utf8()),
            _ if in_array => {
                let (_, used) = value_at(here.rest, here.ending).map_err(|error| (error, Lost::Record))?;
                self.no_record(here, "not even an object", sink);
                Ok(used)
            }
            _ => Err(no_value),
        }
    }

    /// Tells of a value that is no record, unless it belongs to something unreadable.
    fn no_record(&self, here: Here<'_>, why: &str, sink: &mut impl Sink) {
        if !self.seeking {
            self.tell(here.bytes, (here.at, here.at), &format!("no CloudTrail record: {why}"), sink);
        }
    }

    /// Handles a text that is JSON itself: a record that a program wrote as one.
    fn text(&mut self, here: Here<'_>, sink: &mut impl Sink) -> Step {
        let (raw, used) = Raw::at(here.rest, 0).map_err(|error| (error, Lost::Line))?;
        let text = raw.text().unwrap_or_default();
        let text = text.trim();
        let locate = || self.position(here.bytes, here.at);
        let place = Place::new(&locate);
        let found = match Record::read(text) {
            Ok((Entry::Record(record), end)) if end == text.len() => {
                give(&record, &place, sink);
                true
            }
            // Any other is as if it stood in a wrapper.
            _ => {
                let wrapper = format!("{{\"text\":{}}}", raw.as_str());
                text.contains('{')
                    && Raw::at(&wrapper, 0).is_ok_and(|(wrapper, _)| self.within(here, wrapper, sink))
            }
        };
        if found {
            self.found(here, sink);
        } else {
            self.no_record(here, "not even an object", sink);
        }
        Ok(used)
    }

    fn object(&mut self, here: Here<'_>, sink: &mut impl Sink) -> Step {
        let (entry, used) = Record::read(here.rest).map_err(|error| (error, Lost::Record))?;
        let raw = match entry {
            Entry::Records(start) => {
                if here.rest.get(..start).is_some_and(goes_on_before) {
                    let locate = || self.position(here.bytes, here.at);
                    sink.incomplete(&Place::new(&locate));
                }
                self.found(here, sink);
                self.state = State::Array { in_object: true };
                return Ok(start + 1);
            }
            Entry::Record(record) => {
                self.check_swallowed(here, used, record.text)?;
                self.found(here, sink);
                let locate = || self.position(here.bytes, here.at);
                give(&record, &Place::new(&locate), sink);
                return Ok(used);
            }
            Entry::Other(raw) => raw,
        };
        let respelled = flat::respelled(raw);
        let locate = || self.position(here.bytes, here.at);
        let place = Place::new(&locate);
        if let Some(Ok((Entry::Record(record), _))) = respelled.as_deref().map(Record::read) {
            sink.record(&record, &place);
            self.found(here, sink);
            return Ok(used);
        }
        if flat::is_known(raw) {
            sink.known();
            self.found(here, sink);
            return Ok(used);
        }
        if goes_on(raw) {
            sink.incomplete(&place);
        }
        if sink.other(raw, &place) || self.within(here, raw, sink) {
            self.found(here, sink);
        } else if self.seeking {
            // A part of what can't be read: go on looking.
            return Err((Malformed { at: 0, why: Why::NoValue }, Lost::Record));
        } else {
            self.no_record(here, "the object has none of a record's fields", sink);
        }
        Ok(used)
    }

    /// What is nested in a record is checked for balance only, so a missing bracket could make it swallow the
    /// records behind it. Where another record seems to start inside of one, its grammar is checked.
    fn check_swallowed(&mut self, here: Here<'_>, used: usize, text: &str) -> Result<(), (Malformed, Lost)> {
        let Here { bytes, at, .. } = here;
        if self.next_start <= at {
            let rest = bytes.get(at + 1..).unwrap_or_default();
            self.next_start = START.find(rest).map_or(usize::MAX, |found| at + 1 + found);
            self.look(self.next_start.min(bytes.len()) - at);
        }
        if self.next_start < at + used {
            self.look(used);
            if serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
                return Err((Malformed { at: 0, why: Why::NoComma }, Lost::Record));
            }
        }
        Ok(())
    }

    /// Handles the records inside a wrapper, and reports those that can't be read.
    fn within(&self, here: Here<'_>, raw: Raw<'_>, sink: &mut impl Sink) -> bool {
        let count = |text: &str| memmem::find_iter(text.as_bytes(), b"eventVersion").count();
        let mut unread = count(raw.as_str());
        self.look(raw.as_str().len());
        let locate = || self.position(here.bytes, here.at);
        let place = Place::new(&locate);
        let found = Record::unwrap(raw, &mut |record| {
            unread = unread.saturating_sub(count(record.text));
            give(&record, &place, sink);
        });
        if unread > 0 && (found || !self.seeking) {
            let message = format!("{unread} in this wrapper look like records and can't be read");
            self.tell(here.bytes, (here.at, here.at), &message, sink);
        }
        found || unread > 0
    }

    /// Steps over a member behind the records of a container, or its end.
    fn tail(&mut self, here: Here<'_>, sink: &mut impl Sink) -> Step {
        let rest = here.rest;
        if rest.starts_with('}') {
            self.state = State::Top;
            return Ok(1);
        }
        // A comma, a key, a colon, a value: as if the object started here.
        let Some(member) = rest.strip_prefix(',') else {
            self.state = State::Top;
            return Err((Malformed { at: 0, why: Why::NoComma }, Lost::Here));
        };
        let lost_at = |error: Malformed, at: usize| (Malformed { at: at + error.at, ..error }, Lost::Record);
        let member_at = rest.len() - member.trim_start().len();
        let (key, key_end) =
            value_at(member.trim_start(), here.ending).map_err(|error| lost_at(error, member_at))?;
        let behind_key = rest.get(member_at + key_end..).unwrap_or_default().trim_start();
        let colon_at = rest.len() - behind_key.len();
        if behind_key.is_empty() {
            return Err((Malformed { at: rest.len(), why: Why::Ends }, Lost::Record));
        }
        let Some(value) = behind_key.strip_prefix(':') else {
            return Err((Malformed { at: colon_at, why: Why::NoColon }, Lost::Record));
        };
        let value_starts = rest.len() - value.trim_start().len();
        let value = value.trim_start();
        // A container may have more than one array of records.
        if value.starts_with('[') {
            self.state = State::Array { in_object: true };
            return Ok(value_starts + 1);
        }
        let (raw, used) = value_at(value, here.ending).map_err(|error| lost_at(error, value_starts))?;
        if is_token(key) && raw.has_text() {
            let locate = || self.position(here.bytes, here.at);
            sink.incomplete(&Place::new(&locate));
        }
        if raw.is_object() {
            if let Ok((Entry::Record(record), _)) = Record::read(raw.as_str()) {
                let locate = || self.position(here.bytes, here.at);
                give(&record, &Place::new(&locate), sink);
            } else {
                self.within(here, raw, sink);
            }
        }
        Ok(value_starts + used)
    }
}

/// Hands a record on, as CloudTrail writes it.
fn give(record: &Record<'_>, place: &Place<'_>, sink: &mut impl Sink) {
    for name in flat::broken_fields(record) {
        let message =
            format!("`{name}` is JSON in a string that can't be read: the record is judged without it");
        sink.problem(Some(place.position()), message);
    }
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
