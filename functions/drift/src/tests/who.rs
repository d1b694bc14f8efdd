//! Who acted: each kind of caller that isn't just a person or the pipeline.

use super::*;

#[test]
fn a_saml_provider_may_be_listed_by_its_name() {
    let by = |provider: &str| {
        let user =
            r#"{"type":"SAMLUser","principalId":"x=:runner","userName":"runner","identityProvider":"x="}"#;
        let rest = format!(
            r#","readOnly":true,"requestParameters":{{"roleArn":"arn:aws:iam::111122223333:role/deploy","roleSessionName":"run",
            "principalArn":"{provider}"}},"responseElements":{{"credentials":{{"accessKeyId":"ASIA9"}}}}"#
        );
        let policy = "[[deploy]]\nidentity = \"arn:aws:iam::*:role/deploy\"\nassumed_by = [\"saml:Build\"]\n";
        verdict_by(policy, user, "sts:AssumeRoleWithSAML", &rest).map(|finding| finding.code)
    };
    assert_eq!(by("arn:aws:iam::111122223333:saml-provider/Build"), Err("read".to_owned()));
    for other in [
        "arn:aws:iam::111122223333:saml-provider/Staff",
        "arn:aws:iam::444455556666:saml-provider/Build",
        "Build",
    ] {
        assert_eq!(by(other), Ok(codes::DEPLOY_ROLE_MISUSED), "{other}");
    }
    for wrong in ["saml:", "saml:*", "saml:arn:aws:iam::1:saml-provider/Build"] {
        let text =
            format!("[[deploy]]\nidentity = \"arn:aws:iam::*:role/deploy\"\nassumed_by = [\"{wrong}\"]\n");
        assert!(Policy::parse("p", &text).is_err(), "{wrong}");
    }
}

const ANONYMOUS: &str = r#"{"type":"AWSAccount","principalId":"","accountId":"ANONYMOUS_PRINCIPAL"}"#;
const CUSTOMER: &str = r#"{"type":"Unknown","principalId":"Anonymous"}"#;

/// A role's session with more in its `sessionContext`, and more beside that.
fn session(name: &str, context: &str, beside: &str) -> String {
    role(name, "run-1")
        .replace(r#""sessionContext":{"#, &format!(r#""sessionContext":{{{context}"#))
        .replace(r#""accountId":"111122223333","#, &format!(r#""accountId":"111122223333",{beside}"#))
}

fn attribute(name: &str, attribute: &str) -> String {
    role(name, "run-1").replace(r#""creationDate""#, &format!(r#"{attribute},"creationDate""#))
}

fn kind(identity: &str) -> Kind {
    verdict(identity, "ec2:RunInstances", "").unwrap_or_else(|why| panic!("{identity}: {why}")).principal.kind
}

#[test]
fn an_apps_customers_are_nobody_of_the_account() {
    for action in [
        "SignUp",
        "ConfirmSignUp",
        "ForgotPassword",
        "GlobalSignOut",
        "RevokeToken",
        "ChangePassword",
        "DeleteUser",
    ] {
        assert_eq!(nothing(CUSTOMER, &format!("cognito-idp:{action}"), ""), "anonymous", "{action}");
    }
    let bare = r#"{"type":"Unknown"}"#;
    for action in ["GetId", "UnlinkIdentity"] {
        assert_eq!(nothing(bare, &format!("cognito-identity:{action}"), r#","readOnly":false"#), "anonymous");
    }
    assert_eq!(nothing(CUSTOMER, "cognito-idp:InitiateAuth", ""), "sign-in-step");
    // A type that is left out, or a caller that is named, is nobody's customer.
    assert_eq!(found("{}", "cognito-idp:SignUp", "").0, codes::DRIFT_WRITE);
    assert_eq!(found(bare, "ec2:RunInstances", "").0, codes::DRIFT_WRITE);
    assert_eq!(found(ALICE, "cognito-idp:DeleteUserPool", "").0, codes::DRIFT_WRITE);
    let named = role("ops", "Anonymous").replace("AssumedRole", "Unknown");
    assert_eq!(found(&named, "cognito-idp:DeleteUserPool", "").0, codes::DRIFT_WRITE);
}

#[test]
fn a_customers_wrong_password_is_no_missing_permission() {
    let wrong = r#","errorCode":"NotAuthorizedException","errorMessage":"Incorrect username or password.""#;
    assert_eq!(nothing(CUSTOMER, "cognito-idp:InitiateAuth", wrong), "unauthenticated");
    assert_eq!(nothing(&role("app", "s"), "cognito-idp:AdminInitiateAuth", wrong), "unauthenticated");
    assert_eq!(
        nothing(ALICE, "cognito-idp:DeleteUserPool", r#","errorCode":"AccessDeniedException""#),
        "deny-spike"
    );
    assert_eq!(nothing(ALICE, "ecr:CreateRepository", wrong), "deny-spike", "elsewhere it is one");
}

#[test]
fn an_anonymous_write_that_got_through_is_loud() {
    let data = r#","managementEvent":false,"eventCategory":"Data""#;
    for identity in [ANONYMOUS, CUSTOMER, r#"{"type":"AWSAccount","principalId":"anonymous"}"#] {
        let finding = verdict(identity, "s3:PutObject", data).unwrap();
        assert_eq!((finding.code, finding.severity), (codes::DRIFT_WRITE, Severity::Medium), "{identity}");
        assert!(finding.reason.starts_with("Anyone on the internet"), "{}", finding.reason);
        assert!(finding.next.contains("no credentials to revoke"), "{}", finding.next);
        let who = finding.principal;
        assert_eq!((who.kind, who.name.as_str(), who.human), (Kind::Anonymous, "anonymous", None));
    }
    assert_eq!(found(ANONYMOUS, "s3:PutBucketPolicy", "").1, Severity::High);
    assert_eq!(nothing(ANONYMOUS, "s3:GetObject", data), "read");
    assert_eq!(nothing(ANONYMOUS, "s3:PutObject", r#","errorCode":"AccessDenied""#), "anonymous");
    assert_eq!(nothing(ANONYMOUS, "s3:ListObjects", r#","errorCode":"AccessDenied""#), "anonymous");
    let other = r#"{"type":"AWSAccount","principalId":"AROAX:anonymous","accountId":"999999999999"}"#;
    assert_eq!(nothing(other, "s3:PutObject", r#","errorCode":"AccessDenied""#), "deny-spike");
}

#[test]
fn other_hands_on_the_deploy_role_show() {
    let cases = [
        ("used MFA", attribute("deploy", r#""mfaAuthenticated":"true""#)),
        ("sourceIdentity `mallory`", session("deploy", r#""sourceIdentity":"mallory","#, "")),
        ("Identity Center user `u-1`", session("deploy", "", r#""onBehalfOf":{"userId":"u-1"},"#)),
        (
            "`999999999999` acts with it",
            session("deploy", "", r#""invokedByDelegate":{"accountId":"999999999999"},"#),
        ),
        ("through aws-mcp.", session("deploy", "", r#""invokedBy":"aws-mcp.amazonaws.com","#)),
        ("through ssm-guiconnect.", session("deploy", "", r#""invokedBy":"ssm-guiconnect.amazonaws.com","#)),
        (
            "`oidc.attacker.example`",
            session(
                "deploy",
                r#""webIdFederationData":{"federatedProvider":"arn:aws:iam::111122223333:oidc-provider/oidc.attacker.example"},"#,
                "",
            ),
        ),
    ];
    for (how, identity) in cases {
        let finding = verdict(&identity, "ec2:RunInstances", "").unwrap_or_else(|why| panic!("{how}: {why}"));
        assert_eq!(
            (finding.code, finding.severity),
            (codes::DEPLOY_ROLE_MISUSED, Severity::Critical),
            "{how}"
        );
        assert!(finding.reason.contains(how), "{how}: {}", finding.reason);
        assert_eq!(
            found(&identity, "ec2:DescribeInstances", r#","readOnly":true"#).1,
            Severity::High,
            "{how}"
        );
    }
    let machine = session("deploy", r#""sourceIdentity":"CN=runner.example","#, "");
    assert_eq!(nothing(&machine, "ec2:RunInstances", ""), "expected");
    let github = r#""webIdFederationData":{"federatedProvider":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com","attributes":{}},"#;
    assert_eq!(nothing(&session("deploy", github, ""), "ec2:RunInstances", ""), "expected");
    assert_eq!(
        nothing(&attribute("deploy", r#""mfaAuthenticated":"false""#), "ec2:RunInstances", ""),
        "expected"
    );
}

#[test]
fn a_deploy_role_is_used_through_its_own_vpc_endpoints() {
    let through = |owner: &str| format!(r#","vpcEndpointId":"vpce-0a1","vpcEndpointAccountId":"{owner}""#);
    let of = |lists: &str, rest: &str| {
        let policy = format!("[[deploy]]\nidentity = \"arn:aws:iam::*:role/deploy\"\n{lists}");
        verdict_by(&policy, &role("deploy", "s"), "ec2:RunInstances", rest).map(|finding| finding.reason)
    };
    let expected = Err("expected".to_owned());
    assert_eq!(of("", &through("111122223333")), expected);
    assert!(of("", &through("999999999999")).unwrap().contains("`vpce-0a1` of the account `999999999999`"));
    let runner = "assumed_by = [\"arn:aws:iam::999999999999:role/ci\"]";
    assert_eq!(of(runner, &through("999999999999")), expected, "the account of its origin");
    for listed in ["vpce-0a1", "999999999999"] {
        assert_eq!(of(&format!("vpc_endpoints = [\"{listed}\"]"), &through("999999999999")), expected);
    }
    let other = of("vpc_endpoints = [\"vpce-0b2\"]", &through("111122223333"));
    assert!(other.unwrap().contains("`vpc_endpoints` doesn't list `vpce-0a1`"));
    assert_eq!(of("", r#","vpcEndpointId":"vpce-0a1""#), expected, "old records don't tell whose it is");
}

#[test]
fn where_a_service_calls_from_is_no_foreign_network() {
    for source in ["cloudformation.amazonaws.com", "AWS Internal", "cloudformation.amazonaws.com.cn"] {
        let rest = format!(r#","sourceIPAddress":"{source}","userAgent":"{source}""#);
        assert_eq!(nothing(&role("deploy", "run-1"), "ec2:RunInstances", &rest), "expected", "{source}");
        let other = format!(r#","sourceIPAddress":"{source}","userAgent":"aws-cli/2.15.30""#);
        let misused = found(&role("deploy", "run-1"), "ec2:RunInstances", &other).0;
        assert_eq!(misused, codes::DEPLOY_ROLE_MISUSED, "{source}");
    }
    let internal = session("deploy", "", r#""invokedBy":"AWS Internal","#);
    let away = r#","sourceIPAddress":"198.51.100.1""#;
    assert_eq!(found(&internal, "ec2:RunInstances", away).0, codes::DEPLOY_ROLE_MISUSED, "an address is one");
    assert_eq!(nothing(&internal, "ec2:RunInstances", ""), "expected");
    for source in ["2001:db8::7", "cloudformation.example.com", ""] {
        let rest = format!(r#","sourceIPAddress":"{source}""#);
        assert_eq!(
            found(&role("deploy", "run-1"), "ec2:RunInstances", &rest).0,
            codes::DEPLOY_ROLE_MISUSED,
            "{source}"
        );
    }
}

#[test]
fn the_deploy_role_is_not_handed_to_people() {
    let policy = |lists: &str| format!("[[deploy]]\nidentity = \"arn:aws:iam::*:role/deploy\"\n{lists}");
    let says = |lists: &str, identity: &str, more: &str| {
        let take =
            format!(r#","requestParameters":{{"roleArn":"arn:aws:iam::111122223333:role/deploy"{more}}}"#);
        verdict_by(&policy(lists), identity, "sts:AssumeRole", &take).map(|finding| finding.code)
    };
    let misused = Ok(codes::DEPLOY_ROLE_MISUSED);
    let read = Err("read".to_owned());
    let by = |service: &str| format!(r#"{{"type":"AWSService","invokedBy":"{service}.amazonaws.com"}}"#);
    assert_eq!(says("", &by("account-access"), ""), misused);
    assert_eq!(says("", &by("codebuild"), ""), read);
    let listed = "assumed_by = [\"service:account-access.amazonaws.com\"]";
    assert_eq!(says(listed, &by("account-access"), ""), read);
    let ci = role("ci", "job");
    assert_eq!(says("", &ci, ""), misused, "an identity of the account that no list has");
    let runner = "assumed_by = [\"arn:aws:iam::111122223333:role/ci\"]";
    assert_eq!(says(runner, &ci, ""), read);
    assert_eq!(says("", &ci, r#","serialNumber":"arn:aws:iam::111122223333:mfa/ana""#), misused);
    assert_eq!(says("", &ci, r#","sourceIdentity":"ana""#), misused);
    let with_source = format!("{runner}\nsource_identities = [\"pipeline-*\"]");
    assert_eq!(says(&with_source, &ci, r#","sourceIdentity":"pipeline-7""#), read);
    assert_eq!(says("", &by("rolesanywhere"), r#","sourceIdentity":"CN=runner""#), read);
    assert_eq!(
        says("", &attribute("ops", r#""mfaAuthenticated":"true""#), ""),
        misused,
        "a person's session"
    );
}

#[test]
fn a_subject_of_another_provider_is_misuse_and_one_with_ids_is_not() {
    let take = r#","requestParameters":{"roleArn":"arn:aws:iam::111122223333:role/deploy","roleSessionName":"run-1"},"readOnly":true"#;
    let says = |host: &str, subject: &str| {
        let identity = format!(
            r#"{{"type":"WebIdentityUser","userName":"{subject}","identityProvider":"arn:aws:iam::111122223333:oidc-provider/{host}"}}"#
        );
        verdict(&identity, "sts:AssumeRoleWithWebIdentity", take).map(|finding| finding.reason)
    };
    let (github, main) = ("token.actions.githubusercontent.com", "repo:acme/infra:ref:refs/heads/main");
    assert_eq!(says(github, main), Err("read".into()));
    assert_eq!(says(github, "repo:acme@12/infra@345:ref:refs/heads/main"), Err("read".into()));
    let reason = says("oidc.attacker.example", main).unwrap();
    assert!(reason.contains("of `oidc.attacker.example`, who assumed it"), "{reason}");
    assert!(says(github, "repo:acme@12/other@345:ref:refs/heads/main").is_ok());
}

#[test]
fn machines_are_no_persons_and_persons_are_named() {
    let web = |provider: &str| {
        let federation =
            format!(r#""webIdFederationData":{{"federatedProvider":"{provider}","attributes":{{}}}},"#);
        session("x", &federation, "").replace("run-1", "exporter@proj.iam.gserviceaccount.com")
    };
    let eks = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0A1B";
    let service = |host: &str, name: &str| {
        session("x", "", &format!(r#""invokedBy":"{host}","#)).replace("run-1", name)
    };
    for (wanted, identity) in [
        (Kind::Unknown, session("x", r#""sourceIdentity":"CN=backup01.corp.example","#, "")),
        (Kind::Human, session("x", r#""sourceIdentity":"ana@example.com","#, "")),
        (Kind::Unknown, web("accounts.google.com")),
        (Kind::Unknown, role("x", "exporter@proj.iam.gserviceaccount.com")),
        (Kind::Human, role("x", "ana@example.com")),
        (Kind::Workload, web(eks)),
        (Kind::Workload, web("cognito-identity.amazonaws.com")),
        (Kind::Unknown, web("oidc.eks.eu-west-1.amazonaws.com.attacker.example/id/0A1B")),
        (
            Kind::Unknown,
            web(
                "arn:aws:iam::111122223333:oidc-provider/evil.example/:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0A1B",
            ),
        ),
        (Kind::Unknown, web("arn:aws:iam::111122223333:oidc-provider/oidc.eks.mine.amazonaws.com/id/0A1B")),
        (Kind::Unknown, web("arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com")),
        (Kind::Workload, session("x", "", r#""inScopeOf":{"issuerType":"AWS::Lambda::Function"},"#)),
        (Kind::Workload, session("x", "", r#""inScopeOf":{"issuerType":"AWS::ECS::Task"},"#)),
        (
            Kind::Unknown,
            session("x", "", r#""inScopeOf":{"issuerType":"AWS::SageMaker::NotebookInstance"},"#),
        ),
        (Kind::Unknown, role("x", "x").replace(":role/x", ":role/service-role/x")),
        (Kind::Workload, service("cloudtrail.amazonaws.com", "cloudtrail.amazonaws.com")),
        (Kind::Workload, service("cloudtrail.amazonaws.com", "CloudTrail")),
        (Kind::Unknown, service("servicecatalog.amazonaws.com", "servicecatalog")),
        (Kind::Workload, service("backup.amazonaws.com", "AWSBackup-AWSBackupDefaultServiceRole")),
        (Kind::Workload, service("elasticmapreduce.amazonaws.com", "CCSSession")),
        (Kind::Workload, service("eks.amazonaws.com", "1653944444444444444")),
        (Kind::Unknown, service("cloudformation.amazonaws.com", "AWSBackup-x")),
        (Kind::Unknown, service("cloudformation.amazonaws.com", "CCSSession")),
        (Kind::Unknown, service("backup.amazonaws.com", "ana")),
        (Kind::Human, attribute("x", r#""mfaAuthenticated":"true""#)),
        (Kind::Human, session("x", "", r#""onBehalfOf":{"userId":"94482488-3041"},"#)),
        (Kind::Human, attribute("app", r#""mfaAuthenticated":"true""#)),
    ] {
        assert_eq!(kind(&identity), wanted, "{identity}");
    }
    let human = |identity: &str| verdict(identity, "ec2:RunInstances", "").unwrap().principal.human;
    assert_eq!(human(&session("x", r#""sourceIdentity":"CN=backup01.corp.example","#, "")), None);
    assert_eq!(human(&web("accounts.google.com")), None);
    assert_eq!(human(&attribute("x", r#""mfaAuthenticated":"true""#)).as_deref(), Some("run-1"));
    let behalf = session("x", "", r#""onBehalfOf":{"userId":"94482488-3041"},"#);
    assert_eq!(human(&behalf).as_deref(), Some("94482488-3041"));
}

#[test]
fn the_credentials_of_code_in_the_console_are_in_a_persons_hands() {
    let instance = role("any", "i-0123456789abcdef0");
    let delivered = instance.replace(r#""attributes""#, r#""ec2RoleDelivery":"2.0","attributes""#);
    let high = (codes::CONSOLE_SIGN_IN, Severity::High);
    for identity in
        [&role("app", "s"), &instance, &delivered, &attribute("app", r#""mfaAuthenticated":"true""#)]
    {
        assert_eq!(found(identity, "signin:GetSigninToken", r#","readOnly":false"#), high, "{identity}");
        let login = r#","responseElements":{"ConsoleLogin":"Success"}"#;
        assert_eq!(found(identity, "signin:ConsoleLogin", login), high, "{identity}");
        let reason = |action: &str, rest: &str| verdict(identity, action, rest).unwrap().reason;
        assert!(reason("signin:GetSigninToken", "").starts_with("Somebody requested access to the console"));
        assert!(reason("signin:ConsoleLogin", login).starts_with("Somebody signed in to the console"));
    }
    let console = r#","responseElements":{"ConsoleLogin":"Success"},"sessionCredentialFromConsole":"true""#;
    assert_eq!(found(&role("app", "s"), "signin:ConsoleLogin", console), high);
    assert_eq!(nothing(ALICE, "signin:GetSigninToken", r#","readOnly":false"#), "sign-in-step");
    assert_eq!(found(&role("ops", "i-am-ana"), "signin:ConsoleLogin", "").1, Severity::Low);
}

#[test]
fn what_aws_gave_to_code_is_a_persons_in_the_console() {
    let console = r#","sessionCredentialFromConsole":"true""#;
    let given = [
        session("x", r#""ec2RoleDelivery":"2.0","#, ""),
        session("x", "", r#""inScopeOf":{"issuerType":"AWS::Lambda::Function"},"#),
    ];
    for identity in given {
        assert_eq!(
            found(&identity, "ec2:RunInstances", ""),
            (codes::WORKLOAD_WRITE, Severity::Low),
            "{identity}"
        );
        let finding = verdict(&identity, "ec2:RunInstances", console).unwrap();
        assert_eq!((finding.code, finding.severity), (codes::DRIFT_WRITE, Severity::Medium), "{identity}");
        assert_eq!(finding.principal.kind, Kind::Human);
        let login = format!(r#"{console},"responseElements":{{"ConsoleLogin":"Success"}}"#);
        let sign_in = (codes::CONSOLE_SIGN_IN, Severity::High);
        assert_eq!(found(&identity, "signin:ConsoleLogin", &login), sign_in, "{identity}");
    }
}

/// The incidents of changes, each with its caller and day.
fn incident(identity: &str, day: &str) -> String {
    let time = format!(r#","eventTime":"{day}T10:00:00Z""#);
    verdict(identity, "ec2:RunInstances", &time).unwrap().incident
}

#[test]
fn an_incident_of_code_and_of_an_unknown_role_is_the_roles_and_the_days() {
    let (one, next) = ("2026-03-01", "2026-03-02");
    let pod = |role: &str, name: &str| {
        let web = r#""webIdFederationData":{"federatedProvider":"arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0A"},"#;
        session(role, web, "").replace("run-1", name)
    };
    for of in [&pod as &dyn Fn(&str, &str) -> String, &role] {
        let first = of("x", "pod-1");
        let later = of("x", "pod-2").replace("T08:00:00Z", "T09:30:00Z");
        assert_eq!(incident(&first, one), incident(&later, one), "{first}");
        assert_ne!(incident(&first, one), incident(&first, next), "{first}");
        assert_ne!(incident(&first, one), incident(&of("y", "pod-1"), one), "{first}");
        // Each finding names who it was.
        let who = |identity: &str| verdict(identity, "ec2:RunInstances", "").unwrap().principal.name;
        assert_eq!((who(&first).as_str(), who(&later).as_str()), ("x/pod-1", "x/pod-2"));
    }
    let ana = role("x", "ana@example.com");
    let again = ana.replace("T08:00:00Z", "T09:30:00Z");
    assert_ne!(incident(&ana, one), incident(&again, one), "a person's sessions are apart");
}

#[test]
fn callers_without_an_arn_are_distinguished_by_what_aws_says_of_them() {
    let account = |id: &str, principal: &str| {
        format!(r#"{{"type":"AWSAccount","principalId":"{principal}","accountId":"{id}"}}"#)
    };
    let center = |user: &str| {
        format!(
            r#"{{"type":"IdentityCenterUser","accountId":"111122223333","onBehalfOf":{{"userId":"{user}"}}}}"#
        )
    };
    let day = "2026-03-01";
    let (y, z) = (account("999988887777", "AROAX:y"), account("888877776666", "AROAB:z"));
    assert_ne!(incident(&y, day), incident(&z, day));
    assert_eq!(
        incident(&y, day),
        incident(&account("999988887777", "AROAX:other"), day),
        "its caller named it"
    );
    assert_ne!(incident(&account("9", ""), day), incident(&account("8", ""), day));
    assert_ne!(incident(&center("u-1"), day), incident(&center("u-2"), day));
    let internet = r#"{"type":"AWSAccount","principalId":"anonymous"}"#;
    assert_eq!(incident(ANONYMOUS, day), incident(internet, day), "all of the internet is one");
}

/// Of each class an operation: how urgent it is by a person, an unknown role and code. The table of `docs/findings.md`.
#[test]
fn how_urgent_a_change_is_depends_on_its_class_and_on_who_made_it() {
    use Severity::{High, Low, Medium};
    let code = session("x", r#""ec2RoleDelivery":"2.0","#, "");
    let data = r#","managementEvent":false,"eventCategory":"Data""#;
    for (action, rest, wanted) in [
        ("ssm:StartSession", "", [High; 3]),
        ("ssm:SendCommand", "", [High; 3]),
        ("iam:CreateUser", "", [High; 3]),
        ("eks:CreateAccessEntry", "", [High; 3]),
        ("iam:UpdateAssumeRolePolicy", "", [High; 3]),
        ("backup:PutBackupVaultLockConfiguration", "", [High; 3]),
        ("ec2:ModifySnapshotAttribute", "", [High; 3]),
        ("rds:DeleteDBInstance", "", [High; 3]),
        ("ec2:AuthorizeSecurityGroupIngress", "", [Medium, Medium, Low]),
        ("ec2:RunInstances", "", [Medium, Medium, Low]),
        ("ec2:CreateTags", "", [Low; 3]),
        ("s3:DeleteObject", data, [Low; 3]),
    ] {
        let by = [ALICE, &role("nobody-knows", "s"), &code].map(|identity| found(identity, action, rest).1);
        assert_eq!(by, wanted, "{action}");
    }
}

#[test]
fn an_agents_tool_call_changes_nothing_and_its_api_call_is_the_persons() {
    for name in ["CallReadWriteTool", "CallReadOnlyTool", "DestroySession", "GetSession"] {
        let tool = r#","eventType":"AwsMcpEvent","readOnly":false"#;
        for identity in [ALICE, &role("deploy", "run-1"), &role("app", "s")] {
            assert_eq!(nothing(identity, &format!("aws-mcp:{name}"), tool), "tool-call", "{name} {identity}");
        }
        let failed = format!(r#"{tool},"errorCode":"AccessDenied""#);
        assert_eq!(nothing(ALICE, &format!("aws-mcp:{name}"), &failed), "tool-call");
    }
    let through = |identity: &str| {
        identity.replace(r#""accessKeyId":"ASIA1""#, r#""invokedBy":"aws-mcp.amazonaws.com""#)
    };
    let finding = verdict(&through(ALICE), "ec2:RunInstances", "").unwrap();
    assert_eq!((finding.code, finding.severity), (codes::DRIFT_WRITE, Severity::Medium));
    assert_eq!(finding.principal.human.as_deref(), Some("alice@example.com"));
    assert!(finding.reason.contains("through aws-mcp.amazonaws.com"), "{}", finding.reason);
    assert_eq!(kind(&through(&role("ops", "ana"))), Kind::Unknown, "no service by itself");
    let root =
        r#"{"type":"Root","arn":"arn:aws:iam::111122223333:root","invokedBy":"aws-mcp.amazonaws.com"}"#;
    assert_eq!(nothing(root, "ec2:RunInstances", ""), "break-glass");
}

const CLAUDE: &str = r#","userAgent":"aws-cli/2.35.30 md/awscrt#0.29.2 m/E,AN,b""#;

#[test]
fn a_policy_may_raise_what_agents_change() {
    let policy = format!("{POLICY}[agents]\nat_least = \"high\"\n");
    let through = |who: &str| {
        let by = r#""invokedBy":"aws-mcp.amazonaws.com","accessKeyId""#;
        who.replacen(r#""accessKeyId""#, by, 1)
    };
    let from = r#","sourceIPAddress":"aws-mcp.amazonaws.com""#;
    let says = |policy: &str, who: &str, action: &str, rest: &str| {
        verdict_by(policy, who, action, rest).map(|finding| (finding.severity, finding.reason, finding.via))
    };
    for (who, rest, via) in [
        (through(ALICE), from, "aws-mcp.amazonaws.com"),
        (ALICE.to_owned(), CLAUDE, "cli (says it is Claude Code)"),
    ] {
        let (severity, reason, shown) = says(&policy, &who, "ec2:RunInstances", rest).unwrap();
        assert_eq!((severity, shown.as_str()), (Severity::High, via));
        assert!(reason.contains("which is at least high by handsoff.toml:"), "{reason}");
        let (severity, reason, _) = says(POLICY, &who, "ec2:RunInstances", rest).unwrap();
        assert!(severity == Severity::Medium && !reason.contains("at least"), "{reason}");
        // What is graver stays so, and says nothing of it.
        let (severity, reason, _) = says(&policy, &who, "cloudtrail:StopLogging", rest).unwrap();
        assert!(severity == Severity::Critical && !reason.contains("at least"), "{reason}");
        let read = format!(r#"{rest},"readOnly":true"#);
        assert_eq!(says(&policy, &who, "ec2:DescribeInstances", &read), Err("read".to_owned()));
    }
    let (severity, ..) = says(&policy, ALICE, "ec2:RunInstances", "").unwrap();
    assert_eq!(severity, Severity::Medium, "no agent");
}

#[test]
fn what_calls_itself_an_agent_is_exempt_from_nothing() {
    let mcp = "aws-mcp.amazonaws.com";
    let forged = format!(r#","userAgent":"{mcp}""#);
    let both = format!(r#","userAgent":"{mcp}","sourceIPAddress":"{mcp}""#);
    for who in [ALICE.to_owned(), role("nobody-knows", "s"), role("app", "s"), role("deploy", "run-1")] {
        for action in ["ec2:RunInstances", "cloudtrail:StopLogging", "iam:CreateAccessKey"] {
            let plain = verdict(&who, action, "").map(|finding| (finding.code, finding.severity));
            for rest in [&forged, &both, CLAUDE] {
                let says = verdict(&who, action, rest).map(|finding| (finding.code, finding.severity));
                assert_eq!(says, plain, "{who} {action} {rest}");
            }
        }
    }
}

#[test]
fn who_acts_under_a_delegation_is_named() {
    let delegated = ALICE
        .replace(r#""accessKeyId""#, r#""invokedByDelegate":{"accountId":"999999999999"},"accessKeyId""#);
    let finding = verdict(&delegated, "ec2:RunInstances", "").unwrap();
    assert!(
        finding.reason.ends_with("The account 999999999999 acted here, under a delegation."),
        "{}",
        finding.reason
    );
    assert_eq!(finding.principal.human.as_deref(), Some("alice@example.com"));
}

#[test]
fn an_account_that_nobody_named_is_covered_by_no_entry() {
    const ENTRIES: &str = r#"
[[workload]]
identity = "arn:aws:iam::*:role/app"
may_write = ["s3:Put*"]
[[exception]]
identity = "permission-set/Dev"
actions = ["ec2:RunInstances"]
reason = "x"
owner = "x"
until = 2027-01-01
"#;
    let delegated = |who: &str| {
        who.replacen(
            r#""accessKeyId""#,
            r#""invokedByDelegate":{"accountId":"999999999999"},"accessKeyId""#,
            1,
        )
    };
    let named = format!("{ENTRIES}[accounts]\n999999999999 = \"provider\"\n");
    let says = |policy: &str, who: &str, action: &str| {
        verdict_by(policy, who, action, "").map(|finding| finding.code.to_string())
    };
    let dev = session("AWSReservedSSO_Dev_0123456789abcdef", "", "").replace("/run-1", "/jon@example.com");
    for (who, action, covered, code) in [
        (role("app", "s"), "s3:PutObject", "workload-allowed", "workload-write"),
        (dev, "ec2:RunInstances", "excepted", "drift-write"),
    ] {
        assert_eq!(says(ENTRIES, &who, action), Err(covered.to_owned()));
        assert_eq!(says(&named, &delegated(&who), action), Err(covered.to_owned()), "{action}");
        assert_eq!(says(ENTRIES, &delegated(&who), action), Ok(code.to_owned()), "{action}");
    }
}

#[test]
fn what_refutes_a_deploy_session_does_so_with_and_without_lists() {
    let by = |lists: &str, identity: &str, action: &str, rest: &str| {
        let policy = format!("[[deploy]]\nidentity = \"arn:aws:iam::*:role/deploy\"\n{lists}");
        verdict_by(&policy, identity, action, rest).map(|finding| finding.code)
    };
    let (misused, expected) = (Ok(codes::DEPLOY_ROLE_MISUSED), Err("expected".to_owned()));
    let instance = session("deploy", r#""ec2RoleDelivery":"2.0","#, "");
    let change = |identity: &str, lists: &str| by(lists, identity, "ec2:RunInstances", "");
    assert_eq!(change(&instance, ""), misused);
    assert_eq!(change(&instance, "assumed_by = [\"service:lambda.amazonaws.com\"]"), misused);
    assert_eq!(change(&instance, "assumed_by = [\"service:ec2.amazonaws.com\"]"), expected);
    assert_eq!(change(&role("deploy", "i-0123456789abcdef0"), ""), misused, "named as an instance's");
    assert_eq!(change(&role("deploy", "mallory@example.com"), ""), misused);
    assert_eq!(change(&role("deploy", "mallory@example.com"), "humans = true"), expected);
    assert_eq!(change(&role("deploy", "ci@project.iam.gserviceaccount.com"), ""), expected);
    for agent in [
        "Mozilla/5.0 (X11)",
        "[S3Console/0.4, aws-internal/3]",
        "console.amazonaws.com",
        "aws-cli/2 exec-env/CloudShell",
    ] {
        let rest = format!(r#","userAgent":"{agent}""#);
        assert_eq!(by("", &role("deploy", "run"), "s3:PutBucketPolicy", &rest), misused, "{agent}");
        assert_eq!(by("", &role("deploy", "run"), "ec2:DescribeVpcs", &rest), misused, "{agent} reads");
    }
    assert_eq!(by("", &role("deploy", "run"), "sts:GetFederationToken", ""), misused);
}

#[test]
fn a_wildcard_never_lets_pull_requests_in() {
    let subject = |entry: &str, subject: &str| {
        let policy =
            format!("[[deploy]]\nidentity = \"arn:aws:iam::*:role/deploy\"\nassumed_by = [\"{entry}\"]");
        let identity = format!(
            r#"{{"type":"WebIdentityUser","userName":"{subject}","identityProvider":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}}"#
        );
        let take = r#","requestParameters":{"roleArn":"arn:aws:iam::111122223333:role/deploy","roleSessionName":"run-1"},"readOnly":true"#;
        verdict_by(&policy, &identity, "sts:AssumeRoleWithWebIdentity", take).map(|finding| finding.code)
    };
    let (misused, read) = (Ok(codes::DEPLOY_ROLE_MISUSED), Err("read".to_owned()));
    assert_eq!(subject("oidc:repo:acme/infra:*", "repo:acme/infra:ref:refs/heads/main"), read);
    assert_eq!(subject("oidc:repo:acme/infra:*", "repo:acme/infra:pull_request"), misused);
    assert_eq!(subject("oidc:repo:acme@1/infra@2:*", "repo:acme@1/infra@2:pull_request"), misused);
    assert_eq!(subject("oidc:repo:acme/infra:pull_request", "repo:acme/infra:pull_request"), read);
}

#[test]
fn a_misused_deploy_role_that_assumes_the_next_one_is_reported() {
    let next = "[[deploy]]\nidentity = \"arn:aws:iam::*:role/next\"\nassumed_by = [\"arn:aws:iam::*:role/deploy\"]\n";
    let policy = format!("{POLICY}\n{next}");
    let asks = r#","readOnly":true,"requestParameters":{"roleArn":"arn:aws:iam::111122223333:role/next"}"#;
    let says = |identity: &str| verdict_by(&policy, identity, "sts:AssumeRole", asks);
    assert_eq!(says(&role("deploy", "run-1")).map(|it| it.code), Err("read".into()));
    let finding = says(&attribute("deploy", r#""mfaAuthenticated":"true""#)).unwrap();
    assert_eq!((finding.code, finding.severity), (codes::DEPLOY_ROLE_MISUSED, Severity::High));
    assert!(
        finding.reason.contains("handsoff.toml:2 [[deploy]], but its session used MFA"),
        "{}",
        finding.reason
    );
}
