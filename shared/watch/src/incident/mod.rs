//! Findings that belong together.
//!
//! An incident is a set: adding a finding twice, or in another order, gives the same incident. What it keeps
//! is bounded but for some forty bytes a finding: the findings to show are the few worst and earliest, and that
//! choice doesn't depend on the order either.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use handsoff_trail::Time;

use crate::alert::{Milestone, Reach};
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

/// Findings that belong together.
#[derive(Clone, Debug, Default)]
pub struct Incident {
    /// Its ID.
    pub id: String,
    /// All findings in short, each with its action's place in `actions`.
    pub(crate) marks: BTreeMap<Mark, usize>,
    actions: Vec<String>,
    /// The worst and earliest findings, the worst first.
    worst: Vec<Arc<Finding>>,
    /// The first finding of each severity: what an alert about a rise in severity tells.
    firsts: [Option<Arc<Finding>>; Severity::ALL.len()],
    /// The first finding of each code: what an alert about a violation tells.
    codes: BTreeMap<Code, Arc<Finding>>,
}

/// How many findings an incident keeps whole, to show them.
const SHOWN: usize = 6;

impl Incident {
    /// An incident without findings.
    pub fn new(id: String) -> Self {
        Self { id, ..Self::default() }
    }

    /// Adds a finding. Adding it again changes nothing.
    pub fn add(&mut self, finding: Finding) {
        let Finding { known, time, key, severity, code, .. } = finding;
        let action = self.action(&finding.action);
        self.marks.insert(Mark { known, time, key, severity, code }, action);
        self.keep(&Arc::new(finding));
    }

    /// Adds all findings of another part of the same incident.
    pub fn merge(&mut self, other: Self) {
        let actions: Vec<usize> = other.actions.iter().map(|action| self.action(action)).collect();
        for (mark, action) in other.marks {
            self.marks.insert(mark, actions.get(action).copied().unwrap_or_default());
        }
        let kept = other.worst.iter().chain(other.firsts.iter().flatten()).chain(other.codes.values());
        for finding in kept {
            self.keep(finding);
        }
    }

    fn action(&mut self, action: &str) -> usize {
        self.actions.iter().position(|known| known == action).unwrap_or_else(|| {
            self.actions.push(action.to_owned());
            self.actions.len() - 1
        })
    }

    /// Keeps a finding if it is among those to show. What is kept in the end doesn't depend on the order.
    fn keep(&mut self, finding: &Arc<Finding>) {
        if let Some(first) = self.firsts.get_mut(finding.severity as usize)
            && first.as_ref().is_none_or(|first| (finding.order(), &**finding) < (first.order(), &**first))
        {
            *first = Some(Arc::clone(finding));
        }
        let first = self.codes.entry(finding.code).or_insert_with(|| Arc::clone(finding));
        if (finding.order(), &**finding) < (first.order(), &**first) {
            *first = Arc::clone(finding);
        }
        match self
            .worst
            .binary_search_by(|kept| rank(kept).cmp(&rank(finding)).then_with(|| kept.cmp(finding)))
        {
            Ok(_) => return,
            Err(place) => self.worst.insert(place, Arc::clone(finding)),
        }
        // Of two that hand-made logs give the same key, the same one stays whichever came first.
        self.worst.dedup_by(|a, b| rank(a) == rank(b));
        self.worst.truncate(SHOWN);
    }

    /// The finding to tell when an incident has reached a severity: of those within, the first that has it,
    /// else the first that ever had.
    pub fn lead_of(&self, severity: Severity, within: impl Fn(&Finding) -> bool) -> Option<&Finding> {
        let kept = self.firsts.iter().flatten().chain(&self.worst).filter(|it| it.severity == severity);
        kept.filter(|finding| within(finding))
            .min_by_key(|finding| finding.order())
            .or(self.firsts.get(severity as usize)?.as_ref())
            .map(|finding| &**finding)
    }

    /// The finding to tell by a message about these milestones: a violation's own, else that of the opening, else
    /// as [`Self::lead_of`].
    pub fn lead_for(
        &self,
        tells: &BTreeSet<Milestone>,
        severity: Severity,
        within: impl Fn(&Finding) -> bool,
    ) -> Option<&Finding> {
        let first = |code: &Code| self.codes.get(code).map(|finding| &**finding).filter(|it| within(it));
        let opening = tells.contains(&Milestone::Opened);
        let codes = tells.iter().filter_map(|it| match it {
            Milestone::Code(code, _) if !opening => Some(first(code)?),
            _ => None,
        });
        let own = codes.max_by_key(|finding| (finding.severity, Reverse(finding.order())));
        let begun = || [Code::GlassOpened, Code::RootActivity].iter().find_map(first).filter(|_| opening);
        let closed = || first(&Code::GlassClosed).filter(|_| tells.contains(&Milestone::Closed));
        own.or_else(begun).or_else(closed).or_else(|| self.lead_of(severity, &within))
    }

    /// How many findings it has, verdicts on a session as a whole left out.
    pub fn count(&self) -> usize {
        self.marks.keys().filter(|mark| !mark.code.is_about_session()).count()
    }

    /// What there is to tell.
    pub fn reach(&self) -> Reach {
        let mut reach = Reach::new(&self.id);
        for mark in self.marks.keys() {
            reach.add(mark.code, mark.severity);
        }
        reach
    }

    /// The highest severity among its findings.
    pub fn severity(&self) -> Severity {
        self.marks.keys().map(|mark| mark.severity).max().unwrap_or(Severity::Info)
    }

    /// The finding to name the incident by: the worst, of these the earliest.
    pub fn lead(&self) -> Option<&Finding> {
        self.worst.first().map(|finding| &**finding)
    }

    /// The first finding on a call.
    pub fn first(&self) -> Option<&Finding> {
        let kept = self.codes.values().filter(|finding| !finding.code.is_about_session());
        kept.min_by_key(|finding| finding.order()).map(|finding| &**finding)
    }

    /// The worst and earliest findings, at most six, the worst first.
    pub fn worst(&self) -> impl Iterator<Item = &Finding> {
        self.worst.iter().map(|finding| &**finding)
    }

    /// The first and the last time among its findings.
    pub fn times(&self) -> Option<(Time, Time)> {
        let times = || self.marks.keys().filter_map(|mark| mark.time);
        Some((times().min()?, times().max()?))
    }

    /// How many findings there are of each code and severity.
    pub fn counts(&self) -> BTreeMap<(Code, Severity), usize> {
        let mut counts = BTreeMap::new();
        for mark in self.marks.keys() {
            *counts.entry((mark.code, mark.severity)).or_insert(0) += 1;
        }
        counts
    }

    /// How many findings there are of each action, the most frequent first.
    pub fn actions(&self) -> Vec<(&str, usize)> {
        // One event may have findings of two codes, and is one call all the same.
        let calls = self.marks.iter().filter(|(mark, _)| !mark.code.is_about_session());
        let events: BTreeSet<(usize, Key)> = calls.map(|(mark, action)| (*action, mark.key)).collect();
        let mut actions: Vec<_> = self.actions.iter().map(|action| (action.as_str(), 0)).collect();
        for (action, _) in events {
            if let Some((_, count)) = actions.get_mut(action) {
                *count += 1;
            }
        }
        actions.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        actions
    }

    /// The worst incident first, then the earliest; never two the same.
    pub fn order(&self) -> (Reverse<Severity>, Option<Time>, &str) {
        (Reverse(self.severity()), self.times().map(|times| times.0), &self.id)
    }
}

impl Extend<Finding> for Incident {
    fn extend<F: IntoIterator<Item = Finding>>(&mut self, findings: F) {
        for finding in findings {
            self.add(finding);
        }
    }
}

/// What is to be shown first: the worst, of these the earliest.
fn rank(finding: &Finding) -> (Reverse<Severity>, Option<Time>, Key, Code) {
    (Reverse(finding.severity), finding.time, finding.key, finding.code)
}

#[cfg(test)]
mod tests;
