//! Whatever is altered in a case is found, and named.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};

use handsoff_case::manifest::{MANIFEST, sha256};
use handsoff_case::verify::{Folder, FolderError};
use handsoff_case::{Facts, Observation, Review, Seen, Session, seal, verify};
use handsoff_cloudtrail::Time;
use handsoff_core::{Finding, Policy, Severity};
use handsoff_testing::records::{classified, record, session};

const POLICY: &str = "[[break_glass]]\nidentity = \"arn:aws:iam::*:role/break-glass\"";

#[derive(Clone)]
struct Copy(BTreeMap<String, Vec<u8>>);

impl Folder for Copy {
    fn names(&self) -> Result<BTreeSet<String>, FolderError> {
        Ok(self.0.keys().cloned().collect())
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, FolderError> {
        self.0.get(name).cloned().ok_or(FolderError::Missing)
    }
}

fn observed(number: usize) -> (Observation, Facts) {
    let time = Time::from_timestamp(1_773_453_600 + i64::try_from(number).unwrap());
    let session = session("break-glass", "alice").key("ASIAGLASS").began("2026-03-14T02:00:00Z");
    let json = record("ec2:RunInstances", session).id(number).at(time).to_string();
    let policy = Policy::parse("handsoff.toml", POLICY).unwrap();
    classified(&json, &policy, |_, call| {
        let finding = Finding::new(
            call,
            handsoff_case::codes::GLASS_ACTIVITY,
            Severity::Medium,
            "It changed something.".into(),
        );
        (Observation::new(call, &finding, Seen::Logs), Facts::of(call, &policy))
    })
}

fn case(calls: usize) -> Copy {
    // Codes are read by name.
    handsoff_functions::detectors();
    let policy = Policy::parse("handsoff.toml", POLICY).unwrap();
    let mut facts = Facts::default();
    let observations: Vec<Observation> = (0..calls)
        .map(|number| {
            let (observation, own) = observed(number);
            facts.merge(own);
            observation
        })
        .collect();
    let session = Session::new("glass-0123456789ab", facts, Vec::new(), &policy);
    let (files, _) = seal(&session, observations, None).unwrap();
    Copy(files.into_iter().map(|file| (file.name, file.text.into_bytes())).collect())
}

fn verdict(copy: &Copy, digest: Option<&str>) -> Result<usize, String> {
    let mut calls = 0;
    let digest = digest.map(|digest| digest.parse().unwrap());
    verify(copy, digest.as_ref(), |_| calls += 1).map(|_| calls).map_err(|difference| difference.to_string())
}

/// A copy with the lines of a file altered.
fn lines(copy: &Copy, file: &str, alter: impl FnOnce(&mut Vec<String>)) -> Copy {
    let mut copy = copy.clone();
    let text = String::from_utf8(copy.0[file].clone()).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    alter(&mut lines);
    copy.0.insert(file.to_owned(), (lines.join("\n") + "\n").into_bytes());
    copy
}

const FIRST: &str = "calls-000001.jsonl";

#[test]
fn an_unaltered_case_is_verified() {
    let case = case(2_500);
    assert_eq!(verdict(&case, None), Ok(2_500));
    let digest = sha256(&case.0[MANIFEST]);
    assert_eq!(verdict(&case, Some(&digest)), Ok(2_500));
    assert_eq!(verdict(&case, Some(&digest.to_uppercase())), Ok(2_500));
    assert_eq!(case.0.len(), 4, "three files of lines, and the manifest");
    assert_eq!(verdict(&self::case(0), None), Ok(0));
}

#[test]
fn a_deleted_a_changed_a_swapped_and_an_added_line_are_named() {
    let case = case(1_010);
    let named = |copy: &Copy| verdict(copy, None).unwrap_err();
    for at in [0, 4, 998] {
        let line = at + 1;
        let deleted = named(&lines(&case, FIRST, |lines| drop(lines.remove(at))));
        assert!(
            deleted.starts_with(&format!("{FIRST}:{line}: call {} stands where call {line}", line + 1)),
            "{deleted}"
        );
        let changed =
            named(&lines(&case, FIRST, |lines| lines[at] = lines[at].replace("RunInst", "StopInst")));
        assert!(changed.starts_with(&format!("{FIRST}:{line}: call {line} was changed")), "{changed}");
        let swapped = named(&lines(&case, FIRST, |lines| lines.swap(at, at + 1)));
        assert!(swapped.starts_with(&format!("{FIRST}:{line}: call {} stands where", line + 1)), "{swapped}");
        let again = lines(&case, FIRST, |lines| lines.insert(at + 1, lines[at].clone()));
        let added = named(&again);
        assert!(added.starts_with(&format!("{FIRST}:{}: call {line} stands where", line + 1)), "{added}");
    }
    let last = named(&lines(&case, "calls-000002.jsonl", |lines| drop(lines.pop())));
    assert_eq!(last, "calls-000002.jsonl:10: missing: the manifest says 10 lines, here are 9");
    let more = named(&lines(&case, "calls-000002.jsonl", |lines| lines.push("{}".into())));
    assert_eq!(more, "calls-000002.jsonl:11: added: the manifest says 10 lines");
}

#[test]
fn a_missing_and_an_added_file_are_named() {
    let mut gone = case(1_010);
    gone.0.remove("calls-000002.jsonl");
    assert_eq!(verdict(&gone, None).unwrap_err(), "calls-000002.jsonl: missing");
    let mut more = case(10);
    more.0.insert("calls-000002.jsonl".into(), Vec::new());
    assert_eq!(verdict(&more, None).unwrap_err(), "calls-000002.jsonl: added: the manifest doesn't list it");
    let mut bare = case(10);
    bare.0.remove(MANIFEST);
    assert!(verdict(&bare, None).unwrap_err().starts_with("manifest.json: "));
}

/// Every byte of every file: the lines by the chain, the manifest by its digest.
#[test]
fn no_byte_can_be_changed() {
    let case = case(3);
    let digest = sha256(&case.0[MANIFEST]);
    for (file, bytes) in &case.0 {
        for at in 0..bytes.len() {
            for change in [1, 0x20, 0x80] {
                let mut copy = case.clone();
                copy.0.get_mut(file).unwrap()[at] ^= change;
                assert!(verdict(&copy, Some(&digest)).is_err(), "{file}, byte {at}");
                if file != MANIFEST {
                    let named = verdict(&copy, None).unwrap_err();
                    assert!(named.starts_with(file.as_str()), "{named}");
                }
            }
        }
    }
}

/// Whoever writes a whole case anew makes one that is consistent in itself: the digest is what finds it.
#[test]
fn a_case_written_anew_has_another_digest() {
    let (case, forged) = (case(10), self::case(9));
    assert_eq!(verdict(&forged, None), Ok(9));
    let told = sha256(&case.0[MANIFEST]);
    let named = verdict(&forged, Some(&told)).unwrap_err();
    assert!(
        named.starts_with("manifest.json: its digest is ") && named.contains(", and the expected one is "),
        "{named}"
    );
}

#[test]
fn a_manifest_that_says_otherwise_than_its_lines_is_found_without_the_digest() {
    let case = case(10);
    let text = String::from_utf8(case.0[MANIFEST].clone()).unwrap();
    for (from, to) in [
        ("\"writes\": 10", "\"writes\": 9"),
        ("\"lines\": 10", "\"lines\": 11"),
        ("\"head\": \"", "\"head\": \"0"),
    ] {
        let mut copy = case.clone();
        assert!(text.contains(from), "{from}");
        copy.0.insert(MANIFEST.into(), text.replace(from, to).into_bytes());
        assert!(verdict(&copy, None).is_err(), "{to}");
    }
    let mut blank = case.clone();
    blank.0.insert(MANIFEST.into(), format!("{text} ").into_bytes());
    assert!(verdict(&blank, None).unwrap_err().contains("isn't written the way it was sealed"));
}

#[test]
fn a_review_is_of_this_case_and_by_somebody_else() {
    let case = case(3);
    let digest = sha256(&case.0[MANIFEST]);
    let review = |reviewer: &str, digest: &str| Review {
        case: "glass-0123456789ab".into(),
        digest: digest.into(),
        reviewer: reviewer.into(),
        note: "As the ticket says.".into(),
        time: Time::from_timestamp(1_773_500_000),
    };
    let with = |review: &Review| {
        let mut copy = case.clone();
        copy.0.insert("review.json".into(), serde_json::to_vec(review).unwrap());
        verdict(&copy, None)
    };
    assert_eq!(with(&review("bob", &digest)), Ok(3));
    assert!(with(&review("Alice ", &digest)).unwrap_err().contains("may be the person of the session"));
    assert!(
        with(&review("bob", &"0".repeat(64)))
            .unwrap_err()
            .starts_with("review.json: the review is of digest")
    );
}
