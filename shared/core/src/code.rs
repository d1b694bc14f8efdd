//! The stable codes of findings.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What kind of finding it is. The names are part of the interface: metrics, filters and dashboards hang on them.
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
    /// An emergency identity was taken on.
    GlassOpened,
    /// A call by an emergency identity.
    GlassActivity,
    /// A call by an emergency identity after its allowed time.
    GlassOverdue,
    /// Somebody tried to take on an emergency identity, and failed.
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

    /// The name in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DriftWrite => "drift-write",
            Self::WorkloadWrite => "workload-write",
            Self::ConsoleSignIn => "console-sign-in",
            Self::TrailTampered => "trail-tampered",
            Self::DeployRoleMisused => "deploy-role-misused",
            Self::GlassOpened => "glass-opened",
            Self::GlassActivity => "glass-activity",
            Self::GlassOverdue => "glass-overdue",
            Self::GlassSignInFailed => "glass-sign-in-failed",
            Self::RootActivity => "root-activity",
            Self::GlassUnapproved => "glass-unapproved",
            Self::GlassNotOnRoster => "glass-not-on-roster",
            Self::GlassNoTicket => "glass-no-ticket",
            Self::GlassNoMfa => "glass-no-mfa",
            Self::GlassSelfApproved => "glass-self-approved",
            Self::GlassEscalation => "glass-escalation",
            Self::GlassClosed => "glass-closed",
            Self::GlassDrillDue => "glass-drill-due",
            Self::DenySpike => "deny-spike",
            Self::DenyProbing => "deny-probing",
        }
    }

    /// The detector that the code belongs to: the name of its folder in `functions/`.
    pub fn detector(self) -> &'static str {
        match self {
            Self::DriftWrite
            | Self::WorkloadWrite
            | Self::ConsoleSignIn
            | Self::TrailTampered
            | Self::DeployRoleMisused => "drift",
            Self::GlassOpened
            | Self::GlassActivity
            | Self::GlassOverdue
            | Self::GlassSignInFailed
            | Self::RootActivity
            | Self::GlassUnapproved
            | Self::GlassNotOnRoster
            | Self::GlassNoTicket
            | Self::GlassNoMfa
            | Self::GlassSelfApproved
            | Self::GlassEscalation
            | Self::GlassClosed
            | Self::GlassDrillDue => "break-glass",
            Self::DenySpike | Self::DenyProbing => "deny-spike",
        }
    }

    /// Whether it is a verdict on a break-glass session as a whole, and on no call of it.
    pub fn is_about_session(self) -> bool {
        matches!(
            self,
            Self::GlassUnapproved
                | Self::GlassNotOnRoster
                | Self::GlassNoTicket
                | Self::GlassNoMfa
                | Self::GlassSelfApproved
                | Self::GlassClosed
                | Self::GlassDrillDue
        )
    }

    /// A few words for a headline.
    pub fn title(self) -> &'static str {
        match self {
            Self::DriftWrite => "Production changed by hand",
            Self::WorkloadWrite => "Change by a workload",
            Self::ConsoleSignIn => "Console sign-in",
            Self::TrailTampered => "Logging or detection attacked",
            Self::DeployRoleMisused => "Deploy role misused",
            Self::GlassOpened => "Break-glass session opened",
            Self::GlassActivity => "Break-glass activity",
            Self::GlassOverdue => "Break-glass session overdue",
            Self::GlassSignInFailed => "Break-glass sign-in failed",
            Self::RootActivity => "Root user active",
            Self::GlassUnapproved => "Break-glass session unapproved",
            Self::GlassNotOnRoster => "Break-glass by someone not on the roster",
            Self::GlassNoTicket => "Break-glass session without a ticket",
            Self::GlassNoMfa => "Break-glass session without MFA",
            Self::GlassSelfApproved => "Break-glass session approved by its own user",
            Self::GlassEscalation => "Break-glass session escalates",
            Self::GlassClosed => "Break-glass session closed",
            Self::GlassDrillDue => "Break-glass drill due",
            Self::DenySpike => "Spike of denied calls",
            Self::DenyProbing => "Probing for permissions",
        }
    }

    /// What whoever is on call does next.
    pub fn next_step(self) -> &'static str {
        match self {
            Self::DriftWrite => {
                "Ask the person whether they did this. If not: revoke the session, then undo. \
                 If so: bring the change into code, or revert it, through the pipeline."
            }
            Self::WorkloadWrite => {
                "If the workload is meant to do this, list the action under its [[workload]] entry. \
                 If not: find out what runs there and whose code it is."
            }
            Self::ConsoleSignIn => "Nobody needs the production console day to day: ask what for.",
            Self::TrailTampered => {
                "Treat as an intrusion until shown otherwise: revoke the principal's sessions, \
                 turn logging back on, and read what was done before and since."
            }
            Self::DeployRoleMisused => {
                "Revoke the deploy role's sessions, check the pipeline's runs at that time, \
                 and close the way in that was used in the role's trust policy."
            }
            Self::GlassOpened => "Check that there is an approved ticket for this person and time.",
            Self::GlassActivity => "Compare with the ticket; part of the session's review.",
            Self::GlassOverdue => {
                "Ask the person to end the session; revoke the role's sessions if they can't be reached."
            }
            Self::GlassSignInFailed => {
                "Ask the person whether it was them. If not: somebody is trying the emergency door."
            }
            Self::RootActivity => {
                "Call the holders of the root credentials. If none of them did this: \
                 change the password, delete access keys, open a case with AWS."
            }
            Self::GlassUnapproved => {
                "Ask the approvers. If nobody approved it, treat it as an intrusion: revoke the role's sessions."
            }
            Self::GlassNotOnRoster => {
                "Ask the person and whoever keeps the roster; revoke the role's sessions if neither can say why."
            }
            Self::GlassNoTicket => "Ask the person for the ticket, and put it on record with the review.",
            Self::GlassNoMfa => {
                "Ask whether it was them. If so: have the identity require a second factor; if not: revoke its sessions and keys."
            }
            Self::GlassSelfApproved => {
                "Have somebody else approve or end the session, and find out how the approval was given."
            }
            Self::GlassEscalation => {
                "Compare with the ticket at once: what was made outlives the session. If it isn't needed, remove it."
            }
            Self::GlassClosed => {
                "Keep this message: its digest proves the case file. Have somebody else than the session's person review it."
            }
            Self::GlassDrillDue => "Run a drill: a door that was never opened may not open at night.",
            Self::DenySpike => {
                "See which call is denied and who runs it: a broken deployment, or credentials in the wrong hands."
            }
            Self::DenyProbing => {
                "Somebody tries what these credentials can do. Ask their owner; \
                 if it wasn't them, revoke the credentials now."
            }
        }
    }
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
        assert!(names.iter().all(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')));
    }
}
