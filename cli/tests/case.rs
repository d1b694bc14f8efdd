//! `handsoff case …` and `handsoff grant` as they are run, over unaltered, altered and hostile cases.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    dead_code,
    reason = "a test may panic; not every test uses all samples"
)]

mod sample;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sample::{HOSTILE, Which, write};
use serde_json::Value;

const LINES: &str = "calls-000001.jsonl";

struct Case {
    dir: tempfile::TempDir,
    folder: PathBuf,
}

impl Case {
    fn new(which: Which) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let folder = write(dir.path(), which);
        Self { dir, folder }
    }

    /// `handsoff case COMMAND FOLDER …`
    fn run(&self, command: &str, more: &[&str]) -> (i32, String, String) {
        run(&[&["case", command, self.folder.to_str().unwrap()], more].concat())
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap()
    }

    /// Changes a file.
    fn alter(&self, name: &str, change: impl FnOnce(String) -> String) {
        fs::write(self.folder.join(name), change(self.text(name))).unwrap();
    }

    /// Changes the lines of the first file.
    fn alter_lines(&self, change: impl FnOnce(&mut Vec<String>)) {
        self.alter(LINES, |text| {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            change(&mut lines);
            lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
        });
    }

    fn digest(&self) -> String {
        handsoff_case::manifest::sha256(self.text("manifest.json").as_bytes())
    }
}

fn run(args: &[&str]) -> (i32, String, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_handsoff")).args(args).stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// What no terminal may get.
fn is_harmless(text: &str) -> bool {
    !text.chars().any(|char| {
        (char.is_control() && char != '\n')
            || matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    })
}

#[test]
fn an_unaltered_case_verifies_with_and_without_its_digest() {
    let case = Case::new(Which::Normal);
    let (status, stdout, stderr) = case.run("verify", &[]);
    assert_eq!((status, stderr.as_str()), (0, ""));
    assert!(stdout.contains(&case.digest()) && stdout.contains("closing alert"), "{stdout}");
    let (status, stdout, _) = case.run("verify", &["--digest", &case.digest().to_uppercase()]);
    assert!(status == 0 && stdout.contains("is the one that was sealed"), "{stdout}");
}

#[test]
fn every_alteration_is_named_with_file_and_line_and_nothing_is_exported() {
    type Change = fn(&Case);
    let changes: [(&str, Change); 11] = [
        ("calls-000001.jsonl:5: call 6 stands where call 5 belongs: removed, or swapped", |case| {
            case.alter_lines(|lines| drop(lines.remove(4)));
        }),
        ("calls-000001.jsonl:36: call 36 was changed", |case| {
            case.alter_lines(|lines| lines[35] = lines[35].replace("kms:Decrypt", "kms:Encrypt"));
        }),
        ("calls-000001.jsonl:7: call 8 stands where call 7 belongs", |case| {
            case.alter_lines(|lines| lines.swap(6, 7));
        }),
        ("calls-000001.jsonl:10: call 9 stands where call 10 belongs: added", |case| {
            case.alter_lines(|lines| lines.insert(9, lines[8].clone()));
        }),
        ("calls-000001.jsonl:109: added", |case| {
            case.alter_lines(|lines| lines.push(lines[107].replace("\"n\":108", "\"n\":109")));
        }),
        ("calls-000001.jsonl:108: missing", |case| case.alter_lines(|lines| drop(lines.pop()))),
        ("calls-000001.jsonl: all its lines are there", |case| {
            case.alter(LINES, |text| text.trim_end().to_owned());
        }),
        ("manifest.json: its `summary` is not that of the lines", |case| {
            case.alter("manifest.json", |text| text.replace("\"reads\": 76", "\"reads\": 75"));
        }),
        ("manifest.json: changed: it isn't written the way it was sealed", |case| {
            case.alter("manifest.json", |text| text + "\n");
        }),
        ("calls-000002.jsonl: added: the manifest doesn't list it", |case| {
            fs::write(case.folder.join("calls-000002.jsonl"), "").unwrap();
        }),
        ("calls-000001.jsonl: missing", |case| fs::remove_file(case.folder.join(LINES)).unwrap()),
    ];
    for (named, change) in changes {
        let case = Case::new(Which::Normal);
        change(&case);
        let (status, stdout, _) = case.run("verify", &[]);
        assert!(status == 2 && stdout.starts_with(&format!("ALTERED: {named}")), "{named}\n{stdout}");
        let (status, stdout, _) = case.run("show", &[]);
        assert!(
            status == 2 && stdout.contains(&named[..20]) && stdout.contains("alice@example.com"),
            "{stdout}"
        );
        for format in ["html", "json", "csv"] {
            let (status, stdout, stderr) = case.run("export", &["--format", format]);
            assert!(status == 2 && stdout.is_empty() && stderr.contains(named), "{named}\n{stderr}");
            let (status, stdout, stderr) = case.run("export", &["--format", format, "--unverified"]);
            assert!(status == 0 && stderr.contains(named), "{named}\n{stderr}");
            match format {
                "html" => assert!(stdout.contains("Altered: do not rely on this page")),
                "json" => {
                    let document: Value = serde_json::from_str(&stdout).unwrap();
                    assert!(document["unverified"].as_str().unwrap().starts_with(named));
                }
                _ => assert!(stdout.starts_with("n,time,")),
            }
        }
        let reviewed = case.run("review", &["--reviewer", "bob@example.com", "--note", "fine"]);
        assert_eq!((reviewed.0, reviewed.1.as_str()), (2, ""));
        assert!(!case.folder.join("review.json").exists());
    }
}

#[test]
fn another_digest_and_a_rewritten_case_are_distinguished_from_the_sealed_one() {
    let case = Case::new(Which::Normal);
    let told = case.digest();
    let (status, stdout, _) = case.run("verify", &["--digest", &"0".repeat(64)]);
    assert!(status == 2 && stdout.contains("manifest.json: its digest is"), "{stdout}");
    // What a change of the manifest alone that nothing else contradicts needs the digest of the alert for.
    case.alter("manifest.json", |text| text.replace("INC-1042", "INC-2042"));
    assert_eq!(case.run("verify", &[]).0, 0);
    let (status, stdout, _) = case.run("verify", &["--digest", &told]);
    assert!(status == 2 && stdout.contains("its digest is"), "{stdout}");
}

/// What was pasted or typed wrong is nobody's tampering.
#[test]
fn a_digest_is_taken_as_it_is_pasted_and_what_is_none_is_a_mistake_of_the_call() {
    let case = Case::new(Which::Normal);
    let digest = case.digest();
    for pasted in [
        format!("sha256 {digest}"),
        format!("sha256:{digest}"),
        format!("sha256={digest}"),
        format!("  SHA256  {}\n", digest.to_uppercase()),
    ] {
        let (status, stdout, _) = case.run("verify", &["--digest", &pasted]);
        assert!(status == 0 && stdout.contains("is the one that was sealed"), "{pasted:?}: {stdout}");
    }
    for (typo, why) in [
        (digest[1..].to_owned(), "no digest: it has 63 digits"),
        (format!("x{}", &digest[1..]), "no digest: `x` is no hexadecimal digit"),
        ("sha256".to_owned(), "no digest: the digits are missing"),
        (String::new(), "no digest: the digits are missing"),
        ("glass-5f0c1d2e3a4b".to_owned(), "no digest: `g` is no"),
    ] {
        let (status, stdout, stderr) = case.run("verify", &["--digest", &typo]);
        assert_eq!((status, stdout.as_str()), (2, ""), "{typo:?}");
        assert!(stderr.starts_with("error: ") && stderr.contains(why), "{typo:?}: {stderr}");
    }
    // Unquoted, the digits stand apart; and a folder that isn't there is no altered one.
    for args in [&["--digest", "sha256", &digest][..], &["--digets", &digest]] {
        let (status, stdout, stderr) = case.run("verify", args);
        assert!(status == 2 && stdout.is_empty() && stderr.starts_with("error: "), "{stderr}");
    }
    let (status, stdout, stderr) = run(&["case", "verify", "cases/glass-none", "--digest", &digest]);
    assert!(status == 2 && stdout.is_empty() && stderr.starts_with("error: no case here: "), "{stderr}");
    // A whole digest of something else is what tampering looks like.
    let (status, stdout, _) = case.run("verify", &["--digest", &"0".repeat(64)]);
    assert!(status == 2 && stdout.starts_with("ALTERED: manifest.json: its digest is "), "{stdout}");
}

#[test]
fn where_no_case_is_none_was_altered() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    let missing = dir.path().join("missing");
    let export = ["case", "export", "--format", "html", "--unverified"];
    for folder in [path, missing.to_str().unwrap()] {
        for command in [&["case", "verify"][..], &["case", "show"], &export] {
            let (status, stdout, stderr) = run(&[command, &[folder]].concat());
            assert_eq!((status, stdout.as_str()), (2, ""), "{command:?} {folder}");
            assert!(stderr.starts_with("error: no case here: "), "{command:?} {folder}: {stderr}");
        }
    }
    assert_eq!(run(&["case", "list", path]), (0, "no case\n".into(), String::new()));
    assert_eq!(run(&["case", "list", "/nonexistent"]).0, 2);
    // Of a case whose manifest is gone the calls are left.
    fs::write(dir.path().join(LINES), "").unwrap();
    for command in ["verify", "show"] {
        let (status, stdout, _) = run(&["case", command, path]);
        assert!(status == 2 && stdout.contains("manifest.json: missing"), "{command}: {stdout}");
        assert!(stdout.starts_with("ALTERED"), "{command}: {stdout}");
    }
    let (status, stdout, stderr) = run(&[&export[..], &[path]].concat());
    assert!(status == 2 && stdout.is_empty() && stderr.contains("there is no manifest"), "{stderr}");
}

#[test]
fn cases_are_listed_wherever_they_lie_and_broken_ones_are_named() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("here"), Which::Normal);
    let drill = write(dir.path(), Which::Drill);
    let sealed = dir.path().join("s3/cases/glass-d0000000d111d0000000d111/sealed-0123456789abcdef");
    fs::create_dir_all(sealed.parent().unwrap().join("reviews")).unwrap();
    fs::rename(&drill, &sealed).unwrap();
    let digest = handsoff_case::manifest::sha256(&fs::read(sealed.join("manifest.json")).unwrap());
    let review = |digest: &str, name: &str| {
        let text = format!(
            r#"{{"case":"glass-d0000000d111d0000000d111","digest":"{digest}","reviewer":"alice@example.com","note":"a drill","time":"2026-03-15T08:00:00Z"}}"#
        );
        fs::write(sealed.parent().unwrap().join("reviews").join(name), text).unwrap();
    };
    review(&digest, "1.json");
    let path = dir.path().to_str().unwrap();
    let (status, stdout, stderr) = run(&["case", "list", path, "--format", "jsonl"]);
    assert_eq!((status, stderr.as_str()), (0, ""));
    let lines: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let get = |key: &str| lines.iter().map(|line| line[key].clone()).collect::<Vec<_>>();
    assert_eq!(get("case"), ["glass-5f0c1d2e3a4b6c7d8e9f0a1b", "glass-d0000000d111d0000000d111"]);
    assert_eq!(get("reviewed"), [false, true]);
    assert_eq!(get("drill"), [false, true]);
    assert_eq!(get("calls"), [108, 1]);
    assert_eq!(get("approval"), ["approved", "approved"]);
    let table = run(&["case", "list", path]).1;
    for case in ["glass-5f0c1d2e3a4b6c7d8e9f0a1b ", "glass-d0000000d111d0000000d111 "] {
        assert!(table.contains(&format!("\n{case}")), "a case's name is whole: {table}");
    }
    let (_, stdout, _) = run(&["case", "show", sealed.to_str().unwrap()]);
    assert!(stdout.contains("by alice@example.com") && stdout.contains("a drill"), "{stdout}");

    // A review of something else, and a manifest that isn't one: named, and the others are listed.
    review(&"0".repeat(64), "2.json");
    fs::create_dir_all(dir.path().join("broken")).unwrap();
    fs::write(dir.path().join("broken/manifest.json"), "{\"x\":1}").unwrap();
    let (status, stdout, stderr) = run(&["case", "list", path]);
    assert_eq!((status, stdout.lines().count()), (2, 4), "{stdout}");
    assert!(stderr.contains("broken/manifest.json: no manifest of a case"), "{stderr}");
    assert!(stderr.contains("reviews/2.json: the review is of digest"), "{stderr}");
}

#[test]
fn a_case_reads_well_on_a_terminal() {
    let case = Case::new(Which::Normal);
    let (status, stdout, _) = case.run("show", &[]);
    assert_eq!(status, 0);
    insta::assert_snapshot!(stdout);
    assert!(stdout.lines().all(|line| line.chars().count() <= 100));
    let (_, all, _) = case.run("show", &["--all"]);
    assert!(
        all.contains("rds:DescribeDBInstances x40") && !stdout.contains("rds:DescribeDBInstances x"),
        "{all}"
    );
}

#[test]
fn a_case_is_exported_whole_to_json_and_csv() {
    let case = Case::new(Which::Normal);
    let document: Value = serde_json::from_str(&case.run("export", &["--format", "json"]).1).unwrap();
    let keys: Vec<&String> = document.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["calls", "digest", "manifest", "review"]);
    assert_eq!(document["digest"], case.digest());
    let sealed: Vec<Value> = case
        .text(LINES)
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["call"].take())
        .collect();
    assert_eq!(document["calls"].as_array().unwrap(), &sealed);
    let manifest: Value = serde_json::from_str(&case.text("manifest.json")).unwrap();
    assert_eq!(document["manifest"], manifest);
    let csv = case.run("export", &["--format", "csv"]).1;
    assert_eq!(csv.lines().count(), 109);
    let file = case.dir.path().join("out.csv");
    let (status, stdout, _) = case.run("export", &["--format", "csv", "--output", file.to_str().unwrap()]);
    assert_eq!((status, stdout.as_str()), (0, ""));
    assert_eq!(fs::read_to_string(file).unwrap(), csv);
    assert_eq!(case.run("export", &["--format", "csv", "--output", "/nonexistent/x"]).0, 2);
}

#[test]
fn nothing_that_an_attacker_named_has_power_over_terminal_page_or_spreadsheet() {
    let case = Case::new(Which::Hostile);
    assert_eq!(case.run("verify", &[]).0, 0);
    for (command, more) in [
        ("show", &[][..]),
        ("show", &["--all"]),
        ("list", &[]),
        ("list", &["--format", "jsonl"]),
        ("export", &["--format", "json"]),
        ("export", &["--format", "csv"]),
        ("export", &["--format", "html"]),
    ] {
        let (status, stdout, stderr) = case.run(command, more);
        assert!(status == 0 && is_harmless(&stdout) && is_harmless(&stderr), "{command} {more:?}");
    }
    let document: Value = serde_json::from_str(&case.run("export", &["--format", "json"]).1).unwrap();
    assert_eq!(document["calls"][4]["made"][0], HOSTILE[4], "JSON says what the case says");
    let csv = case.run("export", &["--format", "csv"]).1;
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    for row in reader.records() {
        for cell in &row.unwrap() {
            assert!(!cell.trim_start().starts_with(['=', '+', '-', '@', '|', '%']), "{cell}");
        }
    }
    let page = case.run("export", &["--format", "html"]).1;
    assert!(
        page.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && page.contains("&quot;&gt;&lt;img src=x")
    );
    for tag in [
        "<script",
        "<img",
        "<a ",
        "<link",
        "<iframe",
        "<svg o",
        "href",
        "<form",
        "onload=\"",
        " style=",
        "url(",
    ] {
        assert!(!page.contains(tag), "{tag} is on the page");
    }
    assert_eq!(page.matches("<style>").count(), 1);
    assert!(page.contains(r#"content="default-src 'none'; style-src 'unsafe-inline';"#));
}

/// A folder is somebody's to make: what the program did not write itself is no safer for lying on a disk.
#[test]
fn hand_made_manifests_are_no_way_to_a_terminal() {
    let case = Case::new(Which::Normal);
    case.alter("manifest.json", |text| {
        text.replace("INC-1042", "\\u001b]0;x\\u0007\\u202e")
            .replace("alice@", "\\u009b2J@")
            .replace("bob@", "\u{202e}@")
    });
    for (command, more) in
        [("verify", &[][..]), ("show", &[]), ("list", &[]), ("list", &["--format", "jsonl"])]
    {
        let (_, stdout, stderr) = case.run(command, more);
        assert!(is_harmless(&stdout) && is_harmless(&stderr), "{command}: {stdout}{stderr}");
    }
    for broken in ["{\"format\":\"\\u001b[2J\"}", "[\"\u{1b}\"]", "\u{9b}"] {
        fs::write(case.folder.join("manifest.json"), broken).unwrap();
        for command in ["verify", "show", "list"] {
            let (status, stdout, stderr) = case.run(command, &[]);
            assert!(
                status == 2 && is_harmless(&stdout) && is_harmless(&stderr),
                "{command}: {stdout}{stderr}"
            );
        }
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_or_device_in_the_place_of_a_file_is_named_and_not_waited_for() {
    let case = Case::new(Which::Normal);
    fs::remove_file(case.folder.join(LINES)).unwrap();
    std::os::unix::fs::symlink("/dev/zero", case.folder.join(LINES)).unwrap();
    let (status, stdout, _) = case.run("verify", &[]);
    assert!(status == 2 && stdout.contains("is no plain file"), "{stdout}");
}

#[test]
fn a_review_is_written_once_and_sent_as_an_event() {
    let case = Case::new(Which::Normal);
    let review = |reviewer: &str, note: &str| case.run("review", &["--reviewer", reviewer, "--note", note]);
    for own in ["alice@example.com", " Alice@Example.com "] {
        let (status, stdout, stderr) = review(own, "all mine");
        assert!(
            status == 2 && stdout.is_empty() && stderr.contains("another person has to review it"),
            "{stderr}"
        );
    }
    assert_eq!(review("bob@example.com", " ").0, 2);
    assert!(!case.folder.join("review.json").exists());

    let (status, stdout, stderr) =
        review("bob@example.com", "Compared with INC-1042.\nThe key is gone: \u{1b}[2J");
    assert_eq!(status, 0, "{stderr}");
    assert!(stderr.contains("aws events put-events --entries file:///dev/stdin"), "{stderr}");
    let entries: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(entries.as_array().unwrap().len(), 1);
    assert_eq!(
        (&entries[0]["Source"], &entries[0]["DetailType"]),
        (&"handsoff".into(), &"Break-Glass Review".into())
    );
    let sent = handsoff_case::Review::read(entries[0]["Detail"].as_str().unwrap()).unwrap();
    assert_eq!(sent, handsoff_case::Review::read(&case.text("review.json")).unwrap());
    assert_eq!((sent.digest, sent.case.as_str()), (case.digest(), "glass-5f0c1d2e3a4b6c7d8e9f0a1b"));

    assert_eq!(case.run("verify", &[]).0, 0, "a reviewed case verifies");
    let shown = case.run("show", &[]).1;
    assert!(shown.contains("Compared with INC-1042.") && is_harmless(&shown), "{shown}");
    let again = review("bob@example.com", "Compared with INC-1042.\nThe key is gone: \u{1b}[2J");
    assert_eq!((again.0, again.1), (0, stdout), "the same again is the same event");
    let (status, _, stderr) = review("bob@example.com", "something else");
    assert!(status == 2 && stderr.contains("bob@example.com has reviewed it already"), "{stderr}");
    let names: Vec<_> = fs::read_dir(&case.folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 3, "nothing is left behind: {names:?}");

    case.alter("review.json", |text| text.replace("bob@example.com", "alice@example.com"));
    let (status, stdout, _) = case.run("verify", &[]);
    assert!(status == 2 && stdout.contains("review.json: alice@example.com may be the person"), "{stdout}");
}

#[test]
fn a_grant_is_an_event_that_handsoff_reads() {
    let people =
        ["grant", "--ticket", "INC-1042", "--requester", "alice@example.com", "--role", "break-glass"];
    let with = |more: &[&str]| run(&[&people[..], more].concat());
    let times = ["--from", "2026-03-14T02:00:00Z", "--for", "1h30m"];
    let (status, stdout, stderr) = with(&[&["--approver", "bob@example.com"], &times[..]].concat());
    assert_eq!(status, 0, "{stderr}");
    let entries: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(
        (&entries[0]["Source"], &entries[0]["DetailType"]),
        (&"handsoff".into(), &"Break-Glass Grant".into())
    );
    let sent = handsoff_cloudtrail::Time::parse("2026-03-14T01:59:00Z");
    let grant =
        handsoff_case::Grant::read(entries[0]["Detail"].as_str().unwrap(), "111122223333", sent).unwrap();
    assert_eq!(grant.until.to_string(), "2026-03-14T03:30:00Z");
    let until = ["--from", "2026-03-14T02:00", "--until", "2026-03-14T03:30"];
    assert_eq!(with(&[&["--approver", "bob@example.com"], &until[..]].concat()).1, stdout);
    assert_eq!(with(&["--approver", "bob@example.com", "--for", "2h", "--account", "444455556666"]).0, 0);

    let (status, stdout, stderr) = with(&[&["--approver", "ALICE@example.com"], &times[..]].concat());
    assert!(status == 2 && stdout.is_empty() && stderr.contains("another person has to"), "{stderr}");
    for (wrong, why) in [
        (&["--for", "25h"][..], "at most a day"),
        (&["--from", "2026-03-14", "--until", "2026-03-13"], "later than `from`"),
        (&["--for", "2h", "--account", "1"], "twelve digits"),
        (&["--for", "2h", "--until", "2026-03-14"], "cannot be used with"),
        (&["--for", "soon"], "not a duration"),
        (&[], "required"),
    ] {
        let (status, stdout, stderr) = with(&[&["--approver", "bob@example.com"], wrong].concat());
        assert!(status == 2 && stdout.is_empty() && stderr.contains(why), "{wrong:?}: {stderr}");
    }
}

#[test]
fn a_grant_for_a_role_that_the_policy_does_not_know_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let policy = dir.path().join("p.toml");
    let text = "[[break_glass]]\nidentity = \"arn:aws:iam::444455556666:role/ops/break-glass\"\n\
                [[break_glass]]\nidentity = \"permission-set/EmergencyAdmin\"\n";
    fs::write(&policy, text).unwrap();
    let grant = |role: &str, more: &[&str]| {
        let args =
            ["--ticket", "INC-1", "--requester", "alice", "--approver", "bob", "--for", "2h", "--role", role];
        run(&[&["grant"], &args[..], more].concat())
    };
    let with = ["--policy", policy.to_str().unwrap()];
    for role in [
        "break-glass",
        "arn:aws:iam::444455556666:role/ops/break-glass",
        "permission-set/EmergencyAdmin",
        "root",
    ] {
        let (status, stdout, stderr) = grant(role, &with);
        assert!(status == 0 && stdout.contains("Break-Glass Grant"), "{role}: {stderr}");
        assert!(!stderr.contains("no policy"), "{role}: {stderr}");
    }
    for (role, more) in [
        ("breakglass", &[][..]),
        ("permission-set/EmergencyAdmins", &[]),
        ("break-glass", &["--account", "111122223333"]),
    ] {
        let (status, stdout, stderr) = grant(role, &[&with[..], more].concat());
        assert_eq!((status, stdout.as_str()), (2, ""), "{role}");
        assert!(stderr.starts_with("error: no grant: no [[break_glass]] entry of "), "{stderr}");
        assert!(
            stderr.contains(&format!("`{role}`")) && stderr.contains("`permission-set/EmergencyAdmin`"),
            "{stderr}"
        );
    }
    // Where no policy is, that is said; where one is named that can't be read, nothing is approved.
    let (status, _, stderr) = grant("breakglass", &[]);
    assert!(status == 0 && stderr.contains("not compared with a policy: name one with --policy"), "{stderr}");
    let (status, stdout, stderr) = grant("break-glass", &["--policy", "/nonexistent/p.toml"]);
    assert!(status == 2 && stdout.is_empty() && stderr.contains("the policy can't be read"), "{stderr}");
}

/// The figure that is asked for is 5 s in a release build; this is for one that became slower by far.
#[test]
fn fifty_thousand_calls_are_exported_in_time() {
    let case = Case::new(Which::Long(50_000));
    for format in ["html", "json", "csv"] {
        let file = case.dir.path().join(format);
        let start = Instant::now();
        let (status, _, stderr) =
            case.run("export", &["--format", format, "--output", file.to_str().unwrap()]);
        let took = start.elapsed();
        assert_eq!(status, 0, "{stderr}");
        assert!(took < Duration::from_secs(30), "{format} took {took:?}");
        let last = fs::read_to_string(Path::new(&file)).unwrap();
        assert!(last.contains("object-49999"), "{format} is complete");
    }
}
