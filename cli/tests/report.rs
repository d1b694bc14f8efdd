//! The page that `replay --report` writes, and what `--compare` says: their numbers are those of the other outputs.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::format_push_string,
    dead_code,
    reason = "a test may panic; not every test uses all samples"
)]

mod sample;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use sample::HOSTILE;
use serde_json::{Value, json};

/// A folder with logs and policies.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.put("handsoff.toml", POLICY);
        folder
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn put(&self, name: &str, text: &str) {
        std::fs::create_dir_all(self.at(name).parent().unwrap()).unwrap();
        std::fs::write(self.at(name), text).unwrap();
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_handsoff"))
            .current_dir(self.0.path())
            .args(args)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Standard output, where the status is this one.
    fn out(&self, status: i32, args: &[&str]) -> String {
        let output = self.run(args);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{args:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn lines(&self, args: &[&str]) -> Vec<Value> {
        let text = self.out(0, args);
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn page(&self, name: &str) -> String {
        std::fs::read_to_string(self.at(name)).unwrap()
    }
}

const POLICY: &str = r#"
[[deploy]]
identity = "arn:aws:iam::111122223333:role/deploy"

[[break_glass]]
identity = "arn:aws:iam::111122223333:role/break-glass"
"#;

const BEGAN: i64 = 1_773_453_600;

/// A call at a minute after the beginning.
fn record(n: usize, minute: i64, by: &Value, call: (&str, &str), parameters: &Value) -> String {
    let (source, name) = call;
    json!({
        "eventVersion": "1.11", "userIdentity": by, "eventTime": handsoff_trail::Time(BEGAN + 60 * minute).to_string(),
        "eventSource": format!("{source}.amazonaws.com"), "eventName": name, "awsRegion": "eu-central-1",
        "sourceIPAddress": "192.0.2.1", "userAgent": "aws-cli/2", "requestParameters": parameters,
        "eventID": format!("00000000-0000-4000-8000-{n:012}"), "recipientAccountId": "111122223333", "readOnly": false,
    })
    .to_string()
}

fn user(name: &str) -> Value {
    let arn = format!("arn:aws:iam::111122223333:user/{name}");
    json!({ "type": "IAMUser", "arn": arn, "accountId": "111122223333", "userName": name })
}

fn role(name: &str, session: &str, more: &Value) -> Value {
    let issuer = json!({ "type": "Role", "arn": format!("arn:aws:iam::111122223333:role/{name}"), "userName": name,
        "accountId": "111122223333", "principalId": format!("AROA{name}") });
    let mut context =
        json!({ "sessionIssuer": issuer, "attributes": { "creationDate": "2026-03-14T00:00:00Z" } });
    context.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let arn = format!("arn:aws:sts::111122223333:assumed-role/{name}/{session}");
    json!({ "type": "AssumedRole", "arn": arn, "accountId": "111122223333", "sessionContext": context,
        "principalId": format!("AROA{name}:{session}") })
}

fn workload(name: &str) -> Value {
    role(name, "i-0abc1234def567890", &json!({ "ec2RoleDelivery": "2.0" }))
}

/// Four days: two people, a workload, a role that nobody knows, root, tampering, an emergency, probing, and a user who is
/// made and then used.
fn month(folder: &Folder) {
    let none = json!({});
    let mut days: Vec<Vec<String>> = vec![Vec::new(); 4];
    let mut n = 0;
    for (day, records) in (0..).zip(&mut days) {
        let mut add = |minute: i64, by: &Value, call: (&str, &str), parameters: &Value| {
            n += 1;
            records.push(record(n, day * 1440 + minute, by, call, parameters));
        };
        for minute in 0..(3 + 5 * day) {
            add(minute, &workload("app"), ("ec2", "CreateTags"), &none);
            add(minute, &workload("app"), ("autoscaling", "SetDesiredCapacity"), &none);
            add(
                minute * 9,
                &role("batch", "job", &none),
                ("ecs", "UpdateService"),
                &json!({ "service": "q" }),
            );
            add(
                minute * 7,
                &role("mixed", "job", &none),
                ("ecs", "UpdateService"),
                &json!({ "service": "q" }),
            );
        }
        add(20, &user("ana"), ("rds", "ModifyDBInstance"), &json!({ "dBInstanceIdentifier": "orders" }));
        add(
            25,
            &user("ana"),
            ("lambda", "UpdateFunctionConfiguration20150331v2"),
            &json!({ "functionName": "f" }),
        );
        add(30, &user("ben"), ("ec2", "AuthorizeSecurityGroupIngress"), &json!({ "groupId": "sg-1" }));
        if day == 2 {
            let made = json!({ "userName": "svc-backup" });
            add(40, &workload("app"), ("iam", "CreateUser"), &made);
            add(45, &user("svc-backup"), ("cloudtrail", "StopLogging"), &json!({ "name": "trail" }));
            add(46, &role("mixed", "job", &none), ("iam", "CreateAccessKey"), &json!({ "userName": "ben" }));
            add(50, &role("break-glass", "oncall", &none), ("ec2", "RebootInstances"), &none);
            let root = json!({ "type": "Root", "arn": "arn:aws:iam::111122223333:root", "accountId": "111122223333" });
            add(60, &root, ("s3", "PutBucketCors"), &json!({ "bucketName": "b" }));
            for action in 0..12 {
                let mut denied: Value = serde_json::from_str(&record(
                    900 + action,
                    day * 1440 + 70,
                    &role("scanner", "scan", &none),
                    ("s3", &format!("GetBucket{action}")),
                    &none,
                ))
                .unwrap();
                denied["errorCode"] = "AccessDenied".into();
                records.push(denied.to_string());
            }
        }
    }
    for (day, records) in days.iter().enumerate() {
        folder.put(&format!("logs/{day}.json"), &format!(r#"{{"Records":[{}]}}"#, records.join(",")));
    }
}

/// What stands between two texts, each time.
fn between<'t>(text: &'t str, before: &str, after: &str) -> Vec<&'t str> {
    text.split(before).skip(1).map(|rest| rest.split_once(after).unwrap().0).collect()
}

fn unescaped(text: &str) -> String {
    text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// A page's text, without its tags.
fn bare(html: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for char in html.chars() {
        match char {
            '<' => inside = true,
            '>' => inside = false,
            _ if !inside => text.push(char),
            _ => {}
        }
    }
    unescaped(&text)
}

fn section<'p>(page: &'p str, title: &str) -> &'p str {
    between(page, &format!("<h2>{title}</h2>"), "</section>")[0]
}

fn number(text: &str) -> u64 {
    text.replace(',', "").parse().unwrap_or_else(|_| panic!("no number: {text}"))
}

fn count<K: Ord>(keys: impl IntoIterator<Item = K>) -> BTreeMap<K, u64> {
    let mut counts = BTreeMap::new();
    for key in keys {
        *counts.entry(key).or_default() += 1;
    }
    counts
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}

#[test]
fn the_pages_numbers_are_those_of_the_alerts_and_of_the_summary() {
    let folder = Folder::new();
    month(&folder);
    let alerts = folder.lines(&["replay", "logs", "--alerts", "--format", "jsonl"]);
    let findings = folder.lines(&["replay", "logs", "--format", "jsonl"]);
    assert!(alerts.len() > 20 && findings.len() > 60, "{} alerts, {} findings", alerts.len(), findings.len());
    let summary = folder.out(0, &["replay", "logs", "--report", "report.html"]);
    let page = folder.page("report.html");

    // Each day's bar says its messages by severity.
    let days = section(&page, "Messages a day");
    let bars: BTreeMap<String, u64> = between(days, "<title>", "</title>")
        .iter()
        .map(|title| {
            let (day, said) = title.split_once(": ").unwrap();
            let (all, parts) = said.split_once(" message").unwrap();
            let parts = parts.split_once(": ").unwrap().1.split(", ");
            let sum: u64 = parts.map(|part| number(part.split_once(' ').unwrap().0)).sum();
            assert_eq!(sum, number(all), "{title}");
            (day.to_owned(), sum)
        })
        .collect();
    // Digests are in the table of causes alone.
    let (digests, alerts): (Vec<_>, Vec<_>) =
        alerts.into_iter().partition(|alert| text(alert, "cause") == "digest");
    assert_eq!(bars, count(alerts.iter().map(|alert| text(alert, "time")[..10].to_owned())));
    let by_severity = |title: &str| -> BTreeMap<String, u64> {
        let parts = title.split(": ").nth(2).unwrap().split(", ");
        parts
            .map(|part| part.split_once(' ').unwrap())
            .map(|(n, name)| (name.to_owned(), number(n)))
            .collect()
    };
    for title in between(days, "<title>", "</title>") {
        let on_it = alerts.iter().filter(|alert| text(alert, "time").starts_with(&title[..10]));
        assert_eq!(by_severity(title), count(on_it.map(|alert| text(alert, "severity"))), "{title}");
    }

    // Each cause.
    let causes: BTreeMap<String, u64> = between(days, "<tr><td>", "</b>")
        .iter()
        .map(|row| row.split_once(r#"</td><td class="n"><b>"#).unwrap())
        .map(|(cause, all)| (cause.to_owned(), number(all)))
        .collect();
    assert!(!digests.is_empty());
    assert_eq!(causes, count(alerts.iter().chain(&digests).map(|alert| text(alert, "cause"))));

    // Each incident has a row, with its messages.
    let rows: BTreeMap<String, u64> =
        between(section(&page, "Stories and incidents"), r#"<code class="id">"#, "</tr>")
            .iter()
            .map(|row| row.split_once("</code>").unwrap())
            .map(|(id, rest)| (id.to_owned(), bare(rest).parse().unwrap_or(0)))
            .collect();
    let sent = count(alerts.iter().map(|alert| text(alert, "incident")));
    let found = count(findings.iter().map(|finding| text(finding, "incident")));
    assert_eq!(rows.keys().collect::<Vec<_>>(), found.keys().collect::<Vec<_>>());
    for (id, messages) in &rows {
        assert_eq!(*messages, sent.get(id).copied().unwrap_or_default(), "{id}");
    }

    // The tiles are the summary's.
    let tile = |what: &str| {
        let end = format!("</b><span>{what}</span>");
        number(page.split_once(&end).unwrap().0.rsplit_once("<b>").unwrap().1)
    };
    let of = |line: &str| number(summary.lines().find_map(|it| it.split_once(line)).unwrap().0);
    assert_eq!(tile("records"), of(" records read from"));
    assert_eq!(tile("findings"), of(" findings in "));
    assert_eq!(tile("findings"), findings.len() as u64);
    assert_eq!(tile("incidents"), found.len() as u64);
    assert_eq!(tile("messages"), alerts.len() as u64);

    // Rules: all messages and findings are somewhere among them.
    let rules = section(&page, "The noisiest rules");
    let sums = |what: &str| -> u64 {
        let lines = between(rules, "<br>", "</p>").into_iter();
        lines.map(|line| number(line.split(what).next().unwrap().rsplit([' ', '>']).next().unwrap())).sum()
    };
    assert_eq!((sums(" message"), sums(" finding")), (alerts.len() as u64, findings.len() as u64));

    // Kinds and people: each incident once.
    for title in ["Incidents by kind", "Incidents by person and role"] {
        let bars = between(section(&page, title), r#"<b class="n">"#, "</b>");
        assert_eq!(bars.iter().map(|bar| number(bar)).sum::<u64>(), found.len() as u64, "{title}");
    }
}

#[test]
fn a_user_who_was_made_and_used_is_one_story() {
    let folder = Folder::new();
    month(&folder);
    folder.out(0, &["replay", "logs", "--report", "report.html"]);
    let page = folder.page("report.html");
    let stories = section(&page, "Stories and incidents");
    let story = between(stories, r#"<tbody class="story">"#, "</tbody>");
    assert_eq!(story.len(), 1, "{}", bare(stories));
    let said = bare(story[0]);
    for part in [
        "Story of 2 incidents",
        "iam:CreateUser",
        "svc-backup was made in this story",
        "cloudtrail:StopLogging",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

/// The entries that a page offers: what each hides of messages and findings, and how the policy writes it.
fn offers(page: &str) -> Vec<(u64, u64, String)> {
    let offers = between(page, "entry would hide ", "</pre>").into_iter();
    offers
        .map(|offer| {
            let (numbers, entry) = offer.split_once("<pre>").unwrap();
            let numbers = bare(numbers);
            let mut words = numbers.split(' ');
            (number(words.next().unwrap()), number(words.nth(2).unwrap()), unescaped(entry))
        })
        .collect()
}

#[test]
fn an_entry_that_is_offered_hides_what_the_page_says() {
    let folder = Folder::new();
    month(&folder);
    folder.out(0, &["replay", "logs", "--report", "report.html"]);
    let offers = offers(&folder.page("report.html"));
    let entries: String = offers.iter().map(|(.., entry)| entry.as_str()).collect();
    for part in [
        "[[workload]]\nidentity = \"arn:aws:iam::111122223333:role/app\"\n",
        "role/batch\"\nmay_write",
        "user/ana\"\nactions",
        "role/mixed\"\nactions",
    ] {
        assert!(entries.contains(part), "{part} isn't offered: {entries}");
    }
    for (messages, findings, entry) in &offers {
        folder.put("other.toml", &format!("{POLICY}\n{entry}"));
        let lines = folder.lines(&["replay", "logs", "--compare", "other.toml", "--format", "jsonl"]);
        let only = |what: &str, side: &str| lines[0][what][side].as_u64().unwrap();
        assert_eq!(only("findings", "only_first"), *findings, "{entry}");
        assert_eq!(only("findings", "only_second"), 0, "{entry}");
        // What is left of an incident may be sent otherwise: fewer messages are what counts.
        assert_eq!(only("messages", "first") - only("messages", "second"), *messages, "{entry}");
    }
    assert!(offers.iter().any(|(messages, ..)| *messages > 3));
}

#[test]
fn nothing_is_offered_for_what_is_grave() {
    let folder = Folder::new();
    month(&folder);
    folder.out(0, &["replay", "logs", "--report", "report.html"]);
    let page = folder.page("report.html");
    let entries: String = offers(&page).into_iter().map(|(.., entry)| entry).collect();
    assert!(entries.contains("ecs:UpdateService"));
    for never in [
        "\"iam:",
        "\"cloudtrail:",
        "AuthorizeSecurityGroupIngress",
        "\"s3:",
        "root",
        "break-glass",
        "scanner",
        "svc-backup",
    ] {
        assert!(!entries.contains(never), "{never} is offered: {entries}");
    }
    let rules = bare(section(&page, "The noisiest rules"));
    for why in [
        "nothing hides what root or an emergency identity does",
        "nothing hides an attack on logging",
        "find out what is denied, and why",
    ] {
        assert!(rules.contains(why), "{why}: {rules}");
    }
}

#[test]
fn what_an_attacker_named_is_text() {
    let folder = Folder::new();
    let mut records = Vec::new();
    for (index, hostile) in HOSTILE.iter().enumerate() {
        let n = index * 10;
        let named = json!({ "userName": hostile, "bucketName": hostile, "name": hostile });
        records.push(record(n, 0, &user(hostile), ("iam", "CreateUser"), &named));
        records.push(record(n + 1, 1, &role(hostile, hostile, &json!({})), (hostile, hostile), &named));
        let source = json!({ "sourceIdentity": hostile, "ec2RoleDelivery": "2.0" });
        records.push(record(n + 2, 2, &role("app", hostile, &source), ("sqs", hostile), &named));
        records.push(record(n + 3, 3, &workload(hostile), ("sqs", "CreateQueue"), &named));
        records.push(record(n + 4, 4, &user(hostile), ("cloudtrail", "StopLogging"), &named));
    }
    folder.put("logs.jsonl", &records.join("\n"));
    folder.put("<img src=x onerror=alert(9)>.toml", POLICY);
    let other = "<img src=x onerror=alert(9)>.toml";
    folder.out(
        0,
        &["replay", "logs.jsonl", "--policy", other, "--compare", "handsoff.toml", "--report", "r.html"],
    );
    let page = folder.page("r.html");
    let said = bare(&page);
    for hostile in HOSTILE {
        let shown = handsoff_watch::show::clean(hostile, 128);
        assert!(said.contains(&shown), "{shown} is nowhere");
    }
    assert!(said.contains(other));
    let (head, body) = page.split_once("</head>").unwrap();
    assert!(head.contains(
        r#"content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'""#
    ));
    assert_eq!(head.matches("<style>").count(), 1);
    let mut seen = 0;
    for tag in between(body, "<", ">") {
        seen += 1;
        let name: String =
            tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
        let known = "body header section footer p h1 h2 h3 b span br code pre ul ol li div table thead tbody tr th td figure \
                     figcaption svg g rect line text title html";
        assert!(known.split_whitespace().any(|it| it == name), "an element {tag}");
        for attribute in tag.split_whitespace().filter_map(|part| part.split_once('=')) {
            let known = "class role aria-label aria-hidden width height x y x1 x2 y1 y2 colspan";
            assert!(known.split(' ').any(|it| it == attribute.0), "an attribute in {tag}");
        }
        assert!(!tag.contains("alert(") && !tag.contains("://") && !tag.contains("7*7"), "{tag}");
    }
    assert!(seen > 500, "only {seen} elements");
    // No name that isn't plain gets into an entry.
    let entries: String = offers(&page).into_iter().map(|(.., entry)| entry).collect();
    assert!(!entries.contains("alert(") && !entries.contains("HYPERLINK"), "{entries}");
}

#[test]
fn an_empty_period_says_so_and_is_no_mistake() {
    let folder = Folder::new();
    month(&folder);
    let asked = ["replay", "logs", "--since", "2027-01-01", "--report", "report.html"];
    folder.out(0, &asked);
    let said = bare(&folder.page("report.html"));
    for part in [
        "No record in this period: nothing can be said of what happened",
        "No message would have been sent in this period.",
        "No incident in this period.",
        "No finding in this period.",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    // Records, and nothing to report.
    folder.put("quiet.json", &record(1, 0, &user("ana"), ("ec2", "DescribeInstances"), &json!({})));
    folder.out(0, &["replay", "quiet.json", "--report", "report.html"]);
    let said = bare(&folder.page("report.html"));
    assert!(
        said.contains("1 record from 2026-03-14 02:00:00")
            && said.contains("No message would have been sent"),
        "{said}"
    );
    assert!(!said.contains("nothing can be said"), "{said}");
    // No record at all is not all clear, and the page doesn't say so either.
    folder.put("empty.json", "");
    folder.out(2, &["replay", "empty.json", "--report", "report.html"]);
    assert!(bare(&folder.page("report.html")).contains("nothing can be said of what happened"));
}

#[test]
fn a_period_is_that_of_the_alerts() {
    let folder = Folder::new();
    month(&folder);
    let period = ["--since", "2026-03-15", "--until", "2026-03-16T12:00:00Z"];
    let alerts = folder.lines(&[&["replay", "logs", "--alerts", "--format", "jsonl"][..], &period].concat());
    folder.out(0, &[&["replay", "logs", "--report", "report.html"][..], &period].concat());
    let page = folder.page("report.html");
    let alerts = alerts.iter().filter(|alert| text(alert, "cause") != "digest").count();
    assert!(alerts > 0 && page.contains(&format!("<b>{alerts}</b><span>messages</span>")));
    assert!(bare(&page).contains("from 2026-03-15 00:00:00 to 2026-03-16 12:00:00"), "{}", bare(&page));
}

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

const CHANGED: &str = r#"
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

#[test]
fn the_same_records_give_the_same_page_in_any_order() {
    let folder = Folder::new();
    month(&folder);
    folder.put("changed.toml", CHANGED);
    let files = ["logs/0.json", "logs/1.json", "logs/2.json", "logs/3.json"];
    let rest = ["--compare", "changed.toml", "--format", "jsonl"];
    let once = [&["replay"], &files[..], &["--threads", "1", "--report", "a.html"], &rest].concat();
    let reversed: Vec<&str> = files.into_iter().rev().collect();
    let other = [&["replay"], &reversed[..], &["--threads", "3", "--report", "b.html"], &rest].concat();
    assert_eq!(folder.out(0, &once), folder.out(0, &other));
    assert!(folder.page("a.html") == folder.page("b.html"), "the pages differ");
    // Standard input, of all records in one text, and each of them twice.
    let mut child = Command::new(env!("CARGO_BIN_EXE_handsoff"))
        .current_dir(folder.0.path())
        .args([&["replay", "-", "--report", "c.html"][..], &rest].concat())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let text: String = files.iter().map(|file| folder.page(file)).collect();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), folder.out(0, &once));
    assert!(folder.page("a.html") == folder.page("c.html"), "the page of standard input differs");
}

#[test]
fn a_report_changes_nothing_of_what_is_printed() {
    let folder = Folder::new();
    month(&folder);
    let mut pages = Vec::new();
    for args in [
        &["replay", "logs"][..],
        &["replay", "logs", "--format", "jsonl"],
        &["replay", "logs", "--format", "csv", "--min-severity", "high"],
        &["replay", "logs", "--alerts"],
    ] {
        let plain = folder.out(0, args);
        assert!(plain.len() > 500);
        assert!(plain == folder.out(0, &[args, &["--report", "report.html"]].concat()), "{args:?}");
        // And the page is the same, whatever is printed.
        pages.push(folder.page("report.html"));
    }
    assert!(pages.iter().all(|page| *page == pages[0] && page.len() > 5000));
    folder.out(1, &["replay", "logs", "--fail-on", "high", "--report", "report.html"]);
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn only_a_report_is_replaced_and_it_is_replaced_whole() {
    let folder = Folder::new();
    month(&folder);
    let replay = |report: &str, status: i32| {
        let output = folder.run(&["replay", "logs", "--report", report]);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{report}: {errors}");
        (String::from_utf8(output.stdout).unwrap(), errors)
    };
    replay("report.html", 0);
    let whole = folder.page("report.html");
    // An older one, of other records.
    folder.out(0, &["replay", "logs/0.json", "--report", "report.html"]);
    assert_ne!(folder.page("report.html"), whole);
    replay("report.html", 0);
    assert!(folder.page("report.html") == whole);

    folder.put("mine.html", "<!DOCTYPE html><p>handsoff replay --report is what I use</p>");
    let mine = folder.page("mine.html");
    let (out, errors) = replay("mine.html", 2);
    assert!(out.is_empty(), "nothing is replayed for a report that has no place");
    assert!(
        errors.contains(
            "error: mine.html: the report can't be written: it is there already and is no report of handsoff"
        ),
        "{errors}"
    );
    assert_eq!(folder.page("mine.html"), mine);
    let (_, errors) = replay("nowhere/report.html", 2);
    assert!(
        errors.contains("error: nowhere/report.html: the report can't be written: nowhere is no folder"),
        "{errors}"
    );
    let (_, errors) = replay("logs", 2);
    assert!(errors.contains("error: logs: the report can't be written: it is a folder"), "{errors}");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("report.html", folder.at("link.html")).unwrap();
        let (_, errors) = replay("link.html", 2);
        assert!(
            errors.contains("error: link.html: the report can't be written: it is no plain file"),
            "{errors}"
        );
        std::fs::remove_file(folder.at("link.html")).unwrap();
    }
    assert_eq!(names(folder.0.path()), ["handsoff.toml", "logs", "mine.html", "report.html"]);
}

#[test]
fn options_that_cannot_be_followed_are_refused() {
    let folder = Folder::new();
    month(&folder);
    folder.put("wrong.toml", "[[deploy]]\n");
    for (args, why) in [
        (&["--compare", "wrong.toml"][..], "error: wrong.toml:1:1: [[deploy]] needs `identity`"),
        (&["--compare", "missing.toml"], "error: missing.toml: can't read the policy"),
        (&["--compare", "handsoff.toml", "--format", "csv"], "error: --compare has no CSV"),
    ] {
        let output = folder.run(&[&["replay", "logs"][..], args].concat());
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && errors.contains(why), "{args:?}: {errors}");
        assert!(output.stdout.is_empty());
    }
}
