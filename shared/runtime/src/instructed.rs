//! What services were instructed to do, and what they do with their roles, whichever record comes first: the same as
//! [`handsoff_core::instructions`] says of a log.
//!
//! An account's service has a partition. In it are the calls that made it act, and what it did. Each is put first, and the
//! other read then.

use std::collections::{BTreeMap, BTreeSet};

use handsoff_core::instructions::{Actor, Instruction, Instructions, REACH};
use handsoff_core::{Finding, Key};
use serde::{Deserialize, Serialize};

use super::episode::Mark;
use super::error::RuntimeError;
use super::ports::{Range, World};
use super::puts::put_all;
use super::stored;

/// So many instructions are read of a day: the last ones.
const INSTRUCTIONS: usize = 500;

/// So much of what a service did within a day of an instruction is read.
const DONE: usize = 200;

/// What a record says of an instruction to a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstructionRecord {
    /// It made a service act: the service's group, and how.
    Instructs(Key, String, Instruction),
    /// A service's role acted, and this is reported of it.
    Acts(Actor, Box<Finding>),
}

/// What a service's role did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Done {
    actor: Actor,
    mark: Mark,
}

/// What a service's role did, and who may have wanted it, in words.
pub type Instructed = (Finding, String);

fn partition(group: &str) -> String {
    format!("instructed#{group}")
}

/// Remembers what services were instructed to do and what they did, and returns what was done for somebody.
///
/// # Errors
/// The first failure; what was written stays, and may be written again.
pub async fn instructed(
    world: &impl World,
    records: impl IntoIterator<Item = InstructionRecord>,
) -> Result<Vec<Instructed>, RuntimeError> {
    let (mut puts, mut instructions) = (BTreeSet::new(), Vec::new());
    let mut done: BTreeMap<String, Vec<(Actor, Finding)>> = BTreeMap::new();
    for one in records {
        match one {
            InstructionRecord::Instructs(key, group, instruction) => {
                let sort = format!("instructs#{}#{:016x}", instruction.at, key.0);
                puts.insert((partition(&group), sort, stored::text(&instruction)?));
                instructions.push((group, instruction));
            }
            InstructionRecord::Acts(actor, finding) => {
                let sort = format!("acts#{}#{:016x}", actor.at, finding.key.0);
                let text = stored::text(&Done { actor: actor.clone(), mark: Mark::new(&*finding) })?;
                puts.insert((partition(&actor.group), sort, text));
                done.entry(actor.group.clone()).or_default().push((actor, *finding));
            }
        }
    }
    put_all(world, puts).await?;
    let mut found = Vec::new();
    for (group, done) in done {
        let times = || done.iter().map(|(actor, _)| actor.at);
        let (Some(first), Some(last)) = (times().min(), times().max()) else { continue };
        let between = (format!("instructs#{}", first - REACH), format!("instructs#{last}~"));
        let mut known = Instructions::default();
        for instruction in all(world, &group, between, INSTRUCTIONS).await? {
            known.add(group.clone(), instruction);
        }
        let behind = |(actor, finding)| known.behind(&actor).map(|how| (finding, how));
        found.extend(done.into_iter().filter_map(behind));
    }
    for (group, instruction) in instructions {
        let between = (format!("acts#{}", instruction.at), format!("acts#{}~", instruction.at + REACH));
        let mut known = Instructions::default();
        known.add(group.clone(), instruction);
        for Done { actor, mark } in all::<Done>(world, &group, between, DONE).await? {
            found.extend(known.behind(&actor).zip(mark.reported().into_call()).map(|(how, it)| (it, how)));
        }
    }
    Ok(found)
}

async fn all<T: for<'de> Deserialize<'de>>(
    world: &impl World,
    group: &str,
    (from, to): (String, String),
    most: usize,
) -> Result<Vec<T>, RuntimeError> {
    let range = Range { partition: &partition(group), from: &from, to: &to, most, backwards: true };
    let texts = world.range(range).await?;
    Ok(texts
        .iter()
        .filter_map(|text| stored::read(world, "reading an instruction to a service", text, &[]))
        .collect())
}
