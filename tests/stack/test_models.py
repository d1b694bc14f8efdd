"""That what AWS refuses is found in a call, in each protocol; `conftest.py` holds every call of every test to it."""

import json
import time
from collections.abc import Callable
from types import SimpleNamespace
from urllib.parse import urlencode

import boto3
import cbor2
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

import models
import quotas
from aws import KEYS, REGION
from faults import Call, Faults
from proxy import Tap

TOPIC = f"arn:aws:sns:{REGION}:111122223333:handsoff-alerts"
TARGETS = {"dynamodb": "DynamoDB_20120810", "sqs": "AmazonSQS", "cloudtrail": "CloudTrail_20131101"}


def by_json(service: str, operation: str, **members) -> Call:
    headers = {"x-amz-target": f"{TARGETS[service]}.{operation}"}
    return Call(service, operation, json.dumps(members).encode(), "/", "json", headers)


def publish(**members: str) -> Call:
    given = {"Action": "Publish", "Version": "2010-03-31", "TopicArn": TOPIC, "Message": "m"} | members
    return Call("sns", "Publish", urlencode(given).encode(), "/", "query")


def attribute(name: str, value: str, kind: str = "String", number: int = 1) -> dict[str, str]:
    entry = f"MessageAttributes.entry.{number}"
    return {f"{entry}.Name": name, f"{entry}.Value.DataType": kind, f"{entry}.Value.StringValue": value}


def metrics(*data: dict, namespace: str = "HandsOff", **more) -> Call:
    path = "/service/GraniteServiceVersion20100801/operation/PutMetricData"
    body = cbor2.dumps({"Namespace": namespace, "MetricData": list(data)} | more)
    return Call("cloudwatch", "PutMetricData", body, path, "cbor")


def datum(**more) -> dict:
    return {"MetricName": "Findings", "Value": 1.0, "Unit": "Count"} | more


def put(item: dict | None = None, **more) -> Call:
    keys = {"pk": {"S": "a"}, "sk": {"S": "b"}}
    return by_json("dynamodb", "PutItem", TableName="handsoff", Item=keys | (item or {}), **more)


def query(**more) -> Call:
    given = {
        "TableName": "handsoff",
        "KeyConditionExpression": "pk = :pk AND sk BETWEEN :from AND :to",
        "ExpressionAttributeValues": {":pk": {"S": "a"}, ":from": {"S": "b"}, ":to": {"S": "c"}},
    }
    return by_json("dynamodb", "Query", **(given | more))


def s3(operation: str, path: str, body: bytes = b"", **headers: str) -> Call:
    return Call("s3", operation, body, path, "s3", {name.replace("_", "-"): text for name, text in headers.items()})


def put_object(path: str = "/cases/cases/x/1.json?x-id=PutObject", **headers: str) -> Call:
    return s3("PutObject", path, b"{}", **({"if_none_match": "*", "x_amz_checksum_crc32": "o6a/Qw=="} | headers))


STATISTICS = {"SampleCount": 2.0, "Sum": 3.0, "Minimum": 1.0, "Maximum": 2.0}

RIGHT = [
    put({"version": {"N": "1"}}, ReturnValues="ALL_OLD"),
    by_json("dynamodb", "GetItem", TableName="handsoff", Key={"pk": {"S": "a"}, "sk": {"S": "b"}}, ConsistentRead=True),
    query(Limit=1, ScanIndexForward=False, ConsistentRead=True),
    by_json(
        "dynamodb",
        "TagResource",
        ResourceArn="arn:x",
        Tags=[{"Key": "handsoff-canary", "Value": "2026-11-28T00:00:00Z"}],
    ),
    by_json("sqs", "SendMessage", QueueUrl="http://x/q", MessageBody="\U0001f600\n"),
    by_json("cloudtrail", "LookupEvents", StartTime=1, EndTime=2, MaxResults=50),
    publish(
        Subject="[HIGH] " + "x" * 92,
        MessageStructure="json",
        Message='{"default":"x"}',
        **attribute("severity", "high"),
    ),
    metrics(datum(), datum(Dimensions=[{"Name": "Code", "Value": "drift-write"}])),
    metrics({"MetricName": "Lag", "StatisticValues": STATISTICS, "Unit": "Seconds"}),
    put_object(),
    s3("GetObject", "/cases/cases/x/1.json?x-id=GetObject"),
    s3("ListObjectsV2", "/cases?list-type=2&max-keys=1000&prefix=cases%2F"),
]

WRONG = [
    # What the models say.
    (by_json("dynamodb", "PutItems", TableName="handsoff"), "no such operation"),
    (by_json("dynamodb", "PutItem", TableName="handsoff"), "Item is missing"),
    (put(Returnvalues="ALL_OLD"), "Returnvalues is unknown"),
    (put(ReturnValues="OLD"), "ReturnValues is none of"),
    (put({"n": {"N": 1}}), "Item['n'].N is no string"),
    (query(IndexName="op"), "IndexName is 2, less than 3"),
    (query(IndexName="open!"), "IndexName doesn't match"),
    (query(Limit=0), "Limit is 0, less than 1"),
    (query(Limit=True), "Limit is no integer"),
    (
        by_json("dynamodb", "TagResource", ResourceArn="x", Tags=[{"Key": "k" * 129, "Value": ""}]),
        "Tags[0].Key is 129, more",
    ),
    (by_json("cloudtrail", "LookupEvents", MaxResults=51), "MaxResults is 51, more than 50"),
    (
        by_json("cloudtrail", "LookupEvents", LookupAttributes=[{"AttributeKey": "User", "AttributeValue": "x"}]),
        "none of",
    ),
    (by_json("sqs", "SendMessage", QueueUrl="http://x/q", MessageBody={"a": 1}), "MessageBody is no string"),
    (publish(MessageBody="x"), "MessageBody is unknown"),
    (publish(**attribute("severity", "high", number=2)), "numbered ['2']"),
    (publish(**{"MessageAttributes.entry.1.Name": "severity"}), "without `Name` and `Value`"),
    (publish(**{"MessageAttributes.member.1.Name": "severity"}), "beside the items"),
    (publish(Version="2010-03-30"), "version 2010-03-30"),
    (metrics(datum(Unit="Minutes")), "MetricData[0].Unit is none of"),
    (metrics(datum(StorageResolution=0)), "StorageResolution is 0, less than 1"),
    (metrics({"Value": 1.0}), "MetricData[0].MetricName is missing"),
    (metrics(namespace=""), "Namespace is 0, less than 1"),
    (metrics(datum(), Metrics=[]), "Metrics is unknown"),
    (put_object("/cases"), "Key is missing"),
    (put_object(x_amz_acl="everyone"), "ACL is none of"),
    (put_object(x_amz_lock="COMPLIANCE"), "unknown: x-amz-lock"),
    (s3("ListObjectsV2", "/cases?list-type=2&max-keys=many"), "MaxKeys is no integer"),
    (s3("ListObjectsV2", "/cases?list-type=2&start=x"), "unknown: start"),
    (s3("GetObject", "/cases/x", b"{}"), "2 bytes of body"),
    # What they don't say.
    (publish(Subject="x" * 100), "shorter than 100"),
    (publish(Subject="one\ntwo"), "Subject is not"),
    (publish(Subject=" x"), "Subject is not"),
    (publish(Subject="Zürich"), "Subject is not"),
    (publish(Message="x" * (256 * 1024 - 17), **attribute("severity", "high")), "262145 bytes"),
    (publish(Message="ü" * (128 * 1024 + 1)), "262146 bytes"),
    (publish(MessageStructure="json"), "no JSON"),
    (publish(MessageStructure="json", Message='{"email":"x"}'), "no `default`"),
    (publish(MessageStructure="json", Message='{"default":"x","sqs":{}}'), "something else than text for ['sqs']"),
    (publish(**attribute("AWS.severity", "high")), "can't be named"),
    (publish(**attribute("severity", "")), "severity has no value"),
    (publish(**attribute("severity", "high", "Text")), "of type 'Text'"),
    (by_json("sqs", "SendMessage", QueueUrl="http://x/q", MessageBody=""), "MessageBody is empty"),
    (by_json("sqs", "SendMessage", QueueUrl="http://x/q", MessageBody="\x00"), "SQS refuses"),
    (by_json("sqs", "SendMessage", QueueUrl="http://x/q", MessageBody="x" * (1024 * 1024 + 1)), "1048577 bytes"),
    (put({"text": {"S": "ü" * (200 * 1024)}}), "more than 409600"),
    (put({"pk": {"S": "x" * 2049}}), "pk has 2049 bytes"),
    (put({"open": {"S": ""}}), "open has 0 bytes"),
    (put({"n": {"N": "one"}}), "no number"),
    (put({"n": {}}), "n is of 0 types"),
    (put(ConditionExpression="#v = :seen", ExpressionAttributeNames={"#v": "version"}), "[':seen']"),
    (put(ConditionExpression="attribute_not_exists(pk)", ExpressionAttributeValues={":x": {"S": "x"}}), "[':x']"),
    (query(IndexName="open", ConsistentRead=True), "no consistent reads"),
    (query(ExpressionAttributeValues={":pk": {"S": "a"}, ":from": {"S": "c"}, ":to": {"S": "b"}}), "BETWEEN goes down"),
    (metrics(), "0 metrics"),
    (metrics(*[datum()] * 1001), "1001 metrics"),
    (metrics(datum(Value=float("nan"))), "nan is no value"),
    (metrics(datum(StatisticValues=STATISTICS)), "not one of Value and StatisticValues"),
    (metrics({"MetricName": "Lag", "StatisticValues": STATISTICS | {"SampleCount": 0.0}}), "no statistics"),
    (metrics(datum(Dimensions=[{"Name": "Code", "Value": "ü"}])), "dimension can't be"),
    (metrics(datum(Timestamp=time.time() - 15 * 86_400)), "seconds ahead"),
    (metrics(datum(), namespace="AWS/Lambda"), "is AWS's"),
    (put_object("/cases/" + "x" * 1025), "more than 1024 bytes"),
    (put_object("/cases/a%00b"), "can't be printed"),
    (put_object(if_none_match="x"), "S3 knows * only"),
    (s3("PutObject", "/cases/x", b"{}", x_amz_sdk_checksum_algorithm="CRC32"), "which Object Lock asks for"),
    (put_object(x_amz_checksum_crc32="AAAAAA=="), "the checksum is"),
    (by_json("cloudtrail", "LookupEvents", StartTime=2, EndTime=1), "start is after"),
    # Nobody has thought about it yet.
    (by_json("dynamodb", "ListTables"), "knows no rules"),
]


@pytest.mark.parametrize("call", RIGHT, ids=lambda call: call.name)
def test_what_is_right_is_let_through(call: Call) -> None:
    assert models.mistakes(call) == []


@pytest.mark.parametrize(("call", "said"), WRONG, ids=[said for _, said in WRONG])
def test_what_aws_refuses_is_found(call: Call, said: str) -> None:
    assert said in "\n".join(models.mistakes(call))


def test_every_operation_with_rules_is_shown_right_and_wrong() -> None:
    plain = {"sns:ListSubscriptionsByTopic"}
    assert {call.name for call in RIGHT} | plain == set(quotas.RULES)
    assert {call.service for call, _ in WRONG} == {name.split(":")[0] for name in quotas.RULES}


@pytest.mark.parametrize(
    ("service", "ask"),
    [
        ("dynamodb", lambda client: client.put_item(TableName="handsoff", Item={"pk": {"S": ""}, "sk": {"S": "b"}})),
        ("sns", lambda client: client.publish(TopicArn=TOPIC, Message="m", Subject="x" * 100)),
        ("cloudwatch", lambda client: client.put_metric_data(Namespace="", MetricData=[])),
        ("s3", lambda client: client.put_object(Bucket="cases", Key="a\nb", Body=b"{}")),
    ],
)
def test_on_its_way_to_aws_it_is_found(service: str, ask: Callable[[object], object]) -> None:
    """The same through the proxy, as another SDK writes it."""
    faults = Faults()
    faults.trouble(service, "refuse")
    process = SimpleNamespace(alive=True, name="sweep#1", spec=SimpleNamespace(name="handsoff-sweep"))
    tap = Tap(faults, "http://127.0.0.1:1", process)
    try:
        config = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
        client = boto3.client(service, endpoint_url=tap.url, region_name=REGION, config=config, **KEYS)
        with pytest.raises(ClientError):
            ask(client)
    finally:
        tap.close()
    assert faults.held.total() == 1
    assert len(faults.mistakes) >= 1, faults.mistakes
