//! `handsoff tune`: what is proposed, what never is, and that the text can be relied on.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may panic"
)]

mod logs;
mod never;
#[path = "../run/mod.rs"]
mod run;
mod text;

use handsoff_core::policy::ActionPattern;
use serde_json::json;

use logs::*;

#[test]
fn a_deploy_role_is_found_with_its_evidence() {
    let mut logs = Logs::default();
    logs.pipeline("ci/deploy", GITHUB, &["ec2:RunInstances", "iam:PutRolePolicy"]);
    // Who isn't reviewed yet is not among those who may.
    logs.take(2, &web(GITHUB, "repo:acme@12/infra@34:pull_request"), "ci/deploy");
    logs.daily(&user("ana"), "ec2:RunInstances");
    let (text, policy) = tuned(&logs, &[]);
    assert_eq!(names(&policy), [arn("ci/deploy")], "{text}");
    let entry = "[[deploy]]\nidentity = \"arn:aws:iam::111122223333:role/ci/deploy\"\nassumed_by = [\n  \
                 \"oidc:repo:acme@12/infra@34:ref:refs/heads/main\",\n  # web identity repo:acme@12/infra@34:pull_request of \
                 token.actions.githubusercontent.com: a pull request's, which is not reviewed yet (1x on 1 day, \
                 2026-03-02)\n]\nsession_names = [\"run-*\"]\n";
    assert!(text.contains(entry), "{text}");
    for evidence in [
        "# Changes: 10 of 15 changes (66 %), on 5 days from 2026-03-01 to 2026-03-05.\n",
        "iam:PutRolePolicy x5 since 2026-03-01 (permissions or trust)",
        "# People, and roles that people use: 1, with 5 changes by people.",
        "(5x on 5 days from 2026-03-01 to 2026-03-05)",
    ] {
        assert!(text.contains(evidence), "{evidence}\n{text}");
    }
    assert!(text.contains("may_change = [\n  \"ordinary\",\n  \"iam:PutRolePolicy\",\n]\n"), "{text}");
    // It holds its own logs to be the pipeline's.
    assert_eq!(policy.deploy[0].assumed_by.len(), 1);
}

#[test]
fn workloads_are_proposed_with_what_is_ordinary_and_everyday() {
    let mut logs = Logs::default();
    logs.daily(&instance("app/web"), "ec2:CreateTags");
    logs.daily(&instance("app/web"), "ec2:AuthorizeSecurityGroupIngress");
    logs.call(2, &instance("app/web"), "autoscaling:SetDesiredCapacity", &json!({}));
    for day in 1..=5 {
        logs.take(day, &service("lambda"), "fn");
    }
    logs.daily(&session("fn", "fn", &json!({})), "logs:CreateLogStream");
    // One whose documents are those of any caller that starts them, and one of another account.
    for day in 1..=5 {
        logs.take(day, &service("ssm"), "automation");
    }
    logs.daily(&session("automation", "x", &json!({})), "ec2:CreateTags");
    let mut vendor = instance("vendor");
    vendor["sessionContext"]["sessionIssuer"]["arn"] = json!("arn:aws:iam::999999999999:role/vendor");
    logs.daily(&vendor, "ec2:CreateTags");
    // Whose role nobody knows, and whose name says much.
    logs.daily(&session("service-role/worker", "i-0123456789abcdef0", &json!({})), "ec2:CreateTags");
    let (text, policy) = tuned(&logs, &[]);
    assert_eq!(names(&policy), [arn("fn"), arn("app/web")], "{text}");
    let allowed = |entry: usize| {
        policy.workloads[entry].may_write.iter().map(ActionPattern::as_str).collect::<Vec<_>>()
    };
    assert_eq!((allowed(0), allowed(1)), (vec!["logs:CreateLogStream"], vec!["ec2:CreateTags"]));
    for evidence in [
        "# Not allowed: ec2:AuthorizeSecurityGroupIngress x5 since 2026-03-01 (network opened); review it.\n",
        "  # autoscaling:SetDesiredCapacity: on one day only, 2026-03-02\n",
        "# Commented out: it is of another account, for which these logs have no record.\n",
        "# identity = \"arn:aws:iam::111122223333:role/automation\"\n",
        "# Commented out: nothing in AWS's records shows that only code uses it.\n# [[workload]]\n# \
         identity = \"arn:aws:iam::111122223333:role/service-role/worker\"\n",
    ] {
        assert!(text.contains(evidence), "{evidence}\n{text}");
    }
}

#[test]
fn emergency_identities_are_those_called_so_and_seldom_used() {
    let mut logs = Logs::default();
    let factor = json!({"attributes": {"mfaAuthenticated": "true"}});
    logs.take(3, &user("oncall"), "ops/break-glass");
    logs.call(3, &session("ops/break-glass", "oncall", &factor), "ec2:RebootInstances", &json!({}));
    logs.daily(&session("incident-manager", "ana@example.com", &json!({})), "ec2:CreateTags");
    logs.call(
        2,
        &session("AWSReservedSSO_AdministratorAccess_0123456789abcdef", "bob", &json!({})),
        "ec2:CreateTags",
        &json!({}),
    );
    let (text, policy) = tuned(&logs, &[]);
    let glass: Vec<&str> = policy.break_glass.iter().map(|entry| entry.identity.as_str()).collect();
    assert_eq!(glass, [arn("ops/break-glass")], "{text}");
    assert!(text.contains("# identity = \"permission-set/AdministratorAccess\"\n"), "{text}");
    assert!(text.contains("# identity = \"arn:aws:iam::111122223333:role/incident-manager\"\n"), "{text}");
}

/// Denials of each day are a scanner's: its exception is for its owner to make, and moves no threshold.
#[test]
fn a_scanner_is_an_exception_to_be_answered_for_and_many_raise_the_threshold() {
    let denied = json!({"errorCode": "AccessDenied", "readOnly": true});
    let storm = |logs: &mut Logs, role: &str, calls: usize, changes: bool| {
        for day in 1..=5 {
            for _ in 0..calls {
                logs.call(day, &session(role, "x", &json!({})), "s3:GetBucketPolicy", &denied);
            }
        }
        if changes {
            logs.daily(&session(role, "x", &json!({})), "ec2:CreateTags");
        }
    };
    let mut logs = Logs::default();
    storm(&mut logs, "scanner", 50, false);
    let (text, policy) = tuned(&logs, &[]);
    assert_eq!((policy.denials.count, policy.denials.actions, policy.exceptions.len()), (20, 6, 0));
    let exception = "# [[exception]]\n# identity = \"arn:aws:iam::111122223333:role/scanner\"\n";
    assert!(text.contains(exception) && text.contains("\n# until = 2026-06-03\n"), "{text}");
    assert!(text.contains("Denied 250 times on 5 days, at most 50 within a window"), "{text}");
    // Three that change things too, and so are no scanners.
    for (role, calls) in [("a", 40), ("b", 31), ("c", 25), ("d", 3)] {
        storm(&mut logs, role, calls, true);
    }
    let (text, policy) = tuned(&logs, &[]);
    assert_eq!((policy.denials.count, policy.denials.actions), (26, 6), "{text}");
    // One's own thresholds stay.
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own.toml");
    std::fs::write(&own, "[denials]\ncount = 10\n").unwrap();
    let (text, policy) = tuned(&logs, &["--policy", own.to_str().unwrap()]);
    assert!(policy.denials.count == 10 && text.contains("\n# count = 26\n"), "{text}");
}

#[test]
fn ones_own_policy_is_kept_and_its_entries_are_not_proposed_again() {
    let mut logs = Logs::default();
    logs.pipeline("deploy", GITHUB, &["ec2:RunInstances"]);
    logs.daily(&instance("app"), "ec2:CreateTags");
    logs.daily(&instance("app"), "autoscaling:SetDesiredCapacity");
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own.toml");
    let text = format!(
        "# Ours.\n[[deploy]]\nidentity = \"arn:aws:iam::*:role/deploy\"\nassumed_by = [\"oidc:repo:acme@12/*\"]\n\
         [[workload]]\nidentity = \"{}\"\nmay_write = [\"ec2:*\"]\n[accounts]\n\"111122223333\" = \"prod\"",
        arn("app")
    );
    std::fs::write(&own, &text).unwrap();
    let (tuned, policy) = tuned(&logs, &["--policy", own.to_str().unwrap()]);
    assert!(tuned.contains(&format!("\n{text}\n")), "{tuned}");
    assert_eq!(names(&policy), ["arn:aws:iam::*:role/deploy", &arn("app")]);
    assert_eq!(policy.alerts.account_name(ACCOUNT), Some("prod"));
    // What could be narrower, and what is new.
    assert!(
        tuned.contains(&format!(
            "# assumed_by = [\n#   \"oidc:{MAIN}\",\n# ]\n# may_change = [\n#   \"ordinary\",\n# ]\n# session_names = [\"run-*\"]\n"
        )),
        "{tuned}"
    );
    assert!(tuned.contains("# may_write = [\n#   \"autoscaling:SetDesiredCapacity\",\n# ]\n"), "{tuned}");
}
