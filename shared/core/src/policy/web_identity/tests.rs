use super::*;

const GITHUB: Option<&str> = Some("token.actions.githubusercontent.com");

fn entry(written: &str) -> WebIdentity {
    WebIdentity::parse(written).expect("a web identity").unwrap_or_else(|why| panic!("{written}: {why}"))
}

/// The forms of GitHub's subjects, before and after they got IDs.
#[test]
fn a_repository_is_the_same_with_ids_and_an_entry_with_ids_demands_them() {
    let forms = [
        ("repo:acme/infra:ref:refs/heads/main", "repo:acme/infra:ref:refs/heads/main", true),
        ("repo:acme/infra:ref:refs/heads/main", "repo:acme@12/infra@345:ref:refs/heads/main", true),
        ("repo:acme/infra:ref:refs/heads/main", "repo:acme@12/infra@345:ref:refs/heads/dev", false),
        ("repo:acme/infra:ref:refs/heads/main", "repo:acme@12/infra-x@345:ref:refs/heads/main", false),
        ("repo:acme/infra:ref:refs/heads/main", "repo:acme@12/infra@345/x:ref:refs/heads/main", false),
        ("repo:acme/infra:ref:refs/heads/main", "repo:acme@1x/infra@345:ref:refs/heads/main", false),
        ("repo:acme/infra:ref:refs/heads/main", "repo:acme@/infra@:ref:refs/heads/main", false),
        ("repo:acme/infra:ref:refs/heads/main", "repo:acme@1@2/infra@345:ref:refs/heads/main", false),
        ("repo:acme/infra:environment:prod", "repo:acme@12/infra@345:environment:prod", true),
        ("repo:acme/infra:pull_request", "repo:acme@12/infra@345:ref:refs/heads/main", false),
        ("repo:acme/*:ref:refs/heads/main", "repo:acme@12/infra@345:ref:refs/heads/main", true),
        ("repo:acme/infra:*", "repo:acme@12/infra@345:job_workflow_ref:o/r/.github/w.yml@refs/heads/m", true),
        ("repo:acme@12/infra@345:*", "repo:acme@12/infra@345:ref:refs/heads/main", true),
        ("repo:acme@12/infra@345:*", "repo:acme@13/infra@345:ref:refs/heads/main", false),
        ("repo:acme@12/infra@345:*", "repo:acme@12/infra@346:ref:refs/heads/main", false),
        ("repo:acme@12/infra@345:*", "repo:acme/infra:ref:refs/heads/main", false),
        ("repo:acme@12/infra:*", "repo:acme@12/infra@345:ref:refs/heads/main", true),
        ("repo:acme@12/infra:*", "repo:acme@13/infra@345:ref:refs/heads/main", false),
    ];
    for (pattern, subject, expected) in forms {
        assert_eq!(
            entry(&format!("oidc:{pattern}")).matches(GITHUB, subject),
            expected,
            "{pattern} {subject}"
        );
    }
}

#[test]
fn the_same_subject_of_another_provider_is_somebody_else() {
    let repository = "repo:acme/infra:ref:refs/heads/main";
    let bare = entry(&format!("oidc:{repository}"));
    let named = entry(&format!("oidc-provider/token.actions.githubusercontent.com:{repository}"));
    for (provider, expected) in [
        (GITHUB, true),
        (Some("oidc.attacker.example"), false),
        (Some("token.actions.githubusercontent.com.attacker.example"), false),
        (Some("attacker.example/token.actions.githubusercontent.com"), false),
        (None, false),
    ] {
        assert_eq!(bare.matches(provider, repository), expected, "{provider:?}");
        assert_eq!(named.matches(provider, repository), expected, "{provider:?}");
    }
    // An enterprise's own issuer is GitHub's, and none that the entry wrote out otherwise.
    let enterprise = Some("token.actions.githubusercontent.com/acme-corp");
    assert!(bare.matches(enterprise, repository) && !named.matches(enterprise, repository));
    // A pattern that begins otherwise doesn't let another provider's repository in.
    assert!(!entry("oidc:*:ref:refs/heads/main").matches(Some("oidc.attacker.example"), repository));
    assert!(
        entry("oidc:project_path:acme/infra:*").matches(Some("gitlab.com"), "project_path:acme/infra:ref")
    );
    assert!(!entry("oidc:project_path:acme/infra:*").matches(GITHUB, "project_path:acme/infra:ref"));
    let pod = "oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0A1B:system:serviceaccount:ci:deploy";
    let eks = |id: &str| format!("oidc.eks.eu-west-1.amazonaws.com/id/{id}");
    assert!(entry(pod).matches(Some(&eks("0A1B")), "system:serviceaccount:ci:deploy"));
    assert!(!entry(pod).matches(Some(&eks("0A1C")), "system:serviceaccount:ci:deploy"));
    assert!(
        entry("oidc:system:serviceaccount:ci:deploy")
            .matches(Some(&eks("0A1C")), "system:serviceaccount:ci:deploy")
    );
}

#[test]
fn what_an_entry_leaves_open_is_warned_of() {
    for (written, warned) in [
        ("oidc:repo:acme/infra:*", Some("without IDs")),
        ("oidc:repo:acme@12/infra:*", Some("without IDs")),
        ("oidc-provider/token.actions.githubusercontent.com:repo:acme/infra:*", Some("without IDs")),
        ("oidc:repo:acme@12/infra@345:*", None),
        ("oidc:project_path:acme/infra:*", None),
        ("oidc:system:serviceaccount:ci:deploy", Some("names no provider")),
        ("oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0A1B:system:serviceaccount:ci:deploy", None),
    ] {
        let warning = entry(written).warning();
        assert_eq!(warning.is_some(), warned.is_some(), "{written}");
        assert!(
            warned.is_none_or(|words| warning.is_some_and(|warning| warning.contains(words))),
            "{written}"
        );
    }
}

#[test]
fn what_is_no_web_identity_is_reported() {
    for written in ["oidc:", "oidc:**", "oidc-provider/gitlab.com", "oidc-provider/gitlab.com:*"] {
        assert_eq!(WebIdentity::parse(written), Some(Err(PatternError::NoSubject)), "{written}");
    }
    for written in ["oidc-provider/*:s", "oidc-provider/gitlab.*:s", "oidc-provider/:s", "oidc-provider/x:s"]
    {
        assert!(WebIdentity::parse(written).is_some_and(|parsed| parsed.is_err()), "{written}");
    }
    assert_eq!(WebIdentity::parse("arn:aws:iam::*:role/x"), None);
}
