//! Findings that belong together.
//!
//! An incident is a set: adding a finding twice, or in another order, gives the same incident. What it keeps
//! is bounded but for some sixty bytes a finding: the findings to show are the few worst and earliest, and that
//! choice doesn't depend on the order either.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use handsoff_cloudtrail::{Time, TimeDelta};

use crate::code::Code;
use crate::earlier::{Brief, Earlier, Subject};
use crate::finding::{Finding, Key};
use crate::links::Links;
use crate::milestone::{Milestone, Period, Reach, Topic, digest_end};
use crate::policy::Alerts;
use crate::reported::{Reported, ReportedRef};
use crate::session_verdict::SessionVerdict;
use crate::severity::Severity;
use crate::ties::{Identity, Ties};

mod action;
mod entry;
mod few;
mod step;

use action::Action;
pub(crate) use entry::{Entry, Mark};
use few::Few;
use step::Act;
pub use step::{Did, Folded, Step};

/// Findings that belong together, and what is said of the session that they are of.
#[derive(Clone, Debug, Default)]
pub struct Incident {
    /// Its ID.
    pub id: String,
    /// All findings in short, each with what it shares with others.
    marks: Few<Mark, Arc<Act>>,
    /// What findings share, each once.
    acts: Few<Arc<Act>, ()>,
    /// The worst and earliest findings, the worst first.
    worst: Vec<Arc<Finding>>,
    /// The first finding of each severity: what an alert about a rise in severity tells.
    firsts: [Option<Arc<Finding>>; Severity::ALL.len()],
    /// The first findings of each topic, by their order: what an alert about them shows.
    topics: Few<Topic, Vec<Arc<Finding>>>,
    /// The first finding of each action and severity, where what came before is remembered: what an alert shows when all
    /// others are repeated.
    news: Few<(Action, Severity), Arc<Finding>>,
    /// The first finding of each period and severity: what an alert of a later period tells.
    periods: Few<(Period, Severity), Arc<Finding>>,
    /// What is said of the session as a whole: of each code one.
    verdicts: BTreeMap<Code, Arc<SessionVerdict>>,
    /// How long a period lasts, where all periods are in one incident.
    length: Option<TimeDelta>,
    /// What ties it to other incidents.
    links: Links,
}

/// How many findings an incident keeps whole, to show them.
const SHOWN: usize = 6;

/// How many findings of each topic it keeps whole: as many as are alerted one by one.
const OF_TOPIC: usize = 3;

/// How many actions and severities keep their first finding: more than anyone's code has.
const NEWS: usize = 200;

/// So many periods and severities keep their first finding. An incident is of one session or one day: only forged logs
/// have more.
const PERIODS: usize = 64;

impl Incident {
    /// An incident without findings.
    pub fn new(id: String) -> Self {
        Self { id, ..Self::default() }
    }

    /// One whose findings may be of several periods.
    pub fn of_periods(id: String, policy: &Alerts) -> Self {
        Self { id, length: Some(policy.period), ..Self::default() }
    }

    /// The same with these of its findings only, such as those that were known at a time.
    pub(crate) fn part<'e>(&self, entries: impl IntoIterator<Item = Entry<'e>>) -> Self {
        let Self { id, length, links, .. } = self;
        let mut part = Self { id: id.clone(), length: *length, links: links.clone(), ..Self::default() };
        for entry in entries {
            match entry {
                Entry::Call(mark) => {
                    if let Some(act) = self.marks.get(mark) {
                        part.marks.insert(*mark, Arc::clone(act));
                    }
                }
                Entry::Session(verdict) => part.keep_verdict(verdict),
            }
        }
        for finding in self.kept() {
            if part.marks.get(&Mark::of(finding)).is_some() {
                part.keep(finding);
            }
        }
        part
    }

    /// The findings that are kept whole; some more than once.
    fn kept(&self) -> impl Iterator<Item = &Arc<Finding>> {
        let Self { worst, firsts, topics, news, periods, .. } = self;
        let topics = topics.values().flatten();
        let firsts = worst.iter().chain(firsts.iter().flatten()).chain(topics);
        firsts.chain(news.values()).chain(periods.values())
    }

    /// The findings that its alerts may show, some more than once.
    pub(crate) fn shown(&self) -> impl Iterator<Item = &Finding> {
        self.kept().map(|finding| &**finding)
    }

    /// By what other records are looked up of what its alerts may show: who issued credentials, which tool made a request.
    pub fn looked_up(&self) -> impl Iterator<Item = &Identity> {
        let calls = self.kept().map(|finding| &finding.ties);
        let verdicts = self.verdicts.values().map(|verdict| &verdict.ties);
        calls.chain(verdicts).flat_map(Ties::looked_up)
    }

    /// Adds a finding or a verdict. Adding it again changes nothing.
    pub fn add(&mut self, reported: impl Into<Reported>) {
        match reported.into() {
            Reported::Call(finding) => {
                self.count_in(&finding);
                self.keep(&Arc::new(finding));
            }
            Reported::Session(verdict) => {
                self.links.add((&verdict).into());
                self.keep_verdict(&Arc::new(verdict));
            }
        }
    }

    /// Adds a finding that won't be shown: most of what an incident takes is the findings that it keeps whole.
    pub fn count_in(&mut self, finding: &Finding) {
        self.mark(Mark::of(finding), Arc::new(Act::of(finding)));
        self.links.add(finding.into());
    }

    /// Adds all findings of another part of the same incident.
    pub fn merge(&mut self, other: &Self) {
        for (mark, act) in other.marks.iter() {
            self.mark(*mark, Arc::clone(act));
        }
        for finding in other.kept() {
            self.keep(finding);
        }
        for verdict in other.verdicts.values() {
            self.keep_verdict(verdict);
        }
        self.links.merge(&other.links);
    }

    /// Takes a finding in. Of two that hand-made logs give the same key, the same one stays whichever came first.
    fn mark(&mut self, mark: Mark, act: Arc<Act>) {
        if self.marks.get(&mark).is_some_and(|known| *known <= act) {
            return;
        }
        let known = self.acts.key(&act).map(Arc::clone);
        let act = known.unwrap_or_else(|| {
            self.acts.insert(Arc::clone(&act), ());
            act
        });
        self.marks.insert(mark, act);
    }

    /// Keeps a finding if it is among those to show. What is kept in the end doesn't depend on the order.
    fn keep(&mut self, finding: &Arc<Finding>) {
        if let Some(first) = self.firsts.get_mut(finding.severity as usize)
            && first.as_ref().is_none_or(|first| is_earlier(finding, first))
        {
            *first = Some(Arc::clone(finding));
        }
        self.keep_of_topic(finding);
        self.keep_of_action(finding);
        if let Some(length) = self.length {
            let place = (Period::of_length(&self.id, finding.time, length), finding.severity);
            if self.periods.get(&place).is_none_or(|first| is_earlier(finding, first)) {
                self.periods.insert(place, Arc::clone(finding));
            }
            if self.periods.len() > PERIODS {
                self.periods.pop_last();
            }
        }
        match self
            .worst
            .binary_search_by(|kept| rank(kept).cmp(&rank(finding)).then_with(|| kept.cmp(finding)))
        {
            Ok(_) => return,
            Err(place) => self.worst.insert(place, Arc::clone(finding)),
        }
        // Of two that hand-made logs give the same key, the same one stays whichever came first.
        self.worst.dedup_by(|a, b| rank(a) == rank(b));
        self.worst.truncate(SHOWN);
    }

    fn keep_of_topic(&mut self, finding: &Arc<Finding>) {
        let topic = finding.topic();
        let mut first = self.topics.get(&topic).cloned().unwrap_or_default();
        let order = |kept: &Arc<Finding>| kept.order().cmp(&finding.order());
        match first.binary_search_by(|kept| order(kept).then_with(|| kept.cmp(finding))) {
            Ok(_) | Err(OF_TOPIC..) => return,
            Err(place) => first.insert(place, Arc::clone(finding)),
        }
        // Of two that hand-made logs give the same key, the same one stays whichever came first.
        first.dedup_by(|a, b| a.order() == b.order());
        first.truncate(OF_TOPIC);
        self.topics.insert(topic, first);
    }

    /// Keeps a verdict. Of two of one code the earlier one stays, whichever came first.
    fn keep_verdict(&mut self, verdict: &Arc<SessionVerdict>) {
        let is_earlier = |known: &Arc<SessionVerdict>| (verdict.order(), verdict) < (known.order(), known);
        if self.verdicts.get(&verdict.code).is_none_or(is_earlier) {
            self.verdicts.insert(verdict.code, Arc::clone(verdict));
        }
    }

    fn keep_of_action(&mut self, finding: &Arc<Finding>) {
        if !Subject::has(finding) {
            return;
        }
        let place = (Action(finding.action.as_str().into()), finding.severity);
        if self.news.get(&place).is_none_or(|first| is_earlier(finding, first)) {
            self.news.insert(place, Arc::clone(finding));
        }
        if self.news.len() > NEWS {
            self.news.pop_last();
        }
    }

    /// What to tell when an incident has reached a severity: the first that has it.
    pub fn lead_of(&self, severity: Severity) -> Option<ReportedRef<'_>> {
        let calls = self.kept().map(|finding| ReportedRef::Call(finding));
        let all = calls.chain(self.verdicts().map(ReportedRef::Session));
        all.filter(|it| it.severity() == severity).min_by_key(|it| it.order())
    }

    /// What to show in a message about these milestones: the gravest of those that are new, of a session's opening
    /// that, else as [`Self::lead_of`].
    pub fn lead_for(&self, tells: &BTreeSet<Milestone>, severity: Severity) -> Option<ReportedRef<'_>> {
        let opening = tells.contains(&Milestone::Opened);
        let new = tells.iter().filter_map(|it| match it {
            Milestone::Topic(topic, count) if !opening => self.of_topic(*topic, *count),
            Milestone::Severity(severity) if !opening => self.lead_of(*severity),
            _ => None,
        });
        let own = new.max_by_key(|it| (it.severity(), Reverse(it.order())));
        let begun = || Code::all().iter().filter(|code| code.row().opens_session);
        let begun = || begun().find_map(|code| self.first_of(*code)).filter(|_| opening);
        let end = || self.verdicts().find(|it| it.is_end()).filter(|_| tells.contains(&Milestone::Closed));
        own.or_else(begun).or_else(|| end().map(ReportedRef::Session)).or_else(|| self.lead_of(severity))
    }

    /// The finding that made so many of a topic; where it isn't kept whole, the last one that is.
    fn of_topic(&self, topic: Topic, count: usize) -> Option<ReportedRef<'_>> {
        let Some(kept) = self.topics.get(&topic) else { return self.verdict(topic.code) };
        let finding = kept.get(count.saturating_sub(1)).or_else(|| kept.last())?;
        Some(ReportedRef::Call(finding))
    }

    /// The first finding of a code, or the verdict.
    pub fn first_of(&self, code: Code) -> Option<ReportedRef<'_>> {
        let of_code = self.topics.values().flatten().filter(|finding| finding.code == code);
        let first = of_code.min_by_key(|finding| finding.order());
        first.map(|finding| ReportedRef::Call(finding)).or_else(|| self.verdict(code))
    }

    fn verdict(&self, code: Code) -> Option<ReportedRef<'_>> {
        self.verdicts.get(&code).map(|verdict| ReportedRef::Session(verdict))
    }

    /// Findings whose actions no message has named so far, one of each action, the worst first: of those that are
    /// kept whole.
    pub fn unnamed(&self, named: &BTreeSet<String>) -> Vec<&Finding> {
        let new = self.kept().filter(|finding| !named.contains(&finding.action));
        let mut new: Vec<&Finding> = new.map(|finding| &**finding).collect();
        new.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| a.cmp(b)));
        let mut seen = BTreeSet::new();
        new.retain(|finding| seen.insert(&*finding.action));
        new
    }

    /// Its findings by the end of the digest that has them.
    pub fn by_digest(&self, policy: &Alerts) -> Vec<(Time, Self)> {
        let mut parts: BTreeMap<Time, Vec<Entry<'_>>> = BTreeMap::new();
        for entry in self.entries() {
            if let Some(until) = digest_end(&self.id, entry.time(), policy) {
                parts.entry(until).or_default().push(entry);
            }
        }
        parts.into_iter().map(|(until, entries)| (until, self.part(entries))).collect()
    }

    /// All, in the order in which they could be known.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let mut verdicts: Vec<Entry<'_>> = self.verdicts.values().map(Entry::Session).collect();
        verdicts.sort_by_key(|verdict| verdict.order());
        let mut verdicts = verdicts.into_iter().peekable();
        let mut calls = self.marks.keys().map(Entry::Call).peekable();
        std::iter::from_fn(move || {
            let is_verdict = match (verdicts.peek(), calls.peek()) {
                (Some(verdict), Some(call)) => verdict.order() < call.order(),
                (verdict, _) => verdict.is_some(),
            };
            if is_verdict { verdicts.next() } else { calls.next() }
        })
    }

    /// Lets all its findings be remembered.
    pub fn remember(&self, earlier: &mut Earlier) {
        self.briefs().for_each(|finding| earlier.remember(&finding));
    }

    /// What ties it to other incidents, of all its findings whenever they came.
    pub fn links(&self) -> &Links {
        &self.links
    }

    /// Each finding in brief.
    pub fn briefs(&self) -> impl Iterator<Item = Brief<'_>> {
        self.marks.iter().map(|(mark, act)| Brief {
            topic: mark.topic,
            action: act.name(),
            severity: mark.severity,
            time: mark.time,
            subject: act.subject(),
        })
    }

    /// What its calls are one step of each, in the order of time.
    pub fn steps(&self) -> Vec<Step<'_>> {
        step::steps(self.marks.iter().map(|(mark, act)| (mark, &**act)))
    }

    /// The finding on a call, if it is kept whole.
    pub fn finding_on(&self, call: &Did<'_>) -> Option<&Finding> {
        let of_call = self.kept().filter(|finding| call.is_of(finding));
        of_call.min_by_key(|finding| rank(finding)).map(|finding| &**finding)
    }

    /// How many findings it has.
    pub fn count(&self) -> usize {
        self.marks.len()
    }

    /// What there is to alert.
    pub fn reach(&self) -> Reach {
        let mut reach = Reach::new(&self.id);
        self.entries().for_each(|entry| entry.count_in(&mut reach));
        reach
    }

    /// The same without the findings that are repeated: what alerts are about.
    pub fn news(&self, earlier: &Earlier) -> Cow<'_, Self> {
        let is_new = |finding: &Brief<'_>| !earlier.repeats(finding);
        if self.briefs().all(|finding| is_new(&finding)) {
            return Cow::Borrowed(self);
        }
        let new = self.marks.keys().zip(self.briefs()).filter(|(_, finding)| is_new(finding));
        let verdicts = self.verdicts.values().map(Entry::Session);
        Cow::Owned(self.part(new.map(|(mark, _)| Entry::Call(mark)).chain(verdicts)))
    }

    /// The highest severity among its findings and verdicts.
    pub fn severity(&self) -> Severity {
        self.entries().map(Entry::severity).max().unwrap_or(Severity::Info)
    }

    /// What to name the incident by: the worst, of these the earliest.
    pub fn lead(&self) -> Option<ReportedRef<'_>> {
        let calls = self.worst().take(1).map(ReportedRef::Call);
        let rank = |it: ReportedRef<'_>| (Reverse(it.severity()), it.order());
        calls.chain(self.verdicts().map(ReportedRef::Session)).min_by_key(|it| rank(*it))
    }

    /// What is said of the session as a whole, by code.
    pub fn verdicts(&self) -> impl Iterator<Item = &SessionVerdict> {
        self.verdicts.values().map(|verdict| &**verdict)
    }

    /// The first finding.
    pub fn first(&self) -> Option<&Finding> {
        let kept = self.topics.values().filter_map(|kept| kept.first());
        kept.min_by_key(|finding| finding.order()).map(|finding| &**finding)
    }

    /// The worst and earliest findings, at most six, the worst first.
    pub fn worst(&self) -> impl Iterator<Item = &Finding> {
        self.worst.iter().map(|finding| &**finding)
    }

    /// The first and the last time among its calls; where it has none, as of a drill that is due, among its verdicts.
    pub fn times(&self) -> Option<(Time, Time)> {
        let no_call = self.count() == 0;
        let times = || {
            let verdicts = self.verdicts().filter(|_| no_call).filter_map(|verdict| verdict.time);
            self.marks.keys().filter_map(|mark| mark.time).chain(verdicts)
        };
        Some((times().min()?, times().max()?))
    }

    /// How many findings and verdicts there are of each code and severity.
    pub fn counts(&self) -> BTreeMap<(Code, Severity), usize> {
        let mut counts = BTreeMap::new();
        let calls = self.marks.keys().map(|mark| (mark.topic.code, mark.severity));
        for what in calls.chain(self.verdicts().map(|verdict| (verdict.code, verdict.severity))) {
            *counts.entry(what).or_insert(0) += 1;
        }
        counts
    }

    /// How many findings there are of each action, the most frequent first.
    pub fn actions(&self) -> Vec<(&str, usize)> {
        // One event may have findings of two codes, and is one call all the same.
        let events: BTreeSet<(&str, Key)> =
            self.marks.iter().map(|(mark, act)| (act.name(), mark.key)).collect();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (action, _) in events {
            *counts.entry(action).or_default() += 1;
        }
        let mut actions: Vec<(&str, usize)> = counts.into_iter().collect();
        actions.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        actions
    }

    /// The same, those first that its steps are named by or that stand out in one.
    pub fn actions_by_steps(&self, steps: &[Step<'_>]) -> Vec<(&str, usize)> {
        let leads = steps.iter().map(|step| step.lead.action());
        let standing = steps.iter().flat_map(Step::folded).filter(|it| it.stands_out).map(|it| it.action);
        let first: BTreeSet<&str> = leads.chain(standing).collect();
        let mut actions = self.actions();
        actions.sort_by_key(|(action, _)| !first.contains(action));
        actions
    }

    /// The worst incident first, then the earliest; never two the same.
    pub fn order(&self) -> (Reverse<Severity>, Option<Time>, &str) {
        (Reverse(self.severity()), self.times().map(|times| times.0), &self.id)
    }
}

impl<R: Into<Reported>> Extend<R> for Incident {
    fn extend<I: IntoIterator<Item = R>>(&mut self, all: I) {
        for reported in all {
            self.add(reported);
        }
    }
}

/// Whether a finding comes before another. Of two that hand-made logs give the same key, the same one stays whichever
/// came first.
fn is_earlier(finding: &Finding, first: &Finding) -> bool {
    (finding.order(), finding) < (first.order(), first)
}

/// What is to be shown first: the worst, of these the earliest.
fn rank(finding: &Finding) -> (Reverse<Severity>, Option<Time>, Key, Code) {
    (Reverse(finding.severity), finding.time, finding.key, finding.code)
}

#[cfg(test)]
mod tests;
