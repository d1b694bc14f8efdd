//! An alert that a minute's budget has no room for is folded into a summary: [`super::summary`] sends that.

use std::collections::BTreeSet;

use handsoff_cloudtrail::Time;
use handsoff_core::alert::{Alert, Cause, Milestone, Period};
use handsoff_core::{Code, ReportedRef, Severity};
use serde::{Deserialize, Serialize};

use super::budget::minute;
use super::document::Held;
use super::episode::{Episode, Folded, Look, SUMMARY, State};
use super::error::RuntimeError;
use super::ports::World;
use super::report::{Metric, Report};
use super::stored;

/// The codes that an alert tells: its finding's, and of a session its violations and escalations.
pub(super) fn codes(alert: &Alert, lead: ReportedRef<'_>) -> BTreeSet<Code> {
    let tells = alert
        .tells
        .iter()
        .filter_map(|it| if let Milestone::Topic(topic, _) = it { Some(topic.code) } else { None });
    tells.chain([lead.code()]).collect()
}

/// How an alert reaches people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// As a message of its own.
    Alone,
    /// As a message of its own, as long as there is budget: the first of an episode, and what is graver or another code
    /// than the summary has reported.
    InBudget,
    /// Not at all: a summary has reported it.
    Untold,
}

impl Way {
    /// The way of an alert of an episode in this state.
    pub(super) fn of(state: &State, alert: &Alert, lead: ReportedRef<'_>) -> Self {
        match &state.folded {
            None if state.alerted.is_empty() => Self::InBudget,
            None => Self::Alone,
            Some(_) if alert.cause == Cause::Closed => Self::Untold,
            Some(folded)
                if alert.severity > folded.severity || !folded.codes.is_superset(&codes(alert, lead)) =>
            {
                Self::InBudget
            }
            Some(_) => Self::Untold,
        }
    }
}

impl State {
    /// Remembers which of its milestones a summary has.
    pub(super) fn fold(&mut self, alert: &Alert, lead: ReportedRef<'_>) {
        let mut told = self.folded.take().map(|folded| folded.codes).unwrap_or_default();
        told.extend(codes(alert, lead));
        self.folded = Some(Folded { severity: alert.severity, codes: told });
    }
}

/// An incident as a summary names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Brief {
    pub(super) incident: String,
    pub(super) period: String,
    pub(super) severity: Severity,
    pub(super) line: String,
}

impl Brief {
    fn of(alert: &Alert, lead: ReportedRef<'_>) -> Self {
        // What proves a case has to leave the account.
        let digest = alert.text.lines().find_map(|line| line.strip_prefix("digest   "));
        let digest = digest.map(|digest| format!(", {digest}")).unwrap_or_default();
        let (who, what, account) = (&lead.principal().name, lead.action(), lead.account());
        Self {
            incident: alert.incident.clone(),
            period: alert.period.clone(),
            severity: alert.severity,
            line: format!("{who}, {what} in {account}{digest}"),
        }
    }

    /// Where it is kept: the most severe come first.
    fn sort(&self, summary: &Episode) -> String {
        let rank = Severity::ALL.len() - self.severity as usize;
        format!("brief#{}#{rank}#{}#{}", summary.period, self.incident, self.period)
    }
}

/// Has summaries tell an alert: those of all codes that it tells.
pub(super) async fn fold(
    world: &impl World,
    alert: &Alert,
    lead: ReportedRef<'_>,
    report: &mut Report,
) -> Result<(), RuntimeError> {
    for code in codes(alert, lead) {
        fold_into(world, code, alert, lead, report).await?;
    }
    Ok(())
}

async fn fold_into(
    world: &impl World,
    code: Code,
    alert: &Alert,
    lead: ReportedRef<'_>,
    report: &mut Report,
) -> Result<(), RuntimeError> {
    let now = world.now();
    let summary = Episode { incident: format!("{SUMMARY}{code}"), period: Period::From(minute(now)) };
    let brief = Brief::of(alert, lead);
    let text = stored::text(&brief)?;
    let new = world.put(&summary.incident, &brief.sort(&summary), &text).await?;
    // An alert of several codes is one.
    if new && code == lead.code() {
        report.count(Metric::AlertsFolded);
    }
    let mut held = Held::of(world, &summary).await?;
    let new = !held.exists();
    held.change(world, |state| {
        let closed = state.alerted.remove(&Milestone::Closed);
        let due = std::mem::replace(&mut state.look, Look::Due) == Look::Due;
        let first = new && state.since == Time::EPOCH;
        if first {
            state.since = now;
        }
        if first || closed {
            state.next = now;
        }
        first || closed || !due
    })
    .await
    .map(drop)
}
