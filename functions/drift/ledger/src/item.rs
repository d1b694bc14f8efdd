//! What became of the changes by hand of one resource: a function of all that was observed of it.

use std::collections::{BTreeMap, BTreeSet};

use handsoff_cloudtrail::{Time, TimeDelta};
use handsoff_core::policy::Cases;

use crate::acceptance::Acceptance;
use crate::observation::{Hand, Observation, What};
use crate::resource::Resource;

/// What an item's state depends on beside what was observed.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'t> {
    /// Now: acceptances end.
    pub now: Time,
    /// Who may accept.
    pub cases: &'t Cases,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum State {
    /// A change by hand stands.
    Open,
    /// Somebody answers for all that stands.
    Accepted {
        /// Who, why, and until when.
        by: Acceptance,
        /// When it was accepted.
        at: Time,
    },
    /// A deploy role changed the resource since.
    Overwritten {
        /// The role or user.
        by: String,
        /// When.
        at: Time,
    },
    /// A deploy role had `CloudFormation` revert the stack's drift since.
    Reverted {
        /// The role or user.
        by: String,
        /// When.
        at: Time,
    },
    /// The resource was deleted since.
    Gone {
        /// By whom.
        by: String,
        /// When.
        at: Time,
    },
}

impl State {
    /// The name in every output.
    pub fn as_str(&self) -> &'static str {
        self.into()
    }

    /// When it was closed, and by whom.
    pub fn closed(&self) -> Option<(Time, &str)> {
        match self {
            Self::Open => None,
            Self::Accepted { by, at } => Some((*at, &by.owner)),
            Self::Overwritten { by, at } | Self::Reverted { by, at } | Self::Gone { by, at } => {
                Some((*at, by))
            }
        }
    }
}

/// What items have in common that are one row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// A stack that was run by hand.
    Stack(Resource),
    /// A session, by its incident.
    Session(String),
}

/// The changes by hand of one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The resource.
    pub resource: Resource,
    /// What became of it.
    pub state: State,
    /// The first change that stands; of a closed item, the first of those that its end closed.
    pub since: Time,
    /// The last change by hand.
    pub last: Time,
    /// How many of them, from `since` on.
    pub changes: usize,
    /// What was called, and how often.
    pub actions: BTreeMap<String, usize>,
    /// By whom.
    pub by: BTreeSet<String>,
    /// The incidents of their sessions.
    pub incidents: BTreeSet<String>,
    /// What it came of: of several, the first.
    pub cause: Cause,
    /// Acceptances that don't count, and why.
    pub refused: BTreeSet<String>,
}

/// A stack's drift that a deploy role reverted.
#[derive(Clone, Debug)]
pub(crate) struct Revert {
    pub(crate) stack: Resource,
    pub(crate) by: String,
    pub(crate) at: Time,
}

/// For so long after a change set that reverts drift is executed, what `CloudFormation` changes for the same role in
/// that account and Region is part of it: the records of these calls name no stack.
const REVERTING: TimeDelta = TimeDelta::hours(1);

/// What ends a change by hand for good.
struct End {
    at: Time,
    /// Of several at one time the first counts: deleted, reverted, overwritten.
    rank: u8,
    state: State,
}

impl End {
    fn of(observation: &Observation, reverts: &[Revert]) -> Option<Self> {
        let Observation { resource, time: at, .. } = observation;
        let (at, end) = (*at, |rank, state| Some(Self { at: *at, rank, state }));
        match &observation.what {
            What::Gone { by } => end(0, State::Gone { by: by.clone(), at }),
            What::Deploy { by, stack: true }
                if reverts.iter().any(|revert| revert.covers(resource, by, at)) =>
            {
                end(1, State::Reverted { by: by.clone(), at })
            }
            What::Deploy { by, .. } => end(2, State::Overwritten { by: by.clone(), at }),
            _ => None,
        }
    }

    /// Whether it ends a change. The order of calls in one second isn't known, so a change by hand stands that a deploy role's
    /// may have come before. Who deletes does so to what was there, unless it was made in that second.
    fn ends(&self, (time, hand): &(Time, &Hand)) -> bool {
        *time < self.at || (*time == self.at && self.rank == 0 && !hand.makes)
    }
}

impl Revert {
    fn covers(&self, resource: &Resource, by: &str, at: Time) -> bool {
        let here = resource.account == self.stack.account
            && (resource.region.is_empty() || resource.region == self.stack.region);
        here && by == self.by && self.at <= at && at <= self.at + REVERTING
    }
}

/// The item of a resource, if anybody changed it by hand. `observations` are all of it.
pub(crate) fn item(
    resource: &Resource,
    observations: &[&Observation],
    reverts: &[Revert],
    terms: &Terms<'_>,
) -> Option<Item> {
    let mut events: BTreeMap<&str, (Time, &Hand)> = BTreeMap::new();
    for observation in observations {
        if let What::Hand(hand) = &observation.what {
            // Of the copies of one event, or its corrections, the last counts.
            let change: (Time, &Hand) = (observation.time, hand);
            let kept = events.entry(&observation.event).or_insert(change);
            *kept = change.max(*kept);
        }
    }
    let mut hands: Vec<(Time, &Hand)> = events.into_values().collect();
    hands.sort();
    let last = hands.last().copied()?;
    let own = reverts.iter().filter(|revert| revert.stack == *resource);
    let own =
        own.map(|it| End { at: it.at, rank: 1, state: State::Reverted { by: it.by.clone(), at: it.at } });
    let mut ends: Vec<End> = observations.iter().filter_map(|it| End::of(it, reverts)).chain(own).collect();
    ends.sort_by(|one, other| (one.at, one.rank, &one.state).cmp(&(other.at, other.rank, &other.state)));
    let mut refused = BTreeSet::new();
    let accepted = acceptances(observations, &hands, terms, &mut refused);
    let deleted: BTreeSet<Time> = ends.iter().filter(|end| end.rank == 0).map(|end| end.at).collect();
    let latest = ends.last().map(|end| end.at);
    // Not one by one: somebody may change and the pipeline overwrite a thousand times.
    let stands = |(time, hand): &(Time, &Hand)| {
        latest.is_none_or(|latest| *time >= latest) && (hand.makes || !deleted.contains(time))
    };
    let standing: Vec<(Time, &Hand)> = hands.iter().filter(|hand| stands(hand)).copied().collect();
    let open: Vec<_> =
        standing.iter().filter(|hand| !accepted.iter().any(|it| it.covers(hand))).copied().collect();
    let (state, these) = if !open.is_empty() {
        (State::Open, open)
    } else if let Some(by) = accepted.last().filter(|_| !standing.is_empty()) {
        (State::Accepted { by: by.acceptance.clone(), at: by.at }, standing)
    } else {
        let end = ends.iter().find(|end| end.ends(&last))?;
        // What an earlier end had closed is over.
        let before = ends.iter().take_while(|it| !it.ends(&last)).last();
        let these = hands.iter().filter(|hand| before.is_none_or(|before| !before.ends(hand))).copied();
        (end.state.clone(), these.collect())
    };
    Some(Item::of(resource, state, &these, refused))
}

/// An acceptance that counts.
struct Counts<'o> {
    at: Time,
    acceptance: &'o Acceptance,
}

impl Counts<'_> {
    fn covers(&self, (time, hand): &(Time, &Hand)) -> bool {
        *time <= self.at && !hand.may_be_by(&self.acceptance.owner)
    }
}

/// The acceptances that hold, by time; of the others those are named that somebody should know of.
fn acceptances<'o>(
    observations: &[&'o Observation],
    hands: &[(Time, &Hand)],
    terms: &Terms<'_>,
    refused: &mut BTreeSet<String>,
) -> Vec<Counts<'o>> {
    let mut counting = Vec::new();
    for observation in observations {
        let What::Accepted(acceptance) = &observation.what else { continue };
        let at = observation.time;
        if let Some(why) = acceptance.is_refused(terms.cases) {
            refused.insert(why);
            continue;
        }
        if let Some((_, own)) =
            hands.iter().find(|(time, hand)| *time <= at && hand.may_be_by(&acceptance.owner))
        {
            refused.insert(format!(
                "{} may be the person who changed it, {}: another person has to accept that",
                acceptance.owner, own.by
            ));
        }
        if acceptance.holds(terms.now) {
            counting.push(Counts { at, acceptance });
        }
    }
    counting.sort_by_key(|it| (it.at, it.acceptance.clone()));
    counting
}

impl Item {
    fn of(resource: &Resource, state: State, hands: &[(Time, &Hand)], refused: BTreeSet<String>) -> Self {
        let mut actions = BTreeMap::new();
        for (_, hand) in hands {
            *actions.entry(hand.action.clone()).or_default() += 1;
        }
        let session = || hands.first().map(|(_, hand)| hand.incident.clone()).unwrap_or_default();
        let stack = hands.iter().find_map(|(_, hand)| hand.stack.clone());
        Self {
            resource: resource.clone(),
            state,
            since: hands.first().map_or(Time::EPOCH, |(time, _)| *time),
            last: hands.last().map_or(Time::EPOCH, |(time, _)| *time),
            changes: hands.len(),
            actions,
            by: hands.iter().map(|(_, hand)| hand.human.clone().unwrap_or_else(|| hand.by.clone())).collect(),
            incidents: hands.iter().map(|(_, hand)| hand.incident.clone()).collect(),
            cause: stack.map_or_else(|| Cause::Session(session()), Cause::Stack),
            refused,
        }
    }
}
