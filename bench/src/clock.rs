//! Time as CloudTrail writes it, from seconds since 1970 and back to nothing: the generator only
//! ever formats.

use std::fmt::Write;

/// 2026-03-02T00:00:00Z, a Monday: when the generated logs begin.
pub(crate) const START: i64 = 1_772_409_600;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A moment taken apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    pub(crate) month: i64,
    pub(crate) day: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) second: i64,
}

impl Civil {
    /// Takes `epoch` seconds apart (Howard Hinnant's `civil_from_days`).
    pub(crate) fn of(epoch: i64) -> Self {
        let (days, rest) = (epoch.div_euclid(86_400), epoch.rem_euclid(86_400));
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * of_year + 2) / 153;
        let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
        Self {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month,
            day: of_year - (153 * march_month + 2) / 5 + 1,
            hour: rest / 3_600,
            minute: rest % 3_600 / 60,
            second: rest % 60,
        }
    }

    /// `2026-03-02T09:41:07Z`.
    pub(crate) fn iso(self, out: &mut String) {
        let Self { year, month, day, hour, minute, second } = self;
        // INVARIANT: writing to a `String` does not fail, here and below.
        let _ = write!(out, "{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z");
    }

    /// `Mar 2, 2026, 9:41:07 AM`, as the Java services write it in responses.
    pub(crate) fn spelled(self, out: &mut String) {
        let Self { year, day, minute, second, .. } = self;
        let month = usize::try_from(self.month - 1).ok().and_then(|m| MONTHS.get(m)).unwrap_or(&"Jan");
        let half = if self.hour < 12 { "AM" } else { "PM" };
        let hour = if self.hour % 12 == 0 { 12 } else { self.hour % 12 };
        let _ = write!(out, "{month} {day}, {year}, {hour}:{minute:02}:{second:02} {half}");
    }
}

#[cfg(test)]
mod tests {
    use super::{Civil, START};

    fn iso(epoch: i64) -> String {
        let mut out = String::new();
        Civil::of(epoch).iso(&mut out);
        out
    }

    #[test]
    fn formats_as_cloudtrail_does() {
        assert_eq!(iso(START), "2026-03-02T00:00:00Z");
        assert_eq!(iso(0), "1970-01-01T00:00:00Z");
        assert_eq!(iso(1_709_210_096), "2024-02-29T12:34:56Z");
        assert_eq!(iso(1_798_761_599), "2026-12-31T23:59:59Z");
        let mut out = String::new();
        Civil::of(START + 12 * 3_600 + 5).spelled(&mut out);
        assert_eq!(out, "Mar 2, 2026, 12:00:05 PM");
    }
}
