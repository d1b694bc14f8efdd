//! Pushes to branches that only pull requests may change.

use handsoff_cloudtrail::Action;
use handsoff_cloudtrail::json::Raw;
use handsoff_core::policy::Policy;
use handsoff_core::{Call, Finding, Severity, show};

use crate::asks::{asked, is_by_pipeline, who};
use crate::codes;

/// How a branch is written in full.
const HEADS: &str = "refs/heads/";

/// Whether an action writes to a branch without a pull request.
///
/// "Logging AWS `CodeCommit` API calls with AWS CloudTrail" (`CodeCommit` User Guide) for `GitPush`; the `CodeCommit` API
/// reference for the others. To merge a pull request is the way that is meant.
pub(crate) fn writes(action: &Action<'_>) -> bool {
    const NAMES: [&str; 9] = [
        "GitPush",
        "CreateCommit",
        "PutFile",
        "DeleteFile",
        "MergeBranchesByFastForward",
        "MergeBranchesBySquash",
        "MergeBranchesByThreeWay",
        // To delete a branch and make it anew is a forced push by other means.
        "DeleteBranch",
        "CreateBranch",
    ];
    action.service == "codecommit" && NAMES.contains(&&*action.name)
}

/// The finding on a push to a protected branch.
pub(crate) fn finding(call: &Call<'_>, policy: &Policy) -> Option<Finding> {
    let rules = &policy.pipeline;
    if rules.protected_branches.is_empty() || !writes(&call.action) || moved_nothing(call) {
        return None;
    }
    let what = match branches(call).as_deref() {
        None => "pushed to branches that the record doesn't name".to_owned(),
        Some(branches) => {
            let branch = branches.iter().find(|branch| rules.protects(branch))?;
            let did = match &*call.action.name {
                "DeleteBranch" => "deleted",
                "CreateBranch" => "made",
                _ => "wrote to",
            };
            format!("{did} the branch `{}` without a pull request", show::clean(branch, 64))
        }
    };
    let severity = if is_by_pipeline(call) { Severity::Medium } else { Severity::High };
    let severity = call.severity_of_change().max(severity);
    let reason = format!("{} {what}, and only pull requests may change it ({}).", who(call), rules.line);
    Some(Finding::new(call, codes::DIRECT_PUSH, severity, reason))
}

/// Whether Git only asked what there is to push.
fn moved_nothing(call: &Call<'_>) -> bool {
    let transferred = call.record.additional_event_data.get("dataTransferred").and_then(Raw::flag);
    call.action.name == "GitPush" && transferred == Some(false)
}

/// The branches that a call writes to, without `refs/heads/`. `None`: the record doesn't say, as where CloudTrail has left
/// out parameters of more than 100 KB.
fn branches(call: &Call<'_>) -> Option<Vec<String>> {
    let written = |name: String| name.strip_prefix(HEADS).map_or(name.clone(), str::to_owned);
    match &*call.action.name {
        "GitPush" => {
            let references = call.record.request_parameters.get("references")?;
            let names = references.elements().flatten().filter_map(|it| it.get("ref")?.text());
            // Tags and notes are no branches.
            let branches = names.filter_map(|name| name.strip_prefix(HEADS).map(str::to_owned));
            Some(branches.collect())
        }
        "MergeBranchesByFastForward" | "MergeBranchesBySquash" | "MergeBranchesByThreeWay" => {
            let target = asked(call, "targetBranch").or_else(|| asked(call, "destinationCommitSpecifier"))?;
            Some(vec![written(target)])
        }
        _ => Some(vec![written(asked(call, "branchName")?)]),
    }
}
