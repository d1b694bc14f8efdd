//! No record is lost: every operation by every kind of caller, and whoever a policy can name.

use handsoff_core::Policy;
use handsoff_tests::root;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::cases::{call, permission_set, refused, root_user, service, session, session_of, sign_in, user};
use crate::rules::{Rules, functions};
use crate::{ACCOUNT, Stacks, envelope, names, owner, reaches, read, samples_policy};

// ---- Every operation -----------------------------------------------------------------------------------------

/// All operations that handsoff knows, and some that it doesn't.
fn operations() -> Vec<String> {
    let table = std::fs::read_to_string(root().join("shared/cloudtrail/data/access-levels.txt")).unwrap();
    let known =
        table.lines().filter(|line| !line.starts_with('#')).map(|line| line.split(' ').next().unwrap());
    let mut operations: Vec<String> = known.map(str::to_owned).collect();
    assert!(operations.len() > 20_000);
    let verbs = "Get List Describe Head Search Lookup BatchGet BatchDescribe View Query Scan Filter Decrypt Encrypt \
                 ReEncrypt GenerateDataKey Create Delete Put Update Modify Attach Detach Disable Enable Set Add Remove \
                 Authorize Revoke Terminate Stop Start Run Import Restore Transfer Tag Untag Associate Register Apply \
                 Send Execute Invoke Accept Leave Frobnicate Assume get create assume";
    for verb in verbs.split_whitespace() {
        for service in ["new", "sts", "kms", "signin", "sso", "cloudshell"] {
            operations.extend(
                ["Thing", "away", "", "Thing20150331v2", "Thing2020_05_31 "]
                    .map(|rest| format!("{service}:{verb}{rest}")),
            );
        }
    }
    let others =
        "signin:ConsoleLogin signin:SwitchRole signin:CheckMfa signin:UserAuthentication sso:Federate";
    operations.extend(others.split(' ').map(str::to_owned));
    operations
}

fn callers() -> Vec<Value> {
    let arn = user("x")["arn"].clone();
    let issuer = session("break-glass")["sessionContext"].clone();
    let mut pathless = session("deploy-pipeline");
    pathless.as_object_mut().unwrap().remove("sessionContext");
    let roleless = pathless["arn"].clone();
    vec![
        user("x"),
        session("x"),
        session("deploy-pipeline"),
        pathless,
        session("break-glass"),
        permission_set("EmergencyAdmin"),
        root_user(),
        json!({"type": "Root", "arn": format!("arn:aws:iam::{ACCOUNT}:root"), "invokedBy": "autoscaling.amazonaws.com"}),
        service(),
        session("aws-service-role/x.amazonaws.com/AWSServiceRoleForX"),
        json!({"type": "AWSAccount", "accountId": "444455556666", "principalId": "AROA:x"}),
        json!({"type": "IdentityCenterUser", "accountId": ACCOUNT, "onBehalfOf": {"userId": "u"}}),
        json!({"type": "IAMUser", "accountId": ACCOUNT, "userName": "eg-1"}),
        json!({"type": "IAMUser", "accountId": ACCOUNT, "userName": "eg-1", "arn": null}),
        json!({"type": "IAMUser", "accountId": ACCOUNT, "userName": "eg-1", "arn": ""}),
        json!({"type": "AssumedRole", "arn": roleless, "sessionContext": {"sessionIssuer": {"arn": null}}}),
        json!({"type": "FederatedUser", "arn": "arn:aws:sts::111122223333:federated-user/x", "sessionContext": issuer}),
        json!({"type": "FederatedUser", "sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::111122223333:root"}}}),
        json!({"type": "Unknown", "userName": "x"}),
        json!({"type": "Unknown", "invokedBy": "x.amazonaws.com"}),
        json!({"type": null, "arn": arn}),
        json!({"type": "", "invokedBy": "x.amazonaws.com"}),
        json!({"accountId": ACCOUNT, "invokedBy": "x.amazonaws.com"}),
        json!({"accountId": ACCOUNT, "userName": "x"}),
        json!({"accountId": ACCOUNT, "arn": arn}),
        json!({}),
        json!(null),
    ]
}

/// Whatever else of a record matters to a pattern, behind its name: every caller, `readOnly`, error and type.
fn circumstances() -> Vec<String> {
    let mut all = Vec::new();
    for caller in callers() {
        for flag in ["true", "false", "\"true\"", "\"false\"", "null", "absent"] {
            for error in ["", "AccessDenied", "Client.DryRunOperation", "Other"] {
                for kind in ["AwsApiCall", "AwsServiceEvent"] {
                    let mut text = format!(r#""userIdentity":{caller},"eventType":"{kind}""#);
                    if flag != "absent" {
                        text += &format!(r#","readOnly":{flag}"#);
                    }
                    if !error.is_empty() {
                        text += &format!(r#","errorCode":"{error}""#);
                    }
                    all.push(text);
                }
            }
        }
    }
    all
}

#[test]
fn whatever_is_called_reaches_its_detector() {
    let policy = samples_policy();
    let rules = Rules::of(&names(&policy), ACCOUNT);
    let all = circumstances();
    // Of all operations, what a pattern could keep out that matters.
    let few = [format!(r#""userIdentity":{},"eventType":"AwsApiCall","readOnly":true"#, session("x"))];
    let (mut tried, mut counts) = (0, vec![0; functions().len()]);
    for (number, operation) in operations().iter().enumerate() {
        let (service, name) = operation.split_once(':').unwrap();
        for rest in if number % 499 == 0 { &all[..] } else { &few[..] } {
            let text = format!(
                r#"{{"eventSource":"{service}.amazonaws.com","eventName":"{name}","recipientAccountId":"{ACCOUNT}","eventID":"e",{rest}}}"#
            );
            let owner = owner(&read(&text), &policy);
            let event = format!(
                r#"{{"source":"aws.x","detail-type":"AWS API Call via CloudTrail","detail":{text}}}"#
            );
            let through = rules.let_through(&event);
            assert!(reaches(owner, &through), "{owner:?} {through:?} {text}");
            tried += 1;
            for (count, yes) in counts.iter_mut().zip(through) {
                *count += i32::from(yes);
            }
        }
    }
    println!("{tried} records tried; let through {counts:?}");
}

// ---- Every name ----------------------------------------------------------------------------------------------

fn resource(part: &'static str) -> impl Strategy<Value = String> {
    (prop_oneof![Just("role"), Just("user")], prop::collection::vec(part, 1..3))
        .prop_map(|(kind, parts)| format!("{kind}/{}", parts.join("/")))
}

/// Records by which, or for which, an identity of this ARN's end may act.
fn records_of(resource: &str) -> Vec<Value> {
    let arn = format!("arn:aws:iam::{ACCOUNT}:{resource}");
    let (kind, path) = resource.split_once('/').unwrap();
    let name = path.rsplit('/').next().unwrap();
    let read = |who: Value| call(who, "s3:ListBuckets", true.into(), json!({}));
    if kind == "user" {
        let nameless = json!({"type": "IAMUser", "accountId": ACCOUNT, "userName": name});
        let federated = json!({
            "type": "FederatedUser", "arn": format!("arn:aws:sts::{ACCOUNT}:federated-user/x"),
            "sessionContext": {"sessionIssuer": {"type": "IAMUser", "arn": arn, "userName": name}},
        });
        return vec![read(user(path)), sign_in(nameless, "ConsoleLogin", json!({})), read(federated)];
    }
    let mut pathless = session_of(&arn);
    pathless["sessionContext"] = json!({});
    let by_resource = json!({"resources": [{"ARN": arn, "type": "AWS::IAM::Role"}]});
    let mut by_resource_and_null = by_resource.clone();
    by_resource_and_null["requestParameters"] = json!({"roleArn": null});
    vec![
        read(session_of(&arn)),
        read(pathless),
        read(json!({"type": "Role", "arn": arn})),
        call(user("x"), "sts:AssumeRole", true.into(), json!({"requestParameters": {"roleArn": arn}})),
        call(user("x"), "sts:AssumeRole", true.into(), by_resource.clone()),
        call(user("x"), "sts:AssumeRole", true.into(), by_resource_and_null),
        call(user("x"), "sts:AssumeRole", true.into(), refused("sts:AssumeRole", &arn)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn whoever_a_policy_names_reaches_its_detector(
        written in prop::collection::vec(resource("[ab*]{1,3}"), 1..3),
        found in prop::collection::vec(resource("[ab]{1,3}"), 8),
    ) {
        for list in ["break_glass", "deploy"] {
            let more = if list == "deploy" { "session_names = ['none']\nassumed_by = ['oidc:x']\n" } else { "" };
            let entry = |resource| format!("[[{list}]]\nidentity = 'arn:aws:iam::*:{resource}'\n{more}");
            let text: String = written.iter().map(entry).collect();
            // A pattern may mean everybody.
            let Ok(policy) = Policy::parse("p", &text) else { return Ok(()) };
            let rules = Rules::of(&Stacks::of(&policy).names, ACCOUNT);
            for record in found.iter().flat_map(|resource| records_of(resource)) {
                let text = record.to_string();
                let record = read(&text);
                let owner = owner(&record, &policy);
                let through = rules.let_through(&envelope(&record, ACCOUNT));
                prop_assert!(reaches(owner, &through), "{:?} {:?} {}", written, owner, text);
            }
        }
    }
}
