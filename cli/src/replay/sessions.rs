//! The break-glass sessions of a replay, and their case files.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use handsoff_case::grant::{GRANT, Grant, GrantError};
use handsoff_case::live::Remembered;
use handsoff_case::review::REVIEW;
use handsoff_case::seal::File;
use handsoff_case::{Facts, Grants, Observation, Seen, Session, drill, seal};
use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::{Record, Time};
use handsoff_core::alert::Note;
use handsoff_core::copies;
use handsoff_core::origins::Origins;
use handsoff_core::policy::BreakGlass;
use handsoff_core::{Code, Detector, Engine, Incident, Policy, Reported, SessionVerdict, Trace};
use handsoff_ledger::accept::ACCEPTANCE;

use super::moments::Moments;
use crate::input::{Place, Position, Problem, Reader, Sink, Source};

/// What is known of one session.
#[derive(Clone, Debug, Default)]
struct Part {
    facts: Facts,
    /// By their order in the case; none, if no case is asked for.
    calls: BTreeMap<String, Observation>,
    /// What each said; none, if no case is asked for.
    moments: Moments,
}

/// The sessions that a thread has seen so far.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    keep_calls: bool,
    parts: BTreeMap<String, Part>,
    grants: BTreeSet<Grant>,
}

/// A session's case.
#[derive(Clone, Debug)]
pub struct Case {
    /// The session's incident.
    pub id: String,
    /// The case's files, the manifest last. None, if no case was asked for.
    pub files: Vec<File>,
    /// What its last alert says beyond the findings.
    pub closing: Vec<Note>,
    /// When that is due.
    pub closes: Option<Time>,
    moments: Moments,
    grants: Arc<Grants>,
}

impl Case {
    /// What its alerts say beyond the findings: what was known at a time.
    pub fn notes(&self, policy: &Policy, at: Option<Time>) -> Vec<Note> {
        if self.moments.is_empty() {
            return Vec::new();
        }
        self.moments.session(&self.id, &self.grants, policy, at).notes()
    }
}

/// A session may take on a role, and that another: so far it is followed.
const CHAIN: usize = 8;

impl Sessions {
    pub(super) fn new(keep_calls: bool) -> Self {
        Self { keep_calls, ..Self::default() }
    }

    /// Adds a call of a session.
    pub(super) fn add(&mut self, case: &str, call: Remembered) {
        let part = match self.parts.get_mut(case) {
            Some(part) => part,
            None => self.parts.entry(case.to_owned()).or_default(),
        };
        if self.keep_calls {
            part.moments.add(call.call.time, call.facts.clone());
            part.add(call.call);
        }
        part.facts.merge(call.facts);
    }

    /// Takes over what another thread has seen.
    pub(super) fn merge(&mut self, other: Self) {
        for (case, part) in other.parts {
            let own = self.parts.entry(case).or_default();
            own.facts.merge(part.facts);
            own.moments.extend(part.moments);
            for call in part.calls.into_values() {
                own.add(call);
            }
        }
        self.grants.extend(other.grants);
    }

    /// Takes an event of `EventBridge` that is none of CloudTrail's: a grant is kept. `None`: it is something else.
    pub(super) fn event(&mut self, object: Raw<'_>) -> Option<Result<(), GrantError>> {
        let text = |key| object.get(key).and_then(Raw::text);
        match &*text("detail-type")? {
            REVIEW | ACCEPTANCE => Some(Ok(())),
            GRANT => {
                let detail = object.get("detail").unwrap_or_default();
                let time = text("time").and_then(|time| Time::parse(&time));
                let grant = Grant::read(detail.as_str(), &text("account").unwrap_or_default(), time);
                Some(grant.map(|grant| {
                    self.grants.insert(grant);
                }))
            }
            _ => None,
        }
    }

    /// Looks through the logs for what was done with roles that the sessions took on: such a call names the role
    /// alone, and only its access key leads to the session. Costs one more reading a link of the chain; sessions that
    /// assumed no role cost none. Gives what can't be read again: calls may be missing in the cases.
    pub(super) fn follow(
        &mut self,
        sources: &[Source],
        engine: &Engine<'_>,
        left_out: &HashSet<u64>,
        progress: &dyn Fn(u64),
    ) -> BTreeSet<Problem> {
        let (mut known, mut problems) = (0, BTreeSet::new());
        for _ in 0..CHAIN {
            let mut keys: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for (case, part) in &self.parts {
                for taken in &part.facts.taken {
                    keys.entry(taken.key.clone()).or_default().push(case.clone());
                }
            }
            if keys.len() == known {
                break;
            }
            known = keys.len();
            let mut chained = Chained { keys, engine, left_out, found: Vec::new(), failed: Vec::new() };
            for (index, source) in sources.iter().enumerate() {
                Reader::default().read(source, &mut chained, progress);
                problems.extend(chained.failed.drain(..).map(|(position, why)| Problem {
                    source: index,
                    file: source.name(),
                    position,
                    message: format!("while looking for calls with assumed roles: {why}"),
                    lost: true,
                }));
            }
            for (case, call) in chained.found {
                self.add(&case, call);
            }
        }
        problems
    }

    /// Judges the sessions as wholes. `latest` is the time of the last record: a session whose end lies before is
    /// over. Gives what is said of them, and the cases.
    pub(super) fn finish(
        self,
        incidents: &BTreeMap<String, Incident>,
        policy: &Policy,
        began: Option<Time>,
        latest: Option<Time>,
    ) -> (Vec<Reported>, Vec<Case>) {
        let (mut findings, mut cases) = (Vec::new(), Vec::new());
        let grants = Arc::new(Grants::new(self.grants, &policy.cases));
        let mut used: BTreeMap<String, (Time, String)> = BTreeMap::new();
        for (id, Part { facts, calls, moments }) in self.parts {
            let session = Session::among(&id, facts, &grants, policy);
            if let (Some(entry), Some(started)) = (session.entry(), session.started()) {
                let now = (started, session.account().to_owned());
                let line = entry.line.to_string();
                if used.get(&line).is_none_or(|last| *last < now) {
                    used.insert(line, now);
                }
            }
            if let Some(first) = incidents.get(&id).and_then(Incident::first) {
                let told = |code| incident_has(incidents.get(&id), code);
                let verdicts = session.violated(first, told).into_iter();
                findings.extend(verdicts.map(|verdict| moments.told(verdict, &session, &grants, policy)));
                let closed = session.closed(first).filter(|_| session.closes() <= latest);
                findings.extend(closed.map(Reported::from));
            }
            let (mut closing, mut files) = (Vec::new(), Vec::new());
            // INVARIANT: what is sealed here is written as JSON without errors; its types have no maps but by text.
            if !calls.is_empty()
                && let Ok((sealed, manifest)) = seal(&session, calls.into_values(), None)
            {
                let manifest_text = sealed.last().map(|file| file.text.as_bytes()).unwrap_or_default();
                let digest = handsoff_case::manifest::sha256(manifest_text);
                closing = session.closing(&manifest, &digest);
                closing.drain(..session.notes().len());
                files = sealed;
            }
            let closes = session.closes();
            cases.push(Case { id, files, closing, closes, moments, grants: Arc::clone(&grants) });
        }
        if let (Some(began), Some(latest)) = (began, latest) {
            let drills = drills(&used, incidents, policy, (began, latest));
            findings.extend(drills.into_iter().map(Reported::from));
        }
        (findings, cases)
    }
}

/// The drills that are due, each in the account where its identity was last used; else in that of all incidents, if
/// they have one in common.
fn drills(
    used: &BTreeMap<String, (Time, String)>,
    incidents: &BTreeMap<String, Incident>,
    policy: &Policy,
    (began, latest): (Time, Time),
) -> Vec<SessionVerdict> {
    let accounts: BTreeSet<&str> =
        incidents.values().filter_map(Incident::first).map(|first| first.account.as_str()).collect();
    let common = accounts.first().filter(|_| accounts.len() == 1).copied().unwrap_or_default();
    let due = |entry: &BreakGlass| {
        let (last, account) =
            used.get(&entry.line.to_string()).map_or((began, common), |(last, account)| (*last, account));
        drill::due(entry, account, last, latest)
    };
    policy.break_glass.iter().filter_map(due).collect()
}

/// Whether calls of an incident have this verdict.
fn incident_has(incident: Option<&Incident>, code: Code) -> bool {
    incident.is_some_and(|incident| incident.counts().keys().any(|(found, _)| *found == code))
}

impl Part {
    fn add(&mut self, call: Observation) {
        match self.calls.get_mut(&call.sort()) {
            Some(known) => known.merge(call),
            None => drop(self.calls.insert(call.sort(), call)),
        }
    }
}

/// Finds the calls that were made with certain access keys.
struct Chained<'p> {
    keys: BTreeMap<String, Vec<String>>,
    engine: &'p Engine<'p>,
    left_out: &'p HashSet<u64>,
    found: Vec<(String, Remembered)>,
    failed: Vec<(Option<Position>, String)>,
}

impl Sink for Chained<'_> {
    fn record(&mut self, record: &Record<'_>, _: &Place<'_>) {
        let key = record.user_identity.get("accessKeyId").and_then(Raw::text);
        let Some(cases) = key.and_then(|key| self.keys.get(&*key)) else { return };
        if self.left_out.contains(&copies::name(record)) {
            return;
        }
        let call = self.engine.classify(*record, &Origins::default(), &mut Trace::off());
        if self.engine.owner(&call, &mut Trace::off()).is(handsoff_break_glass::BreakGlass.name()) {
            // It is a session of its own.
            return;
        }
        for case in cases {
            let call =
                Remembered { call: Observation::chained(&call, Seen::Logs), facts: Facts::of_chained(&call) };
            self.found.push((case.clone(), call));
        }
    }

    // Reported by the first reading.
    fn problem(&mut self, _: Option<Position>, _: String) {}

    fn failed(&mut self, position: Option<Position>, message: String) {
        self.failed.push((position, message));
    }
}
