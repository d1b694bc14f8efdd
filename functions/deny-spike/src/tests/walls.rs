//! A wall, and who changed the guardrail that it is made of.

use handsoff_runtime::{Function, Lease, Report};
use handsoff_testing::in_memory::InMemory;

use super::*;
use crate::live::{DenySpikeFunction, Work};

const BOUNDARY: &str = "arn:aws:iam::111122223333:policy/boundary";
const SCP: &str = "arn:aws:organizations::999999999999:policy/o-a/service_control_policy/p-1";

fn at(second: i64) -> Time {
    Time::from_timestamp(1_772_000_000 + second)
}

/// Twenty calls of four principals that a policy denied.
fn wall(policy: &str, kind: &str) -> Vec<Undecided> {
    let end = format!("with an explicit deny in a {kind}: {policy}");
    let said = |n: i64| {
        format!(
            r#"{DENIED},"errorMessage":"User: arn:aws:iam::111122223333:user/u{n} is not authorized to perform: s3:PutObject {end}""#
        )
    };
    let policy = Policy::built_in();
    let call = |n: i64| {
        let json =
            record("s3:PutObject", user(&format!("u{}", n % 4))).id(n).at(at(n)).with(&said(n)).to_string();
        classified(&json, &policy, |_, call| undecided(call, &policy))
    };
    (0..20).map(call).collect()
}

fn change_json(n: i64, second: i64, action: &str, asked: &str) -> String {
    record(action, user("admin")).id(n).at(at(second)).with(asked).to_string()
}

fn change(n: i64, second: i64, action: &str, asked: &str) -> Option<Related> {
    let policy = Policy::built_in();
    classified(&change_json(n, second, action, asked), &policy, |_, call| {
        DenySpike.relates(call, &policy).pop()
    })
}

fn asked(key: &str, value: &str) -> String {
    format!(r#","requestParameters":{{"{key}":"{value}"}}"#)
}

/// The reasons of a wall's findings.
fn reasons(denials: Vec<Undecided>, related: &[Related]) -> Vec<String> {
    let found = settle(denials, related, &Denials { count: 20, ..never() });
    assert!(found.len() == 20 && found.iter().all(|it| it.code == codes::DENY_WALL));
    found.into_iter().map(|it| it.reason).collect()
}

#[test]
fn a_wall_says_who_changed_its_policy_last_in_the_day_before() {
    let version =
        |n, second| change(n, second, "iam:CreatePolicyVersion", &asked("policyArn", BOUNDARY)).unwrap();
    let walls = || wall(BOUNDARY, "permissions boundary");
    let said = |related: &[Related]| {
        let all = reasons(walls(), related);
        let mut of_each: Vec<String> =
            all.iter().map(|it| it.split(" Before that, ").nth(1).unwrap_or_default().to_owned()).collect();
        of_each.dedup();
        assert_eq!(of_each.len(), 1, "{of_each:?}");
        of_each.remove(0)
    };
    let expected = format!("iam:CreatePolicyVersion by admin at {} changed this policy.", at(-60));
    assert_eq!(said(&[version(1, -60)]), expected);
    assert_eq!(said(&[version(1, -60), version(2, -3600)]), expected, "the last one");
    assert_eq!(said(&[version(2, -3600), version(1, -60)]), expected, "whatever the order");
    assert_eq!(said(&[version(1, -86_401)]), "", "too long ago");
    assert_eq!(said(&[version(1, 30)]), "", "after the calls");
    let put =
        change(1, -60, "iam:PutRolePermissionsBoundary", &asked("permissionsBoundary", BOUNDARY)).unwrap();
    assert!(said(&[put]).starts_with("iam:PutRolePermissionsBoundary"));
    let other =
        change(1, -60, "iam:CreatePolicyVersion", &asked("policyArn", &format!("{BOUNDARY}2"))).unwrap();
    assert_eq!(said(&[other]), "", "another policy");
}

/// Policies of an organization have an ID, which their ARN ends with.
#[test]
fn a_policy_of_the_organization_is_known_by_its_id() {
    let attached = change(1, -60, "organizations:AttachPolicy", &asked("policyId", "p-1")).unwrap();
    let all = reasons(wall(SCP, "service control policy"), std::slice::from_ref(&attached));
    assert!(all.iter().all(|it| it.contains("organizations:AttachPolicy by admin")), "{}", all[0]);
    let other = SCP.replace("p-1", "p-2");
    let all = reasons(wall(&other, "service control policy"), &[attached]);
    assert!(all.iter().all(|it| !it.contains("Before that")));
}

#[test]
fn what_failed_or_is_no_change_of_a_policy_is_not_kept() {
    let named = asked("policyArn", BOUNDARY);
    assert!(change(1, 0, "iam:CreatePolicyVersion", &format!("{named}{DENIED}")).is_none());
    assert!(change(1, 0, "iam:GetPolicyVersion", &named).is_none());
    assert!(change(1, 0, "iam:CreatePolicyVersion", "").is_none(), "it names none");
}

/// The function keeps the change, by any caller, and its wall says so.
#[test]
fn the_function_remembers_changes_too() {
    let text = "[[deploy]]\nidentity = \"arn:aws:iam::*:user/admin\"\n[denials]\ncount = 20\n";
    for policy in [Policy::built_in(), Policy::parse("p", text).unwrap()] {
        let function = DenySpikeFunction::new(engine(&policy), Lease(TimeDelta::minutes(1)));
        let world = InMemory::default();
        let json = change_json(99, -60, "iam:CreatePolicyVersion", &asked("policyArn", BOUNDARY));
        let work = classified(&json, &policy, |record, _| function.judge(record)).unwrap();
        assert!(matches!(work, Work::Changed(_)) && function.timed(&work).is_none());
        let mut report = Report::default();
        let kept = function.carry_out(&world, vec![work], &mut report);
        futures_util::FutureExt::now_or_never(kept).unwrap().unwrap();
        let mut found = Vec::new();
        let all = wall(BOUNDARY, "permissions boundary");
        for n in 0..4 {
            let own: Vec<Undecided> = all.iter().skip(n).step_by(4).cloned().collect();
            let work = live::found(&world, &policy, own, &mut report);
            found.extend(futures_util::FutureExt::now_or_never(work).unwrap().unwrap());
        }
        let walls: Vec<&Finding> = found.iter().filter(|it| it.code == codes::DENY_WALL).collect();
        assert_eq!(walls.len(), 20);
        for finding in walls {
            assert_eq!(finding.reason.matches("Before that, iam:CreatePolicyVersion by admin").count(), 1);
        }
    }
}

/// Who owns the policy is named, by its ARN or by the ID that the ARN ends with.
#[test]
fn the_owner_of_a_guardrail_is_named() {
    for (name, expected) in [(SCP, true), ("p-1", true), ("p-2", false)] {
        let text = format!("[denials]\nguardrails = {{ \"{name}\" = \"platform@example.com\" }}\n");
        let policy = Policy::parse("p", &text).unwrap();
        let all = wall(SCP, "service control policy");
        let found = settle(all, &[], &policy.denials);
        let walls: Vec<&Finding> = found.iter().filter(|it| it.code == codes::DENY_WALL).collect();
        assert_eq!(walls.len(), 20);
        let says = |it: &&Finding| it.reason.contains(", whose owner is platform@example.com (p:1");
        assert_eq!(walls.iter().all(says), expected, "{name}: {}", walls[0].reason);
    }
    let wrong = Policy::parse("p", "[denials]\nguardrails = { \"p-1\" = 5 }\n").unwrap_err();
    assert!(wrong[0].to_string().contains("who owns the policy"), "{}", wrong[0]);
}
