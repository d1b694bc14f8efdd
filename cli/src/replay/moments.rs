//! A session as it was known at a time: by its records up to then, and the grants that were given by then.

use std::sync::Arc;

use handsoff_case::{Facts, Grants, Session};
use handsoff_cloudtrail::Time;
use handsoff_core::{Code, Policy, Reported};

/// What each record of a session says of it, by its time.
#[derive(Clone, Debug, Default)]
pub(super) struct Moments(Vec<(Option<Time>, Facts)>);

impl Moments {
    pub(super) fn add(&mut self, time: Option<Time>, facts: Facts) {
        self.0.push((time, facts));
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The session at a time.
    pub(super) fn session<'p>(
        &self,
        id: &str,
        grants: &Arc<Grants>,
        policy: &'p Policy,
        at: Option<Time>,
    ) -> Session<'p> {
        let mut facts = Facts::default();
        for (_, said) in self.0.iter().filter(|(time, _)| *time <= at) {
            facts.merge(said.clone());
        }
        Session::among(id, facts, grants, policy).known_at(at)
    }

    /// A verdict on the session as a whole with what was known when it was due: a grant may come for a while, and what
    /// calls show, they show when they are made.
    pub(super) fn told(
        &self,
        mut verdict: Reported,
        session: &Session<'_>,
        grants: &Arc<Grants>,
        policy: &Policy,
    ) -> Reported {
        let due = session.started().map(|at| at + policy.cases.patience);
        let due = verdict.as_ref().known().max(due);
        let times = || self.0.iter().filter_map(|(time, _)| *time);
        let late = session.window_end().and_then(|end| times().filter(|time| *time > end).min());
        let said = |code: Code, at: Option<Time>| {
            let then = self.session(&session.id, grants, policy, at);
            then.violations().into_iter().find(|(found, ..)| *found == code).map(|(.., reason)| reason)
        };
        let moments = [due, late.max(due), session.facts.last.max(due), session.closes().max(due)];
        let first = moments.into_iter().find_map(|at| Some((at, said(verdict.as_ref().code(), at)?)));
        verdict.set_known(first.as_ref().map_or(due, |(known, _)| *known));
        if let Some((_, reason)) = first {
            verdict.set_reason(reason);
        }
        verdict
    }
}
