use super::*;

#[test]
fn a_pipeline_is_changed_by_its_own_deployment_alone() {
    for action in [
        "codepipeline:UpdatePipeline",
        "codepipeline:PutWebhook",
        "codepipeline:UpdateActionType",
        "codebuild:UpdateProject",
        "codebuild:UpdateWebhook",
        "codebuild:UpdateFleet",
        "codecommit:UpdateDefaultBranch",
        "codecommit:PutRepositoryTriggers",
        "codedeploy:UpdateDeploymentGroup",
        "codedeploy:UpdateApplication",
        "codeconnections:CreateConnection",
        "codestar-connections:UpdateHost",
        "codeconnections:UpdateRepositoryLink",
    ] {
        let found = says(&alice(), action, "{}");
        assert_eq!(found, is(codes::PIPELINE_CHANGED, Severity::Medium), "{action}");
        assert_eq!(says(&deploy(), action, "{}"), nothing("expected"), "{action}");
        let workload = says(&session("web", "i-0123456789abcdef0").to_string(), action, "{}");
        assert_eq!(workload.0, codes::PIPELINE_CHANGED.as_str(), "{action}");
    }
    // The credentials are rights, by AWS's reference.
    let found = says(&alice(), "codebuild:ImportSourceCredentials", "{}");
    assert_eq!(found, is(codes::PIPELINE_CHANGED, Severity::High));
}

#[test]
fn other_changes_of_these_services_stay_drifts() {
    for action in [
        "codepipeline:StartPipelineExecution",
        "codepipeline:StopPipelineExecution",
        "codepipeline:EnableStageTransition",
        "codepipeline:TagResource",
        "codebuild:StartBuild",
        "codebuild:StopBuild",
        "codebuild:PutResourcePolicy",
        "codecommit:CreateRepository",
        "codedeploy:CreateDeployment",
    ] {
        assert_eq!(says(&alice(), action, "{}").0, "drift-write", "{action}");
    }
    assert_eq!(says(&alice(), "codebuild:StartSandbox", "{}").0, "interactive-access");
}

#[test]
fn a_build_with_code_of_its_callers_own_is_another_build() {
    for key in ["buildspecOverride", "serviceRoleOverride", "imageOverride", "sourceTypeOverride"] {
        let asked = format!(r#"{{"projectName":"orders","{key}":"x"}}"#);
        let found = says(&alice(), "codebuild:StartBuild", &asked);
        assert_eq!(found, is(codes::PIPELINE_CHANGED, Severity::Medium), "{key}");
        assert_eq!(says(&deploy(), "codebuild:StartBuild", &asked), nothing("expected"), "{key}");
    }
    let variables = r#"{"projectName":"orders","environmentVariablesOverride":[{"name":"A","value":"b"}]}"#;
    assert_eq!(says(&alice(), "codebuild:StartBuild", variables).0, "drift-write");
}

#[test]
fn a_stage_that_is_disabled_says_which_and_an_entry_of_the_caller_may_allow_a_change() {
    let asked =
        r#"{"pipelineName":"orders","stageName":"Production","transitionType":"Inbound","reason":"x"}"#;
    let found = verdict(&alice(), "codepipeline:DisableStageTransition", asked).unwrap();
    assert_eq!((found.code, found.severity), (codes::STAGE_DISABLED, Severity::Medium));
    assert!(found.reason.contains("`Production` of the pipeline `orders`"), "{}", found.reason);
    assert_eq!(says(&deploy(), "codepipeline:DisableStageTransition", asked), nothing("expected"));
    let app = session("app", "i-0123456789abcdef0").to_string();
    assert_eq!(says(&app, "codebuild:UpdateProject", "{}"), nothing("workload-allowed"));
    let delegated = app.replacen(r#""arn""#, r#""invokedByDelegate":{"accountId":"999999999999"},"arn""#, 1);
    assert_eq!(says(&delegated, "codebuild:UpdateProject", "{}").0, codes::PIPELINE_CHANGED.as_str());
    let release = session("AWSReservedSSO_Release_0123456789abcdef", "x").to_string();
    assert_eq!(says(&release, "codebuild:UpdateProject", "{}"), nothing("excepted by pipeline"));
    // Nor does an exception cover a build of something else.
    let other = r#"{"projectName":"orders","buildspecOverride":"x"}"#;
    assert_eq!(says(&release, "codebuild:StartBuild", other).0, codes::PIPELINE_CHANGED.as_str());
}
