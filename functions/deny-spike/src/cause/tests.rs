use handsoff_cloudtrail::Entry;
use proptest::prelude::*;
use serde_json::json;

use super::*;

const USER: &str = "User: arn:aws:sts::111122223333:assumed-role/x/s is not authorized to perform: ";

fn of(message: &str, asked: &serde_json::Value) -> Option<Cause> {
    let json = json!({"eventName": "X", "errorCode": "AccessDenied", "errorMessage": message, "requestParameters": asked});
    let json = json.to_string();
    let Ok((Entry::Record(record), _)) = Record::read(&json) else { panic!("a record") };
    Cause::of(&record)
}

fn found(rest: &str) -> Option<(PolicyType, bool, Option<String>)> {
    of(&format!("{USER}{rest}"), &json!(null)).map(|cause| (cause.policy, cause.explicit, cause.arn))
}

#[test]
fn awss_sentences_name_the_policy() {
    use PolicyType::{
        Boundary, Endpoint, Identity, Resource, ResourceControl, ServiceControl, Session, Trust,
    };
    let scp = "arn:aws:organizations::111122223333:policy/o-a/service_control_policy/p-1";
    let cases = [
        (
            "codecommit:ListRepositories because no service control policy allows the codecommit:ListRepositories action",
            ServiceControl,
            false,
            None,
        ),
        (
            "codecommit:ListRepositories with an explicit deny in a service control policy",
            ServiceControl,
            true,
            None,
        ),
        (
            "s3:GetBucketAcl on resource: arn:aws:s3:::b with an explicit deny in a resource control policy",
            ResourceControl,
            true,
            None,
        ),
        (
            "iam:CreateUser on resource: arn:aws:iam::1:user/x because no permissions boundary allows the iam:CreateUser action",
            Boundary,
            false,
            None,
        ),
        (
            "iam:CreateUser on resource: user x with an explicit deny in a permissions boundary: arn:aws:iam::1:policy/b",
            Boundary,
            true,
            Some("arn:aws:iam::1:policy/b"),
        ),
        (
            "sts:AssumeRole on resource: arn:aws:iam::1:role/r because no role trust policy allows the sts:AssumeRole action",
            Trust,
            false,
            None,
        ),
        (
            "sns:Publish on resource: arn:aws:sns:eu-central-1:1:t with an explicit deny in a VPC endpoint policy",
            Endpoint,
            true,
            None,
        ),
        (
            "sns:Publish on resource: arn:aws:sns:eu-central-1:1:t because no session policy allows the sns:Publish action",
            Session,
            false,
            None,
        ),
        (
            "sns:Publish on resource: arn:aws:sns:eu-central-1:1:t because no resource-based policy allows the sns:Publish action",
            Resource,
            false,
            None,
        ),
        ("sns:Publish with an explicit deny in an identity-based policy", Identity, true, None),
        (
            "iam:CreateUser on resource: arn:aws:iam::1:user/x with an explicit deny in a service control policy: arn:aws:organizations::111122223333:policy/o-a/service_control_policy/p-1",
            ServiceControl,
            true,
            Some(scp),
        ),
    ];
    for (rest, policy, explicit, arn) in cases {
        assert_eq!(found(rest), Some((policy, explicit, arn.map(str::to_owned))), "{rest}");
    }
    let ec2 = "You are not authorized to perform this operation. User: arn:aws:iam::1:user/a is not authorized to perform: \
               ec2:RunInstances on resource: arn:aws:ec2:eu-central-1:1:instance/* with an explicit deny in a service control \
               policy. Encoded authorization failure message: ";
    let cut = format!("{ec2}{}", "x".repeat(900));
    for text in [ec2, &cut] {
        assert_eq!(of(text, &json!(null)).unwrap().policy, ServiceControl, "{text}");
    }
    let named = cut.replace("instance/*", "key-pair/k");
    assert_eq!(
        of(&named, &json!(null)),
        None,
        "a key pair's name may have held the words, and the rest is cut off"
    );
    for other in ["", "not authorized", "Access Denied"] {
        assert_eq!(of(other, &json!(null)), None);
    }
}

/// A message, as AWS would write it of a resource of any name, with the cause that is true.
fn sentence(resource: &str, cause: Option<(PolicyType, bool)>) -> String {
    let cause = match cause {
        Some((policy, true)) => format!(" with an explicit deny in a {}", policy.as_str()),
        Some((policy, false)) => format!(" because no {} allows the s3:GetObject action", policy.as_str()),
        None => String::new(),
    };
    let mut text = format!("{USER}s3:GetObject on resource: {resource}{cause}");
    let end = (0..=text.len().min(1024)).rev().find(|at| text.is_char_boundary(*at)).unwrap();
    text.truncate(end);
    text
}

fn hostile() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just(" with an explicit deny in a service control policy".to_owned()),
        Just(" because no identity-based policy allows the s3:GetObject action".to_owned()),
        Just(": arn:aws:organizations::1:policy/o-a/service_control_policy/p-1".to_owned()),
        Just(" Encoded authorization failure message: ".to_owned()),
        Just(" on resource: ".to_owned()),
        Just(" on resource: arn:aws:ec2:eu-central-1:1:instance/*".to_owned()),
        Just("User: arn:aws:iam::1:user/a is not authorized to perform: ".to_owned()),
        "[a-z .:/]{0,12}",
        Just("x".repeat(400)),
    ];
    prop::collection::vec(part, 0..6).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    /// Whatever an object is called, and wherever the message is cut: the true cause, or none. With the request at hand,
    /// and without it.
    #[test]
    fn never_wrongly_attributed(
        key in hostile(), policy in 0..TYPES.len(), explicit in any::<bool>(), stated in any::<bool>(), shown in any::<bool>(),
    ) {
        let truth = stated.then(|| (TYPES[policy].1, explicit));
        let message = sentence(&format!("arn:aws:s3:::bucket/{key}"), truth);
        let asked = if shown { json!({"bucketName": "bucket", "key": key}) } else { json!(null) };
        if let Some(found) = of(&message, &asked) {
            prop_assert_eq!(Some((found.policy, found.explicit)), truth, "{}", message);
            prop_assert_eq!(found.arn, None, "{}", message);
        }
    }

    /// The same of what isn't S3's, where AWS says a cause: without the request.
    #[test]
    fn a_name_hides_no_true_cause(name in hostile(), policy in 0..TYPES.len(), explicit in any::<bool>()) {
        let truth = (TYPES[policy].1, explicit);
        let message = sentence(&format!("arn:aws:x:eu-central-1:1:thing/{name}"), Some(truth));
        if let Some(found) = of(&message, &json!(null)) {
            prop_assert_eq!((found.policy, found.explicit, found.arn), (truth.0, truth.1, None), "{}", message);
        }
    }
}

#[test]
fn a_cause_that_a_name_holds_before_the_true_one_is_none() {
    let name = "x with an explicit deny in a service control policy Encoded authorization failure message: ";
    let message =
        sentence(&format!("arn:aws:x:eu-central-1:1:thing/{name}"), Some((PolicyType::Identity, false)));
    assert_eq!(of(&message, &json!(null)), None);
}
