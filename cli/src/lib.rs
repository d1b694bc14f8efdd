//! The `handsoff` command: the detectors over saved CloudTrail logs.
//!
//! A library so that the tests can hold its parts against each other; not an interface for others.

#![cfg_attr(test, allow(clippy::string_slice, reason = "a test may panic"))]

pub mod args;
pub mod case;
pub mod check;
pub mod drift;
pub mod explain;
mod html;
pub mod input;
pub mod load;
mod numbers;
pub mod outcome;
pub mod output;
pub mod problems;
pub mod replay;
mod report;
pub mod tune;

/// What a run leads to: the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All was read, and nothing met `--fail-on`.
    Success,
    /// A finding met `--fail-on`.
    Found,
    /// Something was unreadable or wrong.
    Failure,
}

impl Exit {
    /// The status: 0, 1, 2.
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Found => 1,
            Self::Failure => 2,
        }
    }
}
