//! All that was observed.

use std::collections::{BTreeMap, BTreeSet};

use crate::item::{self, Cause, Item, Revert, State, Terms};
use crate::observation::{Observation, What};
use crate::resource::Resource;

/// Those of one resource. Boxed: most resources have one or two, and a set has room for eleven.
type Observations = BTreeSet<Box<Observation>>;

/// A set of observations: to add one again, or in another order, changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    observed: BTreeMap<Resource, Observations>,
    /// Changes by hand whose resource isn't known: by action, their events.
    unknown: BTreeMap<String, BTreeSet<u64>>,
}

impl Ledger {
    /// Adds an observation.
    pub fn add(&mut self, observation: Observation) {
        self.observed.entry(observation.resource.clone()).or_default().insert(Box::new(observation));
    }

    /// Adds a change by hand whose resource isn't known, by its event.
    pub fn add_unknown(&mut self, action: String, event: u64) {
        self.unknown.entry(action).or_default().insert(event);
    }

    /// Takes over another.
    pub fn merge(&mut self, other: Self) {
        for (resource, observed) in other.observed {
            self.observed.entry(resource).or_default().extend(observed);
        }
        for (action, events) in other.unknown {
            self.unknown.entry(action).or_default().extend(events);
        }
    }

    /// The actions by hand whose resource isn't known, and how often each was called.
    pub fn unknown(&self) -> impl Iterator<Item = (&str, usize)> {
        self.unknown.iter().map(|(action, events)| (action.as_str(), events.len()))
    }

    /// What was observed of a resource.
    pub fn of(&self, resource: &Resource) -> impl Iterator<Item = &Observation> {
        self.observed.get(resource).into_iter().flatten().map(AsRef::as_ref)
    }

    /// The items of all resources that were changed by hand: the open ones first, then by age, the oldest first.
    pub fn items(&self, terms: &Terms<'_>) -> Vec<Item> {
        self.items_of(terms, |_| true)
    }

    /// The same as it was at the time of the terms: without what came later.
    pub fn items_as_of(&self, terms: &Terms<'_>) -> Vec<Item> {
        self.items_of(terms, |observation| observation.time <= terms.now)
    }

    fn items_of(&self, terms: &Terms<'_>, counts: impl Fn(&Observation) -> bool) -> Vec<Item> {
        let mut known = Observed::new();
        for (resource, observations) in &self.observed {
            known.insert(resource, observations.iter().map(AsRef::as_ref).filter(|it| counts(it)).collect());
        }
        let reverts = reverts(&known);
        let item = |(resource, observed): (&&Resource, &Vec<&Observation>)| {
            item::item(resource, observed, &reverts, terms)
        };
        let mut items: Vec<Item> = known.iter().filter_map(item).collect();
        one_stack_a_session(&known, &mut items);
        let key = |item: &Item| (item.state != State::Open, item.since, item.resource.clone());
        items.sort_by_cached_key(key);
        items
    }
}

/// What counts of each resource, in order.
type Observed<'l> = BTreeMap<&'l Resource, Vec<&'l Observation>>;

fn reverts(observed: &Observed<'_>) -> Vec<Revert> {
    let mut reverts = Vec::new();
    for observed in observed.values() {
        for plan in observed {
            let What::Plans { stack } = &plan.what else { continue };
            for run in observed.iter().filter(|run| run.time >= plan.time) {
                if let What::Executes { by } = &run.what {
                    reverts.push(Revert { stack: (**stack).clone(), by: by.clone(), at: run.time });
                }
            }
        }
    }
    reverts
}

/// A session that ran one stack made of it what `CloudFormation` changed for it, though the record names no stack.
fn one_stack_a_session(observed: &Observed<'_>, items: &mut [Item]) {
    let mut ran: BTreeMap<&str, BTreeSet<&Resource>> = BTreeMap::new();
    let mut by_stacks: BTreeSet<(&Resource, &str)> = BTreeSet::new();
    for observation in observed.values().flatten() {
        let What::Hand(hand) = &observation.what else { continue };
        if let Some(stack) = &hand.stack {
            ran.entry(&hand.incident).or_default().insert(stack);
        }
        if hand.by_stack {
            by_stacks.insert((&observation.resource, &hand.incident));
        }
    }
    for item in items {
        let Cause::Session(session) = &item.cause else { continue };
        let Some(stacks) = ran.get(session.as_str()).filter(|stacks| stacks.len() == 1) else { continue };
        if by_stacks.contains(&(&item.resource, session.as_str()))
            && let Some(stack) = stacks.first()
        {
            item.cause = Cause::Stack((*stack).clone());
        }
    }
}

#[cfg(test)]
mod tests;
