"""Kinds of text, which checks each must pass within 500 ms before it is handed over, and who goes first.

The table of dispatch.md, invariant 2. "Hours" (sending hours and lawful window) are the stream's open_from and
open_until; the others are asked in the claim itself. Of compliance texts the confirmation of a STOP and the answer to
HELP go to whoever asked; a welcome is held back by a STOP that came after it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from consent.rules.law import period


class TextKind(StrEnum):
    CAMPAIGN = "CAMPAIGN"
    REPLY = "REPLY"
    COMPLIANCE = "COMPLIANCE"
    OPT_IN_REQUEST = "OPT_IN_REQUEST"
    AUTOMATIC = "AUTOMATIC"
    TEST = "TEST"


class ConsentCheck(StrEnum):
    PROGRAM = "PROGRAM"
    CONVERSATION = "CONVERSATION"
    REQUEST = "REQUEST"  # an opt-in request with a recorded basis waits for this phone and program
    NONE = "NONE"


@dataclass(frozen=True, slots=True)
class Checks:
    """`priority` 0 goes first on a number; equal ones take turns."""

    opt_out: bool
    consent: ConsentCheck
    duplicates: bool
    credit: bool
    priority: int


CHECKS: dict[TextKind, Checks] = {
    TextKind.COMPLIANCE: Checks(False, ConsentCheck.NONE, duplicates=False, credit=False, priority=0),
    TextKind.REPLY: Checks(True, ConsentCheck.CONVERSATION, duplicates=False, credit=True, priority=1),
    TextKind.AUTOMATIC: Checks(True, ConsentCheck.CONVERSATION, duplicates=False, credit=True, priority=1),
    TextKind.TEST: Checks(True, ConsentCheck.NONE, duplicates=False, credit=True, priority=2),
    TextKind.OPT_IN_REQUEST: Checks(True, ConsentCheck.REQUEST, duplicates=True, credit=True, priority=3),
    TextKind.CAMPAIGN: Checks(True, ConsentCheck.PROGRAM, duplicates=True, credit=True, priority=5),
}

CONVERSATION_DAYS = period("conversation_days").value
"""After the last inbound text; then conversational consent has run out."""

CONFIRMATION_MINUTES = period("confirmation_minutes").value
"""In which the one confirmation of a STOP leaves, or does not leave at all."""

CAP_DAYS = 30
"""The days in which a program's cap for each person counts."""


def kinds_where(condition: Callable[[Checks], bool]) -> list[str]:
    """The kinds whose checks fulfil a condition, for use in SQL."""
    return [kind.value for kind, checks in CHECKS.items() if condition(checks)]
