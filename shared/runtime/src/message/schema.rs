//! Holds a message against OCSF's own schema: the part of it that lies beside this file.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::Value;

/// What of an event isn't as the schema of Detection Finding says, by place.
pub(super) fn wrong(event: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(include_str!("ocsf-1.3.0.json")).unwrap();
    let profiles = event["metadata"]["profiles"].as_array().into_iter().flatten();
    let profiles = profiles.map(|profile| profile.as_str().unwrap().to_owned()).collect();
    let mut check = Check { schema: &schema, profiles, wrong: Vec::new() };
    check.object("event", event, &schema["classes"]["detection_finding"]);
    if event["metadata"]["version"] != schema["version"] {
        check.wrong.push("metadata.version: another schema's".into());
    }
    check.wrong
}

struct Check<'s> {
    schema: &'s Value,
    profiles: BTreeSet<String>,
    wrong: Vec<String>,
}

impl Check<'_> {
    fn object(&mut self, place: &str, found: &Value, about: &Value) {
        let Some(found) = found.as_object() else { return self.wrong.push(format!("{place}: no object")) };
        let attributes = about["attributes"].as_object().unwrap();
        for (name, attribute) in attributes {
            let place = format!("{place}.{name}");
            let applies = attribute["profile"].as_str().is_none_or(|profile| self.profiles.contains(profile));
            match found.get(name) {
                None if applies && attribute["requirement"] == "required" => {
                    self.wrong.push(format!("{place}: required"));
                }
                None => {}
                Some(_) if !applies => {
                    self.wrong.push(format!("{place}: of a profile that `metadata.profiles` doesn't name"));
                }
                Some(value) => self.attribute(&place, value, attribute),
            }
        }
        let unknown = found.keys().filter(|name| !attributes.contains_key(*name));
        self.wrong.extend(unknown.map(|name| format!("{place}.{name}: the schema has no such attribute")));
        if let Some(names) = about["constraints"]["at_least_one"].as_array()
            && !names.iter().any(|name| found.contains_key(name.as_str().unwrap()))
        {
            self.wrong.push(format!("{place}: at least one of {names:?}"));
        }
    }

    fn attribute(&mut self, place: &str, value: &Value, attribute: &Value) {
        if attribute["is_array"] == true {
            let Some(values) = value.as_array() else { return self.wrong.push(format!("{place}: no array")) };
            for value in values {
                self.one(place, value, attribute);
            }
        } else {
            self.one(place, value, attribute);
        }
    }

    fn one(&mut self, place: &str, value: &Value, attribute: &Value) {
        if attribute["type"] == "object_t" {
            let kind = attribute["object_type"].as_str().unwrap();
            // An object of no class, such as `unmapped`, holds anything.
            match self.schema["objects"].get(kind) {
                _ if kind == "object" => {
                    if !value.is_object() {
                        self.wrong.push(format!("{place}: no object"));
                    }
                }
                Some(about) => self.object(place, value, about),
                None => self.wrong.push(format!("{place}: the copy of the schema lacks `{kind}`")),
            }
            return;
        }
        let own = attribute["type"].as_str().unwrap();
        let about = &self.schema["types"][own];
        let basic = about["type"].as_str().unwrap_or(own);
        let fits = match basic {
            "string_t" => value.is_string(),
            "integer_t" | "long_t" => value.is_i64(),
            other => panic!("{place}: {other} is a type that this check doesn't know"),
        };
        let formed = match own {
            "ip_t" => value.as_str().is_some_and(|ip| ip.parse::<IpAddr>().is_ok()),
            _ if about.get("regex").is_some() => {
                panic!("{place}: {own} has a form that this check doesn't know")
            }
            _ => true,
        };
        let length = value.as_str().map_or(0, |text| text.chars().count() as u64);
        let listed = attribute["enum"].as_array().is_none_or(|listed| {
            listed.iter().any(|one| one.as_str() == Some(&value.to_string()) || one == value)
        });
        if !fits || !formed || !listed || about["max_len"].as_u64().is_some_and(|most| length > most) {
            self.wrong.push(format!("{place}: {value} is no {own} of the schema"));
        }
    }
}
