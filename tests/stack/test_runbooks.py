"""What handsoff tells people to do, at three in the morning, has to work: held against the AWS CLI's models and the template."""

import re

import pytest

import commands
from commands import Command
from resolved import Resolved, resolved

ACCOUNT, REGION = "111122223333", "eu-central-1"


@pytest.fixture(scope="module")
def stack() -> Resolved:
    return resolved(RedriveBy=f"arn:aws:iam::{ACCOUNT}:role/oncall")


@pytest.fixture(scope="module")
def every(stack: Resolved) -> list[Command]:
    found = commands.of_pages() + commands.of_alarms(stack)
    assert len(found) >= 15, "hardly any command is looked at"
    assert {"sqs start-message-move-task", "events put-events", "s3 sync"} <= {one.name for one in found}
    assert {one.where for one in found} >= {"README.md", "deploy.md", "handsoff-drift-dead-letters"}
    return found


def test_the_aws_cli_knows_them(every: list[Command]) -> None:
    found = [fault for command in every for fault in commands.faults(command)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "text",
    [
        "aws sqs start-message-move --source-arn ARN",
        "aws sqs start-message-move-task --destination-arn ARN",
        "aws sqs start-message-move-task --source-arn ARN --to ARN",
        "aws sqs start-message-move-task ARN --source-arn ARN",
        "aws sqs purge-queue --queue-url",
        "aws s3 sync s3://BUCKET",
    ],
)
def test_what_the_aws_cli_would_refuse_is_found(text: str) -> None:
    assert commands.faults(commands._parse("here", text))


def _words(stack: Resolved) -> set[str]:
    """What may be called handsoff-something: resources, and the programs and stacks of that name."""
    return stack.names() | {"handsoff"}


def _unknown(text: str, stack: Resolved) -> list[str]:
    known = _words(stack)
    named = re.findall(r"(?<![\w.-])handsoff(?:-[a-z]+)*(?:-\d{12}-[a-z0-9-]+)?(?![\w/-])", text)
    return [one for one in named if one not in known]


def test_they_name_what_is_there(every: list[Command], stack: Resolved) -> None:
    found = []
    for command in every:
        for values in command.options.values():
            for name in _unknown(" ".join(values), stack):
                found.append(f"{command.said()}: the template has no {name}")
    assert not found, "\n".join(found)


def test_alarms_name_what_is_there(stack: Resolved) -> None:
    alarms = stack.of_type("AWS::CloudWatch::Alarm").values()
    assert len(alarms) >= 10
    headings = (commands.ROOT / "docs" / "deploy.md").read_text()
    for alarm in alarms:
        text = alarm["AlarmDescription"]
        assert not _unknown(text, stack), alarm["AlarmName"]
        assert len(text) <= 1024, f"{alarm['AlarmName']}: CloudWatch takes 1,024 characters"
        for parameter in re.findall(r"\b(?:[A-Z][a-z]+){2,}\b", text):
            known = parameter in stack.parameters or parameter in METRICS or parameter in OTHER_WORDS
            assert known, f"{alarm['AlarmName']}: {parameter} is no parameter"
        for section in re.findall(r"docs/deploy\.md, ([A-Z][a-z]+(?: [a-z]+)*)", text):
            assert f"## {section}" in headings or f"**{section}" in headings, f"{alarm['AlarmName']}: {section}"


METRICS = {"CanaryRoundTrip"}
OTHER_WORDS = {"CloudTrail", "CloudWatch", "EventBridge"}


def test_the_templates_comments_name_what_is_there(stack: Resolved) -> None:
    text = (commands.ROOT / "template.yaml").read_text()
    comments = " ".join(re.findall(r"^ *# (.*)", text, re.MULTILINE))
    assert len(comments) > 5_000
    assert not [one for one in _unknown(comments, stack) if one != "handsoff-canary"]


def test_pages_name_alarms_and_queues_that_are_there(stack: Resolved) -> None:
    """In backticks, in the pages that are for those who run it."""
    looked_at = 0
    for page in ("README.md", "docs/deploy.md", "docs/metrics.md", "SECURITY.md"):
        text = (commands.ROOT / page).read_text()
        for name in re.findall(r"`(handsoff(?:-[a-z]+)+)`", text):
            looked_at += 1
            assert name in _words(stack) | {"handsoff-canary", "handsoff-tests"}, f"{page}: {name}"
    assert looked_at >= 6


def test_every_redrive_can_work(every: list[Command], stack: Resolved) -> None:
    """SQS moves out of a queue that some queue names as its own, and has to be told where to: what a function or a rule
    has put there has no source that SQS knows."""
    queues = stack.of_type("AWS::SQS::Queue")
    named = {
        one["RedrivePolicy"]["deadLetterTargetArn"]: stack.arn(name)
        for name, one in queues.items()
        if "RedrivePolicy" in one
    }
    redrives = [one for one in every if one.name == "sqs start-message-move-task"]
    assert len(redrives) >= 4, "one in the page, and one of each detector's alarm"
    for command in redrives:
        source, destination = command.one("--source-arn"), command.one("--destination-arn")
        assert source in named, f"{command.said()}: no queue names {source or 'nothing'} as its dead-letter queue"
        assert destination == named[source], f"{command.said()}: {destination or 'nowhere'} is not where it came from"
    assert {one.one("--source-arn") for one in redrives} == set(named), "a dead-letter queue without a runbook"


def test_every_dead_letter_queue_says_who_may_name_it(stack: Resolved) -> None:
    for name, one in stack.of_type("AWS::SQS::Queue").items():
        if "RedrivePolicy" in one:
            target = one["RedrivePolicy"]["deadLetterTargetArn"]
            (dead,) = (key for key in stack.of_type("AWS::SQS::Queue") if stack.arn(key) == target)
            allow = stack.resources[dead]["Properties"]["RedriveAllowPolicy"]
            assert allow == {"redrivePermission": "byQueue", "sourceQueueArns": [stack.arn(name)]}, dead


def test_every_alarm_tells_what_to_do_and_when_it_is_over(stack: Resolved) -> None:
    for alarm in stack.of_type("AWS::CloudWatch::Alarm").values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [f"arn:aws:sns:{REGION}:{ACCOUNT}:handsoff-alarms"]
        assert re.search(r"\b(look|mend|read|add|click|raise|review|empty)\b", alarm["AlarmDescription"], re.IGNORECASE)
