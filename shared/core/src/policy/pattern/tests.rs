use super::*;
use proptest::prelude::*;

const OWN: Option<&str> = Some("111122223333");

fn matches_arn(pattern: &str, arn: &str) -> bool {
    IdentityPattern::parse(pattern).unwrap().matches(arn, OWN)
}

#[test]
fn a_grants_role_may_be_an_identity_of_the_policy() {
    let may_mean = |pattern: &str, written: &str| IdentityPattern::parse(pattern).unwrap().may_mean(written);
    let sso =
        "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123456789abcdef";
    for (pattern, written) in [
        ("arn:aws:iam::*:role/ops/break-glass", "break-glass"),
        ("arn:aws:iam::*:role/ops/break-glass", "arn:aws:iam::111122223333:role/ops/break-glass"),
        ("arn:aws:iam::*:role/ops/break-glass", "arn:aws:iam::111122223333:role/break-glass"),
        ("arn:aws:iam::*:user/emergency/*", "eg-anna"),
        ("arn:aws:iam::*:role/eg-*", "eg-vault"),
        ("permission-set/Admin", "permission-set/Admin"),
        ("permission-set/Admin", "Admin"),
        ("permission-set/Admin", sso),
        ("arn:aws:iam::*:role/aws-reserved/**/AWSReservedSSO_Admin_*", "permission-set/Admin"),
    ] {
        assert!(may_mean(pattern, written), "{pattern} {written}");
    }
    for (pattern, written) in [
        ("arn:aws:iam::*:role/ops/break-glass", "breakglass"),
        ("arn:aws:iam::*:role/ops/break-glass", "permission-set/break-glass"),
        ("arn:aws:iam::111122223333:role/x", "arn:aws:iam::444455556666:role/x"),
        ("arn:aws:iam::*:role/eg-*", "ops"),
        ("permission-set/Admin", "permission-set/Administrator"),
        ("permission-set/Admin", "arn:aws:iam::111122223333:role/Admin"),
    ] {
        assert!(!may_mean(pattern, written), "{pattern} {written}");
    }
}

#[test]
fn a_star_stays_within_its_field() {
    let deploy = "arn:aws:iam::*:role/deploy-*";
    assert!(matches_arn(deploy, "arn:aws:iam::111122223333:role/deploy-eu"));
    assert!(!matches_arn(deploy, "arn:aws:iam::111122223333:user/x:role/deploy-eu"));
    assert!(!matches_arn(deploy, "arn:aws:iam::111122223333:role/x/deploy-eu"));
    assert!(!matches_arn(deploy, "arn:aws:sts::111122223333:role/deploy-eu"));
}

#[test]
fn a_star_for_the_account_is_the_account_of_the_record() {
    let deploy = "arn:aws:iam::*:role/deploy";
    assert!(matches_arn(deploy, "arn:aws:iam::111122223333:role/deploy"));
    assert!(
        !matches_arn(deploy, "arn:aws:iam::999999999999:role/deploy"),
        "somebody else's role of the same name"
    );
    assert!(matches_arn("arn:aws:iam::999999999999:role/deploy", "arn:aws:iam::999999999999:role/deploy"));
    let pattern = IdentityPattern::parse(deploy).unwrap();
    assert!(
        pattern.matches("arn:aws:iam::999999999999:role/deploy", None),
        "a record that doesn't say its account"
    );
}

#[test]
fn the_partition_aws_is_the_records_own() {
    for partition in ["aws", "aws-cn", "aws-us-gov", "aws-eusc", "aws-iso-b"] {
        let arn = format!("arn:{partition}:iam::111122223333:role/deploy");
        assert!(matches_arn("arn:aws:iam::*:role/deploy", &arn), "{arn}");
        assert!(matches_arn("arn:aws:iam::111122223333:role/deploy", &arn), "{arn}");
        assert!(!matches_arn("arn:aws:iam::999999999999:role/deploy", &arn), "{arn}");
        assert_eq!(matches_arn("arn:aws-cn:iam::*:role/deploy", &arn), partition == "aws-cn", "{arn}");
    }
    // Nothing else that begins so is a partition.
    assert!(!matches_arn("arn:aws:iam::*:role/deploy", "arn:awsx:iam::111122223333:role/deploy"));
    assert!(!matches_arn("arn:aws:iam::*:role/deploy", "arn::iam::111122223333:role/deploy"));
    let china =
        "arn:aws-cn:iam::111122223333:role/aws-reserved/sso.amazonaws.com.cn/AWSReservedSSO_Emergency_0123";
    assert!(matches_arn("permission-set/Emergency", china));
    assert!(!matches_arn(
        "permission-set/Emergency",
        &china.replace("sso.amazonaws.com.cn", "sso.example.com")
    ));
    let error = IdentityPattern::parse("arn:aws.cn:iam::*:role/deploy").unwrap_err();
    assert!(error == PatternError::NoPartition, "{error}");
}

#[test]
fn a_resource_is_the_same_in_every_partition() {
    let table = Glob::new("arn:aws:dynamodb:*:*:table/handsoff");
    assert!(table.matches_resource("arn:aws-cn:dynamodb:cn-north-1:111122223333:table/handsoff"));
    assert!(table.matches_resource("arn:aws:dynamodb:eu-west-1:111122223333:table/handsoff"));
    assert!(!table.matches_resource("arn:aws-cn:dynamodb:cn-north-1:111122223333:table/other"));
    assert!(!table.matches_resource("handsoff"));
    let china = Glob::new("arn:aws-cn:s3:::logs");
    assert!(china.matches_resource("arn:aws-cn:s3:::logs") && !china.matches_resource("arn:aws:s3:::logs"));
    assert!(Glob::new("*handsoff*").matches_resource("arn:aws-cn:sns:cn-north-1:1:handsoff"));
}

#[test]
fn two_stars_cross_slashes_and_one_does_not() {
    assert!(matches_arn("arn:aws:iam::*:role/**deploy", "arn:aws:iam::111122223333:role/ci/eu/deploy"));
    assert!(matches_arn("arn:aws:iam::*:role/**/deploy", "arn:aws:iam::111122223333:role/ci/eu/deploy"));
    assert!(matches_arn("arn:aws:iam::*:role/ci/**", "arn:aws:iam::111122223333:role/ci/eu/deploy"));
    assert!(!matches_arn("arn:aws:iam::*:role/ci/*", "arn:aws:iam::111122223333:role/ci/eu/deploy"));
}

#[test]
fn a_session_that_lost_its_roles_path_is_matched_by_name() {
    let pathless =
        |pattern: &str, arn: &str| IdentityPattern::parse(pattern).unwrap().matches_pathless(arn, OWN);
    assert!(pathless("arn:aws:iam::*:role/ci/deploy", "arn:aws:iam::111122223333:role/deploy"));
    assert!(!pathless("arn:aws:iam::*:role/ci/deploy", "arn:aws:iam::111122223333:role/other/deploy"));
    assert!(!pathless("arn:aws:iam::*:role/ci/deploy", "arn:aws:iam::111122223333:user/deploy"));
    assert!(
        !pathless("arn:aws:iam::*:role/ci/*", "arn:aws:iam::111122223333:role/deploy"),
        "any role has some name"
    );
    assert!(!pathless("arn:aws:iam::*:role/ci/deploy-*", "arn:aws:iam::111122223333:role/deploy-x"));
    assert!(!pathless("arn:aws:iam::*:role/ci/**", "arn:aws:iam::111122223333:role/deploy"));
    // Where the path is known, a role of the same name on another path is another role.
    assert!(!matches_arn("arn:aws:iam::*:role/ci/deploy", "arn:aws:iam::111122223333:role/deploy"));
}

#[test]
fn a_permission_set_is_matched_whatever_its_suffix_and_region() {
    let pattern = "permission-set/Emergency*";
    for role in ["AWSReservedSSO_EmergencyAdmin_0123456789abcdef", "AWSReservedSSO_Emergency_fedcba"] {
        let path = "aws-reserved/sso.amazonaws.com/eu-central-1/";
        assert!(matches_arn(pattern, &format!("arn:aws:iam::111122223333:role/{path}{role}")));
        assert!(matches_arn(pattern, &format!("arn:aws:iam::111122223333:role/{role}")));
    }
    assert!(!matches_arn(pattern, "arn:aws:iam::111122223333:role/Emergency_x"));
    assert!(!matches_arn(pattern, "arn:aws:iam::111122223333:user/AWSReservedSSO_Emergency_x"));
}

#[test]
fn what_would_match_by_surprise_is_refused() {
    for pattern in [
        "*",
        "arn:aws:iam::*",
        "arn:*",
        "arn:aws:iam::1111*:role/deploy",
        "arn:aws:iam::**:role/deploy",
        "arn:aws:iam::*:*",
        "arn:aws:iam::*:role/*",
        "arn:aws:iam::*:role/**",
        "arn:aws:iam::*:root",
        "arn:aws:sts::*:assumed-role/deploy/*",
        "arn:aws:ec2:eu-west-1:*:role/deploy",
        "arn:aws:iam::*:group/admins",
        "permission-set/*",
        "permission-set/",
        "deploy",
        "",
    ] {
        assert!(IdentityPattern::parse(pattern).is_err(), "{pattern}");
    }
}

#[test]
fn a_bare_name_is_for_the_command_line() {
    let pattern = IdentityPattern::parse_argument("terraform").unwrap();
    assert!(pattern.matches("arn:aws:iam::999999999999:role/ci/terraform", OWN));
    assert!(pattern.matches("arn:aws:iam::111122223333:user/terraform", OWN));
    assert!(!pattern.matches("arn:aws:iam::111122223333:role/terraform-x", OWN));
    assert!(IdentityPattern::parse_argument("*").is_err());
    assert!(IdentityPattern::parse_argument("arn:aws:iam::1*:role/x").is_err());
}

#[test]
fn actions_are_matched_as_iam_does() {
    let action =
        |service: &'static str, name: &'static str| handsoff_cloudtrail::Action::named(service, name);
    let puts = ActionPattern::parse("s3:Put*").unwrap();
    assert!(puts.matches(&action("s3", "PutObject")) && puts.matches(&action("s3", "putObject")));
    assert!(!puts.matches(&action("s3", "GetObject")) && !puts.matches(&action("s3control", "PutObject")));
    for bad in ["*", "*:*", "s3", "s3:", ":Put*", "s*:Put"] {
        assert!(ActionPattern::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn many_stars_are_not_slow() {
    let pattern = Glob::new(&"*a".repeat(50));
    assert!(!pattern.matches(&format!("{}b", "a".repeat(5_000))));
}

#[test]
fn a_paths_pattern_costs_no_more_than_its_length_times_the_texts() {
    let pattern = IdentityPattern::parse("arn:aws:iam::*:role/**a**a**a*b*c").unwrap();
    let began = std::time::Instant::now();
    assert!(!pattern.matches(&format!("arn:aws:iam::111122223333:role/{}", "a".repeat(2_000)), OWN));
    assert!(began.elapsed().as_secs() < 2, "{:?}", began.elapsed());
}

#[test]
fn a_pattern_that_would_cost_much_is_refused() {
    let three = "arn:aws:iam::*:role/**a**b**c";
    assert!(IdentityPattern::parse(three).is_ok());
    let error = IdentityPattern::parse(&format!("{three}**")).unwrap_err();
    assert!(error == PatternError::TooManyStars, "{error}");
    let error = IdentityPattern::parse(&format!("{three}{}", "x".repeat(2_048))).unwrap_err();
    assert!(error == PatternError::TooLong, "{error}");
}

proptest! {
    #[test]
    fn a_paths_pattern_is_what_a_regular_expression_would_be(
        pattern in "(a|b|/|\\*|\\*\\*){0,7}", text in "[ab/]{0,9}"
    ) {
        fn slow(pattern: &[u8], text: &[u8]) -> bool {
            if let Some(rest) = pattern.strip_prefix(b"**") {
                return (0..=text.len()).any(|taken| slow(rest, &text[taken..]));
            }
            match (pattern.split_first(), text.split_first()) {
                (None, None) => true,
                (Some((b'*', rest)), _) => (0..=text.len())
                    .take_while(|taken| !text[..*taken].contains(&b'/'))
                    .any(|taken| slow(rest, &text[taken..])),
                (Some((p, rest)), Some((t, behind))) => p == t && slow(rest, behind),
                _ => false,
            }
        }
        prop_assert_eq!(matches_path(&pattern, &text), slow(pattern.as_bytes(), text.as_bytes()));
    }

    #[test]
    fn a_glob_is_what_a_regular_expression_would_be(pattern in "[ab*]{0,8}", text in "[ab]{0,10}") {
        fn slow(pattern: &[u8], text: &[u8]) -> bool {
            match (pattern.split_first(), text.split_first()) {
                (None, None) => true,
                (Some((b'*', rest)), _) => (0..=text.len()).any(|taken| slow(rest, &text[taken..])),
                (Some((p, rest)), Some((t, behind))) => p == t && slow(rest, behind),
                _ => false,
            }
        }
        prop_assert_eq!(Glob::new(&pattern).matches(&text), slow(pattern.as_bytes(), text.as_bytes()));
    }
}
