"""The arithmetic of speed: slots of a number, in seconds of whichever clock the caller uses."""

import math

AIM = 0.985
"""The share of the allowed rate that the limiter aims at: what is left absorbs 15 ms of jitter in any second."""

LOOK_AHEAD = 0.1
"""Slots are reserved this far ahead, in seconds."""

FURTHEST = 0.3
"""No slot further ahead than this is reserved, in seconds: leave to send would be over before it came."""

LATEST = 0.0075
"""A slot this late is given back unused, in seconds: using it would crowd the next ones.

Measured with a thousand numbers of 3/s: beside a busy neighbour 5 ms halve the throughput (48 %; 7.5 ms: 90 %, 10 ms:
96 %); with 10 ms one run of four had 52 of 30,000 number-seconds with one segment too many.
"""

SQUASH_SECONDS = 2.0
"""How often counters are squashed, and with them speed is sampled."""

SAFETY_SLOTS = 10
"""Slots left free after the limiter's state was lost: what was reserved before may still be on its way."""


def interval(rate: float) -> float:
    """Seconds between two segments of a number that is allowed `rate` segments a second."""
    return 1 / (AIM * rate)


def segments_to_ask_for(*, rate: float, next_free: float, now: float) -> int:
    """How many segments' slots begin within the look-ahead; 0 while more than half of it is reserved already.

    Waiting for the half makes claims of a few messages out of claims of one.
    """
    left = now + LOOK_AHEAD - max(next_free, now)
    return math.floor(left / interval(rate)) + 1 if left >= LOOK_AHEAD / 2 else 0
