"""AWS's own words for trouble, in the four protocols that the SDK speaks."""

import json

import cbor

# Per kind of trouble: HTTP status, the code of JSON services, the code of query and CBOR services.
KINDS = {
    "throttle": (400, "ThrottlingException", "Throttling"),
    "unavailable": (503, "ServiceUnavailable", "ServiceUnavailable"),
    "refuse": (403, "AccessDeniedException", "AuthorizationError"),
}
# S3 has its own.
S3_KINDS = {
    "throttle": (503, "SlowDown"),
    "unavailable": (503, "ServiceUnavailable"),
    "refuse": (403, "AccessDenied"),
    # Somebody else writes the same name at this moment.
    "conflict": (409, "ConditionalRequestConflict"),
}

Refusal = tuple[int, list[tuple[str, str]], bytes]


def json_error(service: str, code: str, message: str, status: int = 400) -> Refusal:
    body = json.dumps({"__type": f"com.amazonaws.{service}#{code}", "message": message}).encode()
    return status, [("Content-Type", "application/x-amz-json-1.0"), ("x-amzn-errortype", code)], body


def s3_error(status: int, code: str, message: str) -> Refusal:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
    return status, [("Content-Type", "application/xml")], body


def refusal(service: str, kind: str, protocol: str) -> Refusal:
    """Status, headers and body of an error."""
    if protocol == "s3":
        return s3_error(*S3_KINDS[kind], f"made by the test: {kind}")
    status, json_code, code = KINDS[kind]
    if service == "dynamodb" and kind == "throttle":
        json_code = "ProvisionedThroughputExceededException"
    message = f"made by the test: {kind}"
    if protocol == "json":
        return json_error(service, json_code, message, status)
    if protocol == "cbor":
        return status, *cbor.error(f"com.amazonaws.{service}#{code}", message)
    fault = "Receiver" if status >= 500 else "Sender"
    body = (
        f"<ErrorResponse><Error><Type>{fault}</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        "<RequestId>00000000-0000-4000-8000-000000000000</RequestId></ErrorResponse>"
    ).encode()
    return status, [("Content-Type", "text/xml")], body
