//! What a caller did in one step: a click in the console, or a stack run by hand, makes many calls.
//!
//! Steps are for people who read. They change no severity, no count and no alert: a caller chooses when, and whether
//! to use the console or a stack, so that nothing may depend on it. For the same reason nothing grave is folded away
//! ([`Folded::stands_out`]).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use handsoff_cloudtrail::partition::service_name;
use handsoff_cloudtrail::{Class, Time, TimeDelta, is_used_by_people, service_of};

use super::action::Action;
use super::entry::Mark;
use crate::earlier::Subject;
use crate::finding::{Finding, Key};
use crate::severity::Severity;

/// The calls of one click come so soon after its first. They are counted from there and not from the one
/// before: a script that calls every second is no single click.
const CLICK: TimeDelta = TimeDelta::seconds(2);

/// For so long a service's calls belong to the call that asked for them: stacks take long, and who runs the next
/// one begins a step of its own.
const STACK: TimeDelta = TimeDelta::hours(1);

/// How many actions are named of those that don't stand out.
const NAMED: usize = 4;

/// What alike calls have in common beside their time: the action, how it ended, and the way it came in as far as steps
/// depend on it. A caller chooses of how many addresses there are calls, so it takes up to 64 bytes more for each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Act {
    action: Action,
    error: Option<Box<str>>,
    /// Whether it isn't named like a read.
    changes: bool,
    caller: Box<str>,
    way: Way,
    /// Whose it is, where that is remembered.
    subject: Option<Box<Subject>>,
}

/// How a call came in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    /// By the caller's own program.
    Own,
    /// Through the console, from this address.
    Console(Box<str>),
    /// A service made it with the caller's rights.
    Service(Box<str>),
}

impl Act {
    pub(super) fn of(finding: &Finding) -> Self {
        let Finding { action, access, error, principal, .. } = finding;
        // Without an ARN the name is all that there is.
        let caller = if principal.arn.is_empty() { &principal.name } else { &principal.arn };
        Self {
            action: Action(action.as_str().into()),
            error: error.as_deref().map(Into::into),
            changes: !matches!(&**access, "read" | "list"),
            caller: caller.as_str().into(),
            way: Way::of(finding),
            subject: Subject::of(finding).map(Box::new),
        }
    }

    pub(super) fn subject(&self) -> Option<&Subject> {
        self.subject.as_deref()
    }

    pub(super) fn name(&self) -> &str {
        &self.action.0
    }
}

impl Way {
    /// What a service does in a console's session has the console as its label and the service as its address.
    ///
    /// A service through which people call, such as the one that tools of agents go through, asks for nothing by itself:
    /// each such call is a step.
    fn of(finding: &Finding) -> Self {
        let (via, from) = (&*finding.via, &*finding.source_ip);
        let is_console = via == "console";
        let service = if is_console { from } else { via };
        match service_name(service) {
            Some(_) if is_used_by_people(service) => Self::Own,
            Some(_) => Self::Service(service.into()),
            None if is_console => Self::Console(from.into()),
            None => Self::Own,
        }
    }
}

/// A call of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Did<'i> {
    /// When, if the record says.
    pub time: Option<Time>,
    /// How urgent it is.
    pub severity: Severity,
    is_grave: bool,
    key: Key,
    act: &'i Act,
}

impl<'i> Did<'i> {
    /// What was called.
    pub fn action(&self) -> &'i str {
        self.act.name()
    }

    /// The error code, when the call failed.
    pub fn error(&self) -> Option<&'i str> {
        self.act.error.as_deref()
    }

    /// Whether a finding is on this call.
    pub fn is_of(&self, finding: &Finding) -> bool {
        self.key == finding.key && self.action() == finding.action
    }

    /// Whether a finding is on a call of the same action that ended alike.
    pub fn is_like(&self, finding: &Finding) -> bool {
        self.action() == finding.action && self.error() == finding.error.as_deref()
    }

    /// What tells calls apart.
    fn event(&self) -> (Key, &'i str) {
        (self.key, self.action())
    }

    /// In the order of time; in one second what was asked for before what a service did of it.
    fn order(&self) -> (Option<Time>, bool, &'i str, Key) {
        (self.time, matches!(self.act.way, Way::Service(_)), self.action(), self.key)
    }

    /// What a step is named by first: the most severe, and of these what changed something, succeeded, and came first.
    fn rank(&self) -> impl Ord + use<'i> {
        let Act { error, changes, .. } = self.act;
        (Reverse(self.severity), !self.is_grave, !changes, error.is_some(), self.order())
    }
}

/// Calls that are one step of their caller, one of them first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step<'i> {
    /// What it is named by.
    pub lead: Did<'i>,
    /// The others, in the order of time.
    pub rest: Vec<Did<'i>>,
}

impl<'i> Step<'i> {
    fn of(mut calls: Vec<Did<'i>>, askers: &BTreeSet<(Key, &'i str)>) -> Option<Self> {
        // A service did the rest because of this call, whatever is graver.
        let asker = calls.iter().enumerate().filter(|(_, call)| askers.contains(&call.event()));
        let lead = asker.min_by_key(|(_, call)| call.rank());
        let lead = lead.or_else(|| calls.iter().enumerate().min_by_key(|(_, call)| call.rank()));
        let index = lead?.0;
        let lead = calls.remove(index);
        Some(Self { lead, rest: calls })
    }

    /// How many calls it has.
    pub fn count(&self) -> usize {
        1 + self.rest.len()
    }

    /// All its calls.
    pub fn calls(&self) -> impl Iterator<Item = &Did<'i>> {
        [&self.lead].into_iter().chain(&self.rest)
    }

    /// The worst severity among its calls.
    pub fn severity(&self) -> Severity {
        self.calls().map(|call| call.severity).max().unwrap_or(self.lead.severity)
    }

    /// The others by action and error: first those that stand out, the most severe first; then the most frequent.
    pub fn folded(&self) -> Vec<Folded<'i>> {
        let mut folded: BTreeMap<(&str, Option<&str>), Folded<'i>> = BTreeMap::new();
        for call in &self.rest {
            let is_graver = call.severity > self.lead.severity;
            let stands_out = is_graver || call.is_grave && call.action() != self.lead.action();
            let empty = Folded {
                action: call.action(),
                error: call.error(),
                count: 0,
                severity: call.severity,
                stands_out: false,
            };
            let own = folded.entry((call.action(), call.error())).or_insert(empty);
            own.count += 1;
            own.severity = own.severity.max(call.severity);
            own.stands_out |= stands_out;
        }
        let mut folded: Vec<Folded<'i>> = folded.into_values().collect();
        let severity = |it: &Folded<'i>| it.stands_out.then_some(it.severity);
        // What doesn't stand out has no severity here, and comes after what has.
        folded.sort_by_key(|it| (Reverse(severity(it)), Reverse(it.count)));
        folded
    }

    /// What is folded, in words; `None` where nothing is. What stands out is named, however much it is.
    pub fn rest_in_words(&self) -> Option<String> {
        let folded = self.folded();
        let standing = folded.iter().filter(|it| it.stands_out).count();
        let mut named: Vec<String> = folded.iter().take(standing + NAMED).map(Folded::to_string).collect();
        match folded.len().saturating_sub(named.len()) {
            0 => {}
            1 => named.push("1 other action".into()),
            more => named.push(format!("{more} other actions")),
        }
        let calls = if self.rest.len() == 1 { "1 call".into() } else { format!("{} calls", self.rest.len()) };
        let by = self.service().map_or("with it".into(), |service| format!("by {service}"));
        (!named.is_empty()).then(|| format!("{calls} {by}: {}", named.join(", ")))
    }

    /// The service that made all the others.
    fn service(&self) -> Option<&'i str> {
        let of = |call: &Did<'i>| match &call.act.way {
            Way::Service(service) => Some(&**service),
            _ => None,
        };
        let first = of(self.rest.first()?)?;
        self.rest.iter().all(|call| of(call) == Some(first)).then_some(first)
    }
}

/// Alike calls of a step that aren't its lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folded<'i> {
    /// What was called.
    pub action: &'i str,
    /// The error code, when they failed.
    pub error: Option<&'i str>,
    /// How many there are.
    pub count: usize,
    /// The worst severity among them.
    pub severity: Severity,
    /// Whether it is named whatever the room: it is more severe than the lead, or of a grave class and another action.
    pub stands_out: bool,
}

impl std::fmt::Display for Folded<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.action)?;
        if let Some(error) = self.error {
            write!(f, " [{error}]")?;
        }
        if self.count > 1 {
            write!(f, " x{}", self.count)?;
        }
        if self.stands_out {
            write!(f, " ({})", self.severity)?;
        }
        Ok(())
    }
}

/// What the steps of an incident's calls are, in the order of time. A function of the set of calls:
///
/// - *a stack run by hand*: what a service does with the caller's rights belongs to the caller's latest change through that
///   service, made at most an hour before. Nothing in a record says which one asked for it; the latest is the likeliest.
///   Without one, such as when it came before the logs begin, a service's calls of an hour are a step.
/// - *a click*: calls through the console, from one address, within two seconds of the first.
/// - everything else is a step by itself, as is a call without a time.
pub(super) fn steps<'i>(calls: impl IntoIterator<Item = (&'i Mark, &'i Act)>) -> Vec<Step<'i>> {
    let mut begun = Begun::default();
    for call in distinct(calls) {
        begun.add(call);
    }
    let Begun { steps, askers, .. } = begun;
    steps.into_iter().filter_map(|calls| Step::of(calls, &askers)).collect()
}

/// Each call once, in order: of one event there may be findings of two codes.
fn distinct<'i>(calls: impl IntoIterator<Item = (&'i Mark, &'i Act)>) -> Vec<Did<'i>> {
    let mut all: Vec<Did<'i>> = calls
        .into_iter()
        .map(|(mark, act)| {
            let Mark { time, key, severity, topic, .. } = *mark;
            Did { time, severity, is_grave: topic.class.is_some_and(Class::is_grave), key, act }
        })
        .collect();
    // Two that hand-made logs give the same key may differ in anything else.
    all.sort_by_key(|call| (call.order(), Reverse(call.severity), Reverse(call.is_grave), call.act));
    all.dedup_by(|next, first| {
        let is_same = (next.time, next.event()) == (first.time, first.event());
        first.is_grave |= is_same && next.is_grave;
        is_same
    });
    all
}

/// Where the next call may belong.
#[derive(Default)]
struct Begun<'i> {
    steps: Vec<Vec<Did<'i>>>,
    /// By caller and address: the latest click, and when it began.
    clicks: BTreeMap<(&'i str, &'i str), (usize, Time)>,
    /// By caller and service: where what the service does belongs, since when, and the call that asked for it.
    stacks: BTreeMap<(&'i str, &'i str), Stack<'i>>,
    /// The calls because of which a service made others.
    askers: BTreeSet<(Key, &'i str)>,
}

#[derive(Clone, Copy)]
struct Stack<'i> {
    step: usize,
    since: Time,
    asker: Option<(Key, &'i str)>,
}

impl<'i> Begun<'i> {
    fn add(&mut self, call: Did<'i>) {
        let Act { caller, way, changes, error, .. } = call.act;
        let Some(time) = call.time else {
            self.begin(call);
            return;
        };
        let within = |since: Time, length: TimeDelta| time - since <= length;
        if let Way::Service(service) = way {
            let place = (&**caller, service_of(service));
            if let Some(stack) = self.stacks.get(&place).copied().filter(|it| within(it.since, STACK)) {
                self.askers.extend(stack.asker);
                self.put(stack.step, call);
            } else {
                let step = self.begin(call);
                self.stacks.insert(place, Stack { step, since: time, asker: None });
            }
            return;
        }
        let step = match way {
            Way::Console(address) => {
                let place = (&**caller, &**address);
                let click = self.clicks.get(&place).copied().filter(|(_, since)| within(*since, CLICK));
                if let Some((step, _)) = click {
                    self.put(step, call);
                    step
                } else {
                    let step = self.begin(call);
                    self.clicks.insert(place, (step, time));
                    step
                }
            }
            _ => self.begin(call),
        };
        if *changes
            && error.is_none()
            && let Some((service, _)) = call.action().split_once(':')
        {
            self.stacks.insert((caller, service), Stack { step, since: time, asker: Some(call.event()) });
        }
    }

    fn begin(&mut self, call: Did<'i>) -> usize {
        self.steps.push(vec![call]);
        self.steps.len() - 1
    }

    fn put(&mut self, step: usize, call: Did<'i>) {
        if let Some(calls) = self.steps.get_mut(step) {
            calls.push(call);
        }
    }
}

#[cfg(test)]
mod tests;
