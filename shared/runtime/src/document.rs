//! Stored documents that change: each is read, changed, and written if nobody else has written it meanwhile.
//!
//! This is the only place that writes a document, so that what the list of open ones says of it is always made of what is
//! written.

use std::fmt::Debug;

use super::due::Due;
use super::error::RuntimeError;
use super::ports::{Clock, ConditionalWrite, World};

/// After so many tries somebody else is always faster, or something is broken.
pub(super) const TRIES: usize = 12;

/// A document by its keys, and how it is stored.
pub trait Document: Clone + Debug {
    /// What it holds. Its default is what a document holds that isn't there.
    type State: Clone + Debug + Default;

    /// What is done when it is changed, as a failure to do so names it.
    const CHANGE: &'static str;

    /// Its partition and its sort key.
    fn keys(&self) -> (String, String);

    /// Reads its text. Logs what of it isn't understood.
    ///
    /// # Errors
    /// When it can't be read, and must not be written over.
    fn parse(&self, clock: &impl Clock, text: &str) -> Result<Self::State, RuntimeError>;

    /// Its text.
    ///
    /// # Errors
    /// When it can't be written as JSON.
    fn text(&self, state: &Self::State) -> Result<String, RuntimeError>;

    /// What the list of open documents says of it: nothing when it isn't open.
    fn due(&self, _: &Self::State) -> Option<Due> {
        None
    }
}

/// What comes of an attempt to change a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<T> {
    /// It is to be written; this is the result once it is.
    Write(T),
    /// It stays as it is.
    Leave(T),
}

/// A document, as it was when it was last read or written.
#[derive(Clone, Debug)]
pub struct Held<'d, D: Document> {
    /// Which one.
    pub document: &'d D,
    /// What it holds.
    pub state: D::State,
    version: Option<u64>,
}

impl<'d, D: Document> Held<'d, D> {
    /// A document as it is now.
    ///
    /// # Errors
    /// When it can't be read.
    pub async fn of(world: &impl World, document: &'d D) -> Result<Self, RuntimeError> {
        let (partition, sort) = document.keys();
        let (version, state) = match world.read(&partition, &sort).await? {
            None => (None, D::State::default()),
            Some((version, text)) => (Some(version), document.parse(world, &text)?),
        };
        Ok(Self { document, state, version })
    }

    /// Whether it is there.
    pub fn exists(&self) -> bool {
        self.version.is_some()
    }

    /// Writes it as it is held here, once: `false` if somebody else was faster. For those to whom that says that another
    /// has done the same; all others [`update`] it.
    ///
    /// # Errors
    /// When it can't be written.
    pub async fn write(&mut self, world: &impl World) -> Result<bool, RuntimeError> {
        let (partition, sort) = self.document.keys();
        let (text, due) = (self.document.text(&self.state)?, self.document.due(&self.state));
        let (partition, sort, text) = (&*partition, &*sort, &*text);
        let written = world.swap(ConditionalWrite { partition, sort, seen: self.version, text, due }).await?;
        if written {
            self.version = Some(self.version.map_or(1, |version| version + 1));
        }
        Ok(written)
    }

    /// Changes it, unless `change` finds nothing to do. It is asked again when somebody else was faster, with what they
    /// have written. Tells whether anything was written.
    ///
    /// # Errors
    /// When it can't be read or written.
    pub async fn change(
        &mut self,
        world: &impl World,
        change: impl Fn(&mut D::State) -> bool,
    ) -> Result<bool, RuntimeError> {
        self.update(world, async |held| {
            let changed = change(&mut held.state);
            Ok(if changed { Change::Write(true) } else { Change::Leave(false) })
        })
        .await
    }

    /// As [`Self::change`], where the change has a result, or writes something else before the document.
    ///
    /// # Errors
    /// When something can't be read or written, or others are always faster.
    pub async fn update<T>(
        &mut self,
        world: &impl World,
        change: impl AsyncFnMut(&mut Self) -> Result<Change<T>, RuntimeError>,
    ) -> Result<T, RuntimeError> {
        self.attempt(world, change).await?.ok_or_else(contended::<D>)
    }

    /// As [`Self::update`]; `None` if others are always faster.
    pub(super) async fn attempt<T>(
        &mut self,
        world: &impl World,
        mut change: impl AsyncFnMut(&mut Self) -> Result<Change<T>, RuntimeError>,
    ) -> Result<Option<T>, RuntimeError> {
        for tried in 0..TRIES {
            if tried > 0 {
                *self = Self::of(world, self.document).await?;
            }
            let mut next = self.clone();
            let result = match change(&mut next).await? {
                Change::Leave(result) => return Ok(Some(result)),
                Change::Write(result) => result,
            };
            if next.write(world).await? {
                *self = next;
                return Ok(Some(result));
            }
        }
        Ok(None)
    }
}

/// Reads a document, changes it and writes it, again as often as somebody else was faster. `change` may read and write other
/// things, but must bear being repeated.
///
/// # Errors
/// When something can't be read or written, or others are always faster.
pub async fn update<D: Document, T>(
    world: &impl World,
    document: &D,
    change: impl AsyncFnMut(&mut Held<'_, D>) -> Result<Change<T>, RuntimeError>,
) -> Result<T, RuntimeError> {
    Held::of(world, document).await?.update(world, change).await
}

/// Others were always faster.
pub(super) fn contended<D: Document>() -> RuntimeError {
    RuntimeError::Contended { what: D::CHANGE }
}
