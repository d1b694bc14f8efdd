//! What of a request shows that it takes nothing away from logging and detection: switching on is no attack.
//!
//! Where the request isn't there, or isn't understood, it shows nothing, and the call counts.

use handsoff_cloudtrail::json::Raw;

/// Whether a request takes nothing away, by the rule that the table names for its operation.
pub(super) fn takes_nothing(rule: &str, asked: Raw<'_>) -> bool {
    match rule {
        "flags" => only_sets_flags(asked),
        "switches" => only_switches_on(asked),
        "selectors" => keeps_management_events(asked),
        "lists" => fills_lists(asked),
        "alarm" => {
            member(asked, "stateValue").and_then(Raw::text).is_some_and(|state| is(&state, &["ALARM"]))
        }
        "logging" => {
            member(asked, "logging").is_none_or(|logging| switches(logging).off == 0) && asked.is_object()
        }
        "logs" => logs(asked) != Logs::End,
        _ => false,
    }
}

/// A member by its name, without case: services differ.
fn member<'a>(object: Raw<'a>, name: &str) -> Option<Raw<'a>> {
    object.members().flatten().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn is(text: &str, any: &[&str]) -> bool {
    any.iter().any(|one| one.eq_ignore_ascii_case(text))
}

/// Nothing but the name of the thing, and flags that become true.
fn only_sets_flags(asked: Raw<'_>) -> bool {
    let mut flags = 0;
    for (key, value) in asked.members().flatten() {
        if is(&key, &["name", "eventDataStore", "uUID"]) {
            continue;
        }
        if value.flag() != Some(true) {
            return false;
        }
        flags += 1;
    }
    flags > 0
}

/// How many values of a request switch something on, and off.
#[derive(Default)]
struct Switches {
    on: usize,
    off: usize,
}

/// Walks nested objects and lists without recursion: a caller may nest them as deep as a record is long.
fn switches(asked: Raw<'_>) -> Switches {
    const ON: &[&str] = &["true", "ENABLED", "ENABLE", "ALL", "NEW", "ACTIVE"];
    const OFF: &[&str] = &["false", "DISABLED", "DISABLE", "NONE", "PAUSED", "INACTIVE"];
    let mut found = Switches::default();
    let mut rest = vec![asked];
    while let Some(value) = rest.pop() {
        if value.is_object() {
            rest.extend(value.members().flatten().map(|(_, member)| member));
        } else if value.is_array() {
            rest.extend(value.elements().flatten());
        } else if let Some(text) = value.text() {
            found.on += usize::from(is(&text, ON));
            found.off += usize::from(is(&text, OFF));
        }
    }
    found
}

/// What a request says of logs. The worse of two is the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Logs {
    /// Nothing, or that they go on.
    GoOn,
    /// That one is off, among other settings. Who writes a whole configuration says so of logs that there never were.
    AreOff,
    /// That one ends.
    End,
}

/// What a request says of logs, wherever in it.
pub(super) fn logs(asked: Raw<'_>) -> Logs {
    let mut said = Logs::GoOn;
    let mut rest = vec![asked];
    while let Some(value) = rest.pop() {
        if value.is_array() {
            rest.extend(value.elements().flatten());
            said = said.max(by_attributes(value));
        } else if value.is_object() {
            rest.extend(value.members().flatten().map(|(_, below)| below));
            said = said.max(by_members(value));
        }
    }
    said
}

/// The members of requests below which logs are switched.
const LOGS: &[&str] = &["accessLog", "accessLogs", "connectionLogOptions", "loggingInfo", "logs"];

fn by_members(object: Raw<'_>) -> Logs {
    let text = |name| member(object, name).and_then(Raw::text);
    let removed = text("op").is_some_and(|op| is(&op, &["remove"]))
        && text("path").is_some_and(|path| path.contains("accessLogSettings"));
    let mut ends = removed;
    let (mut off, mut others) = (false, false);
    for (key, below) in object.members().flatten().filter(|(_, below)| !below.is_absent()) {
        ends |= is(&key, &["disableLogTypes"]) && below.elements().flatten().next().is_some()
            || is(&key, &["disableAllLogs"]) && below.flag() == Some(true);
        if is(&key, LOGS) {
            off |= only_switches_off(below);
        } else {
            others |= !only_says_of_what(&key);
        }
    }
    match (ends, off) {
        (true, _) => Logs::End,
        (false, true) => off_among(others),
        (false, false) => Logs::GoOn,
    }
}

/// Whether a member sets nothing: it says what the call is done to, or guards the call itself.
fn only_says_of_what(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["id", "arn", "name"].iter().any(|end| key.ends_with(end))
        || is(&key, &["currentVersion", "clientToken", "dryRun", "xmlns"])
}

/// A log that is off ends only where the request has no other settings.
fn off_among(others: bool) -> Logs {
    if others { Logs::AreOff } else { Logs::End }
}

fn only_switches_off(asked: Raw<'_>) -> bool {
    let Switches { on, off } = switches(asked);
    off > 0 && on == 0
}

/// Attributes by name and value: `access_logs.s3.enabled` becomes `false`.
fn by_attributes(list: Raw<'_>) -> Logs {
    let (mut off, mut others) = (false, false);
    for attribute in list.elements().flatten() {
        let text = |name| member(attribute, name).and_then(Raw::text);
        match text("key").filter(|key| key.contains("_logs.")) {
            Some(key) => {
                off |= key.ends_with(".enabled") && text("value").is_some_and(|value| is(&value, &["false"]));
            }
            None => others = true,
        }
    }
    if off { off_among(others) } else { Logs::GoOn }
}

fn only_switches_on(asked: Raw<'_>) -> bool {
    let Switches { on, off } = switches(asked);
    on > 0 && off == 0
}

/// There is a list, and none is empty.
fn fills_lists(asked: Raw<'_>) -> bool {
    let mut lists = 0;
    let mut rest = vec![asked];
    while let Some(value) = rest.pop() {
        if value.is_object() {
            rest.extend(value.members().flatten().map(|(_, member)| member));
        } else if value.is_array() {
            let elements: Vec<_> = value.elements().flatten().collect();
            if elements.is_empty() {
                return false;
            }
            lists += 1;
            rest.extend(elements);
        }
    }
    lists > 0
}

/// The selectors keep all management events and name further ones. Without further ones, those that the trail had
/// before may be gone.
fn keeps_management_events(asked: Raw<'_>) -> bool {
    let list = |name: &str| -> Vec<Raw<'_>> {
        member(asked, name).into_iter().flat_map(|list| list.elements().flatten()).collect()
    };
    let (basic, advanced) = (list("eventSelectors"), list("advancedEventSelectors"));
    match (basic.is_empty(), advanced.is_empty()) {
        (false, true) => basic.iter().any(|it| basic_keeps(*it)) && basic.iter().any(|it| names_data(*it)),
        (true, false) => {
            advanced.iter().any(|it| advanced_keeps(*it)) && advanced.iter().any(|it| !is_of_management(*it))
        }
        _ => false,
    }
}

fn basic_keeps(selector: Raw<'_>) -> bool {
    let excluded = member(selector, "excludeManagementEventSources");
    member(selector, "includeManagementEvents").and_then(Raw::flag) != Some(false)
        && member(selector, "readWriteType").and_then(Raw::text).is_none_or(|kind| is(&kind, &["All"]))
        && excluded.is_none_or(|list| list.elements().next().is_none())
}

fn names_data(selector: Raw<'_>) -> bool {
    member(selector, "dataResources").is_some_and(|list| list.elements().flatten().next().is_some())
}

/// The values of a selector's `eventCategory`, and how many fields it selects by.
fn category(selector: Raw<'_>) -> (Vec<String>, usize) {
    let fields: Vec<_> = member(selector, "fieldSelectors")
        .into_iter()
        .flat_map(|fields| fields.elements().flatten())
        .collect();
    let by_category = fields.iter().find(|field| {
        member(**field, "field").and_then(Raw::text).is_some_and(|field| is(&field, &["eventCategory"]))
    });
    let equals = by_category.and_then(|field| member(*field, "equals"));
    let values = equals.into_iter().flat_map(|values| values.elements().flatten());
    (values.filter_map(|value| value.text().map(std::borrow::Cow::into_owned)).collect(), fields.len())
}

fn is_of_management(selector: Raw<'_>) -> bool {
    category(selector).0.iter().any(|value| is(value, &["Management"]))
}

/// Management events by no other field: a second one, as `readOnly` or `eventSource`, leaves some out.
fn advanced_keeps(selector: Raw<'_>) -> bool {
    is_of_management(selector) && category(selector).1 == 1
}
