"""Deploying again: over itself, with other settings, and beside what an earlier stack has left."""

import pytest
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

import stack
from aws import ACCOUNT, REGION, Aws
from detectors import DETECTORS
from live import PARAMETERS, _template
from resolved import resolved

BUCKET = f"handsoff-cases-{ACCOUNT}-{REGION}"


def _leave_behind(aws: Aws) -> None:
    """A table and a bucket, as a stack leaves them that was deleted."""
    aws.client("dynamodb").create_table(
        TableName="handsoff",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
            {"AttributeName": "open", "AttributeType": "S"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "open",
                "KeySchema": [
                    {"AttributeName": "open", "KeyType": "HASH"},
                    {"AttributeName": "pk", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    )
    aws.client("s3").create_bucket(
        Bucket=BUCKET,
        CreateBucketConfiguration={"LocationConstraint": REGION},
        ObjectLockEnabledForBucket=True,
    )
    item = {"pk": {"S": "drift-1"}, "sk": {"S": "state#1"}, "text": {"S": "{}"}}
    aws.client("dynamodb").put_item(TableName="handsoff", Item=item)


def _create(aws: Aws, tmp_path, **given: str) -> stack.Stack:
    parameters = PARAMETERS | given
    return stack.create(aws, _template(parameters), parameters, tmp_path)


def test_a_stack_takes_over_an_earlier_table_and_bucket(aws: Aws, tmp_path) -> None:
    fresh = _create_fresh(aws, tmp_path)
    aws.reset()
    _leave_behind(aws)
    again = _create(aws, tmp_path, TableExists="yes", CasesBucketExists="yes")
    assert again.of_type("AWS::DynamoDB::Table") == again.of_type("AWS::S3::Bucket") == []
    # What is in it is there, and everything says the same names as in a stack that made them.
    assert aws.client("dynamodb").scan(TableName="handsoff")["Count"] == 1
    assert again.outputs["TableName"] == fresh["outputs"]["TableName"] == "handsoff"
    assert again.outputs["CasesBucket"] == fresh["outputs"]["CasesBucket"] == BUCKET
    for name in fresh["statements"]:
        assert again.role_statements(name) == fresh["statements"][name], name
        variables = aws.client("lambda").get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        for key in ("HANDSOFF_TABLE", "HANDSOFF_CASES", "HANDSOFF_CANARY_TABLE"):
            assert variables.get(key) == fresh["variables"][name].get(key), (name, key)


def _create_fresh(aws: Aws, tmp_path) -> dict:
    """What a stack says that makes both."""
    aws.reset()
    made = _create(aws, tmp_path)
    names = made.of_type("AWS::Lambda::Function")
    assert len(names) == len(DETECTORS) + 1
    get = aws.client("lambda").get_function_configuration
    return {
        "outputs": made.outputs,
        "statements": {name: made.role_statements(name) for name in names},
        "variables": {name: get(FunctionName=name)["Environment"]["Variables"] for name in names},
    }


@pytest.mark.parametrize("said", [{"TableExists": "yes"}, {"CasesBucketExists": "yes"}], ids=lambda one: "-".join(one))
def test_what_is_there_and_not_said_stops_the_stack(aws: Aws, tmp_path, said: dict[str, str]) -> None:
    aws.reset()
    _leave_behind(aws)
    # moto's answer is of another form than CloudFormation's; both say why.
    with pytest.raises((ClientError, ResponseParserError), match="(?i)already"):
        _create(aws, tmp_path, **said)
    # It was not made anew over the other.
    assert aws.client("dynamodb").scan(TableName="handsoff")["Count"] == 1


# Another value of each parameter: those with a list of values have the rest of it.
OTHERWISE = {
    "AlertEmail": ["other@example.com", ""],
    "CentralTopicArn": [f"arn:aws:sns:{REGION}:444455556666:alerts"],
    "AlertKeyArn": [f"arn:aws:kms:{REGION}:{ACCOUNT}:key/12345678-1234-1234-1234-123456789012"],
    "OpsTopicArn": [f"arn:aws:sns:{REGION}:444455556666:alarms"],
    "BreakGlassNames": ["firecall,night"],
    "BreakGlassNamePrefixes": ["AWSReservedSSO_Emergency_"],
    "BreakGlassWildcards": ["emergency/*"],
    "DeployRoleNames": ["ci,cd"],
    "DeployRoleNamePrefixes": ["deploy-"],
    "DeployRoleWildcards": ["ci/deploy-*"],
    "ApprovalAccounts": ["444455556666"],
    "LookupRegions": ["us-west-2"],
    "KeepDays": ["120"],
    "CaseRetentionDays": ["1"],
    "MaxConcurrency": ["10"],
    "RedriveBy": [f"arn:aws:iam::{ACCOUNT}:role/oncall"],
    "SilenceMinutes": ["60"],
    "LagSeconds": ["600"],
    "BacklogSeconds": ["300"],
}
# What there can be only one of by its name, or what holds something: none of these may be made anew by a setting.
REPLACEABLE = {"AWS::Lambda::LayerVersion", "AWS::SNS::Subscription", "AWS::Lambda::Permission"}


def _create_only(kind: str) -> set[str]:
    """The properties that can't be changed, by CloudFormation's own schema: another value makes another resource."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, kind).schema
    return {path.split("/")[2] for path in schema.get("createOnlyProperties", [])}


def _settings() -> list[tuple[str, str]]:
    declared = resolved().template["Parameters"]
    values = {name: one.get("AllowedValues", OTHERWISE.get(name, [])) for name, one in declared.items()}
    missing = sorted(name for name, those in values.items() if not those)
    assert not missing, f"OTHERWISE has no other value of {missing}"
    return [(name, str(value)) for name, those in values.items() for value in those]


@pytest.mark.parametrize(("name", "value"), _settings())
def test_no_setting_makes_anew_what_is_deployed(name: str, value: str) -> None:
    """`sam deploy` again with another setting: whatever is changed is changed where it is."""
    other = {name: value} | ({"AlertEmail": ""} if name == "CentralTopicArn" else {})
    before, now = resolved().resources, resolved(**other).resources
    assert len(before.keys() & now.keys()) > 45
    replaced = [
        f"{key}.{fixed}"
        for key in before.keys() & now.keys()
        if before[key]["Type"] not in REPLACEABLE
        for fixed in _create_only(before[key]["Type"])
        if before[key]["Properties"].get(fixed) != now[key]["Properties"].get(fixed)
    ]
    assert not replaced, f"{name}={value} replaces {replaced}"


def test_what_can_not_be_changed_is_known() -> None:
    """So that the test above can fail."""
    assert "TableName" in _create_only("AWS::DynamoDB::Table")
    assert "QueueName" in _create_only("AWS::SQS::Queue")
    assert "EventSourceArn" in _create_only("AWS::Lambda::EventSourceMapping")
