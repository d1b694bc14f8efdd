//! The ledger of a deployed stack: its observations, as the functions remember them and the sweep reads them.

use handsoff_cloudtrail::Time;
use handsoff_core::group::digest;
use handsoff_core::policy::Cases;
use handsoff_runtime::stored;
use handsoff_runtime::{Clock, LogLine, Memory, Metric, Range, Report, RuntimeError};

use crate::item::{Item, State, Terms};
use crate::ledger::Ledger;
use crate::lines::by_age;
use crate::observation::{Observation, What};

/// The partition of all observations.
pub const PARTITION: &str = "ledger";

/// How many are read at once.
const PAGE: usize = 1000;

/// How many are read at all: some 100 MB.
const MOST: usize = 200_000;

/// Before all sort keys, which begin with a time. DynamoDB takes no empty one.
const START: &str = "!";

/// Behind them.
const END: &str = "~";

/// The sort key of an observation: it follows from what was observed and not from the form in which that is stored, so that to
/// remember it again changes nothing, whichever version does.
fn sort(observation: &Observation) -> String {
    let Observation { resource, time, event, what } = observation;
    let resource = resource.to_string();
    let [kind, by, more] = match what {
        What::Hand(hand) => ["hand", &hand.by, &hand.incident],
        What::Deploy { by, .. } => ["deploy", by, ""],
        What::Gone { by } => ["gone", by, ""],
        What::Accepted(acceptance) => ["accepted", &acceptance.owner, &acceptance.reason],
        What::Plans { stack } => ["plans", &stack.name, ""],
        What::Executes { by } => ["executes", by, ""],
    };
    // Two, so that nobody meets another's by choosing names.
    let [one, two] = ["one", "two"].map(|salt| digest(&[salt, &resource, event, kind, by, more]));
    format!("{time}#{one}{two}")
}

/// Remembers observations.
///
/// # Errors
/// The first failure; what was written stays, and may be written again.
pub async fn remember(world: &impl Memory, observations: &[Observation]) -> Result<(), RuntimeError> {
    for observation in observations {
        let text = stored::text(observation)?;
        world.put(PARTITION, &sort(observation), &text).await?;
    }
    Ok(())
}

/// All that is remembered. Logs what can't be read.
///
/// # Errors
/// When it can't be had.
pub async fn recall(world: &(impl Memory + Clock)) -> Result<Ledger, RuntimeError> {
    let (mut ledger, mut read, mut from) = (Ledger::default(), 0, START.to_owned());
    loop {
        let range = Range { partition: PARTITION, from: &from, to: END, most: PAGE, backwards: false };
        let texts = world.range(range).await?;
        let mut last = None;
        for text in &texts {
            if let Some(observation) = stored::read(world, "reading the drift ledger", text, &[]) {
                last = Some(sort(&observation));
                ledger.add(observation);
            }
        }
        read += texts.len();
        match last {
            // The key that comes next after the last.
            Some(last) if texts.len() == PAGE && read < MOST => from = format!("{last}!"),
            None if texts.len() == PAGE => {
                let why = format!(
                    "nothing of {PAGE} items from {from} on can be read: the items after them aren't counted"
                );
                return Err(RuntimeError::stored("reading the drift ledger", why));
            }
            _ if texts.len() == PAGE => {
                let why = format!("it has more than {MOST} items: the items after {from} aren't counted");
                world.log(LogLine::new("reading the drift ledger", why));
                return Ok(ledger);
            }
            _ => return Ok(ledger),
        }
    }
}

/// Counts what is open, by age, and writes anew what it follows from, or it would expire before it is closed.
///
/// # Errors
/// When it can't be read, or not be written anew.
pub async fn count(
    world: &(impl Memory + Clock),
    cases: &Cases,
    now: Time,
    report: &mut Report,
) -> Result<Vec<Item>, RuntimeError> {
    let ledger = recall(world).await?;
    let items = ledger.items(&Terms { now, cases });
    for (age, number) in by_age(&items, now) {
        #[expect(clippy::cast_precision_loss, reason = "as many as were read")]
        report.add(Metric::DriftItemsOpen(age.as_str()), number as f64);
    }
    let stands = |item: &&Item| matches!(item.state, State::Open | State::Accepted { .. });
    for item in items.iter().filter(stands) {
        for observation in ledger.of(&item.resource) {
            remember(world, std::slice::from_ref(observation)).await?;
        }
    }
    Ok(items)
}

#[cfg(test)]
mod tests;
