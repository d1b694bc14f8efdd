"""What the stack costs when nothing happens, counted from the template, and the tables that say so."""

from datetime import timedelta

import pytest

import cost
import prices
from live import SWEEP, Live
from resolved import resolved
from stack import ROOT
from test_canary import canary_record

MOST = 3.25


def test_an_idle_month_is_below_three_and_a_quarter_dollars() -> None:
    lines = cost.idle(resolved())
    assert len(lines) >= 7 and sum(one.dollars > 0 for one in lines) >= 6, lines
    assert sum(one.dollars for one in lines) < MOST, lines


@pytest.mark.parametrize(
    "given",
    [
        {"RedriveBy": "arn:aws:iam::111122223333:role/oncall"},
        {"AlertKeyArn": "arn:aws:kms:eu-central-1:111122223333:key/12345678-1234-1234-1234-123456789012"},
        {"AlertEmail": "", "CentralTopicArn": "arn:aws:sns:eu-central-1:444455556666:alerts"},
        {"OpsTopicArn": "arn:aws:sns:eu-central-1:444455556666:alarms"},
        {"MaxConcurrency": "100"},
    ],
    ids=lambda given: "-".join(given),
)
def test_no_parameter_but_the_canarys_makes_it_dearer(given: dict[str, str]) -> None:
    assert sum(one.dollars for one in cost.idle(resolved(**given))) < MOST


def test_the_dashboard_is_free_for_most_and_can_be_left_out() -> None:
    assert 30 < cost.drawn_metrics(resolved()) <= prices.DASHBOARD_FREE_METRICS
    assert cost.drawn_metrics(resolved(DrawDashboard="no")) == 0


def test_the_tables_are_what_the_template_says() -> None:
    page = cost.PAGE.read_text()
    assert cost.tables(page) == page, "tests/stack/cost.py --write renews them"


def test_every_metric_of_an_alarm_is_counted() -> None:
    stack = resolved()
    alarms = stack.of_type("AWS::CloudWatch::Alarm")
    (name,) = (key for key, one in alarms.items() if one["AlarmName"] == "handsoff-backlog")
    before, kept = cost.alarm_metrics(stack), dict(alarms[name])
    part = {"MetricStat": {"Stat": "Maximum"}}
    stack.resources[name]["Properties"] = {"Metrics": [{"Expression": "MAX(METRICS())"}, part, part, part]}
    try:
        assert cost.alarm_metrics(stack) == before + 2
    finally:
        stack.resources[name]["Properties"] = kept


def counted(live: Live) -> dict[tuple[str, str], float]:
    """How many values each metric has got, by name and dimension."""
    return {
        (name, "".join(value for _, value in those)): live.metric(name, "SampleCount", **dict(those))
        for name, those in live.metrics()
    }


def test_nothing_but_the_idle_metrics_is_sent_when_nothing_happens(deploy) -> None:
    """An hour of sweeps, with a canary that comes back each time; what the first minutes have to say is left out."""
    live: Live = deploy(policy=(ROOT / "policy" / "handsoff.toml").read_text())
    every = int(live.functions[SWEEP].spec.environment["HANDSOFF_CANARY_MINUTES"])
    start, before, calls, canaries = live.due() - timedelta(minutes=80), {}, 0, 0
    for minute in range(80):
        if minute == 20:
            before, calls = counted(live), len(live.faults.made("cloudwatch:PutMetricData"))
        assert live.sweep(start + timedelta(minutes=minute)).kind == "response"
        if minute % every == 0:
            canaries += minute >= 20
            live.send("handsoff-drift", [canary_record(live)])
            live.settle()
    sent = {key for key, count in counted(live).items() if count > before.get(key, 0)}
    assert sent == set(cost.IDLE_METRICS)
    assert canaries == 60 / every
    # One by the sweep, one by drift, as the bill has them.
    assert len(live.faults.made("cloudwatch:PutMetricData")) - calls == 2 * canaries
