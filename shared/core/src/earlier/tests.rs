use super::*;
use crate::Trace;
use crate::code::samples;
use crate::{Call, Code, Incident, Policy};
use handsoff_cloudtrail::{Entry, Record};

fn finding(action: &str, day: i64, code: Code) -> Finding {
    let time = Time::of_day(day) + TimeDelta::hours(1);
    let json = format!(
        r#"{{"eventID":"{day}{action}","eventTime":"{time}","eventSource":"ec2.amazonaws.com","eventName":"{action}",
        "userIdentity":{{"type":"IAMUser","arn":"arn:aws:iam::1:user/a","userName":"a"}}}}"#
    );
    let (Entry::Record(record), _) = Record::read(&json).unwrap() else { panic!("a record") };
    let call = Call::classify(record, &Policy::built_in(), &mut Trace::off());
    Finding { incident: "drift-1".into(), ..Finding::new(&call, code, Severity::High, "r".into()) }
}

fn incident(findings: &[Finding]) -> Incident {
    let mut incident = Incident::new("drift-1".into());
    incident.extend(findings.iter().cloned());
    incident
}

fn repeated(days: &[i64], asked: (&str, i64), code: Code) -> bool {
    let mut earlier = Earlier::new(TimeDelta::hours(2));
    for at in days {
        incident(&[finding("CreateGrant", *at, code)]).remember(&mut earlier);
    }
    let asked = incident(&[finding(asked.0, asked.1, code)]);
    asked.remember(&mut earlier);
    asked.briefs().any(|finding| earlier.repeats(&finding))
}

#[test]
fn a_finding_is_repeated_by_the_periods_before_it_and_by_no_others() {
    let write = samples::BY_CODE;
    assert!(!repeated(&[], ("CreateGrant", 500), write), "the first");
    assert!(!repeated(&[500], ("CreateGrant", 500), write), "the same period");
    assert!(!repeated(&[501], ("CreateGrant", 500), write), "a later one");
    assert!(repeated(&[499], ("CreateGrant", 500), write));
    assert!(repeated(&[410], ("CreateGrant", 500), write));
    assert!(!repeated(&[409], ("CreateGrant", 500), write), "forgotten");
    assert!(!repeated(&[499], ("CreateUser", 500), write), "another action");
    assert!(repeated(&[499], ("CreateGrant", 500), samples::PROBING));
}

#[test]
fn nothing_is_remembered_of_emergencies_and_attacks() {
    for code in samples::ALL {
        let remembered = [samples::BY_CODE, samples::DENIED, samples::PROBING];
        assert!(!repeated(&[499], ("Run", 500), code), "{code}");
        assert_eq!(repeated(&[499], ("CreateGrant", 500), code), remembered.contains(&code), "{code}");
    }
}

#[test]
fn what_a_person_or_nobody_knows_who_does_and_is_grave_is_never_repeated() {
    for kind in [Kind::Human, Kind::Unknown] {
        for (class, severity, expected) in [
            (None, Severity::High, true),
            (None, Severity::Critical, false),
            (Some(Class::Network), Severity::High, true),
            (Some(Class::Identity), Severity::High, false),
        ] {
            let mut at = [finding("Run", 1, samples::CHANGE), finding("Run", 2, samples::CHANGE)];
            for finding in &mut at {
                finding.principal.kind = kind;
            }
            at[0].time = at[1].time.map(|time| time - TimeDelta::hours(8));
            (at[1].class, at[1].severity) = (class, severity);
            let mut earlier = Earlier::new(TimeDelta::hours(2));
            incident(&at[..1]).remember(&mut earlier);
            let asked = incident(&at[1..]);
            let brief = asked.briefs().next().unwrap();
            assert_eq!(earlier.repeats(&brief), expected, "{kind} {class:?} {severity}");
        }
    }
}

#[test]
fn another_day_of_a_person_is_news() {
    assert!(!repeated(&[499], ("CreateGrant", 500), samples::CHANGE));
}

#[test]
fn each_principal_has_its_own() {
    let (one, mut other) = (finding("Run", 1, samples::BY_CODE), finding("Run", 1, samples::BY_CODE));
    assert_eq!(Subject::of(&one), Subject::of(&other));
    other.principal.human = Some("ana".into());
    assert_eq!(Subject::of(&one), Subject::of(&other), "what a caller may choose is no difference");
    let role = "arn:aws:iam::1:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Viewer_0123456789abcdef";
    let of = |person: &str| {
        let mut finding = one.clone();
        (finding.principal.arn, finding.principal.human) = (role.into(), Some(person.into()));
        Subject::of(&finding)
    };
    assert_ne!(of("ana"), of("ben"), "people who share a permission set");
    let denied = finding("Run", 1, samples::DENIED);
    assert_ne!(Subject::of(&one), Subject::of(&denied), "what is denied is no change");
}

/// What one role does each night is remembered by its action, what it assumes by that; both are of one incident.
#[test]
fn of_one_incident_each_finding_is_remembered_as_its_own_code_says() {
    let (write, once) = (samples::BY_CODE, samples::CHANGE);
    let mut findings =
        [finding("CreateGrant", 500, write), finding("Run", 500, once), finding("Run", 499, once)];
    for finding in &mut findings {
        finding.principal.kind = if finding.code == once { Kind::Human } else { Kind::Workload };
    }
    let [grant, run, before] = findings;
    for both in [[grant.clone(), run.clone()], [run, grant]] {
        let mut earlier = Earlier::new(TimeDelta::hours(2));
        incident(std::slice::from_ref(&before)).remember(&mut earlier);
        incident(&[finding("CreateGrant", 499, write)]).remember(&mut earlier);
        let asked = incident(&both);
        let repeated: Vec<(&str, bool)> =
            asked.briefs().map(|finding| (finding.action, earlier.repeats(&finding))).collect();
        // A person's session remembers twelve hours.
        let expected = [("ec2:CreateGrant", true), ("ec2:Run", false)];
        assert!(expected.iter().all(|one| repeated.contains(one)), "{repeated:?}");
    }
}
