"""Messages whose outcome nobody wrote down, or whose receipt never came."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from common.sql import fetch_all, run
from messaging.actions.settling import Settlement, settle
from messaging.gateways.base import CarrierMessage
from messaging.rules.states import State

BATCH = 500
CLOCKS_APART = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Doubtful:
    """An UNKNOWN message, with what it takes to find it at the carrier."""

    message_id: int
    organization_id: int
    account_id: int
    sender: str
    phone: str
    body: str
    claimed_at: datetime


def find_lost_claims(*, older_than: timedelta, now: datetime) -> int:
    """Claims whose sender died become UNKNOWN: they may or may not have left. Runs across organizations."""
    rows = fetch_all(
        "SELECT id FROM messaging_message WHERE state = 'CLAIMED' AND claimed_at < %s ORDER BY claimed_at LIMIT %s",
        [now - older_than, BATCH],
    )
    moved = settle([Settlement(row[0], State.UNKNOWN) for row in rows], now=now)
    _note([item.message_id for item in moved], "SWEEP", "unknown", now)
    return len(moved)


def close_without_receipt(*, older_than: timedelta, now: datetime) -> int:
    """Messages that the carrier took and never reported on. Runs across organizations."""
    rows = fetch_all(
        "SELECT id FROM messaging_message WHERE state IN ('ACCEPTED', 'SENT') AND claimed_at < %s LIMIT %s",
        [now - older_than, BATCH],
    )
    return len(settle([Settlement(row[0], State.NO_RECEIPT) for row in rows], now=now))


def doubtful_messages() -> list[Doubtful]:
    """UNKNOWN messages, drawn anew each time, so that none waits behind others. Runs across organizations."""
    return [Doubtful(*row) for row in fetch_all(_DOUBTFUL, [BATCH])]


def settle_found(found: Sequence[tuple[Doubtful, CarrierMessage]], *, now: datetime) -> None:
    """What the carrier knows of UNKNOWN messages. Runs across organizations."""
    settlements = [
        Settlement(doubt.message_id, listed.state or State.ACCEPTED, sid=listed.sid, error_code=listed.error_code)
        for doubt, listed in found
    ]
    moved = settle(settlements, now=now)
    _note([item.message_id for item in moved], "RECONCILE", "found", now)


def give_up(doubts: Sequence[Doubtful], *, now: datetime) -> None:
    """The carrier does not know them and cannot any more: UNCONFIRMED, said so, not charged."""
    moved = settle([Settlement(doubt.message_id, State.UNCONFIRMED) for doubt in doubts], now=now)
    _note([item.message_id for item in moved], "RECONCILE", "unconfirmed", now)


def matching(doubt: Doubtful, listed: Sequence[CarrierMessage]) -> CarrierMessage | None:
    """The carrier's message that is this one: the same words between the same phones, and not known to be another.

    Of several the oldest. Its date may lie a little before the claim: the clocks of two machines are compared.
    """
    rows = fetch_all(
        "SELECT sid FROM messaging_message WHERE carrier_account_id = %s AND sid = ANY(%s)",
        [doubt.account_id, [message.sid for message in listed]],
    )
    known = {sid for (sid,) in rows}
    for message in sorted(listed, key=lambda message: message.created_at):
        recent = message.created_at >= doubt.claimed_at - CLOCKS_APART
        if recent and message.sid not in known and message.body == doubt.body:
            return message
    return None


def _note(message_ids: Sequence[int], source: str, status: str, now: datetime) -> None:
    run(_NOTE, {"ids": list(message_ids), "source": source, "status": status, "now": now})


_DOUBTFUL = """
SELECT m.id, m.organization_id, m.carrier_account_id, n.sender, m.phone, m.body, m.claimed_at
FROM messaging_message m JOIN senders_sendernumber n ON n.id = m.sender_number_id
WHERE m.state = 'UNKNOWN' ORDER BY random() LIMIT %s
"""

_NOTE = """
INSERT INTO messaging_deliveryevent (organization_id, message_id, source, sid, status, error_code, occurred_at)
SELECT organization_id, id, %(source)s, '', %(status)s, 0, %(now)s FROM messaging_message WHERE id = ANY(%(ids)s)
"""
