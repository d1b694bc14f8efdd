//! Builds of branches and repositories that the policy doesn't list.

use handsoff_cloudtrail::Action;
use handsoff_cloudtrail::json::Raw;
use handsoff_core::policy::Policy;
use handsoff_core::{Call, Finding, Severity, show};

use crate::asks::{asked, is_by_pipeline, lets_act, who};
use crate::codes;

/// Whether an action starts a build or a pipeline, of a source that its caller may choose.
///
/// `CodeBuild` API reference, `StartBuild` and `StartBuildBatch`; `CodePipeline` API reference, `StartPipelineExecution`.
pub(crate) fn is_build(action: &Action<'_>) -> bool {
    match &*action.service {
        "codebuild" => matches!(&*action.name, "StartBuild" | "StartBuildBatch"),
        "codepipeline" => action.name == "StartPipelineExecution",
        _ => false,
    }
}

/// The finding on a build of what isn't listed.
pub(crate) fn finding(call: &Call<'_>, policy: &Policy) -> Option<Finding> {
    if !is_build(&call.action) {
        return None;
    }
    let rules = &policy.pipeline;
    let (severity, what) = untrusted(call, policy)?;
    let (least, deputy) = lets_act(call, policy);
    let severity = call.severity_of_change().max(severity).max(least);
    let reason = format!("{} {what}{deputy}, which isn't listed ({}).", who(call), rules.line);
    Some(Finding::new(call, codes::UNTRUSTED_SOURCE, severity, reason))
}

fn untrusted(call: &Call<'_>, policy: &Policy) -> Option<(Severity, String)> {
    let rules = &policy.pipeline;
    let shown = |text: &str| show::clean(text, 128);
    let one = |key: &str| asked(call, key);
    let many = |list: &str, key: &'static str| {
        let list = call.record.request_parameters.get(list).unwrap_or_default();
        let of = |it: Raw<'_>| it.get(key).and_then(Raw::text).map(std::borrow::Cow::into_owned);
        list.elements().flatten().filter_map(of).collect::<Vec<_>>()
    };
    let locations =
        one("sourceLocationOverride").into_iter().chain(many("secondarySourcesOverride", "location"));
    let mut foreign = locations.filter(|location| !rules.trusts_repository(location));
    if let Some(location) = foreign.next() {
        return Some((Severity::High, format!("built the repository `{}`", shown(&location))));
    }
    let versions = one("sourceVersion");
    let versions = versions.into_iter().chain(many("secondarySourcesVersionOverride", "sourceVersion"));
    // A pipeline builds the artifact that its source stage made: its source is the pipeline's.
    let is_artifact = |version: &String| is_by_pipeline(call) && version.starts_with("arn:");
    let branch =
        |version: &str| version.strip_prefix("refs/heads/").map_or(version.to_owned(), str::to_owned);
    let mut others =
        versions.filter(|it| !it.is_empty() && !is_artifact(it) && !rules.trusts_branch(&branch(it)));
    if let Some(version) = others.next() {
        return Some((Severity::Medium, format!("built the source version `{}`", shown(&version))));
    }
    let revisions = many("sourceRevisions", "revisionValue");
    let chosen = revisions.first().filter(|_| !rules.trusted_branches.is_empty())?;
    Some((Severity::Medium, format!("started a pipeline with the source revision `{}`", shown(chosen))))
}
