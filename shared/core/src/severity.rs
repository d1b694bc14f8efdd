//! How urgent a finding is.

use serde::{Deserialize, Serialize};
use strum::VariantArray;

/// How urgent a finding is. What each level means for the people on call:
///
/// critical and high wake somebody, medium is looked at today, low at the weekly review, info is kept for
/// the record.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    strum::Display,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Severity {
    /// Kept for the record.
    Info,
    /// For the weekly review.
    Low,
    /// To be looked at today.
    Medium,
    /// Wakes somebody.
    High,
    /// Wakes somebody: an attack on the record of what happened, or the highest of identities in use.
    Critical,
}

impl Severity {
    /// All, the least urgent first.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The name, as policy, command line and output write it.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Why a name is no severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SeverityError {
    /// None is called this.
    #[error("not a severity: one of info, low, medium, high, critical")]
    Unknown,
}

impl std::str::FromStr for Severity {
    type Err = SeverityError;

    fn from_str(text: &str) -> Result<Self, SeverityError> {
        Self::ALL.iter().copied().find(|severity| severity.as_str() == text).ok_or(SeverityError::Unknown)
    }
}
