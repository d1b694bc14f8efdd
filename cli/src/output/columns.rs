//! Text in columns, however wide its characters are.

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};

/// The width that output for people is made for.
pub(super) const WIDTH: usize = 100;

/// A line that is no wider than the terminal.
pub(crate) fn cut_line(text: &str) -> String {
    cut(text, WIDTH)
}

/// The text, at most so wide: what is left out is marked.
pub(crate) fn cut(text: &str, widest: usize) -> String {
    if width(text) <= widest {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut so_far = 1;
    for char in text.chars() {
        so_far += width(char.encode_utf8(&mut [0; 4]));
        if so_far > widest {
            break;
        }
        out.push(char);
    }
    out.push('…');
    out
}

/// The text, exactly so wide.
pub(crate) fn padded(text: &str, width_of_column: usize) -> String {
    let text = cut(text, width_of_column);
    let gap = width_of_column.saturating_sub(width(&text));
    text + &" ".repeat(gap)
}

/// A table without lines: its columns are as wide as what is in them, with two blanks between them.
pub(crate) fn table<const N: usize>(head: [String; N]) -> Table {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header(head);
    table.column_iter_mut().for_each(|column| {
        column.set_padding((0, 2));
    });
    table
}

fn width(text: &str) -> usize {
    textwrap::core::display_width(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_as_wide_as_its_characters_on_a_terminal() {
        assert_eq!(cut("日本語", 6), "日本語");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("abcdef", 3), "ab…");
        for text in ["", "ab", "日本語日本語", "e\u{301}e\u{301}"] {
            assert_eq!(width(&padded(text, 5)), 5, "{text}");
        }
    }
}
