//! By whose approval a session is: its grants, and what they don't cover.

use handsoff_cloudtrail::Time;
use handsoff_core::person::{asked, is_same, may_be};

use super::Session;
use crate::approval::Approval;
use crate::grant::{Grant, names_of};
use crate::grants::Key;

impl Session<'_> {
    /// What is known of its approval.
    pub fn approval(&self) -> Approval {
        self.approval.get_or_init(|| self.judged()).clone()
    }

    fn judged(&self) -> Approval {
        if let Some(at) = self.started() {
            let keys = self.keys();
            let theirs = |grant: &Grant| self.is_self_approved(grant);
            let fit = |grant: &Grant| !theirs(grant) && self.is_given(grant);
            // Of several the one that holds longest.
            if let Some(grant) = self.grants.approved(&keys, at, fit) {
                return Approval::Approved { grant: grant.clone() };
            }
            if let Some(grant) =
                self.grants.covering(&keys, at, |grant| theirs(grant) && self.is_given(grant))
            {
                return Approval::SelfApproved { grant: grant.clone() };
            }
        }
        Approval::Missing { nearest: self.nearest() }
    }

    /// The grant that lacks least, and what.
    fn nearest(&self) -> Option<(Grant, String)> {
        let mut keys = vec![Key::Any];
        keys.extend(self.roles().map(|(account, role)| Key::Role(account, role)));
        keys.extend(self.proven_person().into_iter().flat_map(asked).map(Key::Person));
        let near = self.grants.near(&keys, self.started()).filter(|grant| self.is_given(grant));
        let lacking = near.map(|grant| {
            let mut why = self.uncovered(grant);
            if !grant.is_by_approver(&self.policy.cases) {
                why.push(format!("{} isn't one of the `approvers` of [cases]", grant.approver));
            }
            (grant, why)
        });
        let near = lacking.filter(|(_, why)| (1..3).contains(&why.len()));
        near.min_by_key(|(_, why)| why.len()).map(|(grant, why)| (grant.clone(), why.join("; ")))
    }

    /// Under what the grants are found that are for its role and person.
    fn keys(&self) -> Vec<Key> {
        match self.proven_person() {
            Some(person) => {
                let names = asked(person);
                let both = |(account, role): (String, String)| {
                    names.iter().map(move |name| Key::Both(account.clone(), role.clone(), name.clone()))
                };
                self.roles().flat_map(both).collect()
            }
            None if self.is_nobodys() => {
                self.roles().map(|(account, role)| Key::Role(account, role)).collect()
            }
            None => Vec::new(),
        }
    }

    /// Its account and role, in all the ways in which a grant may name them.
    fn roles(&self) -> impl Iterator<Item = (String, String)> {
        let names = self.facts.identities.iter().flat_map(|identity| names_of(identity));
        names.flat_map(|name| self.facts.accounts.iter().map(move |account| (account.clone(), name.clone())))
    }

    /// Root names no person: a grant for it is for any holder of its credentials.
    fn is_nobodys(&self) -> bool {
        self.facts.people.is_empty() && self.entry().is_none()
    }

    /// Whether it was given by the time whose knowledge counts.
    fn is_given(&self, grant: &Grant) -> bool {
        self.known.is_none_or(|known| grant.issued <= known)
    }

    /// Until when a grant holds, with those that were given for the same person and identity before it ended.
    pub(crate) fn extended(&self, grant: &Grant) -> Time {
        let key = |name| Key::Both(grant.account.clone(), grant.role.clone(), name);
        let keys: Vec<Key> = asked(&grant.requester).into_iter().map(key).collect();
        let mut until = grant.until;
        let fit = |next: &Grant| !self.is_self_approved(next) && self.is_given(next);
        while let Some(later) = self.grants.extending(&keys, until, fit) {
            until = later;
        }
        until
    }

    /// Whether who approved is who asked, or anybody that the session may be.
    pub(crate) fn is_self_approved(&self, grant: &Grant) -> bool {
        grant.is_self_approved() || self.names().any(|name| may_be(name, &grant.approver))
    }

    /// Why a grant doesn't cover it: role, person, and time.
    pub(crate) fn uncovered(&self, grant: &Grant) -> Vec<String> {
        let mut why = Vec::new();
        let accounts = &self.facts.accounts;
        let for_it = |identity: &String| accounts.iter().any(|account| grant.is_for(identity, account));
        if !self.facts.identities.iter().any(for_it) {
            why.push(format!("it is for {} in {}", grant.role, grant.account));
        }
        match self.proven_person() {
            Some(person) if is_same(person, &grant.requester) => {}
            None if self.is_nobodys() => {}
            Some(_) => why.push(format!("it is for {}", grant.requester)),
            None => why.push(format!("nothing proves that it is {}", grant.requester)),
        }
        match self.started() {
            Some(at) if at < grant.from => why.push(format!("it is valid from {}", grant.from)),
            Some(at) if at >= grant.until => why.push(format!("it was valid until {}", grant.until)),
            Some(at) if grant.issued > at + self.policy.cases.patience => {
                why.push(format!("it was given at {}, after the session's start", grant.issued));
            }
            Some(_) => {}
            None => why.push("the session's start isn't known".into()),
        }
        why
    }
}
