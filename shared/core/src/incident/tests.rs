use crate::Trace;
use crate::code::samples;

use handsoff_cloudtrail::{Class, Entry, Record};
use proptest::prelude::*;

use super::action::COMPARED;
use super::*;
use crate::alert::{Alert, Known, Milestone, Reach};
use crate::policy::{Alerts, DigestHours};
use crate::{Call, Policy, alert};

/// 1,772,000,000 is 800 seconds after the start of a period of this length.
const POLICY: Alerts = Alerts {
    min_severity: Severity::Medium,
    period: TimeDelta::seconds(1200),
    quiet: TimeDelta::seconds(100),
    burst: 10,
    accounts: BTreeMap::new(),
    digest: DigestHours::DEFAULT,
};

fn finding(second: i64, action: &str, severity: Severity) -> Finding {
    let time = Time::from_timestamp(1_772_000_000 + second);
    let json = format!(
        r#"{{"eventID":"{second}","eventTime":"{time}","eventSource":"ec2.amazonaws.com","eventName":"{action}",
        "userIdentity":{{"type":"IAMUser","arn":"arn:aws:iam::1:user/a","userName":"a"}}}}"#
    );
    let (Entry::Record(record), _) = Record::read(&json).unwrap() else { panic!("a record") };
    let call = Call::classify(record, &Policy::built_in(), &mut Trace::off());
    Finding::new(&call, samples::CHANGE, severity, "r".into())
}

fn incident(findings: &[Finding]) -> Incident {
    let mut incident = Incident::of_periods("i".into(), &POLICY);
    for finding in findings {
        incident.add(finding.clone());
    }
    incident
}

fn alerts(findings: &[Finding]) -> Vec<(i64, &'static str, Severity, usize)> {
    alert::schedule(&incident(findings), &POLICY, &Known::default())
        .iter()
        .map(|alert| {
            (
                alert.at.unwrap().timestamp() - 1_772_000_000,
                alert.cause.as_str(),
                alert.severity,
                alert.findings,
            )
        })
        .collect()
}

#[test]
fn a_thousand_findings_make_a_handful_of_alerts() {
    use Severity::{High, Medium};
    let mut findings: Vec<_> = (0..1000).map(|n| finding(n / 3, "RunInstances", Medium)).collect();
    findings.push(finding(200, "StopInstances", High));
    for (n, finding) in findings.iter_mut().enumerate() {
        finding.key = Key(n as u64);
    }
    assert_eq!(
        alerts(&findings),
        [
            (0, "opened", Medium, 3),
            (33, "more", Medium, 102),
            (200, "worse", High, 604),
            (332, "more", High, 1000),
            (500, "closed", High, 1001),
        ]
    );
}

#[test]
fn twice_the_actions_are_no_more_than_twice_the_work() {
    let one = finding(0, "RunInstances", Severity::Medium);
    let comparisons = |actions: u64| {
        let mut parts = [Incident::new("i".into()), Incident::new("i".into())];
        COMPARED.set(0);
        for number in 0..actions {
            // Those of the second part are half of them the first one's.
            for (part, key) in parts.iter_mut().zip([number, actions / 2 + number]) {
                part.add(Finding { key: Key(key), action: format!("ec2:Create{key}"), ..one.clone() });
            }
        }
        let [mut whole, other] = parts;
        whole.merge(&other);
        assert_eq!(whole.actions().len() as u64, actions + actions / 2);
        COMPARED.get()
    };
    let (few, many) = (comparisons(2_000), comparisons(4_000));
    assert!(few > 4_000 && many * 10 < few * 25, "{few} comparisons, for twice as many {many}");
}

#[test]
fn a_sessions_name_cannot_hide_the_human_behind_it() {
    let mut finding = finding(0, "RunInstances", Severity::High);
    for (name, human, told) in [
        ("admin/not-bob-but-alice", "bob", true),
        ("admin/bob", "bob", false),
        ("bob", "bob", false),
        ("bob@example.com (Admin)", "bob@example.com", false),
        ("admin/x (bob)", "bob", true),
    ] {
        finding.principal.name = name.into();
        finding.principal.human = Some(human.into());
        assert_eq!(alert::who((&finding).into()).contains(", used by "), told, "{name}");
    }
}

#[test]
fn what_is_below_the_level_is_not_sent_until_something_reaches_it() {
    use Severity::{Low, Medium};
    assert_eq!(alerts(&[finding(0, "CreateTags", Low)]), []);
    let both = [finding(0, "CreateTags", Low), finding(10, "RunInstances", Medium)];
    assert_eq!(alerts(&both), [(10, "opened", Medium, 2)]);
}

#[test]
fn it_is_reported_anew_in_each_period_and_closed_once() {
    use Severity::{High, Medium};
    let at = |second, severity| finding(second, "RunInstances", severity);
    // The second period starts at 400, and the incident goes on within `quiet`.
    let long = [at(0, High), at(399, Medium), at(500, Medium), at(700, Medium)];
    assert_eq!(
        alerts(&long),
        [(0, "opened", High, 1), (500, "opened", Medium, 1), (1700, "closed", High, 4)]
    );
    let paused = [at(0, High), at(501, Medium)];
    assert_eq!(
        alerts(&paused),
        [(0, "opened", High, 1), (501, "opened", Medium, 1),],
        "what was said isn't said again, and what is medium ends in the digest"
    );
}

#[test]
fn a_later_period_tells_what_is_new() {
    let findings =
        [finding(0, "RunInstances", Severity::High), finding(501, "StopInstances", Severity::High)];
    let sent = alert::schedule(&incident(&findings), &POLICY, &Known::default());
    let told: Vec<_> =
        sent.iter().map(|alert| (alert.cause.as_str(), alert.subject.contains("StopInstances"))).collect();
    assert_eq!(told, [("opened", false), ("opened", true)]);
    assert!(sent.iter().all(|alert| alert.subject.is_ascii() && alert.subject.len() <= 100));
}

#[test]
fn a_later_period_tells_its_own_first_finding_however_many_came_before() {
    let mut findings: Vec<_> = (0..9).map(|second| finding(second, "RunInstances", Severity::High)).collect();
    findings.push(finding(501, "StopInstances", Severity::High));
    findings.push(finding(1702, "StartInstances", Severity::High));
    let sent = alert::schedule(&incident(&findings), &POLICY, &Known::default());
    let opened: Vec<_> = sent.iter().filter(|alert| alert.cause == alert::Cause::Opened).collect();
    for (alert, action) in opened.iter().zip(["RunInstances", "StopInstances", "StartInstances"]) {
        assert!(alert.subject.contains(action), "{}", alert.subject);
    }
    assert_eq!(opened.len(), 3);
}

#[test]
fn a_closing_message_sums_up_what_was_known_by_then() {
    let findings = [
        finding(0, "RunInstances", Severity::High),
        finding(7, "StopInstances", Severity::Medium),
        // In the next period, after the first was closed at 500.
        finding(600, "DeleteVolume", Severity::Critical),
        finding(601, "DeleteVolume", Severity::Medium),
    ];
    let sent = alert::schedule(&incident(&findings), &POLICY, &Known::default());
    let closed: Vec<_> = sent.iter().filter(|alert| alert.cause == alert::Cause::Closed).collect();
    let [first, second] = closed[..] else { panic!("{sent:#?}") };
    assert_eq!((first.findings, first.severity), (2, Severity::High));
    for said in [
        "in all   ec2:RunInstances x1, ec2:StopInstances x1\n",
        &format!(
            "when     {} to {}\n",
            Time::from_timestamp(1_772_000_000),
            Time::from_timestamp(1_772_000_007)
        ),
        &format!("worst    ec2:RunInstances (write) at {}\n", Time::from_timestamp(1_772_000_000)),
    ] {
        assert!(first.text.contains(said), "{said}: {}", first.text);
    }
    assert!(!first.text.contains("\ndid ") && !first.text.contains("DeleteVolume"), "{}", first.text);
    assert!(second.text.contains("in all   ec2:DeleteVolume x2\n"), "{}", second.text);
}

#[test]
fn further_findings_never_take_a_milestone_away() {
    let reach = |incident: &str, found: &[(Code, Severity)]| {
        let mut reach = Reach::new(incident);
        for (code, severity) in found {
            if code.is_about_session() {
                reach.add_verdict(*code, *severity);
            } else {
                reach.add((*code).into(), *severity);
            }
        }
        reach.milestones(&POLICY)
    };
    for incident in ["drift-1", "glass-1"] {
        let mut found = Vec::new();
        let mut before = BTreeSet::new();
        for number in 0..1100 {
            let severity = Severity::ALL[number % 37 % Severity::ALL.len()];
            found.push((samples::ALL[number % 11 * 7 % samples::ALL.len()], severity));
            let after = reach(incident, &found);
            assert!(before.is_subset(&after), "{before:?} {after:?}");
            let names: Vec<String> = after.iter().map(ToString::to_string).collect();
            assert!(names.iter().zip(&after).all(|(name, it)| name.parse() == Ok(*it)), "{names:?}");
            before = after;
        }
        assert!(before.len() < 35, "bounded: {before:?}");
    }
    // A session opens by whatever comes first, and no violation hides behind a worse finding.
    let read = (samples::ACTIVITY, Severity::Info);
    assert_eq!(reach("glass-1", &[read]), [Milestone::Opened].into());
    let all = reach(
        "glass-1",
        &[read, (samples::OPENED, Severity::Critical), (samples::UNAPPROVED, Severity::High)],
    );
    assert!(all.contains(&Milestone::Topic(samples::UNAPPROVED.into(), 1)), "{all:?}");
    assert!(reach("drift-1", &[(samples::CHANGE, Severity::Info)]).is_empty());
}

/// The sweep looks at an incident with many findings in parts.
#[test]
fn what_the_parts_of_an_incident_reach_together_is_what_all_of_it_reaches() {
    for id in ["drift-1", "glass-1"] {
        let of = |all: &[Reported]| {
            let mut incident = Incident::new(id.into());
            incident.extend(all.to_vec());
            incident.reach()
        };
        let codes = [samples::ESCALATION, samples::ATTACK, samples::CHANGE];
        let found = |n: i64| Finding {
            code: codes[usize::try_from(n).unwrap() % codes.len()],
            ..finding(n, "RunInstances", [Severity::Medium, Severity::High][usize::from(n == 7)])
        };
        let mut all: Vec<Reported> = (0..9).map(found).map(Reported::from).collect();
        all.insert(2, verdict(2, samples::UNAPPROVED, Severity::Medium).into());
        let whole = of(&all);
        let names: Vec<String> = whole.milestones(&POLICY).iter().map(ToString::to_string).collect();
        assert!(names.contains(&"severity:high".into()), "{id}: {names:?}");
        let escalations = names.contains(&"escalation:3".into());
        assert_eq!((whole.findings(), escalations), (9, true), "{id}: {names:?}");
        for at in 0..=all.len() {
            let (first, second) = all.split_at(at);
            let mut reach = of(first);
            reach.merge(&of(second));
            assert_eq!(reach, whole, "{id}, cut at {at}");
        }
    }
}

#[test]
fn each_first_finding_of_a_grave_class_is_alerted_and_shown() {
    use Severity::{Critical, High};
    let of = |second, action, severity, class| Finding { class, ..finding(second, action, severity) };
    let findings = [
        of(0, "AddPermission", High, Some(Class::Sharing)),
        of(10, "CreateAccessKey", High, Some(Class::Identity)),
        of(11, "CreateLoginProfile", High, Some(Class::Identity)),
        of(12, "PutBucketPolicy", High, Some(Class::Permissions)),
        // What is ordinary is no news beside these.
        of(13, "RunInstances", High, None),
        of(14, "CreateUser", High, Some(Class::Identity)),
        of(15, "StopLogging", Critical, Some(Class::Detection)),
    ];
    let sent = alert::schedule(&incident(&findings), &POLICY, &Known::default());
    let shown: Vec<_> =
        sent.iter().map(|it| (it.at.unwrap().timestamp() - 1_772_000_000, lead(it))).collect();
    let expected =
        ["AddPermission", "CreateAccessKey", "PutBucketPolicy", "CreateUser", "StopLogging", "StopLogging"];
    // The last one is the end, for two findings had no message of their own.
    assert_eq!(shown, [0, 10, 12, 14, 15, 500].into_iter().zip(expected).collect::<Vec<_>>());
    let also = |at: usize| sent[at].also.iter().map(|also| &*also.action).collect::<Vec<_>>();
    assert_eq!(also(2), ["ec2:CreateLoginProfile"], "what came since the last message is named in the next");
    assert!(
        sent[2].text.contains("\nalso     ec2:CreateLoginProfile (high) at 06:13:31\n"),
        "{}",
        sent[2].text
    );
    assert_eq!((also(3), also(4)), (vec!["ec2:RunInstances"], vec![]), "and once");
}

/// The action that a message shows.
fn lead(alert: &Alert) -> &str {
    alert.subject.rsplit(':').next().unwrap()
}

#[test]
fn an_end_is_said_of_what_is_grave_and_has_news() {
    for (incident, severity, all_said, aloud) in [
        ("glass-1", Severity::Info, true, true),
        ("drift-1", Severity::High, false, true),
        ("drift-1", Severity::High, true, false),
        ("drift-1", Severity::Medium, false, false),
        ("deny-1", Severity::High, false, false),
    ] {
        assert_eq!(alert::closes_aloud(incident, severity, all_said), aloud, "{incident} {severity}");
    }
}

fn verdict(second: i64, code: Code, severity: Severity) -> SessionVerdict {
    SessionVerdict::on(&finding(second, "RunInstances", severity), "root", code, severity, "r".into())
}

#[test]
fn a_verdict_on_a_session_is_no_call_of_it() {
    let calls =
        [finding(0, "RunInstances", Severity::Medium), finding(60, "StopInstances", Severity::Medium)];
    let closed = verdict(43_200, samples::CLOSED, Severity::Info);
    let unapproved = verdict(0, samples::UNAPPROVED, Severity::High);
    let mut all = incident(&calls);
    all.extend([closed, unapproved]);
    assert_eq!(
        all.times(),
        Some((Time::from_timestamp(1_772_000_000), Time::from_timestamp(1_772_000_060))),
        "the end is when no call was made"
    );
    assert_eq!(all.actions(), [("ec2:RunInstances", 1), ("ec2:StopInstances", 1)]);
    assert!(all.worst().eq(&calls), "no verdict takes a call's row");
    assert_eq!((all.count(), all.reach().findings(), all.steps().len()), (2, 2, 2));
    assert_eq!(all.first(), Some(&calls[0]), "nor its place");
    assert_eq!(all.unnamed(&BTreeSet::new()).len(), 2);
    let about: Vec<Code> = all.verdicts().map(|it| it.code).collect();
    assert_eq!(about, [samples::UNAPPROVED, samples::CLOSED]);
    assert_eq!(
        all.lead().map(ReportedRef::code),
        Some(samples::UNAPPROVED),
        "the worst names the incident all the same"
    );

    // A drill that is due has nothing but its verdict.
    let mut due = incident(&[]);
    due.add(verdict(0, samples::DRILL, Severity::Medium));
    assert_eq!(due.times(), Some((Time::from_timestamp(1_772_000_000), Time::from_timestamp(1_772_000_000))));
    assert_eq!((due.lead().map(ReportedRef::code), due.actions().len()), (Some(samples::DRILL), 0));
}

fn shown(incident: &Incident) -> String {
    let policy = Alerts {
        min_severity: Severity::Low,
        period: TimeDelta::seconds(15),
        quiet: TimeDelta::seconds(7),
        ..POLICY
    };
    let worst: Vec<_> = incident.worst().collect();
    format!(
        "{worst:?} {:?} {:?} {:?}",
        incident.counts(),
        incident.actions(),
        alert::schedule(incident, &policy, &Known::default())
    )
}

proptest! {
    #[test]
    fn it_is_a_set(
        calls in prop::collection::vec((0i64..40, 0usize..3, 0usize..5), 1..40),
        parts in prop::collection::vec(0usize..3, 40),
        rotate in 0usize..40,
    ) {
        let findings: Vec<_> = calls.iter()
            .map(|(second, action, severity)| finding(*second, ["Run", "Stop", "Start"][*action], Severity::ALL[*severity]))
            .collect();
        let verdicts = [(5, samples::CLOSED), (0, samples::UNAPPROVED), (9, samples::CLOSED)];
        let verdicts = verdicts.map(|(second, code)| verdict(second, code, Severity::High));
        let mut whole = incident(&findings);
        whole.extend(verdicts.clone());
        let mut other = findings.clone();
        other.rotate_left(rotate % findings.len());
        other.extend(findings.iter().step_by(2).cloned());
        let mut pieces = vec![Incident::of_periods("i".into(), &POLICY); 3];
        for (index, finding) in other.into_iter().enumerate() {
            pieces[parts[index % parts.len()]].add(finding);
        }
        for (index, verdict) in verdicts.into_iter().rev().enumerate() {
            pieces[parts[index]].add(verdict);
        }
        let mut merged = Incident::of_periods("i".into(), &POLICY);
        for piece in &pieces {
            merged.merge(piece);
        }
        prop_assert_eq!(shown(&merged), shown(&whole));
    }
}
