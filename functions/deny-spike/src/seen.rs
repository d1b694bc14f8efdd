//! What a verdict on a denied call needs of it and of its neighbours, and the groups that calls are counted in.

use std::net::IpAddr;

use handsoff_cloudtrail::{Effect, Time};
use handsoff_core::detector::Undecided;
use handsoff_core::show::clean;
use handsoff_core::{Call, Key, Kind, group};
use serde::{Deserialize, Serialize};

use crate::cause::Cause;

/// A denied call in brief. What a later version adds may be missing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Seen {
    pub(crate) key: Key,
    pub(crate) time: Option<Time>,
    pub(crate) action: String,
    pub(crate) browsing: bool,
    /// It wasn't denied: it failed for another reason, and counts where it is about breadth alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) failed: bool,
    /// A digest of what it was to be done to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<String>,
    /// The name of its principal's group, in a group of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) who: Option<String>,
    /// What a launch asked for that was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) launch: Option<String>,
}

impl Seen {
    /// A call as one of its group's.
    pub(crate) fn of(denial: &Undecided, group: &str) -> Self {
        let Undecided { finding, browsing, target, asked, cause, .. } = denial;
        let shared = Shape::of(group).is_shared();
        Self {
            key: finding.key,
            time: finding.time,
            action: finding.action.clone(),
            browsing: *browsing,
            failed: cause.is_none(),
            target: target.as_ref().map(|target| group::digest(&[target])),
            who: shared.then(|| name(&denial.group)),
            launch: asked.clone().filter(|_| !shared),
        }
    }

    /// Whether it counts as one of many different actions.
    pub(crate) fn shows_breadth(&self) -> bool {
        !self.browsing && !is_launch_alone(self.failed, self.target.as_ref(), self.launch.as_ref())
    }
}

/// Whether a call counts with other launches alone: it failed for a reason that tells its caller too little for more.
pub(crate) fn is_launch_alone(failed: bool, target: Option<&String>, launch: Option<&String>) -> bool {
    failed && target.is_none() && launch.is_some()
}

/// The name under which a group's calls are kept: a digest.
pub(crate) fn name(group: &str) -> String {
    group::digest(&["denied", group])
}

/// What a group's calls have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One principal.
    Principal,
    /// The address that they come from.
    Source,
    /// The provider that authenticated the callers.
    Provider,
    /// The guardrail that denied them.
    Wall,
    /// They are sign-ins of one user that failed.
    User,
    /// They are sign-ins that failed, from one address.
    SignIns,
    /// They are calls of one principal that failed to authenticate.
    Unauthenticated,
    /// They are calls without credentials, on one bucket or another resource.
    Anonymous,
}

/// With what the groups of each begin. A principal's begins with its account.
const SHAPES: [(&str, Shape); 7] = [
    ("source|", Shape::Source),
    ("provider|", Shape::Provider),
    ("wall|", Shape::Wall),
    ("sign-in|", Shape::User),
    ("sign-ins-from|", Shape::SignIns),
    ("unauthenticated|", Shape::Unauthenticated),
    ("anonymous|", Shape::Anonymous),
];

impl Shape {
    /// That of a group.
    pub(crate) fn of(group: &str) -> Self {
        let found = SHAPES.iter().find(|(start, _)| group.starts_with(start));
        found.map_or(Self::Principal, |(_, shape)| *shape)
    }

    /// Whether its calls may be of several principals.
    pub(crate) fn is_shared(self) -> bool {
        !matches!(self, Self::Principal | Self::User | Self::Unauthenticated | Self::Anonymous)
    }

    /// Whether its calls are an incident of its own, and not their principal's.
    pub(crate) fn has_own_incident(self) -> bool {
        self.is_shared() || self == Self::Anonymous
    }
}

/// The groups of several principals that a denied call counts in.
pub(crate) fn shared(call: &Call<'_>, cause: Option<&Cause>, browsing: bool) -> Vec<String> {
    let account = call.account().unwrap_or_default();
    let mut groups = Vec::new();
    // A console's page, or the pipeline's broken step, shows nothing of who shares its address.
    let shows = !browsing && call.principal.kind != Kind::DeployRole;
    if let Some(provider) = call.principal.identity.identity_provider.as_deref() {
        groups.push(format!("provider|{account}|{provider}"));
    } else if let Some(address) = address(call).filter(|_| shows) {
        groups.push(format!("source|{account}|{address}"));
    }
    if let Some(cause) = cause.filter(|cause| cause.policy.is_guardrail()) {
        let policy = cause.arn.as_deref().unwrap_or(cause.policy.as_str());
        groups.push(format!("wall|{account}|{policy}"));
    }
    groups
}

/// The group of a principal's calls that failed to authenticate.
pub(crate) fn unauthenticated(call: &Call<'_>) -> String {
    format!("unauthenticated|{}", group::denial_group(call))
}

/// The group of denied calls without credentials: a bucket, or a resource of another service. `None` where the record names
/// none, for all of the internet is no principal.
pub(crate) fn anonymous(call: &Call<'_>) -> Option<String> {
    let account = call.account().unwrap_or_default();
    let resource = target(call).filter(|resource| !resource.is_empty())?;
    Some(format!("anonymous|{account}|{}|{}", call.action.service, clean(&resource, 256)))
}

/// What the calls of such a group asked for: its name alone.
pub(crate) fn asked_without_credentials(group: &str) -> &str {
    group.splitn(4, '|').nth(3).unwrap_or(group)
}

/// The group of a user's failed sign-ins, and that of those from the same address.
pub(crate) fn sign_ins(call: &Call<'_>) -> (String, Vec<String>) {
    let account = call.account().unwrap_or_default();
    let from = address(call).map(|address| group::sign_ins_from(&account, address));
    (format!("sign-in|{}", group::denial_group(call)), from.into_iter().collect())
}

/// The address of the caller's network: AWS writes it, and no caller chooses it.
fn address(call: &Call<'_>) -> Option<IpAddr> {
    call.record.source_ip_address.text()?.parse().ok()
}

/// Whether a call is what a page of the console asks for by itself: a read, according to AWS and not to the user agent. Its
/// pages ask for much that their user may not see; but none shows a secret's value or an object before somebody asks for it.
pub(crate) fn is_browsing(call: &Call<'_>) -> bool {
    /// Reads that give out content or credentials. From the service authorization reference: what reads data, not settings.
    const GIVES_OUT: [&str; 12] = [
        "secretsmanager:GetSecretValue",
        "secretsmanager:BatchGetSecretValue",
        "ssm:GetParameter",
        "ssm:GetParameters",
        "ssm:GetParametersByPath",
        "kms:Decrypt",
        "s3:GetObject",
        "dynamodb:Scan",
        "dynamodb:Query",
        "lambda:GetFunction",
        "ec2:GetPasswordData",
        "sts:AssumeRole",
    ];
    let action = || call.action.to_string();
    call.effect == Effect::Reads
        && (call.is_from_console() && !GIVES_OUT.contains(&action().as_str()) || is_of_home_page(call))
}

/// Whether a person's read is one that the console's home page and the frame of each page make by themselves: many of their
/// records lack what AWS marks a console's session with. What they ask for shows nobody anything worth a search, so that
/// they add no breadth, whatever program makes them. Sources: the AWS managed policies `AWSManagementConsoleBasicUserAccess`
/// and `ViewOnlyAccess`; "Working with widgets" (AWS Management Console guide): cost and usage, health, Trusted Advisor,
/// Security Hub, CloudWatch, applications, recently visited.
fn is_of_home_page(call: &Call<'_>) -> bool {
    const ASKED: [&str; 19] = [
        "account:GetAccountInformation",
        "ce:GetCostAndUsage",
        "ce:GetCostForecast",
        "cloudwatch:DescribeAlarms",
        "ec2:DescribeRegions",
        "freetier:GetFreeTierUsage",
        "health:DescribeEventAggregates",
        "iam:ListAccountAliases",
        "notifications:GetFeatureOptInStatus",
        "notifications:ListManagedNotificationEvents",
        "notifications:ListNotificationEvents",
        "notifications:ListNotificationHubs",
        "resource-explorer-2:ListIndexes",
        "securityhub:DescribeHub",
        "servicecatalog:ListApplications",
        "support:DescribeTrustedAdvisorChecks",
        "support:DescribeTrustedAdvisorCheckSummaries",
        "uxc:GetAccountColor",
        "uxc:GetAccountCustomizations",
    ];
    call.principal.kind == Kind::Human && ASKED.contains(&call.action.to_string().as_str())
}

/// What a call was to be done to, where others of its kind can be told apart: of S3 the bucket, for an app that lacks a
/// permission is denied each object by another name.
pub(crate) fn target(call: &Call<'_>) -> Option<String> {
    let record = &call.record;
    let asked = |key: &str| record.request_parameters.get(key).and_then(handsoff_cloudtrail::json::Raw::text);
    if call.action.service == "s3" {
        let bucket = asked("bucketName").map(std::borrow::Cow::into_owned);
        let denied = || {
            let resource = record.denied_resource()?;
            let name = resource.rsplit(":::").next().unwrap_or(&resource);
            Some(name.split('/').next().unwrap_or(name).to_owned())
        };
        return bucket.or_else(denied);
    }
    if let Some(secret) = asked("secretId").or_else(|| asked("name").filter(|_| call.action.service == "ssm"))
    {
        return Some(secret.into_owned());
    }
    if call.action.service == "sts" {
        return record.assumed_role_arn().map(std::borrow::Cow::into_owned);
    }
    handsoff_cloudtrail::resources::all(record).into_iter().next()
}
