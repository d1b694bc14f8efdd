//! The JSON schema of `handsoff.toml`, for editors: made from the policy's types, and held to the reader.
//!
//! Written by `HANDSOFF_SCHEMA=write cargo test -p handsoff-core schema`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::digest::WEEKDAYS;
use super::{
    ActionPattern, Alerts, BreakGlass, Cases, DEFAULT, Denials, Deploy, DigestHours, Exception, Form, Glob,
    IdentityPattern, Origin, Policy, TicketPlace, Workload, duration,
};

/// The policy of a team, handsoff.toml: which roles deploy, which break glass, what is expected, what is tolerated until when.
#[derive(JsonSchema)]
#[schemars(title = "handsoff.toml", deny_unknown_fields, transform = nothing)]
#[expect(dead_code, reason = "its form is what is wanted, and no value")]
struct Handsoff {
    /// Identities tied to the pipeline, whose changes are expected.
    deploy: Vec<Deploy>,
    /// Identities for emergencies. Root is one without an entry.
    break_glass: Vec<BreakGlass>,
    /// Roles that code runs as, and what they may change.
    workload: Vec<Workload>,
    /// What is tolerated, by whom, until when.
    exception: Vec<Exception>,
    /// When denied calls are too many.
    denials: Denials,
    /// What is sent, and when an incident is over.
    alerts: Alerts,
    /// When the message of a day is sent.
    digest: DigestHours,
    /// What the team calls its accounts.
    accounts: Accounts,
    /// What is asked of break-glass sessions.
    cases: Cases,
    /// What logging and detection hang on.
    protected: Protected,
}

/// What logging and detection hang on.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = nothing)]
#[expect(dead_code, reason = "its form is what is wanted, and no value")]
struct Protected {
    /// Names or ARNs, `*` for any characters.
    resources: Vec<Glob>,
}

/// A table needs none of its keys.
pub(super) fn nothing(schema: &mut Schema) {
    needs(schema, &[]);
}

/// A table needs an identity.
pub(super) fn identity(schema: &mut Schema) {
    needs(schema, &["identity"]);
}

/// An exception needs somebody who answers for it, a reason and an end, too.
pub(super) fn identity_and_end(schema: &mut Schema) {
    needs(schema, &["identity", "owner", "reason", "until"]);
}

/// Which keys a table needs: most that a type has, a policy may leave out.
fn needs(schema: &mut Schema, keys: &[&str]) {
    schema.remove("required");
    if !keys.is_empty() {
        schema.insert("required".into(), json!(keys));
    }
}

/// Types that a policy writes in a way of its own.
macro_rules! written {
    ($($type:ident: $schema:tt),* $(,)?) => {$(
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )*};
}

pub(super) struct Length;
pub(super) struct Day;
pub(super) struct Weekday;
struct Accounts;

written! {
    Length: {"type": "string", "description": "A length of time: 30m, 1h30m, 7d."},
    Day: {"type": "string", "format": "date", "description": "The last day, UTC, without quotes: 2027-01-31."},
    Weekday: {"type": "string", "enum": WEEKDAYS},
    Accounts: {
        "type": "object",
        "patternProperties": {"^[0-9]{12}$": {"type": "string", "minLength": 1, "maxLength": 24}},
        "additionalProperties": false,
    },
    Form: {"type": "string", "description": "A regular expression, such as INC-[0-9]+."},
    Glob: {"type": "string", "description": "`*` stands for any characters."},
    ActionPattern: {
        "type": "string",
        "pattern": "^[A-Za-z0-9-]+:.+$",
        "description": "service:Name, such as s3:PutObject or logs:*.",
    },
    IdentityPattern: {
        "type": "string",
        "pattern": "^(arn:|permission-set/)",
        "description": "arn:aws:iam::ACCOUNT:role/NAME, arn:aws:iam::ACCOUNT:user/NAME or permission-set/NAME.",
    },
    Origin: {
        "type": "string",
        "pattern": "^(arn:|permission-set/|service:|oidc:|oidc-provider/)",
        "description": "A role or user, a service (service:codebuild.amazonaws.com) or a web identity (oidc:SUBJECT, oidc-provider/PROVIDER:SUBJECT).",
    },
    TicketPlace: {
        "type": "string",
        "pattern": "^(source-identity|session-name|grant|session-tag:.+)$",
        "description": "source-identity, session-name, session-tag:NAME or grant.",
    },
}

fn schema() -> Value {
    // The draft that editors' plug-ins for TOML know.
    SchemaSettings::draft07().into_generator().into_root_schema_for::<Handsoff>().to_value()
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

#[test]
fn the_schema_is_what_the_types_say() {
    let file = root().join("policy/handsoff.schema.json");
    let now = format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap());
    if std::env::var("HANDSOFF_SCHEMA").is_ok_and(|it| it == "write") {
        std::fs::write(&file, &now).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap();
    assert_eq!(written, now, "HANDSOFF_SCHEMA=write cargo test -p handsoff-core schema");
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
    assert_eq!(compared, super::read::TABLES.len() - 1);
}

#[test]
fn policies_are_as_the_schema_says() {
    let schema = schema();
    let mut examples = String::new();
    for line in DEFAULT.lines().filter(|line| !line.starts_with("#:")) {
        let bare = line.strip_prefix("# ").unwrap_or(line);
        let is_toml = bare.starts_with("[[") || bare.contains(" = ") || bare.starts_with(['"', ' ', ']']);
        examples.push_str(if is_toml { bare.trim_start_matches("# ") } else { line });
        examples.push('\n');
    }
    let mut texts =
        BTreeMap::from([("default".to_owned(), DEFAULT.to_owned()), ("examples".to_owned(), examples)]);
    let folder = std::fs::read_dir(root().join("fuzz/corpus/policy")).unwrap();
    let files = folder.map(|entry| entry.unwrap().path());
    for file in files.chain(["policy/handsoff.toml", "events/handsoff.toml"].map(|name| root().join(name))) {
        texts.insert(file.display().to_string(), std::fs::read_to_string(&file).unwrap());
    }
    let mut valid = 0;
    for (name, text) in texts.iter().filter(|(_, text)| Policy::parse("p", text).is_ok()) {
        assert_eq!(wrong(&schema, &schema, &as_json(text)), Vec::<String>::new(), "{name}");
        valid += 1;
    }
    assert!(valid > 5, "{valid} policies were looked at");
}

#[test]
fn what_is_wrong_with_a_policy_is_wrong_by_the_schema() {
    let schema = schema();
    for text in [
        "deploi = []",
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
        "[digest]\nhour = 24",
        "[digest]\nweekdays = [\"Monday\"]",
        "[accounts]\nprod = \"x\"",
        "[protected]\nresources = \"x\"",
    ] {
        assert!(Policy::parse("p", text).is_err(), "{text}");
        assert!(!wrong(&schema, &schema, &as_json(text)).is_empty(), "{text}");
    }
    assert!(duration("30m").is_ok(), "the example of a length of time");
}

/// A policy as editors' plug-ins see it: dates are texts.
fn as_json(text: &str) -> Value {
    fn of(value: toml::Value) -> Value {
        match value {
            toml::Value::Datetime(date) => json!(date.to_string()),
            toml::Value::Array(list) => list.into_iter().map(of).collect(),
            toml::Value::Table(table) => {
                Value::Object(table.into_iter().map(|(key, value)| (key, of(value))).collect())
            }
            other => serde_json::to_value(other).unwrap(),
        }
    }
    of(toml::Value::Table(text.parse().unwrap()))
}

fn resolve<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    // Draft 7 has nothing beside a reference, so it stands within `allOf`.
    let reference = schema.get("$ref").or_else(|| schema.get("allOf")?.get(0)?.get("$ref"));
    match reference.and_then(Value::as_str) {
        Some(path) => root.pointer(path.trim_start_matches('#')).unwrap(),
        None => schema,
    }
}

/// What of a value is not as a schema says, by the words that ours has: any other word is a mistake here.
fn wrong(root: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let schema = resolve(root, schema);
    let mut found = Vec::new();
    for (word, says) in schema.as_object().unwrap() {
        let text = value.as_str();
        let fits = match word.as_str() {
            "type" => says == json_type(value) || (says == "number" && value.is_number()),
            "enum" => says.as_array().unwrap().contains(value),
            "oneOf" => {
                says.as_array().unwrap().iter().filter(|it| wrong(root, it, value).is_empty()).count() == 1
            }
            "const" => says == value,
            "pattern" => text.is_some_and(|it| is_match(says, it)),
            "minLength" => text.is_some_and(|it| it.len() as u64 >= says.as_u64().unwrap()),
            "maxLength" => text.is_some_and(|it| it.len() as u64 <= says.as_u64().unwrap()),
            "minimum" => value.as_i64() >= says.as_i64(),
            "maximum" => value.as_i64() <= says.as_i64(),
            "required" => {
                says.as_array().unwrap().iter().all(|key| value.get(key.as_str().unwrap()).is_some())
            }
            "items" => {
                found.extend(value.as_array().into_iter().flatten().flat_map(|it| wrong(root, says, it)));
                true
            }
            "properties" => {
                let own = says.as_object().unwrap().iter();
                found
                    .extend(own.filter_map(|(key, says)| Some(wrong(root, says, value.get(key)?))).flatten());
                true
            }
            "additionalProperties" => {
                let names = value.as_object().into_iter().flat_map(|it| it.keys());
                let has = |part: &str| schema.get(part).and_then(Value::as_object);
                names.into_iter().all(|key| {
                    has("properties").is_some_and(|own| own.contains_key(key))
                        || has("patternProperties")
                            .is_some_and(|own| own.keys().any(|it| is_match(&json!(it), key)))
                })
            }
            "format" | "patternProperties" | "description" | "title" | "$schema" | "definitions" => true,
            other => panic!("`{other}` is not understood here"),
        };
        if !fits {
            found.push(format!("{value}: {word} {says}"));
        }
    }
    found
}

fn is_match(pattern: &Value, text: &str) -> bool {
    regex_lite::Regex::new(pattern.as_str().unwrap()).unwrap().is_match(text)
}

fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
