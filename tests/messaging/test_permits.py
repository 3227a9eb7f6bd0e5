"""Slots, reserved in the real Valkey."""

import asyncio
import os
import time
from itertools import pairwise

import pytest
from redis import Redis

from messaging.dispatcher.permits import Permits
from messaging.rules.pacing import LOOK_AHEAD, SAFETY_SLOTS, interval


@pytest.fixture
def valkey() -> Redis:
    client = Redis.from_url(os.environ["REDIS_URL"])
    client.delete(*client.keys("pace:*") or ["none"])
    client.set("pace:epoch", int((time.time() - 3600) * 1e6))
    return client


def reserve(*blocks: dict[int, tuple[float, list[int]]]) -> list[dict[int, tuple[list[float], float]]]:
    """Slots of blocks, all of which are near enough to be reserved."""
    found = []
    for block in all_of(*blocks):
        found.append({number: (_present(slots), free) for number, (slots, free) in block.items()})
    return found


def all_of(*blocks: dict[int, tuple[float, list[int]]]) -> list[dict[int, tuple[list[float | None], float]]]:
    async def run() -> list[dict[int, tuple[list[float | None], float]]]:
        permits = Permits(os.environ["REDIS_URL"])
        try:
            return [await permits.reserve(block) for block in blocks]
        finally:
            await permits.close()

    return asyncio.run(run())


def _present(slots: list[float | None]) -> list[float]:
    assert None not in slots
    return [slot for slot in slots if slot is not None]


def test_slots_lie_an_interval_apart_and_go_on_in_the_next_block(valkey: Redis) -> None:
    first, second = reserve({1: (100.0, [1, 1, 1])}, {1: (100.0, [1, 1])})
    for slots in (first[1][0], second[1][0]):
        for earlier, later in pairwise(slots):
            assert later - earlier == pytest.approx(interval(100), abs=1e-4)
    # Between two blocks the clocks are compared anew, by as much as a reply may take.
    assert second[1][0][0] - first[1][0][-1] == pytest.approx(interval(100), abs=0.05)
    assert first[1][0][0] == pytest.approx(time.monotonic(), abs=0.5)


def test_a_text_of_three_segments_takes_three_slots(valkey: Redis) -> None:
    ((slots, free),) = (block[1] for block in reserve({1: (20.0, [3, 1])}))
    assert slots[1] - slots[0] == pytest.approx(3 * interval(20), abs=1e-3)
    assert free - slots[1] == pytest.approx(interval(20), abs=1e-3)


def test_a_slot_that_nobody_could_wait_for_is_not_reserved(valkey: Redis) -> None:
    """Leave to send lasts half a second: a number of one a second would stand still for a slot that nobody uses."""
    first, second = all_of({1: (1.0, [4, 1])}, {1: (1.0, [1])})
    assert first[1][0][1] is None
    assert second[1][0] == [None]
    assert second[1][1] == pytest.approx(first[1][1], abs=0.05)
    assert first[1][1] - (first[1][0][0] or 0.0) == pytest.approx(4 * interval(1), abs=0.05)


@pytest.mark.parametrize(("taken", "segments"), [(1, 0), (2, 2)])
def test_a_slot_that_was_not_used_is_given_back_where_it_was_the_last(valkey: Redis, taken: int, segments: int) -> None:
    async def run() -> float:
        permits = Permits(os.environ["REDIS_URL"])
        try:
            slots, _ = (await permits.reserve({1: (5.0, [1] * taken)}))[1]
            first = slots[0] or 0.0
            await permits.give_back(1, rate=5.0, end=first + interval(5))
            return (await permits.reserve({1: (5.0, [])}))[1][1] - first
        finally:
            await permits.close()

    assert asyncio.run(run()) == pytest.approx(segments * interval(5), abs=0.05)


def test_numbers_do_not_wait_for_each_other(valkey: Redis) -> None:
    (answer,) = reserve({1: (1.0, [1]), 2: (500.0, [1])})
    assert answer[2][0][0] == pytest.approx(answer[1][0][0], abs=0.02)


def test_two_processes_share_one_number(valkey: Redis) -> None:
    blocks = [reserve({1: (50.0, [1] * 2)})[0][1][0] for _ in range(4)]
    slots = sorted(slot for block in blocks for slot in block)
    assert min(later - earlier for earlier, later in pairwise(slots)) > interval(50) * 0.5


def test_a_limiter_that_lost_its_memory_starts_late_enough(valkey: Redis) -> None:
    """What was reserved before may still be on its way: the look-ahead, and ten slots."""
    valkey.flushdb()
    before = time.monotonic()
    ((slots, free),) = (block[1] for block in all_of({1: (10.0, [1])}))
    assert slots == [None], "not before the half second of leave is over"
    assert free - before >= LOOK_AHEAD + SAFETY_SLOTS * interval(10) - 0.02


def test_a_number_that_rested_starts_at_once_and_saves_nothing_up(valkey: Redis) -> None:
    reserve({1: (100.0, [1])})
    time.sleep(0.3)
    ((slots, _),) = (block[1] for block in reserve({1: (100.0, [1] * 3)}))
    assert slots[0] == pytest.approx(time.monotonic(), abs=0.1)
    assert slots[2] - slots[0] == pytest.approx(2 * interval(100), abs=1e-3)


def test_turns_of_a_source_lie_evenly_over_the_hour(valkey: Redis) -> None:
    valkey.delete(*valkey.keys("hour:*") or ["none"])

    async def run() -> list[tuple[bool, float]]:
        permits = Permits(os.environ["REDIS_URL"])
        try:
            found = [await permits.take_turn("outreach:1", per_hour=7_200) for _ in range(3)]
            await asyncio.sleep(0.55)
            return [*found, await permits.take_turn("outreach:1", per_hour=7_200)]
        finally:
            await permits.close()

    first, second, third, later = asyncio.run(run())
    assert [may for may, _ in (first, second, third, later)] == [True, False, False, True]
    assert second[1] - time.monotonic() < 0.5
    assert later[1] - first[1] >= 0.5
