//! What a call touched: ARNs from `resources`, else identifiers from `requestParameters`, else what AWS says
//! that it was denied.
//!
//! `requestParameters` may hold secrets, so only members whose key names an identifier are taken, and
//! nothing that stands deeper than lists of such.

use crate::json::Raw;
use crate::record::Record;

const LONGEST: usize = 256;

/// The resources of a call, without repeats, in the order they stand; at most `most`.
pub fn of(record: &Record<'_>, most: usize) -> Vec<String> {
    let mut found = Vec::new();
    for resource in record.resources.elements().flatten() {
        for key in ["ARN", "arn", "resourceName"] {
            add(&mut found, resource.get(key).unwrap_or_default(), most);
        }
    }
    if found.is_empty() {
        identifiers(record.request_parameters, 4, &mut found, most);
    }
    if found.is_empty() && !record.error_code.is_absent() {
        found.extend(record.denied_resource().map(|resource| resource.chars().take(LONGEST).collect()));
    }
    found
}

fn identifiers(raw: Raw<'_>, depth: u8, found: &mut Vec<String>, most: usize) {
    if depth == 0 || found.len() >= most {
        return;
    }
    for (key, value) in raw.members().flatten() {
        if value.is_object() {
            identifiers(value, depth - 1, found, most);
        } else if value.is_array() {
            for element in value.elements().flatten() {
                if element.is_object() {
                    identifiers(element, depth - 1, found, most);
                } else if is_identifier(&key) {
                    add(found, element, most);
                }
            }
        } else if is_identifier(&key) {
            add(found, value, most);
        }
    }
}

fn add(found: &mut Vec<String>, value: Raw<'_>, most: usize) {
    let Some(text) = value.text().filter(|_| found.len() < most) else { return };
    let text: String = text.chars().take(LONGEST).collect();
    if !found.contains(&text) {
        found.push(text);
    }
}

/// Whether a key of `requestParameters` names an identifier of a resource.
fn is_identifier(key: &str) -> bool {
    const ENDS: &[&str] = &[
        "Arn",
        "ARN",
        "Id",
        "Ids",
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
        "arn",
        "id",
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
        assert_eq!(resources(&json).len(), 0, "a list is not an object of parameters");
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
