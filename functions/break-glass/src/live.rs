//! The break-glass function: every call by or for an emergency identity is remembered and told.

use handsoff_trail::Record;
use handsoff_watch::live::{
    Classifier, Detector, Episode, Failure, Lease, Report, Telling, World, keep_and_tell,
};
use handsoff_watch::{Finding, Owner, Policy};

use crate::judge;

/// The break-glass function.
#[derive(Debug)]
pub struct BreakGlass<'p> {
    classifier: Classifier<'p>,
    lease: Lease,
}

impl<'p> BreakGlass<'p> {
    /// The function under a policy.
    pub fn new(policy: &'p Policy, lease: Lease) -> Self {
        Self { classifier: Classifier::new(policy), lease }
    }
}

impl Detector for BreakGlass<'_> {
    type Work = Finding;

    fn name(&self) -> &'static str {
        "handsoff-break-glass"
    }

    fn judge(&self, record: &Record<'_>) -> Option<Finding> {
        let call = self.classifier.call(record)?;
        (call.owner(self.classifier.policy) == Owner::BreakGlass)
            .then(|| judge(&call, self.classifier.policy, &mut ()))
    }

    fn unit(&self, finding: &Finding) -> String {
        Episode::of(finding, &self.classifier.policy.alerts).to_string()
    }

    async fn carry_out(
        &self,
        world: &impl World,
        findings: Vec<Finding>,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let telling = Telling { policy: &self.classifier.policy.alerts, lease: self.lease, notes: &() };
        keep_and_tell(world, telling, &findings, report).await
    }
}
