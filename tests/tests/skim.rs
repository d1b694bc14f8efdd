//! What is skimmed is what would be judged, on generated records: those of the benchmark, and each of them with fields
//! changed to what a record may hold, and to what it may not. A fresh checkout has no other records.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::format_push_string,
    reason = "a test may panic"
)]

use std::collections::BTreeMap;
use std::io::Write;

use handsoff::engine::{self, Verdict};
use handsoff_bench::plan::{self, Kind};
use handsoff_bench::record;
use handsoff_tests::busy_policy;
use handsoff_trail::{Entry, Record};
use handsoff_watch::origins::Origins;
use handsoff_watch::{Nothing, Policy, Skim};

/// How many records the benchmark's generator makes; each is tried as it is and changed, under each policy.
const RECORDS: u64 = 175_000;

const POLICY: &str = r#"
[[deploy]]
identity = "arn:aws:iam::*:role/deploy-pipeline"
session_names = ["GitHubActions-*"]
assumed_by = ["oidc:repo:acme/*:*"]
[[break_glass]]
identity = "arn:aws:iam::*:role/emergency"
[[break_glass]]
identity = "permission-set/Emergency"
[[workload]]
identity = "arn:aws:iam::*:role/*-function"
may_write = ["dynamodb:*", "s3:Put*"]
[[exception]]
identity = "arn:aws:iam::*:user/ana"
actions = ["ec2:*"]
owner = "o"
reason = "r"
until = 2099-01-01
"#;

/// Every field that a verdict may rest on, with values of every kind.
const FIELDS: [(&str, &[&str]); 22] = [
    (
        "errorCode",
        &["\"AccessDenied\"", "\"\"", "null", "{}", "\"Client.DryRunOperation\"", "\"NoSuchKey\"", "0"],
    ),
    (
        "errorMessage",
        &[
            "\"Failed authentication\"",
            "null",
            "\"User: arn:aws:iam::1:user/a is not authorized to perform: s3:X\"",
        ],
    ),
    ("readOnly", &["true", "false", "\"true\"", "\"False\"", "null", "1"]),
    (
        "eventSource",
        &[
            "\"signin.amazonaws.com\"",
            "\"signin.amazonaws.com.cn\"",
            "\"sts.amazonaws.com\"",
            "\"\"",
            "null",
            "\"ssm.amazonaws.com\"",
            "\"cloudtrail.amazonaws.com\"",
            "\"events.amazonaws.com\"",
            "{}",
            "\"lambda.amazonaws.com\"",
            "\"sso.amazonaws.com\"",
            "\"ec2\"",
            "\"EC2.amazonaws.com\"",
        ],
    ),
    (
        "eventName",
        &[
            "\"AssumeRole\"",
            "\"AssumeRoot\"",
            "\"AssumeRoleWithWebIdentity\"",
            "\"ConsoleLogin\"",
            "\"StopLogging\"",
            "\"StartSession\"",
            "\"SendCommand\"",
            "\"CheckMfa\"",
            "\"RenewRole\"",
            "\"DeleteRule\"",
            "\"GetObject\"",
            "\"DescribeInstances20161115\"",
            "\"UpdateFunctionCode20150331v2\"",
            "\"CreateTags\"",
            "\"\"",
            "null",
            "1",
            "\"SwitchRole\"",
            "\"GetFederationToken\"",
            "\"get\"",
            "\"Delete\"",
        ],
    ),
    (
        "eventType",
        &[
            "\"AwsApiCall\"",
            "\"AwsServiceEvent\"",
            "\"AwsConsoleSignIn\"",
            "\"AwsVpceEvents\"",
            "\"AwsMcpEvent\"",
            "null",
        ],
    ),
    ("eventCategory", &["\"Data\"", "\"Management\"", "\"NetworkActivity\"", "\"Insight\"", "null"]),
    ("eventVersion", &["\"1.11\"", "null"]),
    ("eventID", &["\"a\"", "\"\"", "null"]),
    ("eventTime", &["\"2026-03-14T10:00:00Z\"", "\"yesterday\"", "null"]),
    (
        "sourceIPAddress",
        &[
            "\"192.0.2.7\"",
            "\"198.51.100.7\"",
            "\"cloudformation.amazonaws.com\"",
            "\"AWS Internal\"",
            "null",
        ],
    ),
    ("userAgent", &["\"AWS Internal\"", "\"cloudformation.amazonaws.com\"", "\"Mozilla/5.0\"", "null"]),
    ("sessionCredentialFromConsole", &["\"true\"", "true", "\"false\"", "null"]),
    (
        "requestParameters",
        &[
            r#"{"roleArn":"arn:aws:iam::111122223333:role/emergency","roleSessionName":"x"}"#,
            r#"{"roleArn":"arn:aws:iam::111122223333:role/deploy-pipeline","roleSessionName":"x"}"#,
            r#"{"targetPrincipal":"111122223333"}"#,
            r#"{"functionName":"handsoff-drift"}"#,
            r#"{"name":"handsoff"}"#,
            "null",
            "\"x\"",
            "[]",
        ],
    ),
    ("responseElements", &[r#"{"ConsoleLogin":"Failure"}"#, r#"{"SwitchRole":"Failure"}"#, "null", "\"x\""]),
    ("additionalEventData", &[r#"{"MFAUsed":"No"}"#, r#"{"MFAUsed":"Yes"}"#, "null"]),
    (
        "resources",
        &[
            r#"[{"ARN":"arn:aws:iam::111122223333:role/emergency","accountId":"111122223333"}]"#,
            "null",
            "[{}]",
            "{}",
        ],
    ),
    ("recipientAccountId", &["\"111122223333\"", "\"999999999999\"", "null"]),
    ("awsRegion", &["\"cn-north-1\"", "\"us-gov-west-1\"", "\"eu-west-1\"", "null"]),
    ("vpcEndpointId", &["\"vpce-0a\"", "null"]),
    ("sharedEventID", &["\"s\"", "null"]),
    ("addendum", &[r#"{"reason":"UPDATED_DATA","originalEventID":"a"}"#, "null"]),
];

const TYPES: [&str; 12] = [
    "Root",
    "IAMUser",
    "AssumedRole",
    "Role",
    "FederatedUser",
    "AWSAccount",
    "AWSService",
    "SAMLUser",
    "WebIdentityUser",
    "IdentityCenterUser",
    "Unknown",
    "",
];

/// Roles and users: by name, and with the path of some.
const NAMES: [&str; 10] = [
    "role/deploy-pipeline",
    "role/emergency",
    "role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
    "role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Emergency_0123456789abcdef",
    "role/billing-function",
    "role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Developer_0123456789abcdef",
    "user/ana",
    "role/other",
    "root",
    "",
];

const SESSIONS: [&str; 6] =
    ["GitHubActions-1", "x", "i-0123456789abcdef0", "ana@example.com", "AWSCloudFormation", ""];

/// What else an identity may hold.
const MORE: [&str; 9] = [
    r#","invokedBy":"cloudformation.amazonaws.com""#,
    r#","invokedBy":"AWS Internal""#,
    r#","invokedBy":"signin.amazonaws.com""#,
    r#","invokedBy":"aws-mcp.amazonaws.com""#,
    r#","accessKeyId":"ASIAEXAMPLE000000001""#,
    r#","onBehalfOf":{"userId":"u","identityStoreArn":"arn:aws:identitystore::1:identitystore/d-1"}"#,
    r#","inScopeOf":{"issuerType":"AWS::Lambda::Function","credentialsIssuedTo":"arn:aws:lambda:eu-west-1:1:function:f"}"#,
    r#","principalId":"AROAEXAMPLE000000001:x""#,
    r#","userName":"ana""#,
];

const CONTEXT: [&str; 7] = [
    r#","attributes":{"creationDate":"2026-03-14T09:50:00Z","mfaAuthenticated":"true"}"#,
    r#","attributes":{"creationDate":"2026-03-14T09:50:00Z","mfaAuthenticated":"false"}"#,
    r#","ec2RoleDelivery":"2.0""#,
    r#","sourceIdentity":"ana""#,
    r#","sessionCredentialFromConsole":"true""#,
    r#","webIdFederationData":{"federatedProvider":"arn:aws:iam::1:oidc-provider/token.actions.githubusercontent.com","attributes":{}}"#,
    r#","assumedRoot":"true""#,
];

/// Numbers that are the same on every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap() % limit
    }

    fn one_of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }

    fn identity(&mut self) -> String {
        if self.below(20) == 0 {
            return self.one_of(&["null", "{}", "\"x\"", "[]"]).to_owned();
        }
        let (kind, name, session) = (self.one_of(&TYPES), self.one_of(&NAMES), self.one_of(&SESSIONS));
        let account = self.one_of(&["111122223333", "999999999999"]);
        let partition = self.one_of(&["aws", "aws", "aws-cn"]);
        let issuer = format!("arn:{partition}:iam::{account}:{name}");
        let arn = match name.rsplit('/').next() {
            Some(last) if name.starts_with("role/") && self.below(5) > 0 => {
                format!("arn:{partition}:sts::{account}:assumed-role/{last}/{session}")
            }
            _ => issuer.clone(),
        };
        let mut more: Vec<&str> = (0..self.below(3)).map(|_| self.one_of(&MORE)).collect();
        more.dedup();
        let context: Vec<&str> = (0..self.below(3)).map(|_| self.one_of(&CONTEXT)).collect();
        let context = match self.below(4) {
            0 => String::new(),
            _ => format!(
                r#","sessionContext":{{"sessionIssuer":{{"type":"Role","arn":"{issuer}","accountId":"{account}"}}{}}}"#,
                context.concat()
            ),
        };
        format!(r#"{{"type":"{kind}","arn":"{arn}","accountId":"{account}"{}{context}}}"#, more.concat())
    }

    /// The record with some fields written once more: the last counts.
    fn change(&mut self, record: &str) -> String {
        let mut changed = record.strip_suffix('}').unwrap().to_owned();
        for _ in 0..=self.below(3) {
            let (name, values) = FIELDS[self.below(FIELDS.len())];
            changed += &format!(r#","{name}":{}"#, self.one_of(values));
        }
        if self.below(2) == 0 {
            changed += &format!(r#","userIdentity":{}"#, self.identity());
        }
        changed + "}"
    }
}

/// Judges a record that was skimmed: it must lead to nothing, for the same reason.
fn compare(skim: &mut Skim<'_>, policy: &Policy, json: &str, seen: &mut BTreeMap<Option<Nothing>, u64>) {
    let Ok((Entry::Record(record), _)) = Record::read(json) else { panic!("no record: {json}") };
    let nothing = skim.nothing(&record);
    *seen.entry(nothing).or_default() += 1;
    if let Some(nothing) = nothing {
        match engine::judge(record, policy, &Origins::default(), &mut ()) {
            Verdict::Nothing(judged) => assert_eq!(judged, nothing, "{json}"),
            other => panic!("skimmed as {nothing}, but {other:?}: {json}"),
        }
    }
}

#[test]
fn what_is_skimmed_of_generated_records_is_what_would_be_judged() {
    let policies = [Policy::built_in(), Policy::parse("p", POLICY).unwrap(), busy_policy()];
    let mut skims: Vec<Skim<'_>> = policies.iter().map(Skim::new).collect();
    let mut seen: Vec<BTreeMap<Option<Nothing>, u64>> = vec![BTreeMap::new(); policies.len()];
    let mut dice = Dice(1);
    let mut json = String::new();
    for plan in plan::files(RECORDS, 1) {
        for slot in plan.slots().into_iter().filter(|slot| slot.kind != Kind::Repeat) {
            json.clear();
            record::write(&plan, slot, &mut json);
            let changed = dice.change(&json);
            for ((policy, skim), seen) in policies.iter().zip(&mut skims).zip(&mut seen) {
                compare(skim, policy, &json, seen);
                compare(skim, policy, &changed, seen);
            }
        }
    }
    let all: u64 = seen.iter().flat_map(BTreeMap::values).sum();
    // Not by `println!`, which the test runner keeps to itself.
    let _ = writeln!(std::io::stderr(), "{all} records compared: {seen:?}");
    assert!(all > 1_000_000, "{all}");
    // So few of one would say little.
    let count = |policy: usize, nothing| seen[policy].get(&nothing).copied().unwrap_or_default();
    for policy in 0..policies.len() {
        for nothing in [Some(Nothing::Read), Some(Nothing::Service), None] {
            assert!(count(policy, nothing) > 5_000, "{nothing:?} under policy {policy}: {seen:?}");
        }
    }
    assert!(count(1, Some(Nothing::Expected)) > 5_000, "{seen:?}");
}
