//! Acceptances: somebody answers for what was changed by hand, as an event `Drift Acceptance` on the bus brings it.

use handsoff_cloudtrail::Time;
use handsoff_core::show::clean;
use handsoff_core::show::unquoted;
use serde::{Deserialize, Serialize};

use crate::acceptance::Acceptance;
use crate::observation::{Observation, What};
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
