"""Reads of conversations."""

from dataclasses import dataclass
from datetime import datetime

from common.sql import fetch_all
from common.tenancy import current_organization_id
from inbox.models import Conversation
from messaging.rules.states import State

PAGE = 50
LINES = 200


def conversations(*, limit: int = PAGE) -> list[Conversation]:
    """The conversations that were written in last."""
    return list(Conversation.objects.order_by("-last_received_at")[:limit])


@dataclass(frozen=True, slots=True)
class Line:
    """A text of a conversation: from the person (`inbound`), or from us with what became of it."""

    at: datetime
    inbound: bool
    body: str
    words: str


WORDS: dict[str, str] = {
    State.QUEUED: "waits to be sent",
    State.CLAIMED: "is being sent",
    State.UNKNOWN: "in doubt: the carrier is being asked",
    State.ACCEPTED: "with the carrier",
    State.SENT: "sent",
    State.DELIVERED: "delivered",
    State.UNDELIVERED: "not delivered",
    State.NO_RECEIPT: "sent, no receipt came",
    State.FAILED: "refused by the carrier",
    State.UNCONFIRMED: "not confirmed, not charged",
    State.SKIPPED: "not sent",
    State.CANCELED: "canceled",
    State.EXPIRED: "not sent before its end",
}


def lines_of(conversation: Conversation) -> list[Line]:
    """The newest texts between our number and the phone, oldest of them first."""
    rows = fetch_all(
        _LINES,
        {
            "organization": current_organization_id(),
            "number": conversation.sender_number_id,
            "phone": conversation.phone,
            "limit": LINES,
        },
    )
    return [Line(at, inbound, body, WORDS.get(state, "")) for at, inbound, body, state in reversed(rows)]


_LINES = """
SELECT received_at AS at, true, body, '' FROM messaging_inboundtext
WHERE organization_id = %(organization)s AND phone = %(phone)s AND sender_number_id = %(number)s
UNION ALL
SELECT COALESCE(accepted_at, created_at), false, body, state FROM messaging_message
WHERE organization_id = %(organization)s AND phone = %(phone)s AND sender_number_id = %(number)s
ORDER BY at DESC LIMIT %(limit)s
"""
