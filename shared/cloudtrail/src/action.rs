//! What was called, and whether that changes anything.

use std::borrow::Cow;
use std::cell::OnceCell;

use crate::access::{self, AccessLevel};
use crate::class::Class;
use crate::record::Record;

/// An API operation: `service:Name`, the name without its version suffix.
#[derive(Clone, Debug)]
pub struct Action<'a> {
    /// The IAM prefix of the service, such as `cloudwatch` for `monitoring.amazonaws.com`.
    pub service: Cow<'a, str>,
    /// The operation, such as `PutMetricAlarm`.
    pub name: Cow<'a, str>,
    known: Known,
}

/// What the tables say of an action, once it was asked for: each detector asks again.
#[derive(Clone, Debug, Default)]
struct Known {
    reference: OnceCell<Option<AccessLevel>>,
    class: OnceCell<Option<Class>>,
}

impl PartialEq for Action<'_> {
    fn eq(&self, other: &Self) -> bool {
        (&self.service, &self.name) == (&other.service, &other.name)
    }
}

impl Eq for Action<'_> {}

/// What a call does to the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// It changes something.
    Changes,
    /// It reads, or uses a key or a role without changing it.
    Reads,
    /// Somebody signs in, or switches to a role in the console.
    SignsIn,
    /// A step on the way of a sign-in, of a console session's upkeep.
    SignInPlumbing,
}

/// What shows the effect of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Basis {
    /// The table of what gives rights and ways in.
    Class,
    /// This module's own list of operations whose access level says too much.
    List,
    /// `readOnly` is true and the name says the same.
    ReadOnlyAndName,
    /// The service authorization reference.
    Reference,
    /// The verb that the name starts with.
    Verb,
    /// `readOnly` alone.
    ReadOnly,
    /// Nothing: what is not known to be harmless is taken for a change.
    Unknown,
}

impl std::fmt::Display for Basis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Class => "handsoff's table of classes of changes",
            Self::List => "handsoff's own list of operations",
            Self::ReadOnlyAndName => "readOnly and the operation's name agree",
            Self::Reference => "the service authorization reference",
            Self::Verb => "the verb of the operation; the service authorization reference doesn't have it",
            Self::ReadOnly => "readOnly; the service authorization reference doesn't have the operation",
            Self::Unknown => "nothing shows that the operation only reads",
        })
    }
}

impl<'a> Action<'a> {
    /// The action of a record.
    pub fn of(record: &Record<'a>) -> Self {
        let source = record.event_source.text().unwrap_or_default();
        let service = match source {
            Cow::Borrowed(source) => Cow::Borrowed(access::service_of(source.trim())),
            Cow::Owned(source) => Cow::Owned(access::service_of(source.trim()).to_owned()),
        };
        let name = match record.event_name.text().unwrap_or_default() {
            Cow::Borrowed(name) => Cow::Borrowed(without_version(name)),
            Cow::Owned(name) => Cow::Owned(without_version(&name).to_owned()),
        };
        Self::named(service, name)
    }

    /// The action of a service's IAM prefix and an operation without its version.
    pub fn named(service: impl Into<Cow<'a, str>>, name: impl Into<Cow<'a, str>>) -> Self {
        Self { service: service.into(), name: name.into(), known: Known::default() }
    }

    /// What the service authorization reference says.
    fn reference(&self) -> Option<AccessLevel> {
        *self.known.reference.get_or_init(|| access::access_level(&self.service, &self.name))
    }

    /// Whether the name says that it reads: `Get`, `List`, `Describe`, in either case of the first letter.
    pub fn has_reading_name(&self) -> bool {
        starts_with_verb(&self.name, READING)
    }

    /// The access level: from the service authorization reference, else from the name.
    pub fn access(&self) -> AccessLevel {
        self.reference().unwrap_or_else(|| {
            if starts_with_verb(&self.name, &["List"]) {
                AccessLevel::List
            } else if self.has_reading_name() {
                AccessLevel::Read
            } else {
                AccessLevel::Write
            }
        })
    }

    /// What the call does, and what shows so.
    ///
    /// `readOnly` alone decides nothing that the reference knows: it is true for `AssumeRole` and false for
    /// `GetSessionToken`, left out by old records, and wrong in a few.
    pub fn effect(&self, read_only: Option<bool>) -> (Effect, Basis) {
        // A few are named like reads, and give out a key to a machine.
        if matches!(self.class(), Some(Class::WayIn | Class::Commands)) {
            return (Effect::Changes, Basis::Class);
        }
        if read_only == Some(true) && self.has_reading_name() {
            return (Effect::Reads, Basis::ReadOnlyAndName);
        }
        if let Some(effect) = self.listed() {
            return (effect, Basis::List);
        }
        if let Some(access) = self.reference() {
            // The reference calls a few writes reads. Where CloudTrail and the verb both say otherwise, they count.
            if !access.is_write() && read_only == Some(false) && starts_with_verb(&self.name, WRITING) {
                return (Effect::Changes, Basis::ReadOnlyAndName);
            }
            return (if access.is_write() { Effect::Changes } else { Effect::Reads }, Basis::Reference);
        }
        if self.has_reading_name() {
            return (Effect::Reads, Basis::Verb);
        }
        if starts_with_verb(&self.name, WRITING) {
            return (Effect::Changes, Basis::Verb);
        }
        match read_only {
            Some(true) => (Effect::Reads, Basis::ReadOnly),
            Some(false) => (Effect::Changes, Basis::ReadOnly),
            None => (Effect::Changes, Basis::Unknown),
        }
    }

    /// What the call gives to somebody, where the table knows it.
    pub fn class(&self) -> Option<Class> {
        *self.known.class.get_or_init(|| Class::of(&self.service, &self.name))
    }

    /// Whether the call lets somebody into a machine, to type what CloudTrail doesn't see.
    pub fn opens_a_shell(&self) -> bool {
        self.class() == Some(Class::WayIn)
    }

    /// Whether the call lets somebody into a machine, container or cluster, or returns what that takes. Systems Manager's
    /// commands don't: they run what the call says, and nobody types ("AWS Systems Manager Run Command").
    pub fn is_interactive(&self) -> bool {
        self.opens_a_shell() || self.class() == Some(Class::Commands) && self.service != "ssm"
    }

    /// Whether the call issues a session of a role: `AssumeRole` and its kin ("AWS STS API reference"). Not of root.
    pub fn assumes_role(&self) -> bool {
        self.service == "sts" && self.name.starts_with("AssumeRole")
    }

    fn listed(&self) -> Option<Effect> {
        // Compared without case: CloudShell and others write lower-camel names.
        let is = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(&self.name));
        let starts =
            |start: &str| self.name.get(..start.len()).is_some_and(|found| found.eq_ignore_ascii_case(start));
        let reads = match &*self.service {
            // Using a key or taking on a role changes neither. What the role then does is judged on its own.
            "kms" => {
                is(&["Decrypt", "Encrypt", "Sign", "Verify", "DeriveSharedSecret"])
                    || starts("Generate")
                    || is(&["VerifyMac", "ReEncrypt", "ReEncryptTo", "ReEncryptFrom"])
                    || is(&["Encapsulate", "Decapsulate"])
            }
            "sts" => !self.name.is_empty(),
            "iam" => {
                starts("Simulate") || is(&["GenerateServiceLastAccessedDetails", "GenerateCredentialReport"])
            }
            "logs" => {
                is(&["StartQuery", "StopQuery", "FilterLogEvents", "TestMetricFilter", "StartLiveTail"])
            }
            "cloudtrail" => is(&["StartQuery", "CancelQuery", "LookupEvents"]),
            "athena" => is(&["StartQueryExecution", "StopQueryExecution"]),
            "events" | "scheduler" => is(&["TestEventPattern", "TestScheduleExpression"]),
            "rds" => is(&["DownloadDBLogFilePortion", "DownloadCompleteDBLogFile"]),
            "trustedadvisor" | "support" => is(&["RefreshCheck", "RefreshTrustedAdvisorCheck"]),
            "servicecatalog" => starts("Search"),
            "glue" => starts("BatchGet"),
            // A service event of each refresh of a dashboard, with the identity of who made the dashboard.
            "quicksight" => is(&["QueryDatabase"]),
            _ => false,
        };
        if reads {
            return Some(Effect::Reads);
        }
        let plumbing = match &*self.service {
            "signin" => match () {
                () if is(&["ConsoleLogin", "SwitchRole"]) => return Some(Effect::SignsIn),
                () => {
                    starts("Credential")
                        || is(&["UserAuthentication", "CheckMfa", "RenewRole", "ExternalIdPDirectoryLogin"])
                        || is(&[
                            "GetSigninToken",
                            "ExitRole",
                            "Logout",
                            "CreateOAuth2Token",
                            "CreateBearerToken",
                        ])
                        || is(&["CreateOAuth2TokenWithIAM", "CreateOAuth2TokenWithTokenExchange"])
                }
            },
            "sso" | "sso-directory" | "sso-oauth" => {
                is(&["Federate", "Authenticate", "Logout", "CreateToken", "SearchUsers", "SearchGroups"])
                    || is(&["CreateTokenWithIAM", "RegisterClient", "StartDeviceAuthorization"])
                    // The portal logs its own page loads, with the address for a name.
                    || starts("https://")
            }
            "cognito-idp" => is(&["InitiateAuth", "RespondToAuthChallenge"]),
            "cloudshell" => is(&["sendHeartBeat", "putCredentials", "redeemCode"]),
            _ => false,
        };
        plumbing.then_some(Effect::SignInPlumbing)
    }
}

impl std::fmt::Display for Action<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.service, self.name)
    }
}

const READING: &[&str] =
    &["Get", "List", "Describe", "Head", "Search", "Lookup", "BatchGet", "BatchDescribe", "View"];
const WRITING: &[&str] = &[
    "Create",
    "Delete",
    "Put",
    "Update",
    "Modify",
    "Attach",
    "Detach",
    "Disable",
    "Enable",
    "Set",
    "Add",
    "Remove",
    "Authorize",
    "Revoke",
    "Terminate",
    "Stop",
    "Start",
    "Run",
    "Import",
    "Restore",
    "Transfer",
    "Tag",
    "Untag",
    "Associate",
    "Disassociate",
    "Register",
    "Deregister",
    "Apply",
    "Send",
    "Execute",
    "Invoke",
    "Accept",
    "Leave",
];

/// Whether the name starts with one of the verbs as a word of its own: `GetUser` and `getUser`, not `Getaway`.
fn starts_with_verb(name: &str, verbs: &[&str]) -> bool {
    let bytes = name.as_bytes();
    verbs.iter().any(|verb| {
        let (Some(start), after) = (bytes.get(..verb.len()), bytes.get(verb.len())) else { return false };
        start.eq_ignore_ascii_case(verb.as_bytes()) && !after.is_some_and(u8::is_ascii_lowercase)
    })
}

/// The operation's name without the API version that some services write behind it:
/// `CreateFunction20150331`, `UpdateFunctionCode20150331v2`, `CreateDistribution2020_05_31`. And without
/// the space that ends `SendSSHPublicKey `.
fn without_version(name: &str) -> &str {
    let name = name.trim();
    if !name.ends_with(|char: char| char.is_ascii_digit()) {
        return name;
    }
    let base = name.trim_end_matches(|char: char| char.is_ascii_digit());
    // `…v2`, but only behind a date.
    let dated = match base.strip_suffix('v') {
        Some(dated)
            if dated.len() + 1 < name.len() && dated.ends_with(|char: char| char.is_ascii_digit()) =>
        {
            dated
        }
        _ => name,
    };
    let stem = dated.trim_end_matches(|char: char| char.is_ascii_digit() || char == '_');
    let date: String = dated.chars().skip(stem.chars().count()).filter(char::is_ascii_digit).collect();
    if date.len() == 8 && date.starts_with("20") && !stem.is_empty() { stem } else { name }
}

#[cfg(test)]
mod tests;
