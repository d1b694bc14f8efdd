//! Calls that whoever comes in makes first: they stop, blind or starve logging and detection.

use handsoff_trail::{Action, Record, resources};

use crate::policy::Policy;

/// What a call attacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attack {
    /// What it does, in plain words: `stops a trail`.
    pub what: &'static str,
    /// How much it takes for the call to be an attack.
    pub scope: Scope,
    /// Whether it hits logging or detection for certain: by what it does, or because the policy protects
    /// what it is done to.
    pub grave: bool,
}

/// How much it takes for a call to be an attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Whoever makes it, on whatever.
    Always,
    /// When it isn't made by the pipeline or by code; then only on what the policy protects.
    ByHand,
    /// On what the policy protects: pipelines make such calls every day.
    OnProtected,
}

/// What the call is done to. All of it: a protected resource must not hide behind many others.
fn targets(action: &Action<'_>, record: &Record<'_>) -> Vec<String> {
    if action.service != "iam" {
        let mut targets = resources::all(record);
        targets.extend(resources::requested(record));
        return targets;
    }
    // Of a role and its policies the role counts: AWS's own policies have names such as AWSCloudTrail_ReadOnlyAccess.
    let named = ["roleName", "instanceProfileName"]
        .iter()
        .filter_map(|key| record.request_parameters.get(key)?.text());
    named.map(std::borrow::Cow::into_owned).chain(record.denied_resource()).collect()
}

const fn always(what: &'static str) -> Attack {
    Attack { what, scope: Scope::Always, grave: true }
}

const fn by_hand(what: &'static str) -> Attack {
    Attack { what, scope: Scope::ByHand, grave: false }
}

const fn on_protected(what: &'static str) -> Attack {
    Attack { what, scope: Scope::OnProtected, grave: true }
}

impl Attack {
    /// Whether the call attacks logging or detection. `automated`: it is made by a deploy role or a workload.
    pub fn of(action: &Action<'_>, record: &Record<'_>, policy: &Policy, automated: bool) -> Option<Self> {
        let attack = Self::listed(&action.service, &action.name)?;
        if attack.scope == Scope::Always {
            return Some(attack);
        }
        if targets(action, record).iter().any(|resource| policy.protects(resource)) {
            return Some(Self { grave: true, ..attack });
        }
        (attack.scope == Scope::ByHand && !automated).then_some(attack)
    }

    fn listed(service: &str, name: &str) -> Option<Self> {
        Self::on_evidence(service, name).or_else(|| Self::on_detection(service, name))
    }

    /// Calls that stop or cut what records what happened, and who may.
    fn on_evidence(service: &str, name: &str) -> Option<Self> {
        Some(match (service, name) {
            ("cloudtrail", "StopLogging") => always("stops a trail"),
            ("cloudtrail", "DeleteTrail") => always("deletes a trail"),
            ("cloudtrail", "UpdateTrail") => always("changes where a trail writes"),
            ("cloudtrail", "PutEventSelectors" | "PutInsightSelectors") => {
                always("changes what a trail records")
            }
            (
                "cloudtrail",
                "DeleteEventDataStore" | "StopEventDataStoreIngestion" | "UpdateEventDataStore",
            ) => always("stops an event data store"),
            ("config", "StopConfigurationRecorder" | "DeleteConfigurationRecorder") => {
                always("stops AWS Config")
            }
            ("config", "DeleteDeliveryChannel") => always("cuts AWS Config's delivery"),
            ("guardduty", "DeleteDetector" | "UpdateDetector") => always("turns off or changes GuardDuty"),
            ("guardduty", "StopMonitoringMembers" | "DeleteMembers" | "DisassociateMembers") => {
                always("takes accounts out of GuardDuty")
            }
            ("guardduty", "DisassociateFromAdministratorAccount" | "DisassociateFromMasterAccount") => {
                always("takes the account out of GuardDuty")
            }
            ("guardduty", "DeletePublishingDestination") => always("cuts GuardDuty's export"),
            ("securityhub", "DisableSecurityHub" | "DisableSecurityHubV2") => {
                always("turns off Security Hub")
            }
            ("securityhub", "DisassociateFromAdministratorAccount" | "DisassociateFromMasterAccount") => {
                always("takes the account out of Security Hub")
            }
            ("macie2", "DisableMacie") => always("turns off Macie"),
            ("inspector2", "Disable") => always("turns off Inspector"),
            ("detective", "DeleteGraph") => always("deletes Detective's graph"),
            ("access-analyzer", "DeleteAnalyzer") => always("deletes an access analyzer"),
            ("organizations", "LeaveOrganization") => always("takes the account out of the organization"),
            ("organizations", "DetachPolicy" | "DeletePolicy" | "DisablePolicyType") => {
                always("takes away a policy of the organization")
            }
            ("organizations", "RemoveAccountFromOrganization" | "DisableAWSServiceAccess") => {
                always("takes accounts or services out of the organization's control")
            }
            ("config", "PutConfigurationRecorder") => by_hand("changes what AWS Config records"),
            ("guardduty", "CreateFilter" | "UpdateFilter" | "CreateIPSet" | "UpdateIPSet") => {
                by_hand("can hide GuardDuty's findings")
            }
            ("securityhub", "BatchDisableStandards" | "UpdateStandardsControl") => {
                by_hand("turns off Security Hub's checks")
            }
            ("wafv2" | "waf" | "waf-regional", "DeleteLoggingConfiguration") => {
                by_hand("stops a firewall's log")
            }
            ("ec2", "DeleteFlowLogs") => always("deletes VPC flow logs"),
            ("route53resolver", "DeleteResolverQueryLogConfig" | "DisassociateResolverQueryLogConfig") => {
                always("stops DNS query logs")
            }
            _ => return None,
        })
    }

    /// Calls that pipelines make every day, and that stop a detector when they are made on its parts.
    fn on_detection(service: &str, name: &str) -> Option<Self> {
        Some(match (service, name) {
            ("events", "DisableRule" | "DeleteRule" | "RemoveTargets" | "DeleteEventBus") => {
                by_hand("stops an EventBridge rule")
            }
            ("events", "PutRule" | "PutTargets") => on_protected("changes the rule that feeds a detector"),
            (
                "lambda",
                "UpdateFunctionCode"
                | "UpdateFunctionConfiguration"
                | "DeleteFunction"
                | "PutFunctionConcurrency"
                | "RemovePermission"
                | "UpdateAlias"
                | "PutFunctionEventInvokeConfig"
                | "PublishLayerVersion"
                | "DeleteLayerVersion",
            ) => on_protected("changes or stops a detector"),
            // The request names only an ID, not the function.
            ("lambda", "DeleteEventSourceMapping" | "UpdateEventSourceMapping") => {
                by_hand("cuts a function's feed")
            }
            ("sns", "Unsubscribe") => by_hand("cuts somebody's alerts"),
            (
                "sns",
                "DeleteTopic" | "SetTopicAttributes" | "SetSubscriptionAttributes" | "RemovePermission",
            ) => on_protected("cuts the alerts"),
            ("sqs", "DeleteQueue" | "SetQueueAttributes" | "PurgeQueue" | "RemovePermission") => {
                on_protected("cuts a detector's queue")
            }
            ("cloudwatch", "DeleteAlarms" | "DisableAlarmActions" | "SetAlarmState" | "PutAlarmMuteRule") => {
                by_hand("silences an alarm")
            }
            ("cloudwatch", "PutMetricAlarm") => on_protected("changes a detector's alarm"),
            ("dynamodb", "DeleteTable" | "UpdateTimeToLive" | "UpdateTable") => {
                on_protected("takes a detector's memory")
            }
            ("logs", "DeleteLogGroup") => by_hand("deletes logs"),
            ("logs", "DeleteLogStream" | "PutRetentionPolicy" | "DeleteSubscriptionFilter") => {
                on_protected("deletes protected logs")
            }
            ("kms", "DisableKey" | "ScheduleKeyDeletion") => by_hand("takes away an encryption key"),
            ("kms", "PutKeyPolicy" | "RevokeGrant") => on_protected("takes away the alerts' key"),
            ("dynamodb", "PutResourcePolicy" | "DeleteResourcePolicy") => {
                on_protected("lets others write a detector's memory")
            }
            (
                "s3",
                "DeleteBucket"
                | "PutBucketPolicy"
                | "DeleteBucketPolicy"
                | "PutBucketLifecycle"
                | "PutBucketLifecycleConfiguration"
                | "PutLifecycleConfiguration"
                | "PutBucketVersioning"
                | "PutBucketLogging"
                | "PutBucketAcl"
                | "PutBucketEncryption"
                | "DeleteBucketEncryption"
                | "PutBucketReplication"
                | "DeleteBucketReplication"
                | "DeleteObject"
                | "DeleteObjects"
                | "PutObjectLockConfiguration"
                | "PutBucketObjectLockConfiguration"
                | "PutBucketPublicAccessBlock"
                | "PutBucketOwnershipControls",
            ) => on_protected("puts stored logs in danger"),
            (
                "iam",
                "DeleteRole"
                | "DeleteRolePolicy"
                | "PutRolePolicy"
                | "AttachRolePolicy"
                | "DetachRolePolicy"
                | "UpdateAssumeRolePolicy"
                | "PutRolePermissionsBoundary"
                | "DeleteRolePermissionsBoundary",
            ) => on_protected("changes a detector's role"),
            ("scheduler", "DeleteSchedule" | "UpdateSchedule") => on_protected("stops a detector's schedule"),
            ("cloudformation", "UpdateStackSet" | "DeleteStackSet" | "DeleteStackInstances") => {
                on_protected("changes or deletes a detector's stack set")
            }
            ("cloudformation", "DeleteStack" | "UpdateStack" | "CreateChangeSet" | "ExecuteChangeSet") => {
                on_protected("changes or deletes a detector's stack")
            }
            _ => return None,
        })
    }
}
