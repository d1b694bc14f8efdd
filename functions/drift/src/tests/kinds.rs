//! Changes that have a code of their own: guardrails, trust, and what is shared with outsiders.

use super::*;

const ACCOUNTS: &str = "[accounts]\n444455556666 = \"tooling\"\n";

fn by_alice(action: &str, asked: &str) -> Finding {
    let policy = format!("{POLICY}\n{ACCOUNTS}");
    verdict_by(&policy, ALICE, action, &format!(r#","requestParameters":{asked}"#)).unwrap()
}

fn trusts(principal: &str) -> String {
    let document = format!(
        r#"{{"Statement":[{{"Effect":"Allow","Principal":{principal},"Action":"sts:AssumeRole"}}]}}"#
    );
    format!(r#"{{"roleName":"reports","policyDocument":{document:?}}}"#)
}

#[test]
fn guardrails_and_trust_have_codes_of_their_own_and_the_severity_of_before() {
    let own = trusts(r#"{"AWS":"arn:aws:iam::111122223333:role/build"}"#);
    for (action, asked, code) in [
        ("iam:DeleteRolePermissionsBoundary", r#"{"roleName":"r"}"#, codes::GUARDRAIL_CHANGED),
        ("iam:PutUserPermissionsBoundary", r#"{"userName":"u"}"#, codes::GUARDRAIL_CHANGED),
        ("iam:UpdateAssumeRolePolicy", &own, codes::TRUST_CHANGED),
        ("iam:CreateOpenIDConnectProvider", r#"{"url":"https://x"}"#, codes::TRUST_CHANGED),
        ("iam:AddClientIDToOpenIDConnectProvider", r#"{"clientID":"x"}"#, codes::TRUST_CHANGED),
        ("iam:UpdateSAMLProvider", r#"{"sAMLProviderArn":"x"}"#, codes::TRUST_CHANGED),
        ("rolesanywhere:CreateTrustAnchor", r#"{"name":"x"}"#, codes::TRUST_CHANGED),
        ("iam:AttachRolePolicy", r#"{"roleName":"r"}"#, codes::DRIFT_WRITE),
        ("iam:CreateRole", &own, codes::DRIFT_WRITE),
    ] {
        let found = by_alice(action, asked);
        assert_eq!((found.code, found.severity), (code, Severity::High), "{action}");
    }
    // What takes trust away lets nobody in.
    assert_eq!(by_alice("iam:DeleteSAMLProvider", "{}").code, codes::DRIFT_WRITE);
    assert_eq!(by_alice("iam:TagOpenIDConnectProvider", "{}").code, codes::DRIFT_WRITE);
    let workload = verdict(&role("other", "i-0abc"), "iam:UpdateAssumeRolePolicy", "").unwrap();
    assert_eq!(workload.code, codes::TRUST_CHANGED, "{}", workload.reason);
}

#[test]
fn what_is_shared_with_an_outsider_is_foreign_access_an_incident_each() {
    let share = |account: &str| {
        format!(
            r#"{{"snapshotId":"s","createVolumePermission":{{"add":{{"items":[{{"userId":"{account}"}}]}}}}}}"#
        )
    };
    let found = by_alice("ec2:ModifySnapshotAttribute", &share("999988887777"));
    assert_eq!((found.code, found.severity), (codes::FOREIGN_ACCESS, Severity::High));
    assert_eq!(found.resources.first().unwrap(), "999988887777");
    assert!(
        found.reason.starts_with("A person let the account 999988887777, which [accounts] doesn't name,")
    );
    let other = by_alice("ec2:ModifySnapshotAttribute", &share("999988886666"));
    assert_ne!(found.incident, other.incident, "what is known of one doesn't hide the other");
    for (action, asked, who) in [
        ("iam:UpdateAssumeRolePolicy", trusts(r#"{"AWS":"arn:aws:iam::999988887777:root"}"#), "999988887777"),
        ("iam:UpdateAssumeRolePolicy", trusts(r#"{"AWS":"*"}"#), "anyone"),
        ("ram:CreateResourceShare", r#"{"principals":["999988887777"]}"#.into(), "999988887777"),
        ("lambda:AddPermission20150331v2", r#"{"functionName":"f","principal":"*"}"#.into(), "anyone"),
        (
            "lambda:AddPermission20150331v2",
            r#"{"principal":"*","sourceArn":"arn:aws:s3:::*"}"#.into(),
            "anyone",
        ),
        ("lambda:AddLayerVersionPermission20181031", r#"{"principal":"*"}"#.into(), "anyone"),
        (
            "ec2:ModifyVpcEndpointServicePermissions",
            r#"{"ModifyVpcEndpointServicePermissionsRequest":{"AddAllowedPrincipals":{"content":"*"}}}"#
                .into(),
            "anyone",
        ),
        (
            "kms:CreateGrant",
            r#"{"granteePrincipal":"arn:aws:iam::999988887777:root"}"#.into(),
            "999988887777",
        ),
        (
            "kms:CreateGrant",
            r#"{"granteePrincipal":"rds.amazonaws.com","retiringPrincipal":"999988887777"}"#.into(),
            "999988887777",
        ),
        ("ec2:CreateNetworkInterfacePermission", r#"{"awsAccountId":"999988887777"}"#.into(), "999988887777"),
        (
            "es:CreateDomain",
            r#"{"accessPolicies":"{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"*\"}}}"}"#
                .into(),
            "anyone",
        ),
    ] {
        let found = by_alice(action, &asked);
        assert_eq!(
            (found.code, found.resources.first().map(String::as_str)),
            (codes::FOREIGN_ACCESS, Some(who)),
            "{action}"
        );
    }
    for (asked, why) in [
        (share("444455556666"), "an account of the team"),
        (share("111122223333"), "its own"),
        ("null".into(), "nothing is shown"),
    ] {
        assert_eq!(by_alice("ec2:ModifySnapshotAttribute", &asked).code, codes::DRIFT_WRITE, "{why}");
    }
    let service = trusts(r#"{"Service":"lambda.amazonaws.com"}"#);
    assert_eq!(by_alice("iam:UpdateAssumeRolePolicy", &service).code, codes::TRUST_CHANGED);
}

/// What brings a policy along, goes to another account, or gives rights that AWS files with permissions.
#[test]
fn an_outsider_is_seen_whatever_the_call_is_made_for() {
    let policy = |who: &str| {
        let statement = format!(r#"{{"Effect":"Allow","Principal":{{"AWS":"{who}"}},"Action":"*"}}"#);
        format!("{:?}", format!(r#"{{"Statement":[{statement}]}}"#))
    };
    let vault = |account: &str| format!("arn:aws:backup:eu-west-1:{account}:backup-vault:x");
    let code = |action: &str, asked: &str| by_alice(action, asked).code;
    for account in ["999988887777", "444455556666"] {
        let foreign = account == "999988887777";
        for (action, asked) in [
            ("sqs:SetQueueAttributes", format!(r#"{{"attributes":{{"Policy":{}}}}}"#, policy(account))),
            ("kms:CreateKey", format!(r#"{{"policy":{}}}"#, policy(account))),
            ("redshift:PutResourcePolicy", format!(r#"{{"policy":{}}}"#, policy(account))),
            ("events:PutPermission", format!(r#"{{"principal":"{account}"}}"#)),
            ("backup:StartCopyJob", format!(r#"{{"destinationBackupVaultArn":"{}"}}"#, vault(account))),
            (
                "ecr:PutReplicationConfiguration",
                format!(
                    r#"{{"replicationConfiguration":{{"rules":[{{"destinations":[{{"registryId":"{account}"}}]}}]}}}}"#
                ),
            ),
            (
                "logs:PutSubscriptionFilter",
                format!(r#"{{"destinationArn":"arn:aws:logs:eu-west-1:{account}:destination:x"}}"#),
            ),
            ("eks:CreateAccessEntry", format!(r#"{{"principalArn":"arn:aws:iam::{account}:role/x"}}"#)),
        ] {
            assert_eq!(code(action, &asked) == codes::FOREIGN_ACCESS, foreign, "{action} {asked}");
        }
    }
    for (action, asked, why) in [
        (
            "ec2:ModifySnapshotAttribute",
            r#"{"createVolumePermission":{"remove":{"items":[{"userId":"999988887777"}]}}}"#,
            "it is taken away",
        ),
        (
            "lakeformation:RevokePermissions",
            r#"{"principal":{"dataLakePrincipalIdentifier":"999988887777"}}"#,
            "it is taken away",
        ),
        (
            "sns:SetTopicAttributes",
            r#"{"attributeName":"KmsMasterKeyId","attributeValue":"arn:aws:kms:eu-west-1:999988887777:key/x"}"#,
            "a key that is used",
        ),
        ("lambda:AddPermission20150331v2", r#"{"principal":"*","principalOrgID":"o-1"}"#, "the organization"),
        ("events:PutTargets", r#"{"targets":[{"arn":"x","input":"999988887777"}]}"#, "what is sent"),
        (
            "ssm:ModifyDocumentPermission",
            r#"{"name":"d","permissionType":"Share","accountIdsToRemove":["999988887777"]}"#,
            "it is taken away",
        ),
        (
            "ec2:ModifyImageAttribute",
            r#"{"imageId":"i","operationType":"remove","userIds":["999988887777"]}"#,
            "it is taken away",
        ),
        (
            "quicksight:UpdateDashboardPermissions",
            r#"{"revokePermissions":[{"principal":"arn:aws:quicksight:us-east-1:999988887777:user/default/x"}]}"#,
            "it is taken away",
        ),
        (
            "workspaces:UpdateWorkspaceImagePermission",
            r#"{"imageId":"i","allowCopyImage":false,"sharedAccountId":"999988887777"}"#,
            "it is taken away",
        ),
        (
            "lambda:AddLayerVersionPermission",
            r#"{"principal":"*","organizationId":"o-1"}"#,
            "the organization",
        ),
        (
            "kms:CreateGrant",
            r#"{"keyId":"arn:aws:kms:eu-west-1:999988887777:key/k","granteePrincipal":"arn:aws:iam::111122223333:role/r"}"#,
            "another's key",
        ),
        (
            "cloudformation:SetStackPolicy",
            r#"{"stackPolicyBody":{"Statement":{"Principal":"*"}}}"#,
            "its own",
        ),
    ] {
        assert_ne!(code(action, asked), codes::FOREIGN_ACCESS, "{action}: {why}");
    }
}
