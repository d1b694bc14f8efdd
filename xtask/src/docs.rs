//! `docs/findings.md`, of the page that each function has.

use std::path::Path;

use crate::detectors::detectors;
use crate::error::Error;
use crate::files::{names, read};
use crate::made::Made;

/// The folder of the pages.
const PAGES: &str = "docs/findings";

/// What stands before the functions' pages, and behind them.
const HEAD: &str = "_head";
const END: &str = "_end";

/// What is no function among the folders of `functions/`: the registry.
const REGISTRY: &str = "lambda";

/// Makes the page of all findings.
pub fn make(root: &Path) -> Result<Made, Error> {
    let mut text = format!("<!-- Made of {PAGES}/ by `cargo xtask docs`: change it there. -->\n\n");
    let pages = pages(root)?;
    let texts = pages.iter().map(|page| Ok(moved(&read(&root.join(page))?, &pages)));
    text += &texts.collect::<Result<Vec<_>, Error>>()?.join("\n");
    Ok(Made::new("docs/findings.md", text))
}

/// A page's text, whose links lead from the page of all to where they led before.
fn moved(text: &str, pages: &[String]) -> String {
    let names = pages.iter().filter_map(|page| page.rsplit('/').next());
    let text = names.fold(text.to_owned(), |text, name| text.replace(&format!("]({name}#"), "](#"));
    text.replace("](../", "](")
}

/// The pages in their order: the detectors' in theirs, then those of other functions.
pub(crate) fn pages(root: &Path) -> Result<Vec<String>, Error> {
    let mut order: Vec<String> = detectors(root)?.into_iter().map(|it| it.name).collect();
    let mut others = names(&root.join("functions"))?;
    others.retain(|name| name != REGISTRY && !order.contains(name));
    order.extend(others);
    let pages: Vec<String> =
        [HEAD.to_owned()].into_iter().chain(order).chain([END.to_owned()]).map(|name| name + ".md").collect();
    if let Some(stray) = names(&root.join(PAGES))?.into_iter().find(|name| !pages.contains(name)) {
        return Err(Error::part(format!("{PAGES}/{stray}"), "no function has this name"));
    }
    Ok(pages.into_iter().map(|name| format!("{PAGES}/{name}")).collect())
}
