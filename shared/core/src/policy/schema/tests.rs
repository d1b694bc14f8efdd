//! The schema is what the types say, has the keys that the reader knows, and all policies are as it says.

use std::path::Path;

use super::super::tests::examples;
use super::super::{Policy, duration, read};
use super::conforms::{as_json, resolve, wrong};
use super::schema;

/// Where the schema is, in the repository.
const FILE: &str = "policy/handsoff.schema.json";

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

#[test]
fn the_schema_is_what_the_types_say() {
    let file = root().join(FILE);
    let now = format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap());
    if std::env::var("HANDSOFF_SCHEMA").is_ok_and(|it| it == "write") {
        std::fs::write(&file, &now).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap();
    for (place, (written, now)) in written.lines().zip(now.lines()).enumerate() {
        assert_eq!(written, now, "{FILE}:{}: `cargo xtask schema` writes it", place + 1);
    }
    assert_eq!(written.len(), now.len(), "{FILE}: `cargo xtask schema` writes it");
}

/// The reader names the keys that a table has; the schema has these and no others.
#[test]
fn the_schema_has_the_keys_that_the_reader_knows() {
    let schema = schema();
    let mut compared = 0;
    for (table, part) in schema["properties"].as_object().unwrap() {
        let list = part["type"] == "array";
        let of = resolve(&schema, if list { &part["items"] } else { part });
        let Some(properties) = of.get("properties") else {
            assert_eq!(table, "accounts", "its keys are anybody's");
            continue;
        };
        let head = if list { format!("[[{table}]]") } else { format!("[{table}]") };
        let errors = Policy::parse("p", &format!("{head}\nnosuchkey = 1")).unwrap_err();
        let known = errors.iter().find_map(|error| error.message.split_once(": it has ")).unwrap().1;
        let mut known: Vec<&str> = known.split(", ").collect();
        known.sort_unstable();
        let mut own: Vec<&str> = properties.as_object().unwrap().keys().map(String::as_str).collect();
        own.sort_unstable();
        assert_eq!(own, known, "{head}");
        compared += 1;
    }
    assert_eq!(compared, read::TABLES.len() - 1);
}

/// What lies between two texts, each time.
fn between<'t>(text: &'t str, from: &'t str, to: &'t str) -> impl Iterator<Item = &'t str> {
    text.split(from).skip(1).filter_map(move |rest| Some(rest.split_once(to)?.0))
}

/// What may be a policy in a folder: files, examples in documents, texts of tests.
fn look(folder: &Path, found: &mut Vec<(String, String)>) {
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with('.') && !["target", "node_modules"].contains(&&*name) {
                look(&path, found);
            }
            continue;
        }
        let parts: fn(&str) -> Vec<&str> = match path.extension().and_then(|it| it.to_str()) {
            Some("toml") => |text| vec![text],
            Some("md") => |text| between(text, "```toml\n", "```").collect(),
            Some("rs") => |text| between(text, "r#\"", "\"#").filter(|it| it.contains("]\n")).collect(),
            _ => continue,
        };
        let text = std::fs::read_to_string(&path).unwrap();
        let shown = path.strip_prefix(root()).unwrap().display().to_string();
        found.extend(parts(&text).into_iter().map(|part| (shown.clone(), part.to_owned())));
    }
}

/// All policies in the repository that the reader takes, and where they are.
fn policies() -> Vec<(String, String)> {
    let mut found = vec![("examples".to_owned(), examples())];
    look(root(), &mut found);
    found.retain(|(name, text)| {
        let is_policy = Policy::parse("p", text).is_ok();
        assert!(is_policy || Path::new(name).extension().is_none_or(|it| it != "md"), "{name}: {text}");
        is_policy
    });
    found
}

#[test]
fn policies_are_as_the_schema_says() {
    let (schema, policies) = (schema(), policies());
    for (name, text) in &policies {
        assert_eq!(wrong(&schema, &schema, &as_json(text)), Vec::<String>::new(), "{name}: {text}");
    }
    let count = |end: &str| policies.iter().filter(|(name, _)| name.ends_with(end)).count();
    for name in
        ["examples", "shared/core/src/policy/default.toml", "policy/handsoff.toml", "events/handsoff.toml"]
    {
        assert_eq!(count(name), 1, "{name}");
    }
    let counts = [count(".md"), count(".rs"), count(".toml")];
    assert!(counts[0] >= 3 && counts[1] >= 20 && counts[2] >= 7, "{counts:?} policies were looked at");
}

#[test]
fn editors_find_the_schema() {
    for name in ["policy/handsoff.toml", "events/handsoff.toml"] {
        let text = std::fs::read_to_string(root().join(name)).unwrap();
        let schema = text.lines().next().unwrap().strip_prefix("#:schema ").unwrap();
        let schema = root().join(name).parent().unwrap().join(schema).canonicalize().unwrap();
        assert_eq!(schema, root().join(FILE).canonicalize().unwrap(), "{name}");
    }
}

#[test]
fn what_is_wrong_with_a_policy_is_wrong_by_the_schema() {
    let schema = schema();
    for text in [
        "deploi = []",
        "[[deploy]]\nidentity = \"arn:aws:iam::*:role/x\"\nasumed_by = []",
        "[[break_glass]]\nidentity = \"permission-set/X\"\nmax_sesion = \"1h\"",
        "[denials]\nwindows = \"5m\"",
        "[alerts]\ndigest = true",
        "[cases]\npatiences = \"1m\"",
        "[protected]\nresource = []",
        "[deploy]",
        "[[deploy]]",
        "[[deploy]]\nidentity = \"role/x\"",
        "[[deploy]]\nidentity = \"arn:aws:iam::*:role/x\"\nassumed_by = [\"ci\"]",
        "[[break_glass]]\nidentity = \"permission-set/X\"\nticket_in = [\"grants\"]",
        "[[break_glass]]\nidentity = \"permission-set/X\"\napproval = \"yes\"",
        "[[workload]]\nidentity = \"arn:aws:iam::*:role/x\"\nmay_write = [\"PutObject\"]",
        "[[exception]]\nidentity = \"permission-set/X\"\nactions = [\"s3:*\"]\nowner = \"o\"\nreason = \"r\"",
        "[denials]\ncount = 0",
        "[denials]\nwindow = 5",
        "[alerts]\nmin_severity = \"urgent\"",
        "[agents]\nat_least = \"urgent\"",
        "[agents]",
        "[agents]\nleast = \"high\"",
        "[digest]\nhour = 24",
        "[digest]\nweekdays = [\"Monday\"]",
        "[accounts]\nprod = \"x\"",
        "[accounts]\n\"111122223333\" = \"\"",
        "[protected]\nresources = \"x\"",
    ] {
        assert!(Policy::parse("p", text).is_err(), "{text}");
        assert!(!wrong(&schema, &schema, &as_json(text)).is_empty(), "{text}");
    }
    for example in ["30m", "1h30m", "7d"] {
        assert!(duration(example).is_ok(), "{example}, of the schema");
    }
}
