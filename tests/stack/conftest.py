"""The product as it is deployed: template.yaml in moto, the real binaries under the Runtime API.

`./run` builds what is missing and runs all of it. A test gets `deploy`, a new account with the stack in it for each
call; everything that it starts is stopped again, and no process may have panicked, called what its role forbids, or
sent what AWS refuses.
"""

import signal
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

import authorization
import permissions
import records
from aws import Aws
from live import DETECTORS, SWEEP, Live


def pytest_configure() -> None:
    # `kill` and a stopped CI job end in the fixtures' finalizers too.
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("terminated", returncode=143))


# The calls of the processes that were held against AWS's models, by name: of all tests so far.
HELD: Counter[str] = Counter()


def pytest_sessionfinish(session: pytest.Session) -> None:
    # Where several run at a time each tells the first what it held.
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output["held"] = dict(HELD)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node) -> None:
    HELD.update(getattr(node, "workeroutput", {}).get("held", {}))


def pytest_terminal_summary(terminalreporter) -> None:
    names = ", ".join(f"{name} {count:,}" for name, count in HELD.most_common())
    terminalreporter.write_line(f"calls held against AWS's models: {HELD.total():,}" + (f": {names}" if names else ""))


@pytest.fixture(scope="session")
def aws() -> Iterator[Aws]:
    with Aws() as running:
        yield running


def needs_binaries() -> None:
    missing = [name for name in ("handsoff", *DETECTORS, SWEEP) if not (records.BINARIES / name).is_file()]
    if missing:
        options = " ".join(f"-p {name}" for name in missing)
        pytest.skip(f"not built: {', '.join(missing)}; cargo build --locked {options}")


@pytest.fixture
def deploy(aws: Aws) -> Iterator[Callable[..., Live]]:
    needs_binaries()
    started: list[Live] = []

    def new(**options) -> Live:
        while started:
            finish(started.pop())
        started.append(Live(aws, **options))
        return started[-1]

    try:
        yield new
    finally:
        while started:
            finish(started.pop())


def finish(live: Live) -> None:
    try:
        panics = live.panics()
        logs = {name: function.logs() for name, function in live.functions.items()}
        refused = permissions.refused(live.stack, live.faults.seen)
        unknown = authorization.needs(need for _, need in live.faults.seen)
    finally:
        live.close()
    HELD.update(live.faults.held)
    # Shown by pytest when the test has failed.
    for name, log in logs.items():
        print(f"---- {name}\n{log[-6000:]}")
    assert not panics, panics
    assert not live.faults.mistakes, sorted(live.faults.mistakes)
    assert not refused, refused
    assert not unknown, unknown


@pytest.fixture
def live(deploy: Callable[..., Live]) -> Live:
    return deploy()


@pytest.fixture
def account(aws: Aws) -> Iterator[Live]:
    """The stack without its functions' binaries."""
    live = Live(aws, hasty=False)
    yield live
    live.close()


@pytest.fixture(scope="session")
def samples() -> dict[str, list[dict]]:
    return records.samples()


@pytest.fixture(scope="session")
def night(samples: dict[str, list[dict]]) -> list[dict]:
    """All samples, in no order of time."""
    return [event for events in samples.values() for event in events]
