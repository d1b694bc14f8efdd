//! What a pipeline may change.

use std::fmt;

use handsoff_cloudtrail::{Action, Class};

use super::{ActionPattern, PatternError};

/// What `may_change` names: actions, or changes of a class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// These actions.
    Action(ActionPattern),
    /// All changes of a class; `None`: all that have no class.
    Class(Option<Class>),
}

/// The name of what has no class.
const ORDINARY: &str = "ordinary";

impl Change {
    /// Reads how the policy writes it: `s3:Put*`, the name of a class, or `ordinary`.
    ///
    /// # Errors
    /// Says what to write instead.
    pub fn parse(written: &str) -> Result<Self, PatternError> {
        if written == ORDINARY {
            return Ok(Self::Class(None));
        }
        if let Ok(class) = written.parse::<Class>() {
            return Ok(Self::Class(Some(class)));
        }
        if written.contains(':') {
            return ActionPattern::parse(written).map(Self::Action);
        }
        Err(PatternError::NoChange)
    }

    /// Whether it names a change by this action, which is of this class.
    pub fn covers(&self, action: &Action<'_>, class: Option<Class>) -> bool {
        match self {
            Self::Action(pattern) => pattern.matches(action),
            Self::Class(named) => *named == class,
        }
    }
}

/// As the policy writes it.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Action(pattern) => pattern.as_str(),
            Self::Class(class) => class.map_or(ORDINARY, Class::as_str),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_an_action_or_a_class() {
        assert_eq!(Change::parse("ordinary"), Ok(Change::Class(None)));
        assert_eq!(Change::parse("sharing"), Ok(Change::Class(Some(Class::Sharing))));
        assert!(matches!(Change::parse("iam:Create*"), Ok(Change::Action(_))));
        for wrong in ["", "everything", "*", "*:*", "s3:"] {
            assert!(Change::parse(wrong).is_err(), "{wrong}");
        }
    }
}
