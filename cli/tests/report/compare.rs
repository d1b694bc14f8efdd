//! `--compare`: what one policy leads to and the other doesn't.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::logs::*;
use super::page::*;

#[test]
fn a_policy_compared_with_itself_makes_no_difference() {
    let folder = Folder::new();
    month(&folder);
    folder.put("same.toml", POLICY);
    let text = folder.out(0, &["replay", "logs", "--compare", "same.toml", "--report", "report.html"]);
    assert!(
        text.contains("No difference: both policies send the same messages and find the same."),
        "{text}"
    );
    let lines = folder.lines(&["replay", "logs", "--compare", "same.toml", "--format", "jsonl"]);
    assert_eq!(lines.len(), 1);
    let (messages, findings) = (&lines[0]["messages"], &lines[0]["findings"]);
    assert!(messages["first"].as_u64() > Some(20) && messages["first"] == messages["second"], "{messages}");
    assert!(findings["first"].as_u64() > Some(60) && findings["first"] == findings["second"], "{findings}");
    assert_eq!(
        folder.out(0, &["replay", "logs", "--compare", "same.toml", "--alerts", "--format", "jsonl"]),
        ""
    );
    let said = bare(section(&folder.page("report.html"), "Compared with another policy"));
    assert!(said.contains("No difference"), "{said}");
}

pub(super) const CHANGED: &str = r#"
[[deploy]]
identity = "arn:aws:iam::111122223333:role/deploy"

[[deploy]]
identity = "arn:aws:iam::111122223333:user/ana"

[[workload]]
identity = "arn:aws:iam::111122223333:role/app"
may_write = ["ec2:CreateTags"]

[denials]
window = "5m"
count = 100
actions = 100
codes = ["AccessDenied"]

[[break_glass]]
identity = "arn:aws:iam::111122223333:role/mixed"
"#;

/// What is in `from` and not in `what`, as often.
fn minus(from: &BTreeMap<String, u64>, what: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let left = |(key, count): (&String, &u64)| {
        let left = count.saturating_sub(what.get(key).copied().unwrap_or_default());
        (left > 0).then(|| (key.clone(), left))
    };
    from.iter().filter_map(left).collect()
}

#[test]
fn a_changed_policy_makes_exactly_the_difference_of_two_replays() {
    let folder = Folder::new();
    month(&folder);
    folder.put("changed.toml", CHANGED);
    is_the_difference(&folder, "logs");
    let text = folder.out(0, &["replay", "logs", "--compare", "changed.toml", "--min-severity", "high"]);
    assert!(text.contains("What is below high is left out.") && !text.contains(" medium "), "{text}");
}

/// The samples have grants, sessions, corrected records and copies, which are read twice.
#[test]
fn so_it_is_with_every_kind_of_record() {
    let folder = Folder::new();
    let events = concat!(env!("CARGO_MANIFEST_DIR"), "/../events");
    let policy = std::fs::read_to_string(Path::new(events).join("handsoff.toml")).unwrap();
    folder.put("handsoff.toml", &policy);
    folder.put("changed.toml", CHANGED);
    is_the_difference(&folder, events);
}

/// Twelve denied calls, of two actions five minutes apart: by a short window none is broad.
#[test]
fn another_severity_of_the_same_event_is_a_difference() {
    let folder = Folder::new();
    let denied = |n: usize| {
        let (minute, action) = if n < 6 { (0, "GetBucketAcl") } else { (5, "GetBucketCors") };
        let by = role("scanner", "scan", &json!({}));
        let mut denied: Value =
            serde_json::from_str(&record(n, minute, &by, ("s3", action), &json!({}))).unwrap();
        denied["errorCode"] = "AccessDenied".into();
        denied.to_string()
    };
    folder.put("logs.jsonl", &(0..12).map(denied).collect::<Vec<_>>().join("\n"));
    let window = |window: &str| {
        format!("[denials]\nwindow = \"{window}\"\ncount = 5\nactions = 10\ncodes = [\"AccessDenied\"]\n")
    };
    folder.put("handsoff.toml", &window("10m"));
    folder.put("other.toml", &window("1m"));
    let lines = folder.lines(&["replay", "logs.jsonl", "--compare", "other.toml", "--format", "jsonl"]);
    let found: Vec<_> = lines
        .iter()
        .filter(|line| line["compared"] == "findings")
        .map(|line| [&line["only_in"], &line["code"], &line["severity"], &line["count"]])
        .collect();
    let expected = [
        [json!("first"), json!("deny-spike"), json!("medium"), json!(12)],
        [json!("second"), json!("deny-spike"), json!("low"), json!(12)],
    ];
    assert_eq!(found, expected.each_ref().map(<[Value; 4]>::each_ref));
}

fn is_the_difference(folder: &Folder, logs: &str) {
    let by = |policy: &str, alerts: bool| {
        let args = ["replay", logs, "--format", "jsonl", "--policy", policy, "--alerts"];
        folder.lines(&args[..if alerts { 7 } else { 6 }])
    };
    let keys =
        |lines: &[Value], fields: &[&str]| {
            count(lines.iter().map(|line| {
                fields.iter().map(|field| line[*field].to_string()).collect::<Vec<_>>().join(" ")
            }))
        };
    // Findings, each by its event and verdict.
    let kind = |lines: &[Value]| {
        let lines: Vec<Value> = lines
            .iter()
            .map(|line| {
                let who = &line["principal"];
                json!({ "event": [line["event_id"], line["event_time"], line["action"]], "code": line["code"],
                    "severity": line["severity"], "kind": who["kind"], "arn": if who["arn"] == "" { &who["name"] } else { &who["arn"] } })
            })
            .collect();
        keys(&lines, &["event", "code", "severity", "kind", "arn"])
    };
    let (first, second) = (kind(&by("handsoff.toml", false)), kind(&by("changed.toml", false)));
    let compared = folder.lines(&[
        "replay",
        logs,
        "--compare",
        "changed.toml",
        "--format",
        "jsonl",
        "--report",
        "r.html",
    ]);
    let page = folder.page("r.html");
    for (side, expected) in [("first", minus(&first, &second)), ("second", minus(&second, &first))] {
        assert!(!expected.is_empty(), "nothing only in the {side}");
        let mut groups: BTreeMap<String, u64> = BTreeMap::new();
        for (key, count) in &expected {
            // The event is a list, and comes first.
            let group = key.split_once("] ").unwrap().1.to_owned();
            *groups.entry(group).or_default() += count;
        }
        let said = compared.iter().filter(|it| it["compared"] == "findings" && it["only_in"] == side);
        let said: BTreeMap<String, u64> = said
            .map(|it| {
                let key =
                    format!("{} {} {} {}", it["code"], it["severity"], it["principal_kind"], it["principal"]);
                (key, it["count"].as_u64().unwrap())
            })
            .collect();
        assert_eq!(said, groups, "{side}");
        let all: u64 = expected.values().sum();
        assert_eq!(compared[0]["findings"][format!("only_{side}")], all);
        assert!(page.contains(&format!("<h3>Findings only with the {side} policy: {all}</h3>")));
    }
    // Messages, each by what it is.
    let fields = ["time", "incident", "cause", "severity", "tells", "event_id"];
    let (first, second) =
        (keys(&by("handsoff.toml", true), &fields), keys(&by("changed.toml", true), &fields));
    let each = folder.lines(&["replay", logs, "--compare", "changed.toml", "--alerts", "--format", "jsonl"]);
    for (side, expected) in [("first", minus(&first, &second)), ("second", minus(&second, &first))] {
        assert!(!expected.is_empty(), "no message only in the {side}");
        let said: Vec<Value> = each.iter().filter(|it| it["only_in"] == side).cloned().collect();
        assert_eq!(keys(&said, &fields), expected, "{side}");
        let all: u64 = expected.values().sum();
        assert_eq!(compared[0]["messages"][format!("only_{side}")], all);
        let groups = compared.iter().filter(|it| it["compared"] == "messages" && it["only_in"] == side);
        assert_eq!(groups.map(|it| it["count"].as_u64().unwrap()).sum::<u64>(), all);
        assert!(page.contains(&format!("<h3>Messages only with the {side} policy: {all}</h3>")));
    }
}
