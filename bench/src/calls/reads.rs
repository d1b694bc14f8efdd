//! Calls that change nothing.

use super::{Call, call};

const ROLE_SESSION: &str = r#"{"credentials":{"accessKeyId":"ASIA<acct8><akid>","sessionToken":"IQoJb3JpZ2luX2VjE<b64.320>==","expiration":"<expiry>"},"assumedRoleUser":{"assumedRoleId":"AROA<acct8>5QHTEXAMP:<stableid>","arn":"arn:aws:sts::<account>:assumed-role/<system>-function/<stableid>"}}"#;

/// What a pipeline asks before it changes anything, and what people ask on the command line.
pub(crate) const INFRASTRUCTURE: &[Call] = &[
    call(30, "ec2", "DescribeVpcs").asks(r#"{"vpcSet":{"items":[{"vpcId":"<vpc>"}]},"filterSet":{}}"#),
    call(30, "ec2", "DescribeVpcAttribute").asks(r#"{"vpcId":"<vpc>","attribute":"enableDnsHostnames"}"#),
    call(45, "ec2", "DescribeSubnets").asks(r#"{"subnetSet":{"items":[{"subnetId":"<subnet>"}]},"filterSet":{}}"#),
    call(60, "ec2", "DescribeSecurityGroups").asks(r#"{"securityGroupSet":{},"securityGroupIdSet":{"items":[{"groupId":"<sg>"}]},"filterSet":{}}"#),
    call(70, "ec2", "DescribeSecurityGroupRules").asks(r#"{"DescribeSecurityGroupRulesRequest":{"Filter":{"Name":"group-id","tag":1,"Value":{"content":"<sg>","tag":1}},"SecurityGroupRuleId":{"content":"<sgr>","tag":1}}}"#),
    call(50, "ec2", "DescribeRouteTables").asks(r#"{"routeTableIdSet":{"items":[{"routeTableId":"<rtb>"}]},"filterSet":{}}"#),
    call(35, "ec2", "DescribeInstances").asks(r#"{"instancesSet":{"items":[{"instanceId":"<instance>"}]},"filterSet":{}}"#),
    call(20, "ec2", "DescribeInstanceAttribute").asks(r#"{"instanceId":"<instance>","attribute":"disableApiTermination"}"#),
    call(25, "ec2", "DescribeNetworkAcls").asks(r#"{"networkAclIdSet":{},"filterSet":{"items":[{"name":"default","valueSet":{"items":[{"value":"true"}]}},{"name":"vpc-id","valueSet":{"items":[{"value":"<vpc>"}]}}]}}"#),
    call(20, "ec2", "DescribeLaunchTemplateVersions").asks(r#"{"DescribeLaunchTemplateVersionsRequest":{"LaunchTemplateId":"<lt>","LaunchTemplateVersion":{"content":"$Latest","tag":1}}}"#),
    call(25, "ec2", "DescribeTags").asks(r#"{"filterSet":{"items":[{"name":"resource-id","valueSet":{"items":[{"value":"<instance>"}]}},{"name":"key","valueSet":{"items":[{"value":"Owner"}]}}]}}"#),
    call(10, "ec2", "DescribeAvailabilityZones").asks(r#"{"availabilityZoneSet":{},"availabilityZoneIdSet":{},"filterSet":{"items":[{"name":"opt-in-status","valueSet":{"items":[{"value":"opt-in-not-required"}]}}]}}"#),
    call(90, "iam", "GetRole").asks(r#"{"roleName":"<system>-function"}"#).global(),
    call(80, "iam", "ListRolePolicies").asks(r#"{"roleName":"<system>-function"}"#).global(),
    call(80, "iam", "ListAttachedRolePolicies").asks(r#"{"roleName":"<system>-function"}"#).global(),
    call(50, "iam", "GetRolePolicy").asks(r#"{"roleName":"<system>-function","policyName":"<system>-access"}"#).global(),
    call(40, "iam", "GetPolicyVersion").asks(r#"{"policyArn":"arn:aws:iam::<account>:policy/<system>-access","versionId":"v3"}"#).global(),
    call(40, "iam", "GetPolicy").asks(r#"{"policyArn":"arn:aws:iam::<account>:policy/<system>-access"}"#).global(),
    call(25, "s3", "GetBucketPolicy").asks(r#"{"bucketName":"<bucket>","Host":"<bucket>.s3.<region>.amazonaws.com","policy":""}"#)
        .adds(S3_EXTRA).on("AWS::S3::Bucket", "arn:aws:s3:::<bucket>"),
    call(25, "s3", "GetBucketEncryption").asks(r#"{"bucketName":"<bucket>","Host":"<bucket>.s3.<region>.amazonaws.com","encryption":""}"#)
        .adds(S3_EXTRA).on("AWS::S3::Bucket", "arn:aws:s3:::<bucket>"),
    call(25, "s3", "GetBucketVersioning").asks(r#"{"bucketName":"<bucket>","Host":"<bucket>.s3.<region>.amazonaws.com","versioning":""}"#)
        .adds(S3_EXTRA).on("AWS::S3::Bucket", "arn:aws:s3:::<bucket>"),
    call(25, "s3", "GetBucketTagging").asks(r#"{"bucketName":"<bucket>","Host":"<bucket>.s3.<region>.amazonaws.com","tagging":""}"#)
        .adds(S3_EXTRA).on("AWS::S3::Bucket", "arn:aws:s3:::<bucket>"),
    call(45, "lambda", "GetFunction20150331v2").asks(r#"{"functionName":"<system>"}"#),
    call(30, "lambda", "GetFunctionCodeSigningConfig").asks(r#"{"functionName":"<system>"}"#),
    call(20, "lambda", "ListVersionsByFunction20150331").asks(r#"{"functionName":"arn:aws:lambda:<region>:<account>:function:<system>","maxItems":10000}"#),
    call(40, "logs", "DescribeLogGroups").asks(r#"{"logGroupNamePrefix":"/aws/lambda/<system>"}"#),
    call(30, "logs", "ListTagsForResource").asks(r#"{"resourceArn":"arn:aws:logs:<region>:<account>:log-group:/aws/lambda/<system>"}"#),
    call(30, "dynamodb", "DescribeTable").asks(r#"{"tableName":"<system>"}"#).on("AWS::DynamoDB::Table", "arn:aws:dynamodb:<region>:<account>:table/<system>"),
    call(20, "dynamodb", "DescribeContinuousBackups").asks(r#"{"tableName":"<system>"}"#).on("AWS::DynamoDB::Table", "arn:aws:dynamodb:<region>:<account>:table/<system>"),
    call(20, "rds", "DescribeDBInstances").asks(r#"{"dBInstanceIdentifier":"<system>"}"#),
    call(15, "rds", "ListTagsForResource").asks(r#"{"resourceName":"arn:aws:rds:<region>:<account>:db:<system>"}"#),
    call(25, "kms", "DescribeKey").asks(r#"{"keyId":"<key>"}"#).on("AWS::KMS::Key", "arn:aws:kms:<region>:<account>:key/<key>"),
    call(25, "kms", "GetKeyPolicy").asks(r#"{"keyId":"<key>","policyName":"default"}"#).on("AWS::KMS::Key", "arn:aws:kms:<region>:<account>:key/<key>"),
    call(20, "kms", "GetKeyRotationStatus").asks(r#"{"keyId":"<key>"}"#).on("AWS::KMS::Key", "arn:aws:kms:<region>:<account>:key/<key>"),
    call(30, "sqs", "GetQueueAttributes").asks(r#"{"queueUrl":"https://sqs.<region>.amazonaws.com/<account>/<system>","attributeNames":["All"]}"#),
    call(20, "sns", "GetTopicAttributes").asks(r#"{"topicArn":"arn:aws:sns:<region>:<account>:<system>"}"#),
    call(25, "ecs", "DescribeServices").asks(r#"{"cluster":"arn:aws:ecs:<region>:<account>:cluster/main","services":["arn:aws:ecs:<region>:<account>:service/main/<system>"],"include":["TAGS"]}"#),
    call(25, "ecs", "DescribeTaskDefinition").asks(r#"{"taskDefinition":"arn:aws:ecs:<region>:<account>:task-definition/<system>:<num.200>","include":["TAGS"]}"#),
    call(25, "elasticloadbalancing", "DescribeTargetGroups").asks(r#"{"targetGroupArns":["arn:aws:elasticloadbalancing:<region>:<account>:targetgroup/<lb>"]}"#),
    call(20, "elasticloadbalancing", "DescribeListeners").asks(r#"{"listenerArns":["arn:aws:elasticloadbalancing:<region>:<account>:listener/app/<lb>/<lb.2>"]}"#),
    call(25, "route53", "ListResourceRecordSets").asks(r#"{"hostedZoneId":"Z0315467EXAMPLE<num.9>","maxItems":1,"startRecordName":"<system>.example.com.","startRecordType":"A"}"#).global(),
    call(30, "ssm", "GetParameter").asks(r#"{"name":"/<system>/config","withDecryption":true}"#).on("AWS::SSM::Parameter", "arn:aws:ssm:<region>:<account>:parameter/<system>/config"),
    call(25, "secretsmanager", "DescribeSecret").asks(r#"{"secretId":"arn:aws:secretsmanager:<region>:<account>:secret:<secret>"}"#),
    call(4, "secretsmanager", "GetSecretValue").asks(r#"{"secretId":"arn:aws:secretsmanager:<region>:<account>:secret:<secret>","versionStage":"AWSCURRENT"}"#),
    call(8, "sts", "GetCallerIdentity"),
    call(25, "monitoring", "DescribeAlarms").asks(r#"{"alarmNames":["<system>-errors"]}"#),
    call(20, "events", "ListTargetsByRule").asks(r#"{"rule":"<system>-schedule"}"#),
    call(15, "events", "DescribeRule").asks(r#"{"name":"<system>-schedule"}"#),
    call(15, "acm", "DescribeCertificate").asks(r#"{"certificateArn":"arn:aws:acm:<region>:<account>:certificate/<stableid>"}"#),
    call(10, "ecr", "DescribeRepositories").asks(r#"{"repositoryNames":["<system>"],"registryId":"<account>"}"#).on("", "arn:aws:ecr:<region>:<account>:repository/<system>"),
    call(15, "cloudformation", "DescribeStacks").asks(r#"{"stackName":"<system>"}"#),
    call(10, "apigateway", "GetApi").asks(r#"{"apiId":"a1b2c3d<num.99>"}"#),
];

const S3_EXTRA: &str = r#"{"SignatureVersion":"SigV4","CipherSuite":"TLS_AES_128_GCM_SHA256","bytesTransferredIn":0,"AuthenticationMethod":"AuthHeader","x-amz-id-2":"<b64.76>==","bytesTransferredOut":<num.900>}"#;

/// What running software asks.
pub(crate) const WORKLOAD: &[Call] = &[
    call(170, "kms", "Decrypt").asks(r#"{"keyId":"arn:aws:kms:<region>:<account>:key/<key>","encryptionContext":{"aws:s3:arn":"arn:aws:s3:::<bucket>/<date>/part"},"encryptionAlgorithm":"SYMMETRIC_DEFAULT"}"#)
        .on("AWS::KMS::Key", "arn:aws:kms:<region>:<account>:key/<key>"),
    call(60, "kms", "GenerateDataKey").asks(r#"{"keyId":"arn:aws:kms:<region>:<account>:key/<key>","keySpec":"AES_256","encryptionContext":{"aws:dynamodb:tableName":"<system>","aws:dynamodb:subscriberId":"<account>"}}"#)
        .on("AWS::KMS::Key", "arn:aws:kms:<region>:<account>:key/<key>"),
    call(30, "secretsmanager", "GetSecretValue").asks(r#"{"secretId":"<secret>"}"#),
    call(70, "ssm", "GetParametersByPath").asks(r#"{"path":"/<system>/","recursive":true,"withDecryption":true,"maxResults":10}"#),
    call(45, "s3", "GetObject").asks(r#"{"bucketName":"<bucket>","Host":"<bucket>.s3.<region>.amazonaws.com","key":"<date>/<system>/part-<num.400>.parquet"}"#)
        .adds(S3_EXTRA).on("AWS::S3::Object", "arn:aws:s3:::<bucket>/<date>/<system>/part.parquet").data(),
    call(20, "s3", "ListObjects").asks(r#"{"list-type":"2","bucketName":"<bucket>","encoding-type":"url","prefix":"<date>/<system>/","Host":"<bucket>.s3.<region>.amazonaws.com"}"#)
        .adds(S3_EXTRA).on("AWS::S3::Bucket", "arn:aws:s3:::<bucket>").data(),
    call(40, "dynamodb", "DescribeTable").asks(r#"{"tableName":"<system>"}"#).on("AWS::DynamoDB::Table", "arn:aws:dynamodb:<region>:<account>:table/<system>"),
    call(25, "sts", "GetCallerIdentity"),
    call(10, "sts", "AssumeRole").asks(r#"{"roleArn":"arn:aws:iam::<account>:role/<system>-reader","roleSessionName":"<system>","durationSeconds":900}"#)
        .gets(ROLE_SESSION).on("AWS::IAM::Role", "arn:aws:iam::<account>:role/<system>-reader"),
    call(40, "ec2", "DescribeInstances").asks(r#"{"maxResults":1000,"instancesSet":{},"filterSet":{"items":[{"name":"instance-state-name","valueSet":{"items":[{"value":"running"}]}},{"name":"tag:Service","valueSet":{"items":[{"value":"<system>"}]}}]}}"#),
    call(30, "ec2", "DescribeTags").asks(r#"{"filterSet":{"items":[{"name":"resource-id","valueSet":{"items":[{"value":"<instance>"}]}}]}}"#),
    call(40, "ssm", "ListInstanceAssociations").asks(r#"{"instanceId":"<instance>","maxResults":20}"#),
    call(20, "ssm", "GetDocument").asks(r#"{"name":"AWS-GatherSoftwareInventory","documentVersion":"1"}"#),
    call(30, "sqs", "GetQueueUrl").asks(r#"{"queueName":"<system>"}"#),
    call(30, "ecr", "GetAuthorizationToken"),
    call(40, "ecr", "BatchGetImage").asks(r#"{"registryId":"<account>","repositoryName":"<system>","imageIds":[{"imageTag":"<commit>"}],"acceptedMediaTypes":["application/vnd.docker.distribution.manifest.v2+json","application/vnd.oci.image.manifest.v1+json"]}"#)
        .on("", "arn:aws:ecr:<region>:<account>:repository/<system>"),
    call(30, "kinesis", "DescribeStreamSummary").asks(r#"{"streamName":"<system>"}"#),
];

/// What AWS services ask as themselves.
pub(crate) const SERVICE: &[Call] = &[
    call(25, "sts", "AssumeRole").asks(r#"{"roleArn":"arn:aws:iam::<account>:role/<system>-function","roleSessionName":"<system>"}"#)
        .gets(ROLE_SESSION).on("AWS::IAM::Role", "arn:aws:iam::<account>:role/<system>-function").by("lambda", ""),
    call(15, "sts", "AssumeRole").asks(r#"{"roleArn":"arn:aws:iam::<account>:role/<system>-instance","roleSessionName":"<instance>"}"#)
        .gets(ROLE_SESSION).on("AWS::IAM::Role", "arn:aws:iam::<account>:role/<system>-instance").by("ec2", ""),
    call(15, "sts", "AssumeRole").asks(r#"{"roleArn":"arn:aws:iam::<account>:role/<system>-task","roleSessionName":"<stableid>","externalId":"arn:aws:ecs:<region>:<account>:*"}"#)
        .gets(ROLE_SESSION).on("AWS::IAM::Role", "arn:aws:iam::<account>:role/<system>-task").by("ecs-tasks", ""),
    call(8, "sts", "AssumeRole").asks(r#"{"roleArn":"arn:aws:iam::<account>:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig","roleSessionName":"configLambdaExecution"}"#)
        .gets(ROLE_SESSION).on("AWS::IAM::Role", "arn:aws:iam::<account>:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig").by("config", ""),
    call(60, "kms", "GenerateDataKey").asks(r#"{"keyId":"arn:aws:kms:<region>:<account>:key/<key>","encryptionContext":{"aws:cloudtrail:arn":"arn:aws:cloudtrail:<region>:<account>:trail/organization","aws:s3:arn":"arn:aws:s3:::acme-trail/AWSLogs/<account>/CloudTrail/<region>/<date>/<account>_CloudTrail_<region>.json.gz"},"keySpec":"AES_256"}"#)
        .on("AWS::KMS::Key", "arn:aws:kms:<region>:<account>:key/<key>").by("cloudtrail", ""),
    call(70, "kms", "Decrypt").asks(r#"{"encryptionAlgorithm":"SYMMETRIC_DEFAULT","encryptionContext":{"aws:lambda:FunctionArn":"arn:aws:lambda:<region>:<account>:function:<system>"}}"#)
        .on("AWS::KMS::Key", "arn:aws:kms:<region>:<account>:key/<key>").by("lambda", ""),
    call(30, "s3", "GetBucketAcl").asks(r#"{"bucketName":"acme-trail","Host":"acme-trail.s3.<region>.amazonaws.com","acl":""}"#)
        .adds(S3_EXTRA).on("AWS::S3::Bucket", "arn:aws:s3:::acme-trail").by("cloudtrail", ""),
];

/// What AWS services ask under their service-linked roles.
pub(crate) const LINKED: &[Call] = &[
    call(60, "ec2", "DescribeInstances").asks(r#"{"instancesSet":{"items":[{"instanceId":"<instance>"},{"instanceId":"<instance.2>"},{"instanceId":"<instance.3>"}]},"filterSet":{}}"#).by("autoscaling", "AWSServiceRoleForAutoScaling"),
    call(60, "ec2", "DescribeInstanceStatus").asks(r#"{"instancesSet":{"items":[{"instanceId":"<instance>"},{"instanceId":"<instance.2>"}]},"filterSet":{},"includeAllInstances":true}"#).by("autoscaling", "AWSServiceRoleForAutoScaling"),
    call(70, "elasticloadbalancing", "DescribeTargetHealth").asks(r#"{"targetGroupArn":"arn:aws:elasticloadbalancing:<region>:<account>:targetgroup/<lb>"}"#).by("ecs", "AWSServiceRoleForECS"),
    call(40, "elasticloadbalancing", "DescribeTargetHealth").asks(r#"{"targetGroupArn":"arn:aws:elasticloadbalancing:<region>:<account>:targetgroup/<lb>","targets":[{"id":"<instance>","port":8080}]}"#).by("autoscaling", "AWSServiceRoleForAutoScaling"),
    call(50, "monitoring", "DescribeAlarms").asks(r#"{"alarmNamePrefix":"TargetTracking-service/main/<system>","maxRecords":100}"#).by("ecs.application-autoscaling", "AWSServiceRoleForApplicationAutoScaling_ECSService"),
    call(50, "ecs", "DescribeServices").asks(r#"{"cluster":"main","services":["<system>"]}"#).by("ecs.application-autoscaling", "AWSServiceRoleForApplicationAutoScaling_ECSService"),
    call(40, "config", "DescribeConfigurationRecorders").by("config", "AWSServiceRoleForConfig"),
    call(60, "s3", "GetBucketPolicyStatus").asks(r#"{"bucketName":"<bucket>","Host":"<bucket>.s3.<region>.amazonaws.com","policyStatus":""}"#).adds(S3_EXTRA).on("AWS::S3::Bucket", "arn:aws:s3:::<bucket>").by("config", "AWSServiceRoleForConfig"),
    call(50, "ec2", "DescribeVolumes").asks(r#"{"volumeSet":{"items":[{"volumeId":"<vol>"}]},"filterSet":{}}"#).by("config", "AWSServiceRoleForConfig"),
    call(50, "ec2", "DescribeNetworkInterfaces").asks(r#"{"networkInterfaceIdSet":{"items":[{"networkInterfaceId":"<eni>"}]},"filterSet":{}}"#).by("config", "AWSServiceRoleForConfig"),
    call(40, "iam", "GetRole").asks(r#"{"roleName":"<system>-function"}"#).by("config", "AWSServiceRoleForConfig").global(),
    call(30, "lambda", "ListFunctions20150331").asks(r#"{"maxItems":50}"#).by("inspector2", "AWSServiceRoleForAmazonInspector2"),
    call(30, "ecr", "DescribeImages").asks(r#"{"registryId":"<account>","repositoryName":"<system>","maxResults":1000}"#).by("inspector2", "AWSServiceRoleForAmazonInspector2"),
    call(40, "ec2", "DescribeSecurityGroups").asks(r#"{"maxResults":1000,"securityGroupSet":{},"securityGroupIdSet":{},"filterSet":{}}"#).by("trustedadvisor", "AWSServiceRoleForTrustedAdvisor"),
    call(30, "dynamodb", "ListTables").asks(r#"{"limit":100}"#).by("resource-explorer-2", "AWSServiceRoleForResourceExplorer"),
];

/// What a console page asks while it is built.
pub(crate) const CONSOLE: &[Call] = &[
    call(60, "health", "DescribeEventAggregates").asks(r#"{"filter":{"eventStatusCodes":["open","upcoming"],"startTimes":[{"from":"<spelled>"}]},"aggregateField":"eventTypeCategory"}"#),
    call(50, "ec2", "DescribeInstances").asks(r#"{"maxResults":100,"instancesSet":{},"filterSet":{}}"#),
    call(30, "ec2", "DescribeInstanceStatus").asks(r#"{"instancesSet":{"items":[{"instanceId":"<instance>"}]},"filterSet":{},"includeAllInstances":true}"#),
    call(30, "ec2", "DescribeRegions").asks(r#"{"regionSet":{},"allRegions":true}"#),
    call(30, "ec2", "DescribeAccountAttributes").asks(r#"{"accountAttributeNameSet":{"items":[{"attributeName":"supported-platforms"}]},"filterSet":{}}"#),
    call(40, "monitoring", "DescribeAlarms").asks(r#"{"stateValue":"ALARM","maxRecords":100}"#),
    call(30, "monitoring", "GetMetricData").asks(r#"{"metricDataQueries":[{"id":"m1","metricStat":{"metric":{"namespace":"AWS/Lambda","metricName":"Errors","dimensions":[{"name":"FunctionName","value":"<system>"}]},"period":300,"stat":"Sum"},"returnData":true}],"startTime":"<spelled>","endTime":"<spelled>"}"#).data(),
    call(30, "lambda", "ListFunctions20150331").asks(r#"{"maxItems":50}"#),
    call(20, "lambda", "GetAccountSettings20160819"),
    call(30, "logs", "FilterLogEvents").asks(r#"{"logGroupName":"/aws/lambda/<system>","startTime":<millis>,"filterPattern":"\"ERROR\" -\"expected\"","limit":100}"#),
    call(20, "logs", "DescribeLogStreams").asks(r#"{"logGroupName":"/aws/lambda/<system>","orderBy":"LastEventTime","descending":true,"limit":50}"#),
    call(20, "notifications", "ListNotificationHubs"),
    call(20, "ce", "GetCostAndUsage").asks(r#"{"timePeriod":{"start":"2026-02-01","end":"2026-03-01"},"granularity":"MONTHLY","metrics":["UnblendedCost"],"groupBy":[{"type":"DIMENSION","key":"SERVICE"}]}"#).global(),
    call(20, "iam", "ListRoles").asks(r#"{"maxItems":1000}"#).global(),
    call(20, "iam", "GetAccountSummary").global(),
    call(30, "s3", "ListBuckets").asks(r#"{"Host":"s3.<region>.amazonaws.com"}"#).adds(S3_EXTRA),
    call(20, "cloudtrail", "LookupEvents").asks(r#"{"lookupAttributes":[{"attributeKey":"ReadOnly","attributeValue":"false"}],"maxResults":50}"#),
    call(20, "rds", "DescribeDBInstances").asks(r#"{"maxRecords":100}"#),
    call(2, "secretsmanager", "GetSecretValue").asks(r#"{"secretId":"<secret>"}"#),
];

/// How the pipeline gets its role.
pub(crate) const DEPLOY_TOKEN: &[Call] = &[call(1, "sts", "AssumeRoleWithWebIdentity")
    .asks(r#"{"roleArn":"arn:aws:iam::<account>:role/deploy-pipeline","roleSessionName":"GitHubActions-<me.run>","durationSeconds":3600}"#)
    .gets(r#"{"credentials":{"accessKeyId":"ASIA<acct8><me.key>","sessionToken":"IQoJb3JpZ2luX2VjE<b64.520>==","expiration":"<expiry>"},"subjectFromWebIdentityToken":"repo:acme/platform:ref:refs/heads/main","assumedRoleUser":{"assumedRoleId":"AROA<acct8>5DEPLOYPL:GitHubActions-<me.run>","arn":"arn:aws:sts::<account>:assumed-role/deploy-pipeline/GitHubActions-<me.run>"},"provider":"arn:aws:iam::<account>:oidc-provider/token.actions.githubusercontent.com","audience":"sts.amazonaws.com"}"#)
    .on("AWS::IAM::Role", "arn:aws:iam::<account>:role/deploy-pipeline")];

/// What root looks at, once there.
pub(crate) const ROOT: &[Call] = &[
    call(4, "account", "GetContactInformation").global(),
    call(3, "iam", "GetAccountSummary").global(),
    call(3, "iam", "ListMFADevices").global(),
    call(2, "health", "DescribeEventAggregates")
        .asks(r#"{"filter":{"eventStatusCodes":["open","upcoming"]},"aggregateField":"eventTypeCategory"}"#),
];
