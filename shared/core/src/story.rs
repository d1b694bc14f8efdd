//! Stories: incidents that are tied by an identity which one made and another one acts as, whichever of their records
//! comes first. They are joined when an alert is worded, and change no verdict and no incident.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use futures_util::FutureExt;
use handsoff_cloudtrail::{Time, TimeDelta};

use crate::group;
use crate::incident::Incident;
use crate::note::Note;
use crate::reported::ReportedRef;
use crate::thread;

mod facts;
mod given;
mod issued;
mod origin;

pub use facts::{Actions, Facts};
pub use issued::{HOPS, Issued, Origins};

pub use crate::links::{Links, Made};
pub use crate::thread::worked_around;
pub use crate::ties::{Identity, Ties};

/// What an incident's alert says of its story.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Story {
    /// Its lines.
    pub notes: Vec<Note>,
    /// What its alerts have in common with those of the story's other incidents.
    pub thread: String,
}

/// So many makers are followed back, from each to its own.
const MAKERS: usize = 4;

/// So many identities that an incident's calls were made as are looked up: a user and its keys are three at a time.
const CALLERS: usize = 10;

/// So many identities that an incident made are looked up, and so many incidents of each are named.
const NAMED: usize = 5;

impl Story {
    /// The story of an incident, as it was known at a time, for a message that shows this finding of it.
    ///
    /// # Errors
    /// When something can't be looked up.
    pub async fn of<F: Facts>(
        facts: &F,
        incident: &Incident,
        shown: ReportedRef<'_>,
        until: Option<Time>,
    ) -> Result<Self, F::Error> {
        let Some(lead) = incident.lead() else { return Ok(Self::default()) };
        let mut story = Self { notes: Vec::new(), thread: thread::thread(lead) };
        story.notes.extend(origin::tool(facts, shown.ties()).await?);
        story.notes.extend(origin::origin(facts, shown.ties(), shown.time()).await?);
        story.own_denials(facts, lead, until).await?;
        if group::is_denials(&incident.id) {
            story.worked_around(facts, incident, until).await?;
        }
        let mut seen = BTreeSet::from([incident.id.clone()]);
        let acts = incident.links().acts.iter().take(CALLERS);
        let mut acts: Vec<(Identity, Option<Time>)> =
            acts.map(|(who, (_, last))| (who.clone(), (*last).min(until))).collect();
        let mut first = incident.times().map(|(first, _)| first);
        for _ in 0..MAKERS {
            let Some((who, made)) = maker(facts, &acts, &seen).await? else { break };
            story.notes.push(Note::new("story", begun(facts, &who, &made, first, until).await?));
            story.thread.clone_from(&made.thread);
            acts = made.acts.iter().map(|who| (who.clone(), made.at)).collect();
            (first, _) = (made.at, seen.insert(made.incident));
        }
        let made = incident.links().makes.iter().filter(|(_, made)| made.at <= until);
        for what in made.map(|(what, _)| what).take(NAMED) {
            let mut used = facts.used(what, until).await?;
            used.remove(&incident.id);
            if !used.is_empty() {
                let used: Vec<String> = used.into_iter().take(NAMED).collect();
                story.notes.push(Note::new(
                    "story",
                    format!("{what}, created here, is used in {}", used.join(", ")),
                ));
            }
        }
        Ok(story)
    }

    /// What succeeded that the principals of denied calls did on the same day.
    async fn worked_around<F: Facts>(
        &mut self,
        facts: &F,
        incident: &Incident,
        until: Option<Time>,
    ) -> Result<(), F::Error> {
        let mut worked = BTreeSet::new();
        for (denials, _) in incident.links().denials.iter().take(CALLERS) {
            worked.extend(facts.worked(denials, until).await?);
        }
        worked.remove(&incident.id);
        let mut texts = Vec::new();
        for other in worked.iter().take(NAMED) {
            texts.extend(named(other, &facts.actions(other, until).await?));
        }
        if !texts.is_empty() {
            let more = worked.len().saturating_sub(NAMED);
            let more = if more > 0 { format!("; {more} more incidents") } else { String::new() };
            let text = format!("calls succeeded on this day in {}{more}", texts.join(", "));
            self.notes.push(Note::new("story", text));
        }
        Ok(())
    }

    async fn own_denials<F: Facts>(
        &mut self,
        facts: &F,
        lead: ReportedRef<'_>,
        until: Option<Time>,
    ) -> Result<(), F::Error> {
        if let Some(failed) = thread::failed_before(lead)
            && facts.actions(&failed, until).await?.count > 0
        {
            let text = format!("many sign-ins from {} failed on this day ({failed})", lead.source_ip());
            self.notes.push(Note::new("story", text));
        }
        let denials = thread::denials_of(lead).filter(|denials| denials != lead.incident());
        let Some(denials) = denials else { return Ok(()) };
        let actions = facts.actions(&denials, until).await?.count;
        if actions > 0 {
            let text = format!("{} was denied {} ({denials})", lead.principal().name, counted(actions));
            self.notes.push(Note::new("story", text));
        }
        Ok(())
    }
}

/// An incident with its gravest action, for another incident's alert.
fn named(incident: &str, actions: &Actions) -> Option<String> {
    let (severity, gravest) = actions.gravest.as_ref()?;
    let more = match actions.count {
        0 | 1 => String::new(),
        2 => " and 1 more action".to_owned(),
        count => format!(" and {} more actions", count - 1),
    };
    Some(format!("{incident} ({severity}: {gravest}{more})"))
}

/// The last who made one of these before it acted, in another incident than these.
async fn maker<F: Facts>(
    facts: &F,
    acts: &[(Identity, Option<Time>)],
    seen: &BTreeSet<String>,
) -> Result<Option<(Identity, Made)>, F::Error> {
    let mut found = Vec::new();
    for (who, last) in acts {
        let made = facts.made(who).await?.into_iter();
        let made = made.filter(|made| made.at <= *last && !seen.contains(&made.incident));
        found.extend(made.map(|made| (who.clone(), made)));
    }
    Ok(found.into_iter().max_by(|(a, by), (b, other)| (by, a).cmp(&(other, b))))
}

/// How an identity began.
async fn begun<F: Facts>(
    facts: &F,
    who: &Identity,
    made: &Made,
    first: Option<Time>,
    until: Option<Time>,
) -> Result<String, F::Error> {
    let at = made.at.map(|at| format!(" at {at}")).unwrap_or_default();
    let before = first.zip(made.at).filter(|(first, at)| first >= at);
    let before = before
        .map(|(first, at)| format!(", {} min before,", (first - at + TimeDelta::seconds(59)).num_minutes()));
    let text =
        format!("{who} was created{at}{} by {} ({})", before.unwrap_or_default(), made.by, made.incident);
    if let Some(denials) = made.denials.as_ref().filter(|denials| **denials != made.incident) {
        let actions = facts.actions(denials, until).await?.count;
        if actions > 0 {
            return Ok(format!("{text}, who was denied {} ({denials})", counted(actions)));
        }
    }
    Ok(text)
}

fn counted(actions: usize) -> String {
    if actions == 1 { "1 action".to_owned() } else { format!("{actions} actions") }
}

/// All incidents of a replay.
#[derive(Debug, Default)]
pub struct Index<'i> {
    made: BTreeMap<&'i Identity, Vec<&'i Made>>,
    used: BTreeMap<&'i Identity, Vec<(Option<Time>, &'i str)>>,
    worked: BTreeMap<&'i str, Vec<(Option<Time>, &'i str)>>,
    incidents: BTreeMap<&'i str, &'i Incident>,
    origins: Option<&'i Origins>,
}

impl<'i> Index<'i> {
    /// That of these incidents.
    pub fn of(incidents: impl IntoIterator<Item = &'i Incident>) -> Self {
        let mut index = Self::default();
        for incident in incidents {
            index.incidents.insert(&incident.id, incident);
            for (what, made) in &incident.links().makes {
                index.made.entry(what).or_default().push(made);
            }
            for (who, (first, _)) in &incident.links().acts {
                index.used.entry(who).or_default().push((*first, &incident.id));
            }
            let of_others = incident.links().denials.iter().filter(|_| !group::is_denials(&incident.id));
            for (denials, first) in of_others {
                index.worked.entry(denials).or_default().push((*first, &incident.id));
            }
        }
        index
    }

    /// The same with who issued sessions.
    #[must_use]
    pub fn with(self, origins: &'i Origins) -> Self {
        Self { origins: Some(origins), ..self }
    }

    /// The story of an incident, as it was known at a time, for a message that shows this finding of it.
    pub fn story(&self, incident: &Incident, shown: ReportedRef<'_>, until: Option<Time>) -> Story {
        // All is at hand: nothing of it waits.
        Story::of(self, incident, shown, until).now_or_never().and_then(Result::ok).unwrap_or_default()
    }

    /// Where the session of a call comes from that was made at this time.
    pub fn origin(&self, ties: &Ties, at: Option<Time>) -> Option<Note> {
        origin::origin(self, ties, at).now_or_never().and_then(Result::ok).flatten()
    }

    /// Which agent's tool made a request.
    pub fn tool(&self, ties: &Ties) -> Option<Note> {
        origin::tool(self, ties).now_or_never().and_then(Result::ok).flatten()
    }

    /// Who made what an incident acts as.
    pub fn maker(&self, incident: &Incident) -> Option<(String, &Made)> {
        let links = incident.links();
        let made = links.acts.iter().flat_map(|(who, (_, last))| {
            let made = self.made.get(who).into_iter().flatten();
            made.filter(|made| made.at <= *last && made.incident != incident.id).map(move |made| (who, *made))
        });
        let last = made.max_by_key(|(who, made)| (*made, *who));
        last.map(|(who, made)| (who.to_string(), made))
    }
}

impl Facts for Index<'_> {
    type Error = Infallible;

    async fn made(&self, what: &Identity) -> Result<Vec<Made>, Infallible> {
        Ok(self.made.get(what).into_iter().flatten().map(|made| (*made).clone()).collect())
    }

    async fn used(&self, who: &Identity, until: Option<Time>) -> Result<BTreeSet<String>, Infallible> {
        let used = self.used.get(who).into_iter().flatten();
        Ok(used.filter(|(first, _)| *first <= until).map(|(_, incident)| (*incident).to_owned()).collect())
    }

    async fn actions(&self, incident: &str, until: Option<Time>) -> Result<Actions, Infallible> {
        let incident = self.incidents.get(incident);
        Ok(incident.map(|incident| Actions::of(incident, until)).unwrap_or_default())
    }

    async fn worked(&self, denials: &str, until: Option<Time>) -> Result<BTreeSet<String>, Infallible> {
        let worked = self.worked.get(denials).into_iter().flatten();
        Ok(worked.filter(|(first, _)| *first <= until).map(|(_, incident)| (*incident).to_owned()).collect())
    }

    async fn issued(&self, session: &Identity) -> Result<Vec<Issued>, Infallible> {
        Ok(self.origins.into_iter().flat_map(|origins| origins.of(session)).cloned().collect())
    }
}

#[cfg(test)]
mod tests;
