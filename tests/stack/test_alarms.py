"""Alarms and dashboard look at metrics that the functions really send, by the same names and dimensions."""

import json
import re
from datetime import datetime, timedelta

import records
import session
from live import DETECTORS, SWEEP, Live, dimensions
from test_canary import canary_record
from test_cases import POLICY

Metric = tuple[str, tuple[tuple[str, str], ...]]


def looked_at(live: Live) -> set[Metric]:
    """The metrics of handsoff's own that alarms hang on."""
    found = set()
    for alarm in live.aws.client("cloudwatch").describe_alarms()["MetricAlarms"]:
        parts = [part["MetricStat"]["Metric"] for part in alarm.get("Metrics", []) if "MetricStat" in part]
        for metric in parts or [alarm]:
            if metric["Namespace"] == "HandsOff":
                found.add((metric["MetricName"], dimensions(metric)))
    return found


def drawn(live: Live) -> set[str]:
    """The names of those on the dashboard."""
    body = live.aws.client("cloudwatch").get_dashboard(DashboardName="handsoff")["DashboardBody"]
    text = json.dumps(json.loads(body))
    return set(re.findall(r'\["HandsOff", "(\w+)"', text)) | set(
        re.findall(r"\{HandsOff,\w+\} MetricName=\W+(\w+)", text)
    )


def test_what_is_looked_at_is_sent(deploy, night: list[dict]) -> None:
    # What is none isn't sent: all there is to watch has to happen.
    live: Live = deploy(policy=POLICY)
    live.functions[SWEEP].spec.environment["HANDSOFF_RULES"] = ""
    sns = live.aws.client("sns")
    leaving = sns.subscribe(
        TopicArn=live.topic, Protocol="email", Endpoint="leaver@example.com", ReturnSubscriptionArn=True
    )["SubscriptionArn"]
    live.sweep(live.due())
    sns.unsubscribe(SubscriptionArn=leaving)
    for name in DETECTORS:
        live.send(name, [*night, "not JSON"])
    live.send("handsoff-drift", [canary_record(live)])
    live.send("handsoff-break-glass", session.Session(records.days_ago(2), keys=1).events)
    live.faults.trouble("sns", "refuse", times=3)
    live.run()
    live.pass_lease()
    # While the session goes on, when it is over, and when its case should have been reviewed.
    live.sweep(datetime.fromisoformat(records.days_ago(2)) + timedelta(minutes=5))
    # Another, with a call that only CloudTrail itself tells. The first one is looked at again a minute later.
    late_shift = session.Session(records.days_ago(2), keys=2)
    live.send("handsoff-break-glass", late_shift.events)
    late_shift.call("ec2:CreateKeyPair", minutes=12, keyName="mine")
    live.trail.append(late_shift.records()[-1])
    live.run()
    live.sweep(live.due() - timedelta(hours=2))
    live.sweep(live.due())
    live.settle()
    sent = live.metrics()
    assert looked_at(live) <= sent
    assert drawn(live) <= {name for name, _ in sent}
    # A principal, an ARN or an action as a dimension would make a bill that a caller can run up. Causes are ten.
    assert {name for _, those in sent for name, _ in those} <= {"Severity", "Function", "Cause"}
    # The dashboard's and alarms', and the causes of denied calls.
    assert len(sent) < 45
