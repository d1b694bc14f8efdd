//! Who acted, in the policy's terms.

use std::borrow::Cow;

use handsoff_trail::partition::Partition;
use handsoff_trail::{Arn, Identity, IdentityType, Record};
use serde::{Deserialize, Serialize};

use crate::policy::{IdentityPattern, Policy};
use crate::show::clean;

/// What an identity is to the team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A person: an IAM user, a session of Identity Center, of the console, or one that names its human.
    Human,
    /// An identity of the pipeline, by the policy.
    DeployRole,
    /// An identity for emergencies, by the policy; and root.
    BreakGlass,
    /// A role that code runs as: by the policy, or because AWS gave its credentials to a compute service.
    Workload,
    /// An AWS service that acts by itself.
    Service,
    /// The record doesn't tell.
    Unknown,
}

impl Kind {
    /// The name that stands in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::DeployRole => "deploy-role",
            Self::BreakGlass => "break-glass",
            Self::Workload => "workload",
            Self::Service => "service",
            Self::Unknown => "unknown",
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// Who acted.
#[derive(Clone, Debug)]
pub struct Principal<'a> {
    /// What the identity is to the team.
    pub kind: Kind,
    /// The identity as the record tells it.
    pub identity: Identity<'a>,
    /// The ARN of the role or user, of a session the role's.
    pub arn: Option<String>,
    /// The entry of the policy's list for its kind, which the identity matched.
    pub entry: Option<usize>,
    /// What made it this kind.
    pub because: &'static str,
    /// The ARN was rebuilt, and has lost its path.
    pub pathless: bool,
}

impl<'a> Principal<'a> {
    /// Classifies the caller of a record.
    pub fn of(record: &Record<'a>, policy: &Policy) -> Self {
        let identity = Identity::read(record.user_identity);
        let recipient = record.recipient_account_id.text();
        let own = recipient.as_deref().or(identity.account_id.as_deref());
        let (arn, pathless) = match identity.principal_arn() {
            Some(Cow::Borrowed(arn)) => (Some(arn.to_owned()), false),
            Some(Cow::Owned(arn)) => (Some(arn), true),
            None => (user_arn(record, &identity, own), true),
        };
        let matches = |pattern: &IdentityPattern| is(arn.as_deref(), pathless, pattern, own);
        let (kind, entry, because) = kind(record, &identity, arn.as_deref(), matches, policy);
        Self { kind, identity, arn, entry, because, pathless }
    }

    /// Whether a pattern of the policy means this principal. `own` is the account that the record was written
    /// for.
    pub fn is(&self, pattern: &IdentityPattern, own: Option<&str>) -> bool {
        is(self.arn.as_deref(), self.pathless, pattern, own)
    }

    /// Whether it is the root user.
    pub fn is_root(&self) -> bool {
        self.kind == Kind::BreakGlass && self.entry.is_none()
    }

    /// Whether a session was given by IAM Identity Center.
    pub fn is_identity_center(&self) -> bool {
        self.identity.kind == IdentityType::IdentityCenterUser || self.identity.permission_set().is_some()
    }

    /// Whether this is a person beyond doubt: no code signs in as these.
    pub fn is_certainly_human(&self) -> bool {
        self.is_identity_center()
            || matches!(
                self.identity.kind,
                IdentityType::IamUser | IdentityType::Root | IdentityType::FederatedUser
            )
    }

    /// A short name for people: the user, `role/session`, the service.
    pub fn name(&self) -> String {
        let identity = &self.identity;
        let name: Cow<'_, str> = match (identity.kind, identity.assumed_role()) {
            _ if self.is_root() => "root".into(),
            (_, Some((role, session))) => match identity.permission_set() {
                Some((set, user)) => format!("{user} ({set})").into(),
                None if session.is_empty() => role.into(),
                None => format!("{role}/{session}").into(),
            },
            _ => identity
                .user_name
                .as_deref()
                .or_else(|| identity.arn.as_deref().and_then(|arn| arn.rsplit(['/', ':']).next()))
                .or(identity.invoked_by.as_deref())
                .or(identity.on_behalf_of.as_deref())
                .or(identity.account_id.as_deref())
                .unwrap_or("unknown")
                .into(),
        };
        clean(&name, 128)
    }

    /// The human behind the principal, as far as the record says.
    ///
    /// Identity Center and sourceIdentity can't be chosen by the caller; a role's session name can.
    pub fn human(&self) -> Option<String> {
        let identity = &self.identity;
        // Whoever asks for a federated session names it; its issuer is not theirs to choose.
        if identity.kind == IdentityType::FederatedUser
            && let Some(issuer) = self.arn.as_deref().filter(|arn| !arn.contains(":federated-user/"))
        {
            return Some(clean(issuer.rsplit(['/', ':']).next().unwrap_or(issuer), 128));
        }
        let name = if let Some(source) = identity.source_identity.as_deref() {
            source
        } else if let Some((_, user)) = identity.permission_set() {
            user
        } else if let Some(user) = identity.on_behalf_of.as_deref() {
            user
        } else if matches!(
            identity.kind,
            IdentityType::IamUser | IdentityType::FederatedUser | IdentityType::SamlUser
        ) {
            return (self.kind != Kind::DeployRole).then(|| self.name());
        } else if self.kind == Kind::Human || self.kind == Kind::BreakGlass {
            identity.assumed_role().map(|(_, session)| session).filter(|session| !session.is_empty())?
        } else {
            return None;
        };
        Some(clean(name, 128))
    }
}

fn is(arn: Option<&str>, pathless: bool, pattern: &IdentityPattern, own: Option<&str>) -> bool {
    arn.is_some_and(
        |arn| if pathless { pattern.matches_pathless(arn, own) } else { pattern.matches(arn, own) },
    )
}

/// A service uses a role with no credentials of anybody: a service role.
fn uses_by_itself(identity: &Identity<'_>) -> bool {
    identity.invoking_service().is_some_and(|service| service != "AWS Internal")
        && identity.access_key_id.is_none()
}

fn is_root(arn: Option<&str>) -> bool {
    arn.and_then(Arn::split).is_some_and(|arn| arn.resource == "root")
}

/// A failed sign-in names the user without an ARN; its path is not known.
fn user_arn(record: &Record<'_>, identity: &Identity<'_>, own: Option<&str>) -> Option<String> {
    if identity.kind != IdentityType::IamUser {
        return None;
    }
    let account = identity.account_id.as_deref().or(own)?;
    let partition = Partition::of_region(&record.aws_region.text().unwrap_or_default()).id;
    Some(format!("arn:{partition}:iam::{account}:user/{}", identity.user_name.as_deref()?))
}

fn kind(
    record: &Record<'_>,
    identity: &Identity<'_>,
    arn: Option<&str>,
    matches: impl Fn(&IdentityPattern) -> bool,
    policy: &Policy,
) -> (Kind, Option<usize>, &'static str) {
    let service_event = identity.arn.is_none()
        && identity.user_name.is_none()
        && matches!(record.event_type.text().as_deref(), Some("AwsServiceEvent" | "AwsCloudTrailInsight"));
    if identity.is_service() || service_event {
        return (Kind::Service, None, "an AWS service made the call by itself");
    }
    if identity.kind == IdentityType::Root || (identity.kind == IdentityType::FederatedUser && is_root(arn)) {
        return (Kind::BreakGlass, None, "root is always a break-glass identity");
    }
    if let Some(entry) = policy.break_glass.iter().position(|entry| matches(&entry.identity)) {
        return (Kind::BreakGlass, Some(entry), "a [[break_glass]] entry names it");
    }
    if let Some(entry) = policy.deploy.iter().position(|entry| matches(&entry.identity)) {
        return (Kind::DeployRole, Some(entry), "a [[deploy]] entry names it");
    }
    if let Some(entry) = policy.workloads.iter().position(|entry| matches(&entry.identity)) {
        if identity.from_console || record.session_credential_from_console.flag() == Some(true) {
            return (Kind::Human, None, "a person uses the role of a [[workload]] entry in the console");
        }
        return (Kind::Workload, Some(entry), "a [[workload]] entry names it");
    }
    if identity.ec2_role_delivery {
        return (Kind::Workload, None, "EC2 delivered the credentials to an instance");
    }
    if identity.issued_to.as_deref().is_some_and(|kind| kind.starts_with("AWS::")) {
        return (Kind::Workload, None, "AWS issued the credentials to a compute resource");
    }
    match identity.kind {
        IdentityType::IamUser => (Kind::Human, None, "an IAM user that no entry of the policy names"),
        IdentityType::FederatedUser | IdentityType::SamlUser => (Kind::Human, None, "a federated user"),
        IdentityType::IdentityCenterUser => (Kind::Human, None, "a user of IAM Identity Center"),
        IdentityType::AssumedRole if identity.permission_set().is_some() => {
            (Kind::Human, None, "IAM Identity Center gave the session")
        }
        IdentityType::AssumedRole
            if identity.from_console || record.session_credential_from_console.flag() == Some(true) =>
        {
            (Kind::Human, None, "the session comes from the console")
        }
        IdentityType::AssumedRole if identity.source_identity.is_some() => {
            (Kind::Human, None, "the session carries a sourceIdentity")
        }
        IdentityType::AssumedRole
            if identity.assumed_role().is_some_and(|(_, session)| session.contains('@')) =>
        {
            (Kind::Human, None, "the session's name is a mail address")
        }
        IdentityType::AssumedRole if uses_by_itself(identity) => {
            (Kind::Workload, None, "a service uses the role by itself")
        }
        IdentityType::AssumedRole => {
            (Kind::Unknown, None, "a role's session that no entry of the policy names")
        }
        IdentityType::AwsAccount => (Kind::Unknown, None, "another account, of which nothing more is told"),
        _ => (Kind::Unknown, None, "the record doesn't tell who called"),
    }
}
