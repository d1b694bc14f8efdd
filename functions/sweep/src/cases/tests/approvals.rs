//! Who may approve, and what a grant has to have come by.

use super::*;
use handsoff_functions::engine;

/// A grant that came by this sender, and what became of it: the verdicts on the session, and the dead letters.
fn granted_by(sender: &str, grant: &str, policy: &str) -> (String, Vec<String>) {
    let (policy, world) = (Policy::parse("handsoff.toml", policy).unwrap(), begin("2026-03-14T02:00:40Z"));
    let envelope = Envelope { sender, ..envelope("Break-Glass Grant") };
    let delivery = Delivery { payload: grant, detail: Ok(grant), envelope };
    assert_eq!(
        block_on(handle(
            &world,
            &BreakGlassFunction::new(engine(&policy), Lease(TimeDelta::seconds(90))),
            &[delivery]
        )),
        [Answer::Done]
    );
    let dead: Vec<String> = world.dead.borrow().iter().map(|(_, why)| why.clone()).collect();
    let unreadable = world.report.borrow().sum(Metric::UnreadablePayloads("handsoff-break-glass"));
    assert_eq!(unreadable > 0.5, !dead.is_empty(), "each dead letter is counted");
    records(&world, &policy, &session());
    at(&world, &policy, "2026-03-14T03:30:00Z");
    let manifest = manifests(&world).remove(0).1;
    let wrong: Vec<String> =
        manifest.violations.iter().map(|it| format!("{} {}", it.code.as_str(), it.reason)).collect();
    (wrong.join("\n"), dead)
}

#[test]
fn a_grant_counts_only_as_it_came_by_the_bus() {
    // As SQS writes it where EventBridge sends: a user of AWS's own.
    assert_eq!(granted_by("AIDAJXNJGGKNS7OSV23OI", GRANT, POLICY), (String::new(), vec![]));
    for (sender, why) in [
        ("", "the function was invoked with it"),
        ("AROAEXAMPLE:alice-INC-7", "AROAEXAMPLE:alice-INC-7 put it into the queue"),
        ("AROAEXAMPLE", "AROAEXAMPLE put it"),
        ("111122223333", "111122223333 put it"),
        ("111122223333:alice", "111122223333:alice put it"),
        ("ASIAEXAMPLE", "ASIAEXAMPLE put it"),
    ] {
        let (wrong, dead) = granted_by(sender, GRANT, POLICY);
        assert!(
            wrong.starts_with("glass-unapproved") && wrong.contains("there is none"),
            "{sender}: {wrong}"
        );
        assert_eq!(dead.len(), 1, "{sender}");
        assert!(dead[0].contains("perhaps forged") && dead[0].contains(why), "{dead:?}");
    }
}

#[test]
fn a_review_counts_only_as_it_came_by_the_bus() {
    let (policy, world) = (policy(), begin("2026-03-14T02:00:40Z"));
    records(&world, &policy, &session());
    at(&world, &policy, "2026-03-14T03:30:00Z");
    let (text, manifest) = manifests(&world).remove(0);
    let digest = handsoff_case::manifest::sha256(text.as_bytes());
    let review = format!(
        r#"{{"case":"{}","digest":"{digest}","reviewer":"bob","note":"fine","time":"2026-03-15T08:00:00Z"}}"#,
        manifest.case
    );
    for (sender, kept) in [("AROAEXAMPLE:alice", false), ("", false), (BUS, true)] {
        let envelope = Envelope { sender, ..envelope("Break-Glass Review") };
        let delivery = Delivery { payload: &review, detail: Ok(&review), envelope };
        block_on(handle(
            &world,
            &BreakGlassFunction::new(engine(&policy), Lease(TimeDelta::seconds(90))),
            &[delivery],
        ));
        let sealed = sealed(&world, &manifest.case);
        assert_eq!(sealed.review.is_some(), kept, "{sender}");
    }
    assert_eq!(world.dead.borrow().len(), 2);
}

#[test]
fn only_who_is_listed_approves() {
    let listed = format!("{POLICY}\n[cases]\napprovers = [\"bob\", \"mira@example.com\"]");
    let verdict =
        |approver: &str| granted_by(BUS, &GRANT.replace("\"bob\"", &format!("{approver:?}")), &listed).0;
    for approver in ["bob", "Bob", "arn:aws:iam::111122223333:user/ops/bob", "MIRA@example.com"] {
        assert_eq!(verdict(approver), "", "{approver}");
    }
    for approver in [
        "carol",
        // Who only looks like an approver, or calls a session so, is none.
        "b\u{43e}b",
        "bob+x",
        "b.ob",
        "bob@example.com",
        "mira",
        "mira+x@example.com",
        "arn:aws:sts::111122223333:assumed-role/dev/bob",
    ] {
        let wrong = verdict(approver);
        let why = format!("INC-7, but {approver} isn't one of the `approvers` of [cases].");
        assert!(wrong.starts_with("glass-unapproved ") && wrong.contains(&why), "{approver}: {wrong}");
    }
    // That it is their own is the graver, whether they are listed or not.
    assert!(verdict("ALICE").starts_with("glass-self-approved"));
}

/// The window of a grant isn't made longer by who may not give it.
#[test]
fn only_who_is_listed_extends_a_grant() {
    let verdict = |approver: &str| {
        let listed = format!("{POLICY}\n[cases]\napprovers = [\"bob\"]");
        let (policy, world) =
            (Policy::parse("handsoff.toml", &listed).unwrap(), begin("2026-03-14T02:00:40Z"));
        let first = GRANT.replace("T04:00", "T02:09");
        let more = GRANT.replace("\"bob\"", &format!("{approver:?}")).replace("T01:50", "T02:08");
        deliver(&world, &policy, &[("Break-Glass Grant", &first), ("Break-Glass Grant", &more)]);
        records(&world, &policy, &session());
        at(&world, &policy, "2026-03-14T03:30:00Z");
        wrong(&world)
    };
    assert_eq!(verdict("bob"), ["alice: "]);
    assert_eq!(verdict("carol"), ["alice: glass-overdue"]);
}

#[test]
fn nobody_approves_or_reviews_themselves_by_another_spelling() {
    for own in [
        "ALICE",
        "alice+approver@example.com",
        "a.l.i.c.e@corp.example",
        "\u{430}lice",
        "aIice",
        "arn:aws:iam::111122223333:user/alice",
        "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_X_0123456789abcdef/alice@example.com",
    ] {
        let (wrong, _) = granted_by(BUS, &GRANT.replace("\"bob\"", &format!("{own:?}")), POLICY);
        assert!(wrong.starts_with("glass-self-approved"), "{own}: {wrong}");
        let refused = handsoff_case::review::is_somebody_else(own, ["alice"].into_iter());
        assert!(refused.unwrap_err().to_string().contains("another person has to review it"), "{own}");
    }
}

/// Who looks like somebody on the roster is not on it, and is not whom a grant was given to.
#[test]
fn a_look_alike_is_let_through_nowhere() {
    // The Kelvin sign, which is a `k` in lower case.
    let policy = POLICY.replace("\"alice\"", "\"kira\"");
    let (policy, world) = (Policy::parse("handsoff.toml", &policy).unwrap(), begin("2026-03-14T02:00:40Z"));
    deliver(&world, &policy, &[("Break-Glass Grant", &GRANT.replace("alice", "kira"))]);
    let session: Vec<String> = session()
        .iter()
        .map(|record| record.replace("alice-INC-7", "x-INC-7").replace("alice", "\u{212a}ira"))
        .collect();
    records(&world, &policy, &session);
    at(&world, &policy, "2026-03-14T03:30:00Z");
    assert_eq!(wrong(&world), ["\u{212a}ira: glass-unapproved glass-not-on-roster"]);
}
