"""Killed after every step between process and AWS, and after each the result is handed to Lambda or not.

The n-th call is found by counting until no n-th call is made any more: all are tried, not a sample. Each try has
events of an account of its own, so that all of them can be redelivered and looked at together.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

import detectors
import records
from faults import Call
from live import SWEEP, Live
from runtime import Outcome

# By function; for drift two incidents, one of them with two findings, and nothing.
BATCHES = {name: [sample] for name, sample in detectors.SAMPLES.items()} | {
    "handsoff-drift": [
        "drift-write.iam-user-cli.json",
        "trail-tampered.stop-logging.json",
        "trail-tampered.disable-rule.json",
        "nothing.kms-decrypt.json",
    ],
    "handsoff-break-glass": ["glass-overdue.json"],
    "handsoff-deny-spike": ["deny-probing.jsonl"],
}
# As many denied actions as a probing takes: each of them is two writes.
DENIED = 6
UNREADABLE = "not JSON"
# Over how many days the sweep's steps are spread at most.
DAYS = 200


def batch(samples: dict[str, list[dict]], function: str, number: int) -> list[dict]:
    events = [event for name in BATCHES[function] for event in samples[name][:DENIED]]
    return records.elsewhere(events, number)


@dataclass
class Try:
    step: str
    number: int
    calls: list[Call]


# A process that dies before a change leaves the same world behind as one that died after the change before it; one that
# dies before a read or after it, as one that dies after the last change. So it is killed after each change.
READS = (
    "dynamodb:GetItem",
    "dynamodb:Query",
    "sns:ListSubscriptionsByTopic",
    "s3:GetObject",
    "s3:ListObjectsV2",
    "cloudtrail:LookupEvents",
)


def each_step(
    live: Live,
    prepare: Callable[[int], None],
    invoke: Callable[[], Outcome],
) -> Iterator[Try]:
    """Kills after every step of an invocation, until one runs to its end; each has its own number to prepare for."""
    for step in range(1, 1000):
        prepare(step)
        live.faults.kill(step, "after", but=READS)
        outcome = invoke()
        calls, killed = list(live.faults.calls), live.faults.killed
        live.faults.record()
        yield Try(f"after {step}: {killed.name if killed else 'nothing'}", step, calls)
        if not killed:
            break
    assert outcome.kind == "response", outcome
    assert sum(call.name not in READS for call in calls) < step
    print(f"{step} tries", [call.name for call in calls])


def alert_of(call: Call) -> dict:
    return json.loads(json.loads(call.form()["Message"])["sqs"])["unmapped"]["handsoff"]["alert"]


def in_flight(calls: list[Call]) -> set[records.Telling]:
    """What had gone out when the process died, without a note of it having reached the table."""
    flying: dict[tuple[str, str], list[dict]] = {}
    for call in calls:
        if call.name == "sns:Publish" and call.forwarded:
            alert = alert_of(call)
            flying.setdefault((alert["incident"], f"state#{alert['period']}"), []).append(alert)
        elif call.name == "dynamodb:PutItem" and call.forwarded and call.status == 200:
            item = call.json()["Item"]
            flying.pop((item["pk"]["S"], item["sk"]["S"]), None)
    return {telling for alerts in flying.values() for telling in records.told(alerts)}


def check(told: Counter, expected: set[records.Telling], may_repeat: set[records.Telling], step: str) -> None:
    lost = expected - told.keys()
    assert not lost, f"{step}: never told {sorted(lost)}"
    repeated = {telling for telling in expected if told[telling] > 1}
    assert repeated <= may_repeat, f"{step}: repeated {sorted(repeated - may_repeat)}"
    assert all(told[telling] <= 2 for telling in expected), step


# Who comes first: the queue with the same events again, and then the sweep; or after the lease the sweep.
@pytest.mark.parametrize(
    ("function", "first"), [("handsoff-break-glass", "sweep"), *((function, "redelivery") for function in BATCHES)]
)
def test_detector(deploy, samples: dict[str, list[dict]], function: str, first: str) -> None:
    live: Live = deploy()
    mapping = live.mappings[function]

    def prepare(number: int) -> None:
        live.send(function, [*batch(samples, function, number), UNREADABLE])

    tries = list(each_step(live, prepare, mapping.poll))
    names = {call.name for one in tries for call in one.calls}
    assert {"dynamodb:PutItem", "sns:Publish", "sqs:SendMessage", "runtime:response"} <= names

    # Redelivered at once the detector finds its own claim, whose lease isn't over; the sweep comes when it is.
    if first == "redelivery":
        live.settle()
    live.sweep_all()
    live.settle()
    live.sweep_all()

    told = live.told()
    every: set[records.Telling] = set()
    for one in tries:
        expected = records.to_be_told(batch(samples, function, one.number), live.policy)
        check(told, expected, in_flight(one.calls), one.step)
        every |= expected
    assert told.keys() == every
    assert {message["Body"] for message in live.dead(function)} == {UNREADABLE}


def test_sweep(deploy, samples: dict[str, list[dict]]) -> None:
    live: Live = deploy()
    sns, mapping = live.aws.client("sns"), live.mappings["handsoff-drift"]
    noon = live.due().replace(hour=12, minute=0)
    events = records.earlier(samples["trail-tampered.stop-logging.json"], DAYS)
    gone: dict[int, str] = {}

    def now(number: int) -> datetime:
        """A day for each, so that lost subscriptions are not told together."""
        assert number < DAYS
        return noon + timedelta(days=number - DAYS)

    def prepare(number: int) -> None:
        """What the last one left undone is done by the next. Then: somebody who was told isn't any more, an alert
        could not be sent, an incident is over, and a canary is due."""
        if number > 1:
            live.pass_lease()
            assert live.sweep(now(number - 1) + timedelta(hours=1)).kind == "response"
        gone[number] = sns.subscribe(
            TopicArn=live.topic, Protocol="email", Endpoint="leaver@example.com", ReturnSubscriptionArn=True
        )["SubscriptionArn"]
        live.sweep(now(number))
        sns.unsubscribe(SubscriptionArn=gone[number])
        live.faults.trouble("sns", "refuse")
        live.send("handsoff-drift", records.elsewhere(events, number))
        mapping.poll()
        mapping.held.clear()
        live.faults.heal()
        live.pass_lease()

    numbers = iter(range(1, 10_000))
    tries = list(each_step(live, prepare, lambda: live.sweep(now(next(numbers)) + timedelta(minutes=30))))
    names = {call.name for one in tries for call in one.calls}
    assert {"dynamodb:TagResource", "sns:ListSubscriptionsByTopic", "sns:Publish"} <= names

    told = live.told()
    lost = [alert for alert in live.alerts() if alert["cause"] == "opened" and "sns:Unsubscribe" in alert["text"]]
    for one in tries:
        about = [alert for alert in lost if gone[one.number] in alert["text"]]
        assert about, f"{one.step}: a lost subscription was never told"
        expected = records.to_be_told(records.elsewhere(events, one.number), live.policy)
        check(told, expected | set(records.told(about)), in_flight(one.calls), one.step)


def test_a_process_that_died_is_replaced(live: Live, samples: dict[str, list[dict]]) -> None:
    """What Lambda does, and the runtime here must too: the next invocation has a new process."""
    function = live.functions["handsoff-drift"]
    live.send("handsoff-drift", batch(samples, "handsoff-drift", 1))
    live.faults.kill(1, "before")
    assert live.mappings["handsoff-drift"].poll().kind == "died"
    began = time.monotonic()
    live.mappings["handsoff-drift"].redeliver()
    assert live.mappings["handsoff-drift"].poll().kind == "response"
    assert time.monotonic() - began < 10
    assert len(function.environments) == 2
    assert live.functions[SWEEP].environments == []
