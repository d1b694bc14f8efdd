#!/usr/bin/env python3
"""Writes a labelled month of a mid-size account, and counts the messages that handsoff makes of it.

    python3 bench/month.py                          # three months, by the release binary
    python3 bench/month.py --seeds 7 --keep DIR     # one, and where to put its logs
    python3 bench/month.py --policy handsoff.toml   # with another policy than a first day's
    python3 bench/month.py --tune                   # with the policy that `handsoff tune` proposes for the first ten days

Workloads on EC2, Lambda and EKS, deploys, a nightly scanner, viewers in the console, people who change things by hand,
one break-glass session, one intrusion. Each planted incident has a label: what must be reported of it, how grave at
least. The same seed gives the same month; another seed another shape too (how many workloads, people, deploys).
Standard library only.
"""

import argparse
import collections
import gzip
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ACCOUNT = "111122223333"
REGION = "eu-central-1"
START = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = 30
TUNED_DAYS = 10
SEVERITIES = ["info", "low", "medium", "high", "critical"]

#: What a team knows on its first day: who deploys, and who comes in an emergency.
FIRST_DAY = """\
[[deploy]]
identity = "arn:aws:iam::*:role/deploy-pipeline"
assumed_by = ["oidc:repo:example/infrastructure:*"]

[[break_glass]]
identity = "arn:aws:iam::*:role/break-glass"
max_session = "4h"
"""

#: What workloads of each kind change, as `service:Action`; reads come in between.
WRITES = {
    "ec2": ["ssm:UpdateInstanceInformation", "ec2:CreateTags", "autoscaling:CompleteLifecycleAction"],
    "lambda": ["logs:CreateLogStream", "logs:CreateLogGroup", "ec2:CreateNetworkInterface"],
    "eks": ["autoscaling:SetDesiredCapacity", "route53:ChangeResourceRecordSets", "ec2:AttachVolume"],
}
READS = ["ec2:DescribeInstances", "ssm:GetParameters", "ecr:BatchGetImage", "sqs:GetQueueAttributes"]
BY_HAND = [
    "ec2:AuthorizeSecurityGroupIngress",
    "rds:ModifyDBInstance",
    "lambda:UpdateFunctionConfiguration",
    "s3:PutBucketCors",
    "cloudwatch:PutMetricAlarm",
    "ecs:UpdateService",
    "ec2:CreateTags",
    "dynamodb:UpdateTable",
]
DEPLOYED = [
    "lambda:UpdateFunctionCode",
    "ecs:RegisterTaskDefinition",
    "ecs:UpdateService",
    "cloudformation:CreateChangeSet",
    "cloudformation:ExecuteChangeSet",
    "iam:PutRolePolicy",
    "ec2:CreateSecurityGroup",
    "s3:PutBucketPolicy",
]
SCANNED = [
    "s3:GetBucketPolicy",
    "ecr:GetRepositoryPolicy",
    "sqs:GetQueueAttributes",
    "glacier:GetVaultAccessPolicy",
    "kms:GetKeyPolicy",
    "macie2:GetMacieSession",
    "backup:ListBackupVaults",
    "drs:DescribeJobs",
    "lambda:GetPolicy",
    "secretsmanager:GetResourcePolicy",
]
PROBED = [
    "iam:ListUsers",
    "iam:ListRoles",
    "s3:ListBuckets",
    "secretsmanager:ListSecrets",
    "ec2:DescribeInstances",
    "lambda:ListFunctions",
    "kms:ListKeys",
    "rds:DescribeDBInstances",
    "organizations:ListAccounts",
    "ssm:DescribeParameters",
]


class Month:
    """The records of a month, and what was planted among them."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.records: list[dict] = []
        self.labels: list[dict] = []

    # -- identities ------------------------------------------------------------------------------------------

    def _session(self, role: str, name: str, path: str = "/", **context: object) -> dict:
        unique = f"AROA{abs(hash_of(role)):016d}"[:20]
        return {
            "type": "AssumedRole",
            "principalId": f"{unique}:{name}",
            "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}",
            "accountId": ACCOUNT,
            "accessKeyId": f"ASIA{abs(hash_of(role + name)):016d}"[:20],
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": unique,
                    "arn": f"arn:aws:iam::{ACCOUNT}:role{path}{role}",
                    "accountId": ACCOUNT,
                    "userName": role,
                },
                "attributes": {"creationDate": "2026-03-01T00:00:00Z", "mfaAuthenticated": "false"},
                **context,
            },
        }

    def _permission_set(self, name: str, user: str) -> dict:
        suffix = f"{abs(hash_of(name)):016x}"[:16]
        path = f"/aws-reserved/sso.amazonaws.com/{REGION}/"
        return self._session(f"AWSReservedSSO_{name}_{suffix}", user, path)

    def _user(self, name: str, mfa: bool = False) -> dict:
        return {
            "type": "IAMUser",
            "principalId": f"AIDA{abs(hash_of(name)):016d}"[:20],
            "arn": f"arn:aws:iam::{ACCOUNT}:user/{name}",
            "accountId": ACCOUNT,
            "accessKeyId": f"AKIA{abs(hash_of(name)):016d}"[:20],
            "userName": name,
            "sessionContext": {"attributes": {"mfaAuthenticated": str(mfa).lower()}},
        }

    # -- records ---------------------------------------------------------------------------------------------

    def call(self, at: datetime, who: dict, action: str, source: str, **more: object) -> dict:
        service, name = action.split(":")
        hosts = {"cloudwatch": "monitoring"}
        read = name.startswith(("Get", "List", "Describe", "Batch"))
        record = {
            "eventVersion": "1.11",
            "userIdentity": who,
            "eventTime": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "eventSource": f"{hosts.get(service, service)}.amazonaws.com",
            "eventName": name,
            "awsRegion": "us-east-1" if service in ("iam", "route53", "organizations") else REGION,
            "sourceIPAddress": source,
            "userAgent": more.pop("agent", "aws-sdk-go/1.55.5"),
            "requestParameters": more.pop("request", None),
            "responseElements": more.pop("response", None),
            "requestID": self._uuid(),
            "eventID": self._uuid(),
            "readOnly": read,
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": ACCOUNT,
            "eventCategory": "Management",
            **more,
        }
        self.records.append(record)
        return record

    def denied(self, at: datetime, who: dict, action: str, source: str, **more: object) -> None:
        sentence = (
            f"User: {who['arn']} is not authorized to perform: {action} because no identity-based policy allows "
            f"the {action} action"
        )
        self.call(at, who, action, source, errorCode="AccessDenied", errorMessage=sentence, **more)

    def _uuid(self) -> str:
        digits = f"{self.random.getrandbits(128):032x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    def times(self, count: int, day: int, begin: float = 0, end: float = 24) -> Iterator[datetime]:
        hours = sorted(self.random.uniform(begin, end) for _ in range(count))
        return (START + timedelta(days=day, hours=hour) for hour in hours)

    def label(self, name: str, at: datetime, severity: str, within: float, **match: object) -> None:
        """What must be reported: a message of at least this severity, within so many minutes of event time."""
        at = at.replace(microsecond=0)  # as records have it
        self.labels.append({"name": name, "at": at, "severity": severity, "within": within, **match})

    # -- the account's life ----------------------------------------------------------------------------------

    def workloads(self) -> None:
        pick = self.random
        for index in range(pick.randint(34, 46)):
            kind = pick.choice(["ec2", "lambda", "eks"])
            role = f"app-{kind}-{index:02d}"
            writes = pick.sample(WRITES[kind], pick.randint(1, len(WRITES[kind])))
            for day in range(DAYS):
                for at in self.times(pick.randint(2, 12), day):
                    who, source = self._workload(kind, role)
                    if kind == "lambda" and pick.random() < 0.5:
                        self._assumed_by_lambda(at - timedelta(seconds=3), who)
                    action = pick.choice(writes) if pick.random() < 0.4 else pick.choice(READS)
                    self.call(at, who, action, source, request={"name": role})

    def _workload(self, kind: str, role: str) -> tuple[dict, str]:
        pick = self.random
        if kind == "ec2":
            instance = f"i-{abs(hash_of(role)) % 16**17:017x}"
            identity = self._session(role, instance, ec2RoleDelivery="2.0")
            return identity, f"10.0.{pick.randrange(16)}.{pick.randrange(256)}"
        if kind == "lambda":
            return self._session(role, role, "/service-role/"), f"18.196.{pick.randrange(256)}.7"
        provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/oidc.eks.{REGION}.amazonaws.com/id/0F1E2D3C4B5A69788796"
        name = f"pod-{pick.getrandbits(32):08x}"
        web = {"federatedProvider": provider, "attributes": {}}
        return self._session(role, name, webIdFederationData=web), f"10.1.0.{pick.randrange(256)}"

    def _assumed_by_lambda(self, at: datetime, session: dict) -> None:
        service = "lambda.amazonaws.com"
        issuer = session["sessionContext"]["sessionIssuer"]
        name = session["arn"].rsplit("/", 1)[1]
        self.call(
            at,
            {"type": "AWSService", "invokedBy": service},
            "sts:AssumeRole",
            service,
            agent=service,
            request={"roleArn": issuer["arn"], "roleSessionName": name},
            response={
                "credentials": {"accessKeyId": session["accessKeyId"]},
                "assumedRoleUser": {"assumedRoleId": session["principalId"], "arn": session["arn"]},
            },
        )

    def services(self) -> None:
        for day in range(DAYS):
            for at in self.times(40, day):
                service = self.random.choice(["autoscaling", "ecs", "config", "elasticloadbalancing"])
                who = {"type": "AWSService", "invokedBy": f"{service}.amazonaws.com"}
                action = self.random.choice(["ec2:DescribeInstances", "ec2:CreateTags", "ec2:RunInstances"])
                self.call(at, who, action, f"{service}.amazonaws.com", agent=f"{service}.amazonaws.com")

    def deploys(self) -> None:
        pick = self.random
        for number in range(pick.randint(170, 230)):
            at = START + timedelta(days=pick.randrange(DAYS), hours=pick.uniform(7, 19))
            web = {
                "federatedProvider": f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com",
                "attributes": {},
            }
            who = self._session("deploy-pipeline", f"run-{number}", webIdFederationData=web)
            who["sessionContext"]["attributes"]["creationDate"] = at.strftime("%Y-%m-%dT%H:%M:%SZ")
            source = f"20.1.{pick.randrange(256)}.9"
            subject = "repo:example/infrastructure:ref:refs/heads/main"
            taken = {
                "type": "WebIdentityUser",
                "principalId": f"{web['federatedProvider']}:sts.amazonaws.com:{subject}",
                "userName": subject,
                "identityProvider": web["federatedProvider"],
            }
            request = {"roleArn": f"arn:aws:iam::{ACCOUNT}:role/deploy-pipeline", "roleSessionName": f"run-{number}"}
            issued = {"credentials": {"accessKeyId": who["accessKeyId"]}, "assumedRoleUser": {"arn": who["arn"]}}
            self.call(at, taken, "sts:AssumeRoleWithWebIdentity", source, request=request, response=issued)
            for step in range(pick.randint(10, 60)):
                action = pick.choice(DEPLOYED if pick.random() < 0.6 else READS)
                self.call(at + timedelta(seconds=5 * step), who, action, source, agent="APN/1.0 Terraform/1.9")

    def scanner(self) -> None:
        who = self._session("security-scanner", "scan")
        denied = SCANNED[: self.random.randint(7, len(SCANNED))]
        for day in range(DAYS):
            at = START + timedelta(days=day, hours=2)
            for step in range(60):
                action = self.random.choice(READS)
                self.call(at + timedelta(seconds=3 * step), who, action, "10.2.0.9", agent="Boto3/1.35")
            for step, action in enumerate(denied * 2):
                self.denied(at + timedelta(seconds=200 + 4 * step), who, action, "10.2.0.9", agent="Boto3/1.35")

    def viewers(self) -> None:
        pick = self.random
        for person in (f"viewer{n}@example.com" for n in range(pick.randint(5, 9))):
            who = self._permission_set("ReadOnly", person)
            for day in range(DAYS):
                if (START + timedelta(days=day)).weekday() > 4 or pick.random() < 0.5:
                    continue
                at = START + timedelta(days=day, hours=pick.uniform(8, 17))
                console = {"agent": "Mozilla/5.0", "sessionCredentialFromConsole": "true"}
                for step in range(pick.randint(10, 40)):
                    self.call(at + timedelta(seconds=9 * step), who, pick.choice(READS), "198.51.100.20", **console)
                for step, action in enumerate(pick.sample(SCANNED, pick.randint(0, 4))):
                    self.denied(at + timedelta(seconds=400 + 7 * step), who, action, "198.51.100.20", **console)

    def people(self) -> None:
        pick = self.random
        for person in pick.sample(["ana", "ben", "carla", "dmitri", "eva"], 3):
            for week in range(4):
                for day in sorted(pick.sample(range(5), 2)):
                    at = START + timedelta(days=7 * week + day + 1, hours=pick.uniform(9, 16))
                    who = self._permission_set("Developer", f"{person}@example.com")
                    stamp = (at - timedelta(minutes=7)).strftime("%Y-%m-%dT%H:%M:%SZ")
                    who["sessionContext"]["attributes"]["creationDate"] = stamp
                    source = f"198.51.100.{pick.randrange(30, 60)}"
                    steps = pick.randint(3, 12)
                    actions = [pick.choice(BY_HAND[:-2]), *(pick.choice(BY_HAND) for _ in range(steps - 1))]
                    for step, action in enumerate(actions):
                        when = at + timedelta(seconds=40 * step)
                        self.call(when, who, action, source, agent="Mozilla/5.0", request={"id": f"r-{step}"})
                    self.label("by hand", at, "medium", 5, principal=f"{person}@example.com")

    def emergency(self) -> None:
        at = START + timedelta(days=self.random.randint(8, 25), hours=3)
        user = self._user("oncall", mfa=True)
        request = {"roleArn": f"arn:aws:iam::{ACCOUNT}:role/break-glass", "roleSessionName": "oncall"}
        self.call(at, user, "sts:AssumeRole", "198.51.100.9", request=request)
        who = self._session("break-glass", "oncall")
        stamp = at.strftime("%Y-%m-%dT%H:%M:%SZ")
        who["sessionContext"]["attributes"] = {"creationDate": stamp, "mfaAuthenticated": "true"}
        for step in range(25):
            action = self.random.choice(BY_HAND if step % 5 == 4 else READS)
            self.call(at + timedelta(seconds=60 + 30 * step), who, action, "198.51.100.9", agent="aws-cli/2.17")
        self.label("break-glass session", at, "high", 1, principal="oncall")

    def intrusion(self) -> None:
        """A stolen instance's credentials probe, make an administrator, and the administrator blinds the account."""
        pick = self.random
        at = START + timedelta(days=pick.randint(11, 28), hours=pick.uniform(0, 23))
        instance = f"i-{pick.getrandbits(68):017x}"
        stolen = self._session(f"app-orders-{pick.randrange(100)}", instance, ec2RoleDelivery="2.0")
        source = f"203.0.113.{pick.randrange(1, 255)}"
        probed = pick.sample(PROBED, len(PROBED))
        for step, action in enumerate(probed):
            self.denied(at + timedelta(seconds=10 * step), stolen, action, source, agent="aws-cli/2.15")
        self.label("probing", at + timedelta(seconds=50), "high", 1, principal=instance)
        name = pick.choice(["svc-backup", "svc-monitoring", "aws-support"])
        made = at + timedelta(minutes=5)
        self.call(made, stolen, "iam:CreateUser", source, request={"userName": name})
        admin = "arn:aws:iam::aws:policy/AdministratorAccess"
        request = {"userName": name, "policyArn": admin}
        self.call(made + timedelta(seconds=20), stolen, "iam:AttachUserPolicy", source, request=request)
        key = self._user(name)
        answer = {"accessKey": {"accessKeyId": key["accessKeyId"], "userName": name, "status": "Active"}}
        asked = {"userName": name}
        self.call(made + timedelta(seconds=40), stolen, "iam:CreateAccessKey", source, request=asked, response=answer)
        self.label("made user", made, "high", 1, principal=instance, action="iam:CreateUser")
        blind = made + timedelta(minutes=5)
        self.call(blind, key, "cloudtrail:StopLogging", source, request={"name": "trail"})
        self.label("StopLogging", blind, "critical", 1, principal=name, action="cloudtrail:StopLogging")
        later = blind + timedelta(minutes=2)
        self.call(later, key, "guardduty:DeleteDetector", source, request={"detectorId": "d"})
        self.label("DeleteDetector", later, "critical", 1, principal=name, action="guardduty:DeleteDetector")
        shared = later + timedelta(minutes=4)
        request = {"snapshotId": "snap-1", "attributeType": "CREATE_VOLUME_PERMISSION"}
        self.call(shared, key, "ec2:ModifySnapshotAttribute", source, request=request)
        self.label("shared snapshot", shared, "high", 1, principal=name, action="ec2:ModifySnapshotAttribute")

    @classmethod
    def of(cls, seed: int) -> "Month":
        month = cls(seed)
        parts = [
            month.workloads,
            month.services,
            month.deploys,
            month.scanner,
            month.viewers,
            month.people,
            month.emergency,
            month.intrusion,
        ]
        for part in parts:
            part()
        month.records.sort(key=lambda record: record["eventTime"])
        return month

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        days: dict[str, list[dict]] = collections.defaultdict(list)
        for record in self.records:
            days[record["eventTime"][:10]].append(record)
        for day, records in days.items():
            with gzip.open(folder / f"{day}.json.gz", "wt") as file:
                json.dump({"Records": records}, file)


def hash_of(text: str) -> int:
    """The same in every process, which `hash` is not."""
    return random.Random(text).getrandbits(63)


def alerts(binary: Path, logs: Path, policy: Path) -> list[dict]:
    command = [binary, "replay", logs, "--policy", policy, "--alerts", "--format", "jsonl"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        sys.exit(f"error: {' '.join(map(str, command))}: status {run.returncode}\n{run.stderr}")
    return [json.loads(line) for line in run.stdout.splitlines()]


def tuned(binary: Path, logs: Path, policy: Path, to: Path) -> Path:
    """Writes what is proposed for the first days of the logs."""
    days = sorted(logs.glob("*.json.gz"))[:TUNED_DAYS]
    if len(days) < TUNED_DAYS:
        sys.exit(f"error: {logs}: fewer than {TUNED_DAYS} days to tune by")
    to.unlink(missing_ok=True)
    command = [binary, "tune", *days, "--policy", policy, "--out", to]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        sys.exit(f"error: {' '.join(map(str, command))}: status {run.returncode}\n{run.stderr}")
    print(run.stderr, end="")
    check = subprocess.run([binary, "policy", "check", to], capture_output=True, text=True, check=False)
    if check.returncode != 0:
        sys.exit(f"error: {to}: policy check says:\n{check.stderr}")
    return to


def is_digest(alert: dict) -> bool:
    return alert["cause"] == "digest"


def missed(month: Month, sent: list[dict]) -> list[dict]:
    """The labels that no message answers."""
    return [label for label in month.labels if not any(answers(alert, label) for alert in sent)]


def answers(alert: dict, label: dict) -> bool:
    if is_digest(alert) or alert["cause"] == "closed" or not alert["time"]:
        return False
    at = datetime.fromisoformat(alert["time"])
    soon = label["at"] <= at <= label["at"] + timedelta(minutes=label["within"])
    grave = SEVERITIES.index(alert["severity"]) >= SEVERITIES.index(label["severity"])
    text = alert["subject"] + alert["text"]
    return soon and grave and label["principal"] in text and label.get("action", "") in text


def report(month: Month, sent: list[dict], seed: int) -> bool:
    messages = [alert for alert in sent if not is_digest(alert)]
    kinds = collections.Counter((alert["incident"].split("-")[0], alert["cause"]) for alert in messages)
    digests = len(sent) - len(messages)
    print(f"seed {seed}: {len(month.records)} records, {len(messages)} messages, {digests} digests")
    print("  " + ", ".join(f"{count} {kind} {cause}" for (kind, cause), count in kinds.most_common()))
    lost = missed(month, sent)
    for label in lost:
        when = label["at"].strftime("%m-%d %H:%M")
        print(f"  MISSED {label['name']} {when} {label['principal']}: nothing of {label['severity']} in time")
    print(f"  {len(month.labels) - len(lost)} of {len(month.labels)} planted incidents reported in time")
    return not lost


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--binary", type=Path, default=ROOT / "target/release/handsoff")
    parser.add_argument("--policy", type=Path, help="instead of a first day's")
    parser.add_argument("--tune", action="store_true", help="tune the policy by the first ten days")
    parser.add_argument("--keep", type=Path, help="where to put the logs")
    args = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory() as scratch:
        policy = args.policy or Path(scratch) / "handsoff.toml"
        if not args.policy:
            policy.write_text(FIRST_DAY)
        for seed in args.seeds:
            month = Month.of(seed)
            logs = (args.keep or Path(scratch)) / str(seed)
            month.write(logs)
            used = tuned(args.binary, logs, policy, Path(scratch) / "tuned.toml") if args.tune else policy
            good &= report(month, alerts(args.binary, logs, used), seed)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
