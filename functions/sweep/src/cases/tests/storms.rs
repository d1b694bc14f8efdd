//! More sessions in a minute than are alerted one by one.

use handsoff_case::manifest::sha256;

use super::*;

#[test]
fn the_cases_of_sessions_that_a_summary_named_are_proven_by_another_summary() {
    let text = "[alerts]\nburst = 1\n[[break_glass]]\nidentity = \"arn:aws:iam::*:role/break-glass\"\nmax_session = \"1h\"\n";
    let (policy, world) = (Policy::parse("handsoff.toml", text).unwrap(), begin("2026-03-14T02:00:10Z"));
    let sessions: Vec<String> = (0..7).map(|number| taken(&format!("alice-{number}"))).collect();
    records(&world, &policy, &sessions);
    assert_eq!(reported(&world), ["glass-opened opened"; 5], "five times as many as of what isn't grave");
    at(&world, &policy, "2026-03-14T02:01:00Z");
    at(&world, &policy, "2026-03-14T02:02:00Z");
    assert_eq!(reported(&world)[5..], ["glass-opened summary"], "once");
    let summary = world.sent.borrow()[5].clone();
    assert!(
        summary
            .subject
            .starts_with("111122223333 [HIGH] (summary) 2 incidents: Break-glass session opened: "),
        "{summary:?}"
    );
    assert!(summary.subject.len() < 100, "{summary:?}");
    let named = summary.email.lines().filter(|line| line.starts_with("incident glass-")).count();
    assert!(named == 2 && summary.email.contains("brief#2026-03-14T02:00:00Z"), "{}", summary.email);
    assert!((world.report.borrow().sum(Metric::AlertsFolded) - 2.0).abs() < 0.1);

    at(&world, &policy, "2026-03-14T03:30:00Z");
    at(&world, &policy, "2026-03-14T03:31:00Z");
    assert_eq!(manifests(&world).len(), 7);
    let told = reported(&world);
    assert_eq!(told.iter().filter(|it| *it == "glass-closed closed").count(), 5, "{told:?}");
    assert_eq!(told.iter().filter(|it| *it == "glass-closed summary").count(), 1, "{told:?}");
    let mails: String = world.sent.borrow().iter().map(|message| message.email.clone()).collect();
    for (text, _) in manifests(&world) {
        assert!(mails.contains(&sha256(text.as_bytes())), "each digest leaves the account");
    }
}
