//! What a record says that has to be counted, each event once.

use std::io::{self, BufRead};

use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::partition::service_name;
use handsoff_cloudtrail::{Arn, Class, IdentityType, Time, Via, is_used_by_people, permission_set_of};
use handsoff_core::{Attack, Call, Key, Kind, Policy, group, show::clean};
use serde::{Deserialize, Serialize};

use crate::check::is_known;
use crate::replay::spool::Spooled;

/// No name or ARN is longer; what is can't be written into a policy either.
const LONGEST: usize = 2048;

/// What kind of identity it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Form {
    Role,
    User,
    PermissionSet,
}

/// A role, user or permission set: by its name, which is unique in an account whatever its path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Id {
    pub(super) account: String,
    pub(super) form: Form,
    pub(super) name: String,
}

impl Id {
    /// The identity of an ARN of IAM.
    pub(super) fn of(arn: &str) -> Option<Self> {
        let arn = Some(arn).filter(|arn| arn.len() <= LONGEST).and_then(Arn::split)?;
        let (form, path) = match arn.resource.split_once('/')? {
            ("role", path) => (Form::Role, path),
            ("user", path) => (Form::User, path),
            _ => return None,
        };
        let name = path.rsplit('/').next().filter(|_| arn.service == "iam")?;
        let account = arn.account.to_owned();
        Some(match permission_set_of(name).filter(|_| form == Form::Role) {
            Some(set) => Self { account, form: Form::PermissionSet, name: set.to_owned() },
            None => Self { account, form, name: name.to_owned() },
        })
    }
}

/// Who assumed a role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Origin {
    /// A web identity, by provider and subject.
    Web(String, String),
    /// An AWS service.
    Service(String),
    /// A session of another role, and whether a provider of CI vouched for it.
    Role(String, bool),
    /// Another account, of which the record says nothing more.
    Account(String),
    /// A person, or what looks like one.
    Person(String),
    /// The record doesn't tell.
    Unknown(String),
}

/// Hosts that vouch for the jobs of a CI system and for nothing else.
const CI_PROVIDERS: [&str; 7] = [
    "agent.buildkite.com",
    "api.bitbucket.org",
    "app.terraform.io",
    "gitlab.com",
    "oidc.circleci.com",
    "token.actions.githubusercontent.com",
    "vstoken.dev.azure.com",
];

/// Services that run the steps of a pipeline.
const CI_SERVICES: [&str; 3] = ["codebuild", "codedeploy", "codepipeline"];

/// Services that give roles to code of the account and do nothing that a person at a screen tells them. Not those that
/// run notebooks, shells, documents or templates of any caller, such as `SageMaker`, Systems Manager or `CloudFormation`.
const COMPUTE: [&str; 24] = [
    "apigateway",
    "application-autoscaling",
    "appsync",
    "autoscaling",
    "backup",
    "batch",
    "build.apprunner",
    "config",
    "delivery.logs",
    "dlm",
    "dms",
    "ec2",
    "ecs",
    "ecs-tasks",
    "edgelambda",
    "eks",
    "events",
    "firehose",
    "lambda",
    "pipes",
    "pods.eks",
    "scheduler",
    "states",
    "tasks.apprunner",
];

/// Whether a provider vouches for the jobs of a CI system.
pub(super) fn is_ci(provider: &str) -> bool {
    let host = provider.split('/').next().unwrap_or(provider);
    CI_PROVIDERS.iter().any(|known| known.eq_ignore_ascii_case(host))
}

impl Origin {
    /// Who makes a call that assumes a role.
    fn of(call: &Call<'_>) -> Self {
        let (principal, identity) = (&call.principal, &call.principal.identity);
        let asked = |key: &str| call.record.request_parameters.get(key).and_then(Raw::text);
        let named = asked("sourceIdentity").is_some_and(|source| !source.starts_with("CN="));
        let factor = asked("serialNumber").is_some();
        let service = identity.invoking_service().unwrap_or_default();
        let person = principal.is_certainly_human()
            || matches!(principal.kind, Kind::Human | Kind::BreakGlass)
            || matches!(identity.kind, IdentityType::SamlUser | IdentityType::Directory);
        let cut = |text: &str| text.chars().take(512).collect::<String>();
        if person || named || factor || is_used_by_people(service) {
            return Self::Person(principal.name());
        }
        match (identity.kind, principal.arn.as_deref()) {
            (IdentityType::WebIdentityUser, _) => {
                let subject = identity.user_name.as_deref().unwrap_or_default();
                Self::Web(cut(identity.web_provider().unwrap_or_default()), cut(subject))
            }
            _ if principal.kind == Kind::Service => Self::Service(cut(service)),
            (IdentityType::AwsAccount, _) => {
                Self::Account(cut(identity.account_id.as_deref().unwrap_or_default()))
            }
            (_, Some(arn)) if Id::of(arn).is_some_and(|id| id.form == Form::Role) => {
                Self::Role(arn.to_owned(), identity.web_provider().is_some_and(is_ci))
            }
            _ => Self::Unknown(principal.name()),
        }
    }

    /// Whether it is a step of a pipeline by what AWS writes, which no caller chooses.
    pub(super) fn is_ci(&self) -> bool {
        match self {
            Self::Web(provider, _) => is_ci(provider),
            Self::Service(host) => service_name(host).is_some_and(|name| CI_SERVICES.contains(&name)),
            Self::Role(_, vouched) => *vouched,
            Self::Account(_) | Self::Person(_) | Self::Unknown(_) => false,
        }
    }

    /// Whether a service gave the role to code of the account.
    pub(super) fn is_compute(&self) -> bool {
        let Self::Service(host) = self else { return false };
        service_name(host).is_some_and(|name| COMPUTE.contains(&name))
    }

    /// What it is called in comments.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Web(provider, subject) => {
                format!("web identity {} of {}", clean(subject, 128), clean(provider, 64))
            }
            Self::Service(host) => format!("service {}", clean(host, 64)),
            Self::Role(arn, _) => clean(arn, 160),
            Self::Account(account) => format!("account {}", clean(account, 32)),
            Self::Person(name) => format!("a person ({})", clean(name, 64)),
            Self::Unknown(name) => format!("unknown ({})", clean(name, 64)),
        }
    }
}

/// What kind of change a call is, for whether it may be trusted.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, strum::IntoStaticStr,
)]
pub(super) enum Sort {
    /// An attack on logging or detection, by any caller.
    #[strum(serialize = "logging or detection")]
    Logging,
    /// One unless the pipeline makes it.
    #[strum(serialize = "logging or detection")]
    LoggingByHand,
    #[strum(serialize = "identity or credential created")]
    Identity,
    #[strum(serialize = "permissions or trust")]
    Permissions,
    #[strum(serialize = "access to a machine")]
    WayIn,
    #[strum(serialize = "commands on machines")]
    Commands,
    #[strum(serialize = "guardrail")]
    Guardrail,
    #[strum(serialize = "sharing outward")]
    Sharing,
    #[strum(serialize = "destruction of data")]
    Destruction,
    #[strum(serialize = "secrets or credentials")]
    Secrets,
    #[strum(serialize = "network opened")]
    Network,
    /// No table of handsoff's has the operation.
    #[strum(serialize = "an operation that handsoff doesn't know")]
    New,
    #[strum(serialize = "ordinary")]
    Ordinary,
}

impl Sort {
    fn of(call: &Call<'_>, policy: &Policy) -> Self {
        let (service, name) = (&*call.action.service, &*call.action.name);
        if Attack::of(&call.action, &call.record, policy, true).is_some() {
            return Self::Logging;
        }
        if call.attack.is_some() {
            return Self::LoggingByHand;
        }
        match call.class() {
            Some(Class::Detection) => Self::Logging,
            Some(Class::Identity) => Self::Identity,
            Some(Class::Permissions) => Self::Permissions,
            Some(Class::WayIn) => Self::WayIn,
            Some(Class::Commands) => Self::Commands,
            Some(Class::Guardrail) => Self::Guardrail,
            Some(Class::Sharing) => Self::Sharing,
            Some(Class::Destruction) => Self::Destruction,
            Some(Class::Credentials) => Self::Secrets,
            _ if service == "secretsmanager" => Self::Secrets,
            Some(Class::Network) => Self::Network,
            None if !is_known(service, name) => Self::New,
            None => Self::Ordinary,
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether an identity that makes such a change is never proposed for code: the identity may be in the wrong hands.
    pub(super) fn is_grave(self) -> bool {
        !matches!(self, Self::Network | Self::New | Self::Ordinary)
    }
}

/// What a change makes that others may act by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Made {
    /// A role, or its trust.
    Role(Id),
    /// An OIDC provider.
    Provider(String),
}

impl Made {
    fn of(call: &Call<'_>) -> Option<Self> {
        if call.action.service != "iam" {
            return None;
        }
        let asked = |key: &str| call.record.request_parameters.get(key).and_then(Raw::text);
        match &*call.action.name {
            "CreateRole" | "UpdateAssumeRolePolicy" | "AcquireRole" => {
                let account = call.account()?.into_owned();
                let name = asked("roleName")?.chars().take(128).collect();
                Some(Self::Role(Id { account, form: Form::Role, name }))
            }
            "CreateOpenIDConnectProvider" | "AddClientIDToOpenIDConnectProvider" => {
                let url = asked("url").or_else(|| asked("openIDConnectProviderArn"))?;
                let host = url.rsplit_once(":oidc-provider/").map_or(&*url, |(_, host)| host);
                let host = host.trim_start_matches("https://").trim_end_matches('/');
                Some(Self::Provider(host.chars().take(512).collect::<String>().to_ascii_lowercase()))
            }
            _ => None,
        }
    }
}

/// What is counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum What {
    /// A successful change: its action, its sort, how it came in, what it made.
    Change { action: String, sort: Sort, via: String, made: Option<Made> },
    /// A role was assumed.
    Taken { role: Id, by: Origin },
    /// A denied call, by the principal whose calls are counted together.
    Denied { group: String, action: String, browsing: bool },
}

/// What one event says. Of two that hand-made logs give the same key, the same one counts in any order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Fact {
    pub(super) key: Key,
    pub(super) time: Option<Time>,
    /// Who acted, if it is a role or user.
    pub(super) who: Option<Id>,
    /// A person, by the record.
    pub(super) human: bool,
    pub(super) what: What,
}

impl Fact {
    /// What there is to count of a call that was classified without any entry of a policy.
    pub(super) fn of(call: &Call<'_>, policy: &Policy) -> Option<Self> {
        use handsoff_cloudtrail::Effect::{Changes, Reads};
        use handsoff_core::Outcome::{Denied, Succeeded};
        let service = matches!(call.principal.kind, Kind::Service | Kind::Anonymous);
        let taking = call.action.assumes_role();
        let action = || clean(&call.action.to_string(), 160);
        let what = match &call.outcome {
            Succeeded if taking => {
                What::Taken { role: Id::of(&call.record.assumed_role_arn()?)?, by: Origin::of(call) }
            }
            Succeeded if call.effect == Changes && !service => What::Change {
                action: action(),
                sort: Sort::of(call, policy),
                via: clean(&Via::of(&call.record, &call.principal.identity).to_string(), 40),
                made: Made::of(call),
            },
            Denied(_) if !service => What::Denied {
                group: group::denial_group(call).chars().take(LONGEST).collect(),
                action: action(),
                browsing: call.is_from_console() && call.effect == Reads,
            },
            _ => return None,
        };
        let who = call.principal.arn.as_deref().and_then(Id::of);
        let human = matches!(call.principal.kind, Kind::Human | Kind::BreakGlass) || call.is_from_console();
        Some(Self { key: Key::of(&call.record), time: call.time, who, human, what })
    }
}

/// As a line of JSON.
impl Spooled for Fact {
    /// Some 4 MB.
    const RUN: usize = 8 << 10;

    fn write(&self, run: &mut Vec<u8>) -> io::Result<()> {
        serde_json::to_writer(&mut *run, self)?;
        run.push(b'\n');
        Ok(())
    }

    fn read(run: &mut impl BufRead) -> io::Result<Self> {
        let mut line = Vec::new();
        run.read_until(b'\n', &mut line)?;
        Ok(serde_json::from_slice(&line)?)
    }
}
