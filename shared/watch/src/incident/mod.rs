//! Findings that belong together.
//!
//! An incident is a set: adding a finding twice, or in another order, gives the same incident. What it keeps
//! is bounded but for some forty bytes a finding: the findings to show are the few worst and earliest, and that
//! choice doesn't depend on the order either.

mod id;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use handsoff_trail::Time;

pub use id::{denial_group, id};

use crate::code::Code;
use crate::finding::{Finding, Key};
use crate::severity::Severity;

/// What an incident remembers of each of its findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark {
    pub(crate) known: Option<Time>,
    pub(crate) time: Option<Time>,
    pub(crate) key: Key,
    pub(crate) severity: Severity,
    pub(crate) code: Code,
}

/// Orders findings by what is to be shown first: the worst, of these the earliest.
type Rank = (std::cmp::Reverse<Severity>, Option<Time>, Key, Code);

/// Findings that belong together.
#[derive(Clone, Debug)]
pub struct Incident {
    /// Its ID.
    pub id: String,
    pub(crate) marks: BTreeSet<Mark>,
    /// The worst and earliest findings, the worst first.
    worst: BTreeMap<Rank, Arc<Finding>>,
    /// The first finding of each severity: what an alert about a rise in severity tells.
    firsts: BTreeMap<Severity, Arc<Finding>>,
    /// The findings of each action; of more than 200 actions the first in the alphabet.
    actions: BTreeMap<String, BTreeSet<Key>>,
}

/// How many findings an incident keeps whole, to show them.
const SHOWN: usize = 12;
/// How many different actions an incident tells apart.
const ACTIONS: usize = 200;

impl Incident {
    /// An incident without findings.
    pub fn new(id: String) -> Self {
        Self {
            id,
            marks: BTreeSet::new(),
            worst: BTreeMap::new(),
            firsts: BTreeMap::new(),
            actions: BTreeMap::new(),
        }
    }

    /// Adds a finding. Adding it again changes nothing.
    pub fn add(&mut self, finding: Finding) {
        let Finding { known, time, key, severity, code, .. } = finding;
        self.marks.insert(Mark { known, time, key, severity, code });
        self.actions.entry(finding.action.clone()).or_default().insert(key);
        let finding = Arc::new(finding);
        self.add_first(&finding);
        self.add_worst(finding);
        self.bound();
    }

    fn add_worst(&mut self, finding: Arc<Finding>) {
        let order = (std::cmp::Reverse(finding.severity), finding.time, finding.key, finding.code);
        match self.worst.get_mut(&order) {
            Some(same) if *same <= finding => {}
            Some(same) => *same = finding,
            None => drop(self.worst.insert(order, finding)),
        }
    }

    fn add_first(&mut self, finding: &Arc<Finding>) {
        match self.firsts.get(&finding.severity) {
            Some(first) if (first.order(), &**first) <= (finding.order(), &**finding) => {}
            _ => {
                self.firsts.insert(finding.severity, Arc::clone(finding));
            }
        }
    }

    /// Drops what is beyond the bounds: always from the same end, so that what stays doesn't depend on the
    /// order in which it came.
    fn bound(&mut self) {
        while self.worst.len() > SHOWN {
            self.worst.pop_last();
        }
        while self.actions.len() > ACTIONS {
            self.actions.pop_last();
        }
    }

    /// Adds all findings of another part of the same incident.
    pub fn merge(&mut self, other: Self) {
        self.marks.extend(other.marks);
        for (action, keys) in other.actions {
            self.actions.entry(action).or_default().extend(keys);
        }
        for first in other.firsts.values() {
            self.add_first(first);
        }
        other.worst.into_values().for_each(|finding| self.add_worst(finding));
        self.bound();
    }

    /// The finding that first had this severity.
    pub(crate) fn first_of(&self, severity: Severity) -> Option<&Finding> {
        self.firsts.get(&severity).map(|finding| &**finding)
    }

    /// How many findings it has.
    pub fn count(&self) -> usize {
        self.marks.len()
    }

    /// The highest severity among its findings.
    pub fn severity(&self) -> Severity {
        self.marks.iter().map(|mark| mark.severity).max().unwrap_or(Severity::Info)
    }

    /// The finding to name the incident by: the worst, of these the earliest.
    pub fn lead(&self) -> Option<&Finding> {
        self.worst.values().next().map(|finding| &**finding)
    }

    /// The worst and earliest findings, at most twelve, the worst first.
    pub fn worst(&self) -> impl Iterator<Item = &Finding> {
        self.worst.values().map(|finding| &**finding)
    }

    /// The first and the last time among its findings.
    pub fn times(&self) -> Option<(Time, Time)> {
        let times = || self.marks.iter().filter_map(|mark| mark.time);
        Some((times().min()?, times().max()?))
    }

    /// How many findings there are of each code and severity.
    pub fn counts(&self) -> BTreeMap<(Code, Severity), usize> {
        let mut counts = BTreeMap::new();
        for mark in &self.marks {
            *counts.entry((mark.code, mark.severity)).or_insert(0) += 1;
        }
        counts
    }

    /// How many findings there are of each action, the most frequent first.
    pub fn actions(&self) -> Vec<(&str, usize)> {
        let mut actions: Vec<_> =
            self.actions.iter().map(|(action, keys)| (action.as_str(), keys.len())).collect();
        actions.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        actions
    }

    /// The worst incident first, then the earliest; never two the same.
    pub fn order(&self) -> (std::cmp::Reverse<Severity>, Option<Time>, &str) {
        (std::cmp::Reverse(self.severity()), self.times().map(|times| times.0), &self.id)
    }
}
