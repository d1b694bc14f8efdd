//! Bytes as text: each piece is decoded once, however often reading goes on in it.

/// What is behind the text at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// More may come.
    More,
    /// Nothing: the file ends.
    Last,
    /// A byte that isn't UTF-8, and where it is.
    Broken(usize),
    /// More of a value than any record has.
    TooLong,
}

/// A piece of bytes as text.
pub(super) struct Text<'b> {
    bytes: &'b [u8],
    last: bool,
    /// The text that was decoded last, where it starts, and what is behind it.
    known: (usize, &'b str, Ending),
}

impl<'b> Text<'b> {
    pub(super) fn of(bytes: &'b [u8], last: bool) -> Self {
        let mut text = Self { bytes, last, known: (0, "", Ending::More) };
        text.known = match simdutf8::basic::from_utf8(bytes) {
            Ok(all) => (0, all, text.end()),
            Err(_) => text.decode(0),
        };
        text
    }

    /// The text from `at` up to the first byte that isn't UTF-8, and what is behind it.
    pub(super) fn from(&mut self, at: usize) -> (&'b str, Ending) {
        loop {
            let (start, text, ending) = self.known;
            if let Some(rest) = at.checked_sub(start).and_then(|skipped| text.get(skipped..)) {
                return (rest, ending);
            }
            self.known = self.decode(at);
        }
    }

    /// Stops at the first broken byte, so that many of them don't mean to read the rest many times.
    fn decode(&self, at: usize) -> (usize, &'b str, Ending) {
        let rest = self.bytes.get(at..).unwrap_or_default();
        let Some(chunk) = rest.utf8_chunks().next() else { return (at, "", self.end()) };
        let (text, broken) = (chunk.valid(), chunk.invalid());
        let to_the_end = text.len() + broken.len() == rest.len();
        // A character that is cut by the end of the bytes isn't broken: more may follow.
        let cut = || std::str::from_utf8(broken).is_err_and(|error| error.error_len().is_none());
        let ending = if to_the_end && (broken.is_empty() || (!self.last && cut())) {
            self.end()
        } else {
            Ending::Broken(at + text.len())
        };
        (at, text, ending)
    }

    fn end(&self) -> Ending {
        if self.last { Ending::Last } else { Ending::More }
    }
}
