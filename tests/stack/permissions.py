"""Whether a function's role allows what its process does. moto asks nobody; here it is held against the stack."""

from fnmatch import fnmatchcase
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, unquote_plus, urlsplit

import models
from aws import ACCOUNT, REGION

# The action that a call needs, where that is called otherwise.
ACTIONS = {"s3:ListObjectsV2": "s3:ListBucket", "s3:HeadObject": "s3:GetObject"}


class Permission(NamedTuple):
    action: str
    resource: str
    # Keys of conditions that the call says something of; an empty value where it leaves them out.
    context: tuple[tuple[str, str], ...] = ()


def needed(call) -> Permission:
    """What a call needs: the action, the ARN that it is on, or `*`, and what conditions ask."""
    if call.service == "s3":
        return _s3(call)
    if call.name == "cloudwatch:PutMetricData":
        return Permission(call.name, "*", (("cloudwatch:namespace", models.members(call)["Namespace"]),))
    if call.name == "dynamodb:TagResource":
        keys = tuple(("aws:TagKeys", tag["Key"]) for tag in call.json()["Tags"])
        return Permission(call.name, _resource(call), keys)
    return Permission(call.name, _resource(call))


def _s3(call) -> Permission:
    asked = urlsplit(call.path)
    bucket, _, key = unquote(asked.path).lstrip("/").partition("/")
    arn = f"arn:aws:s3:::{bucket}"
    action = ACTIONS.get(call.name, call.name)
    if action == "s3:ListBucket":
        prefix = parse_qs(asked.query, keep_blank_values=True).get("prefix", [""])[0]
        return Permission(action, arn, (("s3:prefix", prefix),))
    if action == "s3:PutObject":
        return Permission(action, f"{arn}/{key}", (("s3:if-none-match", call.headers.get("if-none-match", "")),))
    return Permission(action, f"{arn}/{key}")


def _resource(call) -> str:
    if call.service == "sns":
        return call.form().get("TopicArn", "*")
    if call.service == "dynamodb":
        asked = call.json()
        if "ResourceArn" in asked:
            return asked["ResourceArn"]
        table = asked["TableName"].rsplit("/", 1)[-1]
        index = f"/index/{asked['IndexName']}" if "IndexName" in asked else ""
        return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}{index}"
    if call.service == "sqs":
        queue = unquote_plus(call.json()["QueueUrl"]).rsplit("/", 1)[-1]
        return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"
    return "*"


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _is_about(statement: dict, need: Permission) -> bool:
    return any(fnmatchcase(need.action.lower(), pattern.lower()) for pattern in _list(statement["Action"])) and any(
        fnmatchcase(need.resource, pattern) for pattern in _list(statement["Resource"])
    )


def _conditions(statement: dict) -> list[tuple[str, str, list[str]]]:
    tests = statement.get("Condition", {}).items()
    return [(operator, key, _list(values)) for operator, keys in tests for key, values in keys.items()]


def allows(statements: list[dict], need: Permission) -> bool:
    """Whether the role allows it; conditions on what isn't known are taken as met. Roles have no denials."""
    assert all(statement["Effect"] == "Allow" for statement in statements)
    return any(
        _is_about(statement, need)
        and all(
            any(fnmatchcase(told, value) for value in values)
            for _, key, values in _conditions(statement)
            for known, told in need.context
            if known == key
        )
        for statement in statements
    )


def denies(statements: list[dict], role: str, need: Permission) -> bool:
    """Whether a bucket's policy denies it to the role, which calls over TLS."""
    assert all(statement["Effect"] == "Deny" for statement in statements)
    context = dict(need.context)

    def met(operator: str, key: str, values: list[str]) -> bool:
        match operator, key:
            case "Bool", "aws:SecureTransport":
                return values == ["true"]
            case "ArnNotEquals", "aws:PrincipalArn":
                return role not in values
            case "Null", _:
                return (not context.get(key)) == (values == ["true"])
        raise NotImplementedError(f"{operator} {key}")

    return any(
        _is_about(statement, need) and all(met(*test) for test in _conditions(statement)) for statement in statements
    )


def refused(stack, seen: set[tuple[str, Permission]]) -> list[str]:
    """Of the calls that were seen, what the functions' roles, or the bucket's policy, would have refused."""
    roles = {
        function: (stack.role_arn(function), stack.role_statements(function))
        for function in {function for function, _ in seen}
    }
    bucket = stack.bucket_statements()

    def may(function: str, need: Permission) -> bool:
        arn, statements = roles[function]
        denied = need.action.startswith("s3:") and denies(bucket, arn, need)
        return allows(statements, need) and not denied

    return sorted(f"{function}: {need}" for function, need in seen if not may(function, need))
