"""Squashing the counters' deltas, and forgetting what nobody asks for any more."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from common.sql import fetch_all, run
from messaging.rules.states import HANDED_OVER

BATCH = 20_000
SPEED_KEPT = timedelta(days=7)


def squash_counters(*, now: datetime) -> int:
    """Fold the oldest deltas into the counts; return how many. Runs across organizations.

    What they hand over is noted as a sample of speed.
    """
    return run(_SQUASH, {"batch": BATCH, "now": now, "handed_over": sorted(HANDED_OVER)})


@dataclass(frozen=True, slots=True)
class Drift:
    """A count that is not what the messages come to."""

    stream_id: int
    state: str
    counted: int
    messages: int


def recount(*, since: datetime) -> list[Drift]:
    """Count the messages of the streams made since then, and say where the counters differ. Across organizations.

    One statement, so both are seen at the same instant.
    """
    return [Drift(*row) for row in fetch_all(_RECOUNT, {"since": since})]


def forget_recent_texts(*, now: datetime) -> int:
    """Drop some of what no duplicate window looks back to any more; return how many. Runs across organizations.

    Call it until it returns 0, in a transaction each: a claim that wants one of these rows waits for no long one.
    """
    return run(_FORGET_TEXTS, {"now": now, "batch": BATCH})


def forget_speed(*, now: datetime) -> int:
    """Drop samples of speed that no chart shows any more. Runs across organizations."""
    return run("DELETE FROM messaging_speedsample WHERE sampled_at < %s", [now - SPEED_KEPT])


_RECOUNT = """
WITH streams AS (
    SELECT id FROM messaging_stream WHERE created_at >= %(since)s
), real AS (
    SELECT m.stream_id, CASE WHEN m.state = 'CLAIMED' THEN 'QUEUED' ELSE m.state END AS state, count(*) AS messages
    FROM messaging_message m JOIN streams ON streams.id = m.stream_id GROUP BY 1, 2
), counted AS (
    SELECT stream_id, state, sum(messages) AS messages FROM (
        SELECT stream_id, state, messages FROM messaging_outcomecount
        UNION ALL SELECT stream_id, state, messages FROM messaging_outcomedelta
    ) parts JOIN streams ON streams.id = parts.stream_id GROUP BY 1, 2
)
SELECT COALESCE(r.stream_id, c.stream_id), COALESCE(r.state, c.state), COALESCE(c.messages, 0)::bigint,
    COALESCE(r.messages, 0)::bigint
FROM real r FULL JOIN counted c ON c.stream_id = r.stream_id AND c.state = r.state
WHERE COALESCE(r.messages, 0) <> COALESCE(c.messages, 0) ORDER BY 1, 2
"""

_FORGET_TEXTS = """
DELETE FROM messaging_recenttext WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM messaging_recenttext WHERE texted_at < %(now)s - make_interval(
        hours => (SELECT COALESCE(max(duplicate_window_hours), 0)::int FROM accounts_organization) + 1)
    LIMIT %(batch)s FOR UPDATE SKIP LOCKED))
"""

_SQUASH = """
WITH taken AS (
    SELECT id FROM messaging_outcomedelta ORDER BY id LIMIT %(batch)s FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM messaging_outcomedelta d USING taken WHERE d.id = taken.id
    RETURNING d.organization_id, d.stream_id, d.state, d.messages, d.segments, d.credits
), speed AS (
    INSERT INTO messaging_speedsample (organization_id, stream_id, sampled_at, segments)
    SELECT organization_id, stream_id, %(now)s, sum(segments) FROM gone WHERE state = ANY(%(handed_over)s)
    GROUP BY organization_id, stream_id HAVING sum(segments) > 0
)
INSERT INTO messaging_outcomecount AS c (organization_id, stream_id, state, messages, segments, credits)
SELECT organization_id, stream_id, state, sum(messages), sum(segments), sum(credits)
FROM gone GROUP BY organization_id, stream_id, state ORDER BY stream_id, state
ON CONFLICT (stream_id, state) DO UPDATE SET
    messages = c.messages + excluded.messages,
    segments = c.segments + excluded.segments,
    credits = c.credits + excluded.credits
"""
