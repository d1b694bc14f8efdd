//! Where a session comes from, by another record: the one in which a compute service, a pod, a person or another session
//! assumed the role.
//!
//! A record names a session's role and name, and may say nothing of whose it is. The role can be anyone's who may
//! assume it, and its name is the caller's to choose: neither shows code. The access key does: AWS makes it, and writes
//! it in `responseElements` of the call that gave it out, and in each call that is made with it.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use handsoff_cloudtrail::partition::service_name;
use handsoff_cloudtrail::{Action, Identity, IdentityType, Record, is_used_by_people};

use crate::call::{Call, Outcome, Target};
use crate::deploy_sessions::DeploySessions;
use crate::finding::Key;
use crate::instructions::{Actor, Instructions};
use crate::policy::{Policy, misuse};
use crate::principal::{Kind, Principal, compute_service, vouches_for_code};
use crate::session_id::{self, issued_by};
use crate::show::clean;
use crate::trace::Trace;

/// Services that assume a role for code that they run: not those that do what a person tells them, as Systems Manager
/// and CloudFormation do.
const COMPUTE: [&str; 7] =
    ["batch", "ec2", "ecs-tasks", "edgelambda", "lambda", "pods.eks", "tasks.apprunner"];

/// So many issuers are followed, from each session to those that were issued in it.
pub const HOPS: usize = 5;

/// What the records of a log say of where sessions come from, by a hash of key and role. Sets: it doesn't matter which record
/// comes first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    /// Sessions that AWS gave to code.
    code: HashSet<u64>,
    /// Sessions of roles that people assumed: who.
    persons: BTreeMap<u64, String>,
    /// Deploy sessions that began otherwise than they may: how.
    refuted: BTreeMap<u64, String>,
    /// Which session issued which.
    issued: BTreeSet<Issue>,
    /// What services were told to do.
    instructions: Instructions,
    /// The deploy sessions that changed something.
    deploys: DeploySessions,
    /// Those whose beginning the log should show and doesn't, and the first change of each.
    unproven: HashMap<u64, Key>,
}

impl Origins {
    /// Notes a record, if its call issued a session.
    pub fn note(&mut self, record: &Record<'_>, policy: &Policy) {
        // Most records end here.
        if !record.event_source.as_str().starts_with("\"sts.") || !record.error_code.is_absent() {
            return;
        }
        let deploys = self.deploys.note_beginning(record, policy);
        let identity = Identity::read(record.user_identity);
        self.code.extend(given_to_code(record, &identity));
        if identity.is_service() && !deploys && !is_through_people(&identity) {
            return;
        }
        match Beginning::of(&Call::classify(*record, policy, &mut Trace::off()), policy) {
            Some(Beginning::Refuted { session, how }) => keep(&mut self.refuted, session, how),
            Some(Beginning::ByPerson { session, who }) => keep(&mut self.persons, session, who),
            Some(Beginning::Issued(issue)) => drop(self.issued.insert(issue)),
            Some(Beginning::Allowed(_)) | None => {}
        }
    }

    /// Notes a call, if it tells a service what to do.
    pub fn note_call(&mut self, call: &Call<'_>) {
        self.instructions.note(call);
    }

    /// Notes a change by a deploy role that is expected.
    pub fn note_expected(&mut self, record: &Record<'_>) {
        self.deploys.note_change(record);
    }

    /// Takes over what others have seen.
    pub fn merge(&mut self, other: Self) {
        self.code.extend(other.code);
        other.persons.into_iter().for_each(|(session, who)| keep(&mut self.persons, session, who));
        other.refuted.into_iter().for_each(|(session, how)| keep(&mut self.refuted, session, how));
        self.issued.extend(other.issued);
        self.instructions.merge(other.instructions);
        self.deploys.merge(other.deploys);
    }

    /// The same with no more of the sessions of code than these, and with instructions only if one of these acts on them.
    #[must_use]
    pub fn of(self, sessions: &HashSet<u64>, actors: &HashSet<Actor>) -> Self {
        let instructed = actors.iter().any(|actor| self.instructions.behind(actor).is_some());
        let instructions = if instructed { self.instructions } else { Instructions::default() };
        let code = self.code.intersection(sessions).copied().collect();
        Self { code, instructions, ..self }
    }

    /// What follows from all of it for verdicts: the sessions of code, the deploy sessions that are refuted, and the persons
    /// behind sessions that assumed a deploy role.
    #[must_use]
    pub fn conclude(&self) -> Self {
        let (mut persons, mut refuted) = (self.persons.clone(), self.refuted.clone());
        for _ in 0..HOPS {
            for issue in &self.issued {
                if let Some(how) = refuted.get(&issue.by).filter(|_| issue.deploys) {
                    let how = passed_on(how);
                    refuted.entry(issue.session).or_insert(how);
                } else if let Some(who) = persons.get(&issue.by).cloned() {
                    if issue.deploys {
                        refuted.entry(issue.session).or_insert_with(|| behind(&who));
                    } else {
                        persons.entry(issue.session).or_insert(who);
                    }
                }
            }
        }
        let deploying: HashSet<u64> =
            self.issued.iter().filter(|issue| issue.deploys).map(|issue| issue.by).collect();
        persons.retain(|session, _| deploying.contains(session));
        let (code, instructions) = (self.code.clone(), self.instructions.clone());
        let unproven = self.deploys.unproven();
        Self { code, persons, refuted, instructions, unproven, ..Self::default() }
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.code.is_empty()
            && self.persons.is_empty()
            && self.refuted.is_empty()
            && self.instructions.is_empty()
            && self.unproven.is_empty()
    }

    /// Whether an identity's session is a deploy session that began otherwise than it may, or of which that isn't known.
    pub fn may_refute(&self, identity: &Identity<'_>) -> bool {
        let known = |session| self.refuted.contains_key(&session) || self.unproven.contains_key(&session);
        !(self.refuted.is_empty() && self.unproven.is_empty()) && session_id::of(identity).is_some_and(known)
    }

    /// Makes the caller a workload, if its record doesn't say who it is and another one does; and says of a deploy role's
    /// misuse what another record shows, and who let a workload act.
    pub fn recognise(&self, call: &mut Call<'_>, trace: &mut Trace) {
        let principal = &mut call.principal;
        if self.is_empty() || principal.identity.kind != IdentityType::AssumedRole {
            return;
        }
        if let Some(actor) = Actor::of(call).filter(|_| !self.instructions.is_empty()) {
            call.instructed = self.instructions.behind(&actor);
        }
        let principal = &mut call.principal;
        let Some(session) = session_id::of(&principal.identity) else { return };
        if principal.kind == Kind::Unknown && self.code.contains(&session) {
            principal.kind = Kind::Workload;
            principal.because = "another record shows that a compute service or a pod assumed the role";
            trace.step("origin", || principal.because.to_owned());
        }
        let deploys = matches!(call.target, Some(Target::Deploy(_)));
        let how = match principal.kind {
            Kind::DeployRole => self.refuted.get(&session).cloned(),
            _ if deploys => self.persons.get(&session).map(|who| behind(who)),
            _ => None,
        };
        if let Some(how) = &how {
            trace.step("origin", || how.clone());
        }
        call.refuted = how;
        let unproven = || self.unproven.get(&session).is_some_and(|first| *first == Key::of(&call.record));
        call.is_unproven = principal.kind == Kind::DeployRole && unproven();
    }
}

/// Of two records of one session, as of a call into another account, the same one counts whichever comes first.
fn keep(sessions: &mut BTreeMap<u64, String>, session: u64, says: String) {
    match sessions.entry(session) {
        Entry::Occupied(mut own) if says < *own.get() => drop(own.insert(says)),
        Entry::Occupied(_) => {}
        Entry::Vacant(place) => drop(place.insert(says)),
    }
}

/// How a session began that a call issued, as far as the call's own record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// A deploy session that its entry of the policy doesn't allow, and why.
    Refuted {
        /// The session.
        session: u64,
        /// What shows it.
        how: String,
    },
    /// A session of another role, which a person assumed.
    ByPerson {
        /// The session.
        session: u64,
        /// The person, as far as the record says.
        who: String,
    },
    /// A deploy session that its entry allows, and that wasn't issued in another one, or in one that began with code.
    Allowed(u64),
    /// A session that was issued in another one, of which this record says nothing.
    Issued(Issue),
}

/// A session that was issued in another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Issue {
    /// The session that was issued.
    pub session: u64,
    /// The one that it was issued in.
    pub by: u64,
    /// Whether it is of a deploy role that no person may assume.
    pub deploys: bool,
}

impl Beginning {
    /// Of a call that issued a session: to a service, that of a deploy role.
    pub fn of(call: &Call<'_>, policy: &Policy) -> Option<Self> {
        if !call.action.assumes_role() || call.outcome != Outcome::Succeeded {
            return None;
        }
        let session = issued_by(&call.record)?;
        let by_session = |deploys| {
            let by = session_id::of(&call.principal.identity)?;
            Some(Self::Issued(Issue { session, by, deploys }))
        };
        match (call.target, call.principal.kind) {
            (Some(Target::Deploy(place)), kind) => {
                let entry = policy.deploy.get(place)?;
                match call.misuse(policy) {
                    // It may be the runner, which the entry should list; or who assumed its role is a person.
                    Some(_)
                        if entry.assumed_by.is_empty()
                            && kind == Kind::Unknown
                            && misuse::by_tags(entry, &call.record).is_none() =>
                    {
                        by_session(!entry.humans)
                    }
                    Some((_, how)) => Some(Self::Refuted { session, how }),
                    None if entry.humans => None,
                    None if began_as_code(&call.principal) => Some(Self::Allowed(session)),
                    None => by_session(true).or(Some(Self::Allowed(session))),
                }
            }
            // An emergency session has its own case; and what misuse of a deploy role leads to elsewhere is reported there.
            (Some(_), _) | (None, Kind::DeployRole) => None,
            (None, Kind::Service) if !is_through_people(&call.principal.identity) => None,
            (None, Kind::Human | Kind::BreakGlass | Kind::Service) => {
                Some(Self::ByPerson { session, who: call.principal.name() })
            }
            (None, _) => by_session(false),
        }
    }
}

/// Whether AWS writes into each record of a caller's session that it gave the credentials to a machine or a function, or that a
/// web identity took the role on: no record of another call shows a person or another session behind it. A deploy role's own
/// session is as its beginning was.
fn began_as_code(principal: &Principal<'_>) -> bool {
    let identity = &principal.identity;
    matches!(principal.kind, Kind::Workload | Kind::Unknown)
        && identity.kind == IdentityType::AssumedRole
        && (identity.federated_provider.is_some() || compute_service(identity).is_some())
}

/// Whether it is a service through which people get roles, as account access manager.
fn is_through_people(identity: &Identity<'_>) -> bool {
    identity.invoked_by.as_deref().is_some_and(is_used_by_people)
}

/// What is said of a deploy session that somebody assumed in a session which a person had assumed.
pub fn behind(who: &str) -> String {
    format!("a person is behind it: `{}` assumed the role that assumed it", clean(who, 128))
}

/// What is said of a deploy session that a misused one assumed.
pub fn passed_on(how: &str) -> String {
    if how.starts_with("it was assumed by") {
        how.to_owned()
    } else {
        format!("it was assumed by a misused session: {how}")
    }
}

fn given_to_code(record: &Record<'_>, identity: &Identity<'_>) -> Option<u64> {
    let action = Action::of(record);
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
    to_code.then(|| issued_by(record))?
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
        origins.note(&record(began), &Policy::built_in());
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
