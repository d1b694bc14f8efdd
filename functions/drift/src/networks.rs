//! Long-lived keys that are used from a network that they weren't used from before: somebody else may have them.
//!
//! What counts is a set: from which networks a key was used on which day (UTC). A network is new if the key was used in the 90 days
//! before the day, and not from there. So neither order nor repeats matter within a day.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::{Action, Effect, Record, Time, TimeDelta, is_long_lived};
use handsoff_core::detector::Related;
use handsoff_core::policy::Policy;
use handsoff_core::{Call, Finding, Key, Kind, Outcome, Severity, group, show};
use handsoff_runtime::KeyUse;
use ipnet::IpNet;

use crate::codes;

/// So long a network is remembered.
pub(crate) const MEMORY: TimeDelta = TimeDelta::days(90);

/// A key that was used from more networks has none of its own, such as that of a service on rented machines.
const OWN: usize = 3;

const NEXT: &str = "Ask whose key it is whether they used it from there. If nobody knows of it: deactivate the key, and read what was \
                    done with it. Otherwise use a role instead, whose sessions end; what a pipeline's key may be used from \
                    is `networks` of its entry.";

/// How the group of a key's uses begins.
const GROUP: &str = "key-use|";

/// Whether what is kept is a key's use.
pub(crate) fn is_use(related: &Related) -> bool {
    related.group.starts_with(GROUP)
}

/// Where and when the key of a group was used.
pub(crate) fn used(related: &Related) -> Option<KeyUse> {
    let (day, network) = related.role.split_once('|').filter(|_| is_use(related))?;
    Some(KeyUse { network: network.to_owned(), day: Time::parse(day)? })
}

/// From which networks a key was used before, if that of this use is new to it.
fn before<'u>(used: &KeyUse, all: impl IntoIterator<Item = &'u KeyUse>) -> Option<BTreeSet<&'u str>> {
    let memory = used.day - MEMORY..used.day;
    let earlier = all.into_iter().filter(|earlier| memory.contains(&earlier.day));
    let before: BTreeSet<&str> = earlier.map(|earlier| earlier.network.as_str()).collect();
    ((1..=OWN).contains(&before.len()) && !before.contains(used.network.as_str())).then_some(before)
}

/// What is kept of the use of a long-lived key, for a change or to take another identity on: whatever else is reported of the call,
/// and where an exception covers it, too. That says what an identity may do, and not who has its key.
pub(crate) fn of(call: &Call<'_>, policy: &Policy) -> Option<Related> {
    let identity = &call.principal.identity;
    let key = identity.long_lived_key().filter(|_| identity.invoked_by.is_none())?;
    let uses =
        call.outcome == Outcome::Succeeded && (call.effect == Effect::Changes || goes_on(&call.action));
    if !uses || is_known_otherwise(call, policy) {
        return None;
    }
    let (network, day) = (network(&call.record)?, call.time?.floor(TimeDelta::days(1)));
    let account = call.account().unwrap_or_default();
    Some(Related {
        group: format!("{GROUP}{account}|{}", group::digest(&[key])),
        role: format!("{day}|{network}"),
        who: String::new(),
        finding: Finding::new(call, codes::LONG_LIVED_KEY, Severity::Medium, String::new()),
        only_first: true,
    })
}

/// Whether all that an identity does is reported, or its entry says where it may come from.
fn is_known_otherwise(call: &Call<'_>, policy: &Policy) -> bool {
    let networks = |entry: usize| policy.deploy.get(entry).is_some_and(|entry| !entry.networks.is_empty());
    match call.principal.kind {
        Kind::DeployRole => call.principal.entry.is_some_and(networks),
        Kind::Human | Kind::Unknown | Kind::Workload => false,
        Kind::BreakGlass | Kind::Service | Kind::Anonymous => true,
    }
}

/// Whether a record may show the use of such a key.
pub(crate) fn may_be(record: &Record<'_>) -> bool {
    record.user_identity.get("accessKeyId").and_then(Raw::text).is_some_and(|key| is_long_lived(&key))
}

/// Whether a call issues credentials that its caller goes on with.
pub(crate) fn goes_on(action: &Action<'_>) -> bool {
    action.assumes_role()
        || (action.service == "sts" && matches!(&*action.name, "GetSessionToken" | "GetFederationToken"))
}

/// The network that a call came from: its VPC endpoint, or so many of the address's bits as an organisation has, which are
/// 24, and 48 of IPv6 (RFC 6177).
fn network(record: &Record<'_>) -> Option<String> {
    if let Some(endpoint) = record.vpc_endpoint_id.text() {
        return Some(show::clean(&endpoint, 64));
    }
    let address: IpAddr = record.source_ip_address.text()?.parse().ok()?;
    let network = IpNet::new(address, if address.is_ipv4() { 24 } else { 48 }).ok()?;
    Some(network.trunc().to_string())
}

/// The findings on networks that are new to their keys, of which all uses are known. They may come in any order, and more than
/// once.
pub(crate) fn join(mut related: Vec<Related>) -> Vec<Finding> {
    related.sort_by(|a, b| (a.finding.order(), a).cmp(&(b.finding.order(), b)));
    let mut uses: BTreeMap<&str, BTreeSet<KeyUse>> = BTreeMap::new();
    let mut first: BTreeMap<(&str, &str), &Related> = BTreeMap::new();
    for one in &related {
        uses.entry(&one.group).or_default().extend(used(one));
        first.entry((&one.group, &one.role)).or_insert(one);
    }
    let found = first
        .into_values()
        .filter_map(|one| finding(&used(one)?, &one.finding, uses.get(one.group.as_str())?));
    found.collect()
}

/// The finding on the use of a key, if its network is new to it. `call`: that on its call, without a reason.
pub(crate) fn finding<'u>(
    used: &KeyUse,
    call: &Finding,
    all: impl IntoIterator<Item = &'u KeyUse>,
) -> Option<Finding> {
    let before: Vec<&str> = before(used, all)?.into_iter().collect();
    let reason = format!(
        "A long-lived key was used from {}, and in all that is known of the {} days before only from {}.",
        used.network,
        MEMORY.num_days(),
        before.join(", ")
    );
    // Of the call itself there may be another finding.
    let key = Key::named(&group::digest(&[GROUP, &format!("{:016x}", call.key.0)]));
    Some(Finding { key, reason, next: NEXT.into(), ..call.clone() })
}
