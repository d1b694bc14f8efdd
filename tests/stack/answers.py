"""AWS's own words for trouble, in the three protocols that the SDK speaks."""

import json

import cbor

# Per kind of trouble: HTTP status, the code of JSON services, the code of query and CBOR services.
KINDS = {
    "throttle": (400, "ThrottlingException", "Throttling"),
    "unavailable": (503, "ServiceUnavailable", "ServiceUnavailable"),
    "refuse": (403, "AccessDeniedException", "AuthorizationError"),
}


def refusal(service: str, kind: str, protocol: str) -> tuple[int, list[tuple[str, str]], bytes]:
    """Status, headers and body of an error."""
    status, json_code, code = KINDS[kind]
    if service == "dynamodb" and kind == "throttle":
        json_code = "ProvisionedThroughputExceededException"
    message = f"made by the test: {kind}"
    if protocol == "json":
        body = json.dumps({"__type": f"com.amazonaws.{service}#{json_code}", "message": message}).encode()
        return status, [("Content-Type", "application/x-amz-json-1.0"), ("x-amzn-errortype", json_code)], body
    if protocol == "cbor":
        return status, *cbor.error(f"com.amazonaws.{service}#{code}", message)
    fault = "Receiver" if status >= 500 else "Sender"
    body = (
        f"<ErrorResponse><Error><Type>{fault}</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        "<RequestId>00000000-0000-4000-8000-000000000000</RequestId></ErrorResponse>"
    ).encode()
    return status, [("Content-Type", "text/xml")], body
