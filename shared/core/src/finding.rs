//! One verdict on one record.

use std::borrow::Cow;

use handsoff_cloudtrail::{Class, Effect, Record, json::Raw, resources};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::call::{Call, Outcome};
use crate::code::Code;
use crate::copies::{hash, original_id};
use crate::group;
use crate::milestone::Topic;
use crate::policy::Agents;
use crate::principal::Kind;
use crate::severity::Severity;
use crate::show::clean;
use crate::ties::Ties;

/// What makes two deliveries the same event: event ID, time, action, Region, outcome and caller.
///
/// The ID alone would do for CloudTrail. The other fields are in it because hand-made records reuse IDs, and a
/// detector that forgets a record because of an ID that it has seen could be made to forget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key(pub u64);

impl Key {
    /// The key of what is no record, by the digest that names it: [`group::digest`].
    pub fn named(digest: &str) -> Self {
        Self(u64::from_str_radix(digest, 16).unwrap_or_default())
    }

    /// The key of a record. Without an event ID, of the whole record's text.
    pub fn of(record: &Record<'_>) -> Self {
        let Self(seed) = Self::brief(record);
        // A sign-in's outcome stands in no field of its own.
        let seed =
            seed ^ u64::from(record.failed()) ^ record.mfa_used().map_or(0, |used| 2 + 2 * u64::from(used));
        let mut caller = [Raw::default(); 3];
        for (name, value) in record.user_identity.members().flatten() {
            let [arn, kind, service] = &mut caller;
            match &*name {
                "arn" => *arn = value,
                "type" => *kind = value,
                "invokedBy" => *service = value,
                _ => {}
            }
        }
        Self(caller.into_iter().fold(seed, hash))
    }

    /// The same without the caller, for records that lead to nothing and are only counted: it is read from
    /// the record's top level alone.
    pub fn brief(record: &Record<'_>) -> Self {
        if !record.event_id.has_text() {
            return Self(xxh3_64_with_seed(record.text.as_bytes(), 0));
        }
        let Record { event_time, event_source, event_name, aws_region, .. } = *record;
        // A corrected record is the same event as its original.
        let event_id = original_id(record).unwrap_or(record.event_id);
        let fields = [
            event_id,
            event_time,
            event_source,
            event_name,
            aws_region,
            record.error_code,
            record.error_message,
        ];
        Self(fields.into_iter().fold(0, hash))
    }
}

/// Who acted, as a finding tells it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Who {
    /// What the identity is to the team.
    pub kind: Kind,
    /// The ARN of the role or user; empty when the record has none.
    pub arn: String,
    /// A short name.
    pub name: String,
    /// The human behind it, as far as the record says.
    pub human: Option<String>,
}

/// One verdict on one record. What is said of a break-glass session as a whole is a [`crate::SessionVerdict`]. All text in
/// it is shortened and harmless to show; see [`crate::show`].
///
/// The order of findings as such is arbitrary. It is there to choose one and the same of two that hand-made
/// logs give the same key; see [`Finding::order`] for the order of output.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Finding {
    /// What kind of finding it is.
    pub code: Code,
    /// How urgent it is.
    pub severity: Severity,
    /// The incident that it belongs to.
    pub incident: String,
    /// CloudTrail's ID of the event; empty when the record has none.
    pub event_id: String,
    /// When it happened, UTC; `None` when the record doesn't say.
    pub event_time: Option<String>,
    /// The account whose role or resource was reached for; else the one that the record was written for.
    pub account: String,
    /// The Region.
    pub region: String,
    /// What was called, `service:Name`.
    pub action: String,
    /// The action's access level.
    pub access: Cow<'static, str>,
    /// What kind of change it is; `None` for what is ordinary, and for what changed nothing.
    #[serde(default)]
    pub class: Option<Class>,
    /// The error code, when the call failed.
    pub error: Option<String>,
    /// Who acted.
    pub principal: Who,
    /// How the call came in: a label.
    pub via: String,
    /// Where it came from: an address, or a service's name.
    pub source_ip: String,
    /// What the caller calls its program.
    pub user_agent: String,
    /// Whether the session used MFA; `None` where the record can't prove either.
    pub mfa: Option<bool>,
    /// What was touched.
    pub resources: Vec<String>,
    /// Why it is a finding, in plain words, with the line of the policy that decided.
    pub reason: String,
    /// What to do next.
    pub next: Cow<'static, str>,
    /// What makes deliveries of the same event one.
    #[serde(skip)]
    pub key: Key,
    /// The time as a number, for sorting.
    #[serde(skip)]
    pub time: Option<handsoff_cloudtrail::Time>,
    /// When it could be known, by the time of events: a denied call is one of many only when the others came.
    #[serde(skip)]
    pub known: Option<handsoff_cloudtrail::Time>,
    /// Which identities it ties to other incidents. Not shown: of access keys it has digests.
    #[serde(skip)]
    pub ties: Ties,
}

impl Finding {
    /// The finding on a call.
    pub fn new(call: &Call<'_>, code: Code, severity: Severity, reason: String) -> Self {
        let record = &call.record;
        let text = |raw: Raw<'_>, longest| raw.text().map(|text| clean(&text, longest)).unwrap_or_default();
        let principal = &call.principal;
        Self {
            code,
            severity: call.raised.as_ref().map_or(severity, |agents| severity.max(agents.at_least)),
            incident: group::incident_id(call, code),
            event_id: text(record.event_id, 64),
            event_time: call.time.map(|time| time.to_string()),
            account: call.door().map(|account| clean(&account, 32)).unwrap_or_default(),
            region: text(record.aws_region, 32),
            action: clean(&call.action.to_string(), 128),
            access: call.access().as_str().into(),
            class: class(call, code),
            error: call.outcome.error().map(|code| clean(code, 64)),
            principal: Who {
                kind: principal.kind,
                arn: principal.arn.as_deref().map(|arn| clean(arn, 256)).unwrap_or_default(),
                name: principal.name(),
                human: principal.human(),
            },
            via: clean(&call.via(), 64),
            source_ip: text(record.source_ip_address, 64),
            user_agent: text(record.user_agent, 160),
            mfa: call.mfa(),
            resources: resources::of(record, 8).iter().map(|resource| clean(resource, 256)).collect(),
            reason: [Some(reason), delegated(call), raised(call, severity)]
                .into_iter()
                .flatten()
                .collect::<Vec<String>>()
                .join(" "),
            next: code.next_step().into(),
            key: Key::of(record),
            time: call.time,
            known: call.time,
            ties: Ties::of(call),
        }
    }

    /// What it is counted by.
    pub fn topic(&self) -> Topic {
        Topic { code: self.code, class: self.class }
    }

    /// By time, then by key: the order of every output.
    pub fn order(&self) -> (Option<handsoff_cloudtrail::Time>, Key, Code) {
        (self.time, self.key, self.code)
    }
}

/// For whom a product provider's call was made, in words.
fn delegated(call: &Call<'_>) -> Option<String> {
    let account = call.principal.identity.delegate.as_deref()?;
    Some(format!("The account {} acted here, under a delegation.", clean(account, 32)))
}

/// Why a change by an agent is more urgent than it would be otherwise, in words.
fn raised(call: &Call<'_>, severity: Severity) -> Option<String> {
    let Agents { line, at_least } = call.raised.as_ref().filter(|agents| agents.at_least > severity)?;
    let agent = call.agent()?;
    Some(format!("An agent made the change ({agent}), which is at least {at_least} by {line}."))
}

/// What kind of change a finding is about: none where nothing was changed.
fn class(call: &Call<'_>, code: Code) -> Option<Class> {
    match code.row().class {
        Some(class) => Some(class),
        _ if call.outcome != Outcome::Succeeded || call.takes_break_glass() => None,
        // AWS files a few ways in under Read.
        _ if call.effect == Effect::Reads => call.class().filter(|class| class.is_grave()),
        _ => call.class(),
    }
}
