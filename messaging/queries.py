"""Reads of messages: what a dispatcher serves, and how far a source has come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from common.sql import fetch_all
from common.tenancy import current_organization_id
from messaging.rules.states import State


@dataclass(frozen=True, slots=True)
class DueStream:
    """A stream with something to send now; `rate` in segments a second, None: no limit."""

    stream_id: int
    number_id: int
    account_id: int
    sender: str
    rate: float | None
    priority: int


def due_streams(lanes: Sequence[int], *, cursors: Mapping[int, int], now: datetime) -> list[DueStream]:
    """What the lanes have to send after the cursors, by priority. Runs across organizations."""
    if not lanes:
        return []
    rows = fetch_all(
        _DUE,
        {"lanes": list(lanes), "now": now, "known": list(cursors.keys()), "after": list(cursors.values())},
    )
    return [DueStream(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class OutcomeCounts:
    """How many messages, segments and credits a source has in a state."""

    messages: int
    segments: int
    credits: int


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


_DUE = """
SELECT s.id, n.id, n.carrier_account_id, n.sender, n.segments_per_second::float, s.priority
FROM messaging_stream s
JOIN senders_sendernumber n ON n.id = s.sender_number_id
LEFT JOIN unnest(%(known)s::bigint[], %(after)s::bigint[]) AS c(stream_id, after_id) ON c.stream_id = s.id
WHERE n.lane = ANY(%(lanes)s) AND n.status = 'REGISTERED' AND s.state = 'OPEN'
    AND (s.open_from IS NULL OR s.open_from <= %(now)s)
    AND (s.open_until IS NULL OR s.open_until > %(now)s)
    AND (s.ends_at IS NULL OR s.ends_at > %(now)s)
    AND EXISTS (SELECT 1 FROM messaging_message m
                WHERE m.stream_id = s.id AND m.state = 'QUEUED' AND m.id > COALESCE(c.after_id, 0))
ORDER BY s.priority, s.id
"""

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
