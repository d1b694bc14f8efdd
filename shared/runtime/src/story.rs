//! The facts of stories, as they are remembered: [`handsoff_core::story`].

use std::collections::BTreeSet;

use handsoff_cloudtrail::{Record, Time};
use serde::{Deserialize, Serialize};

use super::error::RuntimeError;
use super::marks::marks;
use super::ports::{Range, World};
use super::puts::put_all;
use super::stored;
use handsoff_core::incident::Incident;
use handsoff_core::story::{Actions, Facts, Identity, Issued, Made, Story, worked_around};
use handsoff_core::{Key, Reported, ReportedRef};

/// So much is read of an identity: how often it was made, and the incidents in which it acts.
const READ: usize = 100;

/// So many records of one session's issue are read: there is one, or two of a call into another account.
const ISSUED: usize = 10;

/// So many findings of another incident are read, to say what was done in it.
const SHOWN: usize = 200;

/// An incident in which an identity acts, or in which a principal succeeded that was denied others on the same day.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Used {
    incident: String,
}

fn partition(of: &Identity) -> String {
    format!("story#{}", of.id())
}

/// Remembers what findings make, and as whom. Before the findings: of two functions that each have one of two records at
/// least one reads the other's.
pub(super) async fn keep(world: &impl World, findings: &[Reported]) -> Result<(), RuntimeError> {
    let mut puts = BTreeSet::new();
    for finding in findings.iter().map(Reported::as_ref) {
        for who in finding.ties().may_be_made() {
            let incident = finding.incident().to_owned();
            let sort = format!("used#{incident}");
            puts.insert((partition(who), sort, stored::text(&Used { incident })?));
        }
        if let Some((what, made)) = Made::by(finding) {
            let at = made.at.map(|at| at.to_string()).unwrap_or_default();
            let sort = format!("made#{at}#{:016x}", finding.key().0);
            puts.insert((partition(what), sort, stored::text(&made)?));
        }
        if let Some(denials) = worked_around(finding) {
            let incident = finding.incident().to_owned();
            puts.insert((denials, format!("worked#{incident}"), stored::text(&Used { incident })?));
        }
    }
    put_all(world, puts).await
}

/// A session that a call issued, and what its record says of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Session {
    who: Identity,
    issued: Issued,
    event: Key,
}

impl Session {
    /// The session that a record's call issued to somebody, or the requests that an agent's tool made.
    pub fn issued_by(record: &Record<'_>) -> Vec<Self> {
        let one = |(who, issued)| Self { who, issued, event: Key::of(record) };
        Issued::by(record).into_iter().map(one).collect()
    }
}

/// Remembers who issued sessions: an item each.
///
/// # Errors
/// The first failure; what was written stays, and may be written again.
pub async fn keep_issued(
    world: &impl World,
    sessions: impl IntoIterator<Item = Session>,
) -> Result<(), RuntimeError> {
    let mut puts = BTreeSet::new();
    for Session { who, issued, event } in sessions {
        let sort = format!("issued#{:016x}", event.0);
        puts.insert((partition(&who), sort, stored::text(&issued)?));
    }
    put_all(world, puts).await
}

/// The story of an incident, as far as it is known now, for a message that shows this finding of it. An alert without it is
/// better than none.
pub(super) async fn of(world: &impl World, incident: &Incident, shown: Option<ReportedRef<'_>>) -> Story {
    let Some(shown) = shown else { return Story::default() };
    Story::of(&Remembered(world), incident, shown, Some(world.now())).await.unwrap_or_else(|failure| {
        world.log(failure.into());
        Story::default()
    })
}

struct Remembered<'w, W>(&'w W);

impl<W: World> Remembered<'_, W> {
    async fn all<T: for<'de> Deserialize<'de>>(
        &self,
        partition: &str,
        from: &str,
        most: usize,
    ) -> Result<Vec<T>, RuntimeError> {
        let to = &format!("{from}~");
        let range = Range { partition, from, to, most, backwards: true };
        let texts = self.0.range(range).await?;
        Ok(texts.iter().filter_map(|text| stored::read(self.0, "reading a story", text, &[])).collect())
    }

    async fn incidents(&self, partition: &str, from: &str) -> Result<BTreeSet<String>, RuntimeError> {
        Ok(self.all(partition, from, READ).await?.into_iter().map(|used: Used| used.incident).collect())
    }
}

impl<W: World> Facts for Remembered<'_, W> {
    type Error = RuntimeError;

    async fn made(&self, what: &Identity) -> Result<Vec<Made>, RuntimeError> {
        self.all(&partition(what), "made#", READ).await
    }

    async fn used(&self, who: &Identity, _: Option<Time>) -> Result<BTreeSet<String>, RuntimeError> {
        self.incidents(&partition(who), "used#").await
    }

    async fn actions(&self, incident: &str, until: Option<Time>) -> Result<Actions, RuntimeError> {
        let range = Range { partition: incident, from: "mark#", to: "mark#~", most: SHOWN, backwards: false };
        Ok(Actions::of(&marks(self.0, range).await?, until))
    }

    async fn worked(&self, denials: &str, _: Option<Time>) -> Result<BTreeSet<String>, RuntimeError> {
        self.incidents(denials, "worked#").await
    }

    async fn issued(&self, session: &Identity) -> Result<Vec<Issued>, RuntimeError> {
        self.all(&partition(session), "issued#", ISSUED).await
    }
}
