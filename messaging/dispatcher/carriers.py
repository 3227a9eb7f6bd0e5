"""What one dispatcher knows of the carriers: who rests, who is tried with one text, who is away.

A carrier account that cannot or will not take texts is left alone for a moment, twice as long each time, then tried
with a single text: where that fails as well, nothing else is in doubt. Times are this process's monotonic seconds.
"""

import random
import time
from collections.abc import Collection, Mapping
from datetime import datetime

from common import clock
from messaging.actions.outcomes import Outcome
from messaging.gateways.base import Answer
from messaging.queries import Outage

FIRST_PAUSE = 0.25
LONGEST_PAUSE = 5.0
OUTAGE_PAUSE = 1.0
"""A carrier that is left alone for so long counts as away, and pages say so."""
DOUBTS_IN_A_ROW = 3


class Carriers:
    """By carrier account, a full queue by sender number. `probing` are accounts that are tried at this moment."""

    def __init__(self) -> None:
        self.probing: set[int] = set()
        self._pauses: dict[int, float] = {}  # how long it is left alone
        self._resume_at: dict[int, float] = {}
        self._doubts: dict[int, int] = {}  # hand-overs without an answer since the last good one
        self._down: dict[int, tuple[datetime, str]] = {}  # since when, and what it says
        self._told: set[int] = set()  # outages that are noted
        self._resting: dict[int, float] = {}  # by number whose queue at the carrier is full: until when

    def rests(self, account_id: int, number_id: int) -> bool:
        """Whether nothing may go through this account, or from this number, at the moment."""
        until = max(self._resume_at.get(account_id, 0.0), self._resting.get(number_id, 0.0))
        return account_id in self.probing or time.monotonic() < until

    def in_trouble(self, account_id: int) -> bool:
        """Whether it is to be tried with one text."""
        return account_id in self._pauses

    def in_doubt(self, account_id: int) -> bool:
        """Whether it left too many without an answer: what waits for its slot would be in doubt as well."""
        return self._doubts.get(account_id, 0) >= DOUBTS_IN_A_ROW and account_id not in self.probing

    def hear(self, outcome: Outcome) -> None:
        """Learn from a hand-over: any word about a text ends the trouble, silence and refusal of all begin it."""
        account_id, answer = outcome.claim.account_id, outcome.handover.answer
        self.probing.discard(account_id)
        if answer is Answer.NOT_WRITTEN:  # our own lateness says nothing of the carrier
            return
        now = time.monotonic()
        if answer in (Answer.ACCEPTED, Answer.REFUSED):
            self._pauses.pop(account_id, None)
            self._doubts.pop(account_id, None)
            self._down.pop(account_id, None)
            if outcome.goes_back:  # the carrier answers, and this number's queue there is full
                self._resting[outcome.claim.number_id] = now + LONGEST_PAUSE
            return
        self._doubts[account_id] = self._doubts.get(account_id, 0) + (answer is Answer.UNKNOWN)
        if answer is Answer.UNKNOWN and self._doubts[account_id] < DOUBTS_IN_A_ROW:
            return
        since = self._down[account_id][0] if account_id in self._down else clock.now()
        self._down[account_id] = (since, answer.value)
        if now >= self._resume_at.get(account_id, 0.0):
            self._pauses[account_id] = min(self._pauses.get(account_id, FIRST_PAUSE / 2) * 2, LONGEST_PAUSE)
            self._resume_at[account_id] = now + self._pauses[account_id] * random.uniform(0.75, 1.25)  # noqa: S311

    def not_reached(self, account_id: int) -> None:
        """It did not answer a question of ours, before any text was handed over."""
        self._down.setdefault(account_id, (clock.now(), Answer.NO_CONNECTION.value))
        self._pauses.setdefault(account_id, OUTAGE_PAUSE)

    def remember(self, outages: Collection[Outage]) -> None:
        """What dispatchers before this one noted: a carrier that is away is tried with one text from the start."""
        for one in outages:
            self._down[one.carrier_account_id] = (one.since, one.answer.value)
            self._pauses[one.carrier_account_id] = OUTAGE_PAUSE
            self._told.add(one.carrier_account_id)

    def news(self) -> tuple[Mapping[int, tuple[datetime, str]], list[int]]:
        """Which accounts are away, since when and what they say; which of those told before are back."""
        down = {account: self._down[account] for account, pause in self._pauses.items() if pause >= OUTAGE_PAUSE}
        return down, [account for account in self._told if account not in self._pauses]

    def noted(self, down: Collection[int], recovered: Collection[int]) -> None:
        """What `news` told is written down."""
        self._told = set(down) | (self._told - set(recovered))
