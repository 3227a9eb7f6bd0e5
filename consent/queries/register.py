"""The consent register: records by phone, or the newest."""

from dataclasses import dataclass

from consent.models import Action, CarrierDifference, ConsentRecord, ImportStatement, Program
from consent.queries.panel import medium_words
from consent.rules.projection import CONVERSATIONAL

ROWS = 50


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the register."""

    record: ConsentRecord
    title: str
    how: str


@dataclass(frozen=True, slots=True)
class RegisterPage:
    """Some lines of the register, newest first; `older` leads to the next page, empty: there is none."""

    entries: tuple[Entry, ...]
    older: str


def register_page(
    *, phone: str = "", program_id: int | None = None, action: str = "", before: str = ""
) -> RegisterPage:
    """The records of a phone, or all but those of files, whose statements stand apart; of one program or action.

    `before` is `older` of the page before.
    """
    found = (
        ConsentRecord.objects.filter(phone=phone) if phone else ConsentRecord.objects.filter(import_statement_id=None)
    )
    if program_id is not None:
        found = found.filter(program_id=program_id)
    if action:
        found = found.filter(action=action)
    at = before.partition("-")
    if at[0].isdecimal() and at[2].isdecimal():
        found = found.extra(where=["(transaction_id, id) < (%s, %s)"], params=[int(at[0]), int(at[2])])
    # In the order of transactions, which has an index: an organization's ids lie among everybody's.
    records = list(found.order_by("-transaction_id", "-id")[: ROWS + 1])
    last = records[ROWS - 1] if len(records) > ROWS else None
    older = f"{last.transaction_id}-{last.id}" if last is not None else ""
    return RegisterPage(tuple(_entries(records[:ROWS])), older)


def newest_statements() -> list[ImportStatement]:
    """What was last stated of whole files."""
    return list(ImportStatement.objects.select_related("program").order_by("-id")[:10])


def newest_differences() -> list[CarrierDifference]:
    """What the carrier last knew of opt-outs and we did not."""
    return list(CarrierDifference.objects.order_by("-found_at")[:10])


def _entries(records: list[ConsentRecord]) -> list[Entry]:
    programs = Program.objects.in_bulk({record.program_id for record in records})
    statements = ImportStatement.objects.in_bulk([record.import_statement_id for record in records])
    return [
        Entry(
            record,
            _title(record, programs.get(record.program_id)),
            _how(record, statements.get(record.import_statement_id or 0)),
        )
        for record in records
    ]


def _title(record: ConsentRecord, program: Program | None) -> str:
    if record.action == Action.ERASE:
        return "Records emptied after the time of keeping"
    if record.action in (Action.STOP, Action.START, Action.UNDO):
        return Action(record.action).label
    what = program.name if program else "the conversation" if record.program_id == CONVERSATIONAL else "a program"
    return f"{Action(record.action).label}: {what}"


def _how(record: ConsentRecord, statement: ImportStatement | None) -> str:
    words = (statement.how if statement else "") or record.note or record.source_url or ""
    medium = medium_words(record.medium)
    if statement is not None and statement.undone_at is not None:
        medium = f"{medium} (the import was undone, and counts for nothing)"
    return f"{medium}: {words}" if words else medium
