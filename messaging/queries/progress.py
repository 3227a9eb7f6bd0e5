"""Reads of a source: how far it has come, how fast, what went wrong, and with whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from common.sql import fetch_all
from common.tenancy import current_organization_id
from messaging.models import Message
from messaging.rules.pacing import SQUASH_SECONDS
from messaging.rules.states import HANDED_OVER, OPEN, TROUBLE, State


@dataclass(frozen=True, slots=True)
class OutcomeCounts:
    """How many messages, segments and credits a source has in a state."""

    messages: int
    segments: int
    credits: int

    def __add__(self, other: "OutcomeCounts") -> "OutcomeCounts":
        return OutcomeCounts(
            self.messages + other.messages, self.segments + other.segments, self.credits + other.credits
        )


def outcome_counts(source: str) -> dict[State, OutcomeCounts]:
    """Progress of a source by state, from counters; exact at this moment, no message is counted for it."""
    return outcome_counts_of([source]).get(source, {})


def outcome_counts_of(sources: Sequence[str]) -> dict[str, dict[State, OutcomeCounts]]:
    """The same for several sources of the organization in scope, in one query."""
    found: dict[str, dict[State, OutcomeCounts]] = {}
    for source, state, *numbers in fetch_all(
        _COUNTS, {"organization": current_organization_id(), "sources": list(sources)}
    ):
        if numbers[0]:
            found.setdefault(source, {})[State(state)] = OutcomeCounts(*numbers)
    return found


@dataclass(frozen=True, slots=True)
class Speed:
    """Segments a second at a moment."""

    at: datetime
    segments_per_second: float


CHART_POINTS = 120
SMOOTH_SEGMENTS = 30
"""A point of the chart is an average over about so many segments: one text of three is no burst."""
LONGEST_SMOOTHING = 10.0


def speed_of(sources: Sequence[str], *, rate: float | None, now: datetime | None) -> list[Speed]:
    """The newest speeds of sources together, oldest first; a pause, also one until `now`, shows as zero.

    `rate` is what the number allows, in segments a second; `now` is None for what is over.
    """
    rows = fetch_all(
        _SPEED, {"organization": current_organization_id(), "sources": list(sources), "limit": CHART_POINTS}
    )
    pieces: list[tuple[datetime, float, int]] = []
    for at, segments in reversed(rows):
        gap = (at - pieces[-1][0]).total_seconds() if pieces else SQUASH_SECONDS
        if gap > 4 * SQUASH_SECONDS:
            pieces.append((at - timedelta(seconds=SQUASH_SECONDS), gap - SQUASH_SECONDS, 0))
            gap = SQUASH_SECONDS
        pieces.append((at, gap, segments))
    if now and pieces and (idle := (now - pieces[-1][0]).total_seconds()) > 4 * SQUASH_SECONDS:
        pieces.append((now, idle, 0))
    window = min(SMOOTH_SEGMENTS / rate, LONGEST_SMOOTHING) if rate else 0.0
    return [Speed(pieces[last][0], _average(pieces, last, window)) for last in range(len(pieces))]


def _average(pieces: Sequence[tuple[datetime, float, int]], last: int, window: float) -> float:
    """Segments a second over the pieces that end with `last` and cover the window."""
    seconds, segments = 0.0, 0
    for _, gap, count in reversed(pieces[: last + 1]):
        seconds, segments = seconds + gap, segments + count
        if seconds >= window:
            break
    return segments / seconds if seconds else 0.0


_SPEED = """
SELECT newest.sampled_at, sum(newest.segments)::bigint
FROM messaging_stream s, LATERAL (
    SELECT sampled_at, segments FROM messaging_speedsample
    WHERE stream_id = s.id ORDER BY sampled_at DESC LIMIT %(limit)s) newest
WHERE s.organization_id = %(organization)s AND s.source = ANY(%(sources)s)
GROUP BY newest.sampled_at ORDER BY newest.sampled_at DESC LIMIT %(limit)s
"""

TROUBLES_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class Trouble:
    """How many texts of a campaign came to the same bad end; with `more`, at least so many."""

    state: State
    error_code: int | None
    reason: str
    messages: int
    more: bool


def troubles_of(campaign_id: int) -> list[Trouble]:
    """What went wrong, most frequent first: from the index over what went wrong, of the first 10,000 of a state."""
    rows = fetch_all(_TROUBLES, {"campaign": campaign_id, "states": sorted(TROUBLE), "limit": TROUBLES_COUNTED})
    counted: dict[str, int] = {}
    for state, _code, _reason, count in rows:
        counted[state] = counted.get(state, 0) + count
    return [
        Trouble(State(state), code, reason, count, counted[state] >= TROUBLES_COUNTED)
        for state, code, reason, count in rows
    ]


# The states as words of the statement, so that the partial index over them can serve.
_WRITTEN_OUT = ", ".join(f"'{state}'" for state in sorted(TROUBLE))

_TROUBLES = f"""
SELECT s.state, m.error_code, m.reason, count(*)
FROM unnest(%(states)s::text[]) AS s(state), LATERAL (
    SELECT error_code, reason FROM messaging_message
    WHERE campaign_id = %(campaign)s AND state = s.state AND state IN ({_WRITTEN_OUT})
    LIMIT %(limit)s) m
GROUP BY s.state, m.error_code, m.reason ORDER BY count(*) DESC, s.state
"""

RECIPIENTS = 50


@dataclass(frozen=True, slots=True)
class Recipient:
    """One text of a campaign and what became of it."""

    phone: str
    contact_id: int | None
    state: State
    error_code: int | None
    reason: str
    segments: int
    credits: int
    charged: bool
    at: datetime | None


def recipients_of(campaign_id: int, *, states: Sequence[State], error_code: int | None, after: str) -> list[Recipient]:
    """The next texts of a campaign in the order of their phones, one more than a page; `states` empty: all."""
    rows = fetch_all(
        _IN_TROUBLE if states and TROUBLE.issuperset(states) else _IN_ORDER,
        {
            "campaign": campaign_id,
            "all": not states,
            "states": [state.value for state in states],
            "code": error_code,
            "after": after,
            "limit": RECIPIENTS + 1,
        },
    )
    return [Recipient(phone, contact, State(state), *rest) for phone, contact, state, *rest in rows]


_RECIPIENT = """
SELECT phone, contact_id, state, error_code, reason, segments, credits, captured,
    COALESCE(settled_at, accepted_at, claimed_at)
FROM messaging_message WHERE campaign_id = %(campaign)s AND phone > %(after)s
"""

_IN_ORDER = (
    _RECIPIENT
    + """ AND (%(all)s OR state = ANY(%(states)s)) AND (%(code)s IS NULL OR error_code = %(code)s)
ORDER BY phone LIMIT %(limit)s"""
)

_IN_TROUBLE = (
    _RECIPIENT
    + f""" AND state = ANY(%(states)s) AND state IN ({_WRITTEN_OUT})
    AND (%(code)s IS NULL OR error_code = %(code)s)
ORDER BY phone LIMIT %(limit)s"""
)


_COUNTS = """
WITH streams AS (
    SELECT id, source FROM messaging_stream
    WHERE organization_id = %(organization)s AND source = ANY(%(sources)s)
), parts AS (
    SELECT stream_id, state, messages, segments, credits FROM messaging_outcomecount
    WHERE stream_id IN (SELECT id FROM streams)
    UNION ALL
    SELECT stream_id, state, messages, segments, credits FROM messaging_outcomedelta
    WHERE stream_id IN (SELECT id FROM streams)
)
SELECT s.source, p.state, sum(messages)::bigint, sum(segments)::bigint, sum(credits)::bigint
FROM parts p JOIN streams s ON s.id = p.stream_id GROUP BY s.source, p.state
"""


def texted_among(phones: Sequence[str]) -> set[str]:
    """Which of these phones have a text of ours, on its way or handed over, or have written to us."""
    values = {
        "organization": current_organization_id(),
        "phones": list(phones),
        "texted": [state.value for state in OPEN | HANDED_OVER | {State.UNCONFIRMED}],
    }
    return {phone for (phone,) in fetch_all(_TEXTED, values)}


_TEXTED = """
SELECT p.phone FROM unnest(%(phones)s::text[]) AS p(phone)
LEFT JOIN LATERAL (
    SELECT true AS yes FROM messaging_message m
    WHERE m.organization_id = (SELECT %(organization)s::bigint) AND m.phone = p.phone AND m.state = ANY(%(texted)s)
    LIMIT 1) m ON true
LEFT JOIN LATERAL (
    SELECT true AS yes FROM messaging_inboundtext i
    WHERE i.organization_id = (SELECT %(organization)s::bigint) AND i.phone = p.phone LIMIT 1) i ON true
WHERE m.yes OR i.yes
"""


def last_program(phone: str, sender_number_id: int, *, before: datetime) -> int:
    """The program of the last text of a campaign from this number to this phone until then; 0: there is none."""
    rows = fetch_all(
        """
SELECT s.program_id FROM messaging_message m JOIN messaging_stream s ON s.id = m.stream_id
WHERE m.organization_id = %s AND m.phone = %s AND m.sender_number_id = %s AND s.program_id IS NOT NULL
    AND (m.captured OR m.state IN ('CLAIMED', 'UNKNOWN')) AND m.claimed_at <= %s
ORDER BY m.claimed_at DESC, m.id DESC LIMIT 1""",
        [current_organization_id(), phone, sender_number_id, before],
    )
    return int(rows[0][0]) if rows else 0


def may_have_reached(message_id: int, before: datetime) -> bool:
    """Whether a message of ours may have reached its phone by then, also where the carrier has not said so yet."""
    states = (HANDED_OVER | {State.CLAIMED, State.UNKNOWN, State.UNCONFIRMED}) - {State.UNDELIVERED}
    found: bool = Message.objects.filter(id=message_id, state__in=states, claimed_at__lte=before).exists()
    return found
