//! The detectors: folders of `functions/` that have a part.

use std::path::Path;
use std::sync::Arc;

use minijinja::{Environment, Value, context};

use crate::block::Block;
use crate::configure::configure;
use crate::error::Error;
use crate::files::{names, read};

/// The file of a detector's own part, in its folder.
pub const PART: &str = "part.yaml";

/// Keys without which a part is none.
const NEEDED: [&str; 4] = ["order", "description", "unjudged", "rules"];

/// Keys that a part may have: without one it is as if nothing stood there.
const OPTIONAL: [&str; 10] = [
    "alarms",
    "conditions",
    "environment",
    "function",
    "parameters",
    "resources",
    "source",
    "statements",
    "widgets",
    "writes_cases",
];

/// Keys whose values are several, each with its name.
const NAMED: [&str; 4] = ["alarms", "parameters", "rules", "widgets"];

/// What a rule has to have, and what it may have.
const OF_RULES: [(&str, bool); 5] =
    [("name", true), ("description", true), ("pattern", true), ("names", false), ("state", false)];

/// A detector, as the folder of its name describes it.
#[derive(Debug)]
pub struct Detector {
    /// The name of its folder, such as `break-glass`.
    pub name: String,
    /// Its place among the detectors.
    order: u32,
    /// Its part, with `name` and `id` (`BreakGlass`) beside what stands there.
    pub part: Arc<Block>,
}

/// The detectors in the order that their parts say.
pub fn detectors(root: &Path) -> Result<Vec<Detector>, Error> {
    let mut found = Vec::new();
    for name in names(&root.join("functions"))? {
        if root.join("functions").join(&name).join(PART).is_file() {
            let text = read(&root.join("functions").join(&name).join(PART))?;
            found.push(detector(root, &name, &text)?);
        }
    }
    found.sort_by(|one, other| (one.order, &one.name).cmp(&(other.order, &other.name)));
    // A part may depend on which others there are.
    let known: Vec<Value> =
        found.iter().map(|it| context!(name => it.name.clone(), id => id(&it.name))).collect();
    let known = Value::from(known);
    for (it, own) in found.iter_mut().zip(known.try_iter()?) {
        let place = format!("functions/{}/{PART}", it.name);
        let mut environment = Environment::new();
        configure(&mut environment)?;
        environment.add_template_owned(place.clone(), it.part.text.clone())?;
        let text = environment
            .get_template(&place)?
            .render(context!(detectors => known.clone(), detector => own))?;
        *it = detector(root, &it.name, &text)?;
    }
    Ok(found)
}

fn detector(root: &Path, name: &str, text: &str) -> Result<Detector, Error> {
    let place = format!("functions/{name}/{PART}");
    let wrong = |line: usize, what: String| Error::part(format!("{place}:{line}"), what);
    let mut part = Block::file(text).map_err(|it| wrong(it.line, it.what.to_owned()))?;
    for (key, block) in part.keys() {
        if !NEEDED.contains(&key) && !OPTIONAL.contains(&key) {
            return Err(wrong(block.line(), format!("`{key}` is no key of a part")));
        }
        if NAMED.contains(&key) && block.keys().next().is_none() {
            return Err(wrong(block.line(), format!("`{key}` has to name each")));
        }
        // It ends behind a key of the template, or within a text.
        if ["description", "unjudged"].contains(&key) && block.text.contains('\n') {
            return Err(wrong(block.line(), format!("`{key}` has to stand on one line")));
        }
    }
    if let Some(key) = NEEDED.into_iter().find(|key| part.get(key).is_none()) {
        return Err(wrong(1, format!("the part has no `{key}`")));
    }
    for key in OPTIONAL {
        if part.get(key).is_none() {
            part.set(key, Block::default());
        }
    }
    let order = part.get("order").and_then(|it| it.text.parse().ok());
    let order = order.ok_or_else(|| wrong(1, "`order` is no number".to_owned()))?;
    let mut unused = names(&root.join("functions").join(name).join("patterns"))?;
    part.change(|key, block| if key == "rules" { patterns(root, name, block, &mut unused) } else { Ok(()) })?;
    if let Some(file) = unused.first() {
        return Err(Error::part(format!("functions/{name}/patterns/{file}"), "no rule has this pattern"));
    }
    part.set("name", Block::of_text(name));
    part.set("id", Block::of_text(&id(name)));
    Ok(Detector { name: name.to_owned(), order, part: Arc::new(part) })
}

/// Puts the patterns in place of the names of their files.
fn patterns(root: &Path, name: &str, rules: &mut Block, unused: &mut Vec<String>) -> Result<(), Error> {
    let folder = root.join("functions").join(name).join("patterns");
    rules.change(|id, rule| {
        let place = format!("functions/{name}/{PART}:{}", rule.line());
        if let Some((key, _)) = OF_RULES.into_iter().find(|(key, needed)| *needed && rule.get(key).is_none())
        {
            return Err(Error::part(place, format!("{id} has no `{key}`")));
        }
        if let Some((key, _)) = rule.keys().find(|(key, _)| OF_RULES.iter().all(|(known, _)| known != key)) {
            return Err(Error::part(place, format!("`{key}` is no key of a rule")));
        }
        rule.change(|key, block| {
            if key == "pattern" {
                let text = read(&folder.join(&block.text))?;
                unused.retain(|file| *file != block.text);
                text.trim_end().clone_into(&mut block.text);
            }
            Ok(())
        })
    })
}

/// What the names of its resources begin with: `BreakGlass` of `break-glass`.
fn id(name: &str) -> String {
    let capital = |word: &str| {
        let mut chars = word.chars();
        chars.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(chars).collect::<String>()
    };
    name.split('-').map(capital).collect()
}
