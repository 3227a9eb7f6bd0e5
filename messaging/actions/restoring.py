"""After a restore: dispatch stands still until what the carrier knows has been read (invariant 1).

A backup knows texts as waiting that have left since it was taken. Two things give it away: another database server
(its identifier or timeline), and texts at the carrier that no row of ours explains.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from common.sql import fetch_all, run
from messaging.actions.settling import Settlement, settle
from messaging.actions.sweeping import CLOCKS_APART
from messaging.gateways.base import CarrierMessage
from messaging.models import DispatchGuard
from messaging.rules.digests import digest_of
from messaging.rules.states import State

LOOKED_AT = 50
"""The newest texts of a carrier account that must be explained before the first claim."""


@dataclass(slots=True)
class Restored:
    """What reading the carrier's list came to; `unknown` texts belong to what was made after the backup."""

    known: int = 0
    settled: int = 0
    unknown: int = 0
    inbound: int = 0


def check_database(*, now: datetime) -> str:
    """Why dispatch stands still; empty: it need not. Notes which server this is, at first. Runs across organizations.

    Whoever moves to another server on purpose (a replica that was promoted) runs `after_restore` as well.
    """
    ((identifier, timeline),) = fetch_all(
        "SELECT s.system_identifier, c.timeline_id FROM pg_control_system() s, pg_control_checkpoint() c"
    )
    guard, _ = DispatchGuard.objects.get_or_create(
        id=1, defaults={"system_identifier": identifier, "timeline": timeline, "cleared_at": now}
    )
    if not guard.locked_for and (guard.system_identifier, guard.timeline) != (identifier, timeline):
        return lock_dispatch("the database is another server than before, or was restored", now=now)
    return str(guard.locked_for)


def lock_dispatch(why: str, *, now: datetime) -> str:
    """Stop every dispatcher until `unlock_dispatch`. Runs across organizations."""
    DispatchGuard.objects.filter(id=1).update(locked_for=why, locked_at=now)
    return why


def unlock_dispatch(*, now: datetime) -> None:
    """Go on: what the carrier lists up to now has been read. Runs across organizations."""
    run(
        "UPDATE messaging_dispatchguard SET locked_for = '', locked_at = NULL, cleared_at = %s,"
        " system_identifier = s.system_identifier, timeline = c.timeline_id"
        " FROM pg_control_system() s, pg_control_checkpoint() c",
        [now],
    )


def unexplained(account_id: int, listed: Sequence[CarrierMessage]) -> list[CarrierMessage]:
    """Texts from our numbers that the carrier has and no row of ours is about. Runs across organizations."""
    cleared_at = DispatchGuard.objects.values_list("cleared_at", flat=True).get(id=1)
    texts = [one for one in listed if not one.inbound and one.created_at > cleared_at + CLOCKS_APART]
    if not texts:
        return []
    rows = fetch_all(
        _UNEXPLAINED,
        {
            "account": account_id,
            "sids": [one.sid for one in texts],
            "senders": [one.sender for one in texts],
            "phones": [one.phone for one in texts],
            "bodies": [one.body for one in texts],
        },
    )
    found = {sid for (sid,) in rows}
    return [one for one in texts if one.sid in found]


def settle_listed(account_id: int, listed: Sequence[CarrierMessage], *, now: datetime, done: Restored) -> None:
    """Write down what the carrier was handed, oldest first. Telling it again changes nothing. Across organizations."""
    texts = [one for one in listed if not one.inbound]
    values = {
        "account": account_id,
        "sids": [one.sid for one in texts],
        "senders": [one.sender for one in texts],
        "phones": [one.phone for one in texts],
        "now": now,
    }
    known = {sid for (sid,) in fetch_all(_KNOWN, values)}
    waiting: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for message_id, sender, phone, body in fetch_all(_WAITING, values):
        waiting[(sender, phone, body)].append(message_id)
    left: list[tuple[int, CarrierMessage]] = []
    strangers: list[CarrierMessage] = []
    for one in sorted(texts, key=lambda text: text.created_at):
        ids = waiting.get((one.sender, one.phone, one.body))
        if one.sid in known:
            done.known += 1
        elif ids:
            left.append((ids.pop(0), one))
        else:
            strangers.append(one)
    run(_TAKE, {"ids": [message_id for message_id, _ in left], "now": now})
    settlements = [
        Settlement(message_id, one.state or State.ACCEPTED, sid=one.sid, error_code=one.error_code)
        for message_id, one in left
    ]
    done.settled += len(settle(settlements, now=now))
    # Nobody gets these words once more by a campaign that is set up again: they count for the duplicate window.
    done.unknown += len(strangers)
    run(
        _REMEMBER,
        values
        | {
            "senders": [one.sender for one in strangers],
            "phones": [one.phone for one in strangers],
            "digests": [digest_of(one.body) for one in strangers],
            "at": [one.created_at for one in strangers],
        },
    )


_UNEXPLAINED = """
SELECT t.sid FROM unnest(%(sids)s::text[], %(senders)s::text[], %(phones)s::text[], %(bodies)s::text[])
    AS t(sid, sender, phone, body)
JOIN senders_sendernumber n ON n.carrier_account_id = %(account)s AND n.sender = t.sender
WHERE NOT EXISTS (
    SELECT 1 FROM messaging_message m WHERE m.carrier_account_id = %(account)s AND m.sid = t.sid
) AND NOT EXISTS (
    SELECT 1 FROM messaging_message m WHERE m.organization_id = n.organization_id AND m.phone = t.phone
        AND m.sender_number_id = n.id AND m.sid IS NULL
        -- On its way at this moment: the carrier may list other words, written plainly or without blanks at the ends.
        AND (m.state IN ('CLAIMED', 'UNKNOWN') OR m.body = t.body AND m.state IN ('UNCONFIRMED', 'FAILED'))
)
"""

_KNOWN = "SELECT sid FROM messaging_message WHERE carrier_account_id = %(account)s AND sid = ANY(%(sids)s)"

_WAITING = """
SELECT m.id, n.sender, m.phone, m.body
FROM (SELECT DISTINCT * FROM unnest(%(senders)s::text[], %(phones)s::text[]) AS d(sender, phone)) t
JOIN senders_sendernumber n ON n.carrier_account_id = %(account)s AND n.sender = t.sender
JOIN messaging_message m ON m.organization_id = n.organization_id AND m.phone = t.phone AND m.sender_number_id = n.id
WHERE m.sid IS NULL AND m.state IN ('QUEUED', 'CLAIMED', 'UNKNOWN', 'UNCONFIRMED')
ORDER BY m.id FOR NO KEY UPDATE OF m
"""

# As if they had just been claimed: from there the usual moves lead on, with their counts and credits.
_TAKE = """
WITH taken AS (
    UPDATE messaging_message SET state = 'CLAIMED', claimed_at = %(now)s
    WHERE id = ANY(%(ids)s::bigint[]) AND state = 'QUEUED' RETURNING organization_id, phone, digest, id
)
INSERT INTO messaging_recenttext (organization_id, phone, digest, message_id, texted_at)
SELECT DISTINCT ON (organization_id, phone, digest) organization_id, phone, digest, id, %(now)s FROM taken
ORDER BY organization_id, phone, digest ON CONFLICT DO NOTHING
"""

_REMEMBER = """
INSERT INTO messaging_recenttext (organization_id, phone, digest, message_id, texted_at)
SELECT DISTINCT ON (n.organization_id, t.phone, t.digest) n.organization_id, t.phone, t.digest, 0, t.texted_at
FROM unnest(%(senders)s::text[], %(phones)s::text[], %(digests)s::bigint[], %(at)s::timestamptz[])
    AS t(sender, phone, digest, texted_at)
JOIN senders_sendernumber n ON n.carrier_account_id = %(account)s AND n.sender = t.sender
ORDER BY n.organization_id, t.phone, t.digest, t.texted_at DESC ON CONFLICT DO NOTHING
"""
