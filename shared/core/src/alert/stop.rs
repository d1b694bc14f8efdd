//! The command that stops the identity of a finding, spelled out: who is woken at three should have nothing to look up.

use handsoff_cloudtrail::{Arn, permission_set_of};

use crate::finding::Finding;
use crate::severity::Severity;

/// A command, and what it stops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stop {
    /// For the AWS CLI in a POSIX shell, with the credentials of an administrator of the finding's account.
    pub(super) command: String,
    /// What it stops, and what with it.
    pub(super) stops: &'static str,
}

impl Stop {
    /// The command for a finding that wakes somebody. `None` where none would help: root and other accounts can't be denied by a
    /// policy here, and a permission set's role is changed in the management account alone.
    pub(super) fn of(finding: &Finding) -> Option<Self> {
        if finding.severity < Severity::High {
            return None;
        }
        let Arn { account, resource, service, .. } = Arn::split(&finding.principal.arn)?;
        let (kind, path) = resource.split_once('/')?;
        let name = path.rsplit('/').next().unwrap_or(path);
        let own = service == "iam" && account == finding.account && is_name(name);
        match kind {
            _ if !own => None,
            "role" if permission_set_of(name).is_none() && !path.starts_with("aws-service-role/") => {
                Some(Self { command: for_role(name), stops: OF_ROLE })
            }
            "user" => Some(Self { command: for_user(name), stops: OF_USER }),
            _ => None,
        }
    }
}

const OF_ROLE: &str = "every session of the role that began before now, of code and the pipeline too, which get new ones; not \
                       who can assume it again. Remove the policy afterwards";
const OF_USER: &str = "all of the user's keys, sessions and sign-ins, at once. Remove the policy afterwards";

/// As the console's *Revoke active sessions* does it ("Revoking IAM role temporary security credentials").
fn for_role(name: &str) -> String {
    format!(
        "aws iam put-role-policy --role-name {name} --policy-name AWSRevokeOlderSessions --policy-document \
         \"{{\\\"Version\\\":\\\"2012-10-17\\\",\\\"Statement\\\":[{{\\\"Effect\\\":\\\"Deny\\\",\\\"Action\\\":\\\"*\\\",\
         \\\"Resource\\\":\\\"*\\\",\\\"Condition\\\":{{\\\"DateLessThan\\\":{{\\\"aws:TokenIssueTime\\\":\
         \\\"$(date -u +%Y-%m-%dT%H:%M:%SZ)\\\"}}}}}}]}}\""
    )
}

fn for_user(name: &str) -> String {
    format!(
        "aws iam put-user-policy --user-name {name} --policy-name DenyAll --policy-document \
         '{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\"}}]}}'"
    )
}

/// Whether a text is a name of IAM's, and means nothing to a shell, an option of the AWS CLI included.
fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    !name.is_empty() && !name.starts_with(['-', '=']) && name.bytes().all(allowed)
}

#[cfg(test)]
mod tests;
