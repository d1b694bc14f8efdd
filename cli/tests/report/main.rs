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

#[path = "../sample/mod.rs"]
mod sample;

mod compare;
mod file;
mod logs;
mod page;

use std::collections::BTreeMap;

use sample::HOSTILE;
use serde_json::json;

use logs::*;
use page::*;

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
        "svc-backup was created in this story",
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
        "no entry can hide what root or an emergency identity does",
        "no entry can hide an attack on logging",
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
        let shown = handsoff_core::show::clean(hostile, 128);
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
        "No record in this period: the result says nothing about what happened",
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
    assert!(!said.contains("says nothing about what happened"), "{said}");
    // No record at all is not all clear, and the page doesn't say so either.
    folder.put("empty.json", "");
    folder.out(2, &["replay", "empty.json", "--report", "report.html"]);
    assert!(bare(&folder.page("report.html")).contains("the result says nothing about what happened"));
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
