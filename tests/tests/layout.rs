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
