//! One classification of a record, for all detectors.

use std::borrow::Cow;

use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::partition::is_sign_in;
use handsoff_cloudtrail::{AccessLevel, Action, Agent, Basis, Effect, Record, Time, Via};

use crate::attack::Attack;
use crate::policy::{Agents, Glob, Policy, misuse};
use crate::principal::{Kind, Principal, is_customers_service};
use crate::rules::NO_DENIALS;
use crate::show::clean;
use crate::trace::Trace;

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// It did what it was asked.
    Succeeded,
    /// The caller only asked whether it could.
    DryRun,
    /// The caller lacks the permission: the error code says so, or AWS's sentence. The error code.
    Denied(Cow<'a, str>),
    /// The caller could not prove who it is; the error code, or what the sign-in said.
    Unauthenticated(Cow<'a, str>),
    /// It failed for another reason; the error code.
    Failed(Cow<'a, str>),
}

impl Outcome<'_> {
    /// The error code, if it failed.
    pub fn error(&self) -> Option<&str> {
        match self {
            Self::Succeeded => None,
            Self::DryRun => Some("DryRunOperation"),
            Self::Denied(code) | Self::Unauthenticated(code) | Self::Failed(code) => Some(code),
        }
    }
}

/// The emergency or deploy identity that a call asks for, to take it on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Root, by `AssumeRoot`.
    Root,
    /// The break-glass identity of this entry of the policy.
    BreakGlass(usize),
    /// The deploy role of this entry of the policy.
    Deploy(usize),
}

/// A record, classified once.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// The record.
    pub record: Record<'a>,
    /// Who acted.
    pub principal: Principal<'a>,
    /// What was called.
    pub action: Action<'a>,
    /// What the call does, were it to succeed.
    pub effect: Effect,
    /// What shows the effect.
    pub basis: Basis,
    /// How it ended.
    pub outcome: Outcome<'a>,
    /// Whether it attacks logging or detection.
    pub attack: Option<Attack>,
    /// The identity that it asks for.
    pub target: Option<Target>,
    /// When it was made; `None` when the record doesn't say.
    pub time: Option<Time>,
    /// What another record shows of a deploy role's misuse: see [`crate::origins`].
    pub refuted: Option<String>,
    /// Whether it is the first change of a deploy session of which no record shows the beginning: see
    /// [`crate::deploy_sessions`].
    pub is_unproven: bool,
    /// What another record shows of who let a workload act: see [`crate::instructions`].
    pub instructed: Option<String>,
    /// What the policy says of changes that agents make, if this is one.
    pub raised: Option<Agents>,
}

impl<'a> Call<'a> {
    /// Classifies a record.
    pub fn classify(record: Record<'a>, policy: &Policy, trace: &mut Trace) -> Self {
        let principal = Principal::of(&record, policy);
        let action = Action::of(&record);
        let (effect, basis) = if is_tool_call(&record) {
            // What the tool does has records of its own.
            (Effect::Reads, Basis::List)
        } else {
            action.effect(record.read_only.flag())
        };
        let outcome = outcome(&record, &action, policy);
        let attack = match principal.kind {
            Kind::Service => None,
            kind => Attack::of(&action, &record, policy, kind == Kind::DeployRole).or_else(|| {
                // What fails for another reason than a missing right is a mistake more often than an attack.
                let counts = matches!(outcome, Outcome::Succeeded | Outcome::Denied(_));
                let tries = (effect == Effect::Changes || Attack::drains(&action)) && counts;
                tries.then(|| Attack::on_protected(&action, &record, policy, &principal)).flatten()
            }),
        };
        let target = target(&record, &action, policy);
        let time = record.event_time.text().and_then(|text| Time::parse(&text));
        let (refuted, is_unproven, instructed) = (None, false, None);
        let changed = effect == Effect::Changes && outcome == Outcome::Succeeded;
        let agent = || Agent::of(&record, &principal.identity);
        let raised = policy.agents.clone().filter(|_| changed && agent().is_some());
        let call = Self {
            record,
            principal,
            action,
            effect,
            basis,
            outcome,
            attack,
            target,
            time,
            refuted,
            is_unproven,
            instructed,
            raised,
        };
        call.explain(policy, trace);
        call
    }

    /// The action's access level.
    pub fn access(&self) -> AccessLevel {
        self.action.access()
    }

    /// The account that the record was written for.
    pub fn account(&self) -> Option<Cow<'a, str>> {
        // Where the account of someone anonymous stands, there is a word.
        let caller = || self.principal.identity.account_id.clone();
        self.record.recipient_account_id.text().or_else(|| match self.principal.kind {
            Kind::Anonymous => None,
            _ => caller(),
        })
    }

    /// The account whose door it was: of the role that the call asks for, or of what it reached into in another
    /// account, where CloudTrail writes a record for both. Else the one that the record was written for.
    pub fn door(&self) -> Option<Cow<'a, str>> {
        let asked = self.target.and_then(|_| self.asked_account()).filter(|account| !account.is_empty());
        asked.or_else(|| self.record.reached_account()).or_else(|| self.account())
    }

    /// Whether CloudTrail writes a record of the call for another account as well, which may say more of it: of a caller or a role
    /// of another account, and wherever it says so itself (`sharedEventID`: "CloudTrail record contents", CloudTrail user guide).
    pub fn has_a_copy(&self) -> bool {
        let (own, caller) = (self.record.recipient_account_id.text(), &self.principal.identity.account_id);
        let of_another = caller.is_some() && *caller != own;
        let asked = self.asked_account().filter(|account| !account.is_empty());
        of_another || (asked.is_some() && asked != own) || self.record.shared_event_id.has_text()
    }

    /// The account of the identity that the call asks for.
    pub(crate) fn asked_account(&self) -> Option<Cow<'a, str>> {
        let account_of =
            |arn: &str| handsoff_cloudtrail::Arn::split(arn).map(|arn| arn.account.to_owned().into());
        if self.target == Some(Target::Root) {
            // An account's ID, or its root's ARN.
            let target = self.record.request_parameters.get("targetPrincipal").and_then(Raw::text);
            return Some(target.map(|target| account_of(&target).unwrap_or(target)).unwrap_or_default());
        }
        account_of(&self.record.assumed_role_arn()?)
    }

    /// The agent that made the call for the caller, as far as the record shows one.
    pub fn agent(&self) -> Option<Agent> {
        Agent::of(&self.record, &self.principal.identity)
    }

    /// How the call came in, and which agent its program says it is: a label.
    pub fn via(&self) -> String {
        let via = Via::of(&self.record, &self.principal.identity);
        match self.agent() {
            Some(agent @ Agent::Says(_)) => format!("{via} ({agent})"),
            _ => via.to_string(),
        }
    }

    /// Whether the console made the call, by what AWS says: not by the user agent.
    pub fn is_from_console(&self) -> bool {
        is_from_console(&self.record, &self.principal)
    }

    /// Whether the session used MFA. `None` where the record can't prove either.
    pub fn mfa(&self) -> Option<bool> {
        use handsoff_cloudtrail::IdentityType::{IamUser, Root};
        let identity = &self.principal.identity;
        match self.record.mfa_used().or(identity.mfa_authenticated) {
            Some(true) => Some(true),
            // Always false for federated sessions, whatever the person showed there.
            Some(false) if matches!(identity.kind, IamUser | Root) => Some(false),
            _ => None,
        }
    }

    fn explain(&self, policy: &Policy, trace: &mut Trace) {
        trace.step("fields", || self.fields());
        trace.step("principal", || {
            let arn = clean(self.principal.arn.as_deref().unwrap_or("no ARN"), 256);
            let line = self.principal.entry.and_then(|entry| match self.principal.kind {
                Kind::DeployRole => policy.deploy.get(entry).map(|entry| &entry.line),
                Kind::BreakGlass => policy.break_glass.get(entry).map(|entry| &entry.line),
                _ => policy.workloads.get(entry).map(|entry| &entry.line),
            });
            let line = line.map(|line| format!(" ({line})")).unwrap_or_default();
            format!("{} {arn}: {}{line}", self.principal.kind, self.principal.because)
        });
        if let Some(human) = self.principal.human() {
            trace.step("human", || human);
        }
        trace.step("action", || {
            let read_only = match self.record.read_only.flag() {
                Some(flag) => flag.to_string(),
                None => "absent".into(),
            };
            format!(
                "{} (eventSource {}, eventName {}, readOnly {read_only})",
                clean(&self.action.to_string(), 128),
                clean(&self.record.event_source.text().unwrap_or_else(|| "absent".into()), 64),
                clean(&self.record.event_name.text().unwrap_or_else(|| "absent".into()), 64),
            )
        });
        trace.step("access level", || self.access().to_string());
        trace.step("effect", || {
            let effect = match self.effect {
                Effect::Changes => "changes something",
                Effect::Reads => "changes nothing",
                Effect::SignsIn => "signs in",
                Effect::SignInPlumbing => "a step of a sign-in or of a session's upkeep",
            };
            format!("{effect}: {}", self.basis)
        });
        trace.step("outcome", || match &self.outcome {
            Outcome::Succeeded => "succeeded: no errorCode".into(),
            Outcome::DryRun => "a dry run".into(),
            Outcome::Denied(code) if is_listed(code, policy) => {
                format!("denied: {} is listed in {}", clean(code, 64), policy.denials.line)
            }
            Outcome::Denied(code) => format!("denied: {}, by its name or AWS's sentence", clean(code, 64)),
            Outcome::Unauthenticated(code) => format!("not authenticated: {}", clean(code, 64)),
            Outcome::Failed(code) => format!("failed: {}", clean(code, 64)),
        });
        trace.step("via", || self.via());
        if let Some(attack) = self.attack {
            trace.step("attack", || attack.what.to_owned());
        }
        if let Some(target) = self.target {
            trace.step("asks for", || match target {
                Target::Root => "root, by AssumeRoot".into(),
                Target::BreakGlass(entry) => policy
                    .break_glass
                    .get(entry)
                    .map(|entry| format!("break-glass identity: {}", entry.line))
                    .unwrap_or_default(),
                Target::Deploy(entry) => policy
                    .deploy
                    .get(entry)
                    .map(|entry| format!("deploy role: {}", entry.line))
                    .unwrap_or_default(),
            });
        }
    }
}

impl Call<'_> {
    /// Whether the credentials of code are taken to the console's sign-in, by a person: what shows whose they are.
    pub fn code_in_console(&self) -> Option<&'static str> {
        (self.action.service == "signin").then(|| self.principal.credentials_of_code())?
    }

    /// Whether the call gave somebody who had signed in credentials for the command line (`aws login`).
    pub fn grants_sign_in(&self) -> bool {
        self.action.service == "signin"
            && self.action.name == "CreateOAuth2Token"
            && self.outcome == Outcome::Succeeded
            && self.record.granted_sign_in().is_some()
    }

    /// The account of a provider that made the call under a delegation, and that `[accounts]` doesn't name: that somebody
    /// accepted the delegation is no word of the team's.
    pub fn foreign_delegate(&self, policy: &Policy) -> Option<&str> {
        let account = self.principal.identity.delegate.as_deref()?;
        policy.alerts.account_name(account).is_none().then_some(account)
    }

    /// Whether the call asks for an emergency identity.
    pub fn takes_break_glass(&self) -> bool {
        matches!(self.target, Some(Target::Root | Target::BreakGlass(_)))
    }

    /// Whether the record shows that a deploy role is used otherwise than by its pipeline: how.
    pub fn shows_misuse(&self, policy: &Policy) -> Option<String> {
        self.misuse(policy).map(|(_, how)| how)
    }

    /// The same, with the entry of the policy whose role is misused: the one that the call asks for, else the caller's own.
    /// Who misuses a deploy role may use it to assume another, as its pipeline does.
    pub fn misuse(&self, policy: &Policy) -> Option<(usize, String)> {
        if let Some(Target::Deploy(place)) = self.target {
            let entry = policy.deploy.get(place)?;
            // A person behind the caller says more than that no list has the caller.
            if let Some(how) = self.refuted.clone().filter(|_| !entry.humans) {
                return Some((place, how));
            }
            if let Some(how) = misuse::by_taking(entry, &self.record, &self.principal) {
                return Some((place, how));
            }
        }
        let place = self.principal.entry.filter(|_| self.principal.kind == Kind::DeployRole)?;
        let entry = policy.deploy.get(place)?;
        let how = misuse::by_use(&self.action, entry, &self.record, &self.principal, self.is_from_console());
        // What the session reads is nobody's news: how it began was.
        let refuted = || self.refuted.clone().filter(|_| self.effect == Effect::Changes);
        Some((place, how.or_else(refuted)?))
    }

    /// Whether it is a tool call of an agent, whose API calls have records of their own.
    pub fn is_tool_call(&self) -> bool {
        is_tool_call(&self.record)
    }

    /// The fields that a verdict may rest on, as far as the record has them. Never the access key itself.
    fn fields(&self) -> String {
        let (record, identity) = (&self.record, &self.principal.identity);
        let raw = |raw: Raw<'_>| raw.text().map(|text| clean(&text, 64));
        let text = |text: &Option<Cow<'_, str>>| text.as_deref().map(|text| clean(text, 128));
        let flag = |flag: bool| flag.then(|| "true".to_owned());
        let fields = [
            ("eventType", raw(record.event_type)),
            ("eventCategory", raw(record.event_category)),
            ("recipientAccountId", raw(record.recipient_account_id)),
            ("errorCode", raw(record.error_code)),
            ("sessionCredentialFromConsole", raw(record.session_credential_from_console)),
            (
                "userIdentity.type",
                record.user_identity.get("type").and_then(Raw::text).map(|text| clean(&text, 64)),
            ),
            ("arn", text(&identity.arn)),
            ("sessionIssuer.arn", text(&identity.issuer_arn)),
            ("invokedBy", text(&identity.invoked_by)),
            ("accessKeyId", identity.access_key_id.as_ref().map(|_| "present".to_owned())),
            ("creationDate", text(&identity.creation_date)),
            ("sourceIdentity", text(&identity.source_identity)),
            ("mfaAuthenticated", identity.mfa_authenticated.and_then(flag)),
            ("signInSessionArn", text(&identity.sign_in_session)),
            ("onBehalfOf.userId", text(&identity.on_behalf_of)),
            ("identityProvider", text(&identity.identity_provider)),
            ("federatedProvider", text(&identity.federated_provider)),
            ("invokedByDelegate.accountId", text(&identity.delegate)),
            ("vpcEndpointAccountId", raw(record.vpc_endpoint_account_id)),
            ("ec2RoleDelivery", flag(identity.ec2_role_delivery)),
            ("inScopeOf.issuerType", text(&identity.issued_to)),
        ];
        let present: Vec<String> =
            fields.into_iter().filter_map(|(name, value)| Some(format!("{name} {}", value?))).collect();
        present.join(", ")
    }
}

/// Whether AWS says that the call comes from a console session.
pub(crate) fn is_from_console(record: &Record<'_>, principal: &Principal<'_>) -> bool {
    record.session_credential_from_console.flag() == Some(true)
        || principal.identity.from_console
        || principal.identity.invoked_by.as_deref().is_some_and(is_sign_in)
        || record.event_source.text().is_some_and(|source| is_sign_in(&source))
}

/// Error codes of callers that could not prove who they are. AWS publishes no list.
const UNAUTHENTICATED: [&str; 11] = [
    "AuthFailure",
    "Client.AuthFailure",
    "InvalidClientTokenId",
    "ExpiredToken",
    "ExpiredTokenException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
    "MissingAuthenticationToken",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "RequestExpired",
];

/// Whether the record is of a tool call that an agent made at AWS's MCP server. The API calls that the tool made for
/// it have records of their own, with the identity of the person.
pub(crate) fn is_tool_call(record: &Record<'_>) -> bool {
    // AWS writes it, and each record is asked.
    record.event_type.as_str() == "\"AwsMcpEvent\""
}

fn outcome<'a>(record: &Record<'a>, action: &Action<'_>, policy: &Policy) -> Outcome<'a> {
    let Some(code) = record.error_code.text() else {
        return if record.failed() {
            Outcome::Unauthenticated(record.error_message.text().unwrap_or("Failure".into()))
        } else {
            Outcome::Succeeded
        };
    };
    if code == "Client.DryRunOperation" || code == "DryRunOperation" {
        Outcome::DryRun
    } else if code == "NotAuthorizedException" && is_customers_service(&action.service) {
        // A wrong password, or a token that has expired.
        Outcome::Unauthenticated(code)
    } else if is_listed(&code, policy) {
        Outcome::Denied(code)
    } else if UNAUTHENTICATED.contains(&&*code) {
        Outcome::Unauthenticated(code)
    } else if is_denial(&code, record) {
        Outcome::Denied(code)
    } else {
        Outcome::Failed(code)
    }
}

fn is_listed(code: &str, policy: &Policy) -> bool {
    policy.denials.codes.iter().any(|denied| denied == code)
}

/// Whether a code that the policy doesn't list is a denial all the same: services have names of their own for it.
/// What the rule keeps from the function is none, lest a replay find what the function can't.
fn is_denial(code: &str, record: &Record<'_>) -> bool {
    let named = code.contains("AccessDenied") || code.contains("UnauthorizedOperation");
    let kept_out = || NO_DENIALS.iter().any(|pattern| Glob::new(pattern).matches(code));
    (named || record.is_denied_by_sentence()) && !kept_out()
}

pub(crate) fn target(record: &Record<'_>, action: &Action<'_>, policy: &Policy) -> Option<Target> {
    if action.service != "sts" || !action.name.starts_with("Assume") {
        return None;
    }
    if action.name == "AssumeRoot" {
        return Some(Target::Root);
    }
    let arn = record.assumed_role_arn()?;
    let recipient = record.recipient_account_id.text();
    // The caller's account and the role's may differ; the record is written for both. Here the role's own
    // account decides: `*` is "the account of the role", or taking on a role elsewhere would go unseen.
    let own = handsoff_cloudtrail::Arn::split(&arn).map(|arn| arn.account);
    let in_own = |pattern: &crate::policy::IdentityPattern| pattern.matches(&arn, own);
    if let Some(entry) = policy.break_glass.iter().position(|entry| in_own(&entry.identity)) {
        return Some(Target::BreakGlass(entry));
    }
    let deploy =
        |pattern: &crate::policy::IdentityPattern| pattern.matches(&arn, recipient.as_deref().or(own));
    policy.deploy.iter().position(|entry| deploy(&entry.identity)).map(Target::Deploy)
}
