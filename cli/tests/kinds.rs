//! Kinds of files: what is in them decides, whatever they are called.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

fn record(id: &str) -> Value {
    json!({
        "eventVersion": "1.11", "eventID": id, "eventTime": "2026-03-14T10:00:00Z", "eventSource": "ec2.amazonaws.com",
        "eventName": "StopInstances", "awsRegion": "eu-central-1", "sourceIPAddress": "192.0.2.1", "userAgent": "x",
        "readOnly": false, "eventType": "AwsApiCall", "recipientAccountId": "111122223333", "requestParameters": null,
        "responseElements": null,
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ana", "accountId": "111122223333",
            "accessKeyId": "AKIAEXAMPLE", "userName": "ana"},
    })
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn utf16(text: &str, big: bool, mark: bool) -> Vec<u8> {
    let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
    units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
}

/// Status, findings, standard error.
fn replay(paths: &[&Path], input: Option<&[u8]>) -> (i32, Vec<Value>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_handsoff"));
    command.arg("replay").args(paths).args(["--format", "jsonl"]).env_remove("HANDSOFF_POLICY");
    command
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    if let Some(input) = input {
        stdin.write_all(input).unwrap();
    }
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let findings = String::from_utf8(output.stdout).unwrap();
    let findings = findings.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (output.status.code().unwrap(), findings, String::from_utf8(output.stderr).unwrap())
}

/// Each kind: two records, `1` and `2`.
fn kinds() -> Vec<(&'static str, Vec<u8>)> {
    let two = [record("1"), record("2")];
    let list = json!({ "Records": two }).to_string();
    let lines =
        |line: &dyn Fn(&Value) -> String| two.iter().map(|record| line(record) + "\n").collect::<String>();
    let text = |value: &Value| Value::String(value.to_string()).to_string();
    let lower = |record: &Value| {
        let mut lower = serde_json::Map::new();
        for (name, value) in record.as_object().unwrap() {
            let value = match value {
                Value::Object(inner) => {
                    inner.iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect()
                }
                value => value.clone(),
            };
            lower.insert(name.to_lowercase(), value);
        }
        lower["requestparameters"] = "{\"instancesSet\":{}}".into();
        Value::Object(lower).to_string()
    };
    let folded = |record: &Value| {
        let mut folded = record.clone();
        folded["userIdentity"] = record["userIdentity"].to_string().into();
        folded["errorCode"] = "-".into();
        folded.to_string()
    };
    let wrapped = |key: &str| lines(&|record| json!({ key: record.to_string() }).to_string());
    let members = [gzip(&(record("1").to_string() + "\n")), gzip(&(record("2").to_string() + "\n"))].concat();
    let subscription = |record: &Value| {
        json!({"messageType": "DATA_MESSAGE", "logEvents": [{"id": "1", "message": record.to_string()}]})
            .to_string()
    };
    vec![
        ("UTF-16, little end first", utf16(&list, false, true)),
        ("UTF-16, big end first", utf16(&list, true, true)),
        ("UTF-16 without a mark", utf16(&list, false, false)),
        ("UTF-16 in gzip", {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(&utf16(&list, false, true)).unwrap();
            encoder.finish().unwrap()
        }),
        ("a list of records as texts", json!([two[0].to_string(), two[1].to_string()]).to_string().into()),
        ("a record as text a line", lines(&text).into()),
        ("a whole file as a text", Value::String(list.clone()).to_string().into()),
        (
            "a line of an export of CloudWatch Logs",
            lines(&|record| format!("2026-03-14T10:00:01.000Z {record}")).into(),
        ),
        (
            "the output of `aws logs tail`",
            lines(&|record| {
                format!("2026-03-14T10:00:01.000000+00:00 111122223333_CloudTrail_eu-central-1 {record}")
            })
            .into(),
        ),
        ("JSON behind much white space", (" \n".repeat(5000) + &list).into()),
        ("the same in gzip", gzip(&lines(&|record| format!("2026-03-14T10:00:01.000Z {record}")))),
        ("members of gzip, one behind the other", members),
        ("a subscription's messages", gzip(&lines(&subscription))),
        ("rows of Athena", lines(&lower).into()),
        ("fields as texts", lines(&folded).into()),
        ("Splunk's raw events", wrapped("_raw").into()),
        (
            "Splunk's results with fields beside them",
            lines(&|record| {
                json!({"result": {"_raw": record.to_string(), "eventName": "StopInstances", "user": "x"}})
                    .to_string()
            })
            .into(),
        ),
        (
            "rows with the record beside some of its fields",
            lines(&|record| {
                json!({"_raw": record.to_string(), "eventName": "StopInstances", "eventID": "x"}).to_string()
            })
            .into(),
        ),
        (
            "a subscription's control message before the events",
            lines(&|record| {
                json!({"messageType": "CONTROL_MESSAGE", "logEvents": [{"message": "checking health"}]})
                    .to_string()
                    + "\n"
                    + &subscription(record)
            })
            .into(),
        ),
        ("an answer of CloudTrail Lake", wrapped("eventJson").into()),
    ]
}

#[test]
fn what_is_in_a_file_decides_whatever_it_is_called() {
    for (kind, bytes) in kinds() {
        for name in ["000000.gz", "firehose-1-2026-03-14-10", "x.json", "x.log"] {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join(name);
            std::fs::write(&file, &bytes).unwrap();
            std::fs::write(folder.path().join("README"), "no log").unwrap();
            std::fs::write(folder.path().join("handsoff.toml"), "[[deploy]]\nidentity = 'x'").unwrap();
            for path in [folder.path(), &file] {
                let (status, findings, stderr) = replay(&[path], None);
                let mut ids: Vec<&str> =
                    findings.iter().map(|finding| finding["event_id"].as_str().unwrap()).collect();
                ids.sort_unstable();
                assert_eq!((status, ids), (0, vec!["1", "2"]), "{kind} as {name}: {stderr}");
                assert!(
                    findings.iter().all(|finding| finding["principal"]["name"] == "ana"),
                    "{kind}: {findings:?}"
                );
            }
        }
        let (status, findings, stderr) = replay(&[Path::new("-")], Some(&bytes));
        assert_eq!((status, findings.len()), (0, 2), "{kind} by pipe: {stderr}");
    }
}

fn file(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// Status and standard error.
fn handsoff(args: &[&str], path: &Path) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_handsoff"));
    let output = command.current_dir(std::env::temp_dir()).args(args).arg(path).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_run_that_read_nothing_does_not_pass() {
    const RUNS: [&[&str]; 7] = [
        &["replay"],
        &["replay", "--fail-on", "low"],
        &["replay", "--format", "jsonl", "--fail-on", "low"],
        &["replay", "--format", "csv"],
        &["replay", "--alerts", "--fail-on", "low"],
        &["replay", "--alerts", "--format", "jsonl"],
        &["explain"],
    ];
    let folder = tempfile::tempdir().unwrap();
    let policy = tempfile::tempdir().unwrap();
    let policy = file(&policy, "handsoff.toml", "[[deploy]]\nidentity = \"arn:aws:iam::*:role/x\"\n");
    let no_logs = |what: &str| {
        for args in RUNS {
            let (status, stderr) = handsoff(args, folder.path());
            assert!(
                status == 2 && stderr.contains("error: no record was read"),
                "{what} {args:?}: {status} {stderr}"
            );
        }
        let (status, stderr) =
            handsoff(&["policy", "check", policy.to_str().unwrap(), "--logs"], folder.path());
        assert!(status == 2 && stderr.contains("error: no record was read"), "{what}: {status} {stderr}");
    };
    no_logs("an empty folder");
    file(&folder, "README.md", "# no log");
    no_logs("a folder of other files");
    file(&folder, "empty.json", "");
    no_logs("an empty file");
    file(&folder, "none.json", "{\"Records\":[]}");
    no_logs("a file without records");
    file(&folder, "digest.json", DIGEST);
    no_logs("a digest alone");
    file(&folder, "one.json", &record("1").to_string());
    let (status, findings, stderr) = replay(&[folder.path()], None);
    assert_eq!((status, findings.len()), (0, 1), "{stderr}");
    assert!(stderr.contains("1  without records") && stderr.contains("not read: 1 not a log"), "{stderr}");
}

#[test]
fn what_is_left_out_is_named_and_counted_by_reason() {
    let folder = tempfile::tempdir().unwrap();
    file(&folder, "one.json", &record("1").to_string());
    file(&folder, "README.md", "# no log");
    file(&folder, "\u{1b}[2J.txt", "no log");
    file(&folder, "report.docx", "PK\u{3}\u{4}");
    let (status, stderr) = handsoff(&["replay", "--format", "jsonl", "--verbose"], folder.path());
    assert_eq!(status, 0, "{stderr}");
    let counted = "1 record read from 1 file (3 files in the same folders not read: 2 not a log, \
                   1 an archive)";
    assert!(stderr.contains(counted), "{stderr}");
    let name = |name: &str| folder.path().join(name).display().to_string();
    assert!(stderr.contains(&format!("left out: {}: not a log\n", name("README.md"))), "{stderr}");
    assert!(stderr.contains(&format!("left out: {}: an archive\n", name("report.docx"))), "{stderr}");
    assert!(stderr.contains("left out: ") && !stderr.contains('\u{1b}'), "{stderr}");
}

#[test]
fn what_may_hold_logs_and_is_not_read_is_named_beside_good_files() {
    let zstd = b"\x28\xb5\x2f\xfd\x04\x58".to_vec();
    let twice = {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&gzip(&record("2").to_string())).unwrap();
        encoder.finish().unwrap()
    };
    for (bytes, why) in [
        (zstd.clone(), "zstd-compressed: inflate it first"),
        (gzip("PAR1 and so on"), "Parquet: export the records as JSON"),
        (b"PAR1\x15\x04".to_vec(), "Parquet: export the records as JSON"),
        (twice, "gzip in gzip: inflate it once"),
        (b"BZh91AY".to_vec(), "bzip2-compressed: inflate it first"),
    ] {
        for name in ["unnamed", "x.json", "x.json.gz"] {
            let folder = tempfile::tempdir().unwrap();
            file(&folder, "one.json", &record("1").to_string());
            let path = folder.path().join(name);
            std::fs::write(&path, &bytes).unwrap();
            let (status, findings, stderr) = replay(&[folder.path()], None);
            assert_eq!((status, findings.len()), (2, 1), "{why} as {name}: {stderr}");
            assert!(stderr.contains(&format!("error: {}: {why}\n", path.display())), "{name}: {stderr}");
            let (status, _, stderr) = replay(&[Path::new("-")], Some(&bytes));
            assert!(status == 2 && stderr.contains(&format!("standard input: {why}\n")), "{stderr}");
        }
    }
    let (status, _, stderr) = replay(&[Path::new("-")], Some(b"PK\x03\x04"));
    assert!(status == 2 && stderr.contains("a zip archive: unpack it first"), "{stderr}");
}

#[test]
fn a_record_without_a_caller_is_odd_unless_its_kind_has_none() {
    let folder = tempfile::tempdir().unwrap();
    let without = |kind: &str| {
        let mut record = record("1");
        record.as_object_mut().unwrap().remove("userIdentity");
        record["eventType"] = kind.into();
        replay(&[&file(&folder, "x.json", &record.to_string())], None)
    };
    for kind in ["AwsApiCall", "AwsConsoleSignIn", "AwsVpceEvents"] {
        let (status, _, stderr) = without(kind);
        assert!(status == 2 && stderr.contains("a record with no userIdentity"), "{kind}: {stderr}");
    }
    for kind in ["AwsServiceEvent", "AwsCloudTrailInsight", "AwsAggregatedEvent"] {
        let (status, _, stderr) = without(kind);
        assert_eq!(status, 0, "{kind}: {stderr}");
    }
}

const DIGEST: &str = r#"{"awsAccountId":"111122223333","digestStartTime":"2026-03-14T09:00:00Z",
    "digestEndTime":"2026-03-14T10:00:00Z","digestS3Bucket":"b","digestS3Object":"o","logFiles":[{"s3Bucket":"b"}]}"#;

#[test]
fn nothing_hides_in_a_file_that_holds_no_records() {
    let folder = tempfile::tempdir().unwrap();
    let config = format!(r#"{{"fileVersion":"1.0","configurationItems":[{{"a":1}},{}]}}"#, record("1"));
    let digest = DIGEST.replace(r#"{"s3Bucket":"b"}"#, &record("2").to_string());
    let text = DIGEST.replace("\"o\"", &Value::String(record("3").to_string()).to_string());
    let row = record("4").to_string().to_lowercase().replacen(
        '{',
        &(DIGEST.trim_end_matches('}').to_owned() + ","),
        1,
    );
    for (name, text) in
        [("config.json", config), ("digest.json", digest), ("text.json", text), ("row.json", row)]
    {
        let (_, findings, stderr) = replay(&[&file(&folder, name, &text)], None);
        assert_eq!(findings.len(), 1, "{name}: {stderr}");
    }
}

#[test]
fn what_a_caller_chose_takes_no_records_place() {
    let folder = tempfile::tempdir().unwrap();
    let mut forged = record("forged");
    forged["readOnly"] = true.into();
    forged["eventName"] = "StopInstances".into();
    let mut real = record("real");
    real["eventContext"] = json!({ "tagContext": forged.to_string() });
    real.as_object_mut().unwrap().remove("userIdentity");
    let (_, findings, stderr) = replay(&[&file(&folder, "x.json", &real.to_string())], None);
    assert_eq!(findings.len(), 1, "{stderr}");
    assert_eq!(findings[0]["event_id"], "real");
}

#[test]
fn an_answer_that_is_one_of_several_pages_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let event = json!({"EventId": "1", "CloudTrailEvent": record("1").to_string()});
    let pages = [
        json!({"Events": [event], "NextToken": "more"}).to_string(),
        format!(r#"{{"NextToken":"more","Events":[{event}]}}"#),
        json!({"events": [{"message": record("1").to_string()}], "nextToken": "more"}).to_string(),
    ];
    for page in pages {
        let (status, findings, stderr) = replay(&[&file(&folder, "page.json", &page)], None);
        assert_eq!((status, findings.len()), (0, 1), "{page}");
        assert!(stderr.contains("an answer with a NextToken"), "{page}: {stderr}");
    }
    let last = json!({"Events": [event], "NextToken": null}).to_string();
    assert!(!replay(&[&file(&folder, "page.json", &last)], None).2.contains("NextToken"));
}

#[test]
fn an_answer_as_text_is_looked_into() {
    let mut failed = record("1");
    failed["eventSource"] = "signin.amazonaws.com".into();
    failed["eventName"] = "ConsoleLogin".into();
    failed["eventType"] = "AwsConsoleSignIn".into();
    failed["responseElements"] = "{\"ConsoleLogin\":\"Failure\"}".into();
    failed["errorMessage"] = "Failed authentication".into();
    let folder = tempfile::tempdir().unwrap();
    let (status, findings, stderr) = replay(&[&file(&folder, "x.json", &failed.to_string())], None);
    assert_eq!((status, findings.len()), (0, 0), "{stderr}");
    failed["responseElements"] = "{\"ConsoleLogin\":\"Success\"}".into();
    failed.as_object_mut().unwrap().remove("errorMessage");
    assert_eq!(
        replay(&[&file(&folder, "x.json", &failed.to_string())], None).1[0]["code"],
        "console-sign-in"
    );
}

#[test]
fn a_field_that_is_broken_json_in_a_text_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let deep = format!("{}{}", "[".repeat(127), "]".repeat(127));
    for text in [&deep, "{\"a\":", "{a=b}"] {
        let mut row = record("1");
        row["requestParameters"] = text.into();
        let (status, findings, stderr) = replay(&[&file(&folder, "x.json", &row.to_string())], None);
        assert_eq!((status, findings.len()), (2, 1), "{text}: {stderr}");
        assert!(stderr.contains("x.json:1:1: `requestParameters` is JSON in a string"), "{stderr}");
    }
    let mut row = record("1");
    row["requestParameters"] = "[[1]]".into();
    assert_eq!(replay(&[&file(&folder, "x.json", &row.to_string())], None).0, 0);
}

/// Cases rebuilt from public reports, where they lie beside the checkout: the statuses that their users would expect.
#[test]
fn the_cases_of_others_are_read() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/field-cases");
    if !cases.is_dir() {
        println!("SKIPPED: the cases of others are not here");
        return;
    }
    let expected = [
        ("04-bucket", 0),
        ("05-lookup-query-array.json", 0),
        ("05b-lookup-query-text.txt", 0),
        ("05c-jq-tostring.jsonl", 0),
        ("05d-utf16.json", 0),
        ("06-cwl-export", 0),
        ("06b-cwl-export.log", 0),
        ("06c-filter-log-events.json", 0),
        ("07-lake-query-results.json", 2),
        ("07c-athena-lower.json", 0),
        ("07d-ocsf.json", 2),
        ("07f-event-history.csv", 2),
        ("07h-elastic-hit.json", 0),
        ("07k-dash.json", 0),
        ("29-lookup-truncated.json", 0),
        ("41-empty.json", 2),
        ("43-athena-map.json", 2),
        ("43b-useridentity-as-text.json", 0),
        ("43c-failed-login-text.json", 0),
        ("59-org", 0),
    ];
    for (name, status) in expected {
        let (found, _, stderr) = replay(&[&cases.join(name)], None);
        assert_eq!(found, status, "{name}: {stderr}");
    }
    println!("{} cases", expected.len());
}
