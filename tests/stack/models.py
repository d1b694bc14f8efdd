"""Every call held against AWS's own model of the operation, as botocore has it: moto takes what AWS refuses.

The SDK for Rust checks hardly more than that a required member isn't empty: what it sends is read back here as the
service would read it, in its protocol, and held against types, required and unknown members, sizes, patterns and
enumerations. What AWS documents and its models don't say is in `quotas.py`.
"""

import base64
import binascii
import gzip
import json
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from urllib.parse import parse_qsl, unquote, urlsplit

import botocore.session
import cbor2
import regex
from botocore.exceptions import DataNotFoundError, UnknownServiceError
from botocore.model import OperationModel, OperationNotFoundError, Shape

import quotas

TYPES = {
    "structure": dict,
    "map": dict,
    "list": list,
    "string": str,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
    "boolean": bool,
    "blob": bytes,
    "timestamp": (int, float, datetime),
}
# Headers of S3 that belong to every call, and to no operation.
OF_EVERY_CALL = {
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-decoded-content-length",
    "x-amz-security-token",
    "x-amz-trailer",
    "x-amz-user-agent",
}


class Unreadable(Exception):
    """The service couldn't read what was sent."""


@cache
def _operation(service: str, name: str) -> OperationModel | None:
    try:
        return _service(service).operation_model(name)
    except (OperationNotFoundError, UnknownServiceError, DataNotFoundError):
        return None


@cache
def _service(name: str):
    return botocore.session.get_session().get_service_model(name)


def mistakes(call) -> list[str]:
    """What AWS would refuse of the call."""
    operation = _operation(call.service, call.operation)
    if operation is None:
        return [f"{call.name}: there is no such operation"]
    try:
        asked = members(call)
    except (Unreadable, ValueError, UnicodeDecodeError) as error:
        return [f"{call.name}: can't be read: {error}"]
    found = [f"{call.name}: {mistake}" for mistake in _shape(asked, operation.input_shape, "")]
    # A quota is about members of the right type.
    return found or [f"{call.name}: {mistake}" for mistake in quotas.mistakes(call, asked)]


def members(call) -> dict:
    """The members that a call gives, by the names and in the types of the model, as far as these can be made out."""
    return READERS[call.protocol](call, _operation(call.service, call.operation))


# ---- Protocols ----


def _json(call, operation: OperationModel) -> dict:
    # With its namespace, where the model has one, or without.
    prefix, target = _service(call.service).metadata["targetPrefix"], call.headers.get("x-amz-target")
    if target not in {f"{one}.{operation.name}" for one in (prefix, prefix.rsplit(".", 1)[-1])}:
        raise Unreadable(f"the target is {target}, not {prefix}.{operation.name}")
    return _decoded(json.loads(call.body), operation.input_shape)


def _decoded(value: object, shape: Shape) -> object:
    """JSON with its blobs decoded, which are base64 there."""
    match shape.type_name:
        case "structure" if isinstance(value, dict):
            members = shape.members
            return {name: _decoded(one, members[name]) if name in members else one for name, one in value.items()}
        case "map" if isinstance(value, dict):
            return {name: _decoded(one, shape.value) for name, one in value.items()}
        case "list" if isinstance(value, list):
            return [_decoded(one, shape.member) for one in value]
        case "blob" if isinstance(value, str):
            return _blob(value)
    return value


def _cbor(call, operation: OperationModel) -> dict:
    path = f"/service/{_service(call.service).metadata['targetPrefix']}/operation/{operation.name}"
    if call.path != path:
        raise Unreadable(f"the path is {call.path}, not {path}")
    body = gzip.decompress(call.body) if call.headers.get("content-encoding") == "gzip" else call.body
    return cbor2.loads(body) if body else {}


def _query(call, operation: OperationModel) -> dict:
    tree: dict = {}
    for name, value in parse_qsl(call.body.decode(), keep_blank_values=True, strict_parsing=True):
        if name == "Action":
            continue
        if name == "Version":
            if value != (known := _service(call.service).metadata["apiVersion"]):
                raise Unreadable(f"version {value}, not {known}")
            continue
        node, (*way, last) = tree, name.split(".")
        for step in way:
            node = node.setdefault(step, {})
            if not isinstance(node, dict):
                raise Unreadable(f"`{name}` is in what has a value of its own")
        if last in node:
            raise Unreadable(f"`{name}` twice")
        node[last] = value
    return _of_tree(tree, operation.input_shape)


def _of_tree(node: dict | str, shape: Shape) -> object:
    if isinstance(node, str):
        return _of_text(node, shape)
    match shape.type_name:
        case "structure":
            members = {one.serialization.get("name", name): (name, one) for name, one in shape.members.items()}
            found = {}
            for wire, value in node.items():
                name, member = members.get(wire, (wire, None))
                found[name] = _of_tree(value, member) if member else value
            return found
        case "list":
            items = node if shape.serialization.get("flattened") else node.pop("member", {})
            return [_of_tree(one, shape.member) for one in _numbered(node, items, shape)]
        case "map":
            entries = node if shape.serialization.get("flattened") else node.pop("entry", {})
            key = shape.key.serialization.get("name", "key")
            value = shape.value.serialization.get("name", "value")
            pairs = _numbered(node, entries, shape)
            if any(one.keys() != {key, value} for one in pairs):
                raise Unreadable(f"an entry of a {shape.name} without `{key}` and `{value}`")
            return {one[key]: _of_tree(one[value], shape.value) for one in pairs}
    raise Unreadable(f"members in a {shape.type_name}: {node}")


def _numbered(node: dict, items: dict, shape: Shape) -> list:
    """What is numbered from 1 on, without a gap; nothing may be beside it."""
    if (node and items is not node) or not isinstance(items, dict):
        raise Unreadable(f"beside the items of a {shape.name}: {sorted(node)}")
    wanted = [str(number + 1) for number in range(len(items))]
    if sorted(items, key=len) != sorted(wanted, key=len) or set(items) != set(wanted):
        raise Unreadable(f"the items of a {shape.name} are numbered {sorted(items)}")
    return [items[number] for number in wanted]


def _rest(call, operation: OperationModel) -> dict:
    """S3, with the name of the bucket in the path."""
    shape, asked = operation.input_shape, urlsplit(call.path)
    bucket, _, key = asked.path.lstrip("/").partition("/")
    query = dict(parse_qsl(asked.query, keep_blank_values=True))
    fixed = dict(parse_qsl(urlsplit(operation.http["requestUri"]).query, keep_blank_values=True))
    given = {"uri": {"Bucket": unquote(bucket), "Key": unquote(key)}, "querystring": query, "header": call.headers}
    found: dict = {}
    known = {"querystring": set(fixed) | {"x-id"}, "header": set(OF_EVERY_CALL), "uri": set()}
    for name, member in shape.members.items():
        where, wire = member.serialization.get("location"), member.serialization.get("name", name)
        if where == "headers":
            told = {header for header in call.headers if header.startswith(wire)}
            known["header"] |= told
            if told:
                found[name] = {header.removeprefix(wire): call.headers[header] for header in told}
        if where in given:
            wire = wire.lower() if where == "header" else wire
            known[where].add(wire)
            # An empty part of a path is one that isn't there.
            if given[where].get(wire) or (where != "uri" and wire in given[where]):
                found[name] = _of_text(given[where][wire], member)
    strangers = sorted(query.keys() - known["querystring"])
    strangers += sorted(name for name in call.headers if name.startswith("x-amz-") and name not in known["header"])
    if strangers:
        raise Unreadable(f"unknown: {', '.join(strangers)}")
    payload = shape.serialization.get("payload")
    if payload:
        found[payload] = call.body
    elif call.body:
        raise Unreadable(f"{len(call.body)} bytes of body, where none is expected")
    return found


def _of_text(text: str, shape: Shape) -> object:
    """A value that its protocol writes as text; as it is, where it can't be one of its type."""
    try:
        match shape.type_name:
            case "integer" | "long":
                return int(text)
            case "float" | "double":
                return float(text)
            case "boolean":
                return {"true": True, "false": False}.get(text, text)
            case "timestamp":
                return datetime.fromisoformat(text)
            case "blob":
                return _blob(text)
    except ValueError:
        pass
    return text


def _blob(text: str) -> bytes | str:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return text


READERS = {"json": _json, "cbor": _cbor, "query": _query, "s3": _rest}


# ---- Constraints ----


def _shape(value: object, shape: Shape, where: str) -> Iterator[str]:
    kind, name = shape.type_name, where or "the call"
    if not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        yield f"{name} is no {kind}: {value!r:.80}"
        return
    yield from _size(value, shape, name)
    match kind:
        case "structure":
            yield from _structure(value, shape, where)
        case "list":
            for number, one in enumerate(value):
                yield from _shape(one, shape.member, f"{where}[{number}]")
        case "map":
            for key, one in value.items():
                yield from _shape(key, shape.key, f"the key {key!r:.80} of {name}")
                yield from _shape(one, shape.value, f"{where}[{key!r:.80}]")
        case "string":
            if shape.enum and value not in shape.enum:
                yield f"{name} is none of {', '.join(shape.enum)}: {value!r:.80}"
            pattern = shape.metadata.get("pattern")
            if pattern and not regex.fullmatch(pattern, value):
                yield f"{name} doesn't match {pattern}: {value!r:.80}"


def _size(value: object, shape: Shape, name: str) -> Iterator[str]:
    """Of numbers the value, of all else the length."""
    if not {"min", "max"} & shape.metadata.keys():
        return
    size = value if isinstance(value, int | float) else len(value)
    if size < shape.metadata.get("min", size):
        yield f"{name} is {size}, less than {shape.metadata['min']}"
    if size > shape.metadata.get("max", size):
        yield f"{name} is {size}, more than {shape.metadata['max']}"


def _structure(value: dict, shape: Shape, where: str) -> Iterator[str]:
    within = f"{where}." if where else ""
    for name in shape.required_members:
        if name not in value:
            yield f"{within}{name} is missing"
    if shape.is_tagged_union and len(value) != 1:
        yield f"{where} takes one of its members, and has {sorted(value)}"
    for name, one in value.items():
        if name not in shape.members:
            yield f"{within}{name} is unknown"
        else:
            yield from _shape(one, shape.members[name], f"{within}{name}")
