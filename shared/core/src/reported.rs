//! What is reported: a finding on a call, or a verdict on a session as a whole.

use handsoff_cloudtrail::Time;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::code::Code;
use crate::finding::{Finding, Key, Who};
use crate::milestone::Reach;
use crate::session_verdict::SessionVerdict;
use crate::severity::Severity;
use crate::ties::Ties;

/// Either of both, where they travel together. A code is of one of them: its row's scope says of which.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reported {
    /// A finding on a call.
    Call(Finding),
    /// A verdict on a session as a whole.
    Session(SessionVerdict),
}

/// The same, borrowed: what both have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportedRef<'r> {
    /// A finding on a call.
    Call(&'r Finding),
    /// A verdict on a session as a whole.
    Session(&'r SessionVerdict),
}

impl Reported {
    /// The same, borrowed.
    pub fn as_ref(&self) -> ReportedRef<'_> {
        match self {
            Self::Call(finding) => ReportedRef::Call(finding),
            Self::Session(verdict) => ReportedRef::Session(verdict),
        }
    }

    /// The finding, if it is on a call.
    pub fn call(&self) -> Option<&Finding> {
        self.as_ref().call()
    }

    /// The same, given away.
    pub fn into_call(self) -> Option<Finding> {
        match self {
            Self::Call(finding) => Some(finding),
            Self::Session(_) => None,
        }
    }

    /// Says when it could be known.
    pub fn set_known(&mut self, at: Option<Time>) {
        match self {
            Self::Call(finding) => finding.known = at,
            Self::Session(verdict) => verdict.known = at,
        }
    }

    /// Says why it is reported.
    pub fn set_reason(&mut self, why: String) {
        match self {
            Self::Call(finding) => finding.reason = why,
            Self::Session(verdict) => verdict.reason = why,
        }
    }

    /// The same with what its JSON doesn't show.
    #[must_use]
    pub fn with(mut self, hidden: Hidden) -> Self {
        let Hidden { key, time, known, ties } = hidden;
        match &mut self {
            Self::Call(it) => (it.key, it.time, it.known, it.ties) = (key, time, known, ties),
            Self::Session(it) => (it.key, it.time, it.known, it.ties) = (key, time, known, ties),
        }
        self
    }
}

/// What the JSON of a finding or verdict doesn't show.
#[derive(Clone, Debug)]
pub struct Hidden {
    /// What makes deliveries of the same one.
    pub key: Key,
    /// The time as a number.
    pub time: Option<Time>,
    /// When it could be known.
    pub known: Option<Time>,
    /// Which identities it ties to other incidents.
    pub ties: Ties,
}

impl<'r> ReportedRef<'r> {
    /// The same, owned.
    pub fn cloned(self) -> Reported {
        match self {
            Self::Call(finding) => Reported::Call(finding.clone()),
            Self::Session(verdict) => Reported::Session(verdict.clone()),
        }
    }

    /// The finding, if it is on a call.
    pub fn call(self) -> Option<&'r Finding> {
        match self {
            Self::Call(finding) => Some(finding),
            Self::Session(_) => None,
        }
    }

    /// What kind it is.
    pub fn code(self) -> Code {
        match self {
            Self::Call(finding) => finding.code,
            Self::Session(verdict) => verdict.code,
        }
    }

    /// Adds it to what alerts depend on.
    pub fn count_in(self, reach: &mut Reach) {
        match self {
            Self::Call(finding) => reach.add(finding.topic(), finding.severity),
            Self::Session(verdict) => reach.add_verdict(verdict.code, verdict.severity),
        }
    }

    /// How urgent it is.
    pub fn severity(self) -> Severity {
        match self {
            Self::Call(finding) => finding.severity,
            Self::Session(verdict) => verdict.severity,
        }
    }

    /// The incident that it belongs to.
    pub fn incident(self) -> &'r str {
        match self {
            Self::Call(finding) => &finding.incident,
            Self::Session(verdict) => &verdict.incident,
        }
    }

    /// CloudTrail's ID of the event; empty when the record has none, and of a session.
    pub fn event_id(self) -> &'r str {
        self.call().map_or("", |finding| &finding.event_id)
    }

    /// When it happened, UTC; `None` when the record doesn't say.
    pub fn event_time(self) -> Option<&'r str> {
        match self {
            Self::Call(finding) => finding.event_time.as_deref(),
            Self::Session(verdict) => verdict.when.as_deref(),
        }
    }

    /// The account.
    pub fn account(self) -> &'r str {
        match self {
            Self::Call(finding) => &finding.account,
            Self::Session(verdict) => &verdict.account,
        }
    }

    /// The Region.
    pub fn region(self) -> &'r str {
        match self {
            Self::Call(finding) => &finding.region,
            Self::Session(verdict) => &verdict.region,
        }
    }

    /// What was called, `service:Name`; empty of a session.
    pub fn action(self) -> &'r str {
        self.call().map_or("", |finding| &finding.action)
    }

    /// The action's access level; empty of a session.
    pub fn access(self) -> &'r str {
        self.call().map_or("", |finding| &finding.access)
    }

    /// Who acted, or whose session it is.
    pub fn principal(self) -> &'r Who {
        match self {
            Self::Call(finding) => &finding.principal,
            Self::Session(verdict) => &verdict.principal,
        }
    }

    /// How the call, or the session's first, came in.
    pub fn via(self) -> &'r str {
        match self {
            Self::Call(finding) => &finding.via,
            Self::Session(verdict) => &verdict.client.via,
        }
    }

    /// Where it came from: an address, or a service's name.
    pub fn source_ip(self) -> &'r str {
        match self {
            Self::Call(finding) => &finding.source_ip,
            Self::Session(verdict) => &verdict.client.source_ip,
        }
    }

    /// What the caller calls its program.
    pub fn user_agent(self) -> &'r str {
        match self {
            Self::Call(finding) => &finding.user_agent,
            Self::Session(verdict) => &verdict.client.user_agent,
        }
    }

    /// Whether the session used MFA; `None` where the record can't prove either.
    pub fn mfa(self) -> Option<bool> {
        match self {
            Self::Call(finding) => finding.mfa,
            Self::Session(verdict) => verdict.client.mfa,
        }
    }

    /// What was touched; of a session the emergency identity.
    pub fn resources(self) -> Vec<&'r str> {
        match self {
            Self::Call(finding) => finding.resources.iter().map(String::as_str).collect(),
            Self::Session(verdict) if verdict.identity.is_empty() => Vec::new(),
            Self::Session(verdict) => vec![&verdict.identity],
        }
    }

    /// Why it is reported, in plain words.
    pub fn reason(self) -> &'r str {
        match self {
            Self::Call(finding) => &finding.reason,
            Self::Session(verdict) => &verdict.reason,
        }
    }

    /// What to do next.
    pub fn next(self) -> &'r str {
        match self {
            Self::Call(finding) => &finding.next,
            Self::Session(verdict) => &verdict.next,
        }
    }

    /// What makes deliveries of the same one.
    pub fn key(self) -> Key {
        match self {
            Self::Call(finding) => finding.key,
            Self::Session(verdict) => verdict.key,
        }
    }

    /// The time as a number, for sorting.
    pub fn time(self) -> Option<Time> {
        match self {
            Self::Call(finding) => finding.time,
            Self::Session(verdict) => verdict.time,
        }
    }

    /// When it could be known, by the time of events.
    pub fn known(self) -> Option<Time> {
        match self {
            Self::Call(finding) => finding.known,
            Self::Session(verdict) => verdict.known,
        }
    }

    /// Which identities it ties to other incidents.
    pub fn ties(self) -> &'r Ties {
        match self {
            Self::Call(finding) => &finding.ties,
            Self::Session(verdict) => &verdict.ties,
        }
    }

    /// By time, then by key: the order of every output.
    pub fn order(self) -> (Option<Time>, Key, Code) {
        (self.time(), self.key(), self.code())
    }
}

/// By the scope of the code's row.
impl From<Finding> for Reported {
    fn from(finding: Finding) -> Self {
        if finding.code.is_about_session() {
            Self::Session(SessionVerdict::of_form(finding))
        } else {
            Self::Call(finding)
        }
    }
}

/// By the scope of the code's row: what is said of a session under a code of calls counts as a finding on one.
impl From<SessionVerdict> for Reported {
    fn from(verdict: SessionVerdict) -> Self {
        if verdict.code.is_about_session() { Self::Session(verdict) } else { Self::Call(verdict.into_form()) }
    }
}

impl<'r> From<&'r Finding> for ReportedRef<'r> {
    fn from(finding: &'r Finding) -> Self {
        Self::Call(finding)
    }
}

impl<'r> From<&'r SessionVerdict> for ReportedRef<'r> {
    fn from(verdict: &'r SessionVerdict) -> Self {
        Self::Session(verdict)
    }
}

impl<'r> From<&'r Reported> for ReportedRef<'r> {
    fn from(reported: &'r Reported) -> Self {
        reported.as_ref()
    }
}

impl Serialize for ReportedRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Call(finding) => finding.serialize(serializer),
            Self::Session(verdict) => verdict.serialize(serializer),
        }
    }
}

impl Serialize for Reported {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_ref().serialize(serializer)
    }
}

/// Both have the form of a finding where they are stored.
impl<'de> Deserialize<'de> for Reported {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Finding::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests;
