//! What pipelines call: `service:Name` as CloudTrail writes it, and what is asked.

use super::Wrong;

/// An action, and its `requestParameters` with places to fill.
pub(super) type Template = (&'static str, &'static str);

/// The call that is wrong by itself.
pub(super) fn wrong(wrong: Wrong) -> Option<Template> {
    match wrong {
        Wrong::Key => Some(("iam:CreateAccessKey", r#"{"userName":"{n}"}"#)),
        Wrong::Trust => Some((
            "iam:UpdateAssumeRolePolicy",
            r#"{"roleName":"{n}","policyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::999988887777:root\"},\"Action\":\"sts:AssumeRole\"}]}"}"#,
        )),
        Wrong::Shell => Some(("ssm:StartSession", r#"{"target":"i-0{h}{h}"}"#)),
        _ => None,
    }
}

pub(super) const READS: &[Template] = &[
    ("sts:GetCallerIdentity", "null"),
    ("ec2:DescribeVpcs", r#"{"vpcSet":{},"filterSet":{}}"#),
    ("ec2:DescribeSubnets", r#"{"subnetSet":{},"filterSet":{}}"#),
    (
        "ec2:DescribeSecurityGroups",
        r#"{"securityGroupSet":{},"securityGroupIdSet":{"items":[{"groupId":"sg-0{h}"}]}}"#,
    ),
    ("iam:GetRole", r#"{"roleName":"{n}-task"}"#),
    ("iam:ListRolePolicies", r#"{"roleName":"{n}-task"}"#),
    ("iam:GetPolicyVersion", r#"{"policyArn":"arn:aws:iam::{a}:policy/{n}","versionId":"v3"}"#),
    (
        "s3:GetBucketPolicy",
        r#"{"bucketName":"{n}-data-{h}","policy":"","Host":"{n}-data-{h}.s3.eu-central-1.amazonaws.com"}"#,
    ),
    ("s3:GetBucketEncryption", r#"{"bucketName":"{n}-data-{h}","encryption":""}"#),
    ("ecs:DescribeServices", r#"{"cluster":"production","services":["{n}"]}"#),
    ("ecs:DescribeTaskDefinition", r#"{"taskDefinition":"{n}:2%%"}"#),
    ("lambda:GetFunction20150331v2", r#"{"functionName":"{n}"}"#),
    ("logs:DescribeLogGroups", r#"{"logGroupNamePrefix":"/ecs/{n}"}"#),
    ("monitoring:DescribeAlarms", r#"{"alarmNames":["{n}-errors"]}"#),
    ("ssm:GetParameters", r#"{"names":["/production/{n}/image"],"withDecryption":true}"#),
    ("kms:DescribeKey", r#"{"keyId":"alias/{n}"}"#),
    ("dynamodb:DescribeTable", r#"{"tableName":"{n}"}"#),
    ("route53:ListHostedZonesByName", r#"{"dNSName":"example.com"}"#),
    ("cloudformation:DescribeStacks", r#"{"stackName":"{n}"}"#),
];

pub(super) const RESOURCES: &[Template] = &[
    (
        "ecs:RegisterTaskDefinition",
        r#"{"family":"{n}","networkMode":"awsvpc","executionRoleArn":"arn:aws:iam::{a}:role/{n}-exec","containerDefinitions":[{"name":"{n}","image":"{a}.dkr.ecr.eu-central-1.amazonaws.com/{n}:{h}"}]}"#,
    ),
    (
        "ecs:UpdateService",
        r#"{"cluster":"production","service":"{n}","desiredCount":4,"taskDefinition":"{n}:2%%","forceNewDeployment":false,"enableExecuteCommand":false}"#,
    ),
    (
        "ecs:CreateService",
        r#"{"cluster":"production","serviceName":"{n}","launchType":"FARGATE","desiredCount":2}"#,
    ),
    ("ecs:DeleteService", r#"{"cluster":"production","service":"{n}-old"}"#),
    (
        "ecs:TagResource",
        r#"{"resourceArn":"arn:aws:ecs:eu-central-1:{a}:service/production/{n}","tags":[{"key":"team","value":"orders"}]}"#,
    ),
    (
        "lambda:CreateFunction20150331",
        r#"{"functionName":"{n}","runtime":"provided.al2023","role":"arn:aws:iam::{a}:role/{n}","handler":"bootstrap"}"#,
    ),
    (
        "lambda:UpdateFunctionCode20150331v2",
        r#"{"functionName":"{n}","s3Bucket":"artifacts-{a}","s3Key":"{n}/{h}.zip","publish":false,"dryRun":false}"#,
    ),
    (
        "lambda:UpdateFunctionConfiguration20150331v2",
        r#"{"functionName":"{n}","memorySize":512,"environment":{}}"#,
    ),
    ("lambda:PublishVersion20150331", r#"{"functionName":"{n}"}"#),
    (
        "lambda:AddPermission20150331v2",
        r#"{"functionName":"{n}","statementId":"rule","action":"lambda:InvokeFunction","principal":"events.amazonaws.com","sourceArn":"arn:aws:events:eu-central-1:{a}:rule/{n}"}"#,
    ),
    ("lambda:DeleteFunction20150331", r#"{"functionName":"{n}-old"}"#),
    (
        "s3:CreateBucket",
        r#"{"bucketName":"{n}-data-{h}","CreateBucketConfiguration":{"LocationConstraint":"eu-central-1"}}"#,
    ),
    (
        "s3:PutBucketPolicy",
        r#"{"bucketName":"{n}-data-{h}","policy":"","bucketPolicy":{"Version":"2012-10-17","Statement":[{"Sid":"DenyInsecureTransport","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::{n}-data","arn:aws:s3:::{n}-data/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}}"#,
    ),
    (
        "s3:PutBucketPolicy",
        r#"{"bucketName":"{n}-site","policy":"","bucketPolicy":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"cloudfront.amazonaws.com"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::{n}-site/*","Condition":{"StringEquals":{"AWS:SourceArn":"arn:aws:cloudfront::{a}:distribution/E1"}}},{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"s3:*","Resource":"arn:aws:s3:::{n}-site/*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}}"#,
    ),
    (
        "s3:PutBucketPolicy",
        r#"{"bucketName":"{n}-access-logs","policy":"","bucketPolicy":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::054676820928:root"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::{n}-access-logs/AWSLogs/{a}/*"}]}}"#,
    ),
    ("s3:DeleteBucketPolicy", r#"{"bucketName":"{n}-old","policy":""}"#),
    (
        "s3:PutBucketVersioning",
        r#"{"bucketName":"{n}-data-{h}","versioning":"","VersioningConfiguration":{"Status":"Enabled"}}"#,
    ),
    (
        "s3:PutBucketEncryption",
        r#"{"bucketName":"{n}-data-{h}","encryption":"","ServerSideEncryptionConfiguration":{"Rule":{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"aws:kms"}}}}"#,
    ),
    (
        "s3:PutBucketPublicAccessBlock",
        r#"{"bucketName":"{n}-data-{h}","publicAccessBlock":"","PublicAccessBlockConfiguration":{"BlockPublicAcls":true,"IgnorePublicAcls":true,"BlockPublicPolicy":true,"RestrictPublicBuckets":true}}"#,
    ),
    (
        "s3:PutBucketLifecycle",
        r#"{"bucketName":"{n}-data-{h}","lifecycle":"","LifecycleConfiguration":{"Rule":{"ID":"expire","Status":"Enabled","Expiration":{"Days":90}}}}"#,
    ),
    ("s3:PutBucketTagging", r#"{"bucketName":"{n}-data-{h}","tagging":""}"#),
    ("s3:PutBucketAcl", r#"{"bucketName":"{n}-data-{h}","acl":"","x-amz-acl":"private"}"#),
    ("s3:DeleteBucket", r#"{"bucketName":"{n}-old-{h}"}"#),
    (
        "iam:CreateRole",
        r#"{"roleName":"{n}-task","assumeRolePolicyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"ecs-tasks.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"}]}"}"#,
    ),
    (
        "iam:UpdateAssumeRolePolicy",
        r#"{"roleName":"{n}-task","policyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::{a}:role/{n}-api\"},\"Action\":\"sts:AssumeRole\"}]}"}"#,
    ),
    (
        "iam:PutRolePolicy",
        r#"{"roleName":"{n}-task","policyName":"data","policyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"s3:GetObject\",\"Resource\":\"*\"}]}"}"#,
    ),
    (
        "iam:AttachRolePolicy",
        r#"{"roleName":"{n}-exec","policyArn":"arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"}"#,
    ),
    ("iam:DetachRolePolicy", r#"{"roleName":"{n}-exec","policyArn":"arn:aws:iam::{a}:policy/{n}-old"}"#),
    ("iam:DeleteRolePolicy", r#"{"roleName":"{n}-task","policyName":"old"}"#),
    ("iam:DeleteRole", r#"{"roleName":"{n}-old"}"#),
    ("iam:TagRole", r#"{"roleName":"{n}-task","tags":[{"key":"team","value":"orders"}]}"#),
    (
        "iam:CreatePolicyVersion",
        r#"{"policyArn":"arn:aws:iam::{a}:policy/{n}","setAsDefault":true,"policyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[]}"}"#,
    ),
    ("iam:CreateInstanceProfile", r#"{"instanceProfileName":"{n}"}"#),
    ("iam:CreateServiceLinkedRole", r#"{"aWSServiceName":"ecs.amazonaws.com"}"#),
    (
        "ec2:CreateSecurityGroup",
        r#"{"groupName":"{n}-{h}","groupDescription":"Managed by Terraform","vpcId":"vpc-0{h}"}"#,
    ),
    (
        "ec2:AuthorizeSecurityGroupIngress",
        r#"{"groupId":"sg-0{h}","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":443,"toPort":443,"ipRanges":{"items":[{"cidrIp":"10.0.0.0/16"}]}}]}}"#,
    ),
    ("ec2:RevokeSecurityGroupEgress", r#"{"groupId":"sg-0{h}","ipPermissions":{"items":[]}}"#),
    ("ec2:DeleteSecurityGroup", r#"{"groupId":"sg-0{h}"}"#),
    (
        "ec2:CreateTags",
        r#"{"resourcesSet":{"items":[{"resourceId":"sg-0{h}"}]},"tagSet":{"items":[{"key":"team","value":"orders"}]}}"#,
    ),
    (
        "ec2:CreateLaunchTemplateVersion",
        r#"{"CreateLaunchTemplateVersionRequest":{"LaunchTemplateId":"lt-0{h}"}}"#,
    ),
    ("logs:CreateLogGroup", r#"{"logGroupName":"/ecs/{n}-{h}"}"#),
    ("logs:PutRetentionPolicy", r#"{"logGroupName":"/ecs/{n}","retentionInDays":30}"#),
    ("logs:DeleteLogGroup", r#"{"logGroupName":"/ecs/{n}-old"}"#),
    (
        "monitoring:PutMetricAlarm",
        r#"{"alarmName":"{n}-errors","metricName":"Errors","namespace":"AWS/Lambda","threshold":1,"alarmActions":["arn:aws:sns:eu-central-1:{a}:oncall"]}"#,
    ),
    ("monitoring:DeleteAlarms", r#"{"alarmNames":["{n}-old"]}"#),
    ("dynamodb:CreateTable", r#"{"tableName":"{n}","billingMode":"PAY_PER_REQUEST"}"#),
    (
        "dynamodb:UpdateContinuousBackups",
        r#"{"tableName":"{n}","pointInTimeRecoverySpecification":{"pointInTimeRecoveryEnabled":true}}"#,
    ),
    (
        "sqs:SetQueueAttributes",
        r#"{"queueUrl":"https://sqs.eu-central-1.amazonaws.com/{a}/{n}","attributes":{"VisibilityTimeout":"60"}}"#,
    ),
    ("sns:CreateTopic", r#"{"name":"{n}"}"#),
    ("events:PutRule", r#"{"name":"{n}","scheduleExpression":"rate(5 minutes)","state":"ENABLED"}"#),
    (
        "events:PutTargets",
        r#"{"rule":"{n}","targets":[{"id":"f","arn":"arn:aws:lambda:eu-central-1:{a}:function:{n}"}]}"#,
    ),
    (
        "kms:CreateKey",
        r#"{"description":"{n}","policy":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::{a}:root\"},\"Action\":\"kms:*\",\"Resource\":\"*\"}]}"}"#,
    ),
    ("kms:EnableKeyRotation", r#"{"keyId":"{h}"}"#),
    ("ssm:PutParameter", r#"{"name":"/production/{n}/image","type":"String","overwrite":true}"#),
    (
        "ecr:SetRepositoryPolicy",
        r#"{"repositoryName":"{n}","policyText":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"lambda.amazonaws.com\"},\"Action\":\"ecr:BatchGetImage\"}]}"}"#,
    ),
    (
        "elasticloadbalancing:ModifyTargetGroupAttributes",
        r#"{"targetGroupArn":"arn:aws:elasticloadbalancing:eu-central-1:{a}:targetgroup/{n}/{h}","attributes":[{"key":"deregistration_delay.timeout_seconds","value":"30"}]}"#,
    ),
    (
        "route53:ChangeResourceRecordSets",
        r#"{"hostedZoneId":"Z0{H}","changeBatch":{"changes":[{"action":"UPSERT","resourceRecordSet":{"name":"{n}.example.com.","type":"A"}}]}}"#,
    ),
    (
        "autoscaling:PutScalingPolicy",
        r#"{"policyName":"{n}-cpu","serviceNamespace":"ecs","resourceId":"service/production/{n}"}"#,
    ),
];

/// Of a pipeline's own role: it tells others to build and to deploy.
pub(super) const PIPELINE: &[Template] = &[
    ("codebuild:StartBuild", r#"{"projectName":"{n}"}"#),
    (
        "cloudformation:CreateChangeSet",
        r#"{"stackName":"{n}","changeSetName":"pipeline","roleARN":"arn:aws:iam::{a}:role/orders-cloudformation","capabilities":["CAPABILITY_NAMED_IAM"]}"#,
    ),
    ("cloudformation:ExecuteChangeSet", r#"{"stackName":"{n}","changeSetName":"pipeline"}"#),
    (
        "lambda:UpdateFunctionCode20150331v2",
        r#"{"functionName":"{n}","s3Bucket":"artifacts-{a}","s3Key":"{h}"}"#,
    ),
    ("ecs:UpdateService", r#"{"cluster":"production","service":"{n}","taskDefinition":"{n}:2%%"}"#),
];

pub(super) const STACKS: &[Template] = &[
    (
        "cloudformation:CreateChangeSet",
        r#"{"stackName":"{n}","changeSetName":"deploy-{h}","changeSetType":"UPDATE","capabilities":["CAPABILITY_IAM"]}"#,
    ),
    ("cloudformation:ExecuteChangeSet", r#"{"stackName":"{n}","changeSetName":"deploy-{h}"}"#),
    ("cloudformation:DeleteChangeSet", r#"{"stackName":"{n}","changeSetName":"deploy-{h}"}"#),
    (
        "cloudformation:UpdateTerminationProtection",
        r#"{"stackName":"{n}","enableTerminationProtection":true}"#,
    ),
];

pub(super) const FILES: &[Template] = &[
    ("s3:PutObject", r#"{"bucketName":"cdk-hnb659fds-assets-{a}-eu-central-1","key":"{h}{h}.json"}"#),
    (
        "s3:CreateMultipartUpload",
        r#"{"bucketName":"cdk-hnb659fds-assets-{a}-eu-central-1","key":"{h}{h}.zip"}"#,
    ),
    (
        "s3:UploadPart",
        r#"{"bucketName":"cdk-hnb659fds-assets-{a}-eu-central-1","key":"{h}{h}.zip","partNumber":"1"}"#,
    ),
    (
        "s3:CompleteMultipartUpload",
        r#"{"bucketName":"cdk-hnb659fds-assets-{a}-eu-central-1","key":"{h}{h}.zip"}"#,
    ),
];

pub(super) const IMAGES: &[Template] = &[
    ("ecr:InitiateLayerUpload", r#"{"repositoryName":"cdk-hnb659fds-container-assets-{a}-eu-central-1"}"#),
    (
        "ecr:UploadLayerPart",
        r#"{"repositoryName":"cdk-hnb659fds-container-assets-{a}-eu-central-1","partFirstByte":0}"#,
    ),
    ("ecr:CompleteLayerUpload", r#"{"repositoryName":"cdk-hnb659fds-container-assets-{a}-eu-central-1"}"#),
    (
        "ecr:PutImage",
        r#"{"repositoryName":"cdk-hnb659fds-container-assets-{a}-eu-central-1","imageTag":"{h}{h}"}"#,
    ),
];

pub(super) const CDK_RUNNER: &[Template] = &[
    ("sts:GetCallerIdentity", "null"),
    (
        "sts:AssumeRole",
        r#"{"roleArn":"arn:aws:iam::{a}:role/cdk-hnb659fds-deploy-role-{a}-eu-central-1","roleSessionName":"aws-cdk-runner"}"#,
    ),
    (
        "sts:AssumeRole",
        r#"{"roleArn":"arn:aws:iam::{a}:role/cdk-hnb659fds-file-publishing-role-{a}-eu-central-1","roleSessionName":"aws-cdk-runner"}"#,
    ),
    (
        "sts:AssumeRole",
        r#"{"roleArn":"arn:aws:iam::{a}:role/cdk-hnb659fds-lookup-role-{a}-eu-central-1","roleSessionName":"aws-cdk-runner"}"#,
    ),
];

/// Into the accounts that stacks are made in.
pub(super) const ADMINISTRATION: &[Template] = &[(
    "sts:AssumeRole",
    r#"{"roleArn":"arn:aws:iam::2222333344%%:role/AWSCloudFormationStackSetExecutionRole","roleSessionName":"{h}-{h}"}"#,
)];
