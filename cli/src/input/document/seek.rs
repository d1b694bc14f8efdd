//! Where to go on behind something unreadable.

/// What a place to go on from looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// The next line, or a record before it.
    Line,
    /// The next thing that looks like the start of a record.
    Record,
    /// Right here.
    Here,
}

/// A search for a place to go on from. It looks at each byte once, in their order, and remembers of those before what it
/// needs: so it finds the same in any pieces.
#[derive(Debug)]
pub(super) struct Seek {
    for_line: bool,
    /// The last two bytes that were not white space.
    last: [u8; 2],
    /// The last byte was the end of a line.
    line_starts: bool,
}

/// How nearly every record starts, behind its bracket.
const FIRST_KEY: &[u8] = b"\"eventVersion\"";
/// The most white space between the two.
const MOST_WHITE: usize = 256;

impl Seek {
    pub(super) fn new(for_line: bool) -> Self {
        Self { for_line, last: [0; 2], line_starts: false }
    }

    /// Looks on from byte `at`, which is left where the next search has to start. `None`: there is no such place up to the
    /// end of the bytes.
    pub(super) fn next(&mut self, bytes: &[u8], at: &mut usize, last: bool, in_list: bool) -> Option<usize> {
        loop {
            let rest = bytes.get(*at..).unwrap_or_default();
            // Nothing else can be such a place, or stand before one at the start of a line.
            let Some(skipped) = memchr::memchr2(b'{', b'\n', rest) else {
                self.pass(rest);
                *at = bytes.len();
                return None;
            };
            self.pass(rest.get(..skipped).unwrap_or_default());
            *at += skipped;
            let is_brace = bytes.get(*at) == Some(&b'{');
            if is_brace {
                let line = !self.for_line && self.line_starts;
                // The next element of a list, or the next of a list inside of it: that is then told apart.
                let element = in_list && self.last == *b"},";
                if line || element {
                    return Some(*at);
                }
                match starts_record(bytes.get(*at + 1..).unwrap_or_default()) {
                    Some(true) => return Some(*at),
                    // More has to come first.
                    None if !last => return None,
                    _ => {}
                }
            }
            *at += 1;
            self.pass(if is_brace { b"{" } else { b"\n" });
            if !is_brace && self.for_line {
                return Some(*at);
            }
        }
    }

    /// Steps over bytes.
    fn pass(&mut self, bytes: &[u8]) {
        let Some(last) = bytes.last() else { return };
        self.line_starts = *last == b'\n';
        let mut solid = bytes.iter().rev().copied().filter(|byte| !byte.is_ascii_whitespace());
        let [_, before] = self.last;
        match (solid.next(), solid.next()) {
            (Some(last), Some(before)) => self.last = [before, last],
            (Some(last), None) => self.last = [before, last],
            _ => {}
        }
    }
}

/// Whether what is behind a bracket makes it the start of a record; `None`: the bytes end before that can be said.
fn starts_record(behind: &[u8]) -> Option<bool> {
    let white = behind.iter().take(MOST_WHITE).take_while(|byte| byte.is_ascii_whitespace()).count();
    let key = behind.get(white..).unwrap_or_default();
    let key = key.get(..FIRST_KEY.len()).unwrap_or(key);
    if key == FIRST_KEY {
        Some(true)
    } else if FIRST_KEY.starts_with(key) {
        None
    } else {
        Some(false)
    }
}
