use handsoff_cloudtrail::Entry;

use super::*;

/// Whether a call by hand, or by the pipeline, is an attack under a policy: whether it is grave.
fn attack(action: &str, rest: &str, pipeline: bool) -> Option<bool> {
    read(action, rest, |action, record, policy| {
        Attack::of(action, record, policy, pipeline).map(|attack| attack.grave)
    })
}

/// The same by a workload.
fn by_workload(action: &str, rest: &str) -> Option<bool> {
    let app = r#","userIdentity":{"type":"AssumedRole","accountId":"111122223333",
        "arn":"arn:aws:sts::111122223333:assumed-role/app/s",
        "sessionContext":{"sessionIssuer":{"type":"Role","arn":"arn:aws:iam::111122223333:role/app"}}}"#;
    attack(action, &format!("{rest}{app}"), false)
}

fn read<T>(action: &str, rest: &str, then: impl FnOnce(&Action<'_>, &Record<'_>, &Policy) -> T) -> T {
    let (service, name) = action.split_once(':').unwrap();
    let json = format!(
        r#"{{"eventSource":"{service}.amazonaws.com","eventName":"{name}","awsRegion":"eu-west-1",
        "recipientAccountId":"111122223333"{rest}}}"#
    );
    let policy = r#"[protected]
resources = ["*handsoff*", "arn:aws:kms:*:*:key/1234"]

[[workload]]
identity = "arn:aws:iam::*:role/app"
may_write = []"#;
    let policy = Policy::parse("handsoff.toml", policy).unwrap();
    let (Entry::Record(record), _) = Record::read(&json).unwrap() else { panic!("a record") };
    then(&Action::of(&record), &record, &policy)
}

fn asked(parameters: &str) -> String {
    format!(r#","requestParameters":{parameters}"#)
}

#[test]
fn the_table_is_sound_and_every_row_says_what_it_does_and_where_that_stands() {
    let mut seen = 0;
    let mut last = String::new();
    for line in TABLE.lines() {
        let (key, rest) = line.split_once(' ').unwrap();
        let (service, action) = key.split_once(':').unwrap();
        let (attack, keeps) =
            Attack::listed(service, &action.to_uppercase()).unwrap_or_else(|| panic!("{line}"));
        assert!(
            attack.what.len() > 5 && rest.split_once(" | ").is_some_and(|(_, source)| source.len() > 5),
            "{line}"
        );
        let rules = ["flags", "switches", "selectors", "lists", "alarm", "logging", "logs"];
        assert!(keeps.is_none_or(|keeps| rules.contains(&keeps)), "{line}");
        let key = key.to_lowercase();
        assert!(last < key, "{key} is sorted");
        last = key;
        seen += 1;
    }
    assert!(seen > 200, "{seen}");
}

/// Detection taken away by its administrator, or in a service that nobody thinks of.
#[test]
fn logging_and_detection_are_cut_in_many_ways() {
    for action in "guardduty:DisableOrganizationAdminAccount guardduty:UpdateOrganizationConfiguration \
        guardduty:UpdateMemberDetectors cloudtrail:DeregisterOrganizationDelegatedAdmin \
        organizations:DeregisterDelegatedAdministrator organizations:CloseAccount macie2:UpdateMacieSession \
        macie2:DisableOrganizationAdminAccount securityhub:DeleteMembers securityhub:DisableOrganizationAdminAccount \
        detective:DisableOrganizationAdminAccount inspector2:DisableDelegatedAdminAccount securitylake:DeleteDataLake \
        bedrock:DeleteModelInvocationLoggingConfiguration signin:DeleteConsoleAuthorizationConfiguration \
        signin:DeleteResourcePermissionStatement cloudtrail:stoplogging CloudTrail:STOPLOGGING"
        .split_whitespace()
    {
        assert_eq!(attack(action, "", false), Some(true), "{action}");
        assert_eq!(attack(action, "", true), Some(true), "{action} by the pipeline");
    }
    for action in "guardduty:CreateThreatIntelSet guardduty:CreateThreatEntitySet securityhub:CreateAutomationRule \
        securityhub:DisableImportFindingsForProduct inspector2:CreateFilter access-analyzer:CreateArchiveRule \
        redshift:DisableLogging backup:DeleteBackupVaultNotifications config:DeleteConfigRule \
        logs:DeleteDestination vpc-lattice:DeleteAccessLogSubscription signin:PutConsoleAuthorizationConfiguration \
        signin:PutResourcePermissionStatement signin:BatchRevokeSessions organizations:UpdatePolicy \
        logs:DeleteSubscriptionFilter logs:DeleteMetricFilter rds:StopActivityStream budgets:DeleteBudget \
        ssm-contacts:DeleteContactChannel account:PutAlternateContact events:DeleteApiDestination \
        observabilityadmin:StopTelemetryEvaluation security-ir:CancelMembership"
        .split_whitespace()
    {
        assert_eq!(attack(action, "", false), Some(false), "{action}");
        assert_eq!(attack(action, "", true), None, "{action} by the pipeline");
    }
    for action in ["elasticloadbalancing:DeleteRule", "waf-regional:DeleteRule"] {
        assert_eq!(attack(action, "", false), None, "{action}");
    }
}

#[test]
fn switching_on_is_no_attack_and_switching_off_is_one() {
    for (action, on, off) in [
        (
            "guardduty:UpdateDetector",
            r#"{"detectorId":"d","enable":true}"#,
            r#"{"detectorId":"d","enable":false}"#,
        ),
        (
            "guardduty:UpdateDetector",
            r#"{"enable":true,"features":[{"name":"EKS_AUDIT_LOGS","status":"ENABLED"}]}"#,
            r#"{"enable":true,"features":[{"name":"EKS_AUDIT_LOGS","status":"DISABLED"}]}"#,
        ),
        (
            "guardduty:UpdateOrganizationConfiguration",
            r#"{"detectorId":"d","autoEnableOrganizationMembers":"ALL"}"#,
            r#"{"detectorId":"d","autoEnableOrganizationMembers":"NONE"}"#,
        ),
        ("macie2:UpdateMacieSession", r#"{"status":"ENABLED"}"#, r#"{"status":"PAUSED"}"#),
        (
            "cloudtrail:UpdateTrail",
            r#"{"name":"t","enableLogFileValidation":true}"#,
            r#"{"name":"t","enableLogFileValidation":false}"#,
        ),
        (
            "cloudtrail:UpdateTrail",
            r#"{"name":"t","isMultiRegionTrail":"true"}"#,
            r#"{"name":"t","isMultiRegionTrail":true,"s3BucketName":"mine"}"#,
        ),
        (
            "cloudtrail:PutInsightSelectors",
            r#"{"trailName":"t","insightSelectors":[{"insightType":"ApiCallRateInsight"}]}"#,
            r#"{"trailName":"t","insightSelectors":[]}"#,
        ),
        (
            "cloudtrail:PutEventSelectors",
            r#"{"eventSelectors":[{"readWriteType":"All","includeManagementEvents":true,"dataResources":[{"type":"AWS::S3::Object"}]}]}"#,
            r#"{"eventSelectors":[{"readWriteType":"All","includeManagementEvents":false,"dataResources":[{"type":"AWS::S3::Object"}]}]}"#,
        ),
        (
            "cloudtrail:PutEventSelectors",
            r#"{"advancedEventSelectors":[{"fieldSelectors":[{"field":"eventCategory","equals":["Management"]}]},{"fieldSelectors":[{"field":"eventCategory","equals":["Data"]},{"field":"resources.type","equals":["AWS::S3::Object"]}]}]}"#,
            r#"{"advancedEventSelectors":[{"fieldSelectors":[{"field":"eventCategory","equals":["Management"]},{"field":"readOnly","equals":["true"]}]},{"fieldSelectors":[{"field":"eventCategory","equals":["Data"]}]}]}"#,
        ),
        (
            "cloudtrail:PutEventSelectors",
            r#"{"eventSelectors":[{"dataResources":[{"type":"AWS::S3::Object"}],"excludeManagementEventSources":[]}]}"#,
            r#"{"eventSelectors":[{"dataResources":[{"type":"AWS::S3::Object"}],"excludeManagementEventSources":["kms.amazonaws.com"]}]}"#,
        ),
        (
            "config:PutConfigurationRecorder",
            r#"{"configurationRecorder":{"name":"default","recordingGroup":{"allSupported":true}}}"#,
            r#"{"configurationRecorder":{"name":"default","recordingGroup":{"allSupported":false}}}"#,
        ),
        (
            "securityhub:UpdateStandardsControl",
            r#"{"controlStatus":"ENABLED"}"#,
            r#"{"controlStatus":"DISABLED"}"#,
        ),
        (
            "monitoring:SetAlarmState",
            r#"{"alarmName":"a","stateValue":"ALARM"}"#,
            r#"{"alarmName":"a","stateValue":"OK"}"#,
        ),
        (
            "lambda:UpdateEventSourceMapping20150331",
            r#"{"uUID":"x","enabled":true}"#,
            r#"{"uUID":"x","enabled":false}"#,
        ),
        (
            "eks:UpdateClusterConfig",
            r#"{"name":"c","logging":{"clusterLogging":[{"types":["audit"],"enabled":true}]}}"#,
            r#"{"name":"c","logging":{"clusterLogging":[{"types":["audit"],"enabled":false}]}}"#,
        ),
        (
            "eks:UpdateClusterConfig",
            r#"{"name":"c","resourcesVpcConfig":{"endpointPublicAccess":false}}"#,
            "null",
        ),
        (
            "network-firewall:UpdateLoggingConfiguration",
            r#"{"loggingConfiguration":{"logDestinationConfigs":[{"logType":"FLOW"}]}}"#,
            r#"{"loggingConfiguration":{"logDestinationConfigs":[]}}"#,
        ),
    ] {
        assert_eq!(attack(action, &asked(on), false), None, "{action} {on}");
        assert!(attack(action, &asked(off), false).is_some(), "{action} {off}");
        assert!(attack(action, "", false).is_some(), "{action} of which nothing is told");
    }
}

#[test]
fn what_the_request_has_only_an_id_of_is_known_by_the_answer() {
    let mapping = r#","requestParameters":{"uUID":"x"},"responseElements":{"uUID":"x",
        "functionArn":"arn:aws:lambda:eu-west-1:111122223333:function:handsoff-drift"}"#;
    assert_eq!(attack("lambda:DeleteEventSourceMapping20150331", mapping, true), Some(true));
    assert_eq!(attack("lambda:DeleteEventSourceMapping20150331", mapping, false), Some(true));
    let other = mapping.replace("handsoff-drift", "orders");
    assert_eq!(attack("lambda:DeleteEventSourceMapping20150331", &other, false), Some(false));
    let key = asked(r#"{"keyId":"1234"}"#);
    assert_eq!(attack("kms:PutKeyPolicy", &key, true), Some(true), "listed by its ARN, asked for by its ID");
    assert_eq!(attack("kms:PutKeyPolicy", &asked(r#"{"keyId":"5678"}"#), false), None);
    let answered = r#","requestParameters":{"keyId":"alias/x"},"responseElements":{"keyId":"arn:aws:kms:eu-west-1:111122223333:key/1234"}"#;
    assert_eq!(attack("kms:DisableKey", answered, true), Some(true));
}

#[test]
fn a_change_set_by_its_arn_alone_may_be_of_any_stack() {
    let by_arn = asked(r#"{"changeSetName":"arn:aws:cloudformation:eu-west-1:111122223333:changeSet/x/1"}"#);
    assert_eq!(attack("cloudformation:ExecuteChangeSet", &by_arn, false), Some(false));
    assert_eq!(attack("cloudformation:ExecuteChangeSet", &by_arn, true), None);
    let named = |stack: &str| asked(&format!(r#"{{"changeSetName":"x","stackName":"{stack}"}}"#));
    assert_eq!(attack("cloudformation:ExecuteChangeSet", &named("orders"), false), None);
    assert_eq!(attack("cloudformation:ExecuteChangeSet", &named("handsoff"), true), Some(true));
}

/// The newer EventBridge beside the classic bus has an event source of its own.
#[test]
fn the_newer_eventbridge_feeds_detectors_too() {
    for action in "CreateSubscriber UpdateSubscriber DeleteSubscriber RevokeResource DeleteEventSource \
        PutResourcePolicy DeleteResourcePolicy"
        .split_whitespace()
    {
        let action = format!("eventsv2:{action}");
        let ours = asked(r#"{"name":"handsoff-events"}"#);
        assert_eq!(attack(&action, &ours, false), Some(true), "{action}");
        assert_eq!(attack(&action, &asked(r#"{"name":"orders"}"#), false), None, "{action}");
    }
}

/// Everyday calls that a log may end by: only what says so counts, and nothing that isn't in the record.
#[test]
fn a_log_that_ends_is_an_attack_and_one_that_is_off_is_none() {
    for (action, ends, goes_on) in [
        (
            "kafka:UpdateMonitoring",
            r#"{"clusterArn":"arn:aws:kafka:x","currentVersion":"K1","loggingInfo":{"brokerLogs":{"s3":{"enabled":false}}}}"#,
            r#"{"clusterArn":"arn:aws:kafka:x","currentVersion":"K1","enhancedMonitoring":"PER_BROKER","loggingInfo":{"brokerLogs":{"s3":{"enabled":false}}}}"#,
        ),
        (
            "mq:UpdateBroker",
            r#"{"brokerId":"b-1","engineVersion":null,"logs":{"audit":false,"general":false}}"#,
            r#"{"brokerId":"b-1","engineVersion":"5.18","logs":{"audit":false,"general":false}}"#,
        ),
        // As Kubernetes' AWS cloud provider sends them for each Service.
        (
            "elasticloadbalancing:ModifyLoadBalancerAttributes",
            r#"{"loadBalancerName":"a1","loadBalancerAttributes":{"accessLog":{"enabled":false}}}"#,
            r#"{"loadBalancerName":"a1","loadBalancerAttributes":{"accessLog":{"enabled":false},"connectionDraining":{"enabled":false},"connectionSettings":{"idleTimeout":60},"crossZoneLoadBalancing":{"enabled":false}}}"#,
        ),
        (
            "rds:ModifyDBCluster",
            r#"{"cloudwatchLogsExportConfiguration":{"disableLogTypes":["audit"]}}"#,
            r#"{"cloudwatchLogsExportConfiguration":{"enableLogTypes":["audit"],"disableLogTypes":[]}}"#,
        ),
        (
            "elasticloadbalancing:ModifyLoadBalancerAttributes",
            r#"{"attributes":[{"key":"access_logs.s3.enabled","value":"false"}]}"#,
            r#"{"attributes":[{"key":"access_logs.s3.enabled","value":"false"},{"key":"idle_timeout.timeout_seconds","value":"60"}]}"#,
        ),
        (
            "elasticloadbalancing:ModifyLoadBalancerAttributes",
            r#"{"loadBalancerAttributes":{"accessLog":{"enabled":false}}}"#,
            r#"{"loadBalancerAttributes":{"crossZoneLoadBalancing":{"enabled":false}}}"#,
        ),
        (
            "apigateway:UpdateStage",
            r#"{"patchOperations":[{"op":"remove","path":"/accessLogSettings"}]}"#,
            r#"{"patchOperations":[{"op":"remove","path":"/canarySettings"}]}"#,
        ),
        (
            "ec2:ModifyClientVpnEndpoint",
            r#"{"ModifyClientVpnEndpointRequest":{"ConnectionLogOptions":{"Enabled":false}}}"#,
            r#"{"ModifyClientVpnEndpointRequest":{"ConnectionLogOptions":{"Enabled":true}}}"#,
        ),
        ("iot:SetV2LoggingOptions", r#"{"disableAllLogs":true}"#, r#"{"disableAllLogs":false}"#),
    ] {
        assert_eq!(attack(action, &asked(ends), false), Some(false), "{action} {ends}");
        assert_eq!(attack(action, &asked(ends), true), None, "{action} by the pipeline");
        assert_eq!(attack(action, &asked(goes_on), false), None, "{action} {goes_on}");
        assert_eq!(attack(action, "", false), None, "{action} without parameters");
        let (service, name) = action.split_once(':').unwrap();
        assert!(!Attack::is_listed(&Action::named(service, name)), "{action} by itself shows nothing");
    }
}

#[test]
fn a_log_that_is_off_among_other_settings_is_said() {
    let off = |action: &str, asked_for: &str| {
        read(action, &asked(asked_for), |action, record, _| Attack::leaves_log_off(action, record))
    };
    let balancer = "elasticloadbalancing:ModifyLoadBalancerAttributes";
    let log = |value: &str| format!(r#"{{"key":"access_logs.s3.enabled","value":"{value}"}}"#);
    let idle = r#"{"key":"idle_timeout.timeout_seconds","value":"60"}"#;
    for (first, second, is_off) in [
        (log("false"), idle.to_owned(), true),
        (idle.to_owned(), log("false"), true),
        (log("true"), idle.to_owned(), false),
        (idle.to_owned(), idle.to_owned(), false),
    ] {
        let asked = format!(r#"{{"attributes":[{first},{second}]}}"#);
        assert_eq!(off(balancer, &asked), is_off, "{asked}");
    }
    let broker = r#"{"engineVersion":"5.18","logs":{"audit":false}}"#;
    assert!(off("mq:UpdateBroker", broker));
    assert!(!off("mq:CreateBroker", broker), "no action that the table has");
}

/// Forwarders of logs and controllers make such calls all day.
#[test]
fn a_workloads_daily_work_is_an_attack_by_people_and_on_what_is_protected() {
    let ends = asked(r#"{"attributes":[{"key":"access_logs.s3.enabled","value":"false"}]}"#);
    for (action, rest) in [
        ("logs:DeleteSubscriptionFilter", asked(r#"{"logGroupName":"orders"}"#)),
        ("logs:DeleteMetricFilter", asked("null")),
        ("monitoring:DeleteAnomalyDetector", asked("null")),
        ("events:DeleteConnection", asked(r#"{"name":"orders"}"#)),
        ("elasticloadbalancing:ModifyLoadBalancerAttributes", ends),
    ] {
        assert_eq!(by_workload(action, &rest), None, "{action}");
        assert_eq!(attack(action, &rest, false), Some(false), "{action} by hand");
        assert_eq!(attack(action, &rest, true), None, "{action} by the pipeline");
    }
    let ours = asked(r#"{"logGroupName":"/aws/lambda/handsoff-drift"}"#);
    assert_eq!(by_workload("logs:DeleteSubscriptionFilter", &ours), Some(true));
    for action in ["monitoring:DeleteAlarms", "guardduty:CreateFilter", "rds:StopActivityStream"] {
        assert_eq!(by_workload(action, ""), Some(false), "{action}");
    }
    assert_eq!(by_workload("cloudtrail:StopLogging", ""), Some(true));
}
