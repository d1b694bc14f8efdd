"""A flood of denied calls over the deployed functions: few messages, an empty queue, and who stops the trail in the same
minute is alerted in time. `tests/tests/floods.rs` has the figures with the time that AWS takes.

`HANDSOFF_FLOOD=5000/1000` is a flood of 5,000 calls by 1,000 principals, which takes minutes: moto is slower than AWS."""

import os
import threading
import time
from collections import Counter

import records
from live import Live

DENY_SPIKE, DRIFT = "handsoff-deny-spike", "handsoff-drift"
CALLS, PRINCIPALS = (int(number) for number in os.environ.get("HANDSOFF_FLOOD", "300/60").split("/"))


def event(number: int, who: str, action: str, seconds: int, **fields: object) -> dict:
    service, name = action.split(":")
    user = {
        "type": "IAMUser",
        "principalId": f"AIDA{who}",
        "arn": f"arn:aws:iam::111122223333:user/{who}",
        "accountId": "111122223333",
        "accessKeyId": f"AKIA{who}",
        "userName": who,
    }
    record = {
        "eventVersion": "1.11",
        "userIdentity": user,
        "eventTime": records.days_ago(2, f"02:00:{seconds:02}"),
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": "us-east-1",
        "sourceIPAddress": "203.0.113.9",
        "userAgent": "aws-cli/2",
        "requestParameters": None,
        "responseElements": None,
        "eventID": f"00000000-0000-4000-8000-{number:012}",
        "readOnly": True,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": "111122223333",
        "eventCategory": "Management",
    }
    return records.envelope(record | fields)


def test_a_flood_of_denied_calls(deploy) -> None:
    live: Live = deploy(concurrency=3)
    flood = [
        event(number, f"user{number % PRINCIPALS:03}", f"iam:List{number % 40}", number * 60 // CALLS, errorCode="AccessDenied")
        for number in range(CALLS)
    ]
    stopped = event(CALLS, "mallory", "cloudtrail:StopLogging", 30, readOnly=False)
    live.send(DENY_SPIKE, flood)
    live.faults.record()
    begun = time.monotonic()
    draining = threading.Thread(target=live.mappings[DENY_SPIKE].drain, args=(3,))
    draining.start()
    live.send(DRIFT, [stopped])
    live.mappings[DRIFT].drain()
    alerted = time.monotonic() - begun
    assert "mallory" in str(live.alerts()), "while the flood goes on"
    draining.join()
    drained = time.monotonic() - begun
    asked = Counter(call.name for call in live.faults.calls if call.service == "dynamodb")
    a_call = ", ".join(f"{name} {count / CALLS:.2f}" for name, count in sorted(asked.items()))
    live.settle()
    live.sweep_all()
    messages = len(live.messages) + len(live.receive())
    print(f"{CALLS} denied calls of {PRINCIPALS}: alert on the trail after {alerted:.1f} s, queue empty after {drained:.1f} s, {messages} messages; DynamoDB, a denied call: {a_call}")
    assert alerted < 60 and live.count(live.mappings[DENY_SPIKE].queue_url) == 0 and not live.dead(DENY_SPIKE)
    # Of the address; its rises in severity and counts, the end; and the same of the trail. None of a principal.
    assert messages <= 12, [message["Subject"] for message in live.messages]
    events = [*flood, stopped]
    verdicts, replayed = live.verdicts(), records.verdicts(records.replay([*flood, stopped], live.policy))
    assert verdicts.items() <= replayed.items()
    # Of one principal's calls in five minutes only so many are read, and reported.
    assert len(verdicts) == len(replayed) or CALLS / PRINCIPALS > 1000
