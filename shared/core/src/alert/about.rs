//! What a message is made of.

use std::collections::BTreeSet;

use crate::incident::Incident;
use crate::milestone::Period;
use crate::note::Note;
use crate::policy::Alerts;
use crate::reported::ReportedRef;
use crate::severity::Severity;

/// What an alert is about.
#[derive(Debug)]
pub struct About<'i> {
    /// The incident as far as it is known when the message is due: no finding that came later.
    pub incident: &'i Incident,
    /// What the policy says of messages.
    pub policy: &'i Alerts,
    /// The period.
    pub period: Period,
    /// What to tell.
    pub lead: ReportedRef<'i>,
    /// The worst so far.
    pub severity: Severity,
    /// How many findings so far.
    pub findings: usize,
    /// Since when these are counted.
    pub since: Period,
    /// The actions that messages have named before.
    pub named: &'i BTreeSet<String>,
    /// What is known beyond the findings.
    pub notes: &'i [Note],
    /// What its alerts have in common with those of its story's other incidents.
    pub thread: &'i str,
}
