//! Dependencies point one way. What decides is pure; only what runs in Lambda knows AWS.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::path::Path;

use handsoff_tests::root;

/// Each may depend on those of earlier lines, and on none of its own. A detector that isn't named is in the layer of
/// [`DETECTOR`].
const LAYERS: &[&[&str]] = &[
    &["handsoff-cloudtrail"],
    &["handsoff-core"],
    &["handsoff-runtime"],
    &["handsoff-aws", "handsoff-ledger", "handsoff-testing"],
    &["handsoff-deny-spike", "handsoff-drift"],
    &["handsoff-case"],
    &["handsoff-break-glass"],
    &["handsoff-sweep"],
    &["handsoff-functions"],
    &["handsoff"],
    &["handsoff-bench", "handsoff-hello", "handsoff-fuzz", "xtask"],
    &["handsoff-tests"],
];

/// A detector that no other crate but the registry depends on.
const DETECTOR: &str = "handsoff-deny-spike";

/// What does I/O, or waits for it.
const IO: [&str; 4] = ["tokio", "aws-", "lambda_runtime", "reqwest"];

/// Where nothing does I/O.
const PURE: [&str; 5] =
    ["handsoff-cloudtrail", "handsoff-core", "handsoff-runtime", "handsoff-case", "handsoff-ledger"];

/// The dependencies of each crate of the workspace, those of its tests left out.
fn dependencies() -> BTreeMap<String, Vec<String>> {
    fn look(folder: &Path, found: &mut BTreeMap<String, Vec<String>>) {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let (path, name) = (entry.path(), entry.file_name());
            // Its detector is none of the workspace's.
            if path.ends_with("tests/throw-away") {
                continue;
            }
            if path.is_dir() {
                let skip = ["target", "src", "node_modules", "libfuzzer"];
                if !skip.iter().any(|skip| name == *skip) && !name.to_string_lossy().starts_with('.') {
                    look(&path, found);
                }
            } else if name == "Cargo.toml" {
                let manifest: toml::Table = toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
                let Some(package) = manifest.get("package") else { continue };
                let names = |it: &toml::Value| it.as_table().unwrap().keys().cloned().collect::<Vec<_>>();
                let name = package.get("name").and_then(toml::Value::as_str).unwrap();
                found.insert(name.to_owned(), manifest.get("dependencies").map(names).unwrap_or_default());
            }
        }
    }
    let mut found = BTreeMap::new();
    look(&root(), &mut found);
    found
}

fn layer(name: &str) -> usize {
    let place = |name: &str| LAYERS.iter().position(|layer| layer.contains(&name));
    let folder = name.strip_prefix("handsoff-").unwrap_or(name);
    let is_detector = root().join("functions").join(folder).join("part.yaml").is_file();
    place(name)
        .or_else(|| place(DETECTOR).filter(|_| is_detector))
        .unwrap_or_else(|| panic!("{name} has no layer: see LAYERS"))
}

#[test]
fn dependencies_point_one_way() {
    let all = dependencies();
    assert!(all.len() > 10, "{all:?}");
    for (name, of) in &all {
        for other in of.iter().filter(|other| other.starts_with("handsoff")) {
            assert!(layer(other) < layer(name), "{name} must not depend on {other}");
        }
    }
}

/// What is for tests alone is in nothing that is deployed or installed.
#[test]
fn only_tests_depend_on_what_is_for_tests() {
    let all = dependencies();
    let of = all.iter().filter(|(_, of)| of.iter().any(|it| it == "handsoff-testing"));
    let of: Vec<&str> = of.map(|(name, _)| name.as_str()).collect();
    assert_eq!(of, ["handsoff-fuzz", "handsoff-tests"]);
}

#[test]
fn what_decides_does_no_io() {
    let all = dependencies();
    for name in PURE {
        let io = all[name].iter().find(|it| IO.iter().any(|io| it.starts_with(io)));
        assert_eq!(io, None, "{name} is pure");
    }
    for (name, of) in all.iter().filter(|(_, of)| of.iter().any(|it| it.starts_with("aws-"))) {
        assert_eq!(name, "handsoff-aws", "{of:?}: AWS's SDK is behind the ports");
    }
}

/// The Rust files of the product, by their paths from the root: what is below `src`, without the files of tests.
fn product_files() -> BTreeMap<String, String> {
    fn look(folder: &Path, found: &mut BTreeMap<String, String>) {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            let below = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                let skip = ["target", "tests", "node_modules"].contains(&name.as_str());
                if !skip && !name.starts_with('.') {
                    look(&path, found);
                }
            } else if path.extension().is_some_and(|it| it == "rs")
                && below.contains("src/")
                && name != "tests.rs"
            {
                found.insert(below, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    look(&root(), &mut found);
    found
}

/// The error type of each `Result<…, …>` that a text has before its tests.
fn error_types<'t>(text: &'t str) -> Vec<&'t str> {
    let product = text.split("#[cfg(test)]\nmod ").next().unwrap();
    let of = |rest: &'t str| {
        let (mut depth, mut start, mut before) = (0_usize, None, ' ');
        for (index, char) in rest.char_indices() {
            let (within, behind) = rest.split_at(index);
            match char {
                // The arrow of a function's type closes nothing.
                '>' if before == '-' => {}
                '<' | '(' | '[' => depth += 1,
                '>' if depth == 0 => return within.get(start?..).map(str::trim),
                '>' | ')' | ']' => depth = depth.checked_sub(1)?,
                // Behind the last one in a list over several lines is nothing.
                ',' if depth == 0 && !behind.trim_start_matches(',').trim_start().starts_with('>') => {
                    start = Some(index + 1);
                }
                _ => {}
            }
            before = char;
        }
        None
    };
    let all = product.match_indices("Result<");
    let all = all.filter_map(|(at, opens)| of(product.get(at + opens.len()..)?));
    all.map(|error| error.trim_end_matches(',')).collect()
}

/// Who gets a text for an error can only print it: errors are enums, and the text is made where it is printed.
#[test]
fn no_error_is_a_text() {
    let files = product_files();
    assert!(files.len() > 100 && files.contains_key("cli/src/load.rs"), "{:?}", files.keys());
    for (file, text) in &files {
        assert!(!error_types(text).contains(&"String"), "{file} has a Result<_, String>");
        assert!(!text.contains("type Err = String;"), "{file}: what can't be parsed is an error of its own");
    }
}

/// What was tried is in the error's name, what went wrong in its variant's: so that one can be handled and the other shown.
#[test]
fn errors_are_enums_that_say_so() {
    let mut found = 0;
    for (file, text) in &product_files() {
        for item in text.split("thiserror::Error)]").skip(1) {
            // Further attributes stand between.
            let line = item.lines().find(|line| line.contains("enum ") || line.contains("struct "));
            let Some(name) = line.filter(|line| !line.starts_with(' ')) else { continue };
            let name = name.trim_start_matches("pub(crate) ").trim_start_matches("pub(super) ");
            let name = name.trim_start_matches("pub ").split([' ', '<', ':']).collect::<Vec<_>>();
            assert!(name[0] == "enum" && name[1].ends_with("Error"), "{file}: {name:?}");
            found += 1;
        }
    }
    assert!(found > 20, "{found}");
}

#[test]
fn error_types_are_found_wherever_they_stand() {
    let text =
        "fn a() -> Option<Result<(), String>> {}\nfn b(c: &Result<Vec<String>, B>) -> io::Result<String>
        where F: Fn(u8) -> Result<fn() -> u8, (C, D)>, type E = Result<\n    (String, u8),\n    E,\n>;
        #[cfg(test)]\nmod tests { fn f() -> Result<(), F> {} }";
    assert_eq!(error_types(text), ["String", "B", "(C, D)", "E"]);
}
