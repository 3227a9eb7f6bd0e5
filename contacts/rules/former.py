"""Rows of a former provider's files (F10): who said stop, and who agreed to what, when and how."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from consent.rules.media import MEDIA, Level, Medium
from contacts.rules.columns import guess_among, plain_heading
from contacts.rules.fields import UnreadableValue, read_moment
from contacts.rules.people import Fault, InvalidRow, e164_in


class Column(StrEnum):
    """What a column of such a file can be."""

    PHONE = "phone"
    STOPPED_ON = "stopped_on"
    SOURCE = "source"
    AGREED_ON = "agreed_on"
    MEDIUM = "medium"


COLUMN_LABELS: dict[Column, str] = {
    Column.PHONE: "Phone",
    Column.STOPPED_ON: "Day on which they said stop",
    Column.SOURCE: "Where they said it",
    Column.AGREED_ON: "Day on which they agreed",
    Column.MEDIUM: "How they agreed",
}

OPT_OUT_COLUMNS = (Column.PHONE, Column.STOPPED_ON, Column.SOURCE)
CONSENT_COLUMNS = (Column.PHONE, Column.AGREED_ON, Column.MEDIUM)

_HEADINGS: dict[Column, str] = {
    # The surest first.
    Column.PHONE: "phonenumber,phone,mobilephone,mobile,cellphone,cell,msisdn,number,recipient,contact",
    Column.STOPPED_ON: "optoutdate,optedoutat,optedouton,optouttime,stoppedon,stopdate,unsubscribedat,unsubscribedate,"
    "unsubscribedon,date,day,timestamp,time,updatedat,datecreated,createdat",
    Column.SOURCE: "source,reason,keyword,how,method,medium,channel",
    Column.AGREED_ON: "optindate,optedinat,optedinon,optintime,agreedon,consentdate,consentedat,subscribedat,"
    "subscribedate,date,day,timestamp,time,datecreated,createdat",
    Column.MEDIUM: "optinmethod,optintype,optinsource,consentmethod,consentsource,medium,method,how,source",
}


def guess_columns(header: Sequence[str], wanted: Sequence[Column]) -> dict[int, str]:
    """Column number to what it seems to hold; each once, by its surest heading."""
    return guess_among(header, {column: _HEADINGS[column].split(",") for column in wanted})


class Stopped(NamedTuple):
    """A phone that wants no texts; `since` is None where the row does not say, or cannot be read."""

    phone: str
    since: date | datetime | None
    source: str


class Agreed(NamedTuple):
    """A phone whose owner agreed on a day, in a way."""

    phone: str
    on: date
    medium: Medium


def opt_out_reader(mapping: Mapping[int, str], *, columns: int, country: str) -> Callable[[Sequence[str]], Stopped]:
    """Reads rows of an opt-out file; what it gives raises InvalidRow where there is no phone, and for nothing else."""
    at = {name: column for column, name in mapping.items()}

    def read(fields: Sequence[str]) -> Stopped:
        cells = _padded(fields[:columns], columns)
        since = None
        with contextlib.suppress(UnreadableValue):
            if said := _cell(cells, at, Column.STOPPED_ON):
                since = read_moment(said)
        return Stopped(_phone(cells, at, country), since, _cell(cells, at, Column.SOURCE)[:120])

    return read


def consent_reader(
    mapping: Mapping[int, str], *, columns: int, country: str, level: Level, until: date
) -> Callable[[Sequence[str]], Agreed]:
    """Reads rows of a consent file for a program of a level; what it gives raises InvalidRow.

    Nobody has agreed after `until`: a day in the future would outweigh whatever the person says in between.
    """
    at = {name: column for column, name in mapping.items()}

    def read(fields: Sequence[str]) -> Agreed:
        cells = _padded(fields, columns)
        phone = _phone(cells, at, country)
        said, how = _cell(cells, at, Column.AGREED_ON), _cell(cells, at, Column.MEDIUM)
        if not said:
            raise InvalidRow(Fault.BAD_VALUE, at.get(Column.AGREED_ON), "", "The row does not say when they agreed.")
        day, medium = _day(said, at.get(Column.AGREED_ON)), medium_named(how)
        if day > until:
            raise InvalidRow(Fault.BAD_VALUE, at.get(Column.AGREED_ON), said[:40], "This day lies in the future.")
        if medium is None or level not in MEDIA[medium].grants:
            ways = ", ".join(rule.label for rule in MEDIA.values() if level in rule.grants)
            what = "This way of agreeing is not known"
            if medium is not None:
                what = f"This is not enough for {level.lower()} texts"
            raise InvalidRow(Fault.BAD_VALUE, at.get(Column.MEDIUM), how[:40], f"{what}. Write one of: {ways}.")
        return Agreed(phone, day, medium)

    return read


_WAYS: dict[Medium, str] = {
    Medium.WEB_FORM: "webform,web,website,onlineform,online,landingpage,checkout,webpage,widget,popup",
    Medium.KEYWORD: "keyword,texttojoin,texttosubscribe,textkeyword,smskeyword,mobileoriginated",
    Medium.QR_CODE: "qrcode,qr,mobileqrcode",
    Medium.PAPER_FORM: "paperform,paper,written,signed,instore,pos,pointofsale,card",
    Medium.DOUBLE_OPT_IN: "doubleoptin,doi",
    Medium.VERBAL: "spoken,verbal,phonecall,voicecall,inperson,oral",
    Medium.IVR: "phonemenu,ivr",
}
_MEDIA = {word: medium for medium, words in _WAYS.items() for word in words.split(",")}


def medium_named(text: str) -> Medium | None:
    """The way of agreeing that a word of a file means; None: none that is known."""
    return _MEDIA.get(plain_heading(text))


def _padded(fields: Sequence[str], columns: int) -> list[str]:
    if len(fields) > columns:
        reason = f"The row has more fields than the heading, which has {columns}."
        raise InvalidRow(Fault.EXTRA_FIELDS, None, "", reason)
    return [*(field.strip() for field in fields), *[""] * (columns - len(fields))]


def _cell(cells: Sequence[str], at: Mapping[str, int], column: Column) -> str:
    return cells[at[column]] if column in at else ""


def _phone(cells: Sequence[str], at: Mapping[str, int], country: str) -> str:
    phone = _cell(cells, at, Column.PHONE)
    if not phone:
        raise InvalidRow(Fault.NO_PHONE, at.get(Column.PHONE), "", "The row has no phone number.")
    return e164_in(at[Column.PHONE], phone, country)


def _day(text: str, column: int | None) -> date:
    """The day of a date, or of a time stamp in whatever form."""
    try:
        found = read_moment(text)
    except UnreadableValue as error:
        raise InvalidRow(Fault.BAD_VALUE, column, text[:40], str(error)) from error
    return found.date() if isinstance(found, datetime) else found
