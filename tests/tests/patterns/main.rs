//! The event patterns of `template.yaml`: every record that a detector owns reaches that detector's function, and
//! most of what nobody owns is kept out; grants and reviews reach break-glass, and nothing else does with them.
//!
//! `cargo test -p handsoff-tests --test patterns -- --nocapture` prints what each pattern lets through of a corpus.
//! How the patterns are matched: [`rules`].

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

mod cases;
mod everything;
mod names;
mod rules;
mod samples;

use handsoff_core::Trace;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use cases::{call, cases, denied, root_user};
use handsoff_cloudtrail::{Entry, Record};
use handsoff_core::rules::{NO_DENIALS, Names, complexity, refused};
use handsoff_core::{Call, Owner, Policy};
use handsoff_tests::{busy_policy, corpus, each_record, replay, root};
use rules::{Rules, functions, registered};
use samples::SAMPLES;
use serde_json::{Value, json};

const ACCOUNT: &str = "111122223333";

/// The lists that the detectors' rules take.
fn names(policy: &Policy) -> Names {
    handsoff_functions::detectors();
    handsoff_core::rules::names(&handsoff_functions::rules(), policy)
}

/// The rules of a team's stacks, one in each account.
struct Stacks {
    names: Names,
    by_account: HashMap<String, Rules>,
}

impl Stacks {
    fn of(policy: &Policy) -> Self {
        Self { names: names(policy), by_account: HashMap::new() }
    }

    /// Whether the rules of the record's account let it through, in the order of [`functions`].
    fn let_through(&mut self, record: &Record<'_>) -> Vec<bool> {
        let account = record.recipient_account_id.text();
        let account = account.filter(|id| id.len() == 12).unwrap_or(ACCOUNT.into());
        let rules = self
            .by_account
            .entry(account.clone().into_owned())
            .or_insert_with(|| Rules::of(&self.names, &account));
        rules.let_through(&envelope(record, &account))
    }
}

/// The record as EventBridge has it.
fn envelope(record: &Record<'_>, account: &str) -> String {
    let kind = match record.event_type.text().as_deref() {
        Some("AwsServiceEvent") => "AWS Service Event via CloudTrail",
        Some("AwsConsoleAction") => "AWS Console Action via CloudTrail",
        Some("AwsConsoleSignIn") => "AWS Console Sign In via CloudTrail",
        Some("AwsCloudTrailInsight") => "AWS Insight via CloudTrail",
        _ => "AWS API Call via CloudTrail",
    };
    let source = record.event_source.text().unwrap_or("unknown".into());
    let source = source.split('.').next().unwrap_or_default();
    let head = json!({
        "version": "0", "id": "0", "detail-type": kind, "source": format!("aws.{source}"), "account": account,
        "time": "2026-03-14T00:00:00Z", "region": "eu-central-1", "resources": [],
    });
    let head = head.to_string();
    // The record itself stays as it stands.
    format!(r#"{},"detail":{}}}"#, head.strip_suffix('}').unwrap(), record.text)
}

fn read(text: &str) -> Record<'_> {
    match Record::read(text) {
        Ok((Entry::Record(record), _)) => record,
        other => panic!("{other:?} is no record"),
    }
}

fn owner(record: &Record<'_>, policy: &Policy) -> Owner {
    let call = Call::classify(*record, policy, &mut Trace::off());
    handsoff_functions::engine(policy).owner(&call, &mut Trace::off())
}

/// The place in [`functions`] of the detector.
fn function(owner: Owner) -> Option<usize> {
    match owner {
        Owner::Detector(detector) => functions().iter().position(|name| *name == detector.name()),
        Owner::Nobody(_) => None,
    }
}

fn samples_policy() -> Policy {
    let text = std::fs::read_to_string(root().join("events/handsoff.toml")).unwrap();
    Policy::parse("events/handsoff.toml", &text).unwrap()
}

fn policies() -> [(&'static str, Policy); 3] {
    [("built-in", Policy::built_in()), ("events/handsoff.toml", samples_policy()), ("busy", busy_policy())]
}

/// The letters of the functions that a verdict names: those that the tables here have.
fn letters(through: &[bool]) -> String {
    "dbsp".chars().zip(through).filter(|(_, yes)| **yes).map(|(letter, _)| letter).collect()
}

/// Whether a call reaches the function of its owner.
fn reaches(owner: Owner, through: &[bool]) -> bool {
    function(owner).is_none_or(|function| through[function])
}

fn none(through: &[bool]) -> bool {
    through.iter().all(|yes| !yes)
}

// ---- The patterns themselves ---------------------------------------------------------------------------------

/// The policies, and one with twenty break-glass and twenty deploy identities.
fn all_policies() -> Vec<(&'static str, Policy)> {
    let forms = [
        "arn:aws:iam::*:role/a-role-of-the-team-N",
        "arn:aws:iam::*:role/ops/**/role-N",
        "arn:aws:iam::*:user/user-N",
        "arn:aws:iam::*:role/deploy-N-*",
        "arn:aws:iam::*:user/eg-N-*",
        "permission-set/EmergencyAdminN",
    ];
    let identities =
        forms.iter().cycle().zip(10..30).map(|(form, number)| form.replace('N', &number.to_string()));
    let entries = identities.map(|identity| {
        format!("[[break_glass]]\nidentity='{identity}'\n[[deploy]]\nidentity='{identity}'\n")
    });
    let many = Policy::parse("many", &entries.collect::<String>()).unwrap();
    policies().into_iter().chain([("many", many)]).collect()
}

#[test]
fn eventbridge_takes_every_pattern() {
    for (name, policy) in all_policies() {
        // Reading them checks them.
        let names = names(&policy);
        let rules = Rules::of(&names, ACCOUNT);
        println!("{name}, with {names:?}");
        for ((_, rule), text) in registered().iter().zip(&rules.texts) {
            let found = complexity::complexity(text).unwrap();
            println!("{:24} complexity {found:>2} of 10, {:>4} of 2048 characters", rule.id, text.len());
            assert!(found <= complexity::MOST, "{} {text}", rule.id);
        }
        assert!(refused(&handsoff_functions::rules(), &names).is_empty());
    }
}

#[test]
fn the_detectors_have_the_templates_patterns() {
    // And those that bring what isn't CloudTrail's.
    assert_eq!(rules::of_folders().len(), registered().len() + 2, "a pattern that its detector doesn't name");
    for (name, policy) in all_policies() {
        let names = names(&policy);
        let rules = Rules::of(&names, ACCOUNT);
        for ((_, rule), text) in registered().iter().zip(&rules.texts) {
            assert_eq!(rule.filled(&names, "aws", ACCOUNT), *text, "{name}: {}", rule.id);
        }
    }
}

#[test]
fn the_deny_spike_rule_keeps_out_what_the_library_says() {
    let (_, rule) = registered().into_iter().find(|(_, rule)| rule.id == "DenySpikeRule").unwrap();
    let pattern: Value = serde_json::from_str(&rule.filled(&Names::default(), "aws", ACCOUNT)).unwrap();
    let choices = pattern["detail"]["$or"].as_array().unwrap();
    let codes: Vec<&Value> = choices.iter().filter_map(|choice| choice.get("errorCode")).collect();
    assert_eq!(*codes[0], json!([{"anything-but": {"wildcard": NO_DENIALS}}]));
    // What shows an intruder something comes besides, and changes of guardrails.
    assert_eq!(codes.len(), 5);
}

/// The operators, one by one, as AWS's matcher has them.
#[test]
fn operators_do_what_eventbridge_does() {
    let absent = || json!({});
    let of = |value: Value| json!({ "a": value });
    let cases = [
        (
            json!({"a": [{"anything-but": "x"}]}),
            vec![(absent(), false), (of(json!(null)), true), (of(json!("x")), false)],
        ),
        (json!({"a": [{"anything-but": "x"}]}), vec![(of(json!(true)), true), (of(json!("")), true)]),
        (
            json!({"a": [{"anything-but": {"prefix": "x"}}]}),
            vec![
                (absent(), false),
                (of(json!("xy")), false),
                (of(json!("yx")), true),
                (of(json!(null)), true),
            ],
        ),
        (
            json!({"a": [{"anything-but": {"wildcard": ["Get*", "Decrypt"]}}]}),
            vec![(of(json!("Get")), false), (of(json!("Decrypt")), false), (of(json!("DecryptX")), true)],
        ),
        (
            json!({"a": {"b": [{"exists": false}]}}),
            vec![
                (absent(), true),
                (of(json!({})), true),
                (of(json!(null)), true),
                (of(json!("text")), true),
                (of(json!({"b": null})), false),
                (of(json!({"b": {}})), true),
                (of(json!({"b": ""})), false),
            ],
        ),
        (
            json!({"a": [false, "false", null, {"exists": false}]}),
            vec![
                (absent(), true),
                (of(json!(false)), true),
                (of(json!("false")), true),
                (of(json!(null)), true),
                (of(json!(true)), false),
                (of(json!("true")), false),
            ],
        ),
        (
            json!({"a": [{"wildcard": "*/x*"}]}),
            vec![
                (of(json!("/x")), true),
                (of(json!("a/b/xy")), true),
                (of(json!("x")), false),
                (absent(), false),
            ],
        ),
        (
            json!({"a": [{"exists": false}, {"anything-but": {"prefix": "x"}}], "$or": [{"b": [1]}, {"c": [1]}]}),
            vec![
                (json!({"b": 1}), true),
                (json!({"a": "y", "c": 1}), true),
                (json!({"a": "x", "c": 1}), false),
                (json!({"a": "y"}), false),
            ],
        ),
    ];
    for (pattern, events) in cases {
        let rules = Rules::from_texts(vec![pattern.to_string()]);
        for (event, expected) in events {
            assert_eq!(rules.let_through(&event.to_string())[0], expected, "{pattern} {event}");
        }
    }
}

/// The second way out: it has to match without any list of the policy's, and to leave alone what deployments do.
#[test]
fn who_stops_handsoff_itself_is_reported_past_its_functions() {
    let rules = Rules::of_tampering();
    assert!(complexity::complexity(&rules.texts[0]).unwrap() <= complexity::MOST);
    let arn = "arn:aws:lambda:eu-central-1:111122223333:function:handsoff-drift";
    for (source, name, asked, answered, wanted) in [
        ("lambda", "DeleteFunction20150331", json!({"functionName": "handsoff-drift"}), Value::Null, true),
        ("lambda", "DeleteFunction20150331", json!({"functionName": arn}), Value::Null, true),
        ("lambda", "DeleteFunction20150331", json!({"functionName": "shop"}), Value::Null, false),
        (
            "lambda",
            "UpdateFunctionCode20150331v2",
            json!({"functionName": "handsoff-drift"}),
            Value::Null,
            false,
        ),
        (
            "lambda",
            "PutFunctionConcurrency20171031",
            json!({"functionName": "handsoff-sweep"}),
            Value::Null,
            true,
        ),
        (
            "lambda",
            "UpdateEventSourceMapping20150331",
            json!({"uUID": "x"}),
            json!({"functionArn": arn}),
            true,
        ),
        ("events", "DisableRule", json!({"name": "handsoff-drift"}), Value::Null, true),
        ("events", "DisableRule", json!({"name": "nightly"}), Value::Null, false),
        (
            "events",
            "RemoveTargets",
            json!({"rule": "handsoff-sweep", "ids": ["function"]}),
            Value::Null,
            true,
        ),
        ("events", "PutRule", json!({"name": "handsoff-drift"}), Value::Null, false),
        ("sqs", "PurgeQueue", json!({"queueUrl": "https://sqs/1/handsoff-drift"}), Value::Null, true),
        ("sns", "DeleteTopic", json!({"topicArn": "arn:aws:sns:r:1:handsoff-alerts"}), Value::Null, true),
        ("dynamodb", "DeleteTable", json!({"tableName": "handsoff"}), Value::Null, true),
        ("cloudtrail", "StopLogging", json!({"name": "main"}), Value::Null, true),
    ] {
        let detail = json!({"eventSource": format!("{source}.amazonaws.com"), "eventName": name,
            "requestParameters": asked, "responseElements": answered});
        let event = json!({"source": format!("aws.{source}"), "detail-type": "AWS API Call via CloudTrail", "detail": detail});
        assert_eq!(rules.let_through(&event.to_string()), [wanted], "{name} {event}");
        let mut failed = event.clone();
        failed["detail"]["errorCode"] = json!("AccessDenied");
        assert_eq!(rules.let_through(&failed.to_string()), [false], "{name}, denied");
    }
}

// ---- The samples ---------------------------------------------------------------------------------------------

fn sample_envelopes() -> BTreeMap<String, Vec<Value>> {
    let mut samples = BTreeMap::new();
    for entry in std::fs::read_dir(root().join("events")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name != "handsoff.toml" {
            let text = std::fs::read_to_string(&path).unwrap();
            let envelopes = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
            samples.insert(name, envelopes.map(Result::unwrap).collect());
        }
    }
    samples
}

#[test]
fn each_sample_goes_where_it_should() {
    let policy = samples_policy();
    let rules = Rules::of(&names(&policy), ACCOUNT);
    let (cases, events) = (Rules::of_cases(), Rules::of_events());
    let lettered = handsoff_functions::detectors().iter().filter(|it| functions()[..4].contains(&it.name()));
    let own: BTreeSet<&str> =
        lettered.flat_map(|it| it.about().codes).map(|code| code.as_str()).chain(["nothing"]).collect();
    let code = |name: &str| name.split('.').next().unwrap().to_owned();
    let mut found = Vec::new();
    for (name, envelopes) in sample_envelopes() {
        let mut letters = BTreeSet::new();
        for envelope in envelopes {
            let through = rules.let_through(&envelope.to_string());
            if cases.let_through(&envelope.to_string())[0] {
                assert!(none(&through), "{name}");
                letters.insert("c".to_owned());
                continue;
            }
            if events.let_through(&envelope.to_string())[0] {
                assert!(none(&through), "{name}");
                letters.insert("e".to_owned());
                continue;
            }
            let detail = envelope["detail"].to_string();
            let owner = owner(&read(&detail), &policy);
            assert!(reaches(owner, &through), "{name}: {owner:?} {through:?}");
            letters.insert(crate::letters(&through));
            // As if AWS spelled it the way its page does.
            let mut other = envelope.clone();
            let kind = envelope["detail-type"].as_str().unwrap().replace("Sign In", "Signin");
            other["detail-type"] = kind.into();
            assert_eq!(rules.let_through(&other.to_string()), through, "{name}");
        }
        let letters: Vec<String> = letters.into_iter().collect();
        // Those of a detector that has no letter reach it, which is all that is asked of them.
        if SAMPLES.iter().any(|(known, _)| *known == name) || own.contains(&*code(&name)) {
            found.push((name, letters.join(",")));
        }
    }
    let expected: Vec<(String, String)> =
        SAMPLES.iter().map(|(name, to)| ((*name).to_owned(), (*to).to_owned())).collect();
    assert_eq!(found, expected, "{found:#?}");
}

// ---- Cases by name -------------------------------------------------------------------------------------------

#[test]
fn each_case_goes_where_it_should() {
    let policy = samples_policy();
    let mut stacks = Stacks::of(&policy);
    let mut wrong = Vec::new();
    for (name, record, expected) in cases() {
        let text = record.to_string();
        let record = read(&text);
        let through = stacks.let_through(&record);
        let found = letters(&through);
        let owner = owner(&record, &policy);
        // Both spellings of a sign-in.
        let event = envelope(&record, ACCOUNT).replace("AWS Console Sign In via", "AWS Console Signin via");
        let other = stacks.by_account[ACCOUNT].let_through(&event);
        if found != expected || other != through || !reaches(owner, &through) {
            wrong.push(format!("{name}: {owner:?}, goes to {found:?} instead of {expected:?}; {other:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_what_aws_puts_on_the_bus_as_cloudtrails_is_let_through() {
    let rules = Rules::of(&names(&samples_policy()), ACCOUNT);
    let event = |source: &str, kind: &str| {
        let detail = call(root_user(), "cloudtrail:StopLogging", false.into(), denied());
        rules.let_through(&json!({"source": source, "detail-type": kind, "detail": detail}).to_string())
    };
    assert!(event("aws.cloudtrail", "AWS API Call via CloudTrail")[1]);
    for kind in ["Console Sign In", "Console Signin", "Console Action", "Service Event"] {
        assert!(event("aws.signin", &format!("AWS {kind} via CloudTrail"))[1], "{kind}");
    }
    assert!(none(&event("aws.ec2", "EC2 Instance State-change Notification")));
    // Nobody can put events on the bus whose source starts so.
    assert!(none(&event("my.app", "AWS API Call via CloudTrail")));
}

// ---- Grants, reviews and acceptances --------------------------------------------------------------------------------------

fn of_kind(source: &str, kind: &str) -> Value {
    let detail = json!({
        "ticket": "INC-1", "requester": "alice", "approver": "bob", "role": "break-glass",
        "from": "2026-03-14T02:00:00Z", "until": "2026-03-14T04:00:00Z",
    });
    json!({
        "version": "0", "id": "0", "detail-type": kind, "source": source, "account": ACCOUNT,
        "time": "2026-03-14T00:00:00Z", "region": "eu-central-1", "resources": [], "detail": detail,
    })
}

#[test]
fn grants_and_reviews_come_by_a_rule_of_their_own() {
    let cases = Rules::of_cases();
    let others = Rules::of(&names(&samples_policy()), ACCOUNT);
    for kind in ["Break-Glass Grant", "Break-Glass Review", "Drift Acceptance"] {
        for source in
            ["ticket-system", "com.example.tickets", "handsoff", "aws", "awsx.tickets", "AWS.tickets"]
        {
            let event = of_kind(source, kind).to_string();
            assert!(cases.let_through(&event)[0], "{event}");
            // Else it would be judged as a record.
            assert!(none(&others.let_through(&event)), "{event}");
        }
        // Only AWS sends with such a source.
        for source in ["aws.signin", "aws.", "aws.partner/example.com/tickets"] {
            assert!(!cases.let_through(&of_kind(source, kind).to_string())[0], "{source}");
        }
        let mut event = of_kind("ticket-system", kind);
        event.as_object_mut().unwrap().remove("source");
        assert!(!cases.let_through(&event.to_string())[0], "{event}");
    }
    for kind in
        ["Break-Glass", "break-glass grant", "Break-Glass Grants", "Break-Glass Grant ", "Grant", "Drift", ""]
    {
        assert!(!cases.let_through(&of_kind("ticket-system", kind).to_string())[0], "{kind}");
    }
}

#[test]
fn nothing_of_cloudtrail_comes_by_the_rule_for_grants() {
    let rule = Rules::of_cases();
    let is_cloudtrails = |event: &Value| event["detail-type"].as_str().unwrap().ends_with(" via CloudTrail");
    let samples = sample_envelopes().into_values().flatten().filter(is_cloudtrails);
    let made = cases().into_iter().map(|(_, record, _)| {
        let text = record.to_string();
        serde_json::from_str(&envelope(&read(&text), ACCOUNT)).unwrap()
    });
    let mut count = 0;
    for event in samples.chain(made) {
        // Whoever sends it, and with whichever of CloudTrail's names.
        for source in ["", "ticket-system"] {
            for kind in [
                "",
                "API Call",
                "Console Sign In",
                "Console Signin",
                "Console Action",
                "Service Event",
                "Insight",
            ] {
                let mut event: Value = event.clone();
                if !source.is_empty() {
                    event["source"] = source.into();
                }
                if !kind.is_empty() {
                    event["detail-type"] = format!("AWS {kind} via CloudTrail").into();
                }
                assert!(!rule.let_through(&event.to_string())[0], "{event}");
                count += 1;
            }
        }
    }
    assert!(count > 1_000, "{count}");
}

// ---- The corpus ----------------------------------------------------------------------------------------------

/// What became of the records of one set.
#[derive(Default)]
struct Tally {
    records: usize,
    owned: usize,
    through: Vec<usize>,
    sent: usize,
}

impl Tally {
    fn add(&mut self, owner: Owner, through: &[bool]) {
        self.records += 1;
        self.through.resize(through.len(), 0);
        self.owned += usize::from(function(owner).is_some());
        for (count, through) in self.through.iter_mut().zip(through) {
            *count += usize::from(*through);
            self.sent += usize::from(*through);
        }
    }
}

#[test]
#[cfg_attr(not(corpus), ignore = "needs the corpus of real records")]
fn every_record_of_the_corpus_reaches_its_detector() {
    let data = corpus();
    let mut sets: Vec<_> = std::fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().path()).collect();
    // Event patterns are no records.
    sets.retain(|path| path.is_dir() || path.extension().is_some_and(|extension| extension == "jsonl"));
    sets.retain(|path| !path.ends_with("pattern-complexity.jsonl"));
    sets.sort();
    for (name, policy) in policies() {
        println!("\n{name}, with {:?}", names(&policy));
        println!(
            "{:40} {:>7} {:>7} {:>7} {:>11} {:>10} {:>8} {:>8}",
            "", "records", "owned", "drift", "break-glass", "deny-spike", "through", "findings"
        );
        let mut stacks = Stacks::of(&policy);
        for set in &sets {
            let records = Some(set.join("records.jsonl")).filter(|path| path.exists());
            let records = records.unwrap_or_else(|| set.clone());
            let tally = count(&records, &policy, &mut stacks);
            if set.ends_with("invictus-ir") && name != "busy" {
                // The one whole log of an account, if of an hour in which much was changed, and people read secrets.
                assert!(tally.sent * 3 < tally.records, "{} of {}", tally.sent, tally.records);
            }
            let findings = replay(std::slice::from_ref(&records), &policy, 1).findings.len();
            let [drift, glass, denied, ..] = tally.through[..] else { continue };
            println!(
                "{:40} {:>7} {:>7} {drift:>7} {glass:>11} {denied:>10} {:>8} {findings:>8}",
                set.file_name().unwrap().to_str().unwrap(),
                tally.records,
                tally.owned,
                tally.sent,
            );
        }
    }
}

fn count(records: &Path, policy: &Policy, stacks: &mut Stacks) -> Tally {
    let mut tally = Tally::default();
    each_record(&[records.to_path_buf()], &mut |record| {
        let (owner, through) = (owner(record, policy), stacks.let_through(record));
        assert!(reaches(owner, &through), "{owner:?}, but it goes to {through:?}:\n{}", record.text);
        tally.add(owner, &through);
    });
    tally
}
