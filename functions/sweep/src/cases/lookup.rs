//! What CloudTrail itself remembers of a session: asked at its end, so that the case has what `EventBridge` didn't bring.
//!
//! CloudTrail answers two questions a second, 50 events each. A long session takes more than one sweep: what was
//! asked is remembered, and where an answer stopped.

use std::collections::{BTreeMap, BTreeSet};

use handsoff_break_glass::BreakGlass;
use handsoff_break_glass::live::remembered;
use handsoff_case::facts::{Facts, TAKEN, short_key};
use handsoff_case::live::{Remembered, remember};
use handsoff_case::manifest;
use handsoff_case::observation::{Observation, Seen};
use handsoff_cloudtrail::partition::Partition;
use handsoff_cloudtrail::{Arn, Entry, Record, Time, TimeDelta};
use handsoff_core::{Call, Detector, Engine, Trace, Verdict};
use handsoff_runtime::stored::{self, Was};
use handsoff_runtime::{Ask, Clock, Document, Held, LogLine, Lookup, RuntimeError, World};
use serde::{Deserialize, Serialize};

use crate::context::{Sweep, is_region};

/// The sort key of what was asked.
const SORT: &str = "lookup";

/// For so long a sweep asks for one case.
const ENOUGH: TimeDelta = TimeDelta::seconds(25);

/// After so many sweeps that failed a question is given up, and the case says so.
const TRIES: u32 = 15;

/// A console session mints an access key a request: beyond so many they are not asked for one by one.
const KEYS: usize = 10;

/// What was asked so far, by question.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Progress {
    questions: BTreeMap<String, Asked>,
    #[serde(skip)]
    was: Was,
}

/// The document of what was asked of a case.
#[derive(Clone, Debug)]
struct Questions<'c>(&'c str);

impl Document for Questions<'_> {
    type State = Progress;

    const CHANGE: &'static str = "asking CloudTrail";

    fn keys(&self) -> (String, String) {
        (self.0.to_owned(), SORT.to_owned())
    }

    fn parse(&self, clock: &impl Clock, text: &str) -> Result<Progress, RuntimeError> {
        // To ask once more is safe.
        let read: Option<Progress> = stored::read(clock, "reading the queries to CloudTrail", text, &[]);
        Ok(Progress { was: Was::of(text), ..read.unwrap_or_default() })
    }

    fn text(&self, progress: &Progress) -> Result<String, RuntimeError> {
        progress.was.text(progress, |whole| serde_json::from_value(whole.clone()).unwrap_or_default())
    }
}

/// How far a question is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Asked {
    /// It was asked up to this time. A session that went on is asked for again.
    to: Time,
    /// Answered from there back to this time; `None`: whole.
    until: Option<Time>,
    /// Sweeps in which it failed.
    failed: u32,
    /// What is missing.
    problem: Option<String>,
}

impl Asked {
    fn is_over(&self) -> bool {
        self.until.is_none() || self.failed >= TRIES
    }
}

fn label(ask: &Ask) -> String {
    format!("{} {} {}", ask.region, ask.attribute, ask.value)
}

/// Asks what isn't asked yet, and remembers the session's calls. `None`: there is more to ask, by the next sweep.
pub(super) async fn look_up<W: World + Lookup>(
    sweep: &Sweep<'_, W>,
    case: &str,
    facts: &Facts,
    asks: &[Ask],
) -> Result<Option<manifest::Lookup>, RuntimeError> {
    let world = sweep.world;
    let document = Questions(case);
    let mut held = Held::of(world, &document).await?;
    let events = Events {
        sweep,
        engine: Engine::new(sweep.settings.detectors, sweep.policy),
        case,
        facts,
        enough: world.now() + ENOUGH,
    };
    let mut asked_any = false;
    for ask in asks {
        let new = || Asked { to: ask.to, until: Some(ask.to), failed: 0, problem: None };
        let asked = held.state.questions.entry(label(ask)).or_insert_with(new);
        if asked.to < ask.to {
            *asked = new();
        }
        if asked.is_over() || world.now() > events.enough {
            continue;
        }
        asked_any = true;
        let to = asked.until.unwrap_or(ask.to);
        match events.ask(&Ask { to, ..ask.clone() }).await {
            Ok(None) => asked.until = None,
            // More in one second than a sweep can ask for: the rest of it is not to be had.
            Ok(Some(until)) if until >= to => {
                asked.until = Some(until - TimeDelta::seconds(1));
                asked.problem = Some(format!("more events at {until} than could be read"));
            }
            Ok(Some(until)) => asked.until = Some(until),
            // One Region that doesn't answer must not keep the others from being asked.
            Err(failure) => {
                asked.failed += 1;
                asked.problem = Some(failure.to_string());
                world.log(failure.into());
            }
        }
    }
    if asked_any && !held.write(world).await? {
        // Another sweep is at it.
        return Ok(None);
    }
    let of = |ask: &Ask| held.state.questions.get(&label(ask));
    if asks.iter().any(|ask| of(ask).is_none_or(|asked| !asked.is_over())) {
        return Ok(None);
    }
    let mut problems: BTreeSet<String> = asks
        .iter()
        .filter_map(|ask| {
            let asked = of(ask)?;
            let problem = asked.problem.as_ref().filter(|_| asked.until.is_some() || asked.failed == 0)?;
            Some(format!("{}: {problem}", ask.region))
        })
        .collect();
    if facts.taken.len() >= TAKEN {
        problems
            .insert(format!("of more than {TAKEN} sessions that it assumed, the others were not queried"));
    }
    let shown = |ask: &Ask| match ask.attribute {
        "AccessKeyId" => format!("access key {}", short_key(&ask.value)),
        "ResourceName" => format!("resource {}", ask.value),
        _ => format!("user name {}", ask.value),
    };
    let asked: BTreeSet<String> = asks.iter().map(shown).collect();
    let regions: BTreeSet<String> = asks.iter().map(|ask| ask.region.clone()).collect();
    let problem: Vec<String> = problems.into_iter().take(8).collect();
    Ok(Some(manifest::Lookup {
        complete: problem.is_empty(),
        asked: asked.into_iter().collect(),
        regions: regions.into_iter().collect(),
        problem: (!problem.is_empty()).then(|| problem.join("; ")),
    }))
}

/// What there is to ask of a session, up to a time.
pub(super) fn asks(facts: &Facts, more_regions: &[String], to: Time) -> Vec<Ask> {
    let from = facts.started.first().copied().or(facts.first).unwrap_or(to);
    // By name always: of keys that never came by the feed only CloudTrail knows.
    let names = facts.user_names.iter().map(|name| ("Username", name));
    let keys = facts.keys.iter().filter(|_| facts.keys.len() <= KEYS);
    let keys = keys.chain(facts.taken.iter().map(|taken| &taken.key)).map(|key| ("AccessKeyId", key));
    let asked: BTreeSet<(&'static str, &String)> = names.chain(keys).collect();
    let called =
        facts.regions.iter().chain(more_regions).map(String::as_str).filter(|region| is_region(region));
    let regions: BTreeSet<&str> = called.chain([partition(facts).global]).collect();
    // Clocks differ: the call that takes an identity on and the beginning of its credentials are the same second
    // only on the same machine.
    let from = (from - TimeDelta::minutes(1)).max(Time::EPOCH);
    // Who takes an identity on does so with other credentials: that call names the identity as its resource.
    let opening = from + TimeDelta::minutes(2);
    let opened = facts.identities.iter().map(|arn| ("ResourceName", arn, opening));
    let asked: Vec<_> =
        asked.into_iter().map(|(attribute, value)| (attribute, value, to)).chain(opened).collect();
    let each = regions.iter().flat_map(|region| asked.iter().map(move |ask| (region, ask)));
    each.map(|(region, (attribute, value, to))| Ask {
        region: (*region).to_owned(),
        attribute,
        value: (*value).clone(),
        from,
        to: *to,
    })
    .collect()
}

/// The partition of a session: its identity's, and where it has no ARN, as root, that of the Regions it called.
fn partition(facts: &Facts) -> Partition {
    let of_identity = facts
        .identities
        .iter()
        .find_map(|arn| Arn::split(arn).and_then(|arn| Partition::of_id(arn.partition)));
    of_identity.unwrap_or_else(|| {
        Partition::of_region(facts.regions.first().map(String::as_str).unwrap_or_default())
    })
}

/// The events of a case, of which CloudTrail is asked.
struct Events<'e, W> {
    sweep: &'e Sweep<'e, W>,
    engine: Engine<'e>,
    case: &'e str,
    facts: &'e Facts,
    /// After this time no further page is asked for.
    enough: Time,
}

impl<W: World + Lookup> Events<'_, W> {
    /// Asks page by page. `Some` is the time that the next sweep has to go on from, back to the beginning.
    async fn ask(&self, ask: &Ask) -> Result<Option<Time>, RuntimeError> {
        let world = self.sweep.world;
        let mut page = None;
        let mut until = ask.to;
        loop {
            let (events, next) = world.lookup(ask, page).await?;
            let mut calls = Vec::new();
            for event in &events {
                let Ok((Entry::Record(record), _)) = Record::read(event) else {
                    world.log(LogLine::new("CloudTrail LookupEvents", "an event that is no record"));
                    continue;
                };
                if let Some(time) = record.event_time.text().and_then(|time| Time::parse(&time)) {
                    until = until.min(time);
                }
                calls.extend(self.call(&record));
            }
            remember(world, self.case, &calls).await?;
            page = next;
            if page.is_none() {
                return Ok(None);
            }
            if world.now() > self.enough {
                return Ok(Some(until));
            }
        }
    }

    /// The call of an event, if it is one of the case.
    fn call(&self, record: &Record<'_>) -> Option<Remembered> {
        let engine = &self.engine;
        let call = Call::classify(*record, engine.policy, &mut Trace::off());
        if engine.owner(&call, &mut Trace::off()).is(BreakGlass.name()) {
            let Verdict::Finding(finding) = engine.judge(&call, &mut Trace::off()) else { return None };
            let cases = remembered(&call, &finding, engine.policy, Seen::LookupEvents);
            return cases.into_iter().find(|(own, _)| own == self.case).map(|(_, call)| call);
        }
        let key = call.principal.identity.access_key_id.as_deref()?;
        self.facts.taken.iter().any(|taken| taken.key == key).then(|| Remembered {
            call: Observation::chained(&call, Seen::LookupEvents),
            facts: Facts::of_chained(&call),
        })
    }
}

#[cfg(test)]
mod tests;
