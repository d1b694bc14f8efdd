//! Summaries of storms: what the budget of a minute has no room for is named in one message.
//!
//! A summary is an episode of its own, of a code and a minute, and its findings are brief: which incident, how severe,
//! and a line. A function that folds an incident into it puts the brief first, then says that the summary is due, then
//! claims the incident's milestones. So the sweep reads the brief, or sees that it was too early, by the same rules as with
//! findings; what happens to the function in between may name an incident twice, and loses none.

use std::collections::{BTreeSet, HashSet};

use handsoff_core::alert::{Alert, Listed, Milestone, Summary};
use handsoff_core::{Code, Reported, ReportedRef};

use super::claim::claim;
use super::document::Held;
use super::episode::{Episode, Look, SUMMARY};
use super::error::RuntimeError;
use super::fold::Brief;
use super::marks::marks;
use super::ports::{Range, World};
use super::report::Report;
use super::stored;
use super::telling::Telling;

/// How many incidents of a summary are counted.
const COUNTED: usize = 10_000;

/// How many of them are named.
const NAMED: usize = 50;

/// How many findings of the most severe incident are looked at.
const LOOK_AT: usize = 200;

/// Sends the summary of what was folded into it since the last one of the same minute.
///
/// # Errors
/// When something can't be read, written or sent; to do it again is safe.
pub async fn summarise<N>(
    world: &impl World,
    telling: Telling<'_, N>,
    held: &mut Held<'_, Episode>,
    report: &mut Report,
) -> Result<(), RuntimeError> {
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
        let code = summary.incident.strip_prefix(SUMMARY).and_then(|code| code.parse().ok());
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
async fn briefs(world: &impl World, summary: &Episode) -> Result<Vec<Brief>, RuntimeError> {
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
) -> Result<Reported, RuntimeError> {
    let what = "writing a summary";
    let period = brief.period.parse().map_err(|error| RuntimeError::stored(what, error))?;
    let episode = Episode { incident: brief.incident.clone(), period };
    let found = marks(world, episode.range(&episode.bounds(telling.policy), LOOK_AT)).await?;
    let of_code = code.and_then(|code| found.first_of(code));
    let lead = of_code.or_else(|| found.lead_of(brief.severity)).or_else(|| found.lead());
    let none = || RuntimeError::stored(what, format!("no finding of {} is stored", brief.incident));
    lead.map(ReportedRef::cloned).ok_or_else(none)
}
