"""Records to try the stack with, and what `handsoff replay` says about them."""

import json
import os
import re
import subprocess
import tempfile
import uuid
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from stack import ROOT

EVENTS = ROOT / "events"
CORPUS = Path(os.environ.get("HANDSOFF_DATA", ROOT.parent / "shared" / "data"))
BINARIES = Path(os.environ.get("HANDSOFF_BINARIES", ROOT / "target" / "debug"))

# The samples are of one night in the past. What a stack gets is fresher: all days are moved so that the last one was
# the day before yesterday, whole days only, so that hours and midnights stay where they are.
_DAY = re.compile(r"\b(20\d\d-\d\d-\d\d)(?=T\d\d:\d\d:\d\d)")

# Which function a finding is of, by the first part of its incident's name.
FUNCTIONS = {"drift": "handsoff-drift", "glass": "handsoff-break-glass", "deny": "handsoff-deny-spike"}


def _to_now(texts: Iterable[str]) -> timedelta:
    """By how much: so little that nothing has expired, so much that all of it is over."""
    days = [date.fromisoformat(day) for text in texts for day in _DAY.findall(text)]
    return datetime.now(UTC).date() - timedelta(days=2) - max(days)


def _moved(text: str, by: timedelta) -> str:
    return _DAY.sub(lambda day: (date.fromisoformat(day[1]) + by).isoformat(), text)


def samples() -> dict[str, list[dict]]:
    """The events of each file of `events/`, by its name."""
    texts = {path.name: path.read_text() for path in sorted(EVENTS.glob("*.json*"))}
    by = _to_now(texts.values())
    return {
        name: [json.loads(line) for line in _moved(text, by).splitlines()]
        if name.endswith(".jsonl")
        else [json.loads(_moved(text, by))]
        for name, text in texts.items()
    }


def policy() -> str:
    """The policy of `events/`, its last days moved as the events are."""
    by = _to_now(path.read_text() for path in EVENTS.glob("*.json*"))
    text = (EVENTS / "handsoff.toml").read_text()
    return re.sub(
        r"(?m)^(until *= *)(\d{4}-\d\d-\d\d)",
        lambda found: found[1] + (date.fromisoformat(found[2]) + by).isoformat(),
        text,
    )


def corpus(folder: str, limit: int) -> list[dict] | None:
    """The first records of a part of the corpus as EventBridge would deliver them; nothing where it isn't."""
    path = CORPUS / folder / "records.jsonl"
    if not path.is_file():
        return None
    lines = path.read_text().splitlines()[:limit]
    by = _to_now(lines)
    return [envelope(json.loads(_moved(line, by))) for line in lines]


def envelope(record: dict) -> dict:
    """The EventBridge event of a record."""
    kind = {
        "AwsConsoleSignIn": "AWS Console Sign In via CloudTrail",
        "AwsServiceEvent": "AWS Service Event via CloudTrail",
        "AwsConsoleAction": "AWS Console Action via CloudTrail",
    }.get(record.get("eventType"), "AWS API Call via CloudTrail")
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": kind,
        "source": "aws." + str(record.get("eventSource", "")).removesuffix(".amazonaws.com"),
        "account": record.get("recipientAccountId") or "111122223333",
        "time": record.get("eventTime"),
        "region": record.get("awsRegion", "eu-central-1"),
        "resources": [],
        "detail": record,
    }


def elsewhere(events: list[dict], number: int) -> list[dict]:
    """The same events in another account: other incidents, with other event IDs, judged alike."""
    moved = json.loads(json.dumps(events).replace("111122223333", f"{200000000000 + number}"))
    for event in moved:
        name = f"{event['detail'].get('eventID')} {number}"
        event["detail"]["eventID"] = str(uuid.uuid5(uuid.NAMESPACE_OID, name))
    return moved


def earlier(events: list[dict], days: int) -> list[dict]:
    """The same events so many days earlier."""
    return json.loads(_moved(json.dumps(events), timedelta(days=-days)))


def replay(events: list[dict], policy_text: str, *options: str) -> list[dict]:
    """The JSON lines of `handsoff replay` over these events."""
    with tempfile.TemporaryDirectory(prefix="handsoff-replay-") as folder:
        log, toml = Path(folder, "events.jsonl"), Path(folder, "handsoff.toml")
        log.write_text("".join(json.dumps(event) + "\n" for event in events))
        toml.write_text(policy_text)
        command = [BINARIES / "handsoff", "replay", log, "--policy", toml, "--format", "jsonl", *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        # 2: something was odd, such as a record without a name, and judged all the same; or could not be read.
        unread = done.returncode == 2 and not re.search(r"(?m)^ +0  unreadable", done.stderr)
        if done.returncode not in (0, 2) or unread:
            raise RuntimeError(f"handsoff replay: status {done.returncode}\n{done.stderr}")
        return [json.loads(line) for line in done.stdout.splitlines()]


# What is told: incident, period and milestone.
Telling = tuple[str, str, str]


def told(alerts: list[dict]) -> list[Telling]:
    return [(alert["incident"], alert["period"], tells) for alert in alerts for tells in alert["tells"]]


def to_be_told(events: list[dict], policy_text: str) -> set[Telling]:
    """What must be told about these events, all in all."""
    return set(told(replay(events, policy_text, "--alerts")))


def verdicts(findings: list[dict]) -> dict[tuple[str, str], tuple[str, str]]:
    """Code and severity of each finding, by incident and event."""
    return {(one["incident"], one["event_id"]): (one["code"], one["severity"]) for one in findings}
