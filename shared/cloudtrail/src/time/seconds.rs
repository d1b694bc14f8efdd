//! Times and lengths of time as numbers of seconds, for `#[serde(with = "seconds")]`: so stored documents have them.

use chrono::TimeDelta;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Time;

/// What is written as a number of seconds.
pub trait Seconds: Sized {
    /// How it is written.
    type Number: Serialize + DeserializeOwned;

    /// The seconds: of a time, since 1970.
    fn to_seconds(&self) -> Self::Number;

    /// What so many seconds stand for.
    fn from_seconds(seconds: Self::Number) -> Self;
}

impl Seconds for Time {
    type Number = i64;

    fn to_seconds(&self) -> i64 {
        self.timestamp()
    }

    fn from_seconds(seconds: i64) -> Self {
        Self::from_timestamp(seconds)
    }
}

/// Parts of a second are left out, and what is longer than the longest is the longest.
impl Seconds for TimeDelta {
    type Number = i64;

    fn to_seconds(&self) -> i64 {
        self.num_seconds()
    }

    fn from_seconds(seconds: i64) -> Self {
        Time::from_timestamp(seconds) - Time::EPOCH
    }
}

impl<T: Seconds> Seconds for Option<T> {
    type Number = Option<T::Number>;

    fn to_seconds(&self) -> Self::Number {
        self.as_ref().map(T::to_seconds)
    }

    fn from_seconds(seconds: Self::Number) -> Self {
        seconds.map(T::from_seconds)
    }
}

/// Writes a number of seconds, as serde demands it of `with`.
///
/// # Errors
/// When it can't be written.
pub fn serialize<T: Seconds, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    value.to_seconds().serialize(serializer)
}

/// Reads a number of seconds, as serde demands it of `with`.
///
/// # Errors
/// When there is no whole number.
pub fn deserialize<'de, T: Seconds, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::Number::deserialize(deserializer).map(T::from_seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Both {
        #[serde(with = "super")]
        at: Time,
        #[serde(default, skip_serializing_if = "Option::is_none", with = "super")]
        after: Option<TimeDelta>,
    }

    #[test]
    fn seconds_are_written_as_numbers_and_read_again() {
        for (at, after, text) in [
            (7, None, r#"{"at":7}"#),
            (i64::MIN, Some(TimeDelta::minutes(-1)), r#"{"at":-9223372036854775808,"after":-60}"#),
        ] {
            let both = Both { at: Time::from_timestamp(at), after };
            assert_eq!(serde_json::to_string(&both).unwrap(), text);
            assert_eq!(serde_json::from_str::<Both>(text).unwrap(), both);
        }
        let read = |text| serde_json::from_str::<Both>(text);
        assert_eq!(read(r#"{"at":7,"after":9223372036854775807}"#).unwrap().after, Some(TimeDelta::MAX));
        assert_eq!(read(r#"{"at":7,"after":null}"#).unwrap().after, None);
        assert!(read(r#"{"at":"7"}"#).is_err());
        assert!(read(r#"{"at":7.5}"#).is_err());
    }
}
