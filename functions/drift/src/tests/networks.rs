//! Where long-lived keys are used from.

use handsoff_core::detector::Related;
use handsoff_testing::records::user;

use super::*;

const DEPLOY: &str = "[[deploy]]\nidentity = \"arn:aws:iam::*:user/ci\"\n";

/// A user's call with a key, from an address, at a time.
fn call(who: &str, key: &str, action: &str, address: &str, time: &str) -> String {
    let identity = user(who).replacen('{', &format!(r#"{{"accessKeyId":"{key}","#), 1);
    record(action, &identity)
        .id(handsoff_core::group::digest(&[who, key, action, address, time]))
        .at(time)
        .from(address, "aws-cli/2")
        .to_string()
}

fn kept(policy: &str, json: &str) -> Vec<Related> {
    let policy = Policy::parse("p", policy).unwrap();
    classified(json, &policy, |record, call| {
        let related = Drift.relates(call, &policy);
        let engine = handsoff_functions::engine(&policy);
        let left_out = engine.fast_path().disposition(record).is_some();
        assert!(related.is_empty() || !left_out, "a replay leaves it out");
        related
    })
}

/// What comes of the changes of one key, from these addresses on these days of March.
fn found(policy: &str, uses: &[(&str, u32)]) -> Vec<Finding> {
    let call = |(address, day): &(&str, u32)| {
        call("ci", "AKIACI", "ecs:TagResource", address, &format!("2026-03-{day:02}T09:00:00Z"))
    };
    let related = uses.iter().flat_map(|one| kept(policy, &call(one))).collect();
    Drift.join(related, &Policy::built_in())
}

const OFFICE: &str = "203.0.113.7";
const HOME: &str = "198.51.100.7";

#[test]
fn a_key_that_is_used_from_a_network_for_the_first_time_is_reported_once() {
    assert_eq!(found(DEPLOY, &[(OFFICE, 1), (OFFICE, 2), ("203.0.113.200", 3)]).len(), 0, "one network");
    assert_eq!(found(DEPLOY, &[(HOME, 2), (HOME, 2)]).len(), 0, "nothing is known of it before");
    assert_eq!(found(DEPLOY, &[(OFFICE, 2), (HOME, 2)]).len(), 0, "of one day neither is the newer");
    let found = found(DEPLOY, &[(OFFICE, 1), (HOME, 2), (HOME, 2), (HOME, 3), (OFFICE, 3)]);
    assert_eq!(found.len(), 1);
    let finding = &found[0];
    assert_eq!((finding.code, finding.severity), (codes::LONG_LIVED_KEY, Severity::Medium));
    assert_eq!(finding.principal.kind, Kind::DeployRole);
    assert_eq!(
        finding.reason,
        "A long-lived key was used from 198.51.100.0/24, and in all that is known of the 90 days before only from 203.0.113.0/24."
    );
    assert!(!format!("{finding:?}").contains("AKIACI"), "{finding:?}");
}

#[test]
fn what_is_forgotten_is_new_again_and_a_key_of_many_networks_has_none() {
    let days = [("192.0.2.1", 1), ("198.18.0.1", 2), ("198.19.0.1", 3), ("10.0.0.1", 4), (HOME, 5)];
    let new = |found: Vec<Finding>| found.len();
    // The second, third and fourth; then it has none of its own.
    assert_eq!(new(found(DEPLOY, &days)), 3);
    let at =
        |address: &str, time: &str| kept(DEPLOY, &call("ci", "AKIACI", "ecs:TagResource", address, time));
    let later = |time: &str| {
        let all = [at(HOME, "2026-03-01T00:00:00Z"), at(OFFICE, "2026-05-20T00:00:00Z"), at(HOME, time)];
        Drift
            .join(all.concat(), &Policy::built_in())
            .iter()
            .filter(|it| it.reason.starts_with("A long-lived key was used from 198"))
            .count()
    };
    assert_eq!((later("2026-05-30T23:00:00Z"), later("2026-05-31T00:00:00Z")), (0, 1));
}

#[test]
fn ipv6_and_vpc_endpoints_are_networks_and_services_are_none() {
    assert_eq!(found(DEPLOY, &[("2001:db8:1::1", 1), ("2001:db8:1:ffff::1", 2)]).len(), 0);
    assert_eq!(found(DEPLOY, &[("2001:db8:1::1", 1), ("2001:db8:2::1", 2)]).len(), 1);
    assert_eq!(found(DEPLOY, &[(OFFICE, 1), ("cloudformation.amazonaws.com", 2), ("", 3)]).len(), 0);
    let endpoint = |day: u32, id: &str| {
        let time = format!("2026-03-{day:02}T09:00:00Z");
        let json = call("ci", "AKIACI", "ecs:TagResource", "10.0.0.1", &time);
        kept(DEPLOY, &json.replacen('{', &format!(r#"{{"vpcEndpointId":"{id}","#), 1))
    };
    let two = |id| Drift.join([endpoint(1, "vpce-1"), endpoint(2, id)].concat(), &Policy::built_in()).len();
    assert_eq!((two("vpce-1"), two("vpce-2")), (0, 1));
}

#[test]
fn of_whom_and_of_what_it_is_kept() {
    let all = |policy: &str, who: &str, key: &str, action: &str| {
        kept(policy, &call(who, key, action, HOME, "2026-03-02T09:00:00Z"))
            .iter()
            .map(|one| one.finding.severity)
            .collect::<Vec<_>>()
    };
    let medium = vec![Severity::Medium];
    assert_eq!(all(DEPLOY, "jon", "AKIAJON", "ecs:TagResource"), medium);
    assert_eq!(all(DEPLOY, "jon", "AKIAJON", "sts:AssumeRole"), medium);
    assert_eq!(all(DEPLOY, "ci", "AKIACI", "sts:GetSessionToken"), medium);
    for (policy, key, action) in
        [(DEPLOY, "ASIAJON", "ecs:TagResource"), (DEPLOY, "AKIAJON", "sqs:ListQueues")]
    {
        assert_eq!(all(policy, "jon", key, action), [], "{key} {action}");
    }
    // Whatever else is said of it, and with an exception: that says what one may do, and not who has the key.
    assert_eq!(all(DEPLOY, "jon", "AKIAJON", "cloudtrail:StopLogging"), medium);
    let excepted = "[[exception]]\nidentity = \"arn:aws:iam::*:user/jon\"\nactions = [\"ecs:*\"]\nreason = \"r\"\n\
                    owner = \"o@example.com\"\nuntil = 2026-12-01\n";
    assert_eq!(all(excepted, "jon", "AKIAJON", "ecs:TagResource"), medium);
    let places = format!("{DEPLOY}networks = [\"203.0.113.0/24\"]\n");
    assert_eq!(all(&places, "ci", "AKIACI", "ecs:TagResource"), [], "deploy-role-misused");
}
