"""Slots: instants at which a number may hand over a segment, reserved in Valkey by every process alike.

A script for each number adds the costs to the number's next free instant (GCRA) and answers where each text falls.
It reads the server's clock alone, so machines need not agree on theirs. Losing Valkey's memory is safe: the epoch key
is gone with it, and whoever finds it gone starts every number late enough for what may still be under way.
"""

import time
from collections.abc import Mapping, Sequence

from redis.asyncio import Redis

from messaging.rules.pacing import FURTHEST, LOOK_AHEAD, SAFETY_SLOTS, interval

_MICROS = 1_000_000
_RESYNC_SECONDS = 0.25

# KEYS: number's next free instant, epoch. ARGV: interval, safety slots, furthest, costs... (microseconds)
# A slot further away than leave lasts is not reserved: -1. Another dispatcher was faster, and nobody could use it.
_RESERVE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, safety, furthest = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local epoch = tonumber(redis.call('GET', KEYS[2]))
if not epoch then
    epoch = now
    redis.call('SET', KEYS[2], string.format('%.0f', now))
end
local free = tonumber(redis.call('GET', KEYS[1]))
if not free then free = epoch + furthest + safety * interval end
if free < now then free = now end
local reply = {now}
for i = 4, #ARGV do
    if free > now + furthest then
        reply[#reply + 1] = -1
    else
        reply[#reply + 1] = math.floor(free)
        free = free + interval * tonumber(ARGV[i])
    end
end
reply[#reply + 1] = math.floor(free)
redis.call('SET', KEYS[1], string.format('%.0f', free), 'PX', math.ceil((free - now) / 1000) + 60000)
return reply
"""

# KEYS: number's next free instant. ARGV: end of the slot that was not used, half an interval (microseconds).
# Had another slot been reserved since, the next free instant would lie a whole interval later.
_GIVE_BACK = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local free = tonumber(redis.call('GET', KEYS[1]))
if free and free > now and math.abs(free - tonumber(ARGV[1])) < tonumber(ARGV[2]) then
    redis.call('SET', KEYS[1], string.format('%.0f', now), 'PX', 60000)
    return 1
end
return 0
"""


class Permits:
    """Reserves slots; answers in seconds of this process's `time.monotonic()`."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(url)
        self._script = self._redis.register_script(_RESERVE)
        self._give_back = self._redis.register_script(_GIVE_BACK)
        self._offset: float | None = None  # local monotonic minus server time

    async def reserve(
        self, costs: Mapping[int, tuple[float, Sequence[int]]]
    ) -> dict[int, tuple[list[float | None], float]]:
        """Reserve for each number (rate in segments a second, segments of each text) in one round trip.

        Returns for each number the slot of each text (None: too far away, so none was reserved) and the instant at
        which the next one is free.
        """
        numbers = list(costs)
        async with self._redis.pipeline(transaction=False) as pipeline:
            for number in numbers:
                rate, segments = costs[number]
                await self._script(
                    keys=[f"pace:{number}", "pace:epoch"],
                    args=[
                        interval(rate) * _MICROS,
                        SAFETY_SLOTS,
                        int(FURTHEST * _MICROS),
                        *segments,
                    ],
                    client=pipeline,
                )
            replies = await pipeline.execute()
        arrived = time.monotonic()
        answer = {}
        for number, reply in zip(numbers, replies, strict=True):
            offset = self._synchronised(arrived - reply[0] / _MICROS)
            slots = [instant / _MICROS + offset if instant >= 0 else None for instant in reply[1:-1]]
            answer[number] = (slots, reply[-1] / _MICROS + offset)
        return answer

    async def take_turn(self, shared: str, *, per_hour: int) -> tuple[bool, float]:
        """Whether one of those who share the limit may go now, so that no hour has more; when the next, by our clock.

        Turns lie evenly over the hour: nothing is saved up.
        """
        micros = 3600 / per_hour * _MICROS
        now, slot, free = await self._script(keys=[f"hour:{shared}", "pace:epoch"], args=[micros, 1, 0, 1])
        offset = self._synchronised(time.monotonic() - now / _MICROS)
        return slot >= 0, free / _MICROS + offset

    async def give_back(self, number: int, *, rate: float, end: float) -> bool:
        """Return a slot that came too late; True: none was reserved after it, so the next text need not wait.

        At a segment a second a late text of four would cost four seconds otherwise; a fast number loses too little to
        ask. `end` is when the slot's last segment is over, by the local clock.
        """
        if self._offset is None or interval(rate) <= LOOK_AHEAD:
            return False
        micros = (end - self._offset) * _MICROS
        taken = await self._give_back(keys=[f"pace:{number}"], args=[f"{micros:.0f}", interval(rate) * _MICROS / 2])
        return bool(taken)

    async def close(self) -> None:
        await self._redis.aclose()

    def _synchronised(self, seen: float) -> float:
        """The offset of the clocks: the smallest seen had the shortest way; it may drift, and jumps are followed."""
        if self._offset is None or abs(seen - self._offset) > _RESYNC_SECONDS:
            self._offset = seen
        else:
            self._offset = min(seen, self._offset + 1e-5)
        return self._offset
