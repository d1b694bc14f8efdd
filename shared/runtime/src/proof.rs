//! What other records say of a deploy session, whichever comes first: that a person is behind it, or that it was misused from
//! its beginning. The same as [`handsoff_core::origins`] says of a log.
//!
//! A session has a partition. In it are how the session began, if that refutes it, and what was done in it that depends on
//! that: changes as the pipeline, and sessions that were issued in it. Each is put first, and the other read then.

use std::collections::{BTreeMap, BTreeSet};

use handsoff_core::origins::{Beginning, HOPS, Issue, behind, passed_on};
use handsoff_core::{Finding, Key, Reported};
use serde::{Deserialize, Serialize};

use super::episode::Mark;
use super::error::RuntimeError;
use super::ports::{Range, World};
use super::puts::put_all;
use super::stored;

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
    event: Key,
}

/// How a session began that is none of the pipeline's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Began {
    /// The person who assumed its role; else what shows that a deploy role is misused.
    how: String,
    person: bool,
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
}

impl Proof {
    /// What a call says of the session that it issued. `finding`: what there is to report if a person is behind the caller's
    /// session; the end of its reason is missing.
    pub fn of_issue(event: Key, beginning: Beginning, finding: impl FnOnce() -> Option<Finding>) -> Self {
        let began = |session, how, person| Some((session, Began { how, person }));
        match beginning {
            Beginning::Refuted { session, how } => {
                Self { began: began(session, how, false), used: None, event }
            }
            Beginning::ByPerson { session, who } => {
                Self { began: began(session, who, true), used: None, event }
            }
            Beginning::Issued(Issue { session, by, deploys }) => {
                let mark = finding().filter(|_| deploys).map(|finding| Mark::new(&finding));
                let used = Use { mark, issued: Some(session), deploys };
                Self { began: None, used: Some((by, used)), event }
            }
        }
    }

    /// What there is to report of a change in a deploy session, if that began otherwise than it may; the end of its reason may
    /// be missing.
    pub fn of_change(session: u64, finding: &Finding) -> Self {
        let used = Use { mark: Some(Mark::new(finding)), ..Use::default() };
        Self { began: None, used: Some((session, used)), event: finding.key }
    }
}

fn partition(session: u64) -> String {
    format!("session#{session:016x}")
}

/// Remembers what records say of sessions, and returns what there is to report by that.
///
/// # Errors
/// The first failure; what was written stays, and may be written again.
pub async fn prove(
    world: &impl World,
    proofs: impl IntoIterator<Item = Proof>,
) -> Result<Vec<Reported>, RuntimeError> {
    let (mut puts, mut began, mut used) = (BTreeSet::new(), Vec::new(), BTreeMap::<u64, Vec<Use>>::new());
    for Proof { began: refuted, used: by, event } in proofs {
        if let Some((session, how)) = refuted {
            puts.insert((partition(session), format!("began#{:016x}", event.0), stored::text(&how)?));
            began.push((session, how));
        }
        if let Some((session, one)) = by {
            puts.insert((partition(session), one.sort(event), stored::text(&one)?));
            used.entry(session).or_default().push(one);
        }
    }
    put_all(world, puts).await?;
    let mut found = Found::default();
    for (session, uses) in used {
        // One read a session, whatever was done in it.
        if let Some(how) = all::<Began>(world, session, "began#", BEGINNINGS).await?.into_iter().min() {
            found.follow(&how, uses);
        }
    }
    for (session, how) in began {
        found.follow(&how, uses(world, session).await?);
    }
    for _ in 0..HOPS {
        let led = std::mem::take(&mut found.sessions);
        let mut puts = BTreeSet::new();
        for (session, how) in &led {
            puts.insert((partition(*session), "began#led".to_owned(), stored::text(how)?));
        }
        put_all(world, puts).await?;
        for (session, how) in led {
            found.follow(&how, uses(world, session).await?);
        }
    }
    Ok(found.findings)
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
    let mut found = all(world, session, "used#", USES).await?;
    found.extend(all(world, session, "issued#", USES).await?);
    Ok(found)
}

/// What was found, and the sessions that it leads to.
#[derive(Default)]
struct Found {
    findings: Vec<Reported>,
    sessions: BTreeMap<u64, Began>,
}

impl Found {
    fn follow(&mut self, began: &Began, uses: Vec<Use>) {
        for Use { mark, issued, deploys } in uses {
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
                self.sessions.insert(session, Began { how, person: began.person && !deploys });
            }
        }
    }
}

async fn all<T: for<'de> Deserialize<'de>>(
    world: &impl World,
    session: u64,
    from: &str,
    most: usize,
) -> Result<Vec<T>, RuntimeError> {
    let (partition, to) = (&partition(session), &format!("{from}~"));
    let texts = world.range(Range { partition, from, to, most, backwards: false }).await?;
    Ok(texts.iter().filter_map(|text| stored::read(world, "reading a session's proof", text, &[])).collect())
}
