use handsoff_cloudtrail::Entry;
use handsoff_core::Trace;

use super::*;

/// What a record changes, as text; `+` makes, `-` deletes.
fn changes(source: &str, name: &str, rest: &str) -> Vec<String> {
    let json = format!(
        r#"{{"eventID":"1","eventTime":"2026-03-14T02:00:00Z","eventSource":"{source}.amazonaws.com","eventName":"{name}",
        "awsRegion":"eu-central-1","recipientAccountId":"111122223333"{rest}}}"#
    );
    let Ok((Entry::Record(record), _)) = Record::read(&json) else { panic!("a record: {json}") };
    let policy = handsoff_core::Policy::built_in();
    let call = Call::classify(record, &policy, &mut Trace::off());
    let sign = |does| match does {
        Does::Makes => "+",
        Does::Changes => "",
        Does::Deletes => "-",
    };
    changed(&call).into_iter().map(|(does, resource)| format!("{}{resource}", sign(does))).collect()
}

fn asked(source: &str, name: &str, parameters: &str) -> Vec<String> {
    changes(source, name, &format!(r#","requestParameters":{parameters}"#))
}

fn answered(source: &str, name: &str, answer: &str) -> Vec<String> {
    changes(source, name, &format!(r#","requestParameters":{{}},"responseElements":{answer}"#))
}

#[test]
fn one_resource_has_one_name_however_a_call_names_it() {
    let function = "lambda:eu-central-1:111122223333:function/orders";
    for name in [
        "orders",
        "orders:7",
        "111122223333:function:orders",
        "arn:aws:lambda:eu-central-1:111122223333:function:orders",
        "arn:aws:lambda:eu-central-1:111122223333:function:orders:live",
    ] {
        let parameters = format!(r#"{{"functionName":"{name}"}}"#);
        assert_eq!(asked("lambda", "UpdateFunctionCode20150331v2", &parameters), [function], "{name}");
    }
    let policy = "arn:aws:iam::111122223333:policy/ops/reader";
    let made = format!(r#"{{"policy":{{"arn":"{policy}"}}}}"#);
    assert_eq!(answered("iam", "CreatePolicy", &made), ["+iam::111122223333:policy/reader"]);
    let asked_for = format!(r#"{{"policyArn":"{policy}"}}"#);
    assert_eq!(asked("iam", "CreatePolicyVersion", &asked_for), ["iam::111122223333:policy/reader"]);
    for (name, parameters) in [
        ("SetQueueAttributes", r#"{"queueUrl":"https://sqs.eu-central-1.amazonaws.com/111122223333/jobs"}"#),
        ("TagResource", r#"{"resourceArn":"arn:aws:sqs:eu-central-1:111122223333:jobs"}"#),
    ] {
        assert_eq!(asked("sqs", name, parameters), ["sqs:eu-central-1:111122223333:queue/jobs"]);
    }
    for (name, parameters) in [
        ("UpdateStack", r#"{"stackName":"shop"}"#),
        (
            "UpdateStack",
            r#"{"stackName":"arn:aws:cloudformation:eu-central-1:111122223333:stack/shop/6f-1"}"#,
        ),
    ] {
        assert_eq!(
            asked("cloudformation", name, parameters),
            ["cloudformation:eu-central-1:111122223333:stack/shop"]
        );
    }
    for name in ["Orders", "arn:aws:rds:eu-central-1:111122223333:db:orders"] {
        let parameters = format!(r#"{{"dBInstanceIdentifier":"{name}"}}"#);
        assert_eq!(
            asked("rds", "ModifyDBInstance", &parameters),
            ["rds:eu-central-1:111122223333:db/orders"]
        );
    }
    for bus in [r#""eventBusName":"default","#, ""] {
        let parameters = format!(r#"{{{bus}"name":"nightly"}}"#);
        assert_eq!(
            asked("events", "PutRule", &parameters),
            ["+events:eu-central-1:111122223333:rule/nightly"]
        );
    }
    assert_eq!(
        asked("events", "PutTargets", r#"{"eventBusName":"orders","rule":"nightly"}"#),
        ["events:eu-central-1:111122223333:rule/orders/nightly"]
    );
}

#[test]
fn a_secrets_name_is_cut_only_where_aws_has_added_to_it() {
    let arn = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:prod-orders-a1B2c3";
    let secret = "secretsmanager:eu-central-1:111122223333:secret/prod-orders";
    let put = |id: &str, answer: &str| {
        let rest = format!(r#","requestParameters":{{"secretId":"{id}"}},"responseElements":{answer}"#);
        changes("secretsmanager", "PutSecretValue", &rest)
    };
    assert_eq!(put("prod-orders", "null"), [secret], "`orders` is six letters, and the secret's own");
    assert_eq!(put(arn, "null"), [secret]);
    assert_eq!(put("prod-orders", &format!(r#"{{"arn":"{arn}"}}"#)), [secret]);
}

#[test]
fn what_the_record_does_not_name_is_unknown_and_not_guessed() {
    for (source, name, parameters) in [
        // No row.
        ("glue", "PutResourcePolicy", r#"{"policyInJson":"{}"}"#),
        ("", "", r#"{"name":"x"}"#),
        ("lambda", "Invoke", r#"{"functionName":"orders"}"#),
        // A name that may be another key's tomorrow, and a template's name where calls use IDs.
        ("kms", "DisableKey", r#"{"keyId":"alias/orders"}"#),
        ("ec2", "ModifyLaunchTemplate", r#"{"ModifyLaunchTemplateRequest":{"LaunchTemplateName":"web"}}"#),
        // Of another type than the row's; no account's; hidden; hostile; too long; nothing.
        ("iam", "UpdateRole", r#"{"roleName":"arn:aws:iam::111122223333:user/ana"}"#),
        ("iam", "UpdateRole", r#"{"roleName":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#),
        ("iam", "UpdateRole", r#"{"roleName":"a\u001b[2Jb"}"#),
        ("iam", "UpdateRole", r#"{"roleName":""}"#),
        ("iam", "UpdateRole", r#"{"roleName":{"a":"b"}}"#),
        ("iam", "UpdateRole", "\"x\""),
        ("ec2", "ModifyVpcAttribute", r#"{"vpcId":"sg-1"}"#),
        ("ec2", "CreateTags", r#"{"resourcesSet":{"items":[{"resourceId":"odd-1"}]}}"#),
        ("dynamodb", "TagResource", r#"{"resourceArn":"arn:aws:dynamodb:eu-central-1:1:table/x"}"#),
    ] {
        assert!(asked(source, name, parameters).is_empty(), "{source} {name} {parameters}");
    }
    // In which account or Region nothing says.
    for (of, other) in [("111122223333", "Anonymous"), ("eu-central-1", "somewhere")] {
        let text = r#"{"eventSource":"lambda.amazonaws.com","eventName":"AddPermission","awsRegion":"eu-central-1",
            "recipientAccountId":"111122223333","requestParameters":{"functionName":"orders"}}"#;
        let known = |json: &str| {
            let Ok((Entry::Record(record), _)) = Record::read(json) else { panic!("a record: {json}") };
            changed(&Call::classify(record, &handsoff_core::Policy::built_in(), &mut Trace::off())).len()
        };
        assert_eq!((known(text), known(&text.replace(of, other))), (1, 0), "{other}");
    }
    let long = format!(r#"{{"roleName":"{}"}}"#, "x".repeat(600));
    assert!(asked("iam", "UpdateRole", &long).is_empty());
}

#[test]
fn a_call_may_change_many_resources_and_each_once() {
    let items =
        r#"{"instancesSet":{"items":[{"instanceId":"i-2"},{"instanceId":"i-1"},{"instanceId":"i-2"}]}}"#;
    let host = "ec2:eu-central-1:111122223333:instance/i-";
    assert_eq!(answered("ec2", "RunInstances", items), [format!("+{host}1"), format!("+{host}2")]);
    assert_eq!(asked("ec2", "TerminateInstances", items), [format!("-{host}1"), format!("-{host}2")]);
    // EC2 writes an object where it elsewhere has a list.
    assert_eq!(
        asked("ec2", "StopInstances", r#"{"instancesSet":{"items":{"instanceId":"i-1"}}}"#),
        [format!("{host}1")]
    );
    let tags = r#"{"resourcesSet":{"items":[{"resourceId":"sg-1"},{"resourceId":"vpc-1"}]}}"#;
    assert_eq!(
        asked("ec2", "CreateTags", tags),
        ["ec2:eu-central-1:111122223333:security-group/sg-1", "ec2:eu-central-1:111122223333:vpc/vpc-1"]
    );
    let arns = r#"{"resourceARNList":["arn:aws:s3:::shop","arn:aws:sns:eu-central-1:111122223333:news"]}"#;
    assert_eq!(
        asked("tagging", "TagResources", arns),
        ["s3::111122223333:bucket/shop", "sns:eu-central-1:111122223333:topic/news"]
    );
    let many: Vec<String> = (0..5000).map(|n| format!(r#"{{"resourceId":"i-{n}"}}"#)).collect();
    let flood = format!(r#"{{"resourcesSet":{{"items":[{}]}}}}"#, many.join(","));
    assert_eq!(asked("ec2", "CreateTags", &flood).len(), 1000, "as many as a call can name");
}

#[test]
fn a_resource_in_another_account_is_that_accounts() {
    let key = "arn:aws:kms:us-east-1:444455556666:key/0a1b";
    let resources = format!(
        r#","resources":[{{"type":"AWS::KMS::Key","ARN":"{key}"}}],"requestParameters":{{"keyId":"alias/x"}}"#
    );
    assert_eq!(changes("kms", "DisableKey", &resources), ["kms:us-east-1:444455556666:key/0a1b"]);
}

#[test]
fn a_resource_is_read_as_it_is_written() {
    for text in [
        "ec2:eu-central-1:111122223333:security-group/sg-1",
        "iam::111122223333:role/orders",
        "s3::111122223333:bucket/shop",
        "ssm:eu-central-1:111122223333:parameter/shop/db:url",
        "events:eu-central-1:111122223333:rule/orders/nightly",
        "secretsmanager:eu-central-1:111122223333:secret/prod-orders",
        "cloudformation:eu-central-1:111122223333:changeSet/shop/rollback-1",
    ] {
        let resource: Resource = text.parse().unwrap();
        assert_eq!(resource.to_string(), text);
        let json = serde_json::to_string(&resource).unwrap();
        assert_eq!(serde_json::from_str::<Resource>(&json).unwrap(), resource);
    }
    let of_arn: Resource = "arn:aws:iam::111122223333:role/ops/orders".parse().unwrap();
    assert_eq!(of_arn.to_string(), "iam::111122223333:role/orders");
    for wrong in [
        "",
        "orders",
        "iam::1:role/x",
        "iam::111122223333:role",
        "iam::111122223333:role/",
        "a:b:c:d/e",
        "arn:aws:s3:::shop",
        "iam::111122223333:role/a\u{202e}b",
    ] {
        assert!(wrong.parse::<Resource>().is_err(), "{wrong}");
    }
}
