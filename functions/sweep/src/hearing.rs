//! Whether those who are to be alerted can still hear: the topic's subscriptions, against the last known ones.

use std::collections::BTreeSet;

use handsoff_core::Reported;
use handsoff_drift::lost_subscription;
use handsoff_runtime::stored::{self, Was};
use handsoff_runtime::{
    Clock, Document, Held, Metric, Report, RuntimeError, Subscription, Subscriptions, World, keep_and_tell,
};

use crate::context::Sweep;

/// The document of the topic's subscriptions.
#[derive(Clone, Debug)]
struct Topic;

/// The subscriptions that are known.
#[derive(Clone, Debug, Default)]
struct Subscribed {
    known: BTreeSet<Subscription>,
    was: Was,
}

impl Document for Topic {
    type State = Subscribed;

    const CHANGE: &'static str = "writing the known subscriptions";

    fn keys(&self) -> (String, String) {
        ("topic".to_owned(), "subscriptions".to_owned())
    }

    fn parse(&self, clock: &impl Clock, text: &str) -> Result<Subscribed, RuntimeError> {
        let known = stored::read(clock, "reading the known subscriptions", text, &[]);
        Ok(Subscribed { known: known.unwrap_or_default(), was: Was::of(text) })
    }

    fn text(&self, Subscribed { known, was }: &Subscribed) -> Result<String, RuntimeError> {
        was.text(known, |whole| serde_json::from_value(whole.clone()).unwrap_or_default())
    }
}

/// Compares the confirmed subscriptions with the last known ones. What is gone is a finding; then what is there
/// is what is known.
pub(crate) async fn compare<W: World + Subscriptions>(
    sweep: &Sweep<'_, W>,
    report: &mut Report,
) -> Result<(), RuntimeError> {
    let world = sweep.world;
    let there = world.subscriptions().await?;
    crate::context::add_also_zero(report, Metric::Subscribers, there.len());
    let mut held = Held::of(world, &Topic).await?;
    let lost: Vec<&Subscription> = held.state.known.difference(&there).collect();
    if !lost.is_empty() {
        crate::context::add(report, Metric::SubscriptionsLost, lost.len());
        let findings = lost.iter().map(|lost| lost_subscription(lost, sweep.policy, sweep.now).into());
        let findings: Vec<Reported> = findings.collect();
        keep_and_tell(world, sweep.telling(&()), &findings, report).await?;
    }
    held.state.known = there;
    // Also when nothing has changed: what isn't written expires. If somebody else was faster, they have reported the same.
    held.write(world).await.map(drop)
}
