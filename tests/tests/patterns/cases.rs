//! Records made for the tests: who calls, what, and where that should go.

use serde_json::{Value, json};

use crate::ACCOUNT;

/// A call; a `readOnly` of `"absent"` is left out, and `more` stands in for the fields of the same names.
pub(crate) fn call(who: Value, action: &str, read_only: Value, more: Value) -> Value {
    let (service, name) = action.split_once(':').unwrap();
    let mut record = json!({
        "eventVersion": "1.11", "eventTime": "2026-03-14T00:00:00Z", "eventID": "e", "eventType": "AwsApiCall",
        "eventSource": format!("{service}.amazonaws.com"), "eventName": name, "awsRegion": "eu-central-1",
        "sourceIPAddress": "192.0.2.1", "userAgent": "aws-cli/2", "requestParameters": null, "responseElements": null,
        "managementEvent": true, "recipientAccountId": ACCOUNT, "eventCategory": "Management",
    });
    let (Value::Object(fields), Value::Object(more)) = (&mut record, more) else { panic!("no object") };
    fields.insert("userIdentity".to_owned(), who);
    if read_only != "absent" {
        fields.insert("readOnly".to_owned(), read_only);
    }
    fields.extend(more);
    record
}

pub(crate) fn user(name: &str) -> Value {
    let bare = name.rsplit('/').next().unwrap();
    let arn = format!("arn:aws:iam::{ACCOUNT}:user/{name}");
    json!({"type": "IAMUser", "arn": arn, "accountId": ACCOUNT, "accessKeyId": "AKIA", "userName": bare})
}

pub(crate) fn session(role: &str) -> Value {
    session_of(&format!("arn:aws:iam::{ACCOUNT}:role/{role}"))
}

pub(crate) fn session_of(role: &str) -> Value {
    let name = role.rsplit('/').next().unwrap();
    json!({
        "type": "AssumedRole", "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/{name}/someone"),
        "accountId": ACCOUNT, "accessKeyId": "ASIA", "principalId": "AROA:someone",
        "sessionContext": {"sessionIssuer": {"type": "Role", "arn": role, "accountId": ACCOUNT, "userName": name}},
    })
}

pub(crate) fn permission_set(name: &str) -> Value {
    session(&format!("aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_{name}_0123456789abcdef"))
}

pub(crate) fn root_user() -> Value {
    json!({"type": "Root", "arn": format!("arn:aws:iam::{ACCOUNT}:root"), "accountId": ACCOUNT, "accessKeyId": "AKIA"})
}

pub(crate) fn service() -> Value {
    json!({"type": "AWSService", "invokedBy": "delivery.logs.amazonaws.com"})
}

pub(crate) fn denied() -> Value {
    json!({"errorCode": "AccessDenied"})
}

pub(crate) fn refused(action: &str, resource: &str) -> Value {
    let message =
        format!("User: x is not authorized to perform: {action} on resource: {resource} because no policy");
    json!({"errorCode": "AccessDenied", "errorMessage": message})
}

pub(crate) fn taking(role: &str) -> Value {
    json!({"requestParameters": {"roleArn": format!("arn:aws:iam::{ACCOUNT}:role/{role}")}})
}

pub(crate) fn sign_in(who: Value, name: &str, more: Value) -> Value {
    let mut record = call(who, &format!("signin:{name}"), false.into(), more);
    record["eventType"] = "AwsConsoleSignIn".into();
    record
}

fn reads(who: Value, action: &str, more: Value) -> Value {
    call(who, action, true.into(), more)
}

fn changes(who: Value, action: &str, more: Value) -> Value {
    call(who, action, false.into(), more)
}

fn none() -> Value {
    json!({})
}

fn failed(code: &str) -> Value {
    json!({ "errorCode": code })
}

fn failed_sign_in() -> Value {
    json!({"errorMessage": "Failed authentication", "responseElements": {"ConsoleLogin": "Failure"}})
}

fn tool() -> Value {
    json!({"eventType": "AwsMcpEvent"})
}

fn from_another_account() -> Value {
    json!({"type": "AWSAccount", "accountId": "444455556666", "principalId": "AROA:x"})
}

/// A name, a record, and where it goes by the policy of `events/`: d drift, b break-glass, s deny-spike, p pipeline.
pub(crate) type Case = (&'static str, Value, &'static str);

pub(crate) fn cases() -> Vec<Case> {
    [
        root(),
        users(),
        read_only(),
        taking_roles(),
        watched_roles(),
        services(),
        attacks(),
        sign_ins(),
        pipelines(),
        others(),
    ]
    .concat()
}

fn root() -> Vec<Case> {
    let federated = json!({
        "type": "FederatedUser", "arn": format!("arn:aws:sts::{ACCOUNT}:federated-user/x"), "accountId": ACCOUNT,
        "sessionContext": {"sessionIssuer": {"type": "Root", "arn": format!("arn:aws:iam::{ACCOUNT}:root")}},
    });
    let target = json!({"requestParameters": {"targetPrincipal": ACCOUNT}});
    let refused = refused("sts:AssumeRoot", &format!("arn:aws:iam::{ACCOUNT}:root"));
    vec![
        ("root changes something", changes(root_user(), "iam:CreateUser", none()), "b"),
        ("root looks at something", reads(root_user(), "iam:ListUsers", none()), "b"),
        ("root is denied something", changes(root_user(), "s3:PutBucketPolicy", denied()), "b"),
        ("root signs in", sign_in(root_user(), "ConsoleLogin", none()), "b"),
        ("somebody fails to sign in as root", sign_in(root_user(), "ConsoleLogin", failed_sign_in()), "b"),
        ("a federated session of root reads", reads(federated.clone(), "s3:ListBuckets", none()), "b"),
        ("a federated session of root changes", changes(federated, "s3:CreateBucket", none()), "db"),
        ("root gives a user a key", changes(root_user(), "iam:CreateAccessKey", none()), "db"),
        ("root signs in for the command line", sign_in(root_user(), "CreateOAuth2Token", none()), "db"),
        ("root's agent calls a tool", changes(root_user(), "aws-mcp:CallReadWriteTool", tool()), "db"),
        ("AssumeRoot", reads(from_another_account(), "sts:AssumeRoot", target), "db"),
        ("AssumeRoot is denied", reads(user("x"), "sts:AssumeRoot", refused), "dbs"),
    ]
}

fn users() -> Vec<Case> {
    let failed_tool = json!({"eventType": "AwsMcpEvent", "errorCode": "ToolError"});
    let gone = || failed("NoSuchEntityException");
    let throttled = failed("Client.RequestLimitExceeded");
    let dry = failed("Client.DryRunOperation");
    vec![
        ("a user changes something", changes(user("x"), "ec2:StopInstances", none()), "d"),
        ("a user's agent calls a tool", changes(user("x"), "aws-mcp:CallReadWriteTool", tool()), "d"),
        (
            "a user's agent calls a tool that failed",
            changes(user("x"), "aws-mcp:CallReadWriteTool", failed_tool),
            "ds",
        ),
        ("a user looks at something", reads(user("x"), "ec2:DescribeInstances", none()), ""),
        ("a user's denied read", reads(user("x"), "ec2:DescribeInstances", denied()), "s"),
        ("a user's denied change", changes(user("x"), "ec2:StopInstances", denied()), "ds"),
        ("a read of a role that isn't there", reads(user("x"), "iam:GetRole", gone()), "s"),
        ("another read of what isn't there", reads(user("x"), "iam:GetPolicy", gone()), ""),
        ("a change of what isn't there", changes(user("x"), "iam:DeleteRole", gone()), "d"),
        (
            "a name is taken",
            changes(user("x"), "iam:CreateUser", failed("EntityAlreadyExistsException")),
            "ds",
        ),
        (
            "another name is taken",
            changes(user("x"), "iam:CreateGroup", failed("EntityAlreadyExistsException")),
            "d",
        ),
        ("an invalid principal", changes(user("x"), "s3:PutBucketPolicy", failed("MalformedPolicy")), "ds"),
        ("a quota", changes(user("x"), "ec2:RunInstances", failed("Client.VcpuLimitExceeded")), "ds"),
        ("throttled", changes(user("x"), "ec2:RunInstances", failed("Client.RequestLimitExceeded")), "d"),
        ("a Region is off", reads(user("x"), "ec2:DescribeInstances", failed("Client.OptInRequired")), "s"),
        ("a boundary changes", changes(user("x"), "iam:CreatePolicyVersion", none()), "ds"),
        ("a policy of the organization", changes(user("x"), "organizations:AttachPolicy", none()), "ds"),
        ("a throttled read", reads(user("x"), "ec2:DescribeInstances", throttled), ""),
        ("a dry run", changes(user("x"), "ec2:RunInstances", dry), "ds"),
        ("an emergency user's read, by the path", reads(user("emergency/x"), "s3:ListBuckets", none()), "b"),
        ("an emergency user's read, by the name", reads(user("eg-1"), "s3:ListBuckets", none()), "b"),
        ("a role's session changes something", changes(session("x"), "s3:PutBucketAcl", none()), "d"),
        ("a role's session reads", reads(session("x"), "s3:GetBucketAcl", none()), ""),
        ("Identity Center, a read", reads(permission_set("Developer"), "s3:ListBuckets", none()), ""),
        ("Identity Center, a change", changes(permission_set("Developer"), "s3:CreateBucket", none()), "d"),
        ("nobody is named", reads(Value::Null, "ses:SendEmail", none()), "d"),
    ]
}

fn read_only() -> Vec<Case> {
    let flagged = |action: &str, flag: Value| call(session("x"), action, flag, none());
    vec![
        ("readOnly is a text", flagged("s3:GetBucketAcl", "true".into()), ""),
        ("readOnly is a text, and false", flagged("s3:PutBucketAcl", "false".into()), "d"),
        ("no readOnly", flagged("s3:PutBucketAcl", "absent".into()), "d"),
        ("readOnly is null", flagged("s3:PutBucketAcl", Value::Null), "d"),
        ("a change that CloudTrail calls a read", flagged("ses:SendEmail", true.into()), "d"),
        ("a read that CloudTrail calls a change", flagged("logs:StartQuery", false.into()), "d"),
        ("Decrypt", flagged("kms:Decrypt", true.into()), ""),
        ("GenerateDataKey", flagged("kms:GenerateDataKeyWithoutPlaintext", true.into()), ""),
        ("GetCallerIdentity", flagged("sts:GetCallerIdentity", true.into()), ""),
    ]
}

fn taking_roles() -> Vec<Case> {
    let saml = || json!({"type": "SAMLUser", "userName": "x@example.com"});
    let oidc = json!({"type": "WebIdentityUser", "userName": "repo:other/repo:ref:refs/heads/main"});
    let permission_set = "aws-reserved/sso.amazonaws.com/AWSReservedSSO_EmergencyAdmin_0123456789abcdef";
    let refused = |role: &str| refused("sts:AssumeRole", &format!("arn:aws:iam::{ACCOUNT}:role/{role}"));
    let for_people = || json!({"type": "AWSService", "invokedBy": "account-access.amazonaws.com"});
    let takes = |who: Value, role: &str| reads(who, "sts:AssumeRole", taking(role));
    let with_saml = |role: &str| reads(saml(), "sts:AssumeRoleWithSAML", taking(role));
    let with_web = reads(oidc, "sts:AssumeRoleWithWebIdentity", taking("deploy-pipeline"));
    vec![
        ("another role is assumed", takes(session("x"), "app/y"), "d"),
        ("the deploy role is assumed", takes(user("x"), "deploy-pipeline"), "d"),
        (
            "the deploy role is assumed from another account",
            takes(from_another_account(), "deploy-pipeline"),
            "d",
        ),
        ("the deploy role is assumed with SAML", with_saml("deploy-pipeline"), "d"),
        ("the deploy role is assumed with a web identity", with_web, "dp"),
        ("the deploy role is assumed by a service", takes(service(), "deploy-pipeline"), "d"),
        ("a role is assumed by a service", takes(service(), "app/y"), ""),
        ("a role is assumed through account access manager", takes(for_people(), "app/y"), "d"),
        ("so is a break-glass role", takes(for_people(), "break-glass"), "db"),
        ("the deploy role is refused", reads(user("x"), "sts:AssumeRole", refused("deploy-pipeline")), "dbs"),
        ("a break-glass role is assumed", takes(user("x"), "break-glass"), "db"),
        ("a break-glass permission set is assumed", with_saml(permission_set), "db"),
        ("a break-glass role is refused", reads(user("x"), "sts:AssumeRole", refused("break-glass")), "dbs"),
        ("any other role is refused", reads(user("x"), "sts:AssumeRole", refused("y")), "dbs"),
    ]
}

fn watched_roles() -> Vec<Case> {
    let (deploy, glass) = (|| session("deploy-pipeline"), || session("break-glass"));
    let mut not_told = session("anything");
    not_told["sessionContext"] = json!({"sessionIssuer": {}});
    vec![
        ("the deploy role changes something", changes(deploy(), "ecs:UpdateService", none()), "d"),
        ("the deploy role reads", reads(deploy(), "ecs:ListServices", none()), "d"),
        ("the deploy role is denied", reads(deploy(), "ecs:ListServices", denied()), "ds"),
        ("a break-glass session reads", reads(glass(), "ecs:ListServices", none()), "b"),
        ("a break-glass session changes something", changes(glass(), "ecs:UpdateService", none()), "db"),
        ("a break-glass session is denied", reads(glass(), "ecs:ListServices", denied()), "bs"),
        (
            "a break-glass permission set",
            reads(permission_set("EmergencyAdmin"), "s3:ListBuckets", none()),
            "b",
        ),
        ("a session whose role isn't told", reads(not_told, "s3:ListBuckets", none()), "db"),
    ]
}

fn services() -> Vec<Case> {
    let linked = || session("aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling");
    let seeming = session("x:role/aws-service-role/y/z");
    let foreign = session_of("arn:aws:iam::444455556666:role/aws-service-role/y/z");
    let itself = json!({"accountId": ACCOUNT, "invokedBy": "kms.amazonaws.com"});
    let named = json!({"arn": user("x")["arn"]});
    let event = || json!({"eventType": "AwsServiceEvent"});
    vec![
        ("a service changes something", changes(service(), "s3:PutObject", none()), ""),
        ("a service reads", reads(service(), "s3:GetBucketAcl", none()), ""),
        ("a service is denied", changes(service(), "s3:PutObject", denied()), ""),
        ("a service-linked role", changes(linked(), "ec2:TerminateInstances", none()), ""),
        ("a service-linked role is denied", changes(linked(), "ec2:TerminateInstances", denied()), ""),
        ("a role that only looks service-linked", changes(seeming, "ec2:TerminateInstances", none()), "d"),
        ("another account's service-linked role", changes(foreign, "ec2:TerminateInstances", none()), "d"),
        ("AWS's own event", changes(itself, "kms:RotateKey", event()), ""),
        ("AWS's own event that names a user", changes(named, "x:CreateThing", event()), "d"),
    ]
}

fn attacks() -> Vec<Case> {
    let dry = failed("Client.DryRunOperation");
    vec![
        ("a trail is stopped", changes(user("x"), "cloudtrail:StopLogging", none()), "d"),
        ("a trail is not stopped: denied", changes(session("x"), "cloudtrail:StopLogging", denied()), "ds"),
        (
            "a trail is not stopped: not found",
            changes(session("x"), "cloudtrail:StopLogging", failed("NotFound")),
            "d",
        ),
        ("an attack is only tried", changes(user("x"), "ec2:DeleteFlowLogs", dry), "ds"),
        ("a shell", changes(permission_set("Developer"), "ssm:StartSession", none()), "d"),
        ("CloudShell", changes(permission_set("Developer"), "cloudshell:createSession", none()), "d"),
    ]
}

fn pipelines() -> Vec<Case> {
    let gone = || failed("PipelineNotFoundException");
    let (deploy, itself) = (
        || session("deploy-pipeline"),
        || json!({"type": "AWSService", "invokedBy": "codepipeline.amazonaws.com"}),
    );
    let oidc = json!({"type": "WebIdentityUser", "userName": "repo:other/repo:pull_request"});
    vec![
        ("a pipeline is changed", changes(user("x"), "codepipeline:UpdatePipeline", none()), "dp"),
        ("a connection is made", changes(user("x"), "codeconnections:CreateConnection", none()), "dp"),
        (
            "a connection is made by its older name",
            changes(user("x"), "codestar-connections:CreateConnection", none()),
            "dp",
        ),
        ("a pipeline that isn't there", changes(user("x"), "codepipeline:UpdatePipeline", gone()), "d"),
        ("a pipeline's change is denied", changes(user("x"), "codepipeline:UpdatePipeline", denied()), "ds"),
        ("a pipeline is looked at", reads(user("x"), "codepipeline:GetPipelineState", none()), ""),
        ("a repository is pulled", reads(user("x"), "codecommit:GitPull", none()), "d"),
        ("a pipeline starts a build", changes(deploy(), "codebuild:StartBuild", none()), "dp"),
        ("the service starts a build", changes(itself(), "codebuild:StartBuild", none()), "p"),
        ("a job assumes another role", reads(oidc, "sts:AssumeRoleWithWebIdentity", taking("app/y")), "dp"),
        (
            "notifications are none of a pipeline's",
            changes(user("x"), "codestar-notifications:Subscribe", none()),
            "d",
        ),
    ]
}

fn sign_ins() -> Vec<Case> {
    let nameless =
        |name: &str| json!({"type": "IAMUser", "accountId": ACCOUNT, "userName": name, "accessKeyId": ""});
    vec![
        ("a user signs in", sign_in(user("x"), "ConsoleLogin", none()), "d"),
        ("a user fails to sign in", sign_in(nameless("x"), "ConsoleLogin", failed_sign_in()), "dbs"),
        ("an emergency user signs in", sign_in(user("emergency/eg-1"), "ConsoleLogin", none()), "db"),
        ("an emergency user fails to", sign_in(nameless("eg-1"), "ConsoleLogin", failed_sign_in()), "dbs"),
        (
            "a shell on a machine that isn't connected",
            call(user("x"), "ssm:StartSession", false.into(), failed("TargetNotConnected")),
            "ds",
        ),
        ("a user signs in for the command line", sign_in(user("x"), "CreateOAuth2Token", none()), "d"),
        ("an emergency user does", sign_in(user("emergency/eg-1"), "CreateOAuth2Token", none()), "db"),
        ("a read that returns credentials", reads(user("x"), "ssm:GetAccessToken", none()), "d"),
        ("Identity Center signs in", sign_in(permission_set("Developer"), "ConsoleLogin", none()), "d"),
        ("somebody switches to a role", sign_in(session("x"), "SwitchRole", none()), "d"),
        (
            "somebody switches to the break-glass role",
            sign_in(session("break-glass"), "SwitchRole", none()),
            "db",
        ),
    ]
}

fn others() -> Vec<Case> {
    let data = || json!({"managementEvent": false, "eventCategory": "Data"});
    let endpoint = json!({"eventType": "AwsVpceEvents", "errorCode": "VpceAccessDenied"});
    let insight = json!({
        "eventVersion": "1.08", "eventTime": "2026-03-14T00:00:00Z", "awsRegion": "eu-central-1", "eventID": "e",
        "eventType": "AwsCloudTrailInsight", "recipientAccountId": ACCOUNT, "eventCategory": "Insight",
        "insightDetails": {"state": "Start", "eventSource": "ssm.amazonaws.com", "eventName": "x",
            "insightType": "ApiErrorRateInsight", "errorCode": "AccessDenied"},
    });
    vec![
        ("a read of data", reads(session("x"), "s3:GetObject", data()), ""),
        ("a change of data", changes(session("x"), "s3:PutObject", data()), "d"),
        ("an endpoint's policy denies", reads(from_another_account(), "s3:GetObject", endpoint), "s"),
        ("an insight", insight, ""),
    ]
}
