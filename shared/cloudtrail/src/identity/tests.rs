//! Each quirk of `userIdentity` has a test named for it.

use super::*;

fn identity(json: &'static str) -> Identity<'static> {
    Identity::read(Raw::at(json, 0).unwrap().0)
}

#[test]
fn an_absent_or_odd_identity_is_unknown() {
    for json in
        ["null", "{}", "\"x\"", "[]", r#"{"type":"123"}"#, r#"{"type":null,"arn":""}"#, r#"{"type":{"a":1}}"#]
    {
        let identity = identity(json);
        assert_eq!(identity.kind, IdentityType::Unknown, "{json}");
        assert!(!identity.is_service(), "{json}");
        assert_eq!(identity.principal_arn(), None, "{json}");
    }
}

#[test]
fn a_service_event_names_only_the_service() {
    assert!(identity(r#"{"invokedBy":"secretsmanager.amazonaws.com"}"#).is_service());
    assert!(identity(r#"{"accountId":"111122223333","invokedBy":"AWS Internal"}"#).is_service());
    assert!(identity(r#"{"type":"AWSService","invokedBy":"delivery.logs.amazonaws.com"}"#).is_service());
}

#[test]
fn a_service_linked_role_is_a_service_only_by_its_reserved_path() {
    let linked = r#"{"type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/AWSServiceRoleForRDS/s","sessionContext":{"sessionIssuer":
        {"arn":"arn:aws:iam::1:role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS"}},"invokedBy":"rds.amazonaws.com"}"#;
    assert!(identity(linked).is_service());
    let with_key = linked.replace("\"type\"", "\"accessKeyId\":\"ASIA1\",\"type\"");
    assert!(Identity::read(Raw::at(&with_key, 0).unwrap().0).is_service());
    let forged = r#"{"type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/AWSServiceRoleForRDS/s","sessionContext":{"sessionIssuer":
        {"arn":"arn:aws:iam::1:role/AWSServiceRoleForRDS"}},"invokedBy":"rds.amazonaws.com"}"#;
    assert!(!identity(forged).is_service());
}

#[test]
fn a_forward_access_session_is_the_caller_and_not_the_service() {
    let human = r#"{"type":"IAMUser","arn":"arn:aws:iam::1:user/alice","accessKeyId":"ASIA1","userName":"alice",
        "sessionContext":{"attributes":{"creationDate":"2026-01-01T00:00:00Z"}},"invokedBy":"cloudformation.amazonaws.com"}"#;
    let identity = identity(human);
    assert!(!identity.is_service());
    assert_eq!(identity.invoking_service(), Some("cloudformation.amazonaws.com"));
}

#[test]
fn root_is_not_always_a_person() {
    assert!(
        identity(r#"{"type":"Root","arn":"arn:aws:iam::1:root","invokedBy":"autoscaling.amazonaws.com"}"#)
            .is_service()
    );
    // Root's own console session, passed on by CloudFormation.
    let person = r#"{"type":"Root","arn":"arn:aws:iam::1:root","accessKeyId":"ASIA1","sessionContext":{"attributes":
        {"creationDate":"2026-01-01T00:00:00Z"}},"invokedBy":"cloudformation.amazonaws.com"}"#;
    assert!(!identity(person).is_service());
    // The same, had the key been left out.
    let person = r#"{"type":"Root","arn":"arn:aws:iam::1:root","sessionContext":{"attributes":
        {"creationDate":"2026-01-01T00:00:00Z"}},"invokedBy":"cloudformation.amazonaws.com"}"#;
    assert!(!identity(person).is_service());
    // Root's own access key has no session; a service passes it on all the same.
    let person = r#"{"type":"Root","arn":"arn:aws:iam::1:root","accessKeyId":"AKIA1","invokedBy":"cloudformation.amazonaws.com"}"#;
    assert!(!identity(person).is_service());
    // AssumeRoot, with and without its mark. Written from AWS's documentation.
    let assumed = r#"{"type":"Root","arn":"arn:aws:iam::1:root","accessKeyId":"ASIA1","sessionContext":{"assumedRoot":"true"}}"#;
    assert!(identity(assumed).assumed_root && !identity(assumed).is_service());
}

#[test]
fn signin_is_the_console_and_not_a_service() {
    let json = r#"{"type":"IAMUser","arn":"arn:aws:iam::1:user/a","invokedBy":"signin.amazonaws.com"}"#;
    assert_eq!(identity(json).invoking_service(), None);
    let json = r#"{"type":"IAMUser","arn":"arn:aws-cn:iam::1:user/a","invokedBy":"signin.amazonaws.com.cn"}"#;
    assert_eq!(identity(json).invoking_service(), None);
}

#[test]
fn the_issuer_tells_the_path_that_the_session_arn_leaves_out() {
    let json = r#"{"type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/deploy/run-7","sessionContext":{"sessionIssuer":
        {"type":"Role","arn":"arn:aws:iam::1:role/ci/deploy","userName":"deploy"}}}"#;
    assert_eq!(identity(json).principal_arn().as_deref(), Some("arn:aws:iam::1:role/ci/deploy"));
    assert_eq!(identity(json).assumed_role(), Some(("deploy", "run-7")));
    let json = r#"{"type":"AssumedRole","arn":"arn:aws-cn:sts::1:assumed-role/deploy/run-7","sessionContext":{"sessionIssuer":{}}}"#;
    assert_eq!(identity(json).principal_arn().as_deref(), Some("arn:aws-cn:iam::1:role/deploy"));
}

#[test]
fn the_suffix_of_an_identity_center_role_changes() {
    let json = r#"{"type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/AWSReservedSSO_Ops_Emergency_1b74cd717d47002b/alice@example.com"}"#;
    assert_eq!(identity(json).permission_set(), Some(("Ops_Emergency", "alice@example.com")));
    let json = r#"{"type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/xAWSReservedSSO_Ops_1b/alice"}"#;
    assert_eq!(identity(json).permission_set(), None);
}

#[test]
fn console_and_instance_marks_stand_in_several_places() {
    let json = r#"{"type":"AssumedRole","sessionContext":{"ec2RoleDelivery":"2.0","sourceIdentity":"alice","attributes":
        {"sessionCredentialFromConsole":"true","mfaAuthenticated":"false","creationDate":"c"}},
        "inScopeOf":{"issuerType":"AWS::Lambda::Function"},"onBehalfOf":{"userId":"u"}}"#;
    let identity = identity(json);
    assert!(identity.ec2_role_delivery && identity.from_console);
    assert_eq!(identity.mfa_authenticated, Some(false));
    assert_eq!(identity.source_identity.as_deref(), Some("alice"));
    assert_eq!(identity.issued_to.as_deref(), Some("AWS::Lambda::Function"));
    assert_eq!(identity.on_behalf_of.as_deref(), Some("u"));
    assert_eq!(identity.creation_date.as_deref(), Some("c"));
}

/// Who makes a provider chooses its URL, and could put AWS's own host behind the words that ARNs have.
#[test]
fn a_web_provider_is_the_arns_own_and_not_what_its_url_says() {
    let of = |provider: &str| {
        let json =
            format!(r#"{{"sessionContext":{{"webIdFederationData":{{"federatedProvider":"{provider}"}}}}}}"#);
        Identity::read(Raw::at(&json, 0).unwrap().0).web_provider().map(str::to_owned)
    };
    let arn = "arn:aws:iam::1:oidc-provider/";
    let eks = "oidc.eks.eu-west-1.amazonaws.com/id/0A1B";
    assert_eq!(of(&format!("{arn}{eks}")).as_deref(), Some(eks));
    assert_eq!(of("https://accounts.google.com").as_deref(), Some("accounts.google.com"));
    for forged in [format!("{arn}evil.example/:oidc-provider/{eks}"), format!("{arn}evil.example/{arn}{eks}")]
    {
        assert!(of(&forged).unwrap().starts_with("evil.example/"), "{forged}");
    }
}
