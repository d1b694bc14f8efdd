"""What stands in for S3 and for CloudTrail, before any function asks it."""

import time
from collections.abc import Iterator
from types import SimpleNamespace

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

import records
from aws import KEYS, REGION
from live import Live
from permissions import Permission
from proxy import Tap
from session import Session


@pytest.fixture
def tap(account: Live) -> Iterator[Tap]:
    """The way to AWS of a process that calls itself the sweep."""
    process = SimpleNamespace(alive=True, name="sweep#1", spec=SimpleNamespace(name="handsoff-sweep"))
    tap = Tap(account.faults, account.aws.url, process)
    yield tap
    tap.close()


def client(tap: Tap, service: str, region: str = REGION, tries: int = 1):
    config = Config(retries={"total_max_attempts": tries})
    return boto3.client(service, endpoint_url=tap.url, region_name=region, config=config, **KEYS)


def wait(seconds: float = 1.1) -> None:
    """The limit of two questions a second has forgotten the last ones."""
    time.sleep(seconds)


def test_lookup_events(account: Live, tap: Tap) -> None:
    session = Session(records.days_ago(2), name="night", keys=3)
    session.call("ec2:DescribeInstances", minutes=1, count=120)
    session.call("iam:ListUsers", minutes=2, region="us-east-1")
    known = session.records()
    account.trail += known
    trail = client(tap, "cloudtrail")
    start, end = session.time(0), session.time(60)
    asked = {"StartTime": start, "EndTime": end, "LookupAttributes": []}
    asked["LookupAttributes"] = [{"AttributeKey": "Username", "AttributeValue": session.name}]

    got: list[dict] = []
    page: dict = {}
    while True:
        answer = trail.lookup_events(**asked, **page)
        got += answer["Events"]
        assert len(answer["Events"]) <= 50
        if "NextToken" not in answer:
            break
        page = {"NextToken": answer["NextToken"]}
        wait(0.6)
    assert [one["EventTime"] for one in got] == sorted((one["EventTime"] for one in got), reverse=True)
    here = [one for one in known if one["awsRegion"] == REGION and one["userIdentity"]["type"] == "AssumedRole"]
    assert {one["EventId"] for one in got} == {one["eventID"] for one in here}
    assert {one["Username"] for one in got} == {session.name}
    wait()
    # The one who took the role on is another user.
    asked["LookupAttributes"] = [{"AttributeKey": "AccessKeyId", "AttributeValue": session.keys[1]}]
    some = trail.lookup_events(**asked, MaxResults=1)
    assert some["Events"][0]["AccessKeyId"] == session.keys[1]
    with pytest.raises(ClientError, match="InvalidNextToken"):
        trail.lookup_events(StartTime=start, EndTime=end, NextToken=some["NextToken"])
    with pytest.raises(ClientError, match="Throttling"):
        trail.lookup_events(**asked)
    # Every Region has its own limit, and its own events.
    other = client(tap, "cloudtrail", "us-east-1").lookup_events(StartTime=start, EndTime=end)
    assert [one["EventName"] for one in other["Events"]] == ["ListUsers"]
    assert account.faults.trail.throttled == 1
    assert ("handsoff-sweep", Permission("cloudtrail:LookupEvents", "*")) in account.faults.seen


def test_times_of_lookup_events_are_included(account: Live, tap: Tap) -> None:
    session = Session(records.days_ago(2))
    session.call("ec2:DescribeInstances", minutes=1)
    account.trail += session.records()
    trail = client(tap, "cloudtrail")
    at = session.time(1)
    assert len(trail.lookup_events(StartTime=at, EndTime=at)["Events"]) == 1
    with pytest.raises(ClientError, match="InvalidTimeRange"):
        trail.lookup_events(StartTime=session.time(2), EndTime=at)


def test_the_bucket_through_the_proxy(account: Live, tap: Tap) -> None:
    s3 = client(tap, "s3")
    put = {"Bucket": account.bucket, "Key": "cases/glass-1/live/a.json", "ChecksumAlgorithm": "CRC32"}
    s3.put_object(**put, Body=b"1" * 3_000_000, IfNoneMatch="*")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(**put, Body=b"2", IfNoneMatch="*")
    listed = s3.list_objects_v2(Bucket=account.bucket, Prefix="cases/glass-1/")
    assert [one["Key"] for one in listed["Contents"]] == ["cases/glass-1/live/a.json"]
    assert s3.get_object(Bucket=account.bucket, Key=put["Key"])["Body"].read()[:1] == b"1"
    assert account.kept("glass-1") == ["live/a.json"]
    # To a role that may list a prefix only S3 doesn't say that a key isn't there.
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.get_object(Bucket=account.bucket, Key="cases/glass-1/live/b.json")
    names = [call.name for call in account.faults.calls]
    assert names == ["s3:PutObject"] * 2 + ["s3:ListObjectsV2"] + ["s3:GetObject"] * 2
    file = f"arn:aws:s3:::{account.bucket}/cases/glass-1/live/a.json"
    needed = {need for _, need in account.faults.seen}
    assert Permission("s3:PutObject", file, (("s3:if-none-match", "*"),)) in needed
    assert Permission("s3:ListBucket", f"arn:aws:s3:::{account.bucket}", (("s3:prefix", "cases/glass-1/"),)) in needed


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("throttle", "SlowDown"),
        ("unavailable", "ServiceUnavailable"),
        ("refuse", "AccessDenied"),
        ("conflict", "ConditionalRequestConflict"),
    ],
)
def test_trouble_of_the_bucket(account: Live, tap: Tap, kind: str, code: str) -> None:
    account.faults.trouble("s3", kind, times=1)
    put = {"Bucket": account.bucket, "Key": "cases/x/1", "Body": b"1", "ChecksumAlgorithm": "CRC32"}
    with pytest.raises(ClientError, match=code):
        client(tap, "s3").put_object(**put)
    client(tap, "s3").put_object(**put)
