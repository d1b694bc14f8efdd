//! Deploy sessions that change something, and of which no record shows the beginning: who began them isn't known.

use handsoff_core::policy::{Deploy, Policy};
use handsoff_core::{Call, Finding, Severity};

use crate::codes;

/// The finding on the first change of such a session, by what a replay knows of it.
pub(crate) fn finding(call: &Call<'_>, policy: &Policy) -> Option<Finding> {
    let first =
        call.is_unproven.then(|| Finding::new(call, codes::DEPLOY_UNPROVEN, Severity::Medium, String::new()));
    unproven(first?, policy)
}

/// The same, by the finding that there would be on the change if its session were refuted.
pub fn unproven(mut finding: Finding, policy: &Policy) -> Option<Finding> {
    let account = finding.account.as_str();
    let role = |entry: &&Deploy| entry.identity.matches(&finding.principal.arn, Some(account));
    let entry = policy.deploy.iter().find(role).filter(|entry| entry.asks_for_proof())?;
    finding.reason = format!(
        "No record shows who assumed the deploy role of {} for this session, which changed production.",
        entry.line
    );
    (finding.code, finding.severity) = (codes::DEPLOY_UNPROVEN, Severity::Medium);
    finding.next = codes::DEPLOY_UNPROVEN.next_step().into();
    finding.known = finding.time.map(|time| time + policy.proof.patience);
    Some(finding)
}
