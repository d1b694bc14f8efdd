//! What others than the pipeline change: AWS itself, running software, people; and sign-ins.

use super::deploy::EXTRA;
use super::{Call, call};

/// What AWS services change under their service-linked roles.
pub(crate) const LINKED: &[Call] = &[
    call(30, "ec2", "RunInstances").asks(r#"{"instancesSet":{"items":[{"minCount":1,"maxCount":1}]},"blockDeviceMapping":{},"availabilityZone":"<region>a","monitoring":{"enabled":false},"subnetId":"<subnet>","disableApiTermination":false,"disableApiStop":false,"clientToken":"fleet-<uuid>-0","tagSpecificationSet":{"items":[{"resourceType":"instance","tags":[{"key":"aws:autoscaling:groupName","value":"<system>"}]}]},"launchTemplate":{"launchTemplateId":"<lt>","version":"<num.40>"}}"#)
        .gets(r#"{"requestId":"<reqid>","reservationId":"r-0f2<num.999999>","ownerId":"<account>","groupSet":{},"instancesSet":{"items":[{"instanceId":"<instance>","imageId":"<ami>","instanceState":{"code":0,"name":"pending"},"amiLaunchIndex":0,"productCodes":{},"instanceType":"m7i.large","launchTime":<millis>,"placement":{"availabilityZone":"<region>a","tenancy":"default"},"monitoring":{"state":"disabled"},"subnetId":"<subnet>","vpcId":"<vpc>","privateIpAddress":"<privateip>","architecture":"x86_64","rootDeviceType":"ebs","virtualizationType":"hvm","hypervisor":"xen","tagSet":{"items":[{"key":"aws:autoscaling:groupName","value":"<system>"}]}}]},"requesterId":"940372691376"}"#)
        .by("autoscaling", "AWSServiceRoleForAutoScaling"),
    call(30, "ec2", "TerminateInstances").asks(r#"{"instancesSet":{"items":[{"instanceId":"<instance>"}]}}"#)
        .gets(r#"{"requestId":"<reqid>","instancesSet":{"items":[{"instanceId":"<instance>","currentState":{"code":32,"name":"shutting-down"},"previousState":{"code":16,"name":"running"}}]}}"#)
        .by("autoscaling", "AWSServiceRoleForAutoScaling"),
    call(60, "elasticloadbalancing", "RegisterTargets").asks(r#"{"targetGroupArn":"arn:aws:elasticloadbalancing:<region>:<account>:targetgroup/<lb>","targets":[{"id":"<privateip>","port":8080,"availabilityZone":"<region>b"}]}"#)
        .by("ecs", "AWSServiceRoleForECS"),
    call(50, "ec2", "CreateNetworkInterface").asks(r#"{"subnetId":"<subnet>","description":"AWS Lambda VPC ENI-<system>-<stableid>","groupSet":{"items":[{"groupId":"<sg>"}]},"privateIpAddressesSet":{},"ipv6AddressCount":0,"clientToken":"<uuid>"}"#)
        .gets(r#"{"requestId":"<reqid>","networkInterface":{"networkInterfaceId":"<eni>","subnetId":"<subnet>","vpcId":"<vpc>","availabilityZone":"<region>b","description":"AWS Lambda VPC ENI-<system>-<stableid>","ownerId":"<account>","requesterManaged":false,"status":"pending","macAddress":"0a:f2:00:5d:20:0b","privateIpAddress":"<privateip>","sourceDestCheck":true,"interfaceType":"lambda","groupSet":{"items":[{"groupId":"<sg>","groupName":"<system>"}]},"tagSet":{}}}"#)
        .by("lambda", "AWSServiceRoleForLambda"),
    call(40, "ec2", "DeleteNetworkInterface").asks(r#"{"networkInterfaceId":"<eni>"}"#).gets(r#"{"requestId":"<reqid>","_return":true}"#)
        .by("ecs", "AWSServiceRoleForECS"),
    call(40, "ecs", "UpdateService").asks(r#"{"cluster":"main","service":"<system>","desiredCount":<num.20>}"#)
        .by("ecs.application-autoscaling", "AWSServiceRoleForApplicationAutoScaling_ECSService"),
    call(40, "monitoring", "PutMetricAlarm").asks(r#"{"alarmName":"TargetTracking-service/main/<system>-AlarmHigh-<stableid>","alarmDescription":"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy arn:aws:autoscaling:<region>:<account>:scalingPolicy:<stableid>:resource/ecs/service/main/<system>.","metricName":"CPUUtilization","namespace":"AWS/ECS","statistic":"Average","period":60,"evaluationPeriods":3,"threshold":60.0,"comparisonOperator":"GreaterThanThreshold"}"#)
        .by("ecs.application-autoscaling", "AWSServiceRoleForApplicationAutoScaling_ECSService"),
    call(20, "config", "PutEvaluations").by("config", "AWSServiceRoleForConfig"),
    call(20, "ec2", "CreateSnapshot").asks(r#"{"volumeId":"<vol>","description":"Created by AWS Backup"}"#)
        .gets(r#"{"requestId":"<reqid>","snapshotId":"<snap>","volumeId":"<vol>","status":"pending","startTime":<millis>,"progress":"","ownerId":"<account>","volumeSize":"100","encrypted":true}"#)
        .by("backup", "AWSServiceRoleForBackup"),
];

/// What AWS services change as themselves.
pub(crate) const SERVICE: &[Call] = &[
    call(4, "kms", "CreateGrant").asks(r#"{"keyId":"arn:aws:kms:<region>:<account>:key/<key>","granteePrincipal":"rds.<region>.amazonaws.com","retiringPrincipal":"rds.<region>.amazonaws.com","operations":["Decrypt","Encrypt","GenerateDataKey","DescribeKey"],"constraints":{"encryptionContextSubset":{"aws:rds:db-id":"db-<akid>"}}}"#)
        .gets(r#"{"grantId":"<uuid>","keyId":"arn:aws:kms:<region>:<account>:key/<key>"}"#).on("AWS::KMS::Key", "arn:aws:kms:<region>:<account>:key/<key>").by("rds", ""),
    call(6, "s3", "PutObject").asks(r#"{"bucketName":"acme-trail","Host":"acme-trail.s3.<region>.amazonaws.com","x-amz-acl":"bucket-owner-full-control","x-amz-server-side-encryption":"aws:kms","key":"AWSLogs/<account>/CloudTrail/<region>/<date>/<account>_CloudTrail_<region>.json.gz"}"#)
        .adds(EXTRA).on("AWS::S3::Object", "arn:aws:s3:::acme-trail/AWSLogs/<account>/CloudTrail/<region>/<date>/<account>_CloudTrail_<region>.json.gz").data().by("cloudtrail", ""),
    call(3, "logs", "CreateLogStream").asks(r#"{"logGroupName":"/aws/vpc/flow","logStreamName":"<eni>-all"}"#).by("delivery.logs", ""),
];

/// What AWS does without a call.
pub(crate) const EVENTS: &[Call] = &[
    call(3, "kms", "RotateKey").on("AWS::KMS::Key", "arn:aws:kms:<region>:<account>:key/<key>").by("kms", ""),
    call(3, "secretsmanager", "RotationStarted")
        .adds(r#"{"SecretId":"arn:aws:secretsmanager:<region>:<account>:secret:<secret>"}"#)
        .by("secretsmanager", ""),
    call(2, "ec2", "BidEvictedEvent").by("ec2", ""),
];

/// What instances change.
pub(crate) const INSTANCE: &[Call] = &[
    call(60, "ssm", "UpdateInstanceInformation").asks(r#"{"instanceId":"<me.instance>","agentVersion":"3.3.1611.0","agentStatus":"Active","platformType":"Linux","platformName":"Amazon Linux","platformVersion":"2023","iPAddress":"<privateip>","computerName":"ip-10-0-1-10.<region>.compute.internal","agentName":"amazon-ssm-agent","availabilityZone":"<region>a"}"#),
    call(10, "ssm", "PutInventory").asks(r#"{"instanceId":"<me.instance>","items":[{"typeName":"AWS:InstanceInformation","schemaVersion":"1.0","captureTime":"<time>","contentHash":"<b64.22>=="}]}"#),
    call(10, "ssm", "UpdateInstanceAssociationStatus").asks(r#"{"associationId":"<stableid>","instanceId":"<me.instance>","executionResult":{"status":"Success","executionSummary":"1 out of 1 plugin processed, 1 success, 0 failed","outputUrl":{"s3OutputUrl":{"outputUrl":""}}}}"#),
    call(6, "autoscaling", "CompleteLifecycleAction").asks(r#"{"lifecycleHookName":"ready","autoScalingGroupName":"<me.system>","lifecycleActionResult":"CONTINUE","instanceId":"<me.instance>"}"#),
];

/// What functions and containers change.
pub(crate) const SOFTWARE: &[Call] = &[
    call(40, "s3", "PutObject").asks(r#"{"bucketName":"<bucket>","Host":"<bucket>.s3.<region>.amazonaws.com","x-amz-server-side-encryption":"aws:kms","key":"<date>/<system>/part-<num.4000>.parquet"}"#)
        .gets(r#"{"x-amz-server-side-encryption":"aws:kms","x-amz-server-side-encryption-aws-kms-key-id":"arn:aws:kms:<region>:<account>:key/<key>"}"#)
        .adds(EXTRA).on("AWS::S3::Object", "arn:aws:s3:::<bucket>/<date>/<system>/part.parquet").data(),
    call(10, "s3", "DeleteObject").asks(r#"{"bucketName":"<bucket>","Host":"<bucket>.s3.<region>.amazonaws.com","key":"tmp/<uuid>"}"#).adds(EXTRA)
        .on("AWS::S3::Object", "arn:aws:s3:::<bucket>/tmp").data(),
    call(40, "logs", "CreateLogStream").asks(r#"{"logGroupName":"/aws/lambda/<me.system>","logStreamName":"<date>/[$LATEST]<commit>"}"#),
    call(10, "sqs", "PurgeQueue").asks(r#"{"queueUrl":"https://sqs.<region>.amazonaws.com/<account>/<system>"}"#).on("AWS::SQS::Queue", "arn:aws:sqs:<region>:<account>:<system>"),
    call(8, "states", "StartExecution").asks(r#"{"stateMachineArn":"arn:aws:states:<region>:<account>:stateMachine:<system>","name":"<uuid>","input":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#)
        .gets(r#"{"executionArn":"arn:aws:states:<region>:<account>:execution:<system>:<uuid>","startDate":"<spelled>"}"#),
];

/// What people change by hand.
pub(crate) const HUMAN: &[Call] = &[
    call(10, "ec2", "AuthorizeSecurityGroupIngress").asks(r#"{"groupId":"<sg>","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":22,"toPort":22,"groups":{},"ipRanges":{"items":[{"cidrIp":"<me.ip>/32","description":"quick test \"home\""}]},"ipv6Ranges":{},"prefixListIds":{}}]}}"#)
        .gets(r#"{"requestId":"<reqid>","_return":true,"securityGroupRuleSet":{"items":[{"groupOwnerId":"<account>","groupId":"<sg>","securityGroupRuleId":"<sgr>","isEgress":false,"ipProtocol":"tcp","fromPort":22,"toPort":22,"cidrIpv4":"<me.ip>/32"}]}}"#),
    call(8, "ec2", "StopInstances").asks(r#"{"instancesSet":{"items":[{"instanceId":"<instance>"}]},"force":false}"#)
        .gets(r#"{"requestId":"<reqid>","instancesSet":{"items":[{"instanceId":"<instance>","currentState":{"code":64,"name":"stopping"},"previousState":{"code":16,"name":"running"}}]}}"#),
    call(6, "ec2", "ModifyInstanceAttribute").asks(r#"{"instanceId":"<instance>","instanceType":{"value":"m7i.xlarge"}}"#).gets(r#"{"requestId":"<reqid>","_return":true}"#),
    call(6, "ec2", "CreateTags").asks(r#"{"resourcesSet":{"items":[{"resourceId":"<instance>"}]},"tagSet":{"items":[{"key":"Owner","value":"<me.person>"},{"key":"readOnly","value":"true"}]}}"#).gets(r#"{"requestId":"<reqid>","_return":true}"#),
    call(6, "iam", "AttachUserPolicy").asks(r#"{"userName":"<person>","policyArn":"arn:aws:iam::aws:policy/AdministratorAccess"}"#).global(),
    call(5, "iam", "CreateAccessKey").asks(r#"{"userName":"<person>"}"#)
        .gets(r#"{"accessKey":{"userName":"<person>","accessKeyId":"AKIA<acct8><akid>","status":"Active","createDate":"<spelled>"}}"#).global(),
    call(5, "iam", "PutRolePolicy").asks(r#"{"roleName":"<system>-function","policyName":"hotfix","policyDocument":"<policy>"}"#).global(),
    call(4, "iam", "UpdateAssumeRolePolicy").asks(r#"{"roleName":"<system>-function","policyDocument":"{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [{\"Effect\": \"Allow\", \"Principal\": {\"AWS\": \"arn:aws:iam::<account>:root\"}, \"Action\": \"sts:AssumeRole\"}]\n}"}"#).global(),
    call(8, "lambda", "UpdateFunctionConfiguration20150331v2").asks(r#"{"functionName":"<system>","timeout":60,"environment":{},"fileSystemConfigs":[{"arn":"arn:aws:elasticfilesystem:<region>:<account>:access-point/fsap-0<stableid>","localMountPath":"/mnt","readOnly":true}]}"#)
        .gets(r#"{"functionName":"<system>","functionArn":"arn:aws:lambda:<region>:<account>:function:<system>","runtime":"provided.al2023","timeout":60,"lastModified":"<time>","environment":{},"revisionId":"<uuid>","state":"Active"}"#),
    call(6, "s3", "PutBucketPolicy").asks(r#"{"bucketName":"<bucket>","Host":"<bucket>.s3.<region>.amazonaws.com","policy":"","bucketPolicy":{"Version":"2012-10-17","Statement":[{"Sid":"Temp","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::<bucket>/*"}]}}"#)
        .adds(EXTRA).on("AWS::S3::Bucket", "arn:aws:s3:::<bucket>"),
    call(8, "ecs", "UpdateService").asks(r#"{"cluster":"main","service":"<system>","desiredCount":<num.12>,"forceNewDeployment":true}"#)
        .gets(r#"{"service":{"serviceArn":"arn:aws:ecs:<region>:<account>:service/main/<system>","serviceName":"<system>","status":"ACTIVE","desiredCount":4}}"#),
    call(6, "rds", "RebootDBInstance").asks(r#"{"dBInstanceIdentifier":"<system>","forceFailover":true}"#).gets(r#"{"dBInstanceIdentifier":"<system>","dBInstanceStatus":"rebooting","engine":"postgres"}"#),
    call(6, "ssm", "StartSession").asks(r#"{"target":"<instance>"}"#).gets(r#"{"sessionId":"<me.person>@example.com-<stableid>","tokenValue":"Value hidden due to security reasons.","streamUrl":"wss://ssmmessages.<region>.amazonaws.com/v1/data-channel/<me.person>@example.com-<stableid>"}"#),
    call(5, "ssm", "PutParameter").asks(r#"{"name":"/<system>/config","value":"HIDDEN_DUE_TO_SECURITY_REASONS","type":"SecureString","overwrite":true}"#).gets(r#"{"version":<num.80>,"tier":"Standard"}"#),
    call(3, "cloudshell", "createSession").asks(r#"{"EnvironmentId":"<stableid>"}"#).gets(r#"{"SessionId":"<me.run>","StreamUrl":"HIDDEN_DUE_TO_SECURITY_REASONS","TokenValue":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#),
    call(3, "ec2-instance-connect", "SendSSHPublicKey ").asks(r#"{"instanceId":"<instance>","instanceOSUser":"ec2-user","sSHPublicKey":"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI<b64.40>"}"#),
    call(3, "route53", "ChangeResourceRecordSets").asks(r#"{"hostedZoneId":"Z0315467EXAMPLE1","changeBatch":{"changes":[{"action":"UPSERT","resourceRecordSet":{"name":"<system>.example.com","type":"A","tTL":60,"resourceRecords":[{"value":"<me.ip>"}]}}]}}"#).global(),
    call(2, "kms", "ScheduleKeyDeletion").asks(r#"{"keyId":"<key>","pendingWindowInDays":7}"#).gets(r#"{"keyId":"arn:aws:kms:<region>:<account>:key/<key>","keyState":"PendingDeletion","deletionDate":"<spelled>","pendingWindowInDays":7}"#),
    call(1, "cloudtrail", "StopLogging").asks(r#"{"name":"arn:aws:cloudtrail:<region>:<account>:trail/organization"}"#),
    call(3, "logs", "DeleteLogGroup").asks(r#"{"logGroupName":"/aws/lambda/<system>"}"#),
];

/// What root changes, once there.
pub(crate) const ROOT: &[Call] = &[
    call(3, "account", "PutAlternateContact").asks(r#"{"alternateContactType":"SECURITY","emailAddress":"HIDDEN_DUE_TO_SECURITY_REASONS","name":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#).global(),
    call(2, "iam", "CreateVirtualMFADevice").asks(r#"{"path":"/","virtualMFADeviceName":"root"}"#).gets(r#"{"virtualMFADevice":{"serialNumber":"arn:aws:iam::<account>:mfa/root"}}"#).global(),
    call(2, "s3", "DeleteBucketPolicy").asks(r#"{"bucketName":"<bucket>","Host":"<bucket>.s3.<region>.amazonaws.com","policy":""}"#).adds(EXTRA).on("AWS::S3::Bucket", "arn:aws:s3:::<bucket>"),
];

/// What a service changes for root.
pub(crate) const ROOT_SERVICE: &[Call] = &[call(1, "ec2", "TerminateInstances")
    .asks(r#"{"instancesSet":{"items":[{"instanceId":"<instance>"}]}}"#)
    .by("autoscaling", "")];

/// A user of the account signs in.
pub(crate) const SIGN_IN: &[Call] = &[
    call(4, "signin", "ConsoleLogin").gets(r#"{"ConsoleLogin":"Success"}"#)
        .adds(r#"{"LoginTo":"https://console.aws.amazon.com/console/home?hashArgs=%23&isauthcode=true&state=hashArgsFromTB_<region>_<stableid>","MobileVersion":"No","MFAUsed":"Yes"}"#),
    call(1, "signin", "ConsoleLogin").gets(r#"{"ConsoleLogin":"Failure"}"#)
        .adds(r#"{"LoginTo":"https://console.aws.amazon.com/console/home?hashArgs=%23&isauthcode=true","MobileVersion":"No","MFAUsed":"No"}"#),
];

/// A role signs in or is switched to.
pub(crate) const ROLE_SIGN_IN: &[Call] = &[
    call(4, "signin", "ConsoleLogin").gets(r#"{"ConsoleLogin":"Success"}"#).adds(r#"{"MobileVersion":"No","MFAUsed":"No"}"#),
    call(1, "signin", "SwitchRole").gets(r#"{"SwitchRole":"Success"}"#)
        .adds(r#"{"SwitchFrom":"arn:aws:iam::<account>:user/<me.person>","RedirectTo":"https://<region>.console.aws.amazon.com/console/home"}"#),
];
