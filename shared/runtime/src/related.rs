//! Calls that only show something together: each is remembered, and looked at with its group.
//!
//! They are remembered first and looked at after, so that of several functions that see parts of a group the last one sees all
//! of it.

use std::collections::BTreeMap;

use handsoff_cloudtrail::{Time, TimeDelta};
use handsoff_core::detector::Related;
use handsoff_core::group;
use serde::{Deserialize, Serialize};

use super::episode::Mark;
use super::error::RuntimeError;
use super::ports::{Range, World};
use super::stored;

const READ: &str = "reading a call of a group";

/// How much of a group is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Around {
    /// From so long before the first of its own calls to so long after the last.
    pub reach: TimeDelta,
    /// So many calls.
    pub most: usize,
    /// Whether the last ones; else the first ones.
    pub last: bool,
}

/// The calls of a group around some.
#[derive(Clone, Debug)]
pub struct Group {
    /// The time of the first of those around which these are.
    pub first: Time,
    /// All of them, in any order, and some twice.
    pub calls: Vec<Related>,
}

/// Remembers calls, and returns them with what was remembered around them.
///
/// # Errors
/// The first failure; what was written stays, and may be written again.
pub async fn related(
    world: &impl World,
    own: Vec<Related>,
    around: Around,
) -> Result<Vec<Group>, RuntimeError> {
    let mut groups: BTreeMap<String, Vec<Related>> = BTreeMap::new();
    // Without a time a call is before and behind nothing.
    for one in own.into_iter().filter(|one| one.finding.time.is_some()) {
        groups.entry(one.group.clone()).or_default().push(one);
    }
    let mut found = Vec::new();
    for (group, own) in groups {
        for one in &own {
            world.put(&partition(&group), &sort(one), &stored::text(&Stored::of(one))?).await?;
        }
        let times = || own.iter().filter_map(|one| one.finding.time);
        let (Some(first), Some(last)) = (times().min(), times().max()) else { continue };
        let mut calls = read(world, &group, (first, last), around).await?;
        // One's own may be beyond what is looked at.
        calls.extend(own);
        found.push(Group { first, calls });
    }
    Ok(found)
}

/// A call as it is stored: what it does in its group, who made it, and the finding that it becomes.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    role: String,
    who: String,
    mark: Mark,
}

impl Stored {
    fn of(related: &Related) -> Self {
        let Related { role, who, finding, .. } = related;
        Self { role: role.clone(), who: who.clone(), mark: Mark::new(finding) }
    }

    fn related(self, group: &str) -> Option<Related> {
        let finding = self.mark.reported().into_call()?;
        let Self { role, who, .. } = self;
        Some(Related { group: group.to_owned(), role, who, finding, only_first: false })
    }
}

/// By a digest: a group has names that callers chose.
fn partition(group: &str) -> String {
    format!("related#{}", group::digest(&["related", group]))
}

fn sort(related: &Related) -> String {
    let time = related.finding.time.map(|time| time.to_string()).unwrap_or_default();
    format!("{time}#{:016x}", related.finding.key.0)
}

/// The calls of a group that may have to do with those between two times.
async fn read(
    world: &impl World,
    group: &str,
    (first, last): (Time, Time),
    Around { reach, most, last: backwards }: Around,
) -> Result<Vec<Related>, RuntimeError> {
    let (from, to) = ((first - reach).to_string(), format!("{}#~", last + reach));
    let range = Range { partition: &partition(group), from: &from, to: &to, most, backwards };
    let texts = world.range(range).await?;
    // One that can't be read must not hide the others.
    let read = |text: &String| stored::read::<Stored>(world, READ, text, &[])?.related(group);
    Ok(texts.iter().filter_map(read).collect())
}
