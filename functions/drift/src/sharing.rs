//! What a person or a workload shares with outsiders: accounts that the policy doesn't name, and anyone.

use handsoff_core::group;
use handsoff_core::policy::Policy;
use handsoff_core::{Call, Finding, Severity};

use crate::bounds::outsider;
use crate::codes;

/// The same finding on a change, where it lets an outsider in. Each outsider is an incident of its own, so that one who is known
/// from earlier doesn't hide another.
pub(crate) fn with_outsider(mut finding: Finding, call: &Call<'_>, policy: &Policy) -> Finding {
    let Some(who) = outsider(call, policy) else { return finding };
    finding.reason = format!("It lets {who} use a resource, or assume a role. {}", finding.reason);
    (finding.code, finding.severity) = (codes::FOREIGN_ACCESS, finding.severity.max(Severity::High));
    finding.next = "Ask the person whom this was for, and undo it until that is clear: what was copied can't be taken back. If the \
                    account is yours, or a provider's whom you let in, name it under [accounts]."
        .into();
    finding.incident = group::of_resource(&finding.incident, &who);
    finding.resources.insert(0, who);
    finding.resources.truncate(8);
    finding
}
