//! `[digest]`: when the message of a day is sent.

use handsoff_cloudtrail::{Time, TimeDelta};

/// The days of a week as a policy names them. 1970-01-01 was a Thursday.
pub(super) const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// The hours at which a digest is due: each has what happened since the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields, transform = super::schema_parts::nothing))]
pub struct DigestHours {
    /// The hour, UTC.
    #[cfg_attr(test, schemars(range(min = 0, max = 23)))]
    pub hour: i64,
    /// The days of the week, from Monday on. None of them: there is no digest.
    #[cfg_attr(test, schemars(with = "Vec<Weekday>"))]
    pub weekdays: [bool; 7],
}

/// A day of the week, for the policy's JSON schema.
#[cfg(test)]
struct Weekday;

#[cfg(test)]
super::schema_parts::written! {
    Weekday: {"type": "string", "enum": WEEKDAYS},
}

impl DigestHours {
    /// Seven o'clock each day.
    pub const DEFAULT: Self = Self { hour: 7, weekdays: [true; 7] };

    /// The first one after a time: the one that has what happened then.
    pub fn after(&self, time: Time) -> Option<Time> {
        let first = (time - self.hour()).day() + 1;
        (first..first + 7).find(|day| self.has(*day)).map(|day| self.of(day))
    }

    /// The last one until a time.
    pub fn until(&self, time: Time) -> Option<Time> {
        let last = (time - self.hour()).day();
        (last - 6..=last).rev().find(|day| self.has(*day)).map(|day| self.of(day))
    }

    fn has(&self, day: i64) -> bool {
        let weekday = usize::try_from((day + 3).rem_euclid(7)).ok();
        weekday.and_then(|weekday| self.weekdays.get(weekday)).copied().unwrap_or_default()
    }

    fn of(&self, day: i64) -> Time {
        Time::of_day(day) + self.hour()
    }

    fn hour(&self) -> TimeDelta {
        TimeDelta::try_hours(self.hour).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        Time::parse(text).unwrap()
    }

    #[test]
    fn each_time_is_in_the_digest_that_comes_next() {
        let daily = DigestHours::DEFAULT;
        for (time, next) in [
            ("2026-03-13T06:59:59Z", "2026-03-13T07:00:00Z"),
            ("2026-03-13T07:00:00Z", "2026-03-14T07:00:00Z"),
            ("2026-03-13T23:00:00Z", "2026-03-14T07:00:00Z"),
        ] {
            assert_eq!(daily.after(at(time)), Some(at(next)), "{time}");
        }
        assert_eq!(daily.until(at("2026-03-13T07:00:00Z")), Some(at("2026-03-13T07:00:00Z")));
        assert_eq!(daily.until(at("2026-03-13T06:00:00Z")), Some(at("2026-03-12T07:00:00Z")));
    }

    #[test]
    fn a_weekend_waits_for_monday() {
        let mut week = DigestHours::DEFAULT;
        week.weekdays[5] = false;
        week.weekdays[6] = false;
        // 2026-03-13 is a Friday.
        assert_eq!(week.after(at("2026-03-13T06:00:00Z")), Some(at("2026-03-13T07:00:00Z")));
        for time in ["2026-03-13T08:00:00Z", "2026-03-15T12:00:00Z"] {
            assert_eq!(week.after(at(time)), Some(at("2026-03-16T07:00:00Z")), "{time}");
        }
        assert_eq!(week.until(at("2026-03-16T06:00:00Z")), Some(at("2026-03-13T07:00:00Z")));
        let never = DigestHours { weekdays: [false; 7], ..week };
        assert_eq!(
            (never.after(at("2026-03-13T08:00:00Z")), never.until(at("2026-03-13T08:00:00Z"))),
            (None, None)
        );
    }
}
