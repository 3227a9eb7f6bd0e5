"""When the texts of a quote will be sent: the number's speed against the hours of each bucket of people."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

UNLIMITED = 50.0
"""Segments a second that a number without a limit is taken to have: what is shown is no promise there."""

LONGEST = 60
"""Windows of one bucket that are looked at."""

NextWindow = Callable[[datetime], tuple[datetime, datetime] | None]
"""The first window that opens at a moment or later; None: there is none."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """People with the same hours. `opens` is the start of the next window, `closes` its end (None: never).

    `following` tells the window after it.
    """

    opens: datetime
    closes: datetime | None
    people: int
    segments: int
    following: NextWindow | None = None


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of sending without a pause."""

    starts: datetime
    ends: datetime
    people: int


def forecast(buckets: Sequence[Bucket], *, rate: float | None, starts: datetime) -> list[Phase]:
    """The stretches in which everything is sent, in order. `rate` in segments a second, None: no limit.

    Buckets are sent one after the other as they open; what a window does not hold goes on in the next.
    """
    speed = rate or UNLIMITED
    waiting = sorted(((bucket, 0) for bucket in buckets if bucket.people), key=lambda item: item[0].opens)
    phases: list[Phase] = []
    clock = starts
    while waiting:
        bucket, windows = waiting.pop(0)
        begins = max(clock, bucket.opens)
        seconds = bucket.segments / speed
        room = seconds if bucket.closes is None else max((bucket.closes - begins).total_seconds(), 0.0)
        rest = _rest(bucket, min(room / seconds, 1.0)) if windows < LONGEST else None
        sent = bucket.people - (rest.people if rest else 0)
        if rest is not None:
            waiting.append((rest, windows + 1))
            waiting.sort(key=lambda item: item[0].opens)
        if sent:
            ends = begins + timedelta(seconds=min(room, seconds) if rest else seconds)
            phases.append(Phase(begins, ends, sent))
            clock = ends
    return _joined(phases)


def _rest(bucket: Bucket, part: float) -> Bucket | None:
    """Those whom this window does not hold, in the next one; None: it holds everybody, or there is no other."""
    if part >= 1.0 or bucket.closes is None or bucket.following is None:
        return None
    window = bucket.following(bucket.closes)
    if window is None:
        return None
    people, segments = int(bucket.people * part), int(bucket.segments * part)
    return Bucket(*window, bucket.people - people, bucket.segments - segments, bucket.following)


def _joined(phases: list[Phase]) -> list[Phase]:
    """Stretches that follow each other within a minute are one."""
    found: list[Phase] = []
    for phase in phases:
        if found and phase.starts - found[-1].ends <= timedelta(minutes=1):
            found[-1] = Phase(found[-1].starts, phase.ends, found[-1].people + phase.people)
        else:
            found.append(phase)
    return found


def by_slot(phases: Sequence[Phase], *, starts: datetime, slots: int) -> tuple[list[int], timedelta]:
    """People in each of `slots` equal parts of the time from `starts` to the end, and how long a part is."""
    if not phases:
        return [], timedelta(0)
    width = max((phases[-1].ends - starts) / slots, timedelta(seconds=1))
    bars = [0.0] * slots
    for phase in phases:
        length = max((phase.ends - phase.starts).total_seconds(), 0.001)
        for slot in range(slots):
            begins, ends = starts + width * slot, starts + width * (slot + 1)
            shared = (min(ends, phase.ends) - max(begins, phase.starts)).total_seconds()
            if shared > 0:
                bars[slot] += phase.people * shared / length
    return [round(bar) for bar in bars], width
