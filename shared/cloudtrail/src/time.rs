//! Event time, to the second, UTC.

pub mod seconds;

use std::ops::{Add, Sub};

use chrono::{DateTime, NaiveDateTime, TimeDelta};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A second since 1970-01-01 00:00 UTC. CloudTrail's `eventTime` has no finer grain.
///
/// A `DateTime` is a date and a time of day: findings, which there are millions of, would be sorted and compared by
/// three numbers where one does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

/// As text, in CloudTrail's form.
impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is no time")))
    }
}

/// 9000-01-01 00:00 UTC.
const YEAR_9000: i64 = 221_845_392_000;

const DAY: i64 = TimeDelta::days(1).num_seconds();

impl Time {
    /// 1970-01-01 00:00 UTC.
    pub const EPOCH: Self = Self(0);

    /// The time of a Unix timestamp.
    pub const fn from_timestamp(seconds: i64) -> Self {
        Self(seconds)
    }

    /// The Unix timestamp: seconds since 1970.
    pub const fn timestamp(self) -> i64 {
        self.0
    }

    /// Midnight of a day, by its number: 1970-01-01 is day 0.
    pub const fn of_day(day: i64) -> Self {
        Self(day.saturating_mul(DAY))
    }

    /// The number of the day.
    pub const fn day(self) -> i64 {
        self.0.div_euclid(DAY)
    }

    /// The last time until this one that is a multiple of a length from 1970 on: of a day, midnight. No length, the time
    /// itself.
    #[must_use]
    pub fn floor(self, length: TimeDelta) -> Self {
        Self(self.0 - self.0.checked_rem_euclid(length.num_seconds()).unwrap_or_default())
    }

    /// Reads `2026-11-22T05:38:00Z`, with or without a fraction or an offset; and `2026-11-22 05:38:00`, taken
    /// for UTC, as CloudTrail's times look once they have been through a data lake.
    ///
    /// Years before 1970 and from 9000 on are no times of events: texts of times sort as the times do only
    /// within four digits.
    pub fn parse(text: &str) -> Option<Self> {
        let naive = || {
            let formats = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"];
            let time = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())?;
            Some(time.and_utc().timestamp())
        };
        let rfc = DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp());
        rfc.or_else(naive).filter(|seconds| (0..YEAR_9000).contains(seconds)).map(Self)
    }

    /// Reads a time of UTC in one of chrono's formats.
    pub fn parse_as(text: &str, format: &str) -> Option<Self> {
        let time = NaiveDateTime::parse_from_str(text, format).ok()?.and_utc().timestamp();
        Some(Self(time)).filter(|time| (0..YEAR_9000).contains(&time.0))
    }

    /// The UTC date, as `2026-11-22`.
    pub fn date(self) -> String {
        self.format("%Y-%m-%d")
    }

    /// In one of chrono's formats.
    pub fn format(self, format: &str) -> String {
        DateTime::from_timestamp(self.0, 0).map(|time| time.format(format).to_string()).unwrap_or_default()
    }
}

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.format("%Y-%m-%dT%H:%M:%SZ"))
    }
}

/// What lies beyond all times is the last.
impl Add<TimeDelta> for Time {
    type Output = Self;

    fn add(self, delta: TimeDelta) -> Self {
        Self(self.0.saturating_add(delta.num_seconds()))
    }
}

/// What lies before all times is the first.
impl Sub<TimeDelta> for Time {
    type Output = Self;

    fn sub(self, delta: TimeDelta) -> Self {
        Self(self.0.saturating_sub(delta.num_seconds()))
    }
}

/// Negative where the other is later.
impl Sub for Time {
    type Output = TimeDelta;

    fn sub(self, other: Self) -> TimeDelta {
        let most = if self < other { TimeDelta::MIN } else { TimeDelta::MAX };
        TimeDelta::try_seconds(self.0.saturating_sub(other.0)).unwrap_or(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_cloudtrail_writes_and_writes_it_back() {
        for text in ["2023-07-10T11:55:23Z", "1970-01-01T00:00:00Z", "8999-12-31T23:59:59Z"] {
            assert_eq!(Time::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Time::parse("2023-07-10T11:55:23.5+00:00"), Time::parse("2023-07-10T11:55:23Z"));
        for lake in ["2023-07-10 11:55:23", "2023-07-10 11:55:23.000000000", "2023-07-10T11:55:23"] {
            assert_eq!(Time::parse(lake), Time::parse("2023-07-10T11:55:23Z"), "{lake}");
        }
        for bad in [
            "",
            "yesterday",
            "2023-07-10",
            "2023-13-10T11:55:23Z",
            "9000-01-01T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "+292277026596-12-04T15:30:07Z",
        ] {
            assert_eq!(Time::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn times_and_lengths_add_up_and_never_overflow() {
        let time = Time::parse("2026-03-13T07:30:00Z").unwrap();
        assert_eq!((time + TimeDelta::hours(2)).to_string(), "2026-03-13T09:30:00Z");
        assert_eq!((time - TimeDelta::hours(8)).to_string(), "2026-03-12T23:30:00Z");
        assert_eq!(time - (time - TimeDelta::days(3)), TimeDelta::days(3));
        assert_eq!(time - (time + TimeDelta::seconds(1)), TimeDelta::seconds(-1));
        assert_eq!(time.floor(TimeDelta::days(1)).to_string(), "2026-03-13T00:00:00Z");
        assert_eq!(time.floor(TimeDelta::days(1)), Time::of_day(time.day()));
        assert_eq!(time.floor(TimeDelta::zero()), time);
        assert_eq!(Time(-1).floor(TimeDelta::minutes(1)), Time(-60));
        let (first, last) = (Time(i64::MIN), Time(i64::MAX));
        assert_eq!((last + TimeDelta::MAX, first - TimeDelta::MAX), (last, first));
        assert_eq!((last - first, first - last), (TimeDelta::MAX, TimeDelta::MIN));
    }
}
