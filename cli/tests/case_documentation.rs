//! The commands in docs/cases.md do what it says.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    dead_code,
    reason = "a test may panic; not every test uses all samples"
)]

mod sample;

use std::collections::BTreeSet;
use std::process::Command;

use handsoff_case::Manifest;
use sample::{Which, write};
use serde_json::Value;

const DOCUMENT: &str = include_str!("../../docs/cases.md");

/// Whether the text is what is expected, where `[...]` stands for anything.
fn matches(expected: &str, text: &str) -> bool {
    let mut rest = text;
    for (index, part) in expected.split("[...]").enumerate() {
        let part = if index == 0 { part } else { part.trim_start_matches('\n') };
        let Some(at) = rest.find(part) else { return false };
        if index == 0 && at > 0 {
            return false;
        }
        rest = &rest[at + part.len()..];
    }
    rest.is_empty() || expected.ends_with("[...]\n")
}

#[test]
fn the_commands_print_what_it_says() {
    let dir = tempfile::tempdir().unwrap();
    for which in [Which::Normal, Which::Drill] {
        write(&dir.path().join("cases"), which);
    }
    let mut ran = 0;
    for block in DOCUMENT.split("```console\n").skip(1) {
        let (command, expected) = block.split("```").next().unwrap().split_once('\n').unwrap();
        let args = command.strip_prefix("$ handsoff ").unwrap().split_whitespace();
        let output =
            Command::new(env!("CARGO_BIN_EXE_handsoff")).current_dir(dir.path()).args(args).output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{command}\n{}", String::from_utf8_lossy(&output.stderr));
        assert!(matches(expected, &printed), "`{command}` should print\n{expected}\nand prints\n{printed}");
        ran += 1;
    }
    assert_eq!(ran, 5);
}

#[test]
fn every_field_is_described() {
    // Codes are read by name.
    handsoff_functions::detectors();
    let dir = tempfile::tempdir().unwrap();
    let folder = write(dir.path(), Which::Normal);
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let manifest: Value = serde_json::from_str(&read("manifest.json")).unwrap();
    serde_json::from_value::<Manifest>(manifest.clone()).unwrap();
    let line: Value = serde_json::from_str(read("calls-000001.jsonl").lines().next().unwrap()).unwrap();
    let mut keys = BTreeSet::new();
    for value in [&manifest, &line] {
        collect(value, &mut keys);
    }
    for key in keys.iter().filter(|key| !key.contains([':', '-'])) {
        let named = [format!("`{key}`"), format!(".{key}`"), format!("`{key}.")];
        assert!(named.iter().any(|name| DOCUMENT.contains(name)), "{key} is not described");
    }
}

fn collect(value: &Value, keys: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                keys.insert(key.clone());
                collect(value, keys);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, keys)),
        _ => {}
    }
}

#[test]
fn links_lead_somewhere() {
    for link in DOCUMENT.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
        let file = link.split('#').next().unwrap();
        let path = format!("{}/../docs/{file}", env!("CARGO_MANIFEST_DIR"));
        assert!(std::path::Path::new(&path).exists(), "{link}");
    }
}
