//! Images that `[images]` doesn't approve.

use super::*;

const IMAGES: &str = r#"[images]
approved = ["ami-0aaaabbbbccccdddd", "ssm:/aws/service/ami-amazon-linux-latest/*"]
"#;
const GOOD: &str = "ami-0aaaabbbbccccdddd";
const BAD: &str = "ami-0ffffeeeeddddcccc";
const LATEST: &str = "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023";

const SCALING: &str = r#"{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForAutoScaling/AutoScaling",
  "accountId":"111122223333","sessionContext":{"sessionIssuer":{"type":"Role","userName":"AWSServiceRoleForAutoScaling",
  "arn":"arn:aws:iam::111122223333:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"}},
  "invokedBy":"autoscaling.amazonaws.com"}"#;

fn says(who: &str, action: &str, parts: &str) -> Result<(Code, Severity), String> {
    verdict_by(&format!("{POLICY}{IMAGES}"), who, action, &format!(",{parts}"))
        .map(|finding| (finding.code, finding.severity))
}

fn set(image: &str) -> String {
    format!(r#"{{"instancesSet":{{"items":[{{"imageId":"{image}"}}]}}}}"#)
}

/// The request and answer of `RunInstances`.
fn run(asked: Option<&str>, launched: Option<&str>) -> String {
    let set = |image: Option<&str>| image.map_or_else(|| "{}".to_owned(), set);
    format!(r#""requestParameters":{},"responseElements":{}"#, set(asked), set(launched))
}

#[test]
fn an_image_that_is_not_approved_is_reported_by_any_caller() {
    let parts = run(None, Some(BAD));
    let found = |severity| Ok((codes::IMAGE_NOT_APPROVED, severity));
    for (who, severity) in [
        (ALICE.to_owned(), Severity::High),
        (role("nobody-knows", "s"), Severity::High),
        (role("deploy", "run-1"), Severity::Medium),
        (role("app", "s"), Severity::Medium),
        (SCALING.to_owned(), Severity::Medium),
    ] {
        assert_eq!(says(&who, "ec2:RunInstances", &parts), found(severity), "{who}");
        let good = says(&who, "ec2:RunInstances", &run(None, Some(GOOD)));
        assert_ne!(good, found(severity), "{who}");
        // The policy has to ask for it.
        let without = verdict(&who, "ec2:RunInstances", &format!(",{parts}"));
        assert!(without.is_ok_and(|it| it.code != codes::IMAGE_NOT_APPROVED) || who != ALICE, "{who}");
    }
    assert_eq!(says(SCALING, "ec2:RunInstances", &run(None, Some(GOOD))), Err("service".to_owned()));
    assert_eq!(says(SCALING, "ec2:RunInstances", &run(None, None)), Err("service".to_owned()));
    let failed = format!(r#"{parts},"errorCode":"Client.InsufficientInstanceCapacity""#);
    assert_eq!(says(&role("deploy", "run-1"), "ec2:RunInstances", &failed), Err("attempt".to_owned()));
    // Where the calls of the pipeline are looked at for nothing else.
    let plain = POLICY.replace("networks = [\"192.0.2.0/24\"]", "");
    let pipeline = role("deploy", "run-1");
    let finding =
        verdict_by(&format!("{plain}{IMAGES}"), &pipeline, "ec2:RunInstances", &format!(",{parts}")).unwrap();
    assert_eq!(finding.code, codes::IMAGE_NOT_APPROVED);
    let exception = POLICY.replace("glue:StartJobRun", "ec2:RunInstances").replace("Data", "Admin");
    let finding =
        verdict_by(&format!("{exception}{IMAGES}"), ALICE, "ec2:RunInstances", &format!(",{parts}")).unwrap();
    assert_eq!(finding.code, codes::IMAGE_NOT_APPROVED, "no exception is for an image");
    let (line, _) = finding.reason.split_once(" [images]").unwrap();
    assert!(line.starts_with("A person launched an image that handsoff.toml:"), "{}", finding.reason);
    assert_eq!(finding.resources.first().unwrap(), BAD);
}

#[test]
fn what_is_launched_counts_and_not_what_the_request_says_of_it() {
    let bad = Ok((codes::IMAGE_NOT_APPROVED, Severity::Medium));
    let expected = Err("expected".to_owned());
    for (asked, launched, wanted) in [
        (Some(GOOD), Some(GOOD), &expected),
        (Some(GOOD), None, &expected),
        (Some(BAD), None, &bad),
        (Some(GOOD), Some(BAD), &bad),
        // AWS resolves a parameter, and its answer has the ID.
        (Some(LATEST), Some(BAD), &expected),
        (Some(LATEST), None, &expected),
        (Some("resolve:ssm:/mine"), Some(BAD), &bad),
        (Some("resolve:ssm:/mine"), Some(GOOD), &expected),
        (Some("resolve:ssm:/mine"), None, &bad),
        (None, None, &expected),
    ] {
        let says = says(&role("deploy", "run-1"), "ec2:RunInstances", &run(asked, launched));
        assert_eq!(&says, wanted, "{asked:?} {launched:?}");
    }
    // A name that only looks like the place of one.
    let decoy = format!(
        r#""requestParameters":{{"instancesSet":{{"items":[{{"minCount":1}}]}},"imageId":"{LATEST}"}},"responseElements":{}"#,
        set(BAD)
    );
    assert_eq!(says(&role("deploy", "run-1"), "ec2:RunInstances", &decoy), bad);
}

#[test]
fn what_prepares_a_launch_is_read_in_every_form() {
    for (action, asked) in [
        (
            "ec2:CreateLaunchTemplate",
            r#"{"CreateLaunchTemplateRequest":{"LaunchTemplateData":{"ImageId":"IMAGE"}}}"#,
        ),
        (
            "ec2:CreateLaunchTemplateVersion",
            r#"{"CreateLaunchTemplateVersionRequest":{"LaunchTemplateData":{"ImageId":{"tag":1,"content":"IMAGE"}}}}"#,
        ),
        (
            "ec2:CreateFleet",
            r#"{"CreateFleetRequest":{"LaunchTemplateConfigs":{"Overrides":[{"ImageId":"ami-0aaaabbbbccccdddd"},{"ImageId":"IMAGE"}]}}}"#,
        ),
        ("ec2:RequestSpotInstances", r#"{"launchSpecification":{"imageId":"IMAGE"}}"#),
        (
            "ec2:RequestSpotFleet",
            r#"{"spotFleetRequestConfig":{"launchSpecifications":[{"imageId":"IMAGE"}]}}"#,
        ),
        ("ec2:CreateReplaceRootVolumeTask", r#"{"CreateReplaceRootVolumeTaskRequest":{"ImageId":"IMAGE"}}"#),
        ("autoscaling:CreateLaunchConfiguration", r#"{"imageId":"IMAGE"}"#),
        (
            "batch:CreateComputeEnvironment",
            r#"{"computeResources":{"ec2Configuration":[{"imageIdOverride":"IMAGE"}]}}"#,
        ),
    ] {
        for who in [role("deploy", "run-1"), role("app", "s")] {
            let of = |image: &str| {
                says(&who, action, &format!(r#""requestParameters":{}"#, asked.replace("IMAGE", image)))
            };
            assert_eq!(of(BAD), Ok((codes::IMAGE_NOT_APPROVED, Severity::Medium)), "{action} {who}");
            for image in [GOOD, LATEST] {
                assert_ne!(of(image).map(|it| it.0), Ok(codes::IMAGE_NOT_APPROVED), "{action} {who}");
            }
        }
    }
    // No rule lets these of services through: what they launch has a record of its own.
    let template = format!(r#""requestParameters":{{"LaunchTemplateData":{{"ImageId":"{BAD}"}}}}"#);
    assert_eq!(says(SCALING, "ec2:CreateLaunchTemplate", &template), Err("service".to_owned()));
}

/// Repeats are known by the first resource: a second image next to one that is known isn't.
#[test]
fn the_first_resource_names_all_images_that_are_not_approved() {
    let of = |images: &[&str]| {
        let items: Vec<String> = images.iter().map(|image| format!(r#"{{"ImageId":"{image}"}}"#)).collect();
        let rest = format!(r#","requestParameters":{{"Overrides":[{}]}}"#, items.join(","));
        verdict_by(&format!("{POLICY}{IMAGES}"), ALICE, "ec2:CreateFleet", &rest).unwrap()
    };
    let first = |images: &[&str]| of(images).resources.first().cloned().unwrap();
    assert_eq!(first(&[BAD, GOOD, BAD]), BAD);
    assert_eq!(first(&["ami-2", "ami-1"]), "ami-1, ami-2");
    assert_eq!(first(&["ami-2", "ami-1"]), first(&["ami-1", "ami-2"]));
    // Repeats are known of an incident as a whole.
    assert_ne!(of(&[BAD]).incident, of(&["ami-1"]).incident);
    assert_ne!(of(&[BAD]).incident, verdict(ALICE, "ec2:StopInstances", "").unwrap().incident);
    assert_eq!(of(&[BAD]).incident, of(&[GOOD, BAD]).incident);
    let reason = of(&["ami-1", "ami-2", "ami-3", "ami-4", "ami-5"]).reason;
    assert!(reason.ends_with("`ami-1`, `ami-2`, `ami-3` and 2 more."), "{reason}");
    let hostile = of(&["ami-1\\u001b[2J", "x"]).reason;
    assert!(!hostile.contains('\u{1b}'), "{hostile}");
}

/// What becomes of a person's instance is followed; the pipeline's is as it should be, and a workload's are its own.
#[test]
fn the_ledger_follows_what_a_person_launched() {
    let answer = format!(
        r#","responseElements":{{"instancesSet":{{"items":[{{"instanceId":"i-1","imageId":"{BAD}"}}]}}}}"#
    );
    let policy = Policy::parse("p", &format!("{POLICY}{IMAGES}")).unwrap();
    let observed = |who: &str| {
        let json = record("ec2:RunInstances", who).at("2026-03-01T09:00:00Z").with(&answer).to_string();
        classified(&json, &policy, |_, call| {
            let verdict = handsoff_functions::engine(&policy).judge(call, &mut Trace::off());
            assert_eq!(verdict.finding().unwrap().code, codes::IMAGE_NOT_APPROVED);
            let observations = handsoff_ledger::of(call, &policy, &verdict).observations;
            let what = observations.iter().map(|it| serde_json::to_value(&it.what).unwrap()["what"].clone());
            what.map(|what| what.as_str().unwrap().to_owned()).collect::<Vec<_>>()
        })
    };
    assert_eq!(observed(ALICE), ["hand"]);
    assert_eq!(observed(&role("nobody-knows", "s")), ["hand"]);
    assert_eq!(observed(&role("deploy", "run-1")), ["deploy"]);
    assert_eq!(observed(&role("app", "s")), [""; 0]);
    assert_eq!(observed(SCALING), [""; 0]);
}
