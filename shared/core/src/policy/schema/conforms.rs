//! Whether a policy is as a JSON schema says, by the words that ours has.

use serde_json::{Value, json};

/// A policy as editors' plug-ins see it: dates are texts.
pub(super) fn as_json(text: &str) -> Value {
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

/// The part of a schema that a reference in another part of it means.
pub(super) fn resolve<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    // Draft 7 has nothing beside a reference, so it stands within `allOf`.
    let reference = schema.get("$ref").or_else(|| schema.get("allOf")?.get(0)?.get("$ref"));
    match reference.and_then(Value::as_str) {
        Some(path) => root.pointer(path.trim_start_matches('#')).unwrap(),
        None => schema,
    }
}

/// What of a value is not as a schema says. A word that isn't understood here is a mistake.
pub(super) fn wrong(root: &Value, schema: &Value, value: &Value) -> Vec<String> {
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
            "minLength" => text.is_some_and(|it| it.chars().count() as u64 >= says.as_u64().unwrap()),
            "maxLength" => text.is_some_and(|it| it.chars().count() as u64 <= says.as_u64().unwrap()),
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
            "patternProperties" => {
                for (pattern, says) in says.as_object().unwrap() {
                    let own = value.as_object().into_iter().flatten();
                    let own = own.filter(|(key, _)| is_match(&json!(pattern), key));
                    found.extend(own.flat_map(|(_, own)| wrong(root, says, own)));
                }
                true
            }
            "format" | "description" | "title" | "$schema" | "definitions" => true,
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
