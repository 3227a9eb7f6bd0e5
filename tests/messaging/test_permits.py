"""Slots, reserved in the real Valkey."""

import asyncio
import time
from itertools import pairwise

import pytest
from redis import Redis

from messaging.dispatcher.permits import Permits
from messaging.rules.pacing import LOOK_AHEAD, SAFETY_SLOTS, interval


@pytest.fixture
def valkey() -> Redis:
    import os

    client = Redis.from_url(os.environ["REDIS_URL"])
    client.delete(*client.keys("pace:*") or ["none"])
    client.set("pace:epoch", int((time.time() - 3600) * 1e6))
    return client


def reserve(*blocks: dict[int, tuple[float, list[int]]]) -> list[dict[int, tuple[list[float], float]]]:
    import os

    async def run() -> list[dict[int, tuple[list[float], float]]]:
        permits = Permits(os.environ["REDIS_URL"])
        try:
            return [await permits.reserve(block) for block in blocks]
        finally:
            await permits.close()

    return asyncio.run(run())


def test_slots_lie_an_interval_apart_and_go_on_in_the_next_block(valkey: Redis) -> None:
    first, second = reserve({1: (100.0, [1, 1, 1])}, {1: (100.0, [1, 1])})
    for slots in (first[1][0], second[1][0]):
        for earlier, later in pairwise(slots):
            assert later - earlier == pytest.approx(interval(100), abs=1e-4)
    # Between two blocks the clocks are compared anew, by as much as a reply may take.
    assert second[1][0][0] - first[1][0][-1] == pytest.approx(interval(100), abs=0.05)
    assert first[1][0][0] == pytest.approx(time.monotonic(), abs=0.5)


def test_a_text_of_three_segments_takes_three_slots(valkey: Redis) -> None:
    ((slots, free),) = (block[1] for block in reserve({1: (10.0, [3, 1])}))
    assert slots[1] - slots[0] == pytest.approx(3 * interval(10), abs=1e-3)
    assert free - slots[1] == pytest.approx(interval(10), abs=1e-3)


def test_numbers_do_not_wait_for_each_other(valkey: Redis) -> None:
    (answer,) = reserve({1: (1.0, [1, 1]), 2: (500.0, [1])})
    assert answer[2][0][0] == pytest.approx(answer[1][0][0], abs=0.02)


def test_two_processes_share_one_number(valkey: Redis) -> None:
    blocks = [reserve({1: (5.0, [1] * 5)})[0][1][0] for _ in range(4)]
    slots = sorted(slot for block in blocks for slot in block)
    assert min(later - earlier for earlier, later in pairwise(slots)) > interval(5) * 0.7


def test_a_limiter_that_lost_its_memory_starts_late_enough(valkey: Redis) -> None:
    """What was reserved before may still be on its way: the look-ahead, and ten slots."""
    valkey.flushdb()
    before = time.monotonic()
    ((slots, _),) = (block[1] for block in reserve({1: (10.0, [1])}))
    assert slots[0] - before >= LOOK_AHEAD + SAFETY_SLOTS * interval(10) - 0.02


def test_a_number_that_rested_starts_at_once_and_saves_nothing_up(valkey: Redis) -> None:
    reserve({1: (100.0, [1])})
    time.sleep(0.3)
    ((slots, _),) = (block[1] for block in reserve({1: (100.0, [1] * 3)}))
    assert slots[0] == pytest.approx(time.monotonic(), abs=0.1)
    assert slots[2] - slots[0] == pytest.approx(2 * interval(100), abs=1e-3)
