"""Files that are imported: how they are read, what will come of them, what has."""

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from django.db.models import QuerySet
from django.utils.timezone import localtime

from accounts.queries import current_organization
from common.errors import DomainError
from common.sql import fetch_all
from common.tenancy import current_organization_id
from consent.queries import opted_out_among
from consent.rules.places import place_of
from contacts.models import ContactPhone, Existing, Import, PhoneLabel
from contacts.queries.fields import custom_field_keys, custom_fields, own_fields
from contacts.rules.columns import guess_mapping, plain_heading
from contacts.rules.files import FileShape, Row, UnreadableFile, rows_of, shape_of
from contacts.rules.people import FAULT_WORDS, Fault, InvalidRow, Person, PersonReader
from content.models import StoredFile
from content.queries import UNDER_WAY, path_of
from content.rules.rendering import CUSTOM


def import_by_id(import_id: int) -> Import:
    found: Import = Import.objects.select_related("file", "statement", "job", "undo_job", "error_file").get(
        id=import_id
    )
    return found


class NotReadable(DomainError):
    code = "not_readable"


def shape_of_upload(file: StoredFile) -> FileShape:
    """How the uploaded file is to be read. Raises NotReadable with what to do about it."""
    try:
        return shape_of(path_of(file))
    except UnreadableFile as error:
        raise NotReadable(str(error)) from error


def guess_of(file: StoredFile) -> dict[int, str]:
    """What each column of a file seems to hold, as `guess_mapping` says; what earlier imports taught goes first."""
    shape = shape_of_upload(file)
    return guess_mapping(
        shape.header,
        [row.fields for row in first_rows(file, LOOKED_AT)],
        remembered=_remembered(),
        own={row.name: f"{CUSTOM}{row.key}" for row in custom_fields()},
    )


MOST_UNKNOWN = 20
"""Columns of a recipient list that become fields without being chosen; more are hardly meant for a text."""


def unknown_columns(file: StoredFile, guess: Mapping[int, str]) -> list[int]:
    """Columns with a heading that nothing is known of and that nobody has left out before."""
    shape, left_out = shape_of_upload(file), {name for name, field in _remembered().items() if not field}
    found: dict[str, int] = {}
    for column, heading in enumerate(shape.header if shape.headed else ()):
        if column not in guess and heading and heading not in left_out:
            found.setdefault(plain_heading(heading), column)
    return list(found.values())[:MOST_UNKNOWN]


LOOKED_AT = 50
PREVIEWED = 5
COUNTED = 20_000


def first_rows(file: StoredFile, count: int) -> list[Row]:
    """The first rows of a file; where it breaks off, those before."""
    return list(islice(_readable_rows(file), count))


def _readable_rows(file: StoredFile) -> Iterator[Row]:
    with contextlib.suppress(UnreadableFile):  # said by the import itself, with the row
        yield from rows_of(path_of(file), shape_of_upload(file))


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """A row of a file as it stands there, and as the person it will become; else `fault` says why not.

    `zone` is where the person's hours come from, in words.
    """

    fields: Sequence[str]
    person: Person | None
    fault: str
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What an import will do: the first rows, and counts over the first `rows` of the file.

    `whole`: that is all of it. `faults` counts the rows that will be left out by reason, in words.
    """

    preview: tuple[PreviewRow, ...]
    rows: int
    whole: bool
    created: int
    known: int
    duplicates: int
    opted_out: int
    faults: dict[str, int]
    stopped: int

    @property
    def sample(self) -> tuple[PreviewRow, ...]:
        """The first rows as they stand in the file."""
        return self.preview[:3]


def outlook_of(file: StoredFile, mapping: Mapping[int, str], *, country: str = "", apart: bool = False) -> Outlook:
    """Look ahead at an import without writing anything; `apart`: nobody of it is to become a contact."""
    shape = shape_of_upload(file)
    country = country or current_organization().default_country
    reader = PersonReader(mapping, columns=len(shape.header), country=country, own=own_fields())
    rows, more, stopped = 0, False, 0
    preview: list[PreviewRow] = []
    phones: list[str] = []
    faults: Counter[str] = Counter()
    for row in _readable_rows(file):
        if rows == COUNTED:
            more = True
            break
        rows += 1
        try:
            stopped += bool(reader.stop_in(row.fields)[0])
            person = reader.read(row.fields)
            phones.append(person.phone)
            shown = PreviewRow(row.fields, person, "", _zone_of(person)) if len(preview) < PREVIEWED else None
        except InvalidRow as error:
            faults[FAULT_WORDS[error.fault]] += 1
            shown = PreviewRow(row.fields, None, error.reason)
        if shown is not None and len(preview) < PREVIEWED:
            preview.append(shown)
    unique = list(dict.fromkeys(phones))
    labels = dict(ContactPhone.objects.filter(phone__in=unique).values_list("phone", "label"))
    taken = {phone for phone, label in labels.items() if label != PhoneLabel.MOBILE and not apart}
    left_out = sum(phone in taken for phone in phones)
    if left_out:
        faults[FAULT_WORDS[Fault.TAKEN]] += left_out
    return Outlook(
        preview=tuple(preview),
        rows=rows,
        whole=not more,
        created=len(unique) - len(labels),
        known=len(labels) - len(taken),
        duplicates=len(phones) - left_out - (len(unique) - len(taken)),
        opted_out=len(opted_out_among(unique)),
        faults=dict(faults),
        stopped=stopped,
    )


def _zone_of(person: Person) -> str:
    said = person.named
    place = place_of(
        zone=said["time_zone"],
        region=said["region"],
        postcode=said["postcode"],
        country=said["country"],
        phone=person.phone,
    )
    source = {
        "CONTACT": "from the file",
        "POSTCODE": "by postcode",
        "AREA_CODE": "by area code",
        "STATE": "by state",
    }.get(place.source, "")
    if not source:
        return "time zone unknown: texted when every zone allows it"
    zones = ", ".join(zone.split("/")[-1].replace("_", " ") for zone in place.zones[:3])
    return f"{zones} time, {source}" if len(place.zones) <= 3 else f"{zones} and others, {source}"


def _remembered() -> dict[str, str]:
    """What the columns of the newest imports were taken for, by heading; "" where one was left out."""
    found: dict[str, str] = {}
    kept = Import.objects.filter(undo_job=None)  # what was undone was wrong
    for header, mapping in kept.order_by("-id").values_list("header", "mapping")[:10]:
        for column, heading in enumerate(header):
            found.setdefault(heading, mapping.get(str(column), ""))
    own = {f"{CUSTOM}{key}" for key in custom_field_keys()}
    return {heading: field for heading, field in found.items() if not field.startswith(CUSTOM) or field in own}


def fault_words(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Why rows of an import were left out, in words, the most frequent first."""
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return [(FAULT_WORDS.get(fault, fault), count) for fault, count in ordered]


UNDO_WITHIN = timedelta(days=1)


def may_undo(done: Import, *, now: datetime) -> bool:
    """Whether an import can still be undone: it has ended, a day ago at most, and nobody has asked yet.

    Who said stop stays stopped: a file of opt-outs is not undone.
    """
    if done.kind == Import.Kind.OPT_OUTS:
        return False
    ended = done.job.state not in UNDER_WAY
    return ended and done.undo_job_id is None and now <= done.created_at + UNDO_WITHIN and done.rows > 0


@dataclass(frozen=True, slots=True)
class Imported:
    """Someone whom an import brought, with all their phones; `brought`: by it, and by no other import besides."""

    phone: str
    contact_id: int
    brought: bool
    phones: tuple[str, ...]


def imported_after(import_id: int, phone: str, limit: int) -> list[Imported]:
    """The next of an import in the order of their phones."""
    rows = fetch_all(
        _IMPORTED,
        {"organization": current_organization_id(), "import": import_id, "after": phone, "limit": limit},
    )
    return [Imported(row[0], row[1], row[2], tuple(row[3] or ())) for row in rows]


_IMPORTED = """
SELECT i.phone, i.contact_id,
    i.created AND NOT EXISTS (
        SELECT 1 FROM contacts_importedcontact o
        JOIN contacts_import w ON w.id = o.import_id AND w.undo_job_id IS NULL
        WHERE o.organization_id = i.organization_id AND o.contact_id = i.contact_id AND o.import_id <> i.import_id),
    ARRAY(SELECT p.phone::text FROM contacts_contactphone p
          WHERE p.organization_id = i.organization_id AND p.contact_id = i.contact_id)
FROM contacts_importedcontact i
WHERE i.organization_id = %(organization)s AND i.import_id = %(import)s AND i.phone > %(after)s
ORDER BY i.phone LIMIT %(limit)s
"""


def newest_imports() -> QuerySet[Import]:
    of_contacts = Import.objects.filter(kind=Import.Kind.PEOPLE).exclude(existing=Existing.APART)
    return of_contacts.select_related("file", "job").order_by("-id")[:5]


NAMED_IMPORTS = 100


def imports_by_name(also: Sequence[int] = ()) -> list[tuple[str, str]]:
    """Ids and names of the newest imports, and of those in `also`; the newest first."""
    of_people = Import.objects.filter(kind=Import.Kind.PEOPLE).exclude(existing=Existing.APART)
    rows = of_people.select_related("file").order_by("-id")
    shown = {one.id: one for one in rows[:NAMED_IMPORTS]}
    if older := set(also) - set(shown):
        shown |= {one.id: one for one in rows.filter(id__in=older)}
    return [(str(one.id), f"{one.file.name}, {localtime(one.created_at):%b %-d, %Y}") for one in shown.values()]
