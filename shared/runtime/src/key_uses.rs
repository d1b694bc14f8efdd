//! Which networks a long-lived key was used from, and in which period of alerts.

use std::cell::RefCell;
use std::collections::HashSet;

use handsoff_cloudtrail::{Time, TimeDelta, seconds};
use handsoff_core::group;
use serde::{Deserialize, Serialize};

use super::error::RuntimeError;
use super::ports::{Range, World};
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

/// Remembers a key's use. Returns what is known of the key's uses; nothing, after one read, if one from the same network lies in
/// the memory before its period.
///
/// # Errors
/// The first failure; what was written stays, and may be written again.
pub async fn key_used(
    world: &impl World,
    key: &str,
    used: &KeyUse,
    memory: TimeDelta,
) -> Result<Vec<KeyUse>, RuntimeError> {
    let partition = &format!("key-use#{}", group::digest(&[key]));
    let sort = |period: Time| format!("{}#{period}", used.network);
    world.put(partition, &sort(used.period), &stored::text(used)?).await?;
    let (from, to) =
        (sort((used.period - memory).max(Time::EPOCH)), sort(used.period - TimeDelta::seconds(1)));
    let earlier = Range { partition, from: &from, to: &to, most: 1, backwards: true };
    if !world.range(earlier).await?.is_empty() {
        return Ok(Vec::new());
    }
    // A network begins with a digit, a letter or a colon.
    let all = Range { partition, from: "!", to: "~", most: USES, backwards: false };
    let texts = world.range(all).await?;
    Ok(texts.iter().filter_map(|text| stored::read(world, READ, text, &[])).collect())
}
