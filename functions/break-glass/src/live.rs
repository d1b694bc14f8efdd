//! The break-glass function: every call by or for an emergency identity is remembered and told.

use std::cell::RefCell;

use handsoff_trail::Record;
use handsoff_watch::live::{Detector, Episode, Failure, Lease, Report, World, keep_and_tell};
use handsoff_watch::{Call, Finding, Owner, Policy, Skim};

use crate::judge;

/// The break-glass function.
#[derive(Debug)]
pub struct BreakGlass<'p> {
    policy: &'p Policy,
    skim: RefCell<Skim<'p>>,
    lease: Lease,
}

impl<'p> BreakGlass<'p> {
    /// The function under a policy.
    pub fn new(policy: &'p Policy, lease: Lease) -> Self {
        Self { policy, skim: Skim::new(policy).into(), lease }
    }
}

impl Detector for BreakGlass<'_> {
    type Work = Finding;

    fn name(&self) -> &'static str {
        "handsoff-break-glass"
    }

    fn judge(&self, record: &Record<'_>) -> Option<Finding> {
        if self.skim.try_borrow_mut().is_ok_and(|mut skim| skim.nothing(record).is_some()) {
            return None;
        }
        let call = Call::classify(*record, self.policy, &mut ());
        (call.owner(self.policy) == Owner::BreakGlass).then(|| judge(&call, self.policy, &mut ()))
    }

    fn unit(&self, finding: &Finding) -> String {
        let Episode { incident, period } = Episode::of(finding, &self.policy.alerts);
        format!("{incident} {period}")
    }

    async fn carry_out(
        &self,
        world: &impl World,
        findings: Vec<Finding>,
        report: &mut Report,
    ) -> Result<(), Failure> {
        keep_and_tell(world, &self.policy.alerts, self.lease, &findings, report).await
    }
}
