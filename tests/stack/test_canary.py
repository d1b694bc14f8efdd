"""The canary: written by the sweep, recognised by drift when it comes back, and by nobody else's call."""

import copy
from collections import Counter
from datetime import UTC, datetime, timedelta

import records
from live import DETECTORS, SWEEP, Live

KEY = "handsoff-canary"
HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"


def tags(live: Live) -> dict[str, str]:
    client = live.aws.client("dynamodb")
    arn = client.describe_table(TableName=live.table)["Table"]["TableArn"]
    return {tag["Key"]: tag["Value"] for tag in client.list_tags_of_resource(ResourceArn=arn)["Tags"]}


def canary_record(live: Live) -> dict:
    """What CloudTrail writes of the last canary: the call as the sweep made it, by the sweep's role."""
    call = live.faults.made("dynamodb:TagResource")[-1].json()
    role = live.functions["handsoff-drift"].spec.environment["HANDSOFF_CANARY_ROLE"]
    now = datetime.now(UTC)
    account = role.split(":")[4]
    return records.envelope(
        {
            "eventVersion": "1.11",
            "userIdentity": {
                "type": "AssumedRole",
                "principalId": "AROASWEEPSWEEPEXAMPLE:handsoff-sweep",
                "arn": f"arn:aws:sts::{account}:assumed-role/{role.rsplit('/', 1)[-1]}/handsoff-sweep",
                "accountId": account,
                "accessKeyId": "ASIASWEEPSWEEPEXAMPLE",
                "sessionContext": {
                    "sessionIssuer": {
                        "type": "Role",
                        "principalId": "AROASWEEPSWEEPEXAMPLE",
                        "arn": role,
                        "accountId": account,
                        "userName": role.rsplit("/", 1)[-1],
                    },
                    "attributes": {
                        "creationDate": (now - timedelta(minutes=50)).strftime("%Y-%m-%dT%H:%M:%SZ"),
                        "mfaAuthenticated": "false",
                    },
                },
            },
            "eventTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "eventSource": "dynamodb.amazonaws.com",
            "eventName": "TagResource",
            "awsRegion": "eu-central-1",
            "sourceIPAddress": "203.0.113.9",
            "userAgent": "aws-sdk-rust/1.3 os/linux lang/rust/1.94",
            "requestParameters": {
                "resourceArn": call["ResourceArn"],
                "tags": [{"key": tag["Key"], "value": tag["Value"]} for tag in call["Tags"]],
            },
            "responseElements": None,
            "requestID": "5c1f3b1e-0000-4000-8000-canary000000",
            "eventID": "7f4d2b1a-0000-4000-8000-000000000001",
            "readOnly": False,
            "resources": [{"accountId": account, "type": "AWS::DynamoDB::Table", "ARN": call["ResourceArn"]}],
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": account,
            "eventCategory": "Management",
        }
    )


def test_the_canary_is_written_on_its_minutes(live: Live) -> None:
    every = int(live.functions[SWEEP].spec.environment["HANDSOFF_CANARY_MINUTES"])
    start = live.due() - timedelta(minutes=4 * every) + timedelta(seconds=7)
    values = []
    for minute in range(2 * every + 1):
        assert live.sweep(start + timedelta(minutes=minute)).kind == "response"
        values.append(tags(live)[KEY])
    writes = len(live.faults.made("dynamodb:TagResource"))
    assert writes == 3
    # AWS Config bills each change of a tag.
    assert len(set(values)) == 1
    # Nothing but the one tag, on the table.
    for call in live.faults.made("dynamodb:TagResource"):
        assert [tag["Key"] for tag in call.json()["Tags"]] == [KEY]


def test_the_canary_comes_back_and_is_no_finding(live: Live) -> None:
    live.sweep(live.due())
    record = canary_record(live)
    live.publish([record])
    assert live.count(live.mappings["handsoff-drift"].queue_url) == 1
    live.settle()
    assert live.metric("CanaryRoundTrip", "SampleCount") == 1
    assert 0 <= live.metric("CanaryRoundTrip", "Maximum") < 60
    # It isn't a lag too, which would be a second metric that is sent all the time.
    assert live.metric("Lag", "SampleCount", Function="handsoff-drift") == 0
    assert live.verdicts() == {}
    assert live.told() == Counter()


def test_the_round_trip_counts_from_the_event_time(live: Live) -> None:
    live.sweep(live.due())
    record = canary_record(live)
    long_ago = datetime.now(UTC) - timedelta(minutes=10)
    record["detail"]["eventTime"] = long_ago.strftime("%Y-%m-%dT%H:%M:%SZ")
    live.send("handsoff-drift", [record])
    live.settle()
    assert 600 <= live.metric("CanaryRoundTrip", "Minimum") < 660


def _another_role(detail: dict) -> None:
    identity = detail["userIdentity"]
    identity["arn"] = identity["arn"].replace("handsoff-sweep/", "not-the-sweep/")
    issuer = identity["sessionContext"]["sessionIssuer"]
    issuer["arn"] = issuer["arn"].replace("handsoff-sweep", "not-the-sweep")
    issuer["userName"] = "not-the-sweep"


def _only_named_like_the_role(detail: dict) -> None:
    identity = detail["userIdentity"]
    detail["userIdentity"] = {
        "type": "IAMUser",
        "userName": "handsoff-sweep",
        "arn": f"arn:aws:iam::{identity['accountId']}:user/handsoff-sweep",
        "accountId": identity["accountId"],
        "accessKeyId": "AKIAINTRUDEREXAMPLE0",
    }


def _the_role_of_another_account(detail: dict) -> None:
    identity = detail["userIdentity"]
    issuer = identity["sessionContext"]["sessionIssuer"]
    for one in (identity, issuer):
        one["arn"] = one["arn"].replace("111122223333", "999988887777")
        one["accountId"] = "999988887777"


def _another_table(detail: dict) -> None:
    arn = detail["requestParameters"]["resourceArn"] + "-not"
    detail["requestParameters"]["resourceArn"] = arn
    detail["resources"][0]["ARN"] = arn


def _another_tag(detail: dict) -> None:
    detail["requestParameters"]["tags"][0]["key"] = "owner"


def _one_more_tag(detail: dict) -> None:
    detail["requestParameters"]["tags"].append({"key": "owner", "value": "me"})


def _no_tags(detail: dict) -> None:
    detail["requestParameters"]["tags"] = []


def _another_call(detail: dict) -> None:
    detail["eventName"] = "UntagResource"
    detail["requestParameters"]["tagKeys"] = [KEY]


def _another_table_in_resources(detail: dict) -> None:
    detail["requestParameters"] = None
    detail["resources"][0]["ARN"] += "-not"


def _capitals(detail: dict) -> None:
    asked = detail["requestParameters"]
    tags = [{"Key": tag["key"], "Value": tag["value"]} for tag in asked["tags"]]
    detail["requestParameters"] = {"ResourceArn": asked["resourceArn"], "Tags": tags}


def _capitals_and_no_resources(detail: dict) -> None:
    _capitals(detail)
    del detail["resources"]


def _hidden(detail: dict) -> None:
    detail["requestParameters"] = HIDDEN
    del detail["resources"]


def _hidden_one_by_one(detail: dict) -> None:
    detail["requestParameters"] = {"resourceArn": HIDDEN, "tags": HIDDEN}
    del detail["resources"]


def _only_resources(detail: dict) -> None:
    detail["requestParameters"] = None


def _tag_keys(detail: dict) -> None:
    asked = detail["requestParameters"]
    asked["tags"] = [{"tagKey": tag["key"], "tagValue": tag["value"]} for tag in asked["tags"]]


def _denied(detail: dict) -> None:
    detail["errorCode"] = "AccessDenied"


def test_what_differs_from_the_canary_is_a_finding(live: Live) -> None:
    live.sweep(live.due())
    for number, change in enumerate(
        [
            _another_role,
            _only_named_like_the_role,
            _the_role_of_another_account,
            _another_table,
            _another_table_in_resources,
            _another_tag,
            _one_more_tag,
            _another_call,
        ]
    ):
        record = copy.deepcopy(canary_record(live))
        record["detail"]["eventID"] = f"7f4d2b1a-0000-4000-8000-1000000000{number:02}"
        change(record["detail"])
        live.send("handsoff-drift", [record])
        live.settle()
        found = {event for _, event, _ in live.verdicts()}
        assert record["detail"]["eventID"] in found, change.__name__
        assert live.metric("CanaryRoundTrip", "SampleCount") == 0, change.__name__


def test_the_canary_is_known_however_its_parameters_are_written(live: Live) -> None:
    """Nobody has documented how CloudTrail writes them."""
    live.sweep(live.due())
    ways = [
        _no_tags,
        _capitals,
        _capitals_and_no_resources,
        _hidden,
        _hidden_one_by_one,
        _only_resources,
        _tag_keys,
    ]
    for number, change in enumerate(ways, 1):
        record = copy.deepcopy(canary_record(live))
        change(record["detail"])
        live.send("handsoff-drift", [record])
        live.settle()
        assert live.metric("CanaryRoundTrip", "SampleCount") == number, change.__name__
    assert live.verdicts() == {}


def test_a_denied_canary_did_not_come_back(live: Live) -> None:
    live.sweep(live.due())
    record = canary_record(live)
    _denied(record["detail"])
    for name in DETECTORS:
        live.send(name, [record])
    live.settle()
    assert live.metric("CanaryRoundTrip", "SampleCount") == 0
