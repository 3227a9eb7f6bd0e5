"""Importing a file: refused as a whole before anything is written, or run to its end in batches.

`request_import` looks at the file, notes the consent statement and starts the job. `run_import` is that job: each
batch of rows is one transaction with contacts, phones, list and consent together, and the progress that says how far
it came, so that a killed worker goes on at the next batch.
"""

import csv
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from celery import current_app
from django.core.files import File
from django.db import transaction

from accounts.actions import audit
from accounts.models import Organization
from common.actor import Actor
from common.clock import now as clock_now
from common.errors import DomainError
from common.sql import fetch_all, run
from common.tenancy import across_organizations, current_organization_id, organization_scope
from consent.actions import complete_statement, grant_by_import, state_import
from consent.models import ImportStatement, Program
from consent.rules.media import Medium
from contacts.actions.lists import list_named
from contacts.models import Import
from contacts.queries import import_by_id
from contacts.rules.columns import Field, guess_mapping
from contacts.rules.files import FileShape, Row, UnreadableFile, rows_of, shape_of
from contacts.rules.people import InvalidRow, Person, read_person
from content.actions import fail_job, finish_job, report_progress, start_job, store_file
from content.models import FileKind, Job, StoredFile
from content.queries import path_of

BATCH = 5_000
STALLED = timedelta(seconds=60)


class ImportRefused(DomainError):
    """The file was not imported, and nothing was changed."""

    code = "import_refused"


def keep_upload(upload: "File[bytes]", *, actor: Actor, now: datetime) -> StoredFile:
    """Look at a file and keep it. Raises ImportRefused; then none of it stays on our disk."""
    with tempfile.NamedTemporaryFile() as copy:
        for chunk in upload.chunks():
            copy.write(chunk)
        copy.flush()
        try:
            shape_of(Path(copy.name))
        except UnreadableFile as error:
            raise ImportRefused(str(error)) from error
    return store_file(
        kind=FileKind.IMPORT,
        name=upload.name or "contacts.csv",
        content_type="text/csv",
        chunks=upload.chunks(),
        actor=actor,
        now=now,
    )


def request_import(
    *,
    file: StoredFile,
    program: Program,
    medium: Medium,
    agreed_at: datetime,
    how: str,
    actor: Actor,
    now: datetime,
    list_name: str = "",
    mapping: dict[int, Field] | None = None,
) -> Import:
    """Check file and statement, and start the job. Raises ImportRefused or StatementRefused; then nothing changed.

    An upload is imported once: asked again, it is the import that is under way already.
    """
    StoredFile.objects.select_for_update(no_key=True).get(id=file.id)
    known: Import | None = Import.objects.filter(file=file).first()
    if known is not None:
        return known
    try:
        shape = shape_of(path_of(file))
    except UnreadableFile as error:
        raise ImportRefused(str(error)) from error
    mapping = guess_mapping(shape.header) if mapping is None else mapping
    if Field.PHONE not in mapping.values():
        raise ImportRefused(
            "No column holds phone numbers. Give the column a heading such as “Phone”, or choose it by hand. "
            f"The headings found: {', '.join(shape.header)[:200]}."
        )
    statement = state_import(program=program, medium=medium, agreed_at=agreed_at, how=how, actor=actor, now=now)
    contact_list = list_named(list_name, now=now) if list_name else None
    country = Organization.objects.get(id=current_organization_id()).default_country
    requested: Import = Import.objects.create(
        organization_id=current_organization_id(),
        file=file,
        statement=statement,
        job=start_job(kind="import", total=None, now=now),
        contact_list=contact_list,
        mapping={str(column): field.value for column, field in mapping.items()},
        encoding=shape.encoding,
        delimiter=shape.delimiter,
        default_country=country,
        created_at=now,
    )
    audit(action="import.requested", subject=requested, actor=actor, now=now, file=file.name, statement=statement.id)
    arguments = [requested.organization_id, requested.id]
    transaction.on_commit(lambda: current_app.send_task("contacts.run_import", arguments))
    return requested


def run_import(*, organization_id: int, import_id: int, actor: Actor) -> None:
    """Read the file and write its people; opens a scope for each batch. Running it again goes on where it ended."""
    with organization_scope(organization_id):
        wanted = import_by_id(import_id)
        path = path_of(wanted.file)
    if wanted.job.state in (Job.State.DONE, Job.State.FAILED):
        return
    shape = shape_of(path)
    mapping = {int(column): Field(field) for column, field in wanted.mapping.items()}
    broken = ""
    with tempfile.TemporaryDirectory() as folder:
        with _ErrorFile(Path(folder) / "errors.csv", shape.header, _phone_column(mapping)) as errors:
            try:
                for batch in _batches(rows_of(path, shape)):
                    people = _readable(batch, mapping, shape, wanted, errors)
                    with organization_scope(organization_id):
                        _write_batch(batch, people, wanted, errors)
            except UnreadableFile as error:
                broken = f"{error} The rows before it were imported."
        with organization_scope(organization_id):
            _finish(wanted, errors, actor, broken)


def fail_import(*, organization_id: int, import_id: int, now: datetime) -> None:
    """After an error that nobody foresaw: say so to the person who waits; what was imported stays, and is sealed."""
    with organization_scope(organization_id):
        wanted = import_by_id(import_id)
        complete_statement(wanted.statement, now=now)
        fail_job(
            wanted.job_id,
            message="Something went wrong with this file. Upload it again: nobody is imported twice.",
            now=now,
        )


def revive_imports(*, now: datetime) -> None:
    """Start imports again whose worker died: they have reported nothing for a while."""
    with across_organizations(because="a dead worker leaves imports of any organization behind"):
        stalled = Import.objects.filter(
            job__state__in=[Job.State.WAITING, Job.State.RUNNING], job__updated_at__lt=now - STALLED
        )
        found = list(stalled.values_list("organization_id", "id"))
    for organization_id, import_id in found:
        current_app.send_task("contacts.run_import", [organization_id, import_id], expires=STALLED.total_seconds())


@dataclass(frozen=True, slots=True)
class _Read:
    """A row that became a person."""

    row: Row
    person: Person


def _write_batch(batch: list[Row], people: list[_Read], wanted: Import, errors: "_ErrorFile") -> None:
    now = clock_now()
    # The row is the lock: a second runner of the same import waits here, then finds the batch written.
    locked = Import.objects.select_for_update(no_key=True).get(id=wanted.id)
    written_before = batch[-1].number <= locked.rows
    taken = _others_phones([read.person.phone for read in people], wanted)
    kept = []
    for read in people:
        if read.person.phone in taken:
            errors.add(read.row, InvalidRow(errors.phone_column, read.person.phone, _TAKEN))
        else:
            kept.append(read.person)
    if written_before:  # read again for the error file alone
        return
    unique = {person.phone: person for person in reversed(kept)}  # the first of a file counts
    seen_before = _phones_of_this_import(wanted, list(unique))
    fresh = [person for phone, person in unique.items() if phone not in seen_before]
    created = _write_people(fresh, wanted, now)
    granted = grant_by_import(wanted.statement, [person.phone for person in fresh], now=now)
    locked.created += created
    locked.updated += len(fresh) - created
    locked.duplicates += len(kept) - len(fresh)
    locked.invalid += len(batch) - len(kept)
    locked.opted_out += granted.kept_opted_out
    locked.rows = batch[-1].number
    locked.save(update_fields=["created", "updated", "duplicates", "invalid", "opted_out", "rows"])
    report_progress(wanted.job_id, done=locked.rows, now=now)


def _readable(
    batch: list[Row], mapping: dict[int, Field], shape: FileShape, wanted: Import, errors: "_ErrorFile"
) -> list[_Read]:
    people = []
    for row in batch:
        try:
            person = read_person(row.fields, mapping, columns=len(shape.header), country=wanted.default_country)
            people.append(_Read(row, person))
        except InvalidRow as error:
            errors.add(row, error)
    return people


_TAKEN = "This is another person's work or other phone. Change it there first, or leave this row out."


def _others_phones(phones: list[str], wanted: Import) -> set[str]:
    """Phones that stand with a contact as a work or other phone: the row would rename that person."""
    rows = fetch_all(
        "SELECT phone FROM contacts_contactphone WHERE organization_id = %s AND label <> 'MOBILE' AND phone = ANY(%s)",
        [wanted.organization_id, phones],
    )
    return {phone for (phone,) in rows}


def _phones_of_this_import(wanted: Import, phones: list[str]) -> set[str]:
    """Phones that an earlier batch of the same file brought: the later row is the duplicate."""
    rows = fetch_all(
        "SELECT phone FROM contacts_importedphone WHERE import_id = %s AND phone = ANY(%s)", [wanted.id, phones]
    )
    return {phone for (phone,) in rows}


def _write_people(people: list[Person], wanted: Import, now: datetime) -> int:
    """Insert those who are new and fill in those who are known; return how many were new."""
    parameters: dict[str, object] = {
        "organization": wanted.organization_id,
        "import": wanted.id,
        "list": wanted.contact_list_id,
        "now": now,
        "phones": [person.phone for person in people],
        **{column: [person.values.get(column, "") for person in people] for column in _COLUMNS},
    }
    ((created,),) = fetch_all(_WRITE_PEOPLE, parameters)
    others = [(person.phone, label, phone) for person in people for label, phone in person.others.items()]
    if others:
        run(
            _WRITE_OTHER_PHONES,
            parameters
            | {
                "main": [main for main, _, _ in others],
                "labels": ["WORK" if label == Field.WORK_PHONE else "OTHER" for _, label, _ in others],
                "others": [phone for _, _, phone in others],
            },
        )
    return int(created)


def _finish(wanted: Import, errors: "_ErrorFile", actor: Actor, broken: str) -> None:
    """Keep the error file, have the statement sealed, and end the job; `broken` says why the file was left."""
    now = clock_now()
    if errors.count:
        with errors.path.open("rb") as content:
            stored = store_file(
                kind=FileKind.REPORT,
                name=f"errors of {wanted.file.name}",
                content_type="text/csv",
                chunks=iter(lambda: content.read(1024 * 1024), b""),
                actor=actor,
                now=now,
            )
        Import.objects.filter(id=wanted.id).update(error_file=stored)
    complete_statement(ImportStatement.objects.get(id=wanted.statement_id), now=now)
    run("DELETE FROM contacts_importedphone WHERE import_id = %s", [wanted.id])
    if broken:
        fail_job(wanted.job_id, message=broken, now=now)
    else:
        finish_job(wanted.job_id, now=now)


def _phone_column(mapping: dict[int, Field]) -> int:
    return next(column for column, field in mapping.items() if field is Field.PHONE)


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while batch := list(islice(rows, BATCH)):
        yield batch


class _ErrorFile:
    """The rows that were left out, with the original columns plus row, column, value and reason."""

    def __init__(self, path: Path, header: tuple[str, ...], phone_column: int) -> None:
        self.path, self.header, self.phone_column, self.count = path, header, phone_column, 0

    def __enter__(self) -> "_ErrorFile":
        self._file = self.path.open("w", newline="", encoding="utf-8-sig")
        self._writer = csv.writer(self._file)
        self._writer.writerow([*map(_harmless, self.header), "Row", "Column", "Value", "Reason"])
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, row: Row, error: InvalidRow) -> None:
        padded = [*row.fields, *[""] * (len(self.header) - len(row.fields))][: len(self.header)]
        column = "" if error.column is None else _harmless(self.header[error.column])
        self._writer.writerow([*map(_harmless, padded), row.number, column, _harmless(error.value), error.reason])
        self.count += 1


_FIGURES = re.compile(r"[+-]?[\d ().]+(?:-[\d ().]+)*")


def _harmless(text: str) -> str:
    """A spreadsheet would run a cell that begins like a formula (OWASP: CSV injection); phone numbers stay."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") and not _FIGURES.fullmatch(text) else text


_COLUMNS = (
    *("first_name", "last_name", "email", "company", "language"),
    *("city", "region", "postcode", "country", "time_zone"),
)
_FIELDS = ", ".join(_COLUMNS)
_GIVEN = ", ".join(f"%({column})s::text[]" for column in _COLUMNS)
_FILLED = ", ".join(f"{column} = COALESCE(NULLIF(p.{column}, ''), c.{column})" for column in _COLUMNS)

# Ids are drawn first, so that contact and phone go in with one statement. A phone that another transaction brought in
# the meantime makes the batch fail on its unique key, and the job's next run updates that contact instead.
_WRITE_PEOPLE = f"""
WITH given AS (
    SELECT * FROM unnest(%(phones)s::text[], {_GIVEN}) AS g(phone, {_FIELDS})
), known AS (
    SELECT g.*, p.contact_id FROM given g
    LEFT JOIN contacts_contactphone p ON p.organization_id = %(organization)s AND p.phone = g.phone
), people AS MATERIALIZED (
    SELECT k.*, COALESCE(k.contact_id, nextval('contacts_contact_id_seq')) AS id FROM known k
), created AS (
    INSERT INTO contacts_contact (id, organization_id, {_FIELDS}, custom, created_at, updated_at)
    SELECT id, %(organization)s, {_FIELDS}, '{{}}', %(now)s, %(now)s FROM people WHERE contact_id IS NULL
    RETURNING id
), phoned AS (
    INSERT INTO contacts_contactphone (organization_id, contact_id, label, phone, textable)
    SELECT %(organization)s, id, 'MOBILE', phone, true FROM people WHERE contact_id IS NULL
), filled AS (
    UPDATE contacts_contact c SET updated_at = %(now)s, {_FILLED}
    FROM people p WHERE c.organization_id = %(organization)s AND c.id = p.contact_id
), listed AS (
    INSERT INTO contacts_listmember (organization_id, contact_list_id, contact_id)
    SELECT %(organization)s, %(list)s::bigint, id FROM people WHERE %(list)s::bigint IS NOT NULL
    ON CONFLICT DO NOTHING
), noted AS (
    INSERT INTO contacts_importedphone (organization_id, import_id, phone)
    SELECT %(organization)s, %(import)s, phone FROM people
)
SELECT count(*) FROM created
"""

_WRITE_OTHER_PHONES = """
INSERT INTO contacts_contactphone (organization_id, contact_id, label, phone, textable)
SELECT DISTINCT ON (o.phone) %(organization)s, p.contact_id, o.label, o.phone, true
FROM unnest(%(main)s::text[], %(labels)s::text[], %(others)s::text[]) AS o(main, label, phone)
JOIN contacts_contactphone p ON p.organization_id = %(organization)s AND p.phone = o.main
ON CONFLICT (organization_id, phone) DO NOTHING
"""
