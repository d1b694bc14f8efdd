//! How much a deploy role deletes within an hour.

use handsoff_core::detector::Related;
use handsoff_testing::records::session as session_of;

use super::*;

const DEPLOY: &str = "[[deploy]]\nidentity = \"arn:aws:iam::*:role/deploy\"\n";

fn related_by(policy: &str, who: &str, action: &str, time: &str, rest: &str) -> Option<Related> {
    let json =
        record(action, who).id(handsoff_core::group::digest(&[time, rest])).at(time).with(rest).to_string();
    let policy = Policy::parse("p", policy).unwrap();
    classified(&json, &policy, |record, call| {
        let related = Drift.relates(call, &policy).pop();
        let engine = handsoff_functions::engine(&policy);
        assert!(
            related.is_none() || engine.fast_path().disposition(record).is_none(),
            "a replay leaves it out"
        );
        related
    })
}

fn related(action: &str, time: &str, rest: &str) -> Option<Related> {
    related_by(DEPLOY, &role("deploy", "run-1"), action, time, rest)
}

/// The deletion of a table in a minute of nine o'clock, or a later one.
fn table(n: usize, minute: usize) -> Related {
    let time = format!("2026-03-01T{:02}:{:02}:00Z", 9 + minute / 60, minute % 60);
    related("dynamodb:DeleteTable", &time, &named(&format!("t{n}"))).unwrap()
}

fn named(name: &str) -> String {
    format!(r#","requestParameters":{{"tableName":"{name}"}}"#)
}

fn join(all: Vec<Related>) -> Vec<Finding> {
    Drift.join(all, &Policy::built_in())
}

#[test]
fn more_than_the_entry_allows_within_an_hour_is_out_of_bounds_once() {
    let tables = |many: usize| (0..many).map(|n| table(n, n)).collect::<Vec<_>>();
    assert_eq!(join(tables(25)).len(), 0);
    let found = join(tables(59));
    assert_eq!(found.len(), 1, "one an hour");
    let finding = &found[0];
    assert_eq!((finding.code, finding.severity), (codes::DEPLOY_OUT_OF_BOUNDS, Severity::Medium));
    let said = "deleted more than 25 resources by `dynamodb:DeleteTable` within an hour; `deletions` of its entry allows 25.";
    assert!(finding.reason.ends_with(said), "{}", finding.reason);
    assert_eq!(finding.known.unwrap().to_string(), "2026-03-01T09:25:00Z", "the one that is too many");
    assert!(finding.next.contains("`deletions`"), "{}", finding.next);
    // An hour of the clock.
    assert_eq!(join((0..50).map(|n| table(n, 35 + n)).collect()).len(), 0);
    assert_eq!(join((0..52).map(|n| table(n, 34 + n)).collect()).len(), 2);
}

#[test]
fn a_thing_that_is_deleted_again_counts_once_and_what_has_no_name_each_time() {
    assert_eq!(join((0..59).map(|n| table(n % 25, n)).collect()).len(), 0);
    assert_eq!(join(vec![table(0, 0); 100]).len(), 0);
    let nameless = (10..36)
        .map(|n| related("lambda:DeleteFunction20150331", &format!("2026-03-01T09:{n}:00Z"), "").unwrap());
    assert_eq!(join(nameless.collect()).len(), 1);
}

#[test]
fn of_a_call_with_a_list_each_counts() {
    let terminate = |many: usize| {
        let ids: Vec<String> = (0..many).map(|n| format!(r#"{{"instanceId":"i-{n}"}}"#)).collect();
        let rest = format!(r#","requestParameters":{{"instancesSet":{{"items":[{}]}}}}"#, ids.join(","));
        join(vec![related("ec2:TerminateInstances", "2026-03-01T09:00:00Z", &rest).unwrap()])
    };
    assert_eq!((terminate(25).len(), terminate(26).len(), terminate(1000).len()), (0, 1, 1));
}

#[test]
fn each_kind_and_role_counts_by_itself() {
    let of = |who: &str, action: &str, rest: &str| {
        related_by(&DEPLOY.replace("deploy\"", "deploy*\""), who, action, "2026-03-01T09:00:00Z", rest)
            .unwrap()
            .group
    };
    let (one, two) = (role("deploy", "run-1"), role("deploy-2", "run-1"));
    let table = of(&one, "dynamodb:DeleteTable", &named("t"));
    assert_eq!(
        table,
        of(&role("deploy", "run-2"), "dynamodb:DeleteTable", &named("u")),
        "whatever the session"
    );
    assert_ne!(table, of(&two, "dynamodb:DeleteTable", &named("t")));
    assert_ne!(table, of(&one, "rds:DeleteDBInstance", &named("t")));
}

#[test]
fn the_entry_says_how_many() {
    let many = |policy: &str, many: usize| {
        let of = |n: usize| {
            let time = format!("2026-03-01T09:{n:02}:00Z");
            related_by(
                policy,
                &role("deploy", "run-1"),
                "dynamodb:DeleteTable",
                &time,
                &named(&format!("t{n}")),
            )
            .unwrap()
        };
        join((0..many).map(of).collect()).len()
    };
    let three = format!("{DEPLOY}deletions = 3\n");
    assert_eq!((many(&three, 3), many(&three, 4)), (0, 1));
    let fifty = format!("{DEPLOY}may_change = [\"destruction\"]\ndeletions = 50\n");
    assert_eq!((many(&fifty, 50), many(&fifty, 51)), (0, 1));
    for wrong in ["deletions = 0", "deletions = \"many\"", "deletions = -1"] {
        assert!(Policy::parse("p", &format!("{DEPLOY}{wrong}\n")).is_err(), "{wrong}");
    }
}

#[test]
fn what_deploys_replace_all_day_and_what_others_delete_does_not_count() {
    let time = "2026-03-01T09:00:00Z";
    for action in [
        "cloudformation:DeleteChangeSet",
        "logs:DeleteLogStream",
        "iam:DeleteRolePolicy",
        "ec2:DeleteTags",
        "ecs:DeregisterTaskDefinition",
        "dynamodb:CreateTable",
    ] {
        assert_eq!(related(action, time, ""), None, "{action}");
    }
    assert_eq!(related("dynamodb:DeleteTable", time, r#","errorCode":"ResourceInUseException""#), None);
    for who in [ALICE, &role("nobody-knows", "s"), &session_of("app", "s").to_string()] {
        assert_eq!(related_by(POLICY, who, "dynamodb:DeleteTable", time, &named("t")), None, "{who}");
    }
    assert!(related("lambda:DeleteFunction20150331", time, "").is_some(), "whatever the version of its name");
}

fn object(n: usize, who: &str, policy: &str, name: &str) -> Option<Related> {
    let time = format!("2026-03-01T09:{:02}:{:02}Z", n / 60, n % 60);
    let rest = format!(
        r#","managementEvent":false,"eventCategory":"Data","requestParameters":{{"bucketName":"b","key":"k{n}"}}"#
    );
    related_by(policy, who, name, &time, &rest)
}

#[test]
fn many_calls_that_delete_data_by_hand_are_a_mass_deletion() {
    let objects = |many: usize| {
        (0..many).map(|n| object(n, ALICE, POLICY, "s3:DeleteObject").unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(join(objects(50)), []);
    assert_eq!(join(vec![objects(1).remove(0); 100]), [], "delivered again");
    let found = join(objects(200));
    assert_eq!(found.len(), 1);
    let finding = &found[0];
    assert_eq!((finding.code, finding.severity), (codes::MASS_DELETION, Severity::Medium));
    assert_eq!(
        finding.reason,
        "A person deleted data by more than 50 calls of `s3:DeleteObject` within an hour."
    );
    assert_eq!(finding.known.unwrap().to_string(), "2026-03-01T09:00:50Z");
    assert_eq!(finding.next, codes::MASS_DELETION.next_step());
    // A person is one, whatever the session; two of a permission set are two.
    let group = |who: &str| object(1, who, POLICY, "s3:DeleteObject").unwrap().group;
    assert_eq!(group(ALICE), group(&ALICE.replace("T08:00", "T07:00").replace("Admin_", "Other_")));
    assert_ne!(group(ALICE), group(&ALICE.replace("alice", "bob")));
}

#[test]
fn a_batch_of_dynamodb_deletes_if_it_says_so() {
    let batch = |request: &str| {
        let rest = format!(
            r#","managementEvent":false,"requestParameters":{{"requestItems":{{"t":[{{"{request}":{{}}}}]}}}}"#
        );
        related_by(POLICY, ALICE, "dynamodb:BatchWriteItem", "2026-03-01T09:00:00Z", &rest)
    };
    assert!(batch("deleteRequest").is_some());
    assert!(batch("putRequest").is_none());
}

#[test]
fn what_a_program_deletes_or_an_exception_covers_is_none() {
    let data = |who: &str, name: &str| object(1, who, POLICY, name);
    assert!(data(ALICE, "s3:PutObject").is_none() && data(ALICE, "dynamodb:DeleteItem").is_some());
    for who in
        [&role("nobody-knows", "s"), &role("app", "s"), &role("deploy", "run-1"), &role("emergency", "s")]
    {
        assert_eq!(data(who, "s3:DeleteObject"), None, "{who}");
    }
    let covered = POLICY
        .replace("glue:StartJobRun", "s3:DeleteObject")
        .replace("permission-set/Data", "permission-set/Admin");
    assert_eq!(object(1, ALICE, &covered, "s3:DeleteObject"), None);
}
