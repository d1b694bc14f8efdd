//! The event patterns of the rules that `template.yaml` makes, filled in for a policy's names.
//!
//! They stand here and in the template: here so that a policy can be held against EventBridge's limits before it is
//! deployed. A test holds the two together, letter by letter.

use super::complexity;
use super::names::{Lists, Names};

/// How many characters EventBridge takes for one pattern, unless the account has asked for more.
pub const LONGEST: usize = 2048;

/// The function that a rule feeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feeds {
    /// `handsoff-drift`.
    Drift,
    /// `handsoff-break-glass`.
    BreakGlass,
    /// `handsoff-deny-spike`.
    DenySpike,
}

/// Whose names a pattern has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Nobodys,
    Deploy,
    BreakGlass,
}

/// A rule of the template for CloudTrail's events.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its logical ID in the template.
    pub id: &'static str,
    /// The function that it feeds.
    pub feeds: Feeds,
    whose: Whose,
    /// The pattern, with the template's variables.
    text: &'static str,
}

/// The start of every pattern: CloudTrail's events, which only AWS can put on the bus.
macro_rules! cloudtrail {
    ($($text:literal)+) => {
        concat!(
            r#"{"source":[{"prefix":"aws."}],"detail-type":[{"suffix":" via CloudTrail"}],"detail":{ "#,
            $($text, " ",)+
            "}}"
        )
    };
}

/// What sessions of the named roles do, by the role's ARN or name.
const SESSIONS: &str = cloudtrail!(
    r#""$or":["#
    r#"{"userIdentity":{"sessionContext":{"sessionIssuer":{"arn":[{"suffix":"/${Names}"},{"wildcard":"*/${Wildcards}"}]}}}},"#
    r#"{"userIdentity":{"sessionContext":{"sessionIssuer":{"userName":[{"prefix":"${NamePrefixes}"}]}}}},"#
    r#"{"userIdentity":{"type":["AssumedRole"],"sessionContext":{"sessionIssuer":{"arn":[{"exists":true}],"userName":[{"exists":false},null]}}}}"#
    r#"]"#
);

/// What the named users do.
const USERS: &str = cloudtrail!(
    r#""$or":["#
    r#"{"userIdentity":{"arn":[{"suffix":"/${Names}"},{"wildcard":"*/${Wildcards}"}]}},"#
    r#"{"userIdentity":{"userName":[{"prefix":"${NamePrefixes}"}]}},"#
    r#"{"userIdentity":{"type":["IAMUser"],"userName":[{"exists":false},null]}}"#
    r#"]"#
);

/// Who assumes the named roles.
const DEPLOY_ASSUMED: &str = cloudtrail!(
    r#""eventSource":[{"prefix":"sts."}],"eventName":[{"prefix":"Assume"}],"requestParameters":{"roleArn":["#
    r#"{"suffix":"/${Names}"},{"wildcard":"*/${Wildcards}"}${AnyRole}]}"#
);

/// The same, and whoever gets a session of a permission set: few, and their roles' names end in a suffix.
const BREAK_GLASS_ASSUMED: &str = cloudtrail!(
    r#""eventSource":[{"prefix":"sts."}],"eventName":[{"prefix":"Assume"}],"requestParameters":{"roleArn":["#
    r#"{"suffix":"/${Names}"},{"wildcard":"*/${Wildcards}"},"#
    r#"{"prefix":"arn:${AWS::Partition}:iam::${AWS::AccountId}:role/aws-reserved/sso."}${AnyRole}]}"#
);

/// What changes something, or may; what gives out a key to a machine under the name of a read; and whose session, user
/// or role isn't told.
const DRIFT: &str = cloudtrail!(
    r#""$or":["#
    r#"{"readOnly":[false,"false",null,{"exists":false}],"userIdentity":{"type":[{"anything-but":["AWSService","Root"]}],"sessionContext":{"sessionIssuer":{"arn":[{"exists":false},{"anything-but":{"prefix":"arn:${AWS::Partition}:iam::${AWS::AccountId}:role/aws-service-role/"}}]}}}},"#
    r#"{"userIdentity":{"type":[{"exists":false}]},"$or":[{"eventType":[{"exists":false},{"anything-but":["AwsServiceEvent","AwsCloudTrailInsight"]}]},{"userIdentity":{"arn":[{"exists":true}]}},{"userIdentity":{"userName":[{"exists":true}]}}]},"#
    r#"{"readOnly":[true,"true"],"userIdentity":{"type":[{"anything-but":["AWSService","Root"]}]},"eventSource":[{"anything-but":"sts.amazonaws.com"}],"eventName":[{"anything-but":{"wildcard":["Get*","List*","Describe*","BatchGet*","Head*","Search*","Lookup*","View*","Query*","Scan*","Filter*","Decrypt","Encrypt","ReEncrypt","GenerateDataKey*"]}}]},"#
    r#"{"eventName":["GetAccessToken","GetClusterSessionCredentials","GetComputeAccess","GetInstanceAccess","GetInstanceAccessDetails","GetManagedEndpointSessionCredentials","GetPasswordData"]},"#
    r#"{"userIdentity":{"arn":[{"prefix":"arn:${AWS::Partition}:sts::"}],"sessionContext":{"sessionIssuer":{"arn":[{"exists":false},null]}}}},"#
    r#"{"userIdentity":{"type":["IAMUser"],"arn":[{"exists":false},null,""]}},"#
    r#"{"eventSource":[{"prefix":"sts."}],"eventName":[{"prefix":"Assume"}],"requestParameters":{"roleArn":[{"exists":false},null]}}"#
    r#"]"#
);

/// Root, sessions whose issuer is root, and whose session, user or role isn't told.
const BREAK_GLASS: &str = cloudtrail!(
    r#""$or":["#
    r#"{"userIdentity":{"type":["Root"]}},"#
    r#"{"userIdentity":{"sessionContext":{"sessionIssuer":{"arn":[{"suffix":":root"}]}}}},"#
    r#"{"userIdentity":{"arn":[{"prefix":"arn:${AWS::Partition}:sts::"}],"sessionContext":{"sessionIssuer":{"arn":[{"exists":false},null]}}}},"#
    r#"{"userIdentity":{"type":["IAMUser"],"arn":[{"exists":false},null,""]}},"#
    r#"{"eventSource":[{"prefix":"sts."}],"eventName":[{"prefix":"Assume"}],"requestParameters":{"roleArn":[{"exists":false},null]}}"#
    r#"]"#
);

/// What failed with any code but [`super::NO_DENIALS`].
const DENY_SPIKE: &str = cloudtrail!(
    r#""errorCode":[{"anything-but":{"wildcard":["*NotFound*","*Throttl*","*LimitExceeded*","*AlreadyExists*","*Validation*","*DryRunOperation","NoSuch*","Malformed*","InvalidParameter*","Client.InvalidParameter*"]}}],"#
    r#""userIdentity":{"type":[{"exists":false},{"anything-but":["AWSService","Root"]}],"sessionContext":{"sessionIssuer":{"arn":[{"exists":false},{"anything-but":{"prefix":"arn:${AWS::Partition}:iam::${AWS::AccountId}:role/aws-service-role/"}}]}}}"#
);

/// All rules for CloudTrail's events.
pub const RULES: [Rule; 9] = [
    Rule { id: "DriftRule", feeds: Feeds::Drift, whose: Whose::Nobodys, text: DRIFT },
    Rule { id: "DeploySessionsRule", feeds: Feeds::Drift, whose: Whose::Deploy, text: SESSIONS },
    Rule { id: "DeployUsersRule", feeds: Feeds::Drift, whose: Whose::Deploy, text: USERS },
    Rule { id: "DeployAssumedRule", feeds: Feeds::Drift, whose: Whose::Deploy, text: DEPLOY_ASSUMED },
    Rule { id: "BreakGlassRule", feeds: Feeds::BreakGlass, whose: Whose::Nobodys, text: BREAK_GLASS },
    Rule { id: "BreakGlassSessionsRule", feeds: Feeds::BreakGlass, whose: Whose::BreakGlass, text: SESSIONS },
    Rule { id: "BreakGlassUsersRule", feeds: Feeds::BreakGlass, whose: Whose::BreakGlass, text: USERS },
    Rule {
        id: "BreakGlassAssumedRule",
        feeds: Feeds::BreakGlass,
        whose: Whose::BreakGlass,
        text: BREAK_GLASS_ASSUMED,
    },
    Rule { id: "DenySpikeRule", feeds: Feeds::DenySpike, whose: Whose::Nobodys, text: DENY_SPIKE },
];

impl Rule {
    /// The pattern that a stack with these names has in an account of a partition.
    pub fn pattern(&self, names: &Names, partition: &str, account: &str) -> String {
        match self.whose {
            Whose::Nobodys => self.filled(&Lists::default(), partition, account),
            Whose::Deploy => self.filled(&names.deploy, partition, account),
            Whose::BreakGlass => self.filled(&names.break_glass, partition, account),
        }
    }

    fn filled(&self, lists: &Lists, partition: &str, account: &str) -> String {
        let list = |items: &[String], operator: &str| {
            super::names::or_none(items).join(&format!(r#""}},{{"{operator}"#))
        };
        self.text
            .replace("${Names}", &list(&lists.names, r#"suffix":"/"#))
            .replace("${NamePrefixes}", &list(&lists.name_prefixes, r#"prefix":""#))
            .replace("${Wildcards}", &list(&lists.wildcards, r#"wildcard":"*/"#))
            .replace("${AnyRole}", if lists.any_role { r#",{"prefix":"arn:"}"# } else { "" })
            .replace("${AWS::Partition}", partition)
            .replace("${AWS::AccountId}", account)
    }
}

/// Why EventBridge refuses the rules of a stack with these names, in words; nothing if it doesn't.
pub fn refused(names: &Names) -> Vec<String> {
    RULES.iter().filter_map(|rule| refusal(rule, &rule.pattern(names, LONG_PARTITION, ACCOUNT))).collect()
}

/// Whether all rules with one of these lists are taken, whichever they are of.
pub(super) fn are_taken(lists: &Lists) -> bool {
    let rules = || RULES.iter().filter(|rule| rule.whose != Whose::Nobodys);
    rules().all(|rule| refusal(rule, &rule.filled(lists, LONG_PARTITION, ACCOUNT)).is_none())
}

/// The partition with the longest name of those that the template can be deployed in.
const LONG_PARTITION: &str = "aws-iso-b";

/// As long as any.
const ACCOUNT: &str = "000000000000";

fn refusal(rule: &Rule, pattern: &str) -> Option<String> {
    let id = rule.id;
    if pattern.len() > LONGEST {
        let length = pattern.len();
        return Some(format!(
            "{id} has an event pattern of {length} characters, and EventBridge accepts {LONGEST}"
        ));
    }
    match complexity::complexity(pattern) {
        Ok(found) if found <= complexity::MOST => None,
        Ok(found) => {
            let most = complexity::MOST;
            Some(format!("{id} has an event pattern of complexity {found}, and EventBridge accepts {most}"))
        }
        Err(why) => Some(format!("{id} has no valid event pattern: {why}")),
    }
}
