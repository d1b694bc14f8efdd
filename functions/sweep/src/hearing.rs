//! Whether those who are to be told can still hear: the topic's subscriptions, against the last known ones.

use std::collections::BTreeSet;

use handsoff_cloudtrail::Time;
use handsoff_core::{Finding, Policy};
use handsoff_drift::lost_subscription;
use handsoff_runtime::stored::{self, Was};
use handsoff_runtime::{
    Failure, Lease, Metric, Report, Subscription, Subscriptions, Telling, World, keep_and_tell,
};
use serde_json::Value;

const PARTITION: &str = "topic";
const SORT: &str = "subscriptions";

/// Compares the confirmed subscriptions with the last known ones. What is gone is a finding; then what is there
/// is what is known.
pub(crate) async fn compare(
    world: &(impl World + Subscriptions),
    policy: &Policy,
    lease: Lease,
    now: Time,
    report: &mut Report,
) -> Result<(), Failure> {
    let there = world.subscriptions().await?;
    crate::add_also_zero(report, Metric::Subscribers, there.len());
    let seen = world.read(PARTITION, SORT).await?;
    let (version, was, known): (_, Was, BTreeSet<Subscription>) = match &seen {
        None => (None, Was::default(), BTreeSet::new()),
        Some((version, text)) => {
            let known = stored::read(world, "reading the known subscriptions", text, &[]);
            (Some(*version), Was::of(text), known.unwrap_or_default())
        }
    };
    let lost: Vec<&Subscription> = known.difference(&there).collect();
    if !lost.is_empty() {
        crate::add(report, Metric::SubscriptionsLost, lost.len());
        let findings: Vec<Finding> = lost.iter().map(|lost| lost_subscription(lost, policy, now)).collect();
        let telling = Telling { policy: &policy.alerts, lease, notes: &() };
        keep_and_tell(world, telling, &findings, report).await?;
    }
    let again = |whole: &Value| serde_json::from_value(whole.clone()).unwrap_or_default();
    let text = was.text(&there, again)?;
    // Also when nothing has changed: what isn't written expires. If somebody else was faster, they have told the same.
    world.swap(PARTITION, SORT, version, &text, None).await?;
    Ok(())
}
