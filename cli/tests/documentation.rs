//! The commands in README.md do what it says.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may panic"
)]

use std::path::Path;
use std::process::Command;

/// Runs what stands behind `$ `, from the product's root, and gives what it prints.
fn run(command: &str) -> String {
    let line = command.split_once("-p handsoff -- ").map_or(command, |(_, args)| args);
    let args = line.strip_prefix("handsoff ").unwrap_or(line).split_whitespace();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new(env!("CARGO_BIN_EXE_handsoff")).current_dir(root).args(args).output().unwrap();
    assert!(output.status.success(), "{command}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Whether the text is what is expected, where `[...]` stands for anything.
fn matches(expected: &str, text: &str) -> bool {
    let mut parts = expected.split("[...]");
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap()) else { return false };
    let parts: Vec<&str> = parts.collect();
    for (index, part) in parts.iter().enumerate() {
        let part = part.trim_start_matches('\n');
        let found = if index + 1 == parts.len() && rest.ends_with(part) {
            Some(rest.len() - part.len())
        } else {
            rest.find(part)
        };
        let Some(found) = found else { return false };
        rest = &rest[found + part.len()..];
    }
    rest.is_empty() || expected.ends_with("[...]\n")
}

#[test]
fn the_documents_commands_print_what_they_say() {
    assert_eq!(commands(include_str!("../../README.md")), 4);
    assert_eq!(commands(include_str!("../../docs/tune.md")), 1);
}

/// Runs the commands of a document, and says how many.
fn commands(document: &str) -> u32 {
    let mut ran = 0;
    for block in document.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap();
        for command in block.split("$ ").skip(1) {
            let (command, expected) = command.split_once('\n').unwrap();
            let printed = run(command);
            assert!(
                matches(expected, &printed),
                "`{command}` should print\n{expected}\nand prints\n{printed}"
            );
            ran += 1;
        }
    }
    ran
}

#[test]
fn files_that_documents_name_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for document in [
        "README.md",
        "ARCHITECTURE.md",
        "SECURITY.md",
        "docs/findings.md",
        "docs/output.md",
        "docs/cases.md",
        "docs/tune.md",
        "docs/drift.md",
        "docs/PERFORMANCE.md",
    ] {
        let text = std::fs::read_to_string(root.join(document)).unwrap();
        let folder = root.join(document).parent().unwrap().to_owned();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap();
            assert!(link.starts_with("http") || folder.join(file).exists(), "{document} links to {link}");
        }
    }
}
