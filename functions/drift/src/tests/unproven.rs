//! The first change of a deploy session whose beginning no record shows.

use handsoff_core::Call;

use super::*;

/// What is said of a change by the deploy role of an entry with these lines: by a replay, and of what the functions stored.
fn says(lines: &str) -> (Option<Finding>, Option<Finding>) {
    let policy = format!("[[deploy]]\nidentity = \"arn:aws:iam::*:role/deploy\"\n{lines}\n");
    let policy = Policy::parse("handsoff.toml", &policy).unwrap();
    let json = record("ec2:CreateTags", role("deploy", "run"))
        .at("2026-03-01T09:00:00Z")
        .region("eu-west-1")
        .to_string();
    classified(&json, &policy, |_, call| {
        let judged = |call: &Call<'_>| match Drift.judge(call, &policy, &mut Trace::off()) {
            Verdict::Finding(finding) => Some(*finding),
            _ => None,
        };
        let found = crate::unproven::finding(&Call { is_unproven: true, ..call.clone() }, &policy);
        let stored = judged(&Call { refuted: Some(String::new()), ..call.clone() });
        assert!(crate::unproven::finding(call, &policy).is_none(), "of others nothing is said");
        (found, stored.and_then(|stored| crate::unproven(stored, &policy)))
    })
}

#[test]
fn it_is_medium_and_known_when_cloudtrail_was_asked() {
    let (found, stored) = says("[proof]\npatience = \"15m\"");
    let found = found.unwrap();
    assert_eq!((found.code, found.severity), (codes::DEPLOY_UNPROVEN, Severity::Medium));
    let waited = found.known.unwrap() - found.time.unwrap();
    assert_eq!(waited.num_minutes(), 15);
    assert_eq!(Some(found), stored, "the same of what was stored");
}

#[test]
fn an_entry_whose_sessions_begin_unseen_is_left_alone() {
    for line in ["unproven = true", "humans = true"] {
        assert_eq!(says(line), (None, None), "{line}");
    }
}
