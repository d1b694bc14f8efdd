//! Acceptances: somebody answers for what was changed by hand, as an event `Drift Acceptance` on the bus brings it.

use handsoff_cloudtrail::Time;
use handsoff_core::person::{is_same, may_be};
use handsoff_core::policy::Cases;
use handsoff_core::show::clean;
use handsoff_core::show::unquoted;
use serde::{Deserialize, Serialize};

use crate::item::Terms;
use crate::observation::{Hand, Observation, What};
use crate::resource::Resource;

/// The `detail-type` of the event that carries an acceptance.
pub const ACCEPTANCE: &str = "Drift Acceptance";

/// What the event's `detail` has to hold. Unknown keys are mistakes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// The resource.
    pub resource: Resource,
    /// Who answers for it.
    pub owner: String,
    /// Why it may stay.
    pub reason: String,
    /// When: it covers what was changed up to then.
    pub time: Time,
    /// Until when it holds. Left out: for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}

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

/// What is wrong with what an acceptance says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AcceptedError {
    /// A field is empty, too long or not printable.
    #[error("`{0}` has to be a text of 1 to 256 printable characters")]
    Text(&'static str),
    /// It ends before it begins.
    #[error("`until` has to be later than the acceptance")]
    Until,
}

/// Why an event is no acceptance.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AcceptanceError {
    /// Its `detail` isn't in the form of one, as [`unquoted`] says it.
    #[error("no acceptance: {0}")]
    Form(String),
    /// What it says is wrong.
    #[error("no acceptance: {0}")]
    Accepted(#[from] AcceptedError),
}

impl Accepted {
    /// What is wrong with it, if anything.
    ///
    /// # Errors
    /// The first mistake.
    pub fn check(&self) -> Result<(), AcceptedError> {
        for (name, value) in [("owner", &self.owner), ("reason", &self.reason)] {
            if value.trim().is_empty() || value.len() > 256 || clean(value, 256) != *value {
                return Err(AcceptedError::Text(name));
            }
        }
        if self.until.is_some_and(|until| until <= self.time) {
            return Err(AcceptedError::Until);
        }
        Ok(())
    }

    /// Reads the `detail` of an event that an account sent, and that came at a time: what is accepted was there before.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(detail: &str, sent_from: &str, came: Option<Time>) -> Result<Observation, AcceptanceError> {
        let accepted: Self =
            serde_json::from_str(detail).map_err(|error| AcceptanceError::Form(unquoted(&error)))?;
        accepted.check()?;
        // A sender who writes a later time would accept what is yet to come.
        let time = came.map_or(accepted.time, |came| came.min(accepted.time));
        let event = format!("{} {}", accepted.time, accepted.owner);
        let Self { resource, owner, reason, until, .. } = accepted;
        let acceptance = Acceptance { owner, reason, until, sent_from: clean(sent_from, 32) };
        Ok(Observation { resource, time, event, what: What::Accepted(acceptance) })
    }
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

    /// Whether it is about a change that may be its owner's own.
    pub(crate) fn is_own(&self, hand: &Hand) -> bool {
        let names = [Some(&hand.by), hand.human.as_ref()];
        names.into_iter().flatten().any(|name| may_be(name, &self.owner))
    }

    /// Whether it holds at the time.
    pub(crate) fn holds(&self, terms: &Terms<'_>) -> bool {
        self.until.is_none_or(|until| terms.now < until)
    }
}
