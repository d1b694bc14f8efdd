//! The break-glass function: every call by or for an emergency identity is remembered, reported, and kept for its case;
//! grants, reviews and acceptances of drift, which people send, are kept as they come.

use std::collections::BTreeMap;

use handsoff_case::codes;
use handsoff_case::facts::Facts;
use handsoff_case::grant::{GRANT, Grant, GrantError};
use handsoff_case::live::{
    Remembered, Reviewed, SessionNotes, archive, keep_review, remember, remember_grant,
};
use handsoff_case::observation::{Observation, Seen};
use handsoff_case::review::{REVIEW, Review, ReviewError};
use handsoff_cloudtrail::{Effect, Record, Time};
use handsoff_core::alert::Period;
use handsoff_core::group::own_session;
use handsoff_core::show::clean;
use handsoff_core::{Call, Engine, Finding, Kind, Outcome, Policy, Reported, Severity, Verdict};
use handsoff_ledger::accept::{ACCEPTANCE, AcceptanceError, Accepted};
use handsoff_ledger::live::PARTITION;
use handsoff_runtime::{
    Classifier, Envelope, Episode, Function, Lease, Metric, Report, RuntimeError, Telling, World,
    keep_and_tell, reopen,
};

use crate::BreakGlass;

/// The break-glass function.
#[derive(Debug)]
pub struct BreakGlassFunction<'p> {
    classifier: Classifier<'p>,
    lease: Lease,
}

impl<'p> BreakGlassFunction<'p> {
    /// The function with these detectors.
    pub fn new(engine: Engine<'p>, lease: Lease) -> Self {
        Self { classifier: Classifier::new(engine), lease }
    }
}

/// What comes of an event.
#[derive(Clone, Debug)]
pub enum Work {
    /// A call: its verdict, what it is for cases, and what it says of resources.
    Call(Box<Finding>, Vec<(String, Remembered)>, Vec<handsoff_ledger::Observation>),
    /// Somebody answers for what was changed by hand.
    Acceptance(Box<handsoff_ledger::Observation>),
    /// An approval.
    Grant(Grant),
    /// A review, and its text for the dead letters.
    Review(Review, String),
}

/// What a call is for cases: of its session, and of the one that begins with it. Who was refused has no session, and
/// who takes a step of a sign-in none yet.
pub fn remembered(
    call: &Call<'_>,
    finding: &Finding,
    policy: &Policy,
    seen: Seen,
) -> Vec<(String, Remembered)> {
    let identity = &call.principal.identity;
    let step = call.effect == Effect::SignInPlumbing && !call.grants_sign_in();
    let before = step && identity.creation_date.is_none();
    if finding.code == codes::GLASS_SIGN_IN_FAILED || before {
        return Vec::new();
    }
    let facts = Facts::of(call, policy);
    let own = (finding.incident.clone(), Remembered { call: Observation::new(call, finding, seen), facts });
    let mut all = vec![own];
    // A session that takes an emergency identity on begins another, and goes on.
    if call.takes_break_glass()
        && call.outcome == Outcome::Succeeded
        && call.principal.kind == Kind::BreakGlass
    {
        let reason = "The session assumed an emergency identity: that has its own case.".to_owned();
        let finding = Finding::new(call, codes::GLASS_ESCALATION, Severity::High, reason);
        let remembered =
            Remembered { call: Observation::new(call, &finding, seen), facts: Facts::of_own(call, policy) };
        all.push((own_session(call), remembered));
    }
    all
}

/// Why an event that people or their tools send is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// It didn't come by the event bus.
    #[error("{kind}, perhaps forged: {how}")]
    Forged {
        /// The event's `detail-type`.
        kind: String,
        /// How it came.
        how: NotByBusError,
    },
    /// The policy doesn't let this account send it.
    #[error("{kind}: sent from account {account}, which `approvals_from` of [cases] doesn't list")]
    Account {
        /// The event's `detail-type`.
        kind: String,
        /// The account that sent it, made harmless.
        account: String,
    },
    /// It is no grant.
    #[error(transparent)]
    Grant(#[from] GrantError),
    /// It is no review.
    #[error(transparent)]
    Review(#[from] ReviewError),
    /// It is no acceptance.
    #[error(transparent)]
    Acceptance(#[from] AcceptanceError),
}

/// How an event came that the event bus didn't bring.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotByBusError {
    /// No queue has seen it.
    #[error("the function was invoked with it directly, and no queue shows who sent it")]
    Direct,
    /// Somebody else sent it to the queue.
    #[error("{0} put it into the queue, not EventBridge")]
    Sender(String),
}

impl Function for BreakGlassFunction<'_> {
    type Work = Work;
    type EventError = EventError;

    fn name(&self) -> &'static str {
        "handsoff-break-glass"
    }

    fn judge(&self, record: &Record<'_>) -> Option<Work> {
        let policy = self.classifier.policy();
        let (call, verdict) = self.classifier.judge(record, &BreakGlass)?;
        let seen = handsoff_ledger::of(&call, policy, &verdict).observations;
        let Verdict::Finding(finding) = verdict else { return None };
        let remembered = remembered(&call, &finding, policy, Seen::EventBridge);
        Some(Work::Call(finding, remembered, seen))
    }

    fn other(&self, envelope: Envelope<'_>, detail: &str) -> Option<Result<Work, EventError>> {
        if !matches!(envelope.kind, GRANT | REVIEW | ACCEPTANCE) {
            return None;
        }
        let kind = || envelope.kind.to_owned();
        if let Err(how) = by_the_bus(envelope.sender) {
            return Some(Err(EventError::Forged { kind: kind(), how }));
        }
        let from = &self.classifier.policy().cases.approvals_from;
        let listed = from.is_empty() || from.iter().any(|account| account == envelope.account);
        match envelope.kind {
            _ if !listed => {
                Some(Err(EventError::Account { kind: kind(), account: clean(envelope.account, 32) }))
            }
            GRANT => Some(
                Grant::read(detail, envelope.account, issued(envelope))
                    .map(Work::Grant)
                    .map_err(EventError::from),
            ),
            REVIEW => Some(
                Review::read(detail)
                    .map(|review| Work::Review(review, detail.to_owned()))
                    .map_err(EventError::from),
            ),
            _ => Some(
                Accepted::read(detail, envelope.account, issued(envelope))
                    .map(|it| Work::Acceptance(Box::new(it)))
                    .map_err(EventError::from),
            ),
        }
    }

    fn unit(&self, work: &Work) -> String {
        match work {
            Work::Call(finding, ..) => Episode::of(&**finding, &self.classifier.policy().alerts).to_string(),
            Work::Acceptance(_) => PARTITION.into(),
            Work::Grant(_) => "grants".into(),
            Work::Review(review, _) => format!("review {}", review.case),
        }
    }

    async fn carry_out(
        &self,
        world: &impl World,
        works: Vec<Work>,
        report: &mut Report,
    ) -> Result<(), RuntimeError> {
        let (mut findings, mut seen) = (Vec::new(), Vec::new());
        let mut cases: BTreeMap<String, Vec<Remembered>> = BTreeMap::new();
        for work in works {
            match work {
                Work::Call(finding, calls, observations) => {
                    findings.push(Reported::from(*finding));
                    seen.extend(observations);
                    for (case, call) in calls {
                        cases.entry(case).or_default().push(call);
                    }
                }
                Work::Acceptance(acceptance) => seen.push(*acceptance),
                Work::Grant(grant) => remember_grant(world, &grant).await?,
                Work::Review(review, text) => {
                    let within = self.classifier.policy().cases.review_within;
                    if let Reviewed::Refused(why) = keep_review(world, &review, within).await? {
                        report.count(Metric::UnreadablePayloads(self.name()));
                        world.reject(&text, &why).await?;
                    }
                }
            }
        }
        // Before it is reported, for the message says what is known of the session.
        for (case, calls) in &cases {
            remember(world, case, calls).await?;
        }
        let policy = self.classifier.policy();
        let notes = SessionNotes(policy);
        let telling = Telling { policy: &policy.alerts, lease: self.lease, notes: &notes };
        let mut done = keep_and_tell(world, telling, &findings, report).await;
        // That one of these fails must not keep the others back.
        for (case, calls) in &cases {
            done = done.and(archive(world, case, calls).await);
            let episode = Episode { incident: case.clone(), period: Period::Session };
            done = done.and(reopen(world, &episode).await);
        }
        done.and(handsoff_ledger::live::remember(world, &seen).await)
    }
}

/// Whether an event came by the event bus, as far as SQS tells: by the `SenderId` that it writes on each message.
///
/// `EventBridge` sends as a user of AWS's own, of another ID in each Region; so the ID of a user proves nothing. A session of a
/// role, or an account's root, is never `EventBridge`.
fn by_the_bus(sender: &str) -> Result<(), NotByBusError> {
    if sender.is_empty() {
        return Err(NotByBusError::Direct);
    }
    let user = !sender.contains(':') && !sender.bytes().all(|byte| byte.is_ascii_digit());
    let other = ["AROA", "ASIA", "AKIA", "AGPA", "AIPA", "ANPA", "arn:"]
        .iter()
        .any(|start| sender.starts_with(start));
    if user && !other { Ok(()) } else { Err(NotByBusError::Sender(clean(sender, 128))) }
}

/// When an event was sent: a sender may choose its time, but not when it came to the queue.
fn issued(envelope: Envelope<'_>) -> Option<Time> {
    let arrived =
        envelope.arrived.parse().ok().map(|milliseconds: i64| Time::from_timestamp(milliseconds / 1000));
    Time::parse(envelope.time).max(arrived)
}
