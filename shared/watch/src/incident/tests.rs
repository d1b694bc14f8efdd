use handsoff_trail::{Entry, Record};
use proptest::prelude::*;

use super::*;
use crate::policy::Alerts;
use crate::{Call, Policy, alert};

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
    let policy = Alerts { min_severity: Severity::Medium, quiet: 100 };
    alert::schedule(&incident(findings), &policy)
        .iter()
        .map(|alert| {
            (alert.at.unwrap().0 - 1_772_000_000, alert.cause.as_str(), alert.severity, alert.findings)
        })
        .collect()
}

#[test]
fn a_thousand_findings_make_a_handful_of_alerts() {
    use Severity::{High, Medium};
    let mut findings: Vec<_> = (0..1000).map(|n| finding(n, "RunInstances", Medium)).collect();
    findings.push(finding(500, "StopInstances", High));
    assert_eq!(
        alerts(&findings),
        [
            (0, "opened", Medium, 1),
            (9, "more", Medium, 10),
            (99, "more", Medium, 100),
            (500, "worse", High, 502),
            (998, "more", High, 1000),
            (1099, "closed", High, 1001),
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
    assert_eq!(alerts(&both), [(10, "opened", Medium, 2), (110, "closed", Medium, 2)]);
}

#[test]
fn after_a_pause_it_opens_anew_and_tells_what_is_new() {
    let findings =
        [finding(0, "RunInstances", Severity::High), finding(101, "StopInstances", Severity::High)];
    let policy = Alerts { min_severity: Severity::Medium, quiet: 100 };
    let sent = alert::schedule(&incident(&findings), &policy);
    let told: Vec<_> =
        sent.iter().map(|alert| (alert.cause.as_str(), alert.subject.contains("StopInstances"))).collect();
    assert_eq!(told, [("opened", false), ("closed", false), ("opened", true), ("closed", true)]);
    assert!(sent.iter().all(|alert| alert.subject.is_ascii() && alert.subject.len() <= 100));
}

fn shown(incident: &Incident) -> String {
    let policy = Alerts { min_severity: Severity::Low, quiet: 7 };
    let worst: Vec<_> = incident.worst().collect();
    format!(
        "{worst:?} {:?} {:?} {:?}",
        incident.counts(),
        incident.actions(),
        alert::schedule(incident, &policy)
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
