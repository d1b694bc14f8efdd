//! What proves that there was no MFA, and what doesn't.

use super::*;

#[test]
fn that_a_federated_session_shows_no_mfa_proves_nothing() {
    let rest = r#","responseElements":{"ConsoleLogin":"Success"},"additionalEventData":{"MFAUsed":"No"}"#;
    let finding = verdict(ALICE, "signin:ConsoleLogin", rest).unwrap();
    assert_eq!((finding.code, finding.severity, finding.mfa), (codes::CONSOLE_SIGN_IN, Severity::Low, None));
    assert_eq!(verdict(ALICE, "ec2:RunInstances", "").unwrap().mfa, None);
    let switched = r#","additionalEventData":{"SwitchFrom":"arn:aws:iam::1:user/a","MFAUsed":"No"}"#;
    assert_eq!(found(&role("admin", "a"), "signin:SwitchRole", switched).0, codes::CONSOLE_SIGN_IN);
    // A user's record that says nothing proves nothing either.
    let user = r#"{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/bob","accountId":"111122223333","userName":"bob"}"#;
    for rest in ["", r#","additionalEventData":{}"#, r#","additionalEventData":{"MFAUsed":"perhaps"}"#] {
        assert_eq!(
            found(user, "signin:ConsoleLogin", rest),
            (codes::CONSOLE_SIGN_IN, Severity::Low),
            "{rest}"
        );
    }
}

/// A user's session that AWS says this of, with more in its identity.
fn user(mfa: &str, more: &str) -> String {
    format!(
        r#"{{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/bob","accountId":"111122223333","userName":"bob"{more},
        "sessionContext":{{"attributes":{{"creationDate":"2026-03-01T08:00:00Z","mfaAuthenticated":"{mfa}"}}}}}}"#
    )
}

const TEMPORARY: &str = r#","accessKeyId":"ASIA1""#;

#[test]
fn a_change_in_a_users_session_without_mfa_is_at_least_medium() {
    use Severity::{High, Low, Medium};
    for (action, drift, severity) in [
        ("ec2:CreateTags", Low, Medium),
        ("ec2:RunInstances", Medium, Medium),
        ("iam:CreateUser", High, High),
    ] {
        let finding = verdict(&user("false", TEMPORARY), action, "").unwrap();
        assert_eq!((finding.code, finding.severity), (codes::WRITE_WITHOUT_MFA, severity), "{action}");
        assert!(
            finding.reason.starts_with("A person, in a session that began without MFA, "),
            "{}",
            finding.reason
        );
        assert_eq!(found(&user("true", TEMPORARY), action, ""), (codes::DRIFT_WRITE, drift), "{action}");
    }
    let console = r#","sessionCredentialFromConsole":"true""#;
    for with in ["", r#","invokedBy":"signin.amazonaws.com""#] {
        assert_eq!(found(&user("false", with), "ec2:RunInstances", console).0, codes::WRITE_WITHOUT_MFA);
    }
    // Older records of the console name a key of the other kind.
    let old = r#","accessKeyId":"AKIA1","invokedBy":"signin.amazonaws.com""#;
    assert_eq!(found(&user("false", old), "ec2:RunInstances", "").0, codes::WRITE_WITHOUT_MFA);
}

#[test]
fn what_says_more_keeps_its_code_and_its_reason_says_it_too() {
    for (action, code) in
        [("ssm:StartSession", codes::INTERACTIVE_ACCESS), ("iam:CreateAccessKey", codes::LONG_LIVED_KEY)]
    {
        let finding = verdict(&user("false", TEMPORARY), action, "").unwrap();
        assert_eq!((finding.code, finding.severity), (code, Severity::High));
        assert!(finding.reason.contains("without MFA"), "{}", finding.reason);
    }
}

#[test]
fn where_the_record_proves_nothing_a_change_is_drift_as_before() {
    let key = r#"{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/bob","accountId":"111122223333","userName":"bob","accessKeyId":"AKIA1"}"#;
    for identity in [
        key.to_owned(),
        user("false", r#","accessKeyId":"AKIA1""#),
        user("false", r#","accessKeyId":"ASIA1","invokedBy":"cloudformation.amazonaws.com""#),
        user("false", r#","accessKeyId":"ASIA1","invokedBy":"AWS Internal""#),
        user("maybe", TEMPORARY),
        ALICE.to_owned(),
        role("nobody-knows", "s"),
        user("false", TEMPORARY).replace("IAMUser", "FederatedUser"),
        user("false", TEMPORARY).replace("IAMUser", "SAMLUser"),
    ] {
        let finding = verdict(&identity, "ec2:RunInstances", "").unwrap();
        assert_eq!((finding.code, finding.severity), (codes::DRIFT_WRITE, Severity::Medium), "{identity}");
        assert!(!finding.reason.contains("without MFA"), "{identity}");
    }
}

#[test]
fn the_policy_decides_first_whose_session_it_is() {
    let policy = format!(
        "{POLICY}\n[[exception]]\nidentity = \"arn:aws:iam::*:user/bob\"\nactions = [\"ec2:RunInstances\"]\nowner = \"o@example.com\"\n\
         reason = \"r\"\nuntil = 2099-01-01\n"
    );
    let by = |policy: &str, action: &str| verdict_by(policy, &user("false", TEMPORARY), action, "");
    assert_eq!(by(&policy, "ec2:RunInstances").unwrap_err(), "excepted");
    assert_eq!(by(&policy, "ec2:StopInstances").unwrap().code, codes::WRITE_WITHOUT_MFA);
    let workload = "[[workload]]\nidentity = \"arn:aws:iam::*:user/bob\"\nmay_write = [\"s3:Put*\"]\n";
    assert_eq!(by(workload, "s3:PutObject").unwrap_err(), "workload-allowed");
    assert_eq!(by(workload, "ec2:CreateTags").unwrap().code, codes::WORKLOAD_WRITE);
    let emergency = "[[break_glass]]\nidentity = \"arn:aws:iam::*:user/bob\"\n";
    assert_eq!(by(emergency, "ec2:RunInstances").unwrap_err(), "break-glass");
    let deploy = "[[deploy]]\nidentity = \"arn:aws:iam::*:user/bob\"\n";
    assert_eq!(by(deploy, "ec2:RunInstances").unwrap_err(), "expected");
}
