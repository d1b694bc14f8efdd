//! Which samples each code has.

use std::collections::BTreeMap;
use std::path::Path;

use crate::docs;
use crate::error::Error;
use crate::files::{names, read};

/// Each code that a page has a section of, with the files of `events/` whose names begin with it.
pub fn list(root: &Path) -> Result<BTreeMap<String, Vec<String>>, Error> {
    let mut codes = BTreeMap::new();
    for page in docs::pages(root)? {
        for line in read(&root.join(page))?.lines() {
            if let Some(code) = line.strip_prefix("### `").and_then(|rest| rest.strip_suffix('`')) {
                codes.insert(code.to_owned(), Vec::new());
            }
        }
    }
    for name in names(&root.join("events"))? {
        if let Some(samples) = name.split('.').next().and_then(|code| codes.get_mut(code)) {
            samples.push(name);
        }
    }
    let without: Vec<&str> =
        codes.iter().filter(|(_, samples)| samples.is_empty()).map(|(code, _)| code.as_str()).collect();
    if without.is_empty() { Ok(codes) } else { Err(Error::NoSample(without.join(", "))) }
}
