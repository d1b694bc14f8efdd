"""What moto's CloudFormation can't do, and what we do instead. All of it is here; nothing is left out silently.

- A resource type that moto doesn't know is made through its API, with the properties as moto resolved them.
- A property that moto's CloudFormation drops is set through the API (`AFTERWARDS`), or stands in `LEFT_OUT`, which
  `test_stack.py` holds against the template.
- Any other type fails the deployment: decide here what is to become of it.
"""

import base64
import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field

from aws import Aws

# The least that a zip can be: moto stores code, and never runs it.
EMPTY_ZIP = base64.b64decode("UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==")

# What moto's CloudFormation makes use of, by type.
# fmt: off
UNDERSTOOD = {
    "AWS::CloudWatch::Dashboard": {"DashboardName", "DashboardBody"},
    "AWS::DynamoDB::Table": {
        "TableName", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode", "Tags",
        "DeletionProtectionEnabled", "SSESpecification",
    },
    "AWS::Events::Rule": {"Name", "Description", "State", "EventPattern", "ScheduleExpression", "Targets"},
    "AWS::IAM::Role": {
        "RoleName", "AssumeRolePolicyDocument", "ManagedPolicyArns", "Path", "Description", "Tags",
    },
    "AWS::KMS::Alias": {"AliasName", "TargetKeyId"},
    "AWS::KMS::Key": {"Description", "KeyPolicy", "EnableKeyRotation", "Tags"},
    "AWS::Lambda::EventSourceMapping": {
        "EventSourceArn", "FunctionName", "BatchSize", "MaximumBatchingWindowInSeconds", "FunctionResponseTypes",
        "ScalingConfig", "Enabled",
    },
    "AWS::Lambda::Function": {
        "FunctionName", "Code", "Handler", "Role", "Runtime", "Description", "MemorySize", "Timeout", "Environment",
        "ReservedConcurrentExecutions",
    },
    "AWS::Lambda::LayerVersion": {"LayerName", "Content", "Description", "CompatibleRuntimes", "LicenseInfo"},
    "AWS::Lambda::Permission": {"Action", "FunctionName", "Principal", "SourceArn", "SourceAccount"},
    "AWS::Logs::LogGroup": {"LogGroupName", "RetentionInDays", "KmsKeyId", "Tags"},
    "AWS::S3::Bucket": {"BucketName", "BucketEncryption"},
    "AWS::SNS::Topic": {"TopicName", "DisplayName", "KmsMasterKeyId", "Tags"},
    "AWS::SQS::Queue": {
        "QueueName", "VisibilityTimeout", "MessageRetentionPeriod", "RedrivePolicy", "ReceiveMessageWaitTimeSeconds",
        "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled", "Tags",
    },
}
# fmt: on

# Without a meaning in these tests: neither made nor set.
LEFT_OUT = {
    # Layers: a process gets a folder for /opt from us.
    "AWS::Lambda::Function.Architectures",
    "AWS::Lambda::Function.Layers",
    "AWS::Lambda::Function.LoggingConfig",
    "AWS::Lambda::Function.Tags",
    # Who may say which dead-letter queue is theirs.
    "AWS::SQS::Queue.RedriveAllowPolicy",
}


@dataclass
class Known:
    template: dict  # what moto gets
    by_api: dict[str, dict] = field(default_factory=dict)  # what it doesn't
    afterwards: dict[str, list[str]] = field(default_factory=dict)  # properties to set through the API
    left_out: set[str] = field(default_factory=set)

    def expected(self, outputs: dict[str, str]) -> set[str]:
        """The logical IDs of what the stack must have."""
        every = self.template["Resources"] | self.by_api
        return {name for name, one in every.items() if self.holds(one, outputs)}

    def holds(self, resource: dict, outputs: dict[str, str]) -> bool:
        condition = resource.get("Condition")
        return condition is None or f"Condition{condition}" in outputs


def adapt(template: dict) -> Known:
    """The template that moto gets, and what is to be done besides."""
    known = Known(_with_arns_of_alarms(template))
    resources, outputs = known.template["Resources"], known.template.setdefault("Outputs", {})
    for condition in template.get("Conditions", {}):
        outputs[f"Condition{condition}"] = {"Condition": condition, "Value": "holds"}
    for name, resource in list(resources.items()):
        kind, properties = resource["Type"], resource.get("Properties", {})
        # moto's CloudFormation resolves what it doesn't create: as an output, in JSON.
        resolved = {"Value": {"Fn::ToJsonString": copy.deepcopy(properties)}}
        if "Condition" in resource:
            resolved["Condition"] = resource["Condition"]
        if kind in MAKERS:
            known.by_api[name] = resources.pop(name)
            outputs[f"Resolved{name}"] = resolved
            continue
        if kind not in UNDERSTOOD:
            raise NotImplementedError(f"{name}: {kind} is neither understood by moto nor in limits.py")
        for key in set(properties) - UNDERSTOOD[kind]:
            path = f"{kind}.{key}"
            if path in AFTERWARDS:
                known.afterwards.setdefault(name, []).append(path)
                outputs[f"Resolved{name}"] = resolved
                del properties[key]
            else:
                known.left_out.add(path)
        if kind == "AWS::Events::Rule" and not _is_pattern(properties.get("EventPattern", {})):
            # A pattern in JSON: moto would wrap it in JSON once more. The rule gets its pattern afterwards.
            properties["EventPattern"] = {"source": ["nothing, yet"]}
            known.afterwards.setdefault(name, []).append("AWS::Events::Rule.EventPattern")
            outputs[f"Resolved{name}"] = resolved
        if kind == "AWS::Events::Rule" and "ScheduleExpression" in properties:
            # moto takes a rule without a pattern for one that every event matches.
            properties["EventPattern"] = {"source": ["nothing, ever"]}
        if kind == "AWS::Lambda::EventSourceMapping":
            # moto would run the function itself, in Docker, with each message. Ours is `mapping.py`.
            properties["Enabled"] = False
    return known


def _with_arns_of_alarms(template: dict) -> dict:
    """moto can't resolve `${Alarm.Arn}` of what it doesn't create."""
    text = json.dumps(template)
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            alarm = resource["Properties"]["AlarmName"]
            arn = f"arn:${{AWS::Partition}}:cloudwatch:${{AWS::Region}}:${{AWS::AccountId}}:alarm:{alarm}"
            text = text.replace(f"${{{name}.Arn}}", arn)
    return json.loads(text)


def _is_pattern(pattern: object) -> bool:
    return isinstance(pattern, dict) and not any(key.startswith("Fn::") for key in pattern)


def complete(aws: Aws, known: Known, resources: dict[str, dict], outputs: dict[str, str]) -> None:
    """Makes and sets through the API what moto's CloudFormation didn't."""
    for name, resource in known.by_api.items():
        if known.holds(resource, outputs):
            physical = MAKERS[resource["Type"]](aws, json.loads(outputs[f"Resolved{name}"]))
            resources[name] = {
                "LogicalResourceId": name,
                "PhysicalResourceId": physical,
                "ResourceType": resource["Type"],
            }
    for name, paths in known.afterwards.items():
        if name in resources:
            properties = json.loads(outputs[f"Resolved{name}"])
            # In the order of the list: a lock needs versions.
            for path in sorted(paths, key=list(AFTERWARDS).index):
                AFTERWARDS[path](aws, resources[name]["PhysicalResourceId"], properties)


def _subscribe(aws: Aws, properties: dict) -> str:
    got = aws.client("sns").subscribe(
        TopicArn=properties["TopicArn"],
        Protocol=properties["Protocol"],
        Endpoint=properties["Endpoint"],
        Attributes={
            key: value if isinstance(value, str) else json.dumps(value)
            for key, value in properties.items()
            if key not in ("TopicArn", "Protocol", "Endpoint", "Region")
        },
        ReturnSubscriptionArn=True,
    )
    return got["SubscriptionArn"]


def _queue_policy(aws: Aws, properties: dict) -> str:
    for url in properties["Queues"]:
        document = json.dumps(properties["PolicyDocument"])
        aws.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": document})
    return properties["Queues"][0]


def _topic_policy(aws: Aws, properties: dict) -> str:
    for arn in properties["Topics"]:
        document = json.dumps(properties["PolicyDocument"])
        aws.client("sns").set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=document)
    return properties["Topics"][0]


def _alarm(aws: Aws, properties: dict) -> str:
    properties["Threshold"] = float(properties["Threshold"])
    aws.client("cloudwatch").put_metric_alarm(**properties)
    return properties["AlarmName"]


def _role_policy(aws: Aws, properties: dict) -> str:
    # IAM takes a document without a version, moto doesn't.
    document = json.dumps({"Version": "2012-10-17"} | properties["PolicyDocument"])
    name = properties["PolicyName"]
    aws.client("iam").put_role_policy(RoleName=properties["RoleName"], PolicyName=name, PolicyDocument=document)
    return name


def _policy(aws: Aws, properties: dict) -> str:
    for role in properties["Roles"]:
        _role_policy(aws, properties | {"RoleName": role})
    return properties["PolicyName"]


def _invoke_config(aws: Aws, properties: dict) -> str:
    properties.pop("Qualifier", None)
    aws.client("lambda").put_function_event_invoke_config(**properties)
    return properties["FunctionName"]


def _bucket_policy(aws: Aws, properties: dict) -> str:
    bucket = properties["Bucket"]
    aws.client("s3").put_bucket_policy(Bucket=bucket, Policy=json.dumps(properties["PolicyDocument"]))
    return bucket


def _bus_policy(aws: Aws, properties: dict) -> str:
    sid = properties["StatementId"]
    document = {"Version": "2012-10-17", "Statement": [{"Sid": sid, **properties["Statement"]}]}
    aws.client("events").put_permission(EventBusName=properties["EventBusName"], Policy=json.dumps(document))
    return sid


MAKERS: dict[str, Callable[[Aws, dict], str]] = {
    "AWS::CloudWatch::Alarm": _alarm,
    # moto takes policies with a stack, but keeps their documents as Python and not as JSON.
    "AWS::Events::EventBusPolicy": _bus_policy,
    "AWS::IAM::Policy": _policy,
    "AWS::IAM::RolePolicy": _role_policy,
    "AWS::Lambda::EventInvokeConfig": _invoke_config,
    "AWS::S3::BucketPolicy": _bucket_policy,
    "AWS::SNS::Subscription": _subscribe,
    "AWS::SNS::TopicPolicy": _topic_policy,
    "AWS::SQS::QueuePolicy": _queue_policy,
}


def _resource_policy(aws: Aws, table: str, properties: dict) -> None:
    client = aws.client("dynamodb")
    arn = client.describe_table(TableName=table)["Table"]["TableArn"]
    client.put_resource_policy(ResourceArn=arn, Policy=json.dumps(properties["ResourcePolicy"]["PolicyDocument"]))


def _ttl(aws: Aws, table: str, properties: dict) -> None:
    aws.client("dynamodb").update_time_to_live(
        TableName=table, TimeToLiveSpecification=properties["TimeToLiveSpecification"]
    )


def _backups(aws: Aws, table: str, properties: dict) -> None:
    aws.client("dynamodb").update_continuous_backups(
        TableName=table,
        PointInTimeRecoverySpecification=properties["PointInTimeRecoverySpecification"],
    )


def _policies(aws: Aws, role: str, properties: dict) -> None:
    for policy in properties["Policies"]:
        _role_policy(aws, policy | {"RoleName": role})


def _pattern(aws: Aws, rule: str, properties: dict) -> None:
    events = aws.client("events")
    pattern = properties["EventPattern"]
    kept = {key: properties[key] for key in ("State", "Description") if key in properties}
    text = pattern if isinstance(pattern, str) else json.dumps(pattern)
    events.put_rule(Name=rule, EventPattern=text, **kept)


def _versions(aws: Aws, bucket: str, properties: dict) -> None:
    versioning = properties["VersioningConfiguration"]
    aws.client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration=versioning)


def _lockable(aws: Aws, bucket: str, properties: dict) -> None:
    """Of a bucket that is there already it is said with the configuration."""
    assert properties["ObjectLockEnabled"] in (True, "true"), properties


def _lock(aws: Aws, bucket: str, properties: dict) -> None:
    lock = properties["ObjectLockConfiguration"]
    retention = lock["Rule"]["DefaultRetention"]
    retention["Days"] = int(retention["Days"])
    aws.client("s3").put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=lock)


def _not_public(aws: Aws, bucket: str, properties: dict) -> None:
    aws.client("s3").put_public_access_block(
        Bucket=bucket, PublicAccessBlockConfiguration=properties["PublicAccessBlockConfiguration"]
    )


def _owner(aws: Aws, bucket: str, properties: dict) -> None:
    aws.client("s3").put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=properties["OwnershipControls"])


def _lifecycle(aws: Aws, bucket: str, properties: dict) -> None:
    rules = properties["LifecycleConfiguration"]["Rules"]
    # The API's name for it, and its way to say "all".
    renamed = [{"ID": rule.pop("Id"), "Filter": {"Prefix": ""}, **rule} for rule in rules]
    aws.client("s3").put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": renamed})


AFTERWARDS: dict[str, Callable[[Aws, str, dict], None]] = {
    "AWS::DynamoDB::Table.TimeToLiveSpecification": _ttl,
    "AWS::DynamoDB::Table.PointInTimeRecoverySpecification": _backups,
    "AWS::DynamoDB::Table.ResourcePolicy": _resource_policy,
    "AWS::Events::Rule.EventPattern": _pattern,
    "AWS::IAM::Role.Policies": _policies,
    "AWS::S3::Bucket.VersioningConfiguration": _versions,
    "AWS::S3::Bucket.ObjectLockEnabled": _lockable,
    "AWS::S3::Bucket.ObjectLockConfiguration": _lock,
    "AWS::S3::Bucket.PublicAccessBlockConfiguration": _not_public,
    "AWS::S3::Bucket.OwnershipControls": _owner,
    "AWS::S3::Bucket.LifecycleConfiguration": _lifecycle,
}
