//! Approvals that are set aside: of a pull request, by a rule that is weaker or gone, of a stage's condition.

use handsoff_cloudtrail::Action;
use handsoff_core::{Call, Finding, Severity};
use serde::Deserialize;

use crate::asks::{asked, is_by_pipeline, shown, who};
use crate::codes;

/// What sets aside an approval that is required, of one pull request or execution. No template of infrastructure as code has
/// such a thing, so that no deployment does it.
///
/// `CodeCommit` API reference: `OverridePullRequestApprovalRules`, `DeletePullRequestApprovalRule`,
/// `UpdatePullRequestApprovalRuleContent`; `CodePipeline` API reference: `OverrideStageCondition`.
pub(crate) fn is_set_aside(action: &Action<'_>) -> bool {
    let of_pull_request = [
        "OverridePullRequestApprovalRules",
        "DeletePullRequestApprovalRule",
        "UpdatePullRequestApprovalRuleContent",
    ];
    match &*action.service {
        "codecommit" => of_pull_request.contains(&&*action.name),
        "codepipeline" => action.name == "OverrideStageCondition",
        _ => false,
    }
}

/// The finding on a call that makes an approval unneeded.
pub(crate) fn finding(call: &Call<'_>) -> Option<Finding> {
    let (severity, what) = set_aside(call).or_else(|| weakened(call).filter(|_| !is_by_pipeline(call)))?;
    let severity = call.severity_of_change().max(severity);
    let reason = format!("{} {what}: what it kept back for a review needs none any more.", who(call));
    Some(Finding::new(call, codes::APPROVAL_OVERRIDDEN, severity, reason))
}

fn set_aside(call: &Call<'_>) -> Option<(Severity, String)> {
    if !is_set_aside(&call.action) {
        return None;
    }
    let request = || shown(call, "pullRequestId");
    let what = match &*call.action.name {
        // To revoke an override makes the rules hold again.
        "OverridePullRequestApprovalRules" if asked(call, "overrideStatus").as_deref() == Some("REVOKE") => {
            return None;
        }
        "OverridePullRequestApprovalRules" => {
            format!("set aside all approval rules of the pull request {}", request())
        }
        "DeletePullRequestApprovalRule" => {
            let rule = shown(call, "approvalRuleName");
            format!("deleted the approval rule {rule} of the pull request {}", request())
        }
        "UpdatePullRequestApprovalRuleContent" => {
            let rule = shown(call, "approvalRuleName");
            let what = format!("changed the approval rule {rule} of the pull request {}", request());
            return Some(by_content(call, what));
        }
        _ => {
            let (stage, pipeline) = (shown(call, "stageName"), shown(call, "pipelineName"));
            format!("overrode a condition of the stage {stage} of the pipeline {pipeline}")
        }
    };
    Some((Severity::High, what))
}

/// What weakens the rules of all pull requests to come. A deploy role may manage templates as code.
///
/// `CodeCommit` API reference: `DeleteApprovalRuleTemplate`, `UpdateApprovalRuleTemplateContent`,
/// `DisassociateApprovalRuleTemplateFromRepository`, `BatchDisassociateApprovalRuleTemplateFromRepositories`.
fn weakened(call: &Call<'_>) -> Option<(Severity, String)> {
    if call.action.service != "codecommit" {
        return None;
    }
    let template = || shown(call, "approvalRuleTemplateName");
    match &*call.action.name {
        "DeleteApprovalRuleTemplate" => {
            Some((Severity::High, format!("deleted the approval rule template {}", template())))
        }
        "UpdateApprovalRuleTemplateContent" => {
            Some(by_content(call, format!("changed the approval rule template {}", template())))
        }
        "DisassociateApprovalRuleTemplateFromRepository" => {
            let repository = shown(call, "repositoryName");
            let what =
                format!("took the approval rule template {} from the repository {repository}", template());
            Some((Severity::High, what))
        }
        "BatchDisassociateApprovalRuleTemplateFromRepositories" => Some((
            Severity::High,
            format!("took the approval rule template {} from repositories", template()),
        )),
        _ => None,
    }
}

/// Whether the new rule is weaker than the old one isn't in the record; that one member is enough is.
fn by_content(call: &Call<'_>, what: String) -> (Severity, String) {
    let content = asked(call, "newRuleContent").and_then(|text| serde_json::from_str::<Content>(&text).ok());
    if content.is_some_and(|content| content.statements.iter().any(Statement::needs_one_member_alone)) {
        return (Severity::High, format!("{what}, and one member alone can satisfy it"));
    }
    (Severity::Medium, what)
}

/// A rule's content ("Create an approval rule template", `CodeCommit` User Guide).
#[derive(Debug, Deserialize)]
struct Content {
    #[serde(rename = "Statements", default)]
    statements: Vec<Statement>,
}

#[derive(Debug, Deserialize)]
struct Statement {
    #[serde(rename = "NumberOfApprovalsNeeded", default)]
    needed: u64,
    #[serde(rename = "ApprovalPoolMembers", default)]
    members: Vec<String>,
}

impl Statement {
    fn needs_one_member_alone(&self) -> bool {
        self.needed <= 1 && matches!(self.members.as_slice(), [member] if !member.contains('*'))
    }
}
