//! Calls that let a service act with a role.

use super::*;

/// The severity and reason of a change by a person, with this request.
fn says(action: &str, asked: &str) -> (Severity, String) {
    let finding = verdict(ALICE, action, &format!(r#","requestParameters":{asked}"#)).unwrap();
    (finding.severity, finding.reason)
}

#[test]
fn whoever_passes_a_role_lets_a_service_act_with_it() {
    let role = |name: &str| format!("arn:aws:iam::111122223333:role/{name}");
    for (action, asked, severity, words) in [
        (
            "glue:CreateJob",
            format!(r#"{{"role":"{}"}}"#, role("etl")),
            Severity::Medium,
            "lets glue act with the role `etl`",
        ),
        (
            "cloudformation:CreateStack",
            format!(r#"{{"roleARN":"{}"}}"#, role("deploy")),
            Severity::High,
            "`deploy` (handsoff.toml:2 [[deploy]])",
        ),
        (
            "ssm:StartAutomationExecution",
            format!(r#"{{"parameters":{{"AutomationAssumeRole":["{}"]}}}}"#, role("deploy")),
            Severity::High,
            "lets ssm act with the role `deploy`",
        ),
        (
            "scheduler:CreateSchedule",
            format!(r#"{{"target":{{"roleArn":"{}"}}}}"#, role("emergency")),
            Severity::High,
            "[[break_glass]]",
        ),
        (
            "eventsv2:CreateSubscriber",
            format!(
                r#"{{"target":{{"arn":"arn:aws:events:::aws-sdk:iam:createAccessKey","roleArn":"{}"}}}}"#,
                role("x")
            ),
            Severity::High,
            "lets events act with the role `x` and call iam:createAccessKey",
        ),
        (
            "scheduler:CreateSchedule",
            format!(
                r#"{{"target":{{"arn":"arn:aws:scheduler:::aws-sdk:sqs:sendMessage","roleArn":"{}"}}}}"#,
                role("x")
            ),
            Severity::Medium,
            "lets scheduler act with the role `x` and call sqs:sendMessage",
        ),
        (
            "ecs:RegisterTaskDefinition",
            format!(r#"{{"taskRoleArn":"{}","executionRoleArn":"{}"}}"#, role("x"), role("y")),
            Severity::Medium,
            "`x` and 1 more",
        ),
    ] {
        let (found, reason) = says(action, &asked);
        assert_eq!(found, severity, "{action}");
        assert!(reason.contains(words), "{reason}");
    }
    // Decoys before it hide neither the role nor the call.
    let many: Vec<String> = (0..6).map(|n| format!(r#""role{n}":"{}""#, role(&format!("a{n}")))).collect();
    let decoys = format!(
        r#"{{{},"z":{{"role":"{}"}},"description":"arn:aws:states:::aws-sdk:s3:listBuckets","arn":"arn:aws:states:::aws-sdk:iam:createAccessKey"}}"#,
        many.join(","),
        role("deploy")
    );
    let (severity, reason) = says("states:CreateStateMachine", &decoys);
    assert!(severity == Severity::High && reason.contains("iam:createAccessKey"), "{reason}");
    assert!(reason.contains("act with the role `deploy`"), "{reason}");
    let instance = says("iam:AddRoleToInstanceProfile", r#"{"roleName":"deploy","instanceProfileName":"p"}"#);
    assert!(instance.1.contains("act with the role `deploy`"), "{}", instance.1);
}

/// EMR, Glue and others take a role's name, and instances a profile, which the console names as its role.
#[test]
fn a_deploy_role_is_known_by_its_name_in_every_form_of_a_request() {
    let role = "arn:aws:iam::111122223333:role/deploy";
    let other = "arn:aws:iam::111122223333:role/x";
    for (action, asked) in [
        ("elasticmapreduce:RunJobFlow", format!(r#"{{"jobFlowRole":"deploy","serviceRole":"{other}"}}"#)),
        ("glue:CreateSession", r#"{"role":"Deploy"}"#.to_owned()),
        (
            "ec2:RunInstances",
            r#"{"iamInstanceProfile":{"arn":"arn:aws:iam::111122223333:instance-profile/deploy"}}"#.into(),
        ),
        ("ec2:RunInstances", r#"{"iamInstanceProfile":{"name":"deploy"}}"#.into()),
        ("autoscaling:CreateLaunchConfiguration", r#"{"iamInstanceProfile":"deploy"}"#.into()),
        (
            "elasticbeanstalk:CreateEnvironment",
            r#"{"optionSettings":[{"optionName":"IamInstanceProfile","value":"deploy"}]}"#.into(),
        ),
        (
            "datapipeline:PutPipelineDefinition",
            r#"{"pipelineObjects":[{"fields":[{"key":"resourceRole","stringValue":"deploy"}]}]}"#.into(),
        ),
        ("servicecatalog:CreateConstraint", format!(r#"{{"parameters":"{{\"RoleArn\":\"{role}\"}}"}}"#)),
        ("apigateway:PutIntegration", format!(r#"{{"credentials":"{role}"}}"#)),
        (
            "apigateway:PutIntegration",
            format!(
                r#"{{"credentials":"{other}","uri":"arn:aws:apigateway:eu-west-1:iam:action/CreateUser"}}"#
            ),
        ),
    ] {
        let (severity, reason) = says(action, &asked);
        assert!(severity == Severity::High && reason.contains("act with the role `"), "{asked} {reason}");
    }
    let elsewhere = r#"{"iamInstanceProfile":{"arn":"arn:aws:iam::999988887777:instance-profile/deploy"}}"#;
    assert!(!says("ec2:RunInstances", elsewhere).1.contains("act with"));
}

#[test]
fn what_is_no_role_that_is_passed_is_not_called_one() {
    let nested =
        format!(r#"{}"arn:aws:iam::111122223333:role/deep"{}"#, r#"{"role":"#.repeat(50), "}".repeat(50));
    for (action, asked) in [
        (
            "iam:UpdateRoleDescription",
            r#"{"roleName":"deploy","roleArn":"arn:aws:iam::111122223333:role/deploy"}"#,
        ),
        ("ec2:RunInstances", r#"{"description":"arn:aws:iam::111122223333:role/deploy"}"#),
        ("ec2:RunInstances", r#"{"role":"etl"}"#),
        ("grafana:UpdateWorkspace", r#"{"role":"ADMIN"}"#),
        ("ec2:CreateTags", r#"{"tagSet":{"items":[{"key":"Role","value":"deploy"}]}}"#),
        ("ec2:RunInstances", r#"{"roleArn":"arn:aws:s3:::role/deploy"}"#),
        ("ec2:RunInstances", &nested),
    ] {
        assert!(!says(action, asked).1.contains("act with"), "{action} {asked}");
    }
}

/// Variables and arguments name roles that code may assume by itself, if it is trusted to.
#[test]
fn what_is_only_handed_on_to_code_passes_no_role() {
    let role = "arn:aws:iam::111122223333:role/deploy";
    let variable = format!(r#"[{{"name":"DEPLOY_ROLE","value":"{role}"}}]"#);
    let of_beanstalk = "aws:elasticbeanstalk:application:environment";
    for (action, asked) in [
        (
            "codebuild:StartBuild",
            format!(r#"{{"projectName":"p","environmentVariablesOverride":{variable}}}"#),
        ),
        ("amplify:CreateApp", format!(r#"{{"environmentVariables":{{"ROLE":"{role}"}}}}"#)),
        (
            "ecs:RunTask",
            format!(r#"{{"overrides":{{"containerOverrides":[{{"environment":{variable}}}]}}}}"#),
        ),
        (
            "lambda:UpdateFunctionConfiguration",
            format!(r#"{{"environment":{{"variables":{{"ROLE":"{role}"}}}}}}"#),
        ),
        ("apprunner:CreateService", format!(r#"{{"runtimeEnvironmentVariables":{{"ROLE":"{role}"}}}}"#)),
        ("glue:CreateJob", format!(r#"{{"defaultArguments":{{"--deploy_role":"{role}"}}}}"#)),
        ("glue:StartJobRun", r#"{"jobName":"j","arguments":{"--role":"deploy"}}"#.into()),
        (
            "ecs:RunTask",
            format!(
                r#"{{"command":["{{\"role\":\"{role}\"}}"],"tags":[{{"key":"role","value":"{role}"}}]}}"#
            ),
        ),
        (
            "events:PutTargets",
            format!(r#"{{"input":{}}}"#, serde_json::json!(format!(r#"{{"environment":{variable}}}"#))),
        ),
        (
            "elasticbeanstalk:CreateEnvironment",
            format!(
                r#"{{"optionSettings":[{{"namespace":"{of_beanstalk}","optionName":"ROLE","value":"{role}"}}]}}"#
            ),
        ),
    ] {
        let (severity, reason) = says(action, &asked);
        assert!(severity <= Severity::Medium && !reason.contains("act with"), "{asked} {reason}");
    }
    // Beside them, and under names that are the caller's own, a role is passed as ever.
    let resource =
        format!(r#"{{"Resources":{{"Environment":{{"Properties":{{"ExecutionRoleArn":"{role}"}}}}}}}}"#);
    for (action, asked) in [
        (
            "ecs:RunTask",
            format!(
                r#"{{"overrides":{{"taskRoleArn":"{role}","containerOverrides":[{{"environment":{variable}}}]}}}}"#
            ),
        ),
        (
            "lambda:UpdateFunctionConfiguration",
            format!(r#"{{"role":"{role}","environment":{{"variables":{{"ROLE":"x"}}}}}}"#),
        ),
        ("datazone:AssociateEnvironmentRole", format!(r#"{{"environmentRoleArn":"{role}"}}"#)),
        ("cloudformation:CreateStack", format!(r#"{{"templateBody":{}}}"#, serde_json::json!(resource))),
    ] {
        let (severity, reason) = says(action, &asked);
        assert!(
            severity == Severity::High && reason.contains("act with the role `deploy`"),
            "{asked} {reason}"
        );
    }
}

#[test]
fn a_person_in_a_workloads_role_is_a_person() {
    let named = |session: &str, more: &str| {
        let identity = session_of_app(session, more);
        verdict(&identity, "s3:PutObjectTagging", "").map(|finding| finding.code)
    };
    assert_eq!(named("i-0123456789abcdef0", ""), Err("workload-allowed".into()));
    assert_eq!(named("mallory@example.com", ""), Ok(codes::DRIFT_WRITE));
    assert_eq!(named("x", r#","sourceIdentity":"mallory""#), Ok(codes::DRIFT_WRITE));
    assert_eq!(named("x", r#","sourceIdentity":"CN=runner""#), Err("workload-allowed".into()));
}

fn session_of_app(name: &str, more: &str) -> String {
    format!(
        r#"{{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/app/{name}","accountId":"111122223333",
        "sessionContext":{{"sessionIssuer":{{"type":"Role","arn":"arn:aws:iam::111122223333:role/app"}}{more}}}}}"#
    )
}

#[test]
fn an_exception_is_for_the_job_as_it_is() {
    let data = r#"{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Data_0123456789abcdef/ana@example.com","accountId":"111122223333"}"#;
    let run = |asked: &str| {
        verdict(data, "glue:StartJobRun", &format!(r#","requestParameters":{asked}"#))
            .map(|finding| finding.code)
    };
    assert_eq!(run(r#"{"jobName":"nightly"}"#), Err("excepted".into()));
    assert_eq!(run(r#"{"jobName":"nightly","arguments":{"--day":"1"}}"#), Err("excepted".into()));
    assert_eq!(
        run(r#"{"jobName":"nightly","arguments":{"--scriptLocation":"s3://x/y.py"}}"#),
        Ok(codes::DRIFT_WRITE)
    );
}

#[test]
fn who_tags_an_identity_may_change_its_rights() {
    assert_eq!(found(ALICE, "iam:TagUser", ""), (codes::DRIFT_WRITE, Severity::Medium));
    assert_eq!(found(ALICE, "ec2:CreateTags", ""), (codes::DRIFT_WRITE, Severity::Low));
}

#[test]
fn a_service_that_does_what_it_is_told_is_no_caller_by_itself() {
    let unknown = |service: &str| format!(r#"{{"type":"Unknown","invokedBy":"{service}.amazonaws.com"}}"#);
    assert_eq!(found(&unknown("cloudformation"), "iam:CreateUser", "").0, codes::DRIFT_WRITE);
    assert_eq!(nothing(&unknown("autoscaling"), "ec2:RunInstances", ""), "service");
}
