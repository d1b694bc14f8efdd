use handsoff_trail::{Entry, Record};
use proptest::prelude::*;

use super::*;
use crate::alert::{Known, Milestone, Reach};
use crate::policy::Alerts;
use crate::{Call, Policy, alert};

/// 1,772,000,000 is 800 seconds after the start of a period of this length.
const POLICY: Alerts = Alerts { min_severity: Severity::Medium, period: 1200, quiet: 100, burst: 10 };

fn finding(second: i64, action: &str, severity: Severity) -> Finding {
    let time = Time(1_772_000_000 + second);
    let json = format!(
        r#"{{"eventID":"{second}","eventTime":"{time}","eventSource":"ec2.amazonaws.com","eventName":"{action}",
        "userIdentity":{{"type":"IAMUser","arn":"arn:aws:iam::1:user/a","userName":"a"}}}}"#
    );
    let (Entry::Record(record), _) = Record::read(&json).unwrap() else { panic!("a record") };
    let call = Call::classify(record, &Policy::built_in(), &mut ());
    Finding::new(&call, Code::DriftWrite, severity, "r".into())
}

fn incident(findings: &[Finding]) -> Incident {
    let mut incident = Incident::new("i".into());
    for finding in findings {
        incident.add(finding.clone());
    }
    incident
}

fn alerts(findings: &[Finding]) -> Vec<(i64, &'static str, Severity, usize)> {
    alert::schedule(&incident(findings), &POLICY, &Known::default())
        .iter()
        .map(|alert| {
            (alert.at.unwrap().0 - 1_772_000_000, alert.cause.as_str(), alert.severity, alert.findings)
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
            (3, "more", Medium, 12),
            (33, "more", Medium, 102),
            (200, "worse", High, 604),
            (332, "more", High, 1000),
            (500, "closed", High, 1001),
        ]
    );
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
        assert_eq!(alert::who(&finding).contains("behind it"), told, "{name}");
    }
}

#[test]
fn what_is_below_the_level_is_not_sent_until_something_reaches_it() {
    use Severity::{Low, Medium};
    assert_eq!(alerts(&[finding(0, "CreateTags", Low)]), []);
    let both = [finding(0, "CreateTags", Low), finding(10, "RunInstances", Medium)];
    assert_eq!(alerts(&both), [(10, "opened", Medium, 2), (500, "closed", Medium, 2)]);
}

#[test]
fn it_is_told_anew_in_each_period_and_closed_once() {
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
        [
            (0, "opened", High, 1),
            (500, "closed", High, 1),
            (501, "opened", Medium, 1),
            (1700, "closed", Medium, 1)
        ]
    );
}

#[test]
fn a_later_period_tells_what_is_new() {
    let findings =
        [finding(0, "RunInstances", Severity::High), finding(501, "StopInstances", Severity::High)];
    let sent = alert::schedule(&incident(&findings), &POLICY, &Known::default());
    let told: Vec<_> =
        sent.iter().map(|alert| (alert.cause.as_str(), alert.subject.contains("StopInstances"))).collect();
    assert_eq!(told, [("opened", false), ("closed", false), ("opened", true), ("closed", true)]);
    assert!(sent.iter().all(|alert| alert.subject.is_ascii() && alert.subject.len() <= 100));
}

#[test]
fn further_findings_never_take_a_milestone_away() {
    let reach = |incident: &str, found: &[(Code, Severity)]| {
        let mut reach = Reach::new(incident);
        for (code, severity) in found {
            reach.add(*code, *severity);
        }
        reach.milestones(&POLICY)
    };
    for incident in ["drift-1", "glass-1"] {
        let mut found = Vec::new();
        let mut before = BTreeSet::new();
        for number in 0..1100 {
            let severity = Severity::ALL[number % 37 % Severity::ALL.len()];
            found.push((Code::ALL[number % 11 * 7 % Code::ALL.len()], severity));
            let after = reach(incident, &found);
            assert!(before.is_subset(&after), "{before:?} {after:?}");
            let names: Vec<String> = after.iter().map(ToString::to_string).collect();
            assert!(names.iter().zip(&after).all(|(name, it)| name.parse() == Ok(*it)), "{names:?}");
            before = after;
        }
        assert!(before.len() < 35, "bounded: {before:?}");
    }
    // A session opens by whatever comes first, and no violation hides behind a worse finding.
    let read = (Code::GlassActivity, Severity::Info);
    assert_eq!(reach("glass-1", &[read]), [Milestone::Opened].into());
    let all = reach(
        "glass-1",
        &[read, (Code::RootActivity, Severity::Critical), (Code::GlassNoTicket, Severity::High)],
    );
    assert!(all.contains(&Milestone::Code(Code::GlassNoTicket, 1)), "{all:?}");
    assert!(reach("drift-1", &[(Code::DriftWrite, Severity::Info)]).is_empty());
}

fn shown(incident: &Incident) -> String {
    let policy = Alerts { min_severity: Severity::Low, period: 15, quiet: 7, burst: 10 };
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
        let whole = incident(&findings);
        let mut other = findings.clone();
        other.rotate_left(rotate % findings.len());
        other.extend(findings.iter().step_by(2).cloned());
        let mut pieces = vec![Incident::new("i".into()); 3];
        for (index, finding) in other.into_iter().enumerate() {
            pieces[parts[index % parts.len()]].add(finding);
        }
        let mut merged = Incident::new("i".into());
        for piece in pieces {
            merged.merge(piece);
        }
        prop_assert_eq!(shown(&merged), shown(&whole));
    }
}
