//! What a replay found.

use std::collections::BTreeMap;

use handsoff_cloudtrail::Time;
use handsoff_core::alert::{self, Alert, Known};
use handsoff_core::earlier::Earlier;
use handsoff_core::story::{Index, Origins};
use handsoff_core::{Code, Disposition, Incident, Policy, ReportedRef, Severity};

use crate::problems::Problems;
use crate::replay::digest_notes::DigestNotes;
use crate::replay::findings::Findings;
use crate::replay::sessions::Case;

/// How many records there were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records read.
    pub read: u64,
    /// Distinct ones of these.
    pub distinct: u64,
    /// Things that could not be read.
    pub unreadable: u64,
    /// Files and objects that are known to hold no records: digests, and AWS Config's.
    pub known: u64,
    /// Records that were judged though something was missing.
    pub odd: u64,
    /// Records outside of `--since` and `--until`.
    pub out_of_range: u64,
    /// Distinct records with nothing to report, by reason.
    pub nothing: BTreeMap<Disposition, u64>,
    /// Distinct findings by code.
    pub findings: BTreeMap<Code, BTreeMap<Severity, u64>>,
}

/// All that a replay found.
#[derive(Debug)]
pub struct Outcome {
    /// How many records there were.
    pub counts: Counts,
    /// What came of each exception of the policy, a line each.
    pub exceptions: Vec<String>,
    /// What digests say beside findings, if it was to be kept.
    pub digest_notes: DigestNotes,
    /// All findings by time, if they were to be kept.
    pub findings: Findings,
    /// The incidents, the worst first.
    pub incidents: Vec<Incident>,
    /// Who issued the sessions that incidents are of.
    pub origins: Origins,
    /// The break-glass sessions, and their cases.
    pub cases: Vec<Case>,
    /// What could not be read, or was odd.
    pub problems: Problems,
    /// The severity of the worst finding.
    pub worst: Option<Severity>,
    /// The times of the first and the last record, those outside of `--since` and `--until` too.
    pub times: Option<(Time, Time)>,
}

impl Outcome {
    /// What would have been sent, incident by incident.
    pub fn alerts(&self, policy: &Policy) -> Vec<Alert> {
        let cases: BTreeMap<&str, &Case> = self.cases.iter().map(|case| (&*case.id, case)).collect();
        let (earlier, stories) = (self.earlier(policy), self.stories());
        let of = |incident: &Incident| {
            let known =
                Beyond { case: cases.get(&*incident.id).copied(), earlier: &earlier, stories: &stories };
            alerts_of(incident, known, policy)
        };
        let mut alerts: Vec<Alert> = self.incidents.iter().flat_map(of).collect();
        alerts.extend(alert::digests(self.incidents.iter(), &earlier, &policy.alerts, &|until| {
            self.digest_notes.notes(policy, until)
        }));
        alerts
    }

    /// What ties all incidents, and who issued their sessions.
    pub(crate) fn stories(&self) -> Index<'_> {
        Index::of(&self.incidents).with(&self.origins)
    }

    /// What each period has for the later ones.
    pub(crate) fn earlier(&self, policy: &Policy) -> Earlier {
        let mut earlier = Earlier::new(policy.alerts.period);
        for incident in &self.incidents {
            incident.remember(&mut earlier);
        }
        earlier
    }
}

/// What is known beyond an incident.
#[derive(Clone, Copy)]
pub(crate) struct Beyond<'b> {
    /// Its case, if it has one.
    pub(crate) case: Option<&'b Case>,
    /// What each period has for the later ones.
    pub(crate) earlier: &'b Earlier,
    /// What ties all incidents.
    pub(crate) stories: &'b Index<'b>,
}

/// What would have been sent about an incident.
pub(crate) fn alerts_of(incident: &Incident, beyond: Beyond<'_>, policy: &Policy) -> Vec<Alert> {
    let story = |part: &Incident, lead: ReportedRef<'_>, at| beyond.stories.story(part, lead, at);
    match beyond.case {
        None => {
            let known = Known { story: &story, ..Known::default() };
            alert::schedule(&incident.news(beyond.earlier), &policy.alerts, &known)
        }
        Some(case) => {
            let notes = |at| case.notes(policy, at);
            let known = Known { story: &story, notes: &notes, closing: &case.closing, closes: case.closes };
            alert::schedule(incident, &policy.alerts, &known)
        }
    }
}
