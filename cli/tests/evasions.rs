//! A red team's evasions: what must be reported of each, by the command, with their policies. They are no part of the product:
//! without their folder the test is `ignored`.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod run;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use run::handsoff;
use serde_json::Value;

/// What stays unreported, and why; the same reasons are in SECURITY.md. One that is reported after all has to leave the list.
const UNREPORTED: &[(&str, &str)] = &[
    (
        "p05-deploy-shares-snapshots",
        "a bucket's, secret's or repository's policy whose record has no parameters shows no sharing",
    ),
    ("i01-workload-exfil", "copies that workloads make of data within the account are ordinary"),
    (
        "k20-region-hop",
        "an instance that launches others is a workload; no policy says which Regions are used",
    ),
];

fn folder() -> PathBuf {
    let own = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/evasions");
    std::env::var_os("HANDSOFF_EVASIONS").map_or_else(own, PathBuf::from)
}

fn lines(folder: &Path, args: &[&str]) -> Vec<Value> {
    let output = handsoff(folder, args, b"");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Whether what is expected of a case is reported: findings of at least medium, in incidents that are alerted.
fn is_reported(folder: &Path, case: &Value) -> bool {
    let id = case["id"].as_str().unwrap();
    let file = |id: &str| format!("cases/{id}.jsonl");
    let own = file(id);
    let file = if folder.join(&own).is_file() { own } else { file(id.trim_end_matches("-STRICT")) };
    let policy = format!("policies/{}.toml", case["policy"].as_str().unwrap());
    let args = ["replay", &file, "--policy", &policy, "--format", "jsonl"];
    let findings = lines(folder, &args);
    let alerts = lines(folder, &[&args[..], &["--alerts"]].concat());
    let alerted: BTreeSet<&str> = alerts.iter().filter_map(|alert| alert["incident"].as_str()).collect();
    let grave = |finding: &&Value| {
        matches!(finding["severity"].as_str(), Some("medium" | "high" | "critical"))
            && alerted.contains(finding["incident"].as_str().unwrap())
    };
    let seen: BTreeSet<&str> =
        findings.iter().filter(grave).filter_map(|finding| finding["event_id"].as_str()).collect();
    let mut keys = case["keys"].as_array().unwrap().iter().map(|key| key.as_str().unwrap());
    match case["expect"].as_str().unwrap() {
        "told-any" => keys.any(|key| seen.contains(key)),
        "who" => {
            let who = case["who"].as_str().unwrap();
            keys.all(|key| seen.contains(key)) && alerts.iter().any(|alert| alert.to_string().contains(who))
        }
        _ => keys.all(|key| seen.contains(key)),
    }
}

#[test]
#[cfg_attr(not(evasions), ignore = "needs the evasions of the red team")]
fn evasions_are_reported() {
    let folder = folder();
    let index = std::fs::read_to_string(folder.join("index.jsonl")).unwrap();
    let cases: Vec<Value> = index.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // What can't be seen from one account is no case.
    let cases: Vec<&Value> = cases.iter().filter(|case| case["limit"] != true).collect();
    let reported: BTreeMap<&str, bool> =
        cases.iter().map(|case| (case["id"].as_str().unwrap(), is_reported(&folder, case))).collect();
    let count = reported.values().filter(|reported| **reported).count();
    println!("{count} of {} evasions are reported", reported.len());
    let unreported: BTreeSet<&str> = reported.iter().filter(|(_, it)| !**it).map(|(id, _)| *id).collect();
    let known: BTreeSet<&str> = UNREPORTED.iter().map(|(id, _)| *id).collect();
    assert_eq!(unreported, known, "unreported, and what is known to be");
    assert!(known.len() <= 10, "at most ten");
}
