"""What IAM decides: a call, held against the policies of who makes it and of what it is made on.

An explicit denial wins. Within an account an allowance on either side is enough; another account's caller needs it on
both; a service has no policies of its own. A condition on a key that the call doesn't have is not met, unless it is a
negated one, `IfExists` or `ForAllValues`. What isn't understood raises.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from aws import ACCOUNT

Context = dict[str, str | list[str]]


@dataclass(frozen=True)
class Caller:
    """Who calls: a role or user by ARN, or a service."""

    arn: str = ""
    service: str = ""
    # The statements of a role's or user's own policies.
    policies: tuple[dict, ...] = ()

    @property
    def account(self) -> str:
        return self.arn.split(":")[4] if self.arn else ""


ADMIN = ({"Effect": "Allow", "Action": "*", "Resource": "*"},)


@dataclass(frozen=True)
class Call:
    """What is called, over TLS unless the context says otherwise."""

    action: str
    resource: str
    context: Context = field(default_factory=dict)


def _list(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]


def _like(pattern: str, value: str) -> bool:
    """IAM's wildcards, which know no brackets."""
    parts = (".*" if one == "*" else "." if one == "?" else re.escape(one) for one in pattern)
    return re.fullmatch("".join(parts), value, re.DOTALL) is not None


def _arn_like(pattern: str, value: str) -> bool:
    """By each of the six parts on its own: a wildcard doesn't reach over a colon before the resource."""
    patterns, values = pattern.split(":", 5), value.split(":", 5)
    return len(patterns) == len(values) == 6 and all(map(_like, patterns, values))


# An operator's test of one value; the negated ones are made of them.
TESTS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda wanted, value: wanted == value,
    "StringLike": _like,
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "Bool": lambda wanted, value: wanted.lower() == value.lower(),
}
NEGATED = {"StringNotEquals": "StringEquals", "StringNotLike": "StringLike"} | {
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}


def met(operator: str, wanted: list[str], value: str | list[str] | None) -> bool:
    """Whether a condition is met by the value that the call has of the key, or hasn't."""
    if operator == "Null":
        return (value is None) == (wanted == ["true"])
    of_set, _, plain = operator.rpartition(":")
    plain, if_exists, _ = plain.partition("IfExists")
    if value is None:
        return bool(if_exists) or plain in NEGATED or of_set == "ForAllValues"
    if of_set not in ("", "ForAllValues", "ForAnyValue"):
        raise NotImplementedError(operator)
    test = TESTS.get(NEGATED.get(plain, plain))
    if test is None:
        raise NotImplementedError(operator)

    def one(single: str) -> bool:
        found = any(test(one, single) for one in wanted)
        return not found if plain in NEGATED else found

    return (any if of_set == "ForAnyValue" else all)(one(single) for single in _list(value))


def _is_of(statement: dict, caller: Caller) -> bool:
    """Whether a resource's statement is about the caller."""
    principal = statement["Principal"]
    if principal == "*":
        return True
    (kind, who), *more = principal.items()
    if more or kind not in ("AWS", "Service"):
        raise NotImplementedError(principal)
    if kind == "Service":
        return caller.service in _list(who)
    root = f"arn:aws:iam::{caller.account}:root"
    return any(one in ("*", caller.arn, caller.account, root) for one in _list(who)) and bool(caller.arn)


def _applies(statement: dict, call: Call, context: Context) -> bool:
    if not any(_like(one.lower(), call.action.lower()) for one in _list(statement["Action"])):
        return False
    if not any(_like(one, call.resource) for one in _list(statement["Resource"])):
        return False
    return all(
        met(operator, [str(one) for one in _list(wanted)], context.get(key))
        for operator, keys in statement.get("Condition", {}).items()
        for key, wanted in keys.items()
    )


def allowed(caller: Caller, call: Call, resource_policy: Iterable[dict]) -> bool:
    """IAM's decision."""
    context: Context = {"aws:SecureTransport": "true"}
    if caller.arn:
        context |= {"aws:PrincipalArn": caller.arn, "aws:PrincipalAccount": caller.account}
    context |= call.context
    own = [one for one in caller.policies if _applies(one, call, context)]
    theirs = [one for one in resource_policy if _is_of(one, caller) and _applies(one, call, context)]
    if any(one["Effect"] == "Deny" for one in own + theirs):
        return False
    if caller.service:
        return bool(theirs)
    return bool(own or theirs) if caller.account == ACCOUNT else bool(own and theirs)
