"""Reads of a dispatcher: which streams have something to send, which carriers take nothing, what is held."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from common.sql import fetch_all
from messaging.gateways.base import Answer
from messaging.models import CarrierOutage, Stream, StreamState


@dataclass(frozen=True, slots=True)
class DueStream:
    """A stream with something to send now; `rate` in segments a second, None: no limit.

    It shares `hourly_limit`, messages an hour, with every stream of the same `hourly_for`.
    """

    stream_id: int
    number_id: int
    account_id: int
    sender: str
    rate: float | None
    priority: int
    hourly_for: str = ""
    hourly_limit: int | None = None


def due_streams(lanes: Sequence[int], *, cursors: Mapping[int, int], now: datetime) -> list[DueStream]:
    """What the lanes have to send after the cursors, by priority. Runs across organizations."""
    if not lanes:
        return []
    rows = fetch_all(
        _DUE,
        {"lanes": list(lanes), "now": now, "known": list(cursors.keys()), "after": list(cursors.values())},
    )
    return [DueStream(*row) for row in rows]


OUTAGE_SEEN = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Outage:
    """A carrier takes nothing since then; `answer` is what hand-overs come to."""

    carrier_account_id: int
    since: datetime
    answer: Answer


def outages(*, now: datetime) -> list[Outage]:
    """The carrier accounts that take nothing at the moment, as dispatchers saw within the last seconds."""
    found = CarrierOutage.objects.filter(seen_at__gt=now - OUTAGE_SEEN).order_by("since")
    return [Outage(one.carrier_account_id, one.since, Answer(one.answer)) for one in found]


def held_for(sources: Sequence[str]) -> str:
    """The kind of error for which streams of these sources were paused by themselves; empty: none was."""
    held = Stream.objects.filter(source__in=sources, state=StreamState.PAUSED).exclude(held_for="")
    return held.values_list("held_for", flat=True).first() or ""


_DUE = """
SELECT s.id, n.id, n.carrier_account_id, n.sender, n.segments_per_second::float, s.priority,
    COALESCE(NULLIF(s.hourly_for, ''), s.source), s.hourly_limit
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
