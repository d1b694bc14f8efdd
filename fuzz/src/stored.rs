use std::fmt::Debug;

use handsoff_case::live::{Remembered, Sealed};
use handsoff_case::{Grant, Manifest, Review};
use handsoff_core::alert::{Milestone, Period};
use handsoff_runtime::{Episode, Mark, State};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What is stored is written as it was read; and a key as it was parsed.
pub fn stored(data: &[u8]) -> usize {
    let Ok(text) = std::str::from_utf8(data) else { return 0 };
    let understood = [
        same::<State>(text),
        same::<Mark>(text),
        same::<Remembered>(text),
        same::<Sealed>(text),
        same::<Grant>(text),
        same::<Manifest>(text),
        same::<Review>(text),
        shown::<Milestone>(text),
        shown::<Period>(text),
        Episode::parse("drift-1", text).is_some_and(|episode| {
            assert_eq!(Episode::parse("drift-1", &episode.sort()), Some(episode));
            true
        }),
    ];
    understood.into_iter().filter(|understood| *understood).count()
}

fn same<T: Serialize + DeserializeOwned + PartialEq + Debug>(text: &str) -> bool {
    let Ok(read) = serde_json::from_str::<T>(text) else { return false };
    let written = serde_json::to_string(&read).unwrap();
    let again: T = serde_json::from_str(&written).unwrap_or_else(|why| panic!("{written}: {why}"));
    assert_eq!(again, read);
    assert_eq!(serde_json::to_string(&again).unwrap(), written);
    true
}

fn shown<T: std::str::FromStr + ToString + PartialEq + Debug>(text: &str) -> bool {
    let Ok(read) = text.parse::<T>() else { return false };
    let Ok(again) = read.to_string().parse::<T>() else { panic!("{read:?} is shown as what is none") };
    assert_eq!(again, read);
    true
}
