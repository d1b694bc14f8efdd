//! Denied calls as the function sees them: a few at a time, with the rest remembered.

mod changes;
mod table;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::convert::Infallible;

use futures_util::future::try_join;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use handsoff_cloudtrail::{Action, Record, Time, TimeDelta};
use handsoff_core::detector::{Related, Undecided};
use handsoff_core::policy::Denials;
use handsoff_core::{Call, Engine, Finding, Key, Policy, Reported, Severity, Trace, Verdict};
use handsoff_runtime::excepted::{self, Excepted};
use handsoff_runtime::{
    AT_ONCE, Classifier, Function, Lease, LogLine, Metric, Report, RuntimeError, Telling, World,
    keep_and_tell,
};

use self::table::{LOOK_AT, READ, Stored};
use crate::day::{self, Day, Span, Try};
use crate::guardrail;
use crate::seen::{Seen, Shape};
use crate::verdict::{self, Found, more};
use crate::{DenySpike, codes};

/// From so many denied calls of a principal around a batch on, only those whose action is new are remembered. A
/// storm costs no more than this, and no action is lost in it.
const CROWD: usize = 1000;

/// What comes of a denied call.
#[derive(Debug)]
pub enum Work {
    /// It counts.
    Denied(Box<Undecided>),
    /// An exception covers it.
    Excepted(Excepted),
    /// It changed a policy that may be a guardrail.
    Changed(Box<Related>),
}

/// The deny-spike function.
#[derive(Debug)]
pub struct DenySpikeFunction<'p> {
    classifier: Classifier<'p>,
    lease: Lease,
}

impl<'p> DenySpikeFunction<'p> {
    /// The function with these detectors.
    pub fn new(engine: Engine<'p>, lease: Lease) -> Self {
        Self { classifier: Classifier::new(engine), lease }
    }
}

impl Function for DenySpikeFunction<'_> {
    type EventError = Infallible;
    type Work = Work;

    fn name(&self) -> &'static str {
        "handsoff-deny-spike"
    }

    fn judge(&self, record: &Record<'_>) -> Option<Work> {
        if guardrail::is_change(&Action::of(record)) && record.error_code.is_absent() {
            let call = Call::classify(*record, self.classifier.policy(), &mut Trace::off());
            return guardrail::of(&call).map(|change| Work::Changed(Box::new(change)));
        }
        match self.classifier.judge(record, &DenySpike)? {
            (call, Verdict::Excepted(place)) => {
                Excepted::by(&call, self.classifier.policy(), place).map(Work::Excepted)
            }
            (_, Verdict::Undecided(denial)) => Some(Work::Denied(denial)),
            _ => None,
        }
    }

    fn unit(&self, work: &Work) -> String {
        match work {
            // What many principals do from one address is looked at once, not once for each of them.
            Work::Denied(denial) => denial.also.first().unwrap_or(&denial.group).clone(),
            Work::Excepted(_) => "excepted".to_owned(),
            Work::Changed(_) => "changed".to_owned(),
        }
    }

    /// Nobody waits for a change.
    fn timed(&self, work: &Work) -> Option<Metric> {
        (!matches!(work, Work::Changed(_))).then(|| Metric::Lag(self.name()))
    }

    async fn carry_out(
        &self,
        world: &impl World,
        work: Vec<Work>,
        report: &mut Report,
    ) -> Result<(), RuntimeError> {
        let (mut denied, mut covered) = (Vec::new(), Vec::new());
        for work in work {
            match work {
                Work::Denied(denial) => denied.push(*denial),
                Work::Excepted(call) => covered.push(call),
                Work::Changed(change) => changes::remember(world, &change).await?,
            }
        }
        excepted::keep(world, covered).await;
        let findings = found(world, self.classifier.policy(), denied, report).await?;
        let findings: Vec<Reported> = findings.into_iter().map(Reported::from).collect();
        let telling = Telling { policy: &self.classifier.policy().alerts, lease: self.lease, notes: &() };
        keep_and_tell(world, telling, &findings, report).await
    }
}

/// What denied calls turn into findings: themselves, and calls that were remembered before.
///
/// They are remembered first and judged together with their neighbours after, so of several functions that see
/// parts of a spike the last one to look sees all of it. Neighbours are read as far as a verdict needs them, which is
/// a tenth of what is kept: a storm must not ask more of a partition of `DynamoDB` than it gives.
pub(crate) async fn found(
    world: &impl World,
    policy: &Policy,
    own: Vec<Undecided>,
    report: &mut Report,
) -> Result<Vec<Finding>, RuntimeError> {
    let denials = &policy.denials;
    // Without a time a call lies in no window, but it may be grave by itself.
    let (own, timeless): (Vec<_>, Vec<_>) = own.into_iter().partition(|denial| denial.finding.time.is_some());
    count(report, timeless.iter().filter_map(|denial| denial.cause));
    let mut findings: Vec<Finding> = timeless.iter().filter_map(verdict::alone).collect();
    let mut principals: BTreeMap<&str, Vec<&Undecided>> = BTreeMap::new();
    for denial in &own {
        principals.entry(&denial.group).or_default().push(denial);
    }
    let kept = all_kept(world, denials, principals).await?;
    count(report, kept.iter().flat_map(|kept| &kept.causes).copied());
    // What of a storm isn't remembered counts in no other group either.
    let mut groups: BTreeMap<&str, Vec<&Undecided>> = BTreeMap::new();
    for denial in kept.iter().flat_map(|kept| &kept.own) {
        for group in &denial.also {
            groups.entry(group).or_default().push(denial);
        }
    }
    let shared = all_kept(world, denials, groups).await?;
    let all = kept.iter().chain(&shared).map(|kept| kept.group.found(world, &kept.own, &kept.before));
    let found: Vec<Vec<Finding>> = stream::iter(all).buffer_unordered(AT_ONCE).try_collect().await?;
    findings.extend(found.into_iter().flatten());
    findings.sort_by_key(Finding::order);
    Ok(findings)
}

/// A batch's calls of a group that are remembered.
struct Kept<'d> {
    group: Group<'d>,
    own: Vec<&'d Undecided>,
    /// What was there before them.
    before: Vec<Seen>,
    causes: Vec<&'static str>,
}

/// Remembers a batch's calls of several groups.
async fn all_kept<'d>(
    world: &impl World,
    denials: &'d Denials,
    groups: BTreeMap<&'d str, Vec<&'d Undecided>>,
) -> Result<Vec<Kept<'d>>, RuntimeError> {
    let kept = groups.into_iter().map(|(name, mut own)| async move {
        let group = Group::of(name, denials);
        let (before, causes) = group.keep(world, &mut own).await?;
        Ok(Kept { group, own, before, causes })
    });
    stream::iter(kept).buffered(AT_ONCE).try_collect().await
}

/// The denied calls of a group, and where they are kept.
struct Group<'p> {
    name: &'p str,
    policy: &'p Denials,
    stored: Stored,
}

impl<'p> Group<'p> {
    fn of(name: &'p str, policy: &'p Denials) -> Self {
        Self { name, policy, stored: Stored::of(name) }
    }

    /// Remembers a batch's calls, and says what was there before them, and why those that are new were denied. Those of a storm
    /// that aren't remembered are left out.
    async fn keep(
        &self,
        world: &impl World,
        own: &mut Vec<&Undecided>,
    ) -> Result<(Vec<Seen>, Vec<&'static str>), RuntimeError> {
        let Some(times) = times_of(own) else { return Ok((Vec::new(), Vec::new())) };
        let window = self.policy.window;
        let before = self.stored.around(world, times, window * 2, LOOK_AT).await?;
        let near = before.iter().filter(|call| is_near(call, times, window));
        let mut causes = Vec::new();
        if !self.is_thin() && near.count() >= CROWD {
            let left_out = self.thin_out(&before, own);
            causes.extend(left_out.into_iter().filter_map(|denial| denial.cause));
        }
        causes.extend(self.stored.keep(world, own, self.name).await?);
        Ok((before, causes))
    }

    /// What a batch's calls, which are remembered, turn into findings.
    async fn found(
        &self,
        world: &impl World,
        own: &[&Undecided],
        before: &[Seen],
    ) -> Result<Vec<Finding>, RuntimeError> {
        let (mut found, days) = try_join(self.by_windows(world, own, before), self.days(world, own)).await?;
        for (day, calls) in days {
            self.add_day(&day, calls, &mut found);
        }
        let mut findings = Vec::new();
        for denial in own {
            let found = found.remove(&denial.key()).map(|(_, found)| found);
            findings.extend(crate::told(denial, self.name, found.as_ref(), self.policy));
        }
        let mut whole = HashMap::new();
        let calls: Vec<&Seen> = found.values().map(|(call, _)| call).collect();
        self.stored.read_whole(world, &calls, &mut whole).await?;
        for (key, (_, found)) in &found {
            match whole.remove(key) {
                Some(finding) => findings.extend(self.later(finding, found)),
                None => world.log(LogLine::new(READ, "only a summary of a call is stored")),
            }
        }
        let times = || findings.iter().filter_map(|finding| finding.time);
        if let Some(times) = times().min().zip(times().max()) {
            let last = changes::before(world, self.name, times).await?;
            for finding in &mut findings {
                guardrail::tie(finding, &last);
            }
        }
        Ok(findings)
    }

    /// Whether no storm comes to it: of each principal only some calls do. A sign-in has no principal yet.
    fn is_thin(&self) -> bool {
        matches!(Shape::of(self.name), Shape::Source | Shape::Provider | Shape::Wall)
    }

    /// What a call that was remembered before becomes, if that says more than what it is by itself.
    fn later(&self, finding: Finding, found: &Found) -> Option<Finding> {
        let is_alone = codes::ALONE.contains(&finding.code) && !Shape::of(self.name).is_shared();
        let says_more = !is_alone || verdict::outweighs(found, &finding);
        says_more.then(|| found.told(finding, self.name, self.policy))
    }

    /// Leaves out the calls of a storm that tell nothing new: whose action is known, and their targets or enough others.
    fn thin_out<'d>(&self, before: &[Seen], own: &mut Vec<&'d Undecided>) -> Vec<&'d Undecided> {
        // A call that failed for another reason is another call than a denied one.
        let mut known: HashMap<(&str, bool), HashSet<&str>> = HashMap::new();
        let mut who: HashSet<&str> = HashSet::new();
        let mut launches: HashSet<&str> = HashSet::new();
        for call in before {
            launches.extend(call.launch.as_deref());
            known.entry((&*call.action, call.failed)).or_default().extend(call.target.as_deref());
            who.extend(call.who.as_deref());
        }
        let (kept, left_out) = own.drain(..).partition(|denial| {
            // What is severe by itself is in no storm.
            if denial.finding.severity >= Severity::High {
                return true;
            }
            let seen = Seen::of(denial, self.name);
            let Some(targets) = known.get(&(&*seen.action, seen.failed)) else { return true };
            let is_new = |target: &String| {
                targets.len() < self.policy.daily_targets && !targets.contains(target.as_str())
            };
            let new_launch =
                |own: &String| launches.len() < self.policy.daily_targets && !launches.contains(own.as_str());
            if seen.launch.as_ref().is_some_and(new_launch) {
                return true;
            }
            let other = |own: &String| who.len() < self.policy.principals && !who.contains(own.as_str());
            seen.target.as_ref().is_some_and(is_new) || seen.who.as_ref().is_some_and(other)
        });
        *own = kept;
        left_out
    }

    /// By the windows: all calls of which these change the verdict.
    ///
    /// Compared with what was there before these were remembered, not with what is there beside them: of two functions that
    /// bring the last ones at once, each would take the other for the one that reports the rest. The one that remembered its
    /// own first didn't see the other's before.
    async fn by_windows(
        &self,
        world: &impl World,
        own: &[&Undecided],
        before: &[Seen],
    ) -> Result<HashMap<Key, (Seen, Found)>, RuntimeError> {
        let Some(times) = times_of(own) else { return Ok(HashMap::new()) };
        let window = self.policy.window;
        // Verdicts on what is within a window of these may change, and depend on what is within a window of that.
        let mut all = self.stored.around(world, times, window * 2, LOOK_AT).await?;
        let keys: HashSet<Key> = own.iter().map(|denial| denial.key()).collect();
        all.retain(|call| !keys.contains(&call.key));
        // The function that got the others has reported what they were without these.
        let others: Vec<Seen> = before.iter().filter(|call| !keys.contains(&call.key)).cloned().collect();
        let others = verdict::of_group(self.name, others, self.policy);
        all.extend(own.iter().map(|denial| Seen::of(denial, self.name)));
        let mut near: HashMap<Key, Seen> = all
            .iter()
            .filter(|call| is_near(call, times, window))
            .map(|call| (call.key, call.clone()))
            .collect();
        let found = verdict::of_group(self.name, all, self.policy);
        let changed = found.into_iter().filter_map(|(key, found)| {
            let call = near.remove(&key)?;
            let same = others.get(&key).map(Found::verdict) == Some(found.verdict());
            (!same).then_some((key, (call, found)))
        });
        Ok(changed.collect())
    }

    /// The days of a principal's calls that hold too much, each with the own calls, and with what was remembered before where
    /// it holds too much from another time on than without these.
    async fn days(
        &self,
        world: &impl World,
        own: &[&Undecided],
    ) -> Result<Vec<(Day, Vec<Seen>)>, RuntimeError> {
        let mut halves: BTreeMap<Time, Vec<Seen>> = BTreeMap::new();
        for denial in own.iter().filter(|_| Shape::of(self.name) == Shape::Principal) {
            let half = denial.finding.time.map(day::half);
            halves.entry(half.unwrap_or_default()).or_default().push(Seen::of(denial, self.name));
        }
        let mut full = Vec::new();
        for (half, own) in halves {
            let tries: BTreeSet<Try> = own.iter().filter_map(Try::of).collect();
            let days = Span::both(half);
            let (all, is_new) = self.stored.tried(world, days, &tries).await?;
            let days = days.map(|span| {
                let of = || all.iter().filter(move |one| span.contains(one.slot));
                let without = Day::of(of().filter(|one| !tries.contains(one)), self.policy);
                (span, Day::of(of(), self.policy), without)
            });
            // Of two functions that bring at once what is too much, each finds that it is too much without its own: then who
            // claims it first reports the rest.
            let mut full_days = Vec::new();
            for (span, day, without) in days {
                if day.start().is_some() {
                    let changed = day != without;
                    let claimed = (changed || is_new) && self.stored.claim(world, span, &day).await?;
                    full_days.push((span, day, changed || claimed));
                }
            }
            // One reading for both.
            let changed = || full_days.iter().filter(|(.., changed)| *changed);
            let from = changed().filter_map(|(_, day, _)| day.start()).min();
            let before = match from.zip(changed().map(|(span, ..)| span.end).max()) {
                Some((from, to)) => {
                    self.stored.between(world, &from.to_string(), &to.to_string(), LOOK_AT).await?
                }
                None => Vec::new(),
            };
            for (span, day, changed) in full_days {
                let earlier = before.iter().filter(|_| changed);
                let earlier = earlier.filter(|call| call.time.is_some_and(|time| span.contains(time)));
                full.push((day.clone(), own.iter().chain(earlier).cloned().collect()));
            }
        }
        Ok(full)
    }

    /// Adds what a day makes of its calls, where it says more than their windows.
    fn add_day(&self, day: &Day, calls: Vec<Seen>, found: &mut HashMap<Key, (Seen, Found)>) {
        for call in calls {
            let Some(own) = day.found(&call, self.policy) else { continue };
            let known = found.remove(&call.key).map(|(_, found)| found);
            let both = more(known, Some(own));
            found.extend(both.map(|found| (call.key, (call, found))));
        }
    }
}

/// Whether a call lies within a window of a batch's.
fn is_near(call: &Seen, (first, last): (Time, Time), window: TimeDelta) -> bool {
    call.time.is_some_and(|time| (first - window..=last + window).contains(&time))
}

/// The first and the last time of calls.
fn times_of(own: &[&Undecided]) -> Option<(Time, Time)> {
    let times = || own.iter().filter_map(|denial| denial.finding.time);
    times().min().zip(times().max())
}

/// Counts calls that were denied by their causes: what failed for another reason has none.
fn count(report: &mut Report, causes: impl IntoIterator<Item = &'static str>) {
    for cause in causes {
        report.count(Metric::DeniedCalls(cause));
    }
}
