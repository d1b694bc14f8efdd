use handsoff_core::detector::Related;
use handsoff_testing::fault_injection::{FaultInjection, LEASE, deliver, run, told};
use handsoff_testing::in_memory::InMemory;
use proptest::prelude::*;

use super::*;
use crate::live::PipelineFunction;

/// A user of Identity Center in a session of this role.
fn of(role: &str, user: &str) -> String {
    session(&format!("AWSReservedSSO_{role}_0123456789abcdef"), user).to_string()
}

fn call(n: usize, minute: usize, who: &str, action: &str, rest: &str) -> String {
    record(action, who).id(n).at(format!("2026-03-14T02:{minute:02}:00Z")).with(rest).to_string()
}

fn starts(n: usize, minute: usize, who: &str) -> String {
    let rest = r#","requestParameters":{"name":"orders"},"responseElements":{"pipelineExecutionId":"e"}"#;
    call(n, minute, who, "codepipeline:StartPipelineExecution", rest)
}

fn answers(n: usize, minute: usize, who: &str, status: &str) -> String {
    let rest = format!(
        r#","requestParameters":{{"pipelineName":"orders","stageName":"Production","actionName":"a","token":"t",
        "result":{{"status":"{status}","summary":"s"}}}}"#
    );
    call(n, minute, who, "codepipeline:PutApprovalResult", &rest)
}

fn requests(n: usize, minute: usize, who: &str) -> String {
    let rest =
        r#","requestParameters":{"title":"t"},"responseElements":{"pullRequest":{"pullRequestId":"7"}}"#;
    call(n, minute, who, "codecommit:CreatePullRequest", rest)
}

fn reviews(n: usize, minute: usize, who: &str, state: &str) -> String {
    let rest =
        format!(r#","requestParameters":{{"pullRequestId":"7","revisionId":"r","approvalState":"{state}"}}"#);
    call(n, minute, who, "codecommit:UpdatePullRequestApprovalState", &rest)
}

fn related(records: &[String]) -> Vec<Related> {
    let policy = Policy::parse("p", POLICY).unwrap();
    let of = |json: &String| classified(json, &policy, |_, call| Pipeline.relates(call, &policy).pop());
    records.iter().filter_map(of).collect()
}

/// The events that are self-approved.
fn found(records: &[String]) -> Vec<String> {
    let findings = Pipeline.join(related(records), &Policy::built_in());
    assert!(findings.iter().all(|it| (it.code, it.severity) == (codes::SELF_APPROVAL, Severity::High)));
    findings.into_iter().map(|it| it.event_id).collect()
}

#[test]
fn a_person_approves_what_they_started_with_whatever_role() {
    let (one, other) = (of("Release", "Jana@example.com"), of("Admin", "jana@example.com"));
    assert_eq!(found(&[starts(1, 1, &one), answers(2, 9, &other, "Approved")]), ["2"]);
    assert_eq!(found(&[requests(1, 1, &one), reviews(2, 9, &other, "APPROVE")]), ["2"]);
    let source = |name: &str| {
        session("ops", name)
            .to_string()
            .replace("\"sessionContext\":{", "\"sessionContext\":{\"sourceIdentity\":\"jana@example.com\",")
    };
    assert_eq!(found(&[starts(1, 1, &source("a")), answers(2, 9, &source("b"), "Approved")]), ["2"]);
    assert_eq!(found(&[starts(1, 1, &user("jana")), answers(2, 9, &user("jana"), "Approved")]), ["2"]);
}

#[test]
fn somebody_else_approves_and_a_rejection_approves_nothing() {
    let (jana, milo) = (of("Release", "jana@example.com"), of("Release", "milo@example.com"));
    let none: [&str; 0] = [];
    assert_eq!(found(&[starts(1, 1, &jana), answers(2, 9, &milo, "Approved")]), none);
    assert_eq!(found(&[starts(1, 1, &jana), answers(2, 9, &jana, "Rejected")]), none);
    assert_eq!(found(&[requests(1, 1, &jana), reviews(2, 9, &jana, "REVOKE")]), none);
    // The last start counts, and only one before the approval.
    assert_eq!(found(&[starts(1, 1, &jana), starts(2, 5, &milo), answers(3, 9, &jana, "Approved")]), none);
    assert_eq!(found(&[answers(1, 1, &jana, "Approved"), starts(2, 9, &jana)]), none);
    // Another Region's pipeline of that name is another one.
    let other = starts(1, 1, &jana).replace("eu-central-1", "eu-west-1");
    assert_eq!(found(&[other, answers(2, 9, &jana, "Approved")]), none);
}

#[test]
fn a_sessions_name_makes_nobody_the_same_person() {
    let began = |when: &str| session("ops", "jana@example.com").began(when).to_string();
    let (one, other) = (began("2026-03-14T01:00:00Z"), began("2026-03-14T01:30:00Z"));
    let none: [&str; 0] = [];
    assert_eq!(found(&[starts(1, 1, &one), answers(2, 9, &other, "Approved")]), none);
    // But the session itself is.
    assert_eq!(found(&[starts(1, 1, &one), answers(2, 9, &one, "Approved")]), ["2"]);
}

#[test]
fn a_deploy_role_that_approves_is_reported_at_once() {
    let json = answers(1, 1, &deploy(), "Approved");
    let policy = Policy::parse("p", POLICY).unwrap();
    let by = |json: &str| {
        classified(json, &policy, |record, call| {
            assert!(handsoff_functions::engine(&policy).fast_path().disposition(record).is_none());
            handsoff_functions::engine(&policy).judge(call, &mut Trace::off()).finding().map(|it| it.code)
        })
    };
    assert_eq!(by(&json), Some(codes::SELF_APPROVAL));
    assert_eq!(by(&answers(1, 1, &deploy(), "Rejected")), None);
}

/// What is kept of the samples: a start, and an approval of it.
fn both() -> [String; 2] {
    let (release, admin) = (of("Release", "jana@example.com"), of("Admin", "jana@example.com"));
    [starts(1, 1, &release), answers(2, 9, &admin, "Approved")]
}

/// The alerts that the function sends, if it gets each of these records by itself.
fn sent(records: &[&String]) -> Vec<String> {
    let policy = Policy::parse("p", POLICY).unwrap();
    let world = InMemory::default();
    let faulty = FaultInjection::new(&world);
    let function = PipelineFunction::new(handsoff_functions::engine(&policy), LEASE);
    for record in records {
        run(&faulty, deliver(&faulty, &function, &[record.as_str()])).unwrap();
    }
    let told = told(&world);
    assert!(told.values().all(|times| *times == 1), "{told:?}");
    told.into_keys().collect()
}

#[test]
fn the_function_finds_it_whichever_record_comes_first_and_tells_it_once() {
    let [start, approval] = both();
    let once = sent(&[&start, &approval]);
    assert!(once.iter().any(|told| told.ends_with(" self-approval:1")), "{once:?}");
    for order in [vec![&approval, &start], vec![&start, &approval, &start, &approval, &approval]] {
        assert_eq!(sent(&order), once);
    }
    assert!(sent(&[&start]).is_empty() && sent(&[&approval]).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn order_and_repeats_make_no_difference(
        calls in prop::collection::vec((0_usize..50, 0_usize..3, any::<bool>()), 0..20),
        swaps in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..30),
    ) {
        let people = ["a", "b", "c"].map(|name| of("Release", name));
        let make = |(n, (minute, who, start)): (usize, &(usize, usize, bool))| match start {
            true => starts(n, *minute, &people[*who]),
            false => answers(n, *minute, &people[*who], "Approved"),
        };
        let mut records: Vec<String> = calls.iter().enumerate().map(make).collect();
        let once = found(&records);
        records.extend(records.clone());
        for (a, b) in swaps {
            if !records.is_empty() {
                let (a, b) = (a.index(records.len()), b.index(records.len()));
                records.swap(a, b);
            }
        }
        prop_assert_eq!(found(&records), once);
    }
}
