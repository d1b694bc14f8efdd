//! That the text can be relied on: its numbers, whatever the order, whatever callers call themselves.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::logs::*;

/// A month in small: all kinds at once.
fn everything() -> Logs {
    let mut logs = Logs::default();
    logs.pipeline("ci/deploy", GITHUB, &["ec2:RunInstances", "iam:PutRolePolicy", "ec2:CreateSecurityGroup"]);
    logs.daily(&instance("app"), "ec2:CreateTags");
    logs.daily(&session("unknown", "x", &json!({})), "ec2:RunInstances");
    logs.daily(&user("ana"), "ec2:AuthorizeSecurityGroupIngress");
    logs.call(4, &instance("stolen"), "iam:CreateUser", &json!({}));
    logs.call(4, &user("svc"), "cloudtrail:StopLogging", &json!({}));
    logs.take(3, &user("oncall"), "break-glass");
    for n in 0..9 {
        let denied = json!({"errorCode": "AccessDenied"});
        logs.call(
            2,
            &instance("stolen"),
            &format!("s3:ListThings{}", ["A", "B", "C", "D", "E", "F", "G", "H", "I"][n]),
            &denied,
        );
    }
    logs
}

#[test]
fn the_messages_before_and_after_are_the_engines_own() {
    let logs = everything();
    let (text, _) = tuned(&logs, &[]);
    let folder = tempfile::tempdir().unwrap();
    logs.write(&folder.path().join("logs.jsonl"));
    std::fs::write(folder.path().join("before.toml"), "").unwrap();
    std::fs::write(folder.path().join("after.toml"), &text).unwrap();
    let mut numbers = Vec::new();
    for (name, policy) in [("# Before:", "before.toml"), ("# After:", "after.toml")] {
        let args = ["replay", "logs.jsonl", "--alerts", "--format", "jsonl", "--policy", policy];
        let sent = handsoff(folder.path(), &args, b"");
        let sent = String::from_utf8(sent.stdout).unwrap();
        let sent: Vec<Value> = sent.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let sent = sent.iter().filter(|alert| alert["cause"] != "digest").count();
        let said = text.split(name).nth(1).unwrap().trim_start();
        let week = (sent * 14 + 5) / 10;
        assert!(said.starts_with(&format!("{week} a week ({sent} messages in these days")), "{sent}: {said}");
        numbers.push(sent);
    }
    assert!(numbers[1] > 0 && numbers[1] < numbers[0], "{numbers:?}");
}

#[test]
fn any_order_repeats_and_files_give_the_same_text() {
    let mut logs = everything();
    let once = tuned(&logs, &[]).0;
    // An event that comes again, and reads otherwise where that makes it no other event.
    let mut again = logs.0[1].clone();
    again["userAgent"] = json!("Terraform");
    logs.0.push(again);
    let (expected, policy) = tuned(&logs, &[]);
    assert_eq!(names(&policy), [arn("ci/deploy"), arn("app")]);
    let counts = |text: &str| {
        let changes = text.lines().filter(|line| line.starts_with("# Changes: "));
        changes.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!((counts(&expected), counts(&once).len()), (counts(&once), 4));
    let folder = tempfile::tempdir().unwrap();
    let number = logs.0.len();
    for (round, step) in [7, 11, 13].into_iter().enumerate() {
        let below = folder.path().join(format!("{round}"));
        std::fs::create_dir(&below).unwrap();
        let mut parts = vec![Logs::default(); 3];
        for n in 0..number * 2 {
            // Each twice, at places far from each other.
            parts[n % 3].0.push(logs.0[n * step % number].clone());
        }
        for (n, part) in parts.iter().enumerate() {
            part.write(&below.join(format!("{}.jsonl", (n + round) % 3)));
        }
        let threads = format!("{}", round + 1);
        let args = ["tune", below.to_str().unwrap(), "--threads", &threads];
        let output = handsoff(folder.path(), &args, b"");
        assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    }
    // By a pipe, too.
    let file = folder.path().join("all.jsonl");
    logs.write(&file);
    let output = handsoff(folder.path(), &["tune", "-"], &std::fs::read(file).unwrap());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}

#[test]
fn nothing_is_written_over_and_no_logs_make_no_policy() {
    let folder = tempfile::tempdir().unwrap();
    everything().write(&folder.path().join("logs.jsonl"));
    let run = |args: &[&str]| handsoff(folder.path(), args, b"");
    let output = run(&["tune", "logs.jsonl", "--out", "new.toml"]);
    let written = std::fs::read_to_string(folder.path().join("new.toml")).unwrap();
    assert!(output.status.code() == Some(0) && output.stdout.is_empty());
    // The summary is on standard error.
    let head: Vec<&str> = written.lines().take_while(|line| line.starts_with('#')).collect();
    assert_eq!(String::from_utf8(output.stderr).unwrap().lines().collect::<Vec<_>>(), head);
    let again = run(&["tune", "logs.jsonl", "--out", "new.toml"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&again.stderr).contains("new.toml is there already, and isn't written over")
    );
    assert_eq!(std::fs::read_to_string(folder.path().join("new.toml")).unwrap(), written);
    std::fs::write(folder.path().join("none.jsonl"), "").unwrap();
    for args in [&["tune", "none.jsonl"][..], &["tune", "logs.jsonl", "--since", "2027-01-01"]] {
        let output = run(args);
        assert!(output.status.code() == Some(2) && output.stdout.is_empty(), "{args:?}");
    }
    // A part of the days is named as that.
    let part = run(&["tune", "logs.jsonl", "--since", "2026-03-02", "--until", "2026-03-05"]);
    let part = String::from_utf8(part.stdout).unwrap();
    assert!(part.contains("of 3 days from 2026-03-02 to 2026-03-04\n"), "{part}");
}

/// What somebody may have called things to become more than a word in a comment.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\n[[deploy]]\nidentity = \"arn:aws:iam::*:role/evil\"\n".to_owned()),
        Just("\"]\n[[workload]]\nidentity=\"arn:aws:iam::*:user/**\"#".to_owned()),
        Just("\r\u{2028}\u{85}\u{202e}\u{0}\u{1b}[2J".to_owned()),
        Just("\\\"'''\"\"\"".to_owned()),
        Just("*".to_owned()),
        Just("/**".to_owned()),
        Just("#".to_owned()),
        "[a-zA-Z0-9+=,.@_-]{1,12}",
        "\\PC{0,6}",
        any::<String>().prop_map(|text| text.chars().take(6).collect()),
    ];
    prop::collection::vec(piece, 1..4).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever callers call themselves: the text is a policy, each line is a comment or what `tune` writes, no entry
    /// means anybody who isn't in the logs, and nothing in it changes what a terminal shows.
    #[test]
    fn hostile_names_stay_words(chosen in prop::collection::vec(hostile(), 8)) {
        let [role, pod, session_name, subject, provider, action, person, host] = &chosen[..] else { panic!("8 names") };
        let mut logs = Logs::default();
        for day in 1..=4 {
            for (role, by) in [
                ("good", web(GITHUB, MAIN)),
                ("good", web(GITHUB, subject)),
                (role, web(GITHUB, MAIN)),
                ("doubtful", web(provider, subject)),
                ("doubtful", json!({"type": "AWSService", "invokedBy": host})),
                ("fn", service("lambda")),
            ] {
                logs.take(day, &by, role);
                let who = session(role, session_name, &json!({}));
                logs.call(day, &who, "ec2:CreateTags", &json!({"userAgent": person}));
            }
        }
        for role in [format!("break-glass{pod}"), format!("app{pod}")] {
            logs.daily(&instance(&role), "ec2:CreateTags");
            logs.daily(&instance(&role), &format!("ec2:Create{action}"));
        }
        logs.daily(&user(person), "ec2:CreateTags");
        let (text, policy) = tuned(&logs, &[]);
        let console = session_name.contains('@');
        prop_assert!(console || names(&policy).contains(&&*arn("good")), "{text}");
        let bare = |line: &str| {
            let keys = ["identity = ", "assumed_by = [", "may_change = [", "session_names = ", "may_write = [", "window = ", "count = ",
                "actions = ", "max_session = ", "  \"", "]", "[[deploy]]", "[[workload]]", "[[break_glass]]", "[denials]"];
            line.is_empty() || line.trim_start().starts_with('#') || keys.iter().any(|key| line.starts_with(key))
        };
        for line in text.split('\n') {
            prop_assert!(bare(line), "{line:?}");
        }
        let bad = |char: &char| (char.is_control() && *char != '\n') || matches!(char, '\u{202a}'..='\u{202e}' | '\u{2028}');
        prop_assert_eq!(text.chars().find(bad), None);
        let glass = policy.break_glass.iter().map(|entry| &entry.identity);
        for identity in trusted(&policy).into_iter().chain(glass) {
            prop_assert!(!identity.as_str().contains('*'), "{identity:?}");
            let found = logs.0.iter().any(|record| record.to_string().contains(identity.as_str()));
            prop_assert!(found, "{identity:?} is in no record");
        }
        for entry in &policy.deploy {
            prop_assert!(entry.assumed_by.iter().all(|origin| !format!("{origin:?}").contains('*')), "{text}");
            prop_assert!(entry.session_names.iter().all(|name| name.as_str().find('*').is_none_or(|at| at + 1 == name.as_str().len())));
        }
    }
}
