"""Carriers that take nothing at the moment, as dispatchers notice it: what pages and staff are told."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from common.sql import run


def note_outages(down: Mapping[int, tuple[datetime, str]], recovered: Sequence[int], *, now: datetime) -> None:
    """Which carrier accounts answer nothing, since when and how; and which do again. Runs across organizations."""
    if recovered:
        run("DELETE FROM messaging_carrieroutage WHERE carrier_account_id = ANY(%s)", [list(recovered)])
    for account_id, (since, answer) in sorted(down.items()):
        run(_NOTE, {"account": account_id, "since": since, "answer": answer, "now": now})


_NOTE = """
INSERT INTO messaging_carrieroutage AS o (carrier_account_id, since, answer, seen_at)
VALUES (%(account)s, %(since)s, %(answer)s, %(now)s)
ON CONFLICT (carrier_account_id) DO UPDATE SET
    since = CASE WHEN o.seen_at < excluded.seen_at - interval '1 minute' THEN excluded.since ELSE o.since END,
    answer = excluded.answer, seen_at = excluded.seen_at
"""
