use handsoff_core::Code;
use handsoff_core::Trace;
use handsoff_testing::records::{classified, record};

use super::*;

const POLICY: &str = r#"
[[break_glass]]
identity = "arn:aws:iam::*:role/emergency"
max_session = "1h"

[[break_glass]]
identity = "permission-set/Emergency"

[[break_glass]]
identity = "arn:aws:iam::*:user/emergency/eve"
"#;

const ROOT: &str = r#"{"type":"Root","arn":"arn:aws:iam::111122223333:root","accountId":"111122223333"}"#;
const ALICE: &str = r#"{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/alice","accountId":"111122223333","userName":"alice"}"#;
const EMERGENCY: &str = r#"{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/emergency/alice","accountId":"111122223333",
  "accessKeyId":"ASIA1","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111122223333:role/emergency"},
  "attributes":{"creationDate":"2026-03-01T09:00:00Z"}}}"#;

fn verdict(identity: &str, action: &str, rest: &str) -> Option<Finding> {
    let json = record(action, identity).at("2026-03-01T09:00:00Z").with(rest).to_string();
    let policy = Policy::parse("handsoff.toml", POLICY).unwrap();
    classified(&json, &policy, |_, call| {
        let engine = handsoff_functions::engine(&policy);
        if !engine.owner(call, &mut Trace::off()).is("break-glass") {
            return None;
        }
        engine.judge(call, &mut Trace::off()).finding().cloned()
    })
}

fn found(identity: &str, action: &str, rest: &str) -> (Code, Severity) {
    let finding = verdict(identity, action, rest).unwrap_or_else(|| panic!("{action} is break-glass's"));
    (finding.code, finding.severity)
}

fn take(role: &str) -> String {
    format!(
        r#","requestParameters":{{"roleArn":"arn:aws:iam::111122223333:role/{role}","roleSessionName":"alice"}},"readOnly":true"#
    )
}

#[test]
fn taking_on_an_emergency_identity_opens_a_session() {
    let opened = (codes::GLASS_OPENED, Severity::High);
    assert_eq!(found(ALICE, "sts:AssumeRole", &take("emergency")), opened);
    let path = "aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Emergency_0123456789abcdef";
    let saml = r#"{"type":"SAMLUser","principalId":"p","userName":"alice@example.com"}"#;
    assert_eq!(found(saml, "sts:AssumeRoleWithSAML", &take(path)), opened);
    assert_eq!(
        found(EMERGENCY, "signin:SwitchRole", r#","responseElements":{"SwitchRole":"Success"}"#),
        opened
    );
    let user = ALICE.replace("user/alice", "user/emergency/eve").replace("alice", "eve");
    assert_eq!(
        found(&user, "signin:ConsoleLogin", r#","responseElements":{"ConsoleLogin":"Success"}"#),
        opened
    );
    assert_eq!(found(ALICE, "sts:AssumeRoot", ""), (codes::GLASS_OPENED, Severity::Critical));
    assert!(verdict(ALICE, "sts:AssumeRole", &take("other")).is_none());
}

#[test]
fn trying_and_failing_is_reported() {
    let denied = format!(r#"{},"errorCode":"AccessDenied""#, take("emergency"));
    assert_eq!(found(ALICE, "sts:AssumeRole", &denied), (codes::GLASS_SIGN_IN_FAILED, Severity::High));
    let failed = r#","errorMessage":"Failed authentication","responseElements":{"ConsoleLogin":"Failure"}"#;
    assert_eq!(found(ROOT, "signin:ConsoleLogin", failed), (codes::GLASS_SIGN_IN_FAILED, Severity::High));
    // A failed sign-in names the user without ARN and path.
    let user = r#"{"type":"IAMUser","accountId":"111122223333","accessKeyId":"","userName":"eve"}"#;
    assert_eq!(found(user, "signin:ConsoleLogin", failed), (codes::GLASS_SIGN_IN_FAILED, Severity::High));
}

#[test]
fn all_that_root_does_is_reported() {
    let login = r#","responseElements":{"ConsoleLogin":"Success"}"#;
    assert_eq!(found(ROOT, "signin:ConsoleLogin", login), (codes::ROOT_ACTIVITY, Severity::Critical));
    assert_eq!(found(ROOT, "iam:CreateUser", ""), (codes::ROOT_ACTIVITY, Severity::Critical));
    assert_eq!(found(ROOT, "s3:ListBuckets", r#","readOnly":true"#), (codes::ROOT_ACTIVITY, Severity::High));
    assert_eq!(
        found(ROOT, "iam:CreateUser", r#","errorCode":"AccessDenied""#),
        (codes::ROOT_ACTIVITY, Severity::High)
    );
    let service = ROOT.replace('}', r#","invokedBy":"autoscaling.amazonaws.com"}"#);
    assert!(verdict(&service, "ec2:CreateTags", "").is_none(), "root that is really autoscaling");
}

#[test]
fn an_attack_on_logging_is_reported_in_the_session() {
    let attack = verdict(EMERGENCY, "cloudtrail:StopLogging", "").unwrap();
    assert_eq!((attack.code, attack.severity), (handsoff_drift::codes::TRAIL_TAMPERED, Severity::Critical));
    assert_eq!(attack.incident, verdict(EMERGENCY, "ec2:DescribeInstances", "").unwrap().incident);
    assert_eq!(
        found(ROOT, "cloudtrail:StopLogging", ""),
        (handsoff_drift::codes::TRAIL_TAMPERED, Severity::Critical)
    );
    assert_eq!(
        found(EMERGENCY, "cloudtrail:StopLogging", r#","errorCode":"AccessDenied""#).1,
        Severity::High
    );
}

#[test]
fn the_opening_and_the_session_are_one_incident() {
    let opening = verdict(ALICE, "sts:AssumeRole", &take("emergency")).unwrap();
    let call = verdict(EMERGENCY, "ec2:RunInstances", "").unwrap();
    assert_eq!(opening.incident, call.incident);
    let another_key = EMERGENCY.replace("ASIA1", "ASIA2");
    assert_eq!(verdict(&another_key, "ec2:RunInstances", "").unwrap().incident, call.incident);
    let somebody_else = EMERGENCY.replace("emergency/alice", "emergency/bob");
    assert_ne!(verdict(&somebody_else, "ec2:RunInstances", "").unwrap().incident, call.incident);
}

/// A session's name is its caller's choice: it must not lead into somebody else's incident.
#[test]
fn an_intruder_cannot_choose_to_be_in_somebodys_incident() {
    let opening = verdict(ALICE, "sts:AssumeRole", &take("emergency")).unwrap();
    let mallory = ALICE.replace("alice", "mallory");
    let later = format!(r#"{},"eventTime":"2026-03-01T09:30:00Z""#, take("emergency"));
    assert_ne!(verdict(&mallory, "sts:AssumeRole", &later).unwrap().incident, opening.incident);
    let refused = format!(r#"{},"errorCode":"AccessDenied""#, take("emergency"));
    let of_mallory = verdict(&mallory, "sts:AssumeRole", &refused).unwrap().incident;
    assert_ne!(of_mallory, opening.incident);
    assert_ne!(of_mallory, verdict(ALICE, "sts:AssumeRole", &refused).unwrap().incident);
}

#[test]
fn activity_is_as_severe_as_what_it_does() {
    let severity = |action: &str, rest: &str| {
        let (code, severity) = found(EMERGENCY, action, rest);
        assert_eq!(code, codes::GLASS_ACTIVITY);
        severity
    };
    assert_eq!(severity("ec2:DescribeInstances", ""), Severity::Info);
    assert_eq!(severity("ec2:CreateTags", ""), Severity::Low);
    assert_eq!(severity("ec2:RunInstances", ""), Severity::Medium);
    assert_eq!(severity("ssm:StartSession", ""), Severity::High);
    assert_eq!(severity("ec2:RunInstances", r#","errorCode":"AccessDenied""#), Severity::Medium);
    assert_eq!(severity("ec2:RunInstances", r#","errorCode":"Client.InvalidAMIID.NotFound""#), Severity::Low);
}

#[test]
fn what_outlives_the_session_is_an_escalation() {
    let high = (codes::GLASS_ESCALATION, Severity::High);
    for action in [
        "iam:CreateUser",
        "iam:CreateAccessKey",
        "iam:AttachRolePolicy",
        "s3:PutBucketPolicy",
        "kms:CreateGrant",
    ] {
        assert_eq!(found(EMERGENCY, action, ""), high, "{action}");
    }
    let denied = r#","errorCode":"AccessDenied""#;
    assert_eq!(found(EMERGENCY, "iam:CreateUser", denied), (codes::GLASS_ACTIVITY, Severity::Medium));
    let medium = (codes::GLASS_ESCALATION, Severity::Medium);
    assert_eq!(found(EMERGENCY, "sts:AssumeRole", &take("other")), medium);
    // It is reported as what it is, also when it comes late.
    let late = verdict(EMERGENCY, "iam:CreateUser", r#","eventTime":"2026-03-01T10:05:00Z""#).unwrap();
    assert_eq!(late.code, codes::GLASS_ESCALATION);
    assert!(late.reason.ends_with("It came 5 minutes after the session's allowed time."), "{}", late.reason);
}

/// Verdicts on sessions as wholes, which are `handsoff_case`'s, and tried there and in the sweep.
#[test]
fn a_session_has_verdicts_of_its_own() {
    for code in [
        codes::GLASS_UNAPPROVED,
        codes::GLASS_SELF_APPROVED,
        codes::GLASS_NOT_ON_ROSTER,
        codes::GLASS_NO_TICKET,
        codes::GLASS_NO_MFA,
        codes::GLASS_CLOSED,
        codes::GLASS_DRILL_DUE,
    ] {
        assert!(code.is_about_session() && code.detector() == "break-glass");
    }
    assert!(!codes::GLASS_OVERDUE.is_about_session());
}

#[test]
fn a_call_after_the_allowed_time_is_overdue() {
    let at = |time: &str| found(EMERGENCY, "ec2:DescribeInstances", &format!(r#","eventTime":"{time}""#)).0;
    assert_eq!(at("2026-03-01T10:00:00Z"), codes::GLASS_ACTIVITY);
    assert_eq!(at("2026-03-01T10:00:01Z"), codes::GLASS_OVERDUE);
    let overdue =
        verdict(EMERGENCY, "ec2:DescribeInstances", r#","eventTime":"2026-03-01T10:00:01Z""#).unwrap();
    assert_eq!(
        overdue.reason,
        "handsoff.toml:2 [[break_glass]] limits a session to `max_session`; this call came 1 minutes after \
         that limit."
    );
}

#[test]
fn a_federated_session_keeps_the_identity_that_asked_for_it() {
    let federated = |issuer: &str| {
        format!(
            r#"{{"type":"FederatedUser","arn":"arn:aws:sts::111122223333:federated-user/x","accountId":"111122223333","accessKeyId":"ASIA1",
            "sessionContext":{{"sessionIssuer":{{"type":"IAMUser","arn":"arn:aws:iam::111122223333:{issuer}","userName":"x"}}}}}}"#
        )
    };
    assert_eq!(
        found(&federated("user/emergency/eve"), "ec2:RunInstances", ""),
        (codes::GLASS_ACTIVITY, Severity::Medium)
    );
    assert_eq!(found(&federated("root"), "ec2:RunInstances", ""), (codes::ROOT_ACTIVITY, Severity::Critical));
    assert!(verdict(&federated("user/alice"), "ec2:RunInstances", "").is_none());
    let user = ALICE.replace("user/alice", "user/emergency/eve").replace("alice", "eve");
    assert_eq!(found(&user, "sts:GetFederationToken", ""), (codes::GLASS_ESCALATION, Severity::Medium));
}

#[test]
fn a_refused_assume_role_names_the_role_only_in_its_message() {
    let rest = r#","errorCode":"AccessDenied","requestParameters":null,"errorMessage":"User: arn:aws:iam::111122223333:user/alice is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/emergency""#;
    assert_eq!(found(ALICE, "sts:AssumeRole", rest), (codes::GLASS_SIGN_IN_FAILED, Severity::High));
}

#[test]
fn assume_root_and_roots_session_are_one_incident() {
    let take = r#","requestParameters":{"targetPrincipal":"111122223333"}"#;
    let caller = ALICE.replace("111122223333", "999999999999");
    let opening = verdict(&caller, "sts:AssumeRoot", take).unwrap();
    let session = ROOT.replace(
        "\"accountId\"",
        r#""accessKeyId":"ASIA1","sessionContext":{"attributes":{"creationDate":"2026-03-01T09:00:00Z"}},"accountId""#,
    );
    assert_eq!(opening.incident, verdict(&session, "iam:ListUsers", "").unwrap().incident);
    let failed = r#","responseElements":{"ConsoleLogin":"Failure"}"#;
    assert_ne!(opening.incident, verdict(ROOT, "signin:ConsoleLogin", failed).unwrap().incident);
}

#[test]
fn no_exception_and_no_deploy_entry_covers_an_emergency_identity() {
    let policy = format!(
        "{POLICY}\n[[deploy]]\nidentity = \"arn:aws:iam::*:role/emergency\"\n[[exception]]\nidentity = \"arn:aws:iam::*:role/emergency\"
         actions = [\"ec2:*\"]\nowner = \"o\"\nreason = \"r\"\nuntil = 2030-01-01\n"
    );
    let policy = Policy::parse("p", &policy).unwrap();
    let json = record("ec2:RunInstances", EMERGENCY).to_string();
    let engine = handsoff_functions::engine(&policy);
    let owner = classified(&json, &policy, |_, call| engine.owner(call, &mut Trace::off()));
    assert!(owner.is("break-glass"));
}

#[test]
fn rights_that_aws_files_under_write_are_escalations_too() {
    for action in "sso:CreateAccountAssignment eks:AssociateAccessPolicy eks:CreateAccessEntry \
        identitystore:CreateGroupMembership iam:EnableOrganizationsRootSessions lambda:CreateFunctionUrlConfig \
        ec2:CreateKeyPair iam:UpdateSAMLProvider iam:AcquireRole iam:createUser iam:AcceptDelegationRequest"
        .split_whitespace()
    {
        assert_eq!(found(EMERGENCY, action, ""), (codes::GLASS_ESCALATION, Severity::High), "{action}");
    }
    for action in ["sts:GetWebIdentityToken", "sts:GetDelegatedAccessToken"] {
        assert_eq!(found(EMERGENCY, action, ""), (codes::GLASS_ESCALATION, Severity::Medium), "{action}");
    }
    let through = EMERGENCY.replace(r#""accessKeyId""#, r#""invokedBy":"rds.amazonaws.com","accessKeyId""#);
    assert_eq!(found(&through, "iam:CreateServiceLinkedRole", "").0, codes::GLASS_ACTIVITY);
}

#[test]
fn every_way_into_a_machine_is_reported_in_the_session() {
    for action in "ssm-guiconnect:StartConnection lightsail:GetInstanceAccessDetails eks:AccessKubernetesApi \
        ssm:GetAccessToken sagemaker:StartSession"
        .split_whitespace()
    {
        let says = found(EMERGENCY, action, r#","readOnly":true"#);
        assert_eq!(says, (codes::GLASS_ACTIVITY, Severity::High), "{action}");
    }
}

#[test]
fn who_asks_for_roots_password_has_changed_nothing_yet() {
    let answer = |step: &str, answer: &str| format!(r#","responseElements":{{"{step}":"{answer}"}}"#);
    let asked =
        verdict(ROOT, "signin:PasswordRecoveryRequested", &answer("PasswordRecoveryRequested", "Success"));
    let asked = asked.unwrap();
    assert_eq!((asked.code, asked.severity), (codes::ROOT_ACTIVITY, Severity::High));
    assert!(
        asked.reason.starts_with("Somebody requested a recovery of root's password. "),
        "{}",
        asked.reason
    );
    let refused =
        verdict(ROOT, "signin:PasswordRecoveryRequested", &answer("PasswordRecoveryRequested", "Failure"));
    let refused = refused.unwrap();
    assert!(
        refused.severity == Severity::High && refused.reason.contains("the request failed"),
        "{}",
        refused.reason
    );
    for (step, how, severity) in [
        ("PasswordRecoveryCompleted", "Success", Severity::Critical),
        ("PasswordRecoveryCompleted", "Failure", Severity::High),
        ("PasswordUpdated", "Success", Severity::Critical),
        ("PasswordUpdated", "Failure", Severity::High),
    ] {
        let says = found(ROOT, &format!("signin:{step}"), &answer(step, how));
        assert_eq!(says, (codes::ROOT_ACTIVITY, severity), "{step} {how}");
    }
}

#[test]
fn an_agents_tool_call_in_a_session_is_reported_and_changes_nothing() {
    let tool = r#","eventType":"AwsMcpEvent","readOnly":false"#;
    let finding = verdict(EMERGENCY, "aws-mcp:CallReadWriteTool", tool).unwrap();
    assert_eq!((finding.code, finding.severity), (codes::GLASS_ACTIVITY, Severity::Info));
}

const SIGN_IN: &str = r#","additionalEventData":{"signInSessionArn":"arn:aws:signin:us-east-1:111122223333:session/0a1b"},"responseElements":null"#;

#[test]
fn signing_in_for_the_command_line_opens_a_session() {
    let user = ALICE.replace("user/alice", "user/emergency/eve").replace("alice", "eve");
    for (who, name) in [(user.as_str(), "a user"), (EMERGENCY, "a role's session")] {
        let opened = (codes::GLASS_OPENED, Severity::High);
        assert_eq!(found(who, "signin:CreateOAuth2Token", SIGN_IN), opened, "{name}");
        let renewed = format!(r#"{SIGN_IN},"requestParameters":{{"grantType":"refresh_token"}}"#);
        let renewed = verdict(who, "signin:CreateOAuth2Token", &renewed);
        assert_ne!(renewed.map(|finding| finding.code), Some(codes::GLASS_OPENED), "{name}");
    }
    assert_eq!(found(ROOT, "signin:CreateOAuth2Token", SIGN_IN).0, codes::ROOT_ACTIVITY);
    assert!(verdict(&user, "signin:CreateOAuth2Token", "").is_none(), "a step names no session");
    // What is done with it is of the session that began then.
    let opening = verdict(&user, "signin:CreateOAuth2Token", SIGN_IN).unwrap();
    let began = r#""accountId":"111122223333","accessKeyId":"ASIA2","sessionContext":{"attributes":{"creationDate":"2026-03-01T09:00:00Z"}}"#;
    let later = user.replace(r#""accountId":"111122223333""#, began);
    assert_eq!(verdict(&later, "ec2:RunInstances", "").unwrap().incident, opening.incident);
    // In a console session it is that one's.
    let in_console = verdict(
        EMERGENCY,
        "signin:CreateOAuth2Token",
        &format!(r#"{SIGN_IN},"eventTime":"2026-03-01T09:20:00Z""#),
    );
    assert_eq!(in_console.unwrap().incident, verdict(EMERGENCY, "ec2:RunInstances", "").unwrap().incident);
}

#[test]
fn a_role_that_account_access_manager_gives_opens_a_session() {
    let service = r#"{"type":"AWSService","invokedBy":"account-access.amazonaws.com"}"#;
    let opening = verdict(service, "sts:AssumeRole", &take("emergency")).unwrap();
    assert_eq!((opening.code, opening.severity), (codes::GLASS_OPENED, Severity::High));
    assert_eq!(opening.incident, verdict(EMERGENCY, "ec2:RunInstances", "").unwrap().incident);
    assert!(verdict(service, "sts:AssumeRole", &take("other")).is_none());
}

/// Systems Manager's `GetAccessToken` doesn't name the role that it gives credentials of: the first call opens the session.
#[test]
fn a_session_of_which_no_record_shows_the_beginning_is_a_case() {
    let policy = Policy::parse("handsoff.toml", POLICY).unwrap();
    let json = record("ec2:RunInstances", EMERGENCY).at("2026-03-01T09:10:00Z").to_string();
    classified(&json, &policy, |_, call| {
        let finding = judge(call, &policy, &mut Trace::off());
        let kept = live::remembered(call, &finding, &policy, handsoff_case::observation::Seen::Logs);
        let [(incident, remembered)] = kept.as_slice() else { panic!("{}", kept.len()) };
        assert_eq!(*incident, finding.incident);
        let started: Vec<String> = remembered.facts.started.iter().map(Time::to_string).collect();
        assert_eq!(started, ["2026-03-01T09:00:00Z"]);
    });
}

#[test]
fn a_sign_in_for_the_command_line_is_in_the_case() {
    let policy = Policy::parse("handsoff.toml", POLICY).unwrap();
    let user = ALICE.replace("user/alice", "user/emergency/eve").replace("alice", "eve");
    let kept = |rest: &str| {
        let json =
            record("signin:CreateOAuth2Token", &user).at("2026-03-01T09:00:00Z").with(rest).to_string();
        classified(&json, &policy, |_, call| {
            let finding = judge(call, &policy, &mut Trace::off());
            live::remembered(call, &finding, &policy, handsoff_case::observation::Seen::Logs)
        })
    };
    let all = kept(SIGN_IN);
    let [(_, remembered)] = all.as_slice() else { panic!("{}", all.len()) };
    let started: Vec<String> = remembered.facts.started.iter().map(Time::to_string).collect();
    assert_eq!(started, ["2026-03-01T09:00:00Z"]);
    assert!(kept("").is_empty(), "a step of a sign-in is of no session yet");
}

#[test]
fn credentials_of_an_access_request_are_followed_as_those_of_a_role_are() {
    let policy = Policy::parse("handsoff.toml", POLICY).unwrap();
    let taken = |action: &str, rest: &str| {
        let json = record(action, EMERGENCY).at("2026-03-01T09:10:00Z").with(rest).to_string();
        classified(&json, &policy, |_, call| handsoff_case::facts::Facts::of(call, &policy).taken.len())
    };
    let given = r#","responseElements":{"credentials":{"accessKeyId":"ASIAJIT"}}"#;
    assert_eq!(taken("ssm:GetAccessToken", given), 1);
    assert_eq!(taken("ssm:GetAccessToken", r#","responseElements":null"#), 0, "the record has no key");
    assert_eq!(taken("ssm:GetParameter", given), 0);
}
