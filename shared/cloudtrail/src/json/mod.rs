//! Just enough JSON to look at a record without parsing it.
//!
//! Nine records in ten lead to nothing, and four or five top-level fields tell so. A parser would still
//! read every byte of `requestParameters` and `responseElements` into values. This module walks one level
//! of an object and steps over whatever is nested in it, 64 bytes at a time; a field is parsed when somebody
//! asks for it. That is sound where a substring search is not: a `"readOnly":true` that a caller puts into
//! `requestParameters` is never on the level that is walked.
//!
//! What is stepped over is checked for balance, not for grammar: a record with one odd nested value is still
//! a record. What is walked is checked for grammar.
//!
//! Nothing is nested deeper than [`DEEPEST`]: with a limit each byte lies in a bounded number of values, so that looking for
//! the next whole value in broken text takes time that grows with the text, and no faster.

mod malformed;
mod skip;
mod text;

use std::borrow::Cow;

pub use malformed::{DEEPEST, Malformed, Why};

/// One JSON value as it stands in the text, not parsed yet.
///
/// The default is a value that is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Raw<'a>(&'a str);

impl<'a> Raw<'a> {
    /// The value that starts at byte `at` of `text` (white space is not skipped), and where it ends.
    ///
    /// # Errors
    /// When no value starts there, the text ends before it does, or it is nested deeper than [`DEEPEST`].
    pub fn at(text: &'a str, at: usize) -> Result<(Self, usize), Malformed> {
        Self::nested(text, at, DEEPEST)
    }

    #[inline]
    fn nested(text: &'a str, at: usize, deepest: u32) -> Result<(Self, usize), Malformed> {
        let end = skip::value(text.as_bytes(), at, deepest)?;
        let value = text.get(at..end).ok_or(Malformed { at, why: Why::NoValue })?;
        Ok((Self(value), end))
    }

    /// The text of the value, quotes and all.
    pub fn as_str(self) -> &'a str {
        self.0
    }

    /// Whether there is no such value: left out, or null.
    pub fn is_absent(self) -> bool {
        self.0.is_empty() || self.0 == "null"
    }

    /// Whether it is a text of at least one character: what [`Self::text`] would say, without making it.
    pub fn has_text(self) -> bool {
        match self.0.as_bytes() {
            [b'"', b'"'] => false,
            [b'"', ..] => true,
            _ => self.text().is_some(),
        }
    }

    /// Whether it is an object.
    pub fn is_object(self) -> bool {
        self.0.starts_with('{')
    }

    /// Whether it is an array.
    pub fn is_array(self) -> bool {
        self.0.starts_with('[')
    }

    /// The value as text: a string unescaped, a number or boolean as written, because types drift
    /// between services. `None` for null, objects, arrays and the empty string, which CloudTrail
    /// writes for an absent value (`"accessKeyId": ""`).
    pub fn text(self) -> Option<Cow<'a, str>> {
        match self.0.as_bytes().first()? {
            b'"' => {
                let inner = self.0.get(1..self.0.len().checked_sub(1)?)?;
                if inner.is_empty() {
                    return None;
                }
                Some(text::unescape(inner))
            }
            b'{' | b'[' | b'n' => None,
            _ => Some(Cow::Borrowed(self.0)),
        }
    }

    /// The value as a boolean: `true`, and also `"true"`, which some services write.
    pub fn flag(self) -> Option<bool> {
        match self.0 {
            "true" => return Some(true),
            "false" => return Some(false),
            _ => {}
        }
        let text = self.text()?;
        if text.eq_ignore_ascii_case("true") {
            Some(true)
        } else if text.eq_ignore_ascii_case("false") {
            Some(false)
        } else {
            None
        }
    }

    /// The members of an object in the order they stand; nothing for any other value.
    pub fn members(self) -> Members<'a> {
        Members(Walk::into(self.0, b'{'))
    }

    /// The elements of an array; nothing for any other value.
    pub fn elements(self) -> Elements<'a> {
        Elements(Walk::into(self.0, b'['))
    }

    /// The member of an object by its key. The last one counts where a key stands twice, as in most parsers.
    pub fn get(self, key: &str) -> Option<Raw<'a>> {
        self.members().flatten().filter(|(name, _)| name == key).last().map(|(_, value)| value)
    }
}

/// Iterates over the members of an object.
#[derive(Debug)]
pub struct Members<'a>(Walk<'a>);

impl<'a> Members<'a> {
    /// The members of the object that starts at the first byte of `text`; more text may follow it.
    pub(crate) fn of(text: &'a str) -> Self {
        Self(Walk::into(text, b'{'))
    }

    /// How far into the text the walk has come. After the last member: just behind the object.
    pub(crate) fn position(&self) -> usize {
        self.0.at
    }

    /// The key of the next member. Its value must be taken before the next key.
    #[inline]
    pub(crate) fn key(&mut self) -> Option<Result<Cow<'a, str>, Malformed>> {
        match self.0.step(b'}') {
            Ok(true) => Some(self.0.key()),
            Ok(false) => None,
            Err(error) => Some(Err(error)),
        }
    }

    /// As [`Self::value`], but stops in front of the array of a `Records` member (`Events` in the output of
    /// `lookup-events`), which may be longer than the text at hand.
    #[inline]
    pub(crate) fn value_or_array(&mut self, key: &str) -> Result<Option<Raw<'a>>, Malformed> {
        if matches!(key, "Records" | "Events") && self.0.text.as_bytes().get(self.0.at) == Some(&b'[') {
            return Ok(None);
        }
        self.0.value().map(Some)
    }

    /// The value of the member whose key was taken last.
    #[inline]
    pub(crate) fn value(&mut self) -> Result<Raw<'a>, Malformed> {
        self.0.value()
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = Result<(Cow<'a, str>, Raw<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        let key = match self.key()? {
            Ok(key) => key,
            Err(error) => return Some(Err(error)),
        };
        Some(self.value().map(|value| (key, value)))
    }
}

/// Iterates over the elements of an array.
#[derive(Debug)]
pub struct Elements<'a>(Walk<'a>);

impl<'a> Iterator for Elements<'a> {
    type Item = Result<Raw<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.0.step(b']') {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => return Some(Err(error)),
        }
        Some(self.0.value())
    }
}

/// A position on one level of an object or array.
#[derive(Debug)]
struct Walk<'a> {
    text: &'a str,
    at: usize,
    state: State,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Opened,
    Within,
    Done,
}

impl<'a> Walk<'a> {
    fn into(text: &'a str, open: u8) -> Self {
        let opens = text.as_bytes().first() == Some(&open);
        Self { text, at: usize::from(opens), state: if opens { State::Opened } else { State::Done } }
    }

    fn white(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                Some(&byte) => return Some(byte),
                None => return None,
            }
        }
    }

    fn fail<T>(&mut self, why: Why) -> Result<T, Malformed> {
        self.state = State::Done;
        let why = if self.at >= self.text.len() { Why::Ends } else { why };
        Err(Malformed { at: self.at, why })
    }

    /// Moves to the next member or element; `false` when `close` was met, and behind it.
    #[inline]
    fn step(&mut self, close: u8) -> Result<bool, Malformed> {
        match self.state {
            State::Done => return Ok(false),
            State::Opened => {
                if self.white() == Some(close) {
                    self.at += 1;
                    self.state = State::Done;
                    return Ok(false);
                }
                self.state = State::Within;
                return Ok(true);
            }
            State::Within => {}
        }
        match self.white() {
            Some(b',') => {
                self.at += 1;
                self.white();
                Ok(true)
            }
            Some(byte) if byte == close => {
                self.at += 1;
                self.state = State::Done;
                Ok(false)
            }
            _ => self.fail(Why::NoComma),
        }
    }

    #[inline]
    fn key(&mut self) -> Result<Cow<'a, str>, Malformed> {
        let start = self.at;
        if self.text.as_bytes().get(start) != Some(&b'"') {
            return self.fail(Why::NoKey);
        }
        // Nearly every key is short, without escapes, and has its colon right behind it.
        if let Some(length) = skip::short_string(self.text.as_bytes(), start + 1) {
            let end = start + 1 + length;
            if self.text.as_bytes().get(end + 1) == Some(&b':')
                && let Some(key) = self.text.get(start + 1..end)
            {
                self.at = end + 2;
                self.white();
                return Ok(Cow::Borrowed(key));
            }
        }
        let end = match skip::string(self.text.as_bytes(), start + 1) {
            Ok(end) => end,
            Err(error) => {
                self.state = State::Done;
                return Err(error);
            }
        };
        let key = self.text.get(start + 1..end - 1).unwrap_or_default();
        self.at = end;
        if self.white() != Some(b':') {
            return self.fail(Why::NoColon);
        }
        self.at += 1;
        self.white();
        Ok(text::unescape(key))
    }

    #[inline]
    fn value(&mut self) -> Result<Raw<'a>, Malformed> {
        // The object or array that is walked is a level itself.
        match Raw::nested(self.text, self.at, DEEPEST - 1) {
            Ok((value, end)) => {
                self.at = end;
                Ok(value)
            }
            Err(error) => {
                self.state = State::Done;
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests;
