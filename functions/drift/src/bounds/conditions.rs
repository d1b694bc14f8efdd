//! Whom a condition of a policy means.

use serde_json::Value;

/// Keys whose value the caller can't choose ("AWS global condition context keys"; "IAM and AWS STS condition context keys").
const KEYS: [&str; 14] = [
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceip",
    "aws:sourceorgid",
    // What SNS writes into the policy that a topic has from the beginning.
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "kms:calleraccount",
    "s3:dataaccesspointaccount",
    "sts:externalid",
];

/// Providers of web identities that anybody may have an account at. Their audience is the same for all, and the subject begins with
/// whose job it is ("`OpenID` Connect reference", GitHub; "`OpenID` Connect (OIDC) authentication using ID tokens", GitLab; "Workload
/// identity tokens", HCP Terraform; "Buildkite Agent OIDC").
const SHARED: [&str; 4] =
    ["agent.buildkite.com", "app.terraform.io", "gitlab.com", "token.actions.githubusercontent.com"];

/// Whether a condition says who is meant. One with `IfExists` says nothing where the key is missing.
pub(super) fn names_somebody(condition: &Value) -> bool {
    entries(condition).any(|(key, value)| is_key(&key) && all(value, |text| says(&key, text)))
}

/// The accounts that a condition bounds all callers by.
pub(super) fn accounts(condition: &Value) -> Vec<String> {
    let of_accounts =
        entries(condition).filter(|(key, _)| KEYS.contains(&&**key) && !key.ends_with("externalid"));
    let values = of_accounts.flat_map(|(_, value)| match value {
        Value::Array(many) => many.iter().collect(),
        one => vec![one],
    });
    values.filter_map(Value::as_str).filter_map(account_of).map(str::to_owned).collect()
}

/// What a condition requires: each key in lower case, with its values.
fn entries(condition: &Value) -> impl Iterator<Item = (String, &Value)> {
    let is_operator = |name: &str| !name.contains("Not") && !name.contains("IfExists") && name != "Null";
    let operators = condition.as_object().into_iter().flatten().filter(move |(name, _)| is_operator(name));
    let keys = operators.flat_map(|(_, keys)| keys.as_object().into_iter().flatten());
    keys.map(|(key, value)| (key.to_ascii_lowercase(), value))
}

fn is_key(key: &str) -> bool {
    let of_a_provider = [":sub", ":aud", ":amr"];
    KEYS.contains(&key)
        || key.starts_with("saml:")
        || provider(key).is_some()
        || of_a_provider.iter().any(|end| key.ends_with(end))
}

/// The claim of a key of a provider that is shared.
fn provider(key: &str) -> Option<&str> {
    let (host, claim) = key.rsplit_once(':')?;
    SHARED.contains(&host).then_some(claim)
}

fn all(value: &Value, says: impl Fn(&str) -> bool) -> bool {
    match value {
        Value::Array(many) => !many.is_empty() && many.iter().all(|one| one.as_str().is_some_and(&says)),
        one => one.as_str().is_some_and(says),
    }
}

/// Whether a value means somebody, and not whoever comes.
fn says(key: &str, text: &str) -> bool {
    let wild = |part: &str| part.is_empty() || part.contains(['*', '?']);
    if let Some(claim) = provider(key) {
        return match claim {
            "aud" => false,
            // `repo:ORG/REPO:…`, `project_path:GROUP/PROJECT:…`, `organization:ORG:…`
            "sub" => {
                text.split(':').nth(1).and_then(|whose| whose.split('/').next()).is_some_and(|it| !wild(it))
            }
            _ => !wild(text.split('/').next().unwrap_or(text)),
        };
    }
    if let Some(rest) = text.strip_prefix("arn:") {
        let part = |n: usize| rest.split(':').nth(n).unwrap_or_default();
        // A bucket's name is one in the world, and older policies have `*` for its account.
        return match part(1) {
            "s3" => !part(4).trim_matches('*').is_empty(),
            _ => !wild(part(3)),
        };
    }
    match key {
        "aws:principalorgid" | "aws:sourceorgid" | "aws:principalorgpaths" => {
            !wild(text.split('/').next().unwrap_or(text))
        }
        "aws:principalaccount" | "aws:sourceaccount" | "aws:sourceowner" | "kms:calleraccount" => !wild(text),
        // A mask that is shorter leaves whole parts of the internet in.
        "aws:sourceip" => {
            let mask = text.rsplit_once('/').and_then(|(_, mask)| mask.parse::<u8>().ok());
            mask.is_none_or(|mask| mask > 7) && !text.trim_matches('*').is_empty()
        }
        _ => !text.trim_matches('*').is_empty(),
    }
}

/// The account that a principal is of: an account's ID, or an ARN of one.
pub(super) fn account_of(text: &str) -> Option<&str> {
    let id = match text.strip_prefix("arn:") {
        Some(rest) => rest.split(':').nth(3)?,
        None => text,
    };
    (id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit())).then_some(id)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_condition_means_somebody_only_if_not_all_the_world_meets_it() {
        const GITHUB: &str = "token.actions.githubusercontent.com";
        for (operator, key, value, names) in [
            ("StringEquals", "aws:PrincipalOrgID", "o-1", true),
            ("StringLike", "aws:PrincipalOrgID", "o-*", false),
            ("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-1/*", true),
            ("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-*/r-1/*", false),
            ("StringEqualsIfExists", "aws:PrincipalOrgID", "o-1", false),
            ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::111122223333:role/*", true),
            ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/*", false),
            ("ArnEquals", "aws:SourceArn", "arn:aws:s3:::b", true),
            ("ArnLike", "aws:SourceArn", "arn:aws:s3:::*", false),
            ("ArnLike", "aws:SourceArn", "arn:aws:s3:*:*:b", true),
            ("ArnLike", "aws:SourceArn", "arn:aws:sns:*:111122223333:*", true),
            ("StringEquals", "AWS:SourceOwner", "111122223333", true),
            ("IpAddress", "aws:SourceIp", "192.0.2.0/24", true),
            ("IpAddress", "aws:SourceIp", "0.0.0.0/0", false),
            ("IpAddress", "aws:SourceIp", "::/0", false),
            ("Bool", "aws:SecureTransport", "true", false),
            ("StringEquals", &format!("{GITHUB}:aud"), "sts.amazonaws.com", false),
            ("StringLike", &format!("{GITHUB}:sub"), "repo:*", false),
            ("StringLike", &format!("{GITHUB}:sub"), "repo:*/app:*", false),
            ("StringLike", &format!("{GITHUB}:sub"), "repo:a/*", true),
            ("StringEquals", &format!("{GITHUB}:repository_owner"), "a", true),
            ("StringLike", "gitlab.com:sub", "project_path:*", false),
            ("StringLike", "app.terraform.io:sub", "organization:a:*", true),
            ("StringEquals", "oidc.eks.eu-west-1.amazonaws.com/id/0A:aud", "sts.amazonaws.com", true),
            ("StringEquals", "sts:ExternalId", "x", true),
        ] {
            let condition = json!({operator: {key: value}});
            assert_eq!(names_somebody(&condition), names, "{condition}");
        }
    }

    #[test]
    fn accounts_that_bound_everybody_are_named() {
        let condition = json!({"StringEquals": {"aws:PrincipalAccount": ["1", "999988887777"]},
            "ArnLike": {"aws:SourceArn": "arn:aws:sns:*:444455556666:x"}, "StringNotEquals": {"aws:SourceAccount": "222233334444"}});
        assert_eq!(accounts(&condition), ["444455556666", "999988887777"]);
    }
}
