//! Roles that somebody assumed who shouldn't: a person that of a workload, another account any, the pipeline one that
//! isn't its own.
//!
//! To assume a role changes nothing, and so it is seen here alone: what the session does afterwards has the role as its
//! caller.

use handsoff_cloudtrail::{Arn, IdentityType, Record};
use handsoff_core::policy::Policy;
use handsoff_core::{Call, Finding, Kind, Outcome, Severity, show};

use crate::codes;

/// With what the names of the stack's own roles begin, as its template has them.
const OWN: &str = "handsoff-";

/// The finding on a call that assumed a role, if there is one.
pub(crate) fn finding(call: &Call<'_>, policy: &Policy) -> Option<Finding> {
    if !call.action.assumes_role() || call.outcome != Outcome::Succeeded || call.target.is_some() {
        return None;
    }
    let arn = call.record.assumed_role_arn()?;
    let account = call.account()?;
    // A call into another account has a record there, too.
    let role =
        Arn::split(&arn).filter(|role| role.account == account && role.resource.starts_with("role/"))?;
    let name = show::clean(role.resource.rsplit('/').next().unwrap_or(role.resource), 64);
    if name.starts_with(OWN) && call.principal.kind != Kind::Service {
        return Some(own(call, &name));
    }
    let entry = policy.workloads.iter().find(|entry| entry.identity.matches(&arn, Some(&account)));
    match call.principal.kind {
        Kind::DeployRole => by_pipeline(call, policy, &name),
        Kind::Human => {
            let reason = format!(
                "A person assumed the role `{name}`, which {} names as a workload's: only code runs as it.",
                entry?.line
            );
            Some(Finding::new(call, codes::WORKLOAD_ROLE_ASSUMED, Severity::Medium, reason))
        }
        Kind::Unknown if call.principal.identity.kind == IdentityType::AwsAccount => {
            by_another_account(call, policy, &account, &name)
        }
        _ => None,
    }
}

/// Whether [`finding`] has to look at a record, by what is known before it is classified.
pub(crate) fn may_be(kind: Kind, record: &Record<'_>) -> bool {
    let another_account =
        || record.user_identity.get("type").is_some_and(|kind| kind.as_str() == "\"AWSAccount\"");
    match kind {
        Kind::DeployRole | Kind::Human => true,
        Kind::Service => false,
        _ if record.assumed_role_arn().is_some_and(|role| is_own(&role)) => true,
        // From the console anybody is a person.
        _ => another_account() || record.session_credential_from_console.flag() == Some(true),
    }
}

fn is_own(role: &str) -> bool {
    role.rsplit('/').next().is_some_and(|name| name.starts_with(OWN))
}

/// Somebody who becomes one of the functions that watch: what they do then looks like the functions' own work.
fn own(call: &Call<'_>, role: &str) -> Finding {
    let reason = format!(
        "Somebody assumed the role `{role}`, which only handsoff's own functions use; no policy can except it."
    );
    let mut finding = Finding::new(call, codes::TRAIL_TAMPERED, Severity::High, reason);
    if role == "handsoff-redrive" {
        finding.reason = format!(
            "Somebody assumed the role `{role}`, with which dead letters are read, moved and deleted."
        );
        finding.next = "Ask the person which dead letters they moved. If it wasn't them: revoke the role's sessions, and look at what \
                        the dead-letter queues have lost."
            .into();
    }
    finding
}

fn by_pipeline(call: &Call<'_>, policy: &Policy, role: &str) -> Option<Finding> {
    let entry = policy.deploy.get(call.principal.entry?)?;
    let listed = entry.may_change.iter().flatten().any(|change| change.covers(&call.action, call.class()));
    let reason = format!(
        "The pipeline ({}) assumed the role `{role}`, which no [[deploy]] entry names: what it does as that role isn't \
         the pipeline's.",
        entry.line
    );
    (!listed).then(|| Finding::new(call, codes::DEPLOY_OUT_OF_BOUNDS, Severity::Medium, reason))
}

fn by_another_account(call: &Call<'_>, policy: &Policy, own: &str, role: &str) -> Option<Finding> {
    let foreign = call.principal.identity.account_id.as_deref()?;
    if foreign == own || policy.alerts.account_name(foreign).is_some() {
        return None;
    }
    let foreign = show::clean(foreign, 32);
    let reason = format!(
        "Somebody of the account {foreign}, which [accounts] doesn't name, assumed the role `{role}` here."
    );
    Some(Finding::new(call, codes::FOREIGN_ACCESS, Severity::Medium, reason))
}
