"""The sweep: subscriptions, incidents that are over, alerts that stayed pending."""

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import records
from live import SWEEP, Live
from runtime import Function


def test_a_subscription_that_is_gone_is_told(live: Live) -> None:
    sns = live.aws.client("sns")
    leaving = sns.subscribe(
        TopicArn=live.topic, Protocol="email", Endpoint="leaver@example.com", ReturnSubscriptionArn=True
    )["SubscriptionArn"]
    # One period of alerts is enough for all of it.
    now = live.due().replace(hour=12, minute=0) - timedelta(days=1)
    step = timedelta(minutes=int(live.functions[SWEEP].spec.environment["HANDSOFF_CANARY_MINUTES"]))
    live.sweep(now)
    live.sweep(now + step)
    assert live.receive() == []
    sns.unsubscribe(SubscriptionArn=leaving)
    for count in (2, 3, 4):
        live.sweep(now + count * step)
    messages = live.receive()
    assert len(messages) == 1, "told once"
    assert "subscription" in messages[0]["Message"].lower()
    assert leaving in messages[0]["Message"]
    assert live.metric("SubscriptionsLost") == 1


def test_a_new_subscription_is_nothing_to_tell(live: Live) -> None:
    live.sweep(live.due() - timedelta(hours=1))
    live.aws.client("sns").subscribe(TopicArn=live.topic, Protocol="email", Endpoint="new@example.com")
    live.sweep(live.due())
    assert live.receive() == []
    assert live.metric("SubscriptionsLost") == 0


def test_incidents_are_closed_when_they_are_quiet_and_not_before(live: Live, samples: dict[str, list[dict]]) -> None:
    # What is medium, or has an alert for each finding, has no closing one: this person's session is neither.
    written = [event for name, events in samples.items() if name.startswith("drift-write") for event in events]
    hers = [event for event in written if "dana.voss" in json.dumps(event)]
    day = Counter(event["detail"]["eventTime"][:10] for event in hers).most_common(1)[0][0]
    events = [event for event in hers if event["detail"]["eventTime"].startswith(day)]
    live.send("handsoff-drift", events)
    live.run()
    happened = datetime.fromisoformat(max(event["detail"]["eventTime"] for event in events))
    for minutes in (1, 20):
        live.sweep(happened + timedelta(minutes=minutes))
    assert not [telling for telling in live.told() if telling[2] == "closed"]
    for _ in range(3):
        live.sweep(live.due())
    assert live.told() == Counter(records.to_be_told(events, live.policy))
    assert [telling for telling in live.told() if telling[2] == "closed"]


def test_sessions_that_are_open_are_counted(live: Live, samples: dict[str, list[dict]]) -> None:
    live.send("handsoff-break-glass", samples["glass-opened.assume-role.json"])
    live.run()
    happened = datetime.fromisoformat(samples["glass-opened.assume-role.json"][0]["detail"]["eventTime"])
    live.sweep(happened + timedelta(minutes=1))
    assert live.metric("SessionsOpened") == 1
    assert live.metric("SessionsOpen", "Maximum") == 1


def test_pending_alerts_are_sent_again_after_the_lease_only(deploy, samples: dict[str, list[dict]]) -> None:
    """Here in real time, with a short lease."""
    events = samples["trail-tampered.stop-logging.json"]
    live: Live = deploy(sweep_lease=3)
    live.faults.trouble("sns", "refuse")
    live.send("handsoff-drift", events)
    live.run()
    live.faults.heal()
    # A minute after it happened: it isn't over.
    scheduled = datetime.fromisoformat(events[0]["detail"]["eventTime"]) + timedelta(minutes=1)
    began = time.monotonic()
    live.sweep(scheduled)
    if time.monotonic() - began < 2:
        assert live.told() == Counter(), "not before the lease is over"
    while not live.told() and time.monotonic() < began + 15:
        live.sweep(scheduled)
    live.settle()
    live.sweep(scheduled)
    expected = records.to_be_told(events, live.policy)
    assert live.told() == Counter(telling for telling in expected if telling[2] != "closed")
    assert live.metric("AlertsResent") == 1
    assert live.metric("AlertsPending", "Maximum") == 1


def test_two_sweeps_at_once_send_once(deploy, samples: dict[str, list[dict]]) -> None:
    """A slow sweep may still run when the next one begins."""
    live: Live = deploy()
    events = [event for name in ("drift-write", "trail-tampered") for event in named(samples, name)]
    live.send("handsoff-drift", events)
    live.run()
    function = live.functions[SWEEP]
    live.functions[SWEEP] = Function(function.spec, live.faults, live.aws.url, live.folder, concurrency=2)
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(live.sweep, [live.due()] * 4))
    assert {outcome.kind for outcome in outcomes} == {"response"}
    assert len(live.functions[SWEEP].environments) == 2
    assert live.told() == Counter(records.to_be_told(events, live.policy))


def named(samples: dict[str, list[dict]], code: str) -> list[dict]:
    return [event for name, events in samples.items() if name.startswith(code) for event in events]
