use handsoff_core::Code;
use handsoff_core::Owner;
use handsoff_core::Trace;
use handsoff_testing::records::{self, classified, record};

use super::*;

mod actions;
mod assumed;
mod bounds;
mod deletions;
mod deputy;
mod images;
mod kinds;
mod mfa;
mod networks;
mod secrets;
mod session_tags;
mod unproven;
mod who;

const POLICY: &str = r#"
[[deploy]]
identity = "arn:aws:iam::*:role/deploy"
assumed_by = ["arn:aws:iam::111122223333:role/ci", "oidc:repo:acme/infra:*"]
session_names = ["run-*"]
networks = ["192.0.2.0/24"]

[[workload]]
identity = "arn:aws:iam::*:role/app"
may_write = ["s3:Put*"]

[[break_glass]]
identity = "arn:aws:iam::*:role/emergency"

[[exception]]
identity = "permission-set/Data"
actions = ["glue:StartJobRun", "cloudtrail:StopLogging"]
owner = "data@example.com"
reason = "by hand until it is in code"
until = 2026-12-31
"#;

const ALICE: &str = r#"{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/alice@example.com",
  "accountId":"111122223333","accessKeyId":"ASIA1","sessionContext":{"attributes":{"creationDate":"2026-03-01T08:00:00Z","mfaAuthenticated":"false"}}}"#;

fn role(name: &str, session: &str) -> String {
    records::session(name, session).began("2026-03-01T08:00:00Z").to_string()
}

/// What drift says of a record, or why it isn't asked.
fn verdict(identity: &str, action: &str, rest: &str) -> Result<Finding, String> {
    verdict_by(POLICY, identity, action, rest)
}

fn verdict_by(policy: &str, identity: &str, action: &str, rest: &str) -> Result<Finding, String> {
    let json = record(action, identity).at("2026-03-01T09:00:00Z").region("eu-west-1").with(rest).to_string();
    let policy = Policy::parse("handsoff.toml", policy).unwrap();
    classified(&json, &policy, |record, call| {
        let engine = handsoff_functions::engine(&policy);
        let verdict = engine.judge(call, &mut Trace::off());
        if let Some(known) = engine.fast_path().disposition(record) {
            assert_eq!(verdict.disposition(), Some(known), "{json}");
        }
        match engine.owner(call, &mut Trace::off()) {
            Owner::Detector(other) if other.name() != "drift" && verdict.disposition().is_none() => {
                Err(other.name().into())
            }
            _ => match verdict {
                Verdict::Finding(finding) => Ok(*finding),
                nothing => Err(nothing.disposition().unwrap().to_string()),
            },
        }
    })
}

fn found(identity: &str, action: &str, rest: &str) -> (Code, Severity) {
    let finding = verdict(identity, action, rest).unwrap_or_else(|why| panic!("{action}: {why}"));
    (finding.code, finding.severity)
}

fn nothing(identity: &str, action: &str, rest: &str) -> String {
    verdict(identity, action, rest).expect_err("nothing to report")
}

#[test]
fn a_change_by_anybody_but_the_pipeline_is_drift() {
    use Severity::{High, Low, Medium};
    for (action, rest, severity) in [
        ("ec2:RunInstances", "", Medium),
        ("iam:AttachUserPolicy", "", High),
        ("ec2:CreateTags", "", Low),
        ("s3:PutObject", r#","managementEvent":false,"eventCategory":"Data""#, Low),
        ("ssm:SendCommand", "", High),
        ("lambda:UpdateFunctionCode20150331v2", r#","requestParameters":{"functionName":"shop"}"#, Medium),
    ] {
        assert_eq!(found(ALICE, action, rest), (codes::DRIFT_WRITE, severity), "{action}");
    }
    assert_eq!(found(&role("nobody-knows", "s"), "ec2:RunInstances", "").0, codes::DRIFT_WRITE);
    assert_eq!(found("null", "ec2:RunInstances", "").0, codes::DRIFT_WRITE);
    assert_eq!(
        found(r#"{"type":"AWSAccount","accountId":"999999999999"}"#, "s3:PutBucketPolicy", "").0,
        codes::DRIFT_WRITE
    );
}

#[test]
fn the_reason_names_the_policys_lines() {
    let finding = verdict(ALICE, "ec2:RunInstances", "").unwrap();
    assert_eq!(
        finding.reason,
        "A person made a change of access level write, and no [[deploy]] entry names it (handsoff.toml:2 [[deploy]])."
    );
    assert_eq!(finding.principal.human.as_deref(), Some("alice@example.com"));
}

#[test]
fn a_stack_that_a_person_runs_is_that_persons_change() {
    let identity =
        ALICE.replace(r#""accessKeyId""#, r#""invokedBy":"cloudformation.amazonaws.com","accessKeyId""#);
    let finding =
        verdict(&identity, "ec2:RunInstances", r#","userAgent":"cloudformation.amazonaws.com""#).unwrap();
    assert_eq!(finding.code, codes::DRIFT_WRITE);
    assert!(finding.reason.contains("through cloudformation.amazonaws.com"), "{}", finding.reason);
}

#[test]
fn nothing_that_a_caller_chooses_exempts() {
    // The name of the pipeline's role for a session, its user agent, its address; a nested readOnly and errorCode.
    let rest = r#","userAgent":"APN/1.0 HashiCorp/1.0 Terraform/1.9","requestParameters":{"readOnly":true,"errorCode":"AccessDenied"}"#;
    assert_eq!(found(&role("other", "deploy"), "ec2:RunInstances", rest).0, codes::DRIFT_WRITE);
    assert_eq!(found(&role("other", "run-1"), "ec2:RunInstances", rest).0, codes::DRIFT_WRITE);
    // A role of the same name in somebody else's account.
    let foreign = role("deploy", "run-1").replace("111122223333", "999999999999");
    assert_eq!(found(&foreign, "ec2:RunInstances", "").0, codes::DRIFT_WRITE);
}

#[test]
fn the_pipeline_is_expected_only_as_the_policy_says() {
    assert_eq!(nothing(&role("deploy", "run-1"), "ec2:RunInstances", ""), "expected");
    assert_eq!(nothing(&role("deploy", "run-1"), "ec2:DescribeInstances", r#","readOnly":true"#), "read");
    let misused = |identity: &str, action: &str, rest: &str| found(identity, action, rest);
    let critical = (codes::DEPLOY_ROLE_MISUSED, Severity::Critical);
    let high = (codes::DEPLOY_ROLE_MISUSED, Severity::High);
    assert_eq!(misused(&role("deploy", "alice"), "ec2:RunInstances", ""), critical, "session name");
    assert_eq!(misused(&role("deploy", "alice"), "ec2:DescribeInstances", ""), high, "a read shows it too");
    let console = r#","sessionCredentialFromConsole":"true""#;
    assert_eq!(misused(&role("deploy", "run-1"), "ec2:RunInstances", console), critical, "console");
    let away = r#","sourceIPAddress":"198.51.100.1""#;
    assert_eq!(misused(&role("deploy", "run-1"), "ec2:RunInstances", away), critical, "network");
    let denied = r#","sourceIPAddress":"198.51.100.1","errorCode":"AccessDenied""#;
    assert_eq!(misused(&role("deploy", "run-1"), "ec2:RunInstances", denied).1, Severity::Medium);
    // A service that acts for the role calls from AWS's own network.
    let through = role("deploy", "run-1")
        .replace(r#""accessKeyId""#, r#""invokedBy":"cloudformation.amazonaws.com","accessKeyId""#);
    let service = r#","sourceIPAddress":"cloudformation.amazonaws.com""#;
    assert_eq!(nothing(&through, "ec2:RunInstances", service), "expected");
}

#[test]
fn the_deploy_role_is_taken_only_by_its_origins() {
    let take = r#","requestParameters":{"roleArn":"arn:aws:iam::111122223333:role/deploy","roleSessionName":"run-1"},"readOnly":true"#;
    assert_eq!(nothing(&role("ci", "job"), "sts:AssumeRole", take), "read");
    let github = r#"{"type":"WebIdentityUser","principalId":"p","userName":"repo:acme/infra:ref:refs/heads/main","identityProvider":"token.actions.githubusercontent.com"}"#;
    assert_eq!(nothing(github, "sts:AssumeRoleWithWebIdentity", take), "read");
    let other = github.replace("acme/infra", "mallory/infra");
    assert_eq!(
        found(&other, "sts:AssumeRoleWithWebIdentity", take),
        (codes::DEPLOY_ROLE_MISUSED, Severity::High)
    );
    assert_eq!(found(ALICE, "sts:AssumeRole", take), (codes::DEPLOY_ROLE_MISUSED, Severity::High));
    let reason = verdict(ALICE, "sts:AssumeRole", take).unwrap().reason;
    assert!(reason.contains("the deploy role of handsoff.toml:2 [[deploy]], but"), "{reason}");
    let denied = format!(r#"{take},"errorCode":"AccessDenied""#);
    assert_eq!(found(ALICE, "sts:AssumeRole", &denied), (codes::DEPLOY_ROLE_MISUSED, Severity::Medium));
}

#[test]
fn attacks_on_logging_are_reported_whoever_makes_them_and_whatever_excepts() {
    use Severity::{Critical, High, Medium};
    let data = ALICE.replace("SSO_Admin_", "SSO_Data_");
    let denied = r#","errorCode":"AccessDenied""#;
    let ours = r#","requestParameters":{"functionName":"handsoff-drift"}"#;
    let rule = r#","requestParameters":{"name":"nightly"}"#;
    for (identity, action, rest, severity) in [
        (ALICE, "cloudtrail:StopLogging", "", Critical),
        (ALICE, "cloudtrail:StopLogging", r#","readOnly":true"#, Critical),
        (ALICE, "cloudtrail:DeleteTrail", denied, High),
        (&data, "cloudtrail:StopLogging", "", Critical),
        (ALICE, "lambda:UpdateFunctionCode20150331v2", ours, Critical),
        (ALICE, "lambda:PutFunctionConcurrency20171031", ours, Critical),
        (ALICE, "events:DisableRule", rule, High),
        (ALICE, "monitoring:DeleteAlarms", "", High),
        (&role("app", "s"), "cloudtrail:StopLogging", "", Critical),
        (&role("deploy", "run-1"), "cloudtrail:UpdateTrail", "", Medium),
        (&role("deploy", "run-1"), "lambda:UpdateFunctionCode20150331v2", ours, Medium),
        (&role("deploy", "mallory"), "cloudtrail:UpdateTrail", "", Critical),
    ] {
        assert_eq!(found(identity, action, rest), (codes::TRAIL_TAMPERED, severity), "{action} {rest}");
    }
    // Nobody protects it, and it is no attack by the pipeline; it is reported as beyond its bounds.
    let stopped = found(&role("deploy", "run-1"), "events:DisableRule", rule);
    assert_eq!(stopped, (codes::DEPLOY_OUT_OF_BOUNDS, Medium));
    let service = r#"{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForApplicationAutoScaling/s",
        "sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111122223333:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForApplicationAutoScaling"}}}"#;
    assert_eq!(nothing(service, "monitoring:DeleteAlarms", ""), "service");
}

#[test]
fn a_protected_resource_cannot_hide_behind_many_others() {
    let names: Vec<String> = (0..100).map(|n| format!("\"alarm-{n}\"")).collect();
    let rest = format!(r#","requestParameters":{{"alarmNames":[{},"handsoff-canary"]}}"#, names.join(","));
    assert_eq!(found(&role("deploy", "run-1"), "monitoring:DeleteAlarms", &rest).0, codes::TRAIL_TAMPERED);
}

#[test]
fn a_protected_resource_counts_wherever_the_record_names_it() {
    let rest = r#","resources":[{"ARN":"arn:aws:lambda:eu-west-1:111122223333:event-source-mapping:1"}],
        "requestParameters":{"functionName":"handsoff-drift"}"#;
    assert_eq!(found(ALICE, "lambda:UpdateFunctionCode", rest).0, codes::TRAIL_TAMPERED);
}

#[test]
fn a_workload_may_do_what_its_entry_lists() {
    assert_eq!(nothing(&role("app", "s"), "s3:PutObject", ""), "workload-allowed");
    assert_eq!(found(&role("app", "s"), "s3:DeleteBucket", ""), (codes::WORKLOAD_WRITE, Severity::High));
    assert_eq!(found(&role("app", "s"), "s3:CreateBucket", ""), (codes::WORKLOAD_WRITE, Severity::Low));
    assert_eq!(found(&role("app", "s"), "iam:CreateUser", ""), (codes::WORKLOAD_WRITE, Severity::High));
    let instance = role("any", "i-0123456789abcdef0")
        .replace(r#""attributes""#, r#""ec2RoleDelivery":"2.0","attributes""#);
    assert_eq!(found(&instance, "ssm:UpdateInstanceInformation", ""), (codes::WORKLOAD_WRITE, Severity::Low));
    // An instance's name for a session is the caller's to choose.
    let forged = role("any", "i-0123456789abcdef0");
    assert_eq!(found(&forged, "ssm:UpdateInstanceInformation", "").0, codes::DRIFT_WRITE);
}

#[test]
fn an_exception_covers_what_it_lists_until_its_day() {
    let data = ALICE.replace("SSO_Admin_", "SSO_Data_");
    assert_eq!(nothing(&data, "glue:StartJobRun", ""), "excepted");
    assert_eq!(found(&data, "glue:DeleteJob", "").0, codes::DRIFT_WRITE);
    assert_eq!(
        found(&data, "glue:StartJobRun", r#","eventTime":"2027-01-01T00:00:00Z""#).0,
        codes::DRIFT_WRITE
    );
    assert_eq!(found(&data, "glue:StartJobRun", r#","eventTime":null"#).0, codes::DRIFT_WRITE);
    assert_eq!(found(ALICE, "glue:StartJobRun", "").0, codes::DRIFT_WRITE);
}

#[test]
fn sign_ins_are_reported_and_their_steps_are_not() {
    let user = r#"{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/bob","accountId":"111122223333","userName":"bob"}"#;
    let mfa = |used: &str| {
        format!(
            r#","responseElements":{{"ConsoleLogin":"Success"}},"additionalEventData":{{"MFAUsed":"{used}"}}"#
        )
    };
    assert_eq!(found(user, "signin:ConsoleLogin", &mfa("Yes")), (codes::CONSOLE_SIGN_IN, Severity::Low));
    assert_eq!(found(user, "signin:ConsoleLogin", &mfa("NO")), (codes::LOGIN_WITHOUT_MFA, Severity::Medium));
    assert_eq!(nothing(user, "signin:CheckMfa", r#","readOnly":false"#), "sign-in-step");
    let failed = r#","responseElements":{"ConsoleLogin":"Failure"},"errorMessage":"Failed authentication""#;
    assert_eq!(nothing(user, "signin:ConsoleLogin", failed), "deny-spike");
}

/// CDK and stack sets deploy with roles of their own, which a policy names like any other.
#[test]
fn roles_of_cdk_and_stack_sets_can_be_named() {
    let policy = r#"
[[deploy]]
identity = "arn:aws:iam::*:role/cdk-*-cfn-exec-role-*"
[[deploy]]
identity = "arn:aws:iam::*:role/stacksets-exec-*""#;
    for name in ["cdk-hnb659fds-cfn-exec-role-111122223333-eu-west-1", "stacksets-exec-0123456789abcdef"] {
        let says = verdict_by(policy, &role(name, "AWSCloudFormation"), "ec2:RunInstances", "");
        assert_eq!(says.map(|finding| finding.code), Err("expected".into()), "{name}");
    }
}

#[test]
fn a_person_in_a_workloads_role_is_a_person() {
    let console = r#","sessionCredentialFromConsole":"true""#;
    assert_eq!(found(&role("app", "s"), "ec2:RunInstances", console), (codes::DRIFT_WRITE, Severity::Medium));
    assert_eq!(
        found(&role("app", "s"), "s3:PutObject", console).0,
        codes::DRIFT_WRITE,
        "`may_write` is for the workload"
    );
    assert_eq!(found(&role("app", "s"), "ssm:SendCommand", ""), (codes::DRIFT_WRITE, Severity::High));
}

#[test]
fn the_pipeline_opens_no_shells() {
    let shell = (codes::DEPLOY_ROLE_MISUSED, Severity::Critical);
    assert_eq!(found(&role("deploy", "run-1"), "ssm:StartSession", ""), shell);
    assert_eq!(found(&role("deploy", "run-1"), "ecs:ExecuteCommand", ""), shell);
    assert_eq!(nothing(&role("deploy", "run-1"), "ssm:SendCommand", ""), "expected");
}

#[test]
fn a_denied_call_is_an_attack_by_the_resource_in_its_message() {
    let denied = |action: &str, resource: &str| {
        format!(
            r#","errorCode":"AccessDenied","requestParameters":null,"errorMessage":"User: u is not authorized to perform: {action} on resource: {resource} because no identity-based policy allows it""#
        )
    };
    let ours =
        denied("lambda:UpdateFunctionCode", "arn:aws:lambda:eu-west-1:111122223333:function:handsoff-drift");
    assert_eq!(
        found(ALICE, "lambda:UpdateFunctionCode20150331v2", &ours),
        (codes::TRAIL_TAMPERED, Severity::High)
    );
    let deploy = denied("sts:AssumeRole", "arn:aws:iam::111122223333:role/deploy");
    assert_eq!(found(ALICE, "sts:AssumeRole", &deploy), (codes::DEPLOY_ROLE_MISUSED, Severity::Medium));
}

#[test]
fn the_name_of_a_policy_does_not_make_an_attack() {
    let attach = |role: &str| {
        format!(
            r#","requestParameters":{{"roleName":"{role}","policyArn":"arn:aws:iam::aws:policy/AWSCloudTrail_ReadOnlyAccess"}}"#
        )
    };
    assert_eq!(found(ALICE, "iam:AttachRolePolicy", &attach("shop")).0, codes::DRIFT_WRITE);
    assert_eq!(
        found(ALICE, "iam:AttachRolePolicy", &attach("handsoff-sweep")),
        (codes::TRAIL_TAMPERED, Severity::Critical)
    );
}

#[test]
fn callers_from_other_accounts_and_services_can_be_listed() {
    let policy = r#"[[deploy]]
identity = "arn:aws:iam::*:role/deploy"
assumed_by = ["arn:aws:iam::999999999999:role/ci", "service:codebuild.amazonaws.com"]"#;
    let take = r#","requestParameters":{"roleArn":"arn:aws:iam::111122223333:role/deploy"}"#;
    let says =
        |identity: &str| verdict_by(policy, identity, "sts:AssumeRole", take).map(|finding| finding.code);
    assert_eq!(
        says(r#"{"type":"AWSAccount","principalId":"AROAX:job","accountId":"999999999999"}"#),
        Err("read".into())
    );
    assert_eq!(
        says(r#"{"type":"AWSAccount","principalId":"AROAX:job","accountId":"888888888888"}"#),
        Ok(codes::DEPLOY_ROLE_MISUSED)
    );
    assert_eq!(says(r#"{"type":"AWSService","invokedBy":"codebuild.amazonaws.com"}"#), Err("read".into()));
    assert_eq!(
        says(r#"{"type":"AWSService","invokedBy":"ec2.amazonaws.com"}"#),
        Ok(codes::DEPLOY_ROLE_MISUSED)
    );
}

/// In an account without the pipeline's role anybody who may create roles could create one of its name.
#[test]
fn a_role_of_the_same_name_on_another_path_is_another_role() {
    let policy = "[[deploy]]\nidentity = \"arn:aws:iam::*:role/ci/deploy\"";
    let says =
        |identity: &str| verdict_by(policy, identity, "ec2:RunInstances", "").map(|finding| finding.code);
    assert_eq!(says(&role("deploy", "s")), Ok(codes::DRIFT_WRITE));
    assert_eq!(says(&role("deploy", "s").replace(":role/deploy", ":role/ci/deploy")), Err("expected".into()));
    // The session tells no path: names are unique in an account.
    let bare = r#"{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/deploy/s","accountId":"111122223333"}"#;
    assert_eq!(says(bare), Err("expected".into()));
}

#[test]
fn a_person_through_a_service_is_a_person_even_without_a_key() {
    let identity = ALICE.replace(r#""accessKeyId":"ASIA1""#, r#""invokedBy":"cloudformation.amazonaws.com""#);
    assert_eq!(found(&identity, "ec2:RunInstances", "").0, codes::DRIFT_WRITE);
    let service_role = role("emr", "CCSSession")
        .replace(r#""accessKeyId":"ASIA1""#, r#""invokedBy":"elasticmapreduce.amazonaws.com""#);
    assert_eq!(found(&service_role, "ec2:RunInstances", "").0, codes::WORKLOAD_WRITE);
}

#[test]
fn an_exception_for_some_resources_covers_a_call_only_if_it_covers_all() {
    let policy = r#"[[exception]]
identity = "permission-set/Admin"
actions = ["ec2:TerminateInstances"]
resources = ["i-dev*"]
owner = "o"
reason = "r"
until = 2026-12-31"#;
    let says =
        |rest: &str| verdict_by(policy, ALICE, "ec2:TerminateInstances", rest).map(|finding| finding.code);
    let items = |last: &str| {
        let dev = r#"{"instanceId":"i-dev1"},"#.repeat(2000);
        format!(r#","requestParameters":{{"instancesSet":{{"items":[{dev}{{"instanceId":"{last}"}}]}}}}"#)
    };
    assert_eq!(says(&items("i-dev2")), Err("excepted".into()));
    assert_eq!(says(&items("i-prod")), Ok(codes::DRIFT_WRITE));
    let deep =
        r#","requestParameters":{"instanceId":"i-dev1","a":{"b":{"c":{"d":{"e":{"instanceId":"i-prod"}}}}}}"#;
    assert_eq!(says(deep), Ok(codes::DRIFT_WRITE));
}

#[test]
fn what_failed_is_no_drift() {
    let dry = r#","errorCode":"Client.DryRunOperation""#;
    assert_eq!(nothing(ALICE, "ec2:RunInstances", dry), "deny-spike");
    assert_eq!(nothing(&role("deploy", "run-1"), "ec2:RunInstances", dry), "dry-run");
    assert_eq!(
        nothing(ALICE, "ec2:RunInstances", r#","errorCode":"Client.InvalidAMIID.NotFound""#),
        "attempt"
    );
    assert_eq!(
        nothing(ALICE, "ec2:RunInstances", r#","errorCode":"Client.UnauthorizedOperation""#),
        "deny-spike"
    );
    assert_eq!(nothing(ALICE, "ec2:RunInstances", r#","errorCode":"ExpiredToken""#), "deny-spike");
    let unknown = r#","errorCode":"Client.InvalidInstanceID.NotFound","readOnly":true"#;
    assert_eq!(nothing(ALICE, "ec2:DescribeInstances", unknown), "read");
    let service = role("x", "s")
        .replace(":role/x", ":role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS")
        .replace("assumed-role/x", "assumed-role/AWSServiceRoleForECS");
    assert_eq!(nothing(&service, "ec2:RunInstances", r#","errorCode":"AccessDenied""#), "service");
}

#[test]
fn what_an_emergency_identity_does_is_not_reported_here() {
    assert_eq!(nothing(&role("emergency", "s"), "ec2:RunInstances", ""), "break-glass");
    assert_eq!(
        nothing(r#"{"type":"Root","arn":"arn:aws:iam::111122223333:root"}"#, "cloudtrail:StopLogging", ""),
        "break-glass"
    );
    let take = r#","requestParameters":{"roleArn":"arn:aws:iam::111122223333:role/emergency"}"#;
    assert_eq!(nothing(ALICE, "sts:AssumeRole", take), "break-glass", "nor what asks for one");
}

#[test]
fn a_step_of_a_sign_in_that_has_no_session_yet_is_roots_alone() {
    let session = role("emergency", "s");
    let none = session.replace(r#""creationDate":"2026-03-01T08:00:00Z""#, "");
    let root = r#"{"type":"Root","arn":"arn:aws:iam::111122223333:root"}"#;
    for (identity, action, owner) in [
        (&*none, "signin:CheckMfa", "sign-in-step"),
        (&*none, "signin:ConsoleLogin", "break-glass"),
        (&*session, "signin:CheckMfa", "break-glass"),
        (root, "signin:CheckMfa", "break-glass"),
    ] {
        assert_eq!(nothing(identity, action, ""), owner, "{action} {identity}");
    }
}

/// The console's sign-in and services have the names of their partition.
#[test]
fn the_console_and_services_are_known_in_every_partition() {
    let policy = r#"
[[deploy]]
identity = "arn:aws:iam::*:role/deploy"
assumed_by = ["service:codebuild.amazonaws.com"]"#;
    let misused = Ok((codes::DEPLOY_ROLE_MISUSED, "console".to_owned()));
    for suffix in ["amazonaws.com", "amazonaws.com.cn", "amazonaws.eu"] {
        let says = |identity: &str, action: &str, rest: &str| {
            let found = verdict_by(policy, identity, action, rest);
            found.map(|finding| (finding.code, finding.via))
        };
        let deploy = role("deploy", "run-1");
        let by = format!(r#""invokedBy":"signin.{suffix}","accessKeyId""#);
        let passed_on = deploy.replace(r#""accessKeyId""#, &by);
        assert_eq!(says(&passed_on, "ec2:RunInstances", ""), misused, "{suffix}");
        let source =
            format!(r#","eventSource":"signin.{suffix}","responseElements":{{"SwitchRole":"Success"}}"#);
        assert_eq!(says(&deploy, "signin:SwitchRole", &source), misused, "{suffix}");
        let take =
            r#","requestParameters":{"roleArn":"arn:aws-cn:iam::111122223333:role/deploy"},"readOnly":true"#;
        let service = |name: &str| format!(r#"{{"type":"AWSService","invokedBy":"{name}.{suffix}"}}"#);
        assert_eq!(says(&service("codebuild"), "sts:AssumeRole", take), Err("read".into()), "{suffix}");
        let other = says(&service("ec2"), "sts:AssumeRole", take).map(|(code, _)| code);
        assert_eq!(other, Ok(codes::DEPLOY_ROLE_MISUSED), "{suffix}");
    }
}

#[test]
fn resources_of_the_policy_are_the_same_in_every_partition() {
    let policy = r#"
[[exception]]
identity = "permission-set/Admin"
actions = ["logs:PutRetentionPolicy", "secretsmanager:UpdateSecret"]
resources = ["arn:aws:secretsmanager:*:*:secret:nightly-*"]
owner = "o"
reason = "r"
until = 2026-12-31

[protected]
resources = ["arn:aws:sqs:*:*:audit"]"#;
    for partition in ["aws", "aws-cn", "aws-us-gov"] {
        let says = |action: &str, key: &str, arn: &str| {
            let rest = format!(r#","requestParameters":{{"{key}":"arn:{partition}:{arn}"}}"#);
            verdict_by(policy, ALICE, action, &rest).map(|finding| finding.code)
        };
        let secret = |name: &str| format!("secretsmanager:x:111122223333:secret:{name}");
        let update = |name: &str| says("secretsmanager:UpdateSecret", "secretId", &secret(name));
        assert_eq!(update("nightly-1"), Err("excepted".into()), "{partition}");
        assert_eq!(update("other"), Ok(codes::DRIFT_WRITE), "{partition}");
        let delete =
            |name: &str| says("sqs:DeleteQueue", "resourceArn", &format!("sqs:x:111122223333:{name}"));
        assert_eq!(delete("audit"), Ok(codes::TRAIL_TAMPERED), "{partition}");
        assert_eq!(delete("other"), Ok(codes::DRIFT_WRITE), "{partition}");
    }
}
