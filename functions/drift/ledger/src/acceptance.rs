//! An acceptance: somebody answers for what was changed by hand.

use handsoff_cloudtrail::Time;
use handsoff_core::person::is_same;
use handsoff_core::policy::Cases;
use serde::{Deserialize, Serialize};

/// An acceptance, as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Acceptance {
    /// Who answers for it.
    pub owner: String,
    /// Why it may stay.
    pub reason: String,
    /// Until when it holds.
    pub until: Option<Time>,
    /// The account that sent the event: `EventBridge` writes it, no sender can choose it. Empty for one that no bus brought.
    pub sent_from: String,
}

impl Acceptance {
    /// Why the policy doesn't let its owner accept anything, if so.
    pub(crate) fn is_refused(&self, cases: &Cases) -> Option<String> {
        let from = &cases.approvals_from;
        if !self.sent_from.is_empty() && !from.is_empty() && !from.contains(&self.sent_from) {
            return Some(format!(
                "sent from account {}, which `approvals_from` of [cases] doesn't list",
                self.sent_from
            ));
        }
        let listed = |listed: &String| is_same(listed, &self.owner);
        (!cases.approvers.is_empty() && !cases.approvers.iter().any(listed))
            .then(|| format!("{} isn't one of the `approvers` of [cases]", self.owner))
    }

    /// Whether it holds at a time.
    pub(crate) fn holds(&self, now: Time) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}
