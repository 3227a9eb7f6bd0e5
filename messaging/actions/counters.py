"""Squashing the counters' deltas."""

from common.sql import run

BATCH = 20_000


def squash_counters() -> int:
    """Fold the oldest deltas into the counts; return how many. Runs across organizations."""
    return run(_SQUASH, [BATCH])


_SQUASH = """
WITH taken AS (
    SELECT id FROM messaging_outcomedelta ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM messaging_outcomedelta d USING taken WHERE d.id = taken.id
    RETURNING d.organization_id, d.stream_id, d.state, d.messages, d.segments, d.credits
)
INSERT INTO messaging_outcomecount AS c (organization_id, stream_id, state, messages, segments, credits)
SELECT organization_id, stream_id, state, sum(messages), sum(segments), sum(credits)
FROM gone GROUP BY organization_id, stream_id, state ORDER BY stream_id, state
ON CONFLICT (stream_id, state) DO UPDATE SET
    messages = c.messages + excluded.messages,
    segments = c.segments + excluded.segments,
    credits = c.credits + excluded.credits
"""
