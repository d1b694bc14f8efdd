//! What saved logs say of resources, event by event.

use std::borrow::Cow;

use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::{Record, Time};
use handsoff_core::{Call, Disposition, Key, Owner, Policy};
use handsoff_ledger::accept::ACCEPTANCE;
use handsoff_ledger::{Accepted, Ledger, of};

/// Adds what a record says. `known`: the reason why there is nothing to report of it, where that is known already.
pub(crate) fn record(record: &Record<'_>, known: Option<Disposition>, policy: &Policy, ledger: &mut Ledger) {
    // What a deploy role changes is no finding, and ends what was changed by hand.
    if !matches!(known, None | Some(Disposition::Expected)) {
        return;
    }
    let call = Call::classify(*record, policy, &mut ());
    let finding = match call.owner(policy) {
        Owner::Drift => handsoff_drift::judge(&call, policy, &mut ()).ok(),
        Owner::BreakGlass => Some(handsoff_break_glass::judge(&call, policy, &mut ())),
        Owner::DenySpike | Owner::Nobody(_) => None,
    };
    let observed = of(&call, policy, finding.as_ref());
    if let Some(action) = observed.unknown {
        ledger.add_unknown(action, Key::of(record).0);
    }
    for observation in observed.observations {
        ledger.add(observation);
    }
}

/// Adds an acceptance. `None`: the event is none.
///
/// # Errors
/// When it can't be read.
pub(crate) fn acceptance(object: Raw<'_>, ledger: &mut Ledger) -> Option<Result<(), String>> {
    let text = |key| object.get(key).and_then(Raw::text);
    if text("detail-type")? != Cow::Borrowed(ACCEPTANCE) {
        return None;
    }
    let detail = object.get("detail").unwrap_or_default();
    let came = text("time").and_then(|time| Time::parse(&time));
    let read = Accepted::read(detail.as_str(), &text("account").unwrap_or_default(), came);
    Some(read.map(|observation| ledger.add(observation)).map_err(|error| error.to_string()))
}
