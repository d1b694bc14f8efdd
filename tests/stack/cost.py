#!/usr/bin/env python3
"""What the stack costs, counted from the template. `cost.py --write` renews the tables of docs/deploy.md.

    .venv-stack/bin/python tests/stack/cost.py --write
"""

import json
import sys
from dataclasses import dataclass

import prices
from resolved import Resolved, resolved
from stack import ROOT

PAGE = ROOT / "docs" / "deploy.md"
MINUTES = 30 * 24 * 60  # of a month

# The metrics that a stack sends all the time although nothing happens: by name and dimension, and what sends them.
# Every other one is sent only in hours that have something to say.
IDLE_METRICS = {
    ("CanaryRoundTrip", ""): "handsoff-drift, of each canary",
    ("Subscribers", ""): "handsoff-sweep, with each canary",
}
# All that docs/metrics.md lists, with their dimensions: sent all the time they would be the most that can be billed.
ALL_METRICS = 53

# Lambda's long polls, by its own documentation: five at a time, two when idle unless a most of concurrency is set.
POLLS_A_MINUTE = 3
POLLERS, POLLERS_WITHOUT_MAXIMUM = 5, 2

# Seconds that an invocation takes with nothing to tell, generously.
SWEEP_SECONDS, DETECTOR_SECONDS = 0.06, 0.03
GB = 256 / 1024


@dataclass
class Line:
    what: str
    dollars: float


def alarm_metrics(stack: Resolved) -> int:
    """Each metric of an alarm is billed, those of a calculation one by one."""
    found = 0
    for name, alarm in stack.of_type("AWS::CloudWatch::Alarm").items():
        parts = [one for one in alarm.get("Metrics", []) if "MetricStat" in one]
        assert parts or "MetricName" in alarm, f"{name} looks at nothing"
        assert alarm.get("Period", 60) >= 60, f"{name} is high-resolution, and costs three times as much"
        found += len(parts) or 1
    return found


def drawn_metrics(stack: Resolved) -> int:
    """The lines of the dashboard: a metric that is drawn in two ways counts twice."""
    found = 0
    for one in stack.of_type("AWS::CloudWatch::Dashboard").values():
        for widget in json.loads(one["DashboardBody"])["widgets"]:
            found += len(widget["properties"].get("metrics", []))
    return found


def canaries(stack: Resolved) -> float:
    return MINUTES / int(stack.parameters["CanaryMinutes"])


def polls(stack: Resolved) -> float:
    pollers = 0
    for mapping in stack.of_type("AWS::Lambda::EventSourceMapping").values():
        assert "ProvisionedPollerConfig" not in mapping, "billed by the hour"
        bounded = "MaximumConcurrency" in mapping.get("ScalingConfig", {})
        pollers += POLLERS if bounded else POLLERS_WITHOUT_MAXIMUM
    assert pollers, "no queue is polled"
    return pollers * POLLS_A_MINUTE * MINUTES


def compute(stack: Resolved, calls: float, seconds: float) -> float:
    ((architecture,),) = {tuple(one["Architectures"]) for one in stack.of_type("AWS::Lambda::Function").values()}
    memory = {one["MemorySize"] for one in stack.of_type("AWS::Lambda::Function").values()}
    assert memory == {int(GB * 1024)}, memory
    by_time = prices.LAMBDA_GB_SECOND[architecture].of(calls * seconds * GB)
    return prices.LAMBDA_REQUEST.of(calls) + by_time


def idle(stack: Resolved) -> list[Line]:
    """A month in which nothing happens, with every free tier used up, but for the dashboard."""
    count, canary = alarm_metrics(stack), canaries(stack)
    queues = len(stack.of_type("AWS::Lambda::EventSourceMapping"))
    # One by the sweep, one by drift.
    puts = 2 * canary
    keys = len(stack.of_type("AWS::KMS::Key"))
    # Each sweep asks the index; with each canary the subscriptions are compared, and written down.
    table = prices.DYNAMODB_READ.of(MINUTES + 3 * canary) + prices.DYNAMODB_WRITE.of(2 * canary)
    sweep, drift = compute(stack, MINUTES, SWEEP_SECONDS), compute(stack, canary, DETECTOR_SECONDS)
    return [
        Line(f"alarms: {count} metrics", prices.ALARM_METRIC.of(count)),
        Line(f"metrics: {len(IDLE_METRICS)} are sent all the time", prices.CUSTOM_METRIC.of(len(IDLE_METRICS))),
        Line(f"queues: Lambda's polls of {queues}, and the canary", prices.SQS_REQUEST.of(polls(stack) + 3 * canary)),
        Line(f"`PutMetricData`: {puts:,.0f} calls", prices.PUT_METRIC_DATA.of(puts)),
        Line("functions: a sweep a minute, a canary every five", sweep + drift),
        Line("table, and the topic's subscriptions looked at", table + prices.SNS_REQUEST.of(canary)),
        Line(f"keys: {keys or 'none'} of its own", prices.KMS_KEY.of(keys)),
    ]


def busy(stack: Resolved, events: float) -> list[Line]:
    """A month with so many management events, on top of an idle one: at most."""
    messages, findings = events / 5, events / 10_000
    metrics = ALL_METRICS - len(IDLE_METRICS)
    table = prices.DYNAMODB_WRITE.of(2 * findings) + prices.DYNAMODB_READ.of(5 * findings)
    return [
        Line("messages, at 20 of 100 events", messages),
        Line("queues: at most 3 requests a message", prices.SQS_REQUEST.of(3 * messages)),
        Line("functions: some 5 ms a message, one by one", compute(stack, messages, 0.005)),
        Line("table: two writes and a few reads a finding, at 1 in 10,000 events", table),
        Line("all other metrics, if each is sent in every hour", prices.CUSTOM_METRIC.of(metrics)),
    ]


def idle_table(stack: Resolved) -> str:
    lines = idle(stack)
    rows = [f"| {one.what} | {one.dollars:.2f} |" for one in lines]
    total = f"| **together** | **{sum(one.dollars for one in lines):.2f}** |"
    extra = f"| dashboard of {drawn_metrics(stack)} metrics, where the account has three others | 3.00 |"
    return "\n".join(["| idle, a month | $ |", "|---|---|", *rows, total, extra])


def busy_table(stack: Resolved) -> str:
    amounts = [1e6, 1e7, 1e8]
    columns = [busy(stack, events) for events in amounts]
    rows = []
    for first, *rest in zip(*columns, strict=True):
        form = "{:,.0f}" if first.what.startswith("messages") else "{:.1f}"
        cells = " | ".join(form.format(one.dollars) for one in (first, *rest))
        rows.append(f"| {first.what} | {cells} |")
    base = sum(one.dollars for one in idle(stack))
    totals = " | ".join(f"**{base + sum(one.dollars for one in column[1:]):.0f}**" for column in columns)
    head = ["| | 1 million management events | 10 million | 100 million |", "|---|---|---|---|"]
    return "\n".join([*head, *rows, f"| **with the idle part, at most** | {totals} |"])


def tables(text: str) -> str:
    """The page with the tables as they are to be."""
    stack = resolved()
    for name, table in (("idle", idle_table(stack)), ("busy", busy_table(stack))):
        begin, end = f"<!-- {name}: made by tests/stack/cost.py --write -->\n", f"\n<!-- {name} ends -->"
        before, found, rest = text.partition(begin)
        _, also, behind = rest.partition(end)
        assert found and also, f"docs/deploy.md has no place for the table {name}"
        text = before + begin + table + end + behind
    return text


if __name__ == "__main__":
    page = PAGE.read_text()
    renewed = tables(page)
    if "--write" in sys.argv[1:]:
        PAGE.write_text(renewed)
    elif renewed != page:
        sys.exit("docs/deploy.md: the tables of costs are stale; tests/stack/cost.py --write renews them")
