use handsoff_cloudtrail::{Time, TimeDelta};
use handsoff_core::{Code, Owner};
use handsoff_functions::engine;
use handsoff_testing::records::{classified, record, session, user};
use proptest::prelude::*;

use super::*;

mod anonymous;
mod causes;
mod costs;
mod days;
mod launches;
mod many;
mod revealing;
mod walls;

const DENIED: &str = r#","errorCode":"AccessDenied""#;

fn denial(n: i64, second: i64, who: &str, action: &str) -> Undecided {
    let time = Time::from_timestamp(1_772_000_000 + second);
    let json = record(action, user(who)).id(n).at(time).with(DENIED).to_string();
    let policy = Policy::built_in();
    classified(&json, &policy, |_, call| undecided(call, &policy))
}

fn undecided(call: &Call<'_>, policy: &Policy) -> Undecided {
    match handsoff_functions::engine(policy).judge(call, &mut Trace::off()) {
        Verdict::Undecided(undecided) => *undecided,
        other => panic!("{other:?}"),
    }
}

/// Who judges a call that failed with this code and message; else why nobody does.
fn owner(code: &str, message: &str) -> Result<&'static str, Disposition> {
    let json = serde_json::json!({"eventID": "1", "eventSource": "dms.amazonaws.com", "eventName": "CreateEndpoint",
        "errorCode": code, "errorMessage": message, "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::1:user/a"}});
    let policy = Policy::built_in();
    classified(&json.to_string(), &policy, |_, call| {
        match handsoff_functions::engine(&policy).owner(call, &mut Trace::off()) {
            Owner::Detector(detector) => Ok(detector.name()),
            Owner::Nobody(disposition) => Err(disposition),
        }
    })
}

#[test]
fn a_code_of_a_services_own_is_a_denial_by_its_name_or_by_awss_sentence() {
    use handsoff_core::Disposition::Attempt;
    let sentence = "User: arn:aws:iam::1:user/a is not authorized to perform: dms:CreateEndpoint because no \
                    identity-based policy allows the dms:CreateEndpoint action";
    for code in [
        "AccessDeniedFault",
        "Client.AccessDeniedException",
        "KmsAccessDenied",
        "Server.UnauthorizedOperation",
    ] {
        assert_eq!(owner(code, ""), Ok("deny-spike"), "{code}");
    }
    for code in ["InsufficientPrivilegesException", "InsufficientDependencyServiceAccessPermissionException"]
    {
        assert_eq!(owner(code, sentence), Ok("deny-spike"), "{code}");
        assert_eq!(owner(code, "No."), Err(Attempt), "{code}");
        // The words in a name that the caller chose.
        let quoted = format!("Endpoint `{sentence}` is unknown");
        assert_eq!(owner(code, &quoted), Err(Attempt), "{code}");
    }
    // What the rule keeps out, the function never sees: a replay finds no more than it.
    assert_eq!(owner("ValidationException", sentence), Err(Attempt));
    // Without a code nothing failed.
    assert_eq!(owner("", sentence), Ok("drift"));
}

/// By the short window alone.
fn policy(window: i64, count: usize, actions: usize) -> Denials {
    Denials { window: TimeDelta::seconds(window), count, actions, ..never() }
}

/// What becomes of calls beside which nothing was kept.
fn settled(denials: Vec<Undecided>, policy: &Denials) -> Vec<Finding> {
    settle(denials, &[], policy)
}

/// Limits that nothing reaches.
fn never() -> Denials {
    const NEVER: usize = usize::MAX;
    Denials {
        guardrails: std::collections::BTreeMap::new(),
        count: NEVER,
        actions: NEVER,
        targets: NEVER,
        principals: NEVER,
        sign_ins: NEVER,
        daily_actions: NEVER,
        daily_targets: NEVER,
        daily_count: NEVER,
        ..Policy::built_in().denials
    }
}

fn codes(denials: Vec<Undecided>, policy: &Denials) -> Vec<(Code, Severity, String)> {
    settled(denials, policy)
        .into_iter()
        .map(|finding| (finding.code, finding.severity, finding.event_id))
        .collect()
}

#[test]
fn a_retry_of_one_action_is_low() {
    let denials: Vec<_> = (0..20).map(|n| denial(n, n, "a", "s3:PutObject")).collect();
    let found = codes(denials, &policy(300, 20, 6));
    assert_eq!(found.len(), 20);
    assert!(found.iter().all(|(code, severity, _)| (*code, *severity) == (codes::DENY_SPIKE, Severity::Low)));
}

#[test]
fn to_ask_for_role_after_role_is_no_retry() {
    let asked: Vec<_> = (0..20).map(|n| denial(n, n, "a", "sts:AssumeRoleWithWebIdentity")).collect();
    let found = settled(asked, &policy(300, 20, 6));
    assert_eq!(found.len(), 20);
    for finding in found {
        assert_eq!((finding.code, finding.severity), (codes::DENY_SPIKE, Severity::Medium));
        assert!(!finding.reason.contains("low one"), "{}", finding.reason);
    }
}

#[test]
fn several_actions_are_a_spike_and_many_are_probing() {
    let of =
        |many: i64| (0..20).map(|n| denial(n, n, "a", &format!("ec2:Stop{}", n % many))).collect::<Vec<_>>();
    assert_eq!(codes(of(5), &policy(300, 20, 6))[0].1, Severity::Medium);
    assert_eq!(codes(of(6), &policy(300, 20, 6))[0], (codes::DENY_PROBING, Severity::High, "0".into()));
    let six: Vec<_> = of(20).into_iter().take(6).collect();
    assert_eq!(codes(six, &policy(300, 20, 6)).len(), 6, "breadth counts for itself");
    let five: Vec<_> = of(20).into_iter().take(5).collect();
    assert_eq!(codes(five, &policy(300, 20, 6)).len(), 0);
}

#[test]
fn the_window_slides_and_both_its_ends_count() {
    // Two bursts of 10, and the window holds 20 only if it reaches over both.
    let bursts = |gap: i64| {
        (0..20).map(|n| denial(n, if n < 10 { n } else { gap + n }, "a", "s3:PutObject")).collect::<Vec<_>>()
    };
    // The first call is at second 0, the last at gap + 19.
    assert_eq!(codes(bursts(281), &policy(300, 20, 99)).len(), 20);
    assert_eq!(codes(bursts(282), &policy(300, 20, 99)).len(), 0);
}

#[test]
fn what_console_pages_ask_for_shows_no_breadth() {
    let mut denials: Vec<_> = (0..10).map(|n| denial(n, n, "a", &format!("ec2:Get{n}"))).collect();
    assert_eq!(codes(denials.clone(), &policy(300, 20, 6))[0].0, codes::DENY_PROBING);
    for denial in &mut denials {
        denial.browsing = true;
    }
    assert_eq!(codes(denials.clone(), &policy(300, 20, 6)).len(), 0);
    assert_eq!(codes(denials, &policy(300, 10, 6))[0].1, Severity::Low);
}

#[test]
fn a_spike_is_known_when_the_last_call_makes_it_one() {
    let denials: Vec<_> = (0..25).map(|n| denial(n, 10 * n, "a", "s3:PutObject")).collect();
    let known: Vec<i64> = settled(denials, &policy(300, 20, 6))
        .iter()
        .map(|f| f.known.unwrap().timestamp() - 1_772_000_000)
        .collect();
    assert_eq!(known[..20], [190; 20]);
    assert_eq!(known[20..], [200, 210, 220, 230, 240]);
}

/// What comes later neither counts in a reason nor makes a verdict known earlier.
#[test]
fn a_verdict_says_what_was_known_when_it_was_known() {
    // Twenty calls of one action, then six of others: a spike at 19, of several actions at 30, probing at 34.
    let mut denials: Vec<_> = (0..20).map(|n| denial(n, n, "a", "s3:PutObject")).collect();
    denials.extend((0..5).map(|n| denial(100 + n, 30 + n, "a", &format!("iam:List{n}"))));
    let known = |many: usize, actions: usize| {
        let found = settled(denials.iter().take(many).cloned().collect(), &policy(300, 20, actions));
        let first = found.first().unwrap().clone();
        let said: Vec<&str> = first.reason.split(" were denied").take(1).collect();
        (first.known.unwrap().timestamp() - 1_772_000_000, first.code, said.concat())
    };
    let said = |calls: usize, what: &str| format!("{calls} calls of this principal to {what}");
    assert_eq!(known(20, 6), (19, codes::DENY_SPIKE, said(20, "one action")));
    assert_eq!(known(24, 6), (30, codes::DENY_SPIKE, said(21, "2 different actions")));
    assert_eq!(known(25, 6), (34, codes::DENY_PROBING, said(25, "6 different actions")));
    assert_eq!(known(25, 3), (31, codes::DENY_PROBING, said(22, "3 different actions")));
}

#[test]
fn a_call_is_judged_by_its_own_windows() {
    // Probing at its end doesn't make a long retry of one action probing from its start.
    let mut denials: Vec<_> = (0..60).map(|n| denial(n, 10 * n, "a", "s3:PutObject")).collect();
    denials.extend((0..6).map(|n| denial(100 + n, 590 + n, "a", &format!("iam:List{n}"))));
    let found = settled(denials, &policy(300, 20, 6));
    assert_eq!(found.len(), 66);
    for finding in found {
        let near = finding.time.unwrap().timestamp() - 1_772_000_000 >= 300;
        let expected = if near { codes::DENY_PROBING } else { codes::DENY_SPIKE };
        assert_eq!(finding.code, expected, "{:?}", finding.event_time);
    }
}

#[test]
fn principals_count_apart() {
    let denials: Vec<_> =
        (0..38).map(|n| denial(n, 0, if n % 2 == 0 { "a" } else { "b" }, "s3:PutObject")).collect();
    assert_eq!(codes(denials, &policy(300, 20, 99)).len(), 0);
}

#[test]
fn a_caller_of_another_account_is_one_principal_whatever_its_sessions_names() {
    let group = |session: &str| {
        let caller =
            format!(r#"{{"type":"AWSAccount","principalId":"AROAX:{session}","accountId":"444455556666"}}"#);
        let json = record("s3:PutObject", caller).with(DENIED).to_string();
        classified(&json, &Policy::built_in(), |_, call| undecided(call, &Policy::built_in()).group)
    };
    assert_eq!(group("a"), group("b"));
}

#[test]
fn calls_outside_of_the_spike_are_not_reported() {
    let mut denials: Vec<_> = (0..20).map(|n| denial(n, 1000 + n, "a", "s3:PutObject")).collect();
    denials.push(denial(90, 0, "a", "s3:PutObject"));
    denials.push(denial(91, 5000, "a", "s3:PutObject"));
    let found = codes(denials, &policy(300, 20, 99));
    assert!(found.len() == 20 && found.iter().all(|(_, _, id)| id != "90" && id != "91"));
}

/// What the words say, slowly: every window that starts with a call, the calls of those that hold too many.
fn slowly(denials: &[Undecided], policy: &Denials) -> Vec<String> {
    let mut told = std::collections::BTreeSet::new();
    for first in denials {
        let start = first.finding.time.unwrap();
        let mut window: Vec<&Undecided> = denials
            .iter()
            .filter(|d| {
                d.group == first.group && (start..=start + policy.window).contains(&d.finding.time.unwrap())
            })
            .collect();
        window.sort_by_key(|d| d.key());
        window.dedup_by_key(|d| d.key());
        let actions: std::collections::HashSet<&str> =
            window.iter().map(|d| d.finding.action.as_str()).collect();
        if window.len() >= policy.count || actions.len() >= policy.actions {
            told.extend(window.iter().map(|d| d.finding.event_id.clone()));
        }
    }
    told.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn order_and_repeats_make_no_difference_and_the_words_hold(
        calls in prop::collection::vec((0i64..60, 0usize..2, 0usize..4), 0..40),
        again in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        swaps in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..60),
    ) {
        let policy = policy(10, 5, 3);
        let denials: Vec<_> = (0..).zip(&calls)
            .map(|(n, (second, who, action))| denial(n, *second, ["a", "b"][*who], &format!("ec2:Stop{action}")))
            .collect();
        let once = settled(denials.clone(), &policy);
        let mut shuffled = denials.clone();
        if !denials.is_empty() {
            shuffled.extend(again.iter().map(|index| index.get(&denials).clone()));
            for (a, b) in &swaps { let (a, b) = (a.index(shuffled.len()), b.index(shuffled.len())); shuffled.swap(a, b); }
        }
        prop_assert_eq!(&settled(shuffled, &policy), &once);
        let mut told: Vec<String> = once.iter().map(|finding| finding.event_id.clone()).collect();
        told.sort();
        prop_assert_eq!(told, slowly(&denials, &policy));
    }
}

/// A scanner's denied calls are excepted by the function as by a replay; what else its role is refused, counts.
#[test]
fn the_function_counts_no_denied_call_that_an_exception_covers() {
    use handsoff_runtime::{Function, Lease};

    let excepted = r#"[[exception]]
identity = "arn:aws:iam::*:role/scanner"
denials = true
owner = "sec@example.com"
reason = "nightly scan"
until = 2026-03-31"#;
    let counts = |policy: &str, role: &str, action: &str| {
        let json = record(action, session(role, "s")).at("2026-03-01T09:00:00Z").with(DENIED).to_string();
        let policy = Policy::parse("p", policy).unwrap();
        let detector = live::DenySpikeFunction::new(engine(&policy), Lease(TimeDelta::minutes(1)));
        classified(&json, &policy, |record, _| matches!(detector.judge(record), Some(live::Work::Denied(_))))
    };
    assert!(!counts(excepted, "scanner", "ec2:DescribeInstances"));
    assert!(counts("", "scanner", "ec2:DescribeInstances"), "without the exception");
    assert!(counts(excepted, "other", "ec2:DescribeInstances"), "somebody else");
    assert!(counts(excepted, "scanner", "iam:CreateUser"), "no read");
    assert!(
        counts(&excepted.replace("2026-03-31", "2026-02-28"), "scanner", "ec2:DescribeInstances"),
        "it is over"
    );
}
