//! What a denied call costs of the table, as docs/deploy.md says.

use handsoff_runtime::Report;
use handsoff_testing::in_memory::InMemory;

use super::*;

fn call(n: i64, second: i64, action: &str, with: &str) -> Undecided {
    let time = Time::parse("2026-03-14T00:00:00Z").unwrap() + TimeDelta::seconds(second);
    let from = format!(r#"{with},"sourceIPAddress":"198.51.100.7""#);
    let json = record(action, user("a")).id(n).at(time).with(&from).to_string();
    let policy = Policy::built_in();
    classified(&json, &policy, |_, call| undecided(call, &policy))
}

/// The writes and read units of calls that come one by one.
fn costs(calls: Vec<Undecided>) -> (usize, usize) {
    let (world, policy) = (InMemory::default(), Policy::built_in());
    let mut report = Report::default();
    for one in calls {
        let work = live::found(&world, &policy, vec![one], &mut report);
        futures_util::FutureExt::now_or_never(work).unwrap().unwrap();
    }
    (world.observations.borrow().len(), world.read_units.get())
}

#[test]
fn a_denied_call_is_four_writes_and_five_reads_and_one_that_failed_three_and_three() {
    assert_eq!(costs(vec![call(1, 0, "ec2:StopInstances", DENIED)]), (4, 5));
    let dry = r#","errorCode":"Client.DryRunOperation""#;
    assert_eq!(costs(vec![call(1, 0, "ec2:StopInstances", dry)]), (3, 3));
}

/// The days that overlap are read at once, and nothing is written for the second one. Of a day from midnight alone it was 6.6
/// read units a call.
#[test]
fn two_days_of_a_call_each_quarter_of_an_hour_are_four_writes_and_seven_read_units_each() {
    let calls = (0..192).map(|n| call(n, n * 900, &format!("ec2:Stop{}", n % 2), DENIED)).collect();
    let (writes, reads) = costs(calls);
    println!("{writes} writes, {reads} read units of 192 calls");
    assert_eq!(writes, 4 * 192);
    assert!(reads * 10 <= 72 * 192, "{reads}");
}
