//! What a file is, by its first bytes.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;

use super::flat;

/// How gzip begins.
pub(super) const GZIP: &[u8] = &[0x1f, 0x8b, 0x08];
const ZIP: &[u8] = b"PK\x03\x04";

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It begins as logs do, or may hold logs that aren't read.
    Log,
    /// An archive of several files.
    Archive,
    /// Anything else.
    Other,
}

/// How much of a beginning tells.
const START: u64 = 4096;
/// So much white space may stand before it.
const MOST_WHITE: usize = 1 << 20;

/// What a file is: a log begins with JSON, as UTF-8 or UTF-16, with the time that CloudWatch Logs writes before it, or with
/// any of that in gzip. Firehose and export tasks give their files no ending. One that can't be opened is taken for a log,
/// to be named.
pub(super) fn of(path: &Path) -> Kind {
    let Ok(mut file) = File::open(path) else { return Kind::Log };
    let mut start = Vec::new();
    if file.by_ref().take(GZIP.len() as u64).read_to_end(&mut start).is_err() {
        return Kind::Log;
    }
    let inflated = start == GZIP;
    let whole = start.as_slice().chain(file);
    let beginning = if inflated { beginning(GzDecoder::new(whole)) } else { beginning(whole) };
    match beginning {
        None => Kind::Log,
        Some(start) if is_archive(&start) => Kind::Archive,
        Some(start) if unread(&start, inflated).is_some() || begins_as_log(&start) => Kind::Log,
        Some(_) => Kind::Other,
    }
}

/// The first bytes of a text behind its white space, up to where it can't be read on. `None`: it is nothing else for long.
fn beginning(mut text: impl Read) -> Option<Vec<u8>> {
    let (mut start, mut white) = (Vec::new(), 0);
    while white < MOST_WHITE {
        // Of a damaged file its beginning has been read.
        let _ = text.by_ref().take(START - start.len() as u64).read_to_end(&mut start);
        let blank = start.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        if blank == 0 {
            return Some(start);
        }
        white += blank;
        start.drain(..blank);
    }
    None
}

fn is_archive(start: &[u8]) -> bool {
    [ZIP, b"7z\xbc\xaf\x27\x1c", b"Rar!"].iter().any(|first| start.starts_with(first))
}

fn begins_as_log(start: &[u8]) -> bool {
    let start: Vec<u8> = start.iter().copied().filter(|byte| *byte != 0).collect();
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&start);
    let start = start.strip_prefix(b"\xff\xfe").or(start.strip_prefix(b"\xfe\xff")).unwrap_or(start);
    let start = String::from_utf8_lossy(start.trim_ascii_start());
    let behind = |text: &str, next: &[char]| text.trim_start().starts_with(next);
    let json = match (start.get(..1), start.get(1..)) {
        (Some("{"), Some(rest)) => behind(rest, &['"', '}']),
        (Some("["), Some(rest)) => behind(rest, &['{', '"', ']']),
        (Some("\""), Some(rest)) => behind(rest, &['{', '[']),
        _ => false,
    };
    // Whatever a program wrote before it on its line.
    json || start.contains("eventVersion") || matches!(flat::time_before(&start), Ok(Some(_)))
}

/// Why a text that may well be a log isn't read; `None`: it is read. `inflated`: it was in gzip.
pub(super) fn unread(start: &[u8], inflated: bool) -> Option<&'static str> {
    const KINDS: [(&[u8], &str); 9] = [
        (b"\x28\xb5\x2f\xfd", "zstd-compressed: inflate it first"),
        (b"\xfd7zXZ\0", "xz-compressed: inflate it first"),
        (b"BZh", "bzip2-compressed: inflate it first"),
        (b"\x04\x22\x4d\x18", "lz4-compressed: inflate it first"),
        (b"\xff\x06\0\0sNaPpY", "snappy-compressed: inflate it first"),
        (b"PAR1", "Parquet: export the records as JSON"),
        (b"ORC", "ORC: export the records as JSON"),
        (b"Obj\x01", "Avro: export the records as JSON"),
        (ZIP, "a zip archive: unpack it first"),
    ];
    if inflated && start.starts_with(GZIP) {
        return Some("gzip in gzip: inflate it once");
    }
    KINDS.into_iter().find(|(first, _)| start.starts_with(first)).map(|(_, why)| why)
}
