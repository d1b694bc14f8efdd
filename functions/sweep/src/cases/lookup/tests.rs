use super::*;

fn regions(identity: &str, called: &[&str], more: &[&str]) -> Vec<String> {
    let facts = Facts {
        identities: [identity.to_owned()].into(),
        regions: called.iter().map(|it| (*it).to_owned()).collect(),
        user_names: ["alice".to_owned()].into(),
        ..Facts::default()
    };
    let more: Vec<String> = more.iter().map(|it| (*it).to_owned()).collect();
    let regions: BTreeSet<String> =
        asks(&facts, &more, Time::from_timestamp(1_000)).into_iter().map(|ask| ask.region).collect();
    regions.into_iter().collect()
}

/// A Region of another partition is one that this account's credentials can't ask in.
#[test]
fn the_global_region_is_that_of_the_sessions_partition() {
    let role = |partition: &str| format!("arn:{partition}:iam::111122223333:role/break-glass");
    for (identity, called, asked) in [
        (role("aws"), "eu-central-1", ["eu-central-1", "us-east-1"].as_slice()),
        (role("aws-cn"), "cn-northwest-1", &["cn-north-1", "cn-northwest-1"]),
        (role("aws-us-gov"), "us-gov-east-1", &["us-gov-east-1", "us-gov-west-1"]),
        (role("aws-eusc"), "eusc-de-east-1", &["eusc-de-east-1"]),
        (role("aws-iso-b"), "us-isob-west-1", &["us-isob-east-1", "us-isob-west-1"]),
        ("root".to_owned(), "cn-northwest-1", &["cn-north-1", "cn-northwest-1"]),
        ("root of 111122223333".to_owned(), "us-gov-west-1", &["us-gov-west-1"]),
    ] {
        assert_eq!(regions(&identity, &[called], &[]), asked, "{identity}");
    }
    assert_eq!(regions("root", &[], &["eu-west-1"]), ["eu-west-1", "us-east-1"]);
}
