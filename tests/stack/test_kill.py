"""Killed at every step between process and AWS, and after each the result is handed to Lambda or not.

The n-th call is found by counting until no n-th call is made any more: all are tried, not a sample. Each try has
events of an account of its own, so that all of them can be redelivered and looked at together.
"""

import json
import time
from collections import Counter
from datetime import timedelta

import pytest

import records
from faults import Call
from live import SWEEP, Live

# By function; for drift two incidents, one of them with two findings, and nothing.
BATCHES = {
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


def batch(samples: dict[str, list[dict]], function: str, number: int) -> list[dict]:
    events = [event for name in BATCHES[function] for event in samples[name][:DENIED]]
    return records.elsewhere(events, number)


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
    tries: list[tuple[str, int, list[Call]]] = []
    number = 0
    for when in ("before", "after"):
        for step in range(1, 1000):
            number += 1
            live.send(function, [*batch(samples, function, number), UNREADABLE])
            live.faults.kill(step, when)
            mapping.poll()
            calls, killed = list(live.faults.calls), live.faults.killed
            tries.append((f"{when} {step}: {killed.name if killed else 'nothing'}", number, calls))
            if not killed:
                break
    live.faults.record()
    print(f"{len(tries)} tries", [call.name for call in tries[-1][2]])
    names = {call.name for _, _, calls in tries for call in calls}
    assert {"dynamodb:PutItem", "sns:Publish", "sqs:SendMessage", "runtime:response"} <= names

    if first == "sweep":
        live.pass_lease()
        assert live.sweep().kind == "response"
        live.settle()
    else:
        # Redelivered at once the detector finds its own claim, whose lease isn't over; the sweep comes when it is.
        live.settle()
        live.pass_lease()
        assert live.sweep().kind == "response"
    for _ in range(2):
        live.pass_lease()
        assert live.sweep(live.later()).kind == "response"

    told = live.told()
    every = []
    for step, number, calls in tries:
        expected = records.to_be_told(batch(samples, function, number), live.policy)
        check(told, expected, in_flight(calls), step)
        every += expected
    assert told.keys() == set(every)
    assert {message["Body"] for message in live.dead(function)} == {UNREADABLE}


def test_sweep(deploy, samples: dict[str, list[dict]]) -> None:
    live: Live = deploy()
    sns, mapping = live.aws.client("sns"), live.mappings["handsoff-drift"]
    now = live.later().replace(hour=12, minute=0)
    number, tries = 0, []
    for when in ("before", "after"):
        for step in range(1, 1000):
            number += 1
            # Somebody who is told now, and isn't any more; a canary that is due; alerts that could not be sent;
            # and incidents that are over. A day later each, so that the subscriptions are told by themselves.
            now += timedelta(days=1)
            left = sns.subscribe(
                TopicArn=live.topic, Protocol="email", Endpoint="leaver@example.com", ReturnSubscriptionArn=True
            )["SubscriptionArn"]
            live.sweep(now)
            sns.unsubscribe(SubscriptionArn=left)
            events = batch(samples, "handsoff-drift", number)
            live.send("handsoff-drift", events[:1])
            mapping.poll()
            live.faults.trouble("sns", "refuse")
            live.send("handsoff-drift", events[1:])
            mapping.poll()
            live.faults.heal()
            mapping.held.clear()

            live.pass_lease()
            live.faults.kill(step, when)
            live.sweep(now + timedelta(hours=1))
            calls, killed = list(live.faults.calls), live.faults.killed
            live.faults.record()
            live.pass_lease()
            assert live.sweep(now + timedelta(hours=1, minutes=5)).kind == "response"
            tries.append((f"{when} {step}: {killed.name if killed else 'nothing'}", number, left, calls))
            if not killed:
                break
    print(f"{len(tries)} tries", [call.name for call in tries[-1][3]])
    names = {call.name for *_, calls in tries for call in calls}
    assert {"dynamodb:TagResource", "sns:ListSubscriptionsByTopic", "sns:Publish"} <= names

    told = live.told()
    lost = {alert["text"]: alert for alert in live.alerts() if "sns:Unsubscribe" in alert["text"]}
    for step, number, left, calls in tries:
        expected = records.to_be_told(batch(samples, "handsoff-drift", number), live.policy)
        about = [alert for text, alert in lost.items() if left in text and alert["cause"] == "opened"]
        assert about, f"{step}: a lost subscription was never told"
        expected |= set(records.told(about))
        check(told, expected, in_flight(calls), step)


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
