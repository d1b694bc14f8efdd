"""Who may do what to handsoff's queues, topics, table and bucket, by the policies that the template deploys."""

import pytest

import detectors
from aws import ACCOUNT, REGION
from iam import ADMIN, Call, Caller, allowed, met
from resolved import Resolved, resolved

ONCALL = f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/{REGION}/AWSReservedSSO_OnCall_0123456789abcdef"
REDRIVE_BY = f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_OnCall_*"

QUEUES = detectors.RULES
DETECTORS = tuple(QUEUES)
FUNCTIONS = (*DETECTORS, "handsoff-sweep")
RULES = set().union(*QUEUES.values()) | {"handsoff-sweep", "handsoff-tampering"}
EVENTS = "events.amazonaws.com"


@pytest.fixture(params=["", REDRIVE_BY], ids=["nobody-redrives", "oncall-redrives"])
def stack(request: pytest.FixtureRequest) -> Resolved:
    return resolved(RedriveBy=request.param)


def _role(stack: Resolved, name: str) -> Caller:
    """A role of the stack with what it may do."""
    ((logical, one),) = (
        (key, role) for key, role in stack.of_type("AWS::IAM::Role").items() if role["RoleName"] == name
    )
    documents = [policy["PolicyDocument"] for policy in one["Policies"]]
    documents += [
        policy["PolicyDocument"]
        for policy in stack.of_type("AWS::IAM::Policy").values()
        if one["RoleName"] in policy["Roles"]
    ]
    statements = [statement for document in documents for statement in document["Statement"]]
    assert statements, logical
    return Caller(arn=stack.arn(logical), policies=tuple(statements))


def _admin(name: str = "Admin", account: str = ACCOUNT) -> Caller:
    return Caller(arn=f"arn:aws:iam::{account}:role/{name}", policies=ADMIN)


def _policy(stack: Resolved, kind: str, key: str, physical: str) -> list[dict]:
    """The statements of the one policy on a queue, topic or bucket."""
    (found,) = (one for one in stack.of_type(kind).values() if physical in one[key])
    return found["PolicyDocument"]["Statement"]


def _on_queue(stack: Resolved, caller: Caller, action: str, queue: str, **context: str) -> bool:
    url = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{queue}"
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"
    keys = {f"aws:{key}": value for key, value in context.items()}
    return allowed(caller, Call(f"sqs:{action}", arn, keys), _policy(stack, "AWS::SQS::QueuePolicy", "Queues", url))


def _by_rule(stack: Resolved, rule: str, queue: str, account: str = ACCOUNT) -> bool:
    arn = f"arn:aws:events:{REGION}:{account}:rule/{rule}"
    caller = Caller(service=EVENTS)
    return _on_queue(stack, caller, "SendMessage", queue, SourceArn=arn, SourceAccount=account)


def test_only_our_rules_of_this_account_deliver(stack: Resolved) -> None:
    for queue, rules in QUEUES.items():
        for rule in RULES | {"handsoff-other", "theirs"}:
            assert _by_rule(stack, rule, queue) == (rule in rules), (rule, queue)
            assert not _by_rule(stack, rule, queue, "999988887777"), (rule, queue)
    for name in FUNCTIONS:
        for rule in RULES:
            assert _by_rule(stack, rule, f"{name}-dead-letters"), (rule, name)
        assert not _by_rule(stack, "theirs", f"{name}-dead-letters")
        assert not _by_rule(stack, "handsoff-drift", f"{name}-dead-letters", "999988887777")


def test_every_rule_may_deliver_where_it_sends_to(stack: Resolved) -> None:
    looked_at = 0
    for rule in stack.of_type("AWS::Events::Rule").values():
        for target in rule["Targets"]:
            arns = [target["DeadLetterConfig"]["Arn"]] + [target["Arn"]] * (":sqs:" in target["Arn"])
            for arn in arns:
                assert _by_rule(stack, rule["Name"], arn.rsplit(":", 1)[-1]), (rule["Name"], arn)
                looked_at += 1
    assert looked_at >= 9


@pytest.mark.parametrize("service", ["sns.amazonaws.com", "s3.amazonaws.com", "lambda.amazonaws.com"])
def test_no_other_service_sends(stack: Resolved, service: str) -> None:
    for queue in (*QUEUES, *(f"{name}-dead-letters" for name in FUNCTIONS)):
        arn = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/handsoff-drift"
        assert not _on_queue(stack, Caller(service=service), "SendMessage", queue, SourceArn=arn), queue


@pytest.mark.parametrize("action", ["SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility"])
@pytest.mark.parametrize(
    "caller",
    [
        _admin(),
        _admin("handsoff-drift-not"),
        _admin("other/handsoff-drift"),
        _admin("handsoff-redrive", account="999988887777"),
        Caller(arn=f"arn:aws:iam::{ACCOUNT}:root", policies=ADMIN),
        Caller(arn=f"arn:aws:iam::{ACCOUNT}:user/admin", policies=ADMIN),
        Caller(arn=ONCALL, policies=ADMIN),
    ],
    ids=lambda caller: caller.arn.split(":")[4] + caller.arn.rsplit(":", 1)[-1][-20:],
)
def test_no_administrator_touches_messages(stack: Resolved, caller: Caller, action: str) -> None:
    for queue in (*QUEUES, *(f"{name}-dead-letters" for name in FUNCTIONS)):
        assert not _on_queue(stack, caller, action, queue), queue


def test_functions_take_from_their_queue_and_set_aside(stack: Resolved) -> None:
    for name in DETECTORS:
        role = _role(stack, name)
        for queue in QUEUES:
            for action in ("ReceiveMessage", "DeleteMessage"):
                assert _on_queue(stack, role, action, queue) == (queue == name), (name, action, queue)
            assert not _on_queue(stack, role, "SendMessage", queue), (name, queue)
        for other in FUNCTIONS:
            dead = f"{other}-dead-letters"
            assert _on_queue(stack, role, "SendMessage", dead) == (other == name), (name, dead)
            assert not _on_queue(stack, role, "ReceiveMessage", dead), (name, dead)
    # Lambda does it with the sweep's role.
    assert _on_queue(stack, _role(stack, "handsoff-sweep"), "SendMessage", "handsoff-sweep-dead-letters")


def test_nothing_goes_without_tls(stack: Resolved) -> None:
    for name in DETECTORS:
        role = _role(stack, name)
        assert not _on_queue(stack, role, "ReceiveMessage", name, SecureTransport="false")
        assert not _on_queue(stack, role, "SendMessage", f"{name}-dead-letters", SecureTransport="false")


def test_dead_letters_are_moved_back_by_one_role_if_there_is_one() -> None:
    """SQS does with the caller's rights what a redrive consists of."""
    stack = resolved(RedriveBy=REDRIVE_BY)
    role = _role(stack, "handsoff-redrive")
    for name in DETECTORS:
        dead = f"{name}-dead-letters"
        for action in ("StartMessageMoveTask", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes"):
            assert _on_queue(stack, role, action, dead), (action, dead)
        assert _on_queue(stack, role, "SendMessage", name)
        assert not _on_queue(stack, role, "SendMessage", dead), "a forgery among the dead letters"
        assert not _on_queue(stack, role, "ReceiveMessage", name)
    # Whoever makes a role of that name in a stack without it gets nothing.
    without = resolved()
    assert "RedriveRole" not in without.resources
    for name in DETECTORS:
        assert not _on_queue(without, _admin("handsoff-redrive"), "SendMessage", name)
        assert not _on_queue(without, _admin("handsoff-redrive"), "ReceiveMessage", f"{name}-dead-letters")


@pytest.mark.parametrize(
    ("arn", "may"),
    [
        (ONCALL, True),
        (f"arn:aws:iam::{ACCOUNT}:role/Admin", False),
        (ONCALL.replace(ACCOUNT, "999988887777"), False),
    ],
)
def test_the_redrive_role_is_assumed_by_those_named(arn: str, may: bool) -> None:
    stack = resolved(RedriveBy=f"{REDRIVE_BY},arn:aws:iam::{ACCOUNT}:role/second")
    trust = stack.resources["RedriveRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    statements = [{**one, "Resource": "*"} for one in trust]
    # A role's trust has to say it: no policy of the caller's is enough.
    assert allowed(Caller(arn=arn), Call("sts:AssumeRole", stack.arn("RedriveRole")), statements) == may


@pytest.mark.parametrize("topic", ["handsoff-alerts", "handsoff-alarms"])
def test_who_speaks_on_the_topics(stack: Resolved, topic: str) -> None:
    arn = f"arn:aws:sns:{REGION}:{ACCOUNT}:{topic}"
    statements = _policy(stack, "AWS::SNS::TopicPolicy", "Topics", arn)

    def may(caller: Caller, **context: str) -> bool:
        return allowed(caller, Call("sns:Publish", arn, {f"aws:{k}": v for k, v in context.items()}), statements)

    for name in FUNCTIONS:
        assert may(_role(stack, name)) == (topic == "handsoff-alerts"), name
    assert not may(_admin()), "a false all-clear"
    assert not may(_admin(account="999988887777"))
    alarm = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:handsoff-backlog"
    service = Caller(service="cloudwatch.amazonaws.com")
    assert may(service, SourceArn=alarm, SourceAccount=ACCOUNT) == (topic == "handsoff-alarms")
    theirs = alarm.replace(ACCOUNT, "999988887777")
    assert not may(service, SourceArn=theirs, SourceAccount="999988887777")
    assert not may(Caller(service=EVENTS), SourceAccount=ACCOUNT)


@pytest.mark.parametrize(
    "action",
    ["PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "PartiQLInsert", "PartiQLUpdate", "PartiQLDelete"],
)
def test_only_the_functions_write_items(stack: Resolved, action: str) -> None:
    (table,) = stack.of_type("AWS::DynamoDB::Table").values()
    statements = table["ResourcePolicy"]["PolicyDocument"]["Statement"]
    call = Call(f"dynamodb:{action}", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/handsoff")
    for name in FUNCTIONS:
        assert allowed(_role(stack, name), call, statements) == (action == "PutItem"), name
    assert not allowed(_admin(), call, statements)
    assert not allowed(_admin("path/handsoff-drift"), call, statements)


@pytest.mark.parametrize(
    ("who", "action", "new", "may"),
    [
        ("handsoff-break-glass", "PutObject", True, True),
        ("handsoff-sweep", "PutObject", True, True),
        ("handsoff-sweep", "PutObject", False, False),  # over another
        ("handsoff-drift", "PutObject", True, False),
        ("handsoff-sweep", "GetObject", False, True),
        ("handsoff-break-glass", "GetObject", False, False),
        ("Admin", "PutObject", True, False),
        ("Admin", "PutObject", False, False),
        ("Admin", "DeleteObject", False, False),
        ("Admin", "DeleteObjectVersion", False, False),
        ("Admin", "PutObjectRetention", False, False),
        ("Admin", "PutObjectLegalHold", False, False),
        ("Admin", "BypassGovernanceRetention", False, False),
        ("Admin", "GetObject", False, True),
        ("handsoff-sweep", "DeleteObject", False, False),
    ],
)
def test_who_does_what_to_a_case_file(stack: Resolved, who: str, action: str, new: bool, may: bool) -> None:
    bucket = f"handsoff-cases-{ACCOUNT}-{REGION}"
    statements = _policy(stack, "AWS::S3::BucketPolicy", "Bucket", bucket)
    caller = _admin() if who == "Admin" else _role(stack, who)
    context = {"aws:ResourceAccount": ACCOUNT} | ({"s3:if-none-match": "*"} if new else {})
    call = Call(f"s3:{action}", f"arn:aws:s3:::{bucket}/cases/glass-1/live/1.json", context)
    assert allowed(caller, call, statements) == may


def test_the_policies_themselves_can_be_changed_and_that_is_told(stack: Resolved) -> None:
    """Denied, the stack could never be changed again. CloudTrail records these calls, and they are findings."""
    for queue in (*QUEUES, *(f"{name}-dead-letters" for name in FUNCTIONS)):
        for action in ("SetQueueAttributes", "PurgeQueue", "DeleteQueue"):
            assert _on_queue(stack, _admin(), action, queue), (action, queue)


@pytest.mark.parametrize(
    ("operator", "wanted", "value", "expected"),
    [
        # A key that isn't there.
        ("StringEquals", ["a"], None, False),
        ("ArnNotEquals", ["arn:aws:iam::1:role/a"], None, True),
        ("BoolIfExists", ["true"], None, True),
        ("Bool", ["false"], None, False),
        ("ForAllValues:StringEquals", ["a"], None, True),
        ("ForAnyValue:StringEquals", ["a"], None, False),
        ("Null", ["true"], None, True),
        ("Null", ["false"], None, False),
        # One that is.
        ("Null", ["false"], "x", True),
        ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], False),
        ("ForAnyValue:StringEquals", ["a", "b"], ["a", "c"], True),
        ("ArnLike", ["arn:aws:iam::*:role/a"], "arn:aws:iam::1:role/x/a", False),
        ("ArnLike", ["arn:aws:iam::1:role/*/a"], "arn:aws:iam::1:role/x/y/a", True),
        ("ArnEquals", ["arn:aws:*:role/a"], "arn:aws:iam::1:role/a", False),
        ("ArnNotEquals", ["arn:aws:iam::1:role/a", "arn:aws:iam::1:role/b"], "arn:aws:iam::1:role/b", False),
        ("StringNotEquals", ["a"], "b", True),
        ("StringLike", ["cases/*"], "cases/[1]", True),
        ("StringLike", ["[a]"], "a", False),
    ],
)
def test_conditions_as_iam_takes_them(operator: str, wanted: list[str], value: object, expected: bool) -> None:
    assert met(operator, wanted, value) == expected
