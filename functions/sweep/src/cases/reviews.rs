//! Cases that nobody has reviewed in time.

use handsoff_case::live::{CASE, sealed, write_sealed};
use handsoff_trail::Time;
use handsoff_watch::Policy;
use handsoff_watch::alert::Period;
use handsoff_watch::live::{Episode, Failure, Metric, Report, World, reopen};

/// Counts the sealed cases that are overdue for their review. Once a day what is remembered of each is written anew,
/// or it would expire before anybody has looked.
pub(crate) async fn reviews(
    world: &impl World,
    policy: &Policy,
    open: &[(String, String)],
    now: Time,
    refresh: bool,
    report: &mut Report,
) -> Result<(), Failure> {
    let mut late = 0;
    let mut failed = Ok(());
    for (case, _) in open.iter().filter(|(_, sort)| sort == CASE) {
        match sealed(world, case).await {
            Ok(None) => {}
            Ok(Some((version, sealed))) => {
                // Its credentials have ended by now: what was done with them unseen, CloudTrail knows.
                if sealed.look_again.is_some_and(|again| now >= again) {
                    let episode = Episode { incident: case.clone(), period: Period::Session };
                    failed = failed.and(reopen(world, &episode).await);
                }
                late +=
                    usize::from(sealed.review.is_none() && now.0 > sealed.at.0 + policy.cases.review_within);
                if refresh {
                    failed = failed.and(write_sealed(world, case, Some(version), &sealed).await.map(drop));
                }
            }
            Err(failure) => failed = failed.and(Err(failure)),
        }
    }
    crate::add(report, Metric::CasesUnreviewed, late);
    failed
}
