//! Event time, in seconds since 1970 UTC.

use chrono::{DateTime, NaiveDateTime};

/// Seconds since 1970-01-01 00:00 UTC. CloudTrail's `eventTime` has no finer grain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

impl Time {
    /// Reads `2026-11-22T05:38:00Z`, with or without a fraction or an offset; and `2026-11-22 05:38:00`, taken
    /// for UTC, as CloudTrail's times look once they have been through a data lake.
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Some(Self(time.timestamp()));
        }
        let naive = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"];
        let time = naive.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())?;
        Some(Self(time.and_utc().timestamp()))
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
        for text in ["2023-07-10T11:55:23Z", "1999-12-31T23:59:59Z"] {
            assert_eq!(Time::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Time::parse("2023-07-10T11:55:23.5+00:00"), Time::parse("2023-07-10T11:55:23Z"));
        for lake in ["2023-07-10 11:55:23", "2023-07-10 11:55:23.000000000", "2023-07-10T11:55:23"] {
            assert_eq!(Time::parse(lake), Time::parse("2023-07-10T11:55:23Z"), "{lake}");
        }
        for bad in ["", "yesterday", "2023-07-10", "2023-13-10T11:55:23Z", "+292277026596-12-04T15:30:07Z"] {
            assert_eq!(Time::parse(bad), None, "{bad}");
        }
    }
}
