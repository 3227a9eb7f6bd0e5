"""Streams: one row decides whether the messages behind it go, wait or end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from common.sql import fetch_all
from common.tenancy import current_organization_id
from messaging.models import AnswerCount, Stream, StreamState
from messaging.rules.kinds import CHECKS, TextKind
from messaging.rules.states import State
from senders.models import SenderNumber


@dataclass(frozen=True, slots=True)
class Hours:
    """When a stream may send, as UTC instants; None is without bound."""

    open_from: datetime | None = None
    open_until: datetime | None = None
    ends_at: datetime | None = None


def open_stream(
    *,
    number: SenderNumber,
    kind: TextKind,
    source: str,
    now: datetime,
    bucket: str = "",
    program_id: int | None = None,
    reservation_id: int | None = None,
    hours: Hours = Hours(),
    media_ids: Sequence[int] = (),
    hourly_limit: int | None = None,
    hourly_for: str = "",
    state: StreamState = StreamState.OPEN,
) -> Stream:
    """The stream of a source and bucket, made at its first use."""
    stream, _ = Stream.objects.get_or_create(
        organization_id=current_organization_id(),
        source=source,
        bucket=bucket,
        kind=kind,
        defaults={
            "sender_number_id": number.id,
            "priority": CHECKS[kind].priority,
            "program_id": program_id,
            "reservation_id": reservation_id,
            "media_ids": list(media_ids),
            "hourly_limit": hourly_limit,
            "hourly_for": hourly_for,
            "state": state,
            "open_from": hours.open_from,
            "open_until": hours.open_until,
            "ends_at": hours.ends_at,
            "created_at": now,
        },
    )
    found: Stream = stream
    return found


def set_stream_state(*, source: str, state: StreamState) -> None:
    """Pause, go on with or close every stream of a source; dispatch follows within a second. Closed stays closed."""
    streams = Stream.objects.filter(source=source).exclude(state=StreamState.CLOSED)
    if state == StreamState.OPEN:  # a person looked at what held it: the count begins anew
        AnswerCount.objects.filter(source=source).delete()
        streams.update(state=state, held_for="")
    else:
        streams.update(state=state)


def set_stream_hours(stream_id: int, *, open_from: datetime | None, open_until: datetime) -> None:
    """Give a bucket its next window."""
    Stream.objects.filter(id=stream_id).update(open_from=open_from, open_until=open_until)


def end_queued(stream_ids: Sequence[int], *, to: State, now: datetime, limit: int = 10_000) -> int:
    """Write the terminal state of messages that will not be sent any more; return how many of at most `limit`.

    Call it until it returns 0; the streams are closed before, so nothing is claimed meanwhile.
    """
    rows = fetch_all(_END, {"streams": list(stream_ids), "to": to.value, "now": now, "limit": limit})
    return len(rows)


_END = """
WITH doomed AS (
    SELECT id FROM messaging_message WHERE stream_id = ANY(%(streams)s) AND state = 'QUEUED'
    ORDER BY id LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED
), ended AS (
    UPDATE messaging_message m SET state = %(to)s, settled_at = %(now)s
    FROM doomed WHERE m.id = doomed.id
    RETURNING m.id, m.organization_id, m.stream_id, m.segments, m.credits
), counted AS (
    INSERT INTO messaging_outcomedelta (organization_id, stream_id, state, messages, segments, credits)
    SELECT organization_id, stream_id, v.state, v.sign * count(*), v.sign * sum(segments), v.sign * sum(credits)
    FROM ended, (VALUES ('QUEUED', -1), (%(to)s, 1)) AS v(state, sign)
    GROUP BY organization_id, stream_id, v.state, v.sign
)
SELECT id FROM ended
"""
