//! When denied calls are too many, by what is usual; and who is denied every day.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use handsoff_cloudtrail::{Time, TimeDelta};
use handsoff_core::show::clean;

use super::{EVERYDAY, Evidence, entry, percentile, some};
use crate::numbers::{count_of, thousands};
use crate::tune::fact::{Form, Id};
use crate::tune::profile::{Denied, date};
use crate::tune::write::{self, Entry};

/// No thresholds above these are proposed.
const MOST: Peak = Peak { calls: 100, actions: 20 };

/// So many principals have to be above a threshold for it to be too low: of fewer, an exception says more.
const SEVERAL: usize = 3;

/// The most that a window of a day held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Peak {
    calls: usize,
    actions: usize,
}

/// What is usual of denied calls.
#[derive(Debug, Default)]
struct Usual {
    /// The fullest windows of each principal and day, sorted.
    calls: Vec<usize>,
    actions: Vec<usize>,
    /// Of each principal that is denied on several days, its median day's.
    ordinary_calls: Vec<usize>,
    ordinary_actions: Vec<usize>,
    /// How many principals were left out.
    scanners: u64,
}

impl Evidence<'_> {
    /// The thresholds.
    pub(super) fn thresholds(&self) -> Entry {
        let (own, window) = (self.own(), duration(self.base.denials.window));
        let usual = self.usual();
        let mut entry = Entry::new("When denied calls of one principal are too many.".into());
        let spread = format!(
            "The fullest window ({window}) of each principal and day, {} of them except {}: denied calls \
             (percentiles) {}; different actions, without those that console pages request: {}.",
            thousands(usual.calls.len() as u64),
            count_of(usual.scanners, "scanner"),
            spread(&usual.calls),
            spread(&usual.actions)
        );
        let none = usual.calls.is_empty() && usual.scanners == 0;
        entry.note(if none { "No call was denied in these logs.".into() } else { spread });
        let needed = Peak {
            calls: needed(usual.ordinary_calls, own.calls).min(MOST.calls.max(own.calls)),
            actions: needed(usual.ordinary_actions, own.actions).min(MOST.actions.max(own.actions)),
        };
        entry.note(if needed == own {
            format!(
                "Fewer than {SEVERAL} principals reach {} calls or {} actions on an ordinary day: nothing to change.",
                own.calls, own.actions
            )
        } else {
            format!(
                "Raised, from {} calls and {} actions, until fewer than {SEVERAL} principals reach it on an ordinary day; \
                 never above {} and {}.",
                own.calls, own.actions, MOST.calls, MOST.actions
            )
        });
        entry.lines = vec![
            "[denials]".into(),
            format!("window = {}", write::quoted(&window)),
            format!("count = {}", needed.calls),
            format!("actions = {}", needed.actions),
        ];
        if self.own_denials {
            entry.doubt(&format!("{} has thresholds of your own", self.base.denials.line));
        }
        entry
    }

    /// The thresholds that hold.
    fn own(&self) -> Peak {
        Peak { calls: self.base.denials.count, actions: self.base.denials.actions }
    }

    /// What is usual, but for scanners.
    fn usual(&self) -> Usual {
        let mut usual = Usual::default();
        for (_, denied) in self.logs.denied.iter() {
            let peaks = peaks(denied, self.base.denials.window);
            if is_everyday(&peaks, self.own()) && self.is_scanner(denied) {
                usual.scanners += 1;
                continue;
            }
            let (mut calls, mut actions): (Vec<usize>, Vec<usize>) =
                peaks.values().map(|peak| (peak.calls, peak.actions)).unzip();
            calls.sort_unstable();
            actions.sort_unstable();
            if peaks.len() >= EVERYDAY {
                usual.ordinary_calls.push(percentile(&calls, 50));
                usual.ordinary_actions.push(percentile(&actions, 50));
            }
            usual.calls.extend(calls);
            usual.actions.extend(actions);
        }
        usual.calls.sort_unstable();
        usual.actions.sort_unstable();
        usual
    }

    /// The first day that its denied calls were so broad that they are probing.
    pub(super) fn probing(&self, id: &Id) -> Option<i64> {
        let own = self.logs.denied.iter().filter(|(_, denied)| denied.who.as_ref() == Some(id));
        let peaks = own.flat_map(|(_, denied)| peaks(denied, self.base.denials.window));
        peaks.filter(|(_, peak)| peak.actions >= self.base.denials.actions).map(|(day, _)| day).min()
    }

    /// Whether it is code that changes nothing.
    fn is_scanner(&self, denied: &Denied) -> bool {
        let Some(who) = denied.who.as_ref().filter(|who| who.form == Form::Role && !denied.human) else {
            return false;
        };
        let Some(profile) = self.logs.profiles.get(who) else { return false };
        let named = self.named_glass(who, profile).or_else(|| self.named_deploy(who, profile));
        let changes = profile.changes.count > 0 || profile.made.is_some();
        !changes && profile.person(who.form).is_none() && named.is_none()
    }

    /// Principals that are denied every day, for an exception that somebody has to answer for.
    pub(super) fn scanners(&self) -> Vec<Entry> {
        let own = self.own();
        let mut found = Vec::new();
        for (_, denied) in self.logs.denied.iter().filter(|(_, denied)| self.is_scanner(denied)) {
            let peaks = peaks(denied, self.base.denials.window);
            let (true, Some(who)) = (is_everyday(&peaks, own), &denied.who) else { continue };
            let Some(profile) = self.logs.profiles.get(who) else { continue };
            let mut entry = entry("exception", who, profile);
            let actions: BTreeSet<&str> = denied.calls.iter().map(|(_, (action, _))| &**action).collect();
            let each: Vec<usize> = peaks.values().map(|peak| peak.calls).collect();
            entry.note(format!(
                "Denied {} on {}, at most {} within a window, for {}; it changes nothing.",
                count_of(denied.calls.len() as u64, "time"),
                count_of(peaks.len() as u64, "day"),
                each.iter().max().copied().unwrap_or_default(),
                some(actions.iter().map(|action| clean(action, 160)), 30)
            ));
            let actions: Vec<String> = actions
                .into_iter()
                .filter(|action| write::is_plain(action))
                .take(50)
                .map(str::to_owned)
                .collect();
            entry.lines.push("denials = true".into());
            entry.lines.extend(write::list("actions", &actions, &[]));
            entry.lines.push("owner = \"who is responsible for it\"".into());
            entry.lines.push("reason = \"a scanner that may not read all that it asks for\"".into());
            entry.lines.push(format!(
                "until = {}",
                date(self.logs.days.keys().next_back().copied().unwrap_or_default() + 90)
            ));
            entry.doubt("its owner has to say whether so many denied calls are expected");
            found.push(entry);
        }
        found
    }
}

/// A length of time as a policy writes it.
fn duration(length: TimeDelta) -> String {
    let seconds = length.num_seconds();
    if seconds % 60 == 0 { format!("{}m", seconds / 60) } else { format!("{seconds}s") }
}

/// Whether the thresholds are reached on several days.
fn is_everyday(peaks: &BTreeMap<i64, Peak>, own: Peak) -> bool {
    let reached = peaks.values().filter(|peak| peak.calls >= own.calls || peak.actions >= own.actions);
    reached.count() >= EVERYDAY
}

/// The lowest threshold that fewer principals than several reach on their ordinary day; never lower than it was.
fn needed(mut usual: Vec<usize>, own: usize) -> usize {
    usual.sort_unstable();
    let several = usual.iter().rev().nth(SEVERAL - 1).copied().unwrap_or_default();
    own.max(several + 1)
}

/// The spread of sorted numbers, in words.
fn spread(sorted: &[usize]) -> String {
    let [half, most, nearly_all] = [50, 90, 99].map(|percent| percentile(sorted, percent));
    format!(
        "50th {half}, 90th {most}, 99th {nearly_all}, most {}",
        sorted.last().copied().unwrap_or_default()
    )
}

/// The fullest window of each day, by when it ends.
fn peaks(denied: &Denied, window: TimeDelta) -> BTreeMap<i64, Peak> {
    let mut peaks: BTreeMap<i64, Peak> = BTreeMap::new();
    let mut held: VecDeque<(Time, &str, bool)> = VecDeque::new();
    let mut actions: HashMap<&str, usize> = HashMap::new();
    for ((time, _), (action, browsing)) in denied.calls.iter() {
        held.push_back((*time, action, *browsing));
        if !browsing {
            *actions.entry(action).or_default() += 1;
        }
        while let Some((_, action, browsing)) = held.pop_front_if(|(oldest, ..)| *time - *oldest > window) {
            if let Some(count) = actions.get_mut(action).filter(|_| !browsing) {
                *count -= 1;
                if *count == 0 {
                    actions.remove(action);
                }
            }
        }
        let peak = peaks.entry(time.day()).or_default();
        peak.calls = peak.calls.max(held.len());
        peak.actions = peak.actions.max(actions.len());
    }
    peaks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_rise_as_far_as_several_need_and_never_fall() {
        assert_eq!(needed(vec![], 20), 20);
        assert_eq!(needed(vec![900, 900], 20), 20);
        assert_eq!(needed(vec![1, 2, 3], 20), 20);
        assert_eq!(needed(vec![900, 25, 22, 3], 20), 23);
    }

    #[test]
    fn the_fullest_window_counts_and_console_pages_show_no_breadth() {
        let mut denied = Denied::default();
        // Day 1: three within 300 s, two actions of them from code; a fourth too late for the first window.
        let calls =
            [(0, "a", false), (100, "b", false), (300, "c", true), (301, "a", false), (86_400, "a", false)];
        for (n, (second, action, browsing)) in calls.into_iter().enumerate() {
            *denied.calls.at(&(Time::from_timestamp(second), n as u64)).unwrap() =
                (action.to_owned(), browsing);
        }
        let peaks = peaks(&denied, TimeDelta::minutes(5));
        assert_eq!(peaks[&0], Peak { calls: 3, actions: 2 });
        assert_eq!(peaks[&1], Peak { calls: 1, actions: 1 });
    }
}
