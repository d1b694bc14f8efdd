//! An episode's document: read, and changed as often as somebody else is faster.

use super::episode::{Episode, State};
use super::ports::{Failure, World};
use super::summary;

/// After so many tries somebody else is always faster, or something is broken.
pub(super) const TRIES: usize = 12;

/// An episode's state, as it was when it was last read or written.
#[derive(Debug)]
pub struct Held<'e> {
    /// The episode.
    pub episode: &'e Episode,
    /// Its state.
    pub state: State,
    version: Option<u64>,
}

impl<'e> Held<'e> {
    /// The state of an episode as it is now.
    ///
    /// # Errors
    /// When it can't be read.
    pub async fn of(world: &impl World, episode: &'e Episode) -> Result<Self, Failure> {
        let (version, state) = state(world, episode).await?;
        Ok(Self { episode, state, version })
    }

    /// Whether anything is remembered of it.
    pub fn exists(&self) -> bool {
        self.version.is_some()
    }

    /// Whether it is a storm's summary, and no incident.
    pub fn is_summary(&self) -> bool {
        summary::is_summary(&self.episode.incident)
    }

    /// Changes it, unless `change` finds nothing to do. It is asked again when somebody else was faster, with what they
    /// have written. Tells whether anything was written.
    ///
    /// # Errors
    /// When it can't be read or written.
    pub async fn change(
        &mut self,
        world: &impl World,
        change: impl Fn(&mut State) -> bool,
    ) -> Result<bool, Failure> {
        for _ in 0..TRIES {
            let mut next = self.state.clone();
            if !change(&mut next) {
                return Ok(false);
            }
            if write(world, self.episode, self.version, &next).await? {
                self.version = Some(self.version.map_or(1, |version| version + 1));
                self.state = next;
                return Ok(true);
            }
            (self.version, self.state) = state(world, self.episode).await?;
        }
        Err(contended())
    }
}

pub(super) async fn state(world: &impl World, episode: &Episode) -> Result<(Option<u64>, State), Failure> {
    match world.read(&episode.incident, &episode.sort()).await? {
        None => Ok((None, State::default())),
        Some((version, text)) => Ok((Some(version), State::parse(world, &text))),
    }
}

impl State {
    /// The state of an episode, as it is remembered.
    ///
    /// # Errors
    /// When it can't be read.
    pub async fn of(world: &impl World, episode: &Episode) -> Result<Option<Self>, Failure> {
        let (version, state) = state(world, episode).await?;
        Ok(version.map(|_| state))
    }
}

pub(super) async fn write(
    world: &impl World,
    episode: &Episode,
    version: Option<u64>,
    state: &State,
) -> Result<bool, Failure> {
    world.swap(&episode.incident, &episode.sort(), version, &state.text()?, state.due(episode)).await
}

pub(super) fn contended() -> Failure {
    Failure::new("claiming an alert", "others were faster twelve times")
}
