"""From the default bus to the alert: the rules' patterns as moto matches them, the queues, the functions.

moto's matcher is not the authority on patterns; this shows that bus, rules, queues and functions fit together.
"""

import json
from collections import Counter

import detectors
import records
from live import DETECTORS, Live


def in_queue(live: Live, function: str) -> set[str]:
    """The event IDs that wait in a function's queue. They stay there."""
    mapping = live.mappings[function]
    messages = mapping.receive(10_000)
    for message in messages:
        live.sqs.change_message_visibility(
            QueueUrl=mapping.queue_url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )
    events = [json.loads(message["Body"]) for message in messages]
    return {event["detail"].get("eventID", event["id"]) for event in events}


def test_from_the_bus_to_the_alert(live: Live, samples: dict[str, list[dict]], night: list[dict]) -> None:
    # What services send themselves has no ID of CloudTrail's to look for, and a rule of its own: test_same_as_replay.
    night = [event for event in night if not records.is_of_a_service(event)]
    live.publish(night)
    waiting = {name: in_queue(live, name) for name in DETECTORS}
    for name in DETECTORS:
        print(f"{name}: {len(waiting[name])} of {len(night)} events pass the rule")

    # Every finding's record is in its owner's queue.
    lost = []
    for finding in records.replay(night, live.policy):
        if finding["code"] == "glass-drill-due" or finding["code"] in records.WHOLE:
            continue  # Of no record, or of a session's as a whole: the sweep knows it by itself.
        function = detectors.owner(finding)
        if finding["event_id"] not in waiting[function]:
            lost.append((function, finding["event_id"], finding["action"]))
    assert not lost
    # And a denied call that is no finding yet is where denied calls are counted.
    (denied,) = samples["nothing.denied-once.json"]
    assert denied["detail"]["eventID"] in waiting["handsoff-deny-spike"]

    live.settle()
    live.sweep_all()
    assert live.verdicts() == records.verdicts(records.replay(night, live.policy))
    assert live.told() == Counter(records.to_be_told(night, live.policy))
    for name in DETECTORS:
        assert live.metric("Lag", "Maximum", Function=name) > 0
        assert not live.dead(name)


def test_sign_ins_come_under_both_spellings(live: Live, samples: dict[str, list[dict]]) -> None:
    (event,) = samples["login-without-mfa.iam-user.json"]
    for number, spelling in enumerate(("AWS Console Sign In via CloudTrail", "AWS Console Signin via CloudTrail")):
        live.publish(records.elsewhere([event | {"detail-type": spelling}], number))
    assert len(in_queue(live, "handsoff-drift")) == 2
