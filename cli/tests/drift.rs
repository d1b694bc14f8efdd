//! `handsoff drift list` and `handsoff drift accept`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may panic"
)]

use handsoff_core::Trace;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use handsoff_cloudtrail::{Entry, Record};
use handsoff_core::{Call, Policy};
use handsoff_ledger::Observation;
use serde_json::{Value, json};

const POLICY: &str = r#"
[[deploy]]
identity = "arn:aws:iam::*:role/deploy"
"#;

fn handsoff(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_handsoff")).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A call, `minute` minutes after midnight of the 14th.
fn call(minute: u32, who: &str, action: &str, parameters: &Value) -> Value {
    let (service, name) = action.split_once(':').unwrap();
    let identity = if who == "deploy" {
        json!({"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/deploy/ci",
            "accountId": "111122223333", "accessKeyId": "ASIAEXAMPLE", "sessionContext": {"sessionIssuer": {
            "type": "Role", "arn": "arn:aws:iam::111122223333:role/deploy", "accountId": "111122223333"}}})
    } else {
        json!({"type": "IAMUser", "arn": format!("arn:aws:iam::111122223333:user/{who}"), "userName": who,
            "accountId": "111122223333", "accessKeyId": "AKIAEXAMPLE"})
    };
    json!({"eventVersion": "1.11", "eventID": format!("{minute:08}-{who}-{name}"),
        "eventTime": format!("2026-03-14T{:02}:{:02}:00Z", minute / 60, minute % 60),
        "eventSource": format!("{service}.amazonaws.com"), "eventName": name, "awsRegion": "eu-central-1",
        "recipientAccountId": "111122223333", "readOnly": false, "eventType": "AwsApiCall",
        "userIdentity": identity, "requestParameters": parameters, "responseElements": null})
}

fn month() -> Vec<Value> {
    let group = |id: &str| json!({"groupId": id});
    vec![
        call(10, "ana", "ec2:AuthorizeSecurityGroupIngress", &group("sg-1")),
        call(12, "ana", "ec2:AuthorizeSecurityGroupIngress", &group("sg-2")),
        call(13, "ana", "ec2:RevokeSecurityGroupIngress", &group("sg-2")),
        call(70, "ben", "lambda:UpdateFunctionConfiguration20150331v2", &json!({"functionName": "orders"})),
        call(71, "ben", "iam:PutRolePolicy", &json!({"roleName": "orders", "policyName": "p"})),
        call(72, "ben", "ec2:CreateCustomerGateway", &json!({"bgpAsn": 65000})),
        call(80, "deploy", "lambda:UpdateFunctionCode20150331v2", &json!({"functionName": "orders"})),
        call(90, "ana", "s3:PutBucketPolicy", &json!({"bucketName": "shop"})),
        call(95, "deploy", "s3:DeleteBucket", &json!({"bucketName": "shop"})),
        call(600, "deploy", "ec2:CreateTags", &json!({"resourcesSet": {"items": [{"resourceId": "i-1"}]}})),
    ]
}

/// A folder with the policy and one log.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(records: &[Value]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        std::fs::write(folder.path("p.toml"), POLICY).unwrap();
        folder.write("log.json", &json!({"Records": records}).to_string());
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// What `drift list` prints with these options, a name with `@` before it being a file's.
    fn list(&self, args: &[&str]) -> Output {
        let named = |arg: &str| {
            arg.strip_prefix('@').map_or(arg.to_owned(), |name| self.path(name).display().to_string())
        };
        let args: Vec<String> =
            ["drift", "list", "--policy", "@p.toml"].iter().chain(args).map(|arg| named(arg)).collect();
        handsoff(&args.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn items(&self, args: &[&str]) -> Vec<Value> {
        let out = self.list(&[args, &["--all", "--format", "jsonl"]].concat());
        text(&out.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn states(items: &[Value]) -> Vec<String> {
    let of = |item: &Value| {
        let (resource, state) = (item["resource"].as_str().unwrap(), item["state"].as_str().unwrap());
        format!("{} {state}", resource.rsplit('/').next().unwrap())
    };
    items.iter().map(of).collect()
}

#[test]
fn the_list_reads_well_open_ones_first_and_one_session_is_one_row() {
    let folder = Folder::new(&month());
    let out = folder.list(&["@log.json"]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    assert_eq!(
        text(&out.stdout),
        "\
STATE           AGE  SINCE (UTC)       BY                        WHAT
open            9 h  2026-03-14 00:10  ana                       ec2:AuthorizeSecurityGroupIngress …
  ec2:eu-central-1:111122223333:security-group/sg-1
  ec2:eu-central-1:111122223333:security-group/sg-2
open            8 h  2026-03-14 01:11  ben                       iam:PutRolePolicy
  iam::111122223333:role/orders

3 resources open as of 2026-03-14 10:00:00 UTC; not shown without --all: 1 gone, 1 overwritten.
1 more change by hand to unknown resources: ec2:CreateCustomerGateway.
"
    );
    let all = text(&folder.list(&["@log.json", "--all"]).stdout);
    assert!(
        all.contains("overwritten     8 h  2026-03-14 01:10  ben ") && all.contains("gone            8 h"),
        "{all}"
    );
}

#[test]
fn the_same_records_give_the_same_list_in_any_order_and_however_often() {
    let records = month();
    let folder = Folder::new(&records);
    let whole = folder.list(&["@log.json", "--all", "--format", "jsonl"]).stdout;
    assert_eq!(text(&whole).lines().count(), 5);
    for turn in 0..records.len() {
        let mut turned = records.clone();
        turned.rotate_left(turn);
        turned.reverse();
        let (one, other) = turned.split_at(turn);
        let both = [other, one].concat();
        folder.write("a.json", &json!({"Records": one}).to_string());
        folder.write("b.json", &json!({"Records": both}).to_string());
        let paths: &[&str] = if turn == 0 { &["@b.json"] } else { &["@a.json", "@b.json", "@log.json"] };
        let found = folder.list(&[paths, &["--all", "--format", "jsonl"]].concat()).stdout;
        assert_eq!(text(&found), text(&whole), "{turn}");
    }
}

#[test]
fn every_field_and_column_is_documented_and_csv_starts_no_formula() {
    let mut records = month();
    records.push(call(601, "=cmd", "s3:PutBucketPolicy", &json!({"bucketName": "shop2"})));
    let folder = Folder::new(&records);
    let page = include_str!("../../docs/output.md");
    let section = page.split("\n## Drift").nth(1).expect("a section").split("\n## ").next().unwrap();
    let items = folder.items(&["@log.json"]);
    let fields: Vec<&String> = items[0].as_object().unwrap().keys().collect();
    assert_eq!(fields.len(), 16);
    for field in fields {
        assert!(section.contains(&format!("| `{field}` |")), "docs/output.md doesn't have {field}");
    }
    let out = text(&folder.list(&["@log.json", "--all", "--format", "csv"]).stdout);
    let mut reader = csv::Reader::from_reader(out.as_bytes());
    let columns: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    assert!(
        columns.iter().all(|column| items[0].get(column).is_some()) && columns.len() == 16,
        "{columns:?}"
    );
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), items.len());
    assert!(rows.iter().any(|row| &row[6] == "'=cmd"), "{out}");
}

/// What `drift accept` prints.
fn accept(args: &[&str]) -> Output {
    handsoff(&[&["drift", "accept"], args].concat())
}

#[test]
fn an_acceptance_closes_what_others_changed_up_to_now() {
    let (group, role) =
        ("ec2:eu-central-1:111122223333:security-group/sg-1", "arn:aws:iam::111122223333:role/x/orders");
    let folder = Folder::new(&month());
    let carol = accept(&[group, "--owner", "carol", "--reason", "INC-7: until the move is over"]);
    assert_eq!(carol.status.code(), Some(0));
    let printed: Value = serde_json::from_slice(&carol.stdout).unwrap();
    assert_eq!(
        (printed[0]["Source"].as_str(), printed[0]["DetailType"].as_str()),
        (Some("handsoff"), Some("Drift Acceptance"))
    );
    assert!(
        text(&carol.stderr).contains("aws events put-events --entries file:///dev/stdin"),
        "{}",
        text(&carol.stderr)
    );
    // Ben can't accept what he changed himself, by whatever name.
    let ben = accept(&[role, "--owner", "b.en+x@example.com", "--reason", "mine"]);
    folder.write("accepted.json", &(text(&carol.stdout) + &text(&ben.stdout)));
    let items = folder.items(&["@log.json", "--accepted", "@accepted.json"]);
    assert_eq!(
        states(&items),
        ["sg-2 open", "orders open", "sg-1 accepted", "orders overwritten", "shop gone"]
    );
    assert_eq!(
        (items[2]["closed_by"].as_str(), items[2]["reason"].as_str()),
        (Some("carol"), Some("INC-7: until the move is over"))
    );
    assert!(
        items[1]["refused"][0].as_str().unwrap().contains("may be the person who changed it, ben"),
        "{}",
        items[1]
    );
    let shown = text(&folder.list(&["@log.json", "--accepted", "@accepted.json"]).stdout);
    assert!(
        shown.contains("    not accepted: b.en+x@example.com may be the person who changed it"),
        "{shown}"
    );
    // Among saved events it counts, too, and every other command knows it for what it is.
    let event = |detail: &str| {
        json!({"detail-type": "Drift Acceptance", "source": "handsoff", "account": "111122223333",
            "time": "2026-03-14T05:00:00Z", "detail": serde_json::from_str::<Value>(detail).unwrap()})
    };
    folder.write("event.json", &event(printed[0]["Detail"].as_str().unwrap()).to_string());
    let items = folder.items(&["@log.json", "@event.json"]);
    assert_eq!(states(&items)[2], "sg-1 accepted");
    let replayed = handsoff(&[
        "replay",
        &folder.path("event.json").display().to_string(),
        &folder.path("log.json").display().to_string(),
    ]);
    assert!(!text(&replayed.stderr).contains("error:"), "{}", text(&replayed.stderr));
}

#[test]
fn what_is_wrong_with_an_acceptance_is_said() {
    let group = "ec2:eu-central-1:111122223333:security-group/sg-1";
    for (args, why) in [
        (vec!["orders", "--owner", "carol", "--reason", "r"], "a resource is written as"),
        (vec!["arn:aws:s3:::shop", "--owner", "carol", "--reason", "r"], "names no account"),
        (vec![group, "--owner", " ", "--reason", "r"], "`owner` has to be a text"),
        (vec![group, "--owner", "carol", "--reason", "a\u{1b}[2Jb"], "`reason` has to be a text"),
        (
            vec![group, "--owner", "carol", "--reason", "r", "--until", "2020-01-01"],
            "`until` has to be later",
        ),
        (vec![group, "--owner", "carol"], "--reason"),
    ] {
        let out = accept(&args);
        assert_eq!((out.status.code(), out.stdout.len()), (Some(2), 0), "{args:?}");
        assert!(text(&out.stderr).contains(why), "{args:?}: {}", text(&out.stderr));
    }
    let folder = Folder::new(&month());
    for (file, why) in [
        ("", "it contains no acceptance"),
        ("[{]", "no JSON"),
        (r#"[{"DetailType":"Break-Glass Grant","Detail":"{}"}]"#, "entry 1: no acceptance: its `DetailType`"),
        (
            r#"[{"DetailType":"Drift Acceptance","Detail":"{}"}]"#,
            "entry 1: no acceptance: missing field `resource`",
        ),
    ] {
        folder.write("accepted.json", file);
        let out = folder.list(&["@log.json", "--accepted", "@accepted.json"]);
        assert_eq!(out.status.code(), Some(2), "{file}");
        assert!(text(&out.stderr).contains(why), "{file}: {}", text(&out.stderr));
        assert!(text(&out.stdout).contains("3 resources open"), "the rest is listed all the same");
    }
}

/// What a stack would remember of the records, as `aws dynamodb query` prints it.
fn stored(records: &[Value]) -> Vec<Value> {
    let policy = Policy::parse("p", POLICY).unwrap();
    let mut items = Vec::new();
    for record in records {
        let json = record.to_string();
        let Ok((Entry::Record(record), _)) = Record::read(&json) else { panic!("a record") };
        let call = Call::classify(record, &policy, &mut Trace::off());
        let verdict = handsoff_functions::engine(&policy).judge(&call, &mut Trace::off());
        let observed: Vec<Observation> = handsoff_ledger::of(&call, &policy, &verdict).observations;
        items.extend(observed.iter().map(|one| {
            let mut text = serde_json::to_value(one).unwrap();
            text["v"] = json!(1);
            json!({"pk": {"S": "ledger"}, "sk": {"S": "x"}, "v": {"N": "1"}, "text": {"S": text.to_string()}})
        }));
    }
    items
}

#[test]
fn a_deployed_stacks_ledger_is_listed_as_the_logs_are() {
    let records = month();
    let folder = Folder::new(&records);
    let mut items = stored(&records);
    assert_eq!(items.len(), 9);
    items[0]["expires"] = json!({"N": "99999999999"});
    // What has expired isn't there, though DynamoDB still has it.
    let mut expired = stored(&[call(5, "ana", "s3:PutBucketPolicy", &json!({"bucketName": "old"}))]);
    expired[0]["expires"] = json!({"N": "1773453600"});
    let items = [items, expired].concat();
    // Two answers behind each other.
    let (one, other) = items.split_at(4);
    let answer = |items: &[Value]| json!({"Items": items, "Count": items.len()}).to_string();
    folder.write("items.json", &format!("{}\n{}", answer(one), answer(other)));
    assert_eq!(folder.items(&["--items", "@items.json"]), folder.items(&["@log.json"]));
    folder.write("none.json", r#"{"Items":[],"Count":0,"ScannedCount":0,"ConsumedCapacity":null}"#);
    let none = folder.list(&["--items", "@none.json"]);
    assert_eq!(none.status.code(), Some(0), "an empty ledger is good news");
    assert!(text(&none.stdout).starts_with("0 resources open as of "));
}

#[test]
fn what_a_table_holds_is_not_trusted() {
    let records = month();
    let folder = Folder::new(&records);
    let mut items = stored(&records);
    let hostile = items[0]["text"]["S"]
        .as_str()
        .unwrap()
        .replace("\"by\":\"ana\"", "\"by\":\"a\\u001b[2Jb\"")
        .replace("\"human\":\"ana\"", "\"human\":\"a\\u001b[2J\\u202eb\"");
    assert!(hostile.contains("\\u202e"), "{hostile}");
    items[0]["text"]["S"] = json!(hostile);
    items.push(json!({"text": {"S": "{}"}}));
    items.push(json!(7));
    folder.write(
        "items.json",
        &json!({"Items": items, "LastEvaluatedKey": {"pk": {"S": "ledger"}}}).to_string(),
    );
    let out = folder.list(&["--items", "@items.json"]);
    assert_eq!(out.status.code(), Some(2));
    let (shown, errors) = (text(&out.stdout), text(&out.stderr));
    assert!(shown.contains("a\\u{1b}[2J\\u{202e}b") && !shown.contains('\u{1b}'), "{shown}");
    assert!(errors.contains("item 10 is not an item of the ledger: missing field"), "{errors}");
    assert!(errors.contains("item 11 is not an item of the ledger"), "{errors}");
    assert!(errors.contains("the answer is incomplete"), "{errors}");
    for (file, why) in
        [("", ""), ("[]", "no answer of `aws dynamodb query`"), ("{\"Items\":{}}", "no answer")]
    {
        folder.write("items.json", file);
        let errors = text(&folder.list(&["--items", "@items.json"]).stderr);
        assert!(errors.contains(why), "{file}: {errors}");
    }
}

#[test]
fn no_logs_are_no_empty_ledger() {
    let folder = Folder::new(&[]);
    let out = folder.list(&["@log.json"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(text(&out.stderr).contains("no record was read"));
    let out = folder.list(&["@missing.json"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(Path::new(env!("CARGO_BIN_EXE_handsoff")).exists() && text(&out.stderr).contains("missing.json"));
    let both = folder.list(&["@log.json", "--items", "@log.json"]);
    assert!(text(&both.stderr).contains("cannot be used with"), "{}", text(&both.stderr));
}

#[test]
fn an_acceptance_that_a_replays_digest_cant_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.jsonl");
    let broken = json!({"detail-type": "Drift Acceptance", "source": "handsoff", "account": "999999999999",
        "time": "2026-03-14T10:00:00Z", "detail": {"owner": "carol"}});
    let lines = [call(1, "ana", "ec2:CreateTags", &json!({})), broken].map(|line| line.to_string());
    std::fs::write(&log, lines.join("\n")).unwrap();
    let out = handsoff(&["replay", "--alerts", log.to_str().unwrap()]);
    assert_eq!(out.status.code(), Some(2));
    assert!(text(&out.stderr).contains("log.jsonl:2:1: no acceptance"), "{}", text(&out.stderr));
}
