//! The message of a day about what wakes nobody: what is below the least severity, what is known from earlier days, and what
//! people changed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use handsoff_cloudtrail::Time;

use super::cause::Cause;
use super::message::Alert;
use super::words::{LONGEST_SUBJECT, account_of, ascii, cut};
use crate::earlier::{Earlier, Subject};
use crate::finding::Finding;
use crate::group;
use crate::incident::{Incident, Step};
use crate::milestone::{Milestone, Period};
use crate::note::Note;
use crate::policy::Alerts;
use crate::principal::Kind;
use crate::severity::Severity;

/// How many principals of each kind a digest names.
const NAMED: usize = 20;

/// How many actions of each it names.
const ACTIONS: usize = 6;

/// How many it names of those that stand out in their steps: each had an alert if it is grave, and the digest must fit
/// into one message.
const STANDING: usize = 30;

/// How a digest's name begins; behind it stands its day.
pub(crate) const PREFIX: &str = "digest-";

/// Whose findings a line of a digest has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    People,
    Workloads,
    Others,
    Denied,
}

impl Group {
    const ALL: [Self; 4] = [Self::People, Self::Workloads, Self::Others, Self::Denied];

    fn of(lead: &Finding) -> Self {
        match lead.principal.kind {
            _ if group::is_denials(&lead.incident) => Self::Denied,
            Kind::Human => Self::People,
            Kind::Workload => Self::Workloads,
            _ => Self::Others,
        }
    }

    /// A line's name.
    fn name(self) -> &'static str {
        match self {
            Self::People => "person",
            Self::Workloads => "workload",
            Self::Others => "other",
            Self::Denied => "denied",
        }
    }
}

/// What one principal did.
#[derive(Clone, Debug)]
struct Row {
    group: Group,
    name: String,
    severity: Severity,
    /// Whether it had an alert of its own.
    alerted: bool,
    actions: BTreeMap<String, Count>,
    lead: Finding,
}

/// What there is of an action.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    /// How many calls.
    calls: usize,
    /// Whether it is new, where that is remembered.
    new: bool,
    /// Whether a step is named by it. If not, it is folded into its steps.
    leads: bool,
    /// Whether it stands out in a step, and is named before the others.
    stands_out: bool,
}

impl Row {
    fn of(incident: &Incident, whole: &Incident, earlier: &Earlier, policy: &Alerts) -> Option<Self> {
        // Of a later day no finding may be kept whole.
        let lead = incident.worst().next().or_else(|| whole.worst().next())?.clone();
        let news = incident.news(earlier);
        let is_remembered =
            incident.briefs().any(|finding| finding.subject.is_some_and(Subject::is_by_action));
        let new: BTreeSet<&str> = news.actions().into_iter().map(|(action, _)| action).collect();
        let steps = incident.steps();
        let leads: BTreeSet<&str> = steps.iter().map(|step| step.lead.action()).collect();
        let folded = steps.iter().flat_map(Step::folded).filter(|it| it.stands_out);
        let standing: BTreeSet<&str> = folded.map(|it| it.action).collect();
        let action = |(action, calls): (&str, usize)| {
            let (new, leads) = (is_remembered && new.contains(action), leads.contains(action));
            (action.to_owned(), Count { calls, new, leads, stands_out: standing.contains(action) })
        };
        Some(Self {
            group: Group::of(&lead),
            name: lead.principal.name.clone(),
            severity: incident.severity(),
            alerted: !news.reach().milestones(policy).is_empty(),
            actions: incident.actions().into_iter().map(action).collect(),
            lead,
        })
    }

    fn merge(&mut self, other: Self) {
        for (action, other) in other.actions {
            let own = self.actions.entry(action).or_default();
            own.calls += other.calls;
            own.new |= other.new;
            own.leads |= other.leads;
            own.stands_out |= other.stands_out;
        }
        self.alerted |= other.alerted;
        if (Reverse(other.severity), other.lead.order()) < (Reverse(self.severity), self.lead.order()) {
            (self.severity, self.lead) = (other.severity, other.lead);
        }
    }

    fn count(&self) -> usize {
        self.actions.values().map(|it| it.calls).sum()
    }

    /// New kinds first, then the most severe, then the most.
    fn order(&self) -> impl Ord + use<> {
        let is_old = !self.actions.values().any(|it| it.new);
        (self.group, is_old, Reverse(self.severity), Reverse(self.count()), self.name.clone())
    }

    fn text(&self) -> String {
        let (mut actions, folded): (Vec<_>, Vec<_>) =
            self.actions.iter().partition(|(_, it)| it.leads || it.stands_out);
        actions.sort_by_key(|(action, it)| (!it.stands_out, !it.new, Reverse(it.calls), (*action).clone()));
        let standing = actions.iter().filter(|(_, it)| it.stands_out).count();
        let room = ACTIONS.max(standing.min(STANDING));
        let more = actions.len().saturating_sub(room);
        let named = actions.into_iter().take(room);
        let mut named: Vec<String> = named
            .map(|(action, it)| format!("{}{action} x{}", if it.new { "new: " } else { "" }, it.calls))
            .collect();
        if more > 0 {
            named.push(format!("{more} others"));
        }
        named.extend(in_brief(&folded));
        let alerted = if self.alerted { ", alerted" } else { "" };
        format!("{} ({}{alerted}): {}", self.name, self.severity, named.join(", "))
    }
}

/// What is folded into the steps that are named.
fn in_brief(folded: &[(&String, &Count)]) -> Option<String> {
    let calls: usize = folded.iter().map(|(_, it)| it.calls).sum();
    let new = folded.iter().filter(|(_, it)| it.new).count();
    let new = if new == 0 { String::new() } else { format!(", {new} of these new") };
    let many = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let (calls, actions) = (many(calls, "call"), many(folded.len(), "action"));
    (!folded.is_empty()).then(|| format!("and in the same steps {calls} of {actions}{new}"))
}

/// What a digest has: a set of incidents, in whatever order they come.
#[derive(Debug)]
pub struct Digest<'d> {
    /// What the policy says of messages.
    pub policy: &'d Alerts,
    /// When it ends, and what has happened is in the next one.
    pub until: Time,
    /// What there is to say beside the findings.
    pub notes: Vec<Note>,
    rows: BTreeMap<(Group, String, String), Row>,
}

impl<'d> Digest<'d> {
    /// One without anything in it.
    pub fn new(policy: &'d Alerts, until: Time) -> Self {
        Self { policy, until, notes: Vec::new(), rows: BTreeMap::new() }
    }

    /// The incident's name of the digest that ends at a time.
    pub fn id(until: Time) -> String {
        format!("{PREFIX}{}", until.date())
    }

    /// Whether it has no findings.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Adds as much of an incident as the digest has of the whole.
    pub fn add(&mut self, part: &Incident, whole: &Incident, earlier: &Earlier) {
        let Some(row) = Row::of(part, whole, earlier, self.policy) else { return };
        let key = (row.group, row.lead.account.clone(), row.name.clone());
        match self.rows.get_mut(&key) {
            Some(own) => own.merge(row),
            None => drop(self.rows.insert(key, row)),
        }
    }

    /// The message, and the finding that it depends on; `None` when there is nothing to say.
    pub fn alert(&self) -> Option<(Alert, Finding)> {
        let mut rows: Vec<&Row> = self.rows.values().collect();
        rows.sort_by_cached_key(|row| row.order());
        let lead = rows.iter().min_by_key(|row| (Reverse(row.severity), row.lead.order()))?.lead.clone();
        let at = self.until + self.policy.quiet;
        let name = self.policy.account_name(&lead.account);
        let alert = Alert {
            time: Some(at.to_string()),
            cause: Cause::Digest,
            incident: Self::id(self.until),
            period: Period::NoTime.to_string(),
            tells: [Milestone::Digest, Milestone::Closed].into(),
            severity: Severity::Info,
            findings: rows.iter().map(|row| row.count()).sum(),
            subject: self.subject(&rows, &account_of((&lead).into(), name)),
            text: self.text(&rows),
            account_name: name.map(str::to_owned),
            event_id: String::new(),
            event_time: None,
            user_agent: String::new(),
            link: None,
            also: Vec::new(),
            thread: String::new(),
            at: Some(at),
        };
        Some((alert, lead))
    }

    fn subject(&self, rows: &[&Row], account: &str) -> String {
        let of = |group: Group| rows.iter().filter(|row| row.group == group).count();
        let parts = [
            (of(Group::People), "person", "people"),
            (of(Group::Workloads), "workload", "workloads"),
            (of(Group::Others), "other", "others"),
            (of(Group::Denied), "denied", "denied"),
        ];
        let parts: Vec<String> = parts
            .into_iter()
            .filter(|(count, ..)| *count > 0)
            .map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }))
            .collect();
        let subject = format!("{account} [DIGEST] {}: {}", self.until.date(), parts.join(", "));
        cut(ascii(&subject).trim_start(), LONGEST_SUBJECT)
    }

    fn text(&self, rows: &[&Row]) -> String {
        let mut lines = vec!["Digest of the day".to_owned(), String::new()];
        let mut line = |name: &str, value: &str| lines.push(format!("{name:<9}{value}"));
        line("until", &self.until.to_string());
        for group in Group::ALL {
            let of_group = || rows.iter().filter(|row| row.group == group);
            for row in of_group().take(NAMED) {
                line(group.name(), &row.text());
            }
            let more = of_group().count().saturating_sub(NAMED);
            if more > 0 {
                line(group.name(), &format!("{more} others, none with anything new or more severe"));
            }
        }
        for note in &self.notes {
            line(&note.name, &note.text);
        }
        line("next", NEXT);
        lines.join("\n")
    }
}

/// What to do about it.
const NEXT: &str =
    "Read what is new. Bring what people changed into code; give a workload an entry for what it may change.";

/// The digests of incidents whose findings are all known. `notes`: what there is to say beside them, by the digest's end.
pub fn digests<'i>(
    incidents: impl Iterator<Item = &'i Incident>,
    earlier: &Earlier,
    policy: &Alerts,
    notes: &dyn Fn(Time) -> Vec<Note>,
) -> Vec<Alert> {
    let mut digests: BTreeMap<Time, Digest<'_>> = BTreeMap::new();
    for incident in incidents {
        for (until, part) in incident.by_digest(policy) {
            digests.entry(until).or_insert_with(|| Digest::new(policy, until)).add(&part, incident, earlier);
        }
    }
    for (until, digest) in &mut digests {
        digest.notes = notes(*until);
    }
    digests.values().filter_map(Digest::alert).map(|(alert, _)| alert).collect()
}
