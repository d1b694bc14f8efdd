"""HTTP on the loopback interface: the endpoint that a process knows as AWS, and what serves it.

Every execution environment has a `Tap` of its own, so that it is known who calls. It passes on to moto what the
`Faults` let it.
"""

import http.client
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import cbor
from answers import s3_error

# The service as the signature names it, where that differs from what we call it.
SIGNED_AS = {"monitoring": "cloudwatch"}


@dataclass
class Asked:
    """What a process asks for."""

    service: str
    operation: str
    body: bytes = field(repr=False, default=b"")
    path: str = ""
    protocol: str = "json"
    # By their names in lower case.
    headers: dict[str, str] = field(repr=False, default_factory=dict)


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Tap:
    """The endpoint that one process knows as AWS."""

    def __init__(self, faults, upstream: str, environment) -> None:
        self._upstream = urlsplit(upstream)
        handler = type("Handler", (_Handler,), {"tap": self, "faults": faults, "environment": environment})
        self._server = serve(handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def forward(self, method: str, path: str, headers: list[tuple[str, str]], body: bytes) -> Answer:
        connection = http.client.HTTPConnection(self._upstream.hostname, self._upstream.port, timeout=60)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                if name.lower() not in ("connection", "transfer-encoding", "content-length", "expect"):
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            kept = [pair for pair in answer.getheaders() if pair[0].lower() not in _HOP]
            return Answer(answer.status, kept, answer.read())
        finally:
            connection.close()


_HOP = ("connection", "transfer-encoding", "content-length", "keep-alive")


class Quiet(BaseHTTPRequestHandler):
    """HTTP/1.1 with kept connections, without a line of log for each request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, *_: object) -> None:
        pass

    def handle_expect_100(self) -> bool:
        # Else it would wait in our buffer for the answer.
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def payload(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            chunks = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return b"".join(chunks)
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def answer(self, answer: Answer | None) -> None:
        if answer is None:
            self.close_connection = True
            return
        try:
            self.send_response(answer.status)
            for name, value in answer.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)
            self.wfile.flush()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:
            pass  # The process was killed while it called.


def s3_operation(method: str, path: str) -> str:
    """The operations that the functions may have use for; any other by its method and path."""
    asked = urlsplit(path)
    query = parse_qs(asked.query, keep_blank_values=True)
    _, _, key = asked.path.lstrip("/").partition("/")
    if key and query.keys() <= {"x-id", "versionId"}:
        return {"PUT": "PutObject", "GET": "GetObject", "HEAD": "HeadObject"}.get(method, f"{method} {path}")
    if not key and method == "GET" and query.get("list-type") == ["2"]:
        return "ListObjectsV2"
    return f"{method} {path}"


class _Handler(Quiet):
    def _any(self) -> None:
        body = self.payload()
        scope = re.search(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/", self.headers.get("Authorization", ""))
        region, service = scope.groups() if scope else ("", "unsigned")
        target = self.headers.get("X-Amz-Target", "")
        path = re.search(r"/operation/(\w+)", self.path)
        action = re.search(rb"(?:^|&)Action=(\w+)", body)
        if service == "s3":
            # The name of a bucket stands in the path, since the endpoint has an address and no name.
            protocol, operation = "s3", s3_operation(self.command, self.path)
        elif target:
            protocol, operation = "json", target.rsplit(".", 1)[-1]
        elif path:
            protocol, operation = "cbor", path[1]
        else:
            protocol, operation = "query", action[1].decode() if action else self.path

        def forward() -> Answer:
            if service == "cloudtrail":
                return self.faults.trail.answer(operation, region, body)
            if protocol == "s3":
                answer = self.tap.forward(self.command, self.path, self.headers.items(), body)
                if answer.status == 404 and operation in ("GetObject", "HeadObject"):
                    # S3 tells that a key isn't there to those only who may list the whole bucket.
                    return Answer(*s3_error(403, "AccessDenied", "Access Denied"))
                return answer
            if protocol != "cbor":
                return self.tap.forward(self.command, self.path, self.headers.items(), body)
            answer = self.tap.forward("POST", "/", *cbor.to_json(self.path, self.headers.items(), body))
            return Answer(answer.status, *cbor.from_json(answer.body))

        service = SIGNED_AS.get(service, service)
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(service, operation, body, self.path, protocol, headers)
        self.answer(self.faults.pass_on(self.environment, asked, forward))

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _any


def serve(handler: type[BaseHTTPRequestHandler]) -> ThreadingHTTPServer:
    """A server on a free port of the loopback interface, in threads that end with the program."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return server
