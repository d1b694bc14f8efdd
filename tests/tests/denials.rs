//! Why the denied calls of real records were denied: the numbers that docs/findings/deny-spike.md has.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use handsoff_cloudtrail::Record;
use handsoff_core::{Call, Kind, Outcome, Policy, Trace};
use handsoff_deny_spike::cause::{Cause, UNKNOWN, names};
use handsoff_tests::{corpus, each_record, replay, root};
use serde_json::{Value, json};

/// The sets with most denied calls, each a column; the rest is one.
const COLUMNS: [&str; 4] = ["flaws-cloud-umccr", "invictus-ir", "traildiscover", "others"];

const MARKS: [&str; 2] =
    ["<!-- causes: made by tests/tests/denials.rs of the corpus -->\n", "<!-- causes end -->"];

/// The files of the corpus, with their columns.
fn files() -> Vec<(usize, PathBuf)> {
    let folders = std::fs::read_dir(corpus()).unwrap().map(|entry| entry.unwrap().path());
    let files = folders.filter(|folder| folder.join("records.jsonl").is_file()).map(|folder| {
        let column = COLUMNS.iter().position(|name| folder.ends_with(name)).unwrap_or(COLUMNS.len() - 1);
        (column, folder.join("records.jsonl"))
    });
    files.collect()
}

/// Denied calls by cause, and how many of them services made on their own behalf, by column.
#[derive(Default)]
struct Counted {
    all: [usize; COLUMNS.len()],
    services: [usize; COLUMNS.len()],
    causes: BTreeMap<String, [usize; COLUMNS.len()]>,
}

impl Counted {
    fn add(&mut self, column: usize, record: &Record<'_>, policy: &Policy) {
        let call = Call::classify(*record, policy, &mut Trace::off());
        let Outcome::Denied(_) = call.outcome else { return };
        self.all[column] += 1;
        self.services[column] += usize::from(call.principal.kind == Kind::Service);
        let cause = Cause::of(record);
        let how = |cause: &Cause| if cause.explicit { "explicit deny" } else { "none allows it" };
        let name = cause.map_or(UNKNOWN.to_owned(), |it| format!("{}: {}", it.policy.as_str(), how(&it)));
        self.causes.entry(name).or_default()[column] += 1;
    }

    fn table(&self) -> String {
        let row = |name: &str, cells: &[usize; COLUMNS.len()]| {
            let cells: Vec<String> = cells.iter().map(usize::to_string).collect();
            format!("| {name} | {} | {} |\n", cells.join(" | "), cells_sum(&cells))
        };
        let mut text = format!(
            "| cause | {} | together |\n|---|{}\n",
            COLUMNS.join(" | "),
            "---|".repeat(COLUMNS.len() + 1)
        );
        for (name, cells) in &self.causes {
            text.push_str(&row(name, cells));
        }
        text.push_str(&row("**all denied calls**", &self.all));
        text.push_str(&row("of these by services on their own behalf", &self.services));
        text
    }
}

fn cells_sum(cells: &[String]) -> usize {
    cells.iter().map(|cell| cell.parse::<usize>().unwrap()).sum()
}

#[test]
#[cfg_attr(not(corpus), ignore = "needs the corpus of real records")]
fn each_denied_call_has_a_cause_and_the_page_has_the_numbers() {
    let (policy, mut counted) = (Policy::built_in(), Counted::default());
    for (column, file) in files() {
        each_record(&[file], &mut |record| counted.add(column, record, &policy));
    }
    let known: Vec<&str> = names().collect();
    for name in counted.causes.keys() {
        assert!(known.contains(&name.split(':').next().unwrap()), "{name}");
    }
    let of_causes: usize = counted.causes.values().flatten().sum();
    assert_eq!(of_causes, counted.all.iter().sum::<usize>(), "each has one");
    let path = root().join("docs/findings/deny-spike.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(MARKS[0]).unwrap();
    let (table, after) = rest.split_once(MARKS[1]).unwrap();
    if std::env::var_os("HANDSOFF_GOLDEN").is_some_and(|what| what == "write") {
        let new = format!("{before}{}{}{}{after}", MARKS[0], counted.table(), MARKS[1]);
        std::fs::write(&path, new).unwrap();
    } else {
        assert_eq!(table, counted.table(), "HANDSOFF_GOLDEN=write writes it");
    }
}

/// How many findings of denied calls a replay has of records.
fn found(records: &[Value]) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("records.jsonl");
    let lines: Vec<String> = records.iter().map(Value::to_string).collect();
    std::fs::write(&file, lines.join("\n")).unwrap();
    let outcome = replay(&[file], &Policy::built_in(), 1);
    outcome.findings.iter().filter(|finding| finding.code.detector() == "deny-spike").count()
}

/// The corpus has none: all of its denied calls, as if a service had made them on its own behalf.
#[test]
#[cfg_attr(not(corpus), ignore = "needs the corpus of real records")]
fn none_of_a_services_own_denied_calls_is_a_finding() {
    let mut denied: Vec<Value> = Vec::new();
    let policy = Policy::built_in();
    for (_, file) in files() {
        each_record(&[file], &mut |record| {
            let call = Call::classify(*record, &policy, &mut Trace::off());
            if matches!(call.outcome, Outcome::Denied(_)) {
                denied.push(serde_json::from_str(record.text).unwrap());
            }
        });
    }
    assert!(found(&denied) > 50, "as they are");
    let role = "arn:aws:iam::111122223333:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig";
    for identity in [
        json!({"type": "AWSService", "invokedBy": "delivery.logs.amazonaws.com"}),
        json!({"type": "AssumedRole", "accountId": "111122223333",
            "arn": "arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForConfig/configLambdaExecution",
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": role, "userName": "AWSServiceRoleForConfig"}}}),
    ] {
        for record in &mut denied {
            record["userIdentity"] = identity.clone();
        }
        assert_eq!(found(&denied), 0, "{identity}");
    }
}
