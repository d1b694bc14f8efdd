//! How many incidents are alerted by themselves in a minute. The others are named in a summary.
//!
//! Each code has budgets of its own, one for each severity: a storm of one code delays no alert of another, and one of
//! what is less severe none of what is more. All are finite, those of what is grave too: else who opens ten thousand
//! sessions sends ten thousand messages.

use handsoff_cloudtrail::{Time, TimeDelta};

use super::document::{Change, Document, Held};
use super::error::RuntimeError;
use super::ports::{Clock, World};
use handsoff_core::Code;
use handsoff_core::Severity;

/// The budget of what is grave is so many times as large.
const GRAVE: usize = 5;

/// Whether what is alerted has the larger budget: what is critical, whatever is about emergency identities, and what
/// attacks logging or the pipeline.
fn is_grave(code: Code, severity: Severity) -> bool {
    severity == Severity::Critical || code.row().is_urgent || code.is_grave()
}

/// How many incidents of a code and severity are alerted by themselves in a minute.
pub fn budget(burst: usize, code: Code, severity: Severity) -> usize {
    if is_grave(code, severity) { burst.saturating_mul(GRAVE) } else { burst }
}

/// The minute of a time.
pub(super) fn minute(now: Time) -> Time {
    now.floor(TimeDelta::minutes(1))
}

/// How many incidents of a code and severity were alerted by themselves in a minute.
#[derive(Clone, Debug)]
struct Taken {
    code: Code,
    severity: Severity,
    minute: Time,
}

impl Document for Taken {
    type State = usize;

    const CHANGE: &'static str = "taking of a budget";

    fn keys(&self) -> (String, String) {
        (format!("budget#{}#{}", self.code, self.severity), self.minute.to_string())
    }

    fn parse(&self, _: &impl Clock, text: &str) -> Result<usize, RuntimeError> {
        // What can't be read is full: then the summary names what is new.
        Ok(text.parse().unwrap_or(usize::MAX))
    }

    fn text(&self, taken: &usize) -> Result<String, RuntimeError> {
        Ok(taken.to_string())
    }
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
) -> Result<bool, RuntimeError> {
    let taken = Taken { code, severity, minute: minute(world.now()) };
    let mut held = Held::of(world, &taken).await?;
    let took = held.attempt(world, async |taken| {
        if taken.state >= budget(burst, code, severity) {
            return Ok(Change::Leave(false));
        }
        taken.state += 1;
        Ok(Change::Write(true))
    });
    // If others were always faster, they have taken twelve in the meantime.
    Ok(took.await?.unwrap_or(false))
}
