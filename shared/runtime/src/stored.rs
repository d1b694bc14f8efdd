//! The form of stored items: any version reads any other's, and writes none back with less than it read.
//!
//! Each item has the version of its form in `v`; one without it is of the time before there were versions. A later
//! form only adds: fields that may be missing, and values to a list of names ([`Growing`]). So an older version, which
//! is deployed when the newer one is taken back, understands enough of an item to report what it is about.

use serde::de::value::{Error as Unknown, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::error::RuntimeError;
use super::log::LogLine;
use super::ports::Clock;
use handsoff_core::Code;
use handsoff_core::Kind;
use handsoff_core::Severity;
use handsoff_core::alert::{Cause, Milestone};
use handsoff_core::code::IncidentKind;

/// The version of the form that is written.
pub const FORMAT: u64 = 1;

/// A field that holds names to which later versions add.
#[derive(Clone, Copy, Debug)]
pub struct Growing {
    /// The field.
    pub field: &'static str,
    /// Whether this version knows a name.
    pub knows: fn(&str) -> bool,
    /// What is taken for one that it doesn't know, in an object with these fields. In a list, it is left out.
    pub stand_in: fn(&Map<String, Value>) -> &'static str,
}

/// Whether a name is one of a type's.
pub fn known<T: for<'de> Deserialize<'de>>(name: &str) -> bool {
    let name: StrDeserializer<'_, Unknown> = name.into_deserializer();
    T::deserialize(name).is_ok()
}

/// The names of findings and alerts.
const GROWING: [Growing; 6] = [
    Growing { field: "code", knows: known::<Code>, stand_in: code },
    // What can't be compared is taken for grave.
    Growing { field: "severity", knows: known::<Severity>, stand_in: |_| "high" },
    Growing { field: "kind", knows: known::<Kind>, stand_in: |_| "unknown" },
    Growing { field: "cause", knows: known::<Cause>, stand_in: |_| "worse" },
    Growing { field: "tells", knows: known::<Milestone>, stand_in: |_| "closed" },
    Growing { field: "told", knows: known::<Milestone>, stand_in: |_| "closed" },
];

/// The plainest code of such an incident's findings; an observation without an incident is a session's.
fn code(finding: &Map<String, Value>) -> &'static str {
    let incident = finding.get("incident").and_then(Value::as_str);
    let kind = incident.and_then(IncidentKind::of).unwrap_or(IncidentKind::Glass);
    let is = |code: &&Code| code.row().incidents == kind && code.row().is_fallback;
    Code::all().iter().find(is).map_or("", |code| code.as_str())
}

#[derive(Serialize)]
struct Written<'i, T> {
    v: u64,
    #[serde(flatten)]
    item: &'i T,
}

/// An item's text.
///
/// # Errors
/// When it is no object of JSON.
pub fn text(item: &impl Serialize) -> Result<String, RuntimeError> {
    serde_json::to_string(&Written { v: FORMAT, item }).map_err(unwritten)
}

fn unwritten(error: serde_json::Error) -> RuntimeError {
    RuntimeError::stored("writing an item as JSON", error)
}

/// The version of an item's form.
pub fn version(item: &Value) -> u64 {
    item.get("v").and_then(Value::as_u64).unwrap_or_default()
}

/// Reads an item as far as it is understood. Logs what isn't; `None` if that is all of it.
pub fn read<T: DeserializeOwned>(
    clock: &impl Clock,
    what: &'static str,
    text: &str,
    more: &[Growing],
) -> Option<T> {
    let why = match serde_json::from_str(text) {
        Ok(item) => return Some(item),
        Err(why) => why,
    };
    clock.log(LogLine::new(what, why));
    let item = understood(serde_json::from_str(text).ok()?, more);
    serde_json::from_value(item).ok()
}

/// An item with names that this version knows.
pub(super) fn understood(mut item: Value, more: &[Growing]) -> Value {
    understand(&mut item, more);
    item
}

fn understand(item: &mut Value, more: &[Growing]) {
    match item {
        Value::Array(all) => all.iter_mut().for_each(|one| understand(one, more)),
        Value::Object(fields) => {
            for growing in GROWING.iter().chain(more) {
                let stand_in = (growing.stand_in)(fields);
                if let Some(value) = fields.get_mut(growing.field) {
                    replace(value, growing.knows, stand_in);
                }
            }
            fields.values_mut().for_each(|one| understand(one, more));
        }
        _ => {}
    }
}

fn replace(value: &mut Value, knows: fn(&str) -> bool, stand_in: &str) {
    match value {
        Value::String(name) if !knows(name) => stand_in.clone_into(name),
        Value::Array(all) => {
            all.retain(|one| one.as_str().is_none_or(knows));
            // Of pairs the first is the name.
            for first in all.iter_mut().filter_map(|one| one.as_array_mut()?.first_mut()) {
                replace(first, knows, stand_in);
            }
        }
        _ => {}
    }
}

/// A document as it was read, to be changed and written again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Was(Option<Value>);

impl Was {
    /// What was read; nothing if it is no JSON.
    pub fn of(text: &str) -> Self {
        Self(serde_json::from_str(text).ok())
    }

    /// The text of a changed document: what `again` doesn't read of it stays as it was.
    ///
    /// # Errors
    /// When it is no JSON.
    pub fn text<T: Serialize>(
        &self,
        item: &T,
        again: impl FnOnce(&Value) -> T,
    ) -> Result<String, RuntimeError> {
        let after = serde_json::to_value(item).map_err(unwritten)?;
        let mut whole = match &self.0 {
            Some(raw) => changed(raw, &serde_json::to_value(again(raw)).map_err(unwritten)?, &after),
            None => after,
        };
        match &mut whole {
            Value::Array(all) => all.iter_mut().for_each(stamp),
            one => stamp(one),
        }
        serde_json::to_string(&whole).map_err(unwritten)
    }
}

fn stamp(item: &mut Value) {
    let version = version(item).max(FORMAT);
    if let Value::Object(fields) = item {
        fields.insert("v".into(), version.into());
    }
}

/// What was stored, with what has changed from what was read of it to what is to be written.
fn changed(raw: &Value, before: &Value, after: &Value) -> Value {
    match (raw, before, after) {
        _ if before == after => raw.clone(),
        (Value::Object(raw), Value::Object(before), Value::Object(after)) => {
            let unread =
                raw.iter().filter(|(key, _)| !before.contains_key(*key) && !after.contains_key(*key));
            let written = after.iter().map(|(key, after)| {
                let value = match (raw.get(key), before.get(key)) {
                    (Some(raw), Some(before)) => changed(raw, before, after),
                    _ => after.clone(),
                };
                (key.clone(), value)
            });
            written.chain(unread.map(|(key, value)| (key.clone(), value.clone()))).collect()
        }
        (Value::Array(raw), Value::Array(before), Value::Array(after)) if raw.len() == before.len() => {
            let place = |at: usize, one: &Value| {
                let same = before.iter().position(|before| before == one);
                let (raw, before) = match same {
                    Some(same) => (raw.get(same)?, before.get(same)?),
                    None if before.len() == after.len() => (raw.get(at)?, before.get(at)?),
                    None => return None,
                };
                Some(changed(raw, before, one))
            };
            after.iter().enumerate().map(|(at, one)| place(at, one).unwrap_or_else(|| one.clone())).collect()
        }
        // Names that weren't known were left out.
        (Value::Array(raw), Value::Array(before), Value::Array(after)) => {
            let unread = raw.iter().filter(|one| !before.contains(one) && !after.contains(one));
            after.iter().chain(unread).cloned().collect()
        }
        _ => after.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_that_are_not_known_are_taken_for_grave_ones() {
        // Codes are read by name.
        handsoff_functions::detectors();
        let finding = |incident: &str| {
            let mut item =
                json!({"code": "hued", "severity": "hued", "incident": incident, "seen": ["x", "live"]});
            item["people"] = json!([["hued", "alice"], ["user", "bob"]]);
            let people = Growing { field: "people", knows: |name| name == "user", stand_in: |_| "nobody" };
            let seen = Growing { field: "seen", knows: |name| name == "live", stand_in: |_| "x" };
            understood(item, &[people, seen])
        };
        for (incident, code) in
            [("drift-1", "drift-write"), ("deny-1", "deny-spike"), ("glass-1", "glass-activity")]
        {
            let people = json!([["nobody", "alice"], ["user", "bob"]]);
            let all = json!({"code": code, "severity": "high", "incident": incident, "seen": ["live"], "people": people});
            assert_eq!(finding(incident), all);
        }
    }
}
