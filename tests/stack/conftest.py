"""The product as it is deployed: template.yaml in moto, the real binaries under the Runtime API.

`./run` builds what is missing and runs all of it. A test gets `deploy`, a new account with the stack in it for each
call; everything that it starts is stopped again, and no process may have panicked or called what its role forbids.
"""

import signal
from collections.abc import Callable, Iterator

import pytest

import permissions
import records
from aws import Aws
from live import DETECTORS, SWEEP, Live


def pytest_configure() -> None:
    # `kill` and a stopped CI job end in the fixtures' finalizers too.
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("terminated", returncode=143))


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
    finally:
        live.close()
    # Shown by pytest when the test has failed.
    for name, log in logs.items():
        print(f"---- {name}\n{log[-6000:]}")
    assert not panics, panics
    assert not refused, refused


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
