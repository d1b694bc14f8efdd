//! The way of a record to its verdict: the same for `replay`, `explain`, the functions and the search in `LookupEvents`.

use handsoff_cloudtrail::Record;

use crate::call::Call;
use crate::detector::{Claim, Detector, Detectors, Related, ServiceEvent, Undecided, Verdict};
use crate::disposition::Disposition;
use crate::fast_path::FastPath;
use crate::finding::Finding;
use crate::origins::Origins;
use crate::policy::Policy;
use crate::trace::Trace;

/// All detectors under a policy.
#[derive(Clone, Debug)]
pub struct Engine<'p> {
    /// The policy that holds.
    pub policy: &'p Policy,
    detectors: Detectors,
    /// The most urgent first.
    claims: Vec<(&'static Claim, &'static dyn Detector)>,
}

/// Whose a call is.
#[derive(Clone, Copy, Debug)]
pub enum Owner {
    /// The one detector that judges it.
    Detector(&'static dyn Detector),
    /// No detector's: there is nothing to report, and why.
    Nobody(Disposition),
}

impl Owner {
    /// Whether it is the detector of this name.
    pub fn is(self, detector: &str) -> bool {
        matches!(self, Self::Detector(own) if own.name() == detector)
    }
}

impl<'p> Engine<'p> {
    /// The detectors of the registry under a policy.
    pub fn new(detectors: Detectors, policy: &'p Policy) -> Self {
        let mut claims: Vec<_> = detectors
            .iter()
            .flat_map(|detector| detector.about().claims.iter().map(move |claim| (claim, *detector)))
            .collect();
        claims.sort_by_key(|(claim, _)| claim.priority);
        Self { policy, detectors, claims }
    }

    /// What leaves out at once what leads to nothing.
    pub fn fast_path(&self) -> FastPath<'p> {
        FastPath::new(self.policy, self.detectors)
    }

    /// The one detector that a call belongs to, or why it belongs to none.
    pub fn owner(&self, call: &Call<'_>, trace: &mut Trace) -> Owner {
        if call.record.is_told_elsewhere() {
            trace.step("reported elsewhere?", || "yes".into());
            return Owner::Nobody(Disposition::ToldElsewhere);
        }
        let mut claims = self.claims.iter().peekable();
        let covers = |claim: &Claim, trace: &mut Trace| (claim.covers)(call, self.policy, trace);
        while let Some((claim, detector)) = claims.next_if(|(claim, _)| claim.priority.is_above_calls()) {
            if covers(claim, trace) {
                return Owner::Detector(*detector);
            }
        }
        if let Some(disposition) = call.disposition(trace) {
            return Owner::Nobody(disposition);
        }
        for (claim, detector) in claims {
            if covers(claim, trace) {
                return Owner::Detector(*detector);
            }
        }
        Owner::Nobody(Disposition::Unclaimed)
    }

    /// What is said of a call.
    pub fn judge(&self, call: &Call<'_>, trace: &mut Trace) -> Verdict {
        let owner = self.owner(call, trace);
        trace.step("owner", || match owner {
            Owner::Detector(detector) => detector.name().into(),
            Owner::Nobody(disposition) => format!("no detector: {}", disposition.meaning()),
        });
        match owner {
            Owner::Detector(detector) => detector.judge(call, self.policy, trace),
            Owner::Nobody(disposition) => Verdict::Nothing(disposition),
        }
    }

    /// Classifies a record. `origins`: what other records of the same logs say of where sessions come from.
    pub fn classify<'r>(&self, record: Record<'r>, origins: &Origins, trace: &mut Trace) -> Call<'r> {
        let mut call = Call::classify(record, self.policy, trace);
        origins.recognise(&mut call, trace);
        call
    }

    /// Why a call that was left undecided became nothing.
    pub fn why_not_reported(&self, undecided: &Undecided) -> String {
        let name = undecided.finding.code.detector();
        let own = self.detectors.iter().find(|detector| detector.name() == name);
        own.map(|detector| detector.why_not_reported(self.policy)).unwrap_or_default()
    }

    /// What the detectors keep of a call, beside its verdict.
    pub fn relates(&self, call: &Call<'_>) -> impl Iterator<Item = Related> {
        self.detectors.iter().flat_map(|detector| detector.relates(call, self.policy))
    }

    /// What the detectors keep of an event that isn't CloudTrail's.
    pub fn relates_event(&self, event: &ServiceEvent<'_>) -> impl Iterator<Item = Related> {
        self.detectors.iter().filter_map(|detector| detector.relates_event(event, self.policy))
    }

    /// What the calls show together that were kept, now that all are known.
    pub fn join(&self, related: &[Related]) -> Vec<Finding> {
        let each = self.detectors.iter().map(|detector| (detector, kept_by(*detector, related)));
        let each = each.filter(|(_, of)| !of.is_empty());
        each.flat_map(|(detector, of)| detector.join(of, self.policy)).collect()
    }

    /// What becomes of the calls that were left undecided, now that all are known, and what was kept of others.
    pub fn settle(&self, undecided: Vec<Undecided>, related: &[Related]) -> Vec<Finding> {
        let mut of: Vec<Vec<Undecided>> = self.detectors.iter().map(|_| Vec::new()).collect();
        for one in undecided {
            let name = one.finding.code.detector();
            let own = self.detectors.iter().position(|detector| detector.name() == name);
            if let Some(of) = own.and_then(|own| of.get_mut(own)) {
                of.push(one);
            }
        }
        let each = self.detectors.iter().zip(of).filter(|(_, of)| !of.is_empty());
        each.flat_map(|(detector, of)| detector.settle(of, &kept_by(*detector, related), self.policy))
            .collect()
    }
}

/// What a detector has kept of calls.
fn kept_by(detector: &dyn Detector, related: &[Related]) -> Vec<Related> {
    related.iter().filter(|it| it.finding.code.detector() == detector.name()).cloned().collect()
}
