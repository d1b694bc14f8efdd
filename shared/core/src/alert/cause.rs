//! Why a message is sent.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::milestone::Milestone;

/// Why an alert is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Cause {
    /// The period's first finding that is severe enough to be sent.
    Opened,
    /// A finding more severe than all before; in a break-glass session also a violation, and an escalation.
    Worse,
    /// The 10th, 100th, 1,000th, 10,000th finding.
    More,
    /// Nothing was added for a while.
    Closed,
    /// Incidents of a storm, which are not alerted one by one. Only deployed: a replay tells each.
    Summary,
    /// What woke nobody, once a day.
    Digest,
}

impl Cause {
    /// Why a message is sent that tells these milestones, when those were reported before.
    pub fn of(tells: &BTreeSet<Milestone>, told: &BTreeSet<Milestone>) -> Self {
        let severity = |set: &BTreeSet<Milestone>| {
            let is = |it: &Milestone| {
                matches!(it, Milestone::Severity(_) | Milestone::Opened | Milestone::Topic(..))
            };
            set.iter().any(is)
        };
        match (tells.contains(&Milestone::Closed), severity(tells), severity(told)) {
            (true, ..) => Self::Closed,
            (_, true, false) => Self::Opened,
            (_, true, true) => Self::Worse,
            (_, false, _) => Self::More,
        }
    }

    /// The name in every output.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
