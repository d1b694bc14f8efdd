//! Calls that an exception covers: for the digest of the day, which says how many there were.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt};
use handsoff_trail::Time;
use serde::{Deserialize, Serialize};

use super::ports::{Failure, Range, World};
use super::stored;
use super::tell::AT_ONCE;
use crate::alert::{Digest, Note};
use crate::call::Call;
use crate::finding::Key;
use crate::group;
use crate::policy::{Policy, exceptions};

/// So many calls of an exception are counted a day: beyond that it says so.
const COUNTED: usize = 1000;

/// A call that an exception covers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Excepted {
    /// The end of the digest that says it.
    until: Time,
    /// Where the exception stands in the policy.
    line: String,
    key: Key,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    line: String,
}

impl Excepted {
    /// What is remembered of a call that the exception in this place of the policy covers; `None` where no digest has it.
    pub fn by(call: &Call<'_>, policy: &Policy, place: usize) -> Option<Self> {
        let line = policy.exceptions.get(place)?.line.to_string();
        Some(Self { until: policy.alerts.digest.after(call.time?)?, line, key: Key::of(&call.record) })
    }

    fn sort(line: &str) -> String {
        format!("excepted#{}#", group::digest(&[line]))
    }
}

/// Remembers calls. Repeats are one.
///
/// # Errors
/// When they can't be written; to do it again is safe.
pub async fn keep(world: &impl World, calls: impl IntoIterator<Item = Excepted>) -> Result<(), Failure> {
    let calls: BTreeSet<Excepted> = calls.into_iter().collect();
    let puts = calls.into_iter().map(|Excepted { until, line, key }| async move {
        let sort = format!("{}{:016x}", Excepted::sort(&line), key.0);
        world.put(&Digest::id(until), &sort, &stored::text(&Stored { line })?).await
    });
    let mut puts = stream::iter(puts).buffer_unordered(AT_ONCE);
    let mut done = Ok(());
    while let Some(put) = puts.next().await {
        done = done.and(put.map(drop));
    }
    done
}

/// What the digest that ends at a time says of the exceptions that were used.
///
/// # Errors
/// When they can't be read.
pub async fn notes(world: &impl World, policy: &Policy, until: Time) -> Result<Vec<Note>, Failure> {
    let mut calls = BTreeMap::new();
    for exception in &policy.exceptions {
        let line = exception.line.to_string();
        let (partition, from) = (&Digest::id(until), &Excepted::sort(&line));
        let range = Range { partition, from, to: &format!("{from}~"), most: COUNTED, backwards: false };
        calls.insert(line, world.range(range).await?.len() as u64);
    }
    let used = exceptions::used(policy, &calls, until).into_iter().filter(|used| used.calls > 0);
    let text = |used: exceptions::Used<'_>| {
        let more = if used.calls >= COUNTED as u64 { " There were more calls than are counted." } else { "" };
        format!("{used}.{more}")
    };
    Ok(used.map(|used| Note::new("excepted", text(used))).collect())
}
