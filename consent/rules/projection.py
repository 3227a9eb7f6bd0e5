"""What the records of one phone come to: the rule that the projection in the database must agree with.

Records are taken in the order in which they were written. A later agreement outweighs an earlier withdrawal by the day
on which it was given, whichever was written down first; STOP outweighs everything before it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

CONVERSATIONAL = 0
"""Stands for a program id where consent is conversational: it belongs to no program."""

STOPPING = frozenset({"INBOUND_TEXT", "CARRIER", "STAFF", "LINK", "FILE"})
"""Ways of a withdrawal that START takes back: the person stopped everything, and comes back to it."""

UNDO = "UNDO"
"""The way of a withdrawal that only tells what an undone import has taken along: its records count for nothing."""

BY_PERSON = frozenset({"KEYWORD", "DOUBLE_OPT_IN"})
"""Ways of agreeing that bring back what STOP took: a text of the person's own, whenever it comes."""

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
"""When the state of a phone changed of which no record is left that counts: any later agreement is newer."""


@dataclass(frozen=True, slots=True)
class Fact:
    """The part of a consent record that its state comes from.

    `undone`: its import counts for nothing since. `imported`: an import says so; `of_file`: and says it of a whole
    file, whose day is only the one by which all of them had agreed.
    """

    program_id: int
    action: str
    occurred_at: datetime
    medium: str
    undone: bool = False
    imported: bool = False
    of_file: bool = False


@dataclass(slots=True)
class Standing:
    """One program of a phone."""

    granted: bool = False
    stopped: bool = False
    changed_at: datetime = LONG_AGO


@dataclass(slots=True)
class Projection:
    """What a phone's records come to; `programs` holds only those that a record names."""

    opted_out: bool = False
    programs: dict[int, Standing] = field(default_factory=dict)


def project(facts: Iterable[Fact]) -> Projection:
    """The state after all facts of one phone, given in the order in which they were written."""
    found = Projection()
    for fact in facts:
        if fact.action in ("STOP", "START"):
            found.opted_out = fact.action == "STOP"
        elif fact.action in ("GRANT", "WITHDRAW") and not fact.undone and fact.medium != UNDO:
            _apply(fact, found.programs.setdefault(fact.program_id, Standing()))
    return found


def _apply(fact: Fact, standing: Standing) -> None:
    if fact.action == "WITHDRAW":
        if standing.granted:  # one who has not agreed takes nothing back
            standing.stopped = fact.medium in STOPPING
        standing.granted = False
        standing.changed_at = max(standing.changed_at, fact.occurred_at)
        return
    if _counts(fact, standing):
        standing.granted, standing.stopped = True, False
        standing.changed_at = max(standing.changed_at, fact.occurred_at)


def _counts(fact: Fact, standing: Standing) -> bool:
    """Whether an agreement outweighs what stands."""
    if fact.program_id == CONVERSATIONAL:
        return True
    if standing.stopped and not standing.granted:
        return fact.medium in BY_PERSON and not fact.imported
    took_back = not standing.granted and standing.changed_at > LONG_AGO
    if took_back and fact.of_file:
        return False  # they may have agreed on any day before it
    return fact.occurred_at > standing.changed_at
