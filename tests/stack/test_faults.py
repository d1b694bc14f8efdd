"""SNS, DynamoDB and CloudWatch that fail, throttle or are slow."""

from collections import Counter
from datetime import datetime, timedelta

import pytest

import detectors
import records
from live import DETECTORS, SWEEP, Live

SAMPLES = detectors.SAMPLES | {
    "handsoff-drift": "trail-tampered.stop-logging.json",
    "handsoff-break-glass": "glass-opened.assume-role.json",
    "handsoff-deny-spike": "deny-probing.jsonl",
}
# Seconds, instead of the stack's minute: how long a function has to find out that nothing helps.
TIMEOUT = 8


def expected(live: Live, events: list[dict]) -> Counter:
    """What is told before an incident is over."""
    every = records.to_be_told(events, live.policy)
    return Counter(telling for telling in every if telling[2] != "closed")


@pytest.mark.parametrize("function", DETECTORS)
def test_a_short_failure_is_retried_at_once(live: Live, samples: dict[str, list[dict]], function: str) -> None:
    number = 0
    for service in ("sns", "dynamodb"):
        for kind in ("throttle", "unavailable"):
            number += 1
            events = records.elsewhere(samples[SAMPLES[function]], number)
            trouble = live.faults.trouble(service, kind, times=2)
            live.send(function, events)
            outcome = live.mappings[function].poll()
            step = f"{service} {kind}"
            assert trouble.met == 2, step
            assert outcome.kind == "response", step
            assert not live.mappings[function].held, step
            told = live.told()
            assert {telling: told[telling] for telling in expected(live, events)} == expected(live, events), step


# Each takes the function's whole time, so not every function with every kind.
LONG = [
    *(
        (service, kind, "handsoff-drift")
        for service in ("sns", "dynamodb")
        for kind in ("throttle", "unavailable", "refuse")
    ),
    *((service, "unavailable", function) for service in ("sns", "dynamodb") for function in DETECTORS[1:]),
]


@pytest.mark.parametrize(("service", "kind", "function"), LONG)
def test_a_long_failure_returns_the_items_and_they_are_told_later(
    deploy, samples: dict[str, list[dict]], service: str, kind: str, function: str
) -> None:
    live: Live = deploy(timeout=TIMEOUT)
    events = samples[SAMPLES[function]]
    live.faults.trouble(service, kind)
    live.send(function, events)
    outcome = live.mappings[function].poll()
    # It answers in time, for each message, and doesn't run into Lambda's timeout.
    assert outcome.kind == "response", outcome
    assert live.mappings[function].held
    assert live.told() == Counter()
    live.faults.heal()
    live.pass_lease()
    live.settle()
    assert live.told() == expected(live, events)
    if service == "sns":
        assert live.metric("AlertsFailed") >= 1


def test_a_long_failure_of_sns_ends_with_the_sweep(deploy, samples: dict[str, list[dict]]) -> None:
    """Whatever becomes of the message meanwhile: the alert is remembered."""
    live: Live = deploy(timeout=TIMEOUT)
    events = samples[SAMPLES["handsoff-drift"]]
    mapping = live.mappings["handsoff-drift"]
    live.faults.trouble("sns", "refuse")
    live.send("handsoff-drift", events)
    mapping.poll()
    assert mapping.held
    mapping.held.clear()
    # A minute after it happened: it isn't over.
    scheduled = datetime.fromisoformat(events[0]["detail"]["eventTime"]) + timedelta(minutes=1)
    for _ in range(2):
        live.pass_lease()
        live.sweep(scheduled)
    assert live.told() == Counter()
    assert live.metric("AlertsPending", "Maximum") == 1
    live.faults.heal()
    live.pass_lease()
    live.sweep(scheduled)
    assert live.told() == expected(live, events)
    assert live.metric("AlertsResent") >= 1


@pytest.mark.parametrize(
    ("kind", "function"),
    [("throttle", "handsoff-drift"), ("refuse", "handsoff-drift"), ("slow", "handsoff-drift")]
    + [("unavailable", function) for function in DETECTORS],
)
def test_metrics_that_fail_stop_no_alert(deploy, samples: dict[str, list[dict]], kind: str, function: str) -> None:
    live: Live = deploy(timeout=TIMEOUT)
    events = samples[SAMPLES[function]]
    live.faults.trouble("cloudwatch", kind, seconds=20)
    live.send(function, events)
    outcome = live.mappings[function].poll()
    assert outcome.kind == "response", outcome
    assert not live.mappings[function].held
    assert live.told() == expected(live, events)


def test_metrics_that_fail_do_not_stop_the_sweep(deploy, samples: dict[str, list[dict]]) -> None:
    live: Live = deploy(timeout=TIMEOUT)
    events = samples[SAMPLES["handsoff-drift"]]
    live.send("handsoff-drift", events)
    live.run()
    live.faults.trouble("cloudwatch", "slow", seconds=20)
    # It may say that something failed, so that it is invoked again, but in its time.
    assert live.sweep(live.due()).kind in ("response", "error")
    assert live.told() == Counter(records.to_be_told(events, live.policy))


@pytest.mark.parametrize("service", ["sns", "dynamodb"])
def test_slow_answers(live: Live, samples: dict[str, list[dict]], service: str) -> None:
    events = samples[SAMPLES["handsoff-drift"]]
    live.faults.trouble(service, "slow", seconds=1)
    live.send("handsoff-drift", events)
    outcome = live.mappings["handsoff-drift"].poll()
    assert outcome.kind == "response", outcome
    assert not live.mappings["handsoff-drift"].held
    assert live.told() == expected(live, events)


def test_one_bad_minute_of_everything(deploy, night: list[dict]) -> None:
    """Whatever fails in between: in the end all is told, and once."""
    live: Live = deploy(timeout=TIMEOUT)
    for service in ("sns", "dynamodb", "cloudwatch"):
        live.faults.trouble(service, "unavailable", times=12)
    for name in DETECTORS:
        live.send(name, night)
    live.run()
    live.faults.heal()
    live.settle()
    # To seal the night's cases takes its time.
    live.functions[SWEEP].spec.timeout = 120
    live.prove()
    live.sweep_all()
    assert live.told() == Counter(records.to_be_told(night, live.policy))
