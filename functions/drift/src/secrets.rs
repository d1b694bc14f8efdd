//! Secrets that a person reads: with them they can act elsewhere, and as others, and no record there names them.
//!
//! What a workload reads is its own. CloudTrail never has the secret itself in a record.

use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::{Action, Record};
use handsoff_core::{Call, Finding, Kind, Outcome, Severity};

use crate::codes;

/// What a call hands out, and what has to be asked for it.
struct Secret {
    service: &'static str,
    name: &'static str,
    /// The parameter, and its value in JSON, without which the call hands out no secret.
    asks: Option<(&'static str, &'static str)>,
    what: &'static str,
}

const fn secret(service: &'static str, name: &'static str, what: &'static str) -> Secret {
    Secret { service, name, asks: None, what }
}

const fn decrypted(name: &'static str) -> Secret {
    Secret { service: "ssm", name, asks: Some(("withDecryption", "true")), what: "a parameter, decrypted" }
}

/// Each is an operation of the service's API reference that returns a secret in plain text.
const SECRETS: [Secret; 22] = [
    secret("secretsmanager", "GetSecretValue", "a secret of Secrets Manager"),
    secret("secretsmanager", "BatchGetSecretValue", "secrets of Secrets Manager"),
    decrypted("GetParameter"),
    decrypted("GetParameters"),
    decrypted("GetParametersByPath"),
    decrypted("GetParameterHistory"),
    Secret {
        service: "ec2",
        name: "DescribeInstanceAttribute",
        asks: Some(("attribute", "\"userData\"")),
        what: "an instance's user data",
    },
    secret("ec2", "GetLaunchTemplateData", "an instance's user data"),
    secret("acm", "ExportCertificate", "a certificate with its private key"),
    secret("redshift", "GetClusterCredentials", "a password of a database"),
    secret("redshift", "GetClusterCredentialsWithIAM", "a password of a database"),
    secret("redshift-serverless", "GetCredentials", "a password of a database"),
    secret("lightsail", "GetRelationalDatabaseMasterUserPassword", "a password of a database"),
    Secret {
        service: "apigateway",
        name: "GetApiKey",
        asks: Some(("includeValue", "true")),
        what: "a key of an API",
    },
    Secret {
        service: "apigateway",
        name: "GetApiKeys",
        asks: Some(("includeValues", "true")),
        what: "keys of APIs",
    },
    secret("bedrock-agentcore", "GetResourceApiKey", "a key that an agent has for another service"),
    secret("bedrock-agentcore", "GetResourceOauth2Token", "a token that an agent has for another service"),
    secret("datazone", "GetEnvironmentCredentials", "credentials of an environment's role"),
    secret("ec2", "GetVpnConnectionDeviceSampleConfiguration", "the pre-shared keys of a VPN"),
    secret("payment-cryptography", "ExportKey", "a key of Payment Cryptography"),
    secret("pca-connector-scep", "GetChallengePassword", "a password for certificates"),
    secret("storagegateway", "DescribeChapCredentials", "a password of a volume"),
];

/// The finding on a person's read of a secret.
pub(crate) fn finding(call: &Call<'_>) -> Option<Finding> {
    if call.principal.kind != Kind::Human || call.outcome != Outcome::Succeeded {
        return None;
    }
    let what = read(&call.action, &call.record)?;
    let reason = format!("A person read {what} of production.");
    Some(Finding::new(call, codes::SECRET_READ, Severity::Medium, reason))
}

/// Whether an action may return a secret.
pub(crate) fn is_watched(action: &Action<'_>) -> bool {
    SECRETS.iter().any(|secret| secret.service == action.service && secret.name == action.name)
}

/// Whether a call returns a secret: what.
pub(crate) fn read(action: &Action<'_>, record: &Record<'_>) -> Option<&'static str> {
    let own = |secret: &&Secret| secret.service == action.service && secret.name == action.name;
    let secret = SECRETS.iter().find(own)?;
    let asked = |(key, value): (&str, &str)| {
        // What CloudTrail left out because of its length may have been asked for.
        let asked = record.request_parameters;
        let is = |asked: Raw<'_>| asked.as_str() == value || asked.text().is_some_and(|text| text == value);
        asked.get("omitted").is_some() || asked.get(key).is_some_and(is)
    };
    secret.asks.is_none_or(asked).then_some(secret.what)
}
