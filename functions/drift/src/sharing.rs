//! What a person or a workload shares with outsiders: accounts that the policy doesn't name, and anyone.

use handsoff_core::policy::Policy;
use handsoff_core::{Call, Finding, Severity, group};

use crate::bounds::{ANYONE, outsider};
use crate::codes;

/// An outsider whom a change lets in.
pub(crate) struct Outsider(String);

impl Outsider {
    /// That of a call.
    pub(crate) fn of(call: &Call<'_>, policy: &Policy) -> Option<Self> {
        outsider(call, policy).map(Self)
    }

    /// What the call did, in words.
    pub(crate) fn did(&self) -> String {
        let Self(who) = self;
        if who == ANYONE {
            return "let anyone use a resource, or assume a role".to_owned();
        }
        format!("let the account {who}, which [accounts] doesn't name, use a resource, or assume a role")
    }

    /// The finding on the change, as one on the outsider. Each is an incident of its own, so that one who is known from earlier
    /// doesn't hide another.
    pub(crate) fn finding(self, mut finding: Finding) -> Finding {
        (finding.code, finding.severity) = (codes::FOREIGN_ACCESS, finding.severity.max(Severity::High));
        finding.next = "Ask the person whom this was for, and undo it until that is clear: what was copied can't be taken back. If \
                        the account is yours, or a provider's whom you let in, name it under [accounts]."
            .into();
        finding.incident = group::of_resource(&finding.incident, &self.0);
        finding.resources.retain(|resource| *resource != self.0);
        finding.resources.insert(0, self.0);
        finding.resources.truncate(8);
        finding
    }
}
