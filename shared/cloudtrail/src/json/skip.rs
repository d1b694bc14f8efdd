//! Where a JSON value ends.
//!
//! Strings are searched with `memchr`, nested values 64 bytes at a time: quotes, backslashes and brackets
//! become bit masks, a running XOR over the quotes tells what stands inside a string, and only a block in
//! which the outermost bracket could close is looked at bit by bit. Written with the `wide` crate, so that
//! it is the same safe code on x86-64 and arm64.

use wide::u8x16;

use super::{Malformed, Why};

/// The end of the value that starts at byte `at`, with at most `deepest` levels of objects and arrays.
#[inline]
pub(super) fn value(bytes: &[u8], at: usize, deepest: u32) -> Result<usize, Malformed> {
    match bytes.get(at) {
        Some(b'"') => string(bytes, at + 1),
        Some(b'{' | b'[') => nested(bytes, at, deepest),
        Some(b't') => word(bytes, at, b"true"),
        Some(b'f') => word(bytes, at, b"false"),
        Some(b'n') => word(bytes, at, b"null"),
        Some(b'-' | b'0'..=b'9') => Ok(number(bytes, at)),
        Some(_) => Err(Malformed { at, why: Why::NoValue }),
        None => Err(Malformed { at, why: Why::Ends }),
    }
}

/// The length of a short string without escapes, whose first byte is `at`; `None` for all others.
#[inline]
pub(super) fn short_string(bytes: &[u8], at: usize) -> Option<usize> {
    let (low, high) = bytes.get(at..)?.first_chunk::<32>()?.as_chunks::<16>().0.split_first()?;
    let special = |block: &[u8; 16]| {
        let bytes = u8x16::new(*block);
        let quote = bytes.simd_eq(u8x16::splat(b'"'));
        (quote | bytes.simd_eq(u8x16::splat(b'\\'))).to_bitmask()
    };
    let found = special(low) | special(high.first()?) << 16;
    if found == 0 {
        return None;
    }
    let length = found.trailing_zeros() as usize;
    (bytes.get(at + length) == Some(&b'"')).then_some(length)
}

/// Whether a backslash stands in the bytes.
#[inline]
pub(super) fn has_escape(bytes: &[u8]) -> bool {
    let (blocks, tail) = bytes.as_chunks::<16>();
    if blocks.len() > 4 {
        return memchr::memchr(b'\\', bytes).is_some();
    }
    let backslash = u8x16::splat(b'\\');
    let mut found = 0;
    for block in blocks {
        found |= u8x16::new(*block).simd_eq(backslash).to_bitmask();
    }
    found != 0 || tail.contains(&b'\\')
}

/// The end of a string, behind its closing quote; `at` is behind the opening one.
#[inline]
pub(super) fn string(bytes: &[u8], at: usize) -> Result<usize, Malformed> {
    let rest = bytes.get(at..).unwrap_or_default();
    // Most strings are short: the first bytes are looked at here, without a call.
    if let Some(first) = rest.first_chunk::<16>() {
        let first = u8x16::new(*first);
        let quotes = first.simd_eq(u8x16::splat(b'"')).to_bitmask();
        let backslashes = first.simd_eq(u8x16::splat(b'\\')).to_bitmask();
        let quote = quotes.trailing_zeros();
        if quotes != 0 && quote < backslashes.trailing_zeros() {
            return Ok(at + quote as usize + 1);
        }
        if quotes | backslashes == 0 {
            return long_string(bytes, at + 16);
        }
    }
    long_string(bytes, at)
}

fn long_string(bytes: &[u8], mut at: usize) -> Result<usize, Malformed> {
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(found) = memchr::memchr2(b'"', b'\\', rest) else {
            return Err(Malformed { at: bytes.len(), why: Why::Ends });
        };
        at += found + 1;
        if rest.get(found) == Some(&b'"') {
            return Ok(at);
        }
        // A backslash: whatever follows it is part of the string.
        at += 1;
    }
}

fn word(bytes: &[u8], at: usize, word: &[u8]) -> Result<usize, Malformed> {
    let rest = bytes.get(at..).unwrap_or_default();
    if rest.starts_with(word) {
        Ok(at + word.len())
    } else if word.starts_with(rest) {
        Err(Malformed { at: bytes.len(), why: Why::Ends })
    } else {
        Err(Malformed { at, why: Why::NoValue })
    }
}

fn number(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    let digits = rest.iter().position(|byte| !matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9'));
    at + digits.unwrap_or(rest.len())
}

const BLOCK: usize = 64;

/// One bit for each of the 64 bytes, the first byte in the lowest bit.
#[derive(Default)]
struct Masks {
    quote: u64,
    backslash: u64,
    open: u64,
    close: u64,
}

impl Masks {
    #[inline]
    fn of(block: &[u8; BLOCK]) -> Self {
        let mut masks = Self::default();
        // `{` and `[`, `}` and `]` differ in one bit only: with it set they are the same byte.
        let (fold, quote, backslash) = (u8x16::splat(0x20), u8x16::splat(b'"'), u8x16::splat(b'\\'));
        let (open, close) = (u8x16::splat(b'{'), u8x16::splat(b'}'));
        let (quarters, _) = block.as_chunks::<16>();
        for (index, quarter) in quarters.iter().enumerate() {
            let bytes = u8x16::new(*quarter);
            let folded = bytes | fold;
            let shift = 16 * index;
            masks.quote |= u64::from(bytes.simd_eq(quote).to_bitmask()) << shift;
            masks.backslash |= u64::from(bytes.simd_eq(backslash).to_bitmask()) << shift;
            masks.open |= u64::from(folded.simd_eq(open).to_bitmask()) << shift;
            masks.close |= u64::from(folded.simd_eq(close).to_bitmask()) << shift;
        }
        masks
    }
}

/// What one block hands to the next.
#[derive(Default)]
struct Carry {
    /// All ones while inside a string.
    in_string: u64,
    /// One when the next byte is escaped by a backslash.
    escaped: u64,
}

impl Carry {
    /// Removes what stands inside strings from the brackets.
    #[inline]
    fn outside(&mut self, masks: &Masks) -> (u64, u64) {
        let quotes = if masks.backslash == 0 && self.escaped == 0 {
            masks.quote
        } else {
            masks.quote & !self.escapes(masks.backslash)
        };
        let inside = prefix_xor(quotes) ^ self.in_string;
        // All ones if the block ends inside a string, else zero.
        self.in_string = 0u64.wrapping_sub(inside >> (BLOCK - 1));
        (masks.open & !inside, masks.close & !inside)
    }

    /// The bytes that a backslash escapes. Backslashes are rare, so this walks them one by one.
    #[cold]
    fn escapes(&mut self, backslash: u64) -> u64 {
        let mut escaped = self.escaped;
        // A backslash that is escaped itself escapes nothing.
        let mut rest = backslash & !escaped;
        self.escaped = 0;
        while rest != 0 {
            let next = rest.trailing_zeros() + 1;
            if next as usize == BLOCK {
                self.escaped = 1;
                break;
            }
            escaped |= 1 << next;
            // Drop this backslash, and the next byte too if it is one: it is escaped.
            rest &= rest - 1;
            rest &= !(1 << next);
        }
        escaped
    }
}

/// Bit n of the result is the XOR of bits 0 to n: set from an opening quote up to before the closing one.
#[inline]
fn prefix_xor(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

/// The end of the object or array that starts at byte `at`.
fn nested(bytes: &[u8], at: usize, deepest: u32) -> Result<usize, Malformed> {
    let (blocks, tail) = bytes.get(at..).unwrap_or_default().as_chunks::<BLOCK>();
    let mut carry = Carry::default();
    let mut depth = 0u32;
    let mut start = at;
    for block in blocks {
        if let Some(met) = closes(&mut carry, &mut depth, deepest, &Masks::of(block)) {
            return met.at(start);
        }
        start += BLOCK;
    }
    let mut last = [b' '; BLOCK];
    for (to, from) in last.iter_mut().zip(tail) {
        *to = *from;
    }
    match closes(&mut carry, &mut depth, deepest, &Masks::of(&last)) {
        Some(met) => met.at(start),
        None => Err(Malformed { at: bytes.len(), why: Why::Ends }),
    }
}

/// What a block holds that ends the search.
enum Met {
    /// The bracket that closes the outermost one.
    End(u32),
    /// A bracket that opens one level too many.
    TooDeep(u32),
}

impl Met {
    fn at(self, block: usize) -> Result<usize, Malformed> {
        match self {
            Self::End(bit) => Ok(block + bit as usize + 1),
            Self::TooDeep(bit) => Err(Malformed { at: block + bit as usize, why: Why::TooDeep }),
        }
    }
}

/// Whether the outermost bracket closes in this block, or too many are open.
#[inline]
fn closes(carry: &mut Carry, depth: &mut u32, deepest: u32, masks: &Masks) -> Option<Met> {
    let (open, close) = carry.outside(masks);
    let opened = *depth + open.count_ones();
    if close.count_ones() < *depth && opened <= deepest {
        *depth = opened - close.count_ones();
        return None;
    }
    // Exactly, and not by the block: a text that is cut in the middle of one must be judged as the whole is.
    let mut brackets = open | close;
    while brackets != 0 {
        let bit = brackets.trailing_zeros();
        if open >> bit & 1 == 1 {
            *depth += 1;
            if *depth > deepest {
                return Some(Met::TooDeep(bit));
            }
        } else {
            *depth = depth.saturating_sub(1);
            if *depth == 0 {
                return Some(Met::End(bit));
            }
        }
        brackets &= brackets - 1;
    }
    None
}
