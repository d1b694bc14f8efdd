//! What CloudTrail itself remembers of a session: asked at its end, so that the case has what `EventBridge` didn't bring.
//!
//! CloudTrail answers two questions a second, 50 events each. A long session takes more than one sweep: what was
//! asked is remembered, and where an answer stopped.

use std::collections::{BTreeMap, BTreeSet};

use handsoff_break_glass::judge;
use handsoff_break_glass::live::remembered;
use handsoff_case::facts::{Facts, short_key};
use handsoff_case::live::{Remembered, remember};
use handsoff_case::manifest;
use handsoff_case::observation::{Observation, Seen};
use handsoff_trail::{Entry, Record, Time};
use handsoff_watch::live::{Ask, Failure, Lookup, World};
use handsoff_watch::{Call, Owner, Policy};
use serde::{Deserialize, Serialize};

/// The sort key of what was asked.
const SORT: &str = "lookup";

/// For so many seconds a sweep asks for one case.
const ENOUGH: i64 = 25;

/// After so many sweeps that failed the case is sealed without.
const TRIES: u32 = 5;

/// A console session mints an access key a request: beyond so many it is asked for by name.
const KEYS: usize = 10;

/// `IAM`, `STS` and the console's sign-in are recorded there, whatever Region one works in.
const GLOBAL: &str = "us-east-1";

/// What was asked so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Progress {
    /// Answered whole: Region, attribute, value.
    done: BTreeSet<String>,
    /// Answered from the end back to this time.
    until: BTreeMap<String, Time>,
    /// Sweeps that failed.
    failed: u32,
    /// What they said.
    problem: Option<String>,
}

/// Asks what isn't asked yet, and remembers the session's calls. `None`: there is more to ask, by the next sweep.
pub(super) async fn look_up(
    world: &(impl World + Lookup),
    policy: &Policy,
    case: &str,
    facts: &Facts,
    closes: Time,
) -> Result<Option<manifest::Lookup>, Failure> {
    let (mut version, mut progress) = match world.read(case, SORT).await? {
        None => (None, Progress::default()),
        Some((version, text)) => (Some(version), serde_json::from_str(&text).unwrap_or_default()),
    };
    let asks = asks(facts, closes);
    let enough = world.now().0 + ENOUGH;
    let mut more = false;
    let mut failed = None;
    for ask in &asks {
        let label = format!("{} {} {}", ask.region, ask.attribute, ask.value);
        if progress.failed >= TRIES || progress.done.contains(&label) {
            continue;
        }
        let to = progress.until.get(&label).copied().unwrap_or(ask.to);
        match answer(world, policy, case, facts, &Ask { to, ..ask.clone() }, enough).await {
            Ok(None) => drop(progress.done.insert(label)),
            Ok(Some(until)) => {
                progress.until.insert(label, until);
                more = true;
                break;
            }
            Err(failure) => {
                failed = Some(failure);
                break;
            }
        }
    }
    if let Some(failure) = &failed {
        world.complain(failure);
        progress.failed += 1;
        progress.problem = Some(failure.to_string());
        more = progress.failed < TRIES;
    }
    let text = serde_json::to_string(&progress)
        .map_err(|error| Failure::new("writing what was asked as JSON", error))?;
    if !world.swap(case, SORT, version.take(), &text, false).await? {
        // Another sweep is at it.
        return Ok(None);
    }
    if more {
        return Ok(None);
    }
    let complete = progress.failed < TRIES;
    let shown = |ask: &Ask| match ask.attribute {
        "AccessKeyId" => format!("access key {}", short_key(&ask.value)),
        "ResourceName" => format!("resource {}", ask.value),
        _ => format!("user name {}", ask.value),
    };
    let asked: BTreeSet<String> = asks.iter().map(shown).collect();
    let regions: BTreeSet<String> = asks.iter().map(|ask| ask.region.clone()).collect();
    Ok(Some(manifest::Lookup {
        complete,
        asked: asked.into_iter().collect(),
        regions: regions.into_iter().collect(),
        problem: if complete { None } else { progress.problem },
    }))
}

/// What there is to ask of a session.
fn asks(facts: &Facts, closes: Time) -> Vec<Ask> {
    let from = facts.started.first().copied().or(facts.first).unwrap_or(closes);
    let own: Vec<(&'static str, &String)> = if facts.keys.len() <= KEYS && !facts.keys.is_empty() {
        facts.keys.iter().map(|key| ("AccessKeyId", key)).collect()
    } else {
        facts.user_names.iter().map(|name| ("Username", name)).collect()
    };
    let taken = facts.taken.iter().map(|taken| ("AccessKeyId", &taken.key));
    let asked: BTreeSet<(&'static str, &String)> = own.into_iter().chain(taken).collect();
    // A Region's name becomes part of a host's.
    let plain =
        |region: &&str| region.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-');
    let called = facts.regions.iter().map(String::as_str).filter(plain);
    let regions: BTreeSet<&str> = called.chain([GLOBAL]).collect();
    // Clocks differ: the call that takes an identity on and the beginning of its credentials are the same second
    // only on the same machine.
    let from = Time((from.0 - 60).max(0));
    // Who takes an identity on does so with other credentials: that call names the identity as its resource.
    let opening = Time(from.0 + 120);
    let opened = facts.identities.iter().map(|arn| ("ResourceName", arn, opening));
    let asked: Vec<_> =
        asked.into_iter().map(|(attribute, value)| (attribute, value, closes)).chain(opened).collect();
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

/// Asks page by page. `Some` is the time that the next sweep has to go on from, back to the beginning.
async fn answer(
    world: &(impl World + Lookup),
    policy: &Policy,
    case: &str,
    facts: &Facts,
    ask: &Ask,
    enough: i64,
) -> Result<Option<Time>, Failure> {
    let mut page = None;
    let mut until = ask.to;
    loop {
        let (events, next) = world.lookup(ask, page).await?;
        let mut calls = Vec::new();
        for event in &events {
            let Ok((Entry::Record(record), _)) = Record::read(event) else {
                world.complain(&Failure::new("CloudTrail LookupEvents", "an event that is no record"));
                continue;
            };
            if let Some(time) = record.event_time.text().and_then(|time| Time::parse(&time)) {
                until = until.min(time);
            }
            calls.extend(of_case(&record, policy, case, facts));
        }
        remember(world, case, &calls).await?;
        page = next;
        if page.is_none() {
            return Ok(None);
        }
        if world.now().0 > enough {
            return Ok(Some(until));
        }
    }
}

/// The call of an event, if it is one of the case.
fn of_case(record: &Record<'_>, policy: &Policy, case: &str, facts: &Facts) -> Option<Remembered> {
    let call = Call::classify(*record, policy, &mut ());
    if call.owner(policy) == Owner::BreakGlass {
        let finding = judge(&call, policy, &mut ());
        let own = finding.incident == case;
        return own.then(|| remembered(&call, &finding, policy, Seen::LookupEvents)).flatten();
    }
    let key = call.principal.identity.access_key_id.as_deref()?;
    facts.taken.iter().any(|taken| taken.key == key).then(|| Remembered {
        call: Observation::chained(&call, Seen::LookupEvents),
        facts: Facts::of_chained(&call),
    })
}
