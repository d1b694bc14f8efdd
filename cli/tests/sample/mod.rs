//! Cases for tests, for the examples of `docs/cases.md`, and for looking at: nobody's, and always the same.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use handsoff_case::facts::{Facts, KnownBy, Taken};
use handsoff_case::manifest::Lookup;
use handsoff_case::observation::{Did, Ended};
use handsoff_case::seal::folder;
use handsoff_case::{Grant, Observation, Seen, Session, seal};
use handsoff_cloudtrail::Time;
use handsoff_core::{Policy, Severity};

const POLICY: &str = r#"
[[break_glass]]
identity = "permission-set/EmergencyAdmin"
max_session = "1h"
roster = ["alice@example.com", "bob@example.com"]
ticket = "INC-[0-9]+"
approval = true
drill = "DRILL-[0-9]+"
"#;

const ACCOUNT: &str = "111122223333";
const ROLE: &str = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_EmergencyAdmin_0123456789abcdef";

/// What an attacker may have named things, one for each place that shows it.
pub(crate) const HOSTILE: [&str; 9] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(2)>",
    "'--></style><script>alert(3)</script>",
    "=HYPERLINK(\"http://example.com\",\"x\")",
    "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m",
    "\u{202e}gnp.exe\u{2066}",
    "</title><svg onload=alert(4)>",
    "{{7*7}} ${7*7} &lt;b&gt; javascript:alert(5)",
    "e\u{301}\u{301}\u{301}\u{301} \u{5d0}\u{5d1}\u{5d2} 日本",
];

/// When the samples began: 2026-03-14 02:00:00.
pub(crate) const BEGAN: i64 = 1_773_453_600;

/// A call, `at` seconds after the beginning.
pub(crate) fn call(at: i64, n: u64, action: &str, how: (Did, Ended), resources: &[&str]) -> Observation {
    let (did, ended) = how;
    let denied = ended == Ended::Denied;
    let severity = if did == Did::Write && !denied { Severity::Medium } else { Severity::Info };
    Observation {
        time: Some(Time::from_timestamp(BEGAN + at)),
        key: format!("{n:016x}"),
        event_id: format!("{:08x}-5f0c-4d2e-9a4b-{n:012x}", n.wrapping_mul(2_654_435_761) & 0xffff_ffff),
        account: ACCOUNT.into(),
        region: "eu-central-1".into(),
        action: action.into(),
        access: if did == Did::Write { "write" } else { "read" }.into(),
        did,
        ended,
        error: denied.then(|| "AccessDenied".into()),
        by: "alice@example.com (EmergencyAdmin)".into(),
        access_key: Some("…MPLE".into()),
        chained: false,
        interactive: false,
        via: "cli".into(),
        agent: None,
        source_ip: "198.51.100.7".into(),
        user_agent: "aws-cli/2.27.1 md/awscrt#0.26.1 ua/2.1 os/linux".into(),
        resources: resources.iter().map(|it| (*it).to_owned()).collect(),
        made: Vec::new(),
        code: handsoff_case::codes::GLASS_ACTIVITY,
        severity,
        reason: "A call by an emergency identity.".into(),
        seen: [Seen::EventBridge, Seen::LookupEvents].into(),
    }
}

fn facts(person: &str, session: &str, taken: &[(i64, &str)], last: i64) -> Facts {
    Facts {
        accounts: [ACCOUNT.to_owned()].into(),
        identities: [ROLE.to_owned()].into(),
        lines: ["handsoff.toml:2 [[break_glass]]".to_owned()].into(),
        session_names: [session.to_owned()].into(),
        people: [(KnownBy::IdentityCenter, person.to_owned())].into(),
        started: [Time::from_timestamp(BEGAN)].into(),
        keys: ["ASIAEXAMPLE".to_owned()].into(),
        taken: taken
            .iter()
            .map(|(at, role)| Taken {
                at: Some(Time::from_timestamp(BEGAN + at)),
                role: (*role).to_owned(),
                key: "ASIAOTHER".into(),
            })
            .collect(),
        first: Some(Time::from_timestamp(BEGAN)),
        last: Some(Time::from_timestamp(BEGAN + last)),
        ..Facts::default()
    }
}

fn grant(requester: &str, approver: &str, ticket: &str) -> Grant {
    Grant {
        issued: Time::from_timestamp(BEGAN - 300),
        from: Time::from_timestamp(BEGAN - 300),
        until: Time::from_timestamp(BEGAN + 7200),
        ticket: ticket.into(),
        requester: requester.into(),
        approver: approver.into(),
        role: "permission-set/EmergencyAdmin".into(),
        account: ACCOUNT.into(),
        sent_from: ACCOUNT.into(),
    }
}

/// A night's work: a database that doesn't answer, and more touched than the ticket asks for.
pub(crate) fn normal() -> Vec<Observation> {
    use Did::{Read, SignIn, Write};
    use Ended::{Denied, Failed, Succeeded};
    let mut calls: Vec<Observation> = Vec::new();
    let mut n = 0;
    let mut add = |at: i64, action: &str, did, ended, resources: &[&str]| {
        n += 1;
        calls.push(call(at, n, action, (did, ended), resources));
    };
    let (database, host) = ("arn:aws:rds:eu-central-1:111122223333:db:orders-primary", "i-0a1b2c3d4e5f60718");
    add(0, "sso:Federate", SignIn, Succeeded, &["EmergencyAdmin"]);
    add(4, "sts:GetCallerIdentity", Read, Succeeded, &[]);
    for index in 0..24 {
        add(30 + index * 9, "rds:DescribeDBInstances", Read, Succeeded, &[]);
    }
    for index in 0..9 {
        add(
            260 + index * 21,
            "logs:FilterLogEvents",
            Read,
            Succeeded,
            &["/aws/rds/instance/orders-primary/error"],
        );
    }
    for index in 0..6 {
        add(
            480 + index * 4,
            "kms:Decrypt",
            Read,
            Denied,
            &["arn:aws:kms:eu-central-1:111122223333:key/8a1c"],
        );
    }
    add(600, "rds:ModifyDBInstance", Write, Succeeded, &[database]);
    add(655, "rds:RebootDBInstance", Write, Failed, &[database]);
    add(700, "rds:RebootDBInstance", Write, Succeeded, &[database]);
    for index in 0..40 {
        add(720 + index * 15, "rds:DescribeDBInstances", Read, Succeeded, &[database]);
    }
    add(1400, "ssm:StartSession", Write, Succeeded, &[host]);
    add(1900, "ec2:CreateSecurityGroup", Write, Succeeded, &["debug-orders"]);
    add(1931, "ec2:AuthorizeSecurityGroupIngress", Write, Succeeded, &["sg-0c41d97f2ab683e55"]);
    add(2300, "iam:CreateAccessKey", Write, Succeeded, &["svc-orders"]);
    add(2420, "sts:AssumeRole", Read, Succeeded, &["arn:aws:iam::111122223333:role/ops/data-repair"]);
    for index in 0..14 {
        add(2450 + index * 31, "dynamodb:UpdateItem", Write, Succeeded, &["orders-outbox"]);
    }
    add(3100, "ec2:RevokeSecurityGroupIngress", Write, Succeeded, &["sg-0c41d97f2ab683e55"]);
    for index in 0..3 {
        add(3200 + index * 60, "s3:GetObject", Read, Denied, &["arn:aws:s3:::finance-exports/2026/03.csv"]);
    }
    add(4310, "rds:DescribeEvents", Read, Succeeded, &[database]);
    for one in &mut calls {
        match one.action.as_str() {
            "ssm:StartSession" => {
                one.interactive = true;
                one.severity = Severity::High;
                one.reason = "It opens a shell on a machine.".into();
            }
            "iam:CreateAccessKey" => {
                one.code = handsoff_case::codes::GLASS_ESCALATION;
                one.severity = Severity::High;
                one.reason = "It makes an access key, which outlives the session.".into();
                one.made = vec!["AKIA…KEY7".into()];
            }
            "ec2:RevokeSecurityGroupIngress" => one.agent = Some("through AWS's MCP server".into()),
            "ec2:CreateSecurityGroup" => one.made = vec!["sg-0c41d97f2ab683e55".into()],
            "dynamodb:UpdateItem" => {
                one.chained = true;
                one.by = "data-repair/alice@example.com".into();
            }
            "rds:RebootDBInstance" if one.ended == Ended::Failed => {
                one.error = Some("InvalidDBInstanceState".into());
            }
            "rds:DescribeEvents" => {
                one.code = handsoff_case::codes::GLASS_OVERDUE;
                one.severity = Severity::High;
                one.reason = "11 minutes after the end of the window.".into();
                one.seen = [Seen::LookupEvents].into();
            }
            _ => {}
        }
    }
    calls
}

/// A case in which everything that somebody may choose is hostile.
pub(crate) fn hostile() -> Vec<Observation> {
    let mut calls = Vec::new();
    for (n, text) in (0..).zip(HOSTILE) {
        let mut one =
            call(n * 60, n.unsigned_abs() + 1, "s3:PutObject", (Did::Write, Ended::Succeeded), &[text]);
        one.user_agent = text.into();
        one.by = text.into();
        one.source_ip = text.into();
        one.error = Some(text.into());
        one.via = text.into();
        one.agent = Some(text.into());
        one.region = text.into();
        one.event_id = text.into();
        one.made = vec![text.into()];
        one.severity = Severity::High;
        one.reason = text.into();
        if n % 3 == 1 {
            one.action = format!("{text}:{text}");
            one.ended = Ended::Denied;
        }
        if n % 3 == 2 {
            one.action = format!("s3:{text}");
            one.interactive = true;
        }
        calls.push(one);
    }
    calls
}

/// Calls of a script that doesn't end: no two that follow each other are alike.
pub(crate) fn long(number: u64) -> Vec<Observation> {
    let kinds = [
        ("ec2:DescribeInstances", Did::Read, Ended::Succeeded),
        ("s3:PutObject", Did::Write, Ended::Succeeded),
        ("ec2:CreateTags", Did::Write, Ended::Succeeded),
        ("s3:GetObject", Did::Read, Ended::Denied),
        ("dynamodb:PutItem", Did::Write, Ended::Failed),
        ("ssm:GetParameter", Did::Read, Ended::Succeeded),
        ("lambda:UpdateFunctionCode", Did::Write, Ended::Succeeded),
    ];
    (0..number)
        .map(|n| {
            let (action, did, ended) = kinds[usize::try_from(n).unwrap() % kinds.len()];
            let resource = format!("arn:aws:s3:::bucket-{}/object-{n}", n % 37);
            let at = i64::try_from(n * 3600 / number.max(1)).unwrap();
            call(at, n + 1, action, (did, ended), &[&resource])
        })
        .collect()
}

/// Which of the samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// [`normal`].
    Normal,
    /// [`hostile`].
    Hostile,
    /// [`long`].
    Long(u64),
    /// A drill of one call, by the book.
    Drill,
}

/// Writes a case in a folder of its own below `dir`, and gives that.
pub(crate) fn write(dir: &Path, which: Which) -> PathBuf {
    let policy = Policy::parse("handsoff.toml", POLICY).unwrap();
    let alice = "alice@example.com";
    let (id, session, calls) = match which {
        Which::Normal => {
            let taken = [(2420, "arn:aws:iam::111122223333:role/ops/data-repair")];
            let facts = facts(alice, alice, &taken, 4310);
            let session = Session::new(
                "glass-5f0c1d2e3a4b6c7d8e9f0a1b",
                facts,
                vec![grant(alice, "bob@example.com", "INC-1042")],
                &policy,
            );
            ("glass-5f0c1d2e3a4b6c7d8e9f0a1b".to_owned(), session, normal())
        }
        Which::Hostile => {
            let [script, image, .., bidi, title, _, _] = HOSTILE;
            let mut facts = facts(image, script, &[(60, title)], 480);
            facts.source_identities = BTreeSet::from([bidi.to_owned()]);
            facts.taken_by = HOSTILE.iter().map(|it| (*it).to_owned()).collect();
            let grant = Grant { approver: title.into(), ..grant("somebody else", "x", script) };
            let session = Session::new("glass-bad000000000bad000000000", facts, vec![grant], &policy);
            ("glass-bad000000000bad000000000".to_owned(), session, hostile())
        }
        Which::Long(number) => {
            let facts = facts("mallory@example.com", "mallory@example.com", &[], 3600);
            let id = format!("glass-{number:024x}");
            let session = Session::new(&id, facts, Vec::new(), &policy);
            (id, session, long(number))
        }
        Which::Drill => {
            let facts = facts("bob@example.com", "bob@example.com", &[], 0);
            let grant = grant("bob@example.com", alice, "DRILL-7");
            let session = Session::new("glass-d0000000d111d0000000d111", facts, vec![grant], &policy);
            let calls = vec![call(0, 1, "sts:GetCallerIdentity", (Did::Read, Ended::Succeeded), &[])];
            ("glass-d0000000d111d0000000d111".to_owned(), session, calls)
        }
    };
    let lookup = Lookup {
        complete: true,
        asked: vec!["…MPLE".into(), "…THER".into()],
        regions: vec!["eu-central-1".into(), "us-east-1".into()],
        problem: None,
    };
    let (files, _) = seal(&session, calls, Some(lookup)).unwrap();
    let folder = dir.join(folder(&id));
    std::fs::create_dir_all(&folder).unwrap();
    for file in files {
        std::fs::write(folder.join(file.name), file.text).unwrap();
    }
    folder
}
