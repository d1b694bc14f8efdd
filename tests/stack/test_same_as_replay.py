"""The same records through `handsoff replay` and through the stack: the same incidents and alerts."""

from collections import Counter

import pytest

import records
from live import DETECTORS, Live


def into_all_queues(live: Live, events: list[dict]) -> None:
    """Past the rules: whoever gets a record, only its owner may tell it."""
    for name in DETECTORS:
        live.send(name, events)


def finish(live: Live) -> None:
    live.settle()
    live.sweep_all()


def compare(live: Live, events: list[dict]) -> None:
    findings = records.replay(events, live.policy)
    assert live.verdicts() == records.verdicts(findings)
    assert live.told() == Counter(records.to_be_told(events, live.policy))
    for name in DETECTORS:
        assert not live.dead(name)


def test_samples(live: Live, night: list[dict]) -> None:
    into_all_queues(live, night)
    finish(live)
    compare(live, night)


# A real attack lab; and masked events, one for each technique.
@pytest.mark.parametrize(("folder", "limit"), [("invictus-ir", 150), ("traildiscover", 100)])
def test_corpus(live: Live, folder: str, limit: int) -> None:
    events = records.corpus(folder, limit)
    if events is None:
        pytest.skip(f"no corpus at {records.CORPUS}: a test has nothing to run over")
    into_all_queues(live, events)
    finish(live)
    compare(live, events)
