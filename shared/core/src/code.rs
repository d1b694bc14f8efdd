//! The stable codes of findings.

use handsoff_cloudtrail::Class;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

mod rows;

/// What kind of finding it is. The names are part of the interface: metrics, filters and dashboards depend on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// A change by an identity that isn't a deploy role.
    DriftWrite,
    /// A change by a role that code runs as, not covered by its `[[workload]]` entry.
    WorkloadWrite,
    /// Somebody signed in to the console, or switched to a role in it.
    ConsoleSignIn,
    /// A call that turns off or blinds logging, another detector or handsoff itself; failed attempts too.
    TrailTampered,
    /// A deploy role used otherwise than by its pipeline.
    DeployRoleMisused,
    /// An emergency identity was assumed, or signed in.
    GlassOpened,
    /// A call by an emergency identity.
    GlassActivity,
    /// A call by an emergency identity after its allowed time.
    GlassOverdue,
    /// Somebody tried to assume an emergency identity, or to sign in as one, and failed.
    GlassSignInFailed,
    /// A call by the root user, sign-ins included.
    RootActivity,
    /// A break-glass session without an approval that covers it.
    GlassUnapproved,
    /// A break-glass session of a person who isn't on the roster.
    GlassNotOnRoster,
    /// A break-glass session that names no ticket.
    GlassNoTicket,
    /// A break-glass session that was begun without a second factor.
    GlassNoMfa,
    /// A break-glass session whose approver is who asked for it, or who used it.
    GlassSelfApproved,
    /// An emergency identity changed permissions, or made a role, user or key.
    GlassEscalation,
    /// A break-glass session is over, and its case file is sealed.
    GlassClosed,
    /// An emergency identity that nobody has exercised for too long.
    GlassDrillDue,
    /// Many denied calls of one principal.
    DenySpike,
    /// Denied calls of one principal to many different actions.
    DenyProbing,
}

impl Code {
    /// All codes, by detector.
    pub const ALL: [Self; 20] = [
        Self::DriftWrite,
        Self::WorkloadWrite,
        Self::ConsoleSignIn,
        Self::TrailTampered,
        Self::DeployRoleMisused,
        Self::GlassOpened,
        Self::GlassActivity,
        Self::GlassOverdue,
        Self::GlassSignInFailed,
        Self::RootActivity,
        Self::GlassUnapproved,
        Self::GlassNotOnRoster,
        Self::GlassNoTicket,
        Self::GlassNoMfa,
        Self::GlassSelfApproved,
        Self::GlassEscalation,
        Self::GlassClosed,
        Self::GlassDrillDue,
        Self::DenySpike,
        Self::DenyProbing,
    ];

    /// All that there is to know of it.
    pub fn row(self) -> &'static Row {
        let [first, ..] = &rows::ROWS;
        // INVARIANT: there is a row for each; a test holds the two to the same order.
        rows::ROWS.get(self as usize).unwrap_or(first)
    }

    /// The name in every output.
    pub fn as_str(self) -> &'static str {
        self.row().name
    }

    /// The detector that the code belongs to: the name of its folder in `functions/`.
    pub fn detector(self) -> &'static str {
        self.row().detector
    }

    /// Whether it is a verdict on a break-glass session as a whole, and on no call of it.
    pub fn is_about_session(self) -> bool {
        self.row().scope != Scope::Call
    }

    /// Whether each of the first findings is worth an alert, however severe others are that were alerted before.
    pub fn is_grave(self) -> bool {
        matches!(self.row().alerts, AlertRule::Grave | AlertRule::Gravest)
    }

    /// A few words for a headline.
    pub fn title(self) -> &'static str {
        self.row().title
    }

    /// What the person on call does next.
    pub fn next_step(self) -> &'static str {
        self.row().next
    }
}

/// What a code is, for all that depend on it: nobody asks which code it is.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a property by itself")]
pub struct Row {
    /// The name in every output.
    pub name: &'static str,
    /// The detector that the code belongs to: the name of its folder in `functions/`.
    pub detector: &'static str,
    /// A few words for a headline.
    pub title: &'static str,
    /// What the person on call does next.
    pub next: &'static str,
    /// What its findings are about.
    pub scope: Scope,
    /// How many of its findings are alerted.
    pub alerts: AlertRule,
    /// What its findings are counted as.
    pub counted: Counted,
    /// Whether its findings count as violations.
    pub is_violation: bool,
    /// Which findings are no news when there was the same on earlier days.
    pub repeats: Repeats,
    /// The class of its findings, where it isn't the change's.
    pub class: Option<Class>,
    /// Whether an entry of the policy can hide its findings; else why not.
    pub may_be_hidden: Result<(), &'static str>,
    /// Whether a session begins with it: the message on its opening shows it.
    pub opens_session: bool,
    /// Whether the caller isn't the session's: who tries to get in and who is in need not be the same.
    pub is_outside_session: bool,
    /// Whether it says no more than that this is a call of a session.
    pub is_routine: bool,
    /// Whether it stands for a code of its detector that isn't known, of a later version.
    pub is_fallback: bool,
    /// Of two findings on one call it is the one that says more.
    pub says_more: bool,
}

/// What findings are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// A call.
    Call,
    /// A break-glass session as a whole.
    Session,
    /// The end of one.
    SessionEnd,
    /// An emergency identity that should be tried.
    Drill,
}

/// How many of a code's findings are alerted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertRule {
    /// As the class of the change says.
    ByClass,
    /// The first, and none hides behind a worse one: of a session, whatever it says of itself.
    Once,
    /// The first ones, as of a grave class.
    Grave,
    /// The same, and the second too.
    Gravest,
}

/// What findings are counted as, in metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Changes, where they aren't a session's.
    Changes,
    /// Sessions opened.
    SessionsOpened,
    /// Sessions overdue.
    SessionsOverdue,
    /// Spikes of denied calls.
    Denials,
}

/// Which findings are no news when there was the same on earlier days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeats {
    /// None.
    Never,
    /// Those of people and unknown identities whose class isn't grave.
    Ordinary,
    /// All.
    Always,
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for Code {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let code = Self::ALL.into_iter().find(|code| code.as_str() == name);
        code.ok_or_else(|| format!("`{name}` is no code of a finding"))
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_are_unique_and_kebab_case() {
        let names: HashSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        assert!(
            Code::ALL.into_iter().enumerate().all(|(place, code)| code as usize == place),
            "rows are by place"
        );
        assert_eq!(rows::ROWS.len(), Code::ALL.len());
        let fallbacks = |detector| {
            Code::ALL.iter().filter(|it| it.detector() == detector && it.row().is_fallback).count()
        };
        assert_eq!(["drift", "break-glass", "deny-spike"].map(fallbacks), [1; 3]);
        assert!(names.iter().all(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')));
    }
}
