"""Every statement of the templates, against AWS's service authorization reference."""

import pytest

from authorization import Statement, known, may_be, mistakes, needs, statements, within
from permissions import Permission
from resolved import resolved

# Between them all conditions hold once, and none once.
VARIANTS = {
    "the least": {},
    "topics and keys of others": {
        "AlertEmail": "",
        "CentralTopicArn": "arn:aws:sns:eu-central-1:999988887777:alerts",
        "AlertKeyArn": "arn:aws:kms:eu-central-1:999988887777:key/00000000-0000-4000-8000-000000000000",
        "OpsTopicArn": "arn:aws:sns:eu-central-1:999988887777:operations",
        "ApprovalAccounts": "444455556666",
        "RedriveBy": "arn:aws:iam::111122223333:role/on-call",
        "ReserveConcurrency": "yes",
    },
    "what is there already": {"TableExists": "yes", "CasesBucketExists": "yes"},
}


def test_every_statement_names_what_there_is() -> None:
    stacks = [resolved(**given) for given in VARIANTS.values()]
    every = {str(statement): statement for stack in stacks for statement in statements(stack)}.values()
    assert not [mistake for statement in every for mistake in mistakes(statement)]

    # None is overlooked, whatever it is nested in and whichever condition it has.
    raw = stacks[0].template["Resources"]
    wanted = {(name, one.get("Sid", "")) for name in raw for one in within(raw[name].get("Properties", {}))}
    wanted |= {(name, "") for name, one in raw.items() if one["Type"] == "AWS::Lambda::Permission"}
    assert {tuple(f"{statement.where} ".split(" ")[:2]) for statement in every} == wanted != set()

    actions = {action for statement in every for action in statement.actions}
    keys = {key for statement in every for _, key in statement.conditions}
    arns = {arn for statement in every for arn in statement.resources or []}
    print(f"{len(every)} statements, {len(actions)} actions, {len(arns)} ARNs, {len(keys)} condition keys")


QUEUE = "arn:aws:sqs:eu-central-1:111122223333:handsoff-drift"
TABLE = "arn:aws:dynamodb:eu-central-1:111122223333:table/handsoff"
LOGS = "arn:aws:logs:eu-central-1:111122223333:log-group:/aws/lambda/handsoff-drift:*"


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (Statement("x", ["sqs:RecieveMessage"], [QUEUE]), "no action sqs:RecieveMessage"),
        (Statement("x", ["sqs:*", "sqz:*"], [QUEUE]), "no action sqz:*"),
        (Statement("x", ["s3:ListObjectsV2"], ["*"]), "no action s3:ListObjectsV2"),
        # A queue for a topic, the index for the table, an object for its bucket, the group for a stream.
        (Statement("x", ["sns:Publish"], [QUEUE]), "sns:Publish is on"),
        (Statement("x", ["dynamodb:TagResource"], [f"{TABLE}/index/open"]), "dynamodb:TagResource is on"),
        (Statement("x", ["s3:ListBucket"], ["arn:aws:s3:::cases/cases/*"]), "s3:ListBucket is on"),
        (Statement("x", ["logs:PutLogEvents"], [LOGS.removesuffix(":*")]), "logs:PutLogEvents is on"),
        (Statement("x", ["cloudtrail:LookupEvents"], [QUEUE]), "no resource, so on *"),
        # One too many.
        (Statement("x", ["sqs:SendMessage"], [QUEUE, TABLE]), "none of ['sqs:SendMessage'] is on " + TABLE),
        (
            Statement("x", ["sqs:SendMessage"], [QUEUE], [("StringEquals", "sqs:Sender")]),
            "sqs:Sender is no condition key",
        ),
        (
            Statement("x", ["sqs:*"], [QUEUE], [("StringEquals", "aws:SourceARNs")]),
            "aws:SourceARNs is no condition key",
        ),
        (
            Statement("x", ["dynamodb:PutItem"], [TABLE], [("StringEquals", "aws:TagKeys")]),
            "aws:TagKeys is no condition key",
        ),
        (Statement("x", ["sqs:*"], [QUEUE], [("ArnIs", "aws:SourceArn")]), "ArnIs doesn't fit"),
        (Statement("x", ["sqs:*"], [QUEUE], [("StringEquals", "aws:SecureTransport")]), "StringEquals doesn't fit"),
        # Of a list of keys one of them, or all.
        (
            Statement("x", ["dynamodb:TagResource"], [TABLE], [("StringEquals", "aws:TagKeys")]),
            "StringEquals doesn't fit",
        ),
    ],
)
def test_what_is_misspelt_or_misplaced_is_found(statement: Statement, said: str) -> None:
    assert said in "\n".join(mistakes(statement))


def test_what_is_right_is_not_found_wrong() -> None:
    right = [
        Statement("x", ["SQS:receivemessage", "sqs:Get*"], [QUEUE], [("ArnLikeIfExists", "AWS:sourcearn")]),
        Statement("x", ["dynamodb:Query"], [TABLE, f"{TABLE}/index/*"]),
        Statement("x", ["logs:PutLogEvents", "logs:CreateLogStream"], [LOGS]),
        Statement("x", ["s3:PutObject"], ["arn:aws:s3:::cases/cases/*"], [("Null", "s3:if-none-match")]),
        Statement("x", ["dynamodb:TagResource"], ["*"], [("ForAllValues:StringEquals", "aws:TagKeys")]),
        Statement("x", ["dynamodb:TagResource"], ["*"], [("StringLike", "aws:RequestTag/handsoff-canary")]),
    ]
    assert [mistake for statement in right for mistake in mistakes(statement)] == []
    assert len(known("sqs:*")) > 15


def test_forms_of_arns() -> None:
    bucket, key = "arn:${Partition}:s3:::${BucketName}", "arn:${Partition}:s3:::${BucketName}/${ObjectName}"
    assert may_be(bucket, "arn:aws:s3:::cases") and not may_be(key, "arn:aws:s3:::cases")
    assert may_be(key, "arn:aws:s3:::cases/a/b.json") and not may_be(bucket, "arn:aws:s3:::cases/a/b.json")
    # A wildcard spans slashes and colons, as IAM's does.
    assert may_be(bucket, "arn:aws:s3:::cases*") and may_be(key, "arn:aws:s3:::cases*")
    assert may_be("arn:${Partition}:sqs:${Region}:${Account}:${QueueName}", "arn:aws:sqs:*:handsoff-?")
    assert not may_be(
        "arn:${Partition}:sqs:${Region}:${Account}:${QueueName}", "arn:aws:sqs:eu-central-1:111122223333:"
    )


def test_what_calls_need_is_looked_up_too() -> None:
    assert needs([Permission("dynamodb:GetItem", TABLE)]) == []
    assert needs([Permission("s3:GetObjects", "arn:aws:s3:::cases/x")])
    assert needs([Permission("sns:Publish", "*", (("sns:subject", "x"),))])
