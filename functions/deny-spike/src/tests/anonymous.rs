//! Denied calls without AWS credentials.

use super::*;

const INTERNET: &str = r#"{"type":"AWSAccount","principalId":"","accountId":"ANONYMOUS_PRINCIPAL"}"#;

fn call(n: i64, action: &str, bucket: &str) -> Option<Undecided> {
    let named = format!(r#"{DENIED},"requestParameters":{{"bucketName":"{bucket}"}}"#);
    with(n, action, if bucket.is_empty() { DENIED } else { &named })
}

fn with(n: i64, action: &str, with: &str) -> Option<Undecided> {
    let time = Time::from_timestamp(1_772_000_000 + n);
    let json = record(action, INTERNET).id(n).at(time).with(with).to_string();
    let policy = Policy::built_in();
    classified(&json, &policy, |_, call| {
        match handsoff_functions::engine(&policy).judge(call, &mut Trace::off()) {
            Verdict::Undecided(undecided) => Some(*undecided),
            _ => None,
        }
    })
}

fn many(calls: i64, actions: &[&str], buckets: &[&str]) -> Vec<Undecided> {
    let (actions, buckets) = (actions.iter().cycle(), buckets.iter().cycle());
    (0..calls).zip(actions).zip(buckets).filter_map(|((n, action), bucket)| call(n, action, bucket)).collect()
}

#[test]
fn they_count_by_what_they_ask_for() {
    let limits = policy(300, 20, 6);
    let one = settled(many(20, &["s3:ListObjects"], &["orders"]), &limits);
    assert_eq!(one.len(), 20);
    assert!(one.iter().all(|it| (it.code, it.severity) == (codes::DENY_SPIKE, Severity::Low)));
    assert!(one[0].reason.contains("on orders were denied"), "{}", one[0].reason);
    let several = settled(many(20, &["s3:ListObjects", "s3:GetBucketAcl"], &["orders"]), &limits);
    assert!(several.len() == 20 && several.iter().all(|it| it.severity == Severity::Medium));
    // However many actions: nobody's probing.
    let actions: Vec<String> = (0..19).map(|n| format!("s3:GetBucket{n}")).collect();
    let actions: Vec<&str> = actions.iter().map(String::as_str).collect();
    assert_eq!(settled(many(19, &actions, &["orders"]), &limits).len(), 0);
    assert_eq!(
        settled(many(38, &["s3:ListObjects"], &["orders", "images"]), &limits).len(),
        0,
        "two buckets"
    );
}

/// Each bucket's are an incident of a day, whatever else is denied to the internet.
#[test]
fn a_bucket_has_one_incident_a_day() {
    let found = settled(many(60, &["s3:ListObjects"], &["orders", "images"]), &policy(300, 20, 6));
    let incidents: std::collections::BTreeSet<&str> = found.iter().map(|it| it.incident.as_str()).collect();
    assert_eq!((found.len(), incidents.len()), (60, 2));
}

#[test]
fn what_names_nothing_and_what_apps_customers_are_denied_is_nobodys() {
    assert!(call(1, "s3:ListObjects", "").is_none());
    assert!(
        with(1, "cognito-idp:GetUser", &format!(r#"{DENIED},"requestParameters":{{"userPoolId":"p"}}"#))
            .is_none()
    );
    let nothing = call(1, "s3:ListObjects", "orders").unwrap();
    assert_eq!(
        (nothing.otherwise, settled(vec![nothing.clone()], &policy(300, 20, 6)).len()),
        (Disposition::Anonymous, 0)
    );
    // A name that would be markup, or look like another group's, is one name.
    let hostile = call(1, "s3:ListObjects", "a|b<script>").unwrap();
    assert_eq!(seen::asked_without_credentials(&hostile.group), "a|b<script>");
}
