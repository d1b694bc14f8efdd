//! What findings are counted by: their code, and who made them.

use handsoff_core::{Code, Kind, ReportedRef};

/// A code and a principal: of a session its role, whatever the session's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rule {
    pub(crate) code: Code,
    pub(crate) kind: Kind,
    /// The ARN of the role or user; where the record has none, a short name.
    pub(crate) principal: String,
}

impl Rule {
    /// The one that a finding counts for.
    pub(crate) fn of(reported: ReportedRef<'_>) -> Self {
        let who = reported.principal();
        let principal = if who.arn.is_empty() { &who.name } else { &who.arn };
        Self { code: reported.code(), kind: who.kind, principal: principal.clone() }
    }

    /// A short name of the principal.
    pub(crate) fn name(&self) -> &str {
        short(&self.principal)
    }
}

/// The name at the end of an ARN, as people know it.
fn short(principal: &str) -> &str {
    if !principal.starts_with("arn:") {
        return principal;
    }
    let name = principal.rsplit(['/', ':']).next().unwrap_or(principal);
    handsoff_cloudtrail::permission_set_of(name).unwrap_or(name)
}

/// A person or role: a lane of the timeline, a row among the callers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Caller {
    pub(super) kind: Kind,
    /// The person, as far as the record says; else the role's, user's or service's name.
    pub(super) name: String,
}

impl Caller {
    pub(super) fn of(reported: ReportedRef<'_>) -> Self {
        let who = reported.principal();
        let name = match &who.human {
            Some(human) => human.clone(),
            None if who.arn.is_empty() => who.name.clone(),
            None => short(&who.arn).to_owned(),
        };
        Self { kind: who.kind, name }
    }
}
