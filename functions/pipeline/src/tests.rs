use handsoff_core::{Code, Owner, Severity, Trace};
use handsoff_testing::records::{classified, record, session, user};

use super::*;

mod approvals;
mod branches;
mod changes;
mod self_approval;
mod sources;
mod subjects;
mod surges;

const POLICY: &str = r#"
[[deploy]]
identity = "arn:aws:iam::*:role/deploy"

[[workload]]
identity = "arn:aws:iam::*:role/app"
may_write = ["codebuild:UpdateProject"]

[[exception]]
identity = "permission-set/Release"
actions = ["codepipeline:*", "codecommit:*", "codebuild:*"]
owner = "release@example.com"
reason = "by hand until it is in code"
until = 2026-12-31

[pipeline]
protected_branches = ["main", "release/*"]
trusted_branches = ["main"]
trusted_repositories = ["https://github.com/acme/*"]
"#;

fn alice() -> String {
    session("AWSReservedSSO_Admin_0123456789abcdef", "alice@example.com").to_string()
}

fn deploy() -> String {
    session("deploy", "run-1").to_string()
}

/// What is found by all detectors on a call with these parameters; else why nothing is.
fn verdict_by(policy: &str, who: &str, action: &str, rest: &str) -> Result<Finding, String> {
    let json = record(action, who).with(rest).to_string();
    let policy = Policy::parse("handsoff.toml", policy).unwrap();
    classified(&json, &policy, |record, call| {
        let engine = handsoff_functions::engine(&policy);
        let verdict = engine.judge(call, &mut Trace::off());
        if let Some(known) = engine.fast_path().disposition(record) {
            assert_eq!(verdict.disposition(), Some(known), "{json}");
        }
        match (engine.owner(call, &mut Trace::off()), verdict) {
            (_, Verdict::Finding(finding)) => Ok(*finding),
            (Owner::Detector(own), Verdict::Excepted(_)) => Err(format!("excepted by {}", own.name())),
            (_, verdict) => Err(verdict.disposition().unwrap().as_str().into()),
        }
    })
}

fn verdict(who: &str, action: &str, asked: &str) -> Result<Finding, String> {
    verdict_by(POLICY, who, action, &format!(r#","requestParameters":{asked}"#))
}

/// The code and the severity, by name.
fn says(who: &str, action: &str, asked: &str) -> (String, Severity) {
    verdict(who, action, asked)
        .map_or_else(|why| (why, Severity::Info), |it| (it.code.to_string(), it.severity))
}

fn is(code: Code, severity: Severity) -> (String, Severity) {
    (code.to_string(), severity)
}

fn nothing(why: &str) -> (String, Severity) {
    (why.to_owned(), Severity::Info)
}

/// Nothing of what drift reports is reported less severely for being a pipeline's.
#[test]
fn no_severity_is_lower_than_that_of_the_change() {
    for action in [
        "codebuild:UpdateProject",
        "codebuild:ImportSourceCredentials",
        "codepipeline:DisableStageTransition",
    ] {
        let json = record(action, alice()).with(r#","requestParameters":{}"#).to_string();
        let policy = Policy::parse("p", POLICY).unwrap();
        classified(&json, &policy, |_, call| {
            let found = finding(call, &policy).unwrap();
            assert!(found.severity >= call.severity_of_change(), "{action}");
        });
    }
}

#[test]
fn a_role_that_a_build_gets_is_named_and_the_deploy_role_is_severe() {
    let deploy = "arn:aws:iam::111122223333:role/deploy";
    for (action, asked) in [
        ("codebuild:CreateProject", format!(r#"{{"name":"x","serviceRole":"{deploy}"}}"#)),
        ("codepipeline:CreatePipeline", format!(r#"{{"pipeline":{{"name":"x","roleArn":"{deploy}"}}}}"#)),
        (
            "codebuild:StartBuild",
            format!(r#"{{"projectName":"x","buildspecOverride":"y","serviceRoleOverride":"{deploy}"}}"#),
        ),
    ] {
        let found = verdict(&alice(), action, &asked).unwrap();
        assert_eq!((found.code, found.severity), (codes::PIPELINE_CHANGED, Severity::High), "{action}");
        assert!(found.reason.contains("act with the role `deploy`"), "{}", found.reason);
        let other = verdict(&alice(), action, &asked.replace("role/deploy", "role/app")).unwrap();
        assert_eq!(other.severity, Severity::Medium, "{action}");
    }
}

#[test]
fn what_failed_and_what_a_service_does_for_itself_is_none_of_a_pipelines() {
    let service = r#"{"type":"AWSService","invokedBy":"codepipeline.amazonaws.com"}"#;
    assert_eq!(says(service, "codebuild:StartBuild", r#"{"sourceVersion":"x"}"#), nothing("service"));
    let failed = r#","errorCode":"InvalidInputException","requestParameters":{}"#;
    assert_eq!(verdict_by(POLICY, &alice(), "codebuild:UpdateProject", failed).unwrap_err(), "attempt");
}

#[test]
fn what_a_caller_chose_is_harmless_where_it_is_shown() {
    let hostile = "\u{202e}<!channel>`main\u{1b}[31m";
    let asked = serde_json::json!({"pipelineName": hostile, "stageName": hostile}).to_string();
    let found = verdict(&alice(), "codepipeline:DisableStageTransition", &asked).unwrap();
    assert!(!found.reason.contains(['\u{202e}', '\u{1b}']), "{}", found.reason);
}
