//! What other records say of a deploy session, whichever comes first: that a person is behind it, or that it was misused from
//! its beginning. The same as [`handsoff_core::origins`] says of a log.
//!
//! A session has a partition. In it are how the session began, and what was done in it that depends on that: changes as the
//! pipeline, and sessions that were issued in it. Each is put first, and the other read then. A session that nothing can refute
//! any more costs one read, and nothing of what is done in it is stored: see [`ProvenSessions`].

use std::collections::{BTreeMap, BTreeSet, HashSet};

use handsoff_cloudtrail::TimeDelta;
use handsoff_core::origins::{Beginning, HOPS, Issue, behind, passed_on};
use handsoff_core::{Call, Finding, Key, Reported};
use serde::{Deserialize, Serialize};

use super::episode::Mark;
use super::error::RuntimeError;
use super::ports::{Range, World};
use super::proven_sessions::ProvenSessions;
use super::puts::{Item, put_all};
use super::stored;
use super::unproven::{Unproven, partition};

/// How a reason ends that lacks its end.
const OPEN: &str = ", but ";

/// So much of what was done in a session is read.
const USES: usize = 1000;

/// So many records of a session's beginning are read: there is one, or two of a call into another account.
const BEGINNINGS: usize = 10;

/// What a record says of sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    began: Option<(u64, Began)>,
    used: Option<(u64, Use)>,
    opening: Option<Unproven>,
    event: Key,
    /// Whether another account has a record of the same call, which may come yet.
    has_a_copy: bool,
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
    #[serde(rename = "fits", default, skip_serializing_if = "Option::is_none")]
    allowed: Option<Allowed>,
    /// The session that it was issued in, where that decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<u64>,
}

impl Began {
    /// Where it is stored, and as what.
    fn item(&self, session: u64, event: Key) -> Result<Item, RuntimeError> {
        let kind = if self.allowed.is_some() { "fits" } else { "began" };
        Ok((partition(session), format!("{kind}#{:016x}", event.0), stored::text(self)?))
    }
}

/// A beginning that its entry of the policy allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Allowed {
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
    pub fn of_issue(
        call: &Call<'_>,
        beginning: Beginning,
        finding: impl FnOnce() -> Option<Finding>,
    ) -> Self {
        let began = |session, how, person| Some((session, Began { how, person, ..Began::default() }));
        let of_entry =
            |session, allowed, by| Some((session, Began { allowed: Some(allowed), by, ..Began::default() }));
        let (event, has_a_copy) = (Key::of(&call.record), call.has_a_copy());
        let own = Self { event, has_a_copy, ..Self::default() };
        match beginning {
            Beginning::Refuted { session, how } => Self { began: began(session, how, false), ..own },
            Beginning::ByPerson { session, who } => Self { began: began(session, who, true), ..own },
            Beginning::Allowed(session) => Self { began: of_entry(session, Allowed::Proven, None), ..own },
            Beginning::Issued(Issue { session, by, deploys }) => {
                let mark = finding().filter(|_| deploys).map(|finding| Mark::new(&finding));
                let used = Use { mark, issued: Some(session), deploys, expected: false };
                let began = if deploys { of_entry(session, Allowed::Issued, Some(by)) } else { None };
                Self { began, used: Some((by, used)), ..own }
            }
        }
    }

    /// What there is to report of a change in a deploy session, if that began otherwise than it may; the end of its reason may
    /// be missing. `opening`: of a change that is expected, what CloudTrail is asked if no record shows the session's beginning.
    pub fn of_change(session: u64, finding: &Finding, opening: Option<Unproven>) -> Self {
        let used = Use { mark: Some(Mark::new(finding)), expected: opening.is_some(), ..Use::default() };
        Self { used: Some((session, used)), opening, event: finding.key, ..Self::default() }
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
    let mut batch = Batch::default();
    proofs.into_iter().try_for_each(|proof| batch.take(proof))?;
    put_all(world, batch.puts).await?;
    for session in batch.proven {
        proven.add(session);
    }
    for (session, _) in &batch.refuted {
        proven.forget(*session);
    }
    let mut looked = put_issued(world, batch.issued, proven).await?;
    let mut found = Found::default();
    for (session, uses) in batch.used {
        if proven.has(session) || (looked.insert(session) && is_proven(world, session, proven).await?) {
            continue;
        }
        put_all(world, uses.puts).await?;
        // Again: of this and of what shows the beginning, whichever is written last reads the other.
        let seen = beginnings(world, session).await?;
        if matches!(standing(&seen), Some(Standing::Proven)) {
            proven.add(session);
        }
        if let (true, Some(opening)) = (seen.is_empty(), uses.opening) {
            opening.wait(world, session, patience).await?;
        }
        if let Some(how) = seen.into_iter().filter(|how| how.allowed.is_none()).min() {
            found.follow(&how, uses.done);
        }
    }
    for (session, how) in batch.refuted {
        found.follow(&how, self::uses(world, session).await?);
    }
    found.follow_on(world, proven).await?;
    Ok(found.findings)
}

/// What a batch says of sessions.
#[derive(Default)]
struct Batch {
    /// What is put in any case.
    puts: BTreeSet<Item>,
    /// The sessions whose beginning proves them, and of which there is no other record that could refute them.
    proven: HashSet<u64>,
    /// Those whose beginning refutes them, or has a person.
    refuted: Vec<(u64, Began)>,
    /// Those that depend on the session that they were issued in.
    issued: Vec<IssuedIn>,
    used: BTreeMap<u64, Uses>,
}

/// The beginning of a session that was issued in another one.
struct IssuedIn {
    session: u64,
    how: Began,
    event: Key,
    has_a_copy: bool,
}

impl Batch {
    fn take(&mut self, proof: Proof) -> Result<(), RuntimeError> {
        let Proof { began, used, opening, event, has_a_copy } = proof;
        if let Some((session, how)) = began {
            match how.allowed {
                Some(Allowed::Issued) => self.issued.push(IssuedIn { session, how, event, has_a_copy }),
                Some(Allowed::Proven) => {
                    self.puts.insert(how.item(session, event)?);
                    self.proven.extend(Some(session).filter(|_| !has_a_copy));
                }
                None => {
                    self.puts.insert(how.item(session, event)?);
                    self.refuted.push((session, how));
                }
            }
        }
        if let Some((session, one)) = used {
            let uses = self.used.entry(session).or_default();
            uses.puts.insert((partition(session), one.sort(event), stored::text(&one)?));
            uses.done.push(one);
            uses.opening = uses.opening.take().or(opening);
        }
        Ok(())
    }
}

/// Puts the beginnings of sessions that were issued in others: of one that is proven, so is its own. Returns the sessions that
/// were read for it.
async fn put_issued(
    world: &impl World,
    mut issued: Vec<IssuedIn>,
    proven: &ProvenSessions,
) -> Result<HashSet<u64>, RuntimeError> {
    let (mut looked, mut puts) = (HashSet::new(), BTreeSet::new());
    let own: HashSet<u64> = issued.iter().map(|one| one.session).collect();
    for by in issued.iter().filter_map(|one| one.how.by).filter(|by| !own.contains(by)) {
        if looked.insert(by) {
            is_proven(world, by, proven).await?;
        }
    }
    for _ in 0..HOPS {
        for IssuedIn { session, how, has_a_copy, .. } in &mut issued {
            if how.by.is_some_and(|by| proven.has(by)) {
                *how = Began { allowed: Some(Allowed::Proven), ..Began::default() };
                if !*has_a_copy {
                    proven.add(*session);
                }
            }
        }
    }
    for IssuedIn { session, how, event, .. } in issued {
        if let Some(by) = how.by {
            proven.issued(session, by);
        }
        puts.insert(how.item(session, event)?);
    }
    put_all(world, puts).await?;
    Ok(looked)
}

/// Whether nothing can refute a session any more: by its own beginning, or by that of the one that it was issued in.
async fn is_proven(world: &impl World, session: u64, proven: &ProvenSessions) -> Result<bool, RuntimeError> {
    let is_due = proven.is_due(session);
    let (mut chain, mut at) = (Vec::new(), session);
    for _ in 0..=HOPS {
        if proven.has(at) {
            proven.add_all(&chain);
            return Ok(true);
        }
        chain.push(at);
        if let Some(by) = proven.issuer(at) {
            at = by;
            continue;
        }
        if !is_due {
            return Ok(false);
        }
        match standing(&beginnings(world, at).await?) {
            Some(Standing::Proven) => {
                proven.add_all(&chain);
                return Ok(true);
            }
            Some(Standing::Issued(by)) => {
                proven.issued(at, by);
                at = by;
            }
            None => return Ok(false),
        }
    }
    Ok(false)
}

/// What the beginning of a session that isn't refuted says of it.
enum Standing {
    /// Nothing can refute it any more.
    Proven,
    /// It is as the one that it was issued in.
    Issued(u64),
}

/// By all that is known of how a session began, what refutes it first. Of two records of one call, the one that says more counts.
fn standing(seen: &[Began]) -> Option<Standing> {
    let more = seen.iter().find(|how| how.allowed != Some(Allowed::Proven));
    more.or(seen.first()).and_then(|how| match how.allowed? {
        Allowed::Proven => Some(Standing::Proven),
        Allowed::Issued => how.by.map(Standing::Issued),
    })
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
    if seen.iter().any(|how| how.allowed.is_some()) {
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
    async fn follow_on(&mut self, world: &impl World, proven: &ProvenSessions) -> Result<(), RuntimeError> {
        for _ in 0..HOPS {
            let led = std::mem::take(&mut self.sessions);
            let mut puts = BTreeSet::new();
            for (session, how) in &led {
                proven.forget(*session);
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
                self.sessions
                    .insert(session, Began { how, person: began.person && !deploys, ..Began::default() });
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
