//! The drift ledger: which resources were changed by hand, for how long that has stood, and what became of it.
//!
//! Pure: no clock, no I/O; only [`live`] waits, for the memory of a deployed stack. An [`Observation`] is what one record, or one acceptance, says of one resource; it never changes.
//! A [`Ledger`] is a set of them, so neither order nor repeats matter, and [`Ledger::items`] is a function of that set, the
//! policy and the time. [`rows()`] folds the items that have one cause.

#![cfg_attr(test, allow(clippy::string_slice, reason = "a test may panic"))]

pub mod accept;
mod acceptance;
mod item;
mod ledger;
mod lines;
pub mod live;
mod observation;
mod resource;
mod row;
mod table;

pub use accept::Accepted;
pub use acceptance::Acceptance;
pub use item::{Cause, Item, State, Terms};
pub use ledger::Ledger;
pub use lines::{Age, age, by_age, notes};
pub use observation::{Hand, Observation, Observed, What, of};
pub use resource::{Resource, ResourceError, changed};
pub use row::{Row, rows};
pub use table::Does;
