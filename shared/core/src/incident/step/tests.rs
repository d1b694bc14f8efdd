use crate::code::samples;
use handsoff_cloudtrail::Class;
use proptest::prelude::*;

use super::*;
use crate::alert::{self, Alert, Known};
use crate::earlier::Earlier;
use crate::finding::Who;
use crate::principal::Kind;
use crate::{Incident, Policy};

const STACK_SERVICE: &str = "cloudformation.amazonaws.com";

/// A call: when, what, how it came in, from where.
type Given = (i64, &'static str, &'static str, &'static str);

fn finding((second, action, via, from): Given, number: u64) -> Finding {
    let severity = match action {
        "iam:CreateUser" | "iam:CreateRole" | "s3:PutBucketPolicy" => Severity::High,
        "ec2:CreateTags" => Severity::Low,
        _ => Severity::Medium,
    };
    let class = match action {
        "iam:CreateUser" | "iam:CreateRole" => Some(Class::Identity),
        "s3:PutBucketPolicy" => Some(Class::Sharing),
        "ec2:AuthorizeSecurityGroupIngress" => Some(Class::Network),
        _ => None,
    };
    let time = Some(Time::from_timestamp(1_772_000_000 + second));
    let arn = "arn:aws:iam::111122223333:user/dana".to_owned();
    Finding {
        code: samples::CHANGE,
        severity,
        incident: "drift-1".into(),
        event_id: String::new(),
        event_time: None,
        account: "111122223333".into(),
        region: "eu-central-1".into(),
        action: action.into(),
        access: if action.contains(":Describe") { "list" } else { "write" }.into(),
        class,
        error: None,
        principal: Who { kind: Kind::Human, arn, name: "dana".into(), human: None },
        via: via.into(),
        source_ip: from.into(),
        user_agent: String::new(),
        mfa: None,
        resources: Vec::new(),
        reason: String::new(),
        next: "".into(),
        key: Key(number),
        time,
        known: time,
        ties: crate::story::Ties::default(),
    }
}

fn mark(given: Given, number: u64) -> (Mark, Act) {
    let finding = finding(given, number);
    (Mark::of(&finding), Act::of(&finding))
}

fn marks(given: &[Given]) -> Vec<(Mark, Act)> {
    (1..).zip(given).map(|(number, given)| mark(*given, number)).collect()
}

/// Each step as its lead and what is folded into it.
fn reported(given: &[Given]) -> Vec<String> {
    let marks = marks(given);
    let steps = steps(marks.iter().map(|(mark, act)| (mark, act)));
    let told = |step: &Step<'_>| {
        let rest = step.rest_in_words().map(|rest| format!(", and {rest}")).unwrap_or_default();
        format!("{}{rest}", step.lead.action())
    };
    assert_eq!(steps.iter().map(Step::count).sum::<usize>(), given.len(), "a call is lost, or twice there");
    steps.iter().map(told).collect()
}

const HOME: &str = "192.0.2.41";

#[test]
fn a_click_is_one_step_and_another_one_is_another() {
    let click = |at| {
        [
            (at, "ec2:CreateSecurityGroup", "console", HOME),
            (at + 1, "ec2:AuthorizeSecurityGroupIngress", "console", HOME),
            (at + 2, "ec2:CreateTags", "console", HOME),
        ]
    };
    let one =
        "ec2:CreateSecurityGroup, and 2 calls with it: ec2:AuthorizeSecurityGroupIngress, ec2:CreateTags";
    assert_eq!(reported(&[click(0), click(3)].concat()), [one, one]);
    // From elsewhere, by the command line, or for longer: nothing shows that it is one click.
    assert_eq!(reported(&[click(0)[0], (0, "ec2:CreateTags", "console", "198.51.100.1")]).len(), 2);
    assert_eq!(
        reported(&[(0, "ec2:RunInstances", "cli", HOME), (0, "ec2:CreateTags", "cli", HOME)]).len(),
        2
    );
    let each_second: Vec<Given> = (0..9).map(|at| (at, "ec2:StopInstances", "console", HOME)).collect();
    assert_eq!(reported(&each_second), ["ec2:StopInstances, and 2 calls with it: ec2:StopInstances x2"; 3]);
}

#[test]
fn a_stack_run_by_hand_is_one_step_however_it_was_begun() {
    let by_stack = |at, action| (at, action, STACK_SERVICE, STACK_SERVICE);
    let calls = [
        by_stack(0, "ec2:CreateVpc"),
        by_stack(50, "ec2:CreateSubnet"),
        by_stack(50, "ec2:CreateSubnet"),
        by_stack(3600, "iam:CreateRole"),
    ];
    let stack = "cloudformation:CreateStack, and 4 calls by cloudformation.amazonaws.com: iam:CreateRole (high), \
                 ec2:CreateSubnet x2, ec2:CreateVpc";
    for via in ["cli", "console", "sdk"] {
        let begun = (0, "cloudformation:CreateStack", via, HOME);
        assert_eq!(reported(&[&calls[..], &[begun]].concat()), [stack], "{via}");
    }
    // The console marks its session's calls as its own.
    let console = calls.map(|(at, action, _, _)| (at, action, "console", STACK_SERVICE));
    let begun = (0, "cloudformation:CreateStack", "console", HOME);
    assert_eq!(reported(&[&console[..], &[begun]].concat()), [stack]);
}

#[test]
fn a_services_calls_belong_to_the_latest_change_through_it() {
    let by_stack = |at, action| (at, action, STACK_SERVICE, STACK_SERVICE);
    let asked = |at, action| (at, action, "cli", HOME);
    assert_eq!(
        reported(&[
            asked(0, "cloudformation:CreateStack"),
            asked(5, "cloudformation:DescribeStacks"),
            asked(6, "ec2:RunInstances"),
            by_stack(10, "ec2:CreateVpc"),
            asked(20, "cloudformation:UpdateStack"),
            by_stack(30, "ec2:CreateSubnet"),
            (40, "kms:CreateGrant", "ec2.amazonaws.com", "ec2.amazonaws.com"),
            by_stack(3621, "ec2:CreateTags"),
        ]),
        [
            "cloudformation:CreateStack, and 1 call by cloudformation.amazonaws.com: ec2:CreateVpc",
            "cloudformation:DescribeStacks",
            "ec2:RunInstances, and 1 call by ec2.amazonaws.com: kms:CreateGrant",
            "cloudformation:UpdateStack, and 1 call by cloudformation.amazonaws.com: ec2:CreateSubnet",
            "ec2:CreateTags",
        ]
    );
    // Nobody asked in these logs: a step for each service.
    let backup = |at, action| (at, action, "backup.amazonaws.com", "backup.amazonaws.com");
    assert_eq!(
        reported(&[
            by_stack(0, "ec2:CreateVpc"),
            backup(1, "ec2:CreateSnapshot"),
            by_stack(2, "ec2:CreateSubnet"),
            by_stack(3601, "ec2:CreateSubnet"),
        ]),
        [
            "ec2:CreateVpc, and 1 call by cloudformation.amazonaws.com: ec2:CreateSubnet",
            "ec2:CreateSnapshot",
            "ec2:CreateSubnet",
        ]
    );
}

/// What an agent's tools do for its person has nobody's call before it, and isn't one step for that.
#[test]
fn a_service_that_people_call_through_asks_for_nothing() {
    let agent = "aws-mcp.amazonaws.com";
    let calls = [(0, "ec2:RunInstances", agent, agent), (1, "ec2:StopInstances", agent, agent)];
    assert_eq!(reported(&calls), ["ec2:RunInstances", "ec2:StopInstances"]);
}

#[test]
fn a_call_without_a_time_is_a_step_by_itself() {
    let mut marks =
        marks(&[(0, "ec2:RunInstances", "console", HOME), (0, "ec2:CreateTags", "console", HOME)]);
    for (mark, _) in &mut marks {
        mark.time = None;
    }
    assert_eq!(steps(marks.iter().map(|(mark, act)| (mark, act))).len(), 2);
}

#[test]
fn what_is_grave_is_named_whatever_it_hides_behind() {
    let mut given: Vec<Given> = vec![(0, "cloudformation:CreateStack", "cli", HOME)];
    for action in [
        "ec2:CreateVpc",
        "ec2:CreateSubnet",
        "ec2:CreateRouteTable",
        "ec2:CreateRoute",
        "ec2:CreateNatGateway",
        "ec2:CreateTags",
    ] {
        given.extend([(1, action, STACK_SERVICE, STACK_SERVICE); 9]);
    }
    given.push((3, "s3:PutBucketPolicy", STACK_SERVICE, STACK_SERVICE));
    given.push((9, "iam:CreateUser", STACK_SERVICE, STACK_SERVICE));
    assert_eq!(
        reported(&given),
        ["cloudformation:CreateStack, and 56 calls by cloudformation.amazonaws.com: iam:CreateUser (high), \
          s3:PutBucketPolicy (high), ec2:CreateNatGateway x9, ec2:CreateRoute x9, ec2:CreateRouteTable x9, \
          ec2:CreateSubnet x9, 2 other actions"]
    );
    // Within a click the gravest leads; of two that are as grave the other one is named, too.
    assert_eq!(
        reported(&[
            (0, "ec2:RunInstances", "console", HOME),
            (1, "s3:PutBucketPolicy", "console", HOME),
            (1, "iam:CreateUser", "console", HOME),
            (2, "iam:CreateUser", "console", HOME),
        ]),
        ["iam:CreateUser, and 3 calls with it: s3:PutBucketPolicy (high), ec2:RunInstances, iam:CreateUser"]
    );
}

#[test]
fn what_failed_is_folded_as_that_and_asked_for_nothing() {
    let mut marks = marks(&[
        (0, "cloudformation:CreateStack", "cli", HOME),
        (10, "cloudformation:UpdateStack", "cli", HOME),
        (11, "ec2:CreateVpc", STACK_SERVICE, STACK_SERVICE),
    ]);
    for (_, act) in marks.iter_mut().skip(1) {
        act.error = Some("AccessDenied".into());
    }
    let steps = steps(marks.iter().map(|(mark, act)| (mark, act)));
    let rest = steps.iter().map(Step::rest_in_words).collect::<Vec<_>>();
    let vpc = "1 call by cloudformation.amazonaws.com: ec2:CreateVpc [AccessDenied]";
    assert_eq!(rest, [Some(vpc.to_owned()), None]);
}

fn incident(given: &[Given]) -> Incident {
    let mut incident = Incident::of_periods("drift-1".into(), &Policy::built_in().alerts);
    for (number, given) in (1..).zip(given) {
        let finding = finding(*given, number);
        let event_time = finding.time.map(|time| time.to_string());
        incident.add(Finding { event_time, resources: vec!["r".into()], ..finding });
    }
    incident
}

#[test]
fn a_message_names_new_calls_of_one_step_together_and_counts_as_ever() {
    let policy = Policy::built_in();
    let sent = |given: &[Given]| alert::schedule(&incident(given), &policy.alerts, &Known::default());
    let also = |alert: &Alert| {
        let line = alert.text.lines().find_map(|line| line.strip_prefix("also     "));
        line.unwrap_or_default().to_owned()
    };
    let click = [
        (0, "ec2:RunInstances", "console", HOME),
        (0, "ec2:CreateTags", "console", HOME),
        (0, "ec2:CreateTags", "console", HOME),
        (0, "iam:CreateRole", "console", HOME),
    ];
    let one = sent(&click);
    assert_eq!(also(&one[0]), "in the same step ec2:RunInstances, ec2:CreateTags x2");
    let actions = one[0].also.iter().map(|also| &*also.action).collect::<Vec<_>>();
    assert_eq!(actions, ["ec2:RunInstances", "ec2:CreateTags"], "programs have each by itself");
    // What is new since the last message is a stack, whose worst is named though it isn't what the message shows.
    let later = [
        (100, "cloudformation:CreateStack", "cli", HOME),
        (101, "ec2:CreateVpc", STACK_SERVICE, STACK_SERVICE),
        (102, "ec2:CreateVpc", STACK_SERVICE, STACK_SERVICE),
        (103, "s3:PutBucketPolicy", STACK_SERVICE, STACK_SERVICE),
        (200, "iam:CreateUser", "cli", HOME),
    ];
    let steps: Vec<Given> = [&click[..], &later].concat();
    let both = sent(&steps);
    let told: Vec<String> = both.iter().map(also).collect();
    assert_eq!(
        told,
        [
            "in the same step ec2:RunInstances, ec2:CreateTags x2",
            "in the same step cloudformation:CreateStack, ec2:CreateVpc x2",
            "",
        ]
    );
    // The same calls by a program are steps by themselves, and lead to the same messages.
    let alone: Vec<Given> = steps.iter().map(|(at, action, ..)| (*at, *action, "cli", HOME)).collect();
    let facts =
        |alert: &Alert| (alert.at, alert.tells.clone(), alert.severity, alert.findings, alert.also.clone());
    assert!(sent(&alone).iter().map(facts).eq(both.iter().map(facts)));
    assert_eq!(
        also(&sent(&alone)[0]),
        "ec2:RunInstances (medium) at 06:13:20; ec2:CreateTags (low) at 06:13:20"
    );
}

#[test]
fn a_digest_names_steps_and_what_stands_out_in_them() {
    let policy = Policy::built_in();
    let mut given = vec![(0, "cloudformation:CreateStack", "cli", HOME)];
    for action in ["ec2:CreateVpc", "ec2:CreateSubnet", "ec2:CreateRoute", "iam:CreateUser"] {
        given.extend([(1, action, STACK_SERVICE, STACK_SERVICE); 3]);
    }
    // More kinds of steps than a line names.
    for action in ["a:B", "c:D", "e:F", "g:H", "i:J", "k:L", "m:N"] {
        given.extend([(50, action, "cli", HOME); 4]);
    }
    let incident = incident(&given);
    let digests = alert::digests(
        [&incident].into_iter(),
        &Earlier::new(handsoff_cloudtrail::TimeDelta::days(1)),
        &policy.alerts,
        &|_| Vec::new(),
    );
    let line = digests[0].text.lines().find(|line| line.starts_with("person")).unwrap();
    assert_eq!(
        line,
        "person   dana (high, alerted): iam:CreateUser x3, a:B x4, c:D x4, e:F x4, g:H x4, i:J x4, 3 others, \
         and in the same steps 9 calls of 3 actions"
    );
    assert_eq!(digests[0].findings, given.len());
}

/// Logs made by hand may have one event from two addresses: which of them counts doesn't depend on what comes first.
#[test]
fn one_event_that_came_in_two_ways_is_the_same_step_in_either_order() {
    let two = [
        finding((0, "ec2:RunInstances", "console", HOME), 1),
        finding((0, "ec2:RunInstances", "cli", HOME), 1),
    ];
    let click = finding((0, "ec2:CreateTags", "console", HOME), 2);
    let steps = |order: [&Finding; 3]| {
        let mut incident = Incident::new("i".into());
        incident.extend(order.into_iter().cloned());
        incident.steps().len()
    };
    let [console, cli] = &two;
    assert_eq!(steps([console, cli, &click]), steps([&click, cli, console]));
}

fn given() -> impl Strategy<Value = Given> {
    const ACTIONS: [&str; 7] = [
        "cloudformation:CreateStack",
        "cloudformation:DescribeStacks",
        "ec2:RunInstances",
        "ec2:CreateTags",
        "iam:CreateUser",
        "iam:CreateRole",
        "s3:PutBucketPolicy",
    ];
    const WAYS: [(&str, &str); 6] = [
        ("cli", HOME),
        ("console", HOME),
        ("console", "198.51.100.1"),
        ("console", STACK_SERVICE),
        (STACK_SERVICE, STACK_SERVICE),
        ("ec2.amazonaws.com", "ec2.amazonaws.com"),
    ];
    let seconds = prop_oneof![0..12i64, Just(3600), Just(3601)];
    (seconds, prop::sample::select(&ACTIONS[..]), prop::sample::select(&WAYS[..]))
        .prop_map(|(at, action, (via, from))| (at, action, via, from))
}

proptest! {
    /// Whatever the order and the repeats, the steps are the same, each call is in one, and nothing grave is left unnamed.
    #[test]
    fn the_same_set_of_calls_gives_the_same_steps(
        (ordered, shuffled) in prop::collection::vec(given(), 1..40).prop_flat_map(|given| {
            let marks = marks(&given);
            let twice = [marks.clone(), marks.clone()].concat();
            (Just(marks), Just(twice).prop_shuffle())
        })
    ) {
        let of = |(mark, act): &(Mark, Act)| (mark.key, act.name().to_owned());
        let first = steps(ordered.iter().map(|(mark, act)| (mark, act)));
        let second = steps(shuffled.iter().map(|(mark, act)| (mark, act)));
        prop_assert_eq!(&first, &second);
        let mut there: Vec<(Key, String)> = first
            .iter()
            .flat_map(Step::calls)
            .map(|call| (call.key, call.action().to_owned()))
            .collect();
        let mut asked: Vec<(Key, String)> = ordered.iter().map(of).collect();
        there.sort();
        asked.sort();
        prop_assert_eq!(there, asked);
        for step in &first {
            let words = step.rest_in_words().unwrap_or_default();
            for call in &step.rest {
                let grave = call.is_grave || call.severity > step.lead.severity;
                let named = call.action() == step.lead.action() || words.contains(call.action());
                prop_assert!(!grave || named, "{} is hidden: {}", call.action(), words);
            }
        }
    }
}

#[test]
fn what_is_graver_than_its_step_is_named_first_though_its_class_is_not_grave() {
    let calls = [
        (0, "cloudformation:CreateStack", "console", HOME),
        (5, "ec2:CreateSubnet", STACK_SERVICE, STACK_SERVICE),
        (6, "ec2:CreateSubnet", STACK_SERVICE, STACK_SERVICE),
        (7, "ec2:RunInstances", STACK_SERVICE, STACK_SERVICE),
    ];
    let mut marks = marks(&calls);
    marks[3].0.severity = Severity::Critical;
    let steps = steps(marks.iter().map(|(mark, act)| (mark, act)));
    assert_eq!(steps.len(), 1);
    let rest = steps[0].rest_in_words().unwrap();
    assert!(rest.contains(": ec2:RunInstances (critical), ec2:CreateSubnet x2"), "{rest}");
}

#[test]
fn two_callers_at_one_address_click_each_by_themselves() {
    let given = (0, "ec2:CreateTags", "console", HOME);
    let (one, mut other) = (finding(given, 1), finding(given, 2));
    other.principal.arn = "arn:aws:iam::111122223333:user/erin".into();
    let marks = [one, other].map(|finding| (Mark::of(&finding), Act::of(&finding)));
    assert_eq!(steps(marks.iter().map(|(mark, act)| (mark, act))).len(), 2);
}
