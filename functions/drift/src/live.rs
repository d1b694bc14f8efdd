//! The drift function: findings are remembered and told; the sweep's canary is recognised and timed.

use handsoff_trail::json::Raw;
use handsoff_trail::{Record, Time};
use handsoff_watch::live::{
    CANARY_TAG, Classifier, Detector, Episode, Failure, Lease, Metric, Report, Telling, World, keep_and_tell,
};
use handsoff_watch::{Call, Finding, Outcome, Owner, Policy};

use crate::judge;

/// The one call that is the canary: the sweep's own role writes its tag on handsoff's own table.
#[derive(Clone, Debug, Default)]
pub struct Canary {
    /// ARN of the sweep's role.
    pub role: String,
    /// ARN of the table.
    pub table: String,
}

impl Canary {
    /// Whether a call is the canary, and nothing else besides. The role alone is not enough: whoever has stolen it
    /// is told when they do anything else with it.
    pub fn is(&self, call: &Call<'_>) -> bool {
        let asked = call.record.request_parameters;
        let text = |key: &str| asked.get(key).and_then(Raw::text).unwrap_or_default();
        // The role may write no other tag. Where the record tells them, that is looked at all the same.
        let tags = asked.get("tags").into_iter().flat_map(|tags| tags.elements().flatten());
        let mut keys = tags.filter_map(|tag| tag.get("key").or_else(|| tag.get("tagKey"))?.text());
        !self.role.is_empty()
            && call.outcome == Outcome::Succeeded
            && call.principal.arn.as_deref() == Some(&self.role)
            && call.action.service == "dynamodb"
            && call.action.name == "TagResource"
            && text("resourceArn") == self.table
            && keys.all(|key| key == CANARY_TAG)
    }
}

/// The drift function.
#[derive(Debug)]
pub struct Drift<'p> {
    classifier: Classifier<'p>,
    lease: Lease,
    canary: Canary,
}

/// What comes of a record.
#[derive(Debug)]
pub enum Work {
    /// There is something to report.
    Finding(Box<Finding>),
    /// The canary came back: when it was written.
    Canary(Option<Time>),
}

impl<'p> Drift<'p> {
    /// The function under a policy.
    pub fn new(policy: &'p Policy, lease: Lease, canary: Canary) -> Self {
        Self { classifier: Classifier::new(policy), lease, canary }
    }
}

impl Detector for Drift<'_> {
    type Work = Work;

    fn name(&self) -> &'static str {
        "handsoff-drift"
    }

    fn judge(&self, record: &Record<'_>) -> Option<Work> {
        let call = self.classifier.call(record)?;
        if self.canary.is(&call) {
            return Some(Work::Canary(call.time));
        }
        if call.owner(self.classifier.policy) != Owner::Drift {
            return None;
        }
        judge(&call, self.classifier.policy, &mut ()).ok().map(|finding| Work::Finding(Box::new(finding)))
    }

    fn unit(&self, work: &Work) -> String {
        match work {
            Work::Finding(finding) => Episode::of(finding, &self.classifier.policy.alerts).to_string(),
            Work::Canary(_) => "canary".to_owned(),
        }
    }

    async fn carry_out(
        &self,
        world: &impl World,
        work: Vec<Work>,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let mut findings = Vec::new();
        for work in work {
            match work {
                Work::Finding(finding) => findings.push(*finding),
                Work::Canary(Some(written)) => {
                    #[expect(
                        clippy::cast_precision_loss,
                        reason = "seconds within the life of this program"
                    )]
                    report.add(Metric::CanaryRoundTrip, (world.now().0 - written.0).max(0) as f64);
                }
                Work::Canary(None) => {}
            }
        }
        let telling = Telling { policy: &self.classifier.policy.alerts, lease: self.lease, notes: &() };
        keep_and_tell(world, telling, &findings, report).await
    }
}

#[cfg(test)]
mod tests;
