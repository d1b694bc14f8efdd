//! What handsoff is measured with: a generator of CloudTrail log files and the yardstick that
//! the replay is compared to.
//!
//! The generator turns a seed into log files in the layout CloudTrail uses in S3. Which file holds
//! how many records of which kind is planned first ([`plan`]); each record then follows from its
//! own seed, so that files can be written in any order by any number of threads with the same
//! bytes as the result. The yardstick ([`yardstick`]) does the least any reader of such files has
//! to do: inflate them, or inflate and parse them.
//!
//! The emulator ([`emulate`]) stands in for Lambda, and measures a function's binary under it.

pub mod emulate;
pub mod error;
pub mod generate;
pub mod inflate;
pub mod listing;
pub mod plan;
pub mod record;
pub mod yardstick;

mod calls;
mod clock;
mod expand;
mod noise;
mod persona;
mod world;
