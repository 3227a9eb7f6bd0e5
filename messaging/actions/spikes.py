"""Answers of the carrier counted by stream; one whose texts are filtered or unregistered is held by itself."""

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
    answered: Counter[tuple[int, int]] = Counter()
    refused: Counter[tuple[int, int]] = Counter()
    kinds: dict[tuple[int, int], str] = {}
    for item, kind in answers:
        if item.after in _ANSWERS:
            key = (item.stream_id, item.organization_id)
            answered[key] += 1
            if kind in _HOLDING and kind is not None:
                refused[key] += 1
                kinds[key] = kind.value
    if not answered:
        return 0
    streams = sorted(answered)
    return run(
        _COUNT,
        {
            "streams": array_literal(stream for stream, _ in streams),
            "organizations": array_literal(organization for _, organization in streams),
            "answered": array_literal(answered[key] for key in streams),
            "refused": array_literal(refused[key] for key in streams),
            "kinds": array_literal(kinds.get(key, '""') for key in streams),
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
    SELECT * FROM unnest(%(streams)s::bigint[], %(organizations)s::bigint[], %(answered)s::int[], %(refused)s::int[],
                         %(kinds)s::text[]) AS n(stream_id, organization_id, answered, refused, kind)
), counted AS (
    INSERT INTO messaging_answercount AS c (organization_id, stream_id, span, answered, refused)
    SELECT organization_id, stream_id, %(span)s, answered, refused FROM news ORDER BY stream_id
    ON CONFLICT (stream_id, span) DO UPDATE SET
        answered = c.answered + excluded.answered, refused = c.refused + excluded.refused
    RETURNING stream_id, answered, refused
)
UPDATE messaging_stream s SET state = 'PAUSED', held_for = news.kind
FROM counted JOIN news ON news.stream_id = counted.stream_id
WHERE s.id = counted.stream_id AND s.state = 'OPEN' AND s.kind = %(campaign)s AND news.kind <> ''
    AND counted.refused >= %(least)s AND counted.refused * %(one_in)s >= counted.answered
"""
