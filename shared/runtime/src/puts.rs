//! Many observations at once.

use futures_util::stream::{self, StreamExt};

use super::error::RuntimeError;
use super::ports::World;

/// How many calls are on their way at once.
pub const AT_ONCE: usize = 16;

/// An observation: its partition, its sort key and its text.
pub(super) type Item = (String, String, String);

/// Remembers all, also those behind one that can't be written.
///
/// # Errors
/// The first failure; what was written stays, and may be written again.
pub(super) async fn put_all(
    world: &impl World,
    items: impl IntoIterator<Item = Item>,
) -> Result<(), RuntimeError> {
    let puts = items
        .into_iter()
        .map(|(partition, sort, text)| async move { world.put(&partition, &sort, &text).await });
    let mut puts = stream::iter(puts).buffer_unordered(AT_ONCE);
    let mut done = Ok(());
    while let Some(put) = puts.next().await {
        done = done.and(put.map(drop));
    }
    done
}
