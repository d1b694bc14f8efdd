"""One publish, worded for each kind of subscriber. moto renders it for queues; the rest is taken from the call."""

import json
import re
from collections.abc import Iterator
from datetime import datetime

import pytest
from aws import Aws
from conftest import finish, needs_binaries
from live import DETECTORS, Live

# One after the other, in one process: they look at the same night.
pytestmark = pytest.mark.xdist_group("messages")


def rendered(live: Live, protocol: str) -> list[str]:
    """What a subscription of that protocol would get of each message: its own text, or the default."""
    bodies = []
    for call in live.faults.made("sns:Publish"):
        form = call.form()
        assert form["MessageStructure"] == "json"
        texts = json.loads(form["Message"])
        bodies.append(texts.get(protocol, texts["default"]))
    return bodies


@pytest.fixture(scope="module")
def told(aws: Aws, night: list[dict]) -> Iterator[Live]:
    """A night has passed, and everybody has been told."""
    needs_binaries()
    live = Live(aws)
    for name in DETECTORS:
        live.send(name, night)
    live.settle()
    live.sweep(live.due())
    live.receive()
    assert len(live.faults.made("sns:Publish")) > 20
    yield live
    finish(live)


def test_subscribers_get_their_own_wording(told: Live) -> None:
    alerts = {json.dumps(alert, sort_keys=True) for alert in told.alerts()}
    assert alerts
    for protocol in ("sqs", "lambda", "firehose", "http"):
        for body in rendered(told, protocol):
            event = json.loads(body)
            assert event["class_uid"] == 2004, protocol
            assert json.dumps(event["unmapped"]["handsoff"]["alert"], sort_keys=True) in alerts
    for protocol in ("default", "email"):
        for body in rendered(told, protocol):
            assert "who " in body and "why " in body and "next " in body, protocol
            # Nothing that a mail program makes a link of, but to the event in AWS's console.
            console = r"https://[a-z0-9-]+\.console\.aws\.amazon\.com/cloudtrailv2/home\?region=[a-z0-9-]+"
            console = rf"^link +{console}#/events/[0-9a-f-]{{36}}$"
            assert "://" not in re.sub(console, "", body, flags=re.MULTILINE)
    for body in rendered(told, "https"):
        chat = json.loads(body)
        assert (chat["version"], chat["source"]) == ("1.0", "custom")
        content = chat["content"]
        assert content["textType"] == "client-markdown"
        assert 0 < len(content["title"]) <= 250
        assert 0 < len(content["description"]) <= 8000
        assert all(len(step) <= 350 for step in content["nextSteps"])
        assert all(len(word) <= 75 for word in content["keywords"])
        assert chat["metadata"]["threadId"]
        assert all(isinstance(value, str) for value in chat["metadata"]["additionalContext"].values())


def test_what_moto_delivers_is_what_a_queue_is_to_get(told: Live) -> None:
    bodies = rendered(told, "sqs")
    assert sorted(message["Message"] for message in told.messages) == sorted(bodies)
    for message in told.messages:
        alert = json.loads(message["Message"])["unmapped"]["handsoff"]["alert"]
        attributes = {name: value["Value"] for name, value in message["MessageAttributes"].items()}
        assert {value["Type"] for value in message["MessageAttributes"].values()} == {"String"}
        assert set(attributes) >= {"severity", "code", "cause", "account", "region", "incident"}
        assert attributes["severity"] == alert["severity"]
        assert attributes["incident"] == alert["incident"]
        assert attributes["cause"] == alert["cause"]
        assert re.fullmatch(r"\d{12}", attributes["account"])
        assert datetime.fromisoformat(alert["time"])


def test_a_filter_policy_chooses(live: Live, samples: dict[str, list[dict]]) -> None:
    sns = live.aws.client("sns")
    sns.set_subscription_attributes(
        SubscriptionArn=live.subscription,
        AttributeName="FilterPolicy",
        AttributeValue=json.dumps({"severity": ["critical"]}),
    )
    live.send("handsoff-drift", samples["trail-tampered.stop-logging.json"])
    live.send("handsoff-drift", samples["drift-write.iam-user-cli.json"])
    live.run()
    assert {alert["severity"] for alert in live.alerts()} == {"critical"}
    assert len(live.faults.made("sns:Publish")) == 2
