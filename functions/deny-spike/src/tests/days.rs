//! The long window against what its words say, slowly.

use super::*;

fn start() -> Time {
    Time::parse("2026-03-14T00:00:00Z").unwrap()
}

fn call(n: i64, minute: i64, action: usize, dry: bool) -> Undecided {
    let time = start() + TimeDelta::minutes(minute);
    let with = if dry { r#","errorCode":"Client.DryRunOperation""# } else { DENIED };
    let json = record(&format!("ec2:Stop{action}"), user("a")).id(n).at(time).with(with).to_string();
    let policy = Policy::built_in();
    classified(&json, &policy, |_, call| undecided(call, &policy))
}

/// The different actions of the calls from a time on, until another.
fn actions(all: &[Undecided], from: Time, to: Time) -> usize {
    let within = all.iter().filter(|it| it.finding.time.is_some_and(|time| (from..=to).contains(&time)));
    within.map(|it| &it.finding.action).collect::<std::collections::BTreeSet<_>>().len()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]
    /// So many different actions within twelve hours are found, whatever the hour; and what is found has so many in the day
    /// before it.
    #[test]
    fn twelve_hours_are_seen_whole_and_no_more_than_a_day_counts(
        calls in prop::collection::vec((0i64..4000, 0usize..12, any::<bool>()), 1..60),
    ) {
        let policy = Denials { daily_actions: 8, ..never() };
        let all: Vec<Undecided> =
            (0..).zip(&calls).map(|(n, (minute, action, dry))| call(n, *minute, *action, *dry)).collect();
        let found: std::collections::BTreeSet<handsoff_core::Key> =
            settled(all.clone(), &policy).iter().map(|it| it.key).collect();
        for one in &all {
            let time = one.finding.time.unwrap();
            // A call counts with those of its five minutes.
            let slot = TimeDelta::minutes(5);
            if actions(&all, time - TimeDelta::hours(12) + slot, time) >= 8 {
                prop_assert!(found.contains(&one.key()), "{time} isn't found");
            }
            if found.contains(&one.key()) {
                prop_assert!(actions(&all, time - TimeDelta::hours(24), time + slot) >= 8, "{time} is found");
            }
        }
    }
}
