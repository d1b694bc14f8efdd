"""The event source mapping: from the queue to the function, as Lambda does it with batch responses."""

import json
import threading
from dataclasses import dataclass, field
from datetime import datetime

import records
from aws import ACCOUNT
from runtime import Function, Outcome


@dataclass
class Mapping:
    """One queue and its function; batch size and queue are the stack's."""

    sqs: object
    queue_url: str
    queue_arn: str
    batch_size: int
    function: Function
    # Messages that the function did not take: visible again after the queue's timeout, or `redeliver`.
    held: list[dict] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def receive(self, limit: int) -> list[dict]:
        messages: list[dict] = []
        while len(messages) < limit:
            got = self.sqs.receive_message(
                QueueUrl=self.queue_url,
                MaxNumberOfMessages=min(10, limit - len(messages)),
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            ).get("Messages", [])
            if not got:
                break
            messages += got
        return messages

    def payload(self, messages: list[dict]) -> bytes:
        return json.dumps({"Records": [self._record(message) for message in messages]}).encode()

    def _record(self, message: dict) -> dict:
        body, sent = self._as_delivered(message["Body"])
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": body,
            "attributes": message["Attributes"] | sent,
            "messageAttributes": {
                name: {
                    "stringValue": value.get("StringValue"),
                    "stringListValues": [],
                    "binaryListValues": [],
                    "dataType": value["DataType"],
                }
                for name, value in message.get("MessageAttributes", {}).items()
            },
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self.queue_arn,
            "awsRegion": self.queue_arn.split(":")[3],
        }

    def _as_delivered(self, body: str) -> tuple[str, dict[str, str]]:
        """A grant or review as EventBridge writes it, with the account, which moto leaves out; and when it came: those
        here are of the past, and came when they were sent."""
        try:
            event = json.loads(body)
        except (ValueError, RecursionError):
            return body, {}
        if not records.is_for_cases(event):
            return body, {}
        sent = str(int(datetime.fromisoformat(event["time"]).timestamp() * 1000))
        return json.dumps({"account": ACCOUNT} | event), {"SentTimestamp": sent}

    def poll(self, limit: int | None = None) -> Outcome | None:
        """One batch; nothing when no message is visible."""
        messages = self.receive(limit or self.batch_size)
        if not messages:
            return None
        outcome = self.function.invoke(self.payload(messages))
        failed = self._failed(outcome, messages)
        done = [message for message in messages if message["MessageId"] not in failed]
        for start in range(0, len(done), 10):
            entries = [
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                for number, message in enumerate(done[start : start + 10])
            ]
            self.sqs.delete_message_batch(QueueUrl=self.queue_url, Entries=entries)
        with self._lock:
            self.held += [message for message in messages if message["MessageId"] in failed]
            self.outcomes.append(outcome)
        return outcome

    def _failed(self, outcome: Outcome, messages: list[dict]) -> set[str]:
        """Without a response, or with one that Lambda can't read or that names a stranger: the whole batch."""
        every = {message["MessageId"] for message in messages}
        if outcome.kind != "response":
            return every
        try:
            answer = json.loads(outcome.body or b"null") or {}
            failed = {item["itemIdentifier"] for item in answer.get("batchItemFailures") or []}
        except (ValueError, KeyError, TypeError, AttributeError):
            return every
        return failed if failed <= every else every

    def drain(self, workers: int = 1, sizes: object = None) -> None:
        """Batch after batch until no message is visible; `sizes()` gives the size of each, else the stack's."""

        def work() -> None:
            while self.poll(sizes() if sizes else None):
                pass

        threads = [threading.Thread(target=work) for _ in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def redeliver(self) -> int:
        """The visibility timeout of the messages that are held has passed."""
        held, self.held = self.held, []
        for message in held:
            self.sqs.change_message_visibility(
                QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
            )
        return len(held)
