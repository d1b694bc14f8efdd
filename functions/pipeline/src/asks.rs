//! What the rules ask of a call.

use handsoff_cloudtrail::json::Raw;
use handsoff_core::deputy;
use handsoff_core::policy::Policy;
use handsoff_core::{Call, Kind, Severity, show};

/// How severe a change is at least by the role that it lets a service act with, and what it lets act: as drift says it.
pub(crate) fn lets_act(call: &Call<'_>, policy: &Policy) -> (Severity, String) {
    match deputy::of(call, policy) {
        Some(deputy) if deputy.is_grave => (Severity::High, deputy.words().to_owned()),
        Some(deputy) => (Severity::Medium, deputy.words().to_owned()),
        None => (Severity::Medium, String::new()),
    }
}

/// Whether the pipeline makes a call: it is the one that changes production.
pub(crate) fn is_by_pipeline(call: &Call<'_>) -> bool {
    call.principal.kind == Kind::DeployRole
}

/// Who made a call, at the beginning of a sentence.
pub(crate) fn who(call: &Call<'_>) -> &'static str {
    match call.principal.kind {
        Kind::Human => "A person",
        Kind::DeployRole => "A deploy role",
        Kind::Workload => "A workload",
        _ => "An identity that the policy doesn't know",
    }
}

/// A parameter of a call as text.
pub(crate) fn asked(call: &Call<'_>, key: &str) -> Option<String> {
    call.record.request_parameters.get(key).and_then(Raw::text).map(std::borrow::Cow::into_owned)
}

/// A parameter as it is shown: its caller chose it.
pub(crate) fn shown(call: &Call<'_>, key: &str) -> String {
    let text = asked(call, key).map(|text| show::clean(&text, 64));
    text.map_or_else(|| "(not in the record)".to_owned(), |text| format!("`{text}`"))
}
