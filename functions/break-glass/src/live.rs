//! The break-glass function: every call by or for an emergency identity is remembered, told, and kept for its case;
//! grants and reviews are kept as they come.

use handsoff_case::facts::Facts;
use handsoff_case::grant::{GRANT, Grant};
use handsoff_case::live::{
    Remembered, Reviewed, SessionNotes, archive, keep_review, remember, remember_grant,
};
use handsoff_case::observation::{Observation, Seen};
use handsoff_case::review::{REVIEW, Review};
use handsoff_trail::{Record, Time};
use handsoff_watch::alert::Period;
use handsoff_watch::live::{
    Classifier, Detector, Envelope, Episode, Failure, Lease, Metric, Report, Telling, World, keep_and_tell,
    reopen,
};
use handsoff_watch::show::clean;
use handsoff_watch::{Call, Code, Finding, Owner, Policy};

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

/// What comes of an event.
#[derive(Clone, Debug)]
pub enum Work {
    /// A call: its verdict, and what it is for a case. Whoever was refused has no session, and so no case.
    Call(Box<Finding>, Option<Box<Remembered>>),
    /// An approval.
    Grant(Grant),
    /// A review, and its text for the dead letters.
    Review(Review, String),
}

/// What a call is for its session's case; nothing, if it only asked for one.
pub fn remembered(call: &Call<'_>, finding: &Finding, policy: &Policy, seen: Seen) -> Option<Remembered> {
    (finding.code != Code::GlassSignInFailed)
        .then(|| Remembered { call: Observation::new(call, finding, seen), facts: Facts::of(call, policy) })
}

impl Detector for BreakGlass<'_> {
    type Work = Work;

    fn name(&self) -> &'static str {
        "handsoff-break-glass"
    }

    fn judge(&self, record: &Record<'_>) -> Option<Work> {
        let policy = self.classifier.policy;
        let call = self.classifier.call(record)?;
        (call.owner(policy) == Owner::BreakGlass).then(|| {
            let finding = judge(&call, policy, &mut ());
            let remembered = remembered(&call, &finding, policy, Seen::EventBridge);
            Work::Call(Box::new(finding), remembered.map(Box::new))
        })
    }

    fn other(&self, envelope: Envelope<'_>, detail: &str) -> Option<Result<Work, String>> {
        let from = &self.classifier.policy.cases.approvals_from;
        let listed = from.is_empty() || from.iter().any(|account| account == envelope.account);
        match envelope.kind {
            GRANT | REVIEW if !listed => Some(Err(format!(
                "{}: sent from account {}, which `approvals_from` of [cases] doesn't list",
                envelope.kind,
                clean(envelope.account, 32)
            ))),
            GRANT => Some(Grant::read(detail, envelope.account, Time::parse(envelope.time)).map(Work::Grant)),
            REVIEW => Some(Review::read(detail).map(|review| Work::Review(review, detail.to_owned()))),
            _ => None,
        }
    }

    fn unit(&self, work: &Work) -> String {
        match work {
            Work::Call(finding, _) => Episode::of(finding, &self.classifier.policy.alerts).to_string(),
            Work::Grant(_) => "grants".into(),
            Work::Review(review, _) => format!("review {}", review.case),
        }
    }

    async fn carry_out(
        &self,
        world: &impl World,
        works: Vec<Work>,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let (mut findings, mut calls) = (Vec::new(), Vec::new());
        for work in works {
            match work {
                Work::Call(finding, call) => {
                    findings.push(*finding);
                    calls.extend(call.map(|call| *call));
                }
                Work::Grant(grant) => remember_grant(world, &grant).await?,
                Work::Review(review, text) => {
                    if let Reviewed::Refused(why) = keep_review(world, &review).await? {
                        report.count(Metric::UnreadablePayloads(self.name()));
                        world.reject(&text, &why).await?;
                    }
                }
            }
        }
        let Some(case) = findings.first().map(|finding| finding.incident.clone()) else { return Ok(()) };
        // Before it is told, for the message says what is known of the session.
        remember(world, &case, &calls).await?;
        let policy = self.classifier.policy;
        let notes = SessionNotes(policy);
        let telling = Telling { policy: &policy.alerts, lease: self.lease, notes: &notes };
        let told = keep_and_tell(world, telling, &findings, report).await;
        // That one of these fails must not keep the others back.
        let kept = archive(world, &case, &calls).await;
        let opened = reopen(world, &Episode { incident: case, period: Period::Session }).await;
        told.and(kept).and(opened)
    }
}
