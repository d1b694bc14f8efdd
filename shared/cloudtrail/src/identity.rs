//! Who made the call, as the record tells it.

use std::borrow::Cow;

use crate::json::Raw;
use crate::partition::{is_sign_in, service_name};

/// `userIdentity.type`. See "`CloudTrail` userIdentity element" in the CloudTrail user guide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum IdentityType {
    /// The account's root user, or a service on its behalf.
    Root,
    /// An IAM user.
    IamUser,
    /// A session of a role.
    AssumedRole,
    /// A role itself.
    Role,
    /// A session of `GetFederationToken`.
    FederatedUser,
    /// Directory service.
    Directory,
    /// Another account, of which the record says nothing more.
    AwsAccount,
    /// An AWS service.
    AwsService,
    /// A user of IAM Identity Center, with no role.
    IdentityCenterUser,
    /// The caller of `AssumeRoleWithSAML`.
    SamlUser,
    /// The caller of `AssumeRoleWithWebIdentity`.
    WebIdentityUser,
    /// CloudTrail says that it doesn't know, or says nothing, or something new.
    #[default]
    Unknown,
}

impl IdentityType {
    fn of(text: &str) -> Self {
        match text {
            "Root" => Self::Root,
            "IAMUser" => Self::IamUser,
            "AssumedRole" => Self::AssumedRole,
            "Role" => Self::Role,
            "FederatedUser" => Self::FederatedUser,
            "Directory" => Self::Directory,
            "AWSAccount" => Self::AwsAccount,
            "AWSService" => Self::AwsService,
            "IdentityCenterUser" => Self::IdentityCenterUser,
            "SAMLUser" => Self::SamlUser,
            "WebIdentityUser" => Self::WebIdentityUser,
            _ => Self::Unknown,
        }
    }
}

/// `userIdentity`, with the parts of `sessionContext` that tell sessions apart.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a mark of its own that CloudTrail sets")]
pub struct Identity<'a> {
    /// What kind of identity it is.
    pub kind: IdentityType,
    /// CloudTrail wrote the type `Unknown`, and didn't just leave it out.
    says_unknown: bool,
    /// ARN of the user or of the role's session. Its role part has no path.
    pub arn: Option<Cow<'a, str>>,
    /// The account that the identity belongs to.
    pub account_id: Option<Cow<'a, str>>,
    /// `AIDA…` for a user, `AROA…:session` for a role's session.
    pub principal_id: Option<Cow<'a, str>>,
    /// The access key. A service that acts by itself has none. Not to be shown.
    pub access_key_id: Option<Cow<'a, str>>,
    /// Name of the user; the subject for web identities.
    pub user_name: Option<Cow<'a, str>>,
    /// The service that made the call: by itself, or with the caller's rights (forward access session).
    pub invoked_by: Option<Cow<'a, str>>,
    /// ARN of the role or user that gave the session, with its path.
    pub issuer_arn: Option<Cow<'a, str>>,
    /// When the session's credentials were issued. The same for all keys of one console session.
    pub creation_date: Option<Cow<'a, str>>,
    /// `mfaAuthenticated`. Always false for Identity Center and SAML sessions, so false proves nothing there.
    pub mfa_authenticated: Option<bool>,
    /// Set once by whoever assumed the first role; survives role chaining.
    pub source_identity: Option<Cow<'a, str>>,
    /// The credentials came from an EC2 instance's metadata service.
    pub ec2_role_delivery: bool,
    /// The AWS resource that the credentials were issued to (`inScopeOf.issuerType`).
    pub issued_to: Option<Cow<'a, str>>,
    /// `sessionContext.signInSessionArn`: the sign-in that the credentials come from, the same for all of its keys.
    pub sign_in_session: Option<Cow<'a, str>>,
    /// `sessionContext.assumedRoot`: a session of `AssumeRoot`.
    pub assumed_root: bool,
    /// `attributes.sessionCredentialFromConsole`.
    pub from_console: bool,
    /// `onBehalfOf.userId`: the Identity Center user.
    pub on_behalf_of: Option<Cow<'a, str>>,
    /// `identityProvider`: who vouched for the caller of `AssumeRoleWithWebIdentity` or `AssumeRoleWithSAML`.
    pub identity_provider: Option<Cow<'a, str>>,
    /// `webIdFederationData.federatedProvider`: who vouched for the web identity that took the session.
    pub federated_provider: Option<Cow<'a, str>>,
    /// `invokedByDelegate.accountId`: the account of a product provider that acts under a delegation.
    pub delegate: Option<Cow<'a, str>>,
}

/// Services with which people act: each of their calls is somebody's at a screen, or at a prompt.
const USED_BY_PEOPLE: [&str; 3] = ["account-access", "aws-mcp", "ssm-guiconnect"];

/// Whether people act through a service, or get roles from it.
pub fn is_used_by_people(service: &str) -> bool {
    service_name(service).is_some_and(|name| USED_BY_PEOPLE.contains(&name))
}

impl<'a> Identity<'a> {
    /// Reads `userIdentity`. Whatever it holds: an absent or odd one gives an identity of unknown type.
    pub fn read(raw: Raw<'a>) -> Self {
        let mut identity = Self::default();
        for (key, value) in raw.members().flatten() {
            match &*key {
                "type" => {
                    let kind = value.text();
                    identity.says_unknown = kind.as_deref() == Some("Unknown");
                    identity.kind = kind.map(|text| IdentityType::of(&text)).unwrap_or_default();
                }
                "arn" => identity.arn = value.text(),
                "accountId" => identity.account_id = value.text(),
                "principalId" => identity.principal_id = value.text(),
                "accessKeyId" => identity.access_key_id = value.text(),
                "userName" => identity.user_name = value.text(),
                "invokedBy" => identity.invoked_by = value.text(),
                "sessionContext" => identity.session(value),
                "inScopeOf" => identity.issued_to = value.get("issuerType").and_then(Raw::text),
                "onBehalfOf" => identity.on_behalf_of = value.get("userId").and_then(Raw::text),
                "identityProvider" => identity.identity_provider = value.text(),
                "invokedByDelegate" => identity.delegate = value.get("accountId").and_then(Raw::text),
                _ => {}
            }
        }
        identity
    }

    fn session(&mut self, raw: Raw<'a>) {
        for (key, value) in raw.members().flatten() {
            match &*key {
                "sessionIssuer" => self.issuer_arn = value.get("arn").and_then(Raw::text),
                "attributes" => self.attributes(value),
                "sourceIdentity" => self.source_identity = value.text(),
                "signInSessionArn" => self.sign_in_session = value.text(),
                "ec2RoleDelivery" => self.ec2_role_delivery = value.text().is_some(),
                "assumedRoot" => self.assumed_root = value.flag() == Some(true),
                "webIdFederationData" => {
                    self.federated_provider = value.get("federatedProvider").and_then(Raw::text);
                }
                _ => {}
            }
        }
    }

    fn attributes(&mut self, raw: Raw<'a>) {
        for (key, value) in raw.members().flatten() {
            match &*key {
                "creationDate" => self.creation_date = value.text(),
                "mfaAuthenticated" => self.mfa_authenticated = value.flag(),
                "sessionCredentialFromConsole" => self.from_console = value.flag() == Some(true),
                _ => {}
            }
        }
    }

    /// The role's session as (role name, session name), from the session's ARN.
    pub fn assumed_role(&self) -> Option<(&str, &str)> {
        let resource = Arn::split(self.arn.as_deref()?)?.resource.strip_prefix("assumed-role/")?;
        Some(resource.split_once('/').unwrap_or((resource, "")))
    }

    /// The ARN that says which role or user this is: of a role's session, the role. With the path where
    /// the record tells it (`sessionIssuer.arn`), else without.
    pub fn principal_arn(&self) -> Option<Cow<'_, str>> {
        if let Some(issuer) = self.issuer_arn.as_deref().filter(|arn| is_role(arn)) {
            return Some(Cow::Borrowed(issuer));
        }
        // A federated session acts with the rights of the user, or root, that asked for it.
        if self.kind == IdentityType::FederatedUser
            && let Some(issuer) = self.issuer_arn.as_deref()
        {
            return Some(Cow::Borrowed(issuer));
        }
        let arn = self.arn.as_deref()?;
        if let Some((role, _)) = self.assumed_role()
            && let Some(Arn { partition, account, .. }) = Arn::split(arn)
        {
            return Some(Cow::Owned(format!("arn:{partition}:iam::{account}:role/{role}")));
        }
        Some(Cow::Borrowed(arn))
    }

    /// The permission set behind a session that IAM Identity Center gave, and the user's name there.
    ///
    /// The role's name ends in a suffix that changes when the permission set is provisioned anew. Its prefix
    /// is reserved: nobody can create such a role. See "Referencing permission sets in resource policies" in
    /// the IAM Identity Center user guide.
    pub fn permission_set(&self) -> Option<(&str, &str)> {
        let (role, session) = self.assumed_role()?;
        Some((permission_set_of(role)?, session))
    }

    /// Whether the identity is a service-linked role, whose path is reserved for AWS.
    pub fn is_service_linked(&self) -> bool {
        let issuer = self.issuer_arn.as_deref().and_then(Arn::split);
        issuer.is_some_and(|arn| arn.resource.starts_with("role/aws-service-role/"))
    }

    /// Whether a service made the call by itself: it is the caller, it used a service-linked role, which
    /// nobody else can assume, or (in old records) root without an access key. `invokedBy` alone doesn't
    /// show it: with an access key the service passed on somebody's own session, and that somebody is the
    /// caller.
    pub fn is_service(&self) -> bool {
        let by_itself = self.is_used_by_service_alone();
        match self.kind {
            IdentityType::AwsService => true,
            IdentityType::AssumedRole | IdentityType::Role => self.is_service_linked(),
            IdentityType::Root => by_itself && self.creation_date.is_none() && !self.assumed_root,
            IdentityType::Unknown => by_itself && self.arn.is_none() && !self.is_by_a_deputy(),
            _ => false,
        }
    }

    /// Whether the service does what callers tell it, so that its name alone clears nobody.
    pub fn is_by_a_deputy(&self) -> bool {
        const DEPUTIES: [&str; 5] = ["cloudformation", "scheduler", "servicecatalog", "ssm", "states"];
        self.invoking_service().and_then(service_name).is_some_and(|name| DEPUTIES.contains(&name))
    }

    /// Whether a service made the call and no access key says that somebody's own session is behind it. A service
    /// that people act through is never alone.
    pub fn is_used_by_service_alone(&self) -> bool {
        let service = self.invoking_service().filter(|service| !is_used_by_people(service));
        service.is_some() && self.access_key_id.is_none()
    }

    /// The access key, if it is one that [has no end](is_long_lived). Not to be shown.
    pub fn long_lived_key(&self) -> Option<&str> {
        self.access_key_id.as_deref().filter(|key| is_long_lived(key))
    }

    /// Whether the request came without AWS credentials: from a customer of an app, or from anybody on the internet.
    /// AWS itself writes what says so; who has credentials can't be made to look like that.
    ///
    /// `app`: the request went to a service that an app's customers call themselves, which writes no more than
    /// `Unknown`.
    pub fn is_anonymous(&self, app: bool) -> bool {
        let named = self.arn.is_some() || self.access_key_id.is_some() || self.invoked_by.is_some();
        if named || self.user_name.is_some() {
            return false;
        }
        let is = |field: &Option<Cow<'_, str>>, word: &str| {
            field.as_deref().is_some_and(|found| found.eq_ignore_ascii_case(word))
        };
        let anonymous = is(&self.principal_id, "anonymous") || is(&self.account_id, "anonymous");
        match self.kind {
            IdentityType::AwsAccount => anonymous || is(&self.account_id, "ANONYMOUS_PRINCIPAL"),
            IdentityType::Unknown => anonymous || (app && self.says_unknown && self.principal_id.is_none()),
            _ => false,
        }
    }

    /// The name in the certificate that took the session, as IAM Roles Anywhere sets it for `sourceIdentity`.
    pub fn certificate(&self) -> Option<&str> {
        self.source_identity.as_deref().filter(|source| source.starts_with("CN="))
    }

    /// The person or system that `sourceIdentity` names; a certificate's name is none.
    pub fn source(&self) -> Option<&str> {
        self.source_identity.as_deref().filter(|source| !source.starts_with("CN="))
    }

    /// The provider that vouched for a web identity, from its host on: of the caller that takes a role on, or of the
    /// one that took this session. `oidc.eks.eu-west-1.amazonaws.com/id/0A1B` of its ARN.
    pub fn web_provider(&self) -> Option<&str> {
        let provider = self.identity_provider.as_deref().or(self.federated_provider.as_deref())?;
        // Cut from the front: a provider's URL is chosen by who makes it, and may hold `:oidc-provider/` once more.
        let name = Arn::split(provider).and_then(|arn| arn.resource.strip_prefix("oidc-provider/"));
        Some(name.unwrap_or_else(|| provider.strip_prefix("https://").unwrap_or(provider)))
    }

    /// The service that passed the call on. The sign-in is the console, not a service.
    pub fn invoking_service(&self) -> Option<&str> {
        self.invoked_by.as_deref().filter(|service| !is_sign_in(service))
    }
}

/// The parts of an ARN: `arn:partition:service:region:account:resource`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'a> {
    /// `aws`, `aws-cn`, `aws-us-gov`, `aws-eusc` …
    pub partition: &'a str,
    /// `iam`, `sts`.
    pub service: &'a str,
    /// Empty for IAM.
    pub region: &'a str,
    /// Twelve digits.
    pub account: &'a str,
    /// All behind the account, colons and slashes too.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Cuts an ARN at its first five colons.
    pub fn split(arn: &'a str) -> Option<Self> {
        let mut fields = arn.strip_prefix("arn:")?.splitn(5, ':');
        Some(Self {
            partition: fields.next()?,
            service: fields.next()?,
            region: fields.next()?,
            account: fields.next()?,
            resource: fields.next()?,
        })
    }
}

fn is_role(arn: &str) -> bool {
    Arn::split(arn).is_some_and(|arn| arn.resource.starts_with("role/"))
}

/// Whether an access key has no end: a user's or root's ("IAM identifiers" in the IAM user guide).
pub fn is_long_lived(access_key: &str) -> bool {
    access_key.starts_with("AKIA")
}

/// The permission set in the name of a role that IAM Identity Center made: `AWSReservedSSO_<name>_<suffix>`.
pub fn permission_set_of(role_name: &str) -> Option<&str> {
    let (name, _) = role_name.strip_prefix("AWSReservedSSO_")?.rsplit_once('_')?;
    Some(name)
}

#[cfg(test)]
mod tests;
