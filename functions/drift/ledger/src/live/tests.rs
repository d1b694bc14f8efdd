use handsoff_core::Policy;
use handsoff_testing::block_on;
use handsoff_testing::in_memory::InMemory;

use super::*;

fn deployed(number: i64) -> Observation {
    Observation {
        resource: format!("iam::111122223333:role/r{}", number % 7).parse().unwrap(),
        time: Time::from_timestamp(1_773_453_600 + number / 3),
        event: format!("{number}"),
        what: What::Deploy { by: "d".into(), stack: false },
    }
}

#[test]
fn all_is_recalled_page_by_page_whatever_lies_between() {
    let world = InMemory::default();
    let all: Vec<Observation> = (0..2500).map(deployed).collect();
    block_on(remember(&world, &all)).unwrap();
    block_on(remember(&world, &all[..700])).unwrap();
    assert_eq!(world.observations.borrow().len(), 2500, "to remember again changes nothing");
    let mut expected = Ledger::default();
    all.iter().cloned().for_each(|one| expected.add(one));
    assert_eq!(block_on(recall(&world)).unwrap(), expected);
    // What a later version has written, and this one doesn't know, is passed over.
    for minute in 0..50 {
        let key = (PARTITION.to_owned(), format!("2026-03-14T02:{minute:02}:30Z#x"));
        world.observations.borrow_mut().insert(key, r#"{"v":9,"what":"unheard-of"}"#.into());
    }
    assert_eq!(block_on(recall(&world)).unwrap(), expected);
}

#[test]
fn open_items_are_counted_by_age_and_written_anew() {
    let (world, policy) = (InMemory::default(), Policy::built_in());
    let hand = |name: &str, time: i64| Observation {
        resource: format!("iam::111122223333:role/{name}").parse().unwrap(),
        time: Time::from_timestamp(time),
        event: name.into(),
        what: What::Hand(Box::new(crate::Hand {
            action: "iam:PutRolePolicy".into(),
            by: "ana".into(),
            human: None,
            incident: "drift-1".into(),
            makes: false,
            by_stack: false,
            stack: None,
        })),
    };
    let day = 86_400;
    let deploy = Observation { time: Time::from_timestamp(day * 2), ..deployed(0) };
    block_on(remember(
        &world,
        &[hand("a", 0), hand("b", 35 * day), hand("c", 40 * day), hand("r0", 1), deploy],
    ))
    .unwrap();
    let mut report = Report::default();
    let now = Time::from_timestamp(40 * day + 60);
    let items = block_on(count(&world, &policy.cases, now, &mut report)).unwrap();
    assert_eq!(items.len(), 4);
    let counted: Vec<f64> =
        ["day", "week", "month", "older"].iter().map(|age| report.sum(Metric::DriftItemsOpen(age))).collect();
    assert_eq!(counted, [1.0, 1.0, 0.0, 1.0]);
    // Were one of them to expire, it would be as if nothing had happened.
    let before = world.observations.borrow().clone();
    let open = |text: &str| ["role/a", "role/b", "role/c"].iter().any(|name| text.contains(name));
    for text in world.observations.borrow_mut().values_mut().filter(|text| open(text)) {
        text.push(' ');
    }
    block_on(count(&world, &policy.cases, now, &mut Report::default())).unwrap();
    assert_eq!(*world.observations.borrow(), before, "all that stands was written anew, and nothing else");
}
