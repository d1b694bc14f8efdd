//! Throw-away: a domain that is offered to another account, by any caller.
//!
//! Codes: `domain-transferred`.

pub mod codes;

use handsoff_cloudtrail::Action;
use handsoff_core::detector::{About, Claim, Priority, Watch};
use handsoff_core::policy::Policy;
use handsoff_core::rules::{Rule, Whose};
use handsoff_core::{Call, Detector, Finding, Outcome, Severity, Trace, Verdict};

/// The detector.
#[derive(Debug)]
pub struct ThrowAway;

/// What failed is drift's or deny-spike's.
const CLAIMS: [Claim; 1] = [Claim {
    priority: Priority::Attack,
    covers: |call, _, _| is_transfer(&call.action) && call.outcome == Outcome::Succeeded,
}];

/// As in part.yaml.
const RULES: [Rule; 1] =
    [Rule { id: "ThrowAwayRule", whose: Whose::None, pattern: include_str!("../patterns/throw-away.json") }];

fn is_transfer(action: &Action<'_>) -> bool {
    action.service == "route53domains" && action.name == "TransferDomainToAnotherAwsAccount"
}

const ABOUT: About = About { name: "throw-away", codes: &codes::ALL, claims: &CLAIMS, rules: &RULES };

impl Detector for ThrowAway {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn judge(&self, call: &Call<'_>, _: &Policy, trace: &mut Trace) -> Verdict {
        trace.step("rule domain-transferred", || "a domain is offered to another account".into());
        let reason =
            "The account that accepts the transfer has the domain; no policy can except it.".to_owned();
        Finding::new(call, codes::DOMAIN_TRANSFERRED, Severity::High, reason).into()
    }

    /// A deploy role's calls are left out at a facts, but for this one.
    fn watches_action(&self, action: &Action<'_>) -> Watch {
        if is_transfer(action) { Watch::Always } else { Watch::No }
    }
}

#[cfg(test)]
mod tests;
