//! What digests say beside findings: in which minutes exceptions covered calls, and what was changed by hand and is open.

use std::collections::{BTreeMap, BTreeSet};

use handsoff_cloudtrail::Time;
use handsoff_cloudtrail::json::Raw;
use handsoff_core::alert::Note;
use handsoff_core::policy::exceptions;
use handsoff_core::{Call, Policy, Verdict};
use handsoff_ledger::Ledger;
use handsoff_ledger::accept::AcceptanceError;

use crate::drift::observe;

/// A set: to add something again, or in another order, changes nothing.
#[derive(Debug, Default)]
pub struct DigestNotes {
    ledger: Ledger,
    /// By the end of the digest and the place of the exception in the policy.
    minutes: BTreeMap<(Time, usize), BTreeSet<Time>>,
}

impl DigestNotes {
    /// Adds what a call says of resources, and that an exception covered it.
    pub(super) fn call(&mut self, call: &Call<'_>, verdict: &Verdict, policy: &Policy) {
        observe::call(call, verdict, policy, &mut self.ledger);
        if let (Verdict::Excepted(place), Some(time)) = (verdict, call.time)
            && let Some(until) = policy.alerts.digest.after(time)
        {
            self.minutes.entry((until, *place)).or_default().insert(exceptions::minute(time));
        }
    }

    /// Adds an acceptance, if an event is one.
    ///
    /// # Errors
    /// When it is one, and can't be read.
    pub(super) fn event(&mut self, object: Raw<'_>) -> Result<(), AcceptanceError> {
        observe::acceptance(object, &mut self.ledger).unwrap_or(Ok(()))
    }

    /// Takes over another.
    pub(super) fn merge(&mut self, other: Self) {
        self.ledger.merge(other.ledger);
        for (key, minutes) in other.minutes {
            self.minutes.entry(key).or_default().extend(minutes);
        }
    }

    /// What the digest that ends at a time says.
    pub(crate) fn notes(&self, policy: &Policy, until: Time) -> Vec<Note> {
        let count = |place| self.minutes.get(&(until, place)).map_or(0, BTreeSet::len);
        let minutes: Vec<usize> = (0..policy.exceptions.len()).map(count).collect();
        let mut notes = exceptions::notes(policy, &minutes, until);
        notes.extend(handsoff_ledger::notes(&self.ledger, &policy.cases, until));
        notes
    }
}
