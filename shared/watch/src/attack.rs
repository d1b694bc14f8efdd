//! Calls that whoever comes in makes first: they stop, blind or starve logging and detection.

use handsoff_trail::Action;

use crate::policy::Policy;

/// What a call attacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attack {
    /// What it does, in plain words: `stops a trail`.
    pub what: &'static str,
    /// How much it takes for the call to be an attack.
    pub scope: Scope,
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

const fn always(what: &'static str) -> Attack {
    Attack { what, scope: Scope::Always }
}

const fn by_hand(what: &'static str) -> Attack {
    Attack { what, scope: Scope::ByHand }
}

const fn on_protected(what: &'static str) -> Attack {
    Attack { what, scope: Scope::OnProtected }
}

impl Attack {
    /// Whether the action attacks logging or detection. `automated`: by a deploy role or a workload.
    /// `resources`: what it is done to.
    pub fn of(
        action: &Action<'_>,
        policy: &Policy,
        automated: bool,
        resources: impl FnOnce() -> Vec<String>,
    ) -> Option<Self> {
        let attack = Self::listed(&action.service, &action.name)?;
        let attacks = match attack.scope {
            Scope::Always => true,
            Scope::ByHand if !automated => true,
            _ => resources().iter().any(|resource| policy.protects(resource)),
        };
        attacks.then_some(attack)
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
            ("cloudtrail", "DeleteEventDataStore" | "StopEventDataStoreIngestion") => {
                always("stops an event data store")
            }
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
            ("organizations", "DetachPolicy") => always("detaches a policy of the organization"),
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
            ("events", "DisableRule" | "DeleteRule" | "RemoveTargets") => {
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
                | "PublishLayerVersion"
                | "DeleteLayerVersion",
            ) => on_protected("changes or stops a detector"),
            // The request names only an ID, not the function.
            ("lambda", "DeleteEventSourceMapping" | "UpdateEventSourceMapping") => {
                by_hand("cuts a function's feed")
            }
            ("sns", "Unsubscribe") => by_hand("cuts somebody's alerts"),
            ("sns", "DeleteTopic" | "SetTopicAttributes" | "SetSubscriptionAttributes") => {
                on_protected("cuts the alerts")
            }
            ("sqs", "DeleteQueue" | "SetQueueAttributes" | "PurgeQueue") => {
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
                | "DeleteObject"
                | "DeleteObjects"
                | "PutObjectLockConfiguration",
            ) => on_protected("puts stored logs in danger"),
            (
                "iam",
                "DeleteRole"
                | "DeleteRolePolicy"
                | "PutRolePolicy"
                | "AttachRolePolicy"
                | "DetachRolePolicy"
                | "UpdateAssumeRolePolicy"
                | "PutRolePermissionsBoundary",
            ) => on_protected("changes a detector's role"),
            ("cloudformation", "DeleteStack" | "UpdateStack" | "CreateChangeSet" | "ExecuteChangeSet") => {
                on_protected("changes or deletes a detector's stack")
            }
            _ => return None,
        })
    }
}
