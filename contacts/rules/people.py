"""One row of a file read as a person."""

import contextlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import available_timezones

from common.phones import InvalidPhone, to_e164
from contacts.rules.columns import CUSTOM, NEW, Field
from contacts.rules.fields import FieldKind, UnreadableValue, read_stop, read_value

COLUMNS = (
    *("first_name", "last_name", "email", "company", "language"),
    *("city", "region", "postcode", "country", "time_zone"),
)
"""What is known of a person, but for phones and the organization's own fields; the order of `Person.values`."""

_ZONES = {zone.casefold(): zone for zone in available_timezones()}
LENGTHS: dict[str, int] = {
    **dict.fromkeys((Field.FIRST_NAME, Field.LAST_NAME, Field.CITY), 120),
    Field.EMAIL: 254,
    Field.COMPANY: 200,
    Field.LANGUAGE: 12,
    Field.REGION: 80,
    Field.POSTCODE: 20,
}
"""The most characters of these."""
_SHORTENED = re.compile(r"\d(\.\d+)?E\+?\d{1,2}", re.IGNORECASE)


def zone_named(text: str) -> str | None:
    """The IANA name of a time zone, whichever letters are large; None: there is none."""
    return _ZONES.get(text.casefold())


class Fault(StrEnum):
    """Why a row was left out, as the report counts it."""

    NO_PHONE = "no_phone"
    BAD_PHONE = "bad_phone"
    TAKEN = "taken"
    BAD_ZONE = "bad_zone"
    TOO_LONG = "too_long"
    BAD_VALUE = "bad_value"
    EXTRA_FIELDS = "extra_fields"


FAULT_WORDS: dict[str, str] = {
    Fault.NO_PHONE: "no phone number",
    Fault.BAD_PHONE: "no usable phone number",
    Fault.TAKEN: "another person's work or other phone",
    Fault.BAD_ZONE: "an unknown time zone",
    Fault.TOO_LONG: "a value that is too long",
    Fault.BAD_VALUE: "a value that its field does not take",
    Fault.EXTRA_FIELDS: "more fields than the heading",
}


class InvalidRow(ValueError):
    """A row that cannot become a contact: which column (None: the row as a whole), its value, and why."""

    def __init__(self, fault: Fault, column: int | None, value: str, reason: str) -> None:
        super().__init__(reason)
        self.fault, self.column, self.value, self.reason = fault, column, value, reason


class Person(NamedTuple):
    """What a row says of a person: `phone` is E.164, `values` stand in the order of COLUMNS.

    `others` are further phones as (label, E.164); `custom` is what the organization's own fields hold, as JSON.
    `stopped` says that the person wants no texts; since when is said by `PersonReader.stop_in`.
    """

    phone: str
    values: tuple[str, ...]
    others: tuple[tuple[str, str], ...] = ()
    custom: str = "{}"
    stopped: bool = False

    @property
    def named(self) -> dict[str, str]:
        return dict(zip(COLUMNS, self.values, strict=True))

    @property
    def own(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.custom)
        return found


@dataclass(frozen=True, slots=True)
class OwnField:
    """What reading needs to know of a field of the organization's own."""

    key: str
    kind: FieldKind
    choices: tuple[str, ...] = ()


class PersonReader:
    """Reads rows under one mapping (column number to field), prepared once for a file.

    `own` are the organization's own fields by key; `country` (ISO) completes national numbers where the row names no
    country.
    """

    def __init__(
        self, mapping: Mapping[int, str], *, columns: int, country: str, own: Mapping[str, OwnField] | None = None
    ) -> None:
        self._columns, self._country = columns, country
        at = {field: column for column, field in mapping.items()}
        self._phone = at.get(Field.PHONE, -1)
        self._labelled = tuple(
            (at[field], label)
            for field, label in ((Field.WORK_PHONE, "WORK"), (Field.OTHER_PHONE, "OTHER"))
            if field in at
        )
        self._name = at.get(Field.NAME, -1)
        self._zone = at.get(Field.TIME_ZONE, -1)
        self._of_country = at.get(Field.COUNTRY, -1)
        self._stopped = at.get(Field.STOPPED, -1)
        # Column, place in `values`, most characters.
        self._plain = tuple((at[field], COLUMNS.index(field), most) for field, most in LENGTHS.items() if field in at)
        self._own: list[tuple[int, OwnField]] = []
        for column, field in mapping.items():
            if field.startswith(CUSTOM) and own and field.removeprefix(CUSTOM) in own:
                self._own.append((column, own[field.removeprefix(CUSTOM)]))
            elif field.startswith(NEW):  # only seen in a preview: its field is made when the import begins
                self._own.append((column, OwnField(f"column {column + 1}", FieldKind(field.removeprefix(NEW)))))

    def read(self, fields: Sequence[str]) -> Person:
        """Raises InvalidRow."""
        if len(fields) != self._columns:
            if len(fields) > self._columns:
                reason = f"The row has more fields than the heading, which has {self._columns}."
                raise InvalidRow(Fault.EXTRA_FIELDS, None, "", reason)
            fields = [*fields, *[""] * (self._columns - len(fields))]
        values = [""] * len(COLUMNS)
        if self._name >= 0:
            first, _, last = fields[self._name].strip().partition(" ")
            values[_FIRST], values[_LAST] = first[:120], last.strip()[:120]
        for at, place, most in self._plain:
            text = fields[at].strip()
            if len(text) > most:
                raise InvalidRow(Fault.TOO_LONG, at, text[:40], f"Longer than {most} characters.")
            if text:
                values[place] = text
        country = self._country
        if self._of_country >= 0:
            named = fields[self._of_country].strip().upper()
            country = named if len(named) == 2 else country
            values[_COUNTRY] = country if named else ""
        if self._zone >= 0:
            zone = fields[self._zone].strip()
            if zone and zone_named(zone) is None:
                reason = "This is not a time zone such as America/New_York."
                raise InvalidRow(Fault.BAD_ZONE, self._zone, zone, reason)
            values[_ZONE] = zone_named(zone) or ""
        phone = fields[self._phone].strip() if self._phone >= 0 else ""
        if not phone:
            raise InvalidRow(Fault.NO_PHONE, self._phone, "", "The row has no phone number.")
        return Person(
            e164_in(self._phone, phone, country),
            tuple(values),
            tuple((label, e164_in(at, text, country)) for at, label in self._labelled if (text := fields[at].strip())),
            self._read_own(fields) if self._own else "{}",
            self._stopped >= 0 and self._stop(fields) is not False,
        )

    def stop_in(self, fields: Sequence[str]) -> tuple[list[str], "bool | date | datetime"]:
        """The phones of a row whose owner wants no texts, and since when (True: it does not say); else no phone.

        Whatever else is wrong with the row: who says stop is obeyed.
        """
        try:
            said = self._stop(fields)
        except InvalidRow:
            return [], False
        found = []
        for at in (self._phone, *(column for column, _ in self._labelled)) if said is not False else ():
            with contextlib.suppress(InvalidRow):
                if 0 <= at < len(fields) and fields[at].strip():
                    found.append(e164_in(at, fields[at].strip(), self._country_of(fields)))
        return found, said

    def _country_of(self, fields: Sequence[str]) -> str:
        named = fields[self._of_country].strip().upper() if 0 <= self._of_country < len(fields) else ""
        return named if len(named) == 2 else self._country

    def _stop(self, fields: Sequence[str]) -> "bool | date | datetime":
        text = fields[self._stopped].strip() if 0 <= self._stopped < len(fields) else ""
        try:
            return read_stop(text)
        except UnreadableValue as error:
            reason = "This column takes yes, no, or the day on which they said stop, such as 2026-05-04."
            raise InvalidRow(Fault.BAD_VALUE, self._stopped, text[:40], reason) from error

    def _read_own(self, fields: Sequence[str]) -> str:
        found = {}
        for at, field in self._own:
            text = fields[at].strip()
            if text:
                try:
                    found[field.key] = read_value(field.kind, text, choices=field.choices)
                except UnreadableValue as error:
                    raise InvalidRow(Fault.BAD_VALUE, at, text[:40], str(error)) from error
        return json.dumps(found)


_FIRST, _LAST = COLUMNS.index("first_name"), COLUMNS.index("last_name")
_COUNTRY, _ZONE = COLUMNS.index("country"), COLUMNS.index("time_zone")


def e164_in(column: int, text: str, country: str) -> str:
    """The phone of a cell. Raises InvalidRow."""
    try:
        return to_e164(text, country=country)
    except InvalidPhone as error:
        reason = str(error)
        if _SHORTENED.fullmatch(text):
            reason = "The spreadsheet has shortened this number. Format the column as text there and save it again."
        raise InvalidRow(Fault.BAD_PHONE, column, text[:40], reason) from error
