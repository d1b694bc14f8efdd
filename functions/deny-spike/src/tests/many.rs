//! One call by itself, several principals, targets, the day: one test a code, and the functions against the set.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::pin::Pin;

use handsoff_runtime::Report;
use handsoff_testing::fault_injection::{FaultInjection, run_together};
use handsoff_testing::in_memory::InMemory;

use super::*;

const POLICY: &str = r#"[[deploy]]
identity = "arn:aws:iam::*:role/deploy"
"#;

const TRAIL: &str = r#","errorCode":"AccessDenied","errorMessage":"User: arn:aws:iam::111122223333:user/a is not authorized to perform: X:Y"#;

fn start() -> Time {
    Time::parse("2026-03-14T00:00:00Z").unwrap()
}

/// What becomes of a call by itself.
fn alone_of(action: &str, who: impl std::fmt::Display, with: &str) -> Option<(Code, Severity, String)> {
    let policy = Policy::parse("p", POLICY).unwrap();
    let json = record(action, who).with(with).to_string();
    classified(&json, &policy, |_, call| {
        match handsoff_functions::engine(&policy).judge(call, &mut Trace::off()) {
            Verdict::Undecided(denial) => {
                let found = settled(vec![*denial], &policy.denials).pop()?;
                Some((found.code, found.severity, found.reason))
            }
            _ => None,
        }
    })
}

#[test]
fn one_denied_call_of_a_grave_class_is_an_attack() {
    let attack = |severity| Some((codes::DENIED_ATTACK, severity));
    let of = |action: &str, with: &str| {
        alone_of(action, user("a"), with).map(|(code, severity, _)| (code, severity))
    };
    for action in [
        "iam:CreateAccessKey",
        "iam:CreateLoginProfile",
        "rolesanywhere:CreateTrustAnchor",
        "ssm:CreateActivation",
        "ssm:StartChangeRequestExecution",
        "iam:AttachUserPolicy",
        "iam:UpdateAssumeRolePolicy",
        "iam:DeleteRolePermissionsBoundary",
        "ssm:StartSession",
        "ecs:ExecuteCommand",
        "ssm:SendCommand",
        "ec2:GetPasswordData",
        "lightsail:GetInstanceAccessDetails",
        // Nothing says whose it is.
        "lambda:UpdateFunctionCode20150331v2",
        "sqs:DeleteQueue",
    ] {
        assert_eq!(of(action, DENIED), attack(Severity::Medium), "{action}");
    }
    for action in [
        "iam:CreateRole",
        "iam:CreatePolicy",
        "iam:DetachUserPolicy",
        "iam:TagUser",
        "s3:PutObject",
        "sts:AssumeRole",
        "secretsmanager:GetSecretValue",
        "sts:GetSessionToken",
    ] {
        assert_eq!(of(action, DENIED), None, "{action}");
    }
    let named = r#","errorCode":"AccessDenied","requestParameters":{"queueUrl":"https://sqs/1/orders"}"#;
    assert_eq!(of("sqs:DeleteQueue", named), None, "another queue");
    let scp = format!("{TRAIL} with an explicit deny in a service control policy\"");
    assert_eq!(of("iam:CreateAccessKey", &scp), attack(Severity::High));
    let implicit = format!("{TRAIL} because no service control policy allows the X:Y action\"");
    assert_eq!(of("iam:CreateAccessKey", &implicit), attack(Severity::Medium), "an implicit deny");
    let own = format!("{TRAIL} with an explicit deny in an identity-based policy\"");
    assert_eq!(of("iam:CreateAccessKey", &own), attack(Severity::Medium), "no guardrail");
}

#[test]
fn a_shell_that_a_person_fails_to_get_is_an_attempt_and_a_pipelines_or_a_services_is_none() {
    let failed = r#","errorCode":"TargetNotConnected""#;
    let of = |who: String, with| alone_of("ssm:StartSession", who, with).map(|(code, ..)| code);
    assert_eq!(of(user("a"), failed), Some(codes::DENIED_ATTACK));
    assert_eq!(of(session("deploy", "s").to_string(), failed), None);
    // Terraform asks for a machine's password.
    let password = |who: String| alone_of("ec2:GetPasswordData", who, DENIED).map(|(code, ..)| code);
    assert_eq!(password(user("a")), Some(codes::DENIED_ATTACK));
    assert_eq!(password(session("deploy", "s").to_string()), Some(codes::DEPLOY_DENIED));
    let service = r#"{"type":"AWSService","invokedBy":"ssm.amazonaws.com"}"#;
    assert_eq!(of(service.into(), failed), None);
    // What the rule keeps out.
    assert_eq!(of(user("a"), r#","errorCode":"InvalidParameterException""#), None);
    assert_eq!(alone_of("s3:PutObject", user("a"), failed).map(|(code, ..)| code), None);
    // Nothing that a caller chooses exempts.
    let agent = format!(r#"{DENIED},"userAgent":"AWS Internal""#);
    assert_eq!(of(user("a"), &agent), Some(codes::DENIED_ATTACK));
}

#[test]
fn the_pipelines_denied_change_says_which_statement_is_missing() {
    let who = || session("deploy", "s").to_string();
    let message = r#","errorCode":"AccessDenied","errorMessage":"User: arn:aws:sts::1:assumed-role/deploy/s is not authorized to perform: s3:CreateBucket on resource: arn:aws:s3:::b because no identity-based policy allows the s3:CreateBucket action""#;
    let (code, severity, reason) = alone_of("s3:CreateBucket", who(), message).unwrap();
    assert_eq!((code, severity), (codes::DEPLOY_DENIED, Severity::Medium));
    let statement = r#"{"Action":"s3:CreateBucket","Effect":"Allow","Resource":"arn:aws:s3:::b"}"#;
    assert!(reason.contains(statement), "{reason}");
    let message = message.replace(
        "because no identity-based policy allows the s3:CreateBucket action",
        "with an explicit deny in a service control policy",
    );
    let (.., reason) = alone_of("s3:CreateBucket", who(), &message).unwrap();
    assert!(!reason.contains("Effect") && reason.contains("service control policy"), "{reason}");
    assert_eq!(alone_of("s3:GetBucketPolicy", who(), DENIED), None, "a read");
    // A name may be anybody's: none makes the statement wider, and none that isn't known does.
    for resource in [r#"arn:aws:s3:::b/x\",\"Resource\":\"*"#, "arn:aws:s3:::b/*", "arn:aws:s3:::${x}"] {
        let hostile = format!(
            r#","errorCode":"AccessDenied","errorMessage":"User: arn:aws:sts::1:assumed-role/deploy/s is not authorized to perform: s3:PutObject on resource: {resource} because no identity-based policy allows the s3:PutObject action""#
        );
        let (.., reason) = alone_of("s3:PutObject", who(), &hostile).unwrap();
        assert!(reason.contains(r#""Resource":"RESOURCE"}"#) && !reason.contains('*'), "{reason}");
    }
    // What is grave by anybody is an attempt, and no permission to add.
    let (code, _, reason) = alone_of("iam:CreateAccessKey", who(), DENIED).unwrap();
    assert!(code == codes::DENIED_ATTACK && !reason.contains("statement"), "{reason}");
}

/// A denied call of a user, from an address, on a target.
fn call(n: i64, second: i64, who: &str, action: &str, with: &str) -> Undecided {
    let json =
        record(action, user(who)).id(n).at(start() + TimeDelta::seconds(second)).with(with).to_string();
    let policy = Policy::built_in();
    classified(&json, &policy, |_, call| undecided(call, &policy))
}

fn secret(n: i64) -> String {
    format!(r#"{DENIED},"requestParameters":{{"secretId":"s{n}"}}"#)
}

#[test]
fn one_action_on_many_targets_is_hunting() {
    let hunt = |many: i64, gap: i64| -> Vec<Undecided> {
        (0..20).map(|n| call(n, n * gap, "a", "secretsmanager:GetSecretValue", &secret(n % many))).collect()
    };
    let limits = Denials { targets: 20, ..policy(300, 20, 6) };
    let found = codes(hunt(20, 1), &limits);
    assert_eq!(found.len(), 20);
    assert_eq!(found[0].0, codes::DENY_HUNTING);
    assert_eq!(found[0].1, Severity::High);
    assert_eq!(codes(hunt(19, 1), &limits)[0], (codes::DENY_SPIKE, Severity::Low, "0".into()), "a retry");
    assert_eq!(codes(hunt(20, 16), &limits).len(), 0, "20 targets in more than five minutes");
    let daily = Denials { daily_targets: 20, ..never() };
    let found = codes(hunt(20, 600), &daily);
    assert_eq!(found, [(codes::DENY_HUNTING, Severity::High, "19".into())]);
}

#[test]
fn what_gives_out_secrets_counts_in_the_console_too() {
    let console = |n| format!(r#"{},"sessionCredentialFromConsole":"true""#, secret(n));
    let hunt = |action: &str| (0..20).map(|n| call(n, n, "a", action, &console(n))).collect::<Vec<_>>();
    let limits = Denials { targets: 20, ..policy(300, 99, 6) };
    assert_eq!(codes(hunt("secretsmanager:GetSecretValue"), &limits)[0].0, codes::DENY_HUNTING);
    assert_eq!(codes(hunt("secretsmanager:DescribeSecret"), &limits).len(), 0);
}

#[test]
fn the_consoles_home_page_is_no_probing_without_a_mark_and_a_name_of_the_console_is_none() {
    let home = [
        "ce:GetCostAndUsage",
        "health:DescribeEventAggregates",
        "support:DescribeTrustedAdvisorChecks",
        "resource-explorer-2:ListIndexes",
        "securityhub:DescribeHub",
        "cloudwatch:DescribeAlarms",
        "servicecatalog:ListApplications",
    ];
    let other = [
        "ec2:DescribeInstances",
        "iam:ListUsers",
        "iam:ListRoles",
        "rds:DescribeDBInstances",
        "s3:ListBuckets",
        "lambda:ListFunctions",
        "kms:ListKeys",
    ];
    let agent = format!(r#"{DENIED},"userAgent":"AWS Internal","readOnly":true"#);
    let of =
        |actions: [&str; 7]| (0..).zip(actions).map(|(n, action)| call(n, n, "a", action, &agent)).collect();
    assert_eq!(codes(of(home), &policy(300, 20, 6)).len(), 0);
    assert_eq!(codes(of(other), &policy(300, 20, 6)).len(), 7);
}

/// A user of Identity Center is one, whatever the permission set.
#[test]
fn a_person_is_one_across_permission_sets() {
    let group = |set: &str, person: &str| {
        let role = format!("AWSReservedSSO_{set}_0123456789abcdef");
        let json = record("s3:PutObject", session(&role, person)).with(DENIED).to_string();
        classified(&json, &Policy::built_in(), |_, call| undecided(call, &Policy::built_in()).group)
    };
    assert_eq!(group("Admin", "a@example.com"), group("ReadOnly", "a@example.com"));
    assert_ne!(group("Admin", "a@example.com"), group("Admin", "b@example.com"));
}

#[test]
fn what_is_tried_slowly_is_probing_over_the_day() {
    let slowly = |many: i64| -> Vec<Undecided> {
        (0..15).map(|n| call(n, 4000 * n, "a", &format!("ec2:Stop{}", n % many), DENIED)).collect()
    };
    let daily = Denials { daily_actions: 15, ..never() };
    assert_eq!(codes(slowly(15), &daily), [(codes::DENY_PROBING, Severity::Medium, "14".into())]);
    assert_eq!(codes(slowly(14), &daily).len(), 0);
    // From 20:00 to midnight and on till 04:00.
    let night = |many: i64| -> Vec<Undecided> {
        (0..many).map(|n| call(n, 72_000 + 2000 * n, "a", &format!("ec2:Stop{n}"), DENIED)).collect()
    };
    assert_eq!(codes(night(15), &daily), [(codes::DENY_PROBING, Severity::Medium, "14".into())]);
    assert_eq!(codes(night(14), &daily).len(), 0);
    // Longer than a day, beginning at midnight or at noon.
    let long = (0..15).map(|n| call(n, 40_000 + 4000 * n, "a", &format!("ec2:Stop{n}"), DENIED)).collect();
    assert_eq!(codes(long, &daily).len(), 0);
    let daily = Denials { daily_count: 9, ..never() };
    let again = |many: i64, gap: i64| -> Vec<Undecided> {
        (0..15).map(|n| call(n, gap * n, "a", &format!("ec2:Stop{}", n % many), DENIED)).collect()
    };
    assert_eq!(codes(again(3, 600), &daily).len(), 7, "from the ninth on");
    assert_eq!(codes(again(3, 600), &daily)[0].1, Severity::Medium);
    assert_eq!(codes(again(2, 600), &daily).len(), 0, "two actions are a job that lacks a permission");
    assert_eq!(codes(again(3, 1), &daily).len(), 0, "a burst is three tries");
}

#[test]
fn several_principals_count_by_their_address_and_in_an_incident_of_its_own() {
    let spread = |many: i64| -> Vec<Undecided> {
        (0..20).map(|n| call(n, n, &format!("u{}", n % many), "s3:PutObject", DENIED)).collect()
    };
    let limits = Denials { principals: 5, count: 20, ..never() };
    let found = settled(spread(5), &limits);
    assert_eq!(found.len(), 20);
    assert!(found.iter().all(|it| (it.code, it.severity) == (codes::DENY_SPIKE, Severity::Medium)));
    assert!(found.iter().all(|it| it.incident == found[0].incident), "one incident");
    assert_eq!(settled(spread(4), &limits).len(), 0);
    assert_eq!(settled(spread(5).split_off(1), &limits).len(), 0, "19 calls");
    let elsewhere: Vec<Undecided> = (0..20)
        .map(|n| {
            call(
                n,
                n,
                &format!("u{}", n % 5),
                "s3:PutObject",
                &format!(r#"{DENIED},"sourceIPAddress":"198.51.100.{n}""#),
            )
        })
        .collect();
    assert_eq!(settled(elsewhere, &limits).len(), 0, "from other addresses");
}

#[test]
fn web_identities_count_by_subject_and_together_by_provider() {
    let of = |n: i64| {
        let who = format!(
            r#"{{"type":"WebIdentityUser","userName":"repo:o/r{n}","identityProvider":"arn:aws:iam::1:oidc-provider/p"}}"#
        );
        let policy = Policy::built_in();
        let json = record("sts:AssumeRoleWithWebIdentity", who).id(n).with(DENIED).to_string();
        classified(&json, &policy, |_, call| undecided(call, &policy))
    };
    assert_ne!(of(1).group, of(2).group);
    assert_eq!(of(1).also, of(2).also);
    assert!(of(1).also.iter().any(|group| group.starts_with("provider|")));
}

#[test]
fn a_guardrail_that_stops_several_is_a_wall() {
    let wall = |policy: &str| {
        let end = format!(
            " with an explicit deny in a service control policy: arn:aws:organizations::1:policy/o-a/{policy}\""
        );
        let with = format!("{TRAIL}{end}");
        (0..20).map(|n| call(n, n, &format!("u{}", n % 4), "s3:PutObject", &with)).collect::<Vec<_>>()
    };
    let limits = Denials { count: 20, ..never() };
    let found = settled(wall("p-1"), &limits);
    let walls: Vec<&Finding> = found.iter().filter(|it| it.code == codes::DENY_WALL).collect();
    assert_eq!(walls.len(), 20);
    assert!(walls[0].reason.contains("policy/o-a/p-1"), "{}", walls[0].reason);
    let two: Vec<Undecided> = wall("p-1").into_iter().take(10).chain(wall("p-2").split_off(10)).collect();
    assert_eq!(settled(two, &limits).len(), 0, "two policies");
}

#[test]
fn failed_sign_ins_count_by_user_and_by_address() {
    let failure = |n: i64, who: &str| {
        let who = format!(r#"{{"type":"IAMUser","accountId":"111122223333","userName":"{who}"}}"#);
        let json = record("signin:ConsoleLogin", who)
            .id(n)
            .at(start() + TimeDelta::seconds(n))
            .with(r#","errorMessage":"Failed authentication","responseElements":{"ConsoleLogin":"Failure"}"#)
            .to_string();
        let policy = Policy::built_in();
        classified(&json, &policy, |_, call| undecided(call, &policy))
    };
    let users = |many: i64, calls: i64| -> Vec<Undecided> {
        (0..calls).map(|n| failure(n, &format!("u{}", n % many))).collect()
    };
    let limits = Policy::built_in().denials;
    let of = |many, calls| codes(users(many, calls), &limits);
    assert_eq!(of(5, 5)[0], (codes::LOGIN_FAILURES, Severity::High, "0".into()), "spraying");
    assert_eq!(of(4, 9).len(), 0);
    assert_eq!(of(1, 10)[0].1, Severity::Medium, "guessing");
    assert_eq!(of(1, 9).len(), 0);
    let nothing = users(1, 1).pop().unwrap();
    assert_eq!(nothing.otherwise, handsoff_core::Disposition::Unauthenticated);
}

/// The last calls that it takes, by two functions at once: in each order of their steps somebody reports all the others.
#[test]
fn of_two_functions_that_bring_the_last_calls_one_reports_the_rest() {
    let policy = small();
    let all: Vec<Undecided> = (0..7).map(|n| call(n, n, "a", "ec2:StopInstances", DENIED)).collect();
    let expected = gravest(&settled(all.clone(), &policy.denials));
    assert_eq!(expected.len(), 7);
    for seed in 0_usize..400 {
        let mut state = seed * 2_654_435_761 + 1;
        let mut dice = move |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let world = InMemory::default();
        let told = RefCell::new(Vec::new());
        let worlds: Vec<FaultInjection<'_>> = (0..3).map(|_| FaultInjection::new(&world)).collect();
        let deliver = |place: usize, unit: Vec<Undecided>| {
            let (told, policy, world) = (&told, &policy, &worlds[place]);
            Box::pin(async move {
                let found = live::found(world, policy, unit, &mut Report::default()).await.unwrap();
                told.borrow_mut().extend(found);
            }) as Pin<Box<dyn Future<Output = ()> + '_>>
        };
        run_together(vec![deliver(0, all[..5].to_vec())], &mut dice);
        run_together(vec![deliver(1, all[5..6].to_vec()), deliver(2, all[6..].to_vec())], &mut dice);
        assert_eq!(gravest(&told.borrow()), expected, "seed {seed}");
    }
}

#[test]
fn calls_that_fail_to_authenticate_count_apart() {
    let calls = |code: &str| -> Vec<Undecided> {
        let with = format!(r#","errorCode":"{code}""#);
        (0..20).map(|n| call(n, n, "a", &format!("ec2:Stop{n}"), &with)).collect()
    };
    let limits = Policy::built_in().denials;
    let found = codes(calls("ExpiredToken"), &limits);
    assert_eq!(found.len(), 20);
    assert_eq!(found[0], (codes::AUTH_FAILURE_SPIKE, Severity::Low, "0".into()));
    assert_eq!(codes(calls("SignatureDoesNotMatch").split_off(1), &limits).len(), 0, "nineteen");
    assert_eq!(calls("ExpiredToken")[0].otherwise, handsoff_core::Disposition::Unauthenticated);
}

/// Small limits, so that few calls reach each.
fn small() -> Policy {
    let mut policy = Policy::built_in();
    policy.denials = Denials {
        window: TimeDelta::seconds(300),
        count: 6,
        actions: 3,
        targets: 3,
        principals: 3,
        sign_ins: 3,
        daily_actions: 4,
        daily_targets: 4,
        daily_count: 6,
        ..policy.denials
    };
    policy
}

/// What is reported in the end: of each incident's calls the gravest verdict.
fn gravest(findings: &[Finding]) -> BTreeMap<(String, Key), Severity> {
    let mut all = BTreeMap::new();
    for finding in findings {
        let severity = all.entry((finding.incident.clone(), finding.key)).or_insert(finding.severity);
        *severity = finding.severity.max(*severity);
    }
    all
}

/// A call of a property: the last action is a launch.
fn tried(n: i64, second: i64, who: &str, action: usize, target: i64) -> Undecided {
    let sizes = ["m5.large", "m5.xlarge", "c5.large", "g5.xlarge", "r5.large"];
    let size = usize::try_from(target).ok().and_then(|at| sizes.get(at)).unwrap_or(&"m5.large");
    let (code, region) = if target % 2 == 0 {
        ("VcpuLimitExceeded", "eu-west-1")
    } else {
        ("UnauthorizedOperation", "us-east-1")
    };
    let with = format!(
        r#","errorCode":"Client.{code}","awsRegion":"{region}","requestParameters":{{"instanceType":"{size}"}}"#
    );
    match action {
        5.. => call(n, second, who, "ec2:RunInstances", &with),
        _ => call(n, second, who, &format!("ec2:Stop{action}"), &secret(target)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    /// Each call one to three times, in any order (so that some come hours late), in batches of three functions at a time:
    /// the same as of the set of all.
    #[test]
    fn the_functions_find_what_the_set_of_all_calls_shows(
        calls in prop::collection::vec((0i64..24, 0i64..400, 0usize..3, 0usize..7, 0i64..5, 0usize..4), 1..40),
        seed in any::<u64>(),
    ) {
        let policy = small();
        // Over two days, and a few of them dry runs.
        let all: Vec<Undecided> = (0..).zip(&calls).map(|(n, (hour, second, who, action, target, how))| {
            if *action >= 5 {
                return tried(n, hour * 7_000 + second, ["a", "b", "c"][*who], *action, *target);
            }
            let action = ["iam:CreateUser", "ec2:StopInstances", "secretsmanager:GetSecretValue", "s3:PutObject", "kms:Encrypt"][*action];
            let how = if *how == 0 { secret(*target).replace("AccessDenied", "Client.DryRunOperation") } else { secret(*target) };
            call(n, hour * 7_000 + second, ["a", "b", "c"][*who], action, &how)
        }).collect();
        let mut state = seed | 1;
        let mut dice = move |below: usize| {
            state ^= state << 13; state ^= state >> 7; state ^= state << 17;
            usize::try_from(state >> 33).unwrap() % below
        };
        let mut shuffled: Vec<Undecided> = all.iter().flat_map(|one| vec![one.clone(); 1 + dice(3)]).collect();
        for index in (1..shuffled.len()).rev() { shuffled.swap(index, dice(index + 1)); }
        let world = InMemory::default();
        let worlds: Vec<FaultInjection<'_>> = (0..3).map(|_| FaultInjection::new(&world)).collect();
        let told = RefCell::new(Vec::new());
        let mut shares: Vec<Vec<Vec<Undecided>>> = vec![vec![]; 3];
        let mut rest = shuffled.as_slice();
        while !rest.is_empty() {
            let (batch, behind) = rest.split_at((1 + dice(6)).min(rest.len()));
            // As the runtime does it: each principal's together.
            let mut units: BTreeMap<String, Vec<Undecided>> = BTreeMap::new();
            for one in batch { units.entry(one.group.clone()).or_default().push(one.clone()); }
            let place = dice(3);
            shares[place].extend(units.into_values());
            rest = behind;
        }
        let mut functions: Vec<Pin<Box<dyn Future<Output = ()> + '_>>> = Vec::new();
        for (share, faulty) in shares.into_iter().zip(&worlds) {
            let (told, policy) = (&told, &policy);
            functions.push(Box::pin(async move {
                for unit in share {
                    let found = live::found(faulty, policy, unit, &mut Report::default()).await.unwrap();
                    told.borrow_mut().extend(found);
                }
            }));
        }
        run_together(functions, &mut dice);
        let expected = settled(all, &policy.denials);
        prop_assert_eq!(gravest(&told.borrow()), gravest(&expected));
    }

    /// Whatever the order: the set counts, and what was found stays found when further calls come.
    #[test]
    fn more_calls_take_nothing_away(
        calls in prop::collection::vec((0i64..24, 0i64..400, 0usize..3, 0usize..7, 0i64..5), 1..40), cut in any::<prop::sample::Index>(),
    ) {
        let policy = small();
        let all: Vec<Undecided> = (0..).zip(&calls).map(|(n, (hour, second, who, action, target))| {
            tried(n, hour * 7_000 + second, ["a", "b", "c"][*who], *action, *target)
        }).collect();
        let some: Vec<Undecided> = all.iter().take(cut.index(all.len())).cloned().collect();
        let (before, after) = (gravest(&settled(some, &policy.denials)), gravest(&settled(all, &policy.denials)));
        for (call, severity) in before {
            prop_assert!(after.get(&call).is_some_and(|now| *now >= severity), "{call:?}");
        }
    }
}
