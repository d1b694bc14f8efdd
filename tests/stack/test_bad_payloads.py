"""What can't be read ends in the dead-letter queue with a reason and in a metric; what is odd is judged."""

import copy
import json
from collections import Counter

import pytest

import detectors
import records
from live import DETECTORS, SWEEP, Live

HOSTILE = "\u202e\x1b[31m<script>alert(1)</script>`'\";DROP TABLE findings;--${jndi:ldap://x/y}\r\nX: y %s %n {{7*7}}"
GOOD = detectors.SAMPLES | {
    "handsoff-drift": "interactive-access.session-manager.json",
    "handsoff-break-glass": "glass-opened.assume-role.json",
    "handsoff-deny-spike": "deny-probing.jsonl",
}


def envelope_with(detail: object) -> str:
    event = records.envelope({"eventSource": "rds.amazonaws.com"}) | {"detail": detail, "time": "2026-03-14T00:00:00Z"}
    return json.dumps(event)


def without_detail() -> str:
    event = json.loads(envelope_with(None))
    del event["detail"]
    return json.dumps(event)


def nested(depth: int) -> dict:
    value: dict = {}
    for _ in range(depth):
        value = {"a": value}
    return value


UNREADABLE = {
    "nothing but a blank": " ",
    "not JSON": "not JSON",
    "half of it": '{"version":"0","detail":{"eventVersion":"1.11","eventID":"',
    "a number": "12",
    "null": "null",
    "a text": '"text"',
    "a list": "[]",
    "an empty object": "{}",
    "no detail": without_detail(),
    "detail is null": envelope_with(None),
    "detail is a text": envelope_with("text"),
    "detail is a number": envelope_with(7),
    "detail is a list": envelope_with([{"eventID": "x"}]),
    "256 KB of junk": "j" * 262_144,
    "256 KB of brackets": "[" * 262_144,
    "256 KB of nested objects": '{"a":' * 43_000 + "1" + "}" * 43_000,
    "a record that is nested deeper than any": envelope_with({"eventID": "x", "requestParameters": nested(500)}),
    # A queue takes the escape within JSON only.
    "hostile text": HOSTILE.replace("\x1b", ""),
    "detail is hostile text": envelope_with(HOSTILE),
}


def wait_for_reasons(live: Live, function: str) -> dict[str, str]:
    """The reason of each dead letter, by its body."""
    found = {}
    for message in live.dead(function):
        attributes = message.get("MessageAttributes", {})
        assert attributes["function"]["StringValue"] == function
        found[message["Body"]] = attributes["reason"]["StringValue"]
    return found


@pytest.mark.parametrize("function", DETECTORS)
def test_unreadable_payloads(live: Live, samples: dict[str, list[dict]], function: str) -> None:
    good = samples[GOOD[function]]
    mapping = live.mappings[function]
    for start in range(0, len(UNREADABLE), 4):
        live.send(function, list(UNREADABLE.values())[start : start + 4])
        if start == 4:
            live.send(function, good)
    mapping.drain()
    assert not mapping.held
    assert live.count(mapping.queue_url) == 0
    reasons = wait_for_reasons(live, function)
    missing = [name for name, body in UNREADABLE.items() if body not in reasons]
    assert not missing
    assert len(reasons) == len(UNREADABLE)
    for reason in reasons.values():
        # For a person to read, and harmless: nothing of the payload stands in it.
        assert 5 <= len(reason) <= 1000
        assert reason.isprintable()
        assert "script" not in reason
    for dimensions in ({}, {"Function": function}):
        assert live.metric("UnreadablePayloads", **dimensions) == len(UNREADABLE)
    # What came in the same batches is told.
    expected = records.to_be_told(good, live.policy)
    assert live.told() == Counter(telling for telling in expected if telling[2] != "closed")


def odd(event: dict) -> dict[str, dict]:
    """A sample with one field after the other of a type that it never has, or hostile."""
    found = {}
    values = {"number": 7, "list": [1], "null": None, "hostile": HOSTILE}
    for key in event["detail"]:
        for name, value in values.items():
            changed = copy.deepcopy(event)
            changed["detail"][key] = value
            found[f"{key}: {name}"] = changed
    for key in ("userAgent", "eventName", "sourceIPAddress"):
        changed = copy.deepcopy(event)
        changed["detail"][key] = "A" * 100_000
        found[f"{key}: long"] = changed
    changed = copy.deepcopy(event)
    changed["detail"]["requestParameters"] = nested(100)
    found["requestParameters: nested"] = changed
    return found


@pytest.mark.parametrize("function", DETECTORS)
def test_odd_fields_are_judged_as_in_replay(live: Live, samples: dict[str, list[dict]], function: str) -> None:
    """A record with an odd field is no unreadable one. Each stands by itself, in an account of its own."""
    original = samples[GOOD[function]][0]
    events = []
    for number, event in enumerate(odd(original).values()):
        events += records.elsewhere([event], number)
    live.send(function, events)
    live.settle()
    assert not live.dead(function)
    findings = {
        key: verdict
        for key, verdict in records.verdicts(records.replay(events, live.policy)).items()
        # What is said of a session as a whole is the sweep's, which doesn't run here.
        if detectors.owner({"incident": key[0], "code": verdict[0]}) == function and verdict[0] not in records.WHOLE
    }
    assert live.verdicts() == findings


@pytest.mark.parametrize("function", DETECTORS)
def test_when_the_dead_letter_queue_refuses_the_message_comes_back(deploy, function: str) -> None:
    live: Live = deploy(timeout=8)
    live.faults.trouble("sqs", "refuse")
    live.send(function, ["not JSON"])
    outcome = live.mappings[function].poll()
    assert outcome.kind == "response"
    assert len(live.mappings[function].held) == 1
    live.faults.heal()
    live.settle()
    assert [message["Body"] for message in live.dead(function)] == ["not JSON"]


NEVER_SENT = ["null", "[]", "{}", '"x"', '{"Records":7}', '{"Records":[{}]}', '{"Records":[null]}', "not JSON"]


@pytest.mark.parametrize("function", [*DETECTORS, SWEEP])
def test_payloads_that_lambda_never_sends(live: Live, function: str) -> None:
    """Somebody may invoke a function by hand: it answers, with an error or not, and lives."""
    for payload in NEVER_SENT:
        outcome = live.functions[function].invoke(payload.encode())
        assert outcome.kind in ("response", "error"), payload
    assert len(live.functions[function].environments) == 1


@pytest.mark.parametrize("function", DETECTORS)
def test_a_bare_event(live: Live, samples: dict[str, list[dict]], function: str) -> None:
    """As `cargo lambda invoke` sends it."""
    events = samples[GOOD[function]]
    for event in events:
        outcome = live.functions[function].invoke(json.dumps(event).encode())
        assert outcome.kind == "response", outcome
    expected = records.to_be_told(events, live.policy)
    assert live.told() == Counter(telling for telling in expected if telling[2] != "closed")
