"""What lies between a process and AWS: counts the calls, and makes trouble where a test asks for it.

All processes' ways to AWS (`proxy.Tap`) share one `Faults`, which numbers the calls and holds the test's plans: to
kill the process before or after its n-th call, to answer with an error, to be slow.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from urllib.parse import parse_qs

import models
from answers import refusal
from permissions import Permission, needed
from proxy import Answer, Asked
from trail import Trail


@dataclass
class Call(Asked):
    """One call of a process: to AWS, or the result that it hands to the Runtime API (service `runtime`)."""

    number: int = 0
    process: str = ""
    forwarded: bool = False
    status: int | None = None

    @property
    def name(self) -> str:
        return f"{self.service}:{self.operation}"

    def form(self) -> dict[str, str]:
        """The parameters of a call in the query protocol, such as SNS's."""
        return {key: values[0] for key, values in parse_qs(self.body.decode(), keep_blank_values=True).items()}

    def json(self) -> dict:
        return json.loads(self.body)


@dataclass
class Trouble:
    """For the next `times` calls of a service (and operation): an error instead of the answer, or a delay."""

    service: str
    kind: str  # throttle, unavailable, refuse (no retry helps) or slow; of S3 also conflict
    times: float = float("inf")
    operation: str | None = None
    seconds: float = 0.0
    met: int = 0

    def meets(self, call: Call) -> bool:
        return self.service == call.service and self.operation in (None, call.operation) and self.met < self.times


class Faults:
    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._troubles: list[Trouble] = []
        self._kill: tuple[int, str] | None = None
        self._not_counted: Collection[str] = ()
        self.killed: Call | None = None
        # What each function needed for all its calls ever.
        self.seen: set[tuple[str, Permission]] = set()
        # How many calls of each name were held against AWS's models, and what these refuse.
        self.held: Counter[str] = Counter()
        self.mistakes: set[str] = set()
        self.trail = Trail()
        self._lock = threading.Lock()

    def record(self) -> None:
        """Counts anew, from 1, without any trouble."""
        with self._lock:
            self.calls, self._troubles, self._kill, self.killed = [], [], None, None
            self._not_counted = ()

    def kill(self, number: int, when: str, but: Collection[str] = ()) -> None:
        """The process that makes the n-th call from now dies `before` it reaches AWS, or `after` it did. Calls of the
        names in `but` don't count."""
        self.record()
        self._kill, self._not_counted = (number, when), but

    def trouble(self, service: str, kind: str, **more) -> Trouble:
        trouble = Trouble(service, kind, **more)
        with self._lock:
            self._troubles.append(trouble)
        return trouble

    def heal(self) -> None:
        with self._lock:
            self._troubles = []

    def made(self, name: str) -> list[Call]:
        """The calls of that name (`sns:Publish`) that reached AWS."""
        with self._lock:
            return [call for call in self.calls if call.name == name and call.forwarded]

    def _hold(self, function: str, call: Call) -> None:
        self.held[call.name] += 1
        try:
            self.mistakes.update(models.mistakes(call))
            self.seen.add((function, needed(call)))
        except Exception as error:  # Else the process would see a broken connection, and try again.
            self.mistakes.add(f"{call.name}: can't be judged: {error!r}")

    def _is_counted_as(self, number: int) -> bool:
        counted = [call.name not in self._not_counted for call in self.calls]
        return counted[-1] and sum(counted) == number

    def pass_on(self, environment, asked: Asked, forward: Callable[[], Answer]) -> Answer | None:
        """The answer for the process; none when it has been killed."""
        with self._lock:
            if not environment.alive:
                return None  # Of several calls that it had on their way one was its last.
            call = Call(**vars(asked), number=len(self.calls) + 1, process=environment.name)
            self.calls.append(call)
            if call.service != "runtime":
                self._hold(environment.spec.name, call)
            trouble = next((trouble for trouble in self._troubles if trouble.meets(call)), None)
            if trouble:
                trouble.met += 1
            dies = self._kill[1] if self._kill and self._is_counted_as(self._kill[0]) else None
            if dies:
                self._kill, self.killed = None, call
        if dies == "before":
            environment.kill()
            return None
        if trouble and trouble.kind == "slow":
            time.sleep(trouble.seconds)
        elif trouble:
            call.status, headers, answer = refusal(call.service, trouble.kind, call.protocol)
            return Answer(call.status, headers, answer)
        answer = forward()
        call.forwarded, call.status = True, answer.status
        if dies == "after":
            environment.kill()
            return None
        return answer
