//! `docs/findings.md` is what its pages make.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod common;

use common::{Copy, root};
use xtask::{docs, samples};

#[test]
fn the_committed_page_is_what_its_pages_make() {
    let made = docs::make(&root()).unwrap();
    assert!(made.text.lines().count() > 400);
    if let Err(why) = made.check(&root()) {
        panic!("{why}");
    }
}

#[test]
fn a_function_without_a_page_is_named_and_a_page_without_a_function() {
    let copy = Copy::new();
    docs::make(copy.root()).unwrap().check(copy.root()).unwrap();
    std::fs::create_dir(copy.root().join("functions/throw-away")).unwrap();
    let why = docs::make(copy.root()).unwrap_err().to_string();
    assert!(why.contains("docs/findings/throw-away.md: No such file"), "{why}");
    copy.write(
        "docs/findings/throw-away.md",
        "## throw-away\n\nSee [cases](../cases.md), [`x`](drift.md#x).\n",
    );
    let made = docs::make(copy.root()).unwrap();
    assert!(
        made.text
            .contains("\n\n## throw-away\n\nSee [cases](cases.md), [`x`](#x).\n\n## Nothing to report\n")
    );
    let why = made.check(copy.root()).unwrap_err().to_string();
    assert!(why.starts_with("docs/findings.md:"), "{why}");
    assert!(why.contains("## throw-away") && why.contains("cargo xtask docs"), "{why}");

    copy.write("docs/findings/nobody.md", "## nobody\n");
    let why = docs::make(copy.root()).unwrap_err().to_string();
    assert_eq!(why, "docs/findings/nobody.md: no function has this name");
}

/// The anchor that a heading has.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    kept.chars()
        .filter(|char| char.is_alphanumeric() || "-_ ".contains(*char))
        .collect::<String>()
        .replace(' ', "-")
}

#[test]
fn links_lead_somewhere() {
    let mut links = 0;
    let pages = std::fs::read_dir(root().join("docs/findings")).unwrap().map(|entry| entry.unwrap().path());
    for page in pages.chain([root().join("docs/findings.md")]) {
        let text = std::fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            if link.starts_with("http") {
                continue;
            }
            let (file, of) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            let target = std::fs::read_to_string(&target).unwrap_or_else(|_| panic!("{page:?}: {link}"));
            let mut headings = target.lines().filter(|line| line.starts_with('#'));
            assert!(of.is_empty() || headings.any(|line| anchor(line) == of), "{page:?}: {link}");
            links += 1;
        }
    }
    assert!(links > 25, "{links} links");
}

#[test]
fn each_code_has_a_sample() {
    let codes = samples::list(&root()).unwrap();
    assert!(codes.len() > 15, "{codes:?}");
    let copy = Copy::new();
    for name in codes.values().flatten().filter(|name| !name.starts_with("drift-write.")) {
        copy.write(&format!("events/{name}"), "");
    }
    assert_eq!(samples::list(copy.root()).unwrap_err().to_string(), "no sample in events/ for drift-write");
}
