//! Summaries of storms: what the budget of a minute has no room for is named in one message.
//!
//! A summary is an episode of its own, of a code and a minute, and its findings are brief: which incident, how severe,
//! and a line. A function that folds an incident into it puts the brief first, then says that the summary is due, then
//! claims the incident's milestones. So the sweep reads the brief, or sees that it was too early, by the same rules as with
//! findings; what happens to the function in between may name an incident twice, and loses none.

use std::collections::{BTreeSet, HashSet};

use handsoff_cloudtrail::Time;
use serde::{Deserialize, Serialize};

use super::budget::minute;
use super::document::Held;
use super::episode::{Episode, Folded, Look, State};
use super::error::Failure;
use super::ports::{Range, World};
use super::report::{Metric, Report};
use super::stored;
use super::tell::{Telling, claim, marks};
use handsoff_core::Code;
use handsoff_core::Severity;
use handsoff_core::alert::{Alert, Cause, Listed, Milestone, Period, Summary};
use handsoff_core::{Reported, ReportedRef};

/// How a summary's partition begins; behind it stands the code.
const PARTITION: &str = "summary-";

/// How many incidents of a summary are counted.
const COUNTED: usize = 10_000;

/// How many of them are named.
const NAMED: usize = 50;

/// How many findings of the most severe incident are looked at.
const LOOK_AT: usize = 200;

/// Whether this is a summary, and no incident.
pub(super) fn is_summary(incident: &str) -> bool {
    incident.starts_with(PARTITION)
}

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
struct Brief {
    incident: String,
    period: String,
    severity: Severity,
    line: String,
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
) -> Result<(), Failure> {
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
) -> Result<(), Failure> {
    let now = world.now();
    let summary = Episode { incident: format!("{PARTITION}{code}"), period: Period::From(minute(now)) };
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

/// Sends the summary of what was folded into it since the last one of the same minute.
///
/// # Errors
/// When something can't be read, written or sent; to do it again is safe.
pub async fn summarise<N>(
    world: &impl World,
    telling: Telling<'_, N>,
    held: &mut Held<'_, Episode>,
    report: &mut Report,
) -> Result<(), Failure> {
    held.change(world, |state| {
        let due = state.look == Look::Due;
        if due {
            state.look = Look::Looking;
        }
        due
    })
    .await?;
    let summary = held.document;
    let briefs = briefs(world, summary).await?;
    let told = held
        .state
        .alerted
        .iter()
        .filter_map(|it| if let Milestone::Folded(n) = it { Some(*n) } else { None });
    if let Some(worst) = briefs.first().filter(|_| briefs.len() > told.max().unwrap_or_default()) {
        let code = summary.incident.strip_prefix(PARTITION).and_then(|code| code.parse().ok());
        let lead = lead(world, telling, code, worst).await?;
        let code = code.unwrap_or(lead.as_ref().code());
        let named = briefs.iter().take(NAMED);
        let listed: Vec<Listed> = named
            .map(|brief| Listed {
                incident: brief.incident.clone(),
                severity: brief.severity,
                line: brief.line.clone(),
            })
            .collect();
        claim(world, summary, None, report, |state| {
            let tells = BTreeSet::from([Milestone::Folded(briefs.len())]);
            let about = Summary {
                incident: &summary.incident,
                policy: telling.policy,
                code,
                period: summary.period,
                count: briefs.len(),
                counted: COUNTED,
                listed: &listed,
                lead: lead.as_ref(),
            };
            let new = state.alerted.is_disjoint(&tells);
            new.then(|| (Alert::summary(&about, tells, world.now()), lead.clone()))
        })
        .await?;
    }
    held.change(world, |state| {
        let done = state.look == Look::Looking;
        if done {
            state.look = Look::Done;
            state.alerted.insert(Milestone::Closed);
        }
        done
    })
    .await
    .map(drop)
}

/// What was folded into a summary, each incident once, the most severe first.
async fn briefs(world: &impl World, summary: &Episode) -> Result<Vec<Brief>, Failure> {
    let (from, to) = (format!("brief#{}#", summary.period), format!("brief#{}#~", summary.period));
    let range = Range { partition: &summary.incident, from: &from, to: &to, most: COUNTED, backwards: false };
    let mut seen = HashSet::new();
    let mut briefs = Vec::new();
    for text in world.range(range).await? {
        let brief: Option<Brief> = stored::read(world, "reading a summary's incident", &text, &[]);
        let new = |brief: &Brief| seen.insert((brief.incident.clone(), brief.period.clone()));
        briefs.extend(brief.filter(new));
    }
    Ok(briefs)
}

/// What a summary of this code names an incident by: what has that code, or the most severe.
async fn lead<N>(
    world: &impl World,
    telling: Telling<'_, N>,
    code: Option<Code>,
    brief: &Brief,
) -> Result<Reported, Failure> {
    let what = "writing a summary";
    let period = brief.period.parse().map_err(|error| Failure::stored(what, error))?;
    let episode = Episode { incident: brief.incident.clone(), period };
    let found = marks(world, episode.range(&episode.bounds(telling.policy), LOOK_AT)).await?;
    let of_code = code.and_then(|code| found.first_of(code));
    let lead = of_code.or_else(|| found.lead_of(brief.severity)).or_else(|| found.lead());
    let none = || Failure::stored(what, format!("no finding of {} is stored", brief.incident));
    lead.map(ReportedRef::cloned).ok_or_else(none)
}
