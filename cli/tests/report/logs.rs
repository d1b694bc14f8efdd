//! Logs and policies, and the command that is run on them.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

/// A folder with logs and policies.
pub(super) struct Folder(pub(super) tempfile::TempDir);

impl Folder {
    pub(super) fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.put("handsoff.toml", POLICY);
        folder
    }

    pub(super) fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(super) fn put(&self, name: &str, text: &str) {
        std::fs::create_dir_all(self.at(name).parent().unwrap()).unwrap();
        std::fs::write(self.at(name), text).unwrap();
    }

    pub(super) fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_handsoff"))
            .current_dir(self.0.path())
            .args(args)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Standard output, where the status is this one.
    pub(super) fn out(&self, status: i32, args: &[&str]) -> String {
        let output = self.run(args);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{args:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub(super) fn lines(&self, args: &[&str]) -> Vec<Value> {
        let text = self.out(0, args);
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub(super) fn page(&self, name: &str) -> String {
        std::fs::read_to_string(self.at(name)).unwrap()
    }
}

pub(super) const POLICY: &str = r#"
[[deploy]]
identity = "arn:aws:iam::111122223333:role/deploy"

[[break_glass]]
identity = "arn:aws:iam::111122223333:role/break-glass"
"#;

pub(super) const BEGAN: i64 = 1_773_453_600;

/// A call at a minute after the beginning.
pub(super) fn record(n: usize, minute: i64, by: &Value, call: (&str, &str), parameters: &Value) -> String {
    let (source, name) = call;
    json!({
        "eventVersion": "1.11", "userIdentity": by, "eventTime": handsoff_cloudtrail::Time::from_timestamp(BEGAN + 60 * minute).to_string(),
        "eventSource": format!("{source}.amazonaws.com"), "eventName": name, "awsRegion": "eu-central-1",
        "sourceIPAddress": "192.0.2.1", "userAgent": "aws-cli/2", "requestParameters": parameters,
        "eventID": format!("00000000-0000-4000-8000-{n:012}"), "recipientAccountId": "111122223333", "readOnly": false,
    })
    .to_string()
}

pub(super) fn user(name: &str) -> Value {
    let arn = format!("arn:aws:iam::111122223333:user/{name}");
    json!({ "type": "IAMUser", "arn": arn, "accountId": "111122223333", "userName": name })
}

pub(super) fn role(name: &str, session: &str, more: &Value) -> Value {
    let issuer = json!({ "type": "Role", "arn": format!("arn:aws:iam::111122223333:role/{name}"), "userName": name,
        "accountId": "111122223333", "principalId": format!("AROA{name}") });
    let mut context =
        json!({ "sessionIssuer": issuer, "attributes": { "creationDate": "2026-03-14T00:00:00Z" } });
    context.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let arn = format!("arn:aws:sts::111122223333:assumed-role/{name}/{session}");
    json!({ "type": "AssumedRole", "arn": arn, "accountId": "111122223333", "sessionContext": context,
        "principalId": format!("AROA{name}:{session}") })
}

pub(super) fn workload(name: &str) -> Value {
    role(name, "i-0abc1234def567890", &json!({ "ec2RoleDelivery": "2.0" }))
}

/// Four days: two people, a workload, a role that nobody knows, root, tampering, an emergency, probing, and a user who is
/// made and then used.
pub(super) fn month(folder: &Folder) {
    let none = json!({});
    let mut days: Vec<Vec<String>> = vec![Vec::new(); 4];
    let mut n = 0;
    for (day, records) in (0..).zip(&mut days) {
        let mut add = |minute: i64, by: &Value, call: (&str, &str), parameters: &Value| {
            n += 1;
            records.push(record(n, day * 1440 + minute, by, call, parameters));
        };
        for minute in 0..(3 + 5 * day) {
            add(minute, &workload("app"), ("ec2", "CreateTags"), &none);
            add(minute, &workload("app"), ("autoscaling", "SetDesiredCapacity"), &none);
            add(
                minute * 9,
                &role("batch", "job", &none),
                ("ecs", "UpdateService"),
                &json!({ "service": "q" }),
            );
            add(
                minute * 7,
                &role("mixed", "job", &none),
                ("ecs", "UpdateService"),
                &json!({ "service": "q" }),
            );
        }
        add(20, &user("ana"), ("rds", "ModifyDBInstance"), &json!({ "dBInstanceIdentifier": "orders" }));
        add(
            25,
            &user("ana"),
            ("lambda", "UpdateFunctionConfiguration20150331v2"),
            &json!({ "functionName": "f" }),
        );
        add(30, &user("ben"), ("ec2", "AuthorizeSecurityGroupIngress"), &json!({ "groupId": "sg-1" }));
        if day == 2 {
            let made = json!({ "userName": "svc-backup" });
            add(40, &workload("app"), ("iam", "CreateUser"), &made);
            add(45, &user("svc-backup"), ("cloudtrail", "StopLogging"), &json!({ "name": "trail" }));
            add(46, &role("mixed", "job", &none), ("iam", "CreateAccessKey"), &json!({ "userName": "ben" }));
            add(50, &role("break-glass", "oncall", &none), ("ec2", "RebootInstances"), &none);
            let root = json!({ "type": "Root", "arn": "arn:aws:iam::111122223333:root", "accountId": "111122223333" });
            add(60, &root, ("s3", "PutBucketCors"), &json!({ "bucketName": "b" }));
            for action in 0..12 {
                let mut denied: Value = serde_json::from_str(&record(
                    900 + action,
                    day * 1440 + 70,
                    &role("scanner", "scan", &none),
                    ("s3", &format!("GetBucket{action}")),
                    &none,
                ))
                .unwrap();
                denied["errorCode"] = "AccessDenied".into();
                records.push(denied.to_string());
            }
        }
    }
    for (day, records) in days.iter().enumerate() {
        folder.put(&format!("logs/{day}.json"), &format!(r#"{{"Records":[{}]}}"#, records.join(",")));
    }
}
