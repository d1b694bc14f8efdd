use super::*;

/// 2026-03-14 02:00.
const BEGAN: i64 = 1_773_453_600;

fn at(seconds: i64) -> Time {
    Time::from_timestamp(BEGAN + seconds)
}

/// A policy whose entry says this besides its identity.
fn policy(entry: &str) -> Policy {
    let text = format!(
        "[[break_glass]]\nidentity = \"arn:aws:iam::*:role/ops/x\"\nmax_session = \"1h\"\n{entry}\n\
         [alerts]\nquiet = \"30m\"\n[cases]\npatience = \"10m\"\napprovers = [\"bob\", \"alice\"]"
    );
    Policy::parse("p", &text).unwrap()
}

/// Of a session of the role that began at [`BEGAN`], with a call then and one so many seconds later.
fn facts(last: i64) -> Facts {
    Facts {
        accounts: ["111122223333".into()].into(),
        identities: ["arn:aws:iam::111122223333:role/ops/x".into()].into(),
        started: [at(0)].into(),
        first: Some(at(0)),
        last: Some(at(last)),
        ..Facts::default()
    }
}

fn known(by: KnownBy, name: &str) -> Facts {
    Facts { people: [(by, name.into())].into(), ..facts(60) }
}

fn grant(until: i64, requester: &str, approver: &str) -> Grant {
    Grant {
        issued: at(0),
        from: at(0),
        until: at(until),
        ticket: "INC-7".into(),
        requester: requester.into(),
        approver: approver.into(),
        role: "x".into(),
        account: "111122223333".into(),
        sent_from: "111122223333".into(),
    }
}

fn session(policy: &Policy, facts: Facts, grants: Vec<Grant>) -> Session<'_> {
    Session::new("glass-1", facts, grants, policy)
}

#[test]
fn a_session_ends_by_whatever_shows_its_end_first() {
    let (policy, hour) = (policy(""), 3600);
    let none = |last| Facts { started: [].into(), ..facts(last) };
    let unknown = |last| Facts { identities: ["root".into()].into(), ..facts(last) };
    for (facts, seconds, by) in [
        (facts(60), hour, EndBy::Window),
        (Facts { expires: [at(900)].into(), ..facts(60) }, 900, EndBy::CredentialsExpired),
        (Facts { signed_out: [at(60)].into(), ..facts(60) }, 60, EndBy::SignOut),
        (Facts { signed_out: [at(60)].into(), ..facts(61) }, hour, EndBy::Window),
        (unknown(60), 12 * hour, EndBy::LongestSession),
        (none(60), 22 * hour, EndBy::DayOver),
    ] {
        assert_eq!(session(&policy, facts, vec![]).end(), Some((at(seconds), by)));
    }
    assert_eq!(session(&policy, Facts::default(), vec![]).end(), None);
}

#[test]
fn calls_after_the_allowed_time_are_overdue_and_the_case_closes_after_the_last() {
    let policy = policy("");
    for (last, overdue, closes) in [(3600, None, 3600 + 1800), (3601, Some(1), 3601 + 1800)] {
        let session = session(&policy, facts(last), vec![]);
        let going = if overdue.is_some() { State::Overdue } else { State::Open };
        assert_eq!(
            (session.overdue(), session.closes()),
            (overdue.map(TimeDelta::seconds), Some(at(closes)))
        );
        assert_eq!((session.state(at(closes - 1)), session.state(at(closes))), (going, State::Closed));
    }
}

#[test]
fn a_state_has_one_name_in_every_output() {
    for (state, name) in [
        (State::Open, "OPEN"),
        (State::Overdue, "OVERDUE"),
        (State::Closed, "CLOSED"),
        (State::Reviewed, "REVIEWED"),
    ] {
        assert_eq!((state.as_str(), serde_json::to_value(state).unwrap()), (name, name.into()));
    }
}

#[test]
fn the_minutes_that_a_session_was_overdue_are_rounded_up_and_so_is_said_of_which_end() {
    let policy = policy("approval = true\ntrust_session_name = true");
    let alice = |last| Facts { last: Some(at(last)), ..known(KnownBy::SessionName, "alice") };
    for (last, until, said) in [
        (
            3660,
            7200,
            "p:1 [[break_glass]] limits a session to `max_session`; calls continued for 1 minutes after \
             that.",
        ),
        (
            3661,
            7200,
            "p:1 [[break_glass]] limits a session to `max_session`; calls continued for 2 minutes after \
             that.",
        ),
        (
            1860,
            1800,
            "INC-7 was granted until 2026-03-14T02:30:00Z; calls continued for 1 minutes after that.",
        ),
    ] {
        let wrong = session(&policy, alice(last), vec![grant(until, "alice", "bob")]).violations();
        assert_eq!(wrong, [(crate::codes::GLASS_OVERDUE, Severity::High, said.to_owned())]);
    }
}

#[test]
fn it_is_the_policys_entry_with_or_without_its_path_and_its_longest_name() {
    let policy = policy("");
    let of = |identities: &[&str]| {
        let identities = identities.iter().map(|it| format!("arn:aws:iam::111122223333:{it}")).collect();
        session(&policy, Facts { identities, ..facts(60) }, vec![])
    };
    for identity in ["role/ops/x", "role/x"] {
        assert!(of(&[identity]).entry().is_some(), "{identity}");
    }
    for identity in ["role/y", "user/x"] {
        assert!(of(&[identity]).entry().is_none(), "{identity}");
    }
    let both = of(&["role/x", "role/ops/x"]);
    assert_eq!((both.identity(), both.account()), ("arn:aws:iam::111122223333:role/ops/x", "111122223333"));
    let nobody = session(&policy, Facts::default(), vec![]);
    assert_eq!((nobody.identity(), nobody.account()), ("unknown", ""));
}

#[test]
fn a_grant_that_came_later_was_not_known_before() {
    let policy = policy("approval = true\ntrust_session_name = true");
    let later = Grant { issued: at(300), ..grant(3600, "alice", "bob") };
    let session = session(&policy, known(KnownBy::SessionName, "alice"), vec![later]);
    let approved = |session: &Session<'_>| matches!(session.approval(), Approval::Approved { .. });
    // What was found before says nothing of another time.
    assert!(approved(&session));
    let before = session.known_at(Some(at(299)));
    assert!(!approved(&before));
    assert!(approved(&before.known_at(Some(at(300)))));
}

#[test]
fn what_extends_a_grant_is_given_by_somebody_else_and_known_by_then() {
    let policy = policy("approval = true\ntrust_session_name = true");
    let first = grant(1800, "alice", "bob");
    for (approver, then, until) in
        [("bob", None, 2700), ("alice", None, 1800), ("bob", Some(599), 1800), ("bob", Some(600), 2700)]
    {
        let next = Grant { issued: at(600), from: at(1200), ..grant(2700, "alice", approver) };
        let session = session(&policy, known(KnownBy::SessionName, "alice"), vec![first.clone(), next]);
        assert_eq!(session.known_at(then.map(at)).window_end(), Some(at(until)), "{approver} {then:?}");
    }
}

#[test]
fn a_name_that_its_caller_chose_proves_a_person_only_where_the_policy_says_so() {
    let strict = "roster = [\"alice\"]";
    let trusting = "roster = [\"alice\"]\ntrust_session_name = true";
    let chosen = "Only the session's name, which the caller chose, says that it is alice; p:1 \
                  [[break_glass]] has a roster.";
    for (entry, facts, person, said) in [
        (strict, known(KnownBy::User, "alice"), Some("alice"), None),
        (trusting, known(KnownBy::SessionName, "alice"), Some("alice"), None),
        (strict, known(KnownBy::SessionName, "alice"), None, Some(chosen)),
        (
            strict,
            known(KnownBy::User, "eve"),
            Some("eve"),
            Some("eve (the IAM user) is not on the roster of p:1 [[break_glass]]."),
        ),
        (
            trusting,
            known(KnownBy::SessionName, "eve"),
            Some("eve"),
            Some(
                "eve (by the session's name, which the caller chose) is not on the roster of p:1 \
                 [[break_glass]].",
            ),
        ),
        (strict, facts(60), None, Some("No record identifies the person; p:1 [[break_glass]] has a roster.")),
    ] {
        let policy = policy(entry);
        let session = session(&policy, facts, vec![]);
        assert_eq!(session.proven_person(), person, "{entry}");
        let reasons: Vec<String> = session.violations().into_iter().map(|(.., reason)| reason).collect();
        assert_eq!(reasons, Vec::from_iter(said), "{entry}");
    }
}

#[test]
fn whoever_it_may_have_been_or_asked_for_its_grant_is_suspected() {
    let policy = policy("approval = true\ntrust_session_name = true");
    let facts = known(KnownBy::SessionName, "alice");
    let person = Person { name: "alice".into(), known_by: KnownBy::SessionName };
    for (approver, code) in [("bob", None), ("alice", Some(crate::codes::GLASS_SELF_APPROVED))] {
        let session = session(&policy, facts.clone(), vec![grant(3600, "ALICE", approver)]);
        assert_eq!(session.suspects(), ["alice", "ALICE"]);
        assert_eq!(
            (session.people(), session.person()),
            (vec![person.clone()], Some((KnownBy::SessionName, "alice")))
        );
        let codes: Vec<Code> = session.violations().into_iter().map(|(code, ..)| code).collect();
        assert_eq!(codes, Vec::from_iter(code));
    }
    let root = Facts { identities: ["root".into()].into(), ..facts };
    assert_eq!(session(&policy, root, vec![]).suspects(), ["alice", "root"]);
}

#[test]
fn a_grant_and_a_ticket_are_missed_only_where_the_policy_asks_for_them() {
    let ticket = "ticket = \"INC-[0-9]+\"\nticket_in = [\"session-name\"]";
    for (entry, name, codes) in [
        ("", "alice", vec![]),
        ("approval = true", "alice", vec![crate::codes::GLASS_UNAPPROVED]),
        (ticket, "alice", vec![crate::codes::GLASS_NO_TICKET]),
        (ticket, "alice-INC-7", vec![]),
    ] {
        let policy = policy(entry);
        let facts = Facts { session_names: [name.into()].into(), ..facts(60) };
        let session = session(&policy, facts, vec![]);
        let found: Vec<Code> = session.violations().into_iter().map(|(code, ..)| code).collect();
        assert_eq!(found, codes, "{entry} {name}");
        assert_eq!(session.ticket().map(|it| it.id), (name != "alice").then(|| "INC-7".into()));
    }
}

#[test]
fn a_drill_is_a_session_whose_ticket_says_so() {
    for (entry, name, is) in [
        ("drill = \"DRILL-[0-9]+\"", "alice-DRILL-3", true),
        ("drill = \"DRILL-[0-9]+\"\nticket = \"INC-[0-9]+\"", "alice-INC-7", false),
        ("drill = \"DRILL-[0-9]+\"", "alice", false),
        ("", "alice-DRILL-3", false),
    ] {
        let policy = policy(&format!("{entry}\nticket_in = [\"session-name\"]"));
        let facts = Facts { session_names: [name.into()].into(), ..facts(60) };
        assert_eq!(session(&policy, facts, vec![]).is_drill(), is, "{entry} {name}");
    }
}

#[test]
fn a_second_factor_is_proven_by_any_record_and_absent_only_if_one_says_so() {
    let policy = policy("");
    for (shown, mfa, codes) in [
        (vec![], Mfa::CannotBeProven, vec![]),
        (vec![false], Mfa::Absent, vec![crate::codes::GLASS_NO_MFA]),
        (vec![false, true], Mfa::Proven, vec![]),
    ] {
        let session = session(&policy, Facts { mfa: shown.into_iter().collect(), ..facts(60) }, vec![]);
        let found: Vec<Code> = session.violations().into_iter().map(|(code, ..)| code).collect();
        assert_eq!((session.mfa(), found), (mfa, codes));
    }
}
