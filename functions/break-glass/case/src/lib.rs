//! The case file of a break-glass session: one record from approval to review, complete, and provable afterwards.
//!
//! Decisions are pure: no I/O, no clock. Only [`live`] waits, for the ports that remember a session as its calls come;
//! and [`verify()`] reads a [`verify::Folder`] that its caller brings. An [`Observation`] is one call of the session, [`Facts`] are what a record says of the
//! session as a whole; both are sets that a repeated or late record can't change. A [`Session`] is what follows from
//! them with the [`Grant`]s and the policy. [`seal()`] writes the observations as hash-chained lines with a
//! [`Manifest`] whose digest proves them; [`verify()`] holds a copy against it.

mod approval;
pub mod codes;
pub mod drill;
pub mod facts;
pub mod grant;
pub mod grants;
pub mod live;
pub mod manifest;
pub mod observation;
pub mod review;
pub mod seal;
pub mod session;
pub mod summary;
mod telling;
mod verbs;
pub mod verify;

pub use facts::Facts;
pub use grant::Grant;
pub use grants::Grants;
pub use manifest::Manifest;
pub use observation::{Observation, Seen};
pub use review::Review;
pub use seal::seal;
pub use session::Session;
pub use verify::verify;
