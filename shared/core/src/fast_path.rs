//! Knowing what leads to nothing without judging it: reads, changes by a deploy role, services' own calls.
//!
//! These are nearly all records. What shows it are four fields of the record's top level and the identity; and
//! the same identities make the same calls all day, so what was found of an identity is kept, and what was found of an
//! action. Their texts are compared byte by byte: a hash alone could be met on purpose by somebody who chooses a
//! session's name.

use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::{Action, Effect, Record};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::attack::Attack;
use crate::call::{is_from_console, is_tool_call, target};
use crate::owner::Disposition;
use crate::policy::{Deploy, Policy, misuse};
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
    /// Whether a deploy role's calls depend on where they come from.
    places: bool,
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
    service: Service,
    opens_a_shell: bool,
    /// The table of attacks has it.
    may_attack: bool,
}

/// Whose action it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Service {
    /// The sign-in service's.
    SignIn,
    /// STS's, which may be asked for a role.
    Sts,
    /// Any other's.
    Other,
}

impl Does {
    fn of(action: &Action<'_>, read_only: Option<bool>) -> Self {
        Self {
            effect: action.effect(read_only).0,
            service: match &*action.service {
                "signin" => Service::SignIn,
                "sts" => Service::Sts,
                _ => Service::Other,
            },
            opens_a_shell: action.opens_a_shell(),
            may_attack: Attack::is_listed(action),
        }
    }
}

/// Who called, as far as it matters here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Caller {
    /// All calls have to be judged: root, emergency identities, and deploy roles that show misuse.
    #[default]
    Watched,
    /// A deploy role that shows no misuse by itself.
    Deploy,
    /// A service by itself.
    Service,
    /// Anybody else.
    Other,
}

impl<'p> FastPath<'p> {
    /// With nothing kept yet.
    pub fn new(policy: &'p Policy) -> Self {
        let listed = |entry: &Deploy| !entry.networks.is_empty() || !entry.vpc_endpoints.is_empty();
        let places = policy.deploy.iter().any(listed);
        Self { policy, places, kept: vec![None; KEPT], actions: vec![None; ACTIONS] }
    }

    /// Why there is nothing to report on a record, where that can be seen at once.
    ///
    /// Where it says anything, [`crate::Call::owner`] says `Nobody` with the same reason: nothing failed, it
    /// is no sign-in and doesn't take on a deploy role or an emergency identity, and the caller is neither
    /// root nor an emergency identity nor a deploy role in the wrong hands.
    pub fn disposition(&mut self, record: &Record<'_>) -> Option<Disposition> {
        if !record.error_code.is_absent() || record.is_endpoint_copy() {
            return None;
        }
        if record.is_told_elsewhere() {
            return Some(Disposition::ToldElsewhere);
        }
        let does = self.does(record);
        let asks_for_role =
            |policy| does.service == Service::Sts && target(record, &Action::of(record), policy).is_some();
        if does.service == Service::SignIn || asks_for_role(self.policy) || is_tool_call(record) {
            return None;
        }
        let effect = does.effect;
        let caller = match (self.caller(record), effect) {
            (Caller::Watched, _) | (Caller::Other, Effect::Changes) => return None,
            (caller, _) => caller,
        };
        if caller == Caller::Deploy
            && (self.places
                || does.opens_a_shell
                || !record.vpc_endpoint_account_id.is_absent()
                || record.session_credential_from_console.flag() == Some(true))
        {
            return None;
        }
        match (effect, caller) {
            (Effect::Reads, _) => Some(Disposition::Read),
            (Effect::Changes, Caller::Service) => Some(Disposition::Service),
            (Effect::Changes, Caller::Deploy) => {
                let attacks =
                    does.may_attack && Attack::of(&Action::of(record), record, self.policy, true).is_some();
                (!attacks).then_some(Disposition::Expected)
            }
            _ => None,
        }
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
        let does = Does::of(&Action::of(record), record.read_only.flag());
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
            return Caller::Watched;
        }
        let place = usize::try_from(xxh3_64(identity.as_bytes()) % KEPT as u64).unwrap_or_default();
        let Some(kept) = self.kept.get_mut(place) else { return Caller::Watched };
        let kept = kept.get_or_insert_default();
        if kept.identity == identity && kept.account == account {
            return kept.caller;
        }
        let caller = caller(record, self.policy);
        if identity.len() > LONGEST {
            return caller;
        }
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
        // For its partition, which is the same for all records of an account.
        aws_region: record.aws_region,
        ..Record::default()
    };
    let principal = Principal::of(&bare, policy);
    match principal.kind {
        Kind::BreakGlass => Caller::Watched,
        Kind::DeployRole => {
            let entry = principal.entry.and_then(|entry| policy.deploy.get(entry));
            let console = is_from_console(&bare, &principal);
            let clean =
                entry.is_some_and(|entry| !console && misuse::by_identity(entry, &principal).is_none());
            if clean { Caller::Deploy } else { Caller::Watched }
        }
        Kind::Service => Caller::Service,
        _ => Caller::Other,
    }
}
