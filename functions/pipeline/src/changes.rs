//! Pipelines, build projects, their sources and connections that somebody else than a pipeline changes.

use handsoff_cloudtrail::Action;
use handsoff_core::policy::Policy;
use handsoff_core::{Call, Finding, Severity};

use crate::asks::{is_by_pipeline, lets_act, shown, who};
use crate::codes;

/// The finding on a change of a pipeline, or of what it is built of.
pub(crate) fn finding(call: &Call<'_>, policy: &Policy) -> Option<Finding> {
    // What a deploy role changes of pipelines is a deployment: infrastructure as code has these, too.
    if is_by_pipeline(call) {
        return None;
    }
    if let Some(finding) = disabled(call) {
        return Some(finding);
    }
    let what = brings_its_own_code(call).or_else(|| Some(changed(&call.action)?.to_owned()))?;
    let (least, deputy) = lets_act(call, policy);
    let severity = call.severity_of_change().max(least);
    let reason = format!(
        "{} {what}{deputy}: what the pipeline deploys next may be other than what was reviewed.",
        who(call)
    );
    Some(Finding::new(call, codes::PIPELINE_CHANGED, severity, reason))
}

/// `CodePipeline` API reference, `DisableStageTransition`. To stop an execution stops one change, and no other.
fn disabled(call: &Call<'_>) -> Option<Finding> {
    if call.action.service != "codepipeline" || call.action.name != "DisableStageTransition" {
        return None;
    }
    let (stage, pipeline) = (shown(call, "stageName"), shown(call, "pipelineName"));
    let reason = format!(
        "{} disabled the transition of the stage {stage} of the pipeline {pipeline}: no change passes it, a fix neither.",
        who(call)
    );
    let severity = call.severity_of_change().max(Severity::Medium);
    Some(Finding::new(call, codes::STAGE_DISABLED, severity, reason))
}

/// What of a build its caller replaced by something of their own (`CodeBuild` API reference, `StartBuild`). Where it comes
/// from alone, or with which variables, is the ordinary use of a build with parameters.
fn brings_its_own_code(call: &Call<'_>) -> Option<String> {
    const KEYS: [(&str, &str); 6] = [
        ("buildspecOverride", "buildspec"),
        ("serviceRoleOverride", "service role"),
        ("imageOverride", "image"),
        ("sourceTypeOverride", "source"),
        ("sourceLocationOverride", "source"),
        ("secondarySourcesOverride", "secondary sources"),
    ];
    if call.action.service != "codebuild" || !matches!(&*call.action.name, "StartBuild" | "StartBuildBatch") {
        return None;
    }
    let has = |key: &str| call.record.request_parameters.get(key).is_some_and(|value| !value.is_absent());
    let (_, what) = KEYS.into_iter().find(|(key, _)| has(key))?;
    Some(format!("started a build of the project {} with a {what} of their own", shown(call, "projectName")))
}

/// What an action changes, in words. From the API references of `CodePipeline`, `CodeBuild`, `CodeCommit`, `CodeDeploy`
/// and `CodeConnections` (which was `CodeStar` Connections, and still is so in its older API).
fn changed(action: &Action<'_>) -> Option<&'static str> {
    Some(match (&*action.service, &*action.name) {
        ("codepipeline", "CreatePipeline" | "UpdatePipeline" | "DeletePipeline") => "changed a pipeline",
        (
            "codepipeline",
            "PutWebhook"
            | "DeleteWebhook"
            | "RegisterWebhookWithThirdParty"
            | "DeregisterWebhookWithThirdParty",
        ) => "changed what starts a pipeline",
        ("codepipeline", "CreateCustomActionType" | "UpdateActionType" | "DeleteCustomActionType") => {
            "changed an action of pipelines"
        }
        ("codebuild", "CreateProject" | "UpdateProject" | "DeleteProject") => "changed a build project",
        ("codebuild", "CreateWebhook" | "UpdateWebhook" | "DeleteWebhook") => "changed what starts a build",
        ("codebuild", "ImportSourceCredentials" | "DeleteSourceCredentials" | "PersistOAuthToken") => {
            "changed the credentials with which builds read their source"
        }
        ("codebuild", "CreateFleet" | "UpdateFleet" | "DeleteFleet") => {
            "changed the machines that builds run on"
        }
        (
            "codecommit",
            "DeleteRepository" | "PutRepositoryTriggers" | "UpdateDefaultBranch" | "UpdateRepositoryName",
        ) => "changed a repository",
        ("codedeploy", "CreateDeploymentGroup" | "UpdateDeploymentGroup" | "DeleteDeploymentGroup") => {
            "changed a deployment group"
        }
        ("codedeploy", "UpdateApplication" | "DeleteApplication" | "DeleteGitHubAccountToken") => {
            "changed what is deployed"
        }
        (
            "codeconnections" | "codestar-connections",
            "CreateConnection"
            | "DeleteConnection"
            | "UpdateConnectionInstallation"
            | "CreateHost"
            | "UpdateHost"
            | "DeleteHost",
        ) => "changed a connection to a source",
        (
            "codeconnections" | "codestar-connections",
            "CreateRepositoryLink"
            | "UpdateRepositoryLink"
            | "DeleteRepositoryLink"
            | "CreateSyncConfiguration"
            | "UpdateSyncConfiguration"
            | "DeleteSyncConfiguration",
        ) => "changed what a repository deploys",
        _ => return None,
    })
}
