//! All findings and verdicts of a replay, whole and by time, in bounded memory.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::io::{self, BufRead};

use handsoff_cloudtrail::Time;
use handsoff_core::group;
use handsoff_core::story::Ties;
use handsoff_core::{Hidden, Key, Reported};

use super::spool::{Sorted, Spool, Spooled};

/// Takes findings in any order.
#[derive(Debug, Default)]
pub(super) struct Kept(Spool<One>);

impl Kept {
    pub(super) fn add(&mut self, reported: Reported) {
        self.0.add(One(reported));
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.0.merge(other.0);
    }

    pub(super) fn sorted(self) -> Findings {
        Findings(self.0.sorted())
    }
}

/// Findings by time, each once. What doesn't fit into memory lies in a temporary file.
#[derive(Debug)]
pub struct Findings(Sorted<One>);

impl Findings {
    /// All, in the order of every output. An error ends it: the temporary file can't be read back.
    pub fn iter(&self) -> impl Iterator<Item = io::Result<Reported>> {
        let mut last = None;
        // A denied call may be one of its principal's, and one of its address's in another incident.
        let mut incidents = BTreeSet::new();
        self.0.iter().filter_map(move |one| match one {
            Ok(One(finding)) => {
                let order = finding.as_ref().order();
                if last.replace(order) != Some(order) {
                    incidents.clear();
                }
                let incident =
                    Some(finding.as_ref().incident()).filter(|incident| group::is_denials(incident));
                incidents.insert(incident.map(str::to_owned)).then_some(Ok(finding))
            }
            Err(error) => Some(Err(error)),
        })
    }
}

/// What a line has.
type Line = (Key, Option<Time>, Option<Time>, Ties, Reported);

/// A finding, in the order of output; of two that hand-made logs give the same key, the same one comes first.
#[derive(Clone, Debug, PartialEq, Eq)]
struct One(Reported);

impl Ord for One {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.as_ref().order().cmp(&other.0.as_ref().order()).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for One {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// As a line of JSON, behind what the JSON of a finding doesn't show.
impl Spooled for One {
    /// Some 6 MB.
    const RUN: usize = 4 << 10;

    fn write(&self, run: &mut Vec<u8>) -> io::Result<()> {
        let it = self.0.as_ref();
        serde_json::to_writer(&mut *run, &(it.key(), it.time(), it.known(), it.ties(), it))?;
        run.push(b'\n');
        Ok(())
    }

    fn read(run: &mut impl BufRead) -> io::Result<Self> {
        let mut line = Vec::new();
        run.read_until(b'\n', &mut line)?;
        let (key, time, known, ties, reported): Line = serde_json::from_slice(&line)?;
        Ok(Self(reported.with(Hidden { key, time, known, ties })))
    }
}

#[cfg(test)]
mod tests {
    use handsoff_cloudtrail::{Entry, Record, TimeDelta};
    use handsoff_core::{Call, Finding, Policy, SessionVerdict, Severity};

    use super::*;
    use handsoff_core::Trace;

    fn finding() -> Finding {
        let code = handsoff_drift::codes::DRIFT_WRITE;
        let json = r#"{"eventID":"e\u001b`","eventTime":"2026-03-14T02:00:00Z","eventSource":"ec2.amazonaws.com",
            "eventName":"Run","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::1:user/\u2028","userName":"a\nb"}}"#;
        let Ok((Entry::Record(record), _)) = Record::read(json) else { panic!("a record") };
        let call = Call::classify(record, &Policy::built_in(), &mut Trace::off());
        Finding::new(&call, code, Severity::Medium, "r".into())
    }

    #[test]
    fn all_come_back_as_they_were_by_time_and_once_and_few_are_in_memory() {
        handsoff_functions::detectors();
        let one = finding();
        let number = 3 * One::RUN as u64;
        // In an order that is no order; each event twice; what the JSON doesn't show, too.
        let at = |n: u64| {
            let time = Time::from_timestamp(1_773_453_600 + i64::try_from(n * 7919 % 1000).unwrap());
            let (known, time) =
                (Some(time + TimeDelta::minutes(1)), Some(time).filter(|_| !n.is_multiple_of(50)));
            let hidden = Hidden { key: Key(n), time, known, ties: one.ties.clone() };
            let event_id = format!("{n}");
            let reported = if n.is_multiple_of(7) {
                let code = handsoff_case::codes::GLASS_NO_TICKET;
                Reported::from(SessionVerdict::on(&one, "root", code, Severity::High, event_id))
            } else {
                Finding { event_id, ..one.clone() }.into()
            };
            reported.with(hidden)
        };
        let mut parts = [Kept::default(), Kept::default()];
        for (index, n) in (0..number).chain((0..number).rev()).enumerate() {
            parts[index % 2].add(at(n));
        }
        let [mut kept, other] = parts;
        kept.merge(other);
        assert_eq!(kept.0.runs(), 6);
        let mut expected: Vec<Reported> = (0..number).map(at).collect();
        expected.sort_by_key(|it| it.as_ref().order());
        let found: Vec<Reported> = kept.sorted().iter().map(Result::unwrap).collect();
        assert_eq!(found.len(), expected.len());
        assert!(found == expected, "a finding came back otherwise, or elsewhere");
    }
}
