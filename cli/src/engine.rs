//! One record's way to its verdict: the same code for `replay` and `explain`.

use handsoff_break_glass::live::remembered;
use handsoff_case::Seen;
use handsoff_case::live::Remembered;
use handsoff_cloudtrail::Record;
use handsoff_core::origins::Origins;
use handsoff_core::policy::exceptions;
use handsoff_core::{Call, Disposition, Finding, Owner, Policy, Trace};
use handsoff_deny_spike::Denial;

/// What came of a record.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// There is something to report.
    Finding(Box<Finding>),
    /// A call by or for an emergency identity, and what it is for cases.
    Glass(Box<Finding>, Vec<(String, Remembered)>),
    /// There is nothing to report.
    Nothing(Disposition),
    /// There is nothing to report, because the exception at this place of the policy covers it.
    Excepted(usize),
    /// A denied call: whether there is something to report depends on its neighbours.
    Denied(Box<Denial>),
}

/// Judges a record by its one owner. `origins`: what other records of the same logs say of where sessions come from.
pub fn judge(record: Record<'_>, policy: &Policy, origins: &Origins, trace: &mut impl Trace) -> Verdict {
    let mut call = Call::classify(record, policy, trace);
    origins.recognise(&mut call, trace);
    let owner = call.owner_told(policy, trace);
    trace.step("owner", || match owner {
        Owner::BreakGlass => "break-glass".into(),
        Owner::Drift => "drift".into(),
        Owner::DenySpike => "deny-spike".into(),
        Owner::Nobody(nothing) => format!("no detector: {}", nothing.meaning()),
    });
    match owner {
        Owner::Nobody(nothing) => Verdict::Nothing(nothing),
        Owner::BreakGlass => {
            let finding = handsoff_break_glass::judge(&call, policy, trace);
            let remembered = remembered(&call, &finding, policy, Seen::Logs);
            Verdict::Glass(Box::new(finding), remembered)
        }
        Owner::Drift => match handsoff_drift::judge(&call, policy, trace) {
            Ok(finding) => Verdict::Finding(Box::new(finding)),
            Err(nothing) => match exceptions::covering(&call, policy, &mut ()) {
                Some(place) if nothing == Disposition::Excepted => Verdict::Excepted(place),
                _ => Verdict::Nothing(nothing),
            },
        },
        Owner::DenySpike => match exceptions::covering(&call, policy, trace) {
            Some(place) => Verdict::Excepted(place),
            None => Verdict::Denied(Box::new(Denial::of(&call, trace))),
        },
    }
}
