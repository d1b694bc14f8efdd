"""What AWS documents of a call, and its models don't say: sizes in bytes, alphabets, what must go together.

Each rule names the mistakes in one operation's members. An operation without any says so, so that a new one isn't
forgotten.
"""

import base64
import json
import math
import re
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import chain

KIB = 1024
# SNS: of message and attributes together; Subject: ASCII, shorter than 100, no line break, and beginning visibly.
SNS_BYTES = 256 * KIB
SUBJECT = re.compile(r"[!-~][ -~]{0,98}")
# Names of message attributes, of SNS and SQS alike.
ATTRIBUTE_NAME = re.compile(r"(?!(?i:AWS\.|Amazon\.))(?!\.)(?!.*\.\.)[A-Za-z0-9_.-]{1,256}(?<!\.)")
# Since 2025; SQS counts the attributes too.
SQS_BYTES = 1024 * KIB
SQS_ATTRIBUTES = 10
# What XML 1.0 has no characters for, SQS refuses.
NOT_IN_SQS = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
ITEM_BYTES = 400 * KIB
KEY_BYTES = {"pk": 2 * KIB, "sk": KIB, "open": 2 * KIB}
EXPRESSION_BYTES = 4 * KIB
PLACEHOLDER = re.compile(r"[#:][A-Za-z0-9_]+")
METRICS = 1000
DIMENSIONS = 30
METRICS_BYTES = 1024 * KIB
LARGEST_VALUE = 2.0**360
# How far a metric's time may lie behind and ahead.
METRIC_SECONDS = (14 * 86_400, 2 * 3_600)
OBJECT_NAME_BYTES = KIB


def mistakes(call, asked: dict) -> list[str]:
    """Of a call whose members are what the model wants."""
    rule = RULES.get(call.name)
    return ["quotas.py knows no rules for it: decide there"] if rule is None else list(rule(asked, call))


def _publish(asked: dict, _: object) -> Iterator[str]:
    if "Subject" in asked and not SUBJECT.fullmatch(asked["Subject"]):
        yield f"Subject is not ASCII, shorter than 100: {asked['Subject']!r}"
    attributes = asked.get("MessageAttributes", {})
    if (size := _message_bytes(asked["Message"], attributes)) > SNS_BYTES:
        yield f"{size} bytes with attributes, more than {SNS_BYTES}"
    yield from _attributes(attributes)
    if not asked["Message"]:
        yield "Message is empty"
    if "MessageStructure" in asked:
        yield from _structured(asked["MessageStructure"], asked["Message"])
    if sum(name in asked for name in ("TopicArn", "TargetArn", "PhoneNumber")) != 1:
        yield "not one of TopicArn, TargetArn and PhoneNumber"


def _structured(structure: str, message: str) -> Iterator[str]:
    if structure != "json":
        yield f"MessageStructure is {structure!r}, not json"
        return
    try:
        texts = json.loads(message)
    except ValueError as error:
        yield f"Message is no JSON: {error}"
        return
    if not isinstance(texts, dict) or "default" not in texts:
        yield "Message has no `default`"
    elif odd := sorted(name for name, text in texts.items() if not isinstance(text, str)):
        yield f"Message has something else than text for {odd}"


def _message_bytes(text: str, attributes: dict) -> int:
    parts = chain.from_iterable(
        (name, one["DataType"], one.get("StringValue", one.get("BinaryValue", ""))) for name, one in attributes.items()
    )
    return sum(len(part if isinstance(part, bytes) else part.encode()) for part in (text, *parts))


def _attributes(attributes: dict) -> Iterator[str]:
    for name, one in attributes.items():
        if not ATTRIBUTE_NAME.fullmatch(name):
            yield f"an attribute can't be named {name!r}"
        if not one.get("StringValue") and not one.get("BinaryValue"):
            yield f"the attribute {name} has no value"
        if not re.fullmatch(r"(String|Number|Binary|String\.Array)(\..{1,256})?", one["DataType"]):
            yield f"the attribute {name} is of type {one['DataType']!r}"


def _send_message(asked: dict, _: object) -> Iterator[str]:
    attributes = asked.get("MessageAttributes", {})
    if not asked["MessageBody"]:
        yield "MessageBody is empty"
    for text in (asked["MessageBody"], *(one.get("StringValue", "") for one in attributes.values())):
        if odd := NOT_IN_SQS.search(text):
            yield f"a character that SQS refuses: {odd[0]!r}"
    if (size := _message_bytes(asked["MessageBody"], attributes)) > SQS_BYTES:
        yield f"{size} bytes with attributes, more than {SQS_BYTES}"
    if len(attributes) > SQS_ATTRIBUTES:
        yield f"{len(attributes)} attributes, more than {SQS_ATTRIBUTES}"
    if not 0 <= asked.get("DelaySeconds", 0) <= 900:
        yield f"DelaySeconds is {asked['DelaySeconds']}"
    yield from _attributes(attributes)


def _put_item(asked: dict, _: object) -> Iterator[str]:
    item = asked["Item"]
    size = sum(len(name.encode()) + len(next(iter(value.values()), "")) for name, value in _bytes(item).items())
    if size > ITEM_BYTES:
        yield f"an item of {size} bytes, more than {ITEM_BYTES}"
    yield from _keys(item)
    yield from _expressions(asked)
    yield from _values(item)


def _get_item(asked: dict, _: object) -> Iterator[str]:
    yield from _keys(asked["Key"])
    yield from _expressions(asked)


def _query_table(asked: dict, _: object) -> Iterator[str]:
    if not asked.get("KeyConditionExpression"):
        yield "no KeyConditionExpression"
    if "IndexName" in asked and asked.get("ConsistentRead"):
        yield "an index has no consistent reads"
    yield from _expressions(asked)
    values = asked.get("ExpressionAttributeValues", {})
    yield from _values(values)
    between = re.search(r"BETWEEN\s+(:\w+)\s+AND\s+(:\w+)", asked.get("KeyConditionExpression", ""), re.IGNORECASE)
    if between:
        low, high = (_bytes(values).get(name, {}).get("S", b"") for name in between.groups())
        if low > high:
            yield f"BETWEEN goes down: {low!r} to {high!r}"


def _bytes(item: dict) -> dict[str, dict[str, bytes]]:
    """Texts and numbers in bytes; a value of another kind isn't one of ours."""
    return {
        name: {kind: one.encode() if isinstance(one, str) else one for kind, one in value.items()}
        for name, value in item.items()
    }


def _keys(item: dict) -> Iterator[str]:
    for name, most in KEY_BYTES.items():
        size = len(item.get(name, {}).get("S", "-").encode())
        if not 1 <= size <= most:
            yield f"the key {name} has {size} bytes, not 1 to {most}"
    if missing := {"pk", "sk"} - item.keys():
        yield f"no key: {sorted(missing)}"


def _values(item: dict) -> Iterator[str]:
    for name, value in item.items():
        if len(value) != 1:
            yield f"{name} is of {len(value)} types"
        elif "N" in value and not re.fullmatch(r"-?\d{1,38}", value["N"]):
            yield f"{name} is no number of at most 38 digits: {value['N']!r}"
        elif not {"S", "N"} & value.keys():
            yield f"{name} is {next(iter(value))}: decide in quotas.py what holds for it"


def _expressions(asked: dict) -> Iterator[str]:
    """What a placeholder stands for is given, and all that is given is used."""
    texts = [text for name, text in asked.items() if name.endswith("Expression")]
    for text in texts:
        if not 1 <= len(text.encode()) <= EXPRESSION_BYTES:
            yield f"an expression of {len(text.encode())} bytes"
    used = {found for text in texts for found in PLACEHOLDER.findall(text)}
    given = set(asked.get("ExpressionAttributeNames", {})) | set(asked.get("ExpressionAttributeValues", {}))
    if used != given:
        yield f"placeholders used and not given, or given and not used: {sorted(used ^ given)}"


def _tag_resource(asked: dict, _: object) -> Iterator[str]:
    for tag in asked["Tags"]:
        if not re.fullmatch(r"[\w\s+=.:/@-]*", tag["Key"] + tag["Value"]) or tag["Key"].lower().startswith("aws:"):
            yield f"no tag can be {tag}"


def _put_metric_data(asked: dict, call) -> Iterator[str]:
    data = asked.get("MetricData", [])
    if not 1 <= len(data) <= METRICS:
        yield f"{len(data)} metrics, not 1 to {METRICS}"
    if len(call.body) > METRICS_BYTES:
        yield f"{len(call.body)} bytes"
    if asked["Namespace"].startswith("AWS/"):
        yield f"the namespace {asked['Namespace']} is AWS's"
    for one in data:
        yield from (f"{one['MetricName']}: {mistake}" for mistake in _datum(one))


def _datum(datum: dict) -> Iterator[str]:
    dimensions = datum.get("Dimensions", [])
    if len(dimensions) > DIMENSIONS or len({one["Name"] for one in dimensions}) < len(dimensions):
        yield f"{len(dimensions)} dimensions, more than {DIMENSIONS}, or one twice"
    for one in dimensions:
        for text in (one["Name"], one["Value"]):
            if not text.isascii() or not text.isprintable() or not text.strip() or text.startswith(":"):
                yield f"a dimension can't be {one}"
    values = datum.get("StatisticValues")
    if (values is None) == ("Value" not in datum):
        yield "not one of Value and StatisticValues"
    for number in values.values() if values else [datum.get("Value", 0.0)]:
        if not math.isfinite(number) or abs(number) > LARGEST_VALUE:
            yield f"{number} is no value"
    if values and not (values["SampleCount"] > 0 and values["Minimum"] <= values["Maximum"]):
        yield f"no statistics: {values}"
    if "Timestamp" in datum:
        at = datum["Timestamp"]
        ahead = (at.timestamp() if isinstance(at, datetime) else at) - time.time()
        if not -METRIC_SECONDS[0] <= ahead <= METRIC_SECONDS[1]:
            yield f"{ahead} seconds ahead"


def _object(asked: dict, _: object) -> Iterator[str]:
    if len(asked["Key"].encode()) > OBJECT_NAME_BYTES:
        yield f"a name of more than {OBJECT_NAME_BYTES} bytes: {asked['Key']:.80}"
    # S3's own advice: what some programs can't write into a path, or read back from XML.
    if not asked["Key"].isprintable():
        yield f"a name that can't be printed: {asked['Key']!r:.80}"


def _put_object(asked: dict, call) -> Iterator[str]:
    yield from _object(asked, call)
    if asked.get("IfNoneMatch", "*") != "*":
        yield f"If-None-Match is {asked['IfNoneMatch']!r}, and S3 knows * only"
    # Where a lock is the bucket's default, S3 refuses what comes without one.
    checksums = {name for name in asked if name == "ContentMD5" or name.startswith("Checksum")} - {"ChecksumAlgorithm"}
    if not checksums:
        yield "no Content-MD5 and no checksum, which Object Lock asks for"
    if "ChecksumCRC32" in asked:
        right = base64.b64encode(zlib.crc32(asked["Body"]).to_bytes(4)).decode()
        if asked["ChecksumCRC32"] != right:
            yield f"the checksum is {asked['ChecksumCRC32']}, of the body {right}"


def _look_up(asked: dict, _: object) -> Iterator[str]:
    if len(asked.get("LookupAttributes", [])) > 1:
        yield "more than one attribute"
    if asked.get("StartTime", 0) > asked.get("EndTime", math.inf):
        yield "the start is after the end"


def _nothing_more(_: dict, __: object) -> Iterator[str]:
    """The model says it all."""
    return iter(())


RULES: dict[str, Callable[[dict, object], Iterator[str]]] = {
    "cloudtrail:LookupEvents": _look_up,
    "cloudwatch:PutMetricData": _put_metric_data,
    "dynamodb:GetItem": _get_item,
    "dynamodb:PutItem": _put_item,
    "dynamodb:Query": _query_table,
    "dynamodb:TagResource": _tag_resource,
    "s3:GetObject": _object,
    "s3:ListObjectsV2": _nothing_more,
    "s3:PutObject": _put_object,
    "sns:ListSubscriptionsByTopic": _nothing_more,
    "sns:Publish": _publish,
    "sqs:SendMessage": _send_message,
}
