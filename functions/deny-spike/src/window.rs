//! Sliding windows of event time over the calls of a group: how many calls they hold, and how many different things.

use std::collections::{HashMap, VecDeque};

use handsoff_cloudtrail::{Time, TimeDelta};

use crate::seen::Seen;

/// When a window holds too many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Its length.
    pub(crate) window: TimeDelta,
    /// So many calls.
    pub(crate) count: usize,
    /// So many different things.
    pub(crate) breadth: usize,
    /// Whether it takes both, or either is enough.
    pub(crate) both: bool,
}

impl Limits {
    fn are_met(&self, window: &Window) -> bool {
        let (count, breadth) = (window.calls >= self.count, window.breadth >= self.breadth);
        if self.both { count && breadth } else { count || breadth }
    }
}

/// What the windows around a call hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spike {
    /// The most different things in one window: the verdict depends on them.
    pub(crate) breadth: usize,
    /// How many calls a window held when the verdict could be known.
    pub(crate) calls: usize,
    /// How many different things.
    pub(crate) different: usize,
    /// Whether some of them weren't denied, and failed for another reason.
    pub(crate) failed: bool,
    /// When it could be known: the time of the call that made a window hold so many, or so many different ones.
    pub(crate) known: Option<Time>,
}

/// The calls of a group in the order of time, each event once; those without a time are in no window.
pub(crate) fn sorted(mut calls: Vec<Seen>) -> Vec<Seen> {
    calls.retain(|call| call.time.is_some());
    calls.sort_by(|a, b| (a.time, a.key).cmp(&(b.time, b.key)).then_with(|| a.cmp(b)));
    calls.dedup_by_key(|call| call.key);
    calls
}

/// The calls up to one of them that lie within a window's length before it.
struct Window {
    start: usize,
    calls: usize,
    failed: usize,
    breadth: usize,
    time: Option<Time>,
}

/// The window that ends with each call, of calls that are sorted by time.
fn windows<'c>(
    calls: &[&'c Seen],
    what: &impl Fn(&'c Seen) -> Option<&'c str>,
    length: TimeDelta,
) -> Vec<Window> {
    let mut in_window: HashMap<&str, usize> = HashMap::new();
    let (mut start, mut failed) = (0, 0);
    let mut windows = Vec::with_capacity(calls.len());
    for (end, call) in calls.iter().enumerate() {
        let time = call.time;
        failed += usize::from(call.failed);
        if let Some(what) = what(call) {
            *in_window.entry(what).or_insert(0) += 1;
        }
        while let Some(oldest) = calls.get(start)
            && between(oldest.time, time) > length
        {
            let what = what(oldest);
            if let Some((what, count)) = what.and_then(|what| Some((what, in_window.get_mut(what)?))) {
                *count -= 1;
                if *count == 0 {
                    in_window.remove(what);
                }
            }
            failed -= usize::from(oldest.failed);
            start += 1;
        }
        windows.push(Window { start, calls: end + 1 - start, failed, breadth: in_window.len(), time });
    }
    windows
}

/// For each call the windows that it lies in, if one of them holds too many. `what`: what is distinct in it.
pub(crate) fn spikes<'c>(
    calls: &[&'c Seen],
    what: impl Fn(&'c Seen) -> Option<&'c str>,
    limits: Limits,
) -> Vec<Option<Spike>> {
    let windows = windows(calls, &what, limits.window);
    let mut breadths = Most::default();
    // The windows that a call lies in end with it or behind it: they are neighbours, and so are the first ones of two
    // calls that hold enough.
    let mut full = First::default();
    let (mut several, mut many) = (First::default(), First::default());
    let mut last = 0;
    let mut spikes = Vec::with_capacity(calls.len());
    for index in 0..calls.len() {
        while let Some(window) = windows.get(last).filter(|window| window.start <= index) {
            breadths.add(last, window.breadth);
            last += 1;
        }
        let breadth = breadths.since(index);
        let all = windows.get(..last).unwrap_or_default();
        let first = full.from(index, all, |it| limits.are_met(it));
        let several = several.from(index, all, |it| it.breadth >= 2);
        let many = many.from(index, all, |it| it.breadth >= limits.breadth && limits.are_met(it));
        // The windows that the verdict depends on, whatever comes later.
        let decide = match (many, breadth >= limits.breadth, breadth >= 2) {
            (Some(many), true, _) => [Some(many), None],
            (_, _, true) => [first, several],
            _ => [first, None],
        };
        let decide = || decide.into_iter().flatten();
        spikes.push(first.map(|_| Spike {
            breadth,
            calls: decide().map(|it| it.calls).max().unwrap_or_default(),
            different: decide().map(|it| it.breadth).max().unwrap_or_default(),
            failed: decide().any(|it| it.failed > 0),
            known: decide().filter_map(|it| it.time).max(),
        }));
    }
    spikes
}

/// The first window from a place on that is of some kind, for places that only grow.
#[derive(Default)]
struct First(usize);

impl First {
    fn from<'w>(
        &mut self,
        index: usize,
        windows: &'w [Window],
        is: impl Fn(&Window) -> bool,
    ) -> Option<&'w Window> {
        self.0 = self.0.max(index);
        while let Some(window) = windows.get(self.0) {
            if is(window) {
                return Some(window);
            }
            self.0 += 1;
        }
        None
    }
}

/// The greatest of the last values, from an index that only grows.
#[derive(Default)]
struct Most(VecDeque<(usize, usize)>);

impl Most {
    fn add(&mut self, index: usize, value: usize) {
        while self.0.back().is_some_and(|(_, last)| *last <= value) {
            self.0.pop_back();
        }
        self.0.push_back((index, value));
    }

    fn since(&mut self, from: usize) -> usize {
        while self.0.front().is_some_and(|(index, _)| *index < from) {
            self.0.pop_front();
        }
        self.0.front().map_or(0, |(_, value)| *value)
    }
}

fn between(from: Option<Time>, to: Option<Time>) -> TimeDelta {
    match (from, to) {
        (Some(from), Some(to)) => to - from,
        _ => TimeDelta::zero(),
    }
}
