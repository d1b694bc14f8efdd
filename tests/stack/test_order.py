"""What CloudFormation makes before what, by the references and `DependsOn` of the template that it gets.

In the first minutes of a stack, and while it is changed, events that come too early are lost without a trace: there is no
dead-letter queue yet, or nobody may write to it.
"""

import json
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter

import pytest

from detectors import DETECTORS, IDS
from resolved import Resolved, resolved

EXISTING = {"TableExists": "yes", "CasesBucketExists": "yes"}
VARIANTS = {
    "the least": {},
    "all of it": {"RedriveBy": "arn:aws:iam::111122223333:role/oncall", "ApprovalAccounts": "444455556666"},
    "an earlier table and bucket": EXISTING,
    "a central topic": {"AlertEmail": "", "CentralTopicArn": "arn:aws:sns:eu-central-1:444455556666:alerts"},
    "no dashboard": {"DrawDashboard": "no"},
}


@pytest.fixture(params=VARIANTS, ids=lambda name: name.replace(" ", "-"))
def stack(request: pytest.FixtureRequest) -> Resolved:
    return resolved(**VARIANTS[request.param])


def _mentioned(of: object, stack: Resolved) -> Iterator[str]:
    """The logical IDs that a value refers to, in the branches of `Fn::If` that hold."""
    if isinstance(of, list):
        for one in of:
            yield from _mentioned(one, stack)
    if not isinstance(of, dict):
        return
    for key, value in of.items():
        if key == "Ref":
            yield value
        elif key == "Fn::GetAtt":
            yield value[0] if isinstance(value, list) else value.split(".")[0]
        elif key == "Fn::Sub":
            text, own = value if isinstance(value, list) else (value, {})
            yield from (name.split(".")[0] for name in re.findall(r"\$\{([^!}][^}]*)\}", text) if name not in own)
            yield from _mentioned(own, stack)
        elif key == "Fn::If":
            condition, then, otherwise = value
            holds = stack.value({"Condition": condition})
            yield from _mentioned(then if holds else otherwise, stack)
        else:
            yield from _mentioned(value, stack)


def edges(stack: Resolved) -> dict[str, set[str]]:
    """What each resource waits for."""
    found = {}
    for name, one in stack.raw.items():
        depends = one.get("DependsOn", [])
        depends = [depends] if isinstance(depends, str) else depends
        mentioned = {one for one in _mentioned(one.get("Properties", {}), stack) if not one.startswith("AWS::")}
        waits = set(depends) | mentioned - stack.parameters.keys()
        missing = waits - stack.raw.keys()
        assert not missing, f"{name} refers to {sorted(missing)}, which the stack doesn't have"
        found[name] = waits
    return found


def after(graph: dict[str, set[str]], name: str) -> set[str]:
    """All that a resource waits for, directly or not."""
    found, todo = set(), [name]
    while todo:
        for one in graph[todo.pop()] - found:
            found.add(one)
            todo.append(one)
    return found


def _named(stack: Resolved, kind: str, arn: str) -> str:
    (found,) = (name for name in stack.of_type(kind) if stack.arn(name) == arn)
    return found


def _policies_of(stack: Resolved, queue: str) -> list[str]:
    url = stack.value({"Ref": queue})
    found = [name for name, one in stack.of_type("AWS::SQS::QueuePolicy").items() if url in one["Queues"]]
    assert len(found) == 1, f"{queue} has {found}: the last one to be set would be the only one"
    return found


def test_nothing_waits_for_itself(stack: Resolved) -> None:
    graph = edges(stack)
    assert len(list(TopologicalSorter(graph).static_order())) == len(stack.raw) > 45


def test_a_rule_comes_after_all_that_lets_its_events_through(stack: Resolved) -> None:
    graph, rules = edges(stack), stack.of_type("AWS::Events::Rule")
    for name, rule in rules.items():
        before = after(graph, name)
        for target in rule["Targets"]:
            dead = _named(stack, "AWS::SQS::Queue", target["DeadLetterConfig"]["Arn"])
            wanted = [dead, *_policies_of(stack, dead)]
            if ":sqs:" in target["Arn"]:
                queue = _named(stack, "AWS::SQS::Queue", target["Arn"])
                wanted += [queue, *_policies_of(stack, queue)]
            elif ":sns:" in target["Arn"]:
                wanted += ["AlarmTopicPolicy"]
            else:
                function = _named(stack, "AWS::Lambda::Function", target["Arn"])
                permissions = stack.of_type("AWS::Lambda::Permission").items()
                theirs = [key for key, one in permissions if one["SourceArn"] == stack.arn(name)]
                assert len(theirs) == 1, (name, theirs)
                wanted += [function, *theirs]
            assert set(wanted) <= before, f"{name} doesn't wait for {sorted(set(wanted) - before)}"
    assert len(rules) >= 5


def test_no_policy_of_a_queue_waits_for_more_than_queues(stack: Resolved) -> None:
    graph = edges(stack)
    for name in stack.of_type("AWS::SQS::QueuePolicy"):
        kinds = {stack.raw[one]["Type"] for one in after(graph, name)}
        assert kinds == {"AWS::SQS::Queue"}, (name, kinds)


def test_a_queue_is_polled_when_its_function_may_do_its_work(stack: Resolved) -> None:
    graph, mappings = edges(stack), stack.of_type("AWS::Lambda::EventSourceMapping")
    own = set(stack.of_type("AWS::DynamoDB::Table")) | set(stack.of_type("AWS::S3::Bucket"))
    for name, mapping in mappings.items():
        before = after(graph, name)
        ((function, one),) = (
            (key, one)
            for key, one in stack.of_type("AWS::Lambda::Function").items()
            if one["FunctionName"] == mapping["FunctionName"]
        )
        role = _named(stack, "AWS::IAM::Role", one["Role"])
        attached = {
            key
            for key, policy in stack.of_type("AWS::IAM::Policy").items()
            if stack.resources[role]["Properties"]["RoleName"] in policy["Roles"]
        }
        assert attached, f"{role} has no policy of its own resource"
        cases = {key for key in own if stack.raw[key]["Type"] == "AWS::S3::Bucket"}
        needs_cases = "HANDSOFF_CASES" in one["Environment"]["Variables"]
        wanted = {function, role} | attached | (own if needs_cases else own - cases)
        assert wanted <= before, f"{name} doesn't wait for {sorted(wanted - before)}"
    assert len(mappings) == len(DETECTORS)


def test_a_function_comes_after_its_log_group(stack: Resolved) -> None:
    """Else Lambda makes one, which never expires, and the stack fails on it."""
    graph, functions = edges(stack), stack.of_type("AWS::Lambda::Function")
    for name, one in functions.items():
        groups = stack.of_type("AWS::Logs::LogGroup").items()
        (group,) = (key for key, of in groups if of["LogGroupName"] == one["LoggingConfig"]["LogGroup"])
        assert group in after(graph, name), name
    assert len(functions) == len(DETECTORS) + 1


# What is set on something else by its name. Two of these for one thing, under another logical ID each, and CloudFormation
# sets the new one first and then takes the old one away: the queue, topic, bucket or role is left without.
SET_ON = {
    "AWS::Events::EventBusPolicy": "StatementId",
    "AWS::IAM::Policy": "PolicyName",
    "AWS::S3::BucketPolicy": "Bucket",
    "AWS::SNS::TopicPolicy": "Topics",
    "AWS::SQS::QueuePolicy": "Queues",
}
DEPLOYED = {
    "AlarmTopicPolicy": ["handsoff-alarms"],
    "AlertTopicPolicy": ["handsoff-alerts"],
    "ApprovalsFromOtherAccounts": ["handsoff-approvals"],
    "CasesBucketPolicy": ["handsoff-cases-111122223333-eu-central-1"],
    "CommonPolicy": ["handsoff-common"],
    "DeadLettersPolicy": [
        *(f"{name}-dead-letters" for name in DETECTORS),
        "handsoff-sweep-dead-letters",
    ],
} | {f"{IDS[name]}QueuePolicy": [name] for name in DETECTORS}


def test_policies_keep_their_logical_ids() -> None:
    stack = resolved(**VARIANTS["all of it"])
    found = {}
    for name, one in stack.resources.items():
        if one["Type"] in SET_ON:
            on = one["Properties"][SET_ON[one["Type"]]]
            found[name] = [re.split("[/:]", value)[-1] for value in (on if isinstance(on, list) else [on])]
    assert found == DEPLOYED, "an update would leave something without its policy: docs/deploy.md, Deploying again"


def test_what_is_remembered_outlives_the_stack() -> None:
    stack = resolved()
    for name in ("Table", "CasesBucket", "CasesBucketPolicy"):
        raw = stack.raw[name]
        assert (raw["DeletionPolicy"], raw["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain"), name


def test_one_architecture_is_built_and_deployed() -> None:
    """`sam build` builds for what the template says, and no parameter can say otherwise afterwards."""
    stack = resolved()
    said = {name: one["Properties"].get("Architectures") for name, one in stack.raw.items()}
    functions = {name: said[name] for name in stack.of_type("AWS::Lambda::Function")}
    assert len(functions) == len(DETECTORS) + 1
    (one,) = {json.dumps(value) for value in functions.values()}
    assert json.loads(one) in (["x86_64"], ["arm64"]), f"not a plain word: {one}"
    assert not [name for name in stack.parameters if "architecture" in name.lower()]
