//! What a report says, gathered from what a replay found.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use handsoff_cloudtrail::{Time, TimeDelta};
use handsoff_core::alert::Alert;
use handsoff_core::earlier::Earlier;
use handsoff_core::story::Index;
use handsoff_core::{Code, Incident, Policy, Reported, ReportedRef, Severity};

use super::offer::{self, Changes, Offer};
use super::rule::{Caller, Rule};
use super::story::{self, Row};
use crate::html::Scale;
use crate::outcome::{Beyond, Outcome, alerts_of};

/// How many rules are shown.
const RULES: usize = 15;

/// How many parts the timeline has.
pub(super) const BINS: i64 = 120;

/// All that a report says.
pub(super) struct Gathered<'o> {
    pub(super) outcome: &'o Outcome,
    pub(super) alerts: Vec<Alert>,
    /// The period that it is about: none, if nothing has a time.
    pub(super) period: Option<(Time, Time)>,
    pub(super) scale: Option<Scale>,
    /// Each story's incidents by time; the gravest story first.
    pub(super) stories: Vec<Vec<Row<'o>>>,
    pub(super) lanes: BTreeMap<Caller, Lane>,
    /// The noisiest first.
    pub(super) rules: Vec<Noise>,
    /// How many rules there are beyond those.
    pub(super) more_rules: usize,
}

/// What one person or role did.
#[derive(Default)]
pub(super) struct Lane {
    pub(super) incidents: u64,
    pub(super) messages: u64,
    pub(super) findings: u64,
    pub(super) worst: Option<Severity>,
    /// In each part of time how many findings, and the worst.
    pub(super) bins: BTreeMap<i64, (u64, Severity)>,
}

/// A code and principal, and what it makes of noise.
pub(super) struct Noise {
    pub(super) rule: Rule,
    pub(super) findings: u64,
    pub(super) messages: u64,
    pub(super) offer: Option<Offer>,
}

/// Whether a message is the digest of a day: it is about no incident, and is counted apart.
pub(super) fn is_digest(alert: &Alert) -> bool {
    alert.cause.as_str() == "digest"
}

impl<'o> Gathered<'o> {
    /// Gathers all. `asked` is the period that the options ask for.
    ///
    /// # Errors
    /// When findings can't be read back.
    pub(super) fn of(
        outcome: &'o Outcome,
        policy: &Policy,
        asked: (Option<Time>, Option<Time>),
    ) -> io::Result<Self> {
        let alerts = outcome.alerts(policy);
        let (period, scale) = period(outcome, &alerts, asked);
        let mut sent: BTreeMap<&str, u64> = BTreeMap::new();
        for alert in alerts.iter().filter(|alert| !is_digest(alert)) {
            *sent.entry(&alert.incident).or_default() += 1;
        }
        let rows = rows(outcome, &sent);
        let mut read = Read::default();
        for row in &rows {
            let lane = read.lanes.entry(Caller::of(row.lead)).or_default();
            lane.incidents += 1;
            lane.messages += row.messages;
            read.rules.entry(Rule::of(row.lead)).or_default().1 += row.messages;
        }
        for finding in outcome.findings.iter() {
            read.add(finding?.as_ref(), scale);
        }
        let Read { lanes, rules, changes } = read;
        let mut rules: Vec<Noise> = rules
            .into_iter()
            .map(|(rule, (findings, messages))| Noise { rule, findings, messages, offer: None })
            .collect();
        rules.sort_by(|a, b| (b.messages, b.findings, &a.rule).cmp(&(a.messages, a.findings, &b.rule)));
        let more_rules = rules.len().saturating_sub(RULES);
        rules.truncate(RULES);
        let until = until(period);
        offers(&mut rules, &changes, (outcome, policy), &sent, &until)?;
        let stories = story::tie(rows, &outcome.stories());
        Ok(Self { outcome, alerts, period, scale, stories, lanes, rules, more_rules })
    }

    /// How many messages there are besides digests.
    pub(super) fn messages(&self) -> u64 {
        self.alerts.iter().filter(|alert| !is_digest(alert)).count() as u64
    }

    /// All incidents.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Row<'o>> {
        self.stories.iter().flatten()
    }
}

/// What is found by going through all findings once.
#[derive(Default)]
struct Read {
    lanes: BTreeMap<Caller, Lane>,
    /// How many findings, how many messages.
    rules: BTreeMap<Rule, (u64, u64)>,
    /// By the principal's ARN.
    changes: BTreeMap<String, Changes>,
}

impl Read {
    fn add(&mut self, reported: ReportedRef<'_>, scale: Option<Scale>) {
        let (severity, rule) = (reported.severity(), Rule::of(reported));
        let lane = self.lanes.entry(Caller::of(reported)).or_default();
        lane.findings += 1;
        lane.worst = lane.worst.max(Some(severity));
        if let (Some(scale), Some(at)) = (scale, reported.time().map(Time::timestamp))
            && scale.holds(at)
        {
            let bin = lane.bins.entry(scale.bin(at, BINS)).or_insert((0, severity));
            *bin = (bin.0 + 1, bin.1.max(severity));
        }
        self.rules.entry(rule).or_default().0 += 1;
        if let Some(finding) = reported.call().filter(|finding| offer::is_change(finding.code)) {
            self.changes.entry(finding.principal.arn.clone()).or_default().add(finding);
        }
    }
}

/// The incidents, the worst first.
fn rows<'o>(outcome: &'o Outcome, sent: &BTreeMap<&str, u64>) -> Vec<Row<'o>> {
    let row = |incident: &'o Incident| {
        Some(Row {
            incident,
            lead: incident.lead()?,
            severity: incident.severity(),
            times: incident.times(),
            messages: sent.get(&*incident.id).copied().unwrap_or_default(),
            made: None,
        })
    };
    outcome.incidents.iter().filter_map(row).collect()
}

/// The period that the report is about: that of the records, within what was asked for; and what the timeline shows,
/// which is that of the incidents.
fn period(
    outcome: &Outcome,
    alerts: &[Alert],
    (since, until): (Option<Time>, Option<Time>),
) -> (Option<(Time, Time)>, Option<Scale>) {
    let within = |(first, last): (Time, Time)| {
        let (first, last) =
            (since.map_or(first, |since| since.max(first)), until.map_or(last, |until| until.min(last)));
        (first <= last).then_some((first, last))
    };
    let records = outcome.times.and_then(within);
    let incidents = outcome.incidents.iter().filter_map(Incident::times);
    let all = incidents.chain(alerts.iter().filter_map(|alert| Some((alert.at?, alert.at?))));
    let all = all.reduce(|(first, last), (from, until)| (first.min(from), last.max(until)));
    let widest = records.into_iter().chain(all).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    (records.or(all), widest.map(|(from, until)| Scale::around(from.timestamp(), until.timestamp())))
}

/// The last day of an exception that is offered: a month after the period.
fn until(period: Option<(Time, Time)>) -> String {
    const MONTH: TimeDelta = TimeDelta::days(30);
    // The last day that TOML can write.
    const LAST: Time = Time::from_timestamp(253_402_214_400);
    period.map(|(_, last)| (last + MONTH).min(LAST).date()).unwrap_or_default()
}

/// What an entry of the policy would hide of each rule: its incidents are put together again without what it hides, and
/// what would be sent of these is counted.
fn offers(
    rules: &mut [Noise],
    changes: &BTreeMap<String, Changes>,
    (outcome, policy): (&Outcome, &Policy),
    sent: &BTreeMap<&str, u64>,
    until: &str,
) -> io::Result<()> {
    let mut trials: Vec<Trial<'_>> = Vec::new();
    let mut tried: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for noise in rules.iter_mut().filter(|noise| offer::is_change(noise.rule.code)) {
        let Some(changes) = changes.get(&noise.rule.principal) else { continue };
        let actions = changes.ordinary();
        if actions.is_empty() {
            continue;
        }
        for id in &changes.incidents {
            tried.entry(id).or_default().push(trials.len());
        }
        let all = changes.are_ordinary();
        trials.push(Trial { noise, actions, all, hidden: 0, left: BTreeMap::new() });
    }
    for finding in outcome.findings.iter() {
        let finding = finding?;
        for index in tried.get(finding.as_ref().incident()).into_iter().flatten() {
            if let Some(trial) = trials.get_mut(*index) {
                trial.add(&finding, policy);
            }
        }
    }
    for trial in trials {
        trial.finish(policy, sent, until);
    }
    Ok(())
}

/// An entry that is tried.
struct Trial<'r> {
    noise: &'r mut Noise,
    actions: BTreeSet<&'r str>,
    /// Whether these are all changes of the principal.
    all: bool,
    hidden: u64,
    /// What is left of the incidents.
    left: BTreeMap<String, Incident>,
}

impl Trial<'_> {
    fn add(&mut self, reported: &Reported, policy: &Policy) {
        let id = reported.as_ref().incident();
        if !self.left.contains_key(id) {
            self.left.insert(id.to_owned(), Incident::of_periods(id.to_owned(), &policy.alerts));
        }
        let hides = |finding| offer::hides(&self.noise.rule.principal, &self.actions, finding);
        if reported.call().is_some_and(hides) {
            self.hidden += 1;
        } else if let Some(part) = self.left.get_mut(id) {
            part.add(reported.clone());
        }
    }

    fn finish(self, policy: &Policy, sent: &BTreeMap<&str, u64>, until: &str) {
        let mut messages = 0;
        let mut earlier = Earlier::new(policy.alerts.period);
        for part in self.left.values() {
            part.remember(&mut earlier);
        }
        for (id, part) in &self.left {
            let before = sent.get(&**id).copied().unwrap_or_default();
            let beyond = Beyond { case: None, earlier: &earlier, stories: &Index::default() };
            let after = if part.count() == 0 { 0 } else { alerts_of(part, beyond, policy).len() as u64 };
            messages += before.saturating_sub(after);
        }
        let (kind, entry) = offer::entry(&self.noise.rule, &self.actions, self.all, until);
        self.noise.offer = Some(Offer { entry, kind, findings: self.hidden, messages });
    }
}

/// How many incidents there are of each kind, by the code of what names them.
pub(super) fn kinds(gathered: &Gathered<'_>) -> Vec<(Code, BTreeMap<Severity, u64>)> {
    let mut kinds: BTreeMap<Code, BTreeMap<Severity, u64>> = BTreeMap::new();
    for row in gathered.rows() {
        *kinds.entry(row.lead.code()).or_default().entry(row.severity).or_default() += 1;
    }
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by_key(|(code, by)| (std::cmp::Reverse(by.values().sum::<u64>()), *code));
    kinds
}
