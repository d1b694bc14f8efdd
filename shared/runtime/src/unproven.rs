//! Deploy sessions whose beginning no record has shown yet: each waits on the list of open documents, until the sweep asks
//! CloudTrail for it.

use handsoff_cloudtrail::{Time, TimeDelta};
use serde::{Deserialize, Serialize};

use super::document::{Document, Held};
use super::due::{Due, Task};
use super::error::RuntimeError;
use super::ports::{Clock, World};
use super::stored::{self, Was};

/// The sort key of a session's document.
pub const PROOF: &str = "proof";

/// The partition of a session.
pub(super) fn partition(session: u64) -> String {
    format!("session#{session:016x}")
}

/// The document of a deploy session whose beginning isn't known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnprovenSession(pub u64);

impl UnprovenSession {
    /// That of a partition.
    pub fn parse(name: &str) -> Option<Self> {
        u64::from_str_radix(name.strip_prefix("session#")?, 16).ok().map(Self)
    }
}

/// What CloudTrail is asked of a deploy session, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unproven {
    /// ARN of its role.
    pub role: String,
    /// The Region of its first change.
    pub region: String,
    /// When its credentials were issued.
    pub created: Option<Time>,
    /// When it is due; `None`: it is settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Time>,
    /// What a later version has written.
    #[serde(skip)]
    pub was: Was,
}

impl Unproven {
    /// Puts the session on the list, unless it was there.
    pub(super) async fn wait(
        self,
        world: &impl World,
        session: u64,
        patience: TimeDelta,
    ) -> Result<(), RuntimeError> {
        let document = UnprovenSession(session);
        let mut held = Held::of(world, &document).await?;
        if held.exists() {
            return Ok(());
        }
        held.state = Self { due: Some(world.now() + patience), ..self };
        // Else another function has put it there.
        held.write(world).await.map(drop)
    }
}

impl Document for UnprovenSession {
    type State = Unproven;

    const CHANGE: &'static str = "waiting for the beginning of a deploy session";

    fn keys(&self) -> (String, String) {
        (partition(self.0), PROOF.to_owned())
    }

    fn parse(&self, clock: &impl Clock, text: &str) -> Result<Unproven, RuntimeError> {
        // What can't be read is settled: its changes are stored all the same.
        let read: Option<Unproven> = stored::read(clock, "reading an unproven deploy session", text, &[]);
        Ok(Unproven { was: Was::of(text), ..read.unwrap_or_default() })
    }

    fn text(&self, state: &Unproven) -> Result<String, RuntimeError> {
        state.was.text(state, |whole| serde_json::from_value(whole.clone()).unwrap_or_default())
    }

    fn due(&self, state: &Unproven) -> Option<Due> {
        state.due.map(|at| Due { task: Task::Proof, at, waiting: None })
    }
}
