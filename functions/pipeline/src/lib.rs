//! Pipeline: the road that changes take to production, when it is changed itself, or when somebody takes another one.
//!
//! Codes: `pipeline-changed`, `approval-overridden`, `direct-push`, `stage-disabled`, `untrusted-source`,
//! `deploy-from-branch`, `self-approval`, `build-surge`, `build-failure-surge`, `build-timeout-surge`,
//! `deploy-failure-surge`.
//!
//! Drift's claims of the same urgency come first: an attack on logging, misuse of a deploy role and what a pipeline
//! may not change are its own. Of what is left these are drift's ordinary findings, under a name that says more.

mod approvals;
mod asks;
mod branches;
mod changes;
pub mod codes;
mod events;
pub mod live;
mod self_approval;
mod sources;
mod subjects;
mod surges;

use handsoff_cloudtrail::Action;
use handsoff_core::detector::{About, Claim, Priority, RecordFacts, Related, ServiceEvent, Watch};
use handsoff_core::policy::{Policy, exceptions};
use handsoff_core::rules::{Rule, Whose};
use handsoff_core::{Call, Detector, Disposition, Finding, Kind, Outcome, Target, Trace, Verdict};

/// The detector.
#[derive(Debug)]
pub struct Pipeline;

const CLAIMS: [Claim; 1] = [Claim {
    // Before drift's claim on any change: each call has one owner, and this one says more of it.
    priority: Priority::Attack,
    covers: |call, policy, trace| {
        let found = finding(call, policy);
        if let Some(found) = &found {
            trace.step("of a pipeline?", || found.code.as_str().into());
        }
        found.is_some()
    },
}];

/// As in part.yaml.
const RULES: [Rule; 1] =
    [Rule { id: "PipelineRule", whose: Whose::None, pattern: include_str!("../patterns/pipeline.json") }];

const ABOUT: About = About { name: "pipeline", codes: &codes::ALL, claims: &CLAIMS, rules: &RULES };

impl Detector for Pipeline {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn judge(&self, call: &Call<'_>, policy: &Policy, trace: &mut Trace) -> Verdict {
        let Some(finding) = finding(call, policy) else { return Verdict::Nothing(Disposition::Unclaimed) };
        trace.step(finding.code.as_str(), || finding.reason.clone());
        let may_be_excepted = finding.code.row().may_be_hidden.is_ok();
        match exceptions::covering(call, policy, trace).filter(|_| may_be_excepted) {
            Some(place) => Verdict::Excepted(place),
            None => finding.into(),
        }
    }

    fn relates(&self, call: &Call<'_>, _: &Policy) -> Vec<Related> {
        self_approval::of(call).or_else(|| surges::of(call)).into_iter().collect()
    }

    fn relates_event(&self, event: &ServiceEvent<'_>, policy: &Policy) -> Option<Related> {
        events::of(event, policy)
    }

    fn join(&self, related: Vec<Related>, _: &Policy) -> Vec<Finding> {
        let (counted, approvals): (Vec<Related>, Vec<Related>) =
            related.into_iter().partition(|one| surges::is_group(&one.group));
        [self_approval::join(approvals), surges::join(&counted)].concat()
    }

    /// What a deploy role does is left out at a glance, but for this.
    fn watches_action(&self, action: &Action<'_>) -> Watch {
        if is_watched(action) { Watch::ByRecord } else { Watch::No }
    }

    fn watches(&self, facts: &RecordFacts<'_>) -> bool {
        // Of a subject that assumes a deploy role.
        matches!(facts.target, Some(Target::Deploy(_)))
            || (facts.is_watched_action
                && facts.kind == Kind::DeployRole
                && is_watched(&Action::of(facts.record)))
    }
}

/// Whether a call of a deploy role may be more than expected.
fn is_watched(action: &Action<'_>) -> bool {
    approvals::is_set_aside(action)
        || self_approval::is_of_approval(action)
        || branches::writes(action)
        || sources::is_build(action)
        || surges::is_build(action)
}

/// What there is to say of a call: the most telling.
fn finding(call: &Call<'_>, policy: &Policy) -> Option<Finding> {
    let nobodys = matches!(call.principal.kind, Kind::Service | Kind::Anonymous);
    if call.outcome != Outcome::Succeeded || nobodys || is_allowed(call, policy) {
        return None;
    }
    self_approval::by_pipeline(call)
        .or_else(|| approvals::finding(call))
        .or_else(|| branches::finding(call, policy))
        .or_else(|| sources::finding(call, policy))
        .or_else(|| changes::finding(call, policy))
        .or_else(|| subjects::finding(call, policy))
}

/// Whether the `[[workload]]` entry of the caller lets it make the call.
fn is_allowed(call: &Call<'_>, policy: &Policy) -> bool {
    let entry = call.principal.entry.filter(|_| call.principal.kind == Kind::Workload);
    let entry = entry.and_then(|entry| policy.workloads.get(entry));
    let entry = entry.filter(|_| call.foreign_delegate(policy).is_none());
    entry.is_some_and(|entry| entry.may_write.iter().any(|pattern| pattern.matches(&call.action)))
}

#[cfg(test)]
mod tests;
