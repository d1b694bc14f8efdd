//! Launches that were refused, in several sizes or Regions.

use handsoff_runtime::Report;
use handsoff_testing::in_memory::InMemory;

use super::*;

const POLICY: &str = "[[deploy]]\nidentity = \"arn:aws:iam::*:role/deploy\"\n[[workload]]\nidentity = \"arn:aws:iam::*:role/app\"\n";

fn engine_says(action: &str, who: impl std::fmt::Display, with: &str) -> Verdict {
    let policy = Policy::parse("p", POLICY).unwrap();
    let json = record(action, who).with(with).to_string();
    classified(&json, &policy, |_, call| engine(&policy).judge(call, &mut Trace::off()))
}

/// What a launch asked for, if it counts.
fn asked(action: &str, who: impl std::fmt::Display, with: &str) -> Option<String> {
    match engine_says(action, who, with) {
        Verdict::Undecided(undecided) => undecided.asked,
        _ => None,
    }
}

fn refused(code: &str, size: &str, region: &str) -> String {
    format!(
        r#","errorCode":"Client.{code}","awsRegion":"{region}","requestParameters":{{"instanceType":"{size}"}}"#
    )
}

/// A launch of a user that was refused, so many minutes after noon.
fn launch(n: i64, minute: i64, code: &str, size: &str, region: &str) -> Undecided {
    let time = Time::parse("2026-03-14T12:00:00Z").unwrap() + TimeDelta::minutes(minute);
    let with = refused(code, size, region);
    let json = record("ec2:RunInstances", user("a")).id(n).at(time).with(&with).to_string();
    let policy = Policy::built_in();
    classified(&json, &policy, |_, call| undecided(call, &policy))
}

const QUOTA: &str = "VcpuLimitExceeded";

#[test]
fn what_counts_is_what_was_refused_and_to_whom() {
    let workload = || session("app", "s");
    for code in [
        QUOTA,
        "InstanceLimitExceeded",
        "MaxSpotInstanceCountExceeded",
        "OptInRequired",
        "PendingVerification",
        "Blocked",
        "UnauthorizedOperation",
    ] {
        let (small, large) =
            (refused(code, "m5.large", "eu-west-1"), refused(code, "p4d.24xlarge", "eu-west-1"));
        for action in ["ec2:RunInstances", "ec2:RequestSpotInstances"] {
            assert_eq!(asked(action, user("a"), &small).as_deref(), Some("m5.large in eu-west-1"), "{code}");
            assert_eq!(asked(action, workload(), &small).is_some(), code == "OptInRequired", "{code}");
            assert!(asked(action, workload(), &large).is_some(), "{code}");
            assert_eq!(asked(action, session("deploy", "run"), &large), None, "{code}");
            let service = r#"{"type":"AWSService","invokedBy":"autoscaling.amazonaws.com"}"#;
            assert_eq!(asked(action, service, &large), None, "{code}");
        }
        // The rule lets through no quotas of others.
        assert_eq!(
            asked("ec2:CreateFleet", user("a"), &small).is_some(),
            !code.ends_with("LimitExceeded"),
            "{code}"
        );
        assert_eq!(asked("ec2:StartInstances", user("a"), &small), None, "{code}");
    }
    for code in
        ["InsufficientInstanceCapacity", "RequestLimitExceeded", "DryRunOperation", "InvalidParameterValue"]
    {
        assert_eq!(
            asked("ec2:RunInstances", user("a"), &refused(code, "p4d.24xlarge", "eu-west-1")),
            None,
            "{code}"
        );
    }
    let scaling = r#"{"type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/AWSServiceRoleForAutoScaling/AutoScaling","accountId":"1",
        "sessionContext":{"sessionIssuer":{"type":"Role","arn":"arn:aws:iam::1:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"}},
        "invokedBy":"autoscaling.amazonaws.com"}"#;
    assert_eq!(asked("ec2:RunInstances", scaling, &refused(QUOTA, "p4d.24xlarge", "eu-west-1")), None);
}

#[test]
fn a_fleet_names_several_sizes_and_a_name_that_is_none_is_left_out() {
    let fleet = r#","errorCode":"Client.UnauthorizedOperation","awsRegion":"eu-west-1","requestParameters":{"CreateFleetRequest":
        {"LaunchTemplateConfigs":{"tag":1,"Overrides":[{"tag":1,"InstanceType":"p5.48xlarge"},{"tag":2,"InstanceType":{"content":"g6.xlarge"}}]}}}"#;
    assert_eq!(
        asked("ec2:CreateFleet", user("a"), fleet).as_deref(),
        Some("g6.xlarge, p5.48xlarge in eu-west-1")
    );
    let none = "a size that the record lacks in eu-west-1";
    for hostile in ["x y", "<b>", &"x".repeat(33), "", "P5"] {
        let said = asked("ec2:RunInstances", user("a"), &refused(QUOTA, hostile, "eu-west-1"));
        assert_eq!(said.as_deref(), Some(none), "{hostile}");
    }
    let nowhere = asked("ec2:RunInstances", user("a"), &refused(QUOTA, "m5.large", "EU in"));
    assert_eq!(nowhere.as_deref(), Some("m5.large in no Region"));
}

/// The findings of launches ten minutes apart, each a size in a Region.
fn found(launches: &[(&str, &str, &str)]) -> Vec<(Code, Severity, String)> {
    let all = (0..).zip(launches).map(|(n, (code, size, region))| launch(n, 10 * n, code, size, region));
    codes(all.collect(), &never())
}

#[test]
fn from_three_sizes_or_regions_on_a_day_it_is_one() {
    let (a, b, c) = ("eu-west-1", "us-east-1", "ap-south-1");
    let one = |severity, n: &str| vec![(codes::LAUNCH_REFUSED, severity, n.to_owned())];
    let sizes = [(QUOTA, "m5.large", a), (QUOTA, "m5.xlarge", a), (QUOTA, "c5.large", a)];
    assert_eq!(found(&sizes), one(Severity::Medium, "2"));
    assert_eq!(found(&sizes[..2]), []);
    let regions = [
        ("OptInRequired", "m5.large", a),
        ("OptInRequired", "m5.large", b),
        ("OptInRequired", "m5.large", c),
    ];
    assert_eq!(found(&regions), one(Severity::High, "2"));
    let accelerated = [
        (QUOTA, "g5.xlarge", a),
        ("UnauthorizedOperation", "trn1.2xlarge", a),
        ("Blocked", "dl1.24xlarge", a),
    ];
    assert_eq!(found(&accelerated), one(Severity::High, "2"));
    // Memory and storage have such letters, too.
    let others = [(QUOTA, "im4gn.large", a), (QUOTA, "i3.large", a), (QUOTA, "d3.xlarge", a)];
    assert_eq!(found(&others), one(Severity::Medium, "2"));
    // The one that makes it grave is so, and what came before stays what it was.
    let grows = [sizes[0], sizes[1], sizes[2], (QUOTA, "c5.large", b)];
    assert_eq!(found(&grows), [one(Severity::Medium, "2"), one(Severity::High, "3")].concat());
    // A retry adds nothing.
    assert_eq!(found(&[sizes[0], sizes[1], sizes[0], sizes[1], sizes[0]]), []);
}

#[test]
fn within_twelve_hours_they_are_seen_together_and_not_beyond_a_day() {
    let at = |minutes: [i64; 3]| {
        let sizes = ["m5.large", "m5.xlarge", "c5.large"];
        let all = (0..)
            .zip(minutes)
            .zip(sizes)
            .map(|((n, minute), size)| launch(n, minute, QUOTA, size, "eu-west-1"));
        codes(all.collect(), &never()).len()
    };
    assert_eq!((at([0, 1, 2]), at([0, 355, 715]), at([300, 600, 1015])), (3, 1, 1));
    assert_eq!((at([0, 1, 1440]), at([0, 1440, 2880])), (0, 0));
}

#[test]
fn a_quota_of_ordinary_sizes_is_neither_probing_nor_hunting() {
    let limits = Denials { actions: 2, targets: 2, daily_targets: 2, ..policy(300, usize::MAX, 2) };
    let mut all =
        vec![launch(0, 0, QUOTA, "m5.large", "eu-west-1"), launch(1, 0, QUOTA, "m5.xlarge", "eu-west-1")];
    let noon = all[0].finding.time.unwrap() - Time::from_timestamp(1_772_000_000);
    all.push(denial(2, noon.num_seconds(), "a", "iam:ListUsers"));
    assert_eq!(codes(all.clone(), &limits), []);
    all[0] = launch(3, 0, QUOTA, "p4d.24xlarge", "eu-west-1");
    assert_eq!(codes(all, &limits)[0].0, codes::DENY_PROBING, "accelerators do");
    let daily = Denials { daily_actions: 2, ..never() };
    let all = vec![
        launch(0, 0, QUOTA, "m5.large", "eu-west-1"),
        denial(2, noon.num_seconds() + 900, "a", "iam:ListUsers"),
    ];
    assert_eq!(codes(all, &daily), []);
}

#[test]
fn its_reason_says_what_was_asked_for() {
    let all = ["p4d.24xlarge", "p5.48xlarge", "g6.xlarge"];
    let all = (0..).zip(all).map(|(n, size)| launch(n, 10 * n, QUOTA, size, "eu-west-1")).collect();
    let finding = settled(all, &never()).remove(0);
    assert!(finding.reason.contains("A launch of g6.xlarge in eu-west-1 was refused"), "{}", finding.reason);
    assert!(finding.reason.contains("Over the quota of this size"), "{}", finding.reason);
    assert_eq!(finding.next, codes::LAUNCH_REFUSED.next_step());
    // Known at the end of the five minutes in which it is enough, for which of these made it so isn't kept.
    assert_eq!(finding.known.unwrap().to_string(), "2026-03-14T12:25:00Z");
}

/// A storm's calls aren't all remembered, but each new size and Region is.
#[test]
fn no_size_is_lost_in_a_storm() {
    let (world, policy) = (InMemory::default(), Policy::built_in());
    let says = |calls: Vec<Undecided>| {
        let mut report = Report::default();
        let work = live::found(&world, &policy, calls, &mut report);
        futures_util::FutureExt::now_or_never(work).unwrap().unwrap()
    };
    says((0..1000).map(|n| launch(n, 0, "UnauthorizedOperation", "m5.large", "eu-west-1")).collect());
    says((1000..1010).map(|n| launch(n, 0, "UnauthorizedOperation", "m5.large", "eu-west-1")).collect());
    assert_eq!(
        world.observations.borrow().keys().filter(|key| key.0.starts_with("denied-whole#")).count(),
        1000
    );
    says(vec![launch(2000, 1, "UnauthorizedOperation", "m5.xlarge", "eu-west-1")]);
    let found = says(vec![launch(2001, 1, "UnauthorizedOperation", "m5.large", "us-east-1")]);
    let grave = found.iter().filter(|it| (it.code, it.severity) == (codes::LAUNCH_REFUSED, Severity::High));
    assert!(grave.count() > 0, "{found:?}");
}
