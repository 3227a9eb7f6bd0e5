"""Squashing the counters' deltas, and forgetting what nobody asks for any more."""

from datetime import datetime, timedelta

from common.sql import run
from messaging.rules.states import HANDED_OVER

BATCH = 20_000
SPEED_KEPT = timedelta(days=7)


def squash_counters(*, now: datetime) -> int:
    """Fold the oldest deltas into the counts; return how many. Runs across organizations.

    What they hand over is noted as a sample of speed.
    """
    return run(_SQUASH, {"batch": BATCH, "now": now, "handed_over": sorted(HANDED_OVER)})


def forget_recent_texts(*, now: datetime) -> int:
    """Drop what no duplicate window looks back to any more. Runs across organizations."""
    return run(_FORGET_TEXTS, {"now": now})


def forget_speed(*, now: datetime) -> int:
    """Drop samples of speed that no chart shows any more. Runs across organizations."""
    return run("DELETE FROM messaging_speedsample WHERE sampled_at < %s", [now - SPEED_KEPT])


_FORGET_TEXTS = """
DELETE FROM messaging_recenttext WHERE texted_at < %(now)s - make_interval(
    hours => (SELECT COALESCE(max(duplicate_window_hours), 0)::int FROM accounts_organization) + 1)
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
