//! Deploy sessions that were issued in other sessions, as where a runner's role assumes the deploy role: what they cost, and that
//! what refutes one in the chain is found in whatever order the records come.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may panic"
)]

use std::collections::BTreeSet;

use handsoff_core::Policy;
use handsoff_drift::live::DriftFunction;
use handsoff_runtime::Mark;
use handsoff_testing::in_memory::InMemory;
use handsoff_tests::drift::{self, function};
use handsoff_tests::replay_records;
use handsoff_tests::sessions::{Session, assumes, record, session};
use proptest::prelude::*;

/// The runner's role has an entry of its own, as in the sample policy for CDK.
const POLICY: &str = r#"
[[deploy]]
identity = "arn:aws:iam::*:role/ci"
assumed_by = ["service:codebuild.amazonaws.com", "service:ec2.amazonaws.com"]
may_change = []
[[deploy]]
identity = "arn:aws:iam::*:role/deploy"
assumed_by = ["arn:aws:iam::111122223333:role/ci"]
[[deploy]]
identity = "arn:aws:iam::*:role/deploy-app"
assumed_by = ["arn:aws:iam::111122223333:role/deploy"]
"#;

/// The same without that: the record of its beginning never comes.
const WITHOUT: &str = r#"
[[deploy]]
identity = "arn:aws:iam::*:role/deploy"
assumed_by = ["arn:aws:iam::111122223333:role/ci"]
"#;

const CODEBUILD: &str = r#"{"type":"AWSService","invokedBy":"codebuild.amazonaws.com"}"#;
const LAMBDA: &str = r#"{"type":"AWSService","invokedBy":"lambda.amazonaws.com"}"#;
const GITHUB: &str = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com";
const CI: Session = ("ci", "build-7", "ASIACI");
const DEPLOY: Session = ("deploy", "run-7", "ASIADEPLOY");
const APP: Session = ("deploy-app", "run-7", "ASIAAPP");

fn changes(second: u32, who: Session) -> String {
    let group = format!(r#""requestParameters":{{"groupId":"sg-{second}"}},"#);
    record(second, &session(who), "ec2:AuthorizeSecurityGroupIngress", &group)
}

/// The identity of a session with a mark that AWS sets.
fn marked(who: Session, mark: &str) -> String {
    session(who).replace(r#""sessionContext":{"#, &format!(r#""sessionContext":{{{mark},"#))
}

/// How a chain of sessions began, if this assumed the runner's role.
fn beginnings(by: &str) -> Vec<String> {
    vec![assumes(1, by, CI), assumes(2, &session(CI), DEPLOY), assumes(3, &session(DEPLOY), APP)]
}

fn world() -> InMemory {
    drift::world_at("2026-03-10T02:01:00Z")
}

/// Brings a function a batch, and says of what sessions it read how often, and what it stored of any.
fn bring(world: &InMemory, function: &DriftFunction<'_>, records: &[String]) -> (usize, usize) {
    let items = || {
        let all = world.observations.borrow();
        all.keys().filter(|(partition, _)| partition.starts_with("session#")).count()
    };
    let before = items();
    let calls = drift::bring(world, function, records);
    let reads = calls.iter().filter(|name| name.contains("range")).count();
    (reads, items() - before)
}

/// Brings so many batches of changes in a session: what each read and stored.
fn deploys(
    world: &InMemory,
    function: &DriftFunction<'_>,
    who: Session,
    batches: u32,
) -> Vec<(usize, usize)> {
    let batch = |n: u32| vec![changes(10 + 2 * n, who), changes(11 + 2 * n, who)];
    (0..batches).map(|n| bring(world, function, &batch(n))).collect()
}

/// `Must hold`: proof costs at most one read of memory a deploy session, also where a runner's role assumes the deploy role.
#[test]
fn each_session_of_a_chain_costs_one_read_and_nothing_of_it_is_stored() {
    let (policy, world) = (Policy::parse("p", POLICY).unwrap(), world());
    let first = function(&policy);
    for began in beginnings(CODEBUILD) {
        assert_eq!(bring(&world, &first, &[began]), (0, 1), "its beginning is stored, and nothing read");
    }
    for session in [DEPLOY, APP] {
        assert_eq!(deploys(&world, &first, session, 4), [(0, 0); 4], "the process that saw how it began");
    }
    for session in [APP, DEPLOY] {
        let expected = [(1, 0), (0, 0), (0, 0), (0, 0)];
        assert_eq!(deploys(&world, &function(&policy), session, 4), expected, "another process");
    }
}

#[test]
fn a_chain_whose_links_several_processes_see_costs_a_read_of_each() {
    let (policy, world) = (Policy::parse("p", POLICY).unwrap(), world());
    let read: Vec<_> =
        beginnings(CODEBUILD).into_iter().map(|began| bring(&world, &function(&policy), &[began])).collect();
    assert_eq!(read, [(0, 1), (1, 1), (1, 1)], "that of the session which issued it");
    assert_eq!(deploys(&world, &function(&policy), APP, 3), [(1, 0), (0, 0), (0, 0)]);
}

#[test]
fn a_chain_that_begins_in_one_batch_is_proven_without_a_read() {
    let (policy, world) = (Policy::parse("p", POLICY).unwrap(), world());
    let together = function(&policy);
    assert_eq!(bring(&world, &together, &beginnings(CODEBUILD)), (0, 3));
    assert_eq!(deploys(&world, &together, APP, 2), [(0, 0), (0, 0)]);
    assert_eq!(deploys(&world, &function(&policy), APP, 2), [(1, 0), (0, 0)]);
}

#[test]
fn a_chain_whose_first_link_comes_last_is_proven_by_it() {
    let (policy, world) = (Policy::parse("p", POLICY).unwrap(), world());
    let [ci, deploy, app] = <[String; 3]>::try_from(beginnings(CODEBUILD)).unwrap();
    bring(&world, &function(&policy), &[app]);
    bring(&world, &function(&policy), &[deploy]);
    let earlier = function(&policy);
    let before = deploys(&world, &earlier, APP, 1);
    assert!(before[0].0 > 1 && before[0].1 == 2, "nothing is proven yet: {before:?}");
    bring(&world, &function(&policy), &[ci]);
    // It looks again, at the first session alone.
    assert_eq!(deploys(&world, &earlier, APP, 3), [(1, 0), (0, 0), (0, 0)]);
    // Each of the three is read once.
    assert_eq!(deploys(&world, &function(&policy), APP, 3), [(3, 0), (0, 0), (0, 0)]);
}

/// What AWS says of a caller in the record itself needs no other record: no person can have assumed the runner's role.
#[test]
fn a_session_that_a_machines_or_a_web_identitys_session_assumed_is_proven_by_its_own_record() {
    let policy = Policy::parse("p", WITHOUT).unwrap();
    let web = format!(r#""webIdFederationData":{{"federatedProvider":"{GITHUB}","attributes":{{}}}}"#);
    let compute = session(CI).replace(
        r#""accessKeyId""#,
        r#""inScopeOf":{"issuerType":"AWS::ECS::TaskDefinition"},"accessKeyId""#,
    );
    for runner in [marked(CI, &web), marked(CI, r#""ec2RoleDelivery":"2.0""#), compute] {
        let world = world();
        let first = function(&policy);
        assert_eq!(bring(&world, &first, &[assumes(2, &runner, DEPLOY)]), (0, 1), "{runner}");
        assert_eq!(deploys(&world, &first, DEPLOY, 2), [(0, 0), (0, 0)]);
        assert_eq!(deploys(&world, &function(&policy), DEPLOY, 3), [(1, 0), (0, 0), (0, 0)]);
    }
}

/// Nobody proves a session by what they can choose: not by marks that say nothing, nor by the name of the session.
#[test]
fn a_session_isnt_proven_by_what_its_caller_chooses() {
    let policy = Policy::parse("p", WITHOUT).unwrap();
    let named = ("ci", "i-0123456789abcdef0", "ASIACI");
    let notebook =
        session(CI).replace(r#""accessKeyId""#, r#""inScopeOf":{"issuerType":"AWS::SSM::X"},"accessKeyId""#);
    let empty = marked(CI, r#""webIdFederationData":{}"#);
    let blank = marked(CI, r#""webIdFederationData":{"federatedProvider":""}"#);
    for runner in [session(named), notebook, empty, blank, session(CI)] {
        let world = world();
        bring(&world, &function(&policy), &[assumes(2, &runner, DEPLOY)]);
        let stored: usize = deploys(&world, &function(&policy), DEPLOY, 3).iter().map(|it| it.1).sum();
        assert_eq!(stored, 6, "{runner}");
    }
}

/// A call into another account has a record in each: the role's has only the caller's account, the caller's has a person.
#[test]
fn of_two_records_of_one_call_the_one_that_says_more_counts() {
    let policy = "[[deploy]]\nidentity = \"arn:aws:iam::*:role/deploy\"\nassumed_by = [\"arn:aws:iam::444455556666:role/ci\"]";
    let policy = Policy::parse("p", policy).unwrap();
    let less = assumes(1, r#"{"type":"AWSAccount","accountId":"444455556666"}"#, DEPLOY);
    let more =
        assumes(2, &session(("AWSReservedSSO_Dev_0123456789abcdef", "jon@example.com", "ASIAJON")), DEPLOY);
    let seconds = |found: &[&str]| -> Misused { found.iter().map(|at| (*at).to_owned()).collect() };
    for records in [[&less, &more], [&more, &less]] {
        let world = world();
        for record in records {
            bring(&world, &function(&policy), std::slice::from_ref(record));
        }
        deploys(&world, &function(&policy), DEPLOY, 1);
        assert_eq!(found(&world), seconds(&["02", "10", "11"]));
    }
    // The same process brings both, one after the other or at once, and what is done then.
    for batches in [vec![vec![more.clone()], vec![less.clone()]], vec![vec![more.clone(), less.clone()]]] {
        let (world, one) = (self::world(), function(&policy));
        for batch in &batches {
            bring(&world, &one, batch);
        }
        bring(&world, &one, &[changes(10, DEPLOY)]);
        bring(&world, &one, &[changes(11, DEPLOY)]);
        assert_eq!(found(&world), seconds(&["02", "10", "11"]), "{}", batches.len());
    }
    // What was done before can't be known any more; what is done since is.
    let (world, one) = (world(), function(&policy));
    bring(&world, &one, &[less, changes(10, DEPLOY)]);
    bring(&world, &one, &[more]);
    bring(&world, &one, &[changes(11, DEPLOY)]);
    assert_eq!(found(&world), seconds(&["02", "11"]));
}

/// The record of most runners' beginnings never comes: a person may yet be behind it, so each change is stored, and read once a
/// batch. Twenty batches were forty reads.
#[test]
fn a_session_whose_runner_may_be_a_persons_costs_a_read_a_batch() {
    let (policy, world) = (Policy::parse("p", WITHOUT).unwrap(), world());
    bring(&world, &function(&policy), &[assumes(2, &session(CI), DEPLOY)]);
    let all = deploys(&world, &function(&policy), DEPLOY, 20);
    assert!(all.iter().all(|(_, stored)| *stored == 2), "{all:?}");
    // Its own beginning first, and that of the runner's session ever more rarely.
    let reads: Vec<usize> = all.iter().map(|(reads, _)| *reads).collect();
    assert_eq!(reads, [3, 2, 1, 2, 1, 1, 1, 2, 1, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1]);
}

/// The seconds of what is misuse of a deploy role.
type Misused = BTreeSet<String>;

fn misused<'m>(sorts: impl Iterator<Item = &'m String>) -> Misused {
    let of = |sort: &String| {
        let parts: Vec<&str> = sort.split('#').collect();
        let [_, time, _, "deploy-role-misused", _] = parts[..] else { return None };
        Some(time[17..19].to_owned())
    };
    sorts.filter_map(of).collect()
}

/// What is done in a chain that began so. `on_an_instance`: AWS marks the credentials of the runner's session.
fn run_of(by: &str, on_an_instance: bool) -> Vec<String> {
    let mut all = beginnings(by);
    if on_an_instance {
        all[1] = assumes(2, &marked(CI, r#""ec2RoleDelivery":"2.0""#), DEPLOY);
    }
    all.extend([changes(10, DEPLOY), changes(11, APP), changes(12, APP)]);
    all
}

/// The misuse that functions find, several of which share the batches.
fn live(records: &[String], at_once: usize, processes: usize) -> Misused {
    let (policy, world) = (Policy::parse("p", POLICY).unwrap(), world());
    let functions: Vec<_> = (0..processes).map(|_| function(&policy)).collect();
    for (place, batch) in records.chunks(at_once).enumerate() {
        bring(&world, &functions[place % processes], batch);
    }
    found(&world)
}

/// What is stored of it.
fn found(world: &InMemory) -> Misused {
    misused(world.observations.borrow().keys().map(|(_, sort)| sort).filter(|sort| sort.starts_with("mark#")))
}

fn replayed(records: &[String]) -> Misused {
    let sorts: Vec<String> = {
        let found = replay_records(records, &Policy::parse("p", POLICY).unwrap());
        found.findings.iter().map(Mark::sort).collect()
    };
    misused(sorts.iter())
}

/// What comes late refutes the whole chain, with every change since.
#[test]
fn what_refutes_the_first_session_of_a_chain_last_refutes_all_that_was_done_in_it() {
    let [ci, rest @ ..] = &run_of(LAMBDA, false)[..] else { panic!("no records") };
    let last = [rest, std::slice::from_ref(ci)].concat();
    let expected: Misused = ["01", "02", "03", "10", "11", "12"].map(str::to_owned).into();
    for processes in [1, 3] {
        assert_eq!(live(&last, 1, processes), expected);
    }
    assert_eq!(replayed(&last), expected);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn the_order_of_a_chains_records_makes_no_difference(
        refuted in any::<bool>(),
        on_an_instance in any::<bool>(),
        order in Just((0..6).collect::<Vec<usize>>()).prop_shuffle(),
        again in prop::collection::vec(0..6_usize, 0..6),
        at_once in 1..5_usize,
        processes in 1..4_usize,
    ) {
        let all = run_of(if refuted { LAMBDA } else { CODEBUILD }, on_an_instance);
        // Some come twice.
        let records: Vec<String> = order.iter().chain(&again).map(|place| all[*place].clone()).collect();
        let expected: Misused =
            if refuted { ["01", "02", "03", "10", "11", "12"].map(str::to_owned).into() } else { Misused::new() };
        prop_assert_eq!(live(&records, at_once, processes), expected.clone());
        prop_assert_eq!(replayed(&records), expected);
    }
}
