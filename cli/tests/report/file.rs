//! The file: the same in any order of the records, and put in nobody else's place.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::compare::CHANGED;
use super::logs::*;

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
