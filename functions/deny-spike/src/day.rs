//! The long window: what a principal tries over a day, one thing now and then.
//!
//! A day begins at midnight or at noon (UTC), so that each time lies in two of them, and what is tried within twelve hours lies
//! in one of them whole, whatever the hour. What counts is a set of *tries*: an action, on a target, in five minutes of the day. A
//! retry within these adds nothing, so the set stays small, and it is the same whatever the order in which its calls come.
//! When it holds too much, the calls of that five minutes and all later ones of the day are findings: with a late call the
//! place can only move to an earlier time, so that nothing that was reported becomes untrue.

use std::collections::{BTreeMap, BTreeSet};

use handsoff_cloudtrail::{Time, TimeDelta};
use handsoff_core::policy::Denials;
use handsoff_core::{Severity, group};
use serde::{Deserialize, Serialize};

use crate::seen::{Seen, is_launch_alone};
use crate::verdict::{Found, more, severity_of_hunting};
use crate::{
    codes,
    launches::{self, Launches},
};

/// The length of what counts as one try.
const SLOT: TimeDelta = TimeDelta::minutes(5);

/// From the start of a day to that of the next one, which overlaps with it.
const HALF: TimeDelta = TimeDelta::hours(12);

/// Denials that go on all day count from so many different actions on: a job that lacks a permission retries one or two.
const ACTIONS: usize = 3;

/// One action tried on one target within five minutes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Try {
    pub(crate) slot: Time,
    pub(crate) action: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<String>,
    /// It wasn't denied, and failed for another reason.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) failed: bool,
    /// What a launch asked for that was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) launch: Option<String>,
}

impl Try {
    /// What a call tried; `None` for what a console's page asks for by itself, and for what has no time.
    pub(crate) fn of(call: &Seen) -> Option<Self> {
        let slot = call.time.filter(|_| !call.browsing)?.floor(SLOT);
        Some(Self {
            slot,
            action: call.action.clone(),
            target: call.target.clone(),
            failed: call.failed,
            launch: call.launch.clone(),
        })
    }

    /// The name that it is stored under: the same for a retry, and for nothing else.
    pub(crate) fn name(&self) -> String {
        let target = self.target.as_deref().unwrap_or_default();
        let mut parts = vec![&*self.action, target];
        parts.extend(self.failed.then_some("failed"));
        parts.extend(self.launch.iter().flat_map(|launch| ["launch", launch]));
        format!("{}#{}", self.slot, group::digest(&parts))
    }

    fn shows_breadth(&self) -> bool {
        !is_launch_alone(self.failed, self.target.as_ref(), self.launch.as_ref())
    }
}

/// From when on a day holds too much, by what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Day {
    probing: Option<Time>,
    lasting: Option<Time>,
    hunting: BTreeMap<String, Time>,
    launches: Option<Time>,
    grave_launches: Option<Time>,
}

impl Day {
    /// Of what was tried on it.
    pub(crate) fn of<'t>(tries: impl IntoIterator<Item = &'t Try>, policy: &Denials) -> Self {
        let mut day = Self::default();
        let mut targets: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let (mut actions, mut denied, mut times) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let mut launches = Launches::default();
        // In the order of time.
        for one in tries {
            let Try { slot, action, target, failed, launch } = one;
            let severity = launch.as_deref().and_then(|launch| launches.add(launch));
            if severity.is_some() {
                day.launches.get_or_insert(*slot);
            }
            if severity == Some(Severity::High) {
                day.grave_launches.get_or_insert(*slot);
            }
            if one.shows_breadth() {
                actions.insert(&**action);
            }
            // What is tried all day, and isn't denied, is a controller's dry run.
            if !failed {
                denied.insert(&**action);
                times.insert((*slot, &**action));
            }
            if actions.len() >= policy.daily_actions {
                day.probing.get_or_insert(*slot);
            }
            if times.len() >= policy.daily_count && denied.len() >= ACTIONS {
                day.lasting.get_or_insert(*slot);
            }
            let Some(target) = target else { continue };
            let targets = targets.entry(action).or_default();
            targets.insert(target);
            if targets.len() >= policy.daily_targets && !day.hunting.contains_key(action) {
                day.hunting.insert(action.clone(), *slot);
            }
        }
        day
    }

    /// What a call of the day becomes.
    pub(crate) fn found(&self, call: &Seen, policy: &Denials) -> Option<Found> {
        let Try { slot, action, target, failed, launch } = Try::of(call)?;
        let from = |start: Option<&Time>| start.is_some_and(|start| slot >= *start);
        let found = |code, severity, why| Some(Found { code, severity, why, known: call.time });
        let mut all = None;
        if let Some(launch) = launch {
            all = self.of_launch(slot, &launch).map(|(severity, known, why)| Found {
                code: codes::LAUNCH_REFUSED,
                severity,
                why,
                known: call.time.max(known),
            });
        }
        if from(self.lasting.as_ref()) && !failed {
            let why = format!(
                "calls of this principal to {ACTIONS} or more different actions were denied again and again within a day; from {} \
                 times, five minutes and an action each, it counts",
                policy.daily_count
            );
            all = more(all, found(codes::DENY_SPIKE, Severity::Medium, why));
        }
        if from(self.hunting.get(&action)) && target.is_some() {
            let why = format!(
                "{action} of this principal was denied on many different targets within a day; from {} it is hunting for one \
                 that opens",
                policy.daily_targets
            );
            all = more(all, found(codes::DENY_HUNTING, severity_of_hunting(&action), why));
        }
        if from(self.probing.as_ref()) {
            let why = format!(
                "calls of this principal to many different actions were denied within a day, few at a time; from {} different \
                 actions it is probing",
                policy.daily_actions
            );
            all = more(all, found(codes::DENY_PROBING, Severity::Medium, why));
        }
        all
    }

    /// What a launch in some five minutes of the day becomes, and when that was known at the latest: which call of the five
    /// minutes in which it is enough was the last one isn't kept.
    fn of_launch(&self, slot: Time, launch: &str) -> Option<(Severity, Option<Time>, String)> {
        let starts = [(self.grave_launches, Severity::High), (self.launches, Severity::Medium)];
        let is_since = |(start, severity)| Some((start?, severity)).filter(|(start, _)| slot >= *start);
        let (start, severity) = starts.into_iter().find_map(is_since)?;
        let grave = severity == Severity::High;
        let more = if grave { ", with accelerators or in several Regions" } else { "" };
        let why = format!(
            "A launch of {launch} was refused, as others of this principal were within a day{more}; from {} different sizes and \
             Regions it is looking for where machines can be had",
            launches::ENOUGH
        );
        Some((severity, (slot == start).then(|| slot + SLOT), why))
    }

    /// The first time from which on it holds too much of anything.
    pub(crate) fn start(&self) -> Option<Time> {
        let hunting = self.hunting.values().min().copied();
        [self.probing, self.lasting, hunting, self.launches].into_iter().flatten().min()
    }
}

/// A day: its start and its end, which is the next but one's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    pub(crate) start: Time,
    pub(crate) end: Time,
}

impl Span {
    /// The two days that a time lies in.
    pub(crate) fn both(time: Time) -> [Self; 2] {
        let half = half(time);
        [half - HALF, half].map(|start| Self { start, end: start + HALF * 2 })
    }

    pub(crate) fn contains(self, time: Time) -> bool {
        (self.start..self.end).contains(&time)
    }
}

/// The half of a day that a time lies in, by its start: times of one half lie in the same days.
pub(crate) fn half(time: Time) -> Time {
    time.floor(HALF)
}
