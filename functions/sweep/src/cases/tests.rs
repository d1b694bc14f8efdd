//! A session from its grant to its review, in memory.

use handsoff_break_glass::live::BreakGlassFunction;
use handsoff_case::Manifest;
use handsoff_case::live::{Case, Sealed};
use handsoff_case::session::{Approval, EndBy};
use handsoff_cloudtrail::TimeDelta;
use handsoff_core::Policy;
use handsoff_functions::engine;
use handsoff_runtime::{Answer, Delivery, Envelope, Held, Lease, Memory, Metric, handle};
use handsoff_testing::block_on;
use handsoff_testing::in_memory::InMemory;
use handsoff_testing::records::{self, record, user};

use super::*;
use crate::{Settings, sweep};

mod approvals;
mod storms;

const POLICY: &str = r#"
[[break_glass]]
identity = "arn:aws:iam::*:role/break-glass"
max_session = "1h"
roster = ["alice"]
ticket = "INC-[0-9]+"
approval = true
drill = "DRILL-[0-9]+"
drill_every = "30d"
"#;

const GRANT: &str = r#"{"ticket":"INC-7","requester":"alice","approver":"bob","role":"break-glass",
    "from":"2026-03-14T01:50:00Z","until":"2026-03-14T04:00:00Z"}"#;

fn policy() -> Policy {
    Policy::parse("handsoff.toml", POLICY).unwrap()
}

/// The call that takes the role on.
fn taken(session: &str) -> String {
    let parameters = format!(
        r#","requestParameters":{{"roleArn":"arn:aws:iam::111122223333:role/break-glass","roleSessionName":"{session}","serialNumber":"arn:aws:iam::111122223333:mfa/alice"}}"#
    );
    let credentials = r#","responseElements":{"credentials":{"accessKeyId":"ASIAGLASS","expiration":"Mar 14, 2026, 5:00:00 AM","sessionToken":"t"}}"#;
    let record = record("sts:AssumeRole", user("alice")).id("open").region("us-east-1");
    record.with(&parameters).with(r#","readOnly":true"#).with(credentials).to_string()
}

/// A call of the session that began with that.
fn call(id: &str, time: &str, source: &str, name: &str, rest: &str) -> String {
    let session = records::session("break-glass", "alice-INC-7")
        .key("ASIAGLASS")
        .began("2026-03-14T02:00:00Z")
        .mfa(false);
    record(&format!("{source}:{name}"), session)
        .id(id)
        .at(format!("2026-03-14T{time}Z"))
        .with(rest)
        .to_string()
}

fn session() -> Vec<String> {
    vec![
        taken("alice-INC-7"),
        call("1", "02:00:30", "ec2", "DescribeInstances", r#","readOnly":true"#),
        call(
            "2",
            "02:05:00",
            "ec2",
            "RunInstances",
            r#","responseElements":{"instancesSet":{"items":[{"instanceId":"i-1"}]}}"#,
        ),
        call("3", "02:06:00", "iam", "CreateAccessKey", r#","requestParameters":{"userName":"eve"}"#),
        call("4", "02:07:00", "s3", "GetBucketPolicy", r#","readOnly":true,"errorCode":"AccessDenied""#),
        call("5", "02:10:00", "ssm", "StartSession", r#","requestParameters":{"target":"i-1"}"#),
    ]
}

/// Who puts messages into the queue for EventBridge.
const BUS: &str = "AIDAEXAMPLEOFAWS";

fn envelope(kind: &str) -> Envelope<'_> {
    Envelope { kind, account: "111122223333", time: "2026-03-14T01:55:00Z", arrived: "", sender: BUS }
}

fn deliver(world: &InMemory, policy: &Policy, details: &[(&str, &str)]) -> Vec<Answer> {
    let deliveries: Vec<Delivery<'_>> = details
        .iter()
        .map(|(kind, detail)| Delivery { payload: detail, detail: Ok(detail), envelope: envelope(kind) })
        .collect();
    block_on(handle(
        world,
        &BreakGlassFunction::new(engine(policy), Lease(TimeDelta::seconds(90))),
        &deliveries,
    ))
}

fn records(world: &InMemory, policy: &Policy, records: &[String]) {
    for record in records {
        assert_eq!(deliver(world, policy, &[("AWS API Call via CloudTrail", record)]), [Answer::Done]);
    }
}

fn at(world: &InMemory, policy: &Policy, time: &str) {
    let now = Time::parse(time).unwrap();
    world.time.set(now.timestamp());
    let settings = Settings {
        detectors: handsoff_functions::detectors(),
        account: "111122223333".into(),
        canary_every: TimeDelta::minutes(5),
        out_of_step: vec![],
        lease: Lease(TimeDelta::seconds(90)),
        lookup_regions: vec![],
    };
    block_on(sweep(world, policy, &settings, now)).unwrap();
}

fn begin(time: &str) -> InMemory {
    let world = InMemory::default();
    world.time.set(Time::parse(time).unwrap().timestamp());
    world
}

/// `code cause` of the messages so far.
fn reported(world: &InMemory) -> Vec<String> {
    let sent = world.sent.borrow();
    sent.iter().map(|it| format!("{} {}", it.attributes["code"], it.attributes["cause"])).collect()
}

/// What was sealed of a case.
fn sealed(world: &InMemory, case: &str) -> Sealed {
    block_on(Held::of(world, &Case { id: case, review_within: TimeDelta::zero() })).unwrap().state
}

fn manifests(world: &InMemory) -> Vec<(String, Manifest)> {
    let files = world.files.borrow();
    let manifests = files.iter().filter(|(name, _)| name.ends_with("/manifest.json"));
    manifests.map(|(_, text)| (text.clone(), serde_json::from_str(text).unwrap())).collect()
}

#[test]
fn a_session_that_is_in_order_is_reported_sealed_and_reviewed() {
    let (policy, world) = (policy(), begin("2026-03-14T02:00:10Z"));
    assert_eq!(deliver(&world, &policy, &[("Break-Glass Grant", GRANT)]), [Answer::Done]);
    records(&world, &policy, &session()[..3]);
    assert_eq!(reported(&world), ["glass-opened opened"]);
    let opening = world.sent.borrow()[0].email.clone();
    for line in [
        "person   alice (the user who assumed the role)",
        "ticket   INC-7 (in session-name)",
        "approved by bob, INC-7",
        "until    2026-03-14T03:00:00Z",
        "mfa      MFA was used",
    ] {
        assert!(opening.contains(line), "{line} in {opening}");
    }
    at(&world, &policy, "2026-03-14T02:04:00Z");
    assert_eq!(reported(&world).len(), 1, "nothing is wrong with it");
    world.trail.borrow_mut().extend(session());
    records(&world, &policy, &session()[3..]);
    assert_eq!(reported(&world)[1..], ["glass-escalation worse", "glass-activity worse"]);
    at(&world, &policy, "2026-03-14T03:10:00Z");
    assert!(manifests(&world).is_empty(), "what comes late has half an hour");
    at(&world, &policy, "2026-03-14T03:30:00Z");
    assert_eq!(reported(&world)[3..], ["glass-closed closed"]);

    let (text, manifest) = manifests(&world).remove(0);
    assert_eq!(manifest.violations, []);
    assert!(matches!(manifest.approval, Approval::Approved { .. }));
    assert_eq!(manifest.end.as_ref().unwrap().by, EndBy::Window);
    let calls = &manifest.summary.calls;
    assert_eq!((calls.all, calls.writes, calls.denied, calls.interactive), (6, 3, 1, 1));
    assert_eq!(manifest.summary.left.len(), 2);
    assert!(manifest.lookup.as_ref().unwrap().complete);
    assert_eq!(manifest.summary.sources.only_eventbridge.count, 0);
    let digest = handsoff_case::manifest::sha256(text.as_bytes());
    assert!(
        world.sent.borrow()[3].email.contains(&digest),
        "a copy of the digest lies outside of the account"
    );
    assert!(
        !text.contains("ASIAGLASS") && !world.sent.borrow().iter().any(|it| it.json.contains("ASIAGLASS"))
    );

    let review = |reviewer: &str, digest: &str| {
        format!(
            r#"{{"case":"{}","digest":"{digest}","reviewer":"{reviewer}","note":"fine","time":"2026-03-15T08:00:00Z"}}"#,
            manifest.case
        )
    };
    for (reviewer, digest, why) in
        [("Alice", &*digest, "may be the person"), ("bob", &*"0".repeat(64), "sealed with digest")]
    {
        let before = world.dead.borrow().len();
        assert_eq!(
            deliver(&world, &policy, &[("Break-Glass Review", &review(reviewer, digest))]),
            [Answer::Done]
        );
        assert!(world.dead.borrow()[before].1.contains(why), "{:?}", world.dead.borrow());
    }
    at(&world, &policy, "2026-03-22T08:00:00Z");
    assert!((world.report.borrow().sum(Metric::CasesUnreviewed) - 1.0).abs() < 0.1, "a week has gone by");
    deliver(&world, &policy, &[("Break-Glass Review", &review("bob", &digest))]);
    at(&world, &policy, "2026-03-22T08:05:00Z");
    assert!((world.report.borrow().sum(Metric::CasesUnreviewed) - 1.0).abs() < 0.1, "and now it is reviewed");
    assert!(world.documents.borrow().values().all(|(.., open)| open.is_none()));
    assert_eq!(world.files.borrow().keys().filter(|name| name.contains("/reviews/")).count(), 1);
    assert_eq!(reported(&world).len(), 4);
}

#[test]
fn what_is_wrong_with_a_session_is_reported_once_each() {
    let (policy, world) = (policy(), begin("2026-03-14T02:00:40Z"));
    let mut session = session();
    for record in &mut session {
        *record = record
            .replace("alice-INC-7", "mallory")
            .replace("alice", "mallory")
            .replace(r#","serialNumber":"arn:aws:iam::111122223333:mfa/mallory""#, "");
    }
    records(&world, &policy, &session[..2]);
    at(&world, &policy, "2026-03-14T02:01:00Z");
    assert_eq!(reported(&world), ["glass-opened opened"], "a grant may still be on its way");
    for minute in 3..6 {
        at(&world, &policy, &format!("2026-03-14T02:0{minute}:00Z"));
    }
    assert_eq!(reported(&world).len(), 2, "{:?}", reported(&world));
    let message = world.sent.borrow()[1].json.clone();
    for code in ["glass-no-mfa", "glass-unapproved", "glass-not-on-roster", "glass-no-ticket"] {
        assert!(message.contains(&format!("{code}:1")), "{code} in {message}");
    }
    // Calls after the end of the window, while the credentials last.
    records(
        &world,
        &policy,
        &[call("9", "03:30:00", "ec2", "StopInstances", "").replace("alice-INC-7", "mallory")],
    );
    assert_eq!(reported(&world)[2..], ["glass-overdue worse"]);
    at(&world, &policy, "2026-03-14T04:00:00Z");
    let manifest = manifests(&world).remove(0).1;
    assert_eq!(manifest.overdue, Some(TimeDelta::minutes(30)));
    let codes: Vec<&str> = manifest.violations.iter().map(|it| it.code.as_str()).collect();
    let wrong =
        ["glass-no-mfa", "glass-overdue", "glass-unapproved", "glass-not-on-roster", "glass-no-ticket"];
    assert_eq!(codes, wrong);
}

#[test]
fn nobody_approves_themselves_and_a_grant_covers_role_person_and_time() {
    let verdict = |grant: &str| {
        let (policy, world) = (policy(), begin("2026-03-14T02:00:40Z"));
        assert_eq!(deliver(&world, &policy, &[("Break-Glass Grant", grant)]), [Answer::Done]);
        assert!(world.dead.borrow().is_empty());
        records(&world, &policy, &session());
        at(&world, &policy, "2026-03-14T03:30:00Z");
        let manifest = manifests(&world).remove(0).1;
        manifest.violations.iter().map(|it| it.code.as_str()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(verdict(GRANT), "");
    assert_eq!(verdict(&GRANT.replace("bob", "ALICE")), "glass-self-approved");
    assert_eq!(verdict(&GRANT.replace(r#""alice""#, r#""carol""#)), "glass-unapproved");
    assert_eq!(verdict(&GRANT.replace("break-glass", "other")), "glass-unapproved");
    assert_eq!(verdict(&GRANT.replace("T01:50", "T02:01")), "glass-unapproved");
    assert_eq!(verdict(&GRANT.replace("T04:00", "T01:59")), "glass-unapproved");
    assert_eq!(verdict(&GRANT.replace("T04:00", "T02:09")), "glass-overdue", "calls continued for a minute");
}

/// The verdicts on each session, by the start of its case's name.
fn wrong(world: &InMemory) -> Vec<String> {
    let verdict = |manifest: &Manifest| {
        let person = manifest.person.as_ref().map_or("-", |person| &person.name).to_owned();
        let codes: Vec<&str> = manifest.violations.iter().map(|it| it.code.as_str()).collect();
        format!("{person}: {}", codes.join(" "))
    };
    let mut all: Vec<String> = manifests(world).iter().map(|(_, manifest)| verdict(manifest)).collect();
    all.sort();
    all
}

/// Whoever is in and takes the role on once more, by another name, is who they were.
#[test]
fn a_session_cannot_make_itself_another_by_taking_its_role_again() {
    let (policy, world) = (policy(), begin("2026-03-14T02:00:40Z"));
    deliver(&world, &policy, &[("Break-Glass Grant", GRANT)]);
    let role = r#"{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/app/zed","accountId":"111122223333",
        "sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111122223333:role/app"}}}"#;
    let opening = taken("zed");
    let (before, rest) = opening.split_once(r#""userIdentity":"#).unwrap();
    let (_, behind) = rest.split_once(r#""requestParameters""#).unwrap();
    let opening = format!(r#"{before}"userIdentity":{role},"requestParameters"{behind}"#)
        .replace(r#","serialNumber":"arn:aws:iam::111122223333:mfa/alice""#, "");
    let again = r#","readOnly":true,"requestParameters":{"roleArn":"arn:aws:iam::111122223333:role/break-glass",
        "roleSessionName":"alice-INC-7","sourceIdentity":"alice"},"responseElements":{"credentials":{"accessKeyId":"ASIAAGAIN"}}"#;
    let zed = |text: String| text.replace("break-glass/alice-INC-7", "break-glass/zed");
    let take = zed(call("again", "02:04:00", "sts", "AssumeRole", again));
    let inside = call("inside", "02:05:00", "iam", "CreateUser", "")
        .replace("ASIAGLASS", "ASIAAGAIN")
        .replace("\"creationDate\":\"2026-03-14T02:00:00Z\"", "\"creationDate\":\"2026-03-14T02:04:00Z\"")
        .replace(
            "\"mfaAuthenticated\":\"false\"}",
            "\"mfaAuthenticated\":\"false\"},\"sourceIdentity\":\"alice\"",
        );
    records(&world, &policy, &[opening, take, inside]);
    assert_eq!(
        reported(&world)[..2],
        ["glass-opened opened", "glass-opened opened"],
        "{:?}",
        reported(&world)
    );
    at(&world, &policy, "2026-03-14T18:00:00Z");
    at(&world, &policy, "2026-03-14T18:05:00Z");
    let again =
        "arn:aws:sts::111122223333:assumed-role/break-glass/zed: glass-unapproved glass-not-on-roster";
    assert_eq!(wrong(&world), [again, "zed: glass-unapproved glass-not-on-roster glass-no-ticket"]);
    assert!(manifests(&world).iter().all(|(_, manifest)| manifest.summary.calls.all == 2));
}

/// The feed is cut, and the credentials live on: what is done with them is in the case in the end.
#[test]
fn what_is_done_after_the_sealing_and_unseen_is_asked_for_once_more() {
    let (policy, world) = (policy(), begin("2026-03-14T02:00:40Z"));
    deliver(&world, &policy, &[("Break-Glass Grant", GRANT)]);
    records(&world, &policy, &session());
    world.trail.borrow_mut().extend(session());
    at(&world, &policy, "2026-03-14T03:30:00Z");
    assert_eq!(manifests(&world).len(), 1);
    world.trail.borrow_mut().push(call("late", "04:50:00", "iam", "CreateUser", ""));
    for time in ["05:25:00", "05:30:00", "05:31:00", "05:32:00"] {
        at(&world, &policy, &format!("2026-03-14T{time}Z"));
    }
    let calls: Vec<u64> = manifests(&world).iter().map(|(_, manifest)| manifest.summary.calls.all).collect();
    assert!(calls.len() == 2 && calls.contains(&6) && calls.contains(&7), "{calls:?}");
    assert_eq!(reported(&world).iter().filter(|it| it.ends_with("closed")).count(), 2);
    // The call came after the window, and nothing of it by the feed: it is reported all the same.
    assert!(reported(&world).contains(&"glass-overdue worse".to_owned()), "{:?}", reported(&world));
}

#[test]
fn a_policy_that_was_deployed_meanwhile_still_holds_for_the_session() {
    let (policy, world) = (policy(), begin("2026-03-14T02:00:40Z"));
    records(&world, &policy, &session());
    let moved = Policy::parse("handsoff.toml", &format!("# One line more.\n{POLICY}")).unwrap();
    at(&world, &moved, "2026-03-14T03:30:00Z");
    assert_eq!(wrong(&world), ["alice: glass-unapproved"]);
}

#[test]
fn an_approval_that_came_too_late_has_no_time_of_its_own_choosing() {
    let (policy, world) = (policy(), begin("2026-03-14T02:00:40Z"));
    records(&world, &policy, &session());
    // 03:20, by the queue's clock; the event says 01:55.
    let arrived = (Time::parse("2026-03-14T03:20:00Z").unwrap().timestamp() * 1000).to_string();
    let envelope = Envelope { arrived: &arrived, ..envelope("Break-Glass Grant") };
    let delivery = Delivery { payload: GRANT, detail: Ok(GRANT), envelope };
    block_on(handle(
        &world,
        &BreakGlassFunction::new(engine(&policy), Lease(TimeDelta::seconds(90))),
        &[delivery],
    ));
    at(&world, &policy, "2026-03-14T03:30:00Z");
    assert_eq!(wrong(&world), ["alice: glass-unapproved"]);
}

#[test]
fn refused_attempts_are_closed_once() {
    let (policy, world) = (policy(), begin("2026-03-14T02:00:40Z"));
    let refused = |minute: usize| {
        taken("alice")
            .replace(r#""open""#, &format!(r#""{minute}""#))
            .replace(r#""readOnly":true,"#, r#""readOnly":true,"errorCode":"AccessDenied","#)
    };
    for minute in 0..300 {
        records(&world, &policy, &[refused(minute)]);
        at(&world, &policy, &format!("2026-03-14T{:02}:{:02}:00Z", 2 + minute / 60, minute % 60));
    }
    assert!(reported(&world).len() < 7, "{:?}", reported(&world));
    assert_eq!(reported(&world).iter().filter(|it| it.ends_with("closed")).count(), 1);
}

#[test]
fn a_key_that_was_removed_is_not_another_that_stays() {
    let (policy, world) = (policy(), begin("2026-03-14T02:00:40Z"));
    let key = |id: &str, time: &str, name: &str, key: &str| {
        let rest = if name == "CreateAccessKey" {
            format!(
                r#","requestParameters":{{"userName":"eve"}},"responseElements":{{"accessKey":{{"userName":"eve","accessKeyId":"{key}"}}}}"#
            )
        } else {
            format!(r#","requestParameters":{{"userName":"eve","accessKeyId":"{key}"}}"#)
        };
        call(id, time, "iam", name, &rest)
    };
    let policy_of = |id: &str, time: &str, name: &str, arn: &str| {
        call(
            id,
            time,
            "iam",
            name,
            &format!(
                r#","requestParameters":{{"roleName":"app","policyArn":"arn:aws:iam::aws:policy/{arn}"}}"#
            ),
        )
    };
    records(
        &world,
        &policy,
        &[
            key("1", "02:01:00", "CreateAccessKey", "AKIAAAAAAAAAAAAA1111"),
            key("2", "02:02:00", "CreateAccessKey", "AKIAAAAAAAAAAAAA2222"),
            key("3", "02:03:00", "DeleteAccessKey", "AKIAAAAAAAAAAAAA1111"),
            policy_of("4", "02:04:00", "AttachRolePolicy", "AdministratorAccess"),
            policy_of("5", "02:05:00", "DetachRolePolicy", "ReadOnlyAccess"),
        ],
    );
    at(&world, &policy, "2026-03-14T18:00:00Z");
    let (text, manifest) = manifests(&world).remove(0);
    let left: Vec<String> =
        manifest.summary.left.iter().map(|made| format!("{} {:?}", made.action, made.what)).collect();
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(left[0].contains("…2222") && left[1].contains("AdministratorAccess"), "{left:?}");
    assert!(!text.contains("AKIA"));
}

/// A session's name is its caller's choice: it makes nobody somebody else.
#[test]
fn whoever_calls_their_session_by_an_approved_name_is_not_approved() {
    let verdict = |policy: &str, opening: &str| {
        let (policy, world) =
            (Policy::parse("handsoff.toml", policy).unwrap(), begin("2026-03-14T02:00:40Z"));
        deliver(&world, &policy, &[("Break-Glass Grant", GRANT)]);
        let mut session = session();
        session[0] = opening.to_owned();
        records(&world, &policy, &session);
        at(&world, &policy, "2026-03-14T03:30:00Z");
        let manifest = manifests(&world).remove(0).1;
        manifest.violations.iter().map(|it| it.code.as_str()).collect::<Vec<_>>().join(" ")
    };
    let role = r#"{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/app/x","accountId":"111122223333",
        "sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111122223333:role/app"}}}"#;
    let opening = taken("alice-INC-7");
    let (before, rest) = opening.split_once(r#""userIdentity":"#).unwrap();
    let (_, behind) = rest.split_once(r#""requestParameters""#).unwrap();
    let by_role = format!(r#"{before}"userIdentity":{role},"requestParameters"{behind}"#);
    let grant_name = POLICY.replace(r#"roster = ["alice"]"#, r#"roster = ["alice-INC-7"]"#);
    assert_eq!(verdict(&grant_name, &by_role), "glass-unapproved glass-not-on-roster");
    let trusting = grant_name.replace("approval = true", "approval = true\ntrust_session_name = true");
    assert_eq!(verdict(&trusting, &by_role), "glass-unapproved", "the grant is alice's");
    // What they say of themselves doesn't hide who took the role on.
    let mallory = taken("alice-INC-7")
        .replace("user/alice", "user/mallory")
        .replace(r#""userName":"alice""#, r#""userName":"mallory""#)
        .replace(r#""serialNumber""#, r#""sourceIdentity":"alice","serialNumber""#);
    assert_eq!(verdict(POLICY, &mallory), "glass-unapproved glass-not-on-roster");
}

#[test]
fn a_grant_from_elsewhere_or_malformed_is_a_dead_letter() {
    let listed = format!("{POLICY}\n[cases]\napprovals_from = [\"444455556666\"]");
    let policy = Policy::parse("handsoff.toml", &listed).unwrap();
    let world = begin("2026-03-14T02:00:40Z");
    deliver(&world, &policy, &[("Break-Glass Grant", GRANT)]);
    assert!(world.dead.borrow()[0].1.contains("approvals_from"), "{:?}", world.dead.borrow());
    let policy = self::policy();
    deliver(&world, &policy, &[("Break-Glass Grant", r#"{"ticket":"INC-1"}"#)]);
    assert!(world.dead.borrow()[1].1.contains("missing field `requester`"), "{:?}", world.dead.borrow());
}

/// Whatever comes first opens the session; order and repeats make no difference to the manifest.
#[test]
fn order_and_repeats_give_the_same_manifest() {
    let sealed = |order: &[usize]| {
        let (policy, world) = (policy(), begin("2026-03-14T02:00:40Z"));
        deliver(&world, &policy, &[("Break-Glass Grant", GRANT)]);
        let session = session();
        world.trail.borrow_mut().extend(session.iter().cloned());
        for index in order {
            records(&world, &policy, &[session[*index].clone()]);
        }
        assert!(reported(&world)[0].ends_with(" opened"), "{:?}", reported(&world));
        at(&world, &policy, "2026-03-14T04:30:00Z");
        manifests(&world).remove(0).0
    };
    let first = sealed(&[0, 1, 2, 3, 4, 5]);
    for order in [[5, 4, 3, 2, 1, 0].as_slice(), &[1, 0, 0, 5, 5, 2, 4, 3, 1], &[3, 2, 3, 1, 4, 5, 0, 0]] {
        assert_eq!(sealed(order), first);
    }
}

#[test]
fn what_the_live_feed_missed_comes_from_cloudtrail_itself() {
    let (policy, world) = (policy(), begin("2026-03-14T02:00:40Z"));
    let mut session = session();
    session.insert(
        4,
        call("stop", "02:06:30", "cloudtrail", "StopLogging", r#","requestParameters":{"name":"main"}"#),
    );
    // A role that the session took on: its calls carry another name and key.
    let chain = r#","readOnly":true,"requestParameters":{"roleArn":"arn:aws:iam::111122223333:role/app","roleSessionName":"x"},
        "responseElements":{"credentials":{"accessKeyId":"ASIACHAIN"}}"#;
    session.push(call("chain", "02:20:00", "sts", "AssumeRole", chain));
    let chained =
        call("chained", "02:25:00", "s3", "DeleteBucket", r#","requestParameters":{"bucketName":"b"}"#)
            .replace("ASIAGLASS", "ASIACHAIN")
            .replace("break-glass/alice-INC-7", "app/x")
            .replace("role/break-glass", "role/app");
    world.trail.borrow_mut().extend(session.iter().cloned().chain([chained]));
    records(&world, &policy, &session[..5]);
    for minute in 0..4 {
        at(&world, &policy, &format!("2026-03-14T03:3{minute}:00Z"));
    }
    let manifest = manifests(&world).remove(0).1;
    assert_eq!(manifests(&world).len(), 1);
    let sources = &manifest.summary.sources;
    assert_eq!((manifest.summary.calls.all, manifest.summary.calls.chained), (9, 1));
    assert_eq!((sources.only_lookup.count, sources.after_feed), (3, 3));
    assert_eq!(sources.feed_ended, Time::parse("2026-03-14T02:06:30Z"));
    assert_eq!(manifest.roles_taken[0].role, "arn:aws:iam::111122223333:role/app");
    assert!(
        world.sent.borrow().iter().any(|it| it.email.contains("the live feed ended at 2026-03-14T02:06:30Z"))
    );
    assert!((world.report.borrow().sum(Metric::CaseCallsMissed) - 3.0).abs() < 0.1);
}

#[test]
fn a_call_that_comes_late_opens_the_case_again_and_a_repeat_tells_nothing_new() {
    let (policy, world) = (policy(), begin("2026-03-14T02:00:40Z"));
    deliver(&world, &policy, &[("Break-Glass Grant", GRANT)]);
    records(&world, &policy, &session()[..4]);
    at(&world, &policy, "2026-03-14T03:30:00Z");
    let before = reported(&world).len();
    // The same once more: sealed again as it was, and nobody is alerted.
    records(&world, &policy, &session()[..1]);
    at(&world, &policy, "2026-03-14T03:31:00Z");
    assert_eq!((reported(&world).len(), manifests(&world).len()), (before, 1));
    let known = sealed(&world, &manifests(&world)[0].1.case);
    assert_eq!(known.at, Time::parse("2026-03-14T03:30:00Z").unwrap(), "its review is due when it was");
    records(&world, &policy, &session()[4..]);
    at(&world, &policy, "2026-03-14T03:32:00Z");
    assert_eq!(manifests(&world).len(), 2);
    assert_eq!(reported(&world).last().unwrap(), "glass-closed closed");
    assert_eq!(reported(&world).iter().filter(|it| it.ends_with("closed")).count(), 2);
    let known = sealed(&world, &manifests(&world)[0].1.case);
    let last = manifests(&world)
        .into_iter()
        .find(|(text, _)| handsoff_case::manifest::sha256(text.as_bytes()) == known.digest);
    assert_eq!(last.unwrap().1.summary.calls.all, 6);
}

#[test]
fn whoever_empties_the_memory_has_not_emptied_the_case() {
    let (policy, world) = (policy(), begin("2026-03-14T02:00:40Z"));
    records(&world, &policy, &session());
    let case =
        world.observations.borrow().keys().find(|(_, sort)| sort.starts_with("call#")).unwrap().0.clone();
    let gone = |sort: &str| sort.starts_with("call#") && (sort.contains("02:05") || sort.contains("02:06"));
    world.observations.borrow_mut().retain(|(_, sort), _| !gone(sort));
    at(&world, &policy, "2026-03-14T03:30:00Z");
    let manifest = manifests(&world).remove(0).1;
    assert_eq!((manifest.case, manifest.summary.calls.all), (case, 6));
}

#[test]
fn a_drill_is_due_until_the_door_was_tried() {
    let (policy, world) = (policy(), begin("2026-01-01T00:00:00Z"));
    at(&world, &policy, "2026-01-01T00:00:00Z");
    at(&world, &policy, "2026-01-30T00:00:00Z");
    assert!(reported(&world).is_empty());
    at(&world, &policy, "2026-01-31T00:00:00Z");
    at(&world, &policy, "2026-01-31T00:05:00Z");
    assert_eq!(reported(&world), ["glass-drill-due opened"]);
    {
        let sent = world.sent.borrow();
        let (subject, text) = (&sent[0].subject, &sent[0].email);
        assert!(subject.starts_with("111122223333 [MEDIUM] Break-glass drill due: "), "{subject}");
        assert!(text.contains("account 111122223333\n"), "{text}");
    }
    let drill: Vec<String> = session().iter().map(|it| it.replace("INC-7", "DRILL-7")).collect();
    world.time.set(Time::parse("2026-03-14T02:00:10Z").unwrap().timestamp());
    records(&world, &policy, &drill);
    at(&world, &policy, "2026-03-14T03:30:00Z");
    at(&world, &policy, "2026-03-14T03:35:00Z");
    let opening =
        world.sent.borrow().iter().find(|it| it.attributes["code"] == "glass-opened").unwrap().email.clone();
    assert!(opening.contains("drill    according to its ticket"), "{opening}");
    assert!(manifests(&world).remove(0).1.drill);
    let (_, last) =
        block_on(world.read("drills", &handsoff_core::group::digest(&["arn:aws:iam::*:role/break-glass"])))
            .unwrap()
            .unwrap();
    assert_eq!(last, "2026-03-14T02:00:00Z");
    let due = reported(&world).iter().filter(|it| it.starts_with("glass-drill-due opened")).count();
    assert_eq!(due, 1);
}
