//! What the pipeline may change: what its entry lists under `may_change`; without that all but what no pipeline should
//! change unasked, because it gives somebody more rights than a reviewer of the next change could take back.

mod conditions;
mod outside;
mod part;

pub(crate) use outside::{ANYONE, outsider};

use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::partition::Partition;
use handsoff_cloudtrail::{Action, Class, Effect, Record};
use handsoff_core::policy::{Change, Deploy, IdentityPattern, Policy};
use handsoff_core::{Call, Finding, Kind, Outcome, Severity, show};

use crate::{codes, deletions, keys};

/// The finding on a change by the pipeline that is out of its bounds.
pub(crate) fn finding(call: &Call<'_>, policy: &Policy) -> Option<Finding> {
    let entry = changes_as(call, policy)?;
    let (severity, how) = beyond(call, entry, policy)?;
    let reason = format!("The pipeline ({}) {how}.", entry.line);
    Some(Finding::new(call, codes::DEPLOY_OUT_OF_BOUNDS, severity, reason))
}

/// Whether a change by a deploy identity may be out of bounds, whichever its entry is: the fast path leaves it to
/// [`finding`] then.
pub(crate) fn may_be_beyond(action: &Action<'_>, record: &Record<'_>, policy: &Policy) -> bool {
    let by_action = is_grave(action) || gives_a_user_rights(action) || is_key(action);
    if by_action
        || stops_a_rule(action, record)
        || ends_backups(action, record)
        || deletions::is_counted(action)
    {
        return true;
    }
    let Some(account) = record.recipient_account_id.text() else { return true };
    is_of_the_policy(action, record, &account, policy).is_some()
        || outside::may_share(action, record, &|foreign| {
            foreign != account && policy.alerts.account_name(foreign).is_none()
        })
}

/// Whether the fast path has to ask [`may_be_beyond`] about an action.
pub(crate) fn is_watched(action: &Action<'_>) -> bool {
    is_grave(action)
        || is_key(action)
        || action.service == "iam"
        || is_rule(action)
        || keeps_backups(action)
        || deletions::is_counted(action)
        || outside::may_name(action)
}

/// The entry of the deploy identity that changed something.
fn changes_as<'p>(call: &Call<'_>, policy: &'p Policy) -> Option<&'p Deploy> {
    let changes = call.outcome == Outcome::Succeeded && call.effect == Effect::Changes;
    if !changes || call.principal.kind != Kind::DeployRole {
        return None;
    }
    policy.deploy.get(call.principal.entry?)
}

fn beyond(call: &Call<'_>, entry: &Deploy, policy: &Policy) -> Option<(Severity, String)> {
    let Some(list) = &entry.may_change else {
        let how = unasked(call, entry, policy)?;
        return Some((Severity::Medium, format!("{how}, and its entry has no `may_change` that allows it")));
    };
    let class = call.class();
    if list.iter().any(|change| matches!(change, Change::Class(own) if *own == class)) {
        return None;
    }
    if list.iter().any(|change| change.covers(&call.action, class)) {
        // An action is listed for what it does every day, and not for an outsider whom it lets in some day.
        let how = of_the_policy(call, policy).or_else(|| lets_in(call, entry, policy))?;
        return Some((
            Severity::Medium,
            format!("{how}, and `may_change` lists the action, but not its class"),
        ));
    }
    let severity = if class.is_some_and(Class::is_grave) { Severity::High } else { Severity::Medium };
    let what = class.map_or("ordinary".to_owned(), |class| format!("of class {class}"));
    Some((severity, format!("made a change that `may_change` doesn't list ({what})")))
}

/// What the call did that no pipeline should do unless its entry says so.
fn unasked(call: &Call<'_>, entry: &Deploy, policy: &Policy) -> Option<String> {
    let action = &call.action;
    if let Some(how) = of_the_policy(call, policy) {
        return Some(how);
    }
    if let Some(key) = keys::made(call) {
        return Some(format!("made {key}, which has no end"));
    }
    if is_grave(action) {
        return Some(
            match action.class() {
                Some(Class::Identity) => "made a user, a key, a password or a provider of identities",
                _ => "changed a guardrail, or the organization",
            }
            .into(),
        );
    }
    if gives_a_user_rights(action) {
        return Some("changed the rights of a user, or of a group of users".into());
    }
    if stops_a_rule(action, &call.record) {
        return Some("stopped a rule of EventBridge: what it brings to others comes no more".into());
    }
    if is_key(action) {
        return Some("made a key unusable: what is encrypted with it can't be read any more".into());
    }
    if action.class() == Some(Class::Destruction) && destroys_for_good(call) {
        return Some("destroyed data together with its backups".into());
    }
    if ends_backups(action, &call.record) {
        return Some("turned off the automated backups of a database".into());
    }
    lets_in(call, entry, policy)
}

fn of_the_policy(call: &Call<'_>, policy: &Policy) -> Option<String> {
    let own = call.account()?;
    is_of_the_policy(&call.action, &call.record, &own, policy).map(|whose| format!("changed {whose}"))
}

fn lets_in(call: &Call<'_>, entry: &Deploy, policy: &Policy) -> Option<String> {
    outside::shared_with(call, entry, policy).map(|who| format!("let {who} use a resource, or assume a role"))
}

/// Identities with keys or passwords, providers of identities, and guardrails: but for what every deployment of an
/// application does, such as making a role or turning on versions of a bucket.
fn is_grave(action: &Action<'_>) -> bool {
    let name = &*action.name;
    let any = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if name.starts_with("Tag") || name.starts_with("Untag") {
        return false;
    }
    match (&*action.service, action.class()) {
        ("iam", _) if any(&["OpenIDConnectProvider", "SAMLProvider", "OrganizationsRoot"]) => true,
        // Rights for somebody outside who asked for them, and identities for other clouds.
        ("iam", _) if any(&["DelegationRequest", "DelegationToken", "OutboundWebIdentityFederation"]) => {
            action.class() == Some(Class::Permissions)
        }
        ("iam", Some(Class::Identity)) => !matches!(name, "CreateRole" | "AcquireRole"),
        ("iam", Some(Class::Guardrail)) => !name.starts_with("Put"),
        ("sso" | "sso-directory" | "identitystore" | "rolesanywhere" | "ssm", Some(Class::Identity)) => true,
        ("organizations" | "account", _) => action.effect(Some(false)).0 == Effect::Changes,
        // No template has these.
        ("backup", _) if any(&["LegalHold", "MpaApprovalTeam"]) => action.class() == Some(Class::Guardrail),
        ("s3" | "backup" | "lambda" | "wafv2" | "signer" | "shield" | "route53resolver", _) => false,
        (_, class) => class == Some(Class::Guardrail),
    }
}

/// Roles are what deployments give rights to; users are people, or keys that don't end.
fn gives_a_user_rights(action: &Action<'_>) -> bool {
    let names =
        ["PutUserPolicy", "AttachUserPolicy", "AddUserToGroup", "PutGroupPolicy", "AttachGroupPolicy"];
    action.service == "iam" && names.contains(&&*action.name)
}

fn is_rule(action: &Action<'_>) -> bool {
    action.service == "events" && matches!(&*action.name, "DisableRule" | "PutRule")
}

/// Whether a rule is there and matches nothing from now on: a deployment that needs it no more deletes it.
fn stops_a_rule(action: &Action<'_>, record: &Record<'_>) -> bool {
    let state = || record.request_parameters.get("state").and_then(Raw::text);
    is_rule(action) && (action.name == "DisableRule" || state().as_deref() == Some("DISABLED"))
}

/// What sets whether a database has automated backups ("Amazon RDS API Reference", "Amazon DynamoDB API Reference").
fn keeps_backups(action: &Action<'_>) -> bool {
    match &*action.service {
        "rds" => matches!(&*action.name, "ModifyDBInstance" | "ModifyDBCluster"),
        "dynamodb" => action.name == "UpdateContinuousBackups",
        _ => false,
    }
}

/// Whether a database has none from now on; those that it had are gone, too.
fn ends_backups(action: &Action<'_>, record: &Record<'_>) -> bool {
    if !keeps_backups(action) {
        return false;
    }
    let asked = record.request_parameters;
    let recovery =
        || asked.get("pointInTimeRecoverySpecification")?.get("pointInTimeRecoveryEnabled")?.flag();
    asked.get("backupRetentionPeriod").and_then(Raw::text).as_deref() == Some("0")
        || recovery() == Some(false)
}

fn is_key(action: &Action<'_>) -> bool {
    action.service == "kms"
        && matches!(
            &*action.name,
            "DisableKey"
                | "ScheduleKeyDeletion"
                | "DeleteImportedKeyMaterial"
                | "DeleteCustomKeyStore"
                | "DisconnectCustomKeyStore"
        )
}

fn destroys_for_good(call: &Call<'_>) -> bool {
    let asked = |key: &str| call.record.request_parameters.get(key).and_then(Raw::flag) == Some(true);
    // Nothing but a backup whose instance is gone.
    let automated = ["DeleteDBInstanceAutomatedBackup", "DeleteDBClusterAutomatedBackup"];
    call.action.service == "backup"
        || automated.contains(&&*call.action.name)
        || (asked("skipFinalSnapshot") && asked("deleteAutomatedBackups"))
}

/// Whose trust or rights a call changed, where that is an identity that deploys or breaks glass.
fn is_of_the_policy(
    action: &Action<'_>,
    record: &Record<'_>,
    account: &str,
    policy: &Policy,
) -> Option<String> {
    if action.service != "iam" {
        return None;
    }
    let asked = |key: &str| record.request_parameters.get(key).and_then(Raw::text);
    let (kind, name) = match (asked("roleName"), asked("userName")) {
        (Some(role), _) => ("role", role),
        (_, Some(user)) => ("user", user),
        _ => return None,
    };
    let partition = Partition::of_region(&record.aws_region.text().unwrap_or_default()).id;
    // IAM finds names whatever their case ("IAM and AWS STS quotas").
    let arns = [name.to_lowercase(), name.to_string()]
        .map(|name| format!("arn:{partition}:iam::{account}:{kind}/{name}"));
    let is = |pattern: &IdentityPattern| arns.iter().any(|arn| pattern.matches_pathless(arn, Some(account)));
    let shown = show::clean(&name, 64);
    if let Some(entry) = policy.deploy.iter().find(|entry| is(&entry.identity)) {
        return Some(format!("its own rights or another deploy role's: `{shown}` of {}", entry.line));
    }
    let entry = policy.break_glass.iter().find(|entry| is(&entry.identity))?;
    Some(format!("an emergency identity: `{shown}` of {}", entry.line))
}
