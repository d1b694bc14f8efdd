//! What shows that a deploy role is used otherwise than by its pipeline.

use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::partition::{is_same_service, service_name};
use handsoff_cloudtrail::{Action, Arn, IdentityType, Record, is_used_by_people};

use super::session_tags::WrongTag;
use super::{Deploy, Origin};
use crate::principal::{Kind, Principal, compute_service, is_instance};
use crate::show::clean;

/// Services that run pipelines, or give roles to runners outside of AWS.
const PIPELINES: [&str; 7] =
    ["amplify", "cloudformation", "codebuild", "codedeploy", "codepipeline", "proton", "rolesanywhere"];

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
    if action.service == "sts" && action.name == "GetFederationToken" {
        return Some("it asked for a session of another name, which no pipeline needs".into());
    }
    if !entry.humans {
        if console {
            return Some("a person uses it in the console".into());
        }
        if let Some(agent) = record.user_agent.text().filter(|agent| is_a_persons(agent)) {
            return Some(format!("a person uses it: its calls come from `{}`", clean(&agent, 64)));
        }
    }
    by_identity(entry, principal)
        .or_else(|| by_endpoint(entry, record, principal))
        .or_else(|| by_network(entry, record, principal))
}

/// Whether a caller's program is a browser, the console or `CloudShell`, by the name that it gives itself. Not all services
/// write that a session is the console's ("CloudTrail record contents"). The name is the caller's to choose: this accuses,
/// and exempts nobody.
pub fn is_a_persons(agent: &str) -> bool {
    let agent = agent.trim_start_matches('[');
    ["Mozilla/", "S3Console/", "console.", "signin."].iter().any(|start| agent.starts_with(start))
        || agent.contains("exec-env/CloudShell")
}

/// From the identity that makes a call: whatever the call is, it shows the same.
pub fn by_identity(entry: &Deploy, principal: &Principal<'_>) -> Option<String> {
    let identity = &principal.identity;
    if !entry.humans {
        if identity.mfa_authenticated == Some(true) {
            return Some("its session used MFA, and no pipeline does".into());
        }
        if let Some((set, _)) = identity.permission_set() {
            let set = clean(set, 64);
            return Some(format!(
                "people get it by the permission set `{set}`, and the entry lacks `humans`"
            ));
        }
    }
    if identity.kind == IdentityType::FederatedUser {
        return Some("it is used in a session that was made with its keys, under another name".into());
    }
    if let Some(how) = by_compute(entry, principal) {
        return Some(how);
    }
    if let Some(how) = identity.source().and_then(|source| by_source(entry, source)) {
        return Some(how);
    }
    if let Some(user) = identity.on_behalf_of.as_deref() {
        return Some(format!("it acts on behalf of the Identity Center user `{}`", clean(user, 64)));
    }
    if let Some(account) = identity.delegate.as_deref() {
        return Some(format!("the account `{}` acts with it under a delegation", clean(account, 32)));
    }
    if let Some(service) = identity.invoking_service().filter(|service| is_used_by_people(service)) {
        return Some(format!("a person uses it through {}", clean(service, 64)));
    }
    by_provider(entry, principal).or_else(|| by_session_name(entry, principal))
}

/// The caller who assumes a role says who it is by `sourceIdentity`. IAM Roles Anywhere does so by itself, of machines.
fn by_source(entry: &Deploy, source: &str) -> Option<String> {
    let listed = entry.source_identities.iter().any(|glob| glob.matches(source));
    (!listed).then(|| format!("`source_identities` doesn't list its sourceIdentity `{}`", clean(source, 64)))
}

/// From the provider of the web identity that took the session.
fn by_provider(entry: &Deploy, principal: &Principal<'_>) -> Option<String> {
    principal.identity.federated_provider.as_ref().filter(|_| !entry.assumed_by.is_empty())?;
    let provider = principal.identity.web_provider()?;
    let listed = entry.assumed_by.iter().any(|origin| match origin {
        Origin::WebIdentity(identity) => identity.may_come_from(provider),
        _ => false,
    });
    (!listed).then(|| {
        format!(
            "`assumed_by` lists no web identity of `{}`, which authenticated its session",
            clean(provider, 128)
        )
    })
}

/// From the machine or function that AWS gave the role to.
fn by_compute(entry: &Deploy, principal: &Principal<'_>) -> Option<String> {
    let identity = &principal.identity;
    let named = || identity.assumed_role().filter(|(_, session)| is_instance(session)).map(|_| "ec2");
    let service = compute_service(identity).or_else(named)?;
    let listed = entry.assumed_by.iter().any(|origin| match origin {
        Origin::Service(name) => service_name(name) == Some(service),
        _ => false,
    });
    (!listed).then(|| format!("code in `{service}` uses it, and `assumed_by` doesn't list that service"))
}

fn by_session_name(entry: &Deploy, principal: &Principal<'_>) -> Option<String> {
    let (_, session) = principal.identity.assumed_role()?;
    if entry.session_names.is_empty() {
        // Service accounts of another cloud are named so, too.
        let mail = session.contains('@') && !session.ends_with("gserviceaccount.com") && !entry.humans;
        return mail.then(|| format!("its session is named as a person: `{}`", clean(session, 64)));
    }
    let listed = entry.session_names.iter().any(|glob| glob.matches(session));
    (!listed).then(|| format!("`session_names` doesn't list the session's name `{}`", clean(session, 64)))
}

/// From the VPC endpoint that a call went through: one of an account that has nothing to do with the role.
fn by_endpoint(entry: &Deploy, record: &Record<'_>, principal: &Principal<'_>) -> Option<String> {
    let (id, owner) = (record.vpc_endpoint_id.text(), record.vpc_endpoint_account_id.text());
    let [id, owner] = [&id, &owner].map(|name| name.as_deref());
    if entry.vpc_endpoints.iter().any(|listed| [id, owner].contains(&Some(listed))) {
        return None;
    }
    let shown = clean(id.or(owner)?, 64);
    if !entry.vpc_endpoints.is_empty() {
        return Some(format!("`vpc_endpoints` doesn't list `{shown}`, through which it called"));
    }
    let recipient = record.recipient_account_id.text();
    let own = principal.identity.account_id.as_deref().or(recipient.as_deref());
    let known = entry.assumed_by.iter().any(|origin| match origin {
        Origin::Identity(pattern) => pattern.account() == owner,
        _ => false,
    });
    owner.filter(|owner| own != Some(owner) && !known).map(|owner| {
        format!(
            "it called through the VPC endpoint `{shown}` of the account `{}`, which is not its own",
            clean(owner, 32)
        )
    })
}

fn by_network(entry: &Deploy, record: &Record<'_>, principal: &Principal<'_>) -> Option<String> {
    // A service that acts for the role calls from AWS's network, by name.
    let service = principal.identity.invoking_service().filter(|service| *service != "AWS Internal");
    if entry.networks.is_empty() || service.is_some() {
        return None;
    }
    let source = record.source_ip_address.text().unwrap_or_default();
    // Old records name the service here alone, and again as the agent. Only AWS writes a name for the address.
    let named = service_name(&source).is_some() || source == "AWS Internal";
    if named && record.user_agent.text().is_some_and(|agent| is_same_service(&source, &agent)) {
        return None;
    }
    let listed = source
        .parse::<std::net::IpAddr>()
        .is_ok_and(|ip| entry.networks.iter().any(|network| network.contains(&ip)));
    (!listed)
        .then(|| format!("`networks` doesn't list the address `{}` that it called from", clean(&source, 64)))
}

/// From a call that takes the deploy role on, or tries to.
pub(crate) fn by_taking(entry: &Deploy, record: &Record<'_>, principal: &Principal<'_>) -> Option<String> {
    let name = principal.name();
    let asked = |key: &str| record.request_parameters.get(key).and_then(Raw::text);
    if asked("serialNumber").is_some() && !entry.humans {
        return Some(format!("`{name}` assumed it with MFA, and no pipeline does that"));
    }
    let source = asked("sourceIdentity").filter(|source| !source.starts_with("CN="));
    if let Some(how) = source.and_then(|source| by_source(entry, &source)) {
        return Some(how);
    }
    if let Some(how) = by_tags(entry, record) {
        return Some(how);
    }
    if entry.assumed_by.is_empty() {
        return by_taking_unlisted(entry, principal);
    }
    let recipient = record.recipient_account_id.text();
    let listed = entry.assumed_by.iter().any(|origin| match origin {
        // In the role's account, a caller from another account is known by nothing but that account.
        Origin::Identity(pattern) if principal.identity.kind == IdentityType::AwsAccount => {
            pattern.account().is_some() && pattern.account() == principal.identity.account_id.as_deref()
        }
        Origin::Service(name) => {
            let by = principal.identity.invoked_by.as_deref();
            principal.kind == Kind::Service && by.is_some_and(|by| is_same_service(by, name))
        }
        Origin::Saml(name) => {
            principal.identity.kind == IdentityType::SamlUser
                && asked("principalArn").is_some_and(|arn| is_saml_provider(&arn, name, recipient.as_deref()))
        }
        Origin::Identity(pattern) => principal.is(pattern, recipient.as_deref()),
        Origin::WebIdentity(listed) => {
            let Principal { identity, .. } = principal;
            identity.kind == IdentityType::WebIdentityUser
                && identity
                    .user_name
                    .as_deref()
                    .is_some_and(|subject| listed.matches(identity.web_provider(), subject))
        }
    });
    let vouched = principal.identity.web_provider().map(|provider| format!(" of `{}`", clean(provider, 128)));
    let vouched = vouched.unwrap_or_default();
    (!listed).then(|| format!("`assumed_by` doesn't list `{name}`{vouched}, who assumed it"))
}

/// From the session tags that a call passes which takes the deploy role on.
pub fn by_tags(entry: &Deploy, record: &Record<'_>) -> Option<String> {
    Some(match entry.session_tags.wrong(record)? {
        WrongTag::Missing(key) => {
            format!("its session lacks the tag `{}`, which `session_tags` requires", clean(key, 64))
        }
        WrongTag::Value(key, value) => {
            let (key, value) = (clean(key, 64), clean(&value, 64));
            format!("`session_tags` doesn't list the value `{value}` of its session's tag `{key}`")
        }
    })
}

/// Whether an ARN is that of an account's SAML provider. The call names it, and works only with that provider's assertion ("AWS STS
/// API Reference", `AssumeRoleWithSAML`).
fn is_saml_provider(arn: &str, name: &str, account: Option<&str>) -> bool {
    Arn::split(arn).is_some_and(|arn| {
        Some(arn.account) == account && arn.resource.strip_prefix("saml-provider/") == Some(name)
    })
}

/// From who assumes the role, where the entry lists nobody.
fn by_taking_unlisted(entry: &Deploy, principal: &Principal<'_>) -> Option<String> {
    let (name, identity) = (principal.name(), &principal.identity);
    let service = identity.invoked_by.as_deref();
    if let Some(service) = service.filter(|service| is_used_by_people(service)) {
        return Some(format!("a person assumed it through `{}`", clean(service, 64)));
    }
    let person = principal.is_certainly_human() || principal.kind == Kind::Human;
    if person && !entry.humans {
        return Some(format!("`{name}` is a person, and assumed it"));
    }
    let pipeline = |service: &str| service_name(service).is_some_and(|name| PIPELINES.contains(&name));
    match identity.kind {
        // Another account is named without the principal, and a job of a CI system by a subject that only its provider gives.
        IdentityType::WebIdentityUser | IdentityType::AwsAccount => None,
        _ if principal.kind == Kind::Service => {
            let service = service.filter(|service| !pipeline(service))?;
            Some(format!("`{}` assumed it, which runs what it is told to", clean(service, 64)))
        }
        IdentityType::AssumedRole | IdentityType::IamUser | IdentityType::SamlUser if !entry.humans => {
            Some(format!("`{name}` assumed it, and the entry has no `assumed_by` that lists it"))
        }
        _ => None,
    }
}
