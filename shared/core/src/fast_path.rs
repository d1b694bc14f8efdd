//! Knowing what leads to nothing without judging it: reads, changes by a deploy role, services' own calls.
//!
//! These are nearly all records. What shows it are four fields of the record's top level and the identity; what of them a
//! detector has to see all the same is the detector's to say ([`Detector::watches_identity`] and its neighbours). And
//! the same identities make the same calls all day, so what was found of an identity is kept, and what was found of an
//! action. Their texts are compared byte by byte: a hash alone could be met on purpose by somebody who chooses a
//! session's name.

use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::{Action, Effect, Record};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::call::{is_from_console, is_tool_call, target};
use crate::detector::{Detector, Detectors, IdentityFacts, RecordFacts, Watch};
use crate::disposition::Disposition;
use crate::origins::Origins;
use crate::policy::Policy;
use crate::principal::{Kind, Principal};

/// How many identities are kept. Where two share a place, the later one stays.
const KEPT: usize = 2048;

/// How many actions are kept, in the same way.
const ACTIONS: usize = 512;

/// No text longer than this is kept, so that hostile records don't fill the memory.
const LONGEST: usize = 16 << 10;

/// Tells what leads to nothing from what has to be judged.
#[derive(Debug)]
pub struct FastPath<'p> {
    policy: &'p Policy,
    detectors: Detectors,
    /// What other records say of sessions.
    origins: Option<&'p Origins>,
    /// Boxed, because a function knows few: its start would wait for the pages that empty places take.
    kept: Vec<Option<Box<Kept>>>,
    actions: Vec<Option<Box<Known>>>,
}

#[derive(Clone, Debug, Default)]
struct Kept {
    identity: String,
    account: String,
    caller: Caller,
}

/// An action as a record names it, and what it does.
#[derive(Clone, Debug)]
struct Known {
    /// `eventSource`, `eventName` and `readOnly`, as they are in the record.
    named: [String; 3],
    does: Does,
}

/// What an action does, as far as it matters here.
#[derive(Clone, Copy, Debug)]
struct Does {
    effect: Effect,
    /// It may ask for a role.
    is_sts: bool,
    watch: Watch,
}

/// Who called, as far as it matters here.
#[derive(Clone, Copy, Debug)]
struct Caller {
    kind: Kind,
    watch: Watch,
}

impl Default for Caller {
    fn default() -> Self {
        Self { kind: Kind::Unknown, watch: Watch::Always }
    }
}

impl<'p> FastPath<'p> {
    /// With nothing kept yet.
    pub(crate) fn new(policy: &'p Policy, detectors: Detectors) -> Self {
        Self { policy, detectors, origins: None, kept: vec![None; KEPT], actions: vec![None; ACTIONS] }
    }

    /// The same where other records say something of sessions.
    #[must_use]
    pub fn knowing(self, origins: &'p Origins) -> Self {
        Self { origins: Some(origins), ..self }
    }

    /// Why there is nothing to report on a record, where that can be seen at once.
    ///
    /// Where it says anything, [`crate::Engine::owner`] says `Nobody` with the same reason: the call succeeded,
    /// [`crate::Call::disposition`] gives the reason, and no detector watches it for what it claims whatever the reason.
    pub fn disposition(&mut self, record: &Record<'_>) -> Option<Disposition> {
        if !record.error_code.is_absent() || record.is_endpoint_copy() {
            return None;
        }
        if record.is_told_elsewhere() {
            return Some(Disposition::ToldElsewhere);
        }
        let does = self.does(record);
        if does.watch == Watch::Always || is_tool_call(record) {
            return None;
        }
        let target = if does.is_sts { target(record, &Action::of(record), self.policy) } else { None };
        let caller = self.caller(record);
        if caller.watch == Watch::Always {
            return None;
        }
        let disposition = match (does.effect, caller.kind) {
            (Effect::Reads, _) => Disposition::Read,
            (Effect::Changes, Kind::Service) => Disposition::Service,
            (Effect::Changes, Kind::DeployRole) => Disposition::Expected,
            _ => return None,
        };
        if target.is_some() || does.watch.max(caller.watch) == Watch::ByRecord {
            let is_watched_action = does.watch == Watch::ByRecord;
            let (kind, effect, policy) = (caller.kind, does.effect, self.policy);
            let facts = RecordFacts { record, kind, target, effect, is_watched_action, policy };
            if self.detectors.iter().any(|detector| detector.watches(&facts)) {
                return None;
            }
        }
        Some(disposition)
    }

    fn does(&mut self, record: &Record<'_>) -> Does {
        let named = [record.event_source, record.event_name, record.read_only].map(Raw::as_str);
        let hash = named.iter().fold(0, |seed, text| xxh3_64_with_seed(text.as_bytes(), seed));
        let place = usize::try_from(hash % ACTIONS as u64).unwrap_or_default();
        let kept = self.actions.get_mut(place);
        if let Some(Some(known)) = &kept
            && known.named.iter().zip(named).all(|(known, named)| known == named)
        {
            return known.does;
        }
        let action = Action::of(record);
        let does = Does {
            effect: action.effect(record.read_only.flag()).0,
            is_sts: action.service == "sts",
            watch: greatest(self.detectors, |detector| detector.watches_action(&action)),
        };
        let short = named.iter().all(|text| text.len() < LONGEST);
        if let Some(kept) = kept.filter(|_| short) {
            *kept = Some(Box::new(Known { named: named.map(str::to_owned), does }));
        }
        does
    }

    fn caller(&mut self, record: &Record<'_>) -> Caller {
        let (identity, account) = (record.user_identity.as_str(), record.recipient_account_id.as_str());
        // What shows a service may stand outside of the identity.
        if identity.is_empty() {
            return Caller::default();
        }
        let place = usize::try_from(xxh3_64(identity.as_bytes()) % KEPT as u64).unwrap_or_default();
        if let Some(Some(kept)) = self.kept.get(place)
            && kept.identity == identity
            && kept.account == account
        {
            return kept.caller;
        }
        let caller = self.new_caller(record);
        let Some(kept) = self.kept.get_mut(place).filter(|_| identity.len() <= LONGEST) else {
            return caller;
        };
        let kept = kept.get_or_insert_default();
        kept.identity.replace_range(.., identity);
        kept.account.replace_range(.., account);
        kept.caller = caller;
        caller
    }

    fn new_caller(&self, record: &Record<'_>) -> Caller {
        // What only this record's other fields say must not be kept for the identity's next record.
        let bare = Record {
            user_identity: record.user_identity,
            recipient_account_id: record.recipient_account_id,
            // For its partition, which is the same for all records of an account.
            aws_region: record.aws_region,
            ..Record::default()
        };
        let principal = Principal::of(&bare, self.policy);
        let kind = principal.kind;
        if self.origins.is_some_and(|origins| origins.may_refute(&principal.identity)) {
            return Caller { kind, watch: Watch::Always };
        }
        let who = IdentityFacts { is_from_console: is_from_console(&bare, &principal), principal };
        let watch = greatest(self.detectors, |detector| detector.watches_identity(&who, self.policy));
        Caller { kind, watch }
    }
}

fn greatest(detectors: Detectors, watch: impl Fn(&dyn Detector) -> Watch) -> Watch {
    detectors.iter().map(|detector| watch(*detector)).max().unwrap_or_default()
}
