//! `[agents]`: how urgent changes are that agents make.

use super::Line;
use crate::severity::Severity;

/// `[agents]`: how urgent changes are that agents make for people.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub struct Agents {
    /// Where it stands.
    #[cfg_attr(test, schemars(skip))]
    pub line: Line,
    /// A change by an agent is at least so urgent: one through AWS's MCP server, or whose command line says that an agent runs it.
    pub at_least: Severity,
}
