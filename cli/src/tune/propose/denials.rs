//! When denied calls are too many, by what is usual; and who is denied every day.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use handsoff_trail::Time;
use handsoff_watch::show::clean;

use super::{EVERYDAY, Evidence, entry, percentile, some};
use crate::output::{count_of, thousands};
use crate::tune::fact::Form;
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

impl Evidence<'_> {
    /// The thresholds.
    pub(super) fn thresholds(&self) -> Entry {
        let window = self.base.denials.window;
        let own = Peak { calls: self.base.denials.count, actions: self.base.denials.actions };
        let mut entry = Entry::new("When denied calls of one principal are too many.".into());
        let (mut calls, mut actions) = (Vec::new(), Vec::new());
        let (mut usual_calls, mut usual_actions) = (Vec::new(), Vec::new());
        let mut scanners = 0;
        for (_, denied) in self.logs.denied.iter() {
            let peaks = peaks(denied, window);
            if is_everyday(&peaks, own) && self.is_scanner(denied) {
                scanners += 1;
                continue;
            }
            let mut one: (Vec<usize>, Vec<usize>) =
                peaks.values().map(|peak| (peak.calls, peak.actions)).unzip();
            one.0.sort_unstable();
            one.1.sort_unstable();
            if peaks.len() >= EVERYDAY {
                usual_calls.push(percentile(&one.0, 50));
                usual_actions.push(percentile(&one.1, 50));
            }
            calls.extend(one.0);
            actions.extend(one.1);
        }
        calls.sort_unstable();
        actions.sort_unstable();
        let spread = |sorted: &[usize]| {
            let [half, most, nearly_all] = [50, 90, 99].map(|percent| percentile(sorted, percent));
            format!(
                "50th {half}, 90th {most}, 99th {nearly_all}, most {}",
                sorted.last().copied().unwrap_or_default()
            )
        };
        entry.note(format!(
            "The fullest window of {window} s of each principal and day, {} of them but for {}: denied calls (percentiles) \
             {}; different actions, but for what console pages ask for: {}.",
            thousands(calls.len() as u64),
            count_of(scanners, "scanner"),
            spread(&calls),
            spread(&actions)
        ));
        let needed = Peak {
            calls: needed(usual_calls, own.calls).min(MOST.calls.max(own.calls)),
            actions: needed(usual_actions, own.actions).min(MOST.actions.max(own.actions)),
        };
        entry.note(if needed == own {
            format!("Fewer than {SEVERAL} principals reach {} calls or {} actions on an ordinary day: nothing to change.", own.calls, own.actions)
        } else {
            format!("Raised as far as the ordinary day of {SEVERAL} principals or more needs, at most to {} and {}.", MOST.calls, MOST.actions)
        });
        entry.lines.push("[denials]".into());
        entry.lines.push(format!("window = \"{window}s\""));
        entry.lines.push(format!("count = {}", needed.calls));
        entry.lines.push(format!("actions = {}", needed.actions));
        if self.own_denials {
            entry.doubt(&format!("{} has thresholds of your own", self.base.denials.line));
        }
        entry
    }

    /// Whether it is code that changes nothing.
    fn is_scanner(&self, denied: &Denied) -> bool {
        let Some(who) = denied.who.as_ref().filter(|who| who.form == Form::Role && !denied.human) else {
            return false;
        };
        let Some(profile) = self.logs.profiles.get(who) else { return false };
        profile.changes.count == 0 && profile.person(who.form).is_none() && profile.made.is_none()
    }

    /// Principals that are denied every day, for an exception that somebody has to answer for.
    pub(super) fn scanners(&self) -> Vec<Entry> {
        let own = Peak { calls: self.base.denials.count, actions: self.base.denials.actions };
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
            entry.lines.push("owner = \"who answers for it\"".into());
            entry.lines.push("reason = \"a scanner that may not read all that it asks for\"".into());
            entry.lines.push(format!(
                "until = {}",
                date(self.logs.days.keys().next_back().copied().unwrap_or_default() + 90)
            ));
            entry.doubt("whether it may be denied so often is for its owner to say");
            found.push(entry);
        }
        found
    }
}

/// Whether the thresholds are reached on several days.
fn is_everyday(peaks: &BTreeMap<i64, Peak>, own: Peak) -> bool {
    let reached = peaks.values().filter(|peak| peak.calls >= own.calls || peak.actions >= own.actions);
    reached.count() >= EVERYDAY
}

/// The lowest threshold that fewer principals than several reach on their ordinary day; never lower than it was.
fn needed(mut usual: Vec<usize>, own: usize) -> usize {
    usual.sort_unstable();
    let reached = usual.iter().filter(|usual| **usual >= own).count();
    let highest = usual.last().copied().unwrap_or_default();
    if reached >= SEVERAL { highest + 1 } else { own }
}

/// The fullest window of each day, by when it ends.
fn peaks(denied: &Denied, window: i64) -> BTreeMap<i64, Peak> {
    let mut peaks: BTreeMap<i64, Peak> = BTreeMap::new();
    let mut held: VecDeque<(Time, &str, bool)> = VecDeque::new();
    let mut actions: HashMap<&str, usize> = HashMap::new();
    for ((time, _), (action, browsing)) in denied.calls.iter() {
        held.push_back((*time, action, *browsing));
        if !browsing {
            *actions.entry(action).or_default() += 1;
        }
        while let Some((_, action, browsing)) = held.pop_front_if(|(oldest, ..)| time.0 - oldest.0 > window) {
            if let Some(count) = actions.get_mut(action).filter(|_| !browsing) {
                *count -= 1;
                if *count == 0 {
                    actions.remove(action);
                }
            }
        }
        let peak = peaks.entry(time.0 / 86_400).or_default();
        peak.calls = peak.calls.max(held.len());
        peak.actions = peak.actions.max(actions.len());
    }
    peaks
}
