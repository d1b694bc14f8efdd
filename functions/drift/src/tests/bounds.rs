//! What the pipeline may change.

use super::*;

const DEPLOY: &str = "[[deploy]]\nidentity = \"arn:aws:iam::*:role/deploy\"\n";
const GLASS: &str = "[[break_glass]]\nidentity = \"arn:aws:iam::*:role/emergency\"\n";
const ACCOUNTS: &str = "[accounts]\n444455556666 = \"tooling\"\n";

/// What is said of a change by the pipeline whose entry has these lines.
fn says(lines: &str, action: &str, asked: &str) -> Result<(Code, Severity), String> {
    let policy = format!("{DEPLOY}{lines}\n{GLASS}{ACCOUNTS}");
    let rest = format!(r#","requestParameters":{asked}"#);
    verdict_by(&policy, &role("deploy", "run"), action, &rest).map(|finding| (finding.code, finding.severity))
}

fn trust(principal: &str) -> String {
    let document = format!(r#"{{"Statement":[{{"Effect":"Allow","Principal":{principal}}}]}}"#);
    format!(r#"{{"roleName":"app","policyDocument":{document:?}}}"#)
}

#[test]
fn what_no_pipeline_should_change_unasked_is_reported_once_at_medium() {
    let reported = Ok((codes::DEPLOY_OUT_OF_BOUNDS, Severity::Medium));
    let expected = Err("expected".to_owned());
    for (action, asked, wanted) in [
        ("iam:CreateAccessKey", r#"{"userName":"x"}"#.to_owned(), &reported),
        ("iam:CreateRole", r#"{"roleName":"app"}"#.into(), &expected),
        ("iam:AttachRolePolicy", r#"{"roleName":"app"}"#.into(), &expected),
        ("iam:AttachRolePolicy", r#"{"roleName":"deploy"}"#.into(), &reported),
        ("iam:UpdateAssumeRolePolicy", r#"{"roleName":"emergency"}"#.into(), &reported),
        ("iam:UpdateAssumeRolePolicy", trust(r#"{"AWS":"arn:aws:iam::999988887777:root"}"#), &reported),
        ("iam:UpdateAssumeRolePolicy", trust(r#"{"AWS":"arn:aws:iam::444455556666:root"}"#), &expected),
        ("iam:UpdateAssumeRolePolicy", trust(r#"{"Service":"lambda.amazonaws.com"}"#), &expected),
        ("iam:CreateOpenIDConnectProvider", r#"{"url":"https://x"}"#.into(), &reported),
        ("iam:UpdateOpenIDConnectProviderThumbprint", "{}".into(), &reported),
        ("organizations:UpdatePolicy", "{}".into(), &reported),
        ("account:EnableRegion", "{}".into(), &reported),
        ("s3:PutBucketVersioning", r#"{"bucketName":"b"}"#.into(), &expected),
        (
            "s3:PutBucketPolicy",
            r#"{"bucketName":"b","bucketPolicy":{"Statement":[{"Effect":"Deny","Principal":"*"}]}}"#.into(),
            &expected,
        ),
        (
            "s3:PutBucketPolicy",
            r#"{"bucketName":"b","bucketPolicy":{"Statement":[{"Effect":"Allow","Principal":"*"}]}}"#.into(),
            &reported,
        ),
        ("s3:PutBucketPolicy", "null".into(), &expected),
        ("rds:ModifyDBSnapshotAttribute", "null".into(), &reported),
        ("s3:PutBucketPolicy", r#"{"omitted":true,"originalSize":120000}"#.into(), &reported),
        ("ec2:DisableSnapshotBlockPublicAccess", "{}".into(), &reported),
        ("kms:ScheduleKeyDeletion", r#"{"keyId":"k"}"#.into(), &reported),
        (
            "rds:DeleteDBInstance",
            r#"{"skipFinalSnapshot":true,"deleteAutomatedBackups":true}"#.into(),
            &reported,
        ),
        (
            "rds:DeleteDBInstance",
            r#"{"skipFinalSnapshot":true,"deleteAutomatedBackups":false}"#.into(),
            &expected,
        ),
        ("ec2:RunInstances", "{}".into(), &expected),
        ("iam:AttachRolePolicy", r#"{"roleName":"DEPLOY"}"#.into(), &reported),
        ("iam:AcceptDelegationRequest", "{}".into(), &reported),
        ("ssm:CreateActivation", "{}".into(), &reported),
        ("backup:CancelLegalHold", "{}".into(), &reported),
        ("backup:PutBackupVaultLockConfiguration", "{}".into(), &expected),
        ("kms:DisconnectCustomKeyStore", "{}".into(), &reported),
        ("rds:DeleteDBInstanceAutomatedBackup", "{}".into(), &reported),
        ("rds:ModifyDBInstance", r#"{"backupRetentionPeriod":0}"#.into(), &reported),
        ("rds:ModifyDBInstance", r#"{"backupRetentionPeriod":7}"#.into(), &expected),
        ("rds:ModifyDBInstance", "null".into(), &expected),
        (
            "dynamodb:UpdateContinuousBackups",
            r#"{"pointInTimeRecoverySpecification":{"pointInTimeRecoveryEnabled":false}}"#.into(),
            &reported,
        ),
        (
            "dynamodb:UpdateContinuousBackups",
            r#"{"pointInTimeRecoverySpecification":{"pointInTimeRecoveryEnabled":true}}"#.into(),
            &expected,
        ),
        (
            "sqs:SetQueueAttributes",
            r#"{"attributes":{"Policy":"{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\"}}"}}"#
                .into(),
            &reported,
        ),
        ("sqs:SetQueueAttributes", r#"{"attributes":{"VisibilityTimeout":"30"}}"#.into(), &expected),
        ("ecr:PutReplicationConfiguration", r#"{"registryId":"999988887777"}"#.into(), &reported),
        // Streams to others are set up all day.
        (
            "logs:PutSubscriptionFilter",
            r#"{"destinationArn":"arn:aws:logs:eu-west-1:999988887777:destination:x"}"#.into(),
            &expected,
        ),
        ("s3:PutAccountPublicAccessBlock", r#"{"x":{"BlockPublicAcls":false}}"#.into(), &reported),
        ("s3:PutAccountPublicAccessBlock", r#"{"x":{"BlockPublicAcls":true}}"#.into(), &expected),
    ] {
        assert_eq!(&says("", action, &asked), wanted, "{action} {asked}");
    }
}

#[test]
fn a_bucket_for_load_balancers_logs_is_shared_with_nobody() {
    let bucket = |who: &str| {
        let principal = format!(r#"{{"AWS":"arn:aws:iam::{who}:root"}}"#);
        let statement = format!(r#"{{"Effect":"Allow","Principal":{principal},"Action":"s3:PutObject"}}"#);
        format!(r#"{{"bucketName":"b","bucketPolicy":{{"Statement":[{statement}]}}}}"#)
    };
    assert_eq!(says("", "s3:PutBucketPolicy", &bucket("054676820928")), Err("expected".to_owned()));
    let reported = Ok((codes::DEPLOY_OUT_OF_BOUNDS, Severity::Medium));
    assert_eq!(says("", "s3:PutBucketPolicy", &bucket("054676820929")), reported);
    // No role is for them to assume.
    let role = trust(r#"{"AWS":"arn:aws:iam::054676820928:root"}"#);
    assert_eq!(says("", "iam:UpdateAssumeRolePolicy", &role), reported);
}

#[test]
fn a_network_interface_is_shared_unless_a_service_made_it_for_itself() {
    let policy = format!("{DEPLOY}{ACCOUNTS}");
    let by = |service: &str| {
        let through = format!(r#"{{"invokedBy":"{service}.amazonaws.com","#);
        let deploy = role("deploy", "run").replacen('{', if service.is_empty() { "{" } else { &through }, 1);
        let rest = r#","requestParameters":{"networkInterfaceId":"eni-1","awsAccountId":"999988887777"}"#;
        verdict_by(&policy, &deploy, "ec2:CreateNetworkInterfacePermission", rest).map(|it| it.code)
    };
    assert_eq!(by("sagemaker"), Err("expected".to_owned()));
    for told in ["", "cloudformation", "ssm"] {
        assert_eq!(by(told), Ok(codes::DEPLOY_OUT_OF_BOUNDS), "{told}");
    }
}

#[test]
fn a_domain_for_searches_is_judged_by_its_policy_from_the_beginning() {
    let policy = |condition: &str| {
        let statement =
            format!(r#"{{"Effect":"Allow","Principal":{{"AWS":"*"}},"Action":"es:*"{condition}}}"#);
        let document = format!(r#"{{"Statement":[{statement}]}}"#);
        format!(r#"{{"domainName":"d","accessPolicies":{document:?}}}"#)
    };
    let reported = Ok((codes::DEPLOY_OUT_OF_BOUNDS, Severity::Medium));
    let bounded = r#","Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}"#;
    for action in [
        "es:CreateDomain",
        "es:CreateElasticsearchDomain",
        "es:UpdateDomainConfig",
        "es:UpdateElasticsearchDomainConfig",
    ] {
        assert_eq!(says("", action, &policy("")), reported, "{action}");
        assert_eq!(says("", action, &policy(bounded)), Err("expected".to_owned()), "{action}");
    }
    // Who isn't in its VPC can't reach it.
    let within = |subnets: &str| {
        policy("").replacen('{', &format!(r#"{{"vPCOptions":{{"subnetIds":[{subnets}]}},"#), 1)
    };
    assert_eq!(says("", "es:CreateDomain", &within(r#""subnet-1""#)), Err("expected".to_owned()));
    assert_eq!(says("", "es:CreateDomain", &within("")), reported);
    // Its keys and roles let nobody in.
    let key = r#"{"encryptionAtRestOptions":{"kmsKeyId":"arn:aws:kms:eu-west-1:999988887777:key/k"}}"#;
    assert_eq!(says("", "es:CreateDomain", key), Err("expected".to_owned()));
}

#[test]
fn with_a_list_it_decides_alone() {
    let list = r#"may_change = ["ordinary", "identity", "s3:*"]"#;
    let expected = Err("expected".to_owned());
    for (action, wanted) in [
        ("ec2:RunInstances", &expected),
        ("iam:CreateUser", &expected),
        ("s3:PutBucketPolicy", &expected),
        ("iam:AttachRolePolicy", &Ok((codes::DEPLOY_OUT_OF_BOUNDS, Severity::High))),
        ("ec2:AuthorizeSecurityGroupIngress", &Ok((codes::DEPLOY_OUT_OF_BOUNDS, Severity::Medium))),
    ] {
        assert_eq!(&says(list, action, "{}"), wanted, "{action}");
    }
    assert_eq!(says(list, "ec2:DescribeVpcs", "{}"), Err("read".to_owned()));
}

#[test]
fn any_change_of_what_is_protected_is_an_attack() {
    let of = |identity: &str, action: &str, rest: &str| {
        verdict(identity, action, rest).map(|it| (it.code, it.severity))
    };
    let named = r#","requestParameters":{"functionName":"handsoff-drift"}"#;
    let attack = |severity| Ok((codes::TRAIL_TAMPERED, severity));
    let deploy = role("deploy", "run-1");
    assert_eq!(of(&deploy, "lambda:PutFunctionScalingConfig", named), attack(Severity::Medium));
    assert_eq!(of(ALICE, "lambda:PutFunctionScalingConfig", named), attack(Severity::High));
    let other = r#","requestParameters":{"functionName":"orders"}"#;
    assert_eq!(of(&deploy, "lambda:PutFunctionScalingConfig", other), Err("expected".into()));
    let shouting = r#","requestParameters":{"roleName":"HANDSOFF-drift","policyName":"p"}"#;
    assert_eq!(of(&deploy, "iam:DeleteRolePolicy", shouting), attack(Severity::Medium));
    let own = r#"{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/handsoff-drift/handsoff-drift",
        "accountId":"111122223333","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111122223333:role/handsoff-drift"}}"#;
    let stream = r#","requestParameters":{"logGroupName":"/aws/lambda/handsoff-drift"}"#;
    let by_itself = format!(r#"{own},"inScopeOf":{{"issuerType":"AWS::Lambda::Function"}}}}"#);
    assert_ne!(of(&by_itself, "logs:CreateLogStream", stream).map(|it| it.0), Ok(codes::TRAIL_TAMPERED));
    assert_eq!(of(&format!("{own}}}"), "logs:CreateLogStream", stream), attack(Severity::High), "stolen");
}

#[test]
fn a_listed_action_lets_nobody_in_from_outside() {
    let listed =
        "may_change = [\"ordinary\", \"ec2:ModifySnapshotAttribute\", \"iam:UpdateAssumeRolePolicy\"]";
    let by_class = "may_change = [\"ordinary\", \"sharing\", \"permissions\"]";
    let shared = |account: &str| {
        format!(r#"{{"createVolumePermission":{{"add":{{"items":[{{"userId":"{account}"}}]}}}}}}"#)
    };
    let reported = Ok((codes::DEPLOY_OUT_OF_BOUNDS, Severity::Medium));
    let expected = Err("expected".to_owned());
    for (lines, action, asked, wanted) in [
        (listed, "ec2:ModifySnapshotAttribute", shared("444455556666"), &expected),
        (listed, "ec2:ModifySnapshotAttribute", shared("999988887777"), &reported),
        (by_class, "ec2:ModifySnapshotAttribute", shared("999988887777"), &expected),
        (listed, "iam:UpdateAssumeRolePolicy", r#"{"roleName":"emergency"}"#.into(), &reported),
        (listed, "iam:UpdateAssumeRolePolicy", r#"{"roleName":"app"}"#.into(), &expected),
        (by_class, "iam:UpdateAssumeRolePolicy", r#"{"roleName":"emergency"}"#.into(), &expected),
    ] {
        assert_eq!(&says(lines, action, &asked), wanted, "{lines} {action} {asked}");
    }
}

/// A policy may name its partition, as `[[deploy]]` entries of one cloud alone do.
#[test]
fn an_identity_of_another_partition_is_the_policys_too() {
    let policy = "[[deploy]]\nidentity = \"arn:aws-us-gov:iam::*:role/deploy\"\n";
    let identity = role("deploy", "run").replace("arn:aws:", "arn:aws-us-gov:");
    let rest = r#","requestParameters":{"roleName":"deploy"}"#;
    let json = record("iam:AttachRolePolicy", &identity).region("us-gov-west-1").with(rest).to_string();
    let policy = Policy::parse("handsoff.toml", policy).unwrap();
    let found = classified(&json, &policy, |_, call| crate::bounds::finding(call, &policy));
    assert_eq!(found.map(|it| it.code), Some(codes::DEPLOY_OUT_OF_BOUNDS));
}
