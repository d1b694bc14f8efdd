//! Roles that somebody assumes who shouldn't, and permission sets that are changed from elsewhere.

use super::*;

const APP: &str = "[[workload]]\nidentity = \"arn:aws:iam::*:role/app/**\"\nmay_write = [\"s3:Put*\"]\n";
const DEPLOY: &str = "[[deploy]]\nidentity = \"arn:aws:iam::*:role/deploy\"\n";
const NEXT: &str = "[[deploy]]\nidentity = \"arn:aws:iam::*:role/deploy-app\"\nassumed_by = [\"arn:aws:iam::*:role/deploy\"]\n";
const ACCOUNTS: &str = "[accounts]\n444455556666 = \"tooling\"\n";
const MALLORY: &str = r#"{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/mallory","accountId":"111122223333","accessKeyId":"AKIA1","userName":"mallory"}"#;

/// What is said of a call that assumes a role.
fn says(who: &str, role: &str, lines: &str) -> Result<(Code, Severity), String> {
    let policy = format!("{DEPLOY}{NEXT}{lines}\n{APP}{ACCOUNTS}");
    let rest = format!(
        r#","readOnly":true,"requestParameters":{{"roleArn":"{role}","roleSessionName":"x"}},
        "responseElements":{{"credentials":{{"accessKeyId":"ASIA9"}}}}"#
    );
    verdict_by(&policy, who, "sts:AssumeRole", &rest).map(|finding| (finding.code, finding.severity))
}

fn account(id: &str) -> String {
    format!(r#"{{"type":"AWSAccount","principalId":"AROA1:x","accountId":"{id}"}}"#)
}

#[test]
fn a_role_is_reported_that_somebody_assumes_who_should_not() {
    let found = |code| Ok((code, Severity::Medium));
    let read = Err("read".to_owned());
    let admin = "arn:aws:iam::111122223333:role/Admin";
    let app = "arn:aws:iam::111122223333:role/app/orders";
    let elsewhere = "arn:aws:iam::444455556666:role/state";
    let deploy = role("deploy", "run");
    for (who, role, wanted) in [
        (MALLORY, app, found(codes::WORKLOAD_ROLE_ASSUMED)),
        (ALICE, app, found(codes::WORKLOAD_ROLE_ASSUMED)),
        (MALLORY, admin, read.clone()),
        (r#"{"type":"AWSService","invokedBy":"lambda.amazonaws.com"}"#, app, read.clone()),
        (&deploy, admin, found(codes::DEPLOY_OUT_OF_BOUNDS)),
        (&deploy, "arn:aws:iam::111122223333:role/deploy-app", read.clone()),
        (&deploy, elsewhere, read.clone()),
        (&account("999988887777"), admin, found(codes::FOREIGN_ACCESS)),
        (&account("444455556666"), admin, read.clone()),
        (&account("111122223333"), admin, read.clone()),
        (&account("999988887777"), elsewhere, read),
    ] {
        assert_eq!(says(who, role, ""), wanted, "{who} {role}");
    }
    // What fails is a denied call.
    let failed = r#","readOnly":true,"errorCode":"AccessDenied","requestParameters":{"roleArn":"arn:aws:iam::111122223333:role/app/orders"}"#;
    assert!(verdict_by(APP, MALLORY, "sts:AssumeRole", failed).is_err());
}

#[test]
fn who_becomes_one_of_our_own_functions_is_an_attack() {
    let attack = Ok((codes::TRAIL_TAMPERED, Severity::High));
    let own = "arn:aws:iam::111122223333:role/handsoff-sweep";
    let unknown = role("somebody", "x");
    for who in [MALLORY, ALICE, &unknown, &role("deploy", "run"), &account("444455556666")] {
        assert_eq!(says(who, own, ""), attack, "{who}");
        assert_eq!(says(who, "arn:aws:iam::111122223333:role/handsoff-redrive", ""), attack, "{who}");
    }
    let lambda = r#"{"type":"AWSService","invokedBy":"lambda.amazonaws.com"}"#;
    assert_eq!(says(lambda, own, ""), Err("read".to_owned()));
    // Another account's, or one that is only called so.
    for role in
        ["arn:aws:iam::444455556666:role/handsoff-sweep", "arn:aws:iam::111122223333:role/not-handsoff-sweep"]
    {
        assert_eq!(says(MALLORY, role, ""), Err("read".to_owned()), "{role}");
    }
}

#[test]
fn a_pipeline_may_assume_the_roles_that_its_entry_lists_as_a_change() {
    let listed = format!("{DEPLOY}may_change = [\"ordinary\", \"sts:AssumeRole\"]\n");
    let asked = r#","readOnly":true,"requestParameters":{"roleArn":"arn:aws:iam::111122223333:role/Admin"}"#;
    let said =
        |policy: &str| verdict_by(policy, &role("deploy", "run"), "sts:AssumeRole", asked).map(|it| it.code);
    assert_eq!(said(&listed), Err("read".into()));
    assert_eq!(said(DEPLOY), Ok(codes::DEPLOY_OUT_OF_BOUNDS));
}

#[test]
fn a_permission_set_that_is_changed_from_elsewhere_is_reported() {
    let by = |role: &str, path: &str| {
        format!(
            r#"{{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/{role}/s","accountId":"111122223333",
            "accessKeyId":"ASIA1","invokedBy":"sso.amazonaws.com","sessionContext":{{"sessionIssuer":{{
            "arn":"arn:aws:iam::111122223333:role/{path}{role}","userName":"{role}"}}}}}}"#
        )
    };
    let of = r#","requestParameters":{"roleName":"AWSReservedSSO_Dev_0123456789abcdef"}"#;
    let said = |who: &str, action: &str| verdict(who, action, of).map(|it| (it.code, it.severity));
    let sso = by("AWSServiceRoleForSSO", "aws-service-role/sso.amazonaws.com/");
    for action in ["iam:PutRolePolicy", "iam:CreateRole", "iam:DeleteRole"] {
        assert_eq!(said(&sso, action), Ok((codes::PERMISSION_SET_CHANGED, Severity::Medium)), "{action}");
    }
    assert_eq!(said(&sso, "iam:GetRole"), Err("read".into()));
    // A role that somebody made with that name is drift, as any.
    let named = by("AWSServiceRoleForSSO", "").replace(r#""invokedBy":"sso.amazonaws.com","#, "");
    assert_eq!(said(&named, "iam:PutRolePolicy"), Ok((codes::DRIFT_WRITE, Severity::High)));
    let other = by("AWSServiceRoleForECS", "aws-service-role/ecs.amazonaws.com/");
    assert_eq!(said(&other, "iam:CreateRole"), Err("service".into()));
}
