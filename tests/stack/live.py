"""The deployed product: the stack in moto, with real processes for its functions, and what arrives."""

import json
import shutil
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import records
import stack
from aws import ACCOUNT, REGION, Aws
from detectors import DETECTORS
from faults import Faults
from mapping import Mapping
from quotas import NOT_IN_SQS
from runtime import Function, Outcome

SWEEP = "handsoff-sweep"
BREAK_GLASS = "handsoff-break-glass"
PIPELINE = "handsoff-pipeline"

# What `handsoff policy parameters events/handsoff.toml` prints.
PARAMETERS = {
    "BreakGlassNames": "break-glass,eg-vault",
    "BreakGlassNamePrefixes": "AWSReservedSSO_EmergencyAdmin_,eg-",
    "BreakGlassWildcards": "emergency/*",
    "DeployRoleNames": "deploy-pipeline",
    "AlertEmail": "oncall@example.com",
    "ApprovalAccounts": records.TICKETS,
}

_translated: dict = {}


def _template(parameters: dict[str, str]) -> dict:
    key = tuple(sorted(parameters.items()))
    if key not in _translated:
        _translated[key] = stack.translate(stack.ROOT / "template.yaml", parameters)
    return _translated[key]


def dimensions(of: dict) -> tuple[tuple[str, str], ...]:
    """The dimensions of a metric, or of an alarm on it."""
    return tuple(sorted((one["Name"], one["Value"]) for one in of.get("Dimensions", [])))


class Live:
    """A new account with the stack in it.

    For tests that can't wait: how many seconds the sweep's lease, and the functions' timeout, are. With another
    policy than that of `events/`, if one is given. Not `hasty`: CloudTrail is asked as seldom as it is on AWS.
    """

    def __init__(
        self,
        aws: Aws,
        concurrency: int = 1,
        sweep_lease: int | None = None,
        timeout: int | None = None,
        policy: str | None = None,
        hasty: bool = True,
    ) -> None:
        self.aws, self.faults = aws, Faults()
        self.folder = Path(tempfile.mkdtemp(prefix="handsoff-live-"))
        self.policy = policy or records.policy()
        # What CloudTrail's LookupEvents knows: a list of records, empty at first.
        self.trail = self.faults.trail.records
        (self.folder / "handsoff.toml").write_text(self.policy)
        aws.reset()
        self.stack = stack.create(aws, _template(PARAMETERS), PARAMETERS, self.folder)
        self.sqs = aws.client("sqs")
        self.topic, self.table = self.stack.outputs["Topic"], self.stack.outputs["TableName"]
        self.bucket = self.stack.outputs["CasesBucket"]
        self.inbox = self.sqs.create_queue(QueueName="inbox")["QueueUrl"]
        self.subscription = aws.client("sns").subscribe(
            TopicArn=self.topic,
            Protocol="sqs",
            Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:inbox",
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]
        specs = self.stack.functions(records.BINARIES)
        if hasty:
            # CloudTrail's second, and what the sweep makes of it, fifty times as fast.
            self.faults.trail.second = 1 / 50
            specs[SWEEP].environment["HANDSOFF_LOOKUP_PACE_MILLISECONDS"] = "11"
        if sweep_lease is not None:
            specs[SWEEP].environment["HANDSOFF_RESEND_SECONDS"] = str(sweep_lease)
        if timeout is not None:
            for spec in specs.values():
                spec.timeout = timeout
        self.functions = {
            name: Function(spec, self.faults, aws.url, self.folder, concurrency if name != SWEEP else 1)
            for name, spec in specs.items()
        }
        self.mappings = {
            name: Mapping(
                self.sqs,
                self.stack.queue_url(one["EventSourceArn"]),
                one["EventSourceArn"],
                one["BatchSize"],
                self.functions[name],
            )
            for name, one in self.stack.mappings().items()
        }
        # All messages that arrived, in their order.
        self.messages: list[dict] = []

    def close(self) -> None:
        for function in self.functions.values():
            function.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- Events in ----

    def send(self, function: str, bodies: list[dict | str]) -> None:
        """Straight into the queue of a function. Grants and reviews go to break-glass alone, and what services send
        themselves to pipeline, as by their rules."""
        url = self.mappings[function].queue_url
        wanted = [body for body in bodies if function == BREAK_GLASS or not records.is_for_cases(body)]
        wanted = [body for body in wanted if function == PIPELINE or not records.is_of_a_service(body)]
        texts = [body if isinstance(body, str) else json.dumps(body) for body in wanted]
        assert not any(map(NOT_IN_SQS.search, texts)), "no queue holds that"
        while texts:
            # SQS takes ten at once, and no more than 256 KB.
            count = next((n for n in range(min(10, len(texts)), 1, -1) if sum(map(len, texts[:n])) < 250_000), 1)
            entries = [{"Id": str(number), "MessageBody": text} for number, text in enumerate(texts[:count])]
            assert not self.sqs.send_message_batch(QueueUrl=url, Entries=entries).get("Failed")
            del texts[:count]

    def publish(self, events: list[dict]) -> None:
        """On the default bus, from where moto's rules take them to the queues."""
        client = self.aws.client("events")
        for event in events:
            entry = {
                "Source": event["source"],
                "DetailType": event["detail-type"],
                "Detail": json.dumps(event["detail"]),
                "Resources": event.get("resources", []),
            }
            # Past which moto's own clients would put a number where EventBridge writes a time.
            entry["Time"] = datetime.fromisoformat(event["time"])
            answer = client.put_events(Entries=[entry])
            assert answer["FailedEntryCount"] == 0, answer

    # ---- Functions ----

    def run(self, workers: int = 1, sizes: object = None) -> None:
        """All detectors, until their queues are empty."""
        for name in DETECTORS:
            self.mappings[name].drain(workers, sizes)

    def settle(self, tries: int = 6) -> None:
        """As `run`, and what was returned to the queues is delivered again, at most so often."""
        for _ in range(tries):
            self.run()
            if not sum(mapping.redeliver() for mapping in self.mappings.values()):
                return
        raise AssertionError("messages come back again and again")

    def sweep(self, now: datetime | None = None) -> Outcome:
        """One minute's sweep, as the schedule invokes it."""
        now = now or datetime.now(UTC)
        event = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": ACCOUNT,
            "time": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": REGION,
            "resources": [f"arn:aws:events:{REGION}:{ACCOUNT}:rule/handsoff-sweep"],
            "detail": {},
        }
        return self.functions[SWEEP].invoke(json.dumps(event).encode())

    def sweep_all(self, most: int = 20) -> None:
        """Sweeps until everything is told and closed: to seal many sessions takes more than one minute each."""
        for _ in range(most):
            self.pass_lease()
            # What has no time of its own is over a day after it was first seen.
            self.states(lambda state: state.update(since=state["since"] - 2 * 86_400))
            outcome = self.sweep(self.due())
            assert outcome.kind in ("response", "error"), outcome
            if not [one for one in self.items() if "open" in one and one["sk"]["S"].startswith("state#")]:
                assert outcome.kind == "response", outcome
                return
        left = [(one["pk"]["S"], one["sk"]["S"], one["text"]["S"][:300]) for one in self.items() if "open" in one]
        raise AssertionError(f"never closed: {left}")

    def due(self) -> datetime:
        """Now, or shortly before: when a sweep has a canary to write and subscriptions to compare. All samples are
        long over. A sweep knows no later time than its own clock's."""
        every = 60 * int(self.functions[SWEEP].spec.environment["HANDSOFF_CANARY_MINUTES"])
        return datetime.fromtimestamp(time.time() // every * every, UTC)

    def pass_lease(self) -> None:
        """Nobody touches the table for longer than the lease: whatever was claimed was claimed before that."""

        def older(state: dict) -> None:
            for claim in state["pending"]:
                claim["since"] -= 200

        self.states(older)

    def states(self, change: Callable[[dict], None]) -> None:
        """Changes what is remembered of the episodes that are open."""
        for item in self.items():
            if item["sk"]["S"].startswith("state#") and "open" in item:
                state = json.loads(item["text"]["S"])
                before = json.dumps(state)
                change(state)
                if json.dumps(state) != before:
                    item["text"]["S"] = json.dumps(state)
                    # What the list says of it is of before.
                    item.pop("due", None)
                    self.aws.client("dynamodb").put_item(TableName=self.table, Item=item)

    def prove(self) -> None:
        """Lets the deploy sessions be settled that wait for their beginning: what the list doesn't date is due."""
        waiting = [item for item in self.items() if item["sk"]["S"] == "proof" and "open" in item]
        for item in waiting:
            item.pop("due", None)
            self.aws.client("dynamodb").put_item(TableName=self.table, Item=item)
        if waiting:
            outcome = self.sweep(self.due())
            assert outcome.kind == "response", outcome

    # ---- What came of it ----

    def receive(self) -> list[dict]:
        """The SNS notifications that came since the last look."""
        new = []
        while got := self.sqs.receive_message(QueueUrl=self.inbox, MaxNumberOfMessages=10).get("Messages"):
            for message in got:
                new.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.inbox, ReceiptHandle=message["ReceiptHandle"])
        self.messages += new
        return new

    def alerts(self) -> list[dict]:
        """All alerts that arrived so far."""
        self.receive()
        parsed = [json.loads(message["Message"]) for message in self.messages]
        return [one["unmapped"]["handsoff"]["alert"] for one in parsed if "unmapped" in one]

    def told(self) -> Counter:
        return Counter(records.told(self.alerts()))

    def items(self) -> list[dict]:
        pages = self.aws.client("dynamodb").get_paginator("scan").paginate(TableName=self.table)
        return [item for page in pages for item in page["Items"]]

    def verdicts(self) -> dict[records.Key, tuple[str, str]]:
        """What the table remembers: code and severity of each finding, by incident and event, once deploy sessions are settled.

        A denied call may be remembered twice, the second time with more that came after it: the worse counts.
        """
        self.prove()
        found: dict[records.Key, dict] = {}
        levels = ["info", "low", "medium", "high", "critical"]
        for item in self.items():
            if not item["sk"]["S"].startswith("mark#"):
                continue
            finding = json.loads(item["text"]["S"])["finding"]
            key = records.key(finding)
            known = found.get(key)
            if not known or levels.index(known["severity"]) < levels.index(finding["severity"]):
                found[key] = finding
        return records.verdicts(list(found.values()))

    def metric(self, name: str, statistic: str = "Sum", **dimensions: str) -> float:
        """A statistic of all values of a metric."""
        wanted = [{"Name": key, "Value": value} for key, value in dimensions.items()]
        value = self._statistic(name, statistic, wanted)
        if not wanted and statistic in ("Sum", "SampleCount"):
            # Asked without dimensions moto adds up those with dimensions too; CloudWatch keeps them apart.
            others = {dimensions for metric, dimensions in self.metrics() if metric == name and dimensions}
            for other in others:
                value -= self._statistic(name, statistic, [{"Name": key, "Value": text} for key, text in other])
        return value

    def metrics(self) -> set[tuple[str, tuple[tuple[str, str], ...]]]:
        """Names and dimensions of all metrics. moto lists one as often as it has values."""
        listed = self.aws.client("cloudwatch").list_metrics(Namespace="HandsOff")["Metrics"]
        return {(one["MetricName"], dimensions(one)) for one in listed}

    def _statistic(self, name: str, statistic: str, dimensions: list[dict]) -> float:
        points = self.aws.client("cloudwatch").get_metric_statistics(
            Namespace="HandsOff",
            MetricName=name,
            Dimensions=dimensions,
            StartTime=datetime.now(UTC) - timedelta(days=14),
            EndTime=datetime.now(UTC) + timedelta(hours=2),
            Period=86400 * 30,
            Statistics=[statistic],
        )["Datapoints"]
        pick = sum if statistic in ("Sum", "SampleCount") else max
        return pick([point[statistic] for point in points]) if points else 0.0

    def count(self, queue_url: str) -> int:
        """Messages in a queue, visible or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        got = self.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)["Attributes"]
        return sum(int(value) for value in got.values())

    def dead(self, function: str) -> list[dict]:
        """What is in the dead-letter queue of a function."""
        url = self.stack.dead_letters(self.mappings[function].queue_url)
        found = []
        while got := self.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], AttributeNames=["All"]
        ).get("Messages"):
            found += got
        return found

    # ---- Cases ----

    def kept(self, case: str, part: str = "") -> list[str]:
        """The names of a case's files in the bucket, without the folder of the case."""
        folder = f"cases/{case}/"
        pages = self.aws.client("s3").get_paginator("list_objects_v2")
        found = pages.paginate(Bucket=self.bucket, Prefix=folder + part)
        return [one["Key"].removeprefix(folder) for page in found for one in page.get("Contents", [])]

    def sealed(self, case: str) -> set[str]:
        """The folders of a case that have a manifest: without one it isn't sealed."""
        return {name.split("/")[0] for name in self.kept(case, "sealed-") if name.endswith("/manifest.json")}

    def download(self, case: str, sealed: str) -> Path:
        """A copy of a sealed case, in a folder of its own."""
        copy = Path(tempfile.mkdtemp(prefix=f"{sealed}-", dir=self.folder))
        for name in self.kept(case, f"{sealed}/"):
            got = self.aws.client("s3").get_object(Bucket=self.bucket, Key=f"cases/{case}/{name}")
            (copy / name.rsplit("/", 1)[-1]).write_bytes(got["Body"].read())
        return copy

    def panics(self) -> list[str]:
        return [line for function in self.functions.values() for line in function.panics()]
