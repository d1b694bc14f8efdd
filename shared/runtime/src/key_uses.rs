//! Which networks a long-lived key was used from, and in which period of alerts.

use std::cell::RefCell;
use std::collections::HashSet;

use handsoff_cloudtrail::{Time, TimeDelta, seconds};
use handsoff_core::{Finding, group};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::episode::Mark;
use super::error::RuntimeError;
use super::ports::{ConditionalWrite, Range, World};
use super::stored;

const READ: &str = "reading where a key was used from";

/// So many uses of a key are read: twice a day for 90 days from five networks.
const USES: usize = 1000;

/// That a key was used from a network in a period of alerts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KeyUse {
    /// The network.
    pub network: String,
    /// The first second of the period.
    #[serde(with = "seconds")]
    pub period: Time,
}

/// So many uses are looked at that may be news: a key of more networks has none of its own.
const FIRSTS: usize = 20;

/// So many uses are kept in mind.
const KNOWN: usize = 1000;

/// Uses of keys that are nothing new, as far as this process has seen: they aren't read again.
#[derive(Debug, Default)]
pub struct KnownUses(RefCell<HashSet<String>>);

impl KnownUses {
    /// Keeps one in mind.
    pub fn add(&self, name: String) {
        let mut known = self.0.borrow_mut();
        if known.len() >= KNOWN {
            known.clear();
        }
        known.insert(name);
    }

    /// Whether one is kept in mind.
    pub fn has(&self, name: &str) -> bool {
        self.0.borrow().contains(name)
    }
}

/// A use that may be news: none of the same network was known before its period.
#[derive(Serialize, Deserialize)]
struct First {
    #[serde(flatten)]
    used: KeyUse,
    /// One of its calls, as a finding that lacks its reason.
    mark: Mark,
}

/// Remembers a key's use in a call, and returns what there is to report of it and of later uses that came before, which `judge`
/// says by all uses of the key that are known. Of a network and period that is one finding, however often it is asked.
///
/// Two reads where the network is known, and one write a period.
///
/// # Errors
/// The first failure; what was written stays, and may be written again.
pub async fn key_used(
    world: &impl World,
    key: &str,
    (used, finding): (&KeyUse, &Finding),
    memory: TimeDelta,
    judge: impl Fn(&KeyUse, &Finding, &[KeyUse]) -> Option<Finding>,
) -> Result<Vec<Finding>, RuntimeError> {
    let digest = group::digest(&[key]);
    let partition = &format!("key-use#{digest}");
    let sort = |period: Time| format!("{}#{period}", used.network);
    let (own, from) = (sort(used.period), sort((used.period - memory).max(Time::EPOCH)));
    // The two latest: this period's, if it is there, and one before.
    let known: Vec<KeyUse> =
        read(world, Range { partition, from: &from, to: &own, most: 2, backwards: true }).await?;
    if !known.contains(used) {
        world.put(partition, &own, &stored::text(used)?).await?;
    }
    let firsts = &format!("key-first#{digest}");
    if known.iter().all(|one| one == used) {
        let first = First { used: used.clone(), mark: Mark::new(finding) };
        world.put(firsts, &by_period(used), &stored::text(&first)?).await?;
    }
    // What came before an earlier use of another network may be news by that.
    let (from, to) = (used.period.to_string(), "~");
    let firsts: Vec<First> =
        read(world, Range { partition: firsts, from: &from, to, most: FIRSTS, backwards: false }).await?;
    if firsts.is_empty() {
        return Ok(Vec::new());
    }
    // A network begins with a digit, a letter or a colon.
    let all: Vec<KeyUse> =
        read(world, Range { partition, from: "!", to: "~", most: USES, backwards: false }).await?;
    let mut found = Vec::new();
    for First { used, mark } in firsts {
        let finding = mark.reported().into_call().and_then(|finding| judge(&used, &finding, &all));
        if let Some(finding) = finding {
            found.push(
                written_first(world, (&format!("key-new#{digest}"), &by_period(&used)), finding).await?,
            );
        }
    }
    Ok(found)
}

fn by_period(used: &KeyUse) -> String {
    format!("{}#{}", used.period, used.network)
}

/// The finding on a network and period that was written first.
async fn written_first(
    world: &impl World,
    (partition, sort): (&str, &str),
    finding: Finding,
) -> Result<Finding, RuntimeError> {
    let text = &stored::text(&Mark::new(&finding))?;
    let write = ConditionalWrite { partition, sort, seen: None, text, due: None };
    let text = if world.swap(write).await? {
        text.clone()
    } else {
        world.read(partition, sort).await?.map(|(_, text)| text).unwrap_or_default()
    };
    let mark: Option<Mark> = stored::read(world, READ, &text, &[]);
    // What a newer version wrote may be beyond us; that something is to be reported isn't.
    Ok(mark.and_then(|mark| mark.reported().into_call()).unwrap_or(finding))
}

async fn read<T: DeserializeOwned>(world: &impl World, range: Range<'_>) -> Result<Vec<T>, RuntimeError> {
    let texts = world.range(range).await?;
    Ok(texts.iter().filter_map(|text| stored::read(world, READ, text, &[])).collect())
}
