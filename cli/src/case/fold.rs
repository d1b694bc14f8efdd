//! Calls for people: alike ones that follow each other are one row, and each is of one kind.

use handsoff_case::Observation;
use handsoff_case::observation::{Did, Ended};
use handsoff_cloudtrail::Time;

/// What a call is for somebody who looks at a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// It changed permissions or made an identity, or attacked logging; and succeeded.
    Escalation,
    /// It changed something.
    Write,
    /// A permission was missing.
    Denial,
    /// It signed in, or was a step of that.
    SignIn,
    /// It changed nothing.
    Read,
    /// It failed otherwise.
    Failure,
}

impl Kind {
    /// All, the most urgent first.
    pub(super) const ALL: [Self; 6] =
        [Self::Escalation, Self::Write, Self::Denial, Self::SignIn, Self::Read, Self::Failure];

    /// The one kind of a call.
    pub(super) fn of(call: &Observation) -> Self {
        match (call.ended, call.did, call.code) {
            (Ended::Denied, ..) => Self::Denial,
            (Ended::Failed, ..) => Self::Failure,
            (_, _, code) if code.is_grave() => Self::Escalation,
            (_, Did::Write, _) => Self::Write,
            (_, Did::SignIn, _) => Self::SignIn,
            (_, Did::Read, _) => Self::Read,
        }
    }

    /// Its name, also that of its class on a page.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Escalation => "escalation",
            Self::Write => "write",
            Self::Denial => "denial",
            Self::SignIn => "sign-in",
            Self::Read => "read",
            Self::Failure => "failure",
        }
    }

    /// Its name for many.
    pub(super) fn plural(self) -> &'static str {
        match self {
            Self::Escalation => "Escalations",
            Self::Write => "Writes",
            Self::Denial => "Denials",
            Self::SignIn => "Sign-ins",
            Self::Read => "Reads",
            Self::Failure => "Other failures",
        }
    }
}

/// Whether a call is a read of which there is nothing more to say, however urgent each call of its identity is: who
/// looks for what a session did looks for the others.
pub(super) fn is_plain(call: &Observation) -> bool {
    call.did == Did::Read && call.ended != Ended::Denied && !call.interactive && call.code.row().is_routine
}

/// The calls that aren't plain reads, as rows in the order of time. Of more rows than `most` the most urgent ones, and how
/// many are left out.
pub(super) fn noteworthy(calls: &[Observation], most: usize) -> (Vec<Row<'_>>, usize) {
    let kept = calls.iter().enumerate().filter(|(_, call)| !is_plain(call));
    let mut rows = fold(kept.map(|(index, call)| (index + 1, call)));
    let beyond = rows.len().saturating_sub(most);
    if beyond > 0 {
        rows.sort_by_key(|row| (Kind::of(row.call), row.from));
        rows.truncate(most);
        rows.sort_by_key(|row| row.from);
    }
    (rows, beyond)
}

/// Plain reads by action and error, the most frequent first.
pub(super) fn reads(calls: &[Observation]) -> Vec<Group<'_>> {
    group(calls.iter().filter(|call| is_plain(call)), |call| (&call.action, &call.error, call.chained))
}

/// Calls that follow each other and are alike in all but time and event.
#[derive(Clone, Debug)]
pub(super) struct Row<'c> {
    /// The first of them.
    pub(super) call: &'c Observation,
    /// The first one's number in the case, from 1.
    pub(super) from: usize,
    /// The last one's number.
    pub(super) to: usize,
    /// How many there are; not all between the two numbers, when some were left out.
    pub(super) count: usize,
    /// The last one's time.
    pub(super) last: Option<Time>,
}

/// Folds calls with their numbers, which come in order.
pub(super) fn fold<'c>(calls: impl IntoIterator<Item = (usize, &'c Observation)>) -> Vec<Row<'c>> {
    let mut rows: Vec<Row<'c>> = Vec::new();
    for (number, call) in calls {
        match rows.last_mut() {
            Some(row) if are_alike(row.call, call) => {
                row.to = number;
                row.count += 1;
                row.last = call.time;
            }
            _ => rows.push(Row { call, from: number, to: number, count: 1, last: call.time }),
        }
    }
    rows
}

fn are_alike(one: &Observation, other: &Observation) -> bool {
    let verdict = |it: &Observation| (it.code, it.severity, it.did, it.ended, it.chained, it.interactive);
    verdict(one) == verdict(other)
        && one.action == other.action
        && one.error == other.error
        && one.resources == other.resources
        && one.made == other.made
        && one.by == other.by
        && one.access_key == other.access_key
        && one.source_ip == other.source_ip
        && one.via == other.via
        && one.user_agent == other.user_agent
        && one.region == other.region
        && one.account == other.account
        && one.reason == other.reason
        && one.time.is_some() == other.time.is_some()
}

/// A sum of calls that have something in common.
#[derive(Clone, Debug)]
pub(super) struct Group<'c> {
    /// The first of them.
    pub(super) call: &'c Observation,
    /// How many there are.
    pub(super) count: usize,
    /// The last one's time.
    pub(super) last: Option<Time>,
}

/// Sums calls up by what they have in common, the most frequent first.
pub(super) fn group<'c, K: Ord>(
    calls: impl IntoIterator<Item = &'c Observation>,
    key: impl Fn(&'c Observation) -> K,
) -> Vec<Group<'c>> {
    let mut groups: std::collections::BTreeMap<K, Group<'c>> = std::collections::BTreeMap::new();
    for call in calls {
        let group = groups.entry(key(call)).or_insert(Group { call, count: 0, last: call.time });
        group.count += 1;
        group.last = call.time;
    }
    let mut groups: Vec<Group<'c>> = groups.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.count));
    groups
}
