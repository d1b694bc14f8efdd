//! How templates of text that is read by people are filled in.

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior};

use crate::error::Error;

/// A line of the template is no longer than this, where it can be wrapped.
const WIDTH: usize = 120;

/// As templates of text that is read by people want it.
pub(crate) fn configure(environment: &mut Environment<'_>) -> Result<(), Error> {
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    // A line with a tag alone leaves nothing.
    let mut syntax = SyntaxConfig::builder();
    syntax.trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true);
    environment.set_syntax(syntax.build()?);
    environment.add_filter("wrap", wrap);
    Ok(())
}

/// Puts words on lines, behind so many spaces.
fn wrap(text: &str, depth: usize) -> String {
    let (mut lines, mut line) = (String::new(), " ".repeat(depth));
    for word in text.split_whitespace() {
        if line.len() > depth && line.len() + 1 + word.len() > WIDTH {
            lines += &line;
            lines.push('\n');
            line.truncate(depth);
        }
        if line.len() > depth {
            line.push(' ');
        }
        line += word;
    }
    lines + &line + "\n"
}
