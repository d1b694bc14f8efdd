//! Items that have one cause, as one row.

use std::collections::{BTreeMap, BTreeSet};

use handsoff_cloudtrail::Time;

use crate::item::{Cause, Item, State};

/// Items of one cause and one state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What they came of.
    pub cause: Cause,
    /// The items, the oldest first.
    pub items: Vec<Item>,
}

/// Folds items: the open rows first, then by age, the oldest first.
pub fn rows(items: Vec<Item>) -> Vec<Row> {
    let mut by_cause: BTreeMap<(&'static str, Cause), Vec<Item>> = BTreeMap::new();
    for item in items {
        by_cause.entry((item.state.as_str(), item.cause.clone())).or_default().push(item);
    }
    let mut rows: Vec<Row> = by_cause.into_iter().map(|((_, cause), items)| Row { cause, items }).collect();
    for row in &mut rows {
        row.items.sort_by(|one, other| (one.since, &one.resource).cmp(&(other.since, &other.resource)));
    }
    rows.sort_by_cached_key(|row| (!row.is_open(), row.since(), row.cause.clone(), row.state()));
    rows
}

impl Row {
    /// Its state's name.
    pub fn state(&self) -> &'static str {
        self.items.first().map_or("open", |item| item.state.as_str())
    }

    /// Whether its changes stand.
    pub fn is_open(&self) -> bool {
        self.items.iter().any(|item| item.state == State::Open)
    }

    /// The first of its changes.
    pub fn since(&self) -> Option<Time> {
        self.items.iter().map(|item| item.since).min()
    }

    /// By whom.
    pub fn by(&self) -> BTreeSet<&str> {
        self.items.iter().flat_map(|item| &item.by).map(String::as_str).collect()
    }

    /// What was called, and how often, the most frequent first.
    pub fn actions(&self) -> Vec<(&str, usize)> {
        let mut actions: BTreeMap<&str, usize> = BTreeMap::new();
        for (action, count) in self.items.iter().flat_map(|item| &item.actions) {
            *actions.entry(action).or_default() += count;
        }
        let mut actions: Vec<_> = actions.into_iter().collect();
        actions.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        actions
    }
}
