//! What a call has to do with a story: what it is made as, and what it makes.

use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::partition::is_sign_in;
use handsoff_cloudtrail::{Arn, Identity as Caller, Record, Time, is_long_lived, is_through_mcp_server};
use serde::{Deserialize, Serialize};

use crate::call::{Call, Outcome};
use crate::group;
use crate::principal::compute_service;
use crate::show::clean;

/// What a call is made as, and what a call makes: a user, a role, or an access key of a user.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Identity {
    account: String,
    name: String,
    /// A digest of the access key, which is not shown; empty of a user and a role.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    key: String,
}

impl Identity {
    /// A name that no other has.
    pub fn id(&self) -> String {
        group::digest(&[&self.account, &self.name, &self.key])
    }

    /// The user or role.
    fn of(account: &str, kind: &str, name: &str) -> Self {
        Self { account: clean(account, 32), name: format!("{kind} {}", clean(name, 128)), key: String::new() }
    }

    /// The session of a role or user that has this key.
    fn of_session(account: &str, resource: &str, key: &str) -> Self {
        let name = format!("session {}", clean(resource, 256));
        Self { account: clean(account, 32), name, key: group::digest(&["session key", key]) }
    }

    /// Credentials of which only the key is known, not whose they are.
    pub(crate) fn of_key(key: &str) -> Self {
        Self::of_nobody("credentials", group::digest(&["session key", key]))
    }

    /// The session that a sign-in made, by its ARN.
    pub(crate) fn of_sign_in(arn: &str) -> Self {
        Self::of_nobody("sign-in session", group::digest(&["sign-in session", arn]))
    }

    /// A request that an agent's tool made as this identity, by AWS's ID of it.
    pub(crate) fn of_request(arn: &str, request: &str) -> Self {
        Self::of_nobody("request", group::digest(&["request", arn, request]))
    }

    fn of_nobody(name: &str, key: String) -> Self {
        Self { account: String::new(), name: name.to_owned(), key }
    }

    /// The console's session of a role that began at this second: each of its requests has another key.
    pub(crate) fn of_console(arn: &str, began: Time) -> Option<Self> {
        let Arn { account, resource, .. } = Arn::split(arn)?;
        let key = group::digest(&["console session", &began.to_string()]);
        Some(Self { key, ..Self::of_session(account, resource, "") })
    }

    /// An access key of a user.
    pub(crate) fn of_user_key(account: &str, user: &str, key: &str) -> Self {
        Self::of(account, "user", user).with_key(key)
    }

    /// The password of a user.
    pub(crate) fn of_password(account: &str, user: &str) -> Self {
        Self::of(account, "password of user", user)
    }

    fn with_key(self, key: &str) -> Self {
        Self { key: group::digest(&["access key", key]), ..self }
    }
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let of = if self.key.is_empty() { "" } else { "an access key of " };
        write!(f, "{of}{}", self.name)
    }
}

/// What a finding has to do with a story.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Ties {
    /// What its call was made as: the user or role, and the user's access key.
    pub(crate) acts: Vec<Identity>,
    /// What its call made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) makes: Option<Identity>,
    /// The session that its call was made in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) session: Option<Identity>,
    /// By what else the issue of its credentials is found, the surest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) found_by: Vec<Identity>,
    /// The session's name, where that alone names a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) chosen: Option<String>,
    /// The request, if AWS's MCP server made it: an agent's tool call names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) request: Option<Identity>,
}

impl Ties {
    /// That of a call.
    pub fn of(call: &Call<'_>) -> Self {
        let makes = makes(call).filter(|_| call.outcome == Outcome::Succeeded);
        let caller = &call.principal.identity;
        let (session, found_by) = (session_of(caller), found_by(&call.record, caller));
        let request = request(&call.record, caller);
        Self { acts: acts(call), makes, session, found_by, chosen: chosen(call), request }
    }

    /// As what its call was made that another call may have made lately: not a role that Identity Center gives to people.
    pub fn may_be_made(&self) -> impl Iterator<Item = &Identity> {
        self.acts.iter().filter(|who| !who.name.starts_with("role AWSReservedSSO_"))
    }

    /// By what the issue of its call's credentials is found: its session, and else.
    pub fn sessions(&self) -> impl Iterator<Item = &Identity> {
        self.session.iter().chain(&self.found_by)
    }

    /// All that other records are looked up by.
    pub fn looked_up(&self) -> impl Iterator<Item = &Identity> {
        self.sessions().chain(&self.request)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn acts(call: &Call<'_>) -> Vec<Identity> {
    let principal = &call.principal;
    let Some(arn) = principal.arn.as_deref().and_then(Arn::split) else { return Vec::new() };
    let Some((kind @ ("user" | "role"), path)) = arn.resource.split_once('/') else { return Vec::new() };
    let who = Identity::of(arn.account, kind, path.rsplit('/').next().unwrap_or(path));
    // Keys of sessions are their role's; those of users stay.
    let key = principal.identity.long_lived_key();
    let key = key.filter(|_| kind == "user").map(|key| who.clone().with_key(key));
    [Some(who), key].into_iter().flatten().collect()
}

/// The name of the caller's session, where nothing else says that the caller is a person, and which one.
fn chosen(call: &Call<'_>) -> Option<String> {
    let identity = &call.principal.identity;
    let said =
        identity.source().is_some() || identity.permission_set().is_some() || identity.on_behalf_of.is_some();
    let (_, name) = identity.assumed_role().filter(|(_, name)| !said && !name.is_empty())?;
    call.principal.human().filter(|human| *human == clean(name, 128))
}

fn makes(call: &Call<'_>) -> Option<Identity> {
    let account = call.account()?;
    let asked = |key: &str| call.record.request_parameters.get(key).and_then(Raw::text);
    match &*call.action.to_string() {
        "iam:CreateUser" => Some(Identity::of(&account, "user", &asked("userName")?)),
        "iam:CreateRole" | "iam:AcquireRole" => Some(Identity::of(&account, "role", &asked("roleName")?)),
        "iam:CreateAccessKey" => {
            let made = call.record.response_elements.get("accessKey")?;
            let user = made.get("userName").and_then(Raw::text).or_else(|| asked("userName"))?;
            let key = made.get("accessKeyId").and_then(Raw::text)?;
            Some(Identity::of_user_key(&account, &user, &key))
        }
        _ => None,
    }
}

/// The session that a call was made in, unless its record says itself whose it is.
pub(crate) fn session_of(caller: &Caller<'_>) -> Option<Identity> {
    let key = caller.access_key_id.as_deref().filter(|key| !is_long_lived(key))?;
    let arn = caller.arn.as_deref().filter(|_| !says_whose(caller))?;
    session(arn, key)
}

/// By what else the issue of a caller's credentials is found, the surest first. A user's long-lived key is all that there is of
/// it. Other keys alone, for some records name no more of what they issued; the sign-in; the console's session, of which each
/// request has a key of its own; and last the password that a user signed in with.
pub(crate) fn found_by(record: &Record<'_>, caller: &Caller<'_>) -> Vec<Identity> {
    let arn = caller.arn.as_deref().filter(|_| !says_whose(caller));
    let Some(Arn { account, resource, .. }) = arn.and_then(Arn::split) else { return Vec::new() };
    let key = caller.access_key_id.as_deref();
    let user = resource.strip_prefix("user/").map(|path| path.rsplit('/').next().unwrap_or(path));
    if let Some(key) = key.filter(|key| is_long_lived(key)) {
        return user.map(|user| Identity::of_user_key(account, user, key)).into_iter().collect();
    }
    let login = caller.sign_in_session.as_deref();
    let at_sign_in = record.event_source.text().is_some_and(|source| is_sign_in(&source));
    let console = caller.from_console
        || record.session_credential_from_console.flag() == Some(true)
        || caller.invoked_by.as_deref().is_some_and(is_sign_in)
        || at_sign_in;
    let began = || {
        // A sign-in has no session yet: it is issued at the same second.
        let created = caller.creation_date.as_deref().and_then(Time::parse);
        created.or_else(|| Time::parse(&record.event_time.text()?).filter(|_| at_sign_in))
    };
    let session = arn.filter(|_| console && user.is_none());
    let password = user.filter(|_| console || login.is_some());
    let all = [
        key.map(Identity::of_key),
        login.map(Identity::of_sign_in),
        session.and_then(|arn| Identity::of_console(arn, began()?)),
        password.map(|user| Identity::of_password(account, user)),
    ];
    all.into_iter().flatten().collect()
}

/// The request that AWS's MCP server made with the caller's rights.
fn request(record: &Record<'_>, caller: &Caller<'_>) -> Option<Identity> {
    let arn = caller.arn.as_deref().filter(|_| is_through_mcp_server(record, caller))?;
    Some(Identity::of_request(arn, &record.request_id.text()?))
}

/// Whether a caller's own record says whose the session is: a permission set's, or a machine's.
fn says_whose(caller: &Caller<'_>) -> bool {
    caller.permission_set().is_some() || compute_service(caller).is_some()
}

/// The session of these credentials: its key, as a digest, and whose it is.
pub(crate) fn session(arn: &str, key: &str) -> Option<Identity> {
    let Arn { account, resource, .. } = Arn::split(arn)?;
    Some(Identity::of_session(account, resource, key))
}
