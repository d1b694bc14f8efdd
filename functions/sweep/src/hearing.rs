//! Whether those who are to be told can still hear: the topic's subscriptions, against the last known ones.

use std::collections::BTreeSet;

use handsoff_cloudtrail::Time;
use handsoff_core::alert::Period;
use handsoff_core::finding::Who;
use handsoff_core::show::clean;
use handsoff_core::{Code, Finding, Key, Kind, Policy, Severity, group};
use handsoff_runtime::stored::{self, Was};
use handsoff_runtime::{
    Clock, Document, Failure, Held, Metric, Report, Subscription, Subscriptions, World, keep_and_tell,
};

use crate::Sweep;

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

    fn parse(&self, clock: &impl Clock, text: &str) -> Result<Subscribed, Failure> {
        let known = stored::read(clock, "reading the known subscriptions", text, &[]);
        Ok(Subscribed { known: known.unwrap_or_default(), was: Was::of(text) })
    }

    fn text(&self, Subscribed { known, was }: &Subscribed) -> Result<String, Failure> {
        was.text(known, |whole| serde_json::from_value(whole.clone()).unwrap_or_default())
    }
}

/// Compares the confirmed subscriptions with the last known ones. What is gone is a finding; then what is there
/// is what is known.
pub(crate) async fn compare<W: World + Subscriptions>(
    sweep: &Sweep<'_, W>,
    report: &mut Report,
) -> Result<(), Failure> {
    let world = sweep.world;
    let there = world.subscriptions().await?;
    crate::add_also_zero(report, Metric::Subscribers, there.len());
    let mut held = Held::of(world, &Topic).await?;
    let lost: Vec<&Subscription> = held.state.known.difference(&there).collect();
    if !lost.is_empty() {
        crate::add(report, Metric::SubscriptionsLost, lost.len());
        let findings: Vec<Finding> = lost.iter().map(|lost| finding(lost, sweep.policy, sweep.now)).collect();
        keep_and_tell(world, sweep.telling(&()), &findings, report).await?;
    }
    held.state.known = there;
    // Also when nothing has changed: what isn't written expires. If somebody else was faster, they have told the same.
    held.write(world).await.map(drop)
}

/// The incident is the topic's, of this period: CloudTrail names nobody.
fn finding(lost: &Subscription, policy: &Policy, now: Time) -> Finding {
    let mut arn = lost.arn.split(':').skip(3);
    let (region, account) = (arn.next().unwrap_or_default(), arn.next().unwrap_or_default());
    let period = Period::of("drift-", Some(now), &policy.alerts).to_string();
    let digest = group::digest(&["subscription", &lost.arn, &period]);
    let key = u64::from_str_radix(&digest, 16).unwrap_or_default();
    let code = Code::TrailTampered;
    Finding {
        code,
        severity: Severity::High,
        incident: format!("drift-{}", group::digest(&["topic", account, region, &period])),
        event_id: String::new(),
        // The time by which it is known: the same for all sweeps of the period, so that it is told once.
        event_time: Some(period.clone()),
        account: clean(account, 32),
        region: clean(region, 32),
        action: "sns:Unsubscribe".into(),
        access: "write".into(),
        class: None,
        error: None,
        principal: Who { kind: Kind::Unknown, arn: String::new(), name: "unknown".into(), human: None },
        via: "not recorded".into(),
        source_ip: "unknown".into(),
        user_agent: String::new(),
        mfa: None,
        resources: vec![clean(&lost.arn, 256)],
        reason: format!(
            "A subscription ({}) of the topic for alerts is gone. Whoever follows the link in a mail leaves no \
             record; if somebody unsubscribed it by a call, that is told by itself.",
            clean(&lost.protocol, 16)
        ),
        next: code.next_step().into(),
        key: Key(key),
        time: Time::parse(&period),
        known: Time::parse(&period),
        ties: handsoff_core::story::Ties::default(),
    }
}
