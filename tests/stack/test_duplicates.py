"""Every event 1 to 5 times, in random order and batches, over three processes of each function.

But for what is compared with earlier days, such as builds: those of an earlier day come before those of a later one. An hour's
failures may come before the builds that show that they are few.
"""

import random
from collections import Counter

import pytest

import records
from live import DETECTORS, PIPELINE, Live


@pytest.mark.parametrize("seed", [1, 2])
def test_repeats_and_order_change_nothing(deploy, night: list[dict], seed: int) -> None:
    live: Live = deploy(concurrency=3)
    chance = random.Random(seed)

    def sizes() -> int:
        return chance.choice([1, 2, 3, 5, 10])

    for name in DETECTORS:
        copies = [event for event in night for _ in range(chance.randint(1, 5))]
        chance.shuffle(copies)
        days = sorted({event["time"][:10] for event in copies}) if name == PIPELINE else [""]
        for day in days:
            live.send(name, [event for event in copies if event["time"].startswith(day)])
            if name == PIPELINE:
                live.mappings[name].drain(3, sizes)
    live.run(workers=3, sizes=sizes)
    live.settle()
    for name in DETECTORS:
        assert len(live.functions[name].environments) == 3
        assert not live.dead(name)
    live.prove()
    live.sweep_all()

    found, replayed = live.verdicts(), records.verdicts(records.replay(night, live.policy))
    # Whether half of an hour's builds failed isn't known before all of them have ended.
    early = {key for key, (code, _) in found.items() if code == "build-failure-surge" and key not in replayed}
    assert {key: verdict for key, verdict in found.items() if key not in early} == replayed
    assert live.told() == Counter(records.to_be_told(night, live.policy))
