//! Exports that are CloudTrail's records in another dress: fields that are JSON in a text, names in lower case. They
//! are written anew as CloudTrail writes them. Plain records are not touched.

use handsoff_cloudtrail::Record;
use handsoff_cloudtrail::json::Raw;
use serde_json::{Map, Value};

/// Fields that are objects or lists in a record.
const NESTED: [&str; 6] = [
    "additionalEventData",
    "requestParameters",
    "resources",
    "responseElements",
    "serviceEventDetails",
    "userIdentity",
];

/// The names of a record's fields and of its identity's: Athena and Hive write all names in lower case.
const NAMES: [&str; 46] = [
    "accessKeyId",
    "accountId",
    "additionalEventData",
    "apiVersion",
    "awsRegion",
    "creationDate",
    "credentialId",
    "ec2RoleDelivery",
    "errorCode",
    "errorMessage",
    "eventCategory",
    "eventID",
    "eventName",
    "eventSource",
    "eventTime",
    "eventType",
    "eventVersion",
    "federatedProvider",
    "identityProvider",
    "inScopeOf",
    "invokedBy",
    "issuerType",
    "managementEvent",
    "mfaAuthenticated",
    "onBehalfOf",
    "principalId",
    "readOnly",
    "recipientAccountId",
    "requestID",
    "requestParameters",
    "responseElements",
    "serviceEventDetails",
    "sessionContext",
    "sessionCredentialFromConsole",
    "sessionIssuer",
    "sharedEventID",
    "sourceIPAddress",
    "sourceIdentity",
    "tlsDetails",
    "userAgent",
    "userId",
    "userIdentity",
    "userName",
    "vpcEndpointAccountId",
    "vpcEndpointId",
    "webIdFederationData",
];

/// A record whose fields are JSON in a text, with these fields as JSON; `None` for all others.
pub(super) fn unfolded(record: &Record<'_>) -> Option<String> {
    let nested = [
        record.user_identity,
        record.request_parameters,
        record.response_elements,
        record.additional_event_data,
        record.resources,
    ];
    if let Some(record) = inside(record) {
        return Some(record);
    }
    let empty = [record.error_code, record.error_message].iter().any(|field| is_nothing(field.as_str()));
    if !empty && !nested.iter().any(|field| is_folded(field.as_str())) {
        return None;
    }
    let mut object: Map<String, Value> = serde_json::from_str(record.text).ok()?;
    unfold(&mut object);
    serde_json::to_string(&object).ok()
}

/// The fields of a record that are JSON in a text, and can't be read: broken, or nested too deep.
pub(super) fn broken_fields(record: &Record<'_>) -> Vec<&'static str> {
    let fields = [
        ("requestParameters", record.request_parameters),
        ("responseElements", record.response_elements),
        ("additionalEventData", record.additional_event_data),
        ("resources", record.resources),
    ];
    let is_broken = |field: &Raw<'_>| {
        // In the record it stands one level deeper.
        let is_json = |text: &str| serde_json::from_str::<Value>(&format!("[{text}]")).is_ok();
        is_folded(field.as_str()) && field.text().is_some_and(|text| !is_json(&text))
    };
    fields.into_iter().filter(|(_, field)| is_broken(field)).map(|(name, _)| name).collect()
}

/// What a table without nulls writes where there is none: no error has such a code.
fn is_nothing(text: &str) -> bool {
    matches!(text, r#""-""# | r#""null""# | r#""None""#)
}

/// A record whose names are in lower case, as CloudTrail writes it; `None` for all others.
pub(super) fn respelled(object: Raw<'_>) -> Option<String> {
    object.get("eventname").zip(object.get("eventsource"))?;
    let object: Map<String, Value> = serde_json::from_str(object.as_str()).ok()?;
    let mut object = respell(object);
    unfold(&mut object);
    serde_json::to_string(&object).ok()
}

fn is_folded(text: &str) -> bool {
    text.strip_prefix('"').is_some_and(|text| text.trim_start().starts_with(['{', '[']))
}

fn unfold(object: &mut Map<String, Value>) {
    for name in ["errorCode", "errorMessage"] {
        if object.get(name).is_some_and(|value| is_nothing(&value.to_string())) {
            object.remove(name);
        }
    }
    for name in NESTED {
        let Some(Value::String(text)) = object.get(name) else { continue };
        if let Ok(value @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text) {
            object.insert(name.to_owned(), value);
        }
    }
}

/// The record's own fields and its identity's: what a caller asked for stays as it is.
fn respell(object: Map<String, Value>) -> Map<String, Value> {
    let mut respelled = Map::new();
    for (name, value) in object {
        let name = NAMES
            .iter()
            .find(|known| known.eq_ignore_ascii_case(&name))
            .map_or(name, |&known| known.to_owned());
        let value = match value {
            Value::Object(inner) if !is_callers(&name) => Value::Object(respell(inner)),
            Value::Array(resources) if name == "resources" => resources.into_iter().map(with_arn).collect(),
            value => value,
        };
        respelled.insert(name, value);
    }
    respelled
}

fn is_callers(name: &str) -> bool {
    matches!(name, "requestParameters" | "responseElements" | "additionalEventData" | "serviceEventDetails")
}

fn with_arn(mut resource: Value) -> Value {
    if let Some(object) = resource.as_object_mut()
        && let Some(arn) = object.remove("arn")
    {
        object.insert("ARN".to_owned(), arn);
    }
    resource
}

/// Whether an object is one of those that lie beside CloudTrail's records and hold none: a digest ("CloudTrail digest
/// file structure"), AWS Config's history and snapshots, or what CloudWatch Logs sends to see whether a subscription
/// works. By its whole shape, since its name says nothing; one that has anything like a record in it is looked at.
pub(super) fn is_known(object: Raw<'_>) -> bool {
    let has = |names: &[&str]| names.iter().all(|name| object.get(name).is_some());
    let list = |name: &str| object.get(name).is_some_and(Raw::is_array);
    let digest =
        has(&["awsAccountId", "digestStartTime", "digestEndTime", "digestS3Bucket"]) && list("logFiles");
    let config = has(&["fileVersion"]) && list("configurationItems");
    let control = object.get("messageType").is_some_and(|kind| kind.as_str() == r#""CONTROL_MESSAGE""#);
    let text = object.as_str().as_bytes();
    let has_record = || memchr::memmem::find_iter(text, b"eventVersion").next().is_some();
    (digest || config || control) && !has_record()
}

/// The record itself, where a row of a table only repeats some of its fields: it stands as a text in a field that is none
/// of CloudTrail's own, and is of the same call.
fn inside(row: &Record<'_>) -> Option<String> {
    // A record of CloudTrail's own has a version: what callers chose in it, such as tags, must not take its place.
    if !row.user_identity.is_absent() || !row.event_version.is_absent() {
        return None;
    }
    let (object, _) = Raw::at(row.text, 0).ok()?;
    let others = object
        .members()
        .flatten()
        .filter(|(name, _)| !NAMES.contains(&&**name) && !NESTED.contains(&&**name));
    let mut found = None;
    for (_, value) in others {
        let wrapper = format!("{{\"value\":{}}}", value.as_str());
        let Ok((wrapper, _)) = Raw::at(&wrapper, 0) else { continue };
        Record::unwrap(wrapper, &mut |record| {
            let same = record.event_name.text() == row.event_name.text();
            if found.is_none() && same && record.user_identity.is_object() {
                found = Some(record.text.to_owned());
            }
        });
    }
    found
}

/// How long the time is that an export of CloudWatch Logs writes before each event, with the blank behind it; `aws logs
/// tail` writes the stream's name too. `Err`: the text ends before that is known.
pub(super) fn time_before(text: &str) -> Result<Option<usize>, ()> {
    /// The longest time, and the longest name of a stream: AWS allows 512 characters.
    const LONGEST: usize = 40;
    const LONGEST_NAME: usize = 513;
    let is_time = |byte: &u8| byte.is_ascii_digit() || b"-:.TZ+".contains(byte);
    let length = text.bytes().take(LONGEST).take_while(is_time).count();
    let is_value = |text: &str| text.starts_with(['{', '"']);
    let behind = text.get(length..).unwrap_or_default();
    if behind.is_empty() && length < LONGEST {
        return Err(());
    }
    let time =
        text.get(..19).is_some_and(|time| handsoff_cloudtrail::Time::parse(&format!("{time}Z")).is_some());
    let next = behind.trim_start_matches([' ', '\t']);
    if !time || next.len() == behind.len() {
        return Ok(None);
    }
    if next.is_empty() {
        return Err(());
    }
    if is_value(next) {
        return Ok(Some(text.len() - next.len()));
    }
    let name = next.bytes().take(LONGEST_NAME).take_while(|byte| !byte.is_ascii_whitespace()).count();
    let behind = next.get(name..).unwrap_or_default();
    let next = behind.trim_start_matches([' ', '\t']);
    if next.is_empty() && name < LONGEST_NAME {
        return Err(());
    }
    Ok((next.len() < behind.len() && is_value(next)).then(|| text.len() - next.len()))
}
