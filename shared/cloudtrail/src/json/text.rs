//! Unescaping of JSON strings that cannot fail.

use std::borrow::Cow;

/// The text between two quotes, without its escapes.
///
/// Half of a surrogate pair (left when CloudTrail cuts a value at 1 KB) and unknown escapes become U+FFFD:
/// a strict parser would call the whole record unreadable.
#[inline]
pub(super) fn unescape(inner: &str) -> Cow<'_, str> {
    if super::skip::has_escape(inner.as_bytes()) {
        Cow::Owned(unescaped(inner))
    } else {
        Cow::Borrowed(inner)
    }
}

fn unescaped(inner: &str) -> String {
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((plain, escape)) = rest.split_once('\\') {
        out.push_str(plain);
        let mut chars = escape.chars();
        let char = match chars.next() {
            Some(same @ ('"' | '\\' | '/')) => same,
            Some('n') => '\n',
            Some('t') => '\t',
            Some('r') => '\r',
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('u') => {
                let (char, after) = unicode(chars.as_str());
                out.push(char);
                rest = after;
                continue;
            }
            _ => char::REPLACEMENT_CHARACTER,
        };
        out.push(char);
        rest = chars.as_str();
    }
    out.push_str(rest);
    out
}

/// The character behind `\u`, and the text behind the escape.
fn unicode(text: &str) -> (char, &str) {
    let Some((high, after)) = hex4(text) else {
        return (char::REPLACEMENT_CHARACTER, text);
    };
    if let Some(char) = char::from_u32(high) {
        return (char, after);
    }
    if (0xD800..0xDC00).contains(&high)
        && let Some((low, behind)) = after.strip_prefix("\\u").and_then(hex4)
        && (0xDC00..0xE000).contains(&low)
        && let Some(char) = char::from_u32(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00))
    {
        return (char, behind);
    }
    (char::REPLACEMENT_CHARACTER, after)
}

fn hex4(text: &str) -> Option<(u32, &str)> {
    let (digits, after) = text.split_at_checked(4)?;
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    Some((u32::from_str_radix(digits, 16).ok()?, after))
}
