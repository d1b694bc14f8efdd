//! What of a request says whom a call lets in, by its action.

use handsoff_cloudtrail::{AccessLevel, Action, Class};

/// The part of a request that names who is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it: the call shares, or gives rights to whom it names.
    All,
    /// Policies, and lists of rights by their names: the rest of such a request names own resources, or keys and topics of others
    /// that are used.
    Policies,
    /// What stands under one name: where data goes.
    Destination([&'static str; 1]),
    /// Whom a KMS key is granted to, or who may retire that: the key may be another account's that is used.
    Grant,
}

/// Calls that make or change a resource and may bring its policy along ("AWS KMS API Reference", "Amazon SQS API Reference",
/// "Amazon SNS API Reference", "Amazon DynamoDB API Reference", "Amazon Aurora DSQL API Reference", "Amazon ECR API Reference",
/// "Amazon `OpenSearch` Service API Reference", "Amazon S3 Glacier API Reference", "Amazon S3 API Reference").
const WITH_POLICY: [(&str, &str); 14] = [
    ("dsql", "CreateCluster"),
    ("dynamodb", "CreateTable"),
    ("ecr", "CreateRepositoryCreationTemplate"),
    ("ecr", "UpdateRepositoryCreationTemplate"),
    ("es", "CreateDomain"),
    ("es", "CreateElasticsearchDomain"),
    ("glacier", "InitiateVaultLock"),
    ("kms", "CreateKey"),
    ("kms", "ReplicateKey"),
    ("s3", "CreateBucket"),
    ("sns", "CreateTopic"),
    ("sns", "SetTopicAttributes"),
    ("sqs", "CreateQueue"),
    ("sqs", "SetQueueAttributes"),
];

/// Where a call sends data, and whether only people's and workloads' count: pipelines set up streams to the accounts of others
/// all day.
const DESTINATIONS: [(&str, &str, &str, bool); 19] = [
    ("backup", "CreateBackupPlan", "destinationBackupVaultArn", true),
    ("backup", "StartCopyJob", "destinationBackupVaultArn", false),
    ("backup", "UpdateBackupPlan", "destinationBackupVaultArn", true),
    ("config", "PutAggregationAuthorization", "authorizedAccountId", false),
    ("ecr", "PutReplicationConfiguration", "registryId", false),
    ("events", "PutTargets", "arn", true),
    ("lightsail", "UpdateBucket", "readonlyAccessAccounts", false),
    ("logs", "PutAccountPolicy", "DestinationArn", true),
    ("logs", "PutSubscriptionFilter", "destinationArn", true),
    ("oam", "CreateLink", "sinkIdentifier", false),
    ("pipes", "CreatePipe", "target", true),
    ("pipes", "UpdatePipe", "target", true),
    ("s3", "PutBucketInventoryConfiguration", "AccountId", true),
    ("s3", "PutInventoryConfiguration", "AccountId", true),
    ("s3tables", "PutTableBucketReplication", "destinationTableBucketARN", false),
    ("s3tables", "PutTableReplication", "destinationTableBucketARN", false),
    ("securitylake", "CreateSubscriber", "principal", false),
    ("securitylake", "UpdateSubscriber", "principal", false),
    ("sns", "Subscribe", "endpoint", true),
];

impl Part {
    /// That of a call by a person or a workload; `None`: such a call lets nobody in.
    pub(super) fn of(action: &Action<'_>) -> Option<Self> {
        Self::read_of(action).map(|(part, _)| part)
    }

    /// That of a call by the pipeline.
    pub(super) fn by_pipeline(action: &Action<'_>) -> Option<Self> {
        Self::read_of(action).filter(|(_, by_hand)| !by_hand).map(|(part, _)| part)
    }

    fn read_of(action: &Action<'_>) -> Option<(Self, bool)> {
        let (service, name) = (&*action.service, &*action.name);
        if (service, name) == ("kms", "CreateGrant") {
            return Some((Self::Grant, false));
        }
        if trusts(action) || action.class() == Some(Class::Sharing) {
            return Some((Self::All, false));
        }
        if WITH_POLICY.contains(&(service, name)) {
            return Some((Self::Policies, false));
        }
        let to = DESTINATIONS.iter().find(|(of, called, ..)| *of == service && *called == name);
        if let Some((_, _, key, by_hand)) = to {
            return Some((Self::Destination([key]), *by_hand));
        }
        gives_rights(action).then_some((Self::All, false))
    }

    /// The names of what alone is read; `None`: all of it.
    pub(super) fn names(&self) -> Option<&[&'static str]> {
        match self {
            Self::Destination(key) => Some(key),
            Self::Grant => Some(&["granteePrincipal", "retiringPrincipal"]),
            Self::All | Self::Policies => None,
        }
    }
}

fn trusts(action: &Action<'_>) -> bool {
    action.service == "iam" && matches!(&*action.name, "CreateRole" | "UpdateAssumeRolePolicy")
}

/// Whether an action gives rights, by AWS or by our table, and it is of a resource: who may use it. Not of identities, which [`super`] has
/// rules for; nor of stacks' policies, where `*` is the rule, and which channels' policies open to their viewers.
fn gives_rights(action: &Action<'_>) -> bool {
    const OTHERS: [&str; 9] = [
        "account",
        "cloudformation",
        "iam",
        "identitystore",
        "mediatailor",
        "organizations",
        "signin",
        "sso",
        "sso-directory",
    ];
    const TAKE_AWAY: [&str; 12] = [
        "Accept",
        "Cancel",
        "Deauthorize",
        "Delete",
        "Disable",
        "Disassociate",
        "Deny",
        "Reject",
        "Remove",
        "Reset",
        "Retire",
        "Revoke",
    ];
    let class = action.class();
    let gives = match class {
        Some(class) => class == Class::Permissions,
        None => action.access() == AccessLevel::PermissionsManagement,
    };
    gives
        && !OTHERS.contains(&&*action.service)
        && !TAKE_AWAY.iter().any(|verb| action.name.starts_with(verb))
}
