"""What a hand-over came to, written down, with what follows from an error."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from common.sql import run
from common.tenancy import organization_scope
from consent.actions import note_carrier_opt_out
from messaging.actions.claims import Claim
from messaging.actions.settling import Moved, Settlement, settle
from messaging.actions.spikes import count_answers
from messaging.gateways.base import Answer, ErrorKind, Handover
from messaging.gateways.registry import kind_of_error
from messaging.metrics import ERRORS
from messaging.rules.states import State


class Outcome(NamedTuple):
    """A claim and its hand-over, which took so many seconds (None: it was not tried).

    `gateway` is the kind of gateway, whose table explains error codes.
    """

    claim: Claim
    claim_id: UUID
    handover: Handover
    gateway: str
    seconds: float | None = None

    @property
    def goes_back(self) -> bool:
        """Whether the message is in its queue again."""
        if self.handover.answer is Answer.REFUSED:
            return kind_of_error(self.gateway, self.handover.error_code) is ErrorKind.LATER
        return _STATE_AFTER[self.handover.answer] is State.QUEUED

    @property
    def asks_to_wait(self) -> bool:
        """Whether the carrier takes nothing from this account at the moment."""
        if self.handover.answer is Answer.REFUSED:
            return kind_of_error(self.gateway, self.handover.error_code) is ErrorKind.LATER
        return self.handover.answer in (Answer.NOT_PROCESSED, Answer.NO_CONNECTION, Answer.NOT_LET_IN)


_STATE_AFTER = {
    Answer.ACCEPTED: State.ACCEPTED,
    Answer.NOT_PROCESSED: State.QUEUED,
    Answer.NOT_WRITTEN: State.QUEUED,
    Answer.NO_CONNECTION: State.QUEUED,
    Answer.NOT_LET_IN: State.QUEUED,
    Answer.UNKNOWN: State.UNKNOWN,
}


def record_outcomes(outcomes: Sequence[Outcome], *, now: datetime) -> None:
    """Settle a batch. Runs across organizations; writing it again changes nothing."""
    moved = settle([_settlement(outcome) for outcome in outcomes], now=now)
    gateway_of = {outcome.claim.message_id: outcome.gateway for outcome in outcomes}
    follow_errors([(item, gateway_of[item.message_id]) for item in moved], now=now)


def follow_errors(moved: Sequence[tuple[Moved, str]], *, now: datetime) -> None:
    """Do what error codes ask for: the carrier's opt-outs become ours, dead phones are marked, spikes hold streams."""
    by_organization: dict[int, list[tuple[Moved, ErrorKind]]] = defaultdict(list)
    answers: list[tuple[Moved, ErrorKind | None]] = []
    for item, gateway in moved:
        kind = kind_of_error(gateway, item.error_code) if item.error_code is not None else None
        answers.append((item, kind))
        if item.error_code is not None:
            ERRORS.add(str(item.error_code))
        if kind is not None:
            by_organization[item.organization_id].append((item, kind))
    count_answers(answers, now=now)
    for organization_id, items in by_organization.items():
        with organization_scope(organization_id):
            for item, kind in items:
                if kind is ErrorKind.OPT_OUT:
                    note_carrier_opt_out(item.phone, sender_number_id=item.sender_number_id, now=now)
            dead = [item.phone for item, kind in items if kind is ErrorKind.NOT_TEXTABLE]
            if dead:
                run(
                    "UPDATE contacts_contactphone SET textable = false WHERE organization_id = %s AND phone = ANY(%s)",
                    [organization_id, dead],
                )


def _settlement(outcome: Outcome) -> Settlement:
    claim, handover = outcome.claim, outcome.handover
    if handover.answer is Answer.REFUSED:
        kind = kind_of_error(outcome.gateway, handover.error_code)
        if kind is not ErrorKind.LATER:
            return Settlement(
                claim.message_id,
                State.FAILED,
                claim_id=outcome.claim_id,
                error_code=handover.error_code,
                reason=kind.value.lower(),
            )
        return Settlement(claim.message_id, State.QUEUED, claim_id=outcome.claim_id)
    after = _STATE_AFTER[handover.answer]
    owned = outcome.claim_id if after is State.QUEUED else None
    return Settlement(claim.message_id, after, claim_id=owned, sid=handover.sid)
