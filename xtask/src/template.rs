//! `template.yaml`, of what all detectors have and of each one's own.

use std::path::Path;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, Value, context};

use crate::detectors::detectors;
use crate::made::Made;
use crate::{Error, names, read};

/// Where that stands what all detectors have.
const SHARED: &str = "shared/template";

/// The file with which it begins.
const FIRST: &str = "template.yaml.jinja";

/// A line of the template is no longer than this, where it can be wrapped.
const WIDTH: usize = 120;

/// Makes the template.
pub fn make(root: &Path) -> Result<Made, Error> {
    let mut environment = Environment::new();
    configure(&mut environment)?;
    for name in names(&root.join(SHARED))? {
        if Path::new(&name).extension().is_none_or(|it| it != "jinja") {
            continue;
        }
        let place = format!("{SHARED}/{name}");
        environment.add_template_owned(place, read(&root.join(SHARED).join(&name))?)?;
    }
    // A file includes another by its name alone.
    environment.set_path_join_callback(|name, _| format!("{SHARED}/{name}").into());
    let detectors = detectors(root)?;
    let detectors: Vec<Value> = detectors.into_iter().map(|it| Value::from_dyn_object(it.part)).collect();
    let first = environment.get_template(&format!("{SHARED}/{FIRST}"))?;
    Ok(Made::new("template.yaml", first.render(context!(detectors))?))
}

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
