"""The states of a message and the moves between them: data that the settling statement joins.

Receipts come late, twice, out of order, and before our own record of the send: a move that is not in the table is
passed over, so a message only ever moves forward.
"""

from enum import StrEnum


class State(StrEnum):
    QUEUED = "QUEUED"
    CLAIMED = "CLAIMED"
    UNKNOWN = "UNKNOWN"
    ACCEPTED = "ACCEPTED"
    SENT = "SENT"
    DELIVERED = "DELIVERED"
    UNDELIVERED = "UNDELIVERED"
    NO_RECEIPT = "NO_RECEIPT"
    FAILED = "FAILED"
    UNCONFIRMED = "UNCONFIRMED"
    SKIPPED = "SKIPPED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"


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

HANDED_OVER = frozenset({State.ACCEPTED, State.SENT, State.DELIVERED, State.UNDELIVERED, State.NO_RECEIPT})
"""The carrier has it: what is charged."""

OPEN = frozenset({State.QUEUED, State.CLAIMED, State.UNKNOWN})
"""Not yet decided: a campaign with one of these is not through."""

TROUBLE = frozenset(
    {State.FAILED, State.UNDELIVERED, State.SKIPPED, State.UNKNOWN, State.UNCONFIRMED, State.NO_RECEIPT}
)
"""What a person wants to know the reason of."""

_RECEIPTS = frozenset({State.ACCEPTED, State.SENT, State.DELIVERED, State.UNDELIVERED})

MOVES: dict[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.CLAIMED, State.SKIPPED, State.CANCELED, State.EXPIRED}),
    State.CLAIMED: frozenset({State.QUEUED, State.FAILED, State.UNKNOWN}) | _RECEIPTS,
    # Back to the queue only by the word of the very sender that claimed it and knows that nothing was written.
    State.UNKNOWN: frozenset({State.QUEUED, State.FAILED, State.UNCONFIRMED}) | _RECEIPTS,
    State.ACCEPTED: frozenset({State.SENT, State.DELIVERED, State.UNDELIVERED, State.NO_RECEIPT}),
    State.SENT: frozenset({State.DELIVERED, State.UNDELIVERED, State.NO_RECEIPT}),
    State.NO_RECEIPT: frozenset({State.DELIVERED, State.UNDELIVERED}),
    # Proof that comes after we gave up moves it forward, at the platform's cost: the credit was given back.
    State.UNCONFIRMED: _RECEIPTS,
    State.DELIVERED: frozenset(),
    State.UNDELIVERED: frozenset(),
    State.FAILED: frozenset(),
    State.SKIPPED: frozenset(),
    State.CANCELED: frozenset(),
    State.EXPIRED: frozenset(),
}


def may_move(before: State, after: State) -> bool:
    return after in MOVES[before]
