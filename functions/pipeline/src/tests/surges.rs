use handsoff_cloudtrail::json::Raw;
use handsoff_core::detector::{Related, ServiceEvent};
use handsoff_runtime::{Envelope, Function};
use handsoff_testing::fault_injection::LEASE;
use proptest::prelude::*;

use super::*;
use crate::live::PipelineFunction;

/// So many builds of a project in an hour of a day of April.
fn builds(many: usize, day: usize, hour: usize) -> Vec<Related> {
    let policy = Policy::parse("p", POLICY).unwrap();
    let one = |n: usize| {
        let time = format!("2026-04-{day:02}T{hour:02}:{:02}:{:02}Z", n / 60 % 60, n % 60);
        let rest = r#","requestParameters":{"projectName":"orders"}"#;
        let who = session("deploy", &format!("run-{n}"));
        let json = record("codebuild:StartBuild", who)
            .id(format!("{day}-{hour}-{n}"))
            .at(time)
            .with(rest)
            .to_string();
        classified(&json, &policy, |_, call| Pipeline.relates(call, &policy).pop()).unwrap()
    };
    (0..many).map(one).collect()
}

fn event(kind: &str, time: &str, detail: &str) -> Option<Related> {
    let (detail, _) = Raw::at(detail, 0).unwrap();
    let event = ServiceEvent { kind, account: "111122223333", time, detail };
    Pipeline.relates_event(&event, &Policy::built_in())
}

/// So many builds that ended so in one hour of a day.
fn ended(many: usize, day: usize, status: &str, phases: &str) -> Vec<Related> {
    let one = |n: usize| {
        let detail = format!(
            r#"{{"build-status":"{status}","project-name":"orders","additional-information":{{"phases":{phases}}},
            "build-id":"arn:aws:codebuild:eu-central-1:111122223333:build/orders:{day}-{n}-{status}"}}"#
        );
        let time = format!("2026-04-{day:02}T03:{:02}:{:02}Z", n / 60 % 60, n % 60);
        event("CodeBuild Build State Change", &time, &detail).unwrap()
    };
    (0..many).map(one).collect()
}

fn found(related: &[&[Related]]) -> Vec<(&'static str, Severity)> {
    let findings = Pipeline.join(related.concat(), &Policy::built_in());
    findings.iter().map(|it| (it.code.as_str(), it.severity)).collect()
}

fn one(code: Code, severity: Severity) -> Vec<(&'static str, Severity)> {
    vec![(code.as_str(), severity)]
}

#[test]
fn many_builds_are_a_surge_against_the_days_before() {
    let surge = one(codes::BUILD_SURGE, Severity::Medium);
    assert_eq!(found(&[&builds(2, 6, 3), &builds(50, 7, 3)]), surge);
    assert_eq!(found(&[&builds(2, 6, 3), &builds(49, 7, 3)]), []);
    // Five times the busiest hour, of the last two weeks and of no hour of the day itself.
    assert_eq!(found(&[&builds(12, 6, 3), &builds(59, 7, 3)]), []);
    assert_eq!(found(&[&builds(12, 6, 3), &builds(60, 7, 3)]), surge);
    assert_eq!(found(&[&builds(12, 1, 3), &builds(2, 15, 3), &builds(50, 16, 3)]), surge);
    assert_eq!(found(&[&builds(1, 6, 3), &builds(40, 7, 2), &builds(49, 7, 3)]), []);
    // Where nothing is known of it, only very many.
    assert_eq!(found(&[&builds(199, 7, 3)]), []);
    assert_eq!(found(&[&builds(200, 7, 3)]), surge);
}

#[test]
fn a_surge_is_one_finding_an_hour_of_all_callers() {
    let surges =
        Pipeline.join([builds(1, 6, 3), builds(400, 7, 3), builds(60, 7, 5)].concat(), &Policy::built_in());
    assert_eq!(surges.len(), 2);
    assert_eq!(surges[0].incident, surges[1].incident, "of the day");
    assert_eq!(surges[0].event_time.as_deref(), Some("2026-04-07T03:00:00Z"));
    assert_eq!(surges[0].known.unwrap().to_string(), "2026-04-07T03:00:49Z", "with the fiftieth");
    assert!(surges[0].reason.contains("`orders`"), "{}", surges[0].reason);
}

#[test]
fn failed_builds_are_a_surge_from_ten_and_half_of_all_on() {
    let surge = one(codes::BUILD_FAILURE_SURGE, Severity::Low);
    let failed = |many| ended(many, 9, "FAILED", "[]");
    assert_eq!(found(&[&failed(10), &ended(10, 9, "SUCCEEDED", "[]")]), surge);
    assert_eq!(found(&[&failed(10), &ended(11, 9, "SUCCEEDED", "[]")]), []);
    assert_eq!(found(&[&failed(9)]), []);
    assert_eq!(found(&[&ended(8, 8, "FAILED", "[]"), &failed(15)]), []);
    assert_eq!(found(&[&ended(8, 8, "FAILED", "[]"), &failed(16)]), surge);
}

#[test]
fn builds_that_time_out_are_known_by_their_phases_too() {
    let surge = one(codes::BUILD_TIMEOUT_SURGE, Severity::Medium);
    let phases = r#"[{"phase-type":"BUILD","phase-status":"TIMED_OUT"}]"#;
    assert_eq!(found(&[&ended(5, 9, "FAILED", phases)]), surge);
    assert_eq!(found(&[&ended(5, 9, "TIMED_OUT", "[]")]), surge);
    assert_eq!(found(&[&ended(4, 9, "TIMED_OUT", "[]")]), []);
}

#[test]
fn failed_deployments_are_a_surge_of_their_pipeline_application_or_stack() {
    let surge = one(codes::DEPLOY_FAILURE_SURGE, Severity::Medium);
    let five = |kind: &str, detail: &str| -> Vec<Related> {
        let one =
            |n: usize| event(kind, &format!("2026-04-09T03:0{n}:00Z"), &detail.replace('@', &n.to_string()));
        (0..5).filter_map(one).collect()
    };
    let stack = r#"{"stack-id":"arn:aws:cloudformation:eu-central-1:1:stack/s/u","status-details":{"status":"STATUS"}}"#;
    for (kind, detail) in [
        (
            "CodePipeline Pipeline Execution State Change",
            r#"{"pipeline":"p","execution-id":"@","state":"FAILED"}"#,
        ),
        (
            "CodeDeploy Deployment State-change Notification",
            r#"{"application":"a","deploymentId":"d-@","deploymentGroup":"g","state":"FAILURE","region":"eu-central-1"}"#,
        ),
        ("CloudFormation Stack Status Change", &stack.replace("STATUS", "UPDATE_ROLLBACK_COMPLETE")),
        ("CloudFormation Stack Status Change", &stack.replace("STATUS", "ROLLBACK_COMPLETE")),
    ] {
        let failed = five(kind, detail);
        assert_eq!(found(&[&failed]), surge, "{kind}");
        assert_eq!(found(&[&failed[1..]]), [], "{kind}");
        assert_eq!(found(&[&failed[1..], &failed[1..]]), [], "{kind}: repeats");
    }
    assert!(
        five("CloudFormation Stack Status Change", &stack.replace("STATUS", "UPDATE_IN_PROGRESS")).is_empty()
    );
    assert!(five("EC2 Instance State-change Notification", r#"{"state":"running"}"#).is_empty());
}

#[test]
fn the_function_takes_the_events_and_leaves_others() {
    let policy = Policy::built_in();
    let function = PipelineFunction::new(handsoff_functions::engine(&policy), LEASE);
    let other = |kind| {
        let envelope =
            Envelope { kind, account: "111122223333", time: "2026-04-09T03:00:00Z", ..Envelope::default() };
        function.other(envelope, r#"{"build-status":"FAILED","project-name":"p","build-id":"b"}"#).is_some()
    };
    assert!(other("CodeBuild Build State Change"));
    assert!(!other("CodeBuild Build Phase Change") && !other("AWS API Call via CloudTrail"));
}

#[test]
fn a_build_that_is_retried_is_its_projects() {
    let policy = Policy::built_in();
    let group = |action: &str, asked: &str| {
        let json = record(action, deploy()).with(&format!(r#","requestParameters":{asked}"#)).to_string();
        classified(&json, &policy, |_, call| Pipeline.relates(call, &policy).pop().map(|it| it.group))
    };
    let own = group("codebuild:StartBuild", r#"{"projectName":"orders"}"#);
    assert!(own.is_some());
    assert_eq!(group("codebuild:RetryBuild", r#"{"id":"orders:5f0d"}"#), own);
    let arn = r#"{"id":"arn:aws:codebuild:eu-central-1:111122223333:build/orders:5f0d"}"#;
    assert_eq!(group("codebuild:RetryBuild", arn), own);
    assert_ne!(group("codebuild:StartBuild", r#"{"projectName":"other"}"#), own);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn order_and_repeats_make_no_difference_to_a_surge(
        many in 45_usize..60,
        swaps in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..60),
    ) {
        let mut related = [builds(2, 6, 3), builds(many, 7, 3)].concat();
        let once = Pipeline.join(related.clone(), &Policy::built_in());
        prop_assert_eq!(once.len(), usize::from(many >= 50));
        related.extend(related.clone());
        for (a, b) in swaps {
            let (a, b) = (a.index(related.len()), b.index(related.len()));
            related.swap(a, b);
        }
        prop_assert_eq!(Pipeline.join(related, &Policy::built_in()), once);
    }
}
