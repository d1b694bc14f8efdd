//! Deny-spike: denied calls of one principal, by count and by breadth, in a sliding window of event time.
//!
//! Codes: `deny-spike`, `deny-probing`. One retrying deployment repeats one action; somebody who tries what
//! stolen credentials can do touches many. That is why the number of different actions counts for itself, and
//! why a spike of one action is low.

pub mod codes;
pub mod live;

use std::collections::{HashMap, VecDeque};

use handsoff_cloudtrail::{Effect, Time, TimeDelta};
use handsoff_core::detector::{About, Claim, Priority, Undecided};
use handsoff_core::policy::{Denials, Policy, exceptions};
use handsoff_core::rules::{Rule, Whose};
use handsoff_core::{Call, Code, Detector, Finding, Key, Outcome, Severity, Trace, Verdict, group};
use serde::{Deserialize, Serialize};

/// The detector.
#[derive(Debug)]
pub struct DenySpike;

const CLAIMS: [Claim; 1] =
    [Claim { priority: Priority::Call, covers: |call, _, _| matches!(call.outcome, Outcome::Denied(_)) }];

/// As in part.yaml.
const RULES: [Rule; 1] =
    [Rule { id: "DenySpikeRule", whose: Whose::None, pattern: include_str!("../patterns/deny-spike.json") }];

const ABOUT: About = About { name: "deny-spike", codes: &codes::ALL, claims: &CLAIMS, rules: &RULES };

impl Detector for DenySpike {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    /// A denied call is one of many, or nothing.
    fn judge(&self, call: &Call<'_>, policy: &Policy, trace: &mut Trace) -> Verdict {
        if let Some(place) = exceptions::covering(call, policy, trace) {
            return Verdict::Excepted(place);
        }
        trace.step("rule deny-spike", || "denied: counted for its principal".into());
        Verdict::Undecided(Box::new(Undecided {
            group: group::denial_group(call),
            finding: Finding::new(call, codes::DENY_SPIKE, Severity::Low, String::new()),
            browsing: call.is_from_console() && call.effect == Effect::Reads,
        }))
    }

    fn settle(&self, undecided: Vec<Undecided>, policy: &Policy) -> Vec<Finding> {
        settle(undecided, &policy.denials)
    }

    fn why_not_reported(&self, policy: &Policy) -> String {
        let Denials { count, actions, window, line, .. } = &policy.denials;
        format!(
            "fewer than {count} denied calls, and fewer than {actions} different actions, of this principal within {} s ({line})",
            window.num_seconds()
        )
    }
}

/// What a verdict on a denied call needs of it and of its neighbours.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Seen {
    pub(crate) key: Key,
    pub(crate) time: Option<Time>,
    pub(crate) action: String,
    pub(crate) browsing: bool,
}

impl Seen {
    pub(crate) fn of(denial: &Undecided) -> Self {
        let Undecided { finding, browsing, .. } = denial;
        Self { key: finding.key, time: finding.time, action: finding.action.clone(), browsing: *browsing }
    }
}

/// Finds the spikes among denied calls, which may come in any order and more than once.
///
/// The findings are all the denied calls of all windows that hold too many, each once, and each judged by the
/// windows that it lies in: what is further away than one window makes no difference to it. Calls without a time
/// are in no window.
fn settle(mut denials: Vec<Undecided>, policy: &Denials) -> Vec<Finding> {
    let mut groups: HashMap<String, Vec<Seen>> = HashMap::new();
    // Of two that hand-made logs give the same key, the same one stays whichever came first.
    denials.sort_by(|a, b| a.key().cmp(&b.key()).then_with(|| a.cmp(b)));
    denials.dedup_by_key(|denial| denial.key());
    for denial in &denials {
        groups.entry(denial.group.clone()).or_default().push(Seen::of(denial));
    }
    let spikes: HashMap<Key, Spike> =
        groups.into_values().flat_map(|group| spikes_of(group, policy)).collect();
    let tell = |denial: Undecided| Some(spikes.get(&denial.key())?.told(denial.finding, policy));
    let mut findings: Vec<Finding> = denials.into_iter().filter_map(tell).collect();
    findings.sort_by_key(Finding::order);
    findings
}

/// The calls of one principal that are part of a spike, and what their windows hold.
pub(crate) fn spikes_of(mut calls: Vec<Seen>, policy: &Denials) -> HashMap<Key, Spike> {
    calls.retain(|call| call.time.is_some());
    calls.sort_by(|a, b| (a.time, a.key).cmp(&(b.time, b.key)).then_with(|| a.cmp(b)));
    calls.dedup_by_key(|call| call.key);
    let spikes = spikes(&calls, policy);
    calls.iter().zip(spikes).filter_map(|(call, spike)| Some((call.key, spike?))).collect()
}

/// What the windows around a denied call hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spike {
    /// The most different actions in one window, but for reads from the console: the verdict hangs on them.
    breadth: usize,
    /// How many calls a window held when the verdict could be known.
    calls: usize,
    /// How many different actions, but for reads from the console.
    actions: usize,
    /// When it could be known: the time of the call that made a window hold so many, or so many different ones.
    known: Option<Time>,
}

impl Spike {
    /// What it makes of a call.
    pub(crate) fn verdict(&self, policy: &Denials) -> (Code, Severity) {
        match (self.breadth >= policy.actions, self.breadth) {
            (true, _) => (codes::DENY_PROBING, Severity::High),
            (false, 0 | 1) => (codes::DENY_SPIKE, Severity::Low),
            (false, _) => (codes::DENY_SPIKE, Severity::Medium),
        }
    }

    /// The finding that a call becomes.
    pub(crate) fn told(&self, mut finding: Finding, policy: &Denials) -> Finding {
        let Self { calls, actions, known, .. } = self;
        let minutes = (policy.window + TimeDelta::seconds(59)).num_minutes();
        (finding.code, finding.severity) = self.verdict(policy);
        let probing = finding.code == codes::DENY_PROBING;
        // To ask for roles is to look for one that opens, whatever it has in breadth.
        let for_roles = finding.action.starts_with("sts:AssumeRole");
        if for_roles {
            finding.severity = finding.severity.max(Severity::Medium);
        }
        let limit = if probing {
            format!("from {} different actions it is probing", policy.actions)
        } else if *actions <= 1 && !for_roles {
            format!("from {} calls it is a spike, and a low one because it has no breadth", policy.count)
        } else {
            format!("from {} calls it is a spike", policy.count)
        };
        let different = match actions {
            0 => "what console pages request".to_owned(),
            1 => "one action".to_owned(),
            _ => format!("{actions} different actions"),
        };
        finding.reason = format!(
            "{calls} calls of this principal to {different} were denied within {minutes} minutes; {limit} ({}).",
            policy.line
        );
        finding.next = finding.code.next_step().into();
        finding.known = finding.time.max(*known);
        finding
    }
}

/// The calls up to one of them that lie within a window's length before it.
struct Window {
    start: usize,
    calls: usize,
    actions: usize,
    time: Option<Time>,
}

/// The window that ends with each call, of calls that are sorted by time.
fn windows(calls: &[Seen], policy: &Denials) -> Vec<Window> {
    let mut in_window: HashMap<&str, usize> = HashMap::new();
    let mut start = 0;
    let mut windows = Vec::with_capacity(calls.len());
    for (end, call) in calls.iter().enumerate() {
        let time = call.time;
        if !call.browsing {
            *in_window.entry(&call.action).or_insert(0) += 1;
        }
        while let Some(oldest) = calls.get(start)
            && between(oldest.time, time) > policy.window
        {
            let action = oldest.action.as_str();
            if let Some(count) = in_window.get_mut(action).filter(|_| !oldest.browsing) {
                *count -= 1;
                if *count == 0 {
                    in_window.remove(action);
                }
            }
            start += 1;
        }
        windows.push(Window { start, calls: end + 1 - start, actions: in_window.len(), time });
    }
    windows
}

/// For each call the windows that it lies in, if one of them holds too many.
fn spikes(calls: &[Seen], policy: &Denials) -> Vec<Option<Spike>> {
    let windows = windows(calls, policy);
    let mut breadths = Most::default();
    // The windows that a call lies in end with it or behind it: they are neighbours, and so are the first ones of two
    // calls that hold enough.
    let mut full = First::default();
    let (mut several, mut many) = (First::default(), First::default());
    let mut last = 0;
    let mut spikes = Vec::with_capacity(calls.len());
    for index in 0..calls.len() {
        while let Some(window) = windows.get(last).filter(|window| window.start <= index) {
            breadths.add(last, window.actions);
            last += 1;
        }
        let breadth = breadths.since(index);
        let all = windows.get(..last).unwrap_or_default();
        let first = full.from(index, all, |it| it.calls >= policy.count || it.actions >= policy.actions);
        let several = several.from(index, all, |it| it.actions >= 2);
        let many = many.from(index, all, |it| it.actions >= policy.actions);
        // The windows that the verdict hangs on, whatever comes later.
        let decide = match (many, breadth >= policy.actions, breadth >= 2) {
            (Some(many), true, _) => [Some(many), None],
            (_, _, true) => [first, several],
            _ => [first, None],
        };
        let decide = || decide.into_iter().flatten();
        spikes.push(first.map(|_| Spike {
            breadth,
            calls: decide().map(|it| it.calls).max().unwrap_or_default(),
            actions: decide().map(|it| it.actions).max().unwrap_or_default(),
            known: decide().filter_map(|it| it.time).max(),
        }));
    }
    spikes
}

/// The first window from a place on that is of some kind, for places that only grow.
#[derive(Default)]
struct First(usize);

impl First {
    fn from<'w>(
        &mut self,
        index: usize,
        windows: &'w [Window],
        is: impl Fn(&Window) -> bool,
    ) -> Option<&'w Window> {
        self.0 = self.0.max(index);
        while let Some(window) = windows.get(self.0) {
            if is(window) {
                return Some(window);
            }
            self.0 += 1;
        }
        None
    }
}

/// The greatest of the last values, from an index that only grows.
#[derive(Default)]
struct Most(VecDeque<(usize, usize)>);

impl Most {
    fn add(&mut self, index: usize, value: usize) {
        while self.0.back().is_some_and(|(_, last)| *last <= value) {
            self.0.pop_back();
        }
        self.0.push_back((index, value));
    }

    fn since(&mut self, from: usize) -> usize {
        while self.0.front().is_some_and(|(index, _)| *index < from) {
            self.0.pop_front();
        }
        self.0.front().map_or(0, |(_, value)| *value)
    }
}

fn between(from: Option<Time>, to: Option<Time>) -> TimeDelta {
    match (from, to) {
        (Some(from), Some(to)) => to - from,
        _ => TimeDelta::zero(),
    }
}

#[cfg(test)]
mod tests;
