//! A part of time that is drawn.

use handsoff_cloudtrail::{Time, TimeDelta};

/// A part of time that is drawn: cut into equal parts, with round times to be named.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    /// Where it begins.
    pub(crate) from: i64,
    /// How many seconds it has.
    pub(crate) span: i64,
}

impl Scale {
    /// Room for all between two times: a single moment has to have some width, and nothing stands on the edge.
    pub(crate) fn around(from: i64, until: i64) -> Self {
        let margin = (until.saturating_sub(from) / 30).max(60);
        let from = from.saturating_sub(margin);
        Self { from, span: until.saturating_add(margin).saturating_sub(from) }
    }

    /// Whether a time lies in it.
    pub(crate) fn holds(self, at: i64) -> bool {
        (self.from..=self.from.saturating_add(self.span)).contains(&at)
    }

    /// How far in it a time lies, where all of it is so long.
    pub(crate) fn place(self, at: i64, long: i64) -> i64 {
        (at - self.from).clamp(0, self.span) * long / self.span.max(1)
    }

    /// Which of so many equal parts a time lies in.
    pub(crate) fn bin(self, at: i64, bins: i64) -> i64 {
        ((at - self.from) * bins / self.span.max(1)).clamp(0, bins - 1)
    }

    /// When one of so many equal parts begins.
    pub(crate) fn start(self, bin: i64, bins: i64) -> Time {
        Time::from_timestamp(self.from + bin * self.span / bins)
    }

    /// How long one of so many equal parts is: at least a second.
    pub(crate) fn width(self, bins: i64) -> TimeDelta {
        Time::from_timestamp((self.span / bins).max(1)) - Time::EPOCH
    }

    /// Moments to be named on the axis, at most one more than `most`: at round times, so many seconds from each other.
    pub(crate) fn ticks(self, most: i64) -> (i64, Vec<i64>) {
        const STEPS: [i64; 24] = [
            15,
            30,
            60,
            120,
            300,
            600,
            900,
            1800,
            3600,
            7200,
            10_800,
            21_600,
            43_200,
            86_400,
            172_800,
            604_800,
            1_209_600,
            2_592_000,
            7_776_000,
            31_536_000,
            157_680_000,
            630_720_000,
            3_153_600_000,
            31_536_000_000,
        ];
        let step = STEPS.into_iter().find(|step| self.span / step <= most).unwrap_or(self.span.max(1));
        let first = self.from.div_euclid(step) * step + step;
        let ticks = (0..=most).map(|index| first + index * step).filter(|at| self.holds(*at)).collect();
        (step, ticks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_few_and_round_whatever_the_span() {
        for span in [1, 59, 600, 3600, 86_400, 31_536_000, 220_000_000_000] {
            let scale = Scale::around(1_700_000_000, 1_700_000_000 + span);
            for (most, bins) in [(8, 146), (3, 120)] {
                let (step, ticks) = scale.ticks(most);
                let few = usize::try_from(most).unwrap() + 1;
                assert!((1..=few).contains(&ticks.len()), "{span}, {most}: {}", ticks.len());
                assert!(ticks.iter().all(|at| at % step == 0), "{span}");
                assert!(scale.bin(1_700_000_000 + span, bins) < bins);
            }
        }
    }
}
