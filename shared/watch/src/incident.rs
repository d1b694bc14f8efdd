//! Findings that belong together.
//!
//! An incident is a set: adding a finding twice, or in another order, gives the same incident. What it keeps
//! is bounded but for 24 bytes a finding: the findings to show are the few worst and earliest, and that
//! choice doesn't depend on the order either.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use handsoff_trail::{Arn, Time};
use sha2::{Digest, Sha256};

use crate::call::{Call, Target};
use crate::code::Code;
use crate::finding::{Finding, Key};
use crate::principal::Kind;
use crate::severity::Severity;

/// The ID of the incident that a finding on this call belongs to.
///
/// It follows from the record alone, so that whichever record comes first opens the same incident:
///
/// - a session's findings are one incident. The console's many access keys share the session's start.
/// - of a principal without a session, and of a workload, whose code takes sessions all the time: those of
///   one day (UTC).
/// - denied calls: those of one principal and day.
/// - a break-glass session starts with the call that takes the identity on: those of the identity, the
///   session's name and the day that the session began.
pub fn id(call: &Call<'_>, code: Code) -> String {
    let identity = &call.principal.identity;
    let day = |time: Option<Time>| time.map(Time::date).unwrap_or_default();
    let started = identity.creation_date.as_deref();
    let account = call.account().unwrap_or_default();
    let arn = call.principal.arn.as_deref().unwrap_or_default();
    let session = identity.assumed_role().map_or("", |(_, session)| session);
    let start_day = || started.and_then(Time::parse).map_or_else(|| day(call.time), Time::date);
    let glass = call.principal.kind == Kind::BreakGlass || call.takes_break_glass();
    let (kind, parts) = match code.detector() {
        "deny-spike" => ("deny", [denial_group(call), String::new(), String::new(), day(call.time)]),
        _ if glass && call.principal.kind != Kind::BreakGlass => {
            let session = call
                .record
                .request_parameters
                .get("roleSessionName")
                .and_then(handsoff_trail::json::Raw::text);
            let (role, account) = match call.target {
                // An account ID or a root ARN.
                Some(Target::Root) => {
                    let target = call
                        .record
                        .request_parameters
                        .get("targetPrincipal")
                        .and_then(|target| target.text());
                    let target = target.as_deref().unwrap_or(&account);
                    ("root".into(), Arn::split(target).map_or(target, |arn| arn.account).to_owned())
                }
                _ => {
                    let role = call.record.assumed_role_arn().unwrap_or_default();
                    let of = Arn::split(&role).map_or(&*account, |arn| arn.account).to_owned();
                    (role, of)
                }
            };
            ("glass", [account, role_name(&role), session.unwrap_or_default().into(), day(call.time)])
        }
        _ if glass => {
            let role = if call.principal.is_root() { "root".to_owned() } else { role_name(arn) };
            let account = identity.account_id.as_deref().unwrap_or(&account).to_owned();
            // Who tries the door and who is inside need not be the same.
            let session = if code == Code::GlassSignInFailed { "a failed sign-in" } else { session };
            ("glass", [account, role, session.to_owned(), start_day()])
        }
        _ if call.principal.kind == Kind::Workload => {
            ("drift", [account.into(), arn.to_owned(), String::new(), day(call.time)])
        }
        _ => {
            let start = started.map_or_else(|| day(call.time), str::to_owned);
            ("drift", [account.into(), arn.to_owned(), session.to_owned(), start])
        }
    };
    let mut hash = Sha256::new();
    for part in [kind].into_iter().chain(parts.iter().map(String::as_str)) {
        hash.update(part.len().to_le_bytes());
        hash.update(part.as_bytes());
    }
    let digest: String =
        hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    format!("{kind}-{digest}")
}

/// The principal whose denied calls are counted together, as a text that is unique to it: the user or role,
/// whatever the names of its sessions, which the caller chooses. Of the roles that Identity Center's users
/// share, each user by itself: there the session's name is not theirs to choose.
pub fn denial_group(call: &Call<'_>) -> String {
    let identity = &call.principal.identity;
    let person = identity.permission_set().map_or("", |(_, user)| user);
    let arn = call.principal.arn.as_deref().or(identity.principal_id.as_deref()).unwrap_or_default();
    format!("{}|{}|{person}", call.account().unwrap_or_default(), without_suffix(arn))
}

/// The last part of a role's or user's ARN: its path may be missing in some of a session's records.
fn role_name(arn: &str) -> String {
    without_suffix(arn.rsplit('/').next().unwrap_or(arn))
}

/// A role of Identity Center without the suffix that changes.
fn without_suffix(arn: &str) -> String {
    let name = arn.rsplit('/').next().unwrap_or(arn);
    match handsoff_trail::permission_set_of(name) {
        Some(set) => set.to_owned(),
        None => arn.to_owned(),
    }
}

/// What an incident remembers of each of its findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark {
    pub(crate) known: Option<Time>,
    pub(crate) time: Option<Time>,
    pub(crate) key: Key,
    pub(crate) severity: Severity,
    pub(crate) code: Code,
}

/// Orders findings by what is to be shown first: the worst, of these the earliest.
type Rank = (std::cmp::Reverse<Severity>, Option<Time>, Key, Code);

/// Findings that belong together.
#[derive(Clone, Debug)]
pub struct Incident {
    /// Its ID.
    pub id: String,
    pub(crate) marks: BTreeSet<Mark>,
    /// The worst and earliest findings, the worst first.
    worst: BTreeMap<Rank, Arc<Finding>>,
    /// The first finding of each severity: what an alert about a rise in severity tells.
    firsts: BTreeMap<Severity, Arc<Finding>>,
    /// The findings of each action; of more than 200 actions the first in the alphabet.
    actions: BTreeMap<String, BTreeSet<Key>>,
}

/// How many findings an incident keeps whole, to show them.
const SHOWN: usize = 12;
/// How many different actions an incident tells apart.
const ACTIONS: usize = 200;

impl Incident {
    /// An incident without findings.
    pub fn new(id: String) -> Self {
        Self {
            id,
            marks: BTreeSet::new(),
            worst: BTreeMap::new(),
            firsts: BTreeMap::new(),
            actions: BTreeMap::new(),
        }
    }

    /// Adds a finding. Adding it again changes nothing.
    pub fn add(&mut self, finding: Finding) {
        let Finding { known, time, key, severity, code, .. } = finding;
        self.marks.insert(Mark { known, time, key, severity, code });
        self.actions.entry(finding.action.clone()).or_default().insert(key);
        let finding = Arc::new(finding);
        self.add_first(&finding);
        self.add_worst(finding);
        self.bound();
    }

    fn add_worst(&mut self, finding: Arc<Finding>) {
        let order = (std::cmp::Reverse(finding.severity), finding.time, finding.key, finding.code);
        match self.worst.get_mut(&order) {
            Some(same) if *same <= finding => {}
            Some(same) => *same = finding,
            None => drop(self.worst.insert(order, finding)),
        }
    }

    fn add_first(&mut self, finding: &Arc<Finding>) {
        match self.firsts.get(&finding.severity) {
            Some(first) if (first.order(), &**first) <= (finding.order(), &**finding) => {}
            _ => {
                self.firsts.insert(finding.severity, Arc::clone(finding));
            }
        }
    }

    /// Drops what is beyond the bounds: always from the same end, so that what stays doesn't depend on the
    /// order in which it came.
    fn bound(&mut self) {
        while self.worst.len() > SHOWN {
            self.worst.pop_last();
        }
        while self.actions.len() > ACTIONS {
            self.actions.pop_last();
        }
    }

    /// Adds all findings of another part of the same incident.
    pub fn merge(&mut self, other: Self) {
        self.marks.extend(other.marks);
        for (action, keys) in other.actions {
            self.actions.entry(action).or_default().extend(keys);
        }
        for first in other.firsts.values() {
            self.add_first(first);
        }
        other.worst.into_values().for_each(|finding| self.add_worst(finding));
        self.bound();
    }

    /// The finding that first had this severity.
    pub(crate) fn first_of(&self, severity: Severity) -> Option<&Finding> {
        self.firsts.get(&severity).map(|finding| &**finding)
    }

    /// How many findings it has.
    pub fn count(&self) -> usize {
        self.marks.len()
    }

    /// The highest severity among its findings.
    pub fn severity(&self) -> Severity {
        self.marks.iter().map(|mark| mark.severity).max().unwrap_or(Severity::Info)
    }

    /// The finding to name the incident by: the worst, of these the earliest.
    pub fn lead(&self) -> Option<&Finding> {
        self.worst.values().next().map(|finding| &**finding)
    }

    /// The worst and earliest findings, at most twelve, the worst first.
    pub fn worst(&self) -> impl Iterator<Item = &Finding> {
        self.worst.values().map(|finding| &**finding)
    }

    /// The first and the last time among its findings.
    pub fn times(&self) -> Option<(Time, Time)> {
        let times = || self.marks.iter().filter_map(|mark| mark.time);
        Some((times().min()?, times().max()?))
    }

    /// How many findings there are of each code and severity.
    pub fn counts(&self) -> BTreeMap<(Code, Severity), usize> {
        let mut counts = BTreeMap::new();
        for mark in &self.marks {
            *counts.entry((mark.code, mark.severity)).or_insert(0) += 1;
        }
        counts
    }

    /// How many findings there are of each action, the most frequent first.
    pub fn actions(&self) -> Vec<(&str, usize)> {
        let mut actions: Vec<_> =
            self.actions.iter().map(|(action, keys)| (action.as_str(), keys.len())).collect();
        actions.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        actions
    }

    /// The worst incident first, then the earliest; never two the same.
    pub fn order(&self) -> (std::cmp::Reverse<Severity>, Option<Time>, &str) {
        (std::cmp::Reverse(self.severity()), self.times().map(|times| times.0), &self.id)
    }
}
