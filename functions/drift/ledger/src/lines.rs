//! The ledger in a few lines, for the digest, and by age, for a metric.

use std::collections::BTreeMap;

use handsoff_cloudtrail::{Time, TimeDelta};

use handsoff_core::alert::Note;
use handsoff_core::policy::Cases;
use strum::VariantArray;

use crate::item::{Cause, Item, State, Terms};
use crate::ledger::Ledger;
use crate::row::rows;

/// How long an item has been open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum Age {
    /// Less than a day.
    Day,
    /// Less than seven days.
    Week,
    /// Less than 30 days.
    Month,
    /// Longer.
    Older,
}

impl Age {
    /// All, the youngest first.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The name in every output.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    fn of(age: TimeDelta) -> Self {
        match age.num_days() {
            ..1 => Self::Day,
            1..7 => Self::Week,
            7..30 => Self::Month,
            _ => Self::Older,
        }
    }
}

/// How many items are open, by age.
pub fn by_age(items: &[Item], now: Time) -> BTreeMap<Age, usize> {
    let mut counts = BTreeMap::new();
    for item in items.iter().filter(|item| item.state == State::Open) {
        *counts.entry(Age::of(now - item.since)).or_default() += 1;
    }
    counts
}

/// How many rows the digest names.
const NAMED: usize = 5;

/// What the digest says of the ledger: how much is open, and the oldest. Nothing where nothing is.
pub(crate) fn lines(items: &[Item], now: Time) -> Vec<String> {
    let open: Vec<Item> = items.iter().filter(|item| item.state == State::Open).cloned().collect();
    let ages = by_age(&open, now);
    let old: usize = [Age::Month, Age::Older].iter().filter_map(|age| ages.get(age)).sum();
    let number = open.len();
    let rows = rows(open);
    let mut lines = Vec::new();
    if rows.is_empty() {
        return lines;
    }
    let old = if old == 0 { String::new() } else { format!(", {old} for a week or longer") };
    let resources = if number == 1 { "1 resource is" } else { &format!("{number} resources are") };
    lines.push(format!("Changed by hand and not overwritten since: {resources} open{old}."));
    for row in rows.iter().take(NAMED) {
        let Some(first) = row.items.first() else { continue };
        let what = match (&row.cause, row.items.len()) {
            (Cause::Stack(stack), others) => format!("{stack} and what it created ({others})"),
            (_, 1) => first.resource.to_string(),
            (_, others) => format!("{} and {} more", first.resource, others - 1),
        };
        let by: Vec<&str> = row.by().into_iter().take(3).collect();
        lines.push(format!("{} {what}, by {}", age(first.since, now), by.join(", ")));
    }
    if rows.len() > NAMED {
        let more = rows.len() - NAMED;
        lines.push(format!("and {more} more: handsoff drift list"));
    }
    lines
}

/// What the digest that ends at a time says of the ledger, as it was then.
pub fn notes(ledger: &Ledger, cases: &Cases, until: Time) -> Vec<Note> {
    let items = ledger.items_as_of(&Terms { now: until, cases });
    lines(&items, until).into_iter().map(|line| Note::new("open", line)).collect()
}

/// How long ago something was, in a word: `5 min`, `3 h`, `12 d`.
pub fn age(since: Time, now: Time) -> String {
    let age = (now - since).max(TimeDelta::zero());
    if age < TimeDelta::hours(2) {
        format!("{} min", age.num_minutes())
    } else if age < TimeDelta::days(2) {
        format!("{} h", age.num_hours())
    } else {
        format!("{} d", age.num_days())
    }
}
