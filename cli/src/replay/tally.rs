//! What a replay remembers: counts, findings, incidents, problems.
//!
//! Merging two tallies in either order gives the same; that is what makes the output independent of the
//! number of threads.

use std::collections::btree_map::{BTreeMap, Entry};
use std::collections::{HashMap, HashSet};
use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use handsoff_break_glass::live::remembered;
use handsoff_case::Seen;
use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::{Identity, Record, Time};
use handsoff_core::copies::{self, Copies};
use handsoff_core::detector::{RelatedCalls, Undecided};
use handsoff_core::instructions::Actor;
use handsoff_core::origins::Origins;
use handsoff_core::policy::exceptions;
use handsoff_core::session_id;
use handsoff_core::{
    Call, Disposition, Engine, FastPath, Finding, Incident, Key, Kind, Policy, Reported, Trace, Verdict,
    group,
};

use super::digest_notes::DigestNotes;
use super::distinct::Distinct;
use super::findings::Kept;
use super::issuers::Issuers;
use super::sessions::Sessions;
use super::times::looks_like_time;
use crate::input::{Place, Position, Problem, Sink, Source};
use crate::outcome::{Counts, Outcome};
use crate::problems::Problems;

/// What is asked of a replay.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is queried alone")]
pub struct Options {
    /// Leave out what is earlier.
    pub since: Option<Time>,
    /// Leave out what is as late or later.
    pub until: Option<Time>,
    /// Keep every finding whole, for output by line. Incidents keep only a few.
    pub keep_findings: bool,
    /// Show no incident: they are only counted.
    pub count_incidents: bool,
    /// Keep the calls of break-glass sessions, for case files and for what closing alerts say of them.
    pub keep_cases: bool,
    /// Keep what digests say beside findings.
    pub keep_digest_notes: bool,
    /// Measure the time of each verdict.
    pub time_stages: bool,
}

/// What only a whole reading of the logs shows, and verdicts depend on.
#[derive(Debug, Default)]
pub(super) struct Learned {
    /// Records that another of the same call is reported instead of, by [`copies::name`].
    pub(super) left_out: HashSet<u64>,
    /// Of the unknown sessions with findings those that AWS gave to code, and of deploy sessions which are refuted.
    pub(super) origins: Origins,
}

impl Options {
    /// Whether a record lies outside of the range. What has no time can't be shown to.
    pub(crate) fn leave_out(self, record: &Record<'_>) -> bool {
        let Self { since, until, .. } = self;
        if since.is_none() && until.is_none() {
            return false;
        }
        let Some(time) = record.event_time.text().and_then(|time| Time::parse(&time)) else { return false };
        since.is_some_and(|since| time < since) || until.is_some_and(|until| time >= until)
    }
}

/// What one thread has seen so far.
#[derive(Debug, Default)]
pub struct Tally {
    options: Options,
    pub(super) read: u64,
    out_of_range: u64,
    unreadable: u64,
    known: u64,
    odd: u64,
    pub(super) nothing: Distinct,
    /// The calls that each exception covered, by its place in the policy.
    excepted: BTreeMap<usize, Distinct>,
    undecided: Vec<Undecided>,
    /// What may show something together, whatever each call's own verdict is.
    pub(super) related: RelatedCalls,
    findings: Kept,
    incidents: BTreeMap<String, Incident>,
    problems: Problems,
    digest_notes: DigestNotes,
    sessions: Sessions,
    copies: Copies,
    origins: Origins,
    issuers: Issuers,
    /// The sessions of findings of which the record doesn't tell who is behind them.
    unknown: HashSet<u64>,
    /// The sessions of findings on workloads that services have.
    actors: HashSet<Actor>,
    /// What an earlier reading of the logs has shown.
    learned: Arc<Learned>,
    /// The first and the last time, as text: in CloudTrail's form it sorts as the times do.
    times: Option<(String, String)>,
    /// The time that the verdicts took, if it is measured.
    pub decide: Duration,
}

impl Tally {
    /// An empty one.
    pub fn new(options: Options) -> Self {
        Self { options, sessions: Sessions::new(options.keep_cases), ..Self::default() }
    }

    /// The same for logs that were read before.
    pub(super) fn knowing(self, learned: &Arc<Learned>) -> Self {
        Self { learned: Arc::clone(learned), ..self }
    }

    /// What this reading has shown that its verdicts didn't know yet.
    pub(super) fn learned(&self) -> Option<Learned> {
        let left_out = self.copies.left_out();
        let origins = self.origins.conclude().of(&self.unknown, &self.actors);
        (!left_out.is_empty() || !origins.is_empty()).then_some(Learned { left_out, origins })
    }

    /// The records that were not reported because another of the same call was, by [`copies::name`].
    pub(crate) fn left_out(&self) -> &HashSet<u64> {
        &self.learned.left_out
    }

    /// The sink for one source's records.
    pub fn source<'t, 'p>(
        &'t mut self,
        (index, source): (usize, &'t Source),
        engine: &'t Engine<'p>,
        fast_path: &'t mut FastPath<'p>,
    ) -> SourceSink<'t, 'p> {
        SourceSink { tally: self, index, source, engine, fast_path }
    }

    /// Takes over another tally.
    pub fn merge(&mut self, other: Self) {
        self.read += other.read;
        self.out_of_range += other.out_of_range;
        self.unreadable += other.unreadable;
        self.known += other.known;
        self.odd += other.odd;
        self.decide += other.decide;
        self.nothing.merge(other.nothing);
        for (place, calls) in other.excepted {
            self.excepted.entry(place).or_default().merge(calls);
        }
        self.undecided.extend(other.undecided);
        self.related.extend(other.related);
        self.findings.merge(other.findings);
        self.problems.merge(other.problems);
        self.digest_notes.merge(other.digest_notes);
        self.sessions.merge(other.sessions);
        self.copies.merge(other.copies);
        self.origins.merge(other.origins);
        self.issuers.merge(other.issuers);
        self.unknown.extend(other.unknown);
        self.actors.extend(other.actors);
        if let Some((first, last)) = other.times {
            self.time(&first);
            self.time(&last);
        }
        for (id, incident) in other.incidents {
            match self.incidents.entry(id) {
                Entry::Vacant(place) => drop(place.insert(incident)),
                Entry::Occupied(mut own) => own.get_mut().merge(&incident),
            }
        }
    }

    /// Notes a problem.
    pub(super) fn problem(&mut self, problem: Problem) {
        if problem.lost {
            self.unreadable += 1;
        } else {
            self.odd += 1;
        }
        self.problems.add(problem);
    }

    /// Looks through the logs again for what break-glass sessions did with roles that they took on.
    pub(super) fn follow(&mut self, sources: &[Source], engine: &Engine<'_>, progress: &dyn Fn(u64)) {
        for problem in self.sessions.follow(sources, engine, &self.learned.left_out, progress) {
            self.problem(problem);
        }
    }

    fn time(&mut self, time: &str) {
        match &mut self.times {
            None => self.times = Some((time.to_owned(), time.to_owned())),
            Some((first, _)) if time < first.as_str() => time.clone_into(first),
            Some((_, last)) if time > last.as_str() => time.clone_into(last),
            Some(_) => {}
        }
    }

    fn finding(&mut self, finding: Finding, policy: &Policy) {
        let id = &finding.incident;
        if !self.incidents.contains_key(id) {
            self.incidents.insert(id.clone(), Incident::of_periods(id.clone(), &policy.alerts));
        }
        // Of a session its first finding is what the verdicts on it as a whole stand on.
        let only_counted = self.options.count_incidents && !group::is_glass(id);
        match self.incidents.get_mut(id) {
            Some(incident) if only_counted => incident.count_in(&finding),
            Some(incident) => incident.add(finding.clone()),
            None => {}
        }
        if self.options.keep_findings {
            self.findings.add(finding.into());
        }
    }

    /// What follows from all calls of a session.
    fn said_of_session(&mut self, reported: Reported, policy: &Policy) {
        let verdict = match reported {
            Reported::Call(finding) => return self.finding(finding, policy),
            Reported::Session(verdict) => verdict,
        };
        let new = || Incident::of_periods(verdict.incident.clone(), &policy.alerts);
        self.incidents.entry(verdict.incident.clone()).or_insert_with(new).add(verdict.clone());
        if self.options.keep_findings {
            self.findings.add(verdict.into());
        }
    }

    fn verdict(&mut self, call: &Call<'_>, verdict: Verdict, policy: &Policy) {
        let (record, key) = (&call.record, || Key::of(&call.record));
        match verdict {
            Verdict::Nothing(nothing) => {
                self.nothing.add(key(), class(nothing));
                if nothing == Disposition::Expected {
                    self.origins.note_expected(record);
                }
            }
            Verdict::Excepted(place) => {
                self.nothing.add(key(), class(Disposition::Excepted));
                self.excepted.entry(place).or_default().add(key(), 0);
            }
            Verdict::Finding(finding) => {
                self.reported(record, &finding);
                self.actors.extend(Actor::of(call));
                if group::is_glass(&finding.incident) {
                    for (case, call) in remembered(call, &finding, policy, Seen::Logs) {
                        self.sessions.add(&case, call);
                    }
                }
                self.finding(*finding, policy);
            }
            Verdict::Undecided(undecided) => {
                self.reported(record, &undecided.finding);
                self.undecided.push(*undecided);
            }
        }
    }

    /// Notes of a record with a finding what may be a copy of it, and the session of one that doesn't tell who is behind it.
    fn reported(&mut self, record: &Record<'_>, finding: &Finding) {
        self.copies.note(record);
        if finding.principal.kind == Kind::Unknown {
            self.unknown.extend(session_id::of(&Identity::read(record.user_identity)));
        }
    }

    /// Judges the denied calls, removes repeats, sorts.
    pub fn finish(mut self, policy: &Policy) -> Outcome {
        let undecided = std::mem::take(&mut self.undecided);
        let otherwise: HashMap<Key, Disposition> =
            undecided.iter().map(|call| (call.key(), call.otherwise)).collect();
        for (key, nothing) in &otherwise {
            self.nothing.add(*key, class(*nothing));
        }
        let related = std::mem::take(&mut self.related).into_calls();
        let spikes = handsoff_functions::engine(policy).settle(undecided, &related);
        // A call may be one of its principal's and one of its address's.
        let keys: HashSet<Key> = spikes.iter().map(|finding| finding.key).collect();
        let mut repeated = spikes.len() - keys.len();
        for finding in spikes {
            self.finding(finding, policy);
        }
        for finding in handsoff_functions::engine(policy).join(&related) {
            // Each of its records has a verdict of its own besides.
            repeated += 1;
            self.finding(finding, policy);
        }
        let time = |text: &String| Time::parse(text);
        let (began, latest) =
            self.times.as_ref().map_or((None, None), |(first, last)| (time(first), time(last)));
        let sessions = std::mem::take(&mut self.sessions);
        let (findings, cases) = sessions.finish(&self.incidents, policy, began, latest);
        for reported in findings {
            self.said_of_session(reported, policy);
        }
        let mut counts = Counts {
            read: self.read,
            unreadable: self.unreadable,
            known: self.known,
            odd: self.odd,
            out_of_range: self.out_of_range,
            ..Counts::default()
        };
        match std::mem::take(&mut self.nothing).count() {
            Ok(by_class) => {
                for nothing in Disposition::ALL.iter().copied() {
                    let mut count = by_class.get(class(nothing)).copied().unwrap_or_default();
                    let found = keys.iter().filter(|key| otherwise.get(key) == Some(&nothing)).count();
                    count = count.saturating_sub(found as u64);
                    if count > 0 {
                        counts.nothing.insert(nothing, count);
                    }
                }
            }
            Err(error) => self.lost(&error, &mut counts),
        }
        let excepted = self.excepted(policy, &mut counts);
        let exceptions = exceptions::lines(policy, &excepted, latest.unwrap_or(Time::EPOCH));
        for incident in self.incidents.values() {
            for ((code, severity), count) in incident.counts() {
                *counts.findings.entry(code).or_default().entry(severity).or_default() += count as u64;
            }
        }
        let origins = std::mem::take(&mut self.issuers).of(self.incidents.values());
        let origins = origins.map_err(|error| self.lost(&error, &mut counts)).unwrap_or_default();
        let found: usize = self.incidents.values().map(Incident::count).sum();
        counts.distinct = counts.nothing.values().sum::<u64>() + found.saturating_sub(repeated) as u64;
        let mut incidents: Vec<Incident> = self.incidents.into_values().collect();
        // Once each: an incident's order is found by going through its findings.
        incidents.sort_by_cached_key(|incident| {
            let (severity, time, id) = incident.order();
            (severity, time, id.to_owned())
        });
        let worst = incidents.iter().map(Incident::severity).max();
        let (findings, problems, times) = (self.findings.sorted(), self.problems, began.zip(latest));
        Outcome {
            counts,
            exceptions,
            digest_notes: self.digest_notes,
            findings,
            incidents,
            origins,
            cases,
            problems,
            worst,
            times,
        }
    }

    /// How many calls each exception covered, by its line.
    fn excepted(&mut self, policy: &Policy, counts: &mut Counts) -> BTreeMap<String, u64> {
        let mut calls = BTreeMap::new();
        for (place, distinct) in std::mem::take(&mut self.excepted) {
            let Some(exception) = policy.exceptions.get(place) else { continue };
            match distinct.count() {
                Ok(by_class) => drop(calls.insert(exception.line.to_string(), by_class.iter().sum())),
                Err(error) => self.lost(&error, counts),
            }
        }
        calls
    }

    fn lost(&mut self, error: &io::Error, counts: &mut Counts) {
        let message = format!("temporary file lost, the counts are too low: {error}");
        let file = "handsoff".to_owned();
        self.problems.add(Problem { source: 0, file, position: None, message, lost: true });
        counts.unreadable += 1;
    }
}

pub(super) fn class(nothing: Disposition) -> usize {
    Disposition::ALL.iter().position(|other| *other == nothing).unwrap_or_default()
}

/// Judges the records of one source.
pub struct SourceSink<'t, 'p> {
    tally: &'t mut Tally,
    index: usize,
    source: &'t Source,
    engine: &'t Engine<'p>,
    fast_path: &'t mut FastPath<'p>,
}

impl SourceSink<'_, '_> {
    fn note(&mut self, position: Option<Position>, message: String, lost: bool) {
        self.tally.problem(Problem { source: self.index, file: self.source.name(), position, message, lost });
    }

    /// Names what a record lacks though it is judged.
    fn oddities(&mut self, record: &Record<'_>, place: &Place<'_>) {
        // A sum of calls has none of these, and is nobody's call.
        if record.is_sum() {
            return;
        }
        let mut lacks = Vec::new();
        if !record.event_id.has_text() {
            lacks.push("no eventID, so that repeats are recognised only by its text".to_owned());
        }
        match record.event_time.text() {
            Some(time) if looks_like_time(&time) => self.tally.time(&time),
            None => lacks.push("no eventTime, so that it is in no window of denied calls".to_owned()),
            // The hot path doesn't parse the time of what leads to nothing: twenty bytes that look like one do.
            Some(time) if Time::parse(&time).is_none() => {
                let time = handsoff_core::show::clean(&time, 40);
                lacks.push(format!(
                    "an eventTime that is none, `{time}`, so that it is in no window of denied calls"
                ));
            }
            Some(_) => {}
        }
        let identity = record.user_identity;
        if identity.is_absent() && !record.is_nobodys() {
            lacks.push("no userIdentity, so that the caller is unknown".to_owned());
        } else if !identity.is_absent() && !identity.is_object() {
            lacks.push("a userIdentity that is no object, so that the caller is unknown".to_owned());
        }
        if !record.event_name.has_text() && !record.is_insight() {
            lacks.push("no eventName, so that it counts as a change".to_owned());
        }
        if !lacks.is_empty() {
            self.note(
                Some(place.position()),
                format!("a record with {}; judged anyway", lacks.join("; ")),
                false,
            );
        }
    }
}

impl Sink for SourceSink<'_, '_> {
    fn record(&mut self, record: &Record<'_>, place: &Place<'_>) {
        let start = self.tally.options.time_stages.then(Instant::now);
        self.tally.read += 1;
        self.oddities(record, place);
        // Also where it is out of range: a session may have begun before.
        self.tally.origins.note(record, self.engine.policy);
        self.tally.issuers.note(record);
        if self.tally.options.leave_out(record) {
            self.tally.out_of_range += 1;
            return;
        }
        let Learned { left_out, origins } = &*self.tally.learned;
        if !left_out.is_empty() && left_out.contains(&copies::name(record)) {
            return;
        }
        self.tally.copies.note_correction(record);
        let known = self.fast_path.disposition(record);
        if let Some(nothing) = known {
            self.tally.nothing.add(Key::brief(record), class(nothing));
            if nothing == Disposition::Expected {
                self.tally.origins.note_expected(record);
            }
        }
        let notes = self.tally.options.keep_digest_notes;
        // What a deploy role changes is no finding, and ends what was changed by hand.
        if known.is_none() || (notes && known == Some(Disposition::Expected)) {
            let policy = self.engine.policy;
            let call = self.engine.classify(*record, origins, &mut Trace::off());
            let verdict = match known {
                Some(known) => Verdict::Nothing(known),
                None => self.engine.judge(&call, &mut Trace::off()),
            };
            if notes {
                self.tally.digest_notes.call(&call, &verdict, policy);
            }
            if known.is_none() {
                self.tally.origins.note_call(&call);
                self.tally.related.extend(self.engine.relates(&call));
                self.tally.verdict(&call, verdict, policy);
            }
        }
        if let Some(start) = start {
            self.tally.decide += start.elapsed();
        }
    }

    fn other(&mut self, object: Raw<'_>, place: &Place<'_>) -> bool {
        if self.tally.options.keep_digest_notes
            && let Err(why) = self.tally.digest_notes.event(object)
        {
            self.note(Some(place.position()), why.to_string(), true);
        }
        match self.tally.sessions.event(object) {
            None => self.tally.service_event(self.engine, object),
            Some(Ok(())) => true,
            Some(Err(why)) => {
                self.note(Some(place.position()), why.to_string(), true);
                true
            }
        }
    }

    fn known(&mut self) {
        self.tally.known += 1;
    }

    fn incomplete(&mut self, place: &Place<'_>) {
        let Position { line, column, .. } = place.position();
        let file = handsoff_core::show::clean(&self.source.name(), 500);
        // Nothing is wrong with what is here. Closed standard error is no reason to fail.
        let _ = writeln!(
            io::stderr(),
            "{file}:{line}:{column}: an answer with a NextToken: CloudTrail had more results, which aren't \
             here"
        );
    }

    fn problem(&mut self, position: Option<Position>, message: String) {
        self.note(position, message, true);
    }
}
