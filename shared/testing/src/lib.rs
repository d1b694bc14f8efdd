//! What the tests of all crates share. No product code depends on it (`tests/tests/layout.rs`).
//!
//! [`in_memory`] has the ports without AWS, [`fault_injection`] breaks them at any call, [`slow`] has them take their time
//! by a clock of their own; [`records`] makes records, and [`finding`] findings, of which a test says only what it is about.
//!
//! The unit tests of a crate below this one can't hand these types to their own crate, which is compiled once more for
//! them: such a test is an integration test, in the crate's folder `tests`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a test may panic"
)]

pub mod fault_injection;
pub mod finding;
pub mod in_memory;
pub mod records;
pub mod slow;
pub mod timers;

use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Runs something to its end. What it waits for has to go on by itself.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return done;
        }
    }
}
