//! What a call has to do with a story: what it is made as, and what it makes.

use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::{Arn, Identity as Caller};
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
    /// The session's name, where that alone names a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) chosen: Option<String>,
}

impl Ties {
    /// That of a call.
    pub fn of(call: &Call<'_>) -> Self {
        let makes = makes(call).filter(|_| call.outcome == Outcome::Succeeded);
        let session = session_of(&call.principal.identity);
        Self { acts: acts(call), makes, session, chosen: chosen(call) }
    }

    /// As what its call was made that another call may have made lately: not a role that Identity Center gives to people.
    pub fn may_be_made(&self) -> impl Iterator<Item = &Identity> {
        self.acts.iter().filter(|who| !who.name.starts_with("role AWSReservedSSO_"))
    }

    /// The session that its call was made in.
    pub fn session(&self) -> Option<&Identity> {
        self.session.as_ref()
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
    let key = principal.identity.access_key_id.as_deref().filter(|key| key.starts_with("AKIA"));
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
        "iam:CreateRole" => Some(Identity::of(&account, "role", &asked("roleName")?)),
        "iam:CreateAccessKey" => {
            let made = call.record.response_elements.get("accessKey")?;
            let user = made.get("userName").and_then(Raw::text).or_else(|| asked("userName"))?;
            let key = made.get("accessKeyId").and_then(Raw::text)?;
            Some(Identity::of(&account, "user", &user).with_key(&key))
        }
        _ => None,
    }
}

/// The session that a call was made in, unless its record says itself whose it is: a permission set's, or a machine's.
pub(crate) fn session_of(caller: &Caller<'_>) -> Option<Identity> {
    let key = caller.access_key_id.as_deref().filter(|key| !key.starts_with("AKIA"))?;
    let own = caller.permission_set().is_some() || compute_service(caller).is_some();
    let arn = caller.arn.as_deref().filter(|_| !own)?;
    session(arn, key)
}

/// The session of these credentials: its key, as a digest, and whose it is.
pub(crate) fn session(arn: &str, key: &str) -> Option<Identity> {
    let Arn { account, resource, .. } = Arn::split(arn)?;
    Some(Identity::of_session(account, resource, key))
}
