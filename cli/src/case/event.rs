//! Entries for `aws events put-events`, and JSON that is harmless on a terminal.

use std::io::{self, Write};

use handsoff_core::show::clean;
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};

/// The `source` of events that people send.
const SOURCE: &str = "handsoff";

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry<'e> {
    source: &'e str,
    detail_type: &'e str,
    detail: String,
}

/// Prints an event as the one entry that `aws events put-events --entries` takes.
///
/// # Errors
/// When it can't be written.
pub(crate) fn print(detail_type: &str, detail: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let detail = serde_json::to_string(detail)?;
    json_pretty(&[Entry { source: SOURCE, detail_type, detail }], &mut *out)?;
    out.write_all(b"\n")
}

/// How to send what [`print()`] printed. The AWS CLI takes no `-` for standard input, and its exit status is 0 also when
/// an entry was refused.
pub(crate) const SEND: &str = "To send it, pipe it to: aws events put-events --entries file:///dev/stdin\n\
     The answer has to contain \"FailedEntryCount\": 0.";

/// Writes JSON on one line.
///
/// # Errors
/// When it can't be written.
pub(crate) fn json(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(out, Harmless(CompactFormatter)))?;
    Ok(())
}

/// Writes JSON on many lines.
///
/// # Errors
/// When it can't be written.
pub(crate) fn json_pretty(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(out, Harmless(PrettyFormatter::new())))?;
    Ok(())
}

/// Escapes what [`clean`] would make visible: the same value for a program, and no terminal obeys it. `serde_json`
/// itself escapes the first 32 control characters only.
struct Harmless<F>(F);

impl<F: Formatter> Formatter for Harmless<F> {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, text: &str) -> io::Result<()> {
        let mut rest = text;
        while let Some((at, char)) = rest.char_indices().find(|(_, char)| is_harmful(*char)) {
            let (before, after) = rest.split_at(at);
            out.write_all(before.as_bytes())?;
            for unit in char.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = after.get(char.len_utf8()..).unwrap_or_default();
        }
        out.write_all(rest.as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}

fn is_harmful(char: char) -> bool {
    (char == '\u{7f}' || !char.is_ascii()) && {
        let text = char.to_string();
        clean(&text, 1) != text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_harmless_on_a_terminal_and_says_the_same() {
        let text = "grün\u{202e}\u{9b}\u{7f}\u{e0041}日\u{1b}[2J\"\\";
        let mut out = Vec::new();
        json(&text, &mut out).unwrap();
        let written = String::from_utf8(out).unwrap();
        assert_eq!(written, r#""grün\u202e\u009b\u007f\udb40\udc41日\u001b[2J\"\\""#);
        assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
    }
}
