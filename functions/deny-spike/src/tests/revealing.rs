//! Calls that weren't denied, and told their caller something.

use super::*;

const POLICY: &str = "[[deploy]]\nidentity = \"arn:aws:iam::*:role/deploy\"\n";

/// What a call that failed with this becomes before others are known; `None` if it counts nowhere.
fn judged(action: &str, who: impl std::fmt::Display, with: &str) -> Option<Undecided> {
    let policy = Policy::parse("p", POLICY).unwrap();
    let json = record(action, who).with(with).to_string();
    classified(&json, &policy, |_, call| {
        match handsoff_functions::engine(&policy).judge(call, &mut Trace::off()) {
            Verdict::Undecided(undecided) => Some(*undecided),
            _ => None,
        }
    })
}

fn failed(code: &str, rest: &str) -> String {
    format!(r#","errorCode":"{code}"{rest}"#)
}

fn asked(json: &str) -> String {
    format!(r#","requestParameters":{json}"#)
}

const INVALID: &str = r#","errorMessage":"Invalid principal in policy: \"AWS\":\"arn:aws:iam::1:role/x\"""#;

#[test]
fn what_tells_an_intruder_something_counts_and_ordinary_failures_do_not() {
    let gpu = asked(r#"{"instanceType":"p4d.24xlarge"}"#);
    let spot = asked(r#"{"launchSpecification":{"instanceType":"g5.xlarge"}}"#);
    for (action, with) in [
        ("ec2:TerminateInstances", failed("Client.DryRunOperation", "")),
        ("iam:GetRole", failed("NoSuchEntityException", "")),
        ("iam:GetUser", failed("NoSuchEntity", "")),
        ("iam:CreateUser", failed("EntityAlreadyExistsException", "")),
        ("iam:UpdateAssumeRolePolicy", failed("MalformedPolicyDocumentException", INVALID)),
        ("s3:PutBucketPolicy", failed("MalformedPolicy", INVALID)),
        ("ec2:RunInstances", failed("Client.VcpuLimitExceeded", &gpu)),
        ("ec2:RequestSpotInstances", failed("Client.MaxSpotInstanceCountExceeded", &spot)),
        ("ec2:DescribeInstances", failed("Client.OptInRequired", "")),
        ("sts:GetCallerIdentity", failed("RegionDisabledException", "")),
    ] {
        let found = judged(action, user("a"), &with).unwrap_or_else(|| panic!("{action} {with}"));
        assert_eq!(found.cause, None, "{action}");
        assert!(judged(action, session("deploy", "s"), &with).is_none(), "the pipeline's: {action}");
        let service = r#"{"type":"AWSService","invokedBy":"ec2.amazonaws.com"}"#;
        assert!(judged(action, service, &with).is_none(), "a service's: {action}");
        // Nothing that a caller chooses exempts.
        let agent = format!(r#"{with},"userAgent":"AWS Internal""#);
        assert!(judged(action, user("a"), &agent).is_some(), "{action}");
    }
    for (action, with) in [
        ("s3:GetObject", failed("NoSuchKey", "")),
        ("s3:GetBucketPolicy", failed("NoSuchBucketPolicy", "")),
        ("lambda:GetFunction", failed("ResourceNotFoundException", "")),
        ("iam:GetLoginProfile", failed("NoSuchEntityException", "")),
        ("iam:CreatePolicy", failed("EntityAlreadyExistsException", "")),
        ("iam:CreateRole", failed("MalformedPolicyDocumentException", r#","errorMessage":"Syntax errors""#)),
        ("ec2:RunInstances", failed("Client.RequestLimitExceeded", &gpu)),
        ("ec2:StopInstances", failed("Client.DryRunOperation", r#","eventType":"AwsMcpEvent""#)),
        ("iam:GetRole", format!(r#"{},"sessionCredentialFromConsole":"true""#, failed("NoSuchEntity", ""))),
    ] {
        assert!(judged(action, user("a"), &with).is_none(), "{action} {with}");
    }
}

#[test]
fn attempts_of_one_action_are_told_apart() {
    let target = |action: &str, with: &str| judged(action, user("a"), with).unwrap().target;
    let named = |name: &str| failed("NoSuchEntity", &asked(&format!(r#"{{"roleName":"{name}"}}"#)));
    assert_ne!(target("iam:GetRole", &named("x")), target("iam:GetRole", &named("y")));
    let said = |name: &str| {
        failed("NoSuchEntity", &format!(r#","errorMessage":"The role with name {name} cannot be found.""#))
    };
    assert_ne!(target("iam:GetRole", &said("x")), target("iam:GetRole", &said("y")), "without parameters");
    // However much stands before the principal.
    let document = |name: &str| {
        let text = format!(r#"{{"policyDocument":"{}{name}","roleName":"own"}}"#, "x".repeat(999));
        failed("MalformedPolicyDocument", &format!("{}{INVALID}", asked(&text)))
    };
    let of = |name: &str| target("iam:UpdateAssumeRolePolicy", &document(name));
    assert_ne!(of("a"), of("b"));
    let size = |size: &str, region: &str| {
        let asked = asked(&format!(r#"{{"instanceType":"{size}"}}"#));
        target(
            "ec2:RunInstances",
            &failed("Client.VcpuLimitExceeded", &format!(r#"{asked},"awsRegion":"{region}""#)),
        )
    };
    assert_ne!(size("p4d.24xlarge", "us-east-1"), size("p4d.24xlarge", "us-west-2"));
    assert_ne!(size("p4d.24xlarge", "us-east-1"), size("g5.xlarge", "us-east-1"));
}

/// A call of a user that failed.
fn call(n: i64, second: i64, action: &str, with: &str) -> Undecided {
    let time = Time::from_timestamp(1_772_000_000 + second);
    let json = record(action, user("a")).id(n).at(time).with(with).to_string();
    let policy = Policy::built_in();
    classified(&json, &policy, |_, call| undecided(call, &policy))
}

fn dry_runs(many: i64, different: i64, gap: i64) -> Vec<Undecided> {
    let dry = failed("Client.DryRunOperation", "");
    (0..many).map(|n| call(n, n * gap, &format!("ec2:Stop{}", n % different), &dry)).collect()
}

#[test]
fn they_are_probing_with_denied_calls_and_alone_and_no_spike() {
    let limits = policy(300, 20, 6);
    let found = settled(dry_runs(6, 6, 1), &limits);
    assert_eq!(found.len(), 6);
    assert!(found.iter().all(|it| (it.code, it.severity) == (codes::DENY_PROBING, Severity::High)));
    let reason = &found[0].reason;
    assert!(reason.contains("failed and told something") && reason.contains("A dry run"), "{reason}");
    let mut mixed = dry_runs(3, 3, 1);
    mixed.extend((0..3).map(|n| call(10 + n, 100 + n, &format!("iam:List{n}"), DENIED)));
    let found = settled(mixed.clone(), &limits);
    assert_eq!(found.len(), 6);
    assert!(found.iter().all(|it| it.code == codes::DENY_PROBING));
    assert_eq!(settled(mixed.split_off(1), &limits).len(), 0, "five actions");
    assert_eq!(settled(dry_runs(500, 5, 1), &limits).len(), 0, "however many");
    // Nor do they make a retry of one action a spike, or one of several actions.
    let mut retries: Vec<Undecided> = (0..19).map(|n| call(n, n, "s3:PutObject", DENIED)).collect();
    retries.extend(dry_runs(5, 5, 1).into_iter().skip(2));
    assert_eq!(settled(retries.clone(), &limits).len(), 0, "19 denied");
    retries.push(call(50, 50, "s3:PutObject", DENIED));
    let found = settled(retries, &limits);
    assert_eq!(found.len(), 20);
    assert!(found.iter().all(|it| it.severity == Severity::Low && !it.reason.contains("told something")));
}

#[test]
fn what_is_tried_all_day_counts_by_its_breadth_alone() {
    let lasting = Denials { daily_count: 9, daily_actions: 15, ..never() };
    assert_eq!(settled(dry_runs(100, 4, 600), &lasting).len(), 0, "a controller");
    let denied = |many: i64| (0..many).map(|n| call(200 + n, 600 * n, &format!("iam:List{}", n % 3), DENIED));
    let both = |many: i64| settled(dry_runs(100, 4, 600).into_iter().chain(denied(many)).collect(), &lasting);
    assert_eq!(both(8).len(), 0, "eight denied");
    assert!(both(9).len() == 1 && both(9)[0].action.starts_with("iam:"), "nine");
    let found = settled(dry_runs(30, 15, 600), &lasting);
    assert!(!found.is_empty() && found.iter().all(|it| it.code == codes::DENY_PROBING));
    let names = |n: i64| failed("NoSuchEntity", &asked(&format!(r#"{{"roleName":"r{n}"}}"#)));
    let guesses = |many: i64| (0..many).map(|n| call(n, n * 600, "iam:GetRole", &names(n))).collect();
    let hunting = Denials { daily_targets: 30, ..never() };
    assert_eq!(settled(guesses(29), &hunting).len(), 0);
    assert_eq!(settled(guesses(30), &hunting)[0].code, codes::DENY_HUNTING);
}

/// A denied call, and one that failed, of the same action and target in the same five minutes are two tries.
#[test]
fn a_failed_try_does_not_hide_a_denied_one() {
    use crate::day::Try;
    let of = |with: &str| Try::of(&Seen::of(&call(1, 1, "ec2:StopInstances", with), "")).unwrap();
    assert_ne!(of(DENIED).name(), of(&failed("Client.DryRunOperation", "")).name());
}

#[test]
fn an_exception_covers_the_dry_run_of_what_it_tolerates_and_is_not_used_by_it() {
    let text = "[[exception]]\nidentity = \"arn:aws:iam::*:user/a\"\nactions = [\"ec2:StopInstances\"]\nowner = \"o@example.com\"\n\
                reason = \"r\"\nuntil = 2099-01-01\n";
    let policy = Policy::parse("p", text).unwrap();
    let of = |action: &str| {
        let json = record(action, user("a"))
            .at("2026-03-01T09:00:00Z")
            .with(&failed("Client.DryRunOperation", ""))
            .to_string();
        classified(&json, &policy, |_, call| {
            handsoff_functions::engine(&policy).judge(call, &mut Trace::off()).disposition()
        })
    };
    assert_eq!(of("ec2:StopInstances"), Some(Disposition::DryRun));
    assert_eq!(of("ec2:RebootInstances"), None, "it counts");
}
