use super::*;

/// What is said of a policy.
fn told(text: &str) -> Vec<String> {
    warnings(&Policy::parse("p", text).unwrap())
}

fn role(lines: &str) -> String {
    format!("[[deploy]]\nidentity = \"arn:aws:iam::*:role/deploy\"\n{lines}\n")
}

fn origin(origin: &str) -> Vec<String> {
    told(&role(&format!("assumed_by = [\"{origin}\"]")))
}

const LISTED: &str = "assumed_by = [\"service:codebuild.amazonaws.com\"]";

#[test]
fn a_role_that_lists_nobody_is_reported_and_a_user_not() {
    for lines in ["", "assumed_by = []", "humans = true"] {
        let told = told(&role(lines));
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("p:1 [[deploy]]: `assumed_by` is missing"), "{told:?}");
        assert!(told[0].contains("`service:codebuild.amazonaws.com`"), "{told:?}");
    }
    assert!(told(&role(LISTED)).is_empty());
    assert!(told("[[deploy]]\nidentity = \"arn:aws:iam::*:user/ci\"").is_empty());
    assert!(told("[[workload]]\nidentity = \"arn:aws:iam::*:role/app\"").is_empty());
}

#[test]
fn session_tags_of_a_role_that_lists_nobody_are_reported() {
    let tags = "session_tags = { team = \"payments\" }";
    let said = told(&role(tags));
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[1].starts_with("p:1 [[deploy]]: `session_tags` without `assumed_by`"), "{said:?}");
    assert!(said[1].contains("list in `assumed_by` who assumes `arn:aws:iam::*:role/deploy`"), "{said:?}");
    assert_eq!(told(&role("session_tags = {}")).len(), 1, "none is asked for");
    let runner = "assumed_by = [\"arn:aws:iam::111122223333:role/ci\", \"saml:Build\", \"service:pods.eks.amazonaws.com\"]";
    assert!(told(&role(&format!("{runner}\n{tags}"))).is_empty());
}

#[test]
fn callers_that_pass_no_session_tags_are_reported() {
    let tags = "session_tags = { team = \"payments\" }";
    let github = "repo:acme@1/infra@2:ref:refs/heads/main";
    for (listed, shown) in [
        ("service:codebuild.amazonaws.com", "service:codebuild.amazonaws.com".to_owned()),
        (&*format!("oidc:{github}"), github.to_owned()),
    ] {
        let entry = role(&format!("assumed_by = [\"{listed}\"]"));
        assert!(told(&entry).is_empty());
        let said = told(&format!("{entry}{tags}"));
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains(&format!("`{shown}` of `assumed_by` passes no session tags")), "{said:?}");
    }
}

#[test]
fn a_permission_set_that_people_may_not_use_is_reported() {
    let sso = "arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/**/AWSReservedSSO_Deploy_*";
    for identity in ["permission-set/Deploy", sso] {
        let entry = format!("[[deploy]]\nidentity = \"{identity}\"\n");
        let said = told(&entry);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains("is a permission set") && said[0].contains("`humans = true`"), "{said:?}");
        assert!(told(&format!("{entry}humans = true")).is_empty());
    }
}

#[test]
fn a_subject_that_lets_in_more_is_reported_with_what_to_write() {
    for (subject, what, instead) in [
        (
            "repo:acme/infra:*",
            "jobs of every branch, tag and environment",
            "`repo:acme/infra:ref:refs/heads/main`",
        ),
        ("repo:acme@1/infra@2:*", "every branch, tag and", "`repo:acme@1/infra@2:environment:production`"),
        ("repo:acme/infra:**", "every branch, tag and environment", "`repo:acme/infra:ref:"),
        ("repo:acme/infra:ref:*", "every branch and tag", "`repo:acme/infra:ref:"),
        ("repo:acme/infra:ref:refs/heads/*", "every branch of", "`repo:acme/infra:ref:refs/heads/main`"),
        ("repo:acme/infra:environment:*", "every environment", "`repo:acme/infra:ref:"),
        ("repo:acme/infra*", "other repositories of the owner", "the repository out"),
        ("repo:acme/*:ref:refs/heads/main", "other repositories of the owner", "the repository out"),
        ("repo:acme@1/infra@2*:ref:refs/heads/main", "other repositories of the owner", "the repository out"),
        ("repo:acme*", "repositories of other owners", "the repository out"),
        ("repo:*/infra:ref:refs/heads/main", "repositories of other owners", "the repository out"),
        ("project_path:*", "other projects", "`project_path:GROUP/PROJECT:ref_type:branch:ref:main`"),
        ("project_path:acme/*:ref_type:branch:ref:main", "other projects", "the project out"),
        (
            "project_path:acme/infra:*",
            "every branch and tag",
            "`project_path:acme/infra:ref_type:branch:ref:main`",
        ),
        ("project_path:acme/infra:ref_type:branch:ref:*", "merge requests", "protect that branch"),
        ("organization:*", "other organizations", "run_phase:apply"),
        ("organization:acme:*", "other workspaces", "run_phase:apply"),
        (
            "organization:acme:project:infra:workspace:*:run_phase:apply",
            "other workspaces",
            "run_phase:apply",
        ),
        (
            "organization:acme:project:infra:workspace:prod:run_phase:*",
            "plans, which a pull",
            "`run_phase:apply`",
        ),
    ] {
        let told = origin(&format!("oidc:{subject}"));
        assert_eq!(told.len(), 1, "{subject}: {told:?}");
        let start = format!("p:1 [[deploy]]: `{subject}` of `assumed_by` lets in ");
        assert!(told[0].starts_with(&start) && told[0].contains(what), "{subject}: {told:?}");
        assert!(
            told[0].contains(&format!("; write {instead}")) || told[0].contains(instead),
            "{subject}: {told:?}"
        );
    }
    let pods = "oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0A1B:system:serviceaccount:atlantis";
    assert!(origin(&format!("{pods}:*"))[0].contains("lets in other service accounts"));
    for fine in [
        "oidc:repo:acme/infra:ref:refs/heads/main",
        "oidc:repo:acme/infra:ref:refs/heads/release/*",
        "oidc:repo:acme/infra:ref:refs/tags/v*",
        "oidc:project_path:acme/infra:ref_type:branch:ref:main",
        "oidc:organization:acme:project:infra:workspace:prod:run_phase:apply",
        &format!("{pods}:atlantis"),
    ] {
        assert_eq!(origin(fine), Vec::<String>::new(), "{fine}");
    }
}

#[test]
fn many_callers_of_another_account_are_reported() {
    let told = origin("arn:aws:iam::444455556666:role/ci-*");
    assert!(told[0].contains("`arn:aws:iam::444455556666:role/ci-*` of `assumed_by` names many"), "{told:?}");
    assert!(origin("arn:aws:iam::444455556666:role/ci-runner").is_empty());
    // Without an account it is the record's own, where the caller's name is compared.
    assert!(origin("arn:aws:iam::*:role/ci-*").is_empty());
    let own = role("assumed_by = [\"arn:aws:iam::111122223333:role/ci-*\"]").replace(":*:", ":111122223333:");
    assert!(super::tests::told(&own).is_empty());
}

#[test]
fn an_entry_that_an_earlier_one_covers_is_reported() {
    let entry = |list: &str, name: &str| {
        let more = if list == "deploy" { LISTED } else { "" };
        format!("[[{list}]]\nidentity = \"arn:aws:iam::*:{name}\"\n{more}\n")
    };
    let twice = |first: &str, second: &str| told(&format!("{first}{second}"));
    for (first, second) in [
        (entry("deploy", "role/x"), entry("deploy", "role/x")),
        (entry("deploy", "role/x-*"), entry("deploy", "role/x-1")),
        (entry("deploy", "role/ci/x"), entry("workload", "role/ci/x")),
        (entry("break_glass", "role/x"), entry("workload", "role/x")),
        (entry("break_glass", "role/x"), entry("break_glass", "role/x")),
    ] {
        let told = twice(&first, &second);
        assert_eq!(told.len(), 1, "{first}{second}: {told:?}");
        assert!(told[0].contains(": matches nothing, because p:1 [["), "{told:?}");
    }
    // Emergency identities come first, wherever they stand.
    let told = twice(&entry("deploy", "role/x"), &entry("break_glass", "role/x"));
    assert!(told[0].starts_with("p:1 [[deploy]]: matches nothing, because p:4 [[break_glass]]"), "{told:?}");
    for (first, second) in [
        (entry("deploy", "role/x"), entry("deploy", "role/y")),
        (entry("deploy", "role/x-1"), entry("deploy", "role/x-*")),
        (entry("deploy", "role/x*"), entry("deploy", "role/x/y")),
        (entry("deploy", "role/x"), entry("deploy", "user/x")),
    ] {
        assert!(twice(&first, &second).is_empty(), "{first}{second}");
    }
}

#[test]
fn an_exception_for_who_needs_none_is_reported() {
    let exception = |more: &str| {
        format!(
            "[[exception]]\nidentity = \"arn:aws:iam::*:role/deploy\"\nactions = [\"s3:PutObject\"]\nowner = \"o\"\n\
             reason = \"r\"\nuntil = 2099-01-01\n{more}\n"
        )
    };
    let deploy = role(LISTED);
    let glass = deploy.replace("deploy]]", "break_glass]]").replace(LISTED, "");
    assert!(told(&(deploy.clone() + &exception("")))[0].contains("p:1 [[deploy]] covers"));
    assert!(told(&(deploy + &exception("denials = true"))).is_empty());
    for more in ["", "denials = true"] {
        assert!(
            told(&(glass.clone() + &exception(more)))[0].contains("p:1 [[break_glass]] covers"),
            "{more}"
        );
    }
}

#[test]
fn a_change_that_another_item_has_is_reported() {
    let list = |items: &str| told(&role(&format!("{LISTED}\nmay_change = [{items}]")));
    for (items, one, by) in [
        (r#""permissions", "iam:AttachRolePolicy""#, "iam:AttachRolePolicy", "permissions"),
        (r#""ecs:UpdateService", "ordinary""#, "ecs:UpdateService", "ordinary"),
        (r#""s3:*", "s3:PutBucketPolicy""#, "s3:PutBucketPolicy", "s3:*"),
        (r#""s3:PutObject", "s3:PutObject""#, "s3:PutObject", "s3:PutObject"),
    ] {
        let told = list(items);
        assert_eq!(told.len(), 1, "{items}: {told:?}");
        let start = format!("p:1 [[deploy]]: `{one}` of `may_change` changes nothing, `{by}` has it already");
        assert!(told[0].starts_with(&start), "{told:?}");
    }
    assert!(list(r#""ordinary", "iam:AttachRolePolicy", "s3:*""#).is_empty());
}
