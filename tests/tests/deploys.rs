//! Deploys by the pipelines of the sample policies lead to no finding and no message; the same with one thing wrong are reported
//! every time.
//!
//! ```console
//! HANDSOFF_DEPLOYS=100000 cargo test --release -p handsoff-tests --test deploys -- --nocapture
//! ```

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use handsoff_cloudtrail::{Entry, Record};
use handsoff_core::origins::Origins;
use handsoff_core::{Engine, Finding, Kind, Policy, Target, Trace, Verdict};
use handsoff_drift::codes::{DEPLOY_OUT_OF_BOUNDS, DEPLOY_ROLE_MISUSED, DEPLOY_UNPROVEN};
use handsoff_tests::deploys::{Deploy, ROLES, Role, Wrong, deploy, runner};
use handsoff_tests::{drift, replay, root};

/// So many of one policy are replayed at once.
const AT_ONCE: u64 = 500;

/// How many deploys there are in all.
fn total() -> u64 {
    std::env::var("HANDSOFF_DEPLOYS").map_or(2_000, |count| count.parse().unwrap())
}

fn samples() -> PathBuf {
    root().join("docs/policies")
}

fn policy(name: &str) -> Policy {
    let text = std::fs::read_to_string(samples().join(format!("{name}.toml"))).unwrap();
    Policy::parse(name, &text).unwrap()
}

/// The roles of each sample policy.
fn pipelines() -> BTreeMap<&'static str, Vec<&'static Role>> {
    let mut pipelines: BTreeMap<&str, Vec<&Role>> = BTreeMap::new();
    for role in ROLES {
        pipelines.entry(role.policy).or_default().push(role);
    }
    pipelines
}

/// How many deploys there are of each policy.
fn each() -> u64 {
    total().div_ceil(pipelines().len() as u64)
}

/// The role that a policy's deploy of this number is by.
fn of<'r>(roles: &[&'r Role], number: u64) -> &'r Role {
    roles[usize::try_from(number).unwrap() % roles.len()]
}

#[test]
fn each_sample_policy_has_deploys() {
    let file = |path: std::io::Result<std::fs::DirEntry>| path.unwrap().path();
    let files = std::fs::read_dir(samples()).unwrap().map(file);
    let names: BTreeSet<String> =
        files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    let generated: BTreeSet<String> = pipelines().into_keys().map(str::to_owned).collect();
    assert_eq!(names, generated);
    let page = std::fs::read_to_string(root().join("docs/policies.md")).unwrap();
    for name in &names {
        assert!(page.contains(&format!("(policies/{name}.toml)")), "docs/policies.md lacks {name}");
    }
    for (name, roles) in pipelines() {
        let policy = policy(name);
        let means = |entry: &handsoff_core::policy::Deploy, role: &Role| {
            let arn = format!("arn:aws:iam::111122223333:role/{}", role.name);
            entry.identity.matches(&arn, Some("111122223333"))
        };
        for entry in &policy.deploy {
            assert!(roles.iter().any(|role| means(entry, role)), "{}: no deploys of this entry", entry.line);
        }
    }
}

#[test]
fn a_deploy_leads_to_no_finding_and_no_message() {
    let (mut deploys, mut records) = (0, 0);
    for (name, roles) in pipelines() {
        let policy = policy(name);
        for first in (0..each()).step_by(usize::try_from(AT_ONCE).unwrap()) {
            let folder = tempfile::tempdir().unwrap();
            let log = folder.path().join("log.jsonl");
            let mut text = String::new();
            for number in first..each().min(first + AT_ONCE) {
                let deploy = deploy(of(&roles, number), number, None);
                for record in std::iter::once(&deploy.begin).chain(&deploy.calls) {
                    text.push_str(&record.replace('\n', " "));
                    text.push('\n');
                }
                deploys += 1;
            }
            std::fs::write(&log, &text).unwrap();
            let found = replay(&[log], &policy, 2);
            let first = found.findings.first();
            assert!(first.is_none(), "{name}: {} findings, {first:#?}", found.findings.len());
            assert!(found.verdicts.is_empty() && found.incidents.is_empty(), "{name}");
            assert!(found.alerts(&policy).is_empty(), "{name}");
            assert!(found.problems.is_empty(), "{name}: {:?}", found.problems);
            assert_eq!(found.counts.distinct, text.lines().count() as u64, "{name}");
            records += found.counts.distinct;
        }
    }
    println!("{deploys} deploys, {records} records: no finding, no message");
}

/// Those that delete something are left out: how much is deleted is read by itself.
fn batches(deploy: &Deploy) -> Vec<Vec<String>> {
    let deletes = |call: &&String| {
        !["Delete", "Terminate"].iter().any(|verb| call.contains(&format!(r#""eventName":"{verb}"#)))
    };
    let calls: Vec<String> = deploy.calls.iter().filter(deletes).cloned().collect();
    calls.chunks(4).map(<[String]>::to_vec).collect()
}

/// `Must hold`: proof costs at most one read of memory a deploy session, of each pipeline of the sample policies.
#[test]
fn proof_costs_at_most_one_read_a_deploy_session() {
    let mut read = BTreeMap::new();
    for role in ROLES {
        let policy = policy(role.policy);
        for number in 0..10 {
            let (deploy, world) = (deploy(role, number, None), drift::world_at("2026-03-10T02:01:00Z"));
            let (saw_it_begin, other) = (drift::function(&policy), drift::function(&policy));
            let began: Vec<String> = runner(role, number).into_iter().chain([deploy.begin.clone()]).collect();
            drift::bring(&world, &saw_it_begin, &began);
            for (process, who) in [(&saw_it_begin, "the same process"), (&other, "another process")] {
                let calls = batches(&deploy)
                    .iter()
                    .flat_map(|batch| drift::bring(&world, process, batch))
                    .collect::<Vec<_>>();
                let reads = calls.iter().filter(|name| name.contains("range")).count();
                let most: &mut usize = read.entry((role.policy, role.name, who)).or_default();
                *most = (*most).max(reads);
            }
        }
    }
    assert!(read.values().all(|reads| *reads <= 1), "{read:#?}");
    assert!(read.values().any(|reads| *reads == 1));
}

/// What is found in records, each by itself.
fn findings(engine: &Engine<'_>, records: &[&String]) -> Vec<Finding> {
    let mut found = Vec::new();
    for json in records {
        let Ok((Entry::Record(record), _)) = Record::read(json) else { panic!("no record: {json}") };
        let call = engine.classify(record, &Origins::default(), &mut Trace::off());
        if let Verdict::Finding(finding) = engine.judge(&call, &mut Trace::off()) {
            found.push(*finding);
        }
    }
    found
}

#[test]
fn a_deploy_with_one_thing_wrong_is_reported_every_time() {
    let mut reported: BTreeMap<String, u64> = BTreeMap::new();
    for (name, roles) in pipelines() {
        let policy = policy(name);
        let engine = handsoff_functions::engine(&policy);
        for number in 0..each() {
            let role = of(&roles, number);
            let place = usize::try_from(number).unwrap() / roles.len();
            let wrong = Wrong::ALL[place % Wrong::ALL.len()];
            let deploy = deploy(role, number, Some(wrong));
            let records: Vec<&String> = std::iter::once(&deploy.begin).chain(&deploy.calls).collect();
            let found = findings(&engine, &records);
            let ours = |it: &Finding| [DEPLOY_ROLE_MISUSED, DEPLOY_OUT_OF_BOUNDS].contains(&it.code);
            assert!(found.iter().any(ours), "{name} {} {number}: {wrong:?} isn't reported", role.name);
            *reported.entry(format!("{wrong:?}")).or_default() += 1;
        }
    }
    assert_eq!(reported.len(), Wrong::ALL.len(), "{reported:?}");
    println!("{} deploys with one thing wrong, all reported: {reported:?}", reported.values().sum::<u64>());
}

/// The same deploys, of which one begins unseen.
#[test]
fn a_deploy_whose_beginning_no_record_shows_is_reported() {
    let mut reported = 0;
    for (name, roles) in pipelines() {
        let policy = policy(name);
        let count = u64::try_from(roles.len()).unwrap() * 2;
        for unseen in roles.len()..roles.len() * 2 {
            let folder = tempfile::tempdir().unwrap();
            let log = folder.path().join("log.jsonl");
            let mut records = Vec::new();
            let mut changes = false;
            for number in 0..count {
                let role = of(&roles, number);
                let deploy = deploy(role, number, None);
                if number == u64::try_from(unseen).unwrap() {
                    let by_itself = |call: &String| !call.contains(r#""invokedBy""#);
                    changes = !role.writes.is_empty() && deploy.calls.iter().any(by_itself);
                } else {
                    records.push(deploy.begin);
                }
                records.extend(deploy.calls);
            }
            let records: Vec<String> = records.iter().map(|record| record.replace('\n', " ")).collect();
            std::fs::write(&log, records.join("\n")).unwrap();
            let found = replay(&[log], &policy, 1).findings;
            let codes: Vec<_> = found.iter().map(|it| it.code).collect();
            let expected = if changes { vec![DEPLOY_UNPROVEN] } else { vec![] };
            assert_eq!(codes, expected, "{name} {unseen}");
            reported += codes.len();
        }
    }
    assert!(reported > 8, "{reported}");
}

/// A record that means nobody would show nothing.
#[test]
fn all_calls_are_the_deploy_roles() {
    for role in ROLES {
        let policy = policy(role.policy);
        let engine = handsoff_functions::engine(&policy);
        let mut changes = 0;
        for number in 0..40 {
            let deploy = deploy(role, number, None);
            let asks = |json: &str| {
                let Ok((Entry::Record(record), _)) = Record::read(json) else { panic!("no record: {json}") };
                engine.classify(record, &Origins::default(), &mut Trace::off()).target
            };
            assert!(matches!(asks(&deploy.begin), Some(Target::Deploy(_))), "{}", deploy.begin);
            assert!((5..=40).contains(&deploy.calls.len()));
            for json in &deploy.calls {
                let Ok((Entry::Record(record), _)) = Record::read(json) else { panic!("no record: {json}") };
                let call = engine.classify(record, &Origins::default(), &mut Trace::off());
                assert_eq!(call.principal.kind, Kind::DeployRole, "{json}");
                changes += u32::from(call.effect == handsoff_cloudtrail::Effect::Changes);
            }
        }
        assert_eq!(changes > 0, !role.writes.is_empty(), "{}", role.name);
    }
}
