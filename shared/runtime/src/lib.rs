//! What the deployed functions do with findings: remember them, and tell what they make due.
//!
//! Written against ports, which `shared/aws` implements, so that AWS is in its adapters and everything here can be tried at every step, in
//! any order, with any call failing. The rules:
//!
//! 1. What is remembered is a set. An observation is put under a key that follows from the record: to put it
//!    again changes nothing.
//! 2. Write, then read. Whoever reads last sees all, so of several functions at least one sees what is due.
//! 3. An alert is claimed before it is sent, by a conditional write that one of several wins, and marked as sent
//!    after. What was claimed and not marked as sent is sent again after a while: a crash repeats an alert, and
//!    loses none.
//! 4. A storm is summed up. Beyond a budget for each code and minute, what is new is named in a summary, which
//!    is an episode of its own and follows the same rules.
//! 5. The sweep reads what is due. Whatever it has looked at is due again at a later time, so all get their turn.

mod advance;
pub mod batch;
mod budget;
mod claim;
mod digest;
mod document;
mod due;
mod episode;
mod error;
pub mod excepted;
mod fold;
mod history;
mod instructed;
mod key_uses;
mod log;
mod look;
mod marks;
pub mod message;
mod ports;
mod proof;
mod proven_sessions;
mod puts;
mod related;
mod report;
mod session;
pub mod stored;
mod story;
mod summary;
mod tell;
mod telling;
mod turn;
mod unproven;

pub use advance::{Found, advance};
pub use batch::{Answer, Classifier, Delivery, Envelope, EnvelopeError, Function, handle};
pub use budget::budget;
pub use claim::resend;
pub use digest::digest;
pub use document::{Change, Document, Held, update};
pub use due::{Due, DueError, Lease, Task, Waiting};
pub use episode::{Episode, Folded, Going, Look, Mark, Part, Pending, State};
pub use error::RuntimeError;
pub use instructed::{Instructed, InstructionRecord, instructed};
pub use key_uses::{KeyUse, KnownUses, key_used};
pub use log::LogLine;
pub use look::{look, look_is_due};
pub use marks::{keep, marks, page};
pub use message::Message;
pub use ports::{
    Archive, Ask, CANARY_TAG, CANARY_VALUE, Canary, Clock, ConditionalWrite, DeadLetters, Lookup, Memory,
    Metrics, Notifier, Open, Published, Range, Subscription, Subscriptions, World,
};
pub use proof::{Proof, Unsettled, prove, unsettled};
pub use proven_sessions::ProvenSessions;
pub use puts::AT_ONCE;
pub use related::{Around, Group, related};
pub use report::{Metric, Report, Stat, Unit};
pub use session::{Ending, end_session, reopen, seal_session};
pub use story::{Session, keep_issued};
pub use summary::summarise;
pub use tell::{Closing, keep_and_tell, tell};
pub use telling::{Notes, Telling};
pub use turn::{Turn, Turns};
pub use unproven::{PROOF, Unproven, UnprovenSession};
