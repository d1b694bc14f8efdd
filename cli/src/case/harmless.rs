//! Texts of a case, and names of its files, as they are shown.

use std::path::Path;

use handsoff_core::show::clean;

/// A text of a case, harmless on a terminal and on a page.
pub(super) fn shown(text: &str) -> String {
    clean(text, 512)
}

/// A text that may have several lines, such as a review's note.
pub(super) fn shown_lines(text: &str) -> Vec<String> {
    text.lines().map(|line| clean(line, 10_000)).collect()
}

/// A folder or file as it is reported.
pub(super) fn place(path: &Path) -> String {
    clean(&path.display().to_string(), 512)
}
