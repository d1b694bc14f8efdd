//! Which detector a record belongs to. Every record has one owner, so that nothing is told twice.

use handsoff_cloudtrail::Effect;
use serde::Serialize;

use crate::call::{Call, Outcome, Target, is_tool_call};
use crate::policy::{Deploy, Policy};
use crate::principal::{Kind, Principal, is_customers_service};
use crate::trace::Trace;

/// The detector that judges a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// All that an emergency identity does, and whoever tries to take one on.
    BreakGlass,
    /// Changes, sign-ins, attacks on logging, and misuse of a deploy role.
    Drift,
    /// Denied calls.
    DenySpike,
    /// No detector: there is nothing to report, and why.
    Nobody(Disposition),
}

/// Why there is nothing to report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Disposition {
    /// It changes nothing.
    Read,
    /// A step of a sign-in, or of a session's upkeep.
    SignInStep,
    /// An AWS service acted by itself.
    Service,
    /// A deploy role changed something: that is its job.
    Expected,
    /// A workload changed what its entry lets it.
    WorkloadAllowed,
    /// An exception tolerates it.
    Excepted,
    /// Denied, and not one of many.
    Denied,
    /// The caller could not prove who it is.
    Unauthenticated,
    /// A change that failed for another reason.
    Attempt,
    /// The caller only asked whether it could.
    DryRun,
    /// Another record tells it.
    ToldElsewhere,
    /// A request without AWS credentials that was refused, or that an app's customer makes to sign up and in.
    Anonymous,
    /// A tool call of an agent: what the tool does is recorded by itself.
    ToolCall,
}

impl Disposition {
    /// All, in the order of the summary.
    pub const ALL: [Self; 13] = [
        Self::Read,
        Self::Expected,
        Self::Service,
        Self::WorkloadAllowed,
        Self::Excepted,
        Self::SignInStep,
        Self::Denied,
        Self::Unauthenticated,
        Self::Attempt,
        Self::DryRun,
        Self::ToldElsewhere,
        Self::Anonymous,
        Self::ToolCall,
    ];

    /// The name in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::SignInStep => "sign-in-step",
            Self::Service => "service",
            Self::Expected => "expected",
            Self::WorkloadAllowed => "workload-allowed",
            Self::Excepted => "excepted",
            Self::Denied => "denied",
            Self::Unauthenticated => "unauthenticated",
            Self::Attempt => "attempt",
            Self::DryRun => "dry-run",
            Self::ToldElsewhere => "told-elsewhere",
            Self::Anonymous => "anonymous",
            Self::ToolCall => "tool-call",
        }
    }

    /// What it means, in plain words.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Read => "changes nothing",
            Self::SignInStep => "a step of a sign-in, or of a session's upkeep",
            Self::Service => "an AWS service acting by itself",
            Self::Expected => "a change by a deploy role",
            Self::WorkloadAllowed => "a change that a [[workload]] entry allows",
            Self::Excepted => "an [[exception]] covers it",
            Self::Denied => "denied, and not one of many",
            Self::Unauthenticated => "the caller could not prove who it is",
            Self::Attempt => "a change that failed for another reason",
            Self::DryRun => "only asked whether it could",
            Self::ToldElsewhere => "an endpoint's copy of a call, or a sum of calls",
            Self::Anonymous => "without AWS credentials: an app's customer, or refused",
            Self::ToolCall => "an agent's tool call, whose API calls have records of their own",
        }
    }
}

impl std::fmt::Display for Disposition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl Call<'_> {
    /// The one detector that the record belongs to.
    ///
    /// The order is the rule: what is the more urgent to know comes first. A break-glass identity that stops
    /// a trail is told in its session; a deploy role's denied call counts for denials, unless the call shows
    /// that somebody else uses the role.
    pub fn owner(&self, policy: &Policy) -> Owner {
        self.owner_told(policy, &mut ())
    }

    /// The same, telling each test on the way.
    pub fn owner_told(&self, policy: &Policy, trace: &mut impl Trace) -> Owner {
        let yes_no = |yes: bool| if yes { "yes" } else { "no" };
        if self.record.is_told_elsewhere() {
            trace.step("told by another record?", || "yes".into());
            return Owner::Nobody(Disposition::ToldElsewhere);
        }
        let glass = self.principal.kind == Kind::BreakGlass || self.takes_break_glass();
        trace.step("by or for an emergency id?", || yes_no(glass).into());
        if glass {
            // What comes before there is a session tells nothing yet; of root every step is told.
            let step = self.effect == Effect::SignInPlumbing && !self.principal.is_root();
            let before = step && self.principal.identity.creation_date.is_none();
            return if before { Owner::Nobody(Disposition::SignInStep) } else { Owner::BreakGlass };
        }
        let drift = self.attack.is_some() || self.shows_misuse(policy).is_some();
        trace.step("attack, or role misused?", || yes_no(drift).into());
        if drift {
            return Owner::Drift;
        }
        if is_tool_call(&self.record) {
            return Owner::Nobody(Disposition::ToolCall);
        }
        trace.step("succeeded?", || yes_no(self.outcome == Outcome::Succeeded).into());
        if self.outcome != Outcome::Succeeded {
            return self.owner_of_failed();
        }
        let changes = matches!(self.effect, Effect::Changes | Effect::SignsIn);
        trace.step("changes or signs in?", || yes_no(changes).into());
        match self.effect {
            Effect::Reads => return Owner::Nobody(Disposition::Read),
            Effect::SignInPlumbing if self.code_in_console().is_none() => {
                return Owner::Nobody(Disposition::SignInStep);
            }
            Effect::SignInPlumbing | Effect::SignsIn | Effect::Changes => {}
        }
        let by_itself = matches!(self.principal.kind, Kind::Service | Kind::DeployRole);
        trace.step("by a service or the pipeline?", || yes_no(by_itself).into());
        match self.principal.kind {
            Kind::Service => Owner::Nobody(Disposition::Service),
            Kind::DeployRole => Owner::Nobody(Disposition::Expected),
            Kind::Anonymous if is_customers_service(&self.action.service) => {
                Owner::Nobody(Disposition::Anonymous)
            }
            _ => Owner::Drift,
        }
    }

    fn owner_of_failed(&self) -> Owner {
        let kind = self.principal.kind;
        match &self.outcome {
            Outcome::DryRun => Owner::Nobody(Disposition::DryRun),
            Outcome::Denied(_) if kind == Kind::Service => Owner::Nobody(Disposition::Service),
            // All of the internet is not one principal, and has no credentials that could be in wrong hands.
            Outcome::Denied(_) if kind == Kind::Anonymous => Owner::Nobody(Disposition::Anonymous),
            Outcome::Denied(_) => Owner::DenySpike,
            Outcome::Unauthenticated(_) => Owner::Nobody(Disposition::Unauthenticated),
            _ if self.effect == Effect::Reads => Owner::Nobody(Disposition::Read),
            _ => Owner::Nobody(Disposition::Attempt),
        }
    }

    /// Whether the credentials of code are taken to the console's sign-in, by a person: what shows whose they are.
    pub fn code_in_console(&self) -> Option<&'static str> {
        (self.action.service == "signin").then(|| self.principal.credentials_of_code())?
    }

    /// Whether the call asks for an emergency identity.
    pub fn takes_break_glass(&self) -> bool {
        matches!(self.target, Some(Target::Root | Target::BreakGlass(_)))
    }

    /// Whether the record shows that a deploy role is used otherwise than by its pipeline: how.
    pub fn shows_misuse(&self, policy: &Policy) -> Option<String> {
        if let Some(Target::Deploy(entry)) = self.target {
            let entry = policy.deploy.get(entry)?;
            return crate::policy::misuse::by_taking(entry, &self.record, &self.principal);
        }
        let entry = deploy_entry(&self.principal, policy)?;
        crate::policy::misuse::by_use(
            &self.action,
            entry,
            &self.record,
            &self.principal,
            self.is_from_console(),
        )
    }
}

fn deploy_entry<'p>(principal: &Principal<'_>, policy: &'p Policy) -> Option<&'p Deploy> {
    match principal.kind {
        Kind::DeployRole => policy.deploy.get(principal.entry?),
        _ => None,
    }
}
