//! Templates: JSON text with `<placeholders>` that a scene fills in.
//!
//! The same placeholder stands for the same thing throughout one record (`<vpc>` in the request and
//! in the response), `<vpc.2>` for another one of its kind. Names come from small pools, so that the
//! logs repeat themselves as much as real ones do.

use std::fmt::Write;

use crate::clock::Civil;
use crate::noise::{base32, base36, base64, hex, mix, tag, uuid};
use crate::world::{one_of, person, system};

/// Policy documents as requests hold them: JSON within a JSON string.
const POLICIES: [&str; 4] = [
    r#"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[\"s3:GetObject\",\"s3:PutObject\",\"s3:ListBucket\"],\"Resource\":[\"arn:aws:s3:::<bucket>\",\"arn:aws:s3:::<bucket>/*\"]}]}"#,
    r#"{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n      \"Action\": [\n        \"logs:CreateLogStream\",\n        \"logs:PutLogEvents\"\n      ],\n      \"Effect\": \"Allow\",\n      \"Resource\": \"arn:aws:logs:<region>:<account>:log-group:/aws/lambda/<system>:*\"\n    }\n  ]\n}\n"#,
    r#"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"Decrypt\",\"Effect\":\"Allow\",\"Action\":[\"kms:Decrypt\",\"kms:DescribeKey\"],\"Resource\":\"arn:aws:kms:<region>:<account>:key/<key>\",\"Condition\":{\"StringEquals\":{\"kms:ViaService\":\"s3.<region>.amazonaws.com\"}}}]}"#,
    r#"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[\"dynamodb:GetItem\",\"dynamodb:Query\",\"dynamodb:UpdateItem\"],\"Resource\":\"arn:aws:dynamodb:<region>:<account>:table/<system>\"},{\"Effect\":\"Allow\",\"Action\":\"secretsmanager:GetSecretValue\",\"Resource\":\"arn:aws:secretsmanager:<region>:<account>:secret:<secret>\"}]}"#,
];

/// Everything a template can name.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) account: &'static str,
    pub(crate) region: &'static str,
    /// The called service's host name without `.amazonaws.com`.
    pub(crate) service: &'static str,
    /// The API call without a version suffix.
    pub(crate) event: &'static str,
    /// The service that calls, and its service-linked role.
    pub(crate) by: (&'static str, &'static str),
    /// When the call was made.
    pub(crate) time: i64,
    /// Since when the caller's session lasts.
    pub(crate) created: i64,
    /// Which caller of its kind it is.
    pub(crate) me: u64,
    /// What the call is about.
    pub(crate) pick: u64,
    /// The request id.
    pub(crate) request: (u64, u64),
    /// For what is new in each record.
    pub(crate) rng: fastrand::Rng,
}

impl Scene {
    /// Appends `template` to `out` with its placeholders filled in.
    pub(crate) fn expand(&mut self, template: &str, out: &mut String) {
        let mut rest = template;
        while let Some((text, after)) = rest.split_once('<') {
            out.push_str(text);
            let Some((name, after)) = after.split_once('>') else {
                rest = after;
                continue;
            };
            self.fill(name, out);
            rest = after;
        }
        out.push_str(rest);
    }

    fn fill(&mut self, name: &str, out: &mut String) {
        if let Some(name) = name.strip_prefix("me.") {
            return self.fill_me(name, out);
        }
        let (name, which) = name.split_once('.').unwrap_or((name, "1"));
        match name {
            "account" => out.push_str(self.account),
            "region" => out.push_str(self.region),
            "service" => out.push_str(self.service),
            "event" => out.push_str(self.event),
            "by" => out.push_str(self.by.0),
            "slr" => out.push_str(self.by.1),
            "acct8" => base32(out, mix(tag(self.account), 8)),
            "time" => Civil::of(self.time).iso(out),
            "spelled" => Civil::of(self.time).spelled(out),
            "expiry" => Civil::of(self.time + 3_600).spelled(out),
            "created" => Civil::of(self.created).iso(out),
            "date" => {
                let Civil { year, month, day, .. } = Civil::of(self.time);
                let _ = write!(out, "{year}/{month:02}/{day:02}");
            }
            "millis" => {
                let _ = write!(out, "{}{:03}", self.time, self.rng.u32(..1_000));
            }
            "reqid" => uuid(out, self.request.0, self.request.1),
            "s3reqid" => base36(out, self.request.0),
            "uuid" => {
                let (high, low) = (self.rng.u64(..), self.rng.u64(..));
                uuid(out, high, low);
            }
            "akid" => base32(out, self.rng.u64(..)),
            // `<b64.120>`: that many characters; `<num.50>`: a number below.
            "b64" => base64(out, &mut self.rng, which.parse().unwrap_or(16)),
            "num" => {
                let _ = write!(out, "{}", self.rng.u64(..which.parse().unwrap_or(10).max(1)));
            }
            "commit" => (0..5).for_each(|part| hex(out, mix(self.created.unsigned_abs() / 1_200, part), 8)),
            "policy" => {
                let policy = one_of(&POLICIES, self.choice("policy", which, 4));
                self.expand(policy, out);
            }
            _ => self.fill_resource(name, which, out),
        }
    }

    /// The caller's own names.
    fn fill_me(&self, name: &str, out: &mut String) {
        match name {
            "person" => out.push_str(person(self.me)),
            "system" => system(out, self.me),
            "instance" => instance(out, self.me),
            "id" => base32(out, mix(self.me, tag(self.account))),
            "key" => base32(out, mix(self.me, self.created.unsigned_abs())),
            "longkey" => base32(out, mix(self.me, 1)),
            "set" => out
                .push_str(one_of(&["AdministratorAccess", "PowerUserAccess", "ReadOnlyAccess"], self.me / 3)),
            "sethex" => hex(out, mix(self.me / 3 % 3, tag(self.account)), 16),
            "ip" => {
                let net = if self.me.is_multiple_of(3) { "198.51.100" } else { "203.0.113" };
                let _ = write!(out, "{net}.{}", 1 + mix(self.me, 4) % 254);
            }
            "run" => {
                let _ = write!(out, "{}", 12_000_000_000 + self.created.unsigned_abs() / 7 + self.me % 1_000);
            }
            _ => unknown(name, out),
        }
    }

    fn fill_resource(&self, name: &str, which: &str, out: &mut String) {
        let (prefix, pool) = match name {
            "instance" => return instance(out, self.choice(name, which, 300)),
            "system" => return system(out, self.choice(name, which, 384)),
            "person" => return out.push_str(person(self.choice(name, which, 24))),
            "bucket" => {
                out.push_str("acme-");
                system(out, self.choice(name, which, 60));
                out.push('-');
                return out.push_str(self.account);
            }
            "key" => {
                let key = self.identity(name, which, 30);
                return uuid(out, key, mix(key, 1));
            }
            "stableid" => {
                let id = self.identity(name, which, 200);
                return uuid(out, id, mix(id, 1));
            }
            "secret" => {
                let index = self.choice(name, which, 40);
                system(out, index);
                out.push_str("/db-");
                return hex(out, mix(index, tag(self.account)), 6);
            }
            "lb" => {
                let index = self.choice(name, which, 24);
                system(out, index);
                out.push('/');
                return hex(out, mix(index, tag(self.account)), 16);
            }
            "privateip" => {
                let host = self.identity(name, which, 400);
                let _ = write!(out, "10.{}.{}.{}", host % 4, host >> 8 & 63, 4 + (host >> 16) % 250);
                return;
            }
            "vpc" => ("vpc-0", 4),
            "subnet" => ("subnet-0", 24),
            "sg" => ("sg-0", 90),
            "sgr" => ("sgr-0", 400),
            "eni" => ("eni-0", 600),
            "rtb" => ("rtb-0", 16),
            "vol" => ("vol-0", 400),
            "ami" => ("ami-0", 8),
            "snap" => ("snap-0", 200),
            "lt" => ("lt-0", 20),
            "acl" => ("acl-0", 6),
            "vpce" => ("vpce-0", 5),
            _ => return unknown(name, out),
        };
        out.push_str(prefix);
        hex(out, self.identity(name, which, pool), 16);
    }

    /// Which of `pool` things a placeholder stands for in this record; low ones far more often.
    fn choice(&self, name: &str, which: &str, pool: u64) -> u64 {
        let roll = mix(self.pick ^ tag(name), tag(which));
        (roll % pool).min((roll >> 32) % pool)
    }

    /// What tells that thing from all others.
    fn identity(&self, name: &str, which: &str, pool: u64) -> u64 {
        mix(tag(name) ^ tag(self.account) ^ tag(self.region), self.choice(name, which, pool))
    }
}

/// A placeholder nobody knows shows up in the record; a test looks for that.
fn unknown(name: &str, out: &mut String) {
    out.push('<');
    out.push_str(name);
}

fn instance(out: &mut String, index: u64) {
    out.push_str("i-0");
    hex(out, mix(index, tag("instance")), 16);
}

#[cfg(test)]
mod tests {
    use super::Scene;

    #[test]
    fn a_placeholder_stands_for_one_thing_in_a_record() {
        let mut scene = Scene {
            account: "111122223333",
            region: "us-east-1",
            service: "ec2",
            event: "RunInstances",
            by: ("", ""),
            time: 0,
            created: 0,
            me: 1,
            pick: 2,
            request: (3, 4),
            rng: fastrand::Rng::with_seed(5),
        };
        let mut out = String::new();
        scene.expand("<account>/<vpc>=<vpc>/<vpc.2>/<num.1>/a<b", &mut out);
        let parts: Vec<_> = out.split('/').collect();
        let (one, other) = parts[1].split_once('=').unwrap();
        assert_eq!((parts[0], parts[3], parts[4]), ("111122223333", "0", "ab"));
        assert_eq!(one, other);
        assert_eq!(parts[2].len(), one.len());
    }
}
