//! Emergency identities that nobody has tried for too long.

use handsoff_case::drill;
use handsoff_cloudtrail::Time;
use handsoff_core::group::digest;
use handsoff_core::policy::BreakGlass;
use handsoff_core::{Finding, Policy};
use handsoff_runtime::{Failure, Memory, Report, Telling, World, keep_and_tell};

use crate::Settings;

const PARTITION: &str = "drills";

/// Tells of each identity that is due for a drill. `refresh` writes anew what is remembered, or it would expire.
pub(crate) async fn drills(
    world: &impl World,
    policy: &Policy,
    settings: &Settings,
    now: Time,
    refresh: bool,
    report: &mut Report,
) -> Result<(), Failure> {
    let mut due: Vec<Finding> = Vec::new();
    let mut failed = Ok(());
    for entry in &policy.break_glass {
        if entry.drill_every.is_none() {
            continue;
        }
        let (version, last) = last(world, entry).await?;
        // Before the first session that handsoff saw, the time counts from its first look.
        let last = match last {
            Some(last) if !refresh => last,
            None if version.is_some() => {
                let what =
                    format!("`{}` of partition {PARTITION} is no time: correct or delete it", sort(entry));
                failed = Err(Failure::new("reading when an identity was last in use", what));
                continue;
            }
            last => {
                let last = last.unwrap_or(now);
                world.swap(PARTITION, &sort(entry), version, &last.to_string(), None).await?;
                last
            }
        };
        due.extend(drill::due(entry, &settings.account, last, now));
    }
    let telling = Telling { policy: &policy.alerts, lease: settings.lease, notes: &() };
    keep_and_tell(world, telling, &due, report).await.and(failed)
}

fn sort(entry: &BreakGlass) -> String {
    digest(&[entry.identity.as_str()])
}

/// When an identity was last in use: a bare time, to which no version can add anything. What is none is reported by
/// [`drills`], and isn't written over.
async fn last(world: &impl Memory, entry: &BreakGlass) -> Result<(Option<u64>, Option<Time>), Failure> {
    let read = world.read(PARTITION, &sort(entry)).await?;
    Ok(read.map_or((None, None), |(version, text)| (Some(version), Time::parse(&text))))
}

/// Remembers that an identity was used at a time.
pub(crate) async fn exercised(world: &impl World, entry: &BreakGlass, at: Time) -> Result<(), Failure> {
    let (version, last) = last(world, entry).await?;
    if last.map_or(version.is_none(), |last| last < at) {
        world.swap(PARTITION, &sort(entry), version, &at.to_string(), None).await?;
    }
    Ok(())
}
