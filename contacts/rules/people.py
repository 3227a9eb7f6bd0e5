"""One row of a file read as a person."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import available_timezones

from common.phones import InvalidPhone, to_e164
from contacts.rules.columns import Field

_ZONES = available_timezones()
_LENGTHS = {
    **dict.fromkeys(("first_name", "last_name", "city"), 120),
    "email": 254,
    "company": 200,
    "language": 12,
    "region": 80,
    "postcode": 20,
}


class InvalidRow(ValueError):
    """A row that cannot become a contact: which column (None: the row as a whole), its value, and why."""

    def __init__(self, column: int | None, value: str, reason: str) -> None:
        super().__init__(reason)
        self.column, self.value, self.reason = column, value, reason


@dataclass(frozen=True, slots=True)
class Person:
    """What a row says of a person. `phone` is E.164; `others` are further phones by label."""

    phone: str
    values: Mapping[str, str]
    others: Mapping[str, str] = field(default_factory=dict)


def read_person(fields: tuple[str, ...], mapping: Mapping[int, Field], *, columns: int, country: str) -> Person:
    """Raises InvalidRow."""
    if len(fields) > columns:
        raise InvalidRow(None, "", f"The row has more fields than the heading, which has {columns}.")
    values: dict[str, str] = {}
    phone_column, phone = -1, ""
    others: dict[str, str] = {}
    row_country = next(
        (fields[at].strip().upper() for at, kind in mapping.items() if kind is Field.COUNTRY and at < len(fields)), ""
    )
    country = row_country if len(row_country) == 2 else country
    for at, kind in mapping.items():
        text = fields[at].strip() if at < len(fields) else ""
        if kind is Field.PHONE:
            phone_column, phone = at, text
        elif kind in (Field.WORK_PHONE, Field.OTHER_PHONE):
            if text:
                others[kind] = _phone(at, text, country)
        elif kind is Field.NAME:
            first, _, last = text.partition(" ")
            values.setdefault("first_name", first[:120])
            values.setdefault("last_name", last[:120])
        elif kind is Field.TIME_ZONE:
            if text and text not in _ZONES:
                raise InvalidRow(at, text, "This is not a time zone such as America/New_York.")
            values["time_zone"] = text
        elif kind is Field.COUNTRY:
            values["country"] = country if text else ""
        else:
            if len(text) > _LENGTHS[kind]:
                raise InvalidRow(at, text[:40], f"Longer than {_LENGTHS[kind]} characters.")
            values[kind] = text
    if not phone:
        raise InvalidRow(phone_column, "", "The row has no phone number.")
    return Person(_phone(phone_column, phone, country), values, others)


def _phone(column: int, text: str, country: str) -> str:
    try:
        return to_e164(text, country=country)
    except InvalidPhone as error:
        raise InvalidRow(column, text, str(error)) from error
