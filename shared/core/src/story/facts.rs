//! What a story is made from.

use std::collections::BTreeSet;

use handsoff_cloudtrail::Time;

use super::issued::Issued;
use crate::links::Made;
use crate::ties::Identity;

/// What is known of all incidents, up to a time.
#[expect(async_fn_in_trait, reason = "functions run on one thread")]
pub trait Facts {
    /// Why something can't be looked up.
    type Error;

    /// Who made an identity.
    async fn made(&self, what: &Identity) -> Result<Vec<Made>, Self::Error>;

    /// In which incidents an identity acts.
    async fn used(&self, who: &Identity, until: Option<Time>) -> Result<BTreeSet<String>, Self::Error>;

    /// How many actions an incident of denied calls has.
    async fn denied(&self, incident: &str, until: Option<Time>) -> Result<usize, Self::Error>;

    /// Who issued a session.
    async fn issued(&self, session: &Identity) -> Result<Vec<Issued>, Self::Error>;
}
