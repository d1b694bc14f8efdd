"""A break-glass session as CloudTrail records it: somebody takes a role on in the console, and works with it."""

import json
import re
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import records
from aws import ACCOUNT, REGION

ROLE = f"arn:aws:iam::{ACCOUNT}:role/break-glass"
USER = "jonas.reith"
# What is read by these names is no change.
READS = ("Describe", "Get", "List", "Assume")


def written(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Session:
    """A session of the role break-glass. Every call is added to `events`, in their order."""

    start: str
    name: str = USER
    keys: int | list[str] = 3
    account: str = ACCOUNT
    events: list[dict] = field(default_factory=list)

    def __post_init__(self) -> None:
        # The console mints an access key for each request; here they take turns.
        if isinstance(self.keys, int):
            self.keys = [f"ASIA{number:04}{self._digits('key')[:8].upper()}" for number in range(self.keys)]
        self._take_on()

    def _digits(self, what: str) -> str:
        return uuid.uuid5(uuid.NAMESPACE_OID, f"{self.account} {self.start} {self.name} {what}").hex

    def time(self, minutes: float) -> datetime:
        return datetime.fromisoformat(self.start) + timedelta(minutes=minutes)

    def at(self, minutes: float) -> str:
        return written(self.time(minutes))

    def _take_on(self) -> None:
        expires = self.time(60)
        record = self._record("sts:AssumeRole", self.time(0), REGION)
        record["userIdentity"] = {
            "type": "IAMUser",
            "principalId": "AIDAMKAP2YOCXYEXAMPLE",
            "arn": f"arn:aws:iam::{self.account}:user/{USER}",
            "accountId": self.account,
            "accessKeyId": "AKIAO4SQHYWSPEXAMPLE",
            "userName": USER,
        }
        record["requestParameters"] = {
            "roleArn": ROLE.replace(ACCOUNT, self.account),
            "roleSessionName": self.name,
            "durationSeconds": 3600,
            "serialNumber": f"arn:aws:iam::{self.account}:mfa/{USER}",
            "sourceIdentity": USER,
        }
        record["responseElements"] = {
            "credentials": {
                "accessKeyId": self.keys[0],
                "expiration": re.sub(r" 0(\d)", r" \1", expires.strftime("%b %d, %Y, %I:%M:%S %p")),
            },
            "assumedRoleUser": {"arn": f"arn:aws:sts::{self.account}:assumed-role/break-glass/{self.name}"},
            "sourceIdentity": USER,
        }
        self.events.append(records.envelope(record))

    def call(
        self, action: str, minutes: float, count: int = 1, region: str = REGION, denied: bool = False, **asked: object
    ) -> None:
        """Calls of the session, a second apart from each other."""
        for number in range(count):
            record = self._record(action, self.time(minutes) + timedelta(seconds=number), region)
            record["requestParameters"] = asked or None
            if denied:
                record |= {"errorCode": "AccessDenied", "errorMessage": "no identity-based policy allows the action"}
            self.events.append(records.envelope(record))

    def _record(self, action: str, at: datetime, region: str) -> dict:
        service, name = action.split(":")
        number = len(self.events)
        return {
            "eventVersion": "1.11",
            "userIdentity": {
                "type": "AssumedRole",
                "principalId": f"AROABOOSOTXJJUEXAMPLE:{self.name}",
                "arn": f"arn:aws:sts::{self.account}:assumed-role/break-glass/{self.name}",
                "accountId": self.account,
                "accessKeyId": self.keys[number % len(self.keys)],
                "sessionContext": {
                    "sessionIssuer": {
                        "type": "Role",
                        "principalId": "AROABOOSOTXJJUEXAMPLE",
                        "arn": ROLE.replace(ACCOUNT, self.account),
                        "accountId": self.account,
                        "userName": "break-glass",
                    },
                    "attributes": {"creationDate": self.start, "mfaAuthenticated": "true"},
                    "sourceIdentity": USER,
                },
            },
            "eventTime": written(at.astimezone(UTC)),
            "eventSource": f"{service}.amazonaws.com",
            "eventName": name,
            "awsRegion": region,
            "sourceIPAddress": "198.51.100.61",
            "userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:136.0) Gecko/20100101 Firefox/136.0",
            "requestParameters": None,
            "responseElements": None,
            "requestID": str(uuid.UUID(self._digits(f"request {number}"))),
            "eventID": str(uuid.UUID(self._digits(f"event {number}"))),
            "readOnly": name.startswith(READS),
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": self.account,
            "eventCategory": "Management",
            "sessionCredentialFromConsole": "true",
        }

    def records(self) -> list[dict]:
        """What CloudTrail has of it."""
        return [json.loads(json.dumps(event["detail"])) for event in self.events]

    def grant(self, minutes: float = -5, **more: str) -> dict:
        """The event of a grant that covers it, given so many minutes after its beginning."""
        detail = {
            "ticket": "INC-4711",
            "requester": USER,
            "approver": "mira.okafor",
            "role": "break-glass",
            "account": self.account,
            "from": self.at(-10),
            "until": self.at(110),
        }
        return records.grant(self.at(minutes), detail | more)
