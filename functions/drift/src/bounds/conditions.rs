//! Whom a condition of a policy means.

use serde_json::Value;

/// Keys whose value the caller can't choose, beside those of providers ("AWS global condition context keys"; "IAM and AWS STS
/// condition context keys"). `sts:ExternalId` is what the caller sends.
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
    MOUNT_TARGET,
    "kms:calleraccount",
    "s3:dataaccesspointaccount",
];

/// That a file system is reached through its mount target, which is in its VPC ("Using IAM to control file system data access",
/// Amazon EFS User Guide).
const MOUNT_TARGET: &str = "elasticfilesystem:accessedviamounttarget";

/// Operators that require a value ("IAM JSON policy elements: Condition operators"). Those with `Not` leave all others in, those with
/// `IfExists` any caller without such a key.
const OPERATORS: [&str; 8] = [
    "arnequals",
    "arnlike",
    "bool",
    "ipaddress",
    "numericequals",
    "stringequals",
    "stringequalsignorecase",
    "stringlike",
];

/// Variables that mean the resource's own account or organization. What else a variable stands for is the caller's.
const OWN: [&str; 2] = ["${aws:ResourceAccount}", "${aws:ResourceOrgID}"];

/// Providers of web identities that anybody may have an account at, and their claims that say whose job it is. Audience, branch and
/// environment are anybody's ("`OpenID` Connect reference", GitHub; "`OpenID` Connect (OIDC) authentication using ID tokens", GitLab;
/// "Workload identity tokens", HCP Terraform; "Buildkite Agent OIDC").
const SHARED: [(&str, &[&str]); 4] = [
    ("agent.buildkite.com", &["organization", "organization_id", "organization_slug", "pipeline_id"]),
    (
        "app.terraform.io",
        &[
            "organization",
            "terraform_organization_id",
            "terraform_organization_name",
            "terraform_project_id",
            "terraform_workspace_id",
        ],
    ),
    ("gitlab.com", &["namespace_id", "namespace_path", "project_id", "project_path", "user_id"]),
    (
        "token.actions.githubusercontent.com",
        &[
            "actor_id",
            "enterprise_id",
            "job_workflow_ref",
            "repo",
            "repository",
            "repository_id",
            "repository_owner",
            "repository_owner_id",
        ],
    ),
];

/// Whether a condition says who of those is meant whom a provider of identities vouches for.
pub(super) fn names_somebody(condition: &Value) -> bool {
    entries(condition).any(|(key, value)| all(value, |text| says(&key, text)))
}

/// Whether a condition says who of all the world is meant. Anybody may have a provider in an account of their own, which says of them
/// what they like, but for those that others run for all.
pub(super) fn bounds_anyone(condition: &Value) -> bool {
    let is_anybodys = |key: &str| match key.rsplit_once(':') {
        Some((host, _)) => !KEYS.contains(&key) && SHARED.iter().all(|(shared, _)| *shared != host),
        None => true,
    };
    entries(condition).any(|(key, value)| !is_anybodys(&key) && all(value, |text| says(&key, text)))
}

/// Whether a value means somebody by a key, as a condition that requires it would.
pub(super) fn means_somebody(key: &str, value: &Value) -> bool {
    value.as_str().is_some_and(|text| says(key, text))
}

/// The accounts that a condition bounds all callers by.
pub(super) fn accounts(condition: &Value) -> Vec<String> {
    let of_accounts = entries(condition).filter(|(key, _)| KEYS.contains(&&**key));
    let values = of_accounts.flat_map(|(_, value)| match value {
        Value::Array(many) => many.iter().collect(),
        one => vec![one],
    });
    values.filter_map(Value::as_str).filter_map(account_of).map(str::to_owned).collect()
}

/// What a condition requires: each key in lower case, with its values.
fn entries(condition: &Value) -> impl Iterator<Item = (String, &Value)> {
    let operators = condition.as_object().into_iter().flatten().filter(|(name, _)| requires(name));
    let keys = operators.flat_map(|(_, keys)| keys.as_object().into_iter().flatten());
    keys.map(|(key, value)| (key.to_ascii_lowercase(), value))
}

/// `ForAllValues:` is true where the key is missing ("Set operators for multivalued context keys").
fn requires(operator: &str) -> bool {
    let operator = operator.to_ascii_lowercase();
    OPERATORS.contains(&operator.strip_prefix("foranyvalue:").unwrap_or(&operator))
}

fn all(value: &Value, says: impl Fn(&str) -> bool) -> bool {
    let says = |one: &Value| match one {
        Value::Bool(flag) => says(if *flag { "true" } else { "false" }),
        one => one.as_str().is_some_and(&says),
    };
    match value {
        Value::Array(many) => !many.is_empty() && many.iter().all(says),
        one => says(one),
    }
}

/// Whether a value means somebody, and not any caller.
fn says(key: &str, text: &str) -> bool {
    let text = OWN.iter().fold(text.to_owned(), |text, own| text.replace(own, "own"));
    match key {
        "aws:principalarn" | "aws:sourcearn" => is_somebodys(&text),
        MOUNT_TARGET => text == "true",
        "aws:principalorgid" | "aws:sourceorgid" | "aws:principalorgpaths" => is_literal(first(&text)),
        // A mask that is shorter leaves whole parts of the internet in.
        "aws:sourceip" => {
            let mask = text.rsplit_once('/').and_then(|(_, mask)| mask.parse::<u8>().ok());
            mask.is_none_or(|mask| mask > 7) && is_literal(&text)
        }
        _ if KEYS.contains(&key) => is_literal(&text),
        _ => says_of_a_provider(key, &text),
    }
}

/// The same for a key of a provider: one's own, whose audiences and subjects are one's own too, or one that others share.
fn says_of_a_provider(key: &str, text: &str) -> bool {
    let Some((host, claim)) = key.rsplit_once(':') else { return false };
    if let Some((_, whose)) = SHARED.iter().find(|(shared, _)| *shared == host) {
        return match claim {
            "sub" => is_subject(whose, text),
            _ => whose.contains(&claim) && is_literal(first(text)),
        };
    }
    (host == "saml" || matches!(claim, "sub" | "aud")) && text.contains(char::is_alphanumeric)
}

/// Whether a subject says whose job it is before its first wildcard: `repo:ORG/REPO:…`, `project_path:GROUP/PROJECT:…`,
/// `organization:ORG:…`, or what its owner has it begin with: `environment:NAME:repository_owner:ORG`.
fn is_subject(whose: &[&str], subject: &str) -> bool {
    let mut before = "";
    for part in subject.split(':') {
        if whose.contains(&before) {
            return is_literal(first(part));
        }
        if !is_literal(part) {
            return false;
        }
        before = part;
    }
    false
}

/// Whether an ARN is of one account. A bucket's name is one in the world, and older policies have `*` for its account.
fn is_somebodys(arn: &str) -> bool {
    let Some(rest) = arn.strip_prefix("arn:") else { return false };
    let part = |n: usize| rest.split(':').nth(n).unwrap_or_default();
    is_literal(part(3)) || part(1) == "s3" && is_literal(first(part(4)))
}

/// What is before the first slash: an organization in its path, a bucket in its objects' names.
fn first(text: &str) -> &str {
    text.split('/').next().unwrap_or(text)
}

/// Whether a text has neither wildcards nor variables.
fn is_literal(text: &str) -> bool {
    !text.is_empty() && !text.contains(['*', '?', '$'])
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
            ("Bool", "aws:MultiFactorAuthPresent", "true", false),
            ("Bool", "elasticfilesystem:AccessedViaMountTarget", "true", true),
            ("Bool", "elasticfilesystem:AccessedViaMountTarget", "false", false),
            ("BoolIfExists", "elasticfilesystem:AccessedViaMountTarget", "true", false),
            ("StringEquals", &format!("{GITHUB}:aud"), "sts.amazonaws.com", false),
            ("StringLike", &format!("{GITHUB}:sub"), "repo:*", false),
            ("StringLike", &format!("{GITHUB}:sub"), "repo:*/app:*", false),
            ("StringLike", &format!("{GITHUB}:sub"), "repo:a/*", true),
            ("StringEquals", &format!("{GITHUB}:repository_owner"), "a", true),
            ("StringLike", "gitlab.com:sub", "project_path:*", false),
            ("StringLike", "app.terraform.io:sub", "organization:a:*", true),
            ("StringEquals", "oidc.eks.eu-west-1.amazonaws.com/id/0A:aud", "sts.amazonaws.com", true),
            ("StringEquals", "sts:ExternalId", "x", false),
            ("ForAllValues:StringEquals", "aws:PrincipalOrgID", "o-1", false),
            ("ForAllValues:StringLike", "aws:PrincipalOrgPaths", "o-1/*", false),
            ("StringNotEquals", "aws:PrincipalOrgID", "o-1", false),
            ("NumericGreaterThan", "aws:PrincipalAccount", "1", false),
            ("stringEquals", "aws:principalAccount", "111122223333", true),
            ("StringLike", "aws:PrincipalArn", "a*", false),
            ("StringLike", "aws:PrincipalArn", "*:*", false),
            ("ArnLike", "aws:PrincipalArn", "arn:*:iam::*:*", false),
            ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::11112222333?:role/x", false),
            ("StringLike", "aws:SourceArn", "arn:*", false),
            ("StringEquals", "aws:PrincipalArn", "${aws:PrincipalArn}", false),
            ("StringEquals", "aws:PrincipalAccount", "${aws:PrincipalAccount}", false),
            ("StringEquals", "aws:PrincipalAccount", "${aws:ResourceAccount}", true),
            ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::${aws:ResourceAccount}:role/*", true),
            ("StringEquals", "aws:PrincipalOrgID", "${aws:ResourceOrgID}", true),
            ("ArnLike", "aws:SourceArn", "arn:aws:s3:::?*", false),
            ("ArnLike", "aws:SourceArn", "arn:aws:s3:::b*", false),
            ("ArnLike", "aws:SourceArn", "arn:aws:s3:::b/*", true),
            ("ArnLike", "aws:SourceArn", "arn:aws:s3:eu-west-1:111122223333:accesspoint/*", true),
            ("StringLike", "aws:SourceVpce", "vpce-*", false),
            ("StringLike", "aws:SourceVpc", "vpc-???*", false),
            ("StringEquals", "aws:SourceVpce", "vpce-0a", true),
            ("StringLike", "aws:SourceIp", "1*", false),
            ("StringLike", "kms:CallerAccount", "1*", false),
            ("StringEquals", "kms:CallerAccount", "111122223333", true),
            ("ForAnyValue:StringLike", "cognito-identity.amazonaws.com:amr", "unauthenticated", false),
            ("ForAnyValue:StringLike", "cognito-identity.amazonaws.com:amr", "authenticated", false),
            ("StringEquals", "cognito-identity.amazonaws.com:aud", "eu-west-1:0a", true),
            ("StringLike", "oidc.eks.eu-west-1.amazonaws.com/id/0A:sub", "*:*", false),
            ("StringLike", "oidc.eks.eu-west-1.amazonaws.com/id/0A:sub", "system:serviceaccount:*:*", true),
            ("StringEquals", "SAML:aud", "https://signin.aws.amazon.com/saml", true),
            ("StringLike", "SAML:aud", "?*", false),
        ] {
            let condition = json!({operator: {key: value}});
            assert_eq!(names_somebody(&condition), names, "{condition}");
        }
    }

    #[test]
    fn a_shared_provider_says_whose_job_it_is_by_some_claims_alone() {
        let github = "token.actions.githubusercontent.com";
        let (gitlab, hcp) = ("gitlab.com", "app.terraform.io");
        for (provider, claim, value, names) in [
            (github, "ref", "refs/heads/main", false),
            (github, "environment", "production", false),
            (github, "actor", "a", false),
            (github, "repository", "a/b", true),
            (github, "repository", "a*/b", false),
            (github, "repository_id", "7", true),
            (github, "repository_owner_id", "7", true),
            (github, "enterprise_id", "7", true),
            (github, "job_workflow_ref", "a/b/.github/workflows/c.yml@*", true),
            (github, "job_workflow_ref", "*/deploy.yml@*", false),
            (github, "sub", "environment:production", false),
            (github, "sub", "ref:refs/heads/main", false),
            (github, "sub", "environment:production:repository_owner:a", true),
            (github, "sub", "environment:*:repository_owner:a", false),
            (github, "sub", "repository_owner_id:7:*", true),
            (github, "sub", "repo:", false),
            (gitlab, "ref", "main", false),
            (gitlab, "project_path", "a/b", true),
            (gitlab, "namespace_path", "a", true),
            (gitlab, "sub", "project_path:a/b:ref_type:branch:ref:*", true),
            (gitlab, "sub", "ref_type:branch:ref:main", false),
            (hcp, "terraform_run_phase", "apply", false),
            (hcp, "sub", "organization:*:project:p:*", false),
            ("agent.buildkite.com", "build_branch", "main", false),
            ("agent.buildkite.com", "organization_slug", "a", true),
        ] {
            let condition = json!({"StringLike": {format!("{provider}:{claim}"): value}});
            assert_eq!(names_somebody(&condition), names, "{condition}");
        }
    }

    #[test]
    fn a_provider_that_anybody_may_have_bounds_none_but_its_own_identities() {
        for (key, value, bounds) in [
            ("saml:aud", "https://signin.aws.amazon.com/saml", false),
            ("login.example.com:sub", "a", false),
            ("token.actions.githubusercontent.com:sub", "repo:a/b:*", true),
            ("aws:PrincipalOrgID", "o-1", true),
        ] {
            let condition = json!({"StringEquals": {key: value}});
            assert_eq!(
                (names_somebody(&condition), bounds_anyone(&condition)),
                (true, bounds),
                "{condition}"
            );
        }
    }

    #[test]
    fn accounts_that_bound_everybody_are_named() {
        let condition = json!({"StringEquals": {"aws:PrincipalAccount": ["1", "999988887777"]},
            "ArnLike": {"aws:SourceArn": "arn:aws:sns:*:444455556666:x"}, "StringNotEquals": {"aws:SourceAccount": "222233334444"}});
        assert_eq!(accounts(&condition), ["444455556666", "999988887777"]);
    }
}
