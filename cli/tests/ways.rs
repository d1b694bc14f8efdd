//! The ways in which a log may come: by name, from standard input, through a named pipe, in gzip. Each gives the same.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use handsoff::input::find;
use handsoff::replay::{Options, judge};
use handsoff_core::Policy;
use serde_json::json;

fn handsoff(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_handsoff"));
    command.current_dir(folder).stdin(Stdio::null());
    command
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Status, standard output, standard error without the file's name, and the cases.
type Told = (i32, String, String, Vec<(PathBuf, String)>);

/// Runs a replay that writes cases. `input` is what standard input, or the named pipe of the folder, is fed with.
fn reported(folder: &Path, source: &str, input: Option<&[u8]>) -> Told {
    let cases = folder.join("cases");
    let _ = fs::remove_dir_all(&cases);
    let mut command = handsoff(folder);
    command.args(["replay", "--format", "jsonl", "--policy", "p.toml", "--cases", "cases", source]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let feeding = input.map(|input| {
        let (input, pipe) = (input.to_vec(), (source != "-").then(|| folder.join(source)));
        std::thread::spawn(move || match pipe {
            None => drop(stdin.write_all(&input)),
            Some(pipe) => drop(fs::OpenOptions::new().write(true).open(pipe).unwrap().write_all(&input)),
        })
    });
    let output = child.wait_with_output().unwrap();
    if let Some(thread) = feeding {
        thread.join().unwrap();
    }
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let name = if source == "-" { "standard input" } else { source };
    let stderr = text(output.stderr).replace(&format!("{name}:"), "FILE:");
    (output.status.code().unwrap(), text(output.stdout), stderr, files(&cases))
}

fn files(below: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(below).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found.sort();
    found
}

const POLICY: &str =
    "[[break_glass]]\nidentity = \"arn:aws:iam::*:role/break-glass\"\nmax_session = \"1h\"\n";

fn call(id: &str, name: &str, role: &str, key: &str) -> serde_json::Value {
    json!({
        "eventVersion": "1.11", "eventID": id, "eventTime": format!("2026-03-14T02:0{id}:00Z"),
        "eventSource": if name == "AssumeRole" { "sts.amazonaws.com" } else { "iam.amazonaws.com" }, "eventName": name,
        "awsRegion": "us-east-1", "recipientAccountId": "111122223333", "sourceIPAddress": "192.0.2.1",
        "userIdentity": {"type": "AssumedRole", "arn": format!("arn:aws:sts::111122223333:assumed-role/{role}/x"),
            "accountId": "111122223333", "accessKeyId": key, "sessionContext": {
                "sessionIssuer": {"arn": format!("arn:aws:iam::111122223333:role/{role}"), "userName": role},
                "attributes": {"creationDate": "2026-03-14T02:00:00Z", "mfaAuthenticated": "false"}}},
    })
}

/// A session that assumes a role, and a call of that role: only its key leads to the session, so the log is read again.
fn chain() -> String {
    let mut taken = call("2", "AssumeRole", "break-glass", "ASIAGLASS");
    taken["requestParameters"] =
        json!({"roleArn": "arn:aws:iam::111122223333:role/Admin", "roleSessionName": "x"});
    taken["responseElements"] = json!({"credentials": {"accessKeyId": "ASIAOTHER", "expiration": "Mar 14, 2026, 3:00:00 AM"},
        "assumedRoleUser": {"arn": "arn:aws:sts::111122223333:assumed-role/Admin/x"}});
    let glass = call("1", "CreateRole", "break-glass", "ASIAGLASS");
    let chained = call("3", "CreateUser", "Admin", "ASIAOTHER");
    format!("{chained}\n{glass}\n{taken}\n")
}

/// A record that another corrects: it is reported instead of the first, so the log is read again.
fn corrected() -> String {
    let first = call("4", "CreateUser", "Dev", "ASIADEV");
    let mut second = call("5", "CreateUser", "Dev", "ASIADEV");
    second["addendum"] = json!({"reason": "UPDATED_DATA", "originalEventID": "4"});
    format!("{{\"Records\":[{first},{second}]}}")
}

/// Inputs of ours, whole and broken.
fn inputs() -> Vec<(String, Vec<u8>)> {
    let good = call("6", "CreateUser", "Dev", "ASIADEV").to_string();
    let deep =
        good.replace(r#""awsRegion""#, &format!(r#""a":{}{},"awsRegion""#, "[".repeat(200), "]".repeat(200)));
    let texts = [
        ("a chain of roles", chain()),
        ("a corrected record", corrected()),
        ("a broken list", format!("{{\"Records\":[]{{\"userIdentity\":{{]}}{good}")),
        ("a record that is nested too deep", format!("{{\"Records\":[{deep},{good}]}}")),
        ("numbers", "{\"Records\":[715715583519980812]}".into()),
        ("a broken line between good ones", format!("{good}\nnot JSON\n{}", chain())),
        ("a cut list", format!("{{\"Records\":[{good},{}", good.get(..90).unwrap())),
        ("Python's dictionaries", "{'eventVersion': '1.08'}\n".repeat(20_000)),
        ("nothing", String::new()),
    ];
    let mut inputs: Vec<_> =
        texts.into_iter().map(|(name, text)| (name.to_owned(), text.into_bytes())).collect();
    inputs.push((
        "bytes that are no text".into(),
        [good.as_bytes(), b"\n{\"eventVersion\":\"\xff\"}\n"].concat(),
    ));
    inputs
}

/// Runs an input each way, and says what came of it.
fn each_way(name: &str, bytes: &[u8]) -> Told {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("p.toml"), POLICY).unwrap();
    fs::write(folder.join("log"), bytes).unwrap();
    fs::write(folder.join("log.gz"), gzip(bytes)).unwrap();
    assert!(Command::new("mkfifo").arg(folder.join("pipe")).status().unwrap().success());
    let by_name = reported(folder, "log", None);
    for (way, source, input) in [
        ("in gzip", "log.gz", None),
        ("from standard input", "-", Some(bytes.to_vec())),
        ("in gzip from standard input", "-", Some(gzip(bytes))),
        ("through a named pipe", "pipe", Some(bytes.to_vec())),
        ("in gzip through a named pipe", "pipe", Some(gzip(bytes))),
    ] {
        assert_eq!(reported(folder, source, input.as_deref()), by_name, "{name} {way}");
    }
    by_name
}

#[test]
fn whichever_way_a_log_comes_it_is_reported_the_same() {
    for (name, bytes) in inputs() {
        let (_, findings, _, cases) = each_way(&name, &bytes);
        match &*name {
            "a chain of roles" => {
                let calls: Vec<&String> = cases
                    .iter()
                    .filter(|(path, _)| path.extension().is_some_and(|kind| kind == "jsonl"))
                    .map(|(_, text)| text)
                    .collect();
                let lines =
                    |text: &&String| text.lines().filter(|line| line.contains("\"event_id\"")).count();
                assert_eq!(calls.iter().map(lines).sum::<usize>(), 3, "{calls:?}");
            }
            "a corrected record" => {
                assert!(findings.contains(r#""event_id":"5""#) && !findings.contains(r#""event_id":"4""#));
            }
            _ => {}
        }
    }
}

/// The problems of a replay during whose first reading something happens to the log.
fn problems_when(log: &str, happens: &(dyn Fn(&Path) + Sync)) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.jsonl");
    fs::write(&path, log).unwrap();
    let found = find(std::slice::from_ref(&path));
    let policy = Policy::parse("p", POLICY).unwrap();
    let options = Options { keep_cases: true, ..Options::default() };
    let (tally, _) = judge(&found.sources, &policy, options, 1, &|_| happens(&path));
    tally.finish(&policy).problems.first().map(|problem| problem.message.clone()).collect()
}

#[test]
fn a_log_that_is_another_when_it_is_read_again_is_named() {
    let append = |path: &Path| {
        fs::OpenOptions::new().append(true).open(path).unwrap().write_all(b"\n").unwrap();
    };
    let remove = |path: &Path| drop(fs::remove_file(path));
    for log in [chain(), corrected()] {
        assert_eq!(problems_when(&log, &|_| ()), [""; 0]);
        let grown = problems_when(&log, &append);
        assert!(grown[0].contains("changed since it was first read"), "{grown:?}");
        let gone = problems_when(&log, &remove);
        assert!(gone[0].contains("can't be read: "), "{gone:?}");
    }
    // What isn't read again may change.
    let once = call("6", "CreateUser", "Dev", "ASIADEV").to_string();
    assert_eq!(problems_when(&once, &append), [""; 0]);
}

#[test]
fn a_copy_that_can_not_be_kept_is_named_only_where_it_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("p.toml"), POLICY).unwrap();
    let replay = |input: &str| {
        let mut command = handsoff(folder);
        command.args(["replay", "--policy", "p.toml", "--format", "jsonl", "-"]).env("TMPDIR", "/nowhere");
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (status, stderr) = replay(&call("6", "CreateUser", "Dev", "ASIADEV").to_string());
    assert_eq!(status, 0, "{stderr}");
    for input in [chain(), corrected()] {
        let (status, stderr) = replay(&input);
        assert!(status == 2 && stderr.contains("no copy could be kept"), "{status} {stderr}");
    }
}

/// Runs a replay that must end soon, and gives status and standard error.
fn ends(folder: &Path, args: &[&str], input: Stdio) -> (i32, String) {
    let mut command = Command::new("timeout");
    command.args(["60", env!("CARGO_BIN_EXE_handsoff"), "replay", "--format", "jsonl"]).args(args);
    let output = command.current_dir(folder).stdin(input).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn devices_and_pipes_neither_hang_nor_fill_the_memory() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("log.json"), call("6", "CreateUser", "Dev", "ASIADEV").to_string()).unwrap();
    assert!(Command::new("mkfifo").arg(folder.join("pipe.json")).status().unwrap().success());
    std::os::unix::fs::symlink("/dev/zero", folder.join("endless.json")).unwrap();
    let (status, stderr) = ends(folder, &[".", "--verbose"], Stdio::null());
    assert_eq!(status, 0, "{stderr}");
    assert!(stderr.contains("2 files in the same folders not read: 2 not a plain file"), "{stderr}");
    for name in ["pipe.json", "endless.json"] {
        assert!(stderr.contains(&format!("left out: ./{name}: not a plain file")), "{stderr}");
    }
    for device in ["endless.json", "/dev/zero", "/dev/null"] {
        let (status, stderr) = ends(folder, &[device], Stdio::null());
        assert!(status == 2 && stderr.contains("a device or a socket"), "{device}: {status} {stderr}");
    }
    let zeros = fs::File::open("/dev/zero").unwrap();
    let (status, stderr) = ends(folder, &["/dev/stdin"], zeros.into());
    assert!(status == 2 && stderr.contains("the rest isn't read"), "{status} {stderr}");
}

/// Hostile files, where they lie beside the checkout.
#[test]
fn the_hostile_files_are_reported_the_same_whichever_way_they_come() {
    let hostile = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/torture");
    if !hostile.is_dir() {
        println!("SKIPPED: the hostile files are not here");
        return;
    }
    let mut tried = 0;
    for entry in fs::read_dir(hostile).unwrap() {
        let path = entry.unwrap().path();
        let kind = path.extension().unwrap_or_default();
        if ["json", "jsonl", "bin"].iter().any(|it| kind == *it) {
            each_way(&path.display().to_string(), &fs::read(&path).unwrap());
            tried += 1;
        }
    }
    assert!(tried > 3, "only {tried} files");
    println!("{tried} files");
}

/// A gzip file of a long record and many short ones, in which nothing repeats, so that a cut loses what lies behind it.
fn large() -> (String, Vec<u8>) {
    let mut dice = fastrand::Rng::with_seed(1);
    let mut noise = |length: usize| (0..length).map(|_| dice.lowercase()).collect::<String>();
    let mut lines = String::new();
    for length in std::iter::once(300_000).chain([200; 2000]) {
        let mut call = call("6", "CreateUser", "Dev", "ASIADEV");
        call["eventID"] = noise(20).into();
        call["requestParameters"] = json!({ "description": noise(length) });
        lines += &(call.to_string() + "\n");
    }
    let bytes = gzip(lines.as_bytes());
    (lines, bytes)
}

#[test]
fn all_that_a_damaged_file_still_gives_is_reported_whichever_way_it_comes() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (lines, whole) = large();
    fs::write(folder.join("p.toml"), POLICY).unwrap();
    // Just behind the long record too, when twice as much of it was waited for.
    for part in [10, 36, 38, 40, 50, 90] {
        let cut = whole.get(..whole.len() * part / 100).unwrap();
        let mut inflated = Vec::new();
        let _ = flate2::read::GzDecoder::new(cut).read_to_end(&mut inflated);
        let records = inflated.split(|byte| *byte == b'\n').count() - 1;
        assert!(lines.as_bytes().starts_with(&inflated));
        fs::write(folder.join("log"), cut).unwrap();
        let by_name = reported(folder, "log", None);
        assert_eq!(by_name.1.lines().count(), records, "{part} %");
        assert!(by_name.0 == 2 && by_name.2.contains("damaged or cut off"), "{}", by_name.2);
        assert_eq!(reported(folder, "-", Some(cut)), by_name, "{part} %");
    }
}
