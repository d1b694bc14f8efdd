"""AWS's RPC in CBOR, which the Rust SDK's CloudWatch client speaks only, for a moto that knows its JSON only."""

import gzip
import json
from datetime import datetime

import cbor2

_KEPT = ("authorization", "host", "user-agent", "x-amz-date", "x-amz-security-token", "amz-sdk-invocation-id")

Headers = list[tuple[str, str]]


def to_json(path: str, headers: Headers, body: bytes) -> tuple[Headers, bytes]:
    """`POST /service/NAME/operation/OPERATION` in CBOR as `POST /` in JSON."""
    _, _, service, _, operation = path.split("/")
    names = {name.lower(): value for name, value in headers}
    if names.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    asked = cbor2.loads(body) if body else {}
    kept = [(name, value) for name, value in headers if name.lower() in _KEPT]
    kept += [("Content-Type", "application/x-amz-json-1.0"), ("X-Amz-Target", f"{service}.{operation}")]
    return kept, json.dumps(asked, default=_plain).encode()


def _plain(value: object) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"{type(value)} in CBOR")


def from_json(body: bytes) -> tuple[Headers, bytes]:
    """moto's answer, an error or not, in CBOR."""
    answer = json.loads(body) if body.strip() else {}
    headers = [("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")]
    return headers, cbor2.dumps(answer)


def error(kind: str, message: str) -> tuple[Headers, bytes]:
    return from_json(json.dumps({"__type": kind, "message": message}).encode())
