//! Who issued the sessions of a replay: all of it, in bounded memory.

use std::collections::BTreeSet;
use std::io::{self, BufRead};

use handsoff_cloudtrail::Record;
use handsoff_core::Incident;
use handsoff_core::story::{HOPS, Identity, Issued, Origins};

use super::spool::{Spool, Spooled};

/// Takes records in any order.
#[derive(Debug, Default)]
pub(super) struct Issuers(Spool<One>);

impl Issuers {
    /// Notes a record, if its call issued a session, or is a tool's that made requests.
    pub(super) fn note(&mut self, record: &Record<'_>) {
        for (session, issued) in Issued::by(record) {
            self.0.add(One(session, issued));
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.0.merge(other.0);
    }

    /// Of these incidents' sessions who issued them, and of their issuers' the same.
    ///
    /// # Errors
    /// When what lies in a temporary file can't be read back.
    pub(super) fn of<'i>(self, incidents: impl IntoIterator<Item = &'i Incident>) -> io::Result<Origins> {
        let mut origins = Origins::default();
        let mut wanted: BTreeSet<Identity> =
            incidents.into_iter().flat_map(Incident::looked_up).cloned().collect();
        let all = self.0.sorted();
        for _ in 0..HOPS {
            if wanted.is_empty() {
                break;
            }
            for one in all.iter() {
                let One(session, issued) = one?;
                if wanted.contains(&session) {
                    origins.add(session, issued);
                }
            }
            wanted = origins.issuers().into_iter().filter(|session| !wanted.contains(session)).collect();
        }
        Ok(origins)
    }
}

/// A session, and what a record says of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct One(Identity, Issued);

/// As a line of JSON.
impl Spooled for One {
    /// Some 4 MB.
    const RUN: usize = 8 << 10;

    fn write(&self, run: &mut Vec<u8>) -> io::Result<()> {
        serde_json::to_writer(&mut *run, &(&self.0, &self.1))?;
        run.push(b'\n');
        Ok(())
    }

    fn read(run: &mut impl BufRead) -> io::Result<Self> {
        let mut line = Vec::new();
        run.read_until(b'\n', &mut line)?;
        let (session, issued) = serde_json::from_slice(&line)?;
        Ok(Self(session, issued))
    }
}
