//! The changes of guardrails, as the function keeps them.

use handsoff_cloudtrail::Time;
use handsoff_core::detector::Related;
use handsoff_runtime::{Range, RuntimeError, World, stored};

use super::table::{READ, sort};
use crate::guardrail::{self, Change};
use crate::seen;

/// How many changes of a policy are looked at, the last ones.
const CHANGES: usize = 20;

/// Remembers who changed a policy.
pub(super) async fn remember(world: &impl World, related: &Related) -> Result<(), RuntimeError> {
    let Some(change) = Change::of(related) else { return Ok(()) };
    let sort = sort(Some(change.time), change.key);
    world.put(&changes_of(&related.group), &sort, &stored::text(&change)?).await.map(drop)
}

/// The last changes of a wall's policy in the day before a batch's calls.
pub(super) async fn before(
    world: &impl World,
    group: &str,
    (first, last): (Time, Time),
) -> Result<Vec<Change>, RuntimeError> {
    let Some(policy) = crate::wall_of(group) else { return Ok(Vec::new()) };
    let (from, to) = ((first - guardrail::REACH).to_string(), format!("{last}#~"));
    let range =
        Range { partition: &changes_of(&policy), from: &from, to: &to, most: CHANGES, backwards: true };
    let texts = world.range(range).await?;
    Ok(texts.iter().filter_map(|text| stored::read(world, READ, text, &[])).collect())
}

fn changes_of(policy: &str) -> String {
    format!("guardrail#{}", seen::name(policy))
}
