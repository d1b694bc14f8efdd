//! All grants that are known, found by what they are for.
//!
//! A session asks for those of its role and person that hold when it begins, and doesn't go through the others: with
//! thousands of grants and thousands of sessions each pair would be looked at otherwise, several times.

use std::collections::{BTreeSet, HashMap};

use handsoff_cloudtrail::Time;
use handsoff_core::policy::Cases;

use crate::grant::Grant;
use handsoff_core::person::filed;

/// How many grants before a time and behind it are looked at for the nearest one, of each kind.
const NEAR: usize = 16;

/// How many grants of one person and role are looked at one by one, the last to begin, where the one that holds
/// longest was approved by somebody that the session may be.
const ONE_BY_ONE: usize = 64;

/// The grants that a policy accepts: a set.
#[derive(Debug, Default)]
pub struct Grants {
    all: Vec<Grant>,
    lists: HashMap<Key, List>,
}

/// What grants are found by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    /// All.
    Any,
    /// The role's account, and the role as the grant names it.
    Role(String, String),
    /// A form of the requester's name.
    Person(String),
    /// Account, role, and a form of the requester's name.
    Both(String, String, String),
}

/// Grants of a key.
#[derive(Debug, Default)]
struct List {
    /// By the time from which they can cover a session that begins then.
    covering: Line,
    /// By the time from which they can extend another.
    extending: Line,
}

/// Grants by a time.
#[derive(Debug, Default)]
struct Line(Vec<Step>);

#[derive(Debug)]
struct Step {
    at: Time,
    grant: usize,
    /// Whether a listed approver gave it who isn't the requester.
    approved: bool,
    /// Of the line up to here the approved one that holds longest.
    longest: Option<usize>,
}

impl Grants {
    /// The grants that the policy accepts of these.
    pub fn new(grants: impl IntoIterator<Item = Grant>, cases: &Cases) -> Self {
        let accepted = grants.into_iter().filter(|grant| grant.is_accepted(cases));
        // Of several that serve equally well the same one is found, whatever came first.
        let all: Vec<Grant> = accepted.collect::<BTreeSet<Grant>>().into_iter().collect();
        let mut lists: HashMap<Key, List> = HashMap::new();
        for (index, grant) in all.iter().enumerate() {
            let approved = grant.is_by_approver(cases) && !grant.is_self_approved();
            let step = |at| Step { at, grant: index, approved, longest: None };
            let late = grant.issued - cases.patience;
            for key in keys(grant) {
                let list = lists.entry(key).or_default();
                list.covering.0.push(step(grant.from.max(late)));
                list.extending.0.push(step(grant.from.max(grant.issued)));
            }
        }
        for list in lists.values_mut() {
            list.covering.arrange(&all);
            list.extending.arrange(&all);
        }
        Self { all, lists }
    }

    /// The grant that covers a session's beginning and holds longest, of these keys, by an approver who is
    /// acceptable.
    pub(crate) fn approved(&self, keys: &[Key], at: Time, is_fit: impl Fn(&Grant) -> bool) -> Option<&Grant> {
        let lists = keys.iter().filter_map(|key| self.lists.get(key));
        let longest = lists.filter_map(|list| list.covering.longest(&self.all, at, at, &is_fit)).max();
        longest.and_then(|(_, grant)| self.all.get(grant))
    }

    /// The grant that covers a session's beginning and holds longest, of these keys, by any approver, if it is
    /// fit.
    pub(crate) fn covering(&self, keys: &[Key], at: Time, is_fit: impl Fn(&Grant) -> bool) -> Option<&Grant> {
        let lists = keys.iter().filter_map(|key| self.lists.get(key));
        let steps = lists.flat_map(|list| list.covering.last(at)).map(|step| step.grant);
        let longest = steps.filter_map(|index| {
            looked_at();
            let grant = self.all.get(index).filter(|grant| at < grant.until && is_fit(grant))?;
            Some((grant.until, index))
        });
        longest.max().and_then(|(_, grant)| self.all.get(grant))
    }

    /// Until when a grant of these keys holds longest that begins, and is given, before a time.
    pub(crate) fn extending(
        &self,
        keys: &[Key],
        until: Time,
        is_fit: impl Fn(&Grant) -> bool,
    ) -> Option<Time> {
        let lists = keys.iter().filter_map(|key| self.lists.get(key));
        let longest = lists.filter_map(|list| list.extending.longest(&self.all, until, until, &is_fit)).max();
        longest.map(|(until, _)| until)
    }

    /// Grants of these keys that begin around a time, in the order of the set; the last ones, if it isn't known.
    pub(crate) fn near(&self, keys: &[Key], at: Option<Time>) -> impl Iterator<Item = &Grant> {
        let mut near = BTreeSet::new();
        for list in keys.iter().filter_map(|key| self.lists.get(key)) {
            let steps = &list.covering.0;
            let begun = at.map_or(steps.len(), |at| list.covering.begun(at));
            let around = begun.saturating_sub(NEAR)..begun.saturating_add(NEAR).min(steps.len());
            near.extend(steps.get(around).unwrap_or_default().iter().map(|step| step.grant));
        }
        near.into_iter().filter_map(|grant| {
            looked_at();
            self.all.get(grant)
        })
    }
}

impl Line {
    fn arrange(&mut self, all: &[Grant]) {
        self.0.sort_by_key(|step| (step.at, step.grant));
        let held = |index: usize| all.get(index).map(|grant| (grant.until, index));
        let mut longest = None;
        for step in &mut self.0 {
            if step.approved {
                longest = longest.max(held(step.grant));
            }
            step.longest = longest.map(|(_, grant)| grant);
        }
    }

    /// How many begin up to a time.
    fn begun(&self, at: Time) -> usize {
        self.0.partition_point(|step| {
            looked_at();
            step.at <= at
        })
    }

    /// The last ones that begin up to a time.
    fn last(&self, at: Time) -> &[Step] {
        let begun = self.begun(at);
        self.0.get(begun.saturating_sub(ONE_BY_ONE)..begun).unwrap_or_default()
    }

    /// Of those that begin up to a time and hold beyond another, and are approved and fit, the one that holds longest.
    fn longest(
        &self,
        all: &[Grant],
        from: Time,
        beyond: Time,
        is_fit: &impl Fn(&Grant) -> bool,
    ) -> Option<(Time, usize)> {
        let held = |index: usize| {
            looked_at();
            all.get(index).filter(|grant| grant.until > beyond).map(|grant| (grant.until, index, grant))
        };
        let before = self.begun(from).checked_sub(1)?;
        let (until, index, grant) = held(self.0.get(before)?.longest?)?;
        if is_fit(grant) {
            return Some((until, index));
        }
        let others = self.last(from).iter().filter(|step| step.approved).filter_map(|step| held(step.grant));
        others.filter(|(.., grant)| is_fit(grant)).map(|(until, index, _)| (until, index)).max()
    }
}

fn keys(grant: &Grant) -> Vec<Key> {
    let role = || (grant.account.clone(), grant.role.clone());
    let mut keys = vec![Key::Any, Key::Role(role().0, role().1)];
    for name in filed(&grant.requester) {
        keys.extend([Key::Both(role().0, role().1, name.clone()), Key::Person(name)]);
    }
    keys
}

/// Counts, in tests, how often a grant is looked at.
fn looked_at() {
    #[cfg(test)]
    tests::LOOKS.set(tests::LOOKS.get() + 1);
}

#[cfg(test)]
mod tests;
