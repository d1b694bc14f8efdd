use handsoff_cloudtrail::{Entry, Record, Time};
use handsoff_core::Trace;
use handsoff_core::{Call, Policy};
use handsoff_testing::records;
use proptest::prelude::*;

use super::*;
use crate::accept::Accepted;
use crate::acceptance::Acceptance;
use crate::observation::{Hand, Observed, of};
use crate::row::rows;

const DEPLOY: &str = "arn:aws:iam::111122223333:role/deploy";
const GROUP: &str = "ec2:eu-central-1:111122223333:security-group/sg-1";
const SHOP: &str = "cloudformation:eu-central-1:111122223333:stack/shop";

fn at(resource: &str, time: i64, what: What) -> Observation {
    let event = format!("{time} {what:?}");
    Observation { resource: resource.parse().unwrap(), time: Time::from_timestamp(time), event, what }
}

fn hand(time: i64) -> Observation {
    hand_on(GROUP, time, |_| {})
}

fn hand_on(resource: &str, time: i64, change: impl FnOnce(&mut Hand)) -> Observation {
    let mut hand = Hand {
        action: "ec2:AuthorizeSecurityGroupIngress".into(),
        by: "dana.voss@example.com (Developer)".into(),
        human: Some("dana.voss@example.com".into()),
        incident: "drift-1".into(),
        makes: false,
        by_stack: false,
        stack: None,
    };
    change(&mut hand);
    at(resource, time, What::Hand(Box::new(hand)))
}

fn deploy(resource: &str, time: i64, stack: bool) -> Observation {
    at(resource, time, What::Deploy { by: DEPLOY.into(), stack })
}

fn gone(time: i64) -> Observation {
    at(GROUP, time, What::Gone { by: "x".into() })
}

fn accepted(time: i64, owner: &str, until: Option<i64>) -> Observation {
    let (owner, until) = (owner.to_owned(), until.map(Time::from_timestamp));
    at(GROUP, time, What::Accepted(Acceptance { owner, reason: "r".into(), until, sent_from: String::new() }))
}

fn ledger(all: &[Observation]) -> Ledger {
    let mut ledger = Ledger::default();
    all.iter().cloned().for_each(|one| ledger.add(one));
    ledger
}

fn items(all: &[Observation], now: i64) -> Vec<Item> {
    let policy = Policy::built_in();
    ledger(all).items(&Terms { now: Time::from_timestamp(now), cases: &policy.cases })
}

/// The one item's state, since when, and of how many changes.
fn state(all: &[Observation], now: i64) -> (&'static str, i64, usize) {
    let items = items(all, now);
    assert_eq!(items.len(), 1, "{items:?}");
    (items[0].state.as_str(), items[0].since.timestamp(), items[0].changes)
}

#[test]
fn a_change_by_hand_stands_until_something_ends_it() {
    assert_eq!(items(&[deploy(GROUP, 1, false), gone(2)], 9), [], "nobody changed it by hand");
    assert_eq!(state(&[hand(10)], 99), ("open", 10, 1));
    assert_eq!(state(&[hand(10), hand(20), deploy(GROUP, 5, false)], 99), ("open", 10, 2));
    assert_eq!(state(&[hand(10), hand(20), deploy(GROUP, 30, false)], 99), ("overwritten", 10, 2));
    assert_eq!(state(&[hand(10), deploy(GROUP, 15, false), hand(20)], 99), ("open", 20, 1), "it opens anew");
    assert_eq!(
        state(&[hand(10), gone(20), deploy(GROUP, 30, false)], 99),
        ("gone", 10, 1),
        "the first end counts"
    );
    assert_eq!(state(&[hand(10), deploy(GROUP, 15, false), hand(20), gone(30)], 99), ("gone", 20, 1));
    assert_eq!(state(&[hand(10), accepted(20, "carol", None)], 99), ("accepted", 10, 1));
    assert_eq!(state(&[hand(10), accepted(20, "carol", None), hand(21)], 99), ("open", 21, 1));
    // What is overwritten is no more there to be accepted.
    assert_eq!(
        state(&[hand(10), accepted(20, "carol", None), deploy(GROUP, 30, false)], 99),
        ("overwritten", 10, 1)
    );
}

/// Records tell seconds. Which of two calls in one second came last isn't known: what may stand is open.
#[test]
fn in_one_second_what_may_stand_stands() {
    assert_eq!(state(&[hand(10), deploy(GROUP, 10, false)], 99).0, "open");
    assert_eq!(state(&[hand(10), deploy(GROUP, 10, false), gone(20)], 99).0, "gone", "that is what ended it");
    assert_eq!(state(&[hand(10), gone(10)], 99).0, "gone", "what is deleted was there");
    let made = hand_on(GROUP, 10, |hand| hand.makes = true);
    assert_eq!(state(&[made, gone(10)], 99).0, "open", "it may have been made anew");
    assert_eq!(state(&[hand(10), accepted(10, "carol", None)], 99).0, "accepted");
}

#[test]
fn an_acceptance_ends_and_is_nobodys_own() {
    let until = accepted(20, "carol", Some(50));
    assert_eq!(state(&[hand(10), until.clone()], 49).0, "accepted");
    assert_eq!(state(&[hand(10), until.clone()], 50), ("open", 10, 1), "open since it was changed");
    // The second one holds on.
    assert_eq!(state(&[hand(10), until, accepted(30, "erin", Some(90))], 60).0, "accepted");
    for own in ["dana.voss@example.com", "Dana.Voss", "d.a.n.a.voss+x@other.example"] {
        let all = [hand(10), accepted(20, own, None)];
        assert_eq!(state(&all, 99).0, "open", "{own}");
        assert!(items(&all, 99)[0].refused.iter().any(|why| why.contains("another person has to")), "{own}");
    }
    // Of two people's changes each may accept the other's only.
    let erins = hand_on(GROUP, 11, |hand| hand.human = Some("erin".into()));
    assert_eq!(state(&[hand(10), erins.clone(), accepted(20, "erin", None)], 99), ("open", 11, 1));
    assert_eq!(
        state(&[hand(10), erins, accepted(20, "erin", None), accepted(20, "dana.voss", None)], 99).0,
        "open",
        "the short name of Dana may be who signed in as Erin's session"
    );
}

#[test]
fn the_policy_says_who_may_accept() {
    let text = "[cases]\napprovers = [\"carol\"]\napprovals_from = [\"999999999999\"]\n";
    let policy = Policy::parse("p", text).unwrap();
    let with = |owner: &str, from: &str| {
        let mut one = accepted(20, owner, None);
        if let What::Accepted(acceptance) = &mut one.what {
            acceptance.sent_from = from.into();
        }
        let items =
            ledger(&[hand(10), one]).items(&Terms { now: Time::from_timestamp(99), cases: &policy.cases });
        (items[0].state.as_str(), items[0].refused.iter().cloned().collect::<String>())
    };
    assert_eq!(with("carol", "999999999999").0, "accepted");
    assert_eq!(with("carol", "").0, "accepted", "of a file that no bus brought the account isn't known");
    assert!(with("mallory", "999999999999").1.contains("`approvers`"));
    assert!(with("carol", "111122223333").1.contains("`approvals_from`"));
    assert_eq!(with("mallory", "").0, "open");
}

#[test]
fn a_change_set_of_the_pipeline_that_reverts_drift_closes_as_reverted() {
    const SET: &str = "cloudformation:eu-central-1:111122223333:changeSet/shop/back";
    let plan = at(SET, 20, What::Plans { stack: Box::new(SHOP.parse().unwrap()) });
    let run = at(SET, 30, What::Executes { by: DEPLOY.into() });
    let shop = hand_on(SHOP, 10, |_| {});
    let all = [shop, hand(10), plan.clone(), run.clone(), deploy(SHOP, 30, false), deploy(GROUP, 40, true)];
    let states = |all: &[Observation]| -> Vec<&'static str> {
        items(all, 9999).iter().map(|item| item.state.as_str()).collect()
    };
    assert_eq!(states(&all), ["reverted", "reverted"]);
    let without = |index: usize| -> Vec<Observation> {
        all.iter().enumerate().filter(|(at, _)| *at != index).map(|(_, one)| one.clone()).collect()
    };
    assert_eq!(states(&without(2)), ["overwritten", "overwritten"], "an ordinary change set");
    assert_eq!(states(&without(3)), ["overwritten", "overwritten"], "planned, and not executed");
    // By another role, an hour later, or not through CloudFormation: no part of it.
    let group = |closing: Observation| states(&[hand(10), plan.clone(), run.clone(), closing]);
    assert_eq!(group(deploy(GROUP, 30 + 3600, true)), ["reverted"]);
    assert_eq!(group(deploy(GROUP, 31 + 3600, true)), ["overwritten"]);
    assert_eq!(group(deploy(GROUP, 40, false)), ["overwritten"]);
    assert_eq!(group(at(GROUP, 40, What::Deploy { by: "other".into(), stack: true })), ["overwritten"]);
    // Executed before it was planned: another of the same name.
    let early = at(SET, 15, What::Executes { by: DEPLOY.into() });
    assert_eq!(states(&[hand(10), plan, early, deploy(GROUP, 40, true)]), ["overwritten"]);
}

#[test]
fn what_has_one_cause_is_one_row() {
    let on = |id: u32, time, change: fn(&mut Hand)| {
        hand_on(&format!("ec2:eu-central-1:111122223333:security-group/sg-{id}"), time, change)
    };
    let all = [
        on(1, 10, |_| {}),
        on(2, 20, |_| {}),
        on(3, 5, |hand| hand.incident = "drift-2".into()),
        // A stack that was run in a session that has changed other things, too.
        hand_on(SHOP, 30, |hand| hand.stack = SHOP.parse().ok()),
        on(4, 31, |hand| hand.by_stack = true),
        on(5, 32, |hand| (hand.by_stack, hand.stack) = (true, SHOP.parse().ok())),
        // Closed: a row of its own.
        on(6, 11, |_| {}),
        deploy("ec2:eu-central-1:111122223333:security-group/sg-6", 12, false),
    ];
    let rows = rows(items(&all, 99));
    let told: Vec<(&str, i64, usize)> =
        rows.iter().map(|row| (row.state(), row.since().unwrap().timestamp(), row.items.len())).collect();
    assert_eq!(told, [("open", 5, 1), ("open", 10, 2), ("open", 30, 3), ("overwritten", 11, 1)]);
    assert_eq!(rows[2].cause, Cause::Stack(SHOP.parse().unwrap()));
    assert_eq!(rows[1].cause, Cause::Session("drift-1".into()));
}

#[test]
fn the_digest_says_how_much_is_open_and_names_the_oldest() {
    const DAY: i64 = 86_400;
    let mut all: Vec<Observation> = (0..9)
        .map(|n| {
            let resource = format!("ec2:eu-central-1:111122223333:security-group/sg-{n}");
            hand_on(&resource, n * 5 * DAY, |hand| hand.incident = format!("drift-{}", n.max(1)))
        })
        .collect();
    let now = 40 * DAY + 60;
    let lines = |all: &[Observation]| crate::lines::lines(&items(all, now), Time::from_timestamp(now));
    let found = lines(&all);
    assert_eq!(
        found[0],
        "Changed by hand and not overwritten since: 9 resources are open, 7 for a week or longer."
    );
    assert!(
        found[1].starts_with("40 d ec2:eu-central-1:111122223333:security-group/sg-0 and 1 more, by dana"),
        "{found:?}"
    );
    assert_eq!((found.len(), found[6].as_str()), (7, "and 3 more: handsoff drift list"));
    let ages = crate::by_age(&items(&all, now), Time::from_timestamp(now));
    assert_eq!(ages.into_values().collect::<Vec<_>>(), [1, 1, 4, 3]);
    all.truncate(1);
    all.push(deploy("ec2:eu-central-1:111122223333:security-group/sg-0", DAY, false));
    assert_eq!(lines(&all), Vec::<String>::new(), "nothing is open: nothing to say");
}

/// Some observation of a few resources.
fn some() -> impl Strategy<Value = Observation> {
    let set = "cloudformation:eu-central-1:111122223333:changeSet/shop/back";
    (0..9_usize, 0..12_i64, 0..3_usize).prop_map(move |(what, time, which)| {
        let resource = [GROUP, SHOP, "iam::111122223333:role/x"][which];
        match what {
            0 | 1 => hand_on(resource, time, |hand| hand.incident = format!("drift-{which}")),
            2 => hand_on(resource, time, |hand| (hand.makes, hand.human) = (true, Some("erin".into()))),
            3 => deploy(resource, time, time % 2 == 0),
            4 => at(resource, time, What::Gone { by: "x".into() }),
            5 => accepted(time, ["carol", "erin"][which % 2], (which == 2).then_some(8)),
            6 => at(set, time, What::Plans { stack: Box::new(SHOP.parse().unwrap()) }),
            7 => at(set, time, What::Executes { by: DEPLOY.into() }),
            _ => hand_on(resource, time, |hand| hand.by_stack = true),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn neither_order_nor_repeats_nor_parts_matter(
        all in prop::collection::vec(some(), 0..24),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut others: Vec<Observation> =
            order.iter().filter(|_| !all.is_empty()).map(|index| all[index.index(all.len())].clone()).collect();
        others.extend(all.iter().rev().cloned());
        let (left, right) = others.split_at(cut.index(others.len() + 1));
        let mut merged = ledger(right);
        merged.merge(ledger(left));
        prop_assert_eq!(&merged, &ledger(&all));
        prop_assert_eq!(items_of(&merged), items(&all, 10));
        // It is stored as text, and is the same read back.
        let text: Vec<String> = all.iter().map(|one| serde_json::to_string(one).unwrap()).collect();
        let read: Vec<Observation> = text.iter().map(|one| serde_json::from_str(one).unwrap()).collect();
        prop_assert_eq!(read, all);
    }

    /// The item's state against a model that goes through time second by second.
    #[test]
    fn an_item_is_open_exactly_when_a_change_stands(all in prop::collection::vec(some(), 0..24)) {
        for item in items(&all, 10) {
            let of = || all.iter().filter(|one| one.resource == item.resource);
            let reverted = of_stack(&all, &item.resource);
            let mut open = BTreeSet::new();
            for second in 0..12 {
                let now = || of().filter(|one| one.time.timestamp() == second);
                let makes = |one: &&Observation| matches!(&one.what, What::Hand(hand) if hand.makes);
                if now().any(|one| matches!(one.what, What::Deploy { .. })) || reverted.contains(&second) {
                    open.clear();
                }
                open.extend(now().filter(|one| matches!(one.what, What::Hand(_))));
                if now().any(|one| matches!(one.what, What::Gone { .. })) {
                    open.retain(|one| one.time.timestamp() == second && makes(one));
                }
            }
            let covers = |hand: &Observation, by: &Observation| matches!((&hand.what, &by.what),
                (What::Hand(hand), What::Accepted(it)) if it.until.is_none() && hand.human.as_deref() != Some(&*it.owner))
                && hand.time <= by.time;
            let stands = open.iter().any(|hand| !of().any(|by| covers(hand, by)));
            prop_assert_eq!(item.state == State::Open, stands, "{:?} {:?}", item, open);
        }
    }
}

fn items_of(ledger: &Ledger) -> Vec<Item> {
    let policy = Policy::built_in();
    ledger.items(&Terms { now: Time::from_timestamp(10), cases: &policy.cases })
}

/// When the stack's drift was reverted.
fn of_stack(all: &[Observation], resource: &Resource) -> BTreeSet<i64> {
    let plans = |one: &Observation| matches!(one.what, What::Plans { .. });
    let first = all.iter().filter(|one| plans(one)).map(|one| one.time.timestamp()).min();
    let runs =
        all.iter().filter(|one| matches!(one.what, What::Executes { .. })).map(|one| one.time.timestamp());
    runs.filter(|at| resource.to_string() == SHOP && first.is_some_and(|first| first <= *at)).collect()
}

#[test]
fn an_acceptance_is_read_and_covers_nothing_that_is_yet_to_come() {
    let good =
        format!(r#"{{"resource":"{GROUP}","owner":"carol","reason":"r","time":"2026-03-14T02:00:00Z"}}"#);
    let came = Time::parse("2026-03-14T01:00:00Z");
    let read = |text: &str| Accepted::read(text, "111122223333", came);
    assert_eq!(read(&good).unwrap().time, came.unwrap(), "a later time would accept what comes later");
    assert_eq!(Accepted::read(&good, "", None).unwrap().time, Time::parse("2026-03-14T02:00:00Z").unwrap());
    for (from, to, why) in [
        ("carol", " ", "`owner` has to be"),
        ("\"r\"", "\"a\\u001bb\"", "`reason` has to be"),
        ("sg-1", "vpc-1", "a resource is written as"),
        ("\"reason\"", "\"extra\":1,\"reason\"", "unknown field `extra`"),
        ("02:00:00Z\"", "02:00:00Z\",\"until\":\"2026-03-14T02:00:00Z\"", "`until` has to be later"),
        (":111122223333:", "::", "is twelve digits"),
        ("{", "[", "no acceptance"),
    ] {
        let error = read(&good.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.starts_with("no acceptance: ") && error.contains(why), "{error}");
    }
}

/// What a record is to the ledger, under a policy with a deploy role and an exception.
fn observed(json: &str) -> Observed {
    let text = format!(
        "[[deploy]]\nidentity = \"{DEPLOY}\"\nsession_names = [\"ci\"]\n[[workload]]\nidentity = \"role/app\"\nmay_write = []\n\
         [[exception]]\nidentity = \"arn:aws:iam::*:user/scanner\"\nactions = [\"ec2:*\"]\nowner = \"o\"\nreason = \"r\"\nuntil = 2099-01-01\n"
    )
    .replace("\"role/app\"", "\"arn:aws:iam::*:role/app\"");
    let policy = Policy::parse("p", &text).unwrap();
    let Ok((Entry::Record(record), _)) = Record::read(json) else { panic!("a record: {json}") };
    let call = Call::classify(record, &policy, &mut Trace::off());
    of(&call, &policy, &handsoff_functions::engine(&policy).judge(&call, &mut Trace::off()))
}

fn record(identity: &str, name: &str, rest: &str) -> String {
    let group = r#","requestParameters":{"groupId":"sg-1"}"#;
    records::record(&format!("ec2:{name}"), identity).with(group).with(rest).to_string()
}

fn session(role: &str, name: &str) -> String {
    records::session(role, name).to_string()
}

#[test]
fn whose_change_it_is_follows_from_the_verdict() {
    let (user, root) = (records::user, records::root());
    let (change, delete) = ("AuthorizeSecurityGroupIngress", "DeleteSecurityGroup");
    let what = |identity: &str, name: &str| -> Vec<&'static str> {
        let observed = observed(&record(identity, name, ""));
        assert_eq!(observed.unknown, None);
        let name = |one: &Observation| match one.what {
            What::Hand(_) => "hand",
            What::Deploy { .. } => "deploy",
            What::Gone { .. } => "gone",
            _ => "other",
        };
        observed.observations.iter().map(name).collect()
    };
    assert_eq!(what(&user("ana"), change), ["hand"]);
    assert_eq!(what(&user("ana"), delete), ["hand", "gone"]);
    assert_eq!(what(&root, change), ["hand"], "break-glass is by hand, too");
    assert_eq!(what(&session("deploy", "ci"), change), ["deploy"]);
    assert_eq!(what(&session("deploy", "ci"), delete), ["gone"]);
    assert_eq!(what(&session("deploy", "ana"), change), ["hand"], "a misused deploy role is no pipeline");
    assert_eq!(what(&session("app", "i-1"), change), Vec::<&str>::new(), "a workload is no hand");
    assert_eq!(what(&session("app", "i-1"), delete), ["gone"]);
    assert_eq!(what(&user("scanner"), change), Vec::<&str>::new(), "tolerated");
    assert_eq!(what(&user("scanner"), delete), ["gone"]);
    assert_eq!(what(&user("ana"), "DescribeSecurityGroups"), Vec::<&str>::new());
    let failed = observed(&record(&user("ana"), change, r#","errorCode":"Client.InvalidGroup.NotFound""#));
    assert_eq!(failed, Observed::default());
    let data = observed(&record(&user("ana"), change, r#","eventCategory":"Data""#));
    assert_eq!(data, Observed::default());
    // What is by hand, and of a resource that isn't known, is reported.
    let unknown = observed(&record(&user("ana"), "CreateCustomerGateway", ""));
    assert_eq!(
        (unknown.observations.len(), unknown.unknown.as_deref()),
        (0, Some("ec2:CreateCustomerGateway"))
    );
    assert_eq!(observed(&record(&session("deploy", "ci"), "CreateCustomerGateway", "")), Observed::default());
    let timeless = record(&user("ana"), change, "").replace("\"eventTime\"", "\"x\"");
    assert_eq!(observed(&timeless).unknown.as_deref(), Some("ec2:AuthorizeSecurityGroupIngress"));
}

#[test]
fn a_stack_is_known_by_its_tags_and_a_change_set_by_either_name() {
    let cfn = session("admin", "ana").replacen(
        '{',
        r#"{"invokedBy":"cloudformation.amazonaws.com","accessKeyId":"ASIAEXAMPLE","#,
        1,
    );
    let tags = r#","requestParameters":{"groupName":"x","tagSpecificationSet":{"items":[{"resourceType":"security-group",
        "tags":[{"key":"aws:cloudformation:stack-name","value":"shop"}]}]}},"responseElements":{"groupId":"sg-7"}"#;
    let made = observed(&record(&cfn, "CreateSecurityGroup", tags));
    let What::Hand(hand) = &made.observations[0].what else { panic!("{made:?}") };
    assert_eq!(
        (hand.by_stack, hand.makes, hand.stack.as_ref().map(ToString::to_string)),
        (true, true, Some(SHOP.into()))
    );

    let call = |name: &str, identity: &str, parameters: &str, answer: &str| {
        let json = record(identity, name, &format!(r#","responseElements":{answer}"#))
            .replace("ec2.amazonaws.com", "cloudformation.amazonaws.com")
            .replace(r#"{"groupId":"sg-1"}"#, parameters);
        observed(&json).observations
    };
    let arn = "arn:aws:cloudformation:eu-central-1:111122223333:changeSet/back/5f-1";
    let ci = session("deploy", "ci");
    let planned = call(
        "CreateChangeSet",
        &ci,
        r#"{"stackName":"shop","changeSetName":"back","deploymentMode":"REVERT_DRIFT"}"#,
        &format!(r#"{{"id":"{arn}"}}"#),
    );
    let names: Vec<String> = planned.iter().map(|one| one.resource.to_string()).collect();
    let prefix = "cloudformation:eu-central-1:111122223333:changeSet/";
    assert_eq!(names, [format!("{prefix}back/5f-1"), format!("{prefix}shop/back")]);
    for parameters in [
        r#"{"stackName":"shop","changeSetName":"back"}"#.to_owned(),
        format!(r#"{{"changeSetName":"{arn}"}}"#),
    ] {
        let mut all = call("ExecuteChangeSet", &ci, &parameters, "null");
        assert!(all.iter().any(|one| matches!(one.what, What::Executes { .. })), "{parameters}");
        all.extend(planned.clone());
        all.push(hand_on(SHOP, 10, |_| {}));
        assert_eq!(state(&all, i64::MAX).0, "reverted", "{parameters}");
        // Executed by a person it reverts nothing: that is by hand.
        let mut all = call("ExecuteChangeSet", &session("admin", "ana"), &parameters, "null");
        all.extend(planned.clone());
        all.push(hand_on(SHOP, 10, |_| {}));
        assert_eq!(state(&all, i64::MAX).0, "open", "{parameters}");
    }
}
