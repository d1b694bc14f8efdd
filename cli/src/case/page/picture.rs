//! The picture of a session: a lane for each kind of call, over time, with the session's window and end.
//!
//! A picture of five calls and one of fifty thousand are drawn alike: the time is cut into equal parts, and a bar is
//! as high as there are calls in its part. All numbers are whole, and all are made here.

use std::collections::BTreeMap;

use handsoff_case::{Manifest, Observation};
use handsoff_cloudtrail::Time;
use maud::{Markup, html};

use super::super::fold::Kind;
use super::super::words;
use crate::html::{self, Scale, nothing, wide};
use crate::numbers::{count_of, thousands};

const LEFT: i64 = 150;
const WIDTH: i64 = 730;
const BINS: i64 = 146;
const TOP: i64 = 62;
const LANE: i64 = 52;
const BAR: i64 = 36;

/// Room for all calls, and for the session's times unless they are so far away that the calls would become one bar.
fn scale_of(times: &[i64], marks: &[Mark]) -> Option<Scale> {
    let ends = |times: &mut dyn Iterator<Item = i64>| {
        times.fold(None, |ends: Option<(i64, i64)>, at| {
            Some(ends.map_or((at, at), |(first, last)| (first.min(at), last.max(at))))
        })
    };
    let mut all = marks.iter().map(|mark| mark.at);
    let (first, last) = ends(&mut times.iter().copied()).or_else(|| ends(&mut all))?;
    let far = (last - first).max(600) * 8;
    let (mut from, mut until) = (first, last);
    for mark in marks {
        if (first - far..=last + far).contains(&mark.at) {
            (from, until) = (from.min(mark.at), until.max(mark.at));
        }
    }
    Some(Scale::around(from, until))
}

fn x(scale: Scale, at: i64) -> i64 {
    LEFT + scale.place(at, WIDTH)
}

/// A time of the session that is marked.
struct Mark {
    at: i64,
    name: &'static str,
    class: &'static str,
    meaning: &'static str,
}

fn marks(manifest: &Manifest) -> Vec<Mark> {
    let mark = |at: Option<Time>, name, class, meaning| {
        at.map(|at| Mark { at: at.timestamp(), name, class, meaning })
    };
    let end = manifest.end.as_ref();
    [
        mark(manifest.started, "began", "began", "the session's beginning"),
        mark(manifest.window_end, "window's end", "window-end", "the end of the allowed window"),
        mark(end.map(|end| end.at), "ended", "ended", "the session's end"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The picture.
fn section_of(manifest: &Manifest, calls: &[Observation]) -> Option<Markup> {
    let times: Vec<i64> = calls.iter().filter_map(|call| call.time).map(Time::timestamp).collect();
    let marks = marks(manifest);
    let scale = scale_of(&times, &marks)?;
    let mut lanes: BTreeMap<Kind, BTreeMap<i64, u64>> = BTreeMap::new();
    for call in calls {
        if let Some(at) = call.time.map(Time::timestamp) {
            *lanes.entry(Kind::of(call)).or_default().entry(scale.bin(at, BINS)).or_default() += 1;
        }
    }
    // All kinds that somebody looks for are there, also when they are empty; other failures are rare.
    let kinds: Vec<Kind> =
        Kind::ALL.into_iter().filter(|kind| *kind != Kind::Failure || lanes.contains_key(kind)).collect();
    let bottom = TOP + LANE * i64::try_from(kinds.len()).unwrap_or(6);
    let timeless = (calls.len() - times.len()) as u64;
    let far: Vec<&Mark> = marks.iter().filter(|mark| !scale.holds(mark.at)).collect();
    let empty = BTreeMap::new();
    Some(html! {
        figure {
            (wide(&html! { div.picture {
                svg viewBox={ "0 0 1000 " (bottom + 46) } role="img" aria-label="Calls over time, by kind" {
                    (window(scale, manifest, bottom))
                    (axis(scale, bottom))
                    @for (index, kind) in (0..).zip(&kinds) {
                        (lane(scale, *kind, lanes.get(kind).unwrap_or(&empty), TOP + LANE * (index + 1)))
                    }
                    @for (row, mark) in (0..).zip(marks.iter().filter(|mark| scale.holds(mark.at))) {
                        (line(scale, mark, bottom, 14 + 17 * row))
                    }
                }
            } }))
            figcaption {
                ul.legend {
                    @for kind in &kinds { li { span.key.(kind.name()) {} (kind.plural()) } }
                    li { span.key.window {} "Allowed window" }
                    @for mark in &marks { li { span.key.line.(mark.class) {} (mark.meaning) } }
                }
                p.note {
                    "Each bar is " (words::length(scale.width(BINS))) " wide; each lane has its own height, and each call is in one lane. "
                    "Escalations are changes of permissions and identities, and attacks on logging."
                    @for mark in far { " Outside of the picture: " (mark.meaning) ", " (words::time(Some(Time::from_timestamp(mark.at)))) "." }
                    @if timeless > 0 { " Not in the picture: " (count_of(timeless, "call")) " without a time." }
                }
            }
        }
    })
}

/// The section, also when there is nothing to draw.
pub(super) fn section(manifest: &Manifest, calls: &[Observation]) -> Markup {
    let body = section_of(manifest, calls).unwrap_or_else(|| nothing("No call has a time."));
    html::section("Calls over time", "", &body)
}

fn window(scale: Scale, manifest: &Manifest, bottom: i64) -> Markup {
    let [Some(from), Some(until)] = [manifest.started, manifest.window_end].map(|at| at.map(Time::timestamp))
    else {
        return html! {};
    };
    let (left, right) = (x(scale, from), x(scale, until));
    html! { rect.window x=(left) y=(TOP) width=((right - left).max(0)) height=(bottom - TOP) {} }
}

fn axis(scale: Scale, bottom: i64) -> Markup {
    let (step, ticks) = scale.ticks(8);
    let mut day = String::new();
    let labels: Vec<(i64, String, String)> = ticks
        .into_iter()
        .map(|at| {
            let time = Time::from_timestamp(at);
            let clock = match step {
                ..60 => time.format("%H:%M:%S"),
                60..86_400 => time.format("%H:%M"),
                _ => String::new(),
            };
            let date = if time.date() == day { String::new() } else { time.date() };
            day = time.date();
            (x(scale, at), clock, date)
        })
        .collect();
    html! {
        line.axis x1=(LEFT) y1=(bottom) x2=(LEFT + WIDTH) y2=(bottom) {}
        @for (x, clock, date) in &labels {
            line.tick x1=(x) y1=(TOP) x2=(x) y2=(bottom + 5) {}
            text.clock x=(x) y=(bottom + 20) { (clock) }
            text.date x=(x) y=(bottom + if clock.is_empty() { 20 } else { 36 }) { (date) }
        }
        text.zone x=(LEFT + WIDTH + 10) y=(bottom + 20) { "UTC" }
    }
}

fn lane(scale: Scale, kind: Kind, bins: &BTreeMap<i64, u64>, base: i64) -> Markup {
    let most = bins.values().copied().max().unwrap_or(0);
    let all: u64 = bins.values().sum();
    let height = |number: u64| {
        let whole = u64::try_from(BAR).unwrap_or(1);
        (number * whole / most.max(1)).max(4)
    };
    html! {
        line.base x1=(LEFT) y1=(base) x2=(LEFT + WIDTH) y2=(base) {}
        text.lane x="0" y=(base - 18) { (kind.plural()) }
        text.count x="0" y=(base - 3) { (thousands(all)) }
        @if most > 0 { text.most x=(LEFT + WIDTH + 10) y=(base - 3) { "up to " (thousands(most)) " a bar" } }
        @for (bin, number) in bins {
            @let height = height(*number);
            rect.(kind.name()) x=(LEFT + bin * WIDTH / BINS) y=(base - i64::try_from(height).unwrap_or(BAR)) width="4" height=(height) {
                title { (words::time(Some(scale.start(*bin, BINS)))) ": " (thousands(*number)) " " (kind.plural()) }
            }
        }
    }
}

/// A mark. Its label stands on a row of its own, so that marks near each other can be distinguished.
fn line(scale: Scale, mark: &Mark, bottom: i64, y: i64) -> Markup {
    let x = x(scale, mark.at);
    let label = format!("{} {}", mark.name, Time::from_timestamp(mark.at).format("%H:%M:%S"));
    let (at, side) = if x > LEFT + WIDTH / 2 { (x - 6, "to-left") } else { (x + 6, "to-right") };
    html! {
        line.mark.(mark.class) x1=(x) y1=(y - 10) x2=(x) y2=(bottom) {}
        text.label.(side) x=(at) y=(y) { (label) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(at: i64) -> Mark {
        Mark { at, name: "", class: "", meaning: "" }
    }

    #[test]
    fn one_call_has_a_picture_and_nothing_has_none() {
        let scale = scale_of(&[1_000_000], &[]).unwrap();
        assert!(scale.span >= 120 && x(scale, 1_000_000) > LEFT && x(scale, 1_000_000) < LEFT + WIDTH);
        assert!(scale_of(&[], &[]).is_none());
    }

    #[test]
    fn the_window_is_in_the_picture_unless_it_would_leave_no_room_for_calls() {
        let calls = [1_000_000, 1_000_600];
        let near = scale_of(&calls, &[mark(1_003_600)]).unwrap();
        assert!(near.holds(1_003_600));
        let far = scale_of(&calls, &[mark(200_000_000_000)]).unwrap();
        assert!(!far.holds(200_000_000_000) && far.span < 1000);
    }
}
