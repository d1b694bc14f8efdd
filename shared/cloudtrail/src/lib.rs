//! CloudTrail's vocabulary: the record, who acted, and what the action is.
//!
//! Nothing here knows a policy, a clock or a network: it turns the text of one record into names.

#![cfg_attr(test, allow(clippy::string_slice, reason = "a test may panic"))]

mod access;
mod action;
mod agent;
mod class;
mod identity;
pub mod json;
pub mod partition;
mod record;
pub mod resources;
pub mod table;
mod time;
mod via;

pub use access::{AccessLevel, access_level, operations, service_of};
pub use action::{Action, Basis, Effect};
pub use agent::{Agent, is_through_mcp_server};
pub use chrono::TimeDelta;
pub use class::{Class, ClassError};
pub use identity::{Arn, Identity, IdentityType, is_long_lived, is_used_by_people, permission_set_of};
pub use record::{Entry, Record};
pub use time::{Time, seconds};
pub use via::Via;
