//! Cases that nobody has reviewed in time.

use futures_util::stream::{self, StreamExt};
use handsoff_case::live::{CASE, Case};
use handsoff_cloudtrail::{Time, TimeDelta};
use handsoff_core::alert::Period;
use handsoff_runtime::{AT_ONCE, Episode, Held, Metric, Open, Report, RuntimeError, World, reopen};

use crate::context::Sweep;

/// Counts the sealed cases that are overdue for their review: the others of the list aren't read, but for a part of them
/// that `refresh` writes anew, or they would expire before anybody has looked.
pub(crate) async fn reviews<W: World>(
    sweep: &Sweep<'_, W>,
    open: &[Open],
    refresh: Refresh,
) -> (Report, Result<(), RuntimeError>) {
    let cases = open.iter().filter(|open| open.sort == CASE);
    let due =
        |open: &&Open| open.due.is_none_or(|due| due.at <= sweep.now) || refresh.is_turn(&open.partition);
    let reviews = cases.filter(due).map(|open| review(sweep, &open.partition, refresh));
    let mut reviews = stream::iter(reviews).buffer_unordered(AT_ONCE);
    let (mut late, mut failed) = (0, Ok(()));
    while let Some(reviewed) = reviews.next().await {
        match reviewed {
            Ok(is_late) => late += usize::from(is_late),
            Err(failure) => failed = failed.and(Err(failure)),
        }
    }
    let mut report = Report::default();
    crate::context::add(&mut report, Metric::CasesUnreviewed, late);
    (report, failed)
}

/// Whether the review of a case is overdue.
async fn review<W: World>(sweep: &Sweep<'_, W>, case: &str, refresh: Refresh) -> Result<bool, RuntimeError> {
    let Sweep { world, policy, now, .. } = *sweep;
    let review_within = policy.cases.review_within;
    let document = Case { id: case, review_within };
    let mut held = Held::of(world, &document).await?;
    if !held.exists() {
        return Ok(false);
    }
    // Its credentials have ended by now: what was done with them unseen, CloudTrail knows.
    let mut reopened = Ok(());
    if held.state.look_again.is_some_and(|again| now >= again) {
        let episode = Episode { incident: case.to_owned(), period: Period::Session };
        reopened = reopen(world, &episode).await;
    }
    if refresh.is_turn(case) {
        // If somebody else was faster, it is written anew all the same.
        held.write(world).await?;
    }
    reopened.map(|()| held.state.review.is_none() && now > held.state.at + review_within)
}

/// Whose turn it is to be written anew: each once a day, and not all at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refresh {
    turn: i64,
    turns: i64,
}

impl Refresh {
    /// The turn of a time, of those that are so long apart.
    pub(crate) fn of(now: Time, every: TimeDelta) -> Self {
        let every = every.num_seconds().max(1);
        let turns = (TimeDelta::days(1).num_seconds() / every).max(1);
        Self { turn: now.timestamp().div_euclid(every).rem_euclid(turns), turns }
    }

    fn is_turn(self, case: &str) -> bool {
        // Names of cases are digests: their last digits are as good as dice.
        let sum = case.bytes().fold(0_i64, |sum, byte| (sum * 31 + i64::from(byte)) % 1_000_003);
        sum % self.turns == self.turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_case_is_written_anew_once_a_day_and_few_at_a_time() {
        let cases: Vec<String> =
            (0..2_000_u64).map(|n| format!("glass-{:024x}", n * 0x9E37_79B9_7F4A)).collect();
        let start = Time::from_timestamp(1_740_000_000);
        let mut most = 0;
        let mut turns = vec![0; cases.len()];
        for minute in (0..1440).step_by(5) {
            let refresh = Refresh::of(start + TimeDelta::minutes(minute), TimeDelta::minutes(5));
            let turn: Vec<usize> = (0..cases.len()).filter(|case| refresh.is_turn(&cases[*case])).collect();
            most = most.max(turn.len());
            for case in turn {
                turns[case] += 1;
            }
        }
        assert!(turns.iter().all(|turns| *turns == 1));
        assert!(most < 40, "{most} at once");
    }
}
