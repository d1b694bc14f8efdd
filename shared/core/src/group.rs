//! What belongs together: which incident a finding on a call is part of, and whose denied calls are counted as
//! one.

use std::net::IpAddr;

use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::{Effect, Identity, Time};
use sha2::{Digest, Sha256};

use crate::call::{Call, Outcome, Target};
use crate::code::{Code, IncidentKind};
use crate::principal::Kind;

/// The ID of the incident that a finding on this call belongs to.
///
/// It follows from the record alone, so that whichever record comes first opens the same incident:
///
/// - a person's session's findings are one incident. The console's many access keys share the session's start.
/// - of a principal without a session, of a workload, whose code takes sessions all the time, and of a role of which
///   nobody knows who uses it: those of one day (UTC). Such a session's name is its caller's to choose.
/// - denied calls: those of one principal and day.
/// - a break-glass session starts with the call that takes the identity on, at the second that its
///   credentials were issued: those of the identity, the session's name and that second. The name alone is
///   the caller's to choose, and two people must not meet in one incident.
/// - who is refused an emergency identity: those of one caller, identity and day.
///
/// A cryptographic hash: whoever chooses a session's name can't make their findings part of another incident.
pub fn incident_id(call: &Call<'_>, code: Code) -> String {
    let glass = call.principal.kind == Kind::BreakGlass;
    let (kind, parts) = if code.row().incidents == IncidentKind::Denials {
        (IncidentKind::Denials, vec![denial_group(call), day(call.time)])
    } else if call.takes_break_glass() && (call.outcome == Outcome::Succeeded || !glass) {
        (IncidentKind::Glass, taking_glass(call))
    } else if glass {
        (IncidentKind::Glass, within_glass(call, code.row().is_outside_session))
    } else {
        (IncidentKind::Drift, drift(call))
    };
    name(kind, &parts)
}

/// The incident of what is found of one resource alone, by the incident that its call belongs to otherwise. Repeats are known of
/// an incident as a whole, so findings that are repeated by resource can't share one with others.
pub fn of_resource(incident: &str, resource: &str) -> String {
    let kind = IncidentKind::of(incident).unwrap_or(IncidentKind::Drift);
    name(kind, &[incident.to_owned(), resource.to_owned()])
}

/// The incident of the session that a break-glass call was made in. For a call that assumes another emergency
/// identity that isn't the one that its finding belongs to: there the other session begins.
pub fn own_session(call: &Call<'_>) -> String {
    name(IncidentKind::Glass, &within_glass(call, false))
}

pub(crate) fn name(kind: IncidentKind, parts: &[String]) -> String {
    name_of(kind.prefix(), parts)
}

pub(crate) fn name_of(kind: &str, parts: &[String]) -> String {
    let parts: Vec<&str> = [kind].into_iter().chain(parts.iter().map(String::as_str)).collect();
    // Who breaks glass chooses the session's name, and has time to search for one that leads into an old case.
    let bytes = if kind == IncidentKind::Glass.prefix() { 12 } else { 6 };
    format!("{kind}-{}", digest_of(&parts, bytes))
}

/// Whether an incident is a break-glass session's, or of somebody who tried to begin one.
pub fn is_glass(incident: &str) -> bool {
    IncidentKind::of(incident) == Some(IncidentKind::Glass)
}

/// Whether an incident is of denied calls.
pub fn is_denials(incident: &str) -> bool {
    IncidentKind::of(incident) == Some(IncidentKind::Denials)
}

/// The first twelve hexadecimal digits of the parts' SHA-256: short enough to be read out, long enough for nobody
/// to meet another's by chance, or to aim at one that isn't known before.
pub fn digest(parts: &[&str]) -> String {
    digest_of(parts, 6)
}

fn digest_of(parts: &[&str], bytes: usize) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part.as_bytes());
    }
    let digest = hash.finalize();
    hex::encode(digest.get(..bytes).unwrap_or(&digest))
}

fn drift(call: &Call<'_>) -> Vec<String> {
    let identity = &call.principal.identity;
    let account = call.account().unwrap_or_default().into_owned();
    let arn = call.principal.arn.clone();
    let of_the_day = arn.is_none() || matches!(call.principal.kind, Kind::Workload | Kind::Unknown);
    let arn = arn.unwrap_or_else(|| nameless(call));
    if of_the_day {
        return vec![account, arn, String::new(), day(call.time)];
    }
    let session = identity.assumed_role().map_or("", |(_, session)| session);
    let start = identity.creation_date.as_deref().map_or_else(|| day(call.time), str::to_owned);
    vec![account, arn, session.to_owned(), start]
}

/// A call by an emergency identity.
/// `outside`: whether the caller isn't the session's. Who tries the door and who is inside need not be the same.
fn within_glass(call: &Call<'_>, outside: bool) -> Vec<String> {
    let identity = &call.principal.identity;
    let account = identity.account_id.clone().or_else(|| call.account()).unwrap_or_default();
    let role = match &call.principal.arn {
        Some(arn) if !call.principal.is_root() => role_name(arn),
        _ => "root".to_owned(),
    };
    let grants = call.grants_sign_in();
    let plumbing = call.effect == Effect::SignInPlumbing && identity.creation_date.is_none() && !grants;
    let session = match outside {
        // Steps of a sign-in come before there is a session, whoever gets in then.
        _ if plumbing => "a step of a sign-in",
        true => "a failed sign-in",
        false => identity.assumed_role().map_or("", |(_, session)| session),
    };
    let started = identity.creation_date.as_deref().and_then(Time::parse);
    let began = match outside {
        true => day(call.time),
        // A sign-in has no session yet: it is issued at the same second.
        false if call.effect == Effect::SignsIn || (grants && started.is_none()) => second(call.time),
        false => started.map_or_else(|| day(call.time), |started| second(Some(started))),
    };
    vec![account.into_owned(), role, session.to_owned(), began]
}

/// A call that assumes an emergency identity, by any caller.
fn taking_glass(call: &Call<'_>) -> Vec<String> {
    let asked = |key: &str| call.record.request_parameters.get(key).and_then(Raw::text).unwrap_or_default();
    let caller = call.account().unwrap_or_default();
    let account = call.asked_account().unwrap_or(caller).into_owned();
    let role = match call.target {
        Some(Target::Root) => "root".to_owned(),
        _ => role_name(&call.record.assumed_role_arn().unwrap_or_default()),
    };
    if call.outcome != Outcome::Succeeded {
        let caller = call.principal.arn.as_deref().or(call.principal.identity.principal_id.as_deref());
        return vec![account, role, format!("refused {}", caller.unwrap_or_default()), day(call.time)];
    }
    vec![account, role, asked("roleSessionName").into_owned(), second(call.time)]
}

/// The incident of denied calls of several principals, by what they have in common and their day (UTC).
pub fn denials_incident(group: &str, time: Option<Time>) -> String {
    name(IncidentKind::Denials, &[group.to_owned(), day(time)])
}

/// The group of the sign-ins to an account that failed, from one address.
pub fn sign_ins_from(account: &str, address: IpAddr) -> String {
    format!("sign-ins-from|{account}|{address}")
}

/// The principal whose denied calls are counted together, as a text that is unique to it: the user or role,
/// whatever the names of its sessions, which the caller chooses. Of the roles that Identity Center's users
/// share, each user by itself, whatever their permission sets: there the session's name is not theirs to choose. Of a web
/// identity the provider and the subject, which the provider authenticates.
pub fn denial_group(call: &Call<'_>) -> String {
    let identity = &call.principal.identity;
    let account = call.account().unwrap_or_default();
    if let Some((_, person)) = identity.permission_set().filter(|(_, person)| !person.is_empty()) {
        return format!("{account}|{IDENTITY_CENTER}|{person}");
    }
    let arn = call.principal.arn.clone().unwrap_or_else(|| nameless(call));
    let subject = identity.user_name.as_deref().filter(|_| identity.identity_provider.is_some());
    format!("{account}|{}|{}", without_suffix(&arn), subject.unwrap_or_default())
}

/// What a group has for the role of a user of Identity Center: each has one in each account for each permission set.
pub(crate) const IDENTITY_CENTER: &str = "Identity Center";

/// A caller of whom there is no ARN: the user of Identity Center; of a web identity the provider, which authenticates many
/// subjects; of another account there is only `AROA…:session`, and the session is theirs to choose.
fn nameless(call: &Call<'_>) -> String {
    if call.principal.kind == Kind::Anonymous {
        // All of the internet is one.
        return String::new();
    }
    let Identity { on_behalf_of, identity_provider, principal_id, account_id, .. } = &call.principal.identity;
    let role = principal_id.as_deref().map(|id| id.split(':').next().unwrap_or(id));
    let by_aws = on_behalf_of.as_deref().or(identity_provider.as_deref());
    by_aws.or(role).or(account_id.as_deref()).unwrap_or_default().to_owned()
}

fn second(time: Option<Time>) -> String {
    time.map(|time| time.to_string()).unwrap_or_default()
}

pub(crate) fn day(time: Option<Time>) -> String {
    time.map(Time::date).unwrap_or_default()
}

/// The last part of a role's or user's ARN: its path may be missing in some of a session's records.
fn role_name(arn: &str) -> String {
    without_suffix(arn.rsplit('/').next().unwrap_or(arn))
}

/// A role of Identity Center without the suffix that changes.
pub(crate) fn without_suffix(arn: &str) -> String {
    let name = arn.rsplit('/').next().unwrap_or(arn);
    match handsoff_cloudtrail::permission_set_of(name) {
        Some(set) => set.to_owned(),
        None => arn.to_owned(),
    }
}
