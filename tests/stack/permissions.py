"""Whether a function's role allows what its process does. moto asks nobody; here it is held against the stack."""

from fnmatch import fnmatchcase
from urllib.parse import unquote_plus

from aws import ACCOUNT, REGION


def resource_of(call) -> str:
    """The ARN that a call is on, or `*`."""
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


def allows(statements: list[dict], action: str, resource: str) -> bool:
    """Whether the role allows it; conditions are taken as met, and denials are not looked for: there are none."""
    assert all(statement["Effect"] == "Allow" for statement in statements)
    return any(
        any(fnmatchcase(action.lower(), pattern.lower()) for pattern in _list(statement["Action"]))
        and any(fnmatchcase(resource, pattern) for pattern in _list(statement["Resource"]))
        for statement in statements
    )


def refused(stack, seen: set[tuple[str, str, str]]) -> list[str]:
    """Of the calls that were seen, what the functions' roles would have refused."""
    roles = {function: stack.role_statements(function) for function, _, _ in seen}
    return sorted(
        f"{function}: {action} on {resource}"
        for function, action, resource in seen
        if not allows(roles[function], action, resource)
    )
