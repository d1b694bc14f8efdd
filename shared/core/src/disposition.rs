//! Why there is nothing to report on a record.

use handsoff_cloudtrail::Effect;
use serde::Serialize;
use strum::VariantArray;

use crate::call::{Call, Outcome, is_tool_call};
use crate::principal::{Kind, is_customers_service};
use crate::trace::Trace;

/// Why there is nothing to report, in the order of the summary.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    strum::Display,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Disposition {
    /// It changes nothing.
    Read,
    /// A deploy role changed something: that is its job.
    Expected,
    /// An AWS service acted on its own behalf.
    Service,
    /// A workload changed what its entry lets it.
    WorkloadAllowed,
    /// An exception tolerates it.
    Excepted,
    /// A step of a sign-in, or of a session's upkeep.
    SignInStep,
    /// Denied, and not one of many.
    Denied,
    /// The caller could not prove who it is.
    Unauthenticated,
    /// A change that failed for another reason.
    Attempt,
    /// The caller only asked whether it could.
    DryRun,
    /// Another record reports it.
    ToldElsewhere,
    /// A request without AWS credentials that was refused, or that an app's customer makes to sign up and in.
    Anonymous,
    /// A tool call of an agent: what the tool does is recorded by itself.
    ToolCall,
    /// No detector that is registered looks at such calls.
    Unclaimed,
}

impl Disposition {
    /// All, in the order of the summary.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The name in every output.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// What it means, in plain words.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Read => "changes nothing",
            Self::SignInStep => "a step of a sign-in, or of a session's upkeep",
            Self::Service => "an AWS service acting on its own behalf",
            Self::Expected => "a change by a deploy role",
            Self::WorkloadAllowed => "a change that a [[workload]] entry allows",
            Self::Excepted => "an [[exception]] covers it",
            Self::Denied => "denied, and below the thresholds of a spike",
            Self::Unauthenticated => "the caller's authentication failed",
            Self::Attempt => "a change that failed for another reason",
            Self::DryRun => "a dry run, which only checks permissions",
            Self::ToldElsewhere => "a VPC endpoint's copy of a call, or an aggregated event",
            Self::Anonymous => "without AWS credentials: an app's customer, or denied",
            Self::ToolCall => "an agent's tool call, whose API calls have records of their own",
            Self::Unclaimed => "no detector looks at such calls",
        }
    }
}

impl Call<'_> {
    /// Why there is nothing to report of a call by itself: it changes nothing, it failed, or it is somebody's job. A denied
    /// call is none of these: many are worth a look.
    pub fn disposition(&self, trace: &mut Trace) -> Option<Disposition> {
        let yes_no = |yes: bool| if yes { "yes" } else { "no" };
        if is_tool_call(&self.record) {
            return Some(Disposition::ToolCall);
        }
        trace.step("succeeded?", || yes_no(self.outcome == Outcome::Succeeded).into());
        if self.outcome != Outcome::Succeeded {
            return self.disposition_of_failed();
        }
        let changes = matches!(self.effect, Effect::Changes | Effect::SignsIn);
        trace.step("changes or signs in?", || yes_no(changes).into());
        match self.effect {
            Effect::Reads => return Some(Disposition::Read),
            Effect::SignInPlumbing if self.code_in_console().is_none() => {
                return Some(Disposition::SignInStep);
            }
            Effect::SignInPlumbing | Effect::SignsIn | Effect::Changes => {}
        }
        let by_itself = matches!(self.principal.kind, Kind::Service | Kind::DeployRole);
        trace.step("by a service or the pipeline?", || yes_no(by_itself).into());
        match self.principal.kind {
            Kind::Service => Some(Disposition::Service),
            Kind::DeployRole => Some(Disposition::Expected),
            Kind::Anonymous if is_customers_service(&self.action.service) => Some(Disposition::Anonymous),
            _ => None,
        }
    }

    fn disposition_of_failed(&self) -> Option<Disposition> {
        let kind = self.principal.kind;
        match &self.outcome {
            Outcome::DryRun => Some(Disposition::DryRun),
            Outcome::Denied(_) if kind == Kind::Service => Some(Disposition::Service),
            // All of the internet is not one principal, and has no credentials that could be in wrong hands.
            Outcome::Denied(_) if kind == Kind::Anonymous => Some(Disposition::Anonymous),
            Outcome::Denied(_) => None,
            Outcome::Unauthenticated(_) => Some(Disposition::Unauthenticated),
            _ if self.effect == Effect::Reads => Some(Disposition::Read),
            _ => Some(Disposition::Attempt),
        }
    }
}
