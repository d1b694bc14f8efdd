//! What telling depends on.

use handsoff_core::alert::Note;
use handsoff_core::policy::Alerts;

use super::due::Lease;
use super::episode::Episode;
use super::error::RuntimeError;
use super::ports::World;

/// What is known of an incident beyond its findings, for its messages.
pub trait Notes {
    /// The lines to show.
    ///
    /// # Errors
    /// When they can't be read.
    #[expect(async_fn_in_trait, reason = "functions run on one thread")]
    async fn notes(&self, world: &impl World, episode: &Episode) -> Result<Vec<Note>, RuntimeError>;
}

/// Nothing beyond the findings.
impl Notes for () {
    async fn notes(&self, _: &impl World, _: &Episode) -> Result<Vec<Note>, RuntimeError> {
        Ok(Vec::new())
    }
}

/// What telling depends on.
#[derive(Debug)]
pub struct Telling<'t, N> {
    /// What is sent, and when.
    pub policy: &'t Alerts,
    /// After how long a claimed alert counts as not sent.
    pub lease: Lease,
    /// What is known beyond the findings.
    pub notes: &'t N,
}

impl<N> Clone for Telling<'_, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N> Copy for Telling<'_, N> {}
