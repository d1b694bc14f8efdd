//! What is never proposed.

use serde_json::json;

use super::logs::*;

/// What makes good logs doubtful.
type Spoil = dyn Fn(&mut Logs);

#[test]
fn what_a_pipeline_is_not_is_not_proposed() {
    let change = ["ec2:RunInstances"];
    let cases: [(&str, &Spoil); 18] = [
        ("made in these logs", &|logs| {
            logs.call(
                1,
                &user("eve"),
                "iam:CreateRole",
                &json!({"requestParameters": {"roleName": "deploy"}}),
            );
        }),
        ("trust changed", &|logs| {
            let asked = json!({"requestParameters": {"roleName": "deploy"}});
            logs.call(2, &user("eve"), "iam:UpdateAssumeRolePolicy", &asked);
        }),
        ("provider made", &|logs| {
            let asked = json!({"requestParameters": {"url": format!("https://{GITHUB}")}});
            logs.call(1, &user("eve"), "iam:CreateOpenIDConnectProvider", &asked);
        }),
        ("stops a trail", &|logs| {
            logs.call(3, &session("deploy", "run-9", &json!({})), "cloudtrail:StopLogging", &json!({}));
        }),
        ("makes a user", &|logs| {
            logs.call(3, &session("deploy", "run-9", &json!({})), "iam:CreateUser", &json!({}));
        }),
        ("opens a shell", &|logs| {
            logs.call(3, &session("deploy", "run-9", &json!({})), "ssm:StartSession", &json!({}));
        }),
        ("taken by a user", &|logs| logs.take(4, &user("eve"), "deploy")),
        ("taken by a session of a person", &|logs| {
            logs.take(4, &session("AWSReservedSSO_Admin_0123456789abcdef", "eve", &json!({})), "deploy");
        }),
        ("used in the console", &|logs| {
            let console = json!({"sessionCredentialFromConsole": "true", "readOnly": true});
            logs.call(4, &session("deploy", "run-9", &json!({})), "ec2:DescribeInstances", &console);
        }),
        ("used with MFA", &|logs| {
            let factor = json!({"attributes": {"mfaAuthenticated": "true"}});
            logs.call(
                4,
                &session("deploy", "run-9", &factor),
                "ec2:DescribeInstances",
                &json!({"readOnly": true}),
            );
        }),
        ("taken by another role", &|logs| logs.take(4, &session("app", "x", &json!({})), "deploy")),
        ("assumed by jobs of another owner", &|logs| {
            logs.take(4, &web(GITHUB, "repo:evil/x:ref:refs/heads/main"), "deploy");
        }),
        ("assumed by a role of a person", &|logs| {
            logs.take(4, &session("ci", "x", &github()), "deploy");
            logs.call(4, &session("ci", "ana@example.com", &json!({})), "ec2:CreateTags", &json!({}));
        }),
        ("assumed by a role that was made", &|logs| {
            logs.take(4, &session("ci", "x", &github()), "deploy");
            logs.call(4, &user("eve"), "iam:CreateRole", &json!({"requestParameters": {"roleName": "ci"}}));
        }),
        ("another provider vouched for a session", &|logs| {
            let provider = format!("arn:aws:iam::{ACCOUNT}:oidc-provider/evil.example.com");
            let vouched = json!({"webIdFederationData": {"federatedProvider": provider}});
            logs.call(3, &session("deploy", "run-9", &vouched), "ec2:RunInstances", &json!({}));
        }),
        ("probes", &|logs| {
            for n in 0..6 {
                let denied = json!({"errorCode": "AccessDenied"});
                logs.call(3, &session("deploy", "run-9", &json!({})), &format!("s3:ListThings{n}x"), &denied);
            }
        }),
        ("assumed through CloudFormation", &|logs| logs.take(4, &service("cloudformation"), "deploy")),
        ("taken by another provider", &|logs| logs.take(4, &web("evil.example.com", MAIN), "deploy")),
    ];
    let mut good = Logs::default();
    good.pipeline("deploy", GITHUB, &change);
    assert_eq!(names(&tuned(&good, &[]).1), [arn("deploy")]);
    for (case, spoil) in cases {
        let mut logs = good.clone();
        spoil(&mut logs);
        let (text, policy) = tuned(&logs, &[]);
        assert!(names(&policy).is_empty(), "{case}: {text}");
        assert!(text.contains("Not proposed: ") || text.contains("Commented out: "), "{case}: {text}");
    }
    // Too few days, and nobody known.
    let mut short = Logs(
        good.0.iter().filter(|record| record["eventTime"].as_str() < Some("2026-03-03")).cloned().collect(),
    );
    assert!(short.0.len() == 4 && names(&tuned(&short, &[]).1).is_empty());
    short = Logs(good.0.iter().filter(|record| record["eventName"] == "RunInstances").cloned().collect());
    assert!(short.0.len() == 5 && names(&tuned(&short, &[]).1).is_empty());
}

#[test]
fn a_role_that_makes_grave_changes_is_not_proposed() {
    let grave = [
        ("iam:CreateUser", "identity or credential created"),
        ("iam:AttachRolePolicy", "permissions or trust"),
        ("ssm:StartSession", "access to a machine"),
        ("ssm:SendCommand", "commands on machines"),
        ("iam:PutRolePermissionsBoundary", "guardrail"),
        ("ec2:ModifySnapshotAttribute", "sharing outward"),
        ("dynamodb:DeleteTable", "destruction of data"),
        ("cloudtrail:StopLogging", "logging or detection"),
        ("cloudwatch:DeleteAlarms", "logging or detection"),
        ("secretsmanager:PutSecretValue", "secrets or credentials"),
    ];
    for (action, sort) in grave {
        let mut logs = Logs::default();
        logs.daily(&instance("app"), "ec2:CreateTags");
        let before = tuned(&logs, &[]).1;
        assert_eq!(names(&before), [arn("app")]);
        logs.call(4, &instance("app"), action, &json!({}));
        let (text, policy) = tuned(&logs, &[]);
        assert!(names(&policy).is_empty(), "{action}: {text}");
        let shell = action == "ssm:StartSession";
        let said = format!("{action} x1 since 2026-03-04 ({sort})");
        assert!(shell || text.replace("\n# ", " ").contains(&said), "{said}\n{text}");
    }
}

/// A role that somebody makes in these logs is looked at first; one that the pipeline makes is like any other.
#[test]
fn a_role_that_an_intruder_made_is_not_proposed() {
    let made = json!({"requestParameters": {"roleName": "app"}});
    let mut logs = Logs::default();
    logs.pipeline("deploy", GITHUB, &["ec2:RunInstances"]);
    logs.daily(&instance("app"), "ec2:CreateTags");
    // Nor one whose denied calls are somebody's who tries what it may.
    let mut probing = logs.clone();
    for action in ["ListUsers", "ListRoles", "GetUser", "GetRole", "ListPolicies", "ListGroups"] {
        probing.call(4, &instance("app"), &format!("iam:{action}"), &json!({"errorCode": "AccessDenied"}));
    }
    let (text, policy) = tuned(&probing, &[]);
    assert_eq!(names(&policy), [arn("deploy")], "{text}");
    assert!(text.contains("its denied calls of 2026-03-04 are as broad as probing"), "{text}");
    let mut by_pipeline = logs.clone();
    by_pipeline.call(1, &session("deploy", "run-1", &json!({})), "iam:CreateRole", &made);
    assert_eq!(names(&tuned(&by_pipeline, &[]).1), [arn("deploy"), arn("app")]);
    logs.call(1, &session("stolen", "i-0123456789abcdef0", &json!({})), "iam:CreateRole", &made);
    let (text, policy) = tuned(&logs, &[]);
    assert_eq!(names(&policy), [arn("deploy")], "{text}");
    let text = text.replace("\n# ", " ");
    assert!(text.contains("first on 2026-03-01 by role stolen of 111122223333: review that first"), "{text}");
}

#[test]
fn a_person_is_never_proposed() {
    let people = [
        user("deploy-pipeline"),
        session("AWSReservedSSO_DeployPipeline_0123456789abcdef", "ana@example.com", &json!({})),
        session("deploy", "ana@example.com", &json!({})),
        session("deploy", "s", &json!({"sourceIdentity": "ana"})),
        session("deploy", "s", &json!({"attributes": {"mfaAuthenticated": "true"}})),
        session(
            "deploy",
            "s",
            &json!({"attributes": {"sessionCredentialFromConsole": "true"}, "ec2RoleDelivery": "2.0"}),
        ),
        json!({"type": "Root", "arn": format!("arn:aws:iam::{ACCOUNT}:root"), "accountId": ACCOUNT}),
        json!({"type": "FederatedUser", "arn": format!("arn:aws:sts::{ACCOUNT}:federated-user/x"), "accountId": ACCOUNT,
            "sessionContext": {"sessionIssuer": {"type": "IAMUser", "arn": format!("arn:aws:iam::{ACCOUNT}:user/x")}}}),
    ];
    for who in people {
        let mut logs = Logs::default();
        for _ in 0..4 {
            logs.daily(&who, "ec2:CreateTags");
        }
        // Nor is a person excepted who is denied every day.
        for day in 1..=5 {
            for n in 0..30 {
                let denied = json!({"errorCode": "AccessDenied"});
                logs.call(day, &who, &format!("s3:GetBucket{n}"), &denied);
            }
        }
        let (text, policy) = tuned(&logs, &[]);
        let entry =
            ["[[deploy]]", "[[workload]]", "[[exception]]"].iter().find(|entry| text.contains(**entry));
        assert_eq!((names(&policy), entry), (vec![], None), "{who}\n{text}");
        assert!(text.contains("with 20 changes by people"), "{who}\n{text}");
    }
}
