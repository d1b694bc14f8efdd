//! Changes samples: bytes, tokens, and parts of other samples. The same seed gives the same.

use fastrand::Rng;

/// A number below `most`; 0, if there is none.
fn below(dice: &mut Rng, most: usize) -> usize {
    dice.usize(..most.max(1))
}

/// What stands for a value.
const VALUES: [&str; 20] = [
    "null",
    "true",
    "\"true\"",
    "0",
    "1e999",
    "\"\"",
    "{}",
    "[]",
    "[{}]",
    "\"x\"",
    "\"\\u0000\\ud800\"",
    "\"AccessDenied\"",
    "\"AssumeRole\"",
    "\"ConsoleLogin\"",
    "\"StopLogging\"",
    "\"sts.amazonaws.com\"",
    "\"2026-03-14T02:00:00Z\"",
    "\"arn:aws:iam::111122223333:role/break-glass\"",
    "\"root\"",
    "{\"type\":\"Root\"}",
];

/// What means something in one of the forms that are read.
const TOKENS: [&str; 28] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\u0000",
    "\n",
    "\r\n",
    "-1",
    "9223372036854775808",
    "{\"Records\":[",
    "]}",
    "\"eventID\":\"x\",",
    "\"errorCode\":\"AccessDenied\",",
    "\"readOnly\":\"true\",",
    "\"detail\":{",
    "arn:aws:iam::*:role/",
    "*",
    "[[deploy]]\n",
    "[[break_glass]]\n",
    "identity = ",
    "\u{feff}",
    "\u{202e}",
    "\u{1b}[2J",
    "é",
];

/// A changed sample: one of `seeds` with one to four changes.
pub fn mutated(seeds: &[Vec<u8>], dice: &mut Rng) -> Vec<u8> {
    let mut data = seeds.get(below(dice, seeds.len())).cloned().unwrap_or_default();
    for _ in 0..=below(dice, 4) {
        change(&mut data, seeds, dice);
    }
    data
}

fn change(data: &mut Vec<u8>, seeds: &[Vec<u8>], dice: &mut Rng) {
    let at = below(dice, data.len() + 1);
    let end = (at + below(dice, 64)).min(data.len());
    match below(dice, 16) {
        0 => {
            if let Some(byte) = data.get_mut(at) {
                *byte ^= 1 << below(dice, 8);
            }
        }
        1 => data.insert(at, u8::try_from(below(dice, 256)).unwrap_or_default()),
        2 => drop(data.drain(at..end)),
        3 | 4 => {
            let token = TOKENS[below(dice, TOKENS.len())];
            drop(data.splice(at..at, token.bytes()));
        }
        5 => {
            let token = TOKENS[below(dice, TOKENS.len())];
            drop(data.splice(at..end, token.bytes()));
        }
        6 => {
            let again = data[at..end].to_vec();
            let to = below(dice, data.len() + 1);
            drop(data.splice(to..to, again));
        }
        7 => {
            let Some(other) = seeds.get(below(dice, seeds.len())) else { return };
            let from = below(dice, other.len() + 1);
            let to = (from + below(dice, 512)).min(other.len());
            drop(data.splice(at..end, other[from..to].iter().copied()));
        }
        8 => data.truncate(at.max(1)),
        _ => value(data, at, dice),
    }
}

/// Gives a key behind a place in JSON another value: whatever bytes are changed, most of it is none any more.
fn value(data: &mut Vec<u8>, from: usize, dice: &mut Rng) {
    let Some(colon) = data.iter().skip(from).position(|byte| *byte == b':') else { return };
    let begin = from + colon + 1;
    let text = data[begin..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let value = &data[begin + text..];
    let length = match value.first() {
        Some(b'"') => value.iter().skip(1).position(|byte| *byte == b'"').map_or(0, |end| end + 2),
        Some(b'{' | b'[') | None => return,
        Some(_) => value.iter().take_while(|byte| !matches!(byte, b',' | b'}' | b']' | b'\n')).count(),
    };
    let other = VALUES[below(dice, VALUES.len())];
    drop(data.splice(begin..begin + text + length, other.bytes()));
}
