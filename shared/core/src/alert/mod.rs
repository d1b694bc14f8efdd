//! What is sent about an incident, and when.

mod about;
mod cause;
mod digest;
mod message;
mod schedule;
mod stop;
mod summary;
mod words;

pub use about::About;
pub use cause::Cause;
pub use digest::{Digest, digests};
pub use message::{Alert, Also};
pub use schedule::{Known, closes_aloud, goes_on, schedule};
pub use summary::{Listed, Summary};
pub use words::{LONGEST_SUBJECT, cut, link, subject, who};

pub use crate::milestone::{COUNTS, Milestone, NameError, Period, Reach, Topic, digest_end};
pub use crate::note::Note;
