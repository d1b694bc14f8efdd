//! What principals did before: what a role changes every night is no news, nor are the calls that a scanner is denied each
//! time. What one of them does for the first time is.
//!
//! A finding is *repeated* when one of the same principal, action and severity lies in an earlier period of the last
//! 90 days. Of a person's session what is ordinary is repeated when an earlier period of the same session had as much, at
//! most twelve hours before.
//! That is a function of earlier periods' findings: of the same period none takes another's alert away, in whatever order
//! they come. Nothing grave that a person or an unknown identity does is ever repeated, nor is anything of root, of emergency
//! identities, and of attacks.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use handsoff_cloudtrail::{Class, Time, TimeDelta, permission_set_of};

use crate::code::Repeats;
use crate::finding::Finding;
use crate::group;
use crate::milestone::{Period, Topic};
use crate::principal::Kind;
use crate::severity::Severity;

/// So long something of a role, or of denied calls, is remembered.
const MEMORY: TimeDelta = TimeDelta::days(90);

/// The same of a person's session: no session of a role or of the console lasts longer than twelve hours.
const SESSION: TimeDelta = TimeDelta::hours(12);

/// Whose findings are remembered together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// A name that no other has.
    pub name: String,
    /// Whether each action is something else; if not, all that is ordinary is one.
    by_action: bool,
}

impl Subject {
    /// Whose a finding is; `None` where nothing is remembered. The names of sessions, which a caller may choose, make no
    /// difference to a role; the person of a permission set, which people share, does.
    pub fn of(finding: &Finding) -> Option<Self> {
        if !Self::has(finding) {
            return None;
        }
        let who = &finding.principal;
        if finding.code.row().repeats == Repeats::Ordinary && who.kind == Kind::Human {
            return Some(Self { name: finding.incident.clone(), by_action: false });
        }
        // Without an ARN the name is all that there is.
        let name = if who.arn.is_empty() { &who.name } else { &who.arn };
        let shared = who.arn.rsplit('/').next().and_then(permission_set_of).is_some();
        let person = who.human.as_deref().filter(|_| shared).unwrap_or_default();
        let by_resource = finding.code.row().repeats == Repeats::ByResource;
        let resource = finding.resources.first().filter(|_| by_resource);
        let mut parts = vec![finding.code.detector(), &finding.account, name, person];
        parts.extend(resource.map(String::as_str));
        let name = group::digest(&parts);
        Some(Self { name, by_action: true })
    }

    /// How long something of it is remembered.
    pub fn memory(&self) -> TimeDelta {
        if self.by_action { MEMORY } else { SESSION }
    }

    /// Whether it is remembered what each action was new at; of a person's session it isn't.
    pub fn is_by_action(&self) -> bool {
        self.by_action
    }

    /// Whether a finding has a subject.
    pub(crate) fn has(finding: &Finding) -> bool {
        match finding.code.row().repeats {
            Repeats::Never => false,
            Repeats::Ordinary => matches!(finding.principal.kind, Kind::Human | Kind::Unknown),
            Repeats::Always | Repeats::ByResource => true,
        }
    }

    /// What is remembered of a finding; `None` where nothing is.
    fn what(&self, finding: &Brief<'_>) -> Option<String> {
        let Brief { topic, action, severity, .. } = finding;
        match topic.code.row().repeats {
            Repeats::Always | Repeats::ByResource => {}
            Repeats::Ordinary if !topic.class.is_some_and(Class::is_grave) => {}
            Repeats::Ordinary | Repeats::Never => return None,
        }
        Some(if self.by_action { format!("{action} {severity}") } else { severity.to_string() })
    }
}

/// What decides whether a finding is repeated.
#[derive(Clone, Copy, Debug)]
pub struct Brief<'f> {
    /// Its topic.
    pub topic: Topic,
    /// Its action.
    pub action: &'f str,
    /// Its severity.
    pub severity: Severity,
    /// Its time.
    pub time: Option<Time>,
    /// Whose it is, where that is remembered.
    pub subject: Option<&'f Subject>,
}

impl<'f> Brief<'f> {
    /// That of a finding of a subject.
    pub fn of(finding: &'f Finding, subject: &'f Subject) -> Self {
        let Finding { action, severity, time, .. } = finding;
        Self { topic: finding.topic(), action, severity: *severity, time: *time, subject: Some(subject) }
    }

    /// What is remembered of it, of whom and for how long; `None` where nothing is.
    pub fn remembered(&self) -> Option<(&'f Subject, String)> {
        let subject = self.subject?;
        Some((subject, subject.what(self)?))
    }
}

/// What was found of which subject in the periods that begin at these times: a set.
#[derive(Clone, Debug)]
pub struct Earlier {
    length: TimeDelta,
    found: BTreeMap<String, BTreeMap<String, BTreeSet<Time>>>,
}

impl Earlier {
    /// Nothing yet, with periods of this length.
    pub fn new(length: TimeDelta) -> Self {
        Self { length, found: BTreeMap::new() }
    }

    /// The first second of the period that a time lies in.
    pub fn period(length: TimeDelta, time: Time) -> Time {
        Period::of_length("", Some(time), length).start().unwrap_or(time)
    }

    /// Remembers that something was found in the period that begins so.
    pub fn add(&mut self, subject: &str, what: Cow<'_, str>, period: Time) {
        let found = self.found.entry(subject.to_owned()).or_default();
        found.entry(what.into_owned()).or_default().insert(period);
    }

    /// Remembers a finding.
    pub(crate) fn remember(&mut self, finding: &Brief<'_>) {
        if let (Some((subject, what)), Some(time)) = (finding.remembered(), finding.time) {
            self.add(&subject.name, what.into(), Self::period(self.length, time));
        }
    }

    /// Whether a finding is repeated.
    pub fn repeats(&self, finding: &Brief<'_>) -> bool {
        let (Some((subject, what)), Some(time)) = (finding.remembered(), finding.time) else { return false };
        let periods = self.found.get(&subject.name).and_then(|found| found.get(&what));
        let period = Self::period(self.length, time);
        let memory = subject.memory();
        periods.is_some_and(|periods| periods.range(period - memory..period).next().is_some())
    }
}

#[cfg(test)]
mod tests;
