//! What other records say of a deploy session, whichever comes first: that a person is behind it, or that it was misused from
//! its beginning. The same as [`handsoff_core::origins`] says of a log.
//!
//! A session has a partition. In it are how the session began, and what was done in it that depends on that: changes as the
//! pipeline, and sessions that were issued in it. Each is put first, and the other read then. A session that nothing can refute
//! any more costs one read, and nothing of what is done in it is stored.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use handsoff_cloudtrail::TimeDelta;
use handsoff_core::origins::{Beginning, HOPS, Issue, behind, passed_on};
use handsoff_core::{Finding, Key, Reported};
use serde::{Deserialize, Serialize};

use super::episode::Mark;
use super::error::RuntimeError;
use super::ports::{Range, World};
use super::puts::{Item, put_all};
use super::stored;
use super::unproven::{Unproven, partition};

/// How a reason ends that lacks its end.
const OPEN: &str = ", but ";

/// So much of what was done in a session is read.
const USES: usize = 1000;

/// So many records of a session's beginning are read: there is one, or two of a call into another account.
const BEGINNINGS: usize = 10;

/// So many sessions that are proven are kept in mind.
const PROVEN: usize = 1000;

/// What a record says of sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    began: Option<(u64, Began)>,
    used: Option<(u64, Use)>,
    opening: Option<Unproven>,
    event: Key,
}

/// How a session began.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Began {
    /// The person who assumed its role; else what shows that a deploy role is misused.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    how: String,
    #[serde(default)]
    person: bool,
    /// It is the pipeline's, as far as its own record says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fits: Option<Fits>,
}

/// A beginning that its entry of the policy allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Fits {
    /// Nothing can refute it any more.
    Proven,
    /// The session that it was issued in may be refuted yet.
    Issued,
}

/// What depends on how the session began that it was done in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Use {
    /// What there is to report then. Its reason lacks the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mark: Option<Mark>,
    /// The session that it issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issued: Option<u64>,
    /// Whether that is one of a deploy role.
    #[serde(default)]
    deploys: bool,
    /// Whether there is nothing else to report of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    expected: bool,
}

impl Proof {
    /// What a call says of the session that it issued. `finding`: what there is to report if a person is behind the caller's
    /// session; the end of its reason is missing.
    pub fn of_issue(event: Key, beginning: Beginning, finding: impl FnOnce() -> Option<Finding>) -> Self {
        let began = |session, how, person| Some((session, Began { how, person, fits: None }));
        let fitting = |session, fits| Some((session, Began { fits: Some(fits), ..Began::default() }));
        let own = Self { event, ..Self::default() };
        match beginning {
            Beginning::Refuted { session, how } => Self { began: began(session, how, false), ..own },
            Beginning::ByPerson { session, who } => Self { began: began(session, who, true), ..own },
            Beginning::Fits(session) => Self { began: fitting(session, Fits::Proven), ..own },
            Beginning::Issued(Issue { session, by, deploys }) => {
                let mark = finding().filter(|_| deploys).map(|finding| Mark::new(&finding));
                let used = Use { mark, issued: Some(session), deploys, expected: false };
                let began = if deploys { fitting(session, Fits::Issued) } else { None };
                Self { began, used: Some((by, used)), ..own }
            }
        }
    }

    /// What there is to report of a change in a deploy session, if that began otherwise than it may; the end of its reason may
    /// be missing. `opening`: of a change that is expected, what CloudTrail is asked if no record shows the session's beginning.
    pub fn of_change(session: u64, finding: &Finding, opening: Option<Unproven>) -> Self {
        let used = Use { mark: Some(Mark::new(finding)), expected: opening.is_some(), ..Use::default() };
        Self { began: None, used: Some((session, used)), opening, event: finding.key }
    }
}

/// Deploy sessions that nothing can refute any more, as far as this process has seen: what is done in them isn't stored.
#[derive(Debug, Default)]
pub struct ProvenSessions(RefCell<HashSet<u64>>);

impl ProvenSessions {
    fn add(&self, session: u64) {
        let mut known = self.0.borrow_mut();
        if known.len() >= PROVEN {
            known.clear();
        }
        known.insert(session);
    }

    fn has(&self, session: u64) -> bool {
        self.0.borrow().contains(&session)
    }
}

/// Remembers what records say of sessions, and returns what there is to report by that. A deploy session whose beginning
/// isn't known waits so long for it.
///
/// # Errors
/// The first failure; what was written stays, and may be written again.
pub async fn prove(
    world: &impl World,
    proofs: impl IntoIterator<Item = Proof>,
    proven: &ProvenSessions,
    patience: TimeDelta,
) -> Result<Vec<Reported>, RuntimeError> {
    let (mut puts, mut began, mut used) = (BTreeSet::new(), Vec::new(), BTreeMap::<u64, Uses>::new());
    for Proof { began: seen, used: by, opening, event } in proofs {
        if let Some((session, how)) = seen {
            let kind = if how.fits.is_some() { "fits" } else { "began" };
            puts.insert((partition(session), format!("{kind}#{:016x}", event.0), stored::text(&how)?));
            began.push((session, how));
        }
        if let Some((session, one)) = by {
            let batch = used.entry(session).or_default();
            batch.puts.insert((partition(session), one.sort(event), stored::text(&one)?));
            batch.done.push(one);
            batch.opening = batch.opening.take().or(opening);
        }
    }
    put_all(world, puts).await?;
    began
        .iter()
        .filter(|(_, how)| how.fits == Some(Fits::Proven))
        .for_each(|(session, _)| proven.add(*session));
    let mut found = Found::default();
    used.retain(|session, _| !proven.has(*session));
    for (session, uses) in used {
        if beginnings(world, session).await?.iter().any(|how| how.fits == Some(Fits::Proven)) {
            proven.add(session);
            continue;
        }
        put_all(world, uses.puts).await?;
        // Again: of this and of what shows the beginning, whichever is written last reads the other.
        let seen = beginnings(world, session).await?;
        if let (true, Some(opening)) = (seen.is_empty(), uses.opening) {
            opening.wait(world, session, patience).await?;
        }
        if let Some(how) = seen.into_iter().filter(|how| how.fits.is_none()).min() {
            found.follow(&how, uses.done);
        }
    }
    for (session, how) in began.into_iter().filter(|(_, how)| how.fits.is_none()) {
        found.follow(&how, self::uses(world, session).await?);
    }
    found.follow_on(world).await?;
    Ok(found.findings)
}

/// What a batch has of what was done in a session.
#[derive(Default)]
struct Uses {
    puts: BTreeSet<Item>,
    done: Vec<Use>,
    opening: Option<Unproven>,
}

/// What is known of a session of which CloudTrail may be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsettled {
    /// Its first change that there is nothing else to report of, as it would be reported if the session were refuted.
    pub first: Finding,
    /// Whether its beginning was seen, and refutes it.
    pub refuted: bool,
}

/// What is known of a session; `None` if its beginning was seen and allows it, or if there is nothing to report.
///
/// # Errors
/// When it can't be read.
pub async fn unsettled(world: &impl World, session: u64) -> Result<Option<Unsettled>, RuntimeError> {
    let seen = beginnings(world, session).await?;
    if seen.iter().any(|how| how.fits.is_some()) {
        return Ok(None);
    }
    let marks = uses(world, session).await?.into_iter().filter(|one| one.expected).filter_map(|one| one.mark);
    let changes = marks.filter_map(|mark| mark.reported().into_call());
    let first = changes.min_by_key(|finding| (finding.time, finding.key));
    Ok(first.map(|first| Unsettled { first, refuted: !seen.is_empty() }))
}

/// What is known of how a session began.
async fn beginnings(world: &impl World, session: u64) -> Result<Vec<Began>, RuntimeError> {
    // Both kinds, and nothing else of the session: `began#` and `fits#`.
    all(world, session, ("began#", "fits#~"), BEGINNINGS).await
}

impl Use {
    /// Where it is stored: what there would be to report has a place of its own, so that many sessions that somebody has issued
    /// beside don't hide it.
    fn sort(&self, event: Key) -> String {
        let kind = if self.mark.is_some() || self.deploys { "used" } else { "issued" };
        format!("{kind}#{:016x}", event.0)
    }
}

/// What was done in a session: what there would be to report first.
async fn uses(world: &impl World, session: u64) -> Result<Vec<Use>, RuntimeError> {
    let mut found = all(world, session, ("used#", "used#~"), USES).await?;
    found.extend(all(world, session, ("issued#", "issued#~"), USES).await?);
    Ok(found)
}

/// What was found, and the sessions that it leads to.
#[derive(Default)]
struct Found {
    findings: Vec<Reported>,
    sessions: BTreeMap<u64, Began>,
}

impl Found {
    /// Follows the sessions that were issued in refuted ones.
    async fn follow_on(&mut self, world: &impl World) -> Result<(), RuntimeError> {
        for _ in 0..HOPS {
            let led = std::mem::take(&mut self.sessions);
            let mut puts = BTreeSet::new();
            for (session, how) in &led {
                puts.insert((partition(*session), "began#led".to_owned(), stored::text(how)?));
            }
            put_all(world, puts).await?;
            for (session, how) in led {
                self.follow(&how, uses(world, session).await?);
            }
        }
        Ok(())
    }

    fn follow(&mut self, began: &Began, uses: Vec<Use>) {
        for Use { mark, issued, deploys, .. } in uses {
            if let Some(Reported::Call(mut finding)) = mark.map(Mark::reported) {
                if finding.reason.ends_with(OPEN) {
                    let how = if began.person { behind(&began.how) } else { began.how.clone() };
                    finding.reason.push_str(&how);
                    finding.reason.push('.');
                }
                self.findings.push(finding.into());
            }
            let how = match (began.person, deploys) {
                (true, true) => behind(&began.how),
                (true, false) => began.how.clone(),
                (false, true) => passed_on(&began.how),
                (false, false) => continue,
            };
            if let Some(session) = issued {
                self.sessions.insert(session, Began { how, person: began.person && !deploys, fits: None });
            }
        }
    }
}

async fn all<T: for<'de> Deserialize<'de>>(
    world: &impl World,
    session: u64,
    (from, to): (&str, &str),
    most: usize,
) -> Result<Vec<T>, RuntimeError> {
    let partition = &partition(session);
    let texts = world.range(Range { partition, from, to, most, backwards: false }).await?;
    Ok(texts.iter().filter_map(|text| stored::read(world, "reading a session's proof", text, &[])).collect())
}
