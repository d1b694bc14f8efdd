//! Approvals by the person who started what is approved, or wrote it.
//!
//! No record says so by itself. The record of an approval names the pipeline, not the execution (`CodePipeline` API reference,
//! `PutApprovalResult`), so that it is compared with the last start of the pipeline before it; a pull request has an ID
//! (`CodeCommit` API reference, `CreatePullRequest`, `UpdatePullRequestApprovalState`). `CodeCommit` itself takes no approval
//! of an author by the same ARN (`PullRequestCannotBeApprovedByAuthorException`): the same person with another role it takes.

use std::collections::BTreeMap;

use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::{Action, IdentityType, TimeDelta, is_used_by_people};
use handsoff_core::detector::Related;
use handsoff_core::{Call, Finding, Key, Kind, Outcome, Severity, group, show};

use crate::asks::{asked, is_by_pipeline, shown};
use crate::codes;

/// What started, or wrote.
const BEGINS: &str = "begins";

/// What approved.
const APPROVES: &str = "approves";

/// A manual approval waits for so long at most (`CodePipeline` User Guide, "Quotas": a timeout of 60 days), and no start counts
/// for longer.
pub(crate) const REACH: TimeDelta = TimeDelta::days(60);

/// Whether an action is of an approval: who started something, or approved it.
pub(crate) fn is_of_approval(action: &Action<'_>) -> bool {
    matches!(
        (&*action.service, &*action.name),
        ("codepipeline", "StartPipelineExecution" | "PutApprovalResult")
            | ("codecommit", "CreatePullRequest" | "UpdatePullRequestApprovalState")
    )
}

/// The finding on a deploy role that approved a step: no person did.
pub(crate) fn by_pipeline(call: &Call<'_>) -> Option<Finding> {
    if !is_by_pipeline(call) || call.action.name != "PutApprovalResult" || step(call)?.0 != APPROVES {
        return None;
    }
    let (stage, pipeline) = (shown(call, "stageName"), shown(call, "pipelineName"));
    let reason = format!(
        "A deploy role approved the manual step of the stage {stage} of the pipeline {pipeline}: no person did."
    );
    Some(Finding::new(call, codes::SELF_APPROVAL, Severity::High, reason))
}

/// What is kept of a call.
pub(crate) fn of(call: &Call<'_>) -> Option<Related> {
    if call.outcome != Outcome::Succeeded || !is_of_approval(&call.action) {
        return None;
    }
    let (role, what) = step(call)?;
    let account = call.account().unwrap_or_default();
    let region = call.record.aws_region.text().unwrap_or_default();
    let group = group::digest(&["approval", &account, &region, &call.action.service, &what]);
    let who = person(call).unwrap_or_default();
    let reason = format!("{} `{}`", noun(&call.action), show::clean(&what, 64));
    let finding = Finding::new(call, codes::SELF_APPROVAL, Severity::High, reason);
    Some(Related { group, role: role.to_owned(), who, finding, only_first: false })
}

/// What a call does, and to which pipeline or pull request.
fn step(call: &Call<'_>) -> Option<(&'static str, String)> {
    match &*call.action.name {
        "StartPipelineExecution" => Some((BEGINS, asked(call, "name")?)),
        "PutApprovalResult" => {
            let result = call.record.request_parameters.get("result").and_then(|it| it.get("status")?.text());
            // A rejection lets nothing through.
            let rejected = result.as_deref() == Some("Rejected");
            (!rejected).then_some(())?;
            Some((APPROVES, asked(call, "pipelineName")?))
        }
        "CreatePullRequest" => {
            let made = call.record.response_elements.get("pullRequest")?.get("pullRequestId")?;
            Some((BEGINS, made.text()?.into_owned()))
        }
        "UpdatePullRequestApprovalState" => {
            let state = call.record.request_parameters.get("approvalState").and_then(Raw::text);
            (state.as_deref() != Some("REVOKE")).then_some(())?;
            Some((APPROVES, asked(call, "pullRequestId")?))
        }
        _ => None,
    }
}

fn noun(action: &Action<'_>) -> &'static str {
    if action.service == "codecommit" { "the pull request" } else { "the pipeline" }
}

/// Who made a call, by what AWS writes and its caller can't choose for this session: never by a session's name alone. Of a session
/// that names nobody, the session itself.
fn person(call: &Call<'_>) -> Option<String> {
    let (principal, identity) = (&call.principal, &call.principal.identity);
    // A rule that starts a pipeline acts with a role, and is no person all the same.
    let service = identity.invoking_service().filter(|service| *service != "AWS Internal");
    if principal.kind == Kind::Service || service.is_some_and(|service| !is_used_by_people(service)) {
        return None;
    }
    let certificate = |source: &&str| !source.starts_with("CN=");
    let user = principal.identity.permission_set().map(|(_, user)| user);
    if let Some(name) = identity.source().filter(certificate).or(user).or(identity.on_behalf_of.as_deref()) {
        return Some(name.to_lowercase());
    }
    match identity.kind {
        IdentityType::IamUser | IdentityType::FederatedUser | IdentityType::Root => principal.arn.clone(),
        _ => {
            let began = identity.creation_date.as_deref()?;
            Some(format!("{}|{began}", identity.arn.as_deref()?))
        }
    }
}

/// The approvals by who began what they approve.
///
/// Of the calls of a group that came before an approval, the last beginning by anybody who is named counts: what a rule starts
/// after it hides nobody. Where another person has approved, somebody has looked, and the beginning counts no more.
pub(crate) fn join(mut related: Vec<Related>) -> Vec<Finding> {
    let place = |it: &Related| (it.finding.time, it.finding.key);
    related.retain(|it| it.finding.time.is_some());
    related.sort_by(|a, b| place(a).cmp(&place(b)).then_with(|| a.cmp(b)));
    related.dedup_by_key(|it| it.finding.key);
    let mut begun: BTreeMap<String, Related> = BTreeMap::new();
    let mut findings = Vec::new();
    for one in related {
        if one.who.is_empty() {
            continue;
        }
        if one.role == BEGINS {
            begun.insert(one.group.clone(), one);
            continue;
        }
        let Some(beginning) = begun.get(&one.group) else { continue };
        if beginning.who != one.who {
            begun.remove(&one.group);
        } else if is_within_reach(&beginning.finding, &one.finding) {
            findings.push(approved(beginning, one.finding));
        }
    }
    findings
}

fn is_within_reach(beginning: &Finding, approval: &Finding) -> bool {
    match (beginning.time, approval.time) {
        (Some(began), Some(approved)) => approved - began <= REACH,
        _ => false,
    }
}

fn approved(beginning: &Related, mut finding: Finding) -> Finding {
    let who = finding.principal.human.clone().unwrap_or_else(|| finding.principal.name.clone());
    let did = if finding.action.starts_with("codecommit:") { "wrote" } else { "started" };
    let at = beginning.finding.event_time.as_deref().unwrap_or_default();
    let (what, by) = (&finding.reason, &beginning.finding.principal.name);
    finding.reason =
        format!("{who} approved {what}, and is who {did} it at {at}, as {by}: nobody else looked at it.");
    // The call may have its own finding, which stays.
    finding.key = Key::named(&group::digest(&["self-approval", &format!("{:016x}", finding.key.0)]));
    finding
}
