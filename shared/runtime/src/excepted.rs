//! In which minutes each exception covered calls: for the digest of the day.
//!
//! Not each call: a flood of them under an exception must cost no more than a write a batch, in a partition of its own, and
//! hold up nothing else.

use std::collections::BTreeSet;

use handsoff_cloudtrail::Time;
use serde::{Deserialize, Serialize};

use super::error::RuntimeError;
use super::ports::{Range, World};
use super::puts::{Item, put_all};
use super::stored;
use handsoff_core::Call;
use handsoff_core::alert::Digest;
use handsoff_core::group;
use handsoff_core::policy::{Policy, exceptions};

/// A minute in which an exception covered calls.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Excepted {
    /// The end of the digest that says it.
    until: Time,
    /// The line of the exception in the policy.
    line: String,
    minute: Time,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    line: String,
}

impl Excepted {
    /// What is remembered of a call that the exception in this place of the policy covers; `None` where no digest has it.
    pub fn by(call: &Call<'_>, policy: &Policy, place: usize) -> Option<Self> {
        let (line, time) = (policy.exceptions.get(place)?.line.to_string(), call.time?);
        Some(Self { until: policy.alerts.digest.after(time)?, line, minute: exceptions::minute(time) })
    }
}

fn partition(until: Time, line: &str) -> String {
    format!("excepted#{}#{}", Digest::id(until), group::digest(&[line]))
}

/// Remembers minutes: a set. What can't be written is missing in the digest, and returns no delivery.
pub async fn keep(world: &impl World, minutes: impl IntoIterator<Item = Excepted>) {
    let minutes: BTreeSet<Excepted> = minutes.into_iter().collect();
    let items = minutes.into_iter().map(|Excepted { until, line, minute }| {
        let partition = partition(until, &line);
        Ok((partition, minute.to_string(), stored::text(&Stored { line })?))
    });
    let items: Result<Vec<Item>, RuntimeError> = items.collect();
    let kept = match items {
        Ok(items) => put_all(world, items).await,
        Err(failure) => Err(failure),
    };
    if let Err(failure) = kept {
        world.log(failure.into());
    }
}

/// In how many minutes before a digest's end each exception of the policy covered calls, in their order.
///
/// # Errors
/// When they can't be read.
pub async fn minutes(world: &impl World, policy: &Policy, until: Time) -> Result<Vec<usize>, RuntimeError> {
    let mut minutes = Vec::new();
    for exception in &policy.exceptions {
        let partition = &partition(until, &exception.line.to_string());
        let range = Range { partition, from: "0", to: "~", most: exceptions::MINUTES, backwards: false };
        minutes.push(world.range(range).await?.len());
    }
    Ok(minutes)
}
