//! Deploy sessions that nothing can refute any more, as far as a process has seen.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

/// So many sessions of each kind are kept in mind.
const KEPT: usize = 1000;

/// Deploy sessions that nothing can refute any more, as far as this process has seen: what is done in them isn't stored.
///
/// A session is proven by the record of the call that issued it, if its entry of the policy allows that call, and if the caller's
/// own session is proven, too, or none, or one that AWS marks as code's. All that decides is written by AWS: access keys, callers,
/// accounts and marks.
///
/// What refutes a session is the record of the same call, or of one that issued a session before it in the chain. Most calls have
/// one record, and the one that proves it has been seen: so nothing is left that could come late. Of a call into another account
/// there are two. A session that began so is proven only after what is known of its beginning was read; where both records come
/// to one stack, and the one that says less comes first, what is done until the other one comes isn't reported by that, nor what
/// is done in sessions that were issued in it until then. From then on it is, by another process once that is a new one.
#[derive(Debug, Default)]
pub struct ProvenSessions(RefCell<Known>);

#[derive(Debug, Default)]
struct Known {
    proven: HashSet<u64>,
    /// In which session others were issued, of which nothing is proven yet, and how often they were looked at.
    issued: HashMap<u64, (u64, u32)>,
}

impl ProvenSessions {
    pub(super) fn add(&self, session: u64) {
        let mut known = self.0.borrow_mut();
        if known.proven.len() >= KEPT {
            known.proven.clear();
        }
        known.issued.remove(&session);
        known.proven.insert(session);
    }

    pub(super) fn add_all(&self, sessions: &[u64]) {
        for session in sessions {
            self.add(*session);
        }
    }

    pub(super) fn has(&self, session: u64) -> bool {
        self.0.borrow().proven.contains(&session)
    }

    /// What refutes a session has come.
    pub(super) fn forget(&self, session: u64) {
        self.0.borrow_mut().proven.remove(&session);
    }

    /// Keeps in mind in which session one was issued.
    pub(super) fn issued(&self, session: u64, by: u64) {
        let mut known = self.0.borrow_mut();
        if known.issued.len() >= KEPT {
            known.issued.clear();
        }
        known.issued.entry(session).or_insert((by, 1));
    }

    /// In which session one was issued that isn't proven.
    pub(super) fn issuer(&self, session: u64) -> Option<u64> {
        self.0.borrow().issued.get(&session).map(|(by, _)| *by)
    }

    /// Whether what isn't known of a session is to be read now. If it is known in which session it was issued, the beginning of that
    /// one is read the second time, the fourth, the eighth and so on: where it didn't come first, it rarely comes.
    pub(super) fn is_due(&self, session: u64) -> bool {
        let mut known = self.0.borrow_mut();
        let Some((_, times)) = known.issued.get_mut(&session) else { return true };
        *times = times.saturating_add(1);
        times.is_power_of_two()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_looked_at_ever_more_rarely() {
        let sessions = ProvenSessions::default();
        assert!(sessions.is_due(1), "nothing is known of it");
        sessions.issued(1, 2);
        let due: Vec<u32> = (1..=20).filter(|_| sessions.is_due(1)).collect();
        assert_eq!(due, [1, 3, 7, 15]);
        sessions.issued(1, 2);
        assert!(!sessions.is_due(1), "to say it again changes nothing");
    }

    #[test]
    fn a_session_is_proven_until_it_is_refuted_and_no_more_are_kept_than_so_many() {
        let sessions = ProvenSessions::default();
        sessions.issued(1, 2);
        sessions.add(1);
        assert!(sessions.has(1) && sessions.issuer(1).is_none());
        sessions.forget(1);
        assert!(!sessions.has(1));
        for session in 0..5_000 {
            sessions.add(session);
            sessions.issued(session + 10_000, 1);
        }
        let known = sessions.0.borrow();
        assert!(known.proven.len() <= KEPT && known.issued.len() <= KEPT);
    }
}
