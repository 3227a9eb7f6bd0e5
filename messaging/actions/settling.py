"""Settling: the one statement that moves messages after their claim, whoever brings the news.

The dispatcher's outcomes, receipts and reconciliation all end here. A move that messaging.rules.states does not know
is passed over; the first move into a handed-over state counts the credits, by whichever path it comes; so a batch may
be told twice.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from billing.actions import count_captures
from common.sql import array_literal, fetch_all
from messaging.metrics import MOVED
from messaging.rules.states import HANDED_OVER, MOVES, State


class Settlement(NamedTuple):
    """News of one message. `claim_id`, where given, must still be the message's: an overtaken sender moves nothing.

    Nothing returns to the queue without it: only who claimed a message knows that it was never written.
    """

    message_id: int
    to: State
    claim_id: UUID | None = None
    sid: str = ""
    error_code: int | None = None
    reason: str = ""


class Moved(NamedTuple):
    message_id: int
    organization_id: int
    stream_id: int
    sender_number_id: int
    phone: str
    before: str
    after: str
    error_code: int | None


def settle(settlements: Iterable[Settlement], *, now: datetime) -> list[Moved]:
    """Apply news of messages, at most one for each message, in one transaction; return what moved."""
    news = sorted(settlements, key=lambda settlement: settlement.message_id)
    if not news:
        return []
    rows = fetch_all(
        _SETTLE,
        {
            # Literals of arrays, but for the carrier's words: adapting lists value by value took a third of the time.
            "ids": array_literal(item.message_id for item in news),
            "to": array_literal(item.to.value for item in news),
            "claims": array_literal(item.claim_id or "NULL" for item in news),
            "sids": [item.sid or None for item in news],
            "codes": array_literal("NULL" if item.error_code is None else item.error_code for item in news),
            "reasons": array_literal(item.reason or '""' for item in news),
            "moves_from": [before.value for before, afters in MOVES.items() for _ in afters],
            "moves_to": [after.value for afters in MOVES.values() for after in afters],
            "handed_over": [state.value for state in HANDED_OVER],
            "now": now,
        },
    )
    captured: dict[int, int] = {}
    for row in rows:
        if row[8]:
            captured[row[9]] = captured.get(row[9], 0) + row[8]
    count_captures(captured)
    for state, messages in Counter(row[6] for row in rows).items():
        MOVED.add(state, by=messages)
    return [Moved._make(row[:8]) for row in rows]


# CLAIMED is counted as QUEUED: a person sees no difference, and a message then costs one change of counts, not two.
_SETTLE = """
WITH news AS (
    SELECT * FROM unnest(%(ids)s::bigint[], %(to)s::text[], %(claims)s::uuid[], %(sids)s::text[], %(codes)s::int[],
                         %(reasons)s::text[]) AS n(id, after, claim_id, sid, error_code, reason)
), moves AS (
    SELECT * FROM unnest(%(moves_from)s::text[], %(moves_to)s::text[]) AS v(before, after)
), old AS MATERIALIZED (
    SELECT m.id, m.state, m.captured FROM messaging_message m
    WHERE m.id = ANY(%(ids)s::bigint[]) ORDER BY m.id FOR NO KEY UPDATE
), moved AS (
    UPDATE messaging_message m SET
        state = n.after,
        captured = m.captured OR n.after = ANY(%(handed_over)s),
        sid = COALESCE(m.sid, n.sid),
        error_code = COALESCE(n.error_code, m.error_code),
        reason = n.reason,
        claim_id = CASE WHEN n.after = 'QUEUED' THEN NULL ELSE m.claim_id END,
        claimed_at = CASE WHEN n.after = 'QUEUED' THEN NULL ELSE m.claimed_at END,
        accepted_at = CASE WHEN NOT old.captured AND n.after = ANY(%(handed_over)s)
                           THEN %(now)s ELSE m.accepted_at END,
        settled_at = CASE WHEN n.after IN ('QUEUED', 'UNKNOWN', 'ACCEPTED', 'SENT')
                          THEN NULL ELSE %(now)s::timestamptz END
    FROM news n
    JOIN old ON old.id = n.id
    JOIN moves v ON v.before = old.state AND v.after = n.after
    WHERE m.id = n.id AND (m.claim_id = n.claim_id OR n.claim_id IS NULL AND n.after <> 'QUEUED')
    RETURNING m.id, m.organization_id, m.stream_id, m.sender_number_id, m.phone, old.state AS before, m.state AS after,
        m.error_code, m.reservation_id, m.segments, m.credits, m.digest,
        CASE WHEN m.captured AND NOT old.captured AND old.state <> 'UNCONFIRMED'
             THEN m.credits ELSE 0 END AS fresh_credits
), counted AS (
    INSERT INTO messaging_outcomedelta (organization_id, stream_id, state, messages, segments, credits)
    SELECT organization_id, stream_id, c.state, sum(c.sign), sum(c.sign * segments), sum(c.sign * credits)
    FROM moved CROSS JOIN LATERAL (
        VALUES (CASE WHEN before = 'CLAIMED' THEN 'QUEUED' ELSE before END, -1), (after, 1)
    ) AS c(state, sign)
    GROUP BY organization_id, stream_id, c.state HAVING sum(c.sign) <> 0
), freed AS (
    DELETE FROM messaging_recenttext r USING moved
    WHERE moved.after IN ('FAILED', 'QUEUED') AND r.organization_id = moved.organization_id AND r.phone = moved.phone
        AND r.digest = moved.digest AND r.message_id = moved.id
)
SELECT id, organization_id, stream_id, sender_number_id, phone, before, after, error_code, fresh_credits,
       reservation_id
FROM moved
"""
