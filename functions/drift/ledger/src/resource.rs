//! The resource that a call changes, under one name whichever call it is.

use std::fmt;
use std::str::FromStr;

use handsoff_cloudtrail::partition::is_region;
use handsoff_cloudtrail::{Arn, Record};
use handsoff_core::Call;
use handsoff_core::show::clean;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::table::{self, Does};

/// A resource: what an ARN says, without partition, path, version and the suffixes that AWS appends.
///
/// As text it is an ARN's fields in their order: `ec2:eu-central-1:111122223333:security-group/sg-0c41d97f`. The account
/// always stands there, the Region where the service's resources have one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resource {
    /// The service, by IAM's prefix.
    pub service: String,
    /// The Region; empty for what is the account's, such as roles.
    pub region: String,
    /// The account.
    pub account: String,
    /// The type, as in ARNs: `role`, `security-group`.
    pub kind: String,
    /// The name or ID.
    pub name: String,
}

/// The longest name. Longer ones, and those with characters that no name has, are unknown: they must not become another's.
const LONGEST: usize = 512;

/// What EC2's IDs begin with.
const EC2_IDS: [(&str, &str); 17] = [
    ("i-", "instance"),
    ("sg-", "security-group"),
    ("vpc-", "vpc"),
    ("subnet-", "subnet"),
    ("rtb-", "route-table"),
    ("igw-", "internet-gateway"),
    ("nat-", "natgateway"),
    ("acl-", "network-acl"),
    ("eni-", "network-interface"),
    ("vpce-", "vpc-endpoint"),
    ("pcx-", "vpc-peering-connection"),
    ("vol-", "volume"),
    ("snap-", "snapshot"),
    ("ami-", "image"),
    ("lt-", "launch-template"),
    ("eipalloc-", "elastic-ip"),
    ("fl-", "vpc-flow-log"),
];

/// The resources that a call changes, each once, and what it does to them. None: the table doesn't have the operation, or
/// the record doesn't name one.
pub fn changed(call: &Call<'_>) -> Vec<(Does, Resource)> {
    let account = call.door().filter(|account| is_account(account)).unwrap_or_default();
    let region = call.record.aws_region.text().filter(|region| is_region(region)).unwrap_or_default();
    of(&call.record, &call.action.service, &call.action.name, (&account, &region))
}

fn of(record: &Record<'_>, service: &str, operation: &str, place: (&str, &str)) -> Vec<(Does, Resource)> {
    for row in table::rows(service, operation) {
        let mut found: Vec<(Does, Resource)> = Vec::new();
        for name in row.names(record) {
            if let Some(resource) = Resource::read(service, row.kind, &name, place) {
                found.push((row.does, resource));
            }
        }
        if !found.is_empty() {
            found.sort_by(|(_, one), (_, other)| one.cmp(other));
            found.dedup();
            return found;
        }
    }
    Vec::new()
}

impl Resource {
    /// The resource of an ARN. `None`: it isn't one, or names no single resource.
    pub fn of_arn(arn: &str, (account, region): (&str, &str)) -> Option<Self> {
        let fields = Arn::split(arn)?;
        let service = fields.service;
        let (kind, name) = match service {
            "s3" if fields.account.is_empty() => ("bucket", fields.resource),
            "sns" => ("topic", fields.resource),
            "sqs" => ("queue", fields.resource),
            _ => fields.resource.split_once(['/', ':'])?,
        };
        // Of a secret AWS puts six characters of its own behind the name, in ARNs only.
        let name = match service {
            "secretsmanager" => without_suffix(name),
            _ => name,
        };
        let own = |own: &str, given: &str| if own.is_empty() { given.to_owned() } else { own.to_owned() };
        if !(fields.account.is_empty() || is_account(fields.account)) {
            return None;
        }
        Self {
            service: service.to_owned(),
            region: own(fields.region, region),
            account: own(fields.account, account),
            kind: kind.to_owned(),
            name: name.to_owned(),
        }
        .tidy()
    }

    /// The resource that a record names at a place where one of this type stands, by its name or its ARN.
    fn read(service: &str, kind: &str, text: &str, place: (&str, &str)) -> Option<Self> {
        if text.starts_with("arn:") {
            let found = Self::of_arn(text, place)?;
            // An ARN of something else, where one of this type is expected, is odd: it isn't taken for one.
            let fits = kind == "arn" || (found.service == service && found.kind == kind);
            return fits.then_some(found);
        }
        let kind = match kind {
            "arn" => return None,
            "id" => EC2_IDS.iter().find(|(start, _)| text.starts_with(start))?.1,
            kind => kind,
        };
        let (account, region) = place;
        Self {
            service: service.to_owned(),
            region: region.to_owned(),
            account: account.to_owned(),
            kind: kind.to_owned(),
            name: text.to_owned(),
        }
        .tidy()
    }

    /// One name for what calls name differently. `None`: nothing says which resource it is.
    fn tidy(mut self) -> Option<Self> {
        let service = table::service(&self.service);
        if service.is_some_and(|service| service.global) {
            self.region.clear();
        } else if self.region.is_empty() && service.is_some() {
            // The one of another Region has the same name.
            return None;
        }
        let name = tidy_name(&self.service, &self.kind, &self.name)?;
        let plain =
            |text: &str, longest| !text.is_empty() && text.len() <= longest && clean(text, longest) == text;
        let sound = is_account(&self.account)
            && plain(&name, LONGEST)
            && plain(&self.kind, 64)
            && plain(&self.service, 64)
            && !self.kind.contains(['/', ':', ' '])
            && !self.service.contains([':', ' '])
            && (self.region.is_empty() || is_region(&self.region))
            && name != "HIDDEN_DUE_TO_SECURITY_REASONS";
        self.name = name;
        sound.then_some(self)
    }
}

/// A name without what isn't the resource's: paths, versions, whatever belongs to the call.
fn tidy_name(service: &str, kind: &str, name: &str) -> Option<String> {
    let name = name.trim();
    let last = |by: char| name.rsplit(by).next().unwrap_or(name).to_owned();
    let first = |by: char| name.split(by).next().unwrap_or(name).to_owned();
    Some(match (service, kind) {
        // Names are unique in the account, whatever the path.
        ("iam", "role" | "user" | "group" | "policy" | "instance-profile" | "saml-provider")
        // Of a URL, and of `/hostedzone/ID`.
        | ("sqs", "queue")
        | ("route53", "hostedzone") => last('/'),
        // A bucket's, not an object's.
        ("s3", "bucket") if name.contains('/') => return None,
        // `name:version`, `ACCOUNT:function:name`.
        ("lambda", "function") => match name.split_once(":function:") {
            Some((_, name)) => name.split(':').next().unwrap_or(name).to_owned(),
            None => first(':'),
        },
        // An alias points to another key each day.
        ("kms", "key") if name.starts_with("alias/") => return None,
        ("rds", _) => name.to_ascii_lowercase(),
        ("ssm", "parameter") => name.trim_start_matches('/').to_owned(),
        ("sns", "topic") | ("dynamodb", "table") => first(if kind == "topic" { ':' } else { '/' }),
        // Behind the stack's name its ARN has an ID.
        ("cloudformation", "stack") => first('/'),
        ("logs", "log-group") => name.trim_end_matches(":*").to_owned(),
        ("events", "rule") => name.strip_prefix("default/").unwrap_or(name).to_owned(),
        ("autoscaling", "autoScalingGroup") => name.rsplit("autoScalingGroupName/").next().unwrap_or(name).to_owned(),
        // Cluster and name; behind them their ARNs have an ID.
        ("eks", "nodegroup" | "addon") => {
            let mut parts = name.splitn(3, '/');
            format!("{}/{}", parts.next()?, parts.next()?)
        }
        ("ec2", "key-pair") => name.to_owned(),
        ("ec2", kind) if EC2_IDS.iter().any(|(_, of)| *of == kind) => {
            let start = EC2_IDS.iter().find(|(_, of)| *of == kind).map(|(start, _)| *start)?;
            return name.starts_with(start).then(|| name.to_owned());
        }
        _ => name.to_owned(),
    })
}

fn without_suffix(name: &str) -> &str {
    let appended =
        |(_, suffix): &(&str, &str)| suffix.len() == 6 && suffix.bytes().all(|it| it.is_ascii_alphanumeric());
    name.rsplit_once('-').filter(appended).map_or(name, |(start, _)| start)
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, region, account, kind, name } = self;
        write!(f, "{service}:{region}:{account}:{kind}/{name}")
    }
}

/// Why a text names no resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResourceError {
    /// It isn't in the form of one.
    #[error(
        "a resource is written as `handsoff drift list` prints it, SERVICE:REGION:ACCOUNT:TYPE/NAME, or as its ARN"
    )]
    Form,
    /// Its ARN says too little.
    #[error("the ARN names no account, or no single resource: write it as `handsoff drift list` prints it")]
    Arn,
    /// Its account is none.
    #[error("the account of a resource is twelve digits")]
    Account,
}

impl FromStr for Resource {
    type Err = ResourceError;

    /// Reads what [`fmt::Display`] writes, and ARNs that name their account.
    fn from_str(text: &str) -> Result<Self, ResourceError> {
        if text.starts_with("arn:") {
            return Self::of_arn(text, ("", "")).ok_or(ResourceError::Arn);
        }
        let mut fields = text.splitn(4, ':');
        let mut next = || fields.next().map(str::to_owned).ok_or(ResourceError::Form);
        let (service, region, account, rest) = (next()?, next()?, next()?, next()?);
        let (kind, name) = rest.split_once('/').ok_or(ResourceError::Form)?;
        if !is_account(&account) {
            return Err(ResourceError::Account);
        }
        let (kind, name) = (kind.to_owned(), name.to_owned());
        Self { service, region, account, kind, name }.tidy().ok_or(ResourceError::Form)
    }
}

/// As text.
impl Serialize for Resource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Resource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
