use super::*;
use crate::Entry;

fn action(service: &'static str, name: &'static str) -> Action<'static> {
    Action::named(service, without_version(name))
}

#[test]
fn the_version_suffix_goes() {
    for (written, name) in [
        ("CreateFunction20150331", "CreateFunction"),
        ("UpdateFunctionCode20150331v2", "UpdateFunctionCode"),
        ("CreateDistribution2020_05_31", "CreateDistribution"),
        ("SendSSHPublicKey ", "SendSSHPublicKey"),
        ("CreateOAuth2Token", "CreateOAuth2Token"),
        ("ListObjectsV2", "ListObjectsV2"),
        ("PutObject2", "PutObject2"),
        ("20150331", "20150331"),
        ("Create19991231", "Create19991231"),
        ("v2", "v2"),
        ("", ""),
        ("Ünïcode20150331", "Ünïcode"),
    ] {
        assert_eq!(without_version(written), name, "{written}");
    }
}

#[test]
fn the_service_tells_equal_names_apart() {
    let json = r#"{"eventSource":"monitoring.amazonaws.com","eventName":"PutMetricAlarm"}"#;
    let (Entry::Record(record), _) = Record::read(json).unwrap() else { panic!("a record") };
    assert_eq!(Action::of(&record).to_string(), "cloudwatch:PutMetricAlarm");
    assert_eq!(action("ec2", "CreateRoute").effect(None).0, Effect::Changes);
    assert_eq!(action("apigateway", "CreateRoute").effect(None).0, Effect::Changes);
}

#[test]
fn read_only_is_not_the_verb() {
    use Effect::{Changes, Reads, SignInPlumbing, SignsIn};
    for (service, name, read_only, effect) in [
        ("sts", "AssumeRole", Some(true), Reads),
        ("sts", "GetSessionToken", Some(false), Reads),
        ("sts", "GetFederationToken", Some(false), Reads),
        ("kms", "Decrypt", Some(true), Reads),
        ("kms", "GenerateDataKeyWithoutPlaintext", None, Reads),
        ("kms", "GenerateDataKey", Some(false), Reads),
        ("kms", "ScheduleKeyDeletion", Some(true), Changes),
        ("cloudtrail", "StopLogging", Some(true), Changes),
        ("cloudtrail", "StopLogging", None, Changes),
        ("ec2", "DescribeInstances", None, Reads),
        ("ec2", "DescribeInstances", Some(true), Reads),
        ("ec2", "RunInstances", None, Changes),
        ("cloudtrail", "DescribeTrail", Some(false), Reads),
        // The reference calls it a read.
        ("bedrock-agentcore", "SetTokenVaultCMK", Some(false), Changes),
        ("nosuch", "FrobnicateThing", None, Changes),
        ("nosuch", "FrobnicateThing", Some(true), Reads),
        ("nosuch", "DeleteThing", Some(true), Changes),
        ("nosuch", "getThing", Some(false), Reads),
        ("nosuch", "Getaway", Some(false), Changes),
        ("nosuch", "", None, Changes),
        // Reads that are logged as writes.
        ("logs", "StartQuery", Some(false), Reads),
        ("iam", "SimulatePrincipalPolicy", Some(false), Reads),
        ("athena", "StartQueryExecution", Some(false), Reads),
        // Sign-in plumbing, and what only looks like it.
        ("signin", "CheckMfa", Some(false), SignInPlumbing),
        ("signin", "GetSigninToken", Some(false), SignInPlumbing),
        ("signin", "CredentialVerification", Some(false), SignInPlumbing),
        ("sso", "Authenticate", None, SignInPlumbing),
        ("signin", "ConsoleLogin", Some(false), SignsIn),
        ("signin", "SwitchRole", None, SignsIn),
        ("signin", "PasswordUpdated", None, Changes),
        ("cloudshell", "sendHeartBeat", Some(false), SignInPlumbing),
        // Hidden by some tools, yet real.
        ("cloudshell", "createSession", Some(false), Changes),
        ("ssm", "StartSession", Some(false), Changes),
        ("ec2-instance-connect", "SendSSHPublicKey ", Some(false), Changes),
        ("ecs", "ExecuteCommand", Some(false), Changes),
        ("servicecatalog", "TerminateProvisionedProduct", Some(false), Changes),
        ("route53domains", "TransferDomain", None, Changes),
        ("glue", "StartJobRun", Some(false), Changes),
    ] {
        assert_eq!(
            action(service, name).effect(read_only).0,
            effect,
            "{service}:{name} readOnly {read_only:?}"
        );
    }
}

#[test]
fn what_the_reference_lacks_gets_its_level_from_the_verb() {
    assert_eq!(action("nosuch", "ListThings").access(), AccessLevel::List);
    assert_eq!(action("nosuch", "DescribeThing").access(), AccessLevel::Read);
    assert_eq!(action("nosuch", "FrobnicateThing").access(), AccessLevel::Write);
    assert_eq!(action("iam", "AttachUserPolicy").access(), AccessLevel::PermissionsManagement);
    assert_eq!(action("ec2", "CreateTags").access(), AccessLevel::Tagging);
}
