use super::*;
use crate::Trace;
use crate::call::Call;
use crate::code::samples;
use crate::links::KEPT;
use crate::{Finding, Policy, Severity};
use handsoff_cloudtrail::{Entry, Record};

const ACCOUNT: &str = "111122223333";

/// A call by `role:NAME` or `user:NAME`, or `user:NAME:KEY`, in the minute of a day.
struct Step<'s>(i64, &'s str, &'s str, &'s str);

fn record(Step(minute, who, action, rest): &Step<'_>) -> String {
    let mut parts = who.split(':');
    let (kind, name, key) = (parts.next().unwrap(), parts.next().unwrap(), parts.next());
    let (service, operation) = action.split_once(':').unwrap();
    let time = Time::from_timestamp(1_770_000_000 + minute * 60);
    let identity = match kind {
        "role" => format!(
            r#""type":"AssumedRole","arn":"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/i-0dead0dead0dead00","accountId":"{ACCOUNT}",
            "accessKeyId":"ASIA","sessionContext":{{"sessionIssuer":{{"type":"Role","arn":"arn:aws:iam::{ACCOUNT}:role/{name}","userName":"{name}"}}}}"#
        ),
        _ => format!(
            r#""type":"IAMUser","arn":"arn:aws:iam::{ACCOUNT}:user/{name}","accountId":"{ACCOUNT}","userName":"{name}","accessKeyId":"{}""#,
            key.unwrap_or("AKIAOLD")
        ),
    };
    let rest = if rest.is_empty() { String::new() } else { format!(",{rest}") };
    format!(
        r#"{{"eventID":"{minute}-{action}","eventTime":"{time}","eventSource":"{service}.amazonaws.com","eventName":"{operation}",
        "recipientAccountId":"{ACCOUNT}","awsRegion":"eu-central-1","userIdentity":{{{identity}}}{rest}}}"#
    )
}

fn finding(step: &Step<'_>) -> Finding {
    let json = record(step);
    let (Entry::Record(record), _) = Record::read(&json).unwrap() else { panic!("a record") };
    let denied = !record.error_code.is_absent();
    let call = Call::classify(record, &Policy::built_in(), &mut Trace::off());
    let code = if denied { samples::PROBING } else { samples::CHANGE };
    Finding::new(&call, code, Severity::High, "r".into())
}

fn incidents(steps: &[Step<'_>]) -> BTreeMap<String, Incident> {
    let mut incidents: BTreeMap<String, Incident> = BTreeMap::new();
    for finding in steps.iter().map(finding) {
        let id = finding.incident.clone();
        incidents.entry(id.clone()).or_insert_with(|| Incident::new(id)).add(finding);
    }
    incidents
}

/// The story of the incident that a step belongs to, as it was known in a minute.
fn story(steps: &[Step<'_>], of: usize, minute: i64) -> (Vec<String>, String) {
    let incidents = incidents(steps);
    let incident = &incidents[&finding(&steps[of]).incident];
    let Story { notes, thread } = Index::of(incidents.values()).story(
        incident,
        incident.lead().unwrap(),
        Some(Time::from_timestamp(1_770_000_000 + minute * 60)),
    );
    (notes.into_iter().map(|note| note.text).collect(), thread)
}

const DENIED: &str = r#""errorCode":"AccessDenied""#;
const USER: &str = r#""requestParameters":{"userName":"svc-backup"}"#;
const KEY: &str = r#""requestParameters":{"userName":"svc-backup"},"responseElements":{"accessKey":{"userName":"svc-backup","accessKeyId":"AKIANEW"}}"#;

/// An instance's role tries, makes a user with a key, and acts as that user.
const STEPS: [Step<'_>; 6] = [
    Step(0, "role:app-orders", "iam:ListUsers", DENIED),
    Step(1, "role:app-orders", "s3:ListBuckets", DENIED),
    Step(4, "role:app-orders", "iam:CreateUser", USER),
    Step(5, "role:app-orders", "iam:CreateAccessKey", KEY),
    Step(9, "user:svc-backup:AKIANEW", "ec2:RunInstances", ""),
    Step(10, "user:svc-backup:AKIANEW", "ec2:RunInstances", DENIED),
];

#[test]
fn what_an_identity_does_that_was_made_is_tied_to_its_maker() {
    let (lines, thread) = story(&STEPS, 4, 9);
    assert_eq!(lines.len(), 1, "{lines:?}");
    let expected = "an access key of user svc-backup was created at 2026-02-02T02:45:00Z, 4 min before, by app-orders/i-0dead";
    assert!(lines[0].starts_with(expected), "{lines:?}");
    assert!(lines[0].contains(", who was denied 2 actions (deny-"), "{lines:?}");
    assert!(!lines[0].contains("AKIA"), "{lines:?}");
    for of in 0..STEPS.len() {
        assert_eq!(story(&STEPS, of, 20).1, thread, "one thread a story: {of}");
    }
    assert!(thread.starts_with("story-"));
}

#[test]
fn whichever_record_comes_first_the_later_message_says_it() {
    let maker = |minute| story(&STEPS, 2, minute).0;
    let used = finding(&STEPS[4]).incident;
    assert_eq!(maker(5).len(), 1, "what it was denied: {:?}", maker(5));
    let said = maker(9).join("\n");
    assert!(said.contains(&format!("user svc-backup, created here, is used in {used}")), "{said}");
}

#[test]
fn a_key_ties_what_is_done_with_it_and_not_what_its_user_does() {
    let steps = [
        Step(5, "role:app-orders", "iam:CreateAccessKey", KEY),
        Step(9, "user:svc-backup:AKIAOLD", "ec2:RunInstances", ""),
    ];
    assert_eq!(story(&steps, 1, 9).0, Vec::<String>::new());
    let steps = [steps[0].again(), Step(9, "user:svc-backup:AKIANEW", "ec2:RunInstances", "")];
    assert_eq!(story(&steps, 1, 9).0.len(), 1);
}

#[test]
fn the_last_who_made_it_before_it_acted_is_its_maker() {
    let steps = [
        Step(1, "role:first", "iam:CreateUser", USER),
        Step(5, "role:second", "iam:CreateUser", USER),
        Step(9, "user:svc-backup", "ec2:RunInstances", ""),
        Step(20, "role:third", "iam:CreateUser", USER),
    ];
    let (lines, _) = story(&steps, 2, 30);
    assert!(lines.len() == 1 && lines[0].contains("by second/"), "{lines:?}");
}

#[test]
fn what_was_refused_ties_nothing() {
    let refused = format!("{USER},{DENIED}");
    let steps = [
        Step(4, "role:app-orders", "iam:CreateUser", &refused),
        Step(9, "user:svc-backup", "ec2:RunInstances", ""),
    ];
    assert_eq!(story(&steps, 1, 9).0, Vec::<String>::new());
}

#[test]
fn makers_are_followed_back_and_a_ring_of_them_ends() {
    let made = |name: &str| format!(r#""requestParameters":{{"userName":"{name}"}}"#);
    let (b, c, a) = (made("b"), made("c"), made("a"));
    let chain = [
        Step(1, "user:a", "iam:CreateUser", &b),
        Step(2, "user:b", "iam:CreateUser", &c),
        Step(3, "user:c", "ec2:RunInstances", ""),
        Step(0, "user:c", "iam:CreateUser", &a),
    ];
    let (lines, thread) = story(&chain[..3], 2, 9);
    assert!(lines.len() == 2 && lines[1].contains("by a ("), "{lines:?}");
    assert_eq!(thread, crate::thread::thread((&finding(&chain[0])).into()));
    let (lines, _) = story(&chain, 2, 9);
    assert_eq!(lines.iter().filter(|line| line.contains("was created")).count(), 2, "{lines:?}");
}

#[test]
fn an_access_key_is_tied_by_a_digest() {
    let ties = serde_json::to_string(&finding(&STEPS[4]).ties).unwrap();
    assert!(!ties.contains("AKIANEW") && ties.contains("svc-backup"), "{ties}");
}

#[test]
fn a_flood_of_new_identities_stays_bounded_and_in_no_order() {
    let names: Vec<String> =
        (0..200).map(|n| format!(r#""requestParameters":{{"userName":"u{n:03}"}}"#)).collect();
    let steps: Vec<Step<'_>> =
        names.iter().zip(0..).map(|(name, n)| Step(n, "role:app", "iam:CreateUser", name)).collect();
    let mut links = [Links::default(), Links::default()];
    for step in &steps {
        links[0].add((&finding(step)).into());
    }
    for step in steps.iter().rev() {
        links[1].add((&finding(step)).into());
    }
    assert_eq!(links[0], links[1]);
    assert_eq!(links[0].makes.len(), KEPT);
}

impl<'s> Step<'s> {
    fn again(&self) -> Step<'s> {
        Step(self.0, self.1, self.2, self.3)
    }
}
