"""Reads of consent."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from consent.models import (
    Action,
    ConsentRecord,
    ConsentState,
    ImportStatement,
    OptOut,
    PossibleOptOut,
    Program,
    StopWord,
)
from consent.rules.keywords import FAMILIES, Keyword
from consent.rules.media import MEDIA, Level, Medium
from consent.rules.projection import CONVERSATIONAL


def program(program_id: int) -> Program:
    found: Program = Program.objects.get(id=program_id)
    return found


def programs() -> QuerySet[Program]:
    """The programs of the organization in scope, by name."""
    return Program.objects.order_by("name")


def stops_among(words: Sequence[str]) -> set[str]:
    """Which of these normalised texts stop, by the family or as some campaign's own word. Across organizations."""
    own = StopWord.objects.filter(word__in=words).values_list("word", flat=True)
    return {*own, *FAMILIES[Keyword.STOP].intersection(words)}


def stop_words_of(sender_number_ids: Collection[int]) -> dict[int, frozenset[str]]:
    """The campaigns' own words that stop, of each of these numbers. Across organizations."""
    own: dict[int, set[str]] = {number_id: set() for number_id in sender_number_ids}
    words = StopWord.objects.filter(sender_number_id__in=own).values_list("sender_number_id", "word")
    for number_id, word in words:
        own[number_id].add(word)
    return {number_id: frozenset(found) for number_id, found in own.items()}


@dataclass(frozen=True, slots=True)
class Proof:
    """What stands behind a consent: the record that granted it, in words."""

    program: str
    at: datetime
    medium: str
    how: str
    version: int | None
    evidence_id: int | None


@dataclass(frozen=True, slots=True)
class ConsentPanel:
    """What one phone may get, by level (B5); `conversational_since` is the last text that opened the conversation."""

    opted_out: OptOut | None
    conversational_since: datetime | None
    informational: tuple[Proof, ...]
    promotional: tuple[Proof, ...]


def consent_panel(phone: str) -> ConsentPanel:
    """The consents of a phone with the newest record behind each, in four queries."""
    opted_out = OptOut.objects.filter(phone=phone, lifted_at=None).first()
    granted = {state.program_id: state for state in ConsentState.objects.filter(phone=phone, granted=True)}
    programs_by_id = {program.id: program for program in Program.objects.filter(id__in=list(granted))}
    undone = ImportStatement.objects.exclude(undone_at=None).values("id")
    records = ConsentRecord.objects.filter(phone=phone, program_id__in=list(granted), action=Action.GRANT)
    records = records.exclude(import_statement_id__in=undone)
    newest = {record.program_id: record for record in records.order_by("occurred_at", "id")}
    statements = ImportStatement.objects.in_bulk([record.import_statement_id for record in newest.values()])
    proofs: dict[str, list[Proof]] = {Level.INFORMATIONAL: [], Level.PROMOTIONAL: []}
    for program_id, program in programs_by_id.items():
        record = newest.get(program_id)
        if record is not None:
            statement = statements.get(record.import_statement_id)
            how = statement.how if statement else record.note or record.source_url or record.identity or ""
            evidence_id = record.evidence_id or (statement.evidence_id if statement else None)
            medium, version = medium_words(record.medium), record.program_version
            proofs[program.level].append(Proof(program.name, record.occurred_at, medium, how, version, evidence_id))
    conversational = granted.get(CONVERSATIONAL)
    return ConsentPanel(
        opted_out=opted_out,
        conversational_since=conversational.changed_at if conversational else None,
        informational=tuple(proofs[Level.INFORMATIONAL]),
        promotional=tuple(proofs[Level.PROMOTIONAL]),
    )


def medium_words(medium: str) -> str:
    """A medium of a record for people; withdrawals also name the carrier or staff as their way."""
    rule = MEDIA.get(Medium(medium)) if medium in Medium.__members__ else None
    return rule.label if rule else _WITHDRAWN_BY.get(medium, medium)


_WITHDRAWN_BY = {
    "CARRIER": "told by the carrier",
    "STAFF": "noted by staff",
    "LINK": "the link in a text",
    "UNDO": "an import undone",
    "FILE": "a file of opt-outs",
    "NOTED": "noted by staff",
    "RETENTION": "the time of keeping",
}


def opted_out_among(phones: Sequence[str]) -> set[str]:
    """Those of the phones that are not to be texted."""
    return set(OptOut.objects.filter(phone__in=phones, lifted_at=None).values_list("phone", flat=True))


def may_want_to_stop(phones: Sequence[str]) -> dict[str, str]:
    """Those of the phones who wrote something that a person has to decide on, with the sid of the newest such text."""
    waiting = PossibleOptOut.objects.filter(phone__in=phones, resolved_at=None)
    return dict(waiting.values_list("phone", "inbound_sid"))


def possible_opt_outs() -> int:
    """How many people may want to stop, and nobody has decided yet."""
    return PossibleOptOut.objects.filter(resolved_at=None).count()


def is_opted_out(phone: str) -> bool:
    return OptOut.objects.filter(phone=phone, lifted_at=None).exists()


def stopped_after(phone: str, *, at: datetime, program_id: int | None = None) -> bool:
    """Whether a STOP that was said after this moment stands: a text of then, which waited somewhere, lifts nothing.

    `program_id`: a STOP of that program alone, where the organization's STOP means one.
    """
    if program_id is not None:
        return _stopped(phone, program_id).filter(changed_at__gt=at).exists()
    later = Q(opted_out_at__gt=at) | Q(said_again_at__gt=at)
    return OptOut.objects.filter(later, phone=phone, lifted_at=None).exists()


def has_stopped(phone: str, *, program_id: int) -> bool:
    """Whether the person said STOP, to everything or to this program: only they can come back to it."""
    return is_opted_out(phone) or _stopped(phone, program_id).exists()


def _stopped(phone: str, program_id: int) -> QuerySet[ConsentState]:
    return ConsentState.objects.filter(phone=phone, program_id=program_id, stopped=True, granted=False)


def conversation_is_open(phone: str, *, days: int, now: datetime) -> bool:
    """Whether the person has written within the days, and not stopped since."""
    state = ConsentState.objects.filter(phone=phone, program_id=CONVERSATIONAL, granted=True)
    return state.filter(changed_at__gt=now - timedelta(days=days)).exists()
