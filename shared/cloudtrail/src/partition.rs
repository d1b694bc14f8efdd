//! Partitions: AWS's separate clouds, each with its own accounts, Regions and names.
//!
//! An account is of one partition, and so is everything in a record that was written for it. What differs from
//! partition to partition stands here, as in `partitions.json` and `endpoints.json` of AWS's SDKs.

/// The partition that most accounts are in.
const COMMERCIAL: Partition =
    Partition { id: "aws", regions: "", global: "us-east-1", console: Some("console.aws.amazon.com") };

/// The others.
const PARTITIONS: [Partition; 7] = [
    Partition { id: "aws-cn", regions: "cn-", global: "cn-north-1", console: Some("console.amazonaws.cn") },
    Partition {
        id: "aws-us-gov",
        regions: "us-gov-",
        global: "us-gov-west-1",
        console: Some("console.amazonaws-us-gov.com"),
    },
    Partition {
        id: "aws-eusc",
        regions: "eusc-",
        global: "eusc-de-east-1",
        console: Some("console.amazonaws-eusc.eu"),
    },
    Partition { id: "aws-iso", regions: "us-iso-", global: "us-iso-east-1", console: None },
    Partition { id: "aws-iso-b", regions: "us-isob-", global: "us-isob-east-1", console: None },
    Partition { id: "aws-iso-e", regions: "eu-isoe-", global: "eu-isoe-west-1", console: None },
    Partition { id: "aws-iso-f", regions: "us-isof-", global: "us-isof-south-1", console: None },
];

/// What stands behind a service's name in event sources and service principals. Each partition has its own for
/// endpoints; which services use it in records differs, so all are known everywhere. None can be chosen by a caller.
const SUFFIXES: [&str; 7] = [
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".amazonaws.eu",
    ".c2s.ic.gov",
    ".sc2s.sgov.gov",
    ".cloud.adc-e.uk",
    ".csp.hci.ic.gov",
];

/// A partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    /// As it stands in ARNs.
    pub id: &'static str,
    /// How the names of its Regions begin.
    regions: &'static str,
    /// The Region in which `IAM`, `STS` and the console's sign-in are recorded, whatever Region one works in.
    pub global: &'static str,
    /// The console's domain, behind a Region's name. `None`: no public documentation tells it.
    pub console: Option<&'static str>,
}

impl Partition {
    /// The partition of an ARN's second field, if it is a known one.
    pub fn of_id(id: &str) -> Option<Self> {
        [COMMERCIAL].into_iter().chain(PARTITIONS).find(|partition| partition.id == id)
    }

    /// The partition of a Region.
    pub fn of_region(region: &str) -> Self {
        let other = PARTITIONS.into_iter().find(|partition| region.starts_with(partition.regions));
        other.unwrap_or(COMMERCIAL)
    }
}

/// Whether a text has the form of a Region's name, such as `us-gov-west-1`: in a saved file anything may stand there.
pub fn is_region(text: &str) -> bool {
    let letters = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    let Some((name, number)) = text.rsplit_once('-') else { return false };
    let numbered = matches!(number.len(), 1 | 2) && number.bytes().all(|byte| byte.is_ascii_digit());
    text.len() <= 32 && numbered && name.contains('-') && name.split('-').all(letters)
}

/// The name of a service without its suffix: `ec2` of `ec2.amazonaws.com.cn`. `None`: it is no service's.
pub fn service_name(host: &str) -> Option<&str> {
    SUFFIXES.iter().find_map(|suffix| host.strip_suffix(suffix))
}

/// Whether two names are those of one service, whatever partition each is written for.
pub fn is_same_service(one: &str, other: &str) -> bool {
    one == other || service_name(one).is_some_and(|name| service_name(other) == Some(name))
}

/// Whether it is the console's sign-in, as an event source or as who passed a call on.
pub fn is_sign_in(host: &str) -> bool {
    service_name(host) == Some("signin")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_and_an_arn_tell_the_partition_and_its_global_region() {
        for (region, id, global) in [
            ("eu-central-1", "aws", "us-east-1"),
            ("us-east-1", "aws", "us-east-1"),
            ("cn-northwest-1", "aws-cn", "cn-north-1"),
            ("us-gov-east-1", "aws-us-gov", "us-gov-west-1"),
            ("eusc-de-east-1", "aws-eusc", "eusc-de-east-1"),
            ("us-iso-west-1", "aws-iso", "us-iso-east-1"),
            ("us-isob-west-1", "aws-iso-b", "us-isob-east-1"),
            ("eu-isoe-west-1", "aws-iso-e", "eu-isoe-west-1"),
            ("us-isof-east-1", "aws-iso-f", "us-isof-south-1"),
            ("", "aws", "us-east-1"),
        ] {
            let partition = Partition::of_region(region);
            assert_eq!((partition.id, partition.global), (id, global), "{region}");
            assert_eq!(Partition::of_id(id), Some(partition));
        }
        assert_eq!(Partition::of_id("aws-nowhere"), None);
    }

    #[test]
    fn only_what_has_a_regions_form_is_one() {
        for region in ["eu-central-1", "us-gov-east-1", "eusc-de-east-1", "ap-southeast-12"] {
            assert!(is_region(region), "{region}");
        }
        for other in [
            "",
            "eu-1",
            "global",
            "eu-central",
            "eu-central-x",
            "EU-central-1",
            "eu--central-1",
            "eu-central-123",
        ] {
            assert!(!is_region(other), "{other}");
        }
        for other in [
            "evil.example/eu-central-1",
            "eu-central-1.evil.example",
            "eu-central-1#",
            "eu-c entral-1",
            "-a-1",
        ] {
            assert!(!is_region(other), "{other}");
        }
    }

    #[test]
    fn a_service_is_the_same_in_every_partition() {
        assert!(is_sign_in("signin.amazonaws.com") && is_sign_in("signin.amazonaws.com.cn"));
        assert!(is_sign_in("signin.amazonaws.eu"));
        assert!(
            !is_sign_in("signin.example.com")
                && !is_sign_in("x.signin.amazonaws.com")
                && !is_sign_in("signin")
        );
        assert!(is_same_service("codebuild.amazonaws.com", "codebuild.amazonaws.com.cn"));
        assert!(!is_same_service("codebuild.amazonaws.com", "ec2.amazonaws.com.cn"));
        assert!(!is_same_service("codebuild.amazonaws.com", "codebuild.example.com"));
        assert!(is_same_service("AWS Internal", "AWS Internal"));
    }
}
