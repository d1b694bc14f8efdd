//! Making text that a caller chose harmless for the people and programs it is shown to.

use std::fmt::Write;

/// Shortens text and takes the power out of it: control characters (terminal escapes, line breaks) and
/// characters that reorder or hide text become visible `\u{…}`.
///
/// Everything in a record that goes into a finding passes through here once. What one output needs beyond
/// that, such as HTML or CSV escapes, is that output's business.
pub fn clean(text: &str, longest: usize) -> String {
    let mut out = String::with_capacity(text.len().min(longest));
    for (index, char) in text.chars().enumerate() {
        // A character that is made visible takes up to ten.
        if index == longest || out.len() > 4 * longest {
            out.push('…');
            break;
        }
        if is_harmful(char) {
            // INVARIANT: writing to a String cannot fail.
            let _ = write!(out, "{}", char.escape_unicode());
        } else {
            out.push(char);
        }
    }
    out
}

fn is_harmful(char: char) -> bool {
    char.is_control()
        || matches!(char,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            // No characters: SNS and SQS refuse a message with one.
            | '\u{fffe}'..='\u{ffff}' | '\u{e0000}'..='\u{e0fff}')
}

/// What is wrong with a JSON text, without the values that `serde_json` quotes.
pub fn unquoted(error: &serde_json::Error) -> String {
    let text = error.to_string();
    // Names of fields are ours, in backquotes; values are the sender's, in double quotes.
    let what = text.split('"').next().unwrap_or_default();
    if what.len() == text.len() {
        clean(&text, 256)
    } else {
        format!("{}… at line {} column {}", clean(what, 256), error.line(), error.column())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_line_breaks_and_reordering_become_visible() {
        assert_eq!(
            clean("a\x1b[2Jb\nc\u{202e}d\u{7f}\u{9b}", 100),
            "a\\u{1b}[2Jb\\u{a}c\\u{202e}d\\u{7f}\\u{9b}"
        );
        assert_eq!(clean("grün 日本", 100), "grün 日本");
        assert_eq!(clean("\u{fffe}\u{ffff}\u{fffd}", 100), "\\u{fffe}\\u{ffff}\u{fffd}");
    }

    #[test]
    fn long_text_is_cut_at_a_character() {
        assert_eq!(clean("äöü", 2), "äö…");
        assert_eq!(clean("äöü", 3), "äöü");
        let escaped = clean(&"\u{e0041}".repeat(255), 256);
        assert!(escaped.len() < 4 * 256 + 16 && escaped.ends_with('…'), "{}", escaped.len());
    }
}
