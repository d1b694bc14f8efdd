//! What a story is made from.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use handsoff_cloudtrail::Time;

use super::issued::Issued;
use crate::earlier::Brief;
use crate::incident::Incident;
use crate::links::Made;
use crate::severity::Severity;
use crate::ties::Identity;

/// The actions of an incident up to a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actions {
    /// How many different ones.
    pub count: usize,
    /// The gravest, and how grave it is; the first of several.
    pub gravest: Option<(Severity, String)>,
}

impl Actions {
    /// Those of an incident's findings.
    pub fn of(incident: &Incident, until: Option<Time>) -> Self {
        let seen: Vec<Brief<'_>> = incident.briefs().filter(|finding| finding.time <= until).collect();
        let gravest =
            seen.iter().max_by_key(|finding| (finding.severity, Reverse((finding.time, finding.action))));
        Self {
            count: seen.iter().map(|finding| finding.action).collect::<BTreeSet<&str>>().len(),
            gravest: gravest.map(|finding| (finding.severity, finding.action.to_owned())),
        }
    }
}

/// What is known of all incidents, up to a time.
#[expect(async_fn_in_trait, reason = "functions run on one thread")]
pub trait Facts {
    /// Why something can't be looked up.
    type Error;

    /// Who made an identity.
    async fn made(&self, what: &Identity) -> Result<Vec<Made>, Self::Error>;

    /// In which incidents an identity acts.
    async fn used(&self, who: &Identity, until: Option<Time>) -> Result<BTreeSet<String>, Self::Error>;

    /// The actions of an incident.
    async fn actions(&self, incident: &str, until: Option<Time>) -> Result<Actions, Self::Error>;

    /// In which incidents something succeeded that the principal of these denied calls did on their day.
    async fn worked(&self, denials: &str, until: Option<Time>) -> Result<BTreeSet<String>, Self::Error>;

    /// Who issued a session.
    async fn issued(&self, session: &Identity) -> Result<Vec<Issued>, Self::Error>;
}
