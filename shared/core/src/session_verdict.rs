//! One verdict on a break-glass session as a whole.

use std::borrow::Cow;

use handsoff_cloudtrail::Time;
use serde::{Serialize, Serializer};

use crate::code::{Code, Scope};
use crate::finding::{Finding, Key, Who};
use crate::group;
use crate::severity::Severity;
use crate::ties::Ties;

/// How a session's first call came in.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Client {
    /// A label.
    pub via: String,
    /// Where it came from: an address, or a service's name.
    pub source_ip: String,
    /// What the caller calls its program.
    pub user_agent: String,
    /// Whether the session used MFA; `None` where the record can't prove either.
    pub mfa: Option<bool>,
}

/// One verdict on a break-glass session as a whole, or on an emergency identity that no session was opened with for too
/// long: it is on no call. All text in it is shortened and harmless to show; see [`crate::show`].
///
/// The order of verdicts as such is arbitrary, as that of findings is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionVerdict {
    /// What kind of verdict it is.
    pub code: Code,
    /// How urgent it is.
    pub severity: Severity,
    /// The session's incident.
    pub incident: String,
    /// When the session began or ended, or since when a drill is due, UTC; `None` when no record says.
    pub when: Option<String>,
    /// The account of the emergency identity.
    pub account: String,
    /// The Region of the session's first call.
    pub region: String,
    /// Whose session it is.
    pub principal: Who,
    /// How its first call came in; nothing for a drill that is due.
    pub client: Client,
    /// The emergency identity; empty where nothing may be shown that a caller may have chosen.
    pub identity: String,
    /// Why it is the verdict, in plain words, with the line of the policy that decided.
    pub reason: String,
    /// What to do next.
    pub next: Cow<'static, str>,
    /// What makes two verdicts of one code on one session the same.
    pub key: Key,
    /// The time as a number, for sorting.
    pub time: Option<Time>,
    /// When it could be known, by the time of events.
    pub known: Option<Time>,
    /// Which identities it ties to other incidents: those of the session's first call.
    pub ties: Ties,
}

impl SessionVerdict {
    /// The verdict on the session of an emergency identity. Whose session it is, and where it comes from, is as its first
    /// call says.
    pub fn on(first: &Finding, identity: &str, code: Code, severity: Severity, reason: String) -> Self {
        let Finding { incident, account, region, principal, ties, .. } = first;
        Self {
            code,
            severity,
            incident: incident.clone(),
            when: first.event_time.clone(),
            account: account.clone(),
            region: region.clone(),
            principal: principal.clone(),
            client: Client {
                via: first.via.clone(),
                source_ip: first.source_ip.clone(),
                user_agent: first.user_agent.clone(),
                mfa: first.mfa,
            },
            identity: identity.to_owned(),
            reason,
            next: code.next_step().into(),
            key: Key::named(&group::digest(&[incident, code.as_str()])),
            time: first.time,
            known: first.known,
            ties: ties.clone(),
        }
    }

    /// Whether it is that the session is over.
    pub fn is_end(&self) -> bool {
        self.code.row().scope == Scope::SessionEnd
    }

    /// By time, then by key: the order of every output.
    pub fn order(&self) -> (Option<Time>, Key, Code) {
        (self.time, self.key, self.code)
    }

    /// One in the form in which it is stored and written.
    pub(crate) fn of_form(form: Finding) -> Self {
        let Finding { via, source_ip, user_agent, mfa, .. } = form;
        Self {
            code: form.code,
            severity: form.severity,
            incident: form.incident,
            when: form.event_time,
            account: form.account,
            region: form.region,
            principal: form.principal,
            client: Client { via, source_ip, user_agent, mfa },
            identity: form.resources.into_iter().next().unwrap_or_default(),
            reason: form.reason,
            next: form.next,
            key: form.key,
            time: form.time,
            known: form.known,
            ties: form.ties,
        }
    }

    /// The form in which it is stored and written: that of a finding, with nothing in what only a call has.
    pub(crate) fn into_form(self) -> Finding {
        let Client { via, source_ip, user_agent, mfa } = self.client;
        Finding {
            code: self.code,
            severity: self.severity,
            incident: self.incident,
            event_id: String::new(),
            event_time: self.when,
            account: self.account,
            region: self.region,
            action: String::new(),
            access: "".into(),
            class: None,
            error: None,
            principal: self.principal,
            via,
            source_ip,
            user_agent,
            mfa,
            resources: Some(self.identity).into_iter().filter(|identity| !identity.is_empty()).collect(),
            reason: self.reason,
            next: self.next,
            key: self.key,
            time: self.time,
            known: self.known,
            ties: self.ties,
        }
    }
}

impl Serialize for SessionVerdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.clone().into_form().serialize(serializer)
    }
}
