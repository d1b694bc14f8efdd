//! Tables that are compiled in as text: one line an API operation, found by halving, without allocation.

use std::cmp::Ordering;

/// Lines `service:Action VALUE`, each with its newline, sorted by the ASCII-lower-cased key. All ASCII. Lines in front
/// that start with `#` are a comment.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    lines: &'static [u8],
}

impl Table {
    /// A table from the text of its file.
    pub const fn of(text: &'static [u8]) -> Self {
        Self { lines: without_header(text) }
    }

    /// What stands behind an operation's key, to the end of its line; case doesn't matter.
    pub fn find(self, service: &str, action: &str) -> Option<&'static [u8]> {
        let mut buffer = [0; LONGEST_KEY];
        let key = key_of(service, action, &mut buffer)?;

        // Halve the lines, each time at the start of the line in the middle, until that is the first of them.
        let mut lines = self.lines;
        while let Some(newline) = last_newline(lines.split_at(lines.len() / 2).0) {
            let (before, from_middle) = lines.split_at(newline + 1);
            lines = if compare(key, from_middle).is_lt() { before } else { from_middle };
        }
        // A few are left.
        while !lines.is_empty() {
            match compare(key, lines) {
                Ordering::Less => break,
                Ordering::Equal => {
                    let value = lines.get(key.len() + 1..)?;
                    return value.split(|&byte| byte == b'\n').next();
                }
                Ordering::Greater => lines = after_line(lines),
            }
        }
        None
    }

    /// The lines of the table, for what looks at all of them.
    pub fn lines(self) -> impl Iterator<Item = &'static str> {
        std::str::from_utf8(self.lines).unwrap_or_default().lines()
    }

    /// That the file is one that can be searched.
    #[cfg(test)]
    pub(crate) fn assert_sound(self) {
        assert!(self.lines.is_ascii());
        assert!(self.lines.ends_with(b"\n"));
        assert!(!self.lines.contains(&b'\r'));
        let keys: Vec<_> = self
            .lines()
            .map(|line| line.split(' ').next().unwrap_or_default().to_ascii_lowercase())
            .collect();
        assert!(keys.len() > 10);
        assert!(keys.is_sorted_by(|left, right| left < right), "unique and sorted");
        assert!(keys.iter().all(|key| !key.starts_with('#') && key.len() <= LONGEST_KEY));
    }
}

/// No key of a table is longer.
const LONGEST_KEY: usize = 128;

/// The key in lower case, unless it is one that can't be in the table: too long, or with a space.
fn key_of<'a>(service: &str, action: &str, buffer: &'a mut [u8; LONGEST_KEY]) -> Option<&'a [u8]> {
    let key = buffer.get_mut(..service.len() + 1 + action.len())?;
    let (front, back) = key.split_at_mut(service.len());
    let (colon, back) = back.split_first_mut()?;
    front.copy_from_slice(service.as_bytes());
    *colon = b':';
    back.copy_from_slice(action.as_bytes());
    key.make_ascii_lowercase();
    if key.contains(&b' ') { None } else { Some(key) }
}

/// Compares a key with that of the line which `text` starts with. A line's key ends at a space.
fn compare(key: &[u8], text: &[u8]) -> Ordering {
    for (wanted, byte) in key.iter().zip(text) {
        let folded = byte.to_ascii_lowercase();
        if *wanted != folded {
            return if folded == b' ' { Ordering::Greater } else { wanted.cmp(&folded) };
        }
    }
    match text.get(key.len()) {
        Some(b' ') => Ordering::Equal,
        _ => Ordering::Less,
    }
}

/// Where the last newline is. It is near, and the look-up spends its time here, so eight bytes at a time.
fn last_newline(text: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let (front, chunks) = text.as_rchunks::<8>();
    for (at, chunk) in chunks.iter().enumerate().rev() {
        // Each byte is below 0x80, so this sets the top bit of those that aren't a newline.
        let others = (u64::from_le_bytes(*chunk) ^ (ONES * u64::from(b'\n'))) + ONES * 0x7f;
        let newlines = !others & (ONES * 0x80);
        if newlines != 0 {
            return Some(front.len() + at * 8 + 7 - newlines.leading_zeros() as usize / 8);
        }
    }
    front.iter().rposition(|&byte| byte == b'\n')
}

/// The lines after those that start with `#`.
const fn without_header(mut text: &[u8]) -> &[u8] {
    while let [b'#', ..] = text {
        text = after_line(text);
    }
    text
}

/// What follows the first newline.
const fn after_line(mut text: &[u8]) -> &[u8] {
    while let [byte, rest @ ..] = text {
        text = rest;
        if *byte == b'\n' {
            break;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_newline_is_the_last() {
        for length in 0..40 {
            for first in 0..length {
                for last in first..length {
                    let mut text = vec![b'\x7f'; length];
                    text[first] = b'\n';
                    text[last] = b'\n';
                    assert_eq!(last_newline(&text), Some(last));
                }
            }
            assert_eq!(last_newline(&vec![b'\0'; length]), None);
            assert_eq!(last_newline(&vec![b'\x0b'; length]), None);
        }
    }
}
