//! Which policy denied a call, from AWS's sentence in `errorMessage`.
//!
//! Source: "Troubleshoot access denied error messages" (IAM user guide). The sentence ends with the cause: `with an explicit
//! deny in a TYPE` or `because no TYPE allows the ACTION action`, since 2026 with the policy's ARN behind. What stands before
//! it, a resource's name, may be the caller's choice and hold these very words, and CloudTrail cuts messages at 1 KB. So a
//! cause counts only where nothing else could have written it; otherwise it is unknown.

use handsoff_cloudtrail::{Arn, Record};
use handsoff_core::show::clean;

/// A message of so many bytes may have been cut: CloudTrail does so at 1 KB ("CloudTrail record contents").
const MAY_BE_CUT: usize = 1000;

const EXPLICIT: &str = " with an explicit deny in ";
const IMPLICIT: &str = " because no ";
const ENCODED: &str = "Encoded authorization failure message: ";

/// The cause, in the metric, of what AWS doesn't give one of.
pub const UNKNOWN: &str = "unknown";

/// The same of what wasn't denied, for the caller didn't prove who it is.
pub const NOT_AUTHENTICATED: &str = "not authenticated";

/// The type of a policy, as AWS's sentence names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyType {
    /// An identity-based policy: of the user, role or group.
    Identity,
    /// A resource-based policy.
    Resource,
    /// The trust policy of a role.
    Trust,
    /// A session policy.
    Session,
    /// A VPC endpoint policy.
    Endpoint,
    /// A permissions boundary.
    Boundary,
    /// A service control policy of the organization.
    ServiceControl,
    /// A resource control policy of the organization.
    ResourceControl,
}

/// How AWS names the types.
const TYPES: [(&str, PolicyType); 8] = [
    ("service control policy", PolicyType::ServiceControl),
    ("resource control policy", PolicyType::ResourceControl),
    ("permissions boundary", PolicyType::Boundary),
    ("session policy", PolicyType::Session),
    ("VPC endpoint policy", PolicyType::Endpoint),
    ("resource-based policy", PolicyType::Resource),
    ("identity-based policy", PolicyType::Identity),
    ("role trust policy", PolicyType::Trust),
];

/// All that the metric's dimension may be.
pub fn names() -> impl Iterator<Item = &'static str> {
    TYPES.iter().map(|(name, _)| *name).chain([UNKNOWN, NOT_AUTHENTICATED])
}

impl PolicyType {
    /// AWS's name.
    pub fn as_str(self) -> &'static str {
        TYPES.iter().find(|(_, own)| *own == self).map_or("policy", |(name, _)| name)
    }

    /// Whether it is a guardrail: what bounds permissions from outside, and grants none.
    pub fn is_guardrail(self) -> bool {
        matches!(self, Self::ServiceControl | Self::ResourceControl | Self::Boundary)
    }
}

/// Why a call was denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The type of the policy.
    pub policy: PolicyType,
    /// Whether a statement denies it; otherwise none allows it.
    pub explicit: bool,
    /// The policy's ARN, where AWS gives it.
    pub arn: Option<String>,
}

impl Cause {
    /// That of a record; `None` where its message doesn't say, or where something else may have written it.
    pub fn of(record: &Record<'_>) -> Option<Self> {
        if quotes_a_cause(record) {
            return None;
        }
        Self::in_message(&record.error_message.text()?, names_its_object(record))
    }

    /// That of AWS's sentence. `named`: whether the request shows the name of an S3 object that was asked for, which can
    /// hold blanks.
    fn in_message(message: &str, named: bool) -> Option<Self> {
        let start = message.find("User: ").filter(|start| {
            *start == 0 || message.starts_with("You are not authorized to perform this operation. User: ")
        })?;
        let (user, rest) = message.get(start + "User: ".len()..)?.split_once(' ')?;
        let rest = rest.strip_prefix("is not authorized to perform: ")?;
        let causes = message.matches(EXPLICIT).count() + message.matches(IMPLICIT).count();
        if !user.starts_with("arn:") || causes != 1 {
            return None;
        }
        let (before, explicit, behind) = match (rest.split_once(EXPLICIT), rest.split_once(IMPLICIT)) {
            (Some((before, behind)), _) => (before, true, behind),
            (_, Some((before, behind))) => (before, false, behind),
            _ => return None,
        };
        let (action, resource) = match before.split_once(" on resource: ") {
            Some((action, resource)) => (action, Some(resource)),
            None => (before, None),
        };
        let (behind, encoded) = match behind.split_once(ENCODED) {
            Some((behind, _)) => (behind.trim_end(), true),
            None => (behind, false),
        };
        let cut = message.len() >= MAY_BE_CUT && !(encoded && resource.is_none_or(has_no_name));
        if cut || !is_action(action) || !resource.is_none_or(|it| is_plain(it, named)) {
            return None;
        }
        let behind = behind.strip_suffix('.').unwrap_or(behind);
        if explicit { explicit_deny(behind) } else { not_allowed(behind, action) }
    }

    /// In words: `an explicit deny in a service control policy (ARN)`.
    pub fn words(&self) -> String {
        let name = self.policy.as_str();
        let arn = self.arn.as_ref().map(|arn| format!(" ({})", clean(arn, 160))).unwrap_or_default();
        match self.explicit {
            true if self.policy == PolicyType::Identity => format!("an explicit deny in an {name}{arn}"),
            true => format!("an explicit deny in a {name}{arn}"),
            false => format!("no {name} allows it{arn}"),
        }
    }
}

/// `a TYPE`, and perhaps the policy's ARN.
fn explicit_deny(text: &str) -> Option<Cause> {
    let text = ["an ", "a ", "the "].iter().find_map(|article| text.strip_prefix(article))?;
    let (policy, rest) = policy_type(text)?;
    let arn = match rest.strip_prefix(':') {
        Some(arn) => Some(policy_arn(arn.trim())?),
        None if rest.is_empty() => None,
        None => return None,
    };
    Some(Cause { policy, explicit: true, arn })
}

/// `TYPE allows the ACTION action`, and perhaps the policy's ARN.
fn not_allowed(text: &str, action: &str) -> Option<Cause> {
    let (policy, rest) = policy_type(text)?;
    let rest = rest.strip_prefix(" allows the ")?.strip_prefix(action)?.strip_prefix(" action")?;
    let arn = match rest.strip_prefix(':') {
        Some(arn) => Some(policy_arn(arn.trim())?),
        None if rest.is_empty() => None,
        None => return None,
    };
    Some(Cause { policy, explicit: false, arn })
}

fn policy_type(text: &str) -> Option<(PolicyType, &str)> {
    TYPES.iter().find_map(|(name, policy)| Some((*policy, text.strip_prefix(name)?)))
}

fn policy_arn(text: &str) -> Option<String> {
    let is_arn = Arn::split(text).is_some_and(|arn| !arn.resource.is_empty());
    (is_arn && !text.contains(char::is_whitespace) && text.len() <= 512).then(|| text.to_owned())
}

fn is_action(text: &str) -> bool {
    text.contains(':') && !text.contains(char::is_whitespace)
}

/// Whether a resource's name can't have held the cause: there is no blank in it, and names of its kind hold none. S3's
/// objects may be called anything, so there the request has to show the name.
fn is_plain(resource: &str, named: bool) -> bool {
    let is_object = Arn::split(resource).is_some_and(|arn| arn.service == "s3" && arn.resource.contains('/'));
    !resource.contains(" on resource: ") && (named || !is_object)
}

/// Whether a resource of EC2 has an ID, and no name that somebody chose.
fn has_no_name(resource: &str) -> bool {
    const BY_ID: [&str; 8] =
        ["instance", "network-interface", "subnet", "security-group", "volume", "image", "vpc", "snapshot"];
    Arn::split(resource).is_some_and(|arn| {
        arn.service == "ec2"
            && arn.resource.split_once('/').is_some_and(|(kind, id)| {
                BY_ID.contains(&kind)
                    && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"*-".contains(&byte))
            })
    })
}

/// Whether the request holds the words of a cause, so that the message may quote them.
fn quotes_a_cause(record: &Record<'_>) -> bool {
    [record.request_parameters, record.resources].iter().any(|part| {
        let text = part.as_str();
        [EXPLICIT, IMPLICIT].iter().any(|words| text.contains(words.trim()))
    })
}

fn names_its_object(record: &Record<'_>) -> bool {
    record.request_parameters.get("key").is_some_and(|key| key.text().is_some())
}

#[cfg(test)]
mod tests;
