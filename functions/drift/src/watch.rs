//! What drift has to see whatever else is left out: attacks on logging, and what may show that a deploy role is misused.

use handsoff_cloudtrail::{Action, Effect};
use handsoff_core::detector::{IdentityFacts, RecordFacts, Watch};
use handsoff_core::policy::{Deploy, Policy, misuse};
use handsoff_core::{Attack, Kind, Target};

use crate::{assumed, bounds, images, networks, permission_sets, secrets};

pub(crate) fn identity(who: &IdentityFacts<'_>, policy: &Policy) -> Watch {
    if who.principal.kind != Kind::DeployRole {
        return Watch::No;
    }
    let places = |entry: &Deploy| !entry.networks.is_empty() || !entry.vpc_endpoints.is_empty();
    match who.principal.entry.and_then(|entry| policy.deploy.get(entry)) {
        // Where each call comes from is compared with the entry.
        // So is where a long-lived key comes from with where it came from before.
        Some(entry)
            if !places(entry)
                && !who.is_from_console
                && who.principal.identity.long_lived_key().is_none() =>
        {
            match misuse::by_identity(entry, &who.principal) {
                Some(_) => Watch::Always,
                None => Watch::ByRecord,
            }
        }
        _ => Watch::Always,
    }
}

pub(crate) fn action(action: &Action<'_>) -> Watch {
    // No pipeline signs in, or opens a shell.
    let federates = action.service == "sts" && action.name == "GetFederationToken";
    if action.service == "signin" || federates || action.opens_a_shell() {
        Watch::Always
    } else if Attack::is_listed(action)
        || Attack::drains(action)
        || bounds::is_watched(action)
        || networks::goes_on(action)
        || secrets::is_watched(action)
        || images::is_watched(action)
    {
        Watch::ByRecord
    } else {
        Watch::No
    }
}

pub(crate) fn call(facts: &RecordFacts<'_>) -> bool {
    let RecordFacts { record, kind, target, .. } = facts;
    if matches!(target, Some(Target::Deploy(_))) {
        return true;
    }
    if facts.is_watched_action && facts.effect == Effect::Reads && is_watched_read(facts) {
        return true;
    }
    if *kind == Kind::Service {
        return permission_sets::may_be(record)
            || (facts.is_watched_action && images::may_be(*kind, record, facts.policy));
    }
    if *kind != Kind::DeployRole {
        // Whatever others change is judged anyway.
        return false;
    }
    !record.vpc_endpoint_account_id.is_absent()
        || record.session_credential_from_console.flag() == Some(true)
        || record.user_agent.text().is_some_and(|agent| misuse::is_a_persons(&agent))
        || (facts.is_watched_action && is_watched_change(facts))
        || (facts.effect == Effect::Changes && Attack::may_be_on_protected(record, facts.policy))
        || (facts.effect == Effect::Changes
            && facts.policy.deploy.iter().any(|entry| entry.may_change.is_some()))
}

fn is_watched_read(facts: &RecordFacts<'_>) -> bool {
    let RecordFacts { record, kind, policy, .. } = facts;
    let action = Action::of(record);
    let console = record.session_credential_from_console.flag() == Some(true);
    (action.assumes_role() && assumed::may_be(*kind, record))
        || (networks::goes_on(&action) && networks::may_be(record))
        || ((*kind == Kind::Human || console) && secrets::read(&action, record).is_some())
        || (*kind != Kind::Service && Attack::drains(&action) && Attack::may_be_on_protected(record, policy))
}

fn is_watched_change(facts: &RecordFacts<'_>) -> bool {
    let RecordFacts { record, kind, policy, .. } = facts;
    let action = Action::of(record);
    (facts.effect == Effect::Changes && bounds::may_be_beyond(&action, record, policy))
        || images::may_be(*kind, record, policy)
        || Attack::of(&action, record, policy, true).is_some()
}
