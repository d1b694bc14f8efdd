use handsoff_cloudtrail::Entry;

use super::*;
use crate::call::Call;
use crate::story::Index;
use crate::{Policy, Trace};

const IP: &str = "203.0.113.5";

/// A session's identity, as its calls have it.
fn role(role: &str, name: &str, key: &str) -> String {
    format!(
        r#"{{"type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/{role}/{name}","accountId":"1","accessKeyId":"{key}"}}"#
    )
}

const JON: &str = r#"{"type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/AWSReservedSSO_Dev_0123456789abcdef/jon@example.com","accountId":"1","accessKeyId":"ASIAJON"}"#;
const MALLORY: &str = r#"{"type":"IAMUser","arn":"arn:aws:iam::1:user/mallory","accountId":"1","userName":"mallory","accessKeyId":"AKIAM"}"#;

/// The record of a call that assumes a role, in the minute of a day, with the key that it issues.
fn assumes(minute: i64, by: &str, (role, name, key): (&str, &str, &str), more: &str) -> String {
    let time = Time::from_timestamp(1_770_000_000 + minute * 60);
    format!(
        r#"{{"eventSource":"sts.amazonaws.com","eventName":"AssumeRole","eventTime":"{time}","sourceIPAddress":"{IP}","userIdentity":{by},
        "requestParameters":{{"roleArn":"arn:aws:iam::1:role/{role}","roleSessionName":"{name}"{more}}},
        "responseElements":{{"credentials":{{"accessKeyId":"{key}"}},"assumedRoleUser":{{"arn":"arn:aws:sts::1:assumed-role/{role}/{name}"}}}}}}"#
    )
}

fn record(json: &str) -> Record<'_> {
    let Ok((Entry::Record(record), _)) = Record::read(json) else { panic!("no record: {json}") };
    record
}

fn known<'r>(records: impl IntoIterator<Item = &'r String>) -> Origins {
    let mut origins = Origins::default();
    for (session, issued) in records.into_iter().filter_map(|json| Issued::by(&record(json))) {
        origins.add(session, issued);
    }
    origins
}

/// What is said of the origin of a change in a minute.
fn origin(records: &[String], who: &str, minute: i64) -> Option<String> {
    let time = Time::from_timestamp(1_770_000_000 + minute * 60);
    let json = format!(
        r#"{{"eventSource":"iam.amazonaws.com","eventName":"PutRolePolicy","eventTime":"{time}","recipientAccountId":"1","userIdentity":{who}}}"#
    );
    let call = Call::classify(record(&json), &Policy::built_in(), &mut Trace::off());
    let origins = known(records);
    let note = Index::default().with(&origins).origin(&crate::ties::Ties::of(&call), call.time);
    note.map(|note| note.text)
}

#[test]
fn a_chain_leads_back_to_the_person() {
    let ops = role("ops", "x", "ASIAOPS");
    let mfa = r#","serialNumber":"arn:aws:iam::1:mfa/jon""#;
    let records = [
        assumes(1, JON, ("ops", "x", "ASIAOPS"), ""),
        assumes(2, &ops, ("AdminRole", "alice@example.com", "ASIAADMIN"), mfa),
    ];
    let admin = role("AdminRole", "alice@example.com", "ASIAADMIN");
    let expected = "jon@example.com (permission set Dev) assumed role ops, which assumed role AdminRole with MFA device \
                    arn:aws:iam::1:mfa/jon as alice@example.com, from 203.0.113.5 at 2026-02-02T02:41:00Z";
    assert_eq!(origin(&records, &admin, 3).as_deref(), Some(expected));
    let expected = "role ops (session name x, chosen by the caller) assumed role AdminRole";
    assert!(origin(&records[1..], &admin, 3).is_some_and(|text| text.starts_with(expected)));
    assert_eq!(origin(&records, JON, 3), None, "its own record says who it is");
}

#[test]
fn a_name_that_alone_makes_a_person_is_said_to_be_chosen() {
    let alice = role("AdminRole", "alice@example.com", "ASIAADMIN");
    let text = origin(&[], &alice, 3).unwrap_or_default();
    assert_eq!(text, "not known: alice@example.com is only the session name, chosen by the caller");
    assert_eq!(
        origin(&[], &role("AdminRole", "terraform", "ASIAADMIN"), 3),
        None,
        "nobody is shown as a person"
    );
    assert_eq!(origin(&[], MALLORY, 3), None);
}

#[test]
fn a_ring_of_issuers_ends() {
    let (a, b) = (("a", "x", "ASIAA"), ("b", "x", "ASIAB"));
    let [as_a, as_b] = [a, b].map(|(name, session, key)| role(name, session, key));
    // All in one minute: time alone ends it otherwise.
    let records = [assumes(1, &as_b, a, ""), assumes(1, &as_a, b, "")];
    let text = origin(&records, &as_a, 1).unwrap_or_default();
    assert_eq!(text.matches("assumed role").count(), 2, "{text}");
    let itself = [assumes(1, &as_a, a, "")];
    let text = origin(&itself, &as_a, 1).unwrap_or_default();
    assert_eq!(text.matches("assumed role").count(), 1, "{text}");
}

#[test]
fn so_many_issuers_are_followed_and_no_more() {
    let names: Vec<(String, String)> = (0..20).map(|n| (format!("r{n}"), format!("ASIA{n}"))).collect();
    let of =
        |n: usize| names.get(n).map(|(name, key)| (name.as_str(), "x", key.as_str())).unwrap_or_default();
    let records: Vec<String> = (1..20)
        .map(|n| {
            let (name, session, key) = of(n - 1);
            assumes(1, &role(name, session, key), of(n), "")
        })
        .collect();
    let text = origin(&records, &role("r19", "x", "ASIA19"), 1).unwrap_or_default();
    assert_eq!(text.matches("assumed role").count(), HOPS, "{text}");
    assert!(text.starts_with("role r14 (session name x, chosen by the caller)"), "{text}");
}

#[test]
fn only_the_record_that_issued_the_very_session_before_names_its_origin() {
    let admin = ("AdminRole", "alice@example.com", "ASIAADMIN");
    let who = role(admin.0, admin.1, admin.2);
    let unknown = origin(&[], &who, 5);
    let plain = assumes(1, MALLORY, admin, "");
    assert!(
        origin(std::slice::from_ref(&plain), &who, 5)
            .is_some_and(|text| text.starts_with("mallory (IAM user)"))
    );
    for (forged, why) in [
        (assumes(9, MALLORY, admin, ""), "it came later"),
        (assumes(1, MALLORY, ("AdminRole", "bob", "ASIAADMIN"), ""), "another session's name"),
        (assumes(1, MALLORY, ("Other", admin.1, admin.2), ""), "another role's"),
        (assumes(1, MALLORY, (admin.0, admin.1, "ASIAOTHER"), ""), "another key"),
        (plain.replace(r#""accessKeyId":"ASIAADMIN""#, r#""accessKeyId":7"#), "no key"),
        (plain.replace(r#"{"accessKeyId":"ASIAADMIN"}"#, "null"), "no credentials"),
        (plain.replace("responseElements", "requestElements"), "what a caller sends is no answer"),
        (plain.replace("sts.amazonaws", "ec2.amazonaws"), "another service's call"),
        (plain.replace(r#""eventName""#, r#""errorCode":"AccessDenied","eventName""#), "it failed"),
        (plain.replace(r#""type":"IAMUser""#, r#""type":"AWSService""#), "a service's own"),
        (
            plain.replace(
                MALLORY,
                r#"{"type":"WebIdentityUser","identityProvider":"cognito-identity.amazonaws.com"}"#,
            ),
            "code",
        ),
    ] {
        assert_eq!(origin(&[forged], &who, 5), unknown, "{why}");
    }
    // Of a call into another account one of the two records names the caller.
    let other = plain.replace(MALLORY, r#"{"type":"AWSAccount","accountId":"2","principalId":"AIDAM"}"#);
    let text = origin(std::slice::from_ref(&other), &who, 5).unwrap_or_default();
    assert!(text.starts_with("an identity of account 2 assumed role AdminRole of account 1"), "{text}");
    assert_eq!(origin(&[other, plain.clone()], &who, 5), origin(&[plain], &who, 5));
}

#[test]
fn whatever_names_a_caller_chooses_a_note_is_one_harmless_line() {
    let hostile = "x\\u001b[2J\\nnext     ok\\u202e";
    let by = MALLORY.replace("mallory", hostile);
    let admin = ("AdminRole", hostile, "ASIAADMIN");
    let more = format!(r#","serialNumber":"{hostile}""#);
    let records = [assumes(1, &by, admin, &more).replace(IP, hostile)];
    let who = role("AdminRole", hostile, "ASIAADMIN");
    let text = origin(&records, &who, 3).unwrap_or_default();
    assert_eq!(text.matches("\\u{1b}[2J\\u{a}next").count(), 4, "{text}");
    assert!(!text.contains(char::is_control) && !text.contains('\u{202e}'), "{text}");
    let long = "x".repeat(100_000);
    let records = [assumes(1, &MALLORY.replace("mallory", &long), ("AdminRole", &long, "ASIAADMIN"), "")];
    let text = origin(&records, &role("AdminRole", &long, "ASIAADMIN"), 3).unwrap_or_default();
    assert!(text.contains("AdminRole as xxx") && text.len() < 1_000, "{}", text.len());
}

#[test]
fn each_way_to_a_session_says_whose_it_is() {
    let says = |name: &str, by: &str, rest: &str, who: &str| {
        let json = format!(
            r#"{{"eventSource":"sts.amazonaws.com","eventName":"{name}","userIdentity":{by},{rest}}}"#
        );
        origin(&[json], who, 3).unwrap_or_default()
    };
    let given =
        |what: &str| format!(r#""responseElements":{{"credentials":{{"accessKeyId":"ASIAN"}}{what}}}"#);
    let assumed = given(r#","assumedRoleUser":{"arn":"arn:aws:sts::1:assumed-role/r/n"}"#);
    let session = role("r", "n", "ASIAN");
    let saml = r#"{"type":"SAMLUser","userName":"eve@example.com","identityProvider":"abc="}"#;
    let provider = r#""requestParameters":{"principalArn":"arn:aws:iam::1:saml-provider/ADFS"},"#;
    let text = says("AssumeRoleWithSAML", saml, &format!("{provider}{assumed}"), &session);
    assert_eq!(text, "eve@example.com (SAML provider ADFS) assumed role r of account 1 as n");
    let web = r#"{"type":"WebIdentityUser","userName":"repo:org/x:ref:refs/heads/main","identityProvider":"arn:aws:iam::1:oidc-provider/token.actions.githubusercontent.com"}"#;
    let text = says("AssumeRoleWithWebIdentity", web, &assumed, &session);
    let expected =
        "repo:org/x:ref:refs/heads/main (web identity of token.actions.githubusercontent.com) assumed role r";
    assert!(text.starts_with(expected), "{text}");
    let with_key = MALLORY.replace("AKIAM", "ASIAN");
    let text = says("GetSessionToken", MALLORY, &given(""), &with_key);
    assert_eq!(text, "mallory (IAM user) requested a session token");
    let federated = r#"{"type":"FederatedUser","arn":"arn:aws:sts::1:federated-user/alice","accountId":"1","accessKeyId":"ASIAN"}"#;
    let answer = given(r#","federatedUser":{"arn":"arn:aws:sts::1:federated-user/alice"}"#);
    let text = says("GetFederationToken", MALLORY, &answer, federated);
    assert_eq!(text, "mallory (IAM user) requested a federation token as alice");
    let root = r#"{"type":"Root","arn":"arn:aws:iam::1:root","accountId":"1","accessKeyId":"ASIAN"}"#;
    let target = format!(r#""requestParameters":{{"targetPrincipal":"1"}},{}"#, given(""));
    assert_eq!(says("AssumeRoot", MALLORY, &target, root), "mallory (IAM user) assumed root");
}

proptest::proptest! {
    #[test]
    fn whichever_record_comes_first_the_origin_is_the_same(seed in proptest::prelude::any::<u64>()) {
        let mut records = vec![
            assumes(1, JON, ("ops", "x", "ASIAOPS"), ""),
            assumes(1, MALLORY, ("ops", "x", "ASIAOPS"), ""),
            assumes(2, &role("ops", "x", "ASIAOPS"), ("AdminRole", "alice@example.com", "ASIAADMIN"), ""),
            assumes(2, r#"{"type":"AWSAccount","accountId":"2"}"#, ("AdminRole", "alice@example.com", "ASIAADMIN"), ""),
            assumes(4, MALLORY, ("AdminRole", "alice@example.com", "ASIAADMIN"), ""),
        ];
        let who = role("AdminRole", "alice@example.com", "ASIAADMIN");
        let plain = (known(&records), origin(&records, &who, 3));
        let mut state = seed | 1;
        for index in (1..records.len()).rev() {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let other = usize::try_from(state >> 33).unwrap_or_default() % (index + 1);
            records.swap(index, other);
        }
        records.extend(records.clone());
        proptest::prop_assert_eq!((known(&records), origin(&records, &who, 3)), plain);
    }
}
