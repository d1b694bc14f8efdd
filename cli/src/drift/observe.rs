//! What saved logs say of resources, call by call.

use std::borrow::Cow;

use handsoff_cloudtrail::Time;
use handsoff_cloudtrail::json::Raw;
use handsoff_core::{Call, Key, Policy, Verdict};
use handsoff_ledger::accept::{ACCEPTANCE, AcceptanceError};
use handsoff_ledger::{Accepted, Ledger, of};

/// Adds what a call says, and the verdict on it.
pub(crate) fn call(call: &Call<'_>, verdict: &Verdict, policy: &Policy, ledger: &mut Ledger) {
    let observed = of(call, policy, verdict);
    if let Some(action) = observed.unknown {
        ledger.add_unknown(action, Key::of(&call.record).0);
    }
    for observation in observed.observations {
        ledger.add(observation);
    }
}

/// Adds an acceptance. `None`: the event is none.
///
/// # Errors
/// When it can't be read.
pub(crate) fn acceptance(object: Raw<'_>, ledger: &mut Ledger) -> Option<Result<(), AcceptanceError>> {
    let text = |key| object.get(key).and_then(Raw::text);
    if text("detail-type")? != Cow::Borrowed(ACCEPTANCE) {
        return None;
    }
    let detail = object.get("detail").unwrap_or_default();
    let came = text("time").and_then(|time| Time::parse(&time));
    let read = Accepted::read(detail.as_str(), &text("account").unwrap_or_default(), came);
    Some(read.map(|observation| ledger.add(observation)))
}
