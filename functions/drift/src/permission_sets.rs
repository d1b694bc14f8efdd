//! Who gets into the account through IAM Identity Center: its service writes the roles of permission sets here, on behalf
//! of somebody in the management account, whose call has its record there ("Using service-linked roles for IAM Identity
//! Center").

use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::{Effect, Identity, Record};
use handsoff_core::{Call, Finding, Kind, Outcome, Severity, show};

use crate::codes;

const SERVICE_ROLE: &str = "AWSServiceRoleForSSO";

/// The finding on a change that IAM Identity Center made to the account's permission sets.
pub(crate) fn finding(call: &Call<'_>) -> Option<Finding> {
    let changes = call.outcome == Outcome::Succeeded && call.effect == Effect::Changes;
    // By its path: a role of that name that somebody made is no service's, and its changes are drift.
    if !changes
        || call.principal.kind != Kind::Service
        || call.action.service != "iam"
        || !is_by_identity_center(&call.principal.identity)
    {
        return None;
    }
    let asked = |key: &str| call.record.request_parameters.get(key).and_then(Raw::text);
    let role = asked("roleName").map(|role| format!(" of `{}`", show::clean(&role, 128))).unwrap_or_default();
    let what = match &*call.action.name {
        "CreateRole" | "DeleteRole" => "who may get into the account",
        _ => "what people may do in the account",
    };
    let reason = format!(
        "IAM Identity Center changed {what}, by the role{role}: somebody changed a permission set or an assignment in the \
         management account."
    );
    Some(Finding::new(call, codes::PERMISSION_SET_CHANGED, Severity::Medium, reason))
}

/// Whether [`finding`] has to look at a change by a service.
pub(crate) fn may_be(record: &Record<'_>) -> bool {
    record.event_source.as_str().starts_with("\"iam.") && record.user_identity.as_str().contains(SERVICE_ROLE)
}

fn is_by_identity_center(identity: &Identity<'_>) -> bool {
    identity.assumed_role().is_some_and(|(role, _)| role == SERVICE_ROLE)
}
