//! Records as CloudTrail writes them, as text: what a test is about, and of all else what every record has.

use std::fmt;

use handsoff_cloudtrail::{Entry, Record};
use handsoff_core::{Call, Policy, Trace};

/// The account of all that doesn't name another.
pub const ACCOUNT: &str = "111122223333";

/// A record of a call.
#[derive(Clone, Debug)]
pub struct RecordBuilder {
    action: String,
    identity: String,
    id: String,
    time: String,
    region: String,
    address: String,
    agent: String,
    rest: String,
}

/// A record of a call of `service:Name` by an identity, which is JSON.
pub fn record(action: &str, identity: impl fmt::Display) -> RecordBuilder {
    RecordBuilder {
        action: action.to_owned(),
        identity: identity.to_string(),
        id: "1".into(),
        time: "2026-03-14T02:00:00Z".into(),
        region: "eu-central-1".into(),
        address: "192.0.2.7".into(),
        agent: "u".into(),
        rest: String::new(),
    }
}

impl RecordBuilder {
    /// With this event ID.
    #[must_use]
    pub fn id(mut self, id: impl fmt::Display) -> Self {
        self.id = id.to_string();
        self
    }

    /// At this time.
    #[must_use]
    pub fn at(mut self, time: impl fmt::Display) -> Self {
        self.time = time.to_string();
        self
    }

    /// In this Region.
    #[must_use]
    pub fn region(mut self, region: &str) -> Self {
        region.clone_into(&mut self.region);
        self
    }

    /// From this address, by a program of this name. A service that acts for a role has its name for both.
    #[must_use]
    pub fn from(mut self, address: &str, agent: &str) -> Self {
        address.clone_into(&mut self.address);
        agent.clone_into(&mut self.agent);
        self
    }

    /// With these fields besides, each with a comma before it: `,"readOnly":true`.
    #[must_use]
    pub fn with(mut self, fields: &str) -> Self {
        self.rest.push_str(fields);
        self
    }
}

/// Its JSON.
impl fmt::Display for RecordBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { action, identity, id, time, region, address, agent, rest } = self;
        let (service, name) = action.split_once(':').unwrap();
        write!(
            f,
            r#"{{"eventVersion":"1.11","eventID":"{id}","eventTime":"{time}","eventSource":"{service}.amazonaws.com","eventName":"{name}",
            "awsRegion":"{region}","sourceIPAddress":"{address}","userAgent":"{agent}","recipientAccountId":"{ACCOUNT}",
            "userIdentity":{identity}{rest}}}"#
        )
    }
}

/// An IAM user.
pub fn user(name: &str) -> String {
    let arn = format!("arn:aws:iam::{ACCOUNT}:user/{name}");
    format!(r#"{{"type":"IAMUser","arn":"{arn}","accountId":"{ACCOUNT}","userName":"{name}"}}"#)
}

/// The account's root.
pub fn root() -> String {
    format!(r#"{{"type":"Root","arn":"arn:aws:iam::{ACCOUNT}:root","accountId":"{ACCOUNT}"}}"#)
}

/// A role's session: its identity, as its calls have it.
#[derive(Clone, Debug)]
pub struct SessionBuilder {
    role: String,
    name: String,
    key: String,
    began: String,
    mfa: Option<bool>,
}

/// A session of a role under a name, which began an hour before [`record`]'s time.
pub fn session(role: &str, name: &str) -> SessionBuilder {
    let (role, name) = (role.to_owned(), name.to_owned());
    SessionBuilder { role, name, key: "ASIA1".into(), began: "2026-03-14T01:00:00Z".into(), mfa: None }
}

impl SessionBuilder {
    /// With this access key.
    #[must_use]
    pub fn key(mut self, key: &str) -> Self {
        key.clone_into(&mut self.key);
        self
    }

    /// Begun at this time.
    #[must_use]
    pub fn began(mut self, time: &str) -> Self {
        time.clone_into(&mut self.began);
        self
    }

    /// Begun with a second factor, or without. Else its calls don't say.
    #[must_use]
    pub fn mfa(mut self, used: bool) -> Self {
        self.mfa = Some(used);
        self
    }
}

/// Its JSON.
impl fmt::Display for SessionBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { role, name, key, began, mfa } = self;
        let mfa = mfa.map(|used| format!(r#","mfaAuthenticated":"{used}""#)).unwrap_or_default();
        write!(
            f,
            r#"{{"type":"AssumedRole","arn":"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}","accountId":"{ACCOUNT}",
            "accessKeyId":"{key}","sessionContext":{{"sessionIssuer":{{"type":"Role","arn":"arn:aws:iam::{ACCOUNT}:role/{role}","userName":"{role}"}},
            "attributes":{{"creationDate":"{began}"{mfa}}}}}}}"#
        )
    }
}

/// Reads a record and classifies its call.
pub fn classified<T>(json: &str, policy: &Policy, then: impl FnOnce(&Record<'_>, &Call<'_>) -> T) -> T {
    let Ok((Entry::Record(record), _)) = Record::read(json) else { panic!("no record: {json}") };
    then(&record, &Call::classify(record, policy, &mut Trace::off()))
}
