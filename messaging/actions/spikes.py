"""Answers of the carrier counted by source; one whose texts are filtered or unregistered is held by itself."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from common.sql import array_literal, run
from messaging.actions.settling import Moved
from messaging.gateways.base import ErrorKind
from messaging.rules.kinds import TextKind
from messaging.rules.spikes import LEAST, ONE_IN, SPAN, span_of
from messaging.rules.states import State

_ANSWERS = frozenset({State.DELIVERED, State.UNDELIVERED, State.FAILED})
_HOLDING = (ErrorKind.NUMBER_BLOCKED, ErrorKind.REGISTRATION)


def count_answers(answers: Sequence[tuple[Moved, ErrorKind | None]], *, now: datetime) -> int:
    """Count what came of texts; return how many streams were held for it. Runs across organizations."""
    answered: Counter[int] = Counter()
    refused: Counter[int] = Counter()
    kinds: dict[int, str] = {}
    for item, kind in answers:
        if item.after in _ANSWERS:
            answered[item.stream_id] += 1
            if kind in _HOLDING and kind is not None:
                refused[item.stream_id] += 1
                kinds[item.stream_id] = kind.value
    if not answered:
        return 0
    streams = sorted(answered)
    return run(
        _COUNT,
        {
            "streams": array_literal(streams),
            "answered": array_literal(answered[stream] for stream in streams),
            "refused": array_literal(refused[stream] for stream in streams),
            "kinds": array_literal(kinds.get(stream, '""') for stream in streams),
            "span": span_of(now),
            "least": LEAST,
            "one_in": ONE_IN,
            "campaign": TextKind.CAMPAIGN.value,
        },
    )


def forget_answers(*, now: datetime) -> int:
    """Drop spans that are over. Runs across organizations."""
    return run("DELETE FROM messaging_answercount WHERE span < %s", [now - 2 * SPAN])


_COUNT = """
WITH news AS (
    SELECT s.organization_id, s.source, sum(n.answered) AS answered, sum(n.refused) AS refused, max(n.kind) AS kind
    FROM unnest(%(streams)s::bigint[], %(answered)s::int[], %(refused)s::int[], %(kinds)s::text[])
        AS n(stream_id, answered, refused, kind)
    JOIN messaging_stream s ON s.id = n.stream_id AND s.kind = %(campaign)s
    GROUP BY s.organization_id, s.source
), counted AS (
    INSERT INTO messaging_answercount AS c (organization_id, source, span, answered, refused)
    SELECT organization_id, source, %(span)s, answered, refused FROM news ORDER BY organization_id, source
    ON CONFLICT (organization_id, source, span) DO UPDATE SET
        answered = c.answered + excluded.answered, refused = c.refused + excluded.refused
    RETURNING organization_id, source, answered, refused
)
UPDATE messaging_stream s SET state = 'PAUSED', held_for = news.kind
FROM counted JOIN news ON news.organization_id = counted.organization_id AND news.source = counted.source
WHERE s.organization_id = counted.organization_id AND s.source = counted.source AND s.state = 'OPEN'
    AND news.kind <> '' AND counted.refused >= %(least)s AND counted.refused * %(one_in)s >= counted.answered
"""
