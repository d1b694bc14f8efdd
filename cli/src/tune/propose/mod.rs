//! What is proposed, by the evidence of the logs.
//!
//! Three rules stand above all: nothing is proposed that would trust a person; nothing whose changes reach beyond the
//! ordinary, but for a pipeline that is one by what AWS writes; and what a caller may choose (names, agents) is shown as
//! evidence and never counts as such, but for break-glass identities, of which an entry reports more and not less.

mod denials;
mod deploy;
mod glass;
mod workload;

use handsoff_core::policy::{IdentityPattern, Line};
use handsoff_core::{Policy, show::clean};

use super::fact::{Form, Id};
use super::observe::Days;
use super::profile::{Logs, Profile, date};
use super::write::{self, Entry, Standing};
use crate::numbers::{count_of, thousands};

/// What is proposed.
pub(super) struct Proposal {
    pub(super) deploy: Vec<Entry>,
    pub(super) glass: Vec<Entry>,
    pub(super) workloads: Vec<Entry>,
    /// People and others of whom nothing is proposed.
    pub(super) others: Vec<String>,
    pub(super) denials: Entry,
    pub(super) scanners: Vec<Entry>,
}

/// What the proposals rest on.
pub(super) struct Evidence<'a> {
    pub(super) logs: &'a Logs,
    pub(super) base: &'a Policy,
    /// Whether the base has a `[denials]` of its own.
    pub(super) own_denials: bool,
}

/// A role has to be seen on so many days to be taken for part of everyday life.
const EVERYDAY: usize = 3;

impl Evidence<'_> {
    /// The proposals.
    pub(super) fn propose(&self) -> Proposal {
        let deploys = self.deploys();
        let trusted: Vec<&Id> = deploys
            .iter()
            .filter(|(_, entry)| entry.standing == Standing::Proposed)
            .map(|(id, _)| *id)
            .collect();
        let glass = self.glass();
        let taken: Vec<&Id> =
            deploys.iter().map(|(id, _)| *id).chain(glass.iter().map(|(id, _)| *id)).collect();
        let (workloads, others) = self.workloads(&trusted, &taken);
        Proposal {
            deploy: deploys.into_iter().map(|(_, entry)| entry).collect(),
            glass: glass.into_iter().map(|(_, entry)| entry).collect(),
            workloads,
            others,
            denials: self.thresholds(),
            scanners: self.scanners(),
        }
    }

    /// All identities of a form.
    fn identities(&self, form: Form) -> impl Iterator<Item = (&Id, &Profile)> {
        self.logs.profiles.iter().filter(move |(id, _)| id.form == form)
    }

    /// The entry of the policy that names an identity.
    fn named<'p>(
        id: &Id,
        profile: &Profile,
        mut entries: impl Iterator<Item = (&'p IdentityPattern, &'p Line)>,
    ) -> Option<String> {
        let account = Some(&*id.account);
        let bare = format!(
            "arn:aws:iam::{}:{}/{}",
            id.account,
            if id.form == Form::User { "user" } else { "role" },
            id.name
        );
        let set = format!("arn:aws:iam::{}:role/AWSReservedSSO_{}_0000000000000000", id.account, id.name);
        let means = |pattern: &IdentityPattern| {
            let known = profile.used.arns.keys().any(|arn| pattern.matches_pathless(arn, account));
            let bare = if id.form == Form::PermissionSet { &set } else { &bare };
            known || pattern.matches_pathless(bare, account)
        };
        entries.find(|(pattern, _)| means(pattern)).map(|(_, line)| line.to_string())
    }

    fn named_deploy(&self, id: &Id, profile: &Profile) -> Option<String> {
        Self::named(id, profile, self.base.deploy.iter().map(|entry| (&entry.identity, &entry.line)))
    }

    fn named_glass(&self, id: &Id, profile: &Profile) -> Option<String> {
        Self::named(id, profile, self.base.break_glass.iter().map(|entry| (&entry.identity, &entry.line)))
    }

    fn named_workload(&self, id: &Id, profile: &Profile) -> Option<String> {
        Self::named(id, profile, self.base.workloads.iter().map(|entry| (&entry.identity, &entry.line)))
    }

    /// What makes any trust in an identity doubtful, whatever it is used for.
    fn why_not_trusted(&self, id: &Id) -> Option<String> {
        if self.logs.accounts.get(&id.account).is_none() {
            return Some("it is of another account, for which these logs have no record".into());
        }
        let day = self.probing(id)?;
        Some(format!("its denied calls of {} are as broad as probing", date(day)))
    }

    /// The share of all changes, in words.
    fn share(&self, profile: &Profile) -> String {
        let percent = profile.changes.count * 100 / self.logs.changes.max(1);
        let all = count_of(self.logs.changes, "change");
        let share = if percent == 0 { "less than 1 %".into() } else { format!("{percent} %") };
        format!("{} of {all} ({share}), on {}", thousands(profile.changes.count), days(&profile.changes.days))
    }
}

/// An entry's beginning: title and identity. An identity that can't be written is refused.
fn entry(table: &str, id: &Id, profile: &Profile) -> Entry {
    let kind = match id.form {
        Form::Role => "role",
        Form::User => "user",
        Form::PermissionSet => "permission set",
    };
    let mut entry =
        Entry::new(format!("The {kind} {} of account {}.", clean(&id.name, 128), clean(&id.account, 32)));
    let arns: Vec<&str> = profile.used.arns.keys().map(String::as_str).collect();
    let bare = format!(
        "arn:aws:iam::{}:{}/{}",
        id.account,
        if id.form == Form::User { "user" } else { "role" },
        id.name
    );
    let arns = if arns.is_empty() { vec![&*bare] } else { arns };
    match write::pattern(id, &arns) {
        Some(pattern) => {
            entry.lines.push(format!("[[{table}]]"));
            entry.lines.push(format!("identity = {}", write::quoted(&pattern)));
        }
        None => entry.refuse("its name can't be written as a pattern that matches only it"),
    }
    entry
}

/// A number of days, with the first and the last.
pub(super) fn days(days: &Days) -> String {
    let count = count_of(days.len() as u64, "day");
    match (days.keys().next(), days.keys().next_back()) {
        (Some(first), Some(last)) if first != last => {
            format!("{count} from {} to {}", date(*first), date(*last))
        }
        (Some(first), _) => format!("{count}, {}", date(*first)),
        _ => "unknown days".into(),
    }
}

/// The first of many, and how many more there are.
fn some(items: impl IntoIterator<Item = String>, most: usize) -> String {
    let all: Vec<String> = items.into_iter().collect();
    let shown = all.iter().take(most).cloned().collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(most) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// The value below which so many in a hundred lie, or at which; of none 0.
fn percentile(sorted: &[usize], percent: usize) -> usize {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}
