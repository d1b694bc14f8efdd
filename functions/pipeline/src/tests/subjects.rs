use super::*;

const GITHUB: &str = "token.actions.githubusercontent.com";

/// What is found where a job with this subject assumes the deploy role, whose entry has these lines besides.
fn assumed(host: &str, subject: &str, more: &str) -> (String, Severity) {
    let policy = POLICY.replace("role/deploy\"\n", &format!("role/deploy\"\n{more}\n"));
    let who = format!(
        r#"{{"type":"WebIdentityUser","principalId":"p:{subject}","userName":"{subject}",
        "identityProvider":"arn:aws:iam::111122223333:oidc-provider/{host}"}}"#
    );
    let rest = r#","readOnly":true,"requestParameters":{"roleArn":"arn:aws:iam::111122223333:role/deploy","roleSessionName":"x"}"#;
    let found = verdict_by(&policy, &who, "sts:AssumeRoleWithWebIdentity", rest);
    found.map_or_else(|why| (why, Severity::Info), |it| (it.code.to_string(), it.severity))
}

#[test]
fn a_job_of_a_pull_request_that_no_entry_lists_is_high() {
    for subject in ["repo:acme/infra:pull_request", "repo:acme@1/infra@2:pull_request"] {
        assert_eq!(assumed(GITHUB, subject, ""), is(codes::DEPLOY_FROM_BRANCH, Severity::High), "{subject}");
    }
    let listed = r#"assumed_by = ["oidc:repo:acme/infra:pull_request"]"#;
    assert_eq!(assumed(GITHUB, "repo:acme/infra:pull_request", listed), nothing("read"));
    // An entry that lists others has it misused, which is graver and drift's.
    let others = r#"assumed_by = ["oidc:repo:acme/infra:*"]"#;
    assert_eq!(assumed(GITHUB, "repo:acme/infra:pull_request", others).0, "deploy-role-misused");
}

#[test]
fn a_job_of_a_branch_that_is_not_trusted_is_medium() {
    let medium = is(codes::DEPLOY_FROM_BRANCH, Severity::Medium);
    let any =
        r#"assumed_by = ["oidc:repo:acme/infra:*", "oidc-provider/gitlab.com:project_path:acme/infra:*"]"#;
    for more in ["", any] {
        assert_eq!(assumed(GITHUB, "repo:acme/infra:ref:refs/heads/feature", more), medium, "{more}");
        let gitlab = "project_path:acme/infra:ref_type:branch:ref:feature";
        assert_eq!(assumed("gitlab.com", gitlab, more), medium, "{more}");
        for subject in [
            "repo:acme/infra:ref:refs/heads/main",
            "repo:acme/infra:ref:refs/tags/v1",
            "repo:acme/infra:environment:production",
        ] {
            assert_eq!(assumed(GITHUB, subject, more), nothing("read"), "{subject}");
        }
        assert_eq!(
            assumed("gitlab.com", "project_path:acme/infra:ref_type:tag:ref:v1", more),
            nothing("read")
        );
    }
    assert_eq!(assumed(GITHUB, "repo:acme/infra:environment:pull_request", ""), nothing("read"));
    let listed = r#"assumed_by = ["oidc:repo:acme/infra:ref:refs/heads/feature"]"#;
    assert_eq!(assumed(GITHUB, "repo:acme/infra:ref:refs/heads/feature", listed), nothing("read"));
}

#[test]
fn a_subject_of_another_providers_form_says_nothing_of_a_branch() {
    assert_eq!(assumed("example.com", "repo:acme/infra:pull_request", ""), nothing("read"));
}
