//! Lengths of time, as the policy and the command line write them.

use handsoff_cloudtrail::TimeDelta;

/// Units that nobody means in a policy: a month isn't always as long, and `5M` is a slip for `5m`.
const LONG_UNITS: [&str; 9] = ["M", "month", "months", "y", "yr", "yrs", "year", "years", "Y"];

/// Why a text is no length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// It has no number, no unit, or one that nobody means.
    #[error("not a duration: write one such as 30m, 1h30m or 7d")]
    Form,
}

/// Reads `30m`, `1h30m`, `1 hour`, `7d`: whole seconds, more than none.
///
/// # Errors
/// When it is no length of time, or one in months or years.
pub fn duration(written: &str) -> Result<TimeDelta, DurationError> {
    // A sign could be written from the beginning, and changes nothing.
    let bare = written.strip_prefix('+').unwrap_or(written);
    let mut units = bare.split(|char: char| !char.is_alphabetic());
    if units.any(|unit| LONG_UNITS.contains(&unit)) {
        return Err(DurationError::Form);
    }
    let length = humantime::parse_duration(bare).map_err(|_| DurationError::Form)?;
    if length.is_zero() || length.subsec_nanos() > 0 {
        return Err(DurationError::Form);
    }
    TimeDelta::from_std(length).map_err(|_| DurationError::Form)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What policies and `handsoff grant --for` could say when each had a reader of its own.
    #[test]
    fn what_was_ever_accepted_means_the_same() {
        for (unit, seconds) in [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)] {
            for (number, value) in
                [("1", 1), ("007", 7), ("+5", 5), ("90", 90), ("4294967295", i64::from(u32::MAX))]
            {
                let written = format!("{number}{unit}");
                assert_eq!(duration(&written), Ok(TimeDelta::seconds(value * seconds)), "{written}");
            }
        }
        for (written, seconds) in [
            ("2h", 7200),
            ("90m", 5400),
            ("1h30m", 5400),
            ("30m1h", 5400),
            ("1d1d", 172_800),
            ("0h45s", 45),
            ("1d2h3m4s", 93_784),
        ] {
            assert_eq!(duration(written), Ok(TimeDelta::seconds(seconds)), "{written}");
        }
    }

    #[test]
    fn what_is_no_length_of_time_or_not_surely_the_one_that_was_meant_is_refused() {
        for written in [
            "",
            " ",
            "2",
            "h",
            "2x",
            "-1h",
            "+-1h",
            "0h",
            "0s",
            "1h30",
            "500ms",
            "1.5s",
            "5M",
            "1 month",
            "1y",
            "1h 2years",
            "five minutes",
            "99999999999999999999h",
            "9223372036854775807d",
            "9223372036854775807s",
        ] {
            assert_eq!(duration(written), Err(DurationError::Form), "{written}");
        }
        for (written, seconds) in [("1 hour", 3600), ("2h 30min", 9000), ("1w", 604_800), ("1.5h", 5400)] {
            assert_eq!(duration(written), Ok(TimeDelta::seconds(seconds)), "{written}");
        }
    }
}
