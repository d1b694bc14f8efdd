//! What one denied or failed call is by itself: a grave attempt, or a permission that the pipeline lacks.

use handsoff_cloudtrail::{Action, Class, Effect, resources};
use handsoff_core::policy::{Glob, Policy};
use handsoff_core::rules::NO_DENIALS;
use handsoff_core::{Attack, Call, Code, Kind, Outcome, Severity, show::clean};

use serde_json::json;

use crate::cause::Cause;
use crate::codes;

/// The code, severity and reason of a call by itself; `None` for what counts only together with others.
///
/// AWS's services don't come here, and emergency identities are break-glass's. What attacks logging and detection, as far as
/// the record names it, is drift's, denied or not.
pub(crate) fn verdict(
    call: &Call<'_>,
    policy: &Policy,
    cause: Option<&Cause>,
) -> Option<(Code, Severity, String)> {
    // What is grave by anybody is no permission to add, though the pipeline lacks it.
    if call.principal.kind == Kind::DeployRole && attempt(call, policy).is_none() {
        return deploy_denied(call, cause);
    }
    if call.is_from_console() && call.effect == Effect::Reads {
        return None;
    }
    let what = attempt(call, policy)?;
    let how = match &call.outcome {
        Outcome::Denied(_) => "was denied",
        _ => "failed",
    };
    let cause_words = cause.map(|cause| format!(": {}", cause.words())).unwrap_or_default();
    let guardrail = cause.is_some_and(|cause| cause.explicit && cause.policy.is_guardrail());
    let severity = if guardrail { Severity::High } else { Severity::Medium };
    let reason = format!("A call that {what} {how}{cause_words}. One such attempt is reported.");
    Some((codes::DENIED_ATTACK, severity, reason))
}

/// Whether a call that failed for another reason than a missing permission is an attempt all the same: a person asked for a
/// shell on a machine, or for a command to be run there, and the machine couldn't be reached.
pub(crate) fn is_failed_shell(call: &Call<'_>) -> bool {
    let Outcome::Failed(code) = &call.outcome else { return false };
    // What the rule keeps from the function is none.
    let kept_out = || NO_DENIALS.iter().any(|pattern| Glob::new(pattern).matches(code));
    let by_person = matches!(call.principal.kind, Kind::Human | Kind::Unknown);
    by_person && (gives_shell(&call.action) || call.action.is_interactive()) && !kept_out()
}

fn gives_shell(action: &Action<'_>) -> bool {
    let commands =
        ["SendCommand", "StartAssociationsOnce", "StartAutomationExecution", "StartChangeRequestExecution"];
    action.opens_a_shell()
        || action.service == "ssm" && commands.iter().any(|name| name.eq_ignore_ascii_case(&action.name))
}

/// What a call tries to do that is worth a look even if it fails: the class of the change, as a call that succeeded has it.
/// Not what developers are denied every day: to make a role or a policy gives nobody anything yet.
fn attempt(call: &Call<'_>, policy: &Policy) -> Option<&'static str> {
    if call.effect == Effect::Changes && on_unnamed(call, policy) {
        return Some("changes what logging or detection may be made of, as far as the record shows,");
    }
    if gives_shell(&call.action) {
        return Some("gives a shell on a machine");
    }
    // Terraform asks for a machine's password, and pipelines start workflows.
    if call.action.is_interactive() && call.principal.kind != Kind::DeployRole {
        return Some("gives access to a machine");
    }
    let Action { service, name, .. } = &call.action;
    let is = |names: &[&str]| names.iter().any(|other| other.eq_ignore_ascii_case(name));
    let makes_only = is(&[
        "CreateRole",
        "CreatePolicy",
        "CreateInstanceProfile",
        "CreateServiceLinkedRole",
        "CreateGroup",
    ]);
    let takes_away = ["Delete", "Detach", "Remove", "Tag", "Untag"].iter().any(|verb| name.starts_with(verb));
    match call.class()? {
        Class::Identity if signs_in(service) && !makes_only => Some("makes an identity or a credential"),
        Class::Permissions if is_of_identities(service) && !makes_only && !takes_away => {
            Some("gives permissions")
        }
        Class::Guardrail => Some("weakens a guardrail"),
        // To ask for a role is one of many: who may not have a deploy role or an emergency role is drift's and break-glass's.
        Class::Credentials if !name.starts_with("Assume") && !is(&["GetSessionToken"]) => {
            Some("takes credentials of another session")
        }
        _ => None,
    }
}

/// Services whose identities sign in to the account, or get a role of it.
fn signs_in(service: &str) -> bool {
    ["account", "iam", "identitystore", "rolesanywhere", "ssm", "sso", "sso-directory"].contains(&service)
}

/// Services whose permissions are those of people and roles, not of one resource.
fn is_of_identities(service: &str) -> bool {
    ["iam", "organizations", "sso", "sso-directory", "identitystore", "eks", "account-access"]
        .contains(&service)
}

/// Whether a change that attacks logging or detection when it hits what the policy protects names nothing that it hits: not
/// in the request, which most services leave out of denials, and not in AWS's sentence.
fn on_unnamed(call: &Call<'_>, policy: &Policy) -> bool {
    let record = &call.record;
    !policy.protected.is_empty()
        && Attack::is_listed(&call.action)
        && resources::all(record).is_empty()
        && record.denied_resource().is_none()
}

/// What the deploy role was denied, with the statement that would let it: an operations message.
fn deploy_denied(call: &Call<'_>, cause: Option<&Cause>) -> Option<(Code, Severity, String)> {
    if call.effect != Effect::Changes || !matches!(call.outcome, Outcome::Denied(_)) {
        return None;
    }
    let action = required(call).unwrap_or_else(|| call.action.to_string());
    let named = call.record.denied_resource().filter(|it| is_one_resource(it));
    let named = named.or_else(|| resources::all(&call.record).into_iter().find(|it| is_one_resource(it)));
    // Never `*`: the statement is copied.
    let resource = named.unwrap_or_else(|| "RESOURCE".to_owned());
    let said = cause.map(|cause| format!(": {}", cause.words())).unwrap_or_default();
    let add = if cause.is_some_and(|cause| cause.explicit) {
        "No statement that allows it helps: the one that denies it has to change.".to_owned()
    } else {
        let statement = json!({"Effect": "Allow", "Action": clean(&action, 128), "Resource": resource});
        format!("Missing statement: {statement}")
    };
    let reason = format!("The pipeline's change was denied{said}. {add}");
    Some((codes::DEPLOY_DENIED, Severity::Medium, reason))
}

/// Whether a text is the ARN of one resource, and means no more in a policy: a caller may choose its name.
fn is_one_resource(text: &str) -> bool {
    text.starts_with("arn:")
        && text.len() <= 256
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'*' | b'?' | b'$' | b'"' | b'\\'))
}

/// The permission that AWS says is missing, which may have another name than the call.
fn required(call: &Call<'_>) -> Option<String> {
    let message = call.record.error_message.text()?;
    let (_, rest) = message.split_once("User: ")?.1.split_once(" is not authorized to perform: ")?;
    let action = rest.split(' ').next()?;
    let is_action = action.split_once(':').is_some_and(|(service, name)| {
        [service, name]
            .iter()
            .all(|part| part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'))
    });
    is_action.then(|| action.to_owned())
}
