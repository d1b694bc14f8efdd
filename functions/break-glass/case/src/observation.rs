//! One call of a session, as it stands in the case file.

use std::collections::BTreeSet;

use handsoff_cloudtrail::{Effect, Time, resources};
use handsoff_core::show::clean;
use handsoff_core::{Call, Code, Finding, Outcome, Severity};
use serde::{Deserialize, Serialize};

use crate::facts::short_key;

/// How many resources of a call are kept.
const RESOURCES: usize = 16;

/// Where a call was learned from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seen {
    /// It came by `EventBridge`, as it happened.
    EventBridge,
    /// CloudTrail's `LookupEvents` reported it, after the session's end.
    LookupEvents,
    /// It stands in saved logs.
    Logs,
}

/// What a call did, or was to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Did {
    /// It changed something.
    Write,
    /// It changed nothing.
    Read,
    /// It signed in, or was a step of that.
    SignIn,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// It did what it was asked.
    Succeeded,
    /// A permission was missing.
    Denied,
    /// It failed otherwise, or was a dry run.
    Failed,
}

/// One call. All text in it is shortened and harmless to show.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Observation {
    /// When, UTC; `None` when the record doesn't say.
    pub time: Option<Time>,
    /// What makes deliveries of the same event one: 16 hexadecimal digits.
    pub key: String,
    /// CloudTrail's ID of the event: where it stands in the account's own trail.
    pub event_id: String,
    /// The account that the record was written for.
    pub account: String,
    /// The Region.
    pub region: String,
    /// `service:Name`.
    pub action: String,
    /// The action's access level.
    pub access: String,
    /// What it did.
    pub did: Did,
    /// How it ended.
    pub ended: Ended,
    /// The error code, when it failed.
    pub error: Option<String>,
    /// Who, in short.
    pub by: String,
    /// The access key's last four characters.
    pub access_key: Option<String>,
    /// Whether it was made with a session that this session took on.
    pub chained: bool,
    /// Whether it let somebody into a machine, to type what CloudTrail doesn't see.
    pub interactive: bool,
    /// How it came in.
    pub via: String,
    /// Which agent made it, as far as the record shows one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// From where.
    pub source_ip: String,
    /// What the caller calls its program.
    pub user_agent: String,
    /// What it touched.
    pub resources: Vec<String>,
    /// What the answer says that it made.
    pub made: Vec<String>,
    /// The verdict.
    pub code: Code,
    /// How urgent it is.
    pub severity: Severity,
    /// Why.
    pub reason: String,
    /// Where it was learned from.
    pub seen: BTreeSet<Seen>,
}

impl Observation {
    /// The observation of a call with its verdict.
    pub fn new(call: &Call<'_>, finding: &Finding, seen: Seen) -> Self {
        let makes = call.outcome == Outcome::Succeeded && crate::verbs::makes(&call.action.name);
        let made = if makes { resources::answered(&call.record, RESOURCES) } else { Vec::new() };
        // An access key's ID is no secret, but is not shown whole either.
        let key = |raw: handsoff_cloudtrail::json::Raw<'_>| raw.text().map(|key| short_key(&key));
        let asked_key = call.record.request_parameters.get("accessKeyId").and_then(key);
        let made_key =
            call.record.response_elements.get("accessKey").and_then(|it| it.get("accessKeyId")).and_then(key);
        let shown = |texts: Vec<String>| texts.iter().map(|text| clean(text, 256)).collect();
        Self {
            time: finding.time,
            key: format!("{:016x}", finding.key.0),
            event_id: finding.event_id.clone(),
            account: finding.account.clone(),
            region: finding.region.clone(),
            action: finding.action.clone(),
            access: finding.access.clone().into_owned(),
            did: match call.effect {
                Effect::Changes => Did::Write,
                Effect::Reads => Did::Read,
                Effect::SignsIn | Effect::SignInPlumbing => Did::SignIn,
            },
            ended: match call.outcome {
                Outcome::Succeeded => Ended::Succeeded,
                Outcome::Denied(_) => Ended::Denied,
                _ => Ended::Failed,
            },
            error: finding.error.clone(),
            by: finding.principal.name.clone(),
            access_key: call
                .principal
                .identity
                .access_key_id
                .as_deref()
                .map(|key| clean(&short_key(key), 16)),
            chained: false,
            interactive: call.action.opens_a_shell(),
            via: finding.via.clone(),
            agent: call.agent().map(|agent| agent.to_string()),
            source_ip: finding.source_ip.clone(),
            user_agent: finding.user_agent.clone(),
            resources: shown(resources::of(&call.record, RESOURCES).into_iter().chain(asked_key).collect()),
            made: shown(made.into_iter().chain(made_key).collect()),
            code: finding.code,
            severity: finding.severity,
            reason: finding.reason.clone(),
            seen: [seen].into(),
        }
    }

    /// The observation of a call that was made with a session which this one took on.
    pub fn chained(call: &Call<'_>, seen: Seen) -> Self {
        let reason = "Made with a role that the session assumed.";
        let activity =
            |severity| Finding::new(call, crate::codes::GLASS_ACTIVITY, severity, reason.to_owned());
        let finding = match (&call.attack, &call.outcome, call.effect) {
            (Some(attack), ..) => {
                handsoff_drift::attack(call, Severity::High, format!("{reason} It {}.", attack.what))
            }
            (_, Outcome::Succeeded, Effect::Changes) => activity(Severity::Medium),
            _ => activity(Severity::Info),
        };
        Self { chained: true, ..Self::new(call, &finding, seen) }
    }

    /// By time, then by key: the order of a case file, and of the keys that it is remembered under.
    pub fn sort(&self) -> String {
        let time = self.time.map_or_else(|| "no-time".to_owned(), |time| time.to_string());
        format!("{time}#{}", self.key)
    }

    /// Takes over what another delivery of the same event says.
    pub fn merge(&mut self, other: Self) {
        let seen: BTreeSet<Seen> = self.seen.union(&other.seen).copied().collect();
        // Of two that differ, the same one stays whichever came first: the worse verdict, else the one that came
        // earliest on its way.
        let rank = |it: &Self| (it.severity, !it.chained, std::cmp::Reverse(it.seen.first().copied()));
        let (mine, others) = (rank(self), rank(&other));
        if (others, &other) > (mine, &*self) {
            *self = other;
        }
        self.seen = seen;
    }
}
