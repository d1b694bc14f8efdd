"""CloudTrail's `LookupEvents`, which moto hasn't: a test fills `records`, and the sweep asks.

As AWS documents it: management events of the asked Region and the last 90 days, the newest first, at most 50 at once,
one attribute, times included, and two questions a second in each Region.
"""

import base64
import json
import threading
import time
from collections import defaultdict, deque
from datetime import datetime

from answers import json_error
from proxy import Answer

DAYS = 90
PAGE = 50
A_SECOND = 2


def user_name(record: dict) -> str | None:
    """What CloudTrail calls the user: of a role's session its name, of root "root"."""
    identity = record.get("userIdentity") or {}
    if identity.get("type") == "Root":
        return "root"
    if identity.get("type") in ("AssumedRole", "FederatedUser"):
        return str(identity.get("arn", "")).rsplit("/", 1)[-1] or None
    return identity.get("userName")


def _seconds(record: dict) -> float:
    return datetime.fromisoformat(record["eventTime"]).timestamp()


def _resources(record: dict) -> list[dict]:
    """What the record names as its resources; of a call that takes a role on CloudTrail adds the role and the key."""
    asked, answered = record.get("requestParameters") or {}, record.get("responseElements") or {}
    named = [(one.get("type"), one.get("ARN")) for one in record.get("resources") or []]
    named += [("AWS::IAM::Role", asked.get("roleArn"))]
    named += [("AWS::IAM::AccessKey", (answered.get("credentials") or {}).get("accessKeyId"))]
    return [{"ResourceType": kind, "ResourceName": name} for kind, name in dict.fromkeys(named) if name]


def _event(record: dict) -> dict:
    event = {
        "EventId": record["eventID"],
        "EventName": record["eventName"],
        "ReadOnly": str(record.get("readOnly", False)).lower(),
        "AccessKeyId": (record.get("userIdentity") or {}).get("accessKeyId"),
        "EventTime": _seconds(record),
        "EventSource": record["eventSource"],
        "Username": user_name(record),
        "Resources": _resources(record),
        "CloudTrailEvent": json.dumps(record),
    }
    return {name: value for name, value in event.items() if value is not None}


ATTRIBUTES = ("AccessKeyId", "Username", "EventId", "EventName", "EventSource", "ReadOnly", "ResourceName")


def _has(event: dict, attribute: str, value: str) -> bool:
    if attribute == "ResourceName":
        return any(one["ResourceName"] == value for one in event["Resources"])
    return event.get(attribute) == value


class Trail:
    def __init__(self) -> None:
        self.records: list[dict] = []
        self.throttled = 0
        # How long a second is: tests that don't look at the limit have no time for it.
        self.second = 1.0
        self._asked: dict[str, deque[float]] = defaultdict(deque)
        self._lock = threading.Lock()

    def answer(self, operation: str, region: str, body: bytes) -> Answer:
        assert operation == "LookupEvents", operation
        with self._lock:
            asked, now = self._asked[region], time.monotonic()
            while asked and now - asked[0] > self.second:
                asked.popleft()
            if len(asked) >= A_SECOND:
                self.throttled += 1
                return _refused("ThrottlingException", "Rate exceeded")
            asked.append(now)
        return self._look_up(region, json.loads(body or b"{}"))

    def _look_up(self, region: str, asked: dict) -> Answer:
        attributes, most = asked.get("LookupAttributes", []), asked.get("MaxResults", PAGE)
        begin = max(asked.get("StartTime", 0), time.time() - DAYS * 86_400)
        end = asked.get("EndTime", time.time())
        if len(attributes) > 1 or any(one["AttributeKey"] not in ATTRIBUTES for one in attributes):
            return _refused("InvalidLookupAttributesException", f"one attribute, of those that are known: {attributes}")
        if not 1 <= most <= PAGE:
            return _refused("InvalidMaxResultsException", f"1 to {PAGE}")
        if asked.get("StartTime", 0) > end:
            return _refused("InvalidTimeRangeException", "the start is after the end")
        # The next page belongs to the same question.
        question = [region, attributes, asked.get("StartTime"), asked.get("EndTime")]
        skip = 0
        if token := asked.get("NextToken"):
            try:
                of, skip = json.loads(base64.b64decode(token))
            except ValueError:
                of = None
            if of != question:
                return _refused("InvalidNextTokenException", "the token is of another question")
        events = [
            _event(record)
            for record in sorted(self.records, key=_seconds, reverse=True)
            if record.get("awsRegion") == region
            and record.get("managementEvent", True)
            and begin <= _seconds(record) <= end
        ]
        for one in attributes:
            events = [event for event in events if _has(event, one["AttributeKey"], one["AttributeValue"])]
        answer: dict = {"Events": events[skip : skip + most]}
        if skip + most < len(events):
            answer["NextToken"] = base64.b64encode(json.dumps([question, skip + most]).encode()).decode()
        return Answer(200, [("Content-Type", "application/x-amz-json-1.1")], json.dumps(answer).encode())


def _refused(code: str, message: str) -> Answer:
    return Answer(*json_error("cloudtrail", code, message))
