//! Event time, in seconds since 1970 UTC.

use chrono::{DateTime, NaiveDateTime};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Seconds since 1970-01-01 00:00 UTC. CloudTrail's `eventTime` has no finer grain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

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

impl Time {
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
}
