//! Several records of one call, of which one is reported.
//!
//! CloudTrail writes a corrected record under an event ID of its own, which names the original
//! (`addendum.originalEventID`); and of a call that reaches into another account a record for each of the two, which
//! share a `sharedEventID`. Which of them is reported follows from all of them, whatever their order.
//!
//! These fields are AWS's. In a file that somebody has made they may say anything: so a record gives way only to one
//! of the same service, action and account, or time, and what is itself a correction gives way to no other's.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use handsoff_cloudtrail::Record;
use handsoff_cloudtrail::json::Raw;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Of the text and not of how it is written: EventBridge and log files may escape differently.
pub(crate) fn hash(seed: u64, field: Raw<'_>) -> u64 {
    match field.text() {
        Some(text) => xxh3_64_with_seed(text.as_bytes(), seed),
        None => seed.rotate_left(1),
    }
}

/// A record among the copies of one call: the greatest is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Copy {
    /// Whether it names the caller: the record for the account that was reached into may leave the ARN out.
    knows_caller: bool,
    /// Whether it is the one for the caller's own account.
    is_callers: bool,
    account: u64,
    name: u64,
}

/// What is known of records of which there may be several for one call.
#[derive(Clone, Debug, Default)]
pub struct Copies {
    /// The corrections of an original.
    corrections: BTreeMap<u64, BTreeSet<u64>>,
    /// The copies for several accounts.
    shared: BTreeMap<u64, BTreeSet<Copy>>,
}

impl Copies {
    /// Notes a record that corrects another.
    pub fn note_correction(&mut self, record: &Record<'_>) {
        if let Some(original) = original_id(record)
            && original.text() != record.event_id.text()
        {
            self.corrections.entry(named(record, original)).or_default().insert(name(record));
        }
    }

    /// Notes a record that led to something.
    pub fn note(&mut self, record: &Record<'_>) {
        if !record.shared_event_id.has_text() {
            return;
        }
        let Record { shared_event_id, event_time, event_source, event_name, error_code, .. } = *record;
        let call = [shared_event_id, event_time, event_source, event_name, error_code];
        let own = |key| record.user_identity.get(key).and_then(Raw::text);
        let copy = Copy {
            knows_caller: own("arn").is_some(),
            is_callers: own("accountId").is_some_and(|id| record.recipient_account_id.text() == Some(id)),
            account: hash(0, record.recipient_account_id),
            name: name(record),
        };
        self.shared.entry(call.into_iter().fold(0, hash)).or_default().insert(copy);
    }

    /// Takes over what others have seen.
    pub fn merge(&mut self, other: Self) {
        for (original, corrections) in other.corrections {
            self.corrections.entry(original).or_default().extend(corrections);
        }
        for (call, copies) in other.shared {
            self.shared.entry(call).or_default().extend(copies);
        }
    }

    /// The records that are not reported, by [`name()`], because another of the same call is.
    pub fn left_out(&self) -> HashSet<u64> {
        let corrections: HashSet<u64> = self.corrections.values().flatten().copied().collect();
        let originals = self.corrections.keys().filter(|original| !corrections.contains(original)).copied();
        let mut left_out: HashSet<u64> = originals.collect();
        for all in self.corrections.values() {
            left_out.extend(all.iter().rev().skip(1));
        }
        for all in self.shared.values() {
            // Two records for one account are two calls, whatever they share.
            let told = all.last().map(|told| told.account);
            left_out.extend(all.iter().filter(|copy| Some(copy.account) != told).map(|copy| copy.name));
        }
        left_out
    }
}

/// What a record is called among copies.
pub fn name(record: &Record<'_>) -> u64 {
    named(record, record.event_id)
}

fn named(record: &Record<'_>, id: Raw<'_>) -> u64 {
    if !id.has_text() {
        return xxh3_64_with_seed(record.text.as_bytes(), 0);
    }
    [id, record.event_source, record.event_name, record.recipient_account_id].into_iter().fold(0, hash)
}

/// The event ID of the record that this one corrects.
pub(crate) fn original_id<'a>(record: &Record<'a>) -> Option<Raw<'a>> {
    if record.addendum.is_absent() {
        return None;
    }
    record.addendum.get("originalEventID").filter(|id| id.has_text())
}

#[cfg(test)]
mod tests {
    use handsoff_cloudtrail::Entry;

    use super::*;

    fn record(id: &str, more: &str) -> String {
        format!(
            r#"{{"eventID":"{id}","eventTime":"2026-03-14T10:00:00Z","eventSource":"sts.amazonaws.com","eventName":"AssumeRole"{more}}}"#
        )
    }

    /// Which of the records, by their places, are left out.
    fn left_out(records: &[String]) -> Vec<usize> {
        let parsed: Vec<Record<'_>> = records
            .iter()
            .map(|json| match Record::read(json) {
                Ok((Entry::Record(record), _)) => record,
                other => panic!("{other:?}"),
            })
            .collect();
        let (mut forward, mut backward) = (Copies::default(), Copies::default());
        for (one, other) in parsed.iter().zip(parsed.iter().rev()) {
            forward.note_correction(one);
            forward.note(one);
            let mut single = Copies::default();
            single.note(other);
            single.note_correction(other);
            backward.merge(single);
        }
        assert_eq!(forward.left_out(), backward.left_out(), "the order makes a difference");
        let out = forward.left_out();
        (0..parsed.len()).filter(|place| out.contains(&name(&parsed[*place]))).collect()
    }

    fn corrects(original: &str) -> String {
        format!(r#","addendum":{{"reason":"UPDATED_DATA","originalEventID":"{original}"}}"#)
    }

    #[test]
    fn a_corrected_record_takes_the_place_of_its_original() {
        assert_eq!(left_out(&[record("a", ""), record("b", &corrects("a")), record("c", "")]), [0]);
        // Two corrections of one record: one is reported.
        let twice = left_out(&[record("a", ""), record("b", &corrects("a")), record("c", &corrects("a"))]);
        assert!(twice.len() == 2 && twice[0] == 0, "{twice:?}");
        // A late record names no original.
        assert!(
            left_out(&[record("a", ""), record("b", r#","addendum":{"reason":"DELIVERY_DELAY"}"#)])
                .is_empty()
        );
    }

    #[test]
    fn a_correction_is_remembered_under_its_originals_key() {
        let key = |json: &str| match Record::read(json) {
            Ok((Entry::Record(record), _)) => crate::Key::of(&record),
            other => panic!("{other:?}"),
        };
        assert_eq!(key(&record("b", &corrects("a"))), key(&record("a", "")));
        assert_ne!(key(&record("b", &corrects("c"))), key(&record("a", "")));
    }

    #[test]
    fn no_record_can_be_hidden_by_ones_that_name_each_other_or_another_action() {
        assert!(left_out(&[record("a", &corrects("b")), record("b", &corrects("a"))]).is_empty());
        assert!(left_out(&[record("a", &corrects("a"))]).is_empty());
        let other = record("b", &corrects("a")).replace("AssumeRole", "GetCallerIdentity");
        assert!(left_out(&[record("a", ""), other]).is_empty());
        let elsewhere = format!(r#"{},"recipientAccountId":"1""#, corrects("a"));
        assert!(left_out(&[record("a", ""), record("b", &elsewhere)]).is_empty());
    }

    #[test]
    fn of_copies_for_two_accounts_the_one_that_knows_the_caller_is_reported() {
        let copy = |id: &str, account: &str, identity: &str| {
            record(
                id,
                &format!(
                    r#","sharedEventID":"s","recipientAccountId":"{account}","userIdentity":{identity}"#
                ),
            )
        };
        let known = r#"{"arn":"arn:aws:iam::4:user/ana","accountId":"4"}"#;
        let unknown = r#"{"type":"AWSAccount","accountId":"4"}"#;
        assert_eq!(left_out(&[copy("a", "4", known), copy("b", "1", unknown)]), [1]);
        assert_eq!(left_out(&[copy("a", "1", known), copy("b", "4", known)]), [0]);
        // In one account they are two calls; and one that failed is no copy of one that didn't.
        assert!(left_out(&[copy("a", "4", known), copy("b", "4", unknown)]).is_empty());
        let failed = copy("b", "1", unknown).replace("\"eventName\"", "\"errorCode\":\"X\",\"eventName\"");
        assert!(left_out(&[copy("a", "4", known), failed]).is_empty());
    }
}
