# ruff: noqa: N999 - named as the command that runs it
"""How many rows a second become contacts with phone, list, consent record and the record of who brought them.

The file holds 3 % bad rows and 5 % second rows of a phone. Beside it the same statements alone, in the same batches
and the same transactions, from rows that are read already: what the database itself takes.
"""

import gc
import resource
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from bench.report import line, note
from bench.tenant import ACTOR, BenchTenant, analyze, make_tenant
from common.clock import now
from common.tenancy import organization_scope
from consent.actions import grant_by_import
from consent.rules.media import Medium
from contacts.actions import ImportWish, request_import, run_import
from contacts.actions.batches import BATCH
from contacts.actions.writing import write_people
from contacts.models import Existing, Import
from contacts.queries import import_by_id
from contacts.rules.columns import guess_mapping
from contacts.rules.files import rows_of, shape_of
from contacts.rules.people import InvalidRow, Person, PersonReader
from content.actions import store_file
from content.models import FileKind

SIZES = (10_000, 100_000, 1_000_000)
WANTED = 20_000.0
HEADING = "First Name,Last Name,Phone,E-Mail,Company,City,State,Zip\n"


def run() -> None:
    gc.freeze()  # as a worker does when it starts
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            path = Path(folder) / f"{size}.csv"
            with path.open("w") as file:
                file.write(HEADING)
                file.writelines(_rows(size))
            tenant = make_tenant(credits=1)
            before = _peak_mib()
            speed = _import(tenant, path, size)
            grown = _peak_mib() - before
            plain = _plain(make_tenant(credits=1), path, size)
            analyze()
            line(
                "import",
                str(size),
                speed,
                "rows/s",
                reference=round(plain, 1),
                reference_is="the same statements alone",
                ratio=round(speed / plain, 2),
                wanted=WANTED,
                processes=1,
                peak_mib=_peak_mib(),
                grown_mib=grown,
            )


def _rows(size: int) -> Iterator[str]:
    for number in range(size):
        kind = number % 100
        phone = f"205{2_000_000 + (number - 50 if kind >= 95 else number):07}"  # five in a hundred are second rows
        if kind < 3:
            phone = ("", "12", "211-234-5678")[kind]
        yield (
            f"First{number},Name{number},{phone},p{number}@example.org,Company {number % 977},"
            f"Town {number % 313},AL,35055\n"
        )


def _request(tenant: BenchTenant, path: Path) -> Import:
    with organization_scope(tenant.organization.id), path.open("rb") as content:
        stored = store_file(
            kind=FileKind.IMPORT,
            name=path.name,
            content_type="text/csv",
            chunks=iter(lambda: content.read(1024 * 1024), b""),
            actor=ACTOR,
            now=now(),
        )
        wish = ImportWish(
            program=tenant.program, medium=Medium.WEB_FORM, agreed_at=now(), how="our form", list_name="Everybody"
        )
        return request_import(stored, wish, actor=ACTOR, now=now())


def _import(tenant: BenchTenant, path: Path, size: int) -> float:
    wanted = _request(tenant, path)
    started = time.perf_counter()
    run_import(organization_id=tenant.organization.id, import_id=wanted.id, actor=ACTOR)
    took = time.perf_counter() - started
    with organization_scope(tenant.organization.id):
        done = import_by_id(wanted.id)
    bad, second = size * 3 // 100, size * 5 // 100
    assert (done.rows, done.invalid, done.duplicates) == (size, bad, second), (done.rows, done.invalid, done.duplicates)
    assert done.created == size - bad - second
    note(f"{size} rows imported in {took:.1f} s")
    return size / took


def _plain(tenant: BenchTenant, path: Path, size: int) -> float:
    wanted = _request(tenant, path)
    with organization_scope(tenant.organization.id):
        wanted = import_by_id(wanted.id)
    took = 0.0
    for people in _people(path):
        started = time.perf_counter()
        with organization_scope(tenant.organization.id):
            written = write_people(
                people, import_id=wanted.id, existing=Existing.UPDATE, list_id=wanted.contact_list_id, now=now()
            )
            fresh = [person.phone for person in people if person.phone not in written.seen]
            assert wanted.statement is not None
            grant_by_import(wanted.statement, fresh, now=now())
        took += time.perf_counter() - started
    return size / took


def _people(path: Path) -> Iterator[list[Person]]:
    shape = shape_of(path)
    reader = PersonReader(guess_mapping(shape.header), columns=len(shape.header), country="US")
    rows = rows_of(path, shape)
    while batch := list(islice(rows, BATCH)):
        found: dict[str, Person] = {}
        for row in batch:
            try:
                person = reader.read(row.fields)
            except InvalidRow:
                continue
            found.setdefault(person.phone, person)
        yield list(found.values())


def _peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
