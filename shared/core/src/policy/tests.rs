use super::*;

fn problems(text: &str) -> String {
    let problems = Policy::parse("handsoff.toml", text).expect_err("a bad policy");
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_built_in_policy_parses_and_names_nobody() {
    let policy = Policy::parse("default", DEFAULT).unwrap();
    assert!(policy.deploy.is_empty() && policy.break_glass.is_empty() && policy.exceptions.is_empty());
    assert_eq!(
        (policy.denials.window.num_seconds(), policy.denials.count, policy.denials.actions),
        (300, 20, 6)
    );
    assert_eq!(policy.denials.codes.len(), 14);
    assert!(policy.protects("handsoff-drift"));
}

/// Every commented example of the built-in policy, without its comment sign, is a valid entry.
/// The built-in policy with its examples, which are comments.
pub(super) fn examples() -> String {
    let mut text = String::new();
    let mut example = false;
    for line in DEFAULT.lines() {
        let bare = line.strip_prefix("# ").unwrap_or(line.trim_start_matches('#'));
        example = bare.starts_with("[[") || (example && !bare.is_empty());
        text.push_str(if example { bare } else { line });
        text.push('\n');
    }
    text
}

#[test]
fn the_examples_in_the_built_in_policy_are_valid() {
    let policy = Policy::parse("example", &examples()).unwrap();
    assert_eq!(
        (policy.deploy.len(), policy.break_glass.len(), policy.workloads.len(), policy.exceptions.len()),
        (1, 1, 1, 2)
    );
    assert_eq!(policy.deploy[0].assumed_by.len(), 3);
}

#[test]
fn what_a_policy_leaves_out_is_as_in_the_built_in_one() {
    let policy = Policy::parse("p", "[denials]\ncount = 3").unwrap();
    assert_eq!(
        (policy.denials.count, policy.denials.window.num_seconds(), policy.denials.codes.len()),
        (3, 300, 14)
    );
}

#[test]
fn a_line_says_where_an_entry_stands() {
    let policy =
        Policy::parse("handsoff.toml", "\n\n[[deploy]]\nidentity = \"arn:aws:iam::*:role/x\"").unwrap();
    assert_eq!(policy.deploy[0].line.to_string(), "handsoff.toml:3 [[deploy]]");
}

#[test]
fn every_mistake_is_reported_at_once_with_its_place() {
    insta::assert_snapshot!(problems(
        r#"
deploy_roles = ["x"]
[[deploy]]
identity = "arn:aws:iam::11*:role/deploy"
assumed_by = ["ci", 7]
networks = ["192.0.2.0/33"]
[[deploy]]
[[break_glass]]
identity = "arn:aws:iam::*:root"
max_session = "1 fortnight"
[[workload]]
identity = 5
may_write = ["*"]
[[exception]]
identity = "permission-set/Ü"
actions = ["s3:*"]
reason = " "
until = "2027-01-31"
[denials]
count = 0
window = 5
colour = "red"
[alerts]
min_severity = "urgent"
"#
    ));
}

#[test]
fn what_is_almost_right_is_suggested() {
    for (text, meant) in [
        ("[denials]\nwindw = \"5m\"", Some("window")),
        ("[[break-glass]]\nidentity = \"permission-set/X\"", Some("break_glass")),
        ("[alerts]\nmin_severity = \"hihg\"", Some("high")),
        ("[digest]\nweekdays = [\"Mon\"]", Some("mon")),
        ("[denials]\ncolour = \"red\"", None),
        ("[alerts]\nmin_severity = \"urgent\"", None),
    ] {
        let errors = Policy::parse("p", text).unwrap_err();
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert_eq!(errors[0].suggestion.as_deref(), meant, "{text}");
        let told = errors[0].to_string();
        assert_eq!(told.ends_with(&format!("; did you mean `{}`?", meant.unwrap_or("-"))), meant.is_some());
        assert!(!told.contains('\n'), "{told}");
    }
}

#[test]
fn a_mistake_spans_what_is_wrong() {
    for (text, wrong) in [
        ("[denials]\nwindw = \"5m\"", "windw"),
        ("[denials]\nwindow = \"5 parsecs\" # ä", "\"5 parsecs\""),
        ("[[deploy]]\nidentity = \"arn:aws:iam::*:role/x\"\nnetworks = [\"192.0.2.0/24\", 5]", "5"),
        ("\n[[deploy]]\n", "[[deploy]]"),
    ] {
        let errors = Policy::parse("p", text).unwrap_err();
        assert_eq!(text.get(errors[0].span.clone()), Some(wrong), "{errors:?}");
    }
}

#[test]
fn accounts_have_names() {
    let policy = Policy::parse("p", "[accounts]\n\"111122223333\" = \"prod-payments\"\n").unwrap();
    assert_eq!(policy.alerts.account_name("111122223333"), Some("prod-payments"));
    assert_eq!(policy.alerts.account_name("444455556666"), None);
    let wrong = format!(
        "[accounts]\nprod = \"1\"\n111122223333 = 5\n444455556666 = \"\u{e4}\"\n555566667777 = \"{}\"\n",
        "x".repeat(25)
    );
    insta::assert_snapshot!(problems(&wrong), @r"
    handsoff.toml:2:1: `prod` of [accounts] is no account: its ID has twelve digits, in quotes
    handsoff.toml:3:16: `111122223333` should be a name in quotes, and is of type integer
    handsoff.toml:4:16: the name of `444455556666` is in the subjects of mails: write 1 to 24 printable ASCII characters, no space first or last
    handsoff.toml:5:16: the name of `555566667777` is in the subjects of mails: write 1 to 24 printable ASCII characters, no space first or last
    ");
}

#[test]
fn broken_toml_is_reported_with_its_place() {
    insta::assert_snapshot!(problems("[denials]\ncount = \n[alerts\nquiet = \"1h\"\n"), @r"
    handsoff.toml:2:9: string values must be quoted, expected literal string
    handsoff.toml:3:8: unclosed table, expected `]`
    handsoff.toml:4:1: unknown key `quiet` in the policy: it has deploy, break_glass, workload, exception, denials, alerts, digest, accounts, cases, pipeline, images, proof, agents, protected
    ");
    insta::assert_snapshot!(problems("[[alerts]]\nquiet = \"1h\"\n[deploy]\n"), @r"
    handsoff.toml:1:1: `alerts` should be a table: [alerts], and is of type array
    handsoff.toml:3:1: `deploy` should be a list of tables: [[deploy]], and is of type table
    ");
}

#[test]
fn a_broken_regular_expression_is_reported_in_plain_words() {
    for (ticket, why) in [
        ("INC-[0-9", "a `[` has no `]` behind it"),
        ("INC-[", "a `[` has no `]` behind it"),
        ("(INC|CHG-[0-9]+", "a `(` has no `)` behind it"),
        ("INC)-[0-9]+", "a `)` has no `(` before it"),
        // What only the brackets around it would make whole.
        ("INC-1)|(CHG-1", "a `)` has no `(` before it"),
        ("*-[0-9]+", "a `*`, `+`, `?` or `{…}` has nothing before it to repeat"),
        ("INC-[9-0]", "a range within `[…]` goes backwards"),
        ("INC-[0-9]{5,2}", "the first number of a `{…}` is above the second"),
        ("INC-[0-9]{x}", "a `{…}` is no count"),
        ("(?=INC)", "it looks ahead or behind"),
        ("INC-[0-9]+\\\\", "a `\\` stands before something"),
    ] {
        let text = format!("[[break_glass]]\nidentity = \"arn:aws:iam::*:role/x\"\nticket = \"{ticket}\"");
        let told = problems(&text);
        assert!(told.starts_with("handsoff.toml:3:10: `"), "{told}");
        assert!(told.contains(&format!("not a regular expression: {why}")), "{ticket}: {told}");
        assert!(told.contains("write one such as `INC-[0-9]+`"), "{ticket}: {told}");
    }
}

#[test]
fn a_backslash_in_double_quotes_is_reported_as_that() {
    let entry =
        |ticket: &str| format!("[[break_glass]]\nidentity = \"arn:aws:iam::*:role/x\"\nticket = {ticket}");
    let told = problems(&entry("\"INC-\\d+\""));
    assert!(
        told.contains("3:16: a `\\` within double quotes: write it twice, or the text in single quotes"),
        "{told}"
    );
    assert!(Policy::parse("p", &entry("'INC-\\d+'")).is_ok());
}

#[test]
fn an_exception_ends_with_its_last_day() {
    let policy = Policy::parse(
        "p",
        r#"[[exception]]
identity = "arn:aws:iam::*:role/x"
actions = ["s3:Put*"]
resources = ["logs-*"]
owner = "o"
reason = "r"
until = 2026-03-01"#,
    )
    .unwrap();
    let exception = &policy.exceptions[0];
    let holds = |time: &str| exception.holds(Time::parse(time));
    assert!(holds("2026-03-01T23:59:59Z"));
    assert!(!holds("2026-03-02T00:00:00Z"));
    assert!(!exception.holds(None), "without a time there is no before");
    let means = |resources: &[&str]| {
        exception.tolerates_resources(|| resources.iter().map(ToString::to_string).collect())
    };
    assert!(means(&["logs-a"]));
    assert!(!means(&["logs-a", "other"]), "all resources have to match");
    assert!(!means(&[]), "an unknown resource matches nothing");
}

#[test]
fn only_an_exception_for_denials_may_leave_the_actions_out_and_only_for_an_identity_written_out() {
    let entry = |identity: &str, more: &str| {
        let rest = "owner = \"o\"\nreason = \"r\"\nuntil = 2026-03-01";
        format!("[[exception]]\nidentity = \"{identity}\"\n{rest}\n{more}")
    };
    let scanner = "arn:aws:iam::*:role/scanner";
    let policy = Policy::parse("p", &entry(scanner, "denials = true")).unwrap();
    assert!(policy.exceptions[0].denials && policy.exceptions[0].actions.is_empty());
    assert!(problems(&entry(scanner, "")).contains("[[exception]] needs `actions`"));
    assert!(problems(&entry(scanner, "denials = false")).contains("[[exception]] needs `actions`"));
    assert!(problems(&entry(scanner, "denials = true\nactions = []")).contains("`actions` is empty"));
    assert!(problems(&entry(scanner, "denials = \"yes\"")).contains("`denials` should be true or false"));
    for wide in ["arn:aws:iam::*:role/scan*", "arn:aws:iam::*:role/scan/**", "permission-set/Scan*"] {
        let told = problems(&entry(wide, "denials = true"));
        assert!(told.contains("write the identity's name out, or name `actions`"), "{wide}: {told}");
        let named = entry(wide, "denials = true\nactions = [\"s3:Get*\"]");
        assert!(Policy::parse("p", &named).is_ok(), "{wide}");
    }
    let endless = entry(scanner, "denials = true").replace("until = 2026-03-01", "");
    assert!(problems(&endless).contains("needs `until`"));
}

#[test]
fn a_vpc_endpoint_is_its_id_or_its_account() {
    let entry = |endpoint: &str| {
        format!("[[deploy]]\nidentity = \"arn:aws:iam::*:role/x\"\nvpc_endpoints = [\"{endpoint}\"]")
    };
    for endpoint in ["vpce-0123456789abcdef0", "111122223333"] {
        assert_eq!(Policy::parse("p", &entry(endpoint)).unwrap().deploy[0].vpc_endpoints, [endpoint]);
    }
    for endpoint in ["vpce-*", "vpc-1", "1111", ""] {
        let told = problems(&entry(endpoint));
        assert!(told.contains("write the endpoint's ID, `vpce-…`, or its account's"), "{endpoint}: {told}");
    }
}

#[test]
fn session_tags_are_a_table_of_values() {
    let entry =
        |tags: &str| format!("[[deploy]]\nidentity = \"arn:aws:iam::*:role/x\"\nsession_tags = {tags}");
    for tags in ["{}", "{ team = \"payments\" }", "{ team = [\"a\", \"b*\"], \"aws:x y\" = \"\" }"] {
        let policy = Policy::parse("p", &entry(tags)).unwrap();
        assert_eq!(policy.deploy[0].session_tags.is_empty(), tags == "{}", "{tags}");
    }
    for tags in [
        "{ team = [] }",
        "{ team = 7 }",
        "{ team = [\"a\", 7] }",
        "{ team = { a = \"b\" } }",
        "{ \"\" = \"a\" }",
    ] {
        let told = problems(&entry(tags));
        assert!(told.contains("should be the value of a session tag, or a list of such"), "{tags}: {told}");
    }
    for tags in ["[\"team=payments\"]", "\"team\""] {
        let told = problems(&entry(tags));
        assert!(told.contains("`session_tags` should be a table, such as { team = "), "{tags}: {told}");
    }
    let told = problems(&entry("{ team = \"a\", Team = \"b\" }"));
    assert!(told.contains("`session_tags` is there twice: keys of tags aren't case sensitive"), "{told}");
}

#[test]
fn approvers_are_people_written_out() {
    let parse = |list: &str| Policy::parse("p", &format!("[cases]\napprovers = {list}"));
    assert_eq!(
        parse(r#"["Carol", "dave@example.com"]"#).unwrap().cases.approvers,
        ["Carol", "dave@example.com"]
    );
    // An empty list, and none, are everybody; so a name that is nobody's must not pass for one.
    assert!(parse("[]").unwrap().cases.approvers.is_empty());
    for wrong in ["[\" \"]", "[\"*\"]", "[\"carol*\"]", "[\"c\\u200barol\"]", "[7]", "\"carol\""] {
        assert_eq!(parse(wrong).unwrap_err().len(), 1, "{wrong}");
    }
}
