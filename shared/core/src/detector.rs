//! What a detector is: which calls it claims, what it says of one, and what may be left out unseen.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::{Action, Effect, Record};

use crate::call::{Call, Target};
use crate::code::Code;
use crate::disposition::Disposition;
use crate::finding::{Finding, Key};
use crate::policy::Policy;
use crate::principal::{Kind, Principal};
use crate::rules::Rule;
use crate::trace::Trace;

/// The detectors of the registry.
pub type Detectors = &'static [&'static dyn Detector];

/// A detector: a folder in `functions/`, and a line in the registry.
///
/// It decides by a call and the policy alone: no clock, no I/O, no state. `replay`, `explain`, the functions and the
/// search in `LookupEvents` ask it through the same [`crate::Engine`].
pub trait Detector: std::fmt::Debug + Sync {
    /// What is known of it before there is a call.
    fn about(&self) -> &'static About;

    /// The name of its folder.
    fn name(&self) -> &'static str {
        self.about().name
    }

    /// What it says of a call that it has claimed, and that no more urgent claim took.
    fn judge(&self, call: &Call<'_>, policy: &Policy, trace: &mut Trace) -> Verdict;

    /// What becomes of calls that it left undecided, now that all are known, and beside what it kept of others. They may come
    /// in any order, and more than once.
    fn settle(&self, _undecided: Vec<Undecided>, _related: &[Related], _policy: &Policy) -> Vec<Finding> {
        Vec::new()
    }

    /// Why a call that it left undecided became nothing.
    fn why_not_reported(&self, _policy: &Policy) -> String {
        String::new()
    }

    /// What it keeps of a call, whatever detector owns that: together with others it may show what no call shows by itself.
    fn relates(&self, _call: &Call<'_>, _policy: &Policy) -> Vec<Related> {
        Vec::new()
    }

    /// The same of an event that a service sends, and that isn't CloudTrail's.
    fn relates_event(&self, _event: &ServiceEvent<'_>, _policy: &Policy) -> Option<Related> {
        None
    }

    /// What such calls show together, now that all are known. They may come in any order, and more than once.
    fn join(&self, _related: Vec<Related>, _policy: &Policy) -> Vec<Finding> {
        Vec::new()
    }

    /// How far the calls of an identity have to be looked at for its claims above [`Priority::Call`]. What only one record
    /// says is left out here: the answer is kept for all calls of the identity.
    fn watches_identity(&self, _who: &IdentityFacts<'_>, _policy: &Policy) -> Watch {
        Watch::No
    }

    /// The same for an action, by any caller.
    fn watches_action(&self, _action: &Action<'_>) -> Watch {
        Watch::No
    }

    /// Whether a call has to be judged that an identity or action is watched for [by its record](Watch::ByRecord), or
    /// that asks for an identity of the policy.
    fn watches(&self, _glance: &RecordFacts<'_>) -> bool {
        false
    }
}

/// What is known of a detector before there is a call.
#[derive(Debug)]
pub struct About {
    /// The name of its folder.
    pub name: &'static str,
    /// Its codes.
    pub codes: &'static [Code],
    /// The calls that it wants, by how urgent it is to know of them.
    pub claims: &'static [Claim],
    /// The rules that bring CloudTrail's events to its function.
    pub rules: &'static [Rule],
}

/// Calls that a detector wants.
#[derive(Debug)]
pub struct Claim {
    /// How urgent it is to know of them.
    pub priority: Priority,
    /// Whether a call is one of them.
    pub covers: fn(&Call<'_>, &Policy, &mut Trace) -> bool,
}

/// How urgent it is to know of a call. Each call belongs to one detector, so that nothing is reported twice: of the claims
/// on it the first in this order has it, and of two that are equal the detector that is registered first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// All that an identity does, or that is done to become it.
    Identity,
    /// What no caller may do.
    Attack,
    /// Any other call, unless there is [nothing to report](Call::disposition) of it by itself.
    Call,
}

impl Priority {
    /// Whether it holds for calls of which there would be nothing to report by themselves.
    pub(crate) fn is_above_calls(self) -> bool {
        self < Self::Call
    }
}

/// How far calls have to be looked at. Of several answers the greatest holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Watch {
    /// Not at all.
    #[default]
    No,
    /// Each record is shown to [`Detector::watches`].
    ByRecord,
    /// Each call is judged.
    Always,
}

/// Who called, by what all calls of an identity have in common.
#[derive(Debug)]
pub struct IdentityFacts<'a> {
    /// The identity.
    pub principal: Principal<'a>,
    /// Whether its session is the console's.
    pub is_from_console: bool,
}

/// What is known of a record before it is classified.
#[derive(Debug)]
pub struct RecordFacts<'a> {
    /// The record.
    pub record: &'a Record<'a>,
    /// What its caller is to the team.
    pub kind: Kind,
    /// The identity that it asks for.
    pub target: Option<Target>,
    /// What its action does.
    pub effect: Effect,
    /// Whether its action is watched.
    pub is_watched_action: bool,
    /// The policy that holds.
    pub policy: &'a Policy,
}

/// What a detector says of a call.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// There is something to report.
    Finding(Box<Finding>),
    /// There is nothing to report, and why.
    Nothing(Disposition),
    /// There is nothing to report, because the exception at this place of the policy covers it.
    Excepted(usize),
    /// Whether there is something to report depends on other calls: see [`Detector::settle`].
    Undecided(Box<Undecided>),
}

impl Verdict {
    /// The finding, if it is one.
    pub fn finding(&self) -> Option<&Finding> {
        match self {
            Self::Finding(finding) => Some(finding),
            _ => None,
        }
    }

    /// Why there is nothing to report.
    pub fn disposition(&self) -> Option<Disposition> {
        match self {
            Self::Nothing(disposition) => Some(*disposition),
            Self::Excepted(_) => Some(Disposition::Excepted),
            _ => None,
        }
    }
}

impl From<Undecided> for Verdict {
    fn from(undecided: Undecided) -> Self {
        Self::Undecided(Box::new(undecided))
    }
}

impl From<Finding> for Verdict {
    fn from(finding: Finding) -> Self {
        Self::Finding(Box::new(finding))
    }
}

/// An event that a service sends to EventBridge itself, such as that a build has ended.
#[derive(Clone, Copy, Debug)]
pub struct ServiceEvent<'e> {
    /// Its `detail-type`.
    pub kind: &'e str,
    /// The account that it is of.
    pub account: &'e str,
    /// When it was sent, as text.
    pub time: &'e str,
    /// What it says.
    pub detail: Raw<'e>,
}

/// What a detector keeps of a call that may show something together with others. Its owner judges it besides.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Related {
    /// What is looked at together.
    pub group: String,
    /// What it does in its group, as the detector calls it.
    pub role: String,
    /// Who made it; empty where the record doesn't tell.
    pub who: String,
    /// The finding that it becomes, if it is the one to report.
    pub finding: Finding,
    /// Whether of those that do the same in a group only the first in time counts, so that no others are kept.
    pub only_first: bool,
}

impl Related {
    /// Its place among others: by time. Of hand-made records with one key it is always the same that comes first.
    fn is_before(&self, other: &Self) -> bool {
        (self.finding.order(), self) < (other.finding.order(), other)
    }
}

/// What detectors have kept of calls.
#[derive(Clone, Debug, Default)]
pub struct RelatedCalls {
    calls: Vec<Related>,
    firsts: BTreeMap<(String, String), Related>,
}

impl RelatedCalls {
    /// Keeps one, unless it isn't the first of those of which only that counts.
    pub fn add(&mut self, related: Related) {
        if !related.only_first {
            return self.calls.push(related);
        }
        match self.firsts.entry((related.group.clone(), related.role.clone())) {
            Entry::Vacant(place) => {
                place.insert(related);
            }
            Entry::Occupied(mut kept) if related.is_before(kept.get()) => {
                kept.insert(related);
            }
            Entry::Occupied(_) => {}
        }
    }

    /// All that is kept, in any order.
    pub fn into_calls(self) -> Vec<Related> {
        self.calls.into_iter().chain(self.firsts.into_values()).collect()
    }
}

impl Extend<Related> for RelatedCalls {
    fn extend<I: IntoIterator<Item = Related>>(&mut self, related: I) {
        related.into_iter().for_each(|one| self.add(one));
    }
}

impl IntoIterator for RelatedCalls {
    type Item = Related;
    type IntoIter = std::vec::IntoIter<Related>;

    fn into_iter(self) -> Self::IntoIter {
        self.into_calls().into_iter()
    }
}

/// A call that is reported only together with others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Undecided {
    /// Whose calls are looked at together.
    pub group: String,
    /// The groups of several principals that it counts in as well, such as those of one address.
    pub also: Vec<String>,
    /// The finding that it becomes, with the code and severity that it has by itself.
    pub finding: Finding,
    /// What it was to be done to, where that tells calls to one action apart.
    pub target: Option<String>,
    /// What of it its detector compares with others beside that, sanitised.
    pub asked: Option<String>,
    /// A read from the console: its pages ask for much that their user may not see, so it shows no breadth.
    pub browsing: bool,
    /// Why it was denied, as the metric names it; `None` where it wasn't, and failed for another reason.
    pub cause: Option<&'static str>,
    /// Why there is nothing to report, if nothing comes of it.
    pub otherwise: Disposition,
}

impl Undecided {
    /// What makes deliveries of the same event one.
    pub fn key(&self) -> Key {
        self.finding.key
    }
}
