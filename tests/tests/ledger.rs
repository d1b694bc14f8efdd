//! The drift ledger on real records.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may panic"
)]

use handsoff_core::Trace;
use std::collections::{BTreeMap, BTreeSet};

use handsoff_cloudtrail::{Effect, Record, Time};
use handsoff_core::{Call, Outcome, Policy};
use handsoff_ledger::{Ledger, State, Terms, changed, of};
use handsoff_tests::{corpus, each_record, root};
use serde_json::Value;

fn changes(record: &Record<'_>, policy: &Policy, each: &mut dyn FnMut(&Call<'_>)) {
    let call = Call::classify(*record, policy, &mut Trace::off());
    // What a service notes of its own doing is no call.
    if call.outcome == Outcome::Succeeded && call.effect == Effect::Changes && !record.is_nobodys() {
        each(&call);
    }
}

/// Of each change the resource is one that the record names, or it is unknown; and most are known.
#[test]
#[cfg_attr(not(corpus), ignore = "needs the corpus of real records")]
fn of_most_changes_of_real_records_the_resource_is_known_and_stands_in_the_record() {
    let (data, policy) = (corpus(), Policy::built_in());
    let (mut total, mut known) = (0, 0);
    let mut unknown: BTreeMap<String, usize> = BTreeMap::new();
    let folders = ["invictus-ir", "traildiscover", "grycap", "flaws-cloud-umccr", "suzaku-test-json"];
    let files: Vec<_> = folders.iter().map(|folder| data.join(folder).join("records.jsonl")).collect();
    each_record(&files, &mut |record| {
        changes(record, &policy, &mut |call| {
            total += 1;
            let found = changed(call);
            if found.is_empty() {
                *unknown.entry(call.action.to_string()).or_default() += 1;
                return;
            }
            known += 1;
            for (_, resource) in found {
                let last = resource.name.rsplit('/').next().unwrap();
                let text = record.text.replace("\\/", "/");
                assert!(
                    text.to_ascii_lowercase().contains(&last.to_ascii_lowercase()),
                    "{} names no {resource}",
                    call.action
                );
            }
        });
    });
    println!("{known} of {total}; unknown: {unknown:?}");
    assert!(total > 450, "hardly anything was looked at: {total}");
    assert!(known * 100 > total * 85, "{known} of {total}");
}

/// What an attack lab has left behind, by a count of its own: made and never deleted.
#[test]
#[cfg_attr(not(corpus), ignore = "needs the corpus of real records")]
fn what_stays_open_of_a_real_lab_is_what_it_made_and_did_not_delete() {
    let policy = Policy::built_in();
    let (mut ledger, mut left, mut made) = (Ledger::default(), BTreeSet::new(), 0);
    let mut last = Time::from_timestamp(0);
    each_record(&[corpus().join("invictus-ir/records.jsonl")], &mut |record| {
        changes(record, &policy, &mut |call| {
            let verdict = handsoff_functions::engine(&policy).judge(call, &mut Trace::off());
            of(call, &policy, &verdict).observations.into_iter().for_each(|one| ledger.add(one));
            last = last.max(call.time.unwrap());
            // By hand: the names as the records of these four calls have them, which come in the order of time.
            let json: Value = serde_json::from_str(record.text).unwrap();
            let asked = |key: &str| json["requestParameters"][key].as_str().unwrap().to_owned();
            match call.action.to_string().as_str() {
                "secretsmanager:CreateSecret" => left.insert(asked("name")),
                "ssm:PutParameter" => left.insert(asked("name").trim_start_matches('/').to_owned()),
                "secretsmanager:DeleteSecret" => {
                    let id = asked("secretId");
                    let name = id.rsplit(":secret:").next().unwrap();
                    let name = if id == name { name } else { &name[..name.len() - 7] };
                    left.remove(name)
                }
                "ssm:DeleteParameter" => left.remove(asked("name").trim_start_matches('/')),
                _ => return,
            };
            made += 1;
        });
    });
    let open: BTreeSet<String> = ledger
        .items(&Terms { now: last, cases: &policy.cases })
        .into_iter()
        .filter(|item| {
            item.state == State::Open && ["secret", "parameter"].contains(&item.resource.kind.as_str())
        })
        .map(|item| item.resource.name)
        .collect();
    assert!(made > 100 && !left.is_empty(), "hardly anything was looked at: {made}, {left:?}");
    assert_eq!(open, left);
}

/// The samples of `drift-write` that change a resource have one; none of a sign-in, a shell or data has.
#[test]
fn of_the_samples_resources_are_known() {
    let policy =
        Policy::parse("p", &std::fs::read_to_string(root().join("events/handsoff.toml")).unwrap()).unwrap();
    let of_sample = |name: &str| {
        let mut found = Vec::new();
        each_record(&[root().join("events").join(name)], &mut |record| {
            let call = Call::classify(*record, &policy, &mut Trace::off());
            let verdict = handsoff_functions::engine(&policy).judge(&call, &mut Trace::off());
            found.extend(of(&call, &policy, &verdict).observations.into_iter().map(|one| {
                format!(
                    "{} {}",
                    serde_json::to_value(&one.what).unwrap()["what"].as_str().unwrap(),
                    one.resource
                )
            }));
        });
        found
    };
    let place = "eu-central-1:111122223333";
    for (sample, observed) in [
        (
            "drift-write.permission-set-console.json",
            vec![format!("hand ec2:{place}:security-group/sg-0c41d97f2ab683e55")],
        ),
        ("drift-write.data.json", vec![]),
        ("interactive-access.session-manager.json", vec![]),
        ("image-not-approved.by-person.json", vec![format!("hand ec2:{place}:instance/i-07b3c95e1fa24d680")]),
        ("image-not-approved.auto-scaling.json", vec![]),
        ("console-sign-in.with-mfa.json", vec![]),
        ("nothing.human-read.json", vec![]),
    ] {
        assert_eq!(of_sample(sample), observed, "{sample}");
    }
    let mut known = 0;
    for entry in std::fs::read_dir(root().join("events")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.starts_with("drift-write.") || name.starts_with("nothing.deploy-role") {
            let found = of_sample(&name);
            println!("{name}: {found:?}");
            known += usize::from(!found.is_empty());
        }
    }
    assert!(known >= 8, "{known}");
}
