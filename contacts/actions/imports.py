"""Importing a file: refused as a whole before anything is written, or run to its end in batches.

`request_import` looks at the file, notes the consent statement and starts the job. `run_import` is that job: each
batch of rows is one transaction with contacts, phones, list and consent together, and the progress that says how far
it came, so that a killed worker goes on at the next batch.
"""

import contextlib
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from django.core.files import File
from django.utils.timezone import localdate

from accounts.actions import audit
from accounts.queries import current_organization
from common.actor import Actor
from common.ahead import ahead
from common.clock import now as clock_now
from common.errors import DomainError
from common.tenancy import current_organization_id, organization_scope
from consent.actions import complete_statement, state_import
from consent.models import Program
from consent.rules.media import Level, Medium
from contacts.actions.batches import (
    Batch,
    add_errors,
    batches,
    stop_first,
    taken_again,
    write_consents,
    write_opt_outs,
    write_persons,
)
from contacts.actions.error_file import ErrorFile
from contacts.actions.fields import create_field
from contacts.actions.lists import list_named
from contacts.models import Existing, Import
from contacts.queries import guess_of, import_by_id, own_fields
from contacts.rules.columns import CUSTOM, NEW, Field
from contacts.rules.fields import FieldKind
from contacts.rules.files import FileShape, UnreadableFile, is_workbook, rows_of, shape_of
from contacts.rules.former import COLUMN_LABELS, Column, consent_reader, opt_out_reader
from contacts.rules.people import PersonReader
from contacts.rules.workbooks import UnreadableWorkbook, to_csv
from content.actions import (
    begin_work,
    cancel_job,
    fail_job,
    finish_job,
    report_progress,
    start_job,
    store_evidence,
    store_file,
)
from content.models import FileKind, StoredFile
from content.queries import UNDER_WAY, path_of


class ImportRefused(DomainError):
    """The file was not imported, and nothing was changed."""

    code = "import_refused"


def keep_upload(upload: "File[bytes]", *, actor: Actor, now: datetime) -> StoredFile:
    """Look at a file and keep it, a spreadsheet as CSV. Raises ImportRefused; then none of it stays on our disk."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "upload"
        with path.open("wb") as copy:
            for chunk in upload.chunks():
                copy.write(chunk)
        try:
            if is_workbook(path):
                to_csv(path, Path(folder) / "sheet.csv")
                path = Path(folder) / "sheet.csv"
            shape_of(path)
        except (UnreadableFile, UnreadableWorkbook) as error:
            raise ImportRefused(str(error)) from error
        with path.open("rb") as file:
            return store_file(
                kind=FileKind.IMPORT,
                name=upload.name or "contacts.csv",
                content_type="text/csv",
                chunks=iter(lambda: file.read(1024 * 1024), b""),
                actor=actor,
                now=now,
            )


@dataclass(frozen=True, slots=True)
class ImportWish:
    """How a file is to be imported. `mapping` (column number to field) is guessed where none is given.

    `country` (ISO) completes national numbers, the organization's own where it is empty. More than `most_rows` are
    refused. `evidence` is an upload that proves what is stated.
    """

    program: Program
    medium: Medium
    agreed_at: datetime
    how: str
    mapping: dict[int, str] | None = None
    list_name: str = ""
    existing: Existing = Existing.UPDATE
    country: str = ""
    most_rows: int | None = None
    evidence: "File[bytes] | None" = None


def request_import(file: StoredFile, wish: ImportWish, *, actor: Actor, now: datetime) -> Import:
    """Check file and statement, and start the job.

    Raises ImportRefused, StatementRefused or EvidenceRefused; then nothing changed. An upload is imported once: asked
    again, it is the import that is under way already.
    """
    known, shape = _once(file)
    if known is not None:
        return known
    if wish.most_rows is not None and (rows := _rows_beyond(path_of(file), shape, wish.most_rows)):
        raise ImportRefused(
            f"Too many recipients: the file has {rows:,}, and your plan takes {wish.most_rows:,} in one list. "
            "Split the file into several lists, or ask for a larger plan."
        )
    if wish.program.level == Level.PROMOTIONAL and wish.evidence is None:
        raise ImportRefused(
            "Promotional texts need proof that these people agreed. Add a picture of the form that they ticked, a scan "
            "or a PDF.",
            field="evidence",
        )
    mapping = guess_of(file) if wish.mapping is None else wish.mapping
    if Field.PHONE not in mapping.values():
        raise ImportRefused(
            "No column holds phone numbers. Give the column a heading such as “Phone”, or choose it by hand. "
            f"The headings found: {', '.join(shape.header)[:200]}."
        )
    made = {str(column): _made(column, kind, shape, now) for column, kind in mapping.items()}
    if len(set(made.values())) < len(made):
        raise ImportRefused("Two columns would become the same field. Leave one out, or give its heading another name.")
    statement = state_import(
        program=wish.program,
        medium=wish.medium,
        agreed_at=wish.agreed_at,
        how=wish.how,
        evidence=store_evidence(wish.evidence, actor=actor, now=now) if wish.evidence else None,
        actor=actor,
        now=now,
    )
    requested: Import = Import.objects.create(
        organization_id=current_organization_id(),
        file=file,
        statement=statement,
        job=start_job(kind="import", total=None, now=now),
        contact_list=list_named(wish.list_name, now=now) if wish.list_name else None,
        header=list(shape.header) if shape.headed else [],
        mapping=made,
        existing=wish.existing,
        encoding=shape.encoding,
        delimiter=shape.delimiter,
        default_country=wish.country or current_organization().default_country,
        created_at=now,
    )
    audit(action="import.requested", subject=requested, actor=actor, now=now, file=file.name, statement=statement.id)
    begin_work(requested.job, "contacts.run_import", arguments=[requested.organization_id, requested.id])
    return requested


@dataclass(frozen=True, slots=True)
class FormerWish:
    """How a former provider's file is to be taken; `mapping` is column number to contacts.rules.former.Column.

    Opt-outs need the day by which all had said stop, for rows that name none; consents a program and the words.
    """

    kind: Import.Kind
    mapping: dict[int, str]
    country: str = ""
    stopped_by: datetime | None = None
    program: Program | None = None
    how: str = ""


def request_former(file: StoredFile, wish: FormerWish, *, actor: Actor, now: datetime) -> Import:
    """Check a file of opt-outs or of consents, and start the job. Raises ImportRefused or StatementRefused."""
    known, shape = _once(file)
    if known is not None:
        return known
    consents = wish.kind == Import.Kind.CONSENTS
    needed = (Column.PHONE, Column.AGREED_ON, Column.MEDIUM) if consents else (Column.PHONE,)
    for column in needed:
        if column not in wish.mapping.values():
            raise ImportRefused(f"Say which column is “{COLUMN_LABELS[column]}”.")
    if not consents and (wish.stopped_by is None or wish.stopped_by > now):
        raise ImportRefused("Say by which day they had all said stop, up to today.", field="stopped_by")
    statement = None
    if consents:
        assert wish.program is not None
        statement = state_import(program=wish.program, medium=None, agreed_at=now, how=wish.how, actor=actor, now=now)
    requested: Import = Import.objects.create(
        organization_id=current_organization_id(),
        kind=wish.kind,
        file=file,
        statement=statement,
        stopped_by=wish.stopped_by,
        job=start_job(kind="import", total=None, now=now),
        header=[],
        mapping={str(column): name for column, name in wish.mapping.items()},
        encoding=shape.encoding,
        delimiter=shape.delimiter,
        default_country=wish.country or current_organization().default_country,
        created_at=now,
    )
    audit(action="import.requested", subject=requested, actor=actor, now=now, file=file.name, kind=wish.kind)
    begin_work(requested.job, "contacts.run_import", arguments=[requested.organization_id, requested.id])
    return requested


def _once(file: StoredFile) -> tuple[Import | None, FileShape]:
    """The import that the file is already, where it is one, and how it is to be read. Raises ImportRefused."""
    StoredFile.objects.select_for_update(no_key=True).get(id=file.id)
    known: Import | None = Import.objects.filter(file=file).first()
    try:
        return known, shape_of(path_of(file))
    except UnreadableFile as error:
        raise ImportRefused(str(error)) from error


def _rows_beyond(path: Path, shape: FileShape, most: int) -> int:
    """How many rows a file has, where they are more than `most`; else 0. Lines are counted first: that is quicker."""
    if _about_so_many_rows(path) + 2 <= most:  # without a heading, or a last line that ends, there are two more
        return 0
    try:
        rows = sum(1 for _ in rows_of(path, shape))
    except UnreadableFile:  # the import says where
        return 0
    return rows if rows > most else 0


def _made(column: int, name: str, shape: FileShape, now: datetime) -> str:
    """The field of a column: one that is to be made is made, named as the heading."""
    if not name.startswith(NEW):
        return str(name)
    made = create_field(shape.header[column] or f"Column {column + 1}", FieldKind(name.removeprefix(NEW)), now=now)
    return f"{CUSTOM}{made.key}"


def cancel_import(import_id: int, *, actor: Actor, now: datetime) -> None:
    """Stop a running import after the batch at work; what it has written stays."""
    wanted = import_by_id(import_id)
    if wanted.job.state in UNDER_WAY and wanted.cancel_asked_at is None:
        Import.objects.filter(id=import_id, cancel_asked_at=None).update(cancel_asked_at=now)
        audit(action="import.canceled", subject=wanted, actor=actor, now=now, rows=wanted.rows)


def run_import(*, organization_id: int, import_id: int, actor: Actor) -> None:
    """Read the file and write its people; opens a scope for each batch. Running it again goes on where it ended."""
    with organization_scope(organization_id):
        wanted = import_by_id(import_id)
        path = path_of(wanted.file)
    if wanted.job.state not in UNDER_WAY:
        return
    shape = shape_of(path)
    mapping = {int(column): name for column, name in wanted.mapping.items()}
    with organization_scope(organization_id):
        read, write = _way_of(wanted, mapping, len(shape.header))
    phone_column = next(column for column, name in mapping.items() if name == Field.PHONE)
    total, broken, canceled = _about_so_many_rows(path), "", False
    if Field.STOPPED in mapping.values() and not wanted.rows:
        with organization_scope(organization_id):
            reader = _person_reader(wanted, mapping, len(shape.header))
        with contextlib.suppress(UnreadableFile):  # the import says where
            stop_first(rows_of(path, shape), wanted, reader=reader)
    with tempfile.TemporaryDirectory() as folder:
        with ErrorFile(Path(folder) / "errors.csv", shape.header) as errors:
            try:
                for batch in ahead(batches(rows_of(path, shape), read)):
                    with organization_scope(organization_id):
                        canceled = not _write_batch(batch, wanted, write, errors, phone_column, total)
                    if canceled:
                        break
            except UnreadableFile as error:
                broken = f"{error} The rows before it were imported."
        with organization_scope(organization_id):
            _finish(wanted, errors, actor, broken, canceled)


def fail_import(*, organization_id: int, import_id: int, now: datetime) -> None:
    """After an error that nobody foresaw: say so to the person who waits; what was imported stays, and is sealed."""
    with organization_scope(organization_id):
        wanted = import_by_id(import_id)
        if wanted.statement is not None:
            complete_statement(wanted.statement, now=now)
        fail_job(
            wanted.job_id,
            message="Something went wrong with this file. Upload it again: nobody is imported twice.",
            now=now,
        )


def _person_reader(wanted: Import, mapping: dict[int, str], columns: int) -> PersonReader:
    return PersonReader(mapping, columns=columns, country=wanted.default_country, own=own_fields())


class Write(Protocol):
    """Writes a batch and adds to the import's counts; the phones that were left out as another person's."""

    def __call__(self, batch: Batch[Any], wanted: Import, *, now: datetime) -> frozenset[str]: ...


def _way_of(wanted: Import, mapping: dict[int, str], columns: int) -> tuple[Callable[[Sequence[str]], Any], Write]:
    """How the rows of an import are read and written."""
    country = wanted.default_country
    if wanted.kind == Import.Kind.OPT_OUTS:
        return opt_out_reader(mapping, columns=columns, country=country), write_opt_outs
    if wanted.kind == Import.Kind.CONSENTS:
        assert wanted.statement is not None
        level = Level(wanted.statement.program.level)
        until = localdate(wanted.created_at, ZoneInfo(current_organization().time_zone))
        reader = consent_reader(mapping, columns=columns, country=country, level=level, until=until)
        return reader, write_consents
    return _person_reader(wanted, mapping, columns).read, write_persons


def _write_batch(
    batch: Batch[Any], wanted: Import, write: Write, errors: ErrorFile, phone_column: int, total: int
) -> bool:
    """Write a batch, unless it is written already; False: somebody has asked to stop."""
    now = clock_now()
    # The row is the lock: a second runner of the same import waits here, then finds the batch written.
    rows = Import.objects.select_for_update(no_key=True, of=("self",)).select_related("job", "statement", "file")
    locked = rows.get(id=wanted.id)
    if locked.job.state not in UNDER_WAY:  # another runner has ended it, and its statement
        return False
    if batch.last <= locked.rows:  # read again for the error file alone
        add_errors(errors, batch, taken=taken_again(batch, wanted), phone_column=phone_column)
        return True
    if locked.cancel_asked_at is not None:
        return False
    left_out = add_errors(errors, batch, taken=write(batch, locked, now=now), phone_column=phone_column)
    locked.invalid += left_out.total()
    locked.faults = dict(Counter(locked.faults) + left_out)
    locked.rows = batch.last
    counted = ["created", "updated", "unchanged", "duplicates", "invalid", "faults", "opted_out", "withdrawn", "rows"]
    locked.save(update_fields=counted)
    report_progress(wanted.job_id, done=locked.rows, total=max(total, locked.rows), now=now)
    return True


def _about_so_many_rows(path: Path) -> int:
    """The lines below the heading: close enough for a bar."""
    with path.open("rb") as file:
        ends = [(chunk.count(b"\n"), chunk.count(b"\r")) for chunk in iter(lambda: file.read(1024 * 1024), b"")]
    return max(*map(sum, zip((0, 0), *ends, strict=True)), 2) - 1


def _finish(wanted: Import, errors: ErrorFile, actor: Actor, broken: str, canceled: bool) -> None:
    """Keep the error file, have the statement sealed, and end the job; `broken` says why the file was left."""
    now = clock_now()
    locked = Import.objects.select_for_update(no_key=True, of=("self",)).select_related("job").get(id=wanted.id)
    if locked.job.state not in UNDER_WAY:
        return
    if errors.count:
        with errors.path.open("rb") as content:
            stored = store_file(
                kind=FileKind.REPORT,
                name=f"errors of {Path(wanted.file.name).stem}.csv",
                content_type="text/csv",
                chunks=iter(lambda: content.read(1024 * 1024), b""),
                actor=actor,
                now=now,
            )
        Import.objects.filter(id=wanted.id).update(error_file=stored)
    if wanted.statement is not None:
        complete_statement(wanted.statement, now=now)
    if canceled:
        cancel_job(wanted.job_id, message="You stopped this import. What it had brought until then is there.", now=now)
    elif broken:
        fail_job(wanted.job_id, message=broken, now=now)
    else:
        finish_job(wanted.job_id, now=now)
