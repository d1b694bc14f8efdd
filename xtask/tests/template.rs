//! `template.yaml` is what its parts make, and a detector's folder is all that it takes.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may panic"
)]

mod common;

use std::collections::BTreeSet;

use common::{Copy, root};
use saphyr::{LoadableYamlNode, Yaml};
use xtask::{Error, template};

const PART: &str = "functions/throw-away/part.yaml";
const PATTERN: &str = "functions/throw-away/patterns/first.json";

/// A detector that there isn't, with all that a part may have.
const THROW_AWAY: &str = r#"
order: 9
description: Nothing
unjudged: nothing may have gone untold
writes_cases: true

rules:
  # What comes first.
  ThrowAwayFirstRule:
    name: handsoff-first
    description: All of it to the throw-away detector
    # All of it.
    pattern: first.json

resources:
  ThrowAwayThing:
    Type: AWS::SNS::Topic

parameters:
  ThrowAwayNames:
    Type: String
    Default: ""

conditions:
  HasThrowAways: !Not [!Equals [!Ref ThrowAwayNames, ""]]

function:
  Timeout: 30

source:
  BatchSize: 7
  MaximumBatchingWindowInSeconds: 10

environment:
  HANDSOFF_OTHERS: "{{ detectors | length }}"

statements:
  - Sid: ThrowAway
    Effect: Allow
    Action: sns:Publish
    Resource: !Ref ThrowAwayThing

alarms:
  ThrowAwayAlarm:
    AlarmName: handsoff-throw-away

widgets:
  first: |
    "title": "Throw away", "metrics": []
"#;

/// The template with one more detector.
fn with_one_more() -> String {
    let copy = Copy::new();
    copy.write(PART, THROW_AWAY);
    copy.write(PATTERN, r#"{"source":[{"prefix":"aws."}],"detail":{"account":["${AWS::AccountId}"]}}"#);
    template::make(copy.root()).unwrap().text
}

/// What a resource, or another entry below a head, is: its text without its comments.
fn entry<'t>(template: &'t str, head: &str, name: &str) -> &'t str {
    let below = &template[template.find(&format!("\n{head}:\n")).unwrap()..];
    let start = below.find(&format!("\n  {name}:")).unwrap_or_else(|| panic!("{head} has no {name}"));
    let text = &below[start + 1..];
    let end = text.lines().skip(1).find(|line| {
        let deep = line.starts_with("   ") || line.is_empty();
        !deep
    });
    end.map_or(text, |line| &text[..text.find(line).unwrap()])
}

fn resources(template: &str) -> BTreeSet<String> {
    let template = Yaml::load_from_str(template).unwrap().remove(0);
    let resources = template["Resources"].as_mapping().unwrap();
    resources.keys().map(|name| name.as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_committed_template_is_what_its_parts_make() {
    let made = template::make(&root()).unwrap();
    assert!(made.text.lines().count() > 1500);
    if let Err(why) = made.check(&root()) {
        panic!("{why}");
    }
}

#[test]
fn the_first_line_that_differs_is_named() {
    let copy = Copy::new();
    template::make(copy.root()).unwrap().check(copy.root()).unwrap();
    copy.change("template.yaml", "QueueName: handsoff-drift\n", "QueueName: handsoff-drifted\n");
    let why = template::make(copy.root()).unwrap().check(copy.root()).unwrap_err();
    let text = std::fs::read_to_string(copy.root().join("template.yaml")).unwrap();
    let line = 1 + text.lines().position(|line| line.contains("handsoff-drifted")).unwrap();
    let Error::Stale(found) = &why else { panic!("{why}") };
    assert_eq!(found.line, line);
    assert!(why.to_string().starts_with(&format!("template.yaml:{line}: ")), "{why}");
    assert!(why.to_string().contains("QueueName: handsoff-drifted"), "{why}");

    // A line break that is missing at the end is a difference, too.
    let made = template::make(copy.root()).unwrap();
    copy.write("template.yaml", made.text.trim_end());
    assert!(made.check(copy.root()).is_err());
    made.write(copy.root()).unwrap();
    made.check(copy.root()).unwrap();
}

#[test]
fn a_folder_is_all_that_a_detector_takes() {
    let before = resources(&template::make(&root()).unwrap().text);
    let template = with_one_more();
    let new: Vec<String> = resources(&template).into_iter().filter(|name| !before.contains(name)).collect();
    let expected = [
        "ThrowAwayAlarm",
        "ThrowAwayDeadLetters",
        "ThrowAwayDeadLettersAlarm",
        "ThrowAwayFirstRule",
        "ThrowAwayFunction",
        "ThrowAwayLogs",
        "ThrowAwayQueue",
        "ThrowAwayQueuePolicy",
        "ThrowAwayRole",
        "ThrowAwayThing",
    ];
    assert_eq!(new, expected);
}

#[test]
fn what_is_a_detectors_own_is_where_it_belongs() {
    let template = with_one_more();
    for (head, name, texts) in [
        (
            "Resources",
            "ThrowAwayFirstRule",
            &[
                "    DependsOn: [ThrowAwayQueuePolicy, DeadLettersPolicy]",
                "      Name: handsoff-first\n",
                "      # All of it.\n",
                r#"EventPattern: !Sub >-
        {"source":[{"prefix":"aws."}],"detail":{"account":["${AWS::AccountId}"]}}"#,
                "          Arn: !GetAtt ThrowAwayQueue.Arn\n",
            ][..],
        ),
        // Six times 30 seconds, and ten.
        ("Resources", "ThrowAwayQueue", &["QueueName: handsoff-throw-away\n", "VisibilityTimeout: 190\n"]),
        ("Resources", "ThrowAwayQueuePolicy", &["rule/handsoff-first\n", "role/handsoff-throw-away\""]),
        (
            "Resources",
            "ThrowAwayFunction",
            &[
                "FunctionName: handsoff-throw-away\n",
                "      Timeout: 30\n",
                "            BatchSize: 7\n            MaximumBatchingWindowInSeconds: 10\n",
                "          HANDSOFF_OTHERS: \"5\"\n",
            ],
        ),
        (
            "Resources",
            "ThrowAwayRole",
            &["              - Sid: ThrowAway\n", "              - Sid: TakeEvents\n"],
        ),
        ("Resources", "ThrowAwayAlarm", &["      AlarmName: handsoff-throw-away\n      AlarmActions:"]),
        (
            "Resources",
            "ThrowAwayDeadLettersAlarm",
            &["Events that handsoff-throw-away has not judged: nothing may have gone untold."],
        ),
        ("Parameters", "ThrowAwayNames", &["    Type: String\n"]),
        ("Conditions", "HasThrowAways", &["!Not [!Equals [!Ref ThrowAwayNames, \"\"]]"]),
        ("Metadata", "AWS::CloudFormation::Interface", &["Parameters: [ThrowAwayNames]"]),
    ] {
        let found = entry(&template, head, name);
        for text in texts {
            assert!(found.contains(text), "{name} should have {text:?}:\n{found}");
        }
    }
    assert!(template.contains("  # What comes first.\n  ThrowAwayFirstRule:"));
    assert!(template.contains("-> five detectors ->"));
}

#[test]
fn what_lists_all_detectors_lists_a_new_one() {
    let template = with_one_more();
    for (name, texts) in [
        (
            "DeadLettersPolicy",
            &["!Ref ThrowAwayDeadLetters, ", "rule/handsoff-first\n", "role/handsoff-throw-away\n"][..],
        ),
        ("CommonPolicy", &["!Ref ThrowAwayRole, "]),
        ("RedriveRole", &["- !GetAtt ThrowAwayDeadLetters.Arn\n", "!GetAtt ThrowAwayQueue.Arn]"]),
        ("Table", &["role/handsoff-throw-away\n"]),
        ("CasesBucketPolicy", &["role/handsoff-throw-away\n"]),
        ("AlertTopicPolicy", &["- !GetAtt ThrowAwayRole.Arn\n"]),
        ("ReturnedAlarm", &[" and /aws/lambda/handsoff-throw-away which"]),
        // Calls on the mappings of the other functions are attacks, too.
        ("DriftFunction", &["- !Ref ThrowAwayFunctionQueue\n"]),
    ] {
        let found = entry(&template, "Resources", name);
        let found = if name == "ReturnedAlarm" {
            found.split_whitespace().collect::<Vec<_>>().join(" ")
        } else {
            found.to_owned()
        };
        for text in texts {
            assert!(found.contains(text), "{name} should have {text:?}:\n{found}");
        }
    }
    let dashboard = entry(&template, "Resources", "Dashboard");
    for text in [
        "${ThrowAwayDeadLettersAlarm.Arn}",
        "${ThrowAwayAlarm.Arn}",
        "[\"...\", \"handsoff-throw-away\"]",
        "${ThrowAwayQueue.QueueName}",
        "${ThrowAwayDeadLetters.QueueName}",
        "\"title\": \"Throw away\"",
    ] {
        assert!(dashboard.contains(text), "the dashboard should have {text}");
    }
    assert_eq!(dashboard.matches("${ThrowAwayFunction}").count(), 2);
}

/// A widget more moves those below: none covers another.
#[test]
fn no_widget_covers_another() {
    let usual = template::make(&root()).unwrap().text;
    for (template, widgets) in [(usual, 15), (with_one_more(), 16)] {
        let mut taken = BTreeSet::new();
        let lines = entry(&template, "Resources", "Dashboard").lines();
        let places: Vec<Vec<u32>> = lines
            .filter(|line| line.contains("\"x\": "))
            .map(|line| {
                let number = |name: &str| {
                    let rest = line.split(&format!("\"{name}\": ")).nth(1).unwrap();
                    rest.split(',').next().unwrap().parse().unwrap()
                };
                ["x", "y", "width", "height"].map(number).to_vec()
            })
            .collect();
        assert_eq!(places.len(), widgets);
        for place in places {
            for x in place[0]..place[0] + place[2] {
                assert!(x < 24);
                for y in place[1]..place[1] + place[3] {
                    assert!(taken.insert((x, y)), "{place:?}");
                }
            }
        }
    }
}

#[test]
fn a_mistake_is_reported_with_its_place() {
    for (file, from, to, expected) in [
        (PART, "order: 9", "ordr: 9", "functions/throw-away/part.yaml:2: `ordr` is no key of a part"),
        (PART, "order: 9\n", "", "functions/throw-away/part.yaml:1: the part has no `order`"),
        (PART, "order: 9", "order: last", "functions/throw-away/part.yaml:1: `order` is no number"),
        (
            PART,
            "description: Nothing",
            "description: >-\n  Nothing",
            "part.yaml:3: `description` has to stand on one line",
        ),
        (PART, "unjudged: nothing", "nothing", "functions/throw-away/part.yaml:4: no key stands here"),
        (
            PART,
            "  ThrowAwayAlarm:\n    AlarmName",
            "  - AlarmName",
            "part.yaml:43: `alarms` has to name each",
        ),
        (PART, "    name: handsoff-first\n", "", "part.yaml:9: ThrowAwayFirstRule has no `name`"),
        (PART, "    name: ", "    names: A\n    nam: ", "part.yaml:9: ThrowAwayFirstRule has no `name`"),
        (PART, "    name: ", "    nam: A\n    name: ", "part.yaml:9: `nam` is no key of a rule"),
        (PART, "detectors | length", "detectrs | length", "part.yaml:35: "),
        (PART, "pattern: first.json", "pattern: second.json", "second.json: No such file"),
        (PATTERN, "", "", "functions/throw-away/patterns/second.json: no rule has this pattern"),
        (
            "shared/template/queues.yaml.jinja",
            "{{ detector.id }}QueuePolicy:",
            "{{ detector.ix }}QueuePolicy:",
            "shared/template/queues.yaml.jinja:25: ",
        ),
    ] {
        let copy = Copy::new();
        copy.write(PART, THROW_AWAY);
        copy.write(PATTERN, "{}\n");
        if file == PATTERN {
            copy.write("functions/throw-away/patterns/second.json", "{}\n");
        } else {
            copy.change(file, from, to);
        }
        let why = template::make(copy.root()).unwrap_err().to_string();
        assert!(why.contains(expected), "{to:?}: {why}, and not {expected}");
    }
}

/// Forwarded from other Regions is all that a pattern for CloudTrail's events may let through.
#[test]
fn what_is_forwarded_is_where_each_pattern_begins() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).unwrap();
    let forwarding = read("shared/template/forwarding.json");
    let forwarding = forwarding.trim_end();
    assert!(
        read("docs/deploy.md").contains(&format!("`{forwarding}`")),
        "docs/deploy.md doesn't have {forwarding}"
    );
    let start = forwarding.strip_suffix('}').unwrap();
    let template = template::make(&root()).unwrap().text;
    let mut begins = 0_usize;
    for line in template.lines().filter(|line| line.trim_start().starts_with("{\"source\":")) {
        // What people send, and services themselves, is of this Region alone.
        let people = line.contains("\"Break-Glass Grant\"") || line.contains(" State Change\"");
        assert!(people || line.trim_start().starts_with(start), "{line}");
        begins += usize::from(!people);
    }
    // All that the detectors' folders have, but for the one for people, and the one for services; and the second way out's.
    let folders = std::fs::read_dir(root().join("functions")).unwrap();
    let patterns = folders.filter_map(|it| std::fs::read_dir(it.unwrap().path().join("patterns")).ok());
    assert_eq!(begins + 1, patterns.map(Iterator::count).sum::<usize>());
}
