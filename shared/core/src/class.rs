//! What kind of change a call is, with the record's help, and how urgent.

use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::partition::{is_same_service, service_name};
use handsoff_cloudtrail::{AccessLevel, Arn, Class};

use crate::call::Call;
use crate::principal::Kind;
use crate::severity::Severity;

impl Call<'_> {
    /// How urgent a successful change is that no attack makes and no entry of the policy expects: by what kind of change
    /// it is, and by who made it. The table of `docs/findings.md`, and the only place that decides it.
    pub fn severity_of_change(&self) -> Severity {
        let code = self.principal.kind == Kind::Workload;
        match self.class() {
            Some(
                Class::Detection
                | Class::WayIn
                | Class::Commands
                | Class::Identity
                | Class::Permissions
                | Class::Credentials
                | Class::Guardrail
                | Class::Sharing,
            ) => Severity::High,
            _ if self.is_data() && self.principal.kind == Kind::Anonymous => Severity::Medium,
            // Policies grant by the tags of who calls ("Tags for AWS Identity and Access Management resources").
            _ if self.tags_an_identity() => Severity::Medium,
            _ if self.is_data() || self.access() == AccessLevel::Tagging => Severity::Low,
            Some(Class::Destruction) => Severity::High,
            _ if self.principal.kind == Kind::Anonymous => Severity::High,
            Some(Class::Network) | None if code => Severity::Low,
            Some(Class::Network) | None => Severity::Medium,
        }
    }

    fn tags_an_identity(&self) -> bool {
        let names = ["TagUser", "TagRole", "UntagUser", "UntagRole"];
        self.action.service == "iam" && names.contains(&&*self.action.name)
    }

    /// Whether the call changed data and not the account's set-up.
    fn is_data(&self) -> bool {
        self.record.management_event.flag() == Some(false)
            || self.record.event_category.text().as_deref() == Some("Data")
    }

    /// What kind of change the call is: by the table of such operations, else by the access level.
    ///
    /// What a service does on the way of a call gives nobody anything. It is no more than the call that caused it.
    pub fn class(&self) -> Option<Class> {
        let class = self.action.class();
        match self.access() {
            AccessLevel::PermissionsManagement if self.is_on_the_way() => None,
            AccessLevel::PermissionsManagement => Some(class.unwrap_or(Class::Permissions)),
            _ => class,
        }
    }

    /// Whether a service makes the call for itself, with the caller's rights, on the way of what it was asked to do.
    ///
    /// `invokedBy` alone doesn't show it: `CloudFormation`, `Systems Manager` and others make any call that they are
    /// told to. So what is given must go to a service, whoever asks for it.
    fn is_on_the_way(&self) -> bool {
        let Some(by) = self.principal.identity.invoking_service() else { return false };
        match (&*self.action.service, &*self.action.name) {
            ("iam", "CreateServiceLinkedRole") => true,
            ("kms", "CreateGrant") => {
                let grantee = self.record.request_parameters.get("granteePrincipal").and_then(Raw::text);
                // Lambda makes the grant for the function's role, of which it was told with `iam:PassRole`.
                grantee.is_some_and(|grantee| is_of_aws(&grantee))
                    || is_same_service(by, "lambda.amazonaws.com")
            }
            _ => false,
        }
    }
}

/// Whether a principal is a service, or a session of AWS's own: no role's name may have a colon.
fn is_of_aws(principal: &str) -> bool {
    service_name(principal).is_some()
        || Arn::split(principal).is_some_and(|arn| {
            arn.service == "sts" && arn.resource.starts_with("assumed-role/aws:")
                || arn.resource.starts_with("role/aws-service-role/")
        })
}

#[cfg(test)]
mod tests {
    use handsoff_cloudtrail::{Entry, Record};

    use super::*;
    use crate::Policy;
    use crate::Trace;

    /// STS's calls change nothing by themselves, so that no detector asks for their severity today; the class has one
    /// all the same.
    #[test]
    fn to_take_another_sessions_credentials_is_high_for_anybody() {
        for marked in ["", r#","sessionContext":{"ec2RoleDelivery":"2.0"}"#] {
            let json = format!(
                r#"{{"eventSource":"sts.amazonaws.com","eventName":"GetFederationToken","userIdentity":{{"type":
                "AssumedRole","arn":"arn:aws:sts::1:assumed-role/x/s"{marked}}}}}"#
            );
            let Ok((Entry::Record(record), _)) = Record::read(&json) else { panic!("a record") };
            let call = Call::classify(record, &Policy::built_in(), &mut Trace::off());
            assert_eq!(call.class(), Some(Class::Credentials));
            assert_eq!(call.severity_of_change(), Severity::High, "{}", call.principal.kind);
        }
    }
}
