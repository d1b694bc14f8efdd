use std::cell::Cell;
use std::sync::Arc;

use handsoff_core::Policy;
use proptest::prelude::*;

use super::*;
use crate::facts::{Facts, KnownBy};
use crate::session::{Approval, Session};
use handsoff_core::person::{asked, is_same};

thread_local! {
    /// How often a grant was looked at.
    pub(super) static LOOKS: Cell<u64> = const { Cell::new(0) };
}

const POLICY: &str = "[[break_glass]]\nidentity = \"arn:aws:iam::*:role/x\"\nmax_session = \"1h\"\napproval = true\n\
    trust_session_name = true\n[cases]\napprovers = [\"bob\", \"carol\", \"alice\"]\npatience = \"10m\"";

/// 2026-03-14 02:00.
const BEGAN: i64 = 1_773_453_600;

fn grant(from: i64, seconds: i64, role: &str, requester: &str, approver: &str) -> Grant {
    Grant {
        issued: Time::from_timestamp(BEGAN + from),
        from: Time::from_timestamp(BEGAN + from),
        until: Time::from_timestamp(BEGAN + from + seconds),
        ticket: format!("INC-{from}"),
        requester: requester.into(),
        approver: approver.into(),
        role: role.into(),
        account: "111122223333".into(),
        sent_from: "111122223333".into(),
    }
}

fn facts(began: i64, role: &str, person: Option<&str>) -> Facts {
    let mut facts = Facts { last: Some(Time::from_timestamp(BEGAN + began + 60)), ..Facts::default() };
    facts.accounts.insert("111122223333".into());
    facts.identities.insert(if role == "root" {
        role.into()
    } else {
        format!("arn:aws:iam::111122223333:role/{role}")
    });
    facts.started.insert(Time::from_timestamp(BEGAN + began));
    facts.people.extend(person.map(|person| (KnownBy::SessionName, person.to_owned())));
    facts
}

/// How often grants are looked at for `n` sessions among `n` grants.
fn looks(n: i64, grants: impl Fn(i64) -> Grant, of: impl Fn(i64) -> Facts) -> u64 {
    let policy = Policy::parse("p", POLICY).unwrap();
    let grants = Arc::new(Grants::new((0..n).map(grants), &policy.cases));
    LOOKS.set(0);
    for number in 0..n {
        let session = Session::among("glass-1", of(number), &grants, &policy);
        assert!(session.end().is_some() && !session.notes().is_empty());
        session.violations();
    }
    LOOKS.get()
}

#[test]
fn twice_the_grants_and_sessions_are_no_more_than_twice_the_work() {
    type Of<T> = fn(i64) -> T;
    let cases: [(&str, Of<Grant>, Of<Facts>); 5] = [
        (
            "each person's own",
            |n| grant(n, 3600, "x", &format!("alice{n}"), "bob"),
            |n| facts(n, "x", Some(&format!("alice{n}"))),
        ),
        ("nobody's", |n| grant(n, 3600, "x", &format!("alice{n}"), "bob"), |n| facts(n, "x", None)),
        ("one person's", |n| grant(n, 3600, "x", "alice", "bob"), |n| facts(n, "x", Some("alice"))),
        ("root's", |n| grant(n, 3600, "root", &format!("alice{n}"), "bob"), |n| facts(n, "root", None)),
        (
            "approved by themselves",
            |n| grant(n, 3600, "x", "alice", "Alice"),
            |n| facts(n, "x", Some("alice")),
        ),
    ];
    for (name, grants, of) in cases {
        let (once, twice) = (looks(300, grants, of), looks(600, grants, of));
        assert!(once > 300, "{name}: nothing was looked at");
        assert!(twice * 10 < once * 25, "{name}: {once} looks, of twice as many {twice}");
    }
}

/// The verdict by going through all grants.
fn plainly(session: &Session<'_>, grants: &[Grant], policy: &Policy) -> Approval {
    let (mut approved, mut own) = (None::<&Grant>, None::<&Grant>);
    let mut nearest: Option<(usize, &Grant, String)> = None;
    for grant in grants {
        let mut why = session.uncovered(grant);
        let is_own = why.is_empty() && session.is_self_approved(grant);
        if !is_own && !grant.is_by_approver(&policy.cases) {
            why.push(format!("{} isn't one of the `approvers` of [cases]", grant.approver));
        }
        if why.is_empty() {
            let kind = if is_own { &mut own } else { &mut approved };
            *kind = (*kind).into_iter().chain([grant]).max_by_key(|it| it.until);
        } else if nearest.as_ref().is_none_or(|(count, ..)| why.len() < *count) && why.len() < 3 {
            nearest = Some((why.len(), grant, why.join("; ")));
        }
    }
    match (approved.cloned(), own.cloned()) {
        (Some(grant), _) => Approval::Approved { grant },
        (None, Some(grant)) => Approval::SelfApproved { grant },
        _ => Approval::Missing { nearest: nearest.map(|(_, grant, why)| (grant.clone(), why)) },
    }
}

/// Until when a grant holds, by going through all grants until nothing changes.
fn plainly_extended(session: &Session<'_>, grant: &Grant, grants: &[Grant], policy: &Policy) -> Time {
    let mut until = grant.until;
    loop {
        let follows = grants.iter().filter(|next| {
            next.from <= until
                && next.issued <= until
                && next.role == grant.role
                && next.account == grant.account
                && is_same(&next.requester, &grant.requester)
                && next.is_by_approver(&policy.cases)
                && !session.is_self_approved(next)
        });
        let latest = follows.map(|next| next.until).max().unwrap_or(until);
        if latest <= until {
            return until;
        }
        until = latest;
    }
}

const NAMES: [&str; 7] = [
    "alice",
    " Alice",
    "arn:aws:iam::111122223333:user/ops/alice",
    "arn:aws:iam::999999999999:user/alice",
    "carol",
    "a\u{2d}lice",
    "\u{212a}arl",
];

#[test]
fn a_name_is_found_where_it_is_the_same_and_nowhere_else() {
    for requester in NAMES {
        for person in NAMES {
            let found = asked(person).iter().any(|name| filed(requester).contains(name));
            assert_eq!(found, is_same(person, requester), "{person} {requester}");
        }
    }
    assert!(asked(" ").is_empty());
}

proptest! {
    #[test]
    fn what_is_found_is_what_going_through_all_finds(
        chosen in prop::collection::vec((0i64..4000, 1i64..4000, 0usize..4, 0usize..7, 0usize..4, -1500i64..1500), 0..16),
        began in 0i64..4000,
        role in 0usize..2,
        person in prop::option::of(0usize..7),
    ) {
        let policy = Policy::parse("p", POLICY).unwrap();
        let mut grants: Vec<Grant> = chosen
            .iter()
            .map(|(from, seconds, role, requester, approver, late)| {
                let role = ["x", "arn:aws:iam::111122223333:role/x", "root", "y"][*role];
                let approver = ["bob", "carol", "alice", "mallory"][*approver];
                let grant = grant(*from, *seconds, role, NAMES[*requester], approver);
                Grant { issued: Time::from_timestamp(grant.from.timestamp() + late), ..grant }
            })
            .collect();
        grants.sort();
        grants.dedup();
        let facts = facts(began, ["x", "root"][role], person.map(|person| NAMES[person].trim()));
        let session = Session::new("glass-1", facts, grants.clone(), &policy);
        let found = session.approval();
        prop_assert_eq!(&found, &plainly(&session, &grants, &policy));
        if let Approval::Approved { grant } = &found {
            prop_assert_eq!(session.extended(grant), plainly_extended(&session, grant, &grants, &policy));
        }
    }
}

#[test]
fn root_is_anybody_a_grant_is_for_and_a_role_is_nobody_without_proof() {
    let policy = Policy::parse("p", POLICY).unwrap();
    let of = |role: &str, person| {
        let grants = vec![grant(0, 3600, role, "alice", "bob")];
        Session::new("glass-1", facts(10, role, person), grants, &policy).approval()
    };
    assert!(matches!(of("root", None), Approval::Approved { .. }));
    let Approval::Missing { nearest: Some((_, why)) } = of("x", None) else { panic!("covered") };
    assert_eq!(why, "nothing proves that it is alice");
    // Somebody who is known is not anybody, root or not.
    let Approval::Missing { nearest: Some((_, why)) } = of("root", Some("dave")) else { panic!("covered") };
    assert_eq!(why, "nothing proves that it is alice");
}

#[test]
fn a_grant_covers_its_first_second_and_not_the_one_behind_its_last() {
    let policy = Policy::parse("p", POLICY).unwrap();
    let of = |began, person| {
        let grants = vec![grant(0, 3600, "x", "alice", "bob")];
        Session::new("glass-1", facts(began, "x", Some(person)), grants, &policy).approval()
    };
    for (began, also) in [
        (-1, Some("; it is valid from 2026-03-14T02:00:00Z")),
        (0, None),
        (3599, None),
        (3600, Some("; it was valid until 2026-03-14T03:00:00Z")),
    ] {
        let Approval::Missing { nearest: Some((_, why)) } = of(began, "dave") else { panic!("covered") };
        assert_eq!(why, format!("it is for alice{}", also.unwrap_or_default()), "{began}");
        assert_eq!(matches!(of(began, "alice"), Approval::Approved { .. }), also.is_none(), "{began}");
        let own = vec![grant(0, 3600, "x", "alice", "alice")];
        let own = Session::new("glass-1", facts(began, "x", Some("alice")), own, &policy).approval();
        assert_eq!(matches!(own, Approval::SelfApproved { .. }), also.is_none(), "{began}");
    }
}

#[test]
fn a_grant_may_come_as_late_as_the_policys_patience() {
    let policy = Policy::parse("p", POLICY).unwrap();
    let of = |late, person| {
        let given =
            Grant { issued: Time::from_timestamp(BEGAN + 60 + late), ..grant(0, 3600, "x", "alice", "bob") };
        Session::new("glass-1", facts(60, "x", Some(person)), vec![given], &policy).approval()
    };
    for (late, also) in
        [(600, None), (601, Some("; it was given at 2026-03-14T02:11:01Z, after the session's start"))]
    {
        let Approval::Missing { nearest: Some((_, why)) } = of(late, "dave") else { panic!("covered") };
        assert_eq!(why, format!("it is for alice{}", also.unwrap_or_default()), "{late}");
        assert_eq!(matches!(of(late, "alice"), Approval::Approved { .. }), also.is_none(), "{late}");
    }
}
