//! The metrics of an invocation, gathered and sent at once.

use std::collections::BTreeMap;

use handsoff_core::ReportedRef;
use handsoff_core::Severity;
use handsoff_core::code::Counted;

/// A metric's unit, by `CloudWatch`'s name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A number of things.
    Count,
    /// A length of time.
    Seconds,
}

/// A metric in namespace `HandsOff`. `docs/metrics.md` says what each means.
///
/// Each combination of dimensions is billed as a metric of its own: what a caller can choose is never one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, strum::IntoStaticStr)]
pub enum Metric {
    /// Findings of drift, by severity.
    DriftWrites(Severity),
    /// Resources that were changed by hand and stand so, by age.
    DriftItemsOpen(&'static str),
    /// Break-glass sessions begun: an emergency identity was assumed, or signed in.
    SessionsOpened,
    /// Break-glass sessions that are going on.
    SessionsOpen,
    /// Calls after a session's allowed time.
    SessionsOverdue,
    /// From a session's first record to its first alert.
    OpeningSeconds,
    /// Case files that were sealed.
    CasesSealed,
    /// Case files that nobody has reviewed in time.
    CasesUnreviewed,
    /// Calls of sealed sessions that only CloudTrail's `LookupEvents` reported.
    CaseCallsMissed,
    /// What no policy allows: attacks on logging, a deploy role in the wrong hands, an emergency identity that was
    /// refused or overdue, root.
    Violations,
    /// Denied calls by principals, services left out, by the type of the policy that denied them.
    DeniedCalls(&'static str),
    /// Denied calls that became part of a spike, or of probing.
    DenySpikes,
    /// Payloads that could not be read, of a function.
    UnreadablePayloads(&'static str),
    /// Events that could not be dealt with, or not in time, and are to be delivered again, of a function.
    Returned(&'static str),
    /// Alerts sent.
    AlertsSent,
    /// Alerts that could not be sent.
    AlertsFailed,
    /// Alerts sent again, because nothing showed that they had been sent.
    AlertsResent,
    /// Alerts that SNS refused for their form, and that were sent in a reduced one.
    AlertsReduced,
    /// Alerts that a summary reports.
    AlertsFolded,
    /// Alerts that are waiting to be sent.
    AlertsPending,
    /// From an event's time to its verdict, of a function.
    Lag(&'static str),
    /// From the event time of the sweep's canary write to its verdict.
    CanaryRoundTrip,
    /// Confirmed subscriptions of the topic.
    Subscribers,
    /// Subscriptions of the topic that are gone.
    SubscriptionsLost,
    /// Entries of the policy that the rules' event patterns don't let through.
    RulesOutOfStep,
}

impl Metric {
    /// One of each.
    pub const ALL: [Self; 25] = [
        Self::DriftWrites(Severity::Medium),
        Self::DriftItemsOpen("older"),
        Self::SessionsOpened,
        Self::SessionsOpen,
        Self::SessionsOverdue,
        Self::OpeningSeconds,
        Self::CasesSealed,
        Self::CasesUnreviewed,
        Self::CaseCallsMissed,
        Self::Violations,
        Self::DeniedCalls("unknown"),
        Self::DenySpikes,
        Self::UnreadablePayloads("handsoff-drift"),
        Self::Returned("handsoff-drift"),
        Self::AlertsSent,
        Self::AlertsFailed,
        Self::AlertsResent,
        Self::AlertsReduced,
        Self::AlertsFolded,
        Self::AlertsPending,
        Self::Lag("handsoff-drift"),
        Self::CanaryRoundTrip,
        Self::Subscribers,
        Self::SubscriptionsLost,
        Self::RulesOutOfStep,
    ];

    /// The metric's name.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Its unit.
    pub fn unit(self) -> Unit {
        match self {
            Self::Lag(_) | Self::CanaryRoundTrip | Self::OpeningSeconds => Unit::Seconds,
            _ => Unit::Count,
        }
    }

    /// Whether it is sent without its dimension, too: an alarm, or a line of the dashboard, is about all values.
    pub fn is_sent_as_a_whole(self) -> bool {
        let on_all = matches!(self, Self::UnreadablePayloads(_) | Self::Returned(_) | Self::DeniedCalls(_));
        on_all || self.dimension().is_none()
    }

    /// Its one dimension, by name and value.
    pub fn dimension(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::DriftWrites(severity) => Some(("Severity", severity.as_str())),
            Self::DriftItemsOpen(age) => Some(("Age", age)),
            Self::DeniedCalls(cause) => Some(("Cause", cause)),
            Self::UnreadablePayloads(function) | Self::Returned(function) | Self::Lag(function) => {
                Some(("Function", function))
            }
            _ => None,
        }
    }
}

/// The values of a metric, summed up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stat {
    /// How many values.
    pub count: f64,
    /// Their sum.
    pub sum: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
}

/// What an invocation has gathered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    stats: BTreeMap<Metric, Stat>,
}

impl Report {
    /// Adds a value.
    pub fn add(&mut self, metric: Metric, value: f64) {
        let new = Stat { count: 1.0, sum: value, min: value, max: value };
        self.stats
            .entry(metric)
            .and_modify(|stat| {
                stat.count += 1.0;
                stat.sum += value;
                stat.min = stat.min.min(value);
                stat.max = stat.max.max(value);
            })
            .or_insert(new);
    }

    /// Adds one.
    pub fn count(&mut self, metric: Metric) {
        self.add(metric, 1.0);
    }

    /// Counts a finding or verdict that wasn't known before.
    pub fn finding(&mut self, reported: ReportedRef<'_>) {
        let glass = reported.incident().starts_with("glass-");
        let row = reported.code().row();
        match row.counted {
            Counted::Denials => self.count(Metric::DenySpikes),
            Counted::SessionsOpened => self.count(Metric::SessionsOpened),
            Counted::SessionsOverdue => self.count(Metric::SessionsOverdue),
            Counted::Changes if !glass => self.count(Metric::DriftWrites(reported.severity())),
            Counted::Changes => {}
        }
        if row.is_violation {
            self.count(Metric::Violations);
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.stats.is_empty()
    }

    /// The metrics and their values.
    pub fn stats(&self) -> impl Iterator<Item = (Metric, Stat)> {
        self.stats.iter().map(|(metric, stat)| (*metric, *stat))
    }

    /// The sum of a metric's values.
    pub fn sum(&self, metric: Metric) -> f64 {
        self.stats.get(&metric).map_or(0.0, |stat| stat.sum)
    }

    /// Adds another report's values.
    pub fn merge(&mut self, other: &Self) {
        for (metric, stat) in &other.stats {
            self.stats
                .entry(*metric)
                .and_modify(|own| {
                    own.count += stat.count;
                    own.sum += stat.sum;
                    own.min = own.min.min(stat.min);
                    own.max = own.max.max(stat.max);
                })
                .or_insert(*stat);
        }
    }
}
