//! What an incident has to do with a story: the identities that its calls were made as, and those that they made.

use std::collections::BTreeMap;

use handsoff_cloudtrail::Time;
use serde::{Deserialize, Serialize};

use crate::group;
use crate::reported::ReportedRef;
use crate::thread::{denials_of, thread, worked_around};
use crate::ties::Identity;

/// Who made an identity, when, and in which incident.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Made {
    /// When.
    pub at: Option<Time>,
    /// Its maker's name.
    pub by: String,
    /// Its maker's incident.
    pub incident: String,
    /// The thread of that one's alerts.
    pub thread: String,
    /// What its maker called as.
    pub acts: Vec<Identity>,
    /// The incident of the denied calls that its maker made on that day.
    pub denials: Option<String>,
}

impl Made {
    /// What a finding's call made, and by whom.
    pub fn by(finding: ReportedRef<'_>) -> Option<(&Identity, Self)> {
        let what = finding.ties().makes.as_ref()?;
        let made = Self {
            at: finding.time(),
            by: finding.principal().name.clone(),
            incident: finding.incident().to_owned(),
            thread: thread(finding),
            acts: finding.ties().acts.clone(),
            denials: denials_of(finding),
        };
        Some((what, made))
    }
}

/// So many identities are kept of an incident: of a flood of new ones those of the first names.
pub(crate) const KEPT: usize = 50;

/// The identities that an incident's calls were made as and have made, and the denied calls of the same principals: sets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// The first and the last time of a call.
    pub(crate) acts: BTreeMap<Identity, (Option<Time>, Option<Time>)>,
    pub(crate) makes: BTreeMap<Identity, Made>,
    /// The incidents of the denied calls of its principals and days, and the first time of a call: of denied calls for each, of
    /// others for what succeeded.
    pub(crate) denials: BTreeMap<String, Option<Time>>,
}

impl Links {
    /// Adds what a finding has to do with it.
    pub(crate) fn add(&mut self, finding: ReportedRef<'_>) {
        for who in &finding.ties().acts {
            self.act(who, finding.time(), finding.time());
        }
        if let Some((what, made)) = Made::by(finding) {
            self.make(what, made);
        }
        let of_denials = group::is_denials(finding.incident());
        let denials = if of_denials { denials_of(finding) } else { worked_around(finding) };
        if let Some(denials) = denials {
            self.deny(&denials, finding.time());
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (who, (first, last)) in &other.acts {
            self.act(who, *first, *last);
        }
        for (what, made) in &other.makes {
            self.make(what, made.clone());
        }
        for (denials, first) in &other.denials {
            self.deny(denials, *first);
        }
    }

    fn deny(&mut self, denials: &str, first: Option<Time>) {
        match self.denials.get_mut(denials) {
            Some(known) => *known = (*known).min(first),
            None => drop(self.denials.insert(denials.to_owned(), first)),
        }
        if self.denials.len() > KEPT {
            self.denials.pop_last();
        }
    }

    pub(crate) fn act(&mut self, who: &Identity, first: Option<Time>, last: Option<Time>) {
        match self.acts.get_mut(who) {
            Some(times) => *times = (times.0.min(first), times.1.max(last)),
            None => {
                self.acts.insert(who.clone(), (first, last));
            }
        }
        if self.acts.len() > KEPT {
            self.acts.pop_last();
        }
    }

    pub(crate) fn make(&mut self, what: &Identity, made: Made) {
        if self.makes.get(what).is_none_or(|known| made < *known) {
            self.makes.insert(what.clone(), made);
        }
        if self.makes.len() > KEPT {
            self.makes.pop_last();
        }
    }
}
