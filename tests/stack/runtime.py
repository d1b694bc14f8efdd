"""Lambda as the binaries see it: the Runtime API (2018-06-01), one server for each execution environment.

As in Lambda an environment is one process that takes one event at a time, is frozen while it has none (SIGSTOP),
and is made anew at the next invocation after its process has died.
"""

import os
import re
import signal
import subprocess
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

from aws import KEYS, REGION, dies_with_us
from faults import Faults
from proxy import Answer, Asked, Quiet, Tap, serve

# Processes are started by this one thread, which lives as long as the program: see `dies_with_us`.
_starter = ThreadPoolExecutor(1, "starts-processes")

INIT_SECONDS = 10


@dataclass
class Outcome:
    kind: str  # response, error, init-error, died or timeout
    body: bytes = b""
    seconds: float = 0.0


@dataclass
class Spec:
    """A function as the stack has it."""

    name: str
    arn: str
    memory: int
    timeout: int
    environment: dict[str, str]
    binary: Path


class Environment:
    """One execution environment: a process, its Runtime API and its way to AWS."""

    def __init__(self, spec: Spec, number: int, faults: Faults, aws_url: str, folder: Path) -> None:
        self.spec, self.faults = spec, faults
        self.name = f"{spec.name}#{number}"
        self.log = folder / f"{self.name}.log"
        self._changed = threading.Condition()
        self._idle, self._task, self._outcome = False, None, None
        self.tap = Tap(faults, aws_url, self)
        self._api = serve(type("RuntimeApi", (_RuntimeApi,), {"environment": self}))
        env = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "_HANDLER": "bootstrap",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": KEYS["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": KEYS["aws_secret_access_key"],
            "AWS_SESSION_TOKEN": "not-a-token",
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._api.server_port}",
            "AWS_LAMBDA_FUNCTION_NAME": spec.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{spec.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": self.name,
            "AWS_ENDPOINT_URL": self.tap.url,
            **spec.environment,
        }
        with self._changed:  # The process may call before we know it.
            self.process = _starter.submit(self._start, env).result()
        threading.Thread(target=self._wait, daemon=True).start()

    def _start(self, env: dict[str, str]) -> subprocess.Popen:
        with self.log.open("ab") as out:
            command = dies_with_us([str(self.spec.binary)])
            nothing = subprocess.DEVNULL
            # Ctrl-C is ours to handle: whoever is started ends in the finalizers.
            return subprocess.Popen(command, env=env, stdin=nothing, stdout=out, stderr=out, start_new_session=True)

    def _wait(self) -> None:
        self.process.wait()
        with self._changed:
            self._outcome = self._outcome or Outcome("died")
            self._changed.notify_all()

    @property
    def alive(self) -> bool:
        with self._changed:
            return self.process.poll() is None

    def kill(self) -> None:
        if self.alive:
            self.process.kill()
        self.process.wait()

    def close(self) -> None:
        self.kill()
        with self._changed:
            self._changed.notify_all()
        self.tap.close()
        self._api.shutdown()
        self._api.server_close()

    def invoke(self, payload: bytes) -> Outcome:
        """Hands the event to the process and waits for what becomes of it."""
        with self._changed:
            self._changed.wait_for(lambda: self._idle or self._outcome, INIT_SECONDS)
            if self._outcome or not self._idle:
                return self._end(self._outcome or Outcome("timeout"))
            began = time.time()
            self._idle = False
            self._task = (str(uuid.uuid4()), payload, began + self.spec.timeout)
            os.kill(self.process.pid, signal.SIGCONT)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._outcome, self.spec.timeout)
            outcome, self._outcome = self._outcome or Outcome("timeout"), None
            outcome.seconds = time.time() - began
        return self._end(outcome)

    def _end(self, outcome: Outcome) -> Outcome:
        if outcome.kind in ("died", "timeout", "init-error"):
            self.kill()
        return outcome

    def next_task(self):
        """Freezes the process until there is an event for it; nothing when it has been killed."""
        with self._changed:
            if not self.alive:
                return None
            os.kill(self.process.pid, signal.SIGSTOP)
            self._idle = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._task or not self.alive)
            task, self._task = self._task, None
            return task

    def finish(self, outcome: Outcome) -> None:
        with self._changed:
            self._outcome = self._outcome or outcome
            self._changed.notify_all()

    def panics(self) -> list[str]:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return re.findall(r"^.*panicked at.*$", text, re.MULTILINE)


class _RuntimeApi(Quiet):
    def do_GET(self) -> None:
        assert self.path == "/2018-06-01/runtime/invocation/next", self.path
        task = self.environment.next_task()
        if task is None:
            self.answer(None)
            return
        request_id, payload, deadline = task
        headers = [
            ("Lambda-Runtime-Aws-Request-Id", request_id),
            ("Lambda-Runtime-Deadline-Ms", str(int(deadline * 1000))),
            ("Lambda-Runtime-Invoked-Function-Arn", self.environment.spec.arn),
            ("Lambda-Runtime-Trace-Id", "Root=1-00000000-000000000000000000000000;Sampled=0"),
            ("Content-Type", "application/json"),
        ]
        self.answer(Answer(200, headers, payload))

    def do_POST(self) -> None:
        body, last = self.payload(), self.path.rsplit("/", 1)[-1]
        kind = "init-error" if self.path.endswith("/init/error") else last
        accepted = Answer(202, [("Content-Type", "application/json")], b'{"status":"OK"}')

        def accept() -> Answer:
            self.environment.finish(Outcome(kind, body))
            return accepted

        # The result is a step between process and AWS as any other: it may die before it or after it.
        self.answer(self.environment.faults.pass_on(self.environment, Asked("runtime", last, body), accept))


class Function:
    """A function with at most `concurrency` environments, each started when it is first needed."""

    def __init__(self, spec: Spec, faults: Faults, aws_url: str, folder: Path, concurrency: int = 1) -> None:
        self.spec, self._faults, self._url, self._folder = spec, faults, aws_url, folder
        self.environments: list[Environment] = []
        self._slots: Queue[Environment | None] = Queue()
        self.concurrency = concurrency
        for _ in range(concurrency):
            self._slots.put(None)

    def invoke(self, payload: bytes) -> Outcome:
        environment = self._slots.get()
        try:
            if environment is None or not environment.alive:
                number = len(self.environments) + 1
                environment = Environment(self.spec, number, self._faults, self._url, self._folder)
                self.environments.append(environment)
            return environment.invoke(payload)
        finally:
            self._slots.put(environment)

    def close(self) -> None:
        for environment in self.environments:
            environment.close()

    def panics(self) -> list[str]:
        return [line for environment in self.environments for line in environment.panics()]

    def logs(self) -> str:
        return "".join(environment.log.read_text(errors="replace") for environment in self.environments)
