use handsoff_cloudtrail::{Entry, Record};

use super::*;
use crate::{Policy, Trace};

fn call(record: &str) -> Call<'_> {
    let Ok((Entry::Record(record), _)) = Record::read(record) else { panic!("no record: {record}") };
    Call::classify(record, &Policy::built_in(), &mut Trace::off())
}

fn told(name: &str, rest: &str) -> String {
    let (service, name) = name.split_once(':').unwrap();
    format!(
        r#"{{"eventSource":"{service}.amazonaws.com","eventName":"{name}","eventTime":"2026-03-10T02:00:00Z",
        "recipientAccountId":"111122223333","userIdentity":{{"type":"IAMUser","userName":"ana",
        "arn":"arn:aws:iam::111122223333:user/ana"}}{rest}}}"#
    )
}

fn acted(time: &str, name: &str, service: &str) -> String {
    format!(
        r#"{{"eventSource":"s3.amazonaws.com","eventName":"PutBucketTagging","eventTime":"2026-03-{time}Z",
        "recipientAccountId":"111122223333","userIdentity":{{"type":"AssumedRole","invokedBy":"{service}.amazonaws.com",
        "arn":"arn:aws:sts::111122223333:assumed-role/job/{name}",
        "sessionContext":{{"sessionIssuer":{{"type":"Role","arn":"arn:aws:iam::111122223333:role/job"}}}}}}}}"#
    )
}

fn is_behind(told: &str, acted: &str) -> bool {
    let mut known = Instructions::default();
    known.note(&call(told));
    known.behind(&Actor::of(&call(acted)).unwrap()).is_some()
}

#[test]
fn a_day_is_the_reach() {
    let schedule = told("scheduler:CreateSchedule", "");
    for (time, expected) in
        [("10T01:59:59", false), ("10T02:00:00", true), ("11T02:00:00", true), ("11T02:00:01", false)]
    {
        assert_eq!(is_behind(&schedule, &acted(time, "a", "scheduler")), expected, "{time}");
    }
}

#[test]
fn whom_an_instruction_names_and_nobody_else_acts_on_it() {
    let at = "10T03:00:00";
    let from_template = |key: &str| {
        format!(
            r#","requestParameters":{{"launchTemplate":{{"id":"lt-1"}}}},"responseElements":{{"instancesSet":{{"items":[
            {{"instanceId":"i-0a","iamI{key}":{{"arn":"arn:aws:iam::111122223333:instance-profile/p"}}}}]}}}}"#
        )
    };
    let decoys = || {
        let all: Vec<String> = (0..60)
            .map(|n| format!(r#""role{n}":"arn:aws:iam::111122223333:role/a{n}""#))
            .chain([r#""role":"arn:aws:iam::111122223333:role/job""#.to_owned()])
            .collect();
        format!(r#","requestParameters":{{{}}}"#, all.join(","))
    };
    let role = |role: &str| {
        format!(r#","requestParameters":{{"x":{{"RoleArn":"arn:aws:iam::111122223333:role/a/{role}"}}}}"#)
    };
    let function =
        r#","requestParameters":{"functionName":"arn:aws:lambda:eu-west-1:111122223333:function:nightly"}"#;
    for (name, rest, who, service, expected) in [
        ("glue:CreateJob", role("job"), "a", "glue", true),
        ("glue:CreateJob", role("other"), "a", "glue", false),
        ("glue:CreateJob", role("job"), "a", "scheduler", false),
        ("glue:CreateJob", r#","requestParameters":{"name":"x"}"#.to_owned(), "a", "glue", false),
        ("lambda:UpdateFunctionCode20150331v2", function.to_owned(), "nightly", "lambda", true),
        ("lambda:UpdateFunctionCode20150331v2", function.to_owned(), "x", "lambda", false),
        ("ecs:RunTask", String::new(), "x", "ecs-tasks", true),
        // A launch template has the profile: the answer shows it.
        ("ec2:RunInstances", from_template("nstanceProfile"), "i-0a", "ec2", true),
        ("ec2:RunInstances", from_template("nstanceProfile"), "i-0b", "ec2", false),
        ("ec2:RunInstances", from_template("x"), "i-0a", "ec2", false),
        // Decoys don't push out the role that acts.
        ("glue:CreateJob", decoys(), "a", "glue", true),
        // Without what it is asked for an ordinary change is no instruction.
        ("scheduler:CreateScheduleGroup", String::new(), "x", "scheduler", false),
        ("scheduler:CreateSchedule", r#","errorCode":"AccessDenied""#.to_owned(), "x", "scheduler", false),
    ] {
        let told = told(name, &rest);
        assert_eq!(is_behind(&told, &acted(at, who, service)), expected, "{name} {rest} {who} {service}");
    }
}

#[test]
fn lambdas_dates_are_no_part_of_a_name() {
    for name in ["CreateFunction20150331", "UpdateFunctionCode20150331v2"] {
        assert!(is_instruction(&call(&told(&format!("lambda:{name}"), ""))), "{name}");
    }
}

/// EMR's machines are instances, and other services' principals aren't called as the services are.
#[test]
fn a_call_whose_request_is_left_out_is_behind_what_its_service_does() {
    let at = "10T03:00:00";
    for (name, service) in [
        ("sagemaker:CreateProcessingJob", "sagemaker"),
        ("glue:StartWorkflowRun", "glue"),
        ("codepipeline:StartPipelineExecution", "codepipeline"),
        ("airflow:CreateEnvironment", "airflow-env"),
        ("elasticmapreduce:RunJobFlow", "ec2"),
    ] {
        assert!(is_behind(&told(name, ""), &acted(at, "a", service)), "{name}");
        assert!(!is_behind(&told(name, ""), &acted(at, "a", "lambda")), "{name}");
    }
    assert!(!is_behind(&told("sagemaker:CreateApp", ""), &acted(at, "a", "sagemaker")));
}
