//! The exit status of every command, in every format, is the same when nobody reads what it prints: with a reader that
//! is gone before the first byte, on standard output or standard error.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    reason = "a test may panic; not every test uses all samples"
)]

mod sample;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use sample::{Which, write};

/// A pipe whose reader is gone.
fn unread() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

fn status(folder: &Path, line: &str, out: Stdio, err: Stdio) -> i32 {
    let mut command = Command::new(env!("CARGO_BIN_EXE_handsoff"));
    command.current_dir(folder).args(line.split_whitespace()).stdin(Stdio::null()).stdout(out).stderr(err);
    command.status().unwrap().code().unwrap_or_else(|| panic!("{line}: ended by a signal"))
}

/// Records enough to fill every buffer on the way, a file that can't be read, and cases.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let record = |number: u32| {
        format!(
            r#"{{"eventVersion":"1.11","userIdentity":{{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/u{number}","accountId":"111122223333","userName":"u{number}"}},"eventTime":"2026-03-14T02:00:00Z","eventSource":"ec2.amazonaws.com","eventName":"RunInstances","awsRegion":"eu-west-1","sourceIPAddress":"192.0.2.1","userAgent":"aws-cli/2","eventID":"{number}","recipientAccountId":"111122223333"}}"#
        ) + "\n"
    };
    let put = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    put("logs.jsonl", &(0..400).map(record).collect::<String>());
    put("broken.json", "{\"Records\":[");
    put("good.toml", "");
    put("bad.toml", "[deploy]\nx = 1\n");
    put("coarse.toml", "[[break_glass]]\nidentity = \"arn:aws:iam::*:role/x\"\napproval = true\n");
    for (name, which) in [("whole", Which::Long(600)), ("altered", Which::Normal)] {
        let made = write(&dir.path().join("cases"), which);
        fs::rename(made, dir.path().join("cases").join(name)).unwrap();
    }
    let lines = dir.path().join("cases/altered/calls-000001.jsonl");
    let text = fs::read_to_string(&lines).unwrap().replacen("kms:Decrypt", "kms:Encrypt", 1);
    fs::write(lines, text).unwrap();
    dir
}

const COMMANDS: [(i32, &str); 40] = [
    (0, "--version"),
    (0, "--help"),
    (2, "replay"),
    (0, "replay logs.jsonl"),
    (0, "replay logs.jsonl --format jsonl"),
    (0, "replay logs.jsonl --format csv"),
    (1, "replay logs.jsonl --fail-on low"),
    (1, "replay logs.jsonl --fail-on low --format jsonl"),
    (1, "replay logs.jsonl --fail-on low --format csv"),
    (1, "replay logs.jsonl --fail-on low --alerts"),
    (1, "replay logs.jsonl --fail-on low --alerts --format jsonl"),
    (1, "replay logs.jsonl --fail-on low --alerts --format csv"),
    (1, "replay logs.jsonl --fail-on low --threads 3"),
    (2, "replay logs.jsonl broken.json --fail-on low"),
    (2, "replay logs.jsonl broken.json --format jsonl"),
    (2, "replay logs.jsonl broken.json --format csv"),
    (2, "replay logs.jsonl broken.json --alerts"),
    (2, "replay logs.jsonl missing.json"),
    (2, "replay logs.jsonl --policy bad.toml"),
    (0, "explain logs.jsonl"),
    (0, "explain logs.jsonl --event-id 7"),
    (2, "explain logs.jsonl --event-id none"),
    (2, "explain broken.json"),
    (2, "explain missing.json"),
    (0, "policy default"),
    (0, "policy check coarse.toml --logs logs.jsonl"),
    (2, "policy check good.toml --logs broken.json"),
    (2, "policy check bad.toml"),
    (0, "policy parameters good.toml"),
    (2, "policy parameters missing.toml"),
    (0, "case list cases/whole --format jsonl"),
    (2, "case list missing"),
    (0, "case show cases/whole --all"),
    (2, "case show cases/altered"),
    (0, "case verify cases/whole"),
    (2, "case verify cases/altered"),
    (0, "case export cases/whole --format html"),
    (2, "case export cases/altered --format csv"),
    (0, "case export cases/altered --format csv --unverified"),
    (0, "grant --ticket INC-1 --requester alice --approver bob --role break-glass --for 2h"),
];

#[test]
fn the_status_is_the_same_whether_anybody_reads_or_not() {
    let dir = folder();
    let mut wrong = Vec::new();
    for (expected, line) in COMMANDS {
        let run = |out: Stdio, err: Stdio| status(dir.path(), line, out, err);
        let found = [
            run(Stdio::null(), Stdio::null()),
            run(unread(), Stdio::null()),
            run(Stdio::null(), unread()),
            run(unread(), unread()),
        ];
        if found != [expected; 4] {
            wrong.push(format!("{line}: {found:?}, and should be {expected}"));
        }
    }
    assert!(wrong.is_empty(), "read, no reader of output, of errors, of both:\n{}", wrong.join("\n"));
}

/// A reader that goes after the first line, as `head -1` does.
#[test]
fn a_reader_of_one_line_changes_nothing() {
    let dir = folder();
    for (expected, line) in
        [(1, "replay logs.jsonl --fail-on low"), (2, "explain broken.json"), (0, "policy default")]
    {
        let script =
            format!("{{ '{}' {line}; echo $? >status; }} | head -1 >line", env!("CARGO_BIN_EXE_handsoff"));
        Command::new("sh")
            .args(["-c", &script])
            .current_dir(dir.path())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        let read = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
        assert_eq!(read("status").trim(), expected.to_string(), "{line}: {}", read("line"));
    }
}

/// Where the output can't be written for another reason, that is an error: it isn't all there.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let dir = folder();
    for line in ["replay logs.jsonl --format jsonl", "case export cases/whole --format csv", "policy default"]
    {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        assert_eq!(status(dir.path(), line, full.into(), Stdio::null()), 2, "{line}");
    }
}
