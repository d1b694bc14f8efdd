//! What a call touched: ARNs from `resources`, else identifiers from `requestParameters`, else what AWS says
//! that it was denied.
//!
//! `requestParameters` may hold secrets, so only members whose key names an identifier are taken, and
//! nothing that stands deeper than lists of such.

use std::borrow::Cow;

use crate::json::Raw;
use crate::record::Record;

const LONGEST: usize = 256;

/// The resources of a call to show: without repeats, shortened, in the order they stand; at most `most`.
pub fn of(record: &Record<'_>, most: usize) -> Vec<String> {
    let mut found = Vec::new();
    for resource in all(record) {
        if found.len() == most {
            break;
        }
        let resource: String = resource.chars().take(LONGEST).collect();
        if !found.contains(&resource) {
            found.push(resource);
        }
    }
    found
}

/// All resources of a call, whole: what is tolerated or protected must not depend on the rest of the list.
pub fn all(record: &Record<'_>) -> Vec<String> {
    let mut found = Vec::new();
    for resource in record.resources.elements().flatten() {
        for key in ["ARN", "arn", "resourceName"] {
            found.extend(resource.get(key).and_then(Raw::text).map(Cow::into_owned));
        }
    }
    if found.is_empty() {
        found = requested(record);
    }
    if found.is_empty() && !record.error_code.is_absent() {
        found.extend(record.denied_resource());
    }
    found
}

/// The identifiers that a call asked for in `requestParameters`, whatever `resources` says.
pub fn requested(record: &Record<'_>) -> Vec<String> {
    let mut found = Vec::new();
    identifiers(record.request_parameters, &mut found);
    found
}

/// The identifiers in a call's answer, `responseElements`: of what it made. Without repeats, shortened; at most `most`.
///
/// The answer may hold live credentials. As of the request, only members whose key names an identifier are taken.
pub fn answered(record: &Record<'_>, most: usize) -> Vec<String> {
    let mut found = Vec::new();
    identifiers(record.response_elements, &mut found);
    let mut distinct: Vec<String> = Vec::new();
    for text in found {
        let text: String = text.chars().take(LONGEST).collect();
        if distinct.len() < most && !distinct.contains(&text) {
            distinct.push(text);
        }
    }
    distinct
}

/// Walks nested objects and lists without recursion: a caller may nest them as deep as a record is long.
fn identifiers(parameters: Raw<'_>, found: &mut Vec<String>) {
    let mut rest = vec![(false, parameters)];
    while let Some((named, value)) = rest.pop() {
        let start = rest.len();
        if value.is_object() {
            for (key, member) in value.members().flatten() {
                // EC2 writes `"FlowLogId":{"tag":1,"content":"fl-1"}`.
                rest.push((is_identifier(&key) || (named && key == "content"), member));
            }
        } else if value.is_array() {
            rest.extend(value.elements().flatten().map(|element| (named, element)));
        } else if named {
            found.extend(value.text().map(Cow::into_owned));
        }
        // The last is popped first: turned around, they come in the order they stand.
        if let Some(added) = rest.get_mut(start..) {
            added.reverse();
        }
    }
}

/// Whether a key of `requestParameters` names an identifier of a resource.
fn is_identifier(key: &str) -> bool {
    const ENDS: &[&str] = &[
        "Arn",
        "ARN",
        "Id",
        "Ids",
        "IdList",
        "Name",
        "Names",
        "Identifier",
        "QueueUrl",
        "queueUrl",
        "Arns",
        "identifier",
    ];
    const EXACT: &[&str] = &[
        "name",
        "names",
        "arn",
        "arns",
        "id",
        "ids",
        "rule",
        "resource",
        "target",
        "cluster",
        "service",
        "task",
        "tasks",
        "taskDefinition",
        "family",
    ];
    // These name no resource, or describe the caller, or may be somebody's mail address or a secret.
    const NOT: &[&str] = &[
        "regionId",
        "requestId",
        "clientRequestId",
        "accessKeyId",
        "displayName",
        "masterUsername",
        "roleSessionName",
        "externalId",
        "platformName",
        "agentName",
        "computerName",
        "parameterName",
    ];
    (EXACT.contains(&key) || ENDS.iter().any(|end| key.ends_with(end)))
        && !NOT.iter().any(|not| not.eq_ignore_ascii_case(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Entry;

    fn resources(json: &str) -> Vec<String> {
        let (Entry::Record(record), _) = Record::read(json).unwrap() else { panic!("a record") };
        of(&record, 8)
    }

    #[test]
    fn arns_of_the_record_come_first() {
        let json = r#"{"eventName":"X","resources":[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::b/k"},
            {"accountId":"1","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::b"}],"requestParameters":{"bucketName":"b"}}"#;
        assert_eq!(resources(json), ["arn:aws:s3:::b/k", "arn:aws:s3:::b"]);
    }

    #[test]
    fn identifiers_of_the_request_are_taken_and_nothing_else() {
        let json = r#"{"eventName":"X","requestParameters":{"instancesSet":{"items":[{"instanceId":"i-1"},{"instanceId":"i-2"}]},
            "masterUserPassword":"hunter2","password":"hunter2","policyDocument":"{}","secretString":"hunter2",
            "groupName":"g","environment":{"variables":{"KEY":"hunter2"}},"tagSet":[{"key":"k","value":"hunter2"}]}}"#;
        assert_eq!(resources(json), ["i-1", "i-2", "g"]);
    }

    #[test]
    fn odd_types_and_floods_are_bounded() {
        let many = (0..1000).map(|n| format!(r#"{{"instanceId":"i-{n}"}},"#)).collect::<Vec<_>>().concat();
        let json = format!(
            r#"{{"eventName":"X","resources":"none","requestParameters":[{many}{{"vpcId":7,"name":"{}"}}]}}"#,
            "x".repeat(10_000)
        );
        assert_eq!(resources(&json).len(), 8, "a list is walked too");
        let json = json
            .replace(r#""requestParameters":["#, r#""requestParameters":{"items":["#)
            .replace("}]}", "}]}}");
        assert_eq!(resources(&json).len(), 8);
        assert_eq!(
            resources(r#"{"eventName":"X","requestParameters":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#).len(),
            0
        );
    }
}
