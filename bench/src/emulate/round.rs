//! What a process is handed.

use std::sync::Arc;

/// One payload, handed out several times.
#[derive(Clone, Debug)]
pub struct Round {
    /// Its name in the result.
    pub name: String,
    /// How many times.
    pub times: usize,
    /// The payload.
    pub payload: Arc<[u8]>,
}
