//! Deploy sessions of which no record shows the beginning: who began them isn't known.

use std::collections::{BTreeMap, HashMap, HashSet};

use handsoff_cloudtrail::{Arn, Identity, Record, Time};
use xxhash_rust::xxh3::xxh3_64;

use crate::finding::Key;
use crate::policy::{Deploy, Policy};
use crate::session_id::{self, issued_by};

/// What the records of a log say of deploy sessions. Sets: it doesn't matter which record comes first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeploySessions {
    /// Sessions in which a deploy role changed something that is expected.
    changed: HashMap<u64, Changed>,
    /// Sessions of deploy roles whose beginning was seen.
    began: HashSet<u64>,
    /// From when on the log shows how sessions of a role begin, by account and role. One that shows none proves nothing.
    since: BTreeMap<(String, String), Time>,
    seen: Seen,
}

/// So many callers are kept in mind. Where two share a place, the later one stays.
const SEEN: u64 = 64;

/// The callers of changes that were noted, with the time of the first one, as they are in their records: a deploy's calls have the
/// same. Compared byte by byte, for a session's name is its caller's to choose.
#[derive(Clone, Debug, Default)]
struct Seen(BTreeMap<u64, (String, String)>);

impl PartialEq for Seen {
    /// What is kept in mind says nothing more.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Seen {}

impl Seen {
    /// Whether a caller's change is a later one.
    fn has_earlier(&self, identity: &str, at: &str) -> bool {
        self.0.get(&place(identity)).is_some_and(|(known, first)| known == identity && **first < *at)
    }

    fn add(&mut self, identity: &str, at: &str) {
        let (known, first) = self.0.entry(place(identity)).or_default();
        identity.clone_into(known);
        at.clone_into(first);
    }
}

fn place(identity: &str) -> u64 {
    xxh3_64(identity.as_bytes()) % SEEN
}

/// A session that changed something.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Changed {
    role: (String, String),
    /// When its credentials were issued.
    created: Time,
    first: (Option<Time>, Key),
}

/// The session of a deploy role that a call was made in, and when its credentials were issued. Of what a service does on, with
/// the caller's rights, the record has a key of its own, which no record shows to be issued.
pub fn session_of(identity: &Identity<'_>) -> Option<(u64, Time)> {
    let created = identity.creation_date.as_deref().and_then(Time::parse)?;
    let session = session_id::of(identity).filter(|_| identity.invoked_by.is_none())?;
    Some((session, created))
}

impl DeploySessions {
    /// Notes a call that issued a session. Whether it is one of a deploy role.
    pub(crate) fn note_beginning(&mut self, record: &Record<'_>, policy: &Policy) -> bool {
        let Some((issued, role)) = issued_by(record).zip(record.assumed_role_arn()) else { return false };
        let Some(Arn { account, resource, .. }) = Arn::split(&role) else { return false };
        let entry = policy.deploy.iter().find(|entry| entry.identity.matches(&role, Some(account)));
        if !entry.is_some_and(Deploy::asks_for_proof) {
            return entry.is_some();
        }
        self.began.insert(issued);
        if let Some(time) = record.event_time.text().and_then(|time| Time::parse(&time)) {
            let name = resource.rsplit('/').next().unwrap_or(resource);
            let since = self.since.entry((account.to_owned(), name.to_owned())).or_insert(time);
            *since = (*since).min(time);
        }
        true
    }

    /// Notes a change by a deploy role that is expected.
    pub fn note_change(&mut self, record: &Record<'_>) {
        let (identity, at) = (record.user_identity.as_str(), record.event_time.as_str());
        if self.seen.has_earlier(identity, at) {
            return;
        }
        let caller = Identity::read(record.user_identity);
        let account = caller.arn.as_deref().and_then(Arn::split).map(|arn| arn.account.to_owned());
        let role = account.zip(caller.assumed_role().map(|(role, _)| role.to_owned()));
        let Some(((session, created), role)) = session_of(&caller).zip(role) else { return };
        let time = record.event_time.text().and_then(|time| Time::parse(&time));
        let first = (time, Key::of(record));
        let new = Changed { role, created, first };
        let known = self.changed.entry(session).or_insert(new);
        known.first = known.first.min(first);
        self.seen.add(identity, at);
    }

    /// Takes over what others have seen.
    pub(crate) fn merge(&mut self, other: Self) {
        for (session, changed) in other.changed {
            let known = self.changed.entry(session).or_insert_with(|| changed.clone());
            known.first = known.first.min(changed.first);
        }
        self.began.extend(other.began);
        for (role, time) in other.since {
            let since = self.since.entry(role).or_insert(time);
            *since = (*since).min(time);
        }
    }

    /// The sessions whose beginning the log should show and doesn't, and the first change of each.
    pub(crate) fn unproven(&self) -> HashMap<u64, Key> {
        let covered = |it: &Changed| self.since.get(&it.role).is_some_and(|since| *since <= it.created);
        let unproven =
            self.changed.iter().filter(|(session, it)| covered(it) && !self.began.contains(session));
        unproven.map(|(session, it)| (*session, it.first.1)).collect()
    }
}
