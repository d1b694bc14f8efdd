//! What a case holds, summed up. The observations come in the order of the case, so that what is cut is always the
//! same.

use std::collections::{BTreeMap, BTreeSet};

use handsoff_cloudtrail::Time;
use handsoff_core::Code;
use serde::{Deserialize, Serialize};

use crate::observation::{Did, Ended, Observation, Seen};
use crate::verbs::{MAKERS, REMOVERS, noun};

/// How many things of a kind a summary names. It counts all.
const NAMED: usize = 200;

/// How many things a session made are held against what it removed.
const MADE: usize = 5_000;

/// How many calls of each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calls {
    /// All.
    pub all: u64,
    /// Successful changes.
    pub writes: u64,
    /// Successful reads.
    pub reads: u64,
    /// Successful sign-ins and their steps.
    pub sign_ins: u64,
    /// Denied ones.
    pub denied: u64,
    /// Failed otherwise.
    pub failed: u64,
    /// Ways into machines, where CloudTrail doesn't see what is typed.
    pub interactive: u64,
    /// Made with sessions that this one took on.
    pub chained: u64,
}

/// Something that the session made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Made {
    /// When.
    pub time: Option<Time>,
    /// By which action.
    pub action: String,
    /// What: its identifiers.
    pub what: Vec<String>,
}

/// Events that one source reported and the other didn't.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Only {
    /// How many.
    pub count: u64,
    /// The first of them, by event ID.
    pub events: Vec<String>,
}

impl Only {
    fn add(&mut self, observation: &Observation) {
        self.count += 1;
        if self.events.len() < NAMED {
            self.events.push(observation.event_id.clone());
        }
    }
}

/// Where the calls were learned from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sources {
    /// How many calls each source reported.
    pub told: BTreeMap<Seen, u64>,
    /// Calls of the session itself that came by `EventBridge` and that `LookupEvents` didn't tell.
    pub only_eventbridge: Only,
    /// Calls of the session itself that `LookupEvents` reported and `EventBridge` didn't bring.
    pub only_lookup: Only,
    /// The last call that came by `EventBridge`.
    pub feed_ended: Option<Time>,
    /// How many calls of the session itself came after that, reported by `LookupEvents` alone.
    pub after_feed: u64,
}

/// What a case holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// How many calls of each kind.
    pub calls: Calls,
    /// The first call.
    pub first: Option<Time>,
    /// The last call.
    pub last: Option<Time>,
    /// How many calls there were of each code.
    pub codes: BTreeMap<Code, u64>,
    /// How many calls there were of each action.
    pub actions: BTreeMap<String, u64>,
    /// How many actions are not in that list.
    pub more_actions: u64,
    /// What it made and didn't remove again, as far as the names of actions tell.
    pub left: Vec<Made>,
    /// How many more there are.
    pub more_left: u64,
    /// Where the calls were learned from.
    pub sources: Sources,
}

/// Sums up observations that come in order.
#[derive(Clone, Debug, Default)]
pub struct Summing {
    summary: Summary,
    made: Vec<Thing>,
    more: u64,
}

/// Something that was made, and what it is known by.
#[derive(Clone, Debug)]
struct Thing {
    /// The service and the noun of the action.
    kind: String,
    /// What the request named: it, and what it belongs to.
    named: BTreeSet<String>,
    /// What only the answer named: it alone.
    own: BTreeSet<String>,
    made: Made,
}

impl Thing {
    /// Whether a removal of its kind that named these removed it. When in doubt it is still there.
    fn is_removed(&self, removed: &BTreeSet<&String>) -> bool {
        // Of these a request names only what they belong to.
        let by_id = ["AccessKey", "SecurityGroupIngres", "SecurityGroupEgres"];
        let by_id = by_id.iter().any(|noun| self.kind.ends_with(noun));
        self.own.iter().any(|id| removed.contains(id))
            || (!by_id && !self.named.is_empty() && self.named.iter().all(|id| removed.contains(id)))
    }
}

impl Summing {
    /// With one more.
    pub fn add(&mut self, observation: &Observation) {
        let Summary { calls, first, last, codes, actions, sources, more_actions, .. } = &mut self.summary;
        calls.all += 1;
        match (observation.ended, observation.did) {
            (Ended::Denied, _) => calls.denied += 1,
            (Ended::Failed, _) => calls.failed += 1,
            (Ended::Succeeded, Did::Write) => calls.writes += 1,
            (Ended::Succeeded, Did::Read) => calls.reads += 1,
            (Ended::Succeeded, Did::SignIn) => calls.sign_ins += 1,
        }
        calls.interactive += u64::from(observation.interactive);
        calls.chained += u64::from(observation.chained);
        *first = [*first, observation.time].into_iter().flatten().min();
        *last = (*last).max(observation.time);
        *codes.entry(observation.code).or_default() += 1;
        if actions.len() < NAMED || actions.contains_key(&observation.action) {
            *actions.entry(observation.action.clone()).or_default() += 1;
        } else {
            *more_actions += 1;
        }
        sources.add(observation);
        self.made(observation);
    }

    fn made(&mut self, observation: &Observation) {
        if observation.ended != Ended::Succeeded {
            return;
        }
        let name = observation.action.split_once(':').map_or(&*observation.action, |(_, name)| name);
        let service = observation.action.split(':').next().unwrap_or_default();
        if let Some(noun) = noun(name, &MAKERS) {
            let named: BTreeSet<String> = observation.resources.iter().cloned().collect();
            let own: BTreeSet<String> =
                observation.made.iter().filter(|id| !named.contains(*id)).cloned().collect();
            let what = named.union(&own).cloned().collect();
            let made = Made { time: observation.time, action: observation.action.clone(), what };
            if self.made.len() < MADE {
                self.made.push(Thing { kind: format!("{service}:{noun}"), named, own, made });
            } else {
                self.more += 1;
            }
        } else if let Some(noun) = noun(name, &REMOVERS) {
            let kind = format!("{service}:{noun}");
            let removed: BTreeSet<&String> = observation.resources.iter().collect();
            self.made.retain(|thing| thing.kind != kind || !thing.is_removed(&removed));
        }
    }

    /// The sum.
    pub fn finish(mut self) -> Summary {
        let beyond = self.made.len().saturating_sub(NAMED) as u64;
        self.summary.more_left = self.more + beyond;
        self.summary.left = self.made.into_iter().take(NAMED).map(|thing| thing.made).collect();
        self.summary
    }
}

impl Sources {
    fn add(&mut self, observation: &Observation) {
        for seen in &observation.seen {
            *self.told.entry(*seen).or_default() += 1;
        }
        let told = |seen| observation.seen.contains(&seen);
        if observation.chained {
            return;
        }
        match (told(Seen::EventBridge), told(Seen::LookupEvents)) {
            (true, false) => self.only_eventbridge.add(observation),
            (false, true) => {
                self.only_lookup.add(observation);
                self.after_feed += 1;
            }
            _ => {}
        }
        if told(Seen::EventBridge) {
            self.feed_ended = self.feed_ended.max(observation.time);
            self.after_feed = 0;
        }
    }
}
