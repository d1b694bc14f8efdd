"""Records to try the stack with, and what `handsoff replay` says about them."""

import json
import os
import re
import subprocess
import tempfile
import uuid
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

from stack import ROOT

EVENTS = ROOT / "events"
CORPUS = Path(os.environ.get("HANDSOFF_DATA", ROOT.parent / "shared" / "data"))
BINARIES = Path(os.environ.get("HANDSOFF_BINARIES", ROOT / "target" / "debug"))

# The account of the ticket system, which sends grants.
TICKETS = "444455556666"

# The samples are of one night in the past. What a stack gets is fresher: all days are moved so that the last one was
# the day before yesterday, whole days only, so that hours and midnights stay where they are.
# But for one that takes a quarter of a year, which ends then.
LONG = "glass-drill-due.jsonl"
_DAY = re.compile(r"\b(20\d\d-\d\d-\d\d)(?=T\d\d:\d\d:\d\d)")


def _to_now(texts: Iterable[str]) -> timedelta:
    """By how much: so little that nothing has expired, so much that all of it is over."""
    days = [date.fromisoformat(day) for text in texts for day in _DAY.findall(text)]
    return datetime.now(UTC).date() - timedelta(days=2) - max(days)


def days_ago(days: int, time: str = "02:00:00") -> str:
    """A time in the past, to the second."""
    return f"{datetime.now(UTC).date() - timedelta(days=days)}T{time}Z"


def _moved(text: str, by: timedelta) -> str:
    return _DAY.sub(lambda day: (date.fromisoformat(day[1]) + by).isoformat(), text)


def samples() -> dict[str, list[dict]]:
    """The events of each file of `events/`, by its name."""
    found = {}
    for path in sorted(EVENTS.glob("*.json*")):
        text = path.read_text()
        text = _moved(text, _to_now([text]) if path.name == LONG else _of_the_night())
        lines = text.splitlines() if path.suffix == ".jsonl" else [text]
        found[path.name] = [json.loads(line) for line in lines]
    return found


def _of_the_night() -> timedelta:
    """By how much the samples are moved."""
    return _to_now(path.read_text() for path in EVENTS.glob("*.json*") if path.name != LONG)


def policy() -> str:
    """The policy of `events/`, its last days moved as the events are."""
    by = _of_the_night()
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


def grant(at: str, detail: dict, account: str = TICKETS) -> dict:
    """The event of a grant, as the ticket system's account sends it."""
    return _sent(at, "Break-Glass Grant", "ticket-system", detail, account)


def review(at: str, detail: dict, account: str = "111122223333") -> dict:
    """The event of a review, as `handsoff case review` writes it."""
    return _sent(at, "Break-Glass Review", "handsoff", detail, account)


def is_of_a_service(event: dict | str) -> bool:
    """What a service sends to EventBridge itself: the end of a build, say."""
    kind = str(event.get("detail-type", "")) if isinstance(event, dict) else ""
    return isinstance(event, dict) and str(event.get("source")).startswith("aws.") and "via CloudTrail" not in kind


def is_for_cases(event: object) -> bool:
    """Whether an event is a grant or a review, and no record of CloudTrail."""
    return isinstance(event, dict) and str(event.get("detail-type")).startswith("Break-Glass ")


def _sent(at: str, kind: str, source: str, detail: dict, account: str) -> dict:
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": kind,
        "source": source,
        "account": account,
        "time": at,
        "region": "eu-central-1",
        "resources": [],
        "detail": detail,
    }


def verify(folder: Path, digest: str | None = None) -> subprocess.CompletedProcess[str]:
    """`handsoff case verify` of a copy."""
    command = [BINARIES / "handsoff", "case", "verify", folder]
    command += ["--digest", digest] if digest else []
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


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


@cache
def _later() -> dict:
    """A record of last midnight that says nothing."""
    event = json.loads((EVENTS / "nothing.aws-service.json").read_text())
    event["detail"]["eventTime"] = days_ago(0, "00:00:00")
    return event


def replay(events: list[dict], policy_text: str, *options: str) -> list[dict]:
    """The JSON lines of `handsoff replay` over these events."""
    with tempfile.TemporaryDirectory(prefix="handsoff-replay-") as folder:
        log, toml = Path(folder, "events.jsonl"), Path(folder, "handsoff.toml")
        # The stack looks at them days later: what was open when the logs ended is over for it.
        log.write_text("".join(json.dumps(event) + "\n" for event in [*events, _later()]))
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


# The stack counts a drill's time from its own first look, and logs from their first record.
DRILL = "drill due"


def to_be_told(events: list[dict], policy_text: str) -> set[Telling]:
    """What must be told about these events, all in all.

    Not their digests: the sweeps of these tests run long after them, when none is due any more.
    """
    alerts = [one for one in replay(events, policy_text, "--alerts") if one["cause"] != "digest"]
    return set(told([one for one in alerts if DRILL not in one["subject"]]))


# Verdicts on a session or a key as a whole: they stand on its first event, beside that event's own.
WHOLE = {
    "glass-unapproved",
    "glass-not-on-roster",
    "glass-no-ticket",
    "glass-no-mfa",
    "glass-self-approved",
    "glass-closed",
    "long-lived-key",
}

# Incident, event, and the code of a verdict on a whole session or key.
Key = tuple[str, str, str]


def key(finding: dict) -> Key:
    return finding["incident"], finding["event_id"], finding["code"] if finding["code"] in WHOLE else ""


def verdicts(findings: list[dict]) -> dict[Key, tuple[str, str]]:
    """Code and severity of each finding on an event, or on a session."""
    return {key(one): (one["code"], one["severity"]) for one in findings if one["code"] != "glass-drill-due"}
