//! What shows that a deploy role is used otherwise than by its pipeline.

use handsoff_trail::partition::is_same_service;
use handsoff_trail::{Action, IdentityType, Record};

use super::{Deploy, Origin};
use crate::principal::{Kind, Principal};
use crate::show::clean;

/// From a call that the deploy role makes.
pub(crate) fn by_use(
    action: &Action<'_>,
    entry: &Deploy,
    record: &Record<'_>,
    principal: &Principal<'_>,
    console: bool,
) -> Option<String> {
    if action.opens_a_shell() {
        return Some("it opened a shell on a machine".into());
    }
    if console {
        return Some("a person uses it in the console".into());
    }
    if let Some(how) = session_name(entry, principal) {
        return Some(how);
    }
    let identity = &principal.identity;
    // A service that acts for the role calls from AWS's network, by name.
    if !entry.networks.is_empty() && identity.invoking_service().is_none() {
        let source = record.source_ip_address.text().unwrap_or_default();
        let listed = source
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| entry.networks.iter().any(|network| network.contains(&ip)));
        if !listed {
            return Some(format!(
                "`networks` doesn't list the address `{}` that it called from",
                clean(&source, 64)
            ));
        }
    }
    None
}

/// From the name of the session that makes a call.
pub(crate) fn session_name(entry: &Deploy, principal: &Principal<'_>) -> Option<String> {
    if entry.session_names.is_empty() {
        return None;
    }
    let (_, session) = principal.identity.assumed_role()?;
    let listed = entry.session_names.iter().any(|glob| glob.matches(session));
    (!listed).then(|| format!("`session_names` doesn't list the session's name `{}`", clean(session, 64)))
}

/// From a call that takes the deploy role on, or tries to.
pub(crate) fn by_taking(entry: &Deploy, record: &Record<'_>, principal: &Principal<'_>) -> Option<String> {
    let name = principal.name();
    if entry.assumed_by.is_empty() {
        let person = principal.is_certainly_human() || principal.kind == Kind::Human;
        return person.then(|| format!("`{name}` is a person, and took it on"));
    }
    let recipient = record.recipient_account_id.text();
    let listed = entry.assumed_by.iter().any(|origin| match origin {
        // In the role's account, a caller from another account is told by nothing but that account.
        Origin::Identity(pattern) if principal.identity.kind == IdentityType::AwsAccount => {
            pattern.account().is_some() && pattern.account() == principal.identity.account_id.as_deref()
        }
        Origin::Service(name) => {
            let by = principal.identity.invoked_by.as_deref();
            principal.kind == Kind::Service && by.is_some_and(|by| is_same_service(by, name))
        }
        Origin::Identity(pattern) => principal.is(pattern, recipient.as_deref()),
        Origin::Subject(glob) => {
            principal.identity.kind == IdentityType::WebIdentityUser
                && principal.identity.user_name.as_deref().is_some_and(|subject| glob.matches(subject))
        }
    });
    (!listed).then(|| format!("`assumed_by` doesn't list `{name}`, who took it on"))
}
