//! The drift function: findings are remembered and reported; what was changed, by hand and by a deploy role, is kept for the
//! ledger; the sweep's canary is recognised and timed.

use handsoff_cloudtrail::Record;
use handsoff_cloudtrail::json::Raw;
use handsoff_core::{Call, Detector, Disposition, Engine, Finding, Outcome, Owner, Reported, Trace, Verdict};
use handsoff_ledger::live::{PARTITION, remember};
use handsoff_ledger::{Observation, of};
use handsoff_runtime::excepted::{self, Excepted};
use handsoff_runtime::{
    CANARY_TAG, Classifier, Episode, Failure, Function, Lease, Metric, Report, Telling, World, keep_and_tell,
};

use crate::Drift;

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
    /// is reported when they do anything else with it.
    pub fn is(&self, call: &Call<'_>) -> bool {
        !self.role.is_empty()
            && call.outcome == Outcome::Succeeded
            && call.principal.arn.as_deref() == Some(&self.role)
            && call.action.service == "dynamodb"
            && call.action.name == "TagResource"
            && self.is_on_the_table(&call.record)
            && is_our_tag(call.record.request_parameters)
    }

    /// Whether the record names the table and no other, wherever it names one. How CloudTrail writes the parameters of
    /// this call isn't documented. Where it names none, the role's policy has to do: it allows the call on that table
    /// only.
    fn is_on_the_table(&self, record: &Record<'_>) -> bool {
        let asked = record.request_parameters;
        let touched = record.resources.elements().flatten().flat_map(|resource| named(resource, "ARN"));
        let arns = named(asked, "resourceArn").chain(touched);
        let mut arns = arns.filter(|arn| !is_hidden(*arn)).peekable();
        if arns.peek().is_some() {
            return arns.all(|arn| arn.text().as_deref() == Some(&self.table));
        }
        let mut members = asked.members().flatten();
        is_hidden(asked)
            || (asked.is_object()
                && members.all(|(key, value)| key.eq_ignore_ascii_case("tags") || is_hidden(value)))
    }
}

/// Whether a request sets no other tag than the canary's, as far as the record tells.
fn is_our_tag(asked: Raw<'_>) -> bool {
    let tags = named(asked, "tags").flat_map(|tags| tags.elements().flatten());
    let mut keys = tags.flat_map(|tag| named(tag, "key").chain(named(tag, "tagKey")));
    keys.all(|key| is_hidden(key) || key.text().as_deref() == Some(CANARY_TAG))
}

/// The members of an object that have this name, in whatever case.
fn named<'r>(object: Raw<'r>, name: &'static str) -> impl Iterator<Item = Raw<'r>> {
    object.members().flatten().filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// Whether CloudTrail has left a value out, or put a word in its place.
fn is_hidden(value: Raw<'_>) -> bool {
    match value.text() {
        Some(text) => text == "HIDDEN_DUE_TO_SECURITY_REASONS",
        None => !value.is_object() && !value.is_array(),
    }
}

/// The drift function.
#[derive(Debug)]
pub struct DriftFunction<'p> {
    classifier: Classifier<'p>,
    lease: Lease,
    canary: Canary,
}

/// What comes of a record.
#[derive(Debug)]
pub enum Work {
    /// There is something to report, and what it says of resources.
    Finding(Box<Finding>, Vec<Observation>),
    /// There is nothing to report, but something to remember: a deploy role's change, or a deletion; and what an exception
    /// covers.
    Seen(Vec<Observation>, Option<Excepted>),
    /// The canary came back.
    Canary,
}

impl<'p> DriftFunction<'p> {
    /// The function with these detectors.
    pub fn new(engine: Engine<'p>, lease: Lease, canary: Canary) -> Self {
        Self { classifier: Classifier::new(engine), lease, canary }
    }
}

impl Function for DriftFunction<'_> {
    type Work = Work;

    fn name(&self) -> &'static str {
        "handsoff-drift"
    }

    fn judge(&self, record: &Record<'_>) -> Option<Work> {
        let policy = self.classifier.policy();
        // What is expected of a deploy role ends what was changed by hand before.
        if !matches!(self.classifier.disposition(record), None | Some(Disposition::Expected)) {
            return None;
        }
        let call = Call::classify(*record, policy, &mut Trace::off());
        if self.canary.is(&call) {
            return Some(Work::Canary);
        }
        let verdict = match self.classifier.engine.owner(&call, &mut Trace::off()) {
            Owner::Nobody(Disposition::Expected) => Verdict::Nothing(Disposition::Expected),
            owner if owner.is(Drift.name()) => Drift.judge(&call, policy, &mut Trace::off()),
            _ => return None,
        };
        let seen = of(&call, policy, &verdict).observations;
        let excepted = match verdict {
            Verdict::Finding(finding) => return Some(Work::Finding(finding, seen)),
            Verdict::Excepted(place) => Excepted::by(&call, policy, place),
            _ => None,
        };
        (!seen.is_empty() || excepted.is_some()).then_some(Work::Seen(seen, excepted))
    }

    fn timed(&self, work: &Work) -> Option<Metric> {
        match work {
            Work::Finding(..) => Some(Metric::Lag(self.name())),
            // Each metric that is sent costs more than what is remembered.
            Work::Seen(..) => None,
            // Not among the lags too: sent all the time, it would be billed all the time.
            Work::Canary => Some(Metric::CanaryRoundTrip),
        }
    }

    fn unit(&self, work: &Work) -> String {
        match work {
            Work::Finding(finding, _) => {
                Episode::of(&**finding, &self.classifier.policy().alerts).to_string()
            }
            Work::Seen(..) => PARTITION.to_owned(),
            Work::Canary => "canary".to_owned(),
        }
    }

    async fn carry_out(
        &self,
        world: &impl World,
        work: Vec<Work>,
        report: &mut Report,
    ) -> Result<(), Failure> {
        // A canary has nothing to tell: it was timed.
        let (mut findings, mut seen, mut covered) = (Vec::new(), Vec::new(), Vec::new());
        for work in work {
            match work {
                Work::Finding(finding, observations) => {
                    findings.push(Reported::from(*finding));
                    seen.extend(observations);
                }
                Work::Seen(observations, excepted) => {
                    seen.extend(observations);
                    covered.extend(excepted);
                }
                Work::Canary => {}
            }
        }
        let telling = Telling { policy: &self.classifier.policy().alerts, lease: self.lease, notes: &() };
        let told = keep_and_tell(world, telling, &findings, report).await;
        // Alerts come first, and what fails of either is no reason to leave the other out.
        let remembered = remember(world, &seen).await;
        excepted::keep(world, covered).await;
        told.and(remembered)
    }
}

#[cfg(test)]
mod tests;
