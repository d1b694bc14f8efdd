//! Numbers and identifiers from seeds. Everything a log holds comes from here, so that a seed gives
//! the same bytes on every machine.

const HEX: &[u8; 16] = b"0123456789abcdef";
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BASE36: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Mixes two numbers into one that looks random (the finaliser of splitmix64).
pub(crate) fn mix(a: u64, b: u64) -> u64 {
    let mut z = a.wrapping_add(b.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A number that stands for `text`, to tell kinds of things apart (FNV-1a).
pub(crate) fn tag(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The lowest `digits` hexadecimal digits of `value`, lower case.
pub(crate) fn hex(out: &mut String, value: u64, digits: u32) {
    for digit in (0..digits).rev() {
        push(out, HEX, value >> (4 * digit));
    }
}

/// A random (version 4) UUID out of two numbers.
pub(crate) fn uuid(out: &mut String, high: u64, low: u64) {
    hex(out, high >> 32, 8);
    out.push('-');
    hex(out, high >> 16, 4);
    out.push_str("-4");
    hex(out, high, 3);
    out.push('-');
    hex(out, 8 | (low >> 60 & 3), 1);
    hex(out, low >> 48, 3);
    out.push('-');
    hex(out, low, 12);
}

/// Eight characters as in access key and principal ids.
pub(crate) fn base32(out: &mut String, value: u64) {
    for place in 0..8 {
        push(out, BASE32, value >> (5 * place));
    }
}

/// Sixteen characters as in S3's request ids.
pub(crate) fn base36(out: &mut String, mut value: u64) {
    for _ in 0..16 {
        push_modulo(out, BASE36, value);
        value = mix(value, 36);
    }
}

/// The sixteen characters at the end of a log file's name.
pub(crate) fn base62(out: &mut String, mut value: u64) {
    for _ in 0..16 {
        push_modulo(out, BASE62, value);
        value = mix(value, 62);
    }
}

/// `length` characters of base64 that compress as badly as ciphertext does.
pub(crate) fn base64(out: &mut String, rng: &mut fastrand::Rng, length: usize) {
    let mut left = length;
    while left > 0 {
        let bits = rng.u64(..);
        for place in 0..left.min(10) {
            push(out, BASE64, bits >> (6 * place));
        }
        left = left.saturating_sub(10);
    }
}

/// Pushes the character that the low bits of `value` choose from an alphabet of 2ⁿ characters.
fn push(out: &mut String, alphabet: &[u8], value: u64) {
    push_modulo(out, alphabet, value & (alphabet.len() as u64 - 1));
}

fn push_modulo(out: &mut String, alphabet: &[u8], value: u64) {
    let index = usize::try_from(value % alphabet.len() as u64).unwrap_or_default();
    out.extend(alphabet.get(index).map(|&byte| char::from(byte)));
}

#[cfg(test)]
mod tests {
    use super::{base32, base64, hex, uuid};

    #[test]
    fn identifiers_have_their_shape() {
        let mut out = String::new();
        uuid(&mut out, u64::MAX, 0);
        assert_eq!(out, "ffffffff-ffff-4fff-8000-000000000000");
        out.clear();
        hex(&mut out, 0xabc, 5);
        assert_eq!(out, "00abc");
        out.clear();
        base32(&mut out, 0);
        assert_eq!(out, "AAAAAAAA");
        out.clear();
        base64(&mut out, &mut fastrand::Rng::with_seed(1), 33);
        assert_eq!(out.len(), 33);
    }
}
