//! Drift: changes by identities other than a deploy role, and the attacks that make changes go unseen.
//!
//! Codes: `drift-write`, `workload-write`, `console-sign-in`, `trail-tampered`, `deploy-role-misused`,
//! `deploy-out-of-bounds`, `workload-role-assumed`, `foreign-access`, `permission-set-changed`,
//! `secret-read`, `interactive-access`, `image-not-approved`, `long-lived-key`,
//! `deploy-unproven`, `login-without-mfa`, `write-without-mfa`, `mass-deletion`,
//! `guardrail-changed`, `trust-changed`.

mod assumed;
mod bounds;
pub mod codes;
mod deletions;
mod images;
mod keys;
pub mod live;
mod mfa;
mod networks;
mod permission_sets;
mod secrets;
mod sharing;
mod subscription;
mod trust;
mod unproven;
mod watch;

use sharing::Outsider;
pub use subscription::lost_subscription;
pub use unproven::unproven;

use handsoff_cloudtrail::{AccessLevel, Action, Class, Effect};
use handsoff_core::deputy;
use handsoff_core::detector::{About, Claim, IdentityFacts, Priority, RecordFacts, Related, Watch};
use handsoff_core::policy::{Deploy, Policy, exceptions, misuse};
use handsoff_core::rules::{Rule, Whose};
use handsoff_core::{
    Attack, Call, Code, Detector, Disposition, Finding, Kind, Outcome, Severity, Trace, Verdict, show,
};

/// The detector.
#[derive(Debug)]
pub struct Drift;

const CLAIMS: [Claim; 2] = [
    Claim { priority: Priority::Attack, covers: is_whatever_the_disposition },
    // What is left then, if it succeeded, is a change or a sign-in.
    Claim { priority: Priority::Call, covers: |call, _, _| call.outcome == Outcome::Succeeded },
];

/// As in part.yaml.
const RULES: [Rule; 6] = [
    Rule { id: "DriftRule", whose: Whose::None, pattern: include_str!("../patterns/drift.json") },
    Rule {
        id: "DeploySessionsRule",
        whose: Whose::Deploy,
        pattern: include_str!("../patterns/deploy-sessions.json"),
    },
    Rule {
        id: "DeployUsersRule",
        whose: Whose::Deploy,
        pattern: include_str!("../patterns/deploy-users.json"),
    },
    Rule {
        id: "DeployAssumedRule",
        whose: Whose::Deploy,
        pattern: include_str!("../patterns/deploy-assumed.json"),
    },
    Rule { id: "OriginsRule", whose: Whose::None, pattern: include_str!("../patterns/origins.json") },
    Rule {
        id: "SecretReadsRule",
        whose: Whose::None,
        pattern: include_str!("../patterns/secret-reads.json"),
    },
];

const ABOUT: About = About { name: "drift", codes: &codes::ALL, claims: &CLAIMS, rules: &RULES };

impl Detector for Drift {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn judge(&self, call: &Call<'_>, policy: &Policy, trace: &mut Trace) -> Verdict {
        judge(call, policy, trace)
    }

    /// What a pipeline deletes, and of data a person; and where long-lived keys are used from.
    fn relates(&self, call: &Call<'_>, policy: &Policy) -> Vec<Related> {
        deletions::of(call, policy).into_iter().chain(networks::of(call, policy)).collect()
    }

    fn join(&self, related: Vec<Related>, _: &Policy) -> Vec<Finding> {
        let (uses, deletions) = related.into_iter().partition(networks::is_use);
        [deletions::join(deletions), networks::join(uses)].concat()
    }

    fn watches_identity(&self, who: &IdentityFacts<'_>, policy: &Policy) -> Watch {
        watch::identity(who, policy)
    }

    fn watches_action(&self, action: &Action<'_>) -> Watch {
        watch::action(action)
    }

    fn watches(&self, facts: &RecordFacts<'_>) -> bool {
        watch::call(facts)
    }
}

/// What is reported even where a pipeline or a service does it, or where it is no change.
fn is_whatever_the_disposition(call: &Call<'_>, policy: &Policy, trace: &mut Trace) -> bool {
    let drift = call.attack.is_some()
        || call.shows_misuse(policy).is_some()
        || unexpected(call, policy).is_some()
        || secrets::finding(call).is_some();
    trace.step("attack, or role misused?", || if drift { "yes" } else { "no" }.into());
    drift
}

/// What a pipeline, a service or a session should not do or become, by rules that no attack and no misuse is needed for.
fn unexpected(call: &Call<'_>, policy: &Policy) -> Option<Finding> {
    bounds::finding(call, policy)
        .or_else(|| assumed::finding(call, policy))
        .or_else(|| permission_sets::finding(call))
        .or_else(|| images::finding(call, policy))
        .or_else(|| unproven::finding(call, policy))
}

fn judge(call: &Call<'_>, policy: &Policy, trace: &mut Trace) -> Verdict {
    if let Some(attack) = call.attack {
        trace.step("rule trail-tampered", || format!("it {}", attack.what));
        return tampered(call, policy, attack).into();
    }
    trace.step("rule trail-tampered", || "no attack on logging or detection".into());
    if let Some((entry, how)) = call.misuse(policy) {
        trace.step("rule deploy-role-misused", || how.clone());
        return misused(call, policy.deploy.get(entry), &how).into();
    }
    trace.step("rule deploy-role-misused", || "it doesn't show misuse of a deploy role".into());
    if let Some(finding) = unexpected(call, policy) {
        trace.step(finding.code.as_str(), || finding.reason.clone());
        return finding.into();
    }
    if matches!(call.effect, Effect::SignsIn | Effect::SignInPlumbing) {
        let finding = sign_in(call);
        trace.step(finding.code.as_str(), || finding.reason.clone());
        return finding.into();
    }
    if let Some(place) = exceptions::covering(call, policy, trace) {
        return Verdict::Excepted(place);
    }
    if let Some(finding) = secrets::finding(call) {
        trace.step("rule secret-read", || finding.reason.clone());
        return finding.into();
    }
    if call.principal.kind == Kind::Workload {
        workload(call, policy, trace)
    } else if call.principal.kind == Kind::Anonymous {
        trace.step("rule drift-write", || "anyone on the internet".into());
        written_by_anybody(call).into()
    } else {
        written(call, policy, trace).into()
    }
}

/// The finding on an attack on logging or detection, by any caller.
pub fn attack(call: &Call<'_>, severity: Severity, reason: String) -> Finding {
    Finding::new(call, codes::TRAIL_TAMPERED, severity, reason)
}

fn tampered(call: &Call<'_>, policy: &Policy, attack: Attack) -> Finding {
    let pipeline = call.principal.kind == Kind::DeployRole && call.shows_misuse(policy).is_none();
    let succeeded = call.outcome == Outcome::Succeeded;
    let (severity, by) = match (pipeline, succeeded) {
        (true, _) => (
            Severity::Medium,
            "it was made by the pipeline, and is legitimate if a reviewed change contains it",
        ),
        (false, true) if attack.grave => (Severity::Critical, "no policy can except it"),
        (false, true) => (Severity::High, "no policy can except it"),
        (false, false) => (Severity::High, "it failed, and the attempt is reported; no policy can except it"),
    };
    let reason = format!("The call {}; {by}.", attack.what);
    let mut finding = crate::attack(call, severity, reason);
    if pipeline {
        finding.next =
            "Look for the reviewed change that did this. If there is none, treat it as an intrusion.".into();
    }
    finding
}

/// The finding on the misuse of a deploy role. Without `how`, its reason lacks the end.
fn misused(call: &Call<'_>, entry: Option<&Deploy>, how: &str) -> Finding {
    let line = entry.map(|entry| entry.line.to_string()).unwrap_or_default();
    let lists_nobody = entry.is_some_and(|entry| entry.assumed_by.is_empty());
    let severity = match (&call.outcome, call.effect) {
        (Outcome::Succeeded, Effect::Changes) => Severity::Critical,
        // It may be the runner, which the entry should list.
        (Outcome::Succeeded, _)
            if lists_nobody
                && call.refuted.is_none()
                && call.principal.kind == Kind::Unknown
                && entry.is_none_or(|entry| misuse::by_tags(entry, &call.record).is_none()) =>
        {
            Severity::Medium
        }
        (Outcome::Succeeded, _) => Severity::High,
        _ => Severity::Medium,
    };
    let end = if how.is_empty() { "" } else { "." };
    let reason = format!("Only the pipeline may use the deploy role of {line}, but {how}{end}");
    Finding::new(call, codes::DEPLOY_ROLE_MISUSED, severity, reason)
}

fn sign_in(call: &Call<'_>) -> Finding {
    let (code, severity, how) = match call.mfa() {
        Some(false) => (codes::LOGIN_WITHOUT_MFA, Severity::Medium, "without MFA"),
        Some(true) => (codes::CONSOLE_SIGN_IN, Severity::Low, "with MFA"),
        None => (codes::CONSOLE_SIGN_IN, Severity::Low, "and the record can't prove whether MFA was used"),
    };
    if let Some(because) = call.code_in_console() {
        let what = if call.effect == Effect::SignsIn { "signed in to" } else { "requested access to" };
        let reason = format!(
            "Somebody {what} the console with a workload's credentials ({because}): a person has them."
        );
        let mut finding = Finding::new(call, codes::CONSOLE_SIGN_IN, Severity::High, reason);
        finding.next =
            "Find out who has the workload's credentials and how. Unless it was an agreed test: revoke the \
                        role's sessions, and look at what was done since."
                .into();
        return finding;
    }
    let from =
        call.record.additional_event_data.get("SwitchFrom").and_then(handsoff_cloudtrail::json::Raw::text);
    let from = from.map(|from| format!(" by switching from {}", show::clean(&from, 128))).unwrap_or_default();
    let reason = format!("Somebody signed in to the console of a production account{from}, {how}.");
    Finding::new(call, code, severity, reason)
}

fn workload(call: &Call<'_>, policy: &Policy, trace: &mut Trace) -> Verdict {
    let entry = call.principal.entry.and_then(|entry| policy.workloads.get(entry));
    let foreign = call.foreign_delegate(policy);
    if let Some(entry) = entry.filter(|_| foreign.is_none())
        && entry.may_write.iter().any(|pattern| pattern.matches(&call.action))
    {
        trace.step("rule workload-write", || format!("{} allows it", entry.line));
        return Verdict::Nothing(Disposition::WorkloadAllowed);
    }
    if matches!(call.class(), Some(Class::WayIn | Class::Commands)) {
        return written(call, policy, trace).into();
    }
    let line = match entry {
        Some(entry) if foreign.is_some() => {
            format!("{} lets no account act with it that [accounts] doesn't name", entry.line)
        }
        Some(entry) => format!("{} doesn't list the action under `may_write`", entry.line),
        None => format!("no [[workload]] entry names it ({})", call.principal.because),
    };
    trace.step("rule workload-write", || line.clone());
    let (severity, deputy) = with_deputy(call, policy);
    let outsider = Outsider::of(call, policy);
    let what = outsider.as_ref().map_or_else(|| did(call), Outsider::did);
    let reason = format!("A workload {what}{deputy}, and {line}.");
    let finding = Finding::new(call, code_of(call, codes::WORKLOAD_WRITE), severity, reason);
    if let Some(outsider) = outsider {
        return outsider.finding(finding).into();
    }
    match &call.instructed {
        Some(how) if finding.code == codes::WORKLOAD_WRITE => instructed(finding, how).into(),
        _ => finding.into(),
    }
}

/// The same where somebody let the workload's service act, not long before: it may be what they wanted.
fn instructed(mut finding: Finding, how: &str) -> Finding {
    finding.severity = finding.severity.max(Severity::Medium);
    finding.reason = format!("{} It may be for somebody else: {how}.", finding.reason);
    finding.next = "Ask who let the service act whether this was meant. If not: stop what they started, and undo. If so: \
                    bring it into code, through the pipeline."
        .into();
    finding
}

/// The code of a change that no entry allows: some kinds have one of their own.
fn code_of(call: &Call<'_>, other: Code) -> Code {
    if call.action.is_interactive() {
        codes::INTERACTIVE_ACCESS
    } else if keys::made(call).is_some() {
        codes::LONG_LIVED_KEY
    } else if trust::is_changed_by(&call.action) {
        codes::TRUST_CHANGED
    } else if call.class() == Some(Class::Guardrail) {
        codes::GUARDRAIL_CHANGED
    } else {
        other
    }
}

fn written_by_anybody(call: &Call<'_>) -> Finding {
    let reason = format!(
        "Anyone on the internet can do this: a call without AWS credentials made a change of access level \
         {}, and succeeded.",
        call.access()
    );
    let mut finding = Finding::new(call, codes::DRIFT_WRITE, call.severity_of_change(), reason);
    finding.next = "Find what allows callers without credentials, such as a bucket's policy or ACL, and \
                    close it; then undo what was written. There are no credentials to revoke and no person \
                    to ask."
        .into();
    finding
}

fn written(call: &Call<'_>, policy: &Policy, trace: &mut Trace) -> Finding {
    let lines: Vec<String> = policy.deploy.iter().take(4).map(|entry| entry.line.to_string()).collect();
    let deploy = match lines.as_slice() {
        [] => "the policy has no [[deploy]] entry".to_owned(),
        lines => format!("no [[deploy]] entry names it ({})", lines.join(", ")),
    };
    let without_mfa = mfa::is_absent(call);
    let code = code_of(call, if without_mfa { codes::WRITE_WITHOUT_MFA } else { codes::DRIFT_WRITE });
    trace
        .step(if code == codes::DRIFT_WRITE { "rule drift-write" } else { code.as_str() }, || deploy.clone());
    let who = match call.principal.kind {
        Kind::Human if without_mfa => "A person, in a session that began without MFA,",
        Kind::Human => "A person",
        Kind::Workload => "A workload",
        _ => "An identity that the policy doesn't know",
    };
    let outsider = Outsider::of(call, policy);
    let what = outsider.as_ref().map_or_else(|| did(call), Outsider::did);
    let by = call.principal.identity.invoking_service().filter(|service| *service != "AWS Internal");
    let by = by.map(|service| format!(" through {}", show::clean(service, 64))).unwrap_or_default();
    let (severity, deputy) = with_deputy(call, policy);
    // Nobody's daily work: the role is a workload's.
    let borrowed = call.principal.kind == Kind::Human && call.principal.entry.is_some();
    let severity = if borrowed || without_mfa { severity.max(Severity::Medium) } else { severity };
    let is_off = Attack::leaves_log_off(&call.action, &call.record);
    let log = if is_off { " With other attributes, the log is off now." } else { "" };
    let reason = format!("{who} {what}{by}{deputy}, and {deploy}.{log}");
    let finding = Finding::new(call, code, severity, reason);
    match outsider {
        Some(outsider) => outsider.finding(finding),
        None => finding,
    }
}

/// How urgent a change is, with what it lets act: a role of the pipeline or for emergencies is more than the change.
fn with_deputy(call: &Call<'_>, policy: &Policy) -> (Severity, String) {
    let severity = call.severity_of_change();
    match deputy::of(call, policy) {
        Some(deputy) if deputy.is_grave => (severity.max(Severity::High), deputy.words().to_owned()),
        Some(deputy) => (severity, deputy.words().to_owned()),
        None => (severity, String::new()),
    }
}

/// What was done, in words. Where AWS files a right under another access level, that alone would say too little.
fn did(call: &Call<'_>) -> String {
    if let Some(key) = keys::made(call) {
        return format!("made {key}, which has no end");
    }
    match call.class() {
        _ if call.action.is_interactive() => "opened access to a machine".into(),
        Some(Class::WayIn | Class::Commands) => "had commands run on machines".into(),
        Some(Class::Detection) => "hid findings of detection".into(),
        Some(Class::Identity) if call.access() != AccessLevel::PermissionsManagement => {
            "created an identity, or a key or password of one".into()
        }
        Some(Class::Permissions) if call.access() != AccessLevel::PermissionsManagement => {
            "changed permissions".into()
        }
        _ if trust::is_changed_by(&call.action) => "changed who may come in".into(),
        Some(Class::Guardrail) => "changed a guardrail".into(),
        Some(Class::Sharing) => "let principals outside the account use a resource".into(),
        Some(Class::Destruction) => "destroyed data, or what is needed to restore it".into(),
        Some(Class::Network) => "opened the network, or connected another one".into(),
        _ => format!("made a change of access level {}", call.access()),
    }
}

#[cfg(test)]
mod tests;
