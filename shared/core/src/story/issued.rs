//! Who issued credentials, as the record of the call says that issued them: of a role's session, a user's key or password, a
//! sign-in.
//!
//! A session's records name its role and a session name, which is its caller's to choose. Its access key is AWS's: the
//! record that issued it has it in `responseElements`, beside its own caller.

use std::collections::{BTreeMap, BTreeSet};

use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::{Action, Arn, Identity as Caller, IdentityType, Record, Time, is_used_by_people};
use serde::{Deserialize, Serialize};

use super::given::{Given, may_issue, switched_from};
use crate::call::is_tool_call;
use crate::principal::{compute_service, vouches_for_code};
use crate::show::clean;
use crate::ties::{Identity, found_by, session_of};

/// So many issuers are followed back, from each to its own.
pub const HOPS: usize = 5;

/// So many requests of one tool call are kept: a script may make any number.
const REQUESTS: usize = 100;

/// What a record says of the session that its call issued, or of the requests that a tool made for an agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Issued {
    /// When.
    pub at: Option<Time>,
    /// The operation.
    how: String,
    /// The caller's `userIdentity.type`.
    caller: String,
    /// The caller, in words.
    pub(super) by: String,
    /// The caller's ARN, of a session with its name; empty where the record has none.
    arn: String,
    /// The caller's account.
    account: String,
    /// The caller's own session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session: Option<Identity>,
    /// By what else the issue of the caller's credentials is found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    found_by: Vec<Identity>,
    /// What was issued: credentials of a role, or of a user.
    of: String,
    /// The account of that.
    of_account: String,
    /// The session's name; empty where it has none.
    pub(super) name: String,
    /// The address that the call came from.
    pub(super) from: String,
    /// The serial number of the MFA device; empty without one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    mfa: String,
    /// What the agent calls its program, of a tool call.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    agent: String,
    /// The tool, of a tool call.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    tool: String,
}

impl Issued {
    /// What a record says, if its call issued credentials to anybody but a service, or code that AWS vouches for, or is an agent's
    /// tool call that made requests; and by what these calls find it.
    pub fn by(record: &Record<'_>) -> Vec<(Identity, Self)> {
        // Most records end here.
        if is_tool_call(record) {
            Self::by_tool(record)
        } else if may_issue(record) {
            Self::credentials(record).into_iter().collect()
        } else {
            Vec::new()
        }
    }

    /// What a tool call of an agent says of the requests that it made: of a few, each with the same.
    fn by_tool(record: &Record<'_>) -> Vec<(Identity, Self)> {
        let caller = Caller::read(record.user_identity);
        let Some(arn) = caller.arn.as_deref() else { return Vec::new() };
        let tool = record.request_parameters.get("params").and_then(|it| it.get("name")?.text());
        let text = |raw: Raw<'_>, longest| raw.text().map(|text| clean(&text, longest)).unwrap_or_default();
        let issued = Self {
            agent: text(record.user_agent, 64),
            tool: clean(&tool.unwrap_or_default(), 64),
            ..Self::of_caller(record, &caller)
        };
        let made = record.additional_event_data.get("downstreamRequests").unwrap_or_default();
        let requests = made.elements().flatten().filter_map(|it| it.get("requestId")?.text());
        let of_request = |request: std::borrow::Cow<'_, str>| Identity::of_request(arn, &request);
        requests.take(REQUESTS).map(|request| (of_request(request), issued.clone())).collect()
    }

    /// What a record says of the caller.
    fn of_caller(record: &Record<'_>, caller: &Caller<'_>) -> Self {
        let text = |raw: Raw<'_>, longest| raw.text().map(|text| clean(&text, longest)).unwrap_or_default();
        let account =
            caller.account_id.as_deref().or_else(|| Some(Arn::split(caller.arn.as_deref()?)?.account));
        Self {
            at: record.event_time.text().and_then(|time| Time::parse(&time)),
            how: clean(&Action::of(record).name, 64),
            caller: record.user_identity.get("type").map(|kind| text(kind, 64)).unwrap_or_default(),
            by: by(record, caller),
            arn: caller.arn.as_deref().map(|arn| clean(arn, 256)).unwrap_or_default(),
            account: account.map(|account| clean(account, 32)).unwrap_or_default(),
            from: text(record.source_ip_address, 64),
            ..Self::default()
        }
    }

    fn credentials(record: &Record<'_>) -> Option<(Identity, Self)> {
        let caller = Caller::read(record.user_identity);
        let of_code = caller.kind == IdentityType::WebIdentityUser
            && caller.web_provider().is_some_and(vouches_for_code);
        let through = caller.invoking_service().is_some_and(is_used_by_people);
        if (caller.is_service() && !through) || of_code {
            return None;
        }
        let action = Action::of(record);
        let given = Given::of(record, &caller, &action)?;
        let caller = switched_from(record).unwrap_or(caller);
        let arn = Arn::split(&given.arn)?;
        let mfa = record.request_parameters.get("serialNumber").and_then(Raw::text);
        let issued = Self {
            session: session_of(&caller),
            found_by: found_by(record, &caller),
            of: clean(arn.resource.split('/').nth(1).unwrap_or(arn.resource), 128),
            of_account: clean(arn.account, 32),
            name: given.name.map(|name| clean(&name, 128)).unwrap_or_default(),
            mfa: mfa.map(|mfa| clean(&mfa, 256)).unwrap_or_default(),
            ..Self::of_caller(record, &caller)
        };
        Some((given.who, issued))
    }

    /// By what the issue of the caller's own credentials is found.
    pub(super) fn sessions(&self) -> impl Iterator<Item = &Identity> {
        self.session.iter().chain(&self.found_by)
    }

    /// When a session's call was made, if it could be issued before.
    pub(super) fn is_before(&self, used: Option<Time>) -> bool {
        used.is_none() || self.at <= used
    }

    /// Whether the record tells more of the caller than its account: of a call into another account there are two records.
    pub(super) fn names_caller(&self) -> bool {
        self.caller != "AWSAccount"
    }

    /// Who had a tool make a request, and from where.
    pub(super) fn through(&self) -> String {
        let Self { by, agent, tool, from, .. } = self;
        let agent = if agent.is_empty() { "an agent" } else { agent };
        let tool = if tool.is_empty() { &self.how } else { tool };
        let from = if from.is_empty() { String::new() } else { format!(", from {from}") };
        let at = self.at.map(|at| format!(" at {at}")).unwrap_or_default();
        format!("{by} through {agent} (as it says), tool {tool}{from}{at}")
    }

    /// What the caller did.
    pub(super) fn did(&self) -> String {
        let of = if self.of_account == self.account || self.of_account.is_empty() {
            String::new()
        } else {
            format!(" of account {}", self.of_account)
        };
        let did = match &*self.how {
            "GetFederationToken" => "requested a federation token".to_owned(),
            "GetSessionToken" => "requested a session token".to_owned(),
            "AssumeRoot" => format!("assumed root{of}"),
            "CreateAccessKey" => format!("created an access key of user {}", self.of),
            "CreateLoginProfile" => format!("set the password of user {}", self.of),
            "UpdateLoginProfile" => format!("changed the login profile of user {}", self.of),
            "CreateOAuth2Token" => "signed in for the command line (aws login)".to_owned(),
            "GetAccessToken" => "got credentials of an approved access request (Systems Manager)".to_owned(),
            "SwitchRole" => format!("switched to role {}{of} in the console", self.of),
            _ => format!("assumed role {}{of}", self.of),
        };
        if self.mfa.is_empty() { did } else { format!("{did} with MFA device {}", self.mfa) }
    }
}

/// Who a caller is, in words.
fn by(record: &Record<'_>, caller: &Caller<'_>) -> String {
    let last = |text: &str, longest| clean(text.rsplit(['/', ':']).next().unwrap_or(text), longest);
    let arn = caller.arn.as_deref();
    let user =
        || caller.user_name.as_deref().or(arn).map_or_else(|| "unknown".to_owned(), |it| last(it, 128));
    let account = || clean(caller.account_id.as_deref().unwrap_or("that the record doesn't name"), 32);
    // What a provider says of somebody may have any form.
    let subject =
        || clean(caller.user_name.as_deref().or(caller.principal_id.as_deref()).unwrap_or("unknown"), 128);
    match caller.kind {
        IdentityType::AssumedRole => role(caller),
        IdentityType::IamUser => format!("{} (IAM user)", user()),
        IdentityType::Root => format!("root of account {}", account()),
        IdentityType::FederatedUser => {
            let issuer =
                caller.issuer_arn.as_deref().map_or_else(|| "unknown".to_owned(), |it| last(it, 128));
            let name = arn.map(|arn| last(arn, 64)).unwrap_or_default();
            format!("{issuer} (as federated user {name})")
        }
        IdentityType::SamlUser => {
            let asked = record.request_parameters.get("principalArn").and_then(Raw::text);
            let provider = asked.as_deref().or(caller.identity_provider.as_deref()).unwrap_or("unknown");
            format!(
                "{} (SAML provider {})",
                subject(),
                clean(provider.rsplit('/').next().unwrap_or(provider), 128)
            )
        }
        IdentityType::WebIdentityUser => {
            format!(
                "{} (web identity of {})",
                subject(),
                clean(caller.web_provider().unwrap_or("an unknown provider"), 128)
            )
        }
        IdentityType::AwsAccount => format!("an identity of account {}", account()),
        // The service's record doesn't name the person ("account access manager").
        IdentityType::AwsService => {
            format!("a person through {}", clean(caller.invoked_by.as_deref().unwrap_or("a service"), 64))
        }
        IdentityType::IdentityCenterUser => {
            format!(
                "{} (user of IAM Identity Center)",
                clean(caller.on_behalf_of.as_deref().unwrap_or("unknown"), 128)
            )
        }
        _ => user(),
    }
}

/// Whose a role's session is, as far as its own record says.
fn role(caller: &Caller<'_>) -> String {
    let Some((role, name)) = caller.assumed_role() else {
        return clean(caller.arn.as_deref().unwrap_or("a role"), 256);
    };
    if let Some((set, user)) = caller.permission_set() {
        return format!("{} (permission set {})", clean(user, 128), clean(set, 64));
    }
    let role = clean(role, 128);
    if let Some(service) = compute_service(caller) {
        return format!("role {role} (credentials that AWS gave to {service})");
    }
    match caller.source() {
        Some(source) => format!("{} (sourceIdentity, in role {role})", clean(source, 128)),
        None if name.is_empty() => format!("role {role}"),
        None => format!("role {role} (session name {}, chosen by the caller)", clean(name, 128)),
    }
}

/// What is known of who issued which sessions: a set, whichever record comes first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(BTreeMap<Identity, BTreeSet<Issued>>);

impl Origins {
    /// Adds what a record says of a session.
    pub fn add(&mut self, session: Identity, issued: Issued) {
        self.0.entry(session).or_default().insert(issued);
    }

    /// What is known of a session.
    pub fn of(&self, session: &Identity) -> impl Iterator<Item = &Issued> {
        self.0.get(session).into_iter().flatten()
    }

    /// The sessions that these were issued in, of which nothing is known yet.
    pub fn issuers(&self) -> BTreeSet<Identity> {
        let issuers = self.0.values().flatten().flat_map(Issued::sessions);
        issuers.filter(|session| !self.0.contains_key(session)).cloned().collect()
    }
}

#[cfg(test)]
mod tests;
