//! The command as it is run: what it prints, what it says of bad input, and its exit status.

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

mod run;

use std::io::Write;
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;

use run::handsoff;

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn record(id: &str, name: &str) -> String {
    format!(
        r#"{{"eventVersion":"1.11","userIdentity":{{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/bob","accountId":"111122223333","userName":"bob"}},"eventTime":"2026-03-14T02:00:00Z","eventSource":"ec2.amazonaws.com","eventName":"{name}","awsRegion":"eu-west-1","sourceIPAddress":"192.0.2.1","userAgent":"aws-cli/2","eventID":"{id}","recipientAccountId":"111122223333"}}"#
    )
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn with(self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
        self
    }

    fn run(&self, args: &[&str]) -> (i32, String, String) {
        let output = handsoff(self.0.path(), args, b"");
        (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
    }
}

/// How many findings of how many records: read back from the JSON lines and the summary.
fn found(stdout: &str, stderr: &str) -> (usize, String) {
    let summary = stderr.lines().find(|line| line.contains("read from")).unwrap_or_default();
    (stdout.lines().count(), summary.to_owned())
}

#[test]
fn every_kind_of_file_and_folder_is_read() {
    let (a, b) = (record("a", "RunInstances"), record("b", "StopInstances"));
    let folder = Folder::new()
        .with("x/1.json", format!(r#"{{"Records":[{a}]}}"#))
        .with("x/y/2.json.gz", gzip(format!(r#"{{"Records":[{b}]}}"#).as_bytes()))
        .with("x/3.jsonl", format!("{}\n{}\n", record("c", "RunInstances"), record("d", "RunInstances")))
        .with("x/4.jsonl.gz", gzip(record("e", "RunInstances").as_bytes()))
        .with("x/README.md", "no log")
        .with("named", format!("[{}]", record("f", "RunInstances")))
        .with(
            "two-members.json.gz",
            [gzip(record("g", "RunInstances").as_bytes()), gzip(record("h", "RunInstances").as_bytes())]
                .concat(),
        );
    let (status, stdout, stderr) =
        folder.run(&["replay", "x", "named", "two-members.json.gz", "--format", "jsonl"]);
    assert_eq!(
        (status, found(&stdout, &stderr)),
        (0, (8, "8 records read from 6 files (1 file in the same folders not read: 1 not a log)".into()))
    );
    let output =
        handsoff(folder.0.path(), &["replay", "-", "--format", "jsonl"], gzip(a.as_bytes()).as_slice());
    assert_eq!(text(&output.stdout).lines().count(), 1, "standard input, gzip too");
}

#[test]
fn bad_input_is_named_counted_and_reported_by_the_status_and_the_rest_is_judged() {
    let good = record("a", "RunInstances");
    let whole = gzip(format!("{}\n", record("b", "RunInstances")).repeat(3000).as_bytes());
    let folder = Folder::new()
        .with("1-good.json", &good)
        .with(
            "2-line.jsonl",
            format!("{}\nnot JSON\n{}\n", record("c", "RunInstances"), record("d", "RunInstances")),
        )
        .with("3-cut.json.gz", &whole[..whole.len() / 2])
        .with("4-garbage.json.gz", [&whole[..20], b"garbage garbage garbage"].concat())
        .with(
            "5-utf8.json",
            [record("e", "RunInstances").as_bytes(), b"\n{\"eventName\":\"\xff\"}\n"].concat(),
        )
        .with("6-no-id.json", record("x", "RunInstances").replace(r#""eventID":"x","#, ""))
        .with(
            "7-no-time.json",
            record("y", "RunInstances").replace(r#""eventTime":"2026-03-14T02:00:00Z","#, ""),
        )
        .with("8-other.json", r#"{"foo":1}"#)
        .with("9-empty.json", "");
    let (status, stdout, stderr) = folder.run(&["replay", ".", "missing.json", "--format", "jsonl"]);
    assert_eq!(status, 2);
    let ids: Vec<String> = stdout
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["event_id"].as_str().unwrap().to_owned()
        })
        .collect();
    for id in ["a", "b", "c", "d", "e", "", "y"] {
        assert!(ids.iter().any(|found| found == id), "{id} should be judged: {ids:?}");
    }
    for named in [
        "2-line.jsonl:2:1: not JSON",
        "3-cut.json.gz:",
        "4-garbage.json.gz:1:1: the gzip data is damaged",
        "5-utf8.json:2:15: not UTF-8 text",
        "6-no-id.json:1:1: a record with no eventID",
        "7-no-time.json:1:1: a record with no eventTime",
        "8-other.json:1:1: no CloudTrail record",
        "missing.json: can't be read",
    ] {
        assert!(stderr.contains(named), "{named} is missing in:\n{stderr}");
    }
    assert!(stderr.contains("           6  unreadable") && stderr.contains("           2  odd"), "{stderr}");
}

#[test]
fn of_many_bad_files_one_of_each_kind_is_named_and_all_are_counted() {
    let mut folder = Folder::new().with("0.json", record("a", "RunInstances"));
    for number in 0..300 {
        let (broken, odd) = (format!("b/{number:03}.json"), format!("c/{number:03}.json"));
        folder = folder.with(&broken, "{\"Records\": nonsense}").with(&odd, record("", "RunInstances"));
    }
    let (status, _, stderr) = folder.run(&["replay", ".", "--format", "jsonl", "--threads", "3"]);
    let told = |kind: &str| stderr.lines().filter(|line| line.starts_with(kind)).count();
    assert_eq!((status, told("error: "), told("warning: ")), (2, 101, 1), "{stderr}");
    assert!(
        stderr.contains("error: ./b/100.json:") && stderr.contains("(and 199 more of this kind)"),
        "{stderr}"
    );
    assert!(
        stderr.contains("warning: ./c/000.json:") && stderr.contains("(and 299 more of this kind)"),
        "{stderr}"
    );
    assert!(stderr.contains("         300  unreadable") && stderr.contains("         300  odd"), "{stderr}");
    assert_eq!(folder.run(&["replay", ".", "--format", "jsonl", "--threads", "1"]).2, stderr);
    let (status, _, stderr) = folder.run(&["explain", "b"]);
    // And that no record was read.
    assert_eq!((status, stderr.lines().count()), (2, 102), "{stderr}");
}

#[test]
fn a_gzip_bomb_is_named_and_costs_neither_memory_nor_hours() {
    // 300 MiB of nothing, and a good record beside it.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![b'0'; 1 << 20];
    for _ in 0..300 {
        encoder.write_all(&zeros).unwrap();
    }
    let folder = Folder::new()
        .with("bomb.json.gz", encoder.finish().unwrap())
        .with("good.json", record("a", "RunInstances"));
    let (status, stdout, stderr) = folder.run(&["replay", ".", "--format", "jsonl"]);
    assert_eq!((status, stdout.lines().count()), (2, 1));
    assert!(stderr.contains("bomb.json.gz:1:") && stderr.contains("a gzip bomb"), "{stderr}");
}

#[test]
fn the_status_tells() {
    let folder = Folder::new().with("a.json", record("a", "RunInstances"));
    assert_eq!(folder.run(&["replay", "a.json"]).0, 0, "findings alone are no failure");
    assert_eq!(folder.run(&["replay", "a.json", "--fail-on", "medium"]).0, 1);
    assert_eq!(folder.run(&["replay", "a.json", "--fail-on", "high"]).0, 0);
    assert_eq!(folder.run(&["replay", "none.json", "--fail-on", "medium"]).0, 2);
    assert_eq!(folder.run(&["replay", "a.json", "--policy", "none.toml"]).0, 2);
    assert_eq!(folder.run(&["replay", "a.json", "--deploy-role", "arn:aws:iam::*"]).0, 2);
    assert_eq!(folder.run(&["replay"]).0, 2);
}

#[test]
fn a_closed_standard_error_changes_nothing_of_what_is_found() {
    let folder = Folder::new().with("a.json", record("a", "RunInstances")).with("b.json", "broken");
    let script = format!("{} replay . --format jsonl --fail-on medium 2>&-", env!("CARGO_BIN_EXE_handsoff"));
    let output = Command::new("sh").args(["-c", &script]).current_dir(folder.0.path()).output().unwrap();
    assert_eq!((output.status.code(), text(&output.stdout).lines().count()), (Some(2), 1));
}

#[test]
fn a_policys_text_reaches_no_terminal_as_it_is() {
    let folder = Folder::new()
        .with("p.toml", "\"x\\u001b]0;y\\u0007\" = 1\n")
        .with("a.json", record("a", "RunInstances"));
    let (status, stdout, stderr) = folder.run(&["policy", "check", "p.toml"]);
    assert!(status == 2 && stdout.is_empty() && !stderr.contains('\u{1b}'), "{stdout}{stderr}");
    assert!(stderr.starts_with("error: p.toml:") && stderr.contains("unknown key"), "{stderr}");
    let hostile = "[[deploy]]\nidentity = \"arn:aws:iam::*:role/x\\u001b[2J\"\n";
    let folder = folder.with("q.toml", hostile);
    let (_, stdout, _) = folder.run(&["policy", "check", "q.toml", "--logs", "a.json"]);
    assert!(stdout.contains("matches no identity") && !stdout.contains('\u{1b}'), "{stdout}");
    assert_eq!(folder.run(&["replay", "a.json", "--since", "2026-03-15", "--until", "2026-03-14"]).0, 2);
}

#[test]
fn options_choose_what_is_reported() {
    let folder =
        Folder::new().with("a.json", record("a", "RunInstances")).with("b.json", record("b", "CreateTags"));
    let lines =
        |args: &[&str]| folder.run(&[&["replay", ".", "--format", "jsonl"], args].concat()).1.lines().count();
    assert_eq!(lines(&[]), 2);
    assert_eq!(lines(&["--min-severity", "medium"]), 1);
    assert_eq!(lines(&["--since", "2026-03-15"]), 0);
    assert_eq!(lines(&["--since", "2026-03-14T02:00:00Z", "--until", "2026-03-15"]), 2);
    assert_eq!(lines(&["--until", "2026-03-14T02:00:00Z"]), 0, "until is the first moment left out");
    assert_eq!(lines(&["--deploy-role", "bob"]), 0);
    assert_eq!(lines(&["--deploy-role", "arn:aws:iam::111122223333:user/bob"]), 0);
    assert_eq!(lines(&["--break-glass", "bob", "--min-severity", "low"]), 2);
    let (_, stdout, _) = folder.run(&["replay", ".", "--break-glass", "bob", "--format", "jsonl"]);
    assert!(stdout.lines().all(|line| line.contains(r#""code":"glass-activity""#)), "{stdout}");
    let csv = folder.run(&["replay", ".", "--format", "csv"]).1;
    assert!(csv.starts_with("code,severity,incident,") && csv.lines().count() == 3, "{csv}");
}

#[test]
fn the_policy_of_the_folder_holds_unless_another_is_named() {
    let policy = "[[deploy]]\nidentity = \"arn:aws:iam::*:user/bob\"\n";
    let folder = Folder::new()
        .with("a.json", record("a", "RunInstances"))
        .with("handsoff.toml", policy)
        .with("other.toml", "");
    assert_eq!(folder.run(&["replay", "a.json", "--format", "jsonl"]).1, "");
    assert_eq!(
        folder.run(&["replay", "a.json", "--format", "jsonl", "--policy", "other.toml"]).1.lines().count(),
        1
    );
}

#[test]
fn output_is_the_same_on_any_number_of_threads() {
    let events = concat!(env!("CARGO_MANIFEST_DIR"), "/../events");
    let folder = Folder::new();
    for format in ["text", "jsonl", "csv"] {
        for alerts in [&[][..], &["--alerts"][..]] {
            let run = |threads: &str| {
                folder.run(&[&["replay", events, "--format", format, "--threads", threads], alerts].concat())
            };
            let one = run("1");
            assert!(one.1.len() > 1000);
            assert_eq!(one, run("2"));
            assert_eq!(one, run("7"));
        }
    }
}

#[test]
fn a_progress_bar_is_for_terminals() {
    let folder = Folder::new().with("a.json", record("a", "RunInstances"));
    let (_, stdout, stderr) = folder.run(&["replay", "a.json"]);
    assert!(!stdout.contains('\u{1b}') && stderr.is_empty(), "{stderr}");
}

#[test]
fn text_fits_a_hundred_columns() {
    let events = concat!(env!("CARGO_MANIFEST_DIR"), "/../events");
    let policy = concat!(env!("CARGO_MANIFEST_DIR"), "/../events/handsoff.toml");
    let (_, stdout, _) = Folder::new().run(&["replay", events, "--policy", policy]);
    // A link is clicked, or copied: half of it is none.
    let (links, others): (Vec<&str>, Vec<&str>) =
        stdout.lines().partition(|line| line.starts_with("  link     https://"));
    for line in others {
        assert!(line.chars().count() <= 100, "{line}");
    }
    assert!(links.len() > 20 && links.iter().all(|link| link.contains("#/events/")), "{links:?}");
}

#[test]
fn explain_tells_the_whole_way() {
    let folder = Folder::new()
        .with("a.json", record("a", "RunInstances"))
        .with("b.json", record("b", "DescribeInstances"));
    insta::assert_snapshot!(folder.run(&["explain", "a.json", "--deploy-role", "deploy"]).1);
    insta::assert_snapshot!(folder.run(&["explain", "b.json"]).1);
    let (status, stdout, stderr) = folder.run(&["explain", "a.json", "--event-id", "b"]);
    assert_eq!(
        (status, stdout.as_str(), stderr.as_str()),
        (2, "", "error: no record has the event ID `b`\n")
    );
}

#[test]
fn incidents_and_alerts_read_well() {
    let lines = [
        record("a", "RunInstances"),
        record("b", "StopInstances").replace("02:00:00", "02:05:00"),
        record("c", "DeleteFlowLogs").replace("02:00:00", "02:10:00"),
    ];
    let folder = Folder::new().with("a.jsonl", lines.join("\n"));
    insta::assert_snapshot!(folder.run(&["replay", "a.jsonl"]).1);
    insta::assert_snapshot!(folder.run(&["replay", "a.jsonl", "--alerts"]).1);
    insta::assert_snapshot!(folder.run(&["replay", "a.jsonl", "--alerts", "--format", "jsonl"]).1);
    insta::assert_snapshot!(folder.run(&["replay", "a.jsonl", "--format", "jsonl"]).1);
}

#[test]
fn what_an_entry_allows_and_no_record_needs_is_named() {
    let policy = r#"[[deploy]]
identity = "arn:aws:iam::*:user/bob"
assumed_by = ["arn:aws:iam::*:role/ci"]
may_change = ["ordinary", "sharing", "ec2:Run*", "iam:CreateRole"]
"#;
    let folder = Folder::new().with("handsoff.toml", policy).with("a.json", record("a", "RunInstances"));
    let (status, stdout, _) = folder.run(&["policy", "check", "--logs", "a.json"]);
    let unused = |change: &str| {
        stdout.contains(&format!(
            "handsoff.toml:1 [[deploy]]: `may_change` lists `{change}`, which nothing in these logs needed"
        ))
    };
    assert_eq!(status, 0);
    let found = ["ordinary", "sharing", "ec2:Run*", "iam:CreateRole"].map(unused);
    assert_eq!(found, [false, true, false, true], "{stdout}");
}

#[test]
fn a_policy_is_checked() {
    let policy = r#"[[deploy]]
identity = "arn:aws:iam::*:user/nobody"
[[exception]]
identity = "arn:aws:iam::*:user/bob"
actions = ["ec2:*"]
owner = "ops@example.com"
reason = "test"
until = 2020-01-31
"#;
    let folder = Folder::new()
        .with("handsoff.toml", policy)
        .with("a.json", record("a", "RunInstances"))
        .with("bad.toml", "[deploy]\nx=1");
    let (status, stdout, _) = folder.run(&["policy", "check", "--logs", "a.json"]);
    assert_eq!(status, 0);
    insta::assert_snapshot!(stdout, @r"
    handsoff.toml:3 [[exception]]: expired since 2020-01-31; owner ops@example.com: remove it, or agree on a new end date
    handsoff.toml:3 [[exception]]: `ec2:*` of `actions` covers severe changes, such as `ec2:AssociateIamInstanceProfile` and 45 more: name the actions that are meant
    handsoff.toml:1 [[deploy]]: `arn:aws:iam::*:user/nobody` matches no identity in these logs
    handsoff.toml:3 [[exception]]: covers no call in these logs
    handsoff.toml: 1 [[deploy]], 0 [[break_glass]], 0 [[workload]], 1 [[exception]] entries; 4 warnings
    ");
    let (status, stdout, stderr) = folder.run(&["policy", "check", "bad.toml"]);
    assert_eq!((status, stdout.as_str()), (2, ""));
    assert!(stderr.starts_with("error: bad.toml:"), "{stderr}");
    insta::assert_snapshot!(stderr, @r"
    error: bad.toml:1:1: `deploy` should be a list of tables: [[deploy]], and is of type table
      |
    1 | [deploy]
      | ^^^^^^^^
    ");
    for command in ["check", "parameters"] {
        let (status, stdout, stderr) = folder.run(&["policy", command, "none.toml"]);
        assert_eq!((status, stdout.as_str()), (2, ""));
        assert!(stderr.starts_with("error: none.toml: can't read the policy"), "{stderr}");
    }
    for command in ["check", "parameters"] {
        let (status, stdout, stderr) = Folder::new().run(&["policy", command]);
        assert_eq!((status, stdout.as_str()), (2, ""));
        let begin = "error: no handsoff.toml in this folder: name your policy, or begin one with `handsoff policy default";
        assert!(stderr.starts_with(begin), "{stderr}");
    }
    let (status, stdout, _) = folder.run(&["policy", "default"]);
    assert_eq!((status, stdout.as_str()), (0, handsoff_core::policy::DEFAULT));
    let (status, stdout, _) = folder.run(&["policy", "schema"]);
    assert_eq!((status, stdout.as_str()), (0, handsoff::load::SCHEMA));
}

#[test]
fn a_typo_in_an_action_is_a_mistake_and_what_nobody_knows_a_warning() {
    let entry = |actions: &str| {
        format!("[[workload]]\nidentity = \"arn:aws:iam::*:role/x\"\nmay_write = [{actions}]\n")
    };
    let folder = Folder::new()
        .with("typo.toml", entry(r#""s3:PutObject", "s3:PutObjct""#))
        .with("new.toml", entry(r#""ec2:BrandNewOperation", "futureservice:Do", "s3:Zap*""#));
    let (status, stdout, stderr) = folder.run(&["policy", "check", "typo.toml"]);
    assert_eq!(status, 2, "{stdout}");
    let what = "error: typo.toml:1 [[workload]]: `s3:PutObjct` of `may_write` is no action: did you mean `s3:PutObject`?";
    assert!(stderr.starts_with(what) && stderr.lines().count() == 1, "{stderr}");
    let (status, stdout, stderr) = folder.run(&["policy", "check", "new.toml"]);
    assert_eq!((status, stderr.as_str()), (0, ""));
    assert!(stdout.ends_with("; 3 warnings\n") && stdout.lines().count() == 4, "{stdout}");
}

#[test]
fn a_policys_parameters_are_printed() {
    let entry = |list: &str, name: &str| format!("[[{list}]]\nidentity = \"arn:aws:iam::*:{name}\"\n");
    let glass = ["role/ops/break-glass", "user/emergency/*"].map(|name| entry("break_glass", name));
    let policy = [glass.concat(), entry("deploy", "role/deploy-*")].concat();
    let listed = "assumed_by = [\"service:codebuild.amazonaws.com\"]\n";
    let many = |name: &str| -> String {
        (0..60).map(|number| entry("deploy", &format!("{name}-{number}")) + listed).collect()
    };
    let (long, stars) = (many(&format!("role/{}", "x".repeat(50))), many("user/*x"));
    let folder = Folder::new()
        .with("handsoff.toml", policy)
        .with("empty.toml", "")
        .with("long.toml", long)
        .with("stars.toml", stars);
    let (status, stdout, stderr) = folder.run(&["policy", "parameters"]);
    assert_eq!((status, stderr.as_str()), (0, ""));
    insta::assert_snapshot!(stdout, @r"
    BreakGlassNames=break-glass
    BreakGlassNamePrefixes=/
    BreakGlassWildcards=emergency/*
    BreakGlassAnyAssumed=no
    DeployRoleNames=/
    DeployRoleNamePrefixes=/
    DeployRoleWildcards=deploy-*
    DeployRoleAnyAssumed=no
    ");
    let (status, stdout, _) = folder.run(&["policy", "parameters", "empty.toml"]);
    assert_eq!((status, stdout.matches("=/\n").count(), stdout.matches("=no\n").count()), (0, 6, 2));
    // What can't be named one by one costs more.
    for file in ["long.toml", "stars.toml"] {
        let (status, stdout, stderr) = folder.run(&["policy", "parameters", file]);
        assert!(status == 0 && stdout.contains("DeployRoleWildcards=*\n"), "{stdout}");
        assert!(stderr.contains("[[deploy]]: EventBridge doesn't accept rules that name these"), "{stderr}");
        let (status, stdout, _) = folder.run(&["policy", "check", file]);
        assert!(status == 0 && stdout.contains("; 1 warnings"), "{stdout}");
    }
    assert_eq!(folder.run(&["policy", "parameters", "none.toml"]).0, 2);
}

#[test]
fn parameters_that_cannot_be_deployed_are_an_error() {
    let text = "[[deploy]]\nidentity = \"arn:aws:iam::*:role/a-*\"\n\
                assumed_by = [\"service:codebuild.amazonaws.com\"]\n";
    let folder = Folder::new().with("handsoff.toml", text);
    let check = |parameters: &str| folder.run(&["policy", "check", "--parameters", parameters]);
    let (status, stdout, _) = check("DeployRoleWildcards=a-*");
    assert!(status == 0 && stdout.contains("0 warnings"), "{stdout}");
    let (status, _, stderr) = check("DeployRoleWildcards=a-*,b/*,c/*,d/*");
    let why = "error: DeploySessionsRule has an event pattern of complexity 1";
    assert!(
        status == 2 && stderr.contains(why) && stderr.contains("EventBridge accepts 10: `handsoff"),
        "{stderr}"
    );
    let (status, _, stderr) = check("DeployRoleNames=a-1");
    let why = "error: handsoff.toml:1 [[deploy]]: the event rules leave it out";
    assert!(status == 2 && stderr.contains(why), "{stderr}");
}
