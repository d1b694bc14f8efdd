//! Which networks a long-lived key was used from, and on which day.

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

/// So many uses of a key are read: each day for 90 days from five networks.
const USES: usize = 450;

/// That a key was used from a network on a day.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KeyUse {
    /// The network.
    pub network: String,
    /// The first second of the day (UTC).
    #[serde(with = "seconds")]
    pub day: Time,
}

impl KeyUse {
    /// By day: so those of a stretch of time are read, and no more.
    fn sort(&self) -> String {
        format!("{}#{}", self.day, self.network)
    }
}

/// So many later uses are looked at that may be news: a key of more networks has none of its own.
const FIRSTS: usize = 20;

/// So many uses are kept in a process.
const KNOWN: usize = 1000;

/// Uses of keys that are nothing new, as far as this process has seen: they aren't read again.
#[derive(Debug, Default)]
pub struct KnownUses(RefCell<HashSet<String>>);

impl KnownUses {
    /// Keeps one.
    pub fn add(&self, name: String) {
        let mut known = self.0.borrow_mut();
        if known.len() >= KNOWN {
            known.clear();
        }
        known.insert(name);
    }

    /// Whether one is kept.
    pub fn has(&self, name: &str) -> bool {
        self.0.borrow().contains(name)
    }
}

/// A use that may be news: none of the same network was known before its day.
#[derive(Serialize, Deserialize)]
struct First {
    #[serde(flatten)]
    used: KeyUse,
    /// One of its calls, as a finding that lacks its reason.
    mark: Mark,
}

/// Remembers a key's use in a call, and returns what there is to report of it and of later uses that came before, which `judge`
/// says by the uses of the key that are known. Of a network and day that is one finding, however often it is asked.
///
/// One write and two reads where the network is known.
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
    let (all, firsts) = (&format!("key-use#{digest}"), &format!("key-first#{digest}"));
    world.put(all, &used.sort(), &stored::text(used)?).await?;
    let (from, day) = ((used.day - memory).max(Time::EPOCH).to_string(), used.day.to_string());
    let before = Range { partition: all, from: &from, to: &day, most: USES, backwards: true };
    let mut known: Vec<KeyUse> = read(world, before).await?;
    let mut looked_at = Vec::new();
    if !known.iter().any(|one| one.network == used.network) {
        let first = First { used: used.clone(), mark: Mark::new(finding) };
        world.put(firsts, &used.sort(), &stored::text(&first)?).await?;
        looked_at.push(first);
        // Again: of this and of an earlier use of another network, whichever is written last reads the other.
        known = read(world, before).await?;
    }
    // What came before an earlier use of another network may be news by that. Of the same day none is.
    let next = (used.day + TimeDelta::days(1)).to_string();
    let range = Range { partition: firsts, from: &next, to: "~", most: FIRSTS, backwards: false };
    let more: Vec<First> = read(world, range).await?;
    if !more.is_empty() {
        let later = Range { partition: all, from: &day, to: "~", most: USES, backwards: false };
        known.extend(read(world, later).await?);
        looked_at.extend(more);
    }
    let mut found = Vec::new();
    for First { used, mark } in looked_at {
        let finding = mark.reported().into_call().and_then(|finding| judge(&used, &finding, &known));
        if let Some(finding) = finding {
            found.push(written_first(world, (&format!("key-new#{digest}"), &used.sort()), finding).await?);
        }
    }
    Ok(found)
}

/// The finding on a network and day that was written first.
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
    // This version may not understand what a newer one wrote; that something is to be reported isn't.
    Ok(mark.and_then(|mark| mark.reported().into_call()).unwrap_or(finding))
}

async fn read<T: DeserializeOwned>(world: &impl World, range: Range<'_>) -> Result<Vec<T>, RuntimeError> {
    let texts = world.range(range).await?;
    Ok(texts.iter().filter_map(|text| stored::read(world, READ, text, &[])).collect())
}
