//! The samples in `events/`: each gives what its name says; and nothing of a detector is missing.

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

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use handsoff_core::{Code, Policy};
use handsoff_runtime::Metric;
use handsoff_tests::{replay, root};
use serde_json::Value;

fn policy() -> Policy {
    let text = std::fs::read_to_string(root().join("events/handsoff.toml")).unwrap();
    Policy::parse("events/handsoff.toml", &text).unwrap()
}

/// The samples by what their names say: a code, or `nothing`.
fn samples() -> BTreeMap<String, Vec<PathBuf>> {
    let mut samples: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for entry in std::fs::read_dir(root().join("events")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name != "handsoff.toml" {
            samples.entry(name.split('.').next().unwrap().to_owned()).or_default().push(path);
        }
    }
    samples
}

/// Samples of findings on several calls that are findings by themselves, and what these are.
const BESIDE: [(&str, &str); 2] =
    [("long-lived-key.new-network.jsonl", "drift-write"), ("mass-deletion.jsonl", "drift-write")];

#[test]
fn each_sample_gives_what_its_name_says() {
    for (name, paths) in samples() {
        for path in paths {
            let outcome = replay(std::slice::from_ref(&path), &policy(), 1);
            assert!(outcome.problems.is_empty(), "{path:?} {:?}", outcome.problems);
            let codes: BTreeSet<&str> =
                outcome.findings.iter().map(|finding| finding.code.as_str()).collect();
            let expected: BTreeSet<&str> =
                if name == "nothing" { BTreeSet::new() } else { [name.as_str()].into() };
            // A verdict on a session as a whole stands beside those on its calls, and beside that it is over.
            let about: BTreeSet<&str> = outcome
                .verdicts
                .iter()
                .filter(|it| it.code != handsoff_case::codes::GLASS_CLOSED || name == "glass-closed")
                .map(|it| it.code.as_str())
                .collect();
            let mut codes = if about.is_empty() { codes } else { about };
            // What only shows many of them together leaves each what it is.
            if let Some((_, each)) = BESIDE.iter().find(|(sample, _)| path.ends_with(sample)) {
                assert!(codes.remove(each), "{path:?}");
            }
            assert_eq!(codes, expected, "{path:?}");
            assert!(outcome.counts.distinct > 0, "{path:?}");
        }
    }
}

fn codes() -> Vec<Code> {
    handsoff_functions::detectors().iter().flat_map(|detector| detector.about().codes).copied().collect()
}

#[test]
fn every_code_has_its_sample_its_detector_and_its_documentation() {
    let documentation = std::fs::read_to_string(root().join("docs/findings.md")).unwrap();
    let samples = samples();
    let codes = codes();
    for code in &codes {
        assert!(samples.contains_key(code.as_str()), "no sample events/{code}*");
        let (_, section) = documentation
            .split_once(&format!("\n### `{code}`\n"))
            .unwrap_or_else(|| panic!("docs/findings.md has no section `{code}`"));
        let section = section.split("\n### ").next().unwrap();
        assert!(section.contains("- **How it can be wrong:** "), "`{code}` doesn't say how it can be wrong");
        let folder = root().join("functions").join(code.detector());
        let mut tests = std::fs::read_to_string(folder.join("src/tests.rs")).unwrap();
        for part in std::fs::read_dir(folder.join("src/tests")).into_iter().flatten() {
            tests += &std::fs::read_to_string(part.unwrap().path()).unwrap();
        }
        let name = code.as_str().replace('-', "_").to_uppercase();
        assert!(tests.contains(&format!("codes::{name}")), "{folder:?} has no test of `{code}`");
    }
    let known: BTreeSet<&str> = codes.iter().map(|code| code.as_str()).chain(["nothing"]).collect();
    assert!(samples.keys().all(|name| known.contains(name.as_str())), "{:?}", samples.keys());
    for folder in std::fs::read_dir(root().join("functions")).unwrap() {
        let name = folder.unwrap().file_name().into_string().unwrap();
        // The registry.
        if name == "lambda" {
            continue;
        }
        // The sweep judges no records: what it finds has drift's code `trail-tampered`.
        let own = name == "sweep" || codes.iter().any(|code| code.detector() == name);
        assert!(own, "functions/{name} has no code");
        assert!(documentation.contains(&format!("## {name}")), "docs/findings.md has no section {name}");
    }
}

#[test]
fn every_metric_is_documented() {
    let documentation = std::fs::read_to_string(root().join("docs/metrics.md")).unwrap();
    let rows: Vec<&str> = documentation.lines().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(rows.len(), Metric::ALL.len());
    for metric in Metric::ALL {
        let start = format!("| `{}` | {:?} |", metric.name(), metric.unit());
        let row = rows.iter().find(|row| row.starts_with(&start));
        let row = row.unwrap_or_else(|| panic!("docs/metrics.md has no row {start}"));
        let dimension = row.split('|').nth(3).unwrap();
        match metric.dimension() {
            Some((name, _)) => assert!(dimension.contains(&format!("`{name}`")), "{row}"),
            None => assert!(dimension.trim().is_empty(), "{row}"),
        }
    }
}

#[test]
fn samples_are_whole_envelopes_with_ids_of_their_own() {
    let mut ids = BTreeSet::new();
    for path in samples().into_values().flatten() {
        let text = std::fs::read_to_string(&path).unwrap();
        for envelope in serde_json::Deserializer::from_str(&text).into_iter::<Value>() {
            let envelope = envelope.unwrap();
            for field in
                ["version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"]
            {
                assert!(!envelope[field].is_null(), "{path:?} lacks {field}");
            }
            let kind = envelope["detail-type"].as_str().unwrap();
            let of_service = ["CodeBuild ", "CodeDeploy ", "CodePipeline ", "CloudFormation "];
            if kind == handsoff_case::grant::GRANT || of_service.iter().any(|it| kind.starts_with(it)) {
                continue;
            }
            assert!(kind.starts_with("AWS ") && kind.ends_with(" via CloudTrail"), "{path:?} {kind}");
            assert_eq!(envelope["time"], envelope["detail"]["eventTime"], "{path:?}");
            assert_eq!(envelope["region"], envelope["detail"]["awsRegion"], "{path:?}");
            let id = envelope["detail"]["eventID"].as_str().unwrap().to_owned();
            assert!(ids.insert(id.clone()), "{path:?}: {id} is used twice");
        }
    }
}

/// A sample that borrows the session of another day's would make one incident of thousands of hours.
#[test]
fn the_samples_incidents_last_a_day_at_most() {
    let outcome = replay(&[root().join("events")], &policy(), 1);
    let mut looked_at = 0;
    for incident in &outcome.incidents {
        let (first, last) = incident.times().unwrap();
        assert!(
            last - first <= handsoff_cloudtrail::TimeDelta::days(1),
            "{} lasts from {first} to {last}",
            incident.id
        );
        looked_at += 1;
    }
    assert!(looked_at > 20, "{looked_at} incidents");
}

/// What a caller chooses is harmless wherever it is shown.
#[test]
fn a_hostile_record_is_harmless_in_every_output() {
    let outcome = replay(&[root().join("events/drift-write.hostile.json")], &policy(), 1);
    let raw = std::fs::read_to_string(root().join("events/drift-write.hostile.json")).unwrap();
    for power in ["\\u001b", "<script", "=cmd", "<!channel>", "\\u202e"] {
        assert!(raw.contains(power), "the sample should try {power}");
    }
    let (mut text, mut csv, mut jsonl, mut alerts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let low = handsoff_core::Severity::Info;
    handsoff::output::text(&outcome, low, &mut text).unwrap();
    handsoff::output::csv(outcome.reported(), low, &mut csv).unwrap();
    handsoff::output::jsonl(outcome.reported(), low, &mut jsonl).unwrap();
    handsoff::output::alerts(&outcome, &policy(), handsoff::args::Format::Text, low, &mut alerts).unwrap();
    for out in [&text, &csv, &jsonl, &alerts] {
        let out = String::from_utf8(out.clone()).unwrap();
        assert!(!out.is_empty());
        let power =
            |char: char| char != '\n' && (char.is_control() || ('\u{202a}'..='\u{202e}').contains(&char));
        assert!(!out.contains(power), "{out}");
    }
    let mut reader = String::from_utf8(csv).unwrap();
    reader.retain(|char| char != '"');
    assert!(reader.split(['\n', ',']).all(|cell| !cell.starts_with(['=', '+', '@'])), "{reader}");
}

#[test]
fn secrets_of_a_record_stay_in_it() {
    let secret = "hunter2-wJalrXUtnFEMI";
    let record = serde_json::json!({
        "eventID": "e", "eventTime": "2026-03-14T00:00:00Z", "eventSource": "rds.amazonaws.com", "eventName": "ModifyDBInstance",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::1:user/a", "userName": "a", "accessKeyId": secret},
        "requestParameters": {"dBInstanceIdentifier": "db", "masterUserPassword": secret, "tags": [{"key": "k", "value": secret}],
            "environment": {"variables": {"TOKEN": secret}}, "policyDocument": secret},
        "responseElements": {"credentials": {"sessionToken": secret, "accessKeyId": secret, "secretAccessKey": secret}},
        "additionalEventData": {"x": secret},
    });
    let folder = std::env::temp_dir().join(format!("handsoff-secret-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("a.json"), record.to_string()).unwrap();
    let outcome = replay(std::slice::from_ref(&folder), &policy(), 1);
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(outcome.findings.len(), 1);
    assert_eq!(outcome.findings[0].resources, ["db"]);
    assert!(!serde_json::to_string(&outcome.findings[0]).unwrap().contains(secret));
}
