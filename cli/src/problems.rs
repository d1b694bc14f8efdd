//! What could not be read, or was odd: the first of it one by one, the rest by kind.

use std::collections::{BTreeMap, BTreeSet};

use crate::input::Problem;
use crate::numbers::thousands;

/// So many are reported one by one, in the order of files and positions.
const ONE_BY_ONE: usize = 100;

/// So many kinds are kept apart.
const KINDS: usize = 100;

/// Problems: a set whose size doesn't depend on how many there are, nor what it holds on the order in which they come.
#[derive(Clone, Debug, Default)]
pub struct Problems {
    first: BTreeSet<Problem>,
    kinds: BTreeMap<Kind, Rest>,
}

/// What is the same in all problems of a kind: whether a record was lost, and what the message says before it names
/// something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    lost: bool,
    says: String,
}

/// The problems of a kind that aren't reported one by one.
#[derive(Clone, Debug)]
struct Rest {
    first: Problem,
    count: u64,
}

impl Kind {
    fn of(problem: &Problem) -> Self {
        // Behind these stand names, numbers, and what others wrote.
        let names = |char: char| matches!(char, '`' | '"' | '\'' | ':' | '(' | ';') || char.is_ascii_digit();
        let says = problem.message.split(names).next().unwrap_or_default();
        Self { lost: problem.lost, says: says.trim_end_matches([' ', ',']).to_owned() }
    }
}

impl Problems {
    /// Adds one.
    pub fn add(&mut self, problem: Problem) {
        self.first.insert(problem);
        if self.first.len() > ONE_BY_ONE
            && let Some(last) = self.first.pop_last()
        {
            self.count(Kind::of(&last), Rest { first: last, count: 1 });
        }
    }

    fn count(&mut self, kind: Kind, rest: Rest) {
        match self.kinds.get_mut(&kind) {
            Some(known) => known.merge(rest),
            None => drop(self.kinds.insert(kind, rest)),
        }
        // Messages are handsoff's own; were one to begin with what somebody else wrote, the last ones would be one kind.
        if self.kinds.len() > KINDS
            && let (Some((last, rest)), Some((_, more))) = (self.kinds.pop_last(), self.kinds.pop_last())
        {
            let mut both = rest;
            both.merge(more);
            self.kinds.insert(last, both);
        }
    }

    /// Takes over others.
    pub fn merge(&mut self, other: Self) {
        for (kind, rest) in other.kinds {
            self.count(kind, rest);
        }
        for problem in other.first {
            self.add(problem);
        }
    }

    /// Those that are reported one by one, in the order of files and positions.
    pub fn first(&self) -> impl Iterator<Item = &Problem> {
        self.first.iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    /// All, a line each: the first one by one, then the first of each kind, and how many more there are of it.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        let mut rest: Vec<&Rest> = self.kinds.values().collect();
        rest.sort_by_key(|rest| &rest.first);
        let rest = rest.into_iter().map(|Rest { first, count }| match count - 1 {
            0 => line(first),
            more => format!("{} (and {} more of this kind)", line(first), thousands(more)),
        });
        self.first.iter().map(line).chain(rest)
    }
}

impl Rest {
    fn merge(&mut self, other: Self) {
        self.count += other.count;
        if other.first < self.first {
            self.first = other.first;
        }
    }
}

fn line(problem: &Problem) -> String {
    format!("{} {problem}", if problem.lost { "error:" } else { "warning:" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(source: usize, message: &str, lost: bool) -> Problem {
        Problem { source, file: format!("{source}.json"), position: None, message: message.into(), lost }
    }

    #[test]
    fn a_hundred_are_reported_one_by_one_and_then_one_of_each_kind() {
        let messages =
            ["not JSON: expected `:`", "not JSON: expected a value", "a record with no eventID, `x`; judged"];
        let all: Vec<Problem> =
            (0..10_000).map(|number| problem(number, messages[number % 3], number % 3 < 2)).collect();
        let (mut forward, mut backward) = (Problems::default(), Problems::default());
        let mut parts = vec![Problems::default(); 7];
        for (number, (one, other)) in all.iter().zip(all.iter().rev()).enumerate() {
            forward.add(one.clone());
            backward.add(other.clone());
            parts[number % 7].add(other.clone());
        }
        let mut merged = Problems::default();
        for part in parts {
            merged.merge(part);
        }
        let lines: Vec<String> = forward.lines().collect();
        assert!(backward.lines().eq(forward.lines()) && merged.lines().eq(forward.lines()));
        assert_eq!(lines.len(), 102);
        assert_eq!(lines[99], "error: 99.json: not JSON: expected `:`");
        assert_eq!(lines[100], "error: 100.json: not JSON: expected a value (and 6,599 more of this kind)");
        assert_eq!(
            lines[101],
            "warning: 101.json: a record with no eventID, `x`; judged (and 3,299 more of this kind)"
        );
    }

    #[test]
    fn however_many_kinds_there_are_few_are_kept() {
        let mut problems = Problems::default();
        for number in 0..5_000 {
            let letters = format!("{number}").bytes().map(|digit| char::from(digit + 49)).collect::<String>();
            problems.add(problem(number, &letters, true));
        }
        assert_eq!(problems.lines().count(), ONE_BY_ONE + KINDS);
        let more: u64 = problems.kinds.values().map(|rest| rest.count).sum();
        assert_eq!(more, 5_000 - ONE_BY_ONE as u64);
    }
}
