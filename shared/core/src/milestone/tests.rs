use super::*;

const POLICY: Alerts = Alerts {
    min_severity: Severity::Medium,
    period: TimeDelta::seconds(1200),
    quiet: TimeDelta::seconds(100),
    burst: 10,
    accounts: BTreeMap::new(),
    digest: crate::policy::DigestHours::DEFAULT,
};

#[test]
fn a_period_is_read_by_the_name_that_it_is_stored_under() {
    let at = Time::from_timestamp(1_772_000_000);
    for (period, name) in [
        (Period::Session, "session".to_owned()),
        (Period::NoTime, "no-time".to_owned()),
        (Period::From(at), at.to_string()),
    ] {
        assert_eq!((period.to_string(), name.parse()), (name.clone(), Ok(period)));
    }
    "tomorrow".parse::<Period>().unwrap_err();
}

#[test]
fn periods_follow_one_another() {
    let start = Time::from_timestamp(1_772_000_000 - 800);
    let at = |second| Period::of("drift-1", Some(start + TimeDelta::seconds(second)), &POLICY);
    let period = Period::From(start);
    for (second, wanted) in [
        (-1, Period::From(start - POLICY.period)),
        (0, period),
        (1199, period),
        (1200, Period::From(start + POLICY.period)),
    ] {
        assert_eq!(at(second), wanted, "{second}");
    }
    assert_eq!((period.start(), period.end(&POLICY)), (Some(start), Some(start + POLICY.period)));
    assert_eq!(period.before(&POLICY), at(-1));
    assert_eq!(Period::of("glass-1", Some(start), &POLICY), Period::Session);
    for whole in [Period::Session, Period::NoTime] {
        assert_eq!((whole.start(), whole.end(&POLICY), whole.before(&POLICY)), (None, None, whole));
    }
}

#[test]
fn no_other_name_is_a_milestones() {
    for milestone in [Milestone::Opened, Milestone::Sealing, Milestone::Closed, Milestone::Folded(7)] {
        assert_eq!(milestone.to_string().parse(), Ok(milestone));
    }
    for name in ["", "Closed", "reopened", "severity:", "count:many", "folded:", "glass-opened", "nothing:1"]
    {
        assert!(name.parse::<Milestone>().is_err(), "{name}");
    }
}
