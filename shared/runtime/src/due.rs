//! What the list of open documents says of each of them: a sweep reads those only that it has something to do with.

use std::cmp::Reverse;
use std::fmt;
use std::str::FromStr;

use handsoff_cloudtrail::{Time, TimeDelta};
use handsoff_core::Severity;
use strum::VariantArray;

/// After how long a claimed alert counts as not sent. Longer than any function may run, the sweep too.
#[derive(Clone, Copy, Debug)]
pub struct Lease(pub TimeDelta);

impl Default for Lease {
    fn default() -> Self {
        Self(TimeDelta::seconds(150))
    }
}

/// What there is to do with an open document, the most urgent first.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, strum::IntoStaticStr, strum::VariantArray,
)]
#[strum(serialize_all = "kebab-case")]
pub enum Task {
    /// To send the summary of a storm.
    Summary,
    /// To look whether a break-glass session is in order.
    Session,
    /// To look at an incident's findings, and to close it.
    Incident,
    /// To seal the case of a session that is over: CloudTrail is asked for its calls, twice a second.
    Seal,
    /// To wait for the review of a case.
    Case,
    /// To ask CloudTrail for the beginning of a deploy session.
    Proof,
}

impl Task {
    const ALL: &'static [Self] = Self::VARIANTS;

    /// The name in the list.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Alerts that nothing shows to have been sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// How many.
    pub count: usize,
    /// Since when the oldest of them was claimed.
    pub since: Time,
    /// The most severe.
    pub severity: Severity,
}

/// What the list says of an open document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// What there is to do.
    pub task: Task,
    /// From when on.
    pub at: Time,
    /// Its alerts that wait to be sent.
    pub waiting: Option<Waiting>,
}

impl Due {
    /// Whether there is something to do by now, where an alert counts as not sent after its lease.
    pub fn is_due(&self, now: Time, lease: Lease) -> bool {
        self.at <= now || self.is_late(now, lease)
    }

    /// Whether an alert of it has waited for so long that it counts as not sent.
    pub fn is_late(&self, now: Time, lease: Lease) -> bool {
        self.waiting.is_some_and(|waiting| waiting.since + lease.0 <= now)
    }

    /// What comes first: alerts that weren't sent, the gravest of them, then what is most urgent, then what has been due
    /// for longest. Whatever is looked at is due at a later time after that, so all get their turn.
    pub fn order(&self, now: Time, lease: Lease) -> impl Ord + use<> {
        let late = self.waiting.filter(|_| self.is_late(now, lease));
        (Reverse(late.map(|waiting| (waiting.severity, Reverse(waiting.since)))), self.task, self.at)
    }
}

impl fmt::Display for Due {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.task.as_str(), self.at.timestamp())?;
        match self.waiting {
            None => Ok(()),
            Some(Waiting { count, since, severity }) => {
                write!(f, " {count} {} {severity}", since.timestamp())
            }
        }
    }
}

/// Why a text doesn't say what is due.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DueError {
    /// It isn't in the form in which [`fmt::Display`] writes.
    #[error("`{0}` doesn't name what is due")]
    Form(String),
}

impl FromStr for Due {
    type Err = DueError;

    fn from_str(text: &str) -> Result<Self, DueError> {
        let wrong = || DueError::Form(text.to_owned());
        let mut words = text.split(' ');
        let task = words.next().and_then(|word| Task::ALL.iter().copied().find(|task| task.as_str() == word));
        let at = words.next().and_then(|word| word.parse().ok().map(Time::from_timestamp));
        let rest: Vec<&str> = words.collect();
        let waiting = match *rest.as_slice() {
            [] => None,
            [count, since, severity] => Some(Waiting {
                count: count.parse().map_err(|_| wrong())?,
                since: since.parse().map(Time::from_timestamp).map_err(|_| wrong())?,
                severity: severity.parse().map_err(|_| wrong())?,
            }),
            _ => return Err(wrong()),
        };
        Ok(Self { task: task.ok_or_else(wrong)?, at: at.ok_or_else(wrong)?, waiting })
    }
}

#[cfg(test)]
mod tests {
    use handsoff_cloudtrail::TimeDelta;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let waiting = Waiting { count: 3, since: Time::from_timestamp(17), severity: Severity::High };
        for task in Task::ALL.iter().copied() {
            for waiting in [None, Some(waiting)] {
                let due = Due { task, at: Time::from_timestamp(1_772_000_000), waiting };
                assert_eq!(due.to_string().parse(), Ok(due));
            }
        }
        for wrong in ["", "incident", "incident x", "nothing 7", "incident 7 1", "incident 7 1 2 urgent"] {
            assert!(wrong.parse::<Due>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_was_not_sent_comes_first_and_then_what_has_been_due_for_longest() {
        let of = |task, at, waiting: Option<(i64, Severity)>| Due {
            task,
            at: Time::from_timestamp(at),
            waiting: waiting.map(|(since, severity)| Waiting {
                count: 1,
                since: Time::from_timestamp(since),
                severity,
            }),
        };
        let sorted = [
            of(Task::Incident, 900, Some((20, Severity::Critical))),
            of(Task::Seal, 900, Some((10, Severity::Medium))),
            of(Task::Incident, 900, Some((11, Severity::Medium))),
            of(Task::Summary, 90, None),
            // It is still being sent.
            of(Task::Session, 80, Some((95, Severity::Critical))),
            of(Task::Session, 90, None),
            of(Task::Incident, 10, None),
            of(Task::Incident, 11, None),
            of(Task::Seal, 1, None),
        ];
        let (now, lease) = (Time::from_timestamp(100), Lease(TimeDelta::seconds(30)));
        for pair in sorted.windows(2) {
            assert!(pair[0].order(now, lease) < pair[1].order(now, lease), "{pair:?}");
        }
        let due: Vec<bool> = sorted.iter().map(|due| due.is_due(now, lease)).collect();
        assert!(due.iter().all(|due| *due), "{due:?}");
        assert!(!of(Task::Incident, 101, Some((71, Severity::High))).is_due(now, lease));
    }
}
