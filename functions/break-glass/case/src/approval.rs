//! By whose approval a session is.

use serde::{Deserialize, Serialize};

use crate::grant::Grant;

/// What is known of the approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Approval {
    /// A grant covers it.
    Approved {
        /// The grant.
        grant: Grant,
    },
    /// A grant covers it, but for who approved it.
    SelfApproved {
        /// The grant.
        grant: Grant,
    },
    /// None covers it.
    Missing {
        /// The nearest one, if there is any, and why it doesn't count.
        nearest: Option<(Grant, String)>,
    },
}
