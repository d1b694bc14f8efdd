//! What an entry of the policy would hide: offered only for ordinary changes.

use std::collections::{BTreeMap, BTreeSet};

use handsoff_cloudtrail::Class;
use handsoff_core::{Code, Finding, Kind, Severity};

use super::rule::Rule;

/// An entry that would hide findings of a rule.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    /// The entry as the policy writes it.
    pub(super) entry: String,
    /// What kind of entry it is.
    pub(super) kind: &'static str,
    /// How many findings it would hide.
    pub(super) findings: u64,
    /// How many messages it would hide.
    pub(super) messages: u64,
}

/// Whether an entry may be offered that hides a finding: an ordinary change, by somebody with a name that can be
/// written down. Never what root or an emergency identity does, never tampering or misuse, never a denial, and no change
/// of a class that is grave or that wakes somebody.
fn may_hide(finding: &Finding) -> bool {
    let class = finding.action.split_once(':').map(|(service, name)| Class::of(service, name));
    is_change(finding.code)
        && matches!(finding.principal.kind, Kind::Human | Kind::Workload | Kind::Unknown)
        && finding.severity < Severity::High
        && finding.access != "permissions-management"
        && class == Some(None)
        // An exception has an end: what has no time isn't shown to lie before it.
        && finding.time.is_some()
        && is_plain(&finding.action)
        && is_plain(&finding.principal.arn)
        && finding.principal.arn.starts_with("arn:")
}

/// Whether a name is made of what AWS allows in one, and means itself in a pattern and in TOML.
fn is_plain(name: &str) -> bool {
    name.chars().all(|char| char.is_ascii_alphanumeric() || "+=,.@_-:/".contains(char))
}

/// The entry for these actions of a principal, of which `all` are all that it changed or not. A person gets an exception,
/// which has an owner and an end: none is to be trusted for good. So does a role that isn't known for a workload's and
/// did more than that: as a workload it would be judged otherwise.
pub(super) fn entry(rule: &Rule, actions: &BTreeSet<&str>, all: bool, until: &str) -> (&'static str, String) {
    let list: Vec<String> = actions.iter().map(|action| format!("\"{action}\"")).collect();
    let (identity, list) = (&rule.principal, list.join(", "));
    let is_role = || identity.split(':').nth(5).is_some_and(|name| name.starts_with("role/"));
    match rule.kind {
        Kind::Unknown if !(all && is_role()) => exception(identity, &list, until),
        Kind::Workload | Kind::Unknown => {
            ("[[workload]]", format!("[[workload]]\nidentity = \"{identity}\"\nmay_write = [{list}]\n"))
        }
        _ => exception(identity, &list, until),
    }
}

fn exception(identity: &str, list: &str, until: &str) -> (&'static str, String) {
    let entry = format!(
        "[[exception]]\nidentity = \"{identity}\"\nactions = [{list}]\n\
         owner = \"WHO\"\nreason = \"WHY\"\nuntil = {until} # the last day\n"
    );
    ("[[exception]]", entry)
}

/// Why nothing is offered for a rule.
pub(super) fn none(rule: &Rule) -> &'static str {
    match (rule.code.row().may_be_hidden, rule.kind) {
        (_, Kind::BreakGlass) => "no entry can hide what root or an emergency identity does",
        (Err(why), _) => why,
        (Ok(()), _) => "its changes are severe, or its caller has no ARN that an entry could name",
    }
}

/// The changes of a principal.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    /// By action how many findings an entry may hide, and how many not.
    actions: BTreeMap<String, (u64, u64)>,
    /// The incidents that they are in.
    pub(super) incidents: BTreeSet<String>,
}

impl Changes {
    pub(super) fn add(&mut self, finding: &Finding) {
        let (may, not) = match self.actions.get_mut(&finding.action) {
            Some(counts) => counts,
            None => self.actions.entry(finding.action.clone()).or_default(),
        };
        *(if may_hide(finding) { may } else { not }) += 1;
        if !self.incidents.contains(&finding.incident) {
            self.incidents.insert(finding.incident.clone());
        }
    }

    /// Whether an entry may name all.
    pub(super) fn are_ordinary(&self) -> bool {
        self.actions.values().all(|(_, not)| *not == 0)
    }

    /// What an entry may name. An entry hides all findings of an action that it names: so none is named that has one
    /// which may not be hidden.
    pub(super) fn ordinary(&self) -> BTreeSet<&str> {
        let ordinary = self.actions.iter().filter(|(_, (_, not))| *not == 0);
        ordinary.map(|(action, _)| action.as_str()).collect()
    }
}

/// Whether an entry for these actions of a principal hides the finding.
pub(super) fn hides(principal: &str, actions: &BTreeSet<&str>, finding: &Finding) -> bool {
    is_change(finding.code) && finding.principal.arn == principal && actions.contains(&*finding.action)
}

/// Whether it is a code that an entry can hide at all.
pub(super) fn is_change(code: Code) -> bool {
    code.row().may_be_hidden.is_ok()
}
