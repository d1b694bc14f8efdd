//! `handsoff tune`: what is proposed, what never is, and that the text can be relied on.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may panic"
)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use handsoff_watch::Policy;
use handsoff_watch::policy::{ActionPattern, IdentityPattern};
use proptest::prelude::*;
use serde_json::{Value, json};

const ACCOUNT: &str = "111122223333";
const GITHUB: &str = "token.actions.githubusercontent.com";
const MAIN: &str = "repo:acme@12/infra@34:ref:refs/heads/main";

/// What makes good logs doubtful.
type Spoil = dyn Fn(&mut Logs);

/// Records of several days, each with an ID of its own.
#[derive(Clone, Default)]
struct Logs(Vec<Value>);

impl Logs {
    /// A call on a day of March 2026.
    fn call(&mut self, day: usize, who: &Value, action: &str, more: &Value) {
        let (service, name) = action.split_once(':').unwrap();
        let n = self.0.len();
        let mut record = json!({"eventVersion": "1.11", "eventID": format!("e-{n}"), "userIdentity": who,
            "eventTime": format!("2026-03-{day:02}T{:02}:{:02}:{:02}Z", 8 + n / 3600 % 12, n / 60 % 60, n % 60),
            "eventSource": format!("{service}.amazonaws.com"), "eventName": name, "awsRegion": "eu-central-1",
            "sourceIPAddress": "192.0.2.7", "userAgent": "aws-sdk-go/1.55", "eventType": "AwsApiCall",
            "managementEvent": true, "eventCategory": "Management", "recipientAccountId": ACCOUNT});
        record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.0.push(record);
    }

    /// The role is taken on.
    fn take(&mut self, day: usize, who: &Value, role: &str) {
        let action =
            if who["type"] == "WebIdentityUser" { "sts:AssumeRoleWithWebIdentity" } else { "sts:AssumeRole" };
        let asked = json!({"requestParameters": {"roleArn": arn(role), "roleSessionName": "s"}});
        self.call(day, who, action, &asked);
    }

    /// A role that a provider's subject takes on each day to make the changes.
    fn pipeline(&mut self, role: &str, provider: &str, changes: &[&str]) {
        for day in 1..=5 {
            self.take(day, &web(provider, MAIN), role);
            for change in changes {
                self.call(
                    day,
                    &session(role, &format!("run-{day}{}", self.0.len()), &json!({})),
                    change,
                    &json!({}),
                );
            }
        }
    }

    /// A role that makes a change on each day.
    fn daily(&mut self, who: &Value, change: &str) {
        for day in 1..=5 {
            self.call(day, who, change, &json!({}));
        }
    }

    fn write(&self, file: &Path) {
        let lines: String = self.0.iter().flat_map(|record| [record.to_string(), "\n".into()]).collect();
        std::fs::write(file, lines).unwrap();
    }
}

fn arn(role: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{role}")
}

fn session(role: &str, name: &str, context: &Value) -> Value {
    let bare = role.rsplit('/').next().unwrap();
    let mut session = json!({"sessionIssuer": {"type": "Role", "arn": arn(role), "accountId": ACCOUNT, "userName": bare},
        "attributes": {"creationDate": "2026-03-01T00:00:00Z"}});
    session.as_object_mut().unwrap().extend(context.as_object().unwrap().clone());
    json!({"type": "AssumedRole", "principalId": format!("AROA:{name}"), "accountId": ACCOUNT, "accessKeyId": "ASIAX",
        "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/{bare}/{name}"), "sessionContext": session})
}

fn instance(role: &str) -> Value {
    session(role, "i-0123456789abcdef0", &json!({"ec2RoleDelivery": "2.0"}))
}

fn user(name: &str) -> Value {
    json!({"type": "IAMUser", "arn": format!("arn:aws:iam::{ACCOUNT}:user/{name}"), "accountId": ACCOUNT,
        "accessKeyId": "AKIAX", "userName": name})
}

fn web(provider: &str, subject: &str) -> Value {
    let provider = format!("arn:aws:iam::{ACCOUNT}:oidc-provider/{provider}");
    json!({"type": "WebIdentityUser", "principalId": format!("{provider}:sts.amazonaws.com:{subject}"),
        "userName": subject, "identityProvider": provider})
}

/// The context of a session that GitHub vouched for.
fn github() -> Value {
    json!({"webIdFederationData": {"federatedProvider": format!("arn:aws:iam::{ACCOUNT}:oidc-provider/{GITHUB}")}})
}

fn service(name: &str) -> Value {
    json!({"type": "AWSService", "invokedBy": format!("{name}.amazonaws.com")})
}

/// Runs the command in a folder without a policy of its own.
fn handsoff(folder: &Path, args: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_handsoff"))
        .current_dir(folder)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

/// What is proposed for the logs: the text and what it means. `policy check` takes it.
fn tuned(logs: &Logs, args: &[&str]) -> (String, Policy) {
    let folder = tempfile::tempdir().unwrap();
    logs.write(&folder.path().join("logs.jsonl"));
    let output = handsoff(folder.path(), &[&["tune", "logs.jsonl"], args].concat(), b"");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    std::fs::write(folder.path().join("tuned.toml"), &text).unwrap();
    let check = handsoff(folder.path(), &["policy", "check", "tuned.toml"], b"");
    assert_eq!(check.status.code(), Some(0), "{}\n{text}", String::from_utf8_lossy(&check.stderr));
    let policy = Policy::parse("tuned.toml", &text).unwrap();
    (text, policy)
}

/// The identities that a policy trusts.
fn trusted(policy: &Policy) -> Vec<&IdentityPattern> {
    let deploy = policy.deploy.iter().map(|entry| &entry.identity);
    let workloads = policy.workloads.iter().map(|entry| &entry.identity);
    deploy.chain(workloads).chain(policy.exceptions.iter().map(|entry| &entry.identity)).collect()
}

fn names(policy: &Policy) -> Vec<&str> {
    trusted(policy).into_iter().map(IdentityPattern::as_str).collect()
}

#[test]
fn a_deploy_role_is_found_with_its_evidence() {
    let mut logs = Logs::default();
    logs.pipeline("ci/deploy", GITHUB, &["ec2:RunInstances", "iam:PutRolePolicy"]);
    // Who isn't reviewed yet is not among those who may.
    logs.take(2, &web(GITHUB, "repo:acme@12/infra@34:pull_request"), "ci/deploy");
    logs.daily(&user("ana"), "ec2:RunInstances");
    let (text, policy) = tuned(&logs, &[]);
    assert_eq!(names(&policy), [arn("ci/deploy")], "{text}");
    let entry = "[[deploy]]\nidentity = \"arn:aws:iam::111122223333:role/ci/deploy\"\nassumed_by = [\n  \
                 \"oidc:repo:acme@12/infra@34:ref:refs/heads/main\",\n  # web identity repo:acme@12/infra@34:pull_request of \
                 token.actions.githubusercontent.com: a pull request's, which nobody has reviewed yet (1x on 1 day, \
                 2026-03-02)\n]\nsession_names = [\"run-*\"]\n";
    assert!(text.contains(entry), "{text}");
    for evidence in [
        "# Changes: 10 of 15 changes (66 %), on 5 days from 2026-03-01 to 2026-03-05.\n",
        "iam:PutRolePolicy x5 since 2026-03-01 (permissions or trust)",
        "# People, and roles that people use: 1, with 5 changes by people.",
        "(5x on 5 days from 2026-03-01 to 2026-03-05)",
    ] {
        assert!(text.contains(evidence), "{evidence}\n{text}");
    }
    // It holds its own logs to be the pipeline's.
    assert_eq!(policy.deploy[0].assumed_by.len(), 1);
}

#[test]
fn what_a_pipeline_is_not_is_not_proposed() {
    let change = ["ec2:RunInstances"];
    let cases: [(&str, &Spoil); 18] = [
        ("made in these logs", &|logs| {
            logs.call(
                1,
                &user("eve"),
                "iam:CreateRole",
                &json!({"requestParameters": {"roleName": "deploy"}}),
            );
        }),
        ("trust changed", &|logs| {
            let asked = json!({"requestParameters": {"roleName": "deploy"}});
            logs.call(2, &user("eve"), "iam:UpdateAssumeRolePolicy", &asked);
        }),
        ("provider made", &|logs| {
            let asked = json!({"requestParameters": {"url": format!("https://{GITHUB}")}});
            logs.call(1, &user("eve"), "iam:CreateOpenIDConnectProvider", &asked);
        }),
        ("stops a trail", &|logs| {
            logs.call(3, &session("deploy", "run-9", &json!({})), "cloudtrail:StopLogging", &json!({}));
        }),
        ("makes a user", &|logs| {
            logs.call(3, &session("deploy", "run-9", &json!({})), "iam:CreateUser", &json!({}));
        }),
        ("opens a shell", &|logs| {
            logs.call(3, &session("deploy", "run-9", &json!({})), "ssm:StartSession", &json!({}));
        }),
        ("taken by a user", &|logs| logs.take(4, &user("eve"), "deploy")),
        ("taken by a session of a person", &|logs| {
            logs.take(4, &session("AWSReservedSSO_Admin_0123456789abcdef", "eve", &json!({})), "deploy");
        }),
        ("used in the console", &|logs| {
            let console = json!({"sessionCredentialFromConsole": "true", "readOnly": true});
            logs.call(4, &session("deploy", "run-9", &json!({})), "ec2:DescribeInstances", &console);
        }),
        ("used with a second factor", &|logs| {
            let factor = json!({"attributes": {"mfaAuthenticated": "true"}});
            logs.call(
                4,
                &session("deploy", "run-9", &factor),
                "ec2:DescribeInstances",
                &json!({"readOnly": true}),
            );
        }),
        ("taken by another role", &|logs| logs.take(4, &session("app", "x", &json!({})), "deploy")),
        ("assumed by jobs of another owner", &|logs| {
            logs.take(4, &web(GITHUB, "repo:evil/x:ref:refs/heads/main"), "deploy");
        }),
        ("assumed by a role of a person", &|logs| {
            logs.take(4, &session("ci", "x", &github()), "deploy");
            logs.call(4, &session("ci", "ana@example.com", &json!({})), "ec2:CreateTags", &json!({}));
        }),
        ("assumed by a role that was made", &|logs| {
            logs.take(4, &session("ci", "x", &github()), "deploy");
            logs.call(4, &user("eve"), "iam:CreateRole", &json!({"requestParameters": {"roleName": "ci"}}));
        }),
        ("another provider vouched for a session", &|logs| {
            let provider = format!("arn:aws:iam::{ACCOUNT}:oidc-provider/evil.example.com");
            let vouched = json!({"webIdFederationData": {"federatedProvider": provider}});
            logs.call(3, &session("deploy", "run-9", &vouched), "ec2:RunInstances", &json!({}));
        }),
        ("probes", &|logs| {
            for n in 0..6 {
                let denied = json!({"errorCode": "AccessDenied"});
                logs.call(3, &session("deploy", "run-9", &json!({})), &format!("s3:ListThings{n}x"), &denied);
            }
        }),
        ("assumed through CloudFormation", &|logs| logs.take(4, &service("cloudformation"), "deploy")),
        ("taken by another provider", &|logs| logs.take(4, &web("evil.example.com", MAIN), "deploy")),
    ];
    let mut good = Logs::default();
    good.pipeline("deploy", GITHUB, &change);
    assert_eq!(names(&tuned(&good, &[]).1), [arn("deploy")]);
    for (case, spoil) in cases {
        let mut logs = good.clone();
        spoil(&mut logs);
        let (text, policy) = tuned(&logs, &[]);
        assert!(names(&policy).is_empty(), "{case}: {text}");
        assert!(text.contains("Not proposed: ") || text.contains("Commented out: "), "{case}: {text}");
    }
    // Too few days, and nobody known.
    let mut short = Logs(
        good.0.iter().filter(|record| record["eventTime"].as_str() < Some("2026-03-03")).cloned().collect(),
    );
    assert!(short.0.len() == 4 && names(&tuned(&short, &[]).1).is_empty());
    short = Logs(good.0.iter().filter(|record| record["eventName"] == "RunInstances").cloned().collect());
    assert!(short.0.len() == 5 && names(&tuned(&short, &[]).1).is_empty());
}

#[test]
fn workloads_are_proposed_with_what_is_ordinary_and_everyday() {
    let mut logs = Logs::default();
    logs.daily(&instance("app/web"), "ec2:CreateTags");
    logs.daily(&instance("app/web"), "ec2:AuthorizeSecurityGroupIngress");
    logs.call(2, &instance("app/web"), "autoscaling:SetDesiredCapacity", &json!({}));
    for day in 1..=5 {
        logs.take(day, &service("lambda"), "fn");
    }
    logs.daily(&session("fn", "fn", &json!({})), "logs:CreateLogStream");
    // One whose documents are whoever's that starts them, and one of another account.
    for day in 1..=5 {
        logs.take(day, &service("ssm"), "automation");
    }
    logs.daily(&session("automation", "x", &json!({})), "ec2:CreateTags");
    let mut vendor = instance("vendor");
    vendor["sessionContext"]["sessionIssuer"]["arn"] = json!("arn:aws:iam::999999999999:role/vendor");
    logs.daily(&vendor, "ec2:CreateTags");
    // Whose role nobody knows, and whose name says much.
    logs.daily(&session("service-role/worker", "i-0123456789abcdef0", &json!({})), "ec2:CreateTags");
    let (text, policy) = tuned(&logs, &[]);
    assert_eq!(names(&policy), [arn("fn"), arn("app/web")], "{text}");
    let allowed = |entry: usize| {
        policy.workloads[entry].may_write.iter().map(ActionPattern::as_str).collect::<Vec<_>>()
    };
    assert_eq!((allowed(0), allowed(1)), (vec!["logs:CreateLogStream"], vec!["ec2:CreateTags"]));
    for evidence in [
        "# Not allowed: ec2:AuthorizeSecurityGroupIngress x5 since 2026-03-01 (network opened); look at it.\n",
        "  # autoscaling:SetDesiredCapacity: on one day only, 2026-03-02\n",
        "# Commented out: it is of another account, for which these logs have no record.\n",
        "# identity = \"arn:aws:iam::111122223333:role/automation\"\n",
        "# Commented out: nothing that AWS writes shows that only code uses it.\n# [[workload]]\n# identity = \
         \"arn:aws:iam::111122223333:role/service-role/worker\"\n",
    ] {
        assert!(text.contains(evidence), "{evidence}\n{text}");
    }
}

#[test]
fn a_role_that_makes_grave_changes_is_not_proposed() {
    let grave = [
        ("iam:CreateUser", "identity or credential made"),
        ("iam:AttachRolePolicy", "permissions or trust"),
        ("ssm:StartSession", "way into a machine"),
        ("ssm:SendCommand", "commands on machines"),
        ("iam:PutRolePermissionsBoundary", "guardrail"),
        ("ec2:ModifySnapshotAttribute", "sharing outward"),
        ("dynamodb:DeleteTable", "destruction of data"),
        ("cloudtrail:StopLogging", "logging or detection"),
        ("cloudwatch:DeleteAlarms", "logging or detection"),
        ("secretsmanager:PutSecretValue", "secrets or credentials"),
    ];
    for (action, sort) in grave {
        let mut logs = Logs::default();
        logs.daily(&instance("app"), "ec2:CreateTags");
        let before = tuned(&logs, &[]).1;
        assert_eq!(names(&before), [arn("app")]);
        logs.call(4, &instance("app"), action, &json!({}));
        let (text, policy) = tuned(&logs, &[]);
        assert!(names(&policy).is_empty(), "{action}: {text}");
        let shell = action == "ssm:StartSession";
        let said = format!("{action} x1 since 2026-03-04 ({sort})");
        assert!(shell || text.replace("\n# ", " ").contains(&said), "{said}\n{text}");
    }
}

/// A role that somebody makes in these logs is looked at first; one that the pipeline makes is like any other.
#[test]
fn a_role_that_an_intruder_made_is_not_proposed() {
    let made = json!({"requestParameters": {"roleName": "app"}});
    let mut logs = Logs::default();
    logs.pipeline("deploy", GITHUB, &["ec2:RunInstances"]);
    logs.daily(&instance("app"), "ec2:CreateTags");
    // Nor one whose denied calls are somebody's who tries what it may.
    let mut probing = logs.clone();
    for action in ["ListUsers", "ListRoles", "GetUser", "GetRole", "ListPolicies", "ListGroups"] {
        probing.call(4, &instance("app"), &format!("iam:{action}"), &json!({"errorCode": "AccessDenied"}));
    }
    let (text, policy) = tuned(&probing, &[]);
    assert_eq!(names(&policy), [arn("deploy")], "{text}");
    assert!(
        text.contains("it was denied as many different actions on 2026-03-04 as somebody who probes is"),
        "{text}"
    );
    let mut by_pipeline = logs.clone();
    by_pipeline.call(1, &session("deploy", "run-1", &json!({})), "iam:CreateRole", &made);
    assert_eq!(names(&tuned(&by_pipeline, &[]).1), [arn("deploy"), arn("app")]);
    logs.call(1, &session("stolen", "i-0123456789abcdef0", &json!({})), "iam:CreateRole", &made);
    let (text, policy) = tuned(&logs, &[]);
    assert_eq!(names(&policy), [arn("deploy")], "{text}");
    let text = text.replace("\n# ", " ");
    assert!(
        text.contains("first on 2026-03-01 by role stolen of 111122223333: look at that first"),
        "{text}"
    );
}

#[test]
fn a_person_is_never_proposed() {
    let people = [
        user("deploy-pipeline"),
        session("AWSReservedSSO_DeployPipeline_0123456789abcdef", "ana@example.com", &json!({})),
        session("deploy", "ana@example.com", &json!({})),
        session("deploy", "s", &json!({"sourceIdentity": "ana"})),
        session("deploy", "s", &json!({"attributes": {"mfaAuthenticated": "true"}})),
        session(
            "deploy",
            "s",
            &json!({"attributes": {"sessionCredentialFromConsole": "true"}, "ec2RoleDelivery": "2.0"}),
        ),
        json!({"type": "Root", "arn": format!("arn:aws:iam::{ACCOUNT}:root"), "accountId": ACCOUNT}),
        json!({"type": "FederatedUser", "arn": format!("arn:aws:sts::{ACCOUNT}:federated-user/x"), "accountId": ACCOUNT,
            "sessionContext": {"sessionIssuer": {"type": "IAMUser", "arn": format!("arn:aws:iam::{ACCOUNT}:user/x")}}}),
    ];
    for who in people {
        let mut logs = Logs::default();
        for _ in 0..4 {
            logs.daily(&who, "ec2:CreateTags");
        }
        // Nor is a person excepted who is denied every day.
        for day in 1..=5 {
            for n in 0..30 {
                let denied = json!({"errorCode": "AccessDenied"});
                logs.call(day, &who, &format!("s3:GetBucket{n}"), &denied);
            }
        }
        let (text, policy) = tuned(&logs, &[]);
        let entry =
            ["[[deploy]]", "[[workload]]", "[[exception]]"].iter().find(|entry| text.contains(**entry));
        assert_eq!((names(&policy), entry), (vec![], None), "{who}\n{text}");
        assert!(text.contains("with 20 changes by people"), "{who}\n{text}");
    }
}

#[test]
fn emergency_identities_are_those_called_so_and_seldom_used() {
    let mut logs = Logs::default();
    let factor = json!({"attributes": {"mfaAuthenticated": "true"}});
    logs.take(3, &user("oncall"), "ops/break-glass");
    logs.call(3, &session("ops/break-glass", "oncall", &factor), "ec2:RebootInstances", &json!({}));
    logs.daily(&session("incident-manager", "ana@example.com", &json!({})), "ec2:CreateTags");
    logs.call(
        2,
        &session("AWSReservedSSO_AdministratorAccess_0123456789abcdef", "bob", &json!({})),
        "ec2:CreateTags",
        &json!({}),
    );
    let (text, policy) = tuned(&logs, &[]);
    let glass: Vec<&str> = policy.break_glass.iter().map(|entry| entry.identity.as_str()).collect();
    assert_eq!(glass, [arn("ops/break-glass")], "{text}");
    assert!(text.contains("# identity = \"permission-set/AdministratorAccess\"\n"), "{text}");
    assert!(text.contains("# identity = \"arn:aws:iam::111122223333:role/incident-manager\"\n"), "{text}");
}

/// Denials of each day are a scanner's: its exception is for its owner to make, and moves no threshold.
#[test]
fn a_scanner_is_an_exception_to_be_answered_for_and_many_raise_the_threshold() {
    let denied = json!({"errorCode": "AccessDenied", "readOnly": true});
    let storm = |logs: &mut Logs, role: &str, calls: usize, changes: bool| {
        for day in 1..=5 {
            for _ in 0..calls {
                logs.call(day, &session(role, "x", &json!({})), "s3:GetBucketPolicy", &denied);
            }
        }
        if changes {
            logs.daily(&session(role, "x", &json!({})), "ec2:CreateTags");
        }
    };
    let mut logs = Logs::default();
    storm(&mut logs, "scanner", 50, false);
    let (text, policy) = tuned(&logs, &[]);
    assert_eq!((policy.denials.count, policy.denials.actions, policy.exceptions.len()), (20, 6, 0));
    let exception = "# [[exception]]\n# identity = \"arn:aws:iam::111122223333:role/scanner\"\n";
    assert!(text.contains(exception) && text.contains("\n# until = 2026-06-03\n"), "{text}");
    assert!(text.contains("Denied 250 times on 5 days, at most 50 within a window"), "{text}");
    // Three that change things too, and so are no scanners.
    for (role, calls) in [("a", 40), ("b", 31), ("c", 25), ("d", 3)] {
        storm(&mut logs, role, calls, true);
    }
    let (text, policy) = tuned(&logs, &[]);
    assert_eq!((policy.denials.count, policy.denials.actions), (26, 6), "{text}");
    // One's own thresholds stay.
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own.toml");
    std::fs::write(&own, "[denials]\ncount = 10\n").unwrap();
    let (text, policy) = tuned(&logs, &["--policy", own.to_str().unwrap()]);
    assert!(policy.denials.count == 10 && text.contains("\n# count = 26\n"), "{text}");
}

#[test]
fn ones_own_policy_is_kept_and_its_entries_are_not_proposed_again() {
    let mut logs = Logs::default();
    logs.pipeline("deploy", GITHUB, &["ec2:RunInstances"]);
    logs.daily(&instance("app"), "ec2:CreateTags");
    logs.daily(&instance("app"), "autoscaling:SetDesiredCapacity");
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own.toml");
    let text = format!(
        "# Ours.\n[[deploy]]\nidentity = \"arn:aws:iam::*:role/deploy\"\nassumed_by = [\"oidc:repo:acme@12/*\"]\n\
         [[workload]]\nidentity = \"{}\"\nmay_write = [\"ec2:*\"]\n[accounts]\n\"111122223333\" = \"prod\"",
        arn("app")
    );
    std::fs::write(&own, &text).unwrap();
    let (tuned, policy) = tuned(&logs, &["--policy", own.to_str().unwrap()]);
    assert!(tuned.contains(&format!("\n{text}\n")), "{tuned}");
    assert_eq!(names(&policy), ["arn:aws:iam::*:role/deploy", &arn("app")]);
    assert_eq!(policy.alerts.account_name(ACCOUNT), Some("prod"));
    // What could be narrower, and what is new.
    assert!(
        tuned.contains(&format!(
            "# assumed_by = [\n#   \"oidc:{MAIN}\",\n# ]\n# session_names = [\"run-*\"]\n"
        )),
        "{tuned}"
    );
    assert!(tuned.contains("# may_write = [\n#   \"autoscaling:SetDesiredCapacity\",\n# ]\n"), "{tuned}");
}

/// A month in small: all kinds at once.
fn everything() -> Logs {
    let mut logs = Logs::default();
    logs.pipeline("ci/deploy", GITHUB, &["ec2:RunInstances", "iam:PutRolePolicy", "ec2:CreateSecurityGroup"]);
    logs.daily(&instance("app"), "ec2:CreateTags");
    logs.daily(&session("unknown", "x", &json!({})), "ec2:RunInstances");
    logs.daily(&user("ana"), "ec2:AuthorizeSecurityGroupIngress");
    logs.call(4, &instance("stolen"), "iam:CreateUser", &json!({}));
    logs.call(4, &user("svc"), "cloudtrail:StopLogging", &json!({}));
    logs.take(3, &user("oncall"), "break-glass");
    for n in 0..9 {
        let denied = json!({"errorCode": "AccessDenied"});
        logs.call(
            2,
            &instance("stolen"),
            &format!("s3:ListThings{}", ["A", "B", "C", "D", "E", "F", "G", "H", "I"][n]),
            &denied,
        );
    }
    logs
}

#[test]
fn the_messages_before_and_after_are_the_engines_own() {
    let logs = everything();
    let (text, _) = tuned(&logs, &[]);
    let folder = tempfile::tempdir().unwrap();
    logs.write(&folder.path().join("logs.jsonl"));
    std::fs::write(folder.path().join("before.toml"), "").unwrap();
    std::fs::write(folder.path().join("after.toml"), &text).unwrap();
    let mut numbers = Vec::new();
    for (name, policy) in [("# Before:", "before.toml"), ("# After:", "after.toml")] {
        let args = ["replay", "logs.jsonl", "--alerts", "--format", "jsonl", "--policy", policy];
        let sent = handsoff(folder.path(), &args, b"");
        let sent = String::from_utf8(sent.stdout).unwrap();
        let sent: Vec<Value> = sent.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let sent = sent.iter().filter(|alert| alert["cause"] != "digest").count();
        let said = text.split(name).nth(1).unwrap().trim_start();
        let week = (sent * 14 + 5) / 10;
        assert!(said.starts_with(&format!("{week} a week ({sent} messages in these days")), "{sent}: {said}");
        numbers.push(sent);
    }
    assert!(numbers[1] > 0 && numbers[1] < numbers[0], "{numbers:?}");
}

#[test]
fn any_order_repeats_and_files_give_the_same_text() {
    let logs = everything();
    let (expected, policy) = tuned(&logs, &[]);
    assert_eq!(names(&policy), [arn("ci/deploy"), arn("app")]);
    let folder = tempfile::tempdir().unwrap();
    let number = logs.0.len();
    for (round, step) in [7, 11, 13].into_iter().enumerate() {
        let below = folder.path().join(format!("{round}"));
        std::fs::create_dir(&below).unwrap();
        let mut parts = vec![Logs::default(); 3];
        for n in 0..number * 2 {
            // Each twice, at places far from each other.
            parts[n % 3].0.push(logs.0[n * step % number].clone());
        }
        for (n, part) in parts.iter().enumerate() {
            part.write(&below.join(format!("{}.jsonl", (n + round) % 3)));
        }
        let threads = format!("{}", round + 1);
        let args = ["tune", below.to_str().unwrap(), "--threads", &threads];
        let output = handsoff(folder.path(), &args, b"");
        assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    }
    // By a pipe, too.
    let file = folder.path().join("all.jsonl");
    logs.write(&file);
    let output = handsoff(folder.path(), &["tune", "-"], &std::fs::read(file).unwrap());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}

#[test]
fn nothing_is_written_over_and_no_logs_make_no_policy() {
    let folder = tempfile::tempdir().unwrap();
    everything().write(&folder.path().join("logs.jsonl"));
    let run = |args: &[&str]| handsoff(folder.path(), args, b"");
    let output = run(&["tune", "logs.jsonl", "--out", "new.toml"]);
    let written = std::fs::read_to_string(folder.path().join("new.toml")).unwrap();
    assert!(output.status.code() == Some(0) && output.stdout.is_empty());
    // The summary is on standard error.
    let head: Vec<&str> = written.lines().take_while(|line| line.starts_with('#')).collect();
    assert_eq!(String::from_utf8(output.stderr).unwrap().lines().collect::<Vec<_>>(), head);
    let again = run(&["tune", "logs.jsonl", "--out", "new.toml"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&again.stderr).contains("new.toml is there already, and isn't written over")
    );
    assert_eq!(std::fs::read_to_string(folder.path().join("new.toml")).unwrap(), written);
    std::fs::write(folder.path().join("none.jsonl"), "").unwrap();
    for args in [&["tune", "none.jsonl"][..], &["tune", "logs.jsonl", "--since", "2027-01-01"]] {
        let output = run(args);
        assert!(output.status.code() == Some(2) && output.stdout.is_empty(), "{args:?}");
    }
    // A part of the days is named as that.
    let part = run(&["tune", "logs.jsonl", "--since", "2026-03-02", "--until", "2026-03-05"]);
    let part = String::from_utf8(part.stdout).unwrap();
    assert!(part.contains("of 3 days from 2026-03-02 to 2026-03-04\n"), "{part}");
}

/// What somebody may have called things to become more than a word in a comment.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\n[[deploy]]\nidentity = \"arn:aws:iam::*:role/evil\"\n".to_owned()),
        Just("\"]\n[[workload]]\nidentity=\"arn:aws:iam::*:user/**\"#".to_owned()),
        Just("\r\u{2028}\u{85}\u{202e}\u{0}\u{1b}[2J".to_owned()),
        Just("\\\"'''\"\"\"".to_owned()),
        Just("*".to_owned()),
        Just("/**".to_owned()),
        Just("#".to_owned()),
        "[a-zA-Z0-9+=,.@_-]{1,12}",
        "\\PC{0,6}",
        any::<String>().prop_map(|text| text.chars().take(6).collect()),
    ];
    prop::collection::vec(piece, 1..4).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever callers call themselves: the text is a policy, each line is a comment or what `tune` writes, no entry
    /// means anybody who isn't in the logs, and nothing in it changes what a terminal shows.
    #[test]
    fn hostile_names_stay_words(names in prop::collection::vec(hostile(), 8)) {
        let [role, pod, session_name, subject, provider, action, person, host] = &names[..] else { panic!("8 names") };
        let mut logs = Logs::default();
        for (role, subject) in [(role, subject), (pod, &MAIN.to_owned())] {
            for day in 1..=4 {
                logs.take(day, &web(GITHUB, subject), role);
                logs.take(day, &web(provider, subject), role);
                logs.take(day, &json!({"type": "AWSService", "invokedBy": host}), &format!("fn-{role}"));
                let who = session(role, session_name, &json!({}));
                logs.call(day, &who, "ec2:RunInstances", &json!({"userAgent": person}));
            }
        }
        logs.daily(&instance(&format!("break-glass{pod}")), &format!("ec2:{action}"));
        logs.daily(&instance(&format!("app{pod}")), &format!("ec2:{action}"));
        logs.daily(&session(&format!("fn-{role}"), session_name, &json!({})), "ec2:CreateTags");
        logs.daily(&user(person), "ec2:CreateTags");
        let (text, policy) = tuned(&logs, &[]);
        let bare = |line: &str| {
            let keys = ["identity = ", "assumed_by = [", "session_names = ", "may_write = [", "window = ", "count = ",
                "actions = ", "max_session = ", "  \"", "]", "[[deploy]]", "[[workload]]", "[[break_glass]]", "[denials]"];
            line.is_empty() || line.trim_start().starts_with('#') || keys.iter().any(|key| line.starts_with(key))
        };
        for line in text.split('\n') {
            prop_assert!(bare(line), "{line:?}");
        }
        let bad = |char: &char| (char.is_control() && *char != '\n') || matches!(char, '\u{202a}'..='\u{202e}' | '\u{2028}');
        prop_assert_eq!(text.chars().find(bad), None);
        let glass = policy.break_glass.iter().map(|entry| &entry.identity);
        for identity in trusted(&policy).into_iter().chain(glass) {
            prop_assert!(!identity.as_str().contains('*'), "{identity:?}");
            let found = logs.0.iter().any(|record| record.to_string().contains(identity.as_str()));
            prop_assert!(found, "{identity:?} is in no record");
        }
    }
}
