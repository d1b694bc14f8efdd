//! Secrets that a person reads.

use super::*;

fn says(who: &str, action: &str, asked: &str) -> Result<(Code, Severity), String> {
    let rest = format!(r#","readOnly":true,"requestParameters":{asked}"#);
    verdict(who, action, &rest).map(|finding| (finding.code, finding.severity))
}

#[test]
fn a_secret_that_a_person_reads_is_reported_and_a_workloads_is_its_own() {
    let found = Ok((codes::SECRET_READ, Severity::Medium));
    let read = Err("read".to_owned());
    let secret = r#"{"secretId":"db"}"#;
    let pod = r#"{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/web/s","accountId":"111122223333",
        "accessKeyId":"ASIA1","inScopeOf":{"issuerType":"AWS::Lambda::Function"}}"#;
    for (who, action, asked, wanted) in [
        (ALICE, "secretsmanager:GetSecretValue", secret, &found),
        (ALICE, "secretsmanager:ListSecrets", "{}", &read),
        (ALICE, "ssm:GetParameter", r#"{"name":"p","withDecryption":true}"#, &found),
        (ALICE, "ssm:GetParameter", r#"{"name":"p","withDecryption":false}"#, &read),
        (ALICE, "ssm:GetParameter", r#"{"name":"p"}"#, &read),
        (ALICE, "ssm:GetParametersByPath", "null", &read),
        (ALICE, "ssm:GetParametersByPath", r#"{"omitted":true}"#, &found),
        (ALICE, "ec2:DescribeInstanceAttribute", r#"{"attribute":"userData"}"#, &found),
        (ALICE, "ec2:DescribeInstanceAttribute", r#"{"attribute":"instanceType"}"#, &read),
        (ALICE, "apigateway:GetApiKeys", r#"{"includeValues":"true"}"#, &found),
        (ALICE, "apigateway:GetApiKeys", r#"{"limit":"500"}"#, &read),
        (ALICE, "lightsail:GetRelationalDatabaseMasterUserPassword", "{}", &found),
        (ALICE, "ec2:GetVpnConnectionDeviceSampleConfiguration", "{}", &found),
        (ALICE, "storagegateway:DescribeChapCredentials", "{}", &found),
        (&role("app", "s"), "secretsmanager:GetSecretValue", secret, &read),
        (&role("other", "s"), "secretsmanager:GetSecretValue", secret, &read),
        (&role("other", "ana@example.com"), "secretsmanager:GetSecretValue", secret, &found),
        (&role("deploy", "run-1"), "secretsmanager:GetSecretValue", secret, &read),
        (pod, "secretsmanager:GetSecretValue", secret, &read),
    ] {
        assert_eq!(&says(who, action, asked), wanted, "{who} {action} {asked}");
    }
    let excepted = format!(
        "{POLICY}\n[[exception]]\nidentity = \"permission-set/Admin\"\nactions = [\"secretsmanager:Get*\"]\n\
        owner = \"a@example.com\"\nreason = \"agreed\"\nuntil = 2026-12-31\n"
    );
    let rest = r#","readOnly":true,"requestParameters":{"secretId":"db"}"#;
    assert_eq!(
        verdict_by(&excepted, ALICE, "secretsmanager:GetSecretValue", rest).map(|it| it.code),
        Err("excepted".into())
    );
}
