//! The drift function: findings are remembered and reported; what was changed, by hand and by a deploy role, is kept for the
//! ledger; the sweep's canary is recognised and timed.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::{Effect, Record};
use handsoff_core::deploy_sessions::session_of;
use handsoff_core::detector::Related;
use handsoff_core::instructions::{Actor, Instruction};
use handsoff_core::origins::Beginning;
use handsoff_core::session_id;
use handsoff_core::{
    Call, Detector, Disposition, Engine, Finding, Key, Kind, Outcome, Owner, Policy, Reported, Trace, Verdict,
};
use handsoff_ledger::live::{PARTITION, remember};
use handsoff_ledger::{Observation, of};
use handsoff_runtime::excepted::{self, Excepted};
use handsoff_runtime::{
    Around, CANARY_TAG, Classifier, Episode, Function, InstructionRecord, KeyUse, KnownUses, Lease, Metric,
    Proof, ProvenSessions, Report, RuntimeError, Session, Telling, Unproven, World, instructed,
    keep_and_tell, keep_issued, key_used, prove, related,
};

use crate::codes::WORKLOAD_WRITE;
use crate::{Drift, deletions, networks};

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
    proven: ProvenSessions,
    known_uses: KnownUses,
}

/// What comes of a record.
#[derive(Debug)]
pub enum Work {
    /// There is something to report, and to remember.
    Finding(Box<Finding>, Box<Seen>),
    /// There is nothing to report, but something to remember.
    Seen(Box<Seen>),
    /// The canary came back.
    Canary,
}

/// What is to be remembered of a record.
#[derive(Debug, Default)]
pub struct Seen {
    /// What it says of resources: a deploy role's change, or a deletion.
    observations: Vec<Observation>,
    /// What an exception covers.
    excepted: Option<Excepted>,
    /// The session that its call issued, or the requests of an agent's tool.
    sessions: Vec<Session>,
    /// What it says of deploy sessions.
    proof: Option<Proof>,
    /// What it says of an instruction to a service.
    instruction: Option<InstructionRecord>,
    /// What counts together with others.
    related: Vec<Related>,
}

impl Seen {
    fn is_empty(&self) -> bool {
        self.observations.is_empty()
            && self.excepted.is_none()
            && self.sessions.is_empty()
            && self.proof.is_none()
            && self.instruction.is_none()
            && self.related.is_empty()
    }
}

/// The unit of what only says who issued a session: before all others, so that an alert on the session finds it.
const ISSUED: &str = "!issued";

impl<'p> DriftFunction<'p> {
    /// The function with these detectors.
    pub fn new(engine: Engine<'p>, lease: Lease, canary: Canary) -> Self {
        Self {
            classifier: Classifier::new(engine),
            lease,
            canary,
            proven: ProvenSessions::default(),
            known_uses: KnownUses::default(),
        }
    }
}

impl Function for DriftFunction<'_> {
    type Work = Work;
    type EventError = Infallible;

    fn name(&self) -> &'static str {
        "handsoff-drift"
    }

    fn judge(&self, record: &Record<'_>) -> Option<Work> {
        let policy = self.classifier.policy();
        let sessions = Session::issued_by(record);
        // What is expected of a deploy role ends what was changed by hand before.
        let judged = matches!(self.classifier.disposition(record), None | Some(Disposition::Expected));
        if !judged && sessions.is_empty() {
            return None;
        }
        let call = Call::classify(*record, policy, &mut Trace::off());
        if self.canary.is(&call) {
            return Some(Work::Canary);
        }
        let owner = if judged {
            self.classifier.engine.owner(&call, &mut Trace::off())
        } else {
            Owner::Nobody(Disposition::Read)
        };
        let verdict = match owner {
            Owner::Nobody(Disposition::Expected) => Verdict::Nothing(Disposition::Expected),
            owner if owner.is(Drift.name()) => Drift.judge(&call, policy, &mut Trace::off()),
            _ => {
                // What another detector says of a change is less than that the deploy session is misused.
                let others = judged.then_some(Verdict::Nothing(Disposition::Unclaimed));
                let proof = proof(&call, policy, others.as_ref());
                let related = Drift.relates(&call, policy);
                let instruction = instruction(&call, None);
                let seen = Seen { sessions, proof, instruction, related, ..Seen::default() };
                return (!seen.is_empty()).then(|| Work::Seen(Box::new(seen)));
            }
        };
        let observations = of(&call, policy, &verdict).observations;
        let proof = proof(&call, policy, Some(&verdict));
        let instruction = instruction(&call, verdict.finding());
        let related = Drift.relates(&call, policy);
        let seen =
            |excepted| Box::new(Seen { observations, excepted, sessions, proof, instruction, related });
        let seen = match verdict {
            Verdict::Finding(finding) => return Some(Work::Finding(finding, seen(None))),
            Verdict::Excepted(place) => seen(Excepted::by(&call, policy, place)),
            _ => seen(None),
        };
        (!seen.is_empty()).then_some(Work::Seen(seen))
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
            Work::Seen(seen)
                if seen.observations.is_empty()
                    && seen.excepted.is_none()
                    && seen.proof.is_none()
                    && seen.instruction.is_none()
                    && seen.related.is_empty() =>
            {
                ISSUED.to_owned()
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
    ) -> Result<(), RuntimeError> {
        // A canary has nothing to tell: it was timed.
        let (mut findings, mut all) = (Vec::new(), Vec::new());
        for work in work {
            match work {
                Work::Finding(finding, seen) => {
                    findings.push(Reported::from(*finding));
                    all.push(*seen);
                }
                Work::Seen(seen) => all.push(*seen),
                Work::Canary => {}
            }
        }
        let (mut seen, mut covered, mut sessions, mut others) =
            (Vec::new(), Vec::new(), Vec::new(), Others::default());
        for Seen { observations, excepted, sessions: issued, proof, instruction, related } in all {
            others.instructions.extend(instruction);
            others.relate(related);
            seen.extend(observations);
            covered.extend(excepted);
            sessions.extend(issued);
            others.proofs.extend(proof);
        }
        // Before the findings: an alert on what was done in a session reads it.
        let issued = keep_issued(world, sessions).await;
        let (more, shown) = self.shown_by_others(world, others).await;
        // What other records show isn't reported as the lesser thing that its own record shows by itself.
        let known: BTreeSet<Key> = more.iter().map(|it| it.as_ref().key()).collect();
        findings.retain(|finding: &Reported| !known.contains(&finding.as_ref().key()));
        findings.extend(more);
        let telling = Telling { policy: &self.classifier.policy().alerts, lease: self.lease, notes: &() };
        let told = keep_and_tell(world, telling, &findings, report).await;
        // Alerts come first, and what fails of either is no reason to leave the other out.
        let remembered = remember(world, &seen).await;
        excepted::keep(world, covered).await;
        told.and(remembered).and(issued).and(shown)
    }
}

/// What records of a batch say that shows something with others alone.
#[derive(Debug, Default)]
struct Others {
    proofs: Vec<Proof>,
    instructions: Vec<InstructionRecord>,
    related: Vec<Related>,
    key_uses: BTreeMap<String, Related>,
}

impl Others {
    /// Of a key's uses in a network and period one is enough.
    fn relate(&mut self, related: Vec<Related>) {
        for one in related {
            if networks::is_use(&one) {
                self.key_uses.entry(format!("{}|{}", one.group, one.role)).or_insert(one);
            } else {
                self.related.push(one);
            }
        }
    }
}

impl DriftFunction<'_> {
    /// What records show of each other: that a deploy session is misused, for whom a service acts, and how much a pipeline deletes.
    /// What fails of one is no reason to leave the others out.
    async fn shown_by_others(
        &self,
        world: &impl World,
        Others { proofs, instructions, related: own, key_uses }: Others,
    ) -> (Vec<Reported>, Result<(), RuntimeError>) {
        let (mut found, mut done) = (Vec::new(), Ok(()));
        match prove(world, proofs, &self.proven, self.classifier.policy().proof.patience).await {
            Ok(misuse) => found.extend(misuse),
            Err(failure) => done = Err(failure),
        }
        match instructed(world, instructions).await {
            Ok(all) => {
                found.extend(all.into_iter().map(|(finding, how)| crate::instructed(finding, &how).into()));
            }
            Err(failure) => done = done.and(Err(failure)),
        }
        let around = Around { reach: deletions::HOUR, most: deletions::LOOK_AT, last: false };
        match related(world, own, around).await {
            Ok(groups) => {
                let joined = groups.into_iter().flat_map(|group| deletions::join(group.calls));
                found.extend(joined.map(Reported::from));
            }
            Err(failure) => done = done.and(Err(failure)),
        }
        match self.new_networks(world, key_uses).await {
            Ok(new) => found.extend(new.into_iter().map(Reported::from)),
            Err(failure) => done = done.and(Err(failure)),
        }
        (found, done)
    }

    /// What there is to report of where long-lived keys were used from.
    async fn new_networks(
        &self,
        world: &impl World,
        key_uses: BTreeMap<String, Related>,
    ) -> Result<Vec<Finding>, RuntimeError> {
        let mut found = Vec::new();
        for (name, related) in key_uses {
            let Some(used) = networks::used(&related).filter(|_| !self.known_uses.has(&name)) else {
                continue;
            };
            let judge = |used: &KeyUse, call: &Finding, all: &[KeyUse]| networks::finding(used, call, all);
            let new =
                key_used(world, &related.group, (&used, &related.finding), networks::MEMORY, judge).await?;
            if new.is_empty() {
                self.known_uses.add(name);
            }
            found.extend(new);
        }
        Ok(found)
    }
}

/// What a call says of an instruction to a service: that there was one, or what the service did.
fn instruction(call: &Call<'_>, finding: Option<&Finding>) -> Option<InstructionRecord> {
    if let Some((group, instruction)) = Instruction::of(call) {
        return Some(InstructionRecord::Instructs(Key::of(&call.record), group, instruction));
    }
    let finding = finding.filter(|it| it.code == WORKLOAD_WRITE)?;
    Some(InstructionRecord::Acts(Actor::of(call)?, Box::new(finding.clone())))
}

/// What a call says of deploy sessions: of the one that it issued, or of the one that it was made in.
fn proof(call: &Call<'_>, policy: &Policy, verdict: Option<&Verdict>) -> Option<Proof> {
    if policy.deploy.is_empty() {
        return None;
    }
    if let Some(beginning) = Beginning::of(call, policy) {
        return Some(Proof::of_issue(call, beginning, || if_refuted(call, policy)));
    }
    if call.principal.kind != Kind::DeployRole || call.effect != Effect::Changes {
        return None;
    }
    let (session, finding) = (session_id::of(&call.principal.identity)?, if_refuted(call, policy)?);
    let known = verdict?.finding();
    let same = known.is_some_and(|known| (known.code, known.severity) == (finding.code, finding.severity));
    let expected = matches!(verdict?, Verdict::Nothing(Disposition::Expected));
    let opening = if expected { opening(call, policy) } else { None };
    (!same).then(|| Proof::of_change(session, &finding, opening))
}

/// What CloudTrail is asked of the session of a call, if no record shows how it began.
fn opening(call: &Call<'_>, policy: &Policy) -> Option<Unproven> {
    let entry = policy.deploy.get(call.principal.entry?)?;
    let (_, created) = session_of(&call.principal.identity).filter(|_| entry.asks_for_proof())?;
    let region = call.record.aws_region.text().unwrap_or_default();
    Some(Unproven {
        role: call.principal.arn.clone()?,
        region: region.into_owned(),
        created: Some(created),
        ..Unproven::default()
    })
}

/// What there is to report of a call if another record shows the misuse of a deploy role.
fn if_refuted(call: &Call<'_>, policy: &Policy) -> Option<Finding> {
    let call = Call { refuted: Some(String::new()), ..call.clone() };
    match Drift.judge(&call, policy, &mut Trace::off()) {
        Verdict::Finding(finding) => Some(*finding),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
