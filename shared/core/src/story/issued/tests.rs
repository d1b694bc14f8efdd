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
    for (session, issued) in records.into_iter().flat_map(|json| Issued::by(&record(json))) {
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

/// What a record of another service says of an identity's change.
fn says(action: &str, by: &str, rest: &str, who: &str) -> String {
    let (service, name) = action.split_once(':').unwrap_or_default();
    let json = format!(
        r#"{{"eventSource":"{service}.amazonaws.com","eventName":"{name}","eventTime":"2026-02-02T02:41:00Z","recipientAccountId":"1",
        "userIdentity":{by},{rest}}}"#
    );
    origin(&[json], who, 3).unwrap_or_default()
}

#[test]
fn who_made_a_users_key_is_behind_what_is_done_with_it() {
    let made = r#""requestParameters":{"userName":"mallory"},"responseElements":{"accessKey":{"accessKeyId":"AKIAM","userName":"mallory"}}"#;
    let expected =
        "jon@example.com (permission set Dev) created an access key of user mallory at 2026-02-02T02:41:00Z";
    assert_eq!(says("iam:CreateAccessKey", JON, made, MALLORY), expected);
    for (other, why) in [
        (made.replace("AKIAM", "AKIAOTHER"), "another key of the user"),
        (made.replace("mallory", "eve"), "another user's"),
        (made.replace("responseElements", "requestElements"), "what a caller sends is no answer"),
        (format!(r#"{made},"errorCode":"AccessDenied""#), "it failed"),
    ] {
        assert_eq!(says("iam:CreateAccessKey", JON, &other, MALLORY), "", "{why}");
    }
    assert_eq!(says("transfer:CreateAccessKey", JON, made, MALLORY), "", "another service's call");
    // A chain goes on through the key.
    let admin = ("AdminRole", "x", "ASIAADMIN");
    let key = format!(
        r#"{{"eventSource":"iam.amazonaws.com","eventName":"CreateAccessKey","eventTime":"2026-02-02T02:40:30Z","recipientAccountId":"1","userIdentity":{JON},{made}}}"#
    );
    let text = origin(&[key, assumes(1, MALLORY, admin, "")], &role(admin.0, admin.1, admin.2), 3);
    let expected = "jon@example.com (permission set Dev) created an access key of user mallory, which assumed role AdminRole as x";
    assert!(text.as_deref().is_some_and(|text| text.starts_with(expected)), "{text:?}");
}

#[test]
fn who_set_a_users_password_is_behind_what_is_done_in_the_console() {
    let set = r#""requestParameters":{"userName":"mallory"},"responseElements":null"#;
    let console = MALLORY.replace(
        r#""accessKeyId":"AKIAM""#,
        r#""accessKeyId":"ASIAM","sessionContext":{"attributes":{"sessionCredentialFromConsole":"true"}}"#,
    );
    let expected = "jon@example.com (permission set Dev) set the password of user mallory";
    assert!(says("iam:CreateLoginProfile", JON, set, &console).starts_with(expected));
    let expected = "jon@example.com (permission set Dev) changed the login profile of user mallory";
    assert!(says("iam:UpdateLoginProfile", JON, set, &console).starts_with(expected));
    let by_login = console.replace("attributes", r#"signInSessionArn":"arn:x","attributes"#);
    assert!(says("iam:UpdateLoginProfile", JON, set, &by_login).starts_with(expected), "aws login");
    let temporary = MALLORY.replace("AKIAM", "ASIAM");
    for (who, why) in [(MALLORY, "a key needs no password"), (&temporary, "nothing shows the console")] {
        assert_eq!(says("iam:CreateLoginProfile", JON, set, who), "", "{why}");
    }
    assert_eq!(says("iam:CreateLoginProfile", JON, &set.replace("mallory", "eve"), &console), "");
}

#[test]
fn who_signed_in_for_the_command_line_is_known_by_the_sign_in() {
    const SIGN_IN: &str = "arn:aws:signin:us-east-1:1:session/0a1b";
    let (web, key) = (role("Admin", "x", "ASIAWEB"), |key| role("Admin", "x", key));
    let later = |arn: &str| {
        key("ASIACLI").replace(
            r#""accountId""#,
            &format!(r#""sessionContext":{{"signInSessionArn":"{arn}"}},"accountId""#),
        )
    };
    let grant = format!(
        r#""additionalEventData":{{"signInSessionArn":"{SIGN_IN}"}},"sourceIPAddress":"203.0.113.9""#
    );
    let text = says("signin:CreateOAuth2Token", &web, &grant, &later(SIGN_IN));
    let expected = "role Admin (session name x, chosen by the caller) signed in for the command line (aws login), from 203.0.113.9";
    assert!(text.starts_with(expected), "{text}");
    for (more, arn, why) in [
        ("", "arn:aws:signin:us-east-1:1:session/ffff", "another sign-in"),
        (r#","requestParameters":{"grantType":"refresh_token"}"#, SIGN_IN, "only renewed"),
        (r#","errorCode":"AccessDenied""#, SIGN_IN, "it failed"),
    ] {
        assert_eq!(
            says("signin:CreateOAuth2Token", &web, &format!("{grant}{more}"), &later(arn)),
            "",
            "{why}"
        );
    }
    // The browser's session, in which it was granted, was issued itself.
    let records = [
        assumes(0, MALLORY, ("Admin", "x", "ASIAWEB"), ""),
        format!(
            r#"{{"eventSource":"signin.amazonaws.com","eventName":"CreateOAuth2Token","eventTime":"2026-02-02T02:41:00Z","userIdentity":{web},{grant}}}"#
        ),
    ];
    let text = origin(&records, &later(SIGN_IN), 3).unwrap_or_default();
    assert!(text.starts_with("mallory (IAM user) assumed role Admin, which signed in for"), "{text}");
}

#[test]
fn who_switched_to_a_role_in_the_console_is_behind_its_session() {
    let switched = |from: &str| {
        let rest = format!(
            r#""additionalEventData":{{"SwitchFrom":"{from}"}},"responseElements":{{"SwitchRole":"Success"}}"#
        );
        let by = role("Admin", "x", "").replace(r#","accessKeyId":"""#, "");
        let session = |began: &str| {
            role("Admin", "x", "ASIA7").replace(
                r#""accountId""#,
                &format!(r#""sessionContext":{{"attributes":{{"creationDate":"{began}","sessionCredentialFromConsole":"true"}}}},"accountId""#),
            )
        };
        ["2026-02-02T02:41:00Z", "2026-02-02T02:42:00Z"]
            .map(|began| says("signin:SwitchRole", &by, &rest, &session(began)))
    };
    let [same, other] = switched("arn:aws:iam::2:user/mallory");
    assert_eq!(
        same,
        "mallory (IAM user) switched to role Admin of account 1 in the console as x at 2026-02-02T02:41:00Z"
    );
    assert!(other.starts_with("not known"), "a session that began at another second: {other}");
    assert!(switched("").iter().all(|text| text.starts_with("not known")), "nobody is named");
    let [by_jon, _] =
        switched("arn:aws:sts::2:assumed-role/AWSReservedSSO_Dev_0123456789abcdef/jon@example.com");
    assert!(by_jon.starts_with("jon@example.com (permission set Dev) switched to role Admin"), "{by_jon}");
}

#[test]
fn credentials_of_which_only_the_key_is_recorded_are_known_by_it() {
    let given =
        r#""responseElements":{"accessRequestStatus":"Approved","credentials":{"accessKeyId":"ASIAJIT"}}"#;
    let session = role("AWS-SSM-JIT", "oi-0a", "ASIAJIT");
    let expected = "mallory (IAM user) got credentials of an approved access request (Systems Manager)";
    assert!(says("ssm:GetAccessToken", MALLORY, given, &session).starts_with(expected));
    let other = role("AWS-SSM-JIT", "oi-0a", "ASIAOTHER");
    assert_eq!(says("ssm:GetAccessToken", MALLORY, given, &other), "");
    assert_eq!(says("ssm:GetAccessToken", MALLORY, r#""responseElements":null"#, &session), "", "hidden");
}

#[test]
fn a_person_gets_a_role_through_account_access_manager() {
    let service = |name: &str| format!(r#"{{"type":"AWSService","invokedBy":"{name}.amazonaws.com"}}"#);
    let session = role("r", "n", "ASIAN");
    let rest = r#""responseElements":{"credentials":{"accessKeyId":"ASIAN"},"assumedRoleUser":{"arn":"arn:aws:sts::1:assumed-role/r/n"}}"#;
    let text = says("sts:AssumeRole", &service("account-access"), rest, &session);
    assert!(text.starts_with("a person through account-access.amazonaws.com assumed role r"), "{text}");
    assert_eq!(says("sts:AssumeRole", &service("lambda"), rest, &session), "");
}

/// An agent's tool call that made requests.
fn tool_call(by: &str, requests: &[&str], more: &str) -> String {
    let made: Vec<String> = requests
        .iter()
        .map(|id| format!(r#"{{"apiName":"iam:X","requestId":"{id}","awsRegion":"x"}}"#))
        .collect();
    format!(
        r#"{{"eventType":"AwsMcpEvent","eventSource":"aws-mcp.amazonaws.com","eventName":"CallReadWriteTool","eventTime":"2026-02-02T02:41:00Z",
        "sourceIPAddress":"{IP}","userAgent":"claude-code/2.1 (cli)","userIdentity":{by},"requestParameters":{{"params":{{"name":"aws___call_aws"}}}}{more},
        "additionalEventData":{{"downstreamRequests":[{}]}}}}"#,
        made.join(",")
    )
}

/// What is said of the agent's tool behind a request.
fn tool(records: &[String], who: &str, request: &str, from: &str) -> Option<String> {
    let json = format!(
        r#"{{"eventSource":"iam.amazonaws.com","eventName":"PutRolePolicy","recipientAccountId":"1","requestID":"{request}","sourceIPAddress":"{from}","userAgent":"aws-mcp.amazonaws.com","userIdentity":{who}}}"#
    );
    let call = Call::classify(record(&json), &Policy::built_in(), &mut Trace::off());
    let origins = known(records);
    Index::default().with(&origins).tool(&crate::ties::Ties::of(&call)).map(|note| note.text)
}

#[test]
fn a_tool_call_gives_a_request_its_address_and_agent_back() {
    const MCP: &str = "aws-mcp.amazonaws.com";
    let through = |who: &str| who.replace(r#""accountId""#, &format!(r#""invokedBy":"{MCP}","accountId""#));
    let records = [tool_call(JON, &["r-1", "r-2"], "")];
    let expected = "jon@example.com (permission set Dev) through claude-code/2.1 (cli) (as it says), tool aws___call_aws, \
                    from 203.0.113.5 at 2026-02-02T02:41:00Z";
    for request in ["r-1", "r-2"] {
        assert_eq!(tool(&records, &through(JON), request, MCP).as_deref(), Some(expected));
    }
    for (who, request, from, why) in [
        (through(JON), "r-3", MCP, "another request"),
        (through(MALLORY), "r-1", MCP, "somebody else's"),
        (JON.to_owned(), "r-1", MCP, "not through the server"),
        (through(JON), "r-1", IP, "the address is the caller's own"),
    ] {
        assert_eq!(tool(&records, &who, request, from), None, "{why}");
    }
    let other = records[0].replace("AwsMcpEvent", "AwsApiCall");
    assert_eq!(tool(&[other], &through(JON), "r-1", MCP), None, "no tool call");
    let failed = tool_call(JON, &["r-1"], r#","errorCode":"ToolError""#);
    assert!(tool(&[failed], &through(JON), "r-1", MCP).is_some(), "what it made before it failed is made");
    let many: Vec<String> = (0..10_000).map(|n| format!("r-{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(Issued::by(&record(&tool_call(JON, &many, ""))).len(), REQUESTS);
    let hostile = records[0].replace("claude-code", "x\\u001b[2J\\nnext     ok\\u202e");
    let text = tool(&[hostile], &through(JON), "r-1", MCP).unwrap_or_default();
    assert!(!text.contains(char::is_control) && !text.contains('\u{202e}'), "{text}");
}

#[test]
fn a_role_that_is_acquired_is_made_like_any() {
    let made = |name: &str, asked: &str| {
        let json = format!(
            r#"{{"eventSource":"iam.amazonaws.com","eventName":"{name}","recipientAccountId":"1","userIdentity":{MALLORY},"requestParameters":{{{asked}}}}}"#
        );
        crate::ties::Ties::of(&Call::classify(record(&json), &Policy::built_in(), &mut Trace::off())).makes
    };
    let acquired = made("AcquireRole", r#""roleName":"hidden""#);
    assert!(acquired.is_some());
    assert_eq!(acquired, made("CreateRole", r#""roleName":"hidden""#));
    assert_eq!(made("AcquireRole", ""), None);
}
