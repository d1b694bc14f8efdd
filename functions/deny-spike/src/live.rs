//! Denied calls as the function sees them: a few at a time, with the rest remembered.

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt};
use handsoff_trail::{Record, Time};
use handsoff_watch::live::{
    AT_ONCE, Detector, Failure, Lease, Mark, Metric, Range, Report, World, keep_and_tell,
};
use handsoff_watch::{Call, Code, Finding, Key, Owner, Policy, Severity, Skim, group};
use serde::{Deserialize, Serialize};

use crate::{Denial, judge};

/// How many denied calls of a principal are remembered within a window, and looked at: what comes on top is
/// remembered only if its action is new. A storm costs no more than this.
const CROWD: usize = 1000;

/// From so many denied calls of one principal in one batch it may be a storm.
const MANY: usize = 50;

/// The deny-spike function.
#[derive(Debug)]
pub struct DenySpike<'p> {
    policy: &'p Policy,
    skim: std::cell::RefCell<Skim<'p>>,
    lease: Lease,
}

impl<'p> DenySpike<'p> {
    /// The function under a policy.
    pub fn new(policy: &'p Policy, lease: Lease) -> Self {
        Self { policy, skim: Skim::new(policy).into(), lease }
    }
}

impl Detector for DenySpike<'_> {
    type Work = Denial;

    fn name(&self) -> &'static str {
        "handsoff-deny-spike"
    }

    fn judge(&self, record: &Record<'_>) -> Option<Denial> {
        if self.skim.try_borrow_mut().is_ok_and(|mut skim| skim.nothing(record).is_some()) {
            return None;
        }
        let call = Call::classify(*record, self.policy, &mut ());
        (call.owner(self.policy) == Owner::DenySpike).then(|| Denial::of(&call, &mut ()))
    }

    fn unit(&self, work: &Denial) -> String {
        work.group.clone()
    }

    async fn carry_out(
        &self,
        world: &impl World,
        work: Vec<Denial>,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let findings = found(world, self.policy, work, report).await?;
        keep_and_tell(world, &self.policy.alerts, self.lease, &findings, report).await
    }
}

/// What denied calls of one principal turn into findings: themselves, and calls that were remembered before.
///
/// They are remembered first and judged together with their neighbours after, so of several functions that see
/// parts of a spike the last one to look sees all of it.
async fn found(
    world: &impl World,
    policy: &Policy,
    mut own: Vec<Denial>,
    report: &mut Report,
) -> Result<Vec<Finding>, Failure> {
    let denied = own.len();
    // Without a time a call lies in no window.
    own.retain(|denial| denial.finding.time.is_some());
    let times = || own.iter().filter_map(|denial| denial.finding.time);
    let (Some(partition), Some(first), Some(last)) =
        (own.first().map(|denial| partition(&denial.group)), times().min(), times().max())
    else {
        count(report, denied);
        return Ok(Vec::new());
    };
    let window = policy.denials.window;
    if own.len() >= MANY {
        let before = neighbours(world, &partition, first, last, window).await?;
        if before.len() >= CROWD {
            own.retain(|denial| before.iter().all(|known| known.finding.action != denial.finding.action));
        }
    }
    count(report, denied - own.len());
    keep(world, &partition, &own, report).await?;
    let all = neighbours(world, &partition, first, last, window).await?;
    let mine: Vec<Key> = own.iter().map(Denial::key).collect();
    let others: Vec<Denial> = all.iter().filter(|denial| !mine.contains(&denial.key())).cloned().collect();
    let verdict = |finding: &Finding| (finding.key, (finding.code, finding.severity));
    let before: BTreeMap<Key, (Code, Severity)> =
        judge(others, &policy.denials).iter().map(verdict).collect();
    // Whoever brought the others has told what they were without these.
    let mut findings = judge(all, &policy.denials);
    findings.retain(|finding| before.get(&finding.key) != Some(&verdict(finding).1));
    Ok(findings)
}

fn count(report: &mut Report, calls: usize) {
    (0..calls).for_each(|_| report.count(Metric::DeniedCalls));
}

#[derive(Serialize, Deserialize)]
struct Stored {
    group: String,
    browsing: bool,
    mark: Mark,
}

fn partition(group: &str) -> String {
    format!("denied#{}", group::digest(&["denied", group]))
}

async fn keep(
    world: &impl World,
    partition: &str,
    denials: &[Denial],
    report: &mut Report,
) -> Result<(), Failure> {
    let puts = denials.iter().map(|denial| async move {
        let Denial { group, finding, browsing } = denial;
        let stored = Stored { group: group.clone(), browsing: *browsing, mark: Mark::new(finding) };
        let text = serde_json::to_string(&stored)
            .map_err(|error| Failure::new("writing a denied call as JSON", error))?;
        let time = finding.time.map(|time| time.to_string()).unwrap_or_default();
        world.put(partition, &format!("{time}#{:016x}", finding.key.0), &text).await
    });
    let puts: Vec<_> = stream::iter(puts).buffer_unordered(AT_ONCE).collect().await;
    for put in puts {
        count(report, usize::from(put?));
    }
    Ok(())
}

/// The denied calls around two times: those within a window, and on from these as long as no gap is longer.
async fn neighbours(
    world: &impl World,
    partition: &str,
    first: Time,
    last: Time,
    window: i64,
) -> Result<Vec<Denial>, Failure> {
    let (mut from, mut to) = (Time(first.0 - window), Time(last.0 + window));
    let mut all = read(world, partition, from, to, false).await?;
    while all.len() < CROWD {
        let edge = |worst: fn(Time, Time) -> Time| all.iter().filter_map(|it| it.finding.time).reduce(worst);
        let earlier = edge(Time::min).map(|time| Time(time.0 - window)).filter(|time| *time < from);
        let later = edge(Time::max).map(|time| Time(time.0 + window)).filter(|time| *time > to);
        let mut more = Vec::new();
        if let Some(earlier) = earlier {
            more.extend(read(world, partition, earlier, Time(from.0 - 1), true).await?);
            from = earlier;
        }
        if let Some(later) = later {
            more.extend(read(world, partition, Time(to.0 + 1), later, false).await?);
            to = later;
        }
        if more.is_empty() {
            break;
        }
        all.extend(more);
    }
    Ok(all)
}

async fn read(
    world: &impl World,
    partition: &str,
    from: Time,
    to: Time,
    backwards: bool,
) -> Result<Vec<Denial>, Failure> {
    let (from, to) = (from.to_string(), format!("{to}#~"));
    let range = Range { partition, from: &from, to: &to, most: CROWD, backwards };
    let mut denials = Vec::new();
    for text in world.range(range).await? {
        let stored: Stored = serde_json::from_str(&text)
            .map_err(|error| Failure::new("reading a stored denied call", error))?;
        let Stored { group, browsing, mark } = stored;
        denials.push(Denial { group, finding: mark.finding(), browsing });
    }
    Ok(denials)
}
