//! What an action is: ways in, rights, what a service does on the way, attacks, odd types of records.

use super::*;

/// Ways in beyond Session Manager, and what hands out a key to a machine under the name of a read.
#[test]
fn whatever_lets_somebody_into_a_machine_is_a_way_in() {
    let high = (codes::INTERACTIVE_ACCESS, Severity::High);
    let nobody_knows = role("nobody-knows", "s");
    for action in "ssm-guiconnect:StartConnection sagemaker:StartSession sagemaker:CreatePresignedDomainUrl \
        ssm:ResumeSession ecs:ExecuteCommand ec2-instance-connect:OpenTunnel ec2-instance-connect:SendSSHPublicKey \
        ec2-instance-connect:SendSerialConsoleSSHPublicKey cloudshell:createSession \
        lightsail:GetInstanceAccessDetails gamelift:GetComputeAccess codebuild:StartSandboxConnection \
        iotsecuredtunneling:OpenTunnel airflow:CreateCliToken airflow:CreateWebLoginToken \
        cloud9:CreateEnvironmentEC2 ec2:GetPasswordData eks:AccessKubernetesApi ssm:GetAccessToken \
        emr-containers:GetManagedEndpointSessionCredentials athena:CreatePresignedNotebookUrl \
        codecatalyst:StartDevEnvironmentSession emr-serverless:GetSessionEndpoint lambda:CreateMicrovmShellAuthToken \
        ssm:startSession"
        .split_whitespace()
    {
        for read_only in ["true", "false"] {
            let rest = format!(r#","readOnly":{read_only}"#);
            let finding = verdict(ALICE, action, &rest).unwrap_or_else(|why| panic!("{action}: {why}"));
            assert_eq!((finding.code, finding.severity), high, "{action}");
            assert!(finding.reason.contains("opened access to a machine"), "{action}: {}", finding.reason);
            for identity in [&nobody_knows, &role("app", "s")] {
                assert_eq!(found(identity, action, &rest), high, "{action} {identity}");
            }
        }
    }
    let rdp = found(&role("deploy", "run-1"), "ssm-guiconnect:StartConnection", "");
    assert_eq!(rdp, (codes::DEPLOY_ROLE_MISUSED, Severity::Critical));
    // What runs commands and lets nobody in.
    assert_eq!(found(ALICE, "ssm:SENDCOMMAND", ""), (codes::DRIFT_WRITE, Severity::High));
    // Without a space at its end, too: CloudTrail writes both.
    assert_eq!(found(ALICE, "ec2-instance-connect:SendSSHPublicKey ", ""), high);
    // Terraform asks for a machine's password, and pipelines start workflows.
    assert_eq!(nothing(&role("deploy", "run-1"), "ec2:GetPasswordData", r#","readOnly":true"#), "expected");
    assert_eq!(nothing(&role("deploy", "run-1"), "airflow:CreateCliToken", ""), "expected");
}

#[test]
fn rights_that_aws_files_under_write_are_as_urgent_as_permissions() {
    for action in "sso:CreateAccountAssignment eks:CreateAccessEntry eks:AssociateAccessPolicy \
        identitystore:CreateGroupMembership iam:EnableOrganizationsRootSessions lambda:CreateFunctionUrlConfig \
        ec2:CreateKeyPair rolesanywhere:CreateTrustAnchor iam:AcquireRole iam:AcceptDelegationRequest \
        account-access:CreateEntitlement ec2:AssociateIamInstanceProfile ssm:CreateActivation \
        account:AcceptPrimaryEmailUpdate guardduty:EnableOrganizationAdminAccount iot:CreateRoleAlias \
        rds:AddRoleToDBCluster identitystore:UpdateUser"
        .split_whitespace()
    {
        let trust = action == "rolesanywhere:CreateTrustAnchor";
        let or = |code| if trust { codes::TRUST_CHANGED } else { code };
        assert_eq!(found(ALICE, action, ""), (or(codes::DRIFT_WRITE), Severity::High), "{action}");
        let app = found(&role("app", "s"), action, "");
        assert_eq!(app, (or(codes::WORKLOAD_WRITE), Severity::High), "{action}");
    }
    let reason = verdict(ALICE, "eks:CreateAccessEntry", "").unwrap().reason;
    assert!(reason.starts_with("A person changed permissions, and"), "{reason}");
}

#[test]
fn how_urgent_a_change_is_follows_from_its_kind_and_from_who_made_it() {
    let data = r#","managementEvent":false"#;
    let unknown = role("somebody", "s");
    for (action, rest, person, code) in [
        ("organizations:DetachPolicy", r#","readOnly":false"#, Severity::Critical, Severity::Critical),
        ("iam:DeleteUserPermissionsBoundary", "", Severity::High, Severity::High),
        ("lambda:DeleteFunctionCodeSigningConfig", "", Severity::High, Severity::High),
        ("ec2:ModifySnapshotAttribute", "", Severity::High, Severity::High),
        ("ram:CreateResourceShare", "", Severity::High, Severity::High),
        ("lambda:AddPermission", data, Severity::High, Severity::High),
        ("rds:DeleteDBCluster", "", Severity::High, Severity::High),
        ("redshift:BatchDeleteClusterSnapshots", "", Severity::High, Severity::High),
        ("kms:DisconnectCustomKeyStore", "", Severity::High, Severity::High),
        ("ec2:UnlockSnapshot", "", Severity::High, Severity::High),
        ("guardduty:ArchiveFindings", "", Severity::High, Severity::High),
        ("ssm:RegisterTaskWithMaintenanceWindow", "", Severity::High, Severity::High),
        ("dynamodb:DeleteTable", "", Severity::High, Severity::High),
        ("ec2:AuthorizeSecurityGroupIngress", "", Severity::Medium, Severity::Low),
        ("ec2:RunInstances", "", Severity::Medium, Severity::Low),
        ("ec2:CreateTags", "", Severity::Low, Severity::Low),
        ("dynamodb:PutItem", data, Severity::Low, Severity::Low),
    ] {
        assert_eq!(found(ALICE, action, rest).1, person, "{action} by a person");
        assert_eq!(found(&unknown, action, rest).1, person, "{action} by an unknown role");
        assert_eq!(found(&role("app", "s"), action, rest).1, code, "{action} by a workload");
    }
}

/// Of a right that AWS itself calls one, the access level says enough.
#[test]
fn the_reason_says_what_was_done_in_words_of_its_kind() {
    let granted = "made a change of access level permissions-management";
    for (action, what) in [
        ("identitystore:CreateUser", "created an identity, or a key or password of one"),
        ("iam:CreateAccessKey", "made an access key of an IAM user, which has no end"),
        ("iam:UpdateAccessKey", granted),
        ("eks:CreateAccessEntry", "changed permissions"),
        ("lambda:PutResourcePolicy", granted),
        ("ec2:DisableEbsEncryptionByDefault", "changed a guardrail"),
        ("ec2:ModifyImageAttribute", "let principals outside the account use a resource"),
        ("dynamodb:DeleteTable", "destroyed data, or what is needed to restore it"),
        ("ec2:AcceptVpcPeeringConnection", "opened the network, or connected another one"),
        ("ssm:StartSession", "opened access to a machine"),
        ("ssm:SendCommand", "had commands run on machines"),
        ("ec2:RunInstances", "made a change of access level write"),
    ] {
        for (who, identity) in [
            ("A person", ALICE),
            ("A workload", &role("app", "s")),
            ("An identity that the policy doesn't know", &role("somebody", "s")),
        ] {
            let reason = verdict(identity, action, "").unwrap_or_else(|why| panic!("{action}: {why}")).reason;
            assert!(reason.starts_with(&format!("{who} {what}, and ")), "{action}: {reason}");
        }
    }
}

#[test]
fn what_a_service_does_on_the_way_is_not_above_the_call_that_caused_it() {
    let through = |service: &str| {
        ALICE.replace(r#""accessKeyId""#, &format!(r#""invokedBy":"{service}.amazonaws.com","accessKeyId""#))
    };
    let grant = |to: &str| format!(r#","requestParameters":{{"granteePrincipal":"{to}"}}"#);
    let ec2 = "arn:aws:sts::111122223333:assumed-role/aws:ec2-infrastructure/i-0a";
    let role = "arn:aws:iam::111122223333:role/mine";
    for (service, action, rest, severity) in [
        ("ec2-frontend-api", "kms:CreateGrant", grant(ec2), Severity::Medium),
        ("rds", "kms:CreateGrant", grant("rds.eu-west-1.amazonaws.com"), Severity::Medium),
        ("lambda", "kms:CreateGrant", grant(role), Severity::Medium),
        ("rds", "iam:CreateServiceLinkedRole", String::new(), Severity::Medium),
        // These make the calls that they are told to make.
        ("ssm", "kms:CreateGrant", grant(role), Severity::High),
        ("ec2-frontend-api", "kms:CreateGrant", String::new(), Severity::High),
        ("cloudformation", "iam:CreateRole", String::new(), Severity::High),
    ] {
        let says = found(&through(service), action, &rest);
        assert_eq!(says, (codes::DRIFT_WRITE, severity), "{action} through {service}");
    }
    assert_eq!(found(ALICE, "kms:CreateGrant", &grant(ec2)).1, Severity::High, "by themselves");
    assert_eq!(found(ALICE, "iam:CreateServiceLinkedRole", "").1, Severity::High, "by themselves");
}

#[test]
fn a_workload_is_exempt_from_no_attack() {
    let app = role("app", "s");
    assert_eq!(found(&app, "monitoring:DeleteAlarms", ""), (codes::TRAIL_TAMPERED, Severity::High));
    assert_eq!(found(&app, "guardduty:CreateFilter", ""), (codes::TRAIL_TAMPERED, Severity::High));
    assert_eq!(nothing(&role("deploy", "run-1"), "monitoring:DeleteAlarms", ""), "expected");
}

#[test]
fn what_ends_a_log_is_an_attack_by_a_person_and_a_change_among_others() {
    let off = r#"{"key":"access_logs.s3.enabled","value":"false"}"#;
    let only = format!(r#","requestParameters":{{"attributes":[{off}]}}"#);
    let idle = r#"{"key":"idle_timeout.timeout_seconds","value":"60"}"#;
    let among = format!(r#","requestParameters":{{"attributes":[{off},{idle}]}}"#);
    let action = "elasticloadbalancing:ModifyLoadBalancerAttributes";
    for identity in [ALICE, &role("nobody-knows", "s")] {
        assert_eq!(found(identity, action, &only), (codes::TRAIL_TAMPERED, Severity::High));
        let finding = verdict(identity, action, &among).unwrap();
        assert_eq!((finding.code, finding.severity), (codes::DRIFT_WRITE, Severity::Medium));
        let says = "With other attributes, the log is off now.";
        assert!(finding.reason.ends_with(says), "{}", finding.reason);
        let on = verdict(identity, action, &among.replace("false", "true")).unwrap();
        assert!(!on.reason.contains("off now"), "{}", on.reason);
    }
    // Controllers do it all day; a workload's entry may list it.
    let app = role("app", "s");
    assert_eq!(found(&app, action, &only), (codes::WORKLOAD_WRITE, Severity::Low));
    let listed =
        POLICY.replace(r#"["s3:Put*"]"#, r#"["logs:DeleteSubscriptionFilter", "cloudtrail:StopLogging"]"#);
    let by_app = |action: &str| verdict_by(&listed, &app, action, "").map(|finding| finding.severity);
    assert_eq!(by_app("logs:DeleteSubscriptionFilter"), Err("workload-allowed".into()));
    assert_eq!(by_app("cloudtrail:StopLogging"), Ok(Severity::Critical));
    assert_eq!(nothing(&role("deploy", "run-1"), action, &among), "expected");
}

#[test]
fn who_turns_detection_on_is_no_intruder() {
    let on = r#","requestParameters":{"detectorId":"d","enable":true}"#;
    assert_eq!(found(ALICE, "guardduty:UpdateDetector", on), (codes::DRIFT_WRITE, Severity::Medium));
    assert_eq!(nothing(&role("deploy", "run-1"), "guardduty:UpdateDetector", on), "expected");
    let off = on.replace("true", "false");
    assert_eq!(found(ALICE, "guardduty:UpdateDetector", &off), (codes::TRAIL_TAMPERED, Severity::Critical));
}

#[test]
fn what_another_record_tells_is_not_reported_twice() {
    let endpoint = r#","eventType":"AwsVpceEvents","eventCategory":"NetworkActivity""#;
    for action in ["cloudtrail:CreateTrail", "cloudtrail:StopLogging"] {
        assert_eq!(nothing(ALICE, action, endpoint), "told-elsewhere", "{action}");
    }
    let elsewhere = ALICE.replace(r#""accountId":"111122223333""#, r#""accountId":"999999999999""#);
    assert_eq!(found(&elsewhere, "ec2:RunInstances", endpoint).0, codes::DRIFT_WRITE);
    let sum = r#","eventType":"AwsAggregatedEvent","eventName":null,"eventCategory":"Aggregated""#;
    assert_eq!(nothing("null", "s3:", sum), "told-elsewhere");
}

#[test]
fn a_dashboards_query_changes_nothing() {
    let event = r#","eventType":"AwsServiceEvent","readOnly":false"#;
    assert_eq!(nothing(ALICE, "quicksight:QueryDatabase", event), "read");
    assert_eq!(found(ALICE, "quicksight:ShareDashboard", event).0, codes::DRIFT_WRITE);
}

#[test]
fn a_credential_that_does_not_end_is_one_by_anybody() {
    let high = (codes::LONG_LIVED_KEY, Severity::High);
    let expires = r#","requestParameters":{"userName":"x","serviceName":"bedrock.amazonaws.com","credentialAgeDays":30}"#;
    for action in "iam:CreateAccessKey iam:CreateLoginProfile iam:CreateServiceSpecificCredential \
        iam:UploadSSHPublicKey iam:UploadSigningCertificate"
        .split_whitespace()
    {
        for identity in [ALICE, &role("nobody-knows", "s"), &role("app", "s")] {
            let finding = verdict(identity, action, "").unwrap();
            assert_eq!((finding.code, finding.severity), high, "{action} {identity}");
            assert!(finding.reason.contains(", which has no end, and "), "{}", finding.reason);
        }
        let finding = verdict(&role("deploy", "run-1"), action, "").unwrap();
        assert_eq!(
            (finding.code, finding.severity),
            (codes::DEPLOY_OUT_OF_BOUNDS, Severity::Medium),
            "{action}"
        );
        assert!(finding.reason.contains(", which has no end, and its entry"), "{}", finding.reason);
    }
    let ends = (codes::DRIFT_WRITE, Severity::High);
    assert_eq!(found(ALICE, "iam:CreateServiceSpecificCredential", expires), ends);
    assert_eq!(found(ALICE, "iam:CreateUser", ""), ends);
}
