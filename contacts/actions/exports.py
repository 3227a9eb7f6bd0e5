"""Contacts as a file: a job, whose file is there for whoever asked."""

import csv
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import xlsxwriter

from accounts.actions import audit
from common.actor import Actor
from common.clock import now as clock_now
from common.tenancy import current_organization_id, organization_scope
from contacts.actions.error_file import harmless
from contacts.models import ContactList, Export
from contacts.queries import custom_fields, export_by_id, exported_after
from content.actions import begin_work, fail_job, finish_job, report_progress, start_job, store_file
from content.models import FileKind
from content.queries import UNDER_WAY

BATCH = 2_000
MOST_XLSX = 1_000_000
"""Rows below the heading: a sheet holds 1,048,576 in all."""

HEADING = (
    *("First name", "Last name", "Company", "E-mail", "Language", "City", "State", "Postcode", "Country", "Time zone"),
    *("Mobile", "Work phone", "Other phone", "Said STOP", "Agreed to", "Known since"),
)

Write = Callable[[Sequence[str]], None]


def request_export(
    *, format: Export.Format, search: str, contact_list: ContactList | None, actor: Actor, now: datetime
) -> Export:
    """Have a file made of everybody, or of those whom the search finds, on the list."""
    requested: Export = Export.objects.create(
        organization_id=current_organization_id(),
        job=start_job(kind="export", total=None, now=now),
        format=format,
        search=search[:200],
        contact_list=contact_list,
        created_at=now,
    )
    audit(action="contacts.exported", subject=requested, actor=actor, now=now, search=search[:200])
    begin_work(
        requested.job,
        "contacts.run_export",
        arguments=[requested.organization_id, requested.id, actor.label, requested.job_id],
    )
    return requested


def run_export(*, organization_id: int, export_id: int, actor: Actor) -> None:
    """Write the file; opens a scope for each batch. Running it again writes it from the start."""
    with organization_scope(organization_id):
        wanted = export_by_id(export_id)
        own = list(custom_fields())
    if wanted.job.state not in UNDER_WAY:
        return
    people, after = 0, 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "contacts"
        with _WRITERS[Export.Format(wanted.format)](path) as write:
            write([*HEADING, *(field.name for field in own)])
            while True:
                with organization_scope(organization_id):
                    rows = exported_after(wanted, after, BATCH, own=[field.key for field in own])
                    if not rows:
                        break
                    for row in rows:
                        write(row.values)
                    after, people = rows[-1].contact_id, people + len(rows)
                    report_progress(wanted.job_id, done=people, now=clock_now())
                if wanted.format == Export.Format.XLSX and people > MOST_XLSX:
                    _too_many(organization_id, wanted)
                    return
        with organization_scope(organization_id), path.open("rb") as content:
            file = store_file(
                kind=FileKind.REPORT,
                name=f"contacts {wanted.created_at:%Y-%m-%d}.{wanted.format.lower()}",
                content_type=_TYPES[Export.Format(wanted.format)],
                chunks=iter(lambda: content.read(1024 * 1024), b""),
                actor=actor,
                now=clock_now(),
            )
            Export.objects.filter(id=wanted.id).update(file=file, people=people)
            finish_job(wanted.job_id, now=clock_now())


def _too_many(organization_id: int, wanted: Export) -> None:
    with organization_scope(organization_id):
        words = f"A spreadsheet holds {MOST_XLSX:,} people at most. Choose CSV, or export one list after the other."
        fail_job(wanted.job_id, message=words, now=clock_now())


@contextmanager
def _csv(path: Path) -> Iterator[Write]:
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)

        def write(values: Sequence[str]) -> None:
            writer.writerow([harmless(value) for value in values])

        yield write


@contextmanager
def _xlsx(path: Path) -> Iterator[Write]:
    """Row by row to the disk; every cell is text, so that no phone becomes a number and nothing a formula."""
    with xlsxwriter.Workbook(path, {"constant_memory": True, "in_memory": False}) as book:
        sheet = book.add_worksheet("Contacts")
        sheet.freeze_panes(1, 0)
        line = 0

        def write(values: Sequence[str]) -> None:
            nonlocal line
            for column, value in enumerate(values):
                if value:
                    sheet.write_string(line, column, value)
            line += 1

        yield write


_WRITERS = {Export.Format.CSV: _csv, Export.Format.XLSX: _xlsx}
_TYPES = {
    Export.Format.CSV: "text/csv",
    Export.Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
