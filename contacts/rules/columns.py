"""Which column of a file holds what, guessed from its heading and, where that says nothing, from its values."""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum


class Field(StrEnum):
    """What a column can be. PHONE is the phone that is texted; the two others are kept beside it."""

    PHONE = "phone"
    WORK_PHONE = "work_phone"
    OTHER_PHONE = "other_phone"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    NAME = "name"
    EMAIL = "email"
    COMPANY = "company"
    LANGUAGE = "language"
    CITY = "city"
    REGION = "region"
    POSTCODE = "postcode"
    COUNTRY = "country"
    TIME_ZONE = "time_zone"
    STOPPED = "stopped"


LABELS: dict[Field, str] = {
    Field.PHONE: "Phone to text",
    Field.WORK_PHONE: "Work phone",
    Field.OTHER_PHONE: "Other phone",
    Field.FIRST_NAME: "First name",
    Field.LAST_NAME: "Last name",
    Field.NAME: "Whole name",
    Field.EMAIL: "E-mail",
    Field.COMPANY: "Company",
    Field.LANGUAGE: "Language",
    Field.CITY: "City",
    Field.REGION: "State or region",
    Field.POSTCODE: "Postcode",
    Field.COUNTRY: "Country",
    Field.TIME_ZONE: "Time zone",
    Field.STOPPED: "Said stop (yes, or the day)",
}
"""What a column is called where a person chooses."""

HEADINGS: dict[str, Field] = {
    heading: field
    for field, headings in {
        Field.PHONE: "phone,phonenumber,mobile,mobilephone,mobilenumber,cell,cellphone,cellular,tel,telephone,sms,"
        "number,msisdn,handy,telefon,movil",
        Field.WORK_PHONE: "workphone,businessphone,officephone,work",
        Field.OTHER_PHONE: "homephone,otherphone,phone2,home",
        Field.FIRST_NAME: "firstname,first,givenname,forename,vorname",
        Field.LAST_NAME: "lastname,last,surname,familyname,nachname",
        Field.NAME: "name,fullname,contact,contactname",
        Field.EMAIL: "email,emailaddress,mail",
        Field.COMPANY: "company,organization,organisation,companyname,account,business,firma",
        Field.LANGUAGE: "language,lang,locale",
        Field.CITY: "city,town,ort",
        Field.REGION: "state,region,province,stateprovince",
        Field.POSTCODE: "zip,zipcode,postcode,postalcode,plz",
        Field.COUNTRY: "country,countrycode",
        Field.TIME_ZONE: "timezone,tz,timezonename",
        Field.STOPPED: "stopped,optout,optedout,optoutdate,optedoutat,unsubscribed,unsubscribedat,donotcontact,"
        "donottext,dnc",
    }.items()
    for heading in headings.split(",")
}


CUSTOM = "custom."
"""Before the key of a field of the organization's own."""

NEW = "new."
"""Before the kind of a field that the import makes, named as the column's heading."""


def guess_mapping(
    header: Sequence[str],
    rows: Sequence[Sequence[str]] = (),
    *,
    remembered: Mapping[str, str] | None = None,
    own: Mapping[str, str] | None = None,
) -> dict[int, str]:
    """Column number (from 0) to field; each field once, the first fitting column wins.

    What earlier files taught goes first: `remembered`, heading to field ("" where the column was left out). Then the
    usual headings, the organization's `own` fields by name (name to field), and what the values of `rows` look like.
    Without a column that is plainly the phone, a work or other phone takes its place.
    """
    known = {plain_heading(heading): field for heading, field in (remembered or {}).items()}
    named = {plain_heading(name): field for name, field in (own or {}).items()}
    mapping: dict[int, str] = {}
    for column, heading in enumerate(header):
        plain = plain_heading(heading)
        field = known.get(plain)
        if field is None:
            field = HEADINGS.get(plain) or named.get(plain)
        if field and field not in mapping.values():
            mapping[column] = field
    for column, heading in enumerate(header):
        if column not in mapping and known.get(plain_heading(heading)) != "":
            field = _looks_like([row[column].strip() for row in rows if column < len(row)])
            if field is not None and field not in mapping.values():
                mapping[column] = field
    if Field.PHONE not in mapping.values():
        for column, field in mapping.items():
            if field in (Field.WORK_PHONE, Field.OTHER_PHONE):
                return mapping | {column: Field.PHONE}
    return mapping


def guess_among(header: Sequence[str], headings: Mapping[str, Sequence[str]]) -> dict[int, str]:
    """Column number to the field whose headings hold the column's; each field once, by its first heading there is."""
    mapping: dict[int, str] = {}
    plain = [plain_heading(heading) for heading in header]
    for field, words in headings.items():
        fitting = (plain.index(word) for word in words if word in plain)
        column = next((column for column in fitting if column not in mapping), None)
        if column is not None:
            mapping[column] = field
    return mapping


def plain_heading(heading: str) -> str:
    """A heading without capitals, blanks and marks."""
    return "".join(filter(str.isalnum, heading.casefold()))


def _looks_like(values: Sequence[str]) -> Field | None:
    """What every filled value looks like; None: nothing that is sure."""
    filled = [value for value in values if value]
    for field, pattern in _LOOKS.items():
        if filled and all(pattern.fullmatch(value) for value in filled):
            return field
    return None


_LOOKS = {
    Field.EMAIL: re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+"),
    Field.PHONE: re.compile(r"\+\d[\d\s().-]{7,20}|\(?[2-9]\d{2}\)?[\s.-]?[2-9]\d{2}[\s.-]?\d{4}"),
    Field.TIME_ZONE: re.compile(r"(America|Europe|Africa|Asia|Australia|Pacific|Atlantic|Indian|Etc|US)/[\w/+-]+|UTC"),
    Field.POSTCODE: re.compile(r"\d{5}(-\d{4})?"),
}
