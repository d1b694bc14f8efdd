//! Logs of an account in small, and what is proposed for them.

use std::path::Path;

use handsoff_core::Policy;
use handsoff_core::policy::IdentityPattern;
use serde_json::{Value, json};

pub(crate) use crate::run::handsoff;

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const GITHUB: &str = "token.actions.githubusercontent.com";
pub(crate) const MAIN: &str = "repo:acme@12/infra@34:ref:refs/heads/main";

/// Records of several days, each with an ID of its own.
#[derive(Clone, Default)]
pub(crate) struct Logs(pub(crate) Vec<Value>);

impl Logs {
    /// A call on a day of March 2026.
    pub(crate) fn call(&mut self, day: usize, who: &Value, action: &str, more: &Value) {
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
    pub(crate) fn take(&mut self, day: usize, who: &Value, role: &str) {
        let action =
            if who["type"] == "WebIdentityUser" { "sts:AssumeRoleWithWebIdentity" } else { "sts:AssumeRole" };
        let asked = json!({"requestParameters": {"roleArn": arn(role), "roleSessionName": "s"}});
        self.call(day, who, action, &asked);
    }

    /// A role that a provider's subject assumes each day to make the changes.
    pub(crate) fn pipeline(&mut self, role: &str, provider: &str, changes: &[&str]) {
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
    pub(crate) fn daily(&mut self, who: &Value, change: &str) {
        for day in 1..=5 {
            self.call(day, who, change, &json!({}));
        }
    }

    pub(crate) fn write(&self, file: &Path) {
        let lines: String = self.0.iter().flat_map(|record| [record.to_string(), "\n".into()]).collect();
        std::fs::write(file, lines).unwrap();
    }
}

pub(crate) fn arn(role: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{role}")
}

pub(crate) fn session(role: &str, name: &str, context: &Value) -> Value {
    let bare = role.rsplit('/').next().unwrap();
    let mut session = json!({"sessionIssuer": {"type": "Role", "arn": arn(role), "accountId": ACCOUNT, "userName": bare},
        "attributes": {"creationDate": "2026-03-01T00:00:00Z"}});
    session.as_object_mut().unwrap().extend(context.as_object().unwrap().clone());
    json!({"type": "AssumedRole", "principalId": format!("AROA:{name}"), "accountId": ACCOUNT, "accessKeyId": "ASIAX",
        "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/{bare}/{name}"), "sessionContext": session})
}

pub(crate) fn instance(role: &str) -> Value {
    session(role, "i-0123456789abcdef0", &json!({"ec2RoleDelivery": "2.0"}))
}

pub(crate) fn user(name: &str) -> Value {
    json!({"type": "IAMUser", "arn": format!("arn:aws:iam::{ACCOUNT}:user/{name}"), "accountId": ACCOUNT,
        "accessKeyId": "AKIAX", "userName": name})
}

pub(crate) fn web(provider: &str, subject: &str) -> Value {
    let provider = format!("arn:aws:iam::{ACCOUNT}:oidc-provider/{provider}");
    json!({"type": "WebIdentityUser", "principalId": format!("{provider}:sts.amazonaws.com:{subject}"),
        "userName": subject, "identityProvider": provider})
}

/// The context of a session that GitHub vouched for.
pub(crate) fn github() -> Value {
    json!({"webIdFederationData": {"federatedProvider": format!("arn:aws:iam::{ACCOUNT}:oidc-provider/{GITHUB}")}})
}

pub(crate) fn service(name: &str) -> Value {
    json!({"type": "AWSService", "invokedBy": format!("{name}.amazonaws.com")})
}

/// What is proposed for the logs: the text and what it means. `policy check` takes it.
pub(crate) fn tuned(logs: &Logs, args: &[&str]) -> (String, Policy) {
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
pub(crate) fn trusted(policy: &Policy) -> Vec<&IdentityPattern> {
    let deploy = policy.deploy.iter().map(|entry| &entry.identity);
    let workloads = policy.workloads.iter().map(|entry| &entry.identity);
    deploy.chain(workloads).chain(policy.exceptions.iter().map(|entry| &entry.identity)).collect()
}

pub(crate) fn names(policy: &Policy) -> Vec<&str> {
    trusted(policy).into_iter().map(IdentityPattern::as_str).collect()
}
