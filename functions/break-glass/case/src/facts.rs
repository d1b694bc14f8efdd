//! What the records of a session say of it as a whole.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::{Effect, IdentityType, Time, TimeDelta};
use handsoff_core::policy::{Policy, TicketPlace};
use handsoff_core::show::clean;
use handsoff_core::{Call, Kind, Outcome, Target};
use serde::{Deserialize, Serialize};

/// How the person of a session is known, the most certain first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KnownBy {
    /// The user of IAM Identity Center.
    IdentityCenter,
    /// The IAM user.
    User,
    /// The user who took the role on.
    TakenBy,
    /// `sourceIdentity`: whoever takes the first role on sets it, once. What they may set is the business of the
    /// role's trust policy.
    SourceIdentity,
    /// The session's name, which its caller chooses. It proves nothing.
    SessionName,
}

impl KnownBy {
    /// In plain words.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::IdentityCenter => "the user of IAM Identity Center",
            Self::SourceIdentity => "by sourceIdentity",
            Self::User => "the IAM user",
            Self::TakenBy => "the user who assumed the role",
            Self::SessionName => "by the session's name, which the caller chose",
        }
    }
}

/// A session that this one took on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Taken {
    /// When.
    pub at: Option<Time>,
    /// The role, or what else the credentials are for.
    pub role: String,
    /// Its access key. Not to be shown whole.
    pub key: String,
}

/// How many of a set of facts are kept: the least ones, so that the choice doesn't depend on the order.
const KEPT: usize = 64;

/// How many sessions that were taken on are followed, the first ones.
pub const TAKEN: usize = 1_000;

/// What the records of a session say of it. A set: merging in any order, any number of times, gives the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// The account of the identity.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub accounts: BTreeSet<String>,
    /// The role, user or root.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub identities: BTreeSet<String>,
    /// The line of the policy that makes it a break-glass identity.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub lines: BTreeSet<String>,
    /// The session's name.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub session_names: BTreeSet<String>,
    /// `sourceIdentity`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub source_identities: BTreeSet<String>,
    /// Session tags in which the policy looks for the ticket.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub tags: BTreeSet<(String, String)>,
    /// The people that it may be, the most certain first.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub people: BTreeSet<(KnownBy, String)>,
    /// Who took the identity on.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub taken_by: BTreeSet<String>,
    /// When the credentials were issued.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub started: BTreeSet<Time>,
    /// When the credentials end.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub expires: BTreeSet<Time>,
    /// When somebody signed out.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub signed_out: BTreeSet<Time>,
    /// Whether a second factor was shown.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub mfa: BTreeSet<bool>,
    /// Its access keys. Not to be shown whole.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub keys: BTreeSet<String>,
    /// Names by which CloudTrail finds its calls.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub user_names: BTreeSet<String>,
    /// Sessions that it took on.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub taken: BTreeSet<Taken>,
    /// Regions that it called.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub regions: BTreeSet<String>,
    /// The time of the first call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<Time>,
    /// The time of the last call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Time>,
}

impl Facts {
    /// What a call by or for an emergency identity says of its session.
    pub fn of(call: &Call<'_>, policy: &Policy) -> Self {
        let mut facts = Self { first: call.time, last: call.time, ..Self::default() };
        facts.regions.extend(call.record.aws_region.text().map(|region| clean(&region, 32)));
        if call.takes_break_glass() && call.outcome == Outcome::Succeeded {
            facts.taking(call, policy);
        } else {
            facts.within(call, policy);
        }
        facts
    }

    /// What a call says of the session that it was made in, whatever else it asks for.
    pub fn of_own(call: &Call<'_>, policy: &Policy) -> Self {
        let mut facts = Self { first: call.time, last: call.time, ..Self::default() };
        facts.regions.extend(call.record.aws_region.text().map(|region| clean(&region, 32)));
        facts.within(call, policy);
        facts
    }

    /// What a call says that was made with a session which this one took on: it may take on others.
    pub fn of_chained(call: &Call<'_>) -> Self {
        let mut facts = Self { first: call.time, last: call.time, ..Self::default() };
        facts.regions.extend(call.record.aws_region.text().map(|region| clean(&region, 32)));
        facts.taken.extend(taken(call));
        facts
    }

    /// The call that takes an emergency identity on: made by somebody else, or by a session of its own.
    fn taking(&mut self, call: &Call<'_>, policy: &Policy) {
        let record = &call.record;
        let asked = |key: &str| record.request_parameters.get(key).and_then(Raw::text);
        let answer =
            |key: &str| record.response_elements.get("credentials").and_then(|it| it.get(key)?.text());
        let role = match call.target {
            Some(Target::Root) => asked("targetPrincipal").map(|account| format!("root of {account}")),
            _ => record.assumed_role_arn().map(Cow::into_owned),
        };
        self.identities.extend(role.as_deref().map(|role| clean(role, 256)));
        let account =
            role.as_deref().and_then(handsoff_cloudtrail::Arn::split).map(|arn| arn.account.to_owned());
        self.accounts.extend(account.or_else(|| call.account().map(Cow::into_owned)));
        if let Some(Target::BreakGlass(entry)) = call.target {
            self.lines.extend(policy.break_glass.get(entry).map(|entry| entry.line.to_string()));
        }
        self.started.extend(call.time);
        self.expires.extend(answer("expiration").and_then(|text| expiration(&text)));
        self.keys.extend(answer("accessKeyId").map(|key| clean(&key, 64)));
        let caller = &call.principal;
        // The session's ARN, where there is one: the role's alone names nobody.
        let taker = caller.identity.arn.as_deref().or(caller.arn.as_deref());
        let taker = clean(taker.unwrap_or(&caller.name()), 256);
        // Whoever broke glass before is that session's person, whatever they call themselves now.
        if caller.kind == Kind::BreakGlass {
            self.people.insert((KnownBy::TakenBy, taker.clone()));
        }
        self.taken_by.insert(taker);
        let session = asked("roleSessionName").map(|name| clean(&name, 128));
        self.session(session, asked("sourceIdentity").map(|it| clean(&it, 128)));
        let user = matches!(caller.identity.kind, IdentityType::IamUser | IdentityType::SamlUser);
        self.people.extend(user.then(|| (KnownBy::TakenBy, caller.name())));
        self.people.extend(
            caller.identity.permission_set().map(|(_, user)| (KnownBy::IdentityCenter, clean(user, 128))),
        );
        self.people.extend(
            caller.identity.source_identity.as_deref().map(|it| (KnownBy::SourceIdentity, clean(it, 128))),
        );
        // The device stands in the request where the caller has no session to remember it.
        self.mfa.extend(if asked("serialNumber").is_some() { Some(true) } else { call.mfa() });
        if caller.identity.kind == IdentityType::IamUser && self.mfa.is_empty() {
            self.mfa.insert(false);
        }
        let tags = record.request_parameters.get("tags").unwrap_or_default();
        for tag in tags.elements().flatten() {
            let (Some(key), Some(value)) =
                (tag.get("key").and_then(Raw::text), tag.get("value").and_then(Raw::text))
            else {
                continue;
            };
            if is_looked_at(&key, policy) {
                self.tags.insert((clean(&key, 128), clean(&value, 256)));
            }
        }
    }

    /// A call by the identity itself.
    fn within(&mut self, call: &Call<'_>, policy: &Policy) {
        let identity = &call.principal.identity;
        self.accounts.extend(
            identity.account_id.as_deref().map(str::to_owned).or_else(|| call.account().map(Cow::into_owned)),
        );
        self.identities.extend(match &call.principal.arn {
            Some(arn) => Some(clean(arn, 256)),
            None if call.principal.is_root() => Some("root".to_owned()),
            None => None,
        });
        let entry = call.principal.entry.and_then(|entry| policy.break_glass.get(entry));
        self.lines.extend(entry.map(|entry| entry.line.to_string()));
        let created = identity.creation_date.as_deref().and_then(Time::parse);
        let signs_in =
            (call.effect == Effect::SignsIn && call.outcome == Outcome::Succeeded) || call.grants_sign_in();
        self.started.extend(created.or(call.time.filter(|_| signs_in)));
        self.keys.extend(identity.access_key_id.as_deref().map(|key| clean(key, 64)));
        let name =
            identity.assumed_role().map(|(_, session)| clean(session, 128)).filter(|it| !it.is_empty());
        self.session(name, identity.source_identity.as_deref().map(|it| clean(it, 128)));
        if let Some((_, user)) = identity.permission_set() {
            self.people.insert((KnownBy::IdentityCenter, clean(user, 128)));
        }
        if identity.kind == IdentityType::IamUser {
            self.people.insert((KnownBy::User, call.principal.name()));
            self.user_names.insert(call.principal.name());
        }
        // A federated session's name is chosen; whose credentials it comes from isn't.
        if identity.kind == IdentityType::FederatedUser
            && let Some(issuer) = call.principal.human()
        {
            self.people.insert((KnownBy::User, issuer));
        }
        // Only the console's sign-in writes it; what other services put there may be a caller's.
        if call.action.service == "signin"
            && let Some(from) = call.record.additional_event_data.get("SwitchFrom").and_then(Raw::text)
        {
            self.switched(&from);
        }
        if call.principal.is_root() {
            self.user_names.insert("root".to_owned());
        }
        // Sessions of `AssumeRoot` look like root's own, and say nothing of who took them on.
        let signs_in = call.record.mfa_used().is_some() || call.is_from_console();
        self.mfa.extend(call.mfa().filter(|shown| *shown || signs_in || !call.principal.is_root()));
        if is_sign_out(call) {
            self.signed_out.extend(call.time);
        }
        self.taken.extend(taken(call));
    }

    /// Who switched to the role in the console: AWS writes it.
    fn switched(&mut self, from: &str) {
        self.taken_by.insert(clean(from, 256));
        if let Some((_, user)) = from.split_once(":user/") {
            let name = user.rsplit('/').next().unwrap_or(user);
            self.people.insert((KnownBy::TakenBy, clean(name, 128)));
        } else if let Some((role, user)) =
            from.split_once(":assumed-role/").and_then(|(_, session)| session.split_once('/'))
            && handsoff_cloudtrail::permission_set_of(role).is_some()
        {
            self.people.insert((KnownBy::IdentityCenter, clean(user, 128)));
        }
    }

    fn session(&mut self, name: Option<String>, source: Option<String>) {
        if let Some(source) = source {
            self.people.insert((KnownBy::SourceIdentity, source.clone()));
            self.source_identities.insert(source);
        }
        if let Some(name) = name {
            self.people.insert((KnownBy::SessionName, name.clone()));
            self.user_names.insert(name.clone());
            self.session_names.insert(name);
        }
    }

    /// Takes over what others say.
    pub fn merge(&mut self, other: Self) {
        union(&mut self.accounts, other.accounts);
        union(&mut self.identities, other.identities);
        union(&mut self.lines, other.lines);
        union(&mut self.session_names, other.session_names);
        union(&mut self.source_identities, other.source_identities);
        union(&mut self.tags, other.tags);
        union(&mut self.people, other.people);
        union(&mut self.taken_by, other.taken_by);
        union(&mut self.started, other.started);
        union(&mut self.expires, other.expires);
        union(&mut self.signed_out, other.signed_out);
        union(&mut self.mfa, other.mfa);
        union(&mut self.keys, other.keys);
        union(&mut self.user_names, other.user_names);
        self.taken.extend(other.taken);
        while self.taken.len() > TAKEN {
            self.taken.pop_last();
        }
        union(&mut self.regions, other.regions);
        self.first = [self.first, other.first].into_iter().flatten().min();
        self.last = [self.last, other.last].into_iter().flatten().max();
    }

    /// Who it was, as far as the records say, and how that is known.
    pub fn person(&self) -> Option<(KnownBy, &str)> {
        self.people.first().map(|(by, name)| (*by, &**name))
    }

    /// By when no credentials of the session, or that it took on, can live any more: what no record tells is taken
    /// for the twelve hours that AWS allows at most.
    pub fn outlived(&self) -> Option<Time> {
        const LONGEST: TimeDelta = TimeDelta::hours(12);
        let own = self.expires.last().copied().or_else(|| Some(*self.started.last()? + LONGEST));
        let taken = self.taken.iter().filter_map(|taken| Some(taken.at? + LONGEST));
        own.into_iter().chain(taken).max()
    }

    /// Session tags by name.
    pub fn tag(&self, name: &str) -> Option<&str> {
        let tags: BTreeMap<&str, &str> = self.tags.iter().map(|(key, value)| (&**key, &**value)).collect();
        tags.get(name).copied()
    }
}

fn union<T: Ord>(own: &mut BTreeSet<T>, other: BTreeSet<T>) {
    own.extend(other);
    while own.len() > KEPT {
        own.pop_last();
    }
}

/// The last four characters of an access key: enough to tell it from others.
pub fn short_key(key: &str) -> String {
    let start = key.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
    format!("…{}", key.get(start..).unwrap_or_default())
}

/// The session that a call was given.
fn taken(call: &Call<'_>) -> Option<Taken> {
    let issues =
        matches!((&*call.action.service, &*call.action.name), ("sts", _) | ("ssm", "GetAccessToken"));
    if !issues || call.outcome != Outcome::Succeeded {
        return None;
    }
    let key = call.record.response_elements.get("credentials")?.get("accessKeyId")?.text()?;
    let role = call.record.assumed_role_arn();
    let role = role.map_or_else(|| call.action.to_string(), Cow::into_owned);
    Some(Taken { at: call.time, role: clean(&role, 256), key: clean(&key, 64) })
}

fn is_sign_out(call: &Call<'_>) -> bool {
    call.outcome == Outcome::Succeeded
        && matches!(&*call.action.service, "signin" | "sso")
        && matches!(&*call.action.name, "Logout" | "SignOut" | "ConsoleLogout" | "Signout")
}

fn is_looked_at(tag: &str, policy: &Policy) -> bool {
    let mut places = policy.break_glass.iter().flat_map(|entry| &entry.ticket_in);
    places.any(|place| matches!(place, TicketPlace::SessionTag(name) if name == tag))
}

/// `Mar 14, 2026, 3:00:00 AM`, as CloudTrail writes a credential's end; or a time as elsewhere.
fn expiration(text: &str) -> Option<Time> {
    Time::parse(text).or_else(|| {
        let text = text.replace(['\u{202f}', '\u{a0}'], " ");
        ["%b %d, %Y, %I:%M:%S %p", "%b %d, %Y %I:%M:%S %p"]
            .iter()
            .find_map(|format| Time::parse_as(&text, format))
    })
}
