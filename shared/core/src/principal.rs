//! Who acted, in the policy's terms.

use std::borrow::Cow;

use handsoff_cloudtrail::partition::{Partition, is_region, service_name};
use handsoff_cloudtrail::{Arn, Identity, IdentityType, Record, service_of};
use serde::{Deserialize, Serialize};

use crate::policy::{IdentityPattern, Policy};
use crate::show::clean;

/// What an identity is to the team.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    strum::Display,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Kind {
    /// A person: an IAM user, a session of Identity Center, of the console, or one that names its human.
    Human,
    /// An identity of the pipeline, by the policy.
    DeployRole,
    /// An identity for emergencies, by the policy; and root.
    BreakGlass,
    /// A role that code runs as: by the policy, or because AWS gave its credentials to a compute service.
    Workload,
    /// An AWS service that acts on its own behalf.
    Service,
    /// Nobody of the account: a customer of an app, or anyone on the internet, without AWS credentials.
    Anonymous,
    /// The record doesn't say.
    Unknown,
}

impl Kind {
    /// The name in every output.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Who acted.
#[derive(Clone, Debug)]
pub struct Principal<'a> {
    /// What the identity is to the team.
    pub kind: Kind,
    /// The identity, as in the record.
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

    /// What shows that these are credentials of code: the policy, how AWS gave them, or that the session is named as EC2
    /// names an instance's. The name is its caller's to choose: this accuses, and exempts nobody.
    pub fn credentials_of_code(&self) -> Option<&'static str> {
        let by_entry = self.entry.is_some() && self.kind == Kind::Human;
        if self.kind == Kind::Workload || by_entry {
            return Some(self.because);
        }
        let (_, session) = self.identity.assumed_role().filter(|_| self.kind != Kind::BreakGlass)?;
        let given = given_to_compute(&self.identity).filter(|_| self.kind == Kind::Human);
        given.or_else(|| is_instance(session).then_some("the session is named as an instance's"))
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
            _ if self.kind == Kind::Anonymous => "anonymous".into(),
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
        let name = if let Some(source) = identity.source() {
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

/// A service uses a role with no credentials of anyone: a service role.
fn uses_by_itself(identity: &Identity<'_>) -> bool {
    identity.is_used_by_service_alone() && identity.invoked_by.as_deref() != Some("AWS Internal")
}

/// Services that do their own work, and nobody else's, with the role that the account gave them. Not those that do
/// what somebody tells them, such as CloudFormation or Service Catalog.
const OWN_WORK: [&str; 8] =
    ["autoscaling", "backup", "cloudtrail", "config", "dlm", "eks", "elasticmapreduce", "firehose"];

/// How some of them name their sessions, by the beginning of the name; others by their own name.
const SESSIONS: [(&str, &str); 4] = [
    ("backup", "AWSBackup-"),
    ("cloudtrail", "CLOUDWATCH_LOGS_DELIVERY"),
    ("config", "AWSConfig"),
    ("elasticmapreduce", "CCSSession"),
];

/// A service uses its service role, with keys of that role: it calls in a session that it named.
///
/// A session's name is its caller's to choose. Who chose one of these would have to act through that very service,
/// and the call that starts it is reported as theirs.
fn uses_service_role(identity: &Identity<'_>) -> bool {
    let (Some(host), Some((_, session))) = (identity.invoking_service(), identity.assumed_role()) else {
        return false;
    };
    let Some(service) = service_name(host).filter(|service| OWN_WORK.contains(service)) else { return false };
    // The control plane of a cluster counts its sessions.
    let numbered = !session.is_empty() && session.bytes().all(|byte| byte.is_ascii_digit());
    (service == "eks" && numbered)
        || [host, service].iter().any(|own| own.eq_ignore_ascii_case(session))
        || SESSIONS.iter().any(|(of, start)| *of == service && session.starts_with(start))
}

/// Whether a session has the name that EC2 gives to an instance's: the instance's ID.
pub(crate) fn is_instance(session: &str) -> bool {
    let id = session.strip_prefix("i-").unwrap_or_default();
    matches!(id.len(), 8 | 17) && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// How AWS says in the record itself that it gave the credentials to a machine or a function.
fn given_to_compute(identity: &Identity<'_>) -> Option<&'static str> {
    if identity.ec2_role_delivery {
        return Some("EC2 delivered the credentials to an instance");
    }
    compute_service(identity).is_some().then_some("AWS issued the credentials to a compute resource")
}

/// The service that AWS gave the credentials to, where the record itself says so: by its principal's first label.
pub(crate) fn compute_service(identity: &Identity<'_>) -> Option<&'static str> {
    // What `inScopeOf.issuerType` begins with where code runs and nobody types: not those of notebooks, shells and
    // automation, which do what a person tells them.
    const SERVICES: [(&str, &str); 6] = [
        ("AWS::Lambda::", "lambda"),
        ("AWS::ECS::", "ecs-tasks"),
        ("AWS::EKS::", "pods.eks"),
        ("AWS::EC2::", "ec2"),
        ("AWS::Batch::", "ecs-tasks"),
        ("AWS::AppRunner::", "tasks.apprunner"),
    ];
    if identity.ec2_role_delivery {
        return Some("ec2");
    }
    let issued_to = identity.issued_to.as_deref()?;
    SERVICES.iter().find(|(start, _)| issued_to.starts_with(start)).map(|(_, service)| *service)
}

/// Providers that authenticate code alone, by AWS's own hosts: pods of EKS, and the users of an app's identity pool.
///
/// Of a provider that the account made the whole form has to be right. Who makes one chooses its URL, but not a host of
/// AWS's, whose keys IAM asks for.
pub(crate) fn vouches_for_code(provider: &str) -> bool {
    let (host, path) = provider.split_once('/').unwrap_or((provider, ""));
    let Some(name) = service_name(host) else { return false };
    let id = path.strip_prefix("id/").unwrap_or_default();
    let of_cluster = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (name == "cognito-identity" && path.is_empty())
        || (of_cluster && name.strip_prefix("oidc.eks.").is_some_and(is_region))
}

/// Services that an app's customers call themselves.
fn is_for_customers(record: &Record<'_>) -> bool {
    record.event_source.text().is_some_and(|source| is_customers_service(service_of(&source)))
}

/// Whether an app's customers call the service themselves, to sign up and in.
pub fn is_customers_service(service: &str) -> bool {
    matches!(service, "cognito-idp" | "cognito-identity")
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
        return (Kind::Service, None, "an AWS service made the call on its own behalf");
    }
    if identity.is_anonymous(is_for_customers(record)) {
        return (Kind::Anonymous, None, "the request came without AWS credentials");
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
    let console = identity.from_console || record.session_credential_from_console.flag() == Some(true);
    if let Some(entry) = policy.workloads.iter().position(|entry| matches(&entry.identity)) {
        if console {
            let because = "a person uses the role of a [[workload]] entry in the console";
            return (Kind::Human, Some(entry), because);
        }
        if identity.mfa_authenticated == Some(true) {
            let because = "a person uses the role of a [[workload]] entry, with MFA";
            return (Kind::Human, Some(entry), because);
        }
        if let Some(because) = names_a_person(identity) {
            return (Kind::Human, Some(entry), because);
        }
        return (Kind::Workload, Some(entry), "a [[workload]] entry names it");
    }
    if let Some(because) = given_to_compute(identity) {
        if console {
            return (Kind::Human, None, "a person uses credentials that AWS gave to code, in the console");
        }
        return (Kind::Workload, None, because);
    }
    match identity.kind {
        IdentityType::IamUser => (Kind::Human, None, "an IAM user that no entry of the policy names"),
        IdentityType::FederatedUser | IdentityType::SamlUser => (Kind::Human, None, "a federated user"),
        IdentityType::IdentityCenterUser => (Kind::Human, None, "a user of IAM Identity Center"),
        IdentityType::AssumedRole => {
            let (kind, because) = session(identity, console);
            (kind, None, because)
        }
        IdentityType::AwsAccount => {
            (Kind::Unknown, None, "another account, which the record doesn't describe further")
        }
        _ => (Kind::Unknown, None, "the record doesn't name the caller"),
    }
}

/// What names a person in a session of a workload's role. Its caller chose it: this accuses, and exempts nobody.
fn names_a_person(identity: &Identity<'_>) -> Option<&'static str> {
    if identity.source().is_some() {
        return Some("the session of a [[workload]] entry's role carries a sourceIdentity, as people's do");
    }
    let (_, session) = identity.assumed_role().filter(|_| identity.federated_provider.is_none())?;
    let mail = session.contains('@') && !session.ends_with("gserviceaccount.com");
    mail.then_some("the session of a [[workload]] entry's role is named as a person")
}

/// Who is behind a role's session that no entry of the policy names.
fn session(identity: &Identity<'_>, console: bool) -> (Kind, &'static str) {
    if identity.permission_set().is_some() {
        return (Kind::Human, "IAM Identity Center issued the session");
    }
    if console {
        return (Kind::Human, "the session comes from the console");
    }
    if identity.mfa_authenticated == Some(true) {
        return (Kind::Human, "the session used MFA, which only people do");
    }
    if identity.on_behalf_of.is_some() {
        return (Kind::Human, "the session acts on behalf of a user of IAM Identity Center");
    }
    if identity.source().is_some() {
        return (Kind::Human, "the session carries a sourceIdentity");
    }
    if identity.certificate().is_some() {
        // Not a workload by that: whoever takes a role on could choose such a sourceIdentity.
        return (Kind::Unknown, "the session's sourceIdentity is a certificate's, as of IAM Roles Anywhere");
    }
    if identity.federated_provider.is_some() {
        return match identity.web_provider() {
            Some(host) if vouches_for_code(host) => {
                (Kind::Workload, "EKS or an identity pool authenticated the code that assumed the role")
            }
            // Service accounts of other clouds have mail addresses for names.
            _ => (Kind::Unknown, "a web identity assumed the role, and the session's name proves no person"),
        };
    }
    let name = identity.assumed_role().map_or("", |(_, session)| session);
    if name.contains('@') && !name.ends_with("gserviceaccount.com") {
        return (Kind::Human, "the session's name is a mail address");
    }
    if uses_by_itself(identity) {
        return (Kind::Workload, "a service uses the role on its own behalf");
    }
    if uses_service_role(identity) {
        return (Kind::Workload, "a service uses the service role that the account gave it");
    }
    (Kind::Unknown, "a role's session that no entry of the policy names")
}
