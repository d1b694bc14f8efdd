//! Knowing a read that leads to nothing without judging it.
//!
//! Nine records in ten are such reads. What shows it are four fields of the record's top level and the
//! identity; and the same few hundred identities make all the calls of an hour, so what was found of one is
//! kept. An identity is the whole text of `userIdentity`, compared byte by byte: a hash alone could be met on
//! purpose by somebody who chooses a session's name.

use handsoff_trail::{Action, Effect, Record};
use xxhash_rust::xxh3::xxh3_64;

use crate::call::{is_from_console, target};
use crate::policy::{Policy, misuse};
use crate::principal::{Kind, Principal};

/// How many identities are kept. Where two share a place, the later one stays.
const KEPT: usize = 512;

/// Tells plain reads from what has to be judged.
#[derive(Debug)]
pub struct Skim<'p> {
    policy: &'p Policy,
    kept: Vec<Kept>,
}

#[derive(Clone, Debug, Default)]
struct Kept {
    identity: String,
    account: String,
    caller: Caller,
}

/// Whose reads are plain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Caller {
    /// Every one has to be judged: root, emergency identities, and deploy roles that show misuse.
    #[default]
    Watched,
    /// A deploy role: where the call came from matters.
    Deploy,
    /// Anybody else.
    Other,
}

impl<'p> Skim<'p> {
    /// With nothing kept yet.
    pub fn new(policy: &'p Policy) -> Self {
        Self { policy, kept: vec![Kept::default(); KEPT] }
    }

    /// Whether a record is a read by somebody that nobody watches.
    ///
    /// Never true where [`crate::Call::owner`] would say anything but `Nobody(Nothing::Read)`: `readOnly` is
    /// CloudTrail's own on the record's top level, the action changes nothing, nothing failed, it is no sign-in
    /// and doesn't take on a deploy role or an emergency identity, and the caller is neither root nor an
    /// emergency identity nor a deploy role in the wrong hands.
    pub fn is_plain_read(&mut self, record: &Record<'_>) -> bool {
        if record.read_only.flag() != Some(true) || !record.error_code.is_absent() {
            return false;
        }
        let action = Action::of(record);
        if action.service == "signin" || action.effect(Some(true)).0 != Effect::Reads {
            return false;
        }
        if target(record, &action, self.policy).is_some() {
            return false;
        }
        match self.caller(record) {
            Caller::Watched => false,
            Caller::Other => true,
            // Rare enough to look at whole: what a console or another network shows is not in the identity.
            Caller::Deploy => {
                record.session_credential_from_console.flag() != Some(true)
                    && self.policy.deploy.iter().all(|entry| entry.networks.is_empty())
            }
        }
    }

    fn caller(&mut self, record: &Record<'_>) -> Caller {
        let (identity, account) = (record.user_identity.as_str(), record.recipient_account_id.as_str());
        let place = usize::try_from(xxh3_64(identity.as_bytes()) % KEPT as u64).unwrap_or_default();
        let Some(kept) = self.kept.get_mut(place) else { return Caller::Watched };
        if kept.identity == identity && kept.account == account && !identity.is_empty() {
            return kept.caller;
        }
        let caller = caller(record, self.policy);
        kept.identity.replace_range(.., identity);
        kept.account.replace_range(.., account);
        kept.caller = caller;
        caller
    }
}

fn caller(record: &Record<'_>, policy: &Policy) -> Caller {
    // What only this record's other fields say must not be kept for the identity's next record.
    let bare = Record {
        user_identity: record.user_identity,
        recipient_account_id: record.recipient_account_id,
        ..Record::default()
    };
    let principal = Principal::of(&bare, policy);
    match principal.kind {
        Kind::BreakGlass => Caller::Watched,
        Kind::DeployRole => {
            let entry = principal.entry.and_then(|entry| policy.deploy.get(entry));
            let console = is_from_console(&bare, &principal);
            let clean = entry.is_some_and(|entry| {
                !console && misuse::session_name(entry, &principal).is_none()
            });
            if clean { Caller::Deploy } else { Caller::Watched }
        }
        _ => Caller::Other,
    }
}
