//! How many incidents are alerted by themselves in a minute. The others are named in a summary.
//!
//! Each code has budgets of its own, one for each severity: a storm of one code delays no alert of another, and one of
//! what is less severe none of what is more. All are finite, those of what is grave too: else who opens ten thousand
//! sessions sends ten thousand messages.

use handsoff_cloudtrail::{Time, TimeDelta};

use super::held::TRIES;
use super::ports::{Failure, World};
use handsoff_core::Code;
use handsoff_core::Severity;

/// The budget of what is grave is so many times as large.
const GRAVE: usize = 5;

/// Whether what is alerted has the larger budget: what is critical, whatever is about emergency identities, and what
/// attacks logging or the pipeline.
fn is_grave(code: Code, severity: Severity) -> bool {
    severity == Severity::Critical || code.detector() == "break-glass" || code.is_grave()
}

/// How many incidents of a code and severity are alerted by themselves in a minute.
pub fn budget(burst: usize, code: Code, severity: Severity) -> usize {
    if is_grave(code, severity) { burst.saturating_mul(GRAVE) } else { burst }
}

/// The minute of a time.
pub(super) fn minute(now: Time) -> Time {
    now.floor(TimeDelta::minutes(1))
}

/// Takes one of this minute's. `false` if there is none left.
///
/// Costs a read, and a write where there is one left. What a function took that was killed before it had claimed the
/// alert is lost: the budget is a little smaller then.
pub(super) async fn take(
    world: &impl World,
    burst: usize,
    code: Code,
    severity: Severity,
) -> Result<bool, Failure> {
    let partition = format!("budget#{code}#{severity}");
    let sort = minute(world.now()).to_string();
    for _ in 0..TRIES {
        let read = world.read(&partition, &sort).await?;
        let (version, used) = read.map_or((None, 0), |(version, text)| {
            // What can't be read is full: then the summary names what is new.
            (Some(version), text.parse().unwrap_or(usize::MAX))
        });
        if used >= budget(burst, code, severity) {
            return Ok(false);
        }
        if world.swap(&partition, &sort, version, &(used + 1).to_string(), None).await? {
            return Ok(true);
        }
    }
    // Others have taken twelve in the meantime.
    Ok(false)
}
