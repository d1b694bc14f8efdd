//! Generated records: those of the benchmark, and each of them with fields changed to what a record may hold, and to what it
//! may not. A fresh checkout has no other records. The same seed gives the same.

use fastrand::Rng;
use handsoff_bench::plan::{self, Kind};
use handsoff_bench::record;
use handsoff_core::Policy;

use crate::busy_policy;

/// Actions with a class of their own, and some of all others: `service:Name`.
const ACTIONS: &str = include_str!("../golden/actions.txt");

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

/// Policies under which generated records are judged: the built-in one, one with an entry of each kind, and a busy one.
///
/// # Panics
/// When one can't be read.
pub fn policies() -> [Policy; 3] {
    [Policy::built_in(), Policy::parse("p", POLICY).unwrap(), busy_policy()]
}

/// Calls something with so many records of the benchmark's, and with each of them changed.
pub fn each_record(records: u64, seed: u64, each: &mut dyn FnMut(&str)) {
    let mut dice = Dice::of(seed);
    let mut json = String::new();
    for plan in plan::files(records, seed) {
        for slot in plan.slots().into_iter().filter(|slot| slot.kind != Kind::Repeat) {
            json.clear();
            record::write(&plan, slot, &mut json);
            each(&json);
            each(&dice.change(&json));
        }
    }
}

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

struct Dice {
    rng: Rng,
    actions: Vec<&'static str>,
}

impl Dice {
    fn of(seed: u64) -> Self {
        Self { rng: Rng::with_seed(seed), actions: ACTIONS.lines().collect() }
    }

    fn below(&mut self, limit: usize) -> usize {
        self.rng.usize(..limit)
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
        if self.below(3) == 0 {
            let place = self.below(self.actions.len());
            let action = self.actions[place];
            let (service, name) = action.split_once(':').unwrap_or((action, ""));
            changed += &format!(r#","eventSource":"{service}.amazonaws.com","eventName":"{name}""#);
        }
        changed + "}"
    }
}
