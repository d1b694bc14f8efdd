//! Where a session comes from, by another record: the one in which a compute service took the role on, or the service
//! account of a pod.
//!
//! A record names a session's role and name, and may say nothing of whose it is. The role can be anyone's who may
//! assume it, and its name is the caller's to choose: neither shows code. The access key does: AWS makes it, and writes
//! it in `responseElements` of the call that gave it out, and in each call that is made with it.

use std::collections::HashSet;

use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::partition::service_name;
use handsoff_cloudtrail::{Action, Arn, Identity, IdentityType, Record};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::call::Call;
use crate::principal::{Kind, vouches_for_code};
use crate::trace::Trace;

/// Services that assume a role for code that they run: not those that do what a person tells them, as Systems Manager
/// and CloudFormation do.
const COMPUTE: [&str; 7] =
    ["batch", "ec2", "ecs-tasks", "edgelambda", "lambda", "pods.eks", "tasks.apprunner"];

/// The sessions that AWS gave to code, by a hash of key and role. A set: it doesn't matter which record comes first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    code: HashSet<u64>,
}

impl Origins {
    /// Notes a record, if it gives credentials to code.
    pub fn note(&mut self, record: &Record<'_>) {
        // Most records end here.
        if !record.event_source.as_str().starts_with("\"sts.") || !record.error_code.is_absent() {
            return;
        }
        if let Some(session) = given_to_code(record) {
            self.code.insert(session);
        }
    }

    /// Takes over what others have seen.
    pub fn merge(&mut self, other: Self) {
        self.code.extend(other.code);
    }

    /// Of these sessions those that were given to code.
    #[must_use]
    pub fn of(&self, sessions: &HashSet<u64>) -> Self {
        Self { code: self.code.intersection(sessions).copied().collect() }
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.code.is_empty()
    }

    /// Makes the caller a workload, if its record doesn't say who it is and another one does.
    pub fn recognise(&self, call: &mut Call<'_>, trace: &mut Trace) {
        let principal = &mut call.principal;
        let unknown = principal.kind == Kind::Unknown && principal.identity.kind == IdentityType::AssumedRole;
        let known = || session(&principal.identity).is_some_and(|session| self.code.contains(&session));
        if unknown && known() {
            principal.kind = Kind::Workload;
            principal.because = "another record shows that a compute service or a pod assumed the role";
            trace.step("origin", || principal.because.to_owned());
        }
    }
}

/// The session that a call was made in, as [`Origins`] know it.
pub fn session(identity: &Identity<'_>) -> Option<u64> {
    let (role, _) = identity.assumed_role()?;
    let account = Arn::split(identity.arn.as_deref()?)?.account;
    Some(name(identity.access_key_id.as_deref()?, account, role))
}

fn given_to_code(record: &Record<'_>) -> Option<u64> {
    let action = Action::of(record);
    let identity = Identity::read(record.user_identity);
    let to_code = match &*action.name {
        "AssumeRole" => {
            let service =
                identity.invoked_by.as_deref().filter(|_| identity.kind == IdentityType::AwsService);
            service.and_then(service_name).is_some_and(|service| COMPUTE.contains(&service))
        }
        "AssumeRoleWithWebIdentity" => {
            identity.kind == IdentityType::WebIdentityUser
                && identity.web_provider().is_some_and(vouches_for_code)
        }
        _ => false,
    };
    let credentials = record.response_elements.get("credentials").filter(|_| to_code)?;
    let key = credentials.get("accessKeyId").and_then(Raw::text)?;
    let role = record.assumed_role_arn()?;
    let Arn { account, resource, .. } = Arn::split(&role)?;
    Some(name(&key, account, resource.rsplit('/').next()?))
}

fn name(key: &str, account: &str, role: &str) -> u64 {
    [account, role]
        .into_iter()
        .fold(xxh3_64(key.as_bytes()), |seed, part| xxh3_64_with_seed(part.as_bytes(), seed))
}

#[cfg(test)]
mod tests {
    use handsoff_cloudtrail::Entry;

    use super::*;
    use crate::Policy;

    const KEY: &str = "ASIA0123456789ABCDEF";
    const LAMBDA: &str = r#"{"type":"AWSService","invokedBy":"lambda.amazonaws.com"}"#;

    fn record(json: &str) -> Record<'_> {
        let Ok((Entry::Record(record), _)) = Record::read(json) else { panic!("no record: {json}") };
        record
    }

    fn taken(name: &str, by: &str, rest: &str) -> String {
        format!(
            r#"{{"eventSource":"sts.amazonaws.com","eventName":"{name}","userIdentity":{by},
            "requestParameters":{{"roleArn":"arn:aws:iam::1:role/service-role/x"}},
            "responseElements":{{"credentials":{{"accessKeyId":"{KEY}"}}}}{rest}}}"#
        )
    }

    fn session_of(role: &str, name: &str, key: &str, rest: &str) -> String {
        format!(
            r#"{{"eventSource":"ec2.amazonaws.com","eventName":"RunInstances","recipientAccountId":"1","userIdentity":{{
            "type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/{role}/{name}","accountId":"1","accessKeyId":"{key}"{rest}}}}}"#
        )
    }

    /// Who made a call, if a session began so.
    fn kind(began: &str, call: &str) -> Kind {
        let mut origins = Origins::default();
        origins.note(&record(began));
        let mut call = Call::classify(record(call), &Policy::built_in(), &mut Trace::off());
        origins.recognise(&mut call, &mut Trace::off());
        call.principal.kind
    }

    #[test]
    fn a_session_that_a_compute_service_took_on_is_codes() {
        let call = session_of("x", "x", KEY, "");
        assert_eq!(kind(&taken("AssumeRole", LAMBDA, ""), &call), Kind::Workload);
        for service in COMPUTE {
            let by = LAMBDA.replace("lambda", service);
            assert_eq!(kind(&taken("AssumeRole", &by, ""), &call), Kind::Workload, "{service}");
        }
        let pod = r#"{"type":"WebIdentityUser","identityProvider":"arn:aws:iam::1:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0A"}"#;
        assert_eq!(kind(&taken("AssumeRoleWithWebIdentity", pod, ""), &call), Kind::Workload);
    }

    #[test]
    fn nobody_becomes_code_by_what_they_choose() {
        let call = session_of("x", "x", KEY, "");
        let github = r#"{"type":"WebIdentityUser","userName":"system:serviceaccount:a:b","identityProvider":"arn:aws:iam::1:oidc-provider/evil.example/oidc.eks.eu-west-1.amazonaws.com/id/0A"}"#;
        for (began, why) in [
            (taken("AssumeRole", r#"{"type":"IAMUser","arn":"arn:aws:iam::1:user/ana"}"#, ""), "a person"),
            (
                taken(
                    "AssumeRole",
                    r#"{"type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/a/b","accessKeyId":"ASIA9","invokedBy":"lambda.amazonaws.com"}"#,
                    "",
                ),
                "a person, through a service",
            ),
            (
                taken("AssumeRole", &LAMBDA.replace("lambda", "ssm"), ""),
                "a service that does what it is told",
            ),
            (
                taken("AssumeRole", &LAMBDA.replace("amazonaws.com", "evil.example"), ""),
                "no service of AWS's",
            ),
            (taken("AssumeRoleWithWebIdentity", github, ""), "a provider of somebody's own"),
            (taken("AssumeRole", LAMBDA, r#","errorCode":"AccessDenied""#), "it failed"),
            (taken("AssumeRole", LAMBDA, "").replace("sts.", "ec2."), "another service's call"),
        ] {
            assert_eq!(kind(&began, &call), Kind::Unknown, "{why}");
        }
        let lambda = taken("AssumeRole", LAMBDA, "");
        assert_eq!(
            kind(&lambda, &session_of("x", "x", "ASIAFEDCBA9876543210", "")),
            Kind::Unknown,
            "its name"
        );
        assert_eq!(kind(&lambda, &session_of("y", "x", KEY, "")), Kind::Unknown, "another role");
        assert_eq!(
            kind(&lambda, &session_of("x", "ana@example.com", KEY, "")),
            Kind::Human,
            "a person's name"
        );
        let mfa = r#","sessionContext":{"attributes":{"mfaAuthenticated":"true"}}"#;
        assert_eq!(kind(&lambda, &session_of("x", "x", KEY, mfa)), Kind::Human, "a second factor");
    }
}
