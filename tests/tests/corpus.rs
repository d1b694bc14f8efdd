//! The detectors over real records.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::missing_panics_doc,
    clippy::format_push_string,
    clippy::format_collect,
    reason = "a test may panic"
)]

use handsoff_core::Trace;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::PathBuf;

use handsoff::args::PolicyArgs;
use handsoff::explain::{self, Explaining};
use handsoff::input::find;
use handsoff::load;
use handsoff_cloudtrail::{Action, Effect, Identity, IdentityType, Record};
use handsoff_core::origins::Origins;
use handsoff_core::{Code, Finding, Key, Kind, Policy, Verdict};
use handsoff_tests::{busy_policy, corpus, each_record, replay};
use serde_json::Value;

fn deploy(pattern: &str) -> Policy {
    let args = PolicyArgs { deploy_role: vec![pattern.to_owned()], ..PolicyArgs::default() };
    load::policy(&args).unwrap()
}

fn ids(findings: &[Finding], codes: &[Code]) -> BTreeSet<String> {
    findings
        .iter()
        .filter(|finding| codes.contains(&finding.code))
        .map(|finding| finding.event_id.clone())
        .collect()
}

const CHANGES: [Code; 12] = [
    handsoff_drift::codes::DRIFT_WRITE,
    handsoff_drift::codes::INTERACTIVE_ACCESS,
    handsoff_drift::codes::LONG_LIVED_KEY,
    handsoff_drift::codes::GUARDRAIL_CHANGED,
    handsoff_drift::codes::TRUST_CHANGED,
    handsoff_drift::codes::FOREIGN_ACCESS,
    handsoff_drift::codes::WRITE_WITHOUT_MFA,
    handsoff_drift::codes::LOGIN_WITHOUT_MFA,
    handsoff_drift::codes::WORKLOAD_WRITE,
    handsoff_drift::codes::CONSOLE_SIGN_IN,
    handsoff_drift::codes::TRAIL_TAMPERED,
    handsoff_drift::codes::DEPLOY_ROLE_MISUSED,
];

#[test]
#[cfg_attr(not(corpus), ignore = "needs the corpus of real records")]
fn every_record_of_the_corpus_is_judged() {
    let data = corpus();
    let mut lines = 0;
    let mut files = Vec::new();
    for source in find(std::slice::from_ref(&data)).sources {
        let handsoff::input::Source::File(path, _) = source else { continue };
        if path.ends_with("records.jsonl") {
            lines += std::fs::read_to_string(&path).unwrap().lines().count() as u64;
            files.push(path);
        }
    }
    let outcome = replay(&files, &Policy::built_in(), 2);
    assert!(lines > 4000, "{lines}");
    assert_eq!(outcome.counts.read, lines);
    assert_eq!(outcome.counts.unreadable, 0, "{:?}", outcome.problems);
    println!("{lines} records judged");
}

#[test]
#[cfg_attr(not(corpus), ignore = "needs the corpus of real records")]
fn the_damaged_set_is_named_record_by_record() {
    let data = corpus();
    let outcome = replay(&[data.join("otrf-security-datasets")], &Policy::built_in(), 1);
    assert_eq!((outcome.counts.read, outcome.counts.unreadable, outcome.counts.odd), (103, 0, 103));
    let lines: BTreeSet<u64> =
        outcome.problems.first().map(|problem| problem.position.unwrap().line).collect();
    // Of those beyond a hundred the first is named.
    assert_eq!(lines, (1..=100).collect());
    let last = outcome.problems.lines().last().unwrap();
    assert!(last.contains(":101:") && last.ends_with("(and 2 more of this kind)"), "{last}");
    assert!(outcome.problems.first().all(|problem| problem.message.contains("no eventTime")));
}

/// A reading of the same records by another parser, and the plain words of the question: who changed what?
fn invictus_changes(data: &std::path::Path) -> BTreeMap<String, Value> {
    let text = std::fs::read_to_string(data.join("invictus-ir/records.jsonl")).unwrap();
    text.lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|r| r["readOnly"] == false && r["errorCode"].is_null() && r["eventType"] != "AwsServiceEvent")
        .filter(|r| r["eventName"] != "CheckMfa")
        .map(|r| (r["eventID"].as_str().unwrap().to_owned(), r))
        .collect()
}

fn is_service_made(record: &Value) -> bool {
    let issuer =
        record["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"].as_str().unwrap_or_default();
    record["userIdentity"]["type"] == "AWSService" || issuer.contains(":role/aws-service-role/")
}

#[test]
#[cfg_attr(not(corpus), ignore = "needs the corpus of real records")]
fn on_invictus_every_change_by_a_user_or_role_is_a_finding_and_no_service_made_one_is() {
    let data = corpus();
    let changes = invictus_changes(&data);
    let outcome = replay(&[data.join("invictus-ir/records.jsonl")], &Policy::built_in(), 1);
    let by_people: BTreeSet<String> =
        changes.iter().filter(|(_, r)| !is_service_made(r)).map(|(id, _)| id.clone()).collect();
    assert_eq!(by_people.len(), 435);
    // Attempts to attack logging are reported too, though they changed nothing.
    let told: BTreeSet<String> = outcome
        .findings
        .iter()
        .filter(|finding| CHANGES.contains(&finding.code) && finding.error.is_none())
        .map(|finding| finding.event_id.clone())
        .collect();
    assert_eq!(told, by_people);
    let workloads =
        outcome.findings.iter().filter(|finding| finding.code == handsoff_drift::codes::WORKLOAD_WRITE);
    for finding in workloads {
        assert!(
            finding.principal.kind == Kind::Workload && finding.action.starts_with("ssm:"),
            "{finding:?}"
        );
    }
    let updates: Vec<&Finding> =
        outcome.findings.iter().filter(|finding| finding.action == "ssm:UpdateInstanceInformation").collect();
    assert!(
        !updates.is_empty()
            && updates.iter().all(|finding| finding.code == handsoff_drift::codes::WORKLOAD_WRITE)
    );
}

#[test]
#[cfg_attr(not(corpus), ignore = "needs the corpus of real records")]
fn on_invictus_the_terraform_user_is_expected_and_only_the_others_are_left() {
    let data = corpus();
    let user = "arn:aws:iam::123837392027:user/bert-jan";
    for pattern in [user, "arn:aws:iam::*:user/bert-jan", "bert-jan"] {
        let outcome = replay(&[data.join("invictus-ir/records.jsonl")], &deploy(pattern), 1);
        let changes = invictus_changes(&data);
        let others: BTreeSet<String> = changes
            .iter()
            .filter(|(_, r)| !is_service_made(r) && r["userIdentity"]["arn"] != user)
            .map(|(id, _)| id.clone())
            .collect();
        let drift = ids(
            &outcome.findings,
            &[
                handsoff_drift::codes::DRIFT_WRITE,
                handsoff_drift::codes::INTERACTIVE_ACCESS,
                handsoff_drift::codes::LONG_LIVED_KEY,
                handsoff_drift::codes::GUARDRAIL_CHANGED,
                handsoff_drift::codes::TRUST_CHANGED,
                handsoff_drift::codes::FOREIGN_ACCESS,
                handsoff_drift::codes::WRITE_WITHOUT_MFA,
                handsoff_drift::codes::LOGIN_WITHOUT_MFA,
                handsoff_drift::codes::WORKLOAD_WRITE,
                handsoff_drift::codes::CONSOLE_SIGN_IN,
            ],
        );
        assert_eq!(drift, others);
        // What is still reported of the user is what no deploy role may do: the console, attacks on logging, new keys.
        let own: BTreeSet<Code> =
            outcome.findings.iter().filter(|f| f.principal.arn == user).map(|f| f.code).collect();
        assert_eq!(
            own,
            BTreeSet::from([
                handsoff_drift::codes::TRAIL_TAMPERED,
                handsoff_drift::codes::DEPLOY_ROLE_MISUSED,
                handsoff_drift::codes::DEPLOY_OUT_OF_BOUNDS,
            ])
        );
    }
}

#[test]
#[cfg_attr(not(corpus), ignore = "needs the corpus of real records")]
fn raw_files_and_records_give_the_same_findings() {
    let data = corpus();
    let policy = Policy::built_in();
    let one = replay(&[data.join("invictus-ir/records.jsonl")], &policy, 1);
    let raw = replay(&[data.join("invictus-ir/raw")], &policy, 3);
    assert!(one.findings.len() > 400);
    assert_eq!((&one.findings, &one.verdicts), (&raw.findings, &raw.verdicts));
    assert_eq!(one.counts, raw.counts);
    let both = replay(&[data.join("invictus-ir/records.jsonl"), data.join("invictus-ir/raw")], &policy, 2);
    assert_eq!(both.findings, one.findings);
    assert_eq!((both.counts.distinct, both.counts.read), (2900, 5800));
}

fn files_of_the_corpus() -> Vec<PathBuf> {
    let sources = find(&[corpus()]).sources;
    sources
        .into_iter()
        .filter_map(|source| match source {
            handsoff::input::Source::File(path, _) => Some(path),
            handsoff::input::Source::Stream(_) => None,
        })
        .collect()
}

#[test]
#[cfg_attr(not(corpus), ignore = "needs the corpus of real records")]
fn explain_and_replay_agree_on_every_record() {
    for policy in [Policy::built_in(), deploy("bert-jan"), busy_policy()] {
        let engine = handsoff_functions::engine(&policy);
        let mut compared = 0;
        for file in files_of_the_corpus() {
            let sources = find(std::slice::from_ref(&file)).sources;
            let explained = sources.iter().flat_map(|source| Explaining::of(source, &engine).explained);
            let explained = explain::resolve(explained.collect(), &engine);
            let outcome = replay(std::slice::from_ref(&file), &policy, 1);
            let told: HashMap<_, &Finding> = outcome.findings.iter().map(|it| (it.key, it)).collect();
            // Documentation gives two different records the same ID, time and action here and there: they are
            // one event then, and one of their two explanations is the one that is reported.
            let mut matched = BTreeMap::new();
            let mut together = HashSet::new();
            for one in explained {
                compared += 1;
                assert!(!one.steps.is_empty());
                let steps = one.steps.iter().filter(|step| step.what == "together");
                together.extend(steps.map(|step| step.found.clone()));
                // What only many calls show together has a key of its own.
                let key = one.verdict.finding().map_or(one.key, |finding| finding.key);
                let same = match (&one.verdict, told.get(&key)) {
                    (Verdict::Finding(finding), Some(told)) => **finding == **told,
                    (Verdict::Nothing(_) | Verdict::Excepted(_), None) => true,
                    (verdict, told) => panic!("{file:?} {}: {verdict:?}, but {told:?}", one.headline),
                };
                *matched.entry(key).or_insert(false) |= same;
            }
            assert!(matched.values().all(|same| *same), "{file:?}");
            let known = |(key, it): (&Key, &&Finding)| {
                matched.contains_key(key) || together.contains(&format!("{}: {}", it.code, it.reason))
            };
            assert!(told.iter().all(known), "{file:?}");
        }
        println!("{compared} records compared");
        assert!(compared > 4000);
    }
}

#[test]
#[cfg_attr(not(corpus), ignore = "needs the corpus of real records")]
fn what_is_skimmed_is_what_would_be_judged() {
    for policy in [Policy::built_in(), deploy("bert-jan"), busy_policy()] {
        let engine = handsoff_functions::engine(&policy);
        let mut fast_path = engine.fast_path();
        let (mut known, mut all) = (0, 0);
        each_record(&files_of_the_corpus(), &mut |record| {
            all += 1;
            if let Some(nothing) = fast_path.disposition(record) {
                known += 1;
                let call = engine.classify(*record, &Origins::default(), &mut Trace::off());
                match engine.judge(&call, &mut Trace::off()) {
                    Verdict::Nothing(judged) => assert_eq!(judged, nothing, "{}", record.text),
                    other => panic!("by the fast path {nothing}, but {other:?}"),
                }
            }
        });
        println!("{known} of {all} records by the fast path");
        assert!(known > 500, "so few that the test says little");
    }
}

/// The record as `serde_json` reads it, field by field.
#[test]
#[cfg_attr(not(corpus), ignore = "needs the corpus of real records")]
fn another_parser_reads_the_same_fields() {
    let mut compared = 0;
    each_record(&files_of_the_corpus(), &mut |record: &Record<'_>| {
        compared += 1;
        let value: Value = serde_json::from_str(record.text).unwrap();
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
            Value::Bool(flag) => Some(flag.to_string()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let flag = |value: &Value| match value {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) => text.to_ascii_lowercase().parse().ok(),
            _ => None,
        };
        assert_eq!(record.event_name.text().as_deref(), text(&value["eventName"]).as_deref());
        assert_eq!(record.user_agent.text().as_deref(), text(&value["userAgent"]).as_deref());
        assert_eq!(record.error_message.text().as_deref(), text(&value["errorMessage"]).as_deref());
        assert_eq!(record.read_only.flag(), flag(&value["readOnly"]));
        let (identity, id) = (Identity::read(record.user_identity), &value["userIdentity"]);
        let session = &id["sessionContext"];
        assert_eq!(identity.arn.as_deref(), text(&id["arn"]).as_deref());
        assert_eq!(identity.access_key_id.as_deref(), text(&id["accessKeyId"]).as_deref());
        assert_eq!(identity.invoked_by.as_deref(), text(&id["invokedBy"]).as_deref());
        assert_eq!(identity.issuer_arn.as_deref(), text(&session["sessionIssuer"]["arn"]).as_deref());
        assert_eq!(
            identity.creation_date.as_deref(),
            text(&session["attributes"]["creationDate"]).as_deref()
        );
        assert_eq!(identity.mfa_authenticated, flag(&session["attributes"]["mfaAuthenticated"]));
        assert_eq!(identity.kind == IdentityType::Root, id["type"] == "Root");
        let arn = text(&value["requestParameters"]["roleArn"]);
        assert!(arn.is_none() || record.assumed_role_arn().as_deref() == arn.as_deref());
    });
    println!("{compared} records compared");
    assert!(compared > 4000);
}

/// CloudTrail's `readOnly` is right for most; where our verdict differs, it is one of the known reasons.
#[test]
#[cfg_attr(not(corpus), ignore = "needs the corpus of real records")]
fn effects_differ_from_read_only_only_where_they_should() {
    let mut surprising = BTreeSet::new();
    let data = corpus();
    for set in ["invictus-ir", "traildiscover", "suzaku-test-json", "clickops-notifier"] {
        each_record(&[data.join(set).join("records.jsonl")], &mut |record| {
            let action = Action::of(record);
            let (effect, _) = action.effect(record.read_only.flag());
            let differs = match record.read_only.flag() {
                Some(true) => effect == Effect::Changes,
                Some(false) => {
                    effect == Effect::Reads && record.event_type.text().as_deref() != Some("AwsServiceEvent")
                }
                None => false,
            };
            if differs {
                surprising.insert(format!("{action} readOnly {}", record.read_only.as_str()));
            }
        });
    }
    let known = [
        "ec2:GetPasswordData readOnly true",
        "ses:SendEmail readOnly true",
        "sts:GetFederationToken readOnly false",
        "sts:GetSessionToken readOnly false",
    ];
    let unknown: Vec<&String> = surprising.iter().filter(|one| !known.contains(&one.as_str())).collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
}

/// Labels of another detector's tests: where it says that a successful write matters, we say something too.
#[test]
#[cfg_attr(not(corpus), ignore = "needs the corpus of real records")]
fn writes_that_another_detector_tells_are_reported_here() {
    let data = corpus();
    let text = std::fs::read_to_string(data.join("panther-tests.split-a-dev.jsonl")).unwrap();
    let (policy, mut compared, mut missed) = (Policy::built_in(), 0, Vec::new());
    let engine = handsoff_functions::engine(&policy);
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let log = &case["log"];
        if case["expected"] != true || !log["errorCode"].is_null() || log["eventSource"].is_null() {
            continue;
        }
        let log = log.to_string();
        let Ok((handsoff_cloudtrail::Entry::Record(record), _)) = Record::read(&log) else { continue };
        if Action::of(&record).effect(record.read_only.flag()).0 != Effect::Changes {
            continue;
        }
        compared += 1;
        let call = engine.classify(record, &Origins::default(), &mut Trace::off());
        if engine.judge(&call, &mut Trace::off()).finding().is_none() {
            missed.push(format!("{} {}", case["rule_id"], case["test_name"]));
        }
    }
    println!("{compared} cases compared");
    assert!(compared > 60 && missed.is_empty(), "{missed:#?}");
}
