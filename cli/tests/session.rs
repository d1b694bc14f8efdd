//! A root session as on-call and auditor see it: calls are calls, the session's end is its end, and 13 changes don't lie
//! behind 200 reads.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may panic"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

const READS: usize = 200;
const WRITES: usize = 13;

/// A record of root's session that began at 00:07:12, `at` seconds later.
fn record(at: usize, service: &str, name: &str) -> Value {
    let second = 432 + at;
    let time = format!("2026-03-14T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60);
    json!({
        "eventVersion": "1.11", "eventID": format!("{at:08}-0000-4000-8000-000000000000"), "eventTime": time,
        "eventSource": format!("{service}.amazonaws.com"), "eventName": name, "awsRegion": "eu-central-1",
        "sourceIPAddress": "198.51.100.5", "userAgent": "Mozilla/5.0", "recipientAccountId": "111122223333",
        "eventType": "AwsApiCall", "requestParameters": {"name": format!("thing-{at}")}, "responseElements": null,
        "userIdentity": {
            "type": "Root", "arn": "arn:aws:iam::111122223333:root", "accountId": "111122223333",
            "accessKeyId": "ASIAROOTEXAMPLE", "sessionContext": {
                "attributes": {"creationDate": "2026-03-14T00:07:12Z", "mfaAuthenticated": "false"}}},
    })
}

/// The sign-in, reads of every kind in turn, and towards the end a refusal and the changes.
fn records() -> Vec<Value> {
    let mut sign_in = record(0, "signin", "ConsoleLogin");
    sign_in["eventType"] = "AwsConsoleSignIn".into();
    sign_in["responseElements"] = json!({"ConsoleLogin": "Success"});
    sign_in["additionalEventData"] = json!({"MFAUsed": "No"});
    let mut records = vec![sign_in];
    for n in 0..READS {
        let (service, name) =
            [("ec2", "DescribeInstances"), ("s3", "ListBuckets"), ("iam", "GetAccountSummary")][n % 3];
        records.push(record(10 + n, service, name));
    }
    let mut refused = record(400, "kms", "ScheduleKeyDeletion");
    refused["errorCode"] = "AccessDenied".into();
    records.push(refused);
    for n in 0..WRITES {
        records.push(record(500 + n, "ec2", ["RunInstances", "StopInstances"][n % 2]));
    }
    // Somebody else's, a day later: the session is over.
    let mut later = record(0, "ec2", "DescribeInstances");
    later["eventTime"] = "2026-03-15T12:00:00Z".into();
    later["eventID"] = "later".into();
    later["userIdentity"] =
        json!({"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ana", "userName": "ana"});
    records.push(later);
    records
}

struct Logs(tempfile::TempDir);

impl Logs {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let lines: Vec<String> = records().iter().map(ToString::to_string).collect();
        std::fs::write(dir.path().join("root.jsonl"), lines.join("\n")).unwrap();
        Self(dir)
    }

    fn run(&self, args: &[&str]) -> String {
        let output = run(self.0.path(), args);
        assert_eq!(output.0, 0, "{args:?}: {}", output.2);
        output.1
    }

    /// The session's case.
    fn case(&self) -> PathBuf {
        self.run(&["replay", "root.jsonl", "--cases", "cases"]);
        let mut cases = std::fs::read_dir(self.0.path().join("cases")).unwrap();
        let case = cases.next().unwrap().unwrap().path();
        assert!(cases.next().is_none(), "one session");
        case
    }
}

fn run(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_handsoff")).current_dir(folder).args(args).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_session_that_ended_is_reported_as_that_and_not_as_a_call() {
    let text = Logs::new().run(&["replay", "root.jsonl"]);
    let (incident, _) = text.split_once("\n\n").unwrap();
    insta::assert_snapshot!(incident);
    assert_eq!(incident.matches("signin:ConsoleLogin").count(), 2, "in all, and as the call that it was");
}

#[test]
fn verdicts_on_a_session_have_no_call_for_machines() {
    let logs = Logs::new();
    let lines = logs.run(&["replay", "root.jsonl", "--format", "jsonl"]);
    let findings: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |code: &str| {
        let found: Vec<&Value> = findings.iter().filter(|it| it["code"] == code).collect();
        assert_eq!(found.len(), 1, "{code}");
        found[0].clone()
    };
    for (code, time) in [("glass-no-mfa", "2026-03-14T00:07:12Z"), ("glass-closed", "2026-03-14T12:07:12Z")] {
        let verdict = of(code);
        assert_eq!(verdict["event_time"], time, "{code}");
        for empty in ["event_id", "action", "access"] {
            assert_eq!(verdict[empty], "", "{code} {empty}");
        }
        assert_eq!(verdict["resources"], json!(["arn:aws:iam::111122223333:root"]), "{code}");
        assert_eq!(
            (&verdict["principal"]["name"], &verdict["account"]),
            (&"root".into(), &"111122223333".into())
        );
    }
    let sign_ins = findings.iter().filter(|it| it["action"] == "signin:ConsoleLogin");
    assert_eq!(sign_ins.count(), 1, "one call, one line");

    let csv = logs.run(&["replay", "root.jsonl", "--format", "csv"]);
    assert_eq!(csv.matches("signin:ConsoleLogin").count(), 1, "{csv}");
}

#[test]
fn the_last_message_of_a_session_names_no_call_at_its_end() {
    let lines = Logs::new().run(&["replay", "root.jsonl", "--alerts", "--format", "jsonl"]);
    let alerts: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = alerts.iter().find(|it| it["cause"] == "closed").unwrap();
    let text = last["text"].as_str().unwrap();
    assert!(text.contains("\nwhen     session ended 2026-03-14T12:07:12Z\n"), "{text}");
    assert!(!text.contains("\ndid "), "{text}");
    assert!(!last["subject"].as_str().unwrap().contains("ConsoleLogin"), "{last}");
    let first = alerts[0]["text"].as_str().unwrap();
    assert!(first.contains("\ndid      signin:ConsoleLogin (write)\n"), "the sign-in itself is one: {first}");
}

/// The lines of a section of `case show`, which begins with a line in capitals and ends with an empty one.
fn part<'t>(shown: &'t str, title: &str) -> Vec<&'t str> {
    let mut lines = shown.lines().skip_while(|line| !line.starts_with(title));
    assert!(lines.next().is_some(), "no {title} in\n{shown}");
    lines.take_while(|line| !line.is_empty()).collect()
}

#[test]
fn the_changes_of_a_session_are_shown_and_its_reads_are_summed_up() {
    let logs = Logs::new();
    let case = logs.case();
    let shown = logs.run(&["case", "show", case.to_str().unwrap()]);
    let changes = part(&shown, "CHANGES, REFUSALS, SIGN-INS");
    let of = |kind: &str| changes.iter().filter(|line| line.contains(kind)).count();
    assert_eq!((of(" write "), of(" denied "), of(" sign-in "), of(" read ")), (WRITES, 1, 1, 0), "{shown}");
    assert_eq!(changes.len(), 1 + WRITES + 2, "{shown}");
    let reads = part(&shown, "200 READS, by action");
    assert_eq!(
        reads,
        [
            "    x67     ec2:DescribeInstances",
            "    x67     s3:ListBuckets",
            "    x66     iam:GetAccountSummary"
        ]
    );
    assert!(shown.contains("  ended    2026-03-14 12:07:12, 12 h after it began: "), "{shown}");
    let all = logs.run(&["case", "show", case.to_str().unwrap(), "--all"]);
    assert_eq!(part(&all, "ALL CALLS").iter().filter(|line| line.contains(" read ")).count(), READS, "{all}");
}

/// What no limit of rows hides: of three hundred sign-ins with one change behind them the change is there.
#[test]
fn a_change_is_not_hidden_behind_hundreds_of_lesser_calls() {
    let logs = Logs::new();
    let mut records = records();
    for n in 0..600 {
        let mut refused = record(600 + n, "kms", "Decrypt");
        refused["errorCode"] = "AccessDenied".into();
        records.push(refused);
    }
    records.push(record(1300, "iam", "CreateAccessKey"));
    let lines: Vec<String> = records.iter().map(ToString::to_string).collect();
    std::fs::write(logs.0.path().join("root.jsonl"), lines.join("\n")).unwrap();
    let case = logs.case();
    let shown = logs.run(&["case", "show", case.to_str().unwrap()]);
    let changes = part(&shown, "CHANGES, REFUSALS, SIGN-INS");
    assert_eq!(changes.iter().filter(|line| line.contains(" write ")).count(), WRITES + 1, "{shown}");
    assert!(changes.iter().any(|line| line.contains("iam:CreateAccessKey")), "{shown}");
    assert!(changes.last().unwrap().contains("and 416 more"), "{changes:?}");
}

#[test]
fn the_page_shows_changes_before_reads_and_says_a_sentence_once() {
    let logs = Logs::new();
    let case = logs.case();
    let page = logs.run(&["case", "export", case.to_str().unwrap(), "--format", "html"]);
    let (_, changes) = page.split_once("<h2>Changes, denied calls and sign-ins</h2>").unwrap();
    let (changes, rest) = changes.split_once("<h2>Reads, by action</h2>").unwrap();
    let (reads, rest) = rest.split_once("</section>").unwrap();
    let (_, all) = rest.split_once("<h2>All calls</h2>").unwrap();
    assert_eq!(changes.matches("<tr><td").count(), WRITES + 2);
    assert!(!changes.contains("ec2:DescribeInstances") && changes.contains("kms:ScheduleKeyDeletion"));
    assert_eq!((reads.matches("<tr><td").count(), reads.matches("ec2:DescribeInstances").count()), (3, 1));
    assert_eq!(all.matches("<tr><td").count(), READS + WRITES + 2, "all calls are there");
    for sentence in ["The root user changed something.", "The root user made a call that changes nothing."] {
        assert_eq!(all.matches(sentence).count(), 1, "{sentence}");
    }
    assert_eq!(changes.matches("The root user changed something.").count(), 1);
}

#[test]
fn root_cannot_review_its_own_case() {
    let logs = Logs::new();
    let case = logs.case();
    let review = |reviewer: &str| {
        let args = ["case", "review", case.to_str().unwrap(), "--reviewer", reviewer, "--note", "fine"];
        run(logs.0.path(), &args)
    };
    for root in ["root", "ROOT", "arn:aws:iam::111122223333:root"] {
        let (status, stdout, stderr) = review(root);
        assert!(status == 2 && stdout.is_empty(), "{root}: {stdout}");
        assert!(stderr.contains("another person has to review it"), "{root}: {stderr}");
    }
    assert!(!case.join("review.json").exists());
    assert_eq!(review("carol@example.com").0, 0);
}
