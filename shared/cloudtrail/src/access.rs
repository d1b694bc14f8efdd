//! What an API operation does to an account: its access level in the AWS service authorization reference.
//!
//! `CloudTrail`'s `readOnly` follows neither the verb nor the effect (`AssumeRole` and `Decrypt` are read-only
//! to it, `CheckMfa` isn't) and is missing in old records, so the level comes from a table of our own. See
//! `tools/access-levels.py` for where the table comes from and for operations that IAM knows by another name.

use crate::partition;
use crate::table::Table;

/// How the AWS service authorization reference classifies an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::Display, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum AccessLevel {
    /// Reads the contents or attributes of a resource.
    Read,
    /// Lists resources without their contents.
    List,
    /// Creates, changes or deletes a resource, or uses it to an effect.
    Write,
    /// Grants or changes permissions.
    PermissionsManagement,
    /// Changes tags only.
    Tagging,
}

impl AccessLevel {
    /// The level in lower case, words joined by a hyphen.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether the action changes something.
    pub fn is_write(self) -> bool {
        matches!(self, Self::Write | Self::PermissionsManagement | Self::Tagging)
    }

    /// The level of a letter in the table.
    fn from_letter(letter: u8) -> Option<Self> {
        match letter {
            b'R' => Some(Self::Read),
            b'L' => Some(Self::List),
            b'W' => Some(Self::Write),
            b'P' => Some(Self::PermissionsManagement),
            b'T' => Some(Self::Tagging),
            _ => None,
        }
    }
}

/// The IAM service prefix of a `CloudTrail` event source: `monitoring.amazonaws.com` is `cloudwatch`, in every
/// partition.
///
/// Most are the source's first label, which is also the answer for a source nobody knows.
pub fn service_of(event_source: &str) -> &str {
    let host = partition::service_name(event_source).unwrap_or(event_source);
    let label = host.split_once('.').map_or(host, |(label, _)| label);
    match prefix_of(host) {
        Some(prefix) => prefix,
        None if label.len() < host.len() => prefix_of(label).unwrap_or(label),
        None => label,
    }
}

/// Looks a host or a label up among the sources that differ from their prefix.
fn prefix_of(source: &str) -> Option<&'static str> {
    // CloudTrail writes lower case; comparing such is half the work.
    let found = if source.bytes().any(|byte| byte.is_ascii_uppercase()) {
        SOURCES.binary_search_by(|(known, _)| {
            known.bytes().cmp(source.bytes().map(|byte| byte.to_ascii_lowercase()))
        })
    } else {
        SOURCES.binary_search_by(|(known, _)| (*known).cmp(source))
    };
    found.ok().and_then(|at| SOURCES.get(at)).map(|&(_, prefix)| prefix)
}

/// Event sources, without `.amazonaws.com`, whose IAM service prefix isn't their first label. Sorted.
///
/// Seen in records or in AWS documentation (the table of CloudTrail event sources in the EventBridge events
/// reference, the services' pages on logging with CloudTrail), except where a comment says otherwise.
const SOURCES: &[(&str, &str)] = &[
    ("agreement-marketplace", "aws-marketplace"),
    ("amazonmq", "mq"),
    ("amazonq", "q"),
    ("application-insights", "applicationinsights"),
    ("billingconsole", "billing"),
    ("chime-sdk-media-pipelines", "chime"),
    ("chime-sdk-voice", "chime"),
    ("cloudcontrolapi", "cloudformation"),
    ("data.iot", "iot"), // name of the endpoint
    ("deployment-marketplace", "aws-marketplace"),
    ("discovery-marketplace", "aws-marketplace"),
    ("email", "ses"),                               // name of the endpoint
    ("entitlement-marketplace", "aws-marketplace"), // by analogy
    ("eventsv2", "events"),
    ("fabric", "appfabric"),
    ("iotdata", "iot"),
    ("ioteventsdata", "iotevents"),
    ("iotsecuredtunneling", "iot"),
    ("macie", "macie2"),
    ("marketplacecatalog", "aws-marketplace"),
    ("metering-marketplace", "aws-marketplace"),
    ("migrationhub", "mgh"),
    ("migrationhub-config", "mgh"), // name of the endpoint
    ("models-v2-lex", "lex"),       // name of the endpoint
    ("models.lex", "lex"),          // name of the endpoint
    ("monitoring", "cloudwatch"),
    ("mturk-requester", "mechanicalturk"),
    ("partnercentral-account", "partnercentral"),
    ("partnercentral-benefits", "partnercentral"),
    ("partnercentral-channel", "partnercentral"),
    ("partnercentral-prm", "partnercentral"),
    ("partnercentral-selling", "partnercentral"),
    ("pinpoint", "mobiletargeting"),
    ("portal.sso", "sso"), // name of the endpoint
    ("qconnect", "wisdom"),
    ("rdsdata", "rds-data"),
    ("reporting-marketplace", "aws-marketplace"),
    ("runtime-v2-lex", "lex"),          // name of the endpoint
    ("runtime.lex", "lex"),             // name of the endpoint
    ("runtime.sagemaker", "sagemaker"), // name of the endpoint
    ("servicecatalog-appregistry", "servicecatalog"),
    ("streams.dynamodb", "dynamodb"), // name of the endpoint
    ("tagging", "tag"),
    ("taxconsole", "tax"),
    ("transcribestreaming", "transcribe"),
];

/// The access level of an operation, as in `access_level("s3", "PutBucketPolicy")`; case doesn't matter.
///
/// The service is an IAM service prefix (see [`service_of`]), the action a `CloudTrail` event name without its
/// version suffix.
pub fn access_level(service: &str, action: &str) -> Option<AccessLevel> {
    AccessLevel::from_letter(*TABLE.find(service, action)?.first()?)
}

/// All operations of the table, as service prefix and name.
pub fn operations() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLE.lines().filter_map(|line| line.split_once(' ')?.0.split_once(':'))
}

/// A line is `service:Action L`.
const TABLE: Table = Table::of(include_bytes!("../data/access-levels.txt"));

#[cfg(test)]
mod tests {
    use super::AccessLevel::{List, PermissionsManagement, Read, Tagging, Write};
    use super::*;

    fn lines() -> impl Iterator<Item = (&'static str, &'static str, AccessLevel)> {
        TABLE.lines().map(|line| {
            let (key, letter) = line.split_once(' ').unwrap();
            let (service, action) = key.split_once(':').unwrap();
            assert_eq!(letter.len(), 1, "{line}");
            (service, action, AccessLevel::from_letter(letter.as_bytes()[0]).unwrap())
        })
    }

    #[test]
    fn header_is_left_out_and_every_line_ends() {
        assert!(include_bytes!("../data/access-levels.txt").starts_with(b"# "));
        TABLE.assert_sound();
        assert!(lines().count() > 20_000);
    }

    #[test]
    fn every_line_is_found() {
        for (service, action, level) in lines() {
            assert_eq!(access_level(service, action), Some(level), "{service}:{action}");
        }
    }

    #[test]
    fn first_and_last_line() {
        let (first, last) = (lines().next().unwrap(), lines().last().unwrap());
        assert_eq!(access_level(first.0, first.1), Some(first.2));
        assert_eq!(access_level(last.0, last.1), Some(last.2));
        assert_eq!(access_level(first.0, "A"), None);
        assert_eq!(access_level(last.0, "zzz"), None);
    }

    #[test]
    fn known_levels() {
        let known = [
            ("apigateway", "CreateRestApi", Write),
            ("apigateway", "GetRestApis", Read),
            ("autoscaling", "RegisterScalableTarget", Write),
            ("billing", "SetIAMAccessPreference", Write),
            ("budgets", "DeleteBudget", Write),
            ("cloudfront", "CreateDistributionWithTags", Write),
            ("cloudtrail", "StopLogging", Write),
            ("cloudwatch", "DeleteAlarms", Write),
            ("dynamodb", "ExecuteStatement", Write),
            ("ec2", "CreateTags", Tagging),
            ("ec2", "DescribeInstances", List),
            ("iam", "CreateUser", PermissionsManagement),
            ("kms", "Decrypt", Write),
            ("kms", "ReEncrypt", Write),
            ("lambda", "Invoke", Write),
            ("logs", "StartQuery", Read),
            ("s3", "DeleteBucketEncryption", Write),
            ("s3", "DeleteBucketPublicAccessBlock", PermissionsManagement),
            ("s3", "GetBucketReplication", Read),
            ("s3", "ListBuckets", List),
            ("s3", "PutBucketLifecycle", Write),
            ("s3", "PutBucketPolicy", PermissionsManagement),
            ("sts", "AssumeRole", Write),
        ];
        for (service, action, level) in known {
            assert_eq!(access_level(service, action), Some(level), "{service}:{action}");
        }
    }

    #[test]
    fn case_does_not_matter() {
        assert_eq!(access_level("cloudshell", "createSession"), access_level("cloudshell", "CreateSession"));
        assert_eq!(access_level("CLOUDSHELL", "CREATESESSION"), Some(Write));
        assert_eq!(access_level("s3", "putbucketcors"), Some(Write));
        for (service, action, level) in lines().step_by(97) {
            assert_eq!(access_level(&service.to_uppercase(), &action.to_lowercase()), Some(level));
            assert_eq!(access_level(service, &action.to_uppercase()), Some(level));
        }
    }

    #[test]
    fn unknown_operations() {
        assert_eq!(access_level("s3", "PutBucket"), None);
        assert_eq!(access_level("s3", "PutBucketPolicyX"), None);
        assert_eq!(access_level("signin", "ConsoleLogin"), None);
        assert_eq!(access_level("nosuchservice", "CreateUser"), None);
    }

    #[test]
    fn odd_strings() {
        let long = "a".repeat(100_000);
        let two_lines = "GetDeploymentJobDetails R\na2c:StartContainerizationJob";
        let plain = "|:|\n|\r\n| |# |#|\0|\u{7f}|s3|s3:|é|名前|\u{10ffff}|W| W|CreateUser W|CreateUser |iam:CreateUser";
        for service in plain.split('|').chain([two_lines, &long, "a2c:", "xray:~"]) {
            for action in plain.split('|').chain([two_lines, &long]) {
                assert_eq!(access_level(service, action), None, "{service:?} {action:?}");
            }
            assert_eq!(access_level(service, "CreateUser"), None, "{service:?}");
            assert_eq!(access_level("iam", service), None, "{service:?}");
            assert_eq!(access_level("a2c", service), None, "{service:?}");
            assert_eq!(access_level("xray", service), None, "{service:?}");
        }
        assert_eq!(access_level("iam:CreateUser", ""), None);
        assert_eq!(access_level("", "iam:CreateUser"), None);
    }

    #[test]
    fn cut_and_changed_keys_are_not_found() {
        let known: std::collections::HashSet<_> =
            lines().map(|(service, action, _)| format!("{service}:{action}").to_ascii_lowercase()).collect();
        for (service, action, _) in lines().step_by(13) {
            let mut changed = action.to_owned();
            changed.pop();
            if !known.contains(&format!("{service}:{changed}").to_ascii_lowercase()) {
                assert_eq!(access_level(service, &changed), None, "{service}:{changed}");
            }
            for end in ['\0', ' ', '\n', '-', '~', 'é'] {
                let longer = format!("{action}{end}");
                assert_eq!(access_level(service, &longer), None, "{service}:{longer:?}");
            }
        }
    }

    #[test]
    fn sources_are_sorted_and_lead_to_services_of_the_table() {
        let services: std::collections::HashSet<_> = lines().map(|(service, _, _)| service).collect();
        assert!(SOURCES.is_sorted_by(|left, right| left.0 < right.0));
        for &(source, prefix) in SOURCES {
            assert_eq!(source, source.to_ascii_lowercase());
            assert!(services.contains(prefix), "{prefix}");
            assert!(!services.contains(source), "{source} is a service itself");
            assert_eq!(service_of(&format!("{source}.amazonaws.com")), prefix);
        }
    }

    #[test]
    fn every_service_of_the_table_is_its_own_label() {
        for (service, _, _) in lines() {
            assert_eq!(service_of(&format!("{service}.amazonaws.com")), service);
        }
    }

    #[test]
    fn services() {
        let known = [
            ("ec2.amazonaws.com", "ec2"),
            ("monitoring.amazonaws.com", "cloudwatch"),
            ("MONITORING.amazonaws.com", "cloudwatch"),
            ("monitoring.amazonaws.com.cn", "cloudwatch"),
            ("monitoring.amazonaws.eu", "cloudwatch"),
            ("runtime.lex.amazonaws.com.cn", "lex"),
            ("monitoring.c2s.ic.gov", "cloudwatch"),
            ("IoTSecuredTunneling.amazonaws.com", "iot"),
            ("servicecatalog-appregistry.amazonaws.com", "servicecatalog"),
            ("runtime.lex.amazonaws.com", "lex"),
            ("taxconsole.amazon.com", "tax"),
            ("NewService.amazonaws.com", "NewService"),
            ("new.thing.amazonaws.com", "new"),
            ("monitoring", "cloudwatch"),
            ("aws.nuka", "aws"),
            (".amazonaws.com", ""),
            (".", ""),
            ("", ""),
            ("é.amazonaws.com", "é"),
        ];
        for (source, service) in known {
            assert_eq!(service_of(source), service, "{source}");
        }
    }

    #[test]
    fn levels_have_names() {
        let names = [Read, List, Write, PermissionsManagement, Tagging].map(|level| level.to_string());
        assert_eq!(names, ["read", "list", "write", "permissions-management", "tagging"]);
        assert_eq!(format!("{Read:>6}"), "  read");
        let writes = [Read, List, Write, PermissionsManagement, Tagging].map(AccessLevel::is_write);
        assert_eq!(writes, [false, false, true, true, true]);
    }
}
