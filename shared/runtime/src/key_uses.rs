//! Which networks a long-lived key was used from, and in which period of alerts.

use std::cell::RefCell;
use std::collections::HashSet;

use handsoff_cloudtrail::{Time, TimeDelta, seconds};
use handsoff_core::{Finding, group};
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

/// Remembers a key's use, and returns what there is to report of it, which `judge` says by all uses of the key that are known. Of a
/// network and period that is one finding, however often it is asked: that on the first of its calls that came. One read, where
/// the key was used from the network in the memory before its period, and one write a period.
///
/// # Errors
/// The first failure; what was written stays, and may be written again.
pub async fn key_used(
    world: &impl World,
    key: &str,
    used: &KeyUse,
    memory: TimeDelta,
    judge: impl FnOnce(&[KeyUse]) -> Option<Finding>,
) -> Result<Option<Finding>, RuntimeError> {
    let digest = group::digest(&[key]);
    let partition = &format!("key-use#{digest}");
    let sort = |period: Time| format!("{}#{period}", used.network);
    let (own, from) = (sort(used.period), sort((used.period - memory).max(Time::EPOCH)));
    // The two latest: this period's, if it is there, and one before.
    let known = read(world, Range { partition, from: &from, to: &own, most: 2, backwards: true }).await?;
    if !known.contains(used) {
        world.put(partition, &own, &stored::text(used)?).await?;
    }
    if known.iter().any(|one| one != used) {
        return Ok(None);
    }
    // A network begins with a digit, a letter or a colon.
    let all = read(world, Range { partition, from: "!", to: "~", most: USES, backwards: false }).await?;
    match judge(&all) {
        Some(finding) => first(world, (&format!("key-new#{digest}"), &own), &finding).await,
        None => Ok(None),
    }
}

/// That finding of a network and period that was written first.
async fn first(
    world: &impl World,
    (partition, sort): (&str, &str),
    finding: &Finding,
) -> Result<Option<Finding>, RuntimeError> {
    let text = &stored::text(&Mark::new(finding))?;
    let write = ConditionalWrite { partition, sort, seen: None, text, due: None };
    let text = if world.swap(write).await? {
        text.clone()
    } else {
        world.read(partition, sort).await?.map(|(_, text)| text).unwrap_or_default()
    };
    let mark: Option<Mark> = stored::read(world, READ, &text, &[]);
    // What a newer version wrote may be beyond us; that something is to be reported isn't.
    Ok(mark.and_then(|mark| mark.reported().into_call()).or_else(|| Some(finding.clone())))
}

async fn read(world: &impl World, range: Range<'_>) -> Result<Vec<KeyUse>, RuntimeError> {
    let texts = world.range(range).await?;
    Ok(texts.iter().filter_map(|text| stored::read(world, READ, text, &[])).collect())
}
