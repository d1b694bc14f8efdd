//! Who changed the policy that a wall is made of: the last such change of the day before.
//!
//! A change is a set's member as denied calls are, so that a replay says the same whatever the order. The function keeps each
//! in a row of its own; one whose record comes after the wall was reported isn't in that message.

use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::{Action, Arn, Time, TimeDelta};
use handsoff_core::detector::Related;
use handsoff_core::show::clean;
use handsoff_core::{Call, Finding, Key, Outcome, Severity};
use serde::{Deserialize, Serialize};

use crate::codes;

/// A change that was made so long before a denied call may be why it was denied.
pub(crate) const REACH: TimeDelta = TimeDelta::hours(24);

/// A change of a guardrail's policy. What a later version adds may be missing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Change {
    pub(crate) time: Time,
    pub(crate) key: Key,
    pub(crate) action: String,
    pub(crate) by: String,
}

/// Whether an action changes a policy that may be a guardrail, or what it applies to. Sources: the API references of IAM
/// and Organizations.
pub(crate) fn is_change(action: &Action<'_>) -> bool {
    match &*action.service {
        "iam" => [
            "CreatePolicy",
            "CreatePolicyVersion",
            "SetDefaultPolicyVersion",
            "DeletePolicyVersion",
            "PutRolePermissionsBoundary",
            "PutUserPermissionsBoundary",
        ]
        .contains(&&*action.name),
        "organizations" => {
            ["CreatePolicy", "UpdatePolicy", "AttachPolicy", "DetachPolicy"].contains(&&*action.name)
        }
        _ => false,
    }
}

/// What a call that changed such a policy is kept as, by the policy.
pub(crate) fn of(call: &Call<'_>) -> Option<Related> {
    if call.outcome != Outcome::Succeeded || !is_change(&call.action) {
        return None;
    }
    let record = &call.record;
    let asked = |key: &str| record.request_parameters.get(key).and_then(Raw::text);
    let made = || {
        let policy = record.response_elements.get("policy")?;
        policy.get("arn").or_else(|| policy.get("policySummary")?.get("id"))?.text()
    };
    let names = ["policyArn", "policyId", "permissionsBoundary"];
    let policy = names.into_iter().find_map(asked).or_else(made)?;
    Some(Related {
        group: policy_of(&policy),
        role: "changed".to_owned(),
        who: clean(&call.principal.name(), 128),
        finding: Finding::new(call, codes::DENY_WALL, Severity::Low, String::new()),
        only_first: false,
    })
}

impl Change {
    /// What is kept of it; `None` without a time.
    pub(crate) fn of(related: &Related) -> Option<Self> {
        let finding = &related.finding;
        let action = finding.action.clone();
        Some(Self { time: finding.time?, key: finding.key, action, by: related.who.clone() })
    }
}

/// A policy under one name, whether its ARN is given or its ID: policies of an organization have an ID of their own.
pub(crate) fn policy_of(text: &str) -> String {
    let of_organization = Arn::split(text).is_some_and(|arn| arn.service == "organizations");
    let name = if of_organization { text.rsplit('/').next().unwrap_or(text) } else { text };
    clean(name, 512)
}

/// The policy of a wall's group, if AWS gave its ARN.
pub(crate) fn of_group(group: &str) -> Option<String> {
    arn_of(group).map(policy_of)
}

/// The ARN of a wall's policy, if AWS gave it.
pub(crate) fn arn_of(group: &str) -> Option<&str> {
    group.splitn(3, '|').nth(2).filter(|policy| Arn::split(policy).is_some())
}

/// Says who changed the policy last in the day before a denied call.
pub(crate) fn tie(finding: &mut Finding, changes: &[Change]) {
    let Some(time) = finding.time else { return };
    let before = changes.iter().filter(|change| (time - REACH..=time).contains(&change.time));
    if let Some(Change { action, by, time, .. }) = before.max() {
        let said = format!(" Before that, {action} by {by} at {time} changed this policy.");
        finding.reason.push_str(&said);
    }
}
