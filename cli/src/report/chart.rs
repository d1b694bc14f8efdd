//! The pictures of a report. All widths are percents, so that a picture is as wide as its place and its text stays as
//! large as it is; all numbers are made here.

use handsoff_cloudtrail::Time;
use handsoff_core::Severity;
use maud::{Markup, html};

use crate::html::Scale;
use crate::numbers::{count_of, thousands};

/// How high the bars of days may be.
const HIGH: u64 = 140;
/// What is above them.
const TOP: u64 = 26;

/// Fewer bars are as narrow as so many: one day isn't as wide as the page.
const FEW: u64 = 14;

/// A bar of parts, each with one of the page's own classes.
pub(super) struct Bar {
    /// What it is about.
    pub(super) name: String,
    /// The lowest first.
    pub(super) parts: Vec<(&'static str, u64)>,
}

impl Bar {
    fn all(&self) -> u64 {
        self.parts.iter().map(|(_, number)| number).sum()
    }

    /// `2026-03-01: 3 messages: 1 high, 2 medium`.
    fn says(&self, what: &str) -> String {
        let parts: Vec<String> = self
            .parts
            .iter()
            .rev()
            .filter(|(_, number)| *number > 0)
            .map(|(name, number)| format!("{} {name}", thousands(*number)))
            .collect();
        let colon = if parts.is_empty() { "" } else { ": " };
        format!("{}: {}{colon}{}", self.name, count_of(self.all(), what), parts.join(", "))
    }
}

/// `33.333%`.
fn percent(part: u64, of: u64) -> String {
    let thousandths = part * 100_000 / of.max(1);
    format!("{}.{:03}%", thousandths / 1000, thousandths % 1000)
}

/// Bars side by side over time; `what` is what they count.
pub(super) fn columns(bars: &[Bar], what: &str, label: &str) -> Markup {
    let number = (bars.len() as u64).max(FEW);
    let most = bars.iter().map(Bar::all).max().unwrap_or_default();
    let every = number.div_ceil(4).max(1);
    let within_year = bars.iter().all(|bar| bars.first().is_some_and(|first| year(first) == year(bar)));
    html! {
        svg.days role="img" aria-label=(label) width="100%" height=(TOP + HIGH + 24) {
            line.axis x1="0" y1=(TOP + HIGH) x2="100%" y2=(TOP + HIGH) {}
            @for (index, bar) in (0..).zip(bars) {
                @if index % every == 0 {
                    line.tick x1=(percent(index, number)) y1="0" x2=(percent(index, number)) y2=(TOP + HIGH + 6) {}
                    text.day x=(percent(index, number)) y=(TOP + HIGH + 19) { (short(&bar.name, within_year)) }
                }
                (column(bar, (index, number), most, what))
            }
        }
    }
}

fn year(bar: &Bar) -> Option<&str> {
    bar.name.split('-').next()
}

/// So much of a day's name as there is room for, on a phone too: the day within a year, else the month.
fn short(day: &str, within_year: bool) -> &str {
    let part =
        if within_year { day.split_once('-').map(|it| it.1) } else { day.rsplit_once('-').map(|it| it.0) };
    part.unwrap_or(day)
}

fn column(bar: &Bar, (index, number): (u64, u64), most: u64, what: &str) -> Markup {
    let mut y = TOP + HIGH;
    let mut parts = Vec::new();
    for (class, count) in &bar.parts {
        if *count > 0 {
            let height = (count * HIGH / most.max(1)).max(2);
            y = y.saturating_sub(height);
            parts.push((*class, y, height));
        }
    }
    // Eight tenths of its place.
    let (x, width) = (percent(index * 10 + 1, number * 10), percent(8, number * 10));
    html! {
        @if bar.all() > 0 {
            g {
                title { (bar.says(what)) }
                @for (class, y, height) in parts {
                    rect.(class) x=(x) y=(y) width=(width) height=(height) {}
                }
            }
            @if number <= 31 { text.value x=(percent(index * 10 + 5, number * 10)) y=(y.saturating_sub(4)) { (thousands(bar.all())) } }
        }
    }
}

/// One bar that lies, beside others with the same `most`.
pub(super) fn row(bar: &Bar, most: u64, what: &str) -> Markup {
    let mut from = 0;
    let mut parts = Vec::new();
    for (class, count) in bar.parts.iter().filter(|(_, count)| *count > 0) {
        parts.push((*class, from, *count));
        from += count;
    }
    html! {
        svg.lying width="100%" height="12" aria-hidden="true" {
            title { (bar.says(what)) }
            @for (class, from, count) in parts {
                rect.(class) x=(percent(from, most)) y="0" width=(percent(count.max(most / 200), most)) height="12" {}
            }
        }
    }
}

/// A lane of the timeline: in each part of time whether there was something, and how grave the worst.
pub(super) fn lane(scale: Scale, bins: i64, marks: &[(i64, u64, Severity)]) -> Markup {
    let number = bins.unsigned_abs();
    html! {
        svg.strip width="100%" height="20" aria-hidden="true" {
            line.base x1="0" y1="19" x2="100%" y2="19" {}
            @for (x, _) in ticks(scale) { line.tick x1=(x) y1="0" x2=(x) y2="20" {} }
            @for (bin, count, severity) in marks {
                rect.(severity.as_str()) x=(percent(bin.unsigned_abs(), number)) y="2" width=(percent(1, number)) height="16" {
                    title { (minute(scale.start(*bin, bins))) ": " (count_of(*count, "finding")) ", the worst " (severity.as_str()) }
                }
            }
        }
    }
}

/// The times below the lanes.
pub(super) fn axis(scale: Scale) -> Markup {
    html! {
        svg.times width="100%" height="18" aria-hidden="true" {
            @for (x, name) in ticks(scale) { text.middle x=(x) y="13" { (name) } }
        }
    }
}

/// Where the axis has times, and their names. None near the edge, where its name would be cut.
fn ticks(scale: Scale) -> Vec<(String, String)> {
    let (step, ticks) = scale.ticks(3);
    let place = |at: i64| u64::try_from(scale.place(at, 1000)).unwrap_or_default();
    let name = |at: i64| {
        if step < 86_400 {
            Time::from_timestamp(at).format("%m-%d %H:%M")
        } else {
            Time::from_timestamp(at).date()
        }
    };
    let named = ticks.into_iter().filter(|at| (110..=890).contains(&place(*at)));
    named.map(|at| (percent(place(at), 1000), name(at))).collect()
}

/// `2026-03-14 02:00`.
pub(super) fn minute(time: Time) -> String {
    time.format("%Y-%m-%d %H:%M")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_says_its_numbers_and_parts_lie_side_by_side() {
        let bar = Bar { name: "2026-03-01".into(), parts: vec![("low", 1), ("medium", 0), ("high", 3)] };
        assert_eq!(bar.says("message"), "2026-03-01: 4 messages: 3 high, 1 low");
        let drawn = row(&bar, 8, "message").0;
        assert!(drawn.contains(r#"<rect class="low" x="0.000%" y="0" width="12.500%""#), "{drawn}");
        assert!(drawn.contains(r#"<rect class="high" x="12.500%" y="0" width="37.500%""#), "{drawn}");
    }

    #[test]
    fn times_are_named_apart_from_each_other_and_from_the_edge() {
        for span in [0, 59, 3600, 86_400, 29 * 86_400, 31_536_000] {
            let names = ticks(Scale::around(1_772_323_200, 1_772_323_200 + span));
            let places: Vec<f64> =
                names.iter().map(|(x, _)| x.trim_end_matches('%').parse().unwrap()).collect();
            assert!(!places.is_empty(), "{span}");
            assert!(places.windows(2).all(|two| two[1] - two[0] > 22.0), "{span}: {places:?}");
            assert!(places.iter().all(|place| (10.0..90.0).contains(place)), "{span}: {places:?}");
        }
    }
}
