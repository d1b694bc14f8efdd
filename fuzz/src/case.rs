use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use handsoff_case::manifest::{MANIFEST, sha256};
use handsoff_case::verify::{Digest, Folder, FolderError};
use handsoff_case::{Facts, Observation, Seen, Session, seal, verify};
use handsoff_core::{Finding, Policy, Severity};
use handsoff_testing::records::{classified, record, session};

#[derive(Clone, PartialEq, Eq)]
struct Files(BTreeMap<String, Vec<u8>>);

impl Folder for Files {
    fn names(&self) -> Result<BTreeSet<String>, FolderError> {
        Ok(self.0.keys().cloned().collect())
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, FolderError> {
        self.0.get(name).cloned().ok_or(FolderError::Missing)
    }
}

/// A sealed case of a few calls, and its digest.
fn sealed() -> &'static (Files, Digest) {
    static SEALED: OnceLock<(Files, Digest)> = OnceLock::new();
    SEALED.get_or_init(|| {
        let policy = "[[break_glass]]\nidentity = \"arn:aws:iam::*:role/break-glass\"";
        let policy = Policy::parse("handsoff.toml", policy).unwrap();
        let mut facts = Facts::default();
        let mut calls = Vec::new();
        for number in 0..4 {
            let identity = session("break-glass", "alice").key("ASIAGLASS");
            let json =
                record("ec2:RunInstances", identity).id(number).at(format!("2026-03-14T02:00:0{number}Z"));
            classified(&json.to_string(), &policy, |_, call| {
                let finding = Finding::new(
                    call,
                    handsoff_case::codes::GLASS_ACTIVITY,
                    Severity::Medium,
                    "It changed something.".into(),
                );
                facts.merge(Facts::of(call, &policy));
                calls.push(Observation::new(call, &finding, Seen::Logs));
            });
        }
        let session = Session::new("glass-0123456789ab", facts, Vec::new(), &policy);
        let (files, _) = seal(&session, calls, None).unwrap();
        let files = Files(files.into_iter().map(|file| (file.name, file.text.into_bytes())).collect());
        let digest = sha256(&files.0[MANIFEST]).parse().unwrap();
        (files, digest)
    })
}

/// Alters a sealed case as the bytes say, and verifies it against its digest: it is whole only if nothing is altered.
/// The same bytes as a manifest, a file of lines and a review are no case, and no panic.
pub fn case(data: &[u8]) -> usize {
    let (whole, digest) = sealed();
    let mut altered = whole.clone();
    let mut alterations = 0;
    for step in data.chunks_exact(4) {
        let names: Vec<String> = altered.0.keys().cloned().collect();
        let Some(name) = names.get(usize::from(step[0]) % names.len().max(1)) else { break };
        alterations += 1;
        let file = altered.0.entry(name.clone()).or_default();
        let at = usize::from(u16::from_be_bytes([step[1], step[2]])) % (file.len() + 1);
        match step[0] >> 5 {
            0..=3 if at < file.len() => file[at] = step[3],
            4 => file.insert(at, step[3]),
            5 if at < file.len() => drop(file.remove(at)),
            6 => drop(altered.0.remove(name)),
            7 => drop(altered.0.insert(format!("calls-{:06}.jsonl", step[3]), vec![step[1]])),
            _ => {}
        }
    }
    let verdict = verify(&altered, Some(digest), |_| ());
    assert_eq!(verdict.is_ok(), altered == *whole, "{verdict:?}");
    let mut made = whole.clone();
    for name in [MANIFEST, "calls-000001.jsonl", "review.json"] {
        made.0.insert(name.into(), data.to_vec());
        assert!(verify(&made, Some(digest), |_| ()).is_err(), "{name} of any bytes");
        made.clone_from(whole);
    }
    alterations
}
