//! What the tests of the whole share.

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

pub mod deploys;
pub mod drift;
pub mod generated;
pub mod sessions;

use std::path::{Path, PathBuf};

use handsoff::input::{Place, Position, Reader, Sink, find};
use handsoff::outcome::Outcome;
use handsoff::replay::{self, Options};
use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::{Record, TimeDelta};
use handsoff_core::{Finding, Policy, Reported, SessionVerdict};
use handsoff_sweep::Settings;
use handsoff_testing::fault_injection::LEASE;
use handsoff_testing::records::ACCOUNT;

/// The product's root folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The folder of real CloudTrail records, which is not part of the product: `HANDSOFF_DATA`, or
/// `shared/data` beside the checkout. A test that needs it is `ignored` where it isn't (see `build.rs`).
///
/// # Panics
/// When it isn't there: a test that looks at nothing must not pass.
pub fn corpus() -> PathBuf {
    let folder =
        std::env::var_os("HANDSOFF_DATA").map_or_else(|| root().join("../shared/data"), PathBuf::from);
    assert!(folder.join("invictus-ir").is_dir(), "no corpus at {}: see tests/build.rs", folder.display());
    folder
}

/// How the sweep is set up in tests.
pub fn settings() -> Settings {
    Settings {
        detectors: handsoff_functions::detectors(),
        account: ACCOUNT.into(),
        canary_every: TimeDelta::minutes(5),
        out_of_step: vec![],
        lease: LEASE,
        lookup_regions: vec![],
    }
}

/// What a replay found, its findings all in memory.
#[derive(Debug)]
pub struct Replayed {
    /// All findings by time.
    pub findings: Vec<Finding>,
    /// All verdicts on sessions, by time.
    pub verdicts: Vec<SessionVerdict>,
    outcome: Outcome,
}

impl Replayed {
    /// Both, in the order of output.
    pub fn reported(&self) -> impl Iterator<Item = std::io::Result<Reported>> {
        self.outcome.findings.iter()
    }
}

impl std::ops::Deref for Replayed {
    type Target = Outcome;

    fn deref(&self) -> &Outcome {
        &self.outcome
    }
}

/// Replays records, one a line of a log.
pub fn replay_records(records: &[String], policy: &Policy) -> Replayed {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.jsonl");
    std::fs::write(&file, records.join("\n")).unwrap();
    replay(&[file], policy, 1)
}

/// Replays files and folders.
pub fn replay(paths: &[PathBuf], policy: &Policy, threads: usize) -> Replayed {
    let found = find(paths);
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    let options = Options { keep_findings: true, keep_digest_notes: true, ..Options::default() };
    let outcome = replay::judge(&found.sources, policy, options, threads, &|_| {}).0.finish(policy);
    let (mut findings, mut verdicts) = (Vec::new(), Vec::new());
    for reported in outcome.findings.iter() {
        match reported.unwrap() {
            Reported::Call(finding) => findings.push(finding),
            Reported::Session(verdict) => verdicts.push(verdict),
        }
    }
    Replayed { findings, verdicts, outcome }
}

/// Calls something with every record of files and folders, and with what can't be read.
pub fn each_record(paths: &[PathBuf], each: &mut dyn FnMut(&Record<'_>)) -> Vec<String> {
    let mut sink = Calling::new(each);
    for source in &find(paths).sources {
        Reader::default().read(source, &mut sink, &|_| {});
    }
    sink.problems
}

/// All records of files and folders as text, and all grants as whole events.
pub fn deliveries(paths: &[PathBuf]) -> Vec<String> {
    let mut records = Vec::new();
    let mut each = |record: &Record<'_>| records.push(record.text.to_owned());
    let mut sink = Calling::new(&mut each);
    for source in &find(paths).sources {
        Reader::default().read(source, &mut sink, &|_| {});
    }
    let grants = sink.grants;
    records.extend(grants);
    records
}

struct Calling<'e> {
    each: &'e mut dyn FnMut(&Record<'_>),
    grants: Vec<String>,
    problems: Vec<String>,
}

impl<'e> Calling<'e> {
    fn new(each: &'e mut dyn FnMut(&Record<'_>)) -> Self {
        Self { each, grants: Vec::new(), problems: Vec::new() }
    }
}

impl Sink for Calling<'_> {
    fn record(&mut self, record: &Record<'_>, _: &Place<'_>) {
        (self.each)(record);
    }

    fn other(&mut self, object: Raw<'_>, _: &Place<'_>) -> bool {
        let kind = object.get("detail-type").and_then(Raw::text);
        let of_aws = object.get("source").and_then(Raw::text).is_some_and(|it| it.starts_with("aws."));
        // What services send themselves, too.
        let whole = |kind: &str| {
            kind == handsoff_case::grant::GRANT || (of_aws && !kind.ends_with(" via CloudTrail"))
        };
        let grant = kind.is_some_and(|kind| whole(&kind));
        if grant {
            self.grants.push(object.as_str().to_owned());
        }
        grant
    }

    fn problem(&mut self, _: Option<Position>, message: String) {
        self.problems.push(message);
    }
}

/// A policy that has an entry of every kind for the corpus, so that every way through the detectors is taken.
pub fn busy_policy() -> Policy {
    let text = r#"
[alerts]
burst = 1000000
[[deploy]]
identity = "arn:aws:iam::*:user/bert-jan"
[[deploy]]
identity = "arn:aws:iam::*:role/ExampleRole"
session_names = ["Example*"]
networks = ["192.0.2.0/24"]
assumed_by = ["oidc:repo:*/x:*"]
[[break_glass]]
identity = "permission-set/ReadOnlyAccess"
max_session = "10m"
[[break_glass]]
identity = "arn:aws:iam::*:role/stratus-red-team-get-usr-data-role"
[[workload]]
identity = "arn:aws:iam::*:role/stratus-red-team-ec2-enumerate-role"
may_write = ["ssm:Update*"]
[[exception]]
identity = "arn:aws:iam::*:user/benjamin"
actions = ["ec2:*"]
owner = "o"
reason = "r"
until = 2099-01-01
"#;
    Policy::parse("busy.toml", text).unwrap_or_else(|problems| panic!("{problems:?}"))
}
